//! What an agent is told before it starts.

use crate::ice::dialect::{Dialect, Times};
use crate::ice::role::Role;

/// When the controlling agent says which pair is used.
///
/// RFC 5245 8.1.1, RFC 8445 8.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nomination {
    /// By a second check of a pair that is known to work.
    Regular,
    /// By every check; both agents take the best pair that works. One round trip less, only for peers of RFC 5245.
    Aggressive,
}

/// How an agent behaves.
///
/// RFC 8445 5, 14
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Config {
    /// The dialect.
    pub dialect: Dialect,
    /// The role it starts with: the offerer controls.
    pub role: Role,
    /// 1 for RTP alone or with RTCP on its port, 2 for both.
    pub components: u16,
    /// RTCP may come to the port of RTP if the peer agrees: the second component then goes.
    pub rtcp_mux: bool,
    /// How pairs are chosen when this agent controls.
    pub nomination: Nomination,
    /// The times.
    pub times: Times,
    /// `media.rfc3489`: servers of RFC 3489 are asked in their form after silence, and Binding requests in that form are
    /// answered (inferred: of the option only its name is known).
    pub rfc3489: bool,
    /// Accept a description whose default address is no candidate, as Lync's relays make them.
    pub accept_mismatch: bool,
}

impl Config {
    /// An agent with two components, regular nomination and the dialect's times.
    ///
    /// RFC 8445 14, MS-ICE2 3.1
    pub const fn new(dialect: Dialect, role: Role) -> Self {
        Self {
            dialect,
            role,
            components: 2,
            rtcp_mux: false,
            nomination: Nomination::Regular,
            times: dialect.times(),
            rfc3489: false,
            accept_mismatch: true,
        }
    }
}
