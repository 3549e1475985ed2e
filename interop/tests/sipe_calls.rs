//! Calls between SIPE, a Lync client of another hand, and a handset of the server: ICE in Lync's dialect, SRTP, hold, elsewhere.

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

use capture::{Capture, Read};
use ipdect_server::core::status::Status;
use ipdect_server::run::Ending;
use ipdect_server::store::Store;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::net::BaseStationReport;
use sipe::{Login, Sipe, share_of_tone};
use site::{JIM, Site, jim};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// SIPE speaks this tone, the handset the other one.
const OF_SIPE: f64 = 440.0;
const OF_HANDSET: f64 = 800.0;
const LONGEST: Duration = Duration::from_mins(1);

fn sipe(site: &Site, name: &str, encryption: &str) -> Sipe {
    Sipe::start(&Login {
        user: &format!("{name}@lab.test"),
        account: &format!("LAB\\{name}"),
        password: "Passw0rd",
        server: site.front_end.local,
        transport: "tls",
        encryption,
    })
}

fn tone(seconds: usize) -> Vec<i16> {
    let sample = |n: usize| (core::f64::consts::TAU * OF_HANDSET * n as f64 / 8000.0).sin() * 8000.0;
    (0..seconds * 8000).map(|n| sample(n) as i16).collect()
}

fn is_held(status: &Status) -> bool {
    status.calls.first().is_some_and(|call| call.state == "held")
}

/// What the handset heard, once its speech path is closed.
async fn heard_by_handset(site: &mut Site) -> Vec<i16> {
    site.base_report(|report| match report {
        BaseStationReport::Talked { report, .. } => Some(report.recorded.clone()),
        _ => None,
    })
    .await
}

/// Two calls, one each way; the caller holds, goes on and hangs up. Both are heard, before the hold and after it.
fn calls_both_ways(test: &str, server: &str, client: &str) {
    let capture = Capture::start(test);
    let runtime = Runtime::new().unwrap();
    let media = format!("[media]\nvoice_channels = 4\naddress = \"192.0.2.10\"\nsrtp = \"{server}\"");
    let mut site = runtime.block_on(Site::start(test, &media));
    let mut alice = sipe(&site, "alice", client);
    alice.waits_for(&["SIGNED-ON"]);

    // SIPE calls, holds, goes on and hangs up.
    alice.tell("call sip:jim@lab.test");
    runtime.block_on(async {
        site.handset_until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
        site.tell(HandsetCommand::Answer).await;
        site.handset_until(|event| *event == HandsetEvent::Connected).await;
        site.base.play(jim(), tone(60)).await;
    });
    // SIPE begins to speak some time after it begins to listen, also after a hold.
    alice.hears(2);
    runtime.block_on(by_ice_and_srtp(&site));
    // One offer at a time, also of SIPE: of the call, the last offer, the hold.
    alice.has_messages("ACK", 2);
    alice.tell("hold");
    runtime.block_on(site.handset_until(
        |event| matches!(event, HandsetEvent::Display { text } if text.contains("Held by peer")),
    ));
    alice.has_messages("ACK", 3);
    alice.tell("resume");
    runtime.block_on(
        site.handset_until(|event| matches!(event, HandsetEvent::Display { text } if !text.contains("Held"))),
    );
    hears_the_handset(&mut alice);
    alice.tell("hangup");
    let heard = runtime.block_on(heard_by_handset(&mut site));
    heard_sipe(&heard);
    runtime.block_on(site.status_until(|status| status.calls.is_empty()));

    // The handset calls, holds, goes on and hangs up.
    runtime.block_on(async {
        site.tell(HandsetCommand::Dial("+14255550100".to_owned())).await;
        site.handset_until(|event| *event == HandsetEvent::Connected).await;
        site.base.play(jim(), tone(60)).await;
    });
    hears_the_handset(&mut alice);
    runtime.block_on(by_ice_and_srtp(&site));
    runtime.block_on(async {
        site.tell(HandsetCommand::Hold).await;
        site.status_until(is_held).await;
        site.tell(HandsetCommand::Retrieve).await;
        site.status_until(|status| !is_held(status)).await;
    });
    hears_the_handset(&mut alice);
    let heard = runtime.block_on(async {
        site.tell(HandsetCommand::HangUp).await;
        heard_by_handset(&mut site).await
    });
    heard_sipe(&heard);
    alice.waits_for(&["MEDIA-STATE", "sid=- name=-"]);
    runtime.block_on(site.status_until(|status| status.calls.is_empty()));

    // Both callers named the pairs in one more offer.
    let last = alice.log().matches("a=remote-candidates:1 192.0.2.10 ").count();
    assert!(last >= 4, "two offers and two answers: {last}");
    alice.quits();
    let port = site.front_end.local.port();
    let calls = runtime.block_on(stopped(site));
    assert_eq!(calls, ["answered", "answered"]);
    understood(capture, port);
}

/// The tone of the handset is in what SIPE hears from now on.
fn hears_the_handset(sipe: &mut Sipe) {
    let heard = sipe.hears_more(3);
    let share = share_of_tone(&heard, OF_HANDSET);
    assert!(share > 0.9, "SIPE heard {} samples, {share:.2} tone", heard.len());
}

