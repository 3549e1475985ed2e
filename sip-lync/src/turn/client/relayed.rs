//! Packets of peers: permissions, short paths, wrapping without copying.

use core::net::{IpAddr, SocketAddr};
use core::ops::Range;
use std::time::{Duration, Instant};

use super::Client;
use super::config::{Service, Transport};
use super::event::Event;
use super::request::Purpose;
use crate::error::{Error, Refusal};
use crate::stun::{
    Attribute, AttributeType, Builder, Class, Dialect, FrameKind, Framing, Message, Method, SequenceNumber,
    TransactionId, frame, has_ms_turn_cookie,
};

/// Room that [`Client::wrap`] needs before a packet.
///
/// RFC 8656 11.1, MS-TURN 3.2
pub const HEADROOM: usize = 384;

/// Room that [`Client::wrap`] needs behind a packet.
///
/// RFC 8656 11.1, MS-TURN 3.2
pub const TAILROOM: usize = 24;

/// Permissions last five minutes and are renewed before. RFC 8656 9
const PERMISSION_REFRESH: Duration = Duration::from_mins(4);
/// The first channel. RFC 8656 12
const CHANNEL_FIRST: u16 = 0x4000;
/// The last one. RFC 8656 12
const CHANNEL_LAST: u16 = 0x4fff;

/// A peer that was let in, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Permission {
    pub(super) told: bool,
    pub(super) refresh_at: Option<Instant>,
}

/// A peer with the short path, or about to have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Channel {
    number: u16,
    bound: bool,
    pub(super) refresh_at: Option<Instant>,
}

impl Client {
    /// Lets packets of a peer in.
    ///
    /// MS-TURN has no permissions of their own; what is sent to a peer opens its way back.
    ///
    /// RFC 8656 9, MS-TURN 3.2
    pub fn permit(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        if !self.is_standing() {
            return Err(Error::Refused(Refusal::NoAllocation));
        }
        let ip = peer.ip();
        if let Some(known) = self.permissions.get(&ip) {
            if known.told {
                self.events.push_back(Event::Permitted { peer: ip });
            }
            return Ok(());
        }
        if self.permissions.len() >= self.config.peers_max {
            return Err(Error::Refused(Refusal::TooManyPeers));
        }
        let told = self.config.service == Service::MsTurn;
        self.permissions.insert(ip, Permission { told, refresh_at: None });
        if told {
            self.events.push_back(Event::Permitted { peer: ip });
        } else {
            self.request(now, Purpose::Permit(ip));
        }
        Ok(())
    }

    /// Gives a peer the short path: a channel, or all packets without wrapping.
    ///
    /// RFC 8656 12, MS-TURN 3.2
    pub fn bind(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        if !self.is_standing() {
            return Err(Error::Refused(Refusal::NoAllocation));
        }
        if let Some(known) = self.channels.get(&peer) {
            if known.bound {
                self.events.push_back(Event::Bound { peer });
            }
            return Ok(());
        }
        let number = match self.config.service {
            Service::MsTurn => {
                // There is one active destination.
                self.channels.clear();
                self.requests.retain(|_, request| !matches!(request.purpose, Purpose::Bind(..)));
                0
            }
            Service::Rfc8656 => {
                let taken = |number: &u16| self.channels.values().any(|channel| channel.number == *number);
                (CHANNEL_FIRST..=CHANNEL_LAST)
                    .find(|number| !taken(number))
                    .filter(|_| self.channels.len() < self.config.peers_max)
                    .ok_or(Error::Refused(Refusal::TooManyPeers))?
            }
        };
        self.channels.insert(peer, Channel { number, bound: false, refresh_at: None });
        self.request(now, Purpose::Bind(peer, number));
        Ok(())
    }

    pub(super) fn permitted(&mut self, now: Instant, peer: IpAddr) {
        let Some(permission) = self.permissions.get_mut(&peer) else { return };
        permission.refresh_at = now.checked_add(PERMISSION_REFRESH);
        if !core::mem::replace(&mut permission.told, true) {
            self.events.push_back(Event::Permitted { peer });
        }
    }

    pub(super) fn bound(&mut self, now: Instant, peer: SocketAddr) {
        let Some(channel) = self.channels.get_mut(&peer) else { return };
        if self.config.service == Service::Rfc8656 {
            // A channel lasts ten minutes, its permission five.
            channel.refresh_at = now.checked_add(PERMISSION_REFRESH);
        }
        if !core::mem::replace(&mut channel.bound, true) {
            self.events.push_back(Event::Bound { peer });
        }
    }

