//! The published vectors that give session keys: they need what is behind the public interface.

use serde_json::Value;

use crate::authentication::TagLength;
use crate::cipher::{BlockKey, f8_mask};
use crate::derivation::{Derived, Prf};
use crate::galois::{Cover, Powers, seal};
use crate::simd::Processor;

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
        for processor in Processor::all() {
            let key = BlockKey::new(processor, &hex(&vector["session_key"]));
            let mut stream = [0; 16];
            key.counter_mode(salt, vector["block"].as_u64().unwrap() as u16, &mut stream);
            assert_eq!(stream[..], hex(&vector["expected_keystream"]), "{} {processor:?}", vector["name"]);
        }
    }
}

/// RFC 3711 B.3, RFC 6188 7.2 and 7.4
#[test]
fn session_keys_are_the_published_ones() {
    for vector in of_kind("kdf") {
        for processor in Processor::all() {
            let prf = Prf::new(processor, &hex(&vector["master_key"]), &hex(&vector["master_salt"]), 0);
            let expected = hex(&vector["expected"]);
            let mut output = vec![0; expected.len()];
            prf.fill(vector["label"].as_u64().unwrap() as u8, &mut output);
            assert_eq!(output, expected, "{} {processor:?}", vector["name"]);
        }
    }
}

/// RFC 3711 B.1
#[test]
fn f8_mode_makes_the_published_payload() {
    for vector in of_kind("f8-keystream") {
        for processor in Processor::all() {
            let key = BlockKey::new(processor, &hex(&vector["session_key"]));
            let mask = f8_mask(processor, &hex(&vector["session_key"]), &hex(&vector["session_salt"]));
            let mut payload = hex(&vector["plaintext_payload"]);
            let iv = hex(&vector["iv"]).try_into().unwrap();
            key.rounds().f8_mode(key.whitening(), &mask, iv, &mut payload);
            assert_eq!(payload, hex(&vector["expected_payload"]));
        }
    }
}

#[test]
fn galois_mode_makes_the_published_texts() {
    for vector in of_kind("gcm-raw") {
        for processor in Processor::all() {
            let key = BlockKey::new(processor, &hex(&vector["key"]));
            let powers = Powers::new(processor, key.encrypt_block(0));
            let mut nonce = hex(&vector["iv"]);
            nonce.resize(16, 0);
            let whitened = u128::from_be_bytes(nonce.try_into().unwrap()) ^ key.whitening();
            let mut text = hex(&vector["plaintext"]);
            let aad = hex(&vector["aad"]);
            let cover = Cover { whitened, head: &aad, tail: &[] };
            let tag = seal(&key.rounds(), &powers, cover, &mut text);
            assert_eq!([text, tag.to_vec()].concat(), hex(&vector["expected"]), "{}", vector["name"]);
        }
    }
}

/// RFC 7714 16 and 17: packets of known session keys.
#[test]
fn galois_packets_are_the_published_ones() {
    use crate::packet::{Framing, Place, finish_rtp, protect_rtcp, seal_rtp};
    use crate::suite::Cipher;

    for (kind, rtcp, encrypt) in [
        ("rtp-session-level", false, true),
        ("rtp-session-level-authonly", false, false),
        ("rtcp-session-level", true, true),
        ("rtcp-session-level-authonly", true, false),
    ] {
        for vector in of_kind(kind) {
            for processor in Processor::all() {
                let (key, salt) = (hex(&vector["session_key"]), hex(&vector["session_salt"]));
                let keys = Derived::galois_for_test(processor, &key, &salt);
                let plain = hex(&vector["plaintext"]);
                let expected = hex(&vector["expected"]);
                let ssrc = vector["ssrc"].as_u64().unwrap() as u32;
                let framing = Framing { mki: &[], tag: TagLength::Sixteen, encrypt };
                let mut buffer = plain.clone();
                buffer.resize(plain.len() + 20, 0);
                let length = if rtcp {
                    let place = Place { ssrc, index: vector["index"].as_u64().unwrap(), header: 8 };
                    protect_rtcp(&keys.session(), framing, place, &mut buffer, plain.len())
                } else {
                    let index = vector["roc"].as_u64().unwrap() << 16 | vector["seq"].as_u64().unwrap();
                    let place = Place { ssrc, index, header: 12 };
                    let (body, _) = buffer.split_at_mut(plain.len());
                    let tag = seal_rtp(&keys.session(), framing, place, body);
                    plain.len() + finish_rtp(Cipher::Galois, framing, &tag, &mut buffer[plain.len()..])
                };
                assert_eq!(buffer[..length], expected, "{} {processor:?}", vector["name"]);
            }
        }
    }
}
