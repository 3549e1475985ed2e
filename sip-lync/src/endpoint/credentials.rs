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
use crate::headers::{Challenge, Credentials, HeaderName};
use crate::message::Response;
use crate::register::{State, Trigger};
use crate::signature::SignatureVersion;

/// How many challenges one registration answers before it is given up.
const LEGS: u8 = 12;

/// An association is renewed at the first refresh after this time.
///
/// MS-SIPAE 3.2.2
const RENEWAL: Duration = Duration::from_hours(7);

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

/// What messages are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Association {
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
    fn of(leg: &Leg, digits: usize, now: Instant) -> Self {
        Self {
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
    pub(super) association: Option<Association>,
    leg: Option<Leg>,
    legs: u8,
}

impl Account {
    /// Authorization of the next REGISTER, if a leg is due; whether it will be signed is the association's matter.
    pub(super) fn take_leg(&mut self) -> Option<Credentials> {
        self.authentication.leg.take().map(|leg| leg.value())
    }

    /// Before a refresh: an association that is old is dropped, so that the server challenges anew.
    pub(super) fn drop_old_association(&mut self, now: Instant) {
        let old = self
            .authentication
            .association
            .as_ref()
            .is_some_and(|association| now.saturating_duration_since(association.since) > RENEWAL);
        if old {
            self.authentication.association = None;
        }
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
        account.authentication.association =
            leg.signature_digits.map(|digits| Association::of(&leg, digits, now));
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

    /// A REGISTER was challenged; whether there is anybody to answer.
    pub(super) fn on_challenge(&mut self, user: UserId, response: &Response, told: &mut Told) -> Trigger {
        let challenges = response.headers.challenges().unwrap_or_default();
        let Some(account) = self.accounts.get_mut(user) else { return Trigger::Challenged };
        account.authentication.association = None;
        account.authentication.leg = None;
        account.authentication.legs = account.authentication.legs.saturating_add(1);
        if !self.config.credentials || challenges.is_empty() || account.authentication.legs > LEGS {
            account.authentication.legs = 0;
            return Trigger::Challenged;
        }
        told.challenges = challenges;
        Trigger::CredentialsWanted
    }

    /// A REGISTER was accepted: the association stands.
    pub(super) fn association_established(&mut self, user: UserId) {
        if let Some(account) = self.accounts.get_mut(user) {
            account.authentication.legs = 0;
            if let Some(association) = &mut account.authentication.association {
                association.established = true;
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
