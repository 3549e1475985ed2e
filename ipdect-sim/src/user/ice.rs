//! The way of a simulated user's media: checks in and out, what follows when a way is found or there is none.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use sip_lync::ice::agent::{Begun, Failure};
use sip_lync::ice::phase::State;
use sip_lync::ice::{DataStream, Dialect, Fork};
use sip_lync::{ForkId, Rendering};

use super::description::Described;
use super::{Check, Event, LyncUser, MediaPlan};
use crate::talk::Flow;

/// What ICE has of a call.
#[derive(Debug, Default)]
pub(super) struct Ice {
    /// None while no ICE is spoken.
    pub(super) stream: Option<DataStream>,
    /// Which ways media may flow once there is one.
    pub(super) flow: Option<Flow>,
    /// Where RTP goes; kept while another way is looked for.
    remote: Option<SocketAddr>,
    told: bool,
    /// The peer's last offer waits for the pairs it names.
    pub(super) settling: bool,
    /// Our last offer waits for its answer.
    pub(super) offering: bool,
    /// What was wanted meanwhile: to hold (true) or to go on.
    pub(super) wanted: Option<bool>,
    pub(super) failure: Option<Failure>,
}

impl Ice {
    /// Which ways media flows now, and where to: nothing is sent to an address that has not answered a check.
    pub(super) fn allowed(&self, flow: Flow, described: SocketAddr) -> (Flow, SocketAddr) {
        match (&self.stream, self.remote, flow) {
            (None, _, _) => (flow, described),
            (Some(_), Some(remote), _) => (flow, remote),
            (Some(_), None, Flow::Both | Flow::Receiving) => (Flow::Receiving, described),
            (Some(_), None, Flow::Sending | Flow::None) => (Flow::None, described),
        }
    }
}

impl LyncUser {
    /// The ICE of an offer.
    pub(super) fn offer_ice(&mut self, now: Instant) -> Option<DataStream> {
        let dialect = self.config.ice?;
        let bases = [self.config.media_rtp, self.config.media_rtcp];
        DataStream::offer(now, &[dialect], bases, false, sip_lync::Seed(self.random.octets())).ok()
    }

    pub(super) fn take_ice_offer(&mut self, now: Instant, described: &Described) -> Result<(), &'static str> {
        let Some(ours) = self.config.ice else { return Ok(()) };
        let seed = sip_lync::Seed(self.random.octets());
        let bases = [self.config.media_rtp, self.config.media_rtcp];
        let (Some(call), Some((session, media))) = (&mut self.call, described.line()) else { return Ok(()) };
        let taken = match &mut call.ice.stream {
            Some(stream) => stream.described(now, session, media).map(|begun| {
                call.ice.settling = begun == Begun::Settling;
                call.ice.told &= begun != Begun::Restarted;
            }),
            place @ None => DataStream::answer(now, ours, bases, false, seed, session, media)
                .map(|stream| *place = stream),
        };
        taken.map_err(|_| "the ICE of the offer cannot be answered")
    }

    pub(super) fn take_ice_answer(
        &mut self,
        now: Instant,
        fork: ForkId,
        described: &Described,
        settles: bool,
    ) -> Result<(), &'static str> {
        let (Some(call), Some((session, media))) = (&mut self.call, described.line()) else { return Ok(()) };
        let Some(stream) = &mut call.ice.stream else { return Ok(()) };
        let fork = Fork(fork.0);
        stream
            .early(now, fork, session, media)
            .map_err(|_| "the ICE of the answer does not fit the offer")?;
        if settles && !stream.answered(fork) {
            return Err("the ICE of the answer does not fit the offer");
        }
        Ok(())
    }

    pub(super) fn check(&mut self, now: Instant, component: u16, from: SocketAddr, data: &[u8]) {
        if let Some(stream) = self.call.as_mut().and_then(|call| call.ice.stream.as_mut()) {
            // What is no check for us has no effect.
            let _ = stream.handle_packet(now, component, from, data);
        }
    }

    pub(super) fn ice_timeout(&mut self, now: Instant) {
        if let Some(stream) = self.call.as_mut().and_then(|call| call.ice.stream.as_mut()) {
            stream.handle_timeout(now);
        }
    }

    pub(super) fn ice_due(&self) -> Option<Instant> {
        self.call.as_ref()?.ice.stream.as_ref()?.poll_timeout()
    }

    pub(super) fn next_check(&mut self, buffer: &mut BytesMut) -> Option<Check> {
        let transmit = self.call.as_mut()?.ice.stream.as_mut()?.poll_transmit(buffer)?;
        Some(Check { component: transmit.path.component, to: transmit.path.remote, len: transmit.len })
    }

    /// Does what follows from where ICE stands; whether the endpoint was told something.
    pub(super) fn follow_ice(&mut self, now: Instant) -> bool {
        let Some(call) = &mut self.call else { return false };
        let (number, session) = (call.number, call.session);
        let described = call.remote().map(|remote| remote.rtp);
        let (agreed, talking) = (call.is_agreed(), call.is_talking());
        let free = call.is_free_to_offer();
        let ice = &mut call.ice;
        let Some(stream) = &mut ice.stream else { return false };
        let state = stream.state();
        let found = stream.path(1).map(|path| path.remote);
        let dialect = stream.dialect().map_or("", Dialect::as_str);
        let last_offer = free && !ice.offering && stream.take_last_offer();
        if found.is_some() && found != ice.remote {
            ice.remote = found;
            if let (true, Some(flow), Some(described)) = (agreed, ice.flow, described) {
                let (flow, remote) = ice.allowed(flow, described);
                self.media.push_back(MediaPlan::Change { call: number, flow, remote });
            }
        }
        if matches!(state, State::Connected | State::Completed)
            && !ice.told
            && let Some(remote) = ice.remote
        {
            ice.told = true;
            self.events.push_back(Event::Way { call: number, dialect, remote });
        }
        if state == State::Failed && talking && ice.failure.is_none() {
            ice.failure = Some(ice.stream.as_ref().and_then(DataStream::failure).unwrap_or(Failure::NoPair));
            self.endpoint.hang_up(now, session);
            return true;
        }
        if ice.settling && !matches!(state, State::Checking | State::Connected) {
            ice.settling = false;
            self.answer_reoffer(now, session);
            return true;
        }
        if last_offer {
            let body = self.offer_again(Flow::Both);
            let made = self.endpoint.reoffer(now, session, body, Rendering::Yes).is_ok();
            if let Some(call) = &mut self.call {
                call.ice.offering = made;
                if !made {
                    call.withdraw_offer();
                }
            }
            return true;
        }
        false
    }

    /// Whether it was our last offer that was answered or refused; what was wanted meanwhile is done then.
    pub(super) fn last_offer_over(&mut self, now: Instant) -> bool {
        let Some(call) = &mut self.call else { return false };
        if !core::mem::take(&mut call.ice.offering) {
            return false;
        }
        if let Some(hold) = call.ice.wanted.take() {
            // It could be done before the last offer, so it can be done now.
            let _ = self.change(now, hold);
        }
        true
    }
}
