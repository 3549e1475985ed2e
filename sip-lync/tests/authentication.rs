//! Challenges, legs, signatures of what is sent and verdicts on what is received.

mod peer;

use std::time::Duration;

use peer::{ANSWER, FLOW, Peer, SDP, seal, uri};
use sip_lync::register::State;
use sip_lync::{
    Config, Event, FlowId, FlowRole, HeaderName, Invite, Leg, Message, Method, RegistrationFailure, Request,
    Response, Scheme, SignatureFields, SignatureVersion, StatusCode, Verdict, signature_text,
};

const SECOND: Duration = Duration::from_secs(1);
const REALM: &str = "SIP Communications Service";
const TARGET: &str = "fe1.example.net";
const FIRST: &str = "NTLM realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", version=4";
const SECOND_LEG: &str = "NTLM opaque=\"1D2C3B4A\", gssapi-data=\"Y2hhbGxlbmdl\", targetname=\"fe1.example.net\", realm=\"SIP Communications Service\", version=4";

fn client() -> Peer {
    let mut config = Config::client("dect.example.net");
    config.credentials = true;
    Peer::with(config)
}

fn authorization(request: &Request) -> &str {
    request.headers.get(&HeaderName::Authorization).unwrap_or_else(|| panic!("no Authorization"))
}

fn leg(peer: &mut Peer) -> Leg {
    match peer.event() {
        Event::Challenged { challenges, .. } => Leg::of(&challenges[0]),
        other => panic!("{other:?}"),
    }
}

/// Signs a message as the front end does.
fn sign(message: impl Into<Message>, number: u32) -> Message {
    sign_as(TARGET, message, number)
}

fn sign_as(target_name: &str, message: impl Into<Message>, number: u32) -> Message {
    let mut message = message.into();
    let fields = SignatureFields {
        version: SignatureVersion::Four,
        scheme: "NTLM",
        random: "1A2B3C4D",
        number,
        realm: REALM,
        target_name,
    };
    let text = signature_text(&message, &fields).unwrap();
    let hex: String = seal(&text)
        .iter()
        .flat_map(|o| [o >> 4, o & 15])
        .map(|d| char::from_digit(d.into(), 16).unwrap())
        .collect();
    message.headers_mut().push(
        HeaderName::AuthenticationInfo,
        format!("NTLM qop=\"auth\", opaque=\"1D2C3B4A\", srand=\"1A2B3C4D\", snum=\"{number}\", rspauth=\"{hex}\", targetname=\"{target_name}\", realm=\"{REALM}\", version=4"),
    );
    message
}

/// Judges the signature that waits, truthfully.
fn judge(peer: &mut Peer) -> Verdict {
    match peer.event() {
        Event::SignatureReceived { id, user, text, signature, .. } => {
            assert_eq!(user, peer.user);
            let hex: String = seal(&text)
                .iter()
                .flat_map(|o| [o >> 4, o & 15])
                .map(|d| char::from_digit(d.into(), 16).unwrap())
                .collect();
            let verdict = if hex == signature { Verdict::Genuine } else { Verdict::Forged };
            peer.endpoint.verified(peer.now, id, verdict);
            verdict
        }
        other => panic!("{other:?}"),
    }
}

fn accepted(register: &Request) -> Response {
    let mut ok = register.response(StatusCode::OK);
    let to = ok.headers.get(&HeaderName::To).unwrap().to_owned();
    ok.headers.set(HeaderName::To, format!("{to};tag=0F9E8D7C"));
    ok.headers.push(HeaderName::Expires, 600);
    ok
}

/// Three legs of NTLM.
fn registered() -> Peer {
    let mut peer = client();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let first = peer.request(&Method::Register);
    handshake(&mut peer, &first);
    peer
}

