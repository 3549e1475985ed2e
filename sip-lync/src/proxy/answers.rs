//! Responses on their way back through a proxy.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Action, Because, Branch, ContextId, Deadline, Event, Proxy, Trigger};
use crate::headers::HeaderName;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::status::StatusCode;
use crate::transaction::ClientId;
use crate::transaction::timers::T1;

impl Proxy {
    /// A response of a branch.
    ///
    /// RFC 3261 16.7
    pub(super) fn response(&mut self, now: Instant, client: ClientId, mut response: Response) {
        let Some((id, at)) = self.by_client.get(&client).copied() else { return };
        response.headers.remove_first(&HeaderName::Via);
        let status = response.status;
        if status.is_provisional() {
            if status == StatusCode::TRYING {
                return self.step(now, id, Trigger::Trying(at));
            }
            // RFC 3261 16.7 2: it may ring on.
            let rings = self.contexts.get(&id).is_some_and(|context| {
                let branch = context.answers.branches().get(at);
                context.request.method == Method::Invite
                    && matches!(branch, Some(Branch::Calling | Branch::Proceeding))
            });
            if rings {
                self.deadlines.start(Deadline::Branch(id, at), now + self.config.timer_c);
            }
            return self.step_with(now, id, Trigger::Provisional(at), Some(&response));
        }
        self.deadlines.stop(&Deadline::Branch(id, at));
        if let Some(leg) = self.contexts.get_mut(&id).and_then(|context| context.legs.get_mut(at)) {
            leg.response = (!status.is_success()).then(|| Box::new(response.clone()));
        }
        self.step_with(now, id, Trigger::Final(at, status.code()), Some(&response));
    }

    pub(super) fn step(&mut self, now: Instant, id: ContextId, trigger: Trigger) {
        self.step_with(now, id, trigger, None);
    }

    fn step_with(&mut self, now: Instant, id: ContextId, trigger: Trigger, response: Option<&Response>) {
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let mut actions = Vec::new();
        context.answers = context.answers.clone().step(trigger, &mut actions);
        let server = context.server;
        // RFC 3261 16.8: a branch that ended by our clock alone owes nobody a response any more.
        if let Trigger::Timeout(at) = trigger
            && let Some(Branch::Completed(_)) = context.answers.branches().get(at)
            && let Some(client) = context.legs.get_mut(at).and_then(|leg| leg.client.take())
        {
            self.by_client.remove(&client);
            self.layer.give_up(client);
        }
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Next => actions.extend(self.ask_next(now, id)),
                Action::Forward(_) => {
                    if let Some(response) = response {
                        self.layer.respond(now, server, response);
                        if response.status.is_final() {
                            self.events.push_back(Event::Answered { id, status: response.status });
                        }
                    }
                }
                Action::ForwardStored(at, status) => self.answer(now, id, at, status),
                Action::Cancel(at, because) => self.cancel_branch(now, id, at, because),
            }
        }
        self.forget_if_finished(id);
    }

    /// The best of all refusals goes back.
    ///
    /// RFC 3261 16.7 6, RFC 3261 16.7 7
    fn answer(&mut self, now: Instant, id: ContextId, at: usize, status: u16) {
        let Some(context) = self.contexts.get(&id) else { return };
        let (server, request) = (context.server, context.request.clone());
        let stored = context.legs.get(at).and_then(|leg| leg.response.as_deref()).cloned();
        let others: Vec<Response> =
            context.legs.iter().filter_map(|leg| leg.response.as_deref()).cloned().collect();
        let code = StatusCode::new(status).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
        let mut response = match stored {
            // RFC 3261 16.7 6: that one server is overloaded does not mean that we are.
            Some(stored) if stored.status != StatusCode::SERVICE_UNAVAILABLE => stored,
            Some(_) => self.response_to(&request, StatusCode::SERVER_INTERNAL_ERROR),
            None => self.response_to(&request, code),
        };
        if matches!(status, 401 | 407) {
            for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
                response.headers.remove_all(&name);
                for other in others.iter().filter(|other| matches!(other.status.code(), 401 | 407)) {
                    response.headers.copy_from(&other.headers, &name);
                }
            }
        }
        self.layer.respond(now, server, &response);
        self.events.push_back(Event::Answered { id, status: response.status });
    }

    fn cancel_branch(&mut self, now: Instant, id: ContextId, at: usize, because: Because) {
        let Some(context) = self.contexts.get(&id) else { return };
        let Some(client) = context.legs.get(at).and_then(|leg| leg.client) else { return };
        let reason = match because {
            Because::CompletedElsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\"".into()),
            Because::DeclinedElsewhere => Some("SIP;cause=603;text=\"Declined elsewhere\"".into()),
            Because::TimedOut => Some("SIP;cause=408;text=\"Nobody answered\"".into()),
            Because::Forwarded => Some("SIP;cause=302;text=\"Call forwarded\"".into()),
            Because::CallerCancelled => context.cause.clone(),
        };
        if self.layer.cancel(now, client, reason.as_deref()).is_ok() {
            // RFC 3261 16.8: what does not end after CANCEL is given up.
            self.deadlines.start(Deadline::Branch(id, at), now + T1 * 64);
        }
    }

    /// A transaction of a branch is over: nothing more comes from there.
    pub(super) fn leg_over(&mut self, client: ClientId) {
        let Some((id, at)) = self.by_client.remove(&client) else { return };
        if let Some(leg) = self.contexts.get_mut(&id).and_then(|context| context.legs.get_mut(at)) {
            leg.client = None;
        }
        self.forget_if_finished(id);
    }

    /// A context whose branches are all over, the memory of 2xx among them, is forgotten.
    fn forget_if_finished(&mut self, id: ContextId) {
        let over = self.contexts.get(&id).is_some_and(|context| {
            !context.waiting
                && context.answers.finished()
                && context.legs.iter().all(|leg| leg.client.is_none())
        });
        if over {
            self.forget(id);
        }
    }

    pub(super) fn forget(&mut self, id: ContextId) {
        let Some(context) = self.contexts.remove(&id) else { return };
        self.by_server.remove(&context.server);
        self.deadlines.stop(&Deadline::Patience(id));
        for (at, leg) in context.legs.iter().enumerate() {
            self.deadlines.stop(&Deadline::Branch(id, at));
            if let Some(client) = leg.client {
                self.by_client.remove(&client);
            }
        }
    }

    /// A response of the proxy itself.
    pub(super) fn response_to(&mut self, request: &Request, status: StatusCode) -> Response {
        let mut response = request.response(status);
        let tagged = request.headers.to().ok().flatten().is_some_and(|to| to.tag().is_some());
        if !tagged
            && status != StatusCode::TRYING
            && let Some(to) = request.headers.get(&HeaderName::To)
        {
            response.headers.set(HeaderName::To, crate::dialog::with_tag(to, &self.words.tag()));
        }
        response
    }
}
