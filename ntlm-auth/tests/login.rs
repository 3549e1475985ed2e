//! Both sides back to back, and everything that must be refused.

use std::time::Duration;

use ntlm_auth::{
    Accepted, Acceptor, AcceptorConfig, ChannelBinding, ClientChallenge, Credentials, Demand, Error,
    FileTime, Initiator, InitiatorConfig, Mic, MicPolicy, Mode, NegotiateFlags, NtHash, RandomSessionKey,
    Refusal, Response, ResponseInput, SIP_SEQUENCE, Session,
};
use proptest::prelude::*;

const NOW: FileTime = FileTime(133_000_000_000_000_000);

fn client(mode: Mode) -> InitiatorConfig {
    InitiatorConfig::new(mode, Credentials::new("CONTOSO", "jürgen", "pässword"))
}

fn server(mode: Mode) -> AcceptorConfig {
    AcceptorConfig::new(mode, "FE1", "CONTOSO")
}

/// Server's challenge and client's answer.
fn exchange(
    client: InitiatorConfig,
    server: AcceptorConfig,
    time: Option<FileTime>,
) -> Result<(Acceptor, Vec<u8>, Session), Error> {
    let initiator = Initiator::new(client);
    let acceptor = Acceptor::new(server, initiator.negotiate(), [7; 8], time)?;
    let key = RandomSessionKey::new([9; 16]);
    let (answer, session) = initiator.challenge(NOW, acceptor.challenge(), ClientChallenge([8; 8]), &key)?;
    Ok((acceptor, answer, session))
}

fn accept(acceptor: Acceptor, answer: &[u8]) -> Result<Accepted, Error> {
    acceptor.authenticate(NOW, answer)?.prove(Some(&NtHash::of_password("pässword")))
}

