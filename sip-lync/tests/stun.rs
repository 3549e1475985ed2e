//! STUN messages of the standards and of Lync, read and written again.

use serde_json::Value;
use sip_lync::stun::{
    Attribute, AttributeType, Builder, Class, Dialect, Fingerprint, Integrity, IntegrityKey, Message, Method,
    Table, TransactionId, with_legacy_fingerprint,
};
use sip_lync::{Refusal, Rule};

const ICE_PASSWORD: &[u8] = b"pWd+/0123456789abcdefGHI";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut octets = Vec::new();
    for digit in text.bytes().filter(|digit| *digit != b'=') {
        let value = digits.iter().position(|known| *known == digit).unwrap();
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/stun/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    value.get("cases").unwrap_or(&value).as_array().unwrap().clone()
}

fn case(name: &str) -> Value {
    cases("lync").into_iter().find(|case| case["name"] == name).unwrap()
}

/// The message with the same attributes, written by us.
fn again(octets: &[u8], dialect: Dialect, key: Option<&IntegrityKey>, table: Option<Table>) -> Vec<u8> {
    let message = Message::parse(dialect, octets).unwrap();
    let mut buffer = [0; 1500];
    let mut builder =
        Builder::new(&mut buffer, dialect, message.class(), message.method(), message.transaction());
    for attribute in message.attributes() {
        match attribute.unwrap() {
            Attribute::MessageIntegrity(_) | Attribute::Fingerprint(_) | Attribute::MagicCookie => {}
            attribute => {
                builder.push(&attribute);
            }
        }
    }
    builder.finish(key, table).unwrap().to_vec()
}

#[test]
fn the_messages_of_rfc_5769_hold_and_come_back() {
    for case in cases("rfc5769") {
        let octets = hex(case["message"].as_str().unwrap());
        let key = case["password"].as_str().map_or_else(
            || {
                let text = |name: &str| case[name].as_str().unwrap().as_bytes().to_vec();
                IntegrityKey::long_term(&text("username"), &text("realm"), &text("long_term_password"))
            },
            |password| IntegrityKey::short_term(password.as_bytes()),
        );
        let message = Message::parse(Dialect::Rfc8489, &octets).unwrap();
        assert_eq!(message.integrity(&key), Integrity::Genuine, "{}", case["name"]);
        let expected = if case["password"].is_null() { Fingerprint::Absent } else { Fingerprint::Correct };
        assert_eq!(message.fingerprint(), expected, "{}", case["name"]);
        if let Some(mapped) = case["mapped"].as_str() {
            assert_eq!(message.reflexive_address(), Some(mapped.parse().unwrap()));
        }
        // The samples fill with blanks, we with zeros: equal where nothing is filled, genuine everywhere.
        let table = (expected == Fingerprint::Correct).then_some(Table::Correct);
        let written = again(&octets, Dialect::Rfc8489, Some(&key), table);
        assert_eq!(written.len(), octets.len());
        let read = Message::parse(Dialect::Rfc8489, &written).unwrap();
        assert_eq!(read.integrity(&key), Integrity::Genuine);
        assert!(read.raw_attributes().zip(message.raw_attributes()).all(|(left, right)| {
            left.kind == right.kind
                && (left.value == right.value
                    || [AttributeType::MESSAGE_INTEGRITY, AttributeType::FINGERPRINT].contains(&left.kind))
        }));
        if case["fill"] == 0 {
            assert_eq!(written, octets);
        }
    }
}

#[test]
fn checks_of_lync_hold_and_come_back_octet_for_octet_with_both_fingerprints() {
    let key = IntegrityKey::short_term(ICE_PASSWORD);
    let mut seen = 0;
    for case in cases("lync").iter().filter(|case| case["flavour"] == "MS-ICE2") {
        seen += 1;
        let octets = hex(case["message"].as_str().unwrap());
        let legacy = hex(case["message_legacy_fingerprint"].as_str().unwrap());
        let message = Message::parse(Dialect::MsIce2, &octets).unwrap();
        assert_eq!(message.integrity(&key), Integrity::Genuine);
        assert_eq!(message.fingerprint(), Fingerprint::Correct);
        assert!(message.fingerprint_holds());
        let old = Message::parse(Dialect::MsIce2, &legacy).unwrap();
        assert_eq!(old.fingerprint(), Fingerprint::Legacy);
        assert_eq!(old.integrity(&key), Integrity::Genuine);
        if let Some(expected) = case["legacy_form_must_be"].as_str() {
            assert_eq!(old.fingerprint_holds(), expected == "accepted", "{}", case["name"]);
            assert_eq!(message.username(), case["username"].as_str().map(str::as_bytes));
            assert_eq!(message.priority(), Some(0x6e7f_feff));
        }
        if let Some(mapped) = case["mapped"].as_str() {
            assert_eq!(message.reflexive_address(), Some(mapped.parse().unwrap()));
        }
        assert_eq!(message.use_candidate(), case["name"] == "msice2-check-use-candidate");

        let mut written = again(&octets, Dialect::MsIce2, Some(&key), Some(Table::Correct));
        assert_eq!(written, octets, "{}", case["name"]);
        assert_eq!(again(&octets, Dialect::MsIce2, Some(&key), Some(Table::Legacy)), legacy);
        with_legacy_fingerprint(&mut written).unwrap();
        assert_eq!(written, legacy);
    }
    assert_eq!(seen, 5);
}

