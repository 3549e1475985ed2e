//! A message read in place: nothing is copied until an element is asked for.

use super::{MessageType, ProtocolDiscriminator, Transaction};
use crate::{
    coding::{Octets, Shape, split},
    element::{Element, ElementIdentifier, InformationElement, Opaque, SegmentedInfo, Shift},
    error::{Error, Rule},
};

/// A received message, read where it lies. [`find`](Self::find) reads one element, [`elements`](Self::elements) goes
/// through all; reading a usual message allocates nothing.
///
/// EN 300 175-5 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// The transaction it belongs to.
    pub transaction: Transaction,
    /// Its type, which names the protocol too.
    pub message_type: MessageType,
    elements: &'a [u8],
}

/// One element of a [`View`] as it lies there.
///
/// EN 300 175-5 7.5
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementView<'a> {
    identifier: ElementIdentifier,
    shape: Shape<'a>,
    octets: &'a [u8],
}

impl<'a> View<'a> {
    /// Reads discriminator, length, transaction and type.
    ///
    /// EN 300 175-5 17.1, 17.2
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Error> {
        let too_short = |at| Error::Malformed { at, rule: Rule::MessageTooShort };
        let (first, mut rest) = octets.split_first().ok_or_else(|| too_short(0))?;
        let protocol = ProtocolDiscriminator::from_code(first & 0xf)
            .ok_or(Error::Malformed { at: 0, rule: Rule::ProtocolDiscriminator })?;
        if octets.len() > super::Message::MAX_LEN {
            return Err(Error::Malformed { at: super::Message::MAX_LEN, rule: Rule::MessageTooLong });
        }
        let mut next = || {
            let at = octets.len() - rest.len();
            let (octet, behind) = rest.split_first().ok_or_else(|| too_short(at))?;
            rest = behind;
            Ok(*octet)
        };
        let transaction = Transaction::parse(*first, &mut next)?;
        let message_type = MessageType::from_code(protocol, next()?);
        Ok(Self { transaction, message_type, elements: rest })
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
    #[inline]
    pub const fn elements(&self) -> Elements<'a> {
        Elements { rest: self.elements, locked: 0, next_only: None }
    }

    /// The first element of this type; a repeated one without repeat indicator does not count, nor does one whose
    /// contents break their rules.
    ///
    /// EN 300 175-5 17.5.1
    #[inline]
    pub fn find<E: Element>(&self) -> Option<E> {
        self.first(E::IDENTIFIER)?.typed()
    }

    /// The first element with this identifier.
    ///
    /// EN 300 175-5 17.5.1
    #[inline]
    pub fn first(&self, identifier: ElementIdentifier) -> Option<ElementView<'a>> {
        self.elements().find(|element| element.identifier == identifier)
    }

    /// Whether there is an element with this identifier, whatever its contents.
    ///
    /// EN 300 175-5 7.5
    pub fn contains(&self, identifier: ElementIdentifier) -> bool {
        self.first(identifier).is_some()
    }

    /// The elements of this type: all of a list, else the first.
    ///
    /// EN 300 175-5 7.6.3
    pub fn list<E: Element>(&self) -> impl Iterator<Item = E> {
        let mut before = None;
        let mut elements = self.elements();
        let mut first = None;
        for element in elements.by_ref() {
            if element.identifier == E::IDENTIFIER {
                first = Some(element);
                break;
            }
            before = Some(element.identifier);
        }
        let listed = before == Some(ElementIdentifier::RepeatIndicator);
        let others = elements.take_while(|element| element.identifier == E::IDENTIFIER).take(if listed {
            usize::MAX
        } else {
            0
        });
        first.into_iter().chain(others).filter_map(|element| element.typed())
    }

    /// The segments in the message: each SEGMENTED-INFO with the contents of the element directly behind it.
    ///
    /// EN 300 175-5 7.7.37
    pub fn segments(&self) -> impl Iterator<Item = (SegmentedInfo, &'a [u8])> {
        let mut announced = None;
        self.elements().filter_map(move |element| {
            let info: Option<SegmentedInfo> = announced.take();
            if element.identifier == ElementIdentifier::SegmentedInfo {
                announced = element.typed();
                return None;
            }
            let info = info.filter(|info| info.element == element.identifier)?;
            match element.shape {
                Shape::Variable { contents, .. } => Some((info, contents)),
                Shape::Fixed(_) | Shape::Double { .. } => None,
            }
        })
    }

    /// The octets at the end that begin an element which is cut off.
    ///
    /// EN 300 175-5 17.5
    pub fn dropped(&self) -> &'a [u8] {
        let mut elements = self.elements();
        elements.by_ref().for_each(drop);
        elements.rest
    }
}

