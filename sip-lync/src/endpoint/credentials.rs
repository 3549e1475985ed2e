//! How a user proves itself: challenges, the legs of the answer, and the security association they end in.
//!
//! The endpoint does no cryptography. It tells the challenges, takes what the owner computed for each leg, and from
//! then on hands out the text of every message for its signature.

use std::time::{Duration, Instant};

use super::Endpoint;
use super::account::Account;
use super::event::Event;
use super::registration::Told;
use super::vocabulary::UserId;
use crate::flow::FlowId;
use crate::headers::{Challenge, Credentials, HeaderName};
use crate::message::Response;
use crate::register::{State, Trigger};
use crate::signature::SignatureVersion;

/// A scheme of authentication.
///
/// MS-SIPAE 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Passwords.
    Ntlm,
    /// Tickets.
    Kerberos,
    /// Certificates, in a TLS handshake within SIP.
    TlsDsk,
}

impl Scheme {
    /// The scheme of this name.
    ///
    /// MS-SIPAE 2.2
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Ntlm, Self::Kerberos, Self::TlsDsk]
            .into_iter()
            .find(|of| of.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name.
    ///
    /// MS-SIPAE 2.2
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Kerberos => "Kerberos",
            Self::TlsDsk => "TLS-DSK",
        }
    }

    /// How many challenges a handshake answers: one more says that what was answered is wrong, and the registration fails
    /// before an account is locked. NTLM has the list of schemes and the server's challenge, Kerberos the list alone,
    /// TLS-DSK a round for each flight of its handshake, at most this many.
    ///
    /// MS-SIPAE 3.2
    #[must_use]
    pub const fn challenges(self) -> u8 {
        match self {
            Self::Ntlm => 2,
            Self::Kerberos => 1,
            Self::TlsDsk => LEGS,
        }
    }
}

/// How many challenges one registration answers before it is given up, whatever the scheme.
const LEGS: u8 = 12;

/// How many associations of a user are kept: with a director, a home server, and both of them before a fail-over.
const ASSOCIATIONS: usize = 4;

/// An association is renewed at the first refresh after this time.
///
/// MS-SIPAE 3.2.2
pub(super) const RENEWAL: Duration = Duration::from_hours(7);

/// There is a refresh before this time: after eight hours the server has forgotten the association.
///
/// MS-SIPAE 3.2.2
pub(super) const RENEWED: Duration = Duration::from_mins(7 * 60 + 50);

/// One leg of the answer to a challenge.
///
/// MS-SIPAE 2.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leg {
    /// `NTLM`, `Kerberos` or `TLS-DSK`.
    pub scheme: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The server that challenges.
    pub target_name: String,
    /// The version of the protocol.
    pub version: u32,
    /// The association the server opened, from its second challenge on.
    pub opaque: Option<String>,
    /// The token of this leg in base64; empty in the first leg of NTLM.
    pub gssapi_data: Option<String>,
    /// With this leg the key is known: it and every message after it are signed with signatures of so many hexadecimal
    /// digits.
    pub signature_digits: Option<usize>,
}

impl Leg {
    /// The answer to a challenge in the version both sides know, without a token.
    ///
    /// MS-SIPAE 3.2
    #[must_use]
    pub fn of(challenge: &Challenge) -> Self {
        let get = |name: &str| challenge.get(name).map(std::borrow::Cow::into_owned);
        let version = get("version").and_then(|version| version.parse().ok()).unwrap_or(3);
        Self {
            scheme: challenge.scheme.clone(),
            realm: get("realm").unwrap_or_default(),
            target_name: get("targetname").unwrap_or_default(),
            version: version.min(4),
            opaque: get("opaque"),
            gssapi_data: None,
            signature_digits: None,
        }
    }

    /// The value of Authorization without what a signature adds.
    fn value(&self) -> Credentials {
        let mut value = Credentials::new(&self.scheme).with("qop", "auth");
        if let Some(opaque) = &self.opaque {
            value = value.with("opaque", opaque);
        }
        value = value.with("realm", &self.realm).with("targetname", &self.target_name);
        if let Some(data) = &self.gssapi_data {
            value = value.with("gssapi-data", data);
        }
        value.parameters.push("version", &self.version.to_string());
        value
    }
}

