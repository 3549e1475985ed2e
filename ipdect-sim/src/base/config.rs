//! What a simulated base station is told once.

use std::net::SocketAddr;

use rfp_link::{Hello, VersionRange};
use telephony_audio::g726::Packing;

use crate::handset::HandsetConfig;

/// How a simulated base station behaves.
///
/// docs/radio-link.md 3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaseConfig {
    /// Its number in the system.
    pub rpn: u8,
    /// Its name.
    pub name: String,
    /// The name and version of its software.
    pub software: String,
    /// The versions of the radio link it speaks.
    pub protocol: VersionRange,
    /// Its media sockets, bound beforehand: one speech channel each.
    pub media: Vec<SocketAddr>,
    /// The handsets in its range.
    pub handsets: Vec<HandsetConfig>,
    /// The order of samples in an octet of G.726 [inferred: the first in the most significant bits].
    pub packing: Packing,
}

impl BaseConfig {
    /// A base station without speech channels and handsets.
    ///
    /// docs/radio-link.md 3
    pub fn new(rpn: u8, name: &str) -> Self {
        Self {
            rpn,
            name: name.to_owned(),
            software: concat!("ipdect-sim ", env!("CARGO_PKG_VERSION")).to_owned(),
            protocol: Hello::base_station("", "", rpn, 0).protocol,
            media: Vec::new(),
            handsets: Vec::new(),
            packing: Packing::Aal2,
        }
    }
}
