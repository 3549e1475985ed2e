//! ERROR-CODE, and lists of attribute numbers.

use super::AttributeType;
use super::address::Family;
use super::value::{Around, Form};
use super::writer::Writer;

/// Why a request was refused.
///
/// RFC 8489 14.8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// Text for people; never looked at.
    pub reason: &'a [u8],
}

impl<'a> ErrorCode<'a> {
    /// A code with a reason.
    ///
    /// RFC 8489 14.8
    pub const fn new(code: u16, reason: &'a str) -> Self {
        Self { code, reason: reason.as_bytes() }
    }

    fn read_behind(value: &'a [u8]) -> Option<Self> {
        let [class, number, reason @ ..] = value else { return None };
        let code = u16::from(class & 7) * 100 + u16::from(*number);
        (number < &100).then_some(Self { code, reason })
    }

    fn write_behind(&self, to: &mut Writer<'_>) {
        to.put(&[((self.code / 100) & 7) as u8, (self.code % 100) as u8]);
        to.put(self.reason);
    }
}

impl<'a> Form<'a> for ErrorCode<'a> {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [_, _, rest @ ..] = value else { return None };
        Self::read_behind(rest)
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[0, 0]);
        self.write_behind(to);
    }
}

/// ADDRESS-ERROR-CODE: why one of two families was refused.
///
/// RFC 8656 18.12
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressErrorCode<'a> {
    /// The family that was refused.
    pub family: Family,
    /// Why.
    pub error: ErrorCode<'a>,
}

impl<'a> Form<'a> for AddressErrorCode<'a> {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [family, _, rest @ ..] = value else { return None };
        Some(Self { family: Family::from_number(*family)?, error: ErrorCode::read_behind(rest)? })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[if self.family == Family::Ipv4 { 1 } else { 2 }, 0]);
        self.error.write_behind(to);
    }
}

/// UNKNOWN-ATTRIBUTES: numbers of attributes.
///
/// RFC 8489 14.13
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeList<'a>(
    /// Two octets each.
    pub &'a [u8],
);

impl TypeList<'_> {
    /// The numbers.
    ///
    /// RFC 8489 14.13
    pub fn iter(&self) -> impl Iterator<Item = AttributeType> {
        self.0.as_chunks::<2>().0.iter().map(|number| AttributeType(u16::from_be_bytes(*number)))
    }
}

impl<'a> Form<'a> for TypeList<'a> {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        value.len().is_multiple_of(2).then_some(Self(value))
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(self.0);
    }
}
