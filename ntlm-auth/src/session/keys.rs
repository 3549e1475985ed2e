//! The keys of a session and what a signature is made of.

use subtle::ConstantTimeEq;

use crate::digest::{Inline16, Job, MacKey, crc32, run_all};
use crate::flags::NegotiateFlags;
use crate::session_key::{
    CLIENT_SEAL, CLIENT_SIGN, DirectionKeys, SERVER_SEAL, SERVER_SIGN, Sender, seal_strength,
};

/// Both directions, on the heap: a session that is moved leaves no keys behind.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) end: Sender,
    pub(crate) flags: NegotiateFlags,
    pub(crate) exported: Inline16,
    client: DirectionKeys,
    server: DirectionKeys,
}

/// Messages whose integrity code is wanted together with the keys of their session.
pub(crate) struct IntegrityCode<'a> {
    pub(crate) messages: &'a [&'a [u8]],
    pub(crate) code: &'a mut [u8; 16],
}

impl Keys {
    /// The keys that follow from a session key, and the integrity code of messages under it: it costs less beside them.
    pub(crate) fn new(
        end: Sender,
        flags: NegotiateFlags,
        exported: &[u8; 16],
        mic: Option<IntegrityCode<'_>>,
    ) -> Box<Self> {
        let mut keys = Box::new(Self {
            end,
            flags,
            exported: Inline16::default(),
            client: DirectionKeys::default(),
            server: DirectionKeys::default(),
        });
        keys.exported.copy_from_slice(exported);
        keys.derive(mic);
        keys
    }

    fn derive(&mut self, mic: Option<IntegrityCode<'_>>) {
        let Self { flags, exported, client, server, .. } = self;
        let weakened = exported.get(..seal_strength(*flags)).unwrap_or_default();
        let texts: [[&[u8]; 2]; 4] = [
            [&**exported, CLIENT_SIGN],
            [weakened, CLIENT_SEAL],
            [&**exported, SERVER_SIGN],
            [weakened, SERVER_SEAL],
        ];
        let mut mac = MacKey::default();
        if mic.is_some() {
            mac.prepare(exported);
        }
        // The integrity code is the longest.
        let mut jobs: [Job<'_>; 5] =
            core::array::from_fn(|at| match at.checked_sub(1).and_then(|at| texts.get(at)) {
                Some(text) => Job::new(text),
                None => mac.job(mic.as_ref().map_or(&[], |mic| mic.messages)),
            });
        let wanted = match (&mic, flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY)) {
            (Some(_), true) => &mut jobs[..],
            (Some(_), false) => &mut jobs[..1],
            (None, true) => &mut jobs[1..],
            (None, false) => &mut [],
        };
        run_all(wanted);
        let [code, client_sign, client_seal, server_sign, server_seal] = &jobs;
        if let Some(mic) = mic {
            mac.finish(code, mic.code);
        }
        if flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY) {
            client.take(client_sign, client_seal);
            server.take(server_sign, server_seal);
        } else {
            client.take_whole(*flags, exported);
            server.take_whole(*flags, exported);
        }
    }

    pub(crate) fn of(&self, sender: Sender) -> &DirectionKeys {
        match sender {
            Sender::Client => &self.client,
            Sender::Server => &self.server,
        }
    }

    pub(crate) fn peer(&self) -> Sender {
        match self.end {
            Sender::Client => Sender::Server,
            Sender::Server => Sender::Client,
        }
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY)
    }

    /// Whether a signature stands there only because one must: it proves nothing.
    pub(crate) fn is_for_show(&self) -> bool {
        let protects = NegotiateFlags::SIGN.with(NegotiateFlags::SEAL);
        self.flags.contains(NegotiateFlags::ALWAYS_SIGN)
            && self.flags.common(protects) == NegotiateFlags::default()
    }

    /// The signature before its encryption.
    pub(crate) fn plain(&self, sender: Sender, sequence: u32, text: &[u8]) -> [u8; 16] {
        let number = sequence.to_le_bytes();
        if self.is_for_show() {
            assemble([&VERSION, &[], &[]])
        } else if self.is_extended() {
            let mut checksum = Inline16::default();
            self.of(sender).mac().mac(&[&number, text], &mut checksum);
            assemble([&VERSION, checksum.get(..8).unwrap_or_default(), &number])
        } else {
            assemble([&VERSION, &[0; 4], &crc32(text).to_le_bytes()])
        }
    }

    /// Encrypts a signature with what `apply` does to octets; returns how many octets of key stream it takes.
    pub(crate) fn encrypt(
        &self,
        apply: impl FnOnce(&mut [u8]),
        sequence: u32,
        signature: &mut [u8; 16],
    ) -> usize {
        if self.is_for_show() {
            return 0;
        }
        if self.is_extended() {
            if !self.flags.contains(NegotiateFlags::KEY_EXCHANGE) {
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

    /// Compares in constant time. Without extended session security the pad says nothing; what stands there for show is
    /// never right.
    pub(crate) fn is_right(&self, expected: &[u8; 16], signature: &[u8]) -> bool {
        let Ok(mut signature) = <[u8; 16]>::try_from(signature) else {
            return false;
        };
        if self.is_for_show() {
            return false;
        }
        if !self.is_extended() {
            signature.iter_mut().skip(4).take(4).for_each(|place| *place = 0);
        }
        expected.ct_eq(&signature).into()
    }
}

/// The parts one behind the other, then zeros.
fn assemble(parts: [&[u8]; 3]) -> [u8; 16] {
    let mut signature = [0; 16];
    signature.iter_mut().zip(parts.into_iter().flatten()).for_each(|(place, octet)| *place = *octet);
    signature
}

/// First octets of every signature.
const VERSION: [u8; 4] = [1, 0, 0, 0];
