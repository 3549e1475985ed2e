//! What base stations and handsets do.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dect_nwk::Transmit;
use dect_nwk::element::{RejectReason, ReleaseReason};
use dect_nwk::fixed_part::{Event, Information, PortableId};
use dect_nwk::identity::Tpui;

use super::super::call::map::reason;
use super::super::call::step::{Phase, Trigger};
use super::super::radio::{Dlei, RadioEvent};
use super::super::subscriber::{Registration, SubscriberId};
use super::super::vocabulary::{Lane, Level, StoreWrite, Subscription};
use super::{ACCESS_RIGHTS, HIGHER_LAYER, Node};
use crate::config;

/// A number is complete when no digit followed for this long.
pub(super) const INTER_DIGIT: Duration = Duration::from_secs(4);
/// Digits of a number.
pub(super) const DIGITS: usize = 64;
/// The R key.
const RECALL: char = '\u{15}';

impl Node {
    pub(super) fn drain_radio(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(event) = self.radio.poll_event(now) {
            busy = true;
            self.radio_event(now, event);
        }
        while let Some((link, len)) = self.radio.poll_transmit(&mut self.outgoing) {
            busy = true;
            self.effects.push_back(super::Effect::LinkBytes { link, len });
        }
        while let Some(link) = self.radio.poll_close() {
            busy = true;
            if let Some(waiter) = self.link_waiters.remove(&link) {
                self.deadlines.remove(waiter);
            }
            self.effects.push_back(super::Effect::CloseLink { link });
        }
        busy
    }

    fn radio_event(&mut self, now: Instant, event: RadioEvent) {
        match event {
            RadioEvent::Established { link, sdu } => {
                if let Some(sdu) = &sdu {
                    self.trace_dect(now, Lane::Handset, Lane::Server, link, sdu);
                }
                let taken = self
                    .fixed_part
                    .handle_input(now, dect_nwk::Input::Established { link, sdu: sdu.as_deref() });
                self.note_dect(taken);
            }
            RadioEvent::Data { link, sdu } => {
                self.trace_dect(now, Lane::Handset, Lane::Server, link, &sdu);
                let taken = self.fixed_part.handle_input(now, dect_nwk::Input::Data { link, sdu: &sdu });
                self.note_dect(taken);
            }
            RadioEvent::Released { link, mode } => {
                self.link_released(now, link);
                self.traced.remove(&link);
                let taken = self.fixed_part.handle_input(now, dect_nwk::Input::Released { link, mode });
                self.note_dect(taken);
            }
            RadioEvent::Encrypted { link, on } => {
                let taken = self.fixed_part.handle_input(now, dect_nwk::Input::Encrypted { link, on });
                self.note_dect(taken);
            }
            RadioEvent::BearerOpened { bearer, local } => self.bearer_opened(now, bearer, local),
            RadioEvent::BearerLost { bearer, why } => self.bearer_lost(now, bearer, &why),
            RadioEvent::StationUp { name, remote } => {
                self.log(Level::Notice, format!("base station {name}: connected from {remote}"));
            }
            RadioEvent::StationDown { name, why } => {
                self.log(Level::Warning, format!("base station {name}: {why}"));
            }
        }
    }

    pub(super) fn drain_fixed_part(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(transmit) = self.fixed_part.poll_transmit(&mut self.scratch) {
            busy = true;
            let bytes: Bytes = self.scratch.split().freeze();
            match transmit {
                Transmit::Broadcast { .. } => {
                    self.trace_step(now, Lane::Server, Lane::Handset, "page", String::new());
                    self.radio.page(now, &bytes);
                }
                Transmit::Data { link, .. } => {
                    self.trace_dect(now, Lane::Server, Lane::Handset, link, &bytes);
                    self.radio.data(now, link, bytes);
                }
                Transmit::Release { link, mode } => self.radio.release(now, link, mode),
                Transmit::EncryptionKey { link, key } => self.radio.encryption_key(now, link, *key.octets()),
                // Only a portable part opens links and switches ciphering.
                _ => {}
            }
        }
        while let Some(event) = self.fixed_part.poll_event() {
            busy = true;
            self.handset_event(now, event);
        }
        busy
    }

