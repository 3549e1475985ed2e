//! The presence of one user's handset: calls and time in, publications out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::publication::Publication;
use crate::state::{Phase, Trigger, step};

/// How the presence of a handset follows its calls.
///
/// docs/states/handset-presence.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PresenceConfig {
    /// How long a user is available after a call (300 s).
    pub t1: Duration,
    /// How long a user is inactive after that (300 s).
    pub t2: Duration,
    /// What the loss of the handset does.
    pub out_of_range: OutOfRange,
    /// What the key for silence does.
    pub dnd: Dnd,
    /// Whether a call with a conference is told from other calls.
    pub show_conference: ShowConference,
    /// What counts as use of the handset.
    pub activity: CountedActivity,
}

impl PresenceConfig {
    /// Five and five minutes; a lost handset keeps its presence; silence is local; conferences are calls; calls count.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn new() -> Self {
        Self {
            t1: Duration::from_mins(5),
            t2: Duration::from_mins(5),
            out_of_range: OutOfRange::Keep,
            dnd: Dnd::Local,
            show_conference: ShowConference::No,
            activity: CountedActivity::Calls,
        }
    }
}

impl Default for PresenceConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// What a handset out of range does to the presence (inferred: no standard says).
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutOfRange {
    /// Nothing but the end of its calls.
    Keep,
    /// Its calls end and the user is away at once.
    Away,
}

/// What the key for silence of a handset does (inferred: no standard says).
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dnd {
    /// The handset does not ring; nothing is published.
    Local,
    /// Do not disturb is published for the user, at all of the user's devices, until the key is pressed again.
    Publish,
}

/// Whether a call with a conference is told from other calls.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShowConference {
    /// It is a call.
    No,
    /// It is a conference.
    Yes,
}

/// What counts as use of a handset.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountedActivity {
    /// Established calls.
    Calls,
    /// Also calls that the user tried or rejected.
    AnyUse,
}

/// The owner's name of a call.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// What somebody is connected with.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    /// One other party.
    Party,
    /// The focus of a conference.
    Conference,
}

/// What the owner learns.
///
/// docs/states/handset-presence.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// This is to be published now, in place of what was before.
    Changed(Publication),
}

/// The presence of one user's handset.
///
/// Call a verb or [`handle_timeout`](Self::handle_timeout), then drain [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout). What changed and changed back before it was drained is never reported: only the
/// newest state is worth publishing.
///
/// docs/states/handset-presence.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandsetPresence {
    config: Config,
    phase: Phase,
    silent: bool,
    /// What was reported last: the phase, and whether silence was.
    reported: Option<(Phase, bool)>,
    /// Established calls; held ones included.
    calls: Calls,
    /// A moment that our clock knows; the last call ended so many milliseconds before it.
    last_end: Option<Instant>,
    age_ms: u32,
}

/// The configuration as it is kept, a million times over: milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Config {
    t1_ms: u32,
    t2_ms: u32,
    out_of_range: OutOfRange,
    dnd: Dnd,
    show_conference: ShowConference,
    activity: CountedActivity,
}

impl Config {
    fn of(config: &PresenceConfig) -> Self {
        Self {
            t1_ms: milliseconds(config.t1),
            t2_ms: milliseconds(config.t2),
            out_of_range: config.out_of_range,
            dnd: config.dnd,
            show_conference: config.show_conference,
            activity: config.activity,
        }
    }

    fn t1(self) -> Duration {
        Duration::from_millis(self.t1_ms.into())
    }

    fn both(self) -> Duration {
        self.t1() + Duration::from_millis(self.t2_ms.into())
    }
}

/// Longer times than 49 days are 49 days.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Most handsets have no call, most others have one: only further ones take room elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Calls {
    None,
    One(CallKey, Remote),
    #[expect(clippy::box_collection, reason = "one word here, and hardly ever used")]
    Many(Box<BTreeMap<CallKey, Remote>>),
}

