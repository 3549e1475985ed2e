//! Messages and responses against `ntlmclient`, a client of another hand, as far as it goes: it reads messages, and answers with
//! NTLMv2. Its writers, and everything of version 1, are broken and are left out.

use ntlm_auth::{
    Authenticate, AvId, AvPairs, Challenge, ClientChallenge, Credentials, FileTime, Initiator,
    InitiatorConfig, LmPolicy, Mode, NegotiateFlags, NtHash, RandomSessionKey, Response, ResponseInput,
    USUAL_VERSION, lm_v2_response,
};
use proptest::prelude::*;
use serde_json::Value;

fn read(message: &[u8]) -> ntlmclient::Message {
    ntlmclient::Message::try_from(message).expect("a message that it can read")
}

/// Both read the same in a CHALLENGE.
fn compare_challenge(message: &[u8]) {
    let ours = Challenge::parse(message).expect("a good challenge");
    let ntlmclient::Message::Challenge(theirs) = read(message) else { panic!("a challenge") };
    assert_eq!(ours.flags.0, theirs.flags.bits());
    assert_eq!(ours.server_challenge, theirs.challenge);
    assert_eq!(ours.target_name, Challenge::name(&theirs.target_name, ours.flags));
    if ours.flags.contains(NegotiateFlags::VERSION) {
        let version = &theirs.os_version;
        assert_eq!(ours.version[..2], [version.major_version, version.minor_version]);
        assert_eq!(ours.version[2..4], version.build_number.to_le_bytes());
        assert_eq!(ours.version[7], version.ntlm_revision);
    }
    let pairs = ours.target_info.unwrap_or_default();
    let ours: Vec<_> = pairs.iter().map(|(id, value)| (id.0, value.to_vec())).collect();
    let theirs: Vec<_> = theirs
        .target_information
        .into_iter()
        .map(|entry| (u16::from(entry.entry_type), entry.data))
        .take_while(|(id, _)| *id != 0)
        .collect();
    assert_eq!(ours, theirs);
}

/// Both read the same in an AUTHENTICATE.
fn compare_authenticate(message: &[u8]) {
    let ours = Authenticate::parse(message).expect("a good answer");
    let ntlmclient::Message::Authenticate(theirs) = read(message) else { panic!("an answer") };
    assert_eq!(ours.flags.0, theirs.flags.bits());
    assert_eq!((ours.lm_response, ours.nt_response), (theirs.lm_response, theirs.ntlm_response));
    assert_eq!((ours.domain, ours.user), (theirs.domain_name, theirs.user_name));
    assert_eq!(ours.workstation, theirs.workstation_name);
    assert_eq!(ours.encrypted_session_key, theirs.session_key);
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal text");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

#[test]
fn printed_and_recorded_messages_are_read_alike() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/ntlm.json")).expect("JSON");
    for section in ["nlmp_4_2_3_ntlm2_session", "nlmp_4_2_4_ntlmv2", "sip_oc2007r2_ntlmv2_datagram"] {
        let section = &vectors[section];
        compare_challenge(&octets(&section["challenge_message"]));
        compare_authenticate(&octets(&section["authenticate_message"]));
    }
    let recorded: Value = serde_json::from_str(include_str!("vectors/sipe-login.json")).expect("JSON");
    compare_challenge(&octets(&recorded["challenge_message"]));
    compare_authenticate(&octets(&recorded["authenticate_message"]));
}

/// Attributes as servers send them; values of an odd length are legal, but not for `ntlmclient`.
fn attributes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let value = prop::collection::vec(any::<[u8; 2]>(), 0..12).prop_map(|units| units.concat());
    prop::collection::vec((11..2000_u16, value), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_challenge_is_read_alike(
        bits in any::<u32>(), name in "[a-zA-Z0-9]{0,15}", random in any::<[u8; 8]>(), unknown in attributes(),
        time in any::<u64>(),
    ) {
        let flags = NegotiateFlags(bits).with(NegotiateFlags::TARGET_INFO).with(NegotiateFlags::UNICODE);
        let mut info = AvPairs::new();
        info.replace_text(AvId::NB_DOMAIN_NAME, &name);
        info.replace_text(AvId::NB_COMPUTER_NAME, "FE1");
        info.replace(AvId::TIMESTAMP, time.to_le_bytes());
        for (id, value) in unknown {
            info.replace(AvId(id), value);
        }
        let challenge = Challenge {
            flags,
            target_name: Challenge::name(&name, flags),
            server_challenge: random,
            target_info: Some(info),
            version: USUAL_VERSION,
        };
        compare_challenge(&challenge.emit().expect("it is short"));
    }

    #[test]
    fn any_answer_of_ours_is_read_alike_and_holds_its_response(
        user in "[a-z0-9.]{1,20}", domain in "\\PC{0,15}", password in "\\PC{1,20}", random in any::<[u8; 8]>(),
        stream in any::<bool>(), timed in any::<bool>(),
    ) {
        let mode = if stream { Mode::Stream } else { Mode::Datagram };
        let mut info = AvPairs::new();
        info.replace_text(AvId::NB_DOMAIN_NAME, "CONTOSO");
        info.replace_text(AvId::NB_COMPUTER_NAME, "FE1");
        let now = FileTime(133_000_000_000_000_000);
        if timed {
            info.replace(AvId::TIMESTAMP, now.0.to_le_bytes());
        }
        let challenge = Challenge {
            flags: NegotiateFlags(if stream { 0x628a_8235 } else { 0xe298_82f3 }),
            target_name: Vec::new(),
            server_challenge: random,
            target_info: Some(info),
            version: USUAL_VERSION,
        };
        let mut config = InitiatorConfig::new(mode, Credentials::new(&*domain, &*user, &password));
        config.lm = LmPolicy::V2;
        "PC1".clone_into(&mut config.workstation);
        let key = RandomSessionKey::new([9; 16]);
        let message = challenge.emit().expect("it is short");
        let (answer, _) = Initiator::new(config)
            .challenge(now, &message, ClientChallenge([8; 8]), &key)
            .expect("a good challenge");
        compare_authenticate(&answer);
    }

    #[test]
    fn responses_of_any_user_are_ours(
        user in "[a-zA-Z0-9.äöüéñж]{1,20}", domain in "\\PC{0,15}", password in "\\PC{1,30}",
        server_challenge in any::<[u8; 8]>(), time in 0..i64::MAX, unknown in attributes(),
    ) {
        let mut info = AvPairs::new();
        info.replace_text(AvId::NB_DOMAIN_NAME, &domain);
        for (id, value) in unknown {
            info.replace(AvId(id), value);
        }
        let list = info.emit().expect("it is short");
        let credentials =
            ntlmclient::Credentials { username: user.clone(), password: password.clone(), domain: domain.clone() };
        let theirs = ntlmclient::respond_challenge_ntlm_v2(server_challenge, &list, time, &credentials);
        // It draws its own random number, which stands in its response.
        let client_challenge = theirs.ntlm_response[32..40].try_into().expect("eight octets");
        let key = NtHash::of_password(&password).response_key(&user, &domain);
        let time = FileTime(time.unsigned_abs());
        let input = ResponseInput { server_challenge, client_challenge, time, target_info: &list };
        let ours = Response::new(&key, &input);
        prop_assert_eq!(&ours.nt_response[..], &theirs.ntlm_response[..]);
        prop_assert_eq!(&ours.session_base_key()[..], &theirs.session_key[..]);
        let lm = lm_v2_response(&key, server_challenge, client_challenge);
        prop_assert_eq!(&lm[..], &theirs.lm_response[..]);
    }
}
