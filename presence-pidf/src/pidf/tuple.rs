//! A tuple: one way to reach the presentity.

use std::borrow::Cow;

use crate::capabilities::ServiceCapabilities;
use crate::cipid::CallerInformation;
use crate::date_time::DateTime;
use crate::pidf::{Note, owned};
use crate::rpid::UserInput;

/// One way to reach the presentity, and whether it leads anywhere.
///
/// RFC 3863 4.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Tuple<'a> {
    /// Its name within the document.
    pub id: Cow<'a, str>,
    /// Whether it leads anywhere.
    pub status: Status<'a>,
    /// The device behind it.
    pub device_id: Option<Cow<'a, str>>,
    /// Whether somebody uses it.
    pub user_input: Option<UserInput<'a>>,
    /// What it can do.
    pub capabilities: Option<Box<ServiceCapabilities<'a>>>,
    /// Who is there.
    pub caller: Option<Box<CallerInformation<'a>>>,
    /// Where it is reached.
    pub contact: Option<Contact<'a>>,
    /// Remarks.
    pub notes: Vec<Note<'a>>,
    /// When this was found out.
    pub timestamp: Option<DateTime>,
}

/// Whether a tuple leads anywhere.
///
/// RFC 3863 4.1.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Status<'a> {
    /// Open or closed; `None` when it does not say, or nothing that can be understood.
    pub basic: Option<Basic>,
    /// Activities as the draft before RFC 4480 had them, which servers of Microsoft write; never written by us.
    pub old_activities: Vec<Cow<'a, str>>,
}

/// Open or closed.
///
/// RFC 3863 4.1.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basic {
    /// Messages and calls arrive.
    Open,
    /// They do not.
    Closed,
}

/// Where a tuple is reached.
///
/// RFC 3863 4.1.5
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Contact<'a> {
    /// The address.
    pub uri: Cow<'a, str>,
    /// How it stands among others.
    pub priority: Option<Priority>,
}

/// A priority in thousandths, from 0 to 1000.
///
/// RFC 3863 4.1.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Priority(u16);

impl Basic {
    /// The word for it.
    ///
    /// RFC 3863 4.1.4
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    pub(crate) fn of(token: &str) -> Option<Self> {
        match token {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

impl Priority {
    /// A priority; more than 1000 thousandths are none.
    ///
    /// RFC 3863 4.1.5
    #[must_use]
    pub fn of(thousandths: u16) -> Option<Self> {
        (thousandths <= 1000).then_some(Self(thousandths))
    }

    /// From 0 to 1000.
    ///
    /// RFC 3863 4.1.5
    #[must_use]
    pub fn thousandths(self) -> u16 {
        self.0
    }

    /// `0` or `1`, with at most three decimals.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = match text.as_bytes() {
            [whole] => (*whole, &[][..]),
            [whole, b'.', decimals @ ..] => (*whole, decimals),
            _ => return None,
        };
        if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let part = (0..3).fold(0u16, |sum, place| {
            sum * 10 + decimals.get(place).map_or(0, |digit| u16::from(digit - b'0'))
        });
        match (whole, part) {
            (b'0', part) => Some(Self(part)),
            (b'1', 0) => Some(Self(1000)),
            _ => None,
        }
    }

    /// The shortest form.
    pub(crate) fn digits(self) -> ([u8; 5], usize) {
        let Self(thousandths) = self;
        let digit = |value: u16| b'0' + (value % 10) as u8;
        let text = [
            digit(thousandths / 1000),
            b'.',
            digit(thousandths / 100),
            digit(thousandths / 10),
            digit(thousandths),
        ];
        let length = match thousandths {
            0 | 1000 => 1,
            _ if thousandths % 100 == 0 => 3,
            _ if thousandths % 10 == 0 => 4,
            _ => 5,
        };
        (text, length)
    }
}

impl Tuple<'_> {
    pub(crate) fn into_owned(self) -> Tuple<'static> {
        Tuple {
            id: owned(self.id),
            status: Status {
                basic: self.status.basic,
                old_activities: self.status.old_activities.into_iter().map(owned).collect(),
            },
            device_id: self.device_id.map(owned),
            user_input: self.user_input.map(UserInput::into_owned),
            capabilities: self.capabilities.map(|capabilities| Box::new(capabilities.into_owned())),
            caller: self.caller.map(|caller| Box::new(caller.into_owned())),
            contact: self
                .contact
                .map(|contact| Contact { uri: owned(contact.uri), priority: contact.priority }),
            notes: self.notes.into_iter().map(Note::into_owned).collect(),
            timestamp: self.timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_those_of_the_pattern() {
        for (text, thousandths, again) in
            [("0", 0, "0"), ("0.", 0, "0"), ("0.8", 800, "0.8"), ("0.25", 250, "0.25"), ("0.001", 1, "0.001")]
        {
            let priority = Priority::parse(text).expect("a priority");
            assert_eq!(priority.thousandths(), thousandths, "{text}");
            let (digits, length) = priority.digits();
            assert_eq!(&digits[..length], again.as_bytes());
        }
        assert_eq!(Priority::parse("1."), Priority::of(1000));
        assert_eq!(Priority::parse("1.000"), Priority::of(1000));
        for bad in ["", ".5", "1.001", "0.1234", "2", "-0", " 0.5", "0,5", "1.1", "00"] {
            assert_eq!(Priority::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Priority::of(1001), None);
    }
}
