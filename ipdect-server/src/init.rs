//! `init DIR`: a configuration, a data folder and an administrator to start with.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use crate::config::{AccessRightsIdentity, Configuration, StoreUrl, Values, template};
use crate::random;
use crate::store::Store;
use crate::web::password;

/// How long the first certificate is valid.
const VALID: Duration = Duration::days(825);
/// The first administrator.
const ADMINISTRATOR: &str = "admin";

/// What the administrator may say beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// DNS name of the server; else the machine's.
    pub hostname: Option<String>,
    /// SIP domain; else the part of the host name after its first dot.
    pub domain: Option<String>,
}

/// What was made.
#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    /// The configuration file.
    pub configuration: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// The name in it.
    pub hostname: String,
    /// The store.
    pub store: PathBuf,
    /// The administrator's name.
    pub administrator: &'static str,
    /// His password: it is nowhere else.
    pub password: String,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { configuration, certificate, hostname, store, administrator, password } = self;
        writeln!(f, "configuration  {}", configuration.display())?;
        writeln!(
            f,
            "certificate    {} (self-signed for {hostname}: Lync needs another)",
            certificate.display()
        )?;
        writeln!(f, "store          {}", store.display())?;
        writeln!(f, "administrator  {administrator}")?;
        writeln!(f, "password       {password}  (shown only now)")?;
        write!(
            f,
            "next           edit the configuration, then: ipdect-server check --config {}",
            configuration.display()
        )
    }
}

/// Makes everything in `folder`; changes nothing that is there already.
pub fn init(folder: &Path, wishes: &Wishes) -> Result<Made, String> {
    let configuration = folder.join("ipdect.toml");
    let certificate = folder.join("host.pem");
    let key = folder.join("host.key");
    for file in [&configuration, &certificate, &key] {
        if file.exists() {
            return Err(format!(
                "{} exists already: name an empty folder, or move the file away",
                file.display()
            ));
        }
    }
    let hostname = wishes.hostname.clone().unwrap_or_else(machine_name).to_ascii_lowercase();
    let domain = wishes
        .domain
        .clone()
        .or_else(|| hostname.split_once('.').map(|(_, domain)| domain.to_owned()))
        .unwrap_or_else(|| "example.net".to_owned());
    let values = Values {
        hostname: hostname.clone(),
        domain,
        ari: access_rights_identity().text(),
        access_code: random::text(8, b"0123456789"),
    };
    let text = template(&values);
    let parsed = Configuration::parse(&text, &configuration).map_err(|problems| problems.to_string())?;

    fs::create_dir_all(folder).map_err(|error| {
        format!("{} cannot be made ({error}): name a folder that you may write", folder.display())
    })?;
    let (certificate_pem, key_pem) = self_signed(&hostname)?;
    write_private(&key, &key_pem)?;
    write_private(&certificate, &certificate_pem)?;
    let mut store = Store::open(&parsed.store.url).map_err(|error| error.to_string())?;
    let password = random::password();
    let hash = password::hash(&password).map_err(|error| error.to_string())?;
    store.put_administrator(ADMINISTRATOR, &hash).map_err(|error| error.to_string())?;
    write_private(&configuration, &text)?;
    let StoreUrl::Sqlite(store) = parsed.store.url;
    Ok(Made { configuration, certificate, hostname, store, administrator: ADMINISTRATOR, password })
}

/// A random class B identity: other systems nearby have another one.
fn access_rights_identity() -> AccessRightsIdentity {
    loop {
        let [first, rest @ ..] = random::octets::<4>();
        let [second, third, fourth] = rest;
        if let Some(ari) = AccessRightsIdentity::from_octets([0x10 | first & 0x0f, second, third, fourth]) {
            return ari;
        }
    }
}

/// A certificate for `hostname` signed with its own key, and the key.
fn self_signed(hostname: &str) -> Result<(String, String), String> {
    let failed = |error: rcgen::Error| format!("no certificate can be made for {hostname} ({error})");
    let mut params = CertificateParams::new(vec![hostname.to_owned()]).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, hostname);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + VALID;
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn machine_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let usable =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if !usable {
        "dect.example.net".to_owned()
    } else if name.contains('.') {
        name.to_owned()
    } else {
        format!("{name}.example.net")
    }
}

/// Writes a file that only its owner may read.
fn write_private(file: &Path, text: &str) -> Result<(), String> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).and_then(|mut open| open.write_all(text.as_bytes())).map_err(|error| {
        format!("{} cannot be written ({error}): name a folder that you may write", file.display())
    })
}
