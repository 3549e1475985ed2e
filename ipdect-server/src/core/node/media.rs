//! The speech of a call: offers, answers, bearers, and what the media workers are told.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use rfp_link::{BearerId, BearerKey, BearerKeys};
use sip_lync::ice::{self, Body, Fork};
use sip_lync::sdp::SessionDescription;
use sip_lync::{ForkId, Rendering, SessionId};
use srtp_sdes::{
    Agreed, CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterSalt, NegotiationConfig, Offered,
    ReceiverKeys, SenderKeys, answer_again,
};

use super::super::call::step::Trigger;
use super::super::media_plan::{self, Description, LocalMedia};
use super::super::radio::Dlei;
use super::super::vocabulary::{Effect, Lane, Level};
use super::Node;
use super::settings::srtp_policy;
use crate::config::Transport;
use crate::media::plan::{Flowing, G711, MediaCommand, MediaEvent, NetworkLeg, RadioLeg, Side, StreamPlan};

impl Node {
    fn negotiation(&self) -> NegotiationConfig {
        let media = &self.configuration.media;
        let mut config = NegotiationConfig::new(srtp_policy(media.srtp));
        config.include_lifetime = media.include_lifetime;
        config.include_mki = media.include_mki;
        config
    }

    /// Our first offer of a call: one description, or one for each dialect of ICE.
    pub(super) fn first_offer(&mut self, now: Instant, id: u32) -> Body {
        self.offer_ice(now, id);
        let offered = Offered::new(&self.negotiation(), srtp_sdes::Seed(self.draw.bytes("offer")));
        let boundary = format!("=_ipdect_{:08x}", self.draw.number("boundary"));
        let descriptions = self.describe_offer(id, offered, Flowing::BOTH);
        let mut descriptions = descriptions.into_iter();
        let Some(newer) = descriptions.next() else {
            return Body { content_type: "application/sdp".to_owned(), octets: Bytes::new() };
        };
        let mut offer = ice::Offer::new(newer, descriptions.next(), &boundary);
        let body = offer.first();
        if let Some(call) = self.calls.get_mut(&id) {
            call.way.other_forms = Some(offer);
        }
        body
    }

    /// Our offer in answer to an INVITE without one: always one description.
    pub(super) fn offer(&mut self, now: Instant, id: u32) -> Bytes {
        self.offer_ice(now, id);
        let offered = Offered::new(&self.negotiation(), srtp_sdes::Seed(self.draw.bytes("offer")));
        first(&self.describe_offer(id, offered, Flowing::BOTH))
    }

    /// A later offer of a call, which holds or goes on; keys stay as they are.
    pub(super) fn further_offer(&mut self, id: u32, rendering: Rendering) -> Bytes {
        let agreed = self.calls.get(&id).and_then(|call| call.agreed.clone()).unwrap_or(Agreed::Clear);
        let seed = srtp_sdes::Seed(self.draw.bytes("further offer"));
        let offered = Offered::again(&self.negotiation(), &agreed, seed);
        let flowing = match rendering {
            Rendering::Yes => Flowing::BOTH,
            Rendering::No => Flowing::NONE,
        };
        first(&self.describe_offer(id, offered, flowing))
    }

    fn describe_offer(&mut self, id: u32, offered: Offered, flowing: Flowing) -> Vec<SessionDescription> {
        let Some(call) = self.calls.get_mut(&id) else { return Vec::new() };
        call.version += 1;
        let local = LocalMedia {
            channel: call.channel,
            ssrc: call.network_ssrc,
            version: call.version,
            profile: offered.profile(),
            crypto: offered.attributes(),
            flowing,
            // Once agreed, the codec stays.
            codec: call.remote.as_ref().map(|remote| remote.codec),
        };
        call.offered = Some(offered);
        match &call.way.stream {
            None => vec![media_plan::offer(&local, None)],
            Some(stream) => (0..stream.descriptions())
                .map(|which| media_plan::offer(&local, Some((stream, which))))
                .collect(),
        }
    }

    /// Takes the peer's answer to our offer; false when it cannot be used.
    pub(super) fn take_answer(
        &mut self,
        now: Instant,
        session: SessionId,
        fork: ForkId,
        description: &Bytes,
    ) -> bool {
        let Some(id) = self.by_session.get(&session).copied() else { return false };
        let good = self.take_early_answer(now, id, fork, description);
        good && self.fork_chosen(id, fork)
    }

    /// The offer is answered, by this fork: what it said is agreed.
    pub(super) fn fork_chosen(&mut self, id: u32, fork: ForkId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        if let Some((remote, agreed)) = std::mem::take(&mut call.early).remove(&fork) {
            call.remote = Some(remote);
            call.agreed = Some(agreed);
        }
        call.offered = None;
        call.way.other_forms = None;
        if let Some(stream) = &mut call.way.stream
            && !stream.answered(Fork(fork.0))
        {
            call.way.stream = None;
        }
        self.searching.insert(id);
        call.agreed.is_some()
    }

