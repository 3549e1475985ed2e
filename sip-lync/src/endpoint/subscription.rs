//! The subscriptions of all users: what the pure steps of [`crate::subscribe`] demand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::event::{Event, SubscriptionEnd};
use super::step::PATIENCE;
use super::vocabulary::{Rendering, SubscriptionId, UserId};
use super::{Deadline, Endpoint, Purpose, identity};
use crate::dialog::Dialog;
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::{HeaderName, SubscriptionState};
use crate::message::Request;
use crate::method::Method;
use crate::subscribe::{self, Effect, Report, State, Trigger};
use crate::uri::Uri;

/// What is to be subscribed to.
///
/// RFC 6665 4.1, MS-SIPRE 3.4
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// The event package: `vnd-microsoft-roaming-self`, `presence`, `message-summary`, …
    pub package: String,
    /// Request-URI and To.
    pub target: Uri,
    /// The media types that are understood.
    pub accept: String,
    /// How long; nothing fetches once, `None` leaves it to the notifier.
    pub expires: Option<Duration>,
    /// Ask for BENOTIFY, for the first notification in the 2xx, and for a subscription that each of them prolongs.
    pub dialect: bool,
    /// What a `Require` header field demands of the notifier, such as `adhoclist, categoryList`.
    pub require: Option<String>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The filter or the list.
    pub body: Bytes,
}

impl Subscription {
    /// A subscription without a body, in the dialect of Lync.
    ///
    /// RFC 6665 4.1
    #[must_use]
    pub fn new(package: &str, target: Uri, accept: &str) -> Self {
        Self {
            package: package.to_owned(),
            target,
            accept: accept.to_owned(),
            expires: None,
            dialect: true,
            require: None,
            content_type: None,
            body: Bytes::new(),
        }
    }

    /// One with a body; its type is accepted, too.
    ///
    /// RFC 6665 4.1
    #[must_use]
    pub fn with_body(package: &str, target: Uri, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            content_type: Some(content_type.to_owned()),
            body: body.into(),
            ..Self::new(package, target, content_type)
        }
    }
}

/// A subscription under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscribed {
    pub(super) user: UserId,
    pub(super) flow: FlowId,
    pub(super) wanted: Subscription,
    pub(super) state: State,
    pub(super) call_id: Box<str>,
    pub(super) tag: Box<str>,
    pub(super) cseq: u32,
    pub(super) dialog: Option<Dialog>,
    /// Our SUBSCRIBE without its body, until its dialog stands.
    pub(super) sent: Option<Box<Request>>,
    pub(super) granted: Duration,
    pub(super) retry_after: Option<Duration>,
    pub(super) failures: u32,
    /// The number of the last notification.
    pub(super) notified: Option<u32>,
    /// How often in a row the notifier found the life too short.
    pub(super) lengthened: u8,
    /// The SUBSCRIBE that ends it was sent.
    pub(super) parting: bool,
}

/// All subscriptions, and whose notifications they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions {
    pub(super) by_id: BTreeMap<SubscriptionId, Subscribed>,
    pub(super) by_call: BTreeMap<Box<str>, SubscriptionId>,
    next: u32,
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn of_flow(&self, flow: FlowId) -> Vec<SubscriptionId> {
        self.by_id.iter().filter(|(_, of)| of.flow == flow).map(|(id, _)| *id).collect()
    }

    pub(super) fn of_user(&self, user: UserId) -> Vec<SubscriptionId> {
        self.by_id.iter().filter(|(_, of)| of.user == user).map(|(id, _)| *id).collect()
    }
}

/// What came with a notification.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) state: Option<SubscriptionState>,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
    pub(super) piggybacked: bool,
}

impl Endpoint {
    /// Subscribes a user. It is refreshed, and made anew when the notifier asks for that, until [`Self::unsubscribe`].
    ///
    /// RFC 6665 4.1.2
    pub fn subscribe(
        &mut self,
        now: Instant,
        user: UserId,
        wanted: Subscription,
    ) -> Result<SubscriptionId, Error> {
        self.begin(now);
        let flow = self.flow_of(user)?;
        let of_user = self.subscriptions.by_id.values().filter(|of| of.user == user).count();
        if of_user >= self.config.limits.subscriptions_per_user {
            return Err(Error::Refused(Refusal::TooManySubscriptions));
        }
        self.subscriptions.next = self.subscriptions.next.wrapping_add(1);
        let id = SubscriptionId(self.subscriptions.next);
        let call_id: Box<str> = self.words.call_id().into();
        self.subscriptions.by_call.insert(call_id.clone(), id);
        let subscribed = Subscribed {
            user,
            flow,
            wanted,
            state: State::Subscribing,
            call_id,
            tag: self.words.tag().into(),
            cseq: 0,
            dialog: None,
            sent: None,
            granted: Duration::ZERO,
            retry_after: None,
            failures: 0,
            notified: None,
            lengthened: 0,
            parting: false,
        };
        self.subscriptions.by_id.insert(id, subscribed);
        self.send_subscribe(now, id, None);
        Ok(id)
    }

