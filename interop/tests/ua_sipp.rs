//! The user agent over TCP against SIPp, a program that answers as it is told: every failure of a call, of a registration and
//! of a further offer ends with its name, late answers and lost acknowledgements leave nothing behind.

#[path = "support/sipp.rs"]
mod sipp;
#[path = "support/telephone.rs"]
mod telephone;

use std::net::TcpListener;
use std::time::Duration;

use sip_lync::{
    CallFailure, Config, EndReason, Event, RegistrationFailure, Rendering, Retry, SessionId, SipUri,
    StatusCode, Transport,
};
use sipp::{Scenario, Sipp};
use telephone::{Telephone, configuration};

/// It answers once with this status and header line.
fn called(scenario: &str, status: &str, line: &str) -> Sipp {
    let words = [("STATUS", status), ("LINE", line)];
    Sipp::called(Scenario { words: &words, ..Scenario::once(scenario) })
}

fn config() -> Config {
    configuration(Transport::Tcp)
}

fn dial(sipp: &Sipp, config: Config) -> Telephone {
    Telephone::dial(&sipp.address.to_string(), None, config).expect("sipp listens")
}

fn failed(telephone: &mut Telephone, wanted: SessionId) -> CallFailure {
    telephone.wait("the failure", |event| match event {
        Event::Failed { session, failure } if *session == wanted => Some(failure.clone()),
        _ => None,
    })
}

/// Status, reason, one more header line.
const REFUSALS: [(u16, &str, &str); 21] = [
    (301, "Moved Permanently", "Contact: <sip:carol@lab.test>"),
    (302, "Moved Temporarily", "Contact: <sip:carol@lab.test>, <sip:dave@lab.test>"),
    (305, "Use Proxy", "Contact: <sip:proxy.lab.test>"),
    (401, "Unauthorized", "WWW-Authenticate: Digest realm=\"lab.test\", nonce=\"1\""),
    (403, "Forbidden", "X-None: 0"),
    (404, "Not Found", "ms-diagnostics: 1003;reason=\"User does not exist\""),
    (407, "Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"lab.test\", nonce=\"1\""),
    (408, "Request Timeout", "X-None: 0"),
    (420, "Bad Extension", "Unsupported: timer"),
    (423, "Interval Too Brief", "Min-Expires: 600"),
    (430, "Flow Failed", "X-None: 0"),
    (480, "Temporarily Unavailable", "X-None: 0"),
    (481, "Call Does Not Exist", "X-None: 0"),
    (486, "Busy Here", "X-None: 0"),
    (488, "Not Acceptable Here", "X-None: 0"),
    (491, "Request Pending", "X-None: 0"),
    (500, "Server Internal Error", "X-None: 0"),
    (503, "Service Unavailable", "Retry-After: 7"),
    (504, "Server Time-out", "X-None: 0"),
    (600, "Busy Everywhere", "X-None: 0"),
    (603, "Decline", "X-None: 0"),
];

