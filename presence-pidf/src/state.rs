//! The phases of a handset's presence, as one total function without data: [`step`].
#![doc = include_str!("../docs/states/handset-presence.md")]

/// What is shown of a handset's user.
///
/// MS-PRES 1.3.2 (machine and phone states); the phases are those of a telephone that nobody types on
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// A call ended less than the first period ago.
    Available,
    /// A call ended less than both periods ago.
    Inactive,
    /// No call for longer, or none known: the rest.
    Away,
    /// In a call.
    InCall,
    /// In a call with a conference (only when configured to show it).
    InConference,
    /// Nothing is published: the user is disabled or has no handset.
    Removed,
}

/// What changes a phase.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// There are calls, none of them with a conference (that is to be shown).
    Calls,
    /// There are calls, one of them with a conference that is to be shown.
    ConferenceCalls,
    /// The last call has ended.
    LastCallEnded,
    /// The handset was used without a call being established (only when configured to count).
    Used,
    /// The first period since the last call is over.
    FirstPeriodOver,
    /// The second period since the last call is over.
    SecondPeriodOver,
    /// The handset is out of range and counts as away (only when configured so).
    OutOfRange,
    /// The user was disabled, or its handset detached or unsubscribed.
    Disabled,
    /// The user was enabled.
    Enabled,
    /// The server has started and knows of no recent call.
    Restarted,
    /// The server has started; the last call ended within the first period.
    RestartedInFirstPeriod,
    /// The server has started; the last call ended within the second period.
    RestartedInSecondPeriod,
}

/// The phase that follows.
///
/// docs/states/handset-presence.md
#[must_use]
pub fn step(phase: Phase, trigger: Trigger) -> Phase {
    match phase {
        Phase::Removed => match trigger {
            Trigger::Enabled => Phase::Away,
            Trigger::Calls
            | Trigger::ConferenceCalls
            | Trigger::LastCallEnded
            | Trigger::Used
            | Trigger::FirstPeriodOver
            | Trigger::SecondPeriodOver
            | Trigger::OutOfRange
            | Trigger::Disabled
            | Trigger::Restarted
            | Trigger::RestartedInFirstPeriod
            | Trigger::RestartedInSecondPeriod => Phase::Removed,
        },
        Phase::Available => shown(trigger, Phase::Available, Phase::Available),
        Phase::Inactive => shown(trigger, Phase::Inactive, Phase::Available),
        Phase::Away => shown(trigger, Phase::Away, Phase::Available),
        Phase::InCall => shown(trigger, Phase::InCall, Phase::InCall),
        Phase::InConference => shown(trigger, Phase::InConference, Phase::InConference),
    }
}

/// The phases that are published differ only in what time and mere use do to them.
fn shown(trigger: Trigger, same: Phase, used: Phase) -> Phase {
    match trigger {
        Trigger::Calls => Phase::InCall,
        Trigger::ConferenceCalls => Phase::InConference,
        Trigger::LastCallEnded | Trigger::RestartedInFirstPeriod => Phase::Available,
        Trigger::Used => used,
        Trigger::FirstPeriodOver if same == Phase::Available => Phase::Inactive,
        Trigger::SecondPeriodOver if same == Phase::Inactive => Phase::Away,
        Trigger::FirstPeriodOver | Trigger::SecondPeriodOver | Trigger::Enabled => same,
        Trigger::OutOfRange | Trigger::Restarted => Phase::Away,
        Trigger::RestartedInSecondPeriod => Phase::Inactive,
        Trigger::Disabled => Phase::Removed,
    }
}
