//! The media of one end: speaks samples and records what it hears, as RTP or SRTP.
//!
//! Sans-IO: the shell moves datagrams and wakes it every 20 ms. What is heard is laid down by RTP time, so a recording
//! has silence where packets were lost.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;
use srtp_sdes::{Receiver, ReceiverKeys, Sender, SenderKeys};
use telephony_audio::g711;
use telephony_audio::g726::{Decoder, Encoder, Packing};
use telephony_audio::jitter::{JitterBuffer, JitterConfig, Played};

/// How speech is coded.
///
/// ITU-T G.711, ITU-T G.726
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// G.711 A-law, 160 octets a packet.
    Pcma,
    /// G.711 µ-law, 160 octets a packet.
    Pcmu,
    /// G.726 at 32 kbit/s, 80 octets a packet.
    G726(Packing),
}

/// Which ways media flows, seen from this end.
///
/// RFC 3264 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Both ways.
    Both,
    /// Only from us.
    Sending,
    /// Only to us.
    Receiving,
    /// Neither way: on hold.
    None,
}

impl Flow {
    /// Whether this end sends.
    ///
    /// RFC 3264 5.1
    pub fn sends(self) -> bool {
        matches!(self, Self::Both | Self::Sending)
    }

    /// Whether this end listens.
    ///
    /// RFC 3264 5.1
    pub fn receives(self) -> bool {
        matches!(self, Self::Both | Self::Receiving)
    }
}

/// All that a stream needs.
///
/// RFC 3550 5.1
#[derive(Debug)]
pub struct TalkPlan {
    /// The coding of both ways.
    pub encoding: Encoding,
    /// The payload type of both ways.
    pub payload_type: u8,
    /// Our synchronisation source.
    pub ssrc: u32,
    /// The keys of both ways; none: in the clear.
    pub keys: Option<(SenderKeys, ReceiverKeys)>,
    /// Which ways media flows.
    pub flow: Flow,
    /// The first sequence number, below 2^15 (RFC 3711 3.3.1).
    pub first_sequence: u16,
    /// The first RTP time.
    pub first_timestamp: u32,
}

/// What a talk has counted.
///
/// RFC 3550 6.4.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_field_names, reason = "the names of the JSON lines")]
pub struct Counters {
    /// Packets sent.
    pub packets_sent: u64,
    /// Packets accepted.
    pub packets_received: u64,
    /// Packets that SRTP refused.
    pub packets_unauthentic: u64,
    /// Packets that are no RTP, of another payload type, too late or twice.
    pub packets_refused: u64,
}

/// Why a received packet was not used.
///
/// RFC 3550 A.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// SRTP refused it.
    #[error("SRTP refused the packet")]
    Unauthentic,
    /// It is not RTP of this stream.
    #[error("not an RTP packet of this stream")]
    NotOfThisStream,
    /// It came twice or too late.
    #[error("the packet came twice or too late")]
    TwiceOrLate,
    /// The stream does not listen now.
    #[error("the stream does not listen")]
    NotListening,
}

/// The media of one end of one call.
///
/// RFC 3550 5.1, RFC 3711 3.1
#[derive(Debug)]
pub struct Talk {
    encoding: Encoding,
    payload_type: u8,
    ssrc: u32,
    flow: Flow,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    next: Instant,
    to_play: VecDeque<i16>,
    recorded: Vec<i16>,
    hearing: Option<Hearing>,
    /// What was heard is handed on frame by frame, not recorded.
    live: Option<Live>,
    protection: Option<(Sender, Receiver)>,
    encoder: Encoder,
    decoder: Decoder,
    counters: Counters,
}

/// What was heard and waits to be handed on.
#[derive(Debug)]
struct Live {
    jitter: JitterBuffer,
    /// Decoded samples: packets need not have 20 ms.
    samples: VecDeque<i16>,
}

/// The remote stream that is being recorded.
#[derive(Clone, Copy, Debug)]
struct Hearing {
    ssrc: u32,
    highest: u16,
    /// RTP time of the first sample of the recording.
    origin: u32,
    /// Where in the recording the stream began.
    base: usize,
}

impl Talk {
    /// A stream whose first packet is due now.
    ///
    /// RFC 3550 5.1
    pub fn new(now: Instant, plan: TalkPlan) -> Self {
        let packing = match plan.encoding {
            Encoding::G726(packing) => packing,
            Encoding::Pcma | Encoding::Pcmu => Packing::Aal2,
        };
        Self {
            encoding: plan.encoding,
            payload_type: plan.payload_type & 0x7f,
            ssrc: plan.ssrc,
            flow: plan.flow,
            sequence: plan.first_sequence,
            timestamp: plan.first_timestamp,
            marker: true,
            next: now,
            to_play: VecDeque::new(),
            recorded: Vec::new(),
            hearing: None,
            live: None,
            protection: plan.keys.map(|(sender, receiver)| (Sender::new(sender), Receiver::new(receiver))),
            encoder: Encoder::new(packing),
            decoder: Decoder::new(packing),
            counters: Counters::default(),
        }
    }

