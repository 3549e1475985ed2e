//! The location table: portable parts by number, by identity and by temporary identity.

use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

use super::config::{KnownPortable, Terminal};
use super::event::PortableId;
use super::mobility::Procedure;
use crate::authentication::{CipherKey, Key128};
use crate::identity::{Ipui, Tpui};
use crate::link::{CallId, LinkId};
use crate::{lce, mm_fixed};

/// What waits in the queue of a link for the page to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The call the message belongs to; nothing for mobility management.
    pub(super) call: Option<CallId>,
    /// It begins a call that needs a long slot.
    pub(super) wideband: bool,
    pub(super) message: Bytes,
}

/// One portable part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Portable {
    pub(super) ipui: Ipui,
    pub(super) tpui: Option<Tpui>,
    pub(super) uak: Option<Key128>,
    /// The key before the last key allocation, until the new one has served in an authentication.
    pub(super) former_uak: Option<Key128>,
    pub(super) cipher_key: Option<CipherKey>,
    pub(super) dsaa2: bool,
    /// The content of its ZAP register as it told last.
    pub(super) zap: Option<u8>,
    /// What it told of its display, its codecs and early encryption.
    pub(super) terminal: Terminal,
    /// The key with which its next link is ciphered from the beginning.
    pub(super) default_key: Option<(u16, CipherKey)>,
    /// Access rights are given; otherwise the entry lives only as long as its link.
    pub(super) subscribed: bool,
    pub(super) link: Option<LinkId>,
    pub(super) ciphered: bool,
    pub(super) lce: lce::State,
    pub(super) pages: u8,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) mm: mm_fixed::State,
    pub(super) procedure: Option<Box<Procedure>>,
    pub(super) calls: Vec<CallId>,
    /// How many transactions of call independent services it has.
    pub(super) services: u8,
}

impl Portable {
    fn new(known: KnownPortable, subscribed: bool) -> Self {
        Self {
            ipui: known.ipui,
            tpui: known.tpui,
            uak: known.uak,
            former_uak: None,
            cipher_key: None,
            dsaa2: known.dsaa2,
            zap: known.zap,
            terminal: Terminal::default(),
            default_key: None,
            subscribed,
            link: None,
            ciphered: false,
            lce: lce::State::Released,
            pages: 0,
            queue: VecDeque::new(),
            mm: mm_fixed::State::default(),
            procedure: None,
            calls: Vec::new(),
            services: 0,
        }
    }
}

/// The order of identities in the table: leading zero bits of a private identity do not count.
type Key = (u8, u8, u128);

fn key(ipui: &Ipui) -> Key {
    match ipui {
        Ipui::O(number) => (ipui.kind().code(), 0, number.value()),
        Ipui::N(_) | Ipui::P(..) | Ipui::Q(_) | Ipui::R(_) | Ipui::S(_) | Ipui::T(..) | Ipui::U(_) => {
            (ipui.kind().code(), ipui.bit_count(), ipui.bits())
        }
    }
}

/// All portable parts of a fixed part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocationTable {
    portables: BTreeMap<PortableId, Portable>,
    by_ipui: BTreeMap<Key, PortableId>,
    by_tpui: BTreeMap<Tpui, PortableId>,
    last: u32,
    /// Entries without access rights.
    visitors: usize,
}

impl LocationTable {
    /// Adds a portable part, or brings the entry with the same identity up to date.
    pub(super) fn add(&mut self, known: KnownPortable, subscribed: bool) -> PortableId {
        if let Some(id) = self.by_ipui(&known.ipui) {
            let tpui = known.tpui;
            if let Some(portable) = self.portables.get_mut(&id) {
                portable.uak = known.uak;
                portable.former_uak = None;
                portable.dsaa2 = known.dsaa2;
                portable.zap = known.zap;
            }
            if subscribed {
                self.set_subscribed(id, true);
            }
            if let Some(tpui) = tpui {
                self.assign(id, tpui);
            }
            return id;
        }
        self.last = self.last.wrapping_add(1);
        let id = PortableId(self.last);
        self.by_ipui.insert(key(&known.ipui), id);
        self.visitors += usize::from(!subscribed);
        let tpui = known.tpui;
        self.portables.insert(id, Portable::new(KnownPortable { tpui: None, ..known }, subscribed));
        if let Some(tpui) = tpui {
            self.assign(id, tpui);
        }
        id
    }

    pub(super) fn remove(&mut self, id: PortableId) -> Option<Portable> {
        let portable = self.portables.remove(&id)?;
        self.by_ipui.remove(&key(&portable.ipui));
        self.visitors = self.visitors.saturating_sub(usize::from(!portable.subscribed));
        if let Some(tpui) = portable.tpui {
            self.by_tpui.remove(&tpui);
        }
        Some(portable)
    }

