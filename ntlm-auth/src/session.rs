//! Signatures of a session: connectionless with the application's numbers, or over a connection with counted ones.

mod datagram;
mod keys;
mod stream;

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::flags::NegotiateFlags;
use crate::session_key::Sender;

use keys::Keys;

pub use datagram::DatagramSession;
pub(crate) use keys::IntegrityCode;
pub use stream::StreamSession;

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
    Stream(StreamSession),
}

impl Session {
    /// With the integrity code of the messages that led to it, if one is wanted.
    pub(crate) fn new(
        end: Sender,
        flags: NegotiateFlags,
        exported: &[u8; 16],
        mic: Option<IntegrityCode<'_>>,
    ) -> Self {
        let keys = Keys::new(end, flags, exported, mic);
        if flags.contains(NegotiateFlags::DATAGRAM) {
            Self::Datagram(DatagramSession { keys })
        } else {
            Self::Stream(StreamSession::of(keys))
        }
    }

    /// What both ends agreed on.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub fn flags(&self) -> NegotiateFlags {
        self.keys().flags
    }

    /// The key that everything follows from, and those that follow, for test benches.
    ///
    /// MS-NLMP 3.4.5
    #[must_use]
    pub fn expose(&self) -> ExposedKeys {
        let keys = self.keys();
        let seal = |sender| {
            let mut key = [0; 16];
            key.iter_mut().zip(keys.of(sender).own_seal()).for_each(|(place, octet)| *place = *octet);
            key
        };
        ExposedKeys {
            exported_session_key: *keys.exported,
            client_sign_key: *keys.of(Sender::Client).sign,
            client_seal_key: seal(Sender::Client),
            server_sign_key: *keys.of(Sender::Server).sign,
            server_seal_key: seal(Sender::Server),
        }
    }

    fn keys(&self) -> &Keys {
        match self {
            Self::Datagram(session) => &session.keys,
            Self::Stream(session) => &session.keys,
        }
    }
}

/// The keys of a session in the open, wiped when dropped.
///
/// MS-NLMP 3.4.5
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
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

impl fmt::Debug for ExposedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExposedKeys(..)")
    }
}
