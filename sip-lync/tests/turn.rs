//! Clients and relays on a network of their own, in virtual time.

mod turn_network;

use std::time::Duration;

use sip_lync::stun::{
    AdmissionControl, Attribute, AttributeType, Builder, Class, Dialect, IntegrityKey, Location,
    LocationProfile, Message, Method, PathResponse, ReservationAmount, ServiceQuality, StreamKind,
    TransactionId,
};
use sip_lync::turn::server::{
    Config as ServerConfig, Event as ServerEvent, Input as ServerInput, Path, Server,
};
use sip_lync::turn::{
    AdmissionAnswer, AdmissionRequest, AllocationNumber, Client, ClientConfig, Credentials, Event, Failure,
    HEADROOM, Input, Service, State, TAILROOM, Transport, Warm,
};
use sip_lync::{Breach, Error, Refusal, Seed};
use turn_network::{CLIENT, Network, OTHER, PEER, SERVER, credentials, start};

#[test]
fn an_allocation_takes_two_round_trips_and_relays_both_ways() {
    for transport in [Transport::Udp, Transport::PseudoTls] {
        let mut network = Network::new(transport);
        network.client.allocate(network.now).unwrap();
        network.run();
        let Event::Allocated { relayed, reflexive, lifetime } = network.event() else { panic!() };
        assert_eq!(reflexive, Some(CLIENT));
        assert_eq!(lifetime, Duration::from_mins(10));
        assert_eq!(network.requests, 2, "{transport:?}");

        // Nobody is let in before he was written to.
        network.peer_sends(relayed, PEER, b"early");
        network.run();
        assert_eq!(network.client.poll_event(), None);

        network.client.permit(network.now, PEER).unwrap();
        assert_eq!(network.event(), Event::Permitted { peer: PEER.ip() });
        network.client.send(network.now, PEER, b"hello").unwrap();
        network.run();
        assert_eq!(network.at_peers.pop(), Some((relayed, PEER, b"hello".to_vec())));
        network.peer_sends(relayed, PEER, b"answer");
        network.run();
        assert_eq!(network.event(), Event::Data { peer: PEER, data: "answer".into() });
        network.peer_sends(relayed, OTHER, b"stranger");
        network.run();
        assert_eq!(network.client.poll_event(), None);

        // The short path: nothing is wrapped any more.
        network.client.bind(network.now, PEER).unwrap();
        network.run();
        assert_eq!(network.event(), Event::Bound { peer: PEER });
        let before = network.octets_to_server;
        network.client.send(network.now, PEER, b"0123456789").unwrap();
        network.run();
        assert_eq!(network.at_peers.pop(), Some((relayed, PEER, b"0123456789".to_vec())));
        let head = if transport == Transport::Udp { 0 } else { 4 };
        assert_eq!(network.octets_to_server - before, 10 + head);
        network.peer_sends(relayed, PEER, b"short");
        network.run();
        assert_eq!(network.event(), Event::Data { peer: PEER, data: "short".into() });

        network.client.release(network.now);
        network.run();
        assert_eq!(network.last_event(), Some(Event::Released));
        assert_eq!(network.server.state().allocations, 0);
        assert!(network.relays.is_empty());
    }
}

#[test]
fn an_allocation_is_prolonged_until_the_client_is_gone() {
    let mut network = Network::new(Transport::Udp);
    network.client.allocate(network.now).unwrap();
    network.run();
    network.run_for(Duration::from_hours(4));
    assert_eq!(network.client.state(), State::Standing);
    assert_eq!(network.server.state().allocations, 1);
    network.cut = true;
    network.run_for(Duration::from_secs(700));
    assert_eq!(network.last_event(), Some(Event::Lost(Failure::TimedOut)));
    assert_eq!(network.server.state().allocations, 0);
}

