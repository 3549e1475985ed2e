//! Call information: lines, calls and their status in NG-DECT.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{MAX_CONTENTS, Reader, coded, put_extended_number},
    error::Error,
};

coded! {
    /// The status of a call.
    ///
    /// EN 300 175-5 7.7.56
    CallStatus {
        /// Idle.
        Idle = 0x00,
        /// Set-up.
        SetUp = 0x01,
        /// Set-up acknowledged.
        SetUpAcknowledged = 0x02,
        /// Proceeding.
        Proceeding = 0x03,
        /// Alerting.
        Alerting = 0x04,
        /// Connected.
        Connected = 0x05,
        /// Disconnecting.
        Disconnecting = 0x06,
        /// On hold.
        Hold = 0x09,
        /// Intercepted.
        Intercepted = 0x0a,
        /// In a conference.
        Conference = 0x0b,
        /// Under transfer.
        UnderTransfer = 0x0c,
        /// Held by the remote party.
        RemoteHold = 0x0d,
        /// The remote party is connected.
        RemoteConnected = 0x0e,
        /// Screening is set up.
        ScreeningSetUp = 0x0f,
        /// Screening is connected.
        ScreeningConnected = 0x10,
    }
}

coded! {
    /// Why a status was reached.
    ///
    /// EN 300 175-5 7.7.56
    CallReason {
        /// The system is busy.
        SystemBusy = 0x00,
        /// The line is in use.
        LineInUse = 0x01,
        /// The control code is not supported.
        CodeNotSupported = 0x02,
        /// The control code failed.
        CodeFailed = 0x03,
        /// The user is busy.
        UserBusy = 0x10,
        /// The number is not available.
        NumberNotAvailable = 0x11,
    }
}

/// One piece of information: type, subtype and, with one exception, a number.
///
/// EN 300 175-5 7.7.56
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallInformationItem {
    /// The type: 0 line, 1 call, 2 status, 3 service.
    pub kind: u8,
    /// The subtype.
    pub subtype: u8,
    /// The number; absent for "all lines".
    pub value: Option<u32>,
}

const LINE: u8 = 0;
const CALL: u8 = 1;
const STATUS: u8 = 2;
const ALL_LINES: u8 = 4;

impl CallInformationItem {
    /// An external line; 127 stands for none.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn line(line: u32) -> Self {
        Self { kind: LINE, subtype: 0, value: Some(line) }
    }

    /// All lines.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn all_lines() -> Self {
        Self { kind: LINE, subtype: ALL_LINES, value: None }
    }

    /// A call.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn call(call: u32) -> Self {
        Self { kind: CALL, subtype: 0, value: Some(call) }
    }

    /// The status of the call.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn status(status: CallStatus) -> Self {
        Self { kind: STATUS, subtype: 1, value: Some(status.code() as u32) }
    }

    /// The reason for the status.
    ///
    /// EN 300 175-5 7.7.56
    pub const fn reason(reason: CallReason) -> Self {
        Self { kind: STATUS, subtype: 2, value: Some(reason.code() as u32) }
    }
}

/// Information on calls and lines.
///
/// EN 300 175-5 7.7.56
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallInformation {
    /// The pieces, in their order.
    pub items: Vec<CallInformationItem>,
}

impl CallInformation {
    /// The call that is talked about.
    ///
    /// EN 300 175-5 7.7.56
    pub fn call(&self) -> Option<u32> {
        self.find(CALL, 0)
    }

    /// The external line.
    ///
    /// EN 300 175-5 7.7.56
    pub fn line(&self) -> Option<u32> {
        self.find(LINE, 0)
    }

    /// The status of the call.
    ///
    /// EN 300 175-5 7.7.56
    pub fn status(&self) -> Option<CallStatus> {
        self.find(STATUS, 1).map(|value| CallStatus::from_code(u8::try_from(value).unwrap_or(u8::MAX)))
    }

    fn find(&self, kind: u8, subtype: u8) -> Option<u32> {
        self.items.iter().find(|item| item.kind == kind && item.subtype == subtype)?.value
    }
}

impl Contents for CallInformation {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let mut items = Vec::new();
        while !reader.is_empty() {
            let [kind, subtype] = reader.array()?;
            let value =
                if (kind, subtype) == (LINE, ALL_LINES) { None } else { Some(reader.extended_number()?) };
            items.push(CallInformationItem { kind, subtype, value });
        }
        Ok(Self { items })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let limit = contents.len() + MAX_CONTENTS;
        for item in &self.items {
            let mut octets = BytesMut::new();
            octets.put_slice(&[item.kind, item.subtype]);
            if let Some(value) = item.value {
                put_extended_number(&mut octets, value);
            }
            if contents.len() + octets.len() > limit {
                break;
            }
            contents.put_slice(&octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_calls_and_their_status() {
        let items = vec![
            CallInformationItem::line(2),
            CallInformationItem::all_lines(),
            CallInformationItem::call(2),
            CallInformationItem::status(CallStatus::Connected),
        ];
        let information = CallInformation { items };
        let mut written = BytesMut::new();
        information.emit(&mut written);
        assert_eq!(written, &[0, 0, 0x82, 0, 4, 1, 0, 0x82, 2, 1, 0x85][..]);
        assert_eq!(CallInformation::parse(&written), Ok(information.clone()));
        assert_eq!((information.call(), information.line()), (Some(2), Some(2)));
        assert_eq!(information.status(), Some(CallStatus::Connected));
        assert_eq!(CallInformation::parse(&[0, 0, 0xff]).map(|i| i.line()), Ok(Some(127)));
        assert!(CallInformation::parse(&[0, 0]).is_err() && CallInformation::parse(&[0]).is_err());
    }
}
