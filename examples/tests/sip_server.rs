//! `sip-server` over TCP on loopback: a client registers, calls and hangs up.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/sip-server.rs"]
mod sip_server;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use clap::Parser;
use examples::connection::Connection;
use sip_lync::{
    Config, EndReason, Endpoint, Event, FlowId, FlowRole, Input, Invite, Seed, SipUri, Transport, Uri, User,
};

#[test]
fn it_waits_for_company_where_little_comes_and_not_where_crowds_come() {
    let (one, crowd) = (500, 9_000);
    let mut gather = sip_server::Gather::new(Duration::from_millis(8));
    let mut waits = |octets: usize, turns: usize| (0..turns).filter(|_| gather.waits_after(octets)).count();
    assert_eq!(waits(0, 10), 0, "nothing comes");
    assert_eq!(waits(crowd, 1000), 0, "peers that wait for all answers");
    assert_eq!(waits(one, 1), 1, "one message");
    assert_eq!(waits(crowd, 63), 63, "those that came meanwhile");
    assert_eq!(waits(crowd, 1), 0, "now and then it does not wait");
    assert_eq!(waits(one, 1), 1, "they come one by one still");
    assert_eq!(waits(0, 1), 0, "nothing comes any more");
    assert_eq!(waits(one, 1), 1, "one again");
}

#[test]
fn it_registers_whoever_asks_and_answers_calls() {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let options = sip_server::Options::parse_from(["sip-server", "--listen", "127.0.0.1:0"]);
        sip_server::run(&options, |address| tell.send(address).expect("the test waits"))
    });
    let server = told.recv().expect("it listens").to_string();
    let mut connection = Connection::open(&server, None).expect("it listens");
    let (local, remote) = connection.addresses().expect("it stands");
    let mut config = Config::client("phone");
    config.transport = Transport::Tcp;
    let mut endpoint = Endpoint::new(config, Seed([1; 32]));
    let user = endpoint.add_user(User::new(SipUri::parse("sip:jim@lab.test").expect("a URI"), "01"));
    let flow = FlowId(1);
    let opened = Input::FlowOpened { flow, local, remote, role: FlowRole::Dialled };
    endpoint.handle_input(Instant::now(), opened).expect("a new flow");
    endpoint.register(Instant::now(), user, flow, None).expect("a flow");
    let (mut out, mut received) = (BytesMut::new(), vec![0; 65536]);
    let end = Instant::now() + Duration::from_mins(1);
    let mut seen = Vec::new();
    loop {
        while let Some(transmit) = endpoint.poll_transmit(&mut out) {
            connection.write(&out.split_to(transmit.len)).expect("it listens");
        }
        while let Some(event) = endpoint.poll_event() {
            let now = Instant::now();
            match event {
                Event::Registered { gruu, .. } => {
                    assert!(gruu.is_some_and(|gruu| gruu.as_str().starts_with("sip:jim@lab.test;opaque=")));
                    let target = Uri::parse("sip:echo@lab.test").expect("a URI");
                    let offer = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                         m=audio 4000 RTP/AVP 8\r\n";
                    endpoint.invite(now, user, Invite::new(target, offer)).expect("a flow");
                    seen.push("registered");
                }
                Event::Progress { .. } => seen.push("progress"),
                Event::Answered { session, .. } => {
                    endpoint.hang_up(now, session);
                    seen.push("answered");
                }
                Event::Ended { reason, .. } => {
                    assert_eq!(reason, EndReason::Local);
                    assert_eq!(seen, ["registered", "progress", "answered"]);
                    return;
                }
                other => panic!("{other:?}"),
            }
            while let Some(transmit) = endpoint.poll_transmit(&mut out) {
                connection.write(&out.split_to(transmit.len)).expect("it listens");
            }
        }
        assert!(Instant::now() < end, "{seen:?}");
        if let Some(bytes) = connection.read(&mut received, end).expect("it stands") {
            endpoint.handle_input(Instant::now(), Input::Bytes { flow, bytes }).expect("good bytes");
        }
    }
}
