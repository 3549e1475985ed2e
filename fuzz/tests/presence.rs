//! Presence bodies against arbitrary XML.

use bytes::BytesMut;
use fuzz::{Damage, ROUNDS, damaged};
use presence_pidf::category::{Fault, parse_publish, parse_report};

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
