//! Whether the peer still wants to receive.
#![doc = include_str!("../../docs/states/ice_consent.md")]

/// What is known of the peer's consent.
///
/// RFC 7675 5.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// An answer came lately.
    #[default]
    Fresh,
    /// A question is under way.
    Asking,
    /// No answer came for too long: nothing may be sent any more.
    Lost,
}

/// What moves it.
///
/// RFC 7675 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// It is time to ask.
    Due,
    /// An authenticated answer came over the pair.
    Answered,
    /// The consent is as old as it may become.
    Expired,
    /// The pair is another one now.
    Selected,
}

/// What follows.
///
/// RFC 7675 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send one check, never again by itself.
    Ask,
    /// The consent lasts from now on for its whole time.
    Renew,
    /// Send nothing any more.
    Stop,
}

/// Every state.
///
/// RFC 7675 5.1
pub const STATES: [State; 3] = [State::Fresh, State::Asking, State::Lost];

/// Every trigger.
///
/// RFC 7675 5.1
pub const TRIGGERS: [Trigger; 4] = [Trigger::Due, Trigger::Answered, Trigger::Expired, Trigger::Selected];

/// One step of consent; it starts in [`State::Fresh`], because the answered check that made the pair valid is consent.
///
/// RFC 7675 5.1
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Ask, Renew, Stop};
    match (state, trigger) {
        (State::Fresh | State::Asking, Trigger::Due) => (State::Asking, &[Ask]),
        (State::Fresh | State::Asking, Trigger::Answered) => (State::Fresh, &[Renew]),
        (State::Fresh | State::Asking, Trigger::Expired) => (State::Lost, &[Stop]),
        // Only a restart brings it back.
        (State::Lost, Trigger::Due | Trigger::Answered | Trigger::Expired) => (State::Lost, &[]),
        (State::Fresh | State::Asking | State::Lost, Trigger::Selected) => (State::Fresh, &[Renew]),
    }
}
