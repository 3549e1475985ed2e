//! The presence of a user with several handsets: each publishes its own, and together they are one.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::handset_presence::{Event, HandsetPresence, PresenceConfig};
use crate::publication::Publication;
use crate::state::Phase;

/// The owner's name of a handset.
///
/// docs/states/handset-presence.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandsetKey(pub u32);

/// What the owner learns.
///
/// docs/states/handset-presence.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserEvent {
    /// This is to be published for the endpoint of a handset, in place of what was before.
    Handset(HandsetKey, Publication),
    /// This is what all handsets are together: for plain presence, which knows one document of a user.
    User(Publication),
}

/// The presence of a user with several handsets.
///
/// Every handset is an endpoint of its own, and its calls are told to its own [`HandsetPresence`]. A server that aggregates takes
/// the most active one, and so does [`state`](Self::state): the user is in a call while any handset is, and the time since the
/// last call counts from the end of the last one of all.
///
/// docs/states/handset-presence.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserPresence {
    config: PresenceConfig,
    handsets: BTreeMap<HandsetKey, HandsetPresence>,
    /// Handsets that are gone and whose publications are still to be deleted.
    gone: Vec<HandsetKey>,
    reported: Option<Publication>,
}

impl UserPresence {
    /// A user without handsets.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn new(config: PresenceConfig) -> Self {
        Self { config, handsets: BTreeMap::new(), gone: Vec::new(), reported: None }
    }

    /// The user has one more handset; it is away.
    ///
    /// docs/states/handset-presence.md
    pub fn add(&mut self, now: Instant, handset: HandsetKey) {
        self.handle_timeout(now);
        let config = self.config.clone();
        self.handsets.entry(handset).or_insert_with(|| HandsetPresence::new(now, config));
        self.gone.retain(|gone| *gone != handset);
    }

    /// A handset was unsubscribed: what it published is deleted.
    ///
    /// docs/states/handset-presence.md
    pub fn remove(&mut self, now: Instant, handset: HandsetKey) {
        self.handle_timeout(now);
        if self.handsets.remove(&handset).is_some() {
            self.gone.push(handset);
        }
    }

    /// A handset, to be told what it does.
    ///
    /// docs/states/handset-presence.md
    pub fn handset(&mut self, handset: HandsetKey) -> Option<&mut HandsetPresence> {
        self.handsets.get_mut(&handset)
    }

    /// Lets time pass until `now`.
    ///
    /// docs/states/handset-presence.md
    pub fn handle_timeout(&mut self, now: Instant) {
        for handset in self.handsets.values_mut() {
            handset.handle_timeout(now);
        }
    }

    /// What is to be published: first of the handsets, then of the user, each if it differs from what was reported last.
    ///
    /// docs/states/handset-presence.md
    pub fn poll_event(&mut self) -> Option<UserEvent> {
        if let Some(gone) = self.gone.pop() {
            return Some(UserEvent::Handset(gone, Publication::of(Phase::Removed)));
        }
        for (key, handset) in &mut self.handsets {
            if let Some(Event::Changed(publication)) = handset.poll_event() {
                return Some(UserEvent::Handset(*key, publication));
            }
        }
        let publication = self.publication();
        if self.reported.as_ref() == Some(&publication) {
            return None;
        }
        self.reported = Some(publication.clone());
        Some(UserEvent::User(publication))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.handsets.values().filter_map(HandsetPresence::poll_timeout).min()
    }

    /// The phase of the most active handset; removed, if there is none.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn state(&self) -> Phase {
        self.publication().phase
    }

    /// What all handsets are together.
    ///
    /// docs/states/handset-presence.md
    #[must_use]
    pub fn publication(&self) -> Publication {
        Publication::together(self.handsets.values().map(HandsetPresence::publication))
    }
}
