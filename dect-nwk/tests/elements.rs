//! The layout of elements which no vector contains, octet by octet as EN 300 175-5 7.6 and 7.7 draw them.

use bytes::BytesMut;
use dect_nwk::{
    Octets, Rule,
    element::*,
    message::{Message, MessageType, ProtocolDiscriminator, Transaction},
};

fn octets<const LIMIT: usize>(octets: &[u8]) -> Octets<LIMIT> {
    Octets::new(octets).unwrap()
}

/// The value is written as these octets, and read from them as this value.
fn check(coded: &[u8], value: impl Into<InformationElement>) {
    let value = value.into();
    let mut written = BytesMut::new();
    value.emit(&mut written);
    assert_eq!(written, coded, "{value:?}");
    let message = Message::parse(&[&[0x03, 0x7b], coded].concat()).unwrap();
    assert_eq!(message.elements().collect::<Vec<_>>(), [&value]);
    assert_eq!(message.received(0), None);
}

#[test]
fn numbers_and_names() {
    check(
        &[0x70, 3, 0x91, 0x31, 0x32],
        CalledPartyNumber {
            kind: NumberType::International,
            plan: NumberingPlan::E164,
            digits: "12".parse().unwrap(),
        },
    );
    check(&[0x71, 2, 0xa8, 7], CalledPartySubaddr { kind: 2, odd: true, address: octets(&[7]) });
    check(
        &[0x6d, 3, 0x25, 0xc3, 0xbc],
        CallingPartyName {
            presentation: Presentation::Restricted,
            alphabet: Alphabet::Utf8,
            screening: Screening::Verified,
            name: octets("ü".as_bytes()),
        },
    );
    check(
        &[0x73, 6, 0x07, 0x82, b'B', b'o', 0x81, b'A'],
        CalledPartyName {
            alphabet: Alphabet::Utf8,
            screening: Screening::Network,
            name: octets(b"Bo"),
            first_name: octets(b"A"),
        },
    );
    check(
        &[0x76, 3, 0x19, 0x41, 0x42],
        Alphanumeric { coding: AlphanumericCoding::EightBit, odd: true, set: 1, characters: octets(b"AB") },
    );
}

#[test]
fn services() {
    check(&[0x1c, 3, 0x91, 0xa1, 0x00], Facility { profile: 17, components: octets(&[0xa1, 0]) });
    check(&[0x38, 1, 0x81], FeatureActivate { feature: Feature::RegisterRecall, parameter: None });
    check(&[0x38, 2, 0x42, 0x83], FeatureActivate { feature: Feature::NumberedKey, parameter: Some(3) });
    check(
        &[0x39, 4, 0x42, 0x83, 0x81, 5],
        FeatureIndicate {
            feature: Feature::NumberedKey,
            parameter: Some(3),
            status: FeatureStatus::Activated,
            components: octets(&[5]),
        },
    );
    check(&[0xe6, 0x01], TestHookControl::OffHook);
    check(&[0xe5, 0x01], TimerRestart::Stop);
    check(&[0xe8, b'A'], SingleDisplay { character: b'A' });
    check(&[0x54, 1, 3], ServiceClass::National);
    check(&[0x74, 3, 0x80, 0x81, 0x85], ListChangeDetails { originator: 0, changes: octets(&[0x81, 0x85]) });
}

#[test]
fn attributes_and_connections() {
    check(&[0x12, 4, 0x80, 0x81, 0x8b, 0x84], IwuAttributes::basic_speech());
    check(
        &[0x12, 3, 0xa3, 0x92, 7],
        IwuAttributes::Profile { profile: 3, negotiation: 1, subtype: 2, attributes: octets(&[7]) },
    );
    check(&[0x13, 4, 0x81, 0xa0, 0x81, 0x81], CallAttributes::basic_speech());
    check(
        &[0x1b, 2, 0x12, 0x34],
        ConnectionIdentity {
            pairs: vec![ConnectionPair { link: 1, connection: 2 }, ConnectionPair { link: 3, connection: 4 }],
        },
    );
    let change = ServiceChangeInfo {
        receiver_is_master: false,
        mode: ServiceChangeMode::AudioCodec,
        service: None,
        attributes: None,
    };
    check(&[0x16, 1, 0x8d], change);
    check(
        &[0x16, 2, 0x1e, 0x88],
        ServiceChangeInfo {
            receiver_is_master: true,
            mode: ServiceChangeMode::BasicService,
            service: Some(8),
            ..change
        },
    );
    let suspend = ServiceChangeMode::Suspend;
    check(&[0x16, 2, 0x88, 0xdb], ServiceChangeInfo { mode: suspend, attributes: Some(0x5b), ..change });
    check(
        &[0x62, 1, 0x85],
        SetupCapability {
            protocol: 0,
            setup: SetupProcedure::Normal,
            page: PageCapability::Normal,
            extension: None,
        },
    );
    check(
        &[0x62, 2, 0x06, 0x80],
        SetupCapability {
            protocol: 0,
            setup: SetupProcedure::Normal,
            page: PageCapability::Fast,
            extension: Some(0),
        },
    );
    check(
        &[0x75, 2, 0x82, 0x77],
        SegmentedInfo { first: true, remaining: 2, element: ElementIdentifier::IwuToIwu },
    );
    check(
        &[0x77, 3, 0x86, 1, 2],
        IwuToIwu { sent: false, protocol: IwuProtocol::LightData, data: octets(&[1, 2]) },
    );
    check(&[0x7a, 2, 0xc6, 1], IwuPacket { sent: true, layer2: 6, layer3: None, data: octets(&[1]) });
    check(
        &[0x7a, 3, 0x06, 0xe7, 1],
        IwuPacket { sent: false, layer2: 6, layer3: Some(7), data: octets(&[1]) },
    );
    check(&[0x7b, 2, 0x80, 1], EscapeToProprietary { owner: Owner::Unspecified, data: octets(&[1]) });
    check(
        &[0x7b, 4, 0x81, 0x00, 0x31, 1],
        EscapeToProprietary { owner: Owner::Manufacturer(0x31), data: octets(&[1]) },
    );
}

