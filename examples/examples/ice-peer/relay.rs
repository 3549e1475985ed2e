//! Relayed addresses: one allocation for each component.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::BytesMut;
use examples::base64;
use sip_lync::Seed;
use sip_lync::ice::Dialect;
use sip_lync::ice::agent::{Path, Protocol};
use sip_lync::turn::{Client, ClientConfig, Credentials, Event, Input, Service, Transport};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;

use crate::peer::{Outcome, resolve, seed};
use crate::sockets::{self, Queue};

/// A candidate to be: component, relayed address, base, and how the relay saw it.
pub(crate) type Allocated = (u16, SocketAddr, SocketAddr, Option<SocketAddr>);

/// Packets with their destinations.
type Waiting = Vec<(SocketAddr, Vec<u8>)>;

struct Relay {
    component: u16,
    base: SocketAddr,
    client: Client,
    relayed: Option<SocketAddr>,
    /// Neither an allocation nor a refusal came yet.
    waiting: bool,
    stream: Option<OwnedWriteHalf>,
    /// Packets that wait until their peer is let in; `None` when it is.
    permitted: BTreeMap<IpAddr, Option<Waiting>>,
}

/// The allocations of all components.
#[derive(Default)]
pub(crate) struct Relays {
    each: Vec<Relay>,
    allocated: Vec<Allocated>,
    asked: bool,
    queue: Option<Queue>,
    out: Vec<(Path, Vec<u8>)>,
}

impl Relays {
    /// Asks for an allocation for each component: HOST:PORT:USER:PASSWORD[:udp|tcp].
    pub(crate) async fn start(
        text: &str,
        dialect: Dialect,
        bases: &[(u16, SocketAddr)],
        queue: &Queue,
        now: Instant,
    ) -> Outcome<Self> {
        let (text, tcp) = match text.rsplit_once(':') {
            Some((text, "tcp")) => (text, true),
            Some((text, "udp")) => (text, false),
            _ => (text, false),
        };
        let parts: Vec<&str> = text.splitn(4, ':').collect();
        let &[host, port, user, password] = &parts[..] else {
            return Err("--turn wants HOST:PORT:USER:PASSWORD[:udp|tcp]".into());
        };
        let server = resolve(&format!("{host}:{port}")).await?;
        let (service, transport) = match (dialect, tcp) {
            (Dialect::Rfc8445, false) => (Service::Rfc8656, Transport::Udp),
            (Dialect::Rfc8445, true) => (Service::Rfc8656, Transport::Tcp),
            (Dialect::MsIce2 | Dialect::Draft06, false) => (Service::MsTurn, Transport::Udp),
            (Dialect::MsIce2 | Dialect::Draft06, true) => (Service::MsTurn, Transport::PseudoTls),
        };
        // Credentials of an A/V Edge are octets, handed out as base64.
        let octets = |text: &str| match service {
            Service::MsTurn => base64::decode(text).unwrap_or_else(|| text.as_bytes().to_vec()),
            Service::Rfc8656 => text.as_bytes().to_vec(),
        };
        let credentials = Credentials::new(&octets(user), &octets(password));
        let mut relays = Self { asked: true, queue: Some(queue.clone()), ..Self::default() };
        for (component, base) in bases {
            let config = ClientConfig::new(server, service, transport, credentials.clone());
            let mut client = Client::new(config, Seed(seed()?.0));
            client.allocate(now)?;
            relays.each.push(Relay {
                component: *component,
                base: *base,
                client,
                relayed: None,
                waiting: true,
                stream: None,
                permitted: BTreeMap::new(),
            });
        }
        relays.events(now);
        Ok(relays)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.each.iter().filter_map(|relay| relay.client.poll_timeout()).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for relay in &mut self.each {
            relay.client.handle_timeout(now);
        }
        self.events(now);
    }

