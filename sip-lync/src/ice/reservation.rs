//! Bandwidth for a call: asked for on its allocation, and what the answer leaves of the check list.
#![doc = include_str!("../../docs/states/ice_reservation.md")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::admission::{Admitted, Legs, Outcome, decide};
use super::agent::Agent;
use super::candidate::Kind;
use super::phase;
use crate::stun::{AdmissionControl, LocationProfile, ReservationAmount, ServiceQuality};
use crate::turn::{AdmissionAnswer, AdmissionRequest, AllocationNumber, Event};

/// Where a reservation stands.
///
/// MS-TURNBWM 3.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing was asked.
    #[default]
    Unasked,
    /// Which paths may be used was asked.
    Checking,
    /// Some may.
    Checked,
    /// The chosen path was told.
    Committing,
    /// The bandwidth is ours.
    Reserved,
    /// It was prolonged, or another amount was asked for.
    Updating,
    /// Nobody manages bandwidth here: the call goes on without.
    Unmanaged,
    /// The policy has no path for this call.
    Refused,
}

/// What moves it.
///
/// MS-TURNBWM 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The candidates of both are known.
    Check,
    /// A pair is chosen.
    Commit,
    /// The reservation is to last, or to change.
    Update,
    /// The policy admits some path.
    Admitted,
    /// It admits none.
    Refused,
    /// The server says nothing about bandwidth.
    Unmanaged,
}

/// What follows.
///
/// MS-TURNBWM 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send the question.
    Ask,
    /// Leave the admitted paths in the check list, and tell the owner.
    Report,
    /// The time until the next update starts.
    Keep,
}

/// Every state.
///
/// MS-TURNBWM 3.2
pub const STATES: [State; 8] = [
    State::Unasked,
    State::Checking,
    State::Checked,
    State::Committing,
    State::Reserved,
    State::Updating,
    State::Unmanaged,
    State::Refused,
];

/// Every trigger.
///
/// MS-TURNBWM 3.2
pub const TRIGGERS: [Trigger; 6] = [
    Trigger::Check,
    Trigger::Commit,
    Trigger::Update,
    Trigger::Admitted,
    Trigger::Refused,
    Trigger::Unmanaged,
];

/// One step of a reservation; it starts in [`State::Unasked`].
///
/// MS-TURNBWM 3.2
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Ask, Keep, Report};
    match (state, trigger) {
        (State::Unasked, Trigger::Check) => (State::Checking, &[Ask]),
        // A caller whose callee checks has nothing to check.
        (State::Unasked | State::Checked, Trigger::Commit) => (State::Committing, &[Ask]),
        (State::Reserved, Trigger::Update) => (State::Updating, &[Ask]),
        (State::Checking, Trigger::Admitted) => (State::Checked, &[Report]),
        (State::Committing | State::Updating, Trigger::Admitted) => (State::Reserved, &[Keep]),
        (State::Checking | State::Committing | State::Updating, Trigger::Refused) => {
            (State::Refused, &[Report])
        }
        (State::Checking | State::Committing | State::Updating, Trigger::Unmanaged) => {
            (State::Unmanaged, &[])
        }
        // Asked once is enough; an answer nobody waits for says nothing.
        (
            State::Checking
            | State::Checked
            | State::Committing
            | State::Reserved
            | State::Updating
            | State::Unmanaged
            | State::Refused,
            Trigger::Check,
        )
        | (
            State::Checking
            | State::Committing
            | State::Reserved
            | State::Updating
            | State::Unmanaged
            | State::Refused,
            Trigger::Commit,
        )
        | (
            State::Unasked
            | State::Checking
            | State::Checked
            | State::Committing
            | State::Updating
            | State::Unmanaged
            | State::Refused,
            Trigger::Update,
        )
        | (
            State::Unasked | State::Checked | State::Reserved | State::Unmanaged | State::Refused,
            Trigger::Admitted | Trigger::Refused | Trigger::Unmanaged,
        ) => (state, &[]),
    }
}

