//! Release reason: why a call ends.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// Why a call is released or refused; a reserved value counts as normal.
    ///
    /// EN 300 175-5 7.6.7
    ReleaseReason {
        /// Normal.
        Normal = 0x00,
        /// Unexpected message.
        UnexpectedMessage = 0x01,
        /// Unknown transaction identifier.
        UnknownTransactionIdentifier = 0x02,
        /// Mandatory information element missing.
        MandatoryElementMissing = 0x03,
        /// Invalid information element contents.
        InvalidElementContents = 0x04,
        /// Incompatible service.
        IncompatibleService = 0x05,
        /// Service not implemented.
        ServiceNotImplemented = 0x06,
        /// Negotiation not supported.
        NegotiationNotSupported = 0x07,
        /// Invalid identity.
        InvalidIdentity = 0x08,
        /// Authentication failed.
        AuthenticationFailed = 0x09,
        /// Unknown identity.
        UnknownIdentity = 0x0a,
        /// Negotiation failed.
        NegotiationFailed = 0x0b,
        /// Collision.
        Collision = 0x0c,
        /// Timer expiry.
        TimerExpiry = 0x0d,
        /// Partial release: the link is kept for a while.
        PartialRelease = 0x0e,
        /// Unknown.
        Unknown = 0x0f,
        /// User detached.
        UserDetached = 0x10,
        /// User not in range.
        UserNotInRange = 0x11,
        /// User unknown.
        UserUnknown = 0x12,
        /// User already active.
        UserAlreadyActive = 0x13,
        /// User busy.
        UserBusy = 0x14,
        /// User rejection.
        UserRejection = 0x15,
        /// User call modify.
        UserCallModify = 0x16,
        /// External handover not supported.
        ExternalHandoverNotSupported = 0x21,
        /// Network parameters missing.
        NetworkParametersMissing = 0x22,
        /// External handover release.
        ExternalHandoverRelease = 0x23,
        /// Overload.
        Overload = 0x31,
        /// Insufficient resources.
        InsufficientResources = 0x32,
        /// Insufficient bearers available.
        InsufficientBearers = 0x33,
        /// Congestion of the interworking unit.
        IwuCongestion = 0x34,
        /// Security attack assumed.
        SecurityAttackAssumed = 0x40,
        /// Encryption activation failed.
        EncryptionActivationFailed = 0x41,
        /// Re-keying failed.
        RekeyingFailed = 0x42,
        /// No cipher key available.
        NoCipherKey = 0x43,
    }
}

impl Contents for ReleaseReason {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
