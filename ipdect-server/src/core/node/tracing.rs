//! The message ladder of the node: drawn only while somebody looks.

use std::time::Instant;

use super::super::radio::Dlei;
use super::super::trace;
use super::super::vocabulary::{Effect, LadderStep, Lane};
use super::Node;

impl Node {
    /// The SIP messages of one read or write.
    pub(super) fn trace_sip(&mut self, now: Instant, from: Lane, to: Lane, bytes: &[u8]) {
        if !self.tracing {
            return;
        }
        for arrow in trace::messages(bytes).filter_map(trace::sip) {
            let ours =
                |user: &&String| self.subscribers.iter().any(|subscriber| subscriber.user.username == **user);
            let handset = arrow.users.iter().find(ours).cloned();
            self.arrow(now, from, to, handset, arrow.label, arrow.detail);
        }
    }

    /// A message of the DECT network layer.
    pub(super) fn trace_dect(&mut self, now: Instant, from: Lane, to: Lane, link: Dlei, sdu: &[u8]) {
        if self.tracing {
            let (label, ipei) = trace::dect(sdu);
            let named =
                ipei.and_then(|ipei| self.subscribers.of_ipei(ipei)).and_then(|id| self.subscribers.get(id));
            if let Some(subscriber) = named {
                self.traced.insert(link, subscriber.user.username.clone());
            }
            let handset = self.traced.get(&link).cloned();
            self.arrow(now, from, to, handset, label, String::new());
        }
    }

    /// Anything else worth an arrow.
    pub(super) fn trace_step(&mut self, now: Instant, from: Lane, to: Lane, label: &str, detail: String) {
        if self.tracing {
            self.arrow(now, from, to, None, label.to_owned(), detail);
        }
    }

    fn arrow(
        &mut self,
        now: Instant,
        from: Lane,
        to: Lane,
        handset: Option<String>,
        label: String,
        detail: String,
    ) {
        let step = LadderStep { at_ms: self.at_ms(now), from, to, handset, label, detail };
        self.effects.push_back(Effect::Trace(step));
    }
}
