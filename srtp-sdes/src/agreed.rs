//! What offer and answer came to.

use core::fmt;

use crate::error::{Error, Rule};
use crate::suite::Cipher;
use crate::{CryptoAttribute, CryptoSuite, KeyParameter, MasterKeyIdentifier, SessionParameter};

/// How a master key is used: the session parameters that concern the packets.
///
/// RFC 4568 6.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transform {
    pub(crate) suite: CryptoSuite,
    /// Keys are derived anew every 2^n packets; 0 means once.
    pub(crate) key_derivation_rate: u8,
    pub(crate) encrypt_rtp: bool,
    pub(crate) encrypt_rtcp: bool,
    pub(crate) authenticate_rtp: bool,
    pub(crate) replay_window: usize,
}

/// The keys of one direction as their owner wrote them down.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeySet {
    pub(crate) transform: Transform,
    pub(crate) keys: Vec<KeyParameter>,
}

/// Replay list unless a line asks for more.
const REPLAY_WINDOW: usize = 128;
/// The longest replay list a line may ask for.
const REPLAY_WINDOW_LIMIT: usize = 32768;

impl KeySet {
    fn new(line: &CryptoAttribute) -> Result<Self, Error> {
        let mut transform = Transform {
            suite: line.suite,
            key_derivation_rate: 0,
            encrypt_rtp: line.suite.encrypts(),
            // Without a cipher nothing is encrypted, and the E bit says so.
            encrypt_rtcp: line.suite.encrypts(),
            authenticate_rtp: true,
            replay_window: REPLAY_WINDOW,
        };
        for parameter in &line.session_parameters {
            match parameter {
                SessionParameter::Kdr(n) => transform.key_derivation_rate = *n,
                SessionParameter::UnencryptedSrtp => transform.encrypt_rtp = false,
                SessionParameter::UnencryptedSrtcp => transform.encrypt_rtcp = false,
                SessionParameter::UnauthenticatedSrtp => {
                    // Nothing would protect such packets, or the mode has no such form.
                    if matches!(line.suite.cipher(), Cipher::Galois | Cipher::Null) {
                        return Err(Error::Malformed { at: 0, rule: Rule::SessionParameter });
                    }
                    transform.authenticate_rtp = false;
                }
                SessionParameter::Wsh(size) => {
                    transform.replay_window = (*size as usize).clamp(REPLAY_WINDOW, REPLAY_WINDOW_LIMIT);
                }
                SessionParameter::Optional(_) => {}
                SessionParameter::FecOrder(_)
                | SessionParameter::FecKey(_)
                | SessionParameter::Mandatory(_) => {
                    return Err(Error::Malformed { at: 0, rule: Rule::UnknownParameter });
                }
            }
        }
        Ok(Self { transform, keys: line.keys.clone() })
    }
}

macro_rules! keys_of_a_direction {
    ($name:ident, $line:literal) => {
        impl $name {
            #[doc = $line]
            ///
            /// RFC 4568 6.1
            pub fn from_attribute(line: &CryptoAttribute) -> Result<Self, Error> {
                KeySet::new(line).map(Self)
            }

            /// The suite of the keys.
            ///
            /// RFC 4568 6.2
            pub const fn suite(&self) -> CryptoSuite {
                self.0.transform.suite
            }

            /// The identifier of the first key.
            ///
            /// RFC 4568 6.1
            pub fn mki(&self) -> Option<&MasterKeyIdentifier> {
                self.0.keys.first().and_then(|key| key.mki.as_ref())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.suite())
            }
        }
    };
}

/// The keys we send with: those of the line we wrote ourselves.
///
/// RFC 4568 7.1.3
#[derive(Clone, PartialEq, Eq)]
pub struct SenderKeys(pub(crate) KeySet);

keys_of_a_direction!(SenderKeys, "The keys of a line, to send with.");

/// The keys we receive with: those of the line the other side wrote.
///
/// RFC 4568 7.1.3
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiverKeys(pub(crate) KeySet);

keys_of_a_direction!(ReceiverKeys, "The keys of a line, to receive with.");

/// The result of offer and answer for one media line. Equal results mean that nothing changed and contexts go on.
///
/// RFC 4568 7.1, RFC 3264 8
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// Clear RTP.
    Clear,
    /// SRTP in both directions.
    #[non_exhaustive]
    Protected {
        /// For [`crate::Sender`].
        sender: SenderKeys,
        /// For [`crate::Receiver`].
        receiver: ReceiverKeys,
        /// The suite of both directions.
        suite: CryptoSuite,
        /// The MKI that our packets carry.
        mki: Option<MasterKeyIdentifier>,
        /// The line we wrote.
        local: Box<CryptoAttribute>,
        /// The line the other side wrote.
        remote: Box<CryptoAttribute>,
    },
}

impl Agreed {
    pub(crate) fn protected(local: CryptoAttribute, remote: CryptoAttribute) -> Result<Self, Error> {
        Ok(Self::Protected {
            sender: SenderKeys::from_attribute(&local)?,
            receiver: ReceiverKeys::from_attribute(&remote)?,
            suite: local.suite,
            mki: local.mki().cloned(),
            local: Box::new(local),
            remote: Box::new(remote),
        })
    }

    /// The suite's token, for those who report it.
    ///
    /// RFC 4568 6.2
    pub const fn suite_name(&self) -> Option<&'static str> {
        match self {
            Self::Clear => None,
            Self::Protected { suite, .. } => Some(suite.token()),
        }
    }

    /// The MKI that our packets carry.
    ///
    /// RFC 3711 3.1
    pub const fn mki(&self) -> Option<&MasterKeyIdentifier> {
        match self {
            Self::Clear => None,
            Self::Protected { mki, .. } => mki.as_ref(),
        }
    }

    /// Whether packets are protected.
    ///
    /// RFC 3711 3
    pub const fn is_protected(&self) -> bool {
        matches!(self, Self::Protected { .. })
    }
}
