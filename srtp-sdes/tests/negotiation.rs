//! Offer and answer: policies, Lync's change of profile, lines with and without an MKI, re-offers.

use srtp_sdes::{
    Agreed, Answered, Breach, CryptoAttribute, CryptoSuite, Error, NegotiationConfig, Offered, Profile,
    Receiver, Refusal, Seed, Sender, SrtpPolicy, answer, answer_again,
};

const OFFER_KEY: &str = "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm";

fn config(policy: SrtpPolicy) -> NegotiationConfig {
    NegotiationConfig::new(policy)
}

fn line(tag: u32, behind: &str) -> String {
    format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{OFFER_KEY}{behind}")
}

/// What Lync writes: a line of Scale-SRTP, a line with MKI, a line without.
fn lync() -> [String; 3] {
    let scale = format!("a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 inline:{OFFER_KEY}|2^31|1:1");
    [scale, line(2, "|2^31|1:1"), line(3, "|2^31")]
}

fn answered(config: &NegotiationConfig, profile: Profile, lines: &[String]) -> Result<Answered, Refusal> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    answer(config, profile, &lines, Seed([9; 32]))
}

fn talk(sender: &mut Sender, receiver: &mut Receiver) {
    let mut packet =
        [0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let plain = packet;
    let length = sender.protect(&mut packet, 16).unwrap();
    assert_ne!(packet[12..16], plain[12..16]);
    assert_eq!(receiver.unprotect(&mut packet[..length]), Ok(16));
    assert_eq!(packet[..16], plain[..16]);
}

fn contexts(agreed: &Agreed) -> (Sender, Receiver) {
    match agreed {
        Agreed::Protected { sender, receiver, .. } => {
            (Sender::new(sender.clone()), Receiver::new(receiver.clone()))
        }
        Agreed::Clear => panic!("clear"),
    }
}

#[test]
fn without_an_mki_wanted_the_line_without_is_answered() {
    let mut config = config(SrtpPolicy::Enabled);
    config.include_mki = false;
    let answer = answered(&config, Profile::Avp, &lync()).unwrap();
    assert_eq!(answer.profile, Profile::Savp, "an offer of RTP/AVP with lines is answered RTP/SAVP");
    let line = CryptoAttribute::parse(&answer.attribute.unwrap()).unwrap();
    assert_eq!((line.tag, line.mki()), (3, None));
    assert_eq!(line.keys[0].lifetime.as_ref().unwrap().to_string(), "2^31");
    assert_eq!(answer.agreed.mki(), None);
}

#[test]
fn an_answer_without_an_mki_to_a_line_with_one_keeps_it_off_our_packets() {
    let answer = [line(1, "")];
    let answer: Vec<&str> = answer.iter().map(String::as_str).collect();
    for (needs_answer, octets) in [(true, 0), (false, 1)] {
        let mut config = config(SrtpPolicy::Required);
        config.mki_needs_answer = needs_answer;
        let offered = Offered::new(&config, Seed([7; 32]));
        assert!(offered.attributes()[0].ends_with("|2^31|1:1"), "{:?}", offered.attributes());
        let agreed = offered.answer(Profile::Savp, &answer).unwrap();
        assert_eq!(agreed.mki().is_some(), !needs_answer);
        let (mut sender, _) = contexts(&agreed);
        let mut packet = [0; 40];
        packet[..4].copy_from_slice(&[0x80, 8, 0, 1]);
        assert_eq!(sender.protect(&mut packet, 16).unwrap(), 16 + octets + 10);
        // A later offer goes on with what was agreed.
        let again = Offered::again(&config, &agreed, Seed([8; 32]));
        assert_eq!(again.attributes()[0].ends_with("|1:1"), !needs_answer);
    }
}

#[test]
fn with_an_mki_wanted_the_line_with_one_is_answered() {
    let answer = answered(&config(SrtpPolicy::Enabled), Profile::Avp, &lync()).unwrap();
    let line = CryptoAttribute::parse(&answer.attribute.unwrap()).unwrap();
    assert_eq!(line.tag, 2);
    assert_eq!(line.mki().unwrap().to_string(), "1:1");
    assert_eq!(answer.agreed.mki().unwrap().as_bytes(), [1]);
    assert_eq!(answer.agreed.suite_name(), Some("AES_CM_128_HMAC_SHA1_80"));
}

#[test]
fn where_only_the_other_kind_is_offered_it_is_taken() {
    let mut without = config(SrtpPolicy::Enabled);
    without.include_mki = false;
    let [_, with_mki, plain] = lync();
    let answer = answered(&without, Profile::Avp, &[with_mki]).unwrap();
    assert!(answer.attribute.unwrap().ends_with("|2^31|1:1"));
    let answer = answered(&config(SrtpPolicy::Enabled), Profile::Avp, &[plain]).unwrap();
    assert!(answer.attribute.unwrap().ends_with("|2^31"));
}

#[test]
fn the_lifetime_of_the_answer_is_that_of_the_line() {
    for behind in ["", "|1048576", "|2^20"] {
        let answer = answered(&config(SrtpPolicy::Required), Profile::Savp, &[line(1, behind)]).unwrap();
        let attribute = answer.attribute.unwrap();
        let (_, lifetime) = attribute.split_at(attribute.find('|').unwrap_or(attribute.len()));
        assert_eq!(lifetime, behind);
    }
}

#[test]
fn policies_and_profiles_meet() {
    use Profile::{Avp, Savp};
    use SrtpPolicy::{Enabled, Off, Required};
    let usable = lync().to_vec();
    let unusable = vec!["a=crypto:1 SEED_128_GCM_96 inline:AAAA".to_owned()];
    let clear = Ok(None);
    type Row<'a> = (SrtpPolicy, Profile, &'a [String], Result<Option<u32>, Refusal>);
    let rows: [Row<'_>; 15] = [
        (Off, Avp, &[], clear),
        (Off, Avp, &usable, clear),
        (Off, Savp, &usable, Err(Refusal::CryptoForbidden)),
        (Off, Savp, &[], Err(Refusal::CryptoForbidden)),
        (Enabled, Avp, &[], clear),
        (Enabled, Avp, &unusable, clear),
        (Enabled, Avp, &usable, Ok(Some(2))),
        (Enabled, Savp, &usable, Ok(Some(2))),
        (Enabled, Savp, &unusable, Err(Refusal::NoUsableCrypto)),
        (Enabled, Savp, &[], Err(Refusal::NoUsableCrypto)),
        (Required, Avp, &[], Err(Refusal::CryptoRequired)),
        (Required, Avp, &unusable, Err(Refusal::NoUsableCrypto)),
        (Required, Avp, &usable, Ok(Some(2))),
        (Required, Savp, &usable, Ok(Some(2))),
        (Required, Savp, &[], Err(Refusal::NoUsableCrypto)),
    ];
    for (policy, profile, lines, expected) in rows {
        let answer = answered(&config(policy), profile, lines);
        let tag = answer.as_ref().map(|answer| {
            assert_eq!(answer.profile == Savp, answer.attribute.is_some());
            assert_eq!(answer.agreed.is_protected(), answer.attribute.is_some());
            answer.attribute.as_ref().map(|line| CryptoAttribute::parse(line).unwrap().tag)
        });
        assert_eq!(tag.map_err(|refusal| *refusal), expected, "{policy:?} {profile} {lines:?}");
    }
}

