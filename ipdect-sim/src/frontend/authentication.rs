//! Logging in with NTLM, and with whatever scheme the security associations that every later message of an endpoint is checked against.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Instant, SystemTime};

use base64ct::{Base64, Encoding};
use ntlm_auth::{
    Acceptor, AcceptorConfig, AssociationName, FileTime, Mode, NtHash, ProtocolVersion, SecurityAssociation,
    Session, Verification,
};
use sip_lync::headers::{AuthenticationInfo, AuthenticationParameters, Credentials, HeaderName, NameAddr};
use sip_lync::{Message, Method, Request, SignatureFields, SignatureVersion, signature_text};

use super::challenge::{REALM, SCHEME};
use super::respond::Refusal;
use super::{Event, Fault, FlowId, FrontEnd, address};

/// A login whose challenge is out.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) login: Login,
    pub(super) flow: FlowId,
    pub(super) until: Instant,
}

/// How far a login is.
#[derive(Clone, Debug)]
pub(super) enum Login {
    /// NTLM: the challenge is out.
    Ntlm(Acceptor),
    /// TLS-DSK: with the request that waits for the next records of the handshake, if one does.
    TlsDsk(Option<Request>),
}

/// An endpoint that has logged in.
#[derive(Clone, Debug)]
pub(super) struct Association {
    pub(super) security: SecurityAssociation,
    pub(super) user: String,
    pub(super) epid: Option<String>,
    pub(super) flow: FlowId,
}

/// Logins under way, and associations; both by their opaque.
#[derive(Clone, Debug, Default)]
pub(super) struct Associations {
    pub(super) pending: BTreeMap<String, Pending>,
    open: BTreeMap<String, Association>,
    /// The open ones of each connection.
    by_flow: BTreeSet<(FlowId, String)>,
    /// Nothing is over before this.
    next: Option<Instant>,
}

impl Associations {
    /// A connection is gone, and with it what was agreed on it.
    pub(super) fn flow_lost(&mut self, flow: FlowId) {
        self.pending.retain(|_, pending| pending.flow != flow);
        for opaque in self.of_flow(flow) {
            self.close(&opaque);
        }
    }

    fn of_flow(&self, flow: FlowId) -> Vec<String> {
        let of_flow = self.by_flow.range((flow, String::new())..).take_while(|(of, _)| *of == flow);
        of_flow.map(|(_, opaque)| opaque.clone()).collect()
    }

    fn close(&mut self, opaque: &str) {
        if let Some(association) = self.open.remove(opaque) {
            self.by_flow.remove(&(association.flow, opaque.to_owned()));
        }
    }

    /// The endpoint has logged in, perhaps anew: what was before is over.
    pub(super) fn insert(&mut self, opaque: String, association: Association) {
        let Association { user, epid, flow, .. } = &association;
        for before in self.of_flow(*flow) {
            if self.open.get(&before).is_some_and(|before| before.user == *user && before.epid == *epid) {
                self.close(&before);
            }
        }
        self.due(association.security.expires());
        self.by_flow.insert((association.flow, opaque.clone()));
        self.open.insert(opaque, association);
    }

    pub(super) fn due(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Forgets what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.pending.retain(|_, pending| pending.until > now);
        let over = self.open.iter().filter(|(_, association)| association.security.expires() <= now);
        let over: Vec<String> = over.map(|(opaque, _)| opaque.clone()).collect();
        for opaque in over {
            self.close(&opaque);
        }
        let pending = self.pending.values().map(|pending| pending.until);
        self.next = pending.chain(self.open.values().map(|association| association.security.expires())).min();
    }

    /// When something may be over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// The association of the endpoint at the other end of a connection that a message is for.
    fn of(&mut self, flow: FlowId, message: &Message) -> Option<&mut Association> {
        let theirs = match message {
            Message::Request(_) => HeaderName::To,
            Message::Response(_) => HeaderName::From,
        };
        let address = message.headers().get(&theirs).and_then(|value| NameAddr::parse(value).ok());
        let epid = address.as_ref().and_then(NameAddr::epid);
        let user = address.as_ref().and_then(NameAddr::sip_uri).map(address::user_key);
        // Most connections have one endpoint. Of several the epid tells, else the user.
        let likeness = |association: &Association| {
            let same_epid = epid.is_some() && association.epid.as_deref() == epid;
            (same_epid, user.as_deref() == Some(association.user.as_str()), association.security.expires())
        };
        let of_flow = self.by_flow.range((flow, String::new())..).take_while(|(of, _)| *of == flow);
        let opaque = of_flow
            .filter_map(|(_, opaque)| Some((likeness(self.open.get(opaque)?), opaque)))
            .max_by_key(|(likeness, _)| *likeness)
            .map(|(_, opaque)| opaque)?;
        self.open.get_mut(opaque)
    }
}

