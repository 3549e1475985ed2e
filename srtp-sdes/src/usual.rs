//! Packets of usual streams: what the record of a context says is enough to admit, find and remember them. Every packet for which
//! that does not hold goes the long way, which knows everything and says what is wrong.

use core::hint::cold_path;

use crate::authentication::TagLength;
use crate::cipher::KEY_STREAM_LIMIT;
use crate::context::Source;
use crate::packet::{Framing, Place};
use crate::packet_index::{Estimate, estimate};
use crate::received::{NO_INDEX, Received};
use crate::rtp::Header;
use crate::sender::{NOTHING_SENT, Sent, next_index};
use crate::session::SessionKeys;
use crate::suite::Cipher;

/// The record of a usual stream, taken apart.
pub(crate) struct Usual<'a, S: Source> {
    pub(crate) keys: &'a SessionKeys,
    pub(crate) source: &'a mut S,
    pub(crate) counters: &'a mut S::Counters,
    pub(crate) mki: &'a [u8],
    pub(crate) tag: TagLength,
}

impl<S: Source> Usual<'_, S> {
    /// What is done to RTP packets.
    #[inline]
    pub(crate) const fn framing(&self) -> Framing<'_> {
        Framing { mki: self.mki, tag: self.tag, encrypt: true }
    }
}

/// Where the parts of a received packet stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) place: Place,
    /// Octets before MKI and tag.
    pub(crate) body: usize,
    /// Where behind them the tag stands.
    pub(crate) tag: usize,
}

impl Usual<'_, Sent> {
    /// Takes a packet of the source that sent something before; its index counts as used from here on. Nothing changes if there is
    /// no place for the packet, or something else to do.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn admit(&mut self, buffer: &[u8], length: usize) -> Option<Place> {
        let header = Header::parse(buffer.get(..length)?).ok()?;
        let source = &mut *self.source;
        if length - header.length > KEY_STREAM_LIMIT
            || self.mki.len() + self.tag.octets() > buffer.len() - length
            || self.counters.srtp_expired()
            || source.ssrc != header.ssrc
            || source.highest == NOTHING_SENT
        {
            cold_path();
            return None;
        }
        let index = next_index(source, header.sequence_number).ok()?;
        source.window.mark(Some(source.highest), index);
        source.highest = source.highest.max(index);
        self.counters.count_srtp();
        Some(Place { ssrc: header.ssrc, index, header: header.length })
    }
}

impl Usual<'_, Received> {
    /// Finds a packet of the source that sent something before; changes nothing. Nothing if it has no place, or there is something
    /// else to do.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn locate(&self, cipher: Cipher, packet: &[u8]) -> Option<Parts> {
        let header = Header::parse(packet).ok()?;
        let (source, tag) = (&*self.source, self.tag.octets());
        let payload = (packet.len() - header.length).checked_sub(self.mki.len() + tag)?;
        if payload > KEY_STREAM_LIMIT || source.ssrc != header.ssrc || source.highest == NO_INDEX {
            cold_path();
            return None;
        }
        let body = header.length + payload;
        let (mki_at, tag_at) = if cipher == Cipher::Galois { (tag, 0) } else { (0, self.mki.len()) };
        if !self.mki.is_empty() && packet.get(body + mki_at..)?.get(..self.mki.len())? != self.mki {
            cold_path();
            return None;
        }
        let Estimate::Index(index) = estimate(source.highest, header.sequence_number) else { return None };
        source.rtp.check(Some(source.highest), index).ok()?;
        let place = Place { ssrc: header.ssrc, index, header: header.length };
        Some(Parts { place, body, tag: tag_at })
    }

    /// Remembers an authentic packet.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn remember(&mut self, index: u64) {
        let source = &mut *self.source;
        source.rtp.mark(Some(source.highest), index);
        source.highest = source.highest.max(index);
    }
}
