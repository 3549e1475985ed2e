//! The grammar of `a=crypto` lines: what is read, what is written, what cannot be used.

use std::fmt::Write as _;

use proptest::prelude::*;
use srtp_sdes::{CryptoAttribute, CryptoSuite, Error, Rule, SessionParameter};

const KEY: &str = "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm";

fn rule(line: &str) -> Rule {
    match CryptoAttribute::parse(line) {
        Err(Error::Malformed { rule, at }) => {
            assert!(at <= line.len(), "{line}");
            rule
        }
        other => panic!("{line}: {other:?}"),
    }
}

fn line(behind_the_key: &str) -> String {
    format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{behind_the_key}")
}

#[test]
fn the_lines_of_lync_are_read_and_written_as_they_stood() {
    for value in [
        format!("2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31|1:1"),
        format!("3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"),
        format!("007 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|1048576|258:2 KDR=3 UNENCRYPTED_SRTCP -X=1"),
    ] {
        for prefix in ["a=crypto:", "crypto:", ""] {
            let line = CryptoAttribute::parse(&format!("{prefix}{value}")).unwrap();
            assert_eq!(line.to_string(), value);
        }
    }
}

#[test]
fn key_and_salt_are_those_of_the_base64() {
    let line = CryptoAttribute::parse(&line("|2^20|1:4")).unwrap();
    let [key] = &line.keys[..] else { panic!("{line:?}") };
    assert_eq!(key.key.as_bytes()[..4], [0xe1, 0xf9, 0x7a, 0x0d]);
    assert_eq!(key.key.as_bytes().len(), 16);
    assert_eq!(key.salt.as_bytes()[..4], [0x0e, 0xc6, 0x75, 0xad]);
    assert_eq!(key.salt.as_bytes().len(), 14);
    assert_eq!(key.lifetime.as_ref().unwrap().packets(), 1 << 20);
    assert_eq!(key.mki.as_ref().unwrap().as_bytes(), [0, 0, 0, 1]);
}

#[test]
fn lifetime_and_mki_may_be_turned_round_or_missing() {
    let line = CryptoAttribute::parse(&line("|1:1|2^31")).unwrap();
    assert!(line.to_string().ends_with("|2^31|1:1"));
}

#[test]
fn missing_padding_and_extra_blanks_are_tolerated() {
    let gcm = "a=crypto:1 AEAD_AES_128_GCM inline:P0Qo3bliG6VEAqaHQCevrd3AltD05pgOQoq/BA";
    for text in [gcm.to_owned(), format!("{gcm}="), format!("{gcm}==")] {
        let line = CryptoAttribute::parse(&text).unwrap();
        assert!(line.to_string().ends_with("BA=="), "{text}");
    }
    let spaced = format!("a=crypto:  1   AES_CM_128_HMAC_SHA1_80\tINLINE:{KEY}   WSH=64  \r\n");
    let line = CryptoAttribute::parse(&spaced).unwrap();
    assert_eq!(line.session_parameters, [SessionParameter::Wsh(64)]);
}

#[test]
fn several_keys_have_distinct_identifiers_of_equal_length() {
    let two = line(&format!("|2^20|1:2;inline:{KEY}|2^20|2:2"));
    let parsed = CryptoAttribute::parse(&two).unwrap();
    assert_eq!(parsed.keys.len(), 2);
    assert_eq!(format!("a=crypto:{parsed}"), two);
    for bad in ["|1:1;inline:K|1:1", "|1:1;inline:K|2:2", "|1:1;inline:K", ";inline:K|1:1", ";inline:K"] {
        assert_eq!(rule(&line(&bad.replace('K', KEY))), Rule::MkiSet, "{bad}");
    }
}

