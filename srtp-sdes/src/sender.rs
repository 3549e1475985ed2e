//! The sending side of a cryptographic context.

use core::fmt;

use crate::MasterKeyIdentifier;
use crate::agreed::{SenderKeys, Transform};
use crate::authentication::TagJob;
use crate::cipher::KEY_STREAM_LIMIT;
use crate::error::ProtectError;
use crate::lifetime::KeyLife;
use crate::master::KeyAtWork;
use crate::packet::{self, Place, RTCP_INDEX};
use crate::packet_index::{Estimate, estimate};
use crate::replay::{ReplayError, ReplayList};
use crate::rtp::{self, Header, HeaderError, RTCP_HEADER};
use crate::scrub::scrubbed;
use crate::suite::Cipher;

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
/// RFC 3711 3.2.3, 3.3, 3.4
#[derive(Clone)]
pub struct Sender {
    transform: Transform,
    config: SenderConfig,
    keys: Vec<KeyAtWork>,
    active: usize,
    pub(crate) sources: Vec<Source>,
}

/// A packet between encryption and authentication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted {
    pub(crate) place: Place,
}

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    /// The indexes that were protected; none is protected twice.
    pub(crate) sent: ReplayList,
    pub(crate) next_rtcp: u32,
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
        let transform = keys.0.transform;
        let keys = scrubbed(|| KeyAtWork::of_sender(&keys.0));
        Self { transform, config, keys, active: 0, sources: Vec::with_capacity(1) }
    }

    /// Protects the RTP packet in `buffer[..length]` in place and returns its new length; MKI and tag go behind it.
    ///
    /// RFC 3711 3.3, RFC 7714 9
    #[inline]
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, ProtectError> {
        let encrypted = self.encrypt(buffer, length)?;
        let tag = match self.keys.get(self.active) {
            Some(key) if self.transform.authenticate_rtp => {
                let (body, _) = buffer.split_at(length);
                packet::rtp_tag(key.rtp_keys(), encrypted.place, body, self.transform.encrypt_rtp)
            }
            _ => [0; 20],
        };
        Ok(self.finish(&tag, buffer, length))
    }

    /// The first half of [`Self::protect`]: everything that may fail, and the encryption.
    #[inline]
    pub(crate) fn encrypt(&mut self, buffer: &mut [u8], length: usize) -> Result<Encrypted, ProtectError> {
        let room = buffer.len().checked_sub(length).ok_or(ProtectError::NoRoom)?;
        let (body, _) = buffer.split_at_mut(length);
        let header = Header::parse(body)?;
        if length - header.length > KEY_STREAM_LIMIT {
            return Err(ProtectError::TooLong);
        }
        let key = self.keys.get_mut(self.active).ok_or(ProtectError::KeyExpired)?;
        if key.mki.len() + self.transform.rtp_tag() > room {
            return Err(ProtectError::NoRoom);
        }
        if key.counters.srtp_expired() {
            return Err(ProtectError::KeyExpired);
        }
        let known = self.sources.iter().position(|source| source.ssrc == header.ssrc);
        let sent = known.and_then(|at| self.sources.get(at)).map(|source| &source.sent);
        let index = next_index(sent, &self.config, header.sequence_number)?;
        let source = source_at(&mut self.sources, known, header.ssrc, &self.config)?;
        source.sent.mark(index);
        key.counters.count_srtp();
        key.derive_rtp(&self.transform, index);
        let place = Place { ssrc: header.ssrc, index, header: header.length };
        if self.transform.encrypt_rtp {
            packet::apply_rtp(key.rtp_keys(), place, body);
        }
        Ok(Encrypted { place })
    }

    /// The authentication of the packet that was just encrypted, for those who compute many tags at once.
    #[inline]
    pub(crate) fn tag_job<'a>(&'a self, encrypted: Encrypted, body: &'a [u8]) -> Option<TagJob<'a>> {
        let key = self.keys.get(self.active).filter(|_| self.transform.authenticate_rtp)?;
        let authentication = key.rtp_keys().authentication()?;
        Some(TagJob { key: authentication, message: body, suffix: encrypted.place.roc() })
    }

    /// Whether the packets' tags can be computed together with those of others.
    #[inline]
    pub(crate) const fn has_tag_jobs(&self) -> bool {
        self.transform.authenticate_rtp && !matches!(self.transform.suite.cipher(), Cipher::Galois)
    }

    /// The second half of [`Self::protect`]: MKI and tag.
    #[inline]
    pub(crate) fn finish(&self, tag: &[u8; 20], buffer: &mut [u8], length: usize) -> usize {
        let (tag, _) = tag.split_at(self.transform.rtp_tag());
        let mki = self.keys.get(self.active).map_or(&[][..], |key| &key.mki);
        match self.transform.suite.cipher() {
            Cipher::Galois => packet::append(buffer, length, [tag, mki, &[]]),
            _ => packet::append(buffer, length, [mki, tag, &[]]),
        }
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
        let key = self.keys.get_mut(self.active).ok_or(ProtectError::KeyExpired)?;
        let room = RTCP_INDEX + key.mki.len() + self.transform.suite.rtcp_tag_length();
        if room > buffer.len() - length {
            return Err(ProtectError::NoRoom);
        }
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let source = source_at(&mut self.sources, known, ssrc, &self.config)?;
        let index = source.next_rtcp;
        if index >= packet::ENCRYPTED || key.counters.srtcp_expired() {
            return Err(ProtectError::KeyExpired);
        }
        let place = Place { ssrc, index: u64::from(index), header: RTCP_HEADER };
        let mki = core::mem::take(&mut key.mki);
        let framing = self.transform.rtcp_framing(&mki);
        let keys = key.rtcp(&self.transform, index);
        let protected = packet::protect_rtcp(keys, framing, place, buffer, length);
        key.mki = mki;
        source.next_rtcp += 1;
        key.counters.count_srtcp();
        Ok(protected)
    }

    /// Protects with another of the line's keys from now on; false if there is none with this MKI. Indexes go on.
    ///
    /// RFC 3711 3.2.2, 8.1
    pub fn select_key(&mut self, mki: &MasterKeyIdentifier) -> bool {
        let found = self.keys.iter().position(|key| *key.mki == *mki.as_bytes());
        self.active = found.unwrap_or(self.active);
        found.is_some()
    }

    pub(crate) const fn config(&self) -> SenderConfig {
        self.config
    }

    /// How much of the active key's lifetime is left.
    ///
    /// RFC 3711 9.2
    pub fn key_life(&self) -> KeyLife {
        self.keys.get(self.active).map_or(KeyLife::Expired, |key| key.counters.life())
    }

    /// Octets by which a packet may grow at most; of RTP and RTCP the larger number.
    ///
    /// RFC 3711 3.1, 3.4
    pub fn overhead(&self) -> usize {
        let mki = self.keys.iter().map(|key| key.mki.len()).max().unwrap_or_default();
        let rtcp = RTCP_INDEX + self.transform.suite.rtcp_tag_length();
        mki + self.transform.rtp_tag().max(rtcp)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("suite", &self.transform.suite)
            .field("keys", &self.keys.len())
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}

/// The index of a packet of ours, if it may be protected.
#[inline]
fn next_index(sent: Option<&ReplayList>, config: &SenderConfig, sequence: u16) -> Result<u64, ProtectError> {
    let Some((sent, highest)) = sent.and_then(|sent| Some((sent, sent.highest()?))) else {
        return Ok((u64::from(config.initial_rollover) << 16) | u64::from(sequence));
    };
    let Estimate::Index(index) = estimate(highest, sequence) else { return Err(ProtectError::KeyExpired) };
    sent.check(index)?;
    Ok(index)
}

/// The state of a source, made if it is new.
#[inline]
fn source_at<'a>(
    sources: &'a mut Vec<Source>,
    known: Option<usize>,
    ssrc: u32,
    config: &SenderConfig,
) -> Result<&'a mut Source, ProtectError> {
    let position = known.unwrap_or(sources.len());
    if known.is_none() {
        if position >= config.max_sources {
            return Err(ProtectError::TooManySources);
        }
        sources.push(Source { ssrc, sent: ReplayList::new(0), next_rtcp: config.initial_rtcp_index });
    }
    sources.get_mut(position).ok_or(ProtectError::TooManySources)
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
