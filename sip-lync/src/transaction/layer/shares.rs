//! Who has how many transactions of a flow that many share: one peer that floods leaves room for the others.
//!
//! Over the one connection of a trusted server come the requests of everybody who calls one of its users. As long as less
//! than half of the transactions that a flow may have are under way, nothing is counted. Beyond that each peer, which is
//! who From names, may have its share, and the rest of the room is for others.

use std::collections::BTreeMap;

use super::{Kept, ServerId, TransactionLayer};
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::Request;

/// One peer may have one in so many of the transactions of a flow that is more than half full.
const SHARES: usize = 16;

/// How many transactions each peer has under way on a flow.
pub(super) type Shares = BTreeMap<Box<str>, usize>;

impl TransactionLayer {
    /// Whether the sender of a request has its share already. It may always end what it has begun: `ends`, with CANCEL.
    pub(super) fn has_its_share(&mut self, flow: FlowId, request: &Request, ends: Option<ServerId>) -> bool {
        if ends.is_some() {
            return false;
        }
        if !self.shares.contains_key(&flow) {
            let counted = self.count_shares(flow);
            self.shares.insert(flow, counted);
        }
        let share = (self.limit / SHARES).max(1);
        let peer = peer_of(&request.headers);
        self.shares.get(&flow).and_then(|shares| shares.get(&peer)).is_some_and(|open| *open >= share)
    }

    fn count_shares(&self, flow: FlowId) -> Shares {
        let mut shares = Shares::new();
        for server in self.servers_of(flow).filter_map(|id| self.servers.get(id.0)) {
            *shares.entry(sender_of(&server.kept)).or_default() += 1;
        }
        shares
    }

    /// A transaction began.
    pub(super) fn share_taken(&mut self, flow: FlowId, request: &Request) {
        if let Some(shares) = self.shares.get_mut(&flow) {
            *shares.entry(peer_of(&request.headers)).or_default() += 1;
        }
    }

    /// A transaction ended, and so many are left; below a quarter of the room nothing is counted any more.
    pub(super) fn share_given_back(&mut self, flow: FlowId, kept: &Kept, left: usize) {
        if left < self.limit / 4 {
            self.shares.remove(&flow);
            return;
        }
        let Some(shares) = self.shares.get_mut(&flow) else { return };
        let peer = sender_of(kept);
        if let Some(open) = shares.get_mut(&peer) {
            *open -= 1;
            if *open == 0 {
                shares.remove(&peer);
            }
        }
    }
}

fn peer_of(headers: &Headers) -> Box<str> {
    headers.get(&HeaderName::From).map(peer_key).unwrap_or_default()
}

/// The peer whose request it is what is kept of.
pub(super) fn sender_of(kept: &Kept) -> Box<str> {
    match kept {
        Kept::Sender(sender) => sender.clone().unwrap_or_default(),
        Kept::Request(_) | Kept::Repeated(_) => kept.headers().map(peer_of).unwrap_or_default(),
    }
}

/// Who a From or To names: user and host without regard to case. All whose address cannot be read are one.
pub(crate) fn peer_key(address: &str) -> Box<str> {
    let Ok(address) = NameAddrView::parse(address) else { return Box::default() };
    let mut key = match address.sip_uri() {
        Ok(uri) => [uri.user().unwrap_or_default(), "@", uri.host()].concat(),
        Err(_) => address.uri.to_owned(),
    };
    key.make_ascii_lowercase();
    key.into()
}
