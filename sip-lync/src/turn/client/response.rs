//! Answers of the server.

use core::net::SocketAddr;
use std::time::{Duration, Instant};

use super::config::{Service, Transport};
use super::event::{Event, Failure};
use super::request::{Purpose, Request};
use super::{Client, Trigger};
use crate::error::{Breach, Error};
use crate::stun::{Attribute, AttributeType, Class, Integrity, Message};
use crate::turn::AdmissionAnswer;

/// Longest realm or nonce that is taken. RFC 8489 14.9
const NAME_MAX: usize = 763;

/// How often a server may want other proof for one request.
const CHALLENGES_MAX: u32 = 3;

impl Client {
    /// Takes a message of the server: an answer to a request of ours, or nothing at all.
    pub(super) fn message(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        let message = Message::parse(self.config.service.dialect(), octets)?;
        if !matches!(message.class(), Class::Success | Class::Error) {
            return Err(Error::Misbehaved(Breach::NotFromServer));
        }
        let transaction = message.transaction();
        let Some(request) = self.requests.get(&transaction) else {
            // Late, or somebody else's.
            return Ok(());
        };
        let code = message.error_code().map_or(0, |error| error.code);
        // What asks for proof, or says that there is none for it, cannot have any; everything else must, once we
        // proved ourselves.
        let error = message.class() == Class::Error;
        let asks = error && matches!(code, 401 | 434 | 435 | 438);
        let denies = error && matches!(code, 430..=432 | 436);
        let integrity = self.key.as_ref().map_or(Integrity::Absent, |key| message.integrity(key));
        if request.proven && !asks && !denies && integrity != Integrity::Genuine {
            return Err(Error::Misbehaved(Breach::NotFromServer));
        }
        let Some(request) = self.requests.remove(&transaction) else { return Ok(()) };
        if message.class() == Class::Success {
            self.granted(now, &message, &request);
        } else if asks {
            self.challenged(now, &message, request, code);
        } else {
            self.refused(now, &message, &request, code);
        }
        Ok(())
    }

    fn granted(&mut self, now: Instant, message: &Message<'_>, request: &Request) {
        if let Some(Attribute::Lifetime(lifetime)) = message.attribute(AttributeType::LIFETIME) {
            self.lifetime = Duration::from_secs(u64::from(lifetime));
        }
        match request.purpose {
            Purpose::Allocate => {
                let relayed = match self.config.service {
                    Service::Rfc8656 => message.attribute(AttributeType::XOR_RELAYED_ADDRESS),
                    Service::MsTurn => message.attribute(AttributeType::MAPPED_ADDRESS),
                };
                if let Some(Attribute::MsSequenceNumber(number)) =
                    message.attribute(AttributeType::MS_SEQUENCE_NUMBER)
                {
                    self.connection = Some(number.connection);
                    self.number = number.number;
                }
                match relayed {
                    Some(Attribute::XorRelayedAddress(relayed) | Attribute::MappedAddress(relayed)) => {
                        self.granted = Some((relayed, message.reflexive_address()));
                        self.step(now, Trigger::Granted);
                    }
                    _ => self.fail(now, Failure::Malformed, Trigger::Refused),
                }
            }
            Purpose::Refresh | Purpose::Release => self.step(now, Trigger::Granted),
            Purpose::Permit(peer) => self.permitted(now, peer),
            Purpose::Bind(peer, _) => self.bound(now, peer),
            Purpose::Admission(_) => self.events.push_back(match AdmissionAnswer::read(message) {
                Some(answer) => Event::Admission(answer),
                // The server does not manage bandwidth.
                None => Event::AdmissionRefused { code: 0 },
            }),
        }
    }

    /// The server wants proof, or newer proof.
    fn challenged(&mut self, now: Instant, message: &Message<'_>, request: Request, code: u16) {
        let (realm_type, nonce_type) = match self.config.service {
            Service::Rfc8656 => (AttributeType::REALM, AttributeType::NONCE),
            Service::MsTurn => (AttributeType::MS_REALM, AttributeType::MS_NONCE),
        };
        let value = |kind| message.value(kind).filter(|value| value.len() <= NAME_MAX);
        let challenges = request.challenges + 1;
        let realm = value(realm_type).or_else(|| (!self.realm.is_empty()).then_some(self.realm.as_slice()));
        let (Some(realm), Some(nonce)) = (realm, value(nonce_type)) else {
            return self.refused(now, message, &request, code);
        };
        // The same nonce again after a proof: it is the proof that is not liked.
        let repeated = request.proven && code == 401 && nonce == self.nonce && realm == self.realm;
        if challenges > CHALLENGES_MAX || repeated {
            return self.refused(now, message, &request, code);
        }
        self.key = Some(self.config.credentials.key(realm));
        self.realm = realm.to_vec();
        self.nonce = nonce.to_vec();
        // MS-TURN: the server that is to be asked next stands in each challenge.
        if self.config.service == Service::MsTurn
            && self.config.transport == Transport::Udp
            && request.purpose == Purpose::Allocate
            && let Some(server) = self.alternate(message)
            && server != self.server
            && !self.go_to(server)
        {
            return self.fail(now, Failure::Redirected, Trigger::Refused);
        }
        self.request_again(now, request.purpose, challenges);
    }

    fn refused(&mut self, now: Instant, message: &Message<'_>, request: &Request, code: u16) {
        match request.purpose {
            Purpose::Allocate if code == 300 => match self.alternate(message) {
                Some(server) if self.go_to(server) => {
                    let stream = self.config.transport != Transport::Udp;
                    self.step(
                        now,
                        if stream { Trigger::ElsewhereByStream } else { Trigger::ElsewhereByDatagrams },
                    );
                }
                Some(_) => self.fail(now, Failure::Redirected, Trigger::Refused),
                None => self.fail(now, Failure::Malformed, Trigger::Refused),
            },
            Purpose::Allocate | Purpose::Refresh | Purpose::Release => {
                let failure = match code {
                    401 | 430..=432 | 436 | 441 => Failure::Credentials(code),
                    code => Failure::Refused(code),
                };
                self.fail(now, failure, Trigger::Refused);
            }
            Purpose::Permit(peer) => {
                self.permissions.remove(&peer);
                self.events.push_back(Event::PermissionRefused { peer, code });
            }
            Purpose::Bind(peer, _) => {
                self.channels.remove(&peer);
                self.events.push_back(Event::BindRefused { peer, code });
            }
            Purpose::Admission(_) => self.events.push_back(Event::AdmissionRefused { code }),
        }
    }

    fn alternate(&self, message: &Message<'_>) -> Option<SocketAddr> {
        let kind = match self.config.service {
            Service::Rfc8656 => AttributeType::ALTERNATE_SERVER,
            Service::MsTurn => AttributeType::MS_ALTERNATE_SERVER,
        };
        match message.attribute(kind) {
            Some(Attribute::AlternateServer(server)) => Some(server),
            _ => None,
        }
    }

    /// Turns to another server, unless that happened too often.
    fn go_to(&mut self, server: SocketAddr) -> bool {
        self.redirects += 1;
        if self.redirects > self.config.redirects_max {
            return false;
        }
        self.server = server;
        true
    }
}
