//! The authorities that are trusted: the built-in public roots and the administrator's files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use super::identity::{TlsError, read_file};
use crate::config::Tls;

/// The trusted authorities.
#[derive(Clone, Debug)]
pub struct Authorities {
    /// All of them.
    pub roots: Arc<RootCertStore>,
    /// How many came from the administrator's files; these are named to peers that ask for a certificate.
    pub from_files: usize,
}

impl Authorities {
    /// Reads the files and adds the built-in public roots if they are wanted.
    pub fn load(tls: &Tls) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for file in &tls.ca {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| TlsError {
                    file: file.clone(),
                    what: format!("one of its certificates cannot be an authority ({error})"),
                    remedy: "name a file with authority certificates in PEM or DER".to_owned(),
                })?;
            }
        }
        let from_files = roots.len();
        if tls.public_roots {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().map(TrustAnchor::to_owned));
        }
        Ok(Self { roots: Arc::new(roots), from_files })
    }
}

/// The certificates of a file: PEM (Base-64 `.cer`) or one in DER.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_in(&read_file(file)?, file)
}

pub(super) fn certificates_in(bytes: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let wrong = |what: String| TlsError {
        file: PathBuf::from(file),
        what,
        remedy: "name a file with certificates in PEM (BEGIN CERTIFICATE) or DER".to_owned(),
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("it is damaged PEM ({error})")))?;
    if found.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(found)
}
