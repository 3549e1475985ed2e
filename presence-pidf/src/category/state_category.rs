//! The `state` category: machine, phone, user, calendar and aggregated states.

use std::borrow::Cow;

use crate::availability::{self, BUSY_LIMIT};
use crate::date_time::DateTime;
use crate::error::Error;
use crate::pidf::owned;
use crate::publication::Activity;
use crate::xml::{Name, Namespace, Reader, Writer, trim};

/// A state: an availability number, activities, and where it was found out.
///
/// MS-PRES 2.2.2.7 (state)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct StateCategory<'a> {
    /// Whose state it is.
    pub kind: StateKind<'a>,
    /// Whether a person chose it.
    pub manual: bool,
    /// Since when.
    pub start_time: Option<DateTime>,
    /// When the user was active last: in aggregated states.
    pub last_active: Option<DateTime>,
    /// The endpoint: in aggregated states of machines.
    pub endpoint_id: Option<Cow<'a, str>>,
    /// The calendar or phone it was taken from.
    pub uri: Option<Cow<'a, str>>,
    /// The number; `None` when there is none, or none that can be understood: then the former one stays.
    pub availability: Option<u32>,
    /// Activities; the first whose range holds the aggregated availability counts.
    pub activities: Vec<PublishedActivity<'a>>,
    /// Where the endpoint is; empty when it does not say.
    pub endpoint_location: Option<Cow<'a, str>>,
    /// What the meeting is about.
    pub meeting_subject: Option<Cow<'a, str>>,
    /// Where the meeting is.
    pub meeting_location: Option<Cow<'a, str>>,
    /// Minutes to be added for UTC.
    pub time_zone_bias: Option<i32>,
    /// The time zone in words.
    pub time_zone_name: Option<Cow<'a, str>>,
    /// The time zone in short.
    pub time_zone_abbreviation: Option<Cow<'a, str>>,
    /// What kind of device: `computer`, `deskphone`, `mobile`, `web` or another.
    pub device: Option<Cow<'a, str>>,
}

/// Whose state it is.
///
/// MS-PRES 2.2.2.7 (xsi:type)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateKind<'a> {
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
    /// What the server made of all machines.
    AggregateMachine,
    /// A conference.
    Conference,
    /// Another kind, or none.
    Other(Cow<'a, str>),
}

impl Default for StateKind<'_> {
    fn default() -> Self {
        Self::Other(Cow::Borrowed(""))
    }
}

/// An activity with the availabilities at which it counts.
///
/// MS-PRES 2.2.2.7 (activity)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct PublishedActivity<'a> {
    /// The token, for example `on-the-phone`; an own text has none.
    pub token: Option<Cow<'a, str>>,
    /// The least availability at which it counts.
    pub least: u32,
    /// The greatest, if there is one.
    pub greatest: Option<u32>,
    /// Own words, each with the number of its language.
    pub custom: Vec<(u32, Cow<'a, str>)>,
}

impl PublishedActivity<'_> {
    /// Whether it counts at this aggregated availability.
    ///
    /// MS-PRES 2.2.2.7 (activity)
    #[must_use]
    pub fn counts_at(&self, availability: u32) -> bool {
        availability >= self.least && self.greatest.is_none_or(|greatest| availability <= greatest)
    }
}

impl<'a> StateCategory<'a> {
    /// The state of a machine.
    ///
    /// MS-PRES 2.2.2.7 (machineState)
    #[must_use]
    pub fn machine(availability: u16) -> Self {
        Self {
            kind: StateKind::Machine,
            availability: Some(availability.into()),
            endpoint_location: Some(Cow::Borrowed("")),
            ..Self::default()
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
            token: Some(Cow::Borrowed(activity.token())),
            least: least.into(),
            greatest: Some(BUSY_LIMIT),
            custom: Vec::new(),
        };
        Self {
            kind: StateKind::Phone,
            availability: Some(availability.into()),
            activities: vec![activity],
            ..Self::default()
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
            ..Self::default()
        }
    }

    /// What the server made of all states.
    ///
    /// MS-PRES 2.2.2.7 (aggregateState)
    #[must_use]
    pub fn aggregate(availability: u32) -> Self {
        Self { kind: StateKind::Aggregate, availability: Some(availability), ..Self::default() }
    }

