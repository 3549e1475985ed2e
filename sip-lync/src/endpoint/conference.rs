//! The conferences of all users: what the pure steps of [`crate::conference`] demand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::event::{CallFailure, Event};
use super::subscription::Subscription;
use super::vocabulary::{ConferenceId, Invite, SessionId, SubscriptionId, UserId};
use super::{Deadline, Endpoint, Purpose, identity};
use crate::body::c3p::{self, Command, Outcome};
use crate::body::conference_info::{self, Applied, ConferenceInfo, Roster};
use crate::conference::{self, Effect, State, Trigger};
use crate::error::{Error, Refusal};
use crate::gruu::ConferenceUri;
use crate::headers::{HeaderName, Headers};
use crate::method::Method;
use crate::offer_answer::Position;
use crate::uri::{SipUri, Uri};

/// How long a focus may leave us in its lobby.
const PATIENCE: Duration = Duration::from_mins(5);

/// Conferences of one user at most.
const CONFERENCES: usize = 4;

/// One conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conference {
    user: UserId,
    focus: ConferenceUri,
    state: State,
    session: SessionId,
    audio: Option<SessionId>,
    /// The offer to the mixer.
    offer: Option<Bytes>,
    subscription: Option<SubscriptionId>,
    roster: Roster,
    next_request: u32,
    failure: Option<CallFailure>,
    reason: Option<String>,
}

/// All conferences with the indices that lead to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Conferences {
    by_id: BTreeMap<ConferenceId, Conference>,
    by_session: BTreeMap<SessionId, ConferenceId>,
    by_subscription: BTreeMap<SubscriptionId, ConferenceId>,
    next: u32,
}

/// What became of a session, told to the conference it belongs to.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// It was answered, with this body.
    Answered(Option<Bytes>),
    /// It failed.
    Failed(CallFailure),
    /// It ended.
    Ended,
}

