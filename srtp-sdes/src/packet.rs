//! One packet under known keys: encryption, MKI and tag at their places.

use core::hint::cold_path;

use crate::authentication::TagLength;
use crate::derivation::Second;
use crate::galois::{self, Cover};
use crate::session::Session;
use crate::simd::Tag;
use crate::suite::Cipher;

/// What is done to a packet, and what goes behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framing<'a> {
    /// The MKI's octets, or none.
    pub(crate) mki: &'a [u8],
    pub(crate) tag: TagLength,
    /// Whether the payload is encrypted.
    pub(crate) encrypt: bool,
}

/// Where a packet stands: source and 48-bit index, the header up to the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) ssrc: u32,
    pub(crate) index: u64,
    pub(crate) header: usize,
}

impl Place {
    /// RFC 3711 4.1.1; the session salt stands at the left.
    #[inline]
    const fn counter(self, vector: u128) -> u128 {
        vector ^ ((self.ssrc as u128) << 64) ^ ((self.index as u128) << 16)
    }

    /// RFC 7714 8.1: two zero octets, SSRC, ROC, SEQ; for RTCP two more zero octets and the index. The sum is the same.
    #[inline]
    const fn nonce(self, vector: u128) -> u128 {
        vector ^ ((self.ssrc as u128) << 80) ^ ((self.index as u128) << 32)
    }

    #[inline]
    pub(crate) const fn roc(self) -> [u8; 4] {
        ((self.index >> 16) as u32).to_be_bytes()
    }
}

/// The first vector of f8 mode for RTP.
///
/// RFC 3711 4.1.2.2
fn f8_vector(packet: &[u8], place: Place) -> [u8; 16] {
    let mut vector = [0_u8; 16];
    let (head, roc) = vector.split_at_mut(12);
    for (to, from) in head.iter_mut().zip(packet).skip(1) {
        *to = *from;
    }
    roc.copy_from_slice(&place.roc());
    vector
}

/// The first vector of f8 mode for RTCP; `index` with its E bit.
///
/// RFC 3711 4.1.2.3
fn f8_rtcp_vector(packet: &[u8], index: [u8; 4]) -> [u8; 16] {
    let mut vector = [0_u8; 16];
    let octets = [0; 4].into_iter().chain(index).chain(packet.iter().copied().take(8));
    for (to, from) in vector.iter_mut().zip(octets) {
        *to = from;
    }
    vector
}

/// Encrypts or decrypts the payload of a packet whose tag is HMAC-SHA1's; `body` is the packet without what goes behind it.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a session that is passed through memory costs more than the function"
)]
pub(crate) fn apply(
    session: &Session<'_>,
    place: Place,
    body: &mut [u8],
    vector: impl FnOnce(&[u8]) -> [u8; 16],
) {
    if session.cipher == Cipher::CounterMode {
        if let Some(payload) = body.get_mut(place.header..) {
            session.rounds.counter_mode(place.counter(session.vector), 0, payload);
        }
        return;
    }
    cold_path();
    if let (Cipher::F8, Second::Mask(mask)) = (session.cipher, session.second) {
        let vector = vector(body);
        if let Some(payload) = body.get_mut(place.header..) {
            session.rounds.f8_mode(session.vector, mask, vector, payload);
        }
    }
}

/// Encrypts or decrypts the payload of an RTP packet whose tag is HMAC-SHA1's.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
pub(crate) fn apply_rtp(session: &Session<'_>, place: Place, body: &mut [u8]) {
    apply(session, place, body, |packet| f8_vector(packet, place));
}

/// Encrypts an RTP packet and returns its tag; `body` is the packet without what goes behind it.
#[inline]
pub(crate) fn seal_rtp(session: &Session<'_>, framing: Framing<'_>, place: Place, body: &mut [u8]) -> Tag {
    if let (Cipher::Galois, Second::Powers(powers)) = (session.cipher, session.second) {
        let (head, data) = body.split_at_mut(if framing.encrypt { place.header } else { body.len() });
        let cover = Cover { whitened: place.nonce(session.vector), head, tail: &[] };
        return galois::seal(&session.rounds, powers, cover, data);
    }
    if framing.encrypt {
        apply_rtp(session, place, body);
    }
    match framing.tag {
        TagLength::None => Tag::default(),
        _ => session.authentication.tag(body, place.roc()),
    }
}

/// Checks an RTP packet's tag and decrypts it; leaves it as it was if the tag is wrong.
#[inline]
pub(crate) fn open_rtp(
    session: &Session<'_>,
    framing: Framing<'_>,
    place: Place,
    body: &mut [u8],
    received: &[u8],
) -> bool {
    if let (Cipher::Galois, Second::Powers(powers)) = (session.cipher, session.second) {
        let Some(received) = received.first_chunk() else { return false };
        let (head, data) = body.split_at_mut(if framing.encrypt { place.header } else { body.len() });
        let cover = Cover { whitened: place.nonce(session.vector), head, tail: &[] };
        return galois::open(&session.rounds, powers, cover, data, received);
    }
    let right = match framing.tag {
        TagLength::None => true,
        tag => tag.agrees(received, &session.authentication.tag(body, place.roc())),
    };
    if right && framing.encrypt {
        apply_rtp(session, place, body);
    }
    right
}

