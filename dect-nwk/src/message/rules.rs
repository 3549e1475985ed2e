//! Which elements a message has, in which direction, and what is wrong with a message that breaks the rule.

use super::{Message, MessageType, Transaction, View};
use crate::element::{
    AuthType, AuthenticationAlgorithm, BasicService, ElementIdentifier, InformationElement, Service,
};

/// The side of the air interface a message comes from.
///
/// EN 300 175-5 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The fixed part.
    Fixed,
    /// The portable part.
    Portable,
}

/// The side or sides that may send something.
///
/// EN 300 175-5 6.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Senders {
    /// Both sides.
    Both,
    /// The fixed part only.
    Fixed,
    /// The portable part only.
    Portable,
}

impl Senders {
    /// Whether this side is among them.
    ///
    /// EN 300 175-5 6.3
    pub const fn include(self, side: Side) -> bool {
        matches!(
            (self, side),
            (Self::Both, _) | (Self::Fixed, Side::Fixed) | (Self::Portable, Side::Portable)
        )
    }
}

/// Whether an element has to be in a message.
///
/// EN 300 175-5 6.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It has to.
    Mandatory,
    /// It may.
    Optional,
    /// It depends on other contents or on the procedure.
    Conditional,
}

/// One line of a message's element table.
///
/// EN 300 175-5 6.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The element.
    pub element: ElementIdentifier,
    /// Who may send it in this message.
    pub senders: Senders,
    /// Whether it has to be there.
    pub status: Status,
}

/// What is wrong with a received message.
///
/// EN 300 175-5 17.6, 17.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A mandatory element is missing.
    Missing(ElementIdentifier),
    /// The contents of a mandatory element break their rules.
    Contents(ElementIdentifier),
}

macro_rules! rules {
    ($($message:ident { $($status:ident $senders:ident: $($element:ident),+;)* })*) => {
        $(
            pub(super) const $message: &[crate::message::Requirement] = &[$($(
                crate::message::Requirement {
                    element: crate::element::ElementIdentifier::$element,
                    senders: crate::message::rules::rules!(@ $senders),
                    status: crate::message::rules::rules!(@ $status),
                },
            )+)*];
        )*
    };
    (@ both) => { crate::message::rules::Senders::Both };
    (@ fixed) => { crate::message::rules::Senders::Fixed };
    (@ portable) => { crate::message::rules::Senders::Portable };
    (@ mandatory) => { crate::message::rules::Status::Mandatory };
    (@ optional) => { crate::message::rules::Status::Optional };
    (@ conditional) => { crate::message::rules::Status::Conditional };
}
pub(super) use rules;

/// Elements every message may have.
const EVERYWHERE: [ElementIdentifier; 5] = [
    ElementIdentifier::EscapeToProprietary,
    ElementIdentifier::RepeatIndicator,
    ElementIdentifier::SegmentedInfo,
    ElementIdentifier::LockingShift,
    ElementIdentifier::NonLockingShift,
];

impl MessageType {
    /// Whether this message has this element when it comes from this side; `None` when it has not.
    ///
    /// EN 300 175-5 6.3
    pub fn status(self, sender: Side, element: ElementIdentifier) -> Option<Status> {
        if EVERYWHERE.contains(&element) {
            return Some(Status::Optional);
        }
        self.requirements()
            .iter()
            .find(|requirement| requirement.element == element && requirement.senders.include(sender))
            .map(|requirement| requirement.status)
    }
}

/// How an element of a message was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Missing,
    Empty,
    Broken,
    Good,
}

/// What the rules look at in a message, however it is held.
trait Examined {
    fn kind(&self) -> MessageType;
    fn transaction(&self) -> Transaction;
    fn presence(&self, identifier: ElementIdentifier) -> Presence;
    fn basic_service(&self) -> Option<BasicService>;
    fn auth_type(&self) -> Option<AuthType>;

    /// Whether the condition holds that makes an element mandatory, as far as the message itself tells.
    fn condition(&self, sender: Side, element: ElementIdentifier) -> bool {
        match (self.kind(), element) {
            (MessageType::CcSetup, ElementIdentifier::IwuAttributes) => {
                self.basic_service().is_some_and(|service| service.service == Service::Other)
            }
            (MessageType::CissFacility, ElementIdentifier::PortableIdentity) => {
                sender == Side::Portable && self.transaction().value == Transaction::CONNECTIONLESS
            }
            (MessageType::AuthenticationRequest, ElementIdentifier::Rs) => {
                self.auth_type().is_some_and(|kind| {
                    matches!(kind.algorithm, AuthenticationAlgorithm::Dsaa | AuthenticationAlgorithm::Dsaa2)
                })
            }
            _ => false,
        }
    }

    fn fault(&self, identifier: ElementIdentifier) -> Option<Fault> {
        match self.presence(identifier) {
            Presence::Missing => Some(Fault::Missing(identifier)),
            // No temporary identity is an answer, and a call to a group names no fixed part.
            Presence::Empty => match (self.kind(), identifier) {
                (MessageType::LocateAccept, ElementIdentifier::PortableIdentity)
                | (MessageType::CcSetup, ElementIdentifier::FixedIdentity) => None,
                _ => Some(Fault::Missing(identifier)),
            },
            Presence::Broken => Some(Fault::Contents(identifier)),
            Presence::Good => None,
        }
    }

    fn all_faults(&self, sender: Side) -> impl Iterator<Item = Fault> {
        self.kind()
            .requirements()
            .iter()
            .filter(move |requirement| requirement.senders.include(sender))
            .filter(move |requirement| {
                requirement.status == Status::Mandatory
                    || requirement.status == Status::Conditional
                        && self.condition(sender, requirement.element)
            })
            .filter_map(|requirement| self.fault(requirement.element))
    }

