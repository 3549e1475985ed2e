//! Cutting the byte stream into frames.

use zeroize::Zeroize;

use crate::codec::FRAME_MAX;
use crate::error::{Error, Rule};

/// Collects octets and hands out the bodies of whole frames. It never holds more than it was given and one frame.
///
/// docs/radio-link.md 2
#[derive(Clone, Default)]
pub struct FrameDecoder {
    octets: Vec<u8>,
    /// Octets of `octets` that were handed out already.
    read: usize,
}

impl FrameDecoder {
    /// A decoder at the beginning of a stream.
    ///
    /// docs/radio-link.md 2
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds octets as they came.
    ///
    /// docs/radio-link.md 2
    pub fn push(&mut self, octets: &[u8]) {
        self.wipe_read();
        self.octets.extend_from_slice(octets);
    }

    /// The body of the next whole frame; after an error the stream is lost.
    ///
    /// docs/radio-link.md 2
    pub fn next_body(&mut self) -> Option<Result<&[u8], Error>> {
        let rest = self.octets.get(self.read..).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > FRAME_MAX {
            return Some(Err(Error::Malformed { at: 0, rule: Rule::FrameLength }));
        }
        let body = rest.get(..length)?;
        self.read += 2 + length;
        Some(Ok(body))
    }

    /// Octets that wait for the rest of their frame.
    ///
    /// docs/radio-link.md 2
    #[must_use]
    pub fn pending(&self) -> usize {
        self.octets.len() - self.read
    }

    /// Forgets what was handed out; frames may have held keys, so it is wiped.
    pub(crate) fn wipe_read(&mut self) {
        let pending = self.pending();
        self.octets.copy_within(self.read.., 0);
        if let Some(stale) = self.octets.get_mut(pending..) {
            stale.zeroize();
        }
        self.octets.truncate(pending);
        self.read = 0;
    }
}

impl core::fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FrameDecoder").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

impl Drop for FrameDecoder {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(decoder: &mut FrameDecoder) -> Vec<Result<Vec<u8>, Error>> {
        let mut found = Vec::new();
        while let Some(body) = decoder.next_body() {
            let failed = body.is_err();
            found.push(body.map(<[u8]>::to_vec));
            if failed {
                break;
            }
        }
        found
    }

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let stream = [0, 1, 4, 0, 3, 0x42, 7, 8, 0, 1, 5];
        for cut in 1..=stream.len() {
            let mut decoder = FrameDecoder::new();
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece);
                found.extend(bodies(&mut decoder));
            }
            assert_eq!(found, [Ok(vec![4]), Ok(vec![0x42, 7, 8]), Ok(vec![5])], "cut each {cut}");
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn an_empty_or_overlong_frame_is_refused_by_its_length_alone() {
        for stream in [[0, 0], [0x10, 0x01]] {
            let mut decoder = FrameDecoder::new();
            decoder.push(&stream);
            assert_eq!(bodies(&mut decoder), [Err(Error::Malformed { at: 0, rule: Rule::FrameLength })]);
        }
    }

    #[test]
    fn what_was_read_is_wiped_and_forgotten() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[0, 2, 0xaa, 0xaa, 0, 9, 1]);
        assert_eq!(bodies(&mut decoder).len(), 1);
        decoder.wipe_read();
        assert_eq!(decoder.octets, [0, 9, 1]);
        assert_eq!(decoder.pending(), 3);
    }
}
