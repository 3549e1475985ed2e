//! Subscriptions: to a user's own data, and to contacts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;

use super::view::{Format, numbers, plain};
use super::{SubscriptionId, address, blank};
use crate::category::{Content, EventCategories, WatchedCategory};
use crate::error::{Error, Rule};
use crate::rlmi::{
    ContactPresence, InstanceState, ListNotification, Resource, ResourceInstance, ResourceList,
};
use crate::subscription::BatchSubscription;

/// A subscription of a user to itself.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) user: String,
    /// Which parts are asked for.
    pub(super) parts: Vec<String>,
    /// Whether the first, complete notification was fetched.
    pub(super) started: bool,
}

/// A subscription to others.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) watcher: String,
    format: Format,
    contacts: BTreeSet<String>,
    /// Names of categories that are wanted; all, if none is named.
    wanted: BTreeSet<String>,
    /// The next notification is about all contacts, in one list.
    listed: bool,
    version: u32,
    /// What was told last.
    told: BTreeMap<String, Vec<WatchedCategory<'static>>>,
}

impl Watch {
    pub(super) fn new(watcher: String, format: Format) -> Self {
        Self {
            watcher,
            format,
            contacts: BTreeSet::new(),
            wanted: BTreeSet::new(),
            listed: false,
            version: 0,
            told: BTreeMap::new(),
        }
    }

    pub(super) fn contacts(&self) -> BTreeSet<String> {
        self.contacts.clone()
    }

    /// Takes the body of a request.
    pub(super) fn take(&mut self, contact: &str, body: &[u8]) -> Result<(), Error> {
        if blank(body) {
            if self.contacts.is_empty() {
                self.contacts.insert(contact.to_owned());
            }
        } else {
            let batch = BatchSubscription::parse(body)?;
            let ends = batch.action.eq_ignore_ascii_case("unsubscribe");
            for named in batch.contacts {
                let contact = address(&named.uri);
                if !contact.contains('@') {
                    return Err(Error::Malformed { at: 0, rule: Rule::AttributeValue });
                }
                if ends {
                    self.contacts.remove(&contact);
                } else if self.contacts.len() < CONTACTS_MAX {
                    self.contacts.insert(contact);
                }
            }
            self.wanted.extend(batch.categories);
            self.listed = true;
        }
        // All that remain are told anew.
        self.told.clear();
        Ok(())
    }

    /// Leaves of what is seen only what the watcher wants and was not told yet.
    pub(super) fn only_changes(&self, seen: &mut BTreeMap<String, EventCategories<'static>>) {
        seen.retain(|contact, seen| {
            if !self.contacts.contains(contact) {
                return false;
            }
            if !self.wanted.is_empty() {
                seen.categories.retain(|category| self.wanted.contains(&*category.name));
            }
            let Some(told) = self.told.get(contact) else { return true };
            let same = |one: &WatchedCategory<'_>, other: &WatchedCategory<'_>| {
                one.name == other.name && one.instance == other.instance
            };
            let gone: Vec<WatchedCategory<'static>> = told
                .iter()
                .filter(|told| told.content != Content::Nothing)
                .filter(|told| !seen.categories.iter().any(|seen| same(seen, told)))
                .map(|told| WatchedCategory { content: Content::Nothing, ..told.clone() })
                .collect();
            let changed = |seen: &&WatchedCategory<'_>| {
                !told.iter().any(|told| same(told, seen) && told.content == seen.content)
            };
            let changed = !gone.is_empty() || seen.categories.iter().any(|seen| changed(&seen));
            seen.categories.extend(gone);
            changed
        });
    }

    /// Appends one notification and gives its content type; what it told is taken out.
    pub(super) fn notification(
        &mut self,
        seen: &mut BTreeMap<String, EventCategories<'static>>,
        id: SubscriptionId,
        out: &mut BytesMut,
    ) -> Option<String> {
        if std::mem::take(&mut self.listed) && self.format != Format::Presentity {
            return Some(self.list(std::mem::take(seen), id, out));
        }
        let (contact, told) = seen.pop_first()?;
        match self.format {
            Format::Categories => told.emit(out),
            Format::Presentity => numbers(&told).emit(out),
            Format::Pidf => plain(&told).emit(out),
        }
        self.told.insert(contact, told.categories);
        Some(self.format.content_type().to_owned())
    }

    /// All contacts in one body.
    fn list(
        &mut self,
        seen: BTreeMap<String, EventCategories<'static>>,
        id: SubscriptionId,
        out: &mut BytesMut,
    ) -> String {
        let resource = |contact: &String| Resource {
            uri: format!("sip:{contact}"),
            names: Vec::new(),
            instances: vec![ResourceInstance {
                id: "0".to_owned(),
                state: InstanceState::Active,
                reason: None,
                content_id: None,
                pool: None,
            }],
        };
        let list = ResourceList {
            uri: format!("sip:{}", self.watcher),
            version: self.version,
            full_state: true,
            resources: self.contacts.iter().map(resource).collect(),
        };
        self.version = self.version.wrapping_add(1);
        let contacts = seen
            .into_iter()
            .map(|(contact, seen)| {
                self.told.insert(contact, seen.categories.clone());
                match self.format {
                    Format::Categories | Format::Presentity => ContactPresence::Categories(seen),
                    Format::Pidf => ContactPresence::Pidf(plain(&seen)),
                }
            })
            .collect();
        let boundary = format!("presence-{}-{}", id.0, self.version);
        ListNotification { list, contacts }.emit(&boundary, out)
    }
}

/// Most contacts of one subscription.
const CONTACTS_MAX: usize = 1000;
