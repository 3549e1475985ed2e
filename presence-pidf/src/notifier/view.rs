//! What a watcher may see of a user, and in which format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::presentity::{EXTERNAL, Presentity};
use crate::aggregate::for_federated;
use crate::availability::Class;
use crate::category::{
    AggregatedCapability, CategoryInstance, Container, Content, EVENT_CONTENT_TYPE, EventCategories,
    FIRST_AGGREGATION, MemberKind, SECOND_AGGREGATION, Service, ServicesCategory, StateCategory, StateKind,
    WatchedCategory,
};
use crate::data_model::Person;
use crate::instance::Instances;
use crate::msrtc::{self, Presentity as Numbers};
use crate::pidf::{self, Basic, Note, Presence, Status, Tuple};
use crate::rpid::{Activities, ActivityName};

/// In which format a watcher is told.
///
/// MS-PRES 1.3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Categories of enhanced presence.
    Categories,
    /// The numbers of Communicator 2005.
    Presentity,
    /// Plain presence.
    Pidf,
}

impl Format {
    /// The format for a watcher that accepts those content types: always the richest, whatever their order. Names compare
    /// without case, and preferences (`q`) play no part. A watcher that says nothing gets plain presence. `None`: status 406.
    ///
    /// MS-PRES 1.3.3; RFC 3856 6.7
    #[must_use]
    pub fn of<'a>(accepted: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let accepted: Vec<&str> = accepted.into_iter().collect();
        if accepted.is_empty() {
            return Some(Self::Pidf);
        }
        let accepts = |wanted: &&Self| {
            let any = |text: &&str| text.split(';').next().unwrap_or_default().trim() == "*/*";
            accepted.iter().any(|text| crate::rlmi::is_type(text, wanted.content_type()) || any(text))
        };
        [Self::Categories, Self::Presentity, Self::Pidf].iter().find(accepts).copied()
    }

    /// Its content type.
    ///
    /// MS-PRES 1.3.3
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Categories => EVENT_CONTENT_TYPE,
            Self::Presentity => msrtc::CONTENT_TYPE,
            Self::Pidf => pidf::CONTENT_TYPE,
        }
    }
}

/// The container from which a watcher sees a user, if there is one: its own address counts first, from the blocked to the
/// farthest, then its domain, then whether it is of the same company, then all others.
///
/// MS-PRES 3.1.1 (containers)
#[must_use]
pub fn level<'a>(
    container: impl Fn(u16) -> Option<&'a Container>,
    watcher: &str,
    own_domain: &str,
) -> Option<u16> {
    let domain = watcher.rsplit('@').next().unwrap_or_default();
    let same = |value: Option<&String>, wanted: &str| {
        value.is_some_and(|value| value.eq_ignore_ascii_case(wanted) || super::address(value) == wanted)
    };
    let colleague = domain.eq_ignore_ascii_case(own_domain);
    for step in 0..5 {
        for id in NEAREST {
            let members = container(id).map(|container| container.members.as_slice()).unwrap_or_default();
            let found = members.iter().any(|member| match (step, &member.kind) {
                (0, MemberKind::User) => same(member.value.as_ref(), watcher),
                (1, MemberKind::Domain) => same(member.value.as_ref(), domain),
                (2, MemberKind::SameEnterprise) => colleague,
                (3, MemberKind::Federated | MemberKind::PublicCloud) => !colleague,
                (4, MemberKind::Everyone) => true,
                _ => false,
            });
            if found {
                return Some(id);
            }
        }
    }
    None
}

/// What the devices of a user can do together: what any of them can. Of those that render a medium the one that wants to be
/// preferred is, otherwise the one whose machine is used most.
///
/// MS-PRES 2.2.2.7 (services)
#[must_use]
pub fn services<'a>(
    user: &str,
    publications: impl Iterator<Item = &'a CategoryInstance<'static>>,
) -> ServicesCategory<'static> {
    let mut machines: BTreeMap<u32, u32> = BTreeMap::new();
    let mut devices = Vec::new();
    for publication in publications.filter(|publication| publication.container == FIRST_AGGREGATION) {
        match &publication.content {
            Content::Device(device) => devices.push((publication.instance, device)),
            Content::State(StateCategory {
                kind: StateKind::Machine,
                availability: Some(availability),
                ..
            }) => {
                machines.insert(publication.instance, *availability);
            }
            _ => {}
        }
    }
    let machine = |device: u32| machines.get(&Instances::of_device(device).machine_state()).copied();
    devices.sort_by_key(|(at, device)| (!device.preferred, machine(*at).unwrap_or(u32::MAX)));
    let mut capabilities: BTreeMap<&str, AggregatedCapability<'static>> = BTreeMap::new();
    for (at, device) in devices {
        for capability in &device.capabilities {
            let aggregated = capabilities.entry(&capability.name).or_insert_with(|| AggregatedCapability {
                capability: crate::category::DeviceCapability {
                    name: capability.name.clone(),
                    capture: false,
                    render: false,
                    publish: false,
                },
                preferred_endpoint: None,
                device_availability: None,
            });
            let first = !aggregated.capability.render && capability.render;
            aggregated.capability.capture |= capability.capture;
            aggregated.capability.render |= capability.render;
            aggregated.capability.publish |= capability.publish;
            if first {
                aggregated.preferred_endpoint = Some(device.endpoint_id.clone());
                aggregated.device_availability = machine(at);
            }
        }
    }
    let capabilities = capabilities.into_values().collect();
    ServicesCategory { services: vec![Service { uri: format!("sip:{user}").into(), capabilities }] }
}

