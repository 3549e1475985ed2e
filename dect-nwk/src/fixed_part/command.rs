//! What the owner of a fixed part hands to its verbs.

use crate::element::Signal;

/// A call to a portable part.
///
/// EN 300 175-5 6.3.2.1 (CC-SETUP)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncomingCall {
    /// Who calls: digits for CALLING-PARTY-NUMBER.
    pub calling_number: Option<String>,
    /// Who calls: text for CALLING-PARTY-NAME.
    pub calling_name: Option<String>,
    /// Text for the display.
    pub display: Option<String>,
    /// How to ring; alerting pattern 0 where nothing is said.
    pub signal: Option<Signal>,
    /// The call comes from inside.
    pub internal: bool,
    /// The call may be wideband speech, where the portable part and the configured codecs allow it.
    pub wideband: bool,
}

/// Whether a link is to be ciphered.
///
/// EN 300 175-5 13.8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ciphering {
    /// Ciphered with the key from the last authentication.
    On,
    /// Clear.
    Off,
}

/// What CC-INFO carries to a portable part.
///
/// EN 300 175-5 6.3.2.2 (CC-INFO)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Information {
    /// Text for the display.
    pub display: Option<String>,
    /// A tone or an alerting pattern.
    pub signal: Option<Signal>,
    /// In-band tones or announcements are to be heard: the portable part opens its receive path.
    pub in_band: bool,
    /// Digits for CALLING-PARTY-NUMBER.
    pub calling_number: Option<String>,
    /// Text for CALLING-PARTY-NAME.
    pub calling_name: Option<String>,
    /// Digits for CALLED-PARTY-NUMBER.
    pub called_number: Option<String>,
}
