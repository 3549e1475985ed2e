//! The sending side of a cryptographic context.

use core::fmt;
use core::hint::cold_path;

use crate::agreed::SenderKeys;
use crate::authentication::AuthenticationKey;
use crate::cipher::KEY_STREAM_LIMIT;
use crate::context::{Context, Slot, Source};
use crate::error::ProtectError;
use crate::lifetime::{KeyLife, PacketCounters};
use crate::packet::{self, Framing, Place, RTCP_INDEX};
use crate::packet_index::{Estimate, estimate};
use crate::replay::{ReplayError, Window};
use crate::rtp::{self, Header, HeaderError, RTCP_HEADER};
use crate::simd::Tag;
use crate::suite::Cipher;
use crate::{KeyParameter, MasterKeyIdentifier};

/// The settings of a sender.
///
/// RFC 3711 3.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderConfig {
    /// Roll-over counter of the first packet of each synchronisation source.
    pub initial_rollover: u32,
    /// Index of the first RTCP packet of each synchronisation source.
    pub initial_rtcp_index: u32,
    /// How many synchronisation sources the context keeps.
    pub max_sources: usize,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self { initial_rollover: 0, initial_rtcp_index: 0, max_sources: 256 }
    }
}

/// Protects the packets of one direction; keeps the state of every synchronisation source.
///
/// With one source and a key of AES-128 in counter mode it takes 320 octets, itself included, and no packet costs an allocation.
///
/// RFC 3711 3.2.3, 3.3, 3.4
pub struct Sender(pub(crate) Box<Context<Sent>>);

impl Clone for Sender {
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// What is known of a source of ours.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    pub(crate) highest: u64,
    /// The indexes that were protected; none is protected twice.
    pub(crate) window: Window,
    pub(crate) ssrc: u32,
    pub(crate) next_rtcp: u32,
}

/// No RTP packet was sent yet.
pub(crate) const NOTHING_SENT: u64 = u64::MAX;

impl Sent {
    #[inline]
    pub(crate) fn highest(&self) -> Option<u64> {
        Some(self.highest).filter(|highest| *highest != NOTHING_SENT)
    }
}

impl Source for Sent {
    type Counters = PacketCounters;
    type Extra = Option<SenderConfig>;

    #[inline]
    fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Each key ends with its own lifetime.
    fn counters(parameter: &KeyParameter) -> PacketCounters {
        PacketCounters::new(parameter.lifetime.as_ref())
    }
}

impl Sender {
    /// A sender with the usual settings.
    ///
    /// RFC 3711 3.3.1
    pub fn new(keys: SenderKeys) -> Self {
        Self::with_config(keys, SenderConfig::default())
    }

    /// A sender with settings.
    ///
    /// RFC 3711 3.3.1
    #[expect(clippy::needless_pass_by_value, reason = "the keys are consumed so that no copy stays behind")]
    pub fn with_config(keys: SenderKeys, config: SenderConfig) -> Self {
        let mut context = Context::<Sent>::new(&keys.0);
        if config != SenderConfig::default() {
            context.annex_mut().extra = Some(config);
        }
        Self(context)
    }

    pub(crate) fn config(&self) -> SenderConfig {
        self.0.extra().copied().flatten().unwrap_or_default()
    }

    /// Protects the RTP packet in `buffer[..length]` in place and returns its new length; MKI and tag go behind it.
    ///
    /// RFC 3711 3.3, RFC 7714 9
    #[inline]
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, ProtectError> {
        if !self.0.is_usual() {
            return self.protect_unusual(buffer, length);
        }
        let Some(place) = self.0.usual().admit(buffer, length) else {
            return self.protect_unusual(buffer, length);
        };
        let (body, behind) = buffer.split_at_mut(length);
        let cipher = self.0.cipher();
        let framing = Framing { mki: &[], tag: self.0.rtp_framing().tag, encrypt: true };
        let tag = packet::seal_rtp(&self.0.rtp(0), framing, place, body);
        Ok(length + packet::finish_rtp(cipher, self.0.usual().framing(), &tag, behind))
    }

    /// Protects where something beyond the record may count, or the packet is refused.
    #[inline(never)]
    fn protect_unusual(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, ProtectError> {
        let place = self.admit(buffer, length)?;
        let (body, behind) = buffer.split_at_mut(length);
        let tag = packet::seal_rtp(&self.0.rtp(0), self.0.rtp_framing(), place, body);
        Ok(length + self.finish(&tag, behind))
    }

    /// Everything that may fail; the index counts as used from here on.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn admit(&mut self, buffer: &[u8], length: usize) -> Result<Place, ProtectError> {
        let body = buffer.get(..length).ok_or(ProtectError::NoRoom)?;
        let header = Header::parse(body)?;
        if length - header.length > KEY_STREAM_LIMIT {
            cold_path();
            return Err(ProtectError::TooLong);
        }
        let context = &mut *self.0;
        if context.mki().len() + context.rtp_framing().tag.octets() > buffer.len() - length {
            cold_path();
            return Err(ProtectError::NoRoom);
        }
        if context.counters.srtp_expired() {
            cold_path();
            return Err(ProtectError::KeyExpired);
        }
        let found = context.find(header.ssrc);
        let sequence = header.sequence_number;
        let index = match found.and_then(|slot| context.source(slot)) {
            Some(source) if source.highest != NOTHING_SENT => next_index(source, sequence)?,
            _ => {
                cold_path();
                (u64::from(self.config().initial_rollover) << 16) | u64::from(sequence)
            }
        };
        let source = self.source_mut(found, header.ssrc)?;
        let before = source.highest();
        source.window.mark(before, index);
        source.highest = before.map_or(index, |before| before.max(index));
        let context = &mut *self.0;
        context.counters.count_srtp();
        context.derive_rtp(0, index);
        Ok(Place { ssrc: header.ssrc, index, header: header.length })
    }