#[test]
fn lost_datagrams_are_sent_again() {
    for lost in 1..6 {
        let mut network = Network::new(Transport::Udp);
        network.lose = lost;
        network.client.allocate(network.now).unwrap();
        network.run_for(Duration::from_secs(40));
        assert!(matches!(network.event(), Event::Allocated { .. }), "{lost} lost");
    }
    let mut network = Network::new(Transport::Udp);
    network.cut = true;
    network.client.allocate(network.now).unwrap();
    network.run_for(Duration::from_secs(40));
    assert_eq!(network.last_event(), Some(Event::Failed(Failure::TimedOut)));
    // RFC 8489 6.2.1: seven transmissions, 39.5 seconds.
    assert_eq!(network.sent_by_client, 7);
}

#[test]
fn a_wrong_password_is_told_apart_from_silence() {
    let mut network = Network::new(Transport::Udp);
    let wrong = Credentials::new(credentials().username(), b"wrong");
    network.client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, wrong), Seed([4; 32]));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert_eq!(network.last_event(), Some(Event::Failed(Failure::Credentials(431))));
    let stranger = Credentials::new(b"nobody", b"wrong");
    network.client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, stranger), Seed([4; 32]));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert_eq!(network.last_event(), Some(Event::Failed(Failure::Credentials(436))));
}

#[test]
fn a_user_name_that_ends_in_a_quote_and_a_zero_is_hashed_as_it_is() {
    let mut network = Network::new(Transport::Udp);
    let raw = Credentials::new(b"\"\x00raw\"\x00", b"\"password\"\x00");
    network.server.admit(raw.clone(), None);
    network.client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, raw), Seed([4; 32]));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert!(matches!(network.event(), Event::Allocated { .. }));
}

#[test]
fn credentials_that_ran_out_are_not_taken() {
    let mut network = Network::new(Transport::Udp);
    network.server.admit(credentials(), network.now.checked_add(Duration::from_secs(10)));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert!(matches!(network.event(), Event::Allocated { .. }));
    network.run_for(Duration::from_secs(700));
    assert_eq!(network.last_event(), Some(Event::Lost(Failure::Credentials(436))));
}

#[test]
fn spoofed_answers_are_not_taken() {
    let mut network = Network::new(Transport::Udp);
    network.client.allocate(network.now).unwrap();
    network.run();
    let Event::Allocated { .. } = network.event() else { panic!() };
    // The refresh: its transaction is known to one who listens, the key is not.
    network.deaf = true;
    network.run_for(Duration::from_secs(541));
    let request = network.last_from_client.clone().unwrap();
    let transaction = Message::parse(Dialect::MsTurn, &request).unwrap().transaction();
    for key in [None, Some(IntegrityKey::short_term(b"guess"))] {
        let mut buffer = [0; 200];
        let mut builder =
            Builder::new(&mut buffer, Dialect::MsTurn, Class::Success, Method::Allocate, transaction);
        builder.push(&Attribute::Lifetime(0)).push(&Attribute::MappedAddress(OTHER));
        let forged = builder.finish(key.as_ref(), None).unwrap();
        let from_server =
            network.client.handle_input(network.now, Input::Datagram { from: SERVER, octets: forged });
        assert_eq!(from_server, Err(Error::Misbehaved(Breach::NotFromServer)));
        let elsewhere =
            network.client.handle_input(network.now, Input::Datagram { from: OTHER, octets: forged });
        assert_eq!(elsewhere, Err(Error::Misbehaved(Breach::NotFromServer)));
    }
    // A refusal without proof does not end it either.
    let mut buffer = [0; 200];
    let mut builder = Builder::new(&mut buffer, Dialect::MsTurn, Class::Error, Method::Allocate, transaction);
    builder.push(&Attribute::ErrorCode(sip_lync::stun::ErrorCode::new(437, "gone")));
    let forged = builder.finish(None, None).unwrap();
    assert!(
        network.client.handle_input(network.now, Input::Datagram { from: SERVER, octets: forged }).is_err()
    );
    assert_eq!(network.client.state(), State::Refreshing);
    network.deaf = false;
    network.run_for(Duration::from_secs(30));
    assert_eq!(network.client.state(), State::Standing);
}