/// What a call wants of the policy.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    /// Kilobits a second.
    pub amount: ReservationAmount,
    /// What the stream is.
    pub quality: ServiceQuality,
    /// Where both ends are.
    pub location: LocationProfile,
    /// The Call-ID.
    pub call_id: Vec<u8>,
    /// The dialog.
    pub dialog_id: Vec<u8>,
}

/// Between two updates of a reservation; inferred: half of the usual life of an allocation.
const UPDATE: Duration = Duration::from_mins(5);

/// The bandwidth of one stream: its questions go out on one allocation, and only answers to that one count.
///
/// MS-TURNBWM 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reservation {
    state: State,
    allocation: AllocationNumber,
    demand: Demand,
    /// A pair was chosen while the paths were still being asked for.
    commit: Option<AdmissionRequest>,
    /// Another amount was wanted while a question was under way.
    changed: bool,
    identifier: Option<[u8; 16]>,
    update_at: Option<Instant>,
    out: VecDeque<AdmissionRequest>,
}

impl Reservation {
    /// One for the stream whose relayed candidate is on `allocation`.
    ///
    /// MS-TURNBWM 3.2.4
    pub const fn new(allocation: AllocationNumber, demand: Demand) -> Self {
        Self {
            state: State::Unasked,
            allocation,
            demand,
            commit: None,
            changed: false,
            identifier: None,
            update_at: None,
            out: VecDeque::new(),
        }
    }

    /// Asks which paths may be used: by the callee, when it has the offer and before it answers.
    ///
    /// MS-TURNBWM 3.2.4
    pub fn check(&mut self, agent: &Agent) {
        let request = self.request(AdmissionControl::Check, agent);
        self.step(Trigger::Check, Some(request));
    }

    /// Tells the pair that was chosen, when the agent is connected.
    ///
    /// MS-TURNBWM 3.2.4
    pub fn commit(&mut self, agent: &Agent) {
        let mut request = self.request(AdmissionControl::Commit, agent);
        if let Some(selected) = agent.selected(1) {
            // Of the two ways of each end the one that is used.
            if selected.local_kind == Kind::Relayed {
                request.local_relay = Some(selected.local);
            } else {
                (request.local_site, request.local_relay) = (Some(selected.local), None);
            }
            if selected.remote_kind == Kind::Relayed {
                request.remote_relay = Some(selected.path.remote);
            } else {
                (request.remote_site, request.remote_relay) = (Some(selected.path.remote), None);
            }
        }
        if self.state == State::Checking {
            self.commit = Some(request);
        } else {
            self.step(Trigger::Commit, Some(request));
        }
    }

    /// Asks for another amount: less goes back to the link, more is decided anew. While a question is under way it waits
    /// for the answer.
    ///
    /// MS-TURNBWM 3.2.4
    pub fn change(&mut self, amount: ReservationAmount) {
        self.demand.amount = amount;
        self.changed = true;
        self.ask_for_change();
    }

    fn ask_for_change(&mut self) {
        if self.changed && self.state == State::Reserved {
            self.changed = false;
            let request = AdmissionRequest { amount: Some(self.demand.amount), ..self.update() };
            self.step(Trigger::Update, Some(request));
        }
    }