    /// The same; what is heard is not recorded but handed on with [`take_frame`](Self::take_frame), after so many packets of
    /// patience with those that are late.
    ///
    /// RFC 3550 6.4.1
    pub fn live(now: Instant, plan: TalkPlan, depth: usize) -> Self {
        let mut config = JitterConfig::new(depth);
        config.frame_octets = LARGEST;
        let jitter = JitterBuffer::new(config);
        let live = Some(Live { jitter, samples: VecDeque::new() });
        Self { live, ..Self::new(now, plan) }
    }

    /// What is to be played in the next 20 ms: silence where nothing was heard or a packet was lost.
    ///
    /// RFC 3550 6.4.1
    pub fn take_frame(&mut self) -> [i16; 160] {
        let mut frame = [0; SAMPLES];
        let Some(live) = &mut self.live else { return frame };
        while live.samples.len() < SAMPLES {
            match live.jitter.pop() {
                Played::Frame(octets) => match self.encoding {
                    Encoding::Pcma => {
                        live.samples.extend(octets.iter().map(|octet| g711::alaw_decode(*octet)));
                    }
                    Encoding::Pcmu => {
                        live.samples.extend(octets.iter().map(|octet| g711::ulaw_decode(*octet)));
                    }
                    Encoding::G726(_) => {
                        let mut samples = [0_i16; 2 * LARGEST];
                        let count = (octets.len() * 2).min(samples.len());
                        self.decoder.decode(octets, samples.get_mut(..count).unwrap_or_default());
                        live.samples.extend(samples.iter().take(count));
                    }
                },
                Played::Lost => live.samples.extend([0; SAMPLES]),
                Played::Empty => break,
            }
        }
        for (slot, sample) in frame.iter_mut().zip(live.samples.drain(..live.samples.len().min(SAMPLES))) {
            *slot = sample;
        }
        frame
    }

    /// Speaks these samples (8 kHz) after those that still wait; silence is spoken when there are none.
    ///
    /// RFC 3551 4.5.14
    pub fn play(&mut self, samples: &[i16]) {
        let room = LONGEST.saturating_sub(self.to_play.len());
        self.to_play.extend(samples.iter().take(room));
    }

    /// Changes the ways media flows: hold and retrieve.
    ///
    /// RFC 3264 8.4
    pub fn redirect(&mut self, now: Instant, flow: Flow) {
        if flow.sends() && !self.flow.sends() {
            let pause = now.saturating_duration_since(self.next);
            let samples = (pause.as_millis() as u32).wrapping_mul(8);
            self.timestamp = self.timestamp.wrapping_add(samples);
            self.next = now;
            self.marker = true;
        }
        self.flow = flow;
    }

