//! What a client claims, and its proof.

use core::fmt;

use subtle::ConstantTimeEq;

use super::{Acceptor, Demand};
use crate::credentials::NtHash;
use crate::digest::{Secret16, hmac_md5};
use crate::error::{Error, Refusal};
use crate::flags::NegotiateFlags;
use crate::message::{Authenticate, AvId, AvPairs, Challenge};
use crate::response::{ReceivedResponse, exchange_in_place};
use crate::response_v1::ResponseV1;
use crate::session::Session;
use crate::session_key::Sender;
use crate::text::{from_utf16, upper};

/// Who a client claims to be, before it is proven.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone)]
pub struct Claim {
    pub(super) acceptor: Acceptor,
    pub(super) flags: NegotiateFlags,
    pub(super) challenge: Challenge,
    pub(super) answer: Authenticate,
    pub(super) message: Vec<u8>,
    pub(super) kind: Kind,
}

/// How a client proves what it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    V2,
    Ntlm2Session,
    V1,
    Nobody,
}

/// What was said of the integrity code.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mic {
    /// The client sent none.
    Absent,
    /// It is right.
    Valid,
}

/// A client that is let in.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// The domain as the client wrote it.
    pub domain: String,
    /// The user as the client wrote it; empty only for somebody without a name, where that is allowed.
    pub user: String,
    /// What both agreed on.
    pub flags: NegotiateFlags,
    /// What was said of the integrity code.
    pub mic: Mic,
    /// Signatures from now on.
    pub session: Session,
}

