//! The responses of old: NTLMv1, LM and NTLM2 session.

use subtle::ConstantTimeEq;

use crate::credentials::NtHash;
use crate::digest::{Inline16, Secret16, des, des_long, hmac_md5, md4, md5};
use crate::flags::NegotiateFlags;

/// The LM hash of a password (LMOWFv1). It exists for the arithmetic of old sessions; nothing here sends a response of it.
///
/// MS-NLMP 3.3.1
#[derive(Clone)]
pub struct LmHash(Secret16);

impl LmHash {
    /// The hash of a password, if it can be written in every code page: up to 14 characters of ASCII.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn of_password(password: &str) -> Option<Self> {
        if password.len() > 14 || !password.is_ascii() {
            return None;
        }
        let mut halves = zeroize::Zeroizing::new([0_u8; 14]);
        halves
            .iter_mut()
            .zip(password.bytes())
            .for_each(|(place, octet)| *place = octet.to_ascii_uppercase());
        let mut hash = Secret16::default();
        for (place, half) in hash.as_chunks_mut::<8>().0.iter_mut().zip(halves.as_chunks::<7>().0) {
            *place = des(*half, *b"KGS!@#$%");
        }
        Some(Self(hash))
    }

    /// The octets, for test benches.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// The LM response.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn response(&self, server_challenge: [u8; 8]) -> [u8; 24] {
        des_long(&self.0, server_challenge)
    }
}

/// A response of NTLMv1 or NTLM2 session and the key that follows from it.
///
/// MS-NLMP 3.3.1
#[derive(Clone)]
pub struct ResponseV1 {
    /// What is sent as NT response.
    pub nt_response: [u8; 24],
    /// What is sent as LM response.
    pub lm_response: [u8; 24],
    session_base_key: Secret16,
}

impl ResponseV1 {
    /// NTLMv1. The NT response stands in place of the LM response too.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn plain(hash: &NtHash, server_challenge: [u8; 8]) -> Self {
        Self::of_hash(hash.expose(), server_challenge)
    }

    pub(crate) fn of_hash(hash: &[u8; 16], server_challenge: [u8; 8]) -> Self {
        let nt_response = des_long(hash, server_challenge);
        Self { nt_response, lm_response: nt_response, session_base_key: base_key(hash) }
    }

    /// NTLM2 session: the client's random number stands in place of the LM response.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn ntlm2_session(hash: &NtHash, server_challenge: [u8; 8], client_challenge: [u8; 8]) -> Self {
        Self::ntlm2_session_of_hash(hash.expose(), server_challenge, client_challenge)
    }

    pub(crate) fn ntlm2_session_of_hash(
        hash: &[u8; 16],
        server_challenge: [u8; 8],
        client_challenge: [u8; 8],
    ) -> Self {
        let mut both = Inline16::default();
        md5(&[&server_challenge, &client_challenge], &mut both);
        let block = both.first_chunk().copied().unwrap_or_default();
        let mut lm_response = [0; 24];
        lm_response.iter_mut().zip(client_challenge).for_each(|(place, octet)| *place = octet);
        let nt_response = des_long(hash, block);
        Self { nt_response, lm_response, session_base_key: base_key(hash) }
    }

    /// The key that the session key is exchanged with (KXKEY). Without extended session security some flags let it follow
    /// from the LM hash; where that is not given they are ignored.
    ///
    /// MS-NLMP 3.4.5.1
    #[must_use]
    pub fn key_exchange_key(
        &self,
        flags: NegotiateFlags,
        server_challenge: [u8; 8],
        lm: Option<&LmHash>,
    ) -> KeyExchangeKey {
        KeyExchangeKey(self.exchange(flags, server_challenge, lm))
    }

    pub(crate) fn exchange(
        &self,
        flags: NegotiateFlags,
        server_challenge: [u8; 8],
        lm: Option<&LmHash>,
    ) -> Secret16 {
        let head = self.lm_response.first_chunk::<8>().copied().unwrap_or_default();
        if flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY) {
            let mut key = Secret16::default();
            hmac_md5(&self.session_base_key, &[&server_challenge, &head], &mut key);
            return key;
        }
        let Some(LmHash(lm)) = lm else { return self.session_base_key.clone() };
        let mut key = Secret16::default();
        let (first, second) = key.split_at_mut(8);
        let start = lm.first_chunk::<7>().copied().unwrap_or_default();
        let last = lm.get(7).copied().unwrap_or_default();
        if flags.contains(NegotiateFlags::LM_KEY) {
            first.copy_from_slice(&des(start, head));
            second.copy_from_slice(&des([last, 0xbd, 0xbd, 0xbd, 0xbd, 0xbd, 0xbd], head));
        } else if flags.contains(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY) {
            first.iter_mut().zip(lm.iter()).for_each(|(place, octet)| *place = *octet);
        } else {
            return self.session_base_key.clone();
        }
        key
    }

    /// The key that others follow from.
    ///
    /// MS-NLMP 3.3.1
    #[must_use]
    pub fn session_base_key(&self) -> &[u8; 16] {
        &self.session_base_key
    }

    /// Whether a peer's responses are these.
    pub(crate) fn is(&self, nt_response: &[u8]) -> bool {
        self.nt_response.as_slice().ct_eq(nt_response).into()
    }
}

fn base_key(hash: &[u8; 16]) -> Secret16 {
    let mut key = Secret16::default();
    md4(hash, &mut key);
    key
}

/// A key between a response and a session, wiped when dropped.
///
/// MS-NLMP 3.4.5.1
#[derive(Clone)]
pub struct KeyExchangeKey(Secret16);

impl KeyExchangeKey {
    /// The octets, for test benches.
    ///
    /// MS-NLMP 3.4.5.1
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl core::fmt::Debug for LmHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LmHash(..)")
    }
}

impl core::fmt::Debug for ResponseV1 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ResponseV1(..)")
    }
}

impl core::fmt::Debug for KeyExchangeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyExchangeKey(..)")
    }
}
