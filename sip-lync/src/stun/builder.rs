//! Messages written into the caller's buffer.

use super::attribute::{Attribute, AttributeType, Writer};
use super::dialect::Dialect;
use super::fingerprint::{Crc, Table, value};
use super::integrity::{Age, IntegrityKey, octets_of};
use super::integrity_sha256::Sha256Key;
use super::message::HEADER;
use super::message_type::{Class, Method, join};
use super::transaction_id::TransactionId;
use crate::error::Refusal;

/// A message under construction in a buffer of the caller; nothing is allocated.
///
/// A message that does not fit, or has an attribute its dialect does not know, is refused by [`Builder::finish`].
///
/// RFC 8489 5
#[derive(Debug)]
pub struct Builder<'b> {
    writer: Writer<'b>,
    dialect: Dialect,
    /// Class and method.
    bits: u16,
    transaction: TransactionId,
}

impl<'b> Builder<'b> {
    /// Starts a message with its header; in MS-TURN with its cookie, too.
    ///
    /// RFC 8489 5, MS-TURN 2.2.2
    #[inline]
    pub fn new(
        buffer: &'b mut [u8],
        dialect: Dialect,
        class: Class,
        method: Method,
        transaction: TransactionId,
    ) -> Self {
        let mut writer = Writer::new(buffer);
        let bits = join(class, method, dialect);
        writer.put(&(u32::from(bits) << 16).to_be_bytes());
        writer.put(&transaction.0);
        let mut builder = Self { writer, dialect, bits, transaction };
        if dialect.is_ms_turn() {
            builder.push(&Attribute::MagicCookie);
        }
        builder
    }

    /// Appends an attribute.
    ///
    /// RFC 8489 14
    #[expect(clippy::inline_always, reason = "of a known attribute a few stores are left")]
    #[inline(always)]
    pub fn push(&mut self, attribute: &Attribute<'_>) -> &mut Self {
        attribute.emit(self.dialect, self.transaction, &mut self.writer);
        self
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 in full; [`Builder::finish`] is then called without a key.
    ///
    /// RFC 8489 14.6
    pub fn push_sha256(&mut self, key: &Sha256Key) -> &mut Self {
        let text = self.writer.written();
        let tag = key.tag(text, (text.len().saturating_sub(HEADER) + 36) as u16);
        self.push(&Attribute::MessageIntegritySha256(&tag))
    }

    /// Appends MESSAGE-INTEGRITY and FINGERPRINT as asked for, completes the header and returns the message.
    ///
    /// RFC 8489 14.5, 14.7, RFC 3489 11.2.8, MS-ICE2 2.2 (as seen)
    #[expect(
        clippy::inline_always,
        reason = "the parts go over in registers, a whole builder would be copied"
    )]
    #[inline(always)]
    pub fn finish(
        self,
        key: Option<&IntegrityKey>,
        fingerprint: Option<Table>,
    ) -> Result<&'b mut [u8], Refusal> {
        let (buffer, at) = self.writer.into_parts()?;
        seal(buffer, at, self.dialect, self.bits, key, fingerprint)
    }

    /// Completes everything before the value of one last attribute of `length` octets, behind which `behind` more follow
    /// that the message counts, and returns what stands before it.
    ///
    /// RFC 8489 5
    pub(crate) fn finish_before(
        self,
        kind: AttributeType,
        length: usize,
        behind: usize,
    ) -> Result<&'b mut [u8], Refusal> {
        let Self { mut writer, bits, .. } = self;
        writer.head(kind, u16::try_from(length).map_err(|_| Refusal::StunTooLong)?);
        let all = writer.written().len().saturating_sub(HEADER) + length + behind;
        writer.set_first_word(bits, u16::try_from(all).map_err(|_| Refusal::StunTooLong)?);
        writer.finish()
    }
}

/// Puts both proofs behind a message and its length into the header.
#[inline(never)]
fn seal<'b>(
    buffer: &'b mut [u8],
    at: usize,
    dialect: Dialect,
    bits: u16,
    key: Option<&IntegrityKey>,
    fingerprint: Option<Table>,
) -> Result<&'b mut [u8], Refusal> {
    let mut writer = Writer::at(buffer, at);
    let to_integrity = writer.written().len().saturating_sub(HEADER) + if key.is_some() { 24 } else { 0 };
    let length = to_integrity + if fingerprint.is_some() { 8 } else { 0 };
    writer.set_first_word(bits, u16::try_from(length).map_err(|_| Refusal::StunTooLong)?);
    let mut crc = None;
    if let Some(key) = key {
        let text = writer.written();
        let counted = if dialect.hashes_whole_length() { length } else { to_integrity };
        let tag = key.tag(text, counted as u16, dialect.pads_hashed_text(), Age::Fresh);
        // Wide loads behind narrow stores wait until those have reached the cache; behind the hash they have, and are
        // done while it still runs.
        let sum = if fingerprint == Some(Table::Correct) { Crc::of(text) } else { None };
        writer.head(AttributeType::MESSAGE_INTEGRITY, 20);
        writer.put(&octets_of(tag));
        crc = sum.map(|sum| sum.behind_integrity(tag));
    }
    if let Some(table) = fingerprint {
        let crc = crc.unwrap_or_else(|| value(writer.written(), table));
        writer.head(AttributeType::FINGERPRINT, 4);
        writer.put(&crc.to_be_bytes());
    }
    writer.finish()
}
