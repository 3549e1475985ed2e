//! Portable identity: who the portable part is.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::Reader,
    error::{Error, Rule},
    identity::{Ipei, Ipui, Tpui},
};

/// The identity of a portable part or its user.
///
/// "No new temporary identity" in LOCATE-ACCEPT is the element without contents,
/// [`InformationElement::Empty`](super::InformationElement::Empty).
///
/// EN 300 175-5 7.7.30
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum PortableIdentity {
    /// The user's identity.
    Ipui(Ipui),
    /// The equipment's identity.
    Ipei(Ipei),
    /// A temporary identity.
    Tpui(Tpui),
    /// A temporary identity that has a number assigned.
    TpuiWithNumber(Tpui),
}

const IPUI: u8 = 0x00;
const IPEI: u8 = 0x10;
const TPUI: u8 = 0x20;
const IPEI_BITS: u8 = 40;
const TPUI_BITS: u8 = 20;

impl Contents for PortableIdentity {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let kind = reader.octet()? & 0x7f;
        let bits = reader.octet()? & 0x7f;
        let wrong = |rule| Error::Malformed { at: 2, rule };
        let octets = if kind == TPUI { 3 } else { usize::from(bits.div_ceil(8)) };
        if octets > 16 {
            return Err(wrong(Rule::IdentityLength));
        }
        let value =
            reader.octets(octets)?.iter().fold(0_u128, |value, octet| value << 8 | u128::from(*octet));
        // Surplus bits of the last octet are filler.
        let value =
            if kind == TPUI || octets == 0 { value } else { value >> (8 * octets - usize::from(bits)) };
        let named = |error| match error {
            Error::Value(rule) => wrong(rule),
            other => other,
        };
        match kind {
            IPUI => Ipui::from_bits(bits, value).map(Self::Ipui).map_err(named),
            IPEI if bits == IPEI_BITS && value >> 36 == 0 => {
                Ipei::from_bits(value as u64).map(Self::Ipei).map_err(named)
            }
            IPEI => Err(wrong(Rule::IdentityLength)),
            TPUI if bits != TPUI_BITS => Err(wrong(Rule::IdentityLength)),
            TPUI => {
                let tpui = Tpui::new(value as u32 & 0xf_ffff).map_err(named)?;
                match value >> 20 {
                    0 => Ok(Self::Tpui(tpui)),
                    1 => Ok(Self::TpuiWithNumber(tpui)),
                    _ => Err(wrong(Rule::Reserved)),
                }
            }
            _ => Err(Error::Malformed { at: 0, rule: Rule::Reserved }),
        }
    }

    fn emit(&self, contents: &mut BytesMut) {
        match self {
            Self::Ipui(ipui) => {
                let count = ipui.bit_count();
                let octets = usize::from(count.div_ceil(8));
                let surplus = 8 * octets as u32 - u32::from(count);
                let decimal = matches!(ipui, Ipui::Q(_) | Ipui::R(_) | Ipui::S(_) | Ipui::T(..) | Ipui::U(_));
                let filler = if decimal { (1_u128 << surplus) - 1 } else { 0 };
                contents.put_slice(&[0x80 | IPUI, 0x80 | count]);
                contents.put_uint_128(ipui.bits() << surplus | filler, octets);
            }
            Self::Ipei(ipei) => {
                contents.put_slice(&[0x80 | IPEI, 0x80 | IPEI_BITS]);
                contents.put_uint(ipei.bits(), 5);
            }
            Self::Tpui(tpui) => {
                contents.put_slice(&[0x80 | TPUI, 0x80 | TPUI_BITS]);
                contents.put_uint(u64::from(tpui.value()), 3);
            }
            Self::TpuiWithNumber(tpui) => {
                contents.put_slice(&[0x80 | TPUI, 0x80 | TPUI_BITS]);
                contents.put_uint(u64::from(1 << 20 | tpui.value()), 3);
            }
        }
    }
}

/// Numbers of up to sixteen octets.
trait PutUint128 {
    fn put_uint_128(&mut self, value: u128, octets: usize);
}

impl PutUint128 for BytesMut {
    fn put_uint_128(&mut self, value: u128, octets: usize) {
        let all = value.to_be_bytes();
        self.put_slice(all.get(16 - octets.min(16)..).unwrap_or(&all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], identity: PortableIdentity) {
        assert_eq!(PortableIdentity::parse(octets), Ok(identity));
        let mut written = BytesMut::new();
        identity.emit(&mut written);
        assert_eq!(written, octets);
    }

    #[test]
    fn temporary_and_equipment_identities_have_fixed_lengths() {
        check(&[0xa0, 0x94, 0x00, 0x10, 0x01], PortableIdentity::Tpui(Tpui::new(0x1001).unwrap()));
        check(&[0xa0, 0x94, 0x10, 0x10, 0x01], PortableIdentity::TpuiWithNumber(Tpui::new(0x1001).unwrap()));
        let ipei = Ipei::new(5003, 70387).unwrap();
        check(&[0x90, 0xa8, 0x01, 0x38, 0xb1, 0x12, 0xf3], PortableIdentity::Ipei(ipei));
        for (octets, at, rule) in [
            (&[0xa0, 0x93, 0, 0x10, 1][..], 2, Rule::IdentityLength),
            (&[0xa0, 0x94, 0x20, 0x10, 1], 2, Rule::Reserved),
            (&[0xa0, 0x94, 0x20, 0x10], 2, Rule::Truncated),
            (&[0x90, 0xa8, 0x11, 0x38, 0xb1, 0x12, 0xf3], 2, Rule::IdentityLength),
            (&[0x80, 0xff], 2, Rule::Truncated),
            (&[0xb0, 0x80], 0, Rule::Reserved),
            (&[0xb0], 1, Rule::Truncated),
        ] {
            assert_eq!(PortableIdentity::parse(octets), Err(Error::Malformed { at, rule }), "{octets:x?}");
        }
    }

    #[test]
    fn an_even_number_of_digits_is_filled_with_ones() {
        check(&[0x80, 0x94, 0x52, 0x00, 0x2f], PortableIdentity::Ipui("S 2002".parse().unwrap()));
        check(
            &[0x80, 0xa4, 0x21, 0x23, 0x4b, 0xee, 0xf0],
            PortableIdentity::Ipui("P 1234 beef/16".parse().unwrap()),
        );
    }
}
