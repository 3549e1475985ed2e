//! `frontend`: one JSON line per event until it is told to end.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipdect_sim::frontend::{Dialling, FrontEndConfig};
#[cfg(feature = "legacy-tls")]
use ipdect_sim::net::TlsDskOptions;
use ipdect_sim::net::{FrontEndCommand, FrontEndOptions, FrontEndServer, Security, tls};

use super::{Failure, json, print, security};
use crate::FrontEndArguments;

pub(crate) async fn front_end(arguments: FrontEndArguments) -> Result<(), Failure> {
    let security = security(
        arguments.tcp,
        arguments.cert.as_ref(),
        arguments.key.as_ref(),
        arguments.ca.as_ref(),
        None,
    )?;
    let users = std::fs::read_to_string(&arguments.users)
        .map_err(|error| Failure::Failed(format!("{}: {error}", arguments.users.display())))?;
    let users = FrontEndConfig::users_of(&users)
        .map_err(|error| Failure::Failed(format!("{}: {error}", arguments.users.display())))?;
    let mut config = FrontEndConfig::new(&host_name(&arguments, &security)?, &arguments.domain);
    config.users = users;
    config.wall_clock = std::time::SystemTime::now();
    config.default_expires = Duration::from_secs(arguments.expires);
    if arguments.no_dial {
        config.dialling = Dialling::Never;
    }
    for trusted in arguments.trusted {
        match trusted.parse::<IpAddr>() {
            Ok(address) => config.trusted_addresses.push(address),
            Err(_) => config.trusted.push(trusted.to_ascii_lowercase()),
        }
    }
    let edge = arguments.settings.apply(&mut config).await?;
    let mut options = FrontEndOptions::new(config, arguments.listen, security);
    options.media = arguments.settings.media_address;
    #[cfg(feature = "legacy-tls")]
    {
        options.tls_dsk = arguments.tls_dsk.map(|listen| {
            let mut wanted = TlsDskOptions::new(listen);
            wanted.host = arguments.tls_dsk_host;
            wanted.lifetime = arguments.tls_dsk_lifetime.map_or(wanted.lifetime, Duration::from_secs);
            wanted
        });
    }
    let mut server = FrontEndServer::start(options)
        .await
        .map_err(|error| Failure::Failed(format!("{}: {error}", arguments.listen)))?;
    let mut out = tokio::io::stdout();
    print(&mut out, &serde_json::json!({ "event": "listening", "address": server.local.to_string() }))
        .await?;
    if let Some(edge) = &edge {
        let edge =
            serde_json::json!({ "event": "edge", "udp": edge.udp.to_string(), "tcp": edge.tcp.to_string() });
        print(&mut out, &edge).await?;
    }
    let mut ends = super::Ends::new();
    loop {
        tokio::select! {
            event = server.events.recv() => match event {
                Some(event) => print(&mut out, &json(&event)).await?,
                None => return Ok(()),
            },
            () = ends.next() => {
                let _ = server.commands.send(FrontEndCommand::Stop).await;
                return Ok(());
            }
        }
    }
}

fn host_name(arguments: &FrontEndArguments, security: &Security) -> Result<String, Failure> {
    if let Some(name) = &arguments.host_name {
        return Ok(name.to_ascii_lowercase());
    }
    match security {
        Security::Tcp => Ok(address(arguments.listen)),
        Security::Tls { identity, .. } => identity
            .as_ref()
            .and_then(|identity| identity.chain.first())
            .and_then(|certificate| tls::names(certificate).into_iter().next())
            .ok_or_else(|| {
                Failure::Usage("TLS needs --cert and --key, and a name in the certificate".to_owned())
            }),
    }
}

fn address(listen: SocketAddr) -> String {
    match listen.ip() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
