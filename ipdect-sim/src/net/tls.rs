//! TLS of the simulators: certificates, the check of names, mutual authentication.
//!
//! A front end's certificate usually has the purpose serverAuth only, also where the front end is the TLS client;
//! the verifier here therefore checks the chain and reports the name, and does not ask for clientAuth.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, KeyLog, KeyLogFile, NoKeyLog,
    RootCertStore, ServerConfig, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a certificate file could not be used: one clear line.
///
/// RFC 7468
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

/// Our own certificate with its key.
///
/// RFC 8446 4.4.2
#[derive(Debug)]
pub struct Identity {
    /// The chain, our certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Identity {
    /// Reads the PEM files of a chain and of its key.
    ///
    /// RFC 7468 5
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let key_file = key;
        let key =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key_file, "private key", &error))?;
        Ok(Self { chain, key })
    }
}

/// The certificates of a PEM file, at least one.
///
/// RFC 7468 5
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let list = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(file, "certificate", &error))?;
    if list.is_empty() {
        return Err(TlsError(format!("{}: no certificate in this file", file.display())));
    }
    Ok(list)
}

fn unreadable(file: &Path, what: &str, error: &rustls_pki_types::pem::Error) -> TlsError {
    TlsError(format!("{}: the {what} cannot be read: {error}", file.display()))
}

/// The names a certificate speaks for: its dNSName entries, else its common name; lower case.
///
/// RFC 6125 6.4.4
pub fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let mut found = Vec::new();
    if let Ok(Some(alternative)) = parsed.subject_alternative_name() {
        for name in &alternative.value.general_names {
            if let GeneralName::DNSName(name) = name {
                found.push(name.to_ascii_lowercase());
            }
        }
    }
    if found.is_empty() {
        found.extend(
            parsed
                .subject()
                .iter_common_name()
                .filter_map(|name| name.as_str().ok())
                .map(str::to_ascii_lowercase),
        );
    }
    found
}

/// TLS of a listener: our certificate, and the peer's certificate asked for but not demanded.
///
/// RFC 8446 4.3.2
pub fn server(
    identity: &Identity,
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let verifier = Arc::new(PeerVerifier::new(authorities, None, &provider)?);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|error| TlsError(format!("the certificate does not fit its key: {error}")))?;
    config.key_log = key_log();
    Ok(Arc::new(config))
}

/// TLS of a dialled connection: our certificate if we have one, the peer checked against the authorities and, where
/// given, the name.
///
/// RFC 8446 4.4.2
pub fn client(
    identity: Option<&Identity>,
    authorities: &[CertificateDer<'static>],
    name: Option<&str>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let verifier = Arc::new(PeerVerifier::new(authorities, name.map(str::to_ascii_lowercase), &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| TlsError(format!("the certificate does not fit its key: {error}")))?,
        None => builder.with_no_client_auth(),
    };
    config.key_log = key_log();
    Ok(Arc::new(config))
}

/// The secrets of all connections, in the file that `SSLKEYLOGFILE` names, for those who read captures; usually nowhere.
fn key_log() -> Arc<dyn KeyLog> {
    let Some(file) = std::env::var_os("SSLKEYLOGFILE") else { return Arc::new(NoKeyLog) };
    let file = Path::new(&file).display();
    tracing::warn!(%file, "SSLKEYLOGFILE is set: whoever has this file can read every TLS connection of this program");
    Arc::new(KeyLogFile::new())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Checks a peer's chain in both roles, without looking at the purpose clientAuth.
#[derive(Debug)]
struct PeerVerifier {
    roots: RootCertStore,
    subjects: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
    stock: Arc<dyn ClientCertVerifier>,
    /// The name the peer must have; none: the chain is enough.
    name: Option<String>,
}

impl PeerVerifier {
    fn new(
        authorities: &[CertificateDer<'static>],
        name: Option<String>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone()).map_err(|error| {
                TlsError(format!("a certificate of the authorities is unusable: {error}"))
            })?;
        }
        if roots.is_empty() {
            return Err(TlsError("TLS needs at least one certificate authority (--ca)".to_owned()));
        }
        let shared = Arc::new(roots.clone());
        let stock = rustls::server::WebPkiClientVerifier::builder_with_provider(shared, Arc::clone(provider))
            .build()
            .map_err(|error| TlsError(error.to_string()))?;
        let subjects = roots.subjects();
        Ok(Self { roots, subjects, algorithms: provider.signature_verification_algorithms, stock, name })
    }

    fn chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        // This asks for serverAuth where the certificate names purposes at all; a certificate that has clientAuth
        // only passes the stock check instead.
        match verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        ) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.stock.verify_client_cert(end_entity, intermediates, now).map(drop).map_err(|_| error)
            }
        }
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.chain(end_entity, intermediates, now).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.chain(end_entity, intermediates, now)?;
        let Some(wanted) = &self.name else { return Ok(ServerCertVerified::assertion()) };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let by_alternative = ServerName::try_from(wanted.as_str())
            .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok());
        if by_alternative || names(end_entity).iter().any(|name| name == wanted) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(match ServerName::try_from(wanted.clone()) {
            Ok(expected) => {
                CertificateError::NotValidForNameContext { expected, presented: names(end_entity) }.into()
            }
            Err(_) => CertificateError::NotValidForName.into(),
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
