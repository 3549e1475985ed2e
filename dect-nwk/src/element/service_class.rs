//! Service class: which calls a subscription allows.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// The calls a portable part may make.
    ///
    /// EN 300 175-5 7.7.39
    ServiceClass {
        /// Calls to one nominated number only.
        OneNominatedNumber = 0x01,
        /// Local calls too.
        Local = 0x02,
        /// National calls too.
        National = 0x03,
        /// Calls to mobile and premium numbers too.
        Mobile = 0x04,
        /// International calls too.
        International = 0x05,
        /// Calls by satellite too.
        Satellite = 0x06,
    }
}

impl Contents for ServiceClass {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
