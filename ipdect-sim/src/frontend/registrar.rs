//! Who is registered where.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use sip_lync::SipUri;
use sip_lync::headers::NameAddr;

use super::FlowId;
use super::address::{ContactKey, contact_key};

/// How an endpoint of a user is told from others: its instance, else its epid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EndpointKey {
    /// `user@domain` in lower case.
    pub user: String,
    /// The UUID of `+sip.instance` in lower case; derived from the epid where there is none.
    pub instance: String,
}

/// One registered endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    /// Where requests go: the registered contact, its address replaced where `proxy=replace` asked for it.
    pub contact: SipUri,
    pub epid: Option<String>,
    /// The token of the GRUU, where the endpoint supports it.
    pub token: Option<String>,
    /// The connection it registered over, while that is open.
    pub flow: Option<FlowId>,
    /// Whether its contact can be dialled: a trusted server's listener.
    pub dialable: bool,
    pub call_id: String,
    pub expires: Duration,
    pub until: Instant,
    /// When it registered or refreshed last.
    pub since: Instant,
    /// From and To of what the endpoint is told about its registration, and the number of the last message.
    pub us: NameAddr,
    pub them: NameAddr,
    pub number: u32,
}

/// What a REGISTER came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegisterAction {
    Added,
    Refreshed,
    /// Known, but from another Call-ID: an endpoint that started again.
    Fixed,
}

impl RegisterAction {
    pub(super) fn token(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Refreshed => "refreshed",
            Self::Fixed => "fixed",
        }
    }
}

/// The location service, and where else an endpoint is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Registrar {
    bindings: BTreeMap<EndpointKey, Binding>,
    deadlines: BTreeSet<(Instant, EndpointKey)>,
    contacts: BTreeMap<ContactKey, EndpointKey>,
    flows: BTreeSet<(FlowId, EndpointKey)>,
}

impl Registrar {
    pub(super) fn register(&mut self, key: EndpointKey, mut binding: Binding) -> RegisterAction {
        let before = self.remove(&key);
        let action = match &before {
            None => RegisterAction::Added,
            Some(before) if before.call_id == binding.call_id => RegisterAction::Refreshed,
            Some(_) => RegisterAction::Fixed,
        };
        if let (RegisterAction::Refreshed, Some(before)) = (action, before) {
            // What the endpoint was told is counted on.
            binding.number = before.number;
        }
        self.insert(key, binding);
        action
    }

    fn insert(&mut self, key: EndpointKey, binding: Binding) {
        self.deadlines.insert((binding.until, key.clone()));
        self.contacts.insert(contact_key(&binding.contact), key.clone());
        if let Some(flow) = binding.flow {
            self.flows.insert((flow, key.clone()));
        }
        self.bindings.insert(key, binding);
    }

    pub(super) fn remove(&mut self, key: &EndpointKey) -> Option<Binding> {
        let binding = self.bindings.remove(key)?;
        self.deadlines.remove(&(binding.until, key.clone()));
        let contact = contact_key(&binding.contact);
        if self.contacts.get(&contact) == Some(key) {
            self.contacts.remove(&contact);
        }
        if let Some(flow) = binding.flow {
            self.flows.remove(&(flow, key.clone()));
        }
        Some(binding)
    }

    pub(super) fn get(&self, key: &EndpointKey) -> Option<&Binding> {
        self.bindings.get(key)
    }

    /// The next number of a message to the endpoint about its registration.
    pub(super) fn next_number(&mut self, key: &EndpointKey) -> u32 {
        let Some(binding) = self.bindings.get_mut(key) else { return 1 };
        binding.number = binding.number.wrapping_add(1);
        binding.number
    }

    /// All endpoints.
    pub(super) fn all(&self) -> impl Iterator<Item = (&EndpointKey, &Binding)> {
        self.bindings.iter()
    }

    /// All endpoints of a user.
    pub(super) fn of_user<'a>(
        &'a self,
        user: &'a str,
    ) -> impl Iterator<Item = (&'a EndpointKey, &'a Binding)> {
        let first = EndpointKey { user: user.to_owned(), instance: String::new() };
        self.bindings.range(first..).take_while(move |(key, _)| key.user == user)
    }

    /// The endpoint that a GRUU names.
    pub(super) fn of_token<'a>(
        &'a self,
        user: &'a str,
        token: &str,
    ) -> Option<(&'a EndpointKey, &'a Binding)> {
        self.of_user(user).find(|(_, binding)| binding.token.as_deref() == Some(token))
    }

    /// The endpoint whose registered contact this is.
    pub(super) fn of_contact(&self, uri: &SipUri) -> Option<(&EndpointKey, &Binding)> {
        let key = self.contacts.get(&contact_key(uri))?;
        self.bindings.get_key_value(key)
    }

    /// Sets the connection of an endpoint that was dialled again.
    pub(super) fn flow_of(&mut self, key: &EndpointKey, flow: FlowId) {
        if let Some(mut binding) = self.remove(key) {
            binding.flow = Some(flow);
            self.insert(key.clone(), binding);
        }
    }

    /// A connection is gone: endpoints that can be reached over no other are removed and returned.
    pub(super) fn flow_lost(&mut self, flow: FlowId) -> Vec<(EndpointKey, Binding)> {
        let first = EndpointKey { user: String::new(), instance: String::new() };
        let of_flow = self.flows.range((flow, first)..).take_while(|(of, _)| *of == flow);
        let keys: Vec<EndpointKey> = of_flow.map(|(_, key)| key.clone()).collect();
        let mut gone = Vec::new();
        for key in keys {
            let Some(mut binding) = self.remove(&key) else { continue };
            if binding.dialable {
                binding.flow = None;
                self.insert(key, binding);
            } else {
                gone.push((key, binding));
            }
        }
        gone
    }

    /// Removes and returns what has expired.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<(EndpointKey, Binding)> {
        let due = self.deadlines.iter().take_while(|(until, _)| *until <= now);
        let keys: Vec<EndpointKey> = due.map(|(_, key)| key.clone()).collect();
        keys.into_iter().filter_map(|key| self.remove(&key).map(|binding| (key, binding))).collect()
    }

    /// When the next registration expires.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// How many endpoints are registered.
    pub(super) fn len(&self) -> usize {
        self.bindings.len()
    }
}
