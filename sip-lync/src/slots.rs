//! Things that come and go, found by a number that is never given out twice.

/// A number: which slot, and how often it was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    generation: u32,
    slot: u32,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// A store that finds, adds and removes at once and without allocation once it has grown; empty, it holds little.
///
/// RFC 3261 17: a transaction is found again by every message and timer of it.
#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    entries: Vec<Slot<T>>,
    free: Vec<u32>,
    /// The generation of slots that are new.
    generation: u32,
}

/// So many empty slots are kept.
const KEPT: usize = 64;

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), generation: 0 }
    }

    pub(crate) fn insert(&mut self, value: T) -> Place {
        while let Some(slot) = self.free.pop() {
            if let Some(entry) = self.entries.get_mut(slot as usize) {
                entry.value = Some(value);
                return Place { generation: entry.generation, slot };
            }
        }
        let (generation, slot) = (self.generation, self.entries.len() as u32);
        self.entries.push(Slot { generation, value: Some(value) });
        Place { generation, slot }
    }

    pub(crate) fn get(&self, place: Place) -> Option<&T> {
        let entry = self.entries.get(place.slot as usize)?;
        entry.value.as_ref().filter(|_| entry.generation == place.generation)
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        let entry = self.entries.get_mut(place.slot as usize)?;
        entry.value.as_mut().filter(|_| entry.generation == place.generation)
    }

    pub(crate) fn remove(&mut self, place: Place) -> Option<T> {
        let entry = self.entries.get_mut(place.slot as usize)?;
        if entry.generation != place.generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.generation = self.generation.max(entry.generation);
        self.free.push(place.slot);
        if self.free.len() == self.entries.len() && self.entries.len() > KEPT {
            // Whoever still knows a number of these finds nothing: new slots begin behind all of them.
            (self.entries, self.free) = (Vec::new(), Vec::new());
        }
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_to_its_own_thing_only() {
        let mut slots = Slots::new();
        let (first, second) = (slots.insert('a'), slots.insert('b'));
        assert_eq!(slots.get(first), Some(&'a'));
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
        assert_eq!((slots.remove(first), slots.remove(first)), (Some('a'), None));
        let third = slots.insert('c');
        assert_eq!((slots.get(first), slots.get(third), slots.len()), (None, Some(&'c'), 2));
    }

    #[test]
    fn after_many_things_nothing_is_held_and_no_number_comes_again() {
        let mut slots = Slots::new();
        let places: Vec<_> = (0..1000).map(|number| slots.insert(number)).collect();
        for place in &places {
            assert!(slots.remove(*place).is_some());
        }
        assert_eq!((slots.len(), slots.entries.capacity()), (0, 0));
        let again: Vec<_> = (0..1000).map(|number| slots.insert(number)).collect();
        assert!(places.iter().all(|place| slots.get(*place).is_none()));
        assert!(again.iter().all(|place| slots.get(*place).is_some()));
    }
}
