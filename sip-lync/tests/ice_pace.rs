//! Whose turn it is: new checks keep their distance, cancelled ones are over, triggered ones let others through.

mod internet;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use internet::nat::{Behaviour, Dependence};
use internet::{Internet, Place, SERVER, Side, Weather};
use sip_lync::Seed;
use sip_lync::ice::agent::{Config, Event, Input, Nomination, Path, Protocol};
use sip_lync::ice::{Agent, DIALECTS, Description, Dialect, Role, Transport};
use sip_lync::sdp::{Attribute, SessionDescription};

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

#[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
fn start() -> Instant {
    Instant::now()
}

/// When each transaction was first seen, for requests to anybody.
fn first_sent<'a>(sent: impl Iterator<Item = (Instant, &'a [u8])>) -> Vec<Instant> {
    let mut first = BTreeMap::new();
    for (when, octets) in sent.filter(|(_, octets)| octets.starts_with(&[0, 1])) {
        first.entry(octets[4..20].to_vec()).or_insert(when);
    }
    let mut times: Vec<_> = first.into_values().collect();
    times.sort_unstable();
    times
}

fn least_distance(times: &[Instant]) -> Duration {
    times.windows(2).map(|two| two[1] - two[0]).min().unwrap()
}

#[test]
fn a_new_check_leaves_at_most_once_in_ta_and_at_the_pace_the_slower_peer_asks_for() {
    let any = Behaviour { mapping: Dependence::Address, filtering: Dependence::Address };
    for dialect in DIALECTS {
        for (components, nomination) in
            [(1, Nomination::Regular), (2, Nomination::Regular), (2, Nomination::Aggressive)]
        {
            for asked in [None, Some(50)] {
                let place = Place { relay: true, ipv6: true, ..Place::behind(any) };
                let both = configs(dialect, components, nomination);
                let mut internet = Internet::new(31, [place; 2], &both, Weather::FAIR);
                if let Some(ms) = asked {
                    for side in Side::BOTH {
                        internet.added.insert(side, vec![Attribute::new("ice-pacing", ms)]);
                    }
                }
                // Nothing but private and relayed addresses of the old protocol: the list stays busy.
                internet.blocked = |_, path, _| path.local.is_ipv6();
                internet.run_until_decided(60 * SECOND);
                for side in Side::BOTH {
                    let begun = internet.node(side).begun.unwrap();
                    let connected = internet.node(side).connected.unwrap();
                    let sent = internet
                        .ladder
                        .iter()
                        .filter(|(when, of, path, _)| {
                            *of == side && path.remote != SERVER && *when >= begun && *when <= connected
                        })
                        .map(|(when, .., octets)| (*when, octets.as_slice()));
                    let times = first_sent(sent);
                    assert!(times.len() >= 5, "{dialect} {side:?}: {} checks", times.len());
                    let pace = MS * asked.unwrap_or(20);
                    let least = least_distance(&times);
                    assert!(least >= pace, "{dialect} {nomination:?} {side:?}: {least:?} after a check");
                    assert!(least < 2 * pace, "{dialect} {nomination:?} {side:?}: no turn is left out");
                }
            }
        }
    }
}

#[test]
fn servers_are_asked_in_turns_of_ta_too() {
    let mut agent = Agent::new(configs(Dialect::Rfc8445, 2, Nomination::Regular)[0], Seed([32; 32]));
    for number in 1..=6_u16 {
        let base = SocketAddr::new("192.0.2.7".parse().unwrap(), 4000 + number);
        agent.add_host(1 + number % 2, Transport::Udp, base).unwrap();
    }
    let mut now = start();
    agent.ask(now, SERVER);
    agent.gather(now);
    let end = now + 400 * MS;
    let (mut sent, mut buffer) = (Vec::new(), BytesMut::new());
    loop {
        while let Some(transmit) = agent.poll_transmit(&mut buffer) {
            sent.push((now, buffer.split_to(transmit.len).to_vec()));
        }
        let Some(due) = agent.poll_timeout().filter(|due| *due < end) else { break };
        now = due;
        agent.handle_timeout(now);
    }
    let times = first_sent(sent.iter().map(|(when, octets)| (*when, octets.as_slice())));
    assert_eq!(times.len(), 6);
    assert!(least_distance(&times) >= 20 * MS, "{:?}", least_distance(&times));
}

/// Two agents with their descriptions exchanged, and what both have sent since.
struct Two {
    agents: [Agent; 2],
    addresses: [SocketAddr; 2],
}

impl Two {
    fn new(dialect: Dialect, now: Instant, more: &str) -> Self {
        let addresses = ["192.0.2.1:4000", "198.51.100.1:4000"].map(|text| text.parse().unwrap());
        let both = configs(dialect, 1, Nomination::Aggressive);
        let mut agents = [0, 1].map(|at: usize| {
            let mut agent = Agent::new(both[at], Seed([33 + at as u8; 32]));
            agent.add_host(1, Transport::Udp, addresses[at]).unwrap();
            agent.gather(now);
            agent
        });
        let texts = [0, 1].map(|at: usize| {
            let lines = agents[at].attributes().iter().fold(String::new(), |all, a| all + &format!("a={a}\r\n"));
            let (ip, port) = (addresses[at].ip(), addresses[at].port());
            let more = if at == 1 { more } else { "" };
            format!(
                "v=0\r\no=- 0 0 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n{lines}{more}"
            )
        });
        for (agent, text) in agents.iter_mut().zip(texts.iter().rev()) {
            let session = SessionDescription::parse(text).unwrap();
            let description = Description::read(&session, &session.media[0], dialect);
            agent.begin(now, &description.in_dialect(dialect)).unwrap();
        }
        Self { agents, addresses }
    }

