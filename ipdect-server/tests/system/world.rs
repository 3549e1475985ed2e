//! A whole installation in virtual time: front end, users, base stations, handsets and the server, without a socket.
//!
//! Bytes and datagrams take a latency; everything else follows from the seed. The clock jumps from event to event.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;
use dect_nwk::identity::Ipei;
use ipdect_server::config::Configuration;
use ipdect_server::core::node::{Load, Node, Seed};
use ipdect_server::core::status::Status;
use ipdect_server::core::vocabulary::{Command, Effect, FlowId, Input, Level, LinkId, Restored, StoreWrite};
use ipdect_server::media::plan::{Channel, ChannelId, Counters, MediaCommand, MediaEvent};
use ipdect_server::media::stream::{Outgoing, PACKET, Stream};
use ipdect_sim::base::{self, BaseConfig, BaseStation};
use ipdect_sim::frontend::{self, FrontEnd, FrontEndConfig, FrontEndUser};
use ipdect_sim::handset::{HandsetConfig, HandsetEvent};
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::talk::Talk;
use ipdect_sim::user::{self, LyncUser, MediaPlan, UserConfig};
use rfp_link::VersionRange;
use sip_lync::ice::Dialect;
use sip_lync::stun::{PacketKind, demultiplex};

/// How long everything is on its way.
const LATENCY: Duration = Duration::from_millis(3);
const TICK: Duration = Duration::from_millis(20);

pub(crate) const DOMAIN: &str = "example.net";
pub(crate) const JIM: &str = "05003 0070387";
pub(crate) const ANN: &str = "05003 0070388";
pub(crate) const PIN: &str = "1234";

/// What is on its way.
enum Parcel {
    NodeFlow(FlowId, Vec<u8>),
    NodeFlowClosed(FlowId),
    Dial(FlowId, usize),
    FrontEnd(u32, Vec<u8>),
    FrontEndClosed(u32),
    User(usize, Vec<u8>),
    UserClosed(usize),
    NodeLink(LinkId, Vec<u8>),
    NodeLinkClosed(LinkId),
    Base(usize, Vec<u8>),
    BaseClosed(usize),
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
}

/// Who is at the other end of a connection of the front end.
#[derive(Clone, Copy)]
enum Peer {
    Node(FlowId),
    User(usize),
}

pub(crate) struct User {
    pub(crate) machine: LyncUser,
    pub(crate) events: Vec<user::Event>,
    talk: Option<(Talk, SocketAddr)>,
    pub(crate) recorded: Vec<i16>,
    media: [SocketAddr; 2],
    flow: Option<u32>,
}

struct Bearer {
    talk: Talk,
    peer: SocketAddr,
    ipei: Ipei,
}

pub(crate) struct Base {
    pub(crate) machine: BaseStation,
    bearers: BTreeMap<usize, Bearer>,
    media: Vec<SocketAddr>,
    link: Option<LinkId>,
    pub(crate) downs: Vec<String>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    start: Instant,
    pub(crate) node: Node,
    pub(crate) front_end: Option<FrontEnd>,
    front_end_config: FrontEndConfig,
    pub(crate) front_end_events: Vec<frontend::Event>,
    peers: BTreeMap<u32, Peer>,
    node_flows: BTreeMap<FlowId, u32>,
    /// Which proxy a flow leads to.
    proxy_of: BTreeMap<FlowId, usize>,
    /// Proxies that cannot be reached.
    pub(crate) closed: BTreeSet<usize>,
    /// Which proxies were dialled, and when.
    pub(crate) dialled: Vec<(Duration, usize)>,
    next_flow: u32,
    pub(crate) users: Vec<User>,
    pub(crate) bases: Vec<Base>,
    pub(crate) handset_events: Vec<(Ipei, HandsetEvent)>,
    pub(crate) recorded: BTreeMap<Ipei, Vec<i16>>,
    links: BTreeMap<LinkId, usize>,
    next_link: u32,
    channels: BTreeMap<ChannelId, Channel>,
    streams: BTreeMap<ChannelId, Stream>,
    listening: BTreeSet<ChannelId>,
    pub(crate) loss: u64,
    /// Datagrams between users and the server, with their first octet and whether they arrived.
    pub(crate) datagrams: Vec<(SocketAddr, SocketAddr, u8, bool)>,
    pub(crate) counters: Vec<Counters>,
    /// Lengths of the datagrams between base stations and the server.
    pub(crate) bearer_lengths: BTreeSet<usize>,
    dice: u64,
    queue: BTreeMap<(Instant, u64), Parcel>,
    sent: u64,
    next_tick: Instant,
    pub(crate) logs: Vec<(Level, String)>,
    pub(crate) stored: Vec<StoreWrite>,
    pub(crate) stopped: bool,
    /// What the node sent to the front end.
    pub(crate) said: Vec<String>,
    /// Everything the node said, for comparing runs.
    pub(crate) transcript: Vec<String>,
}

