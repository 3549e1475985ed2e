//! Called party name.

use bytes::{BufMut as _, BytesMut};

use super::{Alphabet, Contents, Screening};
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The name of the called party.
///
/// EN 300 175-5 7.7.46
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CalledPartyName {
    /// Its alphabet.
    pub alphabet: Alphabet,
    /// Who gave it.
    pub screening: Screening,
    /// The name's octets.
    pub name: Octets<120>,
    /// The first name's octets.
    pub first_name: Octets<120>,
}

impl Contents for CalledPartyName {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let mut name = || {
            let length = usize::from(reader.octet()? & 0x7f);
            let octets = reader.octets(length)?;
            Octets::new(octets).map_err(|_| reader.broken(Rule::TooLong))
        };
        Ok(Self {
            alphabet: Alphabet::from_code(first >> 2 & 7),
            screening: Screening::from_code(first & 3),
            name: name()?,
            first_name: name()?,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8((self.alphabet.code() & 7) << 2 | self.screening.code() & 3);
        for name in [&self.name, &self.first_name] {
            contents.put_u8(0x80 | name.len() as u8);
            contents.put_slice(name);
        }
    }
}
