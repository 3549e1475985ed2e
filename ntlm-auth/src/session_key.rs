//! Keys of signatures and of encryption, one of each for each direction.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use crate::digest::{Inline16, Job, MacKey, SIGNATURE_OCTETS};
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
    /// The signing key made ready, as of the first message; whoever only logs in needs none.
    mac: OnceLock<MacKey>,
    /// As a key of RC4: one of eight octets stands there twice.
    pub(crate) seal: Inline16,
    /// How much of the sealing key is its own.
    seal_length: usize,
    /// Without a connection, the beginning of the key stream of SIP's number, as of the first message: it is the same for
    /// every one.
    pub(crate) sip: OnceLock<SignatureStream>,
}

/// The octets of a key stream that a signature takes.
pub(crate) type SignatureStream = Zeroizing<[u8; SIGNATURE_OCTETS]>;

impl DirectionKeys {
    /// With extended session security: the digests of signing and sealing key, written where they stay.
    pub(crate) fn take(&mut self, sign: &Job<'_>, seal: &Job<'_>) {
        sign.write(&mut self.sign);
        seal.write(&mut self.seal);
        self.seal_length = 16;
    }

    pub(crate) fn mac(&self) -> &MacKey {
        self.mac.get_or_init(|| {
            let mut mac = MacKey::default();
            mac.prepare(&self.sign);
            mac
        })
    }

    /// Without extended session security: the sealing key, one for both directions.
    pub(crate) fn take_whole(&mut self, flags: NegotiateFlags, exported: &[u8; 16]) {
        self.seal.copy_from_slice(exported);
        self.seal_length = 16;
        if flags.contains(NegotiateFlags::LM_KEY) {
            let tail: &[u8] =
                if flags.contains(NegotiateFlags::KEY_56) { &[0xa0] } else { &[0xe5, 0x38, 0xb0] };
            for (place, octet) in self.seal.iter_mut().skip(8 - tail.len()).zip(tail) {
                *place = *octet;
            }
            self.seal_length = 8;
            let (head, tail) = self.seal.split_at_mut(8);
            tail.copy_from_slice(head);
        }
    }

    /// The sealing key without its repetition.
    pub(crate) fn own_seal(&self) -> &[u8] {
        self.seal.get(..self.seal_length).unwrap_or_default()
    }
}

/// How much of the session key goes into sealing keys.
pub(crate) fn seal_strength(flags: NegotiateFlags) -> usize {
    if flags.contains(NegotiateFlags::KEY_128) {
        16
    } else if flags.contains(NegotiateFlags::KEY_56) {
        7
    } else {
        5
    }
}

pub(crate) const CLIENT_SIGN: &[u8] = b"session key to client-to-server signing key magic constant\0";
pub(crate) const CLIENT_SEAL: &[u8] = b"session key to client-to-server sealing key magic constant\0";
pub(crate) const SERVER_SIGN: &[u8] = b"session key to server-to-client signing key magic constant\0";
pub(crate) const SERVER_SEAL: &[u8] = b"session key to server-to-client sealing key magic constant\0";
