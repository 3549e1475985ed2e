//! Allocations that are made before they are needed, and shared by all calls of their owner.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::allocation::State;
use super::client::{Client, ClientConfig, Event, Failure, Input, Transmit};
use crate::error::{Error, Refusal};
use crate::seed::{Seed, Words};

/// One of the allocations.
///
/// RFC 8656 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationNumber(pub u32);

/// Some allocations, of which a few always stand and are free.
///
/// RFC 8656 5, 8
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warm {
    config: ClientConfig,
    words: Words,
    /// How many are to stand and be free.
    wanted: usize,
    next: u32,
    clients: BTreeMap<AllocationNumber, (Client, Use)>,
    /// After a failure nothing new is tried before.
    retry_at: Option<Instant>,
    wait: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    Free,
    Lent,
    Over,
}

/// Least wait after a failure; doubled up to [`WAIT_MAX`].
const WAIT: Duration = Duration::from_secs(2);
/// Longest wait after a failure.
const WAIT_MAX: Duration = Duration::from_mins(5);

impl Warm {
    /// Nothing is asked for before the first [`Warm::handle_timeout`].
    ///
    /// RFC 8656 7
    #[must_use]
    pub const fn new(config: ClientConfig, wanted: usize, seed: Seed) -> Self {
        Self {
            config,
            words: Words::new(seed),
            wanted,
            next: 0,
            clients: BTreeMap::new(),
            retry_at: None,
            wait: WAIT,
        }
    }

    /// Takes what came from a server for one of them.
    ///
    /// RFC 8656 7.3, 11
    pub fn handle_input(
        &mut self,
        now: Instant,
        number: AllocationNumber,
        input: Input<'_>,
    ) -> Result<(), Error> {
        match self.clients.get_mut(&number) {
            Some((client, _)) => client.handle_input(now, input),
            None => Err(Error::Refused(Refusal::NoAllocation)),
        }
    }

    /// Does what is due, and asks for allocations that are missing.
    ///
    /// RFC 8656 7.1, 8
    pub fn handle_timeout(&mut self, now: Instant) {
        for (client, _) in self.clients.values_mut() {
            client.handle_timeout(now);
        }
        self.fill(now);
    }

    /// Lends one that stands and was used by nobody; another one is asked for in its place.
    ///
    /// RFC 8656 5
    pub fn take(&mut self, now: Instant) -> Result<AllocationNumber, Error> {
        let free = self.clients.iter_mut().find(|(_, (client, usage))| {
            *usage == Use::Free && matches!(client.state(), State::Standing | State::Refreshing)
        });
        let Some((number, (_, usage))) = free else {
            return Err(Error::Refused(Refusal::NoAllocation));
        };
        let number = *number;
        *usage = Use::Lent;
        self.fill(now);
        Ok(number)
    }

    /// Takes one back. It is given back to the server: what its peers were allowed must not pass to another call.
    ///
    /// RFC 8656 8
    pub fn give_back(&mut self, now: Instant, number: AllocationNumber) {
        if let Some((client, usage)) = self.clients.get_mut(&number) {
            *usage = Use::Over;
            client.release(now);
        }
        self.fill(now);
    }

    /// The client of one of them: to let peers in, to send, to wrap and unwrap.
    ///
    /// RFC 8656 9, 12
    pub fn client(&mut self, number: AllocationNumber) -> Option<&mut Client> {
        self.clients.get_mut(&number).map(|(client, _)| client)
    }

    /// New credentials, for allocations made from now on; those that stand go on with theirs.
    ///
    /// MS-AVEDGEA 3.1
    pub fn renew(&mut self, now: Instant, config: ClientConfig) {
        self.config = config;
        self.retry_at = None;
        self.wait = WAIT;
        self.fill(now);
    }

    /// The next octets for a server, and whose they are.
    ///
    /// RFC 8656 5
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<(AllocationNumber, Transmit)> {
        self.clients.iter_mut().find_map(|(number, (client, _))| {
            client.poll_transmit(buffer).map(|transmit| (*number, transmit))
        })
    }

    /// The next event, and whose it is.
    ///
    /// RFC 8656 5
    pub fn poll_event(&mut self, now: Instant) -> Option<(AllocationNumber, Event)> {
        let (number, event) = self
            .clients
            .iter_mut()
            .find_map(|(number, (client, _))| client.poll_event().map(|event| (*number, event)))?;
        match event {
            Event::Failed(_) | Event::Lost(_) | Event::Released => {
                self.clients.remove(&number);
                if let Event::Failed(failure) | Event::Lost(failure) = event {
                    self.failed(now, failure);
                } else {
                    self.fill(now);
                }
            }
            Event::Allocated { .. } => self.wait = WAIT,
            _ => {}
        }
        Some((number, event))
    }

    /// When [`Warm::handle_timeout`] is to be called.
    ///
    /// RFC 8656 8
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.clients.values().filter_map(|(client, _)| client.poll_timeout()).chain(self.retry_at).min()
    }

    /// How many stand and are free.
    ///
    /// RFC 8656 5
    pub fn free(&self) -> usize {
        let stands = |client: &Client| matches!(client.state(), State::Standing | State::Refreshing);
        self.clients.values().filter(|(client, usage)| *usage == Use::Free && stands(client)).count()
    }

    fn failed(&mut self, now: Instant, failure: Failure) {
        // Credentials that are not taken are not tried again before there are others.
        self.retry_at = match failure {
            Failure::Credentials(_) => now.checked_add(WAIT_MAX),
            _ => now.checked_add(self.wait),
        };
        self.wait = self.wait.saturating_mul(2).min(WAIT_MAX);
    }

    /// Asks for what is missing.
    fn fill(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at > now) {
            return;
        }
        self.retry_at = None;
        let free = self.clients.values().filter(|(_, usage)| *usage == Use::Free).count();
        for _ in free..self.wanted {
            let mut client = Client::new(self.config.clone(), Seed(self.words.octets::<32>(b"allocation")));
            if client.allocate(now).is_ok() {
                self.clients.insert(AllocationNumber(self.next), (client, Use::Free));
                self.next = self.next.wrapping_add(1);
            }
        }
    }
}