/// S21: each side sends with the key it wrote, and the answer's differs from the offer's.
#[test]
fn both_directions_have_keys_of_their_own() {
    for mki in [true, false] {
        let mut config = config(SrtpPolicy::Enabled);
        config.include_mki = mki;
        let offered = Offered::new(&config, Seed([1; 32]));
        let lines = offered.attributes();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answer = answer(&config, offered.profile(), &lines, Seed([2; 32])).unwrap();
        let attribute = answer.attribute.as_deref().unwrap();
        let agreed = offered.answer(answer.profile, &[attribute]).unwrap();

        let (mut our_sender, mut our_receiver) = contexts(&agreed);
        let (mut their_sender, mut their_receiver) = contexts(&answer.agreed);
        talk(&mut our_sender, &mut their_receiver);
        talk(&mut their_sender, &mut our_receiver);

        // Swapped keys fail.
        let (mut our_sender, mut our_receiver) = contexts(&agreed);
        let mut packet = [0; 64];
        packet[0] = 0x80;
        let length = our_sender.protect(&mut packet, 20).unwrap();
        assert!(our_receiver.unprotect(&mut packet[..length]).is_err());
    }
}

#[test]
fn even_the_same_seed_gives_the_answer_another_key() {
    let config = config(SrtpPolicy::Enabled);
    let offered = Offered::new(&config, Seed([1; 32]));
    let lines = offered.attributes();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = answer(&config, Profile::Avp, &lines, Seed([1; 32])).unwrap();
    let key = |line: &str| CryptoAttribute::parse(line).unwrap().keys[0].key.clone();
    let ours = key(&answer.attribute.unwrap());
    assert!(lines.iter().all(|line| key(line) != ours));
    assert_ne!(key(lines[0]), key(lines[1]), "each line has a fresh key");
}

