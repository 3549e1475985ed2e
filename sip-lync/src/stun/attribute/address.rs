//! Addresses, plain and XORed.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::value::{Around, Form};
use super::writer::Writer;

/// An address family as STUN numbers it.
///
/// RFC 8489 14.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    ///
    /// RFC 8489 14.1
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    pub(super) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

/// REQUESTED-ADDRESS-FAMILY and its like: the family and three reserved octets. RFC 8656 18.6
impl<'a> Form<'a> for Family {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        match value {
            [family, _, _, _] => Self::from_number(*family),
            _ => None,
        }
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[self.number(), 0, 0, 0]);
    }
}

/// A plain address. RFC 8489 14.1
impl<'a> Form<'a> for SocketAddr {
    #[inline]
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        read(value, &[0; 16])
    }

    #[inline]
    fn write(&self, _: Around, to: &mut Writer<'_>) {
        write(*self, &[0; 16], to);
    }
}

/// Reads an address under a mask.
#[inline]
pub(super) fn read(value: &[u8], mask: &[u8; 16]) -> Option<SocketAddr> {
    let [_, family, high, low, address @ ..] = value else { return None };
    let port = u16::from_be_bytes([high ^ mask[0], low ^ mask[1]]);
    let ip = match Family::from_number(*family)? {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from(unmask::<4>(address, mask)?)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from(unmask::<16>(address, mask)?)),
    };
    Some(SocketAddr::new(ip, port))
}

#[inline]
fn unmask<const N: usize>(address: &[u8], mask: &[u8; 16]) -> Option<[u8; N]> {
    let mut octets: [u8; N] = address.try_into().ok()?;
    for (octet, mask) in octets.iter_mut().zip(mask) {
        *octet ^= mask;
    }
    Some(octets)
}

/// Writes an address under a mask.
#[inline]
pub(super) fn write(address: SocketAddr, mask: &[u8; 16], to: &mut Writer<'_>) {
    let [high, low] = address.port().to_be_bytes();
    let head = |family: Family| [0, family.number(), high ^ mask[0], low ^ mask[1]];
    match address.ip() {
        IpAddr::V4(ip) => {
            to.put(&head(Family::Ipv4));
            to.put(&unmask::<4>(&ip.octets(), mask).unwrap_or_default());
        }
        IpAddr::V6(ip) => {
            to.put(&head(Family::Ipv6));
            to.put(&unmask::<16>(&ip.octets(), mask).unwrap_or_default());
        }
    }
}
