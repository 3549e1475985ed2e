//! Many packets of different streams at once: what a media server has every 20 ms.

use core::fmt;

use crate::authentication::TagJob;
use crate::error::{ProtectError, UnprotectError};
use crate::packet::Place;
use crate::receiver::Located;
use crate::simd::{Hasher, LANES, Tag};
use crate::{Receiver, Sender};

/// A packet to be protected in a batch.
///
/// RFC 3711 3.3
pub struct Outgoing<'a> {
    sender: &'a mut Sender,
    buffer: &'a mut [u8],
    length: usize,
    result: Option<Result<usize, ProtectError>>,
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
    receiver: &'a mut Receiver,
    buffer: &'a mut [u8],
    result: Option<Result<usize, UnprotectError>>,
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
        protect_lanes(hasher, packets);
    }
}

fn protect_lanes(hasher: Hasher, packets: &mut [Outgoing<'_>]) {
    // Each step over all packets before the next: the processor works on several at once.
    let mut places: [Option<Place>; LANES] = [const { None }; LANES];
    for (packet, place) in packets.iter_mut().zip(&mut places) {
        if packet.sender.has_tag_jobs() {
            match packet.sender.admit(packet.buffer, packet.length) {
                Ok(admitted) => *place = Some(admitted),
                Err(error) => packet.result = Some(Err(error)),
            }
        } else {
            packet.result = Some(packet.sender.protect(packet.buffer, packet.length));
        }
    }
    for (packet, place) in packets.iter_mut().zip(&places) {
        if let Some(place) = place {
            packet.sender.encrypt(*place, packet.buffer, packet.length);
        }
    }

    let mut tags = [Tag::default(); LANES];
    let mut jobs = Jobs::new();
    for (packet, place) in packets.iter().zip(&places) {
        if let Some(place) = place {
            let message = packet.buffer.get(..packet.length).unwrap_or_default();
            jobs.push(TagJob { key: packet.sender.tag_key(), message, suffix: place.roc() });
        }
    }
    hasher.tags(jobs.all(), &mut tags);

    let mut tags = tags.iter();
    for (packet, place) in packets.iter_mut().zip(&places) {
        if place.is_some()
            && let Some(tag) = tags.next()
        {
            packet.result = Some(Ok(packet.sender.finish(tag, packet.buffer, packet.length)));
        }
    }
}

/// Checks and decrypts packets as [`Receiver::unprotect`] does each of them; the tags of sixteen at once where the processor can.
///
/// RFC 3711 3.3
pub fn unprotect_batch(packets: &mut [Incoming<'_>]) {
    let hasher = Hasher::detect();
    for packets in packets.chunks_mut(LANES) {
        unprotect_lanes(hasher, packets);
    }
}

fn unprotect_lanes(hasher: Hasher, packets: &mut [Incoming<'_>]) {
    let mut found: [Option<Located>; LANES] = [const { None }; LANES];
    for (packet, found) in packets.iter_mut().zip(&mut found) {
        *found = packet.receiver.locate_one(packet.buffer);
        if found.is_none() {
            // Refused, or of a kind that is not worth a lane.
            packet.result = Some(packet.receiver.unprotect(packet.buffer));
        }
    }

    let mut tags = [Tag::default(); LANES];
    let mut jobs = Jobs::new();
    for (packet, found) in packets.iter().zip(&found) {
        if let Some(located) = found {
            let key = packet.receiver.tag_key(located);
            let message = packet.buffer.get(..located.body).unwrap_or_default();
            jobs.push(TagJob { key, message, suffix: located.place.roc() });
        }
    }
    hasher.tags(jobs.all(), &mut tags);

    let mut tags = tags.iter();
    for (packet, found) in packets.iter_mut().zip(&found) {
        if let Some(located) = found
            && let Some(tag) = tags.next()
        {
            packet.result = Some(packet.receiver.accept_if(located, packet.buffer, tag));
        }
    }
}

/// The jobs of up to sixteen packets, without gaps.
struct Jobs<'a> {
    jobs: [TagJob<'a>; LANES],
    count: usize,
}

impl<'a> Jobs<'a> {
    const fn new() -> Self {
        Self { jobs: [TagJob::NOTHING; LANES], count: 0 }
    }

    #[inline]
    fn push(&mut self, job: TagJob<'a>) {
        if let Some(place) = self.jobs.get_mut(self.count) {
            *place = job;
            self.count += 1;
        }
    }

    #[inline]
    fn all(&self) -> &[TagJob<'a>] {
        self.jobs.get(..self.count).unwrap_or_default()
    }
}
