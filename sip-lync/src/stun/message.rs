//! Received messages: structure checked once, then read in place.

use super::attribute::{Attribute, AttributeType, ErrorCode};
use super::dialect::Dialect;
use super::message_type::{Class, Method, split};
use super::transaction_id::{MAGIC_COOKIE, TransactionId};
use crate::error::{ParseError, Rule};

/// Octets of the header.
pub(super) const HEADER: usize = 20;

/// A message whose structure holds: every attribute lies within it.
///
/// RFC 8489 5, RFC 3489 11.1, MS-TURN 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message<'a> {
    octets: &'a [u8],
    dialect: Dialect,
    class: Class,
    method: Method,
    transaction: TransactionId,
    /// Where MESSAGE-INTEGRITY and FINGERPRINT start; zero when there is none.
    integrity_at: u16,
    sha256_at: u16,
    fingerprint_at: u16,
    /// Where the value of what every check is asked for stands: USERNAME, PRIORITY, USE-CANDIDATE.
    asked: [u16; 3],
}

/// An attribute as it stands in the message.
///
/// RFC 8489 14
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawAttribute<'a> {
    /// Its number.
    pub kind: AttributeType,
    /// Its value, without padding that is not counted.
    pub value: &'a [u8],
    /// Where the attribute starts in the message.
    pub at: usize,
}

/// The slot of a kind in [`Message::asked`].
#[inline]
const fn asked(kind: AttributeType) -> Option<usize> {
    match kind {
        AttributeType::USERNAME => Some(0),
        AttributeType::PRIORITY => Some(1),
        AttributeType::USE_CANDIDATE => Some(2),
        _ => None,
    }
}

/// The next attribute at `at`: number, value, and where the next one starts.
#[inline]
fn attribute_at(octets: &[u8], at: usize, aligned: bool) -> Option<(u16, &[u8], usize)> {
    let head: &[u8; 4] = octets.get(at..)?.first_chunk()?;
    let kind = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = octets.get(at + 4..at + 4 + length)?;
    let end = at + 4 + if aligned { length.next_multiple_of(4) } else { length };
    (end <= octets.len()).then_some((kind, value, end))
}

