//! Everything that must be refused, each by its name: what somebody between both ends could do, and what nobody may send.

use std::time::Duration;

use ntlm_auth::{
    Accepted, Acceptor, AcceptorConfig, AnonymousPolicy, Authenticate, AvId, AvPairs, Challenge,
    ClientChallenge, Credentials, Demand, Error, FileTime, Initiator, InitiatorConfig, Mic, MicPolicy, Mode,
    Negotiate, NegotiateFlags, NtHash, RandomSessionKey, Refusal, ResponsePolicy, Rule, Session, TextPolicy,
};

const NOW: FileTime = FileTime(133_000_000_000_000_000);
const PASSWORD: &str = "a password";
const KEY: [u8; 16] = [9; 16];

fn client(mode: Mode) -> InitiatorConfig {
    InitiatorConfig::new(mode, Credentials::new("CONTOSO", "jim", PASSWORD))
}

fn server(mode: Mode) -> AcceptorConfig {
    AcceptorConfig::new(mode, "FE1", "CONTOSO")
}

fn acceptor(config: AcceptorConfig, initiator: &Initiator) -> Acceptor {
    Acceptor::new(config, initiator.negotiate(), [7; 8], Some(NOW)).expect("a challenge")
}

fn answer(initiator: Initiator, challenge: &[u8]) -> Result<(Vec<u8>, Session), Error> {
    initiator.challenge(NOW, challenge, ClientChallenge([8; 8]), &RandomSessionKey::new(KEY))
}

fn let_in(acceptor: Acceptor, answer: &[u8]) -> Result<Accepted, Error> {
    acceptor.authenticate(NOW, answer)?.prove(Some(&NtHash::of_password(PASSWORD)))
}

/// A whole login in which `tamper` changes the challenge on its way.
fn login(
    client: InitiatorConfig,
    server: AcceptorConfig,
    tamper: impl FnOnce(&mut Challenge),
) -> Result<(Session, Accepted), Error> {
    let initiator = Initiator::new(client);
    let acceptor = acceptor(server, &initiator);
    let mut challenge = Challenge::parse(acceptor.challenge())?;
    tamper(&mut challenge);
    let (answer, session) = answer(initiator, &challenge.emit()?)?;
    Ok((session, let_in(acceptor, &answer)?))
}

fn refusal<T>(result: &Result<T, Error>) -> Option<Refusal> {
    match result {
        Err(Error::Refused(refusal)) => Some(*refusal),
        _ => None,
    }
}

fn rule<T>(result: &Result<T, Error>) -> Option<Rule> {
    match result {
        Err(Error::Malformed { rule, .. }) => Some(*rule),
        _ => None,
    }
}

#[test]
fn a_challenge_stripped_of_what_ntlmv2_needs_is_refused_unless_policy_names_less() {
    let strip_info = |challenge: &mut Challenge| {
        challenge.flags = challenge.flags.without(NegotiateFlags::TARGET_INFO);
        challenge.target_info = None;
    };
    let strip_all = |challenge: &mut Challenge| {
        strip_info(challenge);
        challenge.flags = challenge.flags.without(NegotiateFlags::EXTENDED_SESSION_SECURITY);
    };
    for mode in [Mode::Datagram, Mode::Stream] {
        assert_eq!(refusal(&login(client(mode), server(mode), strip_info)), Some(Refusal::Flags), "{mode:?}");
        assert_eq!(refusal(&login(client(mode), server(mode), strip_all)), Some(Refusal::Flags), "{mode:?}");
        for (responses, taken_without_info, taken_without_all) in
            [(ResponsePolicy::AllowNtlm2Session, true, false), (ResponsePolicy::AllowNtlmV1, true, true)]
        {
            let (mut lax, mut taking) = (client(mode), server(mode));
            (lax.responses, taking.responses) = (responses, responses);
            // One side alone is not enough.
            let refused = login(lax.clone(), server(mode), strip_info);
            assert_eq!(refusal(&refused), Some(Refusal::WeakResponse), "{mode:?} {responses:?}");
            let without_info = login(lax.clone(), taking.clone(), strip_info);
            assert_eq!(without_info.is_ok(), taken_without_info, "{mode:?} {responses:?}");
            let without_all = login(lax.clone(), taking.clone(), strip_all);
            assert_eq!(without_all.is_ok(), taken_without_all, "{mode:?} {responses:?}");
            // A server that can do better gets better.
            let (_, accepted) = login(lax, taking, |_| {}).expect("a login");
            assert_eq!(accepted.mic, Mic::Valid, "NTLMv2 with its integrity code");
        }
    }
}

