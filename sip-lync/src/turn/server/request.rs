//! Requests of clients: proof, allocation, prolongation, the one peer.

use core::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Server;
use super::allocation::Allocation;
use super::config::{Event, Path};
use super::nonce::Nonce;
use crate::error::{Breach, Error};
use crate::stun::{
    Attribute, AttributeType, Builder, Class, Dialect, ErrorCode, FrameKind, Integrity, IntegrityKey,
    Message, Method, SequenceNumber, TransactionId, TypeList, has_ms_turn_cookie,
};
use crate::turn::{AdmissionAnswer, AdmissionRequest};

/// A granted request whose relayed address is being opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Opening {
    transaction: TransactionId,
    allocation: Allocation,
    lifetime: Duration,
    tries: u32,
}

/// How many ports are tried for one request.
const TRIES_MAX: u32 = 8;

/// What an answer is about.
#[derive(Clone, Copy)]
struct Asked<'k> {
    client: Path,
    method: Method,
    transaction: TransactionId,
    key: Option<&'k IntegrityKey>,
}

impl Server {
    /// Takes a datagram or a framed message of a client.
    pub(super) fn client_message(
        &mut self,
        now: Instant,
        client: Path,
        from: SocketAddr,
        octets: &[u8],
    ) -> Result<(), Error> {
        if !has_ms_turn_cookie(octets) {
            self.unwrapped(client, octets);
            return Ok(());
        }
        let message = Message::parse(Dialect::MsTurn, octets)?;
        if message.class() != Class::Request {
            return Err(Error::Misbehaved(Breach::NotFromServer));
        }
        match message.method() {
            Method::Send => self.send_request(client, &message),
            Method::Allocate => self.allocate(now, client, from, &message),
            Method::SetActiveDestination => self.set_active_destination(now, client, &message),
            _ => {}
        }
        Ok(())
    }

    /// Who asks, with which key: `Err` has been answered, or was dropped.
    fn proof(
        &mut self,
        now: Instant,
        client: Path,
        message: &Message<'_>,
    ) -> Option<(Vec<u8>, IntegrityKey)> {
        let asked = Asked { client, method: message.method(), transaction: message.transaction(), key: None };
        // What is too short to be a request of any client would be answered with more than it is.
        message.value(AttributeType::MS_VERSION)?;
        let (Some(username), Some(realm), Some(nonce), Integrity::Forged) = (
            message.value(AttributeType::USERNAME),
            message.value(AttributeType::MS_REALM),
            message.value(AttributeType::MS_NONCE),
            // Whether there is one at all: no key fits yet.
            message.integrity(&IntegrityKey::short_term(b"")),
        ) else {
            self.challenge(now, &asked, 401);
            return None;
        };
        if self.nonces.check(now, client, self.config.nonce_lifetime, nonce) == Nonce::Stale {
            self.challenge(now, &asked, 438);
            return None;
        }
        let Some((credentials, _)) = self.users.get(username) else {
            self.refuse(&asked, 436, "Unknown User");
            return None;
        };
        let key = credentials.key(realm);
        let quoted = super::super::credentials::unquoted(realm);
        if quoted != self.config.realm.as_bytes() || message.integrity(&key) != Integrity::Genuine {
            self.refuse(&asked, 431, "Integrity Check Failure");
            return None;
        }
        if message.unknown_required().next().is_some() {
            self.refuse_unknown(&Asked { key: Some(&key), ..asked }, message);
            return None;
        }
        Some((username.to_vec(), key))
    }

