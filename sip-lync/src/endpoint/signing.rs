//! What is sent, with its signatures.

use std::ops::Range;

use bytes::BytesMut;

use super::Endpoint;
use super::credentials::CREDENTIALS;
use super::vocabulary::{Transmit, UserId};
use crate::flow::FlowId;
use crate::headers::{HeaderName, NameAddr};
use crate::message::Message;
use crate::signature::{SignatureFields, signature_text};
use crate::transaction::KEEP_ALIVE;

/// The place of a signature in the message that was polled last.
///
/// MS-SIPAE 3.2.5.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureSlot {
    /// Whose key signs.
    pub user: UserId,
    /// With whom the key was agreed.
    pub target_name: String,
    /// The text that is signed.
    pub text: String,
    /// Where the hexadecimal digits go, counted from the start of the message.
    pub at: Range<usize>,
}

impl SignatureSlot {
    /// Writes a signature into the message; `false` when it has another length than was announced.
    ///
    /// MS-SIPAE 3.2.5.2
    pub fn fill(&self, message: &mut [u8], signature: &[u8]) -> bool {
        let Some(place) = message.get_mut(self.at.clone()) else { return false };
        if place.len() != signature.len() * 2 {
            return false;
        }
        for (digits, octet) in place.chunks_exact_mut(2).zip(signature) {
            for (digit, four) in digits.iter_mut().zip([octet >> 4, octet & 0x0f]) {
                *digit = if four < 10 { b'0' + four } else { b'a' + four - 10 };
            }
        }
        true
    }
}

impl Endpoint {
    /// The place for the signature of the message that [`Self::poll_transmit`] returned last, if it is to be signed.
    ///
    /// MS-SIPAE 3.2.5.2
    pub fn poll_signature(&mut self) -> Option<SignatureSlot> {
        self.signature.take()
    }

    /// Appends the next bytes to the buffer.
    ///
    /// RFC 3261 18
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        loop {
            let (flow, outgoing) = self.layer.next_outgoing()?;
            let flow = *flow;
            if !self.flows.contains_key(&flow) {
                self.layer.outgoing_done();
                continue;
            }
            let start = buffer.len();
            match outgoing {
                Some(message) if !self.config.credentials => {
                    self.signature = None;
                    message.emit(buffer);
                    self.layer.outgoing_done();
                }
                Some(_) => {
                    if let Some((_, Some(message))) = self.layer.poll_outgoing() {
                        self.emit(flow, &message, buffer);
                    }
                }
                None => {
                    self.signature = None;
                    buffer.extend_from_slice(KEEP_ALIVE);
                    self.layer.outgoing_done();
                }
            }
            let len = buffer.len() - start;
            if let Some(now) = self.now {
                self.restart_keep_alive(now, flow);
            }
            return Some(Transmit { flow, len });
        }
    }

    /// Writes a message, with room for its signature if its user has a security association.
    fn emit(&mut self, flow: FlowId, message: &Message, buffer: &mut BytesMut) -> usize {
        let start = buffer.len();
        self.signature = None;
        match self.signed(flow, message) {
            Some((message, mut slot, digits)) => {
                message.emit(buffer);
                // The placeholder is the last value of its line.
                let mark = format!("response=\"{}\"", "0".repeat(digits));
                let written = buffer.get(start..).unwrap_or_default();
                let found = written.windows(mark.len()).position(|window| window == mark.as_bytes());
                if let Some(at) = found {
                    let first = at + "response=\"".len();
                    slot.at = first..first + digits;
                    self.signature = Some(slot);
                }
            }
            None => message.emit(buffer),
        }
        buffer.len() - start
    }

    fn signed(&mut self, flow: FlowId, message: &Message) -> Option<(Message, SignatureSlot, usize)> {
        if !self.config.credentials {
            return None;
        }
        // The server finds the association by our epid: ours is From of requests and To of responses.
        let ours = match message {
            Message::Request(_) => HeaderName::From,
            Message::Response(_) => HeaderName::To,
        };
        let address = NameAddr::parse(message.headers().get(&ours)?).ok()?;
        let user = self.accounts.of_address(&address)?;
        let random = self.words.random();
        let leg = message.headers().get(&CREDENTIALS).map(str::to_owned);
        let authentication = &mut self.accounts.get_mut(user)?.authentication;
        let association = authentication.signing(flow, leg.is_some())?;
        association.number = association.number.saturating_add(1);
        let fields = SignatureFields {
            version: association.version,
            scheme: &association.scheme,
            random: &random,
            number: association.number,
            realm: &association.realm,
            target_name: &association.target_name,
        };
        let text = signature_text(message, &fields).ok()?;
        let value = leg.unwrap_or_else(|| association.value().to_string());
        let zeros = "0".repeat(association.digits);
        let number = association.number;
        let value = format!("{value}, crand=\"{random}\", cnum=\"{number}\", response=\"{zeros}\"");
        let digits = association.digits;
        let target_name = association.target_name.clone();
        let mut message = message.clone();
        message.headers_mut().set(CREDENTIALS, value);
        let slot = SignatureSlot { user, target_name, text, at: 0..0 };
        Some((message, slot, digits))
    }
}
