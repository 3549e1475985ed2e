//! What a presence server does, for simulators: it keeps what the endpoints of many users publish, makes one state of many,
//! and tells everybody who subscribed what they may see.
//!
//! One [`Notifier`] serves all users of a server. Bodies come in and go out; whoever owns it carries them. Call a verb, then
//! drain [`Notifier::poll_transmit`] and [`Notifier::poll_timeout`].

mod accepted;
mod presentity;
mod view;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;

use crate::category::{
    CategoryInstance, CategoryReport, EventCategories, REPORT_CONTENT_TYPE, RoamingData, parse_publish,
};
use crate::date_time::DateTime;
use crate::error::Error;
use crate::subscription::{SetContainerMembers, parse_acknowledged, parse_roaming_list};
use presentity::Presentity;
use watch::{Own, Watch};

pub use accepted::{Accepted, Refusal};
pub use view::{Format, level, services};

/// How a server treats its users.
///
/// MS-PRES 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NotifierConfig {
    /// The company's own domain: its users are colleagues, all others are federated.
    pub domain: String,
    /// The time of day at the moment the notifier is made.
    pub wall_clock: SystemTime,
    /// Whether users have logged on before.
    pub new_users: NewUsers,
}

impl NotifierConfig {
    /// A server of that domain whose users have all logged on before.
    ///
    /// MS-PRES 3.3
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_ascii_lowercase(),
            wall_clock: SystemTime::UNIX_EPOCH,
            new_users: NewUsers::LoggedOnBefore,
        }
    }
}

/// What a user of whom nothing is known yet looks like.
///
/// MS-PRES 3.2 (first log-on)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum NewUsers {
    /// Colleagues and federated users may see the user, as after the first log-on of a client.
    #[default]
    LoggedOnBefore,
    /// Nobody may see the user until a client changes that.
    NeverLoggedOn,
}

/// Names a subscription.
///
/// MS-PRES 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u32);

/// A body to be sent.
///
/// MS-PRES 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transmit {
    /// To whom.
    pub subscription: SubscriptionId,
    /// What it is.
    pub content_type: String,
    /// How many octets of the buffer it is.
    pub size: usize,
}

/// A server's presence of all its users.
///
/// MS-PRES 3.3
#[derive(Clone, Debug)]
pub struct Notifier {
    config: NotifierConfig,
    origin: Instant,
    users: BTreeMap<String, Presentity>,
    own: BTreeMap<SubscriptionId, Own>,
    watches: BTreeMap<SubscriptionId, Watch>,
    /// Who watches a user.
    watchers: BTreeMap<String, BTreeSet<SubscriptionId>>,
    /// What the user's own endpoints are to be told: the names of categories, and whether watchers have come.
    told: BTreeMap<SubscriptionId, (BTreeSet<String>, bool)>,
    /// Which contacts a watcher is to be told of.
    stale: BTreeMap<SubscriptionId, BTreeSet<String>>,
    last: u32,
}

impl Notifier {
    /// A server of whose users nothing is known.
    ///
    /// MS-PRES 3.3
    #[must_use]
    pub fn new(now: Instant, config: NotifierConfig) -> Self {
        Self {
            config,
            origin: now,
            users: BTreeMap::new(),
            own: BTreeMap::new(),
            watches: BTreeMap::new(),
            watchers: BTreeMap::new(),
            told: BTreeMap::new(),
            stale: BTreeMap::new(),
            last: 0,
        }
    }

