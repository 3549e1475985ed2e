//! Who may be at the other end of a TLS connection.
//!
//! A chain to a trusted authority first, then the name: DNS names of the subject alternative name, or the common name
//! when it has none. Front ends connect to us with certificates for servers only, so a client certificate need not
//! say that it is one.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::authorities::Authorities;
use super::names::{names_of, stands_for, text_of};
use crate::config::Fingerprint;

/// A certificate that is in order but belongs to nobody we know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its certificate is for {}, which is neither a proxy nor in lync.trusted_peers", shown(.presented))]
pub struct NotTrusted {
    /// The names in the certificate.
    pub presented: Vec<String>,
}

fn shown(names: &[String]) -> String {
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}

/// Checks the server that we connect to.
#[derive(Debug)]
pub struct PeerVerifier {
    authorities: Authorities,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PeerVerifier {
    /// Trusts these authorities.
    pub fn new(authorities: Authorities, provider: &CryptoProvider) -> Self {
        Self { authorities, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.authorities.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let presented = names_of(end_entity);
        if stands_for(&presented, &text_of(server_name)) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::NotValidForNameContext { expected: server_name.to_owned(), presented }.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Checks the front end that connects to us.
#[derive(Debug)]
pub struct TrustedPeerVerifier {
    authorities: Authorities,
    algorithms: WebPkiSupportedAlgorithms,
    /// Takes certificates that say they are for clients only.
    clients_only: Arc<dyn ClientCertVerifier>,
    /// The subjects of the administrator's authorities. Not those of the public roots: the list must fit into what
    /// Windows takes.
    hints: Vec<DistinguishedName>,
    trusted: Vec<String>,
}

impl TrustedPeerVerifier {
    /// Trusts these authorities, and of their certificates those with one of the `trusted` names.
    pub fn new(
        authorities: Authorities,
        trusted: Vec<String>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, rustls::server::VerifierBuilderError> {
        let clients_only =
            WebPkiClientVerifier::builder_with_provider(authorities.roots.clone(), provider.clone())
                .build()?;
        let hints = authorities.roots.subjects().into_iter().take(authorities.from_files).collect();
        Ok(Self {
            authorities,
            algorithms: provider.signature_verification_algorithms,
            clients_only,
            hints,
            trusted,
        })
    }
}

impl ClientCertVerifier for TrustedPeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.authorities.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        match chain {
            Ok(()) => {}
            Err(Error::InvalidCertificate(
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
            )) => {
                self.clients_only.verify_client_cert(end_entity, intermediates, now)?;
            }
            Err(error) => return Err(error),
        }
        let presented = names_of(end_entity);
        if self.trusted.iter().any(|trusted| stands_for(&presented, trusted)) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotTrusted { presented }))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Base stations are known by the fingerprints of their certificates; whoever issued those does not matter.
#[derive(Debug)]
pub struct PinnedVerifier {
    pins: Vec<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedVerifier {
    /// Takes the certificates with these fingerprints, and no others.
    pub fn new(pins: Vec<Fingerprint>, provider: &CryptoProvider) -> Self {
        Self { pins, algorithms: provider.signature_verification_algorithms }
    }
}

/// The certificate is not pinned.
#[derive(Debug, thiserror::Error)]
#[error("its certificate is not pinned: add \"{0}\" to radio.base_stations if it is one of yours")]
pub struct NotPinned(Fingerprint);

impl ClientCertVerifier for PinnedVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let fingerprint = Fingerprint::of(end_entity);
        if self.pins.contains(&fingerprint) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotPinned(fingerprint)))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
