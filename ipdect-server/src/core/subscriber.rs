//! One subscriber: a configured user and the handset that belongs to him.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Instant, SystemTime};

use dect_nwk::fixed_part::PortableId;
use dect_nwk::identity::Ipei;
use presence_pidf::HandsetPresence;
use presence_pidf::publisher::Publisher;
use sha1::{Digest, Sha1};
use sip_lync::UserId;

use super::deadlines::Waiter;
use crate::config::User;

/// Number of a subscriber: its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriberId(pub(crate) u32);

/// How a subscriber stands with the registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// No handset, or disabled: nothing is registered.
    Unwanted,
    /// It should be registered; its turn or a connection is awaited.
    Wanted,
    /// REGISTER is under way.
    Pending,
    /// Registered.
    Up {
        /// The GRUU, if the registrar gave one.
        gruu: Option<String>,
    },
    /// Refused or lost; in words.
    Failed(String),
    /// Being withdrawn.
    Withdrawing,
}

/// One subscriber.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) user: User,
    pub(crate) ipei: Ipei,
    /// `user@domain`.
    pub(crate) address: String,
    pub(crate) domain: String,
    pub(crate) sip: UserId,
    pub(crate) portable: Option<PortableId>,
    pub(crate) located: bool,
    pub(crate) heard: Option<Instant>,
    pub(crate) base: Option<String>,
    pub(crate) registration: Registration,
    pub(crate) presence: HandsetPresence,
    /// The end of the last call as the store has it.
    pub(crate) kept_end: Option<SystemTime>,
    pub(crate) publisher: Publisher,
    pub(crate) waiter: Waiter,
    pub(crate) calls: BTreeSet<u32>,
}

impl Subscriber {
    /// Whether its handset can be reached as far as we know.
    pub(crate) fn reachable(&self) -> bool {
        !self.user.disabled && self.portable.is_some() && self.located
    }
}

/// The endpoint identifier of a handset: it never changes, and neighbours of a series do not collide.
pub(crate) fn epid(ipei: &str, address: &str) -> String {
    let digits: String = ipei.chars().filter(char::is_ascii_digit).collect();
    let hash = Sha1::new().chain_update(digits).chain_update(format!("sip:{address}")).finalize();
    hash.iter().take(5).fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

/// All subscribers, found by what the protocols call them.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    list: Vec<Subscriber>,
    by_ipei: BTreeMap<Ipei, SubscriberId>,
    by_sip: BTreeMap<UserId, SubscriberId>,
    by_portable: BTreeMap<PortableId, SubscriberId>,
}

impl Subscribers {
    /// Adds one.
    pub(crate) fn add(&mut self, subscriber: Subscriber) -> SubscriberId {
        let id = SubscriberId(self.list.len() as u32);
        self.by_ipei.insert(subscriber.ipei, id);
        self.by_sip.insert(subscriber.sip, id);
        if let Some(portable) = subscriber.portable {
            self.by_portable.insert(portable, id);
        }
        self.list.push(subscriber);
        id
    }

    /// A handset subscribed (again) or lost its access rights.
    pub(crate) fn set_portable(&mut self, id: SubscriberId, portable: Option<PortableId>) {
        if let Some(subscriber) = self.list.get_mut(id.0 as usize) {
            if let Some(old) = subscriber.portable {
                self.by_portable.remove(&old);
            }
            subscriber.portable = portable;
            if let Some(portable) = portable {
                self.by_portable.insert(portable, id);
            }
        }
    }

    pub(crate) fn get(&self, id: SubscriberId) -> Option<&Subscriber> {
        self.list.get(id.0 as usize)
    }

    pub(crate) fn get_mut(&mut self, id: SubscriberId) -> Option<&mut Subscriber> {
        self.list.get_mut(id.0 as usize)
    }

    pub(crate) fn of_ipei(&self, ipei: Ipei) -> Option<SubscriberId> {
        self.by_ipei.get(&ipei).copied()
    }

    pub(crate) fn of_sip(&self, user: UserId) -> Option<SubscriberId> {
        self.by_sip.get(&user).copied()
    }

    pub(crate) fn of_portable(&self, portable: PortableId) -> Option<SubscriberId> {
        self.by_portable.get(&portable).copied()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = SubscriberId> + use<> {
        (0..self.list.len() as u32).map(SubscriberId)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Subscriber> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_identifiers_differ_between_neighbours_and_never_change() {
        let jim = epid("05003 0070387", "jim.kander@example.net");
        assert_eq!(jim.len(), 10);
        assert_eq!(jim, epid("050030070387", "jim.kander@example.net"));
        assert_ne!(jim, epid("05003 0070388", "jim.kander@example.net"));
        assert_ne!(jim, epid("05003 0070387", "other@example.net"));
    }
}
