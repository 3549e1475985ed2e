//! Call admission: what links between sites still have room for.

use std::collections::{BTreeMap, BTreeSet};

use super::{FlowId, FrontEnd};

/// What one call in G.711 with SRTP takes in one direction, in kbit/s.
const CALL: u32 = 100;

/// The links that each call goes over, by Call-ID.
#[derive(Clone, Debug, Default)]
pub(super) struct Admissions {
    calls: BTreeMap<String, BTreeSet<usize>>,
    used: BTreeMap<usize, u32>,
}

impl Admissions {
    /// Takes room on a link; false: there is none.
    fn take(&mut self, call: &str, link: usize, room: u32) -> bool {
        if self.calls.get(call).is_some_and(|links| links.contains(&link)) {
            return true;
        }
        let used = self.used.entry(link).or_default();
        if *used + CALL > room {
            return false;
        }
        *used += CALL;
        self.calls.entry(call.to_owned()).or_default().insert(link);
        true
    }

    /// A call is over, or never began.
    pub(super) fn release(&mut self, call: &str) {
        self.keep(call, None);
    }

    /// A call was answered: only the link to who answered is kept.
    pub(super) fn keep(&mut self, call: &str, kept: Option<usize>) {
        let Some(links) = self.calls.remove(call) else { return };
        for link in links {
            if Some(link) == kept {
                self.calls.entry(call.to_owned()).or_default().insert(link);
            } else if let Some(used) = self.used.get_mut(&link) {
                *used = used.saturating_sub(CALL);
            }
        }
    }
}

impl FrontEnd {
    /// Whether there is room for a call between the endpoints at two connections; if so it is taken.
    pub(super) fn admits(&mut self, call: &str, one: FlowId, other: FlowId) -> bool {
        match self.link_between(one, other) {
            None => true,
            Some(at) => {
                let room = self.config.links.get(at).map_or(0, |link| link.audio);
                self.admissions.take(call, at, room)
            }
        }
    }

    /// The link between the sites of two connections.
    pub(super) fn link_between(&self, one: FlowId, other: FlowId) -> Option<usize> {
        let site = |flow: FlowId| {
            let address = self.flows.get(&flow)?.remote?.ip();
            let found = self.config.sites.iter().find(|site| site.contains(address));
            found.map(|site| site.name.as_str())
        };
        let (one, other) = (site(one)?, site(other)?);
        self.config.links.iter().position(|link| {
            let (a, b) = (link.between.0.as_str(), link.between.1.as_str());
            (a, b) == (one, other) || (b, a) == (one, other)
        })
    }
}
