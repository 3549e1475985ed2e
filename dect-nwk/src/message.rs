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

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

pub use self::{
    kind::MessageType,
    protocol::ProtocolDiscriminator,
    rules::{Fault, Requirement, Senders, Side, Status},
    transaction::Transaction,
};
use crate::{
    coding::{Octets, Shape, split},
    element::{Element, ElementIdentifier, InformationElement, Opaque, RepeatIndicator, Shift},
    error::{Error, Rule},
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
        let mut rest = octets;
        let first = rest.first().copied().ok_or(Error::Malformed { at: 0, rule: Rule::MessageTooShort })?;
        let protocol = ProtocolDiscriminator::from_code(first & 0xf)
            .ok_or(Error::Malformed { at: 0, rule: Rule::ProtocolDiscriminator })?;
        rest.advance(1);
        if octets.len() > Self::MAX_LEN {
            return Err(Error::Malformed { at: Self::MAX_LEN, rule: Rule::MessageTooLong });
        }
        let mut next = || {
            let at = octets.len() - rest.len();
            rest.try_get_u8().map_err(|_| Error::Malformed { at, rule: Rule::MessageTooShort })
        };
        let transaction = Transaction::parse(first, &mut next)?;
        let message_type = MessageType::from_code(protocol, next()?);
        let mut message = Self::new(message_type, transaction);
        message.parse_elements(rest);
        Ok(message)
    }

    fn parse_elements(&mut self, mut rest: &[u8]) {
        let mut locked = 0;
        let mut next_only = None;
        while !rest.is_empty() {
            let Some((shape, behind)) = split(rest) else {
                self.dropped = Bytes::copy_from_slice(rest);
                return;
            };
            let octets = rest.get(..rest.len() - behind.len()).unwrap_or(rest);
            rest = behind;
            let codeset = next_only.take().unwrap_or(locked);
            let element = if let Shape::Fixed(octet @ 0x90..=0x9f) = shape {
                let shift = Shift::from_octet(octet);
                if !shift.locking {
                    next_only = Some(shift.codeset);
                } else if shift.codeset > locked {
                    locked = shift.codeset;
                }
                InformationElement::Shift(shift)
            } else if codeset == 0 {
                of_codeset_0(shape)
            } else {
                of_another_codeset(shape)
            };
            let mut written = BytesMut::new();
            element.emit(&mut written);
            let received = (written != octets).then(|| Bytes::copy_from_slice(octets));
            self.entries.push(Entry { element, received });
        }
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

fn of_codeset_0(shape: Shape<'_>) -> InformationElement {
    match shape {
        Shape::Fixed(octet) => {
            let identifier = ElementIdentifier::from_octet(octet);
            let nibble = [octet & 0xf];
            InformationElement::parse(identifier, if identifier.octet() == octet { &[] } else { &nibble })
        }
        Shape::Double { identifier, contents } => {
            InformationElement::parse(ElementIdentifier::from_octet(identifier), &[contents])
        }
        Shape::Variable { identifier, contents } => {
            InformationElement::parse(ElementIdentifier::from_octet(identifier), contents)
        }
    }
}

fn of_another_codeset(shape: Shape<'_>) -> InformationElement {
    let nibble;
    let octet;
    let (first, contents) = match shape {
        Shape::Fixed(first) => {
            nibble = [first & 0xf];
            (first & 0xf0, &nibble[..])
        }
        Shape::Double { identifier, contents } => {
            octet = [contents];
            (identifier, &octet[..])
        }
        Shape::Variable { identifier, contents } => (identifier, contents),
    };
    let identifier = ElementIdentifier::OtherCodeset(first);
    InformationElement::Opaque(Opaque { identifier, contents: Octets::cut(contents) })
}
