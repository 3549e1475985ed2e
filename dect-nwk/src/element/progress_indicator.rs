//! Progress indicator: what happened to a call on its way.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// Where the event happened.
    ///
    /// EN 300 175-5 7.7.31
    ProgressLocation {
        /// The user.
        User = 0x0,
        /// The private network serving the local user.
        PrivateLocal = 0x1,
        /// The public network serving the local user.
        PublicLocal = 0x2,
        /// The public network serving the remote user.
        PublicRemote = 0x4,
        /// The private network serving the remote user.
        PrivateRemote = 0x5,
        /// The international network.
        International = 0x7,
        /// The network beyond the interworking point.
        BeyondInterworking = 0xa,
        /// Not applicable.
        NotApplicable = 0xf,
    }
}

coded! {
    /// What happened.
    ///
    /// EN 300 175-5 7.7.31
    Progress {
        /// The call is not end-to-end ISDN.
        NotEndToEnd = 0x01,
        /// The destination address is not ISDN.
        DestinationNotIsdn = 0x02,
        /// The origination address is not ISDN.
        OriginNotIsdn = 0x03,
        /// The call has returned to the ISDN.
        Returned = 0x04,
        /// The service has changed.
        ServiceChange = 0x05,
        /// Tones or announcements are in the speech path now.
        InBand = 0x08,
        /// Tones or announcements are not available any more.
        InBandNotAvailable = 0x09,
        /// The call is end-to-end in a private network.
        EndToEnd = 0x20,
    }
}

/// The progress of a call.
///
/// EN 300 175-5 7.7.31
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProgressIndicator {
    /// The coding standard: 0 that of the ITU (two bits).
    pub standard: u8,
    /// Where it happened.
    pub location: ProgressLocation,
    /// What happened.
    pub progress: Progress,
}

impl ProgressIndicator {
    /// Tones or announcements of the user's own network are in the speech path.
    pub const IN_BAND: Self =
        Self { standard: 0, location: ProgressLocation::User, progress: Progress::InBand };
}

impl Contents for ProgressIndicator {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        Ok(Self {
            standard: first >> 5 & 3,
            location: ProgressLocation::from_code(first & 0xf),
            progress: Progress::from_code(reader.octet()? & 0x7f),
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | (self.standard & 3) << 5 | self.location.code() & 0xf);
        contents.put_u8(0x80 | self.progress.code());
    }
}
