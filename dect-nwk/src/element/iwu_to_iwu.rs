//! IWU-TO-IWU: data between the interworking units of both sides.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The protocol of the data.
    ///
    /// EN 300 175-5 7.7.23
    IwuProtocol {
        /// User specific.
        UserSpecific = 0x00,
        /// ITU-T X.263.
        X263 = 0x02,
        /// List access.
        ListAccess = 0x03,
        /// IA5 characters.
        Ia5 = 0x04,
        /// Ultra low energy configuration.
        UltraLowEnergy = 0x05,
        /// Light data services and software upgrade over the air.
        LightData = 0x06,
        /// ITU-T V.120.
        V120 = 0x07,
        /// A message of ITU-T Q.931.
        Q931Message = 0x08,
        /// Information elements of ITU-T Q.931.
        Q931Elements = 0x09,
        /// Part of a message of ITU-T Q.931.
        Q931Partial = 0x0a,
        /// Ultra low energy, counter with CBC-MAC mode.
        UltraLowEnergyCcm = 0x0c,
        /// Digital answering machine.
        AnsweringMachine = 0x0f,
        /// A message of GSM.
        GsmMessage = 0x10,
        /// Information elements of GSM.
        GsmElements = 0x11,
        /// UMTS and GPRS.
        Umts = 0x12,
        /// UMTS and GPRS, elements.
        UmtsElements = 0x13,
        /// Low rate messaging.
        LowRateMessaging = 0x14,
        /// Radio local loop.
        RadioLocalLoop = 0x15,
        /// Wireless relay station.
        RelayStation = 0x16,
        /// DECT/ISDN interworking.
        IsdnC = 0x20,
        /// DECT/ISDN interworking, U-plane.
        IsdnU = 0x21,
        /// DECT/ISDN interworking, operation and maintenance.
        IsdnMaintenance = 0x22,
        /// Terminal data.
        TerminalData = 0x23,
        /// Access to internet protocols.
        Internet = 0x24,
        /// MPEG-4 AAC.
        Aac = 0x25,
        /// Unknown.
        Unknown = 0x3f,
    }
}

/// Data between the interworking units.
///
/// EN 300 175-5 7.7.23
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IwuToIwu {
    /// Whether it is sent rather than rejected.
    pub sent: bool,
    /// Its protocol.
    pub protocol: IwuProtocol,
    /// The data.
    pub data: Octets,
}

impl IwuToIwu {
    /// The octet in front of the data.
    pub(crate) const fn header(sent: bool, protocol: IwuProtocol) -> u8 {
        0x80 | if sent { 0x40 } else { 0 } | protocol.code() & 0x3f
    }

    /// Whether it is sent, and the protocol, from the octet in front of the data.
    pub(crate) const fn of_header(header: u8) -> (bool, IwuProtocol) {
        (header & 0x40 != 0, IwuProtocol::from_code(header & 0x3f))
    }
}

impl Contents for IwuToIwu {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let (sent, protocol) = Self::of_header(reader.octet()?);
        let data = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { sent, protocol, data })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(Self::header(self.sent, self.protocol));
        contents.put_slice(&self.data);
    }
}
