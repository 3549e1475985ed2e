//! Presence publications: SERVICE with categories, versions, conflicts.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::BytesMut;
use presence_pidf::category::{
    CategoryInstance, CategoryReport, Content, ExpireType, FAULT_CONTENT_TYPE, Fault, PUBLISH_CONTENT_TYPE,
    REPORT_CONTENT_TYPE, StateKind, VersionConflict, WRONG_DELTA, parse_publish,
};
use sip_lync::Request;
use sip_lync::headers::HeaderName;

use super::envelope::Envelope;
use super::respond::Refusal;
use super::{Event, FlowId, FrontEnd};

/// What tells a publication of a user from others: name, instance, container.
type Key = (String, u32, u16);

/// A stored publication.
#[derive(Clone, Debug)]
struct Publication {
    version: u32,
    /// The endpoint with whose registration it ends.
    endpoint: Option<String>,
}

/// All publications of all users.
#[derive(Clone, Debug, Default)]
pub(super) struct Publications {
    users: BTreeMap<String, BTreeMap<Key, Publication>>,
}

impl Publications {
    /// The registration of an endpoint ended: what was bound to it is gone.
    pub(super) fn endpoint_gone(&mut self, user: &str, instance: &str) {
        if let Some(publications) = self.users.get_mut(user) {
            publications.retain(|_, publication| publication.endpoint.as_deref() != Some(instance));
        }
    }

    fn conflicts(&self, user: &str, wanted: &[CategoryInstance]) -> Vec<VersionConflict> {
        let stored = self.users.get(user);
        let current = |instance: &CategoryInstance| {
            let (name, number, container) = instance.key();
            let key = (name.to_owned(), number, container);
            stored.and_then(|stored| stored.get(&key)).map_or(0, |publication| publication.version)
        };
        let mut conflicts = Vec::new();
        for (at, instance) in wanted.iter().enumerate() {
            let current = current(instance);
            if current != instance.version {
                conflicts.push(VersionConflict { index: at + 1, version: instance.version, current });
            }
        }
        conflicts
    }

    /// Stores or removes; the version that is held now.
    fn store(&mut self, user: &str, instance: &CategoryInstance, endpoint: Option<&str>) -> u32 {
        let (name, number, container) = instance.key();
        let key = (name.to_owned(), number, container);
        let publications = self.users.entry(user.to_owned()).or_default();
        if instance.expires == Some(0) {
            publications.remove(&key);
            return 0;
        }
        let version = instance.version.wrapping_add(1);
        let endpoint = (instance.expire_type == ExpireType::Endpoint).then_some(endpoint).flatten();
        publications.insert(key, Publication { version, endpoint: endpoint.map(str::to_owned) });
        version
    }
}

impl FrontEnd {
    pub(super) fn service(&mut self, _now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        if !envelope.from.sip_uri().is_some_and(|user| self.is_homed(user)) {
            self.refuse(flow, request, Refusal::new(404, 4005, "the user is not homed here"));
            return;
        }
        let kind = request.headers.get(&HeaderName::ContentType).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(PUBLISH_CONTENT_TYPE) {
            let refusal =
                Refusal::new(415, 0, "this simulated front end understands category publications only");
            self.refuse(flow, request, refusal);
            return;
        }
        let publish = match parse_publish(&request.body) {
            Ok(publish) => publish,
            Err(error) => {
                self.report_refusal(request, 400, &error.to_string());
                let mut response = self.answer(request, 400);
                self.explain(&mut response, 0, "the publication cannot be read");
                self.send(flow, &response.into());
                return;
            }
        };
        let key = envelope.caller();
        let endpoint = envelope.from.epid().and_then(|epid| {
            let found =
                self.registrar.of_user(&key).find(|(_, binding)| binding.epid.as_deref() == Some(epid));
            found.map(|(endpoint, _)| endpoint.instance.clone())
        });
        if endpoint.is_none() {
            self.refuse(flow, request, Refusal::new(403, 0, "the endpoint is not registered"));
            return;
        }
        let conflicts = self.publications.conflicts(&key, &publish.publications);
        if !conflicts.is_empty() {
            let mut body = BytesMut::new();
            Fault { code: WRONG_DELTA.to_owned(), conflicts }.emit(&mut body);
            let mut response = self.answer(request, 409);
            response.headers.push(HeaderName::ContentType, FAULT_CONTENT_TYPE);
            response.body = body.freeze();
            self.report_refusal(request, 409, "the version of a publication is not the current one");
            self.send(flow, &response.into());
            return;
        }
        let mut report =
            CategoryReport { uri: format!("sip:{key}"), categories: Vec::new(), gone: Vec::new() };
        let mut events = Vec::new();
        for instance in publish.publications {
            let version = self.publications.store(&key, &instance, endpoint.as_deref());
            events.push(published(&key, &instance, version));
            if instance.expires == Some(0) {
                report.gone.push((instance.name.clone(), Some(instance.container)));
            } else {
                report.categories.push(CategoryInstance { version, ..instance });
            }
        }
        let mut body = BytesMut::new();
        report.emit(&mut body);
        let mut response = self.answer(request, 200);
        response.headers.push(HeaderName::ContentType, REPORT_CONTENT_TYPE);
        response.body = body.freeze();
        self.send(flow, &response.into());
        self.events.extend(events);
    }
}

fn published(user: &str, instance: &CategoryInstance, version: u32) -> Event {
    let (category, availability, activity) = match &instance.content {
        Content::State(state) => {
            let kind = match &state.kind {
                StateKind::Machine => "machineState",
                StateKind::Phone => "phoneState",
                StateKind::User => "userState",
                _ => instance.name.as_str(),
            };
            let activity = state.activities.iter().find_map(|activity| activity.token.clone());
            (kind.to_owned(), state.availability, activity)
        }
        _ => (instance.name.clone(), None, None),
    };
    Event::Presence {
        user: user.to_owned(),
        category,
        instance: instance.instance,
        container: u32::from(instance.container),
        version,
        availability,
        activity,
        removed: instance.expires == Some(0),
    }
}
