//! Session parameters of a key line.

use core::fmt;

use zeroize::Zeroizing;

use crate::error::Rule;

/// A session parameter behind the keys of an `a=crypto` line.
///
/// RFC 4568 6.3
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionParameter {
    /// Keys are derived anew every 2^n packets, n from 1 to 24.
    Kdr(u8),
    /// RTP payloads are not encrypted.
    UnencryptedSrtp,
    /// RTCP packets are not encrypted.
    UnencryptedSrtcp,
    /// RTP packets carry no tag.
    UnauthenticatedSrtp,
    /// Order of forward error correction and SRTP, as sent.
    FecOrder(String),
    /// Keys of a separate stream of forward error correction, as sent; wiped on drop.
    FecKey(Zeroizing<String>),
    /// The sender hints at a replay list of this many packets.
    Wsh(u32),
    /// An optional extension, without its minus sign.
    Optional(String),
    /// A mandatory extension; its line cannot be used.
    Mandatory(String),
}

impl SessionParameter {
    /// Reads one parameter; names without regard to case, as some senders write them small.
    ///
    /// RFC 4568 9.2
    pub fn parse(text: &str) -> Result<Self, Rule> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let number = |limit: u32| {
            value
                .filter(|v| !v.is_empty() && v.len() <= 9 && !v.starts_with('0'))
                .filter(|v| v.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|v| v.parse::<u32>().ok())
                .filter(|v| *v <= limit)
                .ok_or(Rule::SessionParameter)
        };
        let flag =
            |parameter: Self| if value.is_none() { Ok(parameter) } else { Err(Rule::SessionParameter) };
        match name.to_ascii_uppercase().as_str() {
            "KDR" => number(24).map(|n| Self::Kdr(n as u8)),
            "UNENCRYPTED_SRTP" => flag(Self::UnencryptedSrtp),
            "UNENCRYPTED_SRTCP" => flag(Self::UnencryptedSrtcp),
            "UNAUTHENTICATED_SRTP" => flag(Self::UnauthenticatedSrtp),
            "FEC_ORDER" => value.map(|v| Self::FecOrder(v.into())).ok_or(Rule::SessionParameter),
            "FEC_KEY" => value.map(|v| Self::FecKey(Zeroizing::new(v.into()))).ok_or(Rule::SessionParameter),
            "WSH" => number(u32::MAX)
                .and_then(|n| if n >= 64 { Ok(Self::Wsh(n)) } else { Err(Rule::SessionParameter) }),
            _ => match text.strip_prefix('-') {
                Some("") => Err(Rule::SessionParameter),
                Some(extension) => Ok(Self::Optional(extension.into())),
                None => Ok(Self::Mandatory(text.into())),
            },
        }
    }

    /// Whether an answer must repeat the parameter and may not add it.
    ///
    /// RFC 4568 7.1.2
    pub const fn is_negotiated(&self) -> bool {
        matches!(self, Self::UnencryptedSrtp | Self::UnencryptedSrtcp | Self::UnauthenticatedSrtp)
    }

    /// Whether two parameters are the same one, whatever their values.
    pub(crate) fn same_name(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Optional(_) | Self::Mandatory(_), _) => false,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

impl fmt::Display for SessionParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kdr(n) => write!(f, "KDR={n}"),
            Self::UnencryptedSrtp => f.write_str("UNENCRYPTED_SRTP"),
            Self::UnencryptedSrtcp => f.write_str("UNENCRYPTED_SRTCP"),
            Self::UnauthenticatedSrtp => f.write_str("UNAUTHENTICATED_SRTP"),
            Self::FecOrder(order) => write!(f, "FEC_ORDER={order}"),
            Self::FecKey(keys) => write!(f, "FEC_KEY={}", keys.as_str()),
            Self::Wsh(size) => write!(f, "WSH={size}"),
            Self::Optional(extension) => write!(f, "-{extension}"),
            Self::Mandatory(extension) => f.write_str(extension),
        }
    }
}

impl fmt::Debug for SessionParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FecKey(_) => f.write_str("FEC_KEY"),
            other => fmt::Display::fmt(other, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_repeated_as_they_stood() {
        for text in [
            "KDR=1",
            "KDR=24",
            "UNENCRYPTED_SRTP",
            "UNENCRYPTED_SRTCP",
            "UNAUTHENTICATED_SRTP",
            "FEC_ORDER=FEC_SRTP",
            "FEC_KEY=inline:AAAA",
            "WSH=64",
            "-X-thing=3",
            "NEW_THING",
        ] {
            assert_eq!(SessionParameter::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(SessionParameter::parse("kdr=3"), Ok(SessionParameter::Kdr(3)));
    }

    #[test]
    fn impossible_values_are_refused() {
        for text in [
            "KDR=0",
            "KDR=25",
            "KDR=01",
            "KDR",
            "KDR=",
            "WSH=63",
            "WSH=-1",
            "WSH=064",
            "UNENCRYPTED_SRTP=1",
            "-",
            "FEC_KEY",
        ] {
            assert_eq!(SessionParameter::parse(text), Err(Rule::SessionParameter), "{text}");
        }
    }

    #[test]
    fn keys_of_error_correction_stay_secret() {
        let parameter = SessionParameter::parse("FEC_KEY=inline:secret").unwrap();
        assert_eq!(format!("{parameter:?}"), "FEC_KEY");
    }
}
