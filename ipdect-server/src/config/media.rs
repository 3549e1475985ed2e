//! Voice: encryption, session descriptions, addresses and channels.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

/// Section `[media]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Whether voice is encrypted.
    pub srtp: MediaEncryption,
    /// Write a lifetime in our key offers.
    pub include_lifetime: bool,
    /// Write a master key identifier in our key offers.
    pub include_mki: bool,
    /// Answer with the preferred codec only.
    pub answer_preferred_codec_only: bool,
    /// Answer with a single codec.
    pub answer_single_codec: bool,
    /// Take a changed description even when its version number did not change.
    pub ignore_sdp_version: bool,
    /// How ways through the network are found: the dialect of our offers. Answers are in that of the peer.
    pub ice: Connectivity,
    /// Offer the dialect of OCS 2007, too: a body of two parts.
    pub ice_2007: bool,
    /// Speak the old STUN of RFC 3489.
    pub rfc3489: bool,
    /// The address that peers and base stations send voice to.
    pub address: IpAddr,
    /// How many calls can have voice at the same time.
    pub voice_channels: u16,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            srtp: MediaEncryption::Required,
            include_lifetime: true,
            include_mki: true,
            answer_preferred_codec_only: false,
            answer_single_codec: false,
            ignore_sdp_version: true,
            ice: Connectivity::MsIce2,
            ice_2007: false,
            rfc3489: false,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            voice_channels: 32,
        }
    }
}

/// How ways through the network are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connectivity {
    /// Not at all: voice goes to the address that the peer gives.
    Off,
    /// ICE as Lync and OCS 2007 R2 speak it.
    #[default]
    MsIce2,
    /// ICE of the standard.
    Rfc8445,
    /// ICE of OCS 2007 alone.
    Draft06,
}

/// Whether voice is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaEncryption {
    /// Never.
    Off,
    /// When the peer can.
    Enabled,
    /// Always; a call without it is refused.
    #[default]
    Required,
}