#[test]
fn mobility() {
    check(&[0x02, 2, 0x80, 0x90], IdentityType::IPEI);
    check(&[0x02, 2, 0x84, 0xa0], IdentityType::PARK);
    check(
        &[0x01, 2, 0x00, 0x81],
        InfoType { parameters: vec![Parameter::LocateSuggest, Parameter::AccessRightsModifySuggest] },
    );
    check(
        &[0x07, 10, 0xdf, 0x7f, 1, 2, 3, 4, 5, 6, 7, 8],
        LocationArea {
            level: Some(31),
            extended: Some(ExtendedLocation { indicator: 7, octets: octets(&[1, 2, 3, 4, 5, 6, 7, 8]) }),
        },
    );
    check(
        &[0x09, 6, 0xf4, 0xa0, 1, 2, 3, 4],
        NwkAssignedIdentity { kind: NetworkIdentityType::Tmsi, bits: 32, value: octets(&[1, 2, 3, 4]) },
    );
    check(&[0x0e, 6, 1, 2, 3, 4, 5, 6], Rs::Rs48([1, 2, 3, 4, 5, 6]));
    check(
        &[0x19, 2, 0x01, 0xa3],
        CipherInfo { key_type: CipherKeyType::Static, ..CipherInfo::dsc(false, 3) },
    );
    check(
        &[0x19, 3, 0xff, 0x05, 0x98],
        CipherInfo {
            algorithm: CipherAlgorithm::Proprietary,
            proprietary: Some(5),
            ..CipherInfo::dsc(true, 8)
        },
    );
    let transaction = Transaction::answered(3);
    check(&[0x1a, 1, 0xb3], CallIdentity { protocol: ProtocolDiscriminator::Cc, transaction });
    check(
        &[0x1a, 2, 0x73, 9],
        CallIdentity { protocol: ProtocolDiscriminator::Cc, transaction: Transaction::opened(9) },
    );
    check(
        &[0x41, 2, 0x6a, 1],
        NetworkParameter { kind: NetworkParameterType::HandoverReferenceGsm, data: octets(&[1]) },
    );
    check(&[0x42, 1, 0xa5], ExtHoIndicator { other_identities: true, synchronisation: 1, length: 5 });
    check(&[0x52, 1, 0x0f], ZapField { contents: 15 });
    check(&[0x56, 4, 0x90, 1, 2, 3], Key::new(KeyType::DerivedDsc, &[1, 2, 3]).unwrap());
    check(
        &[0x72, 2, 0x61, 9],
        Duration { lock: LockLimit::TemporaryUserLimit, limit: TimeLimit::Limit1, units: Some(9) },
    );
    check(&[0x78, 4, 1, 2, 3, 4], ModelIdentifier::Imeisv(octets(&[1, 2, 3, 4])));
}

#[test]
fn shifts_and_reserved_identifiers_are_kept() {
    check(&[0x91], InformationElement::Shift(Shift { locking: true, codeset: 1 }));
    check(&[0x9c], InformationElement::Shift(Shift { locking: false, codeset: 4 }));
    for (coded, identifier, contents) in [
        (&[0x85][..], ElementIdentifier::Reserved(0x80), &[5][..]),
        (&[0xef, 7], ElementIdentifier::Reserved(0xef), &[7]),
        (&[0x33, 2, 7, 8], ElementIdentifier::Reserved(0x33), &[7, 8]),
        (&[0x17, 2, 7, 8], ElementIdentifier::ConnectionAttributes, &[7, 8]),
        (&[0x68, 1, 7], ElementIdentifier::UleMacConfigurationInfo, &[7]),
        (&[0x7f, 2, 0x81, 7], ElementIdentifier::EscapeForExtension, &[0x81, 7]),
    ] {
        check(coded, InformationElement::Opaque(Opaque { identifier, contents: octets(contents) }));
    }
}

