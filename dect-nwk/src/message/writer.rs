//! A message written straight into the sender's buffer.

use bytes::{BufMut as _, BytesMut};

use super::{MessageType, Transaction};
use crate::element::{Element, ElementIdentifier, InformationElement, emit_as};

/// Writes a message element by element; nothing is kept in between, and nothing allocated where the buffer has room.
///
/// EN 300 175-5 7.1
#[derive(Debug)]
pub struct Writer<'a> {
    octets: &'a mut BytesMut,
}

impl<'a> Writer<'a> {
    /// Begins a message at the end of `octets`.
    ///
    /// EN 300 175-5 7.1
    pub fn begin(octets: &'a mut BytesMut, message_type: MessageType, transaction: Transaction) -> Self {
        transaction.emit(message_type.protocol_discriminator(), octets);
        octets.put_u8(message_type.code());
        Self { octets }
    }

    /// Appends an element. Variable elements go in the order of their identifiers, fixed ones where the message's
    /// table lists them.
    ///
    /// EN 300 175-5 7.5.1
    pub fn push<E: Element>(&mut self, element: &E) {
        emit_as(E::IDENTIFIER, self.octets, |octets| element.emit(octets));
    }

    /// Appends an element if there is one.
    ///
    /// EN 300 175-5 7.5.1
    pub fn push_any<E: Element>(&mut self, element: Option<&E>) {
        if let Some(element) = element {
            self.push(element);
        }
    }

    /// Appends an element without contents: sending complete, delimiter request, use TPUI, or an empty identity.
    ///
    /// EN 300 175-5 7.6.2, 7.5.1
    pub fn mark(&mut self, identifier: ElementIdentifier) {
        InformationElement::parse(identifier, &[]).emit(self.octets);
    }

    /// The message with one more element at its end.
    ///
    /// EN 300 175-5 7.5.1
    #[must_use]
    pub fn with<E: Element>(mut self, element: &E) -> Self {
        self.push(element);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BasicService, MultiKeypad, Signal};
    use crate::message::Message;

    #[test]
    fn what_is_written_in_place_is_what_the_message_writes() {
        let kind = MessageType::CcSetup;
        let mut octets = BytesMut::new();
        let mut writer = Writer::begin(&mut octets, kind, Transaction::opened(9));
        writer.push(&BasicService::NORMAL_SPEECH);
        writer.push(&MultiKeypad::new("12"));
        writer.mark(ElementIdentifier::SendingComplete);
        writer.mark(ElementIdentifier::PortableIdentity);
        writer.push_any(Some(&Signal::Alerting0));
        writer.push_any::<Signal>(None);
        let message = Message::new(kind, Transaction::opened(9))
            .with(BasicService::NORMAL_SPEECH)
            .with(MultiKeypad::new("12"))
            .with(InformationElement::SendingComplete)
            .with(InformationElement::Empty(ElementIdentifier::PortableIdentity))
            .with(Signal::Alerting0);
        assert_eq!(octets, message.to_bytes());
    }
}
