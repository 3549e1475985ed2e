//! The cells of the INVITE session before it stands, a function a state.

use super::Effect::{
    AcceptBye, EndFork, RefuseBye, RefusePending, RefuseRetryLater, Report, SendAck, SendAnswer, SendBye,
    SendCancel, SendRefusal, SendRequestTerminated, SendRinging, StopRepeating,
};
use super::step::Step;
use super::{Report as Told, State, Trigger};

/// The INVITE was sent and nothing came back.
pub(super) const fn calling(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Provisional => (State::Proceeding, &[Report(Told::Progress)]),
        Trigger::Success => (State::Established, &[SendAck, Report(Told::Answered)]),
        Trigger::SuccessWithOffer => (State::AnswerDue, &[Report(Told::Answered)]),
        Trigger::Refused => (State::Terminated, &[Report(Told::Failed)]),
        Trigger::Bye => (State::Calling, &[RefuseBye]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        // RFC 3261 9.1: no CANCEL before a provisional response.
        Trigger::HangUp => (State::CancelWaiting, &[]),
        Trigger::SuccessAgain
        | Trigger::ForkAnswered
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::Reinvite
        | Trigger::UpdateOffer
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
        | Trigger::RejectOffer => (State::Calling, &[]),
    }
}

/// A provisional response came.
pub(super) const fn proceeding(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Provisional => (State::Proceeding, &[Report(Told::Progress)]),
        Trigger::Success => (State::Established, &[SendAck, Report(Told::Answered)]),
        Trigger::SuccessWithOffer => (State::AnswerDue, &[Report(Told::Answered)]),
        Trigger::Refused => (State::Terminated, &[Report(Told::Failed)]),
        Trigger::Bye => (State::Proceeding, &[RefuseBye]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Cancelling, &[SendCancel]),
        Trigger::SuccessAgain
        | Trigger::ForkAnswered
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::Reinvite
        | Trigger::UpdateOffer
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
        | Trigger::RejectOffer => (State::Proceeding, &[]),
    }
}

/// We gave up before anything came back.
pub(super) const fn cancel_waiting(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Provisional => (State::Cancelling, &[SendCancel]),
        Trigger::Success | Trigger::SuccessWithOffer => {
            (State::Terminating, &[SendAck, SendBye, Report(Told::EndedLocally)])
        }
        Trigger::Refused => (State::Terminated, &[Report(Told::EndedLocally)]),
        Trigger::Bye => (State::CancelWaiting, &[RefuseBye]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::SuccessAgain
        | Trigger::ForkAnswered
        | Trigger::CancelTimeout
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::Reinvite
        | Trigger::UpdateOffer
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
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
        | Trigger::RejectOffer => (State::CancelWaiting, &[]),
    }
}

/// The CANCEL is on its way.
pub(super) const fn cancelling(trigger: Trigger) -> Step {
    match trigger {
        // The 200 crossed our CANCEL.
        Trigger::Success | Trigger::SuccessWithOffer => {
            (State::Terminating, &[SendAck, SendBye, Report(Told::EndedLocally)])
        }
        Trigger::Refused | Trigger::CancelTimeout => (State::Terminated, &[Report(Told::EndedLocally)]),
        Trigger::Bye => (State::Cancelling, &[RefuseBye]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::Provisional
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
        | Trigger::Cancel
        | Trigger::Ack
        | Trigger::AckTimeout
        | Trigger::ByeFinal
        | Trigger::Reinvite
        | Trigger::UpdateOffer
        | Trigger::ReinviteSuccess
        | Trigger::ReinviteSuccessWithOffer
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
        | Trigger::RejectOffer => (State::Cancelling, &[]),
    }
}

/// The 200 brought an offer.
pub(super) const fn answer_due(trigger: Trigger) -> Step {
    match trigger {
        Trigger::ForkAnswered => (State::AnswerDue, &[EndFork]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, Report(Told::EndedByPeer)]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::AnswerDue, &[RefusePending]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::HangUp => (State::Terminating, &[SendAck, SendBye, Report(Told::EndedLocally)]),
        Trigger::AnswerOffer => (State::Established, &[SendAck]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
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
        | Trigger::Reoffer
        | Trigger::RejectOffer => (State::AnswerDue, &[]),
    }
}

/// The peer's INVITE waits for the user.
pub(super) const fn incoming(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Cancel => (State::Terminated, &[SendRequestTerminated, Report(Told::Cancelled)]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, SendRequestTerminated, Report(Told::EndedByPeer)]),
        Trigger::UpdateOffer => (State::Incoming, &[RefusePending]),
        // RFC 3261 14.2: a second INVITE before the first has its final response.
        Trigger::Reinvite => (State::Incoming, &[RefuseRetryLater]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::Ring => (State::Ringing, &[SendRinging]),
        Trigger::Answer => (State::Answered, &[SendAnswer]),
        Trigger::Reject | Trigger::HangUp => (State::Terminated, &[SendRefusal, Report(Told::EndedLocally)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
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
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Incoming, &[]),
    }
}

/// The user is being alerted.
pub(super) const fn ringing(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Cancel => (State::Terminated, &[SendRequestTerminated, Report(Told::Cancelled)]),
        Trigger::Bye => (State::Terminated, &[AcceptBye, SendRequestTerminated, Report(Told::EndedByPeer)]),
        Trigger::UpdateOffer => (State::Ringing, &[RefusePending]),
        // RFC 3261 14.2: a second INVITE before the first has its final response.
        Trigger::Reinvite => (State::Ringing, &[RefuseRetryLater]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::Ring => (State::Ringing, &[SendRinging]),
        Trigger::Answer => (State::Answered, &[SendAnswer]),
        Trigger::Reject | Trigger::HangUp => (State::Terminated, &[SendRefusal, Report(Told::EndedLocally)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
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
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::Ringing, &[]),
    }
}

/// Our 200 waits for its ACK.
pub(super) const fn answered(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Ack => (State::Established, &[StopRepeating, Report(Told::Confirmed)]),
        Trigger::AckTimeout => (State::Terminating, &[StopRepeating, SendBye, Report(Told::AckMissing)]),
        Trigger::Bye => (State::Terminated, &[StopRepeating, AcceptBye, Report(Told::EndedByPeer)]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::Answered, &[RefusePending]),
        Trigger::FlowLost => (State::Terminated, &[StopRepeating, Report(Told::FlowLost)]),
        // RFC 3261 15: no BYE before the ACK.
        Trigger::HangUp => (State::AnsweredEnding, &[]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
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
        | Trigger::RejectOffer => (State::Answered, &[]),
    }
}

/// We hung up before the ACK came.
pub(super) const fn answered_ending(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Ack => (State::Terminating, &[StopRepeating, SendBye, Report(Told::EndedLocally)]),
        Trigger::AckTimeout => (State::Terminating, &[StopRepeating, SendBye, Report(Told::EndedLocally)]),
        Trigger::Bye => (State::Terminated, &[StopRepeating, AcceptBye, Report(Told::EndedByPeer)]),
        Trigger::Reinvite | Trigger::UpdateOffer => (State::AnsweredEnding, &[RefusePending]),
        Trigger::FlowLost => (State::Terminated, &[StopRepeating, Report(Told::FlowLost)]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::SuccessWithOffer
        | Trigger::SuccessAgain
        | Trigger::ForkAnswered
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
        | Trigger::HangUp
        | Trigger::Reoffer
        | Trigger::AnswerOffer
        | Trigger::RejectOffer => (State::AnsweredEnding, &[]),
    }
}
