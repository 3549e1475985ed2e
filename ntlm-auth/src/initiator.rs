//! The one who logs in.

use std::time::Duration;

use crate::channel_binding::ChannelBinding;
use crate::credentials::Credentials;
use crate::digest::{Secret16, hmac_md5};
use crate::error::{Error, Refusal};
use crate::file_time::FileTime;
use crate::flags::NegotiateFlags;
use crate::message::{Authenticate, AvId, AvPairs, Challenge, Negotiate, Version};
use crate::response::{Response, ResponseInput, exchange_key, lm_v2_response};
use crate::session::Session;
use crate::session_key::Sender;

/// Whether a login runs over a connection of its own.
///
/// MS-NLMP 1.3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does not: SIP. There is no NEGOTIATE message, and every signature carries the application's number.
    Datagram,
    /// It does: HTTP and others.
    Stream,
}

/// Whether an integrity code over all messages is sent.
///
/// MS-NLMP 3.1.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MicPolicy {
    /// If the challenge carries the server's time.
    Auto,
    /// Never; the attributes of the challenge then go back untouched, as some clients do.
    Never,
}

/// What is sent in place of the LM response.
///
/// MS-NLMP 3.1.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LmPolicy {
    /// 24 zeros.
    Zeros,
    /// A response of version 2; it only helps those who guess passwords.
    V2,
    /// Nothing.
    Nothing,
}

/// Eight random octets of the client, used once.
///
/// MS-NLMP 3.3.2 (ClientChallenge)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientChallenge(pub [u8; 8]);

/// Sixteen random octets: the session key, used once.
///
/// MS-NLMP 3.1.5.1.2 (ExportedSessionKey)
#[derive(Clone)]
pub struct RandomSessionKey(Secret16);

impl RandomSessionKey {
    /// A session key from the owner's source of randomness.
    ///
    /// MS-NLMP 3.1.5.1.2
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self(Secret16::new(key))
    }
}

/// How to log in.
///
/// MS-NLMP 3.1.1
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InitiatorConfig {
    /// Over a connection or not.
    pub mode: Mode,
    /// Who logs in.
    pub credentials: Credentials,
    /// Name of our computer; at most 15 characters mean something.
    pub workstation: String,
    /// Our software, for people who look for faults; sent when the challenge has a version.
    pub version: Version,
    /// The service that is meant, for example `sip/pool.example.net`.
    pub target_name: Option<String>,
    /// The TLS connection that the login belongs to.
    pub channel_binding: Option<ChannelBinding>,
    /// Whether an integrity code is sent.
    pub mic: MicPolicy,
    /// What is sent in place of the LM response.
    pub lm: LmPolicy,
    /// How far the server's clock may be off; `None` does not ask.
    pub max_skew: Option<Duration>,
}

impl InitiatorConfig {
    /// The safe choice of everything.
    ///
    /// MS-NLMP 3.1.1
    #[must_use]
    pub fn new(mode: Mode, credentials: Credentials) -> Self {
        Self {
            mode,
            credentials,
            workstation: String::new(),
            version: [0; 8],
            target_name: None,
            channel_binding: None,
            mic: MicPolicy::Auto,
            lm: LmPolicy::Zeros,
            max_skew: Some(MAX_SKEW),
        }
    }
}

/// The one who logs in, before the server's challenge.
///
/// MS-NLMP 3.1
#[derive(Clone, Debug)]
pub struct Initiator {
    config: InitiatorConfig,
}

impl Initiator {
    /// A login that begins.
    ///
    /// MS-NLMP 3.1.4
    #[must_use]
    pub fn new(config: InitiatorConfig) -> Self {
        Self { config }
    }

