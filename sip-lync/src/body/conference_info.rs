//! `application/conference-info+xml`: who takes part in a conference.

use std::collections::BTreeMap;

use super::xml::{Element, Writer, broken};
use crate::error::ParseError;

/// The media type.
///
/// RFC 4575 7
pub const MEDIA_TYPE: &str = "application/conference-info+xml";

const NAMESPACES: &str = " xmlns=\"urn:ietf:params:xml:ns:conference-info\" \
                          xmlns:msci=\"http://schemas.microsoft.com/rtc/2005/08/confinfoextensions\"";

/// Most participants of one roster.
const USERS_MAX: usize = 2_000;

/// How much an element says.
///
/// RFC 4575 5.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Extent {
    /// All there is.
    #[default]
    Full,
    /// What has changed.
    Partial,
    /// It is gone.
    Deleted,
}

impl Extent {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Deleted => "deleted",
        }
    }

    fn of(element: &Element) -> Self {
        match element.attribute("state") {
            Some("partial") => Self::Partial,
            Some("deleted") => Self::Deleted,
            Some(_) | None => Self::Full,
        }
    }
}

/// One medium of an endpoint.
///
/// RFC 4575 5.8
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Media {
    /// Its number within the endpoint.
    pub id: String,
    /// `audio`, `video`, `chat`, …
    pub kind: Option<String>,
    /// `sendrecv`, `recvonly`, …
    pub status: Option<String>,
}

/// One endpoint of a participant.
///
/// RFC 4575 5.7
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Participation {
    /// Its name.
    pub entity: String,
    /// How much is said.
    pub extent: Extent,
    /// The service it takes part in: `focus`, `audio-video`, `chat`, …
    pub session_type: Option<String>,
    /// `connected`, `on-hold`, `dialing-out`, …
    pub status: Option<String>,
    /// Its media.
    pub media: Vec<Media>,
}

/// One participant.
///
/// RFC 4575 5.6
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Participant {
    /// Its address.
    pub entity: String,
    /// How much is said.
    pub extent: Extent,
    /// The name for display.
    pub display: Option<String>,
    /// `attendee`, `presenter`, …
    pub roles: Vec<String>,
    /// Its endpoints.
    pub endpoints: Vec<Participation>,
}

/// One document.
///
/// RFC 4575 5.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ConferenceInfo {
    /// The conference.
    pub entity: String,
    /// How much is said.
    pub extent: Extent,
    /// Grows with every document.
    pub version: Option<u32>,
    /// What it is about.
    pub subject: Option<String>,
    /// How many take part.
    pub user_count: Option<u32>,
    /// Nobody else gets in.
    pub locked: Option<bool>,
    /// The services of the conference: purpose and address.
    pub uris: Vec<(String, String)>,
    /// How much is said of the participants; `None` when nothing is.
    pub users_extent: Option<Extent>,
    /// The participants.
    pub users: Vec<Participant>,
}

impl ConferenceInfo {
    /// Reads the body.
    ///
    /// RFC 4575 5
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let root = Element::parse(body, &["conference-info"])?;
        let entity = root.attribute("entity").ok_or_else(|| broken(0))?.to_owned();
        let description = root.child("conference-description");
        let state = root.child("conference-state");
        let users = root.child("users");
        let locked = state.and_then(|state| state.value_of("locked"));
        // Lync says it of the service that mixes, not of the conference.
        let views = root.child("conference-view");
        let of_view = views
            .into_iter()
            .flat_map(|view| view.all("entity-view"))
            .find_map(|view| view.child("entity-state")?.value_of("locked"));
        Ok(Self {
            entity,
            extent: Extent::of(&root),
            version: root.attribute("version").and_then(|version| version.trim().parse().ok()),
            subject: description.and_then(|description| description.text_of("subject")),
            user_count: state
                .and_then(|state| state.value_of("user-count"))
                .and_then(|count| count.parse().ok()),
            locked: locked.or(of_view).map(|locked| locked.eq_ignore_ascii_case("true")),
            uris: description
                .and_then(|description| description.child("conf-uris"))
                .into_iter()
                .flat_map(|uris| uris.all("entry"))
                .filter_map(|entry| Some((entry.text_of("purpose")?, entry.text_of("uri")?)))
                .collect(),
            users_extent: users.map(Extent::of),
            users: users
                .into_iter()
                .flat_map(|users| users.all("user"))
                .take(USERS_MAX)
                .filter_map(participant)
                .collect(),
        })
    }
}

