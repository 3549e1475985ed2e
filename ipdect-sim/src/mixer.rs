//! The mixer of a conference: everybody hears all others.
//!
//! Sans-IO: datagrams of each member come in, every 20 ms one packet for each of them goes out. Nobody hears itself; a sum
//! that is louder than the coding can say is cut off at the loudest, not wrapped around.
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use ipdect_sim::mixer::{MemberId, Mixer};
//! use ipdect_sim::talk::{Encoding, Flow, TalkPlan};
//!
//! let now = Instant::now();
//! let mut mixer = Mixer::new(now);
//! let plan = TalkPlan {
//!     encoding: Encoding::Pcma, payload_type: 8, ssrc: 1, keys: None, flow: Flow::Both, first_sequence: 0, first_timestamp: 0,
//! };
//! mixer.add(now, MemberId(1), plan);
//! let mut buffer = BytesMut::new();
//! assert_eq!(mixer.poll_packet(now, &mut buffer), Some((MemberId(1), 172)));
//! assert_eq!(mixer.poll_packet(now, &mut buffer), None, "the next one is due in 20 ms");
//! ```

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::BytesMut;

use crate::talk::{Counters, Flow, Talk, TalkPlan, Unusable};

/// A member of the mix.
///
/// RFC 4353 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

#[derive(Debug)]
struct Member {
    talk: Talk,
    muted: bool,
}

/// All streams of one conference.
///
/// RFC 4353 3.1 (mixer)
#[derive(Debug)]
pub struct Mixer {
    members: BTreeMap<MemberId, Member>,
    /// When the next frame is mixed.
    next: Instant,
    /// Who has not got its packet of the last frame.
    waiting: VecDeque<MemberId>,
    /// The time of the last frame.
    mixed: Instant,
}

impl Mixer {
    /// A mixer of nobody.
    ///
    /// RFC 4353 3.1
    pub fn new(now: Instant) -> Self {
        Self { members: BTreeMap::new(), next: now, waiting: VecDeque::new(), mixed: now }
    }

    /// Takes a member in, or begins its stream again with other keys; muting stays.
    ///
    /// RFC 4353 3.1
    pub fn add(&mut self, now: Instant, id: MemberId, plan: TalkPlan) {
        if self.members.is_empty() {
            self.next = now;
        }
        let muted = self.members.get(&id).is_some_and(|member| member.muted);
        self.members.insert(id, Member { talk: Talk::live(self.next, plan, DEPTH), muted });
    }

    /// Changes the ways the media of a member flows.
    ///
    /// RFC 3264 8.4
    pub fn redirect(&mut self, id: MemberId, flow: Flow) {
        let next = self.next;
        if let Some(member) = self.members.get_mut(&id) {
            member.talk.redirect(next, flow);
        }
    }

    /// Whether the others hear a member.
    ///
    /// MS-CONFAV 3.1 (modifyEndpointMedia)
    pub fn mute(&mut self, id: MemberId, muted: bool) {
        if let Some(member) = self.members.get_mut(&id) {
            member.muted = muted;
        }
    }

    /// Lets a member go; what its stream has counted.
    ///
    /// RFC 4353 3.1
    pub fn remove(&mut self, id: MemberId) -> Option<Counters> {
        self.waiting.retain(|waiting| *waiting != id);
        Some(self.members.remove(&id)?.talk.counters())
    }

    /// Whether nobody is in the mix.
    ///
    /// RFC 4353 3.1
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes a datagram of a member; it is decrypted in place.
    ///
    /// RFC 3550 A.1, RFC 3711 3.3
    pub fn handle_packet(&mut self, now: Instant, id: MemberId, datagram: &mut [u8]) -> Result<(), Unusable> {
        let member = self.members.get_mut(&id).ok_or(Unusable::NotOfThisStream)?;
        member.talk.handle_packet(now, datagram)
    }

