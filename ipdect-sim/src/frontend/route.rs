//! The recorded route: how a request inside a dialog finds the other side.

use super::FlowId;
use crate::seed::{Random, hexadecimal};

/// The two connections of a dialog, as they stand in the signed Record-Route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DialogFlows {
    /// The connection of the caller.
    pub caller: FlowId,
    /// The connection of the called endpoint.
    pub called: FlowId,
}

impl DialogFlows {
    /// The connection on the other side of the one a request came in on.
    pub(super) fn other(self, from: FlowId) -> Option<FlowId> {
        if from == self.caller {
            Some(self.called)
        } else if from == self.called {
            Some(self.caller)
        } else {
            None
        }
    }
}

/// A Route that names this front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// One that it wrote.
    Valid(DialogFlows),
    /// One that it did not write, or wrote before a restart: ErrorId 1004.
    Forged,
}

/// The value of a Record-Route header: address, connections and signature in the URI, more parameters behind it.
pub(super) fn record(random: &Random, host: &str, port: u16, tls: bool, flows: DialogFlows) -> String {
    let transport = if tls { "tls" } else { "tcp" };
    let state = state(flows);
    let signature = signature(random, host, &state);
    let header = hexadecimal(&random.keyed(format!("{signature}rr").as_bytes()));
    let rrsig = header.get(..16).unwrap_or_default();
    let tag = header.get(16..32).unwrap_or_default().to_ascii_uppercase();
    format!(
        "<sip:{host}:{port};transport={transport};ms-fe={host};opaque={STATE}{state};lr;ms-route-sig={signature}>;ms-rrsig={rrsig};tag={tag}"
    )
}

/// Reads a Route URI; none: it does not name this front end. Another server may have the same host and another port.
pub(super) fn read(random: &Random, host: &str, port: u16, uri: &str) -> Option<Recorded> {
    let named = uri.strip_prefix("sip:").or_else(|| uri.strip_prefix("sips:"))?;
    let authority = named.get(..named.find([';', '?', '>']).unwrap_or(named.len()))?;
    let (named_host, named_port) =
        authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((authority, ""));
    if !named_host.eq_ignore_ascii_case(host) || named_port.parse().is_ok_and(|named: u16| named != port) {
        return None;
    }
    let given = parameter(named, "ms-route-sig=");
    let state = parameter(named, &format!("opaque={STATE}"));
    let (Some(given), Some(state)) = (given, state) else { return Some(Recorded::Forged) };
    if signature(random, host, state) != given {
        return Some(Recorded::Forged);
    }
    let flows = state.split_once('.').and_then(|(caller, called)| {
        Some(DialogFlows {
            caller: FlowId(u32::from_str_radix(caller, 16).ok()?),
            called: FlowId(u32::from_str_radix(called, 16).ok()?),
        })
    });
    Some(flows.map_or(Recorded::Forged, Recorded::Valid))
}

fn parameter<'a>(uri: &'a str, name: &str) -> Option<&'a str> {
    let at = uri.find(&format!(";{name}"))? + 1 + name.len();
    let rest = uri.get(at..)?;
    rest.get(..rest.find([';', '>', '?']).unwrap_or(rest.len()))
}

fn state(flows: DialogFlows) -> String {
    format!("{:x}.{:x}", flows.caller.0, flows.called.0)
}

fn signature(random: &Random, host: &str, state: &str) -> String {
    let mut text =
        hexadecimal(&random.keyed(format!("route {} {state}", host.to_ascii_lowercase()).as_bytes()));
    text.truncate(32);
    text
}

const STATE: &str = "state:F:Ci.R";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn uri(random: &Random) -> String {
        let flows = DialogFlows { caller: FlowId(3), called: FlowId(0x2a) };
        let value = record(random, "fe1.example.net", 5061, true, flows);
        value.get(1..value.find('>').expect("closed")).expect("within").to_owned()
    }

    #[test]
    fn a_route_leads_to_the_other_side() {
        let random = Random::new(Seed::from_number(1));
        let Some(Recorded::Valid(flows)) = read(&random, "fe1.example.net", 5061, &uri(&random)) else {
            panic!("our own route is valid")
        };
        assert_eq!(flows.other(FlowId(3)), Some(FlowId(0x2a)));
        assert_eq!(flows.other(FlowId(0x2a)), Some(FlowId(3)));
        assert_eq!(flows.other(FlowId(4)), None);
    }

    #[test]
    fn a_changed_route_and_one_from_before_a_restart_are_recognised() {
        let random = Random::new(Seed::from_number(1));
        let changed = uri(&random).replace("R3.2a", "R3.2b");
        assert_eq!(read(&random, "fe1.example.net", 5061, &changed), Some(Recorded::Forged));
        let restarted = Random::new(Seed::from_number(2));
        assert_eq!(read(&restarted, "fe1.example.net", 5061, &uri(&random)), Some(Recorded::Forged));
        assert_eq!(read(&random, "fe2.example.net", 5061, &uri(&random)), None);
    }

    #[test]
    fn a_route_of_another_server_on_the_same_host_is_not_ours() {
        let random = Random::new(Seed::from_number(1));
        assert_eq!(read(&random, "127.0.0.1", 5071, "sip:127.0.0.1:5061;transport=tls;lr"), None);
        assert_eq!(read(&random, "127.0.0.1", 5071, "sip:127.0.0.1:5071;lr"), Some(Recorded::Forged));
        assert_eq!(read(&random, "fe1.example.net", 5061, "sip:fe1.example.net;lr"), Some(Recorded::Forged));
        assert_eq!(read(&random, "[::1]", 5061, "sip:[::1];lr"), Some(Recorded::Forged));
        assert_eq!(read(&random, "[::1]", 5061, "sip:[::1]:5060;lr"), None);
    }
}
