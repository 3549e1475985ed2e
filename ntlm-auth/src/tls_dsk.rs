//! TLS-DSK: signatures with keys that a TLS handshake inside SIP leaves behind. The handshake is the owner's.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha384;
use subtle::ConstantTimeEq;

use crate::error::{Error, Refusal};
use crate::session_key::Sender;

/// The hash that signs; it follows the cipher suite of the handshake.
///
/// MS-SIPAE 3.1.5 (TLS-DSK); observed with clients of Lync 2013 and Skype for Business
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsDskHash {
    /// With suites whose code is HMAC-MD5.
    Md5,
    /// With suites whose code is HMAC-SHA1.
    Sha1,
    /// With suites of GCM and SHA-384: inferred from the length of signatures of Skype for Business 2019.
    Sha384,
}

impl TlsDskHash {
    /// The hash of a cipher suite; suites of which no signature was ever seen are refused.
    ///
    /// MS-SIPAE 3.1.5 (TLS-DSK); RFC 5246 A.5
    pub const fn of_cipher_suite(suite: u16) -> Result<Self, Error> {
        match suite {
            0x0004 => Ok(Self::Md5),
            0x0005 | 0x000a | 0x002f | 0x0035 | 0xc009 | 0xc00a | 0xc013 | 0xc014 => Ok(Self::Sha1),
            0x009d | 0xc02c | 0xc030 => Ok(Self::Sha384),
            _ => Err(Error::Refused(Refusal::CipherSuite)),
        }
    }
}

/// The label with which the keying material is exported from the TLS connection, without a context.
///
/// RFC 5705 4; MS-SIPAE 3.1.5 (TLS-DSK)
pub const TLS_DSK_LABEL: &str = "client EAP encryption";

/// How many octets are exported.
///
/// MS-SIPAE 3.1.5 (TLS-DSK)
pub const TLS_DSK_EXPORTED: usize = 128;

/// The keys of both directions.
///
/// MS-SIPAE 3.1.5 (TLS-DSK)
#[derive(Clone)]
pub struct TlsDskSession {
    ours: Box<Key>,
    peers: Box<Key>,
}

#[derive(Clone)]
enum Key {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha384(Hmac<Sha384>),
}

/// A signature of up to 48 octets.
#[derive(Clone, Copy)]
pub(crate) struct DskSignature {
    octets: [u8; 48],
    length: usize,
}

impl DskSignature {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl TlsDskSession {
    /// The session of one end with what the TLS connection exported: the client signs with octets 64 to 96, the server with
    /// the 32 behind.
    ///
    /// MS-SIPAE 3.1.5 (TLS-DSK)
    #[must_use]
    pub fn new(end: Sender, hash: TlsDskHash, exported: &[u8; TLS_DSK_EXPORTED]) -> Self {
        let client = Key::new(hash, exported.get(64..96).unwrap_or_default());
        let server = Key::new(hash, exported.get(96..).unwrap_or_default());
        match end {
            Sender::Client => Self { ours: client, peers: server },
            Sender::Server => Self { ours: server, peers: client },
        }
    }

    pub(crate) fn sign(&self, text: &[u8]) -> DskSignature {
        self.ours.sign(text)
    }

    pub(crate) fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        if self.peers.sign(text).as_slice().ct_eq(signature).into() {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }
}

impl Key {
    fn new(hash: TlsDskHash, key: &[u8]) -> Box<Self> {
        let zero = &[0; 32];
        let key = key.first_chunk().unwrap_or(zero);
        Box::new(match hash {
            TlsDskHash::Md5 => Self::Md5(ready(key)),
            TlsDskHash::Sha1 => Self::Sha1(ready(key)),
            TlsDskHash::Sha384 => Self::Sha384(ready(key)),
        })
    }

    fn sign(&self, text: &[u8]) -> DskSignature {
        match self {
            Self::Md5(key) => signature(key.clone(), text),
            Self::Sha1(key) => signature(key.clone(), text),
            Self::Sha384(key) => signature(key.clone(), text),
        }
    }
}

/// HMAC takes keys of any length; 32 octets are shorter than every block.
fn ready<M: KeyInit>(key: &[u8; 32]) -> M {
    M::new_from_slice(key).unwrap_or_else(|_| M::new(&hmac::digest::common::Key::<M>::default()))
}

fn signature(mut mac: impl Mac, text: &[u8]) -> DskSignature {
    mac.update(text);
    let code = mac.finalize().into_bytes();
    let mut octets = [0; 48];
    octets.iter_mut().zip(code.iter()).for_each(|(place, octet)| *place = *octet);
    DskSignature { octets, length: code.len().min(48) }
}

impl fmt::Debug for TlsDskSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsDskSession(..)")
    }
}
