//! Security associations: numbers, replays, life, and the three mechanisms.

use std::time::{Duration, Instant};

use ntlm_auth::{
    AssociationName, AssociationState, Completeness, DatagramSession, Error, Mechanism, NegotiateFlags,
    ProtocolVersion, Refusal, SecurityAssociation, Sender, SignatureText, Signing, TLS_DSK_EXPORTED,
    TlsDskHash, TlsDskSession, TokenLogin, TokenState, Verification, kerberos_service,
};

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
    Instant::now()
}

fn name(target_name: &str) -> AssociationName {
    AssociationName {
        realm: "SIP Communications Service".to_owned(),
        target_name: target_name.to_owned(),
        opaque: "1D2C3B4A".to_owned(),
        version: ProtocolVersion::V4,
    }
}

fn association(now: Instant, mechanism: impl Into<Mechanism>) -> SecurityAssociation {
    SecurityAssociation::new(now, name("fe1.example.net"), mechanism, None)
}

fn ntlm(end: Sender) -> DatagramSession {
    DatagramSession::new(end, NegotiateFlags(0x6298_8255), &[0x55; 16])
}

fn pair() -> (Instant, SecurityAssociation, SecurityAssociation) {
    let now = now();
    (now, association(now, ntlm(Sender::Client)), association(now, ntlm(Sender::Server)))
}

fn signed(association: &SecurityAssociation, text: &[u8]) -> SignatureText {
    association.sign(text).expect("it lasts").signed().expect("the keys are here")
}

#[test]
fn signatures_of_the_usual_texts_are_the_known_ones() {
    let (now, client, mut server) = pair();
    let request = b"<NTLM><0a0b0c0d><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><><><><>";
    assert_eq!(signed(&client, request).as_str(), "010000005a11484614a569cc64000000");
    let response = b"<NTLM><1A2B3C4D><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><0F9E8D7C6B5A49382716051423324150><><><7200><200>";
    assert_eq!(signed(&server, response).as_str(), "0100000092eeb1d1c48be3d264000000");
    let upper = "010000005A11484614A569CC64000000";
    assert_eq!(server.verify(now, 1, request, upper), Ok(Verification::Genuine));
    assert_eq!((client.scheme(), client.name().version.number()), (Some("NTLM"), 4));
}

#[test]
fn a_message_is_taken_once_and_a_forged_one_moves_nothing() {
    let (now, client, mut server) = pair();
    let signature = signed(&client, b"text");
    assert_eq!(server.verify(now, 4_000_000_000, b"other", &signature), Err(Error::BadSignature));
    assert_eq!(server.verify(now, 7, b"text", &signature), Ok(Verification::Genuine));
    assert_eq!(server.verify(now, 7, b"text", &signature), Err(Error::Replayed));
    assert_eq!(
        server.verify(now, 5, b"text", &signature),
        Ok(Verification::Genuine),
        "messages overtake each other"
    );
    assert_eq!(server.verify(now, 0, b"text", &signature), Err(Error::Replayed), "numbers begin at 1");
    for broken in ["", "01", "010000005a11484614a569cc6400000g", &"ü".repeat(16), &"00".repeat(65)] {
        assert_eq!(server.verify(now, 8, b"text", broken), Err(Error::BadSignature), "{broken}");
    }
}

#[test]
fn a_message_far_behind_the_others_counts_as_replayed() {
    let (now, client, mut server) = pair();
    let signature = signed(&client, b"text");
    assert_eq!(server.verify(now, 1000, b"text", &signature), Ok(Verification::Genuine));
    assert_eq!(server.verify(now, 744, b"text", &signature), Err(Error::Replayed));
    assert_eq!(server.verify(now, 745, b"text", &signature), Ok(Verification::Genuine));
}

#[test]
fn stamps_count_from_one_and_show_the_owners_random_octets() {
    let (_, mut client, _) = pair();
    for number in 1..=3 {
        let stamp = client.stamp([0x0a, 0x0b, 0xc0, number]).expect("it lasts");
        assert_eq!((stamp.number, &*stamp.random), (number.into(), &*format!("0a0bc00{number}")));
    }
}

#[test]
fn an_association_is_renewed_before_its_eight_hours_end_and_then_signs_no_more() {
    let (now, mut client, mut server) = pair();
    let signature = signed(&client, b"text");
    assert_eq!(client.poll_timeout(), Some(now + Duration::from_mins(8 * 60 - 5)));
    client.handle_timeout(now + Duration::from_secs(8 * 3600 - 301));
    assert_eq!(client.state(), AssociationState::Established);
    client.handle_timeout(client.renewal());
    assert_eq!(client.state(), AssociationState::Renewing);
    assert_eq!(signed(&client, b"text"), signature, "it signs until the end");
    assert_eq!(client.poll_timeout(), Some(now + Duration::from_hours(8)));
    let late = server.expires();
    assert_eq!(server.verify(late, 1, b"text", &signature), Err(Error::Expired));
    client.handle_timeout(late);
    assert_eq!(
        (client.state(), client.poll_timeout(), client.scheme()),
        (AssociationState::Ended, None, None)
    );
    assert_eq!(client.sign(b"text"), Err(Error::Expired));
    assert_eq!(client.stamp([0; 4]), Err(Error::Expired));
    assert_eq!(client.verify(now, 1, b"text", &signature), Err(Error::Expired));
}

