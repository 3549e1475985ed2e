//! What a telephone shows beside the caller: who was called first, for whom, which conference; and what it does not take.

mod peer;

use peer::{ANSWER, Peer, SDP, uri};
use sip_lync::gruu::ConferenceUri;
use sip_lync::{
    CallDetails, Config, EndReason, Event, HeaderName, Request, RetargetReason, Sensitivity, SipUri,
};

fn details(peer: &mut Peer, headers: &[(HeaderName, &str)]) -> CallDetails {
    let mut invite = Peer::invite(1, SDP);
    for (name, value) in headers {
        invite.headers.set(name.clone(), value);
    }
    peer.send(invite);
    match peer.event() {
        Event::Incoming { details, .. } => *details,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_direct_call_says_only_which_number_was_called() {
    let history = "<sip:dect1@example.net>;index=1;ms-target-phone=\"tel:+14255550199\"";
    let details = details(&mut Peer::registered(), &[(HeaderName::HistoryInfo, history)]);
    assert_eq!(details.called_number.as_deref(), Some("tel:+14255550199"));
    assert_eq!((details.called_first, details.retarget_reason), (None, None));
    assert!(details.conference.is_none() && !details.emergency);
}

#[test]
fn a_call_that_was_sent_on_names_who_was_called_first_and_why() {
    for (word, reason) in [
        ("forwarding", RetargetReason::Forwarding),
        ("DELEGATION", RetargetReason::Delegation),
        ("team-call", RetargetReason::TeamCall),
        ("of-tomorrow", RetargetReason::Other("of-tomorrow".to_owned())),
    ] {
        let history = format!(
            "\"Boss\" <sip:boss@example.net>;index=1, <sip:dect1@example.net>;index=1.1;ms-retarget-reason={word}"
        );
        let details = details(&mut Peer::registered(), &[(HeaderName::HistoryInfo, &history)]);
        let first = details.called_first.unwrap();
        assert_eq!((first.display.as_deref(), first.uri), (Some("Boss"), uri("sip:boss@example.net")));
        assert_eq!(details.retarget_reason, Some(reason));
        assert_eq!(details.history.len(), 2);
    }
    // Sent on twice: who was called first, and why it came here at last.
    let history = "<sip:boss@example.net>;index=1, <sip:ann@example.net>;index=1.1;ms-retarget-reason=delegation, \
                   <sip:dect1@example.net>;index=1.1.1;ms-retarget-reason=forwarding";
    let details = details(&mut Peer::registered(), &[(HeaderName::HistoryInfo, history)]);
    assert_eq!(details.called_first.unwrap().uri, uri("sip:boss@example.net"));
    assert_eq!(details.retarget_reason, Some(RetargetReason::Forwarding));
}

#[test]
fn response_groups_delegates_and_transferors_are_named() {
    let details = details(
        &mut Peer::registered(),
        &[
            (HeaderName::PAgentOnBehalfOf, "\"Reception\" <sip:reception@example.net>"),
            (HeaderName::MsCallInfo, "<sip:reception@example.net>;purpose=queue"),
            (HeaderName::ReferredBy, "<sip:ann@example.net>;ms-referee-uri=\"sip:x@y\""),
            (HeaderName::MsSensitivity, "private-no-diversion"),
            (HeaderName::Priority, "Emergency"),
        ],
    );
    let agent = details.on_behalf_of.unwrap();
    assert_eq!((agent.display.as_deref(), agent.uri), (Some("Reception"), uri("sip:reception@example.net")));
    assert_eq!(details.call_info.as_deref(), Some("<sip:reception@example.net>;purpose=queue"));
    assert_eq!(details.referred_by, Some(uri("sip:ann@example.net")));
    assert_eq!(details.sensitivity, Some(Sensitivity::NoDiversion));
    assert!(details.emergency);
}

#[test]
fn a_conference_that_calls_is_told() {
    let contact = "<sip:ann@example.net;gruu;opaque=app:conf:audio-video:id:5D3JHFSS>;isfocus";
    let details = details(&mut Peer::registered(), &[(HeaderName::Contact, contact)]);
    let conference = details.conference.unwrap();
    assert_eq!((conference.service(), conference.id()), (ConferenceUri::AUDIO_VIDEO, "5D3JHFSS"));
    let focus = conference.of_service(ConferenceUri::FOCUS).unwrap();
    assert_eq!(focus.to_string(), "sip:ann@example.net;gruu;opaque=app:conf:focus:id:5D3JHFSS");
    let plain = SipUri::parse("sip:ann@example.net;opaque=user:epid:x;gruu").unwrap();
    assert_eq!(ConferenceUri::of(&plain), None);
}

#[test]
fn who_answered_elsewhere_is_told() {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, SDP));
    peer.event();
    let mut cancel = Peer::invite(1, "");
    cancel = Request { method: sip_lync::Method::Cancel, ..cancel };
    cancel.headers.set(HeaderName::CSeq, "1 CANCEL");
    cancel.headers.push(
        HeaderName::Reason,
        "SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:dect1@example.net\"",
    );
    peer.send(cancel);
    match peer.event() {
        Event::Ended { reason, cause, .. } => {
            assert_eq!(reason, EndReason::Cancelled { completed_elsewhere: true });
            let cause = cause.unwrap();
            assert_eq!(cause.accepted_by().as_deref(), Some("sip:dect1@example.net"));
            assert_eq!(cause.text().as_deref(), Some("Call completed elsewhere"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_call_for_a_telephone_is_left_to_the_other_endpoints() {
    let message = SDP.replace("m=audio 4000 RTP/AVP 8", "m=message 5060 sip null");
    let screen = SDP.replace("m=audio 4000 RTP/AVP 8", "m=applicationsharing 4000 RTP/AVP 127");
    let silent = SDP.replace("m=audio 4000", "m=audio 0");
    for body in [&message, &screen, &silent] {
        let mut peer = Peer::registered();
        peer.send(Peer::invite(1, body));
        // 488 ends this branch alone; 603 would end all of them.
        let refusal = peer.response(488);
        assert_eq!(
            refusal.headers.get(&HeaderName::MsClientDiagnostics),
            Some("52063;reason=\"Unsupported session description\"")
        );
        peer.no_event();
        let mut config = Config::new("dect.example.net");
        config.all_media = true;
        let mut peer = Peer::with(config);
        peer.send(Peer::invite(1, body));
        assert!(matches!(peer.event(), Event::Incoming { .. }));
    }
    let mut invitation = Peer::invite(1, "");
    invitation.headers.push(HeaderName::ContentType, "application/ms-conf-invite+xml");
    invitation.body = "<Conferencing version=\"2.0\"/>".into();
    let mut peer = Peer::registered();
    peer.send(invitation);
    assert_eq!(peer.response(488).status.code(), 488);
    peer.no_event();
    // A call with pictures is a call: its sound is answered.
    let video = format!("{SDP}m=video 5000 RTP/AVP 34\r\n");
    peer.send({
        let mut invite = Peer::invite(2, &video);
        invite.headers.set(HeaderName::CallId, "call-2");
        invite
    });
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.response(200);
}
