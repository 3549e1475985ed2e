//! ICE against arbitrary peers: descriptions, candidates, frames and an agent under any sequence of messages.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use fuzz::{Damage, ROUNDS, damaged};
use sip_lync::Seed;
use sip_lync::ice::agent::{Config, Input, Path, Protocol};
use sip_lync::ice::{Agent, DIALECTS, Description, Dialect, Role, Transport};
use sip_lync::sdp::SessionDescription;
use sip_lync::stun::{FrameKind, Framing, StreamReader, frame};

const HEAD: &str =
    "v=0\r\no=- 0 0 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
const NEWER: &str = "a=ice-ufrag:Ab3/\r\na=ice-pwd:0123456789abcdefghijklmn\r\n\
    a=candidate:1 1 UDP 2130706431 192.0.2.2 4000 typ host\r\n\
    a=candidate:3 1 TCP-PASS 174456319 192.0.2.9 50000 typ relay raddr 192.0.2.2 rport 4000\r\n\
    a=remote-candidates:1 192.0.2.1 4000\r\na=ice-pacing:50\r\na=ice-lite\r\n";
const OLDER: &str = "a=candidate:THibxoGssB4wHQmT/EVZmd7ALtXBKDI7cIxMhBZ8HkE 1 n3w+HVX/YpbRdkfVgkmGjg UDP 0.830 192.0.2.2 4000\r\n\
    a=remote-candidate:THibxoGssB4wHQmT/EVZmd7ALtXBKDI7cIxMhBZ8HkE\r\n";

fn described(text: &[u8], dialect: Dialect) -> Option<Description> {
    let session = SessionDescription::parse_bytes(text).ok()?;
    let media = session.media.first()?;
    Some(Description::read(&session, media, dialect).in_dialect(dialect))
}

fn agent(dialect: Dialect, role: Role, address: &str, now: Instant) -> Agent {
    let mut config = Config::new(dialect, role);
    config.components = 1;
    let mut agent = Agent::new(config, Seed([role as u8 + 1; 32]));
    agent.add_host(1, Transport::Udp, address.parse().expect("an address")).expect("a candidate");
    agent.add_host(1, Transport::TcpPassive, address.parse().expect("an address")).expect("a candidate");
    agent.gather(now);
    agent
}

#[test]
fn an_agent_survives_any_description_and_any_messages() {
    let start = Instant::now();
    let descriptions = [format!("{HEAD}{NEWER}"), format!("{HEAD}{OLDER}")];
    let texts: Vec<&[u8]> = descriptions.iter().map(String::as_bytes).collect();
    bolero::check!().with_type::<(u8, Damage, Vec<(u8, u8, Damage)>)>().with_iterations(ROUNDS).for_each(
        |(choice, text, steps)| {
            let dialect = DIALECTS[usize::from(*choice) % 3];
            let mut now = start;
            let mut left = agent(dialect, Role::Controlling, "192.0.2.1:4000", now);
            let mut right = agent(dialect, Role::Controlled, "192.0.2.2:4000", now);
            // What the right agent really says, and what comes of it when it is damaged.
            let mut real = HEAD.to_owned();
            for attribute in right.attributes() {
                real += &format!("a={attribute}\r\n");
            }
            let mut other = HEAD.replace("192.0.2.2", "192.0.2.1");
            for attribute in left.attributes() {
                other += &format!("a={attribute}\r\n");
            }
            if let Some(description) = described(other.as_bytes(), dialect) {
                let _ = right.begin(now, &description);
            }
            let seeds: Vec<&[u8]> = texts.iter().copied().chain([real.as_bytes()]).collect();
            if let Some(description) = described(&damaged(&seeds, text), dialect) {
                let _ = left.begin(now, &description);
            }
            let ends: [SocketAddr; 3] = ["192.0.2.1:4000", "192.0.2.2:4000", "198.51.100.9:9"]
                .map(|text| text.parse().expect("an address"));
            let mut sent: Vec<Vec<u8>> = vec![vec![0; 20]];
            for (wait, how, damage) in steps.iter().take(40) {
                now += Duration::from_millis(u64::from(*wait) * 4);
                let protocol = if how & 1 == 0 { Protocol::Udp } else { Protocol::Tcp };
                let remote = ends[usize::from(how >> 1) % 3];
                let path = Path { component: 1 + u16::from(how >> 7), protocol, local: ends[0], remote };
                let seeds: Vec<&[u8]> = sent.iter().rev().take(8).map(Vec::as_slice).collect();
                let octets = damaged(&seeds, damage);
                let _ = match (how >> 3) & 7 {
                    0 => left.handle_input(now, Input::Opened { path }),
                    1 => left.handle_input(now, Input::Closed { path }),
                    2 => {
                        left.restart(now);
                        Ok(())
                    }
                    _ => left.handle_input(now, Input::Packet { path, data: &octets }),
                };
                left.handle_timeout(now);
                right.handle_timeout(now);
                let mut buffer = BytesMut::new();
                for (from, to) in [(0, 1), (1, 0)] {
                    let (source, target) =
                        if from == 0 { (&mut left, &mut right) } else { (&mut right, &mut left) };
                    while let Some(transmit) = source.poll_transmit(&mut buffer) {
                        let octets = buffer.split_to(transmit.len).to_vec();
                        let path = Path { local: ends[to], remote: ends[from], ..transmit.path };
                        let _ = target.handle_input(now, Input::Packet { path, data: &octets });
                        if sent.len() < 64 {
                            sent.push(octets);
                        }
                        assert!(sent.len() < 1000);
                        assert!(target.pair_count() <= 200, "the check list grows without limit");
                    }
                }
                while left.poll_event().is_some() {}
                // What came last may be due at once, but only once.
                left.handle_timeout(now);
                assert!(left.poll_timeout().is_none_or(|due| due > now), "it would be called for ever");
                assert!(left.local_candidates().len() <= 64 && left.remote_candidates().len() <= 128);
            }
        },
    );
}

