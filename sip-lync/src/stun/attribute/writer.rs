//! The cursor that writes attributes.

use super::AttributeType;
use crate::error::Refusal;

/// Appends to a buffer and remembers the first thing that could not be done.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    at: usize,
    refused: Option<Refusal>,
}

impl<'b> Writer<'b> {
    pub(crate) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, at: 0, refused: None }
    }

    /// Appends octets.
    #[inline]
    pub(crate) fn put(&mut self, octets: &[u8]) {
        if let Some(to) = self.buffer.get_mut(self.at..self.at.saturating_add(octets.len())) {
            to.copy_from_slice(octets);
            self.at += octets.len();
        } else {
            self.refuse(Refusal::BufferTooSmall);
        }
    }

    /// Appends `count` zeros, fewer than four.
    #[inline]
    pub(crate) fn zeros(&mut self, count: usize) {
        self.put([0; 3].get(..count).unwrap_or_default());
    }

    /// Appends number and length of an attribute.
    #[inline]
    pub(crate) fn head(&mut self, kind: AttributeType, length: u16) {
        let [a, b] = kind.0.to_be_bytes();
        let [c, d] = length.to_be_bytes();
        self.put(&[a, b, c, d]);
    }

    /// Starts an attribute whose length is not known yet.
    #[inline]
    pub(crate) fn start(&mut self, kind: AttributeType) -> usize {
        self.head(kind, 0);
        self.at
    }

    /// Completes the attribute whose value started at `from`; an aligned dialect fills it up.
    #[inline]
    pub(crate) fn end(&mut self, from: usize, aligned: bool) {
        let length = self.at.saturating_sub(from);
        match (u16::try_from(length), from.checked_sub(2).and_then(|at| self.buffer.get_mut(at..from))) {
            (Ok(length), Some(to)) => to.copy_from_slice(&length.to_be_bytes()),
            (Err(_), _) => self.refuse(Refusal::StunTooLong),
            (_, None) => self.refuse(Refusal::BufferTooSmall),
        }
        if aligned {
            self.zeros(length.next_multiple_of(4) - length);
        }
    }

    /// Notes why the message cannot be written.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refused.get_or_insert(refusal);
    }

    /// The length field of the header.
    #[inline]
    pub(crate) fn set_length(&mut self, length: u16) {
        if let Some(to) = self.buffer.get_mut(2..4) {
            to.copy_from_slice(&length.to_be_bytes());
        }
    }

    #[inline]
    pub(crate) fn written(&self) -> &[u8] {
        self.buffer.get(..self.at).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn finish(self) -> Result<&'b mut [u8], Refusal> {
        match self.refused {
            Some(refusal) => Err(refusal),
            None => self.buffer.get_mut(..self.at).ok_or(Refusal::BufferTooSmall),
        }
    }
}
