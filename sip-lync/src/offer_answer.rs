//! Where a dialog stands between offer and answer.
//!
//! An endpoint that treats session descriptions as opaque still has to know whether a body is an
//! offer or an answer, and whether one may be sent now.
#![doc = include_str!("../docs/states/offer_answer.md")]

/// The position of one dialog between offer and answer.
///
/// RFC 3264 4, RFC 6337 2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// No session description was exchanged yet.
    #[default]
    None,
    /// We offered first and wait for the answer.
    Offered,
    /// The peer offered first and waits for our answer.
    OfferReceived,
    /// An offer was answered.
    Agreed,
    /// We made a further offer; the agreed session stays until it is answered.
    Reoffered,
    /// The peer made a further offer; the agreed session stays until we answer.
    ReofferReceived,
}

/// A session description or a refusal, in one of both directions.
///
/// RFC 3264 4, RFC 6337 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// We send a description.
    Send,
    /// The peer sends a description.
    Receive,
    /// The open offer, ours or the peer's, was refused.
    Refuse,
}

/// What a description that was sent or received is.
///
/// RFC 3264 4, RFC 6337 3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// It is an offer.
    Offer,
    /// It is the answer to the open offer.
    Answer,
    /// It repeats what is known, as a 200 repeats the description of its 183.
    Repetition,
    /// The open offer is withdrawn; the session stays as it was.
    Withdrawal,
    /// It is forbidden now.
    Forbidden,
}

/// Every position.
///
/// RFC 3264 4
pub const POSITIONS: [Position; 6] = [
    Position::None,
    Position::Offered,
    Position::OfferReceived,
    Position::Agreed,
    Position::Reoffered,
    Position::ReofferReceived,
];

/// Every trigger.
///
/// RFC 3264 4
pub const TRIGGERS: [Trigger; 3] = [Trigger::Send, Trigger::Receive, Trigger::Refuse];

/// One step between offer and answer, for messages that may open an offer.
///
/// Descriptions of the peer that belong to the INVITE under way after its answer are
/// [`Meaning::Repetition`]s and go through [`repeat`] instead.
///
/// RFC 3264 4, RFC 6337 2.2
#[must_use]
pub const fn step(position: Position, trigger: Trigger) -> (Position, Meaning) {
    match (position, trigger) {
        (Position::None, Trigger::Send) => (Position::Offered, Meaning::Offer),
        (Position::None, Trigger::Receive) => (Position::OfferReceived, Meaning::Offer),
        (Position::None, Trigger::Refuse) => (Position::None, Meaning::Withdrawal),
        (Position::Offered, Trigger::Send) => (Position::Offered, Meaning::Forbidden),
        (Position::Offered, Trigger::Receive) => (Position::Agreed, Meaning::Answer),
        (Position::Offered, Trigger::Refuse) => (Position::None, Meaning::Withdrawal),
        (Position::OfferReceived, Trigger::Send) => (Position::Agreed, Meaning::Answer),
        (Position::OfferReceived, Trigger::Receive) => (Position::OfferReceived, Meaning::Forbidden),
        (Position::OfferReceived, Trigger::Refuse) => (Position::None, Meaning::Withdrawal),
        (Position::Agreed, Trigger::Send) => (Position::Reoffered, Meaning::Offer),
        (Position::Agreed, Trigger::Receive) => (Position::ReofferReceived, Meaning::Offer),
        (Position::Agreed, Trigger::Refuse) => (Position::Agreed, Meaning::Withdrawal),
        (Position::Reoffered, Trigger::Send) => (Position::Reoffered, Meaning::Forbidden),
        (Position::Reoffered, Trigger::Receive) => (Position::Agreed, Meaning::Answer),
        (Position::Reoffered, Trigger::Refuse) => (Position::Agreed, Meaning::Withdrawal),
        (Position::ReofferReceived, Trigger::Send) => (Position::Agreed, Meaning::Answer),
        (Position::ReofferReceived, Trigger::Receive) => (Position::ReofferReceived, Meaning::Forbidden),
        (Position::ReofferReceived, Trigger::Refuse) => (Position::Agreed, Meaning::Withdrawal),
    }
}

/// A description in a response to the INVITE that carried our offer: the first one is the answer,
/// later ones of the same dialog repeat it; without an offer of ours the first one is an offer.
///
/// RFC 6337 3.1.1, RFC 3261 13.2.1
#[must_use]
pub const fn repeat(position: Position) -> (Position, Meaning) {
    match position {
        Position::Agreed => (Position::Agreed, Meaning::Repetition),
        Position::OfferReceived => (Position::OfferReceived, Meaning::Repetition),
        Position::ReofferReceived => (Position::ReofferReceived, Meaning::Repetition),
        Position::None | Position::Offered | Position::Reoffered => step(position, Trigger::Receive),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_200_may_repeat_the_answer_of_the_183() {
        let (after_183, meaning) = repeat(Position::Offered);
        assert_eq!((after_183, meaning), (Position::Agreed, Meaning::Answer));
        assert_eq!(repeat(after_183), (Position::Agreed, Meaning::Repetition));
    }

    #[test]
    fn a_refused_reoffer_leaves_the_session_as_it_was() {
        let (offered, _) = step(Position::Agreed, Trigger::Send);
        assert_eq!(offered, Position::Reoffered);
        assert_eq!(step(offered, Trigger::Refuse), (Position::Agreed, Meaning::Withdrawal));
    }

    #[test]
    fn nobody_may_offer_while_an_offer_is_open() {
        for open in [Position::Offered, Position::Reoffered] {
            assert_eq!(step(open, Trigger::Send).1, Meaning::Forbidden);
        }
        for open in [Position::OfferReceived, Position::ReofferReceived] {
            assert_eq!(step(open, Trigger::Receive).1, Meaning::Forbidden);
        }
    }
}
