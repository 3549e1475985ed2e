//! The primitives of NTLM, each behind one function or type.

mod crc32;
mod des;
mod job;
mod key_stream;
mod mac;
mod md5;
mod rc4;

pub(crate) use crc32::crc32;
pub(crate) use des::{des, des_long};
pub(crate) use job::{Job, run_all};
pub(crate) use key_stream::{KeyStream, SIGNATURE_OCTETS};
pub(crate) use mac::{MacKey, hmac_md5};
pub(crate) use rc4::Rc4;

use core::ops::{Deref, DerefMut};

use md4::{Digest, Md4};
use zeroize::Zeroizing;

/// Sixteen octets inside something that stays where it is.
pub(crate) type Inline16 = Zeroizing<[u8; 16]>;

/// Sixteen octets on the heap, wiped when dropped: being moved leaves no copy behind.
#[derive(Default)]
pub(crate) struct Secret16(Box<Inline16>);

impl Secret16 {
    pub(crate) fn of(octets: &[u8; 16]) -> Self {
        let mut secret = Self::default();
        secret.copy_from_slice(octets);
        secret
    }
}

impl Clone for Secret16 {
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl Deref for Secret16 {
    type Target = [u8; 16];

    fn deref(&self) -> &[u8; 16] {
        &self.0
    }
}

impl DerefMut for Secret16 {
    fn deref_mut(&mut self) -> &mut [u8; 16] {
        &mut self.0
    }
}

/// MD4 of a text, written where it stays.
pub(crate) fn md4(text: &[u8], digest: &mut [u8; 16]) {
    Md4::new_with_prefix(text).finalize_into(digest.into());
}

/// MD5 of the parts, one behind the other, written where it stays.
pub(crate) fn md5(parts: &[&[u8]], digest: &mut [u8; 16]) {
    let mut job = Job::new(parts);
    job.run();
    job.write(digest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_have_their_known_values() {
        let mut digest = [0; 16];
        md4(b"", &mut digest);
        assert_eq!(digest, 0x31d6_cfe0_d16a_e931_b73c_59d7_e0c0_89c0_u128.to_be_bytes());
        md5(&[b"message ", b"digest"], &mut digest);
        assert_eq!(digest, 0xf96b_697d_7cb7_938d_525a_2f31_aaf1_61d0_u128.to_be_bytes());
    }
}
