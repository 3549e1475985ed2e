//! CLMS-FIXED: a short message broadcast in sections of five octets.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::Octets;
use crate::error::{Error, Rule};
use crate::identity::{Tpui, TpuiKind};

/// A connectionless message of fixed length.
///
/// The first section has the low 16 bits of the connectionless identity, the protocol and the number of octets; up to
/// five sections of four octets follow, numbered in their header (the coding of header and length is inferred).
///
/// EN 300 175-5 8.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClmsFixed {
    /// What the data are: the protocols of IWU-TO-IWU.
    pub protocol: u8,
    /// The data.
    pub data: Octets<20>,
}

/// Marks the section with the address.
const ADDRESS: u8 = 0x08;
const SECTION: usize = 5;
const DATA: usize = SECTION - 1;

impl ClmsFixed {
    /// A message with these data, at most 20 octets.
    ///
    /// EN 300 175-5 8.3
    pub fn new(protocol: u8, data: &[u8]) -> Result<Self, Error> {
        Ok(Self { protocol, data: Octets::new(data)? })
    }

    /// Whether octets of a broadcast are one: pages have three or five octets.
    ///
    /// EN 300 175-5 8.1
    pub const fn is_one(octets: &[u8]) -> bool {
        octets.len() >= 2 * SECTION && octets.len().is_multiple_of(SECTION)
    }

    /// Writes the sections. A message without data has one empty section.
    ///
    /// EN 300 175-5 8.3
    pub fn to_bytes(&self, to: Tpui) -> Result<Bytes, Error> {
        if to.kind() != TpuiKind::ConnectionlessGroup {
            return Err(Error::Value(Rule::Range));
        }
        let mut octets = BytesMut::new();
        octets.put_u8(ADDRESS);
        octets.put_u16(to.value() as u16);
        octets.put_u8(self.protocol);
        octets.put_u8(self.data.len() as u8);
        for number in 0..self.data.len().div_ceil(DATA).max(1) {
            octets.put_u8(number as u8 & 7);
            let part = self.data.get(number * DATA..).unwrap_or_default();
            let part = part.get(..DATA).unwrap_or(part);
            octets.put_slice(part);
            octets.put_bytes(0, DATA - part.len());
        }
        Ok(octets.freeze())
    }

    /// Reads the sections: the message and the low 16 bits of the identity it is for.
    ///
    /// EN 300 175-5 8.3
    pub fn parse(octets: &[u8]) -> Result<(u16, Self), Error> {
        let wrong = |at, rule| Err(Error::Malformed { at, rule });
        let mut sections = octets.chunks(SECTION);
        let Some(&[first, high, low, protocol, length]) = sections.next() else {
            return wrong(octets.len(), Rule::PageLength);
        };
        if first & ADDRESS == 0 {
            return wrong(0, Rule::Reserved);
        }
        let mut data = Vec::with_capacity(20);
        for (number, section) in sections.enumerate() {
            let at = (number + 1) * SECTION;
            let &[header, ref part @ ..] = section else { return wrong(at, Rule::PageLength) };
            if part.len() != DATA {
                return wrong(octets.len(), Rule::PageLength);
            }
            if usize::from(header & 0xf) != number {
                return wrong(at, Rule::Reserved);
            }
            data.extend_from_slice(part);
        }
        let Some(data) = data.get(..usize::from(length)) else { return wrong(4, Rule::Truncated) };
        let data = Octets::new(data).map_err(|_| Error::Malformed { at: 4, rule: Rule::TooLong })?;
        Ok((u16::from_be_bytes([high, low]), Self { protocol, data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_every_length_are_read_as_written() {
        let to = Tpui::new(0xcc123).unwrap();
        for length in 0..=20 {
            let message = ClmsFixed::new(4, &vec![0x41; length]).unwrap();
            let octets = message.to_bytes(to).unwrap();
            assert!(ClmsFixed::is_one(&octets));
            assert_eq!(ClmsFixed::parse(&octets), Ok((0xc123, message)));
        }
        assert!(ClmsFixed::new(4, &[0; 21]).is_err());
        let message = ClmsFixed::new(4, b"hello").unwrap();
        assert_eq!(message.to_bytes(to).unwrap()[..], *b"\x08\xc1\x23\x04\x05\x00hell\x01o\0\0\0");
        assert!(message.to_bytes(Tpui::new(0x01234).unwrap()).is_err());
    }

    #[test]
    fn wrong_sections_are_named_by_their_place() {
        for (octets, at) in [
            (&b"\x08\xc1\x23\x04"[..], 4),
            (b"\x00\xc1\x23\x04\x05\x00hell", 0),
            (b"\x08\xc1\x23\x04\x05\x00hell\x03o\0\0\0", 10),
            (b"\x08\xc1\x23\x04\x09\x00hell", 4),
            (b"\x08\xc1\x23\x04\x05\x00hel", 9),
        ] {
            assert_eq!(ClmsFixed::parse(octets).unwrap_err().at(), Some(at), "{octets:02x?}");
        }
    }
}