#[test]
fn a_ticket_that_ends_earlier_ends_the_association_earlier() {
    let now = now();
    let short = |lifetime| {
        let lifetime = Some(Duration::from_secs(lifetime));
        SecurityAssociation::new(now, name("fe1.example.net"), ntlm(Sender::Client), lifetime)
    };
    assert_eq!(short(3600).expires(), now + Duration::from_hours(1));
    assert_eq!(short(3600).renewal(), now + Duration::from_mins(55));
    assert_eq!(short(60).renewal(), now, "too short to wait");
    assert_eq!(short(100_000).expires(), now + Duration::from_hours(8));
}

#[test]
fn old_keys_serve_until_the_new_login_is_complete() {
    let (now, mut client, mut server) = pair();
    let signature = signed(&client, b"text");
    server.challenged();
    assert_eq!(server.state(), AssociationState::Renewing);
    assert_eq!(
        server.verify(now, 1, b"text", &signature),
        Ok(Verification::Genuine),
        "a late answer to an older request"
    );
    server.replaced();
    assert_eq!(server.verify(now, 2, b"text", &signature), Err(Error::Expired));
    client.replaced();
    client.challenged();
    assert_eq!(client.state(), AssociationState::Ended);
}

#[test]
fn the_lower_version_is_agreed() {
    for (offered, number) in [(None, 2), (Some(2), 2), (Some(3), 3), (Some(4), 4), (Some(9), 4)] {
        assert_eq!(ProtocolVersion::agree(offered).number(), number);
    }
}

/// Codes of `openssl dgst -mac HMAC -macopt hexkey:KEY`, whose keys are octets 64 to 96 and 96 to 128 of 0, 1, 2 …
#[test]
fn tls_dsk_signs_with_the_hash_of_the_cipher_suite_and_its_direction_key() {
    let exported: [u8; TLS_DSK_EXPORTED] = std::array::from_fn(|at| at as u8);
    let text = b"<TLS-DSK><0a0b0c0d><1><SIP Communications Service><fe1.example.net>";
    for (suite, hash, client_code, server_code) in [
        (0x0004, TlsDskHash::Md5, MD5_CLIENT, MD5_SERVER),
        (0x002f, TlsDskHash::Sha1, SHA1_CLIENT, SHA1_SERVER),
        (0xc030, TlsDskHash::Sha384, SHA384_CLIENT, SHA384_SERVER),
    ] {
        assert_eq!(TlsDskHash::of_cipher_suite(suite), Ok(hash));
        let now = now();
        let mut client = association(now, TlsDskSession::new(Sender::Client, hash, &exported));
        let mut server = association(now, TlsDskSession::new(Sender::Server, hash, &exported));
        assert_eq!(client.scheme(), Some("TLS-DSK"));
        assert_eq!(signed(&client, text).as_str(), client_code);
        assert_eq!(signed(&server, text).as_str(), server_code);
        assert_eq!(server.verify(now, 1, text, client_code), Ok(Verification::Genuine));
        assert_eq!(client.verify(now, 1, text, server_code), Ok(Verification::Genuine));
        assert_eq!(client.verify(now, 2, text, client_code), Err(Error::BadSignature), "our own");
        assert_eq!(server.verify(now, 2, text, &client_code[..30]), Err(Error::BadSignature), "cut");
        assert_eq!(server.verify(now, 1, text, client_code), Err(Error::Replayed));
    }
    for suite in [0, 0x0001, 0x003c, 0x009c, 0xc027, 0xc028, 0xc02f, 0x1301, 0xffff] {
        let refused = Err(Error::Refused(Refusal::CipherSuite));
        assert_eq!(TlsDskHash::of_cipher_suite(suite), refused, "{suite:04x}");
    }
}

/// SIPE 1.25 at the front end of ipdect-sim, TLS 1.0 with `TLS_RSA_WITH_AES_128_CBC_SHA`: its debug log tells its keys.
#[test]
fn tls_dsk_signs_as_sipe_does() {
    let mut exported = [0; TLS_DSK_EXPORTED];
    for (at, octet) in exported.iter_mut().skip(64).enumerate() {
        let digits = SIPE_KEYS.get(2 * at..2 * at + 2).expect("64 octets");
        *octet = u8::from_str_radix(digits, 16).expect("digits");
    }
    let now = now();
    let client = association(now, TlsDskSession::new(Sender::Client, TlsDskHash::Sha1, &exported));
    let mut server = association(now, TlsDskSession::new(Sender::Server, TlsDskHash::Sha1, &exported));
    let text = b"<TLS-DSK><4d4e10e8><1><SIP Communications Service><fe1.lab.test>\
        <75EFgC8E5a92F4iCDB5mC3B8t5CBAb1ADAxF267x><6><REGISTER><sip:alice@lab.test><5858937146>\
        <sip:alice@lab.test><><><><>";
    let sipes = "7DE652676B9C0F8674D6B15FAB78E6ABB2DE3CEF";
    assert!(signed(&client, text).as_str().eq_ignore_ascii_case(sipes));
    assert_eq!(server.verify(now, 1, text, sipes), Ok(Verification::Genuine));
}

