//! Our INVITE once more, as its refusal asks: with a longer session interval, or with one description in place of several.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::description::session_description;
use super::vocabulary::{SessionId, UserId};
use super::{Deadline, Endpoint, Purpose};
use crate::flow::FlowId;
use crate::headers::HeaderName;
use crate::invite::State;
use crate::message::{Request, Response};
use crate::session_timer::LEAST;

/// The longest session interval a peer can talk us into.
const LONGEST: u32 = 86_400;

impl Endpoint {
    /// Sends the INVITE again if its refusal names what was wrong with it; `false` if that is no help.
    ///
    /// RFC 4028 7.3, RFC 3261 8.1.3.5
    pub(super) fn retry_invite(&mut self, now: Instant, id: SessionId, response: &Response) -> bool {
        let Some(session) = self.sessions.get(id) else { return false };
        if session.retried || !matches!(session.state, State::Calling | State::Proceeding) {
            return false;
        }
        let Some(invite) = session.invite.as_deref() else { return false };
        let body = session.local_description.clone().unwrap_or_default();
        let mut request = Request { body, ..invite.clone() };
        let helps = match response.status.code() {
            422 => longer_interval(&mut request, response),
            // Signed once more, with another number.
            401 | 407 => self.signs(session.user, session.flow),
            415 => single_description(&mut request),
            // The server of a conference could not read one of several descriptions.
            488 => {
                let diagnostics = response.headers.diagnostics().ok().flatten();
                diagnostics.is_some_and(|diagnostics| diagnostics.id == UNREADABLE)
                    && single_description(&mut request)
            }
            _ => false,
        };
        helps && self.send_invite_again(now, id, request)
    }

    fn signs(&self, user: UserId, flow: FlowId) -> bool {
        self.accounts.get(user).is_some_and(|account| account.authentication.on_flow(flow).is_some())
    }

    fn send_invite_again(&mut self, now: Instant, id: SessionId, mut request: Request) -> bool {
        self.end_early_offers(now, id, None);
        let Some(session) = self.sessions.get_mut(id) else { return false };
        let number = session.ack_cseq.saturating_add(1);
        let flow = session.flow;
        request.headers.remove_first(&HeaderName::Via);
        request.headers.set(HeaderName::CSeq, format_args!("{number} INVITE"));
        let Ok(client) = self.send_request(now, flow, request.clone()) else { return false };
        self.purposes.insert(client, Purpose::Invite(id));
        let Some(session) = self.sessions.get_mut(id) else { return false };
        session.retried = true;
        session.ack_cseq = number;
        // The second INVITE is as the first was: no CANCEL before its own provisional response.
        session.state = State::Calling;
        session.invite_client = Some(client);
        if !request.body.is_empty() {
            session.local_description = Some(std::mem::take(&mut request.body));
        }
        request.body = Bytes::new();
        session.invite = Some(Box::new(request));
        let forks: Vec<_> = session.forks.drain(..).map(|fork| fork.dialog.id().clone()).collect();
        for dialog in forks {
            self.sessions.remove_dialog(&dialog, id);
        }
        self.deadlines.start(Deadline::Ring(id), now + self.config.ring_limit);
        true
    }
}

/// The session interval that is long enough for everybody on the way.
fn longer_interval(request: &mut Request, response: &Response) -> bool {
    let least = response.headers.min_se().ok().flatten().map_or(0, |least| least.interval);
    let asked = request.headers.session_expires().ok().flatten().map_or(0, |asked| asked.interval);
    if least <= asked || least > LONGEST {
        return false;
    }
    let least = Duration::from_secs(u64::from(least)).as_secs().max(u64::from(LEAST));
    request.headers.set(HeaderName::SessionExpires, least);
    request.headers.set(HeaderName::MinSe, least);
    true
}

/// The one description of several that every server understands.
fn single_description(request: &mut Request) -> bool {
    let several = request
        .headers
        .content_type()
        .is_ok_and(|media_type| media_type.is_some_and(|media_type| media_type.is_multipart()));
    let Ok(Some(single)) = session_description(&request.headers, &request.body) else { return false };
    if !several {
        return false;
    }
    request.headers.set(HeaderName::ContentType, "application/sdp");
    request.body = single;
    true
}

/// The server cannot read the session description.
///
/// MS-OCER 2.2
const UNREADABLE: u32 = 7008;