impl Calls {
    fn insert(&mut self, call: CallKey, remote: Remote) {
        match self {
            Self::None => *self = Self::One(call, remote),
            Self::One(known, found) if *known == call => *found = remote,
            Self::One(known, found) => {
                *self = Self::Many(Box::new(BTreeMap::from([(*known, *found), (call, remote)])));
            }
            Self::Many(calls) if calls.len() >= CALLS_MAX && !calls.contains_key(&call) => {}
            Self::Many(calls) => {
                calls.insert(call, remote);
            }
        }
    }

    /// Whether it was one of them.
    fn remove(&mut self, call: CallKey) -> bool {
        match self {
            Self::None => false,
            Self::One(known, _) => {
                let found = *known == call;
                if found {
                    *self = Self::None;
                }
                found
            }
            Self::Many(calls) => {
                let found = calls.remove(&call).is_some();
                if let (1, Some((last, remote))) = (calls.len(), calls.first_key_value()) {
                    *self = Self::One(*last, *remote);
                }
                found
            }
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::None
    }

    fn has_conference(&self) -> bool {
        match self {
            Self::None => false,
            Self::One(_, remote) => *remote == Remote::Conference,
            Self::Many(calls) => calls.values().any(|remote| *remote == Remote::Conference),
        }
    }
}

impl HandsetPresence {
    /// A handset without calls, away; that is the first event.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "every machine takes its configuration over")]
    pub fn new(now: Instant, config: PresenceConfig) -> Self {
        let mut presence = Self {
            config: Config::of(&config),
            phase: Phase::Away,
            silent: false,
            reported: None,
            calls: Calls::None,
            last_end: None,
            age_ms: 0,
        };
        presence.restart(now, None);
        presence
    }

    /// A call was answered, by either side. A call that is told again only changes what it is connected with.
    ///
    /// docs/states/handset-presence.md
    pub fn answered(&mut self, now: Instant, call: CallKey, remote: Remote) {
        self.handle_timeout(now);
        if self.phase == Phase::Removed {
            return;
        }
        self.calls.insert(call, remote);
        self.follow_calls(now);
    }

    /// A call was held: it stays a call.
    ///
    /// docs/states/handset-presence.md
    pub fn held(&mut self, now: Instant, _call: CallKey) {
        self.handle_timeout(now);
    }

    /// A held call was resumed.
    ///
    /// docs/states/handset-presence.md
    pub fn resumed(&mut self, now: Instant, _call: CallKey) {
        self.handle_timeout(now);
    }

    /// A call has ended, for whatever reason. Unknown calls are nothing.
    ///
    /// docs/states/handset-presence.md
    pub fn ended(&mut self, now: Instant, call: CallKey) {
        self.handle_timeout(now);
        if self.calls.remove(call) {
            self.follow_calls(now);
        }
    }

    /// The user dialled, tried or rejected a call; established calls are told by [`answered`](Self::answered).
    ///
    /// docs/states/handset-presence.md
    pub fn used(&mut self, now: Instant) {
        self.handle_timeout(now);
        let counts = match self.config.activity {
            CountedActivity::Calls => false,
            CountedActivity::AnyUse => self.calls.is_empty() && self.phase != Phase::Removed,
        };
        if counts {
            self.end_at(now);
            self.go(Trigger::Used);
        }
    }

    /// The handset is out of range or without power: its calls end first. The news may come late, or never.
    ///
    /// docs/states/handset-presence.md
    pub fn handset_lost(&mut self, now: Instant) {
        self.handle_timeout(now);
        if !self.calls.is_empty() {
            self.calls = Calls::None;
            self.follow_calls(now);
        }
        match self.config.out_of_range {
            OutOfRange::Keep => {}
            OutOfRange::Away => {
                self.last_end = None;
                self.go(Trigger::OutOfRange);
            }
        }
    }

