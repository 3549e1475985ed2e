//! Requests: who may send them, and what is done with each.

use std::time::Instant;

use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Method, Request, Uri};

use super::authentication::Admission;
use super::envelope::Envelope;
use super::home::SERVICES_AWAY;
use super::respond::Refusal;
use super::{Event, Fault, FlowId, FrontEnd};

impl FrontEnd {
    pub(super) fn request(&mut self, now: Instant, flow: FlowId, mut request: Request) {
        let envelope = match Envelope::read(&request) {
            Ok(envelope) => envelope,
            Err(reason) => {
                if request.method != Method::Ack {
                    self.refuse(flow, &request, Refusal::new(400, 0, reason));
                }
                return;
            }
        };
        let method = request.method.to_string();
        if self.faults.iter().any(|fault| matches!(fault, Fault::Drop(_)) && fault.concerns(&method)) {
            self.report(Event::Fault { fault: format!("drop={method}"), flow });
            self.close(flow, "the fault `drop`");
            return;
        }
        self.mark_via(flow, &mut request);
        let is_ours = self.is_this_front_end(&request.uri);
        if request.method == Method::Options && is_ours {
            self.options(flow, &request);
            return;
        }
        if !self.is_trusted_flow(flow) && self.admit_request(now, flow, &request) == Admission::Ended {
            return;
        }
        // What proved the sender is between it and us.
        request.headers.remove_all(&HeaderName::Authorization);
        request.headers.remove_all(&HeaderName::ProxyAuthorization);
        match request.method {
            Method::Ack => return self.acknowledge(now, flow, request, &envelope),
            Method::Cancel => return self.cancel(now, flow, &request, &envelope),
            _ => {}
        }
        if self.transactions.by_key(&envelope.key(&request.method)).is_some() {
            // A retransmission; over a reliable transport the answer is on its way.
            return;
        }
        if !self.hop(flow, &mut request) {
            return;
        }
        if let Some(refusal) = self.refusal_by_fault(&method, &envelope) {
            self.report(Event::Fault { fault: format!("{}={method}", refusal.status), flow });
            return self.refuse(flow, &request, refusal);
        }
        let of_presence = matches!(request.method, Method::Subscribe | Method::Publish)
            || (request.method == Method::Service && envelope.to.tag().is_none());
        if self.config.survivable && of_presence {
            return self.refuse(flow, &request, SERVICES_AWAY);
        }
        if request.method != Method::Subscribe
            && request.method != Method::Service
            && let Some(id) = Self::focus_named(&request.uri)
        {
            return self.focus_request(now, flow, &request, &envelope, &id);
        }
        match request.method {
            Method::Register => self.register(now, flow, &request, &envelope),
            Method::Subscribe => self.subscribe(now, flow, &request, &envelope),
            _ if envelope.to.tag().is_some() => self.within_dialog(now, flow, request, &envelope),
            Method::Service => self.service(now, flow, &request, &envelope),
            Method::Publish => {
                let refusal = Refusal::new(489, 0, "this simulated front end has no such event package");
                self.refuse(flow, &request, refusal);
            }
            Method::Bye | Method::Update | Method::Prack | Method::Notify | Method::Info => {
                self.refuse(flow, &request, Refusal::new(481, 0, "there is no such dialog"));
            }
            _ => self.out_of_dialog(now, flow, request, &envelope),
        }
    }

    /// The faults `503`, `504`, `430` and `481`.
    fn refusal_by_fault(&self, method: &str, envelope: &Envelope) -> Option<Refusal> {
        let status = self.faults.iter().find_map(|fault| match fault {
            // A dialog that does not exist has no route to lose.
            Fault::Refuse(430, _) if envelope.to.tag().is_none() => None,
            Fault::Refuse(status, _) if fault.concerns(method) => Some(*status),
            _ => None,
        })?;
        Some(match status {
            430 => Refusal::new(430, 1004, "the route set is no longer valid"),
            481 => Refusal::new(481, 0, "the endpoint is not known"),
            504 => Refusal::new(504, 1007, "the next hop cannot be reached for now"),
            _ => Refusal::new(503, 1, "the service is not available"),
        })
    }

    /// Whether a URI means the front end itself and no user.
    fn is_this_front_end(&self, uri: &Uri) -> bool {
        let Some(uri) = uri.sip() else { return false };
        let host = uri.host();
        uri.user().is_none()
            && (host.eq_ignore_ascii_case(&self.config.host_name)
                || host.eq_ignore_ascii_case(&self.config.domain)
                || uri.address().is_some())
    }

    /// Writes into the top Via where the request came from.
    fn mark_via(&self, flow: FlowId, request: &mut Request) {
        let Some(open) = self.flows.get(&flow) else { return };
        let Some(remote) = open.remote else { return };
        if let Some(top) = request.headers.remove_first(&HeaderName::Via) {
            let port = remote.port();
            let cid = open.cid;
            request.headers.insert_first(
                HeaderName::Via,
                format_args!("{top};ms-received-port={port};ms-received-cid={cid:X}"),
            );
        }
    }

    /// Counts the hop down; false: the request went too far and was refused.
    fn hop(&mut self, flow: FlowId, request: &mut Request) -> bool {
        let left =
            request.headers.get(&HeaderName::MaxForwards).and_then(|value| value.trim().parse::<u32>().ok());
        match left {
            Some(0) => {
                self.refuse(flow, request, Refusal::new(483, 0, "too many hops"));
                false
            }
            Some(left) => {
                request.headers.set(HeaderName::MaxForwards, left - 1);
                true
            }
            None => {
                request.headers.set(HeaderName::MaxForwards, 70);
                true
            }
        }
    }

    fn options(&mut self, flow: FlowId, request: &Request) {
        let mut response = self.answer(request, 200);
        response.headers.push(HeaderName::Allow, "REGISTER, INVITE, ACK, CANCEL, BYE, OPTIONS, SERVICE");
        self.send(flow, &response.into());
    }

    /// A request that begins a dialog or stands alone, for a user.
    fn out_of_dialog(&mut self, now: Instant, flow: FlowId, mut request: Request, envelope: &Envelope) {
        // A Route of ours in front has done its work.
        self.pop_own_routes(&mut request);
        match self.plan(&request) {
            Ok(rounds) => self.forward_initial(now, flow, request, envelope, rounds),
            Err(refusal) => self.refuse(flow, &request, refusal),
        }
    }

    /// The identity the front end vouches for.
    pub(super) fn identity(&self, envelope: &Envelope) -> Option<String> {
        let user = self.user(&envelope.caller())?;
        let display = user.display_name.as_deref().unwrap_or(&envelope.from.display);
        let name = NameAddr::new(user.uri.clone()).with_display(display);
        // No blank between name and bracket, none after the comma: as front ends write it.
        let mut text = name.to_string().replacen("\" <", "\"<", 1);
        if let Some(tel) = &user.tel {
            text.push_str(",<tel:");
            text.push_str(tel);
            text.push('>');
        }
        Some(text)
    }
}
