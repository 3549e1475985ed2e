//! The ICE of one media line between two ends in memory: offer, answer, checks, the last offer, forks, peers without ICE.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::Seed;
use sip_lync::ice::agent::{Begun, Failure};
use sip_lync::ice::phase::State;
use sip_lync::ice::{DIALECTS, DataStream, Dialect, Fork};
use sip_lync::sdp::{AudioOffer, SessionDescription, audio_offer};

fn bases(host: u8) -> [SocketAddr; 2] {
    [SocketAddr::from(([192, 0, 2, host], 5000)), SocketAddr::from(([192, 0, 2, host], 5001))]
}

/// A description with the ICE of a stream in it, as it is read at the other end.
fn described(host: u8, stream: Option<(&DataStream, usize)>) -> SessionDescription {
    let mut session = audio_offer(&AudioOffer::new(bases(host)[0].ip(), 5000, 5001));
    if let Some((stream, which)) = stream {
        stream.describe(which, &mut session, 0);
    }
    SessionDescription::parse(&session.to_string()).expect("what we write")
}

/// Streams with the hosts they are on, and a network between them.
struct Network {
    now: Instant,
    ends: Vec<(u8, DataStream)>,
    lost: bool,
}

impl Network {
    #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
    fn new() -> Self {
        Self { now: Instant::now(), ends: Vec::new(), lost: false }
    }

    fn offer(&mut self, dialects: &[Dialect]) {
        let stream = DataStream::offer(self.now, dialects, bases(1), false, Seed([1; 32])).expect("an offer");
        self.ends.push((1, stream));
    }

    /// Another end takes the offer that the first one writes and answers as a fork.
    fn answer(&mut self, host: u8, which: usize) {
        let offer = described(1, Some((&self.ends[0].1, which)));
        let seed = Seed([host; 32]);
        let stream =
            DataStream::answer(self.now, Dialect::MsIce2, bases(host), false, seed, &offer, &offer.media[0]);
        let stream = stream.expect("an answer").expect("the offer speaks ICE");
        let answer = described(host, Some((&stream, 0)));
        self.ends.push((host, stream));
        let begun = self.ends[0].1.early(self.now, Fork(u32::from(host)), &answer, &answer.media[0]);
        assert_eq!(begun, Ok(Begun::Checking));
    }

    /// Lets time pass until nothing moves or so much time is over.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut buffer = BytesMut::new();
        loop {
            let mut packets = VecDeque::new();
            for (host, stream) in &mut self.ends {
                while let Some(sent) = stream.poll_transmit(&mut buffer) {
                    let octets = buffer.split_to(sent.len);
                    assert!(bases(*host).contains(&sent.path.local));
                    packets.push_back((sent.path.local, sent.path.remote, octets));
                }
            }
            if self.lost {
                packets.clear();
            }
            let quiet = packets.is_empty();
            for (from, to, octets) in packets {
                for (host, stream) in &mut self.ends {
                    if let Some(at) = bases(*host).iter().position(|base| *base == to) {
                        // Copies of what was answered are refused.
                        let _copy = stream.handle_packet(self.now, at as u16 + 1, from, &octets);
                    }
                }
            }
            if quiet {
                let next = self.ends.iter().filter_map(|(_, stream)| stream.poll_timeout()).min();
                let Some(next) = next.filter(|next| *next <= end) else { break };
                self.now = self.now.max(next);
                for (_, stream) in &mut self.ends {
                    stream.handle_timeout(self.now);
                }
            }
        }
        self.now = end;
    }
}

#[test]
fn two_ends_connect_in_every_dialect_and_the_last_offer_settles_them() {
    for dialect in DIALECTS {
        let mut network = Network::new();
        network.offer(&[dialect]);
        network.answer(2, 0);
        assert!(network.ends[0].1.answered(Fork(2)));
        assert_eq!(network.ends[0].1.path(1), None, "nothing may be sent yet");
        network.run(Duration::from_secs(1));
        for (host, stream) in &network.ends {
            assert_eq!(stream.state(), State::Connected, "{dialect}: {host}");
            for (component, remote) in (1..).zip(bases(3 - host)) {
                assert_eq!(stream.path(component).map(|path| path.remote), Some(remote), "{dialect}");
            }
        }
        let due = [network.ends[0].1.take_last_offer(), network.ends[1].1.take_last_offer()];
        // The standard needs none when the chosen addresses are those that were offered.
        assert_eq!(due, [dialect != Dialect::Rfc8445, false], "{dialect}");
        if !due[0] {
            continue;
        }
        let last = described(1, Some((&network.ends[0].1, 0)));
        let chosen = if dialect.is_draft06() { "remote-candidate" } else { "remote-candidates" };
        assert!(last.media[0].attribute(chosen).is_some(), "{dialect}: {last}");
        assert_eq!(last.media[0].candidates().len(), 2);
        let (now, host) = (network.now, 2);
        assert_eq!(network.ends[1].1.described(now, &last, &last.media[0]), Ok(Begun::Settled), "{dialect}");
        let answer = described(host, Some((&network.ends[1].1, 0)));
        assert_eq!(network.ends[0].1.described(now, &answer, &answer.media[0]), Ok(Begun::Settled));
        assert!(network.ends.iter().all(|(_, stream)| stream.state() == State::Completed), "{dialect}");
        assert!(!network.ends[0].1.take_last_offer(), "once");
    }
}

