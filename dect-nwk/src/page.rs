//! B-format messages: paging.

use bytes::{BufMut as _, BytesMut};

use crate::{
    coding::coded,
    element::SlotType,
    error::{Error, Rule},
    identity::{Ipui, PortableUserType, Tpui},
};

coded! {
    /// What a page is for.
    ///
    /// EN 300 175-5 8.2.1
    PageHeader {
        /// No U-plane: mobility management, supplementary services, lists, messages.
        NoUPlane = 0,
        /// Ringing without a link.
        Ringing = 1,
        /// Escape.
        Escape = 2,
        /// General purpose, the service is negotiated.
        GeneralPurpose = 3,
        /// Voice with minimum delay.
        Voice = 4,
        /// Auxiliary.
        Auxiliary = 5,
        /// Set-up of a packet radio service.
        PacketSetup = 6,
        /// Resumption of a packet radio service.
        PacketResume = 7,
    }
}

coded! {
    /// How a portable part shall ring without a link.
    ///
    /// EN 300 175-5 8.2.4.4
    RingPattern {
        /// Pattern 0.
        Pattern0 = 0x0,
        /// Pattern 1.
        Pattern1 = 0x1,
        /// Pattern 2.
        Pattern2 = 0x2,
        /// Pattern 3.
        Pattern3 = 0x3,
        /// Pattern 4.
        Pattern4 = 0x4,
        /// Pattern 5.
        Pattern5 = 0x5,
        /// Pattern 6.
        Pattern6 = 0x6,
        /// Pattern 7.
        Pattern7 = 0x7,
        /// Continuous ringing.
        Continuous = 0x8,
        /// The fixed part released the call.
        Released = 0xa,
        /// The call was answered elsewhere.
        AnsweredElsewhere = 0xb,
        /// Off.
        Off = 0xf,
    }
}

coded! {
    /// Which set-up of the connection is wanted.
    ///
    /// EN 300 175-5 8.2.4.6
    SetupInfo {
        /// The default.
        Default = 0,
        /// Basic connection control, attributes optional.
        Basic = 1,
        /// Basic connection control with attributes.
        BasicWithAttributes = 2,
        /// Advanced connection control.
        Advanced = 3,
        /// In the B-field, first form.
        BField = 4,
        /// In the B-field, second form.
        BFieldDouble = 5,
    }
}

/// Whom a page of three octets is for.
///
/// EN 300 175-5 8.2.1, 8.2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum ShortAddress {
    /// The lowest 16 bits of the assigned temporary identity.
    Assigned(u16),
    /// The lowest 16 bits of the default temporary identity, which are those of the user identity.
    Default(u16),
    /// Ringing: groups in a mask of 12 bits.
    RingMask(RingPattern, u16),
    /// Ringing: the lowest 12 bits of a connectionless group identity; FFF is everyone.
    RingGroup(RingPattern, u16),
}

/// Whom a page of five octets is for.
///
/// EN 300 175-5 8.2.2, 8.2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum FullAddress {
    /// The assigned temporary identity.
    Assigned(Tpui),
    /// Ringing: groups in a mask of 16 bits.
    RingMask(RingPattern, u16),
    /// Ringing: the lowest 16 bits of a connectionless group identity.
    RingGroup(RingPattern, u16),
}

/// A paging message.
///
/// The first four bits belong to the medium access layer; they are ignored when read and written as zero.
///
/// EN 300 175-5 8.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Page {
    /// Three octets.
    Short {
        /// What it is for.
        header: PageHeader,
        /// Whom it is for.
        address: ShortAddress,
    },
    /// Five octets with a temporary identity.
    Full {
        /// What it is for.
        header: PageHeader,
        /// Whom it is for.
        address: FullAddress,
        /// The slot that will be needed.
        slot: SlotType,
        /// The set-up that is wanted.
        setup: SetupInfo,
        /// More for packet radio, else 0 (four bits).
        info: u8,
    },
    /// Five octets with a user identity.
    FullIpui {
        /// What it is for.
        header: PageHeader,
        /// The type of the identity.
        kind: PortableUserType,
        /// Its lowest 28 bits.
        low: u32,
    },
}

const ASSIGNED: u8 = 8;

