//! A site around a real server: front end, base station with one handset, and a Lync user, over sockets and TLS.

#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use dect_nwk::identity::Ipei;
use ipdect_server::config::{Configuration, StoreUrl};
use ipdect_server::core::status::Status;
use ipdect_server::run::{Options, Server};
use ipdect_server::web::Access;
use ipdect_sim::base::BaseConfig;
use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser, Password};
use ipdect_sim::handset::{HandsetConfig, HandsetEvent};
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::net::tls::Identity;
use ipdect_sim::net::{
    BaseStationClient, BaseStationOptions, BaseStationReport, FrontEndOptions, FrontEndServer, Security,
};
use tokio::time::timeout;

use crate::authority::{Authority, Folder, Wanted};

/// The handset's identity.
pub(crate) const JIM: &str = "05003 0070387";
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole site; users `jim` (the handset), `alice` and `bob`, accounts in the domain LAB with the password `Passw0rd`.
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) front_end: FrontEndServer,
    pub(crate) server: Server,
    pub(crate) base: BaseStationClient,
    /// Where the server keeps its call log.
    pub(crate) store: StoreUrl,
}

impl Site {
    /// Starts everything; the handset is subscribed and registered. `more` is added to the server's configuration.
    pub(crate) async fn start(name: &str, more: &str) -> Self {
        let (folder, authority) = (Folder::new(name), Authority::new("Root"));
        std::fs::write(folder.file("ca.pem"), authority.pem()).unwrap();
        let pair = authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
        std::fs::write(folder.file("host.pem"), pair.certificate).unwrap();
        std::fs::write(folder.file("host.key"), pair.key).unwrap();
        let authorities = ipdect_sim::net::tls::certificates(&folder.file("ca.pem")).unwrap();
        let identity = Identity::read(&folder.file("host.pem"), &folder.file("host.key")).unwrap();
        let name = Some("localhost".to_owned());

        let mut config = FrontEndConfig::new("localhost", "lab.test");
        config.trusted = vec!["localhost".to_owned()];
        config.wall_clock = SystemTime::now();
        for (user, tel) in [("jim", "+14255550200"), ("alice", "+14255550100"), ("bob", "+14255550101")] {
            let mut user = FrontEndUser::new(format!("sip:{user}@lab.test").parse().unwrap());
            user.tel = Some(tel.to_owned());
            (user.domain, user.account) = ("LAB".to_owned(), user.uri.user().unwrap_or_default().to_owned());
            user.password = Password("Passw0rd".to_owned());
            config.users.push(user);
        }
        let security =
            Security::Tls { identity: Some(identity), authorities: authorities.clone(), name: name.clone() };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut options = FrontEndOptions::new(config, listen, security);
        // Media of conferences: some stacks pass loopback over.
        options.media = Some([192, 0, 2, 10].into());
        let front_end = FrontEndServer::start(options).await.unwrap();

        let text = format!(
            "[sip]\ndefault_domain = \"lab.test\"\nlisten = \"127.0.0.1:0\"\n\
             proxies = [ {{ uri = \"sip:localhost:{}\" }} ]\n\
             [tls]\nca = [\"ca.pem\"]\npublic_roots = false\ncertificate = \"host.pem\"\nkey = \"host.key\"\n\
             [network]\nhostname = \"localhost\"\n[radio]\nlisten = \"127.0.0.1:0\"\nari = \"1f102f0e86\"\n\
             system_access_code = \"1234\"\n[web]\nlisten = \"127.0.0.1:0\"\n{more}\n\
             [[user]]\nipei = \"{JIM}\"\nusername = \"jim\"\ndisplay_name = \"Jim Kander\"\n",
            front_end.local.port()
        );
        let configuration = Configuration::parse(&text, &folder.file("ipdect.toml")).unwrap();
        let store = configuration.store.url.clone();
        let options =
            Options { configuration, configuration_file: None, access: Access::ReadOnly, ladder: None };
        let server = Server::start(options).await.unwrap();

        let mut config = BaseConfig::new(0, "hall");
        config.handsets.push(HandsetConfig::new(jim(), Some("1234")));
        let security = Security::Tls { identity: None, authorities, name };
        let radio = server.addresses().radio.port();
        let base =
            BaseStationClient::start(BaseStationOptions::new(config, "127.0.0.1", radio, security)).unwrap();
        let mut site = Self { folder, front_end, server, base, store };
        site.base_report(|report| matches!(report, BaseStationReport::ServerUp { .. }).then_some(())).await;
        site.tell(HandsetCommand::Subscribe(None)).await;
        site.handset_until(|event| *event == HandsetEvent::Located).await;
        site.status_until(|status| status.handsets[0].registered).await;
        site
    }

    /// Has the handset do something.
    pub(crate) async fn tell(&self, command: HandsetCommand) {
        self.base.command(jim(), command).await;
    }

    /// Waits for a report of the base station.
    pub(crate) async fn base_report<T>(
        &mut self,
        mut wanted: impl FnMut(&BaseStationReport) -> Option<T>,
    ) -> T {
        let mut seen = Vec::new();
        let found = timeout(PATIENCE, async {
            loop {
                let report = self.base.reports.recv().await.expect("the base station runs");
                if let Some(found) = wanted(&report) {
                    return found;
                }
                seen.push(format!("{report:.200?}"));
            }
        })
        .await;
        found.unwrap_or_else(|_| {
            let reported: Vec<_> = std::iter::from_fn(|| self.front_end.events.try_recv().ok()).collect();
            panic!("{seen:#?}\nfront end: {reported:#?}")
        })
    }

    /// Waits for an event of the handset.
    pub(crate) async fn handset_until(&mut self, wanted: impl Fn(&HandsetEvent) -> bool) {
        self.base_report(|report| match report {
            BaseStationReport::Handset { event, .. } if wanted(event) => Some(()),
            _ => None,
        })
        .await;
    }

    /// Waits for a state of the server.
    pub(crate) async fn status_until(&self, wanted: impl Fn(&Status) -> bool) -> Status {
        let found = timeout(PATIENCE, async {
            loop {
                let status = self.server.status().await.unwrap();
                if wanted(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        match found.await {
            Ok(status) => status,
            Err(late) => panic!("{late}: {:#?}", self.server.status().await),
        }
    }
}

/// The handset.
pub(crate) fn jim() -> Ipei {
    JIM.parse().unwrap()
}
