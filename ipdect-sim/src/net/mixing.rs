//! The media shell of the services: one task that owns the mixers and the streams of voice mail, and reads their sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::stun::{PacketKind, demultiplex};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::application::Media;
use crate::frontend::FlowId;
use crate::mixer::{MemberId, Mixer};
use crate::talk::Talk;
use crate::user::MediaPlan;

/// What the task tells the owner of the machines.
#[derive(Debug)]
pub(super) enum MediaNews {
    /// A STUN message came to the socket of RTP (1) or RTCP (2).
    Check { flow: FlowId, component: u16, from: SocketAddr, data: Vec<u8> },
    /// All that was to be said has been sent.
    Spoken(FlowId),
    /// A stream ended; what was heard.
    Recorded(FlowId, Vec<i16>),
}

/// What the task is told.
#[derive(Debug)]
pub(super) enum MediaOrder {
    /// The socket of RTP of a new call.
    Open(FlowId, Arc<UdpSocket>),
    /// What is to be done.
    Do(FlowId, Media),
    /// A datagram.
    Packet(FlowId, Vec<u8>),
    /// The call is forgotten.
    Close(FlowId),
}

/// Reads a socket of a call until the task is stopped.
pub(super) async fn read(
    socket: Arc<UdpSocket>,
    flow: FlowId,
    component: u16,
    news: mpsc::UnboundedSender<MediaNews>,
    orders: mpsc::UnboundedSender<MediaOrder>,
) {
    let mut datagram = [0_u8; 2048];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut datagram).await else { continue };
        let data = datagram.get(..len).unwrap_or_default().to_vec();
        let gone = if demultiplex(&data) == PacketKind::Stun {
            news.send(MediaNews::Check { flow, component, from, data }).is_err()
        } else {
            component == 1 && orders.send(MediaOrder::Packet(flow, data)).is_err()
        };
        if gone {
            return;
        }
    }
}

/// One call's way.
struct Way {
    socket: Arc<UdpSocket>,
    peer: Option<SocketAddr>,
    /// The conference it is mixed in.
    room: Option<String>,
    alone: Option<Talk>,
}

/// Runs until nobody gives orders any more.
pub(super) async fn run(
    mut orders: mpsc::UnboundedReceiver<MediaOrder>,
    news: mpsc::UnboundedSender<MediaNews>,
) {
    let mut ways: BTreeMap<FlowId, Way> = BTreeMap::new();
    let mut rooms: BTreeMap<String, Mixer> = BTreeMap::new();
    loop {
        let mixers = rooms.values().filter_map(Mixer::poll_timeout);
        let alone = ways.values().filter_map(|way| way.alone.as_ref()?.poll_timeout());
        let deadline = mixers.chain(alone).min().unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                obey(order, &mut ways, &mut rooms, &news);
            }
            () = sleep_until(deadline.into()) => send(&mut ways, &mut rooms, &news),
        }
    }
}

fn obey(
    order: MediaOrder,
    ways: &mut BTreeMap<FlowId, Way>,
    rooms: &mut BTreeMap<String, Mixer>,
    news: &mpsc::UnboundedSender<MediaNews>,
) {
    let now = Instant::now();
    match order {
        MediaOrder::Open(flow, socket) => {
            ways.insert(flow, Way { socket, peer: None, room: None, alone: None });
        }
        MediaOrder::Packet(flow, mut packet) => {
            let Some(way) = ways.get_mut(&flow) else { return };
            // What is no use to the stream is counted there.
            if let Some(talk) = &mut way.alone {
                let _ = talk.handle_packet(now, &mut packet);
            } else if let Some(room) = way.room.as_ref().and_then(|room| rooms.get_mut(room)) {
                let _ = room.handle_packet(now, MemberId(flow.0), &mut packet);
            }
        }
        MediaOrder::Do(flow, Media::Mix { conference, plan }) => {
            let Some(way) = ways.get_mut(&flow) else { return };
            match plan {
                MediaPlan::Start { plan, remote, .. } => {
                    way.peer = Some(remote);
                    way.room = Some(conference.clone());
                    let room = rooms.entry(conference).or_insert_with(|| Mixer::new(now));
                    room.add(now, MemberId(flow.0), *plan);
                }
                MediaPlan::Change { flow: ways_of_media, remote, .. } => {
                    way.peer = Some(remote);
                    if let Some(room) = rooms.get_mut(&conference) {
                        room.redirect(MemberId(flow.0), ways_of_media);
                    }
                }
                MediaPlan::Stop { .. } => leave(way, flow, rooms),
            }
        }
        MediaOrder::Do(flow, Media::Mute { conference, muted }) => {
            if let Some(room) = rooms.get_mut(&conference) {
                room.mute(MemberId(flow.0), muted);
            }
        }
        MediaOrder::Do(flow, Media::Alone(plan)) => {
            let Some(way) = ways.get_mut(&flow) else { return };
            match plan {
                MediaPlan::Start { plan, remote, .. } => {
                    way.peer = Some(remote);
                    way.alone = Some(Talk::new(now, *plan));
                }
                MediaPlan::Change { flow: ways_of_media, remote, .. } => {
                    way.peer = Some(remote);
                    if let Some(talk) = &mut way.alone {
                        talk.redirect(now, ways_of_media);
                    }
                }
                MediaPlan::Stop { .. } => {
                    if let Some(mut talk) = way.alone.take() {
                        let _ = news.send(MediaNews::Recorded(flow, talk.take_recorded()));
                    }
                }
            }
        }
        MediaOrder::Do(flow, Media::Say(samples)) => {
            if let Some(talk) = ways.get_mut(&flow).and_then(|way| way.alone.as_mut()) {
                talk.play(&samples);
            }
        }
        MediaOrder::Close(flow) => {
            if let Some(mut way) = ways.remove(&flow) {
                leave(&mut way, flow, rooms);
            }
        }
    }
}

fn leave(way: &mut Way, flow: FlowId, rooms: &mut BTreeMap<String, Mixer>) {
    let Some(name) = way.room.take() else { return };
    if let Some(room) = rooms.get_mut(&name) {
        room.remove(MemberId(flow.0));
        if room.is_empty() {
            rooms.remove(&name);
        }
    }
}

fn send(
    ways: &mut BTreeMap<FlowId, Way>,
    rooms: &mut BTreeMap<String, Mixer>,
    news: &mpsc::UnboundedSender<MediaNews>,
) {
    let now = Instant::now();
    let mut buffer = BytesMut::with_capacity(512);
    for room in rooms.values_mut() {
        while let Some((member, len)) = room.poll_packet(now, &mut buffer) {
            let packet = buffer.split_to(len);
            if let Some(Way { socket, peer: Some(peer), .. }) = ways.get(&FlowId(member.0)) {
                // What the system does not take is lost, as any datagram may be.
                let _ = socket.try_send_to(&packet, *peer);
            }
        }
    }
    for (flow, way) in ways {
        let (Some(talk), Some(peer)) = (&mut way.alone, way.peer) else { continue };
        let speaking = talk.is_playing();
        while let Some(len) = talk.poll_packet(now, &mut buffer) {
            let packet = buffer.split_to(len);
            let _ = way.socket.try_send_to(&packet, peer);
        }
        if speaking && !talk.is_playing() {
            let _ = news.send(MediaNews::Spoken(*flow));
        }
    }
}

const IDLE: Duration = Duration::from_hours(1);
