//! The one who lets in, or does not: for test benches and simulators.

mod claim;
mod config;

use core::mem;

use crate::error::{Error, Refusal};
use crate::file_time::FileTime;
use crate::flags::NegotiateFlags;
use crate::initiator::{Mode, is_key_exchanged};
use crate::message::{AvId, Challenge, Negotiate, Received};
use crate::policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};
use crate::response::ReceivedResponse;

use claim::Kind;
pub use claim::{Accepted, Claim, Mic};
pub use config::{AcceptorConfig, Demand};

/// The one who lets in, with one challenge that is answered at most once.
///
/// MS-NLMP 3.2
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: AcceptorConfig,
    /// The client's first message; empty if there was none, and the integrity code then goes without it.
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    /// What stands in the challenge.
    offer: Challenge,
}

impl Acceptor {
    /// Answers a client's first message with a challenge that carries `time`, if given. Without a connection there is no
    /// first message, and one that is given all the same is no part of the login.
    ///
    /// MS-NLMP 3.2.5.1.1, 3.2.5.2
    pub fn new(
        mut config: AcceptorConfig,
        negotiate: Option<&[u8]>,
        server_challenge: [u8; 8],
        time: Option<FileTime>,
    ) -> Result<Self, Error> {
        let offered = match negotiate {
            Some(message) => Negotiate::parse(message)?.flags,
            None => config.flags,
        };
        let fixed = NegotiateFlags::TARGET_INFO
            .with(NegotiateFlags::TARGET_TYPE_DOMAIN)
            .with(NegotiateFlags::TARGET_TYPE_SERVER);
        let mut flags = match config.mode {
            Mode::Datagram => config.flags,
            Mode::Stream => config.flags.common(offered.with(fixed)),
        };
        if !flags.contains(NegotiateFlags::UNICODE)
            && config.text == TextPolicy::AllowOem
            && offered.contains(NegotiateFlags::OEM)
        {
            flags = flags.with(NegotiateFlags::OEM);
        }
        if let Some(time) = time {
            config.target_info.replace(AvId::TIMESTAMP, time.0.to_le_bytes());
        }
        let has_info = flags.contains(NegotiateFlags::TARGET_INFO);
        let target_info = has_info.then(|| mem::take(&mut config.target_info));
        let target_name = Challenge::name(&config.target_name, flags);
        let offer = Challenge { flags, target_name, server_challenge, target_info, version: config.version };
        let challenge = offer.emit()?;
        Ok(Self::of(config, negotiate.unwrap_or_default(), challenge, offer))
    }

    /// Goes on with a challenge that somebody else made. An empty first message stands for none.
    ///
    /// MS-NLMP 3.2.5.1.2
    pub fn with_challenge(config: AcceptorConfig, negotiate: &[u8], challenge: &[u8]) -> Result<Self, Error> {
        let offer = Challenge::parse(challenge)?;
        Ok(Self::of(config, negotiate, challenge.to_vec(), offer))
    }

    fn of(config: AcceptorConfig, negotiate: &[u8], challenge: Vec<u8>, offer: Challenge) -> Self {
        let negotiate = match config.mode {
            Mode::Datagram => Vec::new(),
            Mode::Stream => negotiate.to_vec(),
        };
        Self { config, negotiate, challenge, offer }
    }

    /// The challenge to be sent.
    ///
    /// MS-NLMP 2.2.1.2
    #[must_use]
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Reads the client's answer: who it claims to be. Nothing is proven yet.
    ///
    /// MS-NLMP 3.2.5.1.2
    pub fn authenticate(self, now: FileTime, message: &[u8]) -> Result<Claim, Error> {
        let answer = Received::parse(message)?;
        let (domain, user, workstation) = (answer.domain()?, answer.user()?, answer.workstation()?);
        let kind = self.kind(&answer, &user)?;
        let flags = self.agree(self.offer.flags, answer.flags, kind)?;
        if kind == Kind::V2 {
            let response = ReceivedResponse::parse(answer.nt_response)?;
            if self.config.max_skew.is_some_and(|skew| response.time.distance(now) > skew) {
                return Err(Error::Refused(Refusal::ClockSkew));
            }
        }
        if flags.contains(NegotiateFlags::KEY_EXCHANGE)
            && answer.encrypted_session_key.len() != 16
            && (is_key_exchanged(flags) || !answer.encrypted_session_key.is_empty())
        {
            return Err(Error::Refused(Refusal::NoSessionKey));
        }
        Ok(Claim { acceptor: self, flags, domain, user, workstation, message: message.to_vec(), kind })
    }

    /// How the client proves what it claims, if policy allows that.
    fn kind(&self, answer: &Received<'_>, user: &str) -> Result<Kind, Error> {
        let extended = answer.flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY);
        let weak = Err(Error::Refused(Refusal::WeakResponse));
        if user.is_empty() {
            let nothing = answer.nt_response.is_empty() && matches!(answer.lm_response, [] | [0]);
            return match self.config.anonymous {
                AnonymousPolicy::Allow if nothing => Ok(Kind::Nobody),
                _ => Err(Error::Refused(Refusal::Anonymous)),
            };
        }
        match (answer.nt_response.len(), self.config.responses, extended) {
            (V1_LENGTH, ResponsePolicy::AllowNtlm2Session | ResponsePolicy::AllowNtlmV1, true) => {
                Ok(Kind::Ntlm2Session)
            }
            (V1_LENGTH, ResponsePolicy::AllowNtlmV1, false) => Ok(Kind::V1),
            (0..=V1_LENGTH, _, _) => weak,
            _ => Ok(Kind::V2),
        }
    }

    fn agree(
        &self,
        offered: NegotiateFlags,
        chosen: NegotiateFlags,
        kind: Kind,
    ) -> Result<NegotiateFlags, Error> {
        let mut required = match self.config.mode {
            Mode::Datagram => NegotiateFlags::DATAGRAM_REQUIRED,
            Mode::Stream => NegotiateFlags::STREAM_REQUIRED.without(NegotiateFlags::TARGET_INFO),
        };
        match kind {
            Kind::V2 => {}
            Kind::Nobody => required = required.without(NegotiateFlags::TARGET_INFO),
            Kind::Ntlm2Session => {
                required = required.without(NegotiateFlags::TARGET_INFO).without(NegotiateFlags::KEY_128);
            }
            Kind::V1 => {
                required = required
                    .without(NegotiateFlags::TARGET_INFO)
                    .without(NegotiateFlags::KEY_128)
                    .without(NegotiateFlags::EXTENDED_SESSION_SECURITY);
            }
        }
        if self.config.text == TextPolicy::AllowOem && chosen.contains(NegotiateFlags::OEM) {
            required = required.without(NegotiateFlags::UNICODE);
        }
        if chosen.contains(NegotiateFlags::ANONYMOUS) && kind != Kind::Nobody {
            return Err(Error::Refused(Refusal::Anonymous));
        }
        if !chosen.contains(required) {
            return Err(Error::Refused(Refusal::Flags));
        }
        // Flags without a meaning for keys may stand in an answer as the client likes.
        let free = NegotiateFlags::REQUEST_TARGET
            .with(NegotiateFlags::VERSION)
            .with(NegotiateFlags::TARGET_INFO)
            .with(NegotiateFlags::IDENTIFY)
            .with(NegotiateFlags::ANONYMOUS);
        if !offered.with(free).contains(chosen) {
            return Err(Error::Refused(Refusal::FlagsNotOffered));
        }
        Ok(chosen)
    }
}

/// Responses of NTLMv1 and LM have 24 octets.
const V1_LENGTH: usize = 24;