/// What a message of a peer that is no trusted server may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is genuine.
    Admitted,
    /// It has been answered, or is to be ignored.
    Ended,
}

impl FrontEnd {
    /// Checks a request of a peer that is no trusted server; answers it if it is not admitted (MS-SIPAE 3.3.5).
    pub(super) fn admit_request(&mut self, now: Instant, flow: FlowId, request: &Request) -> Admission {
        let Some(credentials) = self.credentials(request) else {
            self.challenge(now, flow, request, None);
            return Admission::Ended;
        };
        let opaque = credentials.opaque().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let token = credentials.gssapi_data();
        let ntlm = credentials.is(SCHEME);
        match token.as_deref() {
            Some("") if ntlm => self.begin_login(now, flow, request),
            Some(token) if ntlm => self.finish_login(now, flow, request, &credentials, &opaque, token),
            Some(token) if !token.is_empty() => {
                self.handshake(now, flow, request, &credentials, token);
                Admission::Ended
            }
            _ if self.associations.open.contains_key(&opaque) && self.forgets_login(flow, request) => {
                self.challenge(now, flow, request, None);
                Admission::Ended
            }
            _ if self.associations.open.contains_key(&opaque) => {
                let message = Message::Request(request.clone());
                match self.verify(now, flow, &message, &credentials, &opaque) {
                    Ok(()) => Admission::Admitted,
                    Err(refusal) => self.turned_away(flow, request, refusal),
                }
            }
            // An association that is over, or of another front end.
            _ => {
                self.challenge(now, flow, request, None);
                Admission::Ended
            }
        }
    }

    /// The fault `stale-nonce`: every other signed request of its method is challenged.
    fn forgets_login(&mut self, flow: FlowId, request: &Request) -> bool {
        let method = request.method.to_string();
        let concerned = |fault: &Fault| matches!(fault, Fault::StaleNonce(_)) && fault.concerns(&method);
        if !self.faults.iter().any(concerned) {
            return false;
        }
        self.challenged = !self.challenged;
        if self.challenged {
            self.report(Event::Fault { fault: format!("stale-nonce={method}"), flow });
        }
        self.challenged
    }

    /// Checks a response of a peer that is no trusted server. One that is not signed, or wrongly, is ignored
    /// (MS-SIPAE 3.3.5.4).
    pub(super) fn admit_response(&mut self, now: Instant, flow: FlowId, message: &Message) -> Admission {
        let value = message
            .headers()
            .get(&HeaderName::Authorization)
            .or_else(|| message.headers().get(&HeaderName::ProxyAuthorization));
        let credentials = value.and_then(|value| Credentials::parse(value).ok());
        let Some(credentials) = credentials.filter(|credentials| self.offers(credentials)) else {
            self.report(Event::Unsigned { flow, why: "a response without a signature".to_owned() });
            return Admission::Ended;
        };
        let opaque = credentials.opaque().map(std::borrow::Cow::into_owned).unwrap_or_default();
        match self.verify(now, flow, message, &credentials, &opaque) {
            Ok(()) => Admission::Admitted,
            Err(refusal) => {
                self.report(Event::Unsigned { flow, why: refusal.reason.to_owned() });
                Admission::Ended
            }
        }
    }

    /// Signs what goes to an endpoint that has logged in (MS-SIPAE 3.3.4.1); none: it goes as it is.
    pub(super) fn sign(&mut self, flow: FlowId, message: &Message) -> Option<Message> {
        if matches!(message, Message::Response(response) if response.status.code() == 100) {
            return None;
        }
        let random = self.random.token(8).to_ascii_uppercase();
        let association = self.associations.of(flow, message)?;
        let number = association.security.next_number().ok()?;
        let name = association.security.name();
        let scheme = association.security.scheme()?;
        let text = signature_text(message, &fields(scheme, name, &random, number)).ok()?;
        let mut signature = association.security.sign(text.as_bytes()).ok()?.signed()?.to_string();
        if self.faults.contains(&Fault::WrongSignature) {
            // A digit of the checksum, which every client looks at.
            let digit = signature.get(16..17).unwrap_or_default();
            let other = if digit == "0" { "1" } else { "0" };
            if signature.len() > 17 {
                signature.replace_range(16..17, other);
            }
        }
        let mut info = AuthenticationInfo {
            scheme: Some(scheme.to_owned()),
            parameters: AuthenticationParameters::default(),
        };
        let number = number.to_string();
        for (parameter, value) in [
            ("qop", "auth"),
            ("opaque", name.opaque.as_str()),
            ("srand", &random),
            ("snum", &number),
            ("rspauth", &signature),
            ("targetname", &name.target_name),
            ("realm", &name.realm),
        ] {
            info.parameters.push_quoted(parameter, value);
        }
        info.parameters.push("version", &name.version.number().to_string());
        let mut signed = message.clone();
        signed.headers_mut().set(HeaderName::AuthenticationInfo, info);
        Some(signed)
    }

