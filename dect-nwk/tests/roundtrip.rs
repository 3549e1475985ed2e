//! What is written is read back the same, what is read is written back the same, and nothing makes the readers panic.

use bytes::BytesMut;
use dect_nwk::{
    Characters, Octets,
    element::*,
    identity::{Ari, BitString, Digits, Ipei, Ipui, Park, Rfpi, Tpui},
    lapc::{Address, Channel, Control, Frame, Reassembly, segments},
    message::{Message, MessageType, ProtocolDiscriminator, Side, Transaction},
    page::{FullAddress, Page, PageHeader, RingPattern, SetupInfo, ShortAddress},
};
use proptest::{collection::vec, option, prelude::*};

fn octets<const LIMIT: usize>(most: usize) -> impl Strategy<Value = Octets<LIMIT>> {
    vec(any::<u8>(), 0..=most).prop_map(|octets| Octets::cut(&octets))
}

fn seven_bits<const LIMIT: usize>(most: usize) -> impl Strategy<Value = Octets<LIMIT>> {
    vec(0..128_u8, 1..=most).prop_map(|octets| Octets::cut(&octets))
}

fn characters() -> impl Strategy<Value = Characters> {
    vec(any::<u8>(), 1..=40).prop_map(|octets| Characters::from_octets(&octets).unwrap())
}

fn ipei() -> impl Strategy<Value = Ipei> {
    (any::<u16>(), 0..1_u32 << 20).prop_map(|(emc, psn)| Ipei::new(emc, psn).unwrap())
}

fn digits(most: usize) -> impl Strategy<Value = Digits> {
    vec(prop_oneof!["[0-9]", Just(" ".to_owned())], 0..=most)
        .prop_map(|digits| digits.concat().parse().unwrap())
}

fn bit_string(most: u8) -> impl Strategy<Value = BitString> {
    (0..=most, any::<u128>())
        .prop_map(|(bits, value)| BitString::new(bits, value & ((1 << bits) - 1)).unwrap())
}

fn ipui() -> impl Strategy<Value = Ipui> {
    prop_oneof![
        ipei().prop_map(Ipui::N),
        bit_string(60).prop_map(Ipui::O),
        (any::<u16>(), bit_string(80)).prop_map(|(code, account)| Ipui::P(code, account)),
        digits(20).prop_map(Ipui::Q),
        digits(15).prop_map(Ipui::R),
        digits(15).prop_map(Ipui::S),
        (any::<u16>(), digits(11)).prop_map(|(code, digits)| Ipui::T(code, digits)),
        digits(20).prop_map(Ipui::U),
    ]
}

fn tpui() -> impl Strategy<Value = Tpui> {
    (0..1_u32 << 20).prop_map(|value| Tpui::new(value).unwrap())
}

fn ari() -> impl Strategy<Value = Ari> {
    prop_oneof![
        (0..1_u64 << 33).prop_map(|bits| Ari::from_bits(36, bits).unwrap()),
        (1..=4_u64, 0..1_u64 << 28).prop_map(|(class, bits)| Ari::from_bits(31, class << 28 | bits).unwrap()),
    ]
}

fn park() -> impl Strategy<Value = Park> {
    (ari(), 1..=36_u8).prop_map(|(ari, pli)| Park::new(ari, pli.min(ari.bit_count())).unwrap())
}

fn transaction() -> impl Strategy<Value = Transaction> {
    prop_oneof![
        (any::<bool>(), 0..7_u8).prop_map(|(flag, value)| Transaction { flag, value, extended: false }),
        (any::<bool>(), any::<u8>()).prop_map(|(flag, value)| Transaction { flag, value, extended: true }),
    ]
}

