//! Signatures of a session: connectionless with the application's numbers, or over a connection with counted ones.

use core::fmt;

use subtle::ConstantTimeEq;

use crate::digest::{KeyStream, Secret16, crc32, hmac_md5, md5};
use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::session_key::{DirectionKeys, Sender};

/// The number that SIP gives to every message.
///
/// MS-SIPAE 3.3.4.1
pub const SIP_SEQUENCE: u32 = 100;

/// What both ends have after a login.
///
/// MS-NLMP 3.4
#[derive(Debug)]
#[non_exhaustive]
pub enum Session {
    /// Without a connection.
    Datagram(DatagramSession),
    /// Over a connection.
    Stream(Box<StreamSession>),
}

impl Session {
    pub(crate) fn new(end: Sender, flags: NegotiateFlags, exported: &[u8; 16]) -> Self {
        if flags.contains(NegotiateFlags::DATAGRAM) {
            Self::Datagram(DatagramSession::new(end, flags, exported))
        } else {
            Self::Stream(Box::new(StreamSession::new(end, flags, exported)))
        }
    }

    /// The key that everything follows from, and those that follow, for test benches.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn expose(&self) -> ExposedKeys {
        let keys = match self {
            Self::Datagram(session) => &session.keys,
            Self::Stream(session) => &session.keys,
        };
        let seal = |sender| {
            let mut key = [0; 16];
            key.iter_mut().zip(keys.of(sender).seal()).for_each(|(place, octet)| *place = *octet);
            key
        };
        ExposedKeys {
            exported_session_key: *keys.exported,
            client_sign_key: *keys.client.sign,
            client_seal_key: seal(Sender::Client),
            server_sign_key: *keys.server.sign,
            server_seal_key: seal(Sender::Server),
        }
    }
}

/// The keys of a session in the open.
///
/// MS-NLMP 3.4.5
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names of the specification")]
pub struct ExposedKeys {
    /// The key that the others follow from.
    pub exported_session_key: [u8; 16],
    /// Signs what the client sends.
    pub client_sign_key: [u8; 16],
    /// Encrypts what the client sends.
    pub client_seal_key: [u8; 16],
    /// Signs what the server sends.
    pub server_sign_key: [u8; 16],
    /// Encrypts what the server sends.
    pub server_seal_key: [u8; 16],
}

#[derive(Clone)]
struct Keys {
    end: Sender,
    flags: NegotiateFlags,
    exported: Secret16,
    client: DirectionKeys,
    server: DirectionKeys,
}

impl Keys {
    fn new(end: Sender, flags: NegotiateFlags, exported: &[u8; 16]) -> Self {
        Self {
            end,
            flags,
            exported: Secret16::new(*exported),
            client: DirectionKeys::new(flags, exported, Sender::Client),
            server: DirectionKeys::new(flags, exported, Sender::Server),
        }
    }

    fn of(&self, sender: Sender) -> &DirectionKeys {
        match sender {
            Sender::Client => &self.client,
            Sender::Server => &self.server,
        }
    }

    fn peer(&self) -> Sender {
        match self.end {
            Sender::Client => Sender::Server,
            Sender::Server => Sender::Client,
        }
    }

    fn is_extended(&self) -> bool {
        self.flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY)
    }

    /// The signature before its encryption.
    fn plain(&self, sender: Sender, sequence: u32, text: &[u8]) -> [u8; 16] {
        let number = sequence.to_le_bytes();
        if self.is_extended() {
            let checksum = hmac_md5(&*self.of(sender).sign, &[&number, text]);
            assemble([&VERSION, checksum.get(..8).unwrap_or_default(), &number])
        } else {
            assemble([&VERSION, &[0; 4], &crc32(text).to_le_bytes()])
        }
    }
}

/// The parts one behind the other, then zeros.
fn assemble(parts: [&[u8]; 3]) -> [u8; 16] {
    let mut signature = [0; 16];
    signature.iter_mut().zip(parts.into_iter().flatten()).for_each(|(place, octet)| *place = *octet);
    signature
}

/// Encrypts a signature with what `apply` does to octets; returns how many octets of key stream it takes.
fn encrypt(keys: &Keys, mut apply: impl FnMut(&mut [u8]), sequence: u32, signature: &mut [u8; 16]) -> usize {
    if keys.is_extended() {
        if !keys.flags.contains(NegotiateFlags::KEY_EXCHANGE) {
            return 0;
        }
        if let Some(checksum) = signature.get_mut(4..12) {
            apply(checksum);
        }
        8
    } else {
        // Pad, checksum and four zeros are encrypted; then the pad is wiped and the number mixed in.
        if let Some(rest) = signature.get_mut(4..) {
            apply(rest);
        }
        let number = sequence.to_le_bytes();
        signature.iter_mut().skip(12).zip(number).for_each(|(place, octet)| *place ^= octet);
        signature.iter_mut().skip(4).take(4).for_each(|place| *place = 0);
        12
    }
}

