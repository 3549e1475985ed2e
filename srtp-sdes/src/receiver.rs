//! The receiving side of a cryptographic context.

use core::fmt;
use core::hint::cold_path;

use crate::agreed::ReceiverKeys;
use crate::authentication::AuthenticationKey;
use crate::cipher::KEY_STREAM_LIMIT;
use crate::context::{ALL_IN_ANNEX, Context, KeyNumber, Slot};
use crate::error::UnprotectError;
use crate::packet::{self, Framing, Place, RTCP_INDEX, ReceivedRtcp};
use crate::packet_index::{Estimate, estimate};
use crate::received::{Extra, NO_INDEX, NO_RTCP_INDEX, Received, Rings};
use crate::rekey::RolloverAfterRekey;
use crate::replay::{ReplayError, Ring, WINDOW, Window};
use crate::rtp::{self, Header, HeaderError, RTCP_HEADER};
use crate::simd::Tag;
use crate::suite::Cipher;

/// The settings of a receiver.
///
/// RFC 3711 3.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverConfig {
    /// Roll-over counter of the first packet of each synchronisation source, where it was signalled.
    pub initial_rollover: u32,
    /// How many synchronisation sources the context keeps.
    pub max_sources: usize,
    /// Whether the first packet of a source may have the roll-over counter after the expected one, because the packets before the
    /// wrap were lost (inferred). One more authentication at most.
    pub recover_lost_wrap: bool,
    /// How the roll-over counter of a known source goes on after a change of keys.
    pub rollover_after_rekey: RolloverAfterRekey,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            initial_rollover: 0,
            max_sources: 256,
            recover_lost_wrap: false,
            rollover_after_rekey: RolloverAfterRekey::Either,
        }
    }
}

/// Checks and opens the packets of one direction; keeps the state of every synchronisation source that was ever authentic.
///
/// With one source, a key of AES-128 in counter mode and the usual settings it takes 320 octets, itself included, and no packet
/// costs an allocation.
///
/// RFC 3711 3.2.3, 3.3, 3.4
pub struct Receiver(pub(crate) Box<Context<Received>>);

impl Clone for Receiver {
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl Receiver {
    /// A receiver with the usual settings.
    ///
    /// RFC 3711 3.3.1
    pub fn new(keys: ReceiverKeys) -> Self {
        Self::with_config(keys, ReceiverConfig::default())
    }

    /// A receiver with settings.
    ///
    /// RFC 3711 3.3.1
    #[expect(clippy::needless_pass_by_value, reason = "the keys are consumed so that no copy stays behind")]
    pub fn with_config(keys: ReceiverKeys, config: ReceiverConfig) -> Self {
        let mut context = Context::<Received>::new(&keys.0);
        if config != ReceiverConfig::default() {
            context.annex_mut().extra.config = Some(config);
        }
        if keys.0.transform.replay_window > WINDOW {
            context.set(ALL_IN_ANNEX);
            context.annex_mut().extra.window = keys.0.transform.replay_window;
        }
        Self(context)
    }

    /// Checks and decrypts the SRTP packet in place; the plain packet stands in `buffer[..result]`. After an error the
    /// buffer is as it was.
    ///
    /// RFC 3711 3.3, RFC 7714 10
    #[inline]
    pub fn unprotect(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        // A result that is handed on as a whole would be waited for.
        match self.0.unprotect(buffer) {
            Ok(length) => Ok(length),
            Err(error) if may_be_older(error) => {
                self.under_keys_before(error, |older| older.unprotect(buffer))
            }
            Err(error) => Err(error),
        }
    }

    /// Checks and decrypts the SRTCP packet in place; the plain packet stands in `buffer[..result]`. After an error the
    /// buffer is as it was.
    ///
    /// RFC 3711 3.4, RFC 7714 10
    pub fn unprotect_rtcp(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let result = self.0.unprotect_rtcp(buffer);
        match result {
            Err(error) if may_be_older(error) => {
                self.under_keys_before(error, |older| older.unprotect_rtcp(buffer))
            }
            result => result,
        }
    }

    #[cold]
    fn under_keys_before(
        &mut self,
        error: UnprotectError,
        unprotect: impl FnOnce(&mut Context<Received>) -> Result<usize, UnprotectError>,
    ) -> Result<usize, UnprotectError> {
        let previous = self.0.extra_mut().and_then(|extra| extra.previous.as_mut()).ok_or(error)?;
        unprotect(previous).map_err(|_| error)
    }

    /// Finds a packet's place for a batch: where its source is known, so that it has one index only, there is one context, and
    /// its tag is one of HMAC-SHA1.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn locate_one(&self, packet: &[u8]) -> Option<Located> {
        if !self.has_tag_jobs() {
            return None;
        }
        let context = &*self.0;
        let located = context.locate(packet).ok()?;
        let highest = located.source.and_then(|slot| context.source(slot)).and_then(Received::highest)?;
        let Estimate::Index(index) = estimate(highest, located.sequence_number) else { return None };
        context.fresh(&located, index).ok()?;
        Some(Located { index, ..located })
    }