#[test]
fn an_offer_is_what_the_policy_says() {
    let lines = |policy, mki| {
        let mut config = config(policy);
        config.include_mki = mki;
        config.suites = vec![CryptoSuite::AesCm128HmacSha1_80, CryptoSuite::AesCm128HmacSha1_32];
        let offered = Offered::new(&config, Seed([1; 32]));
        (offered.profile(), offered.attributes())
    };
    assert_eq!(lines(SrtpPolicy::Off, true), (Profile::Avp, vec![]));
    let (profile, four) = lines(SrtpPolicy::Enabled, true);
    assert_eq!(profile, Profile::Avp);
    let parsed: Vec<_> = four.iter().map(|line| CryptoAttribute::parse(line).unwrap()).collect();
    assert_eq!(parsed.iter().map(|line| line.tag).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        parsed.iter().map(|line| line.mki().is_some()).collect::<Vec<_>>(),
        [true, false, true, false]
    );
    assert!(four.iter().all(|line| line.contains("|2^31")));
    let (profile, two) = lines(SrtpPolicy::Required, false);
    assert_eq!((profile, two.len()), (Profile::Savp, 2));
    assert!(two.iter().all(|line| line.ends_with("|2^31")));
}

#[test]
fn answers_that_break_the_rules_are_refused() {
    let offered = Offered::new(&config(SrtpPolicy::Enabled), Seed([1; 32]));
    let own = offered.attributes();
    let answer = |profile, lines: &[&str]| offered.clone().answer(profile, lines);
    let good = line(2, "|2^31");
    assert!(answer(Profile::Savp, &[&good]).unwrap().is_protected());
    assert!(answer(Profile::Avp, &[&good]).unwrap().is_protected());
    assert_eq!(answer(Profile::Avp, &[]), Ok(Agreed::Clear));
    assert_eq!(answer(Profile::Avp, &["a=cryptoscale:1 server X inline:A"]), Ok(Agreed::Clear));

    let breach = |breach| Err(Error::Misbehaved(breach));
    assert_eq!(answer(Profile::Savp, &[]), breach(Breach::NoLine));
    assert_eq!(answer(Profile::Savp, &[&good, &line(1, "")]), breach(Breach::SeveralLines));
    assert_eq!(answer(Profile::Savp, &[&line(9, "")]), breach(Breach::UnknownTag));
    let other = good.replace("SHA1_80", "SHA1_32");
    assert_eq!(answer(Profile::Savp, &[&other]), breach(Breach::OtherSuite));
    assert_eq!(answer(Profile::Savp, &[&line(1, " UNENCRYPTED_SRTP")]), breach(Breach::OtherParameters));
    assert_eq!(answer(Profile::Savp, &[&own[0]]), breach(Breach::RepeatedKey));
    assert!(answer(Profile::Savp, &[&line(1, " FEC_ORDER=FEC_SRTP")]).is_err());

    let required = Offered::new(&config(SrtpPolicy::Required), Seed([1; 32]));
    assert_eq!(required.answer(Profile::Avp, &[]), Err(Error::Refused(Refusal::CryptoRequired)));
    let off = Offered::new(&config(SrtpPolicy::Off), Seed([1; 32]));
    assert_eq!(off.clone().answer(Profile::Savp, &[&good]), breach(Breach::NotOffered));
    assert_eq!(off.clone().answer(Profile::Savp, &[]), breach(Breach::OtherProfile));
    assert_eq!(off.answer(Profile::Avp, &[]), Ok(Agreed::Clear));
}

