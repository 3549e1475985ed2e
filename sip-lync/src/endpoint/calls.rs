//! What a user does with its sessions.

use std::time::Instant;

use bytes::Bytes;

use super::config::Mode;
use super::event::EndReason;
use super::session::Session;
use super::step::Context;
use super::vocabulary::{Invite, Rendering, SessionId, UserId};
use super::{Deadline, Endpoint, Purpose, identity};
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers, Reason};
use crate::invite::{State, Trigger};
use crate::message::Request;
use crate::method::Method;
use crate::offer_answer::Position;
use crate::session_timer::LEAST;
use crate::status::StatusCode;
use crate::transaction::peer_key;
use crate::uri::Uri;

impl Endpoint {
    /// Calls somebody.
    ///
    /// RFC 3261 13.2.1, MS-SIPRE 3.1
    pub fn invite(&mut self, now: Instant, user: UserId, invite: Invite) -> Result<SessionId, Error> {
        self.begin(now);
        let flow = self.flow_of(user)?;
        self.may_open_session(user)?;
        let tag = self.words.tag();
        let call_id = self.words.call_id();
        let conversation = invite.conversation.unwrap_or_else(|| base64(&self.words.conversation()));
        let account = self.accounts.get(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        let entry = self.flows.get(&flow).ok_or(Error::Refused(Refusal::NoFlow))?;
        let config = &self.config;
        let mut request = Request::new(Method::Invite, invite.target.clone());
        let headers = &mut request.headers;
        headers.push_text(&HeaderName::MaxForwards, "70");
        headers.push_text(&HeaderName::From, &identity::from(config, &account.user, &tag));
        headers.push(HeaderName::To, format_args!("<{}>", invite.target));
        headers.push_text(&HeaderName::CallId, &call_id);
        headers.push_text(&HeaderName::CSeq, "1 INVITE");
        identity::push_contact(headers, config, account, &entry.sent_by, Rendering::Yes);
        headers.push_text(&HeaderName::UserAgent, &config.user_agent);
        headers.push_text(&HeaderName::Allow, identity::ALLOW);
        self.push_supported(headers);
        headers.push_text(&HeaderName::MsConversationId, &conversation);
        identity::push_identity(headers, config, &account.user);
        if let Some(interval) = config.session_expires {
            headers.push(HeaderName::SessionExpires, interval.as_secs());
            headers.push(HeaderName::MinSe, LEAST);
        }
        if config.mode == Mode::Client {
            headers.push_text(&HeaderName::MsKeepAlive, "UAC;hop-hop=yes");
        }
        if let Some(subnet) = &config.subnet {
            headers.push(HeaderName::MsSubnet, subnet);
        }
        for (name, value) in &invite.headers {
            if let Ok(name) = HeaderName::parse(name) {
                headers.push(name, value);
            }
        }
        let transfer = invite.transfer;
        let offered = invite.description.is_some();
        let local_description = invite.description.clone();
        if let Some(description) = invite.description {
            headers.push_text(&HeaderName::ContentType, &invite.content_type);
            request.body = description;
        }
        let client = self.send_request(now, flow, request.clone())?;
        request.body = Bytes::new();
        let mut session = Session::new(user, flow, State::Calling, &conversation);
        session.position = if offered { Position::Offered } else { Position::None };
        session.invite = Some(Box::new(request));
        session.invite_client = Some(client);
        session.ack_cseq = 1;
        session.local_description = local_description;
        let id = self.open_session(user, session);
        self.purposes.insert(client, Purpose::Invite(id));
        self.deadlines.start(Deadline::Ring(id), now + self.config.ring_limit);
        self.carry_out(now, id, transfer);
        Ok(id)
    }

    /// Says that it rings: 180, or 183 with an early answer.
    ///
    /// RFC 3261 13.3.1.1
    pub fn ring(&mut self, now: Instant, session: SessionId, description: Option<Bytes>) {
        self.begin(now);
        self.session_step(now, session, Trigger::Ring, &Context { description, ..Context::default() });
    }

    /// Answers a call.
    ///
    /// RFC 3261 13.3.1.4
    pub fn answer(&mut self, now: Instant, session: SessionId, description: impl Into<Bytes>) {
        self.begin(now);
        let Some(description) = self.hold_answer(session, description.into()) else { return };
        let context = Context { description: Some(description), ..Context::default() };
        self.session_step(now, session, Trigger::Answer, &context);
        self.end_replaced(now, session);
    }

    /// Refuses a call. 603 stops it for all endpoints of the user, 480 and 486 for this one only.
    ///
    /// RFC 3261 13.3.1.3
    pub fn reject(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        self.begin(now);
        let status = if status.code() < 300 { StatusCode::TEMPORARILY_UNAVAILABLE } else { status };
        let context = Context { status: Some(status), ..Context::default() };
        self.session_step(now, session, Trigger::Reject, &context);
    }

    /// Sends the caller elsewhere: 302 to another address or number, 303 to the voice mail; the best address first.
    ///
    /// RFC 3261 13.3.1.2, MS-SIPRE 3.1
    pub fn redirect(&mut self, now: Instant, session: SessionId, status: StatusCode, to: Vec<Uri>) {
        let status = if status.is_redirection() { status } else { StatusCode::MOVED_TEMPORARILY };
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.elsewhere = to;
        }
        self.reject(now, session, status);
    }

