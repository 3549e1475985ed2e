//! Dialling and accepting: TCP, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::tls::{self, Identity, TlsError};

/// How a connection is protected.
///
/// RFC 8446, RFC 3261 26.3.1
#[derive(Clone, Debug)]
pub enum Security {
    /// Not at all: laboratories only.
    Tcp,
    /// TLS.
    Tls {
        /// Our certificate; none: the peer must do without.
        identity: Option<Identity>,
        /// The authorities that peers' certificates must come from.
        authorities: Vec<CertificateDer<'static>>,
        /// The name that the dialled peer's certificate must have; none: the dialled host name, or with a numerical
        /// address the chain alone.
        name: Option<String>,
    },
}

/// A byte stream of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that came up.
pub(super) struct Opened {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// The names of the peer's verified certificate.
    pub names: Vec<String>,
    pub stream: Box<dyn Stream>,
}

/// Dials `host:port`.
pub(super) async fn dial(host: &str, port: u16, security: &Security) -> io::Result<Opened> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
    match security {
        Security::Tcp => Ok(Opened { local, remote, names: Vec::new(), stream: Box::new(stream) }),
        Security::Tls { identity, authorities, name } => {
            let numerical = host.parse::<std::net::IpAddr>().is_ok();
            let wanted = name.as_deref().or_else(|| (!numerical).then_some(host));
            let config = tls::client(identity.as_ref(), authorities, wanted).map_err(invalid)?;
            let indication = ServerName::try_from(wanted.unwrap_or(host).to_owned())
                .unwrap_or_else(|_| ServerName::IpAddress(remote.ip().into()));
            let stream = TlsConnector::from(config).connect(indication, stream).await?;
            let names = peer_names(stream.get_ref().1.peer_certificates());
            Ok(Opened { local, remote, names, stream: Box::new(stream) })
        }
    }
}

/// What the listener needs for each connection.
#[derive(Clone)]
pub(super) enum Acceptor {
    Tcp,
    Tls(TlsAcceptor),
}

impl Acceptor {
    pub(super) fn new(security: &Security) -> Result<Self, TlsError> {
        match security {
            Security::Tcp => Ok(Self::Tcp),
            Security::Tls { identity, authorities, .. } => {
                let identity = identity.as_ref().ok_or_else(|| {
                    TlsError("a TLS listener needs a certificate (--cert, --key)".to_owned())
                })?;
                Ok(Self::Tls(TlsAcceptor::from(Arc::clone(&tls::server(identity, authorities)?))))
            }
        }
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Opened> {
        stream.set_nodelay(true)?;
        let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
        match self {
            Self::Tcp => Ok(Opened { local, remote, names: Vec::new(), stream: Box::new(stream) }),
            Self::Tls(acceptor) => {
                let stream = acceptor.accept(stream).await?;
                let names = peer_names(stream.get_ref().1.peer_certificates());
                Ok(Opened { local, remote, names, stream: Box::new(stream) })
            }
        }
    }
}

/// Cuts `len` octets from the front of what a machine wrote.
pub(super) fn taken(buffer: &mut bytes::BytesMut, len: usize) -> Bytes {
    buffer.split_to(len.min(buffer.len())).freeze()
}

fn peer_names(certificates: Option<&[CertificateDer<'_>]>) -> Vec<String> {
    certificates.and_then(<[_]>::first).map(tls::names).unwrap_or_default()
}

fn invalid(error: TlsError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
