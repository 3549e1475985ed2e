//! The base stations: one radio link each, and the DECT connections that run over them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rfp_link::{
    BearerCodec, BearerId, BearerKeys, ConnectionId, DownReason, Event, Hello, Link, Message, Refusal,
    ReleaseMode, Role,
};

use super::status::BaseStationStatus;
use super::vocabulary::LinkId;

/// A DECT connection, unique over all base stations.
pub(crate) type Dlei = dect_nwk::LinkId;

/// Most base stations at once.
const STATIONS: usize = 1024;
/// Most connections of one base station at once: more than its radio has slots.
const CONNECTIONS: usize = 128;
/// Most base stations that are gone and still shown.
const GONE: usize = 256;

/// What the base stations tell the node.
#[derive(Debug)]
pub(crate) enum RadioEvent {
    /// A portable part opened a connection.
    Established { link: Dlei, sdu: Option<Bytes> },
    /// A message of the network layer.
    Data { link: Dlei, sdu: Bytes },
    /// A connection ended.
    Released { link: Dlei, mode: dect_nwk::ReleaseMode },
    /// Ciphering of a connection changed.
    Encrypted { link: Dlei, on: bool },
    /// A bearer carries speech; the server sends to `local`.
    BearerOpened { bearer: BearerId, local: SocketAddr },
    /// A bearer could not be opened, or was lost.
    BearerLost { bearer: BearerId, why: String },
    /// A base station is ready.
    StationUp { name: String, remote: SocketAddr },
    /// A base station is gone or was refused: say so in the log.
    StationDown { name: String, why: String },
}

#[derive(Debug)]
struct Station {
    machine: Link,
    remote: SocketAddr,
    name: String,
    software: String,
    rpn: u8,
    channels: u8,
    free: u8,
    /// Its hello was accepted.
    introduced: bool,
    /// It protects bearers with SRTP.
    srtp: bool,
    connections: BTreeMap<ConnectionId, Dlei>,
    bearers: BTreeSet<BearerId>,
}

/// All base stations of the node.
#[derive(Debug)]
pub(crate) struct Radio {
    hello: Hello,
    higher_layer: u16,
    stations: BTreeMap<LinkId, Station>,
    connections: BTreeMap<Dlei, (LinkId, ConnectionId)>,
    bearers: BTreeMap<BearerId, LinkId>,
    next_connection: u32,
    next_bearer: u32,
    events: VecDeque<RadioEvent>,
    closing: VecDeque<LinkId>,
    touched: BTreeSet<LinkId>,
    /// Base stations that are gone, for the status: by name.
    gone: BTreeMap<String, BaseStationStatus>,
}

impl Radio {
    /// No base station yet. `hello` introduces the server; `higher_layer` is what base stations broadcast.
    pub(crate) fn new(hello: Hello, higher_layer: u16) -> Self {
        Self {
            hello,
            higher_layer,
            stations: BTreeMap::new(),
            connections: BTreeMap::new(),
            bearers: BTreeMap::new(),
            next_connection: 0,
            next_bearer: 0,
            events: VecDeque::new(),
            closing: VecDeque::new(),
            touched: BTreeSet::new(),
            gone: BTreeMap::new(),
        }
    }

    /// A base station connected.
    pub(crate) fn opened(&mut self, now: Instant, link: LinkId, remote: SocketAddr) {
        let mut machine = Link::new(now, rfp_link::Config::new(Role::Server, self.hello.clone()));
        if self.stations.len() >= STATIONS {
            machine.refuse(now, Refusal::Full, "this server has as many base stations as it can serve");
        }
        let station = Station {
            machine,
            remote,
            // Until it introduces itself.
            name: remote.ip().to_string(),
            software: String::new(),
            rpn: 0,
            channels: 0,
            free: 0,
            introduced: false,
            srtp: false,
            connections: BTreeMap::new(),
            bearers: BTreeSet::new(),
        };
        self.stations.insert(link, station);
        self.touched.insert(link);
    }

    /// Bytes of a base station. A breach of the protocol shows as an event.
    pub(crate) fn bytes(&mut self, now: Instant, link: LinkId, bytes: &[u8]) {
        self.with(link, |station| {
            // The machine reports the breach as `Down` too, which is where it is handled.
            let _breach = station.machine.handle_input(now, rfp_link::Input::Bytes(bytes));
        });
    }

