//! Publishing a document with PUBLISH requests and entity tags: one request at a time, the newest document wins.
#![doc = include_str!("../docs/states/publication-agent.md")]

mod state;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub use state::{AgentState, AgentTrigger, step};

/// How long a publication lives, and how failures are met.
///
/// RFC 3903 4.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AgentConfig {
    /// How long the server is asked to keep what is published (3600 s).
    pub expires: Duration,
    /// Wait after the first failure (5 s); it doubles with every further one.
    pub first_retry: Duration,
    /// Longest wait (300 s).
    pub last_retry: Duration,
}

impl AgentConfig {
    /// An hour, and waits of 5 to 300 seconds.
    ///
    /// RFC 3903 4.1
    #[must_use]
    pub fn new() -> Self {
        Self {
            expires: Duration::from_hours(1),
            first_retry: Duration::from_secs(5),
            last_retry: Duration::from_mins(5),
        }
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// What comes from the server.
///
/// RFC 3903 4
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The answer to the request.
    Answer(Answer<'a>),
    /// There was none, or the connection is gone.
    NoAnswer,
}

/// An answer to a PUBLISH request.
///
/// RFC 3903 4, 6
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// `SIP-ETag`.
    pub entity_tag: Option<&'a str>,
    /// `Expires`, in seconds.
    pub expires: Option<u32>,
    /// `Min-Expires`, in seconds.
    pub min_expires: Option<u32>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
}

/// What a request does.
///
/// RFC 3903 4.1, table 1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// A body without `SIP-If-Match`.
    Initial,
    /// `SIP-If-Match` without a body.
    Refresh,
    /// `SIP-If-Match` and a body.
    Modify,
    /// `SIP-If-Match` and `Expires: 0`, without a body.
    Remove,
}

/// A request to be sent, with exactly one `Event: presence`.
///
/// RFC 3903 4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transmit {
    /// What it does.
    pub operation: Operation,
    /// `SIP-If-Match`, exactly one tag.
    pub if_match: Option<String>,
    /// `Expires`, in seconds.
    pub expires: u32,
    /// How many octets of the buffer are its body; a request without body has no `Content-Type`.
    pub size: usize,
}

/// What the owner learns.
///
/// RFC 3903 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The server holds the newest document.
    Published,
    /// The server holds nothing any more.
    Removed,
    /// The server does not take it, and would not if it were asked again.
    Refused(u16),
}

/// The publication of one document at a server: the event publication agent.
///
/// Call a verb or `handle_…`, then drain [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout).
///
/// RFC 3903 4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicationAgent {
    config: AgentConfig,
    state: AgentState,
    /// What is to be published; nothing: what was is to be removed.
    desired: Option<Bytes>,
    /// What the server took last.
    held: Option<Bytes>,
    entity_tag: Option<String>,
    /// When the server forgets it.
    until: Option<Instant>,
    sent: Option<Bytes>,
    /// What the server asks for at least.
    min_expires: u32,
    briefs: u32,
    failures: u32,
    deadline: Option<Instant>,
    event: Option<Event>,
}

impl PublicationAgent {
    /// Nothing is published, and nothing is to be.
    ///
    /// RFC 3903 4
    #[must_use]
    pub fn new(config: AgentConfig) -> Self {
        Self {
            config,
            state: AgentState::Unpublished,
            desired: None,
            held: None,
            entity_tag: None,
            until: None,
            sent: None,
            min_expires: 0,
            briefs: 0,
            failures: 0,
            deadline: None,
            event: None,
        }
    }

    /// This document is to be published; whatever waited is forgotten.
    ///
    /// RFC 3903 4.2, 4.4
    pub fn publish(&mut self, now: Instant, document: Bytes) {
        self.handle_timeout(now);
        if self.desired.as_ref() != Some(&document) {
            self.desired = Some(document);
            self.briefs = 0;
            self.go(AgentTrigger::Wanted);
        }
    }

    /// What is published is to be removed.
    ///
    /// RFC 3903 4.5
    pub fn remove(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.desired = None;
        self.go(AgentTrigger::Unwanted);
        self.settle();
    }

