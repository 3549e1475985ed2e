//! The way to the owner of the node, for the web page and the programs around the server.

use tokio::sync::{mpsc, oneshot};

use crate::core::status::Status;
use crate::core::vocabulary::Command;
use crate::run::Reloaded;

/// What the owner is asked.
#[derive(Debug)]
pub enum Control {
    /// A snapshot of the node.
    Status(oneshot::Sender<Status>),
    /// A command of the administrator.
    Command(Command),
    /// Configuration and certificates were read again.
    Reload(Box<Reloaded>),
    /// End calls and registrations, then stop.
    Shutdown,
}

/// The node has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is stopping")]
pub struct Stopped;

/// The way to the owner; cheap to clone.
#[derive(Clone, Debug)]
pub struct NodeHandle {
    controls: mpsc::Sender<Control>,
}

impl NodeHandle {
    /// A way and its other end.
    pub fn new() -> (Self, mpsc::Receiver<Control>) {
        let (controls, end) = mpsc::channel(256);
        (Self { controls }, end)
    }

    /// A snapshot of the node.
    pub async fn status(&self) -> Result<Status, Stopped> {
        let (answer, wait) = oneshot::channel();
        self.send(Control::Status(answer)).await?;
        wait.await.map_err(|_| Stopped)
    }

    /// Gives a command.
    pub async fn command(&self, command: Command) -> Result<(), Stopped> {
        self.send(Control::Command(command)).await
    }

    /// Waits until the node has stopped.
    pub async fn stopped(&self) {
        self.controls.closed().await;
    }

    /// Asks for something.
    pub async fn send(&self, control: Control) -> Result<(), Stopped> {
        self.controls.send(control).await.map_err(|_| Stopped)
    }
}
