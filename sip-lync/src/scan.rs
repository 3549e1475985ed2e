//! Splits the head of a message into lines, in one pass and without copying.

use crate::error::{ParseError, Rule};
use crate::grammar::{self, TOKEN, is_blank};
use crate::headers::name;
use crate::message::Limits;

/// Which line ends are taken.
///
/// RFC 3261 7
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// CR LF only, as the grammar demands.
    #[default]
    Strict,
    /// A bare LF as well: files written by hand.
    Lenient,
}

/// One header line: where its name and its value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Start of the name.
    pub(crate) start: u32,
    /// Start of the value, blanks skipped.
    pub(crate) value: u32,
    /// End of the value, blanks removed.
    pub(crate) value_end: u32,
    /// Behind the line end.
    pub(crate) end: u32,
    /// Length of the name.
    pub(crate) name: u16,
    /// Number of the name.
    pub(crate) number: u8,
    /// Whether the value goes over several lines.
    pub(crate) folded: bool,
}

impl Line {
    pub(crate) const NONE: Self =
        Self { start: 0, value: 0, value_end: 0, end: 0, name: 0, number: name::UNKNOWN, folded: false };
}

/// What stands at an offset of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Line(Line),
    /// The empty line; the body starts at the offset.
    Body(usize),
    /// The input ends before the empty line.
    End,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Offset of the next CR or LF.
#[inline]
pub(crate) fn line_end(head: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut rest = head.get(from..).unwrap_or_default();
    while let Some((block, tail)) = rest.split_first_chunk::<32>() {
        // Without branches, so that it becomes a few vector instructions.
        let low = block.iter().fold(0, |low, &b| low | u8::from(b < 0x0e));
        if low != 0
            && let Some(found) = end_in_words(block)
        {
            return at + found;
        }
        at += 32;
        rest = tail;
    }
    at + rest.iter().position(|&b| b == b'\r' || b == b'\n').unwrap_or(rest.len())
}

/// Offset of CR or LF in a block that holds a byte below 0x0e.
#[inline]
fn end_in_words(block: &[u8; 32]) -> Option<usize> {
    for (i, word) in words(block).into_iter().enumerate() {
        // Top bit of each byte that is below 0x0e; a borrow may mark a byte behind a true hit, never before it.
        let mut low = word.wrapping_sub(ONES * 0x0e) & !word & TOPS;
        while low != 0 {
            let byte = (low.trailing_zeros() / 8) as usize;
            let value = (word >> (8 * byte)) as u8;
            if value == b'\r' || value == b'\n' {
                return Some(8 * i + byte);
            }
            low &= low - 1;
        }
    }
    None
}

#[inline]
fn words(block: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    let (chunks, _) = block.as_chunks::<8>();
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_le_bytes(*chunk);
    }
    words
}

/// Offset of the first colon in the words.
#[inline]
fn colon_in_words(words: &[u64; 4]) -> Option<usize> {
    for (i, word) in words.iter().enumerate() {
        let zero_at_colon = word ^ (ONES * b':' as u64);
        let colons = zero_at_colon.wrapping_sub(ONES) & !zero_at_colon & TOPS;
        if colons != 0 {
            return Some(8 * i + (colons.trailing_zeros() / 8) as usize);
        }
    }
    None
}

/// A known name with the colon right behind it: its number and length.
#[inline]
fn known_name(head: &[u8], start: usize) -> Option<(u8, u16)> {
    let words = words(head.get(start..)?.first_chunk::<32>()?);
    let length = colon_in_words(&words)?;
    let number = name::classify_words(&words, length);
    (number != name::UNKNOWN).then_some((number, length as u16))
}

/// Any name: its number, its length and where its colon is.
fn any_name(head: &[u8], start: usize) -> Result<(u8, u16, usize), ParseError> {
    let rest = head.get(start..).unwrap_or_default();
    let name = rest.get(..grammar::span(rest, TOKEN)).unwrap_or_default();
    let Ok(length) = u16::try_from(name.len()) else { return Err(ParseError::new(start, Rule::LineTooLong)) };
    if length == 0 {
        return Err(ParseError::new(start, Rule::HeaderName));
    }
    let colon = skip_blanks(head, start + name.len());
    if head.get(colon) != Some(&b':') {
        return Err(ParseError::new(colon, Rule::Colon));
    }
    Ok((name::classify(name), length, colon))
}

#[inline]
fn skip_blanks(head: &[u8], mut at: usize) -> usize {
    while head.get(at).copied().is_some_and(is_blank) {
        at += 1;
    }
    at
}

/// Length of the line end at an offset that holds CR or LF; `None` if it is not one that is taken.
fn end_length(head: &[u8], at: usize, ends: LineEnds) -> Option<usize> {
    match (head.get(at), head.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(2),
        (Some(b'\n'), _) if ends == LineEnds::Lenient => Some(1),
        _ => None,
    }
}

/// The line (without its end) at an offset and where the next one starts. Without a line end: the rest.
pub(crate) fn start_line(head: &[u8], at: usize, ends: LineEnds) -> Result<(&[u8], usize), ParseError> {
    let end = line_end(head, at);
    let line = head.get(at..end).unwrap_or_default();
    if end >= head.len() {
        return Ok((line, end));
    }
    let length = end_length(head, end, ends).ok_or_else(|| ParseError::new(end, Rule::LineEnd))?;
    Ok((line, end + length))
}

