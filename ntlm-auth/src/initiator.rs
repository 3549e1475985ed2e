//! The one who logs in.

mod config;

use core::fmt;

use crate::credentials::Credentials;
use crate::digest::{Secret16, hmac_md5};
use crate::error::{Error, Refusal};
use crate::file_time::FileTime;
use crate::flags::NegotiateFlags;
use crate::message::{Authenticate, AvId, AvPairs, Challenge, Negotiate};
use crate::policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};
use crate::response::{Response, ResponseInput, exchange_key, lm_v2_response};
use crate::response_v1::ResponseV1;
use crate::session::Session;
use crate::session_key::Sender;

pub(crate) use config::MAX_SKEW;
pub use config::{ClientChallenge, InitiatorConfig, LmPolicy, MicPolicy, Mode, RandomSessionKey};

/// The one who logs in, before the server's challenge.
///
/// MS-NLMP 3.1
#[derive(Clone)]
pub struct Initiator {
    config: InitiatorConfig,
    /// The first message as it was sent; empty if there was none.
    negotiate: Vec<u8>,
}

/// How a password is proven.
enum Proof {
    V2(AvPairs),
    Ntlm2Session,
    V1,
    Nobody,
}

/// Responses and the key that follows from them.
struct Proven {
    lm: Vec<u8>,
    nt: Vec<u8>,
    exchange_key: Secret16,
}

impl Initiator {
    /// A login that begins.
    ///
    /// MS-NLMP 3.1.4
    #[must_use]
    pub fn new(config: InitiatorConfig) -> Self {
        let negotiate = match config.mode {
            Mode::Datagram => Vec::new(),
            Mode::Stream => {
                let mut flags = STREAM_OFFER;
                if config.responses > ResponsePolicy::NtlmV2Only {
                    flags = flags.with(NegotiateFlags::KEY_56);
                }
                if config.text == TextPolicy::AllowOem {
                    flags = flags.with(NegotiateFlags::OEM);
                }
                let version = config.version;
                // Without names it always fits.
                Negotiate { flags, version, ..Negotiate::default() }.emit().unwrap_or_default()
            }
        };
        Self { config, negotiate }
    }

    /// A login over a connection whose first message somebody else sent. An empty one stands for none: the integrity code
    /// then covers the two other messages, as it does without a connection.
    ///
    /// MS-NLMP 3.1.5.1.2
    #[must_use]
    pub fn resume(config: InitiatorConfig, negotiate: &[u8]) -> Self {
        let negotiate = match config.mode {
            Mode::Datagram => Vec::new(),
            Mode::Stream => negotiate.to_vec(),
        };
        Self { config, negotiate }
    }

    /// The first message; without a connection there is none.
    ///
    /// MS-NLMP 3.1.5.1.1
    #[must_use]
    pub fn negotiate(&self) -> Option<Vec<u8>> {
        (!self.negotiate.is_empty()).then(|| self.negotiate.clone())
    }

    /// Answers the server's challenge. Each login answers one.
    ///
    /// MS-NLMP 3.1.5.1.2, 3.1.5.2.1
    pub fn challenge(
        self,
        now: FileTime,
        message: &[u8],
        client_challenge: ClientChallenge,
        key: &RandomSessionKey,
    ) -> Result<(Vec<u8>, Session), Error> {
        let challenge = Challenge::parse(message)?;
        let (flags, proof) = self.agree(&challenge)?;
        let has_mic = self.config.mic == MicPolicy::Auto
            && matches!(&proof, Proof::V2(info) if info.timestamp().is_some());
        let proven = self.prove(now, challenge.server_challenge, client_challenge.0, flags, proof)?;
        let exchanges = is_key_exchanged(flags);
        let exported = if exchanges { &key.0 } else { &proven.exchange_key };
        let Credentials { domain, user, .. } = &self.config.credentials;
        let answer = Authenticate {
            flags,
            lm_response: proven.lm,
            nt_response: proven.nt,
            domain: domain.clone(),
            user: user.clone(),
            workstation: self.config.workstation.clone(),
            encrypted_session_key: if exchanges {
                exchange_key(&proven.exchange_key, exported).to_vec()
            } else {
                Vec::new()
            },
            version: if flags.contains(NegotiateFlags::VERSION) { self.config.version } else { [0; 8] },
            mic: has_mic.then_some([0; 16]),
        };
        let mut octets = answer.emit()?;
        if has_mic {
            let mic = hmac_md5(&**exported, &[&self.negotiate, message, &octets]);
            if let Some(place) = octets.get_mut(Authenticate::MIC_RANGE) {
                place.copy_from_slice(&*mic);
            }
        }
        Ok((octets, Session::new(Sender::Client, flags, exported)))
    }

