//! The DECT character set: IA5 with control codes of the display and the keypad.

use std::{borrow::Cow, fmt, str::FromStr};

use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
    few::Few,
};

/// Characters of a display or keypad element, one octet each.
///
/// The text form maps octets 0 to 7F to the same control codes and letters and octets 80 to FF to Latin-1.
///
/// EN 300 175-5 annex D
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Characters<const LIMIT: usize = 250>(Few);

impl<const LIMIT: usize> Characters<LIMIT> {
    /// The characters of received octets.
    ///
    /// EN 300 175-5 annex D
    pub fn from_octets(octets: &[u8]) -> Result<Self, Error> {
        if octets.len() > LIMIT { Err(Error::Value(Rule::TooLong)) } else { Ok(Self(Few::new(octets))) }
    }

    /// Writes a text with the characters every portable part can show: letters with marks lose them, what has no
    /// likeness becomes a question mark, what exceeds the limit is cut.
    ///
    /// EN 300 175-5 annex D
    pub fn from_text(text: &str) -> Self {
        let octets: Vec<u8> = text
            .chars()
            .flat_map(|character| plain(character).into_owned().into_bytes())
            .take(LIMIT)
            .collect();
        Self(Few::new(&octets))
    }

    /// Writes a text in Latin-1, for portable parts that announced it; the rest as [`from_text`](Self::from_text).
    ///
    /// EN 300 175-5 7.7.41, annex D
    pub fn from_latin1(text: &str) -> Self {
        let octets: Vec<u8> = text
            .chars()
            .flat_map(|character| match u8::try_from(character) {
                Ok(octet) => vec![octet],
                Err(_) => plain(character).into_owned().into_bytes(),
            })
            .take(LIMIT)
            .collect();
        Self(Few::new(&octets))
    }

    /// The octets as sent.
    ///
    /// EN 300 175-5 annex D
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The text without control codes, spaces in the place of cursor movements.
    ///
    /// EN 300 175-5 annex D
    pub fn printable(&self) -> String {
        let text: String = self.0.iter().map(|octet| char::from(*octet)).collect();
        text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The likeness of a character within IA5.
fn plain(character: char) -> Cow<'static, str> {
    let likeness = match character {
        '\u{0}'..='\u{7f}' => return character.to_string().into(),
        'Ä' => "Ae",
        'Ö' => "Oe",
        'Ü' => "Ue",
        'ä' => "ae",
        'ö' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'À'..='Å' => "A",
        'Æ' => "AE",
        'Ç' => "C",
        'È'..='Ë' => "E",
        'Ì'..='Ï' => "I",
        'Ñ' => "N",
        'Ò'..='Ø' => "O",
        'Ù'..='Û' => "U",
        'Ý' => "Y",
        'à'..='å' => "a",
        'æ' => "ae",
        'ç' => "c",
        'è'..='ë' => "e",
        'ì'..='ï' => "i",
        'ñ' => "n",
        'ò'..='ø' => "o",
        'ù'..='û' => "u",
        'ý' | 'ÿ' => "y",
        '‘' | '’' => "'",
        '“' | '”' | '„' => "\"",
        '–' | '—' => "-",
        '…' => "...",
        '\u{a0}' => " ",
        _ => "?",
    };
    likeness.into()
}

impl<const LIMIT: usize> fmt::Display for Characters<LIMIT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.iter().try_for_each(|octet| f.write_char(char::from(*octet)))
    }
}

impl<const LIMIT: usize> fmt::Debug for Characters<LIMIT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl<const LIMIT: usize> FromStr for Characters<LIMIT> {
    type Err = Error;

    /// Reads the text form; a character beyond Latin-1 is an error.
    fn from_str(text: &str) -> Result<Self, Error> {
        let octets: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        Self::from_octets(&octets.map_err(|_| Error::Value(Rule::Range))?)
    }
}

serde_as_text!(limited Characters<LIMIT>);

/// Control codes of the character set.
///
/// EN 300 175-5 annex D
pub mod control {
    /// Null; as a keypad character it stops the DTMF tone.
    pub const NULL: u8 = 0x00;
    /// Return home.
    pub const RETURN_HOME: u8 = 0x02;
    /// Return to the end.
    pub const RETURN_END: u8 = 0x03;
    /// Dialling pause.
    pub const PAUSE: u8 = 0x05;
    /// Clear the display and return home.
    pub const CLEAR: u8 = 0x0c;
    /// Flash off.
    pub const FLASH_OFF: u8 = 0x0e;
    /// Flash on.
    pub const FLASH_ON: u8 = 0x0f;
    /// Go to pulse dialling.
    pub const GO_TO_PULSE: u8 = 0x12;
    /// Go to DTMF, defined tone length.
    pub const GO_TO_DTMF: u8 = 0x14;
    /// Register recall, the R key.
    pub const REGISTER_RECALL: u8 = 0x15;
    /// Go to DTMF, the tone lasts until the next character.
    pub const GO_TO_DTMF_INFINITE: u8 = 0x16;
    /// Internal call.
    pub const INTERNAL_CALL: u8 = 0x17;
    /// Service call.
    pub const SERVICE_CALL: u8 = 0x18;
    /// Clear to the end of the display.
    pub const CLEAR_TO_END: u8 = 0x19;
    /// Clear to the end of the line.
    pub const CLEAR_LINE: u8 = 0x1a;
    /// Supplementary service: a code of NG-DECT follows.
    pub const SUPPLEMENTARY_SERVICE: u8 = 0x1c;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_folded_to_what_every_portable_part_can_show() {
        assert_eq!(
            Characters::<250>::from_text("Jürgen Großmann – “é”€").octets(),
            b"Juergen Grossmann - \"e\"?"
        );
        assert_eq!(Characters::<3>::from_text("abcd").octets(), b"abc");
        assert_eq!(Characters::<250>::from_latin1("Jürgen –").octets(), b"J\xfcrgen -");
    }

    #[test]
    fn control_codes_survive_the_text_form_and_are_left_out_of_the_printable_one() {
        let characters = Characters::<250>::from_octets(b"\x0cHello\x0dWorld\xe4").unwrap();
        assert_eq!(characters.to_string(), "\u{c}Hello\rWorldä");
        assert_eq!(characters.to_string().parse(), Ok(characters.clone()));
        assert_eq!(characters.printable(), "Hello Worldä");
        assert!("€".parse::<Characters>().is_err());
    }
}
