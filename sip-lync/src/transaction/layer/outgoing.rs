//! What goes out: messages and keep-alives, in their order.

use std::collections::VecDeque;

use bytes::BytesMut;

use super::TransactionLayer;
use crate::flow::FlowId;
use crate::message::{Message, Request};

/// What goes out next: a message, or a keep-alive.
pub(crate) type Outgoing = Option<Message>;

/// For so many messages the room is kept.
const KEPT: usize = 256;

impl TransactionLayer {
    /// Appends the next message to the buffer.
    ///
    /// RFC 3261 18
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<(FlowId, usize)> {
        let (flow, outgoing) = self.poll_outgoing()?;
        let start = buffer.len();
        match outgoing {
            Some(message) => message.emit(buffer),
            None => buffer.extend_from_slice(KEEP_ALIVE),
        }
        Some((flow, buffer.len() - start))
    }

    /// Sends a request without a transaction: the ACK for a 2xx, BENOTIFY.
    ///
    /// RFC 3261 13.2.2.4
    pub fn request_without_transaction(&mut self, flow: FlowId, request: &Request) {
        self.send(flow, request.clone());
    }

    /// The same, and hands back a copy that holds no more than it needs.
    pub(crate) fn request_and_keep(&mut self, flow: FlowId, request: Request) -> Request {
        let kept = request.clone();
        self.send(flow, request);
        kept
    }

    /// The next message before it is written.
    pub(crate) fn poll_outgoing(&mut self) -> Option<(FlowId, Outgoing)> {
        let next = self.transmits.pop_front();
        if next.is_none() && self.transmits.capacity() > KEPT {
            self.transmits = VecDeque::new();
        }
        next
    }

    /// The same where it stands; `outgoing_done` takes it away.
    pub(crate) fn next_outgoing(&mut self) -> Option<&(FlowId, Outgoing)> {
        if self.transmits.is_empty() && self.transmits.capacity() > KEPT {
            self.transmits = VecDeque::new();
        }
        self.transmits.front()
    }

    pub(crate) fn outgoing_done(&mut self) {
        // A message is large: it is not moved to be dropped.
        self.transmits.drain(..self.transmits.len().min(1));
    }

    /// Sends a keep-alive.
    ///
    /// RFC 5626 3.5.1
    pub(crate) fn keep_alive(&mut self, flow: FlowId) {
        self.transmits.push_back((flow, None));
    }

    pub(super) fn send(&mut self, flow: FlowId, message: impl Into<Message>) {
        self.transmits.push_back((flow, Some(message.into())));
    }
}

/// The keep-alive of the side that opened the connection.
///
/// RFC 5626 3.5.1, MS-CONMGMT 2.2.1
pub(crate) const KEEP_ALIVE: &[u8] = b"\r\n\r\n";
