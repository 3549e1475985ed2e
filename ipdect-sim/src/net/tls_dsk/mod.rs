//! TLS-DSK at the front end: certificates for users over HTTPS, and handshakes of TLS 1.0 within SIP.
//!
//! The clients of Lync speak TLS 1.0 there, with suites of RSA and AES in CBC mode, which rustls does not have; OpenSSL does.

mod authority;
mod handshakes;
mod provisioning;
mod soap;
mod ticket;

use std::net::SocketAddr;
use std::time::Duration;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::stream::{Acceptor, Security};
use super::tls::Identity;
use crate::frontend::{Fault, FrontEndConfig, HandshakeTurn};
use authority::Authority;
use handshakes::Handshakes;
use provisioning::Provisioning;

/// How TLS-DSK is offered.
///
/// MS-OCAUTHWS, MS-SIPAE 2.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsDskOptions {
    /// Where certificates are had over HTTPS; port 0: any.
    pub listen: SocketAddr,
    /// The host that clients are told; none: the front end's.
    pub host: Option<String>,
    /// How long certificates are good for.
    pub lifetime: Duration,
}

impl TlsDskOptions {
    /// Certificates of 180 days, as Lync's.
    ///
    /// MS-OCAUTHWS
    pub const fn new(listen: SocketAddr) -> Self {
        Self { listen, host: None, lifetime: Duration::from_hours(180 * 24) }
    }
}

/// TLS-DSK of a running front end.
pub(super) struct TlsDsk {
    handshakes: Handshakes,
    /// The web services end with it.
    _end: watch::Sender<()>,
}

impl TlsDsk {
    /// Makes an authority, opens the web services, and has the front end offer them.
    pub(super) async fn start(
        options: &TlsDskOptions,
        config: &mut FrontEndConfig,
        security: &Security,
    ) -> io::Result<Self> {
        let believed = Authority::new("User certificates")?;
        let signing = if config.faults.contains(&Fault::ForeignCertificate) {
            Authority::new("Another authority")?
        } else {
            believed.clone()
        };
        let host = options.host.clone().unwrap_or_else(|| config.host_name.clone());
        let identity = match security {
            Security::Tls { identity: Some(identity), .. } => identity.clone(),
            Security::Tls { identity: None, .. } | Security::Tcp => identity(&believed, &host)?,
        };
        let authority = CertificateDer::from(believed.certificate.to_der()?);
        let security = Security::Tls { identity: Some(identity), authorities: vec![authority], name: None };
        let acceptor =
            Acceptor::new(&security).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = format!("{host}:{}", listener.local_addr()?.port());
        let handshakes = Handshakes::new(&believed, &config.host_name)?;
        let services = Provisioning::new(signing, config.users.clone(), address, options.lifetime);
        config.tls_dsk = Some(services.address());
        let (end, ended) = watch::channel(());
        tokio::spawn(provisioning::serve(listener, acceptor, Arc::new(services), ended));
        Ok(Self { handshakes, _end: end })
    }

    pub(super) fn turn(&mut self, now: Instant, opaque: &str, begins: bool, records: &[u8]) -> HandshakeTurn {
        self.handshakes.turn(now, opaque, begins, records)
    }
}

/// An identity of the web services' own, where SIP has none.
fn identity(authority: &Authority, host: &str) -> io::Result<Identity> {
    let (certificate, key) = authority.server(host)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8()?));
    Ok(Identity { chain: vec![CertificateDer::from(certificate.to_der()?)], key })
}
