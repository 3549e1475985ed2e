//! The session timers of all sessions: what [`crate::session_timer`] demands.

use std::time::{Duration, Instant};

use super::event::EndReason;
use super::registration_response::LENGTHENINGS;
use super::step::Context;
use super::vocabulary::SessionId;
use super::{Deadline, Endpoint, Purpose};
use crate::headers::{HeaderName, Headers};
use crate::invite::{State, Trigger};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::offer_answer::Position;
use crate::session_timer::{LEAST, SessionTimer};
use crate::status::StatusCode;
use crate::transaction::ServerId;

/// The pause before a refresh that met something else is tried again.
const AGAIN: Duration = Duration::from_secs(10);

impl Endpoint {
    /// Refuses a request whose session interval is too small; `false` if it is not.
    ///
    /// RFC 4028 6
    pub(super) fn refuse_small_interval(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
    ) -> bool {
        if SessionTimer::of_request(&request.headers).is_ok() {
            return false;
        }
        let mut response = self.response_to(request, StatusCode::SESSION_INTERVAL_TOO_SMALL);
        response.headers.push(HeaderName::MinSe, LEAST);
        self.layer.respond_owned(now, server, response);
        true
    }

    /// Agrees in our 2xx to what the request asks for and starts the timer.
    ///
    /// RFC 4028 9
    pub(super) fn agree_timer(
        &mut self,
        now: Instant,
        id: SessionId,
        timer: Option<SessionTimer>,
        answer: &mut Headers,
    ) {
        if let Some(timer) = timer {
            answer.push(HeaderName::SessionExpires, timer.in_response());
            if !timer.ours {
                answer.push(HeaderName::Require, "timer");
            }
        }
        self.start_timer(now, id, timer);
    }

    /// Starts or stops the timer of a session.
    ///
    /// RFC 4028 10
    pub(super) fn start_timer(&mut self, now: Instant, id: SessionId, timer: Option<SessionTimer>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.timer = timer;
        match timer {
            Some(timer) => self.deadlines.start(Deadline::Timer(id), now + timer.due()),
            None => self.deadlines.stop(&Deadline::Timer(id)),
        }
    }

    /// A refresh of ours is due, or one of the peer did not come.
    ///
    /// RFC 4028 10
    pub(super) fn timer_due(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(timer) = session.timer else { return };
        if !timer.ours {
            return self.expire(now, id, EndReason::SessionExpired);
        }
        if session.state != State::Established {
            // A re-INVITE under way refreshes as well.
            return self.deadlines.start(Deadline::Timer(id), now + AGAIN);
        }
        if !session.peer_updates {
            return self.refresh_by_reinvite(now, id);
        }
        let (flow, user, rendering) = (session.flow, session.user, session.rendering);
        let Some(dialog) = &mut session.dialog else { return };
        let mut update = dialog.request(&Method::Update);
        update.headers.push(HeaderName::SessionExpires, timer.in_request());
        update.headers.push(HeaderName::MinSe, LEAST);
        update.headers.push_text(&HeaderName::Supported, "timer");
        self.push_contact(&mut update.headers, flow, user, rendering);
        match self.send_request(now, flow, update) {
            Ok(client) => {
                self.purposes.insert(client, Purpose::Refresh(id));
                // Should the response not come, the transaction tells.
                self.deadlines.start(Deadline::Timer(id), now + timer.interval / 2);
            }
            Err(_) => self.deadlines.start(Deadline::Timer(id), now + AGAIN),
        }
    }

    /// The agreed session once more, for a peer without UPDATE.
    fn refresh_by_reinvite(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let offer = session.local_description.clone().filter(|_| session.position == Position::Agreed);
        match offer {
            Some(offer) => {
                session.reoffer = Some((offer, session.rendering));
                self.deadlines.start(Deadline::Timer(id), now + AGAIN);
                self.session_step(now, id, Trigger::Reoffer, &Context::default());
            }
            None => self.deadlines.start(Deadline::Timer(id), now + AGAIN),
        }
    }

    /// A response to our refresh.
    ///
    /// RFC 4028 7.3, RFC 3311 5.1
    pub(super) fn on_refresh_response(&mut self, now: Instant, id: SessionId, response: &Response) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        match response.status.code() {
            100..=199 => {}
            200..=299 => {
                session.lengthened = 0;
                if let Some(dialog) = &mut session.dialog {
                    dialog.refresh_target(&response.headers);
                }
                self.take_route_of_response(id, response);
                self.start_timer(now, id, SessionTimer::of_response(&response.headers));
            }
            430 => {
                if !self.on_flow_failed(now, id, response) {
                    self.expire(now, id, EndReason::DialogGone);
                }
            }
            408 | 481 => self.expire(now, id, EndReason::DialogGone),
            422 => {
                let least = response.headers.min_se().ok().flatten().map_or(0, |least| least.interval);
                let least = Duration::from_secs(u64::from(least.min(7 * 86_400)));
                match session.timer {
                    Some(timer) if timer.interval < least && session.lengthened < LENGTHENINGS => {
                        session.lengthened += 1;
                        session.timer = Some(SessionTimer { interval: least, ..timer });
                        self.timer_due(now, id);
                    }
                    _ => self.expire(now, id, EndReason::SessionExpired),
                }
            }
            // The peer or a server cannot do UPDATE.
            405 | 420 | 501 => {
                session.peer_updates = false;
                self.refresh_by_reinvite(now, id);
            }
            _ => self.deadlines.start(Deadline::Timer(id), now + AGAIN),
        }
    }

    /// A refresh was not answered.
    pub(super) fn on_refresh_failure(&mut self, now: Instant, id: SessionId, flow_lost: bool) {
        if flow_lost {
            // The session goes on over another flow; so does its refresh.
            self.deadlines.start(Deadline::Timer(id), now + AGAIN);
        } else {
            self.expire(now, id, EndReason::DialogGone);
        }
    }

    fn expire(&mut self, now: Instant, id: SessionId, reason: EndReason) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.end_reason = Some(reason);
        }
        self.session_step(now, id, Trigger::HangUp, &Context::default());
    }
}
