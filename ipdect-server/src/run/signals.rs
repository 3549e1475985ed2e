//! What the operating system's signals want.

use std::io;

/// What a signal wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Read the configuration again.
    Reload,
    /// Stop.
    Stop,
}

/// The signals of this process.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    hang_up: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes them over.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next one: SIGHUP, or SIGTERM or Ctrl-C.
    pub async fn next(&mut self) -> Wanted {
        tokio::select! {
            _ = self.hang_up.recv() => Wanted::Reload,
            _ = self.terminate.recv() => Wanted::Stop,
            _ = self.interrupt.recv() => Wanted::Stop,
        }
    }

    /// Waits for a second request to stop.
    pub async fn impatient(&mut self) {
        while self.next().await == Wanted::Reload {}
    }
}

/// The signals of this process.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Takes them over.
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next one: Ctrl-C.
    pub async fn next(&mut self) -> Wanted {
        // Without the signal there is no other way to stop than to kill.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Wanted::Stop
    }

    /// Waits for a second request to stop.
    pub async fn impatient(&mut self) {
        self.next().await;
    }
}