impl Page {
    /// The short page for a portable part: with the assigned temporary identity if there is one, else the default one.
    ///
    /// EN 300 175-5 14.2.3
    pub const fn short(header: PageHeader, ipui: &Ipui, assigned: Option<Tpui>) -> Self {
        let address = match assigned {
            Some(tpui) => ShortAddress::Assigned(tpui.value() as u16),
            None => ShortAddress::Default(ipui.bits() as u16),
        };
        Self::Short { header, address }
    }

    /// The full page for a portable part, which names the slot a wideband call needs.
    ///
    /// EN 300 175-5 14.2.3
    pub const fn full(header: PageHeader, ipui: &Ipui, assigned: Option<Tpui>, slot: SlotType) -> Self {
        match assigned {
            Some(tpui) => {
                let address = FullAddress::Assigned(tpui);
                Self::Full { header, address, slot, setup: SetupInfo::Default, info: 0 }
            }
            None => Self::FullIpui { header, kind: ipui.kind(), low: ipui.bits() as u32 & 0xfff_ffff },
        }
    }

    /// What it is for.
    ///
    /// EN 300 175-5 8.2.1
    pub const fn header(&self) -> PageHeader {
        match self {
            Self::Short { header, .. } | Self::Full { header, .. } | Self::FullIpui { header, .. } => *header,
        }
    }

    /// Whether it is for the portable part with this user identity and this assigned temporary identity. A portable
    /// part with an assigned identity answers to its default one too. Ringing of groups is not looked at.
    ///
    /// EN 300 175-5 14.2.3
    pub fn is_for(&self, ipui: &Ipui, assigned: Option<Tpui>) -> bool {
        match *self {
            Self::Short { address: ShortAddress::Assigned(low), .. } => {
                assigned.is_some_and(|tpui| tpui.value() as u16 == low)
            }
            Self::Short { address: ShortAddress::Default(low), .. } => ipui.bits() as u16 == low,
            Self::Full { address: FullAddress::Assigned(tpui), .. } => {
                assigned == Some(tpui) || ipui.default_tpui() == tpui
            }
            Self::FullIpui { kind, low, .. } => ipui.kind() == kind && ipui.bits() as u32 & 0xfff_ffff == low,
            Self::Short { address: ShortAddress::RingMask(..) | ShortAddress::RingGroup(..), .. }
            | Self::Full { address: FullAddress::RingMask(..) | FullAddress::RingGroup(..), .. } => false,
        }
    }

    /// Reads three or five octets.
    ///
    /// EN 300 175-5 8.2
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        match *octets {
            [first, high, low] => {
                let header = PageHeader::from_code(first & 7);
                let number = u16::from_be_bytes([high, low]);
                let ring = || (RingPattern::from_code(high >> 4), number & 0xfff);
                let address = match (first & ASSIGNED != 0, header) {
                    (true, PageHeader::Ringing) => ShortAddress::RingMask(ring().0, ring().1),
                    (false, PageHeader::Ringing) => ShortAddress::RingGroup(ring().0, ring().1),
                    (true, _) => ShortAddress::Assigned(number),
                    (false, _) => ShortAddress::Default(number),
                };
                Ok(Self::Short { header, address })
            }
            [first, second, third, fourth, last] => {
                let header = PageHeader::from_code(first & 7);
                let assigned = first & ASSIGNED != 0;
                if !assigned && header != PageHeader::Ringing {
                    let low = u32::from_be_bytes([second & 0xf, third, fourth, last]);
                    return Ok(Self::FullIpui {
                        header,
                        kind: PortableUserType::from_code(second >> 4),
                        low,
                    });
                }
                let number = u32::from_be_bytes([0, second & 0xf, third, fourth]);
                let ring = RingPattern::from_code(second & 0xf);
                let address = match (assigned, header) {
                    (true, PageHeader::Ringing) => FullAddress::RingMask(ring, number as u16),
                    (false, _) => FullAddress::RingGroup(ring, number as u16),
                    (true, _) => FullAddress::Assigned(Tpui::new(number)?),
                };
                let slot = SlotType::from_code(second >> 4);
                Ok(Self::Full {
                    header,
                    address,
                    slot,
                    setup: SetupInfo::from_code(last >> 4),
                    info: last & 0xf,
                })
            }
            _ => Err(Error::Malformed { at: octets.len().min(5), rule: Rule::PageLength }),
        }
    }

    /// Appends its octets.
    ///
    /// EN 300 175-5 8.2
    pub fn emit(&self, octets: &mut BytesMut) {
        match *self {
            Self::Short { header, address } => {
                let (assigned, number) = match address {
                    ShortAddress::Assigned(low) => (ASSIGNED, low),
                    ShortAddress::Default(low) => (0, low),
                    ShortAddress::RingMask(ring, mask) => (ASSIGNED, ring_number(ring, mask)),
                    ShortAddress::RingGroup(ring, group) => (0, ring_number(ring, group)),
                };
                octets.put_u8(assigned | header.code() & 7);
                octets.put_u16(number);
            }
            Self::Full { header, address, slot, setup, info } => {
                let (assigned, number) = match address {
                    FullAddress::Assigned(tpui) => (ASSIGNED, tpui.value()),
                    FullAddress::RingMask(ring, mask) => {
                        (ASSIGNED, u32::from(ring.code()) << 16 | u32::from(mask))
                    }
                    FullAddress::RingGroup(ring, group) => {
                        (0, u32::from(ring.code()) << 16 | u32::from(group))
                    }
                };
                octets.put_u8(assigned | header.code() & 7);
                octets.put_uint(u64::from(u32::from(slot.code() & 0xf) << 20 | number & 0xf_ffff), 3);
                octets.put_u8(setup.code() << 4 | info & 0xf);
            }
            Self::FullIpui { header, kind, low } => {
                octets.put_u8(header.code() & 7);
                octets.put_u32(u32::from(kind.code()) << 28 | low & 0xfff_ffff);
            }
        }
    }
}