    /// The flags of the answer and the kind of proof, if the challenge allows a login that is worth something.
    fn agree(&self, challenge: &Challenge) -> Result<(NegotiateFlags, Proof), Error> {
        let (config, offered) = (&self.config, challenge.flags);
        let Credentials { user, hash, .. } = &config.credentials;
        let anonymous = user.is_empty() || hash.is_of_nothing();
        let allowed = config.anonymous == AnonymousPolicy::Allow && user.is_empty() && hash.is_of_nothing();
        if anonymous != allowed || (offered.contains(NegotiateFlags::ANONYMOUS) && !allowed) {
            return Err(Error::Refused(Refusal::Anonymous));
        }
        let (required, mut mask) = match config.mode {
            Mode::Datagram => (NegotiateFlags::DATAGRAM_REQUIRED, DATAGRAM_MASK),
            Mode::Stream => (NegotiateFlags::STREAM_REQUIRED, STREAM_MASK),
        };
        let unicode = offered.contains(NegotiateFlags::UNICODE);
        let oem = !unicode && offered.contains(NegotiateFlags::OEM) && config.text == TextPolicy::AllowOem;
        let required = if oem { required.without(NegotiateFlags::UNICODE) } else { required };
        let (required, proof) = self.proof(challenge, required)?;
        if !offered.contains(required) {
            return Err(Error::Refused(Refusal::Flags));
        }
        if oem {
            mask = mask.with(NegotiateFlags::OEM);
        }
        if !offered.contains(NegotiateFlags::KEY_128) {
            mask = mask.with(NegotiateFlags::KEY_56);
        }
        let mut flags = offered.common(mask).with(NegotiateFlags::REQUEST_TARGET);
        if matches!(proof, Proof::Nobody) {
            flags = flags.with(NegotiateFlags::ANONYMOUS);
        }
        // A key that nothing is protected with is not exchanged; some servers insist on it where the flag stands.
        let flags = if is_key_exchanged(flags) { flags } else { flags.without(NegotiateFlags::KEY_EXCHANGE) };
        Ok((flags, proof))
    }

