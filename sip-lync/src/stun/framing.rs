//! Messages in a stream: RFC 4571 lengths, TURN's own delimiting, and the frames of MS-TURN.

use crate::error::{ParseError, Rule};

/// How a stream is cut into messages.
///
/// RFC 4571 2, RFC 8656 12.5, MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Framing {
    /// Two octets of length before each packet: ICE over TCP.
    Rfc4571,
    /// STUN messages and channels tell their length themselves; channels are filled to four octets.
    Turn,
    /// A type, a zero and a length before each.
    MsTurn,
}

/// What a frame holds.
///
/// RFC 4571 2, RFC 8656 12.4, MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameKind {
    /// A message between client and server, or any packet where frames do not tell.
    Message,
    /// Octets from or to a peer; in [`Framing::Turn`] with the channel's header.
    Data,
}

/// Type of a frame with a message. MS-TURN 2.1
const CONTROL: u8 = 2;
/// Type of a frame with octets from or to a peer. MS-TURN 2.1
const DATA: u8 = 3;

/// Cuts a stream; keeps at most one unfinished frame and what came behind it in one piece.
///
/// RFC 4571 2, RFC 8656 12.5, MS-TURN 2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamReader {
    framing: Framing,
    buffer: Vec<u8>,
    read: usize,
}

impl StreamReader {
    /// A reader at the start of a stream.
    ///
    /// RFC 4571 2
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        Self { framing, buffer: Vec::new(), read: 0 }
    }

    /// Takes octets of the stream; ask [`StreamReader::next_frame`] until there is none before the next ones.
    ///
    /// RFC 4571 2
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.drain(..self.read.min(self.buffer.len()));
        self.read = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// How many octets wait for the rest of their frame.
    ///
    /// RFC 4571 2
    pub fn waiting(&self) -> usize {
        self.buffer.len().saturating_sub(self.read)
    }

    /// The next whole frame; an error ends the stream. Empty packets of RFC 4571 are left out.
    ///
    /// RFC 4571 2, RFC 8656 12.5, MS-TURN 2.1
    pub fn next_frame(&mut self) -> Result<Option<(FrameKind, &[u8])>, ParseError> {
        if self.framing == Framing::Rfc4571 {
            while self.buffer.get(self.read..self.read + 2) == Some(&[0, 0]) {
                self.read += 2;
            }
        }
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some((kind, head, length, fill)) = delimit(self.framing, rest)? else { return Ok(None) };
        let Some(frame) = rest.get(head..head + length) else { return Ok(None) };
        if rest.len() < head + length + fill {
            return Ok(None);
        }
        self.read += head + length + fill;
        Ok(Some((kind, frame)))
    }
}

/// Kind, octets of the frame's head, octets of its contents, octets that only fill.
fn delimit(framing: Framing, rest: &[u8]) -> Result<Option<(FrameKind, usize, usize, usize)>, ParseError> {
    let count = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    match (framing, rest) {
        (Framing::Rfc4571, [high, low, ..]) => Ok(Some((FrameKind::Message, 2, count(*high, *low), 0))),
        (Framing::Turn, [first, ..]) if *first >= 0x80 => Err(ParseError::new(0, Rule::StunFrame)),
        (Framing::Turn, [first, _, high, low, ..]) if *first < 0x40 => {
            Ok(Some((FrameKind::Message, 0, 20 + count(*high, *low), 0)))
        }
        (Framing::Turn, [_, _, high, low, ..]) => {
            let length = 4 + count(*high, *low);
            Ok(Some((FrameKind::Data, 0, length, length.next_multiple_of(4) - length)))
        }
        (Framing::MsTurn, [kind, ..]) if *kind != CONTROL && *kind != DATA => {
            Err(ParseError::new(0, Rule::StunFrame))
        }
        (Framing::MsTurn, [kind, _, high, low, ..]) => {
            let kind = if *kind == CONTROL { FrameKind::Message } else { FrameKind::Data };
            Ok(Some((kind, 4, count(*high, *low), 0)))
        }
        _ => Ok(None),
    }
}

