//! Basic service: class of the call and kind of service.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// The class of a call.
    ///
    /// EN 300 175-5 7.6.4
    CallClass {
        /// List access service.
        ListAccess = 0x2,
        /// Ultra low energy.
        UltraLowEnergy = 0x3,
        /// Message call.
        Message = 0x4,
        /// DECT/ISDN interworking.
        Isdn = 0x7,
        /// Normal call.
        Normal = 0x8,
        /// Internal call.
        Internal = 0x9,
        /// Emergency call.
        Emergency = 0xa,
        /// Service call.
        Service = 0xb,
        /// External handover.
        ExternalHandover = 0xc,
        /// Supplementary service.
        SupplementaryService = 0xd,
        /// Operation and maintenance.
        OperationAndMaintenance = 0xe,
    }
}

coded! {
    /// The kind of service.
    ///
    /// EN 300 175-5 7.6.4
    Service {
        /// Speech with the default attributes: 32 kbit/s G.726.
        BasicSpeech = 0x0,
        /// Interworking with GSM.
        Gsm = 0x4,
        /// Low rate messaging.
        LowRateMessaging = 0x5,
        /// Interworking with UMTS, short messages.
        Umts = 0x6,
        /// Wideband speech with the default attributes.
        WidebandSpeech = 0x8,
        /// Light data, class 4.
        LightDataClass4 = 0x9,
        /// Light data, class 3.
        LightDataClass3 = 0xa,
        /// Answering machine in wideband.
        AnsweringMachine = 0xb,
        /// Other: the attributes are in IWU-ATTRIBUTES.
        Other = 0xf,
    }
}

/// The basic service of a call.
///
/// EN 300 175-5 7.6.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BasicService {
    /// The class of the call.
    pub class: CallClass,
    /// The kind of service.
    pub service: Service,
}

impl BasicService {
    /// A normal call with basic speech.
    pub const NORMAL_SPEECH: Self = Self { class: CallClass::Normal, service: Service::BasicSpeech };
}

impl Contents for BasicService {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let octet = Reader::new(contents).octet()?;
        Ok(Self { class: CallClass::from_code(octet >> 4), service: Service::from_code(octet & 0xf) })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.class.code() << 4 | self.service.code() & 0xf);
    }
}