    /// A base station's connection ended.
    pub(crate) fn closed(&mut self, now: Instant, link: LinkId) {
        self.with(link, |station| {
            let _lost = station.machine.handle_input(now, rfp_link::Input::Closed);
        });
        self.collect(now, link);
        self.forget(link, "the connection ended");
    }

    /// A deadline of a base station's link has come.
    pub(crate) fn handle_timeout(&mut self, now: Instant, link: LinkId) {
        self.with(link, |station| station.machine.handle_timeout(now));
    }

    /// Sends a B-format message through every base station.
    pub(crate) fn page(&mut self, now: Instant, bytes: &Bytes) {
        let links: Vec<LinkId> = self.stations.keys().copied().collect();
        for link in links {
            self.send(now, link, Message::Page { bytes: bytes.clone() });
        }
    }

    /// Changes what base stations broadcast of the higher layers, such as whether subscription is open.
    pub(crate) fn broadcast(&mut self, now: Instant, higher_layer: u16) {
        if self.higher_layer == higher_layer {
            return;
        }
        self.higher_layer = higher_layer;
        let links: Vec<LinkId> = self.stations.keys().copied().collect();
        for link in links {
            self.send(now, link, Message::Broadcast { higher_layer });
        }
    }

    /// Sends a message of the network layer.
    pub(crate) fn data(&mut self, now: Instant, link: Dlei, sdu: Bytes) {
        if let Some((station, connection)) = self.connections.get(&link).copied() {
            self.send(now, station, Message::Data { connection, sdu });
        }
    }

    /// Releases a connection; the base station confirms.
    pub(crate) fn release(&mut self, now: Instant, link: Dlei, mode: dect_nwk::ReleaseMode) {
        if let Some((station, connection)) = self.connections.get(&link).copied() {
            let mode = match mode {
                dect_nwk::ReleaseMode::Normal => ReleaseMode::Normal,
                dect_nwk::ReleaseMode::Abnormal => ReleaseMode::Abnormal,
            };
            self.send(now, station, Message::Release { connection, mode });
        }
    }

    /// Gives the base station the key of a connection.
    pub(crate) fn encryption_key(&mut self, now: Instant, link: Dlei, key: [u8; 8]) {
        if let Some((station, connection)) = self.connections.get(&link).copied() {
            self.send(now, station, Message::EncryptionKey { connection, key: rfp_link::CipherKey(key) });
        }
    }

    /// Opens a speech bearer on a connection; `peer` is where the base station sends to.
    pub(crate) fn open_bearer(
        &mut self,
        now: Instant,
        link: Dlei,
        peer: SocketAddr,
        ssrc: u32,
        keys: Option<BearerKeys>,
    ) -> Option<BearerId> {
        let (station, connection) = self.connections.get(&link).copied()?;
        let bearer = BearerId(self.next_bearer);
        self.next_bearer = self.next_bearer.wrapping_add(1);
        let message = Message::OpenBearer { connection, bearer, codec: BearerCodec::G726, peer, ssrc, keys };
        self.bearers.insert(bearer, station);
        self.stations.get_mut(&station)?.bearers.insert(bearer);
        self.send(now, station, message);
        Some(bearer)
    }

    /// Whether the base station of a connection protects bearers with SRTP.
    pub(crate) fn protects(&self, link: Dlei) -> bool {
        let station = self.connections.get(&link).and_then(|(station, _)| self.stations.get(station));
        station.is_some_and(|station| station.srtp)
    }

    /// Closes a bearer.
    pub(crate) fn close_bearer(&mut self, now: Instant, bearer: BearerId) {
        if let Some(station) = self.bearers.remove(&bearer) {
            if let Some(station) = self.stations.get_mut(&station) {
                station.bearers.remove(&bearer);
            }
            self.send(now, station, Message::CloseBearer { bearer });
        }
    }

    /// The base station closed a bearer together with its connection.
    pub(crate) fn forget_bearer(&mut self, bearer: BearerId) {
        if let Some(station) = self.bearers.remove(&bearer)
            && let Some(station) = self.stations.get_mut(&station)
        {
            station.bearers.remove(&bearer);
        }
    }

