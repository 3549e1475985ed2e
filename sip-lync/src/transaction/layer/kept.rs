//! What is kept of the requests of peers while they are under way.

use super::{ServerId, ServerMachine, TransactionLayer, shares};
use crate::headers::Headers;
use crate::message::Request;
use crate::transaction::timers::Reliability;

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All but its body.
    Request(Box<Request>),
    /// What its responses repeat.
    Repeated(Headers),
    /// Who sent it, once its final response is sent; nobody where that is not asked any more.
    Sender(Option<Box<str>>),
}

impl Kept {
    pub(super) fn request(&self) -> Option<&Request> {
        if let Self::Request(request) = self { Some(request) } else { None }
    }

    pub(super) fn headers(&self) -> Option<&Headers> {
        match self {
            Self::Request(request) => Some(&request.headers),
            Self::Repeated(headers) => Some(headers),
            Self::Sender(_) => None,
        }
    }
}

impl TransactionLayer {
    /// The lines of a response, if no more was kept of its request; gone with them if it is the last one.
    pub(crate) fn take_repeated(&mut self, server: ServerId, last: bool) -> Option<Headers> {
        let Kept::Repeated(headers) = &self.servers.get(server.0)?.kept else { return None };
        if !last {
            return Some(headers.clone());
        }
        let sender = self.sender_kept(server);
        let server = self.servers.get_mut(server.0)?;
        let Kept::Repeated(taken) = core::mem::replace(&mut server.kept, sender) else { return None };
        Some(taken)
    }

    /// What is kept behind the final response: half a minute may pass until the transaction is over.
    pub(super) fn sender_kept(&self, server: ServerId) -> Kept {
        let Some(server) = self.servers.get(server.0) else { return Kept::Sender(None) };
        let stays = matches!(server.machine, ServerMachine::Invite(_))
            || server.reliability == Reliability::Unreliable
            || self.shares.contains_key(&server.key.flow());
        Kept::Sender(if stays { Some(shares::sender_of(&server.kept)) } else { None })
    }
}