    /// Whether the packets' tags can be computed together with those of others.
    #[inline]
    pub(crate) fn has_tag_jobs(&self) -> bool {
        let context = &*self.0;
        context.authenticates_rtp()
            && !context.derives_again()
            && context.cipher() != Cipher::Galois
            && context.extra().is_none_or(|extra| extra.previous.is_none())
    }

    /// The key of a packet's tag.
    #[inline]
    pub(crate) fn tag_key(&self, located: &Located) -> &AuthenticationKey {
        self.0.authentication(located.key)
    }

    /// Takes a packet whose tag was computed elsewhere, if it carries that tag.
    #[inline]
    pub(crate) fn accept_if(&mut self, located: &Located, packet: &mut [u8], tag: &Tag) -> bool {
        let context = &mut *self.0;
        let framing = context.rtp_framing();
        let (body, behind) = packet.split_at_mut(located.body);
        let received = behind.get(located.tag..located.tag + framing.tag.octets()).unwrap_or_default();
        let right = framing.tag.agrees(received, tag);
        if right {
            if framing.encrypt {
                packet::apply_rtp(&context.rtp(located.key), located.place(), body);
            }
            context.remember(located, located.index);
        }
        right
    }

    /// Whether an authentic packet of this source was received; if it is a source of our own, that one must change.
    ///
    /// RFC 3711 9.1, RFC 3550 8.2
    pub fn has_source(&self, ssrc: u32) -> bool {
        let continued =
            |extra: &Extra| extra.continued.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).is_ok();
        self.0.find(ssrc).is_some() || self.0.extra().is_some_and(continued)
    }
}

/// Whether a packet that failed may be one under the keys before.
const fn may_be_older(error: UnprotectError) -> bool {
    matches!(
        error,
        UnprotectError::AuthenticationFailed
            | UnprotectError::UnknownMki
            | UnprotectError::Replayed
            | UnprotectError::TooOld
            | UnprotectError::TooShort
    )
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("suite", &self.0.suite())
            .field("keys", &self.0.key_count())
            .field("sources", &self.0.source_count())
            .finish_non_exhaustive()
    }
}

impl Context<Received> {
    pub(crate) fn config(&self) -> ReceiverConfig {
        self.extra().and_then(|extra| extra.config).unwrap_or_default()
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn unprotect(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        if !self.is_usual() {
            return self.unprotect_unusual(buffer);
        }
        let cipher = self.cipher();
        let Some(parts) = self.usual().locate(cipher, buffer) else {
            return self.unprotect_unusual(buffer);
        };
        let (body, behind) = buffer.split_at_mut(parts.body);
        let framing = Framing { mki: &[], tag: self.rtp_framing().tag, encrypt: true };
        let received = behind.get(parts.tag..parts.tag + framing.tag.octets()).unwrap_or_default();
        if !packet::open_rtp(&self.rtp(0), framing, parts.place, body, received) {
            return Err(UnprotectError::AuthenticationFailed);
        }
        self.usual().remember(parts.place.index);
        Ok(parts.body)
    }

    /// Opens where something beyond the record may count, or the packet is refused.
    #[inline(never)]
    fn unprotect_unusual(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let located = self.locate(buffer)?;
        let framing = self.rtp_framing();
        let (body, behind) = buffer.split_at_mut(located.body);
        let received = behind.get(located.tag..located.tag + framing.tag.octets()).unwrap_or_default();
        let (index, mut otherwise) = self.indexes(&located)?;
        let mut place = Place { index, ..located.place() };
        loop {
            let refused = if let Err(error) = self.fresh(&located, place.index) {
                error
            } else {
                self.derive_rtp(located.key, place.index);
                if packet::open_rtp(&self.rtp(located.key), framing, place, body, received) {
                    self.remember(&located, place.index);
                    return Ok(located.body);
                }
                UnprotectError::AuthenticationFailed
            };
            place.index = otherwise.take().ok_or(refused)?;
        }
    }

    /// Finds the parts of a packet, its key and its source; changes nothing.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    fn locate(&self, packet: &[u8]) -> Result<Located, UnprotectError> {
        let header = Header::parse(packet)?;
        let (tag, mki) = (self.rtp_framing().tag, self.mki().len());
        let payload = packet.len() - header.length;
        let payload = payload.checked_sub(tag.octets() + mki).ok_or(UnprotectError::TooShort)?;
        if payload > KEY_STREAM_LIMIT {
            cold_path();
            return Err(UnprotectError::TooLong);
        }
        let key = self.key_of(packet, tag).ok_or(UnprotectError::UnknownMki)?;
        let source = self.find(header.ssrc);
        Ok(Located {
            index: 0,
            ssrc: header.ssrc.into(),
            header: header.length,
            sequence_number: header.sequence_number,
            key,
            source,
            body: header.length + payload,
            tag: if self.cipher() == Cipher::Galois { 0 } else { mki },
        })
    }

