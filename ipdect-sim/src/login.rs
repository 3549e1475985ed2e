//! A login with NTLM: what joins the challenges of the SIP endpoint to the keys of `ntlm-auth`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use ntlm_auth::{
    ClientChallenge, Credentials, DatagramSession, FileTime, Initiator, InitiatorConfig, Mode,
    RandomSessionKey, SIP_SEQUENCE, Session,
};
use sip_lync::headers::Challenge;
use sip_lync::{Leg, SignatureSlot, Verdict};

use crate::seed::{Random, Seed};

/// An account of Windows, without what is random and what the clock shows.
///
/// MS-SIPAE 3.2
#[derive(Clone, Debug)]
pub struct Account {
    /// Domain, user and password.
    pub credentials: Credentials,
    /// What the clock on the wall shows when time begins; logins carry it.
    pub wall_clock: SystemTime,
}

impl Account {
    /// An account written `DOMAIN\user`; nothing without the backslash. The clock is to be set.
    ///
    /// MS-SIPAE 3.2
    pub fn new(name: &str, password: &str) -> Option<Self> {
        let (domain, user) = name.split_once('\\').filter(|(_, user)| !user.is_empty())?;
        Some(Self { credentials: Credentials::new(domain, user, password), wall_clock: UNIX_EPOCH })
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        let name = |account: &Self| (account.credentials.domain.clone(), account.credentials.user.clone());
        name(self) == name(other) && self.wall_clock == other.wall_clock
    }
}

impl Eq for Account {}

/// One endpoint's logins, one after another.
///
/// MS-SIPAE 3.2
#[derive(Debug)]
pub struct NtlmLogin {
    account: Account,
    random: Random,
    origin: Option<Instant>,
    session: Option<DatagramSession>,
    /// The server has signed with the same key: it took the password.
    confirmed: bool,
}

impl NtlmLogin {
    /// An account that has not logged in.
    ///
    /// MS-SIPAE 3.2
    pub fn new(account: Account, seed: Seed) -> Self {
        Self { account, random: Random::new(seed), origin: None, session: None, confirmed: false }
    }

    /// The answer to a server's challenges, for [`sip_lync::Endpoint::authenticate`]; the error says why there is none.
    ///
    /// MS-SIPAE 3.2.5.1
    pub fn challenged(&mut self, now: Instant, challenges: &[Challenge]) -> Result<Leg, String> {
        let challenge =
            challenges.iter().find(|challenge| challenge.is("NTLM")).ok_or("the server offers no NTLM")?;
        let mut leg = Leg::of(challenge);
        let token = challenge.gssapi_data().filter(|data| !data.is_empty());
        let Some(token) = token else {
            // A second attempt with the same password would only lock the account.
            if self.session.take().is_some() && !self.confirmed {
                return Err("the server refuses the account or its password".to_owned());
            }
            self.confirmed = false;
            leg.gssapi_data = Some(String::new());
            return Ok(leg);
        };
        let token = Base64::decode_vec(&token).map_err(|_| "the server's challenge is no base64")?;
        let origin = *self.origin.get_or_insert(now);
        let time = FileTime::from(self.account.wall_clock + now.saturating_duration_since(origin));
        let initiator =
            Initiator::new(InitiatorConfig::new(Mode::Datagram, self.account.credentials.clone()));
        let client = ClientChallenge(*self.random.octets().first_chunk().unwrap_or(&[0; 8]));
        let key = RandomSessionKey::new(*self.random.octets().first_chunk().unwrap_or(&[0; 16]));
        let (answer, session) =
            initiator.challenge(time, &token, client, &key).map_err(|error| error.to_string())?;
        let Session::Datagram(session) = session else {
            return Err("the login is not of the datagram kind".into());
        };
        self.session = Some(session);
        leg.gssapi_data = Some(Base64::encode_string(&answer));
        leg.signature_digits = Some(SIGNATURE * 2);
        Ok(leg)
    }

    /// Signs a message that the endpoint has just written; `false`: there is no key, or no room.
    ///
    /// MS-SIPAE 3.2.4.1
    pub fn sign(&self, slot: &SignatureSlot, message: &mut [u8]) -> bool {
        let Some(session) = &self.session else { return false };
        slot.fill(message, &session.sign(SIP_SEQUENCE, slot.text.as_bytes()))
    }

    /// Judges the signature of a message of the server, in hexadecimal digits.
    ///
    /// MS-SIPAE 3.2.5.4
    pub fn judge(&mut self, text: &str, signature: &str) -> Verdict {
        let octets: Option<Vec<u8>> = signature
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok())
            .collect();
        let genuine = octets
            .zip(self.session.as_ref())
            .is_some_and(|(octets, session)| session.verify(SIP_SEQUENCE, text.as_bytes(), &octets).is_ok());
        self.confirmed |= genuine;
        if genuine { Verdict::Genuine } else { Verdict::Forged }
    }
}

/// Octets of a signature.
const SIGNATURE: usize = 16;
