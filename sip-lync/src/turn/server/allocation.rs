//! One allocation: its client, its peers, its place in time.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeSet;
use std::time::Instant;

use super::config::Path;
use crate::stun::IntegrityKey;

/// An allocation, also while its relayed address is being opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Allocation {
    pub(super) client: Path,
    pub(super) reflexive: SocketAddr,
    pub(super) username: Vec<u8>,
    pub(super) key: IntegrityKey,
    pub(super) connection: [u8; 20],
    pub(super) expires: Instant,
    /// Peers whose packets pass: those the client has sent to.
    pub(super) permitted: BTreeSet<IpAddr>,
    /// The peer whose packets pass without wrapping.
    pub(super) active: Option<SocketAddr>,
    /// The reservation of bandwidth it has.
    pub(super) reservation: Option<([u8; 16], u32)>,
    window: Window,
}

impl Allocation {
    pub(super) const fn new(
        client: Path,
        reflexive: SocketAddr,
        username: Vec<u8>,
        key: IntegrityKey,
        connection: [u8; 20],
        expires: Instant,
    ) -> Self {
        Self {
            client,
            reflexive,
            username,
            key,
            connection,
            expires,
            permitted: BTreeSet::new(),
            active: None,
            reservation: None,
            window: Window { highest: 0, seen: 0 },
        }
    }

    /// Whether a numbered message is new; it is remembered.
    pub(super) const fn is_new(&mut self, number: u32) -> bool {
        self.window.take(number)
    }

    /// Lets a peer in; false when there are too many.
    pub(super) fn permit(&mut self, peer: IpAddr, max: usize) -> bool {
        self.permitted.contains(&peer) || (self.permitted.len() < max && self.permitted.insert(peer))
    }
}

/// Which of the last 64 numbers were seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Window {
    const fn take(&mut self, number: u32) -> bool {
        if number > self.highest || self.seen == 0 {
            let ahead = number.wrapping_sub(self.highest);
            self.seen = if ahead >= 64 { 1 } else { (self.seen << ahead) | 1 };
            self.highest = number;
            return true;
        }
        let behind = self.highest - number;
        if behind >= 64 || self.seen & (1 << behind) != 0 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_passes_once_in_any_order_within_the_window() {
        let mut window = Window { highest: 0, seen: 0 };
        for number in [1, 3, 2, 70, 69, 10] {
            assert!(window.take(number), "{number}");
            assert!(!window.take(number), "{number} again");
        }
        assert!(!window.take(3));
        assert!(!window.take(6), "older than the window");
        assert!(window.take(7));
    }
}
