//! Info type: which parameters are asked for or suggested.

use bytes::BytesMut;

use super::Contents;
use crate::{
    coding::{MAX_CONTENTS, Reader, coded, put_group},
    error::Error,
};

coded! {
    /// A parameter or a suggestion of mobility management.
    ///
    /// EN 300 175-5 7.7.20
    Parameter {
        /// Locate suggest.
        LocateSuggest = 0x00,
        /// Access rights modify suggest.
        AccessRightsModifySuggest = 0x01,
        /// Authentication of the portable part failed.
        AuthenticationFailure = 0x04,
        /// Dynamic parameters allocation.
        DynamicParameters = 0x06,
        /// External handover parameters.
        ExternalHandoverParameters = 0x08,
        /// Location area.
        LocationArea = 0x09,
        /// Handover reference.
        HandoverReference = 0x0a,
        /// Old fixed part identity.
        OldFixedPartIdentity = 0x10,
        /// Old network assigned identity.
        OldNetworkIdentity = 0x11,
        /// Old network assigned location area.
        OldLocationArea = 0x12,
        /// Old network assigned handover reference.
        OldHandoverReference = 0x13,
        /// Billing.
        Billing = 0x20,
        /// Debiting.
        Debiting = 0x21,
        /// Cipher key transfer.
        CipherKeyTransfer = 0x22,
        /// Handover failed, reversion to the old channel.
        HandoverFailed = 0x23,
        /// Operation and maintenance call.
        OperationAndMaintenance = 0x24,
        /// Distributed communication download.
        DistributedDownload = 0x25,
        /// Identity allocation.
        IdentityAllocation = 0x34,
        /// Key for counter with CBC-MAC mode.
        CcmKey = 0x35,
        /// Sequence number for counter with CBC-MAC mode.
        CcmSequence = 0x36,
    }
}

/// The list of parameters.
///
/// EN 300 175-5 7.7.20
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InfoType {
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

impl Contents for InfoType {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let group = Reader::new(contents).group()?;
        Ok(Self { parameters: group.iter().map(|octet| Parameter::from_code(octet & 0x7f)).collect() })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let octets: Vec<u8> =
            self.parameters.iter().take(MAX_CONTENTS).map(|parameter| parameter.code()).collect();
        put_group(contents, &octets);
    }
}
