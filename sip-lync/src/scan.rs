//! Splits the head of a message into lines, in one pass and without copying.

use crate::error::{ParseError, Rule};
use crate::grammar::{self, TOKEN, is_blank};
use crate::headers::{lookup, name};
use crate::message::Limits;
use crate::simd::{Block, Blocks, WIDTH};

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
    for (i, word) in lookup::as_words(block).into_iter().enumerate() {
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
    let chunk = head.get(start..)?.first_chunk::<32>()?;
    let length = colon_in_words(&lookup::as_words(chunk))?;
    let number = lookup::classify_chunk(chunk, length);
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
    Ok((lookup::classify(name), length, colon))
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
    let mut checked = |line: Line, at: usize| {
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
        Ok(())
    };
    // Masks tell where lines end as long as every line end is CR LF; all else is read line by line.
    let mut blocks = Blocks::new();
    let masked = ends == LineEnds::Strict && u32::try_from(wire.len()).is_ok();
    loop {
        if masked {
            blocks.fill(wire.get(at..).unwrap_or_default());
            at = masked_lines(wire, at, blocks.get(), &mut checked)?;
        }
        match header_line(wire, at, ends)? {
            Step::End => return Ok(at),
            Step::Body(body) => return Ok(body),
            Step::Line(line) => {
                checked(line, at)?;
                at = line.end as usize;
            }
        }
    }
}

/// Reads the lines whose ends the masks show, as [`header_line`] would; returns where the first other one starts.
#[inline]
fn masked_lines(
    wire: &[u8],
    origin: usize,
    blocks: &[Block],
    checked: &mut impl FnMut(Line, usize) -> Result<(), ParseError>,
) -> Result<usize, ParseError> {
    // Offsets within the masks; nothing here exceeds the length of the input.
    let text = wire.get(origin..).unwrap_or_default();
    let mut start = 0;
    let mut folded = false;
    let mut return_before = 0;
    for (i, block) in blocks.iter().enumerate() {
        if block.feeds != block.returns << 1 | return_before {
            break;
        }
        return_before = block.returns >> (WIDTH - 1);
        let mut feeds = block.feeds;
        while feeds != 0 {
            let feed = i * WIDTH + feeds.trailing_zeros() as usize;
            feeds &= feeds - 1;
            match text.get(feed + 1) {
                // The empty line.
                _ if feed == start + 1 => return Ok(origin + start),
                Some(&b) if is_blank(b) => {
                    folded = true;
                    continue;
                }
                _ => {}
            }
            let line = if folded { None } else { masked_line(text, start, feed, blocks) };
            let line = match line {
                Some(line) => Line {
                    start: line.start + origin as u32,
                    value: line.value + origin as u32,
                    value_end: line.value_end + origin as u32,
                    end: line.end + origin as u32,
                    ..line
                },
                None => match header_line(wire, origin + start, LineEnds::Strict)? {
                    Step::Line(line) => line,
                    Step::Body(_) | Step::End => return Ok(origin + start),
                },
            };
            checked(line, origin + start)?;
            start = feed + 1;
            folded = false;
        }
    }
    Ok(origin + start)
}

/// A line with a short name and nothing unusual in it; `feed` is where it ends.
#[inline]
fn masked_line(text: &[u8], start: usize, feed: usize, blocks: &[Block]) -> Option<Line> {
    let (block, bit) = (start / WIDTH, start % WIDTH);
    let here = blocks.get(block)?.colons >> bit;
    let next = blocks.get(block + 1).map_or(0, |block| block.colons);
    let length = (here | (next << 1) << (WIDTH - 1 - bit)).trailing_zeros() as usize;
    if length >= WIDTH {
        // No colon within reach of the masks.
        return None;
    }
    let colon = start + length;
    let number = lookup::classify_at(text, start, length);
    if number == name::UNKNOWN && !grammar::is_token(text.get(start..colon)?) {
        return None;
    }
    // The byte before the line feed is a CR.
    let mut value_end = feed - 1;
    if colon >= value_end {
        return None;
    }
    let mut value = colon + 1;
    while value < value_end && text.get(value).copied().is_some_and(is_blank) {
        value += 1;
    }
    while value_end > value && text.get(value_end - 1).copied().is_some_and(is_blank) {
        value_end -= 1;
    }
    Some(Line {
        start: start as u32,
        value: value as u32,
        value_end: value_end as u32,
        end: (feed + 1) as u32,
        name: length as u16,
        number,
        folded: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::headers::HeaderName;

    /// What the header lines are, read with and without masks.
    fn both(head: &[u8]) -> [Result<(Vec<Line>, usize), ParseError>; 2] {
        let limits = Limits { head: 5000, line: 3000, headers: 40, ..Limits::DEFAULT };
        let mut lines = Vec::new();
        let masked = header_lines(head, 0, LineEnds::Strict, &limits, |line| lines.push(line));
        let masked = masked.map(|body| (lines, body));
        let mut lines = Vec::new();
        let (mut at, mut count) = (0, 0);
        let plain = loop {
            match header_line(head, at, LineEnds::Strict) {
                Err(error) => break Err(error),
                Ok(Step::End) => break Ok((lines, at)),
                Ok(Step::Body(body)) => break Ok((lines, body)),
                Ok(Step::Line(line)) => {
                    let end = line.end as usize;
                    if end - at > limits.line {
                        break Err(ParseError::new(at, Rule::LineTooLong));
                    }
                    if end > limits.head {
                        break Err(ParseError::new(at, Rule::HeadTooLong));
                    }
                    if count == limits.headers {
                        break Err(ParseError::new(at, Rule::TooManyHeaders));
                    }
                    count += 1;
                    lines.push(line);
                    at = end;
                }
            }
        };
        [masked, plain]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn masks_and_single_lines_give_the_same(pieces in prop::collection::vec(piece(), 0..60)) {
            let [masked, plain] = both(&pieces.concat());
            prop_assert_eq!(masked, plain);
        }
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let whole: &[&str] = &[
            "Via: SIP/2.0/TLS a\r\n",
            "v:\tx \t\r\n",
            "X-Other: y\r\n",
            "To:\r\n",
            "t:  \r\n",
            "CSeq : 1 A\r\n",
            "From: a\r\n b\r\n",
            "Subject:\r\n  folded\r\n",
            "Content-Length: 0\r\n",
            "Ms-Endpoint-Location-Data: 1\r\n",
        ];
        let part: &[&str] =
            &["\r\n", "\r", "\n", " ", ":", "a", "\r\n\r\n", "\r\n ", "Allow", "Call-ID", "\u{e9}"];
        prop_oneof![
            8 => prop::sample::select(whole).prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::sample::select(part).prop_map(|text| text.as_bytes().to_vec()),
            1 => (1usize..2500).prop_map(|length| format!("Subject: {}\r\n", "s".repeat(length)).into_bytes()),
            1 => (50usize..140, prop::sample::select(&b":: \0"[..])).prop_map(|(length, end)| {
                format!("{}{}:\r\n", "n".repeat(length), char::from(end)).into_bytes()
            }),
        ]
    }

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
