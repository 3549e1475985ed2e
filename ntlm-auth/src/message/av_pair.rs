//! Attributes of the target information.

use core::fmt;

use crate::error::{Error, Rule};
use crate::text::push_utf16;

/// Which attribute.
///
/// MS-NLMP 2.2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AvId(pub u16);

impl AvId {
    const END: Self = Self(0);
    /// Name of the server's computer.
    pub const NB_COMPUTER_NAME: Self = Self(1);
    /// Name of the server's domain.
    pub const NB_DOMAIN_NAME: Self = Self(2);
    /// DNS name of the server's computer.
    pub const DNS_COMPUTER_NAME: Self = Self(3);
    /// DNS name of the server's domain.
    pub const DNS_DOMAIN_NAME: Self = Self(4);
    /// DNS name of the forest.
    pub const DNS_TREE_NAME: Self = Self(5);
    /// Flags; bit 1 announces a message integrity code.
    pub const FLAGS: Self = Self(6);
    /// The server's time.
    pub const TIMESTAMP: Self = Self(7);
    /// The client's machine; ignored.
    pub const SINGLE_HOST: Self = Self(8);
    /// Service that the client means.
    pub const TARGET_NAME: Self = Self(9);
    /// Digest of the channel that the login belongs to.
    pub const CHANNEL_BINDINGS: Self = Self(10);

    /// The length that an attribute must have.
    fn length(self) -> Option<usize> {
        match self {
            Self::FLAGS => Some(4),
            Self::TIMESTAMP => Some(8),
            Self::CHANNEL_BINDINGS => Some(16),
            _ => None,
        }
    }

    fn is_single(self) -> bool {
        matches!(self, Self::FLAGS | Self::TIMESTAMP | Self::TARGET_NAME | Self::CHANNEL_BINDINGS)
    }
}

/// The attributes in their order; unknown ones are kept.
///
/// MS-NLMP 2.2.2.1
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct AvPairs {
    /// As in a message, without the end mark. A value that no message can carry is cut and makes the list too long.
    list: Vec<u8>,
}

impl AvPairs {
    /// No attributes.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of a server, with room for its time.
    pub(crate) fn of_server(domain: &str, computer: &str) -> Self {
        let mut pairs = Self { list: Vec::with_capacity(2 * (domain.len() + computer.len()) + 20) };
        pairs.replace_text(AvId::NB_DOMAIN_NAME, domain);
        pairs.replace_text(AvId::NB_COMPUTER_NAME, computer);
        pairs
    }

    /// Reads a list up to its end mark; what follows the mark is ignored. `at` is where the list stands in its message.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn parse(list: &[u8], at: usize) -> Result<Self, Error> {
        let AvList(read) = AvList::parse(list, at)?;
        // Room for what a client adds.
        let mut list = Vec::with_capacity(read.len() + ROOM);
        list.extend_from_slice(read);
        Ok(Self { list })
    }

    /// The list with its end mark.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let mut octets = Vec::with_capacity(self.emitted_length());
        self.emit_into(&mut octets)?;
        Ok(octets)
    }

    /// The same, at the end of a message.
    pub(crate) fn emit_into(&self, octets: &mut Vec<u8>) -> Result<(), Error> {
        if self.emitted_length() > LIST_MAX {
            return Err(Error::TooLong);
        }
        octets.extend_from_slice(&self.list);
        octets.extend_from_slice(&[0; 4]);
        Ok(())
    }

    pub(crate) fn emitted_length(&self) -> usize {
        self.list.len() + 4
    }

    /// The first attribute of that kind.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn get(&self, id: AvId) -> Option<&[u8]> {
        self.view().get(id)
    }

    /// All attributes in their order.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn iter(&self) -> impl Iterator<Item = (AvId, &[u8])> {
        self.view().iter()
    }

    /// Replaces the attribute where it stands, or appends it.
    ///
    /// MS-NLMP 3.1.5.1.2
    pub fn replace(&mut self, id: AvId, value: impl AsRef<[u8]>) {
        let mut end = 0;
        let old = self.iter().find_map(|(found, old)| {
            let start = end;
            end += 4 + old.len();
            (found == id).then_some(start..end)
        });
        let behind = old.map(|old| {
            self.list.drain(old.clone());
            old.start
        });
        let end = self.list.len();
        self.push(id, value.as_ref());
        let length = self.list.len() - end;
        if let Some(moved) = behind.and_then(|behind| self.list.get_mut(behind..)) {
            moved.rotate_right(length);
        }
    }

    /// The same with a text.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn replace_text(&mut self, id: AvId, text: &str) {
        let mut value = Vec::with_capacity(2 * text.len());
        push_utf16(&mut value, text.chars());
        self.replace(id, value);
    }

    fn push(&mut self, id: AvId, value: &[u8]) {
        let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
        self.list.extend_from_slice(&id.0.to_le_bytes());
        self.list.extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.list.extend_from_slice(value);
    }

    /// The server's time, in 100 ns since 1601.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        self.get(AvId::TIMESTAMP).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes)
    }

    /// The flags; none if there are none.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.view().flags()
    }

    fn view(&self) -> AvList<'_> {
        AvList(&self.list)
    }

    /// Bit of [`AvPairs::flags`]: the message has an integrity code.
    ///
    /// MS-NLMP 2.2.2.1
    pub const MIC_PRESENT: u32 = 2;
}

