//! Names, certificates, listening addresses and the store.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

/// Section `[tls]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Files with authorities, added to the built-in public roots.
    pub ca: Vec<PathBuf>,
    /// Whether the built-in public roots are trusted.
    pub public_roots: bool,
    /// Our certificate: PKCS#12, or PEM together with `key`.
    pub certificate: Option<PathBuf>,
    /// The private key of a PEM certificate.
    pub key: Option<PathBuf>,
    /// The file that holds the password of the PKCS#12 file.
    pub password_file: Option<PathBuf>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { ca: Vec::new(), public_roots: true, certificate: None, key: None, password_file: None }
    }
}

/// Section `[network]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Our DNS name: that of the certificate and of the trusted application pool.
    pub hostname: String,
}

/// Section `[store]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Where what must survive a restart is kept.
    pub url: StoreUrl,
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// A file of the embedded database.
    Sqlite(PathBuf),
}

impl Default for StoreUrl {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("data/ipdect.db"))
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => {
                Err("PostgreSQL is not built into this version, write for example \"sqlite:data/ipdect.db\""
                    .to_owned())
            }
            _ => Err(format!("{text:?} is no store, write for example \"sqlite:data/ipdect.db\"")),
        }
    }
}

/// Section `[web]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Where the web page is.
    pub listen: SocketAddr,
    /// Whether the web page is served over TLS with the certificate of `[tls]`.
    pub tls: bool,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), tls: false }
    }
}

/// Section `[syslog]`: no keys yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syslog {}

/// Section `[phonebook]`: no keys yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phonebook {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_urls() {
        assert_eq!(
            StoreUrl::try_from("sqlite:data/x.db".to_owned()),
            Ok(StoreUrl::Sqlite(PathBuf::from("data/x.db")))
        );
        for (text, word) in
            [("postgres://h/d", "PostgreSQL"), ("sqlite:", "sqlite:data"), ("data.db", "no store")]
        {
            assert!(StoreUrl::try_from(text.to_owned()).unwrap_err().contains(word), "{text}");
        }
    }
}
