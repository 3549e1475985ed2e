//! What a client claims, and its proof.

use core::fmt;

use subtle::ConstantTimeEq;

use super::{Acceptor, Demand};
use crate::credentials::{NtHash, ResponseKey};
use crate::digest::Inline16;
use crate::error::{Error, Refusal};
use crate::flags::NegotiateFlags;
use crate::message::{Authenticate, AvId, AvList, AvPairs, Received};
use crate::response::{ReceivedResponse, exchange_in_place};
use crate::response_v1::ResponseV1;
use crate::session::{IntegrityCode, Session};
use crate::session_key::Sender;
use crate::text::{from_utf16, upper};

/// Who a client claims to be, before it is proven.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone)]
pub struct Claim {
    pub(super) acceptor: Acceptor,
    pub(super) flags: NegotiateFlags,
    pub(super) domain: String,
    pub(super) user: String,
    pub(super) workstation: String,
    /// The answer; it was read once and can be read again.
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
        &self.domain
    }

    /// The user as the client wrote it.
    ///
    /// MS-NLMP 2.2.1.3
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Proves the claim with the hash of the user's password; `None` for an unknown user takes as long and fails alike.
    ///
    /// MS-NLMP 3.2.5.1.2
    pub fn prove(self, hash: Option<&NtHash>) -> Result<Accepted, Error> {
        let known = hash.map_or(&NOBODY, NtHash::expose);
        let answer = Received::parse(&self.message)?;
        let server_challenge = self.acceptor.offer.server_challenge;
        // First the key that the session key is exchanged with, then the session key itself.
        let mut key = Inline16::default();
        let (session, mic) = match self.kind {
            Kind::V2 => {
                let response_key = ResponseKey::new(known, &self.user, &self.domain);
                let response = ReceivedResponse::parse(answer.nt_response)?;
                let is_right = response.prove(&response_key, server_challenge, &mut key);
                if !(is_right && hash.is_some()) {
                    return Err(Error::Refused(Refusal::LoginFailed));
                }
                self.export(&answer, &mut key);
                let info = response.target_info;
                let with_mic = self.check_mic(&answer, info, &key)?;
                self.check_echo(info)?;
                self.check_binding(info)?;
                self.check_target_name(info)?;
                with_mic
            }
            Kind::Ntlm2Session | Kind::V1 => {
                let response = self.old_response(&answer, known)?;
                if !(response.is(answer.nt_response) && hash.is_some()) {
                    return Err(Error::Refused(Refusal::LoginFailed));
                }
                key.copy_from_slice(&*response.exchange(self.flags, server_challenge, None));
                self.export(&answer, &mut key);
                self.unbound(&key)?
            }
            Kind::Nobody => {
                self.export(&answer, &mut key);
                self.unbound(&key)?
            }
        };
        let Self { domain, user, flags, .. } = self;
        Ok(Accepted { domain, user, flags, mic, session })
    }

    fn old_response(&self, answer: &Received<'_>, hash: &[u8; 16]) -> Result<ResponseV1, Error> {
        let server_challenge = self.acceptor.offer.server_challenge;
        if self.kind == Kind::V1 {
            return Ok(ResponseV1::of_hash(hash, server_challenge));
        }
        let lm = answer.lm_response.first_chunk().copied();
        let client_challenge = lm.ok_or(Error::Refused(Refusal::LoginFailed))?;
        Ok(ResponseV1::ntlm2_session_of_hash(hash, server_challenge, client_challenge))
    }

    /// Puts the session key in the place of the key that it is exchanged with.
    fn export(&self, answer: &Received<'_>, key: &mut Inline16) {
        match <[u8; 16]>::try_from(answer.encrypted_session_key) {
            Ok(encrypted) if self.flags.contains(NegotiateFlags::KEY_EXCHANGE) => {
                let mut exported = Inline16::new(encrypted);
                exchange_in_place(key, &mut exported);
                key.copy_from_slice(&*exported);
            }
            _ => {}
        }
    }

    /// A login without attributes can carry no integrity code, no binding and no name.
    fn unbound(&self, key: &[u8; 16]) -> Result<(Session, Mic), Error> {
        let nothing = AvList::default();
        self.check_binding(nothing)?;
        self.check_target_name(nothing)?;
        match self.acceptor.config.mic {
            Demand::Required => Err(Error::Refused(Refusal::NoMic)),
            Demand::Optional => Ok((Session::new(Sender::Server, self.flags, key, None), Mic::Absent)),
        }
    }

    /// The session, if the integrity code is right or may be absent.
    fn check_mic(
        &self,
        answer: &Received<'_>,
        info: AvList<'_>,
        key: &[u8; 16],
    ) -> Result<(Session, Mic), Error> {
        let Self { acceptor, flags, message, .. } = self;
        if info.flags() & AvPairs::MIC_PRESENT == 0 {
            let offered = acceptor.offer.target_info.as_ref();
            let knew_time = offered.is_some_and(|info| info.timestamp().is_some());
            return if acceptor.config.mic == Demand::Required && knew_time {
                Err(Error::Refused(Refusal::NoMic))
            } else {
                Ok((Session::new(Sender::Server, *flags, key, None), Mic::Absent))
            };
        }
        let wrong = Error::Refused(Refusal::WrongMic);
        let received = answer.mic.ok_or(wrong)?;
        let before = message.get(..Authenticate::MIC_RANGE.start).ok_or(wrong)?;
        let behind = message.get(Authenticate::MIC_RANGE.end..).ok_or(wrong)?;
        // The code covers the message with zeros in its own place.
        let messages = [&acceptor.negotiate, &acceptor.challenge, before, &[0; 16], behind];
        let mut code = [0; 16];
        let wanted = IntegrityCode { messages: &messages, code: &mut code };
        let session = Session::new(Sender::Server, *flags, key, Some(wanted));
        if bool::from(code.ct_eq(&received)) { Ok((session, Mic::Valid)) } else { Err(wrong) }
    }

    /// The attributes that we sent must come back as they were.
    fn check_echo(&self, info: AvList<'_>) -> Result<(), Error> {
        let clients = [AvId::FLAGS, AvId::TARGET_NAME, AvId::CHANNEL_BINDINGS];
        let sent = self.acceptor.offer.target_info.iter().flat_map(AvPairs::iter);
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

    fn check_binding(&self, info: AvList<'_>) -> Result<(), Error> {
        let config = &self.acceptor.config;
        let sent = info.get(AvId::CHANNEL_BINDINGS).filter(|sent| sent.iter().any(|octet| *octet != 0));
        let right = match (sent, config.channel_binding) {
            (Some(sent), Some(ours)) => bool::from(sent.ct_eq(&ours.0)),
            (None, _) | (Some(_), None) => config.binding == Demand::Optional,
        };
        if right { Ok(()) } else { Err(Error::Refused(Refusal::ChannelBinding)) }
    }

    fn check_target_name(&self, info: AvList<'_>) -> Result<(), Error> {
        let names = &self.acceptor.config.accepted_target_names;
        if names.is_empty() {
            return Ok(());
        }
        let sent = info.get(AvId::TARGET_NAME).unwrap_or_default();
        let sent = from_utf16(sent, 0, sent.len())?;
        if names.iter().any(|name| upper(name).eq(upper(&sent))) {
            Ok(())
        } else {
            Err(Error::Refused(Refusal::TargetName))
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("flags", &self.flags)
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .finish_non_exhaustive()
    }
}

/// Stands for the hash of an unknown user, so that he takes as long.
const NOBODY: [u8; 16] = [0x5a; 16];
