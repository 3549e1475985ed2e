//! What a server holds of one user.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::accepted::Refusal;
use super::{NewUsers, nothing};
use crate::availability::Class;
use crate::category::{
    CategoryInstance, CategoryReport, Container, Content, ExpireType, FIRST_AGGREGATION, Fault, Member,
    MemberKind, StateCategory, Subscriber, VersionConflict, WRONG_DELTA,
};
use crate::date_time::DateTime;
use crate::subscription::SetContainerMembers;

/// What tells a publication from others of the user: name, instance, container.
type Key = (String, u32, u16);

#[derive(Clone, Debug)]
struct Held {
    instance: CategoryInstance<'static>,
    /// The endpoint with whose registration it ends.
    endpoint: Option<String>,
    until: Option<Instant>,
}

/// One user.
#[derive(Clone, Debug)]
pub(super) struct Presentity {
    held: BTreeMap<Key, Held>,
    containers: BTreeMap<u16, Container>,
    subscribers: Vec<Subscriber>,
    /// When a state changed last.
    pub(super) changed: Option<DateTime>,
    /// When somebody was there last, now that nobody is.
    pub(super) last_active: Option<DateTime>,
}

impl Presentity {
    pub(super) fn new(new: NewUsers) -> Self {
        let mut containers: BTreeMap<u16, Container> =
            CONTAINERS.map(|id| (id, Container { id, ..Container::default() })).into();
        if new == NewUsers::LoggedOnBefore {
            for (id, kind) in [(COLLEAGUES, MemberKind::SameEnterprise), (EXTERNAL, MemberKind::Federated)] {
                if let Some(container) = containers.get_mut(&id) {
                    container.version = 1;
                    container.members.push(Member { kind, value: None });
                }
            }
        }
        Self { held: BTreeMap::new(), containers, subscribers: Vec::new(), changed: None, last_active: None }
    }

    /// Every publication names the version that is held, or nothing is taken.
    pub(super) fn check(&self, wanted: &[CategoryInstance<'_>]) -> Result<(), Refusal> {
        let mut conflicts = Vec::new();
        for (at, publication) in wanted.iter().enumerate() {
            let current = self.held.get(&key(publication)).map_or(0, |held| held.instance.version);
            if current != publication.version {
                let version = publication.version;
                conflicts.push(VersionConflict { index: at + 1, version, current });
            }
        }
        if !conflicts.is_empty() {
            return Err(Refusal::Conflict(Fault { code: WRONG_DELTA.to_owned(), conflicts }));
        }
        if self.held.len() + wanted.len() > PUBLICATIONS_MAX {
            return Err(Refusal::TooMuch);
        }
        Ok(())
    }

    /// Takes what was checked; gives it back with the versions that are held now.
    pub(super) fn store(
        &mut self,
        now: Instant,
        time: DateTime,
        endpoint: &str,
        publications: Vec<CategoryInstance<'_>>,
    ) -> Vec<CategoryInstance<'static>> {
        let before = self.aggregated(FIRST_AGGREGATION);
        let mut changed = Vec::with_capacity(publications.len());
        for publication in publications {
            let mut publication = publication.into_owned();
            if publication.expires == Some(0) {
                self.held.remove(&key(&publication));
                publication.version = 0;
            } else {
                publication.version = publication.version.wrapping_add(1);
                publication.publish_time = Some(time);
                let (endpoint, until) = match publication.expire_type {
                    ExpireType::Endpoint => (Some(endpoint.to_owned()), None),
                    ExpireType::User | ExpireType::Static => (None, None),
                    ExpireType::Time => {
                        let seconds = publication.expires.unwrap_or(TIME_USUAL).min(TIME_MAX);
                        (None, now.checked_add(Duration::from_secs(seconds.into())))
                    }
                };
                let held = Held { instance: publication.clone(), endpoint, until };
                self.held.insert(key(&publication), held);
            }
            changed.push(publication);
        }
        self.after(before.as_ref(), time);
        changed
    }

    /// The names of what went with the endpoint.
    pub(super) fn endpoint_gone(&mut self, time: DateTime, endpoint: &str, last: bool) -> BTreeSet<String> {
        self.drop(time, |held| match held.instance.expire_type {
            ExpireType::Endpoint => held.endpoint.as_deref() == Some(endpoint),
            ExpireType::User => last,
            ExpireType::Static | ExpireType::Time => false,
        })
    }

    /// The names of what has had its time.
    pub(super) fn expire(&mut self, now: Instant, time: DateTime) -> BTreeSet<String> {
        self.drop(time, |held| held.until.is_some_and(|until| until <= now))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.held.values().filter_map(|held| held.until).min()
    }

