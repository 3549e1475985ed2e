//! The simulated front end against SIPp: an independent program registers, calls, holds, hangs up and gives up.

#[path = "support/capture.rs"]
mod capture;
#[path = "support/network.rs"]
mod network;
#[path = "support/sipp.rs"]
mod sipp;

use std::net::SocketAddr;
use std::time::Duration;

use capture::{Capture, Read};
use ipdect_sim::frontend::{Event, FrontEndConfig, FrontEndUser};
use ipdect_sim::net::{FrontEndOptions, FrontEndServer, Security};
use sip_lync::SipUri;
use sipp::{Scenario, Sipp};
use tokio::runtime::Runtime;
use tokio::time::timeout;

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn front_end() -> FrontEndServer {
    let mut config = FrontEndConfig::new("127.0.0.1", "example.net");
    for (name, tel) in [("alice", "+14255550100"), ("bob", "+14255550101")] {
        let mut user = FrontEndUser::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI"));
        user.tel = Some(tel.to_owned());
        config.users.push(user);
    }
    config.trusted_addresses.push(loopback(0).ip());
    FrontEndServer::start(FrontEndOptions::new(config, loopback(0), Security::Tcp))
        .await
        .expect("a free port")
}

/// Bob registers with a listener of SIPp, which the front end dials; as many calls of Alice as are wanted go there.
fn pair(server: SocketAddr, caller: &str, called: &str, calls: u32) {
    let answering = Sipp::called(Scenario { calls, ..Scenario::once(called) });
    let listener = answering.address.port().to_string();
    let words = [("[user]", "bob"), ("[epid]", "0b0b0b0b0b"), ("[listener]", listener.as_str())];
    Sipp::calls(Scenario { words: &words, ..Scenario::once("register") }, server).succeeded();
    Sipp::calls(Scenario { calls, ..Scenario::once(caller) }, server).succeeded();
    answering.succeeded();
}

/// A front end in a network of its own; what it reported of such calls, and what tshark made of them.
fn with_a_front_end(caller: &str, called: &str, calls: u32) -> (Vec<Event>, Read) {
    let capture = Capture::start(caller);
    let events = Runtime::new().expect("threads").block_on(async {
        let server = front_end().await;
        let address = server.local;
        let (caller, called) = (caller.to_owned(), called.to_owned());
        let run = tokio::task::spawn_blocking(move || pair(address, &caller, &called, calls));
        run.await.expect("no panic");
        events(server).await
    });
    (events, capture.understood(&[]))
}

async fn events(mut server: FrontEndServer) -> Vec<Event> {
    let mut all = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::from_millis(200), server.events.recv()).await {
        all.push(event);
    }
    all
}

/// Confirms: registration, calls, hold, hang-up through the simulated front end — SIPp 3.6.1
/// Confirms: in all of that no packet is malformed, and SIP and SDP are understood — tshark 4.4
#[test]
fn sipp_registers_calls_holds_and_hangs_up() {
    capture::prepare();
    if !network::of_its_own("sipp_registers_calls_holds_and_hangs_up") {
        return;
    }
    let (events, read) = with_a_front_end("call", "answer", 20);
    read.shows(&["sip", "sdp"], &["REGISTER", "INVITE", "ACK", "BYE", "180", "200"]);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Registered { refreshed: false, .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Call { endpoints: 1, .. })), 20);
    assert_eq!(
        count(|event| matches!(event, Event::Answered { by: Some(by), .. } if by == "bob@example.net")),
        20
    );
    assert_eq!(count(|event| matches!(event, Event::Ended { by, .. } if by == "alice@example.net")), 20);
    assert_eq!(count(|event| matches!(event, Event::Refused { .. } | Event::Malformed { .. })), 0);
}

/// Confirms: CANCEL while it rings ends with 487 on both sides — SIPp 3.6.1
/// Confirms: in all of that no packet is malformed, and SIP is understood — tshark 4.4
#[test]
fn sipp_gives_up_while_it_rings() {
    capture::prepare();
    if !network::of_its_own("sipp_gives_up_while_it_rings") {
        return;
    }
    let (events, read) = with_a_front_end("cancel", "ring", 5);
    read.shows(&["sip"], &["INVITE", "CANCEL", "487", "ACK"]);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Failed { status: 487, .. })).count(), 5);
}
