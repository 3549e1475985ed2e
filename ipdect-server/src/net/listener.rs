//! Doors: front ends and base stations that connect to us.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::arrival::{Arrival, Outgoing};
use super::connection::carry;
use super::names::names_of;
use super::words::io_error;
use crate::core::vocabulary::{FlowId, LinkId};

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections one door has at a time.
const CONNECTIONS: usize = 1024;

/// Who comes through a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Front ends, with SIP.
    Sip,
    /// Base stations, with the radio link.
    Radio,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Sip => "SIP",
            Self::Radio => "radio link",
        }
    }
}

/// TLS of a door: none for plain TCP; it may change while the door is open.
pub type DoorTls = watch::Receiver<Option<Arc<ServerConfig>>>;

/// Opens a port, or says in one line why not.
pub async fn open(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{key} {address}: {}", io_error(&error)))
}

/// Lets in whoever comes, each in a task of his own, until the owner is gone.
pub async fn accept(door: Door, listener: TcpListener, tls: DoorTls, arrivals: mpsc::Sender<Arrival>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut number = 0_u32;
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let (socket, remote) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: let some connections end.
                    tracing::error!("{} connections cannot be accepted: {}", door.name(), io_error(&error));
                    sleep(Duration::from_secs(1)).await;
                    continue;
                }
            },
            () = arrivals.closed() => return,
        };
        let config = tls.borrow().clone();
        let arrivals = arrivals.clone();
        let this = number;
        number = (number + 1) % FlowId::FIRST_ACCEPTED;
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(reason) = serve(door, this, socket, remote, config, &arrivals).await {
                let _ = arrivals.send(Arrival::TurnedAway { door: door.name(), remote, reason }).await;
            }
        });
    }
}

async fn serve(
    door: Door,
    number: u32,
    socket: TcpStream,
    remote: SocketAddr,
    config: Option<Arc<ServerConfig>>,
    arrivals: &mpsc::Sender<Arrival>,
) -> Result<(), String> {
    // Small messages must not wait for one another; if the option fails they only come later.
    let _ = socket.set_nodelay(true);
    let local = socket.local_addr().map_err(|error| io_error(&error))?;
    let Some(config) = config else {
        run(door, number, socket, local, remote, Vec::new(), arrivals).await;
        return Ok(());
    };
    let stream = match timeout(PATIENCE, TlsAcceptor::from(config).accept(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(handshake_words(door, &error)),
        Err(_) => return Err(format!("no TLS handshake within {} s", PATIENCE.as_secs())),
    };
    let names = stream.get_ref().1.peer_certificates().unwrap_or_default().first().map(|own| names_of(own));
    run(door, number, stream, local, remote, names.unwrap_or_default(), arrivals).await;
    Ok(())
}

fn handshake_words(door: Door, error: &io::Error) -> String {
    let words = io_error(error);
    match door {
        Door::Sip => words,
        Door::Radio if words.contains("pinned") => words,
        Door::Radio => format!("{words} (a base station must trust this server's certificate)"),
    }
}

async fn run<S: super::connection::Stream>(
    door: Door,
    number: u32,
    stream: S,
    local: SocketAddr,
    remote: SocketAddr,
    peer_names: Vec<String>,
    arrivals: &mpsc::Sender<Arrival>,
) {
    let (outgoing, end) = Outgoing::new();
    let closed = match door {
        Door::Sip => {
            let flow = FlowId(FlowId::FIRST_ACCEPTED + number);
            let opened = Arrival::FlowOpened {
                flow,
                proxy: None,
                local,
                remote,
                peer_names,
                outgoing: Some(outgoing),
            };
            if arrivals.send(opened).await.is_err() {
                return;
            }
            let reason = carry(stream, end, arrivals, |bytes| Arrival::FlowBytes { flow, bytes }).await;
            Arrival::FlowClosed { flow, reason }
        }
        Door::Radio => {
            let link = LinkId(number);
            if arrivals.send(Arrival::LinkOpened { link, remote, outgoing }).await.is_err() {
                return;
            }
            let reason = carry(stream, end, arrivals, |bytes| Arrival::LinkBytes { link, bytes }).await;
            Arrival::LinkClosed { link, reason }
        }
    };
    // The owner is gone when the server stops.
    let _ = arrivals.send(closed).await;
}
