//! One agent: candidates in, checks out, a pair for each component.

mod begin;
mod checks;
mod choice;
mod claim;
mod config;
mod describe;
mod gather;
mod keep_alive;
mod patience;
mod requests;
mod responses;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use bytes::BytesMut;

use super::admission::Admitted;
use super::candidate::{Local, Remote};
use super::checklist::Checklist;
use super::credentials::Credentials;
use super::dialect::Dialect;
use super::phase::{self, Effect, State, Trigger};
use super::role::Role;
use crate::error::{Breach, Error};
use crate::seed::{Seed, Words};
use crate::stun::{self, Class, Message, Method, TransactionId};

pub use begin::Begun;
pub use claim::Claim;
pub use config::{Config, Nomination};
pub use vocabulary::{Event, Failure, Input, Path, Protocol, Selected, Transmit};

use checks::Check;
use gather::Query;
use keep_alive::Component;
use requests::{Budget, Early};

/// An agent of one media stream.
///
/// RFC 8445, MS-ICE2, MS-ICE
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agent {
    config: Config,
    state: State,
    role: Role,
    tie_breaker: u64,
    words: Words,
    /// Ours: one, in draft 6 one for each foundation.
    ours: Vec<Credentials>,
    locals: Vec<Local>,
    /// What each foundation stands for. RFC 8445 5.1.1.3
    foundations: Vec<gather::Foundation>,
    theirs: Vec<Credentials>,
    remotes: Vec<Remote>,
    remote_lite: bool,
    remote_mux: bool,
    list: Checklist,
    checks: BTreeMap<TransactionId, Check>,
    queries: Vec<Query>,
    early: Vec<Early>,
    components: Vec<Component>,
    open: BTreeSet<Path>,
    /// The peer has sent IMPLEMENTATION-VERSION: nothing is sent twice any more. MS-ICE2 3.1.4.8.2
    version_seen: bool,
    /// The controlling peer has sent a check without USE-CANDIDATE: its nomination is regular.
    plain_checks_seen: bool,
    next_check: Option<Instant>,
    patience: Option<Instant>,
    phase_end: Option<Instant>,
    admitted: Admitted,
    /// Credentials before a restart: their checks are answered, because media is still on their pairs.
    retired: Vec<Credentials>,
    refusals: Budget,
    out: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Event>,
}

/// The most messages that wait to be drained; what is beyond is lost, as on a network.
const MOST_WAITING: usize = 1024;

/// The largest message an agent reads: larger ones are nobody's checks.
///
/// RFC 8489 6.1
pub const LARGEST_MESSAGE: usize = 1500;

impl Agent {
    /// An agent without candidates.
    ///
    /// RFC 8445 5
    pub fn new(config: Config, seed: Seed) -> Self {
        let mut words = Words::new(seed);
        let tie_breaker = u64::from_be_bytes(words.octets(b"ice tie-breaker"));
        let ours = if config.dialect.is_draft06() {
            Vec::new()
        } else {
            vec![Credentials::generate(config.dialect, &words.secret())]
        };
        Self {
            config,
            state: State::default(),
            role: config.role,
            tie_breaker,
            words,
            ours,
            locals: Vec::new(),
            foundations: Vec::new(),
            theirs: Vec::new(),
            remotes: Vec::new(),
            remote_lite: false,
            remote_mux: false,
            list: Checklist::default(),
            checks: BTreeMap::new(),
            queries: Vec::new(),
            early: Vec::new(),
            components: (1..=config.components.clamp(1, 2)).map(Component::new).collect(),
            open: BTreeSet::new(),
            version_seen: false,
            plain_checks_seen: false,
            next_check: None,
            patience: None,
            phase_end: None,
            admitted: Admitted::ALL,
            retired: Vec::new(),
            refusals: Budget::default(),
            out: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes what came from below. An error says what was wrong with it and that it had no effect.
    ///
    /// RFC 8445 7.2.5, 7.3
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        let outcome = match input {
            Input::Packet { path, data } => self.handle_packet(now, path, data),
            Input::Opened { path } => {
                self.handle_opened(path);
                Ok(())
            }
            Input::Closed { path } => {
                self.handle_closed(now, path);
                Ok(())
            }
        };
        // A triggered check goes out at once if Ta allows it.
        self.run_checks(now);
        outcome
    }

    /// Sends what is due and gives up what is over.
    ///
    /// RFC 8445 14, RFC 8863 4
    pub fn handle_timeout(&mut self, now: Instant) {
        self.run_queries(now);
        self.run_patience(now);
        self.run_checks(now);
        self.run_keep_alives(now);
    }

    /// The next message to be sent, appended to the buffer.
    ///
    /// RFC 8445 7.2
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let (path, octets) = self.out.pop_front()?;
        buffer.extend_from_slice(&octets);
        Some(Transmit { path, len: octets.len() })
    }

