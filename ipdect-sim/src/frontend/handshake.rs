//! Logging in with TLS-DSK: a TLS handshake within REGISTER and 401, whose keys sign what comes after it.
//!
//! The handshake itself is the shell's: it is given the client's records and gives back the front end's.

use core::time::Duration;
use std::time::Instant;

use base64ct::{Base64, Encoding};
use ntlm_auth::{SecurityAssociation, TlsDskSession};
use sip_lync::Request;
use sip_lync::headers::{Credentials, HeaderName, NameAddr};

use super::authentication::{Association, LOGIN, Login, PENDING, Pending};
use super::challenge::TLS_DSK;
use super::respond::Refusal;
use super::{Event, FlowId, FrontEnd, address};

/// What became of a client's records.
///
/// MS-SIPAE 3.3.5.1 (TLS-DSK)
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeTurn {
    /// The handshake goes on with these records.
    Continues(Vec<u8>),
    /// It is complete.
    Finished(ShakenHands),
    /// It has failed.
    Failed(String),
}

/// A complete handshake.
///
/// MS-SIPAE 3.3.5.1 (TLS-DSK)
#[derive(Clone, Debug)]
pub struct ShakenHands {
    /// The front end's last records.
    pub records: Vec<u8>,
    /// The user whose certificate it was, `user@domain`.
    pub user: String,
    /// How long the certificate is good for.
    pub lifetime: Duration,
    /// The keys.
    pub session: TlsDskSession,
}

impl FrontEnd {
    /// Records of a handshake: the request waits for what the shell makes of them.
    pub(super) fn handshake(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        credentials: &Credentials,
        token: &str,
    ) {
        let Ok(records) = Base64::decode_vec(token) else {
            self.refuse(flow, request, Refusal::new(400, 0, "gssapi-data is no base64"));
            return;
        };
        let known = credentials.opaque().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let of_flow = |pending: &Pending| pending.flow == flow && matches!(pending.login, Login::TlsDsk(_));
        let begins = !self.associations.pending.get(&known).is_some_and(of_flow);
        if begins && self.associations.pending.len() >= PENDING {
            self.refuse(flow, request, Refusal::new(503, 1, "too many logins at a time"));
            return;
        }
        // A login that is not known begins anew, as an association that is not.
        let opaque = if begins { self.random.token(8).to_ascii_uppercase() } else { known };
        let until = now + LOGIN;
        self.associations.due(until);
        let pending = Pending { login: Login::TlsDsk(Some(request.clone())), flow, until };
        self.associations.pending.insert(opaque.clone(), pending);
        self.report(Event::Handshake { opaque, begins, records });
    }

    /// Goes on with a login by TLS-DSK, as [`Event::Handshake`] asks.
    ///
    /// MS-SIPAE 3.3.5.1 (TLS-DSK)
    pub fn handshake_turn(&mut self, now: Instant, opaque: &str, turn: HandshakeTurn) {
        let Some(Pending { login, flow, until }) = self.associations.pending.remove(opaque) else { return };
        let Login::TlsDsk(Some(request)) = login else { return };
        match turn {
            HandshakeTurn::Continues(records) => {
                let pending = Pending { login: Login::TlsDsk(None), flow, until };
                self.associations.pending.insert(opaque.to_owned(), pending);
                self.challenge(now, flow, &request, Some((TLS_DSK, opaque, &records)));
            }
            HandshakeTurn::Finished(shaken) => self.shaken_hands(now, flow, &request, opaque, shaken),
            HandshakeTurn::Failed(why) => {
                let user = from(&request).as_ref().and_then(NameAddr::sip_uri).map(address::user_key);
                self.report(Event::LoginFailed { user: user.unwrap_or_default(), why });
                self.refuse(flow, &request, Refusal::new(403, 1000, "the handshake of TLS-DSK failed"));
            }
        }
    }

    /// The client has proven whose certificate it has; it signs from the next request on.
    fn shaken_hands(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        opaque: &str,
        shaken: ShakenHands,
    ) {
        let ShakenHands { records, user, lifetime, session } = shaken;
        let from = from(request);
        let own = from.as_ref().and_then(NameAddr::sip_uri).map(address::user_key).unwrap_or_default();
        let user = user.to_ascii_lowercase();
        if user != own || !self.directory.contains(&user) {
            let why = format!("the certificate is {user}'s");
            self.report(Event::LoginFailed { user: own, why });
            self.refuse(
                flow,
                request,
                Refusal::new(403, 4004, "the account is not that of the user in From"),
            );
            return;
        }
        let Some(credentials) = request
            .headers
            .get(&HeaderName::Authorization)
            .or_else(|| request.headers.get(&HeaderName::ProxyAuthorization))
            .and_then(|value| Credentials::parse(value).ok())
        else {
            return;
        };
        let name = self.association_name(&credentials, opaque);
        let version = name.version.number();
        let security = SecurityAssociation::new(now, name, session, Some(lifetime));
        let epid = from.as_ref().and_then(NameAddr::epid).map(str::to_owned);
        self.challenge(now, flow, request, Some((TLS_DSK, opaque, &records)));
        let association = Association { security, user: user.clone(), epid, flow };
        self.associations.insert(opaque.to_owned(), association);
        self.report(Event::LoggedIn { user, scheme: TLS_DSK, version, flow });
    }
}

fn from(request: &Request) -> Option<NameAddr> {
    request.headers.get(&HeaderName::From).and_then(|from| NameAddr::parse(from).ok())
}
