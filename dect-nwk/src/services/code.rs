//! Control codes in keypad characters.

use crate::characters::control;

/// What a user wants by a key or a code, as the keypad carries it. The codes behind the supplementary service character
/// are those of NG-DECT part 3; that of intrusion is inferred.
///
/// EN 300 175-5 10.2, annex D
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlCode {
    /// The R key alone.
    RegisterRecall,
    /// The key for internal calls.
    InternalCall,
    /// A second call to the outside.
    SecondCall,
    /// A second call inside.
    SecondInternalCall,
    /// To the other call.
    Toggle,
    /// Both calls together.
    Conference,
    /// End of a call.
    Release,
    /// Join the two far ends.
    Transfer,
    /// Take the waiting call.
    AcceptWaiting,
    /// Refuse the waiting call.
    RejectWaiting,
    /// Send the waiting call to a number outside.
    Deflect,
    /// Send the waiting call to a number inside.
    DeflectInternally,
    /// Break into a call.
    Intrude,
    /// Hold.
    Hold,
    /// Resume.
    Resume,
    /// Listen to a call that is recorded.
    AcceptScreening,
    /// Take a call that is recorded.
    Intercept,
}

/// Codes and their characters, the longer ones first.
const CODES: [(ControlCode, &[u8]); 17] = [
    (ControlCode::Deflect, &[SERVICE, 0x39, control::REGISTER_RECALL]),
    (ControlCode::DeflectInternally, &[SERVICE, 0x39, control::INTERNAL_CALL]),
    (ControlCode::SecondCall, &[SERVICE, control::REGISTER_RECALL]),
    (ControlCode::SecondInternalCall, &[SERVICE, control::INTERNAL_CALL]),
    (ControlCode::Toggle, &[SERVICE, 0x31]),
    (ControlCode::Conference, &[SERVICE, 0x32]),
    (ControlCode::Release, &[SERVICE, 0x33]),
    (ControlCode::Transfer, &[SERVICE, 0x34]),
    (ControlCode::AcceptWaiting, &[SERVICE, 0x35]),
    (ControlCode::RejectWaiting, &[SERVICE, 0x36]),
    (ControlCode::Intrude, &[SERVICE, 0x40]),
    (ControlCode::Hold, &[SERVICE, 0x41]),
    (ControlCode::Resume, &[SERVICE, 0x42]),
    (ControlCode::AcceptScreening, &[SERVICE, 0x48]),
    (ControlCode::Intercept, &[SERVICE, 0x49]),
    (ControlCode::RegisterRecall, &[control::REGISTER_RECALL]),
    (ControlCode::InternalCall, &[control::INTERNAL_CALL]),
];

const SERVICE: u8 = control::SUPPLEMENTARY_SERVICE;

impl ControlCode {
    /// All codes.
    ///
    /// EN 300 175-5 10.2, annex D
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.iter().map(|(code, _)| *code)
    }

    /// Its characters.
    ///
    /// EN 300 175-5 10.2, annex D
    pub fn characters(self) -> &'static [u8] {
        CODES.iter().find(|(code, _)| *code == self).map_or(&[], |(_, characters)| characters)
    }
}

/// The code with which keypad characters begin, and what follows it: the digits of a number, or nothing. Characters
/// that begin with no code are digits.
///
/// EN 300 175-5 10.2, annex D
pub fn read(keys: &[u8]) -> (Option<ControlCode>, &[u8]) {
    CODES
        .iter()
        .find_map(|(code, characters)| Some((Some(*code), keys.strip_prefix(*characters)?)))
        .unwrap_or((None, keys))
}

/// The keypad characters of a code and a number.
///
/// EN 300 175-5 10.2, annex D
pub fn keys_of(code: ControlCode, number: &str) -> String {
    code.characters().iter().map(|octet| char::from(*octet)).chain(number.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_with_its_number() {
        for code in ControlCode::all() {
            let keys = keys_of(code, "201");
            assert_eq!(read(keys.as_bytes()), (Some(code), &b"201"[..]));
        }
    }

    #[test]
    fn local_codes_and_digits_are_no_control_codes() {
        for keys in [&b"***999*00"[..], b"2001", b"", b"\x1c\x77"] {
            assert_eq!(read(keys), (None, keys));
        }
    }
}
