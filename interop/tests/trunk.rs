//! The trunk of the simulated front end: kamailio is the mediation server behind it, baresip and SIPp are telephones and gateways
//! of the telephone network. A handset, and a Lync user that SIPp plays, call there and are called from there.

#[path = "support/capture.rs"]
mod capture;
#[path = "support/handsets.rs"]
mod handsets;
#[path = "support/network.rs"]
mod network;
#[path = "support/secure_telephones.rs"]
mod secure_telephones;
#[path = "support/sipe.rs"]
mod sipe;
#[path = "support/sipp.rs"]
mod sipp;
#[path = "support/telephony.rs"]
mod telephony;
#[path = "support/tones.rs"]
mod tones;

use std::net::SocketAddr;

use capture::Capture;
use handsets::Handset;
use ipdect_sim::frontend::{Event, FrontEndConfig, FrontEndUser, ServerAddress, Trunk};
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::net::tls::{Identity, certificates};
use ipdect_sim::net::{FrontEndOptions, FrontEndServer, Security};
use secure_telephones::{Telephone, until};
use sip_lync::SipUri;
use sipp::{Scenario, Sipp};
use telephony::{Kamailio, PATIENCE};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tones::{MEDIA, TELEPHONE, answers, is_idle, talk};

/// Somebody in the telephone network, a number that nobody has there, and the handset's line.
const OUTSIDE: &str = "+15550001111";
const NOBODY: &str = "+15559990000";
const LINE: &str = "+14255550200";
/// Where the front end listens: in here all ports are free.
const FRONT_END: &str = "127.0.0.1:5071";
/// The domain of the front end: the telephone network has another one, and its proxy must not take the front end's addresses
/// for its own.
const OFFICE: &str = "office.test";
/// The place of the gateway for media bypass.
const PLACE: &str = "4d8a1f5e-1111-4222-8333-444455556666";

async fn front_end(security: Security, gateway: SocketAddr, place: Option<&str>) -> FrontEndServer {
    let mut config = FrontEndConfig::new("127.0.0.1", OFFICE);
    config.trusted = vec!["lab.test".to_owned()];
    config.trusted_addresses.push([127, 0, 0, 1].into());
    for (name, tel) in [("jim", LINE), ("alice", "+14255550100")] {
        let mut user = FrontEndUser::new(SipUri::parse(&format!("sip:{name}@{OFFICE}")).expect("a URI"));
        user.tel = Some(tel.to_owned());
        config.users.push(user);
    }
    let gateway = ServerAddress::new(&gateway.ip().to_string(), gateway.port());
    config.trunk = Some(Trunk { gateway, bypass: place.is_some() });
    config.provisioning.bypass_id = place.map(str::to_owned);
    let listen = match security {
        Security::Tls { .. } => FRONT_END.parse().expect("an address"),
        Security::Tcp => SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    FrontEndServer::start(FrontEndOptions::new(config, listen, security)).await.expect("a free port")
}

/// TLS with the certificates of kamailio's folder.
fn tls(kamailio: &Kamailio) -> Security {
    let file = |name: &str| kamailio.folder.file(name);
    let identity = Identity::read(&file("server.pem"), &file("server.key")).expect("a certificate");
    let authorities = certificates(&file("ca.pem")).expect("a certificate");
    Security::Tls { identity: Some(identity), authorities, name: None }
}

/// What the front end reports up to the refusal of a call.
async fn until_refused(server: &mut FrontEndServer) -> Vec<Event> {
    let mut all = Vec::new();
    while !all.iter().any(|event| matches!(event, Event::Failed { status: 404, .. })) {
        let event = timeout(PATIENCE, server.events.recv()).await;
        all.push(event.unwrap_or_else(|_| panic!("{all:#?}")).expect("the front end runs"));
    }
    all
}

/// Confirms: a handset calls a number of the telephone network through the trunk and is called from there, over TLS with SRTP, heard on both sides; a number that nobody has is refused — kamailio 5.6, baresip 1.0
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP and SRTP are understood — tshark 4.4
#[test]
fn a_handset_calls_the_telephone_network_and_is_called_from_there() {
    capture::prepare();
    if !network::of_its_own("a_handset_calls_the_telephone_network_and_is_called_from_there") {
        return;
    }
    let capture = Capture::start("trunk");
    let runtime = Runtime::new().expect("threads");
    // What comes from the telephone network for our line goes to the front end.
    let inwards = format!(
        "if ($rU == \"{LINE}\") {{ record_route(); $rd = \"{OFFICE}\"; $du = \"sip:{FRONT_END};transport=tls\"; t_relay(); exit; }}"
    );
    let kamailio = Kamailio::start_with(&inwards);
    let gateway = Kamailio::TLS.parse().expect("an address");
    let mut front_end = runtime.block_on(front_end(tls(&kamailio), gateway, None));
    let mut outside = secure_telephones::Baresip::start(OUTSIDE, TELEPHONE, 4444, &kamailio);
    let mut handset = runtime.block_on(Handset::start_at(FRONT_END, OFFICE, &kamailio, MEDIA[0]));
    let events = runtime.block_on(async {
        // Out.
        handset.does(HandsetCommand::Dial(OUTSIDE.to_owned())).await;
        handset.until(|event| *event == HandsetEvent::Connected).await;
        talk(&mut handset, &outside).await;
        // In.
        outside.calls(&format!("sip:{LINE}@lab.test"));
        answers(&mut handset).await;
        talk(&mut handset, &outside).await;
        until(&outside, "the end of its calls", is_idle);
        // Nobody there.
        handset.does(HandsetCommand::Dial(NOBODY.to_owned())).await;
        let events = until_refused(&mut front_end).await;
        handset.does(HandsetCommand::HangUp).await;
        handset.until(|event| matches!(event, HandsetEvent::Released { .. })).await;
        events
    });
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), 2, "{events:#?}");
    assert_eq!(count(|event| matches!(event, Event::Failed { status: 404, .. })), 1, "{events:#?}");
    let read = capture.understood(&[5071]);
    read.shows(&["tls", "sip", "sdp", "rtp"], &["INVITE", "ACK", "BYE", "180", "200", "404"]);
    assert!(read.srtp > 100, "{read:?}");
}

