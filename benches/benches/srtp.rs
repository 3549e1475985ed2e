//! SRTP, a packet of 20, 40 or 150 ms of G.711: protect and unprotect alone, in batches of sixteen streams, and with a thousand
//! streams in turn. Peers that return a fresh packet are charged for it, as their users are; every unprotect works on a packet
//! of a ring that is filled outside of the measured time. Before anything is timed all peers must make the same packet.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::turns::Turns;
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Incoming, KeyParameter, MasterKey, MasterSalt, Outgoing, Receiver,
    ReceiverKeys, Sender, SenderKeys, protect_batch, unprotect_batch,
};

#[cfg(target_arch = "x86_64")]
#[path = "srtp/floors.rs"]
mod floors;
#[cfg(feature = "srtp-peers")]
#[path = "srtp/peers.rs"]
mod peers;

const SIZES: [usize; 3] = [172, 332, 1212];
/// Room for the longest tag.
const ROOM: usize = 16;
/// Streams of a batch.
const BATCH: usize = 16;
/// Packets of a ring of received ones.
const RING: usize = 64;
/// Streams that speak in turn.
const STREAMS: usize = 1000;

/// The keys of a stream.
fn keys(stream: usize) -> [u8; 30] {
    std::array::from_fn(|at| (at * 7 + stream) as u8 ^ (stream >> 8) as u8)
}

fn line(suite: CryptoSuite, stream: usize) -> CryptoAttribute {
    let keys = keys(stream);
    let (key, salt) = keys.split_at(16);
    let salt = MasterSalt::new(&salt[..suite.master_salt_length()]);
    CryptoAttribute::new(1, suite, KeyParameter::new(MasterKey::new(key), salt))
}

fn sender(suite: CryptoSuite, stream: usize) -> Sender {
    Sender::new(SenderKeys::from_attribute(&line(suite, stream)).expect("keys"))
}

fn receiver(suite: CryptoSuite, stream: usize) -> Receiver {
    Receiver::new(ReceiverKeys::from_attribute(&line(suite, stream)).expect("keys"))
}

