//! The `state` category: machine, phone and user states.

use core::fmt::Write;

use crate::availability::{self, BUSY_LIMIT};
use crate::publication::Activity;
use crate::xml::{Element, escaped};

const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/state";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A state: an availability number and, for phones, an activity.
///
/// MS-PRES 2.2.2.7 (state)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StateCategory {
    /// Whose state it is.
    pub kind: StateKind,
    /// Whether a person chose it.
    pub manual: bool,
    /// The number; `None` when there is none, or none that can be understood: then the former one stays.
    pub availability: Option<u32>,
    /// Activities; the first whose range holds the aggregated availability counts.
    pub activities: Vec<PublishedActivity>,
}

/// Whose state it is.
///
/// MS-PRES 2.2.2.7 (xsi:type)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateKind {
    /// The use of a machine.
    Machine,
    /// A phone.
    Phone,
    /// What the user chose.
    User,
    /// The user's calendar.
    Calendar,
    /// What the server made of all others.
    Aggregate,
    /// Another kind, or none.
    Other(String),
}

/// An activity with the availabilities at which it counts.
///
/// MS-PRES 2.2.2.7 (activity)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublishedActivity {
    /// The token, for example `on-the-phone`; an own text has none.
    pub token: Option<String>,
    /// The least availability at which it counts.
    pub least: u32,
    /// The greatest, if there is one.
    pub greatest: Option<u32>,
}

impl PublishedActivity {
    /// Whether it counts at this aggregated availability.
    ///
    /// MS-PRES 2.2.2.7 (activity)
    #[must_use]
    pub fn counts_at(&self, availability: u32) -> bool {
        availability >= self.least && self.greatest.is_none_or(|greatest| availability <= greatest)
    }
}

impl StateCategory {
    /// The state of a machine.
    ///
    /// MS-PRES 2.2.2.7 (machineState)
    #[must_use]
    pub fn machine(availability: u16) -> Self {
        Self {
            kind: StateKind::Machine,
            manual: false,
            availability: Some(availability.into()),
            activities: Vec::new(),
        }
    }

    /// The state of a phone with what it is doing.
    ///
    /// MS-PRES 2.2.2.7 (phoneState)
    #[must_use]
    pub fn phone(availability: u16, activity: Activity) -> Self {
        let least = match activity {
            Activity::OnThePhone => availability::IN_CALL,
            Activity::InAConference => availability::IN_CONFERENCE,
        };
        let activity = PublishedActivity {
            token: Some(activity.token().to_owned()),
            least: least.into(),
            greatest: Some(BUSY_LIMIT),
        };
        Self {
            kind: StateKind::Phone,
            manual: false,
            availability: Some(availability.into()),
            activities: vec![activity],
        }
    }

    /// What the user chose.
    ///
    /// MS-PRES 2.2.2.7 (userState)
    #[must_use]
    pub fn user(availability: u16) -> Self {
        Self {
            kind: StateKind::User,
            manual: true,
            availability: Some(availability.into()),
            activities: Vec::new(),
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            "<state xmlns=\"{NAMESPACE}\" xmlns:xsi=\"{XSI}\" xsi:type=\"{}\" manual=\"{}\">",
            escaped(self.kind.token()),
            self.manual
        );
        if let Some(availability) = self.availability {
            let _ = write!(out, "<availability>{availability}</availability>");
        }
        for activity in &self.activities {
            out.push_str("<activity");
            if let Some(token) = &activity.token {
                let _ = write!(out, " token=\"{}\"", escaped(token));
            }
            let _ = write!(out, " minAvailability=\"{}\"", activity.least);
            if let Some(greatest) = activity.greatest {
                let _ = write!(out, " maxAvailability=\"{greatest}\"");
            }
            out.push_str("/>");
        }
        if self.kind == StateKind::Machine {
            out.push_str("<endpointLocation/>");
        }
        out.push_str("</state>");
    }