    /// The next packet that is due: appended to `buffer`, whose it is and its length returned.
    ///
    /// RFC 3550 7.1
    pub fn poll_packet(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<(MemberId, usize)> {
        loop {
            while let Some(id) = self.waiting.pop_front() {
                let mixed = self.mixed;
                if let Some(member) = self.members.get_mut(&id)
                    && let Some(length) = member.talk.poll_packet(mixed, buffer)
                {
                    return Some((id, length));
                }
            }
            if self.members.is_empty() || now < self.next {
                return None;
            }
            self.mix(now);
        }
    }

    /// When the next packet is due.
    ///
    /// RFC 3551 4.2
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.members.is_empty()).then_some(self.next)
    }

    /// Mixes one frame.
    fn mix(&mut self, now: Instant) {
        // After a long sleep of the owner the mix goes on from now.
        if now.saturating_duration_since(self.next) > BEHIND {
            self.next = now;
        }
        self.mixed = self.next;
        self.next += FRAME;
        let mut sum = [0_i32; SAMPLES];
        let mut heard = Vec::with_capacity(self.members.len());
        for (id, member) in &mut self.members {
            let mut frame = member.talk.take_frame();
            if member.muted {
                frame = [0; SAMPLES];
            }
            for (total, sample) in sum.iter_mut().zip(frame) {
                *total += i32::from(sample);
            }
            heard.push((*id, frame));
        }
        for (id, own) in heard {
            let Some(member) = self.members.get_mut(&id).filter(|member| member.talk.is_speaking()) else {
                continue;
            };
            let mut others = [0_i16; SAMPLES];
            for ((slot, total), sample) in others.iter_mut().zip(sum).zip(own) {
                *slot = (total - i32::from(sample)).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            }
            member.talk.play(&others);
            self.waiting.push_back(id);
        }
    }
}

