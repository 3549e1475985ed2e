//! The registrar of a simulator or a test bench: who is registered where, and what a REGISTER is answered.
//!
//! An [`Endpoint`](crate::Endpoint) whose `Config::server` is on hands REGISTER out as a request; what
//! [`Registrar::register`] says of it goes back through `Endpoint::respond`:
//!
//! ```
//! use std::time::Instant;
//! use sip_lync::registrar::{Registrar, RegistrarConfig};
//! use sip_lync::{FlowId, Message, StatusCode};
//!
//! let text = "REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK1\r\n\
//!     From: <sip:jim@example.net>;tag=1;epid=01010101\r\nTo: <sip:jim@example.net>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
//!     Supported: gruu-10\r\nContact: <sip:192.0.2.10:40001;transport=tls>\r\nContent-Length: 0\r\n\r\n";
//! let Message::Request(request) = Message::parse(text.into())? else { panic!() };
//! let mut registrar = Registrar::new(RegistrarConfig::default());
//! let (status, headers) = registrar.register(Instant::now(), FlowId(1), &request);
//! assert_eq!(status, StatusCode::OK);
//! assert!(headers.contacts()?[0].gruu().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};

use crate::flow::FlowId;
use crate::grammar;
use crate::gruu::InstanceId;
use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::Request;
use crate::status::StatusCode;
use crate::uri::{SipUri, SipUriView, Uri};

/// What a registrar grants.
///
/// RFC 3261 10.3, MS-SIPREGE 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RegistrarConfig {
    /// The life of a registration that asks for none.
    pub default_expires: Duration,
    /// The shortest life that is granted; less is refused with 423.
    pub least_expires: Duration,
    /// The longest.
    pub longest_expires: Duration,
    /// `timeout` of the keep-alive that is agreed to.
    pub keep_alive: Duration,
    /// Endpoints of one user at most; the oldest is forgotten.
    pub endpoints_per_user: usize,
    /// Endpoints of all users at most; beyond it 503.
    pub endpoints: usize,
    /// Tell that presence and conference services are away: survivable mode.
    pub survivable: bool,
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self {
            default_expires: Duration::from_mins(10),
            least_expires: Duration::from_mins(1),
            longest_expires: Duration::from_hours(2),
            keep_alive: Duration::from_mins(5),
            endpoints_per_user: 16,
            endpoints: 200_000,
            survivable: false,
        }
    }
}

/// One registered endpoint.
///
/// RFC 3261 10.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// Where its requests go, as it stood in Contact.
    pub contact: Box<str>,
    /// Its epid.
    pub epid: Box<str>,
    /// The flow it registered over.
    pub flow: FlowId,
    /// Until when.
    pub until: Instant,
    /// Whether it has a GRUU.
    pub has_gruu: bool,
    /// Which Call-ID registered it, shortened.
    call: [u8; 8],
    cseq: u32,
}

/// Who is registered where.
///
/// RFC 3261 10.3, MS-SIPREGE 3.2
#[derive(Clone, Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    bindings: BTreeMap<(Arc<str>, InstanceId), Binding>,
    deadlines: BTreeSet<(Instant, InstanceId, Arc<str>)>,
}

type Answer = (StatusCode, Headers);

