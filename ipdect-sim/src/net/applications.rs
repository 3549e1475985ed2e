//! The shell of the services: their calls reach the front end within the program, their media go over sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::mixing::{self, MediaNews, MediaOrder};
use super::stream;
use crate::Seed;
use crate::application::{ApplicationConfig, Applications, Notice};
use crate::frontend::{Event, FlowId, FrontEnd, FrontEndConfig, Input};
use crate::seed::Random;

/// The sockets of one call and the tasks that read them.
struct Sockets {
    rtp: Arc<UdpSocket>,
    rtcp: Arc<UdpSocket>,
    readers: [AbortHandle; 2],
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

/// The services of a front end.
pub(super) struct Services {
    machine: Applications,
    address: IpAddr,
    sockets: BTreeMap<FlowId, Sockets>,
    /// What the front end sent to them.
    came: Vec<(FlowId, Bytes)>,
    orders: mpsc::UnboundedSender<MediaOrder>,
    news: mpsc::UnboundedSender<MediaNews>,
}

impl Services {
    /// Starts the task of the media; what it tells comes to the receiver.
    pub(super) fn start(
        config: &FrontEndConfig,
        seed: Seed,
        address: IpAddr,
    ) -> (Self, mpsc::UnboundedReceiver<MediaNews>) {
        let (news, told) = mpsc::unbounded_channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        tokio::spawn(mixing::run(ordered, news.clone()));
        // Another seed than the front end's: its words are not theirs.
        let seed = Seed(Random::new(seed).keyed(b"applications"));
        let machine = Applications::new(ApplicationConfig::of(config), seed);
        (Self { machine, address, sockets: BTreeMap::new(), came: Vec::new(), orders, news }, told)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self) {
        self.machine.handle_timeout(Instant::now());
    }

    /// The front end sends something to a service.
    pub(super) fn sent(&mut self, flow: FlowId, octets: Bytes) {
        self.came.push((flow, octets));
    }

    pub(super) fn told(&mut self, news: MediaNews) {
        let now = Instant::now();
        match news {
            MediaNews::Check { flow, component, from, data } => {
                self.machine.check(now, flow, component, from, &data);
            }
            MediaNews::Spoken(flow) => self.machine.spoken(now, flow),
            MediaNews::Recorded(flow, samples) => self.machine.recorded(flow, samples),
        }
    }

    /// Does what the front end asks for.
    pub(super) fn event(&mut self, front_end: &mut FrontEnd, event: &Event) {
        let now = Instant::now();
        match event {
            Event::Application { flow, uri } => {
                let opened = self.open(*flow).is_some_and(|media| self.machine.open(now, *flow, uri, media));
                if !opened {
                    self.close(front_end, *flow);
                }
            }
            Event::DialOut { mixer, target, .. } => {
                let flow = front_end.open_application();
                let opened = self.open(flow);
                if !opened.is_some_and(|media| self.machine.dial_out(now, flow, mixer, target, media)) {
                    self.close(front_end, flow);
                }
            }
            Event::PutOut { conference, user } => self.machine.put_out(now, conference, user.as_deref()),
            Event::Muted { conference, user, muted } => self.machine.mute(conference, user, *muted),
            _ => {}
        }
    }

    /// Opens the sockets of a call; none: the system has none left.
    fn open(&mut self, flow: FlowId) -> Option<[SocketAddr; 2]> {
        let (rtp, rtcp) = (0..ATTEMPTS).find_map(|_| {
            let rtp = std::net::UdpSocket::bind((self.address, 0)).ok()?;
            let next = rtp.local_addr().ok()?.port().checked_add(1)?;
            let rtcp = std::net::UdpSocket::bind((self.address, next)).ok()?;
            Some((rtp, rtcp))
        })?;
        let open = |socket: std::net::UdpSocket| {
            socket.set_nonblocking(true).ok()?;
            Some(Arc::new(UdpSocket::from_std(socket).ok()?))
        };
        let (rtp, rtcp) = (open(rtp)?, open(rtcp)?);
        let addresses = [rtp.local_addr().ok()?, rtcp.local_addr().ok()?];
        let reader = |socket: &Arc<UdpSocket>, component| {
            let reading =
                mixing::read(Arc::clone(socket), flow, component, self.news.clone(), self.orders.clone());
            tokio::spawn(reading).abort_handle()
        };
        let readers = [reader(&rtp, 1), reader(&rtcp, 2)];
        let _ = self.orders.send(MediaOrder::Open(flow, Arc::clone(&rtp)));
        self.sockets.insert(flow, Sockets { rtp, rtcp, readers });
        Some(addresses)
    }

    fn close(&mut self, front_end: &mut FrontEnd, flow: FlowId) {
        self.sockets.remove(&flow);
        let _ = self.orders.send(MediaOrder::Close(flow));
        front_end.handle_input(Instant::now(), Input::FlowClosed { flow });
    }

    /// Carries everything between the services, the front end and the sockets; whether there was anything.
    pub(super) fn carry(&mut self, front_end: &mut FrontEnd) -> bool {
        let mut something = false;
        for (flow, octets) in core::mem::take(&mut self.came) {
            something = true;
            self.machine.bytes(Instant::now(), flow, &octets);
        }
        let mut buffer = BytesMut::new();
        while let Some((flow, len)) = self.machine.poll_transmit(&mut buffer) {
            something = true;
            let bytes = stream::taken(&mut buffer, len);
            front_end.handle_input(Instant::now(), Input::Bytes { flow, bytes: &bytes });
        }
        while let Some((flow, check)) = self.machine.poll_check(&mut buffer) {
            let octets = stream::taken(&mut buffer, check.len);
            if let Some(sockets) = self.sockets.get(&flow) {
                let socket = if check.component == 1 { &sockets.rtp } else { &sockets.rtcp };
                // A check that the system refuses is lost, as any datagram may be.
                let _ = socket.try_send_to(&octets, check.to);
            }
        }
        while let Some((flow, media)) = self.machine.poll_media() {
            let _ = self.orders.send(MediaOrder::Do(flow, media));
        }
        while let Some(notice) = self.machine.poll_notice() {
            something = true;
            match notice {
                Notice::Member { conference, member } => {
                    front_end.audio_member(Instant::now(), &conference, &member);
                }
                Notice::Mailbox { user, new, old } => {
                    front_end.set_mailbox(Instant::now(), &user, new, old);
                }
                Notice::Close(flow) => self.close(front_end, flow),
            }
        }
        something
    }
}

/// How often a pair of neighbouring ports is looked for.
const ATTEMPTS: usize = 50;
