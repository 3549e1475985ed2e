//! What the front end is set to beyond its users: home servers, forwarding, groups, links, trunk, relays, faults.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipdect_sim::frontend::{
    CallSettings, Fault, FrontEndConfig, FrontEndUser, Homes, Hunting, NetworkLink, NetworkSite, Password,
    RelayAuthentication, ResponseGroup, Role, ServerAddress, StandingConference, Trunk,
};
use ipdect_sim::net::{Edge, EdgeOptions};
use sip_lync::turn::Credentials;
use sip_lync::turn::mras::{Location, MediaRelay};
use sip_lync::{SipUri, Uri};

use super::{Failure, host_and_port};

#[derive(Debug, clap::Args)]
pub(crate) struct SettingsArguments {
    /// Misbehave: see the README, section "Faults"; may be given several times.
    #[arg(long = "fault", value_name = "NAME[=…]")]
    faults: Vec<Fault>,
    /// Be a branch appliance rather than a server of a pool.
    #[arg(long)]
    branch: bool,
    /// Survivable mode: calls, but no presence.
    #[arg(long)]
    survivable: bool,
    /// The most endpoints of a user; the oldest goes.
    #[arg(long, value_name = "N", default_value_t = 8)]
    maximum_endpoints: usize,
    /// A user's home server and the backup; who registers elsewhere is redirected.
    #[arg(long, value_name = "USER=HOST:PORT[,HOST:PORT]")]
    home: Vec<String>,
    /// Calls for a user go there at once.
    #[arg(long, value_name = "USER=URI")]
    forward: Vec<String>,
    /// Calls that a user does not answer in time go there.
    #[arg(long, value_name = "USER=SECONDS,URI")]
    unanswered: Vec<String>,
    /// Rings together with a user.
    #[arg(long, value_name = "USER=URI")]
    simultaneous: Vec<String>,
    /// May answer for a user.
    #[arg(long, value_name = "USER=URI")]
    delegate: Vec<String>,
    /// A group: `sip:group@domain=parallel|serial|round-robin,AGENT[,AGENT…]`.
    #[arg(long, value_name = "URI=HUNTING,AGENT[,AGENT…]")]
    group: Vec<String>,
    /// A network site.
    #[arg(long, value_name = "NAME=ADDRESS/LENGTH")]
    site: Vec<String>,
    /// The room for audio on the link between two sites, in kbit/s; a call takes 100.
    #[arg(long, value_name = "NAME,NAME=KBIT")]
    link: Vec<String>,
    /// The gateway for numbers that no user has.
    #[arg(long, value_name = "HOST:PORT")]
    trunk: Option<String>,
    /// The identifier for media bypass, also at the gateway.
    #[arg(long, value_name = "GUID")]
    bypass: Option<String>,
    /// The user that takes calls for voice mail.
    #[arg(long, value_name = "sip:U@D")]
    voice_mail: Option<SipUri>,
    /// Voice mail that records: takes the calls of all users that are not set to go elsewhere, after so many seconds.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "20")]
    mailboxes: Option<u64>,
    /// A conference that stays: its organizer, its line, who is called when somebody is in it.
    #[arg(long, value_name = "ID=sip:U@D[,NUMBER][,URI…]")]
    conference: Vec<String>,
    /// Where conferences and voice mail receive media.
    #[arg(long, value_name = "IP")]
    pub(crate) media_address: Option<IpAddr>,
    /// Start an A/V Edge here and hand out credentials for it.
    #[arg(long, value_name = "ADDR")]
    edge: Option<SocketAddr>,
}

impl SettingsArguments {
    /// Writes everything into the configuration; the edge runs as long as it is kept.
    pub(crate) async fn apply(&self, config: &mut FrontEndConfig) -> Result<Option<Edge>, Failure> {
        config.faults.clone_from(&self.faults);
        config.role = if self.branch { Role::Branch } else { Role::Pool };
        config.survivable = self.survivable;
        config.maximum_endpoints = self.maximum_endpoints;
        config.voice_mail.clone_from(&self.voice_mail);
        config.provisioning.bypass_id.clone_from(&self.bypass);
        if let Some(user) = &self.voice_mail {
            config.provisioning.voice_mail_uri = Some(format!("{user};opaque=app:voicemail;gruu"));
        }
        for text in &self.home {
            let (user, servers) = user_and(config, text)?;
            let mut servers = servers.split(',').map(server);
            let primary = servers.next().ok_or_else(|| usage(text, "USER=HOST:PORT"))??;
            user.homes = Some(Homes { primary, backup: servers.next().transpose()? });
        }
        for (list, set) in [
            (&self.forward, forward as fn(&mut CallSettings, Uri)),
            (&self.simultaneous, |calls, uri| calls.simultaneous.push(uri)),
            (&self.delegate, |calls, uri| calls.delegates.push(uri)),
        ] {
            for text in list {
                let (user, target) = user_and(config, text)?;
                set(&mut user.calls, uri(target)?);
            }
        }
        for text in &self.unanswered {
            let (user, value) = user_and(config, text)?;
            let wrong = || usage(text, "USER=SECONDS,URI");
            let (seconds, target) = value.split_once(',').ok_or_else(wrong)?;
            user.calls.patience = Duration::from_secs(seconds.parse().map_err(|_| wrong())?);
            user.calls.unanswered = Some(uri(target)?);
        }
        if let Some(seconds) = self.mailboxes {
            config.mailboxes = true;
            for user in &mut config.users {
                if user.calls.unanswered.is_none() {
                    user.calls.unanswered = Some(uri(&format!("{};opaque=app:voicemail;gruu", user.uri))?);
                    user.calls.patience = Duration::from_secs(seconds);
                }
            }
        }
        for text in &self.conference {
            config.conferences.push(conference(text)?);
        }
        for text in &self.group {
            config.groups.push(group(text)?);
        }
        for text in &self.site {
            let wrong = || usage(text, "NAME=ADDRESS/LENGTH");
            let (name, network) = text.split_once('=').ok_or_else(wrong)?;
            let (address, length) = network.split_once('/').ok_or_else(wrong)?;
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let length = length.parse().map_err(|_| wrong())?;
            config.sites.push(NetworkSite { name: name.to_owned(), networks: vec![(address, length)] });
        }
        for text in &self.link {
            let wrong = || usage(text, "NAME,NAME=KBIT");
            let (names, audio) = text.split_once('=').ok_or_else(wrong)?;
            let (one, other) = names.split_once(',').ok_or_else(wrong)?;
            let audio = audio.parse().map_err(|_| wrong())?;
            config.links.push(NetworkLink { between: (one.to_owned(), other.to_owned()), audio });
        }
        if let Some(gateway) = &self.trunk {
            config.trunk = Some(Trunk { gateway: server(gateway)?, bypass: self.bypass.is_some() });
        }
        match self.edge {
            Some(address) => Ok(Some(edge(address, config).await?)),
            None => Ok(None),
        }
    }
}

