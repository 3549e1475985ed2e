//! What is published of one handset: one request at a time, the newest state wins.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use presence_pidf::category::{CategoryInstance, CategoryPublish, Fault, StateCategory, parse_report};
use presence_pidf::{Instances, Publication, USER_STATE};

/// Containers whose members may see the state: own company and federated contacts (MS-PRES 2.2.2.1).
const CONTAINERS: [u16; 2] = [2, 3];
/// Waits after failures, doubled up to the limit.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_mins(5);
/// Version conflicts answered at once; after that a wait.
const CONFLICTS: u32 = 3;

/// Instance and container: the category is always `state`.
type Key = (u32, u16);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Published {
    version: u32,
    /// Availability that the server holds; none when deleted.
    availability: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    key: Key,
    availability: Option<u16>,
}

/// One handset's publications.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    desired: Option<Publication>,
    held: BTreeMap<Key, Published>,
    in_flight: Option<Vec<Sent>>,
    conflicts: u32,
    failures: u32,
    retry_at: Option<Instant>,
    registered: bool,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        Self {
            desired: None,
            held: BTreeMap::new(),
            in_flight: None,
            conflicts: 0,
            failures: 0,
            retry_at: None,
            registered: false,
        }
    }

    /// This is to be published; whatever waited is forgotten.
    pub(crate) fn want(&mut self, publication: Publication) {
        self.desired = Some(publication);
    }

    /// A new registration: the server holds nothing of this endpoint.
    pub(crate) fn reset(&mut self) {
        *self = Self { desired: self.desired.take(), registered: true, ..Self::new() };
    }

    /// The registration is gone, and with it what was published.
    pub(crate) fn unregistered(&mut self) {
        self.registered = false;
        self.in_flight = None;
        self.retry_at = None;
    }

    /// When to look again after a failure.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The body of the request to send now, if one is due.
    pub(crate) fn next(&mut self, now: Instant, uri: &str, epid: &str) -> Option<Bytes> {
        if !self.registered || self.in_flight.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        self.retry_at = None;
        let desired = self.desired.as_ref()?;
        let instances = Instances::of(epid);
        let states = [
            (instances.machine_state(), desired.machine.map(|value| (value, StateCategory::machine(value)))),
            (
                instances.phone_state(),
                desired
                    .phone
                    .zip(desired.activity)
                    .map(|(value, activity)| (value, StateCategory::phone(value, activity))),
            ),
            (USER_STATE, desired.user.map(|value| (value, StateCategory::user(value)))),
        ];
        let mut publications = Vec::new();
        let mut sent = Vec::new();
        for (instance, state) in states {
            for container in CONTAINERS {
                let held = self.held.get(&(instance, container)).copied().unwrap_or_default();
                let availability = state.as_ref().map(|(value, _)| *value);
                if held.availability == availability {
                    continue;
                }
                let mut publication = match &state {
                    Some((_, state)) => CategoryInstance::state(instance, container, state.clone()),
                    None => CategoryInstance::state(instance, container, StateCategory::machine(0)).deleted(),
                };
                publication.version = held.version;
                publications.push(publication);
                sent.push(Sent { key: (instance, container), availability });
            }
        }
        if publications.is_empty() {
            return None;
        }
        let mut body = BytesMut::new();
        CategoryPublish { uri: uri.to_owned(), publications }.emit(&mut body);
        self.in_flight = Some(sent);
        Some(body.freeze())
    }

    /// The server answered; whether what it holds is now what was sent.
    pub(crate) fn answered(&mut self, now: Instant, status: u16, body: &[u8]) -> bool {
        let Some(sent) = self.in_flight.take() else { return false };
        match status {
            200..=299 => {
                self.conflicts = 0;
                self.failures = 0;
                let versions: BTreeMap<Key, u32> = parse_report(body).map_or_else(
                    |_| BTreeMap::new(),
                    |report| {
                        report
                            .categories
                            .iter()
                            .filter(|category| category.name == "state")
                            .map(|category| ((category.instance, category.container), category.version))
                            .collect()
                    },
                );
                for Sent { key, availability } in sent {
                    let held = self.held.entry(key).or_default();
                    // Without a report the server counts as we do.
                    held.version = versions.get(&key).copied().unwrap_or(held.version + 1);
                    held.availability = availability;
                    if availability.is_none() {
                        self.held.remove(&key);
                    }
                }
                true
            }
            409 => {
                let fault = Fault::parse(body).ok();
                let mut learned = false;
                for conflict in fault.iter().flat_map(|fault| &fault.conflicts) {
                    if let Some(sent) = conflict.index.checked_sub(1).and_then(|index| sent.get(index)) {
                        self.held.entry(sent.key).or_default().version = conflict.current;
                        learned = true;
                    }
                }
                self.conflicts += 1;
                if !learned || self.conflicts > CONFLICTS {
                    self.wait(now);
                }
                false
            }
            _ => {
                self.wait(now);
                false
            }
        }
    }

    /// The request was never answered.
    pub(crate) fn failed(&mut self, now: Instant) {
        if self.in_flight.take().is_some() {
            self.wait(now);
        }
    }

    fn wait(&mut self, now: Instant) {
        let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(6)).min(LAST_RETRY);
        self.failures += 1;
        self.conflicts = 0;
        self.retry_at = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_pidf::category::{CategoryReport, VersionConflict, parse_publish};
    use presence_pidf::{CallKey, Event, HandsetPresence, PresenceConfig, Remote};

    const URI: &str = "sip:jim@example.net";
    const EPID: &str = "0102030405";

    fn newest(presence: &mut HandsetPresence) -> Publication {
        let mut newest = None;
        while let Some(Event::Changed(publication)) = presence.poll_event() {
            newest = Some(publication);
        }
        newest.expect("a publication")
    }

    fn report(body: &Bytes, raise: u32) -> Bytes {
        let publish = parse_publish(body).expect("our own body");
        let categories = publish
            .publications
            .into_iter()
            .map(|mut publication| {
                publication.version += raise;
                publication
            })
            .collect();
        let mut out = BytesMut::new();
        CategoryReport { uri: URI.into(), categories, gone: Vec::new() }.emit(&mut out);
        out.freeze()
    }

    #[test]
    fn one_request_at_a_time_and_only_what_changed() {
        let now = Instant::now();
        let mut presence = HandsetPresence::new(now, PresenceConfig::new());
        let mut publisher = Publisher::new();
        publisher.want(newest(&mut presence));
        assert_eq!(publisher.next(now, URI, EPID), None, "not before it is registered");
        publisher.reset();
        let first = publisher.next(now, URI, EPID).expect("the first publication");
        assert_eq!(
            parse_publish(&first).expect("a body").publications.len(),
            2,
            "the machine in two containers"
        );
        presence.answered(now, CallKey(1), Remote::Party);
        publisher.want(newest(&mut presence));
        assert_eq!(publisher.next(now, URI, EPID), None, "one request at a time");
        assert!(publisher.answered(now, 200, &report(&first, 1)));
        let second = publisher.next(now, URI, EPID).expect("the call");
        let publications = parse_publish(&second).expect("a body").publications;
        let versions: Vec<u32> = publications.iter().map(|publication| publication.version).collect();
        assert_eq!(versions, [1, 1, 0, 0], "machine states go on, phone states are new");
        assert!(publisher.answered(now, 200, &report(&second, 1)));
        presence.ended(now, CallKey(1));
        publisher.want(newest(&mut presence));
        let third = publisher.next(now, URI, EPID).expect("the end");
        let publications = parse_publish(&third).expect("a body").publications;
        assert_eq!(publications.len(), 2, "only the phone states are deleted");
        assert!(
            publications.iter().all(|publication| publication.expires == Some(0) && publication.version == 1)
        );
    }

    #[test]
    fn a_conflict_is_answered_with_the_servers_version_and_not_for_ever() {
        let now = Instant::now();
        let mut presence = HandsetPresence::new(now, PresenceConfig::new());
        let mut publisher = Publisher::new();
        publisher.want(newest(&mut presence));
        publisher.reset();
        for round in 0..=CONFLICTS {
            let body = publisher.next(now, URI, EPID).expect("a try");
            let versions = parse_publish(&body).expect("a body").publications;
            assert_eq!(versions[0].version, 7 * round);
            let conflicts = vec![VersionConflict { index: 1, version: 7 * round, current: 7 * (round + 1) }];
            let mut fault = BytesMut::new();
            Fault { code: "Client.BadCall.WrongDelta".into(), conflicts }.emit(&mut fault);
            assert!(!publisher.answered(now, 409, &fault));
        }
        assert_eq!(publisher.next(now, URI, EPID), None, "now it waits");
        let at = publisher.poll_timeout().expect("a wait");
        assert_eq!(at - now, FIRST_RETRY);
        assert!(publisher.next(at, URI, EPID).is_some());
    }
}
