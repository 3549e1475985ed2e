//! Fields of a message: length, length again, offset.

use crate::error::{Error, Rule};
use crate::flags::NegotiateFlags;
use crate::text;

pub(crate) const MAGIC: [u8; 8] = *b"NTLMSSP\0";
/// Most octets of a message.
const MESSAGE_MAX: usize = 64 * 1024;

/// A message whose fields are looked up by offset. The header is what stands before the first used field.
pub(crate) struct Fields<'a> {
    pub(crate) message: &'a [u8],
    /// Where each non-empty field lies.
    used: [(usize, usize); FIELDS],
}

/// Most fields of a message.
const FIELDS: usize = 6;

impl<'a> Fields<'a> {
    /// A message of a type, with at least so many octets.
    pub(crate) fn of(message: &'a [u8], kind: u32, least: usize) -> Result<Self, Error> {
        if message.len() > MESSAGE_MAX {
            return Err(Error::Malformed { at: MESSAGE_MAX, rule: Rule::TooLong });
        }
        if !message.starts_with(&MAGIC) {
            return Err(Error::Malformed { at: 0, rule: Rule::Magic });
        }
        let fields = Self { message, used: [(usize::MAX, 0); FIELDS] };
        if fields.u32(8)? != kind {
            return Err(Error::Malformed { at: 8, rule: Rule::Type });
        }
        if message.len() < least {
            return Err(Error::Malformed { at: message.len(), rule: Rule::Truncated });
        }
        Ok(fields)
    }

    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Error> {
        let octets = self.message.get(at..).and_then(|rest| rest.first_chunk());
        octets.copied().ok_or(Error::Malformed { at: self.message.len(), rule: Rule::Truncated })
    }

    pub(crate) fn u16(&self, at: usize) -> Result<u16, Error> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&self, at: usize) -> Result<u32, Error> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The field whose length and offset stand at `at`; it must not begin before `header`.
    pub(crate) fn field(&mut self, at: usize, header: usize) -> Result<&'a [u8], Error> {
        let length = usize::from(self.u16(at)?);
        if length == 0 {
            return Ok(&[]);
        }
        let broken = |rule| Error::Malformed { at, rule };
        let start = usize::try_from(self.u32(at + 4)?).map_err(|_| broken(Rule::FieldOutside))?;
        let end = start.checked_add(length).ok_or_else(|| broken(Rule::FieldOutside))?;
        if start < header {
            return Err(broken(Rule::FieldInHeader));
        }
        let octets = self.message.get(start..end).ok_or_else(|| broken(Rule::FieldOutside))?;
        if self.used.iter().any(|(other, other_end)| start < *other_end && *other < end) {
            return Err(broken(Rule::FieldsOverlap));
        }
        // A place that is free lies nowhere.
        if let Some(free) = self.used.iter_mut().find(|(_, end)| *end == 0) {
            *free = (start, end);
        }
        Ok(octets)
    }

    /// Where the first used field begins, or the end of the message.
    pub(crate) fn payload(&self) -> usize {
        self.used.iter().map(|(start, _)| *start).min().unwrap_or(usize::MAX).min(self.message.len())
    }
}

/// A message that is being written: a header of fixed length and fields behind it.
pub(crate) struct Writing {
    pub(crate) octets: Vec<u8>,
}

impl Writing {
    /// With a header, and room for so many octets behind it.
    pub(crate) fn new(kind: u32, header: usize, payload: usize) -> Self {
        let mut octets = Vec::with_capacity(header + payload);
        octets.resize(header, 0);
        put(&mut octets, 0, &MAGIC);
        put(&mut octets, 8, &kind.to_le_bytes());
        Self { octets }
    }

    pub(crate) fn put(&mut self, at: usize, value: &[u8]) {
        put(&mut self.octets, at, value);
    }

    /// Appends a field and writes its length and offset at `at`.
    pub(crate) fn field(&mut self, at: usize, value: &[u8]) -> Result<(), Error> {
        let start = self.octets.len();
        self.octets.extend_from_slice(value);
        self.end(at, start)
    }

    /// Appends a name.
    pub(crate) fn name(&mut self, at: usize, text: &str, flags: NegotiateFlags) -> Result<(), Error> {
        let start = self.octets.len();
        text::push(&mut self.octets, text, flags)?;
        self.end(at, start)
    }

    /// Writes at `at` that a field began at `start` and ends here.
    pub(crate) fn end(&mut self, at: usize, start: usize) -> Result<(), Error> {
        let length = self.octets.len().saturating_sub(start);
        let length = u16::try_from(length).map_err(|_| Error::TooLong)?.to_le_bytes();
        let offset = u32::try_from(start).map_err(|_| Error::TooLong)?.to_le_bytes();
        self.put(at, &length);
        self.put(at + 2, &length);
        self.put(at + 4, &offset);
        Ok(())
    }
}

/// Overwrites what lies inside the header; the caller's offsets are constants.
fn put(octets: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = octets.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}
