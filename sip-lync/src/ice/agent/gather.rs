//! Candidates of this agent: given by the owner, learnt from servers.

use core::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Agent, Event, Failure, MOST_WAITING, Path, Protocol};
use crate::error::{Breach, Error, Refusal};
use crate::ice::candidate::{Kind, Local, Transport, is_usable, priority};
use crate::ice::credentials::Credentials;
use crate::ice::phase::{State, Trigger};
use crate::stun::{self, Class, Message, Method, Table, TransactionId};

/// The most candidates of this agent. MS-ICE2 3.1.4
const MOST_LOCALS: usize = 64;

/// How often a server is asked; afterwards it has no candidate for us.
const QUESTIONS: u8 = 7;

/// After so many questions in vain the form of RFC 3489 is tried, where that is wanted.
const QUESTIONS_BEFORE_RFC3489: u8 = 2;

/// What makes two candidates have one foundation.
///
/// RFC 8445 5.1.1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Foundation {
    kind: Kind,
    base: IpAddr,
    server: Option<IpAddr>,
    transport: Transport,
}

/// A candidate to be added.
///
/// RFC 8445 5.1.1
struct Found {
    component: u16,
    transport: Transport,
    kind: Kind,
    address: SocketAddr,
    base: SocketAddr,
    related: Option<SocketAddr>,
    server: Option<IpAddr>,
}

/// A question to a STUN server.
///
/// RFC 8445 5.1.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Query {
    path: Path,
    transaction: TransactionId,
    legacy: bool,
    due: Instant,
    wait: Duration,
    asked: u8,
}

impl Agent {
    /// Adds an address of this machine: a socket, a listener, or address and port 9 of a host that opens connections.
    ///
    /// RFC 8445 5.1.1.1, RFC 6544 5.1
    pub fn add_host(
        &mut self,
        component: u16,
        transport: Transport,
        address: SocketAddr,
    ) -> Result<(), Error> {
        self.add(&Found {
            component,
            transport,
            kind: Kind::Host,
            address,
            base: address,
            related: None,
            server: None,
        })
    }

    /// Adds an address that a relay has lent. `reflexive` is what the relay saw of this agent: it becomes a candidate
    /// of its own, with `base` as its base.
    ///
    /// RFC 8445 5.1.1.2, RFC 8656 7.3, MS-TURN 3.2.5
    pub fn add_relayed(
        &mut self,
        component: u16,
        transport: Transport,
        relayed: SocketAddr,
        base: SocketAddr,
        reflexive: Option<SocketAddr>,
    ) -> Result<(), Error> {
        let server = Some(relayed.ip());
        self.add(&Found {
            component,
            transport,
            kind: Kind::Relayed,
            address: relayed,
            base: relayed,
            related: reflexive.or(Some(base)),
            server,
        })?;
        if let Some(address) = reflexive
            && transport == Transport::Udp
            && self.locals.iter().any(|l| l.component == component && l.address == base)
        {
            let (kind, related) = (Kind::ServerReflexive, Some(base));
            // Equal to a host candidate: there is nothing to add.
            let _redundant = self.add(&Found { component, transport, kind, address, base, related, server });
        }
        Ok(())
    }

    /// Asks a STUN server how it sees each of the UDP addresses added before.
    ///
    /// RFC 8445 5.1.1.2
    pub fn ask(&mut self, now: Instant, server: SocketAddr) {
        let bases: Vec<_> = self
            .locals
            .iter()
            .filter(|l| l.kind == Kind::Host && l.transport == Transport::Udp)
            .filter(|l| {
                l.base.is_ipv4() == server.is_ipv4() && l.base.ip().is_loopback() == server.ip().is_loopback()
            })
            .map(|l| Path { component: l.component, protocol: Protocol::Udp, local: l.base, remote: server })
            .collect();
        for path in bases {
            if self.queries.len() >= MOST_LOCALS || self.queries.iter().any(|q| q.path == path) {
                continue;
            }
            // Servers are asked in the turn of Ta, like checks. RFC 8445 14.2
            let turn = self.config.times.pacing.saturating_mul(self.queries.len() as u32);
            let transaction =
                TransactionId::new(stun::Dialect::Rfc8489, self.words.octets(b"stun transaction"));
            self.queries.push(Query {
                path,
                transaction,
                legacy: false,
                due: now + turn,
                wait: self.config.times.retransmission,
                asked: 0,
            });
        }
        self.run_queries(now);
    }

    /// No more candidates will be added by the owner: [`Event::Gathered`] comes when all servers have answered or given
    /// no answer.
    ///
    /// RFC 8445 5.1
    pub fn gather(&mut self, now: Instant) {
        for component in &mut self.components {
            component.complete = true;
        }
        self.run_queries(now);
        self.finish_gathering(now);
    }

    fn finish_gathering(&mut self, now: Instant) {
        if self.queries.is_empty()
            && self.state == State::Gathering
            && self.components.iter().all(|c| c.complete)
        {
            self.advance(now, Trigger::Gathered, Failure::NoPair);
        }
    }

