//! Requests to the server: written, sent again, given up.

use core::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::config::{Service, Transport};
use super::event::{Event, Failure};
use super::{Client, Trigger};
use crate::stun::{Attribute, Builder, Class, Method, SequenceNumber, Table, TransactionId};
use crate::turn::AdmissionRequest;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Allocate,
    Refresh,
    Release,
    Permit(IpAddr),
    Bind(SocketAddr, u16),
    Admission(Box<AdmissionRequest>),
}

/// A request without an answer yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) purpose: Purpose,
    pub(super) due: Instant,
    /// How often the server wanted other proof.
    pub(super) challenges: u32,
    /// Whether it was sent with a proof.
    pub(super) proven: bool,
    octets: Vec<u8>,
    sent: u32,
    wait: Duration,
}

/// Room for a request with the longest names.
const ROOM: usize = 2048;

impl Client {
    /// Sends a request for the first time.
    pub(super) fn request(&mut self, now: Instant, purpose: Purpose) {
        self.request_again(now, purpose, 0);
    }

    /// Sends a request with a new transaction.
    pub(super) fn request_again(&mut self, now: Instant, purpose: Purpose, challenges: u32) {
        let transaction =
            TransactionId::new(self.config.service.dialect(), self.words.octets::<16>(b"turn transaction"));
        let octets = self.write(&purpose, transaction);
        let (wait, sent) = match self.config.transport {
            Transport::Udp => (self.config.retransmission, 1),
            Transport::Tcp | Transport::Tls | Transport::PseudoTls => {
                (self.config.patience, self.config.transmissions)
            }
        };
        self.enqueue(&octets);
        let due = now.checked_add(wait).unwrap_or(now);
        let proven = self.key.is_some();
        self.requests.insert(transaction, Request { purpose, due, challenges, proven, octets, sent, wait });
    }

    /// Sends again what is due, and gives up what was sent often enough.
    pub(super) fn resend(&mut self, now: Instant) {
        let due: Vec<TransactionId> =
            self.requests.iter().filter(|(_, request)| request.due <= now).map(|(id, _)| *id).collect();
        for transaction in due {
            let Some(request) = self.requests.get_mut(&transaction) else { continue };
            if request.sent < self.config.transmissions {
                request.sent += 1;
                // RFC 8489 6.2.1: after the last one, 16 times the first wait.
                request.wait = if request.sent == self.config.transmissions {
                    self.config.retransmission.saturating_mul(16)
                } else {
                    request.wait.saturating_mul(2)
                };
                request.due = now.checked_add(request.wait).unwrap_or(now);
                let octets = request.octets.clone();
                self.enqueue(&octets);
            } else if let Some(request) = self.requests.remove(&transaction) {
                self.given_up(now, &request.purpose);
            }
        }
    }

    fn given_up(&mut self, now: Instant, purpose: &Purpose) {
        match *purpose {
            Purpose::Allocate | Purpose::Refresh | Purpose::Release => {
                self.fail(now, Failure::TimedOut, Trigger::TimedOut);
            }
            Purpose::Permit(peer) => {
                self.permissions.remove(&peer);
                self.events.push_back(Event::PermissionRefused { peer, code: 0 });
            }
            Purpose::Bind(peer, _) => {
                self.channels.remove(&peer);
                self.events.push_back(Event::BindRefused { peer, code: 0 });
            }
            Purpose::Admission(_) => self.events.push_back(Event::AdmissionRefused { code: 0 }),
        }
    }

    /// The octets of a request; it fits, because names longer than 512 octets are not taken from a challenge.
    fn write(&mut self, purpose: &Purpose, transaction: TransactionId) -> Vec<u8> {
        let mut buffer = [0; ROOM];
        let lifetime = self.config.lifetime.as_secs() as u32;
        let (service, dialect) = (self.config.service, self.config.service.dialect());
        let method = match (service, purpose) {
            (_, Purpose::Allocate | Purpose::Admission(_)) => Method::Allocate,
            (Service::Rfc8656, Purpose::Refresh | Purpose::Release) => Method::Refresh,
            (Service::MsTurn, Purpose::Refresh | Purpose::Release) => Method::Allocate,
            (_, Purpose::Permit(_)) => Method::CreatePermission,
            (Service::Rfc8656, Purpose::Bind(..)) => Method::ChannelBind,
            (Service::MsTurn, Purpose::Bind(..)) => Method::SetActiveDestination,
        };
        let mut builder = Builder::new(&mut buffer, dialect, Class::Request, method, transaction);
        if service == Service::MsTurn {
            builder.push(&Attribute::MsVersion(self.config.ms_version));
        }
        match *purpose {
            Purpose::Admission(ref asked) => asked.emit(&mut builder),
            Purpose::Allocate => {
                if service == Service::Rfc8656 {
                    builder.push(&Attribute::RequestedTransport(17)).push(&Attribute::Lifetime(lifetime));
                }
                if let Some(family) = self.config.family {
                    builder.push(&Attribute::RequestedAddressFamily(family));
                }
            }
            Purpose::Refresh => {
                builder.push(&Attribute::Lifetime(lifetime));
            }
            Purpose::Release => {
                builder.push(&Attribute::Lifetime(0));
            }
            Purpose::Permit(peer) => {
                builder.push(&Attribute::XorPeerAddress(SocketAddr::new(peer, 0)));
            }
            Purpose::Bind(peer, channel) => match service {
                Service::Rfc8656 => {
                    builder.push(&Attribute::ChannelNumber(channel)).push(&Attribute::XorPeerAddress(peer));
                }
                Service::MsTurn => {
                    builder.push(&Attribute::DestinationAddress(peer));
                }
            },
        }
        if let Some(connection) = self.connection
            && matches!(purpose, Purpose::Bind(..))
        {
            self.number = self.number.wrapping_add(1);
            let number = SequenceNumber { connection, number: self.number };
            builder.push(&Attribute::MsSequenceNumber(number));
        }
        if self.key.is_some() {
            match service {
                Service::Rfc8656 => builder
                    .push(&Attribute::Username(self.config.credentials.username()))
                    .push(&Attribute::Realm(&self.realm))
                    .push(&Attribute::Nonce(&self.nonce)),
                Service::MsTurn => builder
                    .push(&Attribute::Realm(&self.realm))
                    .push(&Attribute::Nonce(&self.nonce))
                    .push(&Attribute::Username(self.config.credentials.username())),
            };
        }
        let table = (service == Service::Rfc8656).then_some(Table::Correct);
        builder.finish(self.key.as_ref(), table).map(|octets| octets.to_vec()).unwrap_or_default()
    }
}