    /// Reads a `state`; `None` for another category. Numbers that cannot be understood are unknown, never an error.
    pub(super) fn read(element: &Element) -> Option<Self> {
        if !element.is(NAMESPACE, "state") {
            return None;
        }
        let kind =
            element.attribute_of(XSI, "type").or_else(|| element.attribute("type")).unwrap_or_default();
        // The type may carry a prefix.
        let kind = kind.rsplit(':').next().unwrap_or_default().trim();
        let activities = element.children(NAMESPACE, "activity").map(|activity| PublishedActivity {
            token: activity.attribute("token").map(str::to_owned),
            least: unsigned(activity.attribute("minAvailability").unwrap_or_default()).unwrap_or(0),
            greatest: activity.attribute("maxAvailability").and_then(unsigned),
        });
        Some(Self {
            kind: StateKind::of(kind),
            manual: matches!(element.attribute("manual").map(str::trim), Some("true" | "1")),
            availability: element.child(NAMESPACE, "availability").and_then(|child| unsigned(child.text())),
            activities: activities.collect(),
        })
    }
}

impl StateKind {
    fn token(&self) -> &str {
        match self {
            Self::Machine => "machineState",
            Self::Phone => "phoneState",
            Self::User => "userState",
            Self::Calendar => "calendarState",
            Self::Aggregate => "aggregateState",
            Self::Other(token) => token,
        }
    }

    fn of(token: &str) -> Self {
        match token {
            "machineState" => Self::Machine,
            "phoneState" => Self::Phone,
            "userState" => Self::User,
            "calendarState" => Self::Calendar,
            "aggregateState" => Self::Aggregate,
            other => Self::Other(other.to_owned()),
        }
    }
}

fn unsigned(text: &str) -> Option<u32> {
    let text = text.trim();
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    fn written(state: &StateCategory) -> String {
        let mut out = String::new();
        state.write(&mut out);
        out
    }

    #[test]
    fn states_are_written_as_clients_write_them() {
        let head = "<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" \
                    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=";
        assert_eq!(
            written(&StateCategory::machine(15500)),
            format!(
                "{head}\"machineState\" manual=\"false\"><availability>15500</availability><endpointLocation/></state>"
            )
        );
        assert_eq!(
            written(&StateCategory::phone(6500, Activity::OnThePhone)),
            format!(
                "{head}\"phoneState\" manual=\"false\"><availability>6500</availability>\
                 <activity token=\"on-the-phone\" minAvailability=\"6500\" maxAvailability=\"8999\"/></state>"
            )
        );
        assert_eq!(
            written(&StateCategory::user(9500)),
            format!("{head}\"userState\" manual=\"true\"><availability>9500</availability></state>")
        );
    }

    #[test]
    fn numbers_that_cannot_be_understood_are_unknown() {
        for (text, expected) in [
            ("3500", Some(3500)),
            (" \n3500\t", Some(3500)),
            ("", None),
            ("+3500", None),
            ("-1", None),
            ("35.0", None),
            ("99999999999999999999", None),
        ] {
            let body = format!("<state xmlns=\"{NAMESPACE}\"><availability>{text}</availability></state>");
            let element = parse(body.as_bytes()).expect("well-formed");
            let state = StateCategory::read(&element).expect("a state");
            assert_eq!(state.availability, expected, "{text:?}");
            assert_eq!(state.kind, StateKind::Other(String::new()));
        }
    }

    #[test]
    fn an_activity_counts_within_its_range_only() {
        let call = PublishedActivity { token: None, least: 6500, greatest: Some(8999) };
        assert_eq!([6499, 6500, 8999, 9000].map(|at| call.counts_at(at)), [false, true, true, false]);
        let open = PublishedActivity { token: None, least: 12000, greatest: None };
        assert_eq!([11999, 12000, u32::MAX].map(|at| open.counts_at(at)), [false, true, true]);
    }
}
