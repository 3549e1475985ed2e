//! `docs/headers.md` lists every header field: where it stands, how it is read, a value that is read that way. The table is
//! written from the rows below (`UPDATE_DOCS=1` rewrites it), and every row is tried.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sip_lync::{HeaderName, Headers};

/// Standard, name, how it is read, a value, and whether it is read.
type Row = (&'static str, &'static str, &'static str, &'static str, fn(&Headers) -> bool);

macro_rules! typed {
    ($accessor:ident) => {
        (stringify!($accessor), |headers: &Headers| {
            let value = headers.$accessor();
            value.is_ok_and(|value| value.into_iter().next().is_some())
        })
    };
}

macro_rules! rows {
    ($($standard:literal: $name:literal = $accessor:ident, $value:literal;)+) => {
        vec![$({
            rows!(@ $standard, $name, $value, $accessor)
        }),+]
    };
    (@ $standard:literal, $name:literal, $value:literal, opaque) => {
        ($standard, $name, "kept, `get`", $value, (|headers: &Headers| headers.iter().next().is_some()) as fn(&Headers) -> bool)
    };
    (@ $standard:literal, $name:literal, $value:literal, tokens) => {
        ($standard, $name, "kept, `elements`", $value,
         (|headers: &Headers| headers.iter().next().is_some_and(|h| headers.elements(&h.name()).count() > 1)) as fn(&Headers) -> bool)
    };
    (@ $standard:literal, $name:literal, $value:literal, refer_sub) => {
        ($standard, $name, "`refer_sub`", $value, (|headers: &Headers| headers.refer_sub() == Some(false)) as fn(&Headers) -> bool)
    };
    (@ $standard:literal, $name:literal, $value:literal, is_remote_user) => {
        ($standard, $name, "`is_remote_user`", $value, (|headers: &Headers| headers.is_remote_user()) as fn(&Headers) -> bool)
    };
    (@ $standard:literal, $name:literal, $value:literal, $accessor:ident) => {{
        let (accessor, check) = typed!($accessor);
        ($standard, $name, accessor, $value, check as fn(&Headers) -> bool)
    }};
}

trait Values {
    type Item;
    fn into_iter(self) -> std::vec::IntoIter<Self::Item>;
}

impl Values for sip_lync::headers::Tokens {
    type Item = String;
    fn into_iter(self) -> std::vec::IntoIter<String> {
        self.iter().map(str::to_owned).collect::<Vec<_>>().into_iter()
    }
}