    /// The encryption of a packet that was admitted to a batch.
    #[inline]
    pub(crate) fn encrypt(&self, place: Place, body: &mut [u8]) {
        if self.0.rtp_framing().encrypt {
            packet::apply_rtp(&self.0.rtp(0), place, body);
        }
    }

    /// The authentication key, where the packets' tags can be computed together with those of others.
    #[inline]
    pub(crate) fn tag_key(&self) -> &AuthenticationKey {
        self.0.authentication(0)
    }

    /// Whether the packets' tags can be computed together with those of others.
    #[inline]
    pub(crate) const fn has_tag_jobs(&self) -> bool {
        self.0.authenticates_rtp() && !matches!(self.0.cipher(), Cipher::Galois)
    }

    /// The second half of [`Self::protect`]: MKI and tag; how many octets they are.
    #[inline]
    pub(crate) fn finish(&self, tag: &Tag, behind: &mut [u8]) -> usize {
        let framing = Framing { mki: self.0.mki(), ..self.0.rtp_framing() };
        packet::finish_rtp(self.0.cipher(), framing, tag, behind)
    }

    /// Protects the compound RTCP packet in `buffer[..length]` in place and returns its new length.
    ///
    /// RFC 3711 3.4, RFC 7714 9
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, ProtectError> {
        let packet = buffer.get(..length).ok_or(ProtectError::NoRoom)?;
        let ssrc = rtp::rtcp_ssrc(packet)?;
        if length > KEY_STREAM_LIMIT {
            return Err(ProtectError::TooLong);
        }
        let framing = self.0.rtcp_framing();
        if RTCP_INDEX + self.0.mki().len() + framing.tag.octets() > buffer.len() - length {
            return Err(ProtectError::NoRoom);
        }
        let expired = self.0.counters.srtcp_expired();
        let found = self.0.find(ssrc);
        let source = self.source_mut(found, ssrc)?;
        let index = source.next_rtcp;
        if index >= packet::ENCRYPTED || expired {
            return Err(ProtectError::KeyExpired);
        }
        source.next_rtcp += 1;
        let context = &mut *self.0;
        context.counters.count_srtcp();
        let place = Place { ssrc, index: u64::from(index), header: RTCP_HEADER };
        let framing = Framing { mki: context.mki(), ..framing };
        Ok(context
            .with_rtcp(0, index, |session| packet::protect_rtcp(session, framing, place, buffer, length)))
    }

    /// The state of a source, made if it is new.
    #[inline]
    fn source_mut(&mut self, found: Option<Slot>, ssrc: u32) -> Result<&mut Sent, ProtectError> {
        let slot = match found {
            Some(slot) => slot,
            None => self.insert(ssrc)?,
        };
        self.0.source_mut(slot).ok_or(ProtectError::TooManySources)
    }

    #[cold]
    fn insert(&mut self, ssrc: u32) -> Result<Slot, ProtectError> {
        let config = self.config();
        if self.0.source_count() >= config.max_sources {
            return Err(ProtectError::TooManySources);
        }
        let next_rtcp = config.initial_rtcp_index;
        Ok(self.0.insert(Sent { highest: NOTHING_SENT, window: Window::default(), ssrc, next_rtcp }))
    }

    /// Protects with another of the line's keys from now on; false if there is none with this MKI. Indexes go on.
    ///
    /// RFC 3711 3.2.2, 8.1
    pub fn select_key(&mut self, mki: &MasterKeyIdentifier) -> bool {
        self.0.select_key(mki.as_bytes())
    }

    /// How much of the active key's lifetime is left.
    ///
    /// RFC 3711 9.2
    pub fn key_life(&self) -> KeyLife {
        self.0.counters.life()
    }

    /// Octets by which a packet may grow at most; of RTP and RTCP the larger number.
    ///
    /// RFC 3711 3.1, 3.4
    pub fn overhead(&self) -> usize {
        let rtcp = RTCP_INDEX + self.0.rtcp_framing().tag.octets();
        self.0.mki().len() + self.0.rtp_framing().tag.octets().max(rtcp)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("suite", &self.0.suite())
            .field("keys", &self.0.key_count())
            .field("sources", &self.0.source_count())
            .finish_non_exhaustive()
    }
}

/// The index of a further packet of a source, if it may be protected.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
pub(crate) fn next_index(source: &Sent, sequence: u16) -> Result<u64, ProtectError> {
    let Estimate::Index(index) = estimate(source.highest, sequence) else {
        cold_path();
        return Err(ProtectError::KeyExpired);
    };
    source.window.check(Some(source.highest), index)?;
    Ok(index)
}

impl From<HeaderError> for ProtectError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::TooShort => Self::TooShort,
            HeaderError::Malformed => Self::Malformed,
        }
    }
}

impl From<ReplayError> for ProtectError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Replayed => Self::Replayed,
            ReplayError::TooOld => Self::TooOld,
        }
    }
}
