//! The node: one shard of subscribers with everything they need, as one machine.
//!
//! Every input is answered within one call stack: base stations feed the DECT network layer, which feeds the calls, which
//! feed the SIP endpoint, and back; what leaves is an [`Effect`].

mod calls;
mod draw;
mod handsets;
mod ice;
mod media;
mod own_presence;
mod presence;
mod registrations;
mod sessions;
mod settings;
mod tracing;
mod transfers;
mod view;

pub use draw::Seed;
pub use view::Load;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::{BufMut, BytesMut};
use dect_nwk::fixed_part::KnownPortable;
use dect_nwk::identity::{Ari, Ipei, Rfpi, Tpui};
use dect_nwk::{FixedPart, FixedPartConfig};
use presence_pidf::category::DeviceCategory;
use presence_pidf::publisher::{Pace, Publisher, PublisherConfig};
use rfp_link::BearerId;
use sip_lync::{Endpoint, RequestId, SessionId};

use super::call::Call;
use super::channels::Channels;
use super::deadlines::{Deadlines, Waiter};
use super::proxies::Proxies;
use super::radio::Radio;
use super::subscriber::{Registration, Subscriber, SubscriberId, Subscribers, epid};
use super::vocabulary::{Command, Effect, FlowId, Input, Lane, Level, LinkId, Restored, StoreWrite};
use crate::config::{Authentication, Configuration, Transport};
use crate::media::plan::{Channel, MediaEvent};
use draw::Draw;
use settings::{endpoint_config, ipui_from_octets, presence_config};

/// Higher-layer capabilities that base stations broadcast: ADPCM, GAP speech, DSAA, location registration (EN 300 175-5 annex F).
const HIGHER_LAYER: u16 = bit(32) | bit(33) | bit(36) | bit(38);
/// Access rights requests are taken: handsets may subscribe.
const ACCESS_RIGHTS: u16 = bit(44);

const fn bit(a: u32) -> u16 {
    1 << (47 - a)
}

/// What a node cannot start without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// NTLM needs what is not built in.
    #[error("lync.authentication = \"ntlm\" is not available in this build: use \"trusted-server\"")]
    Ntlm,
    /// The identity of the radio system is missing.
    #[error("radio.ari is not set: `ipdect-server init` makes one")]
    Ari,
    /// A user's address is no SIP address.
    #[error("user {0}: the address is no SIP address")]
    Address(String),
    /// A proxy's address is no SIP address.
    #[error("proxy {0}: the address is no SIP address")]
    Proxy(String),
}

/// Who waits in the timing wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Endpoint,
    FixedPart,
    Proxy,
    SubscriptionWindow,
    Link(LinkId),
    Presence(SubscriberId),
    Call(u32),
    Way(u32),
    Shutdown,
}

/// One shard of subscribers.
#[derive(Debug)]
pub struct Node {
    configuration: Arc<Configuration>,
    started: Instant,
    wall: SystemTime,
    draw: Draw,
    endpoint: Endpoint,
    fixed_part: FixedPart,
    radio: Radio,
    subscribers: Subscribers,
    calls: BTreeMap<u32, Call>,
    next_call: u32,
    by_dect: BTreeMap<dect_nwk::CallId, u32>,
    by_session: BTreeMap<SessionId, u32>,
    by_bearer: BTreeMap<BearerId, u32>,
    publishing: BTreeMap<RequestId, SubscriberId>,
    /// What front ends tell users about themselves.
    own: own_presence::Own,
    publication_pace: Pace,
    channels: Channels,
    proxies: Proxies,
    /// The flow of a better proxy that is tried, with the name of the peer.
    better: Option<(FlowId, String)>,
    /// Who tries it.
    trying: Option<SubscriberId>,
    /// Connections that were left for a better proxy, with what still needs them.
    leaving: BTreeMap<FlowId, registrations::Left>,
    /// Why each proxy failed last.
    proxy_failures: Vec<String>,
    /// The flow on which registrations go, with the name of the peer.
    home: Option<(FlowId, String)>,
    accepted: BTreeSet<FlowId>,
    window_until: Option<Instant>,
    stopping: Option<Instant>,
    stopped: bool,
    deadlines: Deadlines<Waiting>,
    endpoint_waiter: Waiter,
    fixed_part_waiter: Waiter,
    proxy_waiter: Waiter,
    window_waiter: Waiter,
    shutdown_waiter: Waiter,
    link_waiters: BTreeMap<LinkId, Waiter>,
    /// Calls whose ICE may have something to say.
    searching: BTreeSet<u32>,
    /// Calls whose hold or retrieval waits until another offer is settled.
    waiting_offers: BTreeSet<u32>,
    /// Subscribers whose presence may have changed.
    touched: BTreeSet<SubscriberId>,
    tracing: bool,
    /// Whose connection it is, for the ladder.
    traced: BTreeMap<super::radio::Dlei, String>,
    effects: VecDeque<Effect>,
    outgoing: BytesMut,
    scratch: BytesMut,
}

