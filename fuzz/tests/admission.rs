//! Admission control against arbitrary policies: any answers in any order, on the right allocation and on others, and an
//! agent whose check list they cut.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use fuzz::ROUNDS;
use sip_lync::Seed;
use sip_lync::ice::agent::{Config, Event as AgentEvent};
use sip_lync::ice::phase::State as AgentState;
use sip_lync::ice::reservation::{Demand, State};
use sip_lync::ice::{Agent, DIALECTS, Description, Dialect, Outcome, Reservation, Role, Transport};
use sip_lync::sdp::SessionDescription;
use sip_lync::stun::{
    AdmissionControl, Location, LocationProfile, PathResponse, ReservationAmount, ServiceQuality, StreamKind,
};
use sip_lync::turn::{AdmissionAnswer, AllocationNumber, Event};

const CALL: AllocationNumber = AllocationNumber(7);

/// One step: what happens, how much later, and the octets of an answer.
type Step = (u8, u8, [u8; 6]);

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// An agent with an address of its own and one at a relay.
fn agent(dialect: Dialect, role: Role, host: u8, now: Instant) -> Agent {
    let mut config = Config::new(dialect, role);
    config.components = 1;
    let mut agent = Agent::new(config, Seed([host; 32]));
    let base = address(&format!("192.0.2.{host}:4000"));
    let relayed = address(&format!("203.0.113.{host}:50000"));
    agent.add_host(1, Transport::Udp, base).expect("a candidate");
    agent.gather(now);
    let _late_or_not = agent.add_relayed(1, Transport::Udp, relayed, base, None);
    agent
}

fn description(agent: &Agent, dialect: Dialect) -> Description {
    let mut text =
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
            .to_owned();
    for attribute in agent.attributes() {
        text += &format!("a={attribute}\r\n");
    }
    let session = SessionDescription::parse(&text).expect("what we write we read");
    Description::read(&session, &session.media[0], dialect).in_dialect(dialect)
}

fn demand() -> Demand {
    Demand {
        amount: ReservationAmount { max_send: 100, min_send: 40, max_receive: 100, min_receive: 40 },
        quality: ServiceQuality { stream: StreamKind::Audio, reliable: false },
        location: LocationProfile { peer: Location::Intranet, own: Location::Intranet, federation: 0 },
        call_id: b"1@fe1.example.net".to_vec(),
        dialog_id: Vec::new(),
    }
}

fn answer([kind, flags @ .., reserved]: [u8; 6]) -> Event {
    let message = [AdmissionControl::Check, AdmissionControl::Commit, AdmissionControl::Update];
    let path = |flags: u8| {
        (flags & 1 == 0).then(|| PathResponse {
            valid: flags & 2 == 0,
            pstn_failover: flags & 4 != 0,
            max_send: u32::from(flags) << 24,
            max_receive: u32::from(flags),
        })
    };
    let mut answer = AdmissionAnswer::new(message[usize::from(kind) % 3]);
    [answer.local_site, answer.local_relay, answer.remote_site, answer.remote_relay] = flags.map(path);
    answer.reservation = (reserved & 1 == 0).then_some([reserved; 16]);
    Event::Admission(answer)
}

#[test]
fn a_reservation_and_its_agent_survive_any_policy() {
    let start = Instant::now();
    bolero::check!().with_type::<(u8, Vec<Step>)>().with_iterations(ROUNDS).for_each(|(choice, steps)| {
        let dialect = DIALECTS[usize::from(*choice) % 3];
        let mut now = start;
        let mut ours = agent(dialect, Role::Controlled, 1, now);
        let mut theirs = agent(dialect, Role::Controlling, 2, now);
        let _ = ours.begin(now, &description(&theirs, dialect));
        let _ = theirs.begin(now, &description(&ours, dialect));
        let mut reservation = Reservation::new(CALL, demand());
        let (mut asked, mut told, mut failures) = (0, 0, 0);
        for (what, wait, octets) in steps.iter().take(60) {
            now += Duration::from_secs(u64::from(*wait));
            let before = reservation.state();
            match what % 8 {
                0 => reservation.check(&ours),
                1 => reservation.commit(&ours),
                2 => reservation.change(ReservationAmount { max_send: u32::from(*wait), ..demand().amount }),
                3 => reservation.handle_timeout(now),
                4 => {
                    // What another call's allocation is told.
                    let outcome =
                        reservation.handle_event(now, AllocationNumber(8), &answer(*octets), &mut ours);
                    assert_eq!((outcome, reservation.state()), (None, before));
                }
                5 => {
                    let refused = Event::AdmissionRefused { code: u16::from(*wait) };
                    assert_eq!(reservation.handle_event(now, CALL, &refused, &mut ours), None);
                }
                _ => {
                    let outcome = reservation.handle_event(now, CALL, &answer(*octets), &mut ours);
                    told += usize::from(outcome.is_some());
                    if let Some(Outcome::Fail | Outcome::RedirectOverPstn | Outcome::NotAcceptable) = outcome
                    {
                        assert_eq!(reservation.state(), State::Refused);
                        assert_eq!(
                            ours.state(),
                            AgentState::Failed,
                            "a refused call has failed at the agent, too"
                        );
                    }
                }
            }
            if before == State::Refused || before == State::Unmanaged {
                assert_eq!(reservation.state(), before, "that is the end");
            }
            while let Some((allocation, request)) = reservation.poll_request() {
                assert_eq!(allocation, CALL);
                asked += 1;
                assert!(matches!(request.message, AdmissionControl::Update) || request.is_complete());
            }
            // The agents go on meanwhile, on both ways.
            let mut buffer = BytesMut::new();
            let over = ours.state() == AgentState::Failed;
            while ours.poll_transmit(&mut buffer).is_some() {}
            ours.handle_timeout(now);
            while let Some(transmit) = ours.poll_transmit(&mut buffer) {
                assert!(!over, "a failed agent sends {transmit:?}");
            }
            while let Some(event) = ours.poll_event() {
                failures += usize::from(matches!(event, AgentEvent::Failed(_)));
            }
            assert!(ours.poll_timeout().is_none_or(|due| due > now), "it would be called for ever");
            reservation.handle_timeout(now);
            asked += std::iter::from_fn(|| reservation.poll_request()).count();
            assert!(reservation.poll_timeout().is_none_or(|due| due > now), "it would be called for ever");
        }
        assert!(asked <= 2 * steps.len() && told <= asked, "one question at a time, one outcome for each");
        assert!(failures <= 1, "a call fails once");
    });
}
