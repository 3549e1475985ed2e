//! How each form of a value is read and written, under one pair of names.

/// A value whose type has one form.
pub(super) mod plain {
    use crate::stun::attribute::value::{Around, Form};
    use crate::stun::attribute::writer::Writer;

    #[inline]
    pub(in super::super) fn read<'a, T: Form<'a>>(value: &'a [u8], around: Around) -> Option<T> {
        T::read(value, around)
    }

    #[inline]
    pub(in super::super) const fn length<'a, T: Form<'a>>(_: &T) -> Option<u16> {
        T::LENGTH
    }

    #[inline]
    pub(in super::super) fn write<'a, T: Form<'a>>(value: &T, around: Around, to: &mut Writer<'_>) {
        value.write(around, to);
    }
}

/// A text that is filled with zeros inside its length in some dialects. MS-ICE2 2.2 (as seen)
pub(super) mod filled {
    use crate::stun::attribute::value::Around;
    use crate::stun::attribute::writer::Writer;

    #[inline]
    pub(in super::super) fn read(value: &[u8], around: Around) -> Option<&[u8]> {
        let fill = if around.dialect.pads_texts() {
            value.iter().rev().take_while(|octet| **octet == 0).count()
        } else {
            0
        };
        value.get(..value.len() - fill)
    }

    pub(in super::super) const fn length<T: ?Sized>(_: &T) -> Option<u16> {
        None
    }

    #[inline]
    pub(in super::super) fn write(value: &[u8], around: Around, to: &mut Writer<'_>) {
        to.put_text(value);
        if around.dialect.pads_texts() {
            to.zeros(value.len().next_multiple_of(4) - value.len());
        }
    }
}

/// An address XORed with the transaction identifier. RFC 8489 14.2, MS-TURN 2.2.2
pub(super) mod xored {
    use core::net::SocketAddr;

    use crate::stun::attribute::address;
    use crate::stun::attribute::value::Around;
    use crate::stun::attribute::writer::Writer;

    #[inline]
    pub(in super::super) fn read(value: &[u8], around: Around) -> Option<SocketAddr> {
        address::read(value, &around.transaction.0)
    }

    pub(in super::super) const fn length<T: ?Sized>(_: &T) -> Option<u16> {
        None
    }

    #[inline]
    pub(in super::super) fn write(address: &SocketAddr, around: Around, to: &mut Writer<'_>) {
        address::write(*address, &around.transaction.0, to);
    }
}

/// A number of 16 bits before two reserved octets. RFC 8656 18.1, RFC 5780 7.5
pub(super) mod upper {
    use crate::stun::attribute::value::Around;
    use crate::stun::attribute::writer::Writer;

    pub(in super::super) fn read(value: &[u8], _: Around) -> Option<u16> {
        match *value {
            [a, b, _, _] => Some(u16::from_be_bytes([a, b])),
            _ => None,
        }
    }

    pub(in super::super) const fn length<T: ?Sized>(_: &T) -> Option<u16> {
        None
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form of all writers")]
    pub(in super::super) fn write(value: &u16, _: Around, to: &mut Writer<'_>) {
        to.put(&value.to_be_bytes());
        to.zeros(2);
    }
}

/// An octet before three reserved ones. RFC 8656 18.8
pub(super) mod highest {
    use crate::stun::attribute::value::Around;
    use crate::stun::attribute::writer::Writer;

    pub(in super::super) fn read(value: &[u8], _: Around) -> Option<u8> {
        match *value {
            [first, _, _, _] => Some(first),
            _ => None,
        }
    }

    pub(in super::super) const fn length<T: ?Sized>(_: &T) -> Option<u16> {
        None
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form of all writers")]
    pub(in super::super) fn write(value: &u8, _: Around, to: &mut Writer<'_>) {
        to.put(&[*value, 0, 0, 0]);
    }
}

/// One bit before seven reserved ones. RFC 8656 18.7
pub(super) mod highest_bit {
    use crate::stun::attribute::value::Around;
    use crate::stun::attribute::writer::Writer;

    pub(in super::super) fn read(value: &[u8], _: Around) -> Option<bool> {
        match *value {
            [first] => Some(first & 0x80 != 0),
            _ => None,
        }
    }

    pub(in super::super) const fn length<T: ?Sized>(_: &T) -> Option<u16> {
        None
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form of all writers")]
    pub(in super::super) fn write(value: &bool, _: Around, to: &mut Writer<'_>) {
        to.put(&[u8::from(*value) << 7]);
    }
}
