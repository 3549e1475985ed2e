//! Transactions of call independent supplementary services.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Instant;

use super::event::{Event, PortableId};
use super::mobility_receive::portable_identity;
use super::{FixedPart, Notification, Terminal, Timer, compose};
use crate::ciss::{Action, LAST_VALUE, Notice, ONE_ELEMENT, Request, Service, State, Trigger, step};
use crate::element::ReleaseReason;
use crate::error::Error;
use crate::link::ServiceId;
use crate::message::{MessageType, Transaction, View};
use crate::refusal::Refusal;

/// All transactions of a fixed part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Services {
    by_id: BTreeMap<ServiceId, (PortableId, Service)>,
    /// By portable part, opener (ours) and value.
    by_value: BTreeMap<(PortableId, bool, u8), ServiceId>,
    last: u32,
}

impl Services {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn get(&self, id: ServiceId) -> Option<&(PortableId, Service)> {
        self.by_id.get(&id)
    }

    fn find(&self, portable: PortableId, ours: bool, value: u8) -> Option<ServiceId> {
        self.by_value.get(&(portable, ours, value)).copied()
    }

    fn of(&self, portable: PortableId) -> Vec<ServiceId> {
        let range = (portable, false, 0)..=(portable, true, u8::MAX);
        self.by_value.range(range).map(|(_, id)| *id).collect()
    }

    fn add(&mut self, portable: PortableId, ours: bool, value: u8) -> ServiceId {
        self.last = self.last.wrapping_add(1);
        let id = ServiceId(self.last);
        self.by_id.insert(id, (portable, Service::new(ours, value)));
        self.by_value.insert((portable, ours, value), id);
        id
    }

    fn remove(&mut self, id: ServiceId) {
        if let Some((portable, service)) = self.by_id.remove(&id) {
            self.by_value.remove(&(portable, service.ours, service.value));
        }
    }
}

