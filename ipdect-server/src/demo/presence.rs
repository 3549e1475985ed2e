//! Presence as the front end was told: machine and phone states of one user into phases.

use std::collections::BTreeMap;

use ipdect_sim::frontend::Event;

/// Availability of a machine in use, idle and away (MS-PRES 2.2.2.7).
const IN_USE: u32 = 3_500;
const IDLE: u32 = 5_000;
const AWAY: u32 = 15_500;

/// The container whose publications are looked at: the user's own company.
const CONTAINER: u32 = 2;

/// Follows the phases of users.
#[derive(Debug, Default)]
pub(super) struct Watched {
    states: BTreeMap<String, State>,
    /// Phases of each user in order, without repeats.
    phases: BTreeMap<String, Vec<&'static str>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    machine: Option<u32>,
    in_call: bool,
}

impl Watched {
    /// Takes an event of the front end.
    pub(super) fn take(&mut self, event: &Event) {
        let Event::Presence { user, instance, container, availability, removed, .. } = event else { return };
        if *container != CONTAINER {
            return;
        }
        let state = self.states.entry(user.clone()).or_default();
        let value = availability.filter(|_| !*removed);
        // The leading digit of an instance says what it is.
        match instance >> 28 {
            3 => state.machine = value,
            8..=15 => state.in_call = value.is_some(),
            _ => return,
        }
        let phase = match (state.in_call, state.machine) {
            (true, _) => "InCall",
            (false, Some(IN_USE)) => "Available",
            (false, Some(IDLE)) => "Inactive",
            (false, Some(AWAY)) => "Away",
            (false, _) => return,
        };
        let phases = self.phases.entry(user.clone()).or_default();
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
    }

    /// The phases of a user from his first call on.
    pub(super) fn since_first_call(&self, user: &str) -> Vec<String> {
        let phases =
            self.phases.iter().find(|(name, _)| name.contains(user)).map(|(_, phases)| phases.as_slice());
        let phases = phases.unwrap_or_default().iter().skip_while(|phase| **phase != "InCall");
        phases.map(|phase| (*phase).to_owned()).collect()
    }
}
