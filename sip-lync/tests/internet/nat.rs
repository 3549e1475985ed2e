//! A NAT with any of the RFC 4787 behaviours, and what theory says two of them allow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// What a mapping or a filter depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dependence {
    /// RFC 4787 4.1, 5: endpoint-independent.
    Independent,
    /// Address-dependent.
    Address,
    /// Address and port-dependent.
    AddressAndPort,
}

pub(crate) const DEPENDENCES: [Dependence; 3] =
    [Dependence::Independent, Dependence::Address, Dependence::AddressAndPort];

impl Dependence {
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Independent => "EI",
            Self::Address => "AD",
            Self::AddressAndPort => "APD",
        }
    }

    /// What of a destination counts.
    fn key(self, of: SocketAddr) -> (Option<IpAddr>, Option<u16>) {
        match self {
            Self::Independent => (None, None),
            Self::Address => (Some(of.ip()), None),
            Self::AddressAndPort => (Some(of.ip()), Some(of.port())),
        }
    }
}

/// The two behaviours of a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Behaviour {
    pub(crate) mapping: Dependence,
    pub(crate) filtering: Dependence,
}

/// All nine.
pub(crate) fn behaviours() -> Vec<Behaviour> {
    DEPENDENCES
        .into_iter()
        .flat_map(|mapping| DEPENDENCES.into_iter().map(move |filtering| Behaviour { mapping, filtering }))
        .collect()
}

type Key = (Option<IpAddr>, Option<u16>);

/// A NAT with one public address.
#[derive(Clone, Debug)]
pub(crate) struct Nat {
    behaviour: Behaviour,
    public: IpAddr,
    next_port: u16,
    mappings: BTreeMap<(SocketAddr, Key), u16>,
    inner: BTreeMap<u16, SocketAddr>,
    sent: BTreeSet<(SocketAddr, Key)>,
}

impl Nat {
    pub(crate) fn new(behaviour: Behaviour, public: IpAddr) -> Self {
        Self {
            behaviour,
            public,
            next_port: 30_000,
            mappings: BTreeMap::new(),
            inner: BTreeMap::new(),
            sent: BTreeSet::new(),
        }
    }

    /// A packet goes out: its address outside.
    pub(crate) fn out(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let port = *self.mappings.entry((from, self.behaviour.mapping.key(to))).or_insert_with(|| {
            self.next_port += 1;
            self.next_port
        });
        self.inner.insert(port, from);
        self.sent.insert((from, self.behaviour.filtering.key(to)));
        SocketAddr::new(self.public, port)
    }

    /// A packet comes in: its address inside, if it is let in.
    pub(crate) fn inward(&mut self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if to.ip() != self.public {
            return None;
        }
        let inner = *self.inner.get(&to.port())?;
        self.sent.contains(&(inner, self.behaviour.filtering.key(from))).then_some(inner)
    }

    /// Everything forgotten, as after a power cut.
    pub(crate) fn forget(&mut self) {
        self.mappings.clear();
        self.inner.clear();
        self.sent.clear();
    }
}

/// Whether two hosts behind NATs can find a path without a relay when each knows the other's reflexive address: closed
/// under "send to every address known; who receives learns the sender's address". A path counts when the answer comes
/// from the address that was asked, seen from both ends.
pub(crate) fn reachable(left: Behaviour, right: Behaviour, server: SocketAddr) -> bool {
    let hosts: [SocketAddr; 2] = ["10.0.1.2:1".parse().unwrap(), "10.0.2.2:1".parse().unwrap()];
    let mut nats =
        [Nat::new(left, "203.0.113.1".parse().unwrap()), Nat::new(right, "203.0.113.2".parse().unwrap())];
    let reflexive = [nats[0].out(hosts[0], server), nats[1].out(hosts[1], server)];
    let mut known = [BTreeSet::from([reflexive[1]]), BTreeSet::from([reflexive[0]])];
    for _ in 0..10 {
        for side in 0..2 {
            for to in known[side].clone() {
                let from = nats[side].out(hosts[side], to);
                if nats[1 - side].inward(from, to).is_some() {
                    known[1 - side].insert(from);
                }
            }
        }
    }
    // A pair of addresses that works both ways, with answers from where was asked.
    known[0].clone().into_iter().any(|right_seen| {
        let left_seen = nats[0].out(hosts[0], right_seen);
        known[1].contains(&left_seen)
            && nats[1].out(hosts[1], left_seen) == right_seen
            && nats[1].inward(left_seen, right_seen).is_some()
            && nats[0].inward(right_seen, left_seen).is_some()
    })
}