/// What messages of one flow are signed with, and what one target signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) flow: FlowId,
    pub(super) scheme: String,
    pub(super) realm: String,
    pub(super) target_name: String,
    pub(super) opaque: String,
    pub(super) version: SignatureVersion,
    pub(super) digits: usize,
    pub(super) number: u32,
    /// The server accepted it: its own messages are signed from now on.
    pub(super) established: bool,
    pub(super) since: Instant,
}

impl Association {
    fn of(flow: FlowId, leg: &Leg, digits: usize, now: Instant) -> Self {
        Self {
            flow,
            scheme: leg.scheme.clone(),
            realm: leg.realm.clone(),
            target_name: leg.target_name.clone(),
            opaque: leg.opaque.clone().unwrap_or_default(),
            version: SignatureVersion::of(leg.version),
            digits,
            number: 0,
            established: false,
            since: now,
        }
    }

    /// Whether it is the one of this target.
    pub(super) fn is_of(&self, realm: &str, target_name: &str) -> bool {
        self.realm == realm && self.target_name.eq_ignore_ascii_case(target_name)
    }

    /// The value of Authorization of a message after the handshake, without what a signature adds.
    pub(super) fn value(&self) -> Credentials {
        Credentials::new(&self.scheme)
            .with("qop", "auth")
            .with("opaque", &self.opaque)
            .with("realm", &self.realm)
            .with("targetname", &self.target_name)
    }
}

/// What a user's authentication needs between its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Authentication {
    /// One for each target; the last one of a flow signs there.
    associations: Vec<Association>,
    leg: Option<Leg>,
    legs: u8,
    /// Challenges since the handshake began, and the scheme and target it is with.
    handshake: Option<(Option<Scheme>, String, u8)>,
    /// The last handshake was answered with a challenge too many.
    pub(super) refused: bool,
}

impl Authentication {
    /// The association that signs on a flow; of a REGISTER that carries a leg the one that leg made.
    pub(super) fn signing(&mut self, flow: FlowId, leg: bool) -> Option<&mut Association> {
        self.associations.iter_mut().rev().find(|of| of.flow == flow && !(leg && of.established))
    }

    /// Whether messages on a flow are to be signed by the server.
    pub(super) fn on_flow(&self, flow: FlowId) -> Option<&Association> {
        self.associations.iter().rev().find(|of| of.flow == flow)
    }

    /// Since when the association stands that signs on a flow.
    pub(super) fn since(&self, flow: FlowId) -> Option<Instant> {
        self.on_flow(flow).map(|of| of.since)
    }

    /// The association a server names in its signature.
    pub(super) fn of_target(&self, flow: FlowId, realm: &str, target_name: &str) -> Option<&Association> {
        self.associations.iter().rev().find(|of| of.flow == flow && of.is_of(realm, target_name))
    }

    /// A handshake begins or goes on somewhere else; associations of other flows stay as long as these do.
    pub(super) fn restart(&mut self) {
        (self.leg, self.legs, self.handshake, self.refused) = (None, 0, None, false);
    }

    /// The flow is gone, and what was agreed on it.
    pub(super) fn flow_closed(&mut self, flow: FlowId) {
        self.associations.retain(|of| of.flow != flow);
    }

    /// Forgets the association that signs on a flow: the next REGISTER begins anew.
    pub(super) fn forget_signing(&mut self, flow: FlowId) -> bool {
        let at = self.associations.iter().rposition(|of| of.flow == flow);
        at.map(|at| self.associations.remove(at)).is_some()
    }

    fn add(&mut self, association: Association) {
        let (flow, realm, target) = (association.flow, &association.realm, &association.target_name);
        self.associations.retain(|of| of.flow != flow || (of.established && !of.is_of(realm, target)));
        if self.associations.len() >= ASSOCIATIONS {
            self.associations.remove(0);
        }
        self.associations.push(association);
    }
}

impl Account {
    /// Authorization of the next REGISTER, if a leg is due; whether it will be signed is the association's matter.
    pub(super) fn take_leg(&mut self) -> Option<Credentials> {
        self.authentication.leg.take().map(|leg| leg.value())
    }

    /// Before a refresh: an association that is old is dropped, so that the server challenges anew.
    pub(super) fn drop_old_association(&mut self, now: Instant) {
        self.authentication
            .associations
            .retain(|association| now.saturating_duration_since(association.since) <= RENEWAL);
    }
}