impl Registrar {
    /// A registrar that knows nobody.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub const fn new(config: RegistrarConfig) -> Self {
        Self { config, bindings: BTreeMap::new(), deadlines: BTreeSet::new() }
    }

    /// Answers a REGISTER of a flow: status and header fields of the response.
    ///
    /// RFC 3261 10.3, MS-SIPREGE 3.2
    pub fn register(&mut self, now: Instant, flow: FlowId, request: &Request) -> Answer {
        self.handle_timeout(now);
        self.registered(now, flow, request).unwrap_or_else(|refusal| refusal)
    }

    fn registered(&mut self, now: Instant, flow: FlowId, request: &Request) -> Result<Answer, Answer> {
        let headers = &request.headers;
        let to = address(headers, &HeaderName::To).ok_or_else(|| refuse(400, 0, "To cannot be read"))?;
        let uri = to.sip_uri().map_err(|_| {
            // RFC 3261 10.3 5 is for addresses of another scheme: what is no address at all is a bad request.
            if Uri::check(to.uri).is_ok() {
                refuse(404, 1003, "the user does not exist")
            } else {
                refuse(400, 0, "To cannot be read")
            }
        })?;
        let user: Arc<str> = user_key(uri.user(), uri.host()).into();
        if headers
            .get(&HeaderName::Event)
            .is_some_and(|event| !event.trim().eq_ignore_ascii_case("registration"))
        {
            return Err(refuse(489, 4055, "Event of REGISTER is not registration"));
        }
        let (mut has_gruu, mut has_categories) = (false, false);
        for element in headers.elements(&HeaderName::Supported) {
            has_gruu |= element.eq_ignore_ascii_case("gruu-10");
            has_categories |= element.eq_ignore_ascii_case("msrtc-event-categories");
        }
        if !has_gruu && has_categories {
            return Err(refuse(421, 2057, "msrtc-event-categories needs gruu-10"));
        }
        let epid = address(headers, &HeaderName::From).and_then(NameAddrView::epid).unwrap_or_default();
        if epid.len() > 16 {
            return Err(refuse(400, 4012, "epid is longer than 16 characters"));
        }
        let contact = headers.elements(&HeaderName::Contact).next();
        let wildcard = contact == Some("*");
        let contact = contact.and_then(|contact| NameAddrView::parse(contact).ok());
        let (mut instance, mut asked) = (None, None);
        for (name, value) in contact.iter().flat_map(|contact| contact.parameters.iter()) {
            if instance.is_none() && name.eq_ignore_ascii_case("+sip.instance") {
                instance = value;
            } else if asked.is_none() && name.eq_ignore_ascii_case("expires") {
                asked = value;
            }
        }
        let instance = instance
            .and_then(InstanceId::parse)
            .or_else(|| (!epid.is_empty()).then(|| InstanceId::from_epid(epid)))
            .ok_or_else(|| refuse(400, 4010, "neither epid nor instance"))?;
        let cseq = headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
        let call = call_of(headers.get(&HeaderName::CallId).unwrap_or_default());
        let key = (user, instance);
        let before = self.bindings.get(&key);
        // RFC 3261 10.3 7: what is older than what is known is refused.
        if before.is_some_and(|before| before.call == call && before.cseq >= cseq) {
            return Err(refuse(500, 0, "CSeq is out of order"));
        }
        let asked = asked
            .and_then(|seconds| grammar::saturating_number(seconds).ok())
            .or_else(|| headers.expires().ok().flatten())
            .map(|seconds| Duration::from_secs(seconds.into()));
        if asked == Some(Duration::ZERO) || wildcard {
            self.remove(&key);
            return Ok((StatusCode::OK, self.contacts(now, &key.0, uri)));
        }
        let Some(contact) = contact else { return Ok((StatusCode::OK, self.contacts(now, &key.0, uri))) };
        let expires = asked.unwrap_or(self.config.default_expires).min(self.config.longest_expires);
        if expires < self.config.least_expires {
            let (status, mut headers) = refuse(423, 0, "the interval is too brief");
            headers.push(HeaderName::MinExpires, self.config.least_expires.as_secs());
            return Err((status, headers));
        }
        let action = match before {
            None if self.bindings.len() >= self.config.endpoints => {
                let (status, mut headers) = refuse(503, 1, "too many endpoints");
                headers.push(HeaderName::RetryAfter, 60);
                return Err((status, headers));
            }
            None => "added",
            Some(before) if before.call == call => "refreshed",
            Some(_) => "fixed",
        };
        let contact = contact.uri.into();
        let binding =
            Binding { contact, epid: epid.into(), flow, until: now + expires, has_gruu, call, cseq };
        self.insert(&key, binding);
        let mut answer = self.contacts(now, &key.0, uri);
        answer.push(HeaderName::Expires, expires.as_secs());
        let survivable = if self.config.survivable {
            ";is-connected-to-primary=\"no\";user-services-state=unavailable"
        } else {
            ""
        };
        let state = ["register-action=\"", action, "\"", survivable];
        answer.push_parts(&HeaderName::PresenceState, &state);
        if headers.keep_alive().ok().flatten().and_then(|asked| asked.hop_hop()) == Some(true) {
            let timeout = self.config.keep_alive.as_secs();
            answer.push(
                HeaderName::MsKeepAlive,
                format_args!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={timeout}"),
            );
        }
        Ok((StatusCode::OK, answer))
    }

    /// The endpoints of a user.
    ///
    /// RFC 3261 16.5
    pub fn endpoints(&self, user: &SipUri) -> impl Iterator<Item = (&InstanceId, &Binding)> {
        let user: Arc<str> = user_key(user.user(), user.host()).into();
        let first = (user.clone(), InstanceId::NIL);
        self.bindings
            .range(first..)
            .take_while(move |((of, _), _)| *of == user)
            .map(|((_, instance), binding)| (instance, binding))
    }

    /// The endpoint that a GRUU names.
    ///
    /// MS-SIPRE 2.2.3
    #[must_use]
    pub fn of_gruu(&self, gruu: &SipUri) -> Option<&Binding> {
        let opaque = gruu.opaque()?;
        self.endpoints(gruu)
            .find(|(instance, binding)| binding.has_gruu && instance.opaque() == opaque)
            .map(|(_, binding)| binding)
    }

    /// Forgets what has expired.
    ///
    /// RFC 3261 10.3
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((until, _, _)) = self.deadlines.first()
            && *until <= now
        {
            if let Some((_, instance, user)) = self.deadlines.pop_first() {
                self.bindings.remove(&(user, instance));
            }
        }
    }

    /// When the next registration expires.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _, _)| *until)
    }

    /// Forgets the endpoints of a flow that is gone.
    ///
    /// MS-SIPREGE 3.2
    pub fn handle_flow_closed(&mut self, flow: FlowId) {
        let gone: Vec<(Arc<str>, InstanceId)> = self
            .bindings
            .iter()
            .filter(|(_, binding)| binding.flow == flow)
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// How many endpoints are registered.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether nobody is registered.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    fn insert(&mut self, key: &(Arc<str>, InstanceId), binding: Binding) {
        if let Some(before) = self.bindings.get_mut(key) {
            if let Some((_, instance, user)) = self.deadlines.take(&(before.until, key.1, key.0.clone())) {
                self.deadlines.insert((binding.until, instance, user));
            }
            *before = binding;
            return;
        }
        // The oldest of too many endpoints of a user makes room.
        let first = (key.0.clone(), InstanceId::NIL);
        let of_user = self.bindings.range(first..).take_while(|((user, _), _)| *user == key.0);
        let of_user = of_user.map(|((_, instance), binding)| (binding.until, *instance));
        if of_user.clone().count() >= self.config.endpoints_per_user
            && let Some((_, oldest)) = of_user.min()
        {
            self.remove(&(key.0.clone(), oldest));
        }
        self.deadlines.insert((binding.until, key.1, key.0.clone()));
        self.bindings.insert(key.clone(), binding);
    }

    fn remove(&mut self, key: &(Arc<str>, InstanceId)) {
        if let Some(binding) = self.bindings.remove(key) {
            self.deadlines.remove(&(binding.until, key.1, key.0.clone()));
        }
    }

    /// One Contact for each endpoint of the user.
    fn contacts(&self, now: Instant, user: &Arc<str>, uri: SipUriView<'_>) -> Headers {
        let mut headers = Headers::with_capacity(4, 384);
        let first = (user.clone(), InstanceId::NIL);
        let own = self.bindings.range(first..).take_while(|((of, _), _)| of == user);
        for ((_, instance), binding) in own {
            let left = binding.until.saturating_duration_since(now).as_secs().max(1);
            let (left, printed) = (left.to_string(), instance.in_small_letters());
            let opaque = if binding.has_gruu { instance.opaque() } else { String::new() };
            let gruu = if binding.has_gruu {
                [
                    ";gruu=\"sip:",
                    uri.user().unwrap_or_default(),
                    "@",
                    uri.host(),
                    ";opaque=",
                    &opaque,
                    ";gruu\"",
                ]
            } else {
                [""; 7]
            };
            let [label, name, at, host, key, opaque, end] = gruu;
            let contact = [
                "<",
                &binding.contact,
                ">;expires=",
                &left,
                ";+sip.instance=\"<urn:uuid:",
                printed.as_str(),
                ">\"",
                label,
                name,
                at,
                host,
                key,
                opaque,
                end,
            ];
            headers.push_parts(&HeaderName::Contact, &contact);
        }
        headers
    }
}

fn refuse(status: u16, error: u16, reason: &str) -> Answer {
    let mut headers = Headers::new();
    if error != 0 {
        headers.push(HeaderName::MsDiagnostics, format_args!("{error};reason=\"{reason}\""));
    }
    (StatusCode::new(status).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR), headers)
}

fn call_of(call_id: &str) -> [u8; 8] {
    let digest = Sha1::digest(call_id.as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

/// From or To where it was received.
fn address<'a>(headers: &'a Headers, name: &HeaderName) -> Option<NameAddrView<'a>> {
    headers.get(name).and_then(|text| NameAddrView::parse(text).ok())
}

/// User and host without regard to case.
fn user_key(user: Option<&str>, host: &str) -> String {
    let user = user.unwrap_or_default();
    let mut key = String::with_capacity(user.len() + host.len() + 1);
    for part in [user, "@", host] {
        key.push_str(part);
    }
    key.make_ascii_lowercase();
    key
}