#[test]
fn checks_of_ocs_2007_hold_and_come_back() {
    let check = case("draft6-check");
    let name = |which: &str| base64(check[which].as_str().unwrap());
    let key = IntegrityKey::short_term(&name("remote_password_sdp"));
    let octets = hex(check["message"].as_str().unwrap());
    let message = Message::parse(Dialect::Draft06, &octets).unwrap();
    let username = [&name("remote_username_sdp")[..], b":1:", &name("local_username_sdp"), b":1"].concat();
    assert_eq!(message.username(), Some(&username[..]));
    assert_eq!(message.integrity(&key), Integrity::Genuine);
    assert_eq!(message.fingerprint(), Fingerprint::Absent);
    assert!(message.fingerprint_holds());

    let mut buffer = [0; 200];
    let mut builder =
        Builder::new(&mut buffer, Dialect::Draft06, Class::Request, Method::Binding, message.transaction());
    builder.push(&Attribute::Username(&username));
    assert_eq!(builder.finish(Some(&key), None).unwrap(), octets);

    let response = case("draft6-response");
    let octets = hex(response["message"].as_str().unwrap());
    let read = Message::parse(Dialect::Draft06, &octets).unwrap();
    assert_eq!(read.integrity(&key), Integrity::Genuine);
    assert_eq!(read.transaction(), message.transaction());
    assert_eq!(read.reflexive_address(), Some(response["mapped"].as_str().unwrap().parse().unwrap()));
    assert_eq!(again(&octets, Dialect::Draft06, Some(&key), None), octets);
}

#[test]
fn an_allocation_at_a_relay_of_lync_comes_back_octet_for_octet() {
    let case = case("msturn-allocate-flow");
    let text = |name: &str| case[name].as_str().unwrap();
    let key = IntegrityKey::long_term(
        &hex(text("username_hex")),
        text("realm_text").as_bytes(),
        &hex(text("password_hex")),
    );
    for (name, keyed) in [
        ("allocate1", false),
        ("error401", false),
        ("allocate2", true),
        ("success", true),
        ("send_request", true),
    ] {
        let octets = hex(text(name));
        let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
        let expected = if keyed { Integrity::Genuine } else { Integrity::Absent };
        assert_eq!(message.integrity(&key), expected, "{name}");
        assert!(
            message.attributes().all(|attribute| !matches!(attribute, Err(_) | Ok(Attribute::Unknown(..))))
        );
        assert_eq!(again(&octets, Dialect::MsTurn, keyed.then_some(&key), None), octets, "{name}");
    }
    let octets = hex(text("error401"));
    let error = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!((error.class(), error.method()), (Class::Error, Method::Allocate));
    assert_eq!(error.error_code().unwrap().code, 401);
    assert_eq!(error.attribute(AttributeType::MS_REALM), Some(Attribute::Realm(b"\"rtcmedia\"")));
    let next = Attribute::AlternateServer(case["expect"]["next_server"].as_str().unwrap().parse().unwrap());
    assert_eq!(error.attribute(AttributeType::MS_ALTERNATE_SERVER), Some(next));
    let octets = hex(text("success"));
    let success = Message::parse(Dialect::MsTurn, &octets).unwrap();
    let expect = |name: &str| case["expect"][name].as_str().unwrap().parse().unwrap();
    assert_eq!(success.reflexive_address(), Some(expect("reflexive")));
    let relayed = success.attribute(AttributeType::MAPPED_ADDRESS);
    assert_eq!(relayed, Some(Attribute::MappedAddress(expect("relayed"))));
}

#[test]
fn any_changed_octet_breaks_integrity_or_fingerprint_or_structure() {
    let key = IntegrityKey::short_term(ICE_PASSWORD);
    let octets = hex(case("msice2-check-with-version")["message"].as_str().unwrap());
    for at in 0..octets.len() {
        for bit in 0..8 {
            let mut changed = octets.clone();
            changed[at] ^= 1 << bit;
            if let Ok(message) = Message::parse(Dialect::MsIce2, &changed) {
                assert!(
                    !message.fingerprint_holds() || message.integrity(&key) != Integrity::Genuine,
                    "octet {at} bit {bit}"
                );
                // Whatever protects the message is checked by itself, too.
                if at < octets.len() - 32 {
                    assert_ne!(message.integrity(&key), Integrity::Genuine, "octet {at} bit {bit}");
                }
                assert_ne!(message.fingerprint(), Fingerprint::Correct, "octet {at} bit {bit}");
            }
        }
    }
}

