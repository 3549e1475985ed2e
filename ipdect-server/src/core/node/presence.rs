//! Presence: from the handset's use to the front end.

use std::time::Instant;

use bytes::BytesMut;
use presence_pidf::Event;
use presence_pidf::category::PUBLISH_CONTENT_TYPE;
use presence_pidf::publisher::{Event as Published, Input};
use sip_lync::{Headers, Method, OutgoingRequest, RequestId, Response};

use super::super::subscriber::{Registration, SubscriberId};
use super::super::vocabulary::{Level, StoreWrite};
use super::Node;

impl Node {
    pub(super) fn drain_presence(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(id) = self.touched.pop_first() {
            busy = true;
            let Some(subscriber) = self.subscribers.get_mut(id) else { continue };
            while let Some(event) = subscriber.presence.poll_event() {
                if let Event::Changed(publication) = event {
                    subscriber.publisher.publish(publication);
                }
            }
            subscriber.publisher.handle_timeout(now);
            self.keep_end(now, id);
            self.publish(now, id);
            let Some(subscriber) = self.subscribers.get(id) else { continue };
            let log_on = self.first_log_on_due(id);
            let deadlines = [subscriber.presence.poll_timeout(), subscriber.publisher.poll_timeout(), log_on];
            self.deadlines.set(subscriber.waiter, deadlines.into_iter().flatten().min());
        }
        busy
    }

    /// After a restart presence goes on from the end of the last call, or from nothing.
    fn keep_end(&mut self, now: Instant, id: SubscriberId) {
        let wall = self.wall_at(now);
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        let end = subscriber.presence.last_end_age(now).and_then(|age| wall.checked_sub(age));
        if subscriber.kept_end != end {
            subscriber.kept_end = end;
            let ipei = subscriber.user.ipei.text().to_owned();
            self.store(StoreWrite::PresenceEnd { ipei, at: end });
        }
    }

    /// The user did something with the handset that is not a call, or none yet.
    pub(super) fn handset_used(&mut self, now: Instant, id: SubscriberId) {
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.presence.used(now);
            self.touched.insert(id);
        }
    }

    /// Nothing is left of what the handset published, before its registration ends.
    pub(super) fn withdraw_presence(&mut self, now: Instant, id: SubscriberId) {
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.presence.disabled(now);
            self.touched.insert(id);
            self.drain_presence(now);
        }
    }

    pub(super) fn presence_timeout(&mut self, now: Instant, id: SubscriberId) {
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.presence.handle_timeout(now);
            self.touched.insert(id);
        }
        self.first_log_on_timeout(now, id);
    }

    /// Sends what is due, if the user is registered.
    fn publish(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        if !matches!(subscriber.registration, Registration::Up { .. }) {
            return;
        }
        let uri = format!("sip:{}", subscriber.address);
        let mut body = BytesMut::new();
        if subscriber.publisher.poll_transmit(&mut body).is_none() {
            return;
        }
        let sip = subscriber.sip;
        match uri.parse() {
            Ok(target) => {
                let mut request = OutgoingRequest::new(Method::Service, target);
                request.headers = Headers::new();
                request.headers.push(sip_lync::HeaderName::ContentType, PUBLISH_CONTENT_TYPE);
                request.body = body.freeze();
                match self.endpoint.request(now, sip, request) {
                    Ok(request) => {
                        self.publishing.insert(request, id);
                    }
                    Err(error) => {
                        subscriber.publisher.handle_input(now, Input::NoAnswer);
                        self.log(Level::Warning, format!("{uri}: presence: {error}"));
                    }
                }
            }
            Err(_) => subscriber.publisher.unregistered(),
        }
    }

    pub(super) fn publish_answered(&mut self, now: Instant, request: RequestId, response: &Response) {
        let status = response.status.code();
        if status < 200 || self.first_log_on_answered(now, request, status) {
            return;
        }
        let Some(id) = self.publishing.remove(&request) else { return };
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        subscriber.publisher.handle_input(now, Input::Answer { status, body: &response.body });
        let address = subscriber.address.clone();
        while let Some(event) = self.subscribers.get_mut(id).and_then(|found| found.publisher.poll_event()) {
            match event {
                Published::Published => {}
                Published::Refused(status) => {
                    self.log(Level::Warning, format!("{address}: presence was refused with {status}"));
                }
                Published::RegisterAgain(status) => {
                    self.log(Level::Notice, format!("{address}: presence: {status}, registering again"));
                    self.renew_registration(now, id);
                }
                event => self.log(Level::Notice, format!("{address}: presence: {event:?}")),
            }
        }
        self.touched.insert(id);
    }

    pub(super) fn publish_failed(&mut self, now: Instant, request: RequestId) {
        if self.first_log_on_answered(now, request, 408) {
            return;
        }
        let Some(id) = self.publishing.remove(&request) else { return };
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.publisher.handle_input(now, Input::NoAnswer);
            self.touched.insert(id);
        }
    }

    /// Before the user is deregistered: no phone state is left, the machine is away.
    pub(super) fn publish_farewell(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get_mut(id) else { return };
        let mut publication = subscriber.presence.publication();
        publication.machine = publication.machine.map(|_| AWAY);
        publication.phone = None;
        publication.activity = None;
        publication.user = None;
        subscriber.publisher.publish(publication);
        self.publish(now, id);
    }
}

/// Availability of a machine that nobody uses (MS-PRES 2.2.2.7).
const AWAY: u16 = 15_500;
