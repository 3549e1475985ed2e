//! Link control: the one link, its queue, and pages.

use bytes::Bytes;
use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::clms_fixed::ClmsFixed;
use crate::element::ReleaseReason;
use crate::error::Error;
use crate::lce::State;
use crate::lce::portable::{Action, Trigger, step};
use crate::link::{LinkId, ReleaseMode};
use crate::message::View;
use crate::outbox::Outgoing;
use crate::page::{Page, PageHeader};
use crate::refusal::Refusal;
use crate::{cc_portable, mm_portable, timers};

use super::call::Payload;

impl PortablePart {
    /// DL_BROADCAST-ind.
    pub(super) fn broadcast(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        if ClmsFixed::is_one(octets) {
            return self.broadcast_message(octets);
        }
        let page = Page::parse(octets)?;
        self.group_ring(&page);
        let ours = self.subscription.as_ref().is_some_and(|known| page.is_for(&known.ipui, known.tpui));
        // Collective ringing needs no link.
        if ours && page.header() != PageHeader::Ringing {
            self.link_step(now, Trigger::Paged, None);
        }
        Ok(())
    }

    /// DL_ESTABLISH-cfm.
    pub(super) fn link_confirmed(&mut self, now: Instant, link: LinkId) {
        if self.link == Some(link) {
            if let Some((index, key)) = self.default_key.clone() {
                // Early encryption: before anything else is said.
                self.outbox.push(Outgoing::DefaultKey(link, index, key));
            }
            self.link_step(now, Trigger::Confirmed, None);
        }
    }

    /// DL_DATA-ind.
    pub(super) fn link_data(&mut self, now: Instant, link: LinkId, sdu: &[u8]) -> Result<(), Error> {
        if self.link != Some(link) {
            return Err(Error::Refused(Refusal::NoLink));
        }
        let message = View::parse(sdu)?;
        if self.lce == State::ReleasePending {
            // We have asked for the release: nothing could be answered any more.
            return Ok(());
        }
        self.dispatch(now, &message);
        self.free_link(now, true);
        Ok(())
    }

    /// DL_RELEASE-ind or -cfm.
    pub(super) fn link_released(&mut self, now: Instant, link: LinkId) {
        if self.link == Some(link) {
            self.link = None;
            self.ciphered = false;
            self.link_step(now, Trigger::LinkReleased, None);
        }
    }

    /// Lets the link sleep (class B): it gives up its bearer and comes back as soon as somebody has a message for it.
    /// Refused while something needs the link.
    ///
    /// EN 300 175-5 14.2.7
    pub fn suspend(&mut self, now: Instant) -> Result<(), Error> {
        if self.lce != State::Established {
            return Err(Error::Refused(Refusal::NoLink));
        }
        if self.in_use() {
            return Err(Error::Refused(Refusal::Busy));
        }
        self.link_step(now, Trigger::Suspend, None);
        Ok(())
    }

    /// DL_SUSPEND-ind or -cfm, DL_RESUME-ind or -cfm.
    pub(super) fn link_slept(&mut self, now: Instant, link: LinkId, trigger: Trigger) {
        if self.link == Some(link) {
            self.link_step(now, trigger, None);
        }
    }

    /// LCE.02 ran out; the link stays where a user came meanwhile.
    pub(super) fn maintain_timeout(&mut self, now: Instant) {
        if !self.in_use() {
            self.link_step(now, Trigger::MaintainTimeout, None);
        }
    }

    /// Sends a message over the link, which is established if there is none.
    pub(super) fn send(&mut self, now: Instant, message: Bytes) {
        self.link_step(now, Trigger::MessageWaiting, Some(message));
    }

    /// A higher entity needs the link no more.
    pub(super) fn free_link(&mut self, now: Instant, partially: bool) {
        if self.in_use() || self.deadlines.runs(Timer::LinkMaintain) && !partially {
            return;
        }
        let trigger = if partially { Trigger::UnusedPartially } else { Trigger::Unused };
        self.link_step(now, trigger, None);
    }

