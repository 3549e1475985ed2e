//! Offers within an early dialog: in reliable provisional responses, in PRACK and in UPDATE.
//!
//! The offer of the INVITE and its answer in a response are those of [`crate::invite`]; this is what may come between
//! them and the final response (RFC 6337 table 1, patterns 4 to 6). A second UPDATE or PRACK does not wait here: it is
//! refused at once.
#![doc = include_str!("../docs/states/early_offer.md")]

/// Where the offer within an early dialog stands.
///
/// RFC 3262 5, RFC 3311 5
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No offer is open here.
    #[default]
    Idle,
    /// The peer's reliable provisional response offers; our PRACK waits for the user's answer.
    PrackDue,
    /// Our reliable provisional response offers; the peer's PRACK brings the answer.
    PrackAwaited,
    /// The peer's UPDATE or PRACK offers; our response waits for the user's answer.
    AnswerDue,
    /// Our UPDATE offers.
    Asked,
}

/// What moves the offer within an early dialog.
///
/// RFC 3262 5, RFC 3311 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The peer's reliable provisional response to our INVITE without an offer has one.
    ProvisionalOffer,
    /// Our reliable provisional response to the peer's INVITE without an offer has one.
    OfferReliably,
    /// The peer's PRACK has a description.
    PrackDescribed,
    /// The peer's PRACK has none.
    PrackBare,
    /// The peer's UPDATE has an offer.
    Update,
    /// The user answers the peer's offer.
    Answer,
    /// The user refuses the peer's offer.
    Reject,
    /// The user offers.
    Offer,
    /// A 2xx to our UPDATE.
    Answered,
    /// A refusal of our UPDATE, or no response.
    Refused,
    /// The user left the peer's offer unanswered.
    PatienceOver,
    /// The call was answered, the offer of the peer is still open.
    Confirmed,
    /// The session is over.
    Over,
}

/// What an offer within an early dialog demands in a step.
///
/// RFC 3262 5, RFC 3311 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Tell the user the peer's offer.
    ReportOffer,
    /// Tell the user the peer's answer.
    ReportAnswer,
    /// Tell the user that its offer was refused.
    ReportRefused,
    /// Start the time the user has for an answer.
    StartPatience,
    /// Stop that time.
    StopPatience,
    /// Send the PRACK with the user's answer.
    SendPrack,
    /// Answer the PRACK 200.
    AcceptPrack,
    /// Send the 200 to UPDATE or PRACK with the user's answer.
    SendAnswer,
    /// Refuse the UPDATE or PRACK that waits.
    SendRefusal,
    /// Answer the UPDATE or PRACK that waits 500 with Retry-After: the peer may offer again.
    SendRetryLater,
    /// Answer the UPDATE or PRACK that came 491: our offer is open.
    RefusePending,
    /// Answer the UPDATE or PRACK that came 500 with Retry-After: an offer of the peer is open.
    RefuseRetryLater,
    /// Send our UPDATE.
    SendUpdate,
    /// An answer that was due never came: end the call.
    EndCall,
}

/// Every state.
///
/// RFC 3262 5, RFC 3311 5
pub const STATES: [State; 5] =
    [State::Idle, State::PrackDue, State::PrackAwaited, State::AnswerDue, State::Asked];

/// Every trigger.
///
/// RFC 3262 5, RFC 3311 5
pub const TRIGGERS: [Trigger; 13] = [
    Trigger::ProvisionalOffer,
    Trigger::OfferReliably,
    Trigger::PrackDescribed,
    Trigger::PrackBare,
    Trigger::Update,
    Trigger::Answer,
    Trigger::Reject,
    Trigger::Offer,
    Trigger::Answered,
    Trigger::Refused,
    Trigger::PatienceOver,
    Trigger::Confirmed,
    Trigger::Over,
];

type Step = (State, &'static [Effect]);

/// One step of the offer within an early dialog; it starts in [`State::Idle`].
///
/// RFC 3262 5, RFC 3311 5.1, RFC 3311 5.2, RFC 6337 2.2
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Idle => idle(trigger),
        State::PrackDue => prack_due(trigger),
        State::PrackAwaited => prack_awaited(trigger),
        State::AnswerDue => answer_due(trigger),
        State::Asked => asked(trigger),
    }
}

