//! What others see of a user with several devices: the model by which the simulated server makes one state of many.
//!
//! The script of real servers is theirs; this model follows what is documented of it (inferred where that is silent).

use crate::category::{PublishedActivity, StateCategory, StateKind};

/// One state of many; `None` when no machine is there, and the user is offline.
///
/// MS-PRES 3.3 (aggregation)
#[must_use]
pub fn aggregate<'a, 't: 'a>(
    states: impl IntoIterator<Item = &'a StateCategory<'t>>,
) -> Option<StateCategory<'t>> {
    let mut machine: Option<u32> = None;
    let mut busy: Option<&StateCategory<'t>> = None;
    let mut user: Option<u32> = None;
    for state in states {
        let Some(availability) = state.availability else { continue };
        match state.kind {
            // The machine that is used most counts: one that is away never hides one that is not.
            StateKind::Machine => {
                machine = Some(machine.map_or(availability, |known| known.min(availability)));
            }
            StateKind::Phone | StateKind::Calendar | StateKind::Conference => {
                if busy.is_none_or(|known| known.availability < state.availability) {
                    busy = Some(state);
                }
            }
            // Who chose to be available only takes an earlier choice back.
            StateKind::User if state.manual && availability >= IDLE => user = Some(availability),
            StateKind::User | StateKind::Aggregate | StateKind::AggregateMachine | StateKind::Other(_) => {}
        }
    }
    let machine = machine?;
    let base = user.unwrap_or(machine);
    let mut activities: Vec<PublishedActivity<'t>> = Vec::new();
    let availability = match busy.and_then(|busy| Some((busy.availability?, busy))) {
        _ if base >= DO_NOT_DISTURB && user.is_some() => base,
        Some((availability, busy)) => {
            activities.clone_from(&busy.activities);
            if machine < IDLE { availability.max(base) } else { IDLE_BUSY.max(availability) }
        }
        None => base,
    };
    Some(StateCategory { activities, ..StateCategory::aggregate(availability) })
}

/// What those see who see numbers only.
///
/// MS-PRES 3.3 (aggregation)
#[must_use]
pub fn for_federated(state: &StateCategory<'_>) -> StateCategory<'static> {
    StateCategory { availability: state.availability, ..StateCategory::aggregate(0) }
}

const IDLE: u32 = 4500;
const IDLE_BUSY: u32 = 7500;
const DO_NOT_DISTURB: u32 = 9000;