    /// The activity that counts: the first in the document that fits the availability.
    ///
    /// MS-PRES 2.2.2.7 (activity)
    #[must_use]
    pub fn activity(&self) -> Option<&PublishedActivity<'a>> {
        let availability = self.availability?;
        self.activities.iter().find(|activity| activity.counts_at(availability))
    }

    /// As many octets as it hardly exceeds.
    pub(super) const EXPECTED: usize = 320;

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.raw(
            "<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"",
        );
        out.text(self.kind.token());
        out.raw(if self.manual { "\" manual=\"true\"" } else { "\" manual=\"false\"" });
        for (name, date) in [(" startTime=\"", &self.start_time), (" lastActive=\"", &self.last_active)] {
            if let Some(date) = date {
                out.raw(name);
                date.write(out);
                out.raw("\"");
            }
        }
        out.optional(" endpointId=\"", self.endpoint_id.as_deref()).optional(" uri=\"", self.uri.as_deref());
        out.raw(">");
        if let Some(availability) = self.availability {
            out.raw("<availability>").number(availability).raw("</availability>");
        }
        for activity in &self.activities {
            activity.write(out);
        }
        optional(self.endpoint_location.as_deref(), "<endpointLocation", "</endpointLocation>", out);
        optional(self.meeting_subject.as_deref(), "<meetingSubject", "</meetingSubject>", out);
        optional(self.meeting_location.as_deref(), "<meetingLocation", "</meetingLocation>", out);
        self.write_later(out);
        out.raw("</state>");
    }

    /// What a later version of the schema added stands between fences, so that old readers pass over it.
    fn write_later(&self, out: &mut Writer<'_>) {
        let later = self.time_zone_bias.is_some()
            || self.time_zone_name.is_some()
            || self.time_zone_abbreviation.is_some()
            || self.device.is_some();
        if !later {
            return;
        }
        out.raw("<delimiter xmlns=\"http://schemas.microsoft.com/2006/09/sip/commontypes\"/>");
        if let Some(bias) = self.time_zone_bias {
            out.raw(if bias < 0 { "<timeZoneBias>-" } else { "<timeZoneBias>" });
            out.number(bias.unsigned_abs()).raw("</timeZoneBias>");
        }
        optional(self.time_zone_name.as_deref(), "<timeZoneName", "</timeZoneName>", out);
        optional(
            self.time_zone_abbreviation.as_deref(),
            "<timeZoneAbbreviation",
            "</timeZoneAbbreviation>",
            out,
        );
        optional(self.device.as_deref(), "<device", "</device>", out);
        out.raw("<end xmlns=\"http://schemas.microsoft.com/2006/09/sip/commontypes\"/>");
    }

    /// Reads the `state` that the reader has entered. Numbers and dates that cannot be understood are unknown, never an
    /// error.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let kind = reader
            .attribute_of(Namespace::SchemaInstance, "type")
            .or_else(|| reader.attribute("type"))
            .unwrap_or_default();
        let date = |name| reader.attribute(name).and_then(|text| DateTime::parse(&text));
        let mut state = Self {
            kind: match &kind {
                Cow::Borrowed(kind) => StateKind::of(kind),
                Cow::Owned(kind) => StateKind::of(kind).into_owned(),
            },
            manual: super::truth(reader, "manual"),
            start_time: date("startTime"),
            last_active: date("lastActive"),
            endpoint_id: reader.attribute("endpointId"),
            uri: reader.attribute("uri"),
            ..Self::default()
        };
        let mut first = true;
        while let Some(child) = reader.child()? {
            if !matches!(child.namespace, Namespace::State | Namespace::None) {
                reader.skip()?;
                continue;
            }
            let place = match child.local {
                "availability" => {
                    let number = unsigned(&reader.text()?);
                    if first {
                        state.availability = number;
                    }
                    first = false;
                    continue;
                }
                "activity" => {
                    state.activities.push(PublishedActivity::read(reader)?);
                    continue;
                }
                "timeZoneBias" => {
                    state.time_zone_bias = trim(&reader.text()?).parse().ok();
                    continue;
                }
                "endpointLocation" => &mut state.endpoint_location,
                "meetingSubject" => &mut state.meeting_subject,
                "meetingLocation" => &mut state.meeting_location,
                "timeZoneName" => &mut state.time_zone_name,
                "timeZoneAbbreviation" => &mut state.time_zone_abbreviation,
                "device" => &mut state.device,
                _ => {
                    reader.skip()?;
                    continue;
                }
            };
            *place = Some(reader.text()?);
        }
        Ok(state)
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (state)
    #[must_use]
    pub fn into_owned(self) -> StateCategory<'static> {
        StateCategory {
            kind: self.kind.into_owned(),
            manual: self.manual,
            start_time: self.start_time,
            last_active: self.last_active,
            endpoint_id: self.endpoint_id.map(owned),
            uri: self.uri.map(owned),
            availability: self.availability,
            activities: self.activities.into_iter().map(PublishedActivity::into_owned).collect(),
            endpoint_location: self.endpoint_location.map(owned),
            meeting_subject: self.meeting_subject.map(owned),
            meeting_location: self.meeting_location.map(owned),
            time_zone_bias: self.time_zone_bias,
            time_zone_name: self.time_zone_name.map(owned),
            time_zone_abbreviation: self.time_zone_abbreviation.map(owned),
            device: self.device.map(owned),
        }
    }

    pub(super) fn is(name: &Name<'_>) -> bool {
        name.local == "state" && matches!(name.namespace, Namespace::State | Namespace::None)
    }
}

