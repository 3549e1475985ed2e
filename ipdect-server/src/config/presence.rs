//! Presence: how long a handset is shown as available after a call, and what else is told.

use std::time::Duration;

use serde::Deserialize;

/// Section `[presence]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Presence {
    /// Seconds that a handset is Available after a call.
    pub available: Seconds,
    /// Seconds that it is Inactive after that.
    pub inactive: Seconds,
    /// What happens when the handset is out of range.
    pub out_of_range: OutOfRange,
    /// What the handset's do-not-disturb does.
    pub dnd: DoNotDisturb,
    /// Show "In a conference" in conferences.
    pub show_conference: bool,
    /// What counts as use of the handset.
    pub activity: Activity,
    /// Make up for the first log-on of users who never used a Lync client.
    pub first_log_on: bool,
}

impl Default for Presence {
    fn default() -> Self {
        Self {
            available: Seconds(Duration::from_mins(5)),
            inactive: Seconds(Duration::from_mins(5)),
            out_of_range: OutOfRange::Keep,
            dnd: DoNotDisturb::Local,
            show_conference: false,
            activity: Activity::Calls,
            first_log_on: true,
        }
    }
}

/// A time in seconds; decimals are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Seconds(pub Duration);

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        if (0.001..=86_400.0).contains(&seconds) {
            Ok(Self(Duration::from_secs_f64(seconds)))
        } else {
            Err(format!("{seconds} is no time that makes sense here, write seconds between 0.001 and 86400"))
        }
    }
}

/// What happens when the handset is out of range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutOfRange {
    /// The state is kept.
    #[default]
    Keep,
    /// The handset is shown as Away.
    Away,
}

/// What the handset's do-not-disturb does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoNotDisturb {
    /// The handset is silent; nobody is told.
    #[default]
    Local,
    /// It is published, so that Lync refuses calls everywhere, once a handset tells of it.
    Publish,
}

/// What counts as use of the handset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Answered calls.
    #[default]
    Calls,
    /// Any use: also calls that the user tried or declined.
    AnyUse,
}
