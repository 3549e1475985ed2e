//! Dates as presence documents write them.

use core::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::xml::{BLANKS, Writer};

/// A moment as documents write it (`xs:dateTime`): kept as it was written, with its offset if it had one.
///
/// RFC 3863 4.1.7; W3C XML Schema Part 2 3.2.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    /// Minutes east of Greenwich; without one the moment is read as UTC.
    offset: Option<i16>,
}

impl DateTime {
    /// Reads a date; blanks around it are allowed, a 60th second is not.
    ///
    /// W3C XML Schema Part 2 3.2.7.1
    #[must_use]
    #[inline]
    pub fn parse(text: &str) -> Option<Self> {
        Self::usual(text.as_bytes()).or_else(|| Self::other(text))
    }

    /// `2026-01-01T10:00:00Z`, perhaps with a fraction or another offset, and nothing in it that needs a look.
    #[inline]
    fn usual(text: &[u8]) -> Option<Self> {
        let (moment, rest) = text.split_first_chunk::<19>()?;
        // Each octet less what the pattern has there: digits are their values, signs nothing.
        let less = |from: usize, pattern: &[u8; 8]| {
            let eight = moment.get(from..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
            u64::from_le_bytes(eight) ^ u64::from_le_bytes(*pattern)
        };
        let parts = [less(0, b"0000-00-"), less(8, b"00T00:00"), less(11, b"00:00:00")];
        let signs = [0xff00_00ff_0000_0000, 0x0000_ff00_00ff_0000, 0x0000_ff00_00ff_0000];
        let bad = parts.iter().zip(signs).fold(0, |bad, (part, signs)| {
            // Beyond nine: the highest bit of `part + 118`, or its own.
            bad | (part.wrapping_add(0x7676_7676_7676_7676) | part) & 0x8080_8080_8080_8080 | part & signs
        });
        if bad != 0 {
            return None;
        }
        let two = |part: usize, at: usize| {
            let part = parts.get(part).map_or(0, |part| part >> (8 * at));
            (part as u8).wrapping_mul(10).wrapping_add((part >> 8) as u8)
        };
        let (century, year) = (two(0, 0), two(0, 2));
        let (month, day) = (two(0, 5), two(1, 0));
        let (hour, minute, second) = (two(1, 3), two(1, 6), two(2, 6));
        let good = century > 0
            && (1..=12).contains(&month)
            && (1..=28).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !good {
            return None;
        }
        let (nanos, offset) = match rest {
            b"Z" => (0, Some(0)),
            [] => (0, None),
            rest => {
                let (nanos, rest) = fraction(rest)?;
                (nanos, offset(rest)?)
            }
        };
        let year = i32::from(century) * 100 + i32::from(year);
        Some(Self { year, month, day, hour, minute, second, nanos, offset })
    }

    #[inline(never)]
    fn other(text: &str) -> Option<Self> {
        let text = match text.as_bytes() {
            text @ [b'0'..=b'9', .., b'Z'] => text,
            _ => text.trim_matches(BLANKS).as_bytes(),
        };
        let (before_christ, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let digits = text.iter().position(|byte| !byte.is_ascii_digit())?;
        if !(4..=9).contains(&digits) || (digits > 4 && text.first() == Some(&b'0')) {
            return None;
        }
        let (year, rest) = text.split_at_checked(digits)?;
        let year = year.iter().fold(0i32, |sum, digit| sum * 10 + i32::from(digit - b'0'));
        let ([b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2], rest) =
            rest.split_at_checked(15)?
        else {
            return None;
        };
        let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
        let (hour, minute, second) = (two(*h1, *h2)?, two(*i1, *i2)?, two(*s1, *s2)?);
        let (nanos, rest) = fraction(rest)?;
        let offset = offset(rest)?;
        let year = if before_christ { -year } else { year };
        let midnight = hour == 24 && minute == 0 && second == 0 && nanos == 0;
        let good = year != 0
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_of(year, month)
            && (hour < 24 || midnight)
            && minute < 60
            && second < 60;
        good.then_some(Self { year, month, day, hour, minute, second, nanos, offset })
    }

    /// A moment in UTC; not before 1970, to the millisecond.
    ///
    /// RFC 3863 4.1.7
    #[must_use]
    pub fn of(wall: SystemTime) -> Self {
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let (year, month, day) = civil(since.as_secs() / 86_400);
        let second = since.as_secs() % 86_400;
        Self {
            year: year as i32,
            month: month as u8,
            day: day as u8,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            nanos: since.subsec_millis() * 1_000_000,
            offset: Some(0),
        }
    }

    /// The moment on the wall; without an offset it is read as UTC. `None` before 1970.
    ///
    /// RFC 3863 4.1.7
    #[must_use]
    pub fn system_time(&self) -> Option<SystemTime> {
        let (second, nanos) = self.instant();
        let since = Duration::new(u64::try_from(second).ok()?, nanos);
        UNIX_EPOCH.checked_add(since)
    }

    /// Whether an offset was written.
    ///
    /// RFC 3863 4.1.7
    #[must_use]
    pub fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// Whether it is later, whatever the offsets.
    ///
    /// RFC 3863 4.1.7
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.instant() > other.instant()
    }

    /// Seconds since 1970 and the part of a second.
    fn instant(&self) -> (i64, u32) {
        let days = days_since_1970(self.year, self.month, self.day);
        let minutes =
            i64::from(self.hour) * 60 + i64::from(self.minute) - i64::from(self.offset.unwrap_or(0));
        (days * 86_400 + minutes * 60 + i64::from(self.second), self.nanos)
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        if !(1..=9999).contains(&self.year) {
            out.raw(&self.to_string());
            return;
        }
        let year = self.year.unsigned_abs();
        let [y1, y2] = pair((year / 100) as u8);
        let [y3, y4] = pair((year % 100) as u8);
        let [m1, m2] = pair(self.month);
        let [d1, d2] = pair(self.day);
        let [h1, h2] = pair(self.hour);
        let [i1, i2] = pair(self.minute);
        let [s1, s2] = pair(self.second);
        let whole =
            [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'Z'];
        if self.nanos == 0 && self.offset == Some(0) {
            out.ascii(&whole);
            return;
        }
        out.ascii(whole.get(..19).unwrap_or_default());
        if self.nanos != 0 {
            let mut digits = [b'.', 0, 0, 0, 0, 0, 0, 0, 0, 0];
            // Mostly it is milliseconds.
            let (mut rest, length) = match self.nanos / 1_000_000 {
                millis if millis * 1_000_000 == self.nanos => (millis, 4),
                _ => (self.nanos, 10),
            };
            for digit in digits.iter_mut().take(length).skip(1).rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            let digits = digits.get(..length).unwrap_or_default();
            let end = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
            out.ascii(digits.get(..=end).unwrap_or_default());
        }
        match self.offset {
            None => {}
            Some(0) => {
                out.ascii(b"Z");
            }
            Some(offset) => {
                let sign = if offset < 0 { b'-' } else { b'+' };
                let offset = offset.unsigned_abs();
                let ([h1, h2], [m1, m2]) = (pair((offset / 60) as u8), pair((offset % 60) as u8));
                out.ascii(&[sign, h1, h2, b':', m1, m2]);
            }
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, nanos, offset } = *self;
        let sign = if year < 0 { "-" } else { "" };
        let year = year.unsigned_abs();
        write!(out, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(out, ".{}", digits.trim_end_matches('0'))?;
        }
        match offset {
            None => Ok(()),
            Some(0) => out.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let offset = offset.unsigned_abs();
                write!(out, "{sign}{:02}:{:02}", offset / 60, offset % 60)
            }
        }
    }
}

