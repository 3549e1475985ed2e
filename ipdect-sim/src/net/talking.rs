//! The media shell: one task per call around a socket and a [`Talk`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::stun::{PacketKind, demultiplex};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::talk::{Counters, Flow, Talk};

/// What a stream has said and heard, reported when it ends.
///
/// RFC 3550 6.4.1
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TalkReport {
    /// What was counted.
    pub counters: Counters,
    /// What was heard, 8 kHz.
    pub recorded: Vec<i16>,
}

/// What a stream tells the task that owns it.
#[derive(Debug)]
pub(super) enum TalkNews {
    /// All that was to be said has been sent.
    Spoken,
    /// The stream was stopped.
    Ended(TalkReport),
}

/// What a running stream can be told.
#[derive(Debug)]
enum Order {
    Play(Vec<i16>),
    Redirect(Flow),
    Peer(SocketAddr),
    Stop,
}

/// A running stream.
#[derive(Debug)]
pub(super) struct Talking {
    orders: mpsc::Sender<Order>,
}

impl Talking {
    /// Starts the task; its news come with `key`, STUN messages that it reads go to `checks`.
    pub(super) fn start<K: Copy + Send + Sync + 'static>(
        socket: Arc<UdpSocket>,
        peer: SocketAddr,
        talk: Talk,
        key: K,
        news: mpsc::UnboundedSender<(K, TalkNews)>,
        checks: Option<mpsc::Sender<(SocketAddr, Vec<u8>)>>,
    ) -> Self {
        let (orders, queue) = mpsc::channel(64);
        tokio::spawn(async move {
            let spoken = || {
                let _ = news.send((key, TalkNews::Spoken));
            };
            let report = run(&socket, peer, talk, queue, spoken, checks).await;
            let _ = news.send((key, TalkNews::Ended(report)));
        });
        Self { orders }
    }

    pub(super) fn play(&self, samples: Vec<i16>) {
        let _ = self.orders.try_send(Order::Play(samples));
    }

    pub(super) fn redirect(&self, flow: Flow) {
        let _ = self.orders.try_send(Order::Redirect(flow));
    }

    pub(super) fn peer(&self, peer: SocketAddr) {
        let _ = self.orders.try_send(Order::Peer(peer));
    }

    pub(super) fn stop(self) {
        let _ = self.orders.try_send(Order::Stop);
    }
}

async fn run(
    socket: &UdpSocket,
    mut peer: SocketAddr,
    mut talk: Talk,
    mut orders: mpsc::Receiver<Order>,
    spoken: impl Fn(),
    checks: Option<mpsc::Sender<(SocketAddr, Vec<u8>)>>,
) -> TalkReport {
    let mut datagram = [0_u8; 2048];
    let mut buffer = BytesMut::with_capacity(512);
    // What still lies in the socket belongs to an earlier stream.
    while let Ok((len, from)) = socket.try_recv_from(&mut datagram) {
        let _ = is_check(checks.as_ref(), from, datagram.get(..len).unwrap_or_default());
    }
    loop {
        let deadline = talk.poll_timeout().unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            got = socket.recv_from(&mut datagram) => {
                if let Ok((len, from)) = got {
                    let packet = datagram.get_mut(..len).unwrap_or_default();
                    if is_check(checks.as_ref(), from, packet) {
                        continue;
                    }
                    let _ = talk.handle_packet(Instant::now(), packet);
                }
            }
            order = orders.recv() => match order {
                Some(Order::Play(samples)) => talk.play(&samples),
                Some(Order::Redirect(flow)) => talk.redirect(Instant::now(), flow),
                Some(Order::Peer(address)) => peer = address,
                Some(Order::Stop) | None => break,
            },
            () = sleep_until(deadline.into()) => {
                buffer.clear();
                let speaking = talk.is_playing();
                while let Some(len) = talk.poll_packet(Instant::now(), &mut buffer) {
                    let packet = buffer.split_to(len);
                    let _ = socket.send_to(&packet, peer).await;
                }
                if speaking && !talk.is_playing() {
                    spoken();
                }
            }
        }
    }
    TalkReport { counters: talk.counters(), recorded: talk.take_recorded() }
}

/// Hands a STUN message on; whether it was one.
fn is_check(checks: Option<&mpsc::Sender<(SocketAddr, Vec<u8>)>>, from: SocketAddr, packet: &[u8]) -> bool {
    let Some(checks) = checks else { return false };
    let is_check = demultiplex(packet) == PacketKind::Stun;
    if is_check {
        // One that does not fit is lost, as any datagram may be.
        let _ = checks.try_send((from, packet.to_vec()));
    }
    is_check
}

const IDLE: Duration = Duration::from_hours(1);
