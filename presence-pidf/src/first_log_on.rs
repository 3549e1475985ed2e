//! Making up for the first log-on of a user: what a client does then, once, and never over a user's own settings.
#![doc = include_str!("../docs/states/first-log-on.md")]

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::bootstrap::{Privacy, missing_defaults, missing_members};
use crate::category::{CategoryPublish, PUBLISH_CONTENT_TYPE, RoamingData};
use crate::own_presence::{OwnPresence, privacy_mode};
use crate::subscription::CONTAINERS_CONTENT_TYPE;

/// Where it stands.
///
/// docs/states/first-log-on.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogOnState {
    /// The settings of the server and the user's own data are awaited.
    Learning,
    /// Something is missing and is to be sent.
    Ready,
    /// The containers' members wait for their answer.
    SettingMembers,
    /// The defaults wait for their answer.
    PublishingDefaults,
    /// The server has newer versions: its next report is awaited.
    Outdated,
    /// The server is not up to it: it is tried again after a while.
    Waiting,
    /// Nothing is missing any more.
    Done,
    /// The server does not take it.
    Refused,
}

/// What changes that.
///
/// docs/states/first-log-on.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogOnTrigger {
    /// All that has to be known is known.
    Known,
    /// The members were sent.
    MembersSent,
    /// The defaults were sent.
    DefaultsSent,
    /// Nothing is missing.
    NothingMissing,
    /// What was sent was taken.
    Taken,
    /// It was based on other versions than the server's.
    Conflict,
    /// There was no answer, or one that speaks of this moment alone.
    Failed,
    /// The wait is over.
    WaitOver,
    /// It is not taken.
    Refused,
}

/// The state that follows.
///
/// docs/states/first-log-on.md
#[must_use]
pub fn step(state: LogOnState, trigger: LogOnTrigger) -> LogOnState {
    use LogOnState as S;
    use LogOnTrigger as T;
    match (state, trigger) {
        (S::Learning | S::Outdated, T::Known) => S::Ready,
        (S::Ready, T::MembersSent) => S::SettingMembers,
        (S::Ready, T::DefaultsSent) => S::PublishingDefaults,
        (S::Ready, T::NothingMissing) => S::Done,
        (S::SettingMembers | S::PublishingDefaults, T::Taken) => S::Ready,
        (S::SettingMembers | S::PublishingDefaults, T::Conflict) => S::Outdated,
        (S::SettingMembers | S::PublishingDefaults, T::Failed) => S::Waiting,
        (S::Waiting, T::WaitOver) => S::Ready,
        (S::SettingMembers | S::PublishingDefaults, T::Refused) => S::Refused,
        (
            S::Learning
            | S::Ready
            | S::SettingMembers
            | S::PublishingDefaults
            | S::Outdated
            | S::Waiting
            | S::Done
            | S::Refused,
            T::Known
            | T::MembersSent
            | T::DefaultsSent
            | T::NothingMissing
            | T::Taken
            | T::Conflict
            | T::Failed
            | T::WaitOver
            | T::Refused,
        ) => state,
    }
}

/// The body of a SERVICE request to be sent.
///
/// MS-PRES 3.2 (first log-on)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transmit {
    /// What it is.
    pub content_type: &'static str,
    /// How many octets of the buffer it is.
    pub size: usize,
}

/// What a new user lacks, brought to the server.
///
/// docs/states/first-log-on.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FirstLogOn {
    state: LogOnState,
    uri: String,
    privacy: Option<Privacy>,
    own: Option<OwnPresence>,
    /// What was taken is not sent again, whatever the server reports.
    members_taken: bool,
    defaults_taken: bool,
    conflicts: u32,
    failures: u32,
    retry: Option<Instant>,
}

impl FirstLogOn {
    /// Of a user of whom nothing is known.
    ///
    /// docs/states/first-log-on.md
    #[must_use]
    pub fn new(uri: &str) -> Self {
        Self {
            state: LogOnState::Learning,
            uri: uri.to_owned(),
            privacy: None,
            own: None,
            members_taken: false,
            defaults_taken: false,
            conflicts: 0,
            failures: 0,
            retry: None,
        }
    }

