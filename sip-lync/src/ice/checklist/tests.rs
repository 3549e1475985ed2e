//! The order in which pairs are formed and checked.

use super::*;

fn local(
    component: u16,
    kind: Kind,
    transport: Transport,
    address: &str,
    priority: u32,
    foundation: u16,
) -> Local {
    let address = address.parse().unwrap();
    Local { component, transport, kind, address, base: address, related: None, priority, foundation }
}

fn remote(component: u16, transport: Transport, address: &str, priority: u32, foundation: &str) -> Remote {
    Remote {
        component,
        transport,
        kind: Kind::Host,
        address: address.parse().unwrap(),
        priority,
        foundation: foundation.into(),
        credentials: 0,
    }
}

#[test]
fn pairs_are_of_one_component_transport_and_family_and_the_best_of_each_foundation_starts() {
    let locals = [
        local(1, Kind::Host, Transport::Udp, "192.0.2.1:1000", 9, 1),
        local(2, Kind::Host, Transport::Udp, "192.0.2.1:1001", 8, 1),
        local(1, Kind::ServerReflexive, Transport::Udp, "203.0.113.1:1000", 7, 2),
        local(1, Kind::Host, Transport::TcpActive, "192.0.2.1:9", 6, 3),
        local(1, Kind::Host, Transport::TcpPassive, "192.0.2.1:1002", 5, 4),
        local(1, Kind::Host, Transport::Udp, "[2001:db8::1]:1000", 4, 5),
    ];
    let remotes = [
        remote(1, Transport::Udp, "198.51.100.1:1", 9, "a"),
        remote(2, Transport::Udp, "198.51.100.1:2", 8, "a"),
        remote(1, Transport::TcpPassive, "198.51.100.1:3", 7, "b"),
        remote(1, Transport::TcpActive, "198.51.100.1:9", 6, "c"),
        remote(1, Transport::Udp, "[2001:db8::2]:5", 5, "d"),
    ];
    let list = Checklist::form(&locals, &remotes, Role::Controlling);
    let formed: Vec<_> = list.pairs.iter().map(|p| (p.local, p.remote, p.state)).collect();
    assert_eq!(
        formed,
        [(0, 0, State::Waiting), (1, 1, State::Frozen), (3, 2, State::Waiting), (5, 4, State::Waiting)]
    );
}

#[test]
fn the_list_is_cut_at_its_limit_and_keeps_the_best() {
    let locals: Vec<_> = (1..=40)
        .map(|n| local(1, Kind::Host, Transport::Udp, &format!("192.0.2.1:{n}"), n, n as u16))
        .collect();
    let remotes: Vec<_> = (1..=40)
        .map(|n| remote(1, Transport::Udp, &format!("198.51.100.1:{n}"), n, &n.to_string()))
        .collect();
    let list = Checklist::form(&locals, &remotes, Role::Controlled);
    assert_eq!(list.pairs.len(), MOST_PAIRS);
    assert_eq!((list.pairs[0].local, list.pairs[0].remote), (39, 39));
}

#[test]
fn triggered_pairs_come_first_and_frozen_ones_last() {
    let locals = [
        local(1, Kind::Host, Transport::Udp, "192.0.2.1:1000", 9, 1),
        local(2, Kind::Host, Transport::Udp, "192.0.2.1:1001", 8, 1),
    ];
    let remotes = [
        remote(1, Transport::Udp, "198.51.100.1:1", 9, "a"),
        remote(2, Transport::Udp, "198.51.100.1:2", 8, "a"),
        remote(1, Transport::Udp, "198.51.100.1:3", 7, "b"),
    ];
    let mut list = Checklist::form(&locals, &remotes, Role::Controlling);
    for pair in &mut list.pairs {
        pair.checked = true;
    }
    list.step(2, Trigger::Requested, &locals, &remotes);
    assert_eq!(list.next(None, &locals, &remotes), Some(2), "the triggered one");
    list.step(2, Trigger::Check, &locals, &remotes);
    assert_eq!(list.next(None, &locals, &remotes), Some(0));
    list.step(0, Trigger::Check, &locals, &remotes);
    assert_eq!(list.pairs[1].state, State::Frozen);
    assert_eq!(list.next(None, &locals, &remotes), Some(1), "nothing else waits");
    assert_eq!(list.pairs[1].state, State::Waiting);
    list.step(1, Trigger::Check, &locals, &remotes);
    assert_eq!(list.next(None, &locals, &remotes), None);
}

#[test]
fn a_component_without_any_valid_pair_goes_before_the_nomination_of_another_and_only_once() {
    let locals = [
        local(1, Kind::Host, Transport::Udp, "192.0.2.1:1000", 9, 1),
        local(2, Kind::Host, Transport::Udp, "192.0.2.1:1001", 8, 1),
    ];
    let remotes = [
        remote(1, Transport::Udp, "198.51.100.1:1", 9, "a"),
        remote(2, Transport::Udp, "198.51.100.1:2", 8, "a"),
        remote(2, Transport::Udp, "198.51.100.1:3", 7, "b"),
    ];
    let mut list = Checklist::form(&locals, &remotes, Role::Controlling);
    let find =
        |list: &Checklist, remote: usize| list.pairs.iter().position(|p| usize::from(p.remote) == remote);
    let (first, second, third) = (find(&list, 0).unwrap(), find(&list, 1).unwrap(), find(&list, 2).unwrap());
    list.step(first, Trigger::Check, &locals, &remotes);
    list.step(first, Trigger::Answered, &locals, &remotes);
    list.pairs[first].nominating = true;
    list.step(first, Trigger::Nominate, &locals, &remotes);
    assert_eq!(list.next(None, &locals, &remotes), Some(second), "component 2 is behind");
    list.step(second, Trigger::Check, &locals, &remotes);
    assert_eq!(list.next(None, &locals, &remotes), Some(first), "the nomination waits for one check");
    assert_eq!(list.next(None, &locals, &remotes), Some(third));
}

#[test]
fn checks_of_the_peer_add_sixteen_pairs_for_one_candidate_of_ours_and_leave_room_for_the_others() {
    let locals = [
        local(1, Kind::Host, Transport::Udp, "192.0.2.1:1000", 9, 1),
        local(1, Kind::Host, Transport::Udp, "192.0.2.2:1000", 8, 2),
    ];
    let other = remote(1, Transport::Udp, "198.51.100.1:1", 9, "a");
    let mut list = Checklist::default();
    let mut learn = |at: usize, count: usize| {
        (0..count)
            .filter(|n| list.learn(Pair::new(at, &locals[at], *n, &other, Role::Controlled)).is_some())
            .count()
    };
    assert_eq!((learn(0, 100), learn(1, 5)), (16, 5));
}