    /// Ends a subscription.
    ///
    /// RFC 6665 4.1.2.3
    pub fn unsubscribe(&mut self, now: Instant, subscription: SubscriptionId) {
        self.begin(now);
        self.subscription_step(now, subscription, Trigger::Unsubscribe, None);
    }

    /// Where a subscription stands; one that is forgotten is terminated.
    ///
    /// RFC 6665 4.1
    #[must_use]
    pub fn subscription(&self, subscription: SubscriptionId) -> State {
        self.subscriptions.by_id.get(&subscription).map_or(State::Terminated, |of| of.state)
    }

    pub(super) fn subscription_step(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        trigger: Trigger,
        notice: Option<&Notice>,
    ) {
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        let (next, effects) = subscribe::step(subscribed.state, trigger);
        subscribed.state = next;
        for effect in effects {
            match effect {
                Effect::SendSubscribe => self.send_subscribe(now, id, None),
                Effect::SendUnsubscribe => {
                    // From now on every acceptance is of the end.
                    if let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) {
                        subscribed.parting = true;
                    }
                    self.send_subscribe(now, id, Some(Duration::ZERO));
                }
                Effect::NewDialog => self.new_subscription_dialog(id),
                Effect::StartRefresh => self.start_subscription_refresh(now, id),
                Effect::StartRetry => self.start_subscription_retry(now, id),
                Effect::StartPatience => {
                    self.deadlines.start(Deadline::Subscription(id), now + PATIENCE);
                }
                Effect::StopTimers => self.deadlines.stop(&Deadline::Subscription(id)),
                Effect::Report(report) => self.report_subscription(now, id, *report, notice),
            }
        }
        if next == State::Terminated
            && let Some(gone) = self.subscriptions.by_id.remove(&id)
        {
            self.subscriptions.by_call.remove(&gone.call_id);
            self.deadlines.stop(&Deadline::Subscription(id));
        }
    }

    pub(super) fn report_subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        report: Report,
        notice: Option<&Notice>,
    ) {
        let Some(subscribed) = self.subscriptions.by_id.get(&id) else { return };
        let user = subscribed.user;
        let end = match report {
            Report::Subscribed => {
                let expires = subscribed.granted;
                // Of a conference the roster is told, not how it comes here.
                if self.roster_ended(id, false) {
                    return;
                }
                self.events.push_back(Event::Subscribed { subscription: id, user, expires });
                return;
            }
            Report::Notified => {
                if let Some(notice) = notice
                    && !self.on_roster(now, id, &notice.body)
                {
                    self.events.push_back(Event::SubscriptionNotified {
                        subscription: id,
                        user,
                        content_type: notice.content_type.clone(),
                        body: notice.body.clone(),
                        piggybacked: notice.piggybacked,
                    });
                }
                return;
            }
            Report::Interrupted => SubscriptionEnd::Interrupted,
            Report::Over => SubscriptionEnd::Over,
            Report::Refused => SubscriptionEnd::Refused,
            Report::Silent => SubscriptionEnd::Silent,
            Report::FlowLost => SubscriptionEnd::FlowLost,
        };
        if self.roster_ended(id, end != SubscriptionEnd::Interrupted) {
            return;
        }
        let reason = notice
            .and_then(|notice| notice.state.as_ref())
            .and_then(SubscriptionState::reason)
            .map(str::to_owned);
        self.events.push_back(Event::SubscriptionEnded { subscription: id, user, end, reason });
    }

    fn new_subscription_dialog(&mut self, id: SubscriptionId) {
        let call_id: Box<str> = self.words.call_id().into();
        let tag: Box<str> = self.words.tag().into();
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        self.subscriptions.by_call.remove(&subscribed.call_id);
        self.subscriptions.by_call.insert(call_id.clone(), id);
        subscribed.call_id = call_id;
        subscribed.tag = tag;
        subscribed.dialog = None;
        subscribed.notified = None;
    }

    pub(super) fn start_subscription_refresh(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        subscribed.failures = 0;
        let granted = subscribed.granted;
        // Two minutes before the end as the clients of the dialect do; spread so that users do not come together.
        let latest = if granted > Duration::from_mins(4) {
            granted.saturating_sub(Duration::from_mins(2))
        } else {
            granted * 3 / 4
        };
        let wait = self.words.between(latest * 9 / 10, latest);
        self.deadlines.start(Deadline::Subscription(id), now + wait);
    }

    fn start_subscription_retry(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        let factor = 1_u32 << subscribed.failures.min(10);
        subscribed.failures = subscribed.failures.saturating_add(1);
        let pause = if let Some(asked) = subscribed.retry_after.take() {
            self.words.between(asked, asked + asked / 10)
        } else {
            let pause = self.config.retry_lowest.saturating_mul(factor).min(self.config.retry_highest);
            self.words.between(pause / 2, pause)
        };
        self.deadlines.start(Deadline::Subscription(id), now + pause);
    }

    pub(super) fn subscription_due(&mut self, now: Instant, id: SubscriptionId) {
        let trigger = match self.subscription(id) {
            State::Active => Trigger::RefreshDue,
            State::Waiting => Trigger::RetryDue,
            State::Subscribing | State::Refreshing | State::Unsubscribing => Trigger::RefusedForNow,
            State::Fetching | State::Terminated => Trigger::PatienceOver,
        };
        self.subscription_step(now, id, trigger, None);
    }

    fn send_subscribe(&mut self, now: Instant, id: SubscriptionId, expires: Option<Duration>) {
        let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) else { return };
        let (flow, user) = (subscribed.flow, subscribed.user);
        let Some(account) = self.accounts.get(user) else { return };
        let mut request = if let Some(dialog) = &mut subscribed.dialog {
            dialog.request(&Method::Subscribe)
        } else {
            subscribed.cseq += 1;
            let mut request = Request::new(Method::Subscribe, subscribed.wanted.target.clone());
            let headers = &mut request.headers;
            headers.push_text(&HeaderName::MaxForwards, "70");
            headers
                .push_text(&HeaderName::From, &identity::from(&self.config, &account.user, &subscribed.tag));
            headers.push(HeaderName::To, format_args!("<{}>", subscribed.wanted.target));
            headers.push_text(&HeaderName::CallId, &subscribed.call_id);
            headers.push(HeaderName::CSeq, format_args!("{} SUBSCRIBE", subscribed.cseq));
            request
        };
        let wanted = &subscribed.wanted;
        let headers = &mut request.headers;
        headers.push_text(&HeaderName::Event, &wanted.package);
        headers.push_text(&HeaderName::Accept, &wanted.accept);
        if wanted.dialect {
            headers.push_text(&HeaderName::Supported, "com.microsoft.autoextend");
            headers.push_text(&HeaderName::Supported, "ms-benotify");
            headers.push_text(&HeaderName::ProxyRequire, "ms-benotify");
            headers.push_text(&HeaderName::Supported, "ms-piggyback-first-notify");
        }
        if let Some(require) = &wanted.require {
            headers.push(HeaderName::Require, require);
        }
        if let Some(expires) = expires.or(wanted.expires) {
            headers.push(HeaderName::Expires, expires.as_secs());
        }
        identity::push_identity(headers, &self.config, &account.user);
        // The list goes with every SUBSCRIBE but the one that ends it.
        if let Some(content_type) = wanted.content_type.as_ref().filter(|_| expires.is_none()) {
            headers.push(HeaderName::ContentType, content_type);
            request.body = wanted.body.clone();
        }
        self.push_contact(&mut request.headers, flow, user, Rendering::Yes);
        match self.send_request(now, flow, request.clone()) {
            Ok(client) => {
                self.purposes.insert(client, Purpose::Subscribe(id));
                request.body = Bytes::new();
                if let Some(subscribed) = self.subscriptions.by_id.get_mut(&id) {
                    subscribed.sent = Some(Box::new(request));
                }
            }
            // The flow is full: as if nobody had answered.
            Err(_) => self.deadlines.start(Deadline::Subscription(id), now),
        }
    }
}