#[test]
fn who_has_no_proof_gets_fewer_than_three_octets_for_one_and_costs_no_memory() {
    let mut network = Network::new(Transport::Udp);
    let before = network.server.clone();
    let (mut sent, mut received) = (0_usize, 0_usize);
    let mut worst = 0.0_f64;
    for round in 0..2000_u32 {
        let mut random = [0; 16];
        random[..4].copy_from_slice(&round.to_be_bytes());
        let transaction = TransactionId::new(Dialect::MsTurn, random);
        let mut buffer = [0; 600];
        let method = [Method::Allocate, Method::SetActiveDestination, Method::Send][round as usize % 3];
        let mut builder = Builder::new(&mut buffer, Dialect::MsTurn, Class::Request, method, transaction);
        if round % 2 == 0 {
            builder.push(&Attribute::MsVersion(1));
        }
        if round % 5 == 0 {
            builder
                .push(&Attribute::Username(b"u"))
                .push(&Attribute::Realm(b"r"))
                .push(&Attribute::Nonce(b"n"));
        }
        let key = (round % 10 == 0).then(|| IntegrityKey::short_term(b"guess"));
        let octets = builder.finish(key.as_ref(), None).unwrap();
        let from = std::net::SocketAddr::new(OTHER.ip(), 1000 + (round % 50_000) as u16);
        drop(network.server.handle_input(network.now, ServerInput::Datagram { from, octets }));
        let mut answer = bytes::BytesMut::new();
        while network.server.poll_transmit(&mut answer).is_some() {}
        assert_eq!(network.server.poll_event(), None);
        sent += octets.len();
        received += answer.len();
        worst = worst.max(answer.len() as f64 / octets.len() as f64);
    }
    assert!(worst < 3.0, "{worst}");
    assert!(received < 2 * sent, "{received} for {sent}");
    assert_eq!(network.server.state(), before.state());
}

#[test]
fn a_replayed_send_request_is_relayed_once() {
    let mut network = Network::new(Transport::Udp);
    network.client.allocate(network.now).unwrap();
    network.run();
    network.client.send(network.now, PEER, b"once").unwrap();
    network.run();
    let replayed = network.last_from_client.clone().unwrap();
    for _ in 0..5 {
        drop(
            network
                .server
                .handle_input(network.now, ServerInput::Datagram { from: CLIENT, octets: &replayed }),
        );
    }
    network.run();
    assert_eq!(network.at_peers.len(), 1);
    // From another address it is nothing at all.
    drop(network.server.handle_input(network.now, ServerInput::Datagram { from: OTHER, octets: &replayed }));
    network.run();
    assert_eq!(network.at_peers.len(), 1);
}

#[test]
fn a_server_that_sends_in_circles_is_left() {
    let mut client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials()), Seed([4; 32]));
    let now = start();
    client.allocate(now).unwrap();
    let mut rounds = 0;
    loop {
        let mut buffer = bytes::BytesMut::new();
        let Some(transmit) = client.poll_transmit(&mut buffer) else { break };
        rounds += 1;
        let request = Message::parse(Dialect::MsTurn, &buffer).unwrap();
        let mut answer = [0; 200];
        let mut builder =
            Builder::new(&mut answer, Dialect::MsTurn, Class::Error, Method::Allocate, request.transaction());
        let next = if rounds % 2 == 0 { SERVER } else { OTHER };
        builder
            .push(&Attribute::ErrorCode(sip_lync::stun::ErrorCode::new(300, "Try Alternate")))
            .push(&Attribute::AlternateServer(next));
        let octets = builder.finish(None, None).unwrap();
        drop(client.handle_input(now, Input::Datagram { from: transmit.destination, octets }));
    }
    assert_eq!(rounds, 4);
    assert_eq!(client.poll_event(), Some(Event::Failed(Failure::Redirected)));
}

