//! Call attributes: how the DECT side carries a call.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The attributes of a call on the radio side.
///
/// EN 300 175-5 7.7.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallAttributes {
    /// Attributes of the network layer (five bits): 1 basic speech.
    pub network: u8,
    /// The class of the C-plane link (three bits): 2 class A shared, 4 class B shared, 5 class B independent.
    pub c_plane_class: u8,
    /// The C-plane routing (four bits): 0 CS only, 1 CS preferred, 2 CF preferred, 4 CF only.
    pub c_plane_routing: u8,
    /// The U-plane: service, class and frame type as octet groups.
    pub u_plane: Octets<16>,
}

impl CallAttributes {
    /// What basic speech stands for: class A shared, CS only, LU1 symmetric, minimum delay.
    ///
    /// EN 300 175-5 annex E
    pub fn basic_speech() -> Self {
        Self { network: 1, c_plane_class: 2, c_plane_routing: 0, u_plane: Octets::cut(&[0x81, 0x81]) }
    }
}

impl Contents for CallAttributes {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let [first, second] = reader.array()?;
        Ok(Self {
            network: first & 0x1f,
            c_plane_class: second >> 4 & 7,
            c_plane_routing: second & 0xf,
            u_plane: Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | self.network & 0x1f);
        contents.put_u8(0x80 | (self.c_plane_class & 7) << 4 | self.c_plane_routing & 0xf);
        contents.put_slice(&self.u_plane);
    }
}
