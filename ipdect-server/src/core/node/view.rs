//! The node as the status page shows it.

use std::collections::BTreeMap;
use std::time::Instant;

use presence_pidf::{Phase, Publication};

use super::super::proxies::Way;
use super::super::status::{CallStatus, ChannelStatus, HandsetStatus, ProxyStatus, Status};
use super::super::subscriber::{Registration, Subscriber};
use super::Node;
use crate::config;

impl Node {
    /// A snapshot.
    pub fn status(&self, now: Instant) -> Status {
        Status {
            node: self.configuration.network.hostname.clone(),
            uptime_ms: self.at_ms(now),
            proxies: self.proxies(),
            base_stations: self.radio.status(),
            handsets: self.handsets(now),
            calls: self.calls.values().map(|call| self.call_status(now, call)).collect(),
            channels: ChannelStatus { total: self.channels.total(), in_use: self.channels.in_use() },
            subscription: match (self.configuration.radio.subscription, self.window_until) {
                (config::Subscription::Listed, _) => "listed".into(),
                (config::Subscription::Open, _) => "open".into(),
                (config::Subscription::Window, Some(until)) => {
                    format!("window, {} s left", until.saturating_duration_since(now).as_secs())
                }
                (config::Subscription::Window, None) => "window, closed".into(),
            },
        }
    }

    /// Connections, bearers and calls that exist: nothing is left of an ended call.
    pub fn load(&self) -> Load {
        let (connections, bearers) = self.radio.load();
        Load { connections, bearers, calls: self.calls.len(), channels: self.channels.in_use() }
    }

    fn proxies(&self) -> Vec<ProxyStatus> {
        let listed = self.configuration.sip.proxies.iter().zip(&self.proxy_failures).enumerate();
        listed
            .map(|(index, (proxy, failure))| {
                let is_there = |way: Option<Way>| way.is_some_and(|way| way.proxy == index);
                let (state, detail) = if is_there(self.proxies.home()) {
                    let peer = self.home.as_ref().map(|(_, name)| name.clone());
                    ("connected", peer.unwrap_or_default())
                } else if is_there(self.proxies.dialling()) || is_there(self.proxies.trial()) {
                    ("connecting", failure.clone())
                } else if failure.is_empty() {
                    ("idle", String::new())
                } else {
                    ("failed", failure.clone())
                };
                ProxyStatus { uri: proxy.uri.to_string(), state: state.into(), detail }
            })
            .collect()
    }

    fn handsets(&self, now: Instant) -> Vec<HandsetStatus> {
        let mut of_users: BTreeMap<String, Vec<Publication>> = BTreeMap::new();
        for subscriber in self.subscribers.iter() {
            let user = subscriber.address.to_ascii_lowercase();
            of_users.entry(user).or_default().push(subscriber.presence.publication());
        }
        let together: BTreeMap<String, Publication> =
            of_users.into_iter().map(|(user, all)| (user, Publication::together(all))).collect();
        let shown = |subscriber: &Subscriber| {
            let user = together.get(&subscriber.address.to_ascii_lowercase()).map(|together| together.phase);
            Self::handset(now, subscriber, user.unwrap_or_else(|| subscriber.presence.state()))
        };
        self.subscribers.iter().map(shown).collect()
    }

    fn handset(now: Instant, subscriber: &Subscriber, user: Phase) -> HandsetStatus {
        let (registered, gruu) = match &subscriber.registration {
            Registration::Up { gruu } => (true, gruu.clone()),
            _ => (false, None),
        };
        let (state, detail) = if subscriber.user.disabled {
            ("disabled", String::new())
        } else if subscriber.portable.is_none() {
            ("not subscribed", String::new())
        } else if !subscriber.located {
            ("out of range", String::new())
        } else {
            match &subscriber.registration {
                Registration::Up { .. } if !subscriber.calls.is_empty() => ("in a call", String::new()),
                Registration::Up { .. } => ("registered", String::new()),
                Registration::Failed(why) => ("failed", why.clone()),
                Registration::Unwanted
                | Registration::Wanted
                | Registration::Pending
                | Registration::Withdrawing => ("registering", String::new()),
            }
        };
        HandsetStatus {
            ipei: subscriber.user.ipei.text().to_owned(),
            username: subscriber.user.username.clone(),
            display_name: subscriber.user.display_name.clone(),
            subscribed: subscriber.portable.is_some(),
            located: subscriber.located,
            registered,
            gruu,
            state: state.into(),
            detail,
            presence: format!("{:?}", subscriber.presence.state()),
            user_presence: format!("{user:?}"),
            base: subscriber.base.clone(),
            last_seen_ms: subscriber
                .heard
                .map(|heard| now.saturating_duration_since(heard).as_millis() as u64),
        }
    }

    fn call_status(&self, now: Instant, call: &super::Call) -> CallStatus {
        let handset = self.subscribers.get(call.subscriber);
        let peer = if call.peer.name.is_empty() { &call.peer.uri } else { &call.peer.name };
        CallStatus {
            id: call.id,
            handset: handset.map(|subscriber| subscriber.user.username.clone()).unwrap_or_default(),
            peer: if peer.is_empty() { call.dialled.clone() } else { peer.clone() },
            direction: call.direction.name().into(),
            state: call.state().into(),
            since_ms: now.saturating_duration_since(call.since).as_millis() as u64,
            codec: super::media::codec_name(call.remote.as_ref().map(|remote| remote.codec)),
            srtp: call.agreed.as_ref().and_then(srtp_sdes::Agreed::suite_name).map(str::to_owned),
            way: call.way.found(),
        }
    }
}

/// What exists now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// DECT connections.
    pub connections: usize,
    /// Speech bearers.
    pub bearers: usize,
    /// Calls.
    pub calls: usize,
    /// Channels in use.
    pub channels: usize,
}
