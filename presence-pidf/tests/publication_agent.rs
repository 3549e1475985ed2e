//! The publication agent: every cell of its table, and what it sends when the server does what servers do.

#[path = "support/clock.rs"]
mod clock;
#[path = "support/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use presence_pidf::publication_agent::{
    AgentConfig, AgentState, AgentTrigger, Answer, Event, Input, Operation, PublicationAgent, Transmit, step,
};
use proptest::prelude::*;

const STATES: [AgentState; 9] = [
    AgentState::Unpublished,
    AgentState::Due,
    AgentState::Initial,
    AgentState::Published,
    AgentState::Refreshing,
    AgentState::Modifying,
    AgentState::Removing,
    AgentState::Waiting,
    AgentState::Stopped,
];

const TRIGGERS: [AgentTrigger; 13] = [
    AgentTrigger::Wanted,
    AgentTrigger::Unwanted,
    AgentTrigger::NothingLeft,
    AgentTrigger::Sent(Operation::Initial),
    AgentTrigger::Sent(Operation::Refresh),
    AgentTrigger::Sent(Operation::Modify),
    AgentTrigger::Sent(Operation::Remove),
    AgentTrigger::Accepted,
    AgentTrigger::Stale,
    AgentTrigger::TooBrief,
    AgentTrigger::Refused,
    AgentTrigger::Failed,
    AgentTrigger::Deadline,
];

#[test]
fn the_table_in_the_documentation_is_the_code() {
    let about = "# States of a publication agent\n\nWritten by `tests/publication_agent.rs` from the code (`UPDATE_STATES=1` writes it \
         anew). A dash means that the state stays.\n\nThere is one request at a time; what changes meanwhile waits, and only the \
         newest document is sent. The tag of the last answer goes into the next request. A server that does not know the tag \
         (412) is told everything anew; one that wants a longer life (423) gets it, three times at most. A publication is \
         refreshed two minutes before its end, or after half of its life if that is shorter. Without an answer the newest \
         document is tried again after 5, 10, 20 … 300 seconds, or when the server says; after two failures in a row without \
         the tag.";
    table::is_documented("publication-agent", about, &STATES, &TRIGGERS, step);
}

#[test]
fn every_state_is_reached_and_left() {
    let mut seen = BTreeSet::from([AgentState::Unpublished]);
    let mut open = vec![AgentState::Unpublished];
    while let Some(state) = open.pop() {
        let next: BTreeSet<_> = TRIGGERS.iter().map(|trigger| step(state, *trigger)).collect();
        assert!(next.iter().any(|next| *next != state), "{state:?} is never left");
        open.extend(next.into_iter().filter(|next| seen.insert(*next)));
    }
    assert_eq!(seen, BTreeSet::from(STATES));
}

fn document(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// An agent, its clock, and what it sent last.
struct Lab {
    now: Instant,
    agent: PublicationAgent,
}

impl Lab {
    fn new() -> Self {
        Self { now: clock::origin(), agent: PublicationAgent::new(AgentConfig::new()) }
    }

    /// The request that is due: what it does, its tag, its life, its body.
    fn sends(&mut self) -> Option<(Operation, Option<String>, u32, String)> {
        let mut out = BytesMut::new();
        let Transmit { operation, if_match, expires, size } = self.agent.poll_transmit(&mut out)?;
        assert_eq!(size, out.len());
        assert_eq!(self.agent.poll_transmit(&mut out), None, "one request at a time");
        Some((operation, if_match, expires, String::from_utf8(out.to_vec()).expect("text")))
    }

    fn answer(&mut self, answer: Answer<'_>) {
        self.agent.handle_input(self.now, Input::Answer(answer));
    }

    fn takes(&mut self, tag: &str) {
        self.answer(Answer { status: 200, entity_tag: Some(tag), expires: Some(3600), ..Answer::default() });
    }

    fn says(&mut self, status: u16) {
        self.answer(Answer { status, ..Answer::default() });
    }

    /// Sleeps until the deadline; how long that was.
    fn sleeps(&mut self) -> u64 {
        let deadline = self.agent.poll_timeout().expect("something is waited for");
        let slept = deadline - self.now;
        self.now = deadline;
        self.agent.handle_timeout(deadline);
        slept.as_secs()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "beside what is sent, which may be nothing")]
fn sent(
    operation: Operation,
    tag: Option<&str>,
    expires: u32,
    body: &str,
) -> Option<(Operation, Option<String>, u32, String)> {
    Some((operation, tag.map(str::to_owned), expires, body.to_owned()))
}

/// Publishes `one`, which the server calls `a`.
fn published() -> Lab {
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "one"));
    lab.takes("a");
    assert_eq!(lab.agent.poll_event(), Some(Event::Published));
    assert_eq!((lab.agent.state(), lab.agent.entity_tag()), (AgentState::Published, Some("a")));
    lab
}

