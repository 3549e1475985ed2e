//! S-format messages: header and information elements.

mod cc;
mod ciss;
mod clms;
mod coms;
mod crss;
mod kind;
mod lce;
mod mm;
mod protocol;
mod rules;
mod transaction;
mod view;
mod writer;

use bytes::{BufMut as _, Bytes, BytesMut};

pub use self::{
    kind::MessageType,
    protocol::ProtocolDiscriminator,
    rules::{Fault, Requirement, Senders, Side, Status},
    transaction::Transaction,
    view::{ElementView, Elements, View},
    writer::Writer,
};
use crate::{
    element::{Element, ElementIdentifier, InformationElement, RepeatIndicator},
    error::Error,
};

/// One element of a message and, when it came in another coding than ours, the octets it came in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    element: InformationElement,
    received: Option<Bytes>,
}

/// A message of the network layer.
///
/// What was received is written back octet for octet, even where the standard has another coding of the same contents.
///
/// EN 300 175-5 7.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The transaction it belongs to.
    pub transaction: Transaction,
    /// Its type, which names the protocol too.
    #[expect(clippy::struct_field_names, reason = "the standard calls it message type")]
    pub message_type: MessageType,
    entries: Vec<Entry>,
    dropped: Bytes,
}

impl Message {
    /// The longest message that is read.
    pub const MAX_LEN: usize = 4096;

    /// A message without elements.
    ///
    /// EN 300 175-5 7.1
    pub const fn new(message_type: MessageType, transaction: Transaction) -> Self {
        Self { transaction, message_type, entries: Vec::new(), dropped: Bytes::new() }
    }

    /// The message with one more element at its end.
    ///
    /// EN 300 175-5 7.5.1
    #[must_use]
    pub fn with(mut self, element: impl Into<InformationElement>) -> Self {
        self.push(element);
        self
    }

    /// Appends an element. Variable elements go in the order of their identifiers, fixed ones where the message's
    /// table lists them.
    ///
    /// EN 300 175-5 7.5.1
    pub fn push(&mut self, element: impl Into<InformationElement>) {
        self.entries.push(Entry { element: element.into(), received: None });
    }

    /// The protocol it belongs to.
    ///
    /// EN 300 175-5 7.2
    pub const fn protocol_discriminator(&self) -> ProtocolDiscriminator {
        self.message_type.protocol_discriminator()
    }

    /// All elements in their order.
    ///
    /// EN 300 175-5 7.5
    pub fn elements(&self) -> impl Iterator<Item = &InformationElement> {
        self.entries.iter().map(|entry| &entry.element)
    }

    /// The first element of this type; a repeated one without repeat indicator does not count.
    ///
    /// EN 300 175-5 17.5.1
    pub fn find<E: Element>(&self) -> Option<&E> {
        self.elements().find(|element| element.identifier() == E::IDENTIFIER).and_then(E::from_element)
    }

    /// The elements of this type: all of a list, else the first.
    ///
    /// EN 300 175-5 7.6.3
    pub fn list<E: Element>(&self) -> impl Iterator<Item = &E> {
        self.entries_of(E::IDENTIFIER).filter_map(E::from_element)
    }

    fn entries_of(&self, identifier: ElementIdentifier) -> impl Iterator<Item = &InformationElement> {
        let start = self.elements().position(|element| element.identifier() == identifier);
        let listed = start.and_then(|start| start.checked_sub(1)).is_some_and(|before| {
            self.entries
                .get(before)
                .is_some_and(|entry| RepeatIndicator::from_element(&entry.element).is_some())
        });
        self.elements()
            .skip(start.unwrap_or(self.entries.len()))
            .take_while(move |element| element.identifier() == identifier)
            .take(if listed { usize::MAX } else { 1 })
    }

    /// Whether there is an element with this identifier, whatever its contents.
    ///
    /// EN 300 175-5 7.5
    pub fn contains(&self, identifier: ElementIdentifier) -> bool {
        self.elements().any(|element| element.identifier() == identifier)
    }

    /// The octets at the end that began an element which was cut off; they are not written back.
    ///
    /// EN 300 175-5 17.5
    pub const fn dropped(&self) -> &Bytes {
        &self.dropped
    }

    /// The octets in which the element at this place came, if they are not those we would write.
    ///
    /// EN 300 175-5 7.5
    pub fn received(&self, place: usize) -> Option<&[u8]> {
        self.entries.get(place)?.received.as_deref()
    }

    /// Reads a message: discriminator, length, transaction and type first, then element by element. Wrong elements
    /// are kept as [`InformationElement::Broken`]; use [`verify`](Self::verify) to learn what they mean.
    ///
    /// EN 300 175-5 17
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        Ok(Self::from(View::parse(octets)?))
    }

    /// Appends the message.
    ///
    /// EN 300 175-5 7.1
    pub fn emit(&self, octets: &mut BytesMut) {
        self.transaction.emit(self.protocol_discriminator(), octets);
        octets.put_u8(self.message_type.code());
        for entry in &self.entries {
            match &entry.received {
                Some(received) => octets.put_slice(received),
                None => entry.element.emit(octets),
            }
        }
    }

    /// The message as octets.
    ///
    /// EN 300 175-5 7.1
    pub fn to_bytes(&self) -> Bytes {
        let mut octets = BytesMut::new();
        self.emit(&mut octets);
        octets.freeze()
    }
}

impl From<View<'_>> for Message {
    fn from(view: View<'_>) -> Self {
        let mut written = BytesMut::new();
        let mut entries = Vec::with_capacity(8);
        let mut elements = view.elements();
        for found in elements.by_ref() {
            let element = found.element();
            written.clear();
            element.emit(&mut written);
            let received = (written != found.octets()).then(|| Bytes::copy_from_slice(found.octets()));
            entries.push(Entry { element, received });
        }
        let dropped = Bytes::copy_from_slice(elements.rest());
        Self { transaction: view.transaction, message_type: view.message_type, entries, dropped }
    }
}