    /// Gives a portable part another identity; refused when somebody else has it.
    pub(super) fn rename(&mut self, id: PortableId, ipui: Ipui) -> bool {
        if self.by_ipui(&ipui).is_some_and(|owner| owner != id) {
            return false;
        }
        let Some(portable) = self.portables.get_mut(&id) else { return false };
        let old = std::mem::replace(&mut portable.ipui, ipui);
        self.by_ipui.remove(&key(&old));
        self.by_ipui.insert(key(&ipui), id);
        true
    }

    /// Gives or takes the access rights.
    pub(super) fn set_subscribed(&mut self, id: PortableId, subscribed: bool) {
        let Some(portable) = self.portables.get_mut(&id) else { return };
        match (std::mem::replace(&mut portable.subscribed, subscribed), subscribed) {
            (true, false) => self.visitors += 1,
            (false, true) => self.visitors = self.visitors.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
    }

    pub(super) const fn visitors(&self) -> usize {
        self.visitors
    }

    pub(super) fn get(&self, id: PortableId) -> Option<&Portable> {
        self.portables.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PortableId) -> Option<&mut Portable> {
        self.portables.get_mut(&id)
    }

    pub(super) fn by_ipui(&self, ipui: &Ipui) -> Option<PortableId> {
        self.by_ipui.get(&key(ipui)).copied()
    }

    pub(super) fn by_tpui(&self, tpui: Tpui) -> Option<PortableId> {
        self.by_tpui.get(&tpui).copied()
    }

    /// Gives the portable part a temporary identity which nobody else has.
    pub(super) fn assign(&mut self, id: PortableId, tpui: Tpui) -> bool {
        match self.by_tpui.get(&tpui) {
            Some(owner) if *owner != id => return false,
            Some(_) | None => {}
        }
        let Some(portable) = self.portables.get_mut(&id) else {
            return false;
        };
        if let Some(old) = portable.tpui.replace(tpui) {
            self.by_tpui.remove(&old);
        }
        self.by_tpui.insert(tpui, id);
        true
    }

    /// Takes the temporary identity of a portable part back.
    pub(super) fn take_back(&mut self, id: PortableId) {
        if let Some(tpui) = self.portables.get_mut(&id).and_then(|portable| portable.tpui.take()) {
            self.by_tpui.remove(&tpui);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.portables.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{BitString, Ipei};

    fn known(number: u32) -> KnownPortable {
        KnownPortable::new(Ipui::N(Ipei::new(0x138b, number).unwrap()))
    }

    fn tpui(value: u32) -> Tpui {
        Tpui::new(value).unwrap()
    }

    #[test]
    fn a_temporary_identity_belongs_to_one_portable_part_and_a_new_one_frees_the_old() {
        let mut table = LocationTable::default();
        let (first, second) = (table.add(known(1), true), table.add(known(2), true));
        assert!(table.assign(first, tpui(0x100)));
        assert!(table.assign(first, tpui(0x100)));
        assert!(!table.assign(second, tpui(0x100)));
        assert_eq!(table.by_tpui(tpui(0x100)), Some(first));
        assert!(table.assign(first, tpui(0x101)));
        assert_eq!(table.by_tpui(tpui(0x100)), None);
        assert!(table.assign(second, tpui(0x100)));
        table.take_back(second);
        assert_eq!(table.by_tpui(tpui(0x100)), None);
        table.remove(first);
        assert_eq!(table.by_tpui(tpui(0x101)), None);
    }

    #[test]
    fn leading_zero_bits_of_a_private_identity_do_not_count() {
        let mut table = LocationTable::default();
        let of = |bits| Ipui::O(BitString::new(bits, 0x138b_00001).unwrap());
        let portable = table.add(KnownPortable::new(of(44)), true);
        assert_eq!(table.by_ipui(&of(36)), Some(portable));
        assert_eq!(table.add(KnownPortable::new(of(48)), true), portable);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn entries_without_access_rights_are_counted() {
        let mut table = LocationTable::default();
        let visitor = table.add(known(1), false);
        assert_eq!(table.visitors(), 1);
        table.set_subscribed(visitor, true);
        table.set_subscribed(visitor, true);
        assert_eq!(table.visitors(), 0);
        table.set_subscribed(visitor, false);
        table.remove(visitor);
        assert_eq!(table.visitors(), 0);
    }

    #[test]
    fn an_idle_portable_part_is_small() {
        // Two index entries and the nodes of three trees come on top.
        assert!(size_of::<Portable>() <= 432, "{}", size_of::<Portable>());
    }
}
