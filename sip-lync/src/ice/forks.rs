//! Several answers to one offer: each fork with an agent of its own on the same candidates.

use std::time::Instant;

use bytes::BytesMut;

use super::agent::{Agent, Begun, Claim, Event, Input, Transmit};
use super::description::Description;
use super::dialect::Dialect;
use crate::error::{Breach, Error, Refusal};
use crate::sdp::{MediaDescription, SessionDescription};

/// The number of a fork, given by the owner: one for each early dialog.
///
/// RFC 3261 12.1, MS-SDPEXT 3.1.5.12
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fork(pub u32);

/// The most forks of one offer.
const MOST_FORKS: usize = 16;

/// The agents of one offer: one for each dialect it is written in, and one for each fork that has answered.
///
/// RFC 8445 4, MS-ICE2 3.1.4, MS-SDPEXT 3.1.5.12
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Forks {
    offered: Vec<Agent>,
    answered: Vec<(Fork, Agent)>,
}

impl Forks {
    /// The agents whose descriptions are offered, the preferred dialect first; they have the same candidates.
    ///
    /// MS-ICE2 3.1.4
    pub const fn new(offered: Vec<Agent>) -> Self {
        Self { offered, answered: Vec::new() }
    }

    /// Takes the answer of a fork, in whichever of the offered dialects it is.
    ///
    /// RFC 8839 4.3, MS-ICE2 3.1.4
    pub fn answer(
        &mut self,
        now: Instant,
        fork: Fork,
        session: &SessionDescription,
        media: &MediaDescription,
    ) -> Result<Begun, Error> {
        let ours = self.offered.first().map_or(Dialect::Rfc8445, Agent::dialect);
        let description = Description::read(session, media, ours);
        if let Some((_, agent)) = self.answered.iter_mut().find(|(known, _)| *known == fork) {
            let dialect = agent.dialect();
            return agent.begin(now, &description.in_dialect(dialect));
        }
        if self.answered.len() >= MOST_FORKS {
            return Err(Refusal::TooManySessions.into());
        }
        let speaks = |agent: &&mut Agent| match description.dialect {
            Some(dialect) => dialect.is_draft06() == agent.dialect().is_draft06(),
            // Without ICE any will do.
            None => true,
        };
        let offered = self.offered.iter_mut().find(speaks).ok_or(Error::Refused(Refusal::OtherDialect))?;
        let mut agent = offered.fork();
        let dialect = agent.dialect();
        let begun = agent.begin(now, &description.in_dialect(dialect))?;
        self.answered.push((fork, agent));
        Ok(begun)
    }

    /// Takes what came from below to the agent it is for: an answer to whoever asked, a check to the fork whose peer sent
    /// it, one from an unknown peer to the agent of its dialect, which answers and remembers it.
    ///
    /// RFC 8445 7.3, MS-ICE 3.1.5
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        let agents = self.answered.iter_mut().map(|(_, agent)| agent);
        match input {
            Input::Packet { path, data } => {
                let mut best: Option<(&mut Agent, Claim)> = None;
                for agent in agents.chain(&mut self.offered) {
                    let claim = agent.claims(path, data);
                    if claim != Claim::None && best.as_ref().is_none_or(|(_, known)| claim > *known) {
                        best = Some((agent, claim));
                    }
                }
                match best {
                    Some((agent, _)) => agent.handle_input(now, input),
                    None => Err(Breach::ForeignCheck.into()),
                }
            }
            Input::Opened { .. } | Input::Closed { .. } => {
                agents.chain(&mut self.offered).try_for_each(|agent| agent.handle_input(now, input))
            }
        }
    }

    /// Sends what is due in all forks.
    ///
    /// RFC 8445 14
    pub fn handle_timeout(&mut self, now: Instant) {
        for agent in self.offered.iter_mut().chain(self.answered.iter_mut().map(|(_, agent)| agent)) {
            agent.handle_timeout(now);
        }
    }

    /// The next message to be sent.
    ///
    /// RFC 8445 7.2
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        self.offered
            .iter_mut()
            .chain(self.answered.iter_mut().map(|(_, agent)| agent))
            .find_map(|agent| agent.poll_transmit(buffer))
    }

    /// The next event; without a fork it belongs to the offer.
    ///
    /// RFC 8445 8
    pub fn poll_event(&mut self) -> Option<(Option<Fork>, Event)> {
        let offered = self.offered.iter_mut().map(|agent| (None, agent));
        let answered = self.answered.iter_mut().map(|(fork, agent)| (Some(*fork), agent));
        offered.chain(answered).find_map(|(fork, agent)| Some((fork, agent.poll_event()?)))
    }

    /// When [`Forks::handle_timeout`] is to be called next.
    ///
    /// RFC 8445 14
    pub fn poll_timeout(&self) -> Option<Instant> {
        let answered = self.answered.iter().map(|(_, agent)| agent);
        self.offered.iter().chain(answered).filter_map(Agent::poll_timeout).min()
    }

    /// The agent of a fork.
    ///
    /// RFC 3261 12.1
    pub fn agent(&self, fork: Fork) -> Option<&Agent> {
        self.answered.iter().find(|(known, _)| *known == fork).map(|(_, agent)| agent)
    }

    /// The agents whose descriptions are offered.
    ///
    /// MS-ICE2 3.1.4
    pub fn offered(&self) -> &[Agent] {
        &self.offered
    }

    /// The call is answered: takes out the agent of that fork; the others may go.
    ///
    /// RFC 3261 13.2.2.4
    pub fn take_agent(&mut self, fork: Fork) -> Option<Agent> {
        let at = self.answered.iter().position(|(known, _)| *known == fork)?;
        Some(self.answered.swap_remove(at).1)
    }

    /// The call is answered: the agent of that fork remains, the others go.
    ///
    /// RFC 3261 13.2.2.4
    pub fn into_agent(mut self, fork: Fork) -> Option<Agent> {
        self.take_agent(fork)
    }
}
