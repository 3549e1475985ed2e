//! Character classes of the grammar as bit tables, and a scanner for what header values are made of.

use std::borrow::Cow;

use crate::error::{ParseError, Rule};
use crate::simd::spans;

/// `token`
pub(crate) const TOKEN: u8 = 1;
/// `user`, `#` added: telephone systems send it unescaped
pub(crate) const USER: u8 = 1 << 1;
/// characters of a host name
pub(crate) const HOST: u8 = 1 << 2;
/// characters of a URI parameter, `=` and `@` added: Lync writes base64 and identities there
pub(crate) const URI_PARAMETER: u8 = 1 << 3;
/// characters of a URI header
pub(crate) const URI_HEADER: u8 = 1 << 4;
/// what ends the value of a parameter that is not quoted
pub(crate) const VALUE_END: u8 = 1 << 5;
/// characters of an absolute URI
pub(crate) const ABSOLUTE_URI: u8 = 1 << 6;
/// `word` of Call-ID and `@`
pub(crate) const CALL_ID: u8 = 1 << 7;

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

const CLASSES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        let alphanumeric = b.is_ascii_alphanumeric();
        let unreserved = alphanumeric || contains(b"-_.!~*'()", b);
        let mut class = 0;
        if alphanumeric || contains(b"-.!%*_+`'~", b) {
            class |= TOKEN;
        }
        if unreserved || contains(b"%&=+$,;?/#", b) {
            class |= USER;
        }
        if alphanumeric || contains(b"-._", b) {
            class |= HOST;
        }
        if unreserved || contains(b"%[]/:&+$=@,", b) {
            class |= URI_PARAMETER;
        }
        if unreserved || contains(b"%[]/?:+$=&@,;", b) {
            class |= URI_HEADER;
        }
        if b <= b' ' || contains(b";,\"<>", b) || b == 0x7f {
            class |= VALUE_END;
        }
        if unreserved || contains(b"%;/?:@&=+$,[]#", b) {
            class |= ABSOLUTE_URI;
        }
        if alphanumeric || contains(b"-.!%*_+`'~()<>:\\\"/[]?{}@", b) {
            class |= CALL_ID;
        }
        table[i] = class;
        i += 1;
    }
    table
};

/// Whether the byte belongs to the class.
pub(crate) const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Number of leading bytes that belong to the class.
pub(crate) fn span(bytes: &[u8], class: u8) -> usize {
    let (eights, _) = bytes.as_chunks::<8>();
    let whole = |eight: &&[u8; 8]| eight.iter().fold(class, |all, &b| all & CLASSES[b as usize]) != 0;
    let start = 8 * eights.iter().take_while(whole).count();
    let rest = bytes.get(start..).unwrap_or_default();
    rest.iter().position(|&b| !is(b, class)).map_or(bytes.len(), |length| start + length)
}

/// Whether the text is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| is(b, TOKEN))
}

/// Blank or tabulator.
pub(crate) const fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Offset of a byte.
#[inline]
pub(crate) fn find(text: &str, byte: u8) -> Option<usize> {
    spans::find(text.as_bytes(), 0, byte)
}

/// The text without blanks, tabulators and line ends around it.
pub(crate) fn trim(text: &str) -> &str {
    let is_white = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t' | b'\r' | b'\n'));
    let octets = text.as_bytes();
    // Most values have none.
    if !is_white(octets.first()) && !is_white(octets.last()) {
        return text;
    }
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Checks every percent sign of a URI component.
pub(crate) fn check_escapes(text: &[u8], at: usize) -> Result<(), ParseError> {
    let mut rest = text;
    while let Some(p) = spans::find(rest, 0, b'%') {
        let offset = at + text.len() - rest.len() + p;
        let hex = |i: usize| rest.get(p + i).is_some_and(u8::is_ascii_hexdigit);
        if !hex(1) || !hex(2) {
            return Err(ParseError::new(offset, Rule::Escape));
        }
        rest = rest.get(p + 3..).unwrap_or_default();
    }
    Ok(())
}

/// A decimal number of at most 32 bits; larger ones are refused.
pub(crate) fn number(text: &str) -> Result<u32, ParseError> {
    digits(text.as_bytes())
}

/// The same of octets that are not known to be text.
#[inline]
pub(crate) fn digits(octets: &[u8]) -> Result<u32, ParseError> {
    let mut number = 0_u64;
    for octet in octets {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return Err(ParseError::new(0, Rule::Number));
        }
        // What exceeds 32 bits does so for good.
        number = (number * 10 + u64::from(digit)).min(1 << 40);
    }
    if octets.is_empty() {
        return Err(ParseError::new(0, Rule::Number));
    }
    u32::try_from(number).map_err(|_| ParseError::new(0, Rule::NumberTooLarge))
}

