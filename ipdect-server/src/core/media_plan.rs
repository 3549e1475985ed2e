//! Session descriptions: what we offer and answer, and what we read of the peer's.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_lync::ice::DataStream;
use sip_lync::sdp::{
    AudioAnswer, AudioCodec, AudioOffer, Direction, MediaDescription, SessionDescription, audio_answer,
    audio_offer,
};
use srtp_sdes::Profile;

use crate::media::plan::{Channel, Flowing, G711};

/// What matters of the peer's session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteMedia {
    pub(crate) rtp: SocketAddr,
    pub(crate) rtcp: SocketAddr,
    pub(crate) payload_type: u8,
    pub(crate) codec: G711,
    pub(crate) telephone_event: Option<u8>,
    /// Which ways speech flows as we see it.
    pub(crate) flowing: Flowing,
    /// The description and the choice made from it, for the answer.
    session: Box<SessionDescription>,
    chosen: AudioAnswer,
}

impl RemoteMedia {
    /// The description, and the line of it that was chosen.
    pub(crate) fn line(&self) -> Option<(&SessionDescription, &MediaDescription)> {
        Some((&self.session, self.session.media.get(self.chosen.line)?))
    }
}

/// A description with its security lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) remote: RemoteMedia,
    pub(crate) profile: Profile,
    pub(crate) crypto: Vec<String>,
}

/// What we say of our end.
#[derive(Clone, Debug)]
pub(crate) struct LocalMedia {
    pub(crate) channel: Channel,
    pub(crate) ssrc: u32,
    pub(crate) version: u64,
    pub(crate) profile: Profile,
    pub(crate) crypto: Vec<String>,
    pub(crate) flowing: Flowing,
    /// The codec alone, once it is agreed.
    pub(crate) codec: Option<G711>,
}

fn codecs(codec: Option<G711>) -> Vec<AudioCodec> {
    match codec {
        None => vec![AudioCodec::pcma(), AudioCodec::pcmu(), AudioCodec::telephone_event()],
        Some(G711::ALaw) => vec![AudioCodec::pcma(), AudioCodec::telephone_event()],
        Some(G711::MuLaw) => vec![AudioCodec::pcmu(), AudioCodec::telephone_event()],
    }
}

fn ours(local: &LocalMedia) -> AudioOffer {
    let channel = &local.channel;
    let mut offer =
        AudioOffer::new(channel.network_rtp.ip(), channel.network_rtp.port(), channel.network_rtcp.port());
    let profile = match local.profile {
        Profile::Avp => "RTP/AVP",
        Profile::Savp => "RTP/SAVP",
    };
    profile.clone_into(&mut offer.profile);
    offer.crypto.clone_from(&local.crypto);
    offer.codecs = codecs(local.codec);
    offer.direction = Direction::of(local.flowing.send, local.flowing.receive);
    // A call is taken from hold in so many words.
    offer.write_sendrecv = local.version > 1;
    offer.ssrc = Some(local.ssrc);
    offer.version = local.version - 1;
    offer
}

/// Our offer, with `which` of the dialects that are offered.
pub(crate) fn offer(local: &LocalMedia, ice: Option<(&DataStream, usize)>) -> SessionDescription {
    let mut session = audio_offer(&ours(local));
    if let Some((stream, which)) = ice {
        stream.describe(which, &mut session, 0);
    }
    session
}

/// Our answer to what was read as `remote`.
pub(crate) fn answer(local: &LocalMedia, remote: &RemoteMedia, ice: Option<&DataStream>) -> Bytes {
    let mut session = audio_answer(&remote.session, &remote.chosen, &ours(local));
    if let Some(stream) = ice {
        stream.describe(0, &mut session, remote.chosen.line);
    }
    session.to_string().into()
}

