//! Text messages, broadcast messages and collective ringing.

use std::time::Instant;

use super::event::Event;
use super::{PortablePart, compose};
use crate::clms_fixed::ClmsFixed;
use crate::error::Error;
use crate::fixed_part::TextMessage;
use crate::identity::Tpui;
use crate::lce::State;
use crate::message::{MessageType, View};
use crate::page::{FullAddress, Page, PageHeader, ShortAddress};
use crate::refusal::Refusal;

impl PortablePart {
    /// Sends a text message.
    ///
    /// EN 300 175-5 12.3.2
    pub fn send_message(&mut self, now: Instant, message: &TextMessage) -> Result<(), Error> {
        let subscription = self.subscription.as_ref().ok_or(Error::Refused(Refusal::NotSubscribed))?;
        let octets = compose::text_message(subscription, message.element()?);
        self.send(now, octets);
        self.free_link(now, true);
        Ok(())
    }

    /// Answers the collective ringing: establishes a link for the call that follows.
    ///
    /// EN 300 175-5 14.4
    pub fn answer_ring(&mut self, now: Instant) -> Result<(), Error> {
        if self.subscription.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if self.lce != State::Released {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.link_step(now, crate::lce::portable::Trigger::Paged, None);
        Ok(())
    }

    /// CLMS-VARIABLE.
    pub(super) fn message_received(&mut self, message: &View<'_>) {
        if message.message_type == MessageType::ClmsVariable
            && let Some(message) = TextMessage::read(message)
        {
            self.events.push_back(Event::Message(message));
        }
    }

    /// CLMS-FIXED.
    pub(super) fn broadcast_message(&mut self, octets: &[u8]) -> Result<(), Error> {
        let (low, message) = ClmsFixed::parse(octets)?;
        let group = self.config.group.is_some_and(|group| low & 0xfff == group & 0xfff);
        if self.subscription.is_some() && (group || low == Tpui::BROADCAST.value() as u16) {
            self.events.push_back(Event::Broadcast(message));
        }
        Ok(())
    }

    /// A page that lets groups ring.
    pub(super) fn group_ring(&mut self, page: &Page) {
        if self.subscription.is_none() || page.header() != PageHeader::Ringing {
            return;
        }
        let group = self.config.group.unwrap_or(0) & 0xfff;
        let (pattern, ours) = match *page {
            Page::Short { address: ShortAddress::RingGroup(pattern, low), .. } => {
                (pattern, low == 0xfff || self.config.group.is_some() && low == group)
            }
            Page::Short { address: ShortAddress::RingMask(pattern, mask), .. } => {
                (pattern, self.config.group.is_some() && group & mask == mask)
            }
            Page::Full { address: FullAddress::RingGroup(pattern, low), .. } => {
                (pattern, low & 0xfff == 0xfff || self.config.group.is_some() && low & 0xfff == group)
            }
            Page::Full { address: FullAddress::RingMask(pattern, mask), .. } => {
                (pattern, self.config.group.is_some() && group & mask == mask)
            }
            Page::Short { .. } | Page::Full { .. } | Page::FullIpui { .. } => return,
        };
        if ours {
            self.events.push_back(Event::GroupRing { pattern });
        }
    }
}
