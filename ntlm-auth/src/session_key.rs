//! Keys of signatures and of encryption, one of each for each direction.

use crate::digest::{Inline16, MacKey, md5_into};
use crate::flags::NegotiateFlags;

/// Whose messages.
///
/// MS-NLMP 3.4.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The one who logs in.
    Client,
    /// The one who lets in.
    Server,
}

/// The keys of one direction.
#[derive(Clone, Default)]
pub(crate) struct DirectionKeys {
    /// Only with extended session security.
    pub(crate) sign: Inline16,
    /// The signing key made ready.
    pub(crate) mac: MacKey,
    seal: Inline16,
    /// How much of the sealing key is used.
    seal_length: usize,
}

impl DirectionKeys {
    /// Writes the keys where they stay.
    pub(crate) fn derive(&mut self, flags: NegotiateFlags, exported: &[u8; 16], sender: Sender) {
        let (sign, seal): (&[u8], &[u8]) = match sender {
            Sender::Client => (
                b"session key to client-to-server signing key magic constant\0",
                b"session key to client-to-server sealing key magic constant\0",
            ),
            Sender::Server => (
                b"session key to server-to-client signing key magic constant\0",
                b"session key to server-to-client sealing key magic constant\0",
            ),
        };
        self.seal_length = 16;
        if flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY) {
            let strength = if flags.contains(NegotiateFlags::KEY_128) {
                16
            } else if flags.contains(NegotiateFlags::KEY_56) {
                7
            } else {
                5
            };
            let weakened = exported.get(..strength).unwrap_or_default();
            md5_into(&[exported, sign], &mut self.sign);
            md5_into(&[weakened, seal], &mut self.seal);
            self.mac.prepare(&*self.sign);
            return;
        }
        self.seal.copy_from_slice(exported);
        if flags.contains(NegotiateFlags::LM_KEY) {
            let tail: &[u8] =
                if flags.contains(NegotiateFlags::KEY_56) { &[0xa0] } else { &[0xe5, 0x38, 0xb0] };
            for (place, octet) in self.seal.iter_mut().skip(8 - tail.len()).zip(tail) {
                *place = *octet;
            }
            self.seal_length = 8;
        }
    }

    pub(crate) fn seal(&self) -> &[u8] {
        self.seal.get(..self.seal_length).unwrap_or_default()
    }
}
