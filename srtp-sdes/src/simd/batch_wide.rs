//! Batches of usual streams as one piece of code for one kind of processor: bookkeeping and AES of the packets, and the tags of
//! sixteen between them.

use core::arch::x86_64::{__m128i, _mm_set_epi64x, _mm_xor_si128};

use super::aes_wide::counter_mode_128;
use super::{LANES, Tag, aes, sha1_x16};
use crate::authentication::TagJob;
use crate::batch::{Incoming, Outgoing};
use crate::error::{ProtectError, UnprotectError};
use crate::packet::{self, Framing, Place};
use crate::received::Received;
use crate::session::SessionKeys;
use crate::suite::Cipher;
use crate::usual::Usual;

/// What is left to do to an outgoing packet once its tag is there.
struct Tagless<'a> {
    behind: &'a mut [u8],
    framing: Framing<'a>,
    result: &'a mut Option<Result<usize, ProtectError>>,
    length: usize,
}

/// What is left to do to an incoming packet once its right tag is there.
struct Unchecked<'a> {
    usual: Usual<'a, Received>,
    body: &'a mut [u8],
    received: &'a [u8],
    result: &'a mut Option<Result<usize, UnprotectError>>,
    place: Place,
}

/// The first counter block, the first round key added.
///
/// RFC 3711 4.1.1
#[target_feature(enable = "sse2")]
#[inline]
fn counter(keys: &SessionKeys, place: Place) -> __m128i {
    let (ssrc, index) = (u64::from(place.ssrc), place.index << 16);
    let number = _mm_set_epi64x(index.swap_bytes() as i64, ssrc.swap_bytes() as i64);
    _mm_xor_si128(aes::load(keys.vector()), number)
}

/// XORs the payload with the key stream.
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
fn apply(keys: &SessionKeys, place: Place, body: &mut [u8]) {
    if let Some(payload) = body.get_mut(place.header..) {
        counter_mode_128(keys.rounds(), counter(keys, place), payload);
    }
}

/// Protects packets of up to sixteen usual streams.
///
/// RFC 3711 3.3
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
pub(super) fn protect(packets: &mut [Outgoing<'_>]) {
    let mut jobs = [TagJob::NOTHING; LANES];
    let mut ends: [Option<Tagless<'_>>; LANES] = [const { None }; LANES];
    let mut count = 0;
    // Bookkeeping and cipher of a packet together: the processor does the one for the next packet while the other still runs.
    for Outgoing { sender, buffer, length, result } in packets {
        let Some(place) = sender.0.usual().admit(buffer, *length) else {
            *result = Some(sender.protect(buffer, *length));
            continue;
        };
        let Usual { keys, mki, tag, .. } = sender.0.usual();
        let framing = Framing { mki, tag, encrypt: true };
        let (body, behind) = buffer.split_at_mut(*length);
        apply(keys, place, body);
        if let (Some(job), Some(end)) = (jobs.get_mut(count), ends.get_mut(count)) {
            *job = TagJob { key: keys.authentication(), message: body, suffix: place.roc() };
            *end = Some(Tagless { behind, framing, result, length: *length });
            count += 1;
        }
    }
    let mut tags = [Tag::default(); LANES];
    sha1_x16::tags(jobs.get(..count).unwrap_or_default(), &mut tags);
    for (end, tag) in ends.iter_mut().flatten().zip(&tags) {
        let octets = packet::finish_rtp(Cipher::CounterMode, end.framing, tag, end.behind);
        *end.result = Some(Ok(end.length + octets));
    }
}

/// Checks and decrypts packets of up to sixteen usual streams.
///
/// RFC 3711 3.3
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
pub(super) fn unprotect(packets: &mut [Incoming<'_>]) {
    let mut ends: [Option<Unchecked<'_>>; LANES] = [const { None }; LANES];
    let mut count = 0;
    for Incoming { receiver, buffer, result } in packets {
        let Some(parts) = receiver.0.usual().locate(Cipher::CounterMode, buffer) else {
            *result = Some(receiver.unprotect(buffer));
            continue;
        };
        let usual = receiver.0.usual();
        let (body, behind) = buffer.split_at_mut(parts.body);
        let received = behind.get(parts.tag..).unwrap_or_default();
        if let Some(end) = ends.get_mut(count) {
            *end = Some(Unchecked { usual, body, received, result, place: parts.place });
            count += 1;
        }
    }
    let mut jobs = [TagJob::NOTHING; LANES];
    for (job, end) in jobs.iter_mut().zip(ends.iter().flatten()) {
        *job = TagJob { key: end.usual.keys.authentication(), message: end.body, suffix: end.place.roc() };
    }
    let mut tags = [Tag::default(); LANES];
    sha1_x16::tags(jobs.get(..count).unwrap_or_default(), &mut tags);
    for (end, tag) in ends.iter_mut().flatten().zip(&tags) {
        if end.usual.tag.agrees(end.received, tag) {
            apply(end.usual.keys, end.place, end.body);
            end.usual.remember(end.place.index);
            *end.result = Some(Ok(end.body.len()));
        } else {
            *end.result = Some(Err(UnprotectError::AuthenticationFailed));
        }
    }
}