impl<'a> ElementView<'a> {
    /// Its identifier.
    ///
    /// EN 300 175-5 7.6.1, 7.7.1
    pub const fn identifier(&self) -> ElementIdentifier {
        self.identifier
    }

    /// The whole element as it lies there.
    ///
    /// EN 300 175-5 7.5
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    #[inline]
    fn with_contents<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        match self.shape {
            Shape::Fixed(octet) if self.identifier.octet() == octet => read(&[]),
            Shape::Fixed(octet) => read(&[octet & 0xf]),
            Shape::Double { contents, .. } => read(&[contents]),
            Shape::Variable { contents, .. } => read(contents),
        }
    }

    /// Its contents as a value of this type; nothing where it is another element, is empty, or breaks its rules.
    ///
    /// EN 300 175-5 7.6, 7.7, 17.5
    #[inline]
    pub fn typed<E: Element>(&self) -> Option<E> {
        let empty = matches!(self.shape, Shape::Variable { contents: [], .. });
        if self.identifier != E::IDENTIFIER || empty {
            return None;
        }
        self.with_contents(|contents| E::parse(contents).ok())
    }

    /// The element read as a whole.
    ///
    /// EN 300 175-5 7.5, 17.5
    #[inline]
    pub fn element(&self) -> InformationElement {
        match (self.identifier, self.shape) {
            (
                ElementIdentifier::LockingShift | ElementIdentifier::NonLockingShift,
                Shape::Fixed(octet @ 0x90..=0x9f),
            ) => InformationElement::Shift(Shift::from_octet(octet)),
            (ElementIdentifier::OtherCodeset(_), Shape::Fixed(octet)) => self.opaque(&[octet & 0xf]),
            (ElementIdentifier::OtherCodeset(_), _) => self.with_contents(|contents| self.opaque(contents)),
            (identifier, _) => self.with_contents(|contents| InformationElement::parse(identifier, contents)),
        }
    }

    fn opaque(&self, contents: &[u8]) -> InformationElement {
        InformationElement::Opaque(Opaque { identifier: self.identifier, contents: Octets::cut(contents) })
    }
}

/// The elements of a [`View`]; it ends where an element is cut off.
///
/// EN 300 175-5 7.5
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    locked: u8,
    next_only: Option<u8>,
}

impl<'a> Elements<'a> {
    /// What is left: at the end, the octets of an element that is cut off.
    ///
    /// EN 300 175-5 17.5
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = ElementView<'a>;

    #[inline]
    fn next(&mut self) -> Option<ElementView<'a>> {
        let (shape, behind) = split(self.rest)?;
        let octets = self.rest.get(..self.rest.len() - behind.len())?;
        self.rest = behind;
        let codeset = self.next_only.take().unwrap_or(self.locked);
        let first = match shape {
            Shape::Fixed(octet) => octet,
            Shape::Double { identifier, .. } | Shape::Variable { identifier, .. } => identifier,
        };
        let identifier = if let 0x90..=0x9f = first {
            let shift = Shift::from_octet(first);
            if !shift.locking {
                self.next_only = Some(shift.codeset);
            } else if shift.codeset > self.locked {
                self.locked = shift.codeset;
            }
            ElementIdentifier::from_octet(first)
        } else if codeset == 0 {
            ElementIdentifier::from_octet(first)
        } else if let Shape::Fixed(_) = shape {
            ElementIdentifier::OtherCodeset(first & 0xf0)
        } else {
            ElementIdentifier::OtherCodeset(first)
        };
        Some(ElementView { identifier, shape, octets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{IdentityType, MultiKeypad, Signal};
    use crate::message::Message;

    #[test]
    fn a_view_finds_what_the_message_finds() {
        let octets = [0x83, 0x7b, 0xd1, 0x2c, 1, 0x31, 0x2c, 1, 0x32, 0xe4, 0x40, 0x99, 0xe4, 0x41, 0x28, 9];
        let (view, message) = (View::parse(&octets).unwrap(), Message::parse(&octets).unwrap());
        assert_eq!(view.find::<MultiKeypad>().as_ref(), message.find());
        assert_eq!(view.find::<Signal>(), Some(Signal::Alerting0));
        let texts: Vec<_> = view.list::<MultiKeypad>().map(|it| it.characters.to_string()).collect();
        assert_eq!(texts, ["1", "2"]);
        assert_eq!(view.list::<IdentityType>().count(), 0);
        assert_eq!(view.dropped(), [0x28, 9]);
        assert_eq!(message.dropped()[..], [0x28, 9]);
        let read: Vec<_> = view.elements().map(|it| it.element()).collect();
        assert!(message.elements().eq(&read));
        assert!(!view.contains(ElementIdentifier::MultiDisplay));
    }
}
