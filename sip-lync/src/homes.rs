//! Which front end to register at: an ordered list of proxies, redirections to home servers, fail-over and fail-back.
//!
//! The list says who is tried first (a branch appliance before the front ends of its pool, by priority, then by weight);
//! a redirection puts the home servers it names in front of all. Who failed is left alone for a time that grows and is
//! random, so that ten thousand endpoints do not come back in the same moment. What happens when a connection breaks that
//! has served well is the owner's choice: [`AfterLoss`]. Connections are the owner's, too; while a better proxy is tried
//! again, there are two.
//!
//! ```
//! use std::time::Instant;
//! use sip_lync::homes::{Advice, Homes, HomesConfig, Proxy};
//! use sip_lync::{Seed, SipUri};
//!
//! let now = Instant::now();
//! let mut homes = Homes::new(HomesConfig::default(), Seed([7; 32]));
//! homes.set_proxies(vec![
//!     Proxy::new(SipUri::parse("sip:sba.example.net:5061")?, 1, 100),
//!     Proxy::new(SipUri::parse("sip:pool.example.net:5061")?, 2, 100),
//! ]);
//! let Advice::Connect(sba) = homes.advice(now) else { panic!() };
//! assert_eq!(homes.proxy(sba).unwrap().uri.host(), "sba.example.net");
//! homes.failed(now, sba);
//! let Advice::Connect(pool) = homes.advice(now) else { panic!() };
//! assert_eq!(homes.proxy(pool).unwrap().uri.host(), "pool.example.net");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::seed::{Seed, Words};
use crate::uri::SipUri;

/// One front end, or a branch appliance.
///
/// RFC 3263 4, RFC 2782
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Proxy {
    /// Its address as it is configured or as a redirection names it.
    pub uri: SipUri,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Among those of one priority, the share of those who come here first.
    pub weight: u16,
    /// What DNS says, best first; empty when the owner resolves later.
    pub addresses: Vec<SocketAddr>,
}

impl Proxy {
    /// A proxy that is not resolved yet.
    ///
    /// RFC 2782
    #[must_use]
    pub const fn new(uri: SipUri, priority: u16, weight: u16) -> Self {
        Self { uri, priority, weight, addresses: Vec::new() }
    }
}

/// How long proxies that failed are left alone.
///
/// MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HomesConfig {
    /// After the first failure; it doubles.
    pub pause_lowest: Duration,
    /// The longest.
    pub pause_highest: Duration,
    /// How long a proxy stands before a better one is tried again.
    pub fail_back: Duration,
    /// Redirections in a row that are followed.
    pub redirections: u8,
    /// A connection on which registrations stood for so long has proven itself: what failed before is forgotten.
    pub proven: Duration,
    /// What follows when a connection breaks that has proven itself.
    pub after_loss: AfterLoss,
}

/// What follows when a connection breaks that has [proven](HomesConfig::proven) itself. One that stood for less, or on which
/// nobody ever registered, counts as failed whatever is chosen here.
///
/// RFC 3263 4.3
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AfterLoss {
    /// The next proxy at once: for an endpoint that has one user, and cannot be reached until it is registered again. The
    /// lost one is left alone like any that failed.
    #[default]
    GoOn,
    /// First nothing, for a random time between half of this and all of it, then the best one, which may be the lost one:
    /// a front end that only starts anew gets all its users back, and they do not fall upon another one together.
    Wait(Duration),
}

impl Default for HomesConfig {
    fn default() -> Self {
        Self {
            pause_lowest: Duration::from_secs(10),
            pause_highest: Duration::from_mins(10),
            fail_back: Duration::from_mins(5),
            redirections: 5,
            proven: Duration::from_mins(1),
            after_loss: AfterLoss::GoOn,
        }
    }
}

/// A proxy of a list of [`Homes`].
///
/// RFC 3263 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyId(u32);

/// What to do now.
///
/// RFC 3263 4.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Stay where we are.
    Stay(ProxyId),
    /// Connect to this one and register there; where we stand, if we do, stays until that is done.
    Connect(ProxyId),
    /// Everybody failed lately: ask again then.
    Wait(Instant),
    /// There is nobody to register at.
    Nobody,
}

#[derive(Clone, Debug)]
struct Entry {
    id: ProxyId,
    proxy: Proxy,
    /// Named by a redirection.
    learned: bool,
    failures: u32,
    barred: Option<Instant>,
}

/// Where we are connected.
#[derive(Clone, Copy, Debug)]
struct Standing {
    id: ProxyId,
    /// When a better one may be tried.
    until: Instant,
    /// Since when registrations stand there.
    registered: Option<Instant>,
}