impl<'a> Message<'a> {
    /// Checks one whole message: header, lengths, order.
    ///
    /// RFC 8489 6.3, MS-TURN 3.1.5
    #[inline]
    pub fn parse(dialect: Dialect, octets: &'a [u8]) -> Result<Self, ParseError> {
        let header: &[u8; HEADER] =
            octets.first_chunk().ok_or_else(|| ParseError::new(octets.len(), Rule::StunHeader))?;
        let bits = u16::from_be_bytes([header[0], header[1]]);
        if bits >= 0x4000 {
            return Err(ParseError::new(0, Rule::StunHeader));
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let aligned = dialect.is_aligned();
        if length + HEADER != octets.len() || (aligned && length % 4 != 0) {
            return Err(ParseError::new(2, Rule::StunLength));
        }
        let mut transaction = TransactionId([0; 16]);
        transaction.0.copy_from_slice(&header[4..]);
        if dialect.has_cookie() && !transaction.0.starts_with(&MAGIC_COOKIE.to_be_bytes()) {
            return Err(ParseError::new(4, Rule::StunCookie));
        }
        let (class, method) = split(bits, dialect);
        let mut message = Self {
            octets,
            dialect,
            class,
            method,
            transaction,
            integrity_at: 0,
            sha256_at: 0,
            fingerprint_at: 0,
            asked: [0; 3],
        };
        message.walk(aligned)?;
        if dialect.is_ms_turn() && !has_ms_turn_cookie(octets) {
            return Err(ParseError::new(HEADER, Rule::StunMagicCookie));
        }
        Ok(message)
    }

    /// Walks over all attributes and notes those that protect the message.
    #[inline]
    fn walk(&mut self, aligned: bool) -> Result<(), ParseError> {
        let mut at = HEADER;
        while at < self.octets.len() {
            let (kind, value, end) = attribute_at(self.octets, at, aligned)
                .ok_or_else(|| ParseError::new(at, Rule::StunAttributeLength))?;
            if self.fingerprint_at != 0 {
                return Err(ParseError::new(at, Rule::StunFingerprintLast));
            }
            match AttributeType(kind) {
                AttributeType::MESSAGE_INTEGRITY if self.integrity_at == 0 && self.sha256_at == 0 => {
                    if value.len() != 20 {
                        return Err(ParseError::new(at, Rule::StunAttributeValue));
                    }
                    self.integrity_at = at as u16;
                }
                AttributeType::MESSAGE_INTEGRITY_SHA256
                    if self.sha256_at == 0 && self.dialect == Dialect::Rfc8489 =>
                {
                    if !matches!(value.len(), 16 | 20 | 24 | 28 | 32) {
                        return Err(ParseError::new(at, Rule::StunAttributeValue));
                    }
                    self.sha256_at = at as u16;
                }
                AttributeType::FINGERPRINT if self.dialect.has_cookie() => {
                    if value.len() != 4 {
                        return Err(ParseError::new(at, Rule::StunAttributeValue));
                    }
                    self.fingerprint_at = at as u16;
                }
                kind => self.note(kind, at),
            }
            at = end;
        }
        Ok(())
    }

    /// Notes the first of each kind that is asked for often; behind MESSAGE-INTEGRITY nothing counts.
    #[inline]
    fn note(&mut self, kind: AttributeType, at: usize) {
        if let Some(slot) = asked(kind)
            && let Some(place) = self.asked.get_mut(slot)
            && *place == 0
            && self.integrity_at == 0
            && self.sha256_at == 0
        {
            *place = at as u16;
        }
    }

    /// The dialect it was read in.
    ///
    /// RFC 8489 5
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Its class.
    ///
    /// RFC 8489 5
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Its method.
    ///
    /// RFC 8489 5
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its transaction.
    ///
    /// RFC 8489 5
    pub const fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// All its octets.
    ///
    /// RFC 8489 5
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The length in the header.
    pub(super) const fn length(&self) -> u16 {
        (self.octets.len() - HEADER) as u16
    }

    /// Text before MESSAGE-INTEGRITY, and its value.
    #[inline]
    pub(super) fn integrity_parts(&self) -> Option<(&'a [u8], &'a [u8; 20])> {
        let at = usize::from(self.integrity_at);
        if at == 0 {
            return None;
        }
        Some((self.octets.get(..at)?, self.octets.get(at + 4..)?.first_chunk()?))
    }

    /// Text before MESSAGE-INTEGRITY-SHA256, and its value.
    pub(super) fn sha256_parts(&self) -> Option<(&'a [u8], &'a [u8])> {
        let at = usize::from(self.sha256_at);
        if at == 0 {
            return None;
        }
        let (_, value, _) = attribute_at(self.octets, at, true)?;
        Some((self.octets.get(..at)?, value))
    }

    /// Text before FINGERPRINT, and its value.
    #[inline]
    pub(super) fn fingerprint_parts(&self) -> Option<(&'a [u8], u32)> {
        let at = usize::from(self.fingerprint_at);
        if at == 0 {
            return None;
        }
        let value: &[u8; 4] = self.octets.get(at + 4..)?.first_chunk()?;
        Some((self.octets.get(..at)?, u32::from_be_bytes(*value)))
    }

    /// The attributes that count: what stands behind MESSAGE-INTEGRITY does not, except its like and FINGERPRINT.
    ///
    /// RFC 8489 14.5
    pub fn raw_attributes(&self) -> impl Iterator<Item = RawAttribute<'a>> + use<'a> {
        let Self { octets, dialect, integrity_at, sha256_at, .. } = *self;
        let protected = match (integrity_at, sha256_at) {
            (0, at) | (at, 0) => at,
            (left, right) => left.min(right),
        };
        let mut at = HEADER;
        core::iter::from_fn(move || {
            let (kind, value, end) = attribute_at(octets, at, dialect.is_aligned())?;
            let attribute = RawAttribute { kind: AttributeType(kind), value, at };
            at = end;
            Some(attribute)
        })
        .filter(move |attribute| {
            protected == 0
                || attribute.at <= usize::from(protected)
                || attribute.at == usize::from(sha256_at)
                || attribute.kind == AttributeType::FINGERPRINT
        })
    }

    /// The attributes that count, typed; a value that has not its form is an error with its place.
    ///
    /// RFC 8489 14
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'a>, ParseError>> + use<'a> {
        let (dialect, transaction) = (self.dialect, self.transaction);
        self.raw_attributes().map(move |raw| {
            Attribute::parse(dialect, transaction, raw.kind, raw.value)
                .ok_or_else(|| ParseError::new(raw.at, Rule::StunAttributeValue))
        })
    }

    /// The value of the first attribute of a kind; later ones do not count.
    ///
    /// RFC 8489 14
    #[inline]
    pub fn value(&self, kind: AttributeType) -> Option<&'a [u8]> {
        if let Some(slot) = asked(kind) {
            let at = usize::from(self.asked.get(slot).copied().filter(|at| *at != 0)?);
            return attribute_at(self.octets, at, self.dialect.is_aligned()).map(|(_, value, _)| value);
        }
        self.raw_attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The first attribute of a kind, typed; `None` when there is none or its value has not its form.
    ///
    /// RFC 8489 14
    #[inline]
    pub fn attribute(&self, kind: AttributeType) -> Option<Attribute<'a>> {
        Attribute::parse(self.dialect, self.transaction, kind, self.value(kind)?)
    }

