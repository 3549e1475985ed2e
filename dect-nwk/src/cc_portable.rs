//! Call control of the portable part: states T-00 to T-19 and every step between them.
//!
#![doc = include_str!("../docs/states/cc_portable.md")]

mod step;

pub use step::step;

/// The state of one call at the portable part.
///
/// EN 300 175-5 9.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// T-00: no call.
    Null,
    /// T-01: CC-SETUP is out.
    CallInitiated,
    /// T-02: the fixed part wants digits.
    OverlapSending,
    /// T-03: the fixed part has all digits.
    CallProceeding,
    /// T-04: the far end rings.
    CallDelivered,
    /// T-06: CC-SETUP came in, nothing was answered yet.
    CallPresent,
    /// T-07: the portable part rings.
    CallReceived,
    /// T-08: the user has answered, CC-CONNECT is out.
    ConnectPending,
    /// T-10: the parties talk.
    Active,
    /// T-19: CC-RELEASE is out.
    ReleasePending,
}

/// What can happen to a call at the portable part.
///
/// EN 300 175-5 9.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// CC-SETUP came in for a new transaction.
    SetupReceived,
    /// CC-SETUP-ACK came in.
    SetupAckReceived,
    /// CC-CALL-PROC came in.
    CallProceedingReceived,
    /// CC-ALERTING came in.
    AlertingReceived,
    /// CC-CONNECT came in.
    ConnectReceived,
    /// CC-CONNECT-ACK came in.
    ConnectAckReceived,
    /// CC-INFO came in.
    InformationReceived,
    /// CC-NOTIFY came in.
    NotifyReceived,
    /// CC-RELEASE came in.
    ReleaseReceived,
    /// CC-RELEASE-COM came in.
    ReleaseComReceived,
    /// HOLD, RETRIEVE, their answers, FACILITY or IWU-INFO came in.
    SupplementaryReceived,
    /// CC-SETUP of the fixed part crossed ours.
    SetupCrossed,
    /// The user calls.
    Call,
    /// The user is being alerted.
    AlertUser,
    /// The user answers.
    Answer,
    /// The user types digits or keys.
    Inform,
    /// The user ends the call.
    Release,
    /// The user refuses the call.
    Reject,
    /// CC.02 ran out.
    ReleaseTimeout,
    /// CC.03 ran out.
    SetupTimeout,
    /// CC.04 ran out.
    CompletionTimeout,
    /// CC.05 ran out.
    ConnectTimeout,
    /// The link is gone, or could not be established.
    LinkLost,
}

/// What the call's owner has to do after a step, in this order.
///
/// EN 300 175-5 9.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send CC-SETUP.
    SendSetup,
    /// Send CC-ALERTING.
    SendAlerting,
    /// Send CC-CONNECT.
    SendConnect,
    /// Send CC-INFO.
    SendInformation,
    /// Send CC-RELEASE with the reason at hand.
    SendRelease,
    /// Send CC-RELEASE-COM with the reason at hand.
    SendReleaseCom,
    /// Start CC.02.
    StartRelease,
    /// Start CC.03.
    StartSetup,
    /// Start CC.04 where it is configured.
    StartCompletion,
    /// Start CC.05.
    StartConnect,
    /// Start CC.06.
    StartCrossing,
    /// Stop all timers of the call but CC.06.
    StopTimers,
    /// Restart or stop the running timer as TIMER-RESTART says.
    RestartTimers,
    /// Tell the user of the incoming call.
    IndicateRinging,
    /// Tell the user that digits are wanted.
    IndicateSetupAck,
    /// Tell the user that the number is complete.
    IndicateProceeding,
    /// Tell the user that the far end rings.
    IndicateAlerting,
    /// Tell the user that the parties talk.
    IndicateConnected,
    /// Tell the user what CC-INFO carried.
    IndicateInformation,
    /// Tell the user of HOLD, RETRIEVE, their answers, FACILITY or IWU-INFO.
    IndicateSupplementary,
    /// Tell the user that the call is over, with the reason at hand.
    IndicateReleased,
    /// Tell link control that this call needs the link no more.
    FreeLink,
}

impl State {
    /// All states.
    ///
    /// EN 300 175-5 9.2.1
    pub const ALL: [Self; 10] = [
        Self::Null,
        Self::CallInitiated,
        Self::OverlapSending,
        Self::CallProceeding,
        Self::CallDelivered,
        Self::CallPresent,
        Self::CallReceived,
        Self::ConnectPending,
        Self::Active,
        Self::ReleasePending,
    ];

    /// The label of the state in the standard.
    ///
    /// EN 300 175-5 9.2.1
    pub const fn label(self) -> &'static str {
        match self {
            Self::Null => "T-00",
            Self::CallInitiated => "T-01",
            Self::OverlapSending => "T-02",
            Self::CallProceeding => "T-03",
            Self::CallDelivered => "T-04",
            Self::CallPresent => "T-06",
            Self::CallReceived => "T-07",
            Self::ConnectPending => "T-08",
            Self::Active => "T-10",
            Self::ReleasePending => "T-19",
        }
    }
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 9.3
    pub const ALL: [Self; 23] = [
        Self::SetupReceived,
        Self::SetupAckReceived,
        Self::CallProceedingReceived,
        Self::AlertingReceived,
        Self::ConnectReceived,
        Self::ConnectAckReceived,
        Self::InformationReceived,
        Self::NotifyReceived,
        Self::ReleaseReceived,
        Self::ReleaseComReceived,
        Self::SupplementaryReceived,
        Self::SetupCrossed,
        Self::Call,
        Self::AlertUser,
        Self::Answer,
        Self::Inform,
        Self::Release,
        Self::Reject,
        Self::ReleaseTimeout,
        Self::SetupTimeout,
        Self::CompletionTimeout,
        Self::ConnectTimeout,
        Self::LinkLost,
    ];
}
