//! SIPE, a Lync client of another hand, and a handset of the server: what SIPE sees of it.

#[path = "../../ipdect-server/tests/authority/mod.rs"]
mod authority;
#[path = "support/capture.rs"]
mod capture;
#[path = "support/network.rs"]
mod network;
#[path = "support/sipe.rs"]
mod sipe;
#[path = "support/site.rs"]
mod site;

use std::time::Duration;

use capture::Capture;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::{HandsetCommand, UserCommand};
use ipdect_sim::login::Account;
use ipdect_sim::net::{LyncUserClient, LyncUserOptions, LyncUserReport, Security};
use ipdect_sim::user::{Event, UserConfig};
use sipe::{Login, Sipe};
use site::Site;
use tokio::runtime::Runtime;
use tokio::time::timeout;

fn sipe(site: &Site, name: &str) -> Sipe {
    Sipe::start(&Login {
        user: &format!("{name}@lab.test"),
        account: &format!("LAB\\{name}"),
        password: "Passw0rd",
        server: site.front_end.local,
        transport: "tls",
        encryption: "required",
    })
}

/// A Lync user of ours who logs in with a password and answers every call.
async fn bob(site: &Site) -> LyncUserClient {
    let mut config = UserConfig::new("sip:bob@lab.test".parse().unwrap());
    config.account = Account::new("LAB\\bob", "Passw0rd")
        .map(|account| Account { wall_clock: std::time::SystemTime::now(), ..account });
    let security = Security::Tls {
        identity: None,
        authorities: ipdect_sim::net::tls::certificates(&site.folder.file("ca.pem")).unwrap(),
        name: Some("localhost".to_owned()),
    };
    let port = site.front_end.local.port();
    let mut bob =
        LyncUserClient::start(LyncUserOptions::new(config, "127.0.0.1", port, security)).await.unwrap();
    user_until(&mut bob, |event| matches!(event, Event::Registered { .. })).await;
    bob
}

async fn user_until(user: &mut LyncUserClient, wanted: impl Fn(&Event) -> bool) {
    let found = timeout(Duration::from_secs(30), async {
        loop {
            match user.reports.recv().await.expect("the user runs") {
                LyncUserReport::Event(event) if wanted(&event) => return,
                _ => {}
            }
        }
    });
    found.await.expect("it happens");
}

/// Confirms: sees a handset of ipdect-server Available, In a call, Available, Inactive, Away — SIPE 1.25
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, STUN, RTP and SRTP are understood — tshark 4.4
#[test]
fn sipe_sees_a_handset_available_in_a_call_inactive_and_away() {
    capture::prepare();
    if !network::of_its_own("sipe_sees_a_handset_available_in_a_call_inactive_and_away") {
        return;
    }
    let capture = Capture::start("sipe-presence");
    let runtime = Runtime::new().unwrap();
    let steps = "[presence]\navailable = 2\ninactive = 2\n[media]\nvoice_channels = 4";
    let mut site = runtime.block_on(Site::start("sipe-presence", steps));
    let mut bob = runtime.block_on(bob(&site));
    let mut alice = sipe(&site, "alice");
    alice.waits_for(&["SIGNED-ON"]);
    alice.waits_for(&["BUDDY-ON", "jim@lab.test"]);
    runtime.block_on(async {
        site.tell(HandsetCommand::Dial("+14255550101".to_owned())).await;
        user_until(&mut bob, |event| matches!(event, Event::Incoming { .. })).await;
        bob.command(UserCommand::Answer).await;
        site.handset_until(|event| *event == HandsetEvent::Connected).await;
    });
    alice.waits_for(&["BUDDY-STATUS", "jim@lab.test", "-> busy"]);
    runtime.block_on(site.tell(HandsetCommand::HangUp));
    for state in ["-> available", "-> idle", "-> away"] {
        alice.waits_for(&["BUDDY-STATUS", "jim@lab.test", state]);
    }
    alice.quits();
    let read = capture.understood(&[site.front_end.local.port()]);
    let methods = ["REGISTER", "SERVICE", "SUBSCRIBE", "BENOTIFY", "INVITE", "BYE", "200"];
    read.shows(&["tls", "sip", "sdp", "stun", "rtp"], &methods);
    assert!(read.srtp > 0, "{read:?}");
}
