//! The published and hand-built vectors in `tests/vectors`.

use bytes::BytesMut;
use dect_nwk::{
    Octets,
    authentication::{AuthenticationCode, Key128, UserPersonalIdentity, dsaa, dsaa2},
    element::{
        AuthType, BasicService, CallInformation, CallingPartyName, CallingPartyNumber, CipherInfo,
        Contents as _, Duration, Event, EventsNotification, FeatureActivate, FixedIdentity, InfoType,
        InformationElement, IwuToIwu, LocationArea, ModelIdentifier, MultiDisplay, MultiKeypad,
        PortableIdentity, ProgressIndicator, RejectReason, ReleaseReason, Res, Signal, SingleKeypad,
        TimeDate,
    },
    identity::{Ari, Ipei, Ipui, Park, Tpui},
    lapc::{Channel, Frame, checksum},
    message::{Message, Side},
    page::{FullAddress, Page, PageHeader, RingPattern, ShortAddress},
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/dect.json")).unwrap()
}

fn octets(text: &Value) -> Vec<u8> {
    text.as_str().unwrap().parse::<Octets>().unwrap().to_vec()
}

fn array<const N: usize>(text: &Value) -> [u8; N] {
    octets(text).try_into().unwrap()
}

fn key(text: &Value) -> Key128 {
    Key128::new(array(text))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

#[test]
fn every_message_is_understood_and_written_back() {
    let vectors = vectors();
    let messages = list(&vectors, "nwk_messages");
    assert_eq!(messages.len(), 57);
    for vector in messages {
        let name = vector["name"].as_str().unwrap();
        let octets = octets(&vector["hex"]);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.to_bytes(), octets, "{name}");
        assert_eq!(message.message_type.name(), vector["fields"]["type"], "{name}");
        assert_eq!(message.protocol_discriminator().name(), vector["fields"]["pd"], "{name}");
        assert!(message.transaction.is_legal(message.protocol_discriminator()), "{name}");
        assert!(message.dropped().is_empty(), "{name}");
        for (place, element) in message.elements().enumerate() {
            assert!(
                !matches!(element, InformationElement::Broken(_) | InformationElement::Opaque(_)),
                "{name}"
            );
            assert_eq!(message.received(place), None, "{name}: {element:?} has another coding");
        }
        let sides = [Side::Fixed, Side::Portable];
        assert!(
            sides
                .iter()
                .any(|side| message.message_type.may_come_from(*side) && message.verify(*side).is_ok()),
            "{name}"
        );
    }
}

#[test]
fn the_elements_are_those_another_dissector_sees() {
    for vector in list(&vectors(), "nwk_messages") {
        if vector["oracle_malformed"] == true {
            // It stops at the empty identity, which is legal in LOCATE-ACCEPT.
            assert_eq!(vector["name"], "locate-accept-no-tpui");
            continue;
        }
        let message = Message::parse(&octets(&vector["hex"])).unwrap();
        let ours: Vec<_> =
            message.elements().map(|element| element.identifier().name().to_uppercase()).collect();
        let theirs: Vec<_> = list(vector, "oracle_lines")
            .iter()
            .filter_map(|line| line.as_str()?.split_once("Element: ").map(|(_, name)| name.to_owned()))
            .collect();
        assert_eq!(ours, theirs, "{}", vector["name"]);
    }
}

