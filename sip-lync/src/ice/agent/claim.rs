//! Whose message it is, where several agents share their candidates.

use super::{Agent, Path};
use crate::ice::credentials::{self, names};
use crate::seed::{Seed, Words};
use crate::stun::{Class, Message};

/// What an agent says about a message, the stronger the later.
///
/// RFC 8445 7.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// It is not for this agent.
    None,
    /// A check for this agent of a peer it does not know.
    Check,
    /// A check of its peer.
    CheckOfPeer,
    /// The answer to a question of its own.
    Answer,
}

impl Agent {
    /// Whether a message is for this agent.
    ///
    /// RFC 8445 7.3, RFC 8489 6.3.3
    pub fn claims(&self, path: Path, data: &[u8]) -> Claim {
        if self.is_asked(path) {
            return Claim::Answer;
        }
        let Ok(message) = Message::parse(self.stun_dialect(), data) else { return Claim::None };
        match message.class() {
            Class::Success | Class::Error => {
                if self.checks.contains_key(&message.transaction()) {
                    Claim::Answer
                } else {
                    Claim::None
                }
            }
            Class::Request | Class::Indication => {
                let ours = self.ours.iter().chain(&self.retired).map(credentials::Credentials::wire);
                let named = message
                    .username()
                    .and_then(|username| names(self.config.dialect, username, ours, path.component));
                match named {
                    None => Claim::None,
                    Some((_, sender)) if self.theirs.iter().any(|c| c.wire() == sender) => Claim::CheckOfPeer,
                    Some(_) => Claim::Check,
                }
            }
        }
    }

    /// Another agent with the same candidates and credentials, for another answer to the same offer; its random words
    /// are its own.
    ///
    /// RFC 3261 12.1, MS-SDPEXT 3.1.5.12
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let seed = Seed(self.words.octets(b"ice fork"));
        let mut fork = self.clone();
        fork.words = Words::new(seed);
        fork.queries.clear();
        fork.out.clear();
        fork.events.clear();
        fork
    }
}