fn table() -> Vec<Row> {
    rows! {
        "RFC 3261 20.1": "Accept" = accept, "application/sdp;level=1, text/html";
        "RFC 3841 9.2": "Accept-Contact" = accept_contacts, "*;audio;require, *;video";
        "RFC 3261 20.2": "Accept-Encoding" = tokens, "gzip, identity;q=0.5";
        "RFC 3261 20.3": "Accept-Language" = tokens, "da, en-gb;q=0.8";
        "RFC 3261 20.4": "Alert-Info" = alert_info, "<http://www.example.com/sounds/moo.wav>";
        "RFC 3261 20.5": "Allow" = allow, "INVITE, ACK, BENOTIFY";
        "RFC 6665 8.2.2": "Allow-Events" = allow_events, "presence, presence.wpending";
        "RFC 3261 20.6, MS-SIPAE 2.2": "Authentication-Info" = authentication_info, "NTLM qop=\"auth\", opaque=\"1D2C3B4A\", srand=\"1A2B3C4D\", snum=\"1\", rspauth=\"0100\", targetname=\"fe1\", realm=\"r\", version=4";
        "RFC 3261 20.7, MS-SIPAE 2.2": "Authorization" = credentials, "NTLM qop=\"auth\", realm=\"r\", targetname=\"fe1\", gssapi-data=\"\", version=4";
        "RFC 3261 20.8": "Call-ID" = call_id, "f81d4fae@foo.bar.com";
        "RFC 3261 20.9": "Call-Info" = call_info, "<http://www.example.com/alice/photo.jpg>;purpose=icon";
        "MS-SIPCOMP 2.2": "Compression" = opaque, "LZ77-8K";
        "RFC 3261 20.10, RFC 3840 9, RFC 5626 11.2, RFC 5627 4.2, MS-SIPRE 2.2": "Contact" = contacts, "<sip:a@b>;expires=7200;+sip.instance=\"<urn:uuid:1>\";gruu=\"sip:a@b;opaque=x;gruu\"";
        "RFC 3261 20.11": "Content-Disposition" = content_disposition, "session;handling=optional;ms-proxy-2007fallback";
        "RFC 3261 20.12": "Content-Encoding" = content_encoding, "gzip";
        "RFC 8262 3.1": "Content-ID" = opaque, "<a1@example.com>";
        "RFC 3261 20.13": "Content-Language" = tokens, "fr, en";
        "RFC 3261 20.14": "Content-Length" = content_length, "349";
        "RFC 2045 6": "Content-Transfer-Encoding" = opaque, "7bit";
        "RFC 3261 20.15": "Content-Type" = content_type, "multipart/alternative;boundary=\"x\"";
        "RFC 3261 20.16": "CSeq" = cseq, "4711 INVITE";
        "RFC 3261 20.17": "Date" = date, "Sat, 13 Nov 2010 23:29:00 GMT";
        "RFC 5806 9.1": "Diversion" = diversions, "<sip:a@b>;reason=user-busy;counter=1";
        "MS-SIPRE 2.2": "EndPoints" = opaque, "\"A\" <sip:a@b>, \"C\" <sip:c@d>";
        "RFC 3261 20.18": "Error-Info" = error_info, "<sip:not-in-service-recording@atlanta.com>";
        "RFC 6665 8.2.1, RFC 3842, RFC 3856": "Event" = event, "presence;id=4";
        "RFC 3261 20.19": "Expires" = expires, "7200";
        "RFC 5626 11.6": "Flow-Timer" = flow_timer, "126";
        "RFC 3261 20.20": "From" = from_, "\"Jim\" <sip:jim@example.net>;tag=1;epid=01010101";
        "RFC 6442 4.1": "Geolocation" = opaque, "<cid:target123@atlanta.example.com>";
        "RFC 4244 4.1, RFC 7044 5": "History-Info" = history_info, "<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1.1";
        "RFC 8224 4": "Identity" = opaque, "eyJhbGciOiJFUzI1NiJ9;info=<https://biloxi.example.org/b.cer>";
        "RFC 3261 20.21": "In-Reply-To" = tokens, "70710@saturn.bell-tel.com, 17320@saturn.bell-tel.com";
        "RFC 3911 7.1": "Join" = join, "1@x;to-tag=1;from-tag=2";
        "RFC 3261 20.22": "Max-Forwards" = max_forwards, "70";
        "RFC 3261 20.24": "MIME-Version" = opaque, "1.0";
        "RFC 3261 20.23": "Min-Expires" = min_expires, "60";
        "RFC 4028 5": "Min-SE" = min_se, "90";
        "MS-SIPRE 2.2": "Ms-Accepted-Content-ID" = opaque, "<a1@example.com>";
        "MS-SIPRE 2.2": "Ms-Call-Info" = opaque, "orig=sip:a@b";
        "MS-SIPRE 2.2": "ms-call-source" = opaque, "ms-rtc";
        "MS-OCER 2.2.1": "ms-client-diagnostics" = diagnostics, "52017;reason=\"Encryption levels do not match\"";
        "MS-CONVID 2.2": "Ms-Conversation-ID" = opaque, "AcxY+/=";
        "MS-SIPREGE 2.2.1": "Ms-Device-Info" = tokens, "MAC=00-13-D1-00-00-01, vendor=ACME, version=1.0";
        "MS-OCER 2.2.1": "ms-diagnostics" = diagnostics, "4005;reason=\"not enabled; check\";source=\"fe1.example.net\";AppName=\"InboundRouting\"";
        "MS-OCER 2.2.1": "ms-diagnostics-public" = diagnostics, "4140;reason=\"deregistered\"";
        "MS-SIPRE 2.2": "ms-endpoint-location-data" = opaque, "NetworkScope;ms-media-location-type=Intranet";
        "MS-CONMGMT 2.2.1": "ms-keep-alive" = keep_alive, "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300";
        "MS-PRES 2.2": "ms-piggyback-cookie" = opaque, "1";
        "MS-PRES 2.2": "ms-piggyback-cseq" = piggyback_cseq, "1";
        "MS-SIPRE 2.2": "Ms-Sensitivity" = opaque, "normal-no-diversion";
        "MS-SIPREGE 2.2.1": "ms-subnet" = opaque, "192.0.2.0";
        "MS-SIPRE 2.2": "ms-text-format" = opaque, "text/plain; charset=UTF-8;ms-body=aGk=";
        "MS-SIPREGE 2.2.1": "ms-user-logon-data" = is_remote_user, "RemoteUser";
        "RFC 3261 20.25": "Organization" = opaque, "Boxes by Bob";
        "MS-SIPRE 2.2": "P-Agent-On-Behalf-Of" = opaque, "<sip:a@b>";
        "RFC 3325 9.1": "P-Asserted-Identity" = asserted_identities, "\"A, B\"<sip:a@b>,<tel:+1425;ext=7>";
        "RFC 7315 4.1": "P-Associated-URI" = associated_uris, "<sip:a@b>, <tel:+1>";
        "MS-SIPRE 3.7": "P-Dialog-Recovery-Action" = dialog_recovery_actions, "dialog-route-set-update";
        "RFC 3325 9.2": "P-Preferred-Identity" = preferred_identities, "<sip:a@b>, <tel:+1>";
        "MS-SIPREGE 2.2.1": "P-Preferred-Registrar" = preferred_registrar, "<sip:fe2.example.net:5061;transport=tls>";
        "RFC 3327 4": "Path" = paths, "<sip:p.example.net;lr>";
        "MS-SIPREGE 2.2.1": "presence-state" = presence_state, "register-action=\"added\"";
        "RFC 3261 20.26": "Priority" = priority, "emergency";
        "RFC 3323 4.2": "Privacy" = privacy, "header;user;id";
        "RFC 3261 20.27, MS-SIPAE 2.2": "Proxy-Authenticate" = challenges, "NTLM realm=\"r\", targetname=\"fe1\", version=4";
        "MS-SIPAE 2.2": "Proxy-Authentication-Info" = authentication_info, "NTLM rspauth=\"0100\", srand=\"1\", snum=\"1\", opaque=\"1D\", qop=\"auth\", targetname=\"fe1\", realm=\"r\"";
        "RFC 3261 20.28, MS-SIPAE 2.2": "Proxy-Authorization" = credentials, "Kerberos qop=\"auth\", realm=\"r\", targetname=\"sip/fe1\", gssapi-data=\"YII=\"";
        "RFC 3261 20.29": "Proxy-Require" = proxy_require, "ms-benotify";
        "RFC 3262 7.2": "RAck" = rack, "776656 1 INVITE";
        "RFC 3326 2": "Reason" = reasons, "SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:q@r\", Q.850;cause=16";
        "RFC 3261 20.30": "Record-Route" = record_routes, "<sip:fe1:5061;transport=tls;lr;ms-route-sig=x>;tag=7AB";
        "RFC 4488 4": "Refer-Sub" = refer_sub, "false";
        "RFC 3515 2.1": "Refer-To" = refer_to, "<sip:a@b?Replaces=1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>";
        "RFC 3892 3": "Referred-By" = referred_by, "<sip:r@b>;cid=\"2@b\"";
        "RFC 3841 9.3": "Reject-Contact" = reject_contacts, "*;actor=\"msg-taker\"";
        "RFC 3891 6.1": "Replaces" = replaces, "425928@x;to-tag=7743;from-tag=6472;early-only";
        "RFC 3261 20.31": "Reply-To" = reply_to, "Bob <sip:bob@biloxi.com>";
        "RFC 3841 9.1": "Request-Disposition" = request_disposition, "proxy, recurse, parallel";
        "RFC 3261 20.32": "Require" = require, "100rel";
        "RFC 3261 20.33": "Retry-After" = retry_after, "18000 (I'm in a meeting (until 3));duration=3600";
        "MS-SIPRE 2.2": "Roster-Manager" = opaque, "sip:a@b";
        "RFC 3261 20.34": "Route" = routes, "<sip:bigbox3.site3.atlanta.com;lr>, <sip:b;lr>";
        "RFC 3262 7.1": "RSeq" = rseq, "988789";
        "RFC 3261 20.35": "Server" = opaque, "RTC/5.0";
        "RFC 3608 5": "Service-Route" = service_routes, "<sip:p2.home.net;lr>, <sip:hsp.home.net;lr>";
        "RFC 4028 4": "Session-Expires" = session_expires, "4000;refresher=uac";
        "RFC 3903 11.3.1": "SIP-ETag" = sip_etag, "dx200xyz";
        "RFC 3903 11.3.2": "SIP-If-Match" = sip_if_match, "dx200xyz";
        "RFC 3261 20.36": "Subject" = opaque, "Need more boxes";
        "RFC 6665 8.2.3": "Subscription-State" = subscription_state, "terminated;reason=timeout;retry-after=3";
        "RFC 3261 20.37": "Supported" = supported, "gruu-10, ms-benotify";
        "RFC 5839 6": "Suppress-If-Match" = suppress_if_match, "*";
        "RFC 4538 7": "Target-Dialog" = target_dialog, "fa77as7dad8@h;local-tag=kkaz-;remote-tag=6544";
        "RFC 3261 20.38": "Timestamp" = opaque, "54.0 0.3";
        "RFC 3261 20.39": "To" = to, "<sip:ann@example.net>;tag=2";
        "RFC 3261 20.40": "Unsupported" = unsupported, "foo, bar";
        "RFC 3261 20.41": "User-Agent" = opaque, "UCCAPI/4.0 DECT/1.0";
        "RFC 3261 20.42, RFC 3581, MS-SIPRE 2.2": "Via" = vias, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1;ms-received-port=1590;ms-received-cid=C6B200";
        "RFC 3261 20.43": "Warning" = warnings, "307 isi.edu \"Session parameter 'foo' not understood\"";
        "RFC 3261 20.44, MS-SIPAE 2.2": "WWW-Authenticate" = challenges, "TLS-DSK realm=\"r\", targetname=\"fe1\", version=4, sts-uri=\"https://fe1/CertProv\"";
    }
}

