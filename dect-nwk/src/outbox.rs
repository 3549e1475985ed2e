//! What a machine has to say to the link layer, in order.

use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

use crate::authentication::CipherKey;
use crate::link::{LinkId, ReleaseMode, Transmit};

/// One transmission that waits to be polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    Broadcast(Bytes),
    Establish(LinkId, Bytes),
    Data(LinkId, Bytes),
    Release(LinkId, ReleaseMode),
    Suspend(LinkId),
    Resume(LinkId),
    EncryptionKey(LinkId, CipherKey),
    DefaultKey(LinkId, u16, CipherKey),
    Encrypt(LinkId, bool),
}

/// Transmissions in the order in which they have to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outbox(VecDeque<Outgoing>);

impl Outbox {
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        self.0.push_back(outgoing);
    }

    /// Something about a link, if there is one.
    pub(crate) fn extend_with_link(&mut self, link: Option<LinkId>, about: fn(LinkId) -> Outgoing) {
        self.0.extend(link.map(about));
    }

    /// Appends the octets of the next transmission to `buffer`.
    pub(crate) fn poll(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let append = |buffer: &mut BytesMut, bytes: &Bytes| {
            buffer.extend_from_slice(bytes);
            bytes.len()
        };
        Some(match self.0.pop_front()? {
            Outgoing::Broadcast(bytes) => Transmit::Broadcast { len: append(buffer, &bytes) },
            Outgoing::Establish(link, bytes) => Transmit::Establish { link, len: append(buffer, &bytes) },
            Outgoing::Data(link, bytes) => Transmit::Data { link, len: append(buffer, &bytes) },
            Outgoing::Release(link, mode) => Transmit::Release { link, mode },
            Outgoing::Suspend(link) => Transmit::Suspend { link },
            Outgoing::Resume(link) => Transmit::Resume { link },
            Outgoing::EncryptionKey(link, key) => Transmit::EncryptionKey { link, key },
            Outgoing::DefaultKey(link, index, key) => Transmit::DefaultKey { link, index, key },
            Outgoing::Encrypt(link, on) => Transmit::Encrypt { link, on },
        })
    }
}
