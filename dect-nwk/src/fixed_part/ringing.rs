//! Collective ringing: portable parts ring without a link, the first that answers gets one.

use bytes::BytesMut;
use std::time::Instant;

use super::FixedPart;
use super::event::{Event, PortableId};
use crate::element::RejectReason;
use crate::lce::State;
use crate::lce::fixed::Trigger;
use crate::link::LinkId;
use crate::outbox::Outgoing;
use crate::page::{Page, PageHeader, RingPattern, ShortAddress};

/// Whom the fixed part rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ringing {
    /// Nobody has answered.
    Open(Group),
    /// Somebody has: the others are late.
    Answered(Group),
}

/// Who shall ring.
///
/// EN 300 175-5 8.2.4.4, 14.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// All portable parts.
    Everyone,
    /// Those with the connectionless group identity that ends with these twelve bits.
    Connectionless(u16),
    /// Those whose group has a bit wherever the mask of twelve bits has one.
    Mask(u16),
}

impl Group {
    const fn address(self, pattern: RingPattern) -> ShortAddress {
        match self {
            Self::Everyone => ShortAddress::RingGroup(pattern, 0xfff),
            Self::Connectionless(low) => ShortAddress::RingGroup(pattern, low & 0xfff),
            Self::Mask(mask) => ShortAddress::RingMask(pattern, mask & 0xfff),
        }
    }
}

impl FixedPart {
    /// Lets portable parts ring without links. Call it again to give the cadence; whoever answers is told of as
    /// [`Event::RingAnswered`], and the others are told to stop.
    ///
    /// EN 300 175-5 8.2.4.4, 14.4
    pub fn ring(&mut self, group: Group, pattern: RingPattern) {
        self.ringing = Some(Ringing::Open(group));
        self.broadcast_ring(group, pattern);
    }

    /// Ends the ringing; from now on a response to it is a false one.
    ///
    /// EN 300 175-5 8.2.4.4, 14.4
    pub fn stop_ringing(&mut self) {
        match self.ringing.take() {
            Some(Ringing::Open(group)) => self.broadcast_ring(group, RingPattern::Released),
            Some(Ringing::Answered(_)) | None => {}
        }
    }

    fn broadcast_ring(&mut self, group: Group, pattern: RingPattern) {
        let mut octets = BytesMut::new();
        Page::Short { header: PageHeader::Ringing, address: group.address(pattern) }.emit(&mut octets);
        self.outbox.push(Outgoing::Broadcast(octets.freeze()));
    }

    /// LCE-PAGE-RESPONSE while the ringing goes on. Says whether the response was one to it.
    pub(super) fn ring_answered(&mut self, now: Instant, portable: PortableId, link: LinkId) -> bool {
        // A portable part that is paged answers its page.
        if self.table.get(portable).is_none_or(|entry| entry.lce != State::Released) {
            return false;
        }
        match self.ringing {
            None => false,
            Some(Ringing::Answered(_)) => {
                self.reject_page_response(link, portable, RejectReason::LateLceReply);
                true
            }
            Some(Ringing::Open(group)) => {
                self.ringing = Some(Ringing::Answered(group));
                self.broadcast_ring(group, RingPattern::AnsweredElsewhere);
                self.adopt(now, portable, link, Trigger::Establishment);
                self.free_link(now, portable, true);
                self.events.push_back(Event::RingAnswered { portable, link });
                true
            }
        }
    }
}
