//! The notifier of a simulator or a test bench: who watches what, until when, and what they are told.
//!
//! An [`Endpoint`](crate::Endpoint) whose `Config::server` is on hands SUBSCRIBE out; what [`Notifier::subscribe`] says goes
//! back through `Endpoint::respond`, and what [`Notifier::poll_transmit`] gives goes out through `Endpoint::notify`:
//!
//! ```
//! use std::time::Instant;
//! use sip_lync::notifier::{Notification, Notifier, NotifierConfig};
//! use sip_lync::{FlowId, Message, Method, Seed};
//!
//! let text = "SUBSCRIBE sip:jim@example.net SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK1\r\n\
//!     From: <sip:jim@example.net>;tag=1;epid=01\r\nTo: <sip:jim@example.net>\r\nCall-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\n\
//!     Contact: <sip:192.0.2.10:40001>\r\nEvent: vnd-microsoft-roaming-self\r\nSupported: ms-benotify\r\n\
//!     Supported: ms-piggyback-first-notify\r\nContent-Length: 0\r\n\r\n";
//! let Message::Request(request) = Message::parse(text.into())? else { panic!() };
//! let now = Instant::now();
//! let mut notifier = Notifier::new(NotifierConfig::new(["vnd-microsoft-roaming-self"]), Seed([7; 32]));
//! let first = Notification::new("application/vnd-microsoft-roaming-self+xml", "<roamingData/>");
//! let answer = notifier.subscribe(now, FlowId(1), &request, Some(first));
//! assert_eq!(&answer.body[..], b"<roamingData/>", "the first notification rides on the 200");
//! let id = answer.subscription.expect("a subscription");
//! notifier.change(now, id, Notification::new("application/vnd-microsoft-roaming-self+xml", "<news/>"));
//! let (flow, request) = notifier.poll_transmit().expect("the second one");
//! assert_eq!((flow, request.method), (FlowId(1), Method::BeNotify));
//! # Ok::<(), sip_lync::ParseError>(())
//! ```
//!
//! What it tells is a state: NOTIFY goes one at a time, and of several changes meanwhile the subscriber hears the last
//! (RFC 6665 4.2.2). It is not for documents that tell differences, of which none may be left out: categories of
//! enhanced presence, rosters of conferences with consecutive versions (RFC 4575 4.4). A front end whose subscribers get
//! those keeps its own list and sends each document, as the one of the simulators does.

pub mod step;
mod telling;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::deadlines::Deadlines;
use crate::dialog::Dialog;
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers};
use crate::message::Request;
use crate::method::Method;
use crate::seed::{Seed, Words};
use crate::status::StatusCode;

use step::{State, Trigger};

/// A subscription of somebody.
///
/// RFC 6665 4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(u64);

/// What a notifier grants.
///
/// RFC 6665 4.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NotifierConfig {
    /// The event packages; others are refused with 489.
    pub packages: Vec<String>,
    /// The life of a subscription that asks for none.
    pub default_expires: Duration,
    /// The shortest life that is granted; less is refused with 423.
    pub least_expires: Duration,
    /// The longest.
    pub longest_expires: Duration,
    /// Subscriptions at most; beyond it 503.
    pub subscriptions: usize,
    /// The Contact of responses and notifications.
    pub contact: String,
}

impl NotifierConfig {
    /// A notifier of these packages.
    ///
    /// RFC 6665 4.2
    #[must_use]
    pub fn new<'a>(packages: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            packages: packages.into_iter().map(str::to_owned).collect(),
            default_expires: Duration::from_hours(1),
            least_expires: Duration::from_mins(1),
            longest_expires: Duration::from_hours(8),
            subscriptions: 200_000,
            contact: "<sip:notifier.invalid>".to_owned(),
        }
    }
}

/// What subscribers are told.
///
/// RFC 6665 4.2.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notification {
    /// The media type; empty when there is no body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl Notification {
    /// A notification with a body.
    ///
    /// RFC 6665 4.2.2
    #[must_use]
    pub fn new(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.to_owned(), body: body.into() }
    }
}

