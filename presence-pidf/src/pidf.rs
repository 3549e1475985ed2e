//! The presence of a handset as a PIDF document with RPID, for plain SIP presence.

use core::fmt::Write;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, BytesMut};

use crate::date_time::date_time;
use crate::state::Phase;
use crate::xml::escaped;

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
        let told = Told::of(self.phase);
        let timestamp = date_time(self.timestamp);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"{PIDF}\" xmlns:dm=\"{DATA_MODEL}\" \
             xmlns:rpid=\"{RPID}\" entity=\"{}\"><tuple id=\"handset\"><status><basic>{}</basic></status>",
            escaped(&self.entity),
            told.basic
        );
        self.write_user_input(told.user_input, &mut text);
        let _ = write!(
            text,
            "<contact>{}</contact><timestamp>{timestamp}</timestamp></tuple>",
            escaped(&self.contact)
        );
        if !told.activities.is_empty() {
            text.push_str("<dm:person id=\"user\"><rpid:activities>");
            for activity in told.activities {
                let _ = write!(text, "<rpid:{activity}/>");
            }
            let _ = write!(text, "</rpid:activities><dm:timestamp>{timestamp}</dm:timestamp></dm:person>");
        }
        text.push_str("</presence>\n");
        out.put_slice(text.as_bytes());
    }

    fn write_user_input(&self, user_input: Option<UserInput>, text: &mut String) {
        let Some(user_input) = user_input else {
            return;
        };
        text.push_str("<rpid:user-input");
        if user_input == UserInput::Idle {
            // Whole seconds from 1 on: the schema knows no others.
            let _ = write!(text, " idle-threshold=\"{}\"", self.idle_threshold.as_secs().max(1));
        }
        match (user_input, self.last_input) {
            (UserInput::Call, _) | (_, None) => {}
            (UserInput::Active | UserInput::Idle, Some(last_input)) => {
                let _ = write!(text, " last-input=\"{}\"", date_time(last_input));
            }
        }
        let word = if user_input == UserInput::Idle { "idle" } else { "active" };
        let _ = write!(text, ">{word}</rpid:user-input>");
    }
}

/// What the document says of a phase.
struct Told {
    basic: &'static str,
    activities: &'static [&'static str],
    user_input: Option<UserInput>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UserInput {
    /// In use right now.
    Call,
    /// Used recently.
    Active,
    Idle,
}

impl Told {
    fn of(phase: Phase) -> Self {
        let (basic, activities, user_input): (_, &[_], _) = match phase {
            Phase::InCall => ("open", &["on-the-phone"], Some(UserInput::Call)),
            Phase::InConference => ("open", &["on-the-phone", "meeting"], Some(UserInput::Call)),
            Phase::Available => ("open", &[], Some(UserInput::Active)),
            Phase::Inactive => ("open", &[], Some(UserInput::Idle)),
            Phase::Away => ("open", &["away"], Some(UserInput::Idle)),
            Phase::Removed => ("closed", &[], None),
        };
        Self { basic, activities, user_input }
    }
}

/// Content type of the document.
///
/// RFC 3863 7
pub const CONTENT_TYPE: &str = "application/pidf+xml";

const PIDF: &str = "urn:ietf:params:xml:ns:pidf";
const DATA_MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";
const RPID: &str = "urn:ietf:params:xml:ns:pidf:rpid";

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::xml::{Element, parse};

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
            (
                Phase::Inactive,
                Some(0),
                "open",
                Some("idle"),
                Some("300"),
                Some("1970-01-01T00:00:00Z"),
                vec![],
            ),
            (Phase::Away, None, "open", Some("idle"), Some("300"), None, vec!["away"]),
            (Phase::Removed, None, "closed", None, None, None, vec![]),
        ] {
            let root = parse(text(phase, last_input).as_bytes()).expect("our own document");
            let tuple = root.child(PIDF, "tuple").expect("a tuple");
            let status = tuple.child(PIDF, "status").and_then(|status| status.child(PIDF, "basic"));
            assert_eq!(status.map(Element::text), Some(basic), "{phase:?}");
            let input = tuple.child(RPID, "user-input");
            assert_eq!(input.map(Element::text), user_input, "{phase:?}");
            assert_eq!(input.and_then(|input| input.attribute("idle-threshold")), idle, "{phase:?}");
            assert_eq!(input.and_then(|input| input.attribute("last-input")), last, "{phase:?}");
            let person = root.child(DATA_MODEL, "person").and_then(|person| person.child(RPID, "activities"));
            let found: Vec<_> =
                person.iter().flat_map(|list| &list.children).map(|child| &child.name[..]).collect();
            assert_eq!(found, activities, "{phase:?}");
        }
    }
}