/// What stands before a frame of `length` octets, and how many zeros stand behind it.
///
/// RFC 4571 2, RFC 8656 12.5, MS-TURN 2.1
pub fn frame(framing: Framing, kind: FrameKind, length: usize) -> Result<(FrameHead, usize), crate::Refusal> {
    let [high, low] = u16::try_from(length).map_err(|_| crate::Refusal::StunTooLong)?.to_be_bytes();
    Ok(match (framing, kind) {
        (Framing::Rfc4571, _) => (FrameHead([high, low, 0, 0], 2), 0),
        (Framing::Turn, FrameKind::Message) => (FrameHead([0; 4], 0), 0),
        (Framing::Turn, FrameKind::Data) => (FrameHead([0; 4], 0), length.next_multiple_of(4) - length),
        (Framing::MsTurn, FrameKind::Message) => (FrameHead([CONTROL, 0, high, low], 4), 0),
        (Framing::MsTurn, FrameKind::Data) => (FrameHead([DATA, 0, high, low], 4), 0),
    })
}

/// The octets before a frame.
///
/// RFC 4571 2, MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameHead([u8; 4], usize);

impl FrameHead {
    /// The octets.
    ///
    /// RFC 4571 2, MS-TURN 2.1
    pub fn octets(&self) -> &[u8] {
        self.0.get(..self.1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of a stream that arrives in pieces of `piece` octets.
    fn cut(framing: Framing, stream: &[u8], piece: usize) -> Result<Vec<(FrameKind, Vec<u8>)>, ParseError> {
        let mut reader = StreamReader::new(framing);
        let mut frames = Vec::new();
        for octets in stream.chunks(piece) {
            reader.push(octets);
            while let Some((kind, frame)) = reader.next_frame()? {
                frames.push((kind, frame.to_vec()));
            }
        }
        assert_eq!(reader.waiting(), 0);
        Ok(frames)
    }

    #[test]
    fn what_is_framed_is_found_again_however_the_stream_is_cut() {
        let message = {
            let mut octets = vec![0, 1, 0, 4];
            octets.extend([7; 20]);
            octets
        };
        let channel = [&[0x40, 1, 0, 5][..], b"hello"].concat();
        for framing in [Framing::Rfc4571, Framing::Turn, Framing::MsTurn] {
            let data_kind = if framing == Framing::Rfc4571 { FrameKind::Message } else { FrameKind::Data };
            let sent = [
                (FrameKind::Message, message.clone()),
                (data_kind, channel.clone()),
                (FrameKind::Message, message.clone()),
            ];
            let mut stream = Vec::new();
            for (kind, octets) in &sent {
                let (head, fill) = frame(framing, *kind, octets.len()).unwrap();
                stream.extend_from_slice(head.octets());
                stream.extend_from_slice(octets);
                stream.extend(std::iter::repeat_n(0, fill));
            }
            for piece in 1..stream.len() {
                assert_eq!(cut(framing, &stream, piece).unwrap(), sent, "{framing:?} by {piece}");
            }
        }
    }

    #[test]
    fn packets_of_every_length_come_out_as_they_went_in_and_empty_ones_are_left_out() {
        let packets = [vec![7; 300], vec![], vec![1], vec![], vec![9; 2], vec![3; 65_535], vec![]];
        let mut stream = Vec::new();
        for packet in &packets {
            let (head, _) = frame(Framing::Rfc4571, FrameKind::Message, packet.len()).unwrap();
            stream.extend_from_slice(head.octets());
            stream.extend_from_slice(packet);
        }
        let expected: Vec<_> =
            packets.into_iter().filter(|p| !p.is_empty()).map(|p| (FrameKind::Message, p)).collect();
        for piece in [1, 2, 3, 5, 301, 302, 303, 70_000] {
            assert_eq!(cut(Framing::Rfc4571, &stream, piece).unwrap(), expected, "by {piece}");
        }
        let refused = frame(Framing::Rfc4571, FrameKind::Message, 65_536);
        assert_eq!(refused, Err(crate::Refusal::StunTooLong));
    }

    #[test]
    fn a_stream_that_lost_its_frames_is_given_up() {
        assert_eq!(cut(Framing::MsTurn, &[1, 0, 0, 0], 4).unwrap_err().rule, Rule::StunFrame);
        assert_eq!(cut(Framing::MsTurn, &[0x16, 3, 1], 1).unwrap_err().rule, Rule::StunFrame);
        assert_eq!(cut(Framing::Turn, &[0x80, 0, 0, 0], 4).unwrap_err().rule, Rule::StunFrame);
    }
}
