//! Our own certificate with its key: PEM files or one PKCS#12 file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use p12_keystore::{Pkcs12Archive, error::Error as Pkcs12Error};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::authorities::certificates_in;
use crate::config::{Secret, Tls, is_pkcs12};

/// What is wrong with a certificate or key file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file.display(), self.what, self.remedy)
    }
}

impl std::error::Error for TlsError {}

/// Our certificate chain and the key that fits its first certificate.
#[derive(Clone)]
pub struct Identity {
    /// The chain with its signing key.
    pub certified: Arc<CertifiedKey>,
    /// The file it came from.
    pub file: PathBuf,
    /// What an administrator should know, although it works.
    pub notes: Vec<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads what `[tls]` names; none if it names no certificate.
    pub fn load(tls: &Tls) -> Result<Option<Self>, TlsError> {
        let Some(file) = &tls.certificate else { return Ok(None) };
        let identity = if is_pkcs12(file) {
            let password = tls.password_file.as_deref().map(read_password).transpose()?.unwrap_or_default();
            from_pkcs12(&read_file(file)?, &password, file)
        } else {
            let key_file = tls.key.as_ref().unwrap_or(file);
            let chain = certificates_in(&read_file(file)?, file)?;
            certify(chain, key_in(&read_file(key_file)?, key_file)?, file, Vec::new())
        }?;
        Ok(Some(identity))
    }

    /// The certificates, ours first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }
}

/// Reads a file of at most 256 kilobytes.
pub(super) fn read_file(file: &Path) -> Result<Vec<u8>, TlsError> {
    const LIMIT: u64 = 256 * 1024;
    let wrong =
        |what: String, remedy: &str| TlsError { file: file.to_owned(), what, remedy: remedy.to_owned() };
    let length = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or_default();
    if length > LIMIT {
        return Err(wrong(
            format!("it has {length} octets"),
            "certificates and keys fit into 256 kilobytes: name another file",
        ));
    }
    std::fs::read(file).map_err(|error| {
        wrong(
            format!("it cannot be read ({error})"),
            "put the file there, readable for the user that runs the server",
        )
    })
}

fn read_password(file: &Path) -> Result<Secret, TlsError> {
    let bytes = read_file(file)?;
    let text = String::from_utf8(bytes).map_err(|_| TlsError {
        file: file.to_owned(),
        what: "the password is not UTF-8".to_owned(),
        remedy: "save the file as UTF-8".to_owned(),
    })?;
    Ok(Secret::new(text.lines().next().unwrap_or_default().trim_start_matches('\u{feff}')))
}

fn from_pkcs12(bytes: &[u8], password: &Secret, file: &Path) -> Result<Identity, TlsError> {
    let wrong = |what: &str, remedy: &str| TlsError {
        file: file.to_owned(),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    };
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.reveal()).map_err(|error| match error {
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => wrong(
            "the password does not open it",
            "write the right password into the file that tls.password_file names",
        ),
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => wrong(
            "it is encrypted in a way this server does not know",
            "export it again with TripleDES-SHA1 or AES256-SHA256",
        ),
        other => wrong(
            &format!("it is no PKCS#12 file ({other})"),
            "export the certificate with its private key again",
        ),
    })?;
    if archive.keys.is_empty() {
        return Err(wrong(
            "it was exported without its private key",
            "export it again and choose \"Yes, export the private key\"",
        ));
    }
    let mut notes = Vec::new();
    if !has_mac(bytes) {
        notes.push("the PKCS#12 file has no integrity check: anybody could have changed it".to_owned());
    }
    let certificates: Vec<CertificateDer<'static>> =
        archive.certs.iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec())).collect();
    let mut refusal = wrong(
        "no certificate in it fits its private key",
        "export the certificate with its key and chain again",
    );
    for key in &archive.keys {
        for certificate in &certificates {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()));
            match certify(ordered(certificate, &certificates), key, file, notes.clone()) {
                Ok(identity) => return Ok(identity),
                Err(error) if error.what.contains("does not fit") => {}
                Err(error) => refusal = error,
            }
        }
    }
    Err(refusal)
}

/// The chain that starts with `leaf`: each certificate's issuer after it.
fn ordered(leaf: &CertificateDer<'static>, all: &[CertificateDer<'static>]) -> Vec<CertificateDer<'static>> {
    let names = |der: &CertificateDer<'_>| {
        X509Certificate::from_der(der)
            .ok()
            .map(|(_, parsed)| (parsed.subject().as_raw().to_vec(), parsed.issuer().as_raw().to_vec()))
    };
    let mut chain = vec![leaf.clone()];
    let mut current = names(leaf);
    while let Some((subject, issuer)) = current {
        if subject == issuer {
            break;
        }
        let next = all.iter().find(|candidate| {
            names(candidate).is_some_and(|(subject, _)| subject == issuer) && !chain.contains(candidate)
        });
        let Some(next) = next else { break };
        chain.push(next.clone());
        current = names(next);
    }
    chain
}

fn key_in(bytes: &[u8], file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |what: &str, remedy: &str| TlsError {
        file: file.to_owned(),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    };
    if bytes.first() == Some(&0x30) {
        return PrivateKeyDer::try_from(bytes.to_vec())
            .map_err(|_| wrong("it is no private key", "name the key file that belongs to the certificate"));
    }
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) if contains(bytes, b"ENCRYPTED PRIVATE KEY") => Err(wrong(
            "the private key is encrypted",
            "use the PKCS#12 file with tls.password_file, or decrypt it with `openssl pkcs8 -in FILE -out host.key`",
        )),
        Err(pem::Error::NoItemsFound) => {
            Err(wrong("there is no private key in it", "name the key file that belongs to the certificate"))
        }
        Err(error) => Err(wrong(&format!("it is damaged PEM ({error})"), "copy the key file again")),
    }
}

fn certify(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    file: &Path,
    notes: Vec<String>,
) -> Result<Identity, TlsError> {
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain, key, &provider) {
        Ok(certified) => Ok(Identity { certified: Arc::new(certified), file: file.to_owned(), notes }),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError {
            file: file.to_owned(),
            what: "the private key does not fit the certificate".to_owned(),
            remedy: "name the key that the certificate was requested with".to_owned(),
        }),
        Err(error) => Err(TlsError {
            file: file.to_owned(),
            what: format!("certificate and key cannot be used ({error})"),
            remedy: "use an RSA key of at least 2048 bits, or ECDSA P-256 or P-384".to_owned(),
        }),
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Whether a PKCS#12 file has its MAC: the third element of the outer sequence.
fn has_mac(bytes: &[u8]) -> bool {
    let Some(mut inside) = element(bytes).map(|(content, _)| content) else { return false };
    let mut elements = 0;
    while let Some((_, rest)) = element(inside) {
        elements += 1;
        inside = rest;
    }
    elements >= 3
}

/// Content of the first DER element and what follows it.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.get(1..)?.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let octets = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
        (octets.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet)), rest.get(count..)?)
    };
    Some((rest.get(..length)?, rest.get(length..)?))
}
