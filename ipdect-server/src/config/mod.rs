//! The configuration: one TOML file, read whole and checked before anything is started.
//!
//! Every key is optional unless [`Configuration::parse`] says otherwise; unknown keys are refused. Paths are relative
//! to the file. Findings come all at once, each with its line and what to do.

mod line;
mod media;
mod network;
mod presence;
mod problem;
mod radio;
mod secret;
mod sip;
mod template;
mod user;
mod validation;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use media::{Connectivity, Media, MediaEncryption};
pub use network::{Network, Phonebook, Store, StoreUrl, Syslog, Tls, Web};
pub use presence::{Activity, DoNotDisturb, OutOfRange, Presence, Seconds};
pub use problem::{Problem, Problems};
pub use radio::{AccessRightsIdentity, Fingerprint, Radio, Subscription};
pub use secret::Secret;
pub use sip::{Authentication, DnsMethod, Lync, Proxy, ProxyUri, Sip, Transport};
pub use template::{Values, template};
pub use user::{HandsetIdentity, User};
pub(crate) use validation::is_pkcs12;

/// Everything the administrator decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// Configuration → Lync.
    pub lync: Lync,
    /// Configuration → SIP.
    pub sip: Sip,
    /// Configuration → SIP, media.
    pub media: Media,
    /// Configuration → Certificates.
    pub tls: Tls,
    /// Configuration → General, DNS.
    pub network: Network,
    /// Base stations and the identity of the radio system.
    pub radio: Radio,
    /// Where what must survive a restart is kept.
    pub store: Store,
    /// The web page.
    pub web: Web,
    /// Configuration → General, remote syslog.
    pub syslog: Syslog,
    /// The central phone book.
    pub phonebook: Phonebook,
    /// Presence of the handsets.
    pub presence: Presence,
    /// The users.
    #[serde(rename = "user")]
    pub users: Vec<User>,
}

impl Configuration {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let remedy = if error.kind() == std::io::ErrorKind::NotFound {
                "name the configuration with --config, or make one with `ipdect-server init DIR`"
            } else {
                "make the file readable for the user that runs the server"
            };
            Problems::about(file, format!("cannot be read ({error})"), remedy)
        })?;
        Self::parse(&text, file)
    }

    /// Reads and checks a text; `file` is what findings name and what paths are relative to.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Problems> {
        let mut configuration: Self =
            toml::from_str(text).map_err(|error| Problems(vec![problem::from_toml(file, text, &error)]))?;
        let problems = validation::findings(&configuration, text, file);
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        configuration.resolve(file.parent().unwrap_or_else(|| Path::new("")));
        Ok(configuration)
    }

    /// Makes relative paths relative to `directory`.
    fn resolve(&mut self, directory: &Path) {
        let absolute = |path: &mut PathBuf| *path = directory.join(&*path);
        self.tls.ca.iter_mut().for_each(absolute);
        [&mut self.tls.certificate, &mut self.tls.key, &mut self.tls.password_file]
            .into_iter()
            .flatten()
            .for_each(absolute);
        let StoreUrl::Sqlite(path) = &mut self.store.url;
        absolute(path);
    }
}
