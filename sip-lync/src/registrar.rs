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

mod bindings;

use std::time::{Duration, Instant};

use crate::flow::FlowId;
use crate::grammar::{self, Decimal};
use crate::gruu::InstanceId;
use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::Request;
use crate::status::StatusCode;
use crate::uri::{SipUri, SipUriView, Uri};

use bindings::{Bindings, Heard, Registered, UserKey, number_of};

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
    call: u64,
    cseq: u32,
}

/// Who is registered where.
///
/// RFC 3261 10.3, MS-SIPREGE 3.2
#[derive(Clone, Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    bindings: Bindings,
    /// Where the name of a user is written before it is looked for.
    scratch: String,
}

type Answer = (StatusCode, Headers);

impl Registrar {
    /// A registrar that knows nobody.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub const fn new(config: RegistrarConfig) -> Self {
        Self { config, bindings: Bindings::new(), scratch: String::new() }
    }

    /// Answers a REGISTER of a flow: status and header fields of the response.
    ///
    /// RFC 3261 10.3, MS-SIPREGE 3.2
    pub fn register(&mut self, now: Instant, flow: FlowId, request: &Request) -> Answer {
        self.handle_timeout(now);
        let mut user = core::mem::take(&mut self.scratch);
        let answer = self.registered(now, flow, request, &mut user).unwrap_or_else(|refusal| refusal);
        self.scratch = user;
        answer
    }

    fn registered(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        user: &mut String,
    ) -> Result<Answer, Answer> {
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
        write_user(uri.user(), uri.host(), user);
        let user = user.as_str();
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
        let call = number_of(headers.get(&HeaderName::CallId).unwrap_or_default());
        let key = UserKey::of(user);
        let own = self.bindings.of_user(key);
        let at = own.iter().position(|of| of.instance == instance && *of.user == *user);
        let before = at.and_then(|at| own.get(at)).map(|of| &of.binding);
        // RFC 3261 10.3 7: what is older than what is known is refused.
        if before.is_some_and(|before| before.call == call && before.cseq >= cseq) {
            return Err(refuse(500, 0, "CSeq is out of order"));
        }
        let asked = asked
            .and_then(|seconds| grammar::saturating_number(seconds).ok())
            .or_else(|| headers.expires().ok().flatten())
            .map(|seconds| Duration::from_secs(seconds.into()));
        if asked == Some(Duration::ZERO) || wildcard {
            self.bindings.remove(key, user, instance);
            return Ok((StatusCode::OK, self.contacts(now, (key, user), uri)));
        }
        let Some(contact) = contact else {
            return Ok((StatusCode::OK, self.contacts(now, (key, user), uri)));
        };
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
        let until = now + expires;
        if let Some(at) = at {
            let heard = Heard { contact: contact.uri, epid, flow, until, has_gruu, call, cseq };
            self.bindings.refresh(key, at, &heard);
        } else {
            let (contact, epid) = (contact.uri.into(), epid.into());
            let binding = Binding { contact, epid, flow, until, has_gruu, call, cseq };
            let new = Registered { user: user.into(), instance, binding, wakes: until };
            self.bindings.add(key, new, self.config.endpoints_per_user);
        }
        let mut answer = self.contacts(now, (key, user), uri);
        answer.push_text(&HeaderName::Expires, Decimal::of(expires.as_secs()).as_str());
        let survivable = if self.config.survivable {
            ";is-connected-to-primary=\"no\";user-services-state=unavailable"
        } else {
            ""
        };
        let state = ["register-action=\"", action, "\"", survivable];
        answer.push_parts(&HeaderName::PresenceState, &state);
        if headers.keep_alive_agreed().and_then(|(hop_hop, _)| hop_hop) == Some(true) {
            let timeout = Decimal::of(self.config.keep_alive.as_secs());
            let agreed = ["UAS; tcp=no; hop-hop=yes; end-end=no; timeout=", timeout.as_str()];
            answer.push_parts(&HeaderName::MsKeepAlive, &agreed);
        }
        Ok((StatusCode::OK, answer))
    }

    /// The endpoints of a user.
    ///
    /// RFC 3261 16.5
    pub fn endpoints(&self, user: &SipUri) -> impl Iterator<Item = (&InstanceId, &Binding)> {
        let mut name = String::new();
        write_user(user.user(), user.host(), &mut name);
        let own = self.bindings.of_user(UserKey::of(&name));
        own.iter().filter(move |of| *of.user == *name).map(|of| (&of.instance, &of.binding))
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
        self.bindings.handle_timeout(now);
    }

    /// When [`Self::handle_timeout`] is to be called: not later than the next registration expires.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.bindings.next_deadline()
    }

    /// Forgets the endpoints of a flow that is gone.
    ///
    /// MS-SIPREGE 3.2
    pub fn handle_flow_closed(&mut self, flow: FlowId) {
        self.bindings.handle_flow_closed(flow);
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
        self.bindings.len() == 0
    }

    /// One Contact for each endpoint of the user.
    fn contacts(&self, now: Instant, (key, user): (UserKey, &str), uri: SipUriView<'_>) -> Headers {
        let mut headers = Headers::with_capacity(4, 384);
        let own = self.bindings.of_user(key);
        for Registered { instance, binding, .. } in own.iter().filter(|of| *of.user == *user) {
            let left = binding.until.saturating_duration_since(now).as_secs().max(1);
            let (left, printed) = (Decimal::of(left), instance.in_small_letters());
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
                left.as_str(),
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

/// From or To where it was received.
fn address<'a>(headers: &'a Headers, name: &HeaderName) -> Option<NameAddrView<'a>> {
    headers.get(name).and_then(|text| NameAddrView::parse(text).ok())
}

/// Writes user and host without regard to case.
fn write_user(user: Option<&str>, host: &str, name: &mut String) {
    name.clear();
    for part in [user.unwrap_or_default(), "@", host] {
        name.push_str(part);
    }
    name.make_ascii_lowercase();
}