const SIPE_KEYS: &str = "AD21320C23B9C7D72D30E0C9EDD172E120AD0EE58CA97B638A4F1E4C33DA681D\
    849DC7A6E87FF1E3C8AE766C567C51EE05B2E79B5B3D4D72BE030C5517448ED3";

#[test]
fn kerberos_hands_texts_and_tokens_out_and_counts_what_was_found_genuine() {
    let (mut client, mut server) = (TokenLogin::initiator(), TokenLogin::acceptor());
    assert_eq!(client.poll_token(), Some(Vec::new()), "the library is called without a token");
    assert_eq!(client.poll_token(), None, "once");
    assert!(client.mechanism().is_none() && server.poll_token().is_none());
    client.made(b"ap-req".to_vec(), Completeness::Complete).expect("a short token");
    let token = client.poll_transmit().expect("a token for the peer");
    server.handle_input(&token).expect("it waits for one");
    assert_eq!(server.poll_token().as_deref(), Some(&b"ap-req"[..]));
    server.made(Vec::new(), Completeness::Complete).expect("nothing to say");
    assert_eq!((client.state(), server.state()), (TokenState::Complete, TokenState::Complete));
    assert_eq!(server.poll_transmit(), None);

    let now = now();
    let mechanism = |login: &TokenLogin| login.mechanism().expect("it is complete");
    let client = SecurityAssociation::new(now, name(&kerberos_service("fe1")), mechanism(&client), None);
    let mut server = association(now, mechanism(&server));
    assert_eq!((client.scheme(), &*client.name().target_name), (Some("Kerberos"), "sip/fe1"));
    assert_eq!(client.sign(b"text"), Ok(Signing::Token));
    let text = SignatureText::new(b"a token of GSS_GetMIC").expect("it is short");
    let Ok(Verification::Token(unverified)) = server.verify(now, 1, b"text", &text) else {
        panic!("somebody else verifies")
    };
    assert_eq!(unverified.token(), b"a token of GSS_GetMIC");
    // Not admitted: the number is still free.
    let Ok(Verification::Token(again)) = server.verify(now, 1, b"text", &text) else {
        panic!("somebody else verifies")
    };
    assert_eq!(server.admit(&again), Ok(Verification::Genuine));
    assert_eq!(server.admit(&unverified), Err(Error::Replayed));
}

#[test]
fn tokens_that_nobody_asked_for_are_refused_and_their_number_and_size_are_bounded() {
    let mut client = TokenLogin::initiator();
    assert_eq!(client.handle_input(b"early"), Err(Error::Refused(Refusal::Token)));
    assert_eq!(client.state(), TokenState::Failed);
    assert!(client.poll_token().is_none() && client.mechanism().is_none());

    let mut server = TokenLogin::acceptor();
    assert_eq!(server.handle_input(&vec![0; 64 * 1024 + 1]), Err(Error::TooLong));
    assert_eq!(server.state(), TokenState::Failed);

    let mut server = TokenLogin::acceptor();
    for _ in 0..8 {
        server.handle_input(b"more").expect("it waits for one");
        assert!(server.poll_token().is_some());
        server.made(b"more".to_vec(), Completeness::ContinueNeeded).expect("a short token");
    }
    assert_eq!(server.handle_input(b"more"), Err(Error::Refused(Refusal::Token)));
    assert_eq!(server.state(), TokenState::Failed);

    let mut server = TokenLogin::acceptor();
    server.refused();
    assert_eq!(server.state(), TokenState::Failed);
}

#[test]
fn nothing_secret_of_an_association_is_printed() {
    let (_, client, _) = pair();
    let exported = [0x5a; TLS_DSK_EXPORTED];
    let dsk = association(now(), TlsDskSession::new(Sender::Client, TlsDskHash::Sha1, &exported));
    for association in [client, dsk] {
        let text = format!("{association:?} {association:#?}");
        assert!(text.contains("fe1.example.net"));
        for secret in ["85, 85", "0x55", "5555", "90, 90", "5a5a", "4788"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
const MD5_CLIENT: &str = "475526b0562b722fd9068716afe48312";
const MD5_SERVER: &str = "727ce0e79fd180893d3d865ac9a6bfab";
const SHA1_CLIENT: &str = "ea3f122a96e4b0053a46d14e8849e34e6c9d24ff";
const SHA1_SERVER: &str = "f1292c70a99e587ab31a43e23aa3b9fc81b4d597";
const SHA384_CLIENT: &str =
    "be50750c7c3c3abc397cfede55ee39c850e02500273628256bc7d5ae503c6c166b170a7103d0a7a4f477b2bdc598e44c";
const SHA384_SERVER: &str =
    "5933d4a93fde3aeff43c30aab4da56137db4fa0fc4bc0cc5a48c45b1d6520ff47426d0b184b725f46ee46c7e7215d148";
