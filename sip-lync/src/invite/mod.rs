//! The INVITE session: from the first INVITE to the last BYE, re-INVITEs included.
//!
//! The machine decides what is sent and what the user hears; it knows neither bytes nor
//! descriptions. Forks are the endpoint's: a 2xx of another fork is [`Trigger::ForkAnswered`].
#![doc = include_str!("../../docs/states/invite.md")]

mod established;
mod establishing;
mod step;

pub use step::step;

/// Where an INVITE session stands.
///
/// RFC 3261 13, RFC 3261 14, RFC 3261 15
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Our INVITE was sent, nothing came back; a CANCEL is not allowed yet.
    Calling,
    /// A provisional response came to our INVITE.
    Proceeding,
    /// We hung up before any response; the CANCEL waits for a provisional one.
    CancelWaiting,
    /// The CANCEL was sent, the final response of the INVITE is awaited.
    Cancelling,
    /// The peer's 200 carries an offer; our ACK waits for the user's answer.
    AnswerDue,
    /// The peer's INVITE came.
    Incoming,
    /// We sent 180 or 183.
    Ringing,
    /// We sent 200 and repeat it until the ACK comes.
    Answered,
    /// We sent 200 and hung up; the BYE waits for the ACK.
    AnsweredEnding,
    /// The session stands.
    Established,
    /// Our re-INVITE has no final response yet.
    Reinviting,
    /// Our re-INVITE met one of the peer's; it is sent again after a random time.
    ReinviteBackoff,
    /// The peer's re-INVITE waits for the user.
    Reinvited,
    /// We sent 200 to the peer's re-INVITE and repeat it until the ACK comes.
    Reanswered,
    /// The peer's UPDATE with an offer waits for the user.
    Updated,
    /// We sent BYE.
    Terminating,
    /// The session is over and forgotten.
    Terminated,
}

/// What moves an INVITE session.
///
/// RFC 3261 13, RFC 3261 14, RFC 3261 15
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A provisional response to our INVITE.
    Provisional,
    /// The first 2xx to our INVITE, with an answer or nothing in it.
    Success,
    /// The first 2xx to our INVITE, with an offer in it.
    SuccessWithOffer,
    /// The 2xx of the session came again.
    SuccessAgain,
    /// A 2xx of another fork.
    ForkAnswered,
    /// A final refusal of our INVITE, or none at all.
    Refused,
    /// No final response came after our CANCEL.
    CancelTimeout,
    /// The peer's CANCEL.
    Cancel,
    /// The ACK for our 2xx.
    Ack,
    /// The ACK for our 2xx never came.
    AckTimeout,
    /// The peer's BYE.
    Bye,
    /// The final response to our BYE, or none at all.
    ByeFinal,
    /// The peer's re-INVITE.
    Reinvite,
    /// The peer's UPDATE with an offer.
    UpdateOffer,
    /// A 2xx to our re-INVITE.
    ReinviteSuccess,
    /// A 2xx with an offer to our re-INVITE, which had none.
    ReinviteSuccessWithOffer,
    /// Our re-INVITE was refused, the session stays.
    ReinviteRefused,
    /// Our re-INVITE was refused with 491.
    ReinvitePending,
    /// Our re-INVITE was answered 481 or 408 or not at all: the dialog is gone.
    ReinviteGone,
    /// The random time after a 491 is over.
    BackoffOver,
    /// The connection broke and there is no other.
    FlowLost,
    /// The user says that it rings.
    Ring,
    /// The user answers.
    Answer,
    /// The user refuses.
    Reject,
    /// The user hangs up.
    HangUp,
    /// The user makes a further offer.
    Reoffer,
    /// The user answers the offer of the peer's 200, re-INVITE or UPDATE.
    AnswerOffer,
    /// The user refuses the offer of the peer's re-INVITE or UPDATE.
    RejectOffer,
}

