//! Subscriptions: a user's own data, and the presence of others. The first notification comes with the 200.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;
use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Method, Request, SipUri, Uri};

use super::envelope::{COOKIE, Envelope};
use super::respond::Refusal;
use super::{Event, FlowId, FrontEnd, address, provisioning, watching};

/// What a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Package {
    /// The user's contact list.
    RoamingContacts,
    /// The settings of the pool; answered once.
    Provisioning,
    /// What the user's endpoints published.
    RoamingSelf,
    /// The presence of others.
    Presence,
}

impl Package {
    fn of(event: &str) -> Option<Self> {
        let name = event.split(';').next().unwrap_or_default().trim();
        [Self::RoamingContacts, Self::Provisioning, Self::RoamingSelf, Self::Presence]
            .into_iter()
            .find(|package| package.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::RoamingContacts => "vnd-microsoft-roaming-contacts",
            Self::Provisioning => "vnd-microsoft-provisioning-v2",
            Self::RoamingSelf => "vnd-microsoft-roaming-self",
            Self::Presence => "presence",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::RoamingContacts => "application/vnd-microsoft-roaming-contacts+xml",
            Self::Provisioning => "application/vnd-microsoft-roaming-provisioning-v2+xml",
            Self::RoamingSelf => "application/vnd-microsoft-roaming-self+xml",
            Self::Presence => "application/msrtc-event-categories+xml",
        }
    }
}

/// What tells a subscription from others: the subscriber, its tag and Call-ID. Clients that started at the same moment
/// draw the same tags.
type Key = (String, String, String);

/// One subscription.
#[derive(Clone, Debug)]
struct Subscription {
    package: Package,
    flow: FlowId,
    /// `user@domain` of the subscriber.
    user: String,
    /// From of what is notified: To of the SUBSCRIBE with our tag.
    us: NameAddr,
    them: NameAddr,
    target: SipUri,
    number: u32,
    until: Instant,
    /// BENOTIFY, which is not answered.
    best_effort: bool,
    /// Whether each notification makes it last again.
    extended: Option<Duration>,
    watched: BTreeSet<String>,
}

/// All subscriptions.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions {
    open: BTreeMap<Key, Subscription>,
}

