//! The receiving side of a cryptographic context.

use core::fmt;

use crate::agreed::{ReceiverKeys, Transform};
use crate::cipher::KEY_STREAM_LIMIT;
use crate::error::UnprotectError;
use crate::master::KeyAtWork;
use crate::packet::{Framing, Place, RTCP_INDEX, Received, ReceivedRtcp};
use crate::packet_index::{Estimate, estimate};
use crate::rekey::RolloverAfterRekey;
use crate::replay::{ReplayError, ReplayList};
use crate::rtp::{self, Header, HeaderError, RTCP_HEADER};
use crate::scrub::scrubbed;
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
            max_sources: 64,
            recover_lost_wrap: false,
            rollover_after_rekey: RolloverAfterRekey::Either,
        }
    }
}

/// Checks and opens the packets of one direction; keeps the state of every synchronisation source that was ever authentic.
///
/// RFC 3711 3.2.3, 3.3, 3.4
#[derive(Clone)]
pub struct Receiver {
    pub(crate) config: ReceiverConfig,
    pub(crate) current: Context,
    /// The context before the last change of keys, while packets under the old keys are on their way.
    pub(crate) previous: Option<Box<Context>>,
}

/// The keys of one agreement and the sources seen under them.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) transform: Transform,
    keys: Vec<KeyAtWork>,
    pub(crate) sources: Vec<Source>,
}

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    pub(crate) rtp: ReplayList,
    pub(crate) rtcp: ReplayList,
    /// The highest index under the keys before, until a packet tells how the counter went on.
    pub(crate) continued: Option<u64>,
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
    pub fn with_config(keys: ReceiverKeys, config: ReceiverConfig) -> Self {
        Self { config, current: Context::new(keys), previous: None }
    }

    /// Checks and decrypts the SRTP packet in place; the plain packet stands in `buffer[..result]`. After an error the
    /// buffer is as it was.
    ///
    /// RFC 3711 3.3, RFC 7714 10
    #[inline]
    pub fn unprotect(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let result = self.current.unprotect(&self.config, buffer);
        match (result, &mut self.previous) {
            (Err(error), Some(previous)) if may_be_older(error) => {
                previous.unprotect(&self.config, buffer).map_err(|_| error)
            }
            (result, _) => result,
        }
    }

    /// Checks and decrypts the SRTCP packet in place; the plain packet stands in `buffer[..result]`. After an error the
    /// buffer is as it was.
    ///
    /// RFC 3711 3.4, RFC 7714 10
    pub fn unprotect_rtcp(&mut self, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let result = self.current.unprotect_rtcp(&self.config, buffer);
        match (result, &mut self.previous) {
            (Err(error), Some(previous)) if may_be_older(error) => {
                previous.unprotect_rtcp(&self.config, buffer).map_err(|_| error)
            }
            (result, _) => result,
        }
    }

    /// Whether an authentic packet of this source was received; if it is a source of our own, that one must change.
    ///
    /// RFC 3711 9.1, RFC 3550 8.2
    pub fn has_source(&self, ssrc: u32) -> bool {
        self.current.sources.iter().any(|source| source.ssrc == ssrc)
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
            .field("suite", &self.current.transform.suite)
            .field("keys", &self.current.keys.len())
            .field("sources", &self.current.sources.len())
            .finish_non_exhaustive()
    }
}

impl Context {
    #[expect(clippy::needless_pass_by_value, reason = "the keys are consumed so that no copy stays behind")]
    pub(crate) fn new(keys: ReceiverKeys) -> Self {
        let transform = keys.0.transform;
        let keys = scrubbed(|| KeyAtWork::of_receiver(&keys.0));
        Self { transform, keys, sources: Vec::with_capacity(1) }
    }

    #[inline]
    fn unprotect(&mut self, config: &ReceiverConfig, buffer: &mut [u8]) -> Result<usize, UnprotectError> {
        let header = Header::parse(buffer)?;
        let tag = self.transform.rtp_tag();
        let mki = self.keys.first().map_or(0, |key| key.mki.len());
        let room = buffer.len() - header.length;
        if room < tag + mki {
            return Err(UnprotectError::TooShort);
        }
        if room - tag - mki > KEY_STREAM_LIMIT {
            return Err(UnprotectError::TooLong);
        }
        let key = choose_key(&mut self.keys, &self.transform, buffer, mki, tag)?;
        if key.counters.srtp_expired() {
            return Err(UnprotectError::KeyExpired);
        }
        let known = self.sources.iter().position(|source| source.ssrc == header.ssrc);
        let full = known.is_none() && self.sources.len() >= config.max_sources;
        let source = known.and_then(|at| self.sources.get(at));
        let list = source.map(|source| &source.rtp);
        let continued = source.and_then(|source| source.continued);
        let candidates = candidates(list, continued, config, header.sequence_number);

        let mut refused = UnprotectError::KeyExpired;
        let framing = self.transform.rtp_framing(&[]);
        let mki = core::mem::take(&mut key.mki);
        let framing = Framing { mki: &mki, ..framing };
        let mut opened = None;
        for index in candidates.into_iter().flatten() {
            if let (Some(list), true) = (list, framing.tag > 0)
                && let Err(error) = list.check(index)
            {
                refused = error.into();
                continue;
            }
            let place = Place { ssrc: header.ssrc, index, header: header.length };
            let keys = key.rtp(&self.transform, index);
            let mut received = Received::split(keys, framing, buffer);
            if received.rtp_is_authentic(keys, framing, place) {
                if full {
                    refused = UnprotectError::TooManySources;
                    break;
                }
                received.decrypt_rtp(keys, framing, place);
                opened = Some((index, received.length()));
                break;
            }
            refused = UnprotectError::AuthenticationFailed;
        }
        key.mki = mki;
        let (index, length) = opened.ok_or(refused)?;
        key.counters.count_srtp();
        if let Some(source) = source_at(&mut self.sources, known, header.ssrc, &self.transform) {
            source.rtp.mark(index);
            source.continued = None;
        }
        Ok(length)
    }

