//! The proxy: requests to endpoints and their answers back.

use std::time::Instant;

use sip_lync::headers::{CSeq, HeaderName, NameAddr};
use sip_lync::{Method, Request, Response, Uri};

use super::envelope::{COOKIE, Envelope, via_branch};
use super::forking::{Action, Because, Forking, Trigger};
use super::registrar::EndpointKey;
use super::respond::Refusal;
use super::route::{self, DialogFlows, Recorded};
use super::transaction::{Leg, Proxied, TransactionId};
use super::{Event, FlowId, FrontEnd, address};

/// Where one branch goes.
struct Destination {
    flow: FlowId,
    /// The Request-URI it gets.
    uri: Uri,
    user: Option<String>,
    epid: Option<String>,
}

impl FrontEnd {
    /// Forwards a request that begins a dialog or stands alone to all endpoints it means.
    pub(super) fn forward_initial(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
        envelope: &Envelope,
        targets: Vec<EndpointKey>,
    ) {
        let mut destinations = Vec::new();
        for key in targets {
            let Some(binding) =
                self.registrar.of_user(&key.user).find(|(at, _)| **at == key).map(|(_, b)| b.clone())
            else {
                continue;
            };
            if let Some(to) = self.flow_to(&key, &binding) {
                destinations.push(Destination {
                    flow: to,
                    uri: binding.contact.clone().into(),
                    user: Some(key.user.clone()),
                    epid: binding.epid.clone(),
                });
            }
        }
        if destinations.is_empty() {
            let refusal = Refusal::new(480, 0, "the user's endpoints cannot be reached");
            self.refuse(flow, &request, refusal);
            return;
        }
        request.headers.remove_all(&HeaderName::PPreferredIdentity);
        if let Some(identity) = self.identity(envelope) {
            request.headers.set(HeaderName::PAssertedIdentity, identity);
        }
        if request.method == Method::Invite {
            self.report(Event::Call {
                call_id: envelope.call_id.clone(),
                from: envelope.from.uri.to_string(),
                to: envelope.to.uri.to_string(),
                endpoints: destinations.len(),
            });
        }
        self.forward(now, flow, request, envelope, destinations, true);
    }

    /// Forwards a request inside a dialog along its recorded route.
    pub(super) fn within_dialog(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
        envelope: &Envelope,
    ) {
        match self.next_hop(flow, &mut request) {
            Ok(destination) => {
                if request.method == Method::Bye {
                    let event = Event::Ended { call_id: envelope.call_id.clone(), by: envelope.caller() };
                    self.report(event);
                }
                self.forward(now, flow, request, envelope, vec![destination], false);
            }
            Err(refusal) => self.refuse(flow, &request, refusal),
        }
    }

    /// An ACK: of a refusal it ends here, of a 2xx it goes on (RFC 3261 17.1.1.3, 13.2.2.4).
    pub(super) fn acknowledge(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
        envelope: &Envelope,
    ) {
        if let Some(id) = self.transactions.by_key(&envelope.key(&Method::Ack))
            && let Some(proxied) = self.transactions.proxied.get(&id)
            && proxied.forking.answered().is_some_and(|status| status >= 300)
        {
            if proxied.forking.finished() {
                self.transactions.remove(id);
            }
            return;
        }
        let _ = now;
        let Ok(Destination { flow: to, uri, .. }) = self.next_hop(flow, &mut request) else { return };
        request.uri = uri;
        let branch = self.branch();
        self.push_via(&mut request, &branch, false);
        self.send(to, &request.into());
    }

    /// CANCEL: answered here, and sent on each branch that rings (RFC 3261 16.10).
    pub(super) fn cancel(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        let Some(id) = self.transactions.by_key(&envelope.key(&Method::Cancel)) else {
            self.refuse(flow, request, Refusal::new(481, 0, "there is no such transaction"));
            return;
        };
        let response = self.answer(request, 200);
        self.send(flow, &response.into());
        if let Some(proxied) = self.transactions.proxied.get_mut(&id) {
            proxied.cancel_reason = request.headers.get(&HeaderName::Reason).map(str::to_owned);
        }
        self.step(now, id, Trigger::CallerCancels, None);
    }