    /// One step of link control with all that follows from it.
    pub(super) fn link_step(&mut self, now: Instant, trigger: Trigger, mut message: Option<Bytes>) {
        let (state, actions) = step(self.lce, trigger);
        self.lce = state;
        for action in actions {
            self.link_action(now, *action, &mut message);
        }
    }

    fn link_action(&mut self, now: Instant, action: Action, message: &mut Option<Bytes>) {
        match action {
            Action::Send => {
                if let (Some(link), Some(message)) = (self.link, message.take()) {
                    self.outbox.push(Outgoing::Data(link, message));
                }
            }
            Action::Queue => self.queue.extend(message.take()),
            Action::Flush => {
                if let Some(link) = self.link {
                    for message in self.queue.drain(..) {
                        self.outbox.push(Outgoing::Data(link, message));
                    }
                }
            }
            Action::Resubmit => {
                if let Some(message) = self.queue.pop_front() {
                    self.link_step(now, Trigger::MessageWaiting, Some(message));
                }
            }
            Action::Establish => {
                if let Some(message) = message.take() {
                    self.establish(message);
                }
            }
            Action::EstablishResponse => {
                if let Some(subscription) = &self.subscription {
                    let message = compose::page_response(subscription);
                    self.establish(message);
                }
            }
            Action::Suspend => self.outbox.extend_with_link(self.link, Outgoing::Suspend),
            Action::Resume => self.outbox.extend_with_link(self.link, Outgoing::Resume),
            Action::ResumeIfUsed => {
                if self.in_use() {
                    self.link_step(now, Trigger::MessageWaiting, None);
                }
            }
            Action::StartSuspend => self.deadlines.start(Timer::LinkSuspend, now + timers::LCE_04),
            Action::StartRelease => self.deadlines.start(Timer::LinkRelease, now + timers::LCE_01),
            Action::StartMaintain => {
                self.deadlines.start(Timer::LinkMaintain, now + self.config.link_maintain);
            }
            Action::StopMaintain => self.deadlines.stop(Timer::LinkMaintain),
            Action::StopTimers => {
                self.deadlines.stop(Timer::LinkRelease);
                self.deadlines.stop(Timer::LinkMaintain);
                self.deadlines.stop(Timer::LinkSuspend);
            }
            Action::ReleaseNormal => {
                if let Some(link) = self.link {
                    self.outbox.push(Outgoing::Release(link, ReleaseMode::Normal));
                }
            }
            Action::ReleaseAbnormal => {
                if let Some(link) = self.link.take() {
                    self.ciphered = false;
                    self.outbox.push(Outgoing::Release(link, ReleaseMode::Abnormal));
                }
            }
            Action::IndicateLost => self.entities_lose_link(now),
        }
    }

    pub(super) fn establish(&mut self, message: Bytes) {
        self.last_link = self.last_link.wrapping_add(1);
        let link = LinkId(self.last_link);
        self.link = Some(link);
        self.outbox.push(Outgoing::Establish(link, message));
    }

    fn entities_lose_link(&mut self, now: Instant) {
        let in_use = self.in_use();
        self.queue.clear();
        self.genuine = false;
        self.procedure.user = None;
        self.deadlines.stop(Timer::User);
        let calls: Vec<_> = self.calls.keys().copied().collect();
        for call in calls {
            self.call_step(now, call, cc_portable::Trigger::LinkLost, ReleaseReason::Unknown, Payload::None);
        }
        self.services_lose_link(now);
        self.mobility_step(now, mm_portable::Trigger::LinkLost);
        if in_use {
            self.events.push_back(Event::LinkLost);
        }
    }

    /// Whether the link is up.
    pub(super) fn is_linked(&self) -> bool {
        self.lce == State::Established
    }
}
