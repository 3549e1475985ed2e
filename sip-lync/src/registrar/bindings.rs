//! What a registrar keeps: endpoints by user, by flow and by the time at which they are looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::time::Instant;

use super::Binding;
use crate::flow::FlowId;
use crate::gruu::InstanceId;

/// By what a user is looked for: users whose names begin alike stand together, those that begin the same differ in a number.
/// Two may have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UserKey([u64; 3]);

impl UserKey {
    pub(super) fn of(user: &str) -> Self {
        let mut start = [0; 16];
        for (to, from) in start.iter_mut().zip(user.bytes()) {
            *to = from;
        }
        let start = u128::from_be_bytes(start);
        Self([(start >> 64) as u64, start as u64, number_of(user)])
    }
}

/// The users that registered over a flow.
#[derive(Clone, Debug, Default)]
struct OfFlow {
    /// All of them, some more than once, and some that are gone.
    users: Vec<UserKey>,
    /// How many endpoints are registered over it.
    registered: usize,
}

/// A registered endpoint with its names.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) user: Box<str>,
    pub(super) instance: InstanceId,
    pub(super) binding: Binding,
    /// When it is looked at again. Refreshes only ever make it last longer: they leave this as it is.
    pub(super) wakes: Instant,
}

/// What a REGISTER says of an endpoint that is known.
pub(super) struct Heard<'a> {
    pub(super) contact: &'a str,
    pub(super) epid: &'a str,
    pub(super) flow: FlowId,
    pub(super) until: Instant,
    pub(super) has_gruu: bool,
    pub(super) call: u64,
    pub(super) cseq: u32,
}

/// All registered endpoints.
#[derive(Clone, Debug)]
pub(super) struct Bindings {
    /// Those of one user, and of another with the same key, in the order of their instances.
    users: BTreeMap<UserKey, Vec<Registered>>,
    count: usize,
    flows: BTreeMap<FlowId, OfFlow>,
    deadlines: BTreeSet<(Instant, UserKey)>,
}

/// So many users of a flow may be kept for nothing.
const SPARE: usize = 64;

impl Bindings {
    pub(super) const fn new() -> Self {
        Self { users: BTreeMap::new(), count: 0, flows: BTreeMap::new(), deadlines: BTreeSet::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The endpoints of a user, and those of another with the same key.
    pub(super) fn of_user(&self, key: UserKey) -> &[Registered] {
        self.users.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(wakes, _)| *wakes)
    }

    /// An endpoint that is known registers again.
    pub(super) fn refresh(&mut self, key: UserKey, at: usize, heard: &Heard<'_>) {
        let known = self.users.get_mut(&key).and_then(|own| own.get_mut(at));
        let Some(Registered { binding, wakes, .. }) = known else { return };
        // Mostly they are the ones it has.
        for (kept, new) in [(&mut binding.contact, heard.contact), (&mut binding.epid, heard.epid)] {
            if **kept != *new {
                *kept = new.into();
            }
        }
        let from = core::mem::replace(&mut binding.flow, heard.flow);
        (binding.until, binding.has_gruu) = (heard.until, heard.has_gruu);
        (binding.call, binding.cseq) = (heard.call, heard.cseq);
        if heard.until < *wakes {
            let before = core::mem::replace(wakes, heard.until);
            self.forget_deadline(key, before);
            self.deadlines.insert((heard.until, key));
        }
        if from != heard.flow {
            self.left(from);
            self.joined(heard.flow, key);
        }
    }

    /// Adds an endpoint; the oldest of too many of its user makes room.
    pub(super) fn add(&mut self, key: UserKey, new: Registered, limit: usize) {
        let own = self.users.entry(key).or_insert_with(|| Vec::with_capacity(1));
        let of_user = own.iter().filter(|of| of.user == new.user);
        if of_user.clone().count() >= limit
            && let Some((_, oldest)) = of_user.map(|of| (of.binding.until, of.instance)).min()
        {
            self.remove(key, &new.user, oldest);
        }
        self.deadlines.insert((new.wakes, key));
        self.joined(new.binding.flow, key);
        self.count += 1;
        let own = self.users.entry(key).or_default();
        let at = own.partition_point(|of| of.instance < new.instance);
        own.insert(at, new);
    }

    pub(super) fn remove(&mut self, key: UserKey, user: &str, instance: InstanceId) {
        let Some(own) = self.users.get_mut(&key) else { return };
        let at = own.iter().position(|of| of.instance == instance && *of.user == *user);
        let gone = at.map(|at| own.remove(at));
        if own.is_empty() {
            self.users.remove(&key);
        }
        if let Some(gone) = gone {
            self.count -= 1;
            self.forget_deadline(key, gone.wakes);
            self.left(gone.binding.flow);
        }
    }

    /// A deadline of a user concerns one endpoint less.
    fn forget_deadline(&mut self, key: UserKey, wakes: Instant) {
        let own = self.users.get(&key).map(Vec::as_slice).unwrap_or_default();
        if own.iter().all(|of| of.wakes != wakes) {
            self.deadlines.remove(&(wakes, key));
        }
    }

    /// An endpoint is registered over a flow.
    fn joined(&mut self, flow: FlowId, key: UserKey) {
        let of_flow = self.flows.entry(flow).or_default();
        of_flow.registered += 1;
        of_flow.users.push(key);
        // Endpoints that come and go again leave their users behind.
        if of_flow.users.len() > 2 * of_flow.registered + SPARE {
            of_flow.users.sort_unstable();
            of_flow.users.dedup();
            let users = &self.users;
            let over_flow = |key: &UserKey| {
                users.get(key).is_some_and(|own| own.iter().any(|of| of.binding.flow == flow))
            };
            of_flow.users.retain(|of| *of == key || over_flow(of));
        }
    }

    /// An endpoint is registered over a flow no more: it expired, went, or came back over another one.
    fn left(&mut self, flow: FlowId) {
        let Some(of_flow) = self.flows.get_mut(&flow) else { return };
        of_flow.registered = of_flow.registered.saturating_sub(1);
        if of_flow.registered == 0 {
            self.flows.remove(&flow);
        }
    }

    /// Forgets what has expired.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some((wakes, key)) = self.deadlines.first().copied()
            && wakes <= now
        {
            self.deadlines.pop_first();
            let Some(own) = self.users.get_mut(&key) else { continue };
            let mut gone = Vec::new();
            own.retain_mut(|of| {
                if of.wakes == wakes {
                    of.wakes = of.binding.until;
                    if of.wakes <= now {
                        gone.push(of.binding.flow);
                        return false;
                    }
                    self.deadlines.insert((of.wakes, key));
                }
                true
            });
            if own.is_empty() {
                self.users.remove(&key);
            }
            self.count -= gone.len();
            for flow in gone {
                self.left(flow);
            }
        }
    }

