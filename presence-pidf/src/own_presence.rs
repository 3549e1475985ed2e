//! What a server holds of a user, kept current: versions, containers, watchers, messages that wait.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::category::{
    CategoryInstance, Container, Content, MemberKind, MessageWaiting, RoamingData, Subscriber,
};
use crate::error::{Error, Limits, Rule};
use crate::rlmi::same_address;
use crate::xml::{BLANKS, Namespace, Reader};

/// What tells a publication of a user from others: name, container, instance.
type Key = (String, u16, u32);

/// What a server holds of a user.
///
/// MS-PRES 3.2.5 (self subscription)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct OwnPresence {
    uri: String,
    categories: BTreeMap<Key, CategoryInstance<'static>>,
    containers: BTreeMap<u16, Container>,
    subscribers: Vec<Subscriber>,
    reported_messages: Option<MessageWaiting>,
    events: VecDeque<OwnEvent>,
}

/// What the owner learns.
///
/// MS-PRES 3.2.5 (self subscription)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OwnEvent {
    /// Other messages wait than before.
    Messages(MessageWaiting),
    /// Somebody watches of whom the user does not know yet. A handset does not take notice for its user: another client may ask.
    Watcher(Subscriber),
}

impl OwnPresence {
    /// Of a user of whom nothing is known yet.
    ///
    /// MS-PRES 3.2.5 (self subscription)
    #[must_use]
    pub fn new(uri: &str) -> Self {
        Self { uri: uri.to_owned(), ..Self::default() }
    }

    /// Takes a notification, or the body of an answer. Categories of another user are passed over.
    ///
    /// MS-PRES 2.2.2.6, 3.2.5
    pub fn take(&mut self, data: RoamingData<'_>) {
        if let Some(report) = data.categories.filter(|report| same_address(&report.uri, &self.uri)) {
            // Of every name that occurs, everything known before is dropped: the list is complete.
            let named: BTreeSet<&str> = report.categories.iter().map(|category| &*category.name).collect();
            self.categories.retain(|(name, container, _), _| {
                let gone = |(gone, of): &(Cow<'_, str>, Option<u16>)| {
                    *gone == *name && of.is_none_or(|of| of == *container)
                };
                !named.contains(name.as_str()) && !report.gone.iter().any(gone)
            });
            for category in report.categories {
                let key = (category.name.to_string(), category.container, category.instance);
                if category.expires != Some(0) && self.categories.len() < CATEGORIES_MAX {
                    self.categories.insert(key, category.into_owned());
                }
            }
            self.report_messages();
        }
        if let Some(containers) = data.containers {
            // Those that are listed replace what was known of them.
            for container in containers {
                if self.containers.len() < CATEGORIES_MAX || self.containers.contains_key(&container.id) {
                    self.containers.insert(container.id, container);
                }
            }
        }
        if let Some(subscribers) = data.subscribers {
            self.take_subscribers(subscribers);
        }
    }

    fn take_subscribers(&mut self, subscribers: Vec<Subscriber>) {
        let address = |subscriber: &Subscriber| subscriber.user.trim().to_ascii_lowercase();
        let known = self.subscribers.iter().map(address);
        let mut known: BTreeMap<String, usize> = known.zip(0..).collect();
        for subscriber in subscribers {
            let at = known.entry(address(&subscriber)).or_insert(self.subscribers.len());
            if let Some(held) = self.subscribers.get_mut(*at) {
                *held = subscriber;
            } else if self.subscribers.len() < CATEGORIES_MAX {
                if !subscriber.acknowledged {
                    self.events.push_back(OwnEvent::Watcher(subscriber.clone()));
                }
                self.subscribers.push(subscriber);
            }
        }
    }

    /// What has happened.
    ///
    /// MS-PRES 3.2.5 (self subscription)
    pub fn poll_event(&mut self) -> Option<OwnEvent> {
        self.events.pop_front()
    }

    /// A publication that is held.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn category(&self, name: &str, container: u16, instance: u32) -> Option<&CategoryInstance<'static>> {
        self.categories.get(&(name.to_owned(), container, instance))
    }

    /// All publications that are held.
    ///
    /// MS-PRES 2.2.2.6
    pub fn categories(&self) -> impl Iterator<Item = &CategoryInstance<'static>> {
        self.categories.values()
    }

    /// A container, if the server has told of it.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn container(&self, id: u16) -> Option<&Container> {
        self.containers.get(&id)
    }

    /// Whether any container has a member of that kind.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn has_member(&self, kind: &MemberKind) -> bool {
        self.containers.values().flat_map(|container| &container.members).any(|member| member.kind == *kind)
    }

    /// Who watches.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn subscribers(&self) -> &[Subscriber] {
        &self.subscribers
    }

    /// How many messages wait, if the server knows.
    ///
    /// MS-PRES 2.2.2.7 (mwi)
    #[must_use]
    pub fn messages(&self) -> Option<MessageWaiting> {
        self.categories.values().find_map(|category| match category.content {
            Content::MessageWaiting(messages) => Some(messages),
            _ => None,
        })
    }

    fn report_messages(&mut self) {
        let messages = self.messages();
        if messages != self.reported_messages {
            self.reported_messages = messages;
            self.events.push_back(OwnEvent::Messages(messages.unwrap_or_default()));
        }
    }
}

/// Whether a user's presence is for contacts alone. `None` when the body does not say.
///
/// MS-PRES 3.2 (privacy mode), MS-SIPREGE 2.2 (provisioning)
pub fn privacy_mode(body: &[u8]) -> Result<Option<bool>, Error> {
    let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
    let root = reader.root()?;
    if root.local != "provisionGroupList"
        || !matches!(root.namespace, Namespace::Provisioning | Namespace::None)
    {
        return Err(reader.broken(Rule::Root));
    }
    let mut found = None;
    while let Some(group) = reader.child()? {
        let wanted = group.local == "provisionGroup"
            && reader.attribute("name").is_some_and(|name| name.starts_with("presencePolicy"));
        if wanted {
            read_policy(&mut reader, &mut found)?;
        } else {
            reader.skip()?;
        }
    }
    reader.finish()?;
    Ok(found)
}

/// The policy stands in an element of its name, or in a property of an instance.
fn read_policy(reader: &mut Reader<'_>, found: &mut Option<bool>) -> Result<(), Error> {
    while let Some(child) = reader.child()? {
        let name = reader.attribute("name").unwrap_or_default();
        if child.local == "instance" {
            read_policy(reader, found)?;
        } else if child.local.eq_ignore_ascii_case(PRIVACY) || name.eq_ignore_ascii_case(PRIVACY) {
            let text = reader.text()?;
            *found = Some(matches!(text.trim_matches(BLANKS).to_ascii_lowercase().as_str(), "true" | "1"));
        } else {
            reader.skip()?;
        }
    }
    Ok(())
}

const PRIVACY: &str = "EnablePrivacyMode";
/// Most publications, containers and watchers that are remembered of a user.
const CATEGORIES_MAX: usize = 2000;
