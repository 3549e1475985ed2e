//! The one who logs in.

mod config;

use core::fmt;

use crate::credentials::Credentials;
use crate::digest::Inline16;
use crate::error::{Error, Refusal};
use crate::file_time::FileTime;
use crate::flags::NegotiateFlags;
use crate::message::{Authenticate, AvId, AvPairs, Challenge, Negotiate, Opening, Writing};
use crate::policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};
use crate::response::{self, exchange_in_place, lm_v2_response};
use crate::response_v1::ResponseV1;
use crate::session::{IntegrityCode, Session};
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
    pub fn negotiate(&self) -> Option<&[u8]> {
        (!self.negotiate.is_empty()).then_some(self.negotiate.as_slice())
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
        let server_challenge = challenge.server_challenge;
        let (flags, proof) = self.agree(challenge)?;
        let has_mic = self.config.mic == MicPolicy::Auto
            && matches!(&proof, Proof::V2(info) if info.timestamp().is_some());
        let challenges = (server_challenge, client_challenge.0);
        let mut exchange_key = Inline16::default();
        let mut answer = self.prove(now, challenges, flags, proof, has_mic, &mut exchange_key)?;
        let exported = if is_key_exchanged(flags) {
            let mut encrypted = *key.0;
            exchange_in_place(&exchange_key, &mut encrypted);
            answer.field(52, &encrypted)?;
            &*key.0
        } else {
            answer.field(52, &[])?;
            &*exchange_key
        };
        let mut answer = answer.octets;
        let mut code = [0; 16];
        let messages = [&self.negotiate, message, &answer];
        let mic = has_mic.then_some(IntegrityCode { messages: &messages, code: &mut code });
        let session = Session::new(Sender::Client, flags, exported, mic);
        if let Some(place) = answer.get_mut(Authenticate::MIC_RANGE).filter(|_| has_mic) {
            place.copy_from_slice(&code);
        }
        Ok((answer, session))
    }

    /// The flags of the answer and the kind of proof, if the challenge allows a login that is worth something.
    fn agree(&self, challenge: Challenge) -> Result<(NegotiateFlags, Proof), Error> {
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
        challenge: Challenge,
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
                let info = challenge.target_info.ok_or(Error::Refused(Refusal::NoNames))?;
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

    /// The answer up to its responses. The key that follows from them is written where it stays.
    fn prove(
        &self,
        now: FileTime,
        (server_challenge, client_challenge): ([u8; 8], [u8; 8]),
        flags: NegotiateFlags,
        proof: Proof,
        has_mic: bool,
        exchange_key: &mut [u8; 16],
    ) -> Result<Writing, Error> {
        let Credentials { domain, user, hash } = &self.config.credentials;
        let mut opening = Opening {
            flags,
            version: if flags.contains(NegotiateFlags::VERSION) { self.config.version } else { [0; 8] },
            domain,
            user,
            workstation: &self.config.workstation,
            lm_response: &[],
            mic: has_mic.then_some([0; 16]),
        };
        let response = match proof {
            Proof::V2(info) => {
                let time = self.time(now, &info)?;
                let info = self.target_info(info);
                let key = hash.response_key(user, domain);
                let lm;
                opening.lm_response = match self.config.lm {
                    LmPolicy::Zeros => &[0; 24],
                    LmPolicy::V2 => {
                        lm = lm_v2_response(&key, server_challenge, client_challenge);
                        &lm
                    }
                    LmPolicy::Nothing => &[],
                };
                let mut writing = opening.write(response::AROUND + info.emitted_length())?;
                let start = writing.octets.len();
                response::begin(&mut writing.octets, time, client_challenge);
                info.emit_into(&mut writing.octets)?;
                response::finish(&mut writing.octets, start, &key, server_challenge, exchange_key);
                writing.end(20, start)?;
                return Ok(writing);
            }
            Proof::Ntlm2Session => ResponseV1::ntlm2_session(hash, server_challenge, client_challenge),
            Proof::V1 => ResponseV1::plain(hash, server_challenge),
            Proof::Nobody => {
                opening.lm_response = &[0];
                let mut writing = opening.write(0)?;
                writing.field(20, &[])?;
                return Ok(writing);
            }
        };
        exchange_key.copy_from_slice(&*response.exchange(flags, server_challenge, None));
        opening.lm_response = &response.lm_response;
        let mut writing = opening.write(response.nt_response.len())?;
        writing.field(20, &response.nt_response)?;
        Ok(writing)
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
            info.replace(AvId::FLAGS, flags.to_le_bytes());
        }
        if self.config.channel_binding.is_some() || !untouched {
            let binding = self.config.channel_binding.map_or([0; 16], |binding| binding.0);
            info.replace(AvId::CHANNEL_BINDINGS, binding);
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
