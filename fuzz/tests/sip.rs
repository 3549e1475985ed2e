//! SIP messages, the framing of their stream, and SDP against arbitrary text.

use bytes::{Bytes, BytesMut};
use fuzz::{Damage, ROUNDS, damaged};
use sip_lync::sdp::SessionDescription;
use sip_lync::{Limits, LineEnds, Message, StreamDecoder};

const INVITE: &[u8] = b"INVITE sip:jim@example.net;user=phone SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1;alias\r\nv: SIP/2.0/TCP h;branch=z9hG4bK2\r\nMax-Forwards: 70\r\nFrom: \"Jim \\\"K\\\"\" <sip:jim@example.net>;tag=1;epid=0123456789\r\nTo: <sip:ann@example.net>\r\nCall-ID: a@b\r\nCSeq: 1 INVITE\r\nContact: <sip:jim@example.net;opaque=user:epid:x;gruu>;+sip.instance=\"<urn:uuid:1>\"\r\nAuthorization: NTLM qop=\"auth\", realm=\"SIP\", targetname=\"s\", gssapi-data=\"\"\r\nSubject: folded\r\n line\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n";
const RESPONSE: &[u8] = b"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1;ms-received-port=1;ms-received-cid=2\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 REGISTER\r\nWWW-Authenticate: NTLM realm=\"SIP Communications Service\", targetname=\"x\", version=4\r\nms-diagnostics: 1000;reason=\"x\";source=\"y\"\r\nms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300\r\nContent-Length: 0\r\n\r\n";
const SDP: &[u8] = b"v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nb=CT:99980\r\nt=0 0\r\nm=audio 5000 RTP/SAVP 8 101\r\na=rtcp:5001\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31|1:1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

#[test]
fn messages_never_panic_and_what_is_written_is_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let wire = Bytes::from(damaged(&[INVITE, RESPONSE], damage));
        let _ = Message::parse_with(wire.clone(), LineEnds::Lenient, &Limits::DEFAULT);
        let Ok(message) = Message::parse(wire) else { return };
        let headers = message.headers();
        let _ = (
            headers.via(),
            headers.vias(),
            headers.from_(),
            headers.to(),
            headers.contacts(),
            headers.cseq(),
        );
        let mut once = BytesMut::new();
        message.emit(&mut once);
        let again = Message::parse(once.clone().freeze()).expect("what we write we read");
        let mut twice = BytesMut::new();
        again.emit(&mut twice);
        assert_eq!(once, twice);
    });
}

#[test]
fn the_stream_gives_the_same_frames_however_it_is_cut() {
    bolero::check!().with_type::<(Damage, Vec<u8>)>().with_iterations(ROUNDS).for_each(|(damage, cuts)| {
        let stream = [INVITE, b"\r\n\r\n", RESPONSE].concat();
        let wire = damaged(&[&stream], damage);
        let frames = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut decoder = StreamDecoder::new(Limits::DEFAULT);
            let mut found = Vec::new();
            for piece in pieces {
                decoder.push(piece);
                while let Some(frame) = decoder.next() {
                    found.push(format!("{frame:?}"));
                }
            }
            found
        };
        let whole = frames(&mut std::iter::once(&wire[..]));
        let mut rest = &wire[..];
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, left) = rest.split_at(usize::from(*cut).min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        pieces.push(rest);
        assert_eq!(frames(&mut pieces.into_iter()), whole);
    });
}

#[test]
fn session_descriptions_never_panic_and_what_is_written_is_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let text = damaged(&[SDP], damage);
        let Ok(description) = SessionDescription::parse_bytes(&text) else { return };
        for media in &description.media {
            let _ = (media.rtp(&description), media.rtcp(&description), media.direction(&description));
            let _ = (media.crypto(), media.formats(), media.ptime());
        }
        let once = description.to_string();
        let again = SessionDescription::parse(&once).expect("what we write we read");
        assert_eq!(again.to_string(), once);
    });
}
