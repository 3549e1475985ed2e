//! What both directions have in common: keys, sources, and where they are kept.

use core::hint::cold_path;

use crate::agreed::{KeySet, Transform};
use crate::authentication::{AuthenticationKey, TagLength};
use crate::packet::Framing;
use crate::scrub::scrubbed;
use crate::session::{Further, Session, SessionKeys};
use crate::simd::Processor;
use crate::suite::Cipher;
use crate::usual::Usual;
use crate::{CryptoSuite, KeyParameter};

/// The state of a synchronisation source in one direction.
pub(crate) trait Source: Clone + Default {
    /// What is counted of a master key.
    type Counters: Clone;
    /// What few contexts of the direction need.
    type Extra: Clone + Default;

    fn ssrc(&self) -> u32;
    fn counters(parameter: &KeyParameter) -> Self::Counters;
}

/// A cryptographic context: one flat record of 312 octets for the usual stream, which has one source, one key of AES-128 in
/// counter mode, an MKI of up to four octets and a replay list of 128. What goes beyond stands in the [`Annex`].
///
/// RFC 3711 3.2
#[derive(Clone)]
pub(crate) struct Context<S: Source> {
    keys: SessionKeys,
    source: S,
    annex: Option<Box<Annex<S>>>,
    pub(crate) counters: S::Counters,
    short_mki: [u8; SHORT_MKI],
    mki_length: u8,
    flags: u8,
    /// Cipher and tag of the suite: every packet asks for them.
    cipher: Cipher,
    tag: TagLength,
}

/// What few contexts need.
#[derive(Clone)]
pub(crate) struct Annex<S: Source> {
    /// Of the keys in the record.
    further: Further,
    /// An MKI that is longer than the record has room for.
    mki: Box<[u8]>,
    /// The other keys of the line.
    keys: Vec<OtherKey<S>>,
    /// The sources beside the one in the record, ordered by SSRC.
    sources: Vec<S>,
    pub(crate) extra: S::Extra,
}

#[derive(Clone)]
struct OtherKey<S: Source> {
    keys: SessionKeys,
    further: Further,
    mki: Box<[u8]>,
    counters: S::Counters,
}

/// Where the state of a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Record,
    Annex(usize),
}

/// Which of the keys: the record's is 0.
pub(crate) type KeyNumber = usize;

/// Longest MKI in the record.
const SHORT_MKI: usize = 4;

const ENCRYPT_RTP: u8 = 1;
const ENCRYPT_RTCP: u8 = 2;
const AUTHENTICATE_RTP: u8 = 4;
/// The record's source is in use.
const SOURCE_KNOWN: u8 = 8;
/// The line has several keys.
const SEVERAL_KEYS: u8 = 16;
/// Keys are derived more than once.
const REDERIVE: u8 = 32;
/// All sources stand in the annex, because their replay lists are long.
pub(crate) const ALL_IN_ANNEX: u8 = 64;

impl<S: Source> Context<S> {
    /// A context in its own place on the heap: moving its owner leaves no copy of the keys behind.
    pub(crate) fn new(set: &KeySet) -> Box<Self> {
        scrubbed(|| Box::new(Self::on_stack(set)))
    }

    /// A copy that leaves no other behind.
    pub(crate) fn duplicate(&self) -> Box<Self> {
        scrubbed(|| Box::new(self.clone()))
    }

    fn on_stack(set: &KeySet) -> Self {
        let transform = &set.transform;
        let mut keys = set.keys.iter().map(|parameter| OtherKey::<S>::new(transform, parameter));
        // A line has at least one key; one of zeros would do no harm but protect nothing.
        let first = keys.next().unwrap_or_else(|| OtherKey::nothing(transform));
        let flag = |condition: bool, flag: u8| if condition { flag } else { 0 };
        let mut context = Self {
            keys: first.keys.clone(),
            source: S::default(),
            annex: None,
            counters: first.counters.clone(),
            short_mki: [0; SHORT_MKI],
            mki_length: first.mki.len() as u8,
            flags: flag(transform.encrypt_rtp, ENCRYPT_RTP)
                | flag(transform.encrypt_rtcp, ENCRYPT_RTCP)
                | flag(transform.authenticate_rtp, AUTHENTICATE_RTP)
                | flag(set.keys.len() > 1, SEVERAL_KEYS)
                | flag(transform.key_derivation_rate != 0, REDERIVE),
            cipher: transform.suite.cipher(),
            tag: if transform.authenticate_rtp { transform.suite.rtp_tag() } else { TagLength::None },
        };
        if let Some(to) = context.short_mki.get_mut(..first.mki.len()) {
            to.copy_from_slice(&first.mki);
        } else {
            context.annex_mut().mki.clone_from(&first.mki);
        }
        if !first.further.is_nothing() {
            context.annex_mut().further = first.further.clone();
        }
        if set.keys.len() > 1 {
            context.annex_mut().keys = keys.collect();
        }
        context
    }

    pub(crate) fn annex_mut(&mut self) -> &mut Annex<S> {
        self.annex.get_or_insert_with(|| {
            Box::new(Annex {
                further: Further::default(),
                mki: Box::default(),
                keys: Vec::new(),
                sources: Vec::new(),
                extra: S::Extra::default(),
            })
        })
    }

