//! The web page's port: plain on loopback, else TLS.

use std::future::Future;
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
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::net::Stream;

/// So many browsers are served at a time.
const CONNECTIONS: usize = 256;
/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may say nothing …
const IDLE: Duration = Duration::from_secs(30);
/// … and how long it may last; browsers connect again by themselves.
const LONGEST: Duration = Duration::from_mins(10);

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
                let browser = Browser {
                    stream,
                    silent: Box::pin(sleep(IDLE)),
                    end: Instant::now() + LONGEST,
                    _permit: permit,
                };
                let _ = ready.send((browser, remote)).await;
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
    /// Runs while nothing is read.
    silent: Pin<Box<Sleep>>,
    end: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Browser {
    /// Something went over the connection: it may be silent anew, but not for ever.
    fn alive(&mut self) {
        let until = (Instant::now() + IDLE).min(self.end);
        self.silent.as_mut().reset(until);
    }
}

impl AsyncRead for Browser {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match &read {
            Poll::Ready(_) => {
                if buf.filled().len() > before {
                    self.alive();
                }
                read
            }
            Poll::Pending => match self.silent.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Browser {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
            self.alive();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
