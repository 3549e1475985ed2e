//! Subscriptions: a user's own data, and the presence of others. The first notification comes with the 200.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use presence_pidf::contact_list::{self, Contact, ContactList};
use presence_pidf::notifier::{self, Format, SubscriptionId};
use presence_pidf::provisioning::CONTENT_TYPE;
use sip_lync::body::conference_info;
use sip_lync::gruu::ConferenceUri;
use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Method, Request, SipUri, Uri};

use super::envelope::{COOKIE, Envelope};
use super::presence::Told;
use super::respond::Refusal;
use super::{Event, FlowId, FrontEnd, address, provisioning};

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
    /// Who takes part in a conference.
    Conference,
    /// How many voice messages wait.
    MessageSummary,
}

impl Package {
    fn of(event: &str) -> Option<Self> {
        let name = event.split(';').next().unwrap_or_default().trim();
        [
            Self::RoamingContacts,
            Self::Provisioning,
            Self::RoamingSelf,
            Self::Presence,
            Self::Conference,
            Self::MessageSummary,
        ]
        .into_iter()
        .find(|package| package.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::RoamingContacts => "vnd-microsoft-roaming-contacts",
            Self::Provisioning => "vnd-microsoft-provisioning-v2",
            Self::RoamingSelf => "vnd-microsoft-roaming-self",
            Self::Presence => "presence",
            Self::Conference => "conference",
            Self::MessageSummary => "message-summary",
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
    /// The conference, or whose data it is.
    about: String,
    flow: FlowId,
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
    /// What the notifier calls it, if the notifier feeds it.
    presence: Option<SubscriptionId>,
}

/// All subscriptions.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions {
    open: BTreeMap<Key, Subscription>,
}

impl Subscriptions {
    /// Forgets the subscriptions of a connection; what the notifier calls them.
    fn flow_lost(&mut self, flow: FlowId) -> Vec<SubscriptionId> {
        self.forget(|subscription| subscription.flow == flow)
    }

    /// Forgets what has had its time.
    fn expire(&mut self, now: Instant) -> Vec<SubscriptionId> {
        self.forget(|subscription| subscription.until <= now)
    }

