//! Strangers and hostile peers: what they send has no effect, costs little and is never amplified.

mod internet;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use internet::{Internet, Place, Random, Side, Weather};
use sip_lync::Error;
use sip_lync::ice::agent::{Config, Input, LARGEST_MESSAGE, Path, Protocol};
use sip_lync::ice::phase::State;
use sip_lync::ice::{Agent, DIALECTS, Dialect, Role};
use sip_lync::stun::{
    Attribute, AttributeType, Builder, Class, Dialect as Stun, IntegrityKey, Message, Method, Table,
    TransactionId,
};

const SECOND: Duration = Duration::from_secs(1);

fn configs(dialect: Dialect) -> [Config; 2] {
    [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = Config::new(dialect, role);
        config.components = 1;
        config
    })
}

const fn stun_dialect(dialect: Dialect) -> Stun {
    match dialect {
        Dialect::Rfc8445 => Stun::Rfc8489,
        Dialect::MsIce2 => Stun::MsIce2,
        Dialect::Draft06 => Stun::Draft06,
    }
}

fn transmitted(agent: &mut Agent) -> Vec<(Path, Vec<u8>)> {
    let mut buffer = BytesMut::new();
    let mut all = Vec::new();
    while let Some(transmit) = agent.poll_transmit(&mut buffer) {
        all.push((transmit.path, buffer.split_to(transmit.len).to_vec()));
    }
    all
}

/// A check as the peer would write it, but under another key or none.
fn forged(dialect: Dialect, username: &[u8], key: Option<&IntegrityKey>, number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&random.next().to_be_bytes());
    octets[8..].copy_from_slice(&random.next().to_be_bytes());
    let mut buffer = [0; 512];
    let transaction = TransactionId::new(stun_dialect(dialect), octets);
    let mut builder =
        Builder::new(&mut buffer, stun_dialect(dialect), Class::Request, Method::Binding, transaction);
    if dialect != Dialect::Draft06 {
        builder.push(&Attribute::UseCandidate).push(&Attribute::Priority(u32::MAX));
        builder.push(&Attribute::IceControlling(u64::MAX));
    }
    builder.push(&Attribute::Username(username));
    let fingerprint = (dialect != Dialect::Draft06).then_some(Table::Correct);
    builder.finish(key, fingerprint).unwrap().to_vec()
}

/// The USERNAME of a check that the left side received.
fn username_for_left(internet: &Internet, dialect: Dialect) -> Vec<u8> {
    let (.., octets) =
        internet.ladder.iter().find(|(_, side, _, o)| *side == Side::Right && o[0] == 0).unwrap();
    Message::parse(stun_dialect(dialect), octets).unwrap().username().unwrap().to_vec()
}

#[test]
fn forged_checks_change_nothing_and_are_never_amplified() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(21, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.run_until_decided(10 * SECOND);
        internet.run_for(SECOND);
        let username = username_for_left(&internet, dialect);
        let now = internet.now;
        let agent = &mut internet.node_mut(Side::Left).agent;
        let before =
            (agent.state(), agent.selected(1), agent.pair_count(), agent.remote_candidates().to_vec());
        let selected = agent.selected(1).unwrap();
        let wrong = IntegrityKey::short_term(b"somebody else's password");
        let victim: SocketAddr = "198.51.100.200:53".parse().unwrap();
        let (mut received, mut sent) = (0, 0);
        for number in 0..3000 {
            let (key, name) = match number % 3 {
                0 => (None, &username[..]),
                1 => (Some(&wrong), &username[..]),
                _ => (Some(&wrong), &b"nobody:knows"[..]),
            };
            let octets = forged(dialect, name, key, number);
            // From the peer's own address, too.
            let remote = if number % 2 == 0 { victim } else { selected.path.remote };
            let path = Path { remote, ..selected.path };
            received += octets.len();
            assert!(matches!(
                agent.handle_input(now, Input::Packet { path, data: &octets }),
                Err(Error::Misbehaved(_))
            ));
            for (to, octets) in transmitted(agent) {
                assert_eq!(to, path);
                sent += octets.len();
            }
        }
        assert_eq!(
            before,
            (agent.state(), agent.selected(1), agent.pair_count(), agent.remote_candidates().to_vec())
        );
        assert_eq!(agent.poll_event(), None);
        // A few errors a second, none longer than what it answers.
        assert!(sent * 50 < received, "{dialect}: {sent} octets out for {received} in");
    }
}

