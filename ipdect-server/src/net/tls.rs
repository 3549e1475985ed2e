//! TLS configurations: towards front ends, for front ends that connect, for base stations and the web page.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::server::NoClientAuth;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig, SignatureScheme};

use super::authorities::Authorities;
use super::identity::{Identity, TlsError};
use super::verifier::{PeerVerifier, PinnedVerifier, TrustedPeerVerifier};
use crate::config::{Configuration, Fingerprint};

/// The TLS side of a configuration, ready for connections.
#[derive(Clone, Debug)]
pub struct TlsContext {
    /// Towards proxies: their certificate is checked, ours is shown.
    pub towards_proxies: Arc<ClientConfig>,
    /// From front ends: a certificate is demanded and its name checked.
    pub from_front_ends: Arc<ServerConfig>,
    /// From base stations: their certificate is demanded if certificates are pinned.
    pub from_base_stations: Arc<ServerConfig>,
    /// From browsers: only our certificate is shown.
    pub from_anybody: Arc<ServerConfig>,
    /// Our certificate.
    pub identity: Identity,
    /// Whom we trust.
    pub authorities: Authorities,
}

impl TlsContext {
    /// Reads certificates and builds the three configurations; none if no certificate is configured.
    pub fn load(configuration: &Configuration) -> Result<Option<Self>, TlsError> {
        let Some(identity) = Identity::load(&configuration.tls)? else { return Ok(None) };
        let authorities = Authorities::load(&configuration.tls)?;
        let context = Self::new(identity, authorities, trusted_names(configuration))?;
        context.pinned(&configuration.radio.base_stations).map(Some)
    }

    /// Takes base stations with these certificates alone; with none pinned, any.
    pub fn pinned(mut self, pins: &[Fingerprint]) -> Result<Self, TlsError> {
        if pins.is_empty() {
            return Ok(self);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(PinnedVerifier::new(pins.to_vec(), &provider));
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.map_err(|error| TlsError {
            file: self.identity.file.clone(),
            what: format!("TLS cannot be set up ({error})"),
            remedy: "use another certificate".to_owned(),
        })?;
        let config = config.with_client_cert_verifier(verifier);
        let ours = Arc::new(SingleCertAndKey::from(self.identity.certified.clone()));
        self.from_base_stations = Arc::new(config.with_cert_resolver(ours));
        Ok(self)
    }

    /// Builds the three configurations.
    pub fn new(identity: Identity, authorities: Authorities, trusted: Vec<String>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let unusable = |error: &dyn std::fmt::Display| TlsError {
            file: identity.file.clone(),
            what: format!("TLS cannot be set up ({error})"),
            remedy: "name at least one authority in tls.ca, or write public_roots = true".to_owned(),
        };
        let verifier =
            TrustedPeerVerifier::new(authorities.clone(), trusted, &provider).map_err(|e| unusable(&e))?;
        let towards_proxies = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&e))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PeerVerifier::new(authorities.clone(), &provider)))
            .with_client_cert_resolver(Arc::new(Always(identity.certified.clone())));
        let server =
            || ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let ours = Arc::new(SingleCertAndKey::from(identity.certified.clone()));
        let from_front_ends = server()
            .map_err(|e| unusable(&e))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(ours.clone());
        let mut from_anybody = server()
            .map_err(|e| unusable(&e))?
            .with_client_cert_verifier(Arc::new(NoClientAuth))
            .with_cert_resolver(ours);
        from_anybody.alpn_protocols.clear();
        Ok(Self {
            towards_proxies: Arc::new(towards_proxies),
            from_front_ends: Arc::new(from_front_ends),
            from_base_stations: Arc::new(from_anybody.clone()),
            from_anybody: Arc::new(from_anybody),
            identity,
            authorities,
        })
    }
}

/// The names whose certificates may connect to us: the proxies and the trusted peers.
pub fn trusted_names(configuration: &Configuration) -> Vec<String> {
    let proxies = configuration.sip.proxies.iter().map(|proxy| proxy.uri.host.clone());
    proxies.chain(configuration.lync.trusted_peers.iter().map(|name| name.to_ascii_lowercase())).collect()
}

/// Shows our certificate whatever authorities the front end names: it knows better with which one it trusts us.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