    /// Removes Route values that name this front end; the last one's connections.
    pub(super) fn pop_own_routes(&self, request: &mut Request) -> Option<Recorded> {
        let mut last = None;
        loop {
            let first = request
                .headers
                .elements(&HeaderName::Route)
                .next()
                .and_then(|first| NameAddr::parse(first).ok());
            let own =
                first.and_then(|first| route::read(&self.random, &self.config.host_name, first.uri.as_str()));
            if own.is_none() {
                return last;
            }
            request.headers.remove_first(&HeaderName::Route);
            last = own;
        }
    }

    fn next_hop(&mut self, from: FlowId, request: &mut Request) -> Result<Destination, Refusal> {
        let lost = Refusal::new(430, 1004, "the route set is no longer valid");
        let route = self.pop_own_routes(request);
        if route == Some(Recorded::Forged) {
            return Err(lost);
        }
        // A GRUU leads to its endpoint wherever that is registered now.
        let gruu = request.uri.sip().and_then(|uri| {
            let token = address::gruu_token(uri)?;
            self.registrar
                .of_token(&address::user_key(uri), token)
                .map(|(key, binding)| (key.clone(), binding.clone()))
        });
        if let Some((key, binding)) = gruu
            && let Some(flow) = self.flow_to(&key, &binding)
        {
            let uri = binding.contact.clone().into();
            return Ok(Destination { flow, uri, user: Some(key.user), epid: binding.epid });
        }
        let uri = request.uri.clone();
        if let Some(Recorded::Valid(flows)) = route
            && let Some(flow) = flows.other(from).filter(|flow| self.flows.contains_key(flow))
        {
            return Ok(Destination { flow, uri, user: None, epid: None });
        }
        let found =
            uri.sip().and_then(|uri| self.registrar.of_contact(uri)).map(|(key, b)| (key.clone(), b.clone()));
        let (key, binding) = found.ok_or(lost)?;
        let flow = self.flow_to(&key, &binding).ok_or(lost)?;
        Ok(Destination { flow, uri, user: Some(key.user), epid: None })
    }

    fn forward(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: Request,
        envelope: &Envelope,
        destinations: Vec<Destination>,
        initial: bool,
    ) {
        let invite = request.method == Method::Invite;
        if invite {
            let trying = self.answer(&request, 100);
            self.send(flow, &trying.into());
        }
        let patience = if invite { self.config.ring_timeout } else { self.config.request_timeout };
        let dialog_forming = initial && matches!(request.method, Method::Invite | Method::Refer);
        let branched = destinations.len() > 1;
        let mut legs = Vec::with_capacity(destinations.len());
        for destination in destinations {
            let mut forwarded = request.clone();
            forwarded.uri = destination.uri;
            if dialog_forming {
                let flows = DialogFlows { caller: flow, called: destination.flow };
                let value = route::record(
                    &self.random,
                    &self.config.host_name,
                    self.config.port,
                    self.config.tls,
                    flows,
                );
                forwarded.headers.insert_first(HeaderName::RecordRoute, value);
            }
            if initial && let Some(epid) = &destination.epid {
                let mut to = envelope.to.clone();
                if to.epid().is_none() {
                    to.parameters.push("epid", Some(epid));
                    forwarded.headers.set(HeaderName::To, to);
                }
            }
            if dialog_forming && let Some(user) = &destination.user {
                self.push_history(&mut forwarded, user);
            }
            let branch = self.branch();
            self.push_via(&mut forwarded, &branch, branched);
            legs.push(Leg {
                branch,
                flow: destination.flow,
                user: destination.user,
                request: forwarded,
                response: None,
                deadline: now + patience,
            });
        }
        let outgoing: Vec<(FlowId, Request)> =
            legs.iter().map(|leg| (leg.flow, leg.request.clone())).collect();
        self.transactions.add(Proxied {
            key: envelope.key(&request.method),
            flow,
            request,
            invite,
            initial,
            forking: Forking::new(invite, legs.len()),
            legs,
            cancel_reason: None,
            forget: None,
            accepted_by: None,
        });
        for (to, request) in outgoing {
            self.send(to, &request.into());
        }
    }

