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

use std::time::Duration;

use capture::Capture;
use handsets::Handset;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use secure_telephones::{Baresip, Linphone, Telephone, tone, until};
use sipe::share_of_tone;
use telephony::Kamailio;
use tokio::runtime::Runtime;

/// The tones by which everybody is told from the others.
const HANDSET: f64 = 800.0;
const TELEPHONE: f64 = 440.0;
/// A number, so that a handset can dial it.
const NUMBER: &str = "+14255550101";

/// Lets both sides speak for a while and hangs up with the handset; both heard each other.
async fn talk(handset: &mut Handset, telephone: &impl Telephone) {
    handset.plays(tone(HANDSET, 2)).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    handset.does(HandsetCommand::HangUp).await;
    let heard = handset.heard().await;
    let share = share_of_tone(&heard, TELEPHONE);
    assert!(share > 0.9, "the handset heard {} samples, {share:.2} tone: {}", heard.len(), telephone.said());
    until(telephone, "the end of the call", is_idle);
    until(telephone, "hearing the handset", |telephone| share_of_tone(&telephone.heard(), HANDSET) > 0.9);
}

fn is_idle(telephone: &impl Telephone) -> bool {
    let (begun, ended) = telephone.begun_and_ended();
    begun == ended
}

/// One telephone and a handset whose server offers and answers in one way.
async fn calls(handset: &mut Handset, telephone: &mut impl Telephone) {
    // The handset calls.
    handset.does(HandsetCommand::Dial(NUMBER.to_owned())).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
    talk(handset, telephone).await;

    // The telephone calls.
    telephone.calls("sip:jim@lab.test");
    handset.until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
    handset.does(HandsetCommand::Answer).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
    let status = handset.status().await;
    let srtp = status.calls.first().and_then(|call| call.srtp.clone());
    assert_eq!(srtp.as_deref(), Some("AES_CM_128_HMAC_SHA1_80"), "{:?}", status.calls);
    talk(handset, telephone).await;
}

/// Hold and retrieve from each side; the telephone hangs up.
async fn holds(handset: &mut Handset, telephone: &mut impl Telephone) {
    telephone.calls("sip:jim@lab.test");
    handset.until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
    handset.does(HandsetCommand::Answer).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
    until(telephone, "the beginning of the call", |telephone| !is_idle(telephone));
    let said = |telephone: &_, words: &str| Telephone::said(telephone).matches(words).count();
    let before = said(telephone, "a=recvonly");
    telephone.holds();
    until(telephone, "the answer to its hold", |telephone| said(telephone, "a=recvonly") > before);
    let before = said(telephone, "SIP/2.0 200 OK");
    telephone.retrieves();
    until(telephone, "the answer to its retrieval", |telephone| said(telephone, "SIP/2.0 200 OK") > before);
    handset.does(HandsetCommand::Hold).await;
    handset.call_is("held").await;
    handset.does(HandsetCommand::Retrieve).await;
    handset.call_is("connected").await;
    // Some of the tone, after all that.
    tokio::time::sleep(Duration::from_secs(1)).await;
    telephone.hangs_up();
    until(telephone, "the end of the call", is_idle);
    let heard = handset.heard().await;
    assert!(share_of_tone(&heard, TELEPHONE) > 0.9, "{} samples", heard.len());
}

const VARIANTS: [&str; 2] = [
    "srtp = \"required\"\ninclude_mki = true\ninclude_lifetime = true",
    "srtp = \"required\"\ninclude_mki = false\ninclude_lifetime = false",
];

fn with(telephone: impl Fn(&Kamailio) -> Box<dyn FnMut(&mut Handset, &Runtime)>) {
    let capture = Capture::start("telephones");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let mut act = telephone(&kamailio);
    for media in VARIANTS {
        let mut handset = runtime.block_on(Handset::start(&kamailio, media));
        act(&mut handset, &runtime);
    }
    drop(act);
    let read = capture.read(&[]);
    assert_eq!((&read.malformed, &read.unknown), (&Vec::new(), &Vec::new()));
    assert!(read.of("tls") > 20 && read.of("rtp") > 200, "{:?}", read.frames);
}

/// Confirms: calls both ways with a handset over TLS and SRTP, heard on both sides; hold and retrieve from each side; our lines with MKI and lifetime and without — baresip 1.0 through kamailio 5.6
/// Confirms: in all of that no packet is malformed, and TLS and RTP are understood — tshark 4.4
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
/// Confirms: in all of that no packet is malformed, and TLS and RTP are understood — tshark 4.4
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
#[test]
fn baresip_transfers_linphone_to_a_handset() {
    if !network::of_its_own("baresip_transfers_linphone_to_a_handset") {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let linphone = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut baresip = Baresip::start("bob", 1200.0, 4444, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, VARIANTS[0]));
    baresip.calls(&format!("sip:{NUMBER}@lab.test"));
    until(&linphone, "the call", |linphone| linphone.said().contains("LinphoneCallStreamsRunning"));
    runtime.block_on(async {
        baresip.transfers("sip:jim@lab.test");
        handset.until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
        handset.does(HandsetCommand::Answer).await;
        handset.until(|event| *event == HandsetEvent::Connected).await;
        talk(&mut handset, &linphone).await;
    });
}
