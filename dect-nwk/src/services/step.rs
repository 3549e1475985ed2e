//! The step function of two calls in one transaction.

use super::{Action as A, Leg, Slot, State, Trigger as T};

/// One step: the next state and what to do. No action with the old state means that the trigger is ignored there.
///
/// EN 300 175-5 10 (the meaning of the codes is that of NG-DECT part 3; inferred where its text was not at hand)
pub fn step(state: State, trigger: T) -> (State, Vec<A>) {
    match trigger {
        T::SecondCall => second_call(state),
        T::Toggle | T::AcceptWaiting if state.find(Leg::Waiting).is_some() => match trigger {
            T::Toggle => failed(state),
            _ => accept(state),
        },
        T::Toggle => match (state.first, state.second) {
            (Leg::Active, Leg::Held) => swap(state, Slot::First),
            (Leg::Held, Leg::Active) => swap(state, Slot::Second),
            _ => failed(state),
        },
        T::Conference => match (state.first, state.second) {
            (Leg::Active, Leg::Held) | (Leg::Held, Leg::Active) => (
                State { first: Leg::Conference, second: Leg::Conference },
                vec![A::Join, A::Status(Slot::First), A::Status(Slot::Second)],
            ),
            _ => failed(state),
        },
        T::Transfer => match (state.first, state.second) {
            (Leg::Active | Leg::SetUp, Leg::Held)
            | (Leg::Held, Leg::Active | Leg::SetUp)
            | (Leg::Conference, Leg::Conference) => (
                State { first: Leg::Idle, second: Leg::Idle },
                vec![A::Connect, A::Status(Slot::First), A::Status(Slot::Second)],
            ),
            _ => failed(state),
        },
        T::Release(slot) => match state.leg(slot) {
            Leg::Idle => failed(state),
            Leg::SetUp | Leg::Waiting | Leg::Active | Leg::Held | Leg::Conference => {
                gone(state, slot, &[A::End(slot)])
            }
        },
        T::AcceptWaiting => failed(state),
        T::RejectWaiting => match state.find(Leg::Waiting) {
            Some(slot) => gone(state, slot, &[A::End(slot)]),
            None => failed(state),
        },
        T::Deflect => match state.find(Leg::Waiting) {
            Some(slot) => gone(state, slot, &[A::Divert(slot)]),
            None => failed(state),
        },
        T::Hold => match state.find(Leg::Active) {
            Some(slot) => (state.with(slot, Leg::Held), vec![A::Hold(slot), A::Status(slot)]),
            None => failed(state),
        },
        T::Resume => match (state.find(Leg::Held), state.find(Leg::Active), state.find(Leg::SetUp)) {
            (Some(slot), None, None) => {
                (state.with(slot, Leg::Active), vec![A::Retrieve(slot), A::Status(slot)])
            }
            _ => failed(state),
        },
        T::Intrude | T::Screen => (state, vec![A::NotSupported]),
        T::CallWaits => match state.find(Leg::Idle) {
            Some(slot) if matches!(state.leg(slot.other()), Leg::Active | Leg::Held) => {
                (state.with(slot, Leg::Waiting), vec![A::Announce(slot)])
            }
            Some(_) | None => (state, Vec::new()),
        },
        T::FarAnswered => match state.find(Leg::SetUp) {
            Some(slot) => (state.with(slot, Leg::Active), vec![A::Status(slot)]),
            None => (state, Vec::new()),
        },
        T::FarReleased(slot) => match state.leg(slot) {
            Leg::Idle => (state, Vec::new()),
            Leg::SetUp | Leg::Waiting | Leg::Active | Leg::Held | Leg::Conference => gone(state, slot, &[]),
        },
    }
}

fn failed(state: State) -> (State, Vec<A>) {
    (state, vec![A::Failed])
}

fn second_call(state: State) -> (State, Vec<A>) {
    let Some(slot) = state.find(Leg::Idle) else { return failed(state) };
    match state.leg(slot.other()) {
        Leg::Active => (
            state.with(slot.other(), Leg::Held).with(slot, Leg::SetUp),
            vec![A::Hold(slot.other()), A::Status(slot.other()), A::Begin(slot), A::Status(slot)],
        ),
        Leg::Held => (state.with(slot, Leg::SetUp), vec![A::Begin(slot), A::Status(slot)]),
        Leg::Idle | Leg::SetUp | Leg::Waiting | Leg::Conference => failed(state),
    }
}

fn accept(state: State) -> (State, Vec<A>) {
    let Some(slot) = state.find(Leg::Waiting) else { return failed(state) };
    let other = slot.other();
    let mut actions = Vec::new();
    let mut next = state.with(slot, Leg::Active);
    if state.leg(other) == Leg::Active {
        next = next.with(other, Leg::Held);
        actions.extend([A::Hold(other), A::Status(other)]);
    }
    actions.extend([A::Answer(slot), A::Status(slot)]);
    (next, actions)
}

fn swap(state: State, active: Slot) -> (State, Vec<A>) {
    let other = active.other();
    (
        state.with(active, Leg::Held).with(other, Leg::Active),
        vec![A::Hold(active), A::Retrieve(other), A::Status(active), A::Status(other)],
    )
}

/// A call is over; what is left of a conference is a call.
fn gone(state: State, slot: Slot, first: &[A]) -> (State, Vec<A>) {
    let mut actions = first.to_vec();
    actions.push(A::Status(slot));
    let mut next = state.with(slot, Leg::Idle);
    if next.leg(slot.other()) == Leg::Conference {
        next = next.with(slot.other(), Leg::Active);
        actions.extend([A::Retrieve(slot.other()), A::Status(slot.other())]);
    }
    (next, actions)
}
