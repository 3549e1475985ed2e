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
    pub(crate) fn inward(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
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

/// One end of a call, as far as theory cares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Its NAT, or none.
    pub(crate) nat: Option<Behaviour>,
    /// It asked a server, and a mapping towards that server stands.
    pub(crate) asked: bool,
    /// The other end is told its reflexive address.
    pub(crate) told: bool,
}

/// Whether two hosts behind NATs that know each other's reflexive addresses can find a path without a relay.
pub(crate) fn reachable(left: Behaviour, right: Behaviour, server: SocketAddr) -> bool {
    reachable_ends([left, right].map(|nat| End { nat: Some(nat), asked: true, told: true }), server)
}

/// Whether two hosts can find a path without a relay: closed under "send to every address known; who receives learns the
/// sender's address". A path counts when the answer comes from the address that was asked, seen from both ends.
pub(crate) fn reachable_ends(ends: [End; 2], server: SocketAddr) -> bool {
    let private: [SocketAddr; 2] = ["10.0.1.2:1".parse().unwrap(), "10.0.2.2:1".parse().unwrap()];
    let public: [SocketAddr; 2] = ["198.51.100.1:1".parse().unwrap(), "198.51.100.2:1".parse().unwrap()];
    let outside: [IpAddr; 2] = ["203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap()];
    let mut nats = [0, 1].map(|side| ends[side].nat.map(|nat| Nat::new(nat, outside[side])));
    let hosts = [0, 1].map(|side| if ends[side].nat.is_some() { private[side] } else { public[side] });
    let mut known = [BTreeSet::new(), BTreeSet::new()];
    for side in 0..2 {
        match &mut nats[side] {
            None => drop(known[1 - side].insert(hosts[side])),
            Some(nat) if ends[side].asked => {
                let reflexive = nat.out(hosts[side], server);
                if ends[side].told {
                    known[1 - side].insert(reflexive);
                }
            }
            Some(_) => {}
        }
    }
    let out = |nats: &mut [Option<Nat>; 2], side: usize, to| match &mut nats[side] {
        Some(nat) => nat.out(hosts[side], to),
        None => hosts[side],
    };
    let inward = |nats: &mut [Option<Nat>; 2], side: usize, from, to: SocketAddr| match &mut nats[side] {
        Some(nat) => nat.inward(from, to).is_some(),
        None => to == hosts[side],
    };
    for _ in 0..10 {
        for side in 0..2 {
            for to in known[side].clone() {
                let from = out(&mut nats, side, to);
                if inward(&mut nats, 1 - side, from, to) {
                    known[1 - side].insert(from);
                }
            }
        }
    }
    // A pair of addresses that works both ways, with answers from where was asked.
    known[0].clone().into_iter().any(|right_seen| {
        let left_seen = out(&mut nats, 0, right_seen);
        known[1].contains(&left_seen)
            && out(&mut nats, 1, left_seen) == right_seen
            && inward(&mut nats, 1, left_seen, right_seen)
            && inward(&mut nats, 0, right_seen, left_seen)
    })
}
