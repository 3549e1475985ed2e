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
    credentials: Credentials,
    session: Option<DatagramSession>,
    /// The server signed with the same key: it took the password.
    accepted: bool,
}

impl Login {
    /// The login of an account written `DOMAIN\user`.
    pub fn new(account: &str, password: &str) -> Result<Self, String> {
        let (domain, user) =
            account.split_once('\\').ok_or_else(|| format!("`{account}` is not of the form DOMAIN\\user"))?;
        Ok(Self { credentials: Credentials::new(domain, user, password), session: None, accepted: false })
    }

    /// The next leg; the error says why there is none.
    pub fn leg(&mut self, challenges: &[Challenge], random: [u8; 24]) -> Result<Leg, String> {
        let challenge =
            challenges.iter().find(|challenge| challenge.is("NTLM")).ok_or("the server offers no NTLM")?;
        let mut leg = Leg::of(challenge);
        let token = challenge.gssapi_data().unwrap_or_default();
        if token.is_empty() {
            // A second attempt with the same password would only lock the account.
            if self.session.take().is_some() && !self.accepted {
                return Err("the server refuses the account or its password".to_owned());
            }
            self.accepted = false;
            // The first leg asks for the challenge.
            leg.gssapi_data = Some(String::new());
            return Ok(leg);
        }
        let initiator = Initiator::new(InitiatorConfig::new(Mode::Datagram, self.credentials.clone()));
        let (ours, key) = random.split_at(8);
        let now = FileTime::from(SystemTime::now());
        let (answer, session) = initiator
            .challenge(
                now,
                &base64::decode(&token).ok_or("the challenge is no base64")?,
                ClientChallenge(ours.try_into().map_err(|_| "eight octets")?),
                &RandomSessionKey::new(key.try_into().map_err(|_| "sixteen octets")?),
            )
            .map_err(|error| error.to_string())?;
        let Session::Datagram(session) = session else { return Err("another kind of session".to_owned()) };
        self.session = Some(session);
        leg.gssapi_data = Some(base64::encode(&answer));
        leg.signature_digits = Some(32);
        Ok(leg)
    }

    /// Writes the signature into a message that is about to be sent.
    pub fn sign(&self, slot: &SignatureSlot, message: &mut [u8]) -> bool {
        let Some(session) = &self.session else { return false };
        slot.fill(message, &session.sign(SIP_SEQUENCE, slot.text.as_bytes()))
    }

    /// Judges the signature of a message that came.
    pub fn judge(&mut self, text: &str, signature: &str) -> Verdict {
        let octets = (0..signature.len())
            .step_by(2)
            .map(|at| signature.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect::<Option<Vec<u8>>>();
        match (&self.session, octets) {
            (Some(session), Some(octets))
                if session.verify(SIP_SEQUENCE, text.as_bytes(), &octets).is_ok() =>
            {
                self.accepted = true;
                Verdict::Genuine
            }
            _ => Verdict::Forged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_shown() {
        let login = Login::new("CONTOSO\\jim", "open sesame").expect("an account");
        assert!(!format!("{login:?}").contains("sesame"));
        assert!(Login::new("jim", "x").is_err());
    }
}