impl Endpoint {
    /// Answers an [`Event::Challenged`] with the next leg.
    ///
    /// MS-SIPAE 3.2
    pub fn authenticate(&mut self, now: Instant, user: UserId, leg: Leg) {
        self.begin(now);
        let Some(account) = self.accounts.get_mut(user) else { return };
        if account.registration.state != State::Authenticating {
            return;
        }
        let Some(flow) = account.flow else { return };
        if let Some((scheme, ..)) = &mut account.authentication.handshake {
            *scheme = Scheme::of(&leg.scheme);
        }
        if let Some(digits) = leg.signature_digits {
            account.authentication.add(Association::of(flow, &leg, digits, now));
        }
        account.authentication.leg = Some(leg);
        self.registration_step(now, user, Trigger::Credentials, &Told::default());
    }

    /// Has no answer to an [`Event::Challenged`]: the registration fails.
    ///
    /// MS-SIPAE 3.2
    pub fn refuse_challenge(&mut self, now: Instant, user: UserId) {
        self.begin(now);
        self.registration_step(now, user, Trigger::GiveUp, &Told::default());
    }

    /// How many challenges the handshake of a user has answered since it began, with the scheme once a leg was given.
    ///
    /// MS-SIPAE 3.2
    #[must_use]
    pub fn handshake(&self, user: UserId) -> Option<(Option<Scheme>, u8)> {
        let (scheme, _, count) = self.accounts.get(user)?.authentication.handshake.as_ref()?;
        Some((*scheme, *count))
    }

    /// The targets a user has an association with that stands, the oldest first.
    ///
    /// MS-SIPAE 3.2
    pub fn associations(&self, user: UserId) -> impl Iterator<Item = &str> {
        let associations = self.accounts.get(user).map(|account| &account.authentication.associations);
        associations.into_iter().flatten().filter(|of| of.established).map(|of| of.target_name.as_str())
    }

    /// A signed request was challenged all the same: the association is gone, and the registration makes a new one.
    ///
    /// MS-SIPAE 3.2
    pub(super) fn association_lost(&mut self, now: Instant, user: UserId, flow: FlowId) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        let here = account.flow == Some(flow) && account.registration.state == State::Registered;
        if here && account.authentication.forget_signing(flow) {
            self.registration_step(now, user, Trigger::RefreshDue, &Told::default());
        }
    }

    /// A REGISTER was challenged; whether there is anybody to answer.
    pub(super) fn on_challenge(&mut self, user: UserId, response: &Response, told: &mut Told) -> Trigger {
        let challenges = response.headers.challenges().unwrap_or_default();
        let Some(account) = self.accounts.get_mut(user) else { return Trigger::Challenged };
        let target = challenges.iter().find_map(Challenge::target_name).unwrap_or_default();
        let target = target.trim_start_matches("sip/").to_ascii_lowercase();
        let flow = account.flow;
        let authentication = &mut account.authentication;
        // The server that challenges does not know its association any more; one that never stood is void.
        authentication.associations.retain(|of| {
            let named = of.target_name.trim_start_matches("sip/").eq_ignore_ascii_case(&target);
            Some(of.flow) != flow || (of.established && !named)
        });
        authentication.leg = None;
        authentication.legs = authentication.legs.saturating_add(1);
        let handshake = authentication.handshake.take().filter(|(_, with, _)| *with == target);
        let (scheme, _, count) = handshake.unwrap_or_else(|| (None, target.clone(), 0));
        let limit = scheme.map_or(LEGS, Scheme::challenges);
        if !self.config.credentials || challenges.is_empty() || authentication.legs > LEGS || count >= limit {
            authentication.restart();
            authentication.refused = count > 0 && count >= limit;
            return Trigger::Challenged;
        }
        authentication.handshake = Some((scheme, target, count + 1));
        told.challenges = challenges;
        Trigger::CredentialsWanted
    }

    /// A REGISTER was accepted: the association stands.
    pub(super) fn association_established(&mut self, user: UserId) {
        if let Some(account) = self.accounts.get_mut(user) {
            account.authentication.restart();
            let flow = account.flow;
            for association in &mut account.authentication.associations {
                association.established |= Some(association.flow) == flow;
            }
        }
    }

    pub(super) fn tell_challenges(&mut self, user: UserId, told: &Told) {
        self.events.push_back(Event::Challenged { user, challenges: told.challenges.clone() });
    }
}

/// The header field that carries credentials: servers take it for both kinds of challenges.
///
/// MS-SIPAE 2.2
pub(super) const CREDENTIALS: HeaderName = HeaderName::Authorization;
