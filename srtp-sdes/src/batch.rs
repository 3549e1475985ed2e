//! Many packets of different streams at once: what a media server has every 20 ms.

use core::fmt;

use crate::authentication::{TagJob, tags_agree};
use crate::error::{ProtectError, UnprotectError};
use crate::receiver::Located;
use crate::sender::Encrypted;
use crate::simd::{LANES, tags};
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
    for packets in packets.chunks_mut(LANES) {
        protect_lanes(packets);
    }
}

fn protect_lanes(packets: &mut [Outgoing<'_>]) {
    let mut encrypted: [Option<Encrypted>; LANES] = [None; LANES];
    for (packet, encrypted) in packets.iter_mut().zip(&mut encrypted) {
        if packet.sender.has_tag_jobs() {
            match packet.sender.encrypt(packet.buffer, packet.length) {
                Ok(done) => *encrypted = Some(done),
                Err(error) => packet.result = Some(Err(error)),
            }
        } else {
            packet.result = Some(packet.sender.protect(packet.buffer, packet.length));
        }
    }

    let mut computed = [[0_u8; 20]; LANES];
    let mut lanes = [0_usize; LANES];
    let mut jobs: Jobs<'_> = Jobs::new();
    for (at, (packet, encrypted)) in packets.iter().zip(&encrypted).enumerate() {
        let body = packet.buffer.get(..packet.length).unwrap_or_default();
        if let Some(job) = encrypted.and_then(|encrypted| packet.sender.tag_job(encrypted, body)) {
            jobs.push(job, &mut lanes, at);
        }
    }
    jobs.run(&mut computed);
    let count = jobs.count;

    for (at, tag) in lanes.iter().take(count).zip(&computed) {
        if let Some(packet) = packets.get_mut(*at) {
            packet.result = Some(Ok(packet.sender.finish(tag, packet.buffer, packet.length)));
        }
    }
}

/// Checks and decrypts packets as [`Receiver::unprotect`] does each of them; the tags of sixteen at once where the processor can.
///
/// RFC 3711 3.3
pub fn unprotect_batch(packets: &mut [Incoming<'_>]) {
    for packets in packets.chunks_mut(LANES) {
        unprotect_lanes(packets);
    }
}

fn unprotect_lanes(packets: &mut [Incoming<'_>]) {
    let mut located: [Option<(Located, u64)>; LANES] = [const { None }; LANES];
    for (packet, located) in packets.iter_mut().zip(&mut located) {
        *located = packet.receiver.locate_one(packet.buffer);
        if located.is_none() {
            // Refused, or of a kind that is not worth a lane.
            packet.result = Some(packet.receiver.unprotect(packet.buffer));
        }
    }

    let mut computed = [[0_u8; 20]; LANES];
    let mut lanes = [0_usize; LANES];
    let mut jobs: Jobs<'_> = Jobs::new();
    for (at, (packet, located)) in packets.iter().zip(&located).enumerate() {
        let job = located
            .as_ref()
            .and_then(|(located, index)| packet.receiver.tag_job(located, *index, packet.buffer));
        if let Some(job) = job {
            jobs.push(job, &mut lanes, at);
        }
    }
    jobs.run(&mut computed);
    let count = jobs.count;

    for (at, tag) in lanes.iter().take(count).zip(&computed) {
        let (Some(packet), Some(Some((located, index)))) = (packets.get_mut(*at), located.get(*at)) else {
            continue;
        };
        let received = packet.buffer.get(located.tag.clone()).unwrap_or_default();
        packet.result = Some(if tags_agree(received, tag) {
            packet.receiver.accept(located, *index, packet.buffer)
        } else {
            Err(UnprotectError::AuthenticationFailed)
        });
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

    fn push(&mut self, job: TagJob<'a>, lanes: &mut [usize; LANES], packet: usize) {
        if let (Some(place), Some(lane)) = (self.jobs.get_mut(self.count), lanes.get_mut(self.count)) {
            *place = job;
            *lane = packet;
            self.count += 1;
        }
    }

    fn run(&self, computed: &mut [[u8; 20]; LANES]) {
        tags(self.jobs.get(..self.count).unwrap_or_default(), computed);
    }
}
