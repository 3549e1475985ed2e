//! The server between a simulated front end and a simulated base station, over real sockets and TLS: subscription on
//! air, registration, a call both ways with speech over SRTP, and a restart that forgets nothing.

mod authority;

use std::net::SocketAddr;
use std::time::Duration;

use authority::{Authority, Folder, Wanted};
use dect_nwk::identity::Ipei;
use ipdect_server::config::Configuration;
use ipdect_server::core::status::Status;
use ipdect_server::run::{Ending, Options, Server};
use ipdect_server::store::Store;
use ipdect_server::web::Access;
use ipdect_sim::base::BaseConfig;
use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser};
use ipdect_sim::handset::{HandsetConfig, HandsetEvent};
use ipdect_sim::json::{HandsetCommand, UserCommand};
use ipdect_sim::net::tls::Identity;
use ipdect_sim::net::{
    BaseStationClient, BaseStationOptions, BaseStationReport, FrontEndOptions, FrontEndServer,
    LyncUserClient, LyncUserOptions, LyncUserReport, Security,
};
use ipdect_sim::user::{Event, UserConfig};
use telephony_audio::correlation::audio_match;
use tokio::time::timeout;

const JIM: &str = "05003 0070387";
const PATIENCE: Duration = Duration::from_secs(30);

struct Laboratory {
    folder: Folder,
    authority: Authority,
}

impl Laboratory {
    fn new() -> Self {
        let (folder, authority) = (Folder::new("loopback"), Authority::new("Root"));
        std::fs::write(folder.file("ca.pem"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    /// A certificate for a name, as the simulators take it.
    fn security(&self, name: &str) -> Security {
        let pair = self.authority.issue(&Wanted { alternative: &[name], ..Wanted::default() });
        let (certificate, key) =
            (self.folder.file(&format!("{name}.pem")), self.folder.file(&format!("{name}.key")));
        std::fs::write(&certificate, pair.certificate).unwrap();
        std::fs::write(&key, pair.key).unwrap();
        Security::Tls {
            identity: Some(Identity::read(&certificate, &key).unwrap()),
            authorities: ipdect_sim::net::tls::certificates(&self.folder.file("ca.pem")).unwrap(),
            name: Some("localhost".to_owned()),
        }
    }

    fn configuration(&self, front_end: SocketAddr) -> Configuration {
        self.security("host");
        let pair = self.authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
        std::fs::write(self.folder.file("host.pem"), pair.certificate).unwrap();
        std::fs::write(self.folder.file("host.key"), pair.key).unwrap();
        let text = format!(
            "[sip]\ndefault_domain = \"example.net\"\nlisten = \"127.0.0.1:0\"\n\
             proxies = [ {{ uri = \"sip:localhost:{}\" }} ]\n\
             [tls]\nca = [\"ca.pem\"]\npublic_roots = false\ncertificate = \"host.pem\"\nkey = \"host.key\"\n\
             [network]\nhostname = \"localhost\"\n[radio]\nlisten = \"127.0.0.1:0\"\nari = \"1f102f0e86\"\n\
             system_access_code = \"1234\"\n[web]\nlisten = \"127.0.0.1:0\"\n[media]\nvoice_channels = 4\n\
             [[user]]\nipei = \"{JIM}\"\nusername = \"jim\"\ndisplay_name = \"Jim Kander\"\n",
            front_end.port()
        );
        Configuration::parse(&text, &self.folder.file("ipdect.toml")).unwrap()
    }

    async fn server(&self, front_end: SocketAddr) -> Server {
        let configuration = self.configuration(front_end);
        let access = Access::ReadOnly;
        Server::start(Options { configuration, configuration_file: None, access, ladder: None })
            .await
            .unwrap()
    }

    async fn front_end(&self) -> FrontEndServer {
        let mut config = FrontEndConfig::new("localhost", "example.net");
        config.trusted = vec!["localhost".to_owned()];
        for (name, tel) in [("jim", "+14255550200"), ("alice", "+14255550100")] {
            let mut user = FrontEndUser::new(format!("sip:{name}@example.net").parse().unwrap());
            user.tel = Some(tel.to_owned());
            config.users.push(user);
        }
        let listen = "127.0.0.1:0".parse().unwrap();
        FrontEndServer::start(FrontEndOptions::new(config, listen, self.security("localhost"))).await.unwrap()
    }

    async fn alice(&self, front_end: SocketAddr) -> LyncUserClient {
        let mut config = UserConfig::new("sip:alice@example.net".parse().unwrap());
        config.display_name = Some("Alice".to_owned());
        let options = LyncUserOptions::new(config, "localhost", front_end.port(), self.security("localhost"));
        let mut alice = LyncUserClient::start(options).await.unwrap();
        user_until(&mut alice, |event| matches!(event, Event::Registered { .. })).await;
        alice
    }

    fn base(&self, server: SocketAddr) -> BaseStationClient {
        let mut config = BaseConfig::new(0, "hall");
        config.handsets.push(HandsetConfig::new(jim(), Some("1234")));
        let security = Security::Tls {
            identity: None,
            authorities: ipdect_sim::net::tls::certificates(&self.folder.file("ca.pem")).unwrap(),
            name: Some("localhost".to_owned()),
        };
        BaseStationClient::start(BaseStationOptions::new(config, "127.0.0.1", server.port(), security))
            .unwrap()
    }
}

fn jim() -> Ipei {
    JIM.parse().unwrap()
}

async fn base_report<T>(
    base: &mut BaseStationClient,
    mut wanted: impl FnMut(&BaseStationReport) -> Option<T>,
) -> T {
    let mut seen = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let report = base.reports.recv().await.expect("the base station runs");
            if let Some(found) = wanted(&report) {
                return found;
            }
            seen.push(format!("{report:.200?}"));
        }
    })
    .await;
    found.unwrap_or_else(|_| panic!("{seen:#?}"))
}

