//! The sockets of an agent: everything that arrives goes into one queue, told by its path.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sip_lync::ice::agent::{Path, Protocol};
use sip_lync::stun::{FrameKind, Framing, StreamReader, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// What arrives.
pub(crate) enum Arrival {
    /// A packet, without framing.
    Packet { path: Path, octets: Vec<u8> },
    /// A connection stands; its writing half.
    Opened { path: Path, writer: OwnedWriteHalf },
    /// A connection ended or was not made.
    Closed { path: Path },
    /// A line of the standard input, `None` at its end.
    Line(Option<String>),
    /// The connection to the relay of a component.
    Relay(u16, Stream),
}

/// What happens to the connection to a relay.
pub(crate) enum Stream {
    /// It stands; its writing half.
    Opened(OwnedWriteHalf),
    /// Octets came.
    Octets(Vec<u8>),
    /// It ended or was not made.
    Closed,
}

/// Opens the connection to the relay of a component and reads it.
pub(crate) fn connect_relay(component: u16, server: SocketAddr, queue: &Queue) {
    let queue = queue.clone();
    tokio::spawn(async move {
        if let Ok(stream) = TcpStream::connect(server).await {
            let _slower = stream.set_nodelay(true);
            let (mut reader, writer) = stream.into_split();
            if queue.send(Arrival::Relay(component, Stream::Opened(writer))).await.is_err() {
                return;
            }
            let mut buffer = vec![0; LARGEST];
            while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                let octets = buffer.get(..length).unwrap_or_default().to_vec();
                if queue.send(Arrival::Relay(component, Stream::Octets(octets))).await.is_err() {
                    return;
                }
            }
        }
        drop(queue.send(Arrival::Relay(component, Stream::Closed)).await);
    });
}

pub(crate) type Queue = mpsc::Sender<Arrival>;

/// The largest datagram.
const LARGEST: usize = 65_536;

/// The sockets by their local address, the connections by their path.
#[derive(Default)]
pub(crate) struct Sockets {
    udp: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    streams: BTreeMap<Path, OwnedWriteHalf>,
    /// What was to be sent before a connection stood.
    waiting: BTreeMap<Path, VecDeque<Vec<u8>>>,
}

impl Sockets {
    /// Opens a UDP socket for a component.
    pub(crate) async fn bind(
        &mut self,
        component: u16,
        address: IpAddr,
        queue: &Queue,
    ) -> io::Result<SocketAddr> {
        let socket = Arc::new(UdpSocket::bind((address, 0)).await?);
        let local = socket.local_addr()?;
        self.udp.insert(local, Arc::clone(&socket));
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; LARGEST];
            loop {
                // An error belongs to an earlier datagram: port unreachable.
                let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
                let path = Path { component, protocol: Protocol::Udp, local, remote };
                let octets = buffer.get(..length).unwrap_or_default().to_vec();
                if queue.send(Arrival::Packet { path, octets }).await.is_err() {
                    return;
                }
            }
        });
        Ok(local)
    }

    /// Waits for connections for a component.
    pub(crate) async fn listen(component: u16, address: IpAddr, queue: &Queue) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((address, 0)).await?;
        let local = listener.local_addr()?;
        let queue = queue.clone();
        tokio::spawn(async move {
            while let Ok((stream, remote)) = listener.accept().await {
                let path = Path { component, protocol: Protocol::Tcp, local, remote };
                tokio::spawn(read(stream, path, queue.clone()));
            }
        });
        Ok(local)
    }

    /// Opens a connection.
    pub(crate) fn connect(path: Path, queue: &Queue) {
        let queue = queue.clone();
        tokio::spawn(async move {
            let socket = if path.local.is_ipv4() {
                tokio::net::TcpSocket::new_v4()
            } else {
                tokio::net::TcpSocket::new_v6()
            };
            let stream = match socket {
                Ok(socket) => match socket.bind(SocketAddr::new(path.local.ip(), 0)) {
                    Ok(()) => socket.connect(path.remote).await,
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            match stream {
                Ok(stream) => read(stream, path, queue).await,
                Err(_) => drop(queue.send(Arrival::Closed { path }).await),
            }
        });
    }

    pub(crate) async fn opened(&mut self, path: Path, writer: OwnedWriteHalf) {
        self.streams.insert(path, writer);
        for packet in self.waiting.remove(&path).unwrap_or_default() {
            self.send(path, &packet).await;
        }
    }

    pub(crate) fn closed(&mut self, path: Path) {
        self.streams.remove(&path);
        self.waiting.remove(&path);
    }

    /// Sends a packet; what is lost is lost.
    pub(crate) async fn send(&mut self, path: Path, packet: &[u8]) {
        match path.protocol {
            Protocol::Udp => {
                if let Some(socket) = self.udp.get(&path.local) {
                    let _lost = socket.send_to(packet, path.remote).await;
                }
            }
            Protocol::Tcp => {
                let Ok((head, _)) = frame(Framing::Rfc4571, FrameKind::Message, packet.len()) else { return };
                let framed = [head.octets(), packet].concat();
                match self.streams.get_mut(&path) {
                    Some(writer) => drop(writer.write_all(&framed).await),
                    None => self.waiting.entry(path).or_default().push_back(packet.to_vec()),
                }
            }
        }
    }
}

/// Reads packets of a connection until it ends.
async fn read(stream: TcpStream, path: Path, queue: Queue) {
    let _slower = stream.set_nodelay(true);
    let (mut reader, writer) = stream.into_split();
    if queue.send(Arrival::Opened { path, writer }).await.is_err() {
        return;
    }
    let mut frames = StreamReader::new(Framing::Rfc4571);
    let mut buffer = vec![0; LARGEST];
    while let Ok(length @ 1..) = reader.read(&mut buffer).await {
        let mut packets = Vec::new();
        frames.push(buffer.get(..length).unwrap_or_default());
        while let Ok(Some((_, packet))) = frames.next_frame() {
            packets.push(packet.to_vec());
        }
        for octets in packets {
            if queue.send(Arrival::Packet { path, octets }).await.is_err() {
                return;
            }
        }
    }
    drop(queue.send(Arrival::Closed { path }).await);
}
