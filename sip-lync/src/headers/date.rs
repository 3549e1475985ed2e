//! Date.

use core::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{ParseError, Rule};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date in GMT, with seconds.
///
/// RFC 3261 20.17
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// Seconds since the beginning of 1970.
    seconds: u64,
}

impl Date {
    /// A moment, cut to seconds; moments before 1970 become its beginning.
    ///
    /// RFC 3261 20.17
    pub fn new(moment: SystemTime) -> Self {
        Self { seconds: moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() }
    }

    /// The moment.
    ///
    /// RFC 3261 20.17
    pub fn moment(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds)
    }

    /// Reads `Sat, 13 Nov 2010 23:29:00 GMT`; nothing but GMT is taken, as the standard demands.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text.trim()).ok_or_else(|| ParseError::new(0, Rule::Date))
    }

    fn read(text: &str) -> Option<Self> {
        let (day_name, rest) = text.split_once(", ")?;
        let words: Vec<&str> = rest.split(' ').collect();
        let &[day, month, year, time, "GMT"] = &words[..] else { return None };
        let number = |text: &str, length: usize| {
            let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse::<u64>().ok() } else { None }
        };
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as u64 + 1;
        let (day, year) = (number(day, 2)?, number(year, 4)?);
        let parts: Vec<&str> = time.split(':').collect();
        let &[hour, minute, second] = &parts[..] else { return None };
        let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
        let valid =
            year >= 1970 && (1..=days_of_month(year, month)).contains(&day) && hour < 24 && minute < 60;
        if !valid || second > 60 {
            return None;
        }
        let days = days_since_1970(year, month, day);
        if !DAYS.get(((days + 4) % 7) as usize)?.eq_ignore_ascii_case(day_name) {
            return None;
        }
        Some(Self { seconds: days * 86_400 + hour * 3600 + minute * 60 + second })
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar; the year is at least 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    (year - 1970) * 365 + leaps + months + day - 1
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.seconds / 86_400;
        // The year is found by a guess that is at most one too high.
        let mut year = 1970 + days / 365;
        while days_since_1970(year, 1, 1) > days {
            year -= 1;
        }
        let mut day = days - days_since_1970(year, 1, 1);
        let mut month = 1;
        while day >= days_of_month(year, month) {
            day -= days_of_month(year, month);
            month += 1;
        }
        let name = |names: &'static [&'static str], index: u64| {
            names.get(index as usize).copied().unwrap_or_default()
        };
        let (hour, minute, second) = (self.seconds / 3600 % 24, self.seconds / 60 % 60, self.seconds % 60);
        let (week_day, month_name) = (name(&DAYS, (days + 4) % 7), name(&MONTHS, month - 1));
        write!(f, "{week_day}, {:02} {month_name} {year:04} {hour:02}:{minute:02}:{second:02} GMT", day + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940),
            ("Mon, 29 Feb 2016 12:00:01 GMT", 1_456_747_201),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Fri, 31 Dec 2100 00:00:00 GMT", 4_133_894_400),
        ] {
            let date = Date::parse(text).unwrap();
            assert_eq!(date.moment(), UNIX_EPOCH + Duration::from_secs(seconds), "{text}");
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn every_day_of_many_years_survives() {
        for day in 0..80_000 {
            let date = Date { seconds: day * 86_400 + 3661 };
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
        }
    }

    #[test]
    fn other_zones_and_impossible_days_are_refused() {
        for text in [
            "",
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 1 Jan 2010 16:00:00 GMT",
            "Mon, 01 Jan 2010 16:00:00 GMT",
            "Mon, 30 Feb 2010 16:00:00 GMT",
            "Fri, 01 Jan 2010 24:00:00 GMT",
            "Fri, 01 Jan 2010 16:00 GMT",
            "Fri, 01 Foo 2010 16:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Fri, 01 Jan 2010 16:00:00 GMT x",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }
}
