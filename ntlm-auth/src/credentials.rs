//! Who logs in, and the keys that follow from a password.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::digest::{Inline16, MacKey, Secret16, hmac_md5, md4};
use crate::text::{push_utf16, upper, utf16};

/// The hash of a password (NTOWFv1). Whoever has it can log in: it is worth as much as the password.
///
/// MS-NLMP 3.3.1
#[derive(Clone)]
pub struct NtHash(Secret16);

impl NtHash {
    /// The hash of a password.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn of_password(password: &str) -> Self {
        let mut hash = Self(Secret16::default());
        md4(&utf16(password), &mut hash.0);
        hash
    }

    /// A hash that was stored.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn from_octets(mut hash: [u8; 16]) -> Self {
        let kept = Secret16::of(&hash);
        hash.zeroize();
        Self(kept)
    }

    /// The octets, for storing and for test benches.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// The key of responses (NTOWFv2): depends on the user's name in upper case and on the domain as it is sent.
    ///
    /// MS-NLMP 3.3.2
    #[must_use]
    pub fn response_key(&self, user: &str, domain: &str) -> ResponseKey {
        ResponseKey::new(&self.0, user, domain)
    }

    /// Whether it is the hash of no password at all.
    pub(crate) fn is_of_nothing(&self) -> bool {
        self.0.as_slice().ct_eq(&OF_NOTHING).into()
    }
}

/// MD4 of an empty text.
const OF_NOTHING: [u8; 16] = 0x31d6_cfe0_d16a_e931_b73c_59d7_e0c0_89c0_u128.to_be_bytes();

/// The key of NTLMv2 responses.
///
/// MS-NLMP 3.3.2
#[derive(Clone)]
pub struct ResponseKey(Box<ReadyKey>);

/// On the heap: being moved leaves no copy behind.
#[derive(Clone, Default)]
struct ReadyKey {
    key: Inline16,
    mac: MacKey,
}

impl ResponseKey {
    pub(crate) fn new(hash: &[u8; 16], user: &str, domain: &str) -> Self {
        let mut name = Vec::with_capacity(2 * (user.len() + domain.len()));
        push_utf16(&mut name, upper(user).chain(domain.chars()));
        let mut ready = Box::<ReadyKey>::default();
        hmac_md5(hash, &[&name], &mut ready.key);
        ready.mac.prepare(&ready.key);
        Self(ready)
    }

    /// The octets, for test benches.
    ///
    /// MS-NLMP 3.3.2
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0.key
    }

    pub(crate) fn mac(&self, parts: &[&[u8]], code: &mut [u8; 16]) {
        self.0.mac.mac(parts, code);
    }
}

/// Who logs in. An address `user@domain` goes into the user with an empty domain.
///
/// MS-NLMP 3.1.1.1
#[derive(Clone)]
pub struct Credentials {
    /// The domain, or nothing.
    pub domain: String,
    /// The user.
    pub user: String,
    /// The hash of the password.
    pub hash: NtHash,
}

impl Credentials {
    /// Of a user with a password.
    ///
    /// MS-NLMP 3.1.1.1
    #[must_use]
    pub fn new(domain: impl Into<String>, user: impl Into<String>, password: &str) -> Self {
        Self { domain: domain.into(), user: user.into(), hash: NtHash::of_password(password) }
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}

impl fmt::Debug for ResponseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseKey(..)")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("domain", &self.domain)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