/// A decimal number; what exceeds 32 bits becomes the largest value.
pub(crate) fn saturating_number(text: &str) -> Result<u32, ParseError> {
    match number(text) {
        Err(ParseError { rule: Rule::NumberTooLarge, .. }) => Ok(u32::MAX),
        other => other,
    }
}

/// A number as text.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn of(mut number: u64) -> Self {
        let (mut digits, mut start) = ([b'0'; 20], 20);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            start -= 1;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.digits.get(self.start..).and_then(|digits| spans::text(digits).ok()).unwrap_or_default()
    }
}

/// The text of a quoted string: without its quotes, escapes undone, line ends of a fold as blanks. Other text comes back as it
/// is.
pub(crate) fn unquote(raw: &str) -> Cow<'_, str> {
    let Some(inner) = raw.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(raw);
    };
    let octets = inner.as_bytes();
    if spans::find(octets, 0, b'\\').is_none() && spans::line_end(octets, 0) == octets.len() {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.extend(characters.next().map(without_line_end)),
            _ => text.push(without_line_end(c)),
        }
    }
    Cow::Owned(text)
}

const fn without_line_end(c: char) -> char {
    if matches!(c, '\r' | '\n') { ' ' } else { c }
}

/// Writes a text as quoted string.
pub(crate) fn write_quoted(out: &mut impl core::fmt::Write, text: &str) -> core::fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            // A quoted pair cannot carry CR or LF: a blank keeps the header field whole.
            '\r' | '\n' => out.write_char(' ')?,
            '"' | '\\' | '\0'..='\u{1f}' | '\u{7f}' if c != '\t' => {
                out.write_char('\\')?;
                out.write_char(c)?;
            }
            _ => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// The text as a quoted string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Writing to a String does not fail.
    let _ = write_quoted(&mut out, text);
    out
}

/// The place behind the quotation mark that ends what is quoted from `start` on.
fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let end = spans::find(bytes, at, b'"')?;
        let backslashes = bytes.get(at..end)?.iter().rev().take_while(|&&b| b == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(end + 1);
        }
        // Every pair was counted from here: the quotation mark is the second half of one.
        at = end + 1;
    }
}

/// A place in a header value.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn error(&self, rule: Rule) -> ParseError {
        ParseError::new(self.at, rule)
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|b| is_blank(b) || b == b'\r' || b == b'\n') {
            self.at += 1;
        }
    }

    /// Moves on; stays on a character boundary.
    pub(crate) fn skip(&mut self, length: usize) {
        self.advance(length);
    }

    /// Takes `byte`, with blanks around it.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let start = self.at;
        if self.peek() == Some(byte) {
            self.at += 1;
            if self.peek().is_none_or(|b| b > b' ') {
                return true;
            }
            self.skip_blanks();
            return true;
        }
        if self.peek().is_none_or(|b| b > b' ') {
            return false;
        }
        self.skip_blanks();
        if self.peek() == Some(byte) {
            self.at += 1;
            self.skip_blanks();
            true
        } else {
            self.at = start;
            false
        }
    }

    pub(crate) fn expect(&mut self, byte: u8, rule: Rule) -> Result<(), ParseError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error(rule)) }
    }

    /// Everything of the class from here on.
    pub(crate) fn take(&mut self, class: u8) -> &'a str {
        let rest = self.rest();
        let length = span(rest.as_bytes(), class);
        self.advance(length)
    }

    fn advance(&mut self, length: usize) -> &'a str {
        // Classes are ASCII, so that a span ends at a character boundary.
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn advance_to(&mut self, end: usize) -> &'a str {
        let taken = self.text.get(self.at..end).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    #[inline]
    pub(crate) fn token(&mut self) -> Result<&'a str, ParseError> {
        let token = self.advance_to(spans::token_end(self.text.as_bytes(), self.at));
        if token.is_empty() { Err(self.error(Rule::Token)) } else { Ok(token) }
    }

    /// The same where it is short mostly, and perhaps empty: the name of a parameter.
    #[inline]
    pub(crate) fn short_token(&mut self) -> &'a str {
        let octets = self.text.as_bytes();
        let mut end = self.at;
        while octets.get(end).is_some_and(|&b| is(b, TOKEN)) {
            end += 1;
        }
        self.advance_to(end)
    }

    /// A quoted string, returned with its quotes and escapes.
    pub(crate) fn quoted_string(&mut self) -> Result<&'a str, ParseError> {
        let bytes = self.rest().as_bytes();
        if bytes.first() != Some(&b'"') {
            return Err(self.error(Rule::QuotedString));
        }
        match quoted_end(bytes, 1) {
            Some(end) => Ok(self.advance(end)),
            None => Err(self.error(Rule::QuotedString)),
        }
    }

    /// The value of a parameter: quoted, or everything up to the next separator.
    #[inline]
    pub(crate) fn parameter_value(&mut self) -> Result<&'a str, ParseError> {
        if self.peek() == Some(b'"') {
            return self.quoted_string();
        }
        let value = self.advance_to(spans::value_end(self.text.as_bytes(), self.at));
        if value.is_empty() { Err(self.error(Rule::Parameter)) } else { Ok(value) }
    }

    pub(crate) fn number(&mut self) -> Result<u32, ParseError> {
        let rest = self.rest().as_bytes();
        let length = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        let at = self.at;
        number(self.advance(length)).map_err(|error| error.shifted(at))
    }

    /// Nothing but blanks may follow.
    pub(crate) fn finish(&mut self) -> Result<(), ParseError> {
        self.skip_blanks();
        if self.is_end() { Ok(()) } else { Err(self.error(Rule::Trailing)) }
    }
}

