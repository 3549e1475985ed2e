//! Transaction identifiers.

use core::fmt;

use super::dialect::Dialect;

/// The cookie of RFC 8489 headers.
///
/// RFC 8489 5
pub const MAGIC_COOKIE: u32 = 0x2112_a442;

/// The 16 octets behind the length field: random all, or the cookie and 12 random ones.
///
/// Both rules for XORed addresses use them the same way.
///
/// RFC 8489 5, RFC 3489 11.1
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 16]);

impl TransactionId {
    /// A transaction identifier from random octets; the first four give way to the cookie where there is one.
    ///
    /// RFC 8489 5
    pub const fn new(dialect: Dialect, random: [u8; 16]) -> Self {
        let mut octets = random;
        if dialect.has_cookie() {
            let [a, b, c, d] = MAGIC_COOKIE.to_be_bytes();
            octets[0] = a;
            octets[1] = b;
            octets[2] = c;
            octets[3] = d;
        }
        Self(octets)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}
