//! The one who lets in, or does not: for test benches and simulators.

use std::time::Duration;

use subtle::ConstantTimeEq;

use crate::channel_binding::ChannelBinding;
use crate::credentials::NtHash;
use crate::digest::{Secret16, hmac_md5};
use crate::error::{Error, Refusal};
use crate::file_time::FileTime;
use crate::flags::NegotiateFlags;
use crate::initiator::{MAX_SKEW, Mode, is_key_exchanged};
use crate::message::{Authenticate, AvId, AvPairs, Challenge, Negotiate, Version};
use crate::response::{ReceivedResponse, exchange_key};
use crate::session::Session;
use crate::session_key::Sender;
use crate::text::{from_utf16, upper};

/// Whether something must be there, or is only checked if it is.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Demand {
    /// Checked if it is there.
    Optional,
    /// Refused if it is not there.
    Required,
}

/// How to let in.
///
/// MS-NLMP 3.2.1
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcceptorConfig {
    /// Over a connection or not.
    pub mode: Mode,
    /// What is offered; the usual word of a Lync server without a connection.
    pub flags: NegotiateFlags,
    /// Our attributes; they must name computer and domain.
    pub target_info: AvPairs,
    /// Our name.
    pub target_name: String,
    /// Our software.
    pub version: Version,
    /// Whether a client that knew our time must send an integrity code.
    pub mic: Demand,
    /// The TLS connection that logins must belong to.
    pub channel_binding: Option<ChannelBinding>,
    /// Whether logins must be bound at all.
    pub binding: Demand,
    /// Names of services under which we may be meant; none: any.
    pub accepted_target_names: Vec<String>,
    /// How far a client's clock may be off; `None` does not ask.
    pub max_skew: Option<Duration>,
}

impl AcceptorConfig {
    /// A server of that name in that domain.
    ///
    /// MS-NLMP 3.2.1
    #[must_use]
    pub fn new(mode: Mode, computer: &str, domain: &str) -> Self {
        let mut target_info = AvPairs::new();
        target_info.replace_text(AvId::NB_DOMAIN_NAME, domain);
        target_info.replace_text(AvId::NB_COMPUTER_NAME, computer);
        let flags = match mode {
            Mode::Datagram => NegotiateFlags(0xe298_82f3),
            Mode::Stream => NegotiateFlags(0x628a_8235),
        };
        Self {
            mode,
            flags,
            target_info,
            target_name: String::new(),
            version: crate::message::USUAL_VERSION,
            mic: Demand::Optional,
            channel_binding: None,
            binding: Demand::Optional,
            accepted_target_names: Vec::new(),
            max_skew: Some(MAX_SKEW),
        }
    }
}

/// The one who lets in, with one challenge that is answered at most once.
///
/// MS-NLMP 3.2
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: AcceptorConfig,
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
}

