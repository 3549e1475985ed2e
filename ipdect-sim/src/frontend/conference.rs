//! The focus of conferences: it makes them, lets clients in, tells who takes part, and ends them.

use std::collections::BTreeMap;
use std::time::Instant;

use sip_lync::body::c3p::{self, Command, Outcome};
use sip_lync::body::conference_info::{self, ConferenceInfo};
use sip_lync::gruu::ConferenceUri;
use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Method, Request, SipUri, Uri};

use super::envelope::Envelope;
use super::focus::{
    ATTENDEE, AudioMember, AudioStatus, Conference, FocusSession, PRESENTER, of_focus, of_mix,
};
use super::respond::Refusal;
use super::settings::StandingConference;
use super::subscription::Package;
use super::{Event, FlowId, FrontEnd, address};

/// All conferences by what names them.
#[derive(Clone, Debug, Default)]
pub(super) struct Conferences(BTreeMap<String, Conference>);

impl Conferences {
    pub(super) fn new(standing: &[StandingConference]) -> Self {
        let mut all = Self::default();
        for of in standing {
            if let Some(mut conference) = conference(&of.organizer, &of.id, None) {
                conference.standing = Some(of.clone());
                all.0.insert(key(&of.id), conference);
            }
        }
        all
    }

    pub(super) fn get(&self, id: &str) -> Option<&Conference> {
        self.0.get(&key(id))
    }

    fn get_mut(&mut self, id: &str) -> Option<&mut Conference> {
        self.0.get_mut(&key(id))
    }

    /// The address of the mixer of the conference with a line.
    pub(super) fn of_line(&self, digits: &str) -> Option<&SipUri> {
        let line = |conference: &Conference| {
            let tel = conference.standing.as_ref()?.tel.as_deref()?;
            Some(address::digits(tel).trim_start_matches('+').to_owned())
        };
        let found = self.0.values().find(|conference| line(conference).is_some_and(|line| line == digits));
        found.map(|conference| &conference.mixer)
    }
}

/// The letters of the name do not count.
fn key(id: &str) -> String {
    id.to_ascii_uppercase()
}

fn conference(organizer: &SipUri, id: &str, subject: Option<String>) -> Option<Conference> {
    let of = organizer.address_of_record();
    let uri = |service: &str| SipUri::parse(&format!("{of};gruu;opaque=app:conf:{service}:id:{id}")).ok();
    Some(Conference::new(uri(ConferenceUri::FOCUS)?, uri(ConferenceUri::AUDIO_VIDEO)?, subject))
}

impl FrontEnd {
    /// Whether a URI names a focus, and of which conference.
    pub(super) fn focus_named(uri: &Uri) -> Option<String> {
        let named = uri.sip().and_then(ConferenceUri::of)?;
        (named.service() == ConferenceUri::FOCUS).then(|| named.id().to_owned())
    }

    /// SERVICE with a request to the focus factory (MS-CONFBAS 3.1: addConference) or, outside of any session, to a focus.
    pub(super) fn conference_service(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        envelope: &Envelope,
    ) {
        let Ok(asked) = c3p::Request::parse(&request.body) else {
            return self.refuse(
                flow,
                request,
                Refusal::new(400, 3000, "the request to the conference cannot be read"),
            );
        };
        let Some(organizer) = envelope.from.sip_uri().map(SipUri::address_of_record) else { return };
        let mut response = c3p::Response::to(&asked, Outcome::Failure);
        match &asked.command {
            Command::AddConference { id, subject } => {
                match self.add_conference(&organizer, id, subject.clone()) {
                    Ok(focus) => {
                        response.outcome = Outcome::Success;
                        response.conference = Some(focus.to_string());
                    }
                    Err(reason) => response.reason = Some(reason.to_owned()),
                }
            }
            Command::GetConferencingCapabilities => {
                response.outcome = Outcome::Success;
                response.services = vec![ConferenceUri::AUDIO_VIDEO.to_owned()];
            }
            command => {
                let id = Self::focus_named(&request.uri)
                    .or_else(|| Self::focus_named(&Uri::parse(&asked.to).ok()?))
                    .unwrap_or_default();
                response = self.commanded(now, &id, &format!("sip:{}", envelope.caller()), &asked, command);
            }
        }
        self.answer_with(flow, request, &response, None);
    }