/// Where to register, in order.
///
/// RFC 3263 4, MS-SIPREGE 3.1
#[derive(Clone, Debug)]
pub struct Homes {
    config: HomesConfig,
    words: Words,
    /// Best first.
    entries: Vec<Entry>,
    next: u32,
    current: Option<Standing>,
    /// Nobody is tried before.
    rest: Option<Instant>,
    redirections: u8,
}

impl Homes {
    /// An empty list.
    ///
    /// RFC 3263 4
    #[must_use]
    pub const fn new(config: HomesConfig, seed: Seed) -> Self {
        Self {
            config,
            words: Words::new(seed),
            entries: Vec::new(),
            next: 0,
            current: None,
            rest: None,
            redirections: 0,
        }
    }

    /// Takes the configured list, or a new one; what is known of a proxy that stays is kept. Those of one priority are
    /// put into a random order by their weights.
    ///
    /// RFC 2782
    pub fn set_proxies(&mut self, mut proxies: Vec<Proxy>) {
        proxies.sort_by_key(|proxy| proxy.priority);
        let mut ordered = Vec::with_capacity(proxies.len());
        while let Some(first) = proxies.first() {
            let same = proxies.iter().take_while(|proxy| proxy.priority == first.priority).count();
            let mut group: Vec<Proxy> = proxies.drain(..same).collect();
            while !group.is_empty() {
                let total: u64 = group.iter().map(|proxy| u64::from(proxy.weight)).sum();
                let highest = Duration::from_millis(total);
                let mut drawn = self.words.between(Duration::ZERO, highest).as_millis() as u64;
                let at = group.iter().position(|proxy| {
                    let weight = u64::from(proxy.weight);
                    let here = drawn <= weight && (weight > 0 || total == 0);
                    drawn = drawn.saturating_sub(weight);
                    here
                });
                ordered.push(group.remove(at.unwrap_or(0)));
            }
        }
        let mut before = std::mem::take(&mut self.entries);
        let (learned, mut known): (Vec<Entry>, Vec<Entry>) =
            before.drain(..).partition(|entry| entry.learned);
        self.entries = learned;
        for proxy in ordered {
            let entry = match known.iter().position(|entry| entry.proxy.uri == proxy.uri) {
                Some(at) => Entry { proxy, ..known.remove(at) },
                None => self.entry(proxy, false),
            };
            self.entries.push(entry);
        }
        self.forget_current_if_gone();
    }

