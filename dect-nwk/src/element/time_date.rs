//! Time and date.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// What a time and date are for.
    ///
    /// EN 300 175-5 7.7.50
    TimeInterpretation {
        /// The current time.
        Current = 0x00,
        /// A duration.
        Duration = 0x01,
        /// The time is asked for.
        Request = 0x04,
        /// No valid time is known.
        NoneValid = 0x05,
        /// The time a multimedia message was created.
        Created = 0x20,
    }
}

coded! {
    /// Which of time and date are meant.
    ///
    /// EN 300 175-5 7.7.50
    TimeCoding {
        /// The time.
        Time = 1,
        /// The date.
        Date = 2,
        /// Both.
        TimeAndDate = 3,
    }
}

/// A date.
///
/// EN 300 175-5 7.7.50
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calendar {
    /// The year in its century.
    pub year: u8,
    /// The month.
    pub month: u8,
    /// The day.
    pub day: u8,
}

/// A time of day.
///
/// EN 300 175-5 7.7.50
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clock {
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second.
    pub second: u8,
    /// The distance to Greenwich in quarter hours, positive to the east; the order of its digits on the air is
    /// inferred and some stacks swap them, so let nothing depend on a received one.
    pub zone: i8,
}

/// Time, date and what they are for.
///
/// EN 300 175-5 7.7.50
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TimeDate {
    /// Which of both are meant.
    pub coding: TimeCoding,
    /// What they are for.
    pub interpretation: TimeInterpretation,
    /// The date; absent when not coded or not carried.
    pub date: Option<Calendar>,
    /// The time; absent when not coded or not carried.
    pub time: Option<Clock>,
}

impl TimeDate {
    /// The current date and time.
    ///
    /// EN 300 175-5 7.7.50
    pub const fn current(date: Calendar, time: Clock) -> Self {
        Self {
            coding: TimeCoding::TimeAndDate,
            interpretation: TimeInterpretation::Current,
            date: Some(date),
            time: Some(time),
        }
    }
}

const SIGN: u8 = 0x80;

fn decimal(octet: u8) -> Option<u8> {
    let (tens, units) = (octet >> 4, octet & 0xf);
    (tens < 10 && units < 10).then_some(10 * tens + units)
}

const fn coded_decimal(number: u8) -> u8 {
    ((number / 10 % 10) << 4) | (number % 10)
}

fn decimals<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], Error> {
    let at = reader.at();
    let octets: [u8; N] = reader.array()?;
    let mut numbers = [0; N];
    for (index, (number, octet)) in numbers.iter_mut().zip(octets).enumerate() {
        *number = decimal(octet).ok_or(Error::Malformed { at: at + index, rule: Rule::Digit })?;
    }
    Ok(numbers)
}

impl Contents for TimeDate {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let coding = TimeCoding::from_code(first >> 6);
        let interpretation = TimeInterpretation::from_code(first & 0x3f);
        let carried = !reader.is_empty();
        let date = if carried && first & 0x80 != 0 {
            let [year, month, day] = decimals(&mut reader)?;
            Some(Calendar { year, month, day })
        } else {
            None
        };
        let time = if carried && first & 0x40 != 0 {
            let [hour, minute, second] = decimals(&mut reader)?;
            let zone = reader.octet()?;
            let quarters = (10 * (zone >> 4 & 7) + (zone & 0xf)) as i8;
            Some(Clock { hour, minute, second, zone: if zone & SIGN == 0 { quarters } else { -quarters } })
        } else {
            None
        };
        Ok(Self { coding, interpretation, date, time })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.coding.code() << 6 | self.interpretation.code() & 0x3f);
        if let Some(date) = self.date {
            contents.put_slice(&[date.year, date.month, date.day].map(coded_decimal));
        }
        if let Some(time) = self.time {
            contents.put_slice(&[time.hour, time.minute, time.second].map(coded_decimal));
            let sign = if time.zone < 0 { SIGN } else { 0 };
            contents.put_u8(sign | coded_decimal(time.zone.unsigned_abs().min(79)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_precedes_the_time() {
        let date = Calendar { year: 9, month: 1, day: 14 };
        for (zone, last) in [(4, 0x04), (8, 0x08), (-20, 0xa0)] {
            let value = TimeDate::current(date, Clock { hour: 18, minute: 58, second: 54, zone });
            let octets = [0xc0, 0x09, 0x01, 0x14, 0x18, 0x58, 0x54, last];
            assert_eq!(TimeDate::parse(&octets), Ok(value));
            let mut written = BytesMut::new();
            value.emit(&mut written);
            assert_eq!(written, &octets[..]);
        }
    }

    #[test]
    fn a_request_is_one_octet() {
        let request = TimeDate::parse(&[0xc4]).unwrap();
        assert_eq!((request.interpretation, request.date), (TimeInterpretation::Request, None));
        assert_eq!(
            TimeDate::parse(&[0x80, 0x09, 0x0a, 0x14]),
            Err(Error::Malformed { at: 2, rule: Rule::Digit })
        );
    }
}