fn packet(size: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..size).map(|at| at as u8).collect();
    packet[..12].copy_from_slice(&[0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    packet
}

fn room(size: usize) -> Vec<u8> {
    let mut packet = packet(size);
    packet.resize(size + ROOM, 0);
    packet
}

fn number(packet: &mut [u8], sequence: u16) {
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
}

fn galois(suite: CryptoSuite) -> bool {
    suite == CryptoSuite::AeadAes128Gcm
}

/// Time of `count` packets in rounds of so many, between which there is nothing to make ready: a clock that is read twice for
/// sixteen packets would count as one or two nanoseconds of each.
fn at_once(count: u64, of: usize, mut round: impl FnMut()) -> Duration {
    let times = count.div_ceil(of as u64);
    let start = Instant::now();
    for _ in 0..times {
        round();
    }
    start.elapsed().mul_f64(count as f64 / (times * of as u64) as f64)
}

/// Time of `count` packets in rounds of so many.
fn rounds(count: u64, of: usize, mut round: impl FnMut() -> Duration) -> Duration {
    let times = count.div_ceil(of as u64);
    let mut elapsed = Duration::ZERO;
    for _ in 0..times {
        elapsed += round();
    }
    elapsed.mul_f64(count as f64 / (times * of as u64) as f64)
}

fn protect_one(suite: CryptoSuite, size: usize) {
    let mut turns = Turns::new(format!("{suite} protect, {size} B, one stream"));
    let (mut sender, mut buffer, mut sequence) = (sender(suite, 0), room(size), 0_u16);
    turns = turns.each("ours", move || {
        sequence = sequence.wrapping_add(1);
        number(&mut buffer, sequence);
        black_box(sender.protect(&mut buffer, size).expect("protected"));
    });
    let (mut streams, mut sequence) = (senders(suite, size, BATCH), 0_u16);
    turns = turns.timed("ours, batch of 16 streams", move |count| {
        at_once(count, BATCH, || {
            sequence = sequence.wrapping_add(1);
            batch(&mut streams, size, sequence);
        })
    });
    turns = with_floors(turns, suite, size);
    #[cfg(feature = "srtp-peers")]
    for (name, make, _) in peers::PEERS {
        let mut peer = make(&keys(0), galois(suite), true);
        let (mut plain, mut sequence) = (packet(size), 0_u16);
        let mut expected = room(size);
        let length = self::sender(suite, 0).protect(&mut expected, size).expect("protected");
        let expected = expected[..length].to_vec();
        peer.protect(&plain, &mut |made| assert_eq!(made, expected, "{name} makes our packet"));
        turns = turns.each(name, move || {
            sequence = sequence.wrapping_add(1);
            number(&mut plain, sequence);
            peer.protect(&plain, &mut |packet| {
                black_box(packet);
            });
        });
    }
    turns.finish();
}

/// Where the processor has what the kernels ask for.
fn with_floors(turns: Turns<'_>, suite: CryptoSuite, size: usize) -> Turns<'_> {
    #[cfg(target_arch = "x86_64")]
    {
        if galois(suite) {
            if floors::galois(size) {
                return turns.each("floor, one packet", move || {
                    floors::galois(size);
                });
            }
        } else if floors::one(size) {
            let turns = turns.each("floor, one packet", move || {
                floors::one(size);
            });
            return turns.timed("floor, batch of 16 streams", move |count| {
                at_once(count, BATCH, || {
                    floors::sixteen(size);
                })
            });
        }
    }
    turns
}

fn senders(suite: CryptoSuite, size: usize, count: usize) -> Vec<(Sender, Vec<u8>)> {
    (0..count).map(|stream| (sender(suite, stream), room(size))).collect()
}

/// Protects a packet of each of sixteen streams together.
fn batch(streams: &mut [(Sender, Vec<u8>)], size: usize, sequence: u16) {
    let mut packets = streams.iter_mut().map(|(sender, packet)| {
        number(packet, sequence);
        Outgoing::new(sender, packet, size)
    });
    let mut batch: [Outgoing<'_>; BATCH] = std::array::from_fn(|_| packets.next().expect("sixteen"));
    protect_batch(&mut batch);
    black_box(&batch);
}

/// A ring of protected packets of some streams, filled anew for each round outside of the measured time.
struct Ring {
    senders: Vec<Sender>,
    packets: Vec<Vec<u8>>,
    length: usize,
    size: usize,
    sequence: u16,
}

impl Ring {
    fn new(suite: CryptoSuite, size: usize, streams: usize) -> Self {
        Self {
            senders: (0..streams).map(|stream| sender(suite, stream)).collect(),
            packets: vec![Vec::new(); RING.max(streams)],
            length: 0,
            size,
            sequence: 0,
        }
    }

    /// The next packets of every stream in turn.
    fn fill(&mut self) {
        let streams = self.senders.len();
        for (at, packet) in self.packets.iter_mut().enumerate() {
            if at % streams == 0 {
                self.sequence = self.sequence.wrapping_add(1);
            }
            packet.clear();
            packet.extend(room(self.size));
            number(packet, self.sequence);
            self.length = self.senders[at % streams].protect(packet, self.size).expect("protected");
            packet.truncate(self.length);
        }
    }
}

fn unprotect_one(suite: CryptoSuite, size: usize) {
    let mut turns = Turns::new(format!("{suite} unprotect, {size} B, one stream"));
    let (mut ring, mut receiver) = (Ring::new(suite, size, 1), receiver(suite, 0));
    turns = turns.timed("ours", move |count| {
        rounds(count, RING, || {
            ring.fill();
            let start = Instant::now();
            for packet in &mut ring.packets {
                assert_eq!(receiver.unprotect(packet), Ok(size));
            }
            start.elapsed()
        })
    });
    let mut ring = Ring::new(suite, size, BATCH);
    let mut streams = receivers(suite, BATCH);
    turns = turns.timed("ours, batch of 16 streams", move |count| {
        rounds(count, RING, || {
            ring.fill();
            let start = Instant::now();
            for packets in ring.packets.chunks_mut(BATCH) {
                unbatch(&mut streams, packets, size);
            }
            start.elapsed()
        })
    });
    turns = with_floors(turns, suite, size);
    #[cfg(feature = "srtp-peers")]
    for (name, make, _) in peers::PEERS {
        let mut peer = make(&keys(0), galois(suite), false);
        let mut ring = Ring::new(suite, size, 1);
        turns = turns.timed(name, move |count| {
            rounds(count, RING, || {
                ring.fill();
                let start = Instant::now();
                for packet in &mut ring.packets {
                    peer.unprotect(packet, &mut |plain| assert_eq!(plain.len(), size));
                }
                start.elapsed()
            })
        });
    }
    turns.finish();
}

fn receivers(suite: CryptoSuite, count: usize) -> Vec<Receiver> {
    (0..count).map(|stream| receiver(suite, stream)).collect()
}

/// Opens a packet of each of sixteen streams together.
fn unbatch(streams: &mut [Receiver], packets: &mut [Vec<u8>], size: usize) {
    let mut incoming =
        streams.iter_mut().zip(packets).map(|(receiver, packet)| Incoming::new(receiver, packet));
    let mut batch: [Incoming<'_>; BATCH] = std::array::from_fn(|_| incoming.next().expect("sixteen"));
    unprotect_batch(&mut batch);
    assert!(batch.iter().all(|packet| packet.result() == Some(Ok(size))));
}

fn protect_many(suite: CryptoSuite, size: usize) {
    let mut turns = Turns::new(format!("{suite} protect, {size} B, {STREAMS} streams in turn"));
    let (mut streams, mut sequence) = (senders(suite, size, STREAMS), 0_u16);
    turns = turns.timed("ours", move |count| {
        rounds(count, STREAMS, || {
            sequence = sequence.wrapping_add(1);
            let start = Instant::now();
            for (sender, packet) in &mut streams {
                number(packet, sequence);
                black_box(sender.protect(packet, size).expect("protected"));
            }
            start.elapsed()
        })
    });
    let (mut streams, mut sequence) = (senders(suite, size, STREAMS / BATCH * BATCH), 0_u16);
    turns = turns.timed("ours, batches of 16", move |count| {
        at_once(count, STREAMS / BATCH * BATCH, || {
            sequence = sequence.wrapping_add(1);
            for streams in streams.chunks_exact_mut(BATCH) {
                batch(streams, size, sequence);
            }
        })
    });
    turns = with_floors(turns, suite, size);
    #[cfg(feature = "srtp-peers")]
    for (name, make, bearable) in peers::PEERS {
        if !bearable {
            continue;
        }
        let mut streams: Vec<_> =
            (0..STREAMS).map(|stream| (make(&keys(stream), galois(suite), true), packet(size))).collect();
        let mut sequence = 0_u16;
        turns = turns.timed(name, move |count| {
            rounds(count, STREAMS, || {
                sequence = sequence.wrapping_add(1);
                let start = Instant::now();
                for (peer, plain) in &mut streams {
                    number(plain, sequence);
                    peer.protect(plain, &mut |packet| {
                        black_box(packet);
                    });
                }
                start.elapsed()
            })
        });
    }
    turns.finish();
}

fn unprotect_many(suite: CryptoSuite, size: usize) {
    let streams = STREAMS / BATCH * BATCH;
    let mut turns = Turns::new(format!("{suite} unprotect, {size} B, {STREAMS} streams in turn"));
    let (mut ring, mut receivers_alone) = (Ring::new(suite, size, streams), receivers(suite, streams));
    turns = turns.timed("ours", move |count| {
        rounds(count, streams, || {
            ring.fill();
            let start = Instant::now();
            for (receiver, packet) in receivers_alone.iter_mut().zip(&mut ring.packets) {
                assert_eq!(receiver.unprotect(packet), Ok(size));
            }
            start.elapsed()
        })
    });
    let (mut ring, mut together) = (Ring::new(suite, size, streams), receivers(suite, streams));
    turns = turns.timed("ours, batches of 16", move |count| {
        rounds(count, streams, || {
            ring.fill();
            let start = Instant::now();
            for (streams, packets) in together.chunks_exact_mut(BATCH).zip(ring.packets.chunks_mut(BATCH)) {
                unbatch(streams, packets, size);
            }
            start.elapsed()
        })
    });
    turns = with_floors(turns, suite, size);
    #[cfg(feature = "srtp-peers")]
    for (name, make, bearable) in peers::PEERS {
        if !bearable {
            continue;
        }
        let mut ring = Ring::new(suite, size, streams);
        let mut peers: Vec<_> =
            (0..streams).map(|stream| make(&keys(stream), galois(suite), false)).collect();
        turns = turns.timed(name, move |count| {
            rounds(count, streams, || {
                ring.fill();
                let start = Instant::now();
                for (peer, packet) in peers.iter_mut().zip(&mut ring.packets) {
                    peer.unprotect(packet, &mut |plain| assert_eq!(plain.len(), size));
                }
                start.elapsed()
            })
        });
    }
    turns.finish();
}

fn main() {
    for suite in [CryptoSuite::AesCm128HmacSha1_80, CryptoSuite::AeadAes128Gcm] {
        for size in SIZES {
            protect_one(suite, size);
            unprotect_one(suite, size);
        }
        protect_many(suite, SIZES[0]);
        unprotect_many(suite, SIZES[0]);
    }
}