#[test]
fn frames_come_out_whole_however_the_stream_is_cut() {
    bolero::check!().with_type::<(Vec<Vec<u8>>, u8)>().with_iterations(ROUNDS).for_each(|(packets, cut)| {
        let mut stream = Vec::new();
        for packet in packets {
            let (head, _) = frame(Framing::Rfc4571, FrameKind::Message, packet.len()).expect("short");
            stream.extend_from_slice(head.octets());
            stream.extend_from_slice(packet);
        }
        let mut reader = StreamReader::new(Framing::Rfc4571);
        let mut seen = Vec::new();
        for piece in stream.chunks(usize::from(*cut) + 1) {
            reader.push(piece);
            while let Ok(Some((_, packet))) = reader.next_frame() {
                seen.push(packet.to_vec());
            }
        }
        let expected: Vec<&Vec<u8>> = packets.iter().filter(|packet| !packet.is_empty()).collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
    });
}

#[test]
fn descriptions_are_read_within_bounds_in_every_dialect() {
    let descriptions = [format!("{HEAD}{NEWER}"), format!("{HEAD}{OLDER}"), format!("{HEAD}{NEWER}{OLDER}")];
    let texts: Vec<&[u8]> = descriptions.iter().map(String::as_bytes).collect();
    bolero::check!().with_type::<(Damage, u8)>().with_iterations(ROUNDS).for_each(|(damage, copies)| {
        // The lines of ICE many times over, as a hostile peer would write them.
        let mut text = damaged(&texts, damage);
        let from = text.windows(4).position(|octets| octets == b"\r\na=").unwrap_or(text.len());
        let lines = text.get(from + 2..).unwrap_or_default().to_vec();
        for _ in 0..copies % 64 {
            text.extend_from_slice(&lines);
        }
        for dialect in DIALECTS {
            let Some(description) = described(&text, dialect) else { continue };
            assert!(description.candidates.len() <= 64 && description.credentials.len() <= 64);
            for candidate in &description.candidates {
                assert!((1..=2).contains(&candidate.component) && candidate.address.port() != 0);
                assert!(usize::from(candidate.credentials) < description.credentials.len().max(1));
            }
            let mut peer = agent(dialect, Role::Controlled, "192.0.2.1:4000", Instant::now());
            let _ = peer.begin(Instant::now(), &description);
            assert!(peer.pair_count() <= 100);
        }
    });
}