#[test]
fn a_challenge_names_the_server_that_is_asked_next() {
    let mut client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials()), Seed([4; 32]));
    let now = start();
    client.allocate(now).unwrap();
    let mut buffer = bytes::BytesMut::new();
    client.poll_transmit(&mut buffer).unwrap();
    let first = Message::parse(Dialect::MsTurn, &buffer).unwrap();
    let mut answer = [0; 200];
    let mut builder =
        Builder::new(&mut answer, Dialect::MsTurn, Class::Error, Method::Allocate, first.transaction());
    builder
        .push(&Attribute::ErrorCode(sip_lync::stun::ErrorCode::new(401, "")))
        .push(&Attribute::Realm(b"\"rtcmedia\""))
        .push(&Attribute::Nonce(b"\"abc\""))
        .push(&Attribute::AlternateServer(OTHER));
    let octets = builder.finish(None, None).unwrap();
    client.handle_input(now, Input::Datagram { from: SERVER, octets }).unwrap();
    let mut buffer = bytes::BytesMut::new();
    let transmit = client.poll_transmit(&mut buffer).unwrap();
    assert_eq!(transmit.destination, OTHER);
    let second = Message::parse(Dialect::MsTurn, &buffer).unwrap();
    // Realm and nonce come back as they were written, with quotes; the key is made without.
    assert_eq!(second.value(AttributeType::MS_REALM), Some(&b"\"rtcmedia\""[..]));
    assert_eq!(second.value(AttributeType::MS_NONCE), Some(&b"\"abc\""[..]));
    let key = credentials().key(b"rtcmedia");
    assert_eq!(second.integrity(&key), sip_lync::stun::Integrity::Genuine);
}

#[test]
fn a_packet_is_wrapped_where_it_stands() {
    let mut network = Network::new(Transport::Udp);
    network.client.allocate(network.now).unwrap();
    network.run();
    let mut packet = vec![0; HEADROOM + 172 + TAILROOM];
    packet[HEADROOM..HEADROOM + 172].fill(0x5a);
    let range = network.client.wrap(PEER, &mut packet, HEADROOM..HEADROOM + 172).unwrap();
    let message = Message::parse(Dialect::MsTurn, &packet[range]).unwrap();
    assert_eq!(message.value(AttributeType::DATA), Some(&[0x5a; 172][..]));
    let mut tight = [0; 172];
    assert_eq!(network.client.wrap(PEER, &mut tight, 0..172), Err(Refusal::BufferTooSmall));
    network.client.bind(network.now, PEER).unwrap();
    network.run();
    assert_eq!(network.client.wrap(PEER, &mut tight, 0..172), Ok(0..172));
    let received = [0x80; 172];
    assert_eq!(network.client.unwrap(SERVER, &received), Some((PEER, &received[..])));
    assert_eq!(network.client.unwrap(OTHER, &received), None);
}

#[test]
fn a_relay_has_its_limits() {
    let mut config = ServerConfig::new(SERVER, SERVER.ip());
    config.ports = 50_000..=50_001;
    config.peers_max = 3;
    let mut network = Network::with(Transport::Udp, config);
    network.client.allocate(network.now).unwrap();
    network.run();
    let Event::Allocated { .. } = network.event() else { panic!() };
    for last in 1..=10_u8 {
        let peer = std::net::SocketAddr::from(([198, 51, 100, last], 5000));
        network.client.send(network.now, peer, b"x").unwrap();
    }
    network.run();
    assert_eq!(network.at_peers.len(), 3);
    network.client.bind(network.now, OTHER).unwrap();
    network.run();
    assert_eq!(network.last_event(), Some(Event::BindRefused { peer: OTHER, code: 486 }));
    // The second port goes to the second client, the third gets none.
    let more = |network: &mut Network| {
        network.client_address.set_port(network.client_address.port() + 1);
        let config = ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials());
        network.client = Client::new(config, Seed([9; 32]));
        network.client.allocate(network.now).unwrap();
        network.run();
        network.last_event()
    };
    assert!(matches!(more(&mut network), Some(Event::Allocated { .. })));
    assert_eq!(more(&mut network), Some(Event::Failed(Failure::Refused(508))));
}

