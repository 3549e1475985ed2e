//! Tokens in cookies, and what protects forms.

use sha2::{Digest, Sha256};

use crate::random;
use crate::store::TokenHash;

/// 256 random bits as hexadecimal text; only the browser has it.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn new() -> Self {
        Self(hexadecimal(&random::octets::<32>()))
    }

    /// Takes what a browser sent, if it can be a token.
    pub(super) fn from_cookie(text: &str) -> Option<Self> {
        (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// What the store keeps.
    pub(super) fn hash(&self) -> TokenHash {
        TokenHash(digest("session", &self.0))
    }

    /// What the forms of this browser must carry: nobody can tell it who does not have the token.
    pub(super) fn form_key(&self) -> String {
        hexadecimal(&digest("form", &self.0))
    }

    /// Whether a form carried it. Digests are compared, so that time tells nothing.
    pub(super) fn is_form_key(&self, given: &str) -> bool {
        digest("compare", given) == digest("compare", &self.form_key())
    }
}

fn digest(purpose: &str, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(text).finalize().into()
}

fn hexadecimal(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 0x0f]);
    digits.filter_map(|digit| DIGITS.get(usize::from(digit))).map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_key_belongs_to_one_token() {
        let (one, two) = (Token::new(), Token::new());
        assert!(one.is_form_key(&one.form_key()));
        assert!(!one.is_form_key(&two.form_key()));
        assert!(!one.is_form_key(""));
        assert_ne!(one.form_key(), one.text());
        assert_ne!(one.hash(), two.hash());
        assert_eq!(Token::from_cookie(one.text()).unwrap().hash(), one.hash());
        assert!(Token::from_cookie("short").is_none());
    }
}