    /// Name of the base station that carries a connection.
    pub(crate) fn station_of(&self, link: Dlei) -> Option<&str> {
        let (station, _) = self.connections.get(&link)?;
        self.stations.get(station).map(|station| station.name.as_str())
    }

    /// How many connections and bearers exist.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.connections.len(), self.bearers.len())
    }

    /// The next event of the base stations.
    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<RadioEvent> {
        let touched: Vec<LinkId> = self.touched.iter().copied().collect();
        for link in touched {
            self.collect(now, link);
        }
        self.events.pop_front()
    }

    /// Bytes for one base station were appended to `buffer`.
    pub(crate) fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<(LinkId, usize)> {
        for link in &self.touched {
            if let Some(station) = self.stations.get_mut(link)
                && let Some(transmit) = station.machine.poll_transmit(buffer)
            {
                return Some((*link, transmit.len));
            }
        }
        None
    }

    /// A connection to close after what was sent; nothing is heard of it any more.
    pub(crate) fn poll_close(&mut self) -> Option<LinkId> {
        let link = self.closing.pop_front()?;
        self.stations.remove(&link);
        self.touched.remove(&link);
        Some(link)
    }

    /// Links whose deadline may have moved, with the deadline; each is named once.
    pub(crate) fn take_touched(&mut self) -> Vec<(LinkId, Option<Instant>)> {
        let touched = std::mem::take(&mut self.touched);
        touched
            .into_iter()
            .map(|link| (link, self.stations.get(&link).and_then(|station| station.machine.poll_timeout())))
            .collect()
    }

    /// For the status.
    pub(crate) fn status(&self) -> Vec<BaseStationStatus> {
        let mut shown: Vec<BaseStationStatus> = self
            .stations
            .values()
            .filter(|station| station.machine.state() == rfp_link::State::Up)
            .map(|station| BaseStationStatus {
                name: station.name.clone(),
                rpn: station.rpn,
                software: station.software.clone(),
                state: "connected".into(),
                detail: String::new(),
                channels: station.channels,
                free: station.free,
            })
            .collect();
        shown.extend(self.gone.values().cloned());
        shown
    }

    fn with(&mut self, link: LinkId, act: impl FnOnce(&mut Station)) {
        if let Some(station) = self.stations.get_mut(&link) {
            act(station);
            self.touched.insert(link);
        }
    }

    fn send(&mut self, now: Instant, link: LinkId, message: Message) {
        self.with(link, |station| {
            // A link that is not up takes nothing; what it carried is released when its end is reported.
            let _not_up = station.machine.send(now, message);
        });
    }

    /// Turns what a link reports into events of ours.
    fn collect(&mut self, now: Instant, link: LinkId) {
        while let Some(event) = self.stations.get_mut(&link).and_then(|station| station.machine.poll_event())
        {
            match event {
                Event::Up(hello) => self.up(now, link, &hello),
                Event::Message(message) => self.message(now, link, message),
                Event::Refused { text, .. } => {
                    self.mark_gone(link, "refused", &text);
                    self.end(link, &text);
                }
                Event::Down(reason) => {
                    let why = down_in_words(&reason);
                    if self.stations.get(&link).is_some_and(|station| station.introduced) {
                        self.mark_gone(link, "lost", &why);
                    }
                    self.end(link, &why);
                }
                _ => {}
            }
        }
    }

    fn up(&mut self, now: Instant, link: LinkId, hello: &Hello) {
        // Who comes with the name and number of a live base station does not displace it: silence does, after a while.
        let taken = self.stations.iter().any(|(other, station)| {
            *other != link
                && station.introduced
                && station.rpn == hello.rpn
                && station.name == hello.name
                && station.machine.state() == rfp_link::State::Up
        });
        if taken {
            let words = "a base station of this name and number is connected already: give it another one, or wait until \
                         the other connection has ended";
            self.with(link, |station| station.machine.refuse(now, Refusal::RadioPartInUse, words));
            self.end(link, words);
            return;
        }
        let Some(station) = self.stations.get_mut(&link) else { return };
        let remote = station.remote;
        station.name.clone_from(&hello.name);
        station.introduced = true;
        station.software.clone_from(&hello.software);
        station.rpn = hello.rpn;
        station.channels = hello.channels;
        station.free = hello.channels;
        station.srtp = hello.capabilities & rfp_link::capability::SRTP != 0;
        self.gone.remove(&hello.name);
        self.events.push_back(RadioEvent::StationUp { name: hello.name.clone(), remote });
        let higher_layer = self.higher_layer;
        self.send(now, link, Message::Broadcast { higher_layer });
    }

    fn message(&mut self, now: Instant, link: LinkId, message: Message) {
        let Some(station) = self.stations.get_mut(&link) else { return };
        match message {
            Message::Establish { connection, .. } if station.connections.len() >= CONNECTIONS => {
                // More than any radio carries: this one is turned down, the others are not touched.
                let refused = Message::Release { connection, mode: ReleaseMode::Abnormal };
                self.send(now, link, refused);
            }
            Message::Establish { connection, sdu, .. } => {
                let dlei = dect_nwk::LinkId(self.next_connection);
                self.next_connection = self.next_connection.wrapping_add(1);
                if let Some(old) = station.connections.insert(connection, dlei) {
                    self.connections.remove(&old);
                    self.events
                        .push_back(RadioEvent::Released { link: old, mode: dect_nwk::ReleaseMode::Abnormal });
                }
                self.connections.insert(dlei, (link, connection));
                self.events.push_back(RadioEvent::Established { link: dlei, sdu });
            }
            Message::Data { connection, sdu } | Message::UnitData { connection, sdu } => {
                if let Some(dlei) = station.connections.get(&connection) {
                    self.events.push_back(RadioEvent::Data { link: *dlei, sdu });
                }
            }
            Message::Release { connection, mode } => {
                if let Some(dlei) = station.connections.remove(&connection) {
                    self.connections.remove(&dlei);
                    let mode = match mode {
                        ReleaseMode::Normal => dect_nwk::ReleaseMode::Normal,
                        ReleaseMode::Abnormal => dect_nwk::ReleaseMode::Abnormal,
                    };
                    self.events.push_back(RadioEvent::Released { link: dlei, mode });
                }
            }
            Message::Encrypted { connection, on } => {
                if let Some(dlei) = station.connections.get(&connection) {
                    self.events.push_back(RadioEvent::Encrypted { link: *dlei, on });
                }
            }
            Message::BearerOpened { bearer, local } if self.bearers.get(&bearer) == Some(&link) => {
                self.events.push_back(RadioEvent::BearerOpened { bearer, local });
            }
            Message::BearerRefused { bearer, reason } => {
                self.bearer_lost(link, bearer, &format!("the base station refused the bearer: {reason:?}"));
            }
            Message::BearerClosed { bearer } => {
                self.bearer_lost(link, bearer, "the base station closed the bearer");
            }
            Message::Capacity { channels, free } => {
                station.channels = channels;
                station.free = free;
            }
            // What only a server sends, keep-alive of the machine itself, and what the network layer does not see.
            _ => {}
        }
    }

    fn bearer_lost(&mut self, link: LinkId, bearer: BearerId, why: &str) {
        if self.bearers.get(&bearer) == Some(&link) {
            self.bearers.remove(&bearer);
            if let Some(station) = self.stations.get_mut(&link) {
                station.bearers.remove(&bearer);
            }
            self.events.push_back(RadioEvent::BearerLost { bearer, why: why.to_owned() });
        }
    }

    fn mark_gone(&mut self, link: LinkId, state: &str, why: &str) {
        if let Some(station) = self.stations.get(&link) {
            let status = BaseStationStatus {
                name: station.name.clone(),
                rpn: station.rpn,
                software: station.software.clone(),
                state: state.into(),
                detail: why.into(),
                channels: station.channels,
                free: 0,
            };
            if self.gone.len() >= GONE && !self.gone.contains_key(&station.name) {
                self.gone.pop_first();
            }
            self.gone.insert(station.name.clone(), status);
        }
    }

    /// Everything a base station carried is released; its connection is closed.
    fn end(&mut self, link: LinkId, why: &str) {
        let Some(station) = self.stations.get_mut(&link) else { return };
        let connections = std::mem::take(&mut station.connections);
        let bearers = std::mem::take(&mut station.bearers);
        self.events.push_back(RadioEvent::StationDown { name: station.name.clone(), why: why.to_owned() });
        for bearer in bearers {
            self.bearers.remove(&bearer);
            self.events.push_back(RadioEvent::BearerLost { bearer, why: why.to_owned() });
        }
        for dlei in connections.into_values() {
            self.connections.remove(&dlei);
            self.events.push_back(RadioEvent::Released { link: dlei, mode: dect_nwk::ReleaseMode::Abnormal });
        }
        self.closing.push_back(link);
    }

    fn forget(&mut self, link: LinkId, why: &str) {
        if self.stations.get(&link).is_some_and(|station| !station.connections.is_empty()) {
            self.end(link, why);
        }
        self.stations.remove(&link);
        self.touched.insert(link);
    }
}

