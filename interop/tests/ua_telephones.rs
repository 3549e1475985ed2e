//! Calls of the user agent with baresip and linphone through kamailio: both ways, with sound, held, transferred, refreshed.
//! Ours speaks TLS, the others TCP.

#[path = "support/capture.rs"]
mod capture;
#[path = "support/network.rs"]
mod network;
#[path = "support/telephone.rs"]
mod telephone;
#[path = "support/telephony.rs"]
mod telephony;

use std::time::Duration;

use capture::Capture;
use examples::connection::Security;
use sip_lync::{Event, Invite, SessionId, StatusCode, Transport, Uri, UserId};
use telephone::{Telephone, configuration};
use telephony::{Baresip, Kamailio, Linphone};

/// The interval our calls ask for.
const INTERVAL: Duration = Duration::from_mins(10);

/// Alice and Carol of ours, on one connection.
fn ours(kamailio: &Kamailio) -> (Telephone, UserId, UserId) {
    let ca = kamailio.folder.file("ca.pem");
    let security = Security { ca: Some(&ca), identity: None, name: None };
    let mut config = configuration(Transport::Tls);
    config.public_gruu = true;
    config.session_expires = Some(INTERVAL);
    let mut telephone = Telephone::dial(Kamailio::TLS, Some(&security), config).expect("kamailio listens");
    let (alice, carol) = (telephone.registered("alice"), telephone.registered("carol"));
    (telephone, alice, carol)
}

/// Waits for a transfer and makes the call that is asked for.
fn transfers(telephone: &mut Telephone, user: UserId, wanted: SessionId) -> SessionId {
    let (target, headers) = telephone.wait("a transfer", |event| match event {
        Event::TransferRequested { session, target, headers } if *session == wanted => {
            Some((target.clone(), headers.clone()))
        }
        _ => None,
    });
    let mut invite = Invite::new(target, telephone.description("sendrecv"));
    invite.headers = headers;
    invite.transfer = Some(wanted);
    telephone.endpoint.invite(telephone.now(), user, invite).expect("a flow")
}

/// Waits until the peer says how its call went.
fn transferred(telephone: &mut Telephone, wanted: SessionId) {
    telephone.wait("the end of the transfer", |event| match event {
        Event::Transferred { session, status } if *session == wanted => {
            assert_eq!(status.map(StatusCode::code), Some(200));
            Some(())
        }
        Event::TransferRefused { session, status } if *session == wanted => panic!("{status:?}"),
        _ => None,
    });
}

/// Half of the interval passes for us: our refresh is sent and answered, and the call lives on when the whole has passed.
/// A peer that knows no session timers agrees to none, and nothing is sent.
fn outlives_its_interval(telephone: &mut Telephone, call: SessionId, timers: bool) {
    let agreed = telephone.traced("< SIP/2.0 200", "Session-Expires")
        + telephone.traced("> SIP/2.0 200", "Session-Expires: 600;refresher=uas");
    assert_eq!(agreed > 0, timers, "{:#?}", telephone.trace);
    let refreshes =
        |telephone: &Telephone| telephone.traced("> UPDATE", "") + telephone.traced("> INVITE", "");
    for _ in 0..3 {
        let (before, agreed) = (refreshes(telephone), telephone.traced("< SIP/2.0 200", "Session-Expires"));
        telephone.pass(INTERVAL / 2 + Duration::from_secs(1));
        assert_eq!(refreshes(telephone) - before, usize::from(timers), "{:#?}", telephone.trace);
        if timers {
            telephone.until("the answer to the refresh", |telephone| {
                telephone.traced("< SIP/2.0 200", "Session-Expires") > agreed
            });
        }
    }
    assert!(
        !telephone.told.iter().any(|event| matches!(event, Event::Ended { .. })),
        "{:#?}",
        telephone.told
    );
    assert_eq!(telephone.endpoint.session(call), sip_lync::invite::State::Established);
}

/// Calls, holds and transfers are in there, ours in TLS and theirs in TCP, and tshark understands all of it.
fn understood(capture: Capture) {
    let read = capture.understood(&[]);
    let words = ["REGISTER", "INVITE", "ACK", "REFER", "NOTIFY", "BYE", "180", "200", "202"];
    read.shows(&["tls", "sip", "sdp", "rtp"], &words);
}

