//! Octets that are kept in place while they are few, so that reading a usual message allocates nothing.

use std::ops::Deref;

/// As many octets as fit beside the length without making the value larger than four words.
const IN_PLACE: usize = 30;

#[derive(Clone)]
enum Place {
    Here(u8, [u8; IN_PLACE]),
    Heap(Box<[u8]>),
}

/// An immutable string of octets.
#[derive(Clone)]
pub(crate) struct Few(Place);

impl Few {
    pub(crate) fn new(octets: &[u8]) -> Self {
        let mut here = [0; IN_PLACE];
        match here.get_mut(..octets.len()) {
            Some(part) => {
                part.copy_from_slice(octets);
                Self(Place::Here(octets.len() as u8, here))
            }
            None => Self(Place::Heap(octets.into())),
        }
    }
}

impl Deref for Few {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Here(length, octets) => octets.get(..usize::from(*length)).unwrap_or(octets),
            Place::Heap(octets) => octets,
        }
    }
}

impl std::fmt::Debug for Few {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Default for Few {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl PartialEq for Few {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Few {}

impl PartialOrd for Few {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Few {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl std::hash::Hash for Few {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_octets_stay_in_place_and_many_go_to_the_heap_and_both_read_the_same() {
        for length in [0, 1, 29, 30, 31, 250] {
            let octets: Vec<u8> = (0..length).collect();
            let kept = Few::new(&octets);
            assert_eq!(*kept, *octets);
            assert_eq!(matches!(kept.0, Place::Here(..)), length <= 30);
            assert_eq!(kept.clone(), kept);
        }
        assert_eq!(size_of::<Few>(), 32);
        assert!(Few::new(&[1]) < Few::new(&[1, 0]) && Few::new(&[2]) > Few::new(&[1; 40]));
    }
}