    #[inline]
    pub(crate) fn extra(&self) -> Option<&S::Extra> {
        self.annex.as_ref().map(|annex| &annex.extra)
    }

    #[inline]
    pub(crate) fn extra_mut(&mut self) -> Option<&mut S::Extra> {
        self.annex.as_mut().map(|annex| &mut annex.extra)
    }

    #[inline]
    const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) const fn set(&mut self, flag: u8) {
        self.flags |= flag;
    }

    #[inline]
    pub(crate) const fn suite(&self) -> CryptoSuite {
        self.keys.suite()
    }

    #[inline]
    pub(crate) const fn cipher(&self) -> Cipher {
        self.cipher
    }

    #[inline]
    pub(crate) const fn authenticates_rtp(&self) -> bool {
        self.is(AUTHENTICATE_RTP)
    }

    /// Whether the session keys change every so many packets.
    #[inline]
    pub(crate) const fn derives_again(&self) -> bool {
        self.is(REDERIVE)
    }

    /// Whether the record is all that counts for the packets of its source but their keys: encrypted and authenticated, one key
    /// that is derived once, an MKI of the usual length or none, the usual replay list.
    #[inline]
    pub(crate) const fn is_usual(&self) -> bool {
        const USUAL: u8 = ENCRYPT_RTP | AUTHENTICATE_RTP | SOURCE_KNOWN;
        self.flags & !ENCRYPT_RTCP == USUAL && self.mki_length as usize <= SHORT_MKI
    }

    /// Whether the keys, too, stand in the record: AES-128 in counter mode, tags of HMAC-SHA1.
    #[inline]
    pub(crate) const fn is_usual_alone(&self) -> bool {
        self.is_usual() && self.annex.is_none() && matches!(self.cipher, Cipher::CounterMode)
    }

    /// The parts of a usual record.
    #[inline]
    pub(crate) fn usual(&mut self) -> Usual<'_, S> {
        let mki = self.short_mki.get(..usize::from(self.mki_length)).unwrap_or_default();
        Usual { keys: &self.keys, source: &mut self.source, counters: &mut self.counters, mki, tag: self.tag }
    }

    /// The kernels that the keys are kept for.
    #[inline]
    pub(crate) const fn processor(&self) -> Processor {
        self.keys.processor()
    }

    /// How many keys the line has.
    pub(crate) fn key_count(&self) -> usize {
        1 + self.annex.as_ref().map_or(0, |annex| annex.keys.len())
    }

    /// The MKI of the record's key. Those of the others are as long.
    #[inline]
    pub(crate) fn mki(&self) -> &[u8] {
        self.short_mki.get(..usize::from(self.mki_length)).unwrap_or_else(|| self.long_mki())
    }

    #[cold]
    fn long_mki(&self) -> &[u8] {
        self.annex.as_ref().map_or(&[], |annex| &annex.mki)
    }

    /// What is done to RTP packets, without the MKI.
    #[inline]
    pub(crate) const fn rtp_framing(&self) -> Framing<'static> {
        Framing { mki: &[], tag: self.tag, encrypt: self.is(ENCRYPT_RTP) }
    }

    /// What is done to RTCP packets, without the MKI.
    pub(crate) const fn rtcp_framing(&self) -> Framing<'static> {
        Framing { mki: &[], tag: self.suite().rtcp_tag(), encrypt: self.is(ENCRYPT_RTCP) }
    }

    /// The key whose MKI a packet carries, where MKI and tag stand as they do.
    #[inline]
    pub(crate) fn key_of(&self, packet: &[u8], tag: TagLength) -> Option<KeyNumber> {
        if self.mki_length == 0 {
            return Some(0);
        }
        let behind = if self.cipher() == Cipher::Galois { 0 } else { tag.octets() };
        let end = packet.len().saturating_sub(behind);
        let mki = packet.get(end.saturating_sub(self.mki_length.into())..end).unwrap_or_default();
        if mki == self.mki() {
            return Some(0);
        }
        self.key_with(mki)
    }

    /// The number of one of the other keys.
    fn key_with(&self, mki: &[u8]) -> Option<KeyNumber> {
        let others = self.annex.as_ref().filter(|_| self.is(SEVERAL_KEYS))?;
        others.keys.iter().position(|key| *key.mki == *mki).map(|at| at + 1)
    }

    /// Brings another key into the record; false if there is none with this MKI.
    pub(crate) fn select_key(&mut self, mki: &[u8]) -> bool {
        if self.mki() == mki && !mki.is_empty() {
            return true;
        }
        let Some(number) = self.key_with(mki) else { return false };
        let before: Box<[u8]> = self.mki().into();
        let Some(annex) = &mut self.annex else { return false };
        let Some(other) = annex.keys.get_mut(number - 1) else { return false };
        scrubbed(|| {
            core::mem::swap(&mut self.keys, &mut other.keys);
            core::mem::swap(&mut annex.further, &mut other.further);
            core::mem::swap(&mut self.counters, &mut other.counters);
        });
        let selected = core::mem::replace(&mut other.mki, before);
        match self.short_mki.get_mut(..selected.len()) {
            Some(to) => to.copy_from_slice(&selected),
            None => annex.mki = selected,
        }
        true
    }

    /// Makes the session keys of an RTP packet the ones at hand.
    #[inline]
    pub(crate) fn derive_rtp(&mut self, key: KeyNumber, index: u64) {
        if self.is(REDERIVE) {
            self.derive_rtp_again(key, index);
        }
    }

    #[cold]
    fn derive_rtp_again(&mut self, key: KeyNumber, index: u64) {
        let Some(annex) = &mut self.annex else { return };
        let (keys, further) = match key.checked_sub(1) {
            None => (&mut self.keys, &mut annex.further),
            Some(at) => match annex.keys.get_mut(at) {
                Some(other) => (&mut other.keys, &mut other.further),
                None => return,
            },
        };
        if let Some(r) = further.next_quotient(index) {
            scrubbed(|| keys.derive(further, r));
        }
    }

    /// The session keys of RTP.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn rtp(&self, key: KeyNumber) -> Session<'_> {
        let other = key.checked_sub(1).and_then(|at| self.annex.as_ref()?.keys.get(at));
        let (keys, further) = match other {
            None => (&self.keys, self.annex.as_ref().map(|annex| &annex.further)),
            Some(other) => {
                cold_path();
                (&other.keys, Some(&other.further))
            }
        };
        keys.rtp(further, self.cipher)
    }

    /// The key of HMAC-SHA1 of RTP, where that makes the tags.
    #[inline]
    pub(crate) fn authentication(&self, key: KeyNumber) -> &AuthenticationKey {
        let other = key.checked_sub(1).and_then(|at| self.annex.as_ref()?.keys.get(at));
        other.map_or(&self.keys, |other| &other.keys).authentication()
    }

    /// Does something with the session keys of an RTCP packet.
    pub(crate) fn with_rtcp<T>(
        &self,
        key: KeyNumber,
        index: u32,
        function: impl FnOnce(&Session<'_>) -> T,
    ) -> T {
        let other = key.checked_sub(1).and_then(|at| self.annex.as_ref()?.keys.get(at));
        let (keys, further) = match other {
            Some(other) => (&other.keys, Some(&other.further)),
            None => (&self.keys, self.annex.as_ref().map(|annex| &annex.further)),
        };
        let r = further.map_or(0, |further| further.quotient(index.into()));
        keys.with_rtcp(further, r, function)
    }

    /// Finds the state of a source.
    #[inline]
    pub(crate) fn find(&self, ssrc: u32) -> Option<Slot> {
        if self.is(SOURCE_KNOWN) && self.source.ssrc() == ssrc {
            return Some(Slot::Record);
        }
        cold_path();
        let sources = &self.annex.as_ref()?.sources;
        sources.binary_search_by_key(&ssrc, S::ssrc).ok().map(Slot::Annex)
    }

    #[inline]
    pub(crate) fn source(&self, slot: Slot) -> Option<&S> {
        match slot {
            Slot::Record => Some(&self.source),
            Slot::Annex(at) => {
                cold_path();
                self.annex.as_ref()?.sources.get(at)
            }
        }
    }

    #[inline]
    pub(crate) fn source_mut(&mut self, slot: Slot) -> Option<&mut S> {
        match slot {
            Slot::Record => Some(&mut self.source),
            Slot::Annex(at) => {
                cold_path();
                self.annex.as_mut()?.sources.get_mut(at)
            }
        }
    }

    /// Takes a new source in; the first one gets the record.
    #[cold]
    pub(crate) fn insert(&mut self, source: S) -> Slot {
        if !self.is(SOURCE_KNOWN) && !self.is(ALL_IN_ANNEX) {
            self.source = source;
            self.set(SOURCE_KNOWN);
            return Slot::Record;
        }
        let sources = &mut self.annex_mut().sources;
        let at = sources.partition_point(|other| other.ssrc() < source.ssrc());
        sources.insert(at, source);
        Slot::Annex(at)
    }

    /// Every source, the record's first.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &S> {
        let record = Some(&self.source).filter(|_| self.is(SOURCE_KNOWN));
        let others = self.annex.iter().flat_map(|annex| &annex.sources);
        record.into_iter().chain(others)
    }

    /// How many sources are known.
    pub(crate) fn source_count(&self) -> usize {
        usize::from(self.is(SOURCE_KNOWN)) + self.annex.as_ref().map_or(0, |annex| annex.sources.len())
    }
}

impl<S: Source> OtherKey<S> {
    fn new(transform: &Transform, parameter: &KeyParameter) -> Self {
        let (keys, further) = SessionKeys::new(transform, parameter);
        Self {
            keys,
            further,
            mki: parameter.mki.as_ref().map(|mki| mki.as_bytes().into()).unwrap_or_default(),
            counters: S::counters(parameter),
        }
    }

    fn nothing(transform: &Transform) -> Self {
        Self::new(transform, &KeyParameter::new(crate::MasterKey::new(&[]), crate::MasterSalt::new(&[])))
    }
}
