//! Admission control from the relay's policy to the check list: asked on the allocation of the call, refused paths removed,
//! three ways in which a call ends.

mod internet;
mod turn_network;

use std::time::Duration;

use internet::{Internet, Place, Side, Weather};
use sip_lync::ice::agent::{Config, Failure};
use sip_lync::ice::phase::State as AgentState;
use sip_lync::ice::reservation::{Demand, State};
use sip_lync::ice::{DIALECTS, Dialect, Kind, Outcome, Reservation, Role};
use sip_lync::stun::{
    AdmissionControl, Location, LocationProfile, PathResponse, ReservationAmount, ServiceQuality, StreamKind,
};
use sip_lync::turn::server::Config as ServerConfig;
use sip_lync::turn::{AdmissionAnswer, AllocationNumber, Event, Transport};
use turn_network::{Network, SERVER};

const CALL: AllocationNumber = AllocationNumber(7);
const ANOTHER: AllocationNumber = AllocationNumber(8);
const AMOUNT: ReservationAmount =
    ReservationAmount { max_send: 100, min_send: 40, max_receive: 100, min_receive: 40 };

fn reservation() -> Reservation {
    let demand = Demand {
        amount: AMOUNT,
        quality: ServiceQuality { stream: StreamKind::Audio, reliable: false },
        location: LocationProfile { peer: Location::Intranet, own: Location::Intranet, federation: 0 },
        call_id: b"1@fe1.example.net".to_vec(),
        dialog_id: Vec::new(),
    };
    Reservation::new(CALL, demand)
}

/// A relay whose policy has a link of so many kilobits a second, with one allocation.
fn relay(bandwidth: Option<u32>, pstn_failover: bool) -> Network {
    let mut config = ServerConfig::new(SERVER, SERVER.ip());
    config.bandwidth = bandwidth;
    config.pstn_failover = pstn_failover;
    let mut network = Network::with(Transport::Udp, config);
    network.client.allocate(network.now).unwrap();
    network.run();
    network.last_event();
    network
}

/// Two agents with a relay each; the left one made the offer and the right one has it.
fn call(dialect: Dialect) -> Internet {
    let both = [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = Config::new(dialect, role);
        config.components = 1;
        config
    });
    let mut internet = Internet::new(41, [Place { relay: true, ..Place::OPEN }; 2], &both, Weather::FAIR);
    internet.run_for(Weather::FAIR.latency);
    assert_eq!(internet.node(Side::Right).agent.state(), AgentState::Checking);
    internet
}

/// Carries the questions of a reservation to the relay, and the answers to it and the agent of a side.
fn exchange(
    reservation: &mut Reservation,
    network: &mut Network,
    internet: &mut Internet,
    side: Side,
) -> (Vec<AdmissionControl>, Option<Outcome>) {
    let (mut asked, mut outcome) = (Vec::new(), None);
    while let Some((allocation, request)) = reservation.poll_request() {
        assert_eq!(allocation, CALL);
        assert!(request.is_complete(), "{request:?}");
        asked.push(request.message);
        network.client.admission(network.now, request).unwrap();
        network.run();
        let event = network.event();
        let now = internet.now;
        let told = reservation.handle_event(now, CALL, &event, &mut internet.node_mut(side).agent);
        outcome = told.or(outcome);
        internet.drain();
    }
    (asked, outcome)
}

#[test]
fn bandwidth_is_checked_before_the_answer_committed_with_the_pair_and_updated_until_the_call_ends() {
    for dialect in DIALECTS {
        let (mut network, mut internet, mut reservation) =
            (relay(Some(150), true), call(dialect), reservation());
        reservation.check(&internet.node(Side::Right).agent);
        reservation.check(&internet.node(Side::Right).agent);
        let (asked, outcome) = exchange(&mut reservation, &mut network, &mut internet, Side::Right);
        assert_eq!(asked, [AdmissionControl::Check]);
        assert!(matches!(outcome, Some(Outcome::Admitted { send: 100, receive: 100, .. })), "{outcome:?}");
        assert_eq!(network.server.state().reserved, 0);

        internet.run_until_decided(Duration::from_secs(30));
        reservation.commit(&internet.node(Side::Right).agent);
        let (asked, _) = exchange(&mut reservation, &mut network, &mut internet, Side::Right);
        assert_eq!((asked, reservation.state()), (vec![AdmissionControl::Commit], State::Reserved));
        assert_eq!(network.server.state().reserved, 100);

        for _ in 0..3 {
            internet.now = reservation.poll_timeout().unwrap();
            reservation.handle_timeout(internet.now);
            let (asked, _) = exchange(&mut reservation, &mut network, &mut internet, Side::Right);
            assert_eq!((asked, reservation.state()), (vec![AdmissionControl::Update], State::Reserved));
        }
        assert_eq!(network.server.state().reserved, 100);
        reservation.change(ReservationAmount { max_send: 64, max_receive: 64, ..AMOUNT });
        exchange(&mut reservation, &mut network, &mut internet, Side::Right);
        assert_eq!((reservation.state(), network.server.state().reserved), (State::Reserved, 64));
    }
}

