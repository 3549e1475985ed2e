//! The cells of the INVITE session once it stands, a function a state.

use super::Effect::{
    AcceptBye, AckReinvite, AnswerUpdate, EndFork, RefuseOffer, RefusePending, RefuseRetryLater, RepeatAck,
    Report, SendAnswer, SendBye, SendReinvite, SendRequestTerminated, StartBackoff, StopBackoff,
    StopRepeating,
};
use super::step::Step;
use super::{Report as Told, State, Trigger};

/// The session stands.
pub(super) const fn established(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Established, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Established, &[EndFork]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, Report(Told::EndedByPeer)]),
        Trigger::Reinvite => (State::Reinvited, &[Report(Told::Reoffered)]),
        Trigger::UpdateOffer => (State::Updated, &[Report(Told::Reoffered)]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Terminating, &[SendBye, Report(Told::EndedLocally)]),
        Trigger::Reoffer => (State::Reinviting, &[SendReinvite]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Established, &[]),
    }
}

/// Our re-INVITE waits for its final response.
pub(super) const fn reinviting(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Reinviting, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Reinviting, &[EndFork]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, Report(Told::EndedByPeer)]),
        // RFC 3261 14.2, RFC 3311 5.2: glare.
        Trigger::Reinvite | Trigger::UpdateOffer => (State::Reinviting, &[RefusePending]),
        Trigger::ReinviteSuccess => (State::Established, &[AckReinvite, Report(Told::ReofferAnswered)]),
        // We asked for an offer; the ACK waits for the user's answer.
        Trigger::ReinviteSuccessWithOffer => (State::AnswerDue, &[Report(Told::Reoffered)]),
        Trigger::ReinviteRefused => (State::Established, &[Report(Told::ReofferRefused)]),
        Trigger::ReinvitePending => (State::ReinviteBackoff, &[StartBackoff]),
        Trigger::ReinviteGone => (State::Terminating, &[SendBye, Report(Told::DialogGone)]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Terminating, &[SendBye, Report(Told::EndedLocally)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Reinviting, &[]),
    }
}

/// The random time after a 491 runs.
pub(super) const fn reinvite_backoff(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::ReinviteBackoff, &[RepeatAck]),
        Trigger::ForkAnswered => (State::ReinviteBackoff, &[EndFork]),
        Trigger::Bye => (State::Terminated, &[StopBackoff, AcceptBye, Report(Told::EndedByPeer)]),
        // The peer was first; the user may offer again once that is settled.
        Trigger::Reinvite => {
            (State::Reinvited, &[StopBackoff, Report(Told::ReofferRefused), Report(Told::Reoffered)])
        }
        Trigger::UpdateOffer => {
            (State::Updated, &[StopBackoff, Report(Told::ReofferRefused), Report(Told::Reoffered)])
        }
        Trigger::BackoffOver => (State::Reinviting, &[SendReinvite]),
        Trigger::FlowLost => (State::Terminated, &[StopBackoff, Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Terminating, &[StopBackoff, SendBye, Report(Told::EndedLocally)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::ReinviteBackoff, &[]),
    }
}

/// The peer's re-INVITE waits for the user.
pub(super) const fn reinvited(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Reinvited, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Reinvited, &[EndFork]),
        Trigger::Cancel => (State::Established, &[SendRequestTerminated, Report(Told::ReofferWithdrawn)]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, SendRequestTerminated, Report(Told::EndedByPeer)]),
        // RFC 3261 14.2: a second INVITE before the first has its final response.
        Trigger::Reinvite => (State::Reinvited, &[RefuseRetryLater]),
        Trigger::UpdateOffer => (State::Reinvited, &[RefuseRetryLater]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => {
            (State::Terminating, &[SendRequestTerminated, SendBye, Report(Told::EndedLocally)])
        }
        Trigger::AnswerOffer => (State::Reanswered, &[SendAnswer]),
        Trigger::RejectOffer => (State::Established, &[RefuseOffer]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Reoffer => (State::Reinvited, &[]),
    }
}

/// Our 200 to the re-INVITE waits for its ACK.
pub(super) const fn reanswered(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Reanswered, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Reanswered, &[EndFork]),
        Trigger::Ack => (State::Established, &[StopRepeating, Report(Told::ReofferConfirmed)]),
        Trigger::AckTimeout => (State::Terminating, &[StopRepeating, SendBye, Report(Told::AckMissing)]),
        Trigger::Bye => (State::Terminated, &[StopRepeating, AcceptBye, Report(Told::EndedByPeer)]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::Reanswered, &[RefusePending]),
        Trigger::FlowLost => (State::Terminated, &[StopRepeating, Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Terminating, &[StopRepeating, SendBye, Report(Told::EndedLocally)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::ByeFinal
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Reanswered, &[]),
    }
}

/// The peer's UPDATE waits for the user.
pub(super) const fn updated(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Updated, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Updated, &[EndFork]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, SendRequestTerminated, Report(Told::EndedByPeer)]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::Updated, &[RefuseRetryLater]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => {
            (State::Terminating, &[SendRequestTerminated, SendBye, Report(Told::EndedLocally)])
        }
        Trigger::AnswerOffer => (State::Established, &[AnswerUpdate]),
        Trigger::RejectOffer => (State::Established, &[RefuseOffer]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Reoffer => (State::Updated, &[]),
    }
}

/// Our BYE waits for its response.
pub(super) const fn terminating(trigger: Trigger) -> Step {
    match trigger {
        Trigger::SuccessAgain => (State::Terminating, &[RepeatAck]),
        Trigger::ForkAnswered => (State::Terminating, &[EndFork]),
        // Both hung up at once.
        Trigger::Bye => (State::Terminating, &[AcceptBye]),
        Trigger::ByeFinal | Trigger::FlowLost => (State::Terminated, &[]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::Terminating, &[RefuseOffer]),
        Trigger::ReinviteSuccess | Trigger::ReinviteSuccessWithOffer => (State::Terminating, &[AckReinvite]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::HangUp
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Terminating, &[]),
    }
}

/// The session is forgotten.
pub(super) const fn terminated(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
        | Trigger::Refused
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::Bye
        | Trigger::ByeFinal
        | Trigger::Reinvite
        | Trigger::UpdateOffer
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
        | Trigger::ReinviteRefused
        | Trigger::ReinvitePending
        | Trigger::ReinviteGone
        | Trigger::BackoffOver
        | Trigger::FlowLost
        | Trigger::Ring
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::HangUp
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Terminated, &[]),
    }
}
