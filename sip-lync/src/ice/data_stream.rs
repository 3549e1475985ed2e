//! The ICE of one media line in a call: the agents of our offer while it forks, then the one agent of the call.

use core::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;

use super::agent::{Agent, Begun, Config, Event, Failure, Input, Path, Protocol, Transmit};
use super::candidate::Transport;
use super::description::Description;
use super::dialect::Dialect;
use super::forks::{Fork, Forks};
use super::phase::State;
use super::role::Role;
use crate::error::{Error, Refusal};
use crate::sdp::{Attribute, Connection, MediaDescription, SessionDescription};
use crate::seed::{Seed, Words};

/// The ICE half of one media line with RTP and RTCP on UDP, from the first offer to the end of the call.
///
/// The owner gives it the descriptions and the STUN messages, sends what it has to send, and asks after each of these
/// where it stands: [`DataStream::state`], [`DataStream::path`].
///
/// RFC 8445 4, RFC 8839 4, MS-ICE2 3.1.4, MS-SDPEXT 3.1.5.12
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataStream {
    stage: Stage,
    bases: [SocketAddr; 2],
    failure: Option<Failure>,
    /// The last offer was sent, or is not due.
    last_offer_sent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Our offer has gone out; the fork that has answered last.
    Offered(Box<Forks>, Option<Fork>),
    /// The agent of the call.
    Agreed(Box<Agent>),
}

