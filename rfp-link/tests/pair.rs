//! Two links back to back in virtual time.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rfp_link::{
    Config, ConnectionId, DownReason, Error, Event, Hello, Input, Link, Message, Reason, Refusal, Role, Rule,
    State, VersionRange,
};

#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
fn origin() -> Instant {
    Instant::now()
}

/// Both ends of one connection, and a clock that jumps to the next deadline.
struct Pair {
    base: Link,
    server: Link,
    now: Instant,
    /// What was on its way when the connection was cut in one direction.
    server_hears: bool,
    base_hears: bool,
}

fn base_hello() -> Hello {
    Hello::base_station("hall", "base 1", 3, 8)
}

fn server_hello() -> Hello {
    Hello::server("dect", "server 1", [0x10, 0x2f, 0x10, 0x2f, 0x0e])
}

impl Pair {
    fn new(base: Hello, server: Hello) -> Self {
        let now = origin();
        let mut pair = Self {
            base: Link::new(now, Config::new(Role::BaseStation, base)),
            server: Link::new(now, Config::new(Role::Server, server)),
            now,
            server_hears: true,
            base_hears: true,
        };
        pair.settle();
        pair
    }

    fn up() -> Self {
        let mut pair = Self::new(base_hello(), server_hello());
        assert_eq!((pair.base.state(), pair.server.state()), (State::Up, State::Up));
        assert_eq!(events(&mut pair.base), [Event::Up(server_hello())]);
        assert_eq!(events(&mut pair.server), [Event::Up(base_hello())]);
        pair
    }

    /// Hands octets over, seven at a time, until both are quiet.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            let mut buffer = BytesMut::new();
            if let Some(transmit) = self.base.poll_transmit(&mut buffer) {
                assert_eq!(transmit.len, buffer.len());
                quiet = false;
                if self.server_hears {
                    deliver(&mut self.server, self.now, &buffer);
                }
            }
            let mut buffer = BytesMut::new();
            if let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                assert_eq!(transmit.len, buffer.len());
                quiet = false;
                if self.base_hears {
                    deliver(&mut self.base, self.now, &buffer);
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let next = [self.base.poll_timeout(), self.server.poll_timeout()].into_iter().flatten().min();
            match next.filter(|at| *at <= end) {
                None => break,
                Some(at) => {
                    assert!(at >= self.now, "a deadline lies in the past");
                    self.now = at;
                    self.base.handle_timeout(at);
                    self.server.handle_timeout(at);
                    self.settle();
                }
            }
        }
        self.now = end;
    }
}

fn deliver(link: &mut Link, now: Instant, octets: &[u8]) {
    for piece in octets.chunks(7) {
        let _ = link.handle_input(now, Input::Bytes(piece));
    }
}

fn events(link: &mut Link) -> Vec<Event> {
    std::iter::from_fn(|| link.poll_event()).collect()
}

fn data(number: u32) -> Message {
    Message::Data { connection: ConnectionId(number), sdu: Bytes::from_static(&[5, 1, 2]) }
}

#[test]
fn both_hellos_open_the_link_and_messages_arrive_in_order() {
    let mut pair = Pair::up();
    for number in 0..100 {
        assert_eq!(pair.base.send(pair.now, data(number)), Ok(()));
    }
    pair.settle();
    let expected: Vec<_> = (0..100).map(|number| Event::Message(data(number))).collect();
    assert_eq!(events(&mut pair.server), expected);
    assert_eq!(events(&mut pair.base), []);
}

#[test]
fn a_quiet_link_is_kept_up_by_heartbeats_for_a_day() {
    let mut pair = Pair::up();
    pair.pass(Duration::from_hours(24));
    assert_eq!((pair.base.state(), pair.server.state()), (State::Up, State::Up));
    assert_eq!((events(&mut pair.base), events(&mut pair.server)), (vec![], vec![]));
}

#[test]
fn an_end_that_hears_nothing_for_40_seconds_gives_up_and_not_earlier() {
    let mut pair = Pair::up();
    pair.base_hears = false;
    pair.server_hears = false;
    pair.pass(Duration::from_millis(39_999));
    assert_eq!((pair.base.state(), pair.server.state()), (State::Up, State::Up));
    pair.pass(Duration::from_millis(1));
    assert_eq!(events(&mut pair.base), [Event::Down(DownReason::TimedOut)]);
    assert_eq!(events(&mut pair.server), [Event::Down(DownReason::TimedOut)]);
    assert_eq!(pair.base.poll_timeout(), None);
}