pub(crate) struct Options {
    pub(crate) configuration: String,
    pub(crate) seed: u64,
    pub(crate) handsets: Vec<(String, String)>,
    pub(crate) users: Vec<(String, String)>,
    pub(crate) base_versions: Vec<Option<VersionRange>>,
    pub(crate) restored: Restored,
    /// How long after 1970 the server starts.
    pub(crate) wall: Duration,
    /// The first user is the mixer of a conference.
    pub(crate) conference: bool,
    /// No client of the handsets' users has ever logged on.
    pub(crate) never_logged_on: bool,
    /// The dialect of ICE that users speak.
    pub(crate) user_ice: Option<Dialect>,
    /// Users are heard before they answer.
    pub(crate) early_media: bool,
    /// Proxies that cannot be reached.
    pub(crate) closed: BTreeSet<usize>,
    /// Of a hundred datagrams between users and the server so many are lost.
    pub(crate) loss: u64,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            configuration: configuration(PIN, &[(JIM, "jim", ""), (ANN, "ann", "")], ""),
            seed: 1,
            handsets: vec![(JIM.into(), PIN.into()), (ANN.into(), PIN.into())],
            users: vec![("alice".into(), "+14255550100".into()), ("bob".into(), "+14255550101".into())],
            base_versions: vec![None],
            restored: Restored::default(),
            wall: Duration::from_secs(1_700_000_000),
            conference: false,
            never_logged_on: false,
            user_ice: Some(Dialect::MsIce2),
            early_media: false,
            closed: BTreeSet::new(),
            loss: 0,
        }
    }
}

