//! Link control: links, pages, queues.

use bytes::Bytes;
use std::time::Instant;

use super::call::Payload;
use super::event::{Event, PortableId};
use super::location::Waiting;
use super::{FixedPart, Timer, compose};
use crate::element::{PortableIdentity, RejectReason, ReleaseReason};
use crate::error::Error;
use crate::lce::State;
use crate::lce::fixed::{Action, Trigger, step};
use crate::link::{CallId, LinkId, ReleaseMode};
use crate::message::View;
use crate::outbox::Outgoing;
use crate::refusal::Refusal;
use crate::{cc_fixed, mm_fixed, timers};

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// The link; the portable part may still answer a page.
    Link,
    /// The portable part, which answered none of the pages.
    Portable,
}

impl FixedPart {
    /// DL_ESTABLISH-ind.
    pub(super) fn link_established(&mut self, now: Instant, link: LinkId) {
        match self.links.get(&link) {
            Some(Some(portable)) => {
                let portable = *portable;
                for call in self.calls_of(portable) {
                    self.call_step(
                        now,
                        call,
                        cc_fixed::Trigger::LinkReset,
                        ReleaseReason::Unknown,
                        Payload::None,
                    );
                }
            }
            Some(None) => self.deadlines.start(Timer::LinkIdle(link), now + timers::LCE_05),
            None if self.unidentified >= self.config.unidentified_links => {
                self.outbox.push(Outgoing::Release(link, ReleaseMode::Abnormal));
            }
            None => {
                self.links.insert(link, None);
                self.unidentified += 1;
                self.deadlines.start(Timer::LinkIdle(link), now + timers::LCE_05);
            }
        }
    }

    /// DL_DATA-ind, or the message of DL_ESTABLISH-ind.
    pub(super) fn link_data(&mut self, now: Instant, link: LinkId, sdu: &[u8]) -> Result<(), Error> {
        let owner = *self.links.get(&link).ok_or(Error::Refused(Refusal::NoLink))?;
        let message = View::parse(sdu)?;
        let going = owner.and_then(|id| self.table.get(id));
        if going.is_some_and(|entry| entry.lce == State::ReleasePending) {
            // We have asked for the release: nothing could be answered any more.
            return Ok(());
        }
        if owner.is_none() && self.contests.contains_key(&link) {
            self.contested(now, link, sdu, &message);
            return Ok(());
        }
        let Some(portable) = owner.or_else(|| self.whose_link(now, link, sdu, &message)) else {
            return Ok(());
        };
        self.dispatch(now, portable, &message);
        if self.table.get(portable).is_some_and(|entry| entry.lce == State::Established) {
            self.flush(now, portable);
            self.free_link(now, portable, true);
        }
        Ok(())
    }

    /// DL_RELEASE-ind or -cfm.
    pub(super) fn link_released(&mut self, now: Instant, link: LinkId) {
        match self.links.remove(&link) {
            None => {}
            Some(None) => self.drop_unidentified(link),
            Some(Some(portable)) => {
                if let Some(entry) = self.table.get_mut(portable)
                    && entry.link == Some(link)
                {
                    entry.link = None;
                    entry.ciphered = false;
                    self.link_step(now, portable, Trigger::LinkReleased, None);
                }
            }
        }
    }

    /// The same link under another number.
    pub(super) fn link_moved(&mut self, from: LinkId, to: LinkId) {
        if from == to || self.links.contains_key(&to) {
            return;
        }
        let Some(Some(portable)) = self.links.get(&from).copied() else { return };
        self.links.remove(&from);
        self.links.insert(to, Some(portable));
        if let Some(entry) = self.table.get_mut(portable) {
            entry.link = Some(to);
        }
    }

    /// Lets the link of a portable part sleep (class B): it gives up its bearer and comes back as soon as somebody has
    /// a message for it. Refused while something needs the link.
    ///
    /// EN 300 175-5 14.2.7
    pub fn suspend(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if entry.lce != State::Established {
            return Err(Error::Refused(Refusal::NoLink));
        }
        if Self::in_use(entry) {
            return Err(Error::Refused(Refusal::Busy));
        }
        self.link_step(now, portable, Trigger::Suspend, None);
        Ok(())
    }

    /// DL_SUSPEND-ind or -cfm, DL_RESUME-ind or -cfm.
    pub(super) fn link_slept(&mut self, now: Instant, link: LinkId, trigger: Trigger) {
        if let Some(Some(portable)) = self.links.get(&link).copied() {
            self.link_step(now, portable, trigger, None);
        }
    }

    /// LCE.05 ran out.
    pub(super) fn idle_timeout(&mut self, link: LinkId) {
        if let Some(None) = self.links.get(&link) {
            self.give_up_contest(link);
        }
    }

    pub(super) fn drop_unidentified(&mut self, link: LinkId) {
        self.unidentified = self.unidentified.saturating_sub(1);
        self.contests.remove(&link);
        self.deadlines.stop(Timer::LinkIdle(link));
    }

