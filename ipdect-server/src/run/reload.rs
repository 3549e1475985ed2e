//! Reading configuration and certificates again: on request, and when a file has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::Configuration;
use crate::control::{Control, NodeHandle};
use crate::net::tls::TlsContext;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What was read again.
#[derive(Debug)]
pub struct Reloaded {
    /// The configuration.
    pub configuration: Arc<Configuration>,
    /// Certificates and authorities.
    pub tls: Option<TlsContext>,
}

/// Looks at the files until the node stops.
pub(super) async fn watch(
    file: PathBuf,
    started_with: Arc<Configuration>,
    asked: Arc<Notify>,
    node: NodeHandle,
) {
    let mut watched = files(&file, &started_with);
    let mut seen = times(&watched);
    loop {
        let by_request = tokio::select! {
            asked = timeout(LOOK, asked.notified()) => asked.is_ok(),
            () = node.stopped() => return,
        };
        let found = times(&watched);
        if !by_request && found == seen {
            continue;
        }
        seen = found;
        let path = file.clone();
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        let reloaded = match read {
            Ok(Ok(reloaded)) => reloaded,
            Ok(Err(problems)) => {
                for problem in problems.lines() {
                    tracing::error!("not reloaded, the server goes on as it was: {problem}");
                }
                continue;
            }
            Err(error) => {
                tracing::error!("not reloaded: {error}");
                continue;
            }
        };
        watched = files(&file, &reloaded.configuration);
        seen = times(&watched);
        if node.send(Control::Reload(Box::new(reloaded))).await.is_err() {
            return;
        }
    }
}

fn read(file: &Path) -> Result<Reloaded, String> {
    let configuration = Configuration::load(file).map_err(|problems| problems.to_string())?;
    let tls = TlsContext::load(&configuration).map_err(|error| error.to_string())?;
    Ok(Reloaded { configuration: Arc::new(configuration), tls })
}

/// The files whose change matters.
fn files(file: &Path, configuration: &Configuration) -> Vec<PathBuf> {
    let tls = &configuration.tls;
    let mut files = vec![file.to_owned()];
    files.extend([&tls.certificate, &tls.key, &tls.password_file].into_iter().flatten().cloned());
    files.extend(tls.ca.iter().cloned());
    files
}

fn times(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()).collect()
}

/// The sections whose change takes effect only at the next start.
pub fn needs_restart(old: &Configuration, new: &Configuration) -> Vec<&'static str> {
    // A port of 0 was replaced by the one that the system gave.
    let moved = |old: std::net::SocketAddr, new: std::net::SocketAddr| {
        old.ip() != new.ip() || (new.port() != 0 && old.port() != new.port())
    };
    let mut sections = Vec::new();
    let mut add = |changed: bool, section| {
        if changed {
            sections.push(section);
        }
    };
    let (a, b) = (&old.sip, &new.sip);
    add(old.lync.enabled != new.lync.enabled || old.lync.authentication != new.lync.authentication, "lync");
    add(
        moved(a.listen, b.listen)
            || (a.transport, a.dns_method, a.gruu, a.use_sips_uri, &a.default_domain, &a.proxies)
                != (b.transport, b.dns_method, b.gruu, b.use_sips_uri, &b.default_domain, &b.proxies),
        "sip",
    );
    add(old.media != new.media, "media");
    add(old.network != new.network, "network");
    let (a, b) = (&old.radio, &new.radio);
    add(
        moved(a.listen, b.listen)
            || (a.transport, a.ari, a.subscription, &a.system_access_code)
                != (b.transport, b.ari, b.subscription, &b.system_access_code),
        "radio",
    );
    add(old.store != new.store, "store");
    add(moved(old.web.listen, new.web.listen) || old.web.tls != new.web.tls, "web");
    add(old.presence != new.presence, "presence");
    add(old.users != new.users, "user");
    sections
}
