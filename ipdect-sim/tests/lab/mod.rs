//! A laboratory in virtual time: one front end, Lync users, the media between them. No sockets, no sleeping.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part of the laboratory")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipdect_sim::Seed;
use ipdect_sim::frontend::{self, FlowId, FrontEnd, FrontEndConfig, FrontEndUser};
use ipdect_sim::talk::Talk;
use ipdect_sim::user::{self, LyncUser, MediaPlan, UserConfig};
use sip_lync::SipUri;
use sip_lync::ice::Dialect;

/// The name in the certificates of the simulated users.
pub const CLIENT_NAME: &str = "clients.example.net";

pub fn uri(text: &str) -> SipUri {
    SipUri::parse(text).expect(text)
}

pub fn front_end_config() -> FrontEndConfig {
    let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
    for (name, tel) in [("alice", "+14255550100"), ("bob", "+14255550101"), ("carol", "+14255550102")] {
        let mut user = FrontEndUser::new(uri(&format!("sip:{name}@example.net")));
        user.tel = Some(tel.to_owned());
        user.display_name = Some(format!("{}{}", name[..1].to_uppercase(), &name[1..]));
        config.users.push(user);
    }
    config.trusted.push(CLIENT_NAME.to_owned());
    config
}

pub struct LabUser {
    pub user: LyncUser,
    pub flow: FlowId,
    pub open: bool,
    pub events: Vec<user::Event>,
    pub media: SocketAddr,
    pub talk: Option<Talk>,
    pub peer: Option<SocketAddr>,
    /// What the last stream heard, after it ended.
    pub heard: Vec<i16>,
}

pub struct Lab {
    pub now: Instant,
    pub front_end: FrontEnd,
    pub users: Vec<LabUser>,
    pub events: Vec<frontend::Event>,
    /// Every message that went over a connection, in order: direction and text.
    pub wire: Vec<(FlowId, &'static str, String)>,
    /// Where the users that are added from now on connect from.
    pub lan: [u8; 4],
}

impl Lab {
    pub fn new() -> Self {
        Self::with(front_end_config())
    }

    pub fn with(config: FrontEndConfig) -> Self {
        Self {
            now: Instant::now(),
            front_end: FrontEnd::new(config, Seed::from_number(1)),
            users: Vec::new(),
            events: Vec::new(),
            wire: Vec::new(),
            lan: [192, 0, 2, 20],
        }
    }

    /// Adds an endpoint of a user without ICE and connects it with a trusted certificate.
    pub fn add(&mut self, name: &str) -> usize {
        self.add_speaking(name, None)
    }

    /// The same with a dialect of ICE.
    pub fn add_speaking(&mut self, name: &str, ice: Option<Dialect>) -> usize {
        let mut config = UserConfig::new(uri(&format!("sip:{name}@example.net")));
        config.epid = format!("{:010x}", 0x0101_0101_u64 + self.users.len() as u64);
        config.ice = ice;
        self.add_with(config, CLIENT_NAME)
    }

    pub fn add_with(&mut self, mut config: UserConfig, certificate: &str) -> usize {
        let at = self.users.len();
        let media = SocketAddr::from(([192, 0, 2, 20], 30000 + 2 * at as u16));
        config.media_rtp = media;
        config.media_rtcp = SocketAddr::new(media.ip(), media.port() + 1);
        let user = LyncUser::new(config, Seed::from_number(100 + at as u64));
        self.users.push(LabUser {
            user,
            flow: FlowId(0),
            open: false,
            events: Vec::new(),
            media,
            talk: None,
            peer: None,
            heard: Vec::new(),
        });
        self.connect(at, certificate);
        at
    }

    pub fn connect(&mut self, at: usize, certificate: &str) {
        let flow = FlowId(self.users[at].flow.0 + 1 + 100 * at as u32);
        let local = SocketAddr::from(([192, 0, 2, 1], 5061));
        let remote = SocketAddr::from((self.lan, 40000 + flow.0 as u16));
        let names = if certificate.is_empty() { Vec::new() } else { vec![certificate.to_owned()] };
        self.users[at].flow = flow;
        self.users[at].open = true;
        self.front_end
            .handle_input(self.now, frontend::Input::FlowOpened { flow, local, remote, peer_names: names });
        self.users[at].user.handle_input(self.now, user::Input::FlowOpened { local: remote, remote: local });
        self.settle();
    }

    pub fn disconnect(&mut self, at: usize) {
        self.users[at].open = false;
        let flow = self.users[at].flow;
        self.front_end.handle_input(self.now, frontend::Input::FlowClosed { flow });
        self.users[at].user.handle_input(self.now, user::Input::FlowClosed);
        self.settle();
    }

    /// Has one user do something and lets all messages arrive.
    pub fn act<R>(&mut self, at: usize, act: impl FnOnce(&mut LyncUser, Instant) -> R) -> R {
        let result = act(&mut self.users[at].user, self.now);
        self.settle();
        result
    }

