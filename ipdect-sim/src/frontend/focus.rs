//! The conferences: who takes part, and the documents that say so.

use std::collections::BTreeMap;

use sip_lync::SipUri;
use sip_lync::body::conference_info::{ConferenceInfo, Extent, Media, Participant, Participation};
use sip_lync::headers::NameAddr;

use super::FlowId;
use super::settings::StandingConference;

/// A member of the mix, as the service that mixes tells it.
///
/// MS-CONFAV 3.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioMember {
    /// The address of the user, or what was called.
    pub user: String,
    /// The name for display.
    pub display: Option<String>,
    /// What names its endpoint.
    pub endpoint: String,
    /// Where it stands.
    pub status: AudioStatus,
}

/// Where a member of the mix stands.
///
/// RFC 4575 5.7.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the mixer knows these three")]
pub enum AudioStatus {
    /// It is being called.
    DialingOut,
    /// It is in the mix.
    Connected,
    /// It is not any more.
    Gone,
}

/// One session of a client with the focus.
#[derive(Clone, Debug)]
pub(super) struct FocusSession {
    pub(super) flow: FlowId,
    pub(super) call_id: String,
    /// To of the INVITE with our tag.
    pub(super) us: NameAddr,
    pub(super) them: NameAddr,
    pub(super) contact: SipUri,
    pub(super) number: u32,
    /// The participant and the endpoint that it added.
    pub(super) user: String,
    pub(super) endpoint: String,
}

/// One conference.
#[derive(Clone, Debug)]
pub(super) struct Conference {
    /// The address of the focus.
    pub(super) focus: SipUri,
    /// The address of the service that mixes.
    pub(super) mixer: SipUri,
    pub(super) subject: Option<String>,
    pub(super) locked: bool,
    /// One that stays when all have left.
    pub(super) standing: Option<StandingConference>,
    version: u32,
    users: BTreeMap<String, Participant>,
    pub(super) sessions: Vec<FocusSession>,
    /// Whether those who are to be called have been.
    pub(super) called: bool,
}

/// How somebody takes part.
pub(super) const FOCUS: &str = "focus";
/// The service that mixes sound.
pub(super) const AUDIO_VIDEO: &str = "audio-video";

impl Conference {
    pub(super) fn new(focus: SipUri, mixer: SipUri, subject: Option<String>) -> Self {
        Self {
            focus,
            mixer,
            subject,
            locked: false,
            standing: None,
            version: 0,
            users: BTreeMap::new(),
            sessions: Vec::new(),
            called: false,
        }
    }

    /// Puts an endpoint of a user into the roster; the document that says so.
    pub(super) fn put(
        &mut self,
        user: &str,
        display: Option<&str>,
        role: &str,
        endpoint: Participation,
    ) -> ConferenceInfo {
        let participant = self.users.entry(user.to_ascii_lowercase()).or_insert_with(|| {
            let mut new = Participant::default();
            user.clone_into(&mut new.entity);
            new.roles = vec![role.to_owned()];
            new
        });
        if let Some(display) = display {
            participant.display = Some(display.to_owned());
        }
        match participant.endpoints.iter_mut().find(|known| known.entity == endpoint.entity) {
            Some(known) => {
                let heard = known.media.clone();
                *known = endpoint;
                // Whoever is muted stays so.
                if !heard.is_empty() && !known.media.is_empty() {
                    known.media = heard;
                }
            }
            None => participant.endpoints.push(endpoint),
        }
        self.changed(user)
    }

    /// Takes an endpoint of a user out of the roster, and the user with the last one.
    pub(super) fn take(&mut self, user: &str, endpoint: &str) -> Option<ConferenceInfo> {
        let participant = self.users.get_mut(&user.to_ascii_lowercase())?;
        participant.endpoints.retain(|known| known.entity != endpoint);
        if participant.endpoints.is_empty() { self.remove(user) } else { Some(self.changed(user)) }
    }

    /// Takes a user out of the roster.
    pub(super) fn remove(&mut self, user: &str) -> Option<ConferenceInfo> {
        let mut gone = self.users.remove(&user.to_ascii_lowercase())?;
        gone.extent = Extent::Deleted;
        gone.endpoints.clear();
        Some(self.partial(vec![gone]))
    }

    /// Writes into the roster whether a user is heard; none: the user is not in the mix.
    pub(super) fn mute(&mut self, user: &str, muted: bool) -> Option<ConferenceInfo> {
        let participant = self.users.get_mut(&user.to_ascii_lowercase())?;
        let mut in_mix = false;
        for endpoint in &mut participant.endpoints {
            for media in &mut endpoint.media {
                in_mix = true;
                media.status = Some(if muted { "recvonly" } else { "sendrecv" }.to_owned());
            }
        }
        in_mix.then(|| self.changed(user))
    }

    /// Gives a user a role.
    pub(super) fn promote(&mut self, user: &str, role: &str) -> Option<ConferenceInfo> {
        self.users.get_mut(&user.to_ascii_lowercase())?.roles = vec![role.to_owned()];
        Some(self.changed(user))
    }

    /// Lets nobody else in, or everybody again.
    pub(super) fn lock(&mut self, locked: bool) -> ConferenceInfo {
        self.locked = locked;
        self.partial(Vec::new())
    }