#[test]
fn a_heartbeat_goes_out_after_15_silent_seconds() {
    let mut pair = Pair::up();
    pair.base_hears = false;
    pair.server_hears = false;
    let at = pair.base.poll_timeout().expect("a heartbeat is due");
    assert_eq!(at - pair.now, Duration::from_secs(15));
    pair.base.handle_timeout(pair.now + Duration::from_millis(14_999));
    let mut buffer = BytesMut::new();
    assert_eq!(pair.base.poll_transmit(&mut buffer), None);
    pair.base.handle_timeout(at);
    assert!(pair.base.poll_transmit(&mut buffer).is_some());
    assert_eq!(buffer[..], [0, 1, 4]);
}

#[test]
fn half_a_frame_is_no_sign_of_life() {
    let mut pair = Pair::up();
    pair.server_hears = false;
    // A frame of 200 octets that comes one octet a second and is never whole.
    let mut octets = [0, 200, 0x21].into_iter().chain([0; 36]);
    for second in 1..40 {
        let octet = octets.next().expect("39 octets");
        let at = pair.now + Duration::from_secs(second);
        assert_eq!(pair.server.handle_input(at, Input::Bytes(&[octet])), Ok(()));
    }
    pair.now += Duration::from_secs(39);
    pair.now += Duration::from_secs(1);
    pair.server.handle_timeout(pair.now);
    assert_eq!(events(&mut pair.server), [Event::Down(DownReason::TimedOut)]);
}

#[test]
fn a_peer_without_a_hello_is_dropped_after_the_time_limit() {
    let now = origin();
    let mut server = Link::new(now, Config::new(Role::Server, server_hello()));
    assert_eq!(server.poll_timeout(), Some(now + Duration::from_secs(40)));
    server.handle_timeout(now + Duration::from_secs(40));
    assert_eq!(events(&mut server), [Event::Down(DownReason::NoHello)]);
}

#[test]
fn versions_without_a_common_one_are_refused_by_both_in_the_same_words() {
    let newer = Hello { protocol: VersionRange { lowest: 3, highest: 4 }, ..base_hello() };
    let older = Hello { protocol: VersionRange { lowest: 1, highest: 2 }, ..server_hello() };
    let mut pair = Pair::new(newer, older);
    assert_eq!((pair.base.state(), pair.server.state()), (State::Refused, State::Refused));
    let words =
        "this base station speaks version 3 to 4 of the radio link, the server 1 to 2: update the server";
    for link in [&mut pair.base, &mut pair.server] {
        let told = events(link);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            matches!(&told[0], Event::Refused { reason: Refusal::NoCommonVersion, text, .. } if text == words),
            "{told:?}"
        );
    }
}

#[test]
fn two_servers_do_not_talk_to_each_other() {
    let now = origin();
    let mut left = Link::new(now, Config::new(Role::Server, server_hello()));
    let mut right = Link::new(now, Config::new(Role::Server, server_hello()));
    let mut buffer = BytesMut::new();
    assert!(left.poll_transmit(&mut buffer).is_some());
    assert_eq!(right.handle_input(now, Input::Bytes(&buffer)), Ok(()));
    assert!(matches!(
        events(&mut right)[..],
        [Event::Refused { by: Role::Server, reason: Refusal::SameRole, .. }]
    ));
}

#[test]
fn a_server_refuses_a_base_station_that_it_does_not_know() {
    let mut pair = Pair::up();
    pair.server.refuse(
        pair.now,
        Refusal::UnknownBaseStation,
        "base station 3 is not configured: add it first",
    );
    pair.settle();
    let expected = Event::Refused {
        by: Role::Server,
        reason: Refusal::UnknownBaseStation,
        text: "base station 3 is not configured: add it first".to_owned(),
    };
    assert_eq!(events(&mut pair.base), std::slice::from_ref(&expected));
    assert_eq!(events(&mut pair.server), [expected]);
}

#[test]
fn the_end_of_a_link_is_told_to_both_and_nothing_follows_it() {
    let mut pair = Pair::up();
    assert_eq!(pair.server.send(pair.now, Message::Page { bytes: Bytes::from_static(&[1, 2, 3]) }), Ok(()));
    pair.server.close(pair.now, Reason::ShutDown);
    assert_eq!(pair.server.send(pair.now, data(1)), Err(Error::NotUp));
    pair.settle();
    let down = Event::Down(DownReason::Closed { by: Role::Server, reason: Reason::ShutDown });
    let page = Event::Message(Message::Page { bytes: Bytes::from_static(&[1, 2, 3]) });
    assert_eq!(events(&mut pair.base), [page, down.clone()]);
    assert_eq!(events(&mut pair.server), [down]);
    assert_eq!(pair.base.handle_input(pair.now, Input::Bytes(&[0, 1, 4])), Ok(()));
    assert_eq!(events(&mut pair.base), []);
}