/// Reads the header line at an offset.
#[inline]
pub(crate) fn header_line(head: &[u8], start: usize, ends: LineEnds) -> Result<Step, ParseError> {
    let Some(&first) = head.get(start) else { return Ok(Step::End) };
    if first == b'\r' || first == b'\n' {
        let length = end_length(head, start, ends).ok_or_else(|| ParseError::new(start, Rule::LineEnd))?;
        return Ok(Step::Body(start + length));
    }
    let (number, name_length, colon) = match known_name(head, start) {
        Some((number, length)) => (number, length, start + length as usize),
        None => any_name(head, start)?,
    };
    let mut value = skip_blanks(head, colon + 1);
    let mut folded = false;
    let mut end = value;
    let (mut value_end, next) = loop {
        end = line_end(head, end);
        if end >= head.len() {
            break (end, end);
        }
        let length = end_length(head, end, ends).ok_or_else(|| ParseError::new(end, Rule::LineEnd))?;
        match head.get(end + length) {
            Some(&b) if is_blank(b) => {
                folded = true;
                if value == end {
                    // Nothing before the fold: the value starts on the next line.
                    value = skip_blanks(head, end + length);
                    end = value;
                } else {
                    end += length;
                }
            }
            _ => break (end, end + length),
        }
    };
    let blank = |b: u8| is_blank(b) || b == b'\r' || b == b'\n';
    while value_end > value && head.get(value_end - 1).copied().is_some_and(blank) {
        value_end -= 1;
    }
    if next > u32::MAX as usize {
        return Err(ParseError::new(start, Rule::HeadTooLong));
    }
    Ok(Step::Line(Line {
        start: start as u32,
        value: value as u32,
        value_end: value_end.max(value) as u32,
        end: next as u32,
        name: name_length,
        number,
        folded,
    }))
}

/// Reads header lines up to the empty line, under limits; returns where the body starts.
#[inline]
pub(crate) fn header_lines(
    wire: &[u8],
    start: usize,
    ends: LineEnds,
    limits: &Limits,
    mut take: impl FnMut(Line),
) -> Result<usize, ParseError> {
    let mut at = start;
    let mut count = 0;
    loop {
        match header_line(wire, at, ends)? {
            Step::End => return Ok(at),
            Step::Body(body) => return Ok(body),
            Step::Line(line) => {
                let end = line.end as usize;
                if end - at > limits.line {
                    return Err(ParseError::new(at, Rule::LineTooLong));
                }
                if end > limits.head {
                    return Err(ParseError::new(at, Rule::HeadTooLong));
                }
                if count >= limits.headers {
                    return Err(ParseError::new(at, Rule::TooManyHeaders));
                }
                count += 1;
                take(line);
                at = end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::HeaderName;

    fn line(head: &[u8]) -> Result<(String, String, u8, bool), Rule> {
        match header_line(head, 0, LineEnds::Strict).map_err(|e| e.rule)? {
            Step::Line(l) => {
                let text = |from: u32, to: u32| {
                    String::from_utf8_lossy(&head[from as usize..to as usize]).into_owned()
                };
                Ok((text(0, u32::from(l.name)), text(l.value, l.value_end), l.number, l.folded))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_blanks_and_values_are_split() {
        let via = HeaderName::Via.number();
        assert_eq!(line(b"Via: x\r\n"), Ok(("Via".into(), "x".into(), via, false)));
        assert_eq!(line(b"v  :\tx y \t\r\n\r\n"), Ok(("v".into(), "x y".into(), via, false)));
        assert_eq!(
            line(b"s :\r\nA: b\r\n"),
            Ok(("s".into(), String::new(), HeaderName::Subject.number(), false))
        );
        assert_eq!(line(b"VIA:x"), Ok(("VIA".into(), "x".into(), via, false)));
    }

    #[test]
    fn folds_belong_to_the_value() {
        assert_eq!(line(b"To :\r\n a\r\n").unwrap().1, "a");
        let (_, value, _, folded) = line(b"X: a\r\n\tb \r\n  \r\nY: z\r\n").unwrap();
        assert_eq!(value, "a\r\n\tb");
        assert!(folded);
    }

    #[test]
    fn broken_lines_are_refused_where_they_break() {
        assert_eq!(line(b"Foobar roobar\r\n"), Err(Rule::Colon));
        assert_eq!(line(b": x\r\n"), Err(Rule::HeaderName));
        assert_eq!(line(b"A: b\nC: d\r\n"), Err(Rule::LineEnd));
        assert_eq!(line(b"A: b\rC: d\r\n"), Err(Rule::LineEnd));
        assert!(header_line(b"A: b\nC: d", 0, LineEnds::Lenient).is_ok());
    }

    #[test]
    fn the_line_end_is_found_at_every_offset() {
        for length in 0..40 {
            let mut text = vec![b'\t'; length];
            text.extend_from_slice(b"\xff\x8d\r\nrest of it all");
            for from in 0..=length {
                assert_eq!(line_end(&text, from), length + 2);
            }
        }
        assert_eq!(line_end(b"abcdefghij", 0), 10);
        assert_eq!(line_end(b"", 5), 5);
    }
}
