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
        Self::at(buffer, 0)
    }

    /// Goes on behind what is written.
    pub(crate) const fn at(buffer: &'b mut [u8], at: usize) -> Self {
        Self { buffer, at, refused: None }
    }

    /// The buffer, and how many octets of it are written.
    #[inline]
    pub(crate) fn into_parts(self) -> Result<(&'b mut [u8], usize), Refusal> {
        self.refused.map_or(Ok((self.buffer, self.at)), Err)
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

    /// Appends octets of which there are few, word by word.
    #[inline]
    pub(crate) fn put_text(&mut self, text: &[u8]) {
        const FEW: usize = 64;
        let end = self.at.saturating_add(text.len());
        let (words, rest) = text.as_chunks::<4>();
        match self.buffer.get_mut(self.at..end.saturating_add(4)) {
            Some(to) if text.len() <= FEW => {
                let (to, _) = to.as_chunks_mut::<4>();
                for (to, word) in to.iter_mut().zip(words) {
                    *to = *word;
                }
                // What is too many is written over, or cut off.
                let last = rest.iter().rev().fold(0, |word, octet| word << 8 | u32::from(*octet));
                if let Some(to) = to.get_mut(words.len()) {
                    *to = last.to_le_bytes();
                }
                self.at = end;
            }
            _ => self.put(text),
        }
    }

    /// Appends `count` zeros, fewer than four.
    #[inline]
    pub(crate) fn zeros(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        match self.buffer.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            // What is too many is written over, or cut off.
            Some(to) => {
                *to = [0; 4];
                self.at += count;
            }
            None => self.put([0; 3].get(..count).unwrap_or_default()),
        }
    }

    /// Appends number and length of an attribute.
    #[inline]
    pub(crate) fn head(&mut self, kind: AttributeType, length: u16) {
        let [a, b] = kind.0.to_be_bytes();
        let [c, d] = length.to_be_bytes();
        self.put(&[a, b, c, d]);
    }

    /// Starts an attribute; a length that is not known yet is set at its end.
    #[inline]
    pub(crate) fn start(&mut self, kind: AttributeType, length: u16) -> usize {
        self.head(kind, length);
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

    /// The first word of the header: what the message is, and its length.
    #[inline]
    pub(crate) fn set_first_word(&mut self, bits: u16, length: u16) {
        if let Some(to) = self.buffer.first_chunk_mut() {
            *to = (u32::from(bits) << 16 | u32::from(length)).to_be_bytes();
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