const fn idle(trigger: Trigger) -> Step {
    match trigger {
        Trigger::ProvisionalOffer => (State::PrackDue, &[Effect::StartPatience, Effect::ReportOffer]),
        Trigger::OfferReliably => (State::PrackAwaited, &[]),
        Trigger::PrackDescribed | Trigger::Update => {
            (State::AnswerDue, &[Effect::StartPatience, Effect::ReportOffer])
        }
        Trigger::PrackBare => (State::Idle, &[Effect::AcceptPrack]),
        Trigger::Offer => (State::Asked, &[Effect::SendUpdate]),
        Trigger::Answer
        | Trigger::Reject
        | Trigger::Answered
        | Trigger::Refused
        | Trigger::PatienceOver
        | Trigger::Confirmed
        | Trigger::Over => (State::Idle, &[]),
    }
}

const fn prack_due(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Answer => (State::Idle, &[Effect::StopPatience, Effect::SendPrack]),
        // RFC 6337 2.2: what comes in a response cannot be refused; a user who cannot answer hangs up.
        Trigger::Reject | Trigger::PatienceOver => (State::Idle, &[Effect::StopPatience, Effect::EndCall]),
        Trigger::PrackDescribed | Trigger::Update => (State::PrackDue, &[Effect::RefuseRetryLater]),
        Trigger::PrackBare => (State::PrackDue, &[Effect::AcceptPrack]),
        // The answer goes into the ACK.
        Trigger::Confirmed | Trigger::Over => (State::Idle, &[Effect::StopPatience]),
        Trigger::ProvisionalOffer
        | Trigger::OfferReliably
        | Trigger::Offer
        | Trigger::Answered
        | Trigger::Refused => (State::PrackDue, &[]),
    }
}

const fn prack_awaited(trigger: Trigger) -> Step {
    match trigger {
        Trigger::PrackDescribed => (State::Idle, &[Effect::AcceptPrack, Effect::ReportAnswer]),
        // RFC 3262 5: the answer belongs there.
        Trigger::PrackBare => (State::Idle, &[Effect::AcceptPrack, Effect::EndCall]),
        Trigger::Update => (State::PrackAwaited, &[Effect::RefusePending]),
        Trigger::Confirmed | Trigger::Over => (State::Idle, &[]),
        Trigger::ProvisionalOffer
        | Trigger::OfferReliably
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Offer
        | Trigger::Answered
        | Trigger::Refused
        | Trigger::PatienceOver => (State::PrackAwaited, &[]),
    }
}

const fn answer_due(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Answer => (State::Idle, &[Effect::StopPatience, Effect::SendAnswer]),
        Trigger::Reject | Trigger::PatienceOver => {
            (State::Idle, &[Effect::StopPatience, Effect::SendRefusal])
        }
        Trigger::PrackDescribed | Trigger::Update => (State::AnswerDue, &[Effect::RefuseRetryLater]),
        Trigger::PrackBare => (State::AnswerDue, &[Effect::AcceptPrack]),
        Trigger::Confirmed => (State::Idle, &[Effect::StopPatience, Effect::SendRetryLater]),
        Trigger::Over => (State::Idle, &[Effect::StopPatience, Effect::SendRefusal]),
        Trigger::ProvisionalOffer
        | Trigger::OfferReliably
        | Trigger::Offer
        | Trigger::Answered
        | Trigger::Refused => (State::AnswerDue, &[]),
    }
}

const fn asked(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Answered => (State::Idle, &[Effect::ReportAnswer]),
        Trigger::Refused => (State::Idle, &[Effect::ReportRefused]),
        Trigger::PrackDescribed | Trigger::Update => (State::Asked, &[Effect::RefusePending]),
        Trigger::PrackBare => (State::Asked, &[Effect::AcceptPrack]),
        // The dialog stays; so does its UPDATE.
        Trigger::Confirmed => (State::Asked, &[]),
        Trigger::Over => (State::Idle, &[]),
        Trigger::ProvisionalOffer
        | Trigger::OfferReliably
        | Trigger::Answer
        | Trigger::Reject
        | Trigger::Offer
        | Trigger::PatienceOver => (State::Asked, &[]),
    }
}