    /// The packet that is due at `now`: appended to `buffer`, its length returned.
    ///
    /// RFC 3550 5.1, RFC 3711 3.3
    pub fn poll_packet(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<usize> {
        if !self.flow.sends() || now < self.next {
            return None;
        }
        // After a long sleep of the owner the stream goes on from now; the lost time is not sent in one burst.
        if now.saturating_duration_since(self.next) > BEHIND {
            self.next = now;
        }
        self.next += FRAME;
        let mut samples = [0_i16; SAMPLES];
        for slot in &mut samples {
            *slot = self.to_play.pop_front().unwrap_or_default();
        }
        let start = buffer.len();
        let first = if self.marker { 0x80 } else { 0 } | self.payload_type;
        self.marker = false;
        buffer.extend_from_slice(&[0x80, first]);
        buffer.extend_from_slice(&self.sequence.to_be_bytes());
        buffer.extend_from_slice(&self.timestamp.to_be_bytes());
        buffer.extend_from_slice(&self.ssrc.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
        match self.encoding {
            Encoding::Pcma => buffer.extend(samples.iter().map(|sample| g711::alaw_encode(*sample))),
            Encoding::Pcmu => buffer.extend(samples.iter().map(|sample| g711::ulaw_encode(*sample))),
            Encoding::G726(_) => {
                let mut coded = [0_u8; SAMPLES / 2];
                self.encoder.encode(&samples, &mut coded);
                buffer.extend_from_slice(&coded);
            }
        }
        let length = buffer.len() - start;
        let total = if let Some((sender, _)) = &mut self.protection {
            buffer.resize(start + length + ROOM, 0);
            let packet = buffer.get_mut(start..).unwrap_or_default();
            // A key at the end of its life sends nothing more (RFC 3711 9.2).
            let Ok(total) = sender.protect(packet, length) else {
                buffer.truncate(start);
                return None;
            };
            buffer.truncate(start + total);
            total
        } else {
            length
        };
        self.counters.packets_sent += 1;
        Some(total)
    }

    /// Takes a datagram; it is decrypted in place.
    ///
    /// RFC 3550 A.1, RFC 3711 3.3
    pub fn handle_packet(&mut self, _now: Instant, datagram: &mut [u8]) -> Result<(), Unusable> {
        if !self.flow.receives() {
            return Err(Unusable::NotListening);
        }
        let length = match &mut self.protection {
            Some((_, receiver)) => {
                let Ok(length) = receiver.unprotect(datagram) else {
                    self.counters.packets_unauthentic += 1;
                    return Err(Unusable::Unauthentic);
                };
                length
            }
            None => datagram.len(),
        };
        let heard = self.hear(datagram.get(..length).unwrap_or_default());
        match heard {
            Ok(()) => self.counters.packets_received += 1,
            Err(_) => self.counters.packets_refused += 1,
        }
        heard
    }

    fn hear(&mut self, packet: &[u8]) -> Result<(), Unusable> {
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3, rest @ ..] = packet else {
            return Err(Unusable::NotOfThisStream);
        };
        // Version 2, no padding, no extension, no contributing sources: what the ends of this project send.
        if *first != 0x80 || second & 0x7f != self.payload_type || rest.len() > LARGEST {
            return Err(Unusable::NotOfThisStream);
        }
        let sequence = u16::from_be_bytes([*s0, *s1]);
        let timestamp = u32::from_be_bytes([*t0, *t1, *t2, *t3]);
        if let Some(live) = &mut self.live {
            live.jitter.push(sequence, timestamp, rest);
            return Ok(());
        }
        let ssrc = u32::from_be_bytes([*c0, *c1, *c2, *c3]);
        let hearing = match self.hearing {
            Some(hearing) if hearing.ssrc == ssrc => {
                let ahead = sequence.wrapping_sub(hearing.highest);
                if ahead == 0 || ahead > 0x8000 {
                    return Err(Unusable::TwiceOrLate);
                }
                Hearing { highest: sequence, ..hearing }
            }
            Some(_) | None => {
                Hearing { ssrc, highest: sequence, origin: timestamp, base: self.recorded.len() }
            }
        };
        self.hearing = Some(hearing);
        let place = hearing.base.saturating_add(timestamp.wrapping_sub(hearing.origin) as usize);
        if place > LONGEST {
            return Err(Unusable::TwiceOrLate);
        }
        let mut samples = [0_i16; 2 * LARGEST];
        let count = match self.encoding {
            Encoding::Pcma => copy(&mut samples, rest.iter().map(|octet| g711::alaw_decode(*octet))),
            Encoding::Pcmu => copy(&mut samples, rest.iter().map(|octet| g711::ulaw_decode(*octet))),
            Encoding::G726(_) => {
                let count = rest.len() * 2;
                self.decoder.decode(rest, samples.get_mut(..count).unwrap_or_default());
                count
            }
        };
        if self.recorded.len() < place {
            self.recorded.resize(place, 0);
        }
        self.recorded.truncate(place);
        self.recorded.extend_from_slice(samples.get(..count).unwrap_or_default());
        Ok(())
    }

    /// What was heard so far, from the first packet on.
    ///
    /// RFC 3550 6.4.1
    pub fn recorded(&self) -> &[i16] {
        &self.recorded
    }

    /// Takes the recording away; the next packet begins a new one.
    ///
    /// RFC 3550 6.4.1
    pub fn take_recorded(&mut self) -> Vec<i16> {
        self.hearing = None;
        core::mem::take(&mut self.recorded)
    }

    /// What was counted so far.
    ///
    /// RFC 3550 6.4.1
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether samples still wait to be spoken.
    ///
    /// RFC 3551 4.5.14
    pub fn is_playing(&self) -> bool {
        !self.to_play.is_empty()
    }

    /// Whether the stream sends: it is not on hold.
    ///
    /// RFC 3264 8.4
    pub fn is_speaking(&self) -> bool {
        self.flow.sends()
    }

    /// When the next packet is due.
    ///
    /// RFC 3551 4.2
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flow.sends().then_some(self.next)
    }
}

fn copy(samples: &mut [i16], decoded: impl Iterator<Item = i16>) -> usize {
    let mut count = 0;
    for (slot, sample) in samples.iter_mut().zip(decoded) {
        *slot = sample;
        count += 1;
    }
    count
}

/// RFC 3551 4.2: 20 ms.
const FRAME: Duration = Duration::from_millis(20);
const SAMPLES: usize = 160;
/// Octets of the longest packet: what fits into a frame of Ethernet. Stacks were seen that send 140 ms at once.
const LARGEST: usize = 1460;
/// MKI and authentication tag of SRTP.
const ROOM: usize = 160;
/// Ten minutes of samples: the longest recording and the longest queue.
const LONGEST: usize = 8000 * 600;
const BEHIND: Duration = Duration::from_secs(1);
