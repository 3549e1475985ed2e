//! Splits the head of a message into lines, in one pass and without copying.

use crate::error::{ParseError, Rule};
use crate::grammar::{self, TOKEN, is_blank};
use crate::headers::{lookup, name};
use crate::message::Limits;
use crate::simd::{self, LineEndings};

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

/// A known name with the colon right behind it: its number and length.
#[inline]
fn known_name(head: &[u8], start: usize) -> Option<(u8, u16)> {
    let chunk = head.get(start..)?.first_chunk::<32>()?;
    let length = simd::colon(chunk);
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
#[inline(never)]
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

/// A head that is read from its start line to the empty line.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    ends: LineEnds,
    /// Line ends found ahead, as offsets from `origin`.
    found: LineEndings,
    origin: usize,
    /// How many of them are used up.
    used: usize,
    /// Where the next line starts.
    at: usize,
}

impl Head {
    /// A head that starts at an offset.
    #[inline]
    pub(crate) const fn new(at: usize, ends: LineEnds) -> Self {
        Self { ends, found: LineEndings::new(), origin: 0, used: 0, at }
    }

    /// Whether every line ends with CR LF; all but the last of an input without an empty line.
    pub(crate) const fn is_strict(&self) -> bool {
        matches!(self.ends, LineEnds::Strict)
    }

    /// Whether line ends are looked for ahead: they are as long as every line end is CR LF; all else is read line by line.
    #[inline]
    fn is_marked(&self, wire: &[u8]) -> bool {
        self.ends == LineEnds::Strict && u32::try_from(wire.len()).is_ok()
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    fn mark(&mut self, wire: &[u8]) {
        (self.origin, self.used) = (self.at, 0);
        self.found.fill(wire.get(self.at..).unwrap_or_default());
    }

    /// Skips line ends before the start line; where it starts.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    pub(crate) fn skip_line_ends(&mut self, wire: &[u8]) -> usize {
        while wire.get(self.at).is_some_and(|&b| b == b'\r' || b == b'\n') {
            self.at += 1;
        }
        self.at
    }

    /// The start line, without its end.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    pub(crate) fn start_line<'a>(&mut self, wire: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let at = self.at;
        if self.is_marked(wire) {
            self.mark(wire);
            if let Some(&feed) = self.found.get().first() {
                let feed = self.origin + feed as usize;
                (self.at, self.used) = (feed + 1, 1);
                return Ok(wire.get(at..feed - 1).unwrap_or_default());
            }
        }
        let (line, next) = start_line(wire, at, self.ends)?;
        self.at = next;
        Ok(line)
    }

    /// Reads header lines up to the empty line, under limits; returns where the body starts.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    pub(crate) fn lines(
        &mut self,
        wire: &[u8],
        limits: &Limits,
        mut take: impl FnMut(Line),
    ) -> Result<usize, ParseError> {
        let marked = self.is_marked(wire);
        let (mut at, mut used, mut count) = (self.at, self.used, 0);
        loop {
            if used >= self.found.get().len() && marked {
                self.at = at;
                self.mark(wire);
                used = 0;
            }
            // Lines with nothing unusual, as many as there are in a row.
            let found = self.found.get().get(used..).unwrap_or_default();
            let found = found.get(..limits.headers.saturating_sub(count)).unwrap_or(found);
            let mut taken = 0;
            for &feed in found {
                let feed = self.origin + feed as usize;
                if feed == at + 1 {
                    return Ok(feed + 1);
                }
                let Some(line) = usual_line(wire, at, feed, limits) else { break };
                take(line);
                at = feed + 1;
                taken += 1;
            }
            used += taken;
            count += taken;
            if taken > 0 && taken == found.len() && count < limits.headers {
                continue;
            }
            let line = match header_line(wire, at, self.ends)? {
                Step::End => return Ok(at),
                Step::Body(body) => return Ok(body),
                Step::Line(line) => line,
            };
            let end = line.end as usize;
            if end - at > limits.line || end > limits.head || count >= limits.headers {
                return Err(exceeded(at, end, limits));
            }
            // Its line end, and those of its folds, were found ahead.
            let inside = |feed: &&u16| self.origin + (**feed as usize) < end;
            used += self.found.get().iter().skip(used).take_while(inside).count();
            count += 1;
            take(line);
            at = end;
        }
    }
}

/// Which limit a line exceeds.
#[cold]
fn exceeded(at: usize, end: usize, limits: &Limits) -> ParseError {
    let rule = if end - at > limits.line {
        Rule::LineTooLong
    } else if end > limits.head {
        Rule::HeadTooLong
    } else {
        Rule::TooManyHeaders
    };
    ParseError::new(at, rule)
}

/// A line with a short name and nothing unusual in it, nothing that exceeds a limit and no fold; `feed` is where it ends.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
fn usual_line(wire: &[u8], start: usize, feed: usize, limits: &Limits) -> Option<Line> {
    let rest = wire.get(start..)?;
    let length = feed - start;
    if length >= limits.line || feed >= limits.head || rest.get(length + 1).copied().is_some_and(is_blank) {
        return None;
    }
    let padded;
    let chunk = if let Some(chunk) = rest.first_chunk::<32>() {
        chunk
    } else {
        padded = lookup::padded(rest);
        &padded
    };
    let colon = simd::colon(chunk);
    // The octet before the line feed is a CR.
    let value = rest.get(colon + 1..length - 1)?;
    if colon >= chunk.len() {
        return None;
    }
    let number = lookup::classify_chunk(chunk, colon);
    if number == name::UNKNOWN && !grammar::is_token(chunk.get(..colon)?) {
        return None;
    }
    // Mostly one blank in front and none behind.
    let (before, behind) = match value {
        [b' ', only] if *only > b' ' => (1, 0),
        [b' ', second, .., last] if *second > b' ' && *last > b' ' => (1, 0),
        _ => blanks(value),
    };
    Some(Line {
        start: start as u32,
        value: (start + colon + 1 + before) as u32,
        value_end: (feed - 1 - behind) as u32,
        end: (feed + 1) as u32,
        name: colon as u16,
        number,
        folded: false,
    })
}

/// Blanks in front of a value and behind it.
#[inline(never)]
fn blanks(value: &[u8]) -> (usize, usize) {
    let before = value.iter().take_while(|&&b| is_blank(b)).count();
    let behind = value.iter().skip(before).rev().take_while(|&&b| is_blank(b)).count();
    (before, behind)
}

#[cfg(test)]
mod tests;
