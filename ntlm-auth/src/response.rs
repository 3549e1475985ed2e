//! The NTLMv2 response: the proof that somebody knows the password.

use subtle::ConstantTimeEq;

use crate::credentials::ResponseKey;
use crate::digest::{Inline16, Rc4, Secret16};
use crate::error::{Error, Rule};
use crate::file_time::FileTime;
use crate::message::AvList;

/// What a response is made of besides the password.
///
/// MS-NLMP 3.3.2
#[derive(Clone, Copy, Debug)]
pub struct ResponseInput<'a> {
    /// The server's random number.
    pub server_challenge: [u8; 8],
    /// The client's random number.
    pub client_challenge: [u8; 8],
    /// The time that stands in the response.
    pub time: FileTime,
    /// The attributes, as a list with its end mark.
    pub target_info: &'a [u8],
}

/// A response and the keys that follow from it.
///
/// MS-NLMP 3.3.2
#[derive(Clone)]
#[expect(clippy::struct_field_names, reason = "the names of the specification")]
pub struct Response {
    /// Proof and what it was made of, as it is sent.
    pub nt_response: Vec<u8>,
    /// The proof alone.
    pub proof: [u8; 16],
    session_base_key: Secret16,
}

impl Response {
    /// Makes a response.
    ///
    /// MS-NLMP 3.3.2
    #[must_use]
    pub fn new(key: &ResponseKey, input: &ResponseInput<'_>) -> Self {
        let mut nt_response = Vec::with_capacity(PROOF + HEAD + input.target_info.len() + TAIL);
        let mut session_base_key = Secret16::default();
        begin(&mut nt_response, input.time, input.client_challenge);
        nt_response.extend_from_slice(input.target_info);
        let proof = finish(&mut nt_response, 0, key, input.server_challenge, &mut session_base_key);
        Self { nt_response, proof, session_base_key }
    }

    /// The key that is encrypted by, or becomes, the session key.
    ///
    /// MS-NLMP 3.4.5.1
    #[must_use]
    pub fn session_base_key(&self) -> &[u8; 16] {
        &self.session_base_key
    }
}

impl core::fmt::Debug for Response {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Response(..)")
    }
}

/// Begins a response at the end of a message: room for the proof, and what stands before the attributes.
pub(crate) fn begin(message: &mut Vec<u8>, time: FileTime, client_challenge: [u8; 8]) {
    message.extend_from_slice(&[0; PROOF]);
    message.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(&time.0.to_le_bytes());
    message.extend_from_slice(&client_challenge);
    message.extend_from_slice(&[0; 4]);
}

/// Finishes a response that began at `start`, behind its attributes. The key that follows is written where it stays.
pub(crate) fn finish(
    message: &mut Vec<u8>,
    start: usize,
    key: &ResponseKey,
    server_challenge: [u8; 8],
    session_base_key: &mut [u8; 16],
) -> [u8; PROOF] {
    message.extend_from_slice(&[0; TAIL]);
    let mut proof = [0; PROOF];
    if let Some((place, text)) =
        message.get_mut(start..).and_then(|response| response.split_first_chunk_mut())
    {
        key.mac(&[&server_challenge, text], &mut proof);
        *place = proof;
    }
    key.mac(&[&proof], session_base_key);
    proof
}

/// Octets of a response besides its attributes.
pub(crate) const AROUND: usize = PROOF + HEAD + TAIL;
const PROOF: usize = 16;
const HEAD: usize = 28;
const TAIL: usize = 4;

/// The LMv2 response. It only helps those who guess passwords: send zeros instead, unless a server insists.
///
/// MS-NLMP 3.3.2
#[must_use]
pub fn lm_v2_response(key: &ResponseKey, server_challenge: [u8; 8], client_challenge: [u8; 8]) -> [u8; 24] {
    let mut response = [0; 24];
    let (proof, tail) = response.split_at_mut(16);
    if let Some(proof) = proof.first_chunk_mut() {
        key.mac(&[&server_challenge, &client_challenge], proof);
    }
    tail.copy_from_slice(&client_challenge);
    response
}

/// Encrypts or decrypts the session key that travels in AUTHENTICATE.
///
/// MS-NLMP 3.1.5.1.2
#[must_use]
pub fn exchange_key(session_base_key: &[u8; 16], key: &[u8; 16]) -> [u8; 16] {
    let mut key = *key;
    exchange_in_place(session_base_key, &mut key);
    key
}

pub(crate) fn exchange_in_place(session_base_key: &[u8; 16], key: &mut [u8; 16]) {
    let mut cipher = Rc4::default();
    cipher.prepare(session_base_key);
    cipher.apply(key);
}

/// A response of a peer.
pub(crate) struct ReceivedResponse<'a> {
    proof: [u8; 16],
    temp: &'a [u8],
    pub(crate) time: FileTime,
    pub(crate) target_info: AvList<'a>,
}

impl<'a> ReceivedResponse<'a> {
    /// Reads a response of NTLMv2.
    pub(crate) fn parse(response: &'a [u8]) -> Result<Self, Error> {
        let broken = Error::Malformed { at: 20, rule: Rule::Response };
        let (proof, temp) = response.split_first_chunk::<16>().ok_or(broken)?;
        let time = temp.get(8..).and_then(|rest| rest.first_chunk()).ok_or(broken)?;
        let list = temp.get(28..).ok_or(broken)?;
        if temp.first_chunk() != Some(&[1, 1]) || list.len() < 4 {
            return Err(broken);
        }
        Ok(Self {
            proof: *proof,
            temp,
            time: FileTime(u64::from_le_bytes(*time)),
            target_info: AvList::parse(list, 0).map_err(|_| broken)?,
        })
    }

    /// Whether the proof is right. The session base key is written where it stays, whichever way.
    pub(crate) fn prove(
        &self,
        key: &ResponseKey,
        server_challenge: [u8; 8],
        session_base_key: &mut [u8; 16],
    ) -> bool {
        let mut proof = Inline16::default();
        key.mac(&[&server_challenge, self.temp], &mut proof);
        key.mac(&[&*proof], session_base_key);
        proof.ct_eq(&self.proof).into()
    }
}
