//! One call's speech: SRTP and G.711 towards Lync, G.726 towards the base station. Sans-IO, no allocation per packet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use srtp_sdes::{Agreed, KeyLife, Receiver, Sender};
use telephony_audio::tones::{Tone, ToneGenerator};
use telephony_audio::{g711, g726, rtp};

use super::plan::{ChannelId, Counters, G711, MediaEvent, Side, StreamPlan};

/// Room for one datagram: more than any speech packet with its tag.
pub const PACKET: usize = 2048;
/// Samples of one packet towards the base station: 20 ms.
const FRAME: usize = 160;
/// Octets of one such packet.
const RADIO_PAYLOAD: usize = FRAME / 2;
/// Payload type on the radio link: dynamic, named in docs/radio-link.md.
const RADIO_PAYLOAD_TYPE: u8 = 96;
/// A side that should speak and does not for this long is reported.
pub const SILENCE: Duration = Duration::from_secs(5);
/// RTCP is sent this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Longest speech taken from one packet: 200 ms.
const LONGEST: usize = 1600;

/// A packet to send, at the front of the buffer that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// RTP towards Lync.
    Network {
        /// Where to.
        to: SocketAddr,
        /// Octets.
        length: usize,
    },
    /// RTCP towards Lync.
    NetworkControl {
        /// Where to.
        to: SocketAddr,
        /// Octets.
        length: usize,
    },
    /// RTP towards the base station.
    Radio {
        /// Where to.
        to: SocketAddr,
        /// Octets.
        length: usize,
    },
}

/// Sequence numbers and time stamps of one direction: the sender's gaps stay visible, its start does not.
#[derive(Clone, Copy, Debug)]
struct Numbering {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    started: bool,
}

impl Numbering {
    /// The first sequence number is below 2^15, so that an early loss cannot hide a wrap (RFC 3711 3.3.1).
    fn new(ssrc: u32) -> Self {
        Self { ssrc, sequence: (ssrc >> 17) as u16, timestamp: ssrc.rotate_left(16), started: false }
    }

    /// Header of the next packet, `skipped` frames after the one before.
    fn next(&mut self, payload_type: u8, skipped: u16) -> rtp::RtpHeader {
        let marker = !self.started;
        if self.started {
            let steps = skipped.wrapping_add(1);
            self.sequence = self.sequence.wrapping_add(steps);
            self.timestamp = self.timestamp.wrapping_add(u32::from(steps) * FRAME as u32);
        }
        self.started = true;
        rtp::RtpHeader {
            marker,
            payload_type,
            sequence_number: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        }
    }
}

/// What arrived from one side: its newest packet, to notice gaps and drop what is late.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    newest: Option<(u32, u16)>,
    last: Option<Instant>,
    told_first: bool,
    told_silent: bool,
}

impl Heard {
    /// Frames that were skipped before this packet; none when it comes too late to be of use.
    fn skipped(&mut self, ssrc: u32, sequence: u16) -> Option<u16> {
        let skipped = match self.newest {
            Some((known, newest)) if known == ssrc => {
                let ahead = sequence.wrapping_sub(newest);
                if ahead == 0 || ahead >= 1 << 15 {
                    return None;
                }
                // After a long silence the stream goes on instead of jumping.
                if ahead > 500 { 0 } else { ahead - 1 }
            }
            Some(_) | None => 0,
        };
        self.newest = Some((ssrc, sequence));
        Some(skipped)
    }
}

/// One call's speech.
#[derive(Debug)]
pub struct Stream {
    plan: StreamPlan,
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    /// Both directions of a protected bearer.
    bearer: Option<(Sender, Receiver)>,
    decoder: g726::Decoder,
    encoder: g726::Encoder,
    to_network: Numbering,
    to_radio: Numbering,
    from_network: Heard,
    from_radio: Heard,
    /// Samples from Lync that do not fill a frame yet.
    waiting: [i16; FRAME],
    filled: usize,
    tone: Option<ToneGenerator>,
    counters: Counters,
    octets_sent: u32,
    started: Instant,
    next_report: Instant,
    key_told: bool,
    events: [Option<MediaEvent>; 4],
}

