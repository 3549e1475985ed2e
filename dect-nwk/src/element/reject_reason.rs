//! Reject reason: why mobility management refuses.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// Why a request of mobility or link management is rejected.
    ///
    /// EN 300 175-5 7.7.34
    RejectReason {
        /// Temporary identity unknown.
        TpuiUnknown = 0x01,
        /// User identity unknown.
        IpuiUnknown = 0x02,
        /// Network assigned identity unknown.
        NetworkAssignedIdentityUnknown = 0x03,
        /// Equipment identity not accepted.
        IpeiNotAccepted = 0x05,
        /// User identity not accepted.
        IpuiNotAccepted = 0x06,
        /// Authentication failed.
        AuthenticationFailed = 0x10,
        /// No authentication algorithm.
        NoAuthenticationAlgorithm = 0x11,
        /// Authentication algorithm not supported.
        AuthenticationAlgorithmNotSupported = 0x12,
        /// Authentication key not supported.
        AuthenticationKeyNotSupported = 0x13,
        /// User personal identity not entered.
        UpiNotEntered = 0x14,
        /// No cipher algorithm.
        NoCipherAlgorithm = 0x17,
        /// Cipher algorithm not supported.
        CipherAlgorithmNotSupported = 0x18,
        /// Cipher key not supported.
        CipherKeyNotSupported = 0x19,
        /// Incompatible service.
        IncompatibleService = 0x20,
        /// False reply to a page: no service.
        FalseLceReply = 0x21,
        /// Late reply to a page: service already taken.
        LateLceReply = 0x22,
        /// Invalid temporary identity.
        InvalidTpui = 0x23,
        /// Limits of the temporary identity unacceptable.
        TpuiLimitsUnacceptable = 0x24,
        /// Insufficient memory.
        InsufficientMemory = 0x2f,
        /// Overload.
        Overload = 0x30,
        /// Test call back: normal, en-bloc.
        TestCallBackNormalEnBloc = 0x40,
        /// Test call back: normal, piecewise.
        TestCallBackNormalPiecewise = 0x41,
        /// Test call back: emergency, en-bloc.
        TestCallBackEmergencyEnBloc = 0x42,
        /// Test call back: emergency, piecewise.
        TestCallBackEmergencyPiecewise = 0x43,
        /// Invalid message.
        InvalidMessage = 0x5f,
        /// Information element error.
        InformationElementError = 0x60,
        /// Invalid information element contents.
        InvalidElementContents = 0x64,
        /// Timer expiry.
        TimerExpiry = 0x70,
        /// Mobile network not allowed.
        PlmnNotAllowed = 0x76,
        /// Location area not allowed.
        LocationAreaNotAllowed = 0x80,
        /// National roaming not allowed in this area.
        NationalRoamingNotAllowed = 0x81,
    }
}

impl Contents for RejectReason {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
