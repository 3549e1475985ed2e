//! The key stream of RC4, from which octets can be looked at before they are used up.

use zeroize::{Zeroize, Zeroizing};

use super::rc4::Rc4;

/// A running key stream.
#[derive(Default)]
pub(crate) struct KeyStream {
    cipher: Rc4,
    /// Octets that were made and not yet used up.
    ahead: Zeroizing<Vec<u8>>,
}

impl KeyStream {
    /// The stream of a key, begun where it stays.
    pub(crate) fn prepare(&mut self, key: &[u8; 16]) {
        self.cipher.prepare(key);
        self.advance(self.ahead.len());
    }

    /// On the heap, ready to look ahead at signatures without allocating.
    pub(crate) fn looking_ahead(key: &[u8; 16]) -> Box<Self> {
        let mut stream = Box::<Self>::default();
        stream.ahead.reserve(SIGNATURE_OCTETS);
        stream.prepare(key);
        stream
    }

    /// Encrypts or decrypts with octets `from` on of what is to come, without using them up.
    pub(crate) fn apply_ahead(&mut self, from: usize, text: &mut [u8]) {
        let (made, end) = (self.ahead.len(), from.saturating_add(text.len()));
        if made < end {
            if self.ahead.capacity() < end {
                // Growing in place would leave octets behind unwiped.
                let mut ahead = Zeroizing::new(Vec::with_capacity(end));
                ahead.extend_from_slice(&self.ahead);
                self.ahead = ahead;
            }
            self.ahead.resize(end, 0);
            if let Some(more) = self.ahead.get_mut(made..) {
                self.cipher.apply(more);
            }
        }
        for (octet, key) in text.iter_mut().zip(self.ahead.iter().skip(from)) {
            *octet ^= key;
        }
    }

    /// Uses octets up.
    pub(crate) fn advance(&mut self, count: usize) {
        let count = count.min(self.ahead.len());
        if let Some(used) = self.ahead.get_mut(..count) {
            used.zeroize();
        }
        self.ahead.drain(..count);
    }

    /// Encrypts or decrypts and uses the octets up.
    pub(crate) fn apply(&mut self, text: &mut [u8]) {
        if self.ahead.is_empty() {
            self.cipher.apply(text);
        } else {
            self.apply_ahead(0, text);
            self.advance(text.len());
        }
    }
}

/// Octets of a key stream that a signature takes at most.
pub(crate) const SIGNATURE_OCTETS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = *b"sixteen octets..";

    fn stream() -> KeyStream {
        let mut stream = KeyStream::default();
        stream.prepare(&KEY);
        stream
    }

    #[test]
    fn looking_ahead_uses_nothing_up() {
        let mut whole = [0; 20];
        stream().apply(&mut whole);
        let mut stream = KeyStream::looking_ahead(&KEY);
        let mut ahead = [0; 8];
        stream.apply_ahead(4, &mut ahead);
        assert_eq!(ahead, whole[4..12]);
        let mut first = [0; 6];
        stream.apply(&mut first);
        assert_eq!(first, whole[..6]);
        let mut rest = [0; 14];
        stream.apply(&mut rest);
        assert_eq!(rest, whole[6..]);
    }
}
