//! The proxy: answers of endpoints, and what becomes of the requests they belong to.

use std::collections::VecDeque;
use std::time::Instant;

use sip_lync::headers::{CSeq, HeaderName};
use sip_lync::proxy::{Action, Because, ResponseContext, Trigger};
use sip_lync::{Method, Request, Response};

use super::envelope::via_branch;
use super::transaction::TransactionId;
use super::{Event, FlowId, FrontEnd};

impl FrontEnd {
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
        if leg.gateway
            && (101..300).contains(&status)
            && self.config.trunk.as_ref().is_some_and(|trunk| trunk.bypass)
        {
            bypass(&leg.request, self.config.provisioning.bypass_id.as_deref(), &mut response);
        }
        let refused_by_gateway = leg.gateway && status >= 400 && status != 487;
        if proxied.invite && status >= 300 {
            let ack = acknowledgement(&leg.request, &response);
            self.send(flow, &ack.into());
        }
        if refused_by_gateway && !response.headers.contains(&HeaderName::MsDiagnostics) {
            let reason = format!("Gateway responded with {status} {}", response.reason.replace('"', "'"));
            self.explain(&mut response, GATEWAY + status, &reason);
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
    pub(super) fn step(
        &mut self,
        now: Instant,
        id: TransactionId,
        trigger: Trigger,
        response: Option<&Response>,
    ) {
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        let answered_before = proxied.forking.answered();
        let mut actions = Vec::new();
        let forking = core::mem::replace(&mut proxied.forking, ResponseContext::new(false, 0));
        proxied.forking = forking.step(trigger, &mut actions);
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Forward(_) => {
                    let to = self.transactions.proxied.get(&id).map(|proxied| proxied.flow);
                    if let (Some(to), Some(response)) = (to, response) {
                        self.send(to, &response.clone().into());
                    }
                }
                Action::ForwardStored(at, status) => self.forward_stored(id, at, status),
                Action::Cancel(at, because) => self.cancel_leg(now, id, at, because),
                Action::Next => actions.extend(self.ask_next(now, id)),
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
            let winner = proxied.legs.iter().find(|leg| leg.response.as_ref().is_some_and(is_success));
            let kept = winner.map(|leg| (proxied.flow, leg.flow));
            events.push(if status < 300 {
                Event::Answered { call_id: call_id.clone(), by: proxied.accepted_by.clone() }
            } else {
                Event::Failed { call_id: call_id.clone(), status }
            });
            let kept = kept.and_then(|(one, other)| self.link_between(one, other));
            self.admissions.keep(&call_id, kept);
        }
        let Some(proxied) = self.transactions.proxied.get_mut(&id) else { return };
        if proxied.forking.finished() && proxied.forget.is_none() {
            if proxied.invite {
                // The ACK of a refusal, and a CANCEL that crosses a 2xx, still belong to it.
                proxied.forget = Some(now + memory);
            } else {
                self.transactions.remove(id);
            }
        }
        self.transactions.touched(id);
        self.events.extend(events);
    }

    /// Timers C and F, and the end of what is remembered.
    pub(super) fn transactions_timeout(&mut self, now: Instant) {
        for id in self.transactions.due(now) {
            let Some(proxied) = self.transactions.proxied.get(&id) else { continue };
            if proxied.forget.is_some_and(|forget| forget <= now) {
                self.transactions.remove(id);
                continue;
            }
            let due: Vec<usize> =
                proxied.open_legs().filter(|(_, leg)| leg.deadline <= now).map(|(at, _)| at).collect();
            let unanswered = proxied.patience.is_some_and(|patience| patience <= now);
            for at in due {
                self.step(now, id, Trigger::Timeout(at), None);
            }
            if unanswered {
                if let Some(proxied) = self.transactions.proxied.get_mut(&id) {
                    proxied.patience = None;
                }
                self.step(now, id, Trigger::NoAnswer, None);
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

/// ErrorIds of what gateways answer are this and the status (observed with Lync 2013).
const GATEWAY: u16 = 10_000;

/// The answer of a gateway to a caller at the same bypass location: its media go there themselves (MS-OCPSTN 3).
fn bypass(request: &Request, location: Option<&str>, response: &mut Response) {
    let offered = location.is_some_and(|id| {
        let line = format!("a=x-bypassid:{id}");
        String::from_utf8_lossy(&request.body).lines().any(|said| said.trim().eq_ignore_ascii_case(&line))
    });
    let kind = response.headers.get(&HeaderName::ContentType).unwrap_or_default();
    if !offered || !kind.trim().to_ascii_lowercase().starts_with("application/sdp") {
        return;
    }
    response.headers.set(HeaderName::ContentType, "application/gw-sdp");
    response.headers.push(HeaderName::Supported, "ms-bypass");
    if let Some(id) = request.headers.get(&HeaderName::ContentId) {
        response.headers.push(HeaderName::MsAcceptedContentId, id);
    }
}

fn is_success(response: &Response) -> bool {
    (200..300).contains(&response.status.code())
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
