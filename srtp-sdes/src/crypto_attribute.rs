//! The `a=crypto` attribute.

use core::fmt;
use core::ops::Range;

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Rule};
use crate::{CryptoSuite, Lifetime, MasterKey, MasterKeyIdentifier, MasterSalt, SessionParameter};

/// One key of a line: `inline:` key and salt, lifetime and MKI.
///
/// RFC 4568 6.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyParameter {
    /// The master key.
    pub key: MasterKey,
    /// The master salt.
    pub salt: MasterSalt,
    /// How many packets the key may protect, if the line says so.
    pub lifetime: Option<Lifetime>,
    /// The identifier that marks the key's packets, if there is one.
    pub mki: Option<MasterKeyIdentifier>,
}

impl KeyParameter {
    /// A key with neither lifetime nor MKI.
    ///
    /// RFC 4568 6.1
    pub const fn new(key: MasterKey, salt: MasterSalt) -> Self {
        Self { key, salt, lifetime: None, mki: None }
    }
}

/// An `a=crypto` line: tag, suite, one or more keys, session parameters.
///
/// RFC 4568 4.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CryptoAttribute {
    /// The number by which an answer names the line.
    pub tag: u32,
    /// The suite of all its keys.
    pub suite: CryptoSuite,
    /// The keys; more than one only with distinct MKIs.
    pub keys: Vec<KeyParameter>,
    /// The session parameters in their order.
    pub session_parameters: Vec<SessionParameter>,
    /// Digits of the tag as it was written.
    tag_digits: usize,
}

impl CryptoAttribute {
    /// A line with one key.
    ///
    /// RFC 4568 4.1
    pub fn new(tag: u32, suite: CryptoSuite, key: KeyParameter) -> Self {
        Self { tag, suite, keys: vec![key], session_parameters: Vec::new(), tag_digits: 0 }
    }

    /// Reads a line, with or without `a=` and `crypto:` before it; extra blanks and missing base64 padding are tolerated.
    ///
    /// RFC 4568 9.2
    pub fn parse(line: &str) -> Result<Self, Error> {
        let malformed = |at: usize, rule: Rule| Error::Malformed { at, rule };
        let rest = match line.strip_prefix("a=") {
            Some(rest) => rest.strip_prefix("crypto:").ok_or_else(|| malformed(2, Rule::Attribute))?,
            None => line.strip_prefix("crypto:").unwrap_or(line),
        };
        if rest.len() == line.len() && !line.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(malformed(0, Rule::Attribute));
        }
        let mut words = Words { line, at: line.len() - rest.len() };

        let (at, tag_text) = words.next().ok_or_else(|| malformed(line.len(), Rule::Tag))?;
        if tag_text.len() > 9 || !tag_text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed(at, Rule::Tag));
        }
        let tag = tag_text.parse().map_err(|_| malformed(at, Rule::Tag))?;

        let (at, suite) = words.next().ok_or_else(|| malformed(line.len(), Rule::Suite))?;
        let suite = CryptoSuite::from_token(suite).ok_or_else(|| malformed(at, Rule::Suite))?;

        let (mut at, keys_text) = words.next().ok_or_else(|| malformed(line.len(), Rule::KeyMethod))?;
        let mut keys: Vec<KeyParameter> = Vec::new();
        for text in keys_text.split(';') {
            let key = parse_key(suite, text).map_err(|(offset, rule)| malformed(at + offset, rule))?;
            if !fits_the_others(&keys, &key) {
                return Err(malformed(at, Rule::MkiSet));
            }
            keys.push(key);
            at += text.len() + 1;
        }

        let mut session_parameters: Vec<SessionParameter> = Vec::new();
        for (at, text) in words {
            let parameter = SessionParameter::parse(text).map_err(|rule| malformed(at, rule))?;
            if session_parameters.iter().any(|other| other.same_name(&parameter)) {
                return Err(malformed(at, Rule::SessionParameter));
            }
            session_parameters.push(parameter);
        }
        Ok(Self { tag, suite, keys, session_parameters, tag_digits: tag_text.len() })
    }

    /// The MKI of the line's first key.
    ///
    /// RFC 4568 6.1
    pub fn mki(&self) -> Option<&MasterKeyIdentifier> {
        self.keys.first().and_then(|key| key.mki.as_ref())
    }

    /// The line under the tag of another, digit for digit.
    pub(crate) const fn with_tag_of(mut self, other: &Self) -> Self {
        self.tag = other.tag;
        self.tag_digits = other.tag_digits;
        self
    }
}

