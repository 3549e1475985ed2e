//! Which dialect a peer gets: from the body of the invitation to the answer, and what is not done in any of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::Seed;
use sip_lync::body::multipart;
use sip_lync::headers::MediaType;
use sip_lync::ice::agent::{Begun, Config, Event, Failure, Input, Path, Protocol};
use sip_lync::ice::phase::State;
use sip_lync::ice::{Agent, DIALECTS, Description, Dialect, Fork, Forks, Offer, Role, Transport};
use sip_lync::sdp::SessionDescription;

const HERE: &str = "192.0.2.1:4000";

#[expect(clippy::disallowed_methods, reason = "some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

fn agent(dialect: Dialect, role: Role, address: &str, seed: u8, now: Instant) -> Agent {
    let mut config = Config::new(dialect, role);
    config.components = 1;
    let mut agent = Agent::new(config, Seed([seed; 32]));
    agent.add_host(1, Transport::Udp, address.parse().unwrap()).unwrap();
    agent.gather(now);
    agent
}

fn described(agent: &Agent) -> SessionDescription {
    let place: SocketAddr = agent.default_address(1).unwrap();
    let mut text = format!(
        "v=0\r\no=- 0 0 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n",
        place.ip(),
        place.port()
    );
    for attribute in agent.attributes() {
        text += &format!("a={attribute}\r\n");
    }
    SessionDescription::parse(&text).unwrap()
}

/// What stands in a body for a peer of a generation: those of 2007 read the part that is marked for them.
fn read(body: &sip_lync::ice::Body, of_2007: bool) -> SessionDescription {
    let kind = MediaType::parse(&body.content_type).unwrap();
    let parts = multipart::parse(&kind, &body.octets).unwrap();
    let part = if of_2007 {
        parts.iter().find(|part| part.is_fallback_of_2007()).unwrap()
    } else {
        multipart::session_description(&parts).unwrap()
    };
    SessionDescription::parse_bytes(&part.body).unwrap()
}

#[test]
fn an_invitation_for_both_generations_is_answered_by_each_in_its_dialect() {
    let now = start();
    let offered =
        [Dialect::MsIce2, Dialect::Draft06].map(|dialect| agent(dialect, Role::Controlling, HERE, 1, now));
    let [newer, older] = offered.each_ref().map(described);
    let body = Offer::new(newer, Some(older), "=_both").first();
    let mut forks = Forks::new(offered.to_vec());
    for (number, of_2007, expected) in [(1, false, Dialect::MsIce2), (2, true, Dialect::Draft06)] {
        let session = read(&body, of_2007);
        // The peer's own wish is another one: what it reads decides.
        let offer = Description::read(&session, &session.media[0], Dialect::MsIce2);
        assert_eq!(offer.dialect, Some(expected));
        let mut peer = agent(expected, Role::Controlled, &format!("198.51.100.{number}:4000"), 9, now);
        assert_eq!(peer.begin(now, &offer), Ok(Begun::Checking));
        let answer = described(&peer);
        assert_eq!(answer.media[0].value("ice-ufrag").is_some(), expected == Dialect::MsIce2);
        assert_eq!(forks.answer(now, Fork(number), &answer, &answer.media[0]), Ok(Begun::Checking));
        assert_eq!(forks.agent(Fork(number)).unwrap().dialect(), expected);
    }
    // One that knows no ICE at all takes the same body and gets media where it says.
    let plain = "v=0\r\no=- 0 0 IN IP4 198.51.100.3\r\ns=-\r\nc=IN IP4 198.51.100.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    let answer = SessionDescription::parse(plain).unwrap();
    assert_eq!(forks.answer(now, Fork(3), &answer, &answer.media[0]), Ok(Begun::Plain));
    let remote = std::iter::from_fn(|| forks.poll_event()).find_map(|(fork, event)| match event {
        Event::Plain { path } if fork == Some(Fork(3)) => Some(path.remote),
        _ => None,
    });
    assert_eq!(remote, Some("198.51.100.3:4000".parse().unwrap()));
}

/// An agent's first message, as it comes to the other end.
fn first_message(agent: &mut Agent) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    let transmit = agent.poll_transmit(&mut buffer).unwrap();
    buffer.split_to(transmit.len).to_vec()
}

