//! A session over a connection: messages are counted, and the key stream goes on.

use core::fmt;

use super::keys::Keys;
use crate::digest::KeyStream;
use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::session_key::Sender;

/// A session over a connection.
///
/// MS-NLMP 3.4
pub struct StreamSession {
    pub(super) keys: Box<Keys>,
    sending: Counted,
    receiving: Counted,
}

#[derive(Default)]
struct Counted {
    /// As of the first message.
    stream: Option<Box<KeyStream>>,
    sequence: u32,
}

impl Counted {
    fn stream(&mut self, keys: &Keys, sender: Sender) -> &mut KeyStream {
        self.stream.get_or_insert_with(|| KeyStream::looking_ahead(&keys.of(sender).seal))
    }

    fn advance(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
    }
}

impl StreamSession {
    /// The session of one end with a key that is known already.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn new(end: Sender, flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        Self::of(Keys::new(end, flags, exported_session_key, None))
    }

    pub(super) fn of(keys: Box<Keys>) -> Self {
        Self { keys, sending: Counted::default(), receiving: Counted::default() }
    }

    /// Signs the next text that we send.
    ///
    /// MS-NLMP 3.4.4
    #[must_use]
    pub fn sign(&mut self, text: &[u8]) -> [u8; 16] {
        let sequence = self.sending.sequence;
        let mut signature = self.keys.plain(self.keys.end, sequence, text);
        let stream = self.sending.stream(&self.keys, self.keys.end);
        self.keys.encrypt(|octets| stream.apply(octets), sequence, &mut signature);
        self.sending.advance();
        signature
    }

    /// Checks the signature of the next text of the peer. A wrong one changes nothing.
    ///
    /// MS-NLMP 3.4.4
    pub fn verify(&mut self, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.check(0, text, signature)
    }

    /// Encrypts the next text that we send and returns its signature.
    ///
    /// MS-NLMP 3.4.3
    #[must_use]
    pub fn seal(&mut self, text: &mut [u8]) -> [u8; 16] {
        let sequence = self.sending.sequence;
        let mut signature = self.keys.plain(self.keys.end, sequence, text);
        let stream = self.sending.stream(&self.keys, self.keys.end);
        stream.apply(text);
        self.keys.encrypt(|octets| stream.apply(octets), sequence, &mut signature);
        self.sending.advance();
        signature
    }

    /// Decrypts the next text of the peer, if its signature is right. A wrong one changes nothing.
    ///
    /// MS-NLMP 3.4.3
    pub fn unseal(&mut self, text: &mut [u8], signature: &[u8]) -> Result<(), Error> {
        self.receiving.stream(&self.keys, self.keys.peer()).apply_ahead(0, text);
        let result = self.check(text.len(), text, signature);
        if result.is_err() {
            self.receiving.stream(&self.keys, self.keys.peer()).apply_ahead(0, text);
        }
        result
    }

    /// What both ends agreed on.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub fn flags(&self) -> NegotiateFlags {
        self.keys.flags
    }

    fn check(&mut self, sealed: usize, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        let sequence = self.receiving.sequence;
        let mut expected = self.keys.plain(self.keys.peer(), sequence, text);
        let stream = self.receiving.stream(&self.keys, self.keys.peer());
        let used = self.keys.encrypt(|octets| stream.apply_ahead(sealed, octets), sequence, &mut expected);
        if !self.keys.is_right(&expected, signature) {
            return Err(Error::BadSignature);
        }
        stream.advance(sealed.saturating_add(used));
        self.receiving.advance();
        Ok(())
    }
}

impl fmt::Debug for StreamSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSession").field("flags", &self.keys.flags).finish_non_exhaustive()
    }
}