impl Node {
    /// A node with its users; nothing happens before the first input or time-out.
    pub fn new(
        now: Instant,
        wall: SystemTime,
        configuration: &Arc<Configuration>,
        restored: &Restored,
        channels: Vec<Channel>,
        seed: Seed,
    ) -> Result<Self, StartError> {
        if configuration.lync.authentication == Authentication::Ntlm {
            return Err(StartError::Ntlm);
        }
        if configuration.radio.ari.is_unset() {
            return Err(StartError::Ari);
        }
        let mut draw = Draw::new(seed);
        let bits = u32::from_be_bytes(configuration.radio.ari.octets());
        let ari = Ari::from_bits(31, bits.into()).map_err(|_| StartError::Ari)?;
        let rfpi = Rfpi::new(false, ari, 0).map_err(|_| StartError::Ari)?;
        let mut radio_rules = FixedPartConfig::new(ari);
        radio_rules.parallel_calls = true;
        let fixed_part = FixedPart::new(radio_rules, dect_nwk::Seed(draw.bytes("fixed part")));
        let endpoint = Endpoint::new(endpoint_config(configuration), sip_lync::Seed(draw.bytes("endpoint")));
        let mut hello = rfp_link::Hello::server(
            configuration.network.hostname.clone(),
            concat!("ipdect-server ", env!("CARGO_PKG_VERSION")),
            rfpi.octets(),
        );
        if configuration.radio.transport == Transport::Tls {
            hello.capabilities |= rfp_link::capability::SRTP;
        }
        let mut deadlines = Deadlines::new(now);
        let listed = configuration.sip.proxies.iter().map(|proxy| {
            let uri = proxy.uri.to_string();
            let uri = uri.parse().map_err(|_| StartError::Proxy(uri))?;
            Ok((uri, proxy.priority, proxy.weight))
        });
        let proxies = Proxies::new(listed.collect::<Result<_, StartError>>()?, draw.bytes("proxies"));
        let mut node = Self {
            started: now,
            wall,
            endpoint,
            fixed_part,
            radio: Radio::new(hello, HIGHER_LAYER),
            subscribers: Subscribers::default(),
            calls: BTreeMap::new(),
            next_call: 1,
            by_dect: BTreeMap::new(),
            by_session: BTreeMap::new(),
            by_bearer: BTreeMap::new(),
            publishing: BTreeMap::new(),
            own: own_presence::Own::default(),
            publication_pace: Pace::new(Pace::PER_SECOND, u64::from(draw.number("presence"))),
            channels: Channels::new(channels),
            proxy_failures: vec![String::new(); configuration.sip.proxies.len()],
            proxies,
            better: None,
            trying: None,
            leaving: BTreeMap::new(),
            home: None,
            accepted: BTreeSet::new(),
            window_until: None,
            stopping: None,
            stopped: false,
            endpoint_waiter: deadlines.insert(Waiting::Endpoint),
            fixed_part_waiter: deadlines.insert(Waiting::FixedPart),
            proxy_waiter: deadlines.insert(Waiting::Proxy),
            window_waiter: deadlines.insert(Waiting::SubscriptionWindow),
            shutdown_waiter: deadlines.insert(Waiting::Shutdown),
            deadlines,
            link_waiters: BTreeMap::new(),
            searching: BTreeSet::new(),
            waiting_offers: BTreeSet::new(),
            touched: BTreeSet::new(),
            tracing: false,
            traced: BTreeMap::new(),
            effects: VecDeque::new(),
            outgoing: BytesMut::new(),
            scratch: BytesMut::new(),
            draw,
            configuration: Arc::clone(configuration),
        };
        for user in &configuration.users {
            node.add_subscriber(now, user, restored)?;
        }
        node.allow_subscription(now);
        if configuration.lync.enabled {
            node.dial(now);
        }
        node.settle(now);
        Ok(node)
    }

    /// Makes arrows of the message ladder.
    pub fn trace(&mut self, on: bool) {
        self.tracing = on;
    }