#[test]
fn a_lost_connection_is_told_once() {
    let mut pair = Pair::up();
    for _ in 0..3 {
        assert_eq!(pair.server.handle_input(pair.now, Input::Closed), Ok(()));
    }
    assert_eq!(events(&mut pair.server), [Event::Down(DownReason::ConnectionLost)]);
    assert_eq!(pair.server.state(), State::Closed);
}

#[test]
fn a_message_before_the_hello_ends_the_link() {
    let now = origin();
    let mut server = Link::new(now, Config::new(Role::Server, server_hello()));
    let mut hello = BytesMut::new();
    assert!(server.poll_transmit(&mut hello).is_some());
    let error = Error::Misbehaved { by: Role::BaseStation, rule: Rule::HelloFirst };
    assert_eq!(server.handle_input(now, Input::Bytes(&[0, 3, 0x40, 8, 8])), Err(error));
    assert_eq!(events(&mut server), [Event::Down(DownReason::Breach(error))]);
    let mut close = BytesMut::new();
    assert!(server.poll_transmit(&mut close).is_some());
    assert_eq!(close[..], [0, 2, 3, 3]);
}

#[test]
fn a_message_of_the_wrong_end_is_not_sent_and_not_taken() {
    let mut pair = Pair::up();
    let page = Message::Page { bytes: Bytes::from_static(&[1, 2, 3]) };
    assert_eq!(pair.base.send(pair.now, page), Err(Error::NotOurs));
    assert_eq!(pair.base.send(pair.now, Message::Heartbeat), Err(Error::NotOurs));
    let forged = [0, 6, 0x10, 0, 3, 1, 2, 3];
    let error = Error::Misbehaved { by: Role::BaseStation, rule: Rule::Direction };
    assert_eq!(pair.server.handle_input(pair.now, Input::Bytes(&forged)), Err(error));
    pair.settle();
    assert_eq!(
        events(&mut pair.base),
        [Event::Down(DownReason::Closed { by: Role::Server, reason: Reason::Breach })]
    );
}

#[test]
fn unknown_types_of_a_newer_edition_are_skipped_and_of_ours_refused() {
    let unknown = [0, 3, 0x7e, 1, 2, 0, 4, 0x40, 8, 5, 99];
    let newer = Hello { edition: 1, ..base_hello() };
    let mut pair = Pair::new(newer, server_hello());
    events(&mut pair.server);
    assert_eq!(pair.server.handle_input(pair.now, Input::Bytes(&unknown)), Ok(()));
    assert_eq!(events(&mut pair.server), [Event::Message(Message::Capacity { channels: 8, free: 5 })]);

    let mut pair = Pair::up();
    let error = Error::Malformed { at: 0, rule: Rule::UnknownType };
    assert_eq!(pair.server.handle_input(pair.now, Input::Bytes(&unknown)), Err(error));
    let mut pair = Pair::up();
    let error = Error::Malformed { at: 3, rule: Rule::OctetsLeft };
    assert_eq!(pair.server.handle_input(pair.now, Input::Bytes(&unknown[5..])), Err(error));
}

#[test]
fn a_peer_that_does_not_read_is_dropped_before_it_fills_the_memory() {
    let mut pair = Pair::up();
    let big = Message::Data { connection: ConnectionId(1), sdu: Bytes::from(vec![0; 2048]) };
    let mut sent = 0;
    let error = loop {
        match pair.server.send(pair.now, big.clone()) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!((100..=128).contains(&sent), "{sent} messages were kept");
    assert!(matches!(error, Error::Congested { .. }));
    assert_eq!(events(&mut pair.server), [Event::Down(DownReason::Congested)]);
    assert_eq!(pair.server.send(pair.now, big), Err(Error::NotUp));
}

#[test]
fn a_message_beyond_its_bounds_is_not_sent_and_harms_nothing() {
    let mut pair = Pair::up();
    let big = Message::Data { connection: ConnectionId(1), sdu: Bytes::from(vec![0; 2049]) };
    assert_eq!(pair.server.send(pair.now, big), Err(Error::Unsendable(Rule::FieldLength)));
    let page = Message::Page { bytes: Bytes::from_static(&[1, 2, 3, 4]) };
    assert_eq!(pair.server.send(pair.now, page), Err(Error::Unsendable(Rule::FieldLength)));
    let establish = Message::Establish { connection: ConnectionId(1), pmid: 0x10_0000, sdu: None };
    assert_eq!(pair.base.send(pair.now, establish), Err(Error::Unsendable(Rule::UnknownValue)));
    assert_eq!(pair.server.send(pair.now, data(9)), Ok(()));
    pair.settle();
    assert_eq!(events(&mut pair.base), [Event::Message(data(9))]);
}