#[test]
fn a_message_that_does_not_fit_is_refused_and_not_cut() {
    let transaction = TransactionId::new(Dialect::Rfc8489, [1; 16]);
    for room in 0..60 {
        let mut buffer = vec![0; room];
        let mut builder =
            Builder::new(&mut buffer, Dialect::Rfc8489, Class::Request, Method::Binding, transaction);
        builder.push(&Attribute::Software(b"example"));
        let key = IntegrityKey::short_term(b"x");
        let written = builder.finish(Some(&key), None).map(|octets| octets.len());
        assert_eq!(written, if room < 56 { Err(Refusal::BufferTooSmall) } else { Ok(56) }, "{room}");
    }
    let mut buffer = vec![0; 70_000];
    let mut builder =
        Builder::new(&mut buffer, Dialect::Rfc8489, Class::Indication, Method::Send, transaction);
    builder.push(&Attribute::Data(&vec![0; 65_535])).push(&Attribute::Data(&[0; 10]));
    assert_eq!(builder.finish(None, None), Err(Refusal::StunTooLong));
}

#[test]
fn an_attribute_foreign_to_the_dialect_is_refused() {
    let mut buffer = [0; 100];
    let transaction = TransactionId::new(Dialect::Rfc8489, [1; 16]);
    let mut builder =
        Builder::new(&mut buffer, Dialect::Rfc8489, Class::Request, Method::Binding, transaction);
    builder.push(&Attribute::MagicCookie);
    assert_eq!(builder.finish(None, None), Err(Refusal::NotInDialect));
}

#[test]
fn broken_structure_is_refused_with_its_rule() {
    let good = hex(case("msice2-check-with-version")["message"].as_str().unwrap());
    let refused = |octets: &[u8]| Message::parse(Dialect::MsIce2, octets).unwrap_err().rule;
    assert_eq!(refused(&good[..19]), Rule::StunHeader);
    assert_eq!(refused(&good[..good.len() - 1]), Rule::StunLength);
    let with = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    assert_eq!(refused(&with(0, 0x80)), Rule::StunHeader);
    assert_eq!(refused(&with(4, 0)), Rule::StunCookie);
    assert_eq!(refused(&with(23, 0xff)), Rule::StunAttributeLength);
    let turn = hex(case("msturn-allocate-flow")["allocate1"].as_str().unwrap());
    let mut cookieless = turn.clone();
    cookieless[27] ^= 1;
    assert_eq!(Message::parse(Dialect::MsTurn, &cookieless).unwrap_err().rule, Rule::StunMagicCookie);
    let behind = [&good[..], &[0x80, 0x70, 0, 0]].concat();
    let mut behind = behind;
    behind[3] += 4;
    assert_eq!(refused(&behind), Rule::StunFingerprintLast);
}

#[test]
fn what_stands_behind_the_integrity_does_not_count() {
    let key = IntegrityKey::short_term(b"x");
    let transaction = TransactionId::new(Dialect::Rfc8489, [1; 16]);
    let mut buffer = [0; 200];
    let builder = Builder::new(&mut buffer, Dialect::Rfc8489, Class::Request, Method::Binding, transaction);
    let mut octets = builder.finish(Some(&key), None).unwrap().to_vec();
    octets.extend([0, 0x25, 0, 0]);
    octets[3] += 4;
    let message = Message::parse(Dialect::Rfc8489, &octets).unwrap();
    assert_eq!(message.integrity(&key), Integrity::Genuine);
    assert!(!message.use_candidate());
}

#[test]
fn every_attribute_of_the_registry_is_known_by_name_and_no_other_is() {
    for dialect in [Dialect::Rfc8489, Dialect::MsIce2, Dialect::Draft06, Dialect::MsTurn, Dialect::Rfc3489] {
        let transaction = TransactionId::new(dialect, [9; 16]);
        for number in 0..=u16::MAX {
            let kind = AttributeType(number);
            let unknown = matches!(
                Attribute::parse(dialect, transaction, kind, b"?????"),
                Some(Attribute::Unknown(..))
            );
            assert_eq!(kind.is_known(dialect), kind.name(dialect) != "unknown", "{number:#06x}");
            assert!(!(kind.is_known(dialect) && unknown), "{number:#06x} {dialect:?}");
        }
    }
    assert!(AttributeType::USE_CANDIDATE.is_known(Dialect::MsIce2));
    assert!(AttributeType::MAGIC_COOKIE.is_known(Dialect::MsTurn));
    assert!(!AttributeType::MAGIC_COOKIE.is_known(Dialect::Rfc8489));
}