#[test]
fn what_policy_allows_signs_on_both_sides_and_proves_the_password() {
    for (responses, extended) in
        [(ResponsePolicy::AllowNtlm2Session, true), (ResponsePolicy::AllowNtlmV1, false)]
    {
        for mode in [Mode::Datagram, Mode::Stream] {
            let old = |challenge: &mut Challenge| {
                challenge.flags = challenge.flags.without(NegotiateFlags::TARGET_INFO);
                challenge.target_info = None;
                if !extended {
                    challenge.flags = challenge.flags.without(NegotiateFlags::EXTENDED_SESSION_SECURITY);
                }
            };
            let (mut lax, mut taking) = (client(mode), server(mode));
            (lax.responses, taking.responses) = (responses, responses);
            let (ours, accepted) = login(lax.clone(), taking.clone(), old).expect("policy allows it");
            assert_eq!(ours.expose(), accepted.session.expose());
            assert_eq!(ours.expose().exported_session_key, KEY);
            match (ours, accepted.session) {
                (Session::Datagram(ours), Session::Datagram(theirs)) => {
                    assert_eq!(theirs.verify(100, b"text", &ours.sign(100, b"text")), Ok(()));
                }
                (Session::Stream(mut ours), Session::Stream(mut theirs)) => {
                    for _ in 0..3 {
                        assert_eq!(theirs.verify(b"text", &ours.sign(b"text")), Ok(()));
                    }
                }
                other => panic!("{other:?}"),
            }
            lax.credentials = Credentials::new("CONTOSO", "jim", "another password");
            assert_eq!(refusal(&login(lax.clone(), taking.clone(), old)), Some(Refusal::LoginFailed));
            lax.credentials = Credentials::new("CONTOSO", "jim", PASSWORD);
            // Where an integrity code or a channel is demanded, none of these will do.
            let mut strict = taking.clone();
            strict.mic = Demand::Required;
            assert_eq!(refusal(&login(lax.clone(), strict, old)), Some(Refusal::NoMic));
            let mut strict = taking;
            strict.binding = Demand::Required;
            assert_eq!(refusal(&login(lax, strict, old)), Some(Refusal::ChannelBinding));
        }
    }
}

#[test]
fn an_lm_response_alone_and_a_short_one_are_weak() {
    let initiator = Initiator::new(client(Mode::Datagram));
    let acceptor = acceptor(server(Mode::Datagram), &initiator);
    let (message, _) = answer(initiator, acceptor.challenge()).expect("an answer");
    for length in [0, 1, 16, 23, 24] {
        let mut weak = Authenticate::parse(&message).expect("our own message");
        weak.nt_response.truncate(length);
        weak.lm_response = vec![0xaa; 24];
        let weak = weak.emit().expect("it fits");
        let result = let_in(acceptor.clone(), &weak).map(|_| ());
        assert_eq!(refusal(&result), Some(Refusal::WeakResponse), "{length}");
    }
    for length in 25..48 {
        let mut broken = Authenticate::parse(&message).expect("our own message");
        broken.nt_response.truncate(length);
        let broken = broken.emit().expect("it fits");
        assert_eq!(rule(&let_in(acceptor.clone(), &broken)), Some(Rule::Response), "{length}");
    }
    let mut other = Authenticate::parse(&message).expect("our own message");
    other.nt_response[16] = 2;
    let other = other.emit().expect("it fits");
    assert_eq!(rule(&let_in(acceptor, &other)), Some(Rule::Response), "another version of response");
}

