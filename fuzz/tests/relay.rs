//! STUN messages in every dialect, streams of them, and a client and a relay of MS-TURN against damaged peers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use fuzz::{Damage, ROUNDS, damaged};
use sip_lync::Seed;
use sip_lync::stun::{
    Attribute, Builder, Class, Dialect, Framing, IntegrityKey, Message, Method, StreamReader, Table,
    TransactionId, demultiplex,
};
use sip_lync::turn::server::{Config, ConnectionNumber, Input as ServerInput, Server};
use sip_lync::turn::{
    Client, ClientConfig, Credentials, HEADROOM, Input, Service, TAILROOM, Transport, mras, pseudo_tls,
};

const DIALECTS: [Dialect; 5] =
    [Dialect::Rfc8489, Dialect::MsIce2, Dialect::Draft06, Dialect::MsTurn, Dialect::Rfc3489];

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 10], 3478);
const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], 4000);
const PEER: ([u8; 4], u16) = ([192, 0, 2, 77], 7000);

fn sample(dialect: Dialect, method: Method) -> Vec<u8> {
    let mut buffer = [0; 400];
    let transaction = TransactionId::new(dialect, [0x5a; 16]);
    let mut builder = Builder::new(&mut buffer, dialect, Class::Request, method, transaction);
    builder
        .push(&Attribute::Username(b"user:name"))
        .push(&Attribute::XorMappedAddress(SERVER.into()))
        .push(&Attribute::Realm(b"\"rtcmedia\""))
        .push(&Attribute::Nonce(b"\"0123\""))
        .push(&Attribute::Data(b"hello"));
    let table = dialect.has_cookie().then_some(Table::Correct);
    builder.finish(Some(&IntegrityKey::short_term(b"password")), table).expect("it fits").to_vec()
}

#[test]
fn messages_never_panic_and_typed_attributes_come_back() {
    let samples: Vec<Vec<u8>> = DIALECTS.map(|dialect| sample(dialect, Method::Binding)).to_vec();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let key = IntegrityKey::short_term(b"password");
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let octets = damaged(&samples, damage);
        let _ = demultiplex(&octets);
        for dialect in DIALECTS {
            let Ok(message) = Message::parse(dialect, &octets) else { continue };
            let _ =
                (message.fingerprint_holds(), message.integrity(&key), message.unknown_required().count());
            let mut buffer = vec![0; octets.len() * 2 + 100];
            let mut builder =
                Builder::new(&mut buffer, dialect, message.class(), message.method(), message.transaction());
            let attributes: Vec<Attribute<'_>> = message
                .attributes()
                .flatten()
                .filter(|attribute| !matches!(attribute, Attribute::MagicCookie | Attribute::Fingerprint(_)))
                .take_while(|attribute| !matches!(attribute, Attribute::MessageIntegrity(_)))
                .collect();
            for attribute in &attributes {
                builder.push(attribute);
            }
            let Ok(written) = builder.finish(None, None) else { continue };
            let again = Message::parse(dialect, written).expect("what we write we read");
            let read: Vec<Attribute<'_>> = again
                .attributes()
                .flatten()
                .filter(|attribute| !matches!(attribute, Attribute::MagicCookie))
                .collect();
            assert_eq!(read, attributes, "{dialect:?}");
        }
    });
}

#[test]
fn streams_give_frames_or_end_and_never_more_than_came() {
    let samples: Vec<Vec<u8>> = DIALECTS
        .map(|dialect| {
            let message = sample(dialect, Method::Allocate);
            [&[2, 0][..], &(message.len() as u16).to_be_bytes(), &message].concat()
        })
        .to_vec();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    bolero::check!().with_type::<(Damage, u8)>().with_iterations(ROUNDS).for_each(|(damage, piece)| {
        let octets = damaged(&samples, damage);
        for framing in [Framing::Rfc4571, Framing::Turn, Framing::MsTurn] {
            let mut reader = StreamReader::new(framing);
            let mut given = 0;
            'stream: for piece in octets.chunks(usize::from(*piece).max(1)) {
                reader.push(piece);
                loop {
                    match reader.next_frame() {
                        Ok(Some((_, frame))) => given += frame.len(),
                        Ok(None) => break,
                        Err(_) => break 'stream,
                    }
                }
            }
            assert!(given + reader.waiting() <= octets.len());
        }
        for hello in [pseudo_tls::Hello::Client, pseudo_tls::Hello::Server] {
            let _ = pseudo_tls::read_hello(hello, &octets);
        }
    });
}

