//! Offers and answers for one audio line, in the form Lync clients write them.

use core::fmt;
use core::net::IpAddr;

use super::ms::SsrcRange;
use super::{
    Attribute, Bandwidth, Candidate, Connection, Direction, MediaDescription, Origin, RtpMap,
    SessionDescription,
};

/// An encoding for audio, or `telephone-event`.
///
/// RFC 3551 4.5
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AudioCodec {
    /// The encoding with the payload type used in our offers; answers use that of the offer.
    pub map: RtpMap,
    /// The value of `a=fmtp:` behind the payload type.
    pub parameters: Option<String>,
}

impl AudioCodec {
    /// G.711 A-law.
    ///
    /// RFC 3551 4.5.14
    pub fn pcma() -> Self {
        Self { map: RtpMap::new(8, "PCMA", 8000), parameters: None }
    }

    /// G.711 µ-law.
    ///
    /// RFC 3551 4.5.14
    pub fn pcmu() -> Self {
        Self { map: RtpMap::new(0, "PCMU", 8000), parameters: None }
    }

    /// DTMF digits as events 0 to 16.
    ///
    /// RFC 4733 2.4
    pub fn telephone_event() -> Self {
        Self { map: RtpMap::new(101, "telephone-event", 8000), parameters: Some("0-16".to_owned()) }
    }

    /// Comfort noise.
    ///
    /// RFC 3389 4
    pub fn comfort_noise() -> Self {
        Self { map: RtpMap::new(13, "CN", 8000), parameters: None }
    }

    /// Whether it carries speech, not events or noise.
    ///
    /// RFC 3551 4.5
    pub fn is_speech(&self) -> bool {
        !self.map.encoding.eq_ignore_ascii_case("telephone-event")
            && !self.map.encoding.eq_ignore_ascii_case("CN")
    }
}

/// What we say about our end of an audio stream.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AudioOffer {
    /// Our address.
    pub address: IpAddr,
    /// Our port for RTP; zero rejects the line.
    pub rtp_port: u16,
    /// Our port for RTCP.
    pub rtcp_port: u16,
    /// `RTP/AVP` or `RTP/SAVP`.
    pub profile: String,
    /// The values of `a=crypto:`, in order.
    pub crypto: Vec<String>,
    /// The encodings, best first.
    pub codecs: Vec<AudioCodec>,
    /// The direction. Nothing is written for both ways in a first description; see `write_sendrecv`.
    pub direction: Direction,
    /// Whether `a=sendrecv` is written out: to take a call from hold.
    pub write_sendrecv: bool,
    /// The synchronization source we will use.
    pub ssrc: Option<u32>,
    /// The version in the origin.
    pub version: u64,
    /// The value of `a=label:`.
    pub label: Option<String>,
    /// Our user name and password of ICE.
    pub ice: Option<(String, String)>,
    /// Our candidates.
    pub candidates: Vec<Candidate>,
    /// The kilobits of `b=CT:`.
    pub bandwidth: Option<u64>,
}

impl AudioOffer {
    /// An offer of G.711 and telephone events with `main-audio` as its label.
    ///
    /// MS-SDPEXT 3.1.5
    pub fn new(address: IpAddr, rtp_port: u16, rtcp_port: u16) -> Self {
        Self {
            address,
            rtp_port,
            rtcp_port,
            profile: "RTP/AVP".to_owned(),
            crypto: Vec::new(),
            codecs: vec![AudioCodec::pcma(), AudioCodec::pcmu(), AudioCodec::telephone_event()],
            direction: Direction::SendRecv,
            write_sendrecv: false,
            ssrc: None,
            version: 0,
            label: Some("main-audio".to_owned()),
            ice: None,
            candidates: Vec::new(),
            bandwidth: Some(99980),
        }
    }

