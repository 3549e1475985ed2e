//! REGISTER: endpoints, GRUUs, keep-alive.

use core::time::Duration;
use std::time::Instant;

use sip_lync::gruu::InstanceId;
use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Request, Response, SipUri};

use super::envelope::Envelope;
use super::registrar::{Binding, EndpointKey};
use super::respond::Refusal;
use super::{Event, FlowId, FrontEnd, address};

/// The endpoint that a REGISTER names.
struct Endpoint {
    key: EndpointKey,
    epid: Option<String>,
    instance: InstanceId,
    contact: Option<NameAddr>,
    everything: bool,
}

impl FrontEnd {
    pub(super) fn register(&mut self, now: Instant, flow: FlowId, request: &Request, envelope: &Envelope) {
        match self.registered_response(now, flow, request, envelope) {
            Ok(mut response) => {
                self.keep_alive(now, flow, request, &mut response);
                self.send(flow, &response.into());
            }
            Err(refusal) => self.refuse(flow, request, refusal),
        }
    }

    fn registered_response(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        envelope: &Envelope,
    ) -> Result<Response, Refusal> {
        let user = envelope.to.sip_uri().ok_or(NO_SUCH_USER)?.clone();
        if !self.is_homed(&user) {
            return Err(NO_SUCH_USER);
        }
        if let Some(response) = self.redirect(request, &address::user_key(&user)) {
            return Ok(response);
        }
        let supported = |tag: &str| {
            request
                .headers
                .elements(&HeaderName::Supported)
                .any(|element| element.trim().eq_ignore_ascii_case(tag))
        };
        if let Some(event) = request.headers.get(&HeaderName::Event)
            && !event.trim().eq_ignore_ascii_case("registration")
        {
            return Err(Refusal::new(489, 4055, "Event of REGISTER is not registration"));
        }
        let gruu = supported("gruu-10");
        if supported("msrtc-event-categories") && !gruu {
            return Err(Refusal::new(421, 2057, "msrtc-event-categories needs gruu-10"));
        }
        let endpoint = endpoint(request, envelope, &user)?;
        let expires = self.granted(request, endpoint.contact.as_ref());
        if endpoint.everything || expires.is_some_and(|expires| expires.is_zero()) {
            if let Some(binding) = self.registrar.remove(&endpoint.key) {
                self.deregistered(now, &endpoint.key, &binding, "unregistered");
            }
            let mut response = self.answer(request, 200);
            self.contacts(now, &endpoint.key.user, &user, &mut response);
            return Ok(response);
        }
        let Some(contact) = &endpoint.contact else {
            let mut response = self.answer(request, 200);
            self.contacts(now, &endpoint.key.user, &user, &mut response);
            return Ok(response);
        };
        let expires = expires.unwrap_or(self.config.default_expires).min(self.config.maximum_expires);
        let (contact, dialable) = self.stored_contact(flow, contact)?;
        let token = gruu.then(|| endpoint.instance.token());
        let mut response = self.answer(request, 200);
        let us = response.headers.get(&HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
        let us = us.unwrap_or_else(|| envelope.to.clone());
        let binding = Binding {
            contact,
            epid: endpoint.epid.clone(),
            token: token.clone(),
            flow: Some(flow),
            dialable,
            call_id: envelope.call_id.clone(),
            expires,
            until: now + expires,
            since: now,
            us,
            them: envelope.from.clone(),
            number: 0,
        };
        let action = self.registrar.register(endpoint.key.clone(), binding);
        self.limit_endpoints(now, &endpoint.key);
        self.contacts(now, &endpoint.key.user, &user, &mut response);
        let state = self.presence_state(action.token());
        let headers = &mut response.headers;
        headers.push(HeaderName::Expires, expires.as_secs());
        headers.push(HeaderName::PresenceState, state);
        headers.push(HeaderName::AllowEvents, ALLOWED_EVENTS);
        headers.push(HeaderName::Supported, "adhoclist");
        headers.push(HeaderName::Supported, "msrtc-event-categories");
        self.report(Event::Registered {
            user: endpoint.key.user,
            epid: endpoint.epid,
            gruu: token.map(|token| gruu_uri(&user, &token)),
            expires: expires.as_secs(),
            refreshed: action == super::registrar::RegisterAction::Refreshed,
            flow,
        });
        Ok(response)
    }

    /// Whether this is a user of the domain.
    pub(super) fn is_homed(&self, user: &SipUri) -> bool {
        self.user(&address::user_key(user)).is_some()
    }

    /// The life that is granted; none: the request does not say.
    fn granted(&self, request: &Request, contact: Option<&NameAddr>) -> Option<Duration> {
        let own = contact.and_then(|contact| contact.parameters.get("expires"));
        let text: &str = own.or_else(|| request.headers.get(&HeaderName::Expires))?;
        // What cannot be read counts as 3600 (RFC 3261 20.19), capped by our own maximum.
        let seconds = text.trim().parse::<u32>().unwrap_or(3600);
        Some(Duration::from_secs(u64::from(seconds)).min(self.config.maximum_expires))
    }

    /// The contact as it is kept, and whether it can be dialled (MS-SIPRE 3.1: `proxy=replace`).
    fn stored_contact(&self, flow: FlowId, contact: &NameAddr) -> Result<(SipUri, bool), Refusal> {
        let uri = contact.sip_uri().ok_or(Refusal::new(400, 4010, "Contact is no SIP URI"))?;
        let Some(open) = self.flows.get(&flow) else {
            return Err(Refusal::new(400, 4010, "the connection is gone"));
        };
        let received = format!("{:X}", open.cid);
        let Some(replace) = contact.parameters.get("proxy") else {
            return Ok((uri.with_parameter("ms-received-cid", Some(&received)), open.trusted));
        };
        if !replace.eq_ignore_ascii_case("replace") {
            return Err(Refusal::new(400, 4010, "the only value of proxy is replace"));
        }
        let transport = if self.config.tls { "tls" } else { "tcp" };
        if uri.parameter("transport").is_some_and(|given| !given.eq_ignore_ascii_case(transport)) {
            return Err(Refusal::new(400, 4010, "transport of Contact is not that of the connection"));
        }
        let Some(remote) = open.remote else { return Err(Refusal::new(400, 4010, "the connection is gone")) };
        let start = uri.user().map(|user| format!("{user}@")).unwrap_or_default();
        let parameters = uri.as_str().find(';').and_then(|at| uri.as_str().get(at..)).unwrap_or_default();
        let text = format!("sip:{start}{remote}{parameters}");
        let replaced =
            SipUri::parse(&text).map_err(|_| Refusal::new(400, 4010, "Contact cannot be rewritten"))?;
        Ok((replaced.with_parameter("ms-received-cid", Some(&received)), false))
    }

    /// One Contact per endpoint of the user.
    fn contacts(&self, now: Instant, key: &str, user: &SipUri, response: &mut Response) {
        for (endpoint, binding) in self.registrar.of_user(key) {
            let left = binding.until.saturating_duration_since(now).as_secs().max(1);
            let mut value =
                NameAddr::new(binding.contact.clone()).with_parameter("expires", Some(&left.to_string()));
            value.parameters.push_quoted("+sip.instance", &format!("<urn:uuid:{}>", endpoint.instance));
            if let Some(token) = &binding.token {
                value.parameters.push_quoted("gruu", &gruu_uri(user, token));
            }
            response.headers.push(HeaderName::Contact, value);
        }
    }

    /// Agrees to hop-by-hop keep-alive (MS-CONMGMT 2.2.1).
    fn keep_alive(&mut self, now: Instant, flow: FlowId, request: &Request, response: &mut Response) {
        let Some(asked) = request.headers.get(&HeaderName::MsKeepAlive) else { return };
        let wants = asked.split(';').skip(1).any(|mechanism| {
            let mechanism: String = mechanism.chars().filter(|c| !c.is_whitespace()).collect();
            mechanism.eq_ignore_ascii_case("hop-hop=yes")
        });
        if !wants {
            return;
        }
        let timeout = self.config.keep_alive_timeout;
        self.keep_alive_agreed(now, flow);
        response.headers.push(
            HeaderName::MsKeepAlive,
            format_args!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={}", timeout.as_secs()),
        );
    }
}

fn endpoint(request: &Request, envelope: &Envelope, user: &SipUri) -> Result<Endpoint, Refusal> {
    let epid = envelope.from.epid().map(str::to_owned);
    if epid.as_ref().is_some_and(|epid| epid.len() > 16) {
        return Err(Refusal::new(400, 4012, "epid is longer than 16 characters"));
    }
    let value = request.headers.elements(&HeaderName::Contact).next();
    let everything = value.is_some_and(|value| value.trim() == "*");
    let contact = match value {
        Some(value) if !everything => {
            Some(NameAddr::parse(value).map_err(|_| Refusal::new(400, 4010, "Contact cannot be read"))?)
        }
        _ => None,
    };
    let given = contact
        .as_ref()
        .and_then(|contact| contact.parameters.unquoted("+sip.instance"))
        .and_then(|instance| InstanceId::parse(&instance));
    let instance = given.or_else(|| epid.as_deref().map(InstanceId::from_epid)).ok_or(Refusal::new(
        400,
        4010,
        "neither epid nor +sip.instance",
    ))?;
    let key = EndpointKey { user: address::user_key(user), instance: instance.to_string() };
    Ok(Endpoint { key, epid, instance, contact, everything })
}

/// `sip:user@domain;opaque=user:epid:TOKEN;gruu` (MS-SIPRE 2.2.3).
fn gruu_uri(user: &SipUri, token: &str) -> String {
    format!("{};opaque=user:epid:{token};gruu", user.address_of_record())
}

const NO_SUCH_USER: Refusal = Refusal::new(404, 4005, "the user is not homed here");
const ALLOWED_EVENTS: &str = "vnd-microsoft-provisioning,vnd-microsoft-roaming-contacts,vnd-microsoft-roaming-ACL,presence,presence.wpending,vnd-microsoft-roaming-self,vnd-microsoft-provisioning-v2";
