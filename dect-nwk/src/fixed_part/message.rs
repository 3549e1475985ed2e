//! Text messages.

use std::time::Instant;

use super::event::{Event, PortableId};
use super::{FixedPart, compose};
use crate::characters::Characters;
use crate::clms_fixed::ClmsFixed;
use crate::element::{Alphanumeric, AlphanumericCoding, CallingPartyNumber, PortableIdentity};
use crate::error::Error;
use crate::message::{MessageType, View};
use crate::outbox::Outgoing;
use crate::refusal::Refusal;
use crate::{Octets, identity::Tpui};

/// A short text.
///
/// EN 300 175-5 6.3.5, 12 (CLMS-VARIABLE)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextMessage {
    /// Who wrote it.
    pub from: Option<String>,
    /// The text; what IA5 lacks is replaced.
    pub text: String,
}

impl TextMessage {
    /// The most characters of a text.
    pub const LONGEST: usize = 160;

    pub(crate) fn element(&self) -> Result<Alphanumeric, Error> {
        let characters: Characters = Characters::from_text(&self.text);
        if characters.octets().len() > Self::LONGEST {
            return Err(Error::Refused(Refusal::TooLong));
        }
        Ok(Alphanumeric {
            coding: AlphanumericCoding::EightBit,
            odd: characters.octets().len() % 2 == 1,
            set: 1,
            characters: Octets::new(characters.octets())?,
        })
    }

    pub(crate) fn read(message: &View<'_>) -> Option<Self> {
        let text = message.find::<Alphanumeric>()?;
        Some(Self {
            from: message.find::<CallingPartyNumber>().map(|number| number.digits.to_string()),
            text: text.characters.iter().map(|octet| char::from(*octet)).collect(),
        })
    }
}

impl FixedPart {
    /// Sends a text message to a portable part, which is paged if it has no link. Nothing says whether it took notice.
    ///
    /// EN 300 175-5 12.3.2
    pub fn send_message(
        &mut self,
        now: Instant,
        portable: PortableId,
        message: &TextMessage,
    ) -> Result<(), Error> {
        self.subscribed(portable)?;
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if entry.queue.len() >= super::notification::WAITING {
            return Err(Error::Refused(Refusal::Busy));
        }
        let identity = PortableIdentity::Ipui(entry.ipui);
        let octets = compose::text_message(identity, message.from.as_deref(), message.element()?);
        self.send(now, portable, None, octets);
        self.free_link(now, portable, true);
        Ok(())
    }

    /// Sends up to 20 octets to all portable parts with this connectionless identity, without links.
    ///
    /// EN 300 175-5 8.3, 12.3.1
    pub fn broadcast_message(&mut self, to: Tpui, message: &ClmsFixed) -> Result<(), Error> {
        let octets = message.to_bytes(to)?;
        self.outbox.push(Outgoing::Broadcast(octets));
        Ok(())
    }

    /// CLMS-VARIABLE of a portable part.
    pub(super) fn message_received(&mut self, portable: PortableId, message: &View<'_>) {
        if message.message_type == MessageType::ClmsVariable
            && let Some(message) = TextMessage::read(message)
        {
            self.events.push_back(Event::Message { portable, message });
        }
    }
}
