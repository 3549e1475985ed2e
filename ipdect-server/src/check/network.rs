//! The world around: our name, our ports, the proxies.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Outcome, Report};
use crate::config::{Configuration, Transport};
use crate::net::dial::{Connected, Target, connect};
use crate::net::listener;
use crate::net::names::names_of;
use crate::net::tls::TlsContext;
use crate::net::words::io_error;

/// In TLS 1.3 a front end refuses our certificate after the handshake is done for us: this long we listen for it.
const AFTERTHOUGHT: Duration = Duration::from_millis(700);

/// Front ends find us by our name.
pub(super) async fn own_name(report: &mut Report<'_>, configuration: &Configuration) {
    let hostname = &configuration.network.hostname;
    match lookup_host((hostname.as_str(), configuration.sip.listen.port())).await {
        Ok(addresses) => {
            let addresses: BTreeSet<IpAddr> = addresses.map(|address| address.ip()).collect();
            let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            report.add(Outcome::Ok, "host name", format!("{hostname} is {}", shown.join(", ")));
        }
        Err(error) => report.add(
            Outcome::Fail,
            "host name",
            format!("{hostname} does not resolve ({error}): add its A record to DNS, front ends connect to us by it"),
        ),
    }
}

/// The ports that we listen on.
pub(super) async fn doors(report: &mut Report<'_>, configuration: &Configuration) {
    for (key, address) in [
        ("sip.listen", configuration.sip.listen),
        ("radio.listen", configuration.radio.listen),
        ("web.listen", configuration.web.listen),
    ] {
        match listener::open(address, key).await {
            Ok(_) => report.add(Outcome::Ok, "port", format!("{key} {address} is free")),
            Err(error) => {
                report.add(
                    Outcome::Fail,
                    "port",
                    format!("{error} (if it is this server that runs there, all is well)"),
                );
            }
        }
    }
}

/// The address for voice.
pub(super) fn voice(report: &mut Report<'_>, configuration: &Configuration) {
    let address = configuration.media.address;
    match UdpSocket::bind(SocketAddr::new(address, 0)) {
        Ok(_) if address.is_loopback() => report.add(
            Outcome::Note,
            "voice",
            format!("media.address {address} is reached from this machine only: write the address that others reach"),
        ),
        Ok(_) => report.add(Outcome::Ok, "voice", format!("media.address {address} is ours")),
        Err(error) => report.add(Outcome::Fail, "voice", format!("media.address {address}: {}", io_error(&error))),
    }
}

/// Each proxy resolves, answers, and accepts us.
pub(super) async fn proxies(
    report: &mut Report<'_>,
    configuration: &Configuration,
    tls: Option<&TlsContext>,
) {
    if !configuration.lync.enabled {
        report.add(Outcome::Note, "proxy", "lync.enabled is false: no proxy is used");
        return;
    }
    let transport = configuration.sip.transport;
    for proxy in &configuration.sip.proxies {
        let client = match (transport, tls) {
            (Transport::Tcp, _) => None,
            (Transport::Tls, Some(tls)) => Some(tls.towards_proxies.clone()),
            // The certificate's own line says why.
            (Transport::Tls, None) => continue,
        };
        let target = Target { host: proxy.uri.host.clone(), port: proxy.port(transport), tls: client };
        match attempt(&target).await {
            Ok(text) => report.add(Outcome::Ok, format!("proxy {}", proxy.uri), text),
            Err(text) => report.add(Outcome::Fail, format!("proxy {}", proxy.uri), text),
        }
    }
}

async fn attempt(target: &Target) -> Result<String, String> {
    let mut connected = connect(target).await?;
    let names = connected.peer_certificates().first().map(|own| names_of(own)).unwrap_or_default();
    let mut byte = [0; 1];
    let (described, read) = match &mut connected {
        Connected::Tcp(stream) => {
            ("connected".to_owned(), timeout(AFTERTHOUGHT, stream.read(&mut byte)).await)
        }
        Connected::Tls(stream) => {
            let version = match stream.get_ref().1.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS 1.2",
            };
            let described = format!("{version}, its certificate is for {}", names.join(", "));
            (described, timeout(AFTERTHOUGHT, stream.read(&mut byte)).await)
        }
    };
    match read {
        Err(_) | Ok(Ok(1..)) => Ok(described),
        Ok(Ok(0)) => {
            Err("it closed the connection at once: it may not know this server as a trusted application yet"
                .to_owned())
        }
        Ok(Err(error)) => Err(io_error(&error)),
    }
}