    fn handset_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::AccessRightsRequested { request, ipui, ipei, .. } => {
                let ipei = ipei.or_else(|| ipui.ipei());
                let listed = ipei.and_then(|ipei| self.subscribers.of_ipei(ipei));
                let user = listed.and_then(|id| self.subscribers.get(id)).map(|subscriber| &subscriber.user);
                let code = match user {
                    Some(user) if user.disabled => None,
                    Some(user) if !user.access_code.is_empty() => Some(user.access_code.clone()),
                    Some(_) => Some(self.configuration.radio.system_access_code.clone()),
                    None if self.configuration.radio.subscription == config::Subscription::Open => {
                        Some(self.configuration.radio.system_access_code.clone())
                    }
                    None => None,
                };
                let code = code.filter(|_| self.subscription_allowed(now)).and_then(|code| {
                    dect_nwk::authentication::AuthenticationCode::from_pin(code.reveal()).ok()
                });
                if let Some(code) = code {
                    let done = self.fixed_part.allow_access(now, request, code);
                    self.note_dect(done);
                } else {
                    let who = ipei
                        .map_or_else(|| "a handset without IPEI".into(), |ipei| format!("handset {ipei}"));
                    self.log(
                        Level::Warning,
                        format!("{who}: subscription refused: add its IPEI to a user, or open the subscription window"),
                    );
                    let done = self.fixed_part.refuse_access(now, request, RejectReason::IpeiNotAccepted);
                    self.note_dect(done);
                }
            }
            Event::Subscribed { portable, ipui, uak, dsaa2 } => {
                let Some(ipei) = ipui.ipei() else { return };
                self.log(Level::Notice, format!("handset {ipei}: subscribed"));
                if let Some(id) = self.subscribers.of_ipei(ipei) {
                    self.subscribers.set_portable(id, Some(portable));
                    self.touched.insert(id);
                    if let Some(subscriber) = self.subscribers.get(id) {
                        let subscription = Subscription {
                            ipei: subscriber.user.ipei.text().to_owned(),
                            ipui: super::settings::ipui_to_octets(&ipui),
                            uak: *uak.octets(),
                            dsaa2,
                        };
                        self.store(StoreWrite::Subscription(subscription));
                    }
                }
            }
            Event::SubscriptionFailed { ipui, reason } => {
                let who = ipui.ipei().map_or_else(|| "a handset".into(), |ipei| format!("handset {ipei}"));
                self.log(
                    Level::Warning,
                    format!("{who}: subscription failed ({reason:?}): check the access code"),
                );
            }
            Event::AccessTerminated { portable, .. } => self.access_terminated(now, portable),
            Event::Located { portable, link, tpui } => {
                self.heard(now, portable, link);
                if let Some(id) = self.subscribers.of_portable(portable)
                    && let Some(subscriber) = self.subscribers.get_mut(id)
                {
                    subscriber.located = true;
                    if !subscriber.user.disabled {
                        // After it was switched off it begins without memory.
                        subscriber.presence.enabled(now);
                    }
                    subscriber.presence.handset_back(now);
                    self.touched.insert(id);
                    let ipei = subscriber.user.ipei.text().to_owned();
                    self.store(StoreWrite::Location { ipei, tpui: tpui.map(Tpui::value) });
                    self.want_registration(now, id);
                    self.messages_untold(id);
                    self.tell_messages(now, id);
                }
            }
            Event::LocationRefused { ipui, reason } => {
                let who = ipui.ipei().map_or_else(|| "a handset".into(), |ipei| format!("handset {ipei}"));
                self.log(Level::Warning, format!("{who}: location registration refused ({reason:?})"));
            }
            Event::Detached { portable } => {
                if let Some(id) = self.subscribers.of_portable(portable) {
                    self.detached(now, id);
                }
            }
            Event::Unreachable { portable } => {
                // Late news, or never: the registration stays, so that voice mail and forwarding work.
                if let Some(id) = self.subscribers.of_portable(portable)
                    && let Some(subscriber) = self.subscribers.get_mut(id)
                {
                    subscriber.presence.handset_lost(now);
                    self.touched.insert(id);
                    self.messages_untold(id);
                }
            }
            Event::AuthenticationFailed { portable } => {
                if let Some(subscriber) =
                    self.subscribers.of_portable(portable).and_then(|id| self.subscribers.get(id))
                {
                    let ipei = subscriber.user.ipei.text().to_owned();
                    self.log(
                        Level::Warning,
                        format!("handset {ipei}: authentication failed: subscribe it again"),
                    );
                }
            }
            Event::Setup { call, portable, link, called, complete, .. } => {
                self.heard(now, portable, link);
                self.handset_calls(now, call, portable, link, &called, complete);
            }
            Event::Digits { call, digits, complete } => self.handset_digits(now, call, &digits, complete),
            Event::Keypad { call, keys } => self.handset_keys(now, call, &keys),
            Event::Service { call, action, digits } => self.service(now, call, action, &digits),
            Event::SecondDigits { call, digits, .. } => self.second_digits(now, call, &digits),
            Event::HoldRequested { call } => {
                let held = self.hold_key(now, call, Trigger::HandsetHold);
                let done = self.fixed_part.answer_hold(now, call, held);
                self.note_dect(done);
            }
            Event::RetrieveRequested { call } => {
                let retrieved = self.hold_key(now, call, Trigger::HandsetRetrieve);
                let done = self.fixed_part.answer_retrieve(now, call, retrieved);
                self.note_dect(done);
            }
            Event::Alerting { call } => self.dect_trigger(now, call, Trigger::HandsetAlerting),
            Event::Answered { call, link } => {
                if let Some(id) = self.by_dect.get(&call).copied() {
                    self.open_bearer(now, id, link);
                    self.trigger(now, id, Trigger::HandsetAnswered);
                }
            }
            Event::Released { call, reason } => {
                if let Some(id) = self.by_dect.remove(&call) {
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.dect = None;
                        call.cause = format!("{reason:?}");
                    }
                    self.handset_released(now, id, reason);
                }
            }
            // Identities told on request, ciphering: the node asks for none of it yet.
            _ => {}
        }
    }

    fn handset_released(&mut self, now: Instant, id: u32, reason: ReleaseReason) {
        let transferring = self.is_being_transferred(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let subscriber = call.subscriber;
        call.release_octet = reason.code();
        if call.answered.is_none() {
            call.outcome = match (call.phase, reason.code()) {
                (Phase::Presented, reason::TIMER_EXPIRY | reason::USER_NOT_IN_RANGE | reason::UNKNOWN) => {
                    "missed"
                }
                (Phase::Presented | Phase::Alerting, reason::USER_BUSY) => "missed",
                (Phase::Presented | Phase::Alerting, _) => "refused",
                _ => "cancelled",
            };
        }
        let leaves = if transferring { Trigger::HandsetGone } else { Trigger::HandsetReleased };
        let refused = call.outcome == "refused";
        self.trigger(now, id, leaves);
        self.handset_left(now, subscriber);
        if refused {
            self.handset_used(now, subscriber);
        }
    }

    fn access_terminated(&mut self, now: Instant, portable: PortableId) {
        let Some(id) = self.subscribers.of_portable(portable) else { return };
        self.subscribers.set_portable(id, None);
        self.detached(now, id);
        if let Some(subscriber) = self.subscribers.get(id) {
            let ipei = subscriber.user.ipei.text().to_owned();
            self.log(Level::Notice, format!("handset {ipei}: access rights removed"));
            self.store(StoreWrite::Unsubscribed { ipei });
        }
    }

    fn detached(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        subscriber.located = false;
        let ipei = subscriber.user.ipei.text().to_owned();
        self.store(StoreWrite::Detached { ipei });
        self.withdraw_presence(now, id);
        self.unwant_registration(now, id);
    }

    /// A handset was heard on a connection.
    fn heard(&mut self, now: Instant, portable: PortableId, link: Dlei) {
        let base = self.radio.station_of(link).map(str::to_owned);
        if let Some(subscriber) =
            self.subscribers.of_portable(portable).and_then(|id| self.subscribers.get_mut(id))
        {
            subscriber.heard = Some(now);
            subscriber.base = base.or_else(|| subscriber.base.take());
        }
    }

    fn handset_calls(
        &mut self,
        now: Instant,
        dect: dect_nwk::CallId,
        portable: PortableId,
        link: Dlei,
        called: &str,
        complete: bool,
    ) {
        let Some(id) = self.subscribers.of_portable(portable) else {
            let done = self.fixed_part.release(now, dect, ReleaseReason::from_code(reason::USER_UNKNOWN));
            self.note_dect(done);
            return;
        };
        let registered = self
            .subscribers
            .get(id)
            .is_some_and(|subscriber| matches!(subscriber.registration, Registration::Up { .. }));
        if !registered || self.stopping.is_some() {
            self.show(now, dect, "No service");
            let done = self.fixed_part.release(now, dect, ReleaseReason::from_code(reason::IWU_CONGESTION));
            self.note_dect(done);
            return;
        }
        let Some(call) = self.outgoing_call(now, id, dect) else {
            self.show(now, dect, "All lines busy");
            let done =
                self.fixed_part.release(now, dect, ReleaseReason::from_code(reason::INSUFFICIENT_RESOURCES));
            self.note_dect(done);
            return;
        };
        self.handset_used(now, id);
        self.open_bearer(now, call, link);
        let acknowledge = called.is_empty() || !complete;
        if acknowledge {
            let done = self.fixed_part.setup_acknowledge(now, dect);
            self.note_dect(done);
        }
        self.digits(now, call, called, complete);
    }

    fn handset_digits(&mut self, now: Instant, dect: dect_nwk::CallId, digits: &str, complete: bool) {
        if let Some(id) = self.by_dect.get(&dect).copied() {
            self.digits(now, id, digits, complete);
        }
    }

    fn digits(&mut self, now: Instant, id: u32, digits: &str, complete: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.phase != Phase::Overlap {
            return;
        }
        let room = DIGITS.saturating_sub(call.dialled.len());
        call.dialled.extend(digits.chars().filter(|key| !key.is_control()).take(room));
        if complete && !call.dialled.is_empty() {
            self.trigger(now, id, Trigger::DialComplete);
        } else if !call.dialled.is_empty() {
            call.digits_end = Some(now + INTER_DIGIT);
            self.deadlines.set(call.waiter, call.digits_end);
        }
    }

    fn handset_keys(&mut self, now: Instant, dect: dect_nwk::CallId, keys: &str) {
        let Some(id) = self.by_dect.get(&dect).copied() else { return };
        for key in keys.chars() {
            if key == RECALL {
                let Some(trigger) = self.calls.get(&id).map(super::Call::hold_key) else { return };
                self.trigger(now, id, trigger);
            }
        }
    }

    /// HOLD or RETRIEVE: whether the call could take it.
    fn hold_key(&mut self, now: Instant, dect: dect_nwk::CallId, trigger: Trigger) -> bool {
        let Some(id) = self.by_dect.get(&dect).copied() else { return false };
        let before = self.calls.get(&id).map(|call| call.phase);
        self.trigger(now, id, trigger);
        before != self.calls.get(&id).map(|call| call.phase)
    }

    pub(super) fn dect_trigger(&mut self, now: Instant, dect: dect_nwk::CallId, trigger: Trigger) {
        if let Some(id) = self.by_dect.get(&dect).copied() {
            self.trigger(now, id, trigger);
        }
    }

    /// A verb that came too late for its call is worth a line for the curious, no more.
    pub(super) fn note_dect(&mut self, done: Result<(), dect_nwk::Error>) {
        if let Err(error) = done {
            self.log(Level::Debug, format!("handset: {error}"));
        }
    }

    /// Words for the handset's display.
    pub(super) fn show(&mut self, now: Instant, dect: dect_nwk::CallId, text: &str) {
        let information = Information { display: Some(text.to_owned()), ..Information::default() };
        let done = self.fixed_part.information(now, dect, &information);
        self.note_dect(done);
    }

    /// Whether a listed handset may subscribe now.
    fn subscription_allowed(&self, now: Instant) -> bool {
        match self.configuration.radio.subscription {
            config::Subscription::Listed | config::Subscription::Open => true,
            config::Subscription::Window => self.window_until.is_some_and(|until| now < until),
        }
    }

    /// Lets base stations broadcast whether handsets may subscribe.
    pub(super) fn allow_subscription(&mut self, now: Instant) {
        let bits = if self.subscription_allowed(now) { HIGHER_LAYER | ACCESS_RIGHTS } else { HIGHER_LAYER };
        self.radio.broadcast(now, bits);
    }
}