#[test]
fn every_known_header_field_is_in_the_table_and_read_as_it_says() {
    let table = table();
    let names: Vec<&str> = table.iter().map(|row| row.1).collect();
    let known: Vec<&str> = HeaderName::known().map(HeaderName::as_str).collect();
    assert_eq!(names, known);
    for (_, name, reader, value, read) in table {
        let headers: Headers = [(HeaderName::parse(name).unwrap(), value)].into_iter().collect();
        assert!(read(&headers), "{name}: {value} is not read by {reader}");
        let broken: Headers = [(HeaderName::parse(name).unwrap(), "<\" \u{1}")].into_iter().collect();
        let kept = reader.starts_with("kept") || reader.starts_with('`');
        assert!(kept || !read(&broken), "{name}: {reader} reads anything");
    }
}

#[test]
fn the_table_in_the_documentation_is_this_one() {
    let mut text = String::from(
        "# Header fields\n\nEvery header field this crate has a name for: where it is defined, how it is read, and a value that\n\
         `tests/header_table.rs` reads that way. Fields that are *kept* have no type of their own: what they say is for users or for\n\
         the layers above, and they are passed on byte for byte like every field without a row.\n\n\
         | Header field | Compact | Defined in | Read by | For example |\n|---|---|---|---|---|\n",
    );
    for (standard, name, reader, value, _) in table() {
        let compact = HeaderName::parse(name).unwrap().compact().unwrap_or_default();
        let reader = if reader.contains('`') { reader.to_owned() } else { format!("`{reader}`") };
        let _ = writeln!(text, "| {name} | {compact} | {standard} | {reader} | `{value}` |");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/headers.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "UPDATE_DOCS=1 rewrites docs/headers.md");
}
