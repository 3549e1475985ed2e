//! One step of the INVITE session.

use super::{Effect, State, Trigger, established, establishing};

pub(super) type Step = (State, &'static [Effect]);

/// One step of the INVITE session: a caller starts in [`State::Calling`], a callee in
/// [`State::Incoming`].
///
/// RFC 3261 13, RFC 3261 14, RFC 3261 15, RFC 5407 3
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Calling => establishing::calling(trigger),
        State::Proceeding => establishing::proceeding(trigger),
        State::CancelWaiting => establishing::cancel_waiting(trigger),
        State::Cancelling => establishing::cancelling(trigger),
        State::AnswerDue => establishing::answer_due(trigger),
        State::Incoming => establishing::incoming(trigger),
        State::Ringing => establishing::ringing(trigger),
        State::Answered => establishing::answered(trigger),
        State::AnsweredEnding => establishing::answered_ending(trigger),
        State::Established => established::established(trigger),
        State::Reinviting => established::reinviting(trigger),
        State::ReinviteBackoff => established::reinvite_backoff(trigger),
        State::Reinvited => established::reinvited(trigger),
        State::Reanswered => established::reanswered(trigger),
        State::Updated => established::updated(trigger),
        State::Terminating => established::terminating(trigger),
        State::Terminated => established::terminated(trigger),
    }
}
