//! Test hook control: a tester lifts and replaces the handset.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// The hook state a tester demands.
    ///
    /// EN 300 175-5 7.6.10
    TestHookControl {
        /// On-hook.
        OnHook = 0x00,
        /// Off-hook.
        OffHook = 0x01,
    }
}

impl Contents for TestHookControl {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
