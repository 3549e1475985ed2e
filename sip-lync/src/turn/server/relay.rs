//! Packets between clients and peers.

use core::net::SocketAddr;

use super::config::{Event, Path};
use super::{Server, allocation::Allocation};
use crate::stun::{
    Attribute, AttributeType, Builder, Class, Dialect, FrameKind, Integrity, Message, Method, TransactionId,
};

/// Longest packet that is relayed.
const PACKET_MAX: usize = 65_000;

impl Server {
    /// A packet of a peer at a relayed address: dropped, passed on as it is, or wrapped.
    pub(super) fn relayed(&mut self, relay: SocketAddr, peer: SocketAddr, octets: &[u8]) {
        let Some(allocation) = self.allocations.get(&relay) else { return };
        if !allocation.permitted.contains(&peer.ip()) || octets.len() > PACKET_MAX {
            return;
        }
        let client = allocation.client;
        if allocation.active == Some(peer) {
            self.enqueue(client, FrameKind::Data, octets);
            return;
        }
        let transaction = TransactionId(self.words.octets::<16>(b"data indication"));
        let mut buffer = vec![0; octets.len() + 64];
        let mut builder =
            Builder::new(&mut buffer, Dialect::MsTurn, Class::Indication, Method::Data, transaction);
        builder.push(&Attribute::RemoteAddress(peer)).push(&Attribute::Data(octets));
        if let Ok(octets) = builder.finish(None, None) {
            self.enqueue(client, FrameKind::Message, octets);
        }
    }

    /// A packet of a client without wrapping: for the peer it has chosen.
    pub(super) fn unwrapped(&mut self, client: Path, octets: &[u8]) {
        let Some(relay) = self.clients.get(&client) else { return };
        let Some(Allocation { active: Some(peer), .. }) = self.allocations.get(relay) else { return };
        self.outgoing.push_back((Path::Relay { relay: *relay, peer: *peer }, octets.to_vec()));
    }

    /// A Send request: the packet goes to its peer, who may answer from now on. It is never answered.
    pub(super) fn send_request(&mut self, client: Path, message: &Message<'_>) {
        let Some(relay) = self.clients.get(&client).copied() else { return };
        let peers_max = self.config.peers_max;
        let Some(allocation) = self.allocations.get_mut(&relay) else { return };
        if message.integrity(&allocation.key) != Integrity::Genuine {
            return;
        }
        let Some(Attribute::DestinationAddress(peer)) = message.attribute(AttributeType::DESTINATION_ADDRESS)
        else {
            return;
        };
        let Some(data) = message.value(AttributeType::DATA) else { return };
        if let Some(Attribute::MsSequenceNumber(number)) =
            message.attribute(AttributeType::MS_SEQUENCE_NUMBER)
            && (number.connection != allocation.connection || !allocation.is_new(number.number))
        {
            return;
        }
        if allocation.permit(peer.ip(), peers_max) && peer.is_ipv4() == relay.is_ipv4() {
            self.outgoing.push_back((Path::Relay { relay, peer }, data.to_vec()));
        }
    }

    /// Ends an allocation.
    pub(super) fn free(&mut self, relay: SocketAddr) {
        if let Some(allocation) = self.allocations.remove(&relay) {
            self.clients.remove(&allocation.client);
            if let Some((_, amount)) = allocation.reservation {
                self.reserved = self.reserved.saturating_sub(amount);
            }
            self.events.push_back(Event::CloseRelay { relay });
            self.events.push_back(Event::Freed { relay });
        }
    }
}