    fn drop(&mut self, time: DateTime, goes: impl Fn(&Held) -> bool) -> BTreeSet<String> {
        let before = self.aggregated(FIRST_AGGREGATION);
        let mut names = BTreeSet::new();
        self.held.retain(|(name, ..), held| {
            let goes = goes(held);
            if goes {
                names.insert(name.clone());
            }
            !goes
        });
        if !names.is_empty() {
            self.after(before.as_ref(), time);
        }
        names
    }

    /// Notes when a state changed, and when somebody was there last.
    fn after(&mut self, before: Option<&StateCategory<'_>>, time: DateTime) {
        let after = self.aggregated(FIRST_AGGREGATION);
        if before == after.as_ref() {
            return;
        }
        self.changed = Some(time);
        let there = |state: Option<&StateCategory<'_>>| {
            let class = state.and_then(|state| state.availability).map(Class::of);
            matches!(class, Some(Class::Available | Class::Busy | Class::DoNotDisturb))
        };
        if there(after.as_ref()) {
            self.last_active = None;
        } else if there(before) {
            self.last_active = Some(time);
        }
    }

    pub(super) fn set_members(&mut self, set: SetContainerMembers) -> Result<(), Refusal> {
        let mut containers = self.containers.clone();
        for (id, version, changes) in set.containers {
            let container = containers.get_mut(&id).ok_or(Refusal::NoContainer)?;
            if container.version != version {
                return Err(Refusal::ContainerVersion);
            }
            container.version = container.version.wrapping_add(1);
            for change in changes {
                container.members.retain(|member| *member != change.member);
                if change.joins {
                    container.members.push(change.member);
                }
            }
            if container.members.len() > PUBLICATIONS_MAX {
                return Err(Refusal::TooMuch);
            }
        }
        self.containers = containers;
        Ok(())
    }

    /// Whether the watcher is a new one.
    pub(super) fn watched_by(&mut self, watcher: &str) -> bool {
        let known = self.subscribers.iter().any(|subscriber| subscriber.user == watcher);
        if known || self.subscribers.len() >= PUBLICATIONS_MAX {
            return false;
        }
        let user = watcher.to_owned();
        self.subscribers.push(Subscriber { user, display_name: None, acknowledged: false });
        true
    }

    pub(super) fn acknowledge(&mut self, watchers: &[String]) {
        for subscriber in &mut self.subscribers {
            let noticed = watchers.iter().any(|watcher| super::address(watcher) == subscriber.user);
            subscriber.acknowledged |= noticed;
        }
    }

    /// All that is held, or all of those names; a name of which nothing is held is told to be gone.
    pub(super) fn report(&self, user: &str, names: Option<&BTreeSet<String>>) -> CategoryReport<'static> {
        let mut report = nothing(user);
        for held in self.held.values() {
            if names.is_none_or(|names| names.contains(&*held.instance.name)) {
                report.categories.push(held.instance.clone());
            }
        }
        let empty = |name: &&String| !report.categories.iter().any(|category| category.name == **name);
        report.gone =
            names.into_iter().flatten().filter(empty).map(|name| (name.clone().into(), None)).collect();
        report
    }

    pub(super) fn containers(&self) -> Vec<Container> {
        self.containers.values().cloned().collect()
    }

    pub(super) fn container(&self, id: u16) -> Option<&Container> {
        self.containers.get(&id)
    }

    pub(super) fn subscribers(&self) -> Vec<Subscriber> {
        self.subscribers.clone()
    }

    pub(super) fn publications(&self) -> impl Iterator<Item = &CategoryInstance<'static>> {
        self.held.values().map(|held| &held.instance)
    }

    /// One state of all that stand in that container.
    pub(super) fn aggregated(&self, container: u16) -> Option<StateCategory<'static>> {
        let states = self.publications().filter_map(|publication| match &publication.content {
            Content::State(state) if publication.container == container => Some(state),
            _ => None,
        });
        crate::aggregate::aggregate(states)
    }
}

fn key(publication: &CategoryInstance<'_>) -> Key {
    let (name, instance, container) = publication.key();
    (name.to_owned(), instance, container)
}

/// The containers of every user whose members can be changed, from the farthest to the nearest.
pub(super) const CONTAINERS: [u16; 6] = [0, EXTERNAL, COLLEAGUES, 300, 400, 32000];
pub(super) const EXTERNAL: u16 = 100;
pub(super) const COLLEAGUES: u16 = 200;
/// Most publications, members or watchers of a user.
const PUBLICATIONS_MAX: usize = 2000;
/// Seconds of a publication that ends by time and does not say when.
const TIME_USUAL: u32 = 3600;
/// The longest.
const TIME_MAX: u32 = 366 * 86_400;
