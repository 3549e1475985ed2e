//! Signal: tones and ringing of the portable part.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// A tone or alerting pattern the portable part makes.
    ///
    /// EN 300 175-5 7.6.8
    Signal {
        /// Dial tone on.
        DialTone = 0x00,
        /// Ring-back tone on.
        RingBack = 0x01,
        /// Intercept tone on.
        Intercept = 0x02,
        /// Network congestion tone on.
        NetworkCongestion = 0x03,
        /// Busy tone on.
        Busy = 0x04,
        /// Confirm tone on.
        Confirm = 0x05,
        /// Answer tone on.
        Answer = 0x06,
        /// Call waiting tone on.
        CallWaiting = 0x07,
        /// Off-hook warning tone on.
        OffHookWarning = 0x08,
        /// Negative acknowledgement tone.
        NegativeAcknowledge = 0x09,
        /// Tones off.
        TonesOff = 0x3f,
        /// Alerting on, pattern 0.
        Alerting0 = 0x40,
        /// Alerting on, pattern 1.
        Alerting1 = 0x41,
        /// Alerting on, pattern 2.
        Alerting2 = 0x42,
        /// Alerting on, pattern 3.
        Alerting3 = 0x43,
        /// Alerting on, pattern 4.
        Alerting4 = 0x44,
        /// Alerting on, pattern 5.
        Alerting5 = 0x45,
        /// Alerting on, pattern 6.
        Alerting6 = 0x46,
        /// Alerting on, pattern 7.
        Alerting7 = 0x47,
        /// Alerting on, continuous.
        AlertingContinuous = 0x48,
        /// Alerting off.
        AlertingOff = 0x4f,
    }
}

impl Contents for Signal {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