#[test]
fn lines_are_chosen_by_their_parameters() {
    let chosen = |config: &NegotiationConfig, parameters: &str| {
        let lines = [line(1, parameters), line(2, "")];
        let answer = answered(config, Profile::Savp, &lines).unwrap();
        CryptoAttribute::parse(&answer.attribute.unwrap()).unwrap()
    };
    let strict = config(SrtpPolicy::Required);
    for fine in ["", " KDR=4", " WSH=100", " -EXTENSION", " KDR=1 WSH=64 -X=2"] {
        let line = chosen(&strict, fine);
        assert_eq!(line.tag, 1, "{fine}");
        assert_eq!(line.session_parameters, [], "declared for the other direction: {fine}");
    }
    for unusable in [
        " UNENCRYPTED_SRTP",
        " UNENCRYPTED_SRTCP",
        " UNAUTHENTICATED_SRTP",
        " FEC_ORDER=FEC_SRTP",
        " FEC_KEY=inline:A",
        " MANDATORY",
        " KDR=99",
    ] {
        assert_eq!(chosen(&strict, unusable).tag, 2, "{unusable}");
    }
    let mut lenient = config(SrtpPolicy::Required);
    lenient.accept_unencrypted = true;
    lenient.accept_unauthenticated = true;
    for negotiated in [" UNENCRYPTED_SRTP", " UNENCRYPTED_SRTCP", " UNAUTHENTICATED_SRTP"] {
        let line = chosen(&lenient, negotiated);
        assert_eq!(line.tag, 1);
        assert!(line.to_string().ends_with(negotiated), "the answer repeats {negotiated}");
    }
    let gcm =
        "a=crypto:5 AEAD_AES_128_GCM inline:P0Qo3bliG6VEAqaHQCevrd3AltD05pgOQoq/BA== UNAUTHENTICATED_SRTP";
    lenient.suites.push(CryptoSuite::AeadAes128Gcm);
    assert_eq!(answered(&lenient, Profile::Savp, &[gcm.into()]), Err(Refusal::NoUsableCrypto));
}

#[test]
fn of_equal_tags_the_first_counts() {
    let lines = [line(1, "|2^20"), line(1, "|2^31|1:1")];
    let answer = answered(&config(SrtpPolicy::Required), Profile::Savp, &lines).unwrap();
    assert!(answer.attribute.unwrap().ends_with("|2^20"));
}

/// S9: hold and session refresh repeat the keys, and nothing changes.
#[test]
fn a_later_offer_with_the_same_key_changes_nothing() {
    let config = config(SrtpPolicy::Enabled);
    let offered = Offered::new(&config, Seed([1; 32]));
    let lines = offered.attributes();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let first = answer(&config, Profile::Avp, &lines, Seed([2; 32])).unwrap();
    let agreed = offered.answer(first.profile, &[first.attribute.as_deref().unwrap()]).unwrap();

    // The offerer offers again: the accepted line alone.
    let again = Offered::again(&config, &agreed, Seed([3; 32]));
    assert_eq!(again.profile(), Profile::Savp);
    let lines = again.attributes();
    assert_eq!(lines.len(), 1);
    let second = answer_again(&config, &first.agreed, Profile::Savp, &[&lines[0]], Seed([4; 32])).unwrap();
    assert_eq!(second.attribute, first.attribute);
    assert_eq!(second.agreed, first.agreed);
    assert_eq!(again.answer(second.profile, &[second.attribute.as_deref().unwrap()]), Ok(agreed));

    // The answerer offers in its turn.
    let turned = Offered::again(&config, &first.agreed, Seed([5; 32]));
    assert_eq!(turned.attributes(), [first.attribute.clone().unwrap()]);

    // A new key makes a new agreement.
    let other = line(1, "|2^31|1:1");
    let third = answer_again(&config, &first.agreed, Profile::Savp, &[&other], Seed([6; 32])).unwrap();
    assert_ne!(third.agreed, first.agreed);
    assert_ne!(third.attribute, first.attribute);
}
