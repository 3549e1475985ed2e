//! What is published in each phase.

use crate::availability;
use crate::state::Phase;

/// The published numbers of a phase; `None` means that the publication is deleted.
///
/// MS-PRES 2.2.2.7 (state category)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Publication {
    /// The phase that they stand for.
    pub phase: Phase,
    /// Availability of the machine state.
    pub machine: Option<u16>,
    /// Availability of the phone state.
    pub phone: Option<u16>,
    /// Activity of the phone state.
    pub activity: Option<Activity>,
    /// Availability of the user state: only when the key for silence is published.
    pub user: Option<u16>,
}

impl Publication {
    /// The publication of a phase, without a user state.
    ///
    /// MS-PRES 2.2.2.7 (state category)
    #[must_use]
    pub fn of(phase: Phase) -> Self {
        let (machine, phone, activity) = match phase {
            Phase::Available => (Some(availability::ACTIVE), None, None),
            Phase::Inactive => (Some(availability::INACTIVE), None, None),
            Phase::Away => (Some(availability::AWAY), None, None),
            Phase::InCall => {
                (Some(availability::ACTIVE), Some(availability::IN_CALL), Some(Activity::OnThePhone))
            }
            Phase::InConference => {
                (Some(availability::ACTIVE), Some(availability::IN_CONFERENCE), Some(Activity::InAConference))
            }
            Phase::Removed => (None, None, None),
        };
        Self { phase, machine, phone, activity, user: None }
    }

    /// What several handsets of one user are together: in a call if any is, away only if all are that are there, removed if none
    /// is there. One that is not to be disturbed is enough.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn together(all: impl IntoIterator<Item = Self>) -> Self {
        let more_active = |found: Self, other: Self| {
            let user = found.user.or(other.user);
            let most = if rank(other.phase) < rank(found.phase) { other } else { found };
            Self { user, ..most }
        };
        all.into_iter().reduce(more_active).unwrap_or_else(|| Self::of(Phase::Removed))
    }

    /// The same with the user's wish not to be disturbed; nothing is added to what is removed.
    pub(crate) fn do_not_disturb(self) -> Self {
        let user = (self.phase != Phase::Removed).then_some(availability::DO_NOT_DISTURB);
        Self { user, ..self }
    }
}

/// The more active, the less.
fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::InConference => 0,
        Phase::InCall => 1,
        Phase::Available => 2,
        Phase::Inactive => 3,
        Phase::Away => 4,
        Phase::Removed => 5,
    }
}

/// An activity that contacts see in words.
///
/// MS-PRES 2.2.2.7 (activity token)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activity {
    /// In a call.
    OnThePhone,
    /// In a conference call.
    InAConference,
}

impl Activity {
    /// The token on the wire.
    ///
    /// MS-PRES 2.2.2.7 (activity token)
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::OnThePhone => "on-the-phone",
            Self::InAConference => "in-a-conference",
        }
    }
}