#[test]
fn an_integrity_code_that_is_missing_or_wrong_is_refused_when_the_challenge_had_a_time() {
    for mode in [Mode::Datagram, Mode::Stream] {
        let mut strict = server(mode);
        strict.mic = Demand::Required;
        let mut silent = client(mode);
        silent.mic = MicPolicy::Never;
        assert_eq!(refusal(&login(silent, strict.clone(), |_| {})), Some(Refusal::NoMic), "{mode:?}");

        let initiator = Initiator::new(client(mode));
        let acceptor = acceptor(strict, &initiator);
        let (message, _) = answer(initiator, acceptor.challenge()).expect("an answer");
        assert!(let_in(acceptor.clone(), &message).is_ok());
        for at in Authenticate::MIC_RANGE {
            let mut wrong = message.clone();
            wrong[at] ^= 1;
            assert_eq!(refusal(&let_in(acceptor.clone(), &wrong)), Some(Refusal::WrongMic), "{mode:?} {at}");
        }
        // Announced, and no room for it: the attributes are under the proof, the header is not.
        let mut cut = Authenticate::parse(&message).expect("our own message");
        cut.mic = None;
        let cut = cut.emit().expect("it fits");
        assert_eq!(refusal(&let_in(acceptor, &cut)), Some(Refusal::WrongMic), "{mode:?}");
    }
}

#[test]
fn the_first_message_is_under_the_integrity_code_exactly_over_a_connection() {
    // Somebody takes a flag out of the first message.
    let initiator = Initiator::new(client(Mode::Stream));
    let mut changed = Negotiate::parse(initiator.negotiate().expect("a first message")).expect("our own");
    changed.flags = changed.flags.without(NegotiateFlags::SEAL);
    let changed = changed.emit().expect("it fits");
    let other = Acceptor::new(server(Mode::Stream), Some(&changed), [7; 8], Some(NOW)).expect("a challenge");
    let (message, _) = answer(initiator, other.challenge()).expect("an answer");
    assert_eq!(refusal(&let_in(other, &message)), Some(Refusal::WrongMic));

    // Neither side had one: it is left out on both.
    let initiator = Initiator::resume(client(Mode::Stream), &[]);
    assert_eq!(initiator.negotiate(), None);
    let without = acceptor(server(Mode::Stream), &initiator);
    let (message, _) = answer(initiator, without.challenge()).expect("an answer");
    assert_eq!(let_in(without.clone(), &message).map(|accepted| accepted.mic), Ok(Mic::Valid));
    // One side had one.
    let other = Initiator::new(client(Mode::Stream));
    let given = other.negotiate().expect("a first message");
    let with =
        Acceptor::with_challenge(server(Mode::Stream), given, without.challenge()).expect("a challenge");
    assert_eq!(refusal(&let_in(with, &message)), Some(Refusal::WrongMic));

    // Without a connection it is no part of the login, even if somebody gives one.
    let initiator = Initiator::resume(client(Mode::Datagram), given);
    let datagram =
        Acceptor::new(server(Mode::Datagram), Some(given), [7; 8], Some(NOW)).expect("a challenge");
    let (message, _) = answer(initiator, datagram.challenge()).expect("an answer");
    assert_eq!(let_in(datagram, &message).map(|accepted| accepted.mic), Ok(Mic::Valid));
}

