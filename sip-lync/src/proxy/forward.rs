//! Requests on their way through a proxy.

use std::collections::VecDeque;
use std::time::Instant;

use super::route::Recorded;
use super::{
    Action, Context, ContextId, Deadline, Event, Group, Leg, Proxy, ResponseContext, Target, Trigger,
};
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers, NameAddr, Via};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::status::StatusCode;
use crate::transaction::{Received, ServerId};

/// Where the routes of a request lead.
enum Way {
    /// Along a dialog that recorded us, over this connection.
    On(FlowId),
    /// Wherever the owner says.
    Ask,
    /// Nowhere any more.
    Lost,
}

impl Proxy {
    /// A request came.
    ///
    /// RFC 3261 16.3
    pub(super) fn request(&mut self, now: Instant, flow: FlowId, mut request: Request) {
        match self.layer.handle_request(now, flow, &request) {
            Received::New(server) => {
                if let Some(response) = self.refusal(&request) {
                    return self.layer.respond(now, server, &response);
                }
                if self.contexts.len() >= self.config.contexts {
                    let mut response = self.response_to(&request, StatusCode::SERVICE_UNAVAILABLE);
                    response.headers.push(HeaderName::RetryAfter, 10);
                    return self.layer.respond(now, server, &response);
                }
                self.admit(now, flow, server, request);
            }
            Received::Merged(server) => {
                let response = self.response_to(&request, StatusCode::LOOP_DETECTED);
                self.layer.respond(now, server, &response);
            }
            Received::Acknowledgement => {
                // RFC 3261 16.11: the ACK of a 2xx goes the way of its dialog, without a transaction.
                if hops_left(&request).is_none() {
                    return;
                }
                if let Way::On(to) = self.way(flow, &mut request) {
                    let branch = self.branch(&request);
                    self.stamp(&mut request, &branch);
                    self.layer.request_without_transaction(to, &request);
                }
            }
            Received::Cancel { cancel, invite } => {
                let known = invite.and_then(|invite| self.by_server.get(&invite).copied());
                let status = match known {
                    Some(_) => StatusCode::OK,
                    None => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
                };
                let response = self.response_to(&request, status);
                self.layer.respond(now, cancel, &response);
                if let Some(id) = known {
                    self.cancelled(now, id, &request);
                }
            }
            Received::Absorbed | Received::Overload | Received::Unanswerable => {}
        }
    }

    /// The caller gave up.
    ///
    /// RFC 3261 16.10
    fn cancelled(&mut self, now: Instant, id: ContextId, cancel: &Request) {
        let Some(context) = self.contexts.get_mut(&id) else { return };
        context.cause = cancel.headers.get(&HeaderName::Reason).map(Into::into);
        if context.waiting {
            let (server, request) = (context.server, context.request.clone());
            let response = self.response_to(&request, StatusCode::REQUEST_TERMINATED);
            self.layer.respond(now, server, &response);
            return self.forget(id);
        }
        self.step(now, id, Trigger::CallerCancels);
    }

    /// What is wrong with a request for a proxy.
    ///
    /// RFC 3261 16.3
    fn refusal(&mut self, request: &Request) -> Option<Response> {
        if hops_left(request).is_none() {
            return Some(self.response_to(request, StatusCode::TOO_MANY_HOPS));
        }
        if self.is_loop(request) {
            return Some(self.response_to(request, StatusCode::LOOP_DETECTED));
        }
        let unknown: Vec<&str> = request
            .headers
            .elements(&HeaderName::ProxyRequire)
            .filter(|option| !self.config.options.iter().any(|known| known.eq_ignore_ascii_case(option)))
            .collect();
        if unknown.is_empty() {
            return None;
        }
        let unknown = unknown.join(", ");
        let mut response = self.response_to(request, StatusCode::BAD_EXTENSION);
        response.headers.push(HeaderName::Unsupported, unknown);
        Some(response)
    }

    /// The request was here before, and nothing that decides about its way has changed.
    ///
    /// RFC 3261 16.3 4
    fn is_loop(&self, request: &Request) -> bool {
        let here = self.way_digest(request);
        request.headers.elements(&HeaderName::Via).filter_map(|via| Via::parse(via).ok()).any(|via| {
            via.host.eq_ignore_ascii_case(&self.config.host)
                && via.port.unwrap_or(self.config.port) == self.config.port
                && via.branch().and_then(|branch| branch.rsplit_once('.')).is_some_and(|(_, of)| of == here)
        })
    }