impl<'a> PublishedActivity<'a> {
    fn into_owned(self) -> PublishedActivity<'static> {
        let Self { token, least, greatest, custom } = self;
        let custom = custom.into_iter().map(|(language, text)| (language, owned(text))).collect();
        PublishedActivity { token: token.map(owned), least, greatest, custom }
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.raw("<activity").optional(" token=\"", self.token.as_deref());
        out.raw(" minAvailability=\"").number(self.least);
        if let Some(greatest) = self.greatest {
            out.raw("\" maxAvailability=\"").number(greatest);
        }
        if self.custom.is_empty() {
            out.raw("\"/>");
            return;
        }
        out.raw("\">");
        for (language, text) in &self.custom {
            out.raw("<custom LCID=\"").number(*language).element("\">", text, "</custom>");
        }
        out.raw("</activity>");
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let number = |name| reader.attribute(name).and_then(|text| unsigned(&text));
        let mut activity = Self {
            token: reader.attribute("token"),
            least: number("minAvailability").unwrap_or(0),
            greatest: number("maxAvailability"),
            custom: Vec::new(),
        };
        while let Some(child) = reader.child()? {
            if child.local == "custom" {
                let language = reader.attribute("LCID").and_then(|text| unsigned(&text)).unwrap_or(0);
                activity.custom.push((language, reader.text()?));
            } else {
                reader.skip()?;
            }
        }
        Ok(activity)
    }
}

impl<'a> StateKind<'a> {
    /// The word for it on the wire.
    ///
    /// MS-PRES 2.2.2.7 (xsi:type)
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::Machine => "machineState",
            Self::Phone => "phoneState",
            Self::User => "userState",
            Self::Calendar => "calendarState",
            Self::Aggregate => "aggregateState",
            Self::AggregateMachine => "aggregateMachineState",
            Self::Conference => "conferenceState",
            Self::Other(token) => token,
        }
    }

    /// The same, independent of the octets it was read from.
    fn into_owned(self) -> StateKind<'static> {
        match self {
            Self::Machine => StateKind::Machine,
            Self::Phone => StateKind::Phone,
            Self::User => StateKind::User,
            Self::Calendar => StateKind::Calendar,
            Self::Aggregate => StateKind::Aggregate,
            Self::AggregateMachine => StateKind::AggregateMachine,
            Self::Conference => StateKind::Conference,
            Self::Other(token) => StateKind::Other(owned(token)),
        }
    }

    /// The type may carry a prefix.
    fn of(written: &'a str) -> Self {
        match trim(written.rsplit(':').next().unwrap_or_default()) {
            "machineState" => Self::Machine,
            "phoneState" => Self::Phone,
            "userState" => Self::User,
            "calendarState" => Self::Calendar,
            "aggregateState" => Self::Aggregate,
            "aggregateMachineState" => Self::AggregateMachine,
            "conferenceState" => Self::Conference,
            other => Self::Other(Cow::Borrowed(other)),
        }
    }
}