    fn unprotect_rtcp(
        &mut self,
        config: &ReceiverConfig,
        buffer: &mut [u8],
    ) -> Result<usize, UnprotectError> {
        let ssrc = rtp::rtcp_ssrc(buffer)?;
        let tag = self.transform.suite.rtcp_tag_length();
        let mki = self.keys.first().map_or(0, |key| key.mki.len());
        if buffer.len() < RTCP_HEADER + RTCP_INDEX + mki + tag {
            return Err(UnprotectError::TooShort);
        }
        if buffer.len() > KEY_STREAM_LIMIT {
            return Err(UnprotectError::TooLong);
        }
        let key = choose_key(&mut self.keys, &self.transform, buffer, mki, tag)?;
        if key.counters.srtcp_expired() {
            return Err(UnprotectError::KeyExpired);
        }
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let full = known.is_none() && self.sources.len() >= config.max_sources;
        let list = known.and_then(|at| self.sources.get(at)).map(|source| &source.rtcp);

        let mki = core::mem::take(&mut key.mki);
        let framing = self.transform.rtcp_framing(&mki);
        let opened = open_rtcp(key, &self.transform, framing, list, ssrc, full, buffer);
        key.mki = mki;
        let (index, length) = opened?;
        key.counters.count_srtcp();
        if let Some(source) = source_at(&mut self.sources, known, ssrc, &self.transform) {
            source.rtcp.mark(u64::from(index));
        }
        Ok(length)
    }
}

/// The key whose MKI the packet carries.
#[inline]
fn choose_key<'a>(
    keys: &'a mut [KeyAtWork],
    transform: &Transform,
    packet: &[u8],
    mki: usize,
    tag: usize,
) -> Result<&'a mut KeyAtWork, UnprotectError> {
    let behind = if transform.suite.cipher() == Cipher::Galois { 0 } else { tag };
    let end = packet.len().saturating_sub(behind);
    let mki = packet.get(end.saturating_sub(mki)..end).unwrap_or_default();
    keys.iter_mut().find(|key| *key.mki == *mki).ok_or(UnprotectError::UnknownMki)
}

/// The indexes a packet may have, the likeliest first.
#[inline]
fn candidates(
    list: Option<&ReplayList>,
    continued: Option<u64>,
    config: &ReceiverConfig,
    sequence: u16,
) -> [Option<u64>; 2] {
    let Some(highest) = list.and_then(ReplayList::highest) else {
        if let Some(highest) = continued {
            return config.rollover_after_rekey.candidates(highest, sequence);
        }
        let index = |roc: u32| (u64::from(roc) << 16) | u64::from(sequence);
        let after = config.initial_rollover.checked_add(1).filter(|_| config.recover_lost_wrap);
        return [Some(index(config.initial_rollover)), after.map(index)];
    };
    match estimate(highest, sequence) {
        Estimate::Index(index) => [Some(index), None],
        Estimate::Exhausted => [None, None],
    }
}

fn open_rtcp(
    key: &mut KeyAtWork,
    transform: &Transform,
    framing: Framing<'_>,
    list: Option<&ReplayList>,
    ssrc: u32,
    full: bool,
    buffer: &mut [u8],
) -> Result<(u32, usize), UnprotectError> {
    // The index stands in the packet; the keys may depend on it, its place on the kind of keys alone.
    let (encrypted, index) = ReceivedRtcp::split(key.rtcp(transform, 0), framing, buffer).index();
    if let Some(list) = list {
        list.check(u64::from(index))?;
    }
    let place = Place { ssrc, index: u64::from(index), header: RTCP_HEADER };
    let keys = key.rtcp(transform, index);
    let mut received = ReceivedRtcp::split(keys, framing, buffer);
    if encrypted != framing.encrypt || !received.is_authentic(keys, framing, place) {
        return Err(UnprotectError::AuthenticationFailed);
    }
    if full {
        return Err(UnprotectError::TooManySources);
    }
    received.decrypt(keys, framing, place);
    Ok((index, received.length()))
}

/// The state of a source, made if it is new; only authentic packets come here.
#[inline]
fn source_at<'a>(
    sources: &'a mut Vec<Source>,
    known: Option<usize>,
    ssrc: u32,
    transform: &Transform,
) -> Option<&'a mut Source> {
    let position = known.unwrap_or(sources.len());
    if known.is_none() {
        let list = ReplayList::new(transform.replay_window);
        sources.push(Source { ssrc, rtp: list.clone(), rtcp: list, continued: None });
    }
    sources.get_mut(position)
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
