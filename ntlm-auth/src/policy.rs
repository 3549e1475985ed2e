//! What is weaker than NTLMv2 in Unicode with a name and a password, and is done only for those who ask for it by name.

/// Which responses are made and taken.
///
/// Whoever sits between both ends can take what NTLMv2 needs out of a challenge; with anything but the default the login
/// then goes on with less. Allow it for a peer that is known to be old, never for all.
///
/// MS-NLMP 3.1.1.1, 3.2.1.1 (LmCompatibilityLevel)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum ResponsePolicy {
    /// NTLMv2 and nothing else.
    #[default]
    NtlmV2Only,
    /// Also the response called NTLM2 session, at a peer with extended session security but without target information.
    AllowNtlm2Session,
    /// Also NTLMv1, at a peer without extended session security. The LM response is never made.
    AllowNtlmV1,
}

/// In which characters names are written and read.
///
/// MS-NLMP 2.2.2.5 (flags A and B)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum TextPolicy {
    /// UTF-16 and nothing else.
    #[default]
    UnicodeOnly,
    /// Also the code page of a peer that knows no Unicode: of it only what all code pages share, which is ASCII.
    AllowOem,
}

/// What is done without a user.
///
/// MS-NLMP 3.2.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum AnonymousPolicy {
    /// It is refused.
    #[default]
    Refuse,
    /// A login without user and password is made and taken. Its key is known to everybody: signatures mean nothing.
    Allow,
}