/// What a step carries along.
#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    None,
    Notice(&'a Notice),
    Notification(&'a Notification),
    Message(&'a View<'a>),
}

impl FixedPart {
    /// Opens a transaction with a portable part outside of calls; it is paged if it has no link.
    ///
    /// EN 300 175-5 10.4.2
    pub fn open_service(
        &mut self,
        now: Instant,
        portable: PortableId,
        notice: &Notice,
    ) -> Result<ServiceId, Error> {
        self.subscribed(portable)?;
        if notice.components.len() > ONE_ELEMENT {
            return Err(Error::Refused(Refusal::TooLong));
        }
        let free = (0..=LAST_VALUE).find(|value| self.services.find(portable, true, *value).is_none());
        let value = free.ok_or(Error::Refused(Refusal::Busy))?;
        let id = self.add_service(portable, true, value);
        self.service_step(now, id, Trigger::Open, ReleaseReason::Normal, Payload::Notice(notice));
        Ok(id)
    }

    /// Says more in a transaction (FACILITY); components that one element cannot hold go in segments.
    ///
    /// EN 300 175-5 10.4.2, 7.7.37
    pub fn service_notice(&mut self, now: Instant, id: ServiceId, notice: &Notice) -> Result<(), Error> {
        self.services.get(id).ok_or(Error::Refused(Refusal::UnknownService))?;
        crate::ciss::facility_elements(&notice.components)?;
        self.service_step(now, id, Trigger::Inform, ReleaseReason::Normal, Payload::Notice(notice));
        Ok(())
    }

    /// Tells of messages, missed calls and the time in a transaction (FACILITY).
    ///
    /// EN 300 175-5 10.4.2
    pub fn service_notification(
        &mut self,
        now: Instant,
        id: ServiceId,
        notification: &Notification,
    ) -> Result<(), Error> {
        self.services.get(id).ok_or(Error::Refused(Refusal::UnknownService))?;
        let payload = Payload::Notification(notification);
        self.service_step(now, id, Trigger::Inform, ReleaseReason::Normal, payload);
        Ok(())
    }

    /// Ends a transaction (CISS-RELEASE-COM); the link stays for LCE.02.
    ///
    /// EN 300 175-5 10.4.2, 14.2
    pub fn close_service(
        &mut self,
        now: Instant,
        id: ServiceId,
        reason: ReleaseReason,
        notice: &Notice,
    ) -> Result<(), Error> {
        self.services.get(id).ok_or(Error::Refused(Refusal::UnknownService))?;
        if notice.components.len() > ONE_ELEMENT {
            return Err(Error::Refused(Refusal::TooLong));
        }
        self.service_step(now, id, Trigger::Close, reason, Payload::Notice(notice));
        Ok(())
    }

    /// Messages of call independent services: one of a transaction nobody opened is answered or ignored.
    pub(super) fn ciss_message(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let transaction = message.transaction;
        if transaction.value == Transaction::CONNECTIONLESS {
            return;
        }
        let found = self.services.find(portable, transaction.flag, transaction.value);
        let reason = message.find::<ReleaseReason>().unwrap_or(ReleaseReason::Normal);
        let (id, trigger) = match (message.message_type, found) {
            (MessageType::CissRegister, None) if !transaction.flag => {
                let subscribed = self.table.get(portable).is_some_and(|entry| entry.subscribed);
                let foreign = portable_identity(message).is_ok_and(|it| self.look_up(&it) != Some(portable));
                let refusal = if !self.config.call_independent_services {
                    Some(ReleaseReason::ServiceNotImplemented)
                } else if !subscribed || foreign {
                    Some(ReleaseReason::InvalidIdentity)
                } else {
                    None
                };
                if let Some(reason) = refusal {
                    self.send(now, portable, None, compose::ciss_refuse(transaction, reason));
                    return;
                }
                (self.add_service(portable, false, transaction.value), Trigger::RegisterReceived)
            }
            (MessageType::CissRegister, Some(id)) => (id, Trigger::RegisterReceived),
            (MessageType::CissFacility, Some(id)) => (id, Trigger::FacilityReceived),
            (MessageType::CissReleaseCom, Some(id)) => (id, Trigger::ReleaseReceived),
            (MessageType::CissFacility, None) => {
                let reason = ReleaseReason::UnknownTransactionIdentifier;
                self.send(now, portable, None, compose::ciss_refuse(transaction, reason));
                return;
            }
            _ => return,
        };
        self.service_step(now, id, trigger, reason, Payload::Message(message));
    }

    pub(super) fn service_timeout(&mut self, now: Instant, id: ServiceId) {
        self.service_step(now, id, Trigger::Timeout, ReleaseReason::TimerExpiry, Payload::None);
    }

    pub(super) fn services_lose_link(&mut self, now: Instant, portable: PortableId, reason: ReleaseReason) {
        for id in self.services.of(portable) {
            self.service_step(now, id, Trigger::LinkLost, reason, Payload::None);
        }
    }

    fn add_service(&mut self, portable: PortableId, ours: bool, value: u8) -> ServiceId {
        if let Some(entry) = self.table.get_mut(portable) {
            entry.services = entry.services.saturating_add(1);
        }
        self.services.add(portable, ours, value)
    }

    fn service_step(
        &mut self,
        now: Instant,
        id: ServiceId,
        trigger: Trigger,
        reason: ReleaseReason,
        payload: Payload<'_>,
    ) {
        let Some((portable, service)) = self.services.by_id.get_mut(&id) else { return };
        let portable = *portable;
        let (state, actions) = step(service.state, trigger);
        service.state = state;
        let transaction = service.transaction();
        // What a message brings is read once: its segments move the assembly on.
        let request = match payload {
            Payload::Message(message) if !actions.is_empty() => request_of(service, message),
            _ => Request::default(),
        };
        if state == State::Null {
            self.services.remove(id);
            if let Some(entry) = self.table.get_mut(portable) {
                entry.services = entry.services.saturating_sub(1);
            }
        }
        let terminal = self.table.get(portable).map_or_else(Terminal::default, |entry| entry.terminal);
        for action in actions {
            let request = || request.clone();
            match action {
                Action::SendRegister => {
                    let message = notice_of(MessageType::CissRegister, transaction, payload, None, terminal);
                    self.send_all(now, portable, message);
                }
                Action::SendFacility => {
                    let message = notice_of(MessageType::CissFacility, transaction, payload, None, terminal);
                    self.send_all(now, portable, message);
                }
                Action::SendRelease => {
                    let message =
                        notice_of(MessageType::CissReleaseCom, transaction, payload, Some(reason), terminal);
                    self.send_all(now, portable, message);
                }
                Action::StartTimer => {
                    self.deadlines.start(Timer::Service(id), now + self.config.service_idle);
                }
                Action::StopTimer => self.deadlines.stop(Timer::Service(id)),
                Action::IndicateOpened => {
                    self.events.push_back(Event::ServiceOpened { service: id, portable, request: request() });
                }
                Action::IndicateInformation => {
                    let request = request();
                    // A segment that completes nothing says nothing yet.
                    if request != Request::default() {
                        self.events.push_back(Event::ServiceRequested { service: id, request });
                    }
                }
                Action::IndicateClosed => {
                    self.events.push_back(Event::ServiceClosed { service: id, reason, request: request() });
                }
                Action::FreeLink => self.free_link(now, portable, true),
            }
        }
    }

    fn send_all(&mut self, now: Instant, portable: PortableId, messages: Vec<Bytes>) {
        for message in messages {
            self.send(now, portable, None, message);
        }
    }
}

fn request_of(service: &mut Service, message: &View<'_>) -> Request {
    let components = service.components(message);
    Request { keys: super::receive::keys(message), feature: message.find(), components }
}

fn notice_of(
    kind: MessageType,
    transaction: Transaction,
    payload: Payload<'_>,
    reason: Option<ReleaseReason>,
    terminal: Terminal,
) -> Vec<Bytes> {
    let nothing = Notice::default();
    match payload {
        Payload::Notice(notice) => compose::service(kind, transaction, notice, reason, terminal),
        Payload::Notification(notification) => {
            compose::notification(transaction, notification).into_iter().collect()
        }
        Payload::None | Payload::Message(_) => {
            compose::service(kind, transaction, &nothing, reason, terminal)
        }
    }
}
