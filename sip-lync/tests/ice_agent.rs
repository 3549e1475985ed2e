//! Agents in virtual time: each rule of the three dialects in a story of its own.

mod internet;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use internet::nat::{Behaviour, Dependence};
use internet::{Internet, Place, SERVER, Side, Weather};
use sip_lync::ice::agent::{Begun, Claim, Config, Event, Failure, Input, Nomination, Path, Protocol};
use sip_lync::ice::phase::State;
use sip_lync::ice::{
    Admitted, Agent, Credentials, DIALECTS, Description, Dialect, Fork, Forks, Kind, Role, Transport,
};
use sip_lync::sdp::{Attribute, SessionDescription};
use sip_lync::stun::{self, AttributeType, Class, Fingerprint, Message, Method, PacketKind};
use sip_lync::{Error, Refusal, Seed};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn configs(dialect: Dialect, components: u16, nomination: Nomination) -> [Config; 2] {
    [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = Config::new(dialect, role);
        config.components = components;
        config.nomination = nomination;
        config
    })
}

fn simple(dialect: Dialect) -> [Config; 2] {
    configs(dialect, 1, Nomination::Regular)
}

const fn stun_dialect(dialect: Dialect) -> stun::Dialect {
    match dialect {
        Dialect::Rfc8445 => stun::Dialect::Rfc8489,
        Dialect::MsIce2 => stun::Dialect::MsIce2,
        Dialect::Draft06 => stun::Dialect::Draft06,
    }
}

fn agreed(internet: &mut Internet, why: &str) {
    internet.run_until_decided(60 * SECOND);
    internet.run_for(SECOND);
    for side in Side::BOTH {
        assert!(internet.node(side).connected.is_some(), "{why}: {side:?} {:?}", internet.node(side).why);
    }
    internet.assert_agreed(why);
}

const CONE: Behaviour = Behaviour { mapping: Dependence::Independent, filtering: Dependence::AddressAndPort };
const SYMMETRIC: Behaviour =
    Behaviour { mapping: Dependence::AddressAndPort, filtering: Dependence::AddressAndPort };

#[test]
fn an_agent_connects_in_the_round_trips_of_its_dialect() {
    // From the answer to `connected` at the offerer, in round trips; the second component starts at the next turn of Ta.
    for (dialect, nomination, components, trips) in [
        (Dialect::Rfc8445, Nomination::Aggressive, 1, 1),
        (Dialect::Rfc8445, Nomination::Regular, 1, 2),
        (Dialect::Rfc8445, Nomination::Aggressive, 2, 1),
        (Dialect::Rfc8445, Nomination::Regular, 2, 2),
        (Dialect::MsIce2, Nomination::Aggressive, 1, 1),
        (Dialect::MsIce2, Nomination::Regular, 1, 2),
        (Dialect::MsIce2, Nomination::Aggressive, 2, 1),
        (Dialect::MsIce2, Nomination::Regular, 2, 2),
        (Dialect::Draft06, Nomination::Regular, 1, 1),
        (Dialect::Draft06, Nomination::Regular, 2, 1),
    ] {
        let places = [Place::OPEN; 2];
        let mut internet = Internet::new(3, places, &configs(dialect, components, nomination), Weather::FAIR);
        agreed(&mut internet, &format!("{dialect} {nomination:?} {components}"));
        let left = internet.node(Side::Left);
        let took = left.connected.unwrap() - left.begun.unwrap();
        // Each check of a second component waits for its turn, and one that is made again takes another.
        let turn = Dialect::Rfc8445.times().pacing * u32::from(components - 1) * (trips + 1);
        let most = Weather::FAIR.latency * 2 * trips + turn;
        assert!(took <= most, "{dialect} {nomination:?} {components} components: {took:?}, not {most:?}");
    }
}

#[test]
fn two_agents_with_one_role_settle_who_controls() {
    for dialect in [Dialect::Rfc8445, Dialect::MsIce2] {
        for role in [Role::Controlling, Role::Controlled] {
            for seed in 0..8 {
                let mut both = simple(dialect);
                both[0].role = role;
                both[1].role = role;
                let mut internet = Internet::new(seed, [Place::OPEN; 2], &both, Weather::FAIR);
                internet.last_offers = false;
                agreed(&mut internet, &format!("{dialect} {role:?} {seed}"));
                let roles = Side::BOTH.map(|side| internet.node(side).agent.role());
                assert_ne!(roles[0], roles[1]);
            }
        }
    }
}

