//! SRTP: one packet, a thousand streams in turn, sixteen streams in a batch. `floor` is the bare arithmetic of one packet: the
//! cipher's blocks and the hash's blocks, without a header read or an index kept; `by-the-book` is the same packet by the
//! stream cipher and MAC types of RustCrypto, the cipher keyed anew for each packet and the MAC once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher};
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, Mac};
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Incoming, KeyParameter, MasterKey, MasterSalt, Outgoing, Receiver,
    ReceiverKeys, Sender, SenderKeys, protect_batch, unprotect_batch,
};

const SIZES: [usize; 3] = [172, 332, 1212];
/// Room for the longest tag.
const ROOM: usize = 16;
/// Streams of a batch.
const BATCH: usize = 16;

fn line(suite: CryptoSuite, stream: usize) -> CryptoAttribute {
    let key = MasterKey::new(&vec![stream as u8; suite.master_key_length()]);
    CryptoAttribute::new(
        1,
        suite,
        KeyParameter::new(key, MasterSalt::new(&vec![2; suite.master_salt_length()])),
    )
}

fn sender(suite: CryptoSuite, stream: usize) -> Sender {
    Sender::new(SenderKeys::from_attribute(&line(suite, stream)).expect("keys"))
}

fn receiver(suite: CryptoSuite, stream: usize) -> Receiver {
    Receiver::new(ReceiverKeys::from_attribute(&line(suite, stream)).expect("keys"))
}

fn packet(size: usize) -> Vec<u8> {
    let mut packet = vec![0; size + ROOM];
    packet[0] = 0x80;
    packet
}

/// Time of `count` rounds over packets whose number goes up with each.
fn timed(count: u64, mut round: impl FnMut(u16)) -> Duration {
    let start = Instant::now();
    for number in 0..count {
        round(number as u16);
    }
    start.elapsed()
}

fn one(criterion: &mut Criterion, suite: CryptoSuite, size: usize) {
    let mut group = criterion.benchmark_group(format!("{suite} protect {size} B"));
    group.bench_function("ours", |bencher| {
        let (mut sender, mut packet) = (sender(suite, 1), packet(size));
        bencher.iter_custom(|count| {
            timed(count, |number| {
                packet[2..4].copy_from_slice(&number.to_be_bytes());
                black_box(sender.protect(&mut packet, size)).expect("protected");
            })
        });
    });
    group.bench_function("ours, 1000 streams", |bencher| {
        let mut streams: Vec<_> = (0..1000).map(|stream| (sender(suite, stream), packet(size))).collect();
        bencher.iter_custom(|count| {
            timed(count.div_ceil(1000), |number| {
                for (sender, packet) in &mut streams {
                    packet[2..4].copy_from_slice(&number.to_be_bytes());
                    black_box(sender.protect(packet, size)).expect("protected");
                }
            })
            .mul_f64(count as f64 / (count.div_ceil(1000) * 1000) as f64)
        });
    });
    group.bench_function("ours, batch of 16", |bencher| {
        let mut streams: Vec<_> = (0..BATCH).map(|stream| (sender(suite, stream), packet(size))).collect();
        bencher.iter_custom(|count| batches(count, &mut streams, size));
    });
    if suite == CryptoSuite::AesCm128HmacSha1_80 {
        group.bench_function("floor", |bencher| bencher.iter_custom(|count| floor(count, size)));
        group.bench_function("by-the-book", |bencher| bencher.iter_custom(|count| by_the_book(count, size)));
    }
    group.finish();

    let mut group = criterion.benchmark_group(format!("{suite} unprotect {size} B"));
    group.bench_function("ours", |bencher| {
        bencher.iter_custom(|count| unprotecting(count, suite, size, false));
    });
    group.bench_function("ours, batch of 16", |bencher| {
        bencher.iter_custom(|count| unprotecting(count, suite, size, true));
    });
    group.finish();
}

