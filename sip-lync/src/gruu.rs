//! How an endpoint is named: epid, `+sip.instance` UUID, GRUU token.

use sha1::{Digest, Sha1};
use std::fmt;

use crate::uri::SipUri;

/// The UUID of an endpoint, derived from its epid; printed as in `+sip.instance`.
///
/// MS-SIPRE 4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId([u8; 16]);

impl InstanceId {
    /// The UUID of an epid, taken exactly as it is sent: letter case matters.
    ///
    /// MS-SIPRE 4.2
    #[must_use]
    pub fn from_epid(epid: &str) -> Self {
        let digest = Sha1::new().chain_update(NAMESPACE).chain_update(epid.as_bytes()).finalize();
        let mut octets = [0; 16];
        for (octet, hashed) in octets.iter_mut().zip(digest) {
            *octet = hashed;
        }
        octets[7] = (octets[7] & 0x0f) | 0x50;
        octets[8] = (octets[8] & 0x3f) | 0x80;
        Self(octets)
    }

    /// Reads the value of `+sip.instance`, with or without `<urn:uuid:` and `>`, in any letter case.
    ///
    /// RFC 5627 4.1, RFC 4122 3
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 36] = match text.as_bytes().strip_prefix(b"\"<urn:uuid:") {
            // As everybody writes it.
            Some([digits @ .., b'>', b'"']) if digits.len() == 36 => digits.try_into().ok()?,
            _ => {
                let text = text.trim().trim_matches('"');
                let text = text.strip_prefix('<').unwrap_or(text);
                let text = text.strip_suffix('>').unwrap_or(text);
                let text = match text.get(..9) {
                    Some(prefix) if prefix.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
                    _ => text,
                };
                text.as_bytes().try_into().ok()?
            }
        };
        let (mut octets, mut good) = ([0; 16], true);
        for (position, place) in PRINTED.iter().enumerate() {
            let at = printed_at(position);
            if matches!(position, 4 | 6 | 8 | 10) {
                good &= digits.get(at - 1) == Some(&b'-');
            }
            let digit = |at: usize| digits.get(at).map_or(NO_DIGIT, |&octet| HEX_DIGITS[octet as usize]);
            let (high, low) = (digit(at), digit(at + 1));
            good &= (high | low) < NO_DIGIT;
            *octets.get_mut(*place)? = high << 4 | low & 0x0f;
        }
        good.then_some(Self(octets))
    }

    /// The token of the GRUU that the server forms for this endpoint: URL-safe base64 of the octets
    /// and two zeros.
    ///
    /// MS-SIPRE 4.2
    #[must_use]
    pub fn token(&self) -> String {
        let mut token = String::with_capacity(24);
        self.push_token(&mut token);
        token
    }

    fn push_token(&self, token: &mut String) {
        let mut octets = [0; 18];
        for (to, from) in octets.iter_mut().zip(self.0) {
            *to = from;
        }
        let (groups, _) = octets.as_chunks::<3>();
        let mut text = [0; 24];
        for ([first, second, third], text) in groups.iter().zip(text.as_chunks_mut::<4>().0) {
            let group = u32::from(*first) << 16 | u32::from(*second) << 8 | u32::from(*third);
            *text = [18, 12, 6, 0].map(|shift| base64_url((group >> shift & 0x3f) as u8));
        }
        token.push_str(core::str::from_utf8(&text).unwrap_or_default());
    }

    /// The `opaque` parameter of the user GRUU: `user:epid:` and the token.
    ///
    /// MS-SIPRE 2.2.3
    #[must_use]
    pub fn opaque(&self) -> String {
        let mut opaque = String::with_capacity(34);
        opaque.push_str("user:epid:");
        self.push_token(&mut opaque);
        opaque
    }

    /// The UUID in capital letters, as the clients of the dialect write it.
    pub(crate) fn in_capitals(&self) -> Printed {
        Printed(self.printed(b"0123456789ABCDEF"))
    }

    /// The same in small letters.
    pub(crate) fn in_small_letters(&self) -> Printed {
        Printed(self.printed(b"0123456789abcdef"))
    }

    fn printed(&self, digits: &[u8; 16]) -> [u8; 36] {
        let mut text = [b'-'; 36];
        for (position, place) in PRINTED.iter().enumerate() {
            let octet = self.0.get(*place).copied().unwrap_or(0);
            let digit = |digit: u8| digits.get(usize::from(digit)).copied().unwrap_or(b'0');
            let at = printed_at(position);
            if let Some([high, low]) = text.get_mut(at..at + 2) {
                (*high, *low) = (digit(octet >> 4), digit(octet & 0x0f));
            }
        }
        text
    }

    /// The value of the `+sip.instance` parameter with its quotes.
    ///
    /// RFC 5627 4.1
    #[must_use]
    pub fn sip_instance(&self) -> String {
        format!("\"<urn:uuid:{self}>\"")
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_small_letters().as_str())
    }
}