    /// LCE.03 ran out.
    pub(super) fn page_timeout(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get(portable) else { return };
        let trigger = if entry.pages > self.config.page_repetitions {
            Trigger::PagesExhausted
        } else {
            Trigger::PageTimeout
        };
        self.link_step(now, portable, trigger, None);
    }

    /// LCE.02 ran out; the link stays where a user came meanwhile.
    pub(super) fn maintain_timeout(&mut self, now: Instant, portable: PortableId) {
        if self.table.get(portable).is_some_and(|entry| !Self::in_use(entry)) {
            self.link_step(now, portable, Trigger::MaintainTimeout, None);
        }
    }

    /// Gives a link to the portable part that showed its identity on it.
    pub(super) fn adopt(&mut self, now: Instant, portable: PortableId, link: LinkId, trigger: Trigger) {
        let before = self.table.get(portable).and_then(|entry| entry.link);
        let (_, actions) = match self.table.get(portable) {
            Some(entry) => step(entry.lce, trigger),
            None => return,
        };
        if actions.contains(&Action::RejectResponse) {
            let reason =
                if before.is_some() { RejectReason::LateLceReply } else { RejectReason::FalseLceReply };
            self.reject_page_response(link, portable, reason);
            return;
        }
        if let Some(slot @ None) = self.links.get_mut(&link) {
            *slot = Some(portable);
            self.drop_unidentified(link);
        }
        if let Some(old) = before.filter(|old| *old != link) {
            // The portable part has lost the old link or gives it up: nobody else has its identity.
            self.links.remove(&old);
            self.outbox.push(Outgoing::Release(old, ReleaseMode::Abnormal));
        }
        if let Some(entry) = self.table.get_mut(portable) {
            entry.link = Some(link);
            entry.ciphered = false;
            if let Some((index, key)) = entry.default_key.clone() {
                self.outbox.push(Outgoing::DefaultKey(link, index, key));
            }
        }
        self.link_step(now, portable, trigger, None);
    }

    /// LCE-PAGE-REJECT on a link that is not needed, which is then released.
    pub(super) fn reject_page_response(&mut self, link: LinkId, portable: PortableId, reason: RejectReason) {
        if let Some(entry) = self.table.get(portable) {
            let identity = PortableIdentity::Ipui(entry.ipui);
            self.outbox.push(Outgoing::Data(link, compose::page_reject(identity, reason)));
        }
        self.outbox.push(Outgoing::Release(link, ReleaseMode::Normal));
    }

    /// Sends a message over the link of the portable part, which is paged if it has none.
    pub(super) fn send(&mut self, now: Instant, portable: PortableId, call: Option<CallId>, message: Bytes) {
        let wideband = call.and_then(|call| self.calls.get(&call)).is_some_and(|call| call.codecs.is_some());
        let waiting = Waiting { call, wideband, message };
        self.link_step(now, portable, Trigger::MessageWaiting, Some(waiting));
    }

