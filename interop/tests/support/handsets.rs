//! A server at kamailio, a base station, and a handset that is subscribed and registered.

#![allow(dead_code, reason = "each test uses its part")]

use std::time::Duration;

use dect_nwk::identity::Ipei;
use ipdect_server::config::Configuration;
use ipdect_server::core::status::Status;
use ipdect_server::run::{Options, Server};
use ipdect_server::web::Access;
use ipdect_sim::base::BaseConfig;
use ipdect_sim::handset::{HandsetConfig, HandsetEvent};
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::net::{BaseStationClient, BaseStationOptions, BaseStationReport, Security};
use tokio::time::timeout;

use crate::telephony::{Kamailio, PATIENCE};

/// The handset's identity; its user is `jim`.
const JIM: &str = "05003 0070387";

pub(crate) struct Handset {
    pub(crate) server: Server,
    base: BaseStationClient,
    ipei: Ipei,
    seen: Vec<String>,
}

impl Handset {
    /// Starts everything; `media` is added to the section of that name.
    pub(crate) async fn start(kamailio: &Kamailio, media: &str) -> Self {
        Self::start_at(Kamailio::MUTUAL_TLS, "lab.test", kamailio, media).await
    }

    /// The same with another front end than kamailio, whose certificates all have, and its domain.
    pub(crate) async fn start_at(front_end: &str, domain: &str, kamailio: &Kamailio, media: &str) -> Self {
        let place = &kamailio.folder;
        let text = format!(
            "[sip]\ndefault_domain = \"{domain}\"\nlisten = \"127.0.0.1:0\"\n\
             proxies = [ {{ uri = \"sip:{front_end}\" }} ]\n[lync]\ntrusted_peers = [\"lab.test\"]\n\
             [tls]\nca = [\"ca.pem\"]\npublic_roots = false\ncertificate = \"client.pem\"\nkey = \"client.key\"\n\
             [network]\nhostname = \"localhost\"\n[media]\naddress = \"192.0.2.10\"\n{media}\n\
             [radio]\nlisten = \"127.0.0.1:0\"\nari = \"1f102f0e86\"\ntransport = \"tcp\"\nsystem_access_code = \"1234\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n\
             [[user]]\nipei = \"{JIM}\"\nusername = \"jim\"\ndisplay_name = \"Jim Kander\"\n",
        );
        let configuration = Configuration::parse(&text, &place.file("ipdect.toml")).expect("a configuration");
        let options =
            Options { configuration, configuration_file: None, access: Access::ReadOnly, ladder: None };
        let server = Server::start(options).await.expect("free ports");
        let ipei: Ipei = JIM.parse().expect("an IPEI");
        let mut config = BaseConfig::new(0, "hall");
        config.handsets.push(HandsetConfig::new(ipei, Some("1234")));
        let radio = server.addresses().radio.port();
        let base =
            BaseStationClient::start(BaseStationOptions::new(config, "127.0.0.1", radio, Security::Tcp))
                .expect("a free port");
        let mut handset = Self { server, base, ipei, seen: Vec::new() };
        handset.report(|report| matches!(report, BaseStationReport::ServerUp { .. }).then_some(())).await;
        handset.does(HandsetCommand::Subscribe(None)).await;
        handset.until(|event| *event == HandsetEvent::Located).await;
        let registered = timeout(PATIENCE, async {
            while !handset.status().await.handsets[0].registered {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let registered = registered.await.is_ok();
        assert!(registered, "{:?}; kamailio: {}", handset.status().await, place.said());
        handset
    }

    pub(crate) async fn status(&self) -> Status {
        self.server.status().await.expect("the server runs")
    }

    /// Holds the call or takes it back, and once more if the server was still busy with what the other side wanted.
    pub(crate) async fn has_call(&self, command: HandsetCommand, wanted: &str) {
        let done = timeout(PATIENCE, async {
            loop {
                self.does(command.clone()).await;
                let wait = async {
                    while self.status().await.calls.first().is_none_or(|call| call.state != wanted) {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                };
                if timeout(Duration::from_secs(5), wait).await.is_ok() {
                    return;
                }
            }
        });
        let in_time = done.await.is_ok();
        assert!(in_time, "{wanted}: {:?}", self.status().await.calls);
    }

    pub(crate) async fn does(&self, command: HandsetCommand) {
        self.base.command(self.ipei, command).await;
    }

    pub(crate) async fn plays(&self, samples: Vec<i16>) {
        self.base.play(self.ipei, samples).await;
    }

    /// Waits for an event of the handset.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&HandsetEvent) -> bool) {
        self.report(|report| match report {
            BaseStationReport::Handset { event, .. } if wanted(event) => Some(()),
            _ => None,
        })
        .await;
    }

    /// Waits for the end of the call: what the handset heard. Call and bearer end in either order.
    pub(crate) async fn heard(&mut self) -> Vec<i16> {
        let (mut recorded, mut released) = (None, false);
        self.report(|report| {
            match report {
                BaseStationReport::Talked { report, .. } => recorded = Some(report.recorded.clone()),
                BaseStationReport::Handset { event: HandsetEvent::Released { .. }, .. } => released = true,
                _ => {}
            }
            recorded.clone().filter(|_| released)
        })
        .await
    }

    /// Waits until the handset goes from one call to another: what it heard in the one it left.
    pub(crate) async fn heard_before(&mut self) -> Vec<i16> {
        self.report(|report| match report {
            BaseStationReport::Talked { report, .. } => Some(report.recorded.clone()),
            _ => None,
        })
        .await
    }

    async fn report<T>(&mut self, mut wanted: impl FnMut(&BaseStationReport) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                let report = self.base.reports.recv().await.expect("the base station runs");
                if let Some(found) = wanted(&report) {
                    return found;
                }
                self.seen.push(format!("{report:.200?}"));
            }
        })
        .await;
        match found {
            Ok(found) => found,
            Err(late) => panic!("{late}: {:#?}\n{:#?}", self.seen, self.status().await.calls),
        }
    }
}