    /// Something happened outside.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::FlowOpened { flow, proxy, local, remote, peer_names } => {
                self.flow_opened(now, flow, proxy, local, remote, peer_names);
            }
            Input::FlowBytes { flow, bytes } => {
                self.trace_sip(now, Lane::Lync, Lane::Server, bytes);
                // What a peer breaks is reported as an event of the endpoint too, which closes the flow.
                let _breach = self
                    .endpoint
                    .handle_input(now, sip_lync::Input::Bytes { flow: sip_lync::FlowId(flow.0), bytes });
            }
            Input::FlowClosed { flow, reason } => self.flow_closed(now, flow, &reason),
            Input::DialFailed { flow, reason } => self.dial_failed(now, flow, &reason),
            Input::LinkOpened { link, remote } => {
                let waiter = self.deadlines.insert(Waiting::Link(link));
                if let Some(old) = self.link_waiters.insert(link, waiter) {
                    self.deadlines.remove(old);
                }
                self.radio.opened(now, link, remote);
            }
            Input::LinkBytes { link, bytes } => self.radio.bytes(now, link, bytes),
            Input::LinkClosed { link } => {
                self.radio.closed(now, link);
                if let Some(waiter) = self.link_waiters.remove(&link) {
                    self.deadlines.remove(waiter);
                }
            }
            Input::Media(MediaEvent::Check { channel, component, from, octets }) => {
                self.check_arrived(now, channel, component, from, &octets);
            }
            Input::Media(event) => self.media_event(now, &event),
            Input::Command(command) => self.command(now, &command),
            Input::Shutdown => self.shutdown(now),
        }
        self.settle(now);
    }

    /// A deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(waiting) = self.deadlines.expire(now) {
            match waiting {
                Waiting::Endpoint => self.endpoint.handle_timeout(now),
                Waiting::FixedPart => self.fixed_part.handle_timeout(now),
                Waiting::Proxy => self.dial(now),
                Waiting::SubscriptionWindow => {
                    self.window_until = None;
                    self.allow_subscription(now);
                }
                Waiting::Link(link) => self.radio.handle_timeout(now, link),
                Waiting::Presence(id) => self.presence_timeout(now, id),
                Waiting::Call(id) => self.call_timeout(now, id),
                Waiting::Way(id) => self.way_timeout(now, id),
                Waiting::Shutdown => self.finish(),
            }
            self.settle(now);
        }
        self.settle(now);
    }

    /// The next thing to do outside; octets it speaks of were appended to `buffer`.
    pub fn poll_effect(&mut self, buffer: &mut BytesMut) -> Option<Effect> {
        let effect = self.effects.pop_front()?;
        if let Effect::FlowBytes { len, .. } | Effect::LinkBytes { len, .. } = effect {
            buffer.put(self.outgoing.split_to(len));
        }
        Some(effect)
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    fn add_subscriber(
        &mut self,
        now: Instant,
        user: &crate::config::User,
        restored: &Restored,
    ) -> Result<(), StartError> {
        let address = user.address(&self.configuration.sip.default_domain);
        let wrong = || StartError::Address(address.clone());
        let scheme = if self.configuration.sip.use_sips_uri { "sips" } else { "sip" };
        let uri: sip_lync::SipUri = format!("{scheme}:{address}").parse().map_err(|_| wrong())?;
        let domain = address.split_once('@').map(|(_, domain)| domain.to_owned()).ok_or_else(wrong)?;
        let Ok(ipei) = user.ipei.text().parse::<Ipei>() else {
            // A user without a handset is configured for later.
            return Ok(());
        };
        let mut sip_user = sip_lync::User::new(uri, epid(user.ipei.text(), &address));
        if !user.display_name.is_empty() {
            sip_user.display_name = Some(user.display_name.clone());
        }
        let sip = self.endpoint.add_user(sip_user);
        let mut presence = presence_pidf::HandsetPresence::new(now, presence_config(&self.configuration));
        let ended = restored.presence_ends.iter().find(|(known, _)| known == user.ipei.text());
        let age = ended.and_then(|(_, at)| self.wall.duration_since(*at).ok());
        presence.restart(now, age);
        let kept = restored.subscriptions.iter().find(|kept| kept.ipei == user.ipei.text());
        let location = restored.locations.iter().find(|(known, _)| known == user.ipei.text());
        let portable =
            kept.and_then(|kept| Some((ipui_from_octets(&kept.ipui)?, kept))).map(|(ipui, kept)| {
                let mut known = KnownPortable::new(ipui);
                known.uak = Some(dect_nwk::authentication::Key128::new(kept.uak));
                known.dsaa2 = kept.dsaa2;
                known.tpui = location.and_then(|(_, tpui)| Tpui::new((*tpui)?).ok());
                self.fixed_part.add_portable(known)
            });
        let located = portable.is_some() && location.is_some();
        if user.disabled || !located {
            presence.disabled(now);
        }
        let resumed = presence.last_end_age(now).and_then(|age| self.wall.checked_sub(age));
        let kept_end = resumed.or_else(|| ended.map(|(_, at)| *at));
        let epid = epid(user.ipei.text(), &address);
        let mut publication = PublisherConfig::new(&format!("sip:{address}"), &epid);
        let uuid = sip_lync::gruu::InstanceId::from_epid(&epid).to_string();
        publication.device = Some(DeviceCategory::telephone(uuid));
        publication.learn_first = self.configuration.presence.first_log_on;
        let publisher = Publisher::new(publication);
        let subscriber = Subscriber {
            user: user.clone(),
            ipei,
            address,
            domain,
            sip,
            portable,
            located,
            heard: None,
            base: None,
            registration: Registration::Unwanted,
            presence,
            kept_end,
            publisher,
            waiter: self.deadlines.insert(Waiting::Call(0)),
            calls: BTreeSet::new(),
        };
        let id = self.subscribers.add(subscriber);
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            self.deadlines.remove(subscriber.waiter);
            subscriber.waiter = self.deadlines.insert(Waiting::Presence(id));
        }
        self.touched.insert(id);
        self.want_registration(now, id);
        Ok(())
    }

    /// Lets the machines speak to each other until all are silent, then notes their deadlines.
    fn settle(&mut self, now: Instant) {
        loop {
            let busy = self.drain_radio(now)
                | self.drain_fixed_part(now)
                | self.drain_endpoint(now)
                | self.drain_offers(now)
                | self.drain_ice(now)
                | self.drain_presence(now);
            if !busy {
                break;
            }
        }
        self.deadlines.set(self.endpoint_waiter, self.endpoint.poll_timeout());
        self.deadlines.set(self.fixed_part_waiter, self.fixed_part.poll_timeout());
        let proxies = if self.configuration.lync.enabled { self.proxies.poll_timeout(now) } else { None };
        self.deadlines.set(self.proxy_waiter, proxies);
        self.close_left_flows(now);
        for (link, deadline) in self.radio.take_touched() {
            if let Some(waiter) = self.link_waiters.get(&link) {
                self.deadlines.set(*waiter, deadline);
            }
        }
        self.look_whether_stopped();
    }

    fn drain_endpoint(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(transmit) = self.endpoint.poll_transmit(&mut self.scratch) {
            busy = true;
            let bytes = self.scratch.split();
            self.trace_sip(now, Lane::Server, Lane::Lync, &bytes);
            self.outgoing.put_slice(&bytes);
            self.effects.push_back(Effect::FlowBytes { flow: FlowId(transmit.flow.0), len: transmit.len });
        }
        while let Some(event) = self.endpoint.poll_event() {
            busy = true;
            self.sip_event(now, event);
        }
        busy
    }

    fn at_ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis() as u64
    }

    fn wall_at(&self, now: Instant) -> SystemTime {
        self.wall + now.saturating_duration_since(self.started)
    }

    fn log(&mut self, level: Level, text: impl Into<String>) {
        self.effects.push_back(Effect::Log { level, text: text.into() });
    }

    fn store(&mut self, write: StoreWrite) {
        self.effects.push_back(Effect::Store(write));
    }

    fn command(&mut self, now: Instant, command: &Command) {
        match command {
            Command::OpenSubscription { seconds } => {
                let until = now + std::time::Duration::from_secs(u64::from((*seconds).min(86_400)));
                self.window_until = Some(until);
                self.deadlines.set(self.window_waiter, Some(until));
                self.allow_subscription(now);
            }
            Command::CloseSubscription => {
                self.window_until = None;
                self.deadlines.set(self.window_waiter, None);
                self.allow_subscription(now);
            }
            Command::RemoveSubscription { ipei } => {
                let portable = ipei
                    .parse::<Ipei>()
                    .ok()
                    .and_then(|ipei| self.subscribers.of_ipei(ipei))
                    .and_then(|id| self.subscribers.get(id))
                    .and_then(|subscriber| subscriber.portable);
                if let Some(portable) = portable {
                    let done = self.fixed_part.terminate_access(now, portable);
                    self.note_dect(done);
                }
            }
            Command::EndCall { id } => self.trigger(now, *id, super::call::step::Trigger::End),
        }
    }
}