    /// Whether a user has a role that lets it decide about others.
    pub(super) fn may_decide(&self, user: &str) -> bool {
        let user = self.users.get(&user.to_ascii_lowercase());
        user.is_some_and(|user| user.roles.iter().any(|role| role == PRESENTER))
    }

    pub(super) fn contains(&self, user: &str) -> bool {
        self.users.contains_key(&user.to_ascii_lowercase())
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &Participant> {
        self.users.values()
    }

    /// All there is.
    pub(super) fn full(&self) -> ConferenceInfo {
        let mut info = self.document(Extent::Full, self.users.values().cloned().collect());
        info.subject.clone_from(&self.subject);
        info.uris = vec![
            (FOCUS.to_owned(), self.focus.to_string()),
            (AUDIO_VIDEO.to_owned(), self.mixer.to_string()),
        ];
        info
    }

    /// The last document: it is over.
    pub(super) fn over(&mut self) -> ConferenceInfo {
        self.version += 1;
        let mut info = self.document(Extent::Deleted, Vec::new());
        info.users_extent = None;
        info
    }

    fn changed(&mut self, user: &str) -> ConferenceInfo {
        let user = self.users.get(&user.to_ascii_lowercase()).cloned();
        self.partial(user.into_iter().collect())
    }

    fn partial(&mut self, users: Vec<Participant>) -> ConferenceInfo {
        self.version += 1;
        self.document(Extent::Partial, users)
    }

    fn document(&self, extent: Extent, users: Vec<Participant>) -> ConferenceInfo {
        let mut info = ConferenceInfo::default();
        info.entity = self.focus.to_string();
        info.extent = extent;
        info.version = Some(self.version.max(1));
        info.user_count = u32::try_from(self.users.len()).ok();
        info.locked = Some(self.locked);
        info.users_extent = Some(extent);
        info.users = users;
        info
    }
}

/// The endpoint of a client that joined the focus.
pub(super) fn of_focus(endpoint: &str) -> Participation {
    let mut of = Participation::default();
    endpoint.clone_into(&mut of.entity);
    of.session_type = Some(FOCUS.to_owned());
    of.status = Some("connected".to_owned());
    of
}

/// The endpoint of a member of the mix.
pub(super) fn of_mix(member: &AudioMember) -> Participation {
    let mut of = Participation::default();
    member.endpoint.clone_into(&mut of.entity);
    of.session_type = Some(AUDIO_VIDEO.to_owned());
    let status = match member.status {
        AudioStatus::DialingOut => "dialing-out",
        AudioStatus::Connected => "connected",
        AudioStatus::Gone => "disconnected",
    };
    of.status = Some(status.to_owned());
    if member.status == AudioStatus::Connected {
        let mut audio = Media::default();
        "1".clone_into(&mut audio.id);
        audio.kind = Some("audio".to_owned());
        audio.status = Some("sendrecv".to_owned());
        of.media.push(audio);
    }
    of
}

/// Who decides about others.
pub(super) const PRESENTER: &str = "presenter";
/// Everybody else.
pub(super) const ATTENDEE: &str = "attendee";

#[cfg(test)]
mod tests {
    use super::*;
    use sip_lync::body::conference_info::{Applied, Roster};

    fn uri(text: &str) -> SipUri {
        SipUri::parse(text).expect(text)
    }

    fn member(user: &str, status: AudioStatus) -> AudioMember {
        AudioMember { user: user.to_owned(), display: None, endpoint: format!("{{{user}}}"), status }
    }

    #[test]
    fn a_client_that_follows_the_documents_knows_who_takes_part() {
        let mut conference =
            Conference::new(uri("sip:a@x;gruu;opaque=app:conf:focus:id:1"), uri("sip:a@x"), None);
        conference.put("sip:a@x", Some("Ann"), PRESENTER, of_focus("{1}"));
        let mut roster = Roster::default();
        let carried = |info: ConferenceInfo| ConferenceInfo::parse(info.to_body().as_bytes()).expect("XML");
        assert_eq!(roster.apply(carried(conference.full())), Applied::Yes);
        let bob = member("sip:b@x", AudioStatus::DialingOut);
        let documents = [
            Some(conference.put("sip:b@x", None, ATTENDEE, of_mix(&bob))),
            Some(conference.put(
                "sip:B@x",
                None,
                ATTENDEE,
                of_mix(&AudioMember { status: AudioStatus::Connected, ..bob }),
            )),
            conference.mute("sip:b@x", true),
            Some(conference.lock(true)),
        ];
        for document in documents {
            assert_eq!(roster.apply(carried(document.expect("known"))), Applied::Yes);
        }
        assert_eq!((roster.users.len(), roster.locked), (2, true));
        let bob = &roster.users["sip:b@x"].endpoints;
        assert_eq!((bob.len(), bob[0].media[0].status.as_deref()), (1, Some("recvonly")));
        assert!(conference.may_decide("sip:A@x") && !conference.may_decide("sip:b@x"));
        let gone = conference.take("sip:b@x", "{sip:b@x}").expect("known");
        assert_eq!(roster.apply(carried(gone)), Applied::Yes);
        assert_eq!(roster.users.keys().collect::<Vec<_>>(), ["sip:a@x"]);
        assert_eq!(roster.apply(carried(conference.over())), Applied::Over);
    }
}
