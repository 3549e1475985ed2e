//! What a receiver keeps of the sources of the other side.

use crate::context::{Context, Source};
use crate::replay::{Ring, Window};
use crate::{KeyParameter, ReceiverConfig};

/// What is known of a source of the other side.
#[derive(Clone, Default)]
pub(crate) struct Received {
    pub(crate) highest: u64,
    pub(crate) rtp: Window,
    pub(crate) rtcp: Window,
    pub(crate) rtcp_highest: u32,
    pub(crate) ssrc: u32,
}

/// No RTP packet came yet.
pub(crate) const NO_INDEX: u64 = u64::MAX;
/// No RTCP packet came yet.
pub(crate) const NO_RTCP_INDEX: u32 = u32::MAX;

/// What few receivers need.
#[derive(Clone, Default)]
pub(crate) struct Extra {
    pub(crate) config: Option<ReceiverConfig>,
    /// Octets of the replay lists where they are longer than usual; the lists stand in the order of the sources.
    pub(crate) window: usize,
    pub(crate) rings: Vec<Rings>,
    /// The highest indexes under the keys before, ordered by SSRC, until a packet tells how the counter went on.
    pub(crate) continued: Vec<(u32, u64)>,
    /// The context before the last change of keys, while packets under the old keys are on their way.
    pub(crate) previous: Option<Box<Context<Received>>>,
}

/// The long replay lists of a source.
#[derive(Clone)]
pub(crate) struct Rings {
    pub(crate) rtp: Ring,
    pub(crate) rtcp: Ring,
}

impl Received {
    #[inline]
    pub(crate) fn highest(&self) -> Option<u64> {
        Some(self.highest).filter(|highest| *highest != NO_INDEX)
    }

    pub(crate) fn rtcp_highest(&self) -> Option<u32> {
        Some(self.rtcp_highest).filter(|highest| *highest != NO_RTCP_INDEX)
    }
}

impl Source for Received {
    /// The protocol's limits are those of the indexes: no index is taken twice.
    type Counters = ();
    type Extra = Extra;

    #[inline]
    fn ssrc(&self) -> u32 {
        self.ssrc
    }

    fn counters(_: &KeyParameter) {}
}
