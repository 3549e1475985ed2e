//! NTLM messages against both sides.

use fuzz::{Damage, ROUNDS, damaged};
use ntlm_auth::{
    Acceptor, AcceptorConfig, Authenticate, Challenge, ClientChallenge, Credentials, FileTime, Initiator,
    InitiatorConfig, Mode, Negotiate, NtHash, RandomSessionKey,
};

const NOW: FileTime = FileTime(133_000_000_000_000_000);

fn initiator(mode: Mode) -> Initiator {
    Initiator::new(InitiatorConfig::new(mode, Credentials::new("CONTOSO", "jim", "password")))
}

fn acceptor(mode: Mode) -> Acceptor {
    let negotiate = initiator(mode).negotiate();
    let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
    Acceptor::new(config, negotiate.as_deref(), [1; 8], Some(NOW)).expect("a challenge")
}

fn answer(mode: Mode, challenge: &[u8]) -> Option<Vec<u8>> {
    let key = RandomSessionKey::new([9; 16]);
    let result = initiator(mode).challenge(NOW, challenge, ClientChallenge([8; 8]), &key);
    result.ok().map(|(message, _)| message)
}

#[test]
fn messages_never_panic_and_what_is_written_is_read_the_same() {
    let challenge = acceptor(Mode::Stream).challenge().to_vec();
    let negotiate = initiator(Mode::Stream).negotiate().expect("a first message");
    let authenticate = answer(Mode::Stream, &challenge).expect("an answer");
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&[&negotiate, &challenge, &authenticate], damage);
        if let Ok(read) = Negotiate::parse(&message) {
            assert_eq!(
                Negotiate::parse(&read.emit().expect("what was read fits")).map(|again| again.flags),
                Ok(read.flags)
            );
        }
        if let Ok(read) = Challenge::parse(&message) {
            let again =
                Challenge::parse(&read.emit().expect("what was read fits")).expect("what we write we read");
            assert_eq!((again.flags, again.server_challenge), (read.flags, read.server_challenge));
            assert_eq!(again.target_name, read.target_name);
        }
        if let Ok(read) = Authenticate::parse(&message) {
            let again = Authenticate::parse(&read.emit().expect("what was read fits"))
                .expect("what we write we read");
            assert_eq!((&again.user, &again.nt_response), (&read.user, &read.nt_response));
        }
    });
}

#[test]
fn a_damaged_challenge_is_refused_or_answered_and_never_panics() {
    let challenge = acceptor(Mode::Datagram).challenge().to_vec();
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let _ = answer(Mode::Datagram, &damaged(&[&challenge], damage));
    });
}

#[test]
fn a_damaged_answer_never_lets_anybody_in() {
    let acceptor = acceptor(Mode::Datagram);
    let good = answer(Mode::Datagram, acceptor.challenge()).expect("an answer");
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let message = damaged(&[&good], damage);
        let claim = acceptor.clone().authenticate(NOW, &message);
        let accepted = claim.and_then(|claim| claim.prove(Some(&NtHash::of_password("password"))));
        assert_eq!(accepted.is_ok(), message == good);
    });
}