/// Packets that are waited for before a member is heard.
const DEPTH: usize = 3;
/// RFC 3551 4.2: 20 ms.
const FRAME: Duration = Duration::from_millis(20);
const SAMPLES: usize = 160;
const BEHIND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talk::Encoding;

    fn plan(ssrc: u32) -> TalkPlan {
        TalkPlan {
            encoding: if ssrc.is_multiple_of(2) { Encoding::Pcma } else { Encoding::Pcmu },
            payload_type: if ssrc.is_multiple_of(2) { 8 } else { 0 },
            ssrc,
            keys: None,
            flow: Flow::Both,
            first_sequence: 65_530,
            first_timestamp: u32::MAX - 200,
        }
    }

    fn tone(hertz: f64, loud: f64, samples: usize) -> Vec<i16> {
        (0..samples)
            .map(|n| (loud * (core::f64::consts::TAU * hertz * n as f64 / 8000.0).sin()) as i16)
            .collect()
    }

    /// The loudness of a tone in what was heard.
    fn loudness(samples: &[i16], hertz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = core::f64::consts::TAU * hertz * n as f64 / 8000.0;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        2.0 * (re * re + im * im).sqrt() / samples.len().max(1) as f64
    }

    /// A mixer and a stream at the other end of each member's way.
    struct Room {
        mixer: Mixer,
        ends: Vec<Talk>,
        now: Instant,
    }

    impl Room {
        fn new(members: u32) -> Self {
            let now = Instant::now();
            let mut mixer = Mixer::new(now);
            let ends = (0..members).map(|at| {
                mixer.add(now, MemberId(at), plan(at));
                Talk::new(now, plan(at))
            });
            let ends = ends.collect();
            Self { mixer, ends, now }
        }

        fn pass(&mut self, frames: usize) {
            for _ in 0..frames {
                let mut buffer = BytesMut::new();
                for (at, end) in self.ends.iter_mut().enumerate() {
                    while let Some(length) = end.poll_packet(self.now, &mut buffer) {
                        let mut packet = buffer.split_to(length);
                        let id = MemberId(u32::try_from(at).unwrap());
                        self.mixer.handle_packet(self.now, id, &mut packet).unwrap();
                    }
                }
                while let Some((id, length)) = self.mixer.poll_packet(self.now, &mut buffer) {
                    let mut packet = buffer.split_to(length);
                    self.ends[id.0 as usize].handle_packet(self.now, &mut packet).unwrap();
                }
                self.now += FRAME;
            }
        }
    }

    #[test]
    fn everybody_hears_all_others_and_not_itself() {
        let mut room = Room::new(3);
        for (at, hertz) in [400.0, 1000.0, 1700.0].into_iter().enumerate() {
            room.ends[at].play(&tone(hertz, 6000.0, 16_000));
        }
        room.pass(100);
        for (at, own) in [400.0, 1000.0, 1700.0].into_iter().enumerate() {
            let heard = &room.ends[at].recorded()[1600..14_400];
            for hertz in [400.0, 1000.0, 1700.0] {
                let loud = loudness(heard, hertz);
                if (hertz - own).abs() < 1.0 {
                    assert!(loud < 100.0, "{at} hears itself: {loud}");
                } else {
                    assert!((5_700.0..6_300.0).contains(&loud), "{at} hears {hertz} Hz: {loud}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_loud_is_cut_off_and_does_not_wrap_around() {
        let mut room = Room::new(5);
        for end in &mut room.ends[1..] {
            end.play(&[30_000; 8_000]);
        }
        room.pass(40);
        let heard = &room.ends[0].recorded()[1600..];
        assert!(heard.iter().all(|sample| *sample > 30_000), "four of 30,000 are as loud as can be");
    }

    #[test]
    fn a_muted_member_hears_and_is_not_heard() {
        let mut room = Room::new(2);
        room.mixer.mute(MemberId(0), true);
        room.ends[0].play(&tone(500.0, 8000.0, 16_000));
        room.ends[1].play(&tone(900.0, 8000.0, 16_000));
        room.pass(50);
        assert!(loudness(&room.ends[1].recorded()[1600..], 500.0) < 50.0);
        assert!(loudness(&room.ends[0].recorded()[1600..], 900.0) > 7_000.0);
        room.mixer.mute(MemberId(0), false);
        let before = room.ends[1].recorded().len();
        room.pass(50);
        assert!(loudness(&room.ends[1].recorded()[before + 800..], 500.0) > 7_000.0);
    }

    #[test]
    fn a_member_on_hold_gets_nothing_and_comes_back_without_what_was_said_meanwhile() {
        let mut room = Room::new(2);
        room.ends[1].play(&tone(900.0, 8000.0, 4_000));
        room.pass(10);
        let before = room.ends[0].counters().packets_received;
        room.mixer.redirect(MemberId(0), Flow::None);
        room.ends[0].redirect(room.now, Flow::None);
        room.pass(40);
        assert_eq!(room.ends[0].counters().packets_received, before);
        room.mixer.redirect(MemberId(0), Flow::Both);
        room.ends[0].redirect(room.now, Flow::Both);
        let at = room.ends[0].recorded().len();
        room.pass(10);
        assert!(room.ends[0].counters().packets_received >= before + 9);
        assert!(loudness(&room.ends[0].recorded()[at..], 900.0) < 50.0, "the tone was over");
    }

    #[test]
    fn a_mixer_that_slept_goes_on_from_now() {
        let mut room = Room::new(2);
        room.pass(5);
        room.now += Duration::from_secs(30);
        let mut buffer = BytesMut::new();
        let mut packets = 0;
        while room.mixer.poll_packet(room.now, &mut buffer).is_some() {
            packets += 1;
        }
        assert_eq!(packets, 2);
        assert_eq!(room.mixer.poll_timeout(), Some(room.now + FRAME));
        for id in [MemberId(0), MemberId(1)] {
            assert!(room.mixer.remove(id).is_some());
        }
        assert!(room.mixer.is_empty() && room.mixer.poll_timeout().is_none());
    }
}