    /// Carries octets until nothing is under way.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            let mut quiet = true;
            for at in 0..self.users.len() {
                let mut buffer = BytesMut::new();
                while let Some(transmit) = self.users[at].user.poll_transmit(&mut buffer) {
                    quiet = false;
                    let octets = buffer.split_to(transmit.len);
                    let flow = self.users[at].flow;
                    self.wire.push((flow, "up", String::from_utf8_lossy(&octets).into_owned()));
                    if self.users[at].open {
                        self.front_end
                            .handle_input(self.now, frontend::Input::Bytes { flow, bytes: &octets });
                    }
                }
            }
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.front_end.poll_transmit(&mut buffer) {
                quiet = false;
                let octets = buffer.split_to(transmit.len);
                self.wire.push((transmit.flow, "down", String::from_utf8_lossy(&octets).into_owned()));
                let now = self.now;
                if let Some(user) = self.users.iter_mut().find(|user| user.flow == transmit.flow && user.open)
                {
                    user.user.handle_input(now, user::Input::Bytes(&octets));
                }
            }
            while let Some(event) = self.front_end.poll_event() {
                self.events.push(event);
            }
            let now = self.now;
            let mut checks = Vec::new();
            for user in &mut self.users {
                let mut buffer = BytesMut::new();
                while let Some(check) = user.user.poll_check(&mut buffer) {
                    let from = SocketAddr::new(user.media.ip(), user.media.port() + (check.component - 1));
                    checks.push((from, check.to, buffer.split_to(check.len)));
                }
            }
            for (from, to, data) in checks {
                quiet = false;
                for user in &mut self.users {
                    let component = to.port().wrapping_sub(user.media.port()).wrapping_add(1);
                    if to.ip() == user.media.ip() && (1..=2).contains(&component) {
                        user.user.handle_input(now, user::Input::Check { component, from, data: &data });
                    }
                }
            }
            for user in &mut self.users {
                while let Some(event) = user.user.poll_event() {
                    user.events.push(event);
                }
                while let Some(plan) = user.user.poll_media() {
                    user.plan(now, plan);
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the machines never come to rest");
    }

    /// Lets time pass, deadline by deadline; media flows meanwhile.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let users = self.users.iter().filter_map(|user| user.user.poll_timeout());
            let talks = self.users.iter().filter_map(|user| user.talk.as_ref().and_then(Talk::poll_timeout));
            let next =
                users.chain(talks).chain(self.front_end.poll_timeout()).min().filter(|next| *next <= end);
            self.now = next.unwrap_or(end).max(self.now);
            let now = self.now;
            self.front_end.handle_timeout(now);
            for user in &mut self.users {
                user.user.handle_timeout(now);
            }
            self.media();
            self.settle();
            if next.is_none() {
                return;
            }
        }
    }

    fn media(&mut self) {
        let mut packets = Vec::new();
        for user in &mut self.users {
            let mut buffer = BytesMut::new();
            if let (Some(talk), Some(peer)) = (&mut user.talk, user.peer) {
                while let Some(len) = talk.poll_packet(self.now, &mut buffer) {
                    packets.push((peer, buffer.split_to(len)));
                }
            }
        }
        for (peer, mut packet) in packets {
            for user in self.users.iter_mut().filter(|user| user.media == peer) {
                if let Some(talk) = &mut user.talk {
                    let _ = talk.handle_packet(self.now, &mut packet);
                }
            }
        }
    }

    /// The names of the events of a user since the last look.
    pub fn saw(&mut self, at: usize) -> Vec<String> {
        self.users[at].events.drain(..).map(|event| name(&event)).collect()
    }

    /// The names of the events of the front end since the last look.
    pub fn reported(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| name(&event)).collect()
    }

    /// The messages sent down to a user that begin so.
    pub fn down(&self, at: usize, start: &str) -> Vec<&str> {
        let flow = self.users[at].flow;
        self.wire
            .iter()
            .filter(|(to, way, text)| *to == flow && *way == "down" && text.starts_with(start))
            .map(|(_, _, text)| text.as_str())
            .collect()
    }
}

impl LabUser {
    fn plan(&mut self, now: Instant, plan: MediaPlan) {
        match plan {
            MediaPlan::Start { plan, remote, .. } => {
                self.talk = Some(Talk::new(now, *plan));
                self.peer = Some(remote);
            }
            MediaPlan::Change { flow, remote, .. } => {
                if let Some(talk) = &mut self.talk {
                    talk.redirect(now, flow);
                }
                self.peer = Some(remote);
            }
            MediaPlan::Stop { .. } => {
                if let Some(mut talk) = self.talk.take() {
                    self.heard = talk.take_recorded();
                }
            }
            _ => {}
        }
    }

    pub fn play(&mut self, samples: &[i16]) {
        self.talk.as_mut().expect("there is media").play(samples);
    }
}

fn name(event: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(event).expect("events are JSON");
    let mut text = value["event"].as_str().unwrap_or_default().to_owned();
    if let Some(by) = value["by"].as_str() {
        text.push_str(" by ");
        text.push_str(by);
    }
    if let Some(status) = value["status"].as_u64() {
        text.push(' ');
        text.push_str(&status.to_string());
    }
    text
}

/// Something like speech: syllables of changing pitch and pauses between them.
pub fn speech(pitch: f64, seconds: usize) -> Vec<i16> {
    let mut phase = 0.0_f64;
    (0..seconds * 8000)
        .map(|n| {
            let t = f64::from(n as u32) / 8000.0;
            phase += core::f64::consts::TAU * pitch * (1.0 + 0.3 * (t * 1.7).sin()) / 8000.0;
            (8000.0 * (t * 3.1).sin().max(0.0) * (phase.sin() + 0.5 * (2.3 * phase).sin())) as i16
        })
        .collect()
}