/// Confirms: every refusal of a call is acknowledged — SIPp 3.6.1
#[test]
fn every_refusal_of_a_call_is_acknowledged_and_told_by_its_name() {
    for (status, reason, line) in REFUSALS {
        let sipp = called("refuse-call", &format!("{status} {reason}"), line);
        let mut telephone = dial(&sipp, config());
        let jim = telephone.user("jim");
        let call = telephone.call(jim, "sip:bob@lab.test");
        let failure = failed(&mut telephone, call);
        assert_eq!((failure.status.map(StatusCode::code), failure.reason.as_str()), (Some(status), reason));
        let elsewhere: Vec<String> = failure.contacts.iter().map(ToString::to_string).collect();
        let named = line.strip_prefix("Contact: ").map(|list| {
            list.split(", ").map(|uri| uri.trim_matches(['<', '>']).to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(elsewhere, named.unwrap_or_default(), "{status}");
        assert_eq!(failure.diagnostics.map(|told| told.id), (status == 404).then_some(1003));
        sipp.succeeded();
        assert_eq!(telephone.traced("> ACK", ""), 1);
        telephone.nothing_is_left();
    }
}

/// Confirms: every refusal of a registration has its consequence — SIPp 3.6.1
#[test]
fn every_refusal_of_a_registration_is_told_by_its_name_and_with_what_follows() {
    // What ends for good, and what is tried again after a while.
    let forever = [403, 404, 405, 420, 421, 603];
    let for_now = [408, 430, 480, 486, 491, 500, 503, 504];
    let challenges = [
        (401, "Unauthorized", "WWW-Authenticate: Digest realm=\"lab.test\", nonce=\"1\""),
        (407, "Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"lab.test\", nonce=\"1\""),
    ];
    let plain = forever.iter().chain(&for_now);
    let mut rows: Vec<_> = plain.map(|status| (*status, "No", "Retry-After: 7")).collect();
    rows.extend(challenges);
    rows.push((302, "Moved Temporarily", "Contact: <sip:fe2.lab.test:5061>"));
    for (status, reason, line) in rows {
        let sipp = called("refuse-register", &format!("{status} {reason}"), line);
        let mut telephone = dial(&sipp, config());
        let wanted = telephone.user("jim");
        telephone.endpoint.register(telephone.now(), wanted, telephone::FLOW, None).expect("a flow");
        if status == 302 {
            let contacts = telephone.wait("a redirection", |event| match event {
                Event::Redirected { user, contacts } if *user == wanted => Some(contacts.clone()),
                _ => None,
            });
            assert_eq!(contacts.iter().map(SipUri::as_str).collect::<Vec<_>>(), ["sip:fe2.lab.test:5061"]);
            sipp.succeeded();
            continue;
        }
        let told = telephone.wait("the failure", |event| match event {
            Event::RegistrationFailed { user, failure, status, retry, .. } if *user == wanted => {
                Some((*failure, status.map(StatusCode::code), *retry))
            }
            _ => None,
        });
        let failure = match status {
            401 | 407 => RegistrationFailure::Challenged,
            _ => RegistrationFailure::Refused,
        };
        assert_eq!((told.0, told.1), (failure, Some(status)));
        match told.2 {
            Retry::Never => assert!(!for_now.contains(&status), "{status} is tried again"),
            Retry::After(pause) => {
                assert!(for_now.contains(&status), "{status} is not tried again");
                // Never earlier than the server wished, and at most a tenth later.
                assert!((7_000..=7_700).contains(&pause.as_millis()), "{status}: {pause:?}");
            }
        }
        sipp.succeeded();
    }
}

/// Confirms: 423: registration with the named interval — SIPp 3.6.1
#[test]
fn a_registration_that_is_too_brief_is_asked_for_again_with_what_was_named() {
    let sipp = Sipp::called(Scenario::once("brief-register"));
    let mut telephone = dial(&sipp, config());
    let jim = telephone.user("jim");
    telephone
        .endpoint
        .register(telephone.now(), jim, telephone::FLOW, Some(Duration::from_secs(30)))
        .expect("a flow");
    let expires = telephone.wait("the registration", |event| match event {
        Event::Registered { expires, .. } => Some(*expires),
        _ => None,
    });
    assert_eq!(expires, Duration::from_mins(10));
    sipp.succeeded();
}

/// Confirms: refused re-INVITEs — SIPp 3.6.1
#[test]
fn a_refused_further_offer_leaves_the_call_as_it_was_or_ends_it_by_name() {
    for status in [403, 404, 486, 488, 500, 503, 504, 603, 408, 481] {
        let sipp = called("refuse-hold", &format!("{status} No"), "X-None: 0");
        let mut telephone = dial(&sipp, config());
        let jim = telephone.user("jim");
        let call = telephone.call_answered(jim, "sip:bob@lab.test");
        let offer = telephone.description("sendonly");
        telephone.endpoint.reoffer(telephone.now(), call, offer, Rendering::No).expect("a call");
        if matches!(status, 408 | 481) {
            // RFC 3261 12.2.1.2: the peer knows the dialog no longer.
            let reason = telephone.wait("the end", |event| match event {
                Event::Ended { session, reason, .. } if *session == call => Some(*reason),
                _ => None,
            });
            assert_eq!(reason, EndReason::DialogGone, "{status}");
        } else {
            let refused = telephone.wait("the refusal", |event| match event {
                Event::ReofferRefused { session, status } if *session == call => Some(*status),
                _ => None,
            });
            assert_eq!(refused.map(StatusCode::code), Some(status));
            telephone.hang_up(call);
        }
        telephone.until("BYE", |telephone| telephone.traced("> BYE", "") == 1);
        sipp.succeeded();
        telephone.nothing_is_left();
    }
}

/// Confirms: 491: the offer is made again after its pause — SIPp 3.6.1
#[test]
fn a_further_offer_that_met_another_is_made_again_after_its_pause() {
    let sipp = Sipp::called(Scenario::once("glare"));
    let mut telephone = dial(&sipp, config());
    let jim = telephone.user("jim");
    let call = telephone.call_answered(jim, "sip:bob@lab.test");
    let offer = telephone.description("sendonly");
    telephone.endpoint.reoffer(telephone.now(), call, offer, Rendering::No).expect("a call");
    telephone.until("491", |telephone| telephone.traced("< SIP/2.0 491", "") == 1);
    assert_eq!(telephone.traced("> INVITE", ""), 2);
    // RFC 3261 14.1: whoever made the Call-ID waits for 2.1 to 4 seconds.
    telephone.pass(Duration::from_millis(2_050));
    assert_eq!(telephone.traced("> INVITE", ""), 2);
    telephone.pass(Duration::from_secs(2));
    telephone.wait("the answer", |event| {
        matches!(event, Event::ReofferAnswered { session, .. } if *session == call).then_some(())
    });
    assert_eq!(telephone.traced("> INVITE", ""), 3);
    telephone.hang_up(call);
    sipp.succeeded();
    telephone.nothing_is_left();
}

/// Confirms: a 200 that crosses CANCEL is acknowledged and hung up — SIPp 3.6.1
#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let sipp = Sipp::called(Scenario::once("late-answer"));
    let mut telephone = dial(&sipp, config());
    let jim = telephone.user("jim");
    let call = telephone.call(jim, "sip:bob@lab.test");
    telephone.wait("ringing", |event| matches!(event, Event::Progress { .. }).then_some(()));
    telephone.endpoint.hang_up(telephone.now(), call);
    let reason = telephone.wait("the end", |event| match event {
        Event::Ended { session, reason, .. } if *session == call => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, EndReason::Local);
    telephone.until("the answer to BYE", |telephone| telephone.traced("< SIP/2.0 200", "BYE") == 1);
    assert_eq!((telephone.traced("> CANCEL", ""), telephone.traced("> ACK", "")), (1, 1));
    assert!(!telephone.told.iter().any(|event| matches!(event, Event::Answered { .. })));
    sipp.succeeded();
    telephone.nothing_is_left();
}

/// Confirms: a lost ACK is sent again — SIPp 3.6.1
#[test]
fn an_answer_that_comes_again_is_acknowledged_again() {
    let sipp = Sipp::called(Scenario::once("lost-ack"));
    let mut telephone = dial(&sipp, config());
    let jim = telephone.user("jim");
    let call = telephone.call_answered(jim, "sip:bob@lab.test");
    telephone.until("three acknowledgements", |telephone| telephone.traced("> ACK", "") == 3);
    assert!(!telephone.told.iter().any(|event| matches!(event, Event::Answered { .. })), "one is told");
    telephone.hang_up(call);
    sipp.succeeded();
    telephone.nothing_is_left();
}

/// Confirms: silence ends a call — SIPp 3.6.1
#[test]
fn a_call_that_nobody_answers_fails_without_a_status() {
    let sipp = Sipp::called(Scenario::once("silent"));
    let mut telephone = dial(&sipp, config());
    let jim = telephone.user("jim");
    let call = telephone.call(jim, "sip:bob@lab.test");
    // RFC 3261 17.1.1.2: timer B.
    telephone.pass(Duration::from_secs(31));
    assert!(telephone.told.is_empty());
    telephone.pass(Duration::from_secs(2));
    let failure = failed(&mut telephone, call);
    assert_eq!(failure.status, None);
    telephone.nothing_is_left();
}

/// Confirms: 200 is repeated without ACK, then BYE — SIPp 3.6.1
#[test]
fn a_caller_that_never_acknowledges_hears_the_answer_again_and_then_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ours = listener.local_addr().expect("an address");
    let sipp = Sipp::calls(Scenario::once("never-acknowledges"), ours);
    let mut telephone = Telephone::dialled_by(&listener, config());
    let jim = telephone.user("jim");
    let call = telephone.wait("a call", |event| match event {
        Event::Incoming { session, user, .. } if *user == jim => Some(*session),
        _ => None,
    });
    let answer = telephone.description("sendrecv");
    telephone.endpoint.answer(telephone.now(), call, answer);
    // RFC 3261 13.3.1.4: the answer is repeated for 64 T1.
    telephone.pass(Duration::from_secs(33));
    let reason = telephone.wait("the end", |event| match event {
        Event::Ended { session, reason, .. } if *session == call => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, EndReason::AckMissing);
    let answers = telephone.traced("> SIP/2.0 200", "INVITE");
    // At once, then after 0.5, 1, 2 and every 4 seconds.
    assert_eq!(answers, 11, "{:#?}", telephone.trace);
    sipp.succeeded();
    telephone.nothing_is_left();
}