    /// An answer has arrived, or will not.
    ///
    /// RFC 3903 4
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        let Some(operation) = self.state.operation() else { return };
        match input {
            Input::NoAnswer => self.fail(now, operation, None),
            Input::Answer(answer) => match answer.status {
                0..=199 => {}
                200..=299 => self.accepted(now, operation, answer),
                412 if operation != Operation::Initial => {
                    // The server has forgotten it: from the beginning.
                    self.forget();
                    self.go(AgentTrigger::Stale);
                    if operation == Operation::Remove {
                        self.event = Some(Event::Removed);
                    }
                    self.settle();
                }
                423 if operation != Operation::Remove => self.too_brief(answer),
                408 | 412 | 423 | 480 | 500..=599 => self.fail(now, operation, answer.retry_after),
                status => self.refused(status),
            },
        }
        if self.state.operation().is_none() {
            self.sent = None;
        }
        // What was asked for while the end of it was on its way.
        if self.state == AgentState::Unpublished && self.desired.is_some() {
            self.go(AgentTrigger::Wanted);
        }
    }

    /// Lets time pass until `now`.
    ///
    /// RFC 3903 4.3
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) && self.state.operation().is_none() {
            // Too late to be refreshed: the server has forgotten it by now.
            self.forget();
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.go(AgentTrigger::Deadline);
            self.settle();
        }
    }

    /// Appends the body of the request to send now, if one is due.
    ///
    /// RFC 3903 4.1, table 1
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> Option<Transmit> {
        if self.state != AgentState::Due {
            return None;
        }
        let tag = self.entity_tag.clone();
        let (operation, body) = match (&tag, &self.desired) {
            (None, Some(document)) => (Operation::Initial, Some(document.clone())),
            (Some(_), Some(document)) if self.held.as_ref() == Some(document) => (Operation::Refresh, None),
            (Some(_), Some(document)) => (Operation::Modify, Some(document.clone())),
            (Some(_), None) => (Operation::Remove, None),
            (None, None) => return None,
        };
        let asked = u32::try_from(self.config.expires.as_secs()).unwrap_or(u32::MAX);
        let asked = asked.max(self.min_expires).max(1);
        let size = body.as_ref().map_or(0, Bytes::len);
        out.extend_from_slice(body.as_deref().unwrap_or_default());
        self.sent = body.or_else(|| self.held.clone());
        self.go(AgentTrigger::Sent(operation));
        Some(Transmit {
            operation,
            if_match: tag,
            expires: if operation == Operation::Remove { 0 } else { asked },
            size,
        })
    }

    /// What has happened.
    ///
    /// RFC 3903 4
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// RFC 3903 4.3
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Where the machine stands.
    ///
    /// RFC 3903 4
    #[must_use]
    pub fn state(&self) -> AgentState {
        self.state
    }

    /// The tag of what the server holds.
    ///
    /// RFC 3903 6 (SIP-ETag)
    #[must_use]
    pub fn entity_tag(&self) -> Option<&str> {
        self.entity_tag.as_deref()
    }

    fn accepted(&mut self, now: Instant, operation: Operation, answer: Answer<'_>) {
        self.failures = 0;
        self.briefs = 0;
        self.entity_tag = answer.entity_tag.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned);
        self.held = self.sent.take();
        // A server may shorten the life of a publication, never lengthen it.
        let asked = self.config.expires.max(Duration::from_secs(self.min_expires.into()));
        let given = answer.expires.map_or(asked, |seconds| Duration::from_secs(seconds.into()));
        let life = given.min(asked).max(Duration::from_secs(1));
        self.go(AgentTrigger::Accepted);
        if operation == Operation::Remove {
            self.forget();
            self.event = Some(Event::Removed);
            return;
        }
        self.until = Some(now + life);
        self.deadline = Some(now + life.saturating_sub((life / 2).min(EARLY)));
        if self.desired == self.held {
            self.event = Some(Event::Published);
        } else if self.desired.is_some() {
            self.go(AgentTrigger::Wanted);
        } else {
            self.go(AgentTrigger::Unwanted);
            self.settle();
        }
    }

    /// A longer life is asked for, unless the server does not say how long, or says it again and again.
    fn too_brief(&mut self, answer: Answer<'_>) {
        let asked = u32::try_from(self.config.expires.as_secs()).unwrap_or(u32::MAX).max(self.min_expires);
        self.briefs += 1;
        match answer.min_expires {
            Some(least) if least > asked && self.briefs <= BRIEFS_MAX => {
                self.min_expires = least;
                self.go(AgentTrigger::TooBrief);
                self.settle();
            }
            _ => self.refused(answer.status),
        }
    }

    /// The same would be refused again; another document, or the end of it, may be taken.
    fn refused(&mut self, status: u16) {
        self.event = Some(Event::Refused(status));
        if self.state == AgentState::Removing {
            self.forget();
        }
        self.go(AgentTrigger::Refused);
        if self.state == AgentState::Stopped {
            match &self.desired {
                None => self.go(AgentTrigger::Unwanted),
                Some(_) if self.desired != self.sent => self.go(AgentTrigger::Wanted),
                Some(_) => {}
            }
            self.settle();
        }
    }

    fn fail(&mut self, now: Instant, operation: Operation, retry_after: Option<u32>) {
        let wait =
            self.config.first_retry.saturating_mul(1 << self.failures.min(16)).min(self.config.last_retry);
        self.failures += 1;
        // Some servers answer a tag that they do not know with a server error (kamailio on a database of texts): the second
        // failure in a row is met with a new beginning.
        if self.failures > 1 && operation != Operation::Initial {
            self.forget();
        }
        let asked = Duration::from_secs(retry_after.unwrap_or(0).min(RETRY_AFTER_MAX).into());
        self.go(AgentTrigger::Failed);
        self.deadline = Some(now + wait.max(asked));
    }

    fn forget(&mut self) {
        self.entity_tag = None;
        self.held = None;
        self.until = None;
    }

    /// Without a tag there is nothing to be removed.
    fn settle(&mut self) {
        if self.state == AgentState::Due && self.desired.is_none() && self.entity_tag.is_none() {
            self.forget();
            self.event = Some(Event::Removed);
            self.go(AgentTrigger::NothingLeft);
        }
    }

    fn go(&mut self, trigger: AgentTrigger) {
        let next = step(self.state, trigger);
        if next != self.state {
            self.deadline = None;
        }
        self.state = next;
    }
}

/// A publication is refreshed so long before its end, or after half of its life.
const EARLY: Duration = Duration::from_mins(2);
/// How often a server may ask for a longer life before it is not believed.
const BRIEFS_MAX: u32 = 3;
/// The longest wait that a server can ask for, in seconds.
const RETRY_AFTER_MAX: u32 = 3600;