/// What a message says, under the names of the vectors.
fn field(message: &Message, name: &str) -> Option<Value> {
    let identity = message.find::<PortableIdentity>();
    let ipui = match identity {
        Some(PortableIdentity::Ipui(ipui)) => Some(*ipui),
        _ => None,
    };
    let fixed = message.find::<FixedIdentity>();
    let auth = message.find::<AuthType>();
    let cipher = message.find::<CipherInfo>();
    let number = message.find::<CallingPartyNumber>();
    let progress = message.find::<ProgressIndicator>();
    let feature = message.find::<FeatureActivate>();
    let iwu = message.find::<IwuToIwu>();
    let hex = |octets: &[u8]| Value::from(Octets::<250>::cut(octets).to_string());
    Some(match name {
        "type" => message.message_type.name().into(),
        "pd" => message.protocol_discriminator().name().into(),
        "ti" => serde_json::json!({
            "flag": u8::from(message.transaction.flag), "tv": message.transaction.value,
        }),
        "ipui" => format!("{:?}", ipui?.kind()).into(),
        "ipui_bits" => ipui?.bit_count().into(),
        "ipui_number" => match ipui? {
            Ipui::O(number) => u64::try_from(number.value()).ok()?.into(),
            _ => return None,
        },
        "ipei" => match identity? {
            PortableIdentity::Ipei(ipei) => ipei.to_string().into(),
            PortableIdentity::Ipui(ipui) => ipui.ipei()?.to_string().into(),
            PortableIdentity::Tpui(_) | PortableIdentity::TpuiWithNumber(_) => return None,
        },
        "tpui" => match identity {
            Some(PortableIdentity::Tpui(tpui)) => tpui.value().into(),
            _ => Value::Null,
        },
        "use_tpui" => message.elements().any(|element| *element == InformationElement::UseTpui).into(),
        "sending_complete" => {
            message.elements().any(|element| *element == InformationElement::SendingComplete).into()
        }
        "delimiter_request" => {
            message.elements().any(|element| *element == InformationElement::DelimiterRequest).into()
        }
        "auth" => {
            let auth = auth?;
            serde_json::json!({
                "alg": auth.algorithm.code(), "ak_type": auth.key_type.code(), "ak_num": auth.key_number,
                "inc": u8::from(auth.increment_zap), "de": u8::from(auth.default_key.is_some()),
                "txc": u8::from(auth.send_cipher_key), "upc": u8::from(auth.store_cipher_key),
                "ck_num": auth.cipher_key_number,
            })
        }
        "model" => match message.find::<ModelIdentifier>()? {
            ModelIdentifier::Model { manufacturer, model } => {
                serde_json::json!({"manic": manufacturer, "modic": model})
            }
            ModelIdentifier::Imeisv(_) => return None,
        },
        "alloc" => {
            let kind = message.find::<dect_nwk::element::AllocationType>()?;
            serde_json::json!({
                "alg": kind.algorithm.code(), "uak_num": kind.user_authentication_key, "ac_num": kind.authentication_code,
            })
        }
        "res1" | "res2" => hex(&message.find::<Res>()?.0),
        "park" => {
            let park = fixed?.key()?;
            let ard = park.ari()?.bits() & 0xfff_ffff;
            serde_json::json!({"arc": format!("{:?}", park.ari()?.class()), "pli": park.pli(), "ard": ard})
        }
        "fixed" => match fixed?.kind {
            dect_nwk::element::FixedIdentityType::AriAndRpn => "ARI+RPN".into(),
            _ => return None,
        },
        "rpn" => fixed?.rpn()?.into(),
        "la_level" => message.find::<LocationArea>()?.level?.into(),
        "reject" => message.find::<RejectReason>()?.code().into(),
        "reason" => message.find::<ReleaseReason>().map_or(Value::Null, |reason| reason.code().into()),
        "duration" => {
            let duration = message.find::<Duration>()?;
            serde_json::json!({"lock": duration.lock.code(), "time": duration.limit.code()})
        }
        "group" => message.find::<dect_nwk::element::IdentityType>()?.group.code().into(),
        "idtype" => message.find::<dect_nwk::element::IdentityType>()?.kind.into(),
        "enable" => cipher?.enable.into(),
        "alg" => cipher?.algorithm.code().into(),
        "key_type" => cipher?.key_type.code().into(),
        "key_num" => cipher?.key_number.into(),
        "info" => message
            .find::<InfoType>()?
            .parameters
            .iter()
            .map(|parameter| Value::from(parameter.code()))
            .collect(),
        "timer_restart" => message.find::<dect_nwk::element::TimerRestart>()?.code().into(),
        "call_class" => message.find::<BasicService>()?.class.code().into(),
        "service" => message.find::<BasicService>()?.service.code().into(),
        "keypad" => message.find::<MultiKeypad>()?.characters.to_string().into(),
        "keypad_hex" => hex(message.find::<MultiKeypad>()?.characters.octets()),
        "single_keypad" => char::from(message.find::<SingleKeypad>()?.character).to_string().into(),
        "display_hex" => hex(message.find::<MultiDisplay>()?.characters.octets()),
        "progress" => progress?.progress.code().into(),
        "progress_loc" => progress?.location.code().into(),
        "signal" => message.find::<Signal>()?.code().into(),
        "feature" => feature?.feature.code().into(),
        "param" => feature?.parameter?.into(),
        "clip" => number?.digits.to_string().into(),
        "clip_type" => number?.kind.code().into(),
        "clip_plan" => number?.plan.code().into(),
        "presentation" => number?.origin?.presentation.code().into(),
        "screening" => number?.origin?.screening.code().into(),
        "cnip" => message.find::<CallingPartyName>()?.text().into(),
        "call_id" => message.find::<CallInformation>()?.call()?.into(),
        "line_id" => message.find::<CallInformation>()?.line()?.into(),
        "event" => match message.find::<EventsNotification>()?.events.first()? {
            Event::Standard { kind, subtype, multiplicity } => {
                serde_json::json!({"type": kind.code(), "subtype": subtype, "count": multiplicity})
            }
            Event::Proprietary { .. } => return None,
        },
        "time" => {
            let value = message.find::<TimeDate>()?;
            let (date, time) = (value.date?, value.time?);
            let (hours, year) = (time.zone / 4, 2000 + u16::from(date.year));
            let date = format!("{year}-{:02}-{:02}", date.month, date.day);
            format!("{date} {:02}:{:02}:{:02} tz{hours:+}h", time.hour, time.minute, time.second).into()
        }
        "iwu" => {
            let iwu = iwu?;
            let mut value = serde_json::json!({
                "sr": u8::from(iwu.sent), "pd": iwu.protocol.code(), "cmd": iwu.data.first()?,
            });
            let rest: Vec<u8> = iwu.data.iter().skip(1).map(|octet| octet & 0x7f).collect();
            let names: &[&str] = match iwu.data.first()? {
                0 => &["list", "sort_fields"],
                _ => &["session", "start_index", "counter", "mark"],
            };
            for (name, octet) in names.iter().zip(&rest) {
                value[*name] = (*octet).into();
            }
            if rest.len() > names.len() {
                value["fields"] = rest[names.len()..].into();
            }
            value
        }
        _ => return None,
    })
}

