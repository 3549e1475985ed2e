//! The radio link against arbitrary peers.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use fuzz::{Damage, ROUNDS, damaged};
use rfp_link::{Config, Extensions, Frame, FrameDecoder, Hello, Input, Link, Role};

const HELLO: &[u8] = b"\x00\x2cRFPL";

fn hello() -> Vec<u8> {
    let mut octets = Vec::new();
    let hello = Hello::base_station("hall", "base 1", 3, 8);
    Frame::Hello(Role::BaseStation, hello).emit(&mut octets).expect("a hello fits");
    octets
}

#[test]
fn frames_never_panic_and_what_is_read_is_written_the_same() {
    let hello = hello();
    let seeds: [&[u8]; 4] = [
        &hello,
        b"\x00\x09\x21\x01\x02\x03\x04\x00\x02\x05\x54",
        b"\x00\x16\x30\x01\x02\x03\x04\x00\x00\x00\x09\x00\x04\x7f\x00\x00\x01\x13\x88\xde\xad\xbe\xef\x00",
        b"\x00\x07\x41\x02\x01\x07\xc4\xff\xff",
    ];
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let octets = damaged(&seeds, damage);
        let mut decoder = FrameDecoder::new();
        decoder.push(&octets);
        while let Some(Ok(body)) = decoder.next_body() {
            if let Ok(frame @ Frame::Message(_)) = Frame::parse(body, Extensions::Refused) {
                let mut written = Vec::new();
                frame.emit(&mut written).expect("what was read fits");
                assert_eq!(&written[2..], body);
            }
            let _ = Frame::parse(body, Extensions::Skipped);
        }
    });
}

#[test]
fn a_link_survives_any_peer_and_always_ends_or_waits() {
    let hello = hello();
    let start = Instant::now();
    bolero::check!().with_type::<(bool, Vec<(u8, Damage)>)>().with_iterations(ROUNDS).for_each(
        |(greeted, steps)| {
            let config = Config::new(Role::Server, Hello::server("server", "1", [0; 5]));
            let mut now = start;
            let mut link = Link::new(now, config);
            if *greeted {
                link.handle_input(now, Input::Bytes(&hello)).expect("a good hello");
            }
            let seeds: [&[u8]; 4] = [HELLO, b"\x00\x01\x04", b"\x00\x03\x40\x08\x08", b"\x00\x02\x03\x01"];
            for (seconds, damage) in steps.iter().take(50) {
                now += Duration::from_secs((*seconds).into());
                if link.poll_timeout().is_some_and(|at| at <= now) {
                    link.handle_timeout(now);
                }
                let _ = link.handle_input(now, Input::Bytes(&damaged(&seeds, damage)));
                let mut buffer = BytesMut::new();
                while let Some(transmit) = link.poll_transmit(&mut buffer) {
                    assert!(transmit.len > 0);
                }
                while link.poll_event().is_some() {}
            }
            let over = matches!(link.state(), rfp_link::State::Closed | rfp_link::State::Refused);
            assert_eq!(over, link.poll_timeout().is_none());
        },
    );
}