#[test]
fn forged_target_info_is_refused_with_an_integrity_code_and_without() {
    let forge = |challenge: &mut Challenge| {
        let info = challenge.target_info.as_mut().expect("attributes");
        info.replace_text(AvId::NB_DOMAIN_NAME, "EVIL");
    };
    assert_eq!(
        refusal(&login(client(Mode::Datagram), server(Mode::Datagram), forge)),
        Some(Refusal::WrongMic),
        "the challenge is under the code"
    );
    let mut silent = client(Mode::Datagram);
    silent.mic = MicPolicy::Never;
    let refused = login(silent.clone(), server(Mode::Datagram), forge);
    assert_eq!(refusal(&refused), Some(Refusal::TargetInfo), "the attributes come back under the proof");
    // Taking the time out takes the code away with it.
    let timeless = |challenge: &mut Challenge| {
        let kept = challenge.target_info.as_ref().expect("attributes");
        let mut info = AvPairs::new();
        for (id, value) in kept.iter().filter(|(id, _)| *id != AvId::TIMESTAMP) {
            info.replace(id, value);
        }
        challenge.target_info = Some(info);
    };
    let refused = login(client(Mode::Datagram), server(Mode::Datagram), timeless);
    assert_eq!(refusal(&refused), Some(Refusal::TargetInfo));
    // A server may do without attributes that do not come back, but not with changed ones.
    let mut lax = server(Mode::Datagram);
    lax.echo = Demand::Optional;
    assert!(login(client(Mode::Datagram), lax.clone(), timeless).is_ok());
    assert_eq!(refusal(&login(silent, lax, forge)), Some(Refusal::TargetInfo));
}

#[test]
fn each_tampered_flag_of_an_answer_is_refused_or_means_nothing() {
    for with_mic in [true, false] {
        let mut config = client(Mode::Datagram);
        config.mic = if with_mic { MicPolicy::Auto } else { MicPolicy::Never };
        let initiator = Initiator::new(config);
        let acceptor = acceptor(server(Mode::Datagram), &initiator);
        let (message, session) = answer(initiator, acceptor.challenge()).expect("an answer");
        for bit in (0..32).map(|bit| 1_u32 << bit) {
            let mut changed = Authenticate::parse(&message).expect("our own message");
            changed.flags.0 ^= bit;
            let mut octets = message.clone();
            octets[60..64].copy_from_slice(&changed.flags.0.to_le_bytes());
            match let_in(acceptor.clone(), &octets) {
                Err(_) => {}
                Ok(_) if with_mic => panic!("{bit:08x}: under the integrity code"),
                Ok(accepted) => {
                    let keys = accepted.session.expose();
                    assert_eq!(keys, session.expose(), "{bit:08x}: the keys are the client's all the same");
                }
            }
            let required = NegotiateFlags::DATAGRAM_REQUIRED.contains(NegotiateFlags(bit));
            if required {
                let result = let_in(acceptor.clone(), &octets).map(|_| ());
                assert!(refusal(&result) == Some(Refusal::Flags) || rule(&result).is_some(), "{bit:08x}");
            }
        }
    }
}

