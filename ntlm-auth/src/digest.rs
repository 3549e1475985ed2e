//! The four primitives of NTLM, each behind one function or type.

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};
use zeroize::{Zeroize, Zeroizing};

/// Sixteen octets that are wiped when dropped.
pub(crate) type Secret16 = Zeroizing<[u8; 16]>;

pub(crate) fn md4(text: &[u8]) -> Secret16 {
    Zeroizing::new(Md4::digest(text).into())
}

pub(crate) fn md5(parts: &[&[u8]]) -> Secret16 {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
    }
    Zeroizing::new(digest.finalize().into())
}

pub(crate) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Secret16 {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else {
        return Zeroizing::new([0; 16]);
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The key stream of RC4, from which octets can be looked at before they are used up.
pub(crate) struct KeyStream {
    cipher: Rc4,
    /// Octets that were made and not yet used up.
    ahead: Zeroizing<Vec<u8>>,
}

impl KeyStream {
    /// The key has 5 to 16 octets, always.
    pub(crate) fn new(key: &[u8]) -> Self {
        let cipher = Rc4::new_from_slice(key).unwrap_or_else(|_| Rc4::new(&[0; 32].into()));
        Self { cipher, ahead: Zeroizing::new(Vec::new()) }
    }

    /// Encrypts or decrypts with octets `from` on of what is to come, without using them up.
    pub(crate) fn apply_ahead(&mut self, from: usize, text: &mut [u8]) {
        let end = from + text.len();
        if self.ahead.len() < end {
            let mut more = Zeroizing::new(vec![0; end - self.ahead.len()]);
            self.cipher.apply_keystream(&mut more);
            let mut ahead = Zeroizing::new(Vec::with_capacity(end));
            ahead.extend_from_slice(&self.ahead);
            ahead.extend_from_slice(&more);
            self.ahead = ahead;
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
            self.cipher.apply_keystream(text);
        } else {
            self.apply_ahead(0, text);
            self.advance(text.len());
        }
    }
}

/// CRC-32 of the signatures without extended session security.
pub(crate) fn crc32(text: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for octet in text {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            let carry = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            crc = (crc >> 1) ^ carry;
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_have_their_known_values() {
        assert_eq!(md4(b"").as_slice(), 0x31d6_cfe0_d16a_e931_b73c_59d7_e0c0_89c0_u128.to_be_bytes());
        assert_eq!(
            md5(&[b"message ", b"digest"]).as_slice(),
            0xf96b_697d_7cb7_938d_525a_2f31_aaf1_61d0_u128.to_be_bytes()
        );
        assert_eq!(
            hmac_md5(&[0x0b; 16], &[b"Hi There"]).as_slice(),
            0x9294_727a_3638_bb1c_13f4_8ef8_158b_fc9d_u128.to_be_bytes()
        );
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let mut text = *b"Plaintext";
        KeyStream::new(b"Key").apply(&mut text);
        assert_eq!(text, [0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3]);
    }

    #[test]
    fn looking_ahead_uses_nothing_up() {
        let mut whole = [0; 20];
        KeyStream::new(b"Key").apply(&mut whole);
        let mut stream = KeyStream::new(b"Key");
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