impl Subscriptions {
    pub(super) fn flow_lost(&mut self, flow: FlowId) {
        self.open.retain(|_, subscription| subscription.flow != flow);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.open.retain(|_, subscription| subscription.until > now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.open.values().map(|subscription| subscription.until).min()
    }
}

impl FrontEnd {
    /// SUBSCRIBE, new or inside its dialog (RFC 6665 4.2).
    pub(super) fn subscribe(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        let event = request.headers.get(&HeaderName::Event).unwrap_or_default();
        let Some(package) = Package::of(event) else {
            let refusal = Refusal::new(489, 0, "this simulated front end has no such event package");
            return self.refuse(flow, request, refusal);
        };
        let user = envelope.caller();
        if !envelope.from.sip_uri().is_some_and(|user| self.is_homed(user)) {
            return self.refuse(flow, request, Refusal::new(404, 4005, "the user is not homed here"));
        }
        let target = envelope.to.sip_uri().map(address::user_key).unwrap_or_default();
        if target != user && package != Package::Presence {
            return self.refuse(flow, request, Refusal::new(403, 0, "the data of another user"));
        }
        let Some(contact) = request
            .headers
            .elements(&HeaderName::Contact)
            .next()
            .and_then(|contact| NameAddr::parse(contact).ok())
            .and_then(|contact| contact.sip_uri().cloned())
        else {
            return self.refuse(flow, request, Refusal::new(400, 0, "Contact is missing"));
        };
        let asked = request.headers.get(&HeaderName::Expires).and_then(|text| text.trim().parse().ok());
        let mut expires = Duration::from_secs(asked.unwrap_or(USUAL)).min(LONGEST);
        if package == Package::Provisioning {
            expires = Duration::ZERO;
        }
        let tag = envelope.from.tag().unwrap_or_default().to_owned();
        let key = (user.clone(), tag, envelope.call_id.clone());
        let mut response = self.answer(request, 200);
        let us = response.headers.get(&HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
        let Some(us) = us else { return };
        let wanted = (package == Package::Presence).then(|| watching::wanted(&request.body, &target));
        let ended = asked == Some(0);
        let (body, shown) = match wanted {
            Some(Err(reason)) => {
                return self.refuse(flow, request, Refusal::new(400, 0, reason));
            }
            Some(Ok(wanted)) => (Bytes::new(), wanted),
            None if ended && package != Package::Provisioning => (Bytes::new(), BTreeSet::new()),
            None => (self.own_data(package, &user, request), BTreeSet::new()),
        };
        let supports = |tag: &str| {
            let elements = request.headers.elements(&HeaderName::Supported);
            elements.map(str::trim).any(|element| element.eq_ignore_ascii_case(tag))
        };
        let best_effort = supports("ms-benotify");
        let extended = supports("com.microsoft.autoextend").then_some(expires);
        let host = &self.config.host_name;
        let transport = if self.config.tls { "tls" } else { "tcp" };
        let headers = &mut response.headers;
        headers.push(
            HeaderName::Contact,
            format_args!("<sip:{host}:{};transport={transport}>", self.config.port),
        );
        headers.push(HeaderName::Expires, expires.as_secs());
        headers.push(HeaderName::Event, package.name());
        let state = if expires.is_zero() { "terminated" } else { "active" };
        headers.push(HeaderName::SubscriptionState, format_args!("{state};expires={}", expires.as_secs()));
        headers.push(HeaderName::Supported, "ms-benotify, ms-piggyback-first-notify");
        headers.push(HeaderName::MsPiggybackCSeq, 1);
        if !body.is_empty() {
            headers.push(HeaderName::ContentType, package.content_type());
        }
        response.body = body;
        self.report(Event::Subscribed {
            user: user.clone(),
            package: package.name(),
            watched: shown.len(),
            expires: expires.as_secs(),
        });
        self.send(flow, &response.into());
        if ended || expires.is_zero() {
            self.subscriptions.open.remove(&key);
            return;
        }
        let before = self.subscriptions.open.remove(&key);
        let number = before.as_ref().map_or(1, |before| before.number);
        let mut watched = before.map(|before| before.watched).unwrap_or_default();
        watched.extend(shown.iter().cloned());
        let subscription = Subscription {
            package,
            flow,
            user,
            us,
            them: envelope.from.clone(),
            target: contact,
            number,
            until: now + expires,
            best_effort,
            extended,
            watched,
        };
        self.subscriptions.open.insert(key.clone(), subscription);
        for user in shown {
            let body = self.watched_state(now, &user);
            self.notify(now, &key, body);
        }
    }

    /// What a user published changed: its other endpoints and its watchers are told.
    pub(super) fn published(&mut self, now: Instant, user: &str, report: &Bytes) {
        let of_user = |subscription: &Subscription| {
            subscription.package == Package::RoamingSelf && subscription.user == user
        };
        let own: Vec<Key> = self.keys(of_user);
        for key in own {
            self.notify(now, &key, report.clone());
        }
        let watchers = self.keys(|subscription| subscription.watched.contains(user));
        if watchers.is_empty() {
            return;
        }
        let body = self.watched_state(now, user);
        for key in watchers {
            self.notify(now, &key, body.clone());
        }
    }

    fn keys(&self, which: impl Fn(&Subscription) -> bool) -> Vec<Key> {
        let found = self.subscriptions.open.iter().filter(|(_, subscription)| which(subscription));
        found.map(|(key, _)| key.clone()).collect()
    }

    /// The body of a package about the subscriber itself.
    fn own_data(&self, package: Package, user: &str, request: &Request) -> Bytes {
        match package {
            Package::RoamingContacts => watching::contact_list(&self.contacts_of(user)),
            Package::Provisioning => provisioning::groups(&self.config.provisioning, &request.body),
            Package::RoamingSelf => self.publications.roaming_data(user),
            Package::Presence => Bytes::new(),
        }
    }

    /// The contacts of a user: all other users, in a laboratory of a readable size.
    fn contacts_of(&self, user: &str) -> Vec<SipUri> {
        if self.config.users.len() > CONTACTS {
            return Vec::new();
        }
        let others = self.config.users.iter().filter(|other| address::user_key(&other.uri) != user);
        others.map(|other| other.uri.clone()).collect()
    }

    fn notify(&mut self, now: Instant, key: &Key, body: Bytes) {
        let branch = format!("{COOKIE}{}", self.random.token(24).to_ascii_uppercase());
        let Some(subscription) = self.subscriptions.open.get_mut(key) else { return };
        subscription.number += 1;
        if let Some(extended) = subscription.extended {
            subscription.until = now + extended;
        }
        let method = if subscription.best_effort { Method::BeNotify } else { Method::Notify };
        let left = subscription.until.saturating_duration_since(now).as_secs();
        let transport = if self.config.tls { "TLS" } else { "TCP" };
        let (host, port) = (&self.config.host_name, self.config.port);
        let mut request = Request::new(method.clone(), Uri::from(subscription.target.clone()));
        let headers = &mut request.headers;
        headers.push(HeaderName::Via, format_args!("SIP/2.0/{transport} {host}:{port};branch={branch}"));
        headers.push(HeaderName::MaxForwards, 70);
        headers.push(HeaderName::From, &subscription.us);
        headers.push(HeaderName::To, &subscription.them);
        headers.push(HeaderName::CallId, &key.2);
        headers.push(HeaderName::CSeq, format_args!("{} {method}", subscription.number));
        headers.push(HeaderName::Event, subscription.package.name());
        headers.push(HeaderName::SubscriptionState, format_args!("active;expires={left}"));
        headers.push(HeaderName::ContentType, subscription.package.content_type());
        request.body = body;
        let flow = subscription.flow;
        self.send(flow, &request.into());
    }
}

const USUAL: u64 = 3600;
const LONGEST: Duration = Duration::from_hours(8);
/// From so many users on nobody has all others as contacts.
const CONTACTS: usize = 200;
