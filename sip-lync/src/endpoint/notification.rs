//! What notifiers say: responses to SUBSCRIBE, with the first notification in them, NOTIFY and BENOTIFY.

use std::time::{Duration, Instant};

use super::Endpoint;
use super::registration_response::LENGTHENINGS;
use super::subscription::Notice;
use super::vocabulary::{SubscriptionId, UserId};
use crate::dialog::Dialog;
use crate::flow::FlowId;
use crate::headers::{HeaderName, SubscriptionStatus};
use crate::message::{Request, Response};
use crate::subscribe::{Report, State, Trigger};

impl Endpoint {
    /// A response to SUBSCRIBE, perhaps with the first notification in it.
    ///
    /// RFC 6665 4.1.2.1
    pub(super) fn on_subscribe_response(&mut self, now: Instant, id: SubscriptionId, response: &Response) {
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        let headers = &response.headers;
        match response.status.code() {
            100..=199 => {}
            200..=299 => self.subscription_accepted(now, id, response),
            423 => {
                let least =
                    headers.min_expires().ok().flatten().map(|least| Duration::from_secs(least.into()));
                let asked = subscribed.wanted.expires;
                let trigger = match least {
                    Some(least)
                        if subscribed.lengthened < LENGTHENINGS
                            && asked.is_none_or(|asked| asked < least) =>
                    {
                        subscribed.lengthened += 1;
                        subscribed.wanted.expires = Some(least.min(Duration::from_hours(24)));
                        Trigger::IntervalTooBrief
                    }
                    _ => Trigger::RefusedForGood,
                };
                self.subscription_step(now, id, trigger, None);
            }
            481 => self.subscription_step(now, id, Trigger::Gone, None),
            // A challenge outside of a login says that the association is gone: the registration sees to that.
            401 | 407 | 408 | 430 | 480 | 500 | 502..=504 => {
                let pause = headers.retry_after().ok().flatten().map(|after| after.seconds);
                subscribed.retry_after =
                    pause.map(|pause| Duration::from_secs(u64::from(pause).clamp(1, 86_400)));
                self.subscription_step(now, id, Trigger::RefusedForNow, None);
            }
            _ => self.subscription_step(now, id, Trigger::RefusedForGood, None),
        }
    }

    fn subscription_accepted(&mut self, now: Instant, id: SubscriptionId, response: &Response) {
        let headers = &response.headers;
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        match &mut subscribed.dialog {
            Some(dialog) => dialog.refresh_target(headers),
            dialog => {
                *dialog = subscribed.sent.take().and_then(|sent| Dialog::of_caller(&sent, response));
            }
        }
        let asked = subscribed.wanted.expires.map(|asked| asked.as_secs());
        let seconds = headers.expires().ok().flatten().map(u64::from).or(asked).unwrap_or(3600);
        let state = headers.subscription_state().ok().flatten();
        let terminated = state.as_ref().is_some_and(|state| state.status == SubscriptionStatus::Terminated);
        subscribed.granted = Duration::from_secs(seconds.clamp(10, 86_400));
        subscribed.lengthened = 0;
        // Whatever the notifier grants, what was ended is over.
        let parting = subscribed.parting;
        let piggyback = headers.piggyback_cseq().ok().flatten();
        if let Some(number) = piggyback {
            subscribed.notified = Some(number);
        }
        let notice = Notice {
            state,
            content_type: headers.get(&HeaderName::ContentType).map(str::to_owned),
            body: response.body.clone(),
            piggybacked: true,
        };
        if piggyback.is_some() {
            // Accepted first: the user hears of its subscription before what it says.
            let over = terminated || parting || seconds == 0;
            if over {
                self.report_subscription(now, id, Report::Notified, Some(&notice));
                self.subscription_step(now, id, Trigger::AcceptedOver, Some(&notice));
            } else {
                self.subscription_step(now, id, Trigger::Accepted, None);
                self.subscription_step(now, id, Trigger::Notified, Some(&notice));
            }
            return;
        }
        let trigger = if parting || seconds == 0 { Trigger::AcceptedFetch } else { Trigger::Accepted };
        self.subscription_step(now, id, trigger, None);
    }