    /// What DNS says of a proxy.
    ///
    /// RFC 3263 4.2
    pub fn resolved(&mut self, id: ProxyId, addresses: Vec<SocketAddr>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.proxy.addresses = addresses;
        }
    }

    /// A proxy of the list.
    ///
    /// RFC 3263 4
    #[must_use]
    pub fn proxy(&self, id: ProxyId) -> Option<&Proxy> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| &entry.proxy)
    }

    /// What to do now.
    ///
    /// RFC 3263 4.3
    #[must_use]
    pub fn advice(&self, now: Instant) -> Advice {
        let free = self.entries.iter().find(|entry| entry.barred.is_none_or(|until| until <= now));
        match (self.current, free) {
            (Some(at), Some(best)) => {
                if at.until <= now && self.is_before(best.id, at.id) {
                    Advice::Connect(best.id)
                } else {
                    Advice::Stay(at.id)
                }
            }
            (Some(at), None) => Advice::Stay(at.id),
            (None, free) => match (self.rest.filter(|until| *until > now), free) {
                (Some(until), _) => Advice::Wait(until),
                (None, Some(best)) => Advice::Connect(best.id),
                (None, None) => {
                    let next = self.entries.iter().filter_map(|entry| entry.barred).min();
                    next.map_or(Advice::Nobody, Advice::Wait)
                }
            },
        }
    }

    /// A connection with a proxy stands; whether it serves is not known yet. Not for one that is tried while another
    /// stands: that one is left only when somebody is [registered](Self::registered) here.
    ///
    /// RFC 3263 4.3
    pub fn connected(&mut self, now: Instant, id: ProxyId) {
        if self.proxy(id).is_some() && self.current.is_none_or(|at| at.id != id) {
            self.stand(now, id, None);
        }
    }

    /// A registration stands at a proxy.
    ///
    /// MS-SIPREGE 3.1
    pub fn registered(&mut self, now: Instant, id: ProxyId) {
        self.redirections = 0;
        if self.proxy(id).is_none() {
            return;
        }
        match &mut self.current {
            // When a better one may be tried does not move with each registration.
            Some(at) if at.id == id => at.registered = at.registered.or(Some(now)),
            Some(_) | None => self.stand(now, id, Some(now)),
        }
    }

    /// A proxy cannot be reached, does not answer, or says that it cannot serve now.
    ///
    /// RFC 3263 4.3
    pub fn failed(&mut self, now: Instant, id: ProxyId) {
        let proven = self.leave(now, id);
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else { return };
        if proven {
            entry.failures = 0;
        }
        let factor = 1_u32 << entry.failures.min(16);
        entry.failures = entry.failures.saturating_add(1);
        let pause = self.config.pause_lowest.saturating_mul(factor).min(self.config.pause_highest);
        entry.barred = Some(now + self.words.between(pause / 2, pause));
        // A home server that a redirection named and that is gone is named anew by the next redirection.
        if entry.learned && entry.failures > 3 {
            self.entries.retain(|entry| entry.id != id);
        }
        // Whoever tried to come back and could not stays for another while, unless there is somebody else to try.
        if let Some(at) = self.current {
            let free = self.entries.iter().find(|entry| entry.barred.is_none_or(|until| until <= now));
            if !free.is_some_and(|best| self.is_before(best.id, at.id)) {
                let until = self.fail_back(now);
                self.current = Some(Standing { until, ..at });
            }
        }
    }

    /// The connection with a proxy broke.
    ///
    /// RFC 3263 4.3
    pub fn lost(&mut self, now: Instant, id: ProxyId) {
        let after_loss = self.config.after_loss;
        match after_loss {
            AfterLoss::Wait(wait) if self.leave(now, id) => {
                if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
                    entry.failures = 0;
                }
                self.rest = Some(now + self.words.between(wait / 2, wait));
            }
            AfterLoss::Wait(_) | AfterLoss::GoOn => self.failed(now, id),
        }
    }

    /// A proxy named the home servers of this user, best first: they come before all others. `false`: it was one
    /// redirection too many, and the proxy counts as failed.
    ///
    /// MS-SIPREGE 3.1
    pub fn redirected(&mut self, now: Instant, by: ProxyId, to: Vec<SipUri>) -> bool {
        self.redirections = self.redirections.saturating_add(1);
        if self.redirections > self.config.redirections || to.is_empty() {
            self.redirections = 0;
            self.failed(now, by);
            return false;
        }
        if self.current.is_some_and(|at| at.id == by) {
            self.current = None;
        }
        self.entries.retain(|entry| !entry.learned);
        let learned: Vec<Entry> = to
            .into_iter()
            .take(HOME_SERVERS)
            .map(|uri| {
                let known = self.entries.iter().position(|entry| entry.proxy.uri == uri);
                match known {
                    Some(at) => Entry { learned: true, barred: None, ..self.entries.remove(at) },
                    None => self.entry(Proxy::new(uri, 0, 0), true),
                }
            })
            .collect();
        self.entries.splice(0..0, learned);
        true
    }

    /// When [`Self::advice`] may change by itself.
    ///
    /// RFC 3263 4.3
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let barred = self.entries.iter().filter_map(|entry| entry.barred);
        let back = self.current.map(|at| at.until);
        barred.chain(back).chain(self.rest).filter(|at| *at > now).min()
    }

    fn stand(&mut self, now: Instant, id: ProxyId, registered: Option<Instant>) {
        self.rest = None;
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.barred = None;
        }
        let until = self.fail_back(now);
        self.current = Some(Standing { id, until, registered });
    }

    fn fail_back(&mut self, now: Instant) -> Instant {
        let stays = self.config.fail_back;
        now + self.words.between(stays, stays + stays / 2)
    }

    /// Leaves a proxy if we are there; whether it has proven itself.
    fn leave(&mut self, now: Instant, id: ProxyId) -> bool {
        let Some(at) = self.current.filter(|at| at.id == id) else { return false };
        self.current = None;
        at.registered.is_some_and(|since| now.saturating_duration_since(since) >= self.config.proven)
    }

    fn is_before(&self, one: ProxyId, other: ProxyId) -> bool {
        let rank = |id| self.entries.iter().position(|entry| entry.id == id);
        rank(one) < rank(other)
    }

    fn entry(&mut self, proxy: Proxy, learned: bool) -> Entry {
        self.next = self.next.wrapping_add(1);
        Entry { id: ProxyId(self.next), proxy, learned, failures: 0, barred: None }
    }

    fn forget_current_if_gone(&mut self) {
        if let Some(at) = self.current
            && self.proxy(at.id).is_none()
        {
            self.current = None;
        }
    }
}

/// Home servers of one redirection that are kept.
const HOME_SERVERS: usize = 8;
