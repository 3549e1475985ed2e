//! The way of a call's media: checks in and out, what follows when a way is found or there is none.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_lync::ice::agent::{Begun, Failure};
use sip_lync::ice::phase::State;
use sip_lync::ice::{DataStream, Dialect, Fork};
use sip_lync::{ForkId, Invite, Rendering, SessionId, StatusCode, Uri};

use super::super::call::Refused;
use super::super::call::step::{Phase, Trigger};
use super::super::vocabulary::{Effect, Lane, Level};
use super::Node;
use crate::config::Connectivity;
use crate::media::plan::{Channel, ChannelId, MediaCommand};

/// How long a last offer waits for the pairs it names.
const SETTLING: Duration = Duration::from_secs(5);

impl Node {
    /// The dialects of our offers, the preferred one first; none: no ICE.
    fn dialects(&self) -> Vec<Dialect> {
        let media = &self.configuration.media;
        let mut dialects = match media.ice {
            Connectivity::Off => return Vec::new(),
            Connectivity::MsIce2 => vec![Dialect::MsIce2],
            Connectivity::Rfc8445 => vec![Dialect::Rfc8445],
            Connectivity::Draft06 => vec![Dialect::Draft06],
        };
        if media.ice_2007 && media.ice != Connectivity::Draft06 {
            dialects.push(Dialect::Draft06);
        }
        dialects
    }

    /// Before our first offer.
    pub(super) fn offer_ice(&mut self, now: Instant, id: u32) {
        let dialects = self.dialects();
        let seed = sip_lync::Seed(self.draw.bytes("ice"));
        let rfc3489 = self.configuration.media.rfc3489;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if dialects.is_empty() {
            return;
        }
        // An address that cannot be named, such as 0.0.0.0, has no candidates.
        call.way.stream = DataStream::offer(now, &dialects, bases(&call.channel), rfc3489, seed).ok();
        self.listen(id);
    }

    /// The answer of a fork to our offer; false when its way cannot be looked for.
    pub(super) fn take_ice_answer(&mut self, now: Instant, id: u32, fork: ForkId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        self.searching.insert(id);
        let (Some(stream), Some((session, media))) =
            (&mut call.way.stream, call.remote.as_ref().and_then(|remote| remote.line()))
        else {
            return true;
        };
        match stream.early(now, Fork(fork.0), session, media) {
            Ok(_) => true,
            Err(error) => {
                call.cause = format!("the peer's ICE: {error}");
                let text = format!("call {id}: {}", call.cause);
                self.log(Level::Warning, text);
                false
            }
        }
    }

    /// The offer that was taken last, at the time it is answered; false when its way cannot be looked for.
    pub(super) fn take_ice_offer(&mut self, now: Instant, id: u32) -> bool {
        let dialects = self.dialects();
        let Some(ours) = dialects.first().copied() else { return true };
        let seed = sip_lync::Seed(self.draw.bytes("ice"));
        let rfc3489 = self.configuration.media.rfc3489;
        let Some(call) = self.calls.get_mut(&id) else { return false };
        self.searching.insert(id);
        let Some((session, media)) = call.remote.as_ref().and_then(|remote| remote.line()) else {
            return true;
        };
        let taken = match &mut call.way.stream {
            Some(stream) => stream.described(now, session, media).map(|begun| {
                if begun == Begun::Settling {
                    call.way.answer_by = Some(now + SETTLING);
                }
                if begun == Begun::Restarted {
                    call.way.told = false;
                }
            }),
            place @ None => {
                DataStream::answer(now, ours, bases(&call.channel), rfc3489, seed, session, media)
                    .map(|stream| *place = stream)
            }
        };
        match taken {
            Ok(()) => {
                self.listen(id);
                true
            }
            Err(error) => {
                call.cause = format!("the peer's ICE: {error}");
                let text = format!("call {id}: {}", call.cause);
                self.log(Level::Warning, text);
                false
            }
        }
    }

    /// Has STUN messages handed to the call.
    fn listen(&mut self, id: u32) {
        if let Some(call) = self.calls.get(&id).filter(|call| call.way.stream.is_some()) {
            self.effects.push_back(Effect::Media(MediaCommand::Listen { channel: call.channel.id }));
        }
    }

    pub(super) fn check_arrived(
        &mut self,
        now: Instant,
        channel: ChannelId,
        component: u16,
        from: SocketAddr,
        octets: &[u8],
    ) {
        let call = self.calls.values_mut().find(|call| call.channel.id == channel);
        if let Some(call) = call
            && let Some(stream) = &mut call.way.stream
        {
            // What is no check for us has no effect: anybody can send it.
            let _foreign = stream.handle_packet(now, component, from, octets);
            let id = call.id;
            self.searching.insert(id);
        }
    }

    pub(super) fn way_timeout(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(stream) = &mut call.way.stream {
            stream.handle_timeout(now);
        }
        self.searching.insert(id);
        if call.way.answer_by.take_if(|by| *by <= now).is_some() {
            self.answer_reoffer(now, id);
        }
    }