    /// An endpoint of a user publishes: all of it is taken, or nothing.
    ///
    /// MS-PRES 2.2.2.1, 3.3.5
    pub fn publish(
        &mut self,
        now: Instant,
        user: &str,
        endpoint: &str,
        body: &[u8],
    ) -> Result<Accepted, Refusal> {
        self.handle_timeout(now);
        let publish = parse_publish(body).map_err(Refusal::Malformed)?;
        let user = address(user);
        if address(&publish.uri) != user {
            return Err(Refusal::AnotherUser);
        }
        let time = self.time(now);
        let presentity = self.presentity(&user);
        presentity.check(&publish.publications)?;
        let names: BTreeSet<String> =
            publish.publications.iter().map(|publication| publication.name.to_string()).collect();
        let changed = presentity.store(now, time, endpoint, publish.publications);
        let report = presentity.report(&user, Some(&names));
        self.changed(&user, &names);
        Ok(Accepted { changed, report })
    }

    /// A user changes who may see what: all of it is taken, or nothing.
    ///
    /// MS-PRES 2.2.2.3, 3.3.5
    pub fn set_members(&mut self, now: Instant, user: &str, body: &[u8]) -> Result<(), Refusal> {
        self.handle_timeout(now);
        let set = SetContainerMembers::parse(body).map_err(Refusal::Malformed)?;
        let user = address(user);
        self.presentity(&user).set_members(set)?;
        self.changed(&user, &BTreeSet::new());
        Ok(())
    }

    /// A user takes notice of watchers.
    ///
    /// MS-PRES 2.2.2.2, 3.3.5
    pub fn acknowledge(&mut self, now: Instant, user: &str, body: &[u8]) -> Result<(), Refusal> {
        self.handle_timeout(now);
        let watchers = parse_acknowledged(body).map_err(Refusal::Malformed)?;
        self.presentity(&address(user)).acknowledge(&watchers);
        Ok(())
    }

    /// The registration of an endpoint has ended, perhaps the last one of its user: what was bound to it is gone.
    ///
    /// MS-PRES 2.2.2.1 (expireType)
    pub fn endpoint_gone(&mut self, now: Instant, user: &str, endpoint: &str, last: bool) {
        self.handle_timeout(now);
        let user = address(user);
        let time = self.time(now);
        let Some(presentity) = self.users.get_mut(&user) else { return };
        let names = presentity.endpoint_gone(time, endpoint, last);
        if !names.is_empty() {
            self.changed(&user, &names);
        }
    }

    /// A user subscribes to everything about itself; a body says to which parts. The first notification is waiting then.
    ///
    /// MS-PRES 2.2.2.6, 3.3.5
    pub fn subscribe_own(&mut self, user: &str, body: &[u8]) -> Result<SubscriptionId, Refusal> {
        let parts = if blank(body) {
            ["categories", "containers", "subscribers"].map(str::to_owned).into()
        } else {
            parse_roaming_list(body).map_err(Refusal::Malformed)?
        };
        let id = self.next_id();
        self.own.insert(id, Own { user: address(user), parts, started: false });
        self.told.entry(id).or_default();
        Ok(id)
    }

    /// A watcher subscribes to many contacts, whom a body lists, or without a body to one. The first notification is waiting then.
    ///
    /// MS-PRES 2.2.2.4, 3.3.5
    pub fn subscribe(
        &mut self,
        watcher: &str,
        contact: &str,
        format: Format,
        body: &[u8],
    ) -> Result<SubscriptionId, Refusal> {
        let id = self.next_id();
        let watch = Watch::new(address(watcher), format);
        self.watches.insert(id, watch);
        if let Err(refusal) = self.subscribe_again(id, contact, body) {
            self.unsubscribe(id);
            return Err(refusal);
        }
        Ok(id)
    }