#[test]
fn buffers_that_are_cut_overlap_or_lie_elsewhere_are_refused_by_name() {
    let initiator = Initiator::new(client(Mode::Datagram));
    let acceptor = acceptor(server(Mode::Datagram), &initiator);
    let (good, _) = answer(initiator, acceptor.challenge()).expect("an answer");
    let change = |at: usize, value: &[u8]| {
        let mut message = good.clone();
        message[at..at + value.len()].copy_from_slice(value);
        rule(&Authenticate::parse(&message))
    };
    for cut in 0..good.len() {
        let found = rule(&Authenticate::parse(&good[..cut]));
        assert!(
            matches!(found, Some(Rule::Truncated | Rule::Magic | Rule::FieldOutside)),
            "cut at {cut}: {found:?}"
        );
    }
    let gib = 0x4000_0000_u32.to_le_bytes();
    for field in [12, 20, 28, 36, 52] {
        assert_eq!(change(field + 4, &gib), Some(Rule::FieldOutside), "field at {field}: 1 GiB");
        assert_eq!(change(field + 4, &[0xff; 4]), Some(Rule::FieldOutside), "field at {field}: wraps round");
        assert_eq!(change(field, &[0xff, 0xff]), Some(Rule::FieldOutside), "field at {field}: 65535 octets");
        assert_eq!(
            change(field + 4, &[0, 0, 0, 0]),
            Some(Rule::FieldInHeader),
            "field at {field}: in the header"
        );
        assert_eq!(change(field + 4, &[63, 0, 0, 0]), Some(Rule::FieldInHeader), "field at {field}");
    }
    // The user where the domain is.
    let domain: [u8; 8] = good[28..36].try_into().expect("a field");
    assert_eq!(change(36, &domain), Some(Rule::FieldsOverlap));
    assert_eq!(change(0, b"NTLMSSQ"), Some(Rule::Magic));
    assert_eq!(change(8, &[2]), Some(Rule::Type));
    assert_eq!(change(28, &[3, 0]), Some(Rule::Text), "half a character");
    assert_eq!(rule(&Authenticate::parse(&[good.clone(), vec![0; 70_000]].concat())), Some(Rule::TooLong));

    let challenge = acceptor.challenge();
    for cut in 0..challenge.len() {
        assert!(Challenge::parse(&challenge[..cut]).is_err(), "cut at {cut}");
    }
    let mut far = challenge.to_vec();
    far[44..48].copy_from_slice(&gib);
    assert_eq!(rule(&Challenge::parse(&far)), Some(Rule::FieldOutside));
    let mut twice = Challenge::parse(challenge).expect("our own");
    twice.target_name = vec![b'F', 0];
    let mut twice = twice.emit().expect("it fits");
    let name: [u8; 4] = twice[16..20].try_into().expect("an offset");
    twice[44..48].copy_from_slice(&name);
    assert_eq!(rule(&Challenge::parse(&twice)), Some(Rule::FieldsOverlap));
}

#[test]
fn session_keys_of_no_or_another_length_are_refused() {
    let initiator = Initiator::new(client(Mode::Datagram));
    let acceptor = acceptor(server(Mode::Datagram), &initiator);
    let (good, _) = answer(initiator, acceptor.challenge()).expect("an answer");
    for length in [0, 1, 8, 15, 17, 32] {
        let mut changed = Authenticate::parse(&good).expect("our own message");
        changed.encrypted_session_key = vec![1; length];
        let changed = changed.emit().expect("it fits");
        let result = let_in(acceptor.clone(), &changed).map(|_| ());
        assert_eq!(refusal(&result), Some(Refusal::NoSessionKey), "{length}");
    }
}

#[test]
fn nobody_is_let_in_unless_policy_names_him() {
    for (user, password) in [("", ""), ("", PASSWORD), ("jim", "")] {
        let mut config = client(Mode::Datagram);
        config.credentials = Credentials::new("CONTOSO", user, password);
        let refused = login(config, server(Mode::Datagram), |_| {});
        assert_eq!(refusal(&refused), Some(Refusal::Anonymous), "{user:?} {password:?}");
    }
    let mut open = server(Mode::Datagram);
    open.anonymous = AnonymousPolicy::Allow;
    let mut nobody = client(Mode::Datagram);
    nobody.credentials = Credentials::new("", "", "");
    nobody.anonymous = AnonymousPolicy::Allow;
    let refused = login(nobody.clone(), server(Mode::Datagram), |_| {});
    assert_eq!(refusal(&refused), Some(Refusal::Anonymous), "the server does not allow it");
    let (ours, accepted) = login(nobody, open.clone(), |_| {}).expect("both allow it");
    assert_eq!((&*accepted.user, accepted.mic), ("", Mic::Absent));
    assert_eq!(ours.expose(), accepted.session.expose());
    // Whoever has a name still proves it.
    let mut wrong = client(Mode::Datagram);
    wrong.credentials = Credentials::new("CONTOSO", "jim", "another password");
    assert_eq!(refusal(&login(wrong, open, |_| {})), Some(Refusal::LoginFailed));
}

