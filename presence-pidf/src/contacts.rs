//! What a watcher knows of contacts, kept current by notifications.

use std::collections::BTreeMap;

use crate::availability::Class;
use crate::category::{Content, EventCategories, WatchedCategory};
use crate::date_time::DateTime;
use crate::pidf::{Basic, Presence};
use crate::rlmi::{ContactPresence, InstanceState, ListNotification, same_address};
use crate::rpid::{Activity, ActivityName};

/// What a watcher knows of its contacts.
///
/// MS-PRES 3.2.5 (contact subscription); RFC 4662 4.6
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Contacts {
    known: BTreeMap<String, BTreeMap<(String, u32), WatchedCategory<'static>>>,
    plain: BTreeMap<String, ContactState>,
    elsewhere: Vec<(String, Option<String>)>,
}

/// What is to be shown of a contact.
///
/// MS-PRES 2.2.2.7
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ContactState {
    /// The number.
    pub availability: Option<u32>,
    /// The token of the activity that counts.
    pub activity: Option<String>,
    /// When the contact was active last.
    pub last_active: Option<DateTime>,
    /// A remark.
    pub note: Option<String>,
    /// A name.
    pub display_name: Option<String>,
    /// Whether a machine answers there: it need not be watched.
    pub automaton: bool,
    /// Whether the contact can be spoken with but not written to.
    pub voice_only: bool,
}

impl ContactState {
    /// The class of the number.
    ///
    /// MS-PRES 2.2.2.7.4 (availability)
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.availability.map(Class::of)
    }
}

impl Contacts {
    /// Takes a notification about many contacts. Contacts that are not named, or whose part is missing, stay as they are.
    ///
    /// RFC 4662 4.6; MS-PRES 2.2.2.4
    pub fn take_list(&mut self, notification: ListNotification) {
        for resource in &notification.list.resources {
            for instance in &resource.instances {
                match instance.state {
                    InstanceState::Resubscribe if self.elsewhere.len() < CONTACTS_MAX => {
                        self.elsewhere.push((resource.uri.clone(), instance.pool.clone()));
                    }
                    InstanceState::Terminated => self.forget(&resource.uri),
                    InstanceState::Resubscribe | InstanceState::Active | InstanceState::Pending => {}
                }
            }
        }
        for contact in notification.contacts {
            match contact {
                ContactPresence::Categories(categories) => self.take(categories),
                ContactPresence::Pidf(presence) => self.take_pidf(&presence),
            }
        }
    }

    /// Takes what is told of one contact: named categories replace those known before.
    ///
    /// MS-PRES 2.2.2.5
    pub fn take(&mut self, categories: EventCategories<'_>) {
        let uri = categories.uri.to_ascii_lowercase();
        if self.known.len() >= CONTACTS_MAX && !self.known.contains_key(&uri) {
            return;
        }
        let known = self.known.entry(uri).or_default();
        for mut category in categories.into_owned().categories {
            let key = (category.name.to_string(), category.instance);
            if category.content == Content::Nothing {
                known.remove(&key);
                continue;
            }
            // An availability that cannot be understood leaves the former one.
            if let (Content::State(new), Some(Content::State(old))) =
                (&mut category.content, known.get(&key).map(|old| &old.content))
            {
                new.availability = new.availability.or(old.availability);
            }
            if known.len() < CATEGORIES_MAX || known.contains_key(&key) {
                known.insert(key, category);
            }
        }
    }

    /// Takes a plain presence document.
    ///
    /// RFC 3863 4.1
    pub fn take_pidf(&mut self, presence: &Presence<'_>) {
        let uri = presence.entity.to_ascii_lowercase();
        if self.plain.len() < CONTACTS_MAX || self.plain.contains_key(&uri) {
            self.plain.insert(uri, plain(presence));
        }
    }

    /// What is to be shown of a contact; `None` when nothing was told.
    ///
    /// MS-PRES 2.2.2.7
    #[must_use]
    pub fn state(&self, uri: &str) -> Option<ContactState> {
        let uri = uri.to_ascii_lowercase();
        let Some(known) = self.known.get(&uri) else { return self.plain.get(&uri).cloned() };
        let mut shown = ContactState::default();
        for category in known.values() {
            match &category.content {
                Content::State(state) => {
                    shown.availability = state.availability;
                    shown.activity =
                        state.activity().and_then(|activity| activity.token.as_deref()).map(str::to_owned);
                    shown.last_active = state.last_active;
                }
                Content::Note(note) => shown.note = note.bodies.first().map(|body| body.text.to_string()),
                Content::ContactCard(card) => {
                    shown.display_name =
                        card.display_name.as_deref().map(str::to_owned).or(shown.display_name);
                    shown.automaton |= card.automaton == Some(true);
                }
                Content::Services(services) => {
                    let can = |name: &str| {
                        let all = services.services.iter().flat_map(|service| &service.capabilities);
                        all.into_iter().any(|it| it.capability.name == name && it.capability.render)
                    };
                    shown.voice_only = can("voice") && !can("text");
                }
                _ => {}
            }
        }
        Some(shown)
    }

    /// A contact that must be subscribed to on its own, and the pool where, if it was named.
    ///
    /// MS-PRES 2.2.2.4 (resubscribe)
    pub fn poll_elsewhere(&mut self) -> Option<(String, Option<String>)> {
        (!self.elsewhere.is_empty()).then(|| self.elsewhere.remove(0))
    }

    fn forget(&mut self, uri: &str) {
        self.known.retain(|known, _| !same_address(known, uri));
        self.plain.retain(|known, _| !same_address(known, uri));
    }
}

/// The nearest number to what a plain document says.
fn plain(presence: &Presence<'_>) -> ContactState {
    let person = presence.person();
    let named = |wanted: ActivityName| {
        let lists = person.into_iter().flat_map(|person| &person.activities);
        lists.flat_map(|list| &list.activities).any(|activity| *activity == Activity::Named(wanted))
    };
    let (availability, activity) = match presence.basic() {
        Some(Basic::Closed) => (Some(18500), None),
        _ if named(ActivityName::OnThePhone) => (Some(6500), Some("on-the-phone")),
        _ if named(ActivityName::Meeting) => (Some(6500), Some("in-a-meeting")),
        _ if named(ActivityName::Busy) => (Some(6500), None),
        _ if named(ActivityName::Away) => (Some(15500), None),
        Some(Basic::Open) => (Some(3500), None),
        None => (None, None),
    };
    let notes = presence.tuples.iter().flat_map(|tuple| &tuple.notes);
    let note = person.into_iter().flat_map(|person| &person.notes).chain(&presence.notes).chain(notes).next();
    let caller = presence.caller.as_ref().or_else(|| person.and_then(|person| person.caller.as_ref()));
    ContactState {
        availability,
        activity: activity.map(str::to_owned),
        note: note.map(|note| note.text.to_string()),
        display_name: caller.and_then(|caller| caller.display_name.as_deref()).map(str::to_owned),
        ..ContactState::default()
    }
}

/// Most contacts.
const CONTACTS_MAX: usize = 5000;
/// Most categories of a contact.
const CATEGORIES_MAX: usize = 64;
