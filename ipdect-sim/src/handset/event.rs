//! What a handset shows and plays to its user.

use serde::Serialize;

/// Something the user of a handset sees or hears; each event is one JSON line.
///
/// EN 300 175-5 9.3, 13
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HandsetEvent {
    /// Subscribed on the air.
    Subscribed {
        /// The portable access rights key of the system.
        park: String,
    },
    /// The subscription was refused or not answered.
    SubscriptionFailed {
        /// Why.
        reason: String,
    },
    /// The system ended the subscription.
    Terminated,
    /// The location is registered: the handset can be called.
    Located,
    /// The location registration was refused.
    LocationFailed {
        /// Why.
        reason: String,
    },
    /// What the display shows now.
    Display {
        /// The text, without control codes.
        text: String,
    },
    /// It rings.
    Ring {
        /// The caller's number.
        number: Option<String>,
        /// The caller's name.
        name: Option<String>,
    },
    /// The line is seized and waits for digits.
    DialTone,
    /// The digits are complete.
    Proceeding,
    /// It rings at the other end.
    Alerting,
    /// The call is established.
    Connected,
    /// The call is over.
    Released {
        /// The release reason.
        reason: String,
    },
    /// A tone or ringing of the handset's own.
    Signal {
        /// Its name.
        signal: String,
    },
    /// The answer to a HOLD message.
    Held {
        /// Whether the system agreed.
        accepted: bool,
    },
    /// The answer to a RETRIEVE message.
    Retrieved {
        /// Whether the system agreed.
        accepted: bool,
    },
    /// Ciphering of the radio link was switched.
    Ciphered {
        /// Whether it is on.
        on: bool,
    },
    /// So many voice messages wait.
    Mwi {
        /// How many; none clears the lamp.
        messages: u32,
    },
    /// The radio link was lost.
    LinkLost,
    /// A command could not be carried out.
    Failed {
        /// Why, in one line.
        reason: String,
    },
}