    /// The next event.
    ///
    /// RFC 8445 8
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Agent::handle_timeout`] is to be called next.
    ///
    /// RFC 8445 14
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.queries_due(), self.checks_due(), self.keep_alive_due(), self.patience_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Where it stands.
    ///
    /// RFC 8445 6.1.3
    pub const fn state(&self) -> State {
        self.state
    }

    /// Its role now.
    ///
    /// RFC 8445 6.1.1
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Its dialect.
    ///
    /// MS-ICE2 1.3
    pub const fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// The candidates of this agent, in the order they were found.
    ///
    /// RFC 8445 5.3
    pub fn local_candidates(&self) -> &[Local] {
        &self.locals
    }

    /// The candidates of the peer: those it described and those that were learnt.
    ///
    /// RFC 8445 5.3, 7.3.1.3
    pub fn remote_candidates(&self) -> &[Remote] {
        &self.remotes
    }

    /// The pair of a component.
    ///
    /// RFC 8445 8.1.2
    pub fn selected(&self, component: u16) -> Option<Selected> {
        self.components.iter().find(|c| c.number == component)?.selected
    }

    /// Where media of a component goes to a peer that speaks no ICE.
    ///
    /// RFC 8839 4.2.5
    pub fn plain(&self, component: u16) -> Option<Path> {
        self.components.iter().find(|c| c.number == component && self.state == State::Plain)?.plain
    }

    /// How many pairs are in the check list.
    ///
    /// RFC 8445 6.1.2.5
    pub fn pair_count(&self) -> usize {
        self.list.pairs.len()
    }

    fn handle_packet(&mut self, now: Instant, path: Path, data: &[u8]) -> Result<(), Error> {
        if data.len() > LARGEST_MESSAGE {
            return Err(Breach::OversizedCheck.into());
        }
        if let Some(outcome) = self.handle_server(now, path, data) {
            return outcome;
        }
        let message = match Message::parse(self.stun_dialect(), data) {
            Ok(message) => message,
            Err(error) => return self.handle_legacy(now, path, data).ok_or(Error::Malformed(error)),
        };
        match (message.class(), message.method()) {
            (Class::Request, Method::Binding) => self.handle_request(now, path, &message),
            (Class::Success | Class::Error, Method::Binding) => self.handle_response(now, path, &message),
            // A keep-alive. RFC 8445 11
            (Class::Indication, Method::Binding) => Ok(()),
            _ => Err(Breach::NoCheck.into()),
        }
    }

    /// What a step of the agent's life demands.
    fn advance(&mut self, now: Instant, trigger: Trigger, failure: Failure) {
        let (next, effects) = phase::step(self.state, trigger);
        self.state = next;
        for effect in effects {
            match effect {
                Effect::ReportGathered => self.events.push_back(Event::Gathered),
                Effect::StartChecks => self.start_checks(now),
                Effect::ReportConnected => {
                    self.patience = None;
                    self.events.push_back(Event::Connected);
                }
                Effect::ReportPlain => self.report_plain(),
                Effect::ReportFailed => {
                    self.stop_checks();
                    for component in &mut self.components {
                        (component.due, component.expires) = (None, None);
                    }
                    self.events.push_back(Event::Failed(failure));
                }
                Effect::RenewCredentials => self.renew_credentials(),
            }
        }
    }

    fn send(&mut self, path: Path, octets: Vec<u8>) {
        if self.out.len() < MOST_WAITING {
            self.out.push_back((path, octets));
        }
    }

    /// How checks of this dialect are written.
    const fn stun_dialect(&self) -> stun::Dialect {
        match self.config.dialect {
            Dialect::Rfc8445 => stun::Dialect::Rfc8489,
            Dialect::MsIce2 => stun::Dialect::MsIce2,
            Dialect::Draft06 => stun::Dialect::Draft06,
        }
    }

    fn transaction(&mut self) -> TransactionId {
        TransactionId::new(self.stun_dialect(), self.words.octets(b"stun transaction"))
    }
}