    /// The handset is in range again: nothing to publish until it is used.
    ///
    /// docs/states/handset-presence.md
    pub fn handset_back(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    /// The key for silence was pressed.
    ///
    /// docs/states/handset-presence.md
    pub fn dnd_on(&mut self, now: Instant) {
        self.silence(now, true);
    }

    /// The key for silence was pressed again.
    ///
    /// docs/states/handset-presence.md
    pub fn dnd_off(&mut self, now: Instant) {
        self.silence(now, false);
    }

    /// The user was disabled, or its handset detached: everything is forgotten and nothing is published any more.
    ///
    /// docs/states/handset-presence.md
    pub fn disabled(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.calls = Calls::None;
        self.last_end = None;
        self.silent = false;
        self.go(Trigger::Disabled);
    }

    /// The user was enabled: away, without memory.
    ///
    /// docs/states/handset-presence.md
    pub fn enabled(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.go(Trigger::Enabled);
    }

    /// The server has started; the last call ended so long ago, if that was stored. Always reports.
    ///
    /// docs/states/handset-presence.md
    pub fn restart(&mut self, now: Instant, stored_end_age: Option<Duration>) {
        self.calls = Calls::None;
        self.reported = None;
        let age = stored_end_age.filter(|age| *age < self.config.both());
        self.last_end = age.map(|_| now);
        self.age_ms = age.map_or(0, milliseconds);
        match age {
            None => self.go(Trigger::Restarted),
            Some(age) if age < self.config.t1() => self.go(Trigger::RestartedInFirstPeriod),
            Some(_) => self.go(Trigger::RestartedInSecondPeriod),
        }
        if self.phase == Phase::Removed {
            self.last_end = None;
        }
    }

    /// Lets time pass until `now`.
    ///
    /// docs/states/handset-presence.md
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.poll_timeout().is_some_and(|at| at <= now) {
            match self.phase {
                Phase::Available => self.go(Trigger::FirstPeriodOver),
                Phase::Inactive => self.go(Trigger::SecondPeriodOver),
                Phase::Away | Phase::InCall | Phase::InConference | Phase::Removed => return,
            }
        }
    }

    /// What is to be published, if it differs from what was reported last.
    ///
    /// docs/states/handset-presence.md
    pub fn poll_event(&mut self) -> Option<Event> {
        let current = (self.phase, self.publishes_silence());
        if self.reported == Some(current) {
            return None;
        }
        self.reported = Some(current);
        Some(Event::Changed(self.publication()))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let last_end = self.last_end?;
        let age = Duration::from_millis(self.age_ms.into());
        match self.phase {
            Phase::Available => Some(last_end + self.config.t1().saturating_sub(age)),
            Phase::Inactive => Some(last_end + self.config.both().saturating_sub(age)),
            Phase::Away | Phase::InCall | Phase::InConference | Phase::Removed => None,
        }
    }

    /// The phase.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn state(&self) -> Phase {
        self.phase
    }

    /// What is to be published now, reported or not.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn publication(&self) -> Publication {
        let publication = Publication::of(self.phase);
        if self.publishes_silence() { publication.do_not_disturb() } else { publication }
    }

    /// How long ago the last call ended, if that is known and still matters; for storing and for documents.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn last_end_age(&self, now: Instant) -> Option<Duration> {
        let age = Duration::from_millis(self.age_ms.into());
        self.last_end.map(|seen| now.saturating_duration_since(seen) + age)
    }

    fn publishes_silence(&self) -> bool {
        self.silent && self.config.dnd == Dnd::Publish && self.phase != Phase::Removed
    }

    fn end_at(&mut self, now: Instant) {
        self.last_end = Some(now);
        self.age_ms = 0;
    }

    fn silence(&mut self, now: Instant, silent: bool) {
        self.handle_timeout(now);
        if self.phase != Phase::Removed {
            self.silent = silent;
        }
    }

    fn follow_calls(&mut self, now: Instant) {
        let conference = self.calls.has_conference();
        if self.calls.is_empty() {
            self.end_at(now);
            self.go(Trigger::LastCallEnded);
        } else if conference && self.config.show_conference == ShowConference::Yes {
            self.go(Trigger::ConferenceCalls);
        } else {
            self.go(Trigger::Calls);
        }
    }

    fn go(&mut self, trigger: Trigger) {
        self.phase = step(self.phase, trigger);
    }
}

/// More calls than any handset has; further ones change nothing.
const CALLS_MAX: usize = 64;