    /// Takes the answer of an early dialog; another one may follow.
    pub(super) fn take_early_answer(
        &mut self,
        now: Instant,
        id: u32,
        fork: ForkId,
        description: &Bytes,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        // The 200 repeats what a provisional response said.
        let Some(offered) = call.offered.clone() else { return call.agreed.is_some() };
        let taken = media_plan::read(description).and_then(|Description { remote, profile, crypto }| {
            let lines: Vec<&str> = crypto.iter().map(String::as_str).collect();
            offered.answer(profile, &lines).map(|agreed| (remote, agreed)).map_err(|error| error.to_string())
        });
        match taken {
            Ok((remote, agreed)) => {
                call.early.insert(fork, (remote.clone(), agreed.clone()));
                call.remote = Some(remote);
                call.agreed = Some(agreed);
                self.take_ice_answer(now, id, fork)
            }
            Err(why) => {
                call.cause.clone_from(&why);
                self.log(Level::Warning, format!("call {id}: the peer's answer: {why}"));
                false
            }
        }
    }

    /// Takes the peer's offer; none when it cannot be answered.
    pub(super) fn take_offer(&mut self, id: u32, description: &Bytes) -> Option<()> {
        let negotiation = self.negotiation();
        let seed = srtp_sdes::Seed(self.draw.bytes("answer"));
        let call = self.calls.get_mut(&id)?;
        let previous = call.agreed.clone().unwrap_or(Agreed::Clear);
        let taken = media_plan::read(description).and_then(|Description { remote, profile, crypto }| {
            let lines: Vec<&str> = crypto.iter().map(String::as_str).collect();
            answer_again(&negotiation, &previous, profile, &lines, seed)
                .map(|answered| (remote, answered))
                .map_err(|refusal| refusal.to_string())
        });
        match taken {
            Ok((remote, answered)) => {
                call.remote = Some(remote);
                call.agreed = Some(answered.agreed.clone());
                call.answer_line = Some((answered.profile, answered.attribute));
                Some(())
            }
            Err(why) => {
                call.cause.clone_from(&why);
                self.log(Level::Warning, format!("call {id}: the peer's offer: {why}"));
                None
            }
        }
    }

    /// Our answer to the offer that was taken last.
    pub(super) fn answer_description(&mut self, id: u32) -> Option<Bytes> {
        let call = self.calls.get_mut(&id)?;
        let (profile, line) = call.answer_line.clone()?;
        let remote = call.remote.as_ref()?;
        call.version += 1;
        let holding = call.holding();
        let local = LocalMedia {
            channel: call.channel,
            ssrc: call.network_ssrc,
            version: call.version,
            profile,
            crypto: line.into_iter().collect(),
            flowing: if holding { Flowing::NONE } else { remote.flowing },
            codec: Some(remote.codec),
        };
        Some(media_plan::answer(&local, remote, call.way.stream.as_ref()))
    }

    /// Asks the base station for a bearer on the handset's connection, protected if both ends can.
    pub(super) fn open_bearer(&mut self, now: Instant, id: u32, link: Dlei) {
        // Keys never travel over a link that anybody can read.
        let protect = self.configuration.radio.transport == Transport::Tls && self.radio.protects(link);
        let keys = protect.then(|| BearerKeys {
            server: self.bearer_key("bearer"),
            base_station: self.bearer_key("bearer"),
        });
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.link = Some(link);
        call.radio_keys = keys.as_ref().and_then(bearer_protection);
        let (peer, ssrc) = (call.channel.radio, call.radio_ssrc);
        let how = if protect { "SRTP" } else { "RTP" };
        if let Some(bearer) = self.radio.open_bearer(now, link, peer, ssrc, keys) {
            self.trace_step(
                now,
                Lane::Server,
                Lane::Base,
                "open bearer",
                format!("G.726 over {how} to {peer}"),
            );
            if let Some(call) = self.calls.get_mut(&id) {
                call.bearer = Some(bearer);
            }
            self.by_bearer.insert(bearer, id);
        }
    }

    fn bearer_key(&mut self, label: &str) -> BearerKey {
        let mut key = [0; 30];
        key.copy_from_slice(&self.draw.bytes(label)[..30]);
        BearerKey(key)
    }

    pub(super) fn bearer_opened(&mut self, now: Instant, bearer: BearerId, local: SocketAddr) {
        if let Some(id) = self.by_bearer.get(&bearer).copied() {
            self.trace_step(now, Lane::Base, Lane::Server, "bearer opened", format!("at {local}"));
            if let Some(call) = self.calls.get_mut(&id) {
                call.radio = Some(local);
            }
            self.install_media(now, id);
        }
    }

    pub(super) fn bearer_lost(&mut self, now: Instant, bearer: BearerId, why: &str) {
        let Some(id) = self.by_bearer.remove(&bearer) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.bearer = None;
        call.radio = None;
        call.returns_to = None;
        let subscriber = call.subscriber;
        why.clone_into(&mut call.cause);
        self.log(Level::Warning, format!("call {id}: {why}"));
        self.trigger(now, id, Trigger::LocalFailure);
        self.handset_left(now, subscriber);
    }