fn handshake(peer: &mut Peer, first: &Request) {
    assert!(!first.headers.contains(&HeaderName::Authorization));
    peer.reply(first, 401, "t", &[("WWW-Authenticate", FIRST)], "");
    let mut second = leg(peer);
    second.gssapi_data = Some(String::new());
    peer.endpoint.authenticate(peer.now, peer.user, second);
    let second = peer.request(&Method::Register);
    assert_eq!(
        authorization(&second),
        "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", gssapi-data=\"\", version=4"
    );
    peer.reply(&second, 401, "t", &[("WWW-Authenticate", SECOND_LEG)], "");
    let mut third = leg(peer);
    assert_eq!(third.opaque.as_deref(), Some("1D2C3B4A"));
    third.gssapi_data = Some("dG9rZW4=".to_owned());
    third.signature_digits = Some(32);
    peer.endpoint.authenticate(peer.now, peer.user, third);
    let third = peer.request(&Method::Register);
    peer.send(sign(accepted(&third), 1));
    assert_eq!(judge(peer), Verdict::Genuine);
    assert!(matches!(peer.event(), Event::Registered { .. }));
}

/// Lets time pass until a REGISTER was sent; how many seconds.
fn until_refresh(peer: &mut Peer) -> u32 {
    for seconds in 1..86_400 {
        peer.pass(SECOND);
        if peer.next_method() == Some(Method::Register) {
            return seconds;
        }
    }
    panic!("no refresh");
}

#[test]
fn three_legs_of_ntlm_end_in_an_association_that_signs_its_own_register() {
    let mut peer = client();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let first = peer.request(&Method::Register);
    peer.reply(&first, 401, "t", &[("WWW-Authenticate", FIRST)], "");
    let mut second = leg(&mut peer);
    second.gssapi_data = Some(String::new());
    assert_eq!(peer.endpoint.registration(peer.user), State::Authenticating);
    peer.endpoint.authenticate(peer.now, peer.user, second);
    let second = peer.request(&Method::Register);
    assert!(peer.signed.is_empty());
    assert_eq!(second.headers.get(&HeaderName::CallId), first.headers.get(&HeaderName::CallId));
    peer.reply(&second, 401, "t", &[("WWW-Authenticate", SECOND_LEG)], "");
    let mut third = leg(&mut peer);
    third.gssapi_data = Some("dG9rZW4=".to_owned());
    third.signature_digits = Some(32);
    peer.endpoint.authenticate(peer.now, peer.user, third);
    let third = peer.request(&Method::Register);
    let value = authorization(&third);
    assert!(
        value.starts_with("NTLM qop=\"auth\", opaque=\"1D2C3B4A\", realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", gssapi-data=\"dG9rZW4=\", version=4, crand=\""),
        "{value}"
    );
    assert!(value.contains("\", cnum=\"1\", response=\""), "{value}");
    // What was signed is what the server computes from the message it got.
    let credentials = &third.headers.credentials().unwrap()[0];
    let crand = credentials.get("crand").unwrap().into_owned();
    let fields = SignatureFields {
        version: SignatureVersion::Four,
        scheme: "NTLM",
        random: &crand,
        number: 1,
        realm: REALM,
        target_name: TARGET,
    };
    let text = signature_text(&Message::from(third.clone()), &fields).unwrap();
    assert_eq!(peer.signed, std::slice::from_ref(&text));
    let hex: String = seal(&text).iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(credentials.get("response").unwrap(), hex);
}

#[test]
fn every_message_is_signed_with_its_own_number_and_repeated_ones_anew() {
    let mut peer = registered();
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    let value = authorization(&invite);
    assert!(
        value.starts_with("NTLM qop=\"auth\", opaque=\"1D2C3B4A\", realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", crand=\""),
        "{value}"
    );
    assert!(value.contains("cnum=\"2\"") && !value.contains("version"), "{value}");
    let mut ok = invite.response(StatusCode::OK);
    let to = ok.headers.get(&HeaderName::To).unwrap().to_owned();
    ok.headers.set(HeaderName::To, format!("{to};tag=b1"));
    ok.headers.push(HeaderName::Contact, "<sip:bob@192.0.2.30>");
    for number in [3, 4] {
        peer.send(sign(ok.clone(), number));
        assert_eq!(judge(&mut peer), Verdict::Genuine);
        let ack = peer.request(&Method::Ack);
        assert!(authorization(&ack).contains(&format!("cnum=\"{number}\"")));
        assert_eq!(ack.headers.count(&HeaderName::Authorization), 1);
        if number == 3 {
            assert!(matches!(peer.event(), Event::Answered { .. }));
        }
    }
}

