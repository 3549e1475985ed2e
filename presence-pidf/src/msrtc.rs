//! The presence of a handset in the format of Communicator 2005, for watchers that know no other.

use bytes::{BufMut, BytesMut};

use crate::state::Phase;
use crate::xml::escaped;

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
        let text = format!(
            "<presentity xmlns=\"{NAMESPACE}\" uri=\"{}\"><availability aggregate=\"{availability}\"/>\
             <activity aggregate=\"{activity}\"/></presentity>\n",
            escaped(&self.uri)
        );
        out.put_slice(text.as_bytes());
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

/// Content type of the document.
///
/// MS-SIP appendix A (msrtc.pidf)
pub const CONTENT_TYPE: &str = "text/xml+msrtc.pidf";

const NAMESPACE: &str = "http://schemas.microsoft.com/2002/09/sip/presence";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    #[test]
    fn every_phase_has_its_numbers() {
        for (phase, availability, activity) in [
            (Phase::InCall, "300", "500"),
            (Phase::InConference, "300", "500"),
            (Phase::Available, "300", "400"),
            (Phase::Inactive, "300", "200"),
            (Phase::Away, "300", "100"),
            (Phase::Removed, "0", "0"),
        ] {
            let mut out = BytesMut::new();
            PresentityDocument { uri: "sip:a@b".to_owned(), phase }.emit(&mut out);
            let root = parse(&out).expect("our own document");
            let aggregate = |name| root.child(NAMESPACE, name).and_then(|child| child.attribute("aggregate"));
            assert_eq!(aggregate("availability"), Some(availability), "{phase:?}");
            assert_eq!(aggregate("activity"), Some(activity), "{phase:?}");
        }
    }
}
