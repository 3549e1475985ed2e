//! Connections of the front end.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use sip_lync::Message;
use sip_lync::framing::{Frame, StreamDecoder};
use sip_lync::headers::HeaderName;

use super::authentication::Admission;
use super::{Dialling, Event, Fault, FlowId, FrontEnd};

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    decoder: StreamDecoder,
    pub(super) remote: Option<SocketAddr>,
    pub(super) trusted: bool,
    /// The connection identifier written into contacts and Via.
    pub(super) cid: u32,
    /// What waits for a connection that is being dialled.
    waiting: Option<Vec<Bytes>>,
    /// Since keep-alive was agreed: how long silence is allowed, and until when it is now.
    keep_alive: Option<(Duration, Instant)>,
    /// When it came up.
    opened: Option<Instant>,
}

impl Flow {
    /// Octets to send now; none: they wait, or the peer takes none.
    pub(super) fn send(&mut self, octets: Bytes) -> Option<Bytes> {
        match &mut self.waiting {
            None => Some(octets),
            Some(waiting) => {
                if waiting.len() < WAITING {
                    waiting.push(octets);
                }
                None
            }
        }
    }

    /// When the connection is given up.
    fn idle_until(&self) -> Option<Instant> {
        self.keep_alive.map(|(_, until)| until)
    }

    /// Keep-alive was agreed (MS-CONMGMT 3.1.2: the time and a transaction's length as grace).
    fn agree_keep_alive(&mut self, now: Instant, timeout: Duration) -> Instant {
        let allowed = timeout + GRACE;
        self.keep_alive = Some((allowed, now + allowed));
        now + allowed
    }

    fn heard(&mut self, now: Instant) {
        if let Some((allowed, until)) = &mut self.keep_alive {
            *until = now + *allowed;
        }
    }
}

impl FrontEnd {
    pub(super) fn flow_opened(&mut self, now: Instant, id: FlowId, remote: SocketAddr, names: Vec<String>) {
        // Whom the front end calls itself is whom it means.
        let trusted = id.0 & DIALLED != 0 || self.is_trusted(&names, remote.ip());
        let cid = self.random.number() & 0x00ff_ffff;
        let waiting = self.flows.remove(&id).and_then(|flow| flow.waiting);
        let flow = Flow {
            decoder: StreamDecoder::default(),
            remote: Some(remote),
            trusted,
            cid,
            waiting: None,
            keep_alive: None,
            opened: Some(now),
        };
        self.flows.insert(id, flow);
        for octets in waiting.into_iter().flatten() {
            self.outbox.push_back((None, id, octets));
        }
        self.report(Event::Connected { flow: id, remote: remote.to_string(), names, trusted });
    }

