//! Presence bodies against arbitrary XML.

use bytes::BytesMut;
use fuzz::{Damage, ROUNDS, damaged};
use presence_pidf::category::{EventCategories, Fault, RoamingData, parse_publish, parse_report};
use presence_pidf::partial::PartialPresence;
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::rlmi::ListNotification;
use presence_pidf::{Body, publisher};

const PUBLISH: &[u8] = br#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:a@b"><publication categoryName="state" instance="1" container="2" version="0" expireType="endpoint"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="phoneState" manual="false"><availability>6500</availability><activity token="on-the-phone" minAvailability="6500" maxAvailability="8999"/></state></publication></publications></publish>"#;
const REPORT: &[u8] = br#"<?xml version="1.0"?><roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:a@b"><category name="note"/><category name="state" instance="1" container="2" version="3" expireType="user"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state"><availability>&#51;500</availability></state></category></categories></roamingData>"#;
const FAULT: &[u8] = br#"<Fault><Faultcode>Client.BadCall.WrongDelta</Faultcode><details><operation index="1" version="1" curVersion="2"/></details></Fault>"#;
const BOMB: &[u8] = br#"<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>"#;

#[test]
fn bodies_never_panic_and_what_is_read_can_be_written_and_read_again() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let body = damaged(&[PUBLISH, REPORT, FAULT, BOMB], damage);
        let mut out = BytesMut::new();
        if let Ok(publish) = parse_publish(&body) {
            publish.emit(&mut out);
            assert_eq!(parse_publish(&out.split()), Ok(publish));
        }
        if let Ok(report) = parse_report(&body) {
            report.emit(&mut out);
            assert_eq!(parse_report(&out.split()), Ok(report));
        }
        if let Ok(fault) = Fault::parse(&body) {
            fault.emit(&mut out);
            assert_eq!(Fault::parse(&out.split()), Ok(fault));
        }
    });
}

#[test]
fn arbitrary_octets_never_panic() {
    bolero::check!().with_iterations(ROUNDS).for_each(|body: &[u8]| {
        let _ = (parse_publish(body), parse_report(body), Fault::parse(body));
    });
}

const PIDF: &[u8] = include_bytes!("../../presence-pidf/tests/vectors/pidf-everything.xml");
const FULL: &[u8] = br#"<p:pidf-full xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff" entity="sip:a@b" version="1"><tuple id="t"><status><basic>open</basic></status><contact priority="0.8">sip:a@b</contact></tuple><note>n</note></p:pidf-full>"#;
const DIFF: &[u8] = br#"<p:pidf-diff xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff" version="2"><p:replace sel="*/tuple[@id='t']/status/basic/text()">closed</p:replace><p:add sel="*/note" pos="after"><note>m</note></p:add><p:remove sel="*/tuple/contact/@priority"/></p:pidf-diff>"#;
const LIST: &[u8] = b"--b\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:a@b\" version=\"1\" fullState=\"true\"><resource uri=\"sip:c@d\"><instance id=\"1\" state=\"active\" cid=\"c@x\"/></resource></list>\r\n--b\r\nContent-ID: <c@x>\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" uri=\"sip:c@d\"/>\r\n--b--\r\n";

#[test]
fn documents_never_panic_and_strictly_good_ones_are_written_strictly_good() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let body = damaged(&[PIDF, FULL, DIFF, LIST, BOMB], damage);
        let mut out = BytesMut::new();
        for reading in [Reading::Strict, Reading::Lenient] {
            let _ = Body::parse(None, &body, reading);
        }
        if let Ok(presence) = Presence::parse(&body, Reading::Strict) {
            presence.emit(&mut out);
            assert_eq!(Presence::parse(&out.split(), Reading::Strict), Ok(presence));
        }
        let mut partial = PartialPresence::default();
        let _ = (partial.take(FULL), partial.take(&body));
        if let Ok(list) = ListNotification::parse("multipart/related; boundary=b", &body) {
            let content_type = list.emit("q", &mut out);
            let again = ListNotification::parse(&content_type, &out.split()).expect("our own body");
            assert_eq!(again.list.resources.len(), list.list.resources.len());
        }
        if let Ok(data) = RoamingData::parse(&body) {
            data.emit(&mut out);
            assert_eq!(RoamingData::parse(&out.split()), Ok(data));
        }
        if let Ok(categories) = EventCategories::parse(&body) {
            categories.emit(&mut out);
            assert_eq!(EventCategories::parse(&out.split()), Ok(categories));
        }
    });
}