#[test]
fn no_single_message_of_a_stranger_is_answered_with_a_longer_one() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(22, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.run_until_decided(10 * SECOND);
        let username = username_for_left(&internet, dialect);
        let path = internet.node(Side::Left).agent.selected(1).unwrap().path;
        let mut now = internet.now;
        let wrong = IntegrityKey::short_term(b"x");
        for name in [&username[..], b"", b"a", b"a:b", &[7; 400]] {
            for key in [None, Some(&wrong)] {
                let octets = forged(dialect, name, key, 1);
                let agent = &mut internet.node_mut(Side::Left).agent;
                let _refused = agent.handle_input(now, Input::Packet { path, data: &octets });
                let sent: usize = transmitted(agent).iter().map(|(_, octets)| octets.len()).sum();
                assert!(sent <= octets.len(), "{dialect}: {sent} for {}", octets.len());
                now += SECOND;
            }
        }
    }
}

#[test]
fn spoofed_answers_neither_connect_nor_break_a_check() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(23, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.blocked = |side, _, _| side == Side::Right;
        internet.run_for(60 * Duration::from_millis(1));
        let (_, _, path, check) =
            internet.ladder.iter().find(|(_, side, _, o)| *side == Side::Left && o[0] == 0).unwrap().clone();
        let transaction = Message::parse(stun_dialect(dialect), &check).unwrap().transaction();
        let now = internet.now;
        let agent = &mut internet.node_mut(Side::Left).agent;
        let wrong = IntegrityKey::short_term(b"not the password");
        for class in [Class::Success, Class::Error] {
            for key in [None, Some(&wrong)] {
                for guess in [transaction, TransactionId::new(stun_dialect(dialect), [1; 16])] {
                    let mut buffer = [0; 256];
                    let mut builder =
                        Builder::new(&mut buffer, stun_dialect(dialect), class, Method::Binding, guess);
                    match class {
                        Class::Error => builder.push(&Attribute::ErrorCode(sip_lync::stun::ErrorCode {
                            code: 487,
                            reason: b"",
                        })),
                        _ => builder.push(&Attribute::XorMappedAddress("203.0.113.66:6".parse().unwrap())),
                    };
                    let fingerprint = (dialect != Dialect::Draft06).then_some(Table::Correct);
                    let answer = builder.finish(key, fingerprint).unwrap();
                    let outcome = agent.handle_input(now, Input::Packet { path, data: answer });
                    assert!(matches!(outcome, Err(Error::Misbehaved(_))), "{dialect} {class:?}");
                }
            }
        }
        assert_eq!((agent.state(), agent.role()), (State::Checking, Role::Controlling));
        internet.blocked = |_, _, _| false;
        internet.run_until_decided(30 * SECOND);
        assert!(internet.node(Side::Left).connected.is_some(), "{dialect}: the check itself is not lost");
    }
}

#[test]
fn checks_of_the_peer_itself_are_bounded_in_what_they_create() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(24, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.run_for(30 * Duration::from_millis(1));
        // The peer's real check, sent again from ten thousand addresses.
        internet.run_for(30 * Duration::from_millis(1));
        let (_, _, _, check) =
            internet.ladder.iter().find(|(_, side, _, o)| *side == Side::Right && o[0] == 0).unwrap().clone();
        let now = internet.now;
        let agent = &mut internet.node_mut(Side::Left).agent;
        let local = agent.local_candidates()[0].base;
        transmitted(agent);
        let (mut received, mut answers) = (0, 0);
        for number in 0..10_000_u32 {
            let ip = std::net::Ipv4Addr::from(0xc612_0000 + number);
            let path =
                Path { component: 1, protocol: Protocol::Udp, local, remote: SocketAddr::new(ip.into(), 9) };
            let _outcome = agent.handle_input(now, Input::Packet { path, data: &check });
            received += check.len();
            for (to, octets) in transmitted(agent) {
                // Answers go back; checks to the claimed addresses wait for their turn.
                if to == path {
                    answers += octets.len();
                }
            }
        }
        assert!(agent.pair_count() <= 164 && agent.remote_candidates().len() <= 128, "{dialect}");
        assert!(answers <= 2 * received, "{dialect}: {answers} for {received}");
        // What follows from them is paced: one new check each 20 ms, whatever was learnt.
        let (mut now, mut checks) = (now, 0);
        let end = now + SECOND;
        while let Some(due) = agent.poll_timeout().filter(|due| *due <= end) {
            now = due.max(now);
            agent.handle_timeout(now);
            checks += transmitted(agent).iter().filter(|(_, o)| o[0] == 0).count();
        }
        assert!(checks <= 120, "{dialect}: {checks} checks in a second");
    }
}

