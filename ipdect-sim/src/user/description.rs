//! The session descriptions of a simulated user.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_lync::ice::DataStream;
use sip_lync::sdp::{
    AudioAnswer, AudioCodec, AudioOffer, Direction, MediaDescription, SessionDescription, audio_answer,
    audio_offer,
};
use srtp_sdes::{Offered, Profile};

use super::UserConfig;
use crate::talk::{Encoding, Flow};

/// What the other side's description means for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// Where RTP goes.
    pub(super) rtp: SocketAddr,
    pub(super) encoding: Encoding,
    pub(super) payload_type: u8,
    pub(super) profile: Profile,
    /// The values of `a=crypto:`.
    pub(super) crypto: Vec<String>,
    /// Which ways it leaves us: we send where it receives.
    pub(super) flow: Flow,
    session: SessionDescription,
    line: usize,
}

impl Described {
    /// The description and the line of it that was chosen.
    pub(super) fn line(&self) -> Option<(&SessionDescription, &MediaDescription)> {
        Some((&self.session, self.session.media.get(self.line)?))
    }
}

/// Reads a description; of the encodings both sides have, the first of `ours` is taken.
pub(super) fn read(body: &[u8], ours: &[Encoding]) -> Result<Described, &'static str> {
    let session = SessionDescription::parse_bytes(body).map_err(|_| "the description cannot be read")?;
    let (_, media) = session.audio().ok_or("the description has no audio")?;
    let chosen = AudioAnswer::choose(&session, &codecs(ours)).map_err(|_| "there is no common encoding")?;
    let speech = chosen.speech().ok_or("there is no common encoding")?;
    let rtp = media.rtp(&session).ok_or("the audio has no address")?;
    let on_hold = session.connection_of(media).is_some_and(sip_lync::sdp::Connection::is_unspecified);
    let profile = Profile::from_token(&media.protocol).ok_or("the audio is neither RTP/AVP nor RTP/SAVP")?;
    let encoding =
        if speech.map.encoding.eq_ignore_ascii_case("PCMA") { Encoding::Pcma } else { Encoding::Pcmu };
    let direction = media.direction(&session);
    Ok(Described {
        rtp,
        encoding,
        payload_type: speech.map.payload_type,
        profile,
        crypto: media.crypto().into_iter().map(|line| format!("a=crypto:{line}")).collect(),
        // The old form of hold is an address of zeros (MS-SDPEXT 3.1.5.23).
        flow: if on_hold { Flow::None } else { ways(direction.reversed()) },
        line: chosen.line,
        session: session.clone(),
    })
}

/// Our offer.
pub(super) fn offer(
    config: &UserConfig,
    offered: &Offered,
    flow: Flow,
    ssrc: u32,
    version: u64,
    ice: Option<&DataStream>,
) -> Bytes {
    let mut offer = ours(config, flow, ssrc, version);
    offered.profile().token().clone_into(&mut offer.profile);
    offer.crypto = offered.attributes();
    offer.write_sendrecv = version > 0;
    let mut session = audio_offer(&offer);
    if let Some(stream) = ice {
        stream.describe(0, &mut session, 0);
    }
    session.to_string().into()
}

/// Our answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) offer: Bytes,
    pub(super) profile: Profile,
    /// The value of the one `a=crypto:`.
    pub(super) crypto: Option<String>,
    pub(super) flow: Flow,
    pub(super) ssrc: u32,
    pub(super) version: u64,
}

impl Answer {
    pub(super) fn body(&self, config: &UserConfig, ice: Option<&DataStream>) -> Result<Bytes, &'static str> {
        let session =
            SessionDescription::parse_bytes(&self.offer).map_err(|_| "the description cannot be read")?;
        let chosen = AudioAnswer::choose(&session, &codecs(&config.encodings))
            .map_err(|_| "there is no common encoding")?;
        let mut answer = ours(config, self.flow, self.ssrc, self.version);
        self.profile.token().clone_into(&mut answer.profile);
        answer.crypto = self.crypto.clone().into_iter().collect();
        let mut body = audio_answer(&session, &chosen, &answer);
        if let Some(stream) = ice {
            stream.describe(0, &mut body, chosen.line);
        }
        Ok(body.to_string().into())
    }
}

fn ours(config: &UserConfig, flow: Flow, ssrc: u32, version: u64) -> AudioOffer {
    let (rtp, rtcp) = (config.media_rtp, config.media_rtcp);
    let mut offer = AudioOffer::new(rtp.ip(), rtp.port(), rtcp.port());
    offer.codecs = codecs(&config.encodings);
    offer.direction = direction(flow);
    offer.ssrc = Some(ssrc);
    offer.version = version;
    offer
}

fn codecs(encodings: &[Encoding]) -> Vec<AudioCodec> {
    let speech = encodings.iter().filter_map(|encoding| match encoding {
        Encoding::Pcma => Some(AudioCodec::pcma()),
        Encoding::Pcmu => Some(AudioCodec::pcmu()),
        Encoding::G726(_) => None,
    });
    speech.chain([AudioCodec::telephone_event()]).collect()
}

fn direction(flow: Flow) -> Direction {
    Direction::of(flow.sends(), flow.receives())
}

fn ways(direction: Direction) -> Flow {
    match (direction.sends(), direction.receives()) {
        (true, true) => Flow::Both,
        (true, false) => Flow::Sending,
        (false, true) => Flow::Receiving,
        (false, false) => Flow::None,
    }
}

/// The token of the ways media flows, seen from us.
pub(super) fn direction_token(flow: Flow) -> &'static str {
    direction(flow).as_str()
}
