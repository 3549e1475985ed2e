//! A jitter buffer of fixed size: packets in at any order, one frame out every frame time.

/// What a buffer is made for.
///
/// RFC 3550 6.4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct JitterConfig {
    /// How many frames fit; rounded up to a power of two.
    pub capacity: usize,
    /// How many frames are collected before the first is played.
    pub depth: usize,
    /// Octets of the longest frame; longer ones are dropped.
    pub frame_octets: usize,
}

impl JitterConfig {
    /// Sixteen frames of at most 240 octets.
    ///
    /// RFC 3550 6.4.1
    pub const fn new(depth: usize) -> Self {
        Self { capacity: 16, depth, frame_octets: 240 }
    }
}

/// What is played in one frame time.
///
/// RFC 3550 6.4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the caller plays each of the three")]
pub enum Played<'a> {
    /// A frame.
    Frame(&'a [u8]),
    /// A frame is missing and later ones are there: conceal it.
    Lost,
    /// Nothing is there: the talk spurt has not begun, or the other side fell silent.
    Empty,
}

/// What happened to the packets.
///
/// RFC 3550 6.4.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct JitterCounters {
    /// Frames played.
    pub played: u64,
    /// Frames missing when they were due.
    pub lost: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Frames dropped because the buffer had grown too long.
    pub dropped: u64,
    /// Packets too long for a frame.
    pub oversized: u64,
    /// Jumps of the sequence number after which the buffer began anew.
    pub restarts: u64,
}

/// The buffer.
///
/// RFC 3550 6.4.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitterBuffer {
    config: JitterConfig,
    slots: Box<[Slot]>,
    octets: Box<[u8]>,
    /// Sequence number of the next frame to be played, once there was a packet.
    next: Option<u16>,
    held: usize,
    playing: bool,
    /// Frame times in a row with more than the wanted depth.
    long: u32,
    late_in_a_row: u32,
    counters: JitterCounters,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    filled: bool,
    sequence: u16,
    timestamp: u32,
    length: usize,
}

/// After this many frame times with too many frames one is dropped: clocks of both sides differ.
const LONG_LIMIT: u32 = 100;
/// After this many late packets in a row the sender has begun anew with a lower sequence number.
const LATE_LIMIT: u32 = 8;

impl JitterBuffer {
    /// An empty buffer. Nothing is allocated after this.
    ///
    /// RFC 3550 6.4.1
    pub fn new(config: JitterConfig) -> Self {
        let capacity = config.capacity.next_power_of_two().clamp(2, 1024);
        let depth = config.depth.clamp(1, capacity / 2);
        let config = JitterConfig { capacity, depth, ..config };
        Self {
            config,
            slots: vec![Slot::default(); capacity].into(),
            octets: vec![0; capacity * config.frame_octets].into(),
            next: None,
            held: 0,
            playing: false,
            long: 0,
            late_in_a_row: 0,
            counters: JitterCounters::default(),
        }
    }

