//! How to log in.

use core::fmt;
use std::time::Duration;

use zeroize::Zeroize;

use crate::channel_binding::ChannelBinding;
use crate::credentials::Credentials;
use crate::digest::Secret16;
use crate::message::Version;
use crate::policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};

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
pub struct RandomSessionKey(pub(super) Secret16);

impl RandomSessionKey {
    /// A session key from the owner's source of randomness.
    ///
    /// MS-NLMP 3.1.5.1.2
    #[must_use]
    pub fn new(mut key: [u8; 16]) -> Self {
        let kept = Secret16::of(&key);
        key.zeroize();
        Self(kept)
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
    /// Which responses are made.
    pub responses: ResponsePolicy,
    /// In which characters names are written.
    pub text: TextPolicy,
    /// Whether a login without user and password is made.
    pub anonymous: AnonymousPolicy,
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
            responses: ResponsePolicy::default(),
            text: TextPolicy::default(),
            anonymous: AnonymousPolicy::default(),
        }
    }
}

impl fmt::Debug for ClientChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientChallenge(..)")
    }
}

impl fmt::Debug for RandomSessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomSessionKey(..)")
    }
}

/// How far clocks may be apart.
pub(crate) const MAX_SKEW: Duration = Duration::from_hours(36);
