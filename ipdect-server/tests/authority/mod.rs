//! A certificate authority for tests, and a folder that goes away.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// A folder of one test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ipdect-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An authority with a key of its own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a certificate says.
pub struct Wanted<'a> {
    pub alternative: &'a [&'a str],
    pub common: &'a str,
    pub purposes: &'a [ExtendedKeyUsagePurpose],
    pub from_days: i64,
    pub to_days: i64,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            alternative: &[],
            common: "nobody",
            purposes: &[ExtendedKeyUsagePurpose::ServerAuth],
            from_days: -1,
            to_days: 30,
        }
    }
}

/// A certificate and its key in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn issue(&self, wanted: &Wanted<'_>) -> Pair {
        let mut params =
            CertificateParams::new(wanted.alternative.iter().map(ToString::to_string).collect::<Vec<_>>())
                .unwrap();
        params.distinguished_name.push(DnType::CommonName, wanted.common);
        params.extended_key_usages = wanted.purposes.to_vec();
        params.not_before = OffsetDateTime::now_utc() + Duration::days(wanted.from_days);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(wanted.to_days);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}
