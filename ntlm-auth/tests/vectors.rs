//! Published and recorded values.

use ntlm_auth::{
    Acceptor, AcceptorConfig, AvPairs, Challenge, ClientChallenge, Credentials, DatagramSession, Error,
    FileTime, Initiator, InitiatorConfig, LmPolicy, Mic, MicPolicy, Mode, NegotiateFlags, NtHash,
    RandomSessionKey, Refusal, Response, ResponseInput, SIP_SEQUENCE, Sender, Session, StreamSession,
    exchange_key, lm_v2_response,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/ntlm.json")).expect("the vectors are JSON")
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal text");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().expect("the right length")
}

fn flags(value: &Value) -> NegotiateFlags {
    NegotiateFlags(u32::from_str_radix(value.as_str().expect("a number"), 16).expect("hexadecimal"))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn nlmp_4_2_4_gives_the_printed_response_and_keys() {
    let vectors = vectors();
    let (common, v2) = (&vectors["common"], &vectors["nlmp_4_2_4_ntlmv2"]);
    let hash = NtHash::of_password(text(&common["password"]));
    assert_eq!(hash.expose().to_vec(), hex(&vectors["nlmp_4_2_2_ntlmv1"]["ntowfv1"]));
    let key = hash.response_key(text(&common["user"]), text(&common["domain"]));
    assert_eq!(key.expose().to_vec(), hex(&v2["ntowfv2"]));
    let input = ResponseInput {
        server_challenge: array(&common["server_challenge"]),
        client_challenge: array(&common["client_challenge"]),
        time: FileTime(0),
        target_info: &hex(&v2["target_info"]),
    };
    let response = Response::new(&key, &input);
    assert_eq!(response.proof.to_vec(), hex(&v2["nt_proof_str"]));
    assert_eq!(response.nt_response, [hex(&v2["nt_proof_str"]), hex(&v2["temp"])].concat());
    assert_eq!(response.session_base_key().to_vec(), hex(&v2["session_base_key"]));
    assert_eq!(
        lm_v2_response(&key, input.server_challenge, input.client_challenge).to_vec(),
        hex(&v2["lm_response"])
    );
    let random = array(&common["random_session_key"]);
    assert_eq!(
        exchange_key(response.session_base_key(), &random).to_vec(),
        hex(&v2["encrypted_session_key"])
    );
    let mut session = StreamSession::new(Sender::Client, flags(&v2["flags"]), &random);
    let mut sealed = hex(&vectors["plaintext"]);
    let signature = session.seal(&mut sealed);
    assert_eq!(sealed, hex(&v2["sealed_data"]));
    assert_eq!(signature.to_vec(), hex(&v2["signature"]));
    let mut peer = StreamSession::new(Sender::Server, flags(&v2["flags"]), &random);
    assert_eq!(peer.unseal(&mut sealed, &[0; 16]), Err(Error::BadSignature));
    assert_eq!(sealed, hex(&v2["sealed_data"]));
    assert_eq!(peer.unseal(&mut sealed, &signature), Ok(()));
    assert_eq!(sealed, hex(&vectors["plaintext"]));
}

#[test]
fn nlmp_4_2_messages_are_read_and_a_challenge_without_extended_security_is_refused() {
    let vectors = vectors();
    for (name, refusal) in
        [("nlmp_4_2_2_ntlmv1", Refusal::Flags), ("nlmp_4_2_3_ntlm2_session", Refusal::Flags)]
    {
        let message = hex(&vectors[name]["challenge_message"]);
        assert!(Challenge::parse(&message).is_ok(), "{name}");
        let config = InitiatorConfig::new(Mode::Stream, Credentials::new("Domain", "User", "Password"));
        let result = Initiator::new(config).challenge(
            FileTime(0),
            &message,
            ClientChallenge([0xaa; 8]),
            &RandomSessionKey::new([0x55; 16]),
        );
        assert!(matches!(result, Err(Error::Refused(found)) if found == refusal), "{name}");
    }
    let message = hex(&vectors["nlmp_4_2_2_ntlmv1"]["authenticate_message"]);
    let config = AcceptorConfig::new(Mode::Stream, "Server", "Domain");
    let challenge = hex(&vectors["nlmp_4_2_2_ntlmv1"]["challenge_message"]);
    let acceptor = Acceptor::with_challenge(config, &[], &challenge).expect("a challenge");
    assert!(matches!(
        acceptor.authenticate(FileTime(0), &message),
        Err(Error::Refused(Refusal::WeakResponse))
    ));
}

#[test]
fn an_exchange_recorded_with_oc_2007_r2_is_accepted_and_its_signatures_are_right() {
    let vectors = vectors();
    let recorded = &vectors["sip_oc2007r2_ntlmv2_datagram"];
    let (challenge, authenticate) =
        (hex(&recorded["challenge_message"]), hex(&recorded["authenticate_message"]));
    assert_eq!(
        Challenge::parse(&challenge).map(|found| found.flags),
        Ok(flags(&recorded["challenge_flags"]))
    );
    let mut config = AcceptorConfig::new(Mode::Datagram, "", "");
    config.max_skew = None;
    let acceptor = Acceptor::with_challenge(config, &[], &challenge).expect("a challenge");
    let claim = acceptor.clone().authenticate(FileTime(0), &authenticate).expect("a good answer");
    assert_eq!((claim.domain(), claim.user()), (text(&recorded["domain"]), text(&recorded["user"])));
    let wrong = claim.clone().prove(Some(&NtHash::of_password("wrong")));
    assert!(matches!(wrong, Err(Error::Refused(Refusal::LoginFailed))));
    assert!(matches!(claim.clone().prove(None), Err(Error::Refused(Refusal::LoginFailed))));
    let accepted =
        claim.prove(Some(&NtHash::of_password(text(&recorded["password"])))).expect("the right password");
    assert_eq!((accepted.mic, accepted.flags), (Mic::Absent, flags(&recorded["authenticate_flags"])));
    let keys = accepted.session.expose();
    for (found, name) in [
        (keys.exported_session_key, "exported_session_key"),
        (keys.client_sign_key, "client_sign_key"),
        (keys.server_sign_key, "server_sign_key"),
        (keys.client_seal_key, "client_seal_key"),
        (keys.server_seal_key, "server_seal_key"),
    ] {
        assert_eq!(found.to_vec(), hex(&recorded[name]), "{name}");
    }
    let Session::Datagram(server) = accepted.session else { panic!("connectionless") };
    let (request, signature) =
        (text(&recorded["request_buffer"]).as_bytes(), hex(&recorded["request_signature"]));
    assert_eq!(server.verify(SIP_SEQUENCE, request, &signature), Ok(()));
    assert_eq!(server.verify(101, request, &signature), Err(Error::BadSignature));
    let response = text(&recorded["response_buffer"]).as_bytes();
    assert_eq!(server.sign(SIP_SEQUENCE, response).to_vec(), hex(&recorded["response_signature"]));
}

#[test]
fn our_initiator_answers_the_recorded_challenge_with_the_recorded_flags() {
    let vectors = vectors();
    let recorded = &vectors["sip_oc2007r2_ntlmv2_datagram"];
    let credentials =
        Credentials::new(text(&recorded["domain"]), text(&recorded["user"]), text(&recorded["password"]));
    for (mic, lm) in [
        (MicPolicy::Auto, LmPolicy::Zeros),
        (MicPolicy::Never, LmPolicy::V2),
        (MicPolicy::Never, LmPolicy::Nothing),
    ] {
        let mut config = InitiatorConfig::new(Mode::Datagram, credentials.clone());
        (config.mic, config.lm) = (mic, lm);
        let challenge = hex(&recorded["challenge_message"]);
        let (answer, session) = Initiator::new(config)
            .challenge(FileTime(0), &challenge, ClientChallenge([1; 8]), &RandomSessionKey::new([2; 16]))
            .expect("a challenge of a real server");
        let read = ntlm_auth::Authenticate::parse(&answer).expect("our own message");
        assert_eq!(read.flags, flags(&recorded["authenticate_flags"]));
        assert_eq!(session.expose().exported_session_key, [2; 16]);
        if mic == MicPolicy::Never {
            // As that client does: the server's attributes untouched, no room for an integrity code.
            let server_info =
                Challenge::parse(&challenge).expect("a challenge").target_info.expect("attributes");
            let list = server_info.emit().expect("it came from a message");
            assert_eq!(&read.nt_response[44..44 + list.len()], list);
            assert_eq!(read.mic, None);
        }
    }
}

#[test]
fn a_signature_recorded_with_ocs_2007_is_made_with_the_whole_key() {
    let vectors = vectors();
    let recorded = &vectors["sip_ocs2007_crc32_signature"];
    let flags = NegotiateFlags::DATAGRAM.with(NegotiateFlags::KEY_EXCHANGE).with(NegotiateFlags::SIGN);
    let key = array(&recorded["exported_session_key"]);
    let buffer = text(&recorded["response_buffer"]).as_bytes();
    let server = DatagramSession::new(Sender::Server, flags, &key);
    let mut signature = hex(&recorded["response_signature"]);
    assert_eq!(server.sign(SIP_SEQUENCE, buffer).to_vec(), signature);
    let client = DatagramSession::new(Sender::Client, flags, &key);
    signature[4..8].copy_from_slice(&[1, 2, 3, 4]);
    assert_eq!(client.verify(SIP_SEQUENCE, buffer, &signature), Ok(()), "the pad says nothing");
    signature[8] ^= 1;
    assert_eq!(client.verify(SIP_SEQUENCE, buffer, &signature), Err(Error::BadSignature));
}

#[test]
fn nlmp_signatures_without_extended_security_and_without_key_exchange_are_as_printed() {
    let vectors = vectors();
    let v1 = &vectors["nlmp_4_2_2_ntlmv1"];
    let key = array(&vectors["common"]["random_session_key"]);
    let mut session = StreamSession::new(Sender::Client, flags(&v1["flags"]), &key);
    let mut sealed = hex(&vectors["plaintext"]);
    let signature = session.seal(&mut sealed);
    assert_eq!(sealed, hex(&v1["sealed_data"]));
    assert_eq!(signature.to_vec(), hex(&v1["signature_pad_zeroed"]));
    let ess = &vectors["nlmp_4_2_3_ntlm2_session"];
    let mut session =
        StreamSession::new(Sender::Client, flags(&ess["flags"]), &array(&ess["key_exchange_key"]));
    let mut sealed = hex(&vectors["plaintext"]);
    let signature = session.seal(&mut sealed);
    assert_eq!(sealed, hex(&ess["sealed_data"]));
    assert_eq!(signature.to_vec(), hex(&ess["signature"]));
}

#[test]
fn keys_of_every_strength_are_derived_as_an_independent_program_does() {
    let vectors = vectors();
    let mut checked = 0;
    for row in vectors["derived"].as_array().expect("rows") {
        if row["flags"].is_null() || row["client_seal_key"].is_null() {
            continue;
        }
        let session =
            DatagramSession::new(Sender::Client, flags(&row["flags"]), &array(&row["exported_session_key"]));
        let keys = Session::Datagram(session).expose();
        for (found, name) in [
            (keys.client_sign_key, "client_sign_key"),
            (keys.server_sign_key, "server_sign_key"),
            (keys.client_seal_key, "client_seal_key"),
            (keys.server_seal_key, "server_seal_key"),
        ] {
            if row[name].is_string() {
                let expected = hex(&row[name]);
                assert_eq!(found[..expected.len()], expected, "{} {name}", row["id"]);
                checked += 1;
            }
        }
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn the_list_of_attributes_of_nlmp_is_written_as_it_was_read() {
    let vectors = vectors();
    let list = hex(&vectors["nlmp_4_2_4_ntlmv2"]["target_info"]);
    assert_eq!(AvPairs::parse(&list, 0).and_then(|pairs| pairs.emit()), Ok(list));
}

#[test]
fn a_login_recorded_with_an_open_source_client_is_accepted_and_its_first_signature_is_right() {
    let recorded: Value = serde_json::from_str(include_str!("vectors/sipe-login.json")).expect("JSON");
    let mut config = AcceptorConfig::new(Mode::Datagram, "", "");
    config.max_skew = None;
    let challenge = hex(&recorded["challenge_message"]);
    let claim = Acceptor::with_challenge(config, &[], &challenge)
        .and_then(|acceptor| acceptor.authenticate(FileTime(0), &hex(&recorded["authenticate_message"])))
        .expect("a good answer");
    assert_eq!((claim.domain(), claim.user()), (text(&recorded["domain"]), text(&recorded["user"])));
    let accepted =
        claim.prove(Some(&NtHash::of_password(text(&recorded["password"])))).expect("the right password");
    let Session::Datagram(server) = accepted.session else { panic!("connectionless") };
    let request = text(&recorded["request_buffer"]).as_bytes();
    assert_eq!(server.verify(SIP_SEQUENCE, request, &hex(&recorded["request_signature"])), Ok(()));
    let response = text(&recorded["response_buffer"]).as_bytes();
    assert_eq!(server.sign(SIP_SEQUENCE, response).to_vec(), hex(&recorded["response_signature"]));
}
