//! The registration of one endpoint: first REGISTER, refreshes, retries, withdrawal.
#![doc = include_str!("../../docs/states/register.md")]

mod step;

pub use step::step;

/// Where a registration stands.
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The registrar does not know this endpoint.
    #[default]
    Unregistered,
    /// The first REGISTER waits for its turn among those of other users.
    Queued,
    /// The first REGISTER has no final response yet.
    Registering,
    /// The registrar knows this endpoint.
    Registered,
    /// A refresh has no final response yet.
    Refreshing,
    /// A REGISTER was challenged and the user computes its answer.
    Authenticating,
    /// An attempt failed and is repeated later.
    Waiting,
    /// The user gave up while a REGISTER was under way.
    Withdrawing,
    /// The REGISTER with `Expires: 0` has no final response yet.
    Deregistering,
    /// As [`State::Deregistering`], and the user wants to register again.
    Returning,
}

/// What moves a registration.
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The user wants to be registered.
    Register,
    /// The user wants to be forgotten.
    Deregister,
    /// A 200 that says `refreshed` or nothing about it.
    Success,
    /// A 200 that says `added` or `fixed`.
    SuccessAdded,
    /// 401 or 407.
    Challenged,
    /// 301 or 302.
    Redirected,
    /// 423 with a longer interval than was asked for.
    IntervalTooBrief,
    /// A refusal that will not change by itself.
    RefusedForGood,
    /// A refusal that may be over later.
    RefusedForNow,
    /// No final response came.
    TimedOut,
    /// The registration is to be refreshed.
    RefreshDue,
    /// The time before the next attempt is over.
    RetryDue,
    /// The server removed this endpoint for good.
    NotifiedStop,
    /// The server removed this endpoint and expects it again.
    NotifiedAgain,
    /// The server removed this endpoint and names another registrar.
    NotifiedMoved,
    /// The server tells that its services come or go.
    NotifiedState,
    /// The connection broke.
    FlowLost,
    /// The turn of the first REGISTER has come.
    TurnCame,
    /// 401 or 407, and there is somebody to answer.
    CredentialsWanted,
    /// The user has computed the answer to the challenge.
    Credentials,
    /// The user has no answer to the challenge.
    GiveUp,
}

/// What a registration demands in a step.
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Queue for the first REGISTER.
    Enqueue,
    /// Send REGISTER.
    SendRegister,
    /// Send REGISTER with `Expires: 0`.
    SendDeregister,
    /// Take a new Call-ID.
    NewRegistration,
    /// Start the time until the refresh.
    StartRefresh,
    /// Start the time until the next attempt.
    StartRetry,
    /// Start the time the user has for a challenge.
    StartPatience,
    /// Stop the time until refresh, next attempt or turn.
    StopTimers,
    /// Tell the user.
    Report(Report),
}

/// What the user of a registration is told.
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// The registrar knows this endpoint now.
    Registered,
    /// The registration was refreshed.
    Refreshed,
    /// The registrar has forgotten this endpoint.
    Deregistered,
    /// The server had lost this endpoint: its dialogs and subscriptions are dead.
    Lost,
    /// The server wants credentials and gets none.
    Challenged,
    /// The server wants credentials.
    CredentialsWanted,
    /// Another server is responsible.
    Redirected,
    /// The server refuses and will go on refusing.
    RefusedForGood,
    /// The server refuses for the time being.
    RefusedForNow,
    /// The server did not answer.
    TimedOut,
    /// The server removed this endpoint by policy.
    Removed,
    /// The server removed this endpoint and expects it again.
    Deactivated,
    /// The server names another registrar.
    Moved,
    /// The services of the server come or go.
    ServicesChanged,
    /// The connection broke.
    FlowLost,
}

/// Every state.
///
/// RFC 3261 10.2
pub const STATES: [State; 10] = [
    State::Unregistered,
    State::Queued,
    State::Registering,
    State::Registered,
    State::Refreshing,
    State::Authenticating,
    State::Waiting,
    State::Withdrawing,
    State::Deregistering,
    State::Returning,
];

/// Every trigger.
///
/// RFC 3261 10.2
pub const TRIGGERS: [Trigger; 21] = [
    Trigger::Register,
    Trigger::Deregister,
    Trigger::Success,
    Trigger::SuccessAdded,
    Trigger::Challenged,
    Trigger::Redirected,
    Trigger::IntervalTooBrief,
    Trigger::RefusedForGood,
    Trigger::RefusedForNow,
    Trigger::TimedOut,
    Trigger::RefreshDue,
    Trigger::RetryDue,
    Trigger::NotifiedStop,
    Trigger::NotifiedAgain,
    Trigger::NotifiedMoved,
    Trigger::NotifiedState,
    Trigger::FlowLost,
    Trigger::TurnCame,
    Trigger::CredentialsWanted,
    Trigger::Credentials,
    Trigger::GiveUp,
];