fn batches(count: u64, streams: &mut [(Sender, Vec<u8>)], size: usize) -> Duration {
    let rounds = count.div_ceil(BATCH as u64);
    timed(rounds, |number| {
        let mut packets = streams.iter_mut().map(|(sender, packet)| {
            packet[2..4].copy_from_slice(&number.to_be_bytes());
            Outgoing::new(sender, packet, size)
        });
        let mut batch: [Outgoing<'_>; BATCH] = std::array::from_fn(|_| packets.next().expect("sixteen"));
        protect_batch(&mut batch);
        black_box(&batch);
    })
    .mul_f64(count as f64 / (rounds * BATCH as u64) as f64)
}

/// Sixteen streams, a copy of the packet included, as it would come from a ring of received packets.
fn unprotecting(count: u64, suite: CryptoSuite, size: usize, together: bool) -> Duration {
    const ROUNDS: usize = 64;
    let mut senders: Vec<_> = (0..BATCH).map(|stream| sender(suite, stream)).collect();
    let mut receivers: Vec<_> = (0..BATCH).map(|stream| receiver(suite, stream)).collect();
    let mut buffers = vec![[0_u8; 1500]; BATCH];
    let mut elapsed = Duration::ZERO;
    let mut done = 0;
    let mut sequence = 0_u16;
    while done < count {
        let ring: Vec<Vec<Vec<u8>>> = (0..ROUNDS)
            .map(|_| {
                sequence = sequence.wrapping_add(1);
                senders
                    .iter_mut()
                    .map(|sender| {
                        let mut packet = packet(size);
                        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                        let length = sender.protect(&mut packet, size).expect("protected");
                        packet.truncate(length);
                        packet
                    })
                    .collect()
            })
            .collect();
        let start = Instant::now();
        for packets in &ring {
            let mut incoming =
                receivers.iter_mut().zip(&mut buffers).zip(packets).map(|((receiver, buffer), packet)| {
                    let (buffer, _) = buffer.split_at_mut(packet.len());
                    buffer.copy_from_slice(packet);
                    (receiver, buffer)
                });
            if together {
                let mut batch: [Incoming<'_>; BATCH] = std::array::from_fn(|_| {
                    let (receiver, buffer) = incoming.next().expect("sixteen");
                    Incoming::new(receiver, buffer)
                });
                unprotect_batch(&mut batch);
                assert!(batch.iter().all(|packet| packet.result() == Some(Ok(size))));
            } else {
                for (receiver, buffer) in incoming {
                    assert_eq!(receiver.unprotect(buffer), Ok(size));
                }
            }
        }
        elapsed += start.elapsed();
        done += (ROUNDS * BATCH) as u64;
    }
    elapsed.mul_f64(count as f64 / done as f64)
}

/// The cipher's and the hash's blocks of a packet, and nothing else.
fn floor(count: u64, size: usize) -> Duration {
    let cipher = aes::Aes128Enc::new(&Array::from([1; 16]));
    let mut stream = vec![Array::from([0_u8; 16]); (size - 12).div_ceil(16)];
    let message = vec![[0_u8; 64]; (size + 4 + 9).div_ceil(64)];
    let mut state = [1_u32; 5];
    timed(count, |number| {
        for (at, block) in stream.iter_mut().enumerate() {
            block[13] = number as u8;
            block[15] = at as u8;
        }
        cipher.encrypt_blocks(&mut stream);
        sha1::block_api::compress(&mut state, black_box(&message));
        sha1::block_api::compress(&mut state, black_box(&[[0; 64]]));
        black_box((&stream, &state));
    })
}

fn by_the_book(count: u64, size: usize) -> Duration {
    let mac = Hmac::<sha1::Sha1>::new_from_slice(&[3; 20]).expect("any length");
    let mut packet = packet(size);
    timed(count, |number| {
        let mut vector = [0; 16];
        vector[12..14].copy_from_slice(&number.to_be_bytes());
        let mut cipher = ctr::Ctr128BE::<aes::Aes128>::new(&[1; 16].into(), &vector.into());
        cipher.apply_keystream(&mut packet[12..size]);
        let mut mac = mac.clone();
        mac.update(&packet[..size]);
        mac.update(&[0; 4]);
        let tag = mac.finalize().into_bytes();
        packet[size..size + 10].copy_from_slice(&tag[..10]);
        black_box(&packet);
    })
}

fn srtp(criterion: &mut Criterion) {
    for suite in [CryptoSuite::AesCm128HmacSha1_80, CryptoSuite::AeadAes128Gcm] {
        for size in SIZES {
            one(criterion, suite, size);
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots();
    targets = srtp
}
criterion_main!(benches);
