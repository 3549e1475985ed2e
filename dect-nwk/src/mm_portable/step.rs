//! The step function of mobility management at the portable part.

use super::{Action as A, Asked, Attempt, Own, State, Trigger as T};

const IDLE: State = State { own: Own::None, asked: Asked::None };

/// One step of mobility management at the portable part: the next state and what to do. No action with the old
/// state means that the trigger is ignored there.
///
/// EN 300 175-5 13
pub fn step(state: State, trigger: T) -> (State, Vec<A>) {
    match trigger {
        T::Subscribe => start(state, Own::AccessRights(Attempt::First), A::SendAccessRequest),
        T::Locate | T::LocationSuggested => {
            start(state, Own::LocationRegistration(Attempt::First), A::SendLocateRequest)
        }
        T::AuthenticateFixed => {
            start(state, Own::AuthenticationOfFixed(Attempt::First), A::SendAuthenticationRequest)
        }
        T::Terminate => start(state, Own::AccessRightsTerminate(Attempt::First), A::SendTerminateRequest),
        T::SuggestCipher => start(state, Own::CipherSuggest(Attempt::First), A::SendCipherSuggest),
        T::RetrieveParameters => start(state, Own::ParameterRetrieval(Attempt::First), A::SendInfoRequest),
        T::ParametersAccepted => parameters_answered(state, A::IndicateParameters),
        T::ParametersRejected => parameters_answered(state, A::IndicateNoParameters),
        T::KeyAllocated => {
            // A repetition is answered like the first one.
            (State { asked: Asked::KeyAllocation, ..state }, vec![A::SendKeyProof, A::StartKeyTimer])
        }
        T::KeyAllocatedWithoutCode | T::AuthenticationNotPossible => {
            nested(state, A::SendAuthenticationReject)
        }
        T::PersonalIdentityWanted => nested(state, A::AskForPersonalIdentity),
        T::AuthenticationRequested => nested(state, A::SendAuthenticationReply),
        T::ReplyRight => match (state.asked, state.own) {
            (Asked::KeyAllocation, own) => {
                let mut actions = vec![A::StopKeyTimer, A::StoreKey];
                actions.extend(restart(own));
                (State { asked: Asked::None, own }, actions)
            }
            (Asked::None, Own::AuthenticationOfFixed(_)) => {
                end(state, &[A::StopTimer, A::IndicateFixedAuthenticated])
            }
            (
                Asked::None,
                Own::None
                | Own::AccessRights(_)
                | Own::LocationRegistration(_)
                | Own::AccessRightsTerminate(_)
                | Own::CipherSuggest(_)
                | Own::ParameterRetrieval(_),
            ) => ignore(state),
        },
        T::ReplyWrong | T::AuthenticationRejected => match (state.asked, state.own) {
            // The fixed part goes on with ACCESS-RIGHTS-REJECT; a wrong RES2 must not be accepted later.
            (Asked::KeyAllocation, Own::AccessRights(_)) => {
                idle(&[A::StopKeyTimer, A::StopTimer, A::IndicateSubscriptionFailed])
            }
            (
                Asked::KeyAllocation,
                own @ (Own::None
                | Own::LocationRegistration(_)
                | Own::AuthenticationOfFixed(_)
                | Own::AccessRightsTerminate(_)
                | Own::CipherSuggest(_)
                | Own::ParameterRetrieval(_)),
            ) => (State { asked: Asked::None, own }, vec![A::StopKeyTimer]),
            (Asked::None, Own::AuthenticationOfFixed(_)) => {
                end(state, &[A::StopTimer, A::IndicateFixedNotAuthenticated])
            }
            (
                Asked::None,
                Own::None
                | Own::AccessRights(_)
                | Own::LocationRegistration(_)
                | Own::AccessRightsTerminate(_)
                | Own::CipherSuggest(_)
                | Own::ParameterRetrieval(_),
            ) => ignore(state),
        },
        T::AccessAccepted => match (state.own, state.asked) {
            (Own::AccessRights(_), Asked::None) => {
                end(state, &[A::StopTimer, A::StoreAccessRights, A::IndicateSubscribed])
            }
            // RES2 has not come: the fixed part has not proven that it knows the code.
            (Own::AccessRights(_), Asked::KeyAllocation) => {
                idle(&[A::StopKeyTimer, A::StopTimer, A::IndicateSubscriptionFailed])
            }
            (
                Own::None
                | Own::LocationRegistration(_)
                | Own::AuthenticationOfFixed(_)
                | Own::AccessRightsTerminate(_)
                | Own::CipherSuggest(_)
                | Own::ParameterRetrieval(_),
                _,
            ) => ignore(state),
        },
        T::AccessRejected => match state.own {
            Own::AccessRights(_) => idle(&[A::StopKeyTimer, A::StopTimer, A::IndicateSubscriptionFailed]),
            Own::None
            | Own::LocationRegistration(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::LocatedWithIdentity => match state.own {
            Own::LocationRegistration(_) => {
                end(state, &[A::StopTimer, A::StoreTemporaryIdentity, A::SendIdentityAck, A::IndicateLocated])
            }
            Own::None
            | Own::AccessRights(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::Located => match state.own {
            Own::LocationRegistration(_) => end(state, &[A::StopTimer, A::IndicateLocated]),
            Own::None
            | Own::AccessRights(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::LocationRejected => match state.own {
            Own::LocationRegistration(_) => end(state, &[A::StopTimer, A::IndicateLocationFailed]),
            Own::None
            | Own::AccessRights(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::IdentityAssigned => {
            let (state, mut actions) = nested(state, A::SendIdentityAck);
            actions.insert(0, A::StoreTemporaryIdentity);
            (state, actions)
        }
        T::IdentityRequested => nested(state, A::SendIdentityReply),
        T::CipherRequested => match state.own {
            Own::CipherSuggest(_) => end(state, &[A::StopTimer, A::SwitchCipher]),
            Own::None
            | Own::AccessRights(_)
            | Own::LocationRegistration(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::ParameterRetrieval(_) => nested(state, A::SwitchCipher),
        },
        T::CipherNotPossible => nested(state, A::SendCipherReject),
        T::CipherRejected => match state.own {
            Own::CipherSuggest(_) => end(state, &[A::StopTimer]),
            Own::None
            | Own::AccessRights(_)
            | Own::LocationRegistration(_)
            | Own::AuthenticationOfFixed(_)
            | Own::AccessRightsTerminate(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::TerminateRequested => {
            let mut actions = abandoned(state);
            actions.extend([
                A::SendTerminateAccept,
                A::EraseSubscription,
                A::IndicateTerminated,
                A::FreeLink,
            ]);
            (IDLE, actions)
        }
        T::TerminateAccepted => match state.own {
            Own::AccessRightsTerminate(_) => {
                end(state, &[A::StopTimer, A::EraseSubscription, A::IndicateTerminated])
            }
            Own::None
            | Own::AccessRights(_)
            | Own::LocationRegistration(_)
            | Own::AuthenticationOfFixed(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::TerminateRejected => match state.own {
            Own::AccessRightsTerminate(_) => end(state, &[A::StopTimer, A::IndicateTerminationFailed]),
            Own::None
            | Own::AccessRights(_)
            | Own::LocationRegistration(_)
            | Own::AuthenticationOfFixed(_)
            | Own::CipherSuggest(_)
            | Own::ParameterRetrieval(_) => ignore(state),
        },
        T::Timeout => timeout(state),
        // Inside a key allocation the first expiry ends it (13.5.6).
        T::KeyTimeout => match (state.asked, state.own) {
            (Asked::None, _) => ignore(state),
            (Asked::KeyAllocation, Own::AccessRights(_)) => {
                idle(&[A::StopTimer, A::IndicateSubscriptionFailed])
            }
            (
                Asked::KeyAllocation,
                own @ (Own::None
                | Own::LocationRegistration(_)
                | Own::AuthenticationOfFixed(_)
                | Own::AccessRightsTerminate(_)
                | Own::CipherSuggest(_)
                | Own::ParameterRetrieval(_)),
            ) => (State { asked: Asked::None, own }, Vec::new()),
        },
        T::LinkLost => (IDLE, abandoned(state)),
    }
}

fn parameters_answered(state: State, told: A) -> (State, Vec<A>) {
    match state.own {
        Own::ParameterRetrieval(_) => end(state, &[A::StopTimer, told]),
        Own::None
        | Own::AccessRights(_)
        | Own::LocationRegistration(_)
        | Own::AuthenticationOfFixed(_)
        | Own::AccessRightsTerminate(_)
        | Own::CipherSuggest(_) => ignore(state),
    }
}

fn ignore(state: State) -> (State, Vec<A>) {
    (state, Vec::new())
}

fn idle(actions: &[A]) -> (State, Vec<A>) {
    let mut actions = actions.to_vec();
    actions.push(A::FreeLink);
    (IDLE, actions)
}

/// Our procedure is over; one of the fixed part goes on.
fn end(state: State, actions: &[A]) -> (State, Vec<A>) {
    let mut actions = actions.to_vec();
    match state.asked {
        Asked::None => actions.push(A::FreeLink),
        Asked::KeyAllocation => {}
    }
    (State { own: Own::None, ..state }, actions)
}

/// Starts a procedure of our own unless one runs already.
fn start(state: State, procedure: Own, request: A) -> (State, Vec<A>) {
    match state.own {
        Own::None => (State { own: procedure, ..state }, vec![request, A::StartTimer]),
        Own::AccessRights(_)
        | Own::LocationRegistration(_)
        | Own::AuthenticationOfFixed(_)
        | Own::AccessRightsTerminate(_)
        | Own::CipherSuggest(_)
        | Own::ParameterRetrieval(_) => ignore(state),
    }
}

/// Answers a procedure of the fixed part at once; a procedure it interrupts gets its whole time again.
fn nested(state: State, answer: A) -> (State, Vec<A>) {
    let mut actions = vec![answer];
    actions.extend(restart(state.own));
    match state.own {
        Own::None => actions.push(A::FreeLink),
        Own::AccessRights(_)
        | Own::LocationRegistration(_)
        | Own::AuthenticationOfFixed(_)
        | Own::AccessRightsTerminate(_)
        | Own::CipherSuggest(_)
        | Own::ParameterRetrieval(_) => {}
    }
    (state, actions)
}

fn restart(own: Own) -> Option<A> {
    match own {
        Own::None => None,
        Own::AccessRights(_)
        | Own::LocationRegistration(_)
        | Own::AuthenticationOfFixed(_)
        | Own::AccessRightsTerminate(_)
        | Own::CipherSuggest(_)
        | Own::ParameterRetrieval(_) => Some(A::StartTimer),
    }
}

fn timeout(state: State) -> (State, Vec<A>) {
    let again = |own| (State { own, ..state }, vec![A::Repeat, A::StartTimer]);
    match state.own {
        Own::None => ignore(state),
        Own::AccessRights(Attempt::First) => again(Own::AccessRights(Attempt::Second)),
        Own::LocationRegistration(Attempt::First) => again(Own::LocationRegistration(Attempt::Second)),
        Own::AuthenticationOfFixed(Attempt::First) => again(Own::AuthenticationOfFixed(Attempt::Second)),
        Own::AccessRightsTerminate(Attempt::First) => again(Own::AccessRightsTerminate(Attempt::Second)),
        Own::CipherSuggest(Attempt::First) => again(Own::CipherSuggest(Attempt::Second)),
        Own::ParameterRetrieval(Attempt::First) => again(Own::ParameterRetrieval(Attempt::Second)),
        Own::AccessRights(Attempt::Second)
        | Own::LocationRegistration(Attempt::Second)
        | Own::AuthenticationOfFixed(Attempt::Second)
        | Own::AccessRightsTerminate(Attempt::Second)
        | Own::CipherSuggest(Attempt::Second)
        | Own::ParameterRetrieval(Attempt::Second) => {
            let mut actions = abandoned(state);
            actions.push(A::FreeLink);
            (IDLE, actions)
        }
    }
}

/// What the user is told when everything ends at once.
fn abandoned(state: State) -> Vec<A> {
    let mut actions = match state.asked {
        Asked::None => Vec::new(),
        Asked::KeyAllocation => vec![A::StopKeyTimer],
    };
    match state.own {
        Own::None => {}
        Own::AccessRights(_) => actions.extend([A::StopTimer, A::IndicateSubscriptionFailed]),
        Own::LocationRegistration(_) => actions.extend([A::StopTimer, A::IndicateLocationFailed]),
        Own::AuthenticationOfFixed(_) => {
            actions.extend([A::StopTimer, A::IndicateFixedNotAuthenticated]);
        }
        Own::AccessRightsTerminate(_) => actions.extend([A::StopTimer, A::IndicateTerminationFailed]),
        Own::CipherSuggest(_) => actions.push(A::StopTimer),
        Own::ParameterRetrieval(_) => actions.extend([A::StopTimer, A::IndicateNoParameters]),
    }
    actions
}