    /// Forgets the endpoints of a flow that is gone.
    pub(super) fn handle_flow_closed(&mut self, flow: FlowId) {
        let Some(OfFlow { mut users, .. }) = self.flows.remove(&flow) else { return };
        users.sort_unstable();
        users.dedup();
        for key in users {
            let Some(own) = self.users.get_mut(&key) else { continue };
            let (before, mut wakes) = (own.len(), Vec::new());
            own.retain(|of| {
                let stays = of.binding.flow != flow;
                if !stays {
                    wakes.push(of.wakes);
                }
                stays
            });
            self.count -= before - own.len();
            if own.is_empty() {
                self.users.remove(&key);
            }
            for wakes in wakes {
                self.forget_deadline(key, wakes);
            }
        }
    }
}

/// A text as a number: what is told apart by it is compared whole, or harms only who sends it.
pub(super) fn number_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn registered(user: &str, epid: &str, flow: u32, until: Instant) -> Registered {
        let (contact, epid) = ("sip:a".into(), Box::<str>::from(epid));
        let instance = InstanceId::from_epid(&epid);
        let binding = Binding { contact, epid, flow: FlowId(flow), until, has_gruu: true, call: 1, cseq: 1 };
        Registered { user: user.into(), instance, binding, wakes: until }
    }

    /// What is kept beside the endpoints belongs to them and nothing is missing.
    fn check(bindings: &Bindings) {
        let all: Vec<(&UserKey, &Registered)> =
            bindings.users.iter().flat_map(|(key, own)| own.iter().map(move |of| (key, of))).collect();
        assert_eq!(bindings.len(), all.len());
        let deadlines: BTreeSet<_> = all.iter().map(|(key, of)| (of.wakes, **key)).collect();
        assert_eq!(bindings.deadlines, deadlines);
        for (flow, of_flow) in &bindings.flows {
            let over: Vec<_> = all.iter().filter(|(_, of)| of.binding.flow == *flow).collect();
            assert_eq!(of_flow.registered, over.len());
            assert!(over.iter().all(|(key, _)| of_flow.users.contains(key)));
            assert!(of_flow.users.len() <= 2 * over.len() + SPARE, "{}", of_flow.users.len());
        }
        assert_eq!(bindings.flows.values().map(|of| of.registered).sum::<usize>(), all.len());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn what_is_kept_by_flow_and_by_time_belongs_to_the_endpoints_whatever_they_do() {
        let origin = Instant::now();
        let mut bindings = Bindings::new();
        let mut random = 1_u32;
        let mut draw = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) % below
        };
        let mut now = origin;
        for step in 0..20_000 {
            let (user, epid, flow) = (format!("user{}@a", draw(40)), format!("{}", draw(3)), draw(4));
            let (key, until) = (UserKey::of(&user), now + Duration::from_secs(u64::from(draw(50)) + 1));
            let new = registered(&user, &epid, flow, until);
            match draw(12) {
                0 => bindings.handle_flow_closed(FlowId(flow)),
                1 => {
                    now += Duration::from_secs(u64::from(draw(20)));
                    bindings.handle_timeout(now);
                    assert!(bindings.users.values().flatten().all(|of| of.binding.until > now));
                }
                2..=5 => bindings.remove(key, &user, new.instance),
                _ => {
                    let at = bindings.of_user(key).iter().position(|of| of.instance == new.instance);
                    match at {
                        Some(at) => {
                            let heard = Heard {
                                contact: "sip:b",
                                epid: &epid,
                                flow: FlowId(flow),
                                until,
                                has_gruu: true,
                                call: 2,
                                cseq: 2,
                            };
                            bindings.refresh(key, at, &heard);
                        }
                        None => bindings.add(key, new, 2),
                    }
                }
            }
            if step % 16 == 0 {
                check(&bindings);
            }
        }
        bindings.handle_timeout(now + Duration::from_secs(100));
        assert_eq!((bindings.len(), bindings.users.len(), bindings.flows.len()), (0, 0, 0));
    }
}