/// Compares in constant time. Without extended session security the pad says nothing.
fn is_equal(keys: &Keys, expected: &[u8; 16], signature: &[u8]) -> bool {
    let Ok(mut signature) = <[u8; 16]>::try_from(signature) else {
        return false;
    };
    if !keys.is_extended() {
        signature.iter_mut().skip(4).take(4).for_each(|place| *place = 0);
    }
    expected.ct_eq(&signature).into()
}

/// A session without a connection: every message carries a number that the application gives it.
///
/// MS-NLMP 3.4
#[derive(Clone)]
pub struct DatagramSession {
    keys: Keys,
}

impl DatagramSession {
    /// The session of one end with a key that is known already.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn new(end: Sender, flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        Self { keys: Keys::new(end, flags, exported_session_key) }
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
        if is_equal(&self.keys, &expected, signature) { Ok(()) } else { Err(Error::BadSignature) }
    }

    fn signature(&self, sender: Sender, sequence: u32, text: &[u8]) -> [u8; 16] {
        let mut signature = self.keys.plain(sender, sequence, text);
        let seal = self.keys.of(sender).seal();
        let mut stream = if self.keys.is_extended() {
            KeyStream::new(&*md5(&[seal, &sequence.to_le_bytes()]))
        } else {
            KeyStream::new(seal)
        };
        encrypt(&self.keys, |octets| stream.apply(octets), sequence, &mut signature);
        signature
    }
}

/// A session over a connection: messages are counted, and the key stream goes on.
///
/// MS-NLMP 3.4
pub struct StreamSession {
    keys: Keys,
    sending: Counted,
    receiving: Counted,
}

struct Counted {
    stream: KeyStream,
    sequence: u32,
}

impl StreamSession {
    /// The session of one end with a key that is known already.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn new(end: Sender, flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        let keys = Keys::new(end, flags, exported_session_key);
        let counted = |sender| Counted { stream: KeyStream::new(keys.of(sender).seal()), sequence: 0 };
        let (sending, receiving) = (counted(keys.end), counted(keys.peer()));
        Self { keys, sending, receiving }
    }

    /// Signs a text that we send.
    ///
    /// MS-NLMP 3.4.4
    #[must_use]
    pub fn sign(&mut self, text: &[u8]) -> [u8; 16] {
        let sequence = self.sending.sequence;
        let mut signature = self.keys.plain(self.keys.end, sequence, text);
        let stream = &mut self.sending.stream;
        let used = encrypt(&self.keys, |octets| stream.apply_ahead(0, octets), sequence, &mut signature);
        self.sending.stream.advance(used);
        self.sending.sequence = sequence.wrapping_add(1);
        signature
    }

    /// Checks the signature of the next text of the peer. A wrong one changes nothing.
    ///
    /// MS-NLMP 3.4.4
    pub fn verify(&mut self, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.check(0, text, signature)
    }

    /// Encrypts a text that we send and returns its signature.
    ///
    /// MS-NLMP 3.4.3
    #[must_use]
    pub fn seal(&mut self, text: &mut [u8]) -> [u8; 16] {
        let sequence = self.sending.sequence;
        let mut signature = self.keys.plain(self.keys.end, sequence, text);
        let (stream, sealed) = (&mut self.sending.stream, text.len());
        let used = encrypt(&self.keys, |octets| stream.apply_ahead(sealed, octets), sequence, &mut signature);
        self.sending.stream.apply_ahead(0, text);
        self.sending.stream.advance(text.len() + used);
        self.sending.sequence = sequence.wrapping_add(1);
        signature
    }

    /// Decrypts the next text of the peer, if its signature is right. A wrong one changes nothing.
    ///
    /// MS-NLMP 3.4.3
    pub fn unseal(&mut self, text: &mut [u8], signature: &[u8]) -> Result<(), Error> {
        self.receiving.stream.apply_ahead(0, text);
        let result = self.check(text.len(), text, signature);
        if result.is_err() {
            self.receiving.stream.apply_ahead(0, text);
        }
        result
    }

    fn check(&mut self, sealed: usize, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        let sequence = self.receiving.sequence;
        let mut expected = self.keys.plain(self.keys.peer(), sequence, text);
        let stream = &mut self.receiving.stream;
        let used = encrypt(&self.keys, |octets| stream.apply_ahead(sealed, octets), sequence, &mut expected);
        if !is_equal(&self.keys, &expected, signature) {
            return Err(Error::BadSignature);
        }
        self.receiving.stream.advance(sealed + used);
        self.receiving.sequence = sequence.wrapping_add(1);
        Ok(())
    }
}

impl fmt::Debug for ExposedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExposedKeys(..)")
    }
}

impl fmt::Debug for DatagramSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramSession").field("flags", &self.keys.flags).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSession").field("flags", &self.keys.flags).finish_non_exhaustive()
    }
}

/// First octets of every signature.
const VERSION: [u8; 4] = [1, 0, 0, 0];