    /// Another request of a subscription that is there: contacts come and go, and all that remain are told anew.
    ///
    /// MS-PRES 2.2.2.4, 3.3.5
    pub fn subscribe_again(&mut self, id: SubscriptionId, contact: &str, body: &[u8]) -> Result<(), Refusal> {
        if let Some(own) = self.own.get_mut(&id) {
            own.started = false;
            self.told.entry(id).or_default();
            return Ok(());
        }
        let Some(watch) = self.watches.get_mut(&id) else { return Ok(()) };
        let before = watch.contacts();
        watch.take(&address(contact), body).map_err(Refusal::Malformed)?;
        let (watcher, after) = (watch.watcher.clone(), watch.contacts());
        for gone in before.difference(&after) {
            if let Some(watchers) = self.watchers.get_mut(gone) {
                watchers.remove(&id);
            }
        }
        for contact in &after {
            self.watchers.entry(contact.clone()).or_default().insert(id);
            if *contact != watcher && self.presentity(contact).watched_by(&watcher) {
                self.watcher_came(contact);
            }
        }
        self.stale.insert(id, after);
        Ok(())
    }

    /// The end of a subscription.
    ///
    /// MS-PRES 3.3.5
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        self.own.remove(&id);
        self.told.remove(&id);
        self.stale.remove(&id);
        for contact in self.watches.remove(&id).map(|watch| watch.contacts()).unwrap_or_default() {
            if let Some(watchers) = self.watchers.get_mut(&contact) {
                watchers.remove(&id);
                if watchers.is_empty() {
                    self.watchers.remove(&contact);
                }
            }
        }
    }

    /// Whom a subscription watches.
    ///
    /// MS-PRES 2.2.2.4
    #[must_use]
    pub fn contacts(&self, id: SubscriptionId) -> BTreeSet<String> {
        self.watches.get(&id).map(Watch::contacts).unwrap_or_default()
    }

    /// Lets time pass until `now`: what was published for a time ends.
    ///
    /// MS-PRES 2.2.2.1 (expires)
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let time = self.time(now);
        let mut gone = Vec::new();
        for (user, presentity) in &mut self.users {
            let names = presentity.expire(now, time);
            if !names.is_empty() {
                gone.push((user.clone(), names));
            }
        }
        for (user, names) in gone {
            self.changed(&user, &names);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// MS-PRES 2.2.2.1 (expires)
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.users.values().filter_map(Presentity::deadline).min()
    }

    /// Appends the next notification.
    ///
    /// MS-PRES 2.2.2.5, 2.2.2.6
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> Option<Transmit> {
        let before = out.len();
        while let Some((id, (names, watchers))) = self.told.pop_first() {
            if self.tell_own(id, &names, watchers, out) {
                let content_type = REPORT_CONTENT_TYPE.to_owned();
                return Some(Transmit { subscription: id, content_type, size: out.len() - before });
            }
        }
        while let Some((id, contacts)) = self.stale.pop_first() {
            if let Some(content_type) = self.tell_watcher(id, contacts, out) {
                return Some(Transmit { subscription: id, content_type, size: out.len() - before });
            }
        }
        None
    }

    /// What is held of a user, as the user's own endpoints get it.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn roaming_data(&self, user: &str) -> RoamingData<'static> {
        let user = address(user);
        let new = self.new_user();
        let presentity = self.users.get(&user).unwrap_or(&new);
        RoamingData {
            categories: Some(presentity.report(&user, None)),
            containers: Some(presentity.containers()),
            subscribers: Some(presentity.subscribers()),
        }
    }

    /// What the endpoints of a user have published.
    ///
    /// MS-PRES 2.2.2.6
    pub fn publications(&self, user: &str) -> impl Iterator<Item = &CategoryInstance<'static>> {
        self.users.get(&address(user)).into_iter().flat_map(Presentity::publications)
    }

    /// What a watcher may see of a user.
    ///
    /// MS-PRES 2.2.2.5, 3.3 (aggregation)
    #[must_use]
    pub fn seen(&self, watcher: &str, user: &str) -> EventCategories<'static> {
        let (watcher, user) = (address(watcher), address(user));
        let new = self.new_user();
        let presentity = self.users.get(&user).unwrap_or(&new);
        presentity.seen(&watcher, &user, &self.config.domain)
    }

    fn tell_own(
        &mut self,
        id: SubscriptionId,
        names: &BTreeSet<String>,
        watchers: bool,
        out: &mut BytesMut,
    ) -> bool {
        let Some(own) = self.own.get_mut(&id) else { return false };
        let first = !std::mem::replace(&mut own.started, true);
        let own = own.clone();
        let asked = |part: &str| own.parts.iter().any(|asked| asked == part);
        let mut data = self.roaming_data(&own.user);
        data.categories = data.categories.filter(|_| asked("categories"));
        data.containers = data.containers.filter(|_| asked("containers"));
        data.subscribers = data.subscribers.filter(|_| asked("subscribers"));
        if !first {
            let presentity = self.users.get(&own.user);
            let report = |presentity: &Presentity| presentity.report(&own.user, Some(names));
            data.categories = presentity.map(report).filter(|_| asked("categories") && !names.is_empty());
            // Without names it was the containers or the watchers that changed.
            data.containers = data.containers.filter(|_| names.is_empty() && !watchers);
            data.subscribers = data.subscribers.filter(|_| watchers);
        }
        if data == RoamingData::default() {
            return false;
        }
        data.emit(out);
        true
    }

    fn tell_watcher(
        &mut self,
        id: SubscriptionId,
        contacts: BTreeSet<String>,
        out: &mut BytesMut,
    ) -> Option<String> {
        let watcher = self.watches.get(&id)?.watcher.clone();
        let seen = contacts.into_iter().map(|contact| {
            let seen = self.seen(&watcher, &contact);
            (contact, seen)
        });
        let mut seen: BTreeMap<String, EventCategories<'static>> = seen.collect();
        let watch = self.watches.get_mut(&id)?;
        watch.only_changes(&mut seen);
        let told = watch.notification(&mut seen, id, out);
        // What did not fit into this notification goes into the next.
        if !seen.is_empty() {
            self.stale.entry(id).or_default().extend(seen.into_keys());
        }
        told
    }

    /// Everybody who is to know is marked; what they are told is made when it is fetched.
    fn changed(&mut self, user: &str, names: &BTreeSet<String>) {
        for (id, own) in &self.own {
            if own.user == user {
                self.told.entry(*id).or_default().0.extend(names.iter().cloned());
            }
        }
        for id in self.watchers.get(user).into_iter().flatten() {
            self.stale.entry(*id).or_default().insert(user.to_owned());
        }
    }

    fn watcher_came(&mut self, user: &str) {
        for (id, own) in &self.own {
            if own.user == user {
                self.told.entry(*id).or_default().1 = true;
            }
        }
    }

    fn presentity(&mut self, user: &str) -> &mut Presentity {
        let new = self.config.new_users;
        self.users.entry(user.to_owned()).or_insert_with(|| Presentity::new(new))
    }

    fn new_user(&self) -> Presentity {
        Presentity::new(self.config.new_users)
    }

    fn time(&self, now: Instant) -> DateTime {
        let since = now.checked_duration_since(self.origin).unwrap_or(Duration::ZERO);
        DateTime::of(self.config.wall_clock + since)
    }

    fn next_id(&mut self) -> SubscriptionId {
        self.last = self.last.wrapping_add(1);
        SubscriptionId(self.last)
    }
}

/// `user@domain` in lower case, without scheme and parameters.
fn address(uri: &str) -> String {
    let uri = uri.trim();
    let scheme =
        |scheme: &str| uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let rest = match uri {
        _ if scheme("sip:") => uri.get(4..),
        _ if scheme("sips:") => uri.get(5..),
        _ => Some(uri),
    };
    let rest = rest.unwrap_or_default();
    rest.split([';', '?', '>']).next().unwrap_or_default().to_ascii_lowercase()
}

fn blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

/// Of a report: nothing about anybody.
fn nothing(user: &str) -> CategoryReport<'static> {
    CategoryReport { uri: format!("sip:{user}").into(), categories: Vec::new(), gone: Vec::new() }
}
