//! The server half of the transaction layer.

use std::time::Instant;

use super::{Failure, Kept, LayerEvent, Owner, ServerId, ServerMachine, TransactionLayer};
use crate::flow::FlowId;
use crate::message::Response;
use crate::status::StatusCode;
use crate::transaction::key::ServerKey;
use crate::transaction::timers::{Reliability, Timer};
use crate::transaction::{server, server_invite};

impl TransactionLayer {
    pub(super) fn server_step(
        &mut self,
        now: Instant,
        id: ServerId,
        trigger: ServerTrigger,
        mut response: Option<Response>,
    ) {
        let Some(server) = self.servers.get_mut(id.0) else { return };
        let (over, ended) = match server.machine {
            ServerMachine::Invite(state) => {
                let Some(input) = trigger.of_invite() else { return };
                let (next, effects) = server_invite::step(state, input);
                server.machine = ServerMachine::Invite(next);
                let mut over = None;
                for effect in effects {
                    let started = self.server_invite_effect(now, id, *effect, &mut response);
                    over = over.or(started);
                }
                (over, next == server_invite::State::Terminated)
            }
            ServerMachine::Other(state) => {
                let Some(input) = trigger.of_other() else { return };
                let (next, effects) = server::step(state, input);
                server.machine = ServerMachine::Other(next);
                let mut over = None;
                for effect in effects {
                    let started = self.server_effect(now, id, *effect, &mut response);
                    over = over.or(started);
                }
                (over, next == server::State::Terminated)
            }
        };
        if ended {
            self.forget_server(id);
        } else if let Some(timer) = over {
            self.server_step(now, id, ServerTrigger::Timer(timer), None);
        }
    }

    /// Carries out one effect; names the timer it started if that is over at once.
    fn server_invite_effect(
        &mut self,
        now: Instant,
        id: ServerId,
        effect: server_invite::Effect,
        response: &mut Option<Response>,
    ) -> Option<Timer> {
        use server_invite::Effect;
        match effect {
            Effect::Send => self.send_response(id, response.take()),
            Effect::SendTrying => {
                let trying = self.servers.get(id.0)?.kept.request()?.response(StatusCode::TRYING);
                self.send_response(id, Some(trying));
            }
            Effect::Repeat => self.repeat_response(id),
            Effect::Start(timer) => return self.start_server(now, id, timer),
            Effect::StartDoubled(timer) => {
                let server = self.servers.get_mut(id.0)?;
                server.interval = timer.doubled(server.interval);
                let interval = server.interval;
                self.start(now, Owner::Server(id, timer), Some(interval));
            }
            Effect::Stop(timer) => self.stop_timer(Owner::Server(id, timer)),
            Effect::TimedOut => self.events.push_back(LayerEvent::ServerFailed(id, Failure::TimedOut)),
            Effect::TransportFailed => self.events.push_back(LayerEvent::ServerFailed(id, Failure::FlowLost)),
        }
        None
    }

    fn server_effect(
        &mut self,
        now: Instant,
        id: ServerId,
        effect: server::Effect,
        response: &mut Option<Response>,
    ) -> Option<Timer> {
        use server::Effect;
        match effect {
            Effect::Send => self.send_response(id, response.take()),
            Effect::Repeat => self.repeat_response(id),
            Effect::Start(timer) => return self.start_server(now, id, timer),
            Effect::Stop(timer) => self.stop_timer(Owner::Server(id, timer)),
            Effect::TransportFailed => self.events.push_back(LayerEvent::ServerFailed(id, Failure::FlowLost)),
        }
        None
    }

    fn start_server(&mut self, now: Instant, id: ServerId, timer: Timer) -> Option<Timer> {
        let duration = timer.duration(self.servers.get(id.0)?.reliability);
        self.start(now, Owner::Server(id, timer), duration).then_some(timer)
    }

    /// Sends a response and keeps it if the request may come again.
    fn send_response(&mut self, id: ServerId, response: Option<Response>) {
        let Some(server) = self.servers.get_mut(id.0) else { return };
        let Some(response) = response else { return };
        // RFC 6026 7.1: a 2xx to INVITE is the user's to repeat.
        let kept = match server.machine {
            ServerMachine::Invite(_) => !response.status.is_success(),
            ServerMachine::Other(_) => {
                server.reliability == Reliability::Unreliable || response.status.is_provisional()
            }
        };
        server.last = kept.then(|| Box::new(response.clone()));
        let flow = server.key.flow();
        if response.status.is_final() && !matches!(server.kept, Kept::Sender(_)) {
            let sender = self.sender_kept(id);
            if let Some(server) = self.servers.get_mut(id.0) {
                server.kept = sender;
            }
        }
        self.send(flow, response);
    }

    fn repeat_response(&mut self, id: ServerId) {
        let Some(server) = self.servers.get(id.0) else { return };
        if let Some(last) = server.last.as_deref().cloned() {
            self.send(server.key.flow(), last);
        }
    }

    /// The transactions of the peers on a flow.
    pub(super) fn servers_of(&self, flow: FlowId) -> impl Iterator<Item = ServerId> {
        let from_first = self.server_keys.range(ServerKey::first(flow)..);
        from_first.take_while(move |(key, _)| key.flow() == flow).map(|(_, id)| *id)
    }

    fn forget_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.remove(id.0) else { return };
        self.server_keys.remove(&server.key);
        self.timers_gone(server.timers.running());
        if let Some(merge) = server.merge {
            self.merges.remove(&merge);
        }
        if let Some(load) = self.loads.get_mut(&server.key.flow()) {
            load.servers = load.servers.saturating_sub(1);
            let left = load.servers;
            if !self.shares.is_empty() {
                self.share_given_back(server.key.flow(), &server.kept, left);
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
            Self::Timer(Timer::G) => server_invite::Trigger::TimerG,
            Self::Timer(Timer::H) => server_invite::Trigger::TimerH,
            Self::Timer(Timer::I) => server_invite::Trigger::TimerI,
            Self::Timer(Timer::L) => server_invite::Trigger::TimerL,
            Self::Timer(
                Timer::A | Timer::B | Timer::D | Timer::E | Timer::F | Timer::J | Timer::K | Timer::M,
            ) => return None,
            Self::FlowLost => server_invite::Trigger::TransportError,
        })
    }

    const fn of_other(self) -> Option<server::Trigger> {
        Some(match self {
            Self::Request => server::Trigger::Request,
            Self::Respond(status) if status.is_provisional() => server::Trigger::Provisional,
            Self::Respond(_) => server::Trigger::Final,
            Self::Timer(Timer::J) => server::Trigger::TimerJ,
            Self::Ack
            | Self::Timer(
                Timer::A
                | Timer::B
                | Timer::D
                | Timer::E
                | Timer::F
                | Timer::G
                | Timer::H
                | Timer::I
                | Timer::K
                | Timer::L
                | Timer::M
                | Timer::Trying,
            ) => return None,
            Self::FlowLost => server::Trigger::TransportError,
        })
    }
}
