//! User names and passwords of checks, and what USERNAME is made of.

use core::fmt;

use base64ct::{Base64Unpadded, Encoding as _};
use zeroize::Zeroize;

use super::dialect::Dialect;
use crate::stun::IntegrityKey;

/// A user name and a password, as they stand in a session description.
///
/// RFC 8445 5.3, MS-ICE 2.2
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// `a=ice-ufrag`, or the user name of a draft-6 candidate.
    pub username: Box<str>,
    password: Box<str>,
    /// What stands in USERNAME: the text, in draft 6 its 32 octets.
    wire: Box<[u8]>,
    key: IntegrityKey,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

/// The longest user name or password that is taken. RFC 8839 5.4
const LONGEST: usize = 256;

impl Credentials {
    /// Credentials of a description; `None` when they have not the form the dialect demands.
    ///
    /// RFC 8839 5.4, MS-ICE 2.2
    pub fn parse(dialect: Dialect, username: &str, password: &str) -> Option<Self> {
        if username.len() > LONGEST || password.len() > LONGEST {
            return None;
        }
        let (wire, key) = if dialect.is_draft06() {
            // Live Messenger's family writes the padding.
            let wire = decode(username.trim_end_matches('='))?;
            let mut password = decode(password.trim_end_matches('='))?;
            if wire.is_empty() || password.is_empty() {
                return None;
            }
            let key = IntegrityKey::short_term(&password);
            password.zeroize();
            (wire.into_boxed_slice(), key)
        } else {
            let ice_char = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
            // Shorter than RFC 8839 demands is taken from older peers; nothing else.
            let fits = |text: &str, least| text.len() >= least && text.bytes().all(ice_char);
            if !fits(username, 1) || !fits(password, 16) {
                return None;
            }
            (username.as_bytes().into(), IntegrityKey::short_term(password.as_bytes()))
        };
        Some(Self { username: username.into(), password: password.into(), wire, key })
    }

    /// New credentials from random octets: 4 and 24 characters as Lync writes them, 43 and 22 in draft 6.
    ///
    /// RFC 8445 5.3, MS-ICE 2.2
    pub fn generate(dialect: Dialect, random: &[u8; 48]) -> Self {
        let (name, password) = random.split_at(32);
        let (username, password) = if dialect.is_draft06() {
            (encode(name), encode(password))
        } else {
            // 24 and 144 bits.
            (encode(name.get(..3).unwrap_or_default()), encode(random.get(30..).unwrap_or_default()))
        };
        // What is written here has the form that is read: the second form is never taken.
        Self::parse(dialect, &username, &password).unwrap_or_else(|| Self {
            username: username.into(),
            password: password.into(),
            wire: Box::default(),
            key: IntegrityKey::short_term(random),
        })
    }

    /// The password, to be written into a description.
    ///
    /// RFC 8839 5.4
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The key of MESSAGE-INTEGRITY in checks sent to the owner of these credentials.
    pub(super) const fn key(&self) -> &IntegrityKey {
        &self.key
    }

    /// What stands in USERNAME.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }
}

/// Appends the USERNAME of a check: the receiver's name, a colon, the sender's.
///
/// RFC 8445 7.2.2, MS-ICE 2.2 (as seen)
pub(super) fn username(dialect: Dialect, receiver: &[u8], sender: &[u8], component: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(receiver);
    out.push(b':');
    if dialect.is_draft06() {
        let component = component.to_string();
        out.extend_from_slice(component.as_bytes());
        out.push(b':');
        out.extend_from_slice(sender);
        out.push(b':');
        out.extend_from_slice(component.as_bytes());
    } else {
        out.extend_from_slice(sender);
    }
}

