//! Recovery of dialogs whose route died: 430 and P-Dialog-Recovery-Action.

use std::time::{Duration, Instant};

use super::step::Context;
use super::vocabulary::{SessionId, UserId};
use super::{Deadline, Endpoint, Purpose, registration};
use crate::headers::HeaderName;
use crate::invite::{State, Trigger};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::offer_answer::Position;
use crate::register;

/// The option tag of dialogs whose route set may be replaced.
pub(super) const OPTION: &str = "ms-dialog-route-set-update";

/// How often a dialog is recovered without success before it is given up.
const ATTEMPTS: u8 = 3;

/// The pause before a recovery that met something else.
const AGAIN: Duration = Duration::from_secs(2);

impl Endpoint {
    /// A request within a session was answered 430: refresh the registration first if the server says so, then the
    /// route set of the dialog; `false` when that was tried too often.
    ///
    /// MS-SIPRE 3.7
    pub(super) fn on_flow_failed(&mut self, now: Instant, id: SessionId, response: &Response) -> bool {
        let Some(session) = self.sessions.get_mut(id) else { return false };
        session.recoveries = session.recoveries.saturating_add(1);
        if session.recoveries > ATTEMPTS {
            return false;
        }
        let user = session.user;
        let registration_first = response
            .headers
            .elements(&HeaderName::PDialogRecoveryAction)
            .any(|action| action.trim().eq_ignore_ascii_case("registration-route-set-update"));
        if !registration_first {
            self.recover(now, id);
            return true;
        }
        // The registration is refreshed once, then every dialog of the user.
        let sessions = self.accounts.get(user).map(|account| account.sessions.clone()).unwrap_or_default();
        for session in sessions {
            if let Some(session) = self.sessions.get_mut(session) {
                session.recovering |= session.is_confirmed();
            }
        }
        if self.registration(user) == register::State::Registered {
            let told = registration::Told::default();
            self.registration_step(now, user, register::Trigger::RefreshDue, &told);
        } else {
            self.recover_all(now, user);
        }
        true
    }

    /// The registration stands again: what waited for it is recovered.
    pub(super) fn recover_all(&mut self, now: Instant, user: UserId) {
        let sessions = self.accounts.get(user).map(|account| account.sessions.clone()).unwrap_or_default();
        for id in sessions {
            let waits =
                self.sessions.get_mut(id).is_some_and(|session| std::mem::take(&mut session.recovering));
            if waits {
                self.recover(now, id);
            }
        }
    }

    /// Refreshes the dialog without its dead route; the recorded route of the answer replaces it.
    ///
    /// MS-SIPRE 3.7
    pub(super) fn recover(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(dialog) = &mut session.dialog else { return };
        dialog.forget_route();
        let (flow, user, rendering) = (session.flow, session.user, session.rendering);
        match session.state {
            State::Established => {}
            // The re-INVITE that is sent again recovers as well.
            State::ReinviteBackoff => return,
            _ => return self.deadlines.start(Deadline::Recovery(id), now + AGAIN),
        }
        if session.peer_updates {
            let mut update = dialog.request(&Method::Update);
            if let Some(timer) = session.timer {
                update.headers.push(HeaderName::SessionExpires, timer.in_request());
            }
            update.headers.push_text(&HeaderName::Supported, "timer");
            update.headers.push(HeaderName::Supported, OPTION);
            self.push_contact(&mut update.headers, flow, user, rendering);
            if let Ok(client) = self.send_request(now, flow, update) {
                self.purposes.insert(client, Purpose::Refresh(id));
            }
            return;
        }
        let offer = session.local_description.clone().filter(|_| session.position == Position::Agreed);
        if let Some(offer) = offer {
            session.reoffer = Some((offer, rendering));
            self.session_step(now, id, Trigger::Reoffer, &Context::default());
        }
    }

    /// Takes the recorded route of a dialog refresh, ours or the peer's.
    ///
    /// MS-SIPRE 3.7
    pub(super) fn take_route_of_response(&mut self, id: SessionId, response: &Response) {
        let updates = response.headers.supported().is_ok_and(|options| options.contains(OPTION));
        self.deadlines.stop(&Deadline::Recovery(id));
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.recoveries = 0;
        if let Some(dialog) = &mut session.dialog
            && (updates || dialog.route_set().is_empty())
        {
            dialog.replace_route_of_response(&response.headers);
        }
    }

    /// Takes the recorded route of a dialog refresh of the peer.
    ///
    /// MS-SIPRE 3.7
    pub(super) fn take_route_of_request(&mut self, id: SessionId, request: &Request) {
        let updates = request.headers.supported().is_ok_and(|options| options.contains(OPTION));
        if updates && let Some(dialog) = self.sessions.get_mut(id).and_then(|session| session.dialog.as_mut())
        {
            dialog.replace_route_of_request(&request.headers);
        }
    }
}
