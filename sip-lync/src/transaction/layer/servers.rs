//! The server half of the transaction layer.

use std::time::Instant;

use super::{Failure, LayerEvent, Owner, ServerId, ServerMachine, TransactionLayer};
use crate::message::Response;
use crate::status::StatusCode;
use crate::transaction::timers::Timer;
use crate::transaction::{server, server_invite};

impl TransactionLayer {
    pub(super) fn server_step(
        &mut self,
        now: Instant,
        id: ServerId,
        trigger: ServerTrigger,
        response: Option<&Response>,
    ) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        let flow = server.key.flow;
        let mut sent = None;
        let over = match server.machine {
            ServerMachine::Invite(state) => {
                let Some(input) = trigger.of_invite() else { return };
                let (next, effects) = server_invite::step(state, input);
                server.machine = ServerMachine::Invite(next);
                for effect in effects {
                    match effect {
                        server_invite::Effect::Send => {
                            server.last = response.cloned().map(Box::new);
                            sent.clone_from(&server.last);
                        }
                        server_invite::Effect::SendTrying => {
                            let trying = Box::new(server.request.response(StatusCode::TRYING));
                            server.last = Some(trying.clone());
                            sent = Some(trying);
                        }
                        server_invite::Effect::Repeat => sent.clone_from(&server.last),
                        server_invite::Effect::Start(timer) => {
                            self.deadlines.start(Owner::Server(id, *timer), now + timer.duration());
                        }
                        server_invite::Effect::Stop(timer) => self.deadlines.stop(&Owner::Server(id, *timer)),
                        server_invite::Effect::TimedOut => {
                            self.events.push_back(LayerEvent::ServerFailed(id, Failure::TimedOut));
                        }
                        server_invite::Effect::TransportFailed => {
                            self.events.push_back(LayerEvent::ServerFailed(id, Failure::FlowLost));
                        }
                    }
                }
                next == server_invite::State::Terminated
            }
            ServerMachine::Other(state) => {
                let Some(input) = trigger.of_other() else { return };
                let (next, effects) = server::step(state, input);
                server.machine = ServerMachine::Other(next);
                for effect in effects {
                    match effect {
                        server::Effect::Send => {
                            server.last = response.cloned().map(Box::new);
                            sent.clone_from(&server.last);
                        }
                        server::Effect::Repeat => sent.clone_from(&server.last),
                        server::Effect::TransportFailed => {
                            self.events.push_back(LayerEvent::ServerFailed(id, Failure::FlowLost));
                        }
                    }
                }
                next == server::State::Terminated
            }
        };
        if let Some(response) = sent {
            self.send(flow, *response);
        }
        if over && let Some(server) = self.servers.remove(&id) {
            self.server_keys.remove(&server.key);
            if let Some(load) = self.loads.get_mut(&flow) {
                load.servers = load.servers.saturating_sub(1);
            }
        }
    }
}

/// What a server transaction hears of.
#[derive(Clone, Copy)]
pub(super) enum ServerTrigger {
    Request,
    Ack,
    Respond(StatusCode),
    Timer(Timer),
    FlowLost,
}

impl ServerTrigger {
    const fn of_invite(self) -> Option<server_invite::Trigger> {
        Some(match self {
            Self::Request => server_invite::Trigger::Invite,
            Self::Ack => server_invite::Trigger::Ack,
            Self::Respond(status) if status.is_provisional() => server_invite::Trigger::Provisional,
            Self::Respond(status) if status.is_success() => server_invite::Trigger::Success,
            Self::Respond(_) => server_invite::Trigger::Failure,
            Self::Timer(Timer::Trying) => server_invite::Trigger::Trying,
            Self::Timer(Timer::H) => server_invite::Trigger::TimerH,
            Self::Timer(Timer::L) => server_invite::Trigger::TimerL,
            Self::Timer(Timer::B | Timer::F | Timer::M) => return None,
            Self::FlowLost => server_invite::Trigger::TransportError,
        })
    }

    const fn of_other(self) -> Option<server::Trigger> {
        Some(match self {
            Self::Request => server::Trigger::Request,
            Self::Respond(status) if status.is_provisional() => server::Trigger::Provisional,
            Self::Respond(_) => server::Trigger::Final,
            Self::Ack | Self::Timer(_) => return None,
            Self::FlowLost => server::Trigger::TransportError,
        })
    }
}
