//! The authority of the users' certificates; it lives as long as the front end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Req};

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Authority,
    Server,
    Client,
}

/// A key, and a certificate of its own.
#[derive(Clone)]
pub(super) struct Authority {
    key: PKey<Private>,
    pub(super) certificate: X509,
}

impl Authority {
    pub(super) fn new(name: &str) -> Result<Self, ErrorStack> {
        let key = PKey::from_rsa(Rsa::generate(2048)?)?;
        let public = public(&key)?;
        let certificate = certificate(None, &key, name, &public, YEAR, Purpose::Authority)?;
        Ok(Self { key, certificate })
    }

    /// An RSA key with a certificate for a host, as the exchange of keys by RSA needs.
    pub(super) fn server(&self, host: &str) -> Result<(X509, PKey<Private>), ErrorStack> {
        let key = PKey::from_rsa(Rsa::generate(2048)?)?;
        let public = public(&key)?;
        Ok((self.issue(host, &public, YEAR, Purpose::Server)?, key))
    }

    /// The certificate that a user asks for; what the request says of the subject does not count (MS-OCAUTHWS 3.2.4).
    pub(super) fn grant(&self, request: &[u8], user: &str, lifetime: Duration) -> Result<X509, &'static str> {
        let request = X509Req::from_der(request).map_err(|_| "the request is no PKCS #10")?;
        let key = request.public_key().map_err(|_| "the request has no key")?;
        if !request.verify(&key).unwrap_or(false) {
            return Err("the request is not signed with its key");
        }
        self.issue(user, &key, lifetime, Purpose::Client).map_err(|_| "OpenSSL cannot sign")
    }

    fn issue(
        &self,
        name: &str,
        key: &PKeyRef<Public>,
        life: Duration,
        purpose: Purpose,
    ) -> Result<X509, ErrorStack> {
        certificate(Some(&self.certificate), &self.key, name, key, life, purpose)
    }
}

fn public(key: &PKey<Private>) -> Result<PKey<Public>, ErrorStack> {
    PKey::public_key_from_der(&key.public_key_to_der()?)
}

fn certificate(
    issuer: Option<&X509>,
    signer: &PKey<Private>,
    name: &str,
    key: &PKeyRef<Public>,
    life: Duration,
    purpose: Purpose,
) -> Result<X509, ErrorStack> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = |at: Duration| Asn1Time::from_unix(at.as_secs().try_into().unwrap_or(i64::MAX));
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
    let subject = subject.build();
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
    builder.set_subject_name(&subject)?;
    match issuer {
        Some(issuer) => builder.set_issuer_name(issuer.subject_name())?,
        None => builder.set_issuer_name(&subject)?,
    }
    builder.set_pubkey(key)?;
    // Clocks differ.
    builder.set_not_before(&*time(now.saturating_sub(SKEW))?)?;
    builder.set_not_after(&*time(now + life)?)?;
    match purpose {
        Purpose::Authority => {
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        }
        Purpose::Server => {
            builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
            let mut names = SubjectAlternativeName::new();
            match name.parse::<std::net::IpAddr>() {
                Ok(_) => names.ip(name),
                Err(_) => names.dns(name),
            };
            let names = names.build(&builder.x509v3_context(issuer.map(|issuer| &**issuer), None))?;
            builder.append_extension(names)?;
        }
        Purpose::Client => {
            builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
        }
    }
    builder.sign(signer, MessageDigest::sha256())?;
    Ok(builder.build())
}

const YEAR: Duration = Duration::from_hours(365 * 24);
const SKEW: Duration = Duration::from_hours(1);