impl DataStream {
    /// A stream that is offered from these sockets for RTP and RTCP, in each of the dialects; the preferred one first.
    ///
    /// RFC 8839 4.2.1, MS-ICE2 3.1.4
    pub fn offer(
        now: Instant,
        dialects: &[Dialect],
        bases: [SocketAddr; 2],
        rfc3489: bool,
        seed: Seed,
    ) -> Result<Self, Error> {
        let mut words = Words::new(seed);
        let agents = dialects
            .iter()
            .map(|dialect| {
                let mut config = Config::new(*dialect, Role::Controlling);
                config.rfc3489 = rfc3489;
                agent(now, config, bases, Seed(words.octets(b"ice offer")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if agents.is_empty() {
            return Err(Refusal::NoCandidate.into());
        }
        Ok(Self::new(Stage::Offered(Box::new(Forks::new(agents)), None), bases))
    }

    /// A stream that was offered to us; `None` when the peer speaks no ICE. `ours` decides what the description leaves
    /// open.
    ///
    /// RFC 8839 4.2.2, MS-ICE2 3.1.4
    pub fn answer(
        now: Instant,
        ours: Dialect,
        bases: [SocketAddr; 2],
        rfc3489: bool,
        seed: Seed,
        session: &SessionDescription,
        media: &MediaDescription,
    ) -> Result<Option<Self>, Error> {
        let description = Description::read(session, media, ours);
        let Some(dialect) = description.dialect else { return Ok(None) };
        let mut config = Config::new(dialect, Role::Controlled);
        config.rfc3489 = rfc3489;
        let mut agent = agent(now, config, bases, seed)?;
        agent.begin(now, &description)?;
        let mut stream = Self::new(Stage::Agreed(Box::new(agent)), bases);
        stream.drain();
        Ok(Some(stream))
    }

    const fn new(stage: Stage, bases: [SocketAddr; 2]) -> Self {
        Self { stage, bases, failure: None, last_offer_sent: false }
    }

    /// Takes the answer in a provisional response of a fork: its checks begin.
    ///
    /// RFC 8839 4.3, MS-SDPEXT 3.1.5.12
    pub fn early(
        &mut self,
        now: Instant,
        fork: Fork,
        session: &SessionDescription,
        media: &MediaDescription,
    ) -> Result<Begun, Error> {
        match &mut self.stage {
            Stage::Offered(forks, current) => {
                let begun = forks.answer(now, fork, session, media)?;
                *current = Some(fork);
                self.drain();
                Ok(begun)
            }
            Stage::Agreed(_) => self.described(now, session, media),
        }
    }

    /// A fork has answered the call: its agent remains. `false` when that fork never described itself.
    ///
    /// RFC 3261 13.2.2.4
    pub fn answered(&mut self, fork: Fork) -> bool {
        let Stage::Offered(forks, _) = &mut self.stage else { return true };
        let Some(agent) = forks.take_agent(fork) else { return false };
        self.stage = Stage::Agreed(Box::new(agent));
        self.drain();
        true
    }

    /// Takes a later offer or answer of the peer.
    ///
    /// RFC 8839 4.4, MS-ICE2 3.1.4.8
    pub fn described(
        &mut self,
        now: Instant,
        session: &SessionDescription,
        media: &MediaDescription,
    ) -> Result<Begun, Error> {
        let Stage::Agreed(agent) = &mut self.stage else { return Err(Refusal::OtherDialect.into()) };
        let dialect = agent.dialect();
        let description = Description::read(session, media, dialect).in_dialect(dialect);
        let begun = agent.begin(now, &description)?;
        if begun == Begun::Restarted {
            self.last_offer_sent = false;
        }
        self.drain();
        Ok(begun)
    }

    /// How many descriptions an offer has: one for each dialect, later one.
    ///
    /// MS-ICE2 3.1.4
    pub fn descriptions(&self) -> usize {
        match &self.stage {
            Stage::Offered(forks, _) => forks.offered().len(),
            Stage::Agreed(_) => 1,
        }
    }

    /// Writes credentials, candidates and default addresses into the media line `line` of our description; `which` of the
    /// offered dialects. Once pairs are chosen they alone are written.
    ///
    /// RFC 8839 4.2.1.3, 4.4.1.2.2, MS-ICE2 3.1.4.8
    pub fn describe(&self, which: usize, session: &mut SessionDescription, line: usize) {
        let agent = match &self.stage {
            Stage::Offered(forks, _) => forks.offered().get(which),
            Stage::Agreed(agent) => Some(&**agent),
        };
        let Some(agent) = agent else { return };
        if agent.state() == State::Plain {
            return;
        }
        let Some(media) = session.media.get_mut(line) else { return };
        let mut attributes = Vec::new();
        if matches!(agent.state(), State::Connected | State::Completed)
            && (agent.dialect() != Dialect::Rfc8445 || agent.role() == Role::Controlling)
        {
            attributes = agent.final_attributes();
        }
        if attributes.is_empty() {
            attributes = agent.attributes();
        }
        if agent.dialect() == Dialect::Rfc8445 {
            // Nothing but this line tells the standard from MS-ICE2. RFC 8839 5.6
            attributes.insert(0, Attribute::new("ice-options", "ice2"));
            media.attributes.retain(|a| !a.is("x-ssrc-range"));
        }
        let at = media.attributes.iter().position(|a| a.is("label")).map_or(0, |at| at + 1);
        media.attributes.splice(at..at, attributes);
        let (Some(rtp), rtcp) = (agent.default_address(1), agent.default_address(2)) else { return };
        media.port = rtp.port();
        if let Some(place) = media.attributes.iter_mut().find(|a| a.is("rtcp"))
            && let Some(rtcp) = rtcp
        {
            *place = if rtcp.ip() == rtp.ip() {
                Attribute::new("rtcp", rtcp.port())
            } else {
                Attribute::new("rtcp", format_args!("{} {}", rtcp.port(), Connection::new(rtcp.ip())))
            };
        }
        session.connection = Some(Connection::new(rtp.ip()));
    }

    /// Takes a STUN message that came to the socket of a component.
    ///
    /// RFC 8445 7.3
    pub fn handle_packet(
        &mut self,
        now: Instant,
        component: u16,
        from: SocketAddr,
        data: &[u8],
    ) -> Result<(), Error> {
        let index = usize::from(component).wrapping_sub(1);
        let Some(local) = self.bases.get(index).copied() else { return Err(Refusal::NoCandidate.into()) };
        let path = Path { component, protocol: Protocol::Udp, local, remote: from };
        let input = Input::Packet { path, data };
        let outcome = match &mut self.stage {
            Stage::Offered(forks, _) => forks.handle_input(now, input),
            Stage::Agreed(agent) => agent.handle_input(now, input),
        };
        self.drain();
        outcome
    }

    /// Sends what is due and gives up what is over.
    ///
    /// RFC 8445 14
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Offered(forks, _) => forks.handle_timeout(now),
            Stage::Agreed(agent) => agent.handle_timeout(now),
        }
        self.drain();
    }

    /// The next STUN message to be sent from the socket of its component, appended to the buffer.
    ///
    /// RFC 8445 7.2
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        match &mut self.stage {
            Stage::Offered(forks, _) => forks.poll_transmit(buffer),
            Stage::Agreed(agent) => agent.poll_transmit(buffer),
        }
    }

    /// When [`DataStream::handle_timeout`] is to be called next.
    ///
    /// RFC 8445 14
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Offered(forks, _) => forks.poll_timeout(),
            Stage::Agreed(agent) => agent.poll_timeout(),
        }
    }

    /// Where the agent of the call stands; before the call is answered that of the fork that described itself last.
    ///
    /// RFC 8445 6.1.3
    pub fn state(&self) -> State {
        self.agent().map_or(State::Gathered, Agent::state)
    }

    /// Why there is no way, once that is [`DataStream::state`].
    ///
    /// RFC 8445 8.3
    pub const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// The dialect, once the peer has described itself.
    ///
    /// MS-ICE2 1.3
    pub fn dialect(&self) -> Option<Dialect> {
        self.agent().map(Agent::dialect)
    }

    /// Where media of a component goes: on the chosen pair, before that on one that works, without ICE to the address that
    /// the peer gave. `None`: nothing may be sent yet.
    ///
    /// RFC 8445 12.1
    pub fn path(&self, component: u16) -> Option<Path> {
        let agent = self.agent()?;
        let selected = agent.selected(component).map(|selected| selected.path);
        selected.or_else(|| agent.working(component)).or_else(|| agent.plain(component))
    }

    /// Whether we are to send the last offer, which names the chosen pairs. It counts as sent then.
    ///
    /// MS-ICE2 3.1.4.8, MS-ICE 3.1.6.2, RFC 8839 4.4.1.2.2
    pub fn take_last_offer(&mut self) -> bool {
        let Stage::Agreed(agent) = &self.stage else { return false };
        let due = !self.last_offer_sent
            && agent.state() == State::Connected
            && agent.role() == Role::Controlling
            && (agent.dialect() != Dialect::Rfc8445 || !self.is_as_offered(agent));
        self.last_offer_sent |= due;
        due
    }

    /// Whether the chosen pairs begin at the addresses of our offer: then the standard needs no other one.
    fn is_as_offered(&self, agent: &Agent) -> bool {
        (1..)
            .zip(self.bases)
            .all(|(component, base)| agent.selected(component).is_none_or(|selected| selected.local == base))
    }

    fn agent(&self) -> Option<&Agent> {
        match &self.stage {
            Stage::Offered(forks, current) => forks.agent((*current)?),
            Stage::Agreed(agent) => Some(agent),
        }
    }

    /// The state says it all, but for the reason of a failure.
    fn drain(&mut self) {
        match &mut self.stage {
            Stage::Offered(forks, _) => while forks.poll_event().is_some() {},
            Stage::Agreed(agent) => {
                while let Some(event) = agent.poll_event() {
                    if let Event::Failed(failure) = event {
                        self.failure = Some(failure);
                    }
                }
                if agent.state() == State::Failed {
                    // It failed as one of several forks.
                    self.failure.get_or_insert(Failure::NoPair);
                }
            }
        }
    }
}

fn agent(now: Instant, config: Config, bases: [SocketAddr; 2], seed: Seed) -> Result<Agent, Error> {
    let mut agent = Agent::new(config, seed);
    for (component, base) in (1..).zip(bases) {
        agent.add_host(component, Transport::Udp, base)?;
    }
    agent.gather(now);
    Ok(agent)
}
