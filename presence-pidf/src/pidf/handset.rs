//! The presence of a handset as a PIDF document with RPID, for plain SIP presence.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;

use crate::data_model::Person;
use crate::date_time::DateTime;
use crate::pidf::{Basic, Contact, Presence, Status, Tuple};
use crate::rpid::{Activities, ActivityName, InputState, UserInput};
use crate::state::Phase;

/// A PIDF document that says what a handset's phase is: one tuple, and a person while there is something to say of one.
///
/// RFC 3863 4.1; RFC 4479 3; RFC 4480 3.2, 3.15
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandsetDocument {
    /// The user, for example `sip:jim@example.net`.
    pub entity: String,
    /// Where to reach the handset; usually the user again.
    pub contact: String,
    /// The phase to be told.
    pub phase: Phase,
    /// When the last call ended, if that is known.
    pub last_input: Option<SystemTime>,
    /// After how long without use the user counts as idle.
    pub idle_threshold: Duration,
    /// When this document was made.
    pub timestamp: SystemTime,
}

impl HandsetDocument {
    /// Appends the document. A handset can be rung in every phase but [`Phase::Removed`], so its status is open.
    ///
    /// RFC 3863 4.1
    pub fn emit(&self, out: &mut BytesMut) {
        self.presence().emit(out);
    }

    /// The same as a document that can be changed.
    ///
    /// RFC 3863 4.1
    #[must_use]
    pub fn presence(&self) -> Presence<'_> {
        let told = Told::of(self.phase);
        let timestamp = Some(DateTime::of(self.timestamp));
        let tuple = Tuple {
            id: Cow::Borrowed("handset"),
            status: Status { basic: Some(told.basic), ..Status::default() },
            user_input: told.user_input.map(|user_input| self.user_input(user_input)),
            contact: Some(Contact { uri: Cow::Borrowed(&self.contact), priority: None }),
            timestamp,
            ..Tuple::default()
        };
        let person = Person {
            id: Cow::Borrowed("user"),
            activities: vec![Activities::of(told.activities)],
            timestamp,
            ..Person::default()
        };
        Presence {
            entity: Cow::Borrowed(&self.entity),
            tuples: vec![tuple],
            persons: if told.activities.is_empty() { Vec::new() } else { vec![person] },
            ..Presence::default()
        }
    }

    fn user_input(&self, user_input: Use) -> UserInput<'static> {
        let last_input = match user_input {
            Use::Call => None,
            Use::Active | Use::Idle => self.last_input.map(DateTime::of),
        };
        // Whole seconds from 1 on: the schema knows no others.
        let threshold = u32::try_from(self.idle_threshold.as_secs()).unwrap_or(u32::MAX).max(1);
        let (state, idle_threshold) = match user_input {
            Use::Call | Use::Active => (InputState::Active, None),
            Use::Idle => (InputState::Idle, Some(threshold)),
        };
        UserInput { id: None, state, idle_threshold, last_input }
    }
}

/// What the document says of a phase.
struct Told {
    basic: Basic,
    activities: &'static [ActivityName],
    user_input: Option<Use>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// In use right now.
    Call,
    /// Used recently.
    Active,
    Idle,
}

impl Told {
    fn of(phase: Phase) -> Self {
        let (basic, activities, user_input): (_, &[_], _) = match phase {
            Phase::InCall => (Basic::Open, &[ActivityName::OnThePhone], Some(Use::Call)),
            Phase::InConference => {
                (Basic::Open, &[ActivityName::OnThePhone, ActivityName::Meeting], Some(Use::Call))
            }
            Phase::Available => (Basic::Open, &[], Some(Use::Active)),
            Phase::Inactive => (Basic::Open, &[], Some(Use::Idle)),
            Phase::Away => (Basic::Open, &[ActivityName::Away], Some(Use::Idle)),
            Phase::Removed => (Basic::Closed, &[], None),
        };
        Self { basic, activities, user_input }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::pidf::Reading;

    fn text(phase: Phase, last_input: Option<u64>) -> String {
        let document = HandsetDocument {
            entity: "sip:handset@example.net".to_owned(),
            contact: "sip:handset@example.net".to_owned(),
            phase,
            last_input: last_input.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
            idle_threshold: Duration::from_mins(5),
            timestamp: UNIX_EPOCH + Duration::from_mins(5),
        };
        let mut out = BytesMut::new();
        document.emit(&mut out);
        String::from_utf8(out.to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_document_is_laid_out_as_the_schemas_demand() {
        let body = text(Phase::InConference, Some(7));
        assert_eq!(
            body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" \
             entity=\"sip:handset@example.net\"><tuple id=\"handset\"><status><basic>open</basic></status>\
             <rpid:user-input>active</rpid:user-input><contact>sip:handset@example.net</contact>\
             <timestamp>1970-01-01T00:05:00Z</timestamp></tuple><dm:person id=\"user\"><rpid:activities>\
             <rpid:on-the-phone/><rpid:meeting/></rpid:activities><dm:timestamp>1970-01-01T00:05:00Z</dm:timestamp>\
             </dm:person></presence>\n"
        );
    }

    #[test]
    fn every_phase_says_what_it_means() {
        for (phase, last_input, basic, user_input, idle, last, activities) in [
            (Phase::InCall, None, "open", Some("active"), None, None, vec!["on-the-phone"]),
            (Phase::Available, Some(60), "open", Some("active"), None, Some("1970-01-01T00:01:00Z"), vec![]),
            (Phase::Inactive, Some(0), "open", Some("idle"), Some(300), Some("1970-01-01T00:00:00Z"), vec![]),
            (Phase::Away, None, "open", Some("idle"), Some(300), None, vec!["away"]),
            (Phase::Removed, None, "closed", None, None, None, vec![]),
        ] {
            let body = text(phase, last_input);
            let presence = Presence::parse(body.as_bytes(), Reading::Strict).expect("our own document");
            assert_eq!(presence.basic().map(Basic::token), Some(basic), "{phase:?}");
            let input = presence.tuples[0].user_input.as_ref();
            assert_eq!(input.map(|input| input.state.token()), user_input, "{phase:?}");
            assert_eq!(input.and_then(|input| input.idle_threshold), idle, "{phase:?}");
            let found = input.and_then(|input| input.last_input).map(|last_input| last_input.to_string());
            assert_eq!(found.as_deref(), last, "{phase:?}");
            let person = presence.person().map(|person| &person.activities);
            let found: Vec<_> = person.into_iter().flatten().flat_map(|list| &list.activities).collect();
            assert_eq!(
                found.iter().map(|activity| activity.token()).collect::<Vec<_>>(),
                activities,
                "{phase:?}"
            );
        }
    }
}
