//! The flows of an endpoint: framing and keep-alive.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::requests::Asked;
use super::verification::Verifying;
use super::vocabulary::FlowRole;
use super::{Deadline, Endpoint, Event, identity};
use crate::error::{Breach, Error, Refusal};
use crate::flow::FlowId;
use crate::framing::{Arrived, StreamDecoder};
use crate::headers::Headers;
use crate::message::{Abilities, Fault, Limits, Message};
use crate::method::Method;
use crate::transaction::Kept;
use crate::transaction::timers::Reliability;

/// One connection.
#[derive(Debug)]
pub(super) struct Flow {
    /// Who we are in Via and Contact.
    pub(super) sent_by: Box<str>,
    pub(super) role: FlowRole,
    decoder: StreamDecoder,
    /// The interval of CRLF CRLF.
    keep_alive: Option<Duration>,
    /// When something was sent last.
    sent: Instant,
    /// When the timer of the keep-alive fires, if it runs; that may be too early.
    wakes: Option<Instant>,
    /// When the registrations that were let through would be due if they came evenly.
    turn: Option<Instant>,
    pub(super) verifying: Verifying,
}

pub(super) type Flows = BTreeMap<FlowId, Flow>;

impl Endpoint {
    pub(super) fn flow_opened(
        &mut self,
        now: Instant,
        flow: FlowId,
        local: SocketAddr,
        role: FlowRole,
    ) -> Result<(), Error> {
        if self.flows.contains_key(&flow) {
            return Err(Error::Refused(Refusal::FlowInUse));
        }
        let keep_alive = match role {
            FlowRole::Dialled => self.config.keep_alive.before_agreement,
            FlowRole::Accepted => None,
        };
        self.flows.insert(
            flow,
            Flow {
                sent_by: identity::sent_by(&self.config, local).into(),
                role,
                decoder: StreamDecoder::new(Limits::DEFAULT),
                keep_alive,
                sent: now,
                wakes: None,
                turn: None,
                verifying: Verifying::default(),
            },
        );
        self.layer.flow_opened(flow, self.config.transport.reliability());
        self.restart_keep_alive(now, flow);
        Ok(())
    }

    pub(super) fn flow_bytes(&mut self, now: Instant, flow: FlowId, bytes: &[u8]) -> Result<(), Error> {
        let entry = self.flows.get_mut(&flow).ok_or(Error::Refused(Refusal::UnknownFlow))?;
        if self.config.transport.reliability() == Reliability::Unreliable {
            // CR LF in front of a message, or alone, keeps an address translation open.
            let start = bytes.iter().position(|octet| !matches!(octet, b'\r' | b'\n'));
            if let Some(message) = start.and_then(|start| bytes.get(start..)) {
                self.flow_message(now, flow, Bytes::copy_from_slice(message));
            }
            return Ok(());
        }
        entry.decoder.push(bytes);
        loop {
            // A message may end its own flow.
            let Some(entry) = self.flows.get_mut(&flow) else { return Ok(()) };
            match entry.decoder.next_message() {
                None => return Ok(()),
                // The server never answers a keep-alive of ours, nor do we answer one.
                Some(Ok(Arrived::KeepAlive)) => {}
                Some(Ok(Arrived::Message(message))) => self.admit(now, flow, message),
                // The stream is still framed: only this message is lost.
                Some(Ok(Arrived::Unreadable(error))) => {
                    self.events.push_back(Event::MessageDropped { flow, error });
                }
                Some(Err(_)) => {
                    let error = Error::Misbehaved(Breach::Framing);
                    self.flow_closed(now, flow);
                    self.events.push_back(Event::FlowFailed { flow, error: error.clone() });
                    return Err(error);
                }
            }
        }
    }

