//! Requests that were forwarded and wait for their answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use sip_lync::proxy::{Because, ResponseContext};
use sip_lync::{Request, Response};

use super::FlowId;
use super::envelope::TransactionKey;
use super::routing::Round;

/// A forwarded request, named in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TransactionId(pub u64);

/// One branch of a forwarded request.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) branch: String,
    pub(super) flow: FlowId,
    /// The user it went to.
    pub(super) user: Option<String>,
    /// Whether it went to the telephone network.
    pub(super) gateway: bool,
    /// As it was sent: CANCEL and ACK are made from it.
    pub(super) request: Request,
    /// The final response, our Via removed.
    pub(super) response: Option<Response>,
    /// Timer C or F.
    pub(super) deadline: Instant,
}

/// A forwarded request.
#[derive(Clone, Debug)]
pub(super) struct Proxied {
    pub(super) key: TransactionKey,
    /// Where it came from.
    pub(super) flow: FlowId,
    /// As it came, with what we know of its connection in the top Via.
    pub(super) request: Request,
    pub(super) invite: bool,
    /// Whether it begins a dialog.
    pub(super) initial: bool,
    pub(super) forking: ResponseContext,
    pub(super) legs: Vec<Leg>,
    /// The Reason of the CANCEL that came from the caller.
    pub(super) cancel_reason: Option<String>,
    /// When it is forgotten after its end.
    pub(super) forget: Option<Instant>,
    /// The user whose endpoint answered first.
    pub(super) accepted_by: Option<String>,
    /// Who is asked after those that are asked now.
    pub(super) rounds: VecDeque<Round>,
    /// When those that are asked now have had their time.
    pub(super) patience: Option<Instant>,
    /// What the deadlines come to, as the index has it.
    pub(super) indexed: Option<Instant>,
}

/// All forwarded requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    next: u64,
    pub(super) proxied: BTreeMap<TransactionId, Proxied>,
    by_key: BTreeMap<TransactionKey, TransactionId>,
    by_branch: BTreeMap<String, (TransactionId, usize)>,
    deadlines: BTreeSet<(Instant, TransactionId)>,
}

impl Transactions {
    pub(super) fn add(&mut self, proxied: Proxied) -> TransactionId {
        self.next += 1;
        let id = TransactionId(self.next);
        self.by_key.insert(proxied.key.clone(), id);
        for (at, leg) in proxied.legs.iter().enumerate() {
            self.by_branch.insert(leg.branch.clone(), (id, at));
        }
        self.proxied.insert(id, proxied);
        self.touched(id);
        id
    }

    /// Branches were added to a request, or a deadline of it changed.
    pub(super) fn touched(&mut self, id: TransactionId) {
        let Some(proxied) = self.proxied.get_mut(&id) else { return };
        for (at, leg) in proxied.legs.iter().enumerate() {
            if !self.by_branch.contains_key(&leg.branch) {
                self.by_branch.insert(leg.branch.clone(), (id, at));
            }
        }
        let deadline = proxied.deadline();
        if proxied.indexed == deadline {
            return;
        }
        if let Some(before) = core::mem::replace(&mut proxied.indexed, deadline) {
            self.deadlines.remove(&(before, id));
        }
        self.deadlines.extend(deadline.map(|deadline| (deadline, id)));
    }

    /// What is due.
    pub(super) fn due(&self, now: Instant) -> Vec<TransactionId> {
        self.deadlines.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, id)| *id).collect()
    }

    pub(super) fn by_key(&self, key: &TransactionKey) -> Option<TransactionId> {
        self.by_key.get(key).copied()
    }

    pub(super) fn by_branch(&self, branch: &str) -> Option<(TransactionId, usize)> {
        self.by_branch.get(branch).copied()
    }

    pub(super) fn remove(&mut self, id: TransactionId) {
        if let Some(proxied) = self.proxied.remove(&id) {
            self.by_key.remove(&proxied.key);
            if let Some(deadline) = proxied.indexed {
                self.deadlines.remove(&(deadline, id));
            }
            for leg in &proxied.legs {
                self.by_branch.remove(&leg.branch);
            }
        }
    }

    /// The next deadline of any leg or memory.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

impl Proxied {
    fn deadline(&self) -> Option<Instant> {
        let legs = self.open_legs().map(|(_, leg)| leg.deadline).min();
        [legs, self.forget, self.patience].into_iter().flatten().min()
    }

    /// The legs without a final response.
    pub(super) fn open_legs(&self) -> impl Iterator<Item = (usize, &Leg)> {
        self.legs.iter().enumerate().filter(|(at, _)| {
            self.forking
                .branches()
                .get(*at)
                .is_some_and(|branch| !matches!(branch, sip_lync::proxy::Branch::Completed(_)))
        })
    }

    /// The Reason header of a CANCEL (RFC 3326; MS-OCER names who accepted).
    pub(super) fn reason(&self, because: Because) -> Option<String> {
        match because {
            Because::CompletedElsewhere => {
                let by = self.accepted_by.as_deref().map(|by| format!(";ms-acceptedby=\"sip:{by}\""));
                let by = by.unwrap_or_default();
                Some(format!("SIP;cause=200;text=\"Call completed elsewhere\"{by}"))
            }
            Because::DeclinedElsewhere => Some("SIP;cause=603;text=\"Declined elsewhere\"".to_owned()),
            Because::CallerCancelled => self.cancel_reason.clone(),
            Because::TimedOut => Some("SIP;cause=408;text=\"Nobody answered\"".to_owned()),
            Because::Forwarded => Some("SIP;cause=302;text=\"Call forwarded\"".to_owned()),
        }
    }
}
