//! The users of an endpoint and how requests find them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Endpoint;
use super::credentials::Authentication;
use super::vocabulary::{SessionId, User, UserId};
use crate::flow::FlowId;
use crate::gruu::InstanceId;
use crate::headers::{HeaderName, NameAddr, NameAddrView};
use crate::message::Request;
use crate::register;
use crate::transaction::ClientId;
use crate::uri::SipUri;

/// One user with its registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: User,
    pub(super) instance: InstanceId,
    /// `ms-opaque` of our contact.
    pub(super) opaque: Box<str>,
    /// Where requests of this user go.
    pub(super) flow: Option<FlowId>,
    pub(super) gruu: Option<SipUri>,
    pub(super) registration: Registration,
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) authentication: Authentication,
    /// The user was removed and is forgotten as soon as it is deregistered.
    pub(super) removed: bool,
}

/// What a registration needs between its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) state: register::State,
    pub(super) call_id: Box<str>,
    pub(super) tag: Box<str>,
    pub(super) cseq: u32,
    /// The expiry that is asked for; `None` leaves it to the server.
    pub(super) asked: Option<Duration>,
    /// Attempts that failed since the last success.
    pub(super) failures: u32,
    /// The REGISTER under way.
    pub(super) client: Option<ClientId>,
    /// The pause a server asked for.
    pub(super) retry_after: Option<Duration>,
    /// The last pause that was chosen.
    pub(super) pause: Duration,
    /// The expiry the server granted.
    pub(super) granted: Duration,
    /// How often in a row the server found the expiry too short.
    pub(super) lengthened: u8,
}

/// All users with the indices that lead to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    by_id: BTreeMap<UserId, Account>,
    by_opaque: BTreeMap<Box<str>, UserId>,
    /// Address of record and epid, both sides of the index ordered.
    by_address: BTreeMap<(Box<str>, Box<str>), UserId>,
    /// The epid alone: To of a call to a number names the endpoint by nothing else.
    by_epid: BTreeMap<Box<str>, UserId>,
    /// The `opaque` parameter of the GRUU.
    by_gruu: BTreeMap<(Box<str>, Box<str>), UserId>,
    by_flow: BTreeSet<(FlowId, UserId)>,
    next: u32,
}

impl Accounts {
    pub(super) fn add(&mut self, user: User, opaque: String, call_id: String, tag: String) -> UserId {
        self.next = self.next.wrapping_add(1);
        let id = UserId(self.next);
        let instance = InstanceId::from_epid(&user.epid);
        let address = address_key(&user.address_of_record);
        self.by_opaque.insert(opaque.as_str().into(), id);
        self.by_address.insert((address.clone(), user.epid.as_str().into()), id);
        self.by_epid.insert(user.epid.as_str().into(), id);
        self.by_gruu.insert((address, instance.opaque().into()), id);
        let registration = Registration {
            state: register::State::Unregistered,
            call_id: call_id.into(),
            tag: tag.into(),
            cseq: 0,
            asked: None,
            failures: 0,
            client: None,
            retry_after: None,
            pause: Duration::ZERO,
            granted: Duration::ZERO,
            lengthened: 0,
        };
        let gruu = user.service.clone();
        let account = Account {
            user,
            instance,
            opaque: opaque.into(),
            flow: None,
            gruu,
            registration,
            sessions: BTreeSet::new(),
            authentication: Authentication::default(),
            removed: false,
        };
        self.by_id.insert(id, account);
        id
    }

    pub(super) fn remove(&mut self, id: UserId) {
        let Some(account) = self.by_id.remove(&id) else { return };
        let address = address_key(&account.user.address_of_record);
        remove_if(&mut self.by_opaque, &account.opaque, id);
        remove_if(&mut self.by_address, &(address.clone(), account.user.epid.as_str().into()), id);
        remove_if(&mut self.by_epid, &account.user.epid.as_str().into(), id);
        remove_if(&mut self.by_gruu, &(address, account.instance.opaque().into()), id);
        if let Some(flow) = account.flow {
            self.by_flow.remove(&(flow, id));
        }
    }