/// What a SUBSCRIBE is answered.
///
/// RFC 6665 4.2.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Header fields of the response, To with its tag among them.
    pub headers: Headers,
    /// The notification that rides on it.
    pub body: Bytes,
    /// The subscription, if there is one now.
    pub subscription: Option<WatcherId>,
}

/// Why a subscription is over.
///
/// RFC 6665 4.1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The subscriber wished it.
    Unsubscribed,
    /// It was not refreshed.
    Timeout,
    /// The notifier moves: the subscriber is to come again at once.
    Deactivated,
    /// The user does not let it be watched.
    Rejected,
    /// What was watched is gone.
    NoResource,
    /// The subscriber did not take a notification, or its connection broke.
    Lost,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed | Self::Timeout => "timeout",
            Self::Deactivated => "deactivated",
            Self::Rejected => "rejected",
            Self::NoResource => "noresource",
            Self::Lost => "giveup",
        }
    }
}

#[derive(Clone, Debug)]
struct Watcher {
    flow: FlowId,
    package: Box<str>,
    dialog: Dialog,
    key: Key,
    state: State,
    until: Instant,
    granted: Duration,
    /// BENOTIFY, which is not answered.
    best_effort: bool,
    /// Each notification makes it last again.
    extends: bool,
    notification: Notification,
    reason: Reason,
}

/// Call-ID, our tag, the subscriber's tag.
type Key = (Box<str>, Box<str>, Box<str>);

/// Who watches what.
///
/// RFC 6665 4.2
#[derive(Clone, Debug)]
pub struct Notifier {
    config: NotifierConfig,
    words: Words,
    watchers: BTreeMap<WatcherId, Watcher>,
    by_dialog: BTreeMap<Key, WatcherId>,
    deadlines: Deadlines<WatcherId>,
    next: u64,
    transmits: VecDeque<(FlowId, Request)>,
    ended: VecDeque<(WatcherId, Reason)>,
}

impl Notifier {
    /// A notifier nobody watches.
    ///
    /// RFC 6665 4.2
    #[must_use]
    pub const fn new(config: NotifierConfig, seed: Seed) -> Self {
        Self {
            config,
            words: Words::new(seed),
            watchers: BTreeMap::new(),
            by_dialog: BTreeMap::new(),
            deadlines: Deadlines::new(),
            next: 0,
            transmits: VecDeque::new(),
            ended: VecDeque::new(),
        }
    }

    /// Answers a SUBSCRIBE: a new one with what there is to tell, a refresh, or the end.
    ///
    /// RFC 6665 4.2.1
    pub fn subscribe(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        notification: Option<Notification>,
    ) -> Answer {
        self.subscribed(now, flow, request, notification).unwrap_or_else(|refusal| *refusal)
    }