    fn forget(&mut self, which: impl Fn(&Subscription) -> bool) -> Vec<SubscriptionId> {
        let mut gone = Vec::new();
        self.open.retain(|_, subscription| {
            let goes = which(subscription);
            if goes {
                gone.extend(subscription.presence);
            }
            !goes
        });
        gone
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
        let conference = envelope.to.sip_uri().and_then(ConferenceUri::of);
        let about = match (package, &conference) {
            (Package::Conference, Some(of)) if self.roster_of(of.id()).is_some() => {
                Self::conference_key(of.id())
            }
            (Package::Conference, _) => {
                return self.refuse(flow, request, Refusal::new(404, 3000, "there is no such conference"));
            }
            _ => target.clone(),
        };
        if target != user && !matches!(package, Package::Presence | Package::Conference) {
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
        // Settings are asked for once, with no time at all (MS-PRES 3.1.4.5), and told all the same.
        let ended = package != Package::Provisioning && expires.is_zero();
        let before = self.subscriptions.open.remove(&key);
        let known = before.as_ref().and_then(|before| before.presence);
        let presence = match self.subscribe_presence(now, package, &user, &target, request, known, ended) {
            Ok(presence) => presence,
            Err(refusal) => {
                self.subscriptions.open.extend(before.map(|before| (key, before)));
                return self.refuse_presence(flow, request, &refusal);
            }
        };
        let shown = presence.map_or(0, |id| self.watched(now, id).len());
        let mut told = self.told(now);
        let mut first =
            told.iter().position(|told| Some(told.subscription) == presence).map(|at| told.remove(at));
        if let (false, Some(body)) = (ended, self.own_data(package, &user, &about, request)) {
            first = Some(body);
        }
        let supports = |tag: &str| {
            let elements = request.headers.elements(&HeaderName::Supported);
            elements.map(str::trim).any(|element| element.eq_ignore_ascii_case(tag))
        };
        let best_effort = supports("ms-benotify");
        let piggybacks = supports("ms-piggyback-first-notify");
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
        // Whoever did not ask for it in the answer gets a notification of its own.
        let piggyback = package != Package::MessageSummary || piggybacks;
        if let Some(told) = first.filter(|_| piggyback) {
            headers.push(HeaderName::ContentType, &told.content_type);
            response.body = told.body;
        }
        self.report(Event::Subscribed {
            user: user.clone(),
            package: package.name(),
            watched: shown,
            expires: expires.as_secs(),
        });
        self.send(flow, &response.into());
        let summary = package == Package::MessageSummary && !piggybacks;
        if (ended || expires.is_zero()) && !summary {
            for told in told {
                self.notify(now, told);
            }
            return;
        }
        let number = before.as_ref().map_or(1, |before| before.number);
        let subscription = Subscription {
            package,
            about,
            flow,
            us,
            them: envelope.from.clone(),
            target: contact,
            number,
            until: now + expires,
            best_effort,
            extended,
            presence,
        };
        self.subscriptions.open.insert(key.clone(), subscription);
        if summary {
            // A notification follows every answer, the last one too (RFC 6665 4.2.1.2).
            let summary = self.message_summary(&user);
            self.carry(now, &key, MESSAGE_SUMMARY, summary);
        }
        if ended {
            self.subscriptions.open.remove(&key);
        }
        for told in told {
            self.notify(now, told);
        }
    }

    /// The notifier's part: a new subscription, another request of a known one, or its end.
    #[expect(clippy::too_many_arguments, reason = "everything that a request says")]
    fn subscribe_presence(
        &mut self,
        now: Instant,
        package: Package,
        user: &str,
        target: &str,
        request: &Request,
        known: Option<SubscriptionId>,
        ended: bool,
    ) -> Result<Option<SubscriptionId>, notifier::Refusal> {
        let format = Format::of(request.headers.elements(&HeaderName::Accept));
        let notifier = self.notifier(now);
        if let (true, Some(id)) = (ended, known) {
            notifier.unsubscribe(id);
        }
        if ended {
            return Ok(None);
        }
        match (package, known) {
            (
                Package::RoamingContacts
                | Package::Provisioning
                | Package::Conference
                | Package::MessageSummary,
                _,
            ) => Ok(None),
            (Package::RoamingSelf | Package::Presence, Some(id)) => {
                notifier.subscribe_again(id, target, &request.body).map(|()| Some(id))
            }
            (Package::RoamingSelf, None) => notifier.subscribe_own(user, &request.body).map(Some),
            (Package::Presence, None) => {
                let format = format.ok_or(notifier::Refusal::Format)?;
                notifier.subscribe(user, target, format, &request.body).map(Some)
            }
        }
    }

    /// A connection is gone, and the subscriptions that came over it.
    pub(super) fn subscriptions_lost(&mut self, now: Instant, flow: FlowId) {
        for id in self.subscriptions.flow_lost(flow) {
            self.notifier(now).unsubscribe(id);
        }
    }

    /// What has had its time ends, and what changed by that is told.
    pub(super) fn subscriptions_timeout(&mut self, now: Instant) {
        for id in self.subscriptions.expire(now) {
            self.notifier(now).unsubscribe(id);
        }
        self.notifier(now).handle_timeout(now);
        self.tell(now);
    }

    /// The body of a package that is not about presence.
    fn own_data(&self, package: Package, user: &str, about: &str, request: &Request) -> Option<Told> {
        let (content_type, body) = match package {
            Package::RoamingContacts => (contact_list::CONTENT_TYPE, self.contact_list(user)),
            Package::Provisioning => {
                let mut settings = self.config.provisioning.clone();
                settings
                    .focus_factory_uri
                    .get_or_insert_with(|| format!("sip:{user};gruu;opaque=app:conf:focusfactory"));
                if self.config.mailboxes {
                    settings
                        .voice_mail_uri
                        .get_or_insert_with(|| format!("sip:{user};opaque=app:voicemail;gruu"));
                }
                (CONTENT_TYPE, provisioning::groups(&settings, &request.body))
            }
            Package::Conference => (conference_info::MEDIA_TYPE, self.roster_of(about)?),
            Package::MessageSummary => (MESSAGE_SUMMARY, self.message_summary(user)),
            Package::RoamingSelf | Package::Presence => return None,
        };
        Some(Told { subscription: SubscriptionId(0), content_type: content_type.to_owned(), body })
    }

    /// A contact list of one group.
    fn contact_list(&self, user: &str) -> Bytes {
        let contact = |uri: SipUri| Contact {
            address: address::user_key(&uri),
            name: String::new(),
            groups: vec![1],
            subscribed: true,
        };
        let list = ContactList {
            number: 1,
            groups: vec![(1, "~".to_owned())],
            contacts: self.contacts_of(user).into_iter().map(contact).collect(),
        };
        let mut body = BytesMut::new();
        list.emit(&mut body);
        body.freeze()
    }

    /// The contacts of a user: all other users, in a laboratory of a readable size.
    fn contacts_of(&self, user: &str) -> Vec<SipUri> {
        if self.config.users.len() > CONTACTS {
            return Vec::new();
        }
        let others = self.config.users.iter().filter(|other| address::user_key(&other.uri) != user);
        others.map(|other| other.uri.clone()).collect()
    }

    /// Carries one notification of the notifier.
    pub(super) fn notify(&mut self, now: Instant, told: Told) {
        let mut open = self.subscriptions.open.iter();
        let found = open.find(|(_, subscription)| subscription.presence == Some(told.subscription));
        if let Some(key) = found.map(|(key, _)| key.clone()) {
            self.carry(now, &key, &told.content_type, told.body);
        }
    }

    /// Tells all who subscribed to a package about something.
    pub(super) fn notify_package(
        &mut self,
        now: Instant,
        package: Package,
        about: &str,
        content_type: &str,
        body: &Bytes,
    ) {
        let open = self.subscriptions.open.iter();
        let keys: Vec<Key> = open
            .filter(|(_, subscription)| subscription.package == package && subscription.about == about)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.carry(now, &key, content_type, body.clone());
        }
    }

    fn carry(&mut self, now: Instant, key: &Key, content_type: &str, body: Bytes) {
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
        let state = if left == 0 { "terminated" } else { "active" };
        headers.push(HeaderName::SubscriptionState, format_args!("{state};expires={left}"));
        headers.push(HeaderName::ContentType, content_type);
        request.body = body;
        let flow = subscription.flow;
        self.send(flow, &request.into());
    }
}

/// RFC 3842 5.1
pub(super) const MESSAGE_SUMMARY: &str = "application/simple-message-summary";
const USUAL: u64 = 3600;
const LONGEST: Duration = Duration::from_hours(8);
/// From so many users on nobody has all others as contacts.
const CONTACTS: usize = 200;
