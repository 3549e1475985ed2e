//! NTLM messages against both sides, and messages of SIP against security associations.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fuzz::{Damage, ROUNDS, damaged};
use ntlm_auth::{
    Acceptor, AcceptorConfig, AnonymousPolicy, AssociationName, AssociationState, Authenticate, AvPairs,
    Challenge, ClientChallenge, Credentials, DatagramSession, Error, FileTime, Initiator, InitiatorConfig,
    Mode, Negotiate, NegotiateFlags, NtHash, ProtocolVersion, RandomSessionKey, ResponsePolicy,
    SecurityAssociation, Sender, TextPolicy, Verification,
};

const NOW: FileTime = FileTime(133_000_000_000_000_000);

/// Recorded and printed messages, see `corpus/ntlm/README.md`.
const NEGOTIATES: [&[u8]; 2] =
    [include_bytes!("../corpus/ntlm/samba.negotiate"), include_bytes!("../corpus/ntlm/oem-names.negotiate")];
const CHALLENGES: [&[u8]; 5] = [
    include_bytes!("../corpus/ntlm/nlmp-4.2.2.challenge"),
    include_bytes!("../corpus/ntlm/nlmp-4.2.3.challenge"),
    include_bytes!("../corpus/ntlm/nlmp-4.2.4.challenge"),
    include_bytes!("../corpus/ntlm/oc-2007-r2.challenge"),
    include_bytes!("../corpus/ntlm/sipe.challenge"),
];
const AUTHENTICATES: [&[u8]; 5] = [
    include_bytes!("../corpus/ntlm/nlmp-4.2.2.authenticate"),
    include_bytes!("../corpus/ntlm/nlmp-4.2.3.authenticate"),
    include_bytes!("../corpus/ntlm/nlmp-4.2.4.authenticate"),
    include_bytes!("../corpus/ntlm/oc-2007-r2.authenticate"),
    include_bytes!("../corpus/ntlm/sipe.authenticate"),
];

fn config(mode: Mode) -> InitiatorConfig {
    InitiatorConfig::new(mode, Credentials::new("CONTOSO", "jim", "password"))
}

fn acceptor(mode: Mode) -> Acceptor {
    let initiator = Initiator::new(config(mode));
    let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
    Acceptor::new(config, initiator.negotiate(), [1; 8], Some(NOW)).expect("a challenge")
}

fn answer(config: InitiatorConfig, challenge: &[u8]) -> Option<Vec<u8>> {
    let key = RandomSessionKey::new([9; 16]);
    let result = Initiator::new(config).challenge(NOW, challenge, ClientChallenge([8; 8]), &key);
    result.ok().map(|(message, _)| message)
}

#[test]
fn a_first_message_that_is_read_is_written_and_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&NEGOTIATES, damage);
        if let Ok(read) = Negotiate::parse(&message) {
            let again = read.emit().expect("what was read fits");
            assert_eq!(Negotiate::parse(&again), Ok(read));
            let config = AcceptorConfig::new(Mode::Stream, "FE1", "CONTOSO");
            let acceptor = Acceptor::new(config, Some(&message), [1; 8], Some(NOW)).expect("a challenge");
            assert!(Challenge::parse(acceptor.challenge()).is_ok());
        }
    });
}

#[test]
fn a_challenge_that_is_read_is_written_and_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&CHALLENGES, damage);
        if let Ok(read) = Challenge::parse(&message) {
            let again = read.emit().expect("what was read fits");
            let again = Challenge::parse(&again).expect("what we write we read");
            assert_eq!((again.flags, again.server_challenge), (read.flags, read.server_challenge));
            assert_eq!((&again.target_name, &again.target_info), (&read.target_name, &read.target_info));
            if let Some(info) = read.target_info {
                let list = info.emit().expect("what was read fits");
                assert_eq!(AvPairs::parse(&list, 0), Ok(info));
            }
        }
    });
}

#[test]
fn an_answer_that_is_read_is_written_and_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&AUTHENTICATES, damage);
        if let Ok(read) = Authenticate::parse(&message) {
            let again = Authenticate::parse(&read.emit().expect("what was read fits"))
                .expect("what we write we read");
            assert_eq!((&again.user, &again.domain), (&read.user, &read.domain));
            assert_eq!((&again.nt_response, &again.lm_response), (&read.nt_response, &read.lm_response));
            assert_eq!(
                (&again.encrypted_session_key, again.flags),
                (&read.encrypted_session_key, read.flags)
            );
        }
    });
}

#[test]
fn a_damaged_challenge_is_refused_or_answered_under_every_policy() {
    let own = acceptor(Mode::Datagram).challenge().to_vec();
    let seeds: Vec<&[u8]> = CHALLENGES.iter().copied().chain([own.as_slice()]).collect();
    bolero::check!().with_type::<(Damage, u8)>().with_iterations(ROUNDS).for_each(|(damage, policy)| {
        let message = damaged(&seeds, damage);
        let mode = if policy & 1 == 0 { Mode::Datagram } else { Mode::Stream };
        let mut config = config(mode);
        config.max_skew = None;
        config.responses = [
            ResponsePolicy::NtlmV2Only,
            ResponsePolicy::AllowNtlm2Session,
            ResponsePolicy::AllowNtlmV1,
            ResponsePolicy::NtlmV2Only,
        ][usize::from(policy >> 1 & 3)];
        config.text = if policy & 8 == 0 { TextPolicy::UnicodeOnly } else { TextPolicy::AllowOem };
        let strict = config.responses == ResponsePolicy::NtlmV2Only;
        if let Some(answer) = answer(config, &message) {
            let read = Authenticate::parse(&answer).expect("what we write we read");
            assert!(!strict || read.nt_response.len() > 24, "nothing weaker than NTLMv2 unless it is named");
        }
    });
}