#[test]
fn checks_that_come_before_the_answer_are_answered_and_remembered() {
    for dialect in DIALECTS {
        let behind = Place { stun: false, ..Place::behind(CONE) };
        let mut internet = Internet::new(5, [Place::OPEN, behind], &simple(dialect), Weather::FAIR);
        internet.signalling = 400 * MS;
        internet.run_until_decided(20 * SECOND);
        let left = internet.node(Side::Left);
        let begun = left.begun.unwrap();
        let answers = internet
            .ladder
            .iter()
            .filter(|(when, side, _, octets)| *when < begun && *side == Side::Left && octets[0] == 1)
            .count();
        assert!(answers > 0, "{dialect}: answered before the answer came");
        // The right side has no address that can be written: only its early check tells where it is. Settling included.
        let took = left.connected.unwrap() - begun;
        assert!(took <= 350 * MS, "{dialect}: {took:?}");
        agreed(&mut internet, dialect.as_str());
    }
}

#[test]
fn a_restart_renews_credentials_and_media_stays_until_there_is_a_new_pair() {
    for dialect in DIALECTS {
        let mut internet =
            Internet::new(6, [Place::OPEN, Place::behind(CONE)], &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        let before = internet.node(Side::Left).agent.attributes();
        let old = internet.node(Side::Left).selected[&1];
        internet.restart();
        assert_eq!(internet.node(Side::Left).agent.state(), State::Gathered);
        assert!(internet.node(Side::Left).agent.selected(1).is_none());
        agreed(&mut internet, &format!("{dialect} again"));
        let after = internet.node(Side::Left).agent.attributes();
        assert_ne!(before, after, "{dialect}: other credentials");
        assert_eq!(internet.node(Side::Left).selected[&1].path, old.path, "the same network, the same pair");
    }
}

#[test]
fn a_lite_peer_is_controlled_and_never_has_to_ask() {
    for components in [1, 2] {
        let mut both = configs(Dialect::Rfc8445, components, Nomination::Aggressive);
        both[0].role = Role::Controlled;
        let mut internet = Internet::new(7, [Place::behind(SYMMETRIC), Place::OPEN], &both, Weather::FAIR);
        internet.last_offers = false;
        internet.added.insert(Side::Right, vec![Attribute::property("ice-lite")]);
        internet.blocked = |side, _, octets| side == Side::Right && octets[0] == 0;
        internet.run(10 * SECOND);
        let left = internet.node(Side::Left);
        assert!(left.connected.is_some());
        assert_eq!(left.agent.role(), Role::Controlling);
        assert_eq!(left.selected.len(), usize::from(components));
    }
}

#[test]
fn consent_runs_out_after_thirty_seconds_of_silence_in_the_standard_alone() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(8, [Place::OPEN; 2], &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        internet.run_for(60 * SECOND);
        let failed = |internet: &Internet| internet.node(Side::Left).failed;
        assert_eq!(failed(&internet), None, "{dialect}: it is renewed");
        internet.blocked = |_, _, _| true;
        let silent = internet.now;
        internet.run_for(120 * SECOND);
        match (dialect, failed(&internet)) {
            (Dialect::Rfc8445, Some(when)) => {
                assert!(when - silent <= 30 * SECOND && when - silent > 23 * SECOND, "{:?}", when - silent);
                let later =
                    internet.ladder.iter().filter(|(sent, side, ..)| *side == Side::Left && *sent > when);
                assert_eq!(later.count(), 0, "nothing is sent any more");
            }
            (Dialect::MsIce2 | Dialect::Draft06, None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_chosen_pair_is_kept_alive_at_the_pace_of_the_dialect() {
    for (dialect, least, most) in
        [(Dialect::Rfc8445, 50, 75), (Dialect::MsIce2, 16, 26), (Dialect::Draft06, 16, 26)]
    {
        let mut internet = Internet::new(9, [Place::OPEN; 2], &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        internet.ladder.clear();
        internet.run_for(300 * SECOND);
        let asked = internet.ladder.iter().filter(|(_, side, _, o)| *side == Side::Left && o[0] == 0).count();
        assert!((least..=most).contains(&asked), "{dialect}: {asked} in five minutes");
    }
}

#[test]
fn a_peer_that_multiplexes_rtcp_leaves_one_component() {
    let mut both = configs(Dialect::Rfc8445, 2, Nomination::Regular);
    both[0].rtcp_mux = true;
    both[1].rtcp_mux = true;
    let mut internet = Internet::new(10, [Place::OPEN; 2], &both, Weather::FAIR);
    agreed(&mut internet, "mux");
    assert_eq!(internet.node(Side::Left).selected.len(), 1);

    // One that does not know it keeps both.
    both[1].rtcp_mux = false;
    let mut internet = Internet::new(10, [Place::OPEN; 2], &both, Weather::FAIR);
    agreed(&mut internet, "no mux");
    assert_eq!(internet.node(Side::Left).selected.len(), 2);
}

#[test]
fn a_peer_without_ice_gets_media_where_it_said() {
    for dialect in DIALECTS {
        let mut agent = Agent::new(simple(dialect)[0], Seed([1; 32]));
        let here: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        agent.add_host(1, Transport::Udp, here).unwrap();
        let now = start();
        agent.gather(now);
        assert_eq!(agent.poll_event(), Some(Event::Gathered));
        let text = "v=0\r\no=- 0 0 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n";
        let session = SessionDescription::parse(text).unwrap();
        let description = Description::read(&session, &session.media[0], dialect);
        assert_eq!(agent.begin(now, &description), Ok(Begun::Plain));
        let remote = "198.51.100.9:9000".parse().unwrap();
        let path = Path { component: 1, protocol: Protocol::Udp, local: here, remote };
        assert_eq!(agent.poll_event(), Some(Event::Plain { path }));
        assert_eq!((agent.state(), agent.poll_timeout()), (State::Plain, None));
    }
}

#[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn ipv6_is_used_and_kept_from_peers_of_lync_that_cannot_read_it() {
    for dialect in DIALECTS {
        let place = Place { ipv6: true, ..Place::OPEN };
        let mut internet = Internet::new(11, [place; 2], &simple(dialect), Weather::FAIR);
        // IPv4 does not work here.
        internet.blocked = |_, path, _| path.local.is_ipv4();
        agreed(&mut internet, dialect.as_str());
        assert!(internet.node(Side::Left).selected[&1].path.local.is_ipv6());
        let names: Vec<_> =
            internet.node(Side::Left).agent.attributes().into_iter().map(|a| a.name).collect();
        assert_eq!(names.contains(&"x-candidate-ipv6".to_owned()), dialect == Dialect::MsIce2);
    }
}

#[test]
fn tcp_connects_where_udp_does_not_in_every_dialect() {
    for dialect in DIALECTS {
        for places in [
            [Place { tcp: true, udp: false, ..Place::OPEN }; 2],
            [
                Place { tcp: true, ..Place::OPEN },
                Place { tcp: true, stun: false, ..Place::behind(SYMMETRIC) },
            ],
            [
                Place { tcp: true, stun: false, ..Place::behind(SYMMETRIC) },
                Place { tcp: true, ..Place::OPEN },
            ],
        ] {
            let mut internet = Internet::new(12, places, &simple(dialect), Weather::FAIR);
            internet.blocked = |_, path, _| path.protocol == Protocol::Udp;
            agreed(&mut internet, &format!("{dialect} {places:?}"));
            assert_eq!(internet.node(Side::Left).selected[&1].path.protocol, Protocol::Tcp);
        }
    }
}

#[test]
fn what_the_bandwidth_policy_refuses_is_not_used() {
    let relay = Place { relay: true, ..Place::OPEN };
    for dialect in DIALECTS {
        let mut internet = Internet::new(13, [relay, Place::OPEN], &simple(dialect), Weather::FAIR);
        let now = internet.now;
        let direct_refused = Admitted { local_direct: false, ..Admitted::ALL };
        internet.node_mut(Side::Left).agent.admit(now, direct_refused);
        let other = Admitted { remote_direct: false, ..Admitted::ALL };
        internet.node_mut(Side::Right).agent.admit(now, other);
        agreed(&mut internet, dialect.as_str());
        assert_eq!(internet.node(Side::Left).selected[&1].local_kind, Kind::Relayed);

        // Nothing is left.
        let mut internet = Internet::new(13, [relay, Place::OPEN], &simple(dialect), Weather::FAIR);
        internet.run_for(30 * MS);
        let now = internet.now;
        let nothing = Admitted { local_direct: false, local_relayed: false, ..Admitted::ALL };
        internet.run_for(30 * MS);
        let agent = &mut internet.node_mut(Side::Left).agent;
        assert_eq!(agent.state(), State::Checking);
        agent.admit(now, nothing);
        let events: Vec<_> = std::iter::from_fn(|| agent.poll_event()).collect();
        assert_eq!(events, [Event::Failed(Failure::NotAdmitted)]);
    }
}

#[test]
fn checks_and_answers_of_ms_ice2_go_twice_until_the_version_of_the_peer_is_seen() {
    let mut internet = Internet::new(14, [Place::OPEN; 2], &simple(Dialect::MsIce2), Weather::FAIR);
    agreed(&mut internet, "ms-ice2");
    let mut seen_by = [None; 2];
    for (when, side, _, octets) in &internet.ladder {
        if octets[0] >= 0x40 {
            continue;
        }
        let message = Message::parse(stun::Dialect::MsIce2, octets).unwrap();
        let known = seen_by[*side as usize].is_some_and(|at| at <= *when);
        match message.fingerprint() {
            Fingerprint::Correct => {}
            Fingerprint::Legacy => assert!(!known, "{side:?} sends a second copy although the peer is known"),
            other => panic!("{other:?}"),
        }
        let copies = internet.ladder.iter().filter(|(_, s, _, o)| {
            s == side
                && Message::parse(stun::Dialect::MsIce2, o)
                    .is_ok_and(|m| m.transaction() == message.transaction())
        });
        // The two copies of about two thirds of the messages are equal octet by octet: the tables differ rarely.
        if !known && message.class() == Class::Request {
            assert!(copies.count() >= 2);
        }
        let arrives = *when + Weather::FAIR.latency;
        let other = &mut seen_by[side.other() as usize];
        if other.is_none() {
            *other = Some(arrives);
        }
    }
    assert!(seen_by.iter().all(Option::is_some));
}

#[test]
fn a_server_of_rfc_3489_is_asked_in_its_own_form_where_that_is_wanted() {
    for wanted in [false, true] {
        let mut config = simple(Dialect::MsIce2)[0];
        config.rfc3489 = wanted;
        let mut agent = Agent::new(config, Seed([2; 32]));
        let here: SocketAddr = "10.0.0.7:4000".parse().unwrap();
        agent.add_host(1, Transport::Udp, here).unwrap();
        let mut now = start();
        agent.ask(now, SERVER);
        agent.gather(now);
        let mut buffer = BytesMut::new();
        while agent.state() == State::Gathering {
            while let Some(transmit) = agent.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len);
                // The old server knows no cookie.
                let Ok(request) = Message::parse(stun::Dialect::Rfc3489, &octets) else { continue };
                if octets[4..8] == stun::MAGIC_COOKIE.to_be_bytes() {
                    continue;
                }
                let mut out = [0; 64];
                let dialect = stun::Dialect::Rfc3489;
                let mut builder = stun::Builder::new(
                    &mut out,
                    dialect,
                    Class::Success,
                    Method::Binding,
                    request.transaction(),
                );
                builder.push(&stun::Attribute::MappedAddress("203.0.113.9:777".parse().unwrap()));
                let answer = builder.finish(None, None).unwrap();
                agent.handle_input(now, Input::Packet { path: transmit.path, data: answer }).unwrap();
            }
            let Some(due) = agent.poll_timeout() else { break };
            now = due;
            agent.handle_timeout(now);
        }
        let reflexive = agent.local_candidates().iter().any(|l| l.kind == Kind::ServerReflexive);
        assert_eq!(reflexive, wanted);

        // And a client of RFC 3489 is answered.
        let mut out = [0; 64];
        let transaction = stun::TransactionId([9; 16]);
        let dialect = stun::Dialect::Rfc3489;
        let builder = stun::Builder::new(&mut out, dialect, Class::Request, Method::Binding, transaction);
        let request = builder.finish(None, None).unwrap();
        let client: SocketAddr = "198.51.100.77:5".parse().unwrap();
        let path = Path { component: 1, protocol: Protocol::Udp, local: here, remote: client };
        let outcome = agent.handle_input(now, Input::Packet { path, data: request });
        assert_eq!(outcome.is_ok(), wanted);
        let answer = agent.poll_transmit(&mut buffer).map(|transmit| buffer.split_to(transmit.len));
        let told = answer.and_then(|octets| Message::parse(dialect, &octets).unwrap().reflexive_address());
        assert_eq!(told, wanted.then_some(client));
    }
}

fn text_of(agent: &Agent) -> SessionDescription {
    let place = agent.default_address(1).unwrap();
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

#[test]
fn one_offer_connects_with_several_forks_of_different_dialects_at_once() {
    let mut now = start();
    let here: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let offered = [Dialect::MsIce2, Dialect::Draft06].map(|dialect| {
        let mut agent = Agent::new(simple(dialect)[0], Seed([3; 32]));
        agent.add_host(1, Transport::Udp, here).unwrap();
        agent.gather(now);
        agent
    });
    let mut forks = Forks::new(offered.to_vec());
    let mut peers: Vec<(Fork, Agent, SocketAddr, bool)> = Vec::new();
    for (number, dialect) in
        [(1, Dialect::MsIce2), (2, Dialect::Draft06), (3, Dialect::MsIce2), (4, Dialect::Draft06)]
    {
        let mut agent = Agent::new(simple(dialect)[1], Seed([10 + number as u8; 32]));
        let there: SocketAddr = format!("198.51.100.{number}:4000").parse().unwrap();
        agent.add_host(1, Transport::Udp, there).unwrap();
        agent.gather(now);
        let offer = forks.offered().iter().find(|offered| offered.dialect() == dialect).unwrap();
        let session = text_of(offer);
        let description = Description::read(&session, &session.media[0], dialect);
        agent.begin(now, &description.in_dialect(dialect)).unwrap();
        peers.push((Fork(number), agent, there, false));
    }
    let mut buffer = BytesMut::new();
    let mut answered = 0;
    let mut connected = Vec::new();
    for turn in 0..400 {
        // Each answer comes later than its checks.
        if turn % 40 == 20 && answered < peers.len() {
            let (fork, agent, ..) = &peers[answered];
            let session = text_of(agent);
            assert_eq!(forks.answer(now, *fork, &session, &session.media[0]), Ok(Begun::Checking));
            answered += 1;
        }
        while let Some(transmit) = forks.poll_transmit(&mut buffer) {
            let octets = buffer.split_to(transmit.len);
            for (_, agent, there, _) in
                peers.iter_mut().filter(|(_, _, there, _)| *there == transmit.path.remote)
            {
                let path = Path { local: *there, remote: here, ..transmit.path };
                let _for_another = agent.handle_input(now, Input::Packet { path, data: &octets });
            }
        }
        for (_, agent, ..) in &mut peers {
            while let Some(transmit) = agent.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len);
                let path = Path { local: here, remote: transmit.path.local, ..transmit.path };
                forks.handle_input(now, Input::Packet { path, data: &octets }).unwrap();
            }
            agent.handle_timeout(now);
        }
        while let Some((fork, event)) = forks.poll_event() {
            if event == Event::Connected {
                connected.push(fork.unwrap());
            }
        }
        now += 5 * MS;
        forks.handle_timeout(now);
    }
    connected.sort_unstable();
    assert_eq!(connected, [Fork(1), Fork(2), Fork(3), Fork(4)]);
    for (fork, _, there, _) in &peers {
        assert_eq!(forks.agent(*fork).unwrap().selected(1).unwrap().path.remote, *there, "{fork:?}");
    }
    assert!(forks.into_agent(Fork(3)).is_some());
}

#[test]
fn a_fork_neither_sends_nor_tells_what_its_origin_has_still_to_send_and_tell() {
    let here: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let now = start();
    for dialect in DIALECTS {
        let mut agent = Agent::new(simple(dialect)[0], Seed([3; 32]));
        agent.add_host(1, Transport::Udp, here).unwrap();
        agent.ask(now, SERVER);
        agent.gather(now);
        agent.handle_timeout(now);
        let mut fork = agent.fork();
        let mut buffer = BytesMut::new();
        assert!(fork.poll_transmit(&mut buffer).is_none(), "{dialect}: a question of another agent");
        assert!(fork.poll_event().is_none(), "{dialect}");
        assert!(agent.poll_transmit(&mut buffer).is_some(), "{dialect}: it was not for nothing");
        // Its own question is no question of the fork: an answer to it is not claimed twice.
        let question = Message::parse(stun_dialect(dialect), &buffer).unwrap();
        let mut room = [0; 64];
        let answer = stun::Builder::new(
            &mut room,
            stun_dialect(dialect),
            Class::Success,
            Method::Binding,
            question.transaction(),
        );
        let answer = answer.finish(None, None).unwrap();
        let path = Path { component: 1, protocol: Protocol::Udp, local: here, remote: SERVER };
        assert_eq!(fork.claims(path, answer), Claim::None, "{dialect}");
        assert_eq!(agent.claims(path, answer), Claim::Answer, "{dialect}");
    }
}

#[test]
fn what_waits_to_be_sent_or_told_when_an_offer_is_forked_is_sent_and_told_once() {
    let now = start();
    let (here, there) = ("192.0.2.1:4000".parse().unwrap(), "198.51.100.1:4000".parse().unwrap());
    for dialect in [Dialect::Rfc8445, Dialect::MsIce2, Dialect::Draft06] {
        let [mut offerer, mut answerer] = [(0, here), (1, there)].map(|(side, place)| {
            let mut agent = Agent::new(simple(dialect)[side], Seed([side as u8 + 5; 32]));
            agent.add_host(1, Transport::Udp, place).unwrap();
            agent.gather(now);
            agent
        });
        let session = text_of(&offerer);
        let description = Description::read(&session, &session.media[0], dialect);
        answerer.begin(now, &description.in_dialect(dialect)).unwrap();
        answerer.handle_timeout(now);
        // A check that overtakes the answer: the offerer has a packet and events to give when the fork is made.
        let mut buffer = BytesMut::new();
        let check = answerer.poll_transmit(&mut buffer).expect("the first check");
        let octets = buffer.split_to(check.len);
        let path = Path { local: here, remote: there, ..check.path };
        offerer.handle_input(now, Input::Packet { path, data: &octets }).unwrap();
        let mut fork = offerer.fork();
        assert_eq!(fork.poll_transmit(&mut buffer), None, "{dialect}: the offerer's answer");
        assert_eq!(fork.poll_event(), None, "{dialect}: what the offerer tells");
        assert!(offerer.poll_transmit(&mut buffer).is_some(), "{dialect}");
        assert!(offerer.poll_event().is_some(), "{dialect}");
    }
}

#[test]
fn the_last_offer_decides_which_pair_the_callee_uses() {
    for dialect in [Dialect::Draft06, Dialect::MsIce2] {
        let relay = Place { relay: true, ..Place::OPEN };
        let mut internet = Internet::new(15, [relay, Place::OPEN], &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        assert_eq!(internet.node(Side::Right).agent.state(), State::Completed, "{dialect}");
        assert_eq!(internet.node(Side::Left).agent.state(), State::Completed, "{dialect}");
        let last = internet.node(Side::Left).agent.final_attributes();
        let named = if dialect == Dialect::Draft06 { "remote-candidate" } else { "remote-candidates" };
        assert!(last.iter().any(|a| a.is(named)), "{last:?}");
        assert_eq!(last.iter().filter(|a| a.is("candidate")).count(), 1);
    }
}

#[test]
fn the_phase_timer_ends_the_wait_for_a_better_pair() {
    // The better pair never answers; the settling time alone would end the wait sooner.
    for (dialect, seconds) in [(Dialect::MsIce2, 3), (Dialect::Draft06, 3)] {
        let mut both = simple(dialect);
        for config in &mut both {
            config.times.settling = 600 * SECOND;
        }
        let relay = Place { relay: true, stun: false, ..Place::behind(SYMMETRIC) };
        let mut internet = Internet::new(16, [relay, Place::OPEN], &both, Weather::FAIR);
        // Packets of the host itself are lost.
        internet.blocked =
            |side, path, _| side == Side::Left && path.local.ip().to_string().starts_with("10.");
        agreed(&mut internet, dialect.as_str());
        let left = internet.node(Side::Left);
        let took = left.connected.unwrap() - left.begun.unwrap();
        assert!(took >= seconds * SECOND && took <= seconds * SECOND + 200 * MS, "{dialect}: {took:?}");
    }
}

#[test]
fn a_description_of_another_dialect_is_for_another_agent() {
    let mut agent = Agent::new(simple(Dialect::Rfc8445)[0], Seed([4; 32]));
    agent.add_host(1, Transport::Udp, "192.0.2.7:4000".parse().unwrap()).unwrap();
    agent.gather(start());
    let mut old = Agent::new(simple(Dialect::Draft06)[0], Seed([5; 32]));
    old.add_host(1, Transport::Udp, "192.0.2.8:4000".parse().unwrap()).unwrap();
    let session = text_of(&old);
    let description = Description::read(&session, &session.media[0], Dialect::Rfc8445);
    assert_eq!(description.dialect, Some(Dialect::Draft06));
    assert_eq!(agent.begin(start(), &description), Err(Error::Refused(Refusal::OtherDialect)));
}

#[test]
fn a_network_that_changes_its_mind_is_left_by_a_restart() {
    let mut internet =
        Internet::new(17, [Place::behind(CONE), Place::OPEN], &simple(Dialect::Rfc8445), Weather::FAIR);
    internet.last_offers = false;
    agreed(&mut internet, "before");
    internet.node_mut(Side::Left).nat.as_mut().unwrap().forget();
    internet.restart();
    agreed(&mut internet, "after");
}

#[test]
fn checks_have_the_attributes_and_the_order_of_their_dialect() {
    for (dialect, expected) in [
        (Dialect::Rfc8445, vec![0x24, 0x802a, 0x06, 0x08, 0x8028]),
        (Dialect::MsIce2, vec![0x24, 0x802a, 0x06, 0x8054, 0x8070, 0x08, 0x8028]),
        (Dialect::Draft06, vec![0x06, 0x08]),
    ] {
        let mut internet = Internet::new(18, [Place::OPEN; 2], &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        let (.., octets) = internet.ladder.iter().find(|(_, s, _, o)| *s == Side::Left && o[0] == 0).unwrap();
        assert_eq!(stun::demultiplex(octets), PacketKind::Stun);
        let message = Message::parse(stun_dialect(dialect), octets).unwrap();
        let kinds: Vec<u16> = message.raw_attributes().map(|a| a.kind.0).collect();
        assert_eq!(kinds, expected, "{dialect}");
        let nominating = internet.ladder.iter().any(|(.., o)| {
            Message::parse(stun_dialect(dialect), o)
                .is_ok_and(|m| m.value(AttributeType::USE_CANDIDATE).is_some())
        });
        assert_eq!(nominating, dialect != Dialect::Draft06);
    }
    assert!(Credentials::parse(Dialect::Rfc8445, "a", "b").is_none());
}

#[test]
fn a_lost_connection_ends_the_call_once() {
    for dialect in DIALECTS {
        let places = [Place { tcp: true, udp: false, ..Place::OPEN }; 2];
        let mut internet = Internet::new(19, places, &simple(dialect), Weather::FAIR);
        agreed(&mut internet, dialect.as_str());
        let now = internet.now;
        let agent = &mut internet.node_mut(Side::Left).agent;
        let path = agent.selected(1).unwrap().path;
        for _ in 0..3 {
            agent.handle_input(now, Input::Closed { path }).unwrap();
            agent.handle_timeout(now);
            assert!(
                agent.poll_timeout().is_none_or(|due| due > now),
                "{dialect}: it would be called for ever"
            );
        }
        let events: Vec<_> = std::iter::from_fn(|| agent.poll_event()).collect();
        assert_eq!(events, [Event::Failed(Failure::ConsentLost)], "{dialect}");
    }
}