    fn begin_login(&mut self, now: Instant, flow: FlowId, request: &Request) -> Admission {
        if self.associations.pending.len() >= PENDING {
            self.refuse(flow, request, Refusal::new(503, 1, "too many logins at a time"));
            return Admission::Ended;
        }
        let time = self.wall_clock(now);
        let (computer, domain) = self.windows_names();
        let challenge: [u8; 8] = *self.random.octets().first_chunk().unwrap_or(&[0; 8]);
        let opaque = self.random.token(8).to_ascii_uppercase();
        let config = AcceptorConfig::new(Mode::Datagram, &computer, &domain);
        match Acceptor::new(config, None, challenge, Some(FileTime::from(time))) {
            Ok(acceptor) => {
                self.challenge(now, flow, request, Some((SCHEME, &opaque, acceptor.challenge())));
                let until = now + LOGIN;
                self.associations.due(until);
                self.associations
                    .pending
                    .insert(opaque, Pending { login: Login::Ntlm(acceptor), flow, until });
            }
            Err(_) => {
                self.refuse(flow, request, Refusal::new(500, 0, "a name of this front end is too long"));
            }
        }
        Admission::Ended
    }

    fn finish_login(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        credentials: &Credentials,
        opaque: &str,
        token: &str,
    ) -> Admission {
        let pending = self.associations.pending.remove(opaque).filter(|pending| pending.flow == flow);
        let Some(Pending { login: Login::Ntlm(acceptor), .. }) = pending else {
            self.challenge(now, flow, request, None);
            return Admission::Ended;
        };
        let from = request.headers.get(&HeaderName::From).and_then(|from| NameAddr::parse(from).ok());
        let from_user = from.as_ref().and_then(NameAddr::sip_uri).map(address::user_key).unwrap_or_default();
        let time = self.wall_clock(now);
        let claim =
            Base64::decode_vec(token).map_err(|_| "the token is no base64".to_owned()).and_then(|token| {
                let claim = acceptor.authenticate(FileTime::from(time), &token);
                claim.map_err(|error| error.to_string())
            });
        let proven = claim.and_then(|claim| {
            let account = self.user_of_account(claim.domain(), claim.user());
            let hash = account.map(|account| NtHash::of_password(&account.password.0));
            let user = account.map(|account| address::user_key(&account.uri)).unwrap_or_default();
            let accepted = claim.prove(hash.as_ref()).map_err(|error| error.to_string())?;
            Ok((user, accepted.session))
        });
        let (user, session) = match proven {
            Ok((user, Session::Datagram(session))) => (user, session),
            Ok(_) => {
                return self.turned_away(
                    flow,
                    request,
                    Refusal::new(403, 1000, "the login is not of the datagram kind"),
                );
            }
            Err(why) => {
                // As a front end does: the next challenge, with the reason beside it.
                self.report(Event::LoginFailed { user: from_user, why });
                self.challenge(now, flow, request, None);
                return Admission::Ended;
            }
        };
        if user != from_user {
            let refusal = Refusal::new(403, 4004, "the account is not that of the user in From");
            return self.turned_away(flow, request, refusal);
        }
        let name = self.association_name(credentials, opaque);
        let version = name.version;
        let epid = from.as_ref().and_then(NameAddr::epid).map(str::to_owned);
        let security = SecurityAssociation::new(now, name, session, None);
        self.associations.insert(opaque.to_owned(), Association { security, user: user.clone(), epid, flow });
        let signed = credentials.get("response").is_some();
        if version >= ProtocolVersion::V4 || signed {
            let message = Message::Request(request.clone());
            if let Err(refusal) = self.verify(now, flow, &message, credentials, opaque) {
                self.associations.close(opaque);
                return self.turned_away(flow, request, refusal);
            }
        }
        self.report(Event::LoggedIn { user, scheme: SCHEME, version: version.number(), flow });
        Admission::Admitted
    }