/// Where the two digits of an octet stand: there are hyphens before the fifth, seventh, ninth and eleventh.
const fn printed_at(position: usize) -> usize {
    let hyphens = match position {
        0..4 => 0,
        4..6 => 1,
        6..8 => 2,
        8..10 => 3,
        _ => 4,
    };
    position * 2 + hyphens
}

/// More than any digit has.
const NO_DIGIT: u8 = 0x80;

/// The values of digits in either case.
const HEX_DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// The text of a UUID.
pub(crate) struct Printed([u8; 36]);

impl Printed {
    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The address of one service of a conference.
///
/// MS-SIPRE 2.2.3, MS-CONFBAS 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConferenceUri {
    uri: SipUri,
    service: Box<str>,
    id: Box<str>,
}

impl ConferenceUri {
    /// The service that keeps the roster and lets in.
    ///
    /// MS-CONFBAS 2.2
    pub const FOCUS: &'static str = "focus";

    /// The service that mixes sound and pictures.
    ///
    /// MS-CONFBAS 2.2
    pub const AUDIO_VIDEO: &'static str = "audio-video";

    /// What every such address has in it.
    pub(crate) const MARK: &'static str = "app:conf:";

    /// The conference an address is of: `opaque=app:conf:focus:id:5D3J`.
    ///
    /// MS-SIPRE 2.2.3
    #[must_use]
    pub fn of(uri: &SipUri) -> Option<Self> {
        let rest = uri.opaque()?.strip_prefix(Self::MARK)?;
        let (service, id) = rest.split_once(":id:")?;
        let good = !service.is_empty() && !service.contains(':') && !id.is_empty();
        // One text of the specification leaves the hyphen out.
        let service = if service.eq_ignore_ascii_case("audiovideo") { Self::AUDIO_VIDEO } else { service };
        good.then(|| Self { uri: uri.without_headers(), service: service.into(), id: id.into() })
    }

    /// The address itself.
    ///
    /// MS-SIPRE 2.2.3
    #[must_use]
    pub const fn uri(&self) -> &SipUri {
        &self.uri
    }

    /// `focus`, `audio-video`, `chat`, …
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// What names the conference.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The address of another service of the same conference; all else stays byte for byte.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn of_service(&self, service: &str) -> Option<Self> {
        let text = self.uri.to_string();
        let opaque = self.uri.opaque()?;
        let other = format!("app:conf:{service}:id:{}", self.id);
        Self::of(&SipUri::parse(&text.replacen(opaque, &other, 1)).ok()?)
    }
}

impl fmt::Display for ConferenceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

const fn base64_url(six: u8) -> u8 {
    match six {
        0..=25 => b'A' + six,
        26..=51 => b'a' + six - 26,
        52..=61 => b'0' + six - 52,
        62 => b'-',
        _ => b'_',
    }
}

/// The name space, its first three groups in little-endian order.
///
/// MS-SIPRE 4.2
const NAMESPACE: [u8; 16] =
    [0x03, 0xfb, 0xac, 0xfc, 0x73, 0x8a, 0xef, 0x46, 0x91, 0xb1, 0xe5, 0xeb, 0xee, 0xab, 0xa4, 0xfe];

/// The order in which the octets are printed.
const PRINTED: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epid_01010101_has_the_published_uuid_and_token() {
        let instance = InstanceId::from_epid("01010101");
        assert_eq!(instance.to_string(), "4b1682a8-f968-5701-83fc-7c6741dc6697");
        assert_eq!(instance.token(), "qIIWS2j5AVeD_HxnQdxmlwAA");
        assert_eq!(instance.opaque(), "user:epid:qIIWS2j5AVeD_HxnQdxmlwAA");
    }

    #[test]
    fn letter_case_of_the_epid_matters_and_of_the_uuid_does_not() {
        assert_ne!(InstanceId::from_epid("ab"), InstanceId::from_epid("AB"));
        let instance = InstanceId::from_epid("01010101");
        for text in [
            "4b1682a8-f968-5701-83fc-7c6741dc6697",
            "\"<urn:uuid:4B1682A8-F968-5701-83FC-7C6741DC6697>\"",
            "<URN:UUID:4B1682A8-f968-5701-83FC-7C6741DC6697>",
        ] {
            assert_eq!(InstanceId::parse(text), Some(instance), "{text}");
        }
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "urn:uuid:",
            "4b1682a8f968570183fc7c6741dc6697",
            "4b1682a8-f968-5701-83fc-7c6741dc669",
            "4b1682a8-f968-5701-83fc-7c6741dc66977",
            "4b1682a8-f968-5701-83fc-7c6741dc669g",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(InstanceId::parse(text), None, "{text}");
        }
    }
}
