//! How to let in.

use std::time::Duration;

use crate::channel_binding::ChannelBinding;
use crate::flags::NegotiateFlags;
use crate::initiator::{MAX_SKEW, Mode};
use crate::message::{AvPairs, USUAL_VERSION, Version};
use crate::policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};

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
    /// Whether the challenge's attributes must all come back in the response. Those that do must be unchanged.
    pub echo: Demand,
    /// How far a client's clock may be off; `None` does not ask.
    pub max_skew: Option<Duration>,
    /// Which responses are taken.
    pub responses: ResponsePolicy,
    /// In which characters names are read.
    pub text: TextPolicy,
    /// Whether somebody without a name is let in.
    pub anonymous: AnonymousPolicy,
}

impl AcceptorConfig {
    /// A server of that name in that domain.
    ///
    /// MS-NLMP 3.2.1
    #[must_use]
    pub fn new(mode: Mode, computer: &str, domain: &str) -> Self {
        let (flags, target_name) = match mode {
            Mode::Datagram => (NegotiateFlags(0xe298_82f3), ""),
            // Whoever says that it is a server says its name.
            Mode::Stream => (NegotiateFlags(0x628a_8235), computer),
        };
        Self {
            mode,
            flags,
            target_info: AvPairs::of_server(domain, computer),
            target_name: target_name.to_owned(),
            version: USUAL_VERSION,
            mic: Demand::Optional,
            channel_binding: None,
            binding: Demand::Optional,
            accepted_target_names: Vec::new(),
            echo: Demand::Required,
            max_skew: Some(MAX_SKEW),
            responses: ResponsePolicy::default(),
            text: TextPolicy::default(),
            anonymous: AnonymousPolicy::default(),
        }
    }
}