/// What an INVITE session demands in a step.
///
/// RFC 3261 13, RFC 3261 14, RFC 3261 15
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send CANCEL for our INVITE and start its timer.
    SendCancel,
    /// Send the ACK for the 2xx of the session.
    SendAck,
    /// Send the same ACK again.
    RepeatAck,
    /// Acknowledge the 2xx of another fork and end that dialog.
    EndFork,
    /// Send BYE.
    SendBye,
    /// Send the user's provisional response.
    SendRinging,
    /// Send the user's 200 to INVITE or re-INVITE and start repeating it.
    SendAnswer,
    /// Stop repeating the 200.
    StopRepeating,
    /// Send the user's refusal of the INVITE.
    SendRefusal,
    /// Answer the INVITE or re-INVITE 487.
    SendRequestTerminated,
    /// Answer the BYE 200.
    AcceptBye,
    /// Answer the BYE 481.
    RefuseBye,
    /// Send our re-INVITE.
    SendReinvite,
    /// Acknowledge the 2xx of our re-INVITE.
    AckReinvite,
    /// Answer the peer's offer 491.
    RefusePending,
    /// Answer the peer's offer 500 with Retry-After.
    RefuseRetryLater,
    /// Send the user's refusal of the re-INVITE or UPDATE.
    RefuseOffer,
    /// Send the user's 200 to UPDATE.
    AnswerUpdate,
    /// Start the random time after a 491.
    StartBackoff,
    /// Stop the random time after a 491.
    StopBackoff,
    /// Tell the user.
    Report(Report),
}

/// What the user of a session is told.
///
/// RFC 3261 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// A provisional response came.
    Progress,
    /// The peer answered.
    Answered,
    /// Our answer was acknowledged.
    Confirmed,
    /// Our call was refused.
    Failed,
    /// The session ended by the peer's BYE.
    EndedByPeer,
    /// The session ended because the user wished it.
    EndedLocally,
    /// The caller gave up.
    Cancelled,
    /// The session ended because the ACK never came.
    AckMissing,
    /// The session ended because the peer does not know it any more.
    DialogGone,
    /// The session ended with its connection.
    FlowLost,
    /// The peer made a further offer.
    Reoffered,
    /// The peer withdrew its further offer.
    ReofferWithdrawn,
    /// Our further offer was answered.
    ReofferAnswered,
    /// Our 200 to the peer's re-INVITE was acknowledged.
    ReofferConfirmed,
    /// Our further offer was refused.
    ReofferRefused,
}

/// Every state.
///
/// RFC 3261 13
pub const STATES: [State; 17] = [
    State::Calling,
    State::Proceeding,
    State::CancelWaiting,
    State::Cancelling,
    State::AnswerDue,
    State::Incoming,
    State::Ringing,
    State::Answered,
    State::AnsweredEnding,
    State::Established,
    State::Reinviting,
    State::ReinviteBackoff,
    State::Reinvited,
    State::Reanswered,
    State::Updated,
    State::Terminating,
    State::Terminated,
];

/// Every trigger.
///
/// RFC 3261 13
pub const TRIGGERS: [Trigger; 28] = [
    Trigger::Provisional,
    Trigger::Success,
    Trigger::SuccessWithOffer,
    Trigger::SuccessAgain,
    Trigger::ForkAnswered,
    Trigger::Refused,
    Trigger::CancelTimeout,
    Trigger::Cancel,
    Trigger::Ack,
    Trigger::AckTimeout,
    Trigger::Bye,
    Trigger::ByeFinal,
    Trigger::Reinvite,
    Trigger::UpdateOffer,
    Trigger::ReinviteSuccess,
    Trigger::ReinviteSuccessWithOffer,
    Trigger::ReinviteRefused,
    Trigger::ReinvitePending,
    Trigger::ReinviteGone,
    Trigger::BackoffOver,
    Trigger::FlowLost,
    Trigger::Ring,
    Trigger::Answer,
    Trigger::Reject,
    Trigger::HangUp,
    Trigger::Reoffer,
    Trigger::AnswerOffer,
    Trigger::RejectOffer,
];
