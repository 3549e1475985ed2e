//! The published vectors that give session keys: they need what is behind the public interface.

use serde_json::Value;

use crate::cipher::{BlockKey, F8Key};
use crate::derivation::Prf;
use crate::galois::{Cover, GaloisKey};

fn of_kind(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../tests/vectors/srtp.json")).unwrap();
    let found: Vec<Value> =
        all["public"].as_array().unwrap().iter().filter(|v| v["kind"] == kind).cloned().collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// RFC 3711 B.2, RFC 6188 7.1 and 7.3
#[test]
fn counter_mode_makes_the_published_blocks() {
    for vector in of_kind("cm-keystream-block") {
        let mut salt = hex(&vector["session_salt"]);
        salt.extend([0, 0]);
        let salt = u128::from_be_bytes(salt.try_into().unwrap());
        let key = BlockKey::new(&hex(&vector["session_key"]));
        let mut stream = [0; 16];
        key.counter_mode(salt, vector["block"].as_u64().unwrap() as u16, &mut stream);
        assert_eq!(stream[..], hex(&vector["expected_keystream"]), "{}", vector["name"]);
    }
}

/// RFC 3711 B.3, RFC 6188 7.2 and 7.4
#[test]
fn session_keys_are_the_published_ones() {
    for vector in of_kind("kdf") {
        let prf = Prf::new(&hex(&vector["master_key"]), &hex(&vector["master_salt"]), 0);
        let expected = hex(&vector["expected"]);
        let mut output = vec![0; expected.len()];
        prf.fill(vector["label"].as_u64().unwrap() as u8, &mut output);
        assert_eq!(output, expected, "{}", vector["name"]);
    }
}

/// RFC 3711 B.1
#[test]
fn f8_mode_makes_the_published_payload() {
    for vector in of_kind("f8-keystream") {
        let key = F8Key::new(&hex(&vector["session_key"]).try_into().unwrap(), &hex(&vector["session_salt"]));
        let mut payload = hex(&vector["plaintext_payload"]);
        key.apply(hex(&vector["iv"]).try_into().unwrap(), &mut payload);
        assert_eq!(payload, hex(&vector["expected_payload"]));
    }
}

#[test]
fn galois_mode_makes_the_published_texts() {
    for vector in of_kind("gcm-raw") {
        let key = GaloisKey::new(&hex(&vector["key"]));
        let nonce: [u8; 12] = hex(&vector["iv"]).try_into().unwrap();
        let mut text = hex(&vector["plaintext"]);
        key.apply(nonce, &mut text);
        let aad = hex(&vector["aad"]);
        let tag = key.tag(Cover { nonce, head: &aad, tail: &[] }, &text);
        assert_eq!([text, tag.to_vec()].concat(), hex(&vector["expected"]), "{}", vector["name"]);
    }
}

/// RFC 7714 16 and 17: packets of known session keys.
#[test]
fn galois_packets_are_the_published_ones() {
    use crate::derivation::SessionKeys;
    use crate::packet::{Framing, Place, append, apply_rtp, protect_rtcp, rtp_tag};

    for (kind, rtcp, encrypt) in [
        ("rtp-session-level", false, true),
        ("rtp-session-level-authonly", false, false),
        ("rtcp-session-level", true, true),
        ("rtcp-session-level-authonly", true, false),
    ] {
        for vector in of_kind(kind) {
            let keys =
                SessionKeys::galois_for_test(&hex(&vector["session_key"]), &hex(&vector["session_salt"]));
            let plain = hex(&vector["plaintext"]);
            let expected = hex(&vector["expected"]);
            let ssrc = vector["ssrc"].as_u64().unwrap() as u32;
            let framing = Framing { mki: &[], tag: 16, encrypt };
            let mut buffer = plain.clone();
            buffer.resize(plain.len() + 20, 0);
            let length = if rtcp {
                let place = Place { ssrc, index: vector["index"].as_u64().unwrap(), header: 8 };
                protect_rtcp(&keys, framing, place, &mut buffer, plain.len())
            } else {
                let index = vector["roc"].as_u64().unwrap() << 16 | vector["seq"].as_u64().unwrap();
                let place = Place { ssrc, index, header: 12 };
                let (body, _) = buffer.split_at_mut(plain.len());
                if encrypt {
                    apply_rtp(&keys, place, body);
                }
                let tag = rtp_tag(&keys, place, body, encrypt);
                append(&mut buffer, plain.len(), [&tag[..16], &[], &[]])
            };
            assert_eq!(buffer[..length], expected, "{}", vector["name"]);
        }
    }
}