    /// history-info with one entry is what a direct call carries.
    fn push_history(&self, request: &mut Request, user: &str) {
        if request.headers.contains(&HeaderName::HistoryInfo) {
            return;
        }
        let Some(user) = self.config.users.iter().find(|known| address::user_key(&known.uri) == user) else {
            return;
        };
        let uri = user.uri.address_of_record();
        match &user.tel {
            Some(tel) => request
                .headers
                .push(HeaderName::HistoryInfo, format_args!("<{uri}>;index=1;ms-target-phone=\"tel:{tel}\"")),
            None => request.headers.push(HeaderName::HistoryInfo, format_args!("<{uri}>;index=1")),
        }
    }

    fn branch(&mut self) -> String {
        format!("{COOKIE}{}", self.random.token(24).to_ascii_uppercase())
    }

    fn push_via(&self, request: &mut Request, branch: &str, branched: bool) {
        let transport = if self.config.tls { "TLS" } else { "TCP" };
        let (host, port) = (&self.config.host_name, self.config.port);
        let branched = if branched { "TRUE" } else { "FALSE" };
        request.headers.insert_first(
            HeaderName::Via,
            format_args!("SIP/2.0/{transport} {host}:{port};branch={branch};branched={branched}"),
        );
    }

    /// A response of an endpoint.
    pub(super) fn response(&mut self, now: Instant, flow: FlowId, mut response: Response) {
        let Some(top) = response.headers.remove_first(&HeaderName::Via) else { return };
        let Some((id, at)) = via_branch(&top).and_then(|branch| self.transactions.by_branch(branch)) else {
            return;
        };
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        let Some(leg) = proxied.legs.get_mut(at).filter(|leg| leg.flow == flow) else { return };
        let method = response.headers.get(&HeaderName::CSeq).and_then(|value| CSeq::parse(value).ok());
        if method.is_none_or(|cseq| cseq.method != leg.request.method) {
            // An answer to a CANCEL of ours.
            return;
        }
        let status = response.status.code();
        if proxied.invite && status >= 300 {
            let ack = acknowledgement(&leg.request, &response);
            self.send(flow, &ack.into());
        }
        let trigger = match status {
            ..=100 => Trigger::Trying(at),
            101..=199 => Trigger::Provisional(at),
            _ => Trigger::Final(at, status),
        };
        if status >= 200
            && let Some(proxied) = self.transactions.proxied.get_mut(&id)
            && let Some(leg) = proxied.legs.get_mut(at)
        {
            leg.response = Some(response.clone());
            if status < 300 && proxied.accepted_by.is_none() {
                proxied.accepted_by.clone_from(&leg.user);
            }
        }
        self.step(now, id, trigger, Some(&response));
    }

    /// Steps the response context and does what it says.
    fn step(&mut self, now: Instant, id: TransactionId, trigger: Trigger, response: Option<&Response>) {
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        let answered_before = proxied.forking.answered();
        let mut actions = Vec::new();
        let forking = core::mem::replace(&mut proxied.forking, Forking::new(false, 0));
        proxied.forking = forking.step(trigger, &mut actions);
        for action in actions {
            match action {
                Action::Forward(_) => {
                    let to = self.transactions.proxied.get(&id).map(|proxied| proxied.flow);
                    if let (Some(to), Some(response)) = (to, response) {
                        self.send(to, &response.clone().into());
                    }
                }
                Action::ForwardStored(at, status) => self.forward_stored(id, at, status),
                Action::Cancel(at, because) => self.cancel_leg(now, id, at, because),
            }
        }
        self.after_step(now, id, answered_before);
    }