#[test]
fn credential_documents_never_panic_and_come_back() {
    let request = mras::CredentialsRequest {
        request_id: 7,
        from: "sip:u@example.com".to_owned(),
        to: "sip:mras@example.com".to_owned(),
        identity: "sip:u@example.com".to_owned(),
        location: mras::Location::Internet,
        minutes: 480,
    };
    let response = mras::CredentialsResponse {
        request_id: 7,
        reason: "OK".to_owned(),
        credentials: Some(Credentials::new(b"name", b"password")),
        minutes: 480,
        relays: Vec::new(),
    };
    let samples = [request.to_body(), response.to_body(b"password")];
    let samples = samples.each_ref().map(String::as_bytes);
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let body = damaged(&samples, damage);
        if let Ok(request) = mras::CredentialsRequest::parse(&body) {
            let again = mras::CredentialsRequest::parse(request.to_body().as_bytes());
            // White space and control characters of attributes are not kept by XML.
            assert!(again.is_ok() || request.to_body().chars().any(char::is_control));
        }
        let _ = mras::CredentialsResponse::parse(&body);
    });
}

fn start() -> Instant {
    Instant::now()
}

/// A client and a relay that know each other, and what they last said.
struct Pair {
    client: Client,
    server: Server,
    said: Vec<Vec<u8>>,
}

impl Pair {
    fn new(now: Instant, service: Service) -> Self {
        let credentials = Credentials::new(b"user", b"password");
        let mut server =
            Server::new(Config::new(SERVER.into(), SocketAddr::from(SERVER).ip()), Seed([1; 32]));
        server.admit(credentials.clone(), None);
        let config = ClientConfig::new(SERVER.into(), service, Transport::Udp, credentials);
        let mut pair = Self { client: Client::new(config, Seed([2; 32])), server, said: Vec::new() };
        pair.client.allocate(now).expect("it is idle");
        pair.carry(now);
        drop(pair.client.send(now, PEER.into(), b"hello"));
        drop(pair.client.bind(now, PEER.into()));
        pair.carry(now);
        pair
    }

    fn carry(&mut self, now: Instant) {
        for _ in 0..6 {
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len).to_vec();
                let input = ServerInput::Datagram { from: CLIENT.into(), octets: &octets };
                drop(self.server.handle_input(now, input));
                self.said.push(octets);
            }
            while let Some(event) = self.server.poll_event() {
                if let sip_lync::turn::server::Event::OpenRelay { relay } = event {
                    drop(self.server.handle_input(now, ServerInput::RelayOpened { relay }));
                }
            }
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len).to_vec();
                drop(self.client.handle_input(now, Input::Datagram { from: SERVER.into(), octets: &octets }));
                self.said.push(octets);
            }
            while self.client.poll_event().is_some() {}
        }
    }
}

#[test]
fn a_client_and_a_relay_survive_any_peer_within_bounds() {
    let now = start();
    let good = Pair::new(now, Service::MsTurn);
    let samples: Vec<&[u8]> = good.said.iter().map(Vec::as_slice).collect();
    assert!(samples.len() > 6);
    bolero::check!().with_type::<(Damage, u8, u16)>().with_iterations(ROUNDS).for_each(
        |(damage, whom, later)| {
            let octets = damaged(&samples, damage);
            let now = now + Duration::from_secs(u64::from(*later));
            let mut server = good.server.clone();
            let mut client = good.client.clone();
            let connection = ConnectionNumber(1);
            let relay = SocketAddr::from((SERVER.0, 50_000));
            match whom % 5 {
                0 => drop(
                    server.handle_input(now, ServerInput::Datagram { from: CLIENT.into(), octets: &octets }),
                ),
                1 => drop(
                    server.handle_input(now, ServerInput::Datagram { from: PEER.into(), octets: &octets }),
                ),
                2 => {
                    let input = ServerInput::Relayed { relay, peer: PEER.into(), octets: &octets };
                    drop(server.handle_input(now, input));
                }
                3 => {
                    drop(server.handle_input(now, ServerInput::Connected { connection, from: PEER.into() }));
                    drop(server.handle_input(now, ServerInput::Bytes { connection, octets: &octets }));
                }
                _ => drop(client.handle_input(now, Input::Datagram { from: SERVER.into(), octets: &octets })),
            }
            server.handle_timeout(now);
            client.handle_timeout(now);
            assert!(server.state().allocations <= 1, "nobody gets an allocation with a damaged proof");
            let mut buffer = BytesMut::new();
            while server.poll_transmit(&mut buffer).is_some() {}
            while client.poll_transmit(&mut buffer).is_some() {}
            assert!(buffer.len() <= 4 * octets.len() + 2000);
        },
    );
}

#[test]
fn packets_are_wrapped_and_unwrapped_at_any_length() {
    let now = start();
    let good = Pair::new(now, Service::MsTurn);
    bolero::check!().with_type::<(u16, u16, bool)>().with_iterations(ROUNDS).for_each(
        |(length, room, bound)| {
            let mut client = good.client.clone();
            let length = usize::from(*length % 2000);
            let peer = if *bound { PEER } else { ([192, 0, 2, 78], 7) };
            let room = usize::from(*room) % (HEADROOM + TAILROOM + 10);
            let start = room.min(HEADROOM);
            let mut packet = vec![7; room + length];
            if let Ok(range) = client.wrap(peer.into(), &mut packet, start..start + length) {
                assert!(range.end <= packet.len() && range.start <= start);
            }
        },
    );
}
