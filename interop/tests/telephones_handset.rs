//! baresip and linphone and a handset of the server, through kamailio over TLS with SRTP: calls both ways, hold from each
//! side, transfer to the handset; our offers with MKI and lifetime and without.

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
#[path = "support/telephony.rs"]
mod telephony;
#[path = "support/tones.rs"]
mod tones;

use std::time::Duration;

use capture::Capture;
use handsets::Handset;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use secure_telephones::{Baresip, Linphone, Telephone, until};
use sipe::share_of_tone;
use telephony::Kamailio;
use tokio::runtime::Runtime;
use tones::{MEDIA, NUMBER, TELEPHONE, answers, is_idle, talk};

/// One telephone and a handset whose server offers and answers in one way.
async fn calls(handset: &mut Handset, telephone: &mut impl Telephone) {
    // The handset calls.
    handset.does(HandsetCommand::Dial(NUMBER.to_owned())).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
    talk(handset, telephone).await;

    // The telephone calls.
    telephone.calls("sip:jim@lab.test");
    answers(handset).await;
    let status = handset.status().await;
    let srtp = status.calls.first().and_then(|call| call.srtp.clone());
    assert_eq!(srtp.as_deref(), Some("AES_CM_128_HMAC_SHA1_80"), "{:?}", status.calls);
    talk(handset, telephone).await;
}

/// Hold and retrieve from each side; the telephone hangs up.
async fn holds(handset: &mut Handset, telephone: &mut impl Telephone) {
    telephone.calls("sip:jim@lab.test");
    answers(handset).await;
    until(telephone, "the beginning of the call", |telephone| !is_idle(telephone));
    let said = |telephone: &_, words: &str| Telephone::said(telephone).matches(words).count();
    let before = said(telephone, "a=recvonly");
    telephone.holds();
    until(telephone, "the answer to its hold", |telephone| said(telephone, "a=recvonly") > before);
    let before = said(telephone, "SIP/2.0 200 OK");
    telephone.retrieves();
    until(telephone, "the answer to its retrieval", |telephone| said(telephone, "SIP/2.0 200 OK") > before);
    handset.has_call(HandsetCommand::Hold, "held").await;
    handset.has_call(HandsetCommand::Retrieve, "connected").await;
    // Some of the tone, after all that.
    tokio::time::sleep(Duration::from_secs(1)).await;
    telephone.hangs_up();
    until(telephone, "the end of the call", is_idle);
    let heard = handset.heard().await;
    assert!(share_of_tone(&heard, TELEPHONE) > 0.9, "{} samples", heard.len());
}

fn with(telephone: impl Fn(&Kamailio) -> Box<dyn FnMut(&mut Handset, &Runtime)>) {
    let capture = Capture::start("telephones");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let mut act = telephone(&kamailio);
    for media in MEDIA {
        let mut handset = runtime.block_on(Handset::start(&kamailio, media));
        act(&mut handset, &runtime);
    }
    drop(act);
    let read = capture.understood(&[]);
    read.shows(&["tls", "sip", "sdp", "rtp"], &["REGISTER", "INVITE", "ACK", "BYE", "180", "200"]);
    assert!(read.srtp > 100, "{read:?}");
    // With lifetime and MKI, and without: ours and what the others answer.
    let with = |more: bool| read.crypto.keys().any(|line| line.ends_with(" 1") == more);
    assert!(with(true) && with(false), "{:?}", read.crypto);
}

/// Confirms: calls both ways with a handset over TLS and SRTP, heard on both sides; hold and retrieve from each side; our lines with MKI and lifetime and without — baresip 1.0 through kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP, SRTP and RTCP are understood — tshark 4.4
#[test]
fn baresip_and_a_handset_call_each_other_and_hold() {
    capture::prepare();
    if !network::of_its_own("baresip_and_a_handset_call_each_other_and_hold") {
        return;
    }
    with(|kamailio| {
        let mut baresip = Baresip::start(NUMBER, TELEPHONE, 4444, kamailio);
        Box::new(move |handset, runtime| {
            runtime.block_on(calls(handset, &mut baresip));
            runtime.block_on(holds(handset, &mut baresip));
        })
    });
}

/// Confirms: calls both ways with a handset over TLS and SRTP, heard on both sides; hold and retrieve from each side; our lines with MKI and lifetime and without — linphone 5.1 through kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP, SRTP and RTCP are understood — tshark 4.4
#[test]
fn linphone_and_a_handset_call_each_other_and_hold() {
    capture::prepare();
    if !network::of_its_own("linphone_and_a_handset_call_each_other_and_hold") {
        return;
    }
    with(|kamailio| {
        let mut linphone = Linphone::start(NUMBER, TELEPHONE, 7078, kamailio);
        Box::new(move |handset, runtime| {
            runtime.block_on(calls(handset, &mut linphone));
            runtime.block_on(holds(handset, &mut linphone));
        })
    });
}

/// Confirms: baresip sends linphone to a handset (blind transfer), and the two hear each other over SRTP — baresip 1.0, linphone 5.1, kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP and SRTP are understood — tshark 4.4
#[test]
fn baresip_transfers_linphone_to_a_handset() {
    capture::prepare();
    if !network::of_its_own("baresip_transfers_linphone_to_a_handset") {
        return;
    }
    let capture = Capture::start("baresip-transfers");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let linphone = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut baresip = Baresip::start("bob", 1200.0, 4444, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA[0]));
    baresip.calls(&format!("sip:{NUMBER}@lab.test"));
    until(&linphone, "the call", |linphone| linphone.said().contains("LinphoneCallStreamsRunning"));
    runtime.block_on(async {
        baresip.transfers("sip:jim@lab.test");
        answers(&mut handset).await;
        talk(&mut handset, &linphone).await;
    });
    let read = capture.understood(&[]);
    read.shows(&["tls", "sip", "sdp", "rtp"], &["INVITE", "REFER", "NOTIFY", "202", "200", "BYE"]);
    assert!(read.srtp > 100, "{read:?}");
}
