//! One packet under known keys: encryption, MKI and tag at their places.

use crate::authentication::tags_agree;
use crate::derivation::SessionKeys;
use crate::galois::Cover;
use crate::suite::Cipher;

/// The part of SRTP that depends on nothing but the packet and its index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framing<'a> {
    /// The MKI's octets, or none.
    pub(crate) mki: &'a [u8],
    /// Octets of the tag.
    pub(crate) tag: usize,
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
    const fn counter(self, salt: u128) -> u128 {
        salt ^ ((self.ssrc as u128) << 64) ^ ((self.index as u128) << 16)
    }

    pub(crate) fn roc(self) -> [u8; 4] {
        ((self.index >> 16) as u32).to_be_bytes()
    }

    /// RFC 7714 8.1: two zero octets, SSRC, ROC, SEQ; for RTCP two more zero octets and the index. The sum is the same.
    fn nonce(self, salt: u128) -> [u8; 12] {
        let nonce = (salt >> 32) ^ (u128::from(self.ssrc) << 48) ^ u128::from(self.index);
        let [_, _, _, _, nonce @ ..] = nonce.to_be_bytes();
        nonce
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

/// Encrypts or decrypts the payload of an RTP packet; `body` is the packet without MKI and tag.
#[inline]
pub(crate) fn apply_rtp(keys: &SessionKeys, place: Place, body: &mut [u8]) {
    match keys {
        SessionKeys::CounterMode { cipher, salt, .. } => {
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.counter_mode(place.counter(salt.shifted()), 0, payload);
            }
        }
        SessionKeys::F8 { cipher, .. } => {
            let vector = f8_vector(body, place);
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.apply(vector, payload);
            }
        }
        SessionKeys::Galois { cipher, salt } => {
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.apply(place.nonce(salt.shifted()), payload);
            }
        }
        SessionKeys::Null { .. } => {}
    }
}

/// The full tag of an RTP packet after encryption; only as many octets as the suite has are sent.
#[inline]
pub(crate) fn rtp_tag(keys: &SessionKeys, place: Place, body: &[u8], encrypt: bool) -> [u8; 20] {
    match keys {
        SessionKeys::CounterMode { authentication, .. }
        | SessionKeys::F8 { authentication, .. }
        | SessionKeys::Null { authentication } => authentication.tag(body, place.roc()),
        SessionKeys::Galois { cipher, salt } => {
            let (head, ciphertext) = body.split_at(if encrypt { place.header } else { body.len() });
            widen(cipher.tag(Cover { nonce: place.nonce(salt.shifted()), head, tail: &[] }, ciphertext))
        }
    }
}

fn widen(tag: [u8; 16]) -> [u8; 20] {
    let mut wide = [0_u8; 20];
    let (to, _) = wide.split_at_mut(16);
    to.copy_from_slice(&tag);
    wide
}

/// Copies `parts` behind one another to `at`; the room was checked.
#[inline]
pub(crate) fn append(buffer: &mut [u8], at: usize, parts: [&[u8]; 3]) -> usize {
    let mut end = at;
    for part in parts {
        if let Some(to) = buffer.get_mut(end..end + part.len()) {
            to.copy_from_slice(part);
        }
        end += part.len();
    }
    end
}

/// Octets of E bit and index.
pub(crate) const RTCP_INDEX: usize = 4;
/// The E bit.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

fn apply_rtcp(keys: &SessionKeys, place: Place, index: [u8; 4], body: &mut [u8]) {
    match keys {
        SessionKeys::CounterMode { cipher, salt, .. } => {
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.counter_mode(place.counter(salt.shifted()), 0, payload);
            }
        }
        SessionKeys::F8 { cipher, .. } => {
            let vector = f8_rtcp_vector(body, index);
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.apply(vector, payload);
            }
        }
        SessionKeys::Galois { cipher, salt } => {
            if let Some(payload) = body.get_mut(place.header..) {
                cipher.apply(place.nonce(salt.shifted()), payload);
            }
        }
        SessionKeys::Null { .. } => {}
    }
}

fn rtcp_tag(keys: &SessionKeys, place: Place, index: [u8; 4], body: &[u8], encrypt: bool) -> [u8; 20] {
    match keys {
        SessionKeys::CounterMode { authentication, .. }
        | SessionKeys::F8 { authentication, .. }
        | SessionKeys::Null { authentication } => authentication.tag(body, index),
        SessionKeys::Galois { cipher, salt } => {
            let (head, ciphertext) = body.split_at(if encrypt { place.header } else { body.len() });
            widen(cipher.tag(Cover { nonce: place.nonce(salt.shifted()), head, tail: &index }, ciphertext))
        }
    }
}

/// Protects `buffer[..length]` as RTCP; returns the new length. The room was checked.
pub(crate) fn protect_rtcp(
    keys: &SessionKeys,
    framing: Framing<'_>,
    place: Place,
    buffer: &mut [u8],
    length: usize,
) -> usize {
    let e = if framing.encrypt { ENCRYPTED } else { 0 };
    let index = (place.index as u32 | e).to_be_bytes();
    let (body, _) = buffer.split_at_mut(length);
    if framing.encrypt {
        apply_rtcp(keys, place, index, body);
    }
    let tag = rtcp_tag(keys, place, index, body, framing.encrypt);
    let (tag, _) = tag.split_at(framing.tag);
    let parts = match keys {
        SessionKeys::Galois { .. } => [tag, &index, framing.mki],
        _ => [&index, framing.mki, tag],
    };
    append(buffer, length, parts)
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
        let mki = framing.mki.len();
        let trailer = framing.tag + mki + RTCP_INDEX;
        let (body, trailer) = packet.split_at_mut(packet.len().saturating_sub(trailer));
        let (index, tag) = if cipher == Cipher::Galois { (framing.tag, 0) } else { (0, RTCP_INDEX + mki) };
        let index = trailer.get(index..).and_then(|rest| rest.first_chunk::<RTCP_INDEX>());
        let index = index.copied().unwrap_or_default();
        let tag = trailer.get(tag..tag + framing.tag).unwrap_or_default();
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

    pub(crate) fn is_authentic(&self, keys: &SessionKeys, framing: Framing<'_>, place: Place) -> bool {
        tags_agree(self.tag, &rtcp_tag(keys, place, self.index, self.body, framing.encrypt))
    }

    pub(crate) fn decrypt(&mut self, keys: &SessionKeys, framing: Framing<'_>, place: Place) {
        if framing.encrypt {
            apply_rtcp(keys, place, self.index, self.body);
        }
    }
}
