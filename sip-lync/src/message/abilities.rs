//! What decides which messages must be refused.

use super::Limits;

/// What a user agent server or registrar is able to do, as far as it decides which messages it must refuse.
///
/// RFC 3261 8.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Abilities {
    /// The option tags that may stand in Require.
    pub extensions: &'static [&'static str],
    /// The types a body of INVITE and UPDATE may have; any multipart type is taken apart.
    pub session_types: &'static [(&'static str, &'static str)],
    /// Octets of the longest Request-URI.
    pub longest_uri: usize,
    /// Octets of the longest body of a request.
    pub longest_body: usize,
    /// Octets of the longest request.
    pub longest_message: usize,
}

impl Abilities {
    /// Everything that occurs between Lync clients, servers and gateways.
    ///
    /// MS-SIPRE 2.2, MS-SIPREGE 2.2.1.5, MS-PRES 2.2
    pub const LYNC: Self = Self {
        extensions: &[
            "100rel",
            "adhoclist",
            "categoryList",
            "com.microsoft.autoextend",
            "com.microsoft.msrtc.presence",
            "com.microsoft.rtc-multiparty",
            "eventlist",
            "geolocation",
            "gruu",
            "gruu-10",
            "histinfo",
            "join",
            "ms-benotify",
            "ms-bypass",
            "ms-cluster-failover",
            "ms-delayed-accept",
            "ms-dialog-route-set-update",
            "ms-early-media",
            "ms-embedded-first-message",
            "ms-forking",
            "ms-keepalive-deregister",
            "ms-piggyback-first-notify",
            "ms-safe-transfer",
            "ms-sender",
            "ms-ucs",
            "ms-userservices-state-notification",
            "msrtc-event-categories",
            "norefersub",
            "outbound",
            "path",
            "replaces",
            "tdialog",
            "timer",
        ],
        session_types: &[("application", "sdp"), ("application", "gw-sdp")],
        longest_uri: 8 * 1024,
        longest_body: Limits::DEFAULT.body,
        longest_message: Limits::DEFAULT.head + Limits::DEFAULT.body,
    };
}