/// The elements of a comma list: commas in quoted strings and angle brackets do not separate.
#[derive(Clone, Debug)]
pub(crate) struct List<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> List<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for List<'a> {
    /// Offset and text of the element.
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = self.text.as_bytes();
            if self.at >= bytes.len() {
                return None;
            }
            let start = self.at;
            let mut i = start;
            loop {
                i = spans::list_mark(bytes, i);
                match bytes.get(i) {
                    // Of what is quoted or in brackets only the end counts.
                    Some(b'"') => i = quoted_end(bytes, i + 1).unwrap_or(bytes.len()),
                    Some(b'<') => i = spans::find(bytes, i, b'>').map_or(bytes.len(), |end| end + 1),
                    _ => break,
                }
            }
            let end = i.min(bytes.len());
            self.at = end + 1;
            let raw = self.text.get(start..end).unwrap_or_default();
            let element = trim(raw);
            if !element.is_empty() {
                let blanks = raw.bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
                return Some((start + blanks, element));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let list: Vec<_> = List::new(r#""a,\",b"<sip:x,y@z>,<tel:+1> , c"#).collect();
        assert_eq!(list, [(0, r#""a,\",b"<sip:x,y@z>"#), (20, "<tel:+1>"), (31, "c")]);
        assert_eq!(List::new(" , ,").count(), 0);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "plain", r#"a"b\c"#, "tab\tand\u{7}bell", "Žofie"] {
            assert_eq!(unquote(&quoted(text)), text);
        }
        assert_eq!(unquote("token"), "token");
        assert_eq!(quoted("a\r\nb"), "\"a  b\"");
        assert_eq!(unquote("\"a\r\n b\\\nc\""), "a   b c");
    }

    #[test]
    fn a_quoted_string_that_never_ends_is_refused() {
        for text in ["\"abc", "\"abc\\\"", "\"\\", "abc"] {
            assert_eq!(
                Cursor::new(text).quoted_string().map_err(|e| e.rule),
                Err(Rule::QuotedString),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_elsewhere() {
        for number in [0, 7, 10, 200, 65_535, 4_294_967_296, u64::MAX] {
            assert_eq!(Decimal::of(number).as_str(), number.to_string());
        }
    }

    #[test]
    fn numbers_have_32_bits() {
        assert_eq!(number("4294967295"), Ok(u32::MAX));
        assert_eq!(number("4294967296").map_err(|e| e.rule), Err(Rule::NumberTooLarge));
        assert_eq!(number("-1").map_err(|e| e.rule), Err(Rule::Number));
        assert_eq!(number("").map_err(|e| e.rule), Err(Rule::Number));
        assert_eq!(saturating_number("99999999999999999999"), Ok(u32::MAX));
    }

    #[test]
    fn escapes_have_two_digits() {
        assert!(check_escapes(b"a%41b%00", 0).is_ok());
        assert_eq!(check_escapes(b"ab%4", 10).map_err(|e| e.at), Err(12));
        assert_eq!(check_escapes(b"%%41", 0).map_err(|e| e.at), Err(0));
    }
}