fn down_in_words(reason: &DownReason) -> String {
    match reason {
        DownReason::ConnectionLost => "the connection was lost".into(),
        DownReason::NoHello => "it did not introduce itself in time".into(),
        DownReason::TimedOut => "it was silent for too long".into(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rfp_link::Config;

    /// Lets a base station's end and ours talk until both are silent.
    fn talk(now: Instant, radio: &mut Radio, link: LinkId, base: &mut Link) {
        loop {
            let mut bytes = BytesMut::new();
            while base.poll_transmit(&mut bytes).is_some() {}
            radio.bytes(now, link, &bytes);
            while radio.poll_event(now).is_some() {}
            let mut answer = BytesMut::new();
            while radio.poll_transmit(&mut answer).is_some() {}
            let _refused = base.handle_input(now, rfp_link::Input::Bytes(&answer));
            if bytes.is_empty() && answer.is_empty() {
                return;
            }
        }
    }

    fn base(now: Instant, radio: &mut Radio, link: LinkId) -> Link {
        radio.opened(now, link, SocketAddr::from(([192, 0, 2, 7], 4000 + link.0 as u16)));
        let hello = Hello::base_station("hall", "test", 3, 8);
        let mut base = Link::new(now, Config::new(Role::BaseStation, hello));
        talk(now, radio, link, &mut base);
        base
    }

    fn radio() -> Radio {
        Radio::new(Hello::server("dect.example.net", "test", [0; 5]), 0)
    }

    #[test]
    fn a_live_base_station_is_not_displaced_by_its_double() {
        let (now, mut radio) = (Instant::now(), radio());
        let first = base(now, &mut radio, LinkId(1));
        let second = base(now, &mut radio, LinkId(2));
        assert_eq!(first.state(), rfp_link::State::Up);
        assert_ne!(second.state(), rfp_link::State::Up, "the second one is turned down");
        assert_eq!(radio.poll_close(), Some(LinkId(2)), "and its connection is closed");
        let states: Vec<String> = radio.status().into_iter().map(|base| base.state).collect();
        assert_eq!(states, ["connected", "refused"], "the administrator sees both");
        radio.closed(now, LinkId(1));
        let third = base(now, &mut radio, LinkId(3));
        assert_eq!(
            third.state(),
            rfp_link::State::Up,
            "it may come again when the first connection has ended"
        );
    }

    #[test]
    fn a_flood_of_connections_is_turned_down_and_leaves_bounded_memory() {
        let (now, mut radio) = (Instant::now(), radio());
        let mut base = base(now, &mut radio, LinkId(1));
        for number in 0..2_000 {
            let message = Message::Establish { connection: ConnectionId(number), pmid: number, sdu: None };
            base.send(now, message).expect("up");
            talk(now, &mut radio, LinkId(1), &mut base);
        }
        assert_eq!(radio.load().0, CONNECTIONS);
        radio.closed(now, LinkId(1));
        while radio.poll_event(now).is_some() {}
        assert_eq!(radio.load(), (0, 0));
    }

    #[test]
    fn strangers_leave_no_row_behind() {
        let (now, mut radio) = (Instant::now(), radio());
        for number in 0..500 {
            radio.opened(now, LinkId(number), SocketAddr::from(([192, 0, 2, 9], number as u16)));
            radio.closed(now, LinkId(number));
        }
        assert!(radio.status().is_empty(), "{:?}", radio.status());
    }
}
