//! What the core tells the media workers, and what they tell the core.

use std::net::SocketAddr;

use srtp_sdes::{Agreed, ReceiverKeys, SenderKeys};
use telephony_audio::g726::Packing;
use telephony_audio::tones::Tone;

/// One voice channel: its sockets exist from the start, so that an offer can name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u16);

/// The addresses of one voice channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its number.
    pub id: ChannelId,
    /// RTP towards Lync.
    pub network_rtp: SocketAddr,
    /// RTCP towards Lync.
    pub network_rtcp: SocketAddr,
    /// RTP towards the base station.
    pub radio: SocketAddr,
}

/// The codec towards Lync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum G711 {
    /// PCMA, payload type 8.
    ALaw,
    /// PCMU, payload type 0.
    MuLaw,
}

impl G711 {
    /// The encoding name of the RTP profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::ALaw => "PCMA",
            Self::MuLaw => "PCMU",
        }
    }
}

/// Which ways speech flows on the network side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flowing {
    /// We send to the peer.
    pub send: bool,
    /// We take what the peer sends.
    pub receive: bool,
}

impl Flowing {
    /// Both ways.
    pub const BOTH: Self = Self { send: true, receive: true };
    /// Neither way: held.
    pub const NONE: Self = Self { send: false, receive: false };
}

/// The side towards Lync.
#[derive(Clone, Debug)]
pub struct NetworkLeg {
    /// Where RTP goes.
    pub remote_rtp: SocketAddr,
    /// Where RTCP goes; none while no way for it is known.
    pub remote_rtcp: Option<SocketAddr>,
    /// Payload type of the codec.
    pub payload_type: u8,
    /// The codec.
    pub codec: G711,
    /// Payload type of telephone events, if agreed.
    pub telephone_event: Option<u8>,
    /// Our synchronisation source.
    pub ssrc: u32,
    /// Keys of both directions, or clear.
    pub agreed: Agreed,
    /// Directions.
    pub flowing: Flowing,
}

/// The side towards the base station.
#[derive(Clone, Debug)]
pub struct RadioLeg {
    /// Where the base station receives.
    pub remote: SocketAddr,
    /// Our synchronisation source.
    pub ssrc: u32,
    /// Order of the samples in an octet.
    pub packing: Packing,
    /// Keys of both directions if the bearer is protected: ours and the base station's.
    pub keys: Option<(SenderKeys, ReceiverKeys)>,
}

/// Everything a media worker needs to carry one call.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// The channel.
    pub channel: ChannelId,
    /// Towards Lync; none while only tones go to the handset.
    pub network: Option<NetworkLeg>,
    /// Towards the handset.
    pub radio: RadioLeg,
}

/// A command to the media workers.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// Carry a call, or go on with changed directions or keys: contexts whose keys are the same are kept.
    Install(Box<StreamPlan>),
    /// Report the STUN messages that come to a channel, until it is removed.
    Listen {
        /// The channel.
        channel: ChannelId,
    },
    /// Send a STUN message.
    Check {
        /// The channel.
        channel: ChannelId,
        /// Of the socket of RTP (1) or RTCP (2).
        component: u16,
        /// Where to.
        to: SocketAddr,
        /// The message.
        octets: Vec<u8>,
    },
    /// Play a tone to the handset instead of the network's speech, or stop it.
    Tone {
        /// The channel.
        channel: ChannelId,
        /// The tone; none stops it.
        tone: Option<Tone>,
    },
    /// Forget the call.
    Remove {
        /// The channel.
        channel: ChannelId,
    },
}

/// One side of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards Lync.
    Network,
    /// Towards the base station.
    Radio,
}

/// Counters of one channel, since its call was installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets sent to Lync.
    pub network_sent: u64,
    /// Packets from Lync that were accepted.
    pub network_received: u64,
    /// Packets from Lync that were refused: wrong key, replayed, malformed.
    pub network_refused: u64,
    /// Packets sent to the base station.
    pub radio_sent: u64,
    /// Packets from the base station.
    pub radio_received: u64,
}

/// A report of the media workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The first good packet of a side arrived.
    FirstPacket {
        /// The channel.
        channel: ChannelId,
        /// Which side.
        side: Side,
    },
    /// Nothing good arrived from a side for some seconds although it should.
    Silent {
        /// The channel.
        channel: ChannelId,
        /// Which side.
        side: Side,
    },
    /// A STUN message came to a channel that listens for them.
    Check {
        /// The channel.
        channel: ChannelId,
        /// At the socket of RTP (1) or RTCP (2).
        component: u16,
        /// Where from.
        from: SocketAddr,
        /// The message.
        octets: Vec<u8>,
    },
    /// Our sending key is near the end of its lifetime.
    KeyNearLimit {
        /// The channel.
        channel: ChannelId,
    },
    /// Final counters, after `Remove`.
    Report {
        /// The channel.
        channel: ChannelId,
        /// The counters.
        counters: Counters,
    },
}