#[test]
fn elements_of_another_codeset_are_not_read() {
    let message =
        Message::parse(&[0x03, 0x7b, 0x99, 0xe4, 0x40, 0xe4, 0x3f, 0x91, 0x2c, 1, 0x32, 0xa1]).unwrap();
    let names: Vec<_> = message.elements().map(|element| element.identifier().to_string()).collect();
    assert_eq!(
        names,
        [
            "non-locking-shift",
            "other-codeset-e4",
            "signal",
            "locking-shift",
            "other-codeset-2c",
            "other-codeset-a0"
        ]
    );
    assert_eq!(message.find::<Signal>(), Some(&Signal::TonesOff));
    assert_eq!(message.find::<MultiKeypad>(), None);
    // A locking shift leads to a higher codeset only.
    let message =
        Message::parse(&[0x03, 0x7b, 0x90, 0xe4, 0x40, 0x92, 0x91, 0xe4, 0x40, 0x90, 0xe4, 0x40]).unwrap();
    assert_eq!(
        message.elements().filter(|element| element.identifier() == ElementIdentifier::Signal).count(),
        1
    );
}

#[test]
fn of_repeated_elements_the_first_counts_unless_they_are_a_list() {
    let one = [0x05, 0x58, 0x02, 2, 0x80, 0x90, 0x02, 2, 0x80, 0x80];
    let message = Message::parse(&one).unwrap();
    assert_eq!(message.list::<IdentityType>().collect::<Vec<_>>(), [&IdentityType::IPEI]);
    let list = [&[0x05, 0x58, 0xd1], &one[2..]].concat();
    let message = Message::parse(&list).unwrap();
    assert_eq!(
        message.list::<IdentityType>().collect::<Vec<_>>(),
        [&IdentityType::IPEI, &IdentityType::IPUI]
    );
    assert_eq!(message.find::<IdentityType>(), Some(&IdentityType::IPEI));
    assert_eq!(message.list::<Signal>().count(), 0);
}

#[test]
fn a_cut_off_element_and_what_follows_is_dropped() {
    let message = Message::parse(&[0x03, 0x7b, 0xe4, 0x40, 0x2c, 5, 0x32, 0xa1]).unwrap();
    assert_eq!(message.elements().count(), 1);
    assert_eq!(&message.dropped()[..], &[0x2c, 5, 0x32, 0xa1]);
    assert_eq!(&message.to_bytes()[..], &[0x03, 0x7b, 0xe4, 0x40]);
}

#[test]
fn extra_octets_and_spare_bits_are_no_error_and_survive() {
    for octets in [
        &[0x03, 0x7b, 0x1e, 3, 0x80, 0x88, 0x00][..], // one octet too many
        &[0x03, 0x7b, 0x1e, 2, 0x90, 0x88],           // a spare bit
        &[0x03, 0x7b, 0x1e, 2, 0x80, 0x08],           // a group that does not end
    ] {
        let message = Message::parse(octets).unwrap();
        assert_eq!(message.find::<ProgressIndicator>(), Some(&ProgressIndicator::IN_BAND));
        assert!(message.received(0).is_some());
        assert_eq!(message.to_bytes(), octets);
    }
}

#[test]
fn headers_are_read_in_the_order_of_the_standard() {
    let rule = |octets: &[u8]| Message::parse(octets).map_err(|error| (error.at(), error.to_string()));
    let expect = |octets: &[u8], at: usize, expected: Rule| {
        let (found, text) = rule(octets).unwrap_err();
        assert_eq!(found, Some(at));
        assert!(text.ends_with(&expected.to_string()), "{text}");
    };
    expect(&[], 0, Rule::MessageTooShort);
    expect(&[0x01], 0, Rule::ProtocolDiscriminator);
    expect(&[0x03], 1, Rule::MessageTooShort);
    expect(&[0x73, 0x01], 2, Rule::MessageTooShort);
    expect(&[0x03; 4097], 4096, Rule::MessageTooLong);
    let unknown = Message::parse(&[0x83, 0x7f]).unwrap();
    assert_eq!(unknown.message_type, MessageType::Unknown(ProtocolDiscriminator::Cc, 0x7f));
    assert_eq!(unknown.transaction, Transaction::answered(0));
}
