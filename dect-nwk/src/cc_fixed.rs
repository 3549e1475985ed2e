//! Call control of the fixed part: states F-00 to F-19 and every step between them.
//!
#![doc = include_str!("../docs/states/cc_fixed.md")]

mod step;

pub use step::step;

/// The state of one call at the fixed part.
///
/// EN 300 175-5 9.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// F-00: no call.
    Null,
    /// F-01: CC-SETUP came in, nothing was answered yet.
    CallInitiated,
    /// F-02: CC-SETUP-ACK is out, digits are coming in.
    OverlapSending,
    /// F-03: CC-CALL-PROC is out.
    CallProceeding,
    /// F-04: CC-ALERTING is out.
    CallDelivered,
    /// F-06: CC-SETUP is out, or waits for the page to be answered.
    CallPresent,
    /// F-07: the portable part rings.
    CallReceived,
    /// F-10: the parties talk.
    Active,
    /// F-19: CC-RELEASE is out.
    ReleasePending,
}

/// What can happen to a call at the fixed part.
///
/// EN 300 175-5 9.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// CC-SETUP came in for a new transaction.
    SetupReceived,
    /// CC-INFO came in.
    InformationReceived,
    /// CC-ALERTING came in.
    AlertingReceived,
    /// CC-CONNECT came in.
    ConnectReceived,
    /// CC-RELEASE came in.
    ReleaseReceived,
    /// CC-RELEASE-COM came in.
    ReleaseComReceived,
    /// HOLD, RETRIEVE, CC-SERVICE-CHANGE, FACILITY or IWU-INFO came in.
    SupplementaryReceived,
    /// CC-SETUP of the portable part crossed ours, or the link broke before ours was answered.
    SetupCrossed,
    /// The owner calls the portable part.
    CallPortable,
    /// The owner asks for more digits.
    AskDigits,
    /// The owner has all digits.
    Proceed,
    /// The far end rings.
    Alert,
    /// The far end has answered.
    Connect,
    /// The owner sends information: display, signal, progress.
    Inform,
    /// The owner ends the call.
    Release,
    /// The owner ends the call while its CC-SETUP still waits for the link.
    Withdraw,
    /// CC.01 ran out.
    OverlapTimeout,
    /// CC.02 ran out.
    ReleaseTimeout,
    /// CC.03 ran out.
    SetupTimeout,
    /// CC.04 ran out.
    CompletionTimeout,
    /// The link is gone, or the page was never answered.
    LinkLost,
    /// The portable part established the link anew although it was up.
    LinkReset,
}

/// What the call's owner has to do after a step, in this order.
///
/// EN 300 175-5 9.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send CC-SETUP.
    SendSetup,
    /// Send CC-SETUP-ACK.
    SendSetupAck,
    /// Send CC-CALL-PROC.
    SendCallProceeding,
    /// Send CC-ALERTING.
    SendAlerting,
    /// Send CC-CONNECT.
    SendConnect,
    /// Send CC-CONNECT-ACK.
    SendConnectAck,
    /// Send CC-INFO.
    SendInformation,
    /// Send CC-RELEASE with the reason at hand.
    SendRelease,
    /// Send CC-RELEASE-COM with the reason at hand.
    SendReleaseCom,
    /// Take the CC-SETUP out of the queue of the link.
    DiscardSetup,
    /// Start or restart CC.01.
    StartOverlap,
    /// Start CC.02.
    StartRelease,
    /// Start or restart CC.03.
    StartSetup,
    /// Start CC.04 where it is configured.
    StartCompletion,
    /// Stop all timers of the call.
    StopTimers,
    /// Tell the owner of the new call.
    IndicateSetup,
    /// Tell the owner what CC-INFO carried.
    IndicateInformation,
    /// Tell the owner of HOLD, RETRIEVE, CC-SERVICE-CHANGE, FACILITY or IWU-INFO.
    IndicateSupplementary,
    /// Tell the owner that the portable part rings.
    IndicateAlerting,
    /// Tell the owner that the portable part has answered.
    IndicateAnswered,
    /// Tell the owner that the call is over, with the reason at hand.
    IndicateReleased,
    /// Tell link control that this call needs the link no more.
    FreeLink,
}

impl State {
    /// All states.
    ///
    /// EN 300 175-5 9.2.2
    pub const ALL: [Self; 9] = [
        Self::Null,
        Self::CallInitiated,
        Self::OverlapSending,
        Self::CallProceeding,
        Self::CallDelivered,
        Self::CallPresent,
        Self::CallReceived,
        Self::Active,
        Self::ReleasePending,
    ];

    /// The label of the state in the standard.
    ///
    /// EN 300 175-5 9.2.2
    pub const fn label(self) -> &'static str {
        match self {
            Self::Null => "F-00",
            Self::CallInitiated => "F-01",
            Self::OverlapSending => "F-02",
            Self::CallProceeding => "F-03",
            Self::CallDelivered => "F-04",
            Self::CallPresent => "F-06",
            Self::CallReceived => "F-07",
            Self::Active => "F-10",
            Self::ReleasePending => "F-19",
        }
    }
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 9.3
    pub const ALL: [Self; 22] = [
        Self::SetupReceived,
        Self::InformationReceived,
        Self::AlertingReceived,
        Self::ConnectReceived,
        Self::ReleaseReceived,
        Self::ReleaseComReceived,
        Self::SupplementaryReceived,
        Self::SetupCrossed,
        Self::CallPortable,
        Self::AskDigits,
        Self::Proceed,
        Self::Alert,
        Self::Connect,
        Self::Inform,
        Self::Release,
        Self::Withdraw,
        Self::OverlapTimeout,
        Self::ReleaseTimeout,
        Self::SetupTimeout,
        Self::CompletionTimeout,
        Self::LinkLost,
        Self::LinkReset,
    ];
}