/// A configuration as an administrator writes it.
pub(crate) fn configuration(pin: &str, users: &[(&str, &str, &str)], more: &str) -> String {
    let mut text = format!(
        r#"
[sip]
default_domain = "{DOMAIN}"
listen = "127.0.0.1:5061"
proxies = [{{ uri = "sip:pool.{DOMAIN}:5061" }}]
[media]
voice_channels = 4
[tls]
certificate = "host.pem"
key = "host.key"
[network]
hostname = "dect.{DOMAIN}"
[radio]
ari = "1f102f0e86"
system_access_code = "{pin}"
[presence]
available = 300
inactive = 300
{more}
"#
    );
    for (ipei, username, access_code) in users {
        text.push_str(&format!(
            "[[user]]\nipei = \"{ipei}\"\nusername = \"{username}\"\ndisplay_name = \"Handset {username}\"\naccess_code = \"{access_code}\"\n"
        ));
    }
    text
}

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], port))
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let start = Instant::now();
        let now = start;
        let configuration = Configuration::parse(&options.configuration, std::path::Path::new("ipdect.toml"))
            .unwrap_or_else(|problems| panic!("{problems}"));
        let channels: Vec<Channel> = (0..configuration.media.voice_channels)
            .map(|number| Channel {
                id: ChannelId(number),
                network_rtp: address(1, 20_000 + number * 2),
                network_rtcp: address(1, 20_001 + number * 2),
                radio: address(1, 30_000 + number),
            })
            .collect();
        let node = Node::new(
            now,
            SystemTime::UNIX_EPOCH + options.wall,
            &Arc::new(configuration),
            &options.restored,
            channels.clone(),
            Seed([options.seed as u8; 32]),
        )
        .expect("a configuration that is right");
        let mut front_end_config = FrontEndConfig::new(&format!("pool.{DOMAIN}"), DOMAIN);
        front_end_config.trusted = vec![format!("dect.{DOMAIN}"), format!("client.{DOMAIN}")];
        if options.never_logged_on {
            front_end_config.new_users = presence_pidf::notifier::NewUsers::NeverLoggedOn;
        }
        let known = options
            .users
            .iter()
            .map(|(name, tel)| (name.clone(), Some(tel.clone())))
            .chain([
                ("jim".to_owned(), Some("+14255550200".to_owned())),
                ("ann".to_owned(), Some("+14255550201".to_owned())),
            ])
            .collect::<BTreeMap<_, _>>();
        for (name, tel) in known {
            let mut user = FrontEndUser::new(format!("sip:{name}@{DOMAIN}").parse().expect("a URI"));
            user.tel = tel;
            user.display_name = Some(format!("User {name}"));
            front_end_config.users.push(user);
        }
        let users = options
            .users
            .iter()
            .enumerate()
            .map(|(number, (name, _))| {
                let mut config = UserConfig::new(format!("sip:{name}@{DOMAIN}").parse().expect("a URI"));
                let port = 40_000 + 2 * number as u16;
                let media = [address(3, port), address(3, port + 1)];
                [config.media_rtp, config.media_rtcp] = media;
                config.ice = options.user_ice;
                config.early_media = options.early_media;
                // A user may have several clients.
                config.epid.push_str(&number.to_string());
                config.display_name = Some(format!("User {name}"));
                if options.conference && number == 0 {
                    let mixer = format!("sip:{name}@{DOMAIN};gruu;opaque=app:conf:audio-video:id:5D3J");
                    config.service = Some(mixer.parse().expect("a URI"));
                }
                User {
                    machine: LyncUser::new(
                        config,
                        ipdect_sim::Seed::from_number(options.seed * 100 + number as u64),
                    ),
                    events: Vec::new(),
                    talk: None,
                    recorded: Vec::new(),
                    media,
                    flow: None,
                }
            })
            .collect();
        let bases = options
            .base_versions
            .iter()
            .enumerate()
            .map(|(number, versions)| {
                let media: Vec<SocketAddr> =
                    (0..4).map(|channel| address(4 + number as u8, 50_000 + channel)).collect();
                let mut config = BaseConfig::new(number as u8, &format!("base-{number}"));
                config.media.clone_from(&media);
                if let Some(versions) = versions {
                    config.protocol = *versions;
                }
                if number == 0 {
                    for (ipei, pin) in &options.handsets {
                        config.handsets.push(HandsetConfig::new(ipei.parse().expect("an IPEI"), Some(pin)));
                    }
                }
                let seed = ipdect_sim::Seed::from_number(options.seed * 1000 + number as u64);
                Base {
                    machine: BaseStation::new(now, config, seed),
                    bearers: BTreeMap::new(),
                    media,
                    link: None,
                    downs: Vec::new(),
                }
            })
            .collect();
        let mut world = Self {
            now,
            start,
            node,
            front_end: None,
            front_end_config,
            front_end_events: Vec::new(),
            peers: BTreeMap::new(),
            node_flows: BTreeMap::new(),
            proxy_of: BTreeMap::new(),
            closed: options.closed.clone(),
            dialled: Vec::new(),
            next_flow: 1,
            users,
            bases,
            handset_events: Vec::new(),
            recorded: BTreeMap::new(),
            links: BTreeMap::new(),
            next_link: 0,
            channels: channels.into_iter().map(|channel| (channel.id, channel)).collect(),
            streams: BTreeMap::new(),
            listening: BTreeSet::new(),
            loss: options.loss,
            datagrams: Vec::new(),
            counters: Vec::new(),
            bearer_lengths: BTreeSet::new(),
            dice: options.seed,
            queue: BTreeMap::new(),
            sent: 0,
            next_tick: start + TICK,
            logs: Vec::new(),
            stored: Vec::new(),
            stopped: false,
            said: Vec::new(),
            transcript: Vec::new(),
        };
        world.start_front_end();
        for base in 0..world.bases.len() {
            world.connect_base(base);
        }
        world.drain();
        world
    }

    /// Everything is up: handsets subscribed and located, users and handsets registered.
    pub(crate) fn settled(options: &Options) -> Self {
        let mut world = Self::new(options);
        world.settle(options);
        world
    }

    /// Handsets subscribe and are switched on.
    pub(crate) fn settle(&mut self, options: &Options) {
        self.run(Duration::from_secs(1));
        for (ipei, _) in &options.handsets {
            self.handset(ipei, &HandsetCommand::Subscribe(None));
            self.run(Duration::from_secs(2));
            self.handset(ipei, &HandsetCommand::SwitchOn);
            self.run(Duration::from_secs(2));
        }
        self.run(Duration::from_secs(5));
    }

    pub(crate) fn status(&self) -> Status {
        self.node.status(self.now)
    }

    pub(crate) fn load(&self) -> Load {
        self.node.load()
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.node.handle_input(self.now, Input::Command(command));
        self.drain();
    }

    pub(crate) fn shutdown(&mut self) {
        self.node.handle_input(self.now, Input::Shutdown);
        self.drain();
    }

    pub(crate) fn handset(&mut self, ipei: &str, command: &HandsetCommand) {
        let ipei: Ipei = ipei.parse().expect("an IPEI");
        let now = self.now;
        let done = self.bases.iter_mut().any(|base| base.machine.command(now, ipei, command));
        assert!(done, "no base station has handset {ipei}");
        self.drain();
    }

    /// A handset or user speaks.
    pub(crate) fn handset_speaks(&mut self, ipei: &str, samples: &[i16]) {
        let ipei: Ipei = ipei.parse().expect("an IPEI");
        for base in &mut self.bases {
            if let Some(bearer) = base.bearers.values_mut().find(|bearer| bearer.ipei == ipei) {
                bearer.talk.play(samples);
                return;
            }
        }
        panic!("handset {ipei} has no bearer");
    }

    pub(crate) fn user_speaks(&mut self, user: usize, samples: &[i16]) {
        self.users[user].talk.as_mut().expect("the user is in a call").0.play(samples);
    }

    /// Lets a user do something, then delivers what follows.
    pub(crate) fn user(&mut self, user: usize, act: impl FnOnce(&mut LyncUser, Instant)) {
        act(&mut self.users[user].machine, self.now);
        self.drain();
    }

    pub(crate) fn events_of(&self, ipei: &str) -> Vec<&HandsetEvent> {
        let ipei: Ipei = ipei.parse().expect("an IPEI");
        self.handset_events.iter().filter(|(of, _)| *of == ipei).map(|(_, event)| event).collect()
    }

    pub(crate) fn registered(&self) -> usize {
        self.status().handsets.iter().filter(|handset| handset.registered).count()
    }

    // Faults.

    /// The front end begins or ends to misbehave.
    pub(crate) fn faults(&mut self, faults: &[&str]) {
        let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
        self.front_end.as_mut().expect("a front end").set_faults(faults);
        self.drain();
    }

    /// The mail box of a user has so many new messages.
    pub(crate) fn voice_messages(&mut self, user: &str, unread: u32) {
        let now = self.now;
        self.front_end.as_mut().expect("a front end").set_voice_messages(now, user, unread);
        self.drain();
    }

    /// The connections of the server that stand, by proxy.
    pub(crate) fn connected(&self) -> Vec<usize> {
        self.node_flows.keys().map(|flow| self.proxy_of[flow]).collect()
    }

    /// A proxy goes away, and the connections with it.
    pub(crate) fn close_proxy(&mut self, proxy: usize) {
        self.closed.insert(proxy);
        let gone: Vec<(FlowId, u32)> = self
            .node_flows
            .iter()
            .filter(|(flow, _)| self.proxy_of[*flow] == proxy)
            .map(|(flow, number)| (*flow, *number))
            .collect();
        for (flow, number) in gone {
            self.node_flows.remove(&flow);
            self.peers.remove(&number);
            self.post(Parcel::NodeFlowClosed(flow));
            self.post(Parcel::FrontEndClosed(number));
        }
    }

    pub(crate) fn kill_front_end(&mut self) {
        self.front_end = None;
        let peers = std::mem::take(&mut self.peers);
        for peer in peers.into_values() {
            match peer {
                Peer::Node(flow) => {
                    self.node_flows.remove(&flow);
                    self.post(Parcel::NodeFlowClosed(flow));
                }
                Peer::User(user) => {
                    self.users[user].flow = None;
                    self.post(Parcel::UserClosed(user));
                }
            }
        }
    }

    pub(crate) fn start_front_end(&mut self) {
        let seed = ipdect_sim::Seed::from_number(u64::from(self.next_flow));
        self.front_end = Some(FrontEnd::new(self.front_end_config.clone(), seed));
        for user in 0..self.users.len() {
            let flow = self.next_flow;
            self.next_flow += 1;
            self.peers.insert(flow, Peer::User(user));
            self.users[user].flow = Some(flow);
            let (local, remote) = (address(3, 60_000 + flow as u16), address(2, 5061));
            if let Some(front_end) = &mut self.front_end {
                front_end.handle_input(
                    self.now,
                    frontend::Input::FlowOpened {
                        flow: frontend::FlowId(flow),
                        local: remote,
                        remote: local,
                        peer_names: vec![format!("client.{DOMAIN}")],
                    },
                );
            }
            self.users[user].machine.handle_input(self.now, user::Input::FlowOpened { local, remote });
        }
        self.drain();
    }

    pub(crate) fn cut_base(&mut self, base: usize) {
        if let Some(link) = self.bases[base].link.take() {
            self.links.remove(&link);
            self.post(Parcel::NodeLinkClosed(link));
            self.post(Parcel::BaseClosed(base));
        }
    }

    pub(crate) fn connect_base(&mut self, base: usize) {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.links.insert(link, base);
        self.bases[base].link = Some(link);
        self.node.handle_input(self.now, Input::LinkOpened { link, remote: address(4 + base as u8, 4711) });
        self.bases[base].machine.handle_input(self.now, base::Input::Opened);
        self.drain();
    }

    // The clock.

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
        self.drain();
    }

    /// Runs until something is so, at most for a while; whether it came to be so.
    pub(crate) fn run_until(&mut self, limit: Duration, mut so: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if so(self) {
                return true;
            }
            if !self.step(end) {
                self.now = end;
                self.drain();
                return so(self);
            }
        }
    }

    /// Does what comes next, not after `end`.
    fn step(&mut self, end: Instant) -> bool {
        let mut next = self.queue.keys().next().map(|(at, _)| *at);
        let mut sooner = |at: Option<Instant>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |next: Instant| next.min(at)));
            }
        };
        sooner(self.node.poll_timeout());
        sooner(self.front_end.as_ref().and_then(FrontEnd::poll_timeout));
        for user in &self.users {
            sooner(user.machine.poll_timeout());
            sooner(user.talk.as_ref().and_then(|(talk, _)| talk.poll_timeout()));
        }
        for base in &self.bases {
            sooner(base.machine.poll_timeout());
            for bearer in base.bearers.values() {
                sooner(bearer.talk.poll_timeout());
            }
        }
        if !self.streams.is_empty() {
            sooner(Some(self.next_tick));
        }
        let Some(next) = next.filter(|next| *next <= end) else { return false };
        self.now = self.now.max(next);
        let now = self.now;
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= now
        {
            let parcel = entry.remove();
            self.deliver(parcel);
        }
        if self.node.poll_timeout().is_some_and(|at| at <= now) {
            self.node.handle_timeout(now);
        }
        if let Some(front_end) = &mut self.front_end
            && front_end.poll_timeout().is_some_and(|at| at <= now)
        {
            front_end.handle_timeout(now);
        }
        for user in &mut self.users {
            if user.machine.poll_timeout().is_some_and(|at| at <= now) {
                user.machine.handle_timeout(now);
            }
        }
        for base in &mut self.bases {
            if base.machine.poll_timeout().is_some_and(|at| at <= now) {
                base.machine.handle_timeout(now);
            }
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick_streams();
        }
        self.drain();
        true
    }

    fn post(&mut self, parcel: Parcel) {
        self.sent += 1;
        self.queue.insert((self.now + LATENCY, self.sent), parcel);
    }

    fn deliver(&mut self, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::NodeFlow(flow, bytes) => {
                self.node.handle_input(now, Input::FlowBytes { flow, bytes: &bytes });
            }
            Parcel::NodeFlowClosed(flow) => {
                self.node.handle_input(now, Input::FlowClosed { flow, reason: "connection reset".into() });
            }
            Parcel::Dial(flow, proxy) => self.dialled(flow, proxy),
            Parcel::FrontEnd(flow, bytes) => {
                if let Some(front_end) = &mut self.front_end {
                    let flow = frontend::FlowId(flow);
                    front_end.handle_input(now, frontend::Input::Bytes { flow, bytes: &bytes });
                }
            }
            Parcel::FrontEndClosed(flow) => {
                if let Some(front_end) = &mut self.front_end {
                    front_end.handle_input(now, frontend::Input::FlowClosed { flow: frontend::FlowId(flow) });
                }
            }
            Parcel::User(user, bytes) => {
                self.users[user].machine.handle_input(now, user::Input::Bytes(&bytes));
            }
            Parcel::UserClosed(user) => self.users[user].machine.handle_input(now, user::Input::FlowClosed),
            Parcel::NodeLink(link, bytes) => {
                self.node.handle_input(now, Input::LinkBytes { link, bytes: &bytes });
            }
            Parcel::NodeLinkClosed(link) => self.node.handle_input(now, Input::LinkClosed { link }),
            Parcel::Base(base, bytes) => {
                self.bases[base].machine.handle_input(now, base::Input::Bytes(&bytes));
            }
            Parcel::BaseClosed(base) => self.bases[base].machine.handle_input(now, base::Input::Closed),
            Parcel::Datagram { from, to, bytes } => self.datagram(from, to, bytes),
        }
    }

    fn dialled(&mut self, flow: FlowId, proxy: usize) {
        let now = self.now;
        self.dialled.push((now - self.start, proxy));
        if self.front_end.is_none() || self.closed.contains(&proxy) {
            self.node.handle_input(now, Input::DialFailed { flow, reason: "connection refused".into() });
            return;
        }
        let number = self.next_flow;
        self.next_flow += 1;
        self.peers.insert(number, Peer::Node(flow));
        self.node_flows.insert(flow, number);
        self.proxy_of.insert(flow, proxy);
        let (local, remote) = (address(1, 61_000), address(2, 5061));
        if let Some(front_end) = &mut self.front_end {
            front_end.handle_input(
                now,
                frontend::Input::FlowOpened {
                    flow: frontend::FlowId(number),
                    local: remote,
                    remote: local,
                    peer_names: vec![format!("dect.{DOMAIN}")],
                },
            );
        }
        let peer_names = vec![format!("pool.{DOMAIN}")];
        self.node
            .handle_input(now, Input::FlowOpened { flow, proxy: Some(proxy), local, remote, peer_names });
    }

    /// Takes what every machine has to say.
    fn drain(&mut self) {
        self.drain_node();
        self.drain_front_end();
        for user in 0..self.users.len() {
            self.drain_user(user);
        }
        for base in 0..self.bases.len() {
            self.drain_base(base);
        }
    }

    fn drain_node(&mut self) {
        let mut buffer = BytesMut::new();
        while let Some(effect) = self.node.poll_effect(&mut buffer) {
            if self.transcript.len() < 100_000 {
                self.transcript.push(format!("{:?} {effect:?} {:02x?}", self.now - self.start, &buffer[..]));
            }
            match effect {
                Effect::Dial { flow, proxy } => self.post(Parcel::Dial(flow, proxy)),
                Effect::FlowBytes { flow, len } => {
                    let bytes = buffer.split_to(len).to_vec();
                    self.said.push(String::from_utf8_lossy(&bytes).into_owned());
                    if let Some(number) = self.node_flows.get(&flow).copied() {
                        self.post(Parcel::FrontEnd(number, bytes));
                    }
                }
                Effect::CloseFlow { flow } => {
                    if let Some(number) = self.node_flows.remove(&flow) {
                        self.peers.remove(&number);
                        self.post(Parcel::FrontEndClosed(number));
                    }
                }
                Effect::LinkBytes { link, len } => {
                    let bytes = buffer.split_to(len).to_vec();
                    if let Some(base) = self.links.get(&link).copied() {
                        self.post(Parcel::Base(base, bytes));
                    }
                }
                Effect::CloseLink { link } => {
                    if let Some(base) = self.links.remove(&link) {
                        self.bases[base].link = None;
                        self.post(Parcel::BaseClosed(base));
                    }
                }
                Effect::Store(write) => self.stored.push(write),
                Effect::Media(command) => self.media(command),
                Effect::Log { level, text } => self.logs.push((level, text)),
                Effect::Trace(_) => {}
                Effect::Stopped => self.stopped = true,
            }
        }
    }

    fn media(&mut self, command: MediaCommand) {
        let now = self.now;
        match command {
            MediaCommand::Install(plan) => {
                if let Some(stream) = self.streams.get_mut(&plan.channel) {
                    stream.change(now, *plan);
                    return;
                }
                if self.streams.is_empty() {
                    self.next_tick = now + TICK;
                }
                self.streams.insert(plan.channel, Stream::new(now, *plan));
            }
            MediaCommand::Tone { channel, tone } => {
                if let Some(stream) = self.streams.get_mut(&channel) {
                    stream.tone(tone);
                }
            }
            MediaCommand::Listen { channel } => {
                self.listening.insert(channel);
            }
            MediaCommand::Check { channel, component, to, octets } => {
                let channel = self.channels[&channel];
                let from = if component == 1 { channel.network_rtp } else { channel.network_rtcp };
                self.post(Parcel::Datagram { from, to, bytes: octets });
            }
            MediaCommand::Remove { channel } => {
                self.listening.remove(&channel);
                if let Some(stream) = self.streams.remove(&channel) {
                    self.counters.push(stream.counters());
                }
            }
        }
    }

    fn tick_streams(&mut self) {
        let now = self.now;
        let mut packet = [0; PACKET];
        let mut out = Vec::new();
        let mut events = Vec::new();
        for (id, stream) in &mut self.streams {
            let channel = self.channels[id];
            stream.tick(now, &mut packet, |outgoing, bytes| out.push(parcel(channel, outgoing, bytes)));
            let told = std::cell::RefCell::new(Vec::new());
            stream.reports(*id, &|event| told.borrow_mut().push(event));
            events.append(&mut told.into_inner());
        }
        for parcel in out {
            self.post(parcel);
        }
        for event in events {
            self.node.handle_input(now, Input::Media(event));
        }
    }

    fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let now = self.now;
        let users = |at: SocketAddr| self.users.iter().any(|user| user.media.contains(&at));
        if users(from) || users(to) {
            // The same datagrams are lost in every run.
            self.dice =
                self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let lost = (self.dice >> 33) % 100 < self.loss;
            self.datagrams.push((from, to, bytes.first().copied().unwrap_or_default(), !lost));
            if lost {
                return;
            }
        }
        if demultiplex(&bytes) == PacketKind::Stun {
            self.check(from, to, &bytes);
            return;
        }
        let length = bytes.len().min(PACKET);
        let mut packet = [0; PACKET];
        packet[..length].copy_from_slice(&bytes[..length]);
        let mut out = Vec::new();
        if self.bases.iter().any(|base| base.media.contains(&from) || base.media.contains(&to)) {
            self.bearer_lengths.insert(length);
        }
        for (id, stream) in &mut self.streams {
            let channel = self.channels[id];
            if to == channel.network_rtp {
                stream.take_network(now, from, &mut packet, length, |outgoing, bytes| {
                    out.push(parcel(channel, outgoing, bytes));
                });
            } else if to == channel.network_rtcp {
                stream.take_network_rtcp(&mut packet, length);
            } else if to == channel.radio
                && let Some(outgoing) = stream.take_radio(now, from, &mut packet, length)
            {
                out.push(parcel(channel, outgoing, &packet));
            }
        }
        for parcel in out {
            self.post(parcel);
        }
        let mut bytes = bytes;
        for user in &mut self.users {
            if user.media[0] == to
                && let Some((talk, _)) = &mut user.talk
            {
                let _refused = talk.handle_packet(now, &mut bytes);
            }
        }
        for base in &mut self.bases {
            let place = base.media.iter().position(|media| *media == to);
            if let Some(bearer) = place.and_then(|place| base.bearers.get_mut(&place)) {
                let _refused = bearer.talk.handle_packet(now, &mut bytes);
            }
        }
    }

    /// A datagram of somebody else.
    pub(crate) fn throw(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.post(Parcel::Datagram { from, to, bytes });
    }

    /// A STUN message, to whom it is for.
    fn check(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        let listening = self.channels.values().find_map(|channel| {
            let sockets = [channel.network_rtp, channel.network_rtcp];
            let at = sockets.iter().position(|socket| *socket == to)?;
            self.listening.contains(&channel.id).then_some((channel.id, at as u16 + 1))
        });
        if let Some((channel, component)) = listening {
            let event = MediaEvent::Check { channel, component, from, octets: bytes.to_vec() };
            self.node.handle_input(now, Input::Media(event));
        }
        for user in &mut self.users {
            if let Some(at) = user.media.iter().position(|socket| *socket == to) {
                let component = at as u16 + 1;
                user.machine.handle_input(now, user::Input::Check { component, from, data: bytes });
            }
        }
    }

    fn drain_front_end(&mut self) {
        let mut buffer = BytesMut::new();
        let Some(front_end) = &mut self.front_end else { return };
        let mut parcels = Vec::new();
        while let Some(transmit) = front_end.poll_transmit(&mut buffer) {
            let bytes = buffer.split_to(transmit.len).to_vec();
            match self.peers.get(&transmit.flow.0) {
                Some(Peer::Node(flow)) => parcels.push(Parcel::NodeFlow(*flow, bytes)),
                Some(Peer::User(user)) => parcels.push(Parcel::User(*user, bytes)),
                None => {}
            }
        }
        while let Some(event) = front_end.poll_event() {
            if let frontend::Event::Close { flow, .. } = &event {
                front_end.handle_input(self.now, frontend::Input::FlowClosed { flow: *flow });
                match self.peers.remove(&flow.0) {
                    Some(Peer::Node(flow)) => {
                        self.node_flows.remove(&flow);
                        parcels.push(Parcel::NodeFlowClosed(flow));
                    }
                    Some(Peer::User(user)) => parcels.push(Parcel::UserClosed(user)),
                    None => {}
                }
            }
            self.front_end_events.push(event);
        }
        for parcel in parcels {
            self.post(parcel);
        }
    }

    fn drain_user(&mut self, number: usize) {
        let now = self.now;
        let mut buffer = BytesMut::new();
        let mut parcels = Vec::new();
        let user = &mut self.users[number];
        while let Some(transmit) = user.machine.poll_transmit(&mut buffer) {
            let bytes = buffer.split_to(transmit.len).to_vec();
            if let Some(flow) = user.flow {
                parcels.push(Parcel::FrontEnd(flow, bytes));
            }
        }
        while let Some(check) = user.machine.poll_check(&mut buffer) {
            let bytes = buffer.split_to(check.len).to_vec();
            let from = user.media[usize::from(check.component) - 1];
            parcels.push(Parcel::Datagram { from, to: check.to, bytes });
        }
        while let Some(event) = user.machine.poll_event() {
            user.events.push(event);
        }
        while let Some(plan) = user.machine.poll_media() {
            match plan {
                MediaPlan::Start { plan, remote, .. } => user.talk = Some((Talk::new(now, *plan), remote)),
                MediaPlan::Change { flow, remote, .. } => {
                    if let Some((talk, peer)) = &mut user.talk {
                        talk.redirect(now, flow);
                        *peer = remote;
                    }
                }
                MediaPlan::Stop { .. } => {
                    if let Some((mut talk, _)) = user.talk.take() {
                        user.recorded = talk.take_recorded();
                    }
                }
                _ => {}
            }
        }
        if let Some((talk, peer)) = &mut user.talk {
            while let Some(len) = talk.poll_packet(now, &mut buffer) {
                let bytes = buffer.split_to(len).to_vec();
                parcels.push(Parcel::Datagram { from: user.media[0], to: *peer, bytes });
            }
        }
        for parcel in parcels {
            self.post(parcel);
        }
    }

    fn drain_base(&mut self, number: usize) {
        let now = self.now;
        let mut buffer = BytesMut::new();
        let mut parcels = Vec::new();
        let base = &mut self.bases[number];
        while let Some(transmit) = base.machine.poll_transmit(&mut buffer) {
            let bytes = buffer.split_to(transmit.len).to_vec();
            if let Some(link) = base.link {
                parcels.push(Parcel::NodeLink(link, bytes));
            }
        }
        while let Some(event) = base.machine.poll_event() {
            match event {
                base::Event::Handset { ipei, event } => self.handset_events.push((ipei, event)),
                base::Event::BearerStarted { channel, ipei, plan, peer } => {
                    base.bearers.insert(channel, Bearer { talk: Talk::new(now, *plan), peer, ipei });
                }
                base::Event::BearerStopped { channel, ipei } => {
                    if let Some(mut bearer) = base.bearers.remove(&channel) {
                        self.recorded.insert(ipei, bearer.talk.take_recorded());
                    }
                }
                base::Event::Refused { text } | base::Event::ServerDown { reason: text } => {
                    base.downs.push(text);
                }
                _ => {}
            }
        }
        for (place, bearer) in &mut base.bearers {
            while let Some(len) = bearer.talk.poll_packet(now, &mut buffer) {
                let bytes = buffer.split_to(len).to_vec();
                parcels.push(Parcel::Datagram { from: base.media[*place], to: bearer.peer, bytes });
            }
        }
        for parcel in parcels {
            self.post(parcel);
        }
    }
}

fn parcel(channel: Channel, outgoing: Outgoing, bytes: &[u8]) -> Parcel {
    let (from, to, length) = match outgoing {
        Outgoing::Network { to, length } => (channel.network_rtp, to, length),
        Outgoing::NetworkControl { to, length } => (channel.network_rtcp, to, length),
        Outgoing::Radio { to, length } => (channel.radio, to, length),
    };
    Parcel::Datagram { from, to, bytes: bytes[..length].to_vec() }
}