impl Acceptor {
    /// Answers a client's first message (none without a connection) with a challenge that carries `time`, if given.
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
        let flags = match config.mode {
            Mode::Datagram => config.flags,
            Mode::Stream => config.flags.common(offered.with(fixed)),
        };
        if let Some(time) = time {
            config.target_info.replace(AvId::TIMESTAMP, time.0.to_le_bytes().to_vec());
        }
        let target_info = Some(config.target_info.clone());
        let target_name = Challenge::name(&config.target_name);
        let challenge =
            Challenge { flags, target_name, server_challenge, target_info, version: config.version };
        let challenge = challenge.emit()?;
        Ok(Self { config, negotiate: negotiate.unwrap_or_default().to_vec(), challenge })
    }

    /// Goes on with a challenge that somebody else made.
    ///
    /// MS-NLMP 3.2.5.1.2
    pub fn with_challenge(config: AcceptorConfig, negotiate: &[u8], challenge: &[u8]) -> Result<Self, Error> {
        Challenge::parse(challenge)?;
        Ok(Self { config, negotiate: negotiate.to_vec(), challenge: challenge.to_vec() })
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
        let answer = Authenticate::parse(message)?;
        let challenge = Challenge::parse(&self.challenge)?;
        let flags = self.agree(challenge.flags, answer.flags)?;
        if answer.user.is_empty() || answer.nt_response.is_empty() {
            return Err(Error::Refused(Refusal::Anonymous));
        }
        if answer.nt_response.len() <= V1_LENGTH {
            return Err(Error::Refused(Refusal::WeakResponse));
        }
        let response = ReceivedResponse::parse(&answer.nt_response)?;
        if self.config.max_skew.is_some_and(|skew| response.time.distance(now) > skew) {
            return Err(Error::Refused(Refusal::ClockSkew));
        }
        if flags.contains(NegotiateFlags::KEY_EXCHANGE)
            && answer.encrypted_session_key.len() != 16
            && (is_key_exchanged(flags) || !answer.encrypted_session_key.is_empty())
        {
            return Err(Error::Refused(Refusal::NoSessionKey));
        }
        Ok(Claim { acceptor: self, flags, challenge, answer, message: message.to_vec() })
    }

    fn agree(&self, offered: NegotiateFlags, chosen: NegotiateFlags) -> Result<NegotiateFlags, Error> {
        let required = match self.config.mode {
            Mode::Datagram => NegotiateFlags::DATAGRAM_REQUIRED,
            Mode::Stream => NegotiateFlags::STREAM_REQUIRED.without(NegotiateFlags::TARGET_INFO),
        };
        if chosen.contains(NegotiateFlags::ANONYMOUS) {
            return Err(Error::Refused(Refusal::Anonymous));
        }
        if !chosen.contains(required) {
            return Err(Error::Refused(Refusal::Flags));
        }
        // Flags without a meaning for keys may stand in an answer as the client likes.
        let free = NegotiateFlags::REQUEST_TARGET
            .with(NegotiateFlags::VERSION)
            .with(NegotiateFlags::TARGET_INFO)
            .with(NegotiateFlags::IDENTIFY);
        if !offered.with(free).contains(chosen) {
            return Err(Error::Refused(Refusal::FlagsNotOffered));
        }
        Ok(chosen)
    }
}

/// Who a client claims to be, before it is proven.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone)]
pub struct Claim {
    acceptor: Acceptor,
    flags: NegotiateFlags,
    challenge: Challenge,
    answer: Authenticate,
    message: Vec<u8>,
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
    /// The user as the client wrote it.
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
        let key = hash.unwrap_or(&nobody).response_key(&self.answer.user, &self.answer.domain);
        let response = ReceivedResponse::parse(&self.answer.nt_response)?;
        let proven = response.prove(&key, self.challenge.server_challenge);
        let (Some(base_key), Some(_)) = (proven, hash) else {
            return Err(Error::Refused(Refusal::LoginFailed));
        };
        let exported = match <[u8; 16]>::try_from(self.answer.encrypted_session_key.as_slice()) {
            Ok(encrypted) if self.flags.contains(NegotiateFlags::KEY_EXCHANGE) => {
                Secret16::new(exchange_key(&base_key, &encrypted))
            }
            _ => base_key,
        };
        let mic = self.check_mic(&response.target_info, &exported)?;
        self.check_binding(&response.target_info)?;
        self.check_target_name(&response.target_info)?;
        let session = Session::new(Sender::Server, self.flags, &exported);
        let Authenticate { domain, user, .. } = self.answer;
        Ok(Accepted { domain, user, flags: self.flags, mic, session })
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

    fn check_binding(&self, info: &AvPairs) -> Result<(), Error> {
        let config = &self.acceptor.config;
        let sent = info.get(AvId::CHANNEL_BINDINGS).filter(|sent| sent.iter().any(|octet| *octet != 0));
        let right = match (sent, config.channel_binding) {
            (Some(sent), Some(ours)) => bool::from(sent.ct_eq(&ours.0)),
            (None, _) => config.binding == Demand::Optional,
            (Some(_), None) => config.binding == Demand::Optional,
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

impl core::fmt::Debug for Claim {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Claim").field("answer", &self.answer).finish_non_exhaustive()
    }
}

/// Responses of NTLMv1 and LM have 24 octets.
const V1_LENGTH: usize = 24;