    /// A handset's connection ended: the base station has closed its bearers.
    pub(super) fn link_released(&mut self, _now: Instant, link: Dlei) {
        let of_link: Vec<BearerId> = self
            .by_bearer
            .iter()
            .filter(|(_, id)| self.calls.get(id).is_some_and(|call| call.link == Some(link)))
            .map(|(bearer, _)| *bearer)
            .collect();
        for bearer in of_link {
            self.radio.forget_bearer(bearer);
            if let Some(id) = self.by_bearer.remove(&bearer)
                && let Some(call) = self.calls.get_mut(&id)
            {
                call.bearer = None;
                call.radio = None;
            }
        }
    }

    /// Tells the media worker what the call is now, as far as it is known.
    pub(super) fn install_media(&mut self, _now: Instant, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(remote_radio) = call.radio else { return };
        let holding = call.holding() || call.parked();
        let ice = call.way.stream.is_some();
        let [way, way_of_reports] = call.way.remote;
        let network = match (&call.remote, &call.agreed) {
            (Some(remote), Some(agreed)) => Some(NetworkLeg {
                remote_rtp: way.unwrap_or(remote.rtp),
                remote_rtcp: if ice { way_of_reports } else { Some(remote.rtcp) },
                payload_type: remote.payload_type,
                codec: remote.codec,
                telephone_event: remote.telephone_event,
                ssrc: call.network_ssrc,
                agreed: agreed.clone(),
                // Nothing of the handset leaves before the call is answered.
                flowing: Flowing {
                    send: remote.flowing.send
                        && !holding
                        && call.established()
                        // With ICE nothing is sent to an address that has not answered a check.
                        && (!ice || way.is_some()),
                    receive: remote.flowing.receive && !holding,
                },
            }),
            (None, _) | (_, None) => None,
        };
        let plan = StreamPlan {
            channel: call.channel.id,
            network,
            radio: RadioLeg {
                remote: remote_radio,
                ssrc: call.radio_ssrc,
                packing: telephony_audio::g726::Packing::Aal2,
                keys: call.radio_keys.clone(),
            },
        };
        self.effects.push_back(Effect::Media(MediaCommand::Install(Box::new(plan))));
    }

    pub(super) fn media_event(&mut self, now: Instant, event: &MediaEvent) {
        match event {
            MediaEvent::FirstPacket { channel, side } => {
                let (from, label) = match side {
                    Side::Radio => (Lane::Base, "speech"),
                    Side::Network => (Lane::Lync, "speech"),
                };
                self.trace_step(now, from, Lane::Server, label, "first packet".to_owned());
                self.log(Level::Debug, format!("channel {}: first packet of {side:?}", channel.0));
            }
            MediaEvent::Silent { channel, side } => {
                let side = match side {
                    Side::Network => "Lync",
                    Side::Radio => "the base station",
                };
                let call = self.calls.values().find(|call| call.channel.id == *channel && !call.parked());
                if let Some(call) = call.map(|call| call.id) {
                    self.log(Level::Warning, format!("call {call}: no speech from {side} for some seconds"));
                }
            }
            MediaEvent::KeyNearLimit { channel } => {
                // A further offer with a new key, well before the old one is used up.
                let id = self.calls.values().find(|call| call.channel.id == *channel).map(|call| call.id);
                if let Some(id) = id {
                    self.rekey(now, id);
                }
            }
            // Handed to ICE before.
            MediaEvent::Check { .. } => {}
            MediaEvent::Report { channel, counters } => {
                self.log(Level::Debug, format!("channel {}: {counters:?}", channel.0));
            }
        }
    }

    fn rekey(&mut self, now: Instant, id: u32) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.session) else { return };
        let offered = Offered::new(&self.negotiation(), srtp_sdes::Seed(self.draw.bytes("rekey")));
        let description = first(&self.describe_offer(id, offered, Flowing::BOTH));
        if let Err(error) = self.endpoint.reoffer(now, session, description, Rendering::Yes) {
            self.log(Level::Warning, format!("call {id}: no new key could be offered: {error}"));
        }
    }
}

/// The one description of a further offer.
fn first(descriptions: &[SessionDescription]) -> Bytes {
    descriptions.first().map(|session| session.to_string().into()).unwrap_or_default()
}

/// Our sending and receiving keys of a protected bearer (docs/radio-link.md 5.2).
fn bearer_protection(keys: &BearerKeys) -> Option<(SenderKeys, ReceiverKeys)> {
    let line = |key: &BearerKey| {
        let (key, salt) = key.0.split_at(16);
        let key = KeyParameter::new(MasterKey::new(key), MasterSalt::new(salt));
        CryptoAttribute::new(1, CryptoSuite::AesCm128HmacSha1_80, key)
    };
    let sender = SenderKeys::from_attribute(&line(&keys.server)).ok()?;
    Some((sender, ReceiverKeys::from_attribute(&line(&keys.base_station)).ok()?))
}

/// The name of a codec in the status.
pub(super) fn codec_name(codec: Option<G711>) -> String {
    codec.map(G711::name).unwrap_or_default().to_owned()
}
