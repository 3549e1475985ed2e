//! The client half of the transaction layer.

use std::time::{Duration, Instant};

use super::{ClientId, ClientMachine, Failure, LayerEvent, Owner, TransactionLayer};
use crate::headers::HeaderName;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::key::cseq;
use crate::transaction::timers::{T2, Timer};
use crate::transaction::{client, client_invite};

impl TransactionLayer {
    pub(super) fn client_step(&mut self, now: Instant, id: ClientId, trigger: ClientTrigger) {
        let Some(client) = self.clients.get_mut(id.0) else { return };
        let mut passed_up = false;
        let (over, ended) = match client.machine {
            ClientMachine::Invite(state) => {
                let Some(input) = trigger.of_invite() else { return };
                let (next, effects) = client_invite::step(state, input);
                client.machine = ClientMachine::Invite(next);
                let mut over = None;
                for effect in effects {
                    passed_up |= *effect == client_invite::Effect::PassUp;
                    let started = self.client_invite_effect(now, id, *effect, &trigger);
                    over = over.or(started);
                }
                (over, next == client_invite::State::Terminated)
            }
            ClientMachine::Other(state) => {
                let Some(input) = trigger.of_other() else { return };
                let (next, effects) = client::step(state, input);
                client.machine = ClientMachine::Other(next);
                let mut over = None;
                for effect in effects {
                    passed_up |= *effect == client::Effect::PassUp;
                    let started = self.client_effect(now, id, *effect);
                    over = over.or(started);
                }
                (over, next == client::State::Terminated)
            }
        };
        if let ClientTrigger::Response(response) = trigger
            && passed_up
        {
            self.events.push_back(LayerEvent::Response(id, response));
        }
        if ended {
            self.forget_client(id);
        } else if let Some(timer) = over {
            self.client_step(now, id, ClientTrigger::Timer(timer));
        }
    }

    /// Carries out one effect; names the timer it started if that is over at once.
    fn client_invite_effect(
        &mut self,
        now: Instant,
        id: ClientId,
        effect: client_invite::Effect,
        trigger: &ClientTrigger,
    ) -> Option<Timer> {
        use client_invite::Effect;
        match effect {
            // When all others are carried out.
            Effect::PassUp => {}
            Effect::Retransmit => self.retransmit(id),
            Effect::Acknowledge => {
                if let (Some(client), ClientTrigger::Response(response)) = (self.clients.get(id.0), trigger)
                    && let Some(invite) = &client.request
                {
                    let (flow, ack) = (client.key.flow, acknowledgement(invite, response));
                    self.send(flow, ack);
                }
            }
            Effect::Start(timer) => return self.start_client(now, id, timer, None),
            Effect::StartDoubled(timer) => return self.start_doubled(now, id, timer),
            Effect::Stop(timer) => self.stop_timer(Owner::Client(id, timer)),
            Effect::TimedOut => self.events.push_back(LayerEvent::ClientFailed(id, Failure::TimedOut)),
            Effect::TransportFailed => self.events.push_back(LayerEvent::ClientFailed(id, Failure::FlowLost)),
        }
        None
    }

    fn client_effect(&mut self, now: Instant, id: ClientId, effect: client::Effect) -> Option<Timer> {
        use client::Effect;
        match effect {
            // When all others are carried out.
            Effect::PassUp => {}
            Effect::Retransmit => self.retransmit(id),
            Effect::Start(timer) => return self.start_client(now, id, timer, None),
            Effect::StartDoubled(timer) => return self.start_doubled(now, id, timer),
            Effect::StartSlow(timer) => return self.start_client(now, id, timer, Some(T2)),
            Effect::Stop(timer) => self.stop_timer(Owner::Client(id, timer)),
            Effect::TimedOut => self.events.push_back(LayerEvent::ClientFailed(id, Failure::TimedOut)),
            Effect::TransportFailed => self.events.push_back(LayerEvent::ClientFailed(id, Failure::FlowLost)),
        }
        None
    }

    fn retransmit(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get(id.0)
            && let Some(request) = client.request.as_deref()
        {
            let (flow, request) = (client.key.flow, request.clone());
            self.send(flow, request);
        }
    }

