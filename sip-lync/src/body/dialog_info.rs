//! `application/dialog-info+xml`: the calls of somebody.

use super::xml::{Element, broken};
use crate::error::ParseError;

/// The media type.
///
/// RFC 4235 6.2
pub const MEDIA_TYPE: &str = "application/dialog-info+xml";

/// Where a call stands.
///
/// RFC 4235 3.7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallState {
    /// The INVITE was sent.
    Trying,
    /// A provisional response without a tag came.
    Proceeding,
    /// It rings.
    Early,
    /// It was answered.
    Confirmed,
    /// It is over.
    Terminated,
}

impl CallState {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "trying" => Self::Trying,
            "proceeding" => Self::Proceeding,
            "early" => Self::Early,
            "confirmed" => Self::Confirmed,
            "terminated" => Self::Terminated,
            _ => return None,
        })
    }
}

/// One side of a call.
///
/// RFC 4235 4.1.6
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Side {
    /// The name for display.
    pub display: Option<String>,
    /// The address.
    pub identity: Option<String>,
    /// Where it is reached.
    pub target: Option<String>,
    /// `+sip.rendering`: on hold if not.
    pub rendered: Option<bool>,
}

/// One call.
///
/// RFC 4235 4.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Call {
    /// Its name within the documents of this notifier.
    pub id: String,
    /// Call-ID.
    pub of_dialog: Option<String>,
    /// The tag of the watched side.
    pub local_tag: Option<String>,
    /// The tag of the other side.
    pub remote_tag: Option<String>,
    /// The watched side made the call.
    pub initiator: Option<bool>,
    /// Where it stands.
    pub state: CallState,
    /// Why it ended: `cancelled`, `rejected`, `replaced`, `local-bye`, `remote-bye`, `error`, `timeout`.
    pub event: Option<String>,
    /// The status that led there.
    pub code: Option<u16>,
    /// The watched side.
    pub local: Side,
    /// The other side.
    pub remote: Side,
}

/// One document.
///
/// RFC 4235 4.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DialogInfo {
    /// Whose calls.
    pub entity: String,
    /// Grows with every document.
    pub version: u32,
    /// All calls are listed; otherwise those that changed.
    pub full: bool,
    /// The calls.
    pub calls: Vec<Call>,
}

impl DialogInfo {
    /// Reads the body. Calls of an unknown state are left out.
    ///
    /// RFC 4235 4
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let root = Element::parse(body, &["dialog-info"])?;
        let version = root.attribute("version").and_then(|version| version.trim().parse().ok());
        Ok(Self {
            entity: root.attribute("entity").ok_or_else(|| broken(0))?.to_owned(),
            version: version.ok_or_else(|| broken(0))?,
            full: root.attribute("state") != Some("partial"),
            calls: root.all("dialog").filter_map(call).collect(),
        })
    }
}

fn call(dialog: &Element) -> Option<Call> {
    let get = |name: &str| dialog.attribute(name).map(str::to_owned);
    let state = dialog.child("state")?;
    let side = |name: &str| dialog.child(name).map(side).unwrap_or_default();
    Some(Call {
        id: get("id")?,
        of_dialog: get("call-id"),
        local_tag: get("local-tag"),
        remote_tag: get("remote-tag"),
        initiator: dialog.attribute("direction").map(|direction| direction == "initiator"),
        state: CallState::parse(state.value()?)?,
        event: state.attribute("event").map(str::to_owned),
        code: state.attribute("code").and_then(|code| code.parse().ok()),
        local: side("local"),
        remote: side("remote"),
    })
}

fn side(element: &Element) -> Side {
    let identity = element.child("identity");
    let target = element.child("target");
    let rendered = target.into_iter().flat_map(|target| target.all("param")).find_map(|param| {
        (param.attribute("pname") == Some("+sip.rendering")).then(|| param.attribute("pval") != Some("no"))
    });
    Side {
        display: identity.and_then(|identity| identity.attribute("display")).map(str::to_owned),
        identity: identity.and_then(Element::value).map(str::to_owned),
        target: target.and_then(|target| target.attribute("uri")).map(str::to_owned),
        rendered,
    }
}

/// The calls of somebody, kept together over documents that say what has changed.
///
/// RFC 4235 4.3
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calls {
    /// The version of the last document.
    pub version: Option<u32>,
    /// The calls that are not over.
    pub calls: Vec<Call>,
}

/// Most calls of one entity.
const CALLS_MAX: usize = 256;

impl Calls {
    /// Takes a document; `false`: documents between are missing, subscribe anew. One that is old changes nothing.
    ///
    /// RFC 4235 4.3
    pub fn apply(&mut self, info: DialogInfo) -> bool {
        match self.version {
            Some(known) if info.version <= known => return true,
            Some(known) if !info.full && info.version != known.wrapping_add(1) => return false,
            None if !info.full => return false,
            Some(_) | None => {}
        }
        self.version = Some(info.version);
        if info.full {
            self.calls.clear();
        }
        for call in info.calls {
            self.calls.retain(|known| known.id != call.id);
            if call.state != CallState::Terminated && self.calls.len() < CALLS_MAX {
                self.calls.push(call);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4235 6.1.
    const EARLY: &str = "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" \
        state=\"full\" entity=\"sip:alice@example.com\"><dialog id=\"as7d900as8\" call-id=\"a84b4c76e66710\" \
        local-tag=\"1928301774\" remote-tag=\"456887766\" direction=\"initiator\"><state>early</state>\
        <remote><identity display=\"Bob\">sip:bob@example.com</identity><target uri=\"sip:bob@192.0.2.4\">\
        <param pname=\"+sip.rendering\" pval=\"no\"/></target></remote></dialog></dialog-info>";

    #[test]
    fn calls_follow_their_documents() {
        let mut calls = Calls::default();
        let first = DialogInfo::parse(EARLY.as_bytes()).unwrap();
        assert!(calls.apply(first.clone()));
        let call = &calls.calls[0];
        assert_eq!((call.state, call.initiator), (CallState::Early, Some(true)));
        assert_eq!(call.remote.identity.as_deref(), Some("sip:bob@example.com"));
        assert_eq!((call.remote.display.as_deref(), call.remote.rendered), (Some("Bob"), Some(false)));
        let over = "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" state=\"partial\" \
            entity=\"sip:alice@example.com\"><dialog id=\"as7d900as8\"><state event=\"rejected\" code=\"486\">terminated\
            </state></dialog></dialog-info>";
        let over = DialogInfo::parse(over.as_bytes()).unwrap();
        assert_eq!((over.calls[0].event.as_deref(), over.calls[0].code), (Some("rejected"), Some(486)));
        assert!(calls.apply(first));
        assert!(calls.apply(over.clone()));
        assert_eq!(calls.calls, []);
        assert!(!calls.apply(DialogInfo { version: 5, ..over }));
        assert!(DialogInfo::parse(b"<dialog-info version=\"1\"/>").is_err());
    }
}