#[test]
fn the_four_operations_are_those_of_the_standard() {
    let mut lab = published();
    assert_eq!(lab.sends(), None);
    assert_eq!(lab.sleeps(), 3480, "refreshed two minutes before the end");
    assert_eq!(lab.sends(), sent(Operation::Refresh, Some("a"), 3600, ""));
    lab.takes("b");
    lab.agent.publish(lab.now, document("two"));
    assert_eq!(lab.sends(), sent(Operation::Modify, Some("b"), 3600, "two"));
    lab.takes("c");
    lab.agent.remove(lab.now);
    assert_eq!(lab.sends(), sent(Operation::Remove, Some("c"), 0, ""));
    lab.takes("d");
    assert_eq!(lab.agent.poll_event(), Some(Event::Removed));
    assert_eq!((lab.agent.state(), lab.agent.entity_tag()), (AgentState::Unpublished, None));
    assert_eq!(lab.agent.poll_timeout(), None);
    lab.agent.publish(lab.now, document("one"));
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "one"));
}

#[test]
fn what_is_published_already_is_not_sent_again() {
    let mut lab = published();
    lab.agent.publish(lab.now, document("one"));
    assert_eq!(lab.sends(), None);
}

#[test]
fn what_changes_during_a_request_waits_and_the_newest_wins() {
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    assert!(lab.sends().is_some());
    lab.agent.publish(lab.now, document("two"));
    lab.agent.publish(lab.now, document("three"));
    assert_eq!(lab.sends(), None);
    lab.takes("a");
    assert_eq!(lab.agent.poll_event(), None, "it is not the newest");
    assert_eq!(lab.sends(), sent(Operation::Modify, Some("a"), 3600, "three"));
    // And back to what the server has: nothing to be said.
    lab.agent.publish(lab.now, document("four"));
    lab.agent.publish(lab.now, document("three"));
    lab.takes("b");
    assert_eq!(lab.agent.poll_event(), Some(Event::Published));
    assert_eq!(lab.sends(), None);
}

#[test]
fn a_removal_during_a_request_follows_it_and_a_document_follows_a_removal() {
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    assert!(lab.sends().is_some());
    lab.agent.remove(lab.now);
    lab.takes("a");
    assert_eq!(lab.sends(), sent(Operation::Remove, Some("a"), 0, ""));
    lab.agent.publish(lab.now, document("two"));
    lab.takes("b");
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "two"));
}

#[test]
fn a_server_that_does_not_know_the_tag_is_told_everything_anew() {
    let mut lab = published();
    lab.sleeps();
    assert_eq!(lab.sends(), sent(Operation::Refresh, Some("a"), 3600, ""));
    lab.says(412);
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "one"));
    lab.takes("x");
    lab.agent.publish(lab.now, document("two"));
    assert!(lab.sends().is_some());
    lab.says(412);
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "two"));
    lab.takes("y");
    // Of what it does not know nothing has to be removed.
    lab.agent.remove(lab.now);
    assert!(lab.sends().is_some());
    lab.says(412);
    assert_eq!((lab.sends(), lab.agent.poll_event()), (None, Some(Event::Removed)));
    assert_eq!(lab.agent.state(), AgentState::Unpublished);
}

#[test]
fn a_server_that_wants_a_longer_life_gets_it_if_it_says_how_long_and_not_for_ever() {
    let brief = |seconds| Answer { status: 423, min_expires: seconds, ..Answer::default() };
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    assert!(lab.sends().is_some());
    lab.answer(brief(Some(7200)));
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 7200, "one"));
    lab.answer(Answer { status: 200, entity_tag: Some("a"), expires: Some(7200), ..Answer::default() });
    assert_eq!(lab.sleeps(), 7080, "the longer life is believed");
    assert_eq!(lab.sends(), sent(Operation::Refresh, Some("a"), 7200, ""));
    for answer in [brief(None), brief(Some(100))] {
        let mut lab = Lab::new();
        lab.agent.publish(lab.now, document("one"));
        assert!(lab.sends().is_some());
        lab.answer(answer);
        assert_eq!((lab.sends(), lab.agent.poll_event()), (None, Some(Event::Refused(423))));
    }
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    for seconds in [4000, 5000, 6000, 7000] {
        assert!(lab.sends().is_some(), "{seconds}");
        lab.answer(brief(Some(seconds)));
    }
    assert_eq!((lab.sends(), lab.agent.state()), (None, AgentState::Stopped));
}