impl ConferenceInfo {
    /// The body, as a focus writes it; an attribute `state` stands wherever not all is said.
    ///
    /// RFC 4575 5, MS-CONFBAS 2.2
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut out = Writer::default();
        out.raw("<conference-info").raw(NAMESPACES).attribute("entity", &self.entity);
        out.attribute("state", self.extent.word());
        if let Some(version) = self.version {
            out.attribute("version", &version.to_string());
        }
        out.raw(">");
        if self.subject.is_some() || !self.uris.is_empty() {
            out.raw("<conference-description>");
            if let Some(subject) = &self.subject {
                out.raw("<subject>").text(subject).raw("</subject>");
            }
            if !self.uris.is_empty() {
                out.raw("<conf-uris>");
                for (purpose, uri) in &self.uris {
                    out.raw("<entry><uri>").text(uri).raw("</uri><purpose>").text(purpose);
                    out.raw("</purpose></entry>");
                }
                out.raw("</conf-uris>");
            }
            out.raw("</conference-description>");
        }
        if self.user_count.is_some() || self.locked.is_some() {
            out.raw("<conference-state>");
            if let Some(count) = self.user_count {
                out.raw("<user-count>").raw(&count.to_string()).raw("</user-count>");
            }
            if let Some(locked) = self.locked {
                out.raw("<locked>").raw(if locked { "true" } else { "false" }).raw("</locked>");
            }
            out.raw("</conference-state>");
        }
        if let Some(extent) = self.users_extent {
            out.raw("<users").attribute("state", extent.word()).raw(">");
            for user in &self.users {
                user.write(&mut out);
            }
            out.raw("</users>");
        }
        out.raw("</conference-info>");
        out.0
    }
}

impl Participant {
    fn write(&self, out: &mut Writer) {
        out.raw("<user").attribute("entity", &self.entity).attribute("state", self.extent.word()).raw(">");
        if let Some(display) = &self.display {
            out.raw("<display-text>").text(display).raw("</display-text>");
        }
        if !self.roles.is_empty() {
            out.raw("<roles>");
            for role in &self.roles {
                out.raw("<entry>").text(role).raw("</entry>");
            }
            out.raw("</roles>");
        }
        for endpoint in &self.endpoints {
            out.raw("<endpoint").attribute("entity", &endpoint.entity);
            out.attribute("state", endpoint.extent.word());
            if let Some(session_type) = &endpoint.session_type {
                out.attribute("msci:session-type", session_type);
            }
            out.raw(">");
            if let Some(status) = &endpoint.status {
                out.raw("<status>").text(status).raw("</status>");
            }
            for media in &endpoint.media {
                out.raw("<media").attribute("id", &media.id).raw(">");
                if let Some(kind) = &media.kind {
                    out.raw("<type>").text(kind).raw("</type>");
                }
                if let Some(status) = &media.status {
                    out.raw("<status>").text(status).raw("</status>");
                }
                out.raw("</media>");
            }
            out.raw("</endpoint>");
        }
        out.raw("</user>");
    }
}

fn participant(user: &Element) -> Option<Participant> {
    let roles = user.child("roles");
    Some(Participant {
        entity: user.attribute("entity")?.to_owned(),
        extent: Extent::of(user),
        display: user.text_of("display-text"),
        roles: roles
            .into_iter()
            .flat_map(|roles| roles.all("entry"))
            .filter_map(|entry| entry.value().map(str::to_owned))
            .collect(),
        endpoints: user.all("endpoint").filter_map(participation).collect(),
    })
}

fn participation(endpoint: &Element) -> Option<Participation> {
    let media = endpoint.all("media").map(|media| Media {
        id: media.attribute("id").unwrap_or_default().to_owned(),
        kind: media.text_of("type"),
        status: media.text_of("status"),
    });
    Some(Participation {
        entity: endpoint.attribute("entity")?.to_owned(),
        extent: Extent::of(endpoint),
        session_type: endpoint.attribute("session-type").map(str::to_owned),
        status: endpoint.text_of("status"),
        media: media.collect(),
    })
}

/// What became of a document.
///
/// RFC 4575 4.6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// The roster has it.
    Yes,
    /// It is older than what is known, or of another conference.
    Old,
    /// Documents between are missing: subscribe anew.
    Gap,
    /// The conference is over.
    Over,
}

/// Who takes part, kept together over documents that say what has changed.
///
/// RFC 4575 4.6
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Roster {
    /// The conference.
    pub entity: String,
    /// The version of the last document.
    pub version: Option<u32>,
    /// What it is about.
    pub subject: Option<String>,
    /// Nobody else gets in.
    pub locked: bool,
    /// The participants by address.
    pub users: BTreeMap<String, Participant>,
}

impl Roster {
    /// Takes a document.
    ///
    /// RFC 4575 4.6
    pub fn apply(&mut self, info: ConferenceInfo) -> Applied {
        if !self.entity.is_empty() && !self.entity.eq_ignore_ascii_case(&info.entity) {
            return Applied::Old;
        }
        let full = match info.extent {
            Extent::Deleted => return Applied::Over,
            Extent::Full => true,
            Extent::Partial => false,
        };
        match (self.version, info.version) {
            (Some(known), Some(new)) if new <= known => return Applied::Old,
            (Some(known), Some(new)) if !full && new != known.wrapping_add(1) => return Applied::Gap,
            (None, Some(_)) if !full => return Applied::Gap,
            (Some(_) | None, Some(_) | None) => {}
        }
        if full {
            *self = Self::default();
        }
        self.entity = info.entity;
        self.version = info.version.or(self.version);
        self.subject = info.subject.or_else(|| self.subject.take());
        self.locked = info.locked.unwrap_or(self.locked);
        if info.users_extent == Some(Extent::Full) {
            self.users.clear();
        }
        for user in info.users {
            self.user(user);
        }
        Applied::Yes
    }

