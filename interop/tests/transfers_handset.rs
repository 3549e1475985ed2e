//! Transfers between telephones of other hands and a handset of the server, through kamailio over TLS with SRTP: the handset
//! is sent on, to somebody who rings and to somebody who is asked first, and others are sent to it in the middle of a call.

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
const TRANSFEROR: f64 = 1200.0;
const NUMBER: &str = "+14255550101";
const MEDIA: &str = "srtp = \"required\"\ninclude_mki = true\ninclude_lifetime = true";

fn is_idle(telephone: &impl Telephone) -> bool {
    let (begun, ended) = telephone.begun_and_ended();
    begun > 0 && begun == ended
}

async fn answers(handset: &mut Handset) {
    handset.until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
    handset.does(HandsetCommand::Answer).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
}

/// The handset is with the other telephone now, and both hear each other until the handset hangs up.
async fn goes_on(handset: &mut Handset, transferor: &impl Telephone, telephone: &impl Telephone) {
    until(transferor, "the end of its calls", is_idle);
    // The bearer of the call that was left.
    let before = handset.heard_before().await;
    let share = share_of_tone(&before, TRANSFEROR);
    assert!(share > 0.9, "of the transferor {} samples, {share:.2} tone", before.len());
    handset.plays(tone(HANDSET, 2)).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    handset.does(HandsetCommand::HangUp).await;
    let heard = handset.heard().await;
    let share = share_of_tone(&heard, TELEPHONE);
    assert!(share > 0.9, "the handset heard {} samples, {share:.2} tone: {}", heard.len(), telephone.said());
    until(telephone, "the end of the call", is_idle);
    let spoken = |telephone: &_| share_of_tone(&tail(&Telephone::heard(telephone)), HANDSET) > 0.9;
    until(telephone, "hearing the handset", spoken);
}

/// What a telephone heard last: a second from the middle of what the handset said.
fn tail(heard: &[i16]) -> Vec<i16> {
    let end = heard.iter().rposition(|sample| sample.unsigned_abs() > 1_000).unwrap_or(0);
    heard.get(end.saturating_sub(12_000)..end.saturating_sub(4_000)).unwrap_or_default().to_vec()
}

/// Confirms: baresip sends a handset on to linphone (blind transfer), and the two hear each other over SRTP — baresip 1.0, linphone 5.1, kamailio 5.6
#[test]
fn baresip_sends_a_handset_on_to_linphone() {
    if !network::of_its_own("baresip_sends_a_handset_on_to_linphone") {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let linphone = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut baresip = Baresip::start("bob", TRANSFEROR, 4444, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA));
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
}

/// Confirms: linphone asks another linphone first and then sends a handset on to it (attended transfer, the handset's INVITE carries Replaces), heard on both sides over SRTP — linphone 5.1, kamailio 5.6
#[test]
fn linphone_asks_first_and_then_sends_a_handset_on() {
    if !network::of_its_own("linphone_asks_first_and_then_sends_a_handset_on") {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let other = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut linphone = Linphone::start("bob", TRANSFEROR, 7178, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA));
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
}

/// Confirms: linphone talks with a handset and sends another linphone to it (attended transfer, the INVITE to the handset carries Replaces), heard on both sides over SRTP — linphone 5.1, kamailio 5.6
#[test]
fn linphone_sends_another_one_to_a_handset_it_talks_with() {
    if !network::of_its_own("linphone_sends_another_one_to_a_handset_it_talks_with") {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let kamailio = Kamailio::start();
    let other = Linphone::start(NUMBER, TELEPHONE, 7078, &kamailio);
    let mut linphone = Linphone::start("bob", TRANSFEROR, 7178, &kamailio);
    let mut handset = runtime.block_on(Handset::start(&kamailio, MEDIA));
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
}