    /// Makes a conference; the address of its focus, or why not.
    fn add_conference(
        &mut self,
        organizer: &SipUri,
        id: &str,
        subject: Option<String>,
    ) -> Result<SipUri, &'static str> {
        let id = if id.is_empty() { self.random.token(12).to_ascii_uppercase() } else { id.to_owned() };
        let good = id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !good {
            return Err("requestMalformed");
        }
        if self.conferences.get(&id).is_some() {
            return Err("conferenceExistsAlready");
        }
        if self.conferences.0.len() >= CONFERENCES {
            return Err("requestTooLarge");
        }
        let made = conference(organizer, &id, subject).ok_or("requestMalformed")?;
        let focus = made.focus.clone();
        self.conferences.0.insert(key(&id), made);
        self.report(Event::Conference { id, organizer: address::user_key(organizer), over: false });
        Ok(focus)
    }

    /// A request for a focus: INVITE with addUser, and what follows in that session (MS-CONFBAS 3.1).
    pub(super) fn focus_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        envelope: &Envelope,
        id: &str,
    ) {
        if self.conferences.get(id).is_none() {
            return self.refuse(flow, request, Refusal::new(404, 3000, "there is no such conference"));
        }
        let within = envelope.to.tag().is_some();
        match request.method {
            Method::Invite if !within => self.join(now, flow, request, envelope, id),
            Method::Info => match c3p::Request::parse(&request.body) {
                Ok(asked) => {
                    let by = format!("sip:{}", envelope.caller());
                    let response = self.commanded(now, id, &by, &asked, &asked.command);
                    self.answer_with(flow, request, &response, None);
                }
                Err(_) => self.refuse(flow, request, Refusal::new(415, 3000, "INFO without a request")),
            },
            Method::Bye => {
                let response = self.answer(request, 200);
                self.send(flow, &response.into());
                self.left(now, id, &envelope.call_id);
            }
            Method::Invite | Method::Update | Method::Options => {
                let mut response = self.answer(request, 200);
                response.headers.push(HeaderName::Contact, format_args!("<{}>;isfocus", request.uri));
                self.send(flow, &response.into());
            }
            _ => self.refuse(flow, request, Refusal::new(405, 3000, "a focus does not do that")),
        }
    }

    /// INVITE: the client takes part, or hears why it does not.
    fn join(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope, id: &str) {
        let asked = c3p::Request::parse(&request.body).ok();
        let Some((asked, Command::AddUser { user, endpoint })) =
            asked.map(|asked| (asked.clone(), asked.command))
        else {
            return self.refuse(
                flow,
                request,
                Refusal::new(488, 3000, "an INVITE to a focus asks it to add a user"),
            );
        };
        let contact = request.headers.elements(&HeaderName::Contact).next();
        let contact = contact.and_then(|text| NameAddr::parse(text).ok()?.sip_uri().cloned());
        let caller = envelope.caller();
        let own = SipUri::parse(&user).is_ok_and(|user| address::user_key(&user) == caller);
        let mut response = c3p::Response::to(&asked, Outcome::Success);
        let Some(conference) = self.conferences.get_mut(id) else { return };
        let organizes = address::user_key(&conference.focus) == caller;
        let refusal = match &contact {
            _ if !own => Some("notAuthorized"),
            None => Some("requestMalformed"),
            Some(_) if conference.locked && !organizes => Some("conferenceLocked"),
            Some(_) if conference.sessions.len() >= MEMBERS => Some("requestTooLarge"),
            Some(_) => None,
        };
        if let Some(reason) = refusal {
            response.outcome = Outcome::Failure;
            response.reason = Some(reason.to_owned());
        }
        let focus = conference.focus.clone();
        let us = self.answer_with(flow, request, &response, Some(&focus));
        let (Some(us), Some(contact), None) = (us, contact, refusal) else { return };
        let display = self.user(&caller).and_then(|user| user.display_name.clone());
        let Some(conference) = self.conferences.get_mut(id) else { return };
        conference.sessions.push(FocusSession {
            flow,
            call_id: envelope.call_id.clone(),
            us,
            them: envelope.from.clone(),
            contact,
            number: 0,
            user: user.clone(),
            endpoint: endpoint.clone(),
        });
        let role = if organizes { PRESENTER } else { ATTENDEE };
        let document = conference.put(&user, display.as_deref(), role, of_focus(&endpoint));
        self.tell_roster(now, id, Some(document));
    }

    /// What a user asks of a conference.
    fn commanded(
        &mut self,
        now: Instant,
        id: &str,
        by: &str,
        asked: &c3p::Request,
        command: &Command,
    ) -> c3p::Response {
        let mut response = c3p::Response::to(asked, Outcome::Success);
        let Some(conference) = self.conferences.get_mut(id) else {
            (response.outcome, response.reason) =
                (Outcome::Failure, Some("conferenceDoesNotExist".to_owned()));
            return response;
        };
        let decides = conference.may_decide(by);
        let same = |user: &str| user.eq_ignore_ascii_case(by);
        let mut event = None;
        let mut refusal = None;
        let mut document = None;
        match command {
            Command::GetConference => response.conference = Some(conference.focus.to_string()),
            Command::DialOut { user, .. } if conference.contains(by) => {
                let (mixer, target) = (conference.mixer.to_string(), user.clone());
                event = Some(Event::DialOut { conference: id.to_owned(), mixer, target });
                response.outcome = Outcome::Pending;
            }
            Command::ModifyEndpointMedia { user, heard, .. } if same(user) || decides => {
                document = conference.mute(user, !heard);
                match &document {
                    Some(_) => {
                        let (conference, user) = (id.to_owned(), user.clone());
                        event = Some(Event::Muted { conference, user, muted: !heard });
                    }
                    None => refusal = Some("userDoesNotExist"),
                }
            }
            Command::DeleteUser { user } if same(user) || decides => {
                if conference.contains(user) {
                    self.put_out(now, id, user);
                } else {
                    refusal = Some("userDoesNotExist");
                }
            }
            Command::ModifyConferenceLock { locked } if decides => document = Some(conference.lock(*locked)),
            Command::ModifyUserRoles { user, role }
                if decides && [PRESENTER, ATTENDEE].contains(&role.as_str()) =>
            {
                document = conference.promote(user, role);
            }
            Command::DeleteConference if decides => self.end_conference(now, id),
            Command::DialOut { .. }
            | Command::ModifyEndpointMedia { .. }
            | Command::DeleteUser { .. }
            | Command::ModifyConferenceLock { .. }
            | Command::ModifyUserRoles { .. }
            | Command::DeleteConference => refusal = Some("notAuthorized"),
            _ => refusal = Some("requestMalformed"),
        }
        if let Some(reason) = refusal {
            (response.outcome, response.reason) = (Outcome::Failure, Some(reason.to_owned()));
        }
        self.events.extend(event);
        self.tell_roster(now, id, document);
        response
    }

    /// Has the mixer call somebody into a conference.
    ///
    /// MS-CONFAV 3.1 (addUser, dialed-out)
    pub fn invite_to_conference(&mut self, conference: &str, target: &str) {
        if let Some(of) = self.conferences.get(conference) {
            let (mixer, target) = (of.mixer.to_string(), target.to_owned());
            self.report(Event::DialOut { conference: conference.to_owned(), mixer, target });
        }
    }

    /// Who takes part in a conference: addresses, as the roster has them.
    ///
    /// RFC 4575 5.6
    pub fn participants(&self, conference: &str) -> Vec<String> {
        let conference = self.conferences.get(conference);
        conference.into_iter().flat_map(Conference::users).map(|user| user.entity.clone()).collect()
    }

    /// The mixer tells where a member of it stands.
    ///
    /// MS-CONFAV 3.1
    pub fn audio_member(&mut self, now: Instant, id: &str, member: &AudioMember) {
        self.clock = Some(now);
        let display = SipUri::parse(&member.user)
            .ok()
            .and_then(|uri| self.user(&address::user_key(&uri))?.display_name.clone())
            .or_else(|| member.display.clone());
        let Some(conference) = self.conferences.get_mut(id) else { return };
        let document = match member.status {
            AudioStatus::DialingOut | AudioStatus::Connected => {
                Some(conference.put(&member.user, display.as_deref(), ATTENDEE, of_mix(member)))
            }
            AudioStatus::Gone => conference.take(&member.user, &member.endpoint),
        };
        let mut call = Vec::new();
        if member.status == AudioStatus::Connected && !core::mem::replace(&mut conference.called, true) {
            call.extend(conference.standing.iter().flat_map(|standing| standing.invited.clone()));
        }
        let conference = id.to_owned();
        let (user, status) = (member.user.clone(), member.status);
        self.report(match status {
            AudioStatus::DialingOut => Event::Calling { conference, user },
            AudioStatus::Connected => Event::Joined { conference, user },
            AudioStatus::Gone => Event::Left { conference, user },
        });
        for target in call {
            self.invite_to_conference(id, target.as_str());
        }
        self.tell_roster(now, id, document);
        self.end_if_empty(now, id);
    }

    /// Puts a user out: its sessions end, and its calls with the mixer.
    fn put_out(&mut self, now: Instant, id: &str, user: &str) {
        let Some(conference) = self.conferences.get_mut(id) else { return };
        let (gone, stay) = core::mem::take(&mut conference.sessions)
            .into_iter()
            .partition(|session| session.user.eq_ignore_ascii_case(user));
        conference.sessions = stay;
        let document = conference.remove(user);
        self.end_sessions(gone);
        self.report(Event::PutOut { conference: id.to_owned(), user: Some(user.to_owned()) });
        self.tell_roster(now, id, document);
        self.end_if_empty(now, id);
    }

    /// A client ended its session with the focus; its call with the mixer is its own affair.
    fn left(&mut self, now: Instant, id: &str, call_id: &str) {
        let Some(conference) = self.conferences.get_mut(id) else { return };
        let Some(at) = conference.sessions.iter().position(|session| session.call_id == call_id) else {
            return;
        };
        let session = conference.sessions.remove(at);
        let document = conference.take(&session.user, &session.endpoint);
        self.tell_roster(now, id, document);
        self.end_if_empty(now, id);
    }

    /// The sessions that came over a connection are gone with it.
    pub(super) fn conference_flow_lost(&mut self, now: Instant, flow: FlowId) {
        let lost: Vec<(String, String)> = self
            .conferences
            .0
            .iter()
            .flat_map(|(id, conference)| conference.sessions.iter().map(move |session| (id, session)))
            .filter(|(_, session)| session.flow == flow)
            .map(|(id, session)| (id.clone(), session.call_id.clone()))
            .collect();
        for (id, call_id) in lost {
            self.left(now, &id, &call_id);
        }
    }

    fn end_if_empty(&mut self, now: Instant, id: &str) {
        let Some(conference) = self.conferences.get_mut(id) else { return };
        if conference.users().next().is_some() {
            return;
        }
        conference.called = false;
        if conference.standing.is_none() {
            self.end_conference(now, id);
        }
    }

    fn end_conference(&mut self, now: Instant, id: &str) {
        let Some(conference) = self.conferences.get_mut(id) else { return };
        let document = conference.over();
        let sessions = core::mem::take(&mut conference.sessions);
        let organizer = address::user_key(&conference.focus);
        let standing = conference.standing.clone();
        self.tell_roster(now, id, Some(document));
        self.end_sessions(sessions);
        self.report(Event::PutOut { conference: id.to_owned(), user: None });
        self.report(Event::Conference { id: id.to_owned(), organizer, over: true });
        self.conferences.0.remove(&key(id));
        // One that stays begins anew.
        self.conferences.0.extend(Conferences::new(standing.as_slice()).0);
    }

    fn tell_roster(&mut self, now: Instant, id: &str, document: Option<ConferenceInfo>) {
        let Some(document) = document else { return };
        let body = document.to_body().into_bytes().into();
        self.notify_package(now, Package::Conference, &key(id), conference_info::MEDIA_TYPE, &body);
    }

    /// The roster for somebody who subscribes to it.
    pub(super) fn roster_of(&self, id: &str) -> Option<bytes::Bytes> {
        Some(self.conferences.get(id)?.full().to_body().into_bytes().into())
    }

    /// The name of a conference as subscriptions know it.
    pub(super) fn conference_key(id: &str) -> String {
        key(id)
    }

    fn end_sessions(&mut self, sessions: Vec<FocusSession>) {
        for mut session in sessions {
            session.number += 1;
            let branch = self.branch();
            let transport = if self.config.tls { "TLS" } else { "TCP" };
            let (host, port) = (&self.config.host_name, self.config.port);
            let mut bye = Request::new(Method::Bye, Uri::from(session.contact));
            let headers = &mut bye.headers;
            headers.push(HeaderName::Via, format_args!("SIP/2.0/{transport} {host}:{port};branch={branch}"));
            headers.push(HeaderName::MaxForwards, 70);
            headers.push(HeaderName::From, &session.us);
            headers.push(HeaderName::To, &session.them);
            headers.push(HeaderName::CallId, &session.call_id);
            headers.push(HeaderName::CSeq, format_args!("{} BYE", session.number));
            self.send(session.flow, &bye.into());
        }
    }

    /// 200 with what the conference answers; To with our tag.
    fn answer_with(
        &mut self,
        flow: FlowId,
        request: &Request,
        answer: &c3p::Response,
        focus: Option<&SipUri>,
    ) -> Option<NameAddr> {
        let mut response = self.answer(request, 200);
        if let Some(focus) = focus {
            response.headers.push(HeaderName::Contact, format_args!("<{focus}>;isfocus"));
            response.headers.push(HeaderName::Allow, "INVITE, BYE, ACK, CANCEL, INFO, UPDATE");
        }
        response.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
        response.body = answer.to_body().into_bytes().into();
        let to = response.headers.get(&HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
        self.send(flow, &response.into());
        to
    }
}

/// Conferences at the same time.
const CONFERENCES: usize = 1000;
/// Clients in one conference.
const MEMBERS: usize = 250;
