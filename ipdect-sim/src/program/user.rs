//! `user`: commands in, events out.

use std::path::Path;

use ipdect_sim::json::user_command;
use ipdect_sim::login::Account;
use ipdect_sim::net::{LyncUserClient, LyncUserOptions, LyncUserReport};
use ipdect_sim::user::UserConfig;
use serde_json::{Value, json};
use sip_lync::SipUri;

use super::{Console, Failure, host_and_port, security};
use crate::UserArguments;

pub(crate) async fn user(arguments: UserArguments) -> Result<(), Failure> {
    let account = account(arguments.auth_user.as_deref(), arguments.password_file.as_deref())?;
    let (host, port) = host_and_port(&arguments.server)?;
    let uri = SipUri::parse(&arguments.user)
        .ok()
        .filter(|uri| uri.user().is_some())
        .ok_or_else(|| Failure::Usage(format!("`{}` is not of the form sip:U@D", arguments.user)))?;
    let security = security(
        arguments.tcp,
        arguments.cert.as_ref(),
        arguments.key.as_ref(),
        arguments.ca.as_ref(),
        arguments.server_name,
    )?;
    let mut config = UserConfig::new(uri);
    config.account = account;
    config.display_name = arguments.display_name;
    config.tls = !arguments.tcp;
    config.ice = arguments.ice.0;
    config.srtp = srtp_sdes::NegotiationConfig::new(arguments.srtp.0);
    let mut client = LyncUserClient::start(LyncUserOptions::new(config, &host, port, security))
        .await
        .map_err(|error| Failure::Failed(format!("{}: {error}", arguments.server)))?;
    let mut console = Console::new();
    let mut reading = true;
    let mut ends = super::Ends::new();
    loop {
        tokio::select! {
            report = client.reports.recv() => match report {
                Some(LyncUserReport::Disconnected(reason)) => {
                    console.print(&json!({ "event": "disconnected", "reason": reason })).await?;
                    return if reading { Err(Failure::Failed(reason)) } else { Ok(()) };
                }
                Some(report) => console.print(&report_line(&report)).await?,
                None => return Ok(()),
            },
            line = console.line(), if reading => if let Some(line) = line { match user_command(&line) {
                Ok(command) => client.command(command).await,
                Err(error) => console.print(&error.to_json()).await?,
            } } else {
                reading = false;
                client.stop().await;
            },
            () = ends.next(), if reading => {
                reading = false;
                client.stop().await;
            }
        }
    }
}

/// The account of `--auth-user` with the password in the first line of `--password-file`.
fn account(name: Option<&str>, file: Option<&Path>) -> Result<Option<Account>, Failure> {
    let (name, file) = match (name, file) {
        (None, None) => return Ok(None),
        (Some(name), Some(file)) => (name, file),
        _ => return Err(Failure::Usage("--auth-user and --password-file belong together".to_owned())),
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    let account = Account::new(name, text.lines().next().unwrap_or_default());
    let account =
        account.ok_or_else(|| Failure::Usage(format!("`{name}` is not of the form DOMAIN\\user")))?;
    Ok(Some(Account { wall_clock: std::time::SystemTime::now(), ..account }))
}

fn report_line(report: &LyncUserReport) -> Value {
    match report {
        LyncUserReport::Event(event) => super::json(event),
        LyncUserReport::Spoken { call } => json!({ "event": "spoken", "call": call }),
        LyncUserReport::Talked { call, report, file } => json!({
            "event": "talked",
            "call": call,
            "packets_sent": report.counters.packets_sent,
            "packets_received": report.counters.packets_received,
            "packets_refused": report.counters.packets_unauthentic + report.counters.packets_refused,
            "seconds": report.recorded.len() as f64 / 8000.0,
            "file": file.as_ref().map(|file| file.display().to_string()),
        }),
        LyncUserReport::Failed(error) => json!({ "ok": false, "error": error, "at": null }),
        LyncUserReport::Disconnected(reason) => json!({ "event": "disconnected", "reason": reason }),
        _ => Value::Null,
    }
}
