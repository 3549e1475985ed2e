//! Who a simulated Lync user is.

use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};

use sha2::{Digest, Sha256};
use sip_lync::SipUri;
use sip_lync::ice::Dialect;
use srtp_sdes::{NegotiationConfig, SrtpPolicy};

use crate::login::Account;
use crate::seed::hexadecimal;
use crate::talk::Encoding;

/// How a simulated Lync user behaves.
///
/// MS-SIPREGE 3.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserConfig {
    /// `sip:user@domain`.
    pub uri: SipUri,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// The endpoint's identifier; never changes for one endpoint.
    pub epid: String,
    /// Whether the connection is TLS; otherwise TCP.
    pub tls: bool,
    /// SRTP: policy, lifetime, MKI.
    pub srtp: NegotiationConfig,
    /// Where RTP is received.
    pub media_rtp: SocketAddr,
    /// Where RTCP is received.
    pub media_rtcp: SocketAddr,
    /// The dialect of ICE in offers; answers are in that of the offer. None: no ICE.
    pub ice: Option<Dialect>,
    /// Whether a call that rings is answered early with a description: the caller hears this end before it answers.
    pub early_media: bool,
    /// The account that logs in; none: the certificate must be a trusted one.
    pub account: Option<Account>,
    /// The codings offered, best first; an answer takes the first of the offer that is in here.
    pub encodings: Vec<Encoding>,
    /// The life of the registration that is asked for; none: the front end chooses.
    pub expires: Option<Duration>,
    /// It is no person's endpoint but a service behind the front end with this address, which does not register.
    pub service: Option<SipUri>,
}

impl UserConfig {
    /// A user with SRTP required, ICE of Lync and both forms of G.711; the media addresses are to be filled in.
    ///
    /// MS-SIPREGE 3.1
    pub fn new(uri: SipUri) -> Self {
        let digest = Sha256::digest(format!("simulated user {}", uri.address_of_record()));
        let mut epid = hexadecimal(&digest);
        epid.truncate(10);
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            uri,
            display_name: None,
            epid,
            tls: true,
            srtp: NegotiationConfig::new(SrtpPolicy::Required),
            media_rtp: nowhere,
            media_rtcp: nowhere,
            ice: Some(Dialect::MsIce2),
            early_media: false,
            account: None,
            encodings: vec![Encoding::Pcma, Encoding::Pcmu],
            expires: None,
            service: None,
        }
    }
}
