//! What both sides of offer and answer share: profile, policy and settings.

use core::fmt;

use crate::{CryptoAttribute, CryptoSuite, KeyParameter, Lifetime, MasterKeyIdentifier, SessionParameter};

/// The transport profile of a media line.
///
/// RFC 3711 12, RFC 3551 8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `RTP/AVP`: clear, or with crypto lines beside it "secured if you can".
    Avp,
    /// `RTP/SAVP`: secured.
    Savp,
}

impl Profile {
    /// The profile's token on the media line.
    ///
    /// RFC 4566 5.14
    pub const fn token(self) -> &'static str {
        match self {
            Self::Avp => "RTP/AVP",
            Self::Savp => "RTP/SAVP",
        }
    }

    /// The profile of a token.
    ///
    /// RFC 4566 5.14
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Avp, Self::Savp].into_iter().find(|profile| profile.token() == token)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

/// What the owner of a call wants of SRTP.
///
/// MS-SDPEXT 3.1.5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpPolicy {
    /// Never.
    Off,
    /// If the other side can.
    Enabled,
    /// Or no call.
    Required,
}

/// The settings of offers and answers.
///
/// RFC 4568 7.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NegotiationConfig {
    /// Whether SRTP is used.
    pub policy: SrtpPolicy,
    /// The suites we accept, and offer in this order.
    pub suites: Vec<CryptoSuite>,
    /// Whether offered keys carry a lifetime. An answer repeats what the offer had.
    pub include_lifetime: bool,
    /// Whether each offered suite has a line with an MKI before the line without one, and answers prefer a line with an MKI.
    pub include_mki: bool,
    /// Whether our packets carry the MKI we offered only when the answer's line has one too: Lync's answers have, and stacks
    /// that answer without (baresip, linphone) cannot read packets with one, although RFC 4568 has each direction for itself.
    pub mki_needs_answer: bool,
    /// The lifetime we offer.
    pub lifetime: Lifetime,
    /// The MKI we offer.
    pub mki: MasterKeyIdentifier,
    /// Whether a line that asks for clear RTP or RTCP is acceptable.
    pub accept_unencrypted: bool,
    /// Whether a line that asks for RTP without tags is acceptable.
    pub accept_unauthenticated: bool,
}

impl NegotiationConfig {
    /// What Lync speaks: one suite, a lifetime of 2^31, a line with MKI 1 in one octet and one without.
    ///
    /// MS-SDPEXT 3.1.5.1
    pub fn new(policy: SrtpPolicy) -> Self {
        Self {
            policy,
            suites: vec![CryptoSuite::AesCm128HmacSha1_80],
            include_lifetime: true,
            include_mki: true,
            mki_needs_answer: true,
            lifetime: Lifetime::lync(),
            mki: MasterKeyIdentifier::lync(),
            accept_unencrypted: false,
            accept_unauthenticated: false,
        }
    }

    /// Whether we can live with a line of the other side.
    ///
    /// RFC 4568 7.1.2
    pub fn accepts(&self, line: &CryptoAttribute) -> bool {
        self.suites.contains(&line.suite)
            && !line.keys.is_empty()
            && line.session_parameters.iter().all(|parameter| self.accepts_parameter(line.suite, parameter))
    }

    fn accepts_parameter(&self, suite: CryptoSuite, parameter: &SessionParameter) -> bool {
        use crate::suite::Cipher;
        match parameter {
            SessionParameter::Kdr(_) | SessionParameter::Wsh(_) | SessionParameter::Optional(_) => true,
            SessionParameter::UnencryptedSrtp | SessionParameter::UnencryptedSrtcp => {
                self.accept_unencrypted && suite.cipher() != Cipher::Galois
            }
            SessionParameter::UnauthenticatedSrtp => {
                self.accept_unauthenticated && !matches!(suite.cipher(), Cipher::Galois | Cipher::Null)
            }
            SessionParameter::FecOrder(_) | SessionParameter::FecKey(_) | SessionParameter::Mandatory(_) => {
                false
            }
        }
    }
}

/// Whether a key occurs among others.
pub(crate) fn occurs<'a>(key: &KeyParameter, mut others: impl Iterator<Item = &'a KeyParameter>) -> bool {
    others.any(|other| other.key == key.key)
}

/// The value of a crypto line, or nothing for lines of another kind such as `a=cryptoscale`.
pub(crate) fn is_crypto(line: &str) -> bool {
    let value = line.strip_prefix("a=").unwrap_or(line);
    value.starts_with("crypto:")
        || (value.len() == line.len() && value.starts_with(|c: char| c.is_ascii_digit()))
}
