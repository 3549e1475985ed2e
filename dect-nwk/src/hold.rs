//! HOLD and RETRIEVE: the auxiliary state of one call, the same for both sides.
//!
#![doc = include_str!("../docs/states/hold.md")]

/// The auxiliary state of a call.
///
/// EN 300 175-5 10.4.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The call is not held.
    #[default]
    Idle,
    /// We asked to hold it.
    HoldRequested,
    /// The other side asks to hold it.
    HoldAsked,
    /// The call is held.
    Held,
    /// We asked to retrieve it.
    RetrieveRequested,
    /// The other side asks to retrieve it.
    RetrieveAsked,
}

/// What can happen.
///
/// EN 300 175-5 10.4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The owner wants the call held.
    Hold,
    /// The owner wants the call back.
    Retrieve,
    /// The owner agrees to what the other side asks.
    Accept,
    /// The owner refuses what the other side asks.
    Refuse,
    /// HOLD came in.
    HoldReceived,
    /// HOLD-ACK came in.
    HoldAccepted,
    /// HOLD-REJECT came in.
    HoldRejected,
    /// RETRIEVE came in.
    RetrieveReceived,
    /// RETRIEVE-ACK came in.
    RetrieveAccepted,
    /// RETRIEVE-REJECT came in.
    RetrieveRejected,
}

/// What has to be done.
///
/// EN 300 175-5 10.4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send HOLD.
    SendHold,
    /// Send HOLD-ACK.
    SendHoldAck,
    /// Send HOLD-REJECT.
    SendHoldReject,
    /// Send RETRIEVE.
    SendRetrieve,
    /// Send RETRIEVE-ACK.
    SendRetrieveAck,
    /// Send RETRIEVE-REJECT.
    SendRetrieveReject,
    /// Tell the owner that the other side wants the call held.
    IndicateHold,
    /// Tell the owner that the other side wants the call back.
    IndicateRetrieve,
    /// Tell the owner whether the other side held the call.
    IndicateHeld(bool),
    /// Tell the owner whether the other side retrieved the call.
    IndicateRetrieved(bool),
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 10.4.1
    pub const ALL: [Self; 10] = [
        Self::Hold,
        Self::Retrieve,
        Self::Accept,
        Self::Refuse,
        Self::HoldReceived,
        Self::HoldAccepted,
        Self::HoldRejected,
        Self::RetrieveReceived,
        Self::RetrieveAccepted,
        Self::RetrieveRejected,
    ];
}

/// One step. Requests that cross agree: both want the same. What means nothing is rejected or ignored.
///
/// EN 300 175-5 10.4.1
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    match trigger {
        T::Hold => match state {
            S::Idle => (S::HoldRequested, &[A::SendHold]),
            S::HoldRequested | S::HoldAsked | S::Held | S::RetrieveRequested | S::RetrieveAsked => {
                (state, &[])
            }
        },
        T::Retrieve => match state {
            S::Held => (S::RetrieveRequested, &[A::SendRetrieve]),
            S::Idle | S::HoldRequested | S::HoldAsked | S::RetrieveRequested | S::RetrieveAsked => {
                (state, &[])
            }
        },
        T::Accept => match state {
            S::HoldAsked => (S::Held, &[A::SendHoldAck]),
            S::RetrieveAsked => (S::Idle, &[A::SendRetrieveAck]),
            S::Idle | S::HoldRequested | S::Held | S::RetrieveRequested => (state, &[]),
        },
        T::Refuse => match state {
            S::HoldAsked => (S::Idle, &[A::SendHoldReject]),
            S::RetrieveAsked => (S::Held, &[A::SendRetrieveReject]),
            S::Idle | S::HoldRequested | S::Held | S::RetrieveRequested => (state, &[]),
        },
        T::HoldReceived => match state {
            S::Idle => (S::HoldAsked, &[A::IndicateHold]),
            S::HoldRequested => (S::Held, &[A::SendHoldAck, A::IndicateHeld(true)]),
            S::HoldAsked => (state, &[]),
            S::Held => (state, &[A::SendHoldAck]),
            S::RetrieveRequested | S::RetrieveAsked => (state, &[A::SendHoldReject]),
        },
        T::HoldAccepted => match state {
            S::HoldRequested => (S::Held, &[A::IndicateHeld(true)]),
            S::Idle | S::HoldAsked | S::Held | S::RetrieveRequested | S::RetrieveAsked => (state, &[]),
        },
        T::HoldRejected => match state {
            S::HoldRequested => (S::Idle, &[A::IndicateHeld(false)]),
            S::Idle | S::HoldAsked | S::Held | S::RetrieveRequested | S::RetrieveAsked => (state, &[]),
        },
        T::RetrieveReceived => match state {
            S::Held => (S::RetrieveAsked, &[A::IndicateRetrieve]),
            S::RetrieveRequested => (S::Idle, &[A::SendRetrieveAck, A::IndicateRetrieved(true)]),
            S::RetrieveAsked => (state, &[]),
            S::Idle => (state, &[A::SendRetrieveAck]),
            S::HoldRequested | S::HoldAsked => (state, &[A::SendRetrieveReject]),
        },
        T::RetrieveAccepted => match state {
            S::RetrieveRequested => (S::Idle, &[A::IndicateRetrieved(true)]),
            S::Idle | S::HoldRequested | S::HoldAsked | S::Held | S::RetrieveAsked => (state, &[]),
        },
        T::RetrieveRejected => match state {
            S::RetrieveRequested => (S::Held, &[A::IndicateRetrieved(false)]),
            S::Idle | S::HoldRequested | S::HoldAsked | S::Held | S::RetrieveAsked => (state, &[]),
        },
    }
}
