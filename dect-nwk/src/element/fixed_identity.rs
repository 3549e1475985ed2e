//! Fixed identity: which fixed part.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::{Error, Rule},
    identity::{Ari, Park},
};

coded! {
    /// What a fixed identity holds.
    ///
    /// EN 300 175-5 7.7.18
    FixedIdentityType {
        /// Access rights identity.
        Ari = 0x00,
        /// Access rights identity and radio part number.
        AriAndRpn = 0x01,
        /// The same of a wireless relay station.
        AriAndRpnOfRelay = 0x02,
        /// Portable access rights key.
        Park = 0x20,
    }
}

/// The identity of a fixed part.
///
/// Equipment is free with the type: keys arrive where the standard has identities, and the bit in front may be a copy
/// of the radio identity's E bit. So look with [`ari`](Self::ari) and [`is_for`](Self::is_for), whatever the type.
///
/// EN 300 175-5 7.7.18
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FixedIdentity {
    /// What it holds.
    pub kind: FixedIdentityType,
    /// The bit before the identity: zero in the standard, the radio identity's E bit from some equipment.
    pub leading_bit: bool,
    /// How many bits follow the leading bit.
    bits: u8,
    /// Those bits.
    value: u64,
}

impl FixedIdentity {
    /// An access rights identity.
    ///
    /// EN 300 175-5 7.7.18
    pub const fn ari_only(ari: Ari) -> Self {
        Self { kind: FixedIdentityType::Ari, leading_bit: false, bits: ari.bit_count(), value: ari.bits() }
    }

    /// An access rights identity with the number of a radio part.
    ///
    /// EN 300 175-5 7.7.18
    pub fn ari_and_rpn(ari: Ari, rpn: u8) -> Self {
        let mask = (1 << ari.rpn_bits()) - 1;
        let value = ari.bits() << ari.rpn_bits() | u64::from(rpn) & mask;
        Self { kind: FixedIdentityType::AriAndRpn, leading_bit: false, bits: 39, value }
    }

    /// A portable access rights key.
    ///
    /// EN 300 175-5 7.7.18
    pub const fn park(park: Park) -> Self {
        Self { kind: FixedIdentityType::Park, leading_bit: false, bits: park.pli(), value: park.bits() }
    }

    /// The access rights identity in it, whatever the type says.
    ///
    /// EN 300 175-5 7.7.18
    pub fn ari(&self) -> Option<Ari> {
        let count = match self.bits {
            31 => 31,
            36..=38 => 36,
            39 if self.value >> 36 == 0 => 36,
            32..=35 | 39 => 31,
            _ => return None,
        };
        Ari::from_bits(count, self.value >> (self.bits - count)).ok()
    }

    /// The radio part number, if the type has one.
    ///
    /// EN 300 175-5 7.7.18
    pub fn rpn(&self) -> Option<u8> {
        let wanted = matches!(self.kind, FixedIdentityType::AriAndRpn | FixedIdentityType::AriAndRpnOfRelay);
        let ari = self.ari().filter(|_| wanted && self.bits == 39)?;
        Some((self.value & ((1 << ari.rpn_bits()) - 1)) as u8)
    }

    /// The portable access rights key in it, if the type is that of a key.
    ///
    /// EN 300 175-5 7.7.18
    pub fn key(&self) -> Option<Park> {
        if self.kind == FixedIdentityType::Park { Park::from_bits(self.bits, self.value).ok() } else { None }
    }

    /// Whether it names or admits this access rights identity.
    ///
    /// EN 300 175-6 6.1
    pub fn is_for(&self, ari: Ari) -> bool {
        self.ari() == Some(ari) || self.key().is_some_and(|park| park.admits(ari))
    }
}

impl Contents for FixedIdentity {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let kind = FixedIdentityType::from_code(reader.octet()? & 0x7f);
        let count = reader.octet()? & 0x7f;
        if matches!(kind, FixedIdentityType::Reserved(_)) {
            return Err(Error::Malformed { at: 0, rule: Rule::Reserved });
        }
        if !(1..=64).contains(&count) {
            return Err(Error::Malformed { at: 1, rule: Rule::IdentityLength });
        }
        let octets = count.div_ceil(8);
        let value = reader
            .octets(usize::from(octets))?
            .iter()
            .fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
        let value = value >> (8 * octets - count);
        let bits = count - 1;
        Ok(Self { kind, leading_bit: value >> bits != 0, bits, value: value & ((1 << bits) - 1) })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let count = self.bits.min(63) + 1;
        let octets = count.div_ceil(8);
        contents.put_slice(&[0x80 | self.kind.code(), 0x80 | count]);
        let value = u64::from(self.leading_bit) << self.bits.min(63) | self.value;
        contents.put_uint(value << (8 * octets - count), usize::from(octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ari() -> Ari {
        Ari::class_b(0x1234, 0x567).unwrap()
    }

    fn check(octets: &[u8], identity: FixedIdentity) {
        assert_eq!(FixedIdentity::parse(octets), Ok(identity));
        let mut written = BytesMut::new();
        identity.emit(&mut written);
        assert_eq!(written, octets);
    }

    #[test]
    fn the_types_hold_identity_number_and_key() {
        check(&[0x80, 0xa0, 0x11, 0x23, 0x45, 0x67], FixedIdentity::ari_only(ari()));
        check(&[0x81, 0xa8, 0x11, 0x23, 0x45, 0x67, 0x05], FixedIdentity::ari_and_rpn(ari(), 5));
        check(&[0xa0, 0xa0, 0x11, 0x23, 0x45, 0x67], FixedIdentity::park(Park::of(ari())));
        let class_a = Ari::class_a(0x1234, 0x567).unwrap();
        check(&[0x80, 0xa5, 0x01, 0x23, 0x40, 0x2b, 0x38], FixedIdentity::ari_only(class_a));
        check(&[0x81, 0xa8, 0x01, 0x23, 0x40, 0x2b, 0x3d], FixedIdentity::ari_and_rpn(class_a, 5));
        assert_eq!(FixedIdentity::ari_and_rpn(class_a, 5).ari(), Some(class_a));
        assert_eq!(FixedIdentity::ari_and_rpn(ari(), 5).rpn(), Some(5));
    }

    #[test]
    fn a_copied_e_bit_and_a_key_in_the_place_of_an_identity_are_understood() {
        let with_e_bit = FixedIdentity::parse(&[0x81, 0xa8, 0x91, 0x23, 0x45, 0x67, 0x05]).unwrap();
        assert!(with_e_bit.leading_bit && with_e_bit.is_for(ari()));
        assert!(FixedIdentity::park(Park::of(ari())).is_for(ari()));
        assert!(FixedIdentity::park(Park::new(ari(), 20).unwrap()).is_for(ari()));
        assert!(!FixedIdentity::ari_only(Ari::class_b(0x1234, 0x568).unwrap()).is_for(ari()));
    }

    #[test]
    fn impossible_lengths_are_refused() {
        assert_eq!(
            FixedIdentity::parse(&[0x80, 0x80]),
            Err(Error::Malformed { at: 1, rule: Rule::IdentityLength })
        );
        assert_eq!(
            FixedIdentity::parse(&[0x80, 0xa0, 1, 2, 3]),
            Err(Error::Malformed { at: 2, rule: Rule::Truncated })
        );
        assert_eq!(
            FixedIdentity::parse(&[0x83, 0xa0, 1, 2, 3, 4]),
            Err(Error::Malformed { at: 0, rule: Rule::Reserved })
        );
    }
}