    /// The first message; without a connection there is none.
    ///
    /// MS-NLMP 3.1.5.1.1
    #[must_use]
    pub fn negotiate(&self) -> Option<Vec<u8>> {
        match self.config.mode {
            Mode::Datagram => None,
            Mode::Stream => Some(Negotiate { flags: STREAM_OFFER, version: self.config.version }.emit()),
        }
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
        let flags = self.agree(challenge.flags)?;
        let server_info = challenge.target_info.ok_or(Error::Refused(Refusal::NoNames))?;
        let has_mic = server_info.timestamp().is_some() && self.config.mic == MicPolicy::Auto;
        let time = self.time(now, &server_info)?;
        let target_info = self.target_info(server_info, has_mic)?.emit()?;

        let Credentials { domain, user, hash } = &self.config.credentials;
        let response_key = hash.response_key(user, domain);
        let server_challenge = challenge.server_challenge;
        let input = ResponseInput {
            server_challenge,
            client_challenge: client_challenge.0,
            time,
            target_info: &target_info,
        };
        let response = Response::new(&response_key, &input);
        let exchanges = is_key_exchanged(flags);
        let exported = if exchanges { key.0.clone() } else { Secret16::new(*response.session_base_key()) };
        let lm_response = match self.config.lm {
            LmPolicy::Zeros => vec![0; 24],
            LmPolicy::V2 => lm_v2_response(&response_key, server_challenge, client_challenge.0).to_vec(),
            LmPolicy::Nothing => Vec::new(),
        };
        let answer = Authenticate {
            flags,
            lm_response,
            nt_response: response.nt_response.clone(),
            domain: domain.clone(),
            user: user.clone(),
            workstation: self.config.workstation.clone(),
            encrypted_session_key: if exchanges {
                exchange_key(response.session_base_key(), &exported).to_vec()
            } else {
                Vec::new()
            },
            version: if flags.contains(NegotiateFlags::VERSION) { self.config.version } else { [0; 8] },
            mic: has_mic.then_some([0; 16]),
        };
        let mut octets = answer.emit()?;
        if has_mic {
            let negotiate = self.negotiate().unwrap_or_default();
            let mic = hmac_md5(&*exported, &[&negotiate, message, &octets]);
            if let Some(place) = octets.get_mut(Authenticate::MIC_RANGE) {
                place.copy_from_slice(&*mic);
            }
        }
        Ok((octets, Session::new(Sender::Client, flags, &exported)))
    }

    /// The flags of the answer, if the challenge allows a login that is worth something.
    fn agree(&self, offered: NegotiateFlags) -> Result<NegotiateFlags, Error> {
        let Credentials { user, .. } = &self.config.credentials;
        if user.is_empty() || offered.contains(NegotiateFlags::ANONYMOUS) {
            return Err(Error::Refused(Refusal::Anonymous));
        }
        let (required, mask) = match self.config.mode {
            Mode::Datagram => (NegotiateFlags::DATAGRAM_REQUIRED, DATAGRAM_MASK),
            Mode::Stream => (NegotiateFlags::STREAM_REQUIRED, STREAM_MASK),
        };
        if !offered.contains(required) {
            return Err(Error::Refused(Refusal::Flags));
        }
        let flags = offered.common(mask).with(NegotiateFlags::REQUEST_TARGET);
        // A key that nothing is protected with is not exchanged; some servers insist on it where the flag stands.
        Ok(if is_key_exchanged(flags) { flags } else { flags.without(NegotiateFlags::KEY_EXCHANGE) })
    }

    fn time(&self, now: FileTime, server_info: &AvPairs) -> Result<FileTime, Error> {
        if server_info.get(AvId::NB_COMPUTER_NAME).is_none()
            || server_info.get(AvId::NB_DOMAIN_NAME).is_none()
        {
            return Err(Error::Refused(Refusal::NoNames));
        }
        let Some(server) = server_info.timestamp().map(FileTime) else {
            return Ok(now);
        };
        if self.config.max_skew.is_some_and(|skew| server.distance(now) > skew) {
            return Err(Error::Refused(Refusal::ClockSkew));
        }
        Ok(server)
    }

    /// The server's attributes, and ours behind them.
    fn target_info(&self, mut info: AvPairs, has_mic: bool) -> Result<AvPairs, Error> {
        if has_mic {
            let flags = info.flags() | AvPairs::MIC_PRESENT;
            info.replace(AvId::FLAGS, flags.to_le_bytes().to_vec());
        }
        let untouched = self.config.mic == MicPolicy::Never;
        if self.config.channel_binding.is_some() || !untouched {
            let binding = self.config.channel_binding.map_or([0; 16], |binding| binding.0);
            info.replace(AvId::CHANNEL_BINDINGS, binding.to_vec());
        }
        if self.config.target_name.is_some() || !untouched {
            info.replace_text(AvId::TARGET_NAME, self.config.target_name.as_deref().unwrap_or_default());
        }
        info.emit().map(|_| info)
    }
}

/// Whether the session key is a random one that travels in AUTHENTICATE.
pub(crate) fn is_key_exchanged(flags: NegotiateFlags) -> bool {
    let protects = flags.contains(NegotiateFlags::SIGN) || flags.contains(NegotiateFlags::SEAL);
    flags.contains(NegotiateFlags::KEY_EXCHANGE) && protects
}

/// How far clocks may be apart.
pub(crate) const MAX_SKEW: Duration = Duration::from_hours(36);

/// What we answer with of what a server offers: no sealing, nothing of old.
const DATAGRAM_MASK: NegotiateFlags = NegotiateFlags(0x6298_8255);
/// What we offer over a connection.
const STREAM_OFFER: NegotiateFlags = NegotiateFlags(0x6208_8235);
const STREAM_MASK: NegotiateFlags = NegotiateFlags(0x6298_8235);

impl core::fmt::Debug for ClientChallenge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ClientChallenge(..)")
    }
}

impl core::fmt::Debug for RandomSessionKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RandomSessionKey(..)")
    }
}
