//! One byte stream, TCP or TLS: a task that moves its octets to and from the owner of the machines.

use core::time::Duration;
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

/// Messages that may wait for a slow peer before its connection is given up.
const WAITING: usize = 1024;
/// How long a write may wait for the peer.
const PATIENCE: Duration = Duration::from_secs(30);
const READ: usize = 16 * 1024;
/// Between two looks of a slow reader.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection tells its owner.
#[derive(Debug)]
pub(crate) enum Report {
    /// Octets of the peer.
    Bytes(Bytes),
    /// The end; nothing follows.
    Closed(String),
}

/// The owner's side of a running connection; dropping it closes the connection once all is written.
#[derive(Debug)]
pub(crate) struct Connection {
    write: mpsc::Sender<Bytes>,
}

impl Connection {
    /// Starts the task; `report` carries what comes, marked with `key`.
    pub(crate) fn start<S, K>(stream: S, key: K, report: mpsc::Sender<(K, Report)>) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        K: Copy + Send + 'static,
    {
        Self::start_at_pace(stream, key, report, None)
    }

    /// The same; no more than so many octets a second are read.
    pub(crate) fn start_at_pace<S, K>(
        stream: S,
        key: K,
        report: mpsc::Sender<(K, Report)>,
        pace: Option<u32>,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        K: Copy + Send + 'static,
    {
        let (write, queue) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let why = run(stream, key, &report, queue, pace).await;
            let _ = report.send((key, Report::Closed(why))).await;
        });
        Self { write }
    }

    /// Hands octets over to be written; false: the peer takes nothing any more.
    pub(crate) fn send(&self, octets: Bytes) -> bool {
        self.write.try_send(octets).is_ok()
    }
}

async fn run<S, K>(
    stream: S,
    key: K,
    report: &mpsc::Sender<(K, Report)>,
    mut queue: mpsc::Receiver<Bytes>,
    pace: Option<u32>,
) -> String
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    K: Copy,
{
    let (mut read, mut write) = tokio::io::split(stream);
    // A slow reader reads ten times a second.
    let most = pace.map_or(READ, |pace| usize::try_from(pace / 10).unwrap_or(READ).clamp(1, READ));
    let mut buffer = BytesMut::with_capacity(READ);
    let mut pause: Option<Instant> = None;
    loop {
        tokio::select! {
            () = sleep_until(pause.unwrap_or_else(Instant::now).into()), if pause.is_some() => pause = None,
            got = some(&mut read, &mut buffer, most), if pause.is_none() => match got {
                Ok(0) => return "the peer closed the connection".to_owned(),
                Ok(_) => {
                    let octets = buffer.split().freeze();
                    buffer.reserve(READ);
                    pause = pace.map(|_| Instant::now() + PAUSE);
                    if report.send((key, Report::Bytes(octets))).await.is_err() {
                        return "nobody listens any more".to_owned();
                    }
                }
                Err(error) => return error.to_string(),
            },
            next = queue.recv() => {
                let Some(octets) = next else {
                    let _ = write.shutdown().await;
                    return "closed by us".to_owned();
                };
                let written = timeout(PATIENCE, async {
                    write.write_all(&octets).await?;
                    write.flush().await
                });
                match written.await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "the peer does not read".to_owned(),
                }
            }
        }
    }
}

/// Reads up to so many octets; nothing is lost when nobody waits for it any more.
async fn some(
    read: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    most: usize,
) -> std::io::Result<usize> {
    read.read_buf(&mut buffer.limit(most)).await
}