impl Claim {
    /// The domain as the client wrote it.
    ///
    /// MS-NLMP 2.2.1.3
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.answer.domain
    }

    /// The user as the client wrote it.
    ///
    /// MS-NLMP 2.2.1.3
    #[must_use]
    pub fn user(&self) -> &str {
        &self.answer.user
    }

    /// Proves the claim with the hash of the user's password; `None` for an unknown user takes as long and fails alike.
    ///
    /// MS-NLMP 3.2.5.1.2
    pub fn prove(self, hash: Option<&NtHash>) -> Result<Accepted, Error> {
        let nobody = NtHash::from_octets([0x5a; 16]);
        let known = hash.unwrap_or(&nobody);
        let server_challenge = self.challenge.server_challenge;
        let (exported, mic) = match self.kind {
            Kind::V2 => {
                let key = known.response_key(&self.answer.user, &self.answer.domain);
                let response = ReceivedResponse::parse(&self.answer.nt_response)?;
                let (Some(base_key), Some(_)) = (response.prove(&key, server_challenge), hash) else {
                    return Err(Error::Refused(Refusal::LoginFailed));
                };
                let exported = self.exported(base_key);
                let info = &response.target_info;
                let mic = self.check_mic(info, &exported)?;
                self.check_echo(info)?;
                self.check_binding(info)?;
                self.check_target_name(info)?;
                (exported, mic)
            }
            Kind::Ntlm2Session | Kind::V1 => {
                let response = self.old_response(known)?;
                if !(response.is(&self.answer.nt_response) && hash.is_some()) {
                    return Err(Error::Refused(Refusal::LoginFailed));
                }
                (self.exported(response.exchange(self.flags, server_challenge, None)), self.unbound()?)
            }
            Kind::Nobody => (self.exported(Secret16::default()), self.unbound()?),
        };
        let session = Session::new(Sender::Server, self.flags, &exported);
        let Authenticate { domain, user, .. } = self.answer;
        Ok(Accepted { domain, user, flags: self.flags, mic, session })
    }

    fn old_response(&self, hash: &NtHash) -> Result<ResponseV1, Error> {
        let server_challenge = self.challenge.server_challenge;
        if self.kind == Kind::V1 {
            return Ok(ResponseV1::plain(hash, server_challenge));
        }
        let lm = self.answer.lm_response.first_chunk().copied();
        let client_challenge = lm.ok_or(Error::Refused(Refusal::LoginFailed))?;
        Ok(ResponseV1::ntlm2_session(hash, server_challenge, client_challenge))
    }

    fn exported(&self, key: Secret16) -> Secret16 {
        match <[u8; 16]>::try_from(self.answer.encrypted_session_key.as_slice()) {
            Ok(encrypted) if self.flags.contains(NegotiateFlags::KEY_EXCHANGE) => {
                let mut exported = Secret16::of(&encrypted);
                exchange_in_place(&key, &mut exported);
                exported
            }
            _ => key,
        }
    }

    /// A login without attributes can carry no integrity code, no binding and no name.
    fn unbound(&self) -> Result<Mic, Error> {
        let nothing = AvPairs::new();
        self.check_binding(&nothing)?;
        self.check_target_name(&nothing)?;
        match self.acceptor.config.mic {
            Demand::Required => Err(Error::Refused(Refusal::NoMic)),
            Demand::Optional => Ok(Mic::Absent),
        }
    }

    fn check_mic(&self, info: &AvPairs, exported: &[u8; 16]) -> Result<Mic, Error> {
        if info.flags() & AvPairs::MIC_PRESENT == 0 {
            let knew_time =
                self.challenge.target_info.as_ref().is_some_and(|info| info.timestamp().is_some());
            return if self.acceptor.config.mic == Demand::Required && knew_time {
                Err(Error::Refused(Refusal::NoMic))
            } else {
                Ok(Mic::Absent)
            };
        }
        let received = self.answer.mic.ok_or(Error::Refused(Refusal::WrongMic))?;
        let mut message = self.message.clone();
        if let Some(place) = message.get_mut(Authenticate::MIC_RANGE) {
            place.fill(0);
        }
        let expected = hmac_md5(exported, &[&self.acceptor.negotiate, &self.acceptor.challenge, &message]);
        if bool::from(expected.as_slice().ct_eq(&received)) {
            Ok(Mic::Valid)
        } else {
            Err(Error::Refused(Refusal::WrongMic))
        }
    }

    /// The attributes that we sent must come back as they were.
    fn check_echo(&self, info: &AvPairs) -> Result<(), Error> {
        let clients = [AvId::FLAGS, AvId::TARGET_NAME, AvId::CHANNEL_BINDINGS];
        let sent = self.challenge.target_info.iter().flat_map(AvPairs::iter);
        for (id, value) in sent.filter(|(id, _)| !clients.contains(id)) {
            let forged = match self.acceptor.config.echo {
                Demand::Required => !info.iter().any(|echoed| echoed == (id, value)),
                Demand::Optional => info.get(id).is_some_and(|echoed| echoed != value),
            };
            if forged {
                return Err(Error::Refused(Refusal::TargetInfo));
            }
        }
        Ok(())
    }

    fn check_binding(&self, info: &AvPairs) -> Result<(), Error> {
        let config = &self.acceptor.config;
        let sent = info.get(AvId::CHANNEL_BINDINGS).filter(|sent| sent.iter().any(|octet| *octet != 0));
        let right = match (sent, config.channel_binding) {
            (Some(sent), Some(ours)) => bool::from(sent.ct_eq(&ours.0)),
            (None, _) | (Some(_), None) => config.binding == Demand::Optional,
        };
        if right { Ok(()) } else { Err(Error::Refused(Refusal::ChannelBinding)) }
    }

    fn check_target_name(&self, info: &AvPairs) -> Result<(), Error> {
        let names = &self.acceptor.config.accepted_target_names;
        if names.is_empty() {
            return Ok(());
        }
        let sent = info.get(AvId::TARGET_NAME).unwrap_or_default();
        let sent = from_utf16(sent, 0, sent.len())?;
        if names.iter().any(|name| *upper(name) == *upper(&sent)) {
            Ok(())
        } else {
            Err(Error::Refused(Refusal::TargetName))
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("answer", &self.answer).finish_non_exhaustive()
    }
}
