//! `edge`: an A/V Edge; one JSON line with its addresses, then one per event.

use base64ct::{Base64, Encoding as _};
use ipdect_sim::net::{Edge, EdgeOptions};
use serde_json::json;
use sip_lync::turn::Credentials;
use sip_lync::turn::server::Event;

use super::{Failure, print};
use crate::EdgeArguments;

pub(crate) async fn edge(arguments: EdgeArguments) -> Result<(), Failure> {
    let mut options = EdgeOptions::new(arguments.udp, arguments.tcp.unwrap_or(arguments.udp));
    if let Some(relay) = arguments.relay {
        options.config.relay = relay;
    }
    if let Some((first, last)) = arguments.ports.split_once('-')
        && let (Ok(first), Ok(last)) = (first.parse(), last.parse())
    {
        options.config.ports = first..=last;
    } else {
        return Err(Failure::Usage(format!("`{}` is not of the form FIRST-LAST", arguments.ports)));
    }
    for user in &arguments.users {
        let wrong = || Failure::Usage(format!("`{user}` is not of the form BASE64:BASE64"));
        let (name, password) = user.split_once(':').ok_or_else(wrong)?;
        let decoded = |text: &str| Base64::decode_vec(text).map_err(|_| wrong());
        options.users.push(Credentials::new(&decoded(name)?, &decoded(password)?));
    }
    let mut edge = Edge::start(options).await.map_err(|error| Failure::Failed(error.to_string()))?;
    let mut out = tokio::io::stdout();
    let listening = json!({ "event": "listening", "udp": edge.udp.to_string(), "tcp": edge.tcp.to_string() });
    print(&mut out, &listening).await?;
    let mut ends = super::Ends::new();
    loop {
        tokio::select! {
            event = edge.events.recv() => match event {
                Some(event) => print(&mut out, &line(&event)).await?,
                None => return Ok(()),
            },
            () = ends.next() => return Ok(()),
        }
    }
}

fn line(event: &Event) -> serde_json::Value {
    match event {
        Event::Allocated { client, relay } => {
            json!({ "event": "allocated", "client": format!("{client:?}"), "relay": relay.to_string() })
        }
        Event::Activated { relay, peer } => {
            json!({ "event": "activated", "relay": relay.to_string(), "peer": peer.to_string() })
        }
        Event::Freed { relay } => json!({ "event": "freed", "relay": relay.to_string() }),
        other => json!({ "event": format!("{other:?}") }),
    }
}
