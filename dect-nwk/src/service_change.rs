//! Service change: the auxiliary state of one call, the same for both sides.
//!
#![doc = include_str!("../docs/states/service_change.md")]

/// Whether a change is under way.
///
/// EN 300 175-5 9.6
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// None.
    #[default]
    Idle,
    /// CC-SERVICE-CHANGE is out.
    Requested,
    /// CC-SERVICE-CHANGE came in; the owner decides.
    Asked,
}

/// What can happen.
///
/// EN 300 175-5 9.6
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The owner wants a change.
    Change,
    /// The owner agrees to the other side's change.
    Accept,
    /// The owner refuses the other side's change.
    Refuse,
    /// CC-SERVICE-CHANGE came in.
    ChangeReceived,
    /// CC-SERVICE-CHANGE came in for something that is not offered: packet mode, bandwidth, routes.
    ForeignChangeReceived,
    /// CC-SERVICE-ACCEPT came in.
    Accepted,
    /// CC-SERVICE-REJECT came in.
    Rejected,
    /// The timer of the change ran out.
    Timeout,
}

/// What has to be done.
///
/// EN 300 175-5 9.6
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send CC-SERVICE-CHANGE.
    SendChange,
    /// Send CC-SERVICE-ACCEPT.
    SendAccept,
    /// Send CC-SERVICE-REJECT.
    SendReject,
    /// Start the timer of the change.
    StartTimer,
    /// Stop the timer of the change.
    StopTimer,
    /// Ask the owner.
    IndicateChange,
    /// Tell the owner whether the other side agreed.
    IndicateChanged(bool),
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 9.6
    pub const ALL: [Self; 8] = [
        Self::Change,
        Self::Accept,
        Self::Refuse,
        Self::ChangeReceived,
        Self::ForeignChangeReceived,
        Self::Accepted,
        Self::Rejected,
        Self::Timeout,
    ];
}

/// One step. Of requests that cross both are rejected (inferred); the one who still wants the change asks again.
///
/// EN 300 175-5 9.6
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    match trigger {
        T::Change => match state {
            S::Idle => (S::Requested, &[A::SendChange, A::StartTimer]),
            S::Requested | S::Asked => (state, &[]),
        },
        T::Accept => match state {
            S::Asked => (S::Idle, &[A::SendAccept]),
            S::Idle | S::Requested => (state, &[]),
        },
        T::Refuse => match state {
            S::Asked => (S::Idle, &[A::SendReject]),
            S::Idle | S::Requested => (state, &[]),
        },
        T::ChangeReceived => match state {
            S::Idle => (S::Asked, &[A::IndicateChange]),
            S::Requested => (state, &[A::SendReject]),
            S::Asked => (state, &[]),
        },
        T::ForeignChangeReceived => (state, &[A::SendReject]),
        T::Accepted => match state {
            S::Requested => (S::Idle, &[A::StopTimer, A::IndicateChanged(true)]),
            S::Idle | S::Asked => (state, &[]),
        },
        T::Rejected => match state {
            S::Requested => (S::Idle, &[A::StopTimer, A::IndicateChanged(false)]),
            S::Idle | S::Asked => (state, &[]),
        },
        T::Timeout => match state {
            S::Requested => (S::Idle, &[A::IndicateChanged(false)]),
            S::Idle | S::Asked => (state, &[]),
        },
    }
}