#[test]
fn the_checks_a_description_causes_are_bounded() {
    // A hostile description with as many addresses of a victim as fit: the voice hammer of RFC 8445 19.5.1.
    for dialect in DIALECTS {
        let mut agent = Agent::new(configs(dialect)[0], sip_lync::Seed([9; 32]));
        let mut internet = Internet::new(25, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        let now = internet.now;
        for port in 4000..4010 {
            let address = SocketAddr::new("192.0.2.1".parse().unwrap(), port);
            agent.add_host(1, sip_lync::ice::Transport::Udp, address).unwrap();
        }
        agent.gather(now);
        let mut text = internet.text(Side::Right, &internet.node(Side::Right).agent.attributes());
        let line = text.lines().find(|line| line.starts_with("a=candidate:")).unwrap().to_owned();
        for port in 1..1900 {
            text += &line.replace(" 4001", &format!(" {port}"));
            text += "\r\n";
        }
        let session = sip_lync::sdp::SessionDescription::parse(&text).unwrap();
        let description = sip_lync::ice::Description::read(&session, &session.media[0], dialect);
        agent.begin(now, &description.in_dialect(dialect)).unwrap();
        assert_eq!(agent.pair_count(), 100);
        let (mut now, mut sent) = (now, 0);
        while agent.state() == State::Checking {
            now = agent.poll_timeout().unwrap().max(now);
            agent.handle_timeout(now);
            sent += transmitted(&mut agent).len();
        }
        let copies = if dialect == Dialect::MsIce2 { 2 } else { 1 };
        let seconds = (now - internet.start).as_secs();
        assert!(sent as u64 <= copies * 80 * (seconds + 1), "{dialect}: {sent} messages in {seconds} s");
        internet.run_for(SECOND);
    }
}

#[test]
fn rubbish_and_oversized_messages_are_refused_by_name() {
    for dialect in DIALECTS {
        let mut internet = Internet::new(26, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.run_until_decided(10 * SECOND);
        let path = internet.node(Side::Left).agent.selected(1).unwrap().path;
        let now = internet.now;
        let checks: Vec<Vec<u8>> = internet.ladder.iter().map(|(.., octets)| octets.clone()).collect();
        let agent = &mut internet.node_mut(Side::Left).agent;
        let mut big = vec![0; LARGEST_MESSAGE + 1];
        big[..20].copy_from_slice(&checks[0][..20]);
        assert!(agent.handle_input(now, Input::Packet { path, data: &big }).is_err());
        let mut random = Random(26);
        let kept = (agent.state(), agent.selected(1));
        for _ in 0..5000 {
            let mut octets = checks[random.below(checks.len() as u64) as usize].clone();
            for _ in 0..=random.below(3) {
                let at = random.below(octets.len() as u64) as usize;
                octets[at] ^= 1 << random.below(8);
            }
            octets.truncate(octets.len() - random.below(3) as usize * 4);
            let _outcome = agent.handle_input(now, Input::Packet { path, data: &octets });
            transmitted(agent);
        }
        assert_eq!(kept, (agent.state(), agent.selected(1)));
    }
    assert!(AttributeType::USERNAME.is_required());
}

#[test]
fn a_check_with_a_wrong_or_legacy_fingerprint_is_dropped_by_whoever_may_not_take_it() {
    for dialect in [Dialect::Rfc8445, Dialect::MsIce2] {
        let mut internet = Internet::new(27, [Place::OPEN; 2], &configs(dialect), Weather::FAIR);
        internet.run_until_decided(10 * SECOND);
        let path = internet.node(Side::Left).agent.selected(1).unwrap().path;
        let now = internet.now;
        let (.., check) =
            internet.ladder.iter().find(|(_, side, _, o)| *side == Side::Right && o[0] == 0).unwrap().clone();
        let agent = &mut internet.node_mut(Side::Left).agent;
        let mut take = |octets: &[u8]| {
            let outcome = agent.handle_input(now, Input::Packet { path, data: octets });
            (outcome, transmitted(agent).len())
        };
        assert_eq!(take(&check), (Ok(()), 1), "{dialect}: the peer's own check is answered");
        let refused = || Err(Error::Misbehaved(sip_lync::Breach::CheckFingerprint));
        let last = check.len() - 1;
        let wrong = [&check[..last], &[check[last] ^ 1]].concat();
        assert_eq!(take(&wrong), (refused(), 0), "{dialect}");
        // The legacy table, from a peer that tells its version or in the standard; some messages are the same under both.
        let mut legacy = check.clone();
        sip_lync::stun::with_legacy_fingerprint(&mut legacy).unwrap();
        let differs = legacy != check;
        assert_eq!(take(&legacy).0, if differs { refused() } else { Ok(()) }, "{dialect}");
        // And none at all.
        let mut none = check[..check.len() - 8].to_vec();
        let length = (none.len() - 20) as u16;
        none[2..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(take(&none), (refused(), 0), "{dialect}");
    }
}