/// The two names in the USERNAME of a received check; the first is looked up by its length in draft 6, because its
/// octets are any.
///
/// RFC 8445 7.3, MS-ICE 2.2 (as seen)
pub(super) fn names<'u, 'o>(
    dialect: Dialect,
    username: &'u [u8],
    mut ours: impl Iterator<Item = &'o [u8]>,
    component: u16,
) -> Option<(&'u [u8], &'u [u8])> {
    if dialect.is_draft06() {
        let component = component.to_string();
        for ours in ours {
            let Some(sender) = username
                .strip_prefix(ours)
                .and_then(|rest| rest.strip_prefix(b":"))
                .and_then(|rest| rest.strip_prefix(component.as_bytes()))
                .and_then(|rest| rest.strip_prefix(b":"))
            else {
                continue;
            };
            // Zeros behind it are stripped where it was read.
            let end = sender.len().checked_sub(1 + component.len())?;
            let (sender, tail) = sender.split_at(end);
            let receiver = username.get(..ours.len())?;
            return (tail.first() == Some(&b':')).then_some((receiver, sender));
        }
        return None;
    }
    let colon = username.iter().position(|b| *b == b':')?;
    let (receiver, sender) = (username.get(..colon)?, username.get(colon + 1..)?);
    ours.any(|ours| ours == receiver).then_some((receiver, sender))
}

fn encode(octets: &[u8]) -> String {
    Base64Unpadded::encode_string(octets)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    Base64Unpadded::decode_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_credentials_have_the_lengths_of_lync() {
        let mut random = [0; 48];
        for (octet, value) in random.iter_mut().zip(7_u8..) {
            *octet = value.wrapping_mul(37);
        }
        for (dialect, name, password, wire) in
            [(Dialect::Rfc8445, 4, 24, 4), (Dialect::MsIce2, 4, 24, 4), (Dialect::Draft06, 43, 22, 32)]
        {
            let made = Credentials::generate(dialect, &random);
            assert_eq!(
                (made.username.len(), made.password().len(), made.wire().len()),
                (name, password, wire)
            );
            assert_eq!(Credentials::parse(dialect, &made.username, made.password()), Some(made));
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let credentials = Credentials::parse(Dialect::Rfc8445, "abcd", "0123456789abcdefghijklmn").unwrap();
        assert!(!format!("{credentials:?}").contains("0123"));
    }

    #[test]
    fn forms_that_are_not_allowed_are_refused() {
        let long = "a".repeat(257);
        for (dialect, name, password) in [
            (Dialect::Rfc8445, "", "0123456789abcdefghijklmn"),
            (Dialect::Rfc8445, "ab:d", "0123456789abcdefghijklmn"),
            (Dialect::Rfc8445, "abcd", "short"),
            (Dialect::MsIce2, "abcd", "0123456789abcdefghij\u{e9}"),
            (Dialect::MsIce2, &long, "0123456789abcdefghijklmn"),
            (Dialect::Draft06, "!!", "n3w+HVX/YpbRdkfVgkmGjg"),
            (Dialect::Draft06, "THib", ""),
        ] {
            assert_eq!(Credentials::parse(dialect, name, password), None, "{name} {password}");
        }
        let padded = Credentials::parse(
            Dialect::Draft06,
            "uNXO83rf43KagBxAChXdo4mUMjA3nN/ENpm4qEDyNHw=",
            "n3w+HVX/YpbRdkfVgkmGjg==",
        )
        .unwrap();
        assert_eq!(padded.wire().len(), 32);
    }

    #[test]
    fn user_names_are_taken_apart_as_they_are_put_together() {
        let mut out = Vec::new();
        username(Dialect::MsIce2, b"rEm1", b"LoC2", 1, &mut out);
        assert_eq!(out, b"rEm1:LoC2");
        let split = |name, ours: &'static [u8]| names(Dialect::MsIce2, name, [ours].into_iter(), 1);
        assert_eq!(split(&b"rEm1:LoC2"[..], b"rEm1"), Some((&b"rEm1"[..], &b"LoC2"[..])));
        assert_eq!(split(b"rEm1:LoC2", b"rEm2"), None);
        assert_eq!(split(b"rEm1", b"rEm1"), None);

        // Raw octets may hold colons and zeros.
        let (ours, theirs) = ([b':'; 32], [0_u8; 32]);
        out.clear();
        username(Dialect::Draft06, &ours, &theirs, 2, &mut out);
        assert_eq!(out.len(), 69);
        let others = [9_u8; 32];
        let known = || [&others[..], &ours[..]].into_iter();
        assert_eq!(names(Dialect::Draft06, &out, known(), 2), Some((&ours[..], &theirs[..])));
        assert_eq!(names(Dialect::Draft06, &out, known(), 1), None);
        assert_eq!(names(Dialect::Draft06, &out[..60], known(), 2), None);
    }
}
