//! Everything that a demonstration needs: the server, and the world around it, over real sockets on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use dect_nwk::identity::Ipei;
use ipdect_sim::base::BaseConfig;
use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser};
use ipdect_sim::handset::HandsetConfig;
use ipdect_sim::net::{
    BaseStationClient, BaseStationOptions, FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions,
    Security,
};
use ipdect_sim::user::UserConfig;
use tokio::sync::mpsc;

use super::certificates::Authority;
use crate::config::{Configuration, Fingerprint};
use crate::core::vocabulary::LadderStep;
use crate::random;
use crate::run::{Options, Server};
use crate::web::Access;

const DOMAIN: &str = "example.net";
const HOST: &str = "dect.example.net";
const POOL: &str = "pool.example.net";
const CLIENT: &str = "client.example.net";
/// Telephone number of the simulated Lync user.
pub(super) const ALICE: &str = "+14255550100";
/// What the handsets' owners type to subscribe.
const ACCESS_CODE: &str = "7391";
/// Handsets at one base station.
const PER_BASE: usize = 8;
/// Manufacturer and first number of the simulated handsets.
const FIRST: (u16, u32) = (5003, 70_387);

/// A simulated handset and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phone {
    pub(super) ipei: Ipei,
    pub(super) base: usize,
}

/// Everything that runs.
pub(super) struct Installation {
    pub(super) folder: Folder,
    pub(super) server: Server,
    pub(super) front_end: FrontEndServer,
    pub(super) alice: LyncUserClient,
    pub(super) bases: Vec<BaseStationClient>,
    pub(super) phones: Vec<Phone>,
}

/// A folder that goes with the demonstration.
pub(super) struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let [a, b, c, d, ..]: [u8; 32] = random::octets();
        let path = std::env::temp_dir().join(format!("ipdect-demo-{a:02x}{b:02x}{c:02x}{d:02x}"));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own tidying.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// The address of a handset's user.
pub(super) fn address_of(number: usize) -> String {
    format!("{}@{DOMAIN}", user_name(number))
}

/// The name of a handset's user.
pub(super) fn user_name(number: usize) -> String {
    match number {
        0 => "jim.kander".to_owned(),
        1 => "ann.howe".to_owned(),
        other => format!("handset{}", other + 1),
    }
}

/// The name shown to others.
fn display_name(number: usize) -> String {
    match number {
        0 => "Jim Kander".to_owned(),
        1 => "Ann Howe".to_owned(),
        other => format!("Handset {}", other + 1),
    }
}

fn ipei_of(number: usize) -> Result<Ipei, String> {
    Ipei::new(FIRST.0, FIRST.1 + number as u32).map_err(|error| error.to_string())
}

