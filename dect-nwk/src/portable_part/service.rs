//! Transactions of call independent supplementary services.

use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose, receive};
use crate::ciss::{Action, LAST_VALUE, Notice, ONE_ELEMENT, Request, Service, State, Trigger, step};
use crate::element::ReleaseReason;
use crate::error::Error;
use crate::link::ServiceId;
use crate::message::{MessageType, Transaction, View};
use crate::refusal::Refusal;

/// The longest text a keypad element may carry here.
const LONGEST: usize = 200;

/// What a step carries along.
#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    None,
    Request(&'a Request),
    Message(&'a View<'a>),
}

impl PortablePart {
    /// Opens a transaction with the fixed part outside of calls.
    ///
    /// EN 300 175-5 10.4.2
    pub fn open_service(&mut self, now: Instant, request: &Request) -> Result<ServiceId, Error> {
        if self.subscription.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if request.components.len() > ONE_ELEMENT || request.keys.len() > LONGEST {
            return Err(Error::Refused(Refusal::TooLong));
        }
        let free = (0..=LAST_VALUE).find(|value| self.find_service(true, *value).is_none());
        let id = self.add_service(true, free.ok_or(Error::Refused(Refusal::Busy))?);
        self.service_step(now, id, Trigger::Open, ReleaseReason::Normal, Payload::Request(request));
        Ok(id)
    }

    /// Says more in a transaction (FACILITY); components that one element cannot hold go in segments.
    ///
    /// EN 300 175-5 10.4.2, 7.7.37
    pub fn service_request(&mut self, now: Instant, id: ServiceId, request: &Request) -> Result<(), Error> {
        self.services.get(&id).ok_or(Error::Refused(Refusal::UnknownService))?;
        if request.keys.len() > LONGEST {
            return Err(Error::Refused(Refusal::TooLong));
        }
        crate::ciss::facility_elements(&request.components)?;
        self.service_step(now, id, Trigger::Inform, ReleaseReason::Normal, Payload::Request(request));
        Ok(())
    }

    /// Ends a transaction (CISS-RELEASE-COM); the link stays for LCE.02.
    ///
    /// EN 300 175-5 10.4.2, 14.2
    pub fn close_service(&mut self, now: Instant, id: ServiceId, reason: ReleaseReason) -> Result<(), Error> {
        self.services.get(&id).ok_or(Error::Refused(Refusal::UnknownService))?;
        self.service_step(now, id, Trigger::Close, reason, Payload::None);
        Ok(())
    }

    /// Messages of call independent services: connectionless ones, and those of transactions.
    pub(super) fn ciss_message(&mut self, now: Instant, message: &View<'_>) {
        let transaction = message.transaction;
        if transaction.value == Transaction::CONNECTIONLESS {
            if message.message_type == MessageType::CissFacility {
                self.notified(message);
            }
            return;
        }
        let found = self.find_service(transaction.flag, transaction.value);
        let reason = message.find::<ReleaseReason>().unwrap_or(ReleaseReason::Normal);
        let (id, trigger) = match (message.message_type, found) {
            (MessageType::CissRegister, None) if !transaction.flag => {
                if self.subscription.is_none() {
                    return;
                }
                (self.add_service(false, transaction.value), Trigger::RegisterReceived)
            }
            (MessageType::CissRegister, Some(id)) => (id, Trigger::RegisterReceived),
            (MessageType::CissFacility, Some(id)) => (id, Trigger::FacilityReceived),
            (MessageType::CissReleaseCom, Some(id)) => (id, Trigger::ReleaseReceived),
            (MessageType::CissFacility, None) => {
                let reason = ReleaseReason::UnknownTransactionIdentifier;
                self.send(now, compose::ciss_refuse(transaction, reason));
                return;
            }
            _ => return,
        };
        self.service_step(now, id, trigger, reason, Payload::Message(message));
    }

    pub(super) fn service_timeout(&mut self, now: Instant, id: ServiceId) {
        self.service_step(now, id, Trigger::Timeout, ReleaseReason::TimerExpiry, Payload::None);
    }

    pub(super) fn services_lose_link(&mut self, now: Instant) {
        let all: Vec<_> = self.services.keys().copied().collect();
        for id in all {
            self.service_step(now, id, Trigger::LinkLost, ReleaseReason::Unknown, Payload::None);
        }
    }

    fn find_service(&self, ours: bool, value: u8) -> Option<ServiceId> {
        self.services.iter().find(|(_, it)| it.ours == ours && it.value == value).map(|(id, _)| *id)
    }

    fn add_service(&mut self, ours: bool, value: u8) -> ServiceId {
        self.last_service = self.last_service.wrapping_add(1);
        let id = ServiceId(self.last_service);
        self.services.insert(id, Service::new(ours, value));
        id
    }

    fn service_step(
        &mut self,
        now: Instant,
        id: ServiceId,
        trigger: Trigger,
        reason: ReleaseReason,
        payload: Payload<'_>,
    ) {
        let Some(service) = self.services.get_mut(&id) else { return };
        let (state, actions) = step(service.state, trigger);
        service.state = state;
        let transaction = service.transaction();
        // What a message brings is read once: its segments move the assembly on.
        let notice = match payload {
            Payload::Message(message) if !actions.is_empty() => notice_of(service, message),
            _ => Notice::default(),
        };
        if state == State::Null {
            self.services.remove(&id);
        }
        let nothing = Request::default();
        let request = match payload {
            Payload::Request(request) => request,
            Payload::None | Payload::Message(_) => &nothing,
        };
        for action in actions {
            match action {
                Action::SendRegister => {
                    let ipui = self.subscription.as_ref().map(|known| known.ipui);
                    let kind = MessageType::CissRegister;
                    self.send_all(now, compose::service(kind, transaction, ipui, request, None));
                }
                Action::SendFacility => {
                    let kind = MessageType::CissFacility;
                    self.send_all(now, compose::service(kind, transaction, None, request, None));
                }
                Action::SendRelease => {
                    let kind = MessageType::CissReleaseCom;
                    self.send_all(now, compose::service(kind, transaction, None, request, Some(reason)));
                }
                Action::StartTimer => {
                    self.deadlines.start(Timer::Service(id), now + self.config.service_idle);
                }
                Action::StopTimer => self.deadlines.stop(Timer::Service(id)),
                Action::IndicateOpened => {
                    self.events.push_back(Event::ServiceOpened { service: id, notice: notice.clone() });
                }
                Action::IndicateInformation => {
                    // A segment that completes nothing, or a notification, says nothing of this kind.
                    if notice != Notice::default() {
                        self.events.push_back(Event::ServiceNoticed { service: id, notice: notice.clone() });
                    }
                }
                Action::IndicateClosed => {
                    let notice = notice.clone();
                    self.events.push_back(Event::ServiceClosed { service: id, reason, notice });
                }
                Action::FreeLink => self.free_link(now, true),
            }
        }
        if let Payload::Message(message) = payload
            && trigger == Trigger::FacilityReceived
        {
            self.notified(message);
        }
    }

    fn send_all(&mut self, now: Instant, messages: Vec<bytes::Bytes>) {
        for message in messages {
            self.send(now, message);
        }
    }
}

fn notice_of(service: &mut Service, message: &View<'_>) -> Notice {
    let components = service.components(message);
    Notice { display: receive::display(message), feature: message.find(), components }
}