async fn handset_until(base: &mut BaseStationClient, wanted: impl Fn(&HandsetEvent) -> bool) {
    base_report(base, |report| match report {
        BaseStationReport::Handset { event, .. } if wanted(event) => Some(()),
        _ => None,
    })
    .await;
}

async fn user_report<T>(
    user: &mut LyncUserClient,
    mut wanted: impl FnMut(&LyncUserReport) -> Option<T>,
) -> T {
    let mut seen = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let report = user.reports.recv().await.expect("the user runs");
            if let Some(found) = wanted(&report) {
                return found;
            }
            seen.push(format!("{report:.200?}"));
        }
    })
    .await;
    found.unwrap_or_else(|_| panic!("{seen:#?}"))
}

async fn user_until(user: &mut LyncUserClient, wanted: impl Fn(&Event) -> bool) {
    user_report(user, |report| match report {
        LyncUserReport::Event(event) if wanted(event) => Some(()),
        _ => None,
    })
    .await;
}

async fn status_until(server: &Server, wanted: impl Fn(&Status) -> bool) -> Status {
    let found = timeout(PATIENCE, async {
        loop {
            let status = server.status().await.unwrap();
            if wanted(&status) {
                return status;
            }
            tokio::task::yield_now().await;
        }
    });
    match found.await {
        Ok(status) => status,
        Err(late) => panic!("{late}: {:#?}", server.status().await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handset_and_a_lync_user_talk_both_ways_over_real_sockets() {
    let laboratory = Laboratory::new();
    let front_end = laboratory.front_end().await;
    let server = laboratory.server(front_end.local).await;
    let mut alice = laboratory.alice(front_end.local).await;
    let mut base = laboratory.base(server.addresses().radio);
    base_report(&mut base, |report| matches!(report, BaseStationReport::ServerUp { .. }).then_some(())).await;
    base.command(jim(), HandsetCommand::Subscribe(None)).await;
    handset_until(&mut base, |event| *event == HandsetEvent::Located).await;
    let status = status_until(&server, |status| status.handsets[0].registered).await;
    assert_eq!(status.base_stations[0].state, "connected");
    assert!(status.handsets[0].gruu.is_some());

    base.command(jim(), HandsetCommand::Dial("+14255550100".to_owned())).await;
    user_until(&mut alice, |event| matches!(event, Event::Incoming { .. })).await;
    alice.command(UserCommand::Answer).await;
    handset_until(&mut base, |event| *event == HandsetEvent::Connected).await;
    let status =
        status_until(&server, |status| status.calls.first().is_some_and(|call| call.state == "connected"))
            .await;
    assert_eq!(status.calls[0].srtp.as_deref(), Some("AES_CM_128_HMAC_SHA1_80"));
    assert_eq!(status.channels.in_use, 1);

    // What is said before there is a way is lost.
    user_until(&mut alice, |event| matches!(event, Event::Way { dialect: "ms-ice2", .. })).await;
    let [first, second] = ipdect_sim::speech::sentences();
    base.play(jim(), first.clone()).await;
    alice.play(second.clone()).await;
    base_report(&mut base, |report| matches!(report, BaseStationReport::Spoken { .. }).then_some(())).await;
    user_report(&mut alice, |report| matches!(report, LyncUserReport::Spoken { .. }).then_some(())).await;
    base.command(jim(), HandsetCommand::HangUp).await;
    let heard_by_alice = user_report(&mut alice, |report| match report {
        LyncUserReport::Talked { report, .. } => Some(report.recorded.clone()),
        _ => None,
    })
    .await;
    let heard_by_jim = base_report(&mut base, |report| match report {
        BaseStationReport::Talked { report, .. } => Some(report.recorded.clone()),
        _ => None,
    })
    .await;
    let (to_alice, to_jim) = (audio_match(&first, &heard_by_alice), audio_match(&second, &heard_by_jim));
    assert!(to_alice > 0.9 && to_jim > 0.9, "{to_alice} {to_jim}");
    assert!(audio_match(&first, &heard_by_jim) < 0.7, "the sentences differ");
    let status = status_until(&server, |status| status.calls.is_empty()).await;
    assert_eq!(status.channels.in_use, 0);

    assert_eq!(timeout(PATIENCE, server.stop()).await.unwrap(), Ending::Clean);
    base.stop().await;
    let store = Store::open(&laboratory.configuration(front_end.local).store.url).unwrap();
    let calls = store.calls(Some(JIM), 10).unwrap();
    assert_eq!(
        (calls.len(), calls[0].outcome.as_str(), calls[0].direction.as_str()),
        (1, "answered", "handset-to-lync")
    );
    assert_eq!(store.restored().unwrap().subscriptions.len(), 1);
    drop(store);

    let server = laboratory.server(front_end.local).await;
    let status = server.status().await.unwrap();
    assert!(status.handsets[0].subscribed, "the subscription survived: {:?}", status.handsets[0]);
    assert_eq!(timeout(PATIENCE, server.stop()).await.unwrap(), Ending::Clean);
}