#[test]
fn a_server_may_shorten_a_life_and_not_lengthen_it() {
    for (given, slept) in
        [(Some(60), 30), (Some(600), 480), (Some(1_000_000), 3480), (None, 3480), (Some(0), 0)]
    {
        let mut lab = Lab::new();
        lab.agent.publish(lab.now, document("one"));
        assert!(lab.sends().is_some());
        lab.answer(Answer { status: 200, entity_tag: Some("a"), expires: given, ..Answer::default() });
        assert_eq!(lab.sleeps(), slept, "{given:?}");
    }
}

#[test]
fn failures_are_met_with_growing_waits_and_the_newest_document() {
    let mut lab = published();
    lab.agent.publish(lab.now, document("two"));
    assert!(lab.sends().is_some());
    lab.agent.handle_input(lab.now, Input::NoAnswer);
    lab.agent.publish(lab.now, document("three"));
    assert_eq!(lab.sends(), None, "a server that is down is not asked more often");
    assert_eq!(lab.sleeps(), 5);
    assert_eq!(lab.sends(), sent(Operation::Modify, Some("a"), 3600, "three"));
    lab.says(500);
    assert_eq!(lab.sleeps(), 10);
    assert_eq!(
        lab.sends(),
        sent(Operation::Initial, None, 3600, "three"),
        "twice in a row: from the beginning"
    );
    let mut waits = Vec::new();
    for status in [503, 408, 480, 500, 503, 503] {
        lab.says(status);
        waits.push(lab.sleeps());
        assert!(lab.sends().is_some());
    }
    assert_eq!(waits, [20, 40, 80, 160, 300, 300]);
    lab.answer(Answer { status: 503, retry_after: Some(1000), ..Answer::default() });
    assert_eq!(lab.sleeps(), 1000);
    assert!(lab.sends().is_some());
    lab.answer(Answer { status: 503, retry_after: Some(1_000_000), ..Answer::default() });
    assert_eq!(lab.sleeps(), 3600, "an hour at most");
    assert!(lab.sends().is_some());
    lab.takes("z");
    assert_eq!(lab.agent.poll_event(), Some(Event::Published));
}

#[test]
fn what_the_server_does_not_take_is_not_repeated_but_something_else_is_tried() {
    for status in [400, 403, 404, 415, 489, 600] {
        let mut lab = Lab::new();
        lab.agent.publish(lab.now, document("one"));
        assert!(lab.sends().is_some());
        lab.says(status);
        assert_eq!((lab.sends(), lab.agent.poll_event()), (None, Some(Event::Refused(status))));
        assert_eq!(lab.agent.poll_timeout(), None);
        lab.agent.publish(lab.now, document("two"));
        assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "two"), "{status}");
        lab.agent.publish(lab.now, document("three"));
        lab.says(status);
        assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "three"), "{status}");
    }
}

#[test]
fn a_publication_that_outlived_its_time_is_made_anew() {
    let mut lab = published();
    lab.sleeps();
    assert!(lab.sends().is_some());
    lab.agent.handle_input(lab.now, Input::NoAnswer);
    lab.now += Duration::from_mins(3);
    lab.agent.handle_timeout(lab.now);
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "one"));
}

#[test]
fn a_server_without_tags_is_told_everything_every_time() {
    let mut lab = Lab::new();
    lab.agent.publish(lab.now, document("one"));
    assert!(lab.sends().is_some());
    lab.says(200);
    assert_eq!(lab.agent.poll_event(), Some(Event::Published));
    lab.sleeps();
    assert_eq!(lab.sends(), sent(Operation::Initial, None, 3600, "one"));
}

#[test]
fn answers_that_nobody_waits_for_are_nothing() {
    let mut lab = published();
    for status in [100, 200, 412, 423, 500, 603] {
        lab.says(status);
        assert_eq!(lab.agent.state(), AgentState::Published, "{status}");
    }
    lab.agent.handle_input(lab.now, Input::NoAnswer);
    assert_eq!(lab.agent.entity_tag(), Some("a"));
    lab.agent.publish(lab.now, document("two"));
    assert!(lab.sends().is_some());
    lab.says(180);
    assert_eq!(lab.agent.state(), AgentState::Modifying);
}

/// A server as the standard describes it: documents by tag.
#[derive(Debug, Default)]
struct Compositor {
    held: BTreeMap<String, (String, Instant)>,
    count: u32,
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Publish(u8),
    Remove,
    Sleep(u32),
    /// The server answers the request as it should.
    Answer,
    /// It answers with this, and does nothing.
    Say(u16),
    /// The request is lost.
    Lose,
    /// The server forgets everything.
    Forget,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        4 => (0..3u8).prop_map(Doing::Publish),
        2 => Just(Doing::Remove),
        3 => (1..5000u32).prop_map(Doing::Sleep),
        6 => Just(Doing::Answer),
        1 => prop::sample::select(vec![100, 403, 412, 423, 480, 500, 503]).prop_map(Doing::Say),
        1 => Just(Doing::Lose),
        1 => Just(Doing::Forget),
    ]
}