    fn is_trusted(&self, names: &[String], address: IpAddr) -> bool {
        let named =
            |name: &String| self.config.trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(name));
        names.iter().any(named) || (!self.config.tls && self.config.trusted_addresses.contains(&address))
    }

    /// Whether the peer is a trusted server, which does not log in.
    pub(super) fn is_trusted_flow(&self, flow: FlowId) -> bool {
        self.flows.get(&flow).is_some_and(|flow| flow.trusted)
    }

    /// Keep-alive was agreed on a connection.
    pub(super) fn keep_alive_agreed(&mut self, now: Instant, id: FlowId) {
        let timeout = self.config.keep_alive_timeout;
        if let Some(flow) = self.flows.get_mut(&id) {
            let until = flow.agree_keep_alive(now, timeout);
            self.idle = Some(self.idle.map_or(until, |idle| idle.min(until)));
        }
    }

    /// Gives up connections on which nothing was heard for too long.
    pub(super) fn idle_timeout(&mut self, now: Instant) {
        if self.idle.is_none_or(|idle| now < idle) {
            return;
        }
        let late = self.flows.iter().filter(|(_, flow)| flow.idle_until().is_some_and(|until| until <= now));
        let late: Vec<FlowId> = late.map(|(id, _)| *id).collect();
        for flow in late {
            self.close(flow, "nothing was heard for the keep-alive time");
        }
        self.idle = self.flows.values().filter_map(Flow::idle_until).min();
    }

    /// The fault `half-open`: whether a connection has become one on which nothing is heard or said.
    pub(super) fn is_half_open(&self, id: FlowId) -> bool {
        let after = self.faults.iter().find_map(|fault| match fault {
            Fault::HalfOpen(after) => Some(*after),
            _ => None,
        });
        let opened = self.flows.get(&id).and_then(|flow| flow.opened);
        match (after, opened, self.clock) {
            (Some(after), Some(opened), Some(now)) => opened + after <= now,
            _ => false,
        }
    }

    pub(super) fn bytes(&mut self, now: Instant, id: FlowId, bytes: &[u8]) {
        if self.is_half_open(id) {
            return;
        }
        let Some(flow) = self.flows.get_mut(&id) else { return };
        flow.heard(now);
        flow.decoder.push(bytes);
        loop {
            // A message may close its own connection.
            let Some(flow) = self.flows.get_mut(&id) else { return };
            match flow.decoder.next() {
                None => return,
                Some(Ok(Frame::Message(octets))) => match Message::parse(octets) {
                    Ok(Message::Request(request)) => self.request(now, id, request),
                    Ok(message)
                        if !self.is_trusted_flow(id)
                            && self.admit_response(now, id, &message) == Admission::Ended => {}
                    Ok(Message::Response(mut response)) => {
                        response.headers.remove_all(&HeaderName::Authorization);
                        response.headers.remove_all(&HeaderName::ProxyAuthorization);
                        self.response(now, id, response);
                    }
                    Err(error) => self.report(Event::Malformed { flow: id, error: error.to_string() }),
                },
                // A sign of life, which was counted above.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let error = error.to_string();
                    self.report(Event::Malformed { flow: id, error });
                    self.close(id, "the octets are no SIP");
                    return;
                }
            }
        }
    }

    /// Asks the shell to close a connection; it then reports that.
    pub(super) fn close(&mut self, id: FlowId, reason: &str) {
        if let Some(flow) = self.flows.get_mut(&id) {
            flow.keep_alive = None;
            self.report(Event::Close { flow: id, reason: reason.to_owned() });
        }
    }

    pub(super) fn flow_closed(&mut self, now: Instant, id: FlowId) {
        let Some(flow) = self.flows.remove(&id) else { return };
        for (key, binding) in self.registrar.flow_lost(id) {
            self.deregistered(now, &key, &binding, "connection-lost");
        }
        self.targets.retain(|_, flow| *flow != id);
        self.associations.flow_lost(id);
        self.subscriptions_lost(now, id);
        self.conference_flow_lost(now, id);
        self.legs_lost(now, id);
        if flow.waiting.is_none() && !Self::is_application(id) {
            self.report(Event::Disconnected { flow: id });
        }
    }

    /// The connection to a registered endpoint, dialled where that is needed and allowed.
    pub(super) fn flow_to(&mut self, key: &super::EndpointKey, binding: &super::Binding) -> Option<FlowId> {
        let registered = binding.flow.filter(|flow| self.flows.contains_key(flow));
        let own = match self.config.dialling {
            Dialling::Never => return registered,
            Dialling::WhenFlowIsGone => registered,
            Dialling::Always => registered.filter(|flow| flow.0 & DIALLED != 0 || !binding.dialable),
        };
        if own.is_some() || !binding.dialable {
            return own;
        }
        let host = binding.contact.host().to_owned();
        let flow = self.dial(&host, binding.contact.port().unwrap_or(5061));
        self.registrar.flow_of(key, flow);
        Some(flow)
    }

    /// A connection within the program to a service of the front end; it is there at once.
    ///
    /// RFC 3261 18
    pub fn open_application(&mut self) -> FlowId {
        self.dialled = self.dialled.wrapping_add(1) & !APPLICATION;
        let id = FlowId(APPLICATION | self.dialled);
        let flow = Flow {
            decoder: StreamDecoder::default(),
            remote: None,
            trusted: true,
            cid: 0,
            waiting: None,
            keep_alive: None,
            opened: None,
        };
        self.flows.insert(id, flow);
        id
    }

    /// Whether a connection is one within the program.
    ///
    /// RFC 3261 18
    pub fn is_application(flow: FlowId) -> bool {
        flow.0 & APPLICATION == APPLICATION
    }

    /// A connection of our own to a server, opened where there is none yet.
    pub(super) fn dial(&mut self, host: &str, port: u16) -> FlowId {
        let target = (host.to_ascii_lowercase(), port);
        if let Some(flow) = self.targets.get(&target).copied().filter(|flow| self.flows.contains_key(flow)) {
            return flow;
        }
        self.dialled = self.dialled.wrapping_add(1) & !APPLICATION;
        let flow = FlowId(DIALLED | self.dialled);
        self.targets.insert(target, flow);
        let dialling = Flow {
            decoder: StreamDecoder::default(),
            remote: None,
            trusted: true,
            cid: 0,
            waiting: Some(Vec::new()),
            keep_alive: None,
            opened: None,
        };
        self.flows.insert(flow, dialling);
        self.report(Event::Dial { flow, host: host.to_owned(), port });
        flow
    }
}

/// Messages that may wait for a connection that is being dialled.
const WAITING: usize = 256;
/// RFC 3261 17.1.2.2: timer F.
const GRACE: Duration = Duration::from_secs(32);
/// Connections within the program.
const APPLICATION: u32 = 0xc000_0000;
/// Connections that the front end asked for.
const DIALLED: u32 = 0x8000_0000;
