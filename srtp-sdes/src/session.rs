//! The session keys of RTP as they are kept: small, and all a packet needs in one piece.

use zeroize::{Zeroize, Zeroizing};

use crate::agreed::Transform;
use crate::authentication::AuthenticationKey;
use crate::cipher::{BlockKey, RoundKey, Rounds};
use crate::derivation::{Derived, Labels, Second};
use crate::scrub::scrubbed;
use crate::simd::Processor;
use crate::suite::Cipher;
use crate::{CryptoSuite, KeyParameter};

/// Octets of a master key and its salt that find room beside the session keys.
const MASTER: usize = 30;

/// The session keys of RTP for AES-128 in counter mode, and what all suites need. The master key is kept because RTCP is rare:
/// its keys are derived for each packet.
#[derive(Clone)]
pub(crate) struct SessionKeys {
    /// The round keys behind the first.
    rounds: [RoundKey; 10],
    /// The session salt at the left, the first round key added.
    vector: [u8; 16],
    authentication: AuthenticationKey,
    master: [u8; MASTER],
    suite: CryptoSuite,
    processor: Processor,
}

/// What other suites, and processors without kernels, need beyond [`SessionKeys`].
#[derive(Clone, Default)]
pub(crate) struct Further {
    cipher: Option<Box<BlockKey>>,
    second: Option<Box<Second>>,
    /// A master key and salt that are longer than those of AES-128.
    master: Option<Box<Zeroizing<[u8; 46]>>>,
    /// Keys are derived anew every 2^n packets; 0 means once.
    rate: u8,
    /// The quotient that the session keys of RTP belong to.
    r: u64,
}

impl Further {
    /// Whether nothing is needed beyond the session keys.
    pub(crate) fn is_nothing(&self) -> bool {
        self.cipher.is_none() && self.second.is_none() && self.master.is_none() && self.rate == 0
    }

    /// The index divided by the key derivation rate, or 0.
    ///
    /// RFC 3711 4.3.1
    pub(crate) const fn quotient(&self, index: u64) -> u64 {
        if self.rate == 0 { 0 } else { index >> self.rate }
    }

    /// The quotient of an index if other keys than those at hand belong to it.
    pub(crate) fn next_quotient(&mut self, index: u64) -> Option<u64> {
        let r = self.quotient(index);
        (core::mem::replace(&mut self.r, r) != r).then_some(r)
    }
}

/// Session keys as the packets use them.
///
/// No enumeration: its parts stay in registers.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) cipher: Cipher,
    pub(crate) rounds: Rounds<'a>,
    /// Session salt and first round key; of f8 mode the first round key alone.
    pub(crate) vector: u128,
    pub(crate) authentication: &'a AuthenticationKey,
    pub(crate) second: &'a Second,
}

impl SessionKeys {
    /// The session keys of a master key for packets from index 0.
    pub(crate) fn new(transform: &Transform, parameter: &KeyParameter) -> (Self, Further) {
        let (suite, processor) = (transform.suite, Processor::detect());
        let mut further = Further { rate: transform.key_derivation_rate, ..Further::default() };
        let mut octets = Zeroizing::new([0_u8; 46]);
        let given = parameter.key.as_bytes().iter().chain(parameter.salt.as_bytes());
        for (to, from) in octets.iter_mut().zip(given) {
            *to = *from;
        }
        let mut keys = Self {
            rounds: [RoundKey::default(); 10],
            vector: [0; 16],
            authentication: AuthenticationKey::nothing(),
            master: [0; MASTER],
            suite,
            processor,
        };
        if suite.master_key_length() + suite.master_salt_length() > MASTER {
            further.master = Some(Box::new(octets));
        } else {
            let (master, _) = octets.split_at(MASTER);
            keys.master.copy_from_slice(master);
        }
        keys.derive(&mut further, 0);
        (keys, further)
    }

    /// Derives the session keys of RTP anew.
    ///
    /// RFC 3711 4.3.1
    pub(crate) fn derive(&mut self, further: &mut Further, r: u64) {
        let derived = self.derived(Some(further), Labels::Rtp, r);
        self.authentication = derived.authentication.clone();
        self.vector = derived.vector.to_be_bytes();
        further.cipher = None;
        match derived.cipher.rounds().keys {
            rounds if rounds.len() == self.rounds.len() => self.rounds.copy_from_slice(rounds),
            _ if self.suite.cipher() == Cipher::Null => {}
            _ => further.cipher = Some(Box::new(derived.cipher.clone())),
        }
        further.second = match &derived.second {
            Second::Nothing => None,
            second => Some(Box::new(second.clone())),
        };
    }

    fn derived(&self, further: Option<&Further>, labels: Labels, r: u64) -> Derived {
        let long = further.and_then(|further| further.master.as_ref());
        let master: &[u8] = match long {
            Some(master) => master.as_slice(),
            None => &self.master,
        };
        let (key, salt) = master.split_at(self.suite.master_key_length().min(master.len()));
        let (salt, _) = salt.split_at(self.suite.master_salt_length().min(salt.len()));
        Derived::new((self.suite, self.processor), (key, salt), labels, r)
    }

    /// The session keys of RTP.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn rtp<'a>(&'a self, further: Option<&'a Further>, cipher: Cipher) -> Session<'a> {
        let other = further.and_then(|further| further.cipher.as_deref());
        let second = further.and_then(|further| further.second.as_deref()).unwrap_or(&Second::Nothing);
        let (keys, portable) = match other {
            Some(other) => (other.rounds().keys, other.rounds().portable),
            None => (&self.rounds[..], None),
        };
        Session {
            cipher,
            rounds: Rounds { processor: self.processor, keys, portable },
            vector: u128::from_be_bytes(self.vector),
            authentication: &self.authentication,
            second,
        }
    }

    /// Does something with the session keys of RTCP, which are gone afterwards.
    pub(crate) fn with_rtcp<T>(
        &self,
        further: Option<&Further>,
        r: u64,
        function: impl FnOnce(&Session<'_>) -> T,
    ) -> T {
        scrubbed(|| function(&self.derived(further, Labels::Rtcp, r).session()))
    }

    #[inline]
    pub(crate) const fn authentication(&self) -> &AuthenticationKey {
        &self.authentication
    }

    /// The round keys of AES-128 behind the first, where a kernel uses them.
    #[inline]
    pub(crate) const fn rounds(&self) -> &[RoundKey; 10] {
        &self.rounds
    }

    /// The session salt at the left, the first round key added.
    #[inline]
    pub(crate) const fn vector(&self) -> &[u8; 16] {
        &self.vector
    }

    #[inline]
    pub(crate) const fn processor(&self) -> Processor {
        self.processor
    }

    #[inline]
    pub(crate) const fn suite(&self) -> CryptoSuite {
        self.suite
    }
}

impl Drop for SessionKeys {
    fn drop(&mut self) {
        self.rounds.zeroize();
        self.vector.zeroize();
        self.master.zeroize();
    }
}
