//! Presence: what users publish goes to the notifier, and what it says goes to whoever subscribed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use presence_pidf::category::{
    CategoryInstance, Content, PUBLISH_CONTENT_TYPE, REPORT_CONTENT_TYPE, StateKind, VersionConflict,
    WRONG_DELTA,
};
use presence_pidf::notifier::{self, Notifier, NotifierConfig, SubscriptionId};
use presence_pidf::subscription::{CONTAINERS_CONTENT_TYPE, SUBSCRIBERS_CONTENT_TYPE};
use sip_lync::Request;
use sip_lync::headers::HeaderName;

use super::envelope::Envelope;
use super::respond::Refusal;
use super::{Event, Fault, FlowId, FrontEnd};

/// A notification that waits to be carried.
pub(super) struct Told {
    pub(super) subscription: SubscriptionId,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl FrontEnd {
    /// The presence of all users.
    pub(super) fn notifier(&mut self, now: Instant) -> &mut Notifier {
        let wall_clock = self.wall_clock(now);
        let config = &self.config;
        self.notifier.get_or_insert_with(|| {
            let mut notifier = NotifierConfig::new(&config.domain);
            notifier.wall_clock = wall_clock;
            notifier.new_users = config.new_users;
            Notifier::new(now, notifier)
        })
    }

    /// The notifications that are due.
    pub(super) fn told(&mut self, now: Instant) -> Vec<Told> {
        let notifier = self.notifier(now);
        let mut all = Vec::new();
        let mut buffer = BytesMut::new();
        while let Some(transmit) = notifier.poll_transmit(&mut buffer) {
            let body = buffer.split().freeze();
            let notifier::Transmit { subscription, content_type, .. } = transmit;
            all.push(Told { subscription, content_type, body });
        }
        all
    }

    /// Tells everybody what is due.
    pub(super) fn tell(&mut self, now: Instant) {
        for told in self.told(now) {
            self.notify(now, told);
        }
    }

    /// A user tells something about itself: what it publishes, who may see it, or of whom it took notice.
    pub(super) fn service(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        if !envelope.from.sip_uri().is_some_and(|user| self.is_homed(user)) {
            self.refuse(flow, request, Refusal::new(404, 4005, "the user is not homed here"));
            return;
        }
        let kind = request.headers.get(&HeaderName::ContentType).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let user = envelope.caller();
        let done = match kind.as_str() {
            sip_lync::turn::mras::MEDIA_TYPE => return self.relay_credentials(flow, request),
            PUBLISH_CONTENT_TYPE => return self.publish(now, flow, request, envelope),
            CONTAINERS_CONTENT_TYPE => self.notifier(now).set_members(now, &user, &request.body),
            sip_lync::body::c3p::MEDIA_TYPE => return self.conference_service(now, flow, request, envelope),
            SUBSCRIBERS_CONTENT_TYPE => self.notifier(now).acknowledge(now, &user, &request.body),
            _ => {
                let refusal =
                    Refusal::new(415, 0, "this simulated front end understands bodies of presence only");
                return self.refuse(flow, request, refusal);
            }
        };
        match done {
            Ok(()) => {
                let response = self.answer(request, 200);
                self.send(flow, &response.into());
                self.tell(now);
            }
            Err(refusal) => self.refuse_presence(flow, request, &refusal),
        }
    }

    fn publish(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        let user = envelope.caller();
        let endpoint = envelope.from.epid().and_then(|epid| {
            let found =
                self.registrar.of_user(&user).find(|(_, binding)| binding.epid.as_deref() == Some(epid));
            found.map(|(endpoint, _)| endpoint.instance.clone())
        });
        let Some(endpoint) = endpoint else {
            return self.refuse(flow, request, Refusal::new(403, 0, "the endpoint is not registered"));
        };
        let accepted = match self.notifier(now).publish(now, &user, &endpoint, &request.body) {
            Ok(accepted) => accepted,
            Err(refusal) => return self.refuse_presence(flow, request, &refusal),
        };
        if self.faults.contains(&Fault::Conflict) {
            return self.conflict(flow, request, &accepted.changed);
        }
        let mut body = BytesMut::new();
        accepted.report.emit(&mut body);
        let mut response = self.answer(request, 200);
        response.headers.push(HeaderName::ContentType, REPORT_CONTENT_TYPE);
        response.body = body.freeze();
        self.send(flow, &response.into());
        self.events.extend(accepted.changed.iter().map(|instance| published(&user, instance)));
        self.tell(now);
    }

    /// The fault `conflict`: what was published is there, but as if somebody else had been faster.
    fn conflict(&mut self, flow: FlowId, request: &Request, changed: &[CategoryInstance<'_>]) {
        let conflicts = changed.iter().enumerate().map(|(at, instance)| VersionConflict {
            index: at + 1,
            version: instance.version.saturating_sub(1),
            current: instance.version,
        });
        let fault =
            presence_pidf::category::Fault { code: WRONG_DELTA.to_owned(), conflicts: conflicts.collect() };
        self.report(Event::Fault { fault: Fault::Conflict.to_string(), flow });
        self.refuse_presence(flow, request, &notifier::Refusal::Conflict(fault));
    }

    /// Says no to a body about presence.
    pub(super) fn refuse_presence(&mut self, flow: FlowId, request: &Request, refusal: &notifier::Refusal) {
        let status = refusal.status();
        match refusal {
            notifier::Refusal::Malformed(error) => self.report_refusal(request, status, &error.to_string()),
            _ => self.report_refusal(request, status, refusal.reason()),
        }
        let mut response = self.answer(request, status);
        self.explain(&mut response, if status == 409 { CONFLICT } else { 0 }, refusal.reason());
        let mut body = BytesMut::new();
        if let Some(content_type) = refusal.emit(&mut body) {
            response.headers.push(HeaderName::ContentType, content_type);
            response.body = body.freeze();
        }
        self.send(flow, &response.into());
    }

    /// The addresses that a subscription watches.
    pub(super) fn watched(&mut self, now: Instant, id: SubscriptionId) -> BTreeSet<String> {
        self.notifier(now).contacts(id)
    }
}

/// What `ms-diagnostics` calls a conflict of versions (inferred: the number for containers is documented).
const CONFLICT: u16 = 2044;

fn published(user: &str, instance: &CategoryInstance<'_>) -> Event {
    let (category, availability, activity) = match &instance.content {
        Content::State(state) => {
            let kind = match &state.kind {
                StateKind::Machine => "machineState",
                StateKind::Phone => "phoneState",
                StateKind::User => "userState",
                _ => &*instance.name,
            };
            let activity =
                state.activities.iter().find_map(|activity| activity.token.clone().map(Cow::into_owned));
            (kind.to_owned(), state.availability, activity)
        }
        _ => (instance.name.to_string(), None, None),
    };
    Event::Presence {
        user: user.to_owned(),
        category,
        instance: instance.instance,
        container: u32::from(instance.container),
        version: instance.version,
        availability,
        activity,
        removed: instance.expires == Some(0),
    }
}