/// Writes MKI and tag behind an RTP packet; returns how many octets they are. The room was checked.
#[inline]
pub(crate) fn finish_rtp(cipher: Cipher, framing: Framing<'_>, tag: &Tag, behind: &mut [u8]) -> usize {
    let octets = framing.tag.octets();
    if framing.mki.is_empty() {
        framing.tag.write(tag, behind);
        return octets;
    }
    let (tag_at, mki_at) = if cipher == Cipher::Galois { (0, octets) } else { (framing.mki.len(), 0) };
    if let Some(to) = behind.get_mut(mki_at..mki_at + framing.mki.len()) {
        to.copy_from_slice(framing.mki);
    }
    framing.tag.write(tag, behind.get_mut(tag_at..).unwrap_or_default());
    octets + framing.mki.len()
}

/// Octets of E bit and index.
pub(crate) const RTCP_INDEX: usize = 4;
/// The E bit.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

/// What Galois/counter mode covers of an RTCP packet, and what it encrypts.
///
/// RFC 7714 9.2, 9.3
fn galois_parts<'a>(
    vector: u128,
    place: Place,
    index: &'a [u8; 4],
    encrypt: bool,
    body: &'a mut [u8],
) -> (Cover<'a>, &'a mut [u8]) {
    let (head, data) = body.split_at_mut(if encrypt { place.header } else { body.len() });
    (Cover { whitened: place.nonce(vector), head, tail: index }, data)
}

/// Protects `buffer[..length]` as RTCP; returns the new length. The room was checked.
pub(crate) fn protect_rtcp(
    session: &Session<'_>,
    framing: Framing<'_>,
    place: Place,
    buffer: &mut [u8],
    length: usize,
) -> usize {
    let e = if framing.encrypt { ENCRYPTED } else { 0 };
    let index = (place.index as u32 | e).to_be_bytes();
    let (body, behind) = buffer.split_at_mut(length);
    let tag: Tag;
    if let (Cipher::Galois, Second::Powers(powers)) = (session.cipher, session.second) {
        let (cover, data) = galois_parts(session.vector, place, &index, framing.encrypt, body);
        tag = galois::seal(&session.rounds, powers, cover, data);
    } else {
        if framing.encrypt {
            apply(session, place, body, |packet| f8_rtcp_vector(packet, index));
        }
        tag = session.authentication.tag(body, index);
    }
    let (tag, _) = tag.split_at(framing.tag.octets());
    let parts = match session.cipher {
        Cipher::Galois => [tag, &index, framing.mki],
        _ => [&index, framing.mki, tag],
    };
    let mut end = 0;
    for part in parts {
        if let Some(to) = behind.get_mut(end..end + part.len()) {
            to.copy_from_slice(part);
        }
        end += part.len();
    }
    length + end
}

/// The parts of a received RTCP packet.
pub(crate) struct ReceivedRtcp<'a> {
    body: &'a mut [u8],
    index: [u8; 4],
    tag: &'a [u8],
}

impl<'a> ReceivedRtcp<'a> {
    /// Takes a packet apart that was long enough.
    pub(crate) fn split(cipher: Cipher, framing: Framing<'_>, packet: &'a mut [u8]) -> Self {
        let (mki, tag) = (framing.mki.len(), framing.tag.octets());
        let trailer = tag + mki + RTCP_INDEX;
        let (body, trailer) = packet.split_at_mut(packet.len().saturating_sub(trailer));
        let (index_at, tag_at) = if cipher == Cipher::Galois { (tag, 0) } else { (0, RTCP_INDEX + mki) };
        let index = trailer.get(index_at..).and_then(|rest| rest.first_chunk::<RTCP_INDEX>());
        let index = index.copied().unwrap_or_default();
        let tag = trailer.get(tag_at..tag_at + tag).unwrap_or_default();
        Self { body, index, tag }
    }

    /// Octets before index, MKI and tag.
    pub(crate) const fn length(&self) -> usize {
        self.body.len()
    }

    /// E bit and index.
    pub(crate) const fn index(&self) -> (bool, u32) {
        let word = u32::from_be_bytes(self.index);
        (word & ENCRYPTED != 0, word & !ENCRYPTED)
    }

    /// Checks the tag and decrypts; leaves the packet as it was if the tag is wrong.
    pub(crate) fn open(&mut self, session: &Session<'_>, framing: Framing<'_>, place: Place) -> bool {
        let index = self.index;
        if let (Cipher::Galois, Second::Powers(powers)) = (session.cipher, session.second) {
            let Some(received) = self.tag.first_chunk() else { return false };
            let (cover, data) = galois_parts(session.vector, place, &index, framing.encrypt, self.body);
            return galois::open(&session.rounds, powers, cover, data, received);
        }
        let right = framing.tag.agrees(self.tag, &session.authentication.tag(self.body, index));
        if right && framing.encrypt {
            apply(session, place, self.body, |packet| f8_rtcp_vector(packet, index));
        }
        right
    }
}