impl Endpoint {
    /// Joins a conference by the address of its focus. [`Event::ConferenceJoined`] or [`Event::ConferenceFailed`]
    /// follows; then [`Self::join_audio`].
    ///
    /// MS-CONFBAS 3.1
    pub fn join_conference(
        &mut self,
        now: Instant,
        user: UserId,
        focus: &SipUri,
    ) -> Result<ConferenceId, Error> {
        self.begin(now);
        let focus = ConferenceUri::of(focus).ok_or(Error::Refused(Refusal::NoConference))?;
        let account = self.accounts.get(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        if self.conferences.by_id.values().filter(|of| of.user == user).count() >= CONFERENCES {
            return Err(Error::Refused(Refusal::TooManySessions));
        }
        let me = identity::address_of_record(&self.config, &account.user);
        let endpoint = format!("{{{}}}", account.instance.to_string().to_ascii_uppercase());
        let add = Command::AddUser { user: me.clone(), endpoint };
        let body = c3p::Request::new(1, &focus.to_string(), &me, add).to_body();
        let mut invite = Invite::new(Uri::Sip(focus.uri().clone()), body);
        c3p::MEDIA_TYPE.clone_into(&mut invite.content_type);
        let session = self.invite(now, user, invite)?;
        if let Some(entry) = self.sessions.get_mut(session) {
            // What is asked of a focus is no offer of media.
            (entry.position, entry.local_description) = (Position::None, None);
        }
        self.conferences.next = self.conferences.next.wrapping_add(1);
        let id = ConferenceId(self.conferences.next);
        self.conferences.by_session.insert(session, id);
        let conference = Conference {
            user,
            focus,
            state: State::Joining,
            session,
            audio: None,
            offer: None,
            subscription: None,
            roster: Roster::default(),
            next_request: 2,
            failure: None,
            reason: None,
        };
        self.conferences.by_id.insert(id, conference);
        Ok(id)
    }

    /// Calls the mixer of a conference that was joined. The session is an ordinary call.
    ///
    /// MS-CONFAV 3.1
    pub fn join_audio(
        &mut self,
        now: Instant,
        conference: ConferenceId,
        description: impl Into<Bytes>,
    ) -> Result<SessionId, Error> {
        self.begin(now);
        let entry = self.conferences.by_id.get_mut(&conference);
        let entry = entry.filter(|entry| entry.state == State::Joined);
        let entry = entry.ok_or(Error::Refused(Refusal::NoConference))?;
        let user = entry.user;
        entry.offer = Some(description.into());
        self.may_open_session(user)?;
        self.conference_step(now, conference, Trigger::JoinAudio);
        let entry = self.conferences.by_id.get(&conference);
        entry.and_then(|entry| entry.audio).ok_or(Error::Refused(Refusal::NoFlow))
    }

    /// Asks the focus for something: mute, put somebody out. [`Event::ConferenceResponse`] follows.
    ///
    /// MS-CONFBAS 3.1
    pub fn ask_focus(
        &mut self,
        now: Instant,
        conference: ConferenceId,
        command: Command,
    ) -> Result<(), Error> {
        self.begin(now);
        let entry = self.conferences.by_id.get_mut(&conference);
        let entry = entry.filter(|of| matches!(of.state, State::Joined | State::Calling | State::Talking));
        let entry = entry.ok_or(Error::Refused(Refusal::NoConference))?;
        let number = entry.next_request;
        entry.next_request = number.wrapping_add(1);
        let (user, session, focus) = (entry.user, entry.session, entry.focus.to_string());
        let account = self.accounts.get(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        let me = identity::address_of_record(&self.config, &account.user);
        let entry = self.sessions.get_mut(session).ok_or(Error::Refused(Refusal::UnknownSession))?;
        let flow = entry.flow;
        let dialog = entry.dialog.as_mut().ok_or(Error::Refused(Refusal::UnknownSession))?;
        let mut info = dialog.request(&Method::Info);
        info.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
        info.body = c3p::Request::new(number, &focus, &me, command).to_body().into();
        let client = self.send_request(now, flow, info)?;
        self.purposes.insert(client, Purpose::Focus(conference));
        Ok(())
    }

    /// Leaves a conference.
    ///
    /// MS-CONFBAS 3.1
    pub fn leave_conference(&mut self, now: Instant, conference: ConferenceId) {
        self.begin(now);
        self.conference_step(now, conference, Trigger::Leave);
    }

    /// Where a conference stands; one that is forgotten was left.
    ///
    /// MS-CONFBAS 3.1
    #[must_use]
    pub fn conference(&self, conference: ConferenceId) -> State {
        self.conferences.by_id.get(&conference).map_or(State::Left, |of| of.state)
    }

    /// Who takes part in a conference.
    ///
    /// RFC 4575 4.6
    #[must_use]
    pub fn roster(&self, conference: ConferenceId) -> Option<&Roster> {
        self.conferences.by_id.get(&conference).map(|of| &of.roster)
    }

    fn conference_step(&mut self, now: Instant, id: ConferenceId, trigger: Trigger) {
        let Some(entry) = self.conferences.by_id.get_mut(&id) else { return };
        let (next, effects) = conference::step(entry.state, trigger);
        entry.state = next;
        for effect in effects {
            self.conference_effect(now, id, *effect);
        }
        if next == State::Left
            && let Some(gone) = self.conferences.by_id.remove(&id)
        {
            self.conferences.by_session.remove(&gone.session);
            if let Some(audio) = gone.audio {
                self.conferences.by_session.remove(&audio);
            }
        }
    }

    fn conference_effect(&mut self, now: Instant, id: ConferenceId, effect: Effect) {
        let Some(entry) = self.conferences.by_id.get_mut(&id) else { return };
        let (user, session) = (entry.user, entry.session);
        match effect {
            Effect::Subscribe => {
                let target = Uri::Sip(entry.focus.uri().clone());
                let wanted = Subscription::new("conference", target, conference_info::MEDIA_TYPE);
                if let Ok(subscription) = self.subscribe(now, user, wanted) {
                    self.conferences.by_subscription.insert(subscription, id);
                    if let Some(entry) = self.conferences.by_id.get_mut(&id) {
                        entry.subscription = Some(subscription);
                    }
                }
            }
            Effect::Unsubscribe => {
                // It stays known to us until it has ended, so that its events go nowhere.
                if let Some(subscription) = entry.subscription.take() {
                    self.unsubscribe(now, subscription);
                }
            }
            Effect::CallAudio => {
                let target = entry.focus.of_service(ConferenceUri::AUDIO_VIDEO);
                let (Some(target), Some(offer)) = (target, entry.offer.take()) else { return };
                let invite = Invite::new(Uri::Sip(target.uri().clone()), offer);
                match self.invite(now, user, invite) {
                    Ok(session) => self.belongs(session, id),
                    Err(_) => self.conference_step(now, id, Trigger::AudioEnded),
                }
            }
            Effect::HangUpAudio => {
                if let Some(audio) = entry.audio {
                    self.hang_up(now, audio);
                }
            }
            Effect::HangUpFocus => self.hang_up(now, session),
            Effect::StartPatience => self.deadlines.start(Deadline::Lobby(id), now + PATIENCE),
            Effect::StopPatience => self.deadlines.stop(&Deadline::Lobby(id)),
            Effect::ReportJoined => self.events.push_back(Event::ConferenceJoined { conference: id, user }),
            Effect::ReportFailed => {
                let (failure, reason) = (entry.failure.take(), entry.reason.take());
                self.events.push_back(Event::ConferenceFailed { conference: id, failure, reason });
            }
            Effect::ReportLeft => {
                self.events.push_back(Event::ConferenceEnded { conference: id, by_us: true });
            }
            Effect::ReportEnded => {
                self.events.push_back(Event::ConferenceEnded { conference: id, by_us: false });
            }
        }
    }

    pub(super) fn lobby_due(&mut self, now: Instant, id: ConferenceId) {
        self.conference_step(now, id, Trigger::PatienceOver);
    }

    /// A call with the mixer of a conference.
    fn belongs(&mut self, session: SessionId, id: ConferenceId) {
        self.conferences.by_session.insert(session, id);
        if let Some(entry) = self.conferences.by_id.get_mut(&id) {
            entry.audio = Some(session);
        }
    }

    /// The mixer of a conference we take part in calls us.
    pub(super) fn invited_by_mixer(
        &mut self,
        now: Instant,
        session: SessionId,
        user: UserId,
        of: &ConferenceUri,
    ) {
        let found = self.conferences.by_id.iter().find(|(_, entry)| {
            entry.user == user && entry.focus.id() == of.id() && entry.state == State::Joined
        });
        if let Some(id) = found.map(|(id, _)| *id) {
            self.belongs(session, id);
            self.conference_step(now, id, Trigger::AudioInvited);
        }
    }

    /// Tells a conference what became of one of its sessions. `true`: it was the session with the focus, of which the
    /// user hears through the conference alone.
    pub(super) fn conference_told(&mut self, now: Instant, session: SessionId, fate: Fate) -> bool {
        let Some(id) = self.conferences.by_session.get(&session).copied() else { return false };
        let Some(entry) = self.conferences.by_id.get_mut(&id) else { return false };
        if entry.session != session {
            let trigger = match fate {
                Fate::Answered(_) => Trigger::AudioAnswered,
                Fate::Failed(_) | Fate::Ended => {
                    entry.audio = None;
                    self.conferences.by_session.remove(&session);
                    Trigger::AudioEnded
                }
            };
            self.conference_step(now, id, trigger);
            return false;
        }
        let trigger = match fate {
            Fate::Answered(body) => {
                let response = body.and_then(|body| c3p::Response::parse(&body).ok());
                match response.as_ref().map(|response| response.outcome) {
                    // A focus that says nothing has accepted.
                    Some(Outcome::Success) | None => Trigger::Admitted,
                    Some(Outcome::Pending) => Trigger::Pending,
                    Some(Outcome::Failure) => {
                        entry.reason = response.and_then(|response| response.reason);
                        Trigger::Denied
                    }
                }
            }
            Fate::Failed(failure) => {
                entry.failure = Some(failure);
                Trigger::FocusEnded
            }
            Fate::Ended => Trigger::FocusEnded,
        };
        self.conference_step(now, id, trigger);
        true
    }

    /// Whether a session is one with a focus.
    pub(super) fn is_focus(&self, session: SessionId) -> bool {
        let id = self.conferences.by_session.get(&session);
        id.and_then(|id| self.conferences.by_id.get(id)).is_some_and(|of| of.session == session)
    }

    /// What a focus says in INFO, or in a response to ours; `false` if it is none of its messages.
    pub(super) fn on_focus_message(
        &mut self,
        now: Instant,
        session: SessionId,
        headers: &Headers,
        body: &Bytes,
    ) -> bool {
        let ours = headers.content_type().ok().flatten().is_some_and(|of| of.is("application", "cccp+xml"));
        let Some(id) = self.conferences.by_session.get(&session).copied().filter(|_| ours) else {
            return false;
        };
        let Ok(response) = c3p::Response::parse(body) else { return false };
        let Some(entry) = self.conferences.by_id.get_mut(&id) else { return false };
        if response.command == "addUser" && entry.state == State::Lobby {
            let trigger = match response.outcome {
                Outcome::Success => Trigger::Admitted,
                Outcome::Pending => Trigger::Pending,
                Outcome::Failure => Trigger::Denied,
            };
            entry.reason = response.reason;
            self.conference_step(now, id, trigger);
        } else {
            self.events.push_back(Event::ConferenceResponse { conference: id, response });
        }
        true
    }

    /// The response to an INFO of ours.
    pub(super) fn on_focus_response(
        &mut self,
        now: Instant,
        id: ConferenceId,
        response: &crate::message::Response,
    ) {
        if let Some(session) = self.conferences.by_id.get(&id).map(|of| of.session) {
            self.on_focus_message(now, session, &response.headers, &response.body);
        }
    }

    /// A document of the roster came. `false`: the subscription is none of a conference.
    pub(super) fn on_roster(&mut self, now: Instant, subscription: SubscriptionId, body: &Bytes) -> bool {
        let Some(id) = self.conferences.by_subscription.get(&subscription).copied() else { return false };
        let current = |of: &&mut Conference| of.subscription == Some(subscription);
        let Some(entry) = self.conferences.by_id.get_mut(&id).filter(current) else { return true };
        let Ok(info) = ConferenceInfo::parse(body) else { return true };
        let session = entry.session;
        match entry.roster.apply(info) {
            Applied::Yes => self.events.push_back(Event::RosterChanged { conference: id }),
            Applied::Old => {}
            Applied::Gap => {
                self.conference_effect(now, id, Effect::Unsubscribe);
                if let Some(entry) = self.conferences.by_id.get_mut(&id) {
                    entry.roster = Roster::default();
                }
                self.conference_effect(now, id, Effect::Subscribe);
            }
            // The focus ends the session as well; we do not wait for that.
            Applied::Over => self.hang_up(now, session),
        }
        true
    }

    /// A subscription ended. `true`: it was one of a conference.
    pub(super) fn roster_ended(&mut self, subscription: SubscriptionId, for_good: bool) -> bool {
        let Some(id) = self.conferences.by_subscription.get(&subscription).copied() else { return false };
        if for_good {
            self.conferences.by_subscription.remove(&subscription);
            if let Some(entry) = self.conferences.by_id.get_mut(&id)
                && entry.subscription == Some(subscription)
            {
                entry.subscription = None;
            }
        }
        true
    }
}