#[test]
fn a_damaged_answer_never_lets_anybody_in() {
    let acceptor = acceptor(Mode::Datagram);
    let good = answer(config(Mode::Datagram), acceptor.challenge()).expect("an answer");
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&[&good], damage);
        let claim = acceptor.clone().authenticate(NOW, &message);
        let accepted = claim.and_then(|claim| claim.prove(Some(&NtHash::of_password("password"))));
        assert_eq!(accepted.is_ok(), message == good);
    });
}

#[test]
fn foreign_answers_let_nobody_in_under_any_policy() {
    bolero::check!().with_type::<(Damage, u8)>().with_iterations(ROUNDS).for_each(|(damage, policy)| {
        let mut config = AcceptorConfig::new(Mode::Stream, "FE1", "CONTOSO");
        config.responses = ResponsePolicy::AllowNtlmV1;
        config.max_skew = None;
        config.text = if policy & 1 == 0 { TextPolicy::UnicodeOnly } else { TextPolicy::AllowOem };
        config.anonymous = if policy & 2 == 0 { AnonymousPolicy::Refuse } else { AnonymousPolicy::Allow };
        let challenge = CHALLENGES[usize::from(policy >> 2) % CHALLENGES.len()];
        let message = damaged(&AUTHENTICATES, damage);
        let claim = Acceptor::with_challenge(config, &[], challenge)
            .and_then(|acceptor| acceptor.authenticate(NOW, &message));
        let Ok(claim) = claim else { return };
        let nobody = claim.user().is_empty();
        let accepted = claim.prove(Some(&NtHash::of_password("none of theirs")));
        assert!(accepted.is_err() || nobody, "nobody has that password");
    });
}

/// What somebody does with messages between two ends: which one, how its text, its number and its signature change, and
/// how much time passes.
type Mischief = Vec<(u8, u8, u16, u16)>;

#[test]
fn an_association_takes_every_genuine_message_once_and_no_other() {
    let start = Instant::now();
    let name = AssociationName {
        realm: "SIP Communications Service".to_owned(),
        target_name: "fe1.example.net".to_owned(),
        opaque: "1D2C3B4A".to_owned(),
        version: ProtocolVersion::V4,
    };
    let association = |end| {
        let session = DatagramSession::new(end, NegotiateFlags(0x6298_8255), &[0x55; 16]);
        SecurityAssociation::new(start, name.clone(), session, None)
    };
    bolero::check!().with_type::<Mischief>().with_iterations(ROUNDS).for_each(|mischief| {
        let (mut client, mut server) = (association(Sender::Client), association(Sender::Server));
        let mut now = start;
        let (mut sent, mut taken) = (Vec::new(), BTreeSet::new());
        for (what, which, place, value) in mischief.iter().take(64) {
            match what % 6 {
                0 | 1 => {
                    let Ok(stamp) = client.stamp([*which; 4]) else { continue };
                    let text = format!("<NTLM><{}><{}>", &*stamp.random, stamp.number);
                    let Ok(signing) = client.sign(text.as_bytes()) else { continue };
                    sent.push((stamp.number, text, signing.signed().expect("the keys are here").to_string()));
                    continue;
                }
                2 => {
                    now += Duration::from_secs(u64::from(*place));
                    client.handle_timeout(now);
                    server.handle_timeout(now);
                    assert_eq!(server.state() == AssociationState::Ended, now >= server.expires());
                    continue;
                }
                _ => {}
            }
            if sent.is_empty() {
                continue;
            }
            let (number, text, signature) = &sent[usize::from(*which) % sent.len()];
            let (mut text, mut signature) = (text.clone().into_bytes(), signature.clone().into_bytes());
            let (at, value) = (usize::from(*place), (*value % 256) as u8);
            match what % 6 {
                3 => {}
                4 => {
                    let at = at % text.len();
                    text[at] = value;
                }
                _ => {
                    let at = at % signature.len();
                    signature[at] = value % 128;
                }
            }
            let digits = String::from_utf8(signature).expect("ASCII");
            let original = sent
                .iter()
                .any(|(n, t, s)| n == number && t.as_bytes() == text && s.eq_ignore_ascii_case(&digits));
            match server.verify(now, *number, &text, &digits) {
                Ok(Verification::Genuine) => {
                    assert!(original && now < server.expires(), "only what was sent, and in time");
                    assert!(taken.insert(*number), "once");
                }
                Ok(Verification::Token(_)) => panic!("the keys are here"),
                Err(Error::Replayed) => assert!(original && taken.contains(number)),
                Err(Error::Expired) => assert!(now >= server.expires()),
                Err(_) => assert!(!original, "what was sent is genuine"),
            }
        }
    });
}