    /// The index of a packet, and another one it may have.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn indexes(&self, located: &Located) -> Result<(u64, Option<u64>), UnprotectError> {
        match located.source.and_then(|slot| self.source(slot)).and_then(Received::highest) {
            Some(highest) => match estimate(highest, located.sequence_number) {
                Estimate::Index(index) => Ok((index, None)),
                Estimate::Exhausted => Err(UnprotectError::KeyExpired),
            },
            None => self.first_indexes(located),
        }
    }

    /// The indexes that the first RTP packet of a source may have, the likeliest first.
    #[cold]
    fn first_indexes(&self, located: &Located) -> Result<(u64, Option<u64>), UnprotectError> {
        let config = self.config();
        if located.source.is_none() && self.source_count() >= config.max_sources {
            return Err(UnprotectError::TooManySources);
        }
        let (sequence, source) = (located.sequence_number, located.place().ssrc);
        if let Some(extra) = self.extra()
            && let Ok(at) = extra.continued.binary_search_by_key(&source, |(ssrc, _)| *ssrc)
            && let Some((_, highest)) = extra.continued.get(at)
        {
            let candidates = config.rollover_after_rekey.candidates(*highest, sequence);
            return candidates.ok_or(UnprotectError::KeyExpired);
        }
        let index = |roc: u32| (u64::from(roc) << 16) | u64::from(sequence);
        let after = config.initial_rollover.checked_add(1).filter(|_| config.recover_lost_wrap);
        Ok((index(config.initial_rollover), after.map(index)))
    }

    fn ring(&self, slot: Slot) -> Option<&Rings> {
        match slot {
            Slot::Record => None,
            Slot::Annex(at) => self.extra()?.rings.get(at),
        }
    }

    fn ring_mut(&mut self, slot: Slot) -> Option<&mut Rings> {
        match slot {
            Slot::Record => None,
            Slot::Annex(at) => self.extra_mut()?.rings.get_mut(at),
        }
    }

    /// Whether an index was not seen before. Without tags everyone can write one, and the list is of no use.
    #[inline]
    fn fresh(&self, located: &Located, index: u64) -> Result<(), UnprotectError> {
        let Some(slot) = located.source.filter(|_| self.authenticates_rtp()) else { return Ok(()) };
        let Some(source) = self.source(slot) else { return Ok(()) };
        match self.ring(slot) {
            None => source.rtp.check(source.highest(), index)?,
            Some(rings) => rings.rtp.check(source.highest(), index)?,
        }
        Ok(())
    }

    /// Remembers an authentic RTP packet.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn remember(&mut self, located: &Located, index: u64) {
        let slot = match located.source {
            Some(slot) => slot,
            None => self.insert_source(located.place().ssrc),
        };
        let Some(source) = self.source_mut(slot) else { return };
        let before = source.highest();
        source.rtp.mark(before, index);
        source.highest = before.map_or(index, |before| before.max(index));
        if let Some(rings) = self.ring_mut(slot) {
            rings.rtp.mark(before, index);
        }
        if before.is_none() {
            self.no_longer_continued(located.place().ssrc);
        }
    }

    #[cold]
    fn no_longer_continued(&mut self, ssrc: u32) {
        if let Some(extra) = self.extra_mut() {
            extra.continued.retain(|(continued, _)| *continued != ssrc);
        }
    }

    /// Takes a new source in; only authentic packets come here.
    #[cold]
    fn insert_source(&mut self, ssrc: u32) -> Slot {
        let slot = self.insert(Received {
            highest: NO_INDEX,
            rtp: Window::default(),
            rtcp: Window::default(),
            rtcp_highest: NO_RTCP_INDEX,
            ssrc,
        });
        if let Slot::Annex(at) = slot
            && let Some(extra) = self.extra_mut()
            && extra.window > 0
        {
            let ring = Ring::new(extra.window);
            extra.rings.insert(at, Rings { rtp: ring.clone(), rtcp: ring });
        }
        slot
    }

    /// Takes a source in as it was left: what may have been received before is not received again.
    pub(crate) fn restore(&mut self, ssrc: u32, highest: Option<u64>, rtcp_highest: Option<u32>) {
        let slot = self.find(ssrc).unwrap_or_else(|| self.insert_source(ssrc));
        let window = |known: bool| if known { Window::full() } else { Window::default() };
        if let Some(source) = self.source_mut(slot) {
            source.highest = highest.unwrap_or(NO_INDEX);
            source.rtcp_highest = rtcp_highest.unwrap_or(NO_RTCP_INDEX);
            source.rtp = window(highest.is_some());
            source.rtcp = window(rtcp_highest.is_some());
        }
        if let Some(rings) = self.ring_mut(slot) {
            if highest.is_some() {
                rings.rtp.fill();
            }
            if rtcp_highest.is_some() {
                rings.rtcp.fill();
            }
        }
    }

    fn unprotect_rtcp(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let ssrc = rtp::rtcp_ssrc(buffer)?;
        let framing = Framing { mki: self.mki(), ..self.rtcp_framing() };
        if buffer.len() < RTCP_HEADER + RTCP_INDEX + framing.mki.len() + framing.tag.octets() {
            return Err(UnprotectError::TooShort);
        }
        if buffer.len() > KEY_STREAM_LIMIT {
            return Err(UnprotectError::TooLong);
        }
        let key = self.key_of(buffer, framing.tag).ok_or(UnprotectError::UnknownMki)?;
        let found = self.find(ssrc);
        if found.is_none() && self.source_count() >= self.config().max_sources {
            return Err(UnprotectError::TooManySources);
        }
        let mut received = ReceivedRtcp::split(self.cipher(), framing, buffer);
        let (encrypted, index) = received.index();
        if let Some(slot) = found
            && let Some(source) = self.source(slot)
        {
            let highest = source.rtcp_highest().map(u64::from);
            match self.ring(slot) {
                None => source.rtcp.check(highest, index.into())?,
                Some(rings) => rings.rtcp.check(highest, index.into())?,
            }
        }
        let place = Place { ssrc, index: u64::from(index), header: RTCP_HEADER };
        let right = encrypted == framing.encrypt
            && self.with_rtcp(key, index, |session| received.open(session, framing, place));
        if !right {
            return Err(UnprotectError::AuthenticationFailed);
        }
        let length = received.length();
        let slot = found.unwrap_or_else(|| self.insert_source(ssrc));
        if let Some(source) = self.source_mut(slot) {
            let before = source.rtcp_highest();
            source.rtcp.mark(before.map(u64::from), index.into());
            source.rtcp_highest = before.map_or(index, |before| before.max(index));
            if let Some(rings) = self.ring_mut(slot) {
                rings.rtcp.mark(before.map(u64::from), index.into());
            }
        }
        Ok(length)
    }
}

/// A packet before its authentication: what it needs, and where its parts are.
///
/// In whole words: what was written in pieces would be read as one when it is moved, and reading would have to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    /// Once it is known.
    index: u64,
    ssrc: u64,
    header: usize,
    sequence_number: u16,
    key: KeyNumber,
    source: Option<Slot>,
    /// Octets before MKI and tag.
    pub(crate) body: usize,
    /// Where the tag stands behind them.
    tag: usize,
}

impl Located {
    #[inline]
    pub(crate) const fn place(&self) -> Place {
        Place { ssrc: self.ssrc as u32, index: self.index, header: self.header }
    }
}

impl From<HeaderError> for UnprotectError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::TooShort => Self::TooShort,
            HeaderError::Malformed => Self::Malformed,
        }
    }
}

impl From<ReplayError> for UnprotectError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Replayed => Self::Replayed,
            ReplayError::TooOld => Self::TooOld,
        }
    }
}