/// `open` lacks its `>`.
#[inline]
pub(super) fn optional(text: Option<&str>, open: &str, close: &str, out: &mut Writer<'_>) {
    match text {
        None => {}
        Some("") => {
            out.raw(open).raw("/>");
        }
        Some(text) => {
            out.raw(open).element(">", text, close);
        }
    }
}

pub(super) fn unsigned(text: &str) -> Option<u32> {
    natural(text)?.try_into().ok()
}

/// An unsigned number; blanks around it are allowed, signs are not.
#[inline]
pub(super) fn natural(text: &str) -> Option<u64> {
    let octets = trim(text).as_bytes();
    let number = octets.iter().try_fold(0u64, |number, octet| {
        let digit = octet.wrapping_sub(b'0');
        (digit < 10).then(|| number.checked_mul(10)?.checked_add(digit.into())).flatten()
    });
    number.filter(|_| !octets.is_empty())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::error::Limits;

    fn written(state: &StateCategory<'_>) -> String {
        let mut out = BytesMut::new();
        state.write(&mut Writer::new(&mut out, 0));
        String::from_utf8(out.to_vec()).expect("UTF-8")
    }

    fn read(body: &str) -> StateCategory<'_> {
        let mut reader = Reader::new(body.as_bytes(), Limits::DOCUMENT).expect("within the limits");
        assert!(StateCategory::is(&reader.root().expect("a root")));
        let state = StateCategory::read(&mut reader).expect("well-formed");
        reader.finish().expect("nothing more");
        state
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
    fn every_member_of_a_state_is_read_as_it_was_written() {
        let text = |text: &'static str| Some(Cow::Borrowed(text));
        for kind in
            [StateKind::Calendar, StateKind::Aggregate, StateKind::AggregateMachine, StateKind::Conference]
        {
            let state = StateCategory {
                kind,
                manual: true,
                start_time: DateTime::parse("2026-01-01T10:00:00Z"),
                last_active: DateTime::parse("2026-01-01T10:00:00.5"),
                endpoint_id: text("a15780ab-975f-5b29-ada0-8b95adb48287"),
                uri: text("sip:a@b"),
                availability: Some(6500),
                activities: vec![PublishedActivity {
                    token: None,
                    least: 1,
                    greatest: None,
                    custom: vec![(1033, "at <home> & away".into())],
                }],
                endpoint_location: text(""),
                meeting_subject: text("Budget"),
                meeting_location: text("Room 7"),
                time_zone_bias: Some(-60),
                time_zone_name: text("W. Europe Standard Time"),
                time_zone_abbreviation: text("CET"),
                device: text("deskphone"),
            };
            assert_eq!(read(&written(&state)), state);
        }
    }

    #[test]
    fn numbers_that_cannot_be_understood_are_unknown() {
        for (text, expected) in [
            ("3500", Some(3500)),
            (" \n3500\t", Some(3500)),
            ("35<!-- and -->00", Some(3500)),
            ("", None),
            ("+3500", None),
            ("-1", None),
            ("35.0", None),
            ("99999999999999999999", None),
        ] {
            let body = format!(
                "<state xmlns='http://schemas.microsoft.com/2006/09/sip/state'><availability>{text}</availability></state>"
            );
            let state = read(&body);
            assert_eq!(state.availability, expected, "{text:?}");
            assert_eq!(state.kind, StateKind::Other(String::new().into()));
        }
    }

    #[test]
    fn an_activity_counts_within_its_range_only() {
        let call = PublishedActivity { least: 6500, greatest: Some(8999), ..PublishedActivity::default() };
        assert_eq!([6499, 6500, 8999, 9000].map(|at| call.counts_at(at)), [false, true, true, false]);
        let open = PublishedActivity { least: 12000, ..PublishedActivity::default() };
        assert_eq!([11999, 12000, u32::MAX].map(|at| open.counts_at(at)), [false, true, true]);
        let state = StateCategory {
            activities: vec![open, call.clone(), call.clone()],
            ..StateCategory::aggregate(7000)
        };
        assert_eq!(state.activity(), Some(&call));
    }
}