    fn forward_stored(&mut self, id: TransactionId, at: usize, status: u16) {
        let Some(proxied) = self.transactions.proxied.get(&id) else { return };
        let to = proxied.flow;
        let stored = proxied.legs.get(at).and_then(|leg| leg.response.clone());
        if let Some(response) = stored {
            self.send(to, &response.into());
            return;
        }
        let request = proxied.request.clone();
        let reason = match status {
            408 => "nobody answered in time",
            _ => "the connection to the endpoint is gone",
        };
        let mut response = self.answer(&request, status);
        self.explain(&mut response, 0, reason);
        self.send(to, &response.into());
    }

    fn cancel_leg(&mut self, now: Instant, id: TransactionId, at: usize, because: Because) {
        let patience = self.config.request_timeout;
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        let reason = proxied.reason(because);
        let Some(leg) = proxied.legs.get_mut(at) else { return };
        leg.deadline = now + patience;
        let mut cancel = of_same_transaction(&leg.request, &Method::Cancel);
        if let Some(reason) = reason {
            cancel.headers.push(HeaderName::Reason, reason);
        }
        let to = leg.flow;
        self.send(to, &cancel.into());
    }

    fn after_step(&mut self, now: Instant, id: TransactionId, answered_before: Option<u16>) {
        let memory = self.config.request_timeout;
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        let mut events = Vec::new();
        if let (None, Some(status)) = (answered_before, proxied.forking.answered())
            && proxied.invite
            && proxied.initial
        {
            let call_id = proxied.request.headers.get(&HeaderName::CallId).unwrap_or_default().to_owned();
            events.push(if status < 300 {
                Event::Answered { call_id, by: proxied.accepted_by.clone() }
            } else {
                Event::Failed { call_id, status }
            });
        }
        if proxied.forking.finished() && proxied.forget.is_none() {
            if proxied.invite {
                // The ACK of a refusal, and a CANCEL that crosses a 2xx, still belong to it.
                proxied.forget = Some(now + memory);
            } else {
                self.transactions.remove(id);
            }
        }
        self.events.extend(events);
    }

    /// Timers C and F, and the end of what is remembered.
    pub(super) fn transactions_timeout(&mut self, now: Instant) {
        let ids: Vec<TransactionId> = self.transactions.proxied.keys().copied().collect();
        for id in ids {
            let Some(proxied) = self.transactions.proxied.get(&id) else { continue };
            if proxied.forget.is_some_and(|forget| forget <= now) {
                self.transactions.remove(id);
                continue;
            }
            let due: Vec<usize> =
                proxied.open_legs().filter(|(_, leg)| leg.deadline <= now).map(|(at, _)| at).collect();
            for at in due {
                self.step(now, id, Trigger::Timeout(at), None);
            }
        }
    }

    /// The connection of some branches is gone.
    pub(super) fn legs_lost(&mut self, now: Instant, flow: FlowId) {
        let mut lost = Vec::new();
        for (id, proxied) in &self.transactions.proxied {
            lost.extend(proxied.open_legs().filter(|(_, leg)| leg.flow == flow).map(|(at, _)| (*id, at)));
        }
        for (id, at) in lost {
            self.step(now, id, Trigger::FlowLost(at), None);
        }
    }
}

/// ACK of a refusal (RFC 3261 17.1.1.3).
fn acknowledgement(request: &Request, response: &Response) -> Request {
    let mut ack = of_same_transaction(request, &Method::Ack);
    if let Some(to) = response.headers.get(&HeaderName::To) {
        ack.headers.set(HeaderName::To, to);
    }
    ack
}

/// CANCEL and ACK have the Request-URI, top Via, Route, From, To, Call-ID and number of their INVITE.
fn of_same_transaction(request: &Request, method: &Method) -> Request {
    let mut made = Request::new(method.clone(), request.uri.clone());
    if let Some(top) = request.headers.elements(&HeaderName::Via).next() {
        made.headers.push(HeaderName::Via, top);
    }
    made.headers.push(HeaderName::MaxForwards, 70);
    for name in [HeaderName::Route, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        made.headers.copy_from(&request.headers, &name);
    }
    let number = request.headers.get(&HeaderName::CSeq).and_then(|value| CSeq::parse(value).ok());
    made.headers.push(HeaderName::CSeq, format_args!("{} {method}", number.map_or(1, |cseq| cseq.number)));
    made
}
