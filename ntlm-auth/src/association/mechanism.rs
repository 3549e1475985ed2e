//! What an association signs with.

use crate::error::Error;
use crate::session::{DatagramSession, SIP_SEQUENCE};
use crate::tls_dsk::TlsDskSession;

use super::signature_text::SignatureText;

/// What an association signs with.
///
/// MS-SIPAE 1.3
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Mechanism {
    /// The keys of an NTLM login.
    Ntlm(DatagramSession),
    /// The keys of a TLS handshake inside SIP.
    TlsDsk(TlsDskSession),
    /// A GSSAPI library has the keys: texts and tokens are handed to it and back.
    Kerberos,
}

impl Mechanism {
    /// The name of the scheme in the headers and in signed texts.
    ///
    /// MS-SIPAE 2.2.1
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Ntlm(_) => "NTLM",
            Self::TlsDsk(_) => "TLS-DSK",
            Self::Kerberos => "Kerberos",
        }
    }

    pub(super) fn sign(&self, text: &[u8]) -> Result<Signing, Error> {
        match self {
            Self::Ntlm(session) => SignatureText::new(&session.sign(SIP_SEQUENCE, text)).map(Signing::Signed),
            Self::TlsDsk(session) => SignatureText::new(session.sign(text).as_slice()).map(Signing::Signed),
            Self::Kerberos => Ok(Signing::Token),
        }
    }

    /// `false` if somebody else has to verify.
    pub(super) fn verify(&self, text: &[u8], signature: &[u8]) -> Result<bool, Error> {
        match self {
            Self::Ntlm(session) => session.verify(SIP_SEQUENCE, text, signature).map(|()| true),
            Self::TlsDsk(session) => session.verify(text, signature).map(|()| true),
            Self::Kerberos => Ok(false),
        }
    }
}

impl From<DatagramSession> for Mechanism {
    fn from(session: DatagramSession) -> Self {
        Self::Ntlm(session)
    }
}

impl From<TlsDskSession> for Mechanism {
    fn from(session: TlsDskSession) -> Self {
        Self::TlsDsk(session)
    }
}

/// A signature, or who has to make it.
///
/// MS-SIPAE 3.3.4.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signing {
    /// Here it is.
    Signed(SignatureText),
    /// Hand the text to `GSS_GetMIC` and write what comes back with [`SignatureText::new`].
    Token,
}

impl Signing {
    /// The signature, if it is here.
    ///
    /// MS-SIPAE 3.3.4.1
    #[must_use]
    pub fn signed(self) -> Option<SignatureText> {
        match self {
            Self::Signed(text) => Some(text),
            Self::Token => None,
        }
    }
}

/// A verdict on a message, or who has to find it.
///
/// MS-SIPAE 3.2.5.4, 3.3.5.4
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Verification {
    /// The message is genuine and was not there before.
    Genuine,
    /// Hand the text and the token to `GSS_VerifyMIC`; a message that it finds genuine is admitted with
    /// [`SecurityAssociation::admit`](super::SecurityAssociation::admit).
    Token(Unverified),
}

/// A message whose signature somebody else verifies.
///
/// MS-SIPAE 3.3.5.4
#[derive(Debug, PartialEq, Eq)]
pub struct Unverified {
    pub(super) number: u32,
    pub(super) token: Vec<u8>,
}

impl Unverified {
    /// The signature as octets, for `GSS_VerifyMIC`.
    ///
    /// RFC 2743 2.3.2
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }
}