#[test]
fn a_user_has_as_many_allocations_as_the_server_allows_him() {
    let mut config = ServerConfig::new(SERVER, SERVER.ip());
    config.allocations_per_user = 1;
    let mut network = Network::with(Transport::Udp, config);
    network.client.allocate(network.now).unwrap();
    network.run();
    assert!(matches!(network.event(), Event::Allocated { .. }));
    network.client_address.set_port(network.client_address.port() + 1);
    network.client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials()), Seed([9; 32]));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert_eq!(network.last_event(), Some(Event::Failed(Failure::Refused(486))));
    assert_eq!(network.server.state().allocations, 1);
}

#[test]
fn nobody_prolongs_or_ends_the_allocation_of_another_user() {
    let mut network = Network::new(Transport::Udp);
    network.client.allocate(network.now).unwrap();
    network.run();
    assert!(matches!(network.event(), Event::Allocated { .. }));
    let other = Credentials::new(b"other", b"other's password");
    network.server.admit(other.clone(), None);
    // From the same address and port: what a rewriting gateway makes of a second client.
    network.client =
        Client::new(ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, other), Seed([9; 32]));
    network.client.allocate(network.now).unwrap();
    network.run();
    assert_eq!(network.last_event(), Some(Event::Failed(Failure::Credentials(436))));
    assert_eq!(network.server.state().allocations, 1);
}

#[test]
fn a_port_that_is_taken_is_passed_over() {
    let mut network = Network::new(Transport::Udp);
    network.taken_ports = 3;
    network.client.allocate(network.now).unwrap();
    network.run();
    let Event::Allocated { relayed, .. } = network.event() else { panic!() };
    assert_eq!(relayed.port(), 50_003);
}

#[test]
fn a_connection_that_says_nothing_or_nonsense_is_closed() {
    let mut network = Network::new(Transport::Udp);
    let number = sip_lync::turn::server::ConnectionNumber(9);
    let connected = ServerInput::Connected { connection: number, from: OTHER };
    network.server.handle_input(network.now, connected).unwrap();
    network.now += Duration::from_secs(31);
    network.server.handle_timeout(network.now);
    assert_eq!(network.server.poll_event(), Some(ServerEvent::Disconnect { connection: number }));
    network.server.handle_input(network.now, connected).unwrap();
    let nonsense = ServerInput::Bytes { connection: number, octets: b"GET / HTTP/1.1\r\n" };
    assert!(network.server.handle_input(network.now, nonsense).is_err());
    assert_eq!(network.server.poll_event(), Some(ServerEvent::Disconnect { connection: number }));
    assert_eq!(network.server.state().connections, 0);
}

#[test]
fn a_client_that_hangs_up_loses_its_allocation() {
    let mut network = Network::new(Transport::PseudoTls);
    network.client.allocate(network.now).unwrap();
    network.run();
    assert_eq!(network.server.state().allocations, 1);
    let gone = ServerInput::Disconnected { connection: turn_network::CONNECTION };
    network.server.handle_input(network.now, gone).unwrap();
    network.client.handle_input(network.now, Input::Closed).unwrap();
    network.run();
    assert_eq!(network.server.state().allocations, 0);
    assert_eq!(network.last_event(), Some(Event::Lost(Failure::Closed)));
    let _ = Path::Connection(turn_network::CONNECTION);
}

