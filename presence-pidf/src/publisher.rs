//! Publishing the presence of one endpoint: one request at a time, the newest state wins.
#![doc = include_str!("../docs/states/publisher.md")]

mod held;
mod pace;
mod state;

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::category::{
    CategoryInstance, CategoryPublish, CategoryReport, Content, DeviceCategory, ExpireType,
    FIRST_AGGREGATION, Fault, SECOND_AGGREGATION, StateCategory, WRONG_DELTA, parse_report,
};
use crate::instance::{Instances, USER_STATE};
use crate::publication::Publication;
use held::{Held, Key};

pub use pace::Pace;
pub use state::{PublisherState, PublisherTrigger, step};

/// What a publisher needs to know of its endpoint.
///
/// docs/states/publisher.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PublisherConfig {
    /// The user, for example `sip:jim@example.net`.
    pub uri: String,
    /// The endpoint.
    pub epid: String,
    /// What the endpoint can do; nothing is said of it without.
    pub device: Option<DeviceCategory<'static>>,
    /// Whether to wait for the user's own data before anything is published, so that what an earlier run left is found.
    pub learn_first: bool,
    /// Wait after the first failure (5 s); it doubles with every further one.
    pub first_retry: Duration,
    /// Longest wait (300 s).
    pub last_retry: Duration,
}

impl PublisherConfig {
    /// An endpoint that publishes at once, without a device.
    ///
    /// docs/states/publisher.md
    #[must_use]
    pub fn new(uri: &str, epid: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            epid: epid.to_owned(),
            device: None,
            learn_first: false,
            first_retry: Duration::from_secs(5),
            last_retry: Duration::from_mins(5),
        }
    }
}

/// What comes from the server.
///
/// docs/states/publisher.md
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The final answer to the request.
    Answer {
        /// Its status.
        status: u16,
        /// Its body.
        body: &'a [u8],
    },
    /// There was none, or the connection is gone.
    NoAnswer,
    /// The user's own data, as a notification or the answer to a subscription brings them.
    Report(&'a [u8]),
}

/// A request to be sent.
///
/// MS-PRES 2.2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transmit {
    /// How many octets of the buffer are its body.
    pub size: usize,
}

/// What the owner learns.
///
/// docs/states/publisher.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The server holds what was to be published.
    Published,
    /// The server does not take it, and would not if it were asked again.
    Refused(u16),
    /// The server does not know the endpoint: register again.
    RegisterAgain(u16),
}

/// The publications of one endpoint of one user.
///
/// Call a verb or `handle_…`, then drain [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout).
///
/// docs/states/publisher.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Publisher {
    config: PublisherConfig,
    instances: Instances,
    state: PublisherState,
    desired: Option<Publication>,
    held: Held,
    /// What the request in flight would make the server hold.
    sent: Vec<(Key, Option<Content<'static>>)>,
    conflicts: u32,
    failures: u32,
    /// Registrations in a row that the server did not know when something was published.
    unknown: u32,
    /// How often the server has lost something, and until when it is not believed to have lost more.
    losses: u32,
    believed: Option<Instant>,
    /// Nothing is sent before.
    turn: Option<Instant>,
    deadline: Option<Instant>,
    event: Option<Event>,
}

impl Publisher {
    /// An endpoint that is not registered yet.
    ///
    /// docs/states/publisher.md
    #[must_use]
    pub fn new(config: PublisherConfig) -> Self {
        Self {
            instances: Instances::of(&config.epid),
            config,
            state: PublisherState::Unregistered,
            desired: None,
            held: Held::default(),
            sent: Vec::new(),
            conflicts: 0,
            failures: 0,
            unknown: 0,
            losses: 0,
            believed: None,
            turn: None,
            deadline: None,
            event: None,
        }
    }

