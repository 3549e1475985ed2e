//! A connection to a front end over the sockets of the standard library: TCP, or TLS with or without a certificate.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// What is trusted, and what we show.
#[derive(Debug, Default)]
pub struct Security<'a> {
    /// The authorities of the front end; without any the public ones.
    pub ca: Option<&'a Path>,
    /// Our certificate and its key: mutual TLS.
    pub identity: Option<(&'a Path, &'a Path)>,
    /// The name the front end's certificate must have; otherwise the host.
    pub name: Option<&'a str>,
}

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
#[derive(Debug)]
pub enum Connection {
    /// Without protection.
    Tcp(TcpStream),
    /// With it.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects to `HOST:PORT`; without `security` over bare TCP.
    pub fn open(server: &str, security: Option<&Security<'_>>) -> Result<Self, String> {
        let (host, _) =
            server.rsplit_once(':').ok_or_else(|| format!("`{server}` is not of the form HOST:PORT"))?;
        let addresses = server.to_socket_addrs().map_err(|error| format!("{server}: {error}"))?;
        let mut stream = Err(format!("{server}: no address"));
        for address in addresses {
            stream =
                TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| format!("{server}: {error}"));
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        // A front end that takes the connection and then says nothing is not waited for without end.
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(PATIENCE)).map_err(|error| error.to_string())?;
        }
        let Some(security) = security else { return Ok(Self::Tcp(stream)) };
        let name = security.name.unwrap_or_else(|| host.trim_matches(['[', ']'])).to_owned();
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        let client = ClientConnection::new(Arc::new(configuration(security)?), name)
            .map_err(|error| error.to_string())?;
        let mut stream = StreamOwned::new(client, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    format!("{server}: it does not speak TLS, or is too slow")
                }
                _ => format!("{server}: {error}"),
            })?;
        }
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Our address and the front end's.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        let socket = self.socket();
        Ok((socket.local_addr()?, socket.peer_addr()?))
    }

    /// What comes until `until`: `None` when that time came first, nothing when the peer closed.
    pub fn read<'a>(&mut self, buffer: &'a mut [u8], until: Instant) -> io::Result<Option<&'a [u8]>> {
        // A time-out of zero would wait for ever.
        let wait = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.socket().set_read_timeout(Some(wait))?;
        let read = match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        };
        match read {
            Ok(len) => Ok(buffer.get(..len)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
            // A peer that closes without a farewell has closed all the same.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(buffer.get(..0)),
            Err(error) => Err(error),
        }
    }

    /// Sends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

fn configuration(security: &Security<'_>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match security.ca {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let Some((certificate, key)) = security.identity else { return Ok(builder.with_no_client_auth()) };
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
    builder.with_client_auth_cert(certificates(certificate)?, key).map_err(|error| error.to_string())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let list = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    if list.is_empty() { Err(format!("{}: no certificate in this file", file.display())) } else { Ok(list) }
}
