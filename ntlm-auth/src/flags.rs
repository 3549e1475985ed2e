//! The flags by which both sides agree on what the session can do.

use core::fmt;

/// The flag word of a message.
///
/// MS-NLMP 2.2.2.5
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NegotiateFlags(pub u32);

impl NegotiateFlags {
    /// A: text is UTF-16.
    pub const UNICODE: Self = Self(0x0000_0001);
    /// B: text is in a code page.
    pub const OEM: Self = Self(0x0000_0002);
    /// C: the challenge names its sender.
    pub const REQUEST_TARGET: Self = Self(0x0000_0004);
    /// D: messages are signed.
    pub const SIGN: Self = Self(0x0000_0010);
    /// E: messages are encrypted.
    pub const SEAL: Self = Self(0x0000_0020);
    /// F: connectionless.
    pub const DATAGRAM: Self = Self(0x0000_0040);
    /// G: keys from the LM response.
    pub const LM_KEY: Self = Self(0x0000_0080);
    /// H: NTLM.
    pub const NTLM: Self = Self(0x0000_0200);
    /// J: anonymous.
    pub const ANONYMOUS: Self = Self(0x0000_0800);
    /// K: NEGOTIATE names the client's domain.
    pub const OEM_DOMAIN_SUPPLIED: Self = Self(0x0000_1000);
    /// L: NEGOTIATE names the client's computer.
    pub const OEM_WORKSTATION_SUPPLIED: Self = Self(0x0000_2000);
    /// M: a signature stands even where none was agreed.
    pub const ALWAYS_SIGN: Self = Self(0x0000_8000);
    /// N: the sender is a domain.
    pub const TARGET_TYPE_DOMAIN: Self = Self(0x0001_0000);
    /// O: the sender is a server.
    pub const TARGET_TYPE_SERVER: Self = Self(0x0002_0000);
    /// P: extended session security.
    pub const EXTENDED_SESSION_SECURITY: Self = Self(0x0008_0000);
    /// Q: identify only.
    pub const IDENTIFY: Self = Self(0x0010_0000);
    /// R: keys from the LM hash.
    pub const REQUEST_NON_NT_SESSION_KEY: Self = Self(0x0040_0000);
    /// S: the challenge has target information.
    pub const TARGET_INFO: Self = Self(0x0080_0000);
    /// T: the message has a version.
    pub const VERSION: Self = Self(0x0200_0000);
    /// U: keys of 128 bits.
    pub const KEY_128: Self = Self(0x2000_0000);
    /// V: the session key is exchanged.
    pub const KEY_EXCHANGE: Self = Self(0x4000_0000);
    /// W: keys of 56 bits.
    pub const KEY_56: Self = Self(0x8000_0000);

    /// What a connectionless login demands of a challenge and of its answer.
    ///
    /// MS-NLMP 3.1.5.2; MS-SIPAE 3.2.5
    pub const DATAGRAM_REQUIRED: Self = Self::ALWAYS_REQUIRED.with(Self::DATAGRAM).with(Self::KEY_EXCHANGE);

    /// What a login over a connection demands of a challenge; signatures are there only if both want them.
    ///
    /// MS-NLMP 3.1.5.1
    pub const STREAM_REQUIRED: Self = Self::UNICODE
        .with(Self::NTLM)
        .with(Self::EXTENDED_SESSION_SECURITY)
        .with(Self::TARGET_INFO)
        .with(Self::KEY_128);

    /// What a login with signatures demands.
    ///
    /// MS-NLMP 3.1.5.1
    pub const ALWAYS_REQUIRED: Self = Self::UNICODE
        .with(Self::SIGN)
        .with(Self::NTLM)
        .with(Self::ALWAYS_SIGN)
        .with(Self::EXTENDED_SESSION_SECURITY)
        .with(Self::TARGET_INFO)
        .with(Self::KEY_128);

    /// Both words together.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This word without the other's flags.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The flags that are in both words.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all flags of the other word are set.
    ///
    /// MS-NLMP 2.2.2.5
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NegotiateFlags({:08x})", self.0)
    }
}
