//! A session without a connection: every message carries a number that the application gives it.

use core::fmt;

use zeroize::Zeroize;

use super::SIP_SEQUENCE;
use super::keys::Keys;
use crate::digest::{Inline16, Rc4, md5};
use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::session_key::{Sender, SignatureStream};

/// A session without a connection. The key stream begins anew for each message, with the message's number.
///
/// MS-NLMP 3.4
#[derive(Clone)]
pub struct DatagramSession {
    pub(super) keys: Box<Keys>,
}

impl DatagramSession {
    /// The session of one end with a key that is known already.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn new(end: Sender, flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        Self { keys: Keys::new(end, flags, exported_session_key, None) }
    }

    /// Signs a text that we send.
    ///
    /// MS-NLMP 3.4.4
    #[must_use]
    pub fn sign(&self, sequence: u32, text: &[u8]) -> [u8; 16] {
        self.signature(self.keys.end, sequence, text)
    }

    /// Checks the signature of a text that the peer sent.
    ///
    /// MS-NLMP 3.4.4
    pub fn verify(&self, sequence: u32, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        let expected = self.signature(self.keys.peer(), sequence, text);
        if self.keys.is_right(&expected, signature) { Ok(()) } else { Err(Error::BadSignature) }
    }

    /// Encrypts a text that we send and returns its signature. SIP does not encrypt.
    ///
    /// MS-NLMP 3.4.3
    #[must_use]
    pub fn seal(&self, sequence: u32, text: &mut [u8]) -> [u8; 16] {
        let mut signature = self.keys.plain(self.keys.end, sequence, text);
        let mut stream = stream(&self.keys, self.keys.end, sequence);
        stream.apply(text);
        self.keys.encrypt(|octets| stream.apply(octets), sequence, &mut signature);
        signature
    }

    /// Decrypts a text of the peer. If the signature is wrong, the text is wiped.
    ///
    /// MS-NLMP 3.4.3
    pub fn unseal(&self, sequence: u32, text: &mut [u8], signature: &[u8]) -> Result<(), Error> {
        let mut stream = stream(&self.keys, self.keys.peer(), sequence);
        stream.apply(text);
        let mut expected = self.keys.plain(self.keys.peer(), sequence, text);
        self.keys.encrypt(|octets| stream.apply(octets), sequence, &mut expected);
        if self.keys.is_right(&expected, signature) {
            return Ok(());
        }
        text.zeroize();
        Err(Error::BadSignature)
    }

    /// What both ends agreed on.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub fn flags(&self) -> NegotiateFlags {
        self.keys.flags
    }

    fn signature(&self, sender: Sender, sequence: u32, text: &[u8]) -> [u8; 16] {
        let mut signature = self.keys.plain(sender, sequence, text);
        if sequence == SIP_SEQUENCE {
            let octets = self.keys.of(sender).sip.get_or_init(|| {
                let mut octets = SignatureStream::default();
                stream(&self.keys, sender, SIP_SEQUENCE).apply(&mut *octets);
                octets
            });
            let apply = |signature: &mut [u8]| {
                signature.iter_mut().zip(octets.iter()).for_each(|(place, key)| *place ^= key);
            };
            self.keys.encrypt(apply, sequence, &mut signature);
        } else {
            let apply = |octets: &mut [u8]| stream(&self.keys, sender, sequence).apply(octets);
            self.keys.encrypt(apply, sequence, &mut signature);
        }
        signature
    }
}

/// The key stream of one message.
fn stream(keys: &Keys, sender: Sender, sequence: u32) -> Rc4 {
    let seal = &*keys.of(sender).seal;
    let mut stream = Rc4::default();
    if keys.is_extended() {
        let mut key = Inline16::default();
        md5(&[seal, &sequence.to_le_bytes()], &mut key);
        stream.prepare(&key);
    } else {
        stream.prepare(seal);
    }
    stream
}

impl fmt::Debug for DatagramSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramSession").field("flags", &self.keys.flags).finish_non_exhaustive()
    }
}