fn identity_elements() -> impl Strategy<Value = InformationElement> {
    prop_oneof![
        ipui().prop_map(|ipui| PortableIdentity::Ipui(ipui).into()),
        ipei().prop_map(|ipei| PortableIdentity::Ipei(ipei).into()),
        tpui().prop_map(|tpui| PortableIdentity::Tpui(tpui).into()),
        tpui().prop_map(|tpui| PortableIdentity::TpuiWithNumber(tpui).into()),
        ari().prop_map(|ari| FixedIdentity::ari_only(ari).into()),
        (ari(), any::<u8>(), any::<bool>()).prop_map(|(ari, rpn, leading_bit)| {
            let mut identity = FixedIdentity::ari_and_rpn(ari, rpn);
            identity.leading_bit = leading_bit;
            identity.into()
        }),
        park().prop_map(|park| FixedIdentity::park(park).into()),
        (0..16_u8, 0..128_u8).prop_map(|(group, kind)| IdentityType {
            group: IdentityGroup::from_code(group),
            kind
        }
        .into()),
        vec(0..128_u8, 1..10)
            .prop_map(
                |all| InfoType { parameters: all.into_iter().map(Parameter::from_code).collect() }.into()
            ),
        (0..128_u8, 0..128_u8, vec(any::<u8>(), 16)).prop_map(|(kind, bits, value)| {
            let value = Octets::cut(&value[..usize::from(bits.div_ceil(8))]);
            NwkAssignedIdentity { kind: NetworkIdentityType::from_code(kind), bits, value }.into()
        }),
        (0..64_u8, option::of((0..16_u8, octets(16)))).prop_map(|(level, extended)| {
            let extended = extended.map(|(indicator, octets)| ExtendedLocation { indicator, octets });
            LocationArea { level: Some(level), extended }.into()
        }),
        (any::<u16>(), any::<u8>()).prop_map(|(manufacturer, model)| ModelIdentifier::Model {
            manufacturer,
            model
        }
        .into()),
        vec(any::<u8>(), 4..=20).prop_map(|all| ModelIdentifier::Imeisv(Octets::cut(&all)).into()),
    ]
}

fn auth_type() -> impl Strategy<Value = AuthType> {
    let default_key = option::of((any::<u16>(), option::of(0..4_u8)));
    (any::<[u8; 2]>(), any::<[bool; 3]>(), 0..16_u8, 0..16_u8, 0..16_u8, default_key).prop_map(
        |(
            [algorithm, proprietary],
            [increment_zap, send_cipher_key, store_cipher_key],
            kind,
            key_number,
            ck,
            key,
        )| {
            let algorithm = AuthenticationAlgorithm::from_code(algorithm);
            AuthType {
                algorithm,
                proprietary: (algorithm == AuthenticationAlgorithm::Proprietary).then_some(proprietary),
                key_type: AuthenticationKeyType::from_code(kind),
                key_number,
                increment_zap,
                send_cipher_key,
                store_cipher_key,
                cipher_key_number: ck,
                default_key: key.map(|(index, algorithm)| DefaultKey { index, algorithm }),
            }
        },
    )
}

