//! Packets on a connection: each has its length in front.

use crate::error::Refusal;

/// Takes packets out of a stream. What is incomplete is kept, never more than one packet.
///
/// RFC 4571 2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FrameDecoder {
    kept: Vec<u8>,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    ///
    /// RFC 4571 2
    pub const fn new() -> Self {
        Self { kept: Vec::new() }
    }

    /// Takes octets of the stream and gives every packet they complete; empty packets are left out.
    ///
    /// RFC 4571 2
    pub fn push(&mut self, mut octets: &[u8], mut packet: impl FnMut(&[u8])) {
        loop {
            let length = match (self.kept.first().or_else(|| octets.first()), self.second(octets)) {
                (Some(high), Some(low)) => 2 + usize::from(u16::from_be_bytes([*high, low])),
                _ => 2,
            };
            if self.kept.is_empty()
                && let Some((frame, rest)) = octets.split_at_checked(length)
                && length > 2
            {
                // The usual case: nothing is copied.
                packet(frame.get(2..).unwrap_or_default());
                octets = rest;
                continue;
            }
            let missing = length.saturating_sub(self.kept.len());
            let (taken, rest) = octets.split_at_checked(missing).unwrap_or((octets, &[]));
            self.kept.extend_from_slice(taken);
            octets = rest;
            if taken.len() < missing {
                return;
            }
            if length > 2 {
                packet(self.kept.get(2..).unwrap_or_default());
                self.kept.clear();
            } else if self.kept == [0, 0] {
                self.kept.clear();
            }
            if octets.is_empty() && self.kept.is_empty() {
                return;
            }
        }
    }

    fn second(&self, octets: &[u8]) -> Option<u8> {
        match self.kept.len() {
            0 => octets.get(1),
            1 => octets.first(),
            _ => self.kept.get(1),
        }
        .copied()
    }
}

/// Appends a packet with its length in front.
///
/// RFC 4571 2
pub fn emit_frame(packet: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let length = u16::try_from(packet.len()).map_err(|_| Refusal::FrameTooLong)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(packet);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_out_as_they_went_in_however_the_stream_is_cut() {
        let packets = [vec![7; 300], vec![], vec![1], vec![9; 2], vec![3; 65_535]];
        let mut stream = Vec::new();
        for packet in &packets {
            emit_frame(packet, &mut stream).unwrap();
        }
        for cut in [1, 2, 3, 5, 301, 302, 303, 70_000] {
            let mut decoder = FrameDecoder::new();
            let mut seen = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece, |packet| seen.push(packet.to_vec()));
            }
            let expected: Vec<_> = packets.iter().filter(|p| !p.is_empty()).cloned().collect();
            assert_eq!(seen, expected, "cut {cut}");
            assert_eq!(decoder, FrameDecoder::new());
        }
        assert_eq!(emit_frame(&vec![0; 65_536], &mut stream), Err(Refusal::FrameTooLong));
    }
}
