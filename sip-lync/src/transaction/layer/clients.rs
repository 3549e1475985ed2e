//! The client half of the transaction layer.

use std::time::Instant;

use super::{ClientId, ClientMachine, Failure, LayerEvent, Owner, TransactionLayer};
use crate::headers::HeaderName;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::key::cseq;
use crate::transaction::timers::Timer;
use crate::transaction::{client, client_invite};

impl TransactionLayer {
    pub(super) fn client_step(&mut self, now: Instant, id: ClientId, trigger: &ClientTrigger) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let flow = client.key.flow;
        let mut acknowledge = None;
        let over = match client.machine {
            ClientMachine::Invite(state) => {
                let Some(input) = trigger.of_invite() else { return };
                let (next, effects) = client_invite::step(state, input);
                client.machine = ClientMachine::Invite(next);
                for effect in effects {
                    match effect {
                        client_invite::Effect::PassUp => self.events.extend(trigger.pass_up(id)),
                        client_invite::Effect::Acknowledge => {
                            if let (Some(invite), ClientTrigger::Response(response)) =
                                (&client.invite, trigger)
                            {
                                acknowledge = Some(acknowledgement(invite, response));
                            }
                        }
                        client_invite::Effect::Start(timer) => {
                            self.deadlines.start(Owner::Client(id, *timer), now + timer.duration());
                        }
                        client_invite::Effect::Stop(timer) => self.deadlines.stop(&Owner::Client(id, *timer)),
                        client_invite::Effect::TimedOut => {
                            self.events.push_back(LayerEvent::ClientFailed(id, Failure::TimedOut));
                        }
                        client_invite::Effect::TransportFailed => {
                            self.events.push_back(LayerEvent::ClientFailed(id, Failure::FlowLost));
                        }
                    }
                }
                next == client_invite::State::Terminated
            }
            ClientMachine::Other(state) => {
                let Some(input) = trigger.of_other() else { return };
                let (next, effects) = client::step(state, input);
                client.machine = ClientMachine::Other(next);
                for effect in effects {
                    match effect {
                        client::Effect::PassUp => self.events.extend(trigger.pass_up(id)),
                        client::Effect::Stop(timer) => self.deadlines.stop(&Owner::Client(id, *timer)),
                        client::Effect::TimedOut => {
                            self.events.push_back(LayerEvent::ClientFailed(id, Failure::TimedOut));
                        }
                        client::Effect::TransportFailed => {
                            self.events.push_back(LayerEvent::ClientFailed(id, Failure::FlowLost));
                        }
                    }
                }
                next == client::State::Terminated
            }
        };
        if let Some(ack) = acknowledge {
            self.send(flow, ack);
        }
        if over {
            self.forget_client(id);
        }
    }

    pub(super) fn forget_client(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(&id) {
            self.client_keys.remove(&client.key);
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
            Self::Timer(Timer::B) => client_invite::Trigger::TimerB,
            Self::Timer(Timer::M) => client_invite::Trigger::TimerM,
            Self::Timer(Timer::F | Timer::H | Timer::L | Timer::Trying) => return None,
            Self::FlowLost => client_invite::Trigger::TransportError,
        })
    }

    fn of_other(&self) -> Option<client::Trigger> {
        Some(match self {
            Self::Response(response) if response.status.is_provisional() => client::Trigger::Provisional,
            Self::Response(_) => client::Trigger::Final,
            Self::Timer(Timer::F) => client::Trigger::TimerF,
            Self::Timer(Timer::B | Timer::H | Timer::L | Timer::M | Timer::Trying) => return None,
            Self::FlowLost => client::Trigger::TransportError,
        })
    }

    fn pass_up(&self, id: ClientId) -> Option<LayerEvent> {
        match self {
            Self::Response(response) => Some(LayerEvent::Response(id, response.clone())),
            Self::Timer(_) | Self::FlowLost => None,
        }
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