    fn allocate(&mut self, now: Instant, client: Path, from: SocketAddr, message: &Message<'_>) {
        let Some((username, key)) = self.proof(now, client, message) else { return };
        let asked =
            Asked { client, method: Method::Allocate, transaction: message.transaction(), key: Some(&key) };
        let wanted = match message.attribute(AttributeType::LIFETIME) {
            Some(Attribute::Lifetime(seconds)) => Duration::from_secs(u64::from(seconds)),
            _ => self.config.lifetime_max,
        };
        let lifetime = wanted.min(self.config.lifetime_max);
        let Some(expires) = now.checked_add(lifetime) else { return };
        if let Some(relay) = self.clients.get(&client).copied() {
            let Some(allocation) = self.allocations.get_mut(&relay) else { return };
            if allocation.username != username {
                return self.refuse(&asked, 436, "Unknown User");
            }
            allocation.expires = expires;
            let (reflexive, connection) = (allocation.reflexive, allocation.connection);
            let admission = AdmissionRequest::read(message).and_then(|wanted| self.admission(relay, &wanted));
            self.grant(&asked, relay, reflexive, lifetime, connection, admission);
            if lifetime.is_zero() {
                self.free(relay);
            }
            return;
        }
        if lifetime.is_zero() || self.opening.values().any(|opening| opening.allocation.client == client) {
            return;
        }
        let of_user = self.allocations.values().filter(|allocation| allocation.username == username).count();
        let all = self.allocations.len() + self.opening.len();
        if of_user >= self.config.allocations_per_user || all >= self.config.allocations_max {
            return self.refuse(&asked, 486, "Allocation Quota Reached");
        }
        let connection = self.words.octets::<20>(b"connection");
        let allocation = Allocation::new(client, from, username, key.clone(), connection, expires);
        let transaction = message.transaction();
        self.open(Opening { transaction, allocation, lifetime, tries: 0 });
    }

    /// Asks the owner for the next port that is free here.
    fn open(&mut self, mut opening: Opening) {
        let (first, last) = (*self.config.ports.start(), *self.config.ports.end());
        let count = u32::from(last.saturating_sub(first)) + 1;
        for _ in 0..count {
            let port = self.next_port.clamp(first, last);
            self.next_port = if port == last { first } else { port + 1 };
            let relay = SocketAddr::new(self.config.relay, port);
            if !self.allocations.contains_key(&relay) && !self.opening.contains_key(&relay) {
                opening.tries += 1;
                self.opening.insert(relay, opening);
                self.events.push_back(Event::OpenRelay { relay });
                return;
            }
        }
        self.refuse_opening(&opening);
    }

    fn refuse_opening(&mut self, opening: &Opening) {
        let key = opening.allocation.key.clone();
        let asked = Asked {
            client: opening.allocation.client,
            method: Method::Allocate,
            transaction: opening.transaction,
            key: Some(&key),
        };
        self.refuse(&asked, 508, "Insufficient Port Capacity");
    }

    pub(super) fn relay_opened(&mut self, now: Instant, relay: SocketAddr) {
        let Some(opening) = self.opening.remove(&relay) else {
            self.events.push_back(Event::CloseRelay { relay });
            return;
        };
        let Opening { transaction, allocation, lifetime, .. } = opening;
        let client = allocation.client;
        let gone = match client {
            Path::Connection(number) => !self.connections.contains_key(&number),
            Path::Datagram(_) | Path::Relay { .. } => allocation.expires <= now,
        };
        if gone {
            self.events.push_back(Event::CloseRelay { relay });
            return;
        }
        let (key, reflexive) = (allocation.key.clone(), allocation.reflexive);
        let connection = allocation.connection;
        self.clients.insert(client, relay);
        self.allocations.insert(relay, allocation);
        let asked = Asked { client, method: Method::Allocate, transaction, key: Some(&key) };
        self.grant(&asked, relay, reflexive, lifetime, connection, None);
        self.events.push_back(Event::Allocated { client, relay });
    }

    pub(super) fn relay_failed(&mut self, now: Instant, relay: SocketAddr) {
        let _ = now;
        let Some(opening) = self.opening.remove(&relay) else { return };
        if opening.tries < TRIES_MAX {
            self.open(opening);
        } else {
            self.refuse_opening(&opening);
        }
    }

