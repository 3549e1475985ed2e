//! Slows down those who guess passwords.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// So many wrong passwords are forgiven.
const FORGIVEN: u32 = 5;
/// Then no log-in is looked at for so long.
const LOCKED: Duration = Duration::from_mins(1);
/// So many addresses are remembered.
const REMEMBERED: usize = 4096;

#[derive(Debug)]
struct Attempts {
    wrong: u32,
    last: Instant,
}

/// Wrong passwords by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    addresses: BTreeMap<IpAddr, Attempts>,
}

impl Throttle {
    /// How long this address must still wait; none if it may try.
    pub(super) fn wait(&mut self, now: Instant, address: IpAddr) -> Option<Duration> {
        self.addresses.retain(|_, attempts| now.duration_since(attempts.last) < LOCKED);
        let attempts = self.addresses.get(&address)?;
        (attempts.wrong >= FORGIVEN).then(|| LOCKED.saturating_sub(now.duration_since(attempts.last)))
    }

    /// A wrong password.
    pub(super) fn wrong(&mut self, now: Instant, address: IpAddr) {
        if self.addresses.len() >= REMEMBERED && !self.addresses.contains_key(&address) {
            let oldest =
                self.addresses.iter().min_by_key(|(_, attempts)| attempts.last).map(|(address, _)| *address);
            if let Some(oldest) = oldest {
                self.addresses.remove(&oldest);
            }
        }
        let attempts = self.addresses.entry(address).or_insert(Attempts { wrong: 0, last: now });
        attempts.wrong += 1;
        attempts.last = now;
    }

    /// A right password.
    pub(super) fn right(&mut self, address: IpAddr) {
        self.addresses.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_passwords_lock_an_address_for_a_minute() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..5 {
            assert_eq!(throttle.wait(now, one), None);
            throttle.wrong(now, one);
        }
        assert_eq!(throttle.wait(now + Duration::from_secs(20), one), Some(Duration::from_secs(40)));
        assert_eq!(throttle.wait(now, two), None);
        assert_eq!(throttle.wait(now + Duration::from_secs(61), one), None);
        throttle.wrong(now + Duration::from_secs(61), one);
        throttle.right(one);
        assert!(throttle.addresses.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for number in 0..2 * REMEMBERED as u32 {
            throttle.wrong(now, IpAddr::from(number.to_be_bytes()));
        }
        assert_eq!(throttle.addresses.len(), REMEMBERED);
    }
}
