//! Presence publications: SERVICE with categories, versions, conflicts.

use core::fmt::Write;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
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
    /// As it was published, with the version that is held.
    instance: CategoryInstance,
    /// The endpoint with whose registration it ends.
    endpoint: Option<String>,
}

/// A container and who may read it.
type Members = BTreeSet<(String, String)>;

/// What is held of one user.
#[derive(Clone, Debug, Default)]
struct Presentity {
    publications: BTreeMap<Key, Publication>,
    /// Versions and members of the containers that were changed.
    containers: BTreeMap<u16, (u32, Members)>,
}

/// All publications of all users.
#[derive(Clone, Debug, Default)]
pub(super) struct Publications {
    users: BTreeMap<String, Presentity>,
}

impl Publications {
    /// The registration of an endpoint ended: what was bound to it is gone, and with the user's last one what was bound to
    /// the user. The report of what is left, if anything went.
    pub(super) fn endpoint_gone(&mut self, user: &str, instance: &str, last: bool) -> Option<Bytes> {
        let presentity = self.users.get_mut(user)?;
        let before = presentity.publications.len();
        presentity.publications.retain(|_, publication| match publication.instance.expire_type {
            ExpireType::Endpoint => publication.endpoint.as_deref() != Some(instance),
            ExpireType::User => !last,
            _ => true,
        });
        (presentity.publications.len() < before).then(|| report(user, &self.users))
    }

    /// What a user's endpoints published.
    pub(super) fn of_user(&self, user: &str) -> impl Iterator<Item = &CategoryInstance> {
        let presentity = self.users.get(user).into_iter();
        presentity.flat_map(|presentity| presentity.publications.values()).map(|held| &held.instance)
    }

    /// All that is held of a user, as the user's own endpoints get it.
    pub(super) fn roaming_data(&self, user: &str) -> Bytes {
        let report = report(user, &self.users);
        let mut containers =
            String::from("<containers xmlns=\"http://schemas.microsoft.com/2006/09/sip/containers\">");
        let none = (0, Members::new());
        for id in CONTAINERS {
            let presentity = self.users.get(user);
            let (version, members) =
                presentity.and_then(|presentity| presentity.containers.get(&id)).unwrap_or(&none);
            let _ = write!(containers, "<container id=\"{id}\" version=\"{version}\">");
            for (kind, value) in members {
                let _ = write!(containers, "<member type=\"{kind}\"");
                if !value.is_empty() {
                    let _ = write!(containers, " value=\"{value}\"");
                }
                containers.push_str("/>");
            }
            containers.push_str("</container>");
        }
        containers.push_str("</containers><subscribers xmlns=\"http://schemas.microsoft.com/2006/09/sip/presence-subscribers\"/></roamingData>");
        let text = String::from_utf8_lossy(&report).replacen("</roamingData>", &containers, 1);
        Bytes::from(text)
    }

    fn conflicts(&self, user: &str, wanted: &[CategoryInstance]) -> Vec<VersionConflict> {
        let stored = self.users.get(user).map(|presentity| &presentity.publications);
        let current = |instance: &CategoryInstance| {
            let (name, number, container) = instance.key();
            let key = (name.to_owned(), number, container);
            stored.and_then(|stored| stored.get(&key)).map_or(0, |held| held.instance.version)
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
        let publications = &mut self.users.entry(user.to_owned()).or_default().publications;
        if instance.expires == Some(0) {
            publications.remove(&key);
            return 0;
        }
        let version = instance.version.wrapping_add(1);
        let endpoint = (instance.expire_type == ExpireType::Endpoint).then_some(endpoint).flatten();
        let instance = CategoryInstance { version, ..instance.clone() };
        publications.insert(key, Publication { instance, endpoint: endpoint.map(str::to_owned) });
        version
    }
}

/// The categories that are held of a user.
fn report(user: &str, users: &BTreeMap<String, Presentity>) -> Bytes {
    let held = users.get(user).into_iter().flat_map(|presentity| presentity.publications.values());
    let categories = held.map(|publication| publication.instance.clone()).collect();
    let report =
        CategoryReport { uri: format!("sip:{user}"), categories, gone: vec![("state".to_owned(), None)] };
    let mut body = BytesMut::new();
    report.emit(&mut body);
    body.freeze()
}

/// The containers of every user.
const CONTAINERS: [u16; 5] = [100, 200, 300, 400, 32000];

impl FrontEnd {
    pub(super) fn service(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        if !envelope.from.sip_uri().is_some_and(|user| self.is_homed(user)) {
            self.refuse(flow, request, Refusal::new(404, 4005, "the user is not homed here"));
            return;
        }
        let kind = request.headers.get(&HeaderName::ContentType).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case(MEMBERS_CONTENT_TYPE) {
            self.set_members(flow, request, &envelope.caller());
            return;
        }
        if !kind.eq_ignore_ascii_case(PUBLISH_CONTENT_TYPE) {
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
        let report = body.freeze();
        response.body = report.clone();
        self.send(flow, &response.into());
        self.events.extend(events);
        self.published(now, &key, &report);
    }
}

impl FrontEnd {
    /// Changes who may read a user's containers (MS-PRES 2.2.2.4).
    fn set_members(&mut self, flow: FlowId, request: &Request, user: &str) {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let presentity = self.publications.users.entry(user.to_owned()).or_default();
        let mut changed = presentity.containers.clone();
        for container in body.split("<container ").skip(1) {
            let (head, members) = container.split_once('>').unwrap_or((container, ""));
            let number = |name| attribute(head, name).and_then(|number| number.parse::<u32>().ok());
            let (Some(id), Some(version)) = (number("id"), number("version")) else {
                return self.refuse(
                    flow,
                    request,
                    Refusal::new(400, 0, "a container has no number or version"),
                );
            };
            let Some(id) = u16::try_from(id).ok().filter(|id| CONTAINERS.contains(id)) else {
                return self.refuse(flow, request, Refusal::new(400, 0, "there is no such container"));
            };
            let (held, list) = changed.entry(id).or_default();
            if *held != version {
                return self.refuse(
                    flow,
                    request,
                    Refusal::new(409, 2044, "the container has another version"),
                );
            }
            *held += 1;
            let members = members.split("</container>").next().unwrap_or_default();
            for member in members.split("<member ").skip(1) {
                let get = |name| attribute(member, name).unwrap_or_default().to_owned();
                let who = (get("type"), get("value"));
                if get("action") == "remove" {
                    list.remove(&who)
                } else {
                    list.insert(who)
                };
            }
        }
        if let Some(presentity) = self.publications.users.get_mut(user) {
            presentity.containers = changed;
        }
        let response = self.answer(request, 200);
        self.send(flow, &response.into());
    }
}

/// The value of an attribute in the text of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.split('>').next()?;
    let value = tag.split_once(&format!("{name}="))?.1;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

const MEMBERS_CONTENT_TYPE: &str = "application/msrtc-setcontainermembers+xml";

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
