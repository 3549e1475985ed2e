//! Logins whose tokens a library of the owner makes: Kerberos through GSSAPI.

use crate::association::Mechanism;
use crate::error::{Error, Refusal};

/// Where such a login is.
///
/// RFC 2743 1.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenState {
    /// The library is to be called.
    Making,
    /// A token is under way, or awaited.
    Waiting,
    /// The library has all it needs: texts can be signed.
    Complete,
    /// It is over.
    Failed,
}

/// What happens to such a login.
///
/// RFC 2743 2.2.1, 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenTrigger {
    /// The library says `GSS_S_CONTINUE_NEEDED`.
    Continued,
    /// The library says `GSS_S_COMPLETE`.
    Completed,
    /// The library refuses.
    Refused,
    /// A token of the peer.
    Received,
}

impl TokenState {
    /// All of them.
    ///
    /// `docs/states/token_login.md`
    pub const ALL: [Self; 4] = [Self::Making, Self::Waiting, Self::Complete, Self::Failed];

    /// What follows.
    ///
    /// RFC 2743 1.1.1; `docs/states/token_login.md`
    #[must_use]
    pub const fn step(self, trigger: TokenTrigger) -> Self {
        match (self, trigger) {
            (Self::Making, TokenTrigger::Continued) => Self::Waiting,
            (Self::Making, TokenTrigger::Completed) => Self::Complete,
            (Self::Waiting, TokenTrigger::Received) => Self::Making,
            // The library is called only when there is something to make.
            (Self::Waiting, TokenTrigger::Continued | TokenTrigger::Completed) => Self::Failed,
            // A token that nobody waits for.
            (Self::Making, TokenTrigger::Received) => Self::Failed,
            (Self::Making | Self::Waiting, TokenTrigger::Refused) => Self::Failed,
            // What comes after the end changes nothing: the keys are agreed.
            (
                Self::Complete,
                TokenTrigger::Continued
                | TokenTrigger::Completed
                | TokenTrigger::Refused
                | TokenTrigger::Received,
            ) => Self::Complete,
            (
                Self::Failed,
                TokenTrigger::Continued
                | TokenTrigger::Completed
                | TokenTrigger::Refused
                | TokenTrigger::Received,
            ) => Self::Failed,
        }
    }
}

impl TokenTrigger {
    /// All of them.
    ///
    /// `docs/states/token_login.md`
    pub const ALL: [Self; 4] = [Self::Continued, Self::Completed, Self::Refused, Self::Received];
}

/// A login whose tokens a library of the owner makes.
///
/// The owner hands tokens of the peer in with [`TokenLogin::handle_input`], calls its library with what
/// [`TokenLogin::poll_token`] gives, hands the result in with [`TokenLogin::made`] and sends what
/// [`TokenLogin::poll_transmit`] gives, as `gssapi-data`. In the end [`TokenLogin::mechanism`] makes a
/// [`SecurityAssociation`](crate::SecurityAssociation) of it.
///
#[doc = include_str!("../docs/states/token_login.md")]
///
/// RFC 2743 1.1.1; MS-SIPAE 3.2.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenLogin {
    state: TokenState,
    /// For the library, once.
    incoming: Option<Vec<u8>>,
    /// For the peer, once.
    outgoing: Option<Vec<u8>>,
    rounds: u8,
}

impl TokenLogin {
    /// The login of the one who begins: the library is called first, without a token
    /// (`GSS_Init_sec_context`, with the name of [`kerberos_service`]).
    ///
    /// RFC 2743 2.2.1
    #[must_use]
    pub fn initiator() -> Self {
        Self { state: TokenState::Making, incoming: Some(Vec::new()), outgoing: None, rounds: 0 }
    }

    /// The login of the one who waits for a token (`GSS_Accept_sec_context`).
    ///
    /// RFC 2743 2.2.2
    #[must_use]
    pub fn acceptor() -> Self {
        Self { state: TokenState::Waiting, incoming: None, outgoing: None, rounds: 0 }
    }

    /// A token of the peer.
    ///
    /// RFC 2743 1.1.1
    pub fn handle_input(&mut self, token: &[u8]) -> Result<(), Error> {
        if token.len() > TOKEN_MAX {
            self.state = self.state.step(TokenTrigger::Refused);
            return Err(Error::TooLong);
        }
        let waiting = self.state == TokenState::Waiting && self.rounds < ROUNDS_MAX;
        let trigger = if self.rounds < ROUNDS_MAX { TokenTrigger::Received } else { TokenTrigger::Refused };
        self.state = self.state.step(trigger);
        if !waiting {
            return Err(Error::Refused(Refusal::Token));
        }
        self.rounds += 1;
        self.incoming = Some(token.to_vec());
        Ok(())
    }

    /// What the library made, and whether it has all it needs.
    ///
    /// RFC 2743 2.2.1, 2.2.2
    pub fn made(&mut self, token: Vec<u8>, completeness: Completeness) -> Result<(), Error> {
        if token.len() > TOKEN_MAX {
            self.state = self.state.step(TokenTrigger::Refused);
            return Err(Error::TooLong);
        }
        self.state = self.state.step(match completeness {
            Completeness::ContinueNeeded => TokenTrigger::Continued,
            Completeness::Complete => TokenTrigger::Completed,
        });
        if self.state != TokenState::Failed && !token.is_empty() {
            self.outgoing = Some(token);
        }
        Ok(())
    }

    /// The library refuses.
    ///
    /// RFC 2743 1.2.1.1
    pub fn refused(&mut self) {
        self.state = self.state.step(TokenTrigger::Refused);
    }

    /// The token that the library is to be called with; an empty one for the first call.
    ///
    /// RFC 2743 1.1.1
    pub fn poll_token(&mut self) -> Option<Vec<u8>> {
        if self.state == TokenState::Making { self.incoming.take() } else { None }
    }

    /// The token for the peer.
    ///
    /// RFC 2743 1.1.1
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.take()
    }

    /// Where the login is.
    ///
    /// RFC 2743 1.1.1
    #[must_use]
    pub fn state(&self) -> TokenState {
        self.state
    }

    /// What an association of this login signs with, once it is complete.
    ///
    /// MS-SIPAE 3.2.5
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        (self.state == TokenState::Complete).then_some(Mechanism::Kerberos)
    }
}

/// Whether a library has all it needs.
///
/// RFC 2743 1.2.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completeness {
    /// `GSS_S_CONTINUE_NEEDED`
    ContinueNeeded,
    /// `GSS_S_COMPLETE`
    Complete,
}

/// The name of the service at a front end, which is also its target name.
///
/// MS-SIPAE 2.2.1
#[must_use]
pub fn kerberos_service(host: &str) -> String {
    format!("sip/{host}")
}

/// Most octets of a token.
const TOKEN_MAX: usize = 64 * 1024;
/// Most tokens of a peer: no mechanism needs more.
const ROUNDS_MAX: u8 = 8;