    /// Takes the CC-SETUP of a call out of the queue.
    pub(super) fn discard(&mut self, now: Instant, portable: PortableId, call: CallId) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        entry.queue.retain(|waiting| waiting.call != Some(call));
        if entry.queue.is_empty() {
            self.link_step(now, portable, Trigger::QueueEmptied, None);
        }
    }

    /// A higher entity needs the link no more.
    pub(super) fn free_link(&mut self, now: Instant, portable: PortableId, partially: bool) {
        let Some(entry) = self.table.get(portable) else { return };
        if Self::in_use(entry) || self.deadlines.runs(Timer::LinkMaintain(portable)) && !partially {
            return;
        }
        let trigger = if partially { Trigger::UnusedPartially } else { Trigger::Unused };
        self.link_step(now, portable, trigger, None);
    }

    fn flush(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let Some(link) = entry.link else { return };
        for waiting in std::mem::take(&mut entry.queue) {
            self.outbox.push(Outgoing::Data(link, waiting.message));
            if let Some(call) = waiting.call {
                self.setup_has_left(now, portable, call);
            }
        }
    }

    /// One step of link control with all that follows from it.
    pub(super) fn link_step(
        &mut self,
        now: Instant,
        portable: PortableId,
        trigger: Trigger,
        mut waiting: Option<Waiting>,
    ) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let (state, actions) = step(entry.lce, trigger);
        entry.lce = state;
        for action in actions {
            self.link_action(now, portable, *action, &mut waiting);
        }
        if state == State::Released {
            self.forget_visitor(portable);
        }
    }

    fn link_action(
        &mut self,
        now: Instant,
        portable: PortableId,
        action: Action,
        waiting: &mut Option<Waiting>,
    ) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let link = entry.link;
        match action {
            Action::Send => {
                if let (Some(link), Some(waiting)) = (link, waiting.take()) {
                    self.outbox.push(Outgoing::Data(link, waiting.message));
                    if let Some(call) = waiting.call {
                        self.setup_has_left(now, portable, call);
                    }
                }
            }
            Action::Queue => entry.queue.extend(waiting.take()),
            Action::Flush => self.flush(now, portable),
            // Both are done where the link is known, in `adopt`.
            Action::Adopt | Action::RejectResponse => {}
            Action::DropQueue => entry.queue.clear(),
            Action::Resubmit => {
                if !entry.queue.is_empty() {
                    self.link_step(now, portable, Trigger::MessageWaiting, None);
                }
            }
            Action::Page => {
                entry.pages = entry.pages.saturating_add(1);
                let voice = entry.queue.iter().any(|waiting| waiting.call.is_some())
                    || waiting.as_ref().is_some_and(|waiting| waiting.call.is_some());
                let wideband = entry.queue.iter().chain(waiting.as_ref()).any(|waiting| waiting.wideband);
                // A temporary identity that is on its way is not known yet.
                let known = entry.mm.fixed != mm_fixed::FixedProcedure::TemporaryIdentity;
                let tpui = entry.tpui.filter(|_| known);
                let page = compose::page(&entry.ipui, tpui, voice, wideband);
                self.outbox.push(Outgoing::Broadcast(page));
            }
            Action::Suspend => self.outbox.extend_with_link(link, Outgoing::Suspend),
            Action::Resume => self.outbox.extend_with_link(link, Outgoing::Resume),
            Action::ResumeIfUsed => {
                if Self::in_use(entry) {
                    self.link_step(now, portable, Trigger::MessageWaiting, None);
                }
            }
            Action::StartSuspend => {
                self.deadlines.start(Timer::LinkSuspend(portable), now + timers::LCE_04);
            }
            Action::StartPage => {
                self.deadlines.start(Timer::Page(portable), now + self.config.page_interval);
            }
            Action::StopPage => {
                entry.pages = 0;
                self.deadlines.stop(Timer::Page(portable));
            }
            Action::StartRelease => {
                self.deadlines.start(Timer::LinkRelease(portable), now + timers::LCE_01);
            }
            Action::StartMaintain => {
                self.deadlines.start(Timer::LinkMaintain(portable), now + self.config.link_maintain);
            }
            Action::StopMaintain => self.deadlines.stop(Timer::LinkMaintain(portable)),
            Action::StopTimers => {
                self.deadlines.stop(Timer::LinkRelease(portable));
                self.deadlines.stop(Timer::LinkMaintain(portable));
                self.deadlines.stop(Timer::LinkSuspend(portable));
            }
            Action::ReleaseNormal => {
                if let Some(link) = link {
                    self.outbox.push(Outgoing::Release(link, ReleaseMode::Normal));
                }
            }
            Action::ReleaseAbnormal => {
                if let Some(link) = entry.link.take() {
                    entry.ciphered = false;
                    self.links.remove(&link);
                    self.outbox.push(Outgoing::Release(link, ReleaseMode::Abnormal));
                }
            }
            Action::IndicateUnreachable => {
                entry.pages = 0;
                self.entities_lose_link(now, portable, Loss::Portable);
                self.events.push_back(Event::Unreachable { portable });
            }
            Action::IndicateLost | Action::Replace => {
                self.entities_lose_link(now, portable, Loss::Link);
            }
        }
    }

    fn entities_lose_link(&mut self, now: Instant, portable: PortableId, loss: Loss) {
        self.inquiries.remove(&portable);
        self.mobility_step(now, portable, mm_fixed::Trigger::LinkLost);
        for call in self.calls_of(portable) {
            let (trigger, reason) = match loss {
                Loss::Portable => (cc_fixed::Trigger::LinkLost, ReleaseReason::UserNotInRange),
                Loss::Link if self.pages_again(call) => {
                    (cc_fixed::Trigger::SetupCrossed, ReleaseReason::Unknown)
                }
                Loss::Link => (cc_fixed::Trigger::LinkLost, ReleaseReason::Unknown),
            };
            self.call_step(now, call, trigger, reason, Payload::None);
        }
        let reason = match loss {
            Loss::Portable => ReleaseReason::UserNotInRange,
            Loss::Link => ReleaseReason::Unknown,
        };
        self.services_lose_link(now, portable, reason);
    }

    /// A call whose link broke before the portable part rang is worth one more page.
    fn pages_again(&mut self, call: CallId) -> bool {
        match self.calls.get_mut(&call) {
            Some(call) if call.state == cc_fixed::State::CallPresent => {
                !std::mem::replace(&mut call.paged_again, true)
            }
            Some(_) | None => false,
        }
    }

    /// An entry without access rights lives only as long as its link.
    pub(super) fn forget_visitor(&mut self, portable: PortableId) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        if entry.lce == State::Released
            && let Some(link) = entry.link.take()
        {
            self.links.remove(&link);
        }
        if self
            .table
            .get(portable)
            .is_some_and(|entry| !entry.subscribed && entry.lce == State::Released && !Self::in_use(entry))
        {
            self.table.remove(portable);
        }
    }
}
