//! What the steps of a subscription demand of its notifier.

use std::time::{Duration, Instant};

use super::step::{self, Effect, State, Trigger};
use super::{Notifier, Reason, WatcherId};
use crate::headers::HeaderName;
use crate::method::Method;

impl Notifier {
    pub(super) fn step(&mut self, now: Instant, id: WatcherId, trigger: Trigger) {
        let Some(watcher) = self.watchers.get_mut(&id) else { return };
        let (next, effects) = step::step(watcher.state, trigger);
        watcher.state = next;
        let best_effort = watcher.best_effort;
        let mut sent = false;
        for effect in effects {
            match effect {
                Effect::StartExpiry => self.deadlines.start(id, now + self.granted(id)),
                Effect::StopExpiry => self.deadlines.stop(&id),
                Effect::Notify => {
                    self.notify(now, id, None);
                    sent = true;
                }
                Effect::NotifyLast => {
                    let reason = self.watchers.get(&id).map(|watcher| watcher.reason);
                    self.notify(now, id, reason);
                    sent = true;
                }
                Effect::ReportEnded => {
                    if let Some(watcher) = self.watchers.get(&id) {
                        self.ended.push_back((id, watcher.reason));
                    }
                }
            }
        }
        if next == State::Terminated
            && let Some(gone) = self.watchers.remove(&id)
        {
            self.by_dialog.remove(&gone.key);
        } else if sent && best_effort {
            // MS-SIPRE 3.4: BENOTIFY is never answered.
            self.step(now, id, Trigger::Accepted);
        }
    }

    fn granted(&self, id: WatcherId) -> Duration {
        self.watchers.get(&id).map_or(Duration::ZERO, |watcher| watcher.granted)
    }

    fn notify(&mut self, now: Instant, id: WatcherId, last: Option<Reason>) {
        let Some(watcher) = self.watchers.get_mut(&id) else { return };
        let method = if watcher.best_effort { Method::BeNotify } else { Method::Notify };
        if last.is_none() && watcher.extends {
            watcher.until = now + watcher.granted;
            self.deadlines.start(id, watcher.until);
        }
        let mut request = watcher.dialog.request(&method);
        let headers = &mut request.headers;
        headers.push(HeaderName::Event, &watcher.package);
        headers.push(HeaderName::Contact, &self.config.contact);
        if let Some(reason) = last {
            headers
                .push(HeaderName::SubscriptionState, format_args!("terminated;reason={}", reason.as_str()));
        } else {
            let left = watcher.until.saturating_duration_since(now).as_secs();
            headers.push(HeaderName::SubscriptionState, format_args!("active;expires={left}"));
        }
        if !watcher.notification.body.is_empty() {
            headers.push(HeaderName::ContentType, &watcher.notification.content_type);
            request.body = watcher.notification.body.clone();
        }
        self.transmits.push_back((watcher.flow, request));
    }
}
