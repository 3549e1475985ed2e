//! The web page's port: plain on loopback, else TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::net::Stream;

/// So many browsers are served at a time.
const CONNECTIONS: usize = 256;
/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// TLS of the port; it may change while the port is open.
pub type WebTls = watch::Receiver<Option<Arc<ServerConfig>>>;

/// The address of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, WebListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, WebListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Connections whose handshake is done.
pub(super) struct WebListener {
    ready: mpsc::Receiver<(Browser, SocketAddr)>,
    local: SocketAddr,
}

impl WebListener {
    pub(super) fn new(listener: TcpListener, tls: Option<WebTls>) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(1);
        tokio::spawn(accept(listener, tls, sender));
        Ok(Self { ready, local })
    }
}

impl Listener for WebListener {
    type Io = Browser;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Browser, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // Nobody accepts any more: wait until the server stops.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

async fn accept(listener: TcpListener, tls: Option<WebTls>, ready: mpsc::Sender<(Browser, SocketAddr)>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        let (socket, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!("web connections cannot be accepted: {error}");
                sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let tls = tls.clone();
        let ready = ready.clone();
        tokio::spawn(async move {
            if let Some(stream) = secure(socket, tls).await {
                // The server stops.
                let _ = ready.send((Browser { stream, _permit: permit }, remote)).await;
            }
        });
    }
}

/// Without TLS the port is plain; nothing comes of a handshake that fails, or of TLS that cannot be had now.
async fn secure(socket: TcpStream, tls: Option<WebTls>) -> Option<Box<dyn Stream>> {
    let Some(tls) = tls else { return Some(Box::new(socket)) };
    let config = tls.borrow().clone()?;
    let stream = timeout(PATIENCE, TlsAcceptor::from(config).accept(socket)).await.ok()?.ok()?;
    Some(Box::new(stream))
}

/// One connection of a browser; it holds its place until it ends.
pub(super) struct Browser {
    stream: Box<dyn Stream>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Browser {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Browser {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
