//! Transfers between telephones of other hands and a handset of the server, through kamailio over TLS with SRTP: the handset
//! is sent on, to somebody who rings and to somebody who is asked first, and others are sent to it in the middle of a call.

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
use secure_telephones::{Baresip, Linphone, Telephone, until};
use sipe::share_of_tone;
use telephony::Kamailio;
use tokio::runtime::Runtime;
use tones::{MEDIA, NUMBER, TELEPHONE, TRANSFEROR, answers, is_idle, talk};

/// The handset is with the other telephone now, and both hear each other until the handset hangs up.
async fn goes_on(handset: &mut Handset, transferor: &impl Telephone, telephone: &impl Telephone) {
    until(transferor, "the end of its calls", |transferor| {
        is_idle(transferor) && transferor.begun_and_ended().0 > 0
    });
    // The bearer of the call that was left.
    let before = handset.heard_before().await;
    let share = share_of_tone(&before, TRANSFEROR);
    assert!(share > 0.9, "of the transferor {} samples, {share:.2} tone", before.len());
    talk(handset, telephone).await;
}

/// A transfer is in there, protected, and tshark understands all of it.
fn understood(capture: Capture) {
    let read = capture.understood(&[]);
    read.shows(&["tls", "sip", "sdp", "rtp"], &["INVITE", "REFER", "NOTIFY", "202", "200", "BYE"]);
    assert!(read.srtp > 100, "{read:?}");
}

/// Confirms: baresip sends a handset on to linphone (blind transfer), and the two hear each other over SRTP — baresip 1.0, linphone 5.1, kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP and SRTP are understood — tshark 4.4
#[test]
fn baresip_sends_a_handset_on_to_linphone() {
    capture::prepare();
    if !network::of_its_own("baresip_sends_a_handset_on_to_linphone") {
        return;
    }
    let capture = Capture::start("baresip_sends_a_handset_on_to_linphone");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let linphone = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut baresip = Baresip::start("bob", TRANSFEROR, 4444, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA[0]));
    runtime.block_on(async {
        baresip.calls("sip:jim@lab.test");
        answers(&mut handset).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        baresip.transfers(&format!("sip:{NUMBER}@lab.test"));
        until(&linphone, "the call", |linphone| linphone.said().contains("LinphoneCallStreamsRunning"));
        // Baresip leaves it to its user to hang up.
        baresip.hangs_up();
        goes_on(&mut handset, &baresip, &linphone).await;
    });
    understood(capture);
}

/// Confirms: linphone asks another linphone first and then sends a handset on to it (attended transfer, the handset's INVITE carries Replaces), heard on both sides over SRTP — linphone 5.1, kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP and SRTP are understood — tshark 4.4
#[test]
fn linphone_asks_first_and_then_sends_a_handset_on() {
    capture::prepare();
    if !network::of_its_own("linphone_asks_first_and_then_sends_a_handset_on") {
        return;
    }
    let capture = Capture::start("linphone_asks_first_and_then_sends_a_handset_on");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let other = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut linphone = Linphone::start("bob", TRANSFEROR, 7178, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA[0]));
    runtime.block_on(async {
        linphone.calls("sip:jim@lab.test");
        answers(&mut handset).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        linphone.holds();
        until(&linphone, "the hold", |linphone| linphone.said().contains("paused"));
        linphone.calls(&format!("sip:{NUMBER}@lab.test"));
        until(&linphone, "the second call", |linphone| linphone.begun_and_ended().0 >= 2);
        linphone.transfers("1 --to-call 2");
        goes_on(&mut handset, &linphone, &other).await;
    });
    understood(capture);
}

/// Confirms: linphone talks with a handset and sends another linphone to it (attended transfer, the INVITE to the handset carries Replaces), heard on both sides over SRTP — linphone 5.1, kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS, SDP with SDES, RTP and SRTP are understood — tshark 4.4
#[test]
fn linphone_sends_another_one_to_a_handset_it_talks_with() {
    capture::prepare();
    if !network::of_its_own("linphone_sends_another_one_to_a_handset_it_talks_with") {
        return;
    }
    let capture = Capture::start("linphone_sends_another_one_to_a_handset_it_talks_with");
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let other = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut linphone = Linphone::start("bob", TRANSFEROR, 7178, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA[0]));
    runtime.block_on(async {
        linphone.calls(&format!("sip:{NUMBER}@lab.test"));
        until(&linphone, "the first call", |linphone| linphone.begun_and_ended().0 >= 1);
        linphone.holds();
        until(&linphone, "the hold", |linphone| linphone.said().contains("paused"));
        linphone.calls("sip:jim@lab.test");
        answers(&mut handset).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        linphone.transfers("1 --to-call 2");
        goes_on(&mut handset, &linphone, &other).await;
    });
    understood(capture);
}