/// Carries the answer for a question about bandwidth.
fn ask(network: &mut Network, asked: AdmissionRequest) -> AdmissionAnswer {
    network.client.admission(network.now, asked).unwrap();
    network.run();
    match network.event() {
        Event::Admission(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bandwidth_is_checked_committed_and_updated_on_the_allocation() {
    let mut config = ServerConfig::new(SERVER, SERVER.ip());
    config.bandwidth = Some(150);
    config.pstn_failover = true;
    let mut network = Network::with(Transport::Udp, config);
    network.client.allocate(network.now).unwrap();
    network.run();
    let Event::Allocated { relayed, .. } = network.event() else { panic!() };
    let amount = ReservationAmount { max_send: 100, min_send: 40, max_receive: 100, min_receive: 40 };
    let mut asked = AdmissionRequest::new(AdmissionControl::Check);
    asked.amount = Some(amount);
    asked.remote_site = Some(PEER);
    asked.remote_relay = Some(OTHER);
    asked.local_site = Some(CLIENT);
    asked.local_relay = Some(relayed);
    asked.quality = Some(ServiceQuality { stream: StreamKind::Audio, reliable: false });
    asked.location =
        Some(LocationProfile { peer: Location::Intranet, own: Location::Intranet, federation: 0 });
    asked.call_id = b"1@fe".to_vec();
    let answer = ask(&mut network, asked.clone());
    let path = PathResponse { valid: true, pstn_failover: false, max_send: 100, max_receive: 100 };
    assert_eq!((answer.local_site, answer.local_relay), (Some(path), Some(path)));
    assert_eq!((answer.remote_site, answer.remote_relay), (Some(path), Some(path)));
    assert_eq!(network.server.state().reserved, 0);

    asked.message = AdmissionControl::Commit;
    let committed = ask(&mut network, asked.clone());
    assert_eq!(committed.amount, Some(amount));
    assert_eq!(network.server.state().reserved, 100);

    // What is left is enough for the least, not for the most.
    asked.message = AdmissionControl::Check;
    let answer = ask(&mut network, asked.clone());
    assert_eq!(answer.local_site.unwrap().max_send, 50);
    asked.amount = Some(ReservationAmount { max_send: 100, min_send: 60, max_receive: 100, min_receive: 60 });
    let answer = ask(&mut network, asked.clone());
    let refused = PathResponse { valid: false, pstn_failover: true, max_send: 0, max_receive: 0 };
    assert_eq!((answer.local_site, answer.remote_site), (Some(refused), Some(refused)));

    // Less is given back to the link; a foreign reservation is left alone.
    let mut update = AdmissionRequest::new(AdmissionControl::Update);
    update.reservation = committed.reservation;
    update.amount = Some(ReservationAmount { max_send: 64, min_send: 40, max_receive: 64, min_receive: 40 });
    assert_eq!(ask(&mut network, update.clone()).amount.unwrap().max_send, 64);
    assert_eq!(network.server.state().reserved, 64);
    update.reservation = Some([9; 16]);
    network.client.admission(network.now, update).unwrap();
    network.run();
    assert_eq!(network.event(), Event::AdmissionRefused { code: 0 });
    network.client.release(network.now);
    network.run();
    assert_eq!(network.server.state().reserved, 0);
}

#[test]
fn an_incomplete_question_is_an_allocation_and_no_more() {
    let mut config = ServerConfig::new(SERVER, SERVER.ip());
    config.bandwidth = Some(150);
    let mut network = Network::with(Transport::PseudoTls, config);
    network.client.allocate(network.now).unwrap();
    network.run();
    network.last_event();
    for message in [AdmissionControl::Check, AdmissionControl::Commit, AdmissionControl::Update] {
        network.client.admission(network.now, AdmissionRequest::new(message)).unwrap();
        network.run();
        assert_eq!(network.event(), Event::AdmissionRefused { code: 0 });
    }
    assert_eq!(network.client.state(), State::Standing);
}

#[test]
fn allocations_are_warm_before_they_are_needed_and_go_to_one_call_each() {
    let mut server = Server::new(ServerConfig::new(SERVER, SERVER.ip()), Seed([1; 32]));
    server.admit(credentials(), None);
    let config = ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials());
    let mut warm = Warm::new(config, 3, Seed([5; 32]));
    let mut now = start();
    let mut events = Vec::new();
    let run = |warm: &mut Warm, server: &mut Server, now, events: &mut Vec<Event>| {
        loop {
            let mut moved = false;
            let mut buffer = bytes::BytesMut::new();
            while let Some((number, transmit)) = warm.poll_transmit(&mut buffer) {
                moved = true;
                let octets = buffer.split_to(transmit.len);
                let from = std::net::SocketAddr::new(CLIENT.ip(), 10_000 + number.0 as u16);
                drop(server.handle_input(now, ServerInput::Datagram { from, octets: &octets }));
            }
            while let Some(event) = server.poll_event() {
                if let ServerEvent::OpenRelay { relay } = event {
                    server.handle_input(now, ServerInput::RelayOpened { relay }).unwrap();
                }
            }
            while let Some(transmit) = server.poll_transmit(&mut buffer) {
                moved = true;
                let octets = buffer.split_to(transmit.len);
                if let Path::Datagram(to) = transmit.path {
                    let number = AllocationNumber(u32::from(to.port() - 10_000));
                    drop(warm.handle_input(now, number, Input::Datagram { from: SERVER, octets: &octets }));
                }
            }
            while let Some((_, event)) = warm.poll_event(now) {
                moved = true;
                events.push(event);
            }
            if !moved {
                return;
            }
        }
    };
    warm.handle_timeout(now);
    run(&mut warm, &mut server, now, &mut events);
    assert_eq!((warm.free(), server.state().allocations), (3, 3));
    // A call takes one at once, and the next one is on its way.
    let first = warm.take(now).unwrap();
    let second = warm.take(now).unwrap();
    assert_ne!(first, second);
    assert!(warm.client(first).unwrap().relayed().is_some());
    run(&mut warm, &mut server, now, &mut events);
    assert_eq!((warm.free(), server.state().allocations), (3, 5));
    // They stay warm for a day.
    let end = now + Duration::from_hours(24);
    while let Some(next) = warm.poll_timeout().filter(|next| *next <= end) {
        now = now.max(next);
        warm.handle_timeout(now);
        server.handle_timeout(now);
        run(&mut warm, &mut server, now, &mut events);
    }
    assert_eq!((warm.free(), server.state().allocations), (3, 5));
    warm.give_back(now, first);
    warm.give_back(now, second);
    run(&mut warm, &mut server, now, &mut events);
    assert_eq!((warm.free(), server.state().allocations), (3, 3));
    assert!(warm.client(first).is_none());
    assert!(!events.iter().any(|event| matches!(event, Event::Lost(_) | Event::Failed(_))));
}

#[test]
fn credentials_that_are_refused_are_not_tried_again_at_once() {
    let mut server = Server::new(ServerConfig::new(SERVER, SERVER.ip()), Seed([1; 32]));
    let config = ClientConfig::new(SERVER, Service::MsTurn, Transport::Udp, credentials());
    let mut warm = Warm::new(config.clone(), 1, Seed([5; 32]));
    let now = start();
    let mut asked = 0;
    let attempt = |warm: &mut Warm, server: &mut Server, asked: &mut u32, now: std::time::Instant| {
        warm.handle_timeout(now);
        for _ in 0..10 {
            let mut buffer = bytes::BytesMut::new();
            while let Some((number, transmit)) = warm.poll_transmit(&mut buffer) {
                *asked += 1;
                let octets = buffer.split_to(transmit.len);
                drop(server.handle_input(now, ServerInput::Datagram { from: CLIENT, octets: &octets }));
                let mut answer = bytes::BytesMut::new();
                while server.poll_transmit(&mut answer).is_some() {}
                drop(warm.handle_input(now, number, Input::Datagram { from: SERVER, octets: &answer }));
                while warm.poll_event(now).is_some() {}
            }
        }
    };
    attempt(&mut warm, &mut server, &mut asked, now);
    attempt(&mut warm, &mut server, &mut asked, now);
    assert_eq!(asked, 2);
    // Not after the wait of other failures either: a directory would lock the account.
    attempt(&mut warm, &mut server, &mut asked, now + Duration::from_mins(4));
    assert_eq!(asked, 2);
    let later = now + Duration::from_mins(4);
    warm.renew(later, config);
    attempt(&mut warm, &mut server, &mut asked, later);
    assert_eq!(asked, 4);
}
