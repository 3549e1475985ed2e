//! The life of an agent from its candidates to a working path.
#![doc = include_str!("../../docs/states/ice_phase.md")]

/// Where an agent stands.
///
/// RFC 8445 6.1.3
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Candidates are being collected.
    #[default]
    Gathering,
    /// The description can be sent; that of the peer is not here.
    Gathered,
    /// Pairs are being checked.
    Checking,
    /// Every component has a chosen pair.
    Connected,
    /// The pairs are settled by the last offer and answer.
    Completed,
    /// The peer speaks no ICE: media goes to the addresses it gave.
    Plain,
    /// There is no way to the peer, or it does not agree to receive any more.
    Failed,
}

impl State {
    /// Whether the description of the peer is still to come.
    ///
    /// RFC 8445 7.3
    pub const fn is_before_checks(self) -> bool {
        matches!(self, Self::Gathering | Self::Gathered)
    }
}

/// What moves an agent.
///
/// RFC 8445 6, 7, 8, 9, RFC 7675 5.1, RFC 8863 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// All servers have answered or will not.
    Gathered,
    /// The description of the peer is here.
    Described,
    /// The description of the peer is here, without ICE.
    DescribedPlain,
    /// Every component has a chosen pair.
    Selected,
    /// The last offer or answer names the pairs.
    Settled,
    /// No component is without hope any more, for too long.
    PatienceOver,
    /// The bandwidth policy leaves no path, or not the one in use.
    NotAdmitted,
    /// The peer's consent has run out.
    ConsentLost,
    /// Credentials are renewed.
    Restart,
}

/// What an agent tells its owner.
///
/// RFC 8445 6.1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The description can be written.
    ReportGathered,
    /// Make the check list.
    StartChecks,
    /// Media can flow.
    ReportConnected,
    /// Media goes without ICE.
    ReportPlain,
    /// There is no way.
    ReportFailed,
    /// New credentials: the description is to be sent again.
    RenewCredentials,
}

/// Every state.
///
/// RFC 8445 6.1.3
pub const STATES: [State; 7] = [
    State::Gathering,
    State::Gathered,
    State::Checking,
    State::Connected,
    State::Completed,
    State::Plain,
    State::Failed,
];

/// Every trigger.
///
/// RFC 8445 6.1.3
pub const TRIGGERS: [Trigger; 9] = [
    Trigger::Gathered,
    Trigger::Described,
    Trigger::DescribedPlain,
    Trigger::Selected,
    Trigger::Settled,
    Trigger::PatienceOver,
    Trigger::NotAdmitted,
    Trigger::ConsentLost,
    Trigger::Restart,
];

/// One step of an agent; it starts in [`State::Gathering`].
///
/// RFC 8445 6.1.3, 8.3, 9
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{RenewCredentials, ReportConnected, ReportFailed, ReportGathered, ReportPlain, StartChecks};
    match (state, trigger) {
        (State::Gathering, Trigger::Gathered) => (State::Gathered, &[ReportGathered]),
        // A server answers after a late start: more candidates would be trickle.
        (
            State::Gathered
            | State::Checking
            | State::Connected
            | State::Completed
            | State::Plain
            | State::Failed,
            Trigger::Gathered,
        ) => (state, &[]),
        (State::Gathering | State::Gathered, Trigger::Described) => (State::Checking, &[StartChecks]),
        // Another answer to the same offer is another fork; the owner compares credentials first.
        (
            State::Checking | State::Connected | State::Completed | State::Plain | State::Failed,
            Trigger::Described,
        ) => (state, &[]),
        (State::Gathering | State::Gathered, Trigger::DescribedPlain) => (State::Plain, &[ReportPlain]),
        (
            State::Checking | State::Connected | State::Completed | State::Plain | State::Failed,
            Trigger::DescribedPlain,
        ) => (state, &[]),
        (State::Checking, Trigger::Selected) => (State::Connected, &[ReportConnected]),
        (
            State::Gathering
            | State::Gathered
            | State::Connected
            | State::Completed
            | State::Plain
            | State::Failed,
            Trigger::Selected,
        ) => (state, &[]),
        // The last offer may overtake the answers of our own checks.
        (State::Checking, Trigger::Settled) => (State::Completed, &[ReportConnected]),
        (State::Connected, Trigger::Settled) => (State::Completed, &[]),
        (
            State::Gathering | State::Gathered | State::Completed | State::Plain | State::Failed,
            Trigger::Settled,
        ) => (state, &[]),
        (State::Checking, Trigger::PatienceOver) => (State::Failed, &[ReportFailed]),
        (
            State::Gathering
            | State::Gathered
            | State::Connected
            | State::Completed
            | State::Plain
            | State::Failed,
            Trigger::PatienceOver,
        ) => (state, &[]),
        (State::Checking | State::Connected | State::Completed, Trigger::NotAdmitted) => {
            (State::Failed, &[ReportFailed])
        }
        (State::Gathering | State::Gathered | State::Plain | State::Failed, Trigger::NotAdmitted) => {
            (state, &[])
        }
        (State::Connected | State::Completed, Trigger::ConsentLost) => (State::Failed, &[ReportFailed]),
        // While checks run after a restart the old pair may lose its consent.
        (
            State::Gathering | State::Gathered | State::Checking | State::Plain | State::Failed,
            Trigger::ConsentLost,
        ) => (state, &[]),
        (
            State::Gathered
            | State::Checking
            | State::Connected
            | State::Completed
            | State::Plain
            | State::Failed,
            Trigger::Restart,
        ) => (State::Gathered, &[RenewCredentials]),
        (State::Gathering, Trigger::Restart) => (State::Gathering, &[RenewCredentials]),
    }
}
