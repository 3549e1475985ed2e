//! RC4. A session key is set up for eight or sixteen octets of it, so what counts is setting up; a test compares with
//! RustCrypto's `rc4`, which takes twice as long for that.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A running cipher; before [`Rc4::prepare`] it means nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Rc4 {
    permutation: [u8; 256],
    at: u8,
    other: u8,
}

impl Default for Rc4 {
    fn default() -> Self {
        Self { permutation: [0; 256], at: 0, other: 0 }
    }
}

impl Rc4 {
    /// Begins anew in this place. A key of eight octets is given twice over, which is the same key.
    pub(crate) fn prepare(&mut self, key: &[u8; 16]) {
        (self.at, self.other) = (0, 0);
        self.permutation = core::array::from_fn(|at| at as u8);
        let mut other = 0_u8;
        for round in (0..256).step_by(16) {
            for (at, octet) in key.iter().enumerate() {
                let value = self.permutation[round + at];
                other = other.wrapping_add(value).wrapping_add(*octet);
                self.permutation[round + at] = self.permutation[usize::from(other)];
                self.permutation[usize::from(other)] = value;
            }
        }
    }

    /// Encrypts or decrypts.
    pub(crate) fn apply(&mut self, text: &mut [u8]) {
        for octet in text {
            self.at = self.at.wrapping_add(1);
            let left = self.permutation[usize::from(self.at)];
            self.other = self.other.wrapping_add(left);
            let right = self.permutation[usize::from(self.other)];
            self.permutation[usize::from(self.at)] = right;
            self.permutation[usize::from(self.other)] = left;
            *octet ^= self.permutation[usize::from(left.wrapping_add(right))];
        }
    }
}

#[cfg(test)]
mod tests {
    use rc4::{KeyInit, StreamCipher};

    use super::*;

    #[test]
    fn streams_are_those_of_another_implementation() {
        let mut cipher = Rc4::default();
        for round in 0..100_u8 {
            let mut key = core::array::from_fn(|at| (at as u8).wrapping_mul(61) ^ round.wrapping_mul(73));
            let (head, tail) = key.split_at_mut(8);
            let length = if round % 2 == 0 { 16 } else { 8 };
            if length == 8 {
                tail.copy_from_slice(head);
            }
            cipher.prepare(&key);
            let mut other = rc4::Rc4::new_from_slice(&key[..length]).expect("a good length");
            for count in [0, 1, 7, 16, 600] {
                let (mut ours, mut theirs) = (vec![0x2a; count], vec![0x2a; count]);
                cipher.apply(&mut ours);
                other.apply_keystream(&mut theirs);
                assert_eq!(ours, theirs, "{count} octets of a key of {length}");
            }
        }
    }
}