fn security_elements() -> impl Strategy<Value = InformationElement> {
    prop_oneof![
        auth_type().prop_map(Into::into),
        (any::<u8>(), 0..16_u8, 0..16_u8).prop_map(
            |(algorithm, user_authentication_key, authentication_code)| {
                let algorithm = AuthenticationAlgorithm::from_code(algorithm);
                AllocationType { algorithm, user_authentication_key, authentication_code }.into()
            }
        ),
        any::<[u8; 8]>().prop_map(|octets| Rand(octets).into()),
        any::<[u8; 4]>().prop_map(|octets| Res(octets).into()),
        any::<[u8; 6]>().prop_map(|octets| Rs::Rs48(octets).into()),
        any::<[u8; 8]>().prop_map(|octets| Rs::Rs64(octets).into()),
        any::<[u8; 16]>().prop_map(|octets| Rs::Rs128(octets).into()),
        (any::<bool>(), 0..128_u8, any::<u8>(), 0..16_u8, 0..16_u8).prop_map(
            |(enable, algorithm, proprietary, key_type, key_number)| {
                let algorithm = CipherAlgorithm::from_code(algorithm);
                let proprietary = (algorithm == CipherAlgorithm::Proprietary).then_some(proprietary);
                let key_type = CipherKeyType::from_code(key_type);
                CipherInfo { enable, algorithm, proprietary, key_type, key_number }.into()
            }
        ),
        (0..16_u8).prop_map(|contents| ZapField { contents }.into()),
        any::<u8>().prop_map(|code| ServiceClass::from_code(code).into()),
        any::<u8>().prop_map(|code| RejectReason::from_code(code).into()),
        (any::<u8>(), vec(any::<u8>(), 0..=64)).prop_map(|(kind, key)| Key::new(
            KeyType::from_code(kind),
            &key
        )
        .unwrap()
        .into()),
        (0..8_u8, 0..16_u8, option::of(any::<u8>())).prop_map(|(lock, limit, units)| {
            Duration { lock: LockLimit::from_code(lock), limit: TimeLimit::from_code(limit), units }.into()
        }),
        (any::<u8>(), transaction()).prop_map(|(protocol, transaction)| {
            let protocol =
                ProtocolDiscriminator::from_code(protocol & 7).unwrap_or(ProtocolDiscriminator::Cc);
            CallIdentity { protocol, transaction }.into()
        }),
        vec((0..16_u8, 0..16_u8), 1..5).prop_map(|pairs| {
            let pairs =
                pairs.into_iter().map(|(link, connection)| ConnectionPair { link, connection }).collect();
            ConnectionIdentity { pairs }.into()
        }),
    ]
}

fn number_elements() -> impl Strategy<Value = InformationElement> {
    let kind = || (0..8_u8).prop_map(NumberType::from_code);
    let plan = || (0..16_u8).prop_map(NumberingPlan::from_code);
    let presentation = || (0..4_u8).prop_map(Presentation::from_code);
    let screening = || (0..4_u8).prop_map(Screening::from_code);
    let alphabet = || (0..8_u8).prop_map(Alphabet::from_code);
    let origin = (presentation(), screening())
        .prop_map(|(presentation, screening)| NumberOrigin { presentation, screening });
    prop_oneof![
        (kind(), plan(), option::of(origin), characters())
            .prop_map(|(kind, plan, origin, digits)| CallingPartyNumber { kind, plan, origin, digits }.into()),
        (kind(), plan(), characters()).prop_map(|(kind, plan, digits)| CalledPartyNumber { kind, plan, digits }.into()),
        (0..8_u8, any::<bool>(), octets(20))
            .prop_map(|(kind, odd, address)| CalledPartySubaddr { kind, odd, address }.into()),
        (presentation(), alphabet(), screening(), octets(60)).prop_map(|(presentation, alphabet, screening, name)| {
            CallingPartyName { presentation, alphabet, screening, name }.into()
        }),
        (alphabet(), screening(), octets(120), octets(120)).prop_map(|(alphabet, screening, name, first_name)| {
            CalledPartyName { alphabet, screening, name, first_name }.into()
        }),
        characters().prop_map(|characters| MultiDisplay { characters }.into()),
        characters().prop_map(|characters| MultiKeypad { characters }.into()),
        any::<u8>().prop_map(|character| SingleDisplay { character }.into()),
        any::<u8>().prop_map(|character| SingleKeypad { character }.into()),
        (0..8_u8, any::<bool>(), 0..8_u8, octets(60)).prop_map(|(coding, odd, set, characters)| {
            Alphanumeric { coding: AlphanumericCoding::from_code(coding), odd, set, characters }.into()
        }),
    ]
}

fn codec_choice() -> impl Strategy<Value = CodecChoice> {
    (0..128_u8, 0..16_u8, 0..8_u8, 0..16_u8).prop_map(|(codec, service, routing, slot)| CodecChoice {
        codec: Codec::from_code(codec),
        service: MacDlcService::from_code(service),
        routing: CPlaneRouting::from_code(routing),
        slot: SlotType::from_code(slot),
    })
}

