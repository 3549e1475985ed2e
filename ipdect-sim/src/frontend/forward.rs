//! The proxy: requests to endpoints, other front ends and the telephone network.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::proxy::{Action, ResponseContext, Trigger};
use sip_lync::{Method, Request, Uri};

use super::envelope::{COOKIE, Envelope};
use super::respond::Refusal;
use super::route::{self, DialogFlows, Recorded};
use super::routing::{Place, Round, Target};
use super::settings::ServerAddress;
use super::transaction::{Leg, Proxied, TransactionId};
use super::{Event, FlowId, FrontEnd, FrontEndConfig, address};

/// Where one branch goes.
struct Destination {
    flow: FlowId,
    /// The Request-URI it gets.
    uri: Uri,
    user: Option<String>,
    epid: Option<String>,
    /// Whose call it was, and why it came here.
    retargeted: Option<(String, &'static str)>,
    /// Whether it is the telephone network.
    gateway: bool,
}

impl Destination {
    /// Somebody inside a dialog.
    fn within(flow: FlowId, uri: Uri, user: Option<String>, epid: Option<String>) -> Self {
        Self { flow, uri, user, epid, retargeted: None, gateway: false }
    }
}

impl FrontEnd {
    /// Forwards a request that begins a dialog or stands alone to those it means first.
    pub(super) fn forward_initial(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
        envelope: &Envelope,
        mut rounds: VecDeque<Round>,
    ) {
        let (destinations, patience) = match self.next_round(flow, &request, envelope, &mut rounds) {
            Ok(found) => found,
            Err(refusal) => return self.refuse(flow, &request, refusal),
        };
        request.headers.remove_all(&HeaderName::PPreferredIdentity);
        // A service says itself who it is.
        if !Self::is_application(flow)
            && let Some(identity) = self.identity(envelope)
        {
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
        let patience = patience.filter(|_| !rounds.is_empty()).map(|patience| now + patience);
        self.forward(now, flow, request, envelope, destinations, Some((rounds, patience)));
    }

    /// Those who are asked next and can be reached; why nobody is, if nobody is left.
    fn next_round(
        &mut self,
        flow: FlowId,
        request: &Request,
        envelope: &Envelope,
        rounds: &mut VecDeque<Round>,
    ) -> Result<(Vec<Destination>, Option<Duration>), Refusal> {
        let mut refusal = Refusal::new(480, 0, "the user's endpoints cannot be reached");
        while let Some(Round { targets, patience }) = rounds.pop_front() {
            let mut found = Vec::new();
            for target in targets {
                let Some(destination) = self.destination(target) else { continue };
                let call = request.method == Method::Invite && !self.config.links.is_empty();
                if call && !self.admits(&envelope.call_id, flow, destination.flow) {
                    // 5: the telephone network may still have room; 4: nobody has.
                    let error = if self.config.trunk.is_some() { 5 } else { 4 };
                    refusal = Refusal::new(480, error, "the link between the sites has no room for the call");
                    continue;
                }
                found.push(destination);
            }
            if !found.is_empty() {
                return Ok((found, patience));
            }
        }
        Err(refusal)
    }

    /// The connection to somebody, and what is asked there.
    fn destination(&mut self, target: Target) -> Option<Destination> {
        let Target { to, retargeted } = target;
        let transport = if self.config.tls { "tls" } else { "tcp" };
        Some(match to {
            Place::Endpoint(key) => {
                let binding = self.registrar.get(&key)?.clone();
                let flow = self.flow_to(&key, &binding)?;
                let uri = binding.contact.into();
                let (user, epid) = (Some(key.user), binding.epid);
                Destination { flow, uri, user, epid, retargeted, gateway: false }
            }
            Place::Server(server, uri) => {
                let flow = self.dial(&server.host, server.port);
                Destination { flow, uri, user: None, epid: None, retargeted, gateway: false }
            }
            Place::Application(uri) => {
                let flow = self.open_application();
                self.report(Event::Application { flow, uri: uri.to_string() });
                Destination { flow, uri, user: None, epid: None, retargeted, gateway: false }
            }
            Place::Gateway(ServerAddress { host, port }, number) => {
                let text = format!("sip:{number}@{host}:{port};transport={transport};user=phone");
                let uri = Uri::parse(&text).ok()?;
                let flow = self.dial(&host, port);
                Destination { flow, uri, user: None, epid: None, retargeted, gateway: true }
            }
        })
    }

    /// Asks those who are next; nobody is left: the best refusal so far is the answer.
    pub(super) fn ask_next(&mut self, now: Instant, id: TransactionId) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return actions };
        let (flow, request) = (proxied.flow, proxied.request.clone());
        let mut rounds = core::mem::take(&mut proxied.rounds);
        proxied.patience = None;
        let found = Envelope::read(&request).ok().and_then(|envelope| {
            Some((self.next_round(flow, &request, &envelope, &mut rounds).ok()?, envelope))
        });
        let (destinations, patience, envelope) = match found {
            Some(((destinations, patience), envelope)) => (destinations, patience, Some(envelope)),
            None => (Vec::new(), None, None),
        };
        let branched = destinations.len() > 1;
        let legs: Vec<Leg> = match &envelope {
            Some(envelope) => destinations
                .into_iter()
                .map(|destination| self.leg(now, flow, &request, envelope, destination, true, branched))
                .collect(),
            None => Vec::new(),
        };
        let outgoing: Vec<(FlowId, Request)> =
            legs.iter().map(|leg| (leg.flow, leg.request.clone())).collect();
        if let Some(envelope) = &envelope {
            let event = Event::Forwarded { call_id: envelope.call_id.clone(), endpoints: legs.len() };
            self.report(event);
        }
        if let Some(proxied) = self.transactions.proxied.get_mut(&id) {
            let more = !rounds.is_empty();
            proxied.forking.fork(legs.len(), more, &mut actions);
            proxied.legs.extend(legs);
            proxied.patience = patience.filter(|_| more).map(|patience| now + patience);
            proxied.rounds = rounds;
        }
        self.transactions.touched(id);
        for (to, request) in outgoing {
            self.send(to, &request.into());
        }
        actions
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
                    self.admissions.release(&envelope.call_id);
                    let event = Event::Ended { call_id: envelope.call_id.clone(), by: envelope.caller() };
                    self.report(event);
                }
                self.forward(now, flow, request, envelope, vec![destination], None);
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
            let FrontEndConfig { host_name, port, .. } = &self.config;
            let own = first.and_then(|first| route::read(&self.random, host_name, *port, first.uri.as_str()));
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
            return Ok(Destination::within(flow, uri, Some(key.user), binding.epid));
        }
        let uri = request.uri.clone();
        if let Some(Recorded::Valid(flows)) = route
            && let Some(flow) = flows.other(from).filter(|flow| self.flows.contains_key(flow))
        {
            return Ok(Destination::within(flow, uri, None, None));
        }
        let found =
            uri.sip().and_then(|uri| self.registrar.of_contact(uri)).map(|(key, b)| (key.clone(), b.clone()));
        let (key, binding) = found.ok_or(lost)?;
        let flow = self.flow_to(&key, &binding).ok_or(lost)?;
        Ok(Destination::within(flow, uri, Some(key.user), None))
    }

    fn forward(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: Request,
        envelope: &Envelope,
        destinations: Vec<Destination>,
        initial: Option<(VecDeque<Round>, Option<Instant>)>,
    ) {
        let invite = request.method == Method::Invite;
        if invite {
            let trying = self.answer(&request, 100);
            self.send(flow, &trying.into());
        }
        let branched = destinations.len() > 1;
        let is_initial = initial.is_some();
        let legs: Vec<Leg> = destinations
            .into_iter()
            .map(|destination| self.leg(now, flow, &request, envelope, destination, is_initial, branched))
            .collect();
        let outgoing: Vec<(FlowId, Request)> =
            legs.iter().map(|leg| (leg.flow, leg.request.clone())).collect();
        let (rounds, patience) = initial.unwrap_or_default();
        let mut forking = ResponseContext::new(invite, legs.len());
        if !rounds.is_empty() {
            forking = forking.with_next();
        }
        self.transactions.add(Proxied {
            key: envelope.key(&request.method),
            flow,
            request,
            invite,
            initial: is_initial,
            forking,
            legs,
            cancel_reason: None,
            forget: None,
            accepted_by: None,
            rounds,
            patience,
            indexed: None,
        });
        for (to, request) in outgoing {
            self.send(to, &request.into());
        }
    }

    /// One branch of a request, ready to be sent.
    #[expect(clippy::too_many_arguments, reason = "all that a branch is made from")]
    fn leg(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        envelope: &Envelope,
        destination: Destination,
        initial: bool,
        branched: bool,
    ) -> Leg {
        let invite = request.method == Method::Invite;
        let patience = if invite { self.config.ring_timeout } else { self.config.request_timeout };
        let dialog_forming = initial && matches!(request.method, Method::Invite | Method::Refer);
        let mut forwarded = request.clone();
        forwarded.uri = destination.uri;
        if dialog_forming {
            let flows = DialogFlows { caller: flow, called: destination.flow };
            let FrontEndConfig { host_name, port, tls, .. } = &self.config;
            let value = route::record(&self.random, host_name, *port, *tls, flows);
            forwarded.headers.insert_first(HeaderName::RecordRoute, value);
        }
        if initial && let Some(epid) = &destination.epid {
            let mut to = envelope.to.clone();
            if to.epid().is_none() {
                to.parameters.push("epid", Some(epid));
                forwarded.headers.set(HeaderName::To, to);
            }
        }
        if dialog_forming {
            self.push_history(&mut forwarded, destination.user.as_deref(), destination.retargeted.as_ref());
        }
        let branch = self.branch();
        self.push_via(&mut forwarded, &branch, branched);
        Leg {
            branch,
            flow: destination.flow,
            user: destination.user,
            gateway: destination.gateway,
            request: forwarded,
            response: None,
            deadline: now + patience,
        }
    }

    /// history-info: one entry of a direct call, one more where it came another way.
    fn push_history(
        &self,
        request: &mut Request,
        user: Option<&str>,
        retargeted: Option<&(String, &'static str)>,
    ) {
        if request.headers.contains(&HeaderName::HistoryInfo) {
            return;
        }
        let entry = |key: &str, index: &str, more: &str| {
            let known = self.user(key);
            let uri =
                known.map_or_else(|| format!("sip:{key}"), |user| user.uri.address_of_record().to_string());
            let tel = known.and_then(|user| user.tel.as_deref());
            let tel = tel.map(|tel| format!(";ms-target-phone=\"tel:{tel}\"")).unwrap_or_default();
            format!("<{uri}>;index={index}{more}{tel}")
        };
        let value = match (user, retargeted) {
            (Some(user), None) => entry(user, "1", ""),
            (Some(user), Some((from, why))) => {
                let first = entry(from, "1", &format!(";ms-retarget-reason={why}"));
                format!("{first}, {}", entry(user, "1.1", ""))
            }
            (None, Some((from, why))) => entry(from, "1", &format!(";ms-retarget-reason={why}")),
            (None, None) => return,
        };
        request.headers.push(HeaderName::HistoryInfo, value);
    }

    pub(super) fn branch(&mut self) -> String {
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
}
