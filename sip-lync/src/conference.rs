//! A conference that is joined: its focus, its roster and the call with its mixer.
//!
//! The focus lets in (`addUser` in an INVITE), tells who is there (subscription to `conference`) and ends the
//! conference; sound is an ordinary call to the service `audio-video`, made by us or by that service.
#![doc = include_str!("../docs/states/conference.md")]

/// Where a conference stands.
///
/// MS-CONFBAS 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The INVITE to the focus has no final response.
    Joining,
    /// The focus answered, and decides about us later.
    Lobby,
    /// We take part, without sound.
    Joined,
    /// The call with the mixer is being made, by either side.
    Calling,
    /// We take part, with sound.
    Talking,
    /// The focus refused us; our BYE or CANCEL is on its way.
    Refused,
    /// We leave; our BYE or CANCEL is on its way.
    Leaving,
    /// It is over.
    Left,
}

/// What moves a conference.
///
/// MS-CONFBAS 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The focus lets us in.
    Admitted,
    /// The focus answered and decides later.
    Pending,
    /// The focus does not let us in.
    Denied,
    /// The decision of the focus did not come.
    PatienceOver,
    /// The session with the focus failed or ended.
    FocusEnded,
    /// The user wants to talk.
    JoinAudio,
    /// The mixer calls us.
    AudioInvited,
    /// The call with the mixer stands.
    AudioAnswered,
    /// The call with the mixer failed or ended.
    AudioEnded,
    /// The user leaves.
    Leave,
}

/// What a conference demands in a step.
///
/// MS-CONFBAS 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Subscribe to the roster.
    Subscribe,
    /// End that subscription.
    Unsubscribe,
    /// Call the mixer.
    CallAudio,
    /// End the call with the mixer.
    HangUpAudio,
    /// End the session with the focus.
    HangUpFocus,
    /// Start the time the focus has for its decision.
    StartPatience,
    /// Stop that time.
    StopPatience,
    /// Tell the user that it takes part.
    ReportJoined,
    /// Tell the user that it does not.
    ReportFailed,
    /// Tell the user that it has left.
    ReportLeft,
    /// Tell the user that the conference ended.
    ReportEnded,
}

/// Every state.
///
/// MS-CONFBAS 3.1
pub const STATES: [State; 8] = [
    State::Joining,
    State::Lobby,
    State::Joined,
    State::Calling,
    State::Talking,
    State::Refused,
    State::Leaving,
    State::Left,
];

/// Every trigger.
///
/// MS-CONFBAS 3.1
pub const TRIGGERS: [Trigger; 10] = [
    Trigger::Admitted,
    Trigger::Pending,
    Trigger::Denied,
    Trigger::PatienceOver,
    Trigger::FocusEnded,
    Trigger::JoinAudio,
    Trigger::AudioInvited,
    Trigger::AudioAnswered,
    Trigger::AudioEnded,
    Trigger::Leave,
];

/// One step of a conference; it starts in [`State::Joining`].
///
/// MS-CONFBAS 3.1
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{
        CallAudio, HangUpAudio, HangUpFocus, ReportEnded, ReportFailed, ReportJoined, ReportLeft,
        StartPatience, StopPatience, Subscribe, Unsubscribe,
    };
    match (state, trigger) {
        (State::Joining, Trigger::Admitted) => (State::Joined, &[Subscribe, ReportJoined]),
        (State::Joining, Trigger::Pending) => (State::Lobby, &[StartPatience]),
        (State::Joining, Trigger::Denied) => (State::Refused, &[ReportFailed, HangUpFocus]),
        (State::Joining, Trigger::FocusEnded) => (State::Left, &[ReportFailed]),
        (State::Joining, Trigger::Leave) => (State::Leaving, &[HangUpFocus]),
        (
            State::Joining,
            Trigger::PatienceOver
            | Trigger::JoinAudio
            | Trigger::AudioInvited
            | Trigger::AudioAnswered
            | Trigger::AudioEnded,
        ) => (State::Joining, &[]),
        (State::Lobby, Trigger::Admitted) => (State::Joined, &[StopPatience, Subscribe, ReportJoined]),
        (State::Lobby, Trigger::Denied) => (State::Refused, &[StopPatience, ReportFailed, HangUpFocus]),
        (State::Lobby, Trigger::PatienceOver) => (State::Refused, &[ReportFailed, HangUpFocus]),
        (State::Lobby, Trigger::FocusEnded) => (State::Left, &[StopPatience, ReportFailed]),
        (State::Lobby, Trigger::Leave) => (State::Leaving, &[StopPatience, HangUpFocus]),
        (
            State::Lobby,
            Trigger::Pending
            | Trigger::JoinAudio
            | Trigger::AudioInvited
            | Trigger::AudioAnswered
            | Trigger::AudioEnded,
        ) => (State::Lobby, &[]),
        (State::Joined, Trigger::JoinAudio) => (State::Calling, &[CallAudio]),
        (State::Joined, Trigger::AudioInvited) => (State::Calling, &[]),
        (State::Joined, Trigger::FocusEnded) => (State::Left, &[Unsubscribe, ReportEnded]),
        (State::Joined, Trigger::Leave) => (State::Leaving, &[Unsubscribe, HangUpFocus]),
        (
            State::Joined,
            Trigger::Admitted
            | Trigger::Pending
            | Trigger::Denied
            | Trigger::PatienceOver
            | Trigger::AudioAnswered
            | Trigger::AudioEnded,
        ) => (State::Joined, &[]),
        (State::Calling, Trigger::AudioAnswered) => (State::Talking, &[]),
        (State::Calling | State::Talking, Trigger::AudioEnded) => (State::Joined, &[]),
        (State::Calling | State::Talking, Trigger::FocusEnded) => {
            (State::Left, &[Unsubscribe, ReportEnded, HangUpAudio])
        }
        (State::Calling | State::Talking, Trigger::Leave) => {
            (State::Leaving, &[Unsubscribe, HangUpAudio, HangUpFocus])
        }
        (
            State::Calling,
            Trigger::Admitted
            | Trigger::Pending
            | Trigger::Denied
            | Trigger::PatienceOver
            | Trigger::JoinAudio
            | Trigger::AudioInvited,
        ) => (State::Calling, &[]),
        (
            State::Talking,
            Trigger::Admitted
            | Trigger::Pending
            | Trigger::Denied
            | Trigger::PatienceOver
            | Trigger::JoinAudio
            | Trigger::AudioInvited
            | Trigger::AudioAnswered,
        ) => (State::Talking, &[]),
        (State::Refused, Trigger::FocusEnded) => (State::Left, &[]),
        (State::Leaving, Trigger::FocusEnded) => (State::Left, &[ReportLeft]),
        (
            State::Refused | State::Leaving,
            Trigger::Admitted
            | Trigger::Pending
            | Trigger::Denied
            | Trigger::PatienceOver
            | Trigger::JoinAudio
            | Trigger::AudioInvited
            | Trigger::AudioAnswered
            | Trigger::AudioEnded
            | Trigger::Leave,
        ) => (state, &[]),
        (
            State::Left,
            Trigger::Admitted
            | Trigger::Pending
            | Trigger::Denied
            | Trigger::PatienceOver
            | Trigger::FocusEnded
            | Trigger::JoinAudio
            | Trigger::AudioInvited
            | Trigger::AudioAnswered
            | Trigger::AudioEnded
            | Trigger::Leave,
        ) => (State::Left, &[]),
    }
}
