//! The receiving side of a cryptographic context.

use core::fmt;
use core::ops::Range;

use crate::agreed::{ReceiverKeys, Transform};
use crate::authentication::{TagJob, tags_agree};
use crate::cipher::KEY_STREAM_LIMIT;
use crate::error::UnprotectError;
use crate::master::KeyAtWork;
use crate::packet::{self, Framing, Place, RTCP_INDEX, ReceivedRtcp};
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
            max_sources: 256,
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

    /// Finds a packet's place for a batch: where it has one index only, one context, and a tag of HMAC-SHA1.
    #[inline]
    pub(crate) fn locate_one(&mut self, packet: &[u8]) -> Option<(Located, u64)> {
        let context = &mut self.current;
        if self.previous.is_some()
            || !context.transform.authenticate_rtp
            || context.transform.suite.cipher() == Cipher::Galois
        {
            return None;
        }
        let located = context.locate(&self.config, packet).ok()?;
        let [Some(index), None] = located.candidates else { return None };
        context.fresh(&located, index).ok()?;
        context.keys.get_mut(located.key)?.derive_rtp(&context.transform, index);
        Some((located, index))
    }

    #[inline]
    pub(crate) fn tag_job<'a>(
        &'a self,
        located: &Located,
        index: u64,
        packet: &'a [u8],
    ) -> Option<TagJob<'a>> {
        self.current.tag_job(located, index, packet)
    }

    #[inline]
    pub(crate) fn accept(
        &mut self,
        located: &Located,
        index: u64,
        packet: &mut [u8],
    ) -> Result<usize, UnprotectError> {
        self.current.accept(located, index, packet)
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
        let located = self.locate(config, buffer)?;
        let mut refused = UnprotectError::KeyExpired;
        for index in located.candidates.into_iter().flatten() {
            match self.fresh(&located, index) {
                Err(error) => refused = error,
                Ok(()) if self.is_authentic(&located, index, buffer) => {
                    return self.accept(&located, index, buffer);
                }
                Ok(()) => refused = UnprotectError::AuthenticationFailed,
            }
        }
        Err(refused)
    }

    /// Finds key, source and possible indexes of a packet; changes nothing.
    #[inline]
    pub(crate) fn locate(&self, config: &ReceiverConfig, packet: &[u8]) -> Result<Located, UnprotectError> {
        let header = Header::parse(packet)?;
        let tag = self.transform.rtp_tag();
        let mki = self.keys.first().map_or(0, |key| key.mki.len());
        let payload = packet.len() - header.length;
        let payload = payload.checked_sub(tag + mki).ok_or(UnprotectError::TooShort)?;
        if payload > KEY_STREAM_LIMIT {
            return Err(UnprotectError::TooLong);
        }
        let key = choose_key(&self.keys, &self.transform, packet, mki, tag)?;
        if self.keys.get(key).is_some_and(|key| key.counters.srtp_expired()) {
            return Err(UnprotectError::KeyExpired);
        }
        let source = self.sources.iter().position(|source| source.ssrc == header.ssrc);
        let body = header.length + payload;
        let tag_at = if self.transform.suite.cipher() == Cipher::Galois { body } else { body + mki };
        Ok(Located {
            header,
            key,
            source,
            full: source.is_none() && self.sources.len() >= config.max_sources,
            candidates: candidates(
                source.and_then(|at| self.sources.get(at)),
                config,
                header.sequence_number,
            ),
            body,
            tag: tag_at..tag_at + tag,
        })
    }

    /// Whether an index was not seen before. Without tags everyone can write one, and the list is of no use.
    #[inline]
    pub(crate) fn fresh(&self, located: &Located, index: u64) -> Result<(), UnprotectError> {
        match located.source.and_then(|at| self.sources.get(at)) {
            Some(source) if self.transform.authenticate_rtp => Ok(source.rtp.check(index)?),
            _ => Ok(()),
        }
    }

    #[inline]
    fn is_authentic(&mut self, located: &Located, index: u64, packet: &[u8]) -> bool {
        if !self.transform.authenticate_rtp {
            return true;
        }
        let Some(key) = self.keys.get_mut(located.key) else { return false };
        key.derive_rtp(&self.transform, index);
        let (body, _) = packet.split_at(located.body);
        let tag = packet::rtp_tag(key.rtp_keys(), located.place(index), body, self.transform.encrypt_rtp);
        tags_agree(packet.get(located.tag.clone()).unwrap_or_default(), &tag)
    }

    /// The authentication of a packet, for those who compute many tags at once.
    #[inline]
    pub(crate) fn tag_job<'a>(
        &'a self,
        located: &Located,
        index: u64,
        packet: &'a [u8],
    ) -> Option<TagJob<'a>> {
        let key = self.keys.get(located.key).filter(|_| self.transform.authenticate_rtp)?;
        let authentication = key.rtp_keys().authentication()?;
        Some(TagJob {
            key: authentication,
            message: packet.get(..located.body)?,
            suffix: located.place(index).roc(),
        })
    }

    /// Decrypts an authentic packet and remembers it.
    #[inline]
    pub(crate) fn accept(
        &mut self,
        located: &Located,
        index: u64,
        packet: &mut [u8],
    ) -> Result<usize, UnprotectError> {
        if located.full {
            return Err(UnprotectError::TooManySources);
        }
        let key = self.keys.get_mut(located.key).ok_or(UnprotectError::UnknownMki)?;
        key.derive_rtp(&self.transform, index);
        if self.transform.encrypt_rtp {
            let (body, _) = packet.split_at_mut(located.body);
            packet::apply_rtp(key.rtp_keys(), located.place(index), body);
        }
        key.counters.count_srtp();
        if let Some(source) =
            source_at(&mut self.sources, located.source, located.header.ssrc, &self.transform)
        {
            source.rtp.mark(index);
            source.continued = None;
        }
        Ok(located.body)
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
        let key = choose_key(&self.keys, &self.transform, buffer, mki, tag)?;
        let key = self.keys.get_mut(key).ok_or(UnprotectError::UnknownMki)?;
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

/// A packet before its authentication: what it needs, and where its parts are.
pub(crate) struct Located {
    header: Header,
    key: usize,
    source: Option<usize>,
    full: bool,
    pub(crate) candidates: [Option<u64>; 2],
    /// Octets before MKI and tag.
    body: usize,
    pub(crate) tag: Range<usize>,
}

impl Located {
    const fn place(&self, index: u64) -> Place {
        Place { ssrc: self.header.ssrc, index, header: self.header.length }
    }
}

/// The key whose MKI the packet carries.
#[inline]
fn choose_key(
    keys: &[KeyAtWork],
    transform: &Transform,
    packet: &[u8],
    mki: usize,
    tag: usize,
) -> Result<usize, UnprotectError> {
    if mki == 0 {
        return Ok(0);
    }
    let behind = if transform.suite.cipher() == Cipher::Galois { 0 } else { tag };
    let end = packet.len().saturating_sub(behind);
    let mki = packet.get(end.saturating_sub(mki)..end).unwrap_or_default();
    keys.iter().position(|key| *key.mki == *mki).ok_or(UnprotectError::UnknownMki)
}

/// The indexes a packet may have, the likeliest first.
#[inline]
fn candidates(source: Option<&Source>, config: &ReceiverConfig, sequence: u16) -> [Option<u64>; 2] {
    let Some(highest) = source.and_then(|source| source.rtp.highest()) else {
        if let Some(highest) = source.and_then(|source| source.continued) {
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
    let (encrypted, index) = ReceivedRtcp::split(transform.suite.cipher(), framing, buffer).index();
    if let Some(list) = list {
        list.check(u64::from(index))?;
    }
    let place = Place { ssrc, index: u64::from(index), header: RTCP_HEADER };
    let keys = key.rtcp(transform, index);
    let mut received = ReceivedRtcp::split(transform.suite.cipher(), framing, buffer);
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
