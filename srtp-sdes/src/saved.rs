//! State that outlives the program: a restart keeps calls.

use crate::context::Source;
use crate::replay::Window;
use crate::sender::{NOTHING_SENT, Sent};
use crate::{Receiver, Sender};

/// What is kept of a synchronisation source; the keys are kept as the lines they came in.
///
/// RFC 3711 3.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SourceState {
    /// The source.
    pub ssrc: u32,
    /// The highest index of RTP: 65536 times the roll-over counter plus the sequence number.
    pub index: Option<u64>,
    /// The highest index of RTCP.
    pub rtcp_index: Option<u32>,
}

impl SourceState {
    /// The state of a source.
    ///
    /// RFC 3711 3.2.1
    pub const fn new(ssrc: u32, index: Option<u64>, rtcp_index: Option<u32>) -> Self {
        Self { ssrc, index, rtcp_index }
    }
}

impl Sender {
    /// The sources and how far they are.
    ///
    /// RFC 3711 3.2.1
    pub fn sources(&self) -> impl Iterator<Item = SourceState> {
        self.0
            .sources()
            .map(|source| SourceState::new(source.ssrc, source.highest(), source.next_rtcp.checked_sub(1)))
    }

    /// Takes a source up where it was left: what was protected before is never protected again, and counts for the lifetime of
    /// the key as if every index up to the highest had been used.
    ///
    /// RFC 3711 9.1
    pub fn restore(&mut self, state: SourceState) {
        let source = Sent {
            highest: state.index.unwrap_or(NOTHING_SENT),
            window: if state.index.is_some() { Window::full() } else { Window::default() },
            ssrc: state.ssrc,
            next_rtcp: state.rtcp_index.map_or(0, |index| index.saturating_add(1)),
        };
        let srtp = state.index.map_or(0, |index| index.saturating_add(1));
        self.0.counters.count_before(srtp, source.next_rtcp.into());
        match self.0.find(state.ssrc).and_then(|slot| self.0.source_mut(slot)) {
            Some(known) => *known = source,
            None => {
                self.0.insert(source);
            }
        }
    }
}

impl Receiver {
    /// The sources and how far they are.
    ///
    /// RFC 3711 3.2.1
    pub fn sources(&self) -> impl Iterator<Item = SourceState> {
        self.0
            .sources()
            .map(|source| SourceState::new(source.ssrc(), source.highest(), source.rtcp_highest()))
    }

    /// Takes a source up where it was left; what may have been received before is not received again.
    ///
    /// RFC 3711 3.3.2
    pub fn restore(&mut self, state: SourceState) {
        self.0.restore(state.ssrc, state.index, state.rtcp_index);
    }
}