    fn media(&self) -> MediaDescription {
        let formats = self.codecs.iter().map(|codec| codec.map.payload_type.to_string()).collect();
        let mut media = MediaDescription::new("audio", self.rtp_port, &self.profile, formats);
        let mut add =
            |name: &str, value: &dyn fmt::Display| media.attributes.push(Attribute::new(name, value));
        if let Some(range) = self.ssrc.and_then(SsrcRange::one) {
            add("x-ssrc-range", &range);
        }
        if let Some(label) = &self.label {
            add("label", label);
        }
        if let Some((user, password)) = &self.ice {
            add("ice-ufrag", user);
            add("ice-pwd", password);
        }
        for candidate in &self.candidates {
            add("candidate", candidate);
        }
        for crypto in &self.crypto {
            add("crypto", crypto);
        }
        add("rtcp", &self.rtcp_port);
        for codec in &self.codecs {
            add("rtpmap", &codec.map);
            if let Some(parameters) = &codec.parameters {
                add("fmtp", &format_args!("{} {parameters}", codec.map.payload_type));
            }
        }
        add("ptime", &20);
        if self.direction != Direction::SendRecv || self.write_sendrecv {
            media.attributes.push(Attribute::property(self.direction.as_str()));
        }
        media
    }

    fn session(&self) -> SessionDescription {
        let connection = Connection::new(self.address);
        let origin = Origin::new(0, self.version, connection.clone());
        let mut session = SessionDescription::new(origin, connection);
        if let Some(value) = self.bandwidth {
            session.bandwidth.push(Bandwidth { kind: "CT".to_owned(), value });
        }
        session
    }
}

/// An offer with one audio line.
///
/// MS-SDPEXT 3.1.5, RFC 3264 5
pub fn audio_offer(offer: &AudioOffer) -> SessionDescription {
    let mut session = offer.session();
    session.media.push(offer.media());
    session
}

/// What was chosen from an offer.
///
/// RFC 3264 6.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AudioAnswer {
    /// Which `m=` line is answered.
    pub line: usize,
    /// The encodings both sides have, with the payload types of the offer; speech first.
    pub codecs: Vec<AudioCodec>,
}

/// Why an offer cannot be answered: 488 to the sender.
///
/// RFC 3264 6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerError {
    /// There is no audio line with a port.
    NoAudio,
    /// No encoding for speech is known to both sides.
    NoCodec,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAudio => "the offer has no audio",
            Self::NoCodec => "the offer has no audio encoding that is supported",
        })
    }
}

impl std::error::Error for AnswerError {}

impl AudioAnswer {
    /// Chooses the audio line and the encodings: one for speech by our order, and telephone events if they are offered.
    ///
    /// RFC 3264 6.1
    pub fn choose(offer: &SessionDescription, ours: &[AudioCodec]) -> Result<Self, AnswerError> {
        let (line, media) = offer.audio().ok_or(AnswerError::NoAudio)?;
        let formats = media.formats();
        let offered = |codec: &AudioCodec| {
            formats.iter().find_map(|format| {
                let map = format.map.as_ref()?;
                let same = map.is(&codec.map.encoding, codec.map.clock_rate);
                same.then(|| AudioCodec { map: map.clone(), parameters: codec.parameters.clone() })
            })
        };
        let speech =
            ours.iter().filter(|codec| codec.is_speech()).find_map(offered).ok_or(AnswerError::NoCodec)?;
        let mut codecs = vec![speech];
        codecs.extend(ours.iter().filter(|codec| !codec.is_speech()).filter_map(offered));
        Ok(Self { line, codecs })
    }

    /// The codec for speech.
    ///
    /// RFC 3264 6.1
    pub fn speech(&self) -> Option<&AudioCodec> {
        self.codecs.iter().find(|codec| codec.is_speech())
    }

    /// The payload type of telephone events.
    ///
    /// RFC 4733 2.4
    pub fn telephone_event(&self) -> Option<u8> {
        let event =
            self.codecs.iter().find(|codec| codec.map.encoding.eq_ignore_ascii_case("telephone-event"))?;
        Some(event.map.payload_type)
    }
}

