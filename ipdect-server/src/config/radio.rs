//! Base stations and the identity that handsets subscribe to.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::secret::Secret;
use super::sip::Transport;

/// Section `[radio]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Radio {
    /// Where base stations connect.
    pub listen: SocketAddr,
    /// What the radio link runs on.
    pub transport: Transport,
    /// Access rights identity of the system.
    pub ari: AccessRightsIdentity,
    /// Who may subscribe.
    pub subscription: Subscription,
    /// Certificates of the base stations that may connect; empty: any may, so keep strangers from the port.
    pub base_stations: Vec<Fingerprint>,
    /// The access code of users that have none of their own.
    pub system_access_code: Secret,
}

impl Default for Radio {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4711)),
            transport: Transport::Tls,
            ari: AccessRightsIdentity::default(),
            subscription: Subscription::Listed,
            base_stations: Vec::new(),
            system_access_code: Secret::default(),
        }
    }
}

/// Who may subscribe a handset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subscription {
    /// Listed users, at any time.
    #[default]
    Listed,
    /// Listed users, while the administrator has opened the window.
    Window,
    /// Any handset that knows the access code.
    Open,
}

/// A class B access rights identity as handsets show it: `1f` (31 significant bits) and the identity, left aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AccessRightsIdentity([u8; 4]);

impl AccessRightsIdentity {
    /// Takes the four octets: a zero bit, class 001, 16 bits of installer code, 12 bits of number.
    pub fn from_octets(octets: [u8; 4]) -> Option<Self> {
        let value = u32::from_be_bytes(octets);
        (value >> 28 == 1 && (value >> 12) & 0xffff != 0 && value & 0xfff != 0).then_some(Self(octets))
    }

    /// The four octets: a zero bit and the 31 bits of the identity.
    pub fn octets(self) -> [u8; 4] {
        self.0
    }

    /// The text of the configuration: ten hexadecimal digits.
    pub fn text(self) -> String {
        format!("1f{:08x}", u32::from_be_bytes(self.0))
    }

    /// Whether none was given.
    pub fn is_unset(self) -> bool {
        self.0 == [0; 4]
    }
}

impl TryFrom<String> for AccessRightsIdentity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let digits = text.strip_prefix("1f").or_else(|| text.strip_prefix("1F"));
        digits
            .filter(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(|value| Self::from_octets(value.to_be_bytes()))
            .ok_or_else(|| {
                format!(
                    "{text:?} is no class B access rights identity (1f, then 1 and seven more hexadecimal digits), \
                     write the one that `ipdect-server init` made"
                )
            })
    }
}

/// The SHA-256 fingerprint of a certificate, written `sha256:` and 64 hexadecimal digits, colons allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no fingerprint, write sha256: and the 64 hexadecimal digits of the base station's certificate"
            )
        };
        let digits: Vec<u8> =
            text.strip_prefix("sha256:").ok_or_else(wrong)?.bytes().filter(|digit| *digit != b':').collect();
        let mut octets = [0; 32];
        if digits.len() != 64 {
            return Err(wrong());
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints() {
        let print = Fingerprint::of(b"certificate");
        let text = print.to_string();
        assert_eq!(Fingerprint::try_from(text.clone()), Ok(print));
        let colons: String =
            text.as_bytes()["sha256:".len()..].chunks(2).fold("sha256".to_owned(), |text, pair| {
                text + ":" + &String::from_utf8_lossy(pair).to_uppercase()
            });
        assert_eq!(Fingerprint::try_from(colons), Ok(print));
        for text in ["", "sha256:", "sha1:00", &text[..70], &text.replace('a', "x"), "sha256:é"] {
            assert!(Fingerprint::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn access_rights_identities() {
        let ari = AccessRightsIdentity::try_from("1f102f0e86".to_owned()).unwrap();
        assert_eq!(ari.octets(), [0x10, 0x2f, 0x0e, 0x86]);
        assert_eq!(ari.text(), "1f102f0e86");
        for text in
            ["1f002f0e86", "20102f0e86", "1f102f0e8", "1f1xxf0e86", "1f10000e86", "1f102f0000", "1f902f0e86"]
        {
            assert!(AccessRightsIdentity::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