    /// Sends what ICE has to send and does what follows from where it stands; whether it had anything to say.
    pub(super) fn drain_ice(&mut self, now: Instant) -> bool {
        let searching = std::mem::take(&mut self.searching);
        for id in &searching {
            self.send_checks(*id);
            self.follow_way(now, *id);
            if let Some(call) = self.calls.get(id) {
                self.deadlines.set(call.way.waiter, call.way.due());
            }
        }
        !searching.is_empty()
    }

    fn send_checks(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let channel = call.channel.id;
        let Some(stream) = &mut call.way.stream else { return };
        while let Some(transmit) = stream.poll_transmit(&mut self.scratch) {
            let octets = self.scratch.split().to_vec();
            let (component, to) = (transmit.path.component, transmit.path.remote);
            let check = MediaCommand::Check { channel, component, to, octets };
            self.effects.push_back(Effect::Media(check));
        }
    }

    fn follow_way(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(stream) = &call.way.stream else { return };
        let (state, failure) = (stream.state(), stream.failure());
        let mut moved = false;
        for (component, remote) in (1..).zip(&mut call.way.remote) {
            let found = stream.path(component).map(|path| path.remote);
            moved |= found.is_some() && found != *remote;
            *remote = found.or(*remote);
        }
        let dialect = stream.dialect();
        let remote = call.way.remote[0];
        let established = call.established();
        if moved {
            self.install_media(now, id);
        }
        match state {
            State::Connected | State::Completed => self.way_found(now, id, dialect, remote),
            // A fork that has no way may still be overtaken by another.
            State::Failed if established => {
                self.no_way(now, id, failure.unwrap_or(Failure::NoPair));
                return;
            }
            State::Gathering | State::Gathered | State::Checking | State::Plain | State::Failed => {}
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.way.answer_by.is_some() && !matches!(state, State::Checking | State::Connected) {
            call.way.answer_by = None;
            self.answer_reoffer(now, id);
        }
        self.send_last_offer(now, id);
    }

    fn way_found(&mut self, now: Instant, id: u32, dialect: Option<Dialect>, remote: Option<SocketAddr>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if std::mem::replace(&mut call.way.told, true) {
            return;
        }
        let dialect = dialect.map_or("", Dialect::as_str);
        let remote = remote.map(|remote| remote.to_string()).unwrap_or_default();
        self.trace_step(now, Lane::Server, Lane::Lync, "way found", format!("{dialect}, to {remote}"));
        self.log(Level::Debug, format!("call {id}: ICE ({dialect}) found the way to {remote}"));
    }

    /// ICE has given up: the call ends on both sides, and its record says why.
    fn no_way(&mut self, now: Instant, id: u32, failure: Failure) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.cause = format!("ICE: {failure}");
        call.refusal = Some(Refused::NoWay);
        let text = format!("call {id}: {}", call.cause);
        self.log(Level::Warning, text);
        self.trigger(now, id, Trigger::LocalFailure);
    }

    /// The controlling side names the chosen pairs in one more offer (MS-ICE2 3.1.4.8).
    fn send_last_offer(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Phase::Active, Some(session), false) = (call.phase, call.session, call.way.offering) else {
            return;
        };
        if call.offered.is_some() || !call.way.stream.as_mut().is_some_and(DataStream::take_last_offer) {
            return;
        }
        let description = self.further_offer(id, Rendering::Yes);
        match self.endpoint.reoffer(now, session, description, Rendering::Yes) {
            Ok(()) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.way.offering = true;
                }
            }
            Err(error) => {
                // Media flows already; the peer keeps what it has.
                if let Some(call) = self.calls.get_mut(&id) {
                    call.offered = None;
                }
                self.log(Level::Debug, format!("call {id}: the last offer could not be made: {error}"));
            }
        }
    }

    /// Whether it was our last offer that was answered or refused; what the handset wanted meanwhile is done then.
    pub(super) fn last_offer_over(&mut self, now: Instant, session: SessionId) -> bool {
        let Some(id) = self.by_session.get(&session).copied() else { return false };
        let Some(call) = self.calls.get_mut(&id) else { return false };
        if !std::mem::take(&mut call.way.offering) {
            return false;
        }
        if let Some(rendering) = call.way.wanted.take() {
            self.reoffer(now, id, rendering);
        }
        true
    }

    /// Our INVITE was refused because of its body: whether another form of it is sent now.
    pub(super) fn offer_other_form(&mut self, now: Instant, session: SessionId, status: StatusCode) -> bool {
        let Some(id) = self.by_session.get(&session).copied() else { return false };
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some(body) = call.way.other_forms.as_mut().and_then(|forms| forms.after(status.code())) else {
            return false;
        };
        let (Some(subscriber), Ok(target)) =
            (self.subscribers.get(call.subscriber), call.peer.uri.parse::<Uri>())
        else {
            return false;
        };
        let mut invite = Invite::new(target, body.octets);
        invite.content_type = body.content_type;
        let Ok(again) = self.endpoint.invite(now, subscriber.sip, invite) else { return false };
        call.session = Some(again);
        self.by_session.remove(&session);
        self.by_session.insert(again, id);
        true
    }
}

fn bases(channel: &Channel) -> [SocketAddr; 2] {
    [channel.network_rtp, channel.network_rtcp]
}