fn call_elements() -> impl Strategy<Value = InformationElement> {
    prop_oneof![
        any::<u8>().prop_map(|octet| {
            let (class, service) = (CallClass::from_code(octet >> 4), Service::from_code(octet & 0xf));
            BasicService { class, service }.into()
        }),
        any::<u8>().prop_map(|code| ReleaseReason::from_code(code).into()),
        any::<u8>().prop_map(|code| Signal::from_code(code).into()),
        any::<u8>().prop_map(|code| TimerRestart::from_code(code).into()),
        any::<u8>().prop_map(|code| TestHookControl::from_code(code).into()),
        prop_oneof![Just(RepeatIndicator::NonPrioritised), Just(RepeatIndicator::Prioritised)]
            .prop_map(Into::into),
        Just(InformationElement::SendingComplete),
        Just(InformationElement::DelimiterRequest),
        Just(InformationElement::UseTpui),
        (0..4_u8, 0..16_u8, 0..128_u8).prop_map(|(standard, location, progress)| {
            let (location, progress) = (ProgressLocation::from_code(location), Progress::from_code(progress));
            ProgressIndicator { standard, location, progress }.into()
        }),
        (0..32_u8, octets(60)).prop_map(|(profile, components)| Facility { profile, components }.into()),
        (0..128_u8, option::of(0..128_u8)).prop_map(|(feature, parameter)| FeatureActivate {
            feature: Feature::from_code(feature),
            parameter
        }
        .into()),
        (0..128_u8, option::of(0..128_u8), any::<u8>(), octets(20)).prop_map(
            |(feature, parameter, status, components)| {
                let (feature, status) = (Feature::from_code(feature), FeatureStatus::from_code(status));
                FeatureIndicate { feature, parameter, status, components }.into()
            }
        ),
        (0..32_u8, 0..8_u8, 0..16_u8, octets(8)).prop_map(|(code, negotiation, connection, groups)| {
            let capability = TransferCapability::from_code(code);
            IwuAttributes::Standard { capability, negotiation, connection, groups }.into()
        }),
        (0..32_u8, 0..8_u8, 0..16_u8, octets(8)).prop_map(|(profile, negotiation, subtype, attributes)| {
            IwuAttributes::Profile { profile, negotiation, subtype, attributes }.into()
        }),
        (0..32_u8, 0..8_u8, 0..16_u8, octets(4)).prop_map(
            |(network, c_plane_class, c_plane_routing, u_plane)| {
                CallAttributes { network, c_plane_class, c_plane_routing, u_plane }.into()
            }
        ),
        (0..8_u8, vec(codec_choice(), 1..6)).prop_map(|(negotiation, codecs)| CodecList {
            negotiation,
            codecs
        }
        .into()),
        (any::<bool>(), 0..16_u8, option::of(0..16_u8), option::of(0..128_u8)).prop_map(
            |(receiver_is_master, mode, service, attributes)| {
                let mode = ServiceChangeMode::from_code(mode);
                ServiceChangeInfo { receiver_is_master, mode, service, attributes }.into()
            }
        ),
        (any::<u8>(), octets(40)).prop_map(|(kind, data)| {
            NetworkParameter { kind: NetworkParameterType::from_code(kind), data }.into()
        }),
        (any::<bool>(), 0..4_u8, 0..32_u8).prop_map(|(other_identities, synchronisation, length)| {
            ExtHoIndicator { other_identities, synchronisation, length }.into()
        }),
        (0..8_u8, 0..4_u8, 0..4_u8, option::of(0..128_u8)).prop_map(|(protocol, setup, page, extension)| {
            let (setup, page) = (SetupProcedure::from_code(setup), PageCapability::from_code(page));
            SetupCapability { protocol, setup, page, extension }.into()
        }),
        (any::<bool>(), 0..128_u8, any::<u8>()).prop_map(|(first, remaining, element)| {
            SegmentedInfo { first, remaining, element: ElementIdentifier::from_octet(element & 0x7f) }.into()
        }),
        (any::<bool>(), 0..64_u8, octets(250)).prop_map(|(sent, protocol, data)| {
            IwuToIwu { sent, protocol: IwuProtocol::from_code(protocol), data }.into()
        }),
        (any::<bool>(), 0..32_u8, option::of(0..32_u8), octets(250))
            .prop_map(|(sent, layer2, layer3, data)| IwuPacket { sent, layer2, layer3, data }.into()),
        (option::of(any::<u16>()), octets(250)).prop_map(|(owner, data)| {
            EscapeToProprietary { owner: owner.map_or(Owner::Unspecified, Owner::Manufacturer), data }.into()
        }),
        (0..128_u8, octets(40))
            .prop_map(|(originator, changes)| ListChangeDetails { originator, changes }.into()),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..64_u8, option::of(any::<u32>()), any::<u32>()).prop_map(|(kind, subtype, multiplicity)| {
            Event::Standard { kind: EventType::from_code(kind), subtype, multiplicity }
        }),
        (0..64_u8, any::<u16>(), octets(40)).prop_map(|(kind, manufacturer, data)| Event::Proprietary {
            kind,
            manufacturer,
            data
        }),
    ]
}