    /// The kind of proof that policy allows at this server, and what it demands.
    fn proof(
        &self,
        challenge: &Challenge,
        required: NegotiateFlags,
    ) -> Result<(NegotiateFlags, Proof), Error> {
        if self.config.credentials.user.is_empty() {
            return Ok((required.without(NegotiateFlags::TARGET_INFO), Proof::Nobody));
        }
        let extended = challenge.flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY);
        let weak = required.without(NegotiateFlags::TARGET_INFO).without(NegotiateFlags::KEY_128);
        let has_info = challenge.flags.contains(NegotiateFlags::TARGET_INFO);
        match (self.config.responses, extended, has_info) {
            (ResponsePolicy::NtlmV2Only, _, _) | (_, true, true) => {
                if !challenge.flags.contains(required) {
                    return Err(Error::Refused(Refusal::Flags));
                }
                let info = challenge.target_info.clone().ok_or(Error::Refused(Refusal::NoNames))?;
                let names = [AvId::NB_COMPUTER_NAME, AvId::NB_DOMAIN_NAME];
                if names.into_iter().any(|name| info.get(name).is_none()) {
                    return Err(Error::Refused(Refusal::NoNames));
                }
                Ok((required, Proof::V2(info)))
            }
            (ResponsePolicy::AllowNtlm2Session | ResponsePolicy::AllowNtlmV1, true, false) => {
                Ok((weak, Proof::Ntlm2Session))
            }
            (ResponsePolicy::AllowNtlmV1, false, _) => {
                Ok((weak.without(NegotiateFlags::EXTENDED_SESSION_SECURITY), Proof::V1))
            }
            (ResponsePolicy::AllowNtlm2Session, false, _) => Err(Error::Refused(Refusal::Flags)),
        }
    }

    fn prove(
        &self,
        now: FileTime,
        server_challenge: [u8; 8],
        client_challenge: [u8; 8],
        flags: NegotiateFlags,
        proof: Proof,
    ) -> Result<Proven, Error> {
        let Credentials { domain, user, hash } = &self.config.credentials;
        let old = |response: ResponseV1| Proven {
            exchange_key: response.exchange(flags, server_challenge, None),
            lm: response.lm_response.to_vec(),
            nt: response.nt_response.to_vec(),
        };
        Ok(match proof {
            Proof::V2(info) => {
                let time = self.time(now, &info)?;
                let target_info = self.target_info(info).emit()?;
                let input =
                    ResponseInput { server_challenge, client_challenge, time, target_info: &target_info };
                let response_key = hash.response_key(user, domain);
                let response = Response::new(&response_key, &input);
                let lm = match self.config.lm {
                    LmPolicy::Zeros => vec![0; 24],
                    LmPolicy::V2 => {
                        lm_v2_response(&response_key, server_challenge, client_challenge).to_vec()
                    }
                    LmPolicy::Nothing => Vec::new(),
                };
                let (nt, exchange_key) = response.into_parts();
                Proven { lm, nt, exchange_key }
            }
            Proof::Ntlm2Session => old(ResponseV1::ntlm2_session(hash, server_challenge, client_challenge)),
            Proof::V1 => old(ResponseV1::plain(hash, server_challenge)),
            Proof::Nobody => Proven { lm: vec![0], nt: Vec::new(), exchange_key: Secret16::default() },
        })
    }

    /// The time that stands in the response: the server's, if the clocks are not too far apart, else ours.
    fn time(&self, now: FileTime, server_info: &AvPairs) -> Result<FileTime, Error> {
        let Some(server) = server_info.timestamp().map(FileTime) else {
            return Ok(now);
        };
        if self.config.max_skew.is_some_and(|skew| server.distance(now) > skew) {
            return Err(Error::Refused(Refusal::ClockSkew));
        }
        Ok(server)
    }

    /// The server's attributes, and ours behind them.
    fn target_info(&self, mut info: AvPairs) -> AvPairs {
        let untouched = self.config.mic == MicPolicy::Never;
        if info.timestamp().is_some() && !untouched {
            let flags = info.flags() | AvPairs::MIC_PRESENT;
            info.replace(AvId::FLAGS, flags.to_le_bytes().to_vec());
        }
        if self.config.channel_binding.is_some() || !untouched {
            let binding = self.config.channel_binding.map_or([0; 16], |binding| binding.0);
            info.replace(AvId::CHANNEL_BINDINGS, binding.to_vec());
        }
        if self.config.target_name.is_some() || !untouched {
            info.replace_text(AvId::TARGET_NAME, self.config.target_name.as_deref().unwrap_or_default());
        }
        info
    }
}

/// Whether the session key is a random one that travels in AUTHENTICATE.
pub(crate) fn is_key_exchanged(flags: NegotiateFlags) -> bool {
    let protects = flags.contains(NegotiateFlags::SIGN) || flags.contains(NegotiateFlags::SEAL);
    flags.contains(NegotiateFlags::KEY_EXCHANGE) && protects
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What we answer with of what a server offers: no sealing, nothing of old.
const DATAGRAM_MASK: NegotiateFlags = NegotiateFlags(0x6298_8255);
/// What we offer over a connection.
const STREAM_OFFER: NegotiateFlags = NegotiateFlags(0x6208_8235);
const STREAM_MASK: NegotiateFlags = NegotiateFlags(0x6298_8235);