    /// What decides about the way of a request: a spiral changes it, a loop does not.
    ///
    /// RFC 3261 16.6 8
    fn way_digest(&self, request: &Request) -> String {
        let headers = &request.headers;
        let tag = |name| {
            let address = headers.get(name).and_then(|value| NameAddr::parse(value).ok());
            address.and_then(|address| address.tag().map(str::to_owned)).unwrap_or_default()
        };
        let route = headers
            .elements(&HeaderName::Route)
            .find(|route| self.read_route_field(route).is_none())
            .unwrap_or_default();
        let number = headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
        self.digest(&[
            request.uri.as_str().as_bytes(),
            tag(&HeaderName::From).as_bytes(),
            tag(&HeaderName::To).as_bytes(),
            headers.get(&HeaderName::CallId).unwrap_or_default().as_bytes(),
            &number.to_be_bytes(),
            route.as_bytes(),
        ])
    }

    fn admit(&mut self, now: Instant, flow: FlowId, server: ServerId, mut request: Request) {
        // The digest is of the request as it came: so it would come back.
        let way = self.way(flow, &mut request);
        self.next += 1;
        let id = ContextId(self.next);
        let invite = request.method == Method::Invite;
        let context = Context {
            server,
            flow,
            request: Box::new(request.clone()),
            answers: ResponseContext::new(invite, 0),
            legs: Vec::new(),
            cause: None,
            waiting: true,
            groups: VecDeque::new(),
        };
        self.by_server.insert(server, id);
        self.contexts.insert(id, context);
        match way {
            Way::On(to) => {
                let uri = request.uri;
                self.forward(now, id, vec![Target::new(to, uri)]);
            }
            Way::Ask => self.events.push_back(Event::Request { id, flow, request }),
            Way::Lost => {
                // MS-SIPRE 3.7: the caller refreshes its dialog.
                let mut headers = Headers::new();
                headers.push(HeaderName::PDialogRecoveryAction, "dialog-route-set-update");
                headers.push(HeaderName::MsDiagnostics, "1004;reason=\"the route set is no longer valid\"");
                self.respond(now, id, StatusCode::FLOW_FAILED, &headers, bytes::Bytes::new());
            }
        }
    }

    /// Takes the routes that name us off a request; where the last one leads.
    ///
    /// RFC 3261 16.4
    fn way(&self, from: FlowId, request: &mut Request) -> Way {
        // A strict router put the last Route into the Request-URI.
        if self.read_route(&request.uri).is_some_and(|of| of != Recorded::Bare) {
            let routes: Vec<String> =
                request.headers.elements(&HeaderName::Route).map(str::to_owned).collect();
            if let Some((last, others)) = routes.split_last()
                && let Ok(target) = NameAddr::parse(last)
            {
                let ours = format!("<{}>", request.uri);
                request.headers.remove_all(&HeaderName::Route);
                request.headers.push(HeaderName::Route, ours);
                for other in others {
                    request.headers.push(HeaderName::Route, other);
                }
                request.uri = target.uri;
            }
        }
        let mut last = None;
        loop {
            let first = request.headers.elements(&HeaderName::Route).next();
            let Some(recorded) = first.and_then(|first| self.read_route_field(first)) else { break };
            request.headers.remove_first(&HeaderName::Route);
            last = Some(recorded);
        }
        match last {
            None | Some(Recorded::Bare) => Way::Ask,
            Some(Recorded::Forged) => Way::Lost,
            Some(Recorded::Flows(caller, callee)) => {
                let to = if from == caller { callee } else { caller };
                if self.flows.contains_key(&to) { Way::On(to) } else { Way::Lost }
            }
        }
    }

    /// Forwards a request to its targets, all at once.
    ///
    /// RFC 3261 16.6
    pub fn forward(&mut self, now: Instant, id: ContextId, targets: Vec<Target>) {
        self.forward_in_turn(now, id, vec![Group::new(targets)]);
    }

    /// Forwards a request to groups of targets, one after the other: the next is asked when all of those before it have
    /// refused, or have had their time and are cancelled. Who accepts, or declines for everybody, ends the search.
    ///
    /// RFC 3261 16.5, RFC 3261 16.6
    pub fn forward_in_turn(&mut self, now: Instant, id: ContextId, groups: Vec<Group>) {
        let Some(context) = self.contexts.get_mut(&id).filter(|context| context.waiting) else { return };
        let invite = context.request.method == Method::Invite;
        context.groups = groups.into();
        let Some((group, more)) = self.next_group(id) else {
            let none = Headers::new();
            return self.respond(now, id, StatusCode::TEMPORARILY_UNAVAILABLE, &none, bytes::Bytes::new());
        };
        if let Some(context) = self.contexts.get_mut(&id) {
            let answers = ResponseContext::new(invite, group.targets.len());
            context.waiting = false;
            context.answers = if more { answers.with_next() } else { answers };
        }
        self.ask(now, id, group);
        self.run_layer(now);
    }

