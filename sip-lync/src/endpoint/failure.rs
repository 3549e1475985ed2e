//! Why a registration failed, and when it is tried again.

use std::time::Duration;

/// When a registration is tried again.
///
/// RFC 3261 21.5.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The endpoint tries again after this time by itself if the flow stands.
    After(Duration),
    /// Only when the user calls `register` again.
    Never,
}

/// Why a registration failed or ended.
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegistrationFailure {
    /// A trusted server was challenged: its certificate, the published topology or the trust setting of the server
    /// is wrong.
    NotTrusted,
    /// A client was challenged and has no credentials.
    Challenged,
    /// The server did not accept what the user proved itself with: a wrong password, an expired certificate.
    CredentialsRefused,
    /// The server refuses.
    Refused,
    /// The server did not answer.
    TimedOut,
    /// The connection broke.
    FlowLost,
    /// A refresh was answered `added` or `fixed`: the server had lost this endpoint. Its dialogs and subscriptions
    /// are dead; the endpoint registers anew at once.
    LostByServer,
    /// The server removed this endpoint by policy.
    Removed,
    /// The server removed this endpoint for a while and expects it again.
    Deactivated,
    /// Another registrar is preferred now; it is in `registrar`.
    RegistrarChanged,
}

impl RegistrationFailure {
    /// What an administrator should be told.
    ///
    /// MS-SIPREGE 3.1, MS-SIPAE 3.2
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotTrusted => {
                "the server asks this trusted server for credentials: check the name in the certificate, that the \
                 topology is published and that the pool is treated as authenticated"
            }
            Self::Challenged => "the server asks for credentials",
            Self::CredentialsRefused => "the server refuses the account or its password",
            Self::Refused => "the server refuses the registration",
            Self::TimedOut => "the server did not answer",
            Self::FlowLost => "the connection to the server is lost",
            Self::LostByServer => "the server had lost this endpoint",
            Self::Removed => "the server removed this endpoint",
            Self::Deactivated => "the server removed this endpoint for a while",
            Self::RegistrarChanged => "another registrar is preferred",
        }
    }
}
