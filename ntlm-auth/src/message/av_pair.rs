//! Attributes of the target information.

use crate::error::{Error, Rule};
use crate::text::utf16;

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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct AvPairs(Vec<(AvId, Vec<u8>)>);

impl AvPairs {
    /// No attributes.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a list up to its end mark; what follows the mark is ignored. `at` is where the list stands in its message.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn parse(list: &[u8], at: usize) -> Result<Self, Error> {
        let broken = |offset: usize| Error::Malformed { at: at + offset, rule: Rule::AvPairs };
        if list.len() > LIST_MAX {
            return Err(broken(LIST_MAX));
        }
        let mut pairs = Self::new();
        let mut offset = 0;
        loop {
            let rest = list.get(offset..).unwrap_or_default();
            let Some(([id_low, id_high, low, high], rest)) = rest.split_first_chunk::<4>() else {
                return Err(broken(offset));
            };
            let id = AvId(u16::from_le_bytes([*id_low, *id_high]));
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            if id == AvId::END {
                return if length == 0 { Ok(pairs) } else { Err(broken(offset)) };
            }
            let value = rest.get(..length).ok_or_else(|| broken(offset))?;
            let wrong_length = id.length().is_some_and(|wanted| wanted != length);
            if wrong_length || (id.is_single() && pairs.get(id).is_some()) {
                return Err(broken(offset));
            }
            pairs.0.push((id, value.to_vec()));
            offset += 4 + length;
        }
    }

    /// The list with its end mark.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let mut list = Vec::new();
        for (id, value) in &self.0 {
            let length = u16::try_from(value.len()).map_err(|_| Error::TooLong)?;
            list.extend_from_slice(&id.0.to_le_bytes());
            list.extend_from_slice(&length.to_le_bytes());
            list.extend_from_slice(value);
        }
        list.extend_from_slice(&[0; 4]);
        if list.len() > LIST_MAX { Err(Error::TooLong) } else { Ok(list) }
    }

    /// The first attribute of that kind.
    ///
    /// MS-NLMP 2.2.2.1
    #[must_use]
    pub fn get(&self, id: AvId) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| *found == id).map(|(_, value)| value.as_slice())
    }

    /// All attributes in their order.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn iter(&self) -> impl Iterator<Item = (AvId, &[u8])> {
        self.0.iter().map(|(id, value)| (*id, value.as_slice()))
    }

    /// Replaces the attribute where it stands, or appends it.
    ///
    /// MS-NLMP 3.1.5.1.2
    pub fn replace(&mut self, id: AvId, value: Vec<u8>) {
        match self.0.iter_mut().find(|(found, _)| *found == id) {
            Some((_, old)) => *old = value,
            None => self.0.push((id, value)),
        }
    }

    /// The same with a text.
    ///
    /// MS-NLMP 2.2.2.1
    pub fn replace_text(&mut self, id: AvId, text: &str) {
        self.replace(id, utf16(text).to_vec());
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
        self.get(AvId::FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes)
    }

    /// Bit of [`AvPairs::flags`]: the message has an integrity code.
    ///
    /// MS-NLMP 2.2.2.1
    pub const MIC_PRESENT: u32 = 2;
}

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
