//! `base`: commands to handsets in, what the handsets show out.

use dect_nwk::identity::Ipei;
use ipdect_sim::base::BaseConfig;
use ipdect_sim::handset::HandsetConfig;
use ipdect_sim::json::handset_command;
use ipdect_sim::net::{BaseStationClient, BaseStationOptions, BaseStationReport};
use serde_json::{Value, json};

use super::{Console, Failure, host_and_port, security};
use crate::BaseArguments;

pub(crate) async fn base(arguments: BaseArguments) -> Result<(), Failure> {
    let (host, port) = host_and_port(&arguments.server)?;
    let security = security(
        arguments.tcp,
        arguments.cert.as_ref(),
        arguments.key.as_ref(),
        arguments.ca.as_ref(),
        arguments.server_name,
    )?;
    let mut config = BaseConfig::new(arguments.rpn, &arguments.name);
    for handset in &arguments.handsets {
        let (ipei, code) = handset.split_once('=').map_or((handset.as_str(), None), |(i, c)| (i, Some(c)));
        let ipei: Ipei =
            ipei.parse().map_err(|error| Failure::Usage(format!("`{ipei}` is no IPEI: {error}")))?;
        config.handsets.push(HandsetConfig::new(ipei, code));
    }
    let mut options = BaseStationOptions::new(config, &host, port, security);
    options.channels = arguments.channels;
    options.media_address = arguments.media_address;
    let mut client = BaseStationClient::start(options).map_err(|error| Failure::Failed(error.to_string()))?;
    let mut console = Console::new();
    let mut reading = true;
    let mut ends = super::Ends::new();
    loop {
        tokio::select! {
            report = client.reports.recv() => match report {
                Some(report) => console.print(&report_line(&report)).await?,
                None => return Ok(()),
            },
            line = console.line(), if reading => if let Some(line) = line { match handset_command(&line) {
                Ok((handset, command)) => match handset.parse::<Ipei>() {
                    Ok(ipei) => client.command(ipei, command).await,
                    Err(error) => {
                        let at = line.find(&handset).unwrap_or_default();
                        let error = format!("`{handset}` is no IPEI: {error}");
                        console.print(&json!({ "ok": false, "error": error, "at": at })).await?;
                    }
                },
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

fn report_line(report: &BaseStationReport) -> Value {
    match report {
        BaseStationReport::ServerUp { name } => {
            json!({ "handset": null, "event": "server-up", "name": name })
        }
        BaseStationReport::ServerDown { reason } => {
            json!({ "handset": null, "event": "server-down", "reason": reason })
        }
        BaseStationReport::Refused { text } => json!({ "handset": null, "event": "refused", "reason": text }),
        BaseStationReport::Handset { ipei, event } => {
            let mut line = super::json(event);
            if let Value::Object(members) = &mut line {
                members.insert("handset".to_owned(), Value::String(name(*ipei)));
            }
            line
        }
        BaseStationReport::Talking { ipei } => json!({ "handset": name(*ipei), "event": "talking" }),
        BaseStationReport::Spoken { ipei } => json!({ "handset": name(*ipei), "event": "spoken" }),
        BaseStationReport::Talked { ipei, report, file } => json!({
            "handset": name(*ipei),
            "event": "talked",
            "packets_sent": report.counters.packets_sent,
            "packets_received": report.counters.packets_received,
            "packets_refused": report.counters.packets_unauthentic + report.counters.packets_refused,
            "seconds": report.recorded.len() as f64 / 8000.0,
            "file": file.as_ref().map(|file| file.display().to_string()),
        }),
        BaseStationReport::Failed { ipei, reason } => {
            json!({ "handset": ipei.map(name), "ok": false, "error": reason, "at": null })
        }
        _ => Value::Null,
    }
}

/// The identity as commands write it: without the check digit.
fn name(ipei: Ipei) -> String {
    format!("{:05} {:07}", ipei.emc(), ipei.psn())
}
