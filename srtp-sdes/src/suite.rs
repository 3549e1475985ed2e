//! Crypto-suites and their sizes.

use core::fmt;

use crate::authentication::TagLength;

/// The cipher of a crypto-suite.
///
/// RFC 3711 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cipher {
    /// Segmented integer counter mode, RFC 3711 4.1.1 and RFC 6188.
    CounterMode,
    /// AES in f8 mode, RFC 3711 4.1.2.
    F8,
    /// Galois/counter mode with its own tag, RFC 7714.
    Galois,
    /// No encryption, RFC 3711 4.1.3.
    Null,
}

/// A crypto-suite: cipher, authentication function and the sizes of their keys and tags.
///
/// RFC 4568 6.2, RFC 6188 4, RFC 7714 14.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CryptoSuite {
    /// The one suite every SRTP implementation has.
    AesCm128HmacSha1_80,
    /// As above with four octets of tag on RTP.
    AesCm128HmacSha1_32,
    /// AES in f8 mode.
    F8_128HmacSha1_80,
    /// AES-192 in counter mode.
    AesCm192HmacSha1_80,
    /// AES-192 in counter mode, four octets of tag on RTP.
    AesCm192HmacSha1_32,
    /// AES-256 in counter mode.
    AesCm256HmacSha1_80,
    /// AES-256 in counter mode, four octets of tag on RTP.
    AesCm256HmacSha1_32,
    /// AES-128 in Galois/counter mode.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode.
    AeadAes256Gcm,
    /// Authentication without encryption; only by explicit policy.
    NullHmacSha1_80,
    /// Authentication without encryption, four octets of tag on RTP; only by explicit policy.
    NullHmacSha1_32,
}

impl CryptoSuite {
    /// Every suite of this crate, the encrypting ones first.
    ///
    /// RFC 4568 6.2
    pub const ALL: [Self; 11] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::F8_128HmacSha1_80,
        Self::AesCm192HmacSha1_80,
        Self::AesCm192HmacSha1_32,
        Self::AesCm256HmacSha1_80,
        Self::AesCm256HmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        Self::NullHmacSha1_80,
        Self::NullHmacSha1_32,
    ];

    /// The token of the suite in an `a=crypto` line.
    ///
    /// RFC 4568 6.2
    pub const fn token(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::F8_128HmacSha1_80 => "F8_128_HMAC_SHA1_80",
            Self::AesCm192HmacSha1_80 => "AES_192_CM_HMAC_SHA1_80",
            Self::AesCm192HmacSha1_32 => "AES_192_CM_HMAC_SHA1_32",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::NullHmacSha1_80 => "NULL_HMAC_SHA1_80",
            Self::NullHmacSha1_32 => "NULL_HMAC_SHA1_32",
        }
    }

    /// The suite of a token, compared exactly; the older spelling `AES_CM_192_…` and `AES_CM_256_…` is understood.
    ///
    /// RFC 4568 9.2
    pub fn from_token(token: &str) -> Option<Self> {
        match token {
            "AES_CM_192_HMAC_SHA1_80" => return Some(Self::AesCm192HmacSha1_80),
            "AES_CM_192_HMAC_SHA1_32" => return Some(Self::AesCm192HmacSha1_32),
            "AES_CM_256_HMAC_SHA1_80" => return Some(Self::AesCm256HmacSha1_80),
            "AES_CM_256_HMAC_SHA1_32" => return Some(Self::AesCm256HmacSha1_32),
            _ => {}
        }
        Self::ALL.into_iter().find(|suite| suite.token() == token)
    }

    /// Octets of the master key.
    ///
    /// RFC 4568 6.2
    pub const fn master_key_length(self) -> usize {
        match self {
            Self::AesCm192HmacSha1_80 | Self::AesCm192HmacSha1_32 => 24,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// Octets of the master salt.
    ///
    /// RFC 4568 6.2, RFC 7714 12
    pub const fn master_salt_length(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            _ => 14,
        }
    }

    /// Octets of the authentication tag of an RTP packet.
    ///
    /// RFC 4568 6.2, RFC 7714 13.2
    pub const fn rtp_tag_length(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::AesCm128HmacSha1_32
            | Self::AesCm192HmacSha1_32
            | Self::AesCm256HmacSha1_32
            | Self::NullHmacSha1_32 => 4,
            _ => 10,
        }
    }

    /// Octets of the authentication tag of an RTCP packet; never the short one.
    ///
    /// RFC 4568 6.2.2, RFC 7714 13.2
    pub const fn rtcp_tag_length(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            _ => 10,
        }
    }

    /// Whether packets of the suite are unreadable to others.
    ///
    /// RFC 3711 4.1.3
    pub const fn encrypts(self) -> bool {
        !matches!(self, Self::NullHmacSha1_80 | Self::NullHmacSha1_32)
    }

    /// The tag of an RTP packet as it is written.
    #[inline]
    pub(crate) const fn rtp_tag(self) -> TagLength {
        match self.rtp_tag_length() {
            16 => TagLength::Sixteen,
            4 => TagLength::Four,
            _ => TagLength::Ten,
        }
    }

    /// The tag of an RTCP packet as it is written.
    #[inline]
    pub(crate) const fn rtcp_tag(self) -> TagLength {
        if self.rtcp_tag_length() == 16 { TagLength::Sixteen } else { TagLength::Ten }
    }

    pub(crate) const fn cipher(self) -> Cipher {
        match self {
            Self::F8_128HmacSha1_80 => Cipher::F8,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => Cipher::Galois,
            Self::NullHmacSha1_80 | Self::NullHmacSha1_32 => Cipher::Null,
            _ => Cipher::CounterMode,
        }
    }
}

impl fmt::Display for CryptoSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_names_its_suite() {
        for suite in CryptoSuite::ALL {
            assert_eq!(CryptoSuite::from_token(suite.token()), Some(suite));
        }
        assert_eq!(
            CryptoSuite::from_token("AES_CM_256_HMAC_SHA1_80"),
            Some(CryptoSuite::AesCm256HmacSha1_80)
        );
    }

    #[test]
    fn suites_are_compared_exactly() {
        for token in ["aes_cm_128_hmac_sha1_80", "AES_CM_128_HMAC_SHA1_8", "SEED_128_GCM_96", ""] {
            assert_eq!(CryptoSuite::from_token(token), None, "{token}");
        }
    }

    #[test]
    fn rtcp_never_has_the_short_tag() {
        assert_eq!(CryptoSuite::AesCm128HmacSha1_32.rtp_tag_length(), 4);
        assert_eq!(CryptoSuite::AesCm128HmacSha1_32.rtcp_tag_length(), 10);
    }
}
