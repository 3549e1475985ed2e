//! What this crate reads and what parsers of other hands read is the same: `ezk-sip-types` for messages, `sdp-types` for
//! session descriptions, over generated ones.

use std::fmt::Write;

use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID, FromTo, Routing, Via};
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::parse::Parse;
use ezk_sip_types::{Headers, Name};
use sip_lync::sdp::SessionDescription;
use sip_lync::{HeaderName, Message};

const ROUNDS: usize = 2000;

/// Takes choices from what the engine made.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.0.next().copied().unwrap_or(0)) % of.len()]
    }

    fn number(&mut self) -> u32 {
        (0..3).fold(1, |number, _| number << 8 | u32::from(self.0.next().copied().unwrap_or(7)))
    }
}

const USERS: &[&str] = &["jim", "+14255550100", "a%20b", "x.y_z-1", "jim.kander"];
const HOSTS: &[&str] = &["example.net", "192.0.2.1", "[2001:db8::1]", "fe1.example.net:5061", "h:65535"];
const URI_PARAMETERS: &[&str] = &[
    "",
    ";transport=tls",
    ";user=phone",
    ";gruu;opaque=app:conf:1",
    ";lr;ms-fe=fe1.example.net",
    ";maddr=192.0.2.9;ttl=1",
];
// A quoted string with an escaped quote is left out: the other parser does not take it.
const DISPLAYS: &[&str] = &["", "Jim ", "\"Jim Kander\" ", "\"a, b; c\" ", "Two Words "];
const VIA_PARAMETERS: &[&str] =
    &["", ";rport", ";received=192.0.2.7", ";ms-received-port=1590;ms-received-cid=C6B200", ";alias;ttl=3"];
const OTHERS: &[&str] = &[
    "Subject: a b  c",
    "Supported: gruu-10, ms-benotify",
    "X-Unknown: ;,\"",
    "Expires: 300",
    "Server: RTC/5.0",
    "s: short",
];

fn uri(choices: &mut Choices<'_>) -> String {
    format!("sip:{}@{}{}", choices.one(USERS), choices.one(HOSTS), choices.one(URI_PARAMETERS))
}

fn message(choices: &mut Choices<'_>) -> String {
    let method = choices.one(&["INVITE", "REGISTER", "OPTIONS", "BYE", "NOTIFY", "MESSAGE"]);
    let mut text = if choices.one(&[true, true, false]) {
        format!("{method} {} SIP/2.0\r\n", uri(choices))
    } else {
        format!(
            "SIP/2.0 {}\r\n",
            choices.one(&["200 OK", "401 Unauthorized", "183 Session Progress", "603 Decline"])
        )
    };
    for _ in 0..=choices.one(&[0, 1, 3]) {
        let (name, transport) = (choices.one(&["Via", "v", "VIA"]), choices.one(&["TLS", "TCP", "UDP"]));
        let (host, parameters) = (choices.one(HOSTS), choices.one(VIA_PARAMETERS));
        let _ = write!(
            text,
            "{name}: SIP/2.0/{transport} {host};branch=z9hG4bK{:x}{parameters}\r\n",
            choices.number()
        );
    }
    for name in ["From", "To"] {
        let _ =
            write!(text, "{name}: {}<{}>;tag={:x}", choices.one(DISPLAYS), uri(choices), choices.number());
        text.push_str(choices.one(&["\r\n", ";epid=01010101\r\n"]));
    }
    let _ = write!(text, "Call-ID: {:x}@h\r\nCSeq: {} {method}\r\n", choices.number(), choices.number());
    for _ in 0..choices.one(&[0, 1, 2]) {
        let _ = write!(text, "Route: <{};lr>\r\n", uri(choices));
    }
    for _ in 0..choices.one(&[0, 2, 5]) {
        let _ = write!(text, "{}\r\n", choices.one(OTHERS));
    }
    text + "Content-Length: 0\r\n\r\n"
}

