//! Contact.

use core::fmt;

use super::name_addr::NameAddr;
use crate::error::{ParseError, Rule};
use crate::grammar;
use crate::uri::SipUri;

/// One value of Contact.
///
/// RFC 3261 20.10
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Contact {
    /// `*`: all bindings, to be removed.
    All,
    /// An address.
    Address(NameAddr),
}

impl Contact {
    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if grammar::trim(text) == "*" { Ok(Self::All) } else { NameAddr::parse(text).map(Self::Address) }
    }

    /// The address, unless it is `*`.
    ///
    /// RFC 3261 20.10
    pub const fn address(&self) -> Option<&NameAddr> {
        if let Self::Address(address) = self { Some(address) } else { None }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.address().and_then(|address| address.parameters.get(name))
    }

    /// Seconds the binding lasts; what exceeds 32 bits becomes the largest value.
    ///
    /// RFC 3261 20.10
    pub fn expires(&self) -> Option<u32> {
        self.parameter("expires").and_then(|text| grammar::saturating_number(text).ok())
    }

    /// The preference in thousandths.
    ///
    /// RFC 3261 20.10
    pub fn q(&self) -> Result<Option<u16>, ParseError> {
        self.parameter("q").map(quality).transpose()
    }

    /// The instance of the device: the URN in `+sip.instance`, without quotes and brackets.
    ///
    /// RFC 5626 4.1
    pub fn instance(&self) -> Option<String> {
        let value = self.address()?.parameters.unquoted("+sip.instance")?;
        Some(value.trim_start_matches('<').trim_end_matches('>').to_owned())
    }

    /// The UUID in `+sip.instance`, in lower case: servers send it back in other letters than it was sent to them.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn instance_uuid(&self) -> Option<String> {
        let urn = self.instance()?.to_ascii_lowercase();
        urn.strip_prefix("urn:uuid:").map(str::to_owned)
    }

    /// The GRUU the registrar gave: the `gruu` parameter of the header field, or `pub-gruu`.
    ///
    /// MS-SIPRE 2.2.3, RFC 5627 4.2
    pub fn gruu(&self) -> Option<SipUri> {
        let parameters = &self.address()?.parameters;
        let text = parameters.unquoted("gruu").or_else(|| parameters.unquoted("pub-gruu"))?;
        SipUri::parse(&text).ok()
    }

    /// Whether the sender renders no media: hold in the Lync dialect.
    ///
    /// RFC 4235 5.2, MS-SDPEXT 3.1.5.23
    pub fn renders(&self) -> Option<bool> {
        let value = self.address()?.parameters.unquoted("+sip.rendering")?;
        match value.to_ascii_lowercase().as_str() {
            "no" => Some(false),
            "yes" => Some(true),
            _ => None,
        }
    }
}

/// `0` to `1` with at most three digits behind the point, in thousandths.
pub(crate) fn quality(text: &str) -> Result<u16, ParseError> {
    let error = ParseError::new(0, Rule::Quality);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    if !digits || !matches!(whole, "0" | "1" | "") || (whole.is_empty() && fraction.is_empty()) {
        return Err(error);
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().map_err(|_| error.clone())?;
    let value = thousandths + if whole == "1" { 1000 } else { 0 };
    if value > 1000 { Err(error) } else { Ok(value) }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl From<NameAddr> for Contact {
    fn from(address: NameAddr) -> Self {
        Self::Address(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gruu_of_a_lync_contact_is_read() {
        let contact = Contact::parse(concat!(
            "<sip:192.0.2.10:40001;transport=tls;ms-opaque=5c0f;ms-received-cid=2AB00>;expires=7200;",
            "+sip.instance=\"<urn:uuid:4B1682A8-f968-5701-83fc-7c6741dc6697>\";",
            "gruu=\"sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu\"",
        ))
        .unwrap();
        assert_eq!(contact.expires(), Some(7200));
        assert_eq!(contact.instance_uuid().as_deref(), Some("4b1682a8-f968-5701-83fc-7c6741dc6697"));
        let gruu = contact.gruu().unwrap();
        assert!(gruu.is_gruu());
        assert_eq!(gruu.opaque(), Some("user:epid:qIIWS2j5AVeD_HxnQdxmlwAA"));
    }

    #[test]
    fn quoted_methods_and_flags_are_parameters() {
        let contact = Contact::parse(
            "<sip:a@b>;methods=\"INVITE, MESSAGE\";proxy=replace;text;audio;+sip.rendering=\"no\"",
        )
        .unwrap();
        let address = contact.address().unwrap();
        assert_eq!(address.parameters.unquoted("methods").as_deref(), Some("INVITE, MESSAGE"));
        assert!(address.parameters.contains("audio"));
        assert_eq!(contact.renders(), Some(false));
        assert_eq!(Contact::parse(" * "), Ok(Contact::All));
    }

    #[test]
    fn quality_has_three_digits() {
        assert_eq!(quality("0.33"), Ok(330));
        assert_eq!(quality("1"), Ok(1000));
        assert_eq!(quality("1.000"), Ok(1000));
        assert_eq!(quality(".5"), Ok(500));
        for text in ["", ".", "1.001", "2", "0.1234", "0,5", "-1", "0.x"] {
            assert!(quality(text).is_err(), "{text}");
        }
    }
}
