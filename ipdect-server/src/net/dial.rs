//! Connections to proxies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::arrival::{Arrival, OutgoingEnd};
use super::connection::carry;
use super::names::names_of;
use super::words::io_error;
use crate::core::vocabulary::FlowId;

/// How long resolving, connecting and the handshake may take together.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Where to connect, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS, or none for plain TCP.
    pub tls: Option<Arc<ClientConfig>>,
}

/// A connection that stands.
#[derive(Debug)]
pub enum Connected {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS.
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Connected {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// The certificates of the peer, its own first.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Tcp(_) => &[],
            Self::Tls(stream) => stream.get_ref().1.peer_certificates().unwrap_or_default(),
        }
    }
}

/// Connects, or says in one line why not.
pub async fn connect(target: &Target) -> Result<Connected, String> {
    let attempt = timeout(PATIENCE, async {
        let socket = connect_tcp(target).await?;
        let Some(tls) = &target.tls else { return Ok(Connected::Tcp(socket)) };
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| format!("{} is no name that a certificate can have", target.host))?;
        let stream =
            TlsConnector::from(tls.clone()).connect(name, socket).await.map_err(|error| io_error(&error))?;
        Ok(Connected::Tls(Box::new(stream)))
    });
    attempt.await.unwrap_or_else(|_| {
        Err(format!(
            "no answer within {} s: check the address, the firewall and that the service runs",
            PATIENCE.as_secs()
        ))
    })
}

async fn connect_tcp(target: &Target) -> Result<TcpStream, String> {
    let addresses: Vec<SocketAddr> = lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|error| format!("the name {} does not resolve ({error}): check DNS", target.host))?
        .collect();
    let mut failure = format!("the name {} has no address: check DNS", target.host);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => {
                // Small messages must not wait for one another; if the option fails they only come later.
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Err(error) => failure = format!("{address}: {}", io_error(&error)),
        }
    }
    Err(failure)
}

/// Connects and carries a flow until it ends; tells the owner all of it.
pub async fn dial(
    flow: FlowId,
    proxy: usize,
    target: Target,
    outgoing: OutgoingEnd,
    arrivals: mpsc::Sender<Arrival>,
) {
    let opened = match connect(&target).await {
        Ok(connected) => match (connected.socket().local_addr(), connected.socket().peer_addr()) {
            (Ok(local), Ok(remote)) => Ok((connected, local, remote)),
            (Err(error), _) | (_, Err(error)) => Err(io_error(&error)),
        },
        Err(reason) => Err(reason),
    };
    let (connected, local, remote) = match opened {
        Ok(opened) => opened,
        Err(reason) => {
            // The owner is gone when the server stops.
            let _ = arrivals.send(Arrival::DialFailed { flow, reason }).await;
            return;
        }
    };
    let peer_names = connected.peer_certificates().first().map(|own| names_of(own)).unwrap_or_default();
    let opened = Arrival::FlowOpened { flow, proxy: Some(proxy), local, remote, peer_names, outgoing: None };
    if arrivals.send(opened).await.is_err() {
        return;
    }
    let arrived = |bytes| Arrival::FlowBytes { flow, bytes };
    let reason = match connected {
        Connected::Tcp(stream) => carry(stream, outgoing, &arrivals, arrived).await,
        Connected::Tls(stream) => carry(*stream, outgoing, &arrivals, arrived).await,
    };
    let _ = arrivals.send(Arrival::FlowClosed { flow, reason }).await;
}