    fn subscribed(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        notification: Option<Notification>,
    ) -> Result<Answer, Box<Answer>> {
        let headers = &request.headers;
        let package = headers.event().ok().flatten().map(|event| event.package).unwrap_or_default();
        let known = self.config.packages.iter().find(|known| known.eq_ignore_ascii_case(&package)).cloned();
        let Some(package) = known else {
            let mut refusal = refuse(StatusCode::BAD_EVENT);
            refusal.headers.push(HeaderName::AllowEvents, self.config.packages.join(", "));
            return Err(refusal);
        };
        let asked = headers.expires().ok().flatten().map(|seconds| Duration::from_secs(seconds.into()));
        if asked.is_some_and(|asked| !asked.is_zero() && asked < self.config.least_expires) {
            let mut refusal = refuse(StatusCode::INTERVAL_TOO_BRIEF);
            refusal.headers.push(HeaderName::MinExpires, self.config.least_expires.as_secs());
            return Err(refusal);
        }
        let granted = asked.unwrap_or(self.config.default_expires).min(self.config.longest_expires);
        let supports = |tag: &str| headers.supported().is_ok_and(|options| options.contains(tag));
        let id = self.find_or_add(now, flow, request, &package)?;
        let Some(watcher) = self.watchers.get_mut(&id) else { return Err(refuse(StatusCode::BAD_REQUEST)) };
        watcher.flow = flow;
        watcher.granted = granted;
        watcher.until = now + granted;
        watcher.best_effort = supports("ms-benotify");
        watcher.extends = supports("com.microsoft.autoextend");
        watcher.dialog.refresh_target(headers);
        if let Some(notification) = notification {
            watcher.notification = notification;
        }
        let piggyback = supports("ms-piggyback-first-notify");
        let mut answer = refuse(StatusCode::OK);
        let to = watcher.dialog.local().to_owned();
        let headers = &mut answer.headers;
        headers.push(HeaderName::To, to);
        headers.push(HeaderName::Contact, &self.config.contact);
        headers.push(HeaderName::Expires, granted.as_secs());
        headers.push(HeaderName::Event, &package);
        for (wanted, tag) in [
            (piggyback, "ms-piggyback-first-notify"),
            (watcher.best_effort, "ms-benotify"),
            (watcher.extends, "com.microsoft.autoextend"),
        ] {
            if wanted {
                headers.push(HeaderName::Supported, tag);
            }
        }
        if piggyback {
            let number = watcher.dialog.request(&Method::Notify);
            let number = number.headers.cseq().ok().flatten().map_or(1, |cseq| cseq.number);
            let state = if granted.is_zero() { "terminated" } else { "active" };
            headers
                .push(HeaderName::SubscriptionState, format_args!("{state};expires={}", granted.as_secs()));
            headers.push(HeaderName::MsPiggybackCSeq, number);
            if !watcher.notification.body.is_empty() {
                headers.push(HeaderName::ContentType, &watcher.notification.content_type);
                answer.body = watcher.notification.body.clone();
            }
        }
        answer.subscription = Some(id);
        if granted.is_zero() {
            watcher.reason = Reason::Unsubscribed;
            if piggyback {
                // The last notification went with the response.
                self.step(now, id, Trigger::FlowLost);
            } else {
                self.step(now, id, Trigger::End);
            }
        } else if piggyback {
            self.step(now, id, Trigger::SubscribePiggybacked);
        } else {
            self.step(now, id, Trigger::Subscribe);
        }
        Ok(*answer)
    }