#[test]
fn the_fields_have_the_values_they_were_built_from() {
    let mut compared = 0;
    for vector in list(&vectors(), "nwk_messages") {
        let message = Message::parse(&octets(&vector["hex"])).unwrap();
        for (name, expected) in vector["fields"].as_object().unwrap() {
            let found = field(&message, name).unwrap_or_else(|| panic!("{} has no {name}", vector["name"]));
            match expected.as_object() {
                Some(members) => {
                    for (member, expected) in members {
                        assert_eq!(&found[member], expected, "{} {name} {member}", vector["name"]);
                    }
                }
                None => assert_eq!(&found, expected, "{} {name}", vector["name"]),
            }
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn pages() {
    let pages: Vec<Page> = list(&vectors(), "b_format")
        .iter()
        .map(|vector| {
            let octets = octets(&vector["hex"]);
            let page = Page::parse(&octets).unwrap();
            let mut written = BytesMut::new();
            page.emit(&mut written);
            assert_eq!(written, octets, "{}", vector["name"]);
            page
        })
        .collect();
    let ipui: Ipui = "N 05003 0070387 8".parse().unwrap();
    let tpui = Tpui::new(0x1001).unwrap();
    let slot = dect_nwk::element::SlotType::Full;
    assert_eq!(pages[0], Page::short(PageHeader::Voice, &ipui, Some(tpui)));
    assert_eq!(pages[1], Page::short(PageHeader::NoUPlane, &ipui, None));
    assert_eq!(pages[2], Page::full(PageHeader::Voice, &ipui, Some(tpui), slot));
    assert!(matches!(pages[2], Page::Full { address: FullAddress::Assigned(_), .. }));
    assert_eq!(pages[3], Page::full(PageHeader::Voice, &ipui, None, slot));
    let ring = |pattern| Page::Short {
        header: PageHeader::Ringing,
        address: ShortAddress::RingGroup(pattern, 0xfff),
    };
    assert_eq!(pages[4..], [ring(RingPattern::Pattern0), ring(RingPattern::AnsweredElsewhere)]);
}

#[test]
fn portable_identities() {
    let texts = [
        "N 05003 0070387 8",
        "O 3e9/44",
        "O 1234/16",
        "S 49301234567",
        "S 2002",
        "T 1000 2002345",
        "Q 123456789",
        "U 4111111111111111",
        "R 262011234567890",
        "P 1234 beef/16",
    ];
    let vectors = vectors();
    let identities = list(&vectors, "portable_identities");
    assert_eq!(identities.len(), texts.len() + 2);
    for (vector, text) in identities.iter().zip(texts) {
        let ie = octets(&vector["ie"]);
        let expected = PortableIdentity::Ipui(text.parse().unwrap());
        assert_eq!(PortableIdentity::parse(&ie[2..]), Ok(expected), "{text}");
        let mut written = BytesMut::new();
        InformationElement::from(expected).emit(&mut written);
        assert_eq!(written, ie, "{text}");
    }
    let tpui = |text: &str| Ok(PortableIdentity::Tpui(text.parse().unwrap()));
    assert_eq!(PortableIdentity::parse(&octets(&identities[10]["ie"])[2..]), tpui("01001"));
    assert_eq!(PortableIdentity::parse(&octets(&identities[11]["ie"])[2..]), tpui("e12f3"));
}

#[test]
fn printed_identities() {
    let vectors = vectors();
    for vector in list(&vectors["identities"], "ipei") {
        let text = vector["text"].as_str().unwrap();
        let ipei: Ipei = text.parse().unwrap();
        assert_eq!(
            (Value::from(ipei.emc()), Value::from(ipei.psn())),
            (vector["emc"].clone(), vector["psn"].clone())
        );
        assert_eq!(ipei.to_string(), text);
        if let Some(bits) = vector["bits36"].as_str() {
            assert_eq!(format!("{:09x}", ipei.bits()), bits);
        }
    }
    for vector in list(&vectors["identities"], "park") {
        let park: Park = vector["hex_pli_ari"].as_str().unwrap().parse().unwrap();
        assert_eq!(park.octal(), vector["octal_string"]);
        assert_eq!(park.check_digit().to_string(), vector["check_over_13_digits_inferred"].as_str().unwrap());
        assert_eq!(vector["octal_string"].as_str().unwrap().parse(), Ok(park));
        let ard = u64::from_str_radix(vector["ard"].as_str().unwrap(), 16).unwrap();
        assert_eq!(park.ari(), Ari::from_bits(31, 1 << 28 | ard).ok());
        let mut written = BytesMut::new();
        InformationElement::from(FixedIdentity::park(park)).emit(&mut written);
        assert_eq!(written, octets(&vector["fixed_identity_ie"]));
    }
}

#[test]
fn dsaa_follows_the_example_of_the_standard() {
    let vectors = vectors();
    let example = &vectors["dsaa"]["official_annex_K"];
    let code = AuthenticationCode::from_pin(example["ac_pin"].as_str().unwrap()).unwrap();
    assert_eq!(code.octets(), &array(&example["ac"]));
    let k = code.b1();
    assert_eq!(k, key(&example["K"]));
    let (rs, rand_f, rand_p) = (array(&example["RS"]), array(&example["RAND_F"]), array(&example["RAND_P"]));
    let ks = dsaa::a11(&k, rs);
    assert_eq!(ks.octets(), &array(&example["KS"]));
    let (res1, dck) = dsaa::a12(&ks, rand_f);
    assert_eq!((res1, dck.octets()), (array(&example["RES1"]), &array(&example["DCK_from_this_run"])));
    let uak = dsaa::a21(&k, rs);
    assert_eq!(uak.octets(), &array(&example["KS_prime_UAK"]));
    assert_eq!(dsaa::a22(&uak, rand_p), array(&example["RES2"]));

    let second = &example["second"];
    let ks = dsaa::a11(&uak.b1(), array(&second["RS"]));
    assert_eq!(ks.octets(), &array(&second["KS"]));
    let (res1, dck) = dsaa::a12(&ks, array(&second["RAND_F"]));
    assert_eq!((res1, dck.octets()), (array(&second["RES1"]), &array(&second["DCK"])));
    assert_eq!(dck.for_dsc().octets(), &array(&second["CK_for_DSC"]));
}

#[test]
fn dsaa_agrees_with_other_implementations() {
    let vectors = vectors();
    for case in list(&vectors["dsaa"], "computed") {
        let k = key(&case["K"]);
        let ks = dsaa::a11(&k, array(&case["RS"]));
        assert_eq!(ks.octets(), &array(&case["KS"]));
        let (res1, dck) = dsaa::a12(&ks, array(&case["RAND_F"]));
        assert_eq!((res1, dck.octets()), (array(&case["RES1"]), &array(&case["DCK"])));
        let ks_reverse = dsaa::a21(&k, array(&case["RS"]));
        assert_eq!(ks_reverse.octets(), &array(&case["KS_prime"]));
        assert_eq!(dsaa::a22(&ks_reverse, array(&case["RAND_P"])), array(&case["RES2"]));
    }
}

#[test]
fn keys_come_from_codes_by_b1_and_b2() {
    let vectors = vectors();
    let cases = &vectors["dsaa"]["b1_b2"];
    for case in [&cases["b1_ac_pin"], &cases["b1_ac8"]] {
        let code = AuthenticationCode::from_pin(case["pin"].as_str().unwrap()).unwrap();
        assert_eq!((code.octets(), code.b1()), (&array(&case["ac"]), key(&case["K"])));
    }
    let b2 = &cases["b2"];
    let identity = UserPersonalIdentity::from_pin(b2["upi_pin"].as_str().unwrap()).unwrap();
    assert_eq!(identity.octets(), &array(&b2["upi"]));
    assert_eq!(key(&b2["uak"]).b2(&identity).octets(), &array(&b2["K"]));
}

/// Octets padded with zeros on the right.
fn padded<const N: usize>(text: &Value) -> [u8; N] {
    let mut octets = octets(text);
    octets.resize(N, 0);
    octets.try_into().unwrap()
}

#[test]
fn dsaa2_follows_the_examples_of_the_standard() {
    let vectors = vectors();
    for case in list(&vectors["dsaa2"], "official_annex_L") {
        let d1 = Key128::new(padded(&case["D1"]));
        let (d2, d3): ([u8; 8], [u8; 8]) = (padded(&case["D2"]), padded(&case["D3"]));
        let rs: [u8; 16] = [d3, d2].concat().try_into().unwrap();
        assert_eq!(dsaa2::a11(&d1, rs).octets(), &array(&case["E_dsaa2_1"]));
        let (tag, block) = dsaa2::a12(&d1, d2, d3);
        assert_eq!((tag, block.octets()), (array(&case["E1_tag_dsaa2_2"]), &array(&case["E2_dsaa2_2"])));
    }
}

#[test]
fn dsaa2_processes_keep_the_order_of_the_air_interface() {
    let vectors = vectors();
    let case = &vectors["dsaa2"]["process_natural_order"];
    let k = key(&case["K"]);
    let ks = dsaa2::a11(&k, array(&case["RS128_pt_auth"]));
    assert_eq!(ks.octets(), &array(&case["KS"]));
    let (rand_f, rand_p) = (array(&case["RAND_F"]), array(&case["RAND_P"]));
    let (res1, dck) = dsaa2::a12(&ks, rand_f, rand_p);
    assert_eq!((res1, dck.octets()), (array(&case["RES1"]), &array(&case["DCK128"])));
    let ks_reverse = dsaa2::a21(&k, array(&case["RS128_ft_auth"]));
    assert_eq!(ks_reverse.octets(), &array(&case["KS_prime"]));
    assert_eq!(dsaa2::a22(&ks_reverse, rand_p, rand_f), array(&case["RES2"]));
}

#[test]
fn frames() {
    let vectors = vectors();
    for case in list(&vectors["lapc"], "checksums") {
        assert_eq!(checksum(&octets(&case["data"])).to_be_bytes(), array(&case["checksum"]));
    }
    for case in list(&vectors["lapc"], "frames") {
        let octets = octets(&case["frame"]);
        let signature = u16::from_be_bytes(array(&case["lsig"]));
        let frame = Frame::parse(&octets, signature).unwrap();
        assert_eq!([frame.address.octet()], array(&case["addr"]));
        assert_eq!([frame.control.octet()], array(&case["ctl"]));
        assert_eq!(Value::from(u8::from(frame.more)), case["more"]);
        assert_eq!(&frame.information()[..], self::octets(&case["info"]));
        assert_eq!(Value::from(octets.len()), case["flen"]);
        let mut written = BytesMut::new();
        frame.emit(signature, Channel::Slow, &mut written);
        assert_eq!(written, octets, "{}", case["name"]);
    }
}