    /// An answer or a notification has arrived.
    ///
    /// MS-PRES 3.2.5; docs/states/publisher.md
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Report(body) => {
                if let Ok(report) = parse_report(body) {
                    self.miss(now, &report);
                    self.learn(&report);
                    match self.turn.filter(|turn| *turn > now && self.state == PublisherState::Starting) {
                        // The wait for the report is over, the one for its turn is not.
                        Some(turn) => self.deadline = Some(turn),
                        None => self.go(PublisherTrigger::Learned),
                    }
                }
            }
            Input::NoAnswer if self.state == PublisherState::InFlight => self.fail(now),
            Input::Answer { status, body } if self.state == PublisherState::InFlight => {
                self.answered(now, status, body);
            }
            Input::NoAnswer | Input::Answer { .. } => {}
        }
    }

    /// Lets time pass until `now`.
    ///
    /// docs/states/publisher.md
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|at| at <= now) {
            self.go(PublisherTrigger::Deadline);
        }
    }

    /// The endpoint is registered anew: the server holds nothing that was bound to an earlier registration. Nothing is sent
    /// before `begin`, which spreads the endpoints of a server over time; see [`Pace`]. Where the server did not know the
    /// registrations before this one either, it is as long after `begin` as a failed request is repeated.
    ///
    /// docs/states/publisher.md
    pub fn registered(&mut self, begin: Instant) {
        self.held.forget_endpoint();
        self.conflicts = 0;
        self.failures = 0;
        self.losses = 0;
        self.believed = None;
        self.go(PublisherTrigger::Registered);
        // The wait for the user's own data has an end as well.
        let learning = if self.config.learn_first { LEARNING_MAX } else { Duration::ZERO };
        let turn = begin + self.unknown.checked_sub(2).map_or(Duration::ZERO, |times| self.retry(times));
        self.turn = Some(turn);
        self.deadline = Some(turn + learning);
    }

    /// The registration is gone, and with it what was published.
    ///
    /// docs/states/publisher.md
    pub fn unregistered(&mut self) {
        self.go(PublisherTrigger::RegistrationLost);
    }

    /// This is to be published; whatever waited is forgotten.
    ///
    /// docs/states/publisher.md
    pub fn publish(&mut self, publication: Publication) {
        if self.desired.as_ref() != Some(&publication) {
            self.desired = Some(publication);
            self.go(PublisherTrigger::Changed);
        }
    }

    /// Appends the body of the request to send now, if one is due. It is the body of a SERVICE request.
    ///
    /// MS-PRES 2.2.2.1
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> Option<Transmit> {
        if self.state != PublisherState::Ready {
            return None;
        }
        let changes = self.changes();
        if changes.is_empty() {
            return None;
        }
        let mut publications = Vec::with_capacity(changes.len());
        for (key, content) in &changes {
            publications.push(CategoryInstance {
                version: self.held.version(key),
                expire_type: key.expire_type,
                expires: content.is_none().then_some(0),
                ..CategoryInstance::new(
                    key.name,
                    key.instance,
                    key.container,
                    content.clone().unwrap_or(Content::Nothing),
                )
            });
        }
        let before = out.len();
        CategoryPublish { uri: self.config.uri.as_str().into(), publications }.emit(out);
        self.sent = changes;
        self.go(PublisherTrigger::Sent);
        Some(Transmit { size: out.len() - before })
    }

    /// What has happened.
    ///
    /// docs/states/publisher.md
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// docs/states/publisher.md
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Where the machine stands.
    ///
    /// docs/states/publisher.md
    #[must_use]
    pub fn state(&self) -> PublisherState {
        self.state
    }

    /// What differs between what is to be published and what the server holds.
    fn changes(&self) -> Vec<(Key, Option<Content<'static>>)> {
        let Some(desired) = &self.desired else { return Vec::new() };
        let endpoint = ExpireType::Endpoint;
        let both = &[FIRST_AGGREGATION, SECOND_AGGREGATION][..];
        let shown = desired.machine.is_some();
        let device = self.config.device.clone().filter(|_| shown).map(Content::Device);
        let machine = desired.machine.map(StateCategory::machine).map(Content::State);
        let phone = desired
            .phone
            .zip(desired.activity)
            .map(|(number, activity)| StateCategory::phone(number, activity));
        let user = desired.user.map(StateCategory::user).map(Content::State);
        let mut changes = Vec::new();
        for (name, instance, containers, expire_type, content) in [
            ("device", self.instances.device(), &both[..1], endpoint, device),
            ("state", self.instances.machine_state(), both, endpoint, machine),
            ("state", self.instances.phone_state(), both, endpoint, phone.map(Content::State)),
            ("state", USER_STATE, both, ExpireType::Static, user),
        ] {
            for container in containers {
                let key = Key { name, instance, container: *container, expire_type };
                if self.held.differs(&key, content.as_ref()) {
                    changes.push((key, content.clone()));
                }
            }
        }
        changes
    }

    fn answered(&mut self, now: Instant, status: u16, body: &[u8]) {
        match status {
            0..=199 => {}
            200..=299 => {
                for (key, content) in self.sent.drain(..) {
                    self.held.accepted(key, content);
                }
                if let Ok(report) = parse_report(body) {
                    self.learn(&report);
                }
                self.conflicts = 0;
                self.failures = 0;
                self.unknown = 0;
                self.go(PublisherTrigger::Accepted);
                if self.changes().is_empty() {
                    self.event = Some(Event::Published);
                }
            }
            409 => self.conflict(body),
            403 | 404 | 481 => {
                self.unknown = self.unknown.saturating_add(1);
                self.event = Some(Event::RegisterAgain(status));
                self.go(PublisherTrigger::RegistrationLost);
            }
            408 | 480 | 500..=599 => self.fail(now),
            _ => self.refuse(status),
        }
    }

    /// The server's versions are taken over, and the newest state is tried again: at once a few times, then when the server
    /// next reports.
    fn conflict(&mut self, body: &[u8]) {
        let fault = Fault::parse(body).ok().filter(|fault| fault.code == WRONG_DELTA);
        let mut learned = false;
        for conflict in fault.iter().flat_map(|fault| &fault.conflicts) {
            let sent = conflict.index.checked_sub(1).and_then(|index| self.sent.get(index));
            if let Some((key, _)) = sent {
                self.held.correct(key, conflict.current);
                learned = true;
            }
        }
        if !learned {
            return self.refuse(409);
        }
        self.conflicts += 1;
        if self.conflicts > CONFLICTS_MAX {
            // After the server's next report there is one more try.
            self.conflicts = CONFLICTS_MAX;
            self.go(PublisherTrigger::ConflictsExhausted);
        } else {
            self.go(PublisherTrigger::Conflict);
            if self.changes().is_empty() {
                // What was to be deleted was not there.
                self.event = Some(Event::Published);
            }
        }
    }

    fn refuse(&mut self, status: u16) {
        self.event = Some(Event::Refused(status));
        self.go(PublisherTrigger::Refused);
    }

    fn fail(&mut self, now: Instant) {
        let wait = self.retry(self.failures);
        self.failures += 1;
        self.go(PublisherTrigger::Failed);
        self.deadline = Some(now + wait);
    }

    /// How long to wait after so many failures.
    fn retry(&self, failures: u32) -> Duration {
        self.config.first_retry.saturating_mul(1 << failures.min(16)).min(self.config.last_retry)
    }

    /// What the server does not hold any more is published anew; of a server that loses it again and again, not at once.
    fn miss(&mut self, now: Instant, report: &CategoryReport<'_>) {
        if self.is_ours(report)
            && self.believed.is_none_or(|until| until <= now)
            && self.held.forget_gone(report)
        {
            self.believed = Some(now + self.retry(self.losses));
            self.losses = self.losses.saturating_add(1);
        }
    }

    /// What the server holds of this endpoint.
    fn learn(&mut self, report: &CategoryReport<'_>) {
        if self.is_ours(report) {
            self.held.learn(report, self.instances);
        }
    }

    /// Somebody else's data are not ours to judge.
    fn is_ours(&self, report: &CategoryReport<'_>) -> bool {
        report.uri.eq_ignore_ascii_case(&self.config.uri) || report.uri.is_empty()
    }

    fn go(&mut self, trigger: PublisherTrigger) {
        let next = step(self.state, trigger);
        if next != self.state {
            self.deadline = None;
        }
        if next != PublisherState::InFlight {
            self.sent.clear();
        }
        self.state = next;
    }
}

/// Version conflicts that are answered at once.
const CONFLICTS_MAX: u32 = 3;
/// Longest wait for the user's own data.
const LEARNING_MAX: Duration = Duration::from_secs(10);
