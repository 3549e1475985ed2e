//! Passwords of administrators: hashed with Argon2id.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};

/// The hash of a password, with a random salt, as text.
pub fn hash(password: &str) -> Result<String, Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

/// Whether a password fits a hash. Takes as long without a hash, so that names cannot be told by time.
pub fn fits(password: &str, hash: Option<&str>) -> bool {
    let Some(hash) = hash.and_then(|hash| PasswordHash::new(hash).ok()) else {
        // The work is done and thrown away.
        let _ = Argon2::default().hash_password(password.as_bytes());
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_fits_its_hash() {
        let one = hash("correct horse").unwrap();
        assert!(one.starts_with("$argon2id$"));
        assert_ne!(one, hash("correct horse").unwrap(), "the salt is random");
        assert!(fits("correct horse", Some(&one)));
        assert!(!fits("Correct horse", Some(&one)));
        assert!(!fits("", Some(&one)));
        assert!(!fits("correct horse", None));
        assert!(!fits("correct horse", Some("no hash")));
    }
}
