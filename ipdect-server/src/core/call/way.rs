//! The way of a call's media through the network, as ICE finds it.

use std::net::SocketAddr;
use std::time::Instant;

use sip_lync::Rendering;
use sip_lync::ice::{DataStream, Offer};

use super::super::deadlines::Waiter;

/// What ICE has of a call.
#[derive(Debug)]
pub(crate) struct Way {
    /// None while no ICE is spoken.
    pub(crate) stream: Option<DataStream>,
    /// Where RTP and RTCP go, once a way is known; kept while another is looked for.
    pub(crate) remote: [Option<SocketAddr>; 2],
    /// The end of the search was told.
    pub(crate) told: bool,
    /// The peer's last offer names pairs that are still checked: it is answered then, or at this time.
    pub(crate) answer_by: Option<Instant>,
    /// Our last offer, which names the chosen pairs, waits for its answer.
    pub(crate) offering: bool,
    /// What the handset wanted meanwhile: to hold or to go on.
    pub(crate) wanted: Option<Rendering>,
    /// What is offered when the first form is refused.
    pub(crate) other_forms: Option<Offer>,
    pub(crate) waiter: Waiter,
}

impl Way {
    pub(crate) fn new(waiter: Waiter) -> Self {
        Self {
            stream: None,
            remote: [None; 2],
            told: false,
            answer_by: None,
            offering: false,
            wanted: None,
            other_forms: None,
            waiter,
        }
    }

    /// The dialect and the address that was found.
    pub(crate) fn found(&self) -> Option<String> {
        let dialect = self.stream.as_ref()?.dialect()?;
        Some(format!("{dialect} {}", self.remote[0]?))
    }

    /// When something is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        [self.stream.as_ref().and_then(DataStream::poll_timeout), self.answer_by].into_iter().flatten().min()
    }
}