impl Installation {
    /// Starts everything. `web` is where the page should be, if that port is free.
    pub(super) async fn start(
        handsets: usize,
        web: SocketAddr,
        ladder: mpsc::Sender<LadderStep>,
    ) -> Result<Self, String> {
        let words = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
        let folder = Folder::new().map_err(words("no folder for the demonstration's files can be made"))?;
        let authority = Authority::new().map_err(|error| format!("no certificates can be made: {error}"))?;
        let issue = |names: &[&str]| {
            authority.issue(names).map_err(|error| format!("no certificates can be made: {error}"))
        };
        let written = words("the demonstration's files cannot be written");
        authority.write(&folder.path().join("ca.pem")).map_err(written)?;
        issue(&[HOST])?
            .write(&folder.path().join("host.pem"), &folder.path().join("host.key"))
            .map_err(written)?;

        let pool = issue(&[POOL, "localhost"])?;
        // For programs that want to try the server as a front end would.
        pool.write(&folder.path().join("pool.pem"), &folder.path().join("pool.key")).map_err(written)?;
        let mut front_end = FrontEndConfig::new(POOL, DOMAIN);
        front_end.trusted = vec![HOST.to_owned(), CLIENT.to_owned()];
        front_end.users = users(handsets)?;
        let security = Security::Tls {
            identity: Some(pool.identity()),
            authorities: vec![authority.certificate()],
            name: None,
        };
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let front_end = FrontEndServer::start(FrontEndOptions::new(front_end, loopback, security))
            .await
            .map_err(words("the simulated front end cannot start"))?;

        // The base stations share one certificate, which is pinned.
        let radio_part = issue(&["base-station.example.net"])?;
        let file = folder.path().join("ipdect.toml");
        let text = configuration(handsets, front_end.local.port(), web, radio_part.fingerprint());
        std::fs::write(&file, &text).map_err(written)?;
        let configuration = Configuration::load(&file).map_err(|problems| problems.to_string())?;
        let options = Options {
            configuration,
            configuration_file: None,
            access: Access::ReadOnly,
            ladder: Some(ladder),
        };
        let server = Server::start(options).await.map_err(|failure| failure.to_string())?;
        let radio = server.addresses().radio;

        let mut phones = Vec::new();
        let mut bases = Vec::new();
        for base in 0..handsets.div_ceil(PER_BASE) {
            let mut config = BaseConfig::new(base as u8, &format!("base station {}", base + 1));
            for number in base * PER_BASE..handsets.min((base + 1) * PER_BASE) {
                let ipei = ipei_of(number)?;
                config.handsets.push(HandsetConfig::new(ipei, Some(ACCESS_CODE)));
                phones.push(Phone { ipei, base });
            }
            let security = Security::Tls {
                identity: Some(radio_part.identity()),
                authorities: vec![authority.certificate()],
                name: Some(HOST.to_owned()),
            };
            let options = BaseStationOptions::new(config, &radio.ip().to_string(), radio.port(), security);
            bases.push(
                BaseStationClient::start(options).map_err(words("a simulated base station cannot start"))?,
            );
        }

        let mut alice = UserConfig::new(
            format!("sip:alice@{DOMAIN}").parse().map_err(|error| format!("alice's address: {error}"))?,
        );
        alice.display_name = Some("Alice Archer".to_owned());
        let security = Security::Tls {
            identity: Some(issue(&[CLIENT])?.identity()),
            authorities: vec![authority.certificate()],
            name: Some(POOL.to_owned()),
        };
        let address = front_end.local;
        let options = LyncUserOptions::new(alice, &address.ip().to_string(), address.port(), security);
        let alice =
            LyncUserClient::start(options).await.map_err(words("the simulated Lync user cannot start"))?;
        Ok(Self { folder, server, front_end, alice, bases, phones })
    }
}

fn users(handsets: usize) -> Result<Vec<FrontEndUser>, String> {
    let user = |address: String, tel: Option<&str>, name: &str| {
        let uri = format!("sip:{address}").parse().map_err(|error| format!("{address}: {error}"))?;
        let mut user = FrontEndUser::new(uri);
        user.tel = tel.map(str::to_owned);
        user.display_name = Some(name.to_owned());
        Ok(user)
    };
    let alice = user(format!("alice@{DOMAIN}"), Some(ALICE), "Alice Archer");
    std::iter::once(alice)
        .chain((0..handsets).map(|number| user(address_of(number), None, &display_name(number))))
        .collect()
}

/// The configuration of the demonstration, as an administrator would write it.
fn configuration(handsets: usize, front_end: u16, web: SocketAddr, base_station: Fingerprint) -> String {
    let mut text = format!(
        r#"# The configuration of one demonstration; it goes with it.
[lync]
authentication = "trusted-server"
[sip]
default_domain = "{DOMAIN}"
proxies = [{{ uri = "sip:localhost:{front_end}" }}]
listen = "127.0.0.1:0"
[media]
srtp = "required"
address = "127.0.0.1"
[tls]
ca = ["ca.pem"]
public_roots = false
certificate = "host.pem"
key = "host.key"
[network]
hostname = "{HOST}"
[radio]
listen = "127.0.0.1:0"
base_stations = ["{base_station}"]
ari = "1f102f0e86"
system_access_code = "{ACCESS_CODE}"
[store]
url = "sqlite:data/ipdect.db"
[web]
listen = "{web}"
# Five minutes each in real life; two seconds here, so that nobody has to wait.
[presence]
available = 2
inactive = 2
"#
    );
    for number in 0..handsets {
        let (emc, psn) = FIRST;
        let psn = psn + number as u32;
        let name = user_name(number);
        text += &format!(
            "[[user]]\nipei = \"{emc:05} {psn:07}\"\nusername = \"{name}\"\ndisplay_name = \"{}\"\n",
            display_name(number)
        );
    }
    text
}
