//! Messages cut into frames and put together again.

use bytes::Bytes;

use super::Frame;
use crate::error::{Error, Rule};

/// Cuts a message into the information of frames: the octets and whether more follow.
///
/// EN 300 175-4 9.2.4
pub fn segments(message: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let count = message.len().div_ceil(Frame::MAX_INFORMATION).max(1);
    (1..=count).map(move |number| {
        let start = (number - 1) * Frame::MAX_INFORMATION;
        let end = message.len().min(number * Frame::MAX_INFORMATION);
        (message.get(start..end).unwrap_or_default(), number < count)
    })
}

/// Puts the information of the frames of one link together again.
///
/// EN 300 175-4 9.2.4
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reassembly {
    collected: Vec<u8>,
    last: Option<Frame>,
}

impl Reassembly {
    /// The longest message that is put together.
    pub const MAX_LEN: usize = 4096;

    /// Nothing received yet.
    ///
    /// EN 300 175-4 9.2.4
    pub const fn new() -> Self {
        Self { collected: Vec::new(), last: None }
    }

    /// Takes a frame; the message is returned with its last frame. A repetition of the frame before, within a message,
    /// is ignored; a message that grows too long is dropped.
    ///
    /// EN 300 175-4 9.2.4
    pub fn push(&mut self, frame: &Frame) -> Result<Option<Bytes>, Error> {
        if !frame.control.carries_information() {
            return Ok(None);
        }
        if self.last.as_ref().is_some_and(|last| last == frame) {
            return Ok(None);
        }
        if self.collected.len() + frame.information().len() > Self::MAX_LEN {
            *self = Self::new();
            return Err(Error::Malformed { at: 0, rule: Rule::Reassembly });
        }
        self.collected.extend_from_slice(frame.information());
        if frame.more {
            self.last = Some(frame.clone());
            return Ok(None);
        }
        self.last = None;
        Ok(Some(std::mem::take(&mut self.collected).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lapc::{Address, Control};

    #[test]
    fn messages_are_cut_and_put_together() {
        for length in [0, 1, 63, 64, 126, 127, 300] {
            let message: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let address = Address::from_octet(0x11);
            let mut reassembly = Reassembly::new();
            let mut whole = None;
            for (number, (octets, more)) in segments(&message).enumerate() {
                let control = Control::Information { send: number as u8 & 7, receive: 0, poll: false };
                let frame = Frame::new(address, control, more, octets).unwrap();
                assert_eq!(whole, None);
                whole = reassembly.push(&frame).unwrap();
                assert_eq!(reassembly.push(&frame.clone()).map(|again| again.is_some() && more), Ok(false));
                if !more {
                    reassembly = Reassembly::new();
                }
            }
            assert_eq!(whole.as_deref(), Some(&message[..]));
        }
    }

    #[test]
    fn a_message_without_end_is_dropped() {
        let mut reassembly = Reassembly::new();
        let refused = (0..100).find_map(|number: u8| {
            let control = Control::Information { send: number & 7, receive: 0, poll: false };
            let frame = Frame::new(Address::from_octet(0x11), control, true, &[number; 63]).unwrap();
            reassembly.push(&frame).err()
        });
        assert_eq!(refused, Some(Error::Malformed { at: 0, rule: Rule::Reassembly }));
        assert_eq!(reassembly, Reassembly::new());
    }
}