    fn start_doubled(&mut self, now: Instant, id: ClientId, timer: Timer) -> Option<Timer> {
        let client = self.clients.get_mut(id.0)?;
        client.interval = timer.doubled(client.interval);
        let interval = client.interval;
        self.start_client(now, id, timer, Some(interval))
    }

    fn start_client(
        &mut self,
        now: Instant,
        id: ClientId,
        timer: Timer,
        value: Option<Duration>,
    ) -> Option<Timer> {
        let reliability = self.clients.get(id.0)?.reliability;
        let duration = value.or_else(|| timer.duration(reliability));
        self.start(now, Owner::Client(id, timer), duration).then_some(timer)
    }

    pub(super) fn forget_client(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(id.0) {
            self.client_keys.remove(&client.key);
            self.timers_gone(client.timers.running());
            if let Some(load) = self.loads.get_mut(&client.key.flow) {
                load.clients = load.clients.saturating_sub(1);
            }
            self.events.push_back(LayerEvent::ClientOver(id));
        }
    }
}

/// What a client transaction hears of.
pub(super) enum ClientTrigger {
    Response(Response),
    Timer(Timer),
    FlowLost,
}

impl ClientTrigger {
    fn of_invite(&self) -> Option<client_invite::Trigger> {
        Some(match self {
            Self::Response(response) if response.status.is_provisional() => {
                client_invite::Trigger::Provisional
            }
            Self::Response(response) if response.status.is_success() => client_invite::Trigger::Success,
            Self::Response(_) => client_invite::Trigger::Failure,
            Self::Timer(Timer::A) => client_invite::Trigger::TimerA,
            Self::Timer(Timer::B) => client_invite::Trigger::TimerB,
            Self::Timer(Timer::D) => client_invite::Trigger::TimerD,
            Self::Timer(Timer::M) => client_invite::Trigger::TimerM,
            Self::Timer(
                Timer::E
                | Timer::F
                | Timer::G
                | Timer::H
                | Timer::I
                | Timer::J
                | Timer::K
                | Timer::L
                | Timer::Trying,
            ) => return None,
            Self::FlowLost => client_invite::Trigger::TransportError,
        })
    }

    fn of_other(&self) -> Option<client::Trigger> {
        Some(match self {
            Self::Response(response) if response.status.is_provisional() => client::Trigger::Provisional,
            Self::Response(_) => client::Trigger::Final,
            Self::Timer(Timer::E) => client::Trigger::TimerE,
            Self::Timer(Timer::F) => client::Trigger::TimerF,
            Self::Timer(Timer::K) => client::Trigger::TimerK,
            Self::Timer(
                Timer::A
                | Timer::B
                | Timer::D
                | Timer::G
                | Timer::H
                | Timer::I
                | Timer::J
                | Timer::L
                | Timer::M
                | Timer::Trying,
            ) => return None,
            Self::FlowLost => client::Trigger::TransportError,
        })
    }
}

/// A request of the same transaction: CANCEL, or ACK without the To of the response.
pub(super) fn of_same_transaction(invite: &Request, method: &Method) -> Request {
    let mut request = Request::new(method.clone(), invite.uri.clone());
    if let Some(via) = invite.headers.elements(&HeaderName::Via).next() {
        request.headers.push(HeaderName::Via, via);
    }
    for name in
        [HeaderName::MaxForwards, HeaderName::Route, HeaderName::From, HeaderName::To, HeaderName::CallId]
    {
        request.headers.copy_from(&invite.headers, &name);
    }
    let number = cseq(&invite.headers).map_or(1, |cseq| cseq.number);
    request.headers.push(HeaderName::CSeq, format_args!("{number} {method}"));
    request
}

/// The ACK for a refusal.
fn acknowledgement(invite: &Request, response: &Response) -> Request {
    let mut ack = of_same_transaction(invite, &Method::Ack);
    if let Some(to) = response.headers.get(&HeaderName::To) {
        ack.headers.set(HeaderName::To, to);
    }
    ack
}
