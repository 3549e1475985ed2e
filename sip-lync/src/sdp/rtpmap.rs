//! `a=rtpmap:` and `a=fmtp:`: what a payload type stands for.

use core::fmt;

use crate::error::{ParseError, Rule};

/// A payload type's encoding.
///
/// RFC 8866 6.6
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RtpMap {
    /// The payload type.
    pub payload_type: u8,
    /// The encoding, compared without case.
    pub encoding: String,
    /// The clock rate.
    pub clock_rate: u32,
    /// The channels, if they are given.
    pub channels: Option<u8>,
}

impl RtpMap {
    /// A map without channels.
    ///
    /// RFC 8866 6.6
    pub fn new(payload_type: u8, encoding: &str, clock_rate: u32) -> Self {
        Self { payload_type, encoding: encoding.to_owned(), clock_rate, channels: None }
    }

    /// Reads the value of `a=rtpmap:`.
    ///
    /// RFC 8866 6.6
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let error = ParseError::new(0, Rule::SdpAttribute);
        let Some((payload_type, rest)) = text.trim().split_once([' ', '\t']) else { return Err(error) };
        let mut parts = rest.trim().split('/');
        let encoding = parts.next().filter(|encoding| !encoding.is_empty());
        let channels = |text: &str| text.parse().map_err(|_| error.clone());
        match (payload_type.parse(), encoding, parts.next().map(str::parse)) {
            (Ok(payload_type), Some(encoding), Some(Ok(clock_rate))) => Ok(Self {
                payload_type,
                encoding: encoding.to_owned(),
                clock_rate,
                channels: parts.next().map(channels).transpose()?,
            }),
            _ => Err(error),
        }
    }

    /// The encoding of a payload type that needs no map.
    ///
    /// RFC 3551 6
    pub fn of_static(payload_type: u8) -> Option<Self> {
        let (encoding, clock_rate) = match payload_type {
            0 => ("PCMU", 8000),
            3 => ("GSM", 8000),
            4 => ("G723", 8000),
            5 => ("DVI4", 8000),
            6 => ("DVI4", 16000),
            8 => ("PCMA", 8000),
            9 => ("G722", 8000),
            13 => ("CN", 8000),
            14 => ("MPA", 90000),
            15 => ("G728", 8000),
            18 => ("G729", 8000),
            31 => ("H261", 90000),
            34 => ("H263", 90000),
            _ => return None,
        };
        Some(Self::new(payload_type, encoding, clock_rate))
    }

    /// Whether it is this encoding at this clock rate, with one channel.
    ///
    /// RFC 8866 6.6
    pub fn is(&self, encoding: &str, clock_rate: u32) -> bool {
        self.encoding.eq_ignore_ascii_case(encoding)
            && self.clock_rate == clock_rate
            && self.channels.unwrap_or(1) == 1
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_rate)?;
        match self.channels {
            Some(channels) => write!(f, "/{channels}"),
            None => Ok(()),
        }
    }
}

/// A format of an `m=` line, with what the attributes say about it.
///
/// RFC 8866 5.14
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Format {
    /// The format as it stands on the line.
    pub name: String,
    /// The encoding, from `a=rtpmap:` or from the table of static payload types.
    pub map: Option<RtpMap>,
    /// The parameters of `a=fmtp:`.
    pub parameters: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_clock_and_channels_are_read() {
        let map = RtpMap::parse("117 G722/8000/2").unwrap();
        assert_eq!((map.payload_type, map.channels), (117, Some(2)));
        assert!(!map.is("G722", 8000));
        assert!(RtpMap::parse("8 pcma/8000").unwrap().is("PCMA", 8000));
        assert_eq!(map.to_string(), "117 G722/8000/2");
        for text in ["", "31 LPC", "x PCMA/8000", "8 /8000", "256 A/8000", "8 A/x", "8 A/1/x"] {
            assert!(RtpMap::parse(text).is_err(), "{text}");
        }
    }
}
