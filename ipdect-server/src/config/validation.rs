//! What the types alone cannot say: keys that must be there and values that must fit one another.

use std::collections::BTreeMap;
use std::path::Path;

use super::Configuration;
use super::line::{Step, line_of};
use super::problem::Problem;
use super::sip::{Authentication, DnsMethod, Transport};

/// All findings, in the order of the sections.
pub(super) fn findings(configuration: &Configuration, text: &str, file: &Path) -> Vec<Problem> {
    let mut findings = Findings { text, file, problems: Vec::new() };
    findings.sip(configuration);
    findings.network(configuration);
    findings.radio(configuration);
    findings.users(configuration);
    findings.problems
}

struct Findings<'a> {
    text: &'a str,
    file: &'a Path,
    problems: Vec<Problem>,
}

/// So many endpoints of one user a front end keeps (observed with Lync 2013); each handset is one.
const ENDPOINTS: usize = 8;

impl Findings<'_> {
    fn add(&mut self, path: &[Step<'_>], what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: line_of(self.text, path),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn sip(&mut self, configuration: &Configuration) {
        if configuration.lync.authentication == Authentication::Ntlm {
            self.add(
                &[Step::Key("lync"), Step::Key("authentication")],
                "lync.authentication: NTLM is not built into this version",
                "write \"trusted-server\" and run New-CsTrustedApplicationPool on the front end",
            );
        }
        for (index, name) in configuration.lync.trusted_peers.iter().enumerate() {
            if !is_host_name(name) {
                self.add(
                    &[Step::Key("lync"), Step::Key("trusted_peers"), Step::Index(index)],
                    format!("lync.trusted_peers: {name:?} is no DNS name"),
                    "write the name that stands in the peer's certificate",
                );
            }
        }
        let sip = &configuration.sip;
        if sip.dns_method == DnsMethod::Srv {
            self.add(
                &[Step::Key("sip"), Step::Key("dns_method")],
                "sip.dns_method: SRV records are not built into this version",
                "write \"a-records\" and the name of each proxy",
            );
        }
        if !is_host_name(&sip.default_domain) {
            self.add(
                &[Step::Key("sip"), Step::Key("default_domain")],
                format!("sip.default_domain: {:?} is no domain", sip.default_domain),
                "write the SIP domain of the users, for example \"example.net\" (not the Active Directory domain)",
            );
        }
        if configuration.lync.enabled && sip.proxies.is_empty() {
            self.add(
                &[Step::Key("sip"), Step::Key("proxies")],
                "sip.proxies: no proxy is named",
                "write proxies = [ { uri = \"sip:pool.example.net:5061\" } ]",
            );
        }
        let mut seen = BTreeMap::new();
        for (index, proxy) in sip.proxies.iter().enumerate() {
            if seen.insert((&proxy.uri.host, proxy.port(sip.transport)), index).is_some() {
                self.add(
                    &[Step::Key("sip"), Step::Key("proxies"), Step::Index(index)],
                    format!("sip.proxies: {} is named twice", proxy.uri),
                    "remove one of them",
                );
            }
        }
        if !(1..=1000).contains(&configuration.media.voice_channels) {
            self.add(
                &[Step::Key("media"), Step::Key("voice_channels")],
                format!(
                    "media.voice_channels: {} channels cannot be had",
                    configuration.media.voice_channels
                ),
                "write a number from 1 to 1000",
            );
        }
        if configuration.media.address.is_unspecified() {
            self.add(
                &[Step::Key("media"), Step::Key("address")],
                format!("media.address: peers cannot send to {}", configuration.media.address),
                "write the address of this machine that front ends and base stations reach",
            );
        }
    }

    fn network(&mut self, configuration: &Configuration) {
        let tls = &configuration.tls;
        if !is_host_name(&configuration.network.hostname) {
            self.add(
                &[Step::Key("network"), Step::Key("hostname")],
                format!("network.hostname: {:?} is no DNS name", configuration.network.hostname),
                "write the full name of this server, the same as in its certificate and its trusted application pool",
            );
        }
        let needs_tls = configuration.sip.transport == Transport::Tls
            || configuration.radio.transport == Transport::Tls
            || configuration.web.tls;
        match &tls.certificate {
            None if needs_tls => self.add(
                &[Step::Key("tls"), Step::Key("certificate")],
                "tls.certificate: TLS needs a certificate and none is named",
                "write certificate = \"host.pfx\" with password_file, or certificate = \"host.pem\" with key",
            ),
            Some(file) if is_pkcs12(file) && tls.key.is_some() => self.add(
                &[Step::Key("tls"), Step::Key("key")],
                "tls.key: a PKCS#12 file holds its own key",
                "remove this line",
            ),
            Some(file) if !is_pkcs12(file) && tls.key.is_none() => self.add(
                &[Step::Key("tls"), Step::Key("certificate")],
                format!(
                    "tls.certificate: {} is no PKCS#12 file (.pfx, .p12) and no key is named",
                    file.display()
                ),
                "add key = \"host.key\"",
            ),
            _ => {}
        }
        if needs_tls && tls.ca.is_empty() && !tls.public_roots {
            self.add(
                &[Step::Key("tls"), Step::Key("public_roots")],
                "tls.public_roots: no authority is trusted",
                "name the authority of the front ends in tls.ca, or write public_roots = true",
            );
        }
        if !configuration.web.listen.ip().is_loopback() && !configuration.web.tls {
            self.add(
                &[Step::Key("web"), Step::Key("listen")],
                format!(
                    "web.listen: passwords would cross the network in clear text at {}",
                    configuration.web.listen
                ),
                "write tls = true below it, or listen on 127.0.0.1",
            );
        }
    }

    fn radio(&mut self, configuration: &Configuration) {
        let radio = &configuration.radio;
        if radio.ari.is_unset() {
            self.add(
                &[Step::Key("radio"), Step::Key("ari")],
                "radio.ari: the access rights identity is missing",
                "copy the one that `ipdect-server init DIR` makes; it must not change afterwards",
            );
        }
        let code = radio.system_access_code.reveal();
        if !code.is_empty() && !is_access_code(code) {
            self.add(
                &[Step::Key("radio"), Step::Key("system_access_code")],
                "radio.system_access_code: it is not 1 to 8 digits",
                "write 1 to 8 digits",
            );
        }
    }

    fn users(&mut self, configuration: &Configuration) {
        let mut handsets = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for (index, user) in configuration.users.iter().enumerate() {
            let at = |key| [Step::Key("user"), Step::Index(index), Step::Key(key)];
            let who = if user.username.is_empty() {
                format!("user {}", index + 1)
            } else {
                format!("user {:?}", user.username)
            };
            if user.username.is_empty()
                || !user
                    .username
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%".contains(&b))
            {
                self.add(
                    &at("username"),
                    format!("{who}: the user name is empty or has characters that need escaping"),
                    "write the SIP user without sip: and without domain, for example \"jim.kander\"",
                );
            }
            if !user.domain.is_empty() && !is_host_name(&user.domain) {
                self.add(
                    &at("domain"),
                    format!("{who}: {:?} is no domain", user.domain),
                    "write a SIP domain, or leave it empty for the default domain",
                );
            }
            if user.ipei.is_unset() {
                self.add(
                    &at("ipei"),
                    format!("{who}: the handset's IPEI is missing"),
                    "write the 12 digits of the handset's label, for example \"05003 0070387\"",
                );
            } else if let Some(first) = handsets.insert(&user.ipei, index) {
                self.add(
                    &at("ipei"),
                    format!("{who}: the handset {} already belongs to user {}", user.ipei.text(), first + 1),
                    "give each handset to one user",
                );
            }
            let address = user.address(&configuration.sip.default_domain).to_ascii_lowercase();
            let handsets_of_user = addresses.entry(address.clone()).or_insert(0);
            *handsets_of_user += 1;
            if *handsets_of_user == ENDPOINTS + 1 {
                self.add(
                    &at("username"),
                    format!(
                        "{who}: sip:{address} has more than {ENDPOINTS} handsets, each of them an endpoint"
                    ),
                    "leave the user eight at most, fewer if there are Lync clients too",
                );
            }
            if !user.access_code.is_empty() && !is_access_code(user.access_code.reveal()) {
                self.add(
                    &at("access_code"),
                    format!("{who}: the access code is not 1 to 8 digits"),
                    "write 1 to 8 digits, or leave it empty for the system's",
                );
            }
            if user.access_code.is_empty() && configuration.radio.system_access_code.is_empty() {
                self.add(
                    &at("access_code"),
                    format!("{who}: neither the user nor the system has an access code"),
                    "write one here or in radio.system_access_code",
                );
            }
        }
    }
}

/// Whether a file is taken as PKCS#12, by its ending as Windows writes it.
pub(crate) fn is_pkcs12(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("pfx") || ending.eq_ignore_ascii_case("p12"))
}

fn is_access_code(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
