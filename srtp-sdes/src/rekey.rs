//! Change of keys within a call.

use crate::context::Source;
use crate::packet_index::{Estimate, estimate};
use crate::{Receiver, ReceiverKeys, Sender, SenderKeys};

/// What becomes of the roll-over counters of known sources when the keys change. RFC 3711 keeps them; gateways that speak with
/// Microsoft's servers report that those begin at 0 again (inferred).
///
/// RFC 3711 3.3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RolloverAfterRekey {
    /// A receiver tries the continued counter and then 0 on the first packet; a sender begins at 0.
    Either,
    /// The counter goes on.
    Continued,
    /// The counter begins at 0.
    Zero,
}

impl RolloverAfterRekey {
    /// The index that the first packet under new keys likely has, and another it may have.
    pub(crate) fn candidates(self, highest: u64, sequence: u16) -> Option<(u64, Option<u64>)> {
        let continued = match estimate(highest, sequence) {
            Estimate::Index(index) => Some(index),
            Estimate::Exhausted => None,
        };
        let zero = u64::from(sequence);
        match (self, continued) {
            (Self::Either, Some(continued)) if continued != zero => Some((continued, Some(zero))),
            (Self::Either | Self::Zero, _) => Some((zero, None)),
            (Self::Continued, continued) => continued.map(|continued| (continued, None)),
        }
    }
}

impl Receiver {
    /// New keys from now on. Packets under the old ones are still accepted, until [`Self::forget_previous_keys`]; a keyed line
    /// that did not change needs no call.
    ///
    /// RFC 4568 7.1.4, RFC 3711 8.1
    pub fn rekey(&mut self, keys: ReceiverKeys) {
        let mut next = Self::with_config(keys, self.0.config()).0;
        let mut continued: Vec<_> =
            self.0.sources().filter_map(|source| Some((source.ssrc(), source.highest()?))).collect();
        if let Some(extra) = self.0.extra_mut() {
            // Sources that were silent since the last change.
            continued.append(&mut extra.continued);
            extra.previous = None;
        }
        continued.sort_unstable();
        continued.dedup_by_key(|(ssrc, _)| *ssrc);
        next.annex_mut().extra.continued = continued;
        let previous = core::mem::replace(&mut self.0, next);
        self.0.annex_mut().extra.previous = Some(previous);
    }

    /// The time of grace is over: wipes the keys before the last change. Some two seconds after [`Self::rekey`].
    ///
    /// RFC 3711 8.1
    pub fn forget_previous_keys(&mut self) {
        if let Some(extra) = self.0.extra_mut() {
            extra.previous = None;
        }
    }
}

impl Sender {
    /// New keys from now on. Where the counters begin at 0 again the owner begins with a new sequence number below 2^15.
    ///
    /// RFC 4568 7.1.4, RFC 3711 8.1
    pub fn rekey(&mut self, keys: SenderKeys, rollover: RolloverAfterRekey) {
        let config = crate::SenderConfig { initial_rollover: 0, ..self.config() };
        let mut next = Self::with_config(keys, config);
        if rollover == RolloverAfterRekey::Continued {
            for source in self.0.sources() {
                next.0.insert(source.clone());
            }
        }
        *self = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_continued_counter_is_tried_before_zero() {
        let highest = (5 << 16) | 0xfde8;
        assert_eq!(RolloverAfterRekey::Either.candidates(highest, 3), Some(((6 << 16) | 3, Some(3))));
        assert_eq!(RolloverAfterRekey::Either.candidates(10, 11), Some((11, None)));
        assert_eq!(RolloverAfterRekey::Continued.candidates(highest, 3), Some(((6 << 16) | 3, None)));
        assert_eq!(RolloverAfterRekey::Zero.candidates(highest, 3), Some((3, None)));
    }
}
