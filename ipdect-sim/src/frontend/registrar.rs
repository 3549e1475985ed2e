//! Who is registered where.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use sip_lync::SipUri;

use super::FlowId;

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

/// The location service.
#[derive(Clone, Debug, Default)]
pub(super) struct Registrar {
    bindings: BTreeMap<EndpointKey, Binding>,
}

impl Registrar {
    pub(super) fn register(&mut self, key: EndpointKey, binding: Binding) -> RegisterAction {
        let call_id = binding.call_id.clone();
        match self.bindings.insert(key, binding) {
            None => RegisterAction::Added,
            Some(before) if before.call_id == call_id => RegisterAction::Refreshed,
            Some(_) => RegisterAction::Fixed,
        }
    }

    pub(super) fn remove(&mut self, key: &EndpointKey) -> Option<Binding> {
        self.bindings.remove(key)
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
        let wanted = super::address::contact_key(uri);
        self.bindings.iter().find(|(_, binding)| super::address::contact_key(&binding.contact) == wanted)
    }

    /// Sets the connection of an endpoint that was dialled again.
    pub(super) fn flow_of(&mut self, key: &EndpointKey, flow: FlowId) {
        if let Some(binding) = self.bindings.get_mut(key) {
            binding.flow = Some(flow);
        }
    }

    /// A connection is gone: endpoints that can be reached over no other are removed and returned.
    pub(super) fn flow_lost(&mut self, flow: FlowId) -> Vec<(EndpointKey, Binding)> {
        for binding in self.bindings.values_mut() {
            if binding.dialable && binding.flow == Some(flow) {
                binding.flow = None;
            }
        }
        self.take(|binding| binding.flow == Some(flow))
    }

    /// Removes and returns what has expired.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<(EndpointKey, Binding)> {
        self.take(|binding| binding.until <= now)
    }

    /// When the next registration expires.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.bindings.values().map(|binding| binding.until).min()
    }

    /// How many endpoints are registered.
    pub(super) fn len(&self) -> usize {
        self.bindings.len()
    }

    fn take(&mut self, which: impl Fn(&Binding) -> bool) -> Vec<(EndpointKey, Binding)> {
        let keys: Vec<EndpointKey> =
            self.bindings.iter().filter(|(_, binding)| which(binding)).map(|(key, _)| key.clone()).collect();
        keys.into_iter().filter_map(|key| self.bindings.remove(&key).map(|binding| (key, binding))).collect()
    }
}
