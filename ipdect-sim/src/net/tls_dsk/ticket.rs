//! Web tickets: who has logged in over HTTPS, and the key with which it proves that a ticket is its own.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::soap;

struct Ticket {
    user: String,
    key: Vec<u8>,
    until: SystemTime,
}

/// The tickets that are good.
#[derive(Default)]
pub(super) struct Tickets {
    by_id: BTreeMap<String, Ticket>,
}

impl Tickets {
    /// Answers a request for a ticket (WS-Trust 1.3; MS-OCAUTHWS 3.1.4); `random`: its name and our half of the key.
    pub(super) fn issue(
        &mut self,
        now: SystemTime,
        user: &str,
        request: &str,
        random: &[u8; 48],
    ) -> Result<String, &'static str> {
        self.by_id.retain(|_, ticket| ticket.until > now);
        if self.by_id.len() >= TICKETS {
            return Err("too many tickets at a time");
        }
        let theirs = soap::text(request, "BinarySecret").ok_or("the request has no BinarySecret")?;
        let theirs = Base64::decode_vec(&theirs).map_err(|_| "BinarySecret is no base64")?;
        if theirs.is_empty() || theirs.len() > 64 {
            return Err("BinarySecret is no key");
        }
        let (name, ours) = random.split_first_chunk::<16>().ok_or("there is no randomness")?;
        let id = format!("SamlSecurityToken-{:032x}", u128::from_be_bytes(*name));
        let key = p_sha1(&theirs, ours, theirs.len()).map_err(|_| "OpenSSL cannot derive a key")?;
        let until = now + LIFE;
        self.by_id.insert(id.clone(), Ticket { user: user.to_owned(), key, until });
        let (created, expires) = (stamp(now), stamp(until));
        let context = soap::attribute(request, "RequestSecurityToken", "Context").unwrap_or_default();
        let ours = Base64::encode_string(ours);
        let (user, context) = (soap::escaped(user), soap::escaped(&context));
        Ok(soap::envelope(&format!(
            "<RequestSecurityTokenResponseCollection xmlns=\"{TRUST}\">\
             <RequestSecurityTokenResponse Context=\"{context}\"><TokenType>{SAML}</TokenType>\
             <RequestedSecurityToken><saml:Assertion MajorVersion=\"1\" MinorVersion=\"1\" AssertionID=\"{id}\" \
             Issuer=\"ipdect-sim\" IssueInstant=\"{created}\" xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\">\
             <saml:Conditions NotBefore=\"{created}\" NotOnOrAfter=\"{expires}\"/>\
             <saml:AuthenticationStatement AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:password\" \
             AuthenticationInstant=\"{created}\"><saml:Subject><saml:NameIdentifier>sip:{user}</saml:NameIdentifier>\
             </saml:Subject></saml:AuthenticationStatement></saml:Assertion></RequestedSecurityToken>\
             <RequestedProofToken><ComputedKey>{TRUST}/CK/PSHA1</ComputedKey></RequestedProofToken>\
             <Entropy><BinarySecret>{ours}</BinarySecret></Entropy>\
             <Lifetime><wsu:Created xmlns:wsu=\"{UTILITY}\">{created}</wsu:Created>\
             <wsu:Expires xmlns:wsu=\"{UTILITY}\">{expires}</wsu:Expires></Lifetime>\
             </RequestSecurityTokenResponse></RequestSecurityTokenResponseCollection>"
        )))
    }

    /// Whose ticket a request carries, if it is proven. Signed are the time stamp and, by its digest, what names it; they
    /// count as they stand in the message, which is canonical where the client writes it so (XML-DSig 3.2).
    pub(super) fn user(&self, now: SystemTime, request: &str) -> Result<&str, &'static str> {
        let id = soap::text(request, "KeyIdentifier").ok_or("the request names no ticket")?;
        let ticket = self.by_id.get(&id).filter(|ticket| ticket.until > now);
        let ticket = ticket.ok_or("there is no such ticket")?;
        let signed = soap::element(request, "SignedInfo").ok_or("SignedInfo is missing")?;
        let stamp = soap::element(request, "Timestamp").ok_or("Timestamp is missing")?;
        let given = |name| soap::text(request, name).and_then(|text| Base64::decode_vec(&text).ok());
        let digest = given("DigestValue").ok_or("DigestValue is missing")?;
        let signature = given("SignatureValue").ok_or("SignatureValue is missing")?;
        let is_stamp = openssl::hash::hash(MessageDigest::sha1(), stamp.as_bytes())
            .is_ok_and(|own| own.len() == digest.len() && memcmp::eq(&own, &digest));
        let is_signed = hmac(&ticket.key, signed.as_bytes())
            .is_ok_and(|own| own.len() == signature.len() && memcmp::eq(&own, &signature));
        if is_stamp && is_signed { Ok(&ticket.user) } else { Err("the ticket is not proven") }
    }
}

/// Key from both halves (WS-Trust 1.3 4.4.4, RFC 2246 5).
fn p_sha1(secret: &[u8], seed: &[u8], length: usize) -> Result<Vec<u8>, ErrorStack> {
    let (mut key, mut chain) = (Vec::new(), seed.to_vec());
    while key.len() < length {
        chain = hmac(secret, &chain)?;
        key.extend_from_slice(&hmac(secret, &[&chain, seed].concat())?);
    }
    key.truncate(length);
    Ok(key)
}

fn hmac(key: &[u8], text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha1(), &key)?;
    signer.update(text)?;
    signer.sign_to_vec()
}

fn stamp(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0).map(|time| time.format(&Rfc3339));
    time.ok().and_then(Result::ok).unwrap_or_default()
}

const TRUST: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";
const SAML: &str = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const LIFE: Duration = Duration::from_hours(8);
const TICKETS: usize = 20_000;