    fn sent(&mut self, at: usize) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut buffer = BytesMut::new();
        let mut all = Vec::new();
        while let Some(transmit) = self.agents[at].poll_transmit(&mut buffer) {
            all.push((transmit.path.remote, buffer.split_to(transmit.len).to_vec()));
        }
        all
    }

    /// Hands a message to one of them, as if it came from an address.
    fn hand(&mut self, now: Instant, to: usize, from: SocketAddr, data: &[u8]) {
        let path = Path { component: 1, protocol: Protocol::Udp, local: self.addresses[to], remote: from };
        self.agents[to].handle_input(now, Input::Packet { path, data }).unwrap();
    }

    fn is_selected(&mut self, at: usize) -> bool {
        std::iter::from_fn(|| self.agents[at].poll_event()).any(|event| matches!(event, Event::Selected(_)))
    }
}

#[test]
fn a_cancelled_check_is_not_sent_again_and_its_late_answer_still_counts() {
    for dialect in DIALECTS {
        let mut now = start();
        let mut two = Two::new(dialect, now, "");
        let (left, right) = (two.addresses[0], two.addresses[1]);
        let first = two.sent(0).remove(0).1;
        let check = two.sent(1).remove(0).1;
        let transaction = |octets: &[u8]| octets[4..20].to_vec();
        // The peer's check comes before any answer: ours is made anew, at its next turn.
        now += 5 * MS;
        two.hand(now, 0, right, &check);
        let (mut again, mut anew) = (0, 0);
        let end = now + 4 * SECOND;
        while let Some(due) = two.agents[0].poll_timeout().filter(|due| *due <= end) {
            now = due.max(now);
            two.agents[0].handle_timeout(now);
            for (_, octets) in two.sent(0) {
                match octets.starts_with(&[0, 1]) {
                    true if transaction(&octets) == transaction(&first) => again += 1,
                    true => anew += 1,
                    false => {}
                }
            }
        }
        assert_eq!(again, 0, "{dialect}: sent again");
        assert!(anew >= 4, "{dialect}: {anew} in its place");
        assert!(!two.is_selected(0), "{dialect}");
        // Everything of that got lost; the answer to the first one was only late.
        two.hand(now, 1, left, &first);
        let answer = two.sent(1).into_iter().find(|(_, octets)| octets.starts_with(&[1, 1])).unwrap().1;
        two.hand(now, 0, right, &answer);
        assert!(two.is_selected(0), "{dialect}: the late answer counts");
        let end = now + 15 * SECOND;
        while let Some(due) = two.agents[0].poll_timeout().filter(|due| *due <= end) {
            now = due.max(now);
            two.agents[0].handle_timeout(now);
            let sent = two.sent(0);
            let old = sent.iter().any(|(_, octets)| transaction(octets) == transaction(&first));
            assert!(!old, "{dialect}: sent again after all");
        }
    }
}

#[test]
fn triggered_checks_leave_every_second_turn_to_the_others() {
    for dialect in [Dialect::Rfc8445, Dialect::MsIce2] {
        let described: Vec<SocketAddr> =
            (1..=5).map(|n| SocketAddr::new("203.0.113.50".parse().unwrap(), n)).collect();
        let more = described.iter().fold(String::new(), |text, address| {
            let (port, ip) = (address.port(), address.ip());
            text + &format!("a=candidate:9{port} 1 UDP {} {ip} {port} typ host\r\n", 1000 + port)
        });
        let mut now = start();
        let mut two = Two::new(dialect, now, &more);
        let check = two.sent(1).remove(0).1;
        two.sent(0);
        // The peer's check keeps coming from new addresses: each is a candidate with a triggered check.
        for number in 0..16_u16 {
            let from = SocketAddr::new("198.51.100.1".parse().unwrap(), 10_000 + number);
            two.hand(now, 0, from, &check);
        }
        two.sent(0);
        let mut order = Vec::new();
        while order.len() < 10 {
            now = two.agents[0].poll_timeout().unwrap().max(now);
            two.agents[0].handle_timeout(now);
            let new = two.sent(0).into_iter().filter(|(_, octets)| octets.starts_with(&[0, 1]));
            for (remote, _) in new {
                if !order.contains(&remote) {
                    order.push(remote);
                }
            }
        }
        let ordinary = order.iter().filter(|remote| described.contains(remote)).count();
        assert_eq!(ordinary, 5, "{dialect}: {order:?}");
        assert!(described.contains(&order[0]) != described.contains(&order[1]), "{dialect}: {order:?}");
    }
}
