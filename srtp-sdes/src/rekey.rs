//! Change of keys within a call.

use crate::packet_index::{Estimate, estimate};
use crate::receiver::{Context, Source};
use crate::replay::ReplayList;
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
    /// The indexes that the first packet under new keys may have.
    pub(crate) fn candidates(self, highest: u64, sequence: u16) -> [Option<u64>; 2] {
        let continued = match estimate(highest, sequence) {
            Estimate::Index(index) => Some(index),
            Estimate::Exhausted => None,
        };
        let zero = Some(u64::from(sequence));
        match self {
            Self::Either if continued == zero => [zero, None],
            Self::Either => [continued, zero],
            Self::Continued => [continued, None],
            Self::Zero => [zero, None],
        }
    }
}

impl Receiver {
    /// New keys from now on. Packets under the old ones are still accepted, until [`Self::forget_previous_keys`]; a keyed line
    /// that did not change needs no call.
    ///
    /// RFC 4568 7.1.4, RFC 3711 8.1
    pub fn rekey(&mut self, keys: ReceiverKeys) {
        let mut next = Context::new(keys);
        let list = ReplayList::new(next.transform.replay_window);
        next.sources.extend(self.current.sources.iter().map(|source| Source {
            ssrc: source.ssrc,
            rtp: list.clone(),
            rtcp: list.clone(),
            continued: source.rtp.highest().or(source.continued),
        }));
        self.previous = Some(Box::new(core::mem::replace(&mut self.current, next)));
    }

    /// The time of grace is over: wipes the keys before the last change. Some two seconds after [`Self::rekey`].
    ///
    /// RFC 3711 8.1
    pub fn forget_previous_keys(&mut self) {
        self.previous = None;
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
            next.sources = core::mem::take(&mut self.sources);
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
        assert_eq!(RolloverAfterRekey::Either.candidates(highest, 3), [Some((6 << 16) | 3), Some(3)]);
        assert_eq!(RolloverAfterRekey::Either.candidates(10, 11), [Some(11), None]);
        assert_eq!(RolloverAfterRekey::Continued.candidates(highest, 3), [Some((6 << 16) | 3), None]);
        assert_eq!(RolloverAfterRekey::Zero.candidates(highest, 3), [Some(3), None]);
    }
}