impl Presentity {
    /// What a watcher may see: what stands in its container, and the state that is made for it.
    pub(super) fn seen(&self, watcher: &str, user: &str, own_domain: &str) -> EventCategories<'static> {
        let own = watcher == user;
        let level = level(|id| self.container(id), watcher, own_domain);
        let level = if own { CLOSEST } else { level.unwrap_or(0) };
        let mut seen = EventCategories { uri: format!("sip:{user}").into(), categories: Vec::new() };
        let made = matches!(level, EXTERNAL | 200 | 300 | CLOSEST);
        for publication in self.publications().filter(|publication| publication.container == level) {
            if made && matches!(publication.content, Content::State(_) | Content::Services(_)) {
                continue;
            }
            seen.categories.push(WatchedCategory {
                name: publication.name.clone(),
                instance: publication.instance,
                publish_time: publication.publish_time,
                content: publication.content.clone(),
            });
        }
        let aggregation = if level == 300 { SECOND_AGGREGATION } else { FIRST_AGGREGATION };
        let mut state = match level {
            0 => return seen,
            BLOCKED if seen.state().is_some() => return seen,
            BLOCKED => StateCategory::aggregate(OFFLINE),
            _ => self.aggregated(aggregation).unwrap_or_else(|| StateCategory::aggregate(OFFLINE)),
        };
        if level == EXTERNAL {
            state = for_federated(&state);
        } else if level != BLOCKED {
            let gone = state.availability.map(Class::of).is_some_and(|class| class >= Class::Away);
            state.last_active = self.last_active.filter(|_| gone);
            let services = services(user, self.publications());
            if services.services.iter().any(|service| !service.capabilities.is_empty()) {
                seen.categories.push(WatchedCategory {
                    name: Cow::Borrowed("services"),
                    instance: 0,
                    publish_time: self.changed,
                    content: Content::Services(services),
                });
            }
        }
        seen.categories.push(WatchedCategory {
            name: Cow::Borrowed("state"),
            instance: 1,
            publish_time: self.changed.filter(|_| level != BLOCKED),
            content: Content::State(state),
        });
        seen
    }
}

/// The same in numbers.
pub(super) fn numbers(seen: &EventCategories<'_>) -> Numbers {
    let state = seen.state();
    let class = state.and_then(|state| state.availability).map_or(Class::Offline, Class::of);
    let on_the_phone = state.and_then(StateCategory::activity).and_then(|activity| activity.token.as_deref());
    let on_the_phone = matches!(on_the_phone, Some("on-the-phone" | "in-a-conference"));
    let (availability, activity) = match class {
        Class::Unset | Class::Offline => (0, 0),
        Class::Available => (300, 400),
        Class::AvailableIdle => (300, 200),
        Class::Busy | Class::BusyIdle if on_the_phone => (300, 500),
        Class::Busy | Class::BusyIdle | Class::DoNotDisturb => (300, 600),
        Class::BeRightBack => (300, 300),
        Class::Away => (300, 100),
    };
    Numbers {
        uri: seen.uri.to_string(),
        availability: Some(availability),
        activity: Some(activity),
        display_name: None,
    }
}

/// The same as plain presence: one tuple, and a person where there is something to say of one.
pub(super) fn plain(seen: &EventCategories<'_>) -> Presence<'static> {
    let state = seen.state();
    let class = state.and_then(|state| state.availability).map_or(Class::Offline, Class::of);
    let token = state.and_then(StateCategory::activity).and_then(|activity| activity.token.as_deref());
    let basic = match class {
        Class::Unset | Class::Offline => Basic::Closed,
        _ => Basic::Open,
    };
    let activities: &[ActivityName] = match (class, token) {
        (Class::Busy | Class::BusyIdle, Some("on-the-phone")) => &[ActivityName::OnThePhone],
        (Class::Busy | Class::BusyIdle, Some("in-a-conference")) => {
            &[ActivityName::OnThePhone, ActivityName::Meeting]
        }
        (Class::Busy | Class::BusyIdle, Some("in-a-meeting")) => &[ActivityName::Meeting],
        (Class::Busy | Class::BusyIdle | Class::DoNotDisturb, _) => &[ActivityName::Busy],
        (Class::BeRightBack | Class::Away, _) => &[ActivityName::Away],
        (Class::Unset | Class::Available | Class::AvailableIdle | Class::Offline, _) => &[],
    };
    let person = Person {
        id: Cow::Borrowed("user"),
        activities: vec![Activities::of(activities)],
        ..Person::default()
    };
    let notes = seen.categories.iter().filter_map(|category| match &category.content {
        Content::Note(note) => note.bodies.first(),
        _ => None,
    });
    let tuple = Tuple {
        id: Cow::Borrowed("lync"),
        status: Status { basic: Some(basic), ..Status::default() },
        ..Tuple::default()
    };
    Presence {
        entity: Cow::Owned(seen.uri.to_string()),
        tuples: vec![tuple],
        notes: notes.map(|body| Note { language: None, text: Cow::Owned(body.text.to_string()) }).collect(),
        persons: if activities.is_empty() { Vec::new() } else { vec![person] },
        ..Presence::default()
    }
}

/// Containers from the nearest to the farthest; whoever is blocked is so whatever else is said.
const NEAREST: [u16; 6] = [BLOCKED, CLOSEST, 300, 200, EXTERNAL, 0];
const CLOSEST: u16 = 400;
const BLOCKED: u16 = 32000;
const OFFLINE: u32 = 18500;
