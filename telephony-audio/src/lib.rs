//! Telephone audio at 8 kHz: the codecs between a desk phone and a DECT handset, and what stands between packets and ears.
//! Everything is a function or a value; time, packets and samples come in as arguments, and no frame costs an allocation.
//! A program that carries calls takes one encoder, one decoder and one jitter buffer per stream.
//!
//! # Standards
//!
//! - [x] ITU-T G.711: A-law and µ-law ([`g711`])
//! - [x] ITU-T G.726 at 32 kbit/s, packed as in RFC 3551 4.5.4 and ITU-T I.366.2 ([`g726`])
//! - [ ] ITU-T G.726 at 16, 24 and 40 kbit/s
//! - [ ] ITU-T G.722
//! - [x] RFC 3550 5.1: RTP header ([`rtp`])
//! - [x] ITU-T E.180 tones at 425 Hz, ITU-T Q.23 keys ([`tones`])
//! - [x] loss concealment by repeated pitch periods, in the manner of ITU-T G.711 appendix I, not bit-exact ([`concealment`])
//! - [ ] RFC 3389 comfort noise
//! - [ ] RFC 4733 telephone events
//!
//! # One frame
//!
//! ```
//! use telephony_audio::concealment::Concealment;
//! use telephony_audio::g711;
//! use telephony_audio::g726::{Encoder, Packing};
//! use telephony_audio::jitter::{JitterBuffer, JitterConfig, Played};
//! use telephony_audio::rtp::RtpHeader;
//!
//! let mut jitter = JitterBuffer::new(JitterConfig::new(1));
//! let mut concealment = Concealment::new();
//! let mut encoder = Encoder::new(Packing::Aal2);
//!
//! // A packet comes in at any time.
//! let mut packet = RtpHeader { marker: false, payload_type: 8, sequence_number: 7, timestamp: 0, ssrc: 1 }.emit().to_vec();
//! packet.extend([0xd5; 160]);
//! let (header, payload) = RtpHeader::parse(&packet)?;
//! jitter.push(header.sequence_number, header.timestamp, &packet[payload]);
//!
//! // Every 20 ms a frame goes out.
//! let mut samples = [0_i16; 160];
//! match jitter.pop() {
//!     Played::Frame(alaw) => {
//!         g711::decode_alaw(alaw, &mut samples);
//!         concealment.good(&mut samples);
//!     }
//!     Played::Lost => concealment.conceal(&mut samples),
//!     Played::Empty => samples.fill(0),
//! }
//! let mut radio = [0_u8; 80];
//! assert_eq!(encoder.encode(&samples, &mut radio), 80);
//! # Ok::<(), telephony_audio::Error>(())
//! ```
//!
//! # Deliberately absent
//!
//! Echo cancellation (the handset's task), resampling (both sides have 8 kHz), sockets and clocks.
#![forbid(unsafe_code)]

pub mod concealment;
pub mod correlation;
mod error;
pub mod g711;
pub mod g726;
pub mod jitter;
pub mod rtp;
pub mod tones;

pub use error::Error;

/// The example of the read-me file is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