/// The answer to an offer: the chosen line with what `ours` says about our end, every other line rejected in its place.
/// The codecs are those of `chosen`; the direction is what the offer leaves of the one wanted in `ours`. The profile is
/// that of `ours`: Lync answers `RTP/AVP` with `RTP/SAVP` when both sides can encrypt.
///
/// RFC 3264 6, MS-SDPEXT 3.1.5
pub fn audio_answer(
    offer: &SessionDescription,
    chosen: &AudioAnswer,
    ours: &AudioOffer,
) -> SessionDescription {
    let mut session = ours.session();
    for (line, media) in offer.media.iter().enumerate() {
        if line == chosen.line {
            let direction = media.direction(offer).answered(ours.direction);
            let stated = media.attributes.iter().any(|a| Direction::parse(&a.name).is_some());
            let mut end = ours.clone();
            end.codecs.clone_from(&chosen.codecs);
            end.direction = direction;
            end.write_sendrecv = stated || ours.write_sendrecv;
            let mut answer = end.media();
            if let Some(mid) = media.value("mid") {
                answer.attributes.insert(0, Attribute::new("mid", mid));
            }
            session.media.push(answer);
        } else {
            let formats = media.formats.first().cloned().into_iter().collect();
            session.media.push(MediaDescription::new(&media.media, 0, &media.protocol, formats));
        }
    }
    session
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> AudioOffer {
        AudioOffer {
            profile: "RTP/SAVP".to_owned(),
            crypto: vec!["3 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31".to_owned()],
            ssrc: Some(4711),
            ..AudioOffer::new("192.0.2.20".parse().unwrap(), 30000, 30001)
        }
    }

    const OFFER: &str = concat!(
        "v=0\r\no=- 0 0 IN IP4 192.0.2.10\r\ns=session\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n",
        "m=video 0 RTP/AVP 34\r\nm=audio 27684 RTP/AVP 117 0 8 118 97\r\na=label:main-audio\r\na=mid:1\r\n",
        "a=rtpmap:117 G722/8000/2\r\na=rtpmap:118 CN/16000\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\n",
        "m=application 5 x y\r\n",
    );

    #[test]
    fn an_offer_is_what_a_lync_client_would_read() {
        let text = audio_offer(&ours()).to_string();
        assert_eq!(
            text,
            concat!(
                "v=0\r\no=- 0 0 IN IP4 192.0.2.20\r\ns=session\r\nc=IN IP4 192.0.2.20\r\nb=CT:99980\r\nt=0 0\r\n",
                "m=audio 30000 RTP/SAVP 8 0 101\r\na=x-ssrc-range:4711-4711\r\na=label:main-audio\r\n",
                "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31\r\na=rtcp:30001\r\na=rtpmap:8 PCMA/8000\r\n",
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n",
            )
        );
        assert_eq!(SessionDescription::parse(&text).map(|s| s.to_string()), Ok(text));
    }

    #[test]
    fn an_answer_has_the_lines_of_the_offer_and_its_payload_types() {
        let offer = SessionDescription::parse(OFFER).unwrap();
        let chosen = AudioAnswer::choose(&offer, &ours().codecs).unwrap();
        assert_eq!((chosen.line, chosen.telephone_event()), (1, Some(97)));
        assert_eq!(chosen.speech().map(|codec| codec.map.payload_type), Some(8));
        let answer = audio_answer(&offer, &chosen, &ours());
        assert_eq!(answer.media.iter().map(|m| m.port).collect::<Vec<_>>(), [0, 30000, 0]);
        let audio = &answer.media[1];
        assert_eq!(audio.formats, ["8", "97"]);
        assert_eq!((audio.protocol.as_str(), audio.direction(&answer)), ("RTP/SAVP", Direction::RecvOnly));
        assert_eq!(audio.value("mid"), Some("1"));
        assert_eq!(audio.value("fmtp"), Some("97 0-16"));
    }

    #[test]
    fn an_offer_without_common_speech_is_refused() {
        let refuse =
            |text: &str| AudioAnswer::choose(&SessionDescription::parse(text).unwrap(), &ours().codecs);
        let head = "v=0\r\no=- 0 0 IN IP4 192.0.2.10\r\ns=session\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n";
        assert_eq!(refuse(head), Err(AnswerError::NoAudio));
        assert_eq!(refuse(&format!("{head}m=audio 0 RTP/AVP 8\r\n")), Err(AnswerError::NoAudio));
        assert_eq!(
            refuse(&format!("{head}m=audio 5 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n")),
            Err(AnswerError::NoCodec)
        );
    }
}