fn terminal_capability() -> impl Strategy<Value = TerminalCapability> {
    let control =
        (any::<[bool; 2]>(), 0..8_u8, option::of(0..128_u8)).prop_map(|([dsaa2, dsc2], codes, sets)| {
            ControlCapability { dsaa2, dsc2, codes: ControlCodes::from_code(codes), character_sets: sets }
        });
    (
        vec(0..128_u8, 7),
        0..7_usize,
        0..8_u8,
        0..16_u8,
        option::of((seven_bits(8), option::of((control, octets(8))))),
    )
        .prop_map(|(values, count, tone, display, rest)| {
            let value = |index: usize| (index < count).then(|| values[index]);
            let (profiles, rest) = rest.unwrap_or_else(|| (Octets::default(), None));
            let (control, further) =
                rest.map_or_else(|| (None, Octets::default()), |(control, more)| (Some(control), more));
            TerminalCapability {
                tone: ToneCapability::from_code(tone),
                display: DisplayCapability::from_code(display),
                echo: value(0).map(|value| EchoParameter {
                    loss: value >> 4,
                    noise_rejection: value >> 2 & 3,
                    volume_control: value & 3,
                }),
                slots: value(1),
                stored_characters: value(2).map(|value| u16::from(value) << 7 | u16::from(values[6])),
                lines: value(3),
                columns: value(4),
                scrolling: value(5),
                profiles,
                control,
                further,
            }
        })
}

fn information_elements() -> impl Strategy<Value = InformationElement> {
    let item = (0..4_u8, any::<u8>(), any::<u32>()).prop_map(|(kind, subtype, value)| {
        let value = ((kind, subtype) != (0, 4)).then_some(value);
        CallInformationItem { kind, subtype, value }
    });
    let date = (0..100_u8, 0..100_u8, 0..100_u8).prop_map(|(year, month, day)| Calendar { year, month, day });
    let time = (0..100_u8, 0..100_u8, 0..100_u8, -79..80_i8).prop_map(|(hour, minute, second, zone)| Clock {
        hour,
        minute,
        second,
        zone,
    });
    prop_oneof![
        vec(event(), 1..5).prop_map(|events| EventsNotification { events }.into()),
        vec(item, 1..10).prop_map(|items| CallInformation { items }.into()),
        terminal_capability().prop_map(Into::into),
        (0..64_u8, date.clone(), time).prop_map(|(code, date, time)| {
            let interpretation = TimeInterpretation::from_code(code);
            TimeDate { interpretation, ..TimeDate::current(date, time) }.into()
        }),
        (0..64_u8, date).prop_map(|(code, date)| {
            let interpretation = TimeInterpretation::from_code(code);
            TimeDate { coding: TimeCoding::Date, interpretation, date: Some(date), time: None }.into()
        }),
        any::<u8>().prop_map(|octet| InformationElement::Empty(ElementIdentifier::from_octet(octet & 0x7f))),
    ]
}