/// Confirms: calls both ways with sound, hold, transfers — baresip 1.0 through kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS and TCP, SDP and RTP are understood — tshark 4.4
#[test]
fn calls_with_baresip_go_both_ways_are_held_and_transferred() {
    capture::prepare();
    if !network::of_its_own("calls_with_baresip_go_both_ways_are_held_and_transferred") {
        return;
    }
    let capture = Capture::start("calls_with_baresip_go_both_ways_are_held_and_transferred");
    let kamailio = Kamailio::start();
    let mut baresip = Baresip::start("bob", 4444);
    let (mut telephone, alice, carol) = ours(&kamailio);
    telephone.reaches(alice, "sip:bob@lab.test");

    // We call, hold and take it back.
    let call = telephone.call_answered(alice, "sip:bob@lab.test");
    telephone.hears();
    telephone.reoffer(call, "sendonly", "recvonly");
    telephone.reoffer(call, "sendrecv", "sendrecv");
    telephone.hears();
    outlives_its_interval(&mut telephone, call, false);
    telephone.hang_up(call);

    // It calls, holds, takes it back and hangs up.
    baresip.tell("dial", "sip:alice@lab.test");
    let call = telephone.answers(alice);
    telephone.hears();
    baresip.tell("hold", "");
    telephone.is_reoffered(call, &["sendonly", "inactive"]);
    baresip.tell("resume", "");
    telephone.is_reoffered(call, &["sendrecv"]);
    telephone.hears();
    baresip.tell("hangup", "");
    telephone.ended(call);

    // We have it call Carol instead.
    let call = telephone.call_answered(alice, "sip:bob@lab.test");
    let target = Uri::parse("sip:carol@lab.test").expect("a URI");
    telephone.endpoint.transfer(telephone.now(), call, target).expect("a call");
    let second = telephone.answers(carol);
    transferred(&mut telephone, call);
    telephone.hears();
    telephone.hang_up(second);
    // It may have hung up the first call by itself.
    telephone.endpoint.hang_up(telephone.now(), call);
    telephone.ended(call);

    // It has Alice call Carol instead.
    baresip.tell("dial", "sip:alice@lab.test");
    let call = telephone.answers(alice);
    baresip.tell("transfer", "sip:carol@lab.test");
    let first = transfers(&mut telephone, alice, call);
    let second = telephone.answers(carol);
    telephone.answered(first);
    telephone.ended(call);
    telephone.hang_up(first);
    telephone.ended(second);
    telephone.nothing_is_left();
    understood(capture);
}

/// Confirms: calls both ways with sound, hold, transfers, session timers — linphone 5.1 through kamailio 5.6
/// Confirms: in all of that no packet is malformed, and SIP in TLS and TCP, SDP and RTP are understood — tshark 4.4
#[test]
fn calls_with_linphone_go_both_ways_are_held_transferred_and_refreshed() {
    capture::prepare();
    if !network::of_its_own("calls_with_linphone_go_both_ways_are_held_transferred_and_refreshed") {
        return;
    }
    let capture = Capture::start("calls_with_linphone_go_both_ways_are_held_transferred_and_refreshed");
    let kamailio = Kamailio::start();
    let mut linphone = Linphone::start("lin");
    let (mut telephone, alice, carol) = ours(&kamailio);
    telephone.reaches(alice, "sip:lin@lab.test");

    // We call, hold and take it back.
    let call = telephone.call_answered(alice, "sip:lin@lab.test");
    telephone.hears();
    telephone.reoffer(call, "sendonly", "recvonly");
    telephone.reoffer(call, "sendrecv", "sendrecv");
    telephone.hears();
    outlives_its_interval(&mut telephone, call, false);
    telephone.hang_up(call);

    // It calls, is refreshed, holds, takes it back and hangs up.
    linphone.tell("call sip:alice@lab.test");
    let call = telephone.answers(alice);
    telephone.hears();
    outlives_its_interval(&mut telephone, call, true);
    linphone.tell("pause");
    telephone.is_reoffered(call, &["sendonly", "inactive"]);
    // It takes the call back only when it is sure that it is held.
    telephone.until("linphone's pause", |_| linphone.folder.said().contains("is now paused"));
    linphone.tell("resume");
    telephone.is_reoffered(call, &["sendrecv"]);
    telephone.hears();
    linphone.tell("terminate");
    telephone.ended(call);

    // Blind: we have it call Carol instead. It holds the call until the other one is answered.
    telephone.agrees = true;
    let call = telephone.call_answered(alice, "sip:lin@lab.test");
    let target = Uri::parse("sip:carol@lab.test").expect("a URI");
    telephone.endpoint.transfer(telephone.now(), call, target).expect("a call");
    let second = telephone.answers(carol);
    transferred(&mut telephone, call);
    telephone.hears();
    telephone.hang_up(second);
    telephone.endpoint.hang_up(telephone.now(), call);
    telephone.ended(call);

    // Blind: it has Alice call Carol instead.
    linphone.tell("call sip:alice@lab.test");
    let call = telephone.answers(alice);
    linphone.tell("transfer sip:carol@lab.test");
    let first = transfers(&mut telephone, alice, call);
    let second = telephone.answers(carol);
    telephone.answered(first);
    telephone.ended(call);
    telephone.hang_up(first);
    telephone.ended(second);

    // Attended: Alice talks to both, then they talk to each other.
    let call = telephone.call_answered(alice, "sip:lin@lab.test");
    telephone.reoffer(call, "sendonly", "recvonly");
    let other = telephone.call(alice, "sip:carol@lab.test");
    let carols = telephone.answers(carol);
    telephone.answered(other);
    telephone.endpoint.transfer_to_session(telephone.now(), call, other).expect("two calls");
    let (second, replaces) = telephone.wait("the call that replaces", |event| match event {
        Event::Incoming { session, user, replaces, .. } if *user == carol => Some((*session, *replaces)),
        _ => None,
    });
    assert_eq!(replaces, Some(carols));
    telephone.accept(second);
    transferred(&mut telephone, call);
    // What was replaced is over.
    telephone.ended(carols);
    telephone.ended(other);
    telephone.hears();
    telephone.hang_up(second);
    telephone.endpoint.hang_up(telephone.now(), call);
    telephone.ended(call);
    telephone.nothing_is_left();
    understood(capture);
}