    fn set_active_destination(&mut self, now: Instant, client: Path, message: &Message<'_>) {
        let method = Method::SetActiveDestination;
        let Some(relay) = self.clients.get(&client).copied() else {
            let Some((_, key)) = self.proof(now, client, message) else { return };
            let asked = Asked { client, method, transaction: message.transaction(), key: Some(&key) };
            return self.refuse(&asked, 437, "No Binding");
        };
        // As with Send, the client may leave realm and nonce out.
        let Some(key) = self.allocations.get(&relay).map(|allocation| allocation.key.clone()) else { return };
        if message.integrity(&key) != Integrity::Genuine {
            return;
        }
        let asked = Asked { client, method, transaction: message.transaction(), key: Some(&key) };
        let Some(Attribute::DestinationAddress(peer)) = message.attribute(AttributeType::DESTINATION_ADDRESS)
        else {
            return self.refuse(&asked, 400, "Bad Request");
        };
        let peers_max = self.config.peers_max;
        let Some(allocation) = self.allocations.get_mut(&relay) else { return };
        if let Some(Attribute::MsSequenceNumber(number)) =
            message.attribute(AttributeType::MS_SEQUENCE_NUMBER)
            && number.connection != allocation.connection
        {
            return self.refuse(&asked, 437, "No Binding");
        }
        if peer.is_ipv4() != relay.is_ipv4() || !allocation.permit(peer.ip(), peers_max) {
            return self.refuse(&asked, 486, "Too Many Peers");
        }
        let changed = allocation.active.replace(peer) != Some(peer);
        self.answer(&asked, Class::Success, &[]);
        if changed {
            self.events.push_back(Event::Activated { relay, peer });
        }
    }

    fn grant(
        &mut self,
        asked: &Asked<'_>,
        relay: SocketAddr,
        reflexive: SocketAddr,
        lifetime: Duration,
        connection: [u8; 20],
        admission: Option<AdmissionAnswer>,
    ) {
        let number = SequenceNumber { connection, number: 0 };
        let mut attributes = vec![
            Attribute::MappedAddress(relay),
            Attribute::XorMappedAddress(reflexive),
            Attribute::Lifetime(lifetime.as_secs() as u32),
            Attribute::MsSequenceNumber(number),
        ];
        attributes.extend(admission.iter().flat_map(AdmissionAnswer::attributes));
        self.answer(asked, Class::Success, &attributes);
    }

    /// Asks for proof; the answer is shorter than three of the shortest requests.
    fn challenge(&mut self, now: Instant, asked: &Asked<'_>, code: u16) {
        let nonce = self.nonces.make(now, asked.client);
        let realm = format!("\"{}\"", self.config.realm);
        let server = self.config.address;
        self.answer(
            asked,
            Class::Error,
            &[
                Attribute::ErrorCode(ErrorCode::new(code, "")),
                Attribute::Realm(realm.as_bytes()),
                Attribute::Nonce(&nonce),
                Attribute::AlternateServer(server),
            ],
        );
    }

    fn refuse(&mut self, asked: &Asked<'_>, code: u16, reason: &str) {
        self.answer(asked, Class::Error, &[Attribute::ErrorCode(ErrorCode::new(code, reason))]);
    }

    fn refuse_unknown(&mut self, asked: &Asked<'_>, message: &Message<'_>) {
        let unknown: Vec<u8> =
            message.unknown_required().take(16).flat_map(|kind| kind.0.to_be_bytes()).collect();
        self.answer(
            asked,
            Class::Error,
            &[
                Attribute::ErrorCode(ErrorCode::new(420, "Unknown Attribute")),
                Attribute::UnknownAttributes(TypeList(&unknown)),
            ],
        );
    }

    fn answer(&mut self, asked: &Asked<'_>, class: Class, attributes: &[Attribute<'_>]) {
        let mut buffer = [0; 512];
        let mut builder = Builder::new(&mut buffer, Dialect::MsTurn, class, asked.method, asked.transaction);
        for attribute in attributes {
            builder.push(attribute);
        }
        if let Ok(octets) = builder.finish(asked.key, None) {
            self.enqueue(asked.client, FrameKind::Message, octets);
        }
    }
}