    fn add(&mut self, found: &Found) -> Result<(), Error> {
        let Found { component, transport, kind, address, base, related, server } = *found;
        if !is_usable(&address) || !(1..=self.components.len()).contains(&usize::from(component)) {
            return Err(Refusal::NoCandidate.into());
        }
        let known = |l: &Local| {
            (l.component, l.address) == (component, address)
                && l.transport.is_tcp() == transport.is_tcp()
                && (!transport.is_tcp() || l.transport == transport)
        };
        // A reflexive address that is a host's is redundant. RFC 8445 5.1.3
        if self.locals.len() >= MOST_LOCALS || self.locals.iter().any(known) {
            return Err(Refusal::NoCandidate.into());
        }
        let counter = self.locals.iter().filter(|l| l.component == component).count() as u16;
        let foundation = self.foundation(Foundation { kind, base: base.ip(), server, transport });
        self.locals.push(Local {
            component,
            transport,
            kind,
            address,
            base,
            related,
            priority: priority(self.config.dialect, kind, transport, component, counter),
            foundation,
        });
        Ok(())
    }

    /// The number of a foundation, from 1; in draft 6 a new one gets a user name of its own.
    pub(super) fn foundation(&mut self, mut wanted: Foundation) -> u16 {
        if self.config.dialect.is_draft06() && wanted.transport.is_tcp() {
            // One line stands for both directions. MS-ICE 2.2
            wanted.transport = Transport::TcpPassive;
        }
        let at = self.foundations.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            self.foundations.push(wanted);
            if self.config.dialect.is_draft06() {
                self.ours.push(Credentials::generate(self.config.dialect, &self.words.secret()));
            }
            self.foundations.len() - 1
        });
        (at + 1) as u16
    }

    /// A candidate that a check brought to light.
    ///
    /// RFC 8445 7.2.5.3.1
    pub(super) fn add_peer_reflexive(&mut self, base: &Local, address: SocketAddr, priority: u32) {
        if self.locals.len() >= MOST_LOCALS {
            return;
        }
        let kind = Kind::PeerReflexive;
        // In draft 6 it keeps the name of its base: nobody is told another one.
        let foundation = if self.config.dialect.is_draft06() {
            base.foundation
        } else {
            self.foundation(Foundation {
                kind,
                base: base.base.ip(),
                server: None,
                transport: base.transport,
            })
        };
        let related = Some(base.base);
        self.locals.push(Local { kind, address, related, priority, foundation, ..base.clone() });
    }

    /// A datagram of a server that was asked; `None` when it is not.
    pub(super) fn handle_server(
        &mut self,
        now: Instant,
        path: Path,
        data: &[u8],
    ) -> Option<Result<(), Error>> {
        let at = self.queries.iter().position(|query| query.path == path)?;
        let query = self.queries.get(at)?;
        let dialect = if query.legacy { stun::Dialect::Rfc3489 } else { stun::Dialect::Rfc8489 };
        let message = Message::parse(dialect, data).ok()?;
        if message.transaction() != query.transaction || message.method() != Method::Binding {
            return None;
        }
        let outcome = match (message.class(), message.reflexive_address()) {
            (Class::Success, Some(mapped)) => {
                let Path { component, local, .. } = path;
                // Equal to a host candidate: this machine is not behind a NAT.
                let _redundant = self.add(&Found {
                    component,
                    transport: Transport::Udp,
                    kind: Kind::ServerReflexive,
                    address: mapped,
                    base: local,
                    related: Some(local),
                    server: Some(path.remote.ip()),
                });
                Ok(())
            }
            (Class::Error, _) => Err(Breach::ServerRefused.into()),
            _ => return Some(Err(Breach::NoCheck.into())),
        };
        self.queries.remove(at);
        self.finish_gathering(now);
        Some(outcome)
    }

    pub(super) fn run_queries(&mut self, now: Instant) {
        let rfc3489 = self.config.rfc3489;
        let mut requests = Vec::new();
        for query in &mut self.queries {
            if query.due > now {
                continue;
            }
            if query.asked >= QUESTIONS {
                query.asked = u8::MAX;
                continue;
            }
            if rfc3489 && query.asked == QUESTIONS_BEFORE_RFC3489 {
                query.legacy = true;
                query.transaction =
                    TransactionId::new(stun::Dialect::Rfc3489, self.words.octets(b"stun transaction"));
            }
            let dialect = if query.legacy { stun::Dialect::Rfc3489 } else { stun::Dialect::Rfc8489 };
            let mut buffer = [0; 64];
            let builder =
                stun::Builder::new(&mut buffer, dialect, Class::Request, Method::Binding, query.transaction);
            let fingerprint = (!query.legacy).then_some(Table::Correct);
            if let Ok(octets) = builder.finish(None, fingerprint) {
                requests.push((query.path, octets.to_vec()));
            }
            query.asked += 1;
            query.due = now + query.wait;
            query.wait = (query.wait * 2).min(self.config.times.retransmission_cap);
        }
        let before = self.queries.len();
        self.queries.retain(|query| query.asked != u8::MAX);
        debug_assert!(requests.len() <= MOST_WAITING);
        for (path, octets) in requests {
            self.send(path, octets);
        }
        if self.queries.len() != before {
            self.finish_gathering(now);
        }
    }

    /// Whether the other end of a path is a server that was asked.
    pub(super) fn is_asked(&self, path: Path) -> bool {
        self.queries.iter().any(|query| query.path == path)
    }

    pub(super) fn queries_due(&self) -> Option<Instant> {
        self.queries.iter().map(|query| query.due).min()
    }

    /// Media without ICE: from the first address of each component to the one the peer gave.
    pub(super) fn report_plain(&mut self) {
        let paths: Vec<_> = self.components.iter().filter_map(|c| c.plain).collect();
        for path in paths {
            self.events.push_back(Event::Plain { path });
        }
    }
}
