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

/// A set of characters for the octets 80 to FF.
///
/// EN 300 175-5 7.7.41, annex D
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CharacterSet {
    /// None: IA5 alone, which every portable part has.
    #[default]
    Ia5,
    /// ISO 8859-1, western Europe.
    Latin1,
    /// ISO 8859-15, the same with the euro.
    Latin9,
    /// ISO 8859-9, Turkish.
    Latin5,
    /// ISO 8859-7, Greek.
    Greek,
}

/// Where ISO 8859-15 and 8859-9 differ from 8859-1.
const LATIN_9: [(u8, char); 8] =
    [(0xa4, '€'), (0xa6, 'Š'), (0xa8, 'š'), (0xb4, 'Ž'), (0xb8, 'ž'), (0xbc, 'Œ'), (0xbd, 'œ'), (0xbe, 'Ÿ')];
const LATIN_5: [(u8, char); 6] =
    [(0xd0, 'Ğ'), (0xdd, 'İ'), (0xde, 'Ş'), (0xf0, 'ğ'), (0xfd, 'ı'), (0xfe, 'ş')];
/// ISO 8859-7 from A0 on; the replacement character stands where there is none.
const GREEK: [char; 96] = {
    let mut table = ['\u{fffd}'; 96];
    let mut at = 0;
    while at < 96 {
        let octet = 0xa0 + at as u32;
        let code = match octet {
            0xa1 => 0x2018,
            0xa2 => 0x2019,
            0xa4 => 0x20ac,
            0xa5 => 0x20af,
            0xaa => 0x37a,
            0xaf => 0x2015,
            0xa0 | 0xa3 | 0xa6..=0xa9 | 0xab..=0xad | 0xb0..=0xb3 | 0xb7 | 0xbb | 0xbd => octet,
            0xb4..=0xb6 | 0xb8..=0xba | 0xbc | 0xbe..=0xd1 | 0xd3..=0xfe => octet + 0x2d0,
            _ => 0xfffd,
        };
        if let Some(character) = char::from_u32(code) {
            table[at] = character;
        }
        at += 1;
    }
    table
};

impl CharacterSet {
    /// The best of the sets a portable part announced: the first one for western Europe, else what there is.
    ///
    /// EN 300 175-5 7.7.41
    pub const fn best(announced: u8) -> Self {
        match announced {
            bits if bits & 2 != 0 => Self::Latin9,
            bits if bits & 1 != 0 => Self::Latin1,
            bits if bits & 4 != 0 => Self::Latin5,
            bits if bits & 8 != 0 => Self::Greek,
            _ => Self::Ia5,
        }
    }

    /// The character behind an octet; the replacement character where there is none.
    ///
    /// EN 300 175-5 annex D
    pub fn character(self, octet: u8) -> char {
        let differing = |table: &[(u8, char)]| {
            table
                .iter()
                .find(|(at, _)| *at == octet)
                .map_or_else(|| char::from(octet), |(_, character)| *character)
        };
        match (self, octet) {
            (_, 0x00..=0x7f) => char::from(octet),
            (Self::Ia5, _) => '\u{fffd}',
            (Self::Latin1, _) => char::from(octet),
            (Self::Latin9, _) => differing(&LATIN_9),
            (Self::Latin5, _) => differing(&LATIN_5),
            (Self::Greek, 0x80..=0x9f) => char::from(octet),
            (Self::Greek, _) => GREEK.get(usize::from(octet - 0xa0)).copied().unwrap_or('\u{fffd}'),
        }
    }

    fn octet(self, character: char) -> Option<u8> {
        if character == '\u{fffd}' {
            return None;
        }
        if character.is_ascii() {
            return Some(character as u8);
        }
        (0xa0..=0xff).find(|octet| self.character(*octet) == character)
    }
}

impl<const LIMIT: usize> Characters<LIMIT> {
    /// Writes a text in a set; what it lacks gets its likeness in IA5 or a question mark, what exceeds the limit is cut.
    ///
    /// EN 300 175-5 7.7.41, annex D
    pub fn encode(text: &str, set: CharacterSet) -> Self {
        let octets: Vec<u8> = text
            .chars()
            .flat_map(|character| match set.octet(character) {
                Some(octet) => vec![octet],
                None => plain(character).into_owned().into_bytes(),
            })
            .take(LIMIT)
            .collect();
        Self(Few::new(&octets))
    }

    /// The text of octets in a set.
    ///
    /// EN 300 175-5 annex D
    pub fn decode(&self, set: CharacterSet) -> String {
        self.0.iter().map(|octet| set.character(*octet)).collect()
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
    fn every_set_reads_what_it_writes_and_lends_likenesses_for_the_rest() {
        for (set, text, octets) in [
            (CharacterSet::Latin1, "Jürgen £", &b"J\xfcrgen \xa3"[..]),
            (CharacterSet::Latin9, "Œuvre 5€", b"\xbcuvre 5\xa4"),
            (CharacterSet::Latin5, "Işık", b"I\xfe\xfdk"),
            (CharacterSet::Greek, "Άλφα €", b"\xb6\xeb\xf6\xe1 \xa4"),
            (CharacterSet::Ia5, "plain", b"plain"),
        ] {
            let written = Characters::<250>::encode(text, set);
            assert_eq!(written.octets(), octets, "{text}");
            assert_eq!(written.decode(set), text);
        }
        assert_eq!(Characters::<250>::encode("Jürgen€", CharacterSet::Greek).octets(), b"Juergen\xa4");
        assert_eq!(Characters::<250>::encode("Łódź", CharacterSet::Latin1).octets(), b"?\xf3d?");
        for set in [CharacterSet::Latin1, CharacterSet::Latin9, CharacterSet::Latin5, CharacterSet::Greek] {
            for octet in 0xa0..=0xff_u8 {
                let character = set.character(octet);
                assert!(
                    character == '\u{fffd}' || set.octet(character) == Some(octet),
                    "{set:?} {octet:02x}"
                );
            }
        }
        assert_eq!(CharacterSet::best(0x03), CharacterSet::Latin9);
        assert_eq!(CharacterSet::best(0), CharacterSet::Ia5);
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