#[test]
fn signed_requests_are_judged_in_their_order_and_unsigned_ones_dropped() {
    let mut peer = registered();
    peer.send(Peer::invite(1, SDP));
    peer.silence();
    peer.no_event();
    let mut other = Peer::invite(1, SDP);
    other.headers.set(HeaderName::CallId, "call-2");
    other.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKother");
    let mut third = other.clone();
    third.headers.set(HeaderName::CallId, "call-3");
    third.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKthird");
    let mut forged = sign(other, 3);
    forged.headers_mut().set(HeaderName::CSeq, "2 INVITE");
    peer.send(sign(Peer::invite(1, SDP), 2));
    peer.send(forged);
    peer.send(sign(third, 4));
    assert_eq!(judge(&mut peer), Verdict::Genuine);
    let Event::Incoming { session, request, .. } = peer.event() else { panic!() };
    assert_eq!(request.headers.get(&HeaderName::CallId), Some("call-1"));
    assert_eq!(judge(&mut peer), Verdict::Forged);
    assert_eq!(judge(&mut peer), Verdict::Genuine);
    let Event::Incoming { request, .. } = peer.event() else { panic!() };
    assert_eq!(request.headers.get(&HeaderName::CallId), Some("call-3"));
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    assert!(
        ok.headers.get(&HeaderName::Authorization).unwrap().contains("cnum="),
        "responses are signed, too"
    );
    assert!(peer.signed.last().unwrap().ends_with("<200>"));
    peer.pass(Duration::from_millis(500));
    peer.response(100);
    let again = peer.response(200);
    assert_ne!(
        ok.headers.get(&HeaderName::Authorization),
        again.headers.get(&HeaderName::Authorization),
        "a repeated response is signed anew"
    );
}

#[test]
fn a_forged_200_does_not_register_and_an_unsigned_one_neither() {
    for forged in [true, false] {
        let mut peer = client();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let first = peer.request(&Method::Register);
        peer.reply(&first, 401, "t", &[("WWW-Authenticate", SECOND_LEG)], "");
        let mut only = leg(&mut peer);
        only.signature_digits = Some(32);
        peer.endpoint.authenticate(peer.now, peer.user, only);
        let register = peer.request(&Method::Register);
        if forged {
            let mut ok = sign(accepted(&register), 1);
            ok.headers_mut().set(HeaderName::Expires, 7200);
            peer.send(ok);
            assert_eq!(judge(&mut peer), Verdict::Forged);
        } else {
            peer.send(accepted(&register));
        }
        peer.no_event();
        assert_eq!(peer.endpoint.registration(peer.user), State::Registering);
    }
}

#[test]
fn a_challenge_on_a_refresh_starts_a_new_handshake() {
    let mut peer = registered();
    until_refresh(&mut peer);
    let refresh = peer.request(&Method::Register);
    assert!(authorization(&refresh).contains("crand"));
    peer.reply(&refresh, 401, "t", &[("WWW-Authenticate", FIRST)], "");
    let mut fresh = leg(&mut peer);
    fresh.gssapi_data = Some(String::new());
    peer.endpoint.authenticate(peer.now, peer.user, fresh);
    let register = peer.request(&Method::Register);
    assert!(!authorization(&register).contains("crand"));
}

#[test]
fn an_old_association_is_renewed_by_an_unsigned_register_before_the_server_forgets_it() {
    // Servers of 2007 R2 grant two hours.
    for granted in [600, 900, 7200, 86_400] {
        let mut peer = registered();
        let mut waited = 0;
        loop {
            waited += until_refresh(&mut peer);
            let refresh = peer.request(&Method::Register);
            if !refresh.headers.contains(&HeaderName::Authorization) {
                break handshake(&mut peer, &refresh);
            }
            let mut ok = accepted(&refresh);
            ok.headers.set(HeaderName::Expires, granted);
            peer.send(sign(ok, 9));
            assert_eq!(judge(&mut peer), Verdict::Genuine);
            assert!(matches!(peer.event(), Event::Registered { .. }));
        }
        assert!((7 * 3600..8 * 3600 - 300).contains(&waited), "{granted}: {waited}");
    }
}