    pub(super) fn on_subscribe_failure(&mut self, now: Instant, id: SubscriptionId, flow_lost: bool) {
        let trigger = if flow_lost { Trigger::FlowLost } else { Trigger::RefusedForNow };
        self.subscription_step(now, id, trigger, None);
    }

    /// The flow is gone, and with it the dialogs of its subscriptions.
    pub(super) fn subscriptions_lost(&mut self, now: Instant, flow: FlowId) {
        for id in self.subscriptions.of_flow(flow) {
            self.subscription_step(now, id, Trigger::FlowLost, None);
        }
    }

    /// The registrar had lost a user: its subscriptions are dead.
    ///
    /// MS-SIPREGE 3.1
    pub(super) fn subscriptions_of_user_lost(&mut self, now: Instant, user: UserId) {
        for id in self.subscriptions.of_user(user) {
            self.subscription_step(now, id, Trigger::FlowLost, None);
        }
    }

    /// A NOTIFY or BENOTIFY of a subscription of ours. `None`: it belongs to none; otherwise whether it is in order.
    ///
    /// RFC 6665 4.1.3
    pub(super) fn on_subscription_notice(&mut self, now: Instant, request: &Request) -> Option<bool> {
        let headers = &request.headers;
        let id = *self.subscriptions.by_call.get(headers.get(&HeaderName::CallId)?)?;
        let subscribed = self.subscriptions.by_id.get_mut(&id)?;
        let to = headers.to().ok().flatten()?;
        if to.tag() != Some(&*subscribed.tag) {
            return None;
        }
        // The package must be that of the subscription; what has none came from old servers.
        let package = headers.event().ok().flatten().map(|event| event.package);
        if package.is_some_and(|package| !package.eq_ignore_ascii_case(&subscribed.wanted.package)) {
            return None;
        }
        let number = headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
        if subscribed.notified.is_some_and(|last| number <= last) {
            return Some(false);
        }
        subscribed.notified = Some(number);
        if let Some(dialog) = &mut subscribed.dialog {
            dialog.refresh_target(headers);
        }
        let state = headers.subscription_state().ok().flatten();
        let trigger = match &state {
            Some(state) if state.status == SubscriptionStatus::Terminated => {
                let pause = state.parameters.get("retry-after").and_then(|pause| pause.parse().ok());
                match state.reason() {
                    // RFC 6665 4.1.3: at once, after the time named, or never.
                    Some("deactivated" | "timeout") => {
                        subscribed.retry_after = Some(Duration::from_secs(1));
                        Trigger::EndedAgain
                    }
                    Some("rejected" | "noresource" | "invariant") => Trigger::EndedForGood,
                    _ => {
                        subscribed.retry_after = pause.map(Duration::from_secs);
                        Trigger::EndedAgain
                    }
                }
            }
            Some(state) => {
                if let Some(seconds) = state.expires().filter(|seconds| *seconds > 0) {
                    subscribed.granted = Duration::from_secs(u64::from(seconds).clamp(10, 86_400));
                }
                Trigger::Notified
            }
            None => Trigger::Notified,
        };
        let prolongs = subscribed.wanted.dialect && subscribed.state == State::Active;
        let notice = Notice {
            state,
            content_type: headers.get(&HeaderName::ContentType).map(str::to_owned),
            body: request.body.clone(),
            piggybacked: false,
        };
        self.subscription_step(now, id, trigger, Some(&notice));
        // `com.microsoft.autoextend`: every notification prolongs.
        if prolongs && trigger == Trigger::Notified {
            self.start_subscription_refresh(now, id);
        }
        Some(true)
    }
}