    fn user(&mut self, user: Participant) {
        if user.extent == Extent::Deleted {
            self.users.remove(&user.entity);
            return;
        }
        let full = self.users.len() >= USERS_MAX && !self.users.contains_key(&user.entity);
        if full {
            return;
        }
        let known = self.users.entry(user.entity.clone()).or_default();
        if user.extent == Extent::Full {
            *known = Participant {
                endpoints: user.endpoints.into_iter().filter(|of| of.extent != Extent::Deleted).collect(),
                ..user
            };
            return;
        }
        known.entity = user.entity;
        known.display = user.display.or_else(|| known.display.take());
        if !user.roles.is_empty() {
            known.roles = user.roles;
        }
        for endpoint in user.endpoints {
            let at = known.endpoints.iter().position(|of| of.entity == endpoint.entity);
            match (at, endpoint.extent) {
                (Some(at), Extent::Deleted) => {
                    known.endpoints.remove(at);
                }
                (Some(at), Extent::Full) => {
                    if let Some(place) = known.endpoints.get_mut(at) {
                        *place = endpoint;
                    }
                }
                (Some(at), Extent::Partial) => {
                    if let Some(place) = known.endpoints.get_mut(at) {
                        place.status = endpoint.status.or_else(|| place.status.take());
                        for media in endpoint.media {
                            place.media.retain(|of| of.id != media.id);
                            place.media.push(media);
                        }
                    }
                }
                (None, Extent::Deleted) => {}
                (None, Extent::Full | Extent::Partial) => known.endpoints.push(endpoint),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(extent: &str, version: u32, users: &str) -> ConferenceInfo {
        let text = format!(
            "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:f\" state=\"{extent}\" \
             version=\"{version}\">{users}</conference-info>"
        );
        ConferenceInfo::parse(text.as_bytes()).unwrap()
    }

    const FULL: &str = "<conference-description><subject>Rounds</subject></conference-description>\
        <users><user entity=\"sip:ann@x\"><display-text>Ann</display-text><roles><entry>presenter</entry></roles>\
        <endpoint entity=\"{1}\" msci:session-type=\"audio-video\"><status>connected</status>\
        <media id=\"1\"><type>audio</type><status>sendrecv</status></media></endpoint></user>\
        <user entity=\"sip:bob@x\"/></users>";

    #[test]
    fn a_roster_follows_its_documents() {
        let mut roster = Roster::default();
        assert_eq!(roster.apply(document("full", 1, FULL)), Applied::Yes);
        assert_eq!((roster.users.len(), roster.subject.as_deref()), (2, Some("Rounds")));
        let ann = &roster.users["sip:ann@x"];
        assert_eq!((ann.display.as_deref(), &*ann.roles), (Some("Ann"), &["presenter".to_owned()][..]));
        assert_eq!(ann.endpoints[0].session_type.as_deref(), Some("audio-video"));
        let mute = "<users state=\"partial\"><user entity=\"sip:ann@x\" state=\"partial\">\
            <endpoint entity=\"{1}\" state=\"partial\"><media id=\"1\"><type>audio</type><status>recvonly</status></media>\
            </endpoint></user><user entity=\"sip:bob@x\" state=\"deleted\"/></users>";
        assert_eq!(roster.apply(document("partial", 2, mute)), Applied::Yes);
        assert_eq!(roster.users.len(), 1);
        let endpoint = &roster.users["sip:ann@x"].endpoints[0];
        assert_eq!((endpoint.status.as_deref(), endpoint.media.len()), (Some("connected"), 1));
        assert_eq!(endpoint.media[0].status.as_deref(), Some("recvonly"));
        assert_eq!(roster.subject.as_deref(), Some("Rounds"));
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let mut info = document("full", 7, FULL);
        info.uris =
            vec![("audio-video".to_owned(), "sip:a@x;gruu;opaque=app:conf:audio-video:id:1".to_owned())];
        (info.user_count, info.locked) = (Some(2), Some(false));
        info.subject = Some("<Rounds> & more".to_owned());
        assert_eq!(ConferenceInfo::parse(info.to_body().as_bytes()).unwrap(), info);
        info.extent = Extent::Partial;
        info.users_extent = Some(Extent::Partial);
        info.users[1].extent = Extent::Deleted;
        assert_eq!(ConferenceInfo::parse(info.to_body().as_bytes()).unwrap(), info);
    }

    #[test]
    fn old_documents_count_for_nothing_and_missing_ones_are_noticed() {
        let mut roster = Roster::default();
        assert_eq!(roster.apply(document("partial", 4, "")), Applied::Gap);
        assert_eq!(roster.apply(document("full", 4, FULL)), Applied::Yes);
        assert_eq!(roster.apply(document("full", 4, "")), Applied::Old);
        assert_eq!(roster.apply(document("partial", 6, "")), Applied::Gap);
        assert_eq!(roster.apply(document("full", 9, FULL)), Applied::Yes);
        assert_eq!(roster.apply(document("deleted", 10, "")), Applied::Over);
        assert_eq!(roster.users.len(), 2);
    }
}