#[test]
fn an_offer_in_two_dialects_is_answered_in_either_by_several_forks() {
    let mut network = Network::new();
    network.offer(&[Dialect::MsIce2, Dialect::Draft06]);
    assert_eq!(network.ends[0].1.descriptions(), 2);
    network.answer(2, 0);
    network.answer(3, 1);
    network.run(Duration::from_secs(1));
    // The last fork that described itself is the one that is heard early.
    assert_eq!(network.ends[0].1.path(1).map(|path| path.remote), Some(bases(3)[0]));
    assert!(!network.ends[0].1.answered(Fork(7)), "a fork nobody knows");
    assert!(network.ends[0].1.answered(Fork(2)));
    assert_eq!(network.ends[0].1.path(1).map(|path| path.remote), Some(bases(2)[0]));
    assert_eq!(network.ends[0].1.dialect(), Some(Dialect::MsIce2));
}

#[test]
fn a_peer_without_ice_gets_media_at_the_address_it_gives() {
    let mut network = Network::new();
    network.offer(&[Dialect::MsIce2]);
    let answer = described(2, None);
    let now = network.now;
    let stream = &mut network.ends[0].1;
    assert_eq!(stream.early(now, Fork(0), &answer, &answer.media[0]), Ok(Begun::Plain));
    assert!(stream.answered(Fork(0)));
    assert_eq!(stream.path(1).map(|path| path.remote), Some(bases(2)[0]));
    assert_eq!(stream.path(2).map(|path| path.remote), Some(bases(2)[1]));
    assert!(!stream.take_last_offer());
    let later = described(1, Some((stream, 0)));
    assert!(later.media[0].attribute("ice-ufrag").is_none());
    let none =
        DataStream::answer(now, Dialect::MsIce2, bases(1), false, Seed([0; 32]), &answer, &answer.media[0]);
    assert_eq!(none, Ok(None));
}

#[test]
fn a_peer_with_new_credentials_is_looked_for_again() {
    let mut network = Network::new();
    network.offer(&[Dialect::MsIce2]);
    network.answer(2, 0);
    assert!(network.ends[0].1.answered(Fork(2)));
    network.run(Duration::from_secs(1));
    assert_eq!(network.ends[1].1.state(), State::Connected);
    // The caller's media is at another place now, as after a transfer.
    let other = DataStream::offer(network.now, &[Dialect::MsIce2], bases(3), false, Seed([9; 32]));
    network.ends[0] = (3, other.expect("an offer"));
    let offer = described(3, Some((&network.ends[0].1, 0)));
    let now = network.now;
    assert_eq!(network.ends[1].1.described(now, &offer, &offer.media[0]), Ok(Begun::Restarted));
    assert_eq!(network.ends[1].1.path(1), None, "not known yet");
    let answer = described(2, Some((&network.ends[1].1, 0)));
    assert_eq!(network.ends[0].1.early(now, Fork(0), &answer, &answer.media[0]), Ok(Begun::Checking));
    assert!(network.ends[0].1.answered(Fork(0)));
    network.run(Duration::from_secs(1));
    assert_eq!(network.ends[1].1.path(1).map(|path| path.remote), Some(bases(3)[0]));
    assert!(network.ends.iter().all(|(_, stream)| stream.state() == State::Connected));
}

#[test]
fn no_way_is_told_with_its_reason() {
    let mut network = Network::new();
    network.offer(&[Dialect::MsIce2]);
    network.answer(2, 0);
    assert!(network.ends[0].1.answered(Fork(2)));
    network.lost = true;
    network.run(Duration::from_mins(1));
    for (_, stream) in &network.ends {
        assert_eq!((stream.state(), stream.failure()), (State::Failed, Some(Failure::NoPair)));
    }
}