impl Stream {
    /// Begins a call.
    pub fn new(now: Instant, plan: StreamPlan) -> Self {
        let (sender, receiver) = contexts(&plan);
        let ssrc = plan.network.as_ref().map_or(0, |network| network.ssrc);
        Self {
            sender,
            receiver,
            bearer: bearer_contexts(&plan),
            decoder: g726::Decoder::new(plan.radio.packing),
            encoder: g726::Encoder::new(plan.radio.packing),
            to_network: Numbering::new(ssrc),
            to_radio: Numbering::new(plan.radio.ssrc),
            from_network: Heard::default(),
            from_radio: Heard::default(),
            waiting: [0; FRAME],
            filled: 0,
            tone: None,
            counters: Counters::default(),
            octets_sent: 0,
            started: now,
            next_report: now + REPORT_INTERVAL,
            key_told: false,
            events: [const { None }; 4],
            plan,
        }
    }

    /// Goes on with a changed plan: contexts whose keys are the same are kept, and so is the numbering of a kept source.
    pub fn change(&mut self, now: Instant, plan: StreamPlan) {
        let same = match (&self.plan.network, &plan.network) {
            (Some(old), Some(new)) => old.agreed == new.agreed,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            (self.sender, self.receiver) = contexts(&plan);
            self.key_told = false;
        }
        if self.plan.radio.keys != plan.radio.keys {
            self.bearer = bearer_contexts(&plan);
        }
        if self.plan.radio.ssrc != plan.radio.ssrc {
            // Another bearer: both ends of it begin with new coders.
            self.decoder = g726::Decoder::new(plan.radio.packing);
            self.encoder = g726::Encoder::new(plan.radio.packing);
            self.from_radio = Heard::default();
            self.filled = 0;
        }
        let ssrc = plan.network.as_ref().map_or(0, |network| network.ssrc);
        if self.to_network.ssrc != ssrc {
            self.to_network = Numbering::new(ssrc);
        }
        if self.to_radio.ssrc != plan.radio.ssrc {
            self.to_radio = Numbering::new(plan.radio.ssrc);
        }
        // Whoever was allowed to be silent gets his time again.
        self.from_network.last = Some(now);
        self.from_network.told_silent = false;
        self.plan = plan;
    }

    /// Plays a tone to the handset, or stops it.
    pub fn tone(&mut self, tone: Option<Tone>) {
        self.tone = tone.map(ToneGenerator::new);
    }

    /// A datagram of the base station is at the front of `packet`.
    pub fn take_radio(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &mut [u8; PACKET],
        length: usize,
    ) -> Option<Outgoing> {
        if from != self.plan.radio.remote {
            return None;
        }
        let length = match &mut self.bearer {
            Some((_, receiver)) => receiver.unprotect(packet.get_mut(..length)?).ok()?,
            None => length,
        };
        let (header, payload) = rtp::RtpHeader::parse(packet.get(..length)?).ok()?;
        let payload: [u8; RADIO_PAYLOAD] = packet.get(payload)?.try_into().ok()?;
        self.counters.radio_received += 1;
        self.hear(now, Side::Radio);
        let skipped = self.from_radio.skipped(header.ssrc, header.sequence_number)?;
        // The decoder follows the handset's speech even while nobody listens.
        let mut samples = [0i16; FRAME];
        self.decoder.decode(&payload, &mut samples);
        let network = self.plan.network.as_ref()?;
        if !network.flowing.send {
            return None;
        }
        let header = self.to_network.next(network.payload_type, skipped);
        let start = put_header(header, packet);
        let speech = packet.get_mut(start..start + FRAME)?;
        match network.codec {
            G711::ALaw => g711::encode_alaw(&samples, speech),
            G711::MuLaw => g711::encode_ulaw(&samples, speech),
        }
        let length = match &mut self.sender {
            Some(sender) => sender.protect(&mut packet[..], start + FRAME).ok()?,
            None => start + FRAME,
        };
        self.counters.network_sent += 1;
        self.octets_sent = self.octets_sent.wrapping_add(FRAME as u32);
        Some(Outgoing::Network { to: network.remote_rtp, length })
    }

    /// A datagram of the peer's RTP is at the front of `packet`; `send` gets what goes to the base station.
    pub fn take_network(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &mut [u8; PACKET],
        length: usize,
        mut send: impl FnMut(Outgoing, &[u8]),
    ) {
        let mut speech = [0i16; LONGEST];
        if let Some((count, skipped)) = self.speech_of_network(now, from, packet, length, &mut speech) {
            self.group_for_handset(&speech[..count], skipped, packet, &mut send);
        }
    }