    pub(super) fn get(&self, id: UserId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: UserId) -> Option<&mut Account> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Leads the requests of a user over a flow, or over none.
    pub(super) fn set_flow(&mut self, id: UserId, flow: Option<FlowId>) {
        let Some(account) = self.by_id.get_mut(&id) else { return };
        if account.flow == flow {
            return;
        }
        if let Some(before) = account.flow {
            self.by_flow.remove(&(before, id));
        }
        account.flow = flow;
        if let Some(flow) = flow {
            self.by_flow.insert((flow, id));
        }
    }

    /// The user a From or To names: by address of record and epid, by epid alone where the address is none of ours (a
    /// number that was called), else by address of record alone.
    pub(super) fn of_address(&self, address: &NameAddr) -> Option<UserId> {
        let key = address_key(address.sip_uri()?);
        if let Some(epid) = address.epid() {
            let known = self.by_address.get(&(key, epid.into()));
            return known.or_else(|| self.by_epid.get(epid)).copied();
        }
        let ((found, _), id) = self.by_address.range((key.clone(), "".into())..).next()?;
        (*found == key).then_some(*id)
    }

    /// A flow is gone, and the associations that were agreed on it.
    pub(super) fn flow_closed(&mut self, flow: FlowId) {
        for account in self.by_id.values_mut() {
            account.authentication.flow_closed(flow);
        }
    }

    /// The users whose requests go over a flow.
    pub(super) fn on_flow(&self, flow: FlowId) -> Vec<UserId> {
        self.by_flow.range((flow, UserId(0))..=(flow, UserId(u32::MAX))).map(|(_, id)| *id).collect()
    }

    /// The user a request is for: by our contact's key, by GRUU, by address of record and epid, at last by address of
    /// record alone.
    ///
    /// MS-SIPRE 3.1
    pub(super) fn of_request(&self, request: &Request) -> Option<UserId> {
        let to = request.headers.get(&HeaderName::To).and_then(|to| NameAddrView::parse(to).ok());
        let uri = request.uri.sip();
        if let Some(id) =
            uri.and_then(|uri| uri.parameter("ms-opaque")).and_then(|opaque| self.by_opaque.get(opaque))
        {
            return Some(*id);
        }
        if let Some(id) = uri.and_then(|uri| self.by_gruu.get(&(address_key(uri), uri.opaque()?.into()))) {
            return Some(*id);
        }
        let epid = to.and_then(NameAddrView::epid);
        let to = to.and_then(|to| to.sip_uri().ok()).map(|to| key_of(to.user(), to.host()));
        let keys = [to, uri.map(address_key)];
        for key in keys.iter().flatten() {
            if let Some(epid) = epid
                && let Some(id) = self.by_address.get(&(key.clone(), epid.into()))
            {
                return Some(*id);
            }
        }
        for key in keys.into_iter().flatten() {
            let mut of_address = self.by_address.range((key.clone(), "".into())..);
            if let Some(((found, _), id)) = of_address.next()
                && *found == key
            {
                return Some(*id);
            }
        }
        None
    }
}

impl Endpoint {
    /// Whether the Request-URI is one of this user: our contact, its GRUU, or its address of record.
    pub(super) fn is_addressed(&self, user: UserId, request: &Request) -> bool {
        let Some(account) = self.accounts.get(user) else { return false };
        let Some(uri) = request.uri.sip() else { return false };
        let ours = uri.parameter("ms-opaque").is_some_and(|opaque| opaque == &*account.opaque);
        let of_user = address_key(uri) == address_key(&account.user.address_of_record);
        // The server puts our own address there, with or without the name of the user.
        let at_us = uri.host().eq_ignore_ascii_case(&self.config.node_name) || uri.address().is_some();
        let named = uri.user().is_none_or(|name| {
            account.user.address_of_record.user().is_some_and(|own| own.eq_ignore_ascii_case(name))
        });
        ours || of_user || (at_us && named)
    }
}

fn remove_if<K: Ord>(index: &mut BTreeMap<K, UserId>, key: &K, id: UserId) {
    if index.get(key) == Some(&id) {
        index.remove(key);
    }
}

/// User and host without regard to the case of the host; Lync ignores that of the user, too.
fn address_key(uri: &SipUri) -> Box<str> {
    key_of(uri.user(), uri.host())
}

fn key_of(user: Option<&str>, host: &str) -> Box<str> {
    let user = user.unwrap_or_default();
    let mut key = String::with_capacity(user.len() + host.len() + 1);
    for part in [user, "@", host] {
        key.push_str(part);
    }
    key.make_ascii_lowercase();
    key.into()
}