#[test]
fn a_publisher_takes_any_answer() {
    let origin = std::time::Instant::now();
    bolero::check!().with_type::<(Damage, Vec<u16>)>().with_iterations(ROUNDS / 3).for_each(
        |(damage, statuses)| {
            let body = damaged(&[REPORT, FAULT, PUBLISH], damage);
            let mut machine =
                publisher::Publisher::new(publisher::PublisherConfig::new("sip:a@b", "0102030405"));
            machine.publish(presence_pidf::Publication::of(presence_pidf::Phase::InCall));
            machine.registered(origin);
            let mut now = origin;
            for status in statuses.iter().take(20) {
                machine.handle_timeout(now);
                let mut out = BytesMut::new();
                if machine.poll_transmit(&mut out).is_some() {
                    assert!(parse_publish(&out).is_ok());
                    assert!(machine.poll_transmit(&mut out).is_none(), "one request at a time");
                }
                let status = 100 + status % 600;
                machine.handle_input(now, publisher::Input::Answer { status, body: &body });
                machine.handle_input(now, publisher::Input::Report(&body));
                while machine.poll_event().is_some() {}
                now = machine.poll_timeout().unwrap_or(now).max(now);
            }
        },
    );
}

const MEMBERS: &[u8] = br#"<setContainerMembers xmlns="http://schemas.microsoft.com/2006/09/sip/container-management"><container id="200" version="0"><member action="add" type="user" value="c@d"/></container></setContainerMembers>"#;
const BATCH: &[u8] = br#"<batchSub xmlns="http://schemas.microsoft.com/2006/01/sip/batch-subscribe" uri="sip:c@d" name=""><action name="subscribe" id="1"><adhocList><resource uri="sip:a@b"/></adhocList><categoryList xmlns="http://schemas.microsoft.com/2006/09/sip/categorylist"><category name="state"/></categoryList></action></batchSub>"#;
const NOTICED: &[u8] = br#"<setSubscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="c@d" acknowledged="true"/></setSubscribers>"#;

#[test]
fn a_notifier_takes_any_bodies_in_any_order_and_what_it_tells_can_be_read() {
    use presence_pidf::notifier::{Format, Notifier, NotifierConfig};

    let start = std::time::Instant::now();
    bolero::check!().with_type::<Vec<(u8, Damage)>>().with_iterations(ROUNDS / 4).for_each(|steps| {
        let mut server = Notifier::new(start, NotifierConfig::new("b"));
        let mut out = BytesMut::new();
        let mut now = start;
        let mut known = Vec::new();
        for (what, damage) in steps.iter().take(30) {
            let body = damaged(&[PUBLISH, MEMBERS, BATCH, NOTICED], damage);
            let format = [Format::Categories, Format::Presentity, Format::Pidf][usize::from(*what) % 3];
            match what % 7 {
                0 => drop(server.publish(now, "sip:a@b", "e", &body)),
                1 => drop(server.set_members(now, "sip:a@b", &body)),
                2 => known.extend(server.subscribe("sip:c@d", "sip:a@b", format, &body).ok()),
                3 => known.extend(server.subscribe_own("sip:a@b", b"").ok()),
                4 => drop(server.acknowledge(now, "sip:a@b", &body)),
                5 => {
                    now += std::time::Duration::from_secs(u64::from(*what) * 100);
                    server.handle_timeout(now);
                    server.endpoint_gone(now, "sip:a@b", "e", what % 2 == 0);
                }
                _ => {
                    if let Some(id) = known.pop() {
                        server.unsubscribe(id);
                    }
                }
            }
            for _ in 0..100 {
                let Some(transmit) = server.poll_transmit(&mut out) else { break };
                let told = out.split();
                let read = Body::parse(Some(&transmit.content_type), &told, Reading::Lenient);
                assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(&told));
            }
            assert_eq!(server.poll_transmit(&mut out), None, "it ends");
        }
    });
}

#[test]
fn a_publication_agent_takes_any_answers() {
    use presence_pidf::publication_agent::{AgentConfig, Answer, Input, PublicationAgent};

    let start = std::time::Instant::now();
    bolero::check!().with_type::<Vec<(u8, u16, u32)>>().with_iterations(ROUNDS).for_each(|steps| {
        let mut agent = PublicationAgent::new(AgentConfig::new());
        let mut out = BytesMut::new();
        let mut now = start;
        for (what, status, seconds) in steps.iter().take(200) {
            match what % 5 {
                0 => agent.publish(now, bytes::Bytes::copy_from_slice(&[*what])),
                1 => agent.remove(now),
                2 => agent.handle_input(now, Input::NoAnswer),
                3 => {
                    now += std::time::Duration::from_secs(u64::from(*seconds % 100_000));
                    agent.handle_timeout(now);
                }
                _ => {
                    let tag = status.to_string();
                    agent.handle_input(
                        now,
                        Input::Answer(Answer {
                            status: status % 700,
                            entity_tag: (what % 2 == 0).then_some(&tag),
                            expires: (what % 3 == 0).then_some(*seconds),
                            min_expires: (what % 7 == 0).then_some(*seconds),
                            retry_after: (what % 11 == 0).then_some(*seconds),
                        }),
                    );
                }
            }
            let _one = agent.poll_transmit(&mut out);
            assert_eq!(agent.poll_transmit(&mut out), None, "one request at a time");
            while agent.poll_event().is_some() {}
            assert!(agent.poll_timeout().is_none_or(|at| at > now), "what is due was done");
            out.clear();
        }
    });
}
