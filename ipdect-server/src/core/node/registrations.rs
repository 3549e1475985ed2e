//! Connections to the front end, and the registrations of all users over them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use presence_pidf::publisher::PublisherState;
use sip_lync::{Event, FlowRole, Retry, StatusCode};

use super::super::proxies::Opened;
use super::super::subscriber::{Registration, SubscriberId};
use super::super::vocabulary::{Effect, FlowId, Level};
use super::Node;

/// What still needs a connection that was left for a better proxy.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// The calls that were up then.
    calls: BTreeSet<u32>,
    /// Users who are not registered on the other connection yet.
    users: BTreeSet<SubscriberId>,
}

/// How long the shutdown waits for the front end.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// Opens a connection if it is time to.
    pub(super) fn dial(&mut self, now: Instant) {
        if let Some((flow, proxy)) = self.proxies.dial(now) {
            self.effects.push_back(Effect::Dial { flow, proxy });
        }
    }

    pub(super) fn flow_opened(
        &mut self,
        now: Instant,
        flow: FlowId,
        proxy: Option<usize>,
        local: SocketAddr,
        remote: SocketAddr,
        peer_names: Vec<String>,
    ) {
        let role = if proxy.is_some() { FlowRole::Dialled } else { FlowRole::Accepted };
        let asked = match role {
            FlowRole::Dialled => self.proxies.opened(now, flow),
            FlowRole::Accepted => Opened::Home,
        };
        if asked == Opened::Unasked {
            self.effects.push_back(Effect::CloseFlow { flow });
            return;
        }
        let opened = sip_lync::Input::FlowOpened { flow: sip_lync::FlowId(flow.0), local, remote, role };
        if let Err(error) = self.endpoint.handle_input(now, opened) {
            self.log(Level::Error, format!("connection with {remote}: {error}"));
            self.effects.push_back(Effect::CloseFlow { flow });
            return;
        }
        let name = peer_names.into_iter().next().unwrap_or_else(|| remote.to_string());
        let Some(proxy) = proxy else {
            self.accepted.insert(flow);
            self.log(Level::Debug, format!("front end {name}: connected to us"));
            return;
        };
        if let Some(failure) = self.proxy_failures.get_mut(proxy) {
            failure.clear();
        }
        if asked == Opened::Trial {
            self.log(Level::Notice, format!("front end {name}: connected again"));
            return self.try_better(now, flow, name);
        }
        self.log(Level::Notice, format!("front end {name}: connected"));
        self.home = Some((flow, name));
        let all: Vec<SubscriberId> = self.subscribers.ids().collect();
        for id in all {
            self.want_registration(now, id);
        }
    }

    /// One user registers at a better proxy than the one where all are; without users there is nothing to try.
    fn try_better(&mut self, now: Instant, flow: FlowId, name: String) {
        let mut registered = self.subscribers.ids().filter(|id| {
            let subscriber = self.subscribers.get(*id);
            subscriber.is_some_and(|subscriber| matches!(subscriber.registration, Registration::Up { .. }))
        });
        self.trying = registered.next();
        self.better = Some((flow, name));
        let Some(id) = self.trying else { return self.go_over(now) };
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        subscriber.registration = Registration::Pending;
        let sip = subscriber.sip;
        // The flow has just been opened and the user is one of ours.
        let _registers = self.endpoint.register(now, sip, sip_lync::FlowId(flow.0), None);
    }

    /// The better proxy serves: all register there. The connection with the other one stays until that is done and the
    /// calls on it are over.
    fn go_over(&mut self, now: Instant) {
        let tried = self.trying.take();
        let left = self.proxies.tried(now);
        let Some((flow, name)) = self.better.take() else { return };
        self.log(Level::Notice, format!("front end {name}: serves again, all users go there"));
        self.home = Some((flow, name));
        let mut users = BTreeSet::new();
        let all: Vec<SubscriberId> = self.subscribers.ids().collect();
        for id in all.into_iter().filter(|id| Some(*id) != tried) {
            if let Some(subscriber) = self.subscribers.get_mut(id)
                && matches!(subscriber.registration, Registration::Pending | Registration::Up { .. })
            {
                subscriber.registration = Registration::Wanted;
                users.insert(id);
            }
            self.want_registration(now, id);
        }
        if let Some(left) = left {
            self.leaving.insert(left.flow, Left { calls: self.calls.keys().copied().collect(), users });
        }
    }

    /// The better proxy does not serve after all: the user who tried it goes back.
    fn go_back(&mut self, now: Instant, why: &str) {
        let (Some((flow, name)), Some(id)) = (self.better.take(), self.trying.take()) else { return };
        self.log(Level::Error, format!("front end {name}: {why}: we stay where we are"));
        if let Some(way) = self.proxies.trial()
            && let Some(failure) = self.proxy_failures.get_mut(way.proxy)
        {
            why.clone_into(failure);
        }
        self.proxies.refused(now, flow);
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.registration =
                if subscriber.reachable() { Registration::Wanted } else { Registration::Unwanted };
        }
        self.close_flow(now, flow);
        self.want_registration(now, id);
        self.dial(now);
    }

    fn close_flow(&mut self, now: Instant, flow: FlowId) {
        let closed = sip_lync::Input::FlowClosed { flow: sip_lync::FlowId(flow.0) };
        let _unknown = self.endpoint.handle_input(now, closed);
        self.effects.push_back(Effect::CloseFlow { flow });
    }

    /// Connections that were left are closed when nothing needs them any more.
    pub(super) fn close_left_flows(&mut self, now: Instant) {
        let calls = &self.calls;
        let needed =
            |left: &Left| !left.users.is_empty() || left.calls.iter().any(|call| calls.contains_key(call));
        let over: Vec<FlowId> =
            self.leaving.iter().filter(|(_, left)| !needed(left)).map(|(flow, _)| *flow).collect();
        for flow in over {
            self.leaving.remove(&flow);
            self.close_flow(now, flow);
        }
    }

    /// Whether a user is registered on the new connection or not, the one that was left does not wait for it any more.
    fn moved(&mut self, id: SubscriberId) {
        for left in self.leaving.values_mut() {
            left.users.remove(&id);
        }
    }

    pub(super) fn flow_closed(&mut self, now: Instant, flow: FlowId, reason: &str) {
        // The endpoint ends the sessions and registrations of the flow and tells us.
        let _unknown =
            self.endpoint.handle_input(now, sip_lync::Input::FlowClosed { flow: sip_lync::FlowId(flow.0) });
        if self.accepted.remove(&flow) {
            return;
        }
        self.proxy_lost(now, flow, reason);
    }

    pub(super) fn dial_failed(&mut self, now: Instant, flow: FlowId, reason: &str) {
        self.proxy_lost(now, flow, reason);
    }

    pub(super) fn flow_failed(&mut self, now: Instant, flow: FlowId, error: &sip_lync::Error) {
        self.effects.push_back(Effect::CloseFlow { flow });
        if !self.accepted.remove(&flow) {
            self.proxy_lost(now, flow, &format!("the front end broke the protocol: {error}"));
        }
    }

    fn proxy_lost(&mut self, now: Instant, flow: FlowId, reason: &str) {
        if self.leaving.remove(&flow).is_some() {
            return;
        }
        let Some(way) = self.proxies.lost(now, flow) else { return };
        if let Some(failure) = self.proxy_failures.get_mut(way.proxy)
            && failure != reason
        {
            reason.clone_into(failure);
            let uri = self.configuration.sip.proxies.get(way.proxy).map(|proxy| proxy.uri.to_string());
            self.log(Level::Error, format!("{}: {reason}", uri.unwrap_or_default()));
        }
        if self.better.as_ref().is_some_and(|(better, _)| *better == flow) {
            self.better = None;
            self.trying = None;
        } else if self.home.as_ref().is_some_and(|(home, _)| *home == flow) {
            self.trying = None;
            // What was on trial is all there is. Whoever loses its registration by this registers there.
            self.home = self.better.take();
        }
        self.dial(now);
    }

    /// The handset is there: its user should be registered.
    pub(super) fn want_registration(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        if !subscriber.reachable() || self.stopping.is_some() {
            return;
        }
        match subscriber.registration {
            Registration::Pending | Registration::Up { .. } => return,
            Registration::Unwanted
            | Registration::Wanted
            | Registration::Failed(_)
            | Registration::Withdrawing => subscriber.registration = Registration::Wanted,
        }
        // The endpoint lets new registrations take turns, so that thousands do not come at once.
        let Some((flow, _)) = self.home else { return };
        subscriber.registration =
            match self.endpoint.register(now, subscriber.sip, sip_lync::FlowId(flow.0), None) {
                Ok(()) => Registration::Pending,
                Err(error) => Registration::Failed(error.to_string()),
            };
    }

    /// The front end does not know an endpoint that is registered: it is told at once, and then everything anew.
    pub(super) fn renew_registration(&mut self, now: Instant, id: SubscriberId) {
        let (Some(subscriber), Some((flow, _))) = (self.subscribers.get(id), &self.home) else { return };
        if !matches!(subscriber.registration, Registration::Up { .. }) || self.stopping.is_some() {
            return;
        }
        if let Err(error) = self.endpoint.register(now, subscriber.sip, sip_lync::FlowId(flow.0), None) {
            let address = subscriber.address.clone();
            self.log(Level::Warning, format!("{address}: {error}"));
        }
    }

    /// The handset is gone for good: its user is not reached here any more.
    pub(super) fn unwant_registration(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        let registered = matches!(subscriber.registration, Registration::Pending | Registration::Up { .. });
        subscriber.registration = if registered { Registration::Withdrawing } else { Registration::Unwanted };
        if registered {
            let sip = subscriber.sip;
            self.endpoint.deregister(now, sip);
        }
    }

    pub(super) fn registration_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Registered { user, gruu, refreshed, .. } => {
                let Some(id) = self.subscribers.of_sip(user) else { return };
                let Some(subscriber) = self.subscribers.get_mut(id) else { return };
                subscriber.registration = Registration::Up { gruu: gruu.map(|gruu| gruu.to_string()) };
                if !refreshed || subscriber.publisher.state() == PublisherState::Unregistered {
                    // A new binding, or one that the front end had lost: it knows nothing of what was published before.
                    subscriber.publisher.registered(self.publication_pace.turn(now));
                    let address = subscriber.address.clone();
                    self.touched.insert(id);
                    self.log(Level::Notice, format!("{address}: registered"));
                    self.learn_own_presence(now, id);
                }
                self.moved(id);
                if self.trying == Some(id) {
                    self.go_over(now);
                } else {
                    self.proxies.registered(now);
                }
            }
            Event::RegistrationFailed { user, failure, status, retry, diagnostics, .. } => {
                let Some(id) = self.subscribers.of_sip(user) else { return };
                let lost = failure == sip_lync::RegistrationFailure::FlowLost;
                let mut text = failure.text().to_owned();
                if let Some(status) = status {
                    text = format!("{text} ({status})");
                }
                if let Some(diagnostics) = diagnostics {
                    text = format!("{text}: {diagnostics}");
                }
                self.moved(id);
                let Some(subscriber) = self.subscribers.get_mut(id) else { return };
                subscriber.publisher.unregistered();
                if self.trying == Some(id) {
                    return self.go_back(now, &text);
                }
                let wanted = subscriber.reachable();
                subscriber.registration = match (&subscriber.registration, retry) {
                    (Registration::Withdrawing | Registration::Unwanted, _) => Registration::Unwanted,
                    (_, _) if !wanted => Registration::Unwanted,
                    (_, Retry::After(_)) => Registration::Failed(text.clone()),
                    (_, Retry::Never) if lost => Registration::Wanted,
                    (_, Retry::Never) => Registration::Failed(text.clone()),
                };
                let address = subscriber.address.clone();
                if !lost {
                    self.log(Level::Error, format!("{address}: {text}"));
                }
                if lost && self.home.is_some() {
                    self.want_registration(now, id);
                }
                let unwilling = failure == sip_lync::RegistrationFailure::TimedOut
                    || status == Some(StatusCode::SERVICE_UNAVAILABLE);
                let nobody = self
                    .subscribers
                    .iter()
                    .all(|subscriber| !matches!(subscriber.registration, Registration::Up { .. }));
                if unwilling && nobody {
                    self.next_proxy(now, &text);
                }
            }
            Event::Redirected { user, contacts } => {
                // Every proxy of the list is asked in turn; a redirect to another one is shown, not followed yet.
                let Some(id) = self.subscribers.of_sip(user) else { return };
                let named: Vec<String> = contacts.iter().map(ToString::to_string).collect();
                let text = format!(
                    "the front end names another home server: add {} to sip.proxies in front",
                    named.join(", ")
                );
                if let Some(subscriber) = self.subscribers.get_mut(id) {
                    subscriber.registration = Registration::Failed(text.clone());
                    let address = subscriber.address.clone();
                    self.log(Level::Error, format!("{address}: {text}"));
                }
                self.moved(id);
                if self.trying == Some(id) {
                    self.go_back(now, &text);
                }
            }
            Event::Deregistered { user } => {
                let of_user = self.subscribers.of_sip(user);
                if let Some(id) = of_user {
                    self.moved(id);
                    if self.trying == Some(id) {
                        self.go_back(now, "the user who tried it is gone");
                    }
                }
                if let Some(id) = of_user
                    && let Some(subscriber) = self.subscribers.get_mut(id)
                {
                    subscriber.registration = Registration::Unwanted;
                    let address = subscriber.address.clone();
                    self.log(Level::Notice, format!("{address}: deregistered"));
                    self.want_registration(now, id);
                }
            }
            _ => {}
        }
    }

    /// The front end answers, but serves nobody: the next one of the list is tried.
    fn next_proxy(&mut self, now: Instant, why: &str) {
        let Some((flow, name)) = self.home.take() else { return };
        self.log(Level::Error, format!("front end {name}: {why}: trying the next one"));
        if let Some(way) = self.proxies.home()
            && let Some(failure) = self.proxy_failures.get_mut(way.proxy)
        {
            why.clone_into(failure);
        }
        self.proxies.refused(now, flow);
        self.trying = None;
        self.home = self.better.take();
        self.close_flow(now, flow);
        self.dial(now);
    }

    /// Ends calls, then registrations; [`Effect::Stopped`] follows when the front end has confirmed, or after a while.
    pub(super) fn shutdown(&mut self, now: Instant) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(now + PATIENCE);
        self.deadlines.set(self.shutdown_waiter, self.stopping);
        let calls: Vec<u32> = self.calls.keys().copied().collect();
        for call in calls {
            self.trigger(now, call, super::super::call::step::Trigger::End);
        }
        let all: Vec<SubscriberId> = self.subscribers.ids().collect();
        for id in all {
            self.publish_farewell(now, id);
            self.unwant_registration(now, id);
        }
    }

    pub(super) fn look_whether_stopped(&mut self) {
        if self.stopping.is_some()
            && !self.stopped
            && self.calls.is_empty()
            && self.subscribers.iter().all(|subscriber| subscriber.registration == Registration::Unwanted)
        {
            self.finish();
        }
    }

    pub(super) fn finish(&mut self) {
        if !self.stopped {
            self.stopped = true;
            self.proxies.stop();
            self.deadlines.set(self.shutdown_waiter, None);
            self.effects.push_back(Effect::Stopped);
        }
    }
}
