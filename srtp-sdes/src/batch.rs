//! Many packets of different streams at once: what a media server has every 20 ms.

use core::fmt;

use crate::authentication::TagJob;
use crate::error::{ProtectError, UnprotectError};
use crate::simd::{Hasher, LANES, Tag};
use crate::{Receiver, Sender};

/// A packet to be protected in a batch.
///
/// RFC 3711 3.3
pub struct Outgoing<'a> {
    pub(crate) sender: &'a mut Sender,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) length: usize,
    pub(crate) result: Option<Result<usize, ProtectError>>,
}

impl<'a> Outgoing<'a> {
    /// The RTP packet in `buffer[..length]`, with room behind it.
    ///
    /// RFC 3711 3.3
    pub const fn new(sender: &'a mut Sender, buffer: &'a mut [u8], length: usize) -> Self {
        Self { sender, buffer, length, result: None }
    }

    /// The packet's new length, once [`protect_batch`] has run.
    ///
    /// RFC 3711 3.3
    pub const fn result(&self) -> Option<Result<usize, ProtectError>> {
        self.result
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("length", &self.length)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

/// A packet to be checked and decrypted in a batch.
///
/// RFC 3711 3.3
pub struct Incoming<'a> {
    pub(crate) receiver: &'a mut Receiver,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) result: Option<Result<usize, UnprotectError>>,
}

impl<'a> Incoming<'a> {
    /// The SRTP packet that fills `buffer`.
    ///
    /// RFC 3711 3.3
    pub const fn new(receiver: &'a mut Receiver, buffer: &'a mut [u8]) -> Self {
        Self { receiver, buffer, result: None }
    }

    /// The length of the plain packet, once [`unprotect_batch`] has run.
    ///
    /// RFC 3711 3.3
    pub const fn result(&self) -> Option<Result<usize, UnprotectError>> {
        self.result
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("result", &self.result).finish_non_exhaustive()
    }
}

/// Protects packets as [`Sender::protect`] does each of them; the tags of sixteen at once where the processor can.
///
/// RFC 3711 3.3
pub fn protect_batch(packets: &mut [Outgoing<'_>]) {
    let hasher = Hasher::detect();
    for packets in packets.chunks_mut(LANES) {
        if !hasher.protect_usual(packets) {
            protect_lanes(hasher, packets);
        }
    }
}

fn protect_lanes(hasher: Hasher, packets: &mut [Outgoing<'_>]) {
    if !packets.iter().any(|packet| packet.sender.has_tag_jobs()) {
        for Outgoing { sender, buffer, length, result } in packets {
            match sender.protect(buffer, *length) {
                Ok(length) => *result = Some(Ok(length)),
                Err(error) => *result = Some(Err(error)),
            }
        }
        return;
    }
    let mut jobs = [TagJob::NOTHING; LANES];
    let mut ends: [Option<End<'_>>; LANES] = [const { None }; LANES];
    let mut count = 0;
    // Bookkeeping and cipher of a packet together: the processor does the one for the next packet while the other still runs.
    for Outgoing { sender, buffer, length, result } in packets {
        if !sender.has_tag_jobs() {
            *result = Some(sender.protect(buffer, *length));
            continue;
        }
        let place = match sender.admit(buffer, *length) {
            Ok(place) => place,
            Err(error) => {
                *result = Some(Err(error));
                continue;
            }
        };
        let sender: &Sender = sender;
        let (body, behind) = buffer.split_at_mut(*length);
        sender.encrypt(place, body);
        if let (Some(job), Some(end)) = (jobs.get_mut(count), ends.get_mut(count)) {
            *job = TagJob { key: sender.tag_key(), message: body, suffix: place.roc() };
            *end = Some(End { sender, behind, result, length: *length });
            count += 1;
        }
    }
    let mut tags = [Tag::default(); LANES];
    hasher.tags(jobs.get(..count).unwrap_or_default(), &mut tags);
    for (end, tag) in ends.iter_mut().flatten().zip(&tags) {
        *end.result = Some(Ok(end.length + end.sender.finish(tag, end.behind)));
    }
}

/// What is left to do to a packet once its tag is there.
struct End<'a> {
    sender: &'a Sender,
    behind: &'a mut [u8],
    result: &'a mut Option<Result<usize, ProtectError>>,
    length: usize,
}

/// Checks and decrypts packets as [`Receiver::unprotect`] does each of them; the tags of sixteen at once where the processor can.
///
/// RFC 3711 3.3
pub fn unprotect_batch(packets: &mut [Incoming<'_>]) {
    let hasher = Hasher::detect();
    for packets in packets.chunks_mut(LANES) {
        if !hasher.unprotect_usual(packets) {
            unprotect_lanes(hasher, packets);
        }
    }
}

fn unprotect_lanes(hasher: Hasher, packets: &mut [Incoming<'_>]) {
    if !packets.iter().any(|packet| packet.receiver.has_tag_jobs()) {
        for Incoming { receiver, buffer, result } in packets {
            match receiver.unprotect(buffer) {
                Ok(length) => *result = Some(Ok(length)),
                Err(error) => *result = Some(Err(error)),
            }
        }
        return;
    }
    let mut found = [None; LANES];
    let mut tags = [Tag::default(); LANES];
    let mut jobs = [TagJob::NOTHING; LANES];
    let mut count = 0;
    for (packet, found) in packets.iter().zip(&mut found) {
        *found = packet.receiver.locate_one(packet.buffer);
        if let (Some(located), Some(job)) = (found, jobs.get_mut(count)) {
            let message = packet.buffer.get(..located.body).unwrap_or_default();
            *job = TagJob { key: packet.receiver.tag_key(located), message, suffix: located.place().roc() };
            count += 1;
        }
    }
    hasher.tags(jobs.get(..count).unwrap_or_default(), &mut tags);

    let mut tags = tags.iter();
    for (packet, found) in packets.iter_mut().zip(&found) {
        // Each result is written where it belongs: one that is put together elsewhere first would be waited for.
        match found {
            Some(located) => {
                let tag = tags.next().unwrap_or(&[0; 16]);
                if packet.receiver.accept_if(located, packet.buffer, tag) {
                    packet.result = Some(Ok(located.body));
                } else {
                    packet.result = Some(Err(UnprotectError::AuthenticationFailed));
                }
            }
            // Refused, or of a kind that is not worth a lane.
            None => packet.result = Some(packet.receiver.unprotect(packet.buffer)),
        }
    }
}