#[test]
fn a_call_without_bandwidth_has_the_end_the_policy_and_the_role_say() {
    for dialect in DIALECTS {
        for (side, pstn_failover, expected) in [
            (Side::Right, false, Outcome::NotAcceptable),
            (Side::Right, true, Outcome::RedirectOverPstn),
            (Side::Left, false, Outcome::Fail),
            (Side::Left, true, Outcome::RedirectOverPstn),
        ] {
            let (mut network, mut internet, mut reservation) =
                (relay(Some(30), pstn_failover), call(dialect), reservation());
            // The left one knows the peer when its answer is there.
            internet.run_for(Weather::FAIR.latency);
            reservation.check(&internet.node(side).agent);
            let (_, outcome) = exchange(&mut reservation, &mut network, &mut internet, side);
            assert_eq!((outcome, reservation.state()), (Some(expected), State::Refused), "{dialect}");
            let node = internet.node(side);
            assert_eq!((node.agent.state(), node.why), (AgentState::Failed, Some(Failure::NotAdmitted)));
            reservation.commit(&internet.node(side).agent);
            assert_eq!(reservation.poll_request(), None, "nothing more is asked");
        }
    }
}

/// An answer that refuses the direct way of one end.
fn refuses(local: bool) -> Event {
    let (yes, no) = (PathResponse { valid: true, ..PathResponse::default() }, PathResponse::default());
    let mut answer = AdmissionAnswer::new(AdmissionControl::Check);
    (answer.local_site, answer.local_relay) = (Some(if local { no } else { yes }), Some(yes));
    (answer.remote_site, answer.remote_relay) = (Some(if local { yes } else { no }), Some(yes));
    Event::Admission(answer)
}

#[test]
fn a_path_that_only_the_callee_knows_to_be_refused_is_taken_by_neither() {
    for dialect in DIALECTS {
        for local in [true, false] {
            let (mut internet, mut reservation) = (call(dialect), reservation());
            reservation.check(&internet.node(Side::Right).agent);
            let now = internet.now;
            let agent = &mut internet.node_mut(Side::Right).agent;
            // What another call's allocation is told, or an answer to another question, is not ours.
            assert_eq!(reservation.handle_event(now, ANOTHER, &refuses(!local), agent), None);
            let other = Event::Admission(AdmissionAnswer::new(AdmissionControl::Update));
            assert_eq!(reservation.handle_event(now, CALL, &other, agent), None);
            let outcome = reservation.handle_event(now, CALL, &refuses(local), agent);
            assert!(matches!(outcome, Some(Outcome::Admitted { .. })), "{outcome:?}");
            internet.run_until_decided(Duration::from_mins(1));
            internet.run_for(Duration::from_secs(1));
            internet.assert_agreed(&format!("{dialect} {local}"));
            let selected = internet.node(Side::Right).selected[&1];
            let kind = if local { selected.local_kind } else { selected.remote_kind };
            assert_eq!(kind, Kind::Relayed, "{dialect} {selected:?}");
        }
    }
}

#[test]
fn a_pair_chosen_before_the_policy_has_answered_waits_for_it_and_falls_with_it() {
    for admitted in [true, false] {
        let (mut internet, mut reservation) = (call(Dialect::MsIce2), reservation());
        reservation.check(&internet.node(Side::Right).agent);
        internet.run_until_decided(Duration::from_secs(30));
        internet.run_for(Duration::from_secs(1));
        reservation.commit(&internet.node(Side::Right).agent);
        let asked: Vec<AdmissionControl> =
            std::iter::from_fn(|| reservation.poll_request()).map(|(_, asked)| asked.message).collect();
        assert_eq!(asked, [AdmissionControl::Check], "one question at a time");
        let now = internet.now;
        let event = if admitted { Event::AdmissionRefused { code: 0 } } else { refuses(true) };
        let agent = &mut internet.node_mut(Side::Right).agent;
        let outcome = reservation.handle_event(now, CALL, &event, agent);
        if admitted {
            // Nobody manages bandwidth: the call goes on and nothing more is asked.
            assert_eq!((outcome, reservation.state()), (None, State::Unmanaged));
            assert_eq!(agent.state(), AgentState::Completed);
            assert_eq!(reservation.poll_request(), None);
        } else {
            assert!(matches!(outcome, Some(Outcome::Admitted { .. })));
            assert_eq!(agent.state(), AgentState::Failed, "it used the refused path");
            assert_eq!(agent.poll_timeout(), None);
            assert_eq!(reservation.poll_request(), None, "there is nothing to commit");
        }
    }
}

#[test]
fn an_amount_that_changes_while_a_question_is_under_way_is_asked_for_behind_its_answer() {
    let (mut internet, mut reservation) = (call(Dialect::MsIce2), reservation());
    internet.run_until_decided(Duration::from_secs(30));
    let now = internet.now;
    let agent = &mut internet.node_mut(Side::Right).agent;
    reservation.commit(agent);
    let less = ReservationAmount { max_send: 64, ..AMOUNT };
    reservation.change(less);
    let mut questions = || {
        let all = std::iter::from_fn(|| reservation.poll_request());
        all.map(|(_, asked)| (asked.message, asked.amount)).collect::<Vec<_>>()
    };
    assert_eq!(questions(), [(AdmissionControl::Commit, Some(AMOUNT))]);
    let mut answer = AdmissionAnswer::new(AdmissionControl::Commit);
    answer.reservation = Some([9; 16]);
    reservation.handle_event(now, CALL, &Event::Admission(answer), agent);
    let asked = reservation.poll_request().unwrap().1;
    assert_eq!(
        (asked.message, asked.amount, asked.reservation),
        (AdmissionControl::Update, Some(less), Some([9; 16]))
    );
    let done = Event::Admission(AdmissionAnswer::new(AdmissionControl::Update));
    reservation.handle_event(now, CALL, &done, agent);
    assert_eq!((reservation.state(), reservation.poll_request()), (State::Reserved, None), "asked for once");
}
