//! The call as a pure machine: a DECT call on one side, a SIP session on the other, always ended on both.
//!
//! Early media, peer's holds and channels change no phase and are not here.

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// The handset dials; the number is not complete.
    Overlap,
    /// INVITE sent.
    Dialling,
    /// The peer rings, or its network plays early media.
    Delivered,
    /// CC-SETUP sent to the handset, which is being paged.
    Presented,
    /// The handset rings.
    Alerting,
    /// The handset answered; 200 sent, its ACK awaited.
    Accepted,
    /// Speech both ways.
    Active,
    /// Offer to hold sent.
    HoldPending,
    /// Offer to hold sent, and the handset wants to go on already.
    HoldRegretted,
    /// Held by the handset.
    Held,
    /// Offer to retrieve sent.
    RetrievePending,
    /// Offer to retrieve sent, and the handset wants to hold again already.
    RetrieveRegretted,
    /// INVITE sent for a handset that is connected already: a second call, or one its peer asked for.
    Further,
    /// The handset is with another call, and this one waits for it.
    Parked,
    /// The same, and held.
    ParkedHeld,
    /// Over on both sides.
    Ended,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trigger {
    /// The number is complete: en-bloc, by a closing key, or because no digit followed.
    DialComplete,
    /// The number cannot be dialled, no channel is free, or the handset's bearer failed.
    LocalFailure,
    /// CC-ALERTING of the handset.
    HandsetAlerting,
    /// CC-CONNECT of the handset.
    HandsetAnswered,
    /// The handset released, or its link was lost.
    HandsetReleased,
    /// The handset asks to hold.
    HandsetHold,
    /// The handset asks to go on.
    HandsetRetrieve,
    /// 180 or 183.
    PeerProgress,
    /// 200 to our INVITE.
    PeerAnswered,
    /// ACK to our 200.
    PeerConfirmed,
    /// Our INVITE was refused.
    PeerRefused,
    /// BYE, CANCEL, or the session was lost.
    PeerEnded,
    /// Our hold or retrieve was accepted.
    ReofferAccepted,
    /// Our hold or retrieve was refused.
    ReofferRefused,
    /// The handset went to another call.
    HandsetGone,
    /// The handset came from another call.
    HandsetCame,
    /// The administrator or the shutdown ends the call.
    End,
}

/// What to do, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    /// Send the INVITE.
    Invite,
    /// Send 180.
    Ring,
    /// Send 200 with our answer.
    Accept,
    /// CANCEL, BYE or a refusal, as the session's state demands.
    HangUp,
    /// Send CC-CALL-PROC.
    Proceeding,
    /// Send CC-ALERTING.
    Alert,
    /// Send CC-CONNECT.
    Connect,
    /// Give the handset back to the call it came from; without one send CC-RELEASE with the reason at hand.
    Release,
    /// Send the offer that holds.
    OfferHold,
    /// Send the offer that retrieves.
    OfferRetrieve,
    /// Tell the handset that its call is held.
    ShowHeld,
    /// Tell the handset that it is connected.
    ShowConnected,
    /// Give back the channel and forget the call.
    Close,
}

/// All phases, in order.
#[cfg(test)]
pub(crate) const PHASES: [Phase; 16] = [
    Phase::Overlap,
    Phase::Dialling,
    Phase::Delivered,
    Phase::Presented,
    Phase::Alerting,
    Phase::Accepted,
    Phase::Active,
    Phase::HoldPending,
    Phase::HoldRegretted,
    Phase::Held,
    Phase::RetrievePending,
    Phase::RetrieveRegretted,
    Phase::Further,
    Phase::Parked,
    Phase::ParkedHeld,
    Phase::Ended,
];

/// All triggers, in order.
#[cfg(test)]
pub(crate) const TRIGGERS: [Trigger; 17] = [
    Trigger::DialComplete,
    Trigger::LocalFailure,
    Trigger::HandsetAlerting,
    Trigger::HandsetAnswered,
    Trigger::HandsetReleased,
    Trigger::HandsetHold,
    Trigger::HandsetRetrieve,
    Trigger::PeerProgress,
    Trigger::PeerAnswered,
    Trigger::PeerConfirmed,
    Trigger::PeerRefused,
    Trigger::PeerEnded,
    Trigger::ReofferAccepted,
    Trigger::ReofferRefused,
    Trigger::HandsetGone,
    Trigger::HandsetCame,
    Trigger::End,
];