#[test]
fn messages_are_read_as_another_parser_reads_them() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(ROUNDS).for_each(|bytes| {
        let text = message(&mut Choices(bytes.iter()));
        let wire = Bytes::from(text.clone());
        let ours = Message::parse(wire.clone()).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut lines = PullParser::new(&wire, 0);
        let first = std::str::from_utf8(lines.next().expect("a line").expect("a whole one")).expect("text");
        let (_, start) = MessageLine::parse(&wire)(first).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(start.is_request(), matches!(ours, Message::Request(_)));
        let mut theirs = Headers::new();
        let mut count = 0;
        for line in lines {
            let line = std::str::from_utf8(line.expect("a whole line")).expect("text");
            let (_, line) = Line::parse(&wire, line).expect("a header line");
            theirs.insert(line.name, line.value);
            count += 1;
        }
        let headers = ours.headers();
        assert_eq!(headers.len(), count, "{text}");

        let vias: Vec<Via> = theirs.get(Name::VIA).unwrap_or_else(|error| panic!("{error}: {text}"));
        let ours_vias = headers.vias().expect("Via");
        assert_eq!(ours_vias.len(), vias.len());
        for (our, their) in ours_vias.iter().zip(&vias) {
            assert_eq!(our.transport.as_str(), &their.transport[..]);
            assert_eq!(our.port, their.sent_by.port, "{text}");
            assert_eq!(our.branch(), their.params.get_val("branch").map(|branch| &branch[..]));
        }
        for (name, our) in [(Name::FROM, headers.from_()), (Name::TO, headers.to())] {
            let their: FromTo = theirs.get(name).unwrap_or_else(|error| panic!("{error}: {text}"));
            let our = our.expect("an address").expect("one");
            assert_eq!(our.tag(), their.tag.as_ref().map(|tag| &tag[..]), "{text}");
        }
        let call_id: CallID = theirs.get_named().expect("Call-ID");
        assert_eq!(headers.call_id().expect("Call-ID").as_deref(), Some(&call_id.0[..]));
        let cseq: CSeq = theirs.get_named().expect("CSeq");
        let our = headers.cseq().expect("CSeq").expect("one");
        assert_eq!((our.number, our.method.as_str()), (cseq.cseq, &cseq.method.to_string()[..]));
        let routes = if headers.contains(&HeaderName::Route) {
            let routes: Vec<Routing> =
                theirs.get(Name::ROUTE).unwrap_or_else(|error| panic!("{error}: {text}"));
            routes.len()
        } else {
            0
        };
        assert_eq!(headers.routes().expect("Route").len(), routes);
    });
}

fn description(choices: &mut Choices<'_>) -> String {
    let mut text =
        format!("v=0\r\no=- {} {} IN IP4 192.0.2.1\r\ns=session\r\n", choices.number(), choices.number());
    text.push_str(choices.one(&["", "c=IN IP4 192.0.2.20\r\n", "c=IN IP6 2001:db8::1\r\n"]));
    text.push_str(choices.one(&["", "b=CT:99980\r\n"]));
    text.push_str("t=0 0\r\n");
    text.push_str(choices.one(&["", "a=x-devicecaps:audio:send,recv;video:send,recv\r\n", "a=sendrecv\r\n"]));
    for _ in 0..choices.one(&[1, 2, 3]) {
        let (kind, protocol) = (choices.one(&["audio", "video"]), choices.one(&["RTP/AVP", "RTP/SAVP"]));
        let _ = write!(
            text,
            "m={kind} {} {protocol} 8 0 101\r\nc=IN IP4 192.0.2.3\r\n",
            choices.number() % 65536
        );
        for _ in 0..choices.one(&[0, 2, 6]) {
            text.push_str(choices.one(&[
                "a=rtpmap:101 telephone-event/8000\r\n",
                "a=fmtp:101 0-16\r\n",
                "a=inactive\r\n",
                "a=candidate:1 1 UDP 2130706431 192.0.2.20 27684 typ host\r\n",
                "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31|1:1\r\n",
                "a=x-ssrc-range:1-1\r\n",
                "a=rtcp:27685\r\n",
            ]));
        }
    }
    text
}

#[test]
fn session_descriptions_are_read_as_another_parser_reads_them() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(ROUNDS).for_each(|bytes| {
        let text = description(&mut Choices(bytes.iter()));
        let ours = SessionDescription::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let theirs =
            sdp_types::Session::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(ours.origin.session_id, theirs.origin.sess_id);
        assert_eq!(ours.session_name, theirs.session_name);
        let connection = |c: &sdp_types::Connection| (c.addrtype.clone(), c.connection_address.clone());
        assert_eq!(
            ours.connection.as_ref().map(|c| (c.address_type.clone(), c.address.clone())),
            theirs.connection.as_ref().map(connection)
        );
        let attributes = |list: &[sdp_types::Attribute]| -> Vec<_> {
            list.iter().map(|a| (a.attribute.clone(), a.value.clone())).collect()
        };
        let our_attributes = |list: &[sip_lync::sdp::Attribute]| -> Vec<_> {
            list.iter().map(|a| (a.name.clone(), a.value.clone())).collect()
        };
        assert_eq!(our_attributes(&ours.attributes), attributes(&theirs.attributes));
        assert_eq!(ours.media.len(), theirs.medias.len());
        for (our, their) in ours.media.iter().zip(&theirs.medias) {
            assert_eq!((&our.media, our.port, &our.protocol), (&their.media, their.port, &their.proto));
            assert_eq!(our.formats.join(" "), their.fmt);
            assert_eq!(our_attributes(&our.attributes), attributes(&their.attributes));
        }
        let mut written = Vec::new();
        let written_by_us = sdp_types::Session::parse(ours.to_string().as_bytes()).expect("what we write");
        assert_eq!(written_by_us, theirs);
        theirs.write(&mut written).expect("memory");
        assert_eq!(SessionDescription::parse_bytes(&written).expect("what they write"), ours);
    });
}
