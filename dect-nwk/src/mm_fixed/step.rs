//! The step function of mobility management at the fixed part.

use super::{Action as A, Attempt, FixedProcedure as F, PortableProcedure as P, State, Trigger as T};

const IDLE: State = State { portable: P::None, fixed: F::None };

/// One step of mobility management at the fixed part: the next state and what to do. No action with the old state
/// means that the trigger is ignored there.
///
/// EN 300 175-5 13
pub fn step(state: State, trigger: T) -> (State, Vec<A>) {
    match trigger {
        T::AccessRightsRequested => access_rights_requested(state),
        T::AllowAccess => match (state.portable, state.fixed) {
            (P::AccessRights, F::None) => {
                start(state, F::KeyAllocation(Attempt::First), &[A::SendKeyAllocate])
            }
            // The owner's answer waits for the end of a procedure that runs already.
            (
                P::AccessRights,
                F::Authentication(_)
                | F::CipherSwitching(_)
                | F::Identification(_)
                | F::TemporaryIdentity
                | F::AccessRightsTerminate(_),
            ) => (State { portable: P::AccessRightsAllowed, ..state }, vec![A::AwaitProcedure]),
            (P::AccessRights, F::KeyAllocation(_))
            | (P::None | P::AccessRightsAllowed | P::LocationRegistration | P::AccessRightsTerminate, _) => {
                ignore(state)
            }
        },
        T::RefuseAccess => match (state.portable, state.fixed) {
            (P::AccessRights, F::None) => idle(&[A::SendAccessReject, A::IndicateSubscriptionFailed]),
            (P::AccessRights, F::KeyAllocation(_)) => {
                idle(&[A::StopTimer, A::SendAccessReject, A::IndicateSubscriptionFailed])
            }
            (
                P::AccessRights,
                F::Authentication(_)
                | F::CipherSwitching(_)
                | F::Identification(_)
                | F::TemporaryIdentity
                | F::AccessRightsTerminate(_),
            )
            | (P::AccessRightsAllowed, _) => (
                State { portable: P::None, ..state },
                vec![A::SendAccessReject, A::IndicateSubscriptionFailed],
            ),
            (P::None | P::LocationRegistration | P::AccessRightsTerminate, _) => ignore(state),
        },
        T::KeyProven => match state.fixed {
            F::KeyAllocation(_) => {
                idle(&[A::StopTimer, A::SendKeyReply, A::SendAccessAccept, A::IndicateSubscribed])
            }
            F::None
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::KeyDisproven => match state.fixed {
            F::KeyAllocation(_) => idle(&[
                A::StopTimer,
                A::SendAuthenticationReject,
                A::SendAccessReject,
                A::IndicateSubscriptionFailed,
            ]),
            F::None
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        // Priority 1: answered at once; a procedure it interrupts gets its whole time again.
        T::AuthenticationRequested => match state.fixed {
            F::None => (state, vec![A::SendAuthenticationReply]),
            F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => (state, vec![A::SendAuthenticationReply, A::StartTimer]),
        },
        T::LocationRequested => replace(state, |actions| {
            actions.extend([A::SendAuthenticationRequest, A::StartTimer]);
            State { portable: P::LocationRegistration, fixed: F::Authentication(Attempt::First) }
        }),
        T::LocationRequestedOpenly => replace(state, |actions| {
            actions.extend([A::SendLocateAccept, A::StartTimer]);
            State { portable: P::None, fixed: F::TemporaryIdentity }
        }),
        T::ReplyRight => match (state.portable, state.fixed) {
            (P::LocationRegistration, F::Authentication(_)) => (
                State { portable: P::None, fixed: F::TemporaryIdentity },
                vec![A::StopTimer, A::StoreCipherKey, A::SendLocateAccept, A::StartTimer],
            ),
            (P::AccessRightsTerminate, F::Authentication(_)) => {
                idle(&[A::StopTimer, A::SendTerminateAccept, A::IndicateTerminated])
            }
            (P::None | P::AccessRights | P::AccessRightsAllowed, F::Authentication(_)) => {
                end(state, &[A::StopTimer, A::StoreCipherKey])
            }
            (
                _,
                F::None
                | F::KeyAllocation(_)
                | F::CipherSwitching(_)
                | F::Identification(_)
                | F::TemporaryIdentity
                | F::AccessRightsTerminate(_),
            ) => ignore(state),
        },
        T::ReplyWrong => match state.fixed {
            F::Authentication(_) => not_authentic(state, &[A::StopTimer, A::SendAuthenticationReject]),
            F::None
            | F::KeyAllocation(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::AuthenticationRejected => match state.fixed {
            F::Authentication(_) => not_authentic(state, &[A::StopTimer]),
            F::KeyAllocation(_) => idle(&[A::StopTimer, A::SendAccessReject, A::IndicateSubscriptionFailed]),
            F::None
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::IdentityAcknowledged => match state.fixed {
            F::TemporaryIdentity => {
                end(state, &[A::StopTimer, A::StoreTemporaryIdentity, A::IndicateLocated])
            }
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::IdentityRejected => match state.fixed {
            F::TemporaryIdentity => end(state, &[A::StopTimer, A::DropTemporaryIdentity, A::IndicateLocated]),
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::Detached => {
            let mut actions = abandoned(state);
            actions.extend([A::IndicateDetached, A::FreeLink]);
            (IDLE, actions)
        }
        T::IdentityReplied => match state.fixed {
            F::Identification(_) => end(state, &[A::StopTimer, A::IndicateIdentified]),
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::CipherSuggested | T::Cipher => {
            start(state, F::CipherSwitching(Attempt::First), &[A::SendCipherRequest])
        }
        T::CipherNotPossible => (state, vec![A::SendCipherReject]),
        T::CipherRejected | T::Encrypted => match state.fixed {
            F::CipherSwitching(_) => end(state, &[A::StopTimer]),
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::Identification(_)
            | F::TemporaryIdentity
            | F::AccessRightsTerminate(_) => ignore(state),
        },
        T::TerminateRequested => replace(state, |actions| {
            actions.extend([A::SendAuthenticationRequest, A::StartTimer]);
            State { portable: P::AccessRightsTerminate, fixed: F::Authentication(Attempt::First) }
        }),
        T::TerminateRequestedWithoutKey => replace(state, |actions| {
            actions.extend([A::SendTerminateAccept, A::IndicateTerminated, A::FreeLink]);
            IDLE
        }),
        T::TerminateAccepted => match state.fixed {
            F::AccessRightsTerminate(_) => {
                let mut actions = vec![A::StopTimer];
                actions.extend(abandoned_by_portable(state.portable));
                actions.extend([A::IndicateTerminated, A::FreeLink]);
                (IDLE, actions)
            }
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity => ignore(state),
        },
        T::TerminateRejected => match state.fixed {
            F::AccessRightsTerminate(_) => end(state, &[A::StopTimer, A::IndicateTerminationFailed]),
            F::None
            | F::KeyAllocation(_)
            | F::Authentication(_)
            | F::CipherSwitching(_)
            | F::Identification(_)
            | F::TemporaryIdentity => ignore(state),
        },
        T::Authenticate => start(state, F::Authentication(Attempt::First), &[A::SendAuthenticationRequest]),
        T::Identify => start(state, F::Identification(Attempt::First), &[A::SendIdentityRequest]),
        T::AssignIdentity => start(state, F::TemporaryIdentity, &[A::SendIdentityAssign]),
        T::Terminate => start(state, F::AccessRightsTerminate(Attempt::First), &[A::SendTerminateRequest]),
        T::Timeout => timeout(state),
        T::LinkLost => (IDLE, abandoned(state)),
    }
}

fn ignore(state: State) -> (State, Vec<A>) {
    (state, Vec::new())
}

/// The whole transaction is over.
fn idle(actions: &[A]) -> (State, Vec<A>) {
    let mut actions = actions.to_vec();
    actions.push(A::FreeLink);
    (IDLE, actions)
}

/// The fixed part's procedure is over; the portable part's goes on.
fn end(state: State, actions: &[A]) -> (State, Vec<A>) {
    let mut actions = actions.to_vec();
    match state.portable {
        P::None => actions.push(A::FreeLink),
        P::AccessRightsAllowed => return allocate(actions),
        P::AccessRights | P::LocationRegistration | P::AccessRightsTerminate => {}
    }
    (State { fixed: F::None, ..state }, actions)
}

/// The key allocation that waited for the end of another procedure.
fn allocate(mut actions: Vec<A>) -> (State, Vec<A>) {
    actions.extend([A::SendKeyAllocate, A::StartTimer]);
    (State { portable: P::AccessRights, fixed: F::KeyAllocation(Attempt::First) }, actions)
}

/// Starts a procedure of the fixed part unless one runs already.
fn start(state: State, procedure: F, actions: &[A]) -> (State, Vec<A>) {
    match state.fixed {
        F::None => {
            let mut actions = actions.to_vec();
            actions.push(A::StartTimer);
            (State { fixed: procedure, ..state }, actions)
        }
        F::KeyAllocation(_)
        | F::Authentication(_)
        | F::CipherSwitching(_)
        | F::Identification(_)
        | F::TemporaryIdentity
        | F::AccessRightsTerminate(_) => ignore(state),
    }
}

/// A new procedure of the portable part takes the place of its old one, but has to wait for a running procedure of
/// the fixed part, which has the higher priority.
fn replace(state: State, begin: impl FnOnce(&mut Vec<A>) -> State) -> (State, Vec<A>) {
    match state.fixed {
        F::None | F::TemporaryIdentity => {
            let mut actions = abandoned(state);
            let next = begin(&mut actions);
            (next, actions)
        }
        F::KeyAllocation(_)
        | F::Authentication(_)
        | F::CipherSwitching(_)
        | F::Identification(_)
        | F::AccessRightsTerminate(_) => ignore(state),
    }
}

fn access_rights_requested(state: State) -> (State, Vec<A>) {
    match state.portable {
        // A repetition while the owner thinks, or while the code is being proven.
        P::AccessRights | P::AccessRightsAllowed => ignore(state),
        P::None | P::LocationRegistration | P::AccessRightsTerminate => replace(state, |actions| {
            actions.push(A::IndicateAccessRequest);
            State { portable: P::AccessRights, fixed: F::None }
        }),
    }
}

fn not_authentic(state: State, first: &[A]) -> (State, Vec<A>) {
    let mut actions = first.to_vec();
    match state.portable {
        P::None => actions.extend([A::IndicateAuthenticationFailed, A::FreeLink]),
        P::AccessRights => {
            actions.push(A::IndicateAuthenticationFailed);
            return (State { fixed: F::None, ..state }, actions);
        }
        P::AccessRightsAllowed => {
            actions.push(A::IndicateAuthenticationFailed);
            return allocate(actions);
        }
        P::LocationRegistration => actions.extend([
            A::SendLocateReject,
            A::IndicateAuthenticationFailed,
            A::IndicateLocationRefused,
            A::FreeLink,
        ]),
        P::AccessRightsTerminate => {
            actions.extend([A::SendTerminateReject, A::IndicateAuthenticationFailed, A::FreeLink]);
        }
    }
    (IDLE, actions)
}

fn timeout(state: State) -> (State, Vec<A>) {
    let again = |fixed| (State { fixed, ..state }, vec![A::Repeat, A::StartTimer]);
    match state.fixed {
        F::None => ignore(state),
        F::KeyAllocation(Attempt::First) => again(F::KeyAllocation(Attempt::Second)),
        F::KeyAllocation(Attempt::Second) => idle(&[A::SendAccessReject, A::IndicateSubscriptionFailed]),
        F::Authentication(Attempt::First) => again(F::Authentication(Attempt::Second)),
        F::Authentication(Attempt::Second) => not_authentic(state, &[]),
        F::CipherSwitching(Attempt::First) => again(F::CipherSwitching(Attempt::Second)),
        F::CipherSwitching(Attempt::Second) => end(state, &[]),
        F::Identification(Attempt::First) => again(F::Identification(Attempt::Second)),
        F::Identification(Attempt::Second) => end(state, &[A::IndicateNotIdentified]),
        F::TemporaryIdentity => end(state, &[A::DropTemporaryIdentity, A::IndicateLocated]),
        F::AccessRightsTerminate(Attempt::First) => again(F::AccessRightsTerminate(Attempt::Second)),
        F::AccessRightsTerminate(Attempt::Second) => end(state, &[A::IndicateTerminationFailed]),
    }
}

/// What the owner is told when everything ends at once.
fn abandoned(state: State) -> Vec<A> {
    let mut actions = match state.fixed {
        F::None => Vec::new(),
        F::KeyAllocation(_) | F::Authentication(_) | F::CipherSwitching(_) => vec![A::StopTimer],
        F::Identification(_) => vec![A::StopTimer, A::IndicateNotIdentified],
        F::TemporaryIdentity => vec![A::StopTimer, A::DropTemporaryIdentity],
        F::AccessRightsTerminate(_) => vec![A::StopTimer, A::IndicateTerminationFailed],
    };
    actions.extend(abandoned_by_portable(state.portable));
    actions
}

fn abandoned_by_portable(procedure: P) -> Option<A> {
    match procedure {
        P::None | P::AccessRightsTerminate => None,
        P::AccessRights | P::AccessRightsAllowed => Some(A::IndicateSubscriptionFailed),
        P::LocationRegistration => Some(A::IndicateLocationRefused),
    }
}
