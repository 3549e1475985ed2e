//! A simulated base station with its handsets: it ends the radio and carries network layer messages and bearers.
//!
//! Sans-IO: one connection to the server, one media socket per speech channel.

mod config;
mod radio;
mod server;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use dect_nwk::LinkId;
use dect_nwk::identity::Ipei;
use rfp_link::{BearerId, CipherKey, ConnectionId, Link};

pub use config::BaseConfig;

use crate::handset::{Handset, HandsetEvent};
use crate::json::HandsetCommand;
use crate::seed::{Random, Seed};
use crate::talk::TalkPlan;

/// What comes from the connection to the server.
///
/// docs/radio-link.md 2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A connection is up; each one begins anew.
    Opened,
    /// Octets, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection is gone.
    Closed,
}

/// Octets were appended to the caller's buffer, to be sent to the server.
///
/// docs/radio-link.md 2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// How many octets were appended.
    pub len: usize,
}

/// What happened at the base station, and what its shell has to do.
///
/// docs/radio-link.md 4
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The link to the server is up.
    ServerUp {
        /// The server's name.
        name: String,
    },
    /// The link is gone; the shell closes the connection and connects again.
    ServerDown {
        /// Why, in one line.
        reason: String,
    },
    /// The server refuses this base station, or the other way round; the shell closes the connection.
    Refused {
        /// Why, in clear words.
        text: String,
    },
    /// A handset shows or plays something.
    Handset {
        /// Which one.
        ipei: Ipei,
        /// What.
        event: HandsetEvent,
    },
    /// Audio of a handset begins on a speech channel.
    BearerStarted {
        /// The position in [`BaseConfig::media`].
        channel: usize,
        /// The handset.
        ipei: Ipei,
        /// The stream.
        plan: Box<TalkPlan>,
        /// Where packets go.
        peer: SocketAddr,
    },
    /// Audio on a speech channel ends.
    BearerStopped {
        /// The position in [`BaseConfig::media`].
        channel: usize,
        /// The handset.
        ipei: Ipei,
    },
}

/// A handset at this base station.
#[derive(Debug)]
struct Portable {
    handset: Handset,
    in_range: bool,
    pmid: u32,
}

/// A connection of the data link layer, over the air and to the server.
#[derive(Debug)]
struct Air {
    portable: usize,
    link: LinkId,
    /// The key the server gave.
    server_key: Option<CipherKey>,
    /// The key the handset has.
    portable_key: Option<CipherKey>,
    /// The handset wants ciphering switched and waits for the server's key.
    wants: Option<bool>,
}

/// Audio on a speech channel.
#[derive(Clone, Copy, Debug)]
struct Bearer {
    connection: ConnectionId,
    channel: usize,
    portable: usize,
}

/// A base station.
///
/// docs/radio-link.md 4
#[derive(Debug)]
pub struct BaseStation {
    config: BaseConfig,
    random: Random,
    link: Option<Link>,
    up: bool,
    portables: Vec<Portable>,
    air: BTreeMap<ConnectionId, Air>,
    bearers: BTreeMap<BearerId, Bearer>,
    next_connection: u32,
    events: VecDeque<Event>,
}

impl BaseStation {
    /// A base station without a connection, its handsets switched off.
    ///
    /// docs/radio-link.md 3
    pub fn new(_now: Instant, config: BaseConfig, seed: Seed) -> Self {
        let mut random = Random::new(seed);
        let portables = config
            .handsets
            .iter()
            .map(|handset| Portable {
                handset: Handset::new(handset.clone(), random.seed()),
                in_range: true,
                // A default PMID: 1110 and sixteen random bits (EN 300 175-6 11.7.2).
                pmid: 0xe_0000 | (random.number() & 0xffff),
            })
            .collect();
        Self {
            config,
            random,
            link: None,
            up: false,
            portables,
            air: BTreeMap::new(),
            bearers: BTreeMap::new(),
            next_connection: 0,
            events: VecDeque::new(),
        }
    }

    /// Takes what the connection brought.
    ///
    /// docs/radio-link.md 2
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Opened => self.opened(now),
            Input::Bytes(bytes) => {
                if let Some(link) = &mut self.link {
                    // A breach of the server is also the event Down.
                    let _ = link.handle_input(now, rfp_link::Input::Bytes(bytes));
                }
            }
            Input::Closed => {
                if let Some(link) = &mut self.link {
                    let _ = link.handle_input(now, rfp_link::Input::Closed);
                }
            }
        }
        self.settle(now);
    }

    /// Lets time pass.
    ///
    /// docs/radio-link.md 6
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(link) = &mut self.link
            && link.poll_timeout().is_some_and(|due| due <= now)
        {
            link.handle_timeout(now);
        }
        for portable in &mut self.portables {
            if portable.handset.poll_timeout().is_some_and(|due| due <= now) {
                portable.handset.handle_timeout(now);
            }
        }
        self.settle(now);
    }

    /// Has a handset do something; false: there is no such handset.
    ///
    /// docs/radio-link.md 4
    pub fn command(&mut self, now: Instant, ipei: Ipei, command: &HandsetCommand) -> bool {
        let Some(at) = self.portables.iter().position(|portable| portable.handset.ipei() == ipei) else {
            return false;
        };
        match command {
            HandsetCommand::WalkOut => self.walk_out(now, at),
            HandsetCommand::WalkIn => self.walk_in(now, at),
            command => {
                if let Some(portable) = self.portables.get_mut(at) {
                    portable.handset.command(now, command);
                }
            }
        }
        self.settle(now);
        true
    }

    /// Closes the link on purpose.
    ///
    /// docs/radio-link.md 6
    pub fn close(&mut self, now: Instant) {
        if let Some(link) = &mut self.link {
            link.close(now, rfp_link::Reason::ShutDown);
        }
        self.settle(now);
    }

    /// A handset.
    ///
    /// EN 300 175-6 10.2
    pub fn handset(&self, ipei: Ipei) -> Option<&Handset> {
        self.portables.iter().map(|portable| &portable.handset).find(|handset| handset.ipei() == ipei)
    }

    /// Whether the link to the server is up.
    ///
    /// docs/radio-link.md 7
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// What is to be sent to the server: appended to `buffer`.
    ///
    /// docs/radio-link.md 2
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let transmit = self.link.as_mut()?.poll_transmit(buffer)?;
        Some(Transmit { len: transmit.len })
    }

    /// What happened, and what the shell has to do.
    ///
    /// docs/radio-link.md 4
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    ///
    /// docs/radio-link.md 6
    pub fn poll_timeout(&self) -> Option<Instant> {
        let handsets = self.portables.iter().filter_map(|portable| portable.handset.poll_timeout());
        handsets.chain(self.link.as_ref().and_then(Link::poll_timeout)).min()
    }

    /// Lets the link and the handsets talk to each other until nothing is left to do.
    fn settle(&mut self, now: Instant) {
        loop {
            let events = self.link_events(now);
            let sent = self.handsets_transmit(now);
            if !events && !sent {
                break;
            }
        }
        for portable in &mut self.portables {
            while let Some(event) = portable.handset.poll_event() {
                self.events.push_back(Event::Handset { ipei: portable.handset.ipei(), event });
            }
        }
    }
}
