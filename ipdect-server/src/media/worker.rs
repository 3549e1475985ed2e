//! Threads that own the sockets of the voice channels.
//!
//! Every thread waits on all sockets of its channels at once. What the sockets give is handed to the channel's
//! [`Stream`], what that makes of it is sent on; nothing is allocated for a packet.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use sip_lync::stun::{PacketKind, demultiplex};

use super::gate::Gate;
use super::plan::{Channel, ChannelId, MediaCommand, MediaEvent};
use super::stream::{Outgoing, PACKET, Stream};

/// Tones and time-outs are looked at this often while calls exist.
pub const TICK: Duration = Duration::from_millis(20);
const WAKE: Token = Token(usize::MAX);
/// Datagrams taken from one socket before the others get their turn.
const TURN: usize = 64;
/// Tries to find an even port with its odd neighbour free.
const PORT_TRIES: usize = 200;

/// Why the voice channels could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A socket could not be bound.
    #[error(
        "cannot open the sockets of the voice channels on {address}: {source}; set media.address to an address of this machine"
    )]
    Bind {
        /// The address of the configuration.
        address: IpAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses what workers need.
    #[error("cannot start a media worker: {0}")]
    Worker(#[from] io::Error),
}

/// The media workers.
#[derive(Debug)]
pub struct Workers {
    channels: Vec<Channel>,
    threads: Vec<Worker>,
    of_channel: BTreeMap<ChannelId, usize>,
}

#[derive(Debug)]
struct Worker {
    commands: Sender<MediaCommand>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Opens the sockets of `count` channels and shares them among `threads` threads; `report` hears what happens.
    pub fn start(
        address: IpAddr,
        radio_address: IpAddr,
        count: u16,
        threads: usize,
        report: impl Fn(MediaEvent) + Send + Clone + 'static,
    ) -> Result<Self, MediaError> {
        let threads = threads.clamp(1, usize::from(count.max(1)));
        let mut channels = Vec::with_capacity(usize::from(count));
        let mut lots: Vec<Vec<Lines>> = (0..threads).map(|_| Vec::new()).collect();
        let mut of_channel = BTreeMap::new();
        for number in 0..count {
            let (rtp, rtcp) = bind_pair(address).map_err(|source| MediaError::Bind { address, source })?;
            let radio = std::net::UdpSocket::bind((radio_address, 0))
                .and_then(nonblocking)
                .map_err(|source| MediaError::Bind { address: radio_address, source })?;
            let channel = Channel {
                id: ChannelId(number),
                network_rtp: rtp.local_addr()?,
                network_rtcp: rtcp.local_addr()?,
                radio: radio.local_addr()?,
            };
            let lot = usize::from(number) % threads;
            of_channel.insert(channel.id, lot);
            channels.push(channel);
            lots[lot].push(Lines { id: channel.id, rtp, rtcp, radio, stream: None, gate: None });
        }
        let workers = lots
            .into_iter()
            .enumerate()
            .map(|(number, lines)| Worker::start(number, lines, report.clone()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self { channels, threads: workers, of_channel })
    }

    /// The channels with their addresses.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Hands a command to the worker that owns the channel.
    pub fn command(&self, command: MediaCommand) {
        let id = match &command {
            MediaCommand::Install(plan) => plan.channel,
            MediaCommand::Listen { channel }
            | MediaCommand::Check { channel, .. }
            | MediaCommand::Tone { channel, .. }
            | MediaCommand::Remove { channel } => *channel,
        };
        if let Some(worker) = self.of_channel.get(&id).and_then(|lot| self.threads.get(*lot)) {
            // A worker only ends when the whole is dropped.
            let _ended = worker.commands.send(command);
            let _ended = worker.waker.wake();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.threads {
            let (closed, _) = channel();
            worker.commands = closed;
            let _ended = worker.waker.wake();
        }
        for worker in &mut self.threads {
            if let Some(thread) = worker.thread.take() {
                let _panicked = thread.join();
            }
        }
    }
}

impl Worker {
    fn start(
        number: usize,
        lines: Vec<Lines>,
        report: impl Fn(MediaEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (commands, orders) = channel();
        let mut desk = Desk::new(poll, lines, orders)?;
        let thread =
            std::thread::Builder::new().name(format!("media-{number}")).spawn(move || desk.run(&report))?;
        Ok(Self { commands, waker, thread: Some(thread) })
    }
}

/// The three sockets of a channel and the call on it.
#[derive(Debug)]
struct Lines {
    id: ChannelId,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    radio: UdpSocket,
    stream: Option<Box<Stream>>,
    /// STUN messages are reported.
    gate: Option<Gate>,
}

/// What one thread works on.
struct Desk {
    poll: Poll,
    lines: Vec<Lines>,
    orders: Receiver<MediaCommand>,
    busy: usize,
}

impl Desk {
    fn new(poll: Poll, mut lines: Vec<Lines>, orders: Receiver<MediaCommand>) -> io::Result<Self> {
        for (index, lines) in lines.iter_mut().enumerate() {
            let registry = poll.registry();
            registry.register(&mut lines.rtp, Token(index * 3), Interest::READABLE)?;
            registry.register(&mut lines.rtcp, Token(index * 3 + 1), Interest::READABLE)?;
            registry.register(&mut lines.radio, Token(index * 3 + 2), Interest::READABLE)?;
        }
        Ok(Self { poll, lines, orders, busy: 0 })
    }

    fn run(&mut self, report: &dyn Fn(MediaEvent)) {
        let mut events = Events::with_capacity(256);
        let mut packet = [0u8; PACKET];
        let mut next_tick = Instant::now() + TICK;
        // Sockets that had more than their turn: they are served again without waiting.
        let mut more: Vec<usize> = Vec::new();
        loop {
            let wait = if !more.is_empty() {
                Some(Duration::ZERO)
            } else if self.busy > 0 {
                Some(next_tick.saturating_duration_since(Instant::now()))
            } else {
                None
            };
            match self.poll.poll(&mut events, wait) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
            if !self.take_orders(report) {
                return;
            }
            let now = Instant::now();
            let again = std::mem::take(&mut more);
            let ready = events
                .iter()
                .map(mio::event::Event::token)
                .filter(|token| *token != WAKE)
                .map(|token| token.0);
            for line in again.into_iter().chain(ready) {
                if self.serve(now, line, &mut packet, report) {
                    more.push(line);
                }
            }
            if now >= next_tick {
                next_tick = now + TICK;
                for lines in &mut self.lines {
                    if let Some(stream) = &mut lines.stream {
                        stream.tick(now, &mut packet, |out, bytes| {
                            send(&lines.rtp, &lines.rtcp, &lines.radio, out, bytes);
                        });
                        stream.reports(lines.id, report);
                    }
                }
            }
        }
    }

    /// Takes commands; false when no more can come.
    fn take_orders(&mut self, report: &dyn Fn(MediaEvent)) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(MediaCommand::Install(plan)) => {
                    if let Some(lines) = self.lines.iter_mut().find(|lines| lines.id == plan.channel) {
                        if let Some(stream) = &mut lines.stream {
                            stream.change(Instant::now(), *plan);
                        } else {
                            lines.stream = Some(Box::new(Stream::new(Instant::now(), *plan)));
                            self.busy += 1;
                        }
                    }
                }
                Ok(MediaCommand::Listen { channel }) => {
                    if let Some(lines) = self.lines.iter_mut().find(|lines| lines.id == channel) {
                        lines.gate.get_or_insert_with(|| Gate::new(Instant::now()));
                    }
                }
                Ok(MediaCommand::Check { channel, component, to, octets }) => {
                    if let Some(lines) = self.lines.iter().find(|lines| lines.id == channel) {
                        let socket = if component == 1 { &lines.rtp } else { &lines.rtcp };
                        // A check that the system refuses is lost, as any datagram may be.
                        let _lost = socket.send_to(&octets, to);
                    }
                }
                Ok(MediaCommand::Tone { channel, tone }) => {
                    let lines = self.lines.iter_mut().find(|lines| lines.id == channel);
                    if let Some(stream) = lines.and_then(|lines| lines.stream.as_mut()) {
                        stream.tone(tone);
                    }
                }
                Ok(MediaCommand::Remove { channel }) => {
                    if let Some(lines) = self.lines.iter_mut().find(|lines| lines.id == channel) {
                        lines.gate = None;
                        if let Some(stream) = lines.stream.take() {
                            self.busy -= 1;
                            report(MediaEvent::Report { channel, counters: stream.counters() });
                        }
                    }
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Takes what one socket has, a turn at most; true when it may have more.
    fn serve(
        &mut self,
        now: Instant,
        line: usize,
        packet: &mut [u8; PACKET],
        report: &dyn Fn(MediaEvent),
    ) -> bool {
        let Some(lines) = self.lines.get_mut(line / 3) else { return false };
        let socket = match line % 3 {
            0 => &lines.rtp,
            1 => &lines.rtcp,
            _ => &lines.radio,
        };
        for _ in 0..TURN {
            let (length, from) = match socket.recv_from(&mut packet[..]) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A port of the peer that is closed: its ICMP message shows here.
                Err(_) => continue,
            };
            let network = line % 3 < 2;
            if network && demultiplex(packet.get(..length).unwrap_or_default()) == PacketKind::Stun {
                if lines.gate.as_mut().is_some_and(|gate| gate.admits(now, length)) {
                    report(MediaEvent::Check {
                        channel: lines.id,
                        component: (line % 3 + 1) as u16,
                        from,
                        octets: packet[..length].to_vec(),
                    });
                }
                continue;
            }
            let Some(stream) = &mut lines.stream else { continue };
            let forward =
                |out: Outgoing, bytes: &[u8]| send(&lines.rtp, &lines.rtcp, &lines.radio, out, bytes);
            match line % 3 {
                0 => stream.take_network(now, from, packet, length, forward),
                1 => stream.take_network_rtcp(packet, length),
                _ => {
                    if let Some(outgoing) = stream.take_radio(now, from, packet, length) {
                        forward(outgoing, &packet[..]);
                    }
                }
            }
            stream.reports(lines.id, report);
        }
        true
    }
}

fn send(rtp: &UdpSocket, rtcp: &UdpSocket, radio: &UdpSocket, outgoing: Outgoing, packet: &[u8]) {
    // A datagram that the system refuses is lost, as any datagram may be.
    let _lost = match outgoing {
        Outgoing::Network { to, length } => rtp.send_to(&packet[..length], to),
        Outgoing::NetworkControl { to, length } => rtcp.send_to(&packet[..length], to),
        Outgoing::Radio { to, length } => radio.send_to(&packet[..length], to),
    };
}

fn nonblocking(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    Ok(UdpSocket::from_std(socket))
}

/// An even port for RTP and the odd one behind it for RTCP.
fn bind_pair(address: IpAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let first = std::net::UdpSocket::bind((address, 0))?;
        let port = first.local_addr()?.port();
        let second = if port.is_multiple_of(2) { port.checked_add(1) } else { port.checked_sub(1) };
        let Some(second) = second else { continue };
        match std::net::UdpSocket::bind(SocketAddr::new(address, second)) {
            Ok(second) if port.is_multiple_of(2) => return Ok((nonblocking(first)?, nonblocking(second)?)),
            Ok(second) => return Ok((nonblocking(second)?, nonblocking(first)?)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
