//! A login with NTLM for the endpoint of `sip-lync`, which asks for it and knows no cryptography itself.

use std::time::SystemTime;

use ntlm_auth::{
    ClientChallenge, Credentials, DatagramSession, FileTime, Initiator, InitiatorConfig, Mode,
    RandomSessionKey, SIP_SEQUENCE, Session,
};
use sip_lync::headers::Challenge;
use sip_lync::{Leg, SignatureSlot, Verdict};

use crate::base64;

/// The login of one user: answers challenges, signs and judges.
#[derive(Debug)]
pub struct Login {
    domain: String,
    user: String,
    password: String,
    session: Option<DatagramSession>,
}

impl Login {
    /// The login of an account written `DOMAIN\user`.
    pub fn new(account: &str, password: &str) -> Result<Self, String> {
        let (domain, user) =
            account.split_once('\\').ok_or_else(|| format!("`{account}` is not of the form DOMAIN\\user"))?;
        let (domain, user, password) = (domain.to_owned(), user.to_owned(), password.to_owned());
        Ok(Self { domain, user, password, session: None })
    }

    /// The next leg; `None` when the server offers nothing we know.
    pub fn leg(&mut self, challenges: &[Challenge], random: [u8; 24]) -> Option<Leg> {
        let challenge = challenges.iter().find(|challenge| challenge.is("NTLM"))?;
        let mut leg = Leg::of(challenge);
        let token = challenge.gssapi_data().unwrap_or_default();
        if token.is_empty() {
            // The first leg asks for the challenge.
            self.session = None;
            leg.gssapi_data = Some(String::new());
            return Some(leg);
        }
        let credentials = Credentials::new(&*self.domain, &*self.user, &self.password);
        let initiator = Initiator::new(InitiatorConfig::new(Mode::Datagram, credentials));
        let (ours, key) = random.split_at(8);
        let now = FileTime::from(SystemTime::now());
        let (answer, session) = initiator
            .challenge(
                now,
                &base64::decode(&token)?,
                ClientChallenge(ours.try_into().ok()?),
                &RandomSessionKey::new(key.try_into().ok()?),
            )
            .ok()?;
        let Session::Datagram(session) = session else { return None };
        self.session = Some(session);
        leg.gssapi_data = Some(base64::encode(&answer));
        leg.signature_digits = Some(32);
        Some(leg)
    }

    /// Writes the signature into a message that is about to be sent.
    pub fn sign(&self, slot: &SignatureSlot, message: &mut [u8]) -> bool {
        let Some(session) = &self.session else { return false };
        slot.fill(message, &session.sign(SIP_SEQUENCE, slot.text.as_bytes()))
    }

    /// Judges the signature of a message that came.
    pub fn judge(&self, text: &str, signature: &str) -> Verdict {
        let octets = (0..signature.len())
            .step_by(2)
            .map(|at| signature.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect::<Option<Vec<u8>>>();
        match (&self.session, octets) {
            (Some(session), Some(octets))
                if session.verify(SIP_SEQUENCE, text.as_bytes(), &octets).is_ok() =>
            {
                Verdict::Genuine
            }
            _ => Verdict::Forged,
        }
    }
}
