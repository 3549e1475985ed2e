//! One connection: a task that moves bytes between a socket and the owner of the node.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::arrival::{Arrival, OutgoingEnd};
use super::words::io_error;

/// How long a peer may take to accept bytes before the connection is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// How long the last bytes may take when we close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How many octets are read at once.
const READ: usize = 16 * 1024;

/// A byte stream: TCP or TLS on it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// Moves bytes until one side ends; says why it ended.
///
/// Arriving bytes wait when the owner is busy, so that a flooding peer slows down itself.
pub(super) async fn carry<S: Stream>(
    stream: S,
    mut outgoing: OutgoingEnd,
    arrivals: &mpsc::Sender<Arrival>,
    arrived: impl Fn(Bytes) -> Arrival,
) -> String {
    let (mut reader, mut writer) = split(stream);
    let read = async {
        let mut buffer = BytesMut::with_capacity(READ);
        loop {
            buffer.reserve(READ);
            match reader.read_buf(&mut buffer).await {
                Ok(0) => return "the other side closed the connection".to_owned(),
                Ok(_) => {
                    if arrivals.send(arrived(buffer.split().freeze())).await.is_err() {
                        return "the server is stopping".to_owned();
                    }
                }
                Err(error) => return io_error(&error),
            }
        }
    };
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            let sent = timeout(WRITE_PATIENCE, async {
                writer.write_all(&bytes).await?;
                writer.flush().await
            });
            match sent.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return io_error(&error),
                Err(_) => {
                    return format!("the other side accepted nothing for {} s", WRITE_PATIENCE.as_secs());
                }
            }
        }
        "we closed it".to_owned()
    };
    let (reason, ours) = tokio::select! {
        reason = read => (reason, false),
        reason = write => (reason, true),
    };
    // A clean end tells the other side that nothing was cut off; whether it still listens does not matter.
    let _ = timeout(CLOSE_PATIENCE, async {
        writer.shutdown().await?;
        // What the other side still sends is read until it closes too: a socket closed over unread bytes would
        // take back what we sent last.
        let mut rest = [0; 1024];
        while ours && reader.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
    reason
}