impl fmt::Display for CryptoAttribute {
    /// The value behind `a=crypto:`; it holds the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$} {} ", self.tag, self.suite, width = self.tag_digits)?;
        for (number, key) in self.keys.iter().enumerate() {
            if number > 0 {
                f.write_str(";")?;
            }
            write!(f, "{key}")?;
        }
        for parameter in &self.session_parameters {
            write!(f, " {parameter}")?;
        }
        Ok(())
    }
}

impl fmt::Display for KeyParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = Zeroizing::new([self.key.as_bytes(), self.salt.as_bytes()].concat());
        let text = Zeroizing::new(Base64::encode_string(&octets));
        write!(f, "inline:{}", text.as_str())?;
        if let Some(lifetime) = &self.lifetime {
            write!(f, "|{lifetime}")?;
        }
        if let Some(mki) = &self.mki {
            write!(f, "|{mki}")?;
        }
        Ok(())
    }
}

/// The words of a line with their offsets.
struct Words<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.line.get(self.at..)?;
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        let trimmed = rest.trim_start_matches(blank);
        let start = self.line.len() - trimmed.len();
        let word = trimmed.split(blank).next().filter(|word| !word.is_empty())?;
        self.at = start + word.len();
        Some((start, word))
    }
}

/// Several keys of one line have distinct MKIs of equal length.
fn fits_the_others(keys: &[KeyParameter], key: &KeyParameter) -> bool {
    keys.iter().all(|other| match (&other.mki, &key.mki) {
        (Some(a), Some(b)) => a != b && a.as_bytes().len() == b.as_bytes().len(),
        _ => false,
    })
}

fn parse_key(suite: CryptoSuite, text: &str) -> Result<KeyParameter, (usize, Rule)> {
    const METHOD: Range<usize> = 0.."inline:".len();
    let method = text.get(METHOD).filter(|method| method.eq_ignore_ascii_case("inline:"));
    if method.is_none() {
        return Err((0, Rule::KeyMethod));
    }
    let mut at = METHOD.end;
    let mut fields = text.get(at..).unwrap_or_default().split('|');
    let inline = fields.next().unwrap_or_default();
    let (key, salt) = parse_inline(suite, inline).map_err(|rule| (at, rule))?;
    let mut parameter = KeyParameter::new(key, salt);
    at += inline.len() + 1;
    // The lifetime stands before the MKI; older senders turn them round, and either may be missing.
    for field in fields {
        match field.split_once(':') {
            Some((value, length)) if parameter.mki.is_none() => {
                let octets = parse_mki_length(length).ok_or((at, Rule::MkiLength))?;
                let mki = MasterKeyIdentifier::from_decimal(value, octets).ok_or((at, Rule::MkiValue))?;
                parameter.mki = Some(mki);
            }
            None if parameter.lifetime.is_none() => {
                parameter.lifetime = Some(Lifetime::parse(field).ok_or((at, Rule::Lifetime))?);
            }
            _ => return Err((at, Rule::KeyField)),
        }
        at += field.len() + 1;
    }
    Ok(parameter)
}

fn parse_mki_length(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|length| (1..=128).contains(length))
}

fn parse_inline(suite: CryptoSuite, text: &str) -> Result<(MasterKey, MasterSalt), Rule> {
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return Err(Rule::Base64);
    }
    let mut octets = [0_u8; 64];
    let decoded = match Base64Unpadded::decode(bare, &mut octets) {
        Ok(decoded) => split_key(suite, decoded),
        Err(base64ct::Error::InvalidLength) if bare.len() > 80 => Err(Rule::KeyLength),
        Err(_) => Err(Rule::Base64),
    };
    octets.zeroize();
    decoded
}

fn split_key(suite: CryptoSuite, octets: &[u8]) -> Result<(MasterKey, MasterSalt), Rule> {
    let (key, salt) = octets.split_at_checked(suite.master_key_length()).ok_or(Rule::KeyLength)?;
    if salt.len() != suite.master_salt_length() {
        return Err(Rule::KeyLength);
    }
    Ok((MasterKey::new(key), MasterSalt::new(salt)))
}