/// Reads the peer's offer or answer; an error says what cannot be used.
pub(crate) fn read(description: &Bytes) -> Result<Description, String> {
    let session = SessionDescription::parse_bytes(description).map_err(|error| error.to_string())?;
    let chosen = AudioAnswer::choose(&session, &codecs(None)).map_err(|error| error.to_string())?;
    let media = session.media.get(chosen.line).ok_or("the audio line is gone")?;
    let speech = chosen.speech().ok_or("no codec for speech")?;
    let codec = if speech.map.is("PCMU", 8000) { G711::MuLaw } else { G711::ALaw };
    let profile = match media.protocol.as_str() {
        "RTP/AVP" => Profile::Avp,
        "RTP/SAVP" => Profile::Savp,
        other => return Err(format!("the profile {other} is not supported")),
    };
    let direction = media.direction(&session);
    // The old way to hold: no address to send to.
    let unspecified = session.connection_of(media).is_some_and(sip_lync::sdp::Connection::is_unspecified);
    let remote = RemoteMedia {
        rtp: media.rtp(&session).ok_or("no address for the audio")?,
        rtcp: media.rtcp(&session).ok_or("no address for the audio's reports")?,
        payload_type: speech.map.payload_type,
        codec,
        telephone_event: chosen.telephone_event(),
        flowing: Flowing {
            send: direction.receives() && !unspecified,
            receive: direction.sends() && !unspecified,
        },
        session: Box::new(session.clone()),
        chosen: chosen.clone(),
    };
    let crypto = media.crypto().into_iter().map(str::to_owned).collect();
    Ok(Description { remote, profile, crypto })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::plan::ChannelId;

    fn local(flowing: Flowing, version: u64) -> LocalMedia {
        let address = |port| SocketAddr::from(([192, 0, 2, 20], port));
        LocalMedia {
            channel: Channel {
                id: ChannelId(1),
                network_rtp: address(30_000),
                network_rtcp: address(30_001),
                radio: address(40_000),
            },
            ssrc: 4711,
            version,
            profile: Profile::Savp,
            crypto: vec!["2 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31|1:1".into()],
            flowing,
            codec: None,
        }
    }

    fn offer(local: &LocalMedia) -> Bytes {
        super::offer(local, None).to_string().into()
    }

    #[test]
    fn what_we_write_we_can_read() {
        let read = read(&offer(&local(Flowing::BOTH, 1))).expect("our own offer");
        assert_eq!((read.profile, read.crypto.len()), (Profile::Savp, 1));
        assert_eq!(read.remote.rtp, SocketAddr::from(([192, 0, 2, 20], 30_000)));
        assert_eq!(read.remote.rtcp.port(), 30_001);
        assert_eq!((read.remote.codec, read.remote.payload_type), (G711::ALaw, 8));
        assert_eq!((read.remote.telephone_event, read.remote.flowing), (Some(101), Flowing::BOTH));
    }

    #[test]
    fn a_hold_is_answered_with_a_hold_and_lifted_in_words() {
        let hold = read(&offer(&local(Flowing::NONE, 2))).expect("a hold");
        assert_eq!(hold.remote.flowing, Flowing::NONE);
        let answered = read(&answer(&local(Flowing::BOTH, 3), &hold.remote, None)).expect("our answer");
        assert_eq!(answered.remote.flowing, Flowing::NONE);
        let lifted = offer(&local(Flowing::BOTH, 4));
        assert!(String::from_utf8_lossy(&lifted).contains("a=sendrecv"));
    }

    #[test]
    fn a_peer_that_only_sends_is_only_heard() {
        let text =
            String::from_utf8_lossy(&offer(&local(Flowing::BOTH, 1))).replace("a=ptime:20", "a=sendonly");
        let read = read(&Bytes::from(text)).expect("an offer");
        assert_eq!(read.remote.flowing, Flowing { send: false, receive: true });
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let good = String::from_utf8_lossy(&offer(&local(Flowing::BOTH, 1))).into_owned();
        for (from, to, word) in [
            ("m=audio 30000", "m=audio 0", "audio"),
            ("PCMA", "OPUS", "PCMU"),
            ("RTP/SAVP 8", "UDP/TLS/RTP/SAVPF 8", "UDP/TLS/RTP/SAVPF"),
            ("v=0", "nonsense", ""),
        ] {
            let text = good.replace(from, to);
            let result = read(&Bytes::from(text));
            if to == "OPUS" {
                assert_eq!(result.map(|read| read.remote.codec), Ok(G711::MuLaw), "the other G.711 is left");
            } else {
                let error = result.expect_err(to);
                assert!(error.contains(word), "{to}: {error}");
            }
        }
    }
}