impl Compositor {
    /// RFC 3903 6.
    fn takes(
        &mut self,
        now: Instant,
        request: &(Operation, Option<String>, u32, String),
    ) -> (u16, Option<String>) {
        let (_, tag, expires, body) = request;
        self.held.retain(|_, (_, until)| *until > now);
        let body = match tag {
            None if body.is_empty() => return (400, None),
            None => body.clone(),
            Some(tag) => match self.held.remove(tag) {
                None => return (412, None),
                Some((held, _)) if body.is_empty() => held,
                Some(_) => body.clone(),
            },
        };
        self.count += 1;
        let tag = format!("tag{}", self.count);
        if *expires > 0 {
            self.held.insert(tag.clone(), (body, now + Duration::from_secs((*expires).into())));
        }
        (200, Some(tag))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened before: when the server answers again, it holds what is to be published and nothing else.
    #[test]
    fn the_server_holds_the_newest_document_as_soon_as_it_can(doings in prop::collection::vec(doing(), 0..60)) {
        let mut lab = Lab::new();
        let mut server = Compositor::default();
        let mut request = None;
        let mut wanted: Option<String> = None;
        let names = ["zero", "one", "two"];
        for doing in doings {
            match doing {
                Doing::Publish(which) => {
                    let text = names[usize::from(which)];
                    wanted = Some(text.to_owned());
                    lab.agent.publish(lab.now, document(text));
                }
                Doing::Remove => {
                    wanted = None;
                    lab.agent.remove(lab.now);
                }
                Doing::Sleep(seconds) => {
                    lab.now += Duration::from_secs(seconds.into());
                    lab.agent.handle_timeout(lab.now);
                }
                Doing::Answer => if let Some(sent) = request.take() {
                    let (status, tag) = server.takes(lab.now, &sent);
                    lab.answer(Answer { status, entity_tag: tag.as_deref(), ..Answer::default() });
                },
                Doing::Say(status) => if let Some(sent) = request.take() {
                    lab.says(status);
                    if status < 200 { request = Some(sent); }
                },
                Doing::Lose => if request.take().is_some() {
                    lab.agent.handle_input(lab.now, Input::NoAnswer);
                },
                Doing::Forget => server.held.clear(),
            }
            if let Some(sent) = lab.sends() {
                prop_assert!(request.is_none(), "two requests at a time");
                let (operation, tag, expires, body) = &sent;
                prop_assert_eq!(tag.is_none(), *operation == Operation::Initial);
                let bodied = matches!(operation, Operation::Initial | Operation::Modify);
                prop_assert_eq!(!body.is_empty(), bodied);
                prop_assert_eq!(*expires == 0, *operation == Operation::Remove);
                request = Some(sent);
            }
        }
        // From here on everything works. A document that was refused is asked for once more, in other words.
        if lab.agent.state() == AgentState::Stopped && wanted.is_some() {
            wanted = Some("again".to_owned());
            lab.agent.publish(lab.now, document("again"));
        }
        for _ in 0..20 {
            if let Some(sent) = request.take().or_else(|| lab.sends()) {
                let (status, tag) = server.takes(lab.now, &sent);
                lab.answer(Answer { status, entity_tag: tag.as_deref(), ..Answer::default() });
            } else if lab.agent.state() == AgentState::Waiting {
                lab.sleeps();
            }
        }
        let settled = if wanted.is_some() { AgentState::Published } else { AgentState::Unpublished };
        prop_assert_eq!(lab.agent.state(), settled);
        server.held.retain(|_, (_, until)| *until > lab.now);
        let held = lab.agent.entity_tag().and_then(|tag| server.held.get(tag)).map(|(body, _)| body.clone());
        // A server that forgot without being asked since is told when the publication is refreshed.
        if server.held.is_empty() && wanted.is_some() {
            lab.sleeps();
            for _ in 0..3 {
                if let Some(sent) = lab.sends() {
                    let (status, tag) = server.takes(lab.now, &sent);
                    lab.answer(Answer { status, entity_tag: tag.as_deref(), ..Answer::default() });
                }
            }
            let held = lab.agent.entity_tag().and_then(|tag| server.held.get(tag)).map(|(body, _)| body.clone());
            prop_assert_eq!(held, wanted);
        } else {
            prop_assert_eq!(held, wanted);
        }
    }
}