#[expect(clippy::needless_pass_by_value, reason = "results are looked at once")]
fn refused<T>(result: Result<T, Error>) -> Option<Refusal> {
    match result {
        Err(Error::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

#[test]
fn a_login_without_connection_signs_in_both_directions() {
    for time in [None, Some(NOW)] {
        let (acceptor, answer, session) =
            exchange(client(Mode::Datagram), server(Mode::Datagram), time).expect("a login");
        let accepted = accept(acceptor, &answer).expect("the right password");
        assert_eq!(accepted.user, "jürgen");
        assert_eq!(accepted.mic, if time.is_some() { Mic::Valid } else { Mic::Absent });
        let (Session::Datagram(client), Session::Datagram(server)) = (session, accepted.session) else {
            panic!("connectionless")
        };
        let signature = client.sign(SIP_SEQUENCE, b"<NTLM>");
        assert_eq!(server.verify(SIP_SEQUENCE, b"<NTLM>", &signature), Ok(()));
        assert_eq!(client.sign(SIP_SEQUENCE, b"<NTLM>"), signature, "one text has one signature");
        assert_eq!(
            client.verify(SIP_SEQUENCE, b"<NTLM>", &signature),
            Err(Error::BadSignature),
            "the other direction"
        );
        let signature = server.sign(SIP_SEQUENCE, b"answer");
        assert_eq!(client.verify(SIP_SEQUENCE, b"answer", &signature), Ok(()));
    }
}

#[test]
fn a_login_over_a_connection_counts_its_messages() {
    let (acceptor, answer, session) =
        exchange(client(Mode::Stream), server(Mode::Stream), Some(NOW)).expect("a login");
    let accepted = accept(acceptor, &answer).expect("the right password");
    let (Session::Stream(mut client), Session::Stream(mut server)) = (session, accepted.session) else {
        panic!("over a connection")
    };
    let first = client.sign(b"one");
    let second = client.sign(b"two");
    assert_eq!(server.verify(b"two", &second), Err(Error::BadSignature), "the second before the first");
    assert_eq!(server.verify(b"one", &first), Ok(()), "a wrong one has changed nothing");
    assert_eq!(server.verify(b"one", &first), Err(Error::BadSignature), "replayed");
    assert_eq!(server.verify(b"two", &second), Ok(()));
    let mut text = b"secret".to_vec();
    let signature = server.seal(&mut text);
    assert_ne!(text, b"secret");
    assert_eq!(client.unseal(&mut text, &signature), Ok(()));
    assert_eq!(text, b"secret");
}

#[test]
fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let (acceptor, answer, _) =
        exchange(client(Mode::Datagram), server(Mode::Datagram), None).expect("a login");
    let claim = acceptor.authenticate(NOW, &answer).expect("a claim");
    let unknown = claim.clone().prove(None).map(|_| ());
    let wrong = claim.prove(Some(&NtHash::of_password("password"))).map(|_| ());
    assert_eq!(unknown, Err(Error::Refused(Refusal::LoginFailed)));
    assert_eq!(unknown, wrong);
}

#[test]
fn a_challenge_that_lacks_any_required_flag_is_refused() {
    let required = NegotiateFlags::DATAGRAM_REQUIRED.0;
    for bit in (0..32).map(|bit| 1 << bit).filter(|bit| required & bit != 0) {
        let mut config = server(Mode::Datagram);
        config.flags = config.flags.without(NegotiateFlags(bit));
        let result = exchange(client(Mode::Datagram), config, None);
        assert_eq!(refused(result), Some(Refusal::Flags), "{bit:08x}");
    }
    let mut config = server(Mode::Datagram);
    config.flags = config.flags.with(NegotiateFlags::ANONYMOUS);
    assert_eq!(refused(exchange(client(Mode::Datagram), config, None)), Some(Refusal::Anonymous));
}

#[test]
fn changed_flags_of_the_answer_are_refused() {
    let (acceptor, answer, _) =
        exchange(client(Mode::Datagram), server(Mode::Datagram), None).expect("a login");
    let offered = server(Mode::Datagram).flags.0;
    for bit in 0..32 {
        let mut changed = answer.clone();
        changed[60 + bit / 8] ^= 1 << (bit % 8);
        let bit = 1_u32 << bit;
        let result = accept(acceptor.clone(), &changed);
        if NegotiateFlags::DATAGRAM_REQUIRED.0 & bit != 0
            || offered & bit == 0 && bit != 4 && bit != 0x0010_0000
        {
            assert!(result.is_err(), "{bit:08x}");
        }
    }
}

#[test]
fn empty_names_clocks_and_missing_server_names_are_refused() {
    let mut config = client(Mode::Datagram);
    config.credentials.user = String::new();
    assert_eq!(refused(exchange(config, server(Mode::Datagram), None)), Some(Refusal::Anonymous));
    let later = FileTime(NOW.0 + 37 * 3600 * 10_000_000);
    let result = exchange(client(Mode::Datagram), server(Mode::Datagram), Some(later));
    assert_eq!(refused(result), Some(Refusal::ClockSkew));
    let mut config = server(Mode::Datagram);
    config.target_info = ntlm_auth::AvPairs::new();
    assert_eq!(refused(exchange(client(Mode::Datagram), config, None)), Some(Refusal::NoNames));
    let (acceptor, answer, _) =
        exchange(client(Mode::Datagram), server(Mode::Datagram), None).expect("a login");
    assert_eq!(refused(acceptor.authenticate(later, &answer)), Some(Refusal::ClockSkew));
}

#[test]
fn an_integrity_code_is_demanded_only_of_those_who_knew_the_time() {
    let mut config = client(Mode::Datagram);
    config.mic = MicPolicy::Never;
    let mut strict = server(Mode::Datagram);
    strict.mic = Demand::Required;
    let (acceptor, answer, _) = exchange(config.clone(), strict.clone(), Some(NOW)).expect("a login");
    assert_eq!(refused(accept(acceptor, &answer)), Some(Refusal::NoMic));
    let (acceptor, answer, _) = exchange(config, strict, None).expect("a login");
    assert!(accept(acceptor, &answer).is_ok());
}

#[test]
fn a_login_bound_to_another_channel_or_server_is_refused() {
    let ours = ChannelBinding::tls_server_end_point(&[0xab; 32]);
    let theirs = ChannelBinding::tls_server_end_point(&[0xac; 32]);
    let mut strict = server(Mode::Stream);
    strict.channel_binding = Some(ours);
    strict.binding = Demand::Required;
    strict.accepted_target_names = vec!["HTTP/fe1.contoso.com".to_owned()];
    for (binding, name, refusal) in [
        (Some(ours), Some("http/FE1.contoso.com"), None),
        (Some(theirs), Some("http/fe1.contoso.com"), Some(Refusal::ChannelBinding)),
        (None, Some("http/fe1.contoso.com"), Some(Refusal::ChannelBinding)),
        (Some(ours), Some("http/evil.example"), Some(Refusal::TargetName)),
        (Some(ours), None, Some(Refusal::TargetName)),
    ] {
        let mut config = client(Mode::Stream);
        config.channel_binding = binding;
        config.target_name = name.map(str::to_owned);
        let (acceptor, answer, _) = exchange(config, strict.clone(), Some(NOW)).expect("a login");
        assert_eq!(refused(accept(acceptor, &answer)), refusal, "{binding:?} {name:?}");
    }
}

#[test]
fn no_octet_under_the_integrity_code_can_be_changed() {
    let (acceptor, answer, _) =
        exchange(client(Mode::Datagram), server(Mode::Datagram), Some(NOW)).expect("a login");
    assert!(accept(acceptor.clone(), &answer).is_ok());
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 0x20;
        assert!(accept(acceptor.clone(), &changed).is_err(), "octet {at}");
        assert!(accept(acceptor.clone(), &answer[..at]).is_err(), "cut at {at}");
    }
    // A challenge that somebody changed on its way.
    let mut challenge = acceptor.challenge().to_vec();
    challenge[48] ^= 1;
    let other = Acceptor::with_challenge(server(Mode::Datagram), &[], &challenge).expect("still a challenge");
    assert_eq!(refused(accept(other, &answer)), Some(Refusal::WrongMic));
}

#[test]
fn responses_of_another_implementation_are_ours() {
    let hash = NtHash::of_password("Pa$$word");
    let key = hash.response_key("User", "COSMO");
    let list = [2, 0, 2, 0, b'D', 0, 0, 0, 0, 0];
    let credentials = ntlmclient::Credentials {
        username: "User".to_owned(),
        password: "Pa$$word".to_owned(),
        domain: "COSMO".to_owned(),
    };
    for round in 0..20_u8 {
        let time = i64::from(round) * 1_000_000_007;
        let theirs = ntlmclient::respond_challenge_ntlm_v2([round; 8], &list, time, &credentials);
        let mut client_challenge = [0; 8];
        client_challenge.copy_from_slice(&theirs.ntlm_response[32..40]);
        let input = ResponseInput {
            server_challenge: [round; 8],
            client_challenge,
            time: FileTime(time.unsigned_abs()),
            target_info: &list,
        };
        let ours = Response::new(&key, &input);
        assert_eq!(ours.proof, theirs.ntlm_response[..16], "round {round}");
        assert_eq!(ours.session_base_key()[..], theirs.session_key[..], "round {round}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (acceptor, answer, session) =
        exchange(client(Mode::Datagram), server(Mode::Datagram), None).expect("a login");
    let claim = acceptor.authenticate(NOW, &answer).expect("a claim");
    let key = RandomSessionKey::new([9; 16]);
    let texts = [
        format!("{:?}", client(Mode::Datagram)),
        format!("{session:?}"),
        format!("{claim:?}"),
        format!("{key:?}"),
        format!("{:?}", session.expose()),
    ];
    for text in texts {
        assert!(!text.contains("pässword") && !text.contains("[9, 9") && !text.contains("0909"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_user_any_password_any_mode(
        user in "\\PC{1,20}", domain in "\\PC{0,20}", password in "\\PC{1,20}", stream in any::<bool>(), timed in any::<bool>(),
        text in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mode = if stream { Mode::Stream } else { Mode::Datagram };
        let config = InitiatorConfig::new(mode, Credentials::new(domain, user, &password));
        let (acceptor, answer, session) = exchange(config, server(mode), timed.then_some(NOW)).expect("a login");
        let claim = acceptor.authenticate(NOW, &answer).expect("a claim");
        let accepted = claim.prove(Some(&NtHash::of_password(&password))).expect("the right password");
        prop_assert!(session.expose() == accepted.session.expose());
        match (session, accepted.session) {
            (Session::Datagram(client), Session::Datagram(server)) => {
                prop_assert_eq!(server.verify(5, &text, &client.sign(5, &text)), Ok(()));
            }
            (Session::Stream(mut client), Session::Stream(mut server)) => {
                prop_assert_eq!(server.verify(&text, &client.sign(&text)), Ok(()));
            }
            _ => prop_assert!(false),
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(mut octets in prop::collection::vec(any::<u8>(), 0..300), kind in 1..4_u8) {
        let head = [b"NTLMSSP\0".as_slice(), &[kind, 0, 0, 0]].concat();
        for (place, octet) in octets.iter_mut().zip(head) {
            *place = octet;
        }
        let _ = (ntlm_auth::Negotiate::parse(&octets), ntlm_auth::Challenge::parse(&octets));
        let _ = ntlm_auth::Authenticate::parse(&octets);
        let key = RandomSessionKey::new([9; 16]);
        let _ = Initiator::new(client(Mode::Stream)).challenge(NOW, &octets, ClientChallenge([8; 8]), &key).map(|_| ());
    }
}

#[test]
fn a_login_takes_its_time_from_the_server() {
    let config = client(Mode::Datagram);
    assert_eq!(config.max_skew, Some(Duration::from_hours(36)));
    let server_time = FileTime(NOW.0 + 5 * 10_000_000);
    let (_, answer, _) = exchange(config, server(Mode::Datagram), Some(server_time)).expect("a login");
    let read = ntlm_auth::Authenticate::parse(&answer).expect("our own message");
    assert_eq!(read.nt_response[24..32], server_time.0.to_le_bytes());
}