    /// Attributes below 0x8000 that are not in the registry: a request with one is refused with 420.
    ///
    /// RFC 8489 6.3.1, MS-TURN 3.1.5
    pub fn unknown_required(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let dialect = self.dialect;
        self.raw_attributes()
            .map(|attribute| attribute.kind)
            .filter(move |kind| kind.is_required() && !kind.is_known(dialect))
    }

    /// USERNAME, without zeros that fill it.
    ///
    /// RFC 8489 14.3, MS-ICE2 2.2
    pub fn username(&self) -> Option<&'a [u8]> {
        match self.attribute(AttributeType::USERNAME)? {
            Attribute::Username(username) => Some(username),
            _ => None,
        }
    }

    /// PRIORITY of a check.
    ///
    /// RFC 8445 7.1.1
    pub fn priority(&self) -> Option<u32> {
        match self.attribute(AttributeType::PRIORITY)? {
            Attribute::Priority(priority) => Some(priority),
            _ => None,
        }
    }

    /// Whether USE-CANDIDATE stands in a check.
    ///
    /// RFC 8445 7.1.2
    pub fn use_candidate(&self) -> bool {
        self.value(AttributeType::USE_CANDIDATE).is_some()
    }

    /// IMPLEMENTATION-VERSION of the peer.
    ///
    /// MS-ICE2 2.2
    pub fn implementation_version(&self) -> Option<u32> {
        match self.attribute(AttributeType::IMPLEMENTATION_VERSION)? {
            Attribute::ImplementationVersion(version) => Some(version),
            _ => None,
        }
    }

    /// The reflexive address: XORed where there is one, plain otherwise.
    ///
    /// In an Allocate success of MS-TURN the plain one is the relayed address and not looked at.
    ///
    /// RFC 8489 14.1, 14.2, MS-TURN 2.2.2
    pub fn reflexive_address(&self) -> Option<core::net::SocketAddr> {
        let xored = if self.dialect.is_ms_turn() {
            [AttributeType::MS_XOR_MAPPED_ADDRESS; 2]
        } else {
            [AttributeType::XOR_MAPPED_ADDRESS, AttributeType::MS_XOR_MAPPED_ADDRESS]
        };
        for kind in xored {
            if let Some(Attribute::XorMappedAddress(address)) = self.attribute(kind) {
                return Some(address);
            }
        }
        if self.dialect.is_ms_turn() {
            return None;
        }
        match self.attribute(AttributeType::MAPPED_ADDRESS)? {
            Attribute::MappedAddress(address) => Some(address),
            _ => None,
        }
    }

    /// ERROR-CODE of an error response.
    ///
    /// RFC 8489 14.8
    pub fn error_code(&self) -> Option<ErrorCode<'a>> {
        match self.attribute(AttributeType::ERROR_CODE)? {
            Attribute::ErrorCode(code) => Some(code),
            _ => None,
        }
    }
}

/// Whether a datagram is one of MS-TURN: its cookie attribute stands first.
///
/// MS-TURN 2.2.2
pub(crate) fn has_ms_turn_cookie(octets: &[u8]) -> bool {
    octets.first().is_some_and(|first| *first < 0x40)
        && octets.get(HEADER..HEADER + 8) == Some(&[0x00, 0x0f, 0x00, 0x04, 0x72, 0xc6, 0x4b, 0xc6])
}
