//! The media shell: one task per call around a socket and a [`Talk`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
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
    /// Starts the task; its news come with `key`.
    pub(super) fn start<K: Copy + Send + Sync + 'static>(
        socket: Arc<UdpSocket>,
        peer: SocketAddr,
        talk: Talk,
        key: K,
        news: mpsc::UnboundedSender<(K, TalkNews)>,
    ) -> Self {
        let (orders, queue) = mpsc::channel(64);
        tokio::spawn(async move {
            let spoken = || {
                let _ = news.send((key, TalkNews::Spoken));
            };
            let report = run(&socket, peer, talk, queue, spoken).await;
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
) -> TalkReport {
    let mut datagram = [0_u8; 2048];
    let mut buffer = BytesMut::with_capacity(512);
    // What still lies in the socket belongs to an earlier stream.
    while socket.try_recv_from(&mut datagram).is_ok() {}
    loop {
        let deadline = talk.poll_timeout().unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            got = socket.recv_from(&mut datagram) => {
                if let Ok((len, _)) = got {
                    let packet = datagram.get_mut(..len).unwrap_or_default();
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

const IDLE: Duration = Duration::from_hours(1);