    /// The next group of which somebody can be reached, and whether there are more; no more branches than allowed.
    fn next_group(&mut self, id: ContextId) -> Option<(Group, bool)> {
        let context = self.contexts.get_mut(&id)?;
        let room = self.config.branches.saturating_sub(context.legs.len());
        while let Some(mut group) = context.groups.pop_front() {
            group.targets.retain(|target| self.flows.contains_key(&target.flow));
            group.targets.truncate(room);
            if !group.targets.is_empty() {
                return Some((group, !context.groups.is_empty()));
            }
        }
        None
    }

    /// Asks those who are next; nobody is left: the best refusal so far is the answer.
    ///
    /// RFC 3261 16.5
    pub(super) fn ask_next(&mut self, now: Instant, id: ContextId) -> Vec<Action> {
        self.deadlines.stop(&Deadline::Patience(id));
        let mut actions = Vec::new();
        let next = self.next_group(id);
        let Some(context) = self.contexts.get_mut(&id) else { return actions };
        match next {
            Some((group, more)) => {
                context.answers.fork(group.targets.len(), more, &mut actions);
                self.ask(now, id, group);
            }
            None => context.answers.fork(0, false, &mut actions),
        }
        actions
    }

    /// Sends a request to a group; its branches stand in the response context already.
    fn ask(&mut self, now: Instant, id: ContextId, group: Group) {
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let (request, from, first) = (context.request.clone(), context.flow, context.legs.len());
        context.legs.resize(first.saturating_add(group.targets.len()), Leg { client: None, response: None });
        if let Some(patience) = group.patience.filter(|_| context.answers.has_next()) {
            self.deadlines.start(Deadline::Patience(id), now + patience);
        }
        let invite = request.method == Method::Invite;
        let dialog = matches!(request.method, Method::Invite | Method::Subscribe | Method::Refer)
            && request.headers.to().ok().flatten().is_some_and(|to| to.tag().is_none());
        for (at, target) in (first..).zip(group.targets) {
            let branch = self.branch(&request);
            let mut forwarded = (*request).clone();
            forwarded.uri = target.uri;
            for header in target.headers.iter() {
                if let Ok(value) = header.value() {
                    forwarded.headers.set(header.name(), value);
                }
            }
            if dialog && self.config.record_route {
                forwarded.headers.insert_first(HeaderName::RecordRoute, self.recorded(from, target.flow));
            }
            self.stamp(&mut forwarded, &branch);
            match self.layer.request(now, target.flow, &forwarded) {
                Ok(client) => {
                    self.by_client.insert(client, (id, at));
                    if let Some(leg) = self.contexts.get_mut(&id).and_then(|context| context.legs.get_mut(at))
                    {
                        leg.client = Some(client);
                    }
                    if invite {
                        self.deadlines.start(Deadline::Branch(id, at), now + self.config.timer_c);
                    }
                }
                // The flow is full.
                Err(_) => self.step(now, id, Trigger::FlowLost(at)),
            }
        }
    }

    /// A branch that tells a loop from a spiral.
    ///
    /// RFC 3261 16.6 8
    fn branch(&mut self, request: &Request) -> String {
        format!("{}.{}", self.words.branch(), self.way_digest(request))
    }

    /// Max-Forwards and Via of this hop.
    ///
    /// RFC 3261 16.6 3, RFC 3261 16.6 8
    fn stamp(&self, request: &mut Request, branch: &str) {
        let hops = hops_left(request).unwrap_or(0);
        request.headers.set(HeaderName::MaxForwards, hops);
        let (transport, host, port) = (self.config.transport.via(), &self.config.host, self.config.port);
        request
            .headers
            .insert_first(HeaderName::Via, format_args!("SIP/2.0/{transport} {host}:{port};branch={branch}"));
    }
}

/// Max-Forwards after this hop; `None`: it is used up.
///
/// RFC 3261 16.6 3
fn hops_left(request: &Request) -> Option<u32> {
    match request.headers.max_forwards() {
        Ok(Some(hops)) => hops.checked_sub(1),
        Ok(None) | Err(_) => Some(70),
    }
}
