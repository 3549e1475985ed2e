//! Published and recorded values.

use ntlm_auth::{
    Acceptor, AcceptorConfig, Authenticate, AvPairs, Challenge, ClientChallenge, Credentials,
    DatagramSession, Error, FileTime, Initiator, InitiatorConfig, LmHash, LmPolicy, Mic, MicPolicy, Mode,
    NegotiateFlags, NtHash, RandomSessionKey, Refusal, Response, ResponseInput, ResponsePolicy, ResponseV1,
    SIP_SEQUENCE, Sender, Session, StreamSession, exchange_key, lm_v2_response,
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
        let read = Authenticate::parse(&answer).expect("our own message");
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

/// A login at a printed challenge, and the printed answer: all of it but the flags, of which the example sets some that we
/// never do (code page beside Unicode).
fn printed_answer(section: &str, responses: ResponsePolicy) {
    let vectors = vectors();
    let (common, row) = (&vectors["common"], &vectors[section]);
    let credentials =
        Credentials::new(text(&common["domain"]), text(&common["user"]), text(&common["password"]));
    let mut config = InitiatorConfig::new(Mode::Stream, credentials);
    (config.responses, config.mic, config.lm) = (responses, MicPolicy::Never, LmPolicy::V2);
    text(&common["workstation"]).clone_into(&mut config.workstation);
    config.version = [5, 1, 0x28, 0x0a, 0, 0, 0, 0x0f];
    let (answer, session) = Initiator::new(config)
        .challenge(
            FileTime(0),
            &hex(&row["challenge_message"]),
            ClientChallenge(array(&common["client_challenge"])),
            &RandomSessionKey::new(array(&common["random_session_key"])),
        )
        .unwrap_or_else(|error| panic!("{section}: {error}"));
    let printed = hex(&row["authenticate_message"]);
    let without_flags = |message: &[u8]| [&message[..60], &message[64..]].concat();
    let (ours, theirs) = (
        Authenticate::parse(&answer).expect("our own message"),
        Authenticate::parse(&printed).expect("the printed message"),
    );
    assert_eq!(ours.nt_response, theirs.nt_response, "{section}");
    assert_eq!(ours.encrypted_session_key, theirs.encrypted_session_key, "{section}");
    assert_eq!(
        (&ours.user, &ours.domain, &ours.workstation),
        (&theirs.user, &theirs.domain, &theirs.workstation)
    );
    if responses == ResponsePolicy::AllowNtlmV1 {
        // We never send a response of the LM hash; the example does.
        assert_eq!(ours.lm_response, ours.nt_response);
        assert_eq!(theirs.lm_response, hex(&row["lm_response"]));
    } else {
        assert_eq!(without_flags(&answer), without_flags(&printed), "{section}");
    }

    // The printed answer lets its sender in where policy names its kind, and nowhere else.
    for taking in [ResponsePolicy::NtlmV2Only, ResponsePolicy::AllowNtlm2Session, ResponsePolicy::AllowNtlmV1]
    {
        let mut config = AcceptorConfig::new(Mode::Stream, "Server", "Domain");
        (config.responses, config.max_skew) = (taking, None);
        let acceptor =
            Acceptor::with_challenge(config, &[], &hex(&row["challenge_message"])).expect("a challenge");
        let accepted = acceptor
            .authenticate(FileTime(0), &printed)
            .and_then(|claim| claim.prove(Some(&NtHash::of_password(text(&common["password"])))));
        assert_eq!(accepted.is_ok(), taking >= responses, "{section} {taking:?}");
        if let Ok(accepted) = accepted {
            let keys = accepted.session.expose();
            assert_eq!(keys.exported_session_key, session.expose().exported_session_key, "{section}");
        }
    }
}

#[test]
fn nlmp_4_2_2_ntlmv1_is_answered_and_taken_as_printed_where_policy_names_it() {
    printed_answer("nlmp_4_2_2_ntlmv1", ResponsePolicy::AllowNtlmV1);
}

#[test]
fn nlmp_4_2_3_ntlm2_session_is_answered_and_taken_as_printed_where_policy_names_it() {
    printed_answer("nlmp_4_2_3_ntlm2_session", ResponsePolicy::AllowNtlm2Session);
}

#[test]
fn nlmp_4_2_4_ntlmv2_is_answered_and_taken_as_printed() {
    printed_answer("nlmp_4_2_4_ntlmv2", ResponsePolicy::NtlmV2Only);
}

#[test]
fn nlmp_4_2_2_and_4_2_3_give_the_printed_hashes_responses_and_keys() {
    let vectors = vectors();
    let (common, v1) = (&vectors["common"], &vectors["nlmp_4_2_2_ntlmv1"]);
    let (server, client) = (array(&common["server_challenge"]), array(&common["client_challenge"]));
    let hash = NtHash::of_password(text(&common["password"]));
    let lm = LmHash::of_password(text(&common["password"])).expect("it is short");
    assert_eq!(lm.expose().to_vec(), hex(&v1["lmowfv1"]));
    assert_eq!(lm.response(server).to_vec(), hex(&v1["lm_response"]));
    let mut response = ResponseV1::plain(&hash, server);
    assert_eq!(response.nt_response.to_vec(), hex(&v1["nt_response"]));
    assert_eq!(response.session_base_key().to_vec(), hex(&v1["session_base_key"]));
    // The example sends the LM response of the LM hash, from which two kinds of key follow.
    response.lm_response = lm.response(server);
    let random = array(&common["random_session_key"]);
    for (more, key, encrypted) in [
        (NegotiateFlags::default(), "key_exchange_key", "encrypted_session_key"),
        (NegotiateFlags::LM_KEY, "key_exchange_key_lm_key", "encrypted_session_key_lm_key"),
        (
            NegotiateFlags::REQUEST_NON_NT_SESSION_KEY,
            "key_exchange_key_non_nt",
            "encrypted_session_key_non_nt",
        ),
    ] {
        let found = response.key_exchange_key(flags(&v1["flags"]).with(more), server, Some(&lm));
        assert_eq!(found.expose().to_vec(), hex(&v1[key]), "{key}");
        assert_eq!(exchange_key(found.expose(), &random).to_vec(), hex(&v1[encrypted]), "{encrypted}");
    }
    assert!(LmHash::of_password("fifteen letters").is_none() && LmHash::of_password("ü").is_none());

    let session = &vectors["nlmp_4_2_3_ntlm2_session"];
    let response = ResponseV1::ntlm2_session(&hash, server, client);
    assert_eq!(response.nt_response.to_vec(), hex(&session["nt_response"]));
    assert_eq!(response.lm_response.to_vec(), hex(&session["lm_response"]));
    assert_eq!(response.session_base_key().to_vec(), hex(&session["session_base_key"]));
    let key = response.key_exchange_key(flags(&session["flags"]), server, None);
    assert_eq!(key.expose().to_vec(), hex(&session["key_exchange_key"]));
}

#[test]
fn small_signatures_of_the_davenport_notes_are_met() {
    let vectors = vectors();
    let row = |id: &str| {
        let rows = vectors["misc_signatures"].as_array().expect("rows");
        rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id}")).clone()
    };
    let v1 = row("davenport-ntlm1");
    // Five octets of the key and three that everybody knows are what LM_KEY makes of it.
    let mut key = [0; 16];
    key[..5].copy_from_slice(&hex(&v1["rc4_key"])[..5]);
    let lm = NegotiateFlags::LM_KEY.with(NegotiateFlags::SIGN);
    let mut session = StreamSession::new(Sender::Client, lm, &key);
    let (message, printed) = (text(&v1["message"]).as_bytes(), hex(&v1["signature"]));
    let ours = session.sign(message);
    assert_eq!((&ours[..4], &ours[8..]), (&printed[..4], &printed[8..]), "the pad says nothing");
    let mut peer = StreamSession::new(Sender::Server, lm, &key);
    assert_eq!(peer.verify(message, &printed), Ok(()));

    let keys = row("davenport-signkey");
    let ess = NegotiateFlags::EXTENDED_SESSION_SECURITY.with(NegotiateFlags::SIGN);
    let session = StreamSession::new(Sender::Client, ess, &array(&keys["session_key"]));
    assert_eq!(Session::Stream(session).expose().client_sign_key.to_vec(), hex(&keys["sign_key"]));
    let signed = row("davenport-ess-nokeyexch");
    let mut session = StreamSession::new(Sender::Client, ess, &array(&keys["session_key"]));
    assert_eq!(session.sign(text(&signed["message"]).as_bytes()).to_vec(), hex(&signed["signature"]));
}