#[test]
fn clocks_may_be_apart_as_far_as_each_side_says() {
    let hour = Duration::from_hours(1);
    let later = FileTime(NOW.0 + 36_000_000_000 + 1);
    let mut strict = client(Mode::Datagram);
    strict.max_skew = Some(hour);
    let initiator = Initiator::new(strict.clone());
    let ahead = Acceptor::new(server(Mode::Datagram), None, [7; 8], Some(later)).expect("a challenge");
    assert_eq!(refusal(&answer(initiator, ahead.challenge())), Some(Refusal::ClockSkew));
    strict.max_skew = None;
    assert!(answer(Initiator::new(strict.clone()), ahead.challenge()).is_ok(), "whoever does not ask");
    // Without a time in the challenge the client writes its own, and the server judges it.
    let mut judge = server(Mode::Datagram);
    judge.max_skew = Some(hour);
    let timeless = Acceptor::new(judge, None, [7; 8], None).expect("a challenge");
    let (message, _) = answer(Initiator::new(strict), timeless.challenge()).expect("an answer");
    assert!(timeless.clone().authenticate(FileTime(NOW.0 + 36_000_000_000), &message).is_ok());
    let late = timeless.authenticate(later, &message).map(|_| ());
    assert_eq!(refusal(&late), Some(Refusal::ClockSkew));
}

#[test]
fn a_code_page_is_written_and_read_only_where_policy_names_it() {
    let oem = |challenge: &mut Challenge| {
        challenge.flags = challenge.flags.without(NegotiateFlags::UNICODE).with(NegotiateFlags::OEM);
    };
    let mut offering = server(Mode::Datagram);
    offering.flags = offering.flags.without(NegotiateFlags::UNICODE);
    let refused = login(client(Mode::Datagram), offering.clone(), oem);
    assert_eq!(refusal(&refused), Some(Refusal::Flags));
    let mut lax = client(Mode::Datagram);
    lax.text = TextPolicy::AllowOem;
    assert_eq!(
        refusal(&login(lax.clone(), offering.clone(), oem)),
        Some(Refusal::Flags),
        "the server does not"
    );
    offering.text = TextPolicy::AllowOem;
    let (_, accepted) = login(lax.clone(), offering.clone(), oem).expect("both do");
    assert_eq!((&*accepted.domain, &*accepted.user), ("CONTOSO", "jim"));
    // What not all code pages share cannot be said in one.
    lax.credentials = Credentials::new("CONTOSO", "jürgen", PASSWORD);
    assert_eq!(login(lax.clone(), offering, oem).map(|_| ()), Err(Error::TooLong));
    // With both on offer it is Unicode.
    let both = |challenge: &mut Challenge| challenge.flags = challenge.flags.with(NegotiateFlags::OEM);
    let mut server = server(Mode::Datagram);
    server.flags = server.flags.with(NegotiateFlags::OEM);
    let (_, accepted) = login(lax, server, both).expect("Unicode");
    assert_eq!(accepted.user, "jürgen");
}

#[test]
fn a_signature_that_stands_there_for_show_is_never_right() {
    let flags = NegotiateFlags(0x6208_8205);
    let mut session = ntlm_auth::StreamSession::new(ntlm_auth::Sender::Client, flags, &KEY);
    let mut peer = ntlm_auth::StreamSession::new(ntlm_auth::Sender::Server, flags, &KEY);
    let signature = session.sign(b"text");
    assert_eq!(signature, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(peer.verify(b"text", &signature), Err(Error::BadSignature));
}

#[test]
fn names_that_no_message_can_carry_are_refused_before_they_are_sent() {
    let mut config = client(Mode::Datagram);
    config.credentials.user = "x".repeat(513);
    assert_eq!(login(config.clone(), server(Mode::Datagram), |_| {}).map(|_| ()), Err(Error::TooLong));
    config.credentials.user = "😀".repeat(256);
    assert!(login(config, server(Mode::Datagram), |_| {}).is_ok(), "512 units");
    let mut config = client(Mode::Datagram);
    config.target_name = Some("x".repeat(5000));
    assert_eq!(login(config, server(Mode::Datagram), |_| {}).map(|_| ()), Err(Error::TooLong));
}