    /// Samples of a good packet that the handset should hear, and the frames missing before it.
    fn speech_of_network(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &mut [u8; PACKET],
        length: usize,
        speech: &mut [i16; LONGEST],
    ) -> Option<(usize, u16)> {
        // RFC 7983: what is no RTP (STUN, DTLS) is not for us.
        if !packet.first().is_some_and(|first| (128..=191).contains(first)) {
            return None;
        }
        let network = self.plan.network.as_ref()?;
        let length = match &mut self.receiver {
            Some(receiver) => {
                let Ok(length) = receiver.unprotect(packet.get_mut(..length)?) else {
                    self.counters.network_refused += 1;
                    return None;
                };
                length
            }
            // In clear, only the address tells friend from foe.
            None if from.ip() != network.remote_rtp.ip() => {
                self.counters.network_refused += 1;
                return None;
            }
            None => length,
        };
        let (header, payload) = rtp::RtpHeader::parse(packet.get(..length)?).ok()?;
        let payload = packet.get(payload)?;
        let flowing = network.flowing.receive;
        let codec = match header.payload_type {
            0 => G711::MuLaw,
            8 => G711::ALaw,
            // Comfort noise, telephone events: the handset hears silence.
            _ => return None,
        };
        let samples = speech.get_mut(..payload.len())?;
        match codec {
            G711::ALaw => g711::decode_alaw(payload, samples),
            G711::MuLaw => g711::decode_ulaw(payload, samples),
        }
        let count = samples.len();
        self.counters.network_received += 1;
        self.hear(now, Side::Network);
        let skipped = self.from_network.skipped(header.ssrc, header.sequence_number)?;
        (flowing && self.tone.is_none()).then_some((count, skipped))
    }

    /// Groups speech into frames of 20 ms, whatever the peer's packets hold.
    fn group_for_handset(
        &mut self,
        speech: &[i16],
        skipped: u16,
        packet: &mut [u8; PACKET],
        send: &mut impl FnMut(Outgoing, &[u8]),
    ) {
        if skipped > 0 {
            self.filled = 0;
        }
        let mut skipped = skipped;
        for sample in speech {
            self.waiting[self.filled] = *sample;
            self.filled += 1;
            if self.filled == FRAME {
                self.filled = 0;
                let frame = self.waiting;
                if let Some(outgoing) = self.frame_to_radio(&frame, std::mem::take(&mut skipped), packet) {
                    send(outgoing, &packet[..]);
                }
            }
        }
    }

    /// A datagram of the peer's RTCP is at the front of `packet`.
    pub fn take_network_rtcp(&mut self, packet: &mut [u8; PACKET], length: usize) {
        if let (Some(receiver), Some(packet)) = (&mut self.receiver, packet.get_mut(..length))
            && receiver.unprotect_rtcp(packet).is_err()
        {
            self.counters.network_refused += 1;
        }
    }

