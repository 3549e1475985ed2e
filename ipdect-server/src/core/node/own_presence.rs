//! What a front end tells users about themselves: it finds what an earlier run has left, and makes up for a first log-on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use dect_nwk::fixed_part::Notification;
use presence_pidf::category::{CategoryReport, REPORT_CONTENT_TYPE, RoamingData};
use presence_pidf::first_log_on::{FirstLogOn, LogOnState};
use presence_pidf::provisioning::{CONTENT_TYPE as SETTINGS_CONTENT_TYPE, emit_request};
use presence_pidf::publisher::Input;
use presence_pidf::subscription::ROAMING_LIST;
use sip_lync::{
    HeaderName, Headers, Method, OutgoingRequest, RequestId, Subscription, SubscriptionEnd, SubscriptionId,
};

use super::super::subscriber::{Registration, SubscriberId};
use super::super::vocabulary::Level;
use super::Node;

/// Subscriptions of users to themselves, and what is being made up for.
#[derive(Debug, Default)]
pub(super) struct Own {
    subscriptions: BTreeMap<SubscriptionId, (SubscriberId, About)>,
    log_ons: BTreeMap<SubscriberId, FirstLogOn>,
    requests: BTreeMap<RequestId, SubscriberId>,
    /// New voice messages, and whether the handset was told.
    messages: BTreeMap<SubscriberId, (u32, bool)>,
}

/// What a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The settings of the pool: whether presence is for contacts alone.
    Settings,
    /// What is held of the user.
    Presence,
}

impl Node {
    /// A user is registered anew.
    pub(super) fn learn_own_presence(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get(id) else { return };
        let (sip, uri) = (subscriber.sip, format!("sip:{}", subscriber.address));
        let Ok(target) = uri.parse::<sip_lync::Uri>() else { return };
        let mut settings = BytesMut::new();
        emit_request(&["presencePolicyV2"], &mut settings);
        let mut fetch = Subscription::with_body(
            "vnd-microsoft-provisioning-v2",
            target.clone(),
            SETTINGS_CONTENT_TYPE,
            settings.freeze(),
        );
        fetch.expires = Some(Duration::ZERO);
        let own = Subscription::with_body(
            "vnd-microsoft-roaming-self",
            target,
            REPORT_CONTENT_TYPE,
            Bytes::from_static(ROAMING_LIST.as_bytes()),
        );
        self.forget_own_presence(now, id);
        let mut wanted = vec![(About::Presence, own)];
        if self.configuration.presence.first_log_on && !self.made_up_for_by_another(id) {
            self.own.log_ons.insert(id, FirstLogOn::new(&uri));
            wanted.insert(0, (About::Settings, fetch));
        }
        for (about, wanted) in wanted {
            match self.endpoint.subscribe(now, sip, wanted) {
                Ok(subscription) => {
                    self.own.subscriptions.insert(subscription, (id, about));
                }
                Err(error) => self.log(Level::Warning, format!("{uri}: own presence: {error}")),
            }
        }
    }

    /// Of several handsets of a user one is enough, and two at once would contradict each other.
    fn made_up_for_by_another(&self, id: SubscriberId) -> bool {
        let user = |id: &SubscriberId| self.subscribers.get(*id);
        let Some(own) = user(&id) else { return false };
        let others = self.own.log_ons.keys().filter(|other| **other != id).filter_map(user);
        others
            .filter(|other| matches!(other.registration, Registration::Up { .. }))
            .any(|other| other.address.eq_ignore_ascii_case(&own.address))
    }

    /// Subscriptions of an earlier registration are of no use.
    fn forget_own_presence(&mut self, now: Instant, id: SubscriberId) {
        let known = self.own.subscriptions.iter().filter(|(_, (of, _))| *of == id);
        let known: Vec<SubscriptionId> = known.map(|(subscription, _)| *subscription).collect();
        for subscription in known {
            self.own.subscriptions.remove(&subscription);
            self.endpoint.unsubscribe(now, subscription);
        }
        self.own.requests.retain(|_, of| *of != id);
    }

    /// A notification, perhaps of these.
    pub(super) fn own_presence_told(&mut self, now: Instant, subscription: SubscriptionId, body: &[u8]) {
        let Some((id, about)) = self.own.subscriptions.get(&subscription).copied() else { return };
        match about {
            About::Settings => {
                if let Some(log_on) = self.own.log_ons.get_mut(&id) {
                    log_on.settings(Some(body));
                }
            }
            About::Presence if body.is_empty() => {}
            About::Presence => {
                if let Some(subscriber) = self.subscribers.get_mut(id) {
                    subscriber.publisher.handle_input(now, Input::Report(body));
                    self.touched.insert(id);
                }
                match RoamingData::parse(body) {
                    Ok(data) => {
                        self.messages_reported(now, id, &data);
                        if let Some(log_on) = self.own.log_ons.get_mut(&id) {
                            log_on.report(data);
                        }
                    }
                    Err(error) => {
                        self.log(Level::Warning, format!("own presence: {error}"));
                    }
                }
            }
        }
        self.make_up_for_log_on(now, id);
    }