    /// Prolongs the reservation when it is time.
    ///
    /// MS-TURNBWM 3.2.4
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.update_at.is_some_and(|at| at <= now) {
            self.update_at = None;
            let request = self.update();
            self.step(Trigger::Update, Some(request));
        }
    }

    /// When [`Reservation::handle_timeout`] is to be called next.
    ///
    /// MS-TURNBWM 3.2.4
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.update_at
    }

    /// The next question, and the allocation whose client is to ask it: [`crate::turn::Client::admission`].
    ///
    /// MS-TURNBWM 3.2.4
    pub fn poll_request(&mut self) -> Option<(AllocationNumber, AdmissionRequest)> {
        self.out.pop_front().map(|request| (self.allocation, request))
    }

    /// Takes what the client of an allocation tells; paths that the policy refuses leave the check list of the agent. What
    /// becomes of the call is given back when it is decided: a refused one has failed at the agent, too.
    ///
    /// MS-TURNBWM 3.2.5, MS-ICE2 3.1.4
    pub fn handle_event(
        &mut self,
        now: Instant,
        from: AllocationNumber,
        event: &Event,
        agent: &mut Agent,
    ) -> Option<Outcome> {
        if from != self.allocation {
            return None;
        }
        let (trigger, outcome) = match event {
            Event::Admission(answer) if Some(answer.message) == self.asked() => {
                let outcome = decide(&Legs::from(answer), agent.role());
                self.identifier = answer.reservation.or(self.identifier);
                let admitted = matches!(outcome, Outcome::Admitted { .. });
                (if admitted { Trigger::Admitted } else { Trigger::Refused }, Some(outcome))
            }
            Event::AdmissionRefused { .. } => (Trigger::Unmanaged, None),
            _ => return None,
        };
        let mut told = None;
        for effect in self.step(trigger, None) {
            match (effect, outcome) {
                (Effect::Report, Some(outcome)) => {
                    let paths = match outcome {
                        Outcome::Admitted { paths, .. } => paths,
                        Outcome::Fail | Outcome::RedirectOverPstn | Outcome::NotAcceptable => Admitted::NONE,
                    };
                    agent.admit(now, paths);
                    told = Some(outcome);
                }
                (Effect::Keep, _) => self.update_at = Some(now + UPDATE),
                (Effect::Report | Effect::Ask, _) => {}
            }
        }
        self.ask_for_change();
        // A pair on a refused path is none any more.
        if self.state == State::Checked
            && let Some(request) = self.commit.take()
            && agent.state() != phase::State::Failed
        {
            self.step(Trigger::Commit, Some(request));
        }
        told
    }

    /// Where it stands.
    ///
    /// MS-TURNBWM 3.2
    pub const fn state(&self) -> State {
        self.state
    }

    const fn asked(&self) -> Option<AdmissionControl> {
        match self.state {
            State::Checking => Some(AdmissionControl::Check),
            State::Committing => Some(AdmissionControl::Commit),
            State::Updating => Some(AdmissionControl::Update),
            State::Unasked | State::Checked | State::Reserved | State::Unmanaged | State::Refused => None,
        }
    }

    fn step(&mut self, trigger: Trigger, request: Option<AdmissionRequest>) -> &'static [Effect] {
        let (next, effects) = step(self.state, trigger);
        self.state = next;
        if effects.contains(&Effect::Ask) {
            self.out.extend(request);
        }
        effects
    }

    fn update(&self) -> AdmissionRequest {
        AdmissionRequest { reservation: self.identifier, ..AdmissionRequest::new(AdmissionControl::Update) }
    }

    /// Both ways of both ends, as far as there are any: those of component 1.
    fn request(&self, message: AdmissionControl, agent: &Agent) -> AdmissionRequest {
        let local = |relayed: bool| {
            let mut of = agent.local_candidates().iter().filter(|local| local.component == 1);
            of.find(|local| (local.kind == Kind::Relayed) == relayed).map(|local| local.address)
        };
        let remote = |relayed: bool| {
            let mut of = agent.remote_candidates().iter().filter(|remote| remote.component == 1);
            of.find(|remote| (remote.kind == Kind::Relayed) == relayed).map(|remote| remote.address)
        };
        let Demand { amount, quality, location, call_id, dialog_id } = self.demand.clone();
        AdmissionRequest {
            amount: Some(amount),
            quality: Some(quality),
            location: Some(location),
            call_id,
            dialog_id,
            // Without addresses of its own an end is where its relay is.
            remote_site: remote(false).or_else(|| remote(true)),
            remote_relay: remote(true),
            local_site: local(false).or_else(|| local(true)),
            local_relay: local(true),
            ..AdmissionRequest::new(message)
        }
    }
}

impl From<&AdmissionAnswer> for Legs {
    fn from(answer: &AdmissionAnswer) -> Self {
        Self {
            local_site: answer.local_site.into(),
            local_relay: answer.local_relay.into(),
            remote_site: answer.remote_site.into(),
            remote_relay: answer.remote_relay.into(),
        }
    }
}
