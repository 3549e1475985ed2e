//! Supplementary services of several calls in one transaction: the control codes of NG-DECT, and which of the two calls
//! of a portable part talks, waits or is held.
//!
#![doc = include_str!("../docs/states/services.md")]

mod code;
mod step;

pub use code::{ControlCode, keys_of, read};
pub use step::step;

/// One of the two calls, which is also its call identity on the air.
///
/// EN 300 175-5 7.7.56
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The call with which the transaction began.
    First,
    /// The call beside it.
    Second,
}

impl Slot {
    /// The call identity.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn identity(self) -> u32 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// The call with this identity.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn of(identity: u32) -> Option<Self> {
        match identity {
            0 => Some(Self::First),
            1 => Some(Self::Second),
            _ => None,
        }
    }

    /// The other call.
    ///
    /// EN 300 175-5 7.7.56
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// How one of the two calls stands.
///
/// EN 300 175-5 7.7.56
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// There is none.
    #[default]
    Idle,
    /// The portable part dials it, or its far end rings.
    SetUp,
    /// It waits for the user: call waiting.
    Waiting,
    /// The parties talk.
    Active,
    /// It is held.
    Held,
    /// It is part of a conference.
    Conference,
}

/// How both calls stand.
///
/// EN 300 175-5 10, 7.7.56
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The call with which the transaction began.
    pub first: Leg,
    /// The call beside it.
    pub second: Leg,
}

impl Default for State {
    fn default() -> Self {
        Self { first: Leg::Active, second: Leg::Idle }
    }
}

impl State {
    /// How this call stands.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn leg(self, slot: Slot) -> Leg {
        match slot {
            Slot::First => self.first,
            Slot::Second => self.second,
        }
    }

    pub(crate) fn find(self, leg: Leg) -> Option<Slot> {
        [Slot::First, Slot::Second].into_iter().find(|slot| self.leg(*slot) == leg)
    }

    const fn with(self, slot: Slot, leg: Leg) -> Self {
        match slot {
            Slot::First => Self { first: leg, ..self },
            Slot::Second => Self { second: leg, ..self },
        }
    }
}

/// What can happen to the two calls.
///
/// EN 300 175-5 10
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The user wants a second call.
    SecondCall,
    /// The user goes to the other call.
    Toggle,
    /// The user joins both calls.
    Conference,
    /// The user joins the two far ends and leaves.
    Transfer,
    /// The user ends this call.
    Release(Slot),
    /// The user takes the waiting call.
    AcceptWaiting,
    /// The user refuses the waiting call.
    RejectWaiting,
    /// The user sends the waiting call to another number.
    Deflect,
    /// The user puts the active call on hold.
    Hold,
    /// The user resumes the held call.
    Resume,
    /// The user wants to break into a call of others.
    Intrude,
    /// The user wants to listen to, or to take, a call that is recorded.
    Screen,
    /// A second call comes in.
    CallWaits,
    /// The far end of the call that is set up has answered.
    FarAnswered,
    /// The far end of this call has gone.
    FarReleased(Slot),
}

/// What has to be done after a step, in this order.
///
/// EN 300 175-5 10
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Tell the owner to hold this call.
    Hold(Slot),
    /// Tell the owner to let the parties of this call talk.
    Retrieve(Slot),
    /// Tell the owner that this call is dialled.
    Begin(Slot),
    /// Tell the owner to answer this call.
    Answer(Slot),
    /// Tell the owner to end this call.
    End(Slot),
    /// Tell the owner to send this call to another number.
    Divert(Slot),
    /// Tell the owner to join both calls with the portable part.
    Join,
    /// Tell the owner to join the two far ends.
    Connect,
    /// Give the portable part the tone of a waiting call, and say who calls.
    Announce(Slot),
    /// Tell the portable part how this call stands now.
    Status(Slot),
    /// Tell the portable part that its control code is not supported.
    NotSupported,
    /// Tell the portable part that its control code means nothing now.
    Failed,
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 10
    pub const ALL: [Self; 17] = [
        Self::SecondCall,
        Self::Toggle,
        Self::Conference,
        Self::Transfer,
        Self::Release(Slot::First),
        Self::Release(Slot::Second),
        Self::AcceptWaiting,
        Self::RejectWaiting,
        Self::Deflect,
        Self::Hold,
        Self::Resume,
        Self::Intrude,
        Self::Screen,
        Self::CallWaits,
        Self::FarAnswered,
        Self::FarReleased(Slot::First),
        Self::FarReleased(Slot::Second),
    ];
}
