//! An A/V Edge: the relay of MS-TURN on sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use sip_lync::turn::Credentials;
use sip_lync::turn::server::{Config, ConnectionNumber, Event, Input, Path, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::stream::taken;

/// How an A/V Edge is started.
///
/// MS-TURN 2.1
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EdgeOptions {
    /// Where datagrams of clients arrive; port 0 takes any.
    pub udp: SocketAddr,
    /// Where connections of clients arrive; port 0 takes any.
    pub tcp: SocketAddr,
    /// What the relay is told; its address becomes that of the datagram socket.
    pub config: Config,
    /// Who may allocate.
    pub users: Vec<Credentials>,
}

impl EdgeOptions {
    /// An edge at two addresses that relays from the first one's.
    ///
    /// MS-TURN 2.1
    pub fn new(udp: SocketAddr, tcp: SocketAddr) -> Self {
        Self { udp, tcp, config: Config::new(udp, udp.ip()), users: Vec::new() }
    }
}

/// A running A/V Edge; dropping it stops it.
///
/// MS-TURN 3.3
#[derive(Debug)]
pub struct Edge {
    /// Where datagrams of clients arrive.
    pub udp: SocketAddr,
    /// Where connections of clients arrive.
    pub tcp: SocketAddr,
    /// What happens to allocations.
    pub events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

impl Edge {
    /// Opens both sockets and serves.
    ///
    /// MS-TURN 3.3
    pub async fn start(options: EdgeOptions) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind(options.udp).await?);
        let listener = TcpListener::bind(options.tcp).await?;
        let (udp, tcp) = (socket.local_addr()?, listener.local_addr()?);
        let mut config = options.config;
        config.address = udp;
        let mut server = Server::new(config, sip_lync::Seed(super::seed()?.0));
        for user in options.users {
            server.admit(user, None);
        }
        let (reports, events) = mpsc::channel(1024);
        let (arrivals, arrived) = mpsc::channel(1024);
        let shell = Shell {
            server,
            socket,
            relays: BTreeMap::new(),
            connections: BTreeMap::new(),
            arrivals,
            reports,
        };
        let task = tokio::spawn(shell.run(listener, arrived));
        Ok(Self { udp, tcp, events, task })
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the readers of sockets hand to the owner of the machine.
enum Arrival {
    Bytes(ConnectionNumber, Bytes),
    Disconnected(ConnectionNumber),
    Relayed(SocketAddr, SocketAddr, Bytes),
}

/// A reader that ends with its socket's entry.
struct Reader(JoinHandle<()>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Shell {
    server: Server,
    socket: Arc<UdpSocket>,
    relays: BTreeMap<SocketAddr, (Arc<UdpSocket>, Reader)>,
    connections: BTreeMap<ConnectionNumber, (mpsc::Sender<Bytes>, Reader, Reader)>,
    arrivals: mpsc::Sender<Arrival>,
    reports: mpsc::Sender<Event>,
}

/// Longest datagram.
const DATAGRAM: usize = 65_536;

impl Shell {
    async fn run(mut self, listener: TcpListener, mut arrived: mpsc::Receiver<Arrival>) {
        let mut buffer = vec![0; DATAGRAM];
        let mut next = 0;
        loop {
            let timeout = self.server.poll_timeout();
            let due = async move {
                match timeout {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let socket = Arc::clone(&self.socket);
            tokio::select! {
                received = socket.recv_from(&mut buffer) => {
                    if let Ok((length, from)) = received {
                        let octets = buffer.get(..length).unwrap_or_default();
                        self.take(Input::Datagram { from, octets });
                    }
                },
                accepted = listener.accept() => {
                    if let Ok((stream, from)) = accepted {
                        next += 1;
                        self.connected(ConnectionNumber(next), from, stream);
                    }
                },
                arrival = arrived.recv() => match arrival {
                    Some(Arrival::Bytes(connection, octets)) => {
                        self.take(Input::Bytes { connection, octets: &octets });
                    },
                    Some(Arrival::Disconnected(connection)) => {
                        self.connections.remove(&connection);
                        self.take(Input::Disconnected { connection });
                    },
                    Some(Arrival::Relayed(relay, peer, octets)) => {
                        self.take(Input::Relayed { relay, peer, octets: &octets });
                    },
                    None => return,
                },
                () = due => self.server.handle_timeout(Instant::now()),
            }
            self.drain().await;
        }
    }

    fn take(&mut self, input: Input<'_>) {
        if let Err(error) = self.server.handle_input(Instant::now(), input) {
            tracing::debug!(%error, "a client broke a rule");
        }
    }

    /// Carries out what the machine wants.
    async fn drain(&mut self) {
        loop {
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                let octets = taken(&mut buffer, transmit.len);
                match transmit.path {
                    Path::Datagram(to) => drop(self.socket.try_send_to(&octets, to)),
                    Path::Relay { relay, peer } => {
                        if let Some((socket, _)) = self.relays.get(&relay) {
                            drop(socket.try_send_to(&octets, peer));
                        }
                    }
                    Path::Connection(number) => {
                        // A client that does not read loses packets, as on any other path.
                        if let Some((sender, ..)) = self.connections.get(&number) {
                            drop(sender.try_send(octets));
                        }
                    }
                }
            }
            let Some(event) = self.server.poll_event() else { return };
            match event {
                Event::OpenRelay { relay } => self.open(relay).await,
                Event::CloseRelay { relay } => drop(self.relays.remove(&relay)),
                Event::Disconnect { connection } => drop(self.connections.remove(&connection)),
                event => drop(self.reports.try_send(event)),
            }
        }
    }

    async fn open(&mut self, relay: SocketAddr) {
        let Ok(socket) = UdpSocket::bind(relay).await else {
            return self.take(Input::RelayFailed { relay });
        };
        let socket = Arc::new(socket);
        let (reading, arrivals) = (Arc::clone(&socket), self.arrivals.clone());
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; DATAGRAM];
            loop {
                // What ICMP says of one peer is no reason to stop hearing the others.
                let Ok((length, peer)) = reading.recv_from(&mut buffer).await else { continue };
                let octets = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                if arrivals.send(Arrival::Relayed(relay, peer, octets)).await.is_err() {
                    return;
                }
            }
        });
        self.relays.insert(relay, (socket, Reader(reader)));
        self.take(Input::RelayOpened { relay });
    }

    fn connected(&mut self, connection: ConnectionNumber, from: SocketAddr, stream: TcpStream) {
        drop(stream.set_nodelay(true));
        let (mut reading, mut writing) = stream.into_split();
        let (sender, mut receiver) = mpsc::channel::<Bytes>(256);
        let arrivals = self.arrivals.clone();
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; 16_384];
            loop {
                let arrival = match reading.read(&mut buffer).await {
                    Ok(length) if length > 0 => Arrival::Bytes(
                        connection,
                        Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default()),
                    ),
                    _ => Arrival::Disconnected(connection),
                };
                let over = matches!(arrival, Arrival::Disconnected(_));
                if arrivals.send(arrival).await.is_err() || over {
                    return;
                }
            }
        });
        let writer = tokio::spawn(async move {
            while let Some(octets) = receiver.recv().await {
                if writing.write_all(&octets).await.is_err() {
                    return;
                }
            }
        });
        self.connections.insert(connection, (sender, Reader(reader), Reader(writer)));
        self.take(Input::Connected { connection, from });
    }
}