/// Confirms: a Lync user at the gateway's place for media bypass is told so, and its media go to the telephone itself; at another place it is not told so — kamailio 5.6, baresip 1.0, SIPp 3.6.1
/// Confirms: what the gateway refuses says so in ms-diagnostics — kamailio 5.6, SIPp 3.6.1
/// Confirms: in all of that no packet is malformed, and SIP, SDP and RTP are understood — tshark 4.4
#[test]
fn a_lync_user_calls_the_telephone_network_with_media_bypass_and_without() {
    capture::prepare();
    if !network::of_its_own("a_lync_user_calls_the_telephone_network_with_media_bypass_and_without") {
        return;
    }
    let capture = Capture::start("trunk-bypass");
    let runtime = Runtime::new().expect("threads");
    // SIPp follows a recorded route of one server only: kamailio records none.
    let _kamailio =
        Kamailio::start_with("if (is_method(\"INVITE\") && lookup(\"location\")) { t_relay(); exit; }");
    let outside = telephony::Baresip::start(OUTSIDE, 4444);
    outside.is_registered();
    let gateway = Kamailio::TCP.parse().expect("an address");
    let elsewhere = "00000000-1111-4222-8333-444455556666";
    for (place, kind, mark) in [
        (PLACE, "application/gw-sdp", "Ms-Accepted-Content-ID: *.offer@office.test"),
        (elsewhere, "application/sdp", "200 "),
    ] {
        let front_end = runtime.block_on(front_end(Security::Tcp, gateway, Some(place)));
        let words = [("KIND", kind), ("MARK", mark)];
        let call = Scenario { words: &words, ..Scenario::once("trunk-call") };
        Sipp::calls(call, front_end.local).succeeded();
        let words = [("NUMBER", NOBODY), ("STATUS", "404")];
        let refused = Scenario { words: &words, ..Scenario::once("trunk-refused") };
        Sipp::calls(refused, front_end.local).succeeded();
    }
    let read = capture.understood(&[]);
    read.shows(&["sip", "sdp", "rtp"], &["INVITE", "ACK", "BYE", "200", "404"]);
}
