//! Long-term credentials.

use core::fmt;
use core::hash::{Hash, Hasher};

use zeroize::Zeroizing;

use crate::stun::IntegrityKey;

/// A user name and a password; both may be any octets.
///
/// RFC 8489 9.2, MS-TURN 3.1
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: Vec<u8>,
    password: Zeroizing<Vec<u8>>,
}

impl Credentials {
    /// Credentials from octets. Those of a media relay authentication service are the decoded base64 texts.
    ///
    /// RFC 8489 9.2, MS-AVEDGEA 3.1
    pub fn new(username: &[u8], password: &[u8]) -> Self {
        Self { username: username.to_vec(), password: Zeroizing::new(password.to_vec()) }
    }

    /// The user name.
    ///
    /// RFC 8489 14.3
    pub fn username(&self) -> &[u8] {
        &self.username
    }

    /// The key in a realm; quotes around the realm do not count.
    ///
    /// RFC 8489 9.2.2, MS-TURN 3.1
    pub fn key(&self, realm: &[u8]) -> IntegrityKey {
        IntegrityKey::long_term(&self.username, unquoted(realm), &self.password)
    }
}

impl Hash for Credentials {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.username.hash(state);
        self.password.as_slice().hash(state);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// A text without the pair of quotes around it.
pub(super) fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] => inner,
        text => text,
    }
}
