//! What the server holds of an endpoint, as far as we know.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::category::{CategoryReport, Content, ExpireType};
use crate::instance::Instances;

/// What tells a publication from others, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) instance: u32,
    pub(super) container: u16,
    pub(super) expire_type: ExpireType,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    version: u32,
    /// `None`: the server holds something that is not ours, or nothing of which the version is known.
    content: Option<Content<'static>>,
    present: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Held {
    entries: BTreeMap<Key, Entry>,
}

impl Held {
    pub(super) fn version(&self, key: &Key) -> u32 {
        self.entries.get(key).map_or(0, |entry| entry.version)
    }

    /// Whether the server is to be told.
    pub(super) fn differs(&self, key: &Key, content: Option<&Content<'_>>) -> bool {
        match (self.entries.get(key), content) {
            (None, content) => content.is_some(),
            (Some(entry), None) => entry.present,
            (Some(entry), Some(content)) => !entry.present || entry.content.as_ref() != Some(content),
        }
    }

    /// Without a report the server counts as we do.
    pub(super) fn accepted(&mut self, key: Key, content: Option<Content<'static>>) {
        let version = self.version(&key).saturating_add(1);
        if content.is_none() {
            self.entries.remove(&key);
        } else {
            self.entries.insert(key, Entry { version, content, present: true });
        }
    }

    /// The version that the server has: of what was there before nothing is known any more, and it must be told again.
    pub(super) fn correct(&mut self, key: &Key, version: u32) {
        self.entries.insert(*key, Entry { version, content: None, present: version > 0 });
    }

    /// What was bound to an earlier registration is gone.
    pub(super) fn forget_endpoint(&mut self) {
        self.entries.retain(|key, _| key.expire_type != ExpireType::Endpoint);
    }

    /// Forgets what the server does not hold any more, and says whether there was anything: a report lists all of every name that
    /// occurs in it. What outlives the endpoint is not ours to restore.
    pub(super) fn forget_gone(&mut self, report: &CategoryReport<'_>) -> bool {
        let mut lost = false;
        self.entries.retain(|key, entry| {
            let mut named = report.categories.iter().filter(|held| held.name == key.name).peekable();
            let unlisted = named.peek().is_some()
                && !named.any(|held| held.instance == key.instance && held.container == key.container);
            let gone = |(name, container): &(Cow<'_, str>, Option<u16>)| {
                name == key.name && container.is_none_or(|container| container == key.container)
            };
            let gone = unlisted || report.gone.iter().any(gone);
            let kept = key.expire_type != ExpireType::Endpoint || !gone;
            lost |= !kept && entry.present;
            kept
        });
        lost
    }

    /// Takes the versions of the endpoint's own publications over, and finds what an earlier run has left.
    pub(super) fn learn(&mut self, report: &CategoryReport<'_>, instances: Instances) {
        for category in &report.categories {
            let name = match &*category.name {
                "state" if category.instance == instances.machine_state() => "state",
                "state" if category.instance == instances.phone_state() => "state",
                "device" if category.instance == instances.device() => "device",
                // The user's own state is the user's: of it only the version matters, and only if we publish it ourselves.
                "state" if category.instance == crate::instance::USER_STATE => {
                    for (key, entry) in &mut self.entries {
                        if key.instance == category.instance && key.container == category.container {
                            entry.version = category.version;
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            let key = Key {
                name,
                instance: category.instance,
                container: category.container,
                expire_type: category.expire_type,
            };
            if category.expires == Some(0) {
                self.entries.remove(&key);
                continue;
            }
            // Servers may write the same content in other words: ours counts as long as nobody else has written since.
            let known =
                self.entries.get(&key).filter(|entry| entry.version == category.version && entry.present);
            let content = known.map_or_else(|| comparable(&category.content), |entry| entry.content.clone());
            self.entries.insert(key, Entry { version: category.version, content, present: true });
        }
    }
}

/// A content that can be compared with ours; nothing when the report does not say.
fn comparable(content: &Content<'_>) -> Option<Content<'static>> {
    match content {
        Content::Nothing => None,
        content => Some(content.clone().into_owned()),
    }
}