    fn judge(&self, sender: Side) -> Result<(), Fault> {
        let mut worst = Ok(());
        for fault in self.all_faults(sender) {
            if let Fault::Missing(_) = fault {
                return Err(fault);
            }
            worst = worst.and(Err(fault));
        }
        worst
    }
}

impl Examined for Message {
    fn kind(&self) -> MessageType {
        self.message_type
    }

    fn transaction(&self) -> Transaction {
        self.transaction
    }

    fn presence(&self, identifier: ElementIdentifier) -> Presence {
        match self.elements().find(|element| element.identifier() == identifier) {
            None => Presence::Missing,
            Some(InformationElement::Empty(_)) => Presence::Empty,
            Some(InformationElement::Broken(_)) => Presence::Broken,
            Some(_) => Presence::Good,
        }
    }

    fn basic_service(&self) -> Option<BasicService> {
        self.find().copied()
    }

    fn auth_type(&self) -> Option<AuthType> {
        self.find().copied()
    }
}

impl Examined for View<'_> {
    fn kind(&self) -> MessageType {
        self.message_type
    }

    fn transaction(&self) -> Transaction {
        self.transaction
    }

    fn presence(&self, identifier: ElementIdentifier) -> Presence {
        match self.first(identifier).map(|found| found.element()) {
            None => Presence::Missing,
            Some(InformationElement::Empty(_)) => Presence::Empty,
            Some(InformationElement::Broken(_)) => Presence::Broken,
            Some(_) => Presence::Good,
        }
    }

    fn basic_service(&self) -> Option<BasicService> {
        self.find()
    }

    fn auth_type(&self) -> Option<AuthType> {
        self.find()
    }
}

impl Message {
    /// Checks that every mandatory element is there and that its contents keep their rules. What depends on the
    /// procedure rather than on the message is left to the entity concerned.
    ///
    /// EN 300 175-5 17.6, 17.7
    pub fn verify(&self, sender: Side) -> Result<(), Fault> {
        self.judge(sender)
    }

    /// Everything that is wrong with mandatory elements.
    ///
    /// EN 300 175-5 17.6, 17.7
    pub fn faults(&self, sender: Side) -> impl Iterator<Item = Fault> {
        self.all_faults(sender)
    }
}

impl View<'_> {
    /// Checks what [`Message::verify`] checks.
    ///
    /// EN 300 175-5 17.6, 17.7
    pub fn verify(&self, sender: Side) -> Result<(), Fault> {
        self.judge(sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(octets: &[u8]) -> Message {
        Message::parse(octets).unwrap()
    }

    #[test]
    fn a_missing_mandatory_element_precedes_a_broken_one() {
        let setup = message(&[0x03, 0x05, 0x05, 0x02, 0x80, 0xa8]);
        assert_eq!(setup.verify(Side::Portable), Err(Fault::Missing(ElementIdentifier::FixedIdentity)));
        let setup = message(&[0x03, 0x05, 0x05, 0x02, 0x80, 0xa8, 0x06, 0x00, 0xe0, 0x80]);
        assert_eq!(setup.verify(Side::Portable), Err(Fault::Contents(ElementIdentifier::PortableIdentity)));
        let octets = setup.to_bytes();
        let view = View::parse(&octets).unwrap();
        assert_eq!(view.verify(Side::Portable), setup.verify(Side::Portable));
    }

    #[test]
    fn an_empty_identity_means_none_only_in_locate_accept() {
        let accept = message(&[0x85, 0x55, 0x05, 0x00, 0x07, 0x01, 0x5f]);
        assert_eq!(accept.verify(Side::Fixed), Ok(()));
        let detach = message(&[0x05, 0x56, 0x05, 0x00]);
        assert_eq!(detach.verify(Side::Portable), Err(Fault::Missing(ElementIdentifier::PortableIdentity)));
    }

    #[test]
    fn conditions_inside_a_message_make_elements_mandatory() {
        let head = [0x03, 0x05, 0x05, 0x05, 0xa0, 0x94, 0x00, 0x10, 0x01, 0x06, 0x00, 0xe0];
        assert_eq!(message(&[&head[..], &[0x80]].concat()).verify(Side::Fixed), Ok(()));
        assert_eq!(
            message(&[&head[..], &[0x8f]].concat()).verify(Side::Fixed),
            Err(Fault::Missing(ElementIdentifier::IwuAttributes))
        );
        let request = message(&[0x05, 0x40, 0x0a, 3, 1, 0x18, 0x18, 0x0c, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(request.verify(Side::Fixed), Err(Fault::Missing(ElementIdentifier::Rs)));
        assert_eq!(request.verify(Side::Portable), Ok(()));
        let events = message(&[0x64, 0x62, 0x7d, 3, 0, 0x81, 0x81]);
        assert_eq!(events.verify(Side::Fixed), Ok(()));
        assert_eq!(events.verify(Side::Portable), Err(Fault::Missing(ElementIdentifier::PortableIdentity)));
    }

    #[test]
    fn tables_know_the_direction() {
        let status = |side, element| MessageType::CcSetup.status(side, element);
        assert_eq!(status(Side::Portable, ElementIdentifier::MultiKeypad), Some(Status::Optional));
        assert_eq!(status(Side::Fixed, ElementIdentifier::MultiKeypad), None);
        assert_eq!(status(Side::Fixed, ElementIdentifier::Signal), Some(Status::Optional));
        assert_eq!(status(Side::Portable, ElementIdentifier::Signal), None);
        assert_eq!(status(Side::Portable, ElementIdentifier::BasicService), Some(Status::Mandatory));
        assert_eq!(status(Side::Portable, ElementIdentifier::EscapeToProprietary), Some(Status::Optional));
    }
}