    /// Renews permissions and channels.
    pub(super) fn refresh_peers(&mut self, now: Instant) {
        let due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        let mut requests: Vec<Purpose> = Vec::new();
        for (peer, permission) in &mut self.permissions {
            if due(&mut permission.refresh_at) {
                requests.push(Purpose::Permit(*peer));
            }
        }
        for (peer, channel) in &mut self.channels {
            if due(&mut channel.refresh_at) {
                requests.push(Purpose::Bind(*peer, channel.number));
            }
        }
        for purpose in requests {
            self.request(now, purpose);
        }
    }

    /// The packet of a peer in a datagram from the server, without copying; `None` is for [`Client::handle_input`].
    ///
    /// RFC 8656 11.4, 12.7, MS-TURN 3.2
    #[inline]
    pub fn unwrap<'a>(&self, from: SocketAddr, octets: &'a [u8]) -> Option<(SocketAddr, &'a [u8])> {
        if from != self.server {
            return None;
        }
        match (self.config.service, octets) {
            (Service::Rfc8656, [0x40..=0x4f, ..]) => self.unwrap_channel(octets),
            (Service::Rfc8656, [0x00, 0x17, ..]) => unwrap_indication(Dialect::Rfc8489, octets),
            (Service::Rfc8656, _) => None,
            (Service::MsTurn, [0x01, 0x15, ..]) if has_ms_turn_cookie(octets) => {
                unwrap_indication(Dialect::MsTurn, octets)
            }
            (Service::MsTurn, _) if has_ms_turn_cookie(octets) => None,
            (Service::MsTurn, _) => self.channels.keys().next().map(|peer| (*peer, octets)),
        }
    }

    pub(super) fn unwrap_frame<'a>(
        &self,
        kind: FrameKind,
        octets: &'a [u8],
    ) -> Option<(SocketAddr, &'a [u8])> {
        match (self.config.service, kind, octets) {
            (Service::Rfc8656, FrameKind::Data, _) => self.unwrap_channel(octets),
            (Service::Rfc8656, FrameKind::Message, [0x00, 0x17, ..]) => {
                unwrap_indication(Dialect::Rfc8489, octets)
            }
            (Service::MsTurn, FrameKind::Message, [0x01, 0x15, ..]) => {
                unwrap_indication(Dialect::MsTurn, octets)
            }
            (Service::MsTurn, FrameKind::Data, _) => self.channels.keys().next().map(|peer| (*peer, octets)),
            (_, FrameKind::Message, _) => None,
        }
    }

    fn unwrap_channel<'a>(&self, octets: &'a [u8]) -> Option<(SocketAddr, &'a [u8])> {
        let [a, b, c, d, data @ ..] = octets else { return None };
        let number = u16::from_be_bytes([*a, *b]);
        let data = data.get(..usize::from(u16::from_be_bytes([*c, *d])))?;
        let peer = self.channels.iter().find(|(_, channel)| channel.number == number)?.0;
        Some((*peer, data))
    }

    /// Queues a packet for a peer.
    ///
    /// RFC 8656 11.1, 12.5, MS-TURN 3.2
    pub fn send(&mut self, now: Instant, peer: SocketAddr, data: &[u8]) -> Result<(), Error> {
        let _ = now;
        let mut packet = vec![0; HEADROOM + data.len() + TAILROOM];
        let range = HEADROOM..HEADROOM + data.len();
        packet
            .get_mut(range.clone())
            .map(|to| to.copy_from_slice(data))
            .ok_or(Refusal::BufferTooSmall)
            .map_err(Error::Refused)?;
        let wrapped = self.wrap(peer, &mut packet, range).map_err(Error::Refused)?;
        packet.truncate(wrapped.end);
        packet.drain(..wrapped.start);
        self.outgoing.push_back(packet);
        Ok(())
    }

    /// Wraps a packet for a peer where it stands: `data` is its place, the answer that of the whole.
    ///
    /// There must be [`HEADROOM`] before it and [`TAILROOM`] behind it. What comes out goes to [`Client::server`].
    ///
    /// RFC 8656 11.1, 12.5, MS-TURN 3.2
    #[inline]
    pub fn wrap(
        &mut self,
        peer: SocketAddr,
        packet: &mut [u8],
        data: Range<usize>,
    ) -> Result<Range<usize>, Refusal> {
        if !self.is_standing() {
            return Err(Refusal::NoAllocation);
        }
        let channel = self.channels.get(&peer).filter(|channel| channel.bound).map(|channel| channel.number);
        let stream = self.config.transport != Transport::Udp;
        match (self.config.service, channel) {
            (Service::Rfc8656, Some(number)) => {
                let length = u16::try_from(data.len()).map_err(|_| Refusal::StunTooLong)?;
                let [a, b] = number.to_be_bytes();
                let [c, d] = length.to_be_bytes();
                let start = put_before(packet, data.start, &[a, b, c, d])?;
                let fill = if stream { data.len().next_multiple_of(4) - data.len() } else { 0 };
                let end = put_behind(packet, data.end, [0; 3].get(..fill).unwrap_or_default())?;
                Ok(start..end)
            }
            (Service::Rfc8656, None) => {
                if !self.permissions.contains_key(&peer.ip()) && !self.channels.contains_key(&peer) {
                    return Err(Refusal::NoPermission);
                }
                self.wrap_indication(peer, packet, data)
            }
            (Service::MsTurn, Some(_)) if !stream => Ok(data),
            (Service::MsTurn, Some(_)) => {
                let (head, _) = frame(Framing::MsTurn, FrameKind::Data, data.len())?;
                Ok(put_before(packet, data.start, head.octets())?..data.end)
            }
            (Service::MsTurn, None) => self.wrap_send_request(peer, packet, data, stream),
        }
    }

    /// A Send indication. RFC 8656 11.1
    fn wrap_indication(
        &mut self,
        peer: SocketAddr,
        packet: &mut [u8],
        data: Range<usize>,
    ) -> Result<Range<usize>, Refusal> {
        let transaction = self.next_transaction();
        let mut head = [0; 64];
        let mut builder =
            Builder::new(&mut head, Dialect::Rfc8489, Class::Indication, Method::Send, transaction);
        builder.push(&Attribute::XorPeerAddress(peer));
        let fill = data.len().next_multiple_of(4) - data.len();
        let head = builder.finish_before(AttributeType::DATA, data.len(), fill)?;
        let start = put_before(packet, data.start, head)?;
        let end = put_behind(packet, data.end, [0; 3].get(..fill).unwrap_or_default())?;
        Ok(start..end)
    }

    /// A Send request, which is never answered. MS-TURN 3.2
    fn wrap_send_request(
        &mut self,
        peer: SocketAddr,
        packet: &mut [u8],
        data: Range<usize>,
        stream: bool,
    ) -> Result<Range<usize>, Refusal> {
        let transaction = self.next_transaction();
        self.number = self.number.wrapping_add(1);
        let mut head = [0; HEADROOM];
        let mut builder = Builder::new(&mut head, Dialect::MsTurn, Class::Request, Method::Send, transaction);
        builder
            .push(&Attribute::MsVersion(self.config.ms_version))
            .push(&Attribute::Username(self.config.credentials.username()))
            .push(&Attribute::DestinationAddress(peer));
        if let Some(connection) = self.connection {
            builder.push(&Attribute::MsSequenceNumber(SequenceNumber { connection, number: self.number }));
        }
        let head = builder.finish_before(AttributeType::DATA, data.len(), 24)?;
        let start = put_before(packet, data.start, head)?;
        let key = self.key.as_ref().ok_or(Refusal::NoAllocation)?;
        let text = packet.get(start..data.end).ok_or(Refusal::BufferTooSmall)?;
        let integrity = key.attribute(Dialect::MsTurn, text);
        let end = put_behind(packet, data.end, &integrity)?;
        if !stream {
            return Ok(start..end);
        }
        let (head, _) = frame(Framing::MsTurn, FrameKind::Message, end - start)?;
        Ok(put_before(packet, start, head.octets())?..end)
    }

    fn next_transaction(&mut self) -> TransactionId {
        TransactionId::new(self.config.service.dialect(), self.words.octets::<16>(b"turn transaction"))
    }
}

fn unwrap_indication(dialect: Dialect, octets: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let message = Message::parse(dialect, octets).ok()?;
    let peer = match dialect {
        Dialect::MsTurn => message.attribute(AttributeType::REMOTE_ADDRESS)?,
        _ => message.attribute(AttributeType::XOR_PEER_ADDRESS)?,
    };
    match peer {
        Attribute::RemoteAddress(peer) | Attribute::XorPeerAddress(peer) => {
            Some((peer, message.value(AttributeType::DATA)?))
        }
        _ => None,
    }
}

#[inline]
fn put_before(packet: &mut [u8], at: usize, octets: &[u8]) -> Result<usize, Refusal> {
    let start = at.checked_sub(octets.len()).ok_or(Refusal::BufferTooSmall)?;
    packet.get_mut(start..at).ok_or(Refusal::BufferTooSmall)?.copy_from_slice(octets);
    Ok(start)
}

#[inline]
fn put_behind(packet: &mut [u8], at: usize, octets: &[u8]) -> Result<usize, Refusal> {
    let end = at.saturating_add(octets.len());
    packet.get_mut(at..end).ok_or(Refusal::BufferTooSmall)?.copy_from_slice(octets);
    Ok(end)
}