#[test]
fn without_an_answer_the_challenge_fails_the_registration() {
    let mut peer = client();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    peer.reply(&register, 407, "t", &[("Proxy-Authenticate", FIRST)], "");
    leg(&mut peer);
    peer.pass(30 * SECOND);
    assert!(matches!(
        peer.event(),
        Event::RegistrationFailed { failure: RegistrationFailure::Challenged, .. }
    ));
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    peer.reply(&register, 401, "t", &[("WWW-Authenticate", FIRST)], "");
    leg(&mut peer);
    peer.endpoint.refuse_challenge(peer.now, peer.user);
    assert!(matches!(peer.event(), Event::RegistrationFailed { .. }));
}

/// Answers every challenge with this one until the registration fails; how many were answered.
fn answered(challenge: &str) -> u8 {
    let mut peer = client();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let mut answered = 0;
    loop {
        let register = peer.request(&Method::Register);
        peer.reply(&register, 401, "t", &[("WWW-Authenticate", challenge)], "");
        match peer.event() {
            Event::Challenged { challenges, .. } => {
                peer.endpoint.authenticate(peer.now, peer.user, Leg::of(&challenges[0]));
                answered += 1;
                let scheme = Scheme::of(&challenges[0].scheme);
                assert_eq!(peer.endpoint.handshake(peer.user), Some((scheme, answered)));
            }
            Event::RegistrationFailed { failure, .. } => {
                assert_eq!(failure, RegistrationFailure::CredentialsRefused);
                peer.silence();
                assert_eq!(peer.endpoint.handshake(peer.user), None);
                return answered;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_scheme_has_its_legs_and_a_wrong_password_is_not_tried_again_and_again() {
    assert_eq!(answered(FIRST), 2);
    assert_eq!(answered(&FIRST.replace("NTLM", "Kerberos")), 1);
    assert_eq!(answered(&FIRST.replace("NTLM", "TLS-DSK")), 12);
    assert_eq!(answered(&FIRST.replace("NTLM", "Digest")), 12, "of an unknown scheme nothing is known");
}

#[test]
fn a_user_has_an_association_with_each_of_its_servers() {
    const SECOND_FLOW: FlowId = FlowId(2);
    const HOME: &str = "fe2.example.net";
    let mut peer = registered();
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    let mut ok = invite.response(StatusCode::OK);
    let to = ok.headers.get(&HeaderName::To).unwrap().to_owned();
    ok.headers.set(HeaderName::To, format!("{to};tag=b1"));
    ok.headers.push(HeaderName::Contact, "<sip:bob@192.0.2.30>");
    peer.send(sign(ok, 3));
    judge(&mut peer);
    peer.request(&Method::Ack);
    let Event::Answered { session, .. } = peer.event() else { panic!() };
    // The user moves to another server, while the first connection still carries its call.
    peer.open(SECOND_FLOW, FlowRole::Dialled);
    peer.endpoint.register(peer.now, peer.user, SECOND_FLOW, None).unwrap();
    let first = peer.request_on(SECOND_FLOW, &Method::Register);
    assert!(!first.headers.contains(&HeaderName::Authorization), "nothing was agreed there yet");
    let challenge = SECOND_LEG.replace(TARGET, HOME).replace("1D2C3B4A", "AAAA0000");
    let mut challenged = first.response(StatusCode::UNAUTHORIZED);
    challenged.headers.push(HeaderName::WwwAuthenticate, &challenge);
    peer.send_on(SECOND_FLOW, challenged);
    let mut third = leg(&mut peer);
    third.signature_digits = Some(32);
    peer.endpoint.authenticate(peer.now, peer.user, third);
    let register = peer.request_on(SECOND_FLOW, &Method::Register);
    assert!(authorization(&register).contains("targetname=\"fe2.example.net\""));
    assert!(authorization(&register).contains("cnum=\"1\""));
    // Until the second one stands, only the first one does.
    assert_eq!(peer.endpoint.associations(peer.user).collect::<Vec<_>>(), [TARGET]);
    peer.send_on(SECOND_FLOW, sign_as(HOME, accepted(&register), 1));
    assert_eq!(judge(&mut peer), Verdict::Genuine);
    assert!(matches!(peer.event(), Event::Registered { .. }));
    assert_eq!(peer.endpoint.associations(peer.user).collect::<Vec<_>>(), [TARGET, HOME]);
    // Each connection has its own: what the first server signs is good there and nowhere else.
    let text = format!(
        "BYE sip:dect1@dect.example.net:5061 SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKbye\n\
         From: <sip:bob@example.net>;tag=b1\nTo: {}\nCall-ID: {}\nCSeq: 7 BYE",
        invite.headers.get(&HeaderName::From).unwrap(),
        invite.headers.get(&HeaderName::CallId).unwrap(),
    );
    let bye = Peer::front_end(&text, "");
    peer.send_on(SECOND_FLOW, sign(bye, 9));
    peer.silence();
    peer.no_event();
    peer.endpoint.hang_up(peer.now, session);
    let ours = peer.request(&Method::Bye);
    assert!(authorization(&ours).contains("targetname=\"fe1.example.net\""));
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request_on(SECOND_FLOW, &Method::Invite);
    assert!(authorization(&invite).contains("targetname=\"fe2.example.net\""));
    peer.close(FLOW);
    assert_eq!(peer.endpoint.associations(peer.user).collect::<Vec<_>>(), [HOME]);
}

#[test]
fn a_challenged_call_is_signed_once_more_and_then_the_user_proves_itself_anew() {
    let mut peer = registered();
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let first = peer.request(&Method::Invite);
    peer.reply(&first, 407, "x", &[("Proxy-Authenticate", FIRST)], "");
    peer.request(&Method::Ack);
    let second = peer.request(&Method::Invite);
    assert_eq!(second.headers.cseq().unwrap().unwrap().number, 2);
    assert_eq!(&second.body[..], SDP.as_bytes());
    assert_ne!(authorization(&first), authorization(&second));
    peer.reply(&second, 407, "x", &[("Proxy-Authenticate", FIRST)], "");
    peer.request(&Method::Ack);
    let register = peer.request(&Method::Register);
    assert!(!register.headers.contains(&HeaderName::Authorization), "a new handshake begins");
    assert!(matches!(peer.event(), Event::Failed { .. }));
    handshake(&mut peer, &register);
}

#[test]
fn the_version_is_the_lower_one_of_both_sides() {
    for (theirs, ours) in [(", version=3", 3), (", version=4", 4), (", version=9", 4), ("", 3)] {
        let mut peer = client();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let register = peer.request(&Method::Register);
        let challenge = format!("NTLM realm=\"{REALM}\", targetname=\"{TARGET}\"{theirs}");
        peer.reply(&register, 401, "t", &[("WWW-Authenticate", &challenge)], "");
        let mut leg = leg(&mut peer);
        assert_eq!(leg.version, ours, "{theirs}");
        leg.gssapi_data = Some(String::new());
        peer.endpoint.authenticate(peer.now, peer.user, leg);
        let answer = peer.request(&Method::Register);
        assert!(authorization(&answer).ends_with(&format!(", version={ours}")), "{answer:?}");
    }
}

#[test]
fn a_signature_of_the_wrong_length_is_not_written() {
    let mut peer = registered();
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let mut buffer = bytes::BytesMut::from(&b"before"[..]);
    let transmit = peer.endpoint.poll_transmit(&mut buffer).unwrap();
    let slot = peer.endpoint.poll_signature().unwrap();
    assert_eq!(peer.endpoint.poll_signature(), None);
    let message = &mut buffer[6..6 + transmit.len];
    assert_eq!(&message[slot.at.clone()], "0".repeat(32).as_bytes());
    assert!(!slot.fill(message, &[1; 20]));
    assert!(slot.fill(message, &[0xab; 16]));
    assert_eq!(&message[slot.at.clone()], "ab".repeat(16).as_bytes());
}