    /// The settings of the server have arrived. Without any, or without a word about privacy, presence is open.
    ///
    /// MS-PRES 3.2 (privacy mode)
    pub fn settings(&mut self, body: Option<&[u8]>) {
        let private = body.and_then(|body| privacy_mode(body).ok()).flatten() == Some(true);
        self.privacy = Some(if private { Privacy::ContactsOnly } else { Privacy::Open });
        self.look();
    }

    /// The user's own data have arrived.
    ///
    /// MS-PRES 2.2.2.6
    pub fn report(&mut self, data: RoamingData<'_>) {
        if self.is_over() {
            return;
        }
        // Before the containers are known nothing can be said to be missing.
        if data.containers.is_none() && self.own.is_none() {
            return;
        }
        self.own.get_or_insert_with(|| OwnPresence::new(&self.uri)).take(data);
        self.look();
    }

    /// The answer to the request has arrived; 408 when there was none. What speaks of this moment alone (408, 480, 5xx) is tried
    /// again after 5, 10, 20 … 300 seconds.
    ///
    /// MS-PRES 3.2 (first log-on)
    pub fn answered(&mut self, now: Instant, status: u16) {
        let members = self.state == LogOnState::SettingMembers;
        if !members && self.state != LogOnState::PublishingDefaults {
            return;
        }
        match status {
            0..=199 => {}
            200..=299 => {
                self.members_taken |= members;
                self.defaults_taken |= !members;
                self.failures = 0;
                self.go(LogOnTrigger::Taken);
            }
            409 if self.conflicts < CONFLICTS_MAX => {
                self.conflicts += 1;
                self.go(LogOnTrigger::Conflict);
            }
            408 | 480 | 500..=599 => {
                let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(16)).min(LAST_RETRY);
                self.failures += 1;
                self.retry = Some(now + wait);
                self.go(LogOnTrigger::Failed);
            }
            _ => self.go(LogOnTrigger::Refused),
        }
    }

    /// Lets time pass until `now`.
    ///
    /// docs/states/first-log-on.md
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.retry.is_some_and(|retry| retry <= now) {
            self.retry = None;
            self.go(LogOnTrigger::WaitOver);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    ///
    /// docs/states/first-log-on.md
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.retry
    }

    /// Appends the body of the request to send now, if one is due.
    ///
    /// MS-PRES 2.2.2.1, 2.2.2.3
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> Option<Transmit> {
        if self.state != LogOnState::Ready {
            return None;
        }
        let (Some(own), Some(privacy)) = (&self.own, self.privacy) else { return None };
        let before = out.len();
        let members = missing_members(own, privacy).filter(|_| !self.members_taken);
        if let Some(members) = members {
            members.emit(out);
            self.go(LogOnTrigger::MembersSent);
            return Some(Transmit { content_type: CONTAINERS_CONTENT_TYPE, size: out.len() - before });
        }
        let publications = missing_defaults(own);
        if !publications.is_empty() && !self.defaults_taken {
            CategoryPublish { uri: self.uri.as_str().into(), publications }.emit(out);
            self.go(LogOnTrigger::DefaultsSent);
            return Some(Transmit { content_type: PUBLISH_CONTENT_TYPE, size: out.len() - before });
        }
        self.go(LogOnTrigger::NothingMissing);
        None
    }

    /// Where the machine stands.
    ///
    /// docs/states/first-log-on.md
    #[must_use]
    pub fn state(&self) -> LogOnState {
        self.state
    }

    /// Whether nothing will be sent any more.
    ///
    /// docs/states/first-log-on.md
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, LogOnState::Done | LogOnState::Refused)
    }

    fn look(&mut self) {
        if self.own.is_some() && self.privacy.is_some() {
            self.go(LogOnTrigger::Known);
        }
    }

    fn go(&mut self, trigger: LogOnTrigger) {
        self.state = step(self.state, trigger);
        if self.is_over() {
            // A user's own data may be large, and are not needed any more.
            self.own = None;
        }
    }
}

/// Waits after failures.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_mins(5);
/// How often the server's versions are taken over.
const CONFLICTS_MAX: u32 = 3;
