//! MESSAGE-INTEGRITY-SHA256.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::integrity::Integrity;
use super::message::Message;

/// A key for MESSAGE-INTEGRITY-SHA256.
///
/// RFC 8489 14.6
#[derive(Clone)]
pub struct Sha256Key(Zeroizing<Vec<u8>>);

impl Sha256Key {
    /// The key of short-term credentials: the password itself.
    ///
    /// RFC 8489 9.1.1
    pub fn short_term(password: &[u8]) -> Self {
        Self(Zeroizing::new(password.to_vec()))
    }

    /// The key of long-term credentials: SHA-256 over `username:realm:password`.
    ///
    /// RFC 8489 18.5.1.2
    pub fn long_term(username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [username, b":", realm, b":", password] {
            hash.update(part);
        }
        Self(Zeroizing::new(hash.finalize().to_vec()))
    }

    /// The value of MESSAGE-INTEGRITY-SHA256 over `text`, with another length in its header.
    pub(super) fn tag(&self, text: &[u8], length: u16) -> [u8; 32] {
        let mut tag = [0; 32];
        // HMAC takes a key of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(text.get(..2).unwrap_or_default());
            mac.update(&length.to_be_bytes());
            mac.update(text.get(4..).unwrap_or_default());
            tag.copy_from_slice(&mac.finalize().into_bytes());
        }
        tag
    }
}

impl fmt::Debug for Sha256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256Key(..)")
    }
}

impl Message<'_> {
    /// What MESSAGE-INTEGRITY-SHA256 says under a key; compared in constant time.
    ///
    /// RFC 8489 14.6
    pub fn integrity_sha256(&self, key: &Sha256Key) -> Integrity {
        let Some((text, found)) = self.sha256_parts() else { return Integrity::Absent };
        let length = text.len() + 4 + found.len() - 20;
        let computed = key.tag(text, length as u16);
        match computed.get(..found.len()) {
            Some(computed) if bool::from(computed.ct_eq(found)) => Integrity::Genuine,
            _ => Integrity::Forged,
        }
    }
}
