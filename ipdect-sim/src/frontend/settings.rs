//! What users, groups and lines are set to: forwarding, delegates, hunting, links, the way to the telephone network.

use core::time::Duration;
use std::net::IpAddr;

use sip_lync::turn::Credentials;
use sip_lync::turn::mras::MediaRelay;
use sip_lync::{SipUri, Uri};

/// The address of a server as others dial it.
///
/// RFC 3261 19.1.1
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerAddress {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl ServerAddress {
    /// A server at a port.
    ///
    /// RFC 3261 19.1.1
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_ascii_lowercase(), port }
    }
}

/// The front ends that a user belongs to.
///
/// MS-SIPREGE 3.2.5 (redirection to the home server)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Homes {
    /// The home server.
    pub primary: ServerAddress,
    /// The one that takes the user while the home server is away.
    pub backup: Option<ServerAddress>,
}

/// What the front end is.
///
/// MS-SIPREGE 2.2.1 (Presence-State)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A server of a pool.
    #[default]
    Pool,
    /// A survivable branch appliance: registers users of its branch, presence is at the pool.
    Branch,
}

/// What happens to calls for a user.
///
/// MS-SIPRE 3 (routing of calls); observed with Lync 2013
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSettings {
    /// Where all calls go at once.
    pub forward: Option<Uri>,
    /// What rings together with the user's endpoints.
    pub simultaneous: Vec<Uri>,
    /// Who may answer for the user: they ring too.
    pub delegates: Vec<Uri>,
    /// Where a call goes that nobody answered or nobody could be reached for.
    pub unanswered: Option<Uri>,
    /// How long it rings before that.
    pub patience: Duration,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            forward: None,
            simultaneous: Vec::new(),
            delegates: Vec::new(),
            unanswered: None,
            patience: Duration::from_secs(20),
        }
    }
}

/// How a group looks for somebody who answers.
///
/// Observed with Lync 2013 (response group: routing methods)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hunting {
    /// All at once.
    Parallel,
    /// One after the other, each time from the first.
    Serial,
    /// One after the other, each time from the next.
    RoundRobin,
}

/// A response group: one address, several agents.
///
/// Observed with Lync 2013 (response group)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseGroup {
    /// `sip:helpdesk@domain`.
    pub uri: SipUri,
    /// Its line, without `tel:`.
    pub tel: Option<String>,
    /// Who answers.
    pub agents: Vec<SipUri>,
    /// In which order.
    pub hunting: Hunting,
    /// How long each agent rings.
    pub patience: Duration,
    /// Where a call goes that no agent answered.
    pub overflow: Option<Uri>,
}

/// A network site: the addresses of its endpoints.
///
/// MS-SIPREGE 2.2.1 (ms-subnet); observed with Lync 2013 (call admission control)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSite {
    /// Its name.
    pub name: String,
    /// First address and length of the prefix.
    pub networks: Vec<(IpAddr, u8)>,
}

impl NetworkSite {
    /// Whether an address belongs to it.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|(network, length)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub((*length).into())).unwrap_or(0);
                u32::from(*network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub((*length).into())).unwrap_or(0);
                u128::from(*network) & mask == u128::from(address) & mask
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => false,
        })
    }
}

/// A link between two sites with the room it has for audio.
///
/// Observed with Lync 2013 (call admission control)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkLink {
    /// The names of the sites.
    pub between: (String, String),
    /// What all calls together may take, in kbit/s.
    pub audio: u32,
}

/// The service that hands out credentials for relays.
///
/// MS-AVEDGEA 3.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayAuthentication {
    /// What the settings name as `mrasUri`.
    pub uri: SipUri,
    /// The relays.
    pub relays: Vec<MediaRelay>,
    /// What the relays take.
    pub credentials: Credentials,
    /// The password of these, once more.
    pub password: super::Password,
    /// How long credentials are good.
    pub lifetime: Duration,
}

/// A conference that is there before anybody joins and after all have left.
///
/// MS-CONFBAS 3.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingConference {
    /// What names it: `5D3JHFSS`.
    pub id: String,
    /// Whose it is.
    pub organizer: SipUri,
    /// Its line, without `tel:`: whoever calls it is in the conference.
    pub tel: Option<String>,
    /// Who is called as soon as somebody is in it.
    pub invited: Vec<Uri>,
}

/// The way to the telephone network: a gateway behind a mediation server.
///
/// MS-OCPSTN 3
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// The gateway.
    pub gateway: ServerAddress,
    /// Whether callers at the same bypass location send their media to the gateway itself.
    pub bypass: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_site_of_its_network() {
        let site = NetworkSite {
            name: "north".to_owned(),
            networks: vec![
                ("192.0.2.0".parse().expect("an address"), 25),
                ("2001:db8::".parse().expect("an address"), 32),
            ],
        };
        for (address, belongs) in [
            ("192.0.2.127", true),
            ("192.0.2.128", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::ffff:192.0.2.1", false),
        ] {
            assert_eq!(site.contains(address.parse().expect("an address")), belongs, "{address}");
        }
        let everything =
            NetworkSite { name: String::new(), networks: vec![("0.0.0.0".parse().expect("an address"), 0)] };
        assert!(everything.contains("203.0.113.9".parse().expect("an address")));
    }
}