    /// Tones, reports and time-outs; call it every 20 ms.
    pub fn tick(&mut self, now: Instant, packet: &mut [u8; PACKET], mut send: impl FnMut(Outgoing, &[u8])) {
        let mut frame = [0i16; FRAME];
        if let Some(tone) = &mut self.tone {
            tone.fill(&mut frame);
            if let Some(outgoing) = self.frame_to_radio(&frame, 0, packet) {
                send(outgoing, &packet[..]);
            }
        }
        if now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            if let Some(outgoing) = self.report(now, packet) {
                send(outgoing, &packet[..]);
            }
        }
        self.look_for_silence(now);
        if !self.key_told && self.sender.as_ref().is_some_and(|sender| sender.key_life() != KeyLife::Fresh) {
            self.key_told = true;
            self.note(MediaEvent::KeyNearLimit { channel: self.plan.channel });
        }
    }

    /// Hands over what happened since the last call.
    pub fn reports(&mut self, _channel: ChannelId, report: &dyn Fn(MediaEvent)) {
        for event in &mut self.events {
            if let Some(event) = event.take() {
                report(event);
            }
        }
    }

    /// The counters of the call.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn frame_to_radio(
        &mut self,
        samples: &[i16; FRAME],
        skipped: u16,
        packet: &mut [u8; PACKET],
    ) -> Option<Outgoing> {
        let header = self.to_radio.next(RADIO_PAYLOAD_TYPE, skipped);
        let start = put_header(header, packet);
        self.encoder.encode(samples, packet.get_mut(start..start + RADIO_PAYLOAD)?);
        let length = match &mut self.bearer {
            Some((sender, _)) => sender.protect(&mut packet[..], start + RADIO_PAYLOAD).ok()?,
            None => start + RADIO_PAYLOAD,
        };
        self.counters.radio_sent += 1;
        Some(Outgoing::Radio { to: self.plan.radio.remote, length })
    }

    fn hear(&mut self, now: Instant, side: Side) {
        let channel = self.plan.channel;
        let heard = match side {
            Side::Network => &mut self.from_network,
            Side::Radio => &mut self.from_radio,
        };
        heard.last = Some(now);
        heard.told_silent = false;
        if !heard.told_first {
            heard.told_first = true;
            self.note(MediaEvent::FirstPacket { channel, side });
        }
    }

    fn look_for_silence(&mut self, now: Instant) {
        let channel = self.plan.channel;
        let expected = self.plan.network.as_ref().is_some_and(|network| network.flowing.receive);
        let silent = |heard: &Heard, started: Instant| {
            !heard.told_silent && now.saturating_duration_since(heard.last.unwrap_or(started)) >= SILENCE
        };
        if expected && silent(&self.from_network, self.started) {
            self.from_network.told_silent = true;
            self.note(MediaEvent::Silent { channel, side: Side::Network });
        }
        if silent(&self.from_radio, self.started) {
            self.from_radio.told_silent = true;
            self.note(MediaEvent::Silent { channel, side: Side::Radio });
        }
    }

    fn note(&mut self, event: MediaEvent) {
        if let Some(free) = self.events.iter_mut().find(|place| place.is_none()) {
            *free = Some(event);
        }
    }

    /// Sender report and source description (RFC 3550 6.4.1, 6.5).
    fn report(&mut self, now: Instant, packet: &mut [u8; PACKET]) -> Option<Outgoing> {
        let to = self.plan.network.as_ref()?.remote_rtcp?;
        let ssrc = self.to_network.ssrc.to_be_bytes();
        // No wall clock here: seconds since the call began, which RFC 3550 6.4.1 allows.
        let since = now.saturating_duration_since(self.started);
        let mut length = 0;
        let mut put = |octets: &[u8]| {
            packet[length..length + octets.len()].copy_from_slice(octets);
            length += octets.len();
        };
        put(&[0x80, 200, 0, 6]);
        put(&ssrc);
        put(&(since.as_secs() as u32).to_be_bytes());
        put(&((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000).to_be_bytes()[4..]);
        put(&self.to_network.timestamp.to_be_bytes());
        put(&(self.counters.network_sent as u32).to_be_bytes());
        put(&self.octets_sent.to_be_bytes());
        // CNAME: the source in hexadecimal, so that it tells nothing of the user (RFC 7022).
        put(&[0x81, 202, 0, 4]);
        put(&ssrc);
        put(&[1, 8]);
        for octet in ssrc {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            put(&[digit(octet >> 4), digit(octet & 15)]);
        }
        put(&[0, 0]);
        let length = match &mut self.sender {
            Some(sender) => sender.protect_rtcp(&mut packet[..], length).ok()?,
            None => length,
        };
        Some(Outgoing::NetworkControl { to, length })
    }
}

fn bearer_contexts(plan: &StreamPlan) -> Option<(Sender, Receiver)> {
    let (sender, receiver) = plan.radio.keys.clone()?;
    Some((Sender::new(sender), Receiver::new(receiver)))
}

fn put_header(header: rtp::RtpHeader, packet: &mut [u8; PACKET]) -> usize {
    let octets = header.emit();
    packet[..octets.len()].copy_from_slice(&octets);
    octets.len()
}

fn contexts(plan: &StreamPlan) -> (Option<Sender>, Option<Receiver>) {
    match plan.network.as_ref().map(|network| &network.agreed) {
        Some(Agreed::Protected { sender, receiver, .. }) => {
            (Some(Sender::new(sender.clone())), Some(Receiver::new(receiver.clone())))
        }
        _ => (None, None),
    }
}
