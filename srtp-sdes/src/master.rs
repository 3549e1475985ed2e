//! A master key at work: its session keys, its MKI and its counters.

use crate::agreed::{KeySet, Transform};
use crate::derivation::{Labels, SessionKeys};
use crate::lifetime::PacketCounters;
use crate::packet::Framing;
use crate::{KeyParameter, Lifetime, MasterKey, MasterSalt};

/// One of the keys of a direction.
#[derive(Clone)]
pub(crate) struct KeyAtWork {
    pub(crate) mki: Box<[u8]>,
    pub(crate) counters: PacketCounters,
    rtp: SessionKeys,
    rtcp: SessionKeys,
    /// Kept only where keys are derived more than once.
    again: Option<Box<Rederivation>>,
}

#[derive(Clone)]
struct Rederivation {
    key: MasterKey,
    salt: MasterSalt,
    rate: u8,
    rtp: u64,
    rtcp: u64,
}

impl KeyAtWork {
    fn new(transform: &Transform, parameter: &KeyParameter, lifetime: Option<&Lifetime>) -> Self {
        let derive = |labels| {
            SessionKeys::derive(
                transform.suite,
                parameter.key.as_bytes(),
                parameter.salt.as_bytes(),
                labels,
                0,
            )
        };
        let again = (transform.key_derivation_rate != 0).then(|| {
            Box::new(Rederivation {
                key: parameter.key.clone(),
                salt: parameter.salt.clone(),
                rate: transform.key_derivation_rate,
                rtp: 0,
                rtcp: 0,
            })
        });
        Self {
            mki: parameter.mki.as_ref().map(|mki| mki.as_bytes().into()).unwrap_or_default(),
            counters: PacketCounters::new(lifetime),
            rtp: derive(Labels::Rtp),
            rtcp: derive(Labels::Rtcp),
            again,
        }
    }

    /// The keys of a set that we send with: each ends with its own lifetime.
    pub(crate) fn of_sender(set: &KeySet) -> Vec<Self> {
        set.keys.iter().map(|key| Self::new(&set.transform, key, key.lifetime.as_ref())).collect()
    }

    /// The keys of a set that we receive with: only the limits of the protocol end them.
    pub(crate) fn of_receiver(set: &KeySet) -> Vec<Self> {
        set.keys.iter().map(|key| Self::new(&set.transform, key, None)).collect()
    }

    /// Makes the session keys of an RTP packet the ones at hand.
    #[inline]
    pub(crate) fn derive_rtp(&mut self, transform: &Transform, index: u64) {
        if let Some(again) = &mut self.again {
            let r = index >> again.rate;
            if r != again.rtp {
                again.rtp = r;
                let (key, salt) = (again.key.as_bytes(), again.salt.as_bytes());
                self.rtp = SessionKeys::derive(transform.suite, key, salt, Labels::Rtp, r);
            }
        }
    }

    /// The session keys of RTP.
    #[inline]
    pub(crate) const fn rtp_keys(&self) -> &SessionKeys {
        &self.rtp
    }

    /// The session keys of an RTCP packet.
    pub(crate) fn rtcp(&mut self, transform: &Transform, index: u32) -> &SessionKeys {
        if let Some(again) = &mut self.again {
            let r = u64::from(index) >> again.rate;
            if r != again.rtcp {
                again.rtcp = r;
                let (key, salt) = (again.key.as_bytes(), again.salt.as_bytes());
                self.rtcp = SessionKeys::derive(transform.suite, key, salt, Labels::Rtcp, r);
            }
        }
        &self.rtcp
    }
}

impl Transform {
    /// Octets of the tag of an RTP packet.
    #[inline]
    pub(crate) const fn rtp_tag(&self) -> usize {
        if self.authenticate_rtp { self.suite.rtp_tag_length() } else { 0 }
    }

    pub(crate) const fn rtcp_framing<'a>(&self, mki: &'a [u8]) -> Framing<'a> {
        Framing { mki, tag: self.suite.rtcp_tag_length(), encrypt: self.encrypt_rtcp }
    }
}
