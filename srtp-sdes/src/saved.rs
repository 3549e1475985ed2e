//! State that outlives the program: a restart keeps calls.

use crate::receiver::Source as ReceiverSource;
use crate::replay::ReplayList;
use crate::sender::Source as SenderSource;
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
        self.sources.iter().map(|source| {
            SourceState::new(source.ssrc, source.sent.highest(), source.next_rtcp.checked_sub(1))
        })
    }

    /// Takes a source up where it was left: what was protected before is never protected again.
    ///
    /// RFC 3711 9.1
    pub fn restore(&mut self, state: SourceState) {
        let sent = state.index.map_or_else(|| ReplayList::new(0), |index| ReplayList::seen_up_to(0, index));
        let next_rtcp = state.rtcp_index.map_or(0, |index| index.saturating_add(1));
        self.sources.retain(|source| source.ssrc != state.ssrc);
        self.sources.push(SenderSource { ssrc: state.ssrc, sent, next_rtcp });
    }
}

impl Receiver {
    /// The sources and how far they are.
    ///
    /// RFC 3711 3.2.1
    pub fn sources(&self) -> impl Iterator<Item = SourceState> {
        self.current.sources.iter().map(|source| {
            SourceState::new(
                source.ssrc,
                source.rtp.highest(),
                source.rtcp.highest().map(|index| index as u32),
            )
        })
    }

    /// Takes a source up where it was left; what may have been received before is not received again.
    ///
    /// RFC 3711 3.3.2
    pub fn restore(&mut self, state: SourceState) {
        let window = self.current.transform.replay_window;
        let list = |index: Option<u64>| {
            index.map_or_else(|| ReplayList::new(window), |index| ReplayList::seen_up_to(window, index))
        };
        self.current.sources.retain(|source| source.ssrc != state.ssrc);
        self.current.sources.push(ReceiverSource {
            ssrc: state.ssrc,
            rtp: list(state.index),
            rtcp: list(state.rtcp_index.map(u64::from)),
            continued: None,
        });
    }
}
