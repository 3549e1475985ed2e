//! Timer restart: what happens to the peer's running timer.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// What the peer shall do with its timer.
    ///
    /// EN 300 175-5 7.6.9
    TimerRestart {
        /// Restart the timer.
        Restart = 0x00,
        /// Stop the timer.
        Stop = 0x01,
    }
}

impl Contents for TimerRestart {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).octet().map(Self::from_code)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.code());
    }
}
