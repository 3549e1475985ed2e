//! Settings of a portable part, and what it keeps from its subscription.

use std::time::Duration;

use crate::authentication::Key128;
use crate::element::{CodecList, ServiceClass};
use crate::identity::{Ipei, Ipui, Park, Tpui};
use crate::timers;

/// Settings of a [`PortablePart`](super::PortablePart).
///
/// EN 300 175-5 13, 14
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortablePartConfig {
    /// The equipment identity.
    pub ipei: Ipei,
    /// Announce and use DSAA2; otherwise DSAA.
    pub dsaa2: bool,
    /// What it keeps from an earlier subscription.
    pub subscription: Option<Subscription>,
    /// The element in which CC-SETUP carries the digits of a call with all digits at once.
    pub dial_element: DialElement,
    /// Calls it may have at the same time, at most 7 in each direction.
    pub calls: usize,
    /// How long a transaction of call independent services lives without a message.
    pub service_idle: Duration,
    /// Its codecs, most wanted first; without them every call is basic speech.
    pub codecs: Option<CodecList>,
    /// Announce early encryption and re-keying.
    pub early_encryption: bool,
    /// The character sets it announces (seven bits): 1 ISO 8859-1, 2 8859-15, 4 8859-9, 8 8859-7.
    pub character_sets: Option<u8>,
    /// The twelve bits of its group for collective ringing, besides everyone's.
    pub group: Option<u16>,
    /// LCE.02: how long a partially released link is kept, 3 s to 10 s.
    pub link_maintain: Duration,
    /// CC.04, which the standard leaves optional.
    pub call_completion: Option<Duration>,
}

impl PortablePartConfig {
    /// The settings of the standard for equipment with this identity, not subscribed.
    ///
    /// EN 300 175-5 annex A
    pub const fn new(ipei: Ipei) -> Self {
        Self {
            ipei,
            dsaa2: true,
            subscription: None,
            dial_element: DialElement::CalledPartyNumber,
            calls: 2,
            service_idle: timers::CISS_IDLE,
            codecs: None,
            early_encryption: false,
            character_sets: None,
            group: None,
            link_maintain: timers::LCE_02,
            call_completion: Some(timers::CC_04),
        }
    }
}

/// The element in which CC-SETUP carries digits.
///
/// EN 300 175-5 9.3.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialElement {
    /// CALLED-PARTY-NUMBER.
    CalledPartyNumber,
    /// MULTI-KEYPAD.
    Keypad,
}

/// What a portable part keeps from its subscription.
///
/// EN 300 175-5 13.5.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// The identity assigned by the fixed part.
    pub ipui: Ipui,
    /// The fixed part it belongs to.
    pub park: Park,
    /// The user authentication key.
    pub uak: Option<Key128>,
    /// The temporary identity assigned last.
    pub tpui: Option<Tpui>,
    /// The content of the ZAP register, where the fixed part gave one.
    pub zap: Option<u8>,
    /// The service class, where the fixed part gave one.
    pub service_class: Option<ServiceClass>,
}

impl Subscription {
    /// A subscription without key and temporary identity.
    ///
    /// EN 300 175-5 13.5.1
    pub const fn new(ipui: Ipui, park: Park) -> Self {
        Self { ipui, park, uak: None, tpui: None, zap: None, service_class: None }
    }
}