/// A moment as `xs:dateTime` in UTC, for example `2026-01-01T10:00:00Z`; fractions of a second are written only if there are any.
///
/// RFC 3863 4.1.7
#[must_use]
pub fn date_time(wall: SystemTime) -> String {
    DateTime::of(wall).to_string()
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// Two digits; of more the last two.
fn pair(number: u8) -> [u8; 2] {
    const PAIRS: [[u8; 2]; 256] = {
        let mut pairs = [[0; 2]; 256];
        let mut number = 0;
        while number < 256 {
            pairs[number] = [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
            number += 1;
        }
        pairs
    };
    PAIRS[usize::from(number)]
}

/// Nanoseconds; digits beyond are dropped.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (fraction, rest) = rest.split_at_checked(digits)?;
    const SCALE: [u32; 10] =
        [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let read = fraction.iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let nanos = read * SCALE.get(digits.min(9)).unwrap_or(&1);
    (digits > 0).then_some((nanos, rest))
}

#[expect(clippy::option_option, reason = "a good offset may be none")]
fn offset(text: &[u8]) -> Option<Option<i16>> {
    match text {
        [] => Some(None),
        b"Z" => Some(Some(0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (i16::from(two(*h1, *h2)?), i16::from(two(*m1, *m2)?));
            let offset = hours * 60 + minutes;
            let good = minutes < 60 && offset <= 14 * 60;
            good.then_some(Some(if *sign == b'-' { -offset } else { offset }))
        }
        _ => None,
    }
}

fn days_of(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i32, month: u8, day: u8) -> i64 {
    // As in `civil`, years begin in March.
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (i64::from(month) + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are taken to begin in March, so that the leap day is the last of its year.
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_as_calendars_have_them() {
        for (seconds, millis, expected) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_399, 0, "2000-02-28T23:59:59Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (951_868_800, 1, "2000-03-01T00:00:00.001Z"),
            (1_767_261_600, 0, "2026-01-01T10:00:00Z"),
            (4_107_542_400, 250, "2100-03-01T00:00:00.25Z"),
        ] {
            let wall = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis);
            assert_eq!(date_time(wall), expected);
            assert_eq!(DateTime::parse(expected).and_then(|read| read.system_time()), Some(wall));
        }
    }

    #[test]
    fn dates_are_read_as_the_schema_has_them() {
        for (text, again) in [
            (" 2026-01-01T10:00:00Z\n", "2026-01-01T10:00:00Z"),
            ("2026-01-01T10:00:00", "2026-01-01T10:00:00"),
            ("2026-01-01T10:00:00.3170+01:00", "2026-01-01T10:00:00.317+01:00"),
            ("2026-01-01T10:00:00-14:00", "2026-01-01T10:00:00-14:00"),
            ("2026-01-01T24:00:00Z", "2026-01-01T24:00:00Z"),
            ("12026-01-01T00:00:00Z", "12026-01-01T00:00:00Z"),
            ("-0001-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
            ("2024-02-29T23:59:59.999999999999Z", "2024-02-29T23:59:59.999999999Z"),
            ("2026-01-01T10:00:00+00:00", "2026-01-01T10:00:00Z"),
        ] {
            assert_eq!(
                DateTime::parse(text).map(|read| read.to_string()).as_deref(),
                Some(again),
                "{text:?}"
            );
        }
        for bad in [
            "",
            "2026",
            "2026-01-01",
            "2026-01-01T10:00Z",
            "2026-1-01T10:00:00Z",
            "2026-01-01t10:00:00Z",
            "2026-01-01T10:00:00z",
            "2026-01-01T10:00:60Z",
            "2026-01-01T10:60:00Z",
            "2026-01-01T24:00:01Z",
            "2026-13-01T10:00:00Z",
            "2026-02-29T10:00:00Z",
            "2026-00-01T10:00:00Z",
            "2026-01-00T10:00:00Z",
            "0000-01-01T10:00:00Z",
            "02026-01-01T10:00:00Z",
            "+2026-01-01T10:00:00Z",
            "2026-01-01T10:00:00.Z",
            "2026-01-01T10:00:00+14:01",
            "2026-01-01T10:00:00+1:00",
            "2026-01-01T10:00:00 Z",
            "206-01-01T10:00:00Z",
            "9999999999-01-01T10:00:00Z",
        ] {
            assert_eq!(DateTime::parse(bad), None, "{bad:?}");
        }
    }

    /// Both readers of dates agree, wherever an octet is another one.
    #[test]
    fn the_usual_form_is_read_as_every_other() {
        let mut usual = 0;
        for text in [
            "2026-01-01T10:59:59Z",
            "1999-12-28T23:00:07",
            "2026-10-09T08:07:06.0317Z",
            "2026-01-01T10:00:00.5-01:30",
        ] {
            for place in 0..text.len() {
                for octet in 0..0x80u8 {
                    let mut octets = text.as_bytes().to_vec();
                    octets[place] = octet;
                    let text = String::from_utf8(octets).expect("ASCII");
                    let quick = DateTime::usual(text.as_bytes());
                    usual += usize::from(quick.is_some());
                    assert!(quick.is_none() || quick == DateTime::other(&text), "{text:?}");
                    assert_eq!(DateTime::parse(&text), DateTime::other(&text), "{text:?}");
                }
            }
        }
        assert!(usual > 500, "{usual} of the usual form");
    }

    #[test]
    fn an_offset_moves_a_moment_and_not_its_text() {
        let of = |text: &str| DateTime::parse(text).expect("a date");
        let (utc, east) = (of("2026-01-01T00:30:00Z"), of("2026-01-01T01:00:00+01:00"));
        assert!(utc.is_after(&east) && !east.is_after(&utc) && !utc.is_after(&utc));
        assert_eq!(east.system_time(), of("2026-01-01T00:00:00").system_time());
        assert_eq!(of("1969-12-31T23:59:59Z").system_time(), None);
    }

    #[test]
    fn each_day_follows_the_day_before_for_four_centuries() {
        let mut date = (1970i32, 1u8, 1u8);
        for days in 0..146_097u32 {
            let (year, month, day) = date;
            assert_eq!(civil(u64::from(days)), (year as u64, u64::from(month), u64::from(day)));
            assert_eq!(days_since_1970(year, month, day), i64::from(days));
            date = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == days_of(year, month) => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }
}