    /// Takes the payload of a packet.
    ///
    /// RFC 3550 5.1
    pub fn push(&mut self, sequence: u16, timestamp: u32, frame: &[u8]) {
        if frame.len() > self.config.frame_octets {
            self.counters.oversized += 1;
            return;
        }
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next) as i16;
        let capacity = self.config.capacity as i16;
        if (0..capacity).contains(&ahead) {
            self.late_in_a_row = 0;
        } else if ahead < 0 && !self.playing && self.held > 0 && self.fits_before(sequence) {
            // Reordered before the first was played.
            self.next = Some(sequence);
        } else if ahead < 0 && self.late_in_a_row < LATE_LIMIT {
            self.late_in_a_row += 1;
            self.counters.late += 1;
            return;
        } else {
            self.restart(sequence);
        }
        let place = self.place(sequence);
        let start = place * self.config.frame_octets;
        let (Some(slot), Some(octets)) =
            (self.slots.get_mut(place), self.octets.get_mut(start..start + frame.len()))
        else {
            return;
        };
        if slot.filled {
            self.counters.duplicate += 1;
            return;
        }
        *slot = Slot { filled: true, sequence, timestamp, length: frame.len() };
        octets.copy_from_slice(frame);
        self.held += 1;
    }

    /// What is to be played now; to be called once every frame time.
    ///
    /// RFC 3550 6.4.1
    pub fn pop(&mut self) -> Played<'_> {
        let Some(next) = self.next else { return Played::Empty };
        if self.held == 0 {
            // Collect anew before playing on.
            self.playing = false;
            return Played::Empty;
        }
        if !self.playing {
            if self.held < self.config.depth {
                return Played::Empty;
            }
            self.playing = true;
        }
        self.long = if self.held > self.config.depth { self.long + 1 } else { 0 };
        let mut place = self.place(next);
        let mut following = next.wrapping_add(1);
        if self.long > LONG_LIMIT {
            self.long = 0;
            if self.take(place).is_some() {
                self.counters.dropped += 1;
                place = self.place(following);
                following = following.wrapping_add(1);
            }
        }
        self.next = Some(following);
        let Some(length) = self.take(place) else {
            self.counters.lost += 1;
            return Played::Lost;
        };
        self.counters.played += 1;
        let start = place * self.config.frame_octets;
        Played::Frame(self.octets.get(start..start + length).unwrap_or_default())
    }

    /// How many frames wait.
    ///
    /// RFC 3550 6.4.1
    pub const fn held(&self) -> usize {
        self.held
    }

    /// What happened so far.
    ///
    /// RFC 3550 6.4.1
    pub const fn counters(&self) -> JitterCounters {
        self.counters
    }

    const fn place(&self, sequence: u16) -> usize {
        sequence as usize & (self.config.capacity - 1)
    }

    /// Empties a slot; the length of what was in it.
    fn take(&mut self, place: usize) -> Option<usize> {
        let slot = self.slots.get_mut(place).filter(|slot| slot.filled)?;
        slot.filled = false;
        self.held -= 1;
        Some(slot.length)
    }

    /// Whether all that is held still fits when playing begins with `first`.
    fn fits_before(&self, first: u16) -> bool {
        let filled = self.slots.iter().filter(|slot| slot.filled);
        filled
            .map(|slot| usize::from(slot.sequence.wrapping_sub(first)))
            .all(|ahead| ahead < self.config.capacity)
    }

    fn restart(&mut self, sequence: u16) {
        for slot in &mut self.slots {
            slot.filled = false;
        }
        if self.held > 0 || self.playing {
            self.counters.restarts += 1;
        }
        self.held = 0;
        self.playing = false;
        self.long = 0;
        self.late_in_a_row = 0;
        self.next = Some(sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer() -> JitterBuffer {
        JitterBuffer::new(JitterConfig::new(3))
    }

    fn push(buffer: &mut JitterBuffer, sequences: impl IntoIterator<Item = u16>) {
        for sequence in sequences {
            buffer.push(sequence, u32::from(sequence) * 160, &sequence.to_be_bytes());
        }
    }

    fn expect(buffer: &mut JitterBuffer, sequence: u16) {
        assert_eq!(buffer.pop(), Played::Frame(&sequence.to_be_bytes()));
    }

    #[test]
    fn playing_begins_when_the_wanted_depth_is_there() {
        let mut buffer = buffer();
        assert_eq!(buffer.pop(), Played::Empty);
        push(&mut buffer, [7, 8]);
        assert_eq!(buffer.pop(), Played::Empty);
        push(&mut buffer, [9]);
        for sequence in 7..10 {
            expect(&mut buffer, sequence);
        }
        assert_eq!(buffer.pop(), Played::Empty);
    }

    #[test]
    fn order_is_restored_across_the_wrap() {
        let mut buffer = buffer();
        push(&mut buffer, [65535, 65534, 1, 0]);
        for sequence in [65534, 65535, 0, 1] {
            expect(&mut buffer, sequence);
        }
        assert_eq!(buffer.counters().lost, 0);
    }

    #[test]
    fn a_hole_is_lost_and_what_fills_it_later_is_late() {
        let mut buffer = buffer();
        push(&mut buffer, [1, 2, 4, 5]);
        expect(&mut buffer, 1);
        expect(&mut buffer, 2);
        assert_eq!(buffer.pop(), Played::Lost);
        push(&mut buffer, [3]);
        expect(&mut buffer, 4);
        push(&mut buffer, [5]);
        expect(&mut buffer, 5);
        let counters = buffer.counters();
        assert_eq!((counters.lost, counters.late, counters.duplicate, counters.played), (1, 1, 1, 4));
    }

    #[test]
    fn a_jump_of_the_sequence_begins_anew() {
        let mut buffer = buffer();
        push(&mut buffer, [1, 2, 3]);
        expect(&mut buffer, 1);
        push(&mut buffer, [30000, 30001, 30002]);
        for sequence in 30000..30003 {
            expect(&mut buffer, sequence);
        }
        assert_eq!(buffer.counters().restarts, 1);
    }

    #[test]
    fn a_sender_that_begins_anew_is_heard_after_a_few_packets() {
        let mut buffer = buffer();
        push(&mut buffer, 1000..1003);
        expect(&mut buffer, 1000);
        push(&mut buffer, 900..912);
        let counters = buffer.counters();
        assert_eq!((counters.late, counters.restarts), (8, 1));
        for sequence in 908..912 {
            expect(&mut buffer, sequence);
        }
    }

    #[test]
    fn a_talk_spurt_after_silence_is_collected_anew() {
        let mut buffer = buffer();
        push(&mut buffer, 1..4);
        for sequence in 1..4 {
            expect(&mut buffer, sequence);
        }
        assert_eq!(buffer.pop(), Played::Empty);
        push(&mut buffer, [4]);
        assert_eq!(buffer.pop(), Played::Empty);
        push(&mut buffer, [5, 6]);
        for sequence in 4..7 {
            expect(&mut buffer, sequence);
        }
    }

    #[test]
    fn a_faster_sender_costs_a_frame_now_and_then_and_no_more() {
        let mut buffer = buffer();
        let mut sequence = 0;
        for tick in 0..10_000 {
            let packets = if tick % 500 == 499 { 2 } else { 1 };
            for _ in 0..packets {
                push(&mut buffer, [sequence]);
                sequence += 1;
            }
            let _ = buffer.pop();
            assert!(buffer.held() <= 5, "{tick}");
        }
        let counters = buffer.counters();
        assert!((15..=20).contains(&counters.dropped), "{counters:?}");
        assert_eq!((counters.lost, counters.late, counters.restarts), (0, 0, 0));
    }

    #[test]
    fn longer_frames_than_agreed_are_dropped() {
        let mut buffer = buffer();
        buffer.push(1, 0, &[0; 241]);
        assert_eq!(buffer.counters().oversized, 1);
        assert_eq!(buffer.held(), 0);
    }
}