    pub(super) fn association_name(&self, credentials: &Credentials, opaque: &str) -> AssociationName {
        let agree = |version| ProtocolVersion::agree(Some(version)).min(self.config.authentication_version);
        AssociationName {
            realm: REALM.to_owned(),
            target_name: self.config.host_name.clone(),
            opaque: opaque.to_owned(),
            version: credentials.version().map_or(ProtocolVersion::V3, agree),
        }
    }

    /// Checks the signature of a message against an association of its connection.
    fn verify(
        &mut self,
        now: Instant,
        flow: FlowId,
        message: &Message,
        credentials: &Credentials,
        opaque: &str,
    ) -> Result<(), Refusal> {
        let association = self
            .associations
            .open
            .get_mut(opaque)
            .filter(|association| association.flow == flow)
            .ok_or(Refusal::new(403, 1000, "there is no such security association"))?;
        let ours = match message {
            Message::Request(_) => HeaderName::From,
            Message::Response(_) => HeaderName::To,
        };
        let sender = message.headers().get(&ours).and_then(|value| NameAddr::parse(value).ok());
        let sender = sender.as_ref().and_then(NameAddr::sip_uri).map(address::user_key);
        let within_dialog = message.headers().get(&HeaderName::To).is_some_and(|to| to.contains(";tag="));
        let is_request = matches!(message, Message::Request(_));
        // Inside a dialog From may be the number that was called.
        let called = |sender: &str| !self.directory.contains(sender);
        let is_own = sender
            .as_deref()
            .is_some_and(|sender| sender == association.user || (within_dialog && called(sender)));
        if is_request && !is_own {
            return Err(Refusal::new(403, 4004, "the account is not that of the user in From"));
        }
        let get = |name: &str| credentials.get(name).map(std::borrow::Cow::into_owned);
        let missing = Refusal::new(403, 1000, "the message is not signed");
        let random = get("crand").ok_or(missing)?;
        let number = get("cnum").and_then(|number| number.parse().ok()).ok_or(missing)?;
        let signature = get("response").ok_or(missing)?;
        let scheme = association.security.scheme().unwrap_or_default();
        let text = signature_text(message, &fields(scheme, association.security.name(), &random, number))
            .map_err(|_| Refusal::new(400, 0, "From or To cannot be read"))?;
        let reason = match association.security.verify(now, number, text.as_bytes(), &signature) {
            Ok(Verification::Genuine) => return Ok(()),
            Err(ntlm_auth::Error::Replayed) => "the number of the signature was there before",
            Err(ntlm_auth::Error::Expired) => "the security association is over",
            Ok(Verification::Token(_)) | Err(_) => "the signature is wrong",
        };
        Err(Refusal::new(403, 1000, reason))
    }

    fn turned_away(&mut self, flow: FlowId, request: &Request, refusal: Refusal) -> Admission {
        if request.method != Method::Ack {
            self.refuse(flow, request, refusal);
        }
        Admission::Ended
    }

    /// The names of computer and domain that the challenge tells.
    fn windows_names(&self) -> (String, String) {
        let computer = self.config.host_name.split('.').next().unwrap_or_default().to_ascii_uppercase();
        let domain = self.config.users.iter().map(|user| &user.domain).find(|domain| !domain.is_empty());
        let domain = domain
            .cloned()
            .unwrap_or_else(|| self.config.domain.split('.').next().unwrap_or_default().to_ascii_uppercase());
        (computer, domain)
    }

    pub(super) fn wall_clock(&mut self, now: Instant) -> SystemTime {
        let origin = *self.origin.get_or_insert(now);
        self.config.wall_clock + now.saturating_duration_since(origin)
    }
}

fn fields<'a>(
    scheme: &'a str,
    name: &'a AssociationName,
    random: &'a str,
    number: u32,
) -> SignatureFields<'a> {
    SignatureFields {
        version: SignatureVersion::of(name.version.number()),
        scheme,
        random,
        number,
        realm: &name.realm,
        target_name: &name.target_name,
    }
}

/// How long a challenge may be answered.
pub(super) const LOGIN: Duration = Duration::from_mins(1);
/// Logins at a time.
pub(super) const PENDING: usize = 20_000;
