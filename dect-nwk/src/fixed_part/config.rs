//! Settings of a fixed part.

use std::time::Duration;

use crate::authentication::Key128;
use crate::element::{CodecList, Duration as Wait, ServiceClass};
use crate::identity::{Ari, Ipui, Tpui};
use crate::timers;

/// Settings of a [`FixedPart`](super::FixedPart).
///
/// EN 300 175-5 13, 14
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FixedPartConfig {
    /// The primary access rights identity of the system.
    pub ari: Ari,
    /// Leading bits of PARI and RPN which name a location area; every base station of the system is one area
    /// when this is the length of the ARI.
    pub location_area_level: u8,
    /// Use DSAA2 with portable parts that announce it; others use DSAA.
    pub dsaa2: bool,
    /// Authenticate every portable part when it registers its location.
    pub authenticate_at_location: bool,
    /// Authenticate the portable part at every call; a call of one that fails is released.
    pub authenticate_calls: bool,
    /// Cipher the link of every call of a portable part with a key; one whose derived key is not known any more is
    /// authenticated for that.
    pub cipher_calls: bool,
    /// The first hexadecimal digit of the TPUIs which are assigned, at most B.
    pub tpui_first_digit: u8,
    /// Assign TPUIs at location registration.
    pub assign_tpui: bool,
    /// How dial tone and ring-back tone reach the user.
    pub tones: Tones,
    /// Calls one portable part may have at the same time, at most 7 in each direction.
    pub calls_per_portable: usize,
    /// Understand the control codes of NG-DECT and keep account of a second call in the transaction of the first;
    /// otherwise the codes are keys like any other.
    pub parallel_calls: bool,
    /// Take calls for list access; otherwise they are refused as a service that is not implemented.
    pub list_access: bool,
    /// Take transactions of call independent supplementary services; otherwise they are refused as a service that is
    /// not implemented.
    pub call_independent_services: bool,
    /// How long such a transaction lives without a message.
    pub service_idle: Duration,
    /// Ask the owner when a portable part wants the parameters of an external handover; otherwise it is refused.
    pub handover_parameters: bool,
    /// What a refused portable part is told to wait before it asks again.
    pub refusal_wait: Option<Wait>,
    /// The content of the ZAP register that goes with new access rights.
    pub zap: Option<u8>,
    /// The service class that goes with new access rights.
    pub service_class: Option<ServiceClass>,
    /// The codecs of the system, most wanted first; without them every call is basic speech.
    pub codecs: Option<CodecList>,
    /// Give portable parts that can do it a key with which their next link is ciphered from the beginning.
    pub early_encryption: bool,
    /// Give a ciphered link with a call a new key after each such time.
    pub rekey: Option<Duration>,
    /// Links without an identified portable part that may exist at the same time.
    pub unidentified_links: usize,
    /// LCE.02: how long a partially released link is kept, 3 s to 10 s.
    pub link_maintain: Duration,
    /// LCE.03: how long a page waits for its answer.
    pub page_interval: Duration,
    /// N300: how often a page is repeated.
    pub page_repetitions: u8,
    /// CC.04, which the standard leaves optional.
    pub call_completion: Option<Duration>,
}

impl FixedPartConfig {
    /// The settings of the standard for a system with this identity.
    ///
    /// EN 300 175-5 annex A
    pub fn new(ari: Ari) -> Self {
        let location_area_level = ari.bit_count();
        Self {
            ari,
            location_area_level,
            dsaa2: true,
            authenticate_at_location: true,
            authenticate_calls: false,
            cipher_calls: false,
            tpui_first_digit: 0,
            assign_tpui: true,
            tones: Tones::Portable,
            calls_per_portable: 2,
            parallel_calls: false,
            list_access: false,
            call_independent_services: false,
            service_idle: timers::CISS_IDLE,
            handover_parameters: false,
            refusal_wait: None,
            zap: None,
            service_class: None,
            codecs: None,
            early_encryption: false,
            rekey: None,
            unidentified_links: 1024,
            link_maintain: timers::LCE_02,
            page_interval: timers::LCE_03,
            page_repetitions: timers::N300,
            call_completion: Some(timers::CC_04),
        }
    }
}

/// What a portable part told of itself with TERMINAL-CAPABILITY and CODEC-LIST.
///
/// EN 300 175-5 7.7.41, 7.7.54
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Terminal {
    /// Lines of its display.
    pub lines: u8,
    /// Characters in a line.
    pub columns: u8,
    /// Its character sets beyond IA5 (seven bits): 1 ISO 8859-1, 2 8859-15, 4 8859-9, 8 8859-7.
    pub character_sets: u8,
    /// It speaks G.722.
    pub wideband: bool,
    /// It can cipher a link from the beginning, and change the key of a ciphered link.
    pub early_encryption: bool,
}

/// Who makes dial tone and ring-back tone.
///
/// EN 300 175-5 7.6.8, 7.7.33
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tones {
    /// The portable part, on a SIGNAL element.
    Portable,
    /// The network, in the speech band: the portable part opens its receive path on a PROGRESS-INDICATOR element.
    InBand,
}

/// A portable part that subscribed earlier, as the owner's store knows it.
///
/// EN 300 175-5 13.5
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPortable {
    /// The identity assigned at subscription.
    pub ipui: Ipui,
    /// The user authentication key from the key allocation.
    pub uak: Option<Key128>,
    /// The temporary identity assigned last.
    pub tpui: Option<Tpui>,
    /// Whether it may use DSAA2.
    pub dsaa2: bool,
    /// The content of its ZAP register.
    pub zap: Option<u8>,
}

impl KnownPortable {
    /// A subscription without key and temporary identity.
    ///
    /// EN 300 175-5 13.5
    pub const fn new(ipui: Ipui) -> Self {
        Self { ipui, uak: None, tpui: None, dsaa2: false, zap: None }
    }
}
