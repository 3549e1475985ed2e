//! Peers that do what no peer should, without end: the call or registration concerned ends with a named reason, what is
//! held stays within the configured limits, others go on, and once the peer is tired nothing is left of it.

mod peer;

use std::time::Duration;

use peer::{ANSWER, FLOW, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{
    Breach, CallFailure, Config, EndReason, Error, Event, FlowId, FlowRole, ForkId, HeaderName, Input,
    Invite, Method, OutgoingRequest, RegistrationFailure, Rendering, Request, SessionId, StatusCode,
    Subscription, register, subscribe,
};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@192.0.2.30;transport=tls>");
/// The connection the attack comes on.
const ATTACK: FlowId = FlowId(2);
/// Transactions one connection may have under way here.
const LIMIT: usize = 200;
/// How often an attack repeats itself.
const FLOOD: u32 = 700;

/// A registered user with a call that stands, and a second connection.
struct Bystander {
    peer: Peer,
    call: SessionId,
    before: sip_lync::endpoint::Load,
}

impl Bystander {
    fn new() -> Self {
        let mut config = Config::new("dect.example.net");
        config.limits.transactions_per_flow = LIMIT;
        Self::with(config)
    }

    fn with(config: Config) -> Self {
        let mut peer = Peer::with(config);
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let register = peer.request(&Method::Register);
        peer.accept_registration(&register, "added", 7200);
        peer.send(Peer::invite(1, SDP));
        assert!(matches!(peer.event(), Event::Registered { .. }));
        let Event::Incoming { session: call, .. } = peer.event() else { panic!() };
        peer.endpoint.answer(peer.now, call, ANSWER);
        let ok = peer.response(200);
        peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
        peer.event();
        peer.open(ATTACK, FlowRole::Accepted);
        // The transaction of the INVITE goes.
        peer.pass(40 * SECOND);
        peer.forget();
        let before = peer.endpoint.state();
        Self { peer, call, before }
    }

    /// While the attack goes on: the limits hold, the call and the registration stand, a new caller comes through.
    fn holds(&self) {
        let load = self.peer.endpoint.state();
        assert!(load.client_transactions <= LIMIT && load.server_transactions <= 2 * LIMIT, "{load:?}");
        assert!(load.sessions <= 16 + 1 && load.timers <= 3 * LIMIT && load.waiting <= LIMIT, "{load:?}");
        assert_eq!(self.peer.endpoint.session(self.call), State::Established);
        assert_eq!(self.peer.endpoint.registration(self.peer.user), register::State::Registered);
    }

    /// When it is over nothing is left of it, and the user can be called.
    fn unharmed(mut self) {
        self.holds();
        self.peer.pass(400 * SECOND);
        self.peer.forget();
        assert_eq!(self.peer.endpoint.state(), self.before);
        self.holds();
        let mut invite = Peer::invite(1, SDP);
        invite.headers.set(HeaderName::CallId, "next");
        invite.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKnext");
        self.peer.send(invite);
        assert!(matches!(self.peer.event(), Event::Incoming { .. }));
    }
}

/// A request out of any dialog.
fn stray(method: &str, number: u32, headers: &[(&str, &str)]) -> Request {
    let mut request = Peer::front_end(
        &format!(
            "{method} sip:dect1@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{method}{number}
Max-Forwards: 70
From: <sip:mallory@example.net>;tag=m{number}
To: <sip:dect1@example.net>
Call-ID: stray{number}
CSeq: 1 {method}
Contact: <sip:mallory@192.0.2.66>"
        ),
        "",
    );
    for (name, value) in headers {
        request.headers.set(HeaderName::parse(name).unwrap(), value);
    }
    request
}

/// A call of ours, to be tormented by its callee.
fn call(peer: &mut Peer, offer: bool) -> (SessionId, Request) {
    let invite = if offer {
        Invite::new(uri("sip:bob@example.net"), SDP)
    } else {
        Invite::without_offer(uri("sip:bob@example.net"))
    };
    let session = peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    (session, peer.request(&Method::Invite))
}

/// The same, answered.
fn answered(peer: &mut Peer) -> (SessionId, Request) {
    let (session, invite) = call(peer, true);
    peer.reply(&invite, 200, "b", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    (session, invite)
}

#[test]
fn calls_without_end_ring_up_to_the_limit_of_the_user() {
    let mut site = Bystander::new();
    for number in 0..FLOOD {
        let mut invite = Peer::invite(1, SDP);
        invite.headers.set(HeaderName::CallId, format!("flood{number}"));
        invite.headers.set(HeaderName::Via, format!("SIP/2.0/TLS x;branch=z9hG4bKflood{number}"));
        if number >= FLOOD / 2 {
            invite.headers.set(HeaderName::From, format!("<sip:caller{number}@example.net>;tag=f"));
        }
        site.peer.send_on(ATTACK, invite);
        site.peer.forget();
        let most = if number < FLOOD / 2 { 8 } else { 16 };
        assert!(site.peer.endpoint.state().sessions <= most, "one caller has half of them at most");
    }
    assert_eq!(site.peer.endpoint.state().sessions, 16);
    // Nobody takes the telephone: each ends for its reason.
    site.peer.endpoint.hang_up(site.peer.now, site.call);
    let bye = site.peer.request(&Method::Bye);
    site.peer.reply(&bye, 200, "", &[], "");
    site.peer.event();
    site.peer.pass(181 * SECOND);
    let mut ended = 0;
    while let Some(event) = site.peer.next_event() {
        if matches!(event, Event::Ended { .. }) {
            ended += 1;
        }
    }
    assert_eq!(ended, 15);
    assert_eq!(site.peer.endpoint.state().sessions, 0);
    assert_eq!(site.peer.endpoint.registration(site.peer.user), register::State::Registered);
}

/// A call of somebody to the user of this number.
fn call_of(caller: &str, number: u32, user: &str) -> Request {
    let mut invite = Peer::invite(1, SDP);
    invite.uri = format!("sip:{user}@example.net").parse().unwrap();
    invite.headers.set(HeaderName::To, format!("<sip:{user}@example.net>"));
    invite.headers.set(HeaderName::From, format!("<sip:{caller}@example.net>;tag=f{number}"));
    invite.headers.set(HeaderName::CallId, format!("{caller}{number}"));
    invite.headers.set(HeaderName::Via, format!("SIP/2.0/TLS x;branch=z9hG4bK{caller}{number}"));
    invite
}

#[test]
fn one_who_floods_the_connection_that_all_share_leaves_room_for_all_others() {
    let mut site = Bystander::new();
    let other = uri("sip:dect2@example.net");
    let other = site.peer.endpoint.add_user(sip_lync::User::new(other.sip().unwrap().clone(), "02020202"));
    let mut refused = 0;
    for number in 0..FLOOD {
        // Most of them wait for an ACK that never comes, some for the telephone.
        site.peer.send(call_of("Mallory", number, if number % 2 == 0 { "dect1" } else { "dect2" }));
        refused += u32::from(site.peer.statuses().contains(&503));
        site.peer.forget();
    }
    let load = site.peer.endpoint.state();
    assert!(load.server_transactions <= LIMIT / 2 && load.sessions <= 1 + 16, "{load:?}");
    assert!(refused > FLOOD / 2, "{refused}");
    // Many others, some more than once, to the same users and while it goes on.
    let mut came = 0;
    for number in 0..60 {
        site.peer.send(call_of(
            &format!("caller{number}"),
            number,
            if number < 7 { "dect1" } else { "dect2" },
        ));
        site.peer.send(call_of("mallory", FLOOD + number, "dect2"));
        while let Some(event) = site.peer.next_event() {
            let Event::Incoming { session, from, .. } = event else { continue };
            assert!(!from.uri.as_str().contains("allory"), "{from:?}");
            site.peer.endpoint.reject(site.peer.now, session, StatusCode::BUSY_HERE);
            came += 1;
        }
        site.peer.forget();
    }
    assert_eq!(came, 60);
    site.peer.endpoint.remove_user(site.peer.now, other);
    site.unharmed();
}

#[test]
fn a_share_is_had_again_as_soon_as_something_ends() {
    let mut site = Bystander::new();
    let overload = |site: &mut Bystander, request: Request| {
        site.peer.send(request);
        site.peer.statuses().contains(&503)
    };
    let mut sent = 0;
    while !overload(&mut site, call_of("mallory", sent, "dect1")) {
        sent += 1;
    }
    assert_eq!(sent as usize, LIMIT / 2, "up to there nobody counts");
    // What rings may be cancelled, and what is refused may be acknowledged.
    let of_same = |number: u32, method: Method| {
        let mut request = call_of("mallory", number, "dect1");
        request.headers.set(HeaderName::CSeq, format!("1 {method}"));
        request.headers.remove_all(&HeaderName::ContentType);
        (request.method, request.body) = (method, Vec::new().into());
        request
    };
    assert!(!overload(&mut site, of_same(0, Method::Cancel)));
    for number in 8..sent {
        site.peer.send(of_same(number, Method::Ack));
    }
    site.peer.forget();
    // RFC 3261 17.2.1: repetitions of the ACK are absorbed for a while.
    site.peer.pass(6 * SECOND);
    assert!(!overload(&mut site, call_of("mallory", FLOOD, "dect1")));
    site.unharmed();
}

#[test]
fn while_a_connection_is_crowded_each_has_its_share_and_what_ends_is_given_back() {
    let mut site = Bystander::new();
    let overload = |site: &mut Bystander, request: Request| {
        site.peer.send(request);
        site.peer.statuses().contains(&503)
    };
    // Half of the room is taken by as many callers.
    for number in 0..LIMIT as u32 / 2 {
        assert!(!overload(&mut site, call_of(&format!("caller{number}"), number, "dect1")));
    }
    let share = LIMIT as u32 / 16;
    for number in 0..2 * share {
        assert_eq!(overload(&mut site, call_of("mallory", number, "dect1")), number >= share, "{number}");
    }
    for ended in 0..5 {
        let mut ack = call_of("mallory", ended, "dect1");
        ack.headers.set(HeaderName::CSeq, "1 ACK");
        ack.headers.remove_all(&HeaderName::ContentType);
        (ack.method, ack.body) = (Method::Ack, Vec::new().into());
        site.peer.send(ack);
    }
    for number in 0..10 {
        let again = call_of("mallory", FLOOD + number, "dect1");
        assert_eq!(overload(&mut site, again), number >= 5, "{number}");
    }
    site.unharmed();
}

#[test]
fn requests_out_of_the_blue_are_answered_and_forgotten() {
    let package = [("Event", "presence"), ("Subscription-State", "active")];
    for (method, headers) in [
        ("OPTIONS", &[][..]),
        ("SUBSCRIBE", &package[..]),
        ("NOTIFY", &package[..]),
        ("BENOTIFY", &package[..]),
        ("MESSAGE", &[]),
        ("REFER", &[("Refer-To", "<sip:premium@example.net>")]),
        ("INFO", &[]),
        ("PRACK", &[("RAck", "1 1 INVITE")]),
        ("UPDATE", &[]),
        ("BYE", &[]),
        ("CANCEL", &[]),
        ("ACK", &[]),
        ("REGISTER", &[]),
        ("PUBLISH", &package[..]),
        ("NONSENSE", &[]),
    ] {
        let mut site = Bystander::new();
        for number in 0..FLOOD / 3 {
            site.peer.send_on(ATTACK, stray(method, number, headers));
            site.peer.forget();
        }
        site.holds();
        site.unharmed();
    }
}

#[test]
fn responses_to_nothing_are_nothing() {
    let mut site = Bystander::new();
    for number in 0..FLOOD {
        for status in [100, 180, 200, 302, 401, 487, 503, 603] {
            let mut response = stray("INVITE", number, &[]).response(StatusCode::new(status).unwrap());
            response.headers.set(HeaderName::To, "<sip:dect1@example.net>;tag=x");
            site.peer.send_on(ATTACK, response);
        }
    }
    site.peer.silence();
    site.peer.no_event();
    assert_eq!(site.peer.endpoint.state(), site.before);
    site.unharmed();
}

#[test]
fn a_callee_that_rings_in_thousands_of_places_holds_as_many_as_are_allowed() {
    let mut site = Bystander::new();
    let (session, invite) = call(&mut site.peer, true);
    let mut told = 0;
    for number in 0..FLOOD {
        site.peer.reply(&invite, 180, &format!("tag{number}"), &[CONTACT], "");
        while let Some(event) = site.peer.next_event() {
            told += u32::from(matches!(event, Event::Progress { .. }));
        }
    }
    assert_eq!(told, 16, "the forks that are allowed");
    site.holds();
    // The call is not lost: one of the others answers.
    site.peer.reply(&invite, 200, "tag650", &[CONTACT], ANSWER);
    site.peer.request(&Method::Ack);
    assert!(matches!(site.peer.event(), Event::Answered { .. }));
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

#[test]
fn reliable_progress_without_end_is_acknowledged_as_often_as_is_allowed() {
    let mut site = Bystander::new();
    let (session, invite) = call(&mut site.peer, true);
    let mut acknowledged = 0;
    for number in 0..FLOOD {
        let rseq = (number + 1).to_string();
        site.peer.reply(&invite, 183, "b", &[CONTACT, ("Require", "100rel"), ("RSeq", &rseq)], "");
        while site.peer.next_method() == Some(Method::Prack) {
            site.peer.request(&Method::Prack);
            acknowledged += 1;
        }
    }
    assert_eq!(acknowledged, 64);
    assert!(site.peer.endpoint.state().client_transactions <= 66);
    site.peer.forget();
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

#[test]
fn answers_of_thousands_are_ended_as_often_as_is_allowed() {
    let mut site = Bystander::new();
    let (session, invite) = answered(&mut site.peer);
    let mut byes = 0;
    for number in 0..FLOOD {
        site.peer.reply(&invite, 200, &format!("tag{number}"), &[CONTACT], ANSWER);
        while let Some(method) = site.peer.next_method() {
            byes += u32::from(method == Method::Bye);
            site.peer.request(&method);
        }
    }
    assert_eq!(byes, 16);
    site.holds();
    assert_eq!(site.peer.endpoint.session(session), State::Established);
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

#[test]
fn requests_within_a_call_do_not_pile_up() {
    let mut site = Bystander::new();
    let (session, invite) = answered(&mut site.peer);
    let (from, to) =
        (invite.headers.get(&HeaderName::From).unwrap(), invite.headers.get(&HeaderName::To).unwrap());
    let mut cseq = 0;
    for method in ["INVITE", "UPDATE", "REFER", "INFO", "OPTIONS", "NOTIFY", "PRACK", "MESSAGE"] {
        for _ in 0..FLOOD / 5 {
            cseq += 1;
            let mut request = stray(method, cseq, &[("Refer-To", "<sip:x@example.net>"), ("Event", "refer")]);
            request.headers.set(HeaderName::From, format!("{to};tag=b"));
            request.headers.set(HeaderName::To, from);
            request.headers.set(HeaderName::CallId, invite.headers.get(&HeaderName::CallId).unwrap());
            request.headers.set(HeaderName::CSeq, format!("{cseq} {method}"));
            if matches!(method, "INVITE" | "UPDATE") {
                request.headers.push(HeaderName::ContentType, "application/sdp");
                request.body = SDP.into();
            }
            site.peer.send(request);
            site.peer.forget();
            site.holds();
        }
    }
    assert_ne!(site.peer.endpoint.session(session), State::Terminated);
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

#[test]
fn a_cancel_that_comes_too_late_or_for_another_ends_nothing() {
    let mut site = Bystander::new();
    for number in 0..FLOOD {
        // The branch of the INVITE of the call that stands, and those of none.
        let mut cancel = stray("CANCEL", number, &[("Call-ID", "call-1"), ("CSeq", "1 CANCEL")]);
        if number % 2 == 0 {
            cancel.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1AB");
        }
        site.peer.send_on(if number % 3 == 0 { FLOW } else { ATTACK }, cancel);
        site.peer.forget();
        site.holds();
    }
    site.unharmed();
}

#[test]
fn a_registrar_that_is_never_content_with_the_expiry_is_left() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, Some(60 * SECOND)).unwrap();
    let mut asked = 0;
    for number in 0..FLOOD {
        peer.drain();
        if peer.next_method() != Some(Method::Register) {
            break;
        }
        asked += 1;
        let register = peer.request(&Method::Register);
        peer.reply(&register, 423, "t", &[("Min-Expires", &(61 + number).to_string())], "");
    }
    assert_eq!(asked, 5);
    match peer.event() {
        Event::RegistrationFailed { failure, status, .. } => {
            assert_eq!((failure, status.unwrap().code()), (RegistrationFailure::Refused, 423));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notifier_that_is_never_content_or_never_lets_go_is_left() {
    let mut site = Bystander::new();
    let mut wanted = Subscription::new("presence", uri("sip:bob@example.net"), "application/pidf+xml");
    wanted.expires = Some(60 * SECOND);
    let id = site.peer.endpoint.subscribe(site.peer.now, site.peer.user, wanted.clone()).unwrap();
    let mut asked = 0;
    for _ in 0..FLOOD {
        site.peer.drain();
        if site.peer.next_method() != Some(Method::Subscribe) {
            break;
        }
        asked += 1;
        let subscribe = site.peer.request(&Method::Subscribe);
        site.peer.reply(&subscribe, 423, "t", &[("Min-Expires", "4294967295")], "");
    }
    assert!(asked <= 5, "{asked}");
    assert!(matches!(site.peer.event(), Event::SubscriptionEnded { .. }));
    assert_eq!(site.peer.endpoint.subscription(id), subscribe::State::Terminated);
    // One that grants more life to what was ended.
    let id = site.peer.endpoint.subscribe(site.peer.now, site.peer.user, wanted).unwrap();
    let subscribe = site.peer.request(&Method::Subscribe);
    site.peer.reply(&subscribe, 200, "t", &[CONTACT, ("Expires", "3600")], "");
    site.peer.event();
    site.peer.endpoint.unsubscribe(site.peer.now, id);
    let parting = site.peer.request(&Method::Subscribe);
    assert_eq!(parting.headers.get(&HeaderName::Expires), Some("0"));
    site.peer.reply(&parting, 200, "t", &[CONTACT, ("Expires", "3600")], "");
    site.peer.silence();
    site.peer.pass(40 * SECOND);
    assert_eq!(site.peer.endpoint.subscription(id), subscribe::State::Terminated);
    site.unharmed();
}

#[test]
fn glare_without_end_refuses_the_offer() {
    let mut site = Bystander::new();
    let (session, _) = answered(&mut site.peer);
    site.peer.endpoint.reoffer(site.peer.now, session, SDP, Rendering::No).unwrap();
    let mut attempts = 0;
    for _ in 0..100 {
        site.peer.drain();
        if site.peer.next_method() != Some(Method::Invite) {
            break;
        }
        attempts += 1;
        let reinvite = site.peer.request(&Method::Invite);
        site.peer.reply(&reinvite, 491, "b", &[], "");
        site.peer.request(&Method::Ack);
        site.peer.pass(5 * SECOND);
    }
    assert_eq!(attempts, 11);
    match site.peer.event() {
        Event::ReofferRefused { session: of, status } => {
            assert_eq!((of, status.unwrap()), (session, StatusCode::REQUEST_PENDING));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(site.peer.endpoint.session(session), State::Established);
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

/// How a call ended that was refused.
fn failure(peer: &mut Peer) -> CallFailure {
    match peer.event() {
        Event::Failed { failure, .. } => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn challenges_redirections_and_longer_intervals_for_ever_end_the_call_with_their_status() {
    let headers = [
        ("Contact", "<sip:elsewhere@example.net>"),
        ("WWW-Authenticate", "NTLM realm=\"x\", targetname=\"y\", version=4"),
        ("Min-SE", "86400"),
        ("Retry-After", "0"),
        ("Unsupported", "everything"),
    ];
    for status in [300, 301, 302, 305, 380, 401, 407, 415, 420, 422, 423, 488, 491, 500, 503, 606] {
        let mut site = Bystander::new();
        let (session, mut invite) = call(&mut site.peer, true);
        let mut asked = 1;
        for _ in 0..100 {
            site.peer.reply(&invite, status, "b", &headers, "");
            site.peer.request(&Method::Ack);
            if site.peer.next_method() != Some(Method::Invite) {
                break;
            }
            invite = site.peer.request(&Method::Invite);
            asked += 1;
        }
        assert!(asked <= 2, "{status}: asked {asked} times");
        assert_eq!(failure(&mut site.peer).status.unwrap().code(), status);
        assert_eq!(site.peer.endpoint.session(session), State::Terminated);
        site.unharmed();
    }
}

#[test]
fn a_registrar_that_refuses_for_ever_is_asked_ever_more_rarely_and_one_that_challenges_or_redirects_is_left()
{
    for (status, header, most) in [
        (503, ("Retry-After", "0"), 3600),
        (500, ("Server", "x"), 40),
        (401, ("WWW-Authenticate", "NTLM realm=\"x\", targetname=\"y\", version=4"), 1),
        (302, ("Contact", "<sip:elsewhere@example.net>"), 1),
        (403, ("Server", "x"), 1),
    ] {
        let mut peer = Peer::new();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let mut asked = 0;
        let end = peer.now + 3600 * SECOND;
        while peer.now < end {
            peer.drain();
            while peer.next_method() == Some(Method::Register) {
                let register = peer.request(&Method::Register);
                asked += 1;
                peer.reply(&register, status, "t", &[header], "");
                peer.drain();
            }
            peer.pass(SECOND);
        }
        assert!((1..=most).contains(&asked), "{status}: {asked}");
        match peer.event() {
            Event::RegistrationFailed { status: Some(of), .. } => assert_eq!(of.code(), status),
            Event::Redirected { .. } => assert_eq!(status, 302),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_peer_that_never_answers_ends_everything_with_its_reason() {
    let mut site = Bystander::new();
    let (silent, _) = call(&mut site.peer, true);
    let (standing, _) = answered(&mut site.peer);
    site.peer.endpoint.hang_up(site.peer.now, standing);
    site.peer.request(&Method::Bye);
    let (cancelled, invite) = call(&mut site.peer, true);
    site.peer.reply(&invite, 180, "c", &[CONTACT], "");
    site.peer.endpoint.hang_up(site.peer.now, cancelled);
    site.peer.request(&Method::Cancel);
    let (held, _) = answered_again(&mut site.peer);
    site.peer.endpoint.reoffer(site.peer.now, held, SDP, Rendering::No).unwrap();
    let wanted = Subscription::new("presence", uri("sip:bob@example.net"), "application/pidf+xml");
    let subscription = site.peer.endpoint.subscribe(site.peer.now, site.peer.user, wanted).unwrap();
    let message = OutgoingRequest::new(Method::Message, uri("sip:bob@example.net"));
    site.peer.endpoint.request(site.peer.now, site.peer.user, message).unwrap();
    // A call that waits for our ACK's counterpart: the caller never acknowledges.
    let mut invite = Peer::invite(1, SDP);
    invite.headers.set(HeaderName::CallId, "noack");
    invite.headers.set(HeaderName::Via, "SIP/2.0/TLS x;branch=z9hG4bKnoack");
    site.peer.send(invite);
    let mut unacknowledged = None;
    while let Some(event) = site.peer.next_event() {
        if let Event::Incoming { session, .. } = event {
            unacknowledged = Some(session);
        }
    }
    let unacknowledged = unacknowledged.unwrap();
    site.peer.endpoint.answer(site.peer.now, unacknowledged, ANSWER);
    site.peer.pass(100 * SECOND);
    let mut reasons = Vec::new();
    while let Some(event) = site.peer.next_event() {
        match event {
            Event::Failed { session, failure } => {
                reasons.push((session, format!("failed {:?}", failure.status)));
            }
            Event::Ended { session, reason, .. } => reasons.push((session, format!("{reason:?}"))),
            Event::SubscriptionEnded { end, .. } => reasons.push((silent, format!("{end:?}"))),
            Event::RequestFailed { .. } => reasons.push((silent, "silent".to_owned())),
            _ => {}
        }
    }
    let of = |session| reasons.iter().find(|(of, _)| *of == session).map(|(_, why)| why.as_str());
    assert_eq!(of(silent), Some("failed None"));
    assert_eq!(of(held), Some(format!("{:?}", EndReason::DialogGone).as_str()));
    assert_eq!(of(unacknowledged), Some(format!("{:?}", EndReason::AckMissing).as_str()));
    assert!(reasons.iter().any(|(_, why)| why == "silent"), "{reasons:?}");
    assert!(reasons.iter().any(|(_, why)| why == "Interrupted"), "{reasons:?}");
    for session in [silent, standing, cancelled, held, unacknowledged] {
        assert_eq!(site.peer.endpoint.session(session), State::Terminated);
    }
    site.peer.endpoint.unsubscribe(site.peer.now, subscription);
    site.unharmed();
}

fn answered_again(peer: &mut Peer) -> (SessionId, Request) {
    peer.forget();
    answered(peer)
}

#[test]
fn answers_that_come_twice_late_or_in_the_wrong_order_change_nothing() {
    let mut site = Bystander::new();
    let (session, invite) = call(&mut site.peer, true);
    for _ in 0..50 {
        site.peer.reply(&invite, 200, "b", &[CONTACT], ANSWER);
        site.peer.reply(&invite, 180, "b", &[CONTACT], "");
        site.peer.reply(&invite, 183, "late", &[CONTACT, ("Require", "100rel"), ("RSeq", "9")], ANSWER);
        site.peer.reply(&invite, 486, "b", &[], "");
        site.peer.reply(&invite, 603, "other", &[], "");
        site.peer.reply(&invite, 100, "", &[], "");
    }
    assert!(matches!(site.peer.event(), Event::Answered { .. }));
    site.peer.no_event();
    assert_eq!(site.peer.endpoint.session(session), State::Established);
    // Further offers may not come over what is over.
    assert!(site.peer.endpoint.offer_early(site.peer.now, session, ForkId(0), SDP).is_err());
    site.peer.forget();
    site.peer.endpoint.hang_up(site.peer.now, session);
    let bye = site.peer.request(&Method::Bye);
    for status in [100, 200, 200, 481, 500, 503] {
        site.peer.reply(&bye, status, "b", &[], "");
    }
    assert!(matches!(site.peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    site.peer.no_event();
    site.unharmed();
}

#[test]
fn answers_with_the_tag_of_another_are_not_the_answers_of_a_dialog() {
    let mut site = Bystander::new();
    let (session, _) = answered(&mut site.peer);
    site.peer.endpoint.reoffer(site.peer.now, session, SDP, Rendering::No).unwrap();
    let mut reinvite = site.peer.request(&Method::Invite);
    let ours = reinvite.headers.get(&HeaderName::From).unwrap().to_owned();
    // Right branch, but From, To or Call-ID are those of somebody else.
    for (name, value) in [
        (HeaderName::From, "<sip:dect1@example.net>;tag=of another"),
        (HeaderName::CallId, "call-1"),
        (HeaderName::To, "<sip:bob@example.net>;tag=mallory"),
    ] {
        let mut forged = reinvite.clone();
        forged.headers.set(name, value);
        site.peer.reply(&forged, 200, "", &[CONTACT], ANSWER);
        site.peer.forget();
        assert_ne!(site.peer.endpoint.session(session), State::Terminated);
        site.holds();
    }
    reinvite.headers.set(HeaderName::From, ours);
    site.peer.endpoint.hang_up(site.peer.now, session);
    site.unharmed();
}

#[test]
fn what_is_too_large_ends_its_connection_and_no_other() {
    let mut head = b"INVITE sip:dect1@example.net SIP/2.0\r\n".to_vec();
    head.extend(b"X-Large: ".iter().chain(b"a".repeat(1 << 20).iter()));
    let endless = b"A".repeat(1 << 20);
    let body = b"MESSAGE sip:dect1@example.net SIP/2.0\r\nContent-Length: 4000000000\r\n\r\n".to_vec();
    let negative = b"MESSAGE sip:dect1@example.net SIP/2.0\r\nContent-Length: -1\r\n\r\n".to_vec();
    let mut lines = b"MESSAGE sip:dect1@example.net SIP/2.0\r\n".to_vec();
    lines.extend(b"X: 1\r\n".repeat(100_000));
    for octets in [head, endless, body, negative, lines] {
        let mut site = Bystander::new();
        let mut error = None;
        for piece in octets.chunks(1400) {
            let input = Input::Bytes { flow: ATTACK, bytes: piece };
            if let Err(of) = site.peer.endpoint.handle_input(site.peer.now, input) {
                error = Some(of);
                break;
            }
        }
        assert_eq!(error, Some(Error::Misbehaved(Breach::Framing)));
        assert!(matches!(site.peer.event(), Event::FlowFailed { flow: ATTACK, .. }));
        site.before.flows -= 1;
        site.before.timers = site.peer.endpoint.state().timers;
        site.unharmed();
    }
}
