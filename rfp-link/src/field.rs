//! Reading and writing the fields of a frame: numbers, octet strings, texts and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

use crate::error::{Error, Rule};

/// Most octets of a network layer message (SDU) in one frame.
pub(crate) const SDU_LIMIT: usize = 2048;

/// A cursor over the body of one frame. Every error says at which octet it happened.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let taken =
            rest.get(..count).ok_or(Error::Malformed { at: self.body.len(), rule: Rule::FieldMissing })?;
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let taken = self.take(N)?;
        <[u8; N]>::try_from(taken).map_err(|_| Error::Malformed { at: self.at, rule: Rule::FieldMissing })
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// One octet that `known` must recognise.
    pub(crate) fn code<T>(&mut self, known: impl Fn(u8) -> Option<T>) -> Result<T, Error> {
        let at = self.at;
        known(self.u8()?).ok_or(Error::Malformed { at, rule: Rule::UnknownValue })
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        self.code(|octet| match octet {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })
    }

    /// Octets with a 16-bit length, at most [`SDU_LIMIT`].
    pub(crate) fn octets(&mut self) -> Result<Bytes, Error> {
        let at = self.at;
        let length = usize::from(self.u16()?);
        if length > SDU_LIMIT {
            return Err(Error::Malformed { at, rule: Rule::FieldLength });
        }
        self.take(length).map(Bytes::copy_from_slice)
    }

    /// Text with an 8-bit length, at most `limit` octets.
    pub(crate) fn text(&mut self, limit: usize) -> Result<String, Error> {
        let at = self.at;
        let length = usize::from(self.u8()?);
        if length > limit {
            return Err(Error::Malformed { at, rule: Rule::FieldLength });
        }
        let octets = self.take(length)?;
        let text = core::str::from_utf8(octets).map_err(|_| Error::Malformed { at, rule: Rule::Text })?;
        if text.chars().any(char::is_control) {
            return Err(Error::Malformed { at, rule: Rule::Text });
        }
        Ok(text.to_owned())
    }

    pub(crate) fn address(&mut self) -> Result<SocketAddr, Error> {
        let at = self.at;
        let ip = match self.u8()? {
            4 => IpAddr::V4(Ipv4Addr::from(self.array::<4>()?)),
            6 => IpAddr::V6(Ipv6Addr::from(self.array::<16>()?)),
            _ => return Err(Error::Malformed { at, rule: Rule::UnknownValue }),
        };
        Ok(SocketAddr::new(ip, self.u16()?))
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Nothing may be left, unless the peer is newer and may have appended fields.
    pub(crate) fn end(&self, extensions: Extensions) -> Result<(), Error> {
        if self.at == self.body.len() || extensions == Extensions::Skipped {
            Ok(())
        } else {
            Err(Error::Malformed { at: self.at, rule: Rule::OctetsLeft })
        }
    }
}

/// What to do with message types and trailing fields that this edition does not know.
///
/// docs/radio-link.md 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extensions {
    /// The peer is of our edition or older: what we do not know is an error.
    Refused,
    /// The peer is newer within the same version: what we do not know is skipped.
    Skipped,
}

pub(crate) fn put_octets(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), Error> {
    if octets.len() > SDU_LIMIT {
        return Err(Error::Unsendable(Rule::FieldLength));
    }
    out.extend_from_slice(&(octets.len() as u16).to_be_bytes());
    out.extend_from_slice(octets);
    Ok(())
}

/// Writes text of at most `limit` (< 256) octets: longer text is cut on a character boundary, control characters become
/// blanks.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str, limit: usize) {
    let text = fitting(text, limit);
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// The text as it travels: cut on a character boundary, control characters turned into blanks.
pub(crate) fn fitting(text: &str, limit: usize) -> String {
    let mut fitted = String::new();
    for character in text.chars() {
        if fitted.len() + character.len_utf8() > limit {
            break;
        }
        fitted.push(if character.is_control() { ' ' } else { character });
        // A control character beyond ASCII becomes one octet; it never grows.
    }
    fitted
}

pub(crate) fn put_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(6);
            out.extend_from_slice(&ip.octets());
        }
    }
    out.extend_from_slice(&address.port().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(fitting("Bürgermeister", 2), "B");
        assert_eq!(fitting("Bürgermeister", 3), "Bü");
        assert_eq!(fitting("a\r\nb", 64), "a  b");
    }

    #[test]
    fn text_with_control_characters_or_broken_utf8_is_refused() {
        for body in [&[2, b'a', 0x0a][..], &[1, 0xff], &[2, 0xc3]] {
            let result = Reader::new(body).text(64);
            assert!(matches!(result, Err(Error::Malformed { .. })), "{body:?} gave {result:?}");
        }
        assert_eq!(Reader::new(&[3, b'a', 0xc3, 0xbc]).text(64).as_deref(), Ok("aü"));
    }

    #[test]
    fn a_field_beyond_the_end_names_the_end() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u16(), Ok(0x0102));
        assert_eq!(reader.u16(), Err(Error::Malformed { at: 3, rule: Rule::FieldMissing }));
    }

    #[test]
    fn an_octet_string_longer_than_its_bound_is_refused_before_it_is_read() {
        let body = [0x08, 0x01, 0, 0];
        assert_eq!(Reader::new(&body).octets(), Err(Error::Malformed { at: 0, rule: Rule::FieldLength }));
    }
}