    /// A datagram: what peers sent through the relay, or nothing, or `None` when it is not from the relay.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        path: Path,
        octets: &[u8],
    ) -> Option<Vec<(Path, Vec<u8>)>> {
        let relay = self.each.iter_mut().find(|relay| relay.base == path.local && relay.stream.is_none())?;
        if let Some((peer, data)) = relay.client.unwrap(path.remote, octets) {
            let data = data.to_vec();
            let local = relay.relayed?;
            let component = relay.component;
            return Some(vec![(Path { component, protocol: Protocol::Udp, local, remote: peer }, data)]);
        }
        relay.client.handle_input(now, Input::Datagram { from: path.remote, octets }).ok()?;
        let from_relay = self.events(now);
        Some(from_relay)
    }

    /// The connection to the relay of a component: opened, octets, closed.
    pub(crate) fn handle_stream(
        &mut self,
        now: Instant,
        component: u16,
        step: sockets::Stream,
    ) -> Vec<(Path, Vec<u8>)> {
        if let Some(relay) = self.each.iter_mut().find(|relay| relay.component == component) {
            let outcome = match step {
                sockets::Stream::Opened(writer) => {
                    relay.stream = Some(writer);
                    relay.client.handle_input(now, Input::Opened)
                }
                sockets::Stream::Octets(octets) => relay.client.handle_input(now, Input::Bytes(&octets)),
                sockets::Stream::Closed => relay.client.handle_input(now, Input::Closed),
            };
            if let Err(error) = outcome {
                eprintln!("ice-peer: relay: {error}");
            }
        }
        self.events(now)
    }

    /// What the clients tell: packets of peers come back.
    fn events(&mut self, now: Instant) -> Vec<(Path, Vec<u8>)> {
        let mut packets = Vec::new();
        for relay in &mut self.each {
            while let Some(event) = relay.client.poll_event() {
                match event {
                    Event::Connect { server, .. } => {
                        if let Some(queue) = &self.queue {
                            sockets::connect_relay(relay.component, server, queue);
                        }
                    }
                    Event::Disconnect => relay.stream = None,
                    Event::Allocated { relayed, reflexive, .. } => {
                        relay.relayed = Some(relayed);
                        relay.waiting = false;
                        let reflexive = reflexive.filter(|_| relay.stream.is_none());
                        self.allocated.push((relay.component, relayed, relay.base, reflexive));
                    }
                    Event::Failed(failure) | Event::Lost(failure) => {
                        eprintln!("ice-peer: relay: {failure:?}");
                        relay.waiting = false;
                    }
                    Event::Permitted { peer } => {
                        for (to, octets) in relay.permitted.insert(peer, None).flatten().unwrap_or_default() {
                            let _lost = relay.client.send(now, to, &octets);
                        }
                    }
                    Event::PermissionRefused { peer, .. } => drop(relay.permitted.remove(&peer)),
                    Event::Data { peer, data } => {
                        if let Some(local) = relay.relayed {
                            let component = relay.component;
                            let path = Path { component, protocol: Protocol::Udp, local, remote: peer };
                            packets.push((path, data.to_vec()));
                        }
                    }
                    _ => {}
                }
            }
        }
        packets
    }

    /// Sends a packet of a relayed address; `false` when the path is not one.
    pub(crate) fn send(&mut self, now: Instant, path: Path, octets: &[u8]) -> bool {
        let Some(relay) = self.each.iter_mut().find(|relay| relay.relayed == Some(path.local)) else {
            return false;
        };
        match relay.permitted.get_mut(&path.remote.ip()) {
            Some(None) => drop(relay.client.send(now, path.remote, octets)),
            Some(Some(waiting)) => waiting.push((path.remote, octets.to_vec())),
            None => {
                let waiting = vec![(path.remote, octets.to_vec())];
                relay.permitted.insert(path.remote.ip(), Some(waiting));
                if let Err(error) = relay.client.permit(now, path.remote) {
                    eprintln!("ice-peer: relay: {error}");
                }
                self.events(now);
            }
        }
        true
    }

    /// The pair of a component is chosen: its peer gets the short path.
    pub(crate) fn selected(&mut self, now: Instant, path: Path) {
        if let Some(relay) = self.each.iter_mut().find(|relay| relay.relayed == Some(path.local)) {
            // The long path works as well.
            let _refused = relay.client.bind(now, path.remote);
        }
    }

    /// The candidates, once, when all relays have answered.
    pub(crate) fn finished(&mut self) -> Option<Vec<Allocated>> {
        if !self.asked || self.each.iter().any(|relay| relay.waiting) {
            return None;
        }
        self.asked = false;
        Some(std::mem::take(&mut self.allocated))
    }

    /// Writes what the clients have for their servers: datagrams come back, connections are written.
    pub(crate) async fn flush(&mut self) -> Vec<(Path, Vec<u8>)> {
        let mut buffer = BytesMut::new();
        for relay in &mut self.each {
            while let Some(transmit) = relay.client.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len);
                match (&mut relay.stream, transmit.transport) {
                    (_, Transport::Udp) => {
                        let path = Path {
                            component: relay.component,
                            protocol: Protocol::Udp,
                            local: relay.base,
                            remote: transmit.destination,
                        };
                        self.out.push((path, octets.to_vec()));
                    }
                    (Some(stream), _) => drop(stream.write_all(&octets).await),
                    (None, _) => {}
                }
            }
        }
        std::mem::take(&mut self.out)
    }
}