    fn find_or_add(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        package: &str,
    ) -> Result<WatcherId, Box<Answer>> {
        let headers = &request.headers;
        let to = headers.to().ok().flatten().ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
        if let Some(ours) = to.tag() {
            let from = headers.from_().ok().flatten();
            let theirs = from.as_ref().and_then(|from| from.tag()).unwrap_or_default();
            let key =
                (headers.get(&HeaderName::CallId).unwrap_or_default().into(), ours.into(), theirs.into());
            let found = self.by_dialog.get(&key).copied();
            let number = headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
            let watcher = found.and_then(|id| Some((id, self.watchers.get_mut(&id)?)));
            let standing = watcher.filter(|(_, of)| &*of.package == package && of.state != State::Ending);
            let Some((id, watcher)) = standing else {
                return Err(refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST));
            };
            let in_order = watcher.dialog.accept(number);
            return if in_order { Ok(id) } else { Err(refuse(StatusCode::SERVER_INTERNAL_ERROR)) };
        }
        if self.watchers.len() >= self.config.subscriptions {
            let mut refusal = refuse(StatusCode::SERVICE_UNAVAILABLE);
            refusal.headers.push(HeaderName::RetryAfter, 60);
            return Err(refusal);
        }
        let dialog = Dialog::of_callee(request, &self.words.tag());
        let dialog = dialog.ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
        self.next += 1;
        let id = WatcherId(self.next);
        let of = dialog.id();
        let key: Key = (of.call_id.clone(), of.local_tag.clone(), of.remote_tag.clone());
        self.by_dialog.insert(key.clone(), id);
        let watcher = Watcher {
            flow,
            package: package.into(),
            dialog,
            key,
            state: State::Told,
            until: now,
            granted: Duration::ZERO,
            best_effort: false,
            extends: false,
            notification: Notification::default(),
            reason: Reason::Lost,
        };
        self.watchers.insert(id, watcher);
        Ok(id)
    }

    /// There is something new to tell.
    ///
    /// RFC 6665 4.2.2
    pub fn change(&mut self, now: Instant, id: WatcherId, notification: Notification) {
        let Some(watcher) = self.watchers.get_mut(&id) else { return };
        watcher.notification = notification;
        self.step(now, id, Trigger::Change);
    }

    /// Ends a subscription.
    ///
    /// RFC 6665 4.2.2
    pub fn end(&mut self, now: Instant, id: WatcherId, reason: Reason) {
        let Some(watcher) = self.watchers.get_mut(&id) else { return };
        watcher.reason = reason;
        self.step(now, id, Trigger::End);
    }

    /// A NOTIFY was answered, or nobody answered it. A response that does not end the subscription counts as taken.
    ///
    /// RFC 6665 4.2.2
    pub fn responded(&mut self, now: Instant, request: &Request, status: Option<StatusCode>) {
        let Some(id) = self.of_notification(request) else { return };
        let gone = match status.map(StatusCode::code) {
            None => true,
            Some(code) => matches!(code, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604),
        };
        if let Some(watcher) = self.watchers.get_mut(&id).filter(|watcher| watcher.state != State::Ending) {
            watcher.reason = Reason::Lost;
        }
        self.step(now, id, if gone { Trigger::Refused } else { Trigger::Accepted });
    }

    fn of_notification(&self, request: &Request) -> Option<WatcherId> {
        let headers = &request.headers;
        let (from, to) = (headers.from_().ok().flatten()?, headers.to().ok().flatten()?);
        let key = (
            headers.get(&HeaderName::CallId)?.into(),
            from.tag()?.into(),
            to.tag().unwrap_or_default().into(),
        );
        self.by_dialog.get(&key).copied()
    }

    /// A connection is gone, and who watched over it.
    ///
    /// RFC 6665 4.2
    pub fn flow_closed(&mut self, now: Instant, flow: FlowId) {
        let lost: Vec<WatcherId> =
            self.watchers.iter().filter(|(_, of)| of.flow == flow).map(|(id, _)| *id).collect();
        for id in lost {
            self.step(now, id, Trigger::FlowLost);
        }
    }

    /// Ends what was not refreshed.
    ///
    /// RFC 6665 4.2.2
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.deadlines.pop(now) {
            if let Some(watcher) = self.watchers.get_mut(&id) {
                watcher.reason = Reason::Timeout;
            }
            self.step(now, id, Trigger::End);
        }
    }

    /// When [`Self::handle_timeout`] is to be called.
    ///
    /// RFC 6665 4.2.2
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next notification and its connection; it lacks only its Via.
    ///
    /// RFC 6665 4.2.2
    pub fn poll_transmit(&mut self) -> Option<(FlowId, Request)> {
        self.transmits.pop_front()
    }

    /// The next subscription that is over, and why.
    ///
    /// RFC 6665 4.2
    pub fn poll_ended(&mut self) -> Option<(WatcherId, Reason)> {
        self.ended.pop_front()
    }

    /// Where a subscription stands; one that is forgotten is terminated.
    ///
    /// RFC 6665 4.2
    #[must_use]
    pub fn state(&self, id: WatcherId) -> State {
        self.watchers.get(&id).map_or(State::Terminated, |watcher| watcher.state)
    }

    /// How many subscriptions there are.
    ///
    /// RFC 6665 4.2
    #[must_use]
    pub fn len(&self) -> usize {
        self.watchers.len()
    }

    /// Whether nobody watches.
    ///
    /// RFC 6665 4.2
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }
}

fn refuse(status: StatusCode) -> Box<Answer> {
    Box::new(Answer { status, headers: Headers::new(), body: Bytes::new(), subscription: None })
}
