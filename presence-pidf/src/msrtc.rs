//! The presence of a handset in the format of Communicator 2005, for watchers that know no other.

use bytes::BytesMut;

use crate::category::is_of;
use crate::error::{Error, Limits, Rule};
use crate::pidf::read::trimmed;
use crate::state::Phase;
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// A `presentity` document: two numbers, how likely the user can be reached and what the user does.
///
/// MS-SIP appendix A (msrtc.pidf)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresentityDocument {
    /// The user, for example `sip:jim@example.net`.
    pub uri: String,
    /// The phase to be told.
    pub phase: Phase,
}

impl PresentityDocument {
    /// Appends the document.
    ///
    /// MS-SIP appendix A (msrtc.pidf)
    pub fn emit(&self, out: &mut BytesMut) {
        let (availability, activity) = self.aggregates();
        let mut out = Writer::new(out, 256);
        out.raw("<presentity xmlns=\"http://schemas.microsoft.com/2002/09/sip/presence\"");
        out.attribute(" uri=\"", &self.uri).raw("><availability aggregate=\"").number(availability);
        out.raw("\"/><activity aggregate=\"").number(activity).raw("\"/></presentity>\n");
    }

    /// The aggregate numbers of availability and activity.
    ///
    /// MS-SIP appendix A (msrtc.pidf)
    #[must_use]
    pub fn aggregates(&self) -> (u16, u16) {
        match self.phase {
            Phase::InCall | Phase::InConference => (300, 500),
            Phase::Available => (300, 400),
            Phase::Inactive => (300, 200),
            Phase::Away => (300, 100),
            Phase::Removed => (0, 0),
        }
    }
}

/// A `presentity` document of somebody else.
///
/// MS-SIP appendix A (msrtc.pidf)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Presentity {
    /// The user.
    pub uri: String,
    /// How likely the user can be reached: from 0 to 999.
    pub availability: Option<u16>,
    /// What the user does: from 0 to 999.
    pub activity: Option<u16>,
    /// The name to be shown.
    pub display_name: Option<String>,
}

impl Presentity {
    /// Appends the document.
    ///
    /// MS-SIP appendix A (msrtc.pidf)
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 256);
        out.raw("<presentity xmlns=\"http://schemas.microsoft.com/2002/09/sip/presence\"");
        out.attribute(" uri=\"", &self.uri).raw(">");
        for (open, number) in
            [("<availability aggregate=\"", self.availability), ("<activity aggregate=\"", self.activity)]
        {
            if let Some(number) = number {
                out.raw(open).number(number.min(AGGREGATE_MAX)).raw("\"/>");
            }
        }
        if let Some(name) = &self.display_name {
            out.attribute("<displayName displayName=\"", name).raw("/>");
        }
        out.raw("</presentity>\n");
    }

    /// Reads a document; numbers that cannot be understood are unknown.
    ///
    /// MS-SIP appendix A (msrtc.pidf)
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        if !is_of(&reader.root()?, Namespace::Presentity, "presentity") {
            return Err(reader.broken(Rule::Root));
        }
        let uri = trimmed(reader.required("uri")?).into_owned();
        let mut presentity = Self { uri, ..Self::default() };
        while let Some(child) = reader.child()? {
            let number = || {
                let text = reader.attribute("aggregate")?;
                text.trim_matches(BLANKS).parse().ok().filter(|number| *number <= AGGREGATE_MAX)
            };
            match child.local {
                "availability" => presentity.availability = number(),
                "activity" => presentity.activity = number(),
                "displayName" => {
                    let name = reader.attribute("displayName");
                    presentity.display_name = name.map(std::borrow::Cow::into_owned);
                }
                _ => {}
            }
            reader.skip()?;
        }
        reader.finish()?;
        Ok(presentity)
    }

    /// What the user does in a word; a number between two known ones means the one below.
    ///
    /// MS-SIP appendix A (msrtc.pidf)
    #[must_use]
    pub fn activity_word(&self) -> Option<&'static str> {
        let activity = self.activity?;
        let found = ACTIVITIES.iter().rev().find(|(least, _)| *least <= activity);
        found.map(|(_, word)| *word)
    }
}

/// Content type of the document.
///
/// MS-SIP appendix A (msrtc.pidf)
pub const CONTENT_TYPE: &str = "text/xml+msrtc.pidf";

/// The greatest aggregate number.
const AGGREGATE_MAX: u16 = 999;
/// The least number of each activity.
const ACTIVITIES: [(u16, &str); 10] = [
    (0, "none"),
    (100, "away"),
    (150, "lunch"),
    (200, "idle"),
    (300, "be-right-back"),
    (400, "active"),
    (500, "on-the-phone"),
    (600, "busy"),
    (700, "away"),
    (800, "available"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_its_numbers() {
        for (phase, availability, activity) in [
            (Phase::InCall, 300, 500),
            (Phase::InConference, 300, 500),
            (Phase::Available, 300, 400),
            (Phase::Inactive, 300, 200),
            (Phase::Away, 300, 100),
            (Phase::Removed, 0, 0),
        ] {
            let mut out = BytesMut::new();
            PresentityDocument { uri: "sip:a@b".to_owned(), phase }.emit(&mut out);
            let read = Presentity::parse(&out).expect("our own document");
            assert_eq!((read.availability, read.activity), (Some(availability), Some(activity)), "{phase:?}");
        }
    }

    #[test]
    fn documents_of_either_namespace_are_read_and_numbers_in_between_mean_those_below() {
        for namespace in ["2002/09", "09/2002"] {
            for (number, word) in [("0", "none"), ("199", "lunch"), (" 450 ", "active"), ("999", "available")]
            {
                let body = format!(
                    "<p:presentity xmlns:p='http://schemas.microsoft.com/{namespace}/sip/presence' uri='sip:a@b'>\
                     <p:availability aggregate='x'/><p:activity aggregate='{number}'/><p:devices/></p:presentity>"
                );
                let read = Presentity::parse(body.as_bytes()).expect("a document");
                assert_eq!((read.availability, read.activity_word()), (None, Some(word)), "{number}");
            }
        }
    }
}