const fn ring_number(ring: RingPattern, number: u16) -> u16 {
    (ring.code() as u16) << 12 | number & 0xfff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], page: Page) {
        assert_eq!(Page::parse(octets), Ok(page));
        let mut written = BytesMut::new();
        page.emit(&mut written);
        assert_eq!(written, octets);
    }

    #[test]
    fn the_address_is_the_assigned_identity_if_there_is_one() {
        let ipui: Ipui = "N 05003 0070387".parse().unwrap();
        let tpui = Tpui::new(0x1001).unwrap();
        check(&[0x0c, 0x10, 0x01], Page::short(PageHeader::Voice, &ipui, Some(tpui)));
        check(&[0x00, 0x12, 0xf3], Page::short(PageHeader::NoUPlane, &ipui, None));
        check(
            &[0x0c, 0x40, 0x10, 0x01, 0x00],
            Page::full(PageHeader::Voice, &ipui, Some(tpui), SlotType::Full),
        );
        check(&[0x04, 0x08, 0xb1, 0x12, 0xf3], Page::full(PageHeader::Voice, &ipui, None, SlotType::Full));
        for page in [
            Page::short(PageHeader::Voice, &ipui, Some(tpui)),
            Page::short(PageHeader::Voice, &ipui, None),
            Page::full(PageHeader::Voice, &ipui, Some(tpui), SlotType::Full),
            Page::full(PageHeader::Voice, &ipui, None, SlotType::Full),
        ] {
            assert!(page.is_for(&ipui, Some(tpui)));
            assert!(!page.is_for(&Ipui::private(1).unwrap(), Some(Tpui::new(0x1002).unwrap())));
        }
        assert!(!Page::short(PageHeader::Voice, &ipui, Some(tpui)).is_for(&ipui, None));
    }

    #[test]
    fn ringing_pages_have_a_pattern_and_a_group() {
        let everyone = ShortAddress::RingGroup(RingPattern::Pattern0, 0xfff);
        check(&[0x01, 0x0f, 0xff], Page::Short { header: PageHeader::Ringing, address: everyone });
        let stop = ShortAddress::RingGroup(RingPattern::AnsweredElsewhere, 0xfff);
        check(&[0x01, 0xbf, 0xff], Page::Short { header: PageHeader::Ringing, address: stop });
        let address = FullAddress::RingMask(RingPattern::Pattern3, 0x8001);
        let header = PageHeader::Ringing;
        let (slot, setup) = (SlotType::Half, SetupInfo::Default);
        check(&[0x09, 0x03, 0x80, 0x01, 0x00], Page::Full { header, address, slot, setup, info: 0 });
    }

    #[test]
    fn the_bits_of_the_medium_access_layer_are_ignored() {
        assert_eq!(Page::parse(&[0xfc, 0x10, 0x01]), Page::parse(&[0x0c, 0x10, 0x01]));
        assert_eq!(Page::parse(&[0; 4]), Err(Error::Malformed { at: 4, rule: Rule::PageLength }));
    }
}
