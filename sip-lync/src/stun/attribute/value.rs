//! The forms values take; each can be read and written.
//!
//! RFC 8489 14, MS-TURN 2.2.2

use super::writer::Writer;
use crate::stun::dialect::Dialect;
use crate::stun::transaction_id::TransactionId;

/// What a value depends on besides its octets.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub(super) dialect: Dialect,
    pub(super) transaction: TransactionId,
}

/// A form in which values of this type stand on the wire.
pub(super) trait Form<'a>: Sized {
    /// How many octets it has, if that is always the same and a multiple of four.
    const LENGTH: Option<u16> = None;

    fn read(value: &'a [u8], around: Around) -> Option<Self>;
    fn write(&self, around: Around, to: &mut Writer<'_>);
}

impl<'a> Form<'a> for &'a [u8] {
    #[inline]
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        Some(value)
    }

    #[inline]
    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put_text(self);
    }
}

macro_rules! integers {
    ($($integer:ty),+) => { $(
        impl<'a> Form<'a> for $integer {
            const LENGTH: Option<u16> = Some(size_of::<Self>() as u16);

            #[inline]
            fn read(value: &'a [u8], _: Around) -> Option<Self> {
                value.try_into().ok().map(Self::from_be_bytes)
            }

            #[inline]
            fn write(&self, _: Around, to: &mut Writer<'_>) {
                to.put(&self.to_be_bytes());
            }
        }
    )+ };
}

integers!(u32, u64);

impl<'a, const N: usize> Form<'a> for [u8; N] {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        value.try_into().ok()
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(self);
    }
}
