//! Presence over plain SIP: what we publish at kamailio is what its watchers get; linphone reads our documents, and we its.

#[path = "support/network.rs"]
mod network;
#[path = "support/presence.rs"]
mod presence;

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use presence::{Agent, Kamailio, Linphone};
use presence_pidf::Phase;
use presence_pidf::pidf::{Basic, HandsetDocument, Presence, Reading};
use presence_pidf::publication_agent::{AgentConfig, AgentState, Operation};

fn document(phase: Phase) -> Bytes {
    let now = SystemTime::now();
    let document = HandsetDocument {
        entity: "sip:jim@lab.test".to_owned(),
        contact: "sip:jim@lab.test".to_owned(),
        phase,
        last_input: Some(now),
        idle_threshold: Duration::from_mins(5),
        timestamp: now,
    };
    let mut body = BytesMut::new();
    document.emit(&mut body);
    body.freeze()
}

/// What was told last: open or closed, and the activities.
fn told(agent: &Agent) -> Option<(Option<&'static str>, Vec<String>)> {
    let (content_type, body) = agent.notified.last()?;
    if body.is_empty() {
        return Some((None, Vec::new()));
    }
    assert_eq!(content_type.as_deref().map(str::trim), Some("application/pidf+xml"));
    let presence = Presence::parse(body, Reading::Lenient).expect("a document that can be read");
    let activities = presence.person().into_iter().flat_map(|person| &person.activities);
    let activities = activities.flat_map(|list| &list.activities).map(|activity| activity.token().to_owned());
    let activities = activities.collect();
    Some((presence.basic().map(Basic::token), activities))
}

fn config() -> AgentConfig {
    let mut config = AgentConfig::new();
    config.first_retry = Duration::from_millis(200);
    config
}

/// Confirms: PUBLISH, refresh, change, removal and a server that forgot everything — kamailio 5.6
#[test]
fn what_is_published_at_kamailio_is_what_watchers_get() {
    if !network::of_its_own("what_is_published_at_kamailio_is_what_watchers_get") {
        return;
    }
    let mut kamailio = Kamailio::start();
    let mut brief = config();
    // Kamailio wants a minute: the first request is refused with 423, the second asks for what it named.
    brief.expires = Duration::from_secs(30);
    let mut jim = Agent::new("jim", kamailio.address, brief);
    let mut ann = Agent::new("ann", kamailio.address, config());
    ann.watch("sip:jim@lab.test");
    ann.until("the first notification", |ann| told(ann) == Some((None, Vec::new())));

    let say = |jim: &mut Agent, ann: &mut Agent, phase: Phase, wanted: &[&str]| {
        jim.publication.publish(std::time::Instant::now(), document(phase));
        jim.until("publishing", |jim| jim.publication.state() == AgentState::Published);
        let wanted: Vec<String> = wanted.iter().map(|word| (*word).to_owned()).collect();
        ann.until(&format!("{phase:?}"), |ann| told(ann) == Some((Some("open"), wanted.clone())));
        // The very document, not something that a server made of it.
        let (_, body) = ann.notified.last().expect("it was told");
        let read = Presence::parse(body, Reading::Strict).expect("our document is still valid");
        assert_eq!((read.entity.as_ref(), read.tuples[0].id.as_ref()), ("sip:jim@lab.test", "handset"));
    };
    say(&mut jim, &mut ann, Phase::Away, &["away"]);
    assert_eq!(jim.sent, [(Operation::Initial, Some(423)), (Operation::Initial, Some(200))]);
    say(&mut jim, &mut ann, Phase::InCall, &["on-the-phone"]);
    say(&mut jim, &mut ann, Phase::Available, &[]);
    assert_eq!(jim.sent[2..], [(Operation::Modify, Some(200)), (Operation::Modify, Some(200))]);

    // Time passes: the publication is refreshed, and nobody is told.
    jim.sent.clear();
    let (before, tag) = (ann.notified.len(), jim.publication.entity_tag().map(str::to_owned));
    let deadline = jim.publication.poll_timeout().expect("a refresh is planned");
    jim.publication.handle_timeout(deadline);
    jim.until("the refresh", |jim| jim.publication.state() == AgentState::Published);
    assert_eq!(jim.sent, [(Operation::Refresh, Some(200))]);
    assert_ne!(jim.publication.entity_tag(), tag.as_deref(), "every answer has a new tag");
    assert_eq!(ann.notified.len(), before);

    // Kamailio forgets everything: the next change begins anew by itself.
    kamailio.starts_anew();
    let mut eve = Agent::new("eve", kamailio.address, config());
    eve.watch("sip:jim@lab.test");
    eve.until("the first notification", |eve| told(eve) == Some((None, Vec::new())));
    jim.sent.clear();
    say(&mut jim, &mut eve, Phase::InConference, &["on-the-phone", "meeting"]);
    let (last, refused) = jim.sent.split_last().expect("something was sent");
    assert_eq!(*last, (Operation::Initial, Some(200)));
    assert!(
        !refused.is_empty()
            && refused.iter().all(|(operation, status)| {
                *operation == Operation::Modify && matches!(status, Some(412 | 500))
            }),
        "{refused:?}"
    );

    jim.sent.clear();
    jim.publication.remove(std::time::Instant::now());
    jim.until("the end", |jim| jim.publication.state() == AgentState::Unpublished);
    assert_eq!(jim.sent, [(Operation::Remove, Some(200))]);
    eve.until("the end", |eve| {
        let gone = told(eve).expect("it was told");
        gone.0 != Some("open")
    });
}

/// Confirms: our presence documents show the right words, its documents are read — linphone 5.1, kamailio 5.6
#[test]
fn linphone_reads_our_documents_and_we_read_those_of_linphone() {
    if !network::of_its_own("linphone_reads_our_documents_and_we_read_those_of_linphone") {
        return;
    }
    let kamailio = Kamailio::start();
    let mut jim = Agent::new("jim", kamailio.address, config());
    jim.watch("sip:lin@lab.test");
    let linphone = Linphone::start("lin", "jim", kamailio.address);
    // Its own document, with the words of another hand.
    jim.until("linphone's presence", |jim| told(jim).is_some_and(|(basic, _)| basic == Some("open")));
    for (phase, words) in [
        (Phase::Available, "Online"),
        (Phase::InCall, "On the phone"),
        (Phase::Away, "Away"),
        (Phase::Removed, "Offline"),
    ] {
        jim.publication.publish(std::time::Instant::now(), document(phase));
        jim.until("publishing", |jim| jim.publication.state() == AgentState::Published);
        let told = format!("is {words}");
        jim.until(words, |_| linphone.said().contains(&told));
    }
}
