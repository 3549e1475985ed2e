//! Published vectors, generated packets and receiver scenarios, through the public interface.

use serde_json::Value;
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterKeyIdentifier, MasterSalt, Receiver,
    ReceiverConfig, ReceiverKeys, Sender, SenderConfig, SenderKeys, UnprotectError,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/srtp.json")).unwrap()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn key(of: &Value) -> KeyParameter {
    let mut key =
        KeyParameter::new(MasterKey::new(&hex(&of["master_key"])), MasterSalt::new(&hex(&of["master_salt"])));
    key.mki = MasterKeyIdentifier::new(&hex(&of["mki"]));
    key
}

fn suite(of: &Value) -> Option<CryptoSuite> {
    CryptoSuite::from_token(of["suite"].as_str().unwrap())
}

/// The line of a vector, through its own text.
fn line(suite: CryptoSuite, keys: Vec<KeyParameter>) -> CryptoAttribute {
    let mut keys = keys.into_iter();
    let mut line = CryptoAttribute::new(1, suite, keys.next().unwrap());
    line.keys.extend(keys);
    CryptoAttribute::parse(&line.to_string()).unwrap()
}

fn number(of: &Value) -> u32 {
    of.as_u64().unwrap_or_default() as u32
}

fn protect_and_back(vector: &Value) {
    let name = &vector["name"];
    let line = line(suite(vector).unwrap(), vec![key(vector)]);
    let mut config = SenderConfig::default();
    config.initial_rollover = number(&vector["roc"]);
    config.initial_rtcp_index = number(&vector["index"]);
    let mut sender = Sender::with_config(SenderKeys::from_attribute(&line).unwrap(), config);
    let mut config = ReceiverConfig::default();
    config.initial_rollover = number(&vector["roc"]);
    let mut receiver = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);

    let plain = hex(&vector["plaintext"]);
    let expected = hex(&vector["expected"]);
    let rtcp = vector["kind"] == "rtcp";
    let mut buffer = plain.clone();
    buffer.resize(expected.len(), 0xee);
    let length = if rtcp {
        sender.protect_rtcp(&mut buffer, plain.len())
    } else {
        sender.protect(&mut buffer, plain.len())
    };
    assert_eq!(length, Ok(expected.len()), "{name}");
    assert_eq!(buffer, expected, "{name}");
    let length = if rtcp { receiver.unprotect_rtcp(&mut buffer) } else { receiver.unprotect(&mut buffer) };
    assert_eq!(length, Ok(plain.len()), "{name}");
    assert_eq!(buffer[..plain.len()], plain, "{name}");

    // S16: every octet but the MKI's is covered by the tag; S27: a changed MKI finds no key.
    for at in 0..expected.len() {
        let mut receiver = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
        let mut forged = expected.clone();
        forged[at] ^= 1;
        let before = forged.clone();
        let result =
            if rtcp { receiver.unprotect_rtcp(&mut forged) } else { receiver.unprotect(&mut forged) };
        assert!(result.is_err(), "{name} octet {at}");
        assert_eq!(forged, before, "{name} octet {at}: a refused packet is as it was");
    }
}

#[test]
fn packets_of_others_are_ours() {
    let vectors = vectors();
    let packets =
        vectors["public"].as_array().unwrap().iter().chain(vectors["generated"].as_array().unwrap());
    let mut count = 0;
    for vector in packets.filter(|v| v["kind"] == "rtp" || v["kind"] == "rtcp") {
        // NULL cipher and NULL authentication together are plain RTP: no suite has that.
        if vector["suite"] != "NULL_NULL" {
            protect_and_back(vector);
            count += 1;
        }
    }
    assert_eq!(count, 10 + 246);
}

#[test]
fn a_receiver_says_what_others_say() {
    let vectors = vectors();
    for scenario in vectors["receiver_scenarios"].as_array().unwrap() {
        let keys = scenario["keys"].as_array().unwrap().iter().map(key).collect();
        let line = line(suite(scenario).unwrap(), keys);
        let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&line).unwrap());
        for step in scenario["steps"].as_array().unwrap() {
            let what = format!("{} / {}", scenario["name"], step["label"]);
            let mut packet = hex(&step["packet"]);
            let result = if step["proto"] == "rtcp" {
                receiver.unprotect_rtcp(&mut packet)
            } else {
                receiver.unprotect(&mut packet)
            };
            let expected: &[UnprotectError] = match step["expect"].as_str().unwrap() {
                "ok" => {
                    let plain = hex(&step["plaintext"]);
                    assert_eq!(result, Ok(plain.len()), "{what}");
                    assert_eq!(packet[..plain.len()], plain, "{what}");
                    continue;
                }
                "auth_fail" | "rejected (libsrtp cant_check)" => &[UnprotectError::AuthenticationFailed],
                "replay_fail" => &[UnprotectError::Replayed],
                "replay_old" => &[UnprotectError::TooOld],
                "bad_mki" => &[UnprotectError::UnknownMki],
                // libsrtp tells neither apart.
                "bad_param" | "parse_err" => &[UnprotectError::TooShort, UnprotectError::Malformed],
                other => panic!("{other}"),
            };
            assert!(result.is_err_and(|error| expected.contains(&error)), "{what}: {result:?}");
        }
    }
}