    /// Ends a session and says why in Reason of CANCEL or BYE.
    ///
    /// RFC 3326 2
    pub fn hang_up_because(&mut self, now: Instant, session: SessionId, reason: &Reason) {
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.cause = Some(reason.to_string().into());
        }
        self.hang_up(now, session);
    }

    /// Makes a further offer: hold, retrieve, other media.
    ///
    /// RFC 3261 14.1, MS-SDPEXT 3.1.5.23
    pub fn reoffer(
        &mut self,
        now: Instant,
        session: SessionId,
        description: impl Into<Bytes>,
        rendering: Rendering,
    ) -> Result<(), Error> {
        self.begin(now);
        let entry = self.sessions.get_mut(session).ok_or(Error::Refused(Refusal::UnknownSession))?;
        if !entry.may_reoffer() {
            return Err(Error::Refused(Refusal::OfferNotAllowed));
        }
        entry.reoffer = Some((description.into(), rendering));
        self.session_step(now, session, Trigger::Reoffer, &Context::default());
        Ok(())
    }

    /// Whether a further offer may be made now: the call stands, and no offer of either side is open. An offer that the
    /// peer's has overtaken ([`Event::ReofferRefused`](super::Event::ReofferRefused) while this is `false`) may be made
    /// again when this is `true` again.
    ///
    /// RFC 3261 14.1, RFC 6337 2.3
    #[must_use]
    pub fn may_reoffer(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(Session::may_reoffer)
    }

    /// Asks the peer of a session for a further offer: a re-INVITE without one. What it offers is told as
    /// [`super::Event::Reoffered`] and answered with [`Self::answer_reoffer`].
    ///
    /// RFC 3261 14.1, RFC 6337 2.2
    pub fn ask_for_offer(&mut self, now: Instant, session: SessionId) -> Result<(), Error> {
        let rendering = self.sessions.get(session).map_or(Rendering::Yes, |session| session.rendering);
        self.reoffer(now, session, Bytes::new(), rendering)
    }

    /// Answers the peer's further offer, or the offer in the 200 to our INVITE without one.
    ///
    /// RFC 3261 14.2, RFC 3261 13.2.2.4, RFC 3311 5.2
    pub fn answer_reoffer(&mut self, now: Instant, session: SessionId, description: impl Into<Bytes>) {
        self.begin(now);
        let context = Context { description: Some(description.into()), ..Context::default() };
        self.session_step(now, session, Trigger::AnswerOffer, &context);
    }

    /// Refuses the peer's further offer; the session stays as it was.
    ///
    /// RFC 3261 14.2
    pub fn reject_reoffer(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        self.begin(now);
        let status = if status.code() < 300 { StatusCode::NOT_ACCEPTABLE_HERE } else { status };
        let context = Context { status: Some(status), ..Context::default() };
        self.session_step(now, session, Trigger::RejectOffer, &context);
    }

    /// Ends a session: CANCEL, BYE or 480, as its state demands.
    ///
    /// RFC 3261 15
    pub fn hang_up(&mut self, now: Instant, session: SessionId) {
        self.begin(now);
        self.session_step(now, session, Trigger::HangUp, &Context::default());
    }

    /// Where a session stands; one that is forgotten is terminated.
    ///
    /// RFC 3261 13
    #[must_use]
    pub fn session(&self, session: SessionId) -> State {
        self.sessions.get(session).map_or(State::Terminated, |session| session.state)
    }

    /// The conversation a session belongs to.
    ///
    /// MS-CONVID 2.2
    #[must_use]
    pub fn conversation(&self, session: SessionId) -> Option<&str> {
        self.sessions.get(session).map(|session| &*session.conversation)
    }

    pub(super) fn ring_limit_reached(&mut self, now: Instant, session: SessionId) {
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.end_reason = Some(EndReason::RingLimit);
        }
        self.session_step(now, session, Trigger::HangUp, &Context::default());
    }

    pub(super) fn flow_of(&self, user: UserId) -> Result<FlowId, Error> {
        let account = self.accounts.get(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        account.flow.filter(|flow| self.flows.contains_key(flow)).ok_or(Error::Refused(Refusal::NoFlow))
    }

    pub(super) fn may_open_session(&self, user: UserId) -> Result<(), Error> {
        let of_user = self.accounts.get(user).map_or(0, |account| account.sessions.len());
        if self.sessions.len() >= self.config.limits.sessions
            || of_user >= self.config.limits.sessions_per_user
        {
            return Err(Error::Refused(Refusal::TooManySessions));
        }
        Ok(())
    }

    /// Whether the caller has half of the sessions of a user already: the rest is for others.
    pub(super) fn has_its_share(&self, user: UserId, request: &Request) -> bool {
        let Some(account) = self.accounts.get(user) else { return false };
        let share = (self.config.limits.sessions_per_user / 2).max(1);
        if account.sessions.len() < share {
            return false;
        }
        let caller = request.headers.get(&HeaderName::From).map(peer_key);
        let calls = account.sessions.iter().filter(|id| {
            let dialog = self.sessions.get(**id).and_then(|session| session.dialog.as_ref());
            dialog.map(|dialog| peer_key(dialog.remote())) == caller
        });
        calls.count() >= share
    }

    pub(super) fn open_session(&mut self, user: UserId, session: Session) -> SessionId {
        let id = self.sessions.add(session);
        if let Some(account) = self.accounts.get_mut(user) {
            account.sessions.insert(id);
        }
        id
    }

    /// What we can do, one option a line.
    pub(super) fn push_supported(&self, headers: &mut Headers) {
        let options = [
            (self.config.reliable_provisional, "100rel"),
            (self.config.early_media, "ms-early-media"),
            (true, "timer"),
            (true, "replaces"),
            (true, super::recovery::OPTION),
            (true, "histinfo"),
        ];
        for (announced, option) in options {
            if announced {
                headers.push_text(&HeaderName::Supported, option);
            }
        }
    }

    /// The sessions of a lost flow: those that stand go on over the user's flow if that is another one.
    pub(super) fn sessions_lost(&mut self, now: Instant, flow: FlowId) {
        for id in self.sessions.on_flow(flow) {
            let Some(session) = self.sessions.get(id) else { continue };
            let other = self.flow_of(session.user).ok().filter(|other| *other != flow);
            match other.filter(|_| session.is_confirmed()) {
                Some(other) => self.sessions.move_to(id, other),
                None => self.session_step(now, id, Trigger::FlowLost, &Context::default()),
            }
        }
    }

    /// The registrar had lost a user: nobody can reach its dialogs any more.
    ///
    /// MS-SIPREGE 3.1
    pub(super) fn sessions_of_user_lost(&mut self, now: Instant, user: UserId) {
        let Some(account) = self.accounts.get(user) else { return };
        for id in account.sessions.clone() {
            if let Some(session) = self.sessions.get_mut(id) {
                session.end_reason = Some(EndReason::RegistrationLost);
            }
            self.session_step(now, id, Trigger::FlowLost, &Context::default());
        }
    }
}

/// Base64 with padding.
///
/// RFC 4648 4
fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let word = group.iter().fold(0_u32, |word, octet| (word << 8) | u32::from(*octet));
        let word = word << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS.get(((word >> (18 - 6 * place)) & 0x3f) as usize);
            let shown = if place <= group.len() { digit.copied().unwrap_or(b'=') } else { b'=' };
            text.push(char::from(shown));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_has_the_published_values() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(octets.as_bytes()), text);
        }
    }
}