fn element() -> impl Strategy<Value = InformationElement> {
    prop_oneof![
        identity_elements(),
        security_elements(),
        number_elements(),
        call_elements(),
        information_elements(),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let kind = prop_oneof![
        (0..MessageType::ALL.len()).prop_map(|index| MessageType::ALL[index]),
        any::<u8>().prop_map(|code| MessageType::from_code(ProtocolDiscriminator::Cc, code)),
    ];
    (kind, transaction(), vec(element(), 0..12)).prop_map(|(kind, transaction, elements)| {
        elements.into_iter().fold(Message::new(kind, transaction), Message::with)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn messages_are_read_back_as_written(message in message()) {
        prop_assume!(message.to_bytes().len() <= Message::MAX_LEN);
        prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn each_element_is_read_back_as_written(element in element()) {
        let message = Message::new(MessageType::CcInfo, Transaction::opened(0)).with(element);
        prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn received_octets_are_written_back(octets in vec(any::<u8>(), 0..300), protocol in 0..8_u8) {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first = *first & 0xf0 | protocol;
        }
        if let Ok(message) = Message::parse(&octets) {
            let written = [&message.to_bytes()[..], message.dropped()].concat();
            prop_assert_eq!(written, octets);
            // What was left out does not come back, everything else does.
            let again = Message::parse(&message.to_bytes()).unwrap();
            prop_assert!(again.elements().eq(message.elements()));
            for side in [Side::Fixed, Side::Portable] {
                prop_assert_eq!(message.verify(side).is_ok(), message.faults(side).next().is_none());
            }
        }
    }

    #[test]
    fn damaged_messages_are_written_back(message in message(), place in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = message.to_bytes().to_vec();
        prop_assume!(octets.len() <= Message::MAX_LEN);
        *place.get_mut(&mut octets[..]) = octet;
        if let Ok(message) = Message::parse(&octets) {
            prop_assert_eq!([&message.to_bytes()[..], message.dropped()].concat(), octets);
        }
    }

    #[test]
    fn every_element_takes_any_contents(octet in any::<u8>(), contents in vec(any::<u8>(), 0..=255)) {
        let identifier = ElementIdentifier::from_octet(octet & 0x7f);
        let element = InformationElement::parse(identifier, &contents);
        prop_assert_eq!(element.identifier(), identifier);
        let mut written = BytesMut::new();
        element.emit(&mut written);
        // Writing settles the coding: what was written is canonical.
        let again = InformationElement::parse(identifier, &written[2..]);
        prop_assert_eq!(again, element);
    }

    #[test]
    fn texts_of_identities_are_read_back(ipui in ipui(), ari in ari(), park in park(), tpui in tpui(), rpn in any::<u8>()) {
        prop_assert_eq!(ipui.to_string().parse(), Ok(ipui));
        prop_assert_eq!(ari.to_string().parse(), Ok(ari));
        prop_assert_eq!(park.to_string().parse(), Ok(park));
        prop_assert_eq!(tpui.to_string().parse(), Ok(tpui));
        let rpn = (u16::from(rpn) & ((1 << ari.rpn_bits()) - 1)) as u8;
        let rfpi = Rfpi::new(true, ari, rpn).unwrap();
        prop_assert_eq!(Rfpi::from_octets(rfpi.octets()), Ok(rfpi));
    }

    #[test]
    fn texts_never_panic(text in "\\PC{0,20}", digits in "[0-9a-fA-F* -]{0,18}") {
        for text in [&text, &digits] {
            let _ = (text.parse::<Ipei>(), text.parse::<Ipui>(), text.parse::<Ari>(), text.parse::<Park>());
            let _ = (text.parse::<Tpui>(), text.parse::<Rfpi>(), text.parse::<Octets>(), text.parse::<Digits>());
            let _ = (text.parse::<BitString>(), text.parse::<Characters>(), text.parse::<ElementIdentifier>());
            prop_assert!(Characters::<20>::from_text(text).octets().len() <= 20);
        }
    }

    #[test]
    fn pages_are_read_back_as_written(octets in prop_oneof![vec(any::<u8>(), 3), vec(any::<u8>(), 5)]) {
        let page = Page::parse(&octets).unwrap();
        let mut written = BytesMut::new();
        page.emit(&mut written);
        prop_assert_eq!(written[0], octets[0] & 0xf);
        prop_assert_eq!(&written[1..], &octets[1..]);
    }

    #[test]
    fn pages_keep_their_values(low in any::<u16>(), tpui in tpui(), ring in 0..16_u8, slot in 0..16_u8, setup in 0..16_u8) {
        let (ring, slot, setup) = (RingPattern::from_code(ring), SlotType::from_code(slot), SetupInfo::from_code(setup));
        let header = PageHeader::Ringing;
        for page in [
            Page::Short { header, address: ShortAddress::RingMask(ring, low & 0xfff) },
            Page::Short { header: PageHeader::Voice, address: ShortAddress::Assigned(low) },
            Page::Full { header, address: FullAddress::RingGroup(ring, low), slot, setup, info: 1 },
            Page::Full { header: PageHeader::Voice, address: FullAddress::Assigned(tpui), slot, setup, info: 0 },
        ] {
            let mut written = BytesMut::new();
            page.emit(&mut written);
            prop_assert_eq!(Page::parse(&written), Ok(page));
        }
    }

    #[test]
    fn frames_are_read_back_as_written(
        address in any::<u8>(), control in any::<u8>().prop_filter_map("no frame type", Control::from_octet),
        more in any::<bool>(), information in vec(any::<u8>(), 0..=63), signature in any::<u16>(), fast in any::<bool>(),
    ) {
        let frame = Frame::new(Address::from_octet(address), control, more, &information).unwrap();
        let (channel, unit, most) = if fast { (Channel::Fast, 8, 72) } else { (Channel::Slow, 5, 70) };
        let mut written = BytesMut::new();
        frame.emit(signature, channel, &mut written);
        prop_assert!(written.len().is_multiple_of(unit) && written.len() <= most);
        prop_assert_eq!(Frame::parse(&written, signature), Ok(frame.clone()));
        let mut bare = BytesMut::new();
        frame.emit_bare(&mut bare);
        prop_assert_eq!(Frame::parse_bare(&bare), Ok(frame));
    }

    #[test]
    fn one_wrong_octet_breaks_a_frame(information in vec(any::<u8>(), 0..=63), place in any::<prop::sample::Index>(), change in 1..255_u8) {
        let control = Control::Information { send: 0, receive: 0, poll: false };
        let frame = Frame::new(Address::from_octet(0x11), control, false, &information).unwrap();
        let mut written = BytesMut::new();
        frame.emit(0, Channel::Slow, &mut written);
        let octet = place.get_mut(&mut written[..]);
        *octet = octet.wrapping_add(change);
        // The sums are modulo 255: they take 00 and FF for the same.
        prop_assume!(!(*octet == 0 && change == 1 || *octet == 0xff && change == 0xff));
        prop_assert_ne!(Frame::parse(&written, 0), Ok(frame));
    }

    #[test]
    fn frames_of_any_octets_never_panic(octets in vec(any::<u8>(), 0..90), signature in any::<u16>()) {
        let _ = Frame::parse(&octets, signature);
        if let Ok(frame) = Frame::parse_bare(&octets) {
            let _ = Reassembly::new().push(&frame);
        }
        let count = segments(&octets).filter(|(part, _)| part.len() <= Frame::MAX_INFORMATION).count();
        prop_assert_eq!(count, octets.len().div_ceil(Frame::MAX_INFORMATION).max(1));
    }
}