/// The tone of SIPE is in what the handset heard, also at the end, after the hold.
fn heard_sipe(heard: &[i16]) {
    for part in [heard, heard.get(heard.len().saturating_sub(8000)..).unwrap_or_default()] {
        let share = share_of_tone(part, OF_SIPE);
        assert!(share > 0.9, "the handset heard {} samples, {share:.2} tone", part.len());
    }
}

async fn by_ice_and_srtp(site: &Site) {
    let is_lync = |way: &str| way.starts_with("ms-ice2 192.0.2.10:");
    let found =
        |status: &Status| status.calls.first().is_some_and(|call| call.way.as_deref().is_some_and(is_lync));
    let status = site.status_until(found).await;
    assert_eq!(status.calls[0].srtp.as_deref(), Some("AES_CM_128_HMAC_SHA1_80"), "{status:#?}");
}

/// Stops the server; the outcomes of its calls, the last one first.
async fn stopped(site: Site) -> Vec<String> {
    assert_eq!(timeout(LONGEST, site.server.stop()).await.unwrap(), Ending::Clean);
    let store = Store::open(&site.store).unwrap();
    let calls = store.calls(Some(JIM), 10).unwrap();
    calls.into_iter().map(|call| call.outcome).collect()
}

/// Calls with ICE and SRTP are in there, and tshark understands all of it.
fn understood(capture: Capture, port: u16) -> Read {
    let read = capture.understood(&[port]);
    read.shows(&["tls", "sip", "sdp", "stun", "rtp"], &["REGISTER", "INVITE", "ACK", "BYE", "180", "200"]);
    assert!(read.srtp > 100 && !read.crypto.is_empty(), "{read:?}");
    read
}

/// Confirms: calls both ways with a handset, SRTP required, ICE of Lync, hold and hang-up from each side, both heard — SIPE 1.25
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, STUN, RTP and SRTP are understood — tshark 4.4
#[test]
fn sipe_and_a_handset_call_each_other_with_srtp_required() {
    capture::prepare();
    if network::of_its_own("sipe_and_a_handset_call_each_other_with_srtp_required") {
        calls_both_ways("sipe-required", "required", "required");
    }
}

/// Confirms: the same with SRTP optional: RTP/AVP offers that are answered RTP/SAVP — SIPE 1.25
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, STUN, RTP and SRTP are understood — tshark 4.4
#[test]
fn sipe_and_a_handset_call_each_other_with_srtp_optional() {
    capture::prepare();
    if network::of_its_own("sipe_and_a_handset_call_each_other_with_srtp_optional") {
        calls_both_ways("sipe-optional", "enabled", "optional");
    }
}

/// Confirms: a user in two places with a handset: one answers, the other and the handset stop ringing and log "elsewhere" — SIPE 1.25
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, STUN, RTP and SRTP are understood — tshark 4.4
#[test]
fn one_of_two_sipe_answers_and_the_other_and_the_handset_stop_ringing() {
    capture::prepare();
    if !network::of_its_own("one_of_two_sipe_answers_and_the_other_and_the_handset_stop_ringing") {
        return;
    }
    let capture = Capture::start("sipe-elsewhere");
    let runtime = Runtime::new().unwrap();
    let media = "[media]\nvoice_channels = 4\naddress = \"192.0.2.10\"";
    let mut site = runtime.block_on(Site::start("sipe-elsewhere", media));
    let mut alice = sipe(&site, "alice", "required");
    alice.waits_for(&["SIGNED-ON"]);
    // The user of the handset has two clients besides it.
    let server = site.front_end.local;
    let login = Login {
        user: "jim@lab.test",
        account: "LAB\\jim",
        password: "Passw0rd",
        server,
        transport: "tls",
        encryption: "required",
    };
    let (mut office, mut home) = (Sipe::start_on("office", &login), Sipe::start_on("home", &login));
    for client in [&mut office, &mut home] {
        client.waits_for(&["SIGNED-ON"]);
        client.tell("autoaccept 0");
    }
    alice.tell("call sip:jim@lab.test");
    runtime.block_on(site.handset_until(|event| matches!(event, HandsetEvent::Ring { .. })));
    for client in [&mut office, &mut home] {
        client.waits_for(&["MEDIA-INIT", "initiator=0"]);
    }
    office.tell("accept");
    runtime.block_on(site.handset_until(|event| matches!(event, HandsetEvent::Released { .. })));
    home.waits_for(&["MEDIA-STATE", "sid=- name=-"]);
    assert!(home.log().contains("completed elsewhere"), "the reason of its CANCEL");
    alice.hears(2);
    office.hears(2);
    alice.tell("hangup");
    office.waits_for(&["MEDIA-STATE", "sid=- name=-"]);
    alice.quits();
    office.quits();
    home.quits();
    let port = site.front_end.local.port();
    let calls = runtime.block_on(stopped(site));
    assert_eq!(calls, ["elsewhere"]);
    understood(capture, port).shows(&[], &["CANCEL", "487"]);
}