/// The next phase and what to do on the way.
pub(crate) fn step(phase: Phase, trigger: Trigger) -> (Phase, &'static [Action]) {
    use Action as A;
    use Phase as P;
    use Trigger as T;
    // Ends before the session exists, with it, and after it is gone.
    const HANDSET_ONLY: &[Action] = &[A::Release, A::Close];
    const BOTH: &[Action] = &[A::HangUp, A::Release, A::Close];
    const SESSION_ONLY: &[Action] = &[A::HangUp, A::Close];
    const NOTHING: &[Action] = &[];

    match (phase, trigger) {
        (P::Overlap, T::DialComplete) => (P::Dialling, &[A::Proceeding, A::Invite]),
        (P::Overlap, T::HandsetReleased) => (P::Ended, &[A::Close]),
        (P::Overlap, T::LocalFailure | T::End) => (P::Ended, HANDSET_ONLY),
        (
            P::Overlap,
            T::HandsetAlerting
            | T::HandsetAnswered
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerProgress
            | T::PeerAnswered
            | T::PeerConfirmed
            | T::PeerRefused
            | T::PeerEnded
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone
            | T::HandsetCame,
        ) => (P::Overlap, NOTHING),

        (P::Dialling, T::PeerProgress) => (P::Delivered, &[A::Alert]),
        (P::Delivered, T::PeerProgress) => (P::Delivered, NOTHING),
        (P::Dialling | P::Delivered, T::PeerAnswered) => (P::Active, &[A::Connect]),
        (P::Dialling | P::Delivered, T::PeerRefused | T::PeerEnded) => (P::Ended, HANDSET_ONLY),
        (P::Dialling | P::Delivered, T::HandsetReleased) => (P::Ended, SESSION_ONLY),
        (P::Dialling | P::Delivered, T::LocalFailure | T::End) => (P::Ended, BOTH),
        (
            P::Dialling | P::Delivered,
            T::DialComplete
            | T::HandsetAlerting
            | T::HandsetAnswered
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerConfirmed
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone
            | T::HandsetCame,
        ) => (phase, NOTHING),

        (P::Presented, T::HandsetAlerting) => (P::Alerting, &[A::Ring]),
        (P::Presented | P::Alerting, T::HandsetAnswered) => (P::Accepted, &[A::Accept]),
        (P::Presented | P::Alerting, T::HandsetReleased) => (P::Ended, SESSION_ONLY),
        (P::Presented | P::Alerting, T::PeerEnded | T::PeerRefused) => (P::Ended, HANDSET_ONLY),
        (P::Presented | P::Alerting, T::LocalFailure | T::End) => (P::Ended, BOTH),
        (P::Alerting, T::HandsetAlerting) => (P::Alerting, NOTHING),
        (
            P::Presented | P::Alerting,
            T::DialComplete
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerProgress
            | T::PeerAnswered
            | T::PeerConfirmed
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone
            | T::HandsetCame,
        ) => (phase, NOTHING),

        (P::Accepted, T::PeerConfirmed) => (P::Active, &[A::ShowConnected]),
        (P::Active, T::HandsetHold) => (P::HoldPending, &[A::OfferHold]),
        (P::HoldPending | P::HoldRegretted, T::HandsetRetrieve) => (P::HoldRegretted, NOTHING),
        (P::HoldPending | P::HoldRegretted, T::HandsetHold) => (P::HoldPending, NOTHING),
        (P::HoldPending, T::ReofferAccepted) => (P::Held, &[A::ShowHeld]),
        (P::HoldRegretted, T::ReofferAccepted) => (P::RetrievePending, &[A::OfferRetrieve]),
        (P::HoldPending | P::HoldRegretted, T::ReofferRefused) => (P::Active, &[A::ShowConnected]),
        (P::Held, T::HandsetRetrieve) => (P::RetrievePending, &[A::OfferRetrieve]),
        (P::RetrievePending | P::RetrieveRegretted, T::HandsetHold) => (P::RetrieveRegretted, NOTHING),
        (P::RetrievePending | P::RetrieveRegretted, T::HandsetRetrieve) => (P::RetrievePending, NOTHING),
        (P::RetrievePending, T::ReofferAccepted) => (P::Active, &[A::ShowConnected]),
        (P::RetrieveRegretted, T::ReofferAccepted) => (P::HoldPending, &[A::OfferHold]),
        (P::RetrievePending | P::RetrieveRegretted, T::ReofferRefused) => (P::Held, &[A::ShowHeld]),

        (
            P::Accepted
            | P::Active
            | P::HoldPending
            | P::HoldRegretted
            | P::Held
            | P::RetrievePending
            | P::RetrieveRegretted,
            T::HandsetReleased,
        ) => (P::Ended, SESSION_ONLY),
        (
            P::Accepted
            | P::Active
            | P::HoldPending
            | P::HoldRegretted
            | P::Held
            | P::RetrievePending
            | P::RetrieveRegretted,
            T::PeerEnded | T::PeerRefused,
        ) => (P::Ended, HANDSET_ONLY),
        (
            P::Accepted
            | P::Active
            | P::HoldPending
            | P::HoldRegretted
            | P::Held
            | P::RetrievePending
            | P::RetrieveRegretted,
            T::LocalFailure | T::End,
        ) => (P::Ended, BOTH),
        (P::Accepted | P::Active, T::HandsetGone) => (P::Parked, NOTHING),
        (P::Held, T::HandsetGone) => (P::ParkedHeld, NOTHING),
        (P::HoldPending | P::HoldRegretted | P::RetrievePending | P::RetrieveRegretted, T::HandsetGone) => {
            (phase, NOTHING)
        }
        (P::Accepted, T::HandsetHold | T::HandsetRetrieve | T::ReofferAccepted | T::ReofferRefused)
        | (P::Active, T::HandsetRetrieve | T::PeerConfirmed | T::ReofferAccepted | T::ReofferRefused)
        | (P::HoldPending | P::HoldRegretted | P::RetrievePending | P::RetrieveRegretted, T::PeerConfirmed)
        | (P::Held, T::HandsetHold | T::PeerConfirmed | T::ReofferAccepted | T::ReofferRefused)
        | (
            P::Accepted
            | P::Active
            | P::HoldPending
            | P::HoldRegretted
            | P::Held
            | P::RetrievePending
            | P::RetrieveRegretted,
            T::DialComplete
            | T::HandsetAlerting
            | T::HandsetAnswered
            | T::PeerProgress
            | T::PeerAnswered
            | T::HandsetCame,
        ) => (phase, NOTHING),

        (P::Further, T::PeerAnswered) => (P::Active, &[A::ShowConnected]),
        (P::Further, T::PeerRefused | T::PeerEnded) => (P::Ended, HANDSET_ONLY),
        (P::Further, T::HandsetReleased) => (P::Ended, SESSION_ONLY),
        (P::Further, T::LocalFailure | T::End) => (P::Ended, BOTH),
        (
            P::Further,
            T::DialComplete
            | T::HandsetAlerting
            | T::HandsetAnswered
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerProgress
            | T::PeerConfirmed
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone
            | T::HandsetCame,
        ) => (P::Further, NOTHING),

        (P::Parked, T::HandsetCame) => (P::Active, &[A::ShowConnected]),
        (P::ParkedHeld, T::HandsetCame) => (P::Held, &[A::ShowHeld]),
        (P::Parked | P::ParkedHeld, T::PeerEnded | T::PeerRefused) => (P::Ended, &[A::Close]),
        (P::Parked | P::ParkedHeld, T::HandsetReleased | T::LocalFailure | T::End) => {
            (P::Ended, SESSION_ONLY)
        }
        (
            P::Parked | P::ParkedHeld,
            T::DialComplete
            | T::HandsetAlerting
            | T::HandsetAnswered
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerProgress
            | T::PeerAnswered
            | T::PeerConfirmed
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone,
        ) => (phase, NOTHING),

        (
            P::Ended,
            T::DialComplete
            | T::LocalFailure
            | T::HandsetAlerting
            | T::HandsetAnswered
            | T::HandsetReleased
            | T::HandsetHold
            | T::HandsetRetrieve
            | T::PeerProgress
            | T::PeerAnswered
            | T::PeerConfirmed
            | T::PeerRefused
            | T::PeerEnded
            | T::ReofferAccepted
            | T::ReofferRefused
            | T::HandsetGone
            | T::HandsetCame
            | T::End,
        ) => (P::Ended, NOTHING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A phase with what the two legs are really in.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct World {
        phase: Phase,
        handset: bool,
        session: bool,
        channel: bool,
    }

    fn after(world: World, trigger: Trigger) -> World {
        let (phase, actions) = step(world.phase, trigger);
        let mut next = World { phase, ..world };
        if trigger == Trigger::HandsetReleased {
            next.handset = false;
        }
        if matches!(trigger, Trigger::PeerRefused | Trigger::PeerEnded) {
            next.session = false;
        }
        match trigger {
            Trigger::HandsetGone => next.handset = !matches!(phase, Phase::Parked | Phase::ParkedHeld),
            Trigger::HandsetCame => next.handset = true,
            _ => {}
        }
        for action in actions {
            match action {
                Action::Invite => {
                    assert!(!next.session, "a second session in {world:?} after {trigger:?}");
                    next.session = true;
                }
                Action::HangUp => {
                    assert!(next.session, "a hang-up of nothing in {world:?} after {trigger:?}");
                    next.session = false;
                }
                Action::Ring | Action::Accept | Action::OfferHold | Action::OfferRetrieve => {
                    assert!(next.session, "{action:?} without a session in {world:?} after {trigger:?}");
                }
                Action::Release => {
                    assert!(next.handset, "a release of nothing in {world:?} after {trigger:?}");
                    next.handset = false;
                }
                Action::Proceeding
                | Action::Alert
                | Action::Connect
                | Action::ShowHeld
                | Action::ShowConnected => {
                    assert!(next.handset, "{action:?} without a handset in {world:?} after {trigger:?}");
                }
                Action::Close => next.channel = false,
            }
        }
        next
    }

    /// Whether a trigger can come at all: a leg that is gone says nothing.
    fn possible(world: World, trigger: Trigger) -> bool {
        match trigger {
            Trigger::HandsetAlerting
            | Trigger::HandsetAnswered
            | Trigger::HandsetReleased
            | Trigger::HandsetHold
            | Trigger::HandsetRetrieve => world.handset,
            Trigger::PeerProgress
            | Trigger::PeerAnswered
            | Trigger::PeerConfirmed
            | Trigger::PeerRefused
            | Trigger::PeerEnded
            | Trigger::ReofferAccepted
            | Trigger::ReofferRefused => world.session,
            Trigger::HandsetGone => world.handset,
            Trigger::HandsetCame => matches!(world.phase, Phase::Parked | Phase::ParkedHeld),
            Trigger::DialComplete | Trigger::LocalFailure | Trigger::End => true,
        }
    }

    #[test]
    fn every_call_ends_on_both_sides() {
        let outgoing = World { phase: Phase::Overlap, handset: true, session: false, channel: true };
        let incoming = World { phase: Phase::Presented, handset: true, session: true, channel: true };
        let further = World { phase: Phase::Further, ..incoming };
        let mut seen: BTreeSet<World> = [outgoing, incoming, further].into();
        let mut open: Vec<World> = seen.iter().copied().collect();
        while let Some(world) = open.pop() {
            for trigger in TRIGGERS.into_iter().filter(|trigger| possible(world, *trigger)) {
                let next = after(world, trigger);
                let over = next.phase == Phase::Ended;
                assert_eq!(over, !next.handset && !next.session, "{world:?} after {trigger:?}: {next:?}");
                assert_eq!(over, !next.channel, "{world:?} after {trigger:?}: {next:?}");
                if seen.insert(next) {
                    open.push(next);
                }
            }
            // Whatever the state, the administrator's word and the handset's release end it.
            assert_eq!(step(world.phase, Trigger::End).0, Phase::Ended);
            assert_eq!(step(world.phase, Trigger::HandsetReleased).0, Phase::Ended);
        }
        let phases: BTreeSet<Phase> = seen.iter().map(|world| world.phase).collect();
        assert_eq!(phases, PHASES.into(), "every phase is reached");
    }
}