    fn flow_message(&mut self, now: Instant, flow: FlowId, bytes: Bytes) {
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => return self.events.push_back(Event::MessageDropped { flow, error }),
        };
        self.admit(now, flow, message);
    }

    /// A message whose signature, if it needs one, is right.
    pub(super) fn process(&mut self, now: Instant, flow: FlowId, message: Message) {
        let (problems, essentials) = message.judge(self.abilities());
        let problem = problems.into_iter().find(|problem| matters(&message, &problem.fault));
        match &message {
            Message::Request(request) => {
                let asked = Asked::of(request, &essentials);
                let has_transaction = match request.method {
                    // It makes none and is never answered, not even when it is wrong.
                    Method::BeNotify => false,
                    Method::Ack => problem.is_none(),
                    _ => true,
                };
                let keep = || {
                    let repeated = if request.method == Method::Register { request.repeated() } else { None };
                    repeated.map_or_else(|| Kept::Request(Box::new(request.without_body())), Kept::Repeated)
                };
                let received = has_transaction
                    .then(|| self.layer.handle_read_request(now, flow, request, &essentials, keep));
                if let Message::Request(request) = message {
                    self.on_request(now, flow, request, asked, received, problem.as_ref());
                }
            }
            // RFC 3261 8.1.3: a response that breaks the rules is dropped.
            Message::Response(_) if problem.is_some() => {}
            Message::Response(_) => {
                if let Some(client) = self.layer.client_of(flow, &essentials)
                    && let Message::Response(response) = message
                {
                    self.layer.handle_response_to(now, client, response);
                }
                self.run_layer(now);
            }
        }
    }

    pub(super) const fn abilities(&self) -> &'static Abilities {
        if self.config.server {
            &SERVER
        } else if self.config.reliable_provisional {
            &ABILITIES
        } else {
            &WITHOUT_100REL
        }
    }

    pub(super) fn flow_closed(&mut self, now: Instant, flow: FlowId) {
        if self.flows.remove(&flow).is_none() {
            return;
        }
        self.deadlines.stop(&Deadline::KeepAlive(flow));
        // Sessions that stand and have another way go on there; the others end before their transactions do, so that
        // they name the true reason.
        self.registrations_lost(now, flow);
        self.sessions_lost(now, flow);
        self.subscriptions_lost(now, flow);
        self.layer.handle_flow_closed(now, flow);
        self.forget_verifications(flow);
        self.accounts.flow_closed(flow);
        self.run_layer(now);
    }

    /// Whether the keep-alive is asked for in a request on this flow.
    pub(super) fn asks_keep_alive(&self, flow: FlowId) -> bool {
        let dialled = self.flows.get(&flow).is_some_and(|entry| entry.role == FlowRole::Dialled);
        dialled && self.config.keep_alive.negotiate
    }

    /// Takes what the server says about the keep-alive in a response to our request.
    ///
    /// MS-CONMGMT 3.1
    pub(super) fn keep_alive_agreed(&mut self, now: Instant, flow: FlowId, headers: &Headers) {
        let Some(agreed) = headers.keep_alive_agreed() else { return };
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        if entry.role == FlowRole::Accepted {
            return;
        }
        entry.keep_alive = match agreed {
            (Some(false), _) => None,
            // MS-CONMGMT 3.1.2: at most two thirds of the time-out; a second at least, whatever the peer says.
            (_, Some(seconds)) => {
                let seconds = u64::from(seconds).clamp(2, 86_400);
                Some(Duration::from_millis(seconds * 2000 / 3))
            }
            (_, None) => entry.keep_alive,
        };
        self.restart_keep_alive(now, flow);
    }

    /// When the next new registration on a flow may be sent.
    pub(super) fn turn(&mut self, now: Instant, flow: FlowId) -> Instant {
        let gap = Duration::from_secs(1) / self.config.registrations_per_second.max(1);
        let burst = gap.saturating_mul(self.config.registration_burst.saturating_sub(1));
        let Some(entry) = self.flows.get_mut(&flow) else { return now };
        let due = entry.turn.map_or(now, |turn| turn.max(now));
        entry.turn = Some(due + gap);
        due.checked_sub(burst).map_or(now, |turn| turn.max(now))
    }

    /// Any data that is sent starts the time anew.
    pub(super) fn restart_keep_alive(&mut self, now: Instant, flow: FlowId) {
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        entry.sent = now;
        match entry.keep_alive.map(|interval| now + interval) {
            // A timer that fires too early is set again then: most of them are overtaken by the next message.
            Some(due) if entry.wakes.is_none_or(|wakes| wakes > due) => {
                entry.wakes = Some(due);
                self.deadlines.start(Deadline::KeepAlive(flow), due);
            }
            Some(_) => {}
            None => {
                if entry.wakes.take().is_some() {
                    self.deadlines.stop(&Deadline::KeepAlive(flow));
                }
            }
        }
    }

    pub(super) fn keep_alive_due(&mut self, now: Instant, flow: FlowId) {
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        entry.wakes = None;
        let Some(interval) = entry.keep_alive else { return };
        let due = entry.sent + interval;
        if due > now {
            entry.wakes = Some(due);
            self.deadlines.start(Deadline::KeepAlive(flow), due);
        } else {
            self.layer.keep_alive(flow);
            self.restart_keep_alive(now, flow);
        }
    }
}

/// What a request may require of us.
const ABILITIES: Abilities = Abilities {
    extensions: &[
        "100rel",
        "gruu",
        "gruu-10",
        "histinfo",
        "ms-dialog-route-set-update",
        "ms-early-media",
        "replaces",
        "timer",
    ],
    session_types: &[("application", "sdp")],
    ..Abilities::LYNC
};

/// What a registrar and notifier is asked for on top: whether a subscription can be what it must be is its owner's to say.
const SERVER: Abilities = Abilities {
    extensions: &[
        "100rel",
        "adhoclist",
        "categoryList",
        "com.microsoft.autoextend",
        "eventlist",
        "gruu",
        "gruu-10",
        "histinfo",
        "ms-benotify",
        "ms-dialog-route-set-update",
        "ms-early-media",
        "ms-piggyback-first-notify",
        "replaces",
        "timer",
    ],
    ..ABILITIES
};

/// The same without reliable provisional responses.
const WITHOUT_100REL: Abilities = Abilities {
    extensions: match ABILITIES.extensions.split_first() {
        Some((_, rest)) => rest,
        None => &[],
    },
    ..ABILITIES
};

/// Whether a fault stops a message here. A body nobody can read is the user's to judge in what cannot be refused, and an
/// invitation to a conference, which no telephone takes, is refused so that other endpoints go on ringing.
fn matters(message: &Message, fault: &Fault) -> bool {
    let unrefusable = match message {
        Message::Request(request) => matches!(request.method, Method::Ack),
        Message::Response(_) => true,
    };
    match fault {
        Fault::MediaType => !message
            .headers()
            .content_type()
            .is_ok_and(|kind| kind.is_some_and(|kind| kind.is("application", "ms-conf-invite+xml"))),
        Fault::Encoding | Fault::Multipart(_) | Fault::SessionDescription(_) => !unrefusable,
        Fault::Malformed(_)
        | Fault::Missing
        | Fault::Repeated
        | Fault::Version(_)
        | Fault::RequestUri
        | Fault::RequestUriHeaders
        | Fault::Scheme
        | Fault::Method
        | Fault::Extensions(_)
        | Fault::NotAcceptable
        | Fault::BodyTooShort { .. }
        | Fault::AddressOfRecord
        | Fault::Wildcard
        | Fault::ViaAddress
        | Fault::UriTooLong
        | Fault::BodyTooLong
        | Fault::MessageTooLong => true,
    }
}