#[test]
fn a_check_goes_to_the_fork_whose_peer_sent_it_and_there_are_sixteen_forks_at_most() {
    let now = start();
    let offered = agent(Dialect::MsIce2, Role::Controlling, HERE, 1, now);
    let offer = described(&offered);
    let offer = Description::read(&offer, &offer.media[0], Dialect::MsIce2);
    let mut forks = Forks::new(vec![offered]);
    let mut peers = Vec::new();
    for number in 1..=17 {
        let mut peer =
            agent(Dialect::MsIce2, Role::Controlled, &format!("198.51.100.{number}:4000"), number, now);
        peer.begin(now, &offer).unwrap();
        let answer = described(&peer);
        let outcome = forks.answer(now, Fork(u32::from(number)), &answer, &answer.media[0]);
        assert_eq!(outcome.is_ok(), number <= 16, "{number}: {outcome:?}");
        peers.push(peer);
    }
    // The tenth peer is seen at an address it did not tell: its fork alone learns that.
    let check = first_message(&mut peers[9]);
    let remote: SocketAddr = "203.0.113.10:999".parse().unwrap();
    let path = Path { component: 1, protocol: Protocol::Udp, local: HERE.parse().unwrap(), remote };
    assert_eq!(forks.handle_input(now, Input::Packet { path, data: &check }), Ok(()));
    for number in 1..=16 {
        let knows =
            forks.agent(Fork(number)).unwrap().remote_candidates().iter().any(|r| r.address == remote);
        assert_eq!(knows, number == 10, "{number}");
    }
    // One whose answer is not here yet is answered by the offer.
    let check = first_message(&mut peers[16]);
    assert_eq!(forks.handle_input(now, Input::Packet { path, data: &check }), Ok(()));
    assert!((1..=16).all(|number| forks.agent(Fork(number)).unwrap().remote_candidates().len() <= 2));
}

#[test]
fn nothing_is_trickled_and_a_peer_that_promises_more_candidates_is_taken_at_its_word_for_those_it_gave() {
    for dialect in DIALECTS {
        let now = start();
        let mut ours = agent(dialect, Role::Controlling, HERE, 1, now);
        let text = described(&ours).to_string();
        assert!(!text.contains("trickle") && !text.contains("end-of-candidates"), "{text}");
        let theirs = described(&agent(dialect, Role::Controlled, "198.51.100.1:4000", 2, now)).to_string();
        let more = theirs + "a=ice-options:trickle ice2\r\na=end-of-candidates\r\n";
        let session = SessionDescription::parse(&more).unwrap();
        let description = Description::read(&session, &session.media[0], dialect).in_dialect(dialect);
        assert_eq!((description.candidates.len(), description.left_out), (1, 0));
        assert_eq!(ours.begin(now, &description), Ok(Begun::Checking));
        // What an address of a name would be stays refused, with the mark or without.
        let hidden = more.replace("198.51.100.1 4000", "0b1f0c4e-6a0f-4d3c-9a3e-0e6d1a2b3c4d.local 4000");
        assert_ne!(hidden, more);
        let session = SessionDescription::parse(&hidden).unwrap();
        let description = Description::read(&session, &session.media[0], dialect);
        assert_eq!((description.candidates.len(), description.left_out), (0, 1), "{dialect}");
    }
}

#[test]
fn a_call_with_ten_thousand_candidates_costs_as_much_as_one_with_as_many_as_are_kept() {
    for dialect in DIALECTS {
        let begun = start();
        let mut ours = agent(dialect, Role::Controlling, HERE, 1, begun);
        let mut session = described(&agent(dialect, Role::Controlled, "198.51.100.1:4000", 2, begun));
        let value = session.media[0].value("candidate").unwrap().to_owned();
        for n in 0..10_000_u32 {
            let [_, _, a, b] = n.to_be_bytes();
            let other = value.replace("198.51.100.1", &format!("203.0.{a}.{b}"));
            session.media[0].attributes.push(sip_lync::sdp::Attribute::new("candidate", other));
        }
        let description = Description::read(&session, &session.media[0], dialect).in_dialect(dialect);
        assert_eq!(description.candidates.len(), 64, "{dialect}");
        assert_eq!(description.candidates.len() + description.left_out, 10_001, "{dialect}");
        ours.begin(begun, &description).unwrap();
        assert!(ours.pair_count() <= 100, "{dialect}");
        // Nobody answers: what is sent until the end is bounded, and so is what is kept.
        let (mut now, mut sent, mut turns) = (begun, 0, 0);
        let mut buffer = BytesMut::new();
        while ours.state() == State::Checking {
            now = ours.poll_timeout().unwrap().max(now);
            ours.handle_timeout(now);
            while ours.poll_transmit(&mut buffer).is_some() {
                buffer.clear();
                sent += 1;
            }
            turns += 1;
            assert!(turns < 20_000, "{dialect}");
        }
        let failed = std::iter::from_fn(|| ours.poll_event()).last();
        assert_eq!(failed, Some(Event::Failed(Failure::NoPair)), "{dialect}");
        assert!(now - begun < Duration::from_mins(1), "{dialect}: {:?}", now - begun);
        assert!(sent < 4_000, "{dialect}: {sent}");
        println!("{dialect}: {sent} messages in {:?}", now - begun);
    }
}