#[test]
fn the_channel_binding_of_a_certificate_is_the_known_one() {
    let known = array(&vectors()["primitives"]["cbt_tls_server_end_point_ab32"]);
    assert_eq!(ntlm_auth::ChannelBinding::tls_server_end_point(&[0xab; 32]).0, known);
}

#[test]
fn the_recorded_answer_of_oc_2007_r2_is_written_octet_by_octet_as_it_was_read() {
    let vectors = vectors();
    for section in ["sip_oc2007r2_ntlmv2_datagram", "nlmp_4_2_4_ntlmv2"] {
        let message = hex(&vectors[section]["authenticate_message"]);
        let read = Authenticate::parse(&message).expect("a recorded message");
        assert_eq!(read.emit(), Ok(message), "{section}");
    }
}

#[test]
fn sealing_without_a_connection_is_what_an_independent_program_makes_of_the_same_rules() {
    let vectors: Value =
        serde_json::from_str(include_str!("vectors/datagram-sealing.json")).expect("the vectors are JSON");
    let (flags, key) = (flags(&vectors["flags"]), array(&vectors["exported_session_key"]));
    let [client, server] = [Sender::Client, Sender::Server].map(|end| DatagramSession::new(end, flags, &key));
    for message in vectors["messages"].as_array().expect("a list") {
        let is_clients = text(&message["direction"]) == "c2s";
        let (sender, receiver) = if is_clients { (&client, &server) } else { (&server, &client) };
        let sequence = message["sequence"].as_u64().expect("a number") as u32;
        let (plain, sealed) = (hex(&message["text"]), hex(&message["sealed"]));
        let mut octets = plain.clone();
        let signature = sender.seal(sequence, &mut octets);
        assert_eq!((octets, signature), (sealed.clone(), array(&message["signature"])), "{message}");
        let mut octets = sealed.clone();
        assert_eq!(receiver.unseal(sequence, &mut octets, &signature), Ok(()));
        assert_eq!(octets, plain);
        let mut octets = sealed;
        assert_eq!(receiver.unseal(sequence + 1, &mut octets, &signature), Err(Error::BadSignature));
        assert!(octets.iter().all(|octet| *octet == 0), "a text that is not genuine is nobody's");
    }
}