    /// Perhaps other messages wait than before.
    fn messages_reported(&mut self, now: Instant, id: SubscriberId, data: &RoamingData<'_>) {
        let Some(subscriber) = self.subscribers.get(id) else { return };
        let uri = format!("sip:{}", subscriber.address);
        let report = data.categories.as_ref().filter(|report| report.uri.eq_ignore_ascii_case(&uri));
        let Some(messages) = report.and_then(CategoryReport::messages) else { return };
        // A handset that was never told of any needs not be told of none.
        let known = self.own.messages.get(&id).map_or(0, |(known, _)| *known);
        if messages.shown() != known {
            self.own.messages.insert(id, (messages.shown(), false));
            self.tell_messages(now, id);
        }
    }

    /// Tells the handset how many messages wait, if it does not know and is there.
    pub(super) fn tell_messages(&mut self, now: Instant, id: SubscriberId) {
        let Some((messages, told)) = self.own.messages.get_mut(&id) else { return };
        let Some(subscriber) = self.subscribers.get(id).filter(|subscriber| subscriber.reachable()) else {
            return;
        };
        let Some(portable) = subscriber.portable.filter(|_| !*told) else { return };
        let voice_messages = Some(u16::try_from(*messages).unwrap_or(u16::MAX));
        let notification = Notification { voice_messages, ..Notification::default() };
        match self.fixed_part.notify(now, portable, &notification) {
            Ok(()) => *told = true,
            Err(error) => {
                let address = subscriber.address.clone();
                self.log(Level::Warning, format!("{address}: waiting messages: {error}"));
            }
        }
    }

    /// Whatever the handset was told may not have arrived: it hears it again when it is back.
    pub(super) fn messages_untold(&mut self, id: SubscriberId) {
        if let Some((_, told)) = self.own.messages.get_mut(&id) {
            *told = false;
        }
    }

    /// A subscription is over, perhaps one of these.
    pub(super) fn own_presence_over(
        &mut self,
        now: Instant,
        subscription: SubscriptionId,
        end: SubscriptionEnd,
    ) {
        if end == SubscriptionEnd::Interrupted {
            return;
        }
        let Some((id, about)) = self.own.subscriptions.remove(&subscription) else { return };
        if about == About::Settings
            && let Some(log_on) = self.own.log_ons.get_mut(&id)
            && log_on.state() == LogOnState::Learning
        {
            // Old servers have no such settings.
            log_on.settings(None);
            self.make_up_for_log_on(now, id);
        }
    }

    /// The answer to a request, if it is one of these.
    pub(super) fn first_log_on_answered(&mut self, now: Instant, request: RequestId, status: u16) -> bool {
        let Some(id) = self.own.requests.remove(&request) else { return false };
        if let Some(log_on) = self.own.log_ons.get_mut(&id) {
            log_on.answered(now, status);
        }
        self.make_up_for_log_on(now, id);
        // When it is tried again is a deadline of the user.
        self.touched.insert(id);
        true
    }

    /// What failed for a while is due again.
    pub(super) fn first_log_on_timeout(&mut self, now: Instant, id: SubscriberId) {
        if let Some(log_on) = self.own.log_ons.get_mut(&id) {
            log_on.handle_timeout(now);
            self.make_up_for_log_on(now, id);
        }
    }

    /// When what failed is due again.
    pub(super) fn first_log_on_due(&self, id: SubscriberId) -> Option<Instant> {
        self.own.log_ons.get(&id).and_then(FirstLogOn::poll_timeout)
    }

    /// Sends what is due.
    fn make_up_for_log_on(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get(id) else { return };
        let (sip, address) = (subscriber.sip, subscriber.address.clone());
        let Some(log_on) = self.own.log_ons.get_mut(&id) else { return };
        let mut body = BytesMut::new();
        if let (Some(transmit), Ok(target)) =
            (log_on.poll_transmit(&mut body), format!("sip:{address}").parse())
        {
            let mut request = OutgoingRequest::new(Method::Service, target);
            request.headers = Headers::new();
            request.headers.push(HeaderName::ContentType, transmit.content_type);
            request.body = body.freeze();
            match self.endpoint.request(now, sip, request) {
                Ok(request) => {
                    self.own.requests.insert(request, id);
                }
                Err(error) => self.log(Level::Warning, format!("{address}: first log-on: {error}")),
            }
        }
        let state = self.own.log_ons.get(&id).map(FirstLogOn::state);
        if state == Some(LogOnState::Refused) {
            let text =
                "others may not see this user: the front end does not let us make up for a first log-on";
            self.log(Level::Warning, format!("{address}: {text}"));
        }
        if matches!(state, Some(LogOnState::Done | LogOnState::Refused)) {
            self.own.log_ons.remove(&id);
        }
    }
}
