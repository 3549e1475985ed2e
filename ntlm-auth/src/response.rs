//! The NTLMv2 response: the proof that somebody knows the password.

use subtle::ConstantTimeEq;

use crate::credentials::ResponseKey;
use crate::digest::{KeyStream, Secret16};
use crate::error::{Error, Rule};
use crate::file_time::FileTime;
use crate::message::AvPairs;

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
        let mut temp = vec![1, 1, 0, 0, 0, 0, 0, 0];
        temp.extend_from_slice(&input.time.0.to_le_bytes());
        temp.extend_from_slice(&input.client_challenge);
        temp.extend_from_slice(&[0; 4]);
        temp.extend_from_slice(input.target_info);
        temp.extend_from_slice(&[0; 4]);
        let proof = key.mac.mac(&[&input.server_challenge, &temp]);
        let nt_response = [proof.as_slice(), &temp].concat();
        Self { nt_response, proof: *proof, session_base_key: key.mac.mac(&[&*proof]) }
    }

    /// What is sent, and the key that follows from it.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Secret16) {
        (self.nt_response, self.session_base_key)
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

/// The LMv2 response. It only helps those who guess passwords: send zeros instead, unless a server insists.
///
/// MS-NLMP 3.3.2
#[must_use]
pub fn lm_v2_response(key: &ResponseKey, server_challenge: [u8; 8], client_challenge: [u8; 8]) -> [u8; 24] {
    let proof = key.mac.mac(&[&server_challenge, &client_challenge]);
    let mut response = [0; 24];
    for (place, octet) in response.iter_mut().zip(proof.iter().chain(&client_challenge)) {
        *place = *octet;
    }
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
    KeyStream::new(session_base_key).apply(key);
}

/// A response of a peer.
pub(crate) struct ReceivedResponse<'a> {
    proof: [u8; 16],
    temp: &'a [u8],
    pub(crate) time: FileTime,
    pub(crate) target_info: AvPairs,
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
            target_info: AvPairs::parse(list, 0).map_err(|_| broken)?,
        })
    }

    /// The session base key if the proof is right.
    pub(crate) fn prove(&self, key: &ResponseKey, server_challenge: [u8; 8]) -> Option<Secret16> {
        let proof = key.mac.mac(&[&server_challenge, self.temp]);
        let right = bool::from(proof.as_slice().ct_eq(&self.proof));
        let session_base_key = key.mac.mac(&[&*proof]);
        right.then_some(session_base_key)
    }
}