/// A good list, looked at where it stands: without its end mark.
#[derive(Clone, Copy, Default)]
pub(crate) struct AvList<'a>(&'a [u8]);

impl<'a> AvList<'a> {
    pub(crate) fn parse(list: &'a [u8], at: usize) -> Result<Self, Error> {
        let broken = |offset: usize| Error::Malformed { at: at + offset, rule: Rule::AvPairs };
        if list.len() > LIST_MAX {
            return Err(broken(LIST_MAX));
        }
        let mut rest = list;
        loop {
            let offset = list.len() - rest.len();
            let read = Self(list.get(..offset).unwrap_or_default());
            let (id, length, behind) = split_header(rest).ok_or_else(|| broken(offset))?;
            if id == AvId::END {
                return if length == 0 { Ok(read) } else { Err(broken(offset)) };
            }
            let (_, next) = behind.split_at_checked(length).ok_or_else(|| broken(offset))?;
            let wrong_length = id.length().is_some_and(|wanted| wanted != length);
            if wrong_length || (id.is_single() && read.get(id).is_some()) {
                return Err(broken(offset));
            }
            rest = next;
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (AvId, &'a [u8])> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (id, length, behind) = split_header(rest)?;
            let (value, next) = behind.split_at_checked(length)?;
            rest = next;
            Some((id, value))
        })
    }

    pub(crate) fn get(self, id: AvId) -> Option<&'a [u8]> {
        self.iter().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    pub(crate) fn flags(self) -> u32 {
        self.get(AvId::FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes)
    }
}

impl fmt::Debug for AvPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Kind and length of an attribute, and what follows.
fn split_header(list: &[u8]) -> Option<(AvId, usize, &[u8])> {
    let ([id_low, id_high, low, high], rest) = list.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    Some((AvId(u16::from_le_bytes([*id_low, *id_high])), length, rest))
}

/// Octets of the attributes that a client adds: flags, channel binding, an empty name.
const ROOM: usize = 8 + 20 + 4;
/// Most octets of a list.
const LIST_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_attributes_are_kept_in_place() {
        let list = [2, 0, 2, 0, b'D', 0, 99, 0, 1, 0, 7, 1, 0, 2, 0, b'C', 0, 0, 0, 0, 0];
        let mut pairs = AvPairs::parse(&list, 0).expect("a good list");
        assert_eq!(pairs.emit().as_deref(), Ok(&list[..]));
        pairs.replace(AvId::NB_DOMAIN_NAME, vec![b'E', 0]);
        assert_eq!(pairs.emit().map(|list| list[4]), Ok(b'E'));
        pairs.replace(AvId(99), [1, 2, 3]);
        let ids: Vec<_> = pairs.iter().map(|(id, value)| (id.0, value.len())).collect();
        assert_eq!(ids, [(2, 2), (99, 3), (1, 2)], "where it stood");
        pairs.replace(AvId::FLAGS, [2, 0, 0, 0]);
        assert_eq!((pairs.flags(), pairs.iter().last().map(|(id, _)| id)), (2, Some(AvId::FLAGS)));
    }

    #[test]
    fn broken_lists_are_refused() {
        for list in [
            &[][..],
            &[0, 0, 0],
            &[0, 0, 1, 0, 0],
            &[1, 0, 2, 0, 0],
            &[1, 0, 2, 0, 0, 0],
            &[6, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
            &[9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(
                matches!(AvPairs::parse(list, 40), Err(Error::Malformed { rule: Rule::AvPairs, .. })),
                "{list:?}"
            );
        }
        // Zeros behind the end are what Windows sends.
        assert_eq!(AvPairs::parse(&[0; 12], 0), Ok(AvPairs::new()));
    }
}