/// S28
#[test]
fn rubbish_is_an_unusable_line() {
    for (text, expected) in [
        ("", Rule::Attribute),
        ("junk", Rule::Attribute),
        ("a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 inline:x", Rule::Attribute),
        ("a=rtpmap:0 PCMU/8000", Rule::Attribute),
        ("a=crypto:", Rule::Tag),
        ("a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:x", Rule::Tag),
        ("a=crypto:1234567890 AES_CM_128_HMAC_SHA1_80 inline:x", Rule::Tag),
        ("a=crypto:-1 AES_CM_128_HMAC_SHA1_80 inline:x", Rule::Tag),
        ("a=crypto:1", Rule::Suite),
        ("a=crypto:1 SEED_CTR_128_HMAC_SHA1_80 inline:x", Rule::Suite),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80", Rule::KeyMethod),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 mikey:x", Rule::KeyMethod),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline", Rule::KeyMethod),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", Rule::KeyLength),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", Rule::KeyLength),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*", Rule::Base64),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:é", Rule::Base64),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inlin\u{e9}:A", Rule::KeyMethod),
    ] {
        assert_eq!(rule(text), expected, "{text}");
    }
    for (behind, expected) in [
        ("===", Rule::Base64),
        ("AAAA", Rule::KeyLength),
        ("|", Rule::Lifetime),
        ("|0", Rule::Lifetime),
        ("|2^99", Rule::Lifetime),
        ("|2^31|", Rule::KeyField),
        ("|1:0", Rule::MkiLength),
        ("|1:129", Rule::MkiLength),
        ("|1:", Rule::MkiLength),
        ("|:1", Rule::MkiValue),
        ("|256:1", Rule::MkiValue),
        ("|2^31|2^31", Rule::KeyField),
        ("|1:1|1:1", Rule::KeyField),
        ("|2^31|1:1|x", Rule::KeyField),
        (";", Rule::KeyMethod),
        (" KDR=0", Rule::SessionParameter),
        (" KDR=1 kdr=2", Rule::SessionParameter),
    ] {
        assert_eq!(rule(&line(behind)), expected, "{behind}");
    }
    let long = "A".repeat(100_000);
    assert_eq!(rule(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{long}")), Rule::KeyLength);
}

#[test]
fn the_place_of_the_mistake_is_told() {
    let text = line("|2^99");
    let at = text.find("2^99").unwrap();
    assert_eq!(CryptoAttribute::parse(&text), Err(Error::Malformed { at, rule: Rule::Lifetime }));
}

#[test]
fn every_suite_wants_the_key_of_its_length() {
    for suite in CryptoSuite::ALL {
        for octets in 0..64 {
            let octets_text = "A".repeat(octets * 4 / 3 + usize::from(octets % 3 != 0));
            let parsed = CryptoAttribute::parse(&format!("1 {suite} inline:{octets_text}"));
            let right = octets == suite.master_key_length() + suite.master_salt_length();
            assert_eq!(parsed.is_ok(), right, "{suite} {octets}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_is_written_and_read_again(
        tag in "[0-9]{1,9}",
        suite in prop::sample::select(CryptoSuite::ALL.to_vec()),
        octets: [u8; 46],
        lifetime in prop::option::of(prop_oneof!["[1-9][0-9]{0,12}", "2\\^[1-4]?[0-8]"]),
        mki in prop::option::of((any::<u32>(), 4_usize..=128)),
        parameters in prop::sample::subsequence(
            vec!["KDR=9", "UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP", "WSH=300", "-A", "B=2"], 0..7),
    ) {
        use base64ct::Encoding as _;
        let length = suite.master_key_length() + suite.master_salt_length();
        let mut text = format!("{tag} {suite} inline:{}", base64ct::Base64::encode_string(&octets[..length]));
        if let Some(lifetime) = lifetime { write!(text, "|{lifetime}").unwrap(); }
        if let Some((value, length)) = mki { write!(text, "|{value}:{length}").unwrap(); }
        for parameter in parameters { write!(text, " {parameter}").unwrap(); }
        let line = CryptoAttribute::parse(&text).unwrap();
        prop_assert_eq!(line.to_string(), &text[..]);
        prop_assert_eq!(CryptoAttribute::parse(&line.to_string()), Ok(line));
    }

    #[test]
    fn no_line_is_too_strange(text in "\\PC{0,80}", at in 0_usize..120, change: char) {
        let _ = CryptoAttribute::parse(&text);
        let mut line: Vec<char> = line("|2^31|1:1 KDR=3 WSH=128").chars().collect();
        let at = at.min(line.len() - 1);
        line[at] = change;
        let line: String = line.into_iter().collect();
        if let Err(Error::Malformed { at, .. }) = CryptoAttribute::parse(&line) {
            prop_assert!(at <= line.len());
        }
    }
}