fn forward(calls: &mut CallSettings, uri: Uri) {
    calls.forward = Some(uri);
}

fn usage(text: &str, form: &str) -> Failure {
    Failure::Usage(format!("`{text}` is not of the form {form}"))
}

fn uri(text: &str) -> Result<Uri, Failure> {
    Uri::parse(text).map_err(|_| usage(text, "sip:user@domain or tel:number"))
}

fn server(text: &str) -> Result<ServerAddress, Failure> {
    let (host, port) = host_and_port(text)?;
    Ok(ServerAddress::new(&host, port))
}

/// `USER=…`: the user of the users file, and the rest.
fn user_and<'a, 'b>(
    config: &'a mut FrontEndConfig,
    text: &'b str,
) -> Result<(&'a mut FrontEndUser, &'b str), Failure> {
    let (name, rest) = text.split_once('=').ok_or_else(|| usage(text, "USER=…"))?;
    let same = |user: &FrontEndUser| {
        user.uri.user().is_some_and(|user| user.eq_ignore_ascii_case(name))
            || user.uri.to_string().eq_ignore_ascii_case(name)
    };
    let user = config.users.iter_mut().find(|user| same(user));
    Ok((user.ok_or_else(|| Failure::Usage(format!("`{name}` is no user of the users file")))?, rest))
}

fn group(text: &str) -> Result<ResponseGroup, Failure> {
    let wrong = || usage(text, "sip:group@domain=parallel|serial|round-robin,sip:agent@domain[,…]");
    let (address, rest) = text.split_once('=').ok_or_else(wrong)?;
    let mut words = rest.split(',');
    let hunting = match words.next() {
        Some("parallel") => Hunting::Parallel,
        Some("serial") => Hunting::Serial,
        Some("round-robin") => Hunting::RoundRobin,
        _ => return Err(wrong()),
    };
    Ok(ResponseGroup {
        uri: SipUri::parse(address).map_err(|_| wrong())?,
        tel: None,
        agents: words.map(SipUri::parse).collect::<Result<_, _>>().map_err(|_| wrong())?,
        hunting,
        patience: Duration::from_secs(20),
        overflow: None,
    })
}

fn conference(text: &str) -> Result<StandingConference, Failure> {
    let wrong = || usage(text, "ID=sip:organizer@domain[,+NUMBER][,sip:invited@domain…]");
    let (id, rest) = text.split_once('=').ok_or_else(wrong)?;
    let mut words = rest.split(',').peekable();
    let organizer = words.next().and_then(|text| SipUri::parse(text).ok()).ok_or_else(wrong)?;
    let is_line = |word: &&str| word.starts_with(|first: char| first == '+' || first.is_ascii_digit());
    let tel = words.next_if(is_line).map(str::to_owned);
    Ok(StandingConference {
        id: id.to_owned(),
        organizer,
        tel,
        invited: words.map(uri).collect::<Result<_, _>>()?,
    })
}

/// Starts an edge with credentials of its own, which the front end hands out.
async fn edge(address: SocketAddr, config: &mut FrontEndConfig) -> Result<Edge, Failure> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|error| Failure::Failed(error.to_string()))?;
    let text = |octets: &[u8]| octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
    let (name, password) = (text(&random[..8]), text(&random[8..]));
    let credentials = Credentials::new(name.as_bytes(), password.as_bytes());
    let mut options = EdgeOptions::new(address, address);
    options.users.push(credentials.clone());
    let edge = Edge::start(options).await.map_err(|error| Failure::Failed(error.to_string()))?;
    let service = format!("sip:{}@{};gruu;opaque=srvr:MRAS:ipdectsim", config.host_name, config.domain);
    let relay = |location| MediaRelay {
        location,
        host: edge.udp.ip().to_string(),
        udp_port: edge.udp.port(),
        tcp_port: edge.tcp.port(),
    };
    config.relay_authentication = Some(RelayAuthentication {
        uri: SipUri::parse(&service).map_err(|error| Failure::Failed(error.to_string()))?,
        relays: vec![relay(Location::Intranet), relay(Location::Internet)],
        credentials,
        password: Password(password),
        lifetime: Duration::from_hours(8),
    });
    config.provisioning.mras_uri = Some(service);
    Ok(edge)
}
