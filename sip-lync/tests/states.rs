//! The pure step functions, explored exhaustively and rendered into `docs/states`.
//!
//! `UPDATE_STATES=1 cargo test -p sip-lync --test states` writes the tables again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::Path;

use sip_lync::notifier::step as notifier;
use sip_lync::proxy::{Action, Branch, ResponseContext, Trigger as AnswerTrigger};
use sip_lync::transaction::timers::{Reliability, Timer};
use sip_lync::transaction::{client, client_invite, server, server_invite};
use sip_lync::transfer::{transferee, transferor};
use sip_lync::{conference, early_offer, invite, offer_answer, register, subscribe};

/// Renders one machine: a table of the cells that do something, state by state.
fn render<S: Copy + Debug + PartialEq, T: Copy + Debug, E: Debug>(
    states: &[S],
    triggers: &[T],
    step: impl Fn(S, T) -> (S, Vec<E>),
) -> String {
    let mut table = String::from("\n| State | Trigger | Next state | Effects |\n|---|---|---|---|\n");
    let mut ignored = 0_usize;
    for state in states {
        for trigger in triggers {
            let (next, effects) = step(*state, *trigger);
            if next == *state && effects.is_empty() {
                ignored += 1;
                continue;
            }
            let effects: Vec<String> = effects.iter().map(|effect| format!("{effect:?}")).collect();
            writeln!(table, "| {state:?} | {trigger:?} | {next:?} | {} |", effects.join(", ")).unwrap();
        }
    }
    let cells = states.len() * triggers.len();
    writeln!(
        table,
        "\n{} states, {} triggers, {cells} cells; in {ignored} of them nothing happens and they are left out.",
        states.len(),
        triggers.len()
    )
    .unwrap();
    table
}

/// Compares a rendered table with the file in `docs/states`, or writes it.
fn compare(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/states").join(format!("{name}.md"));
    if std::env::var_os("UPDATE_STATES").is_some() {
        fs::write(&path, rendered).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, rendered, "{} is not what the code does", path.display());
}

/// Every value that can be reached from the first ones.
fn explore<N: Clone + Ord>(first: &[N], next: impl Fn(&N) -> Vec<N>) -> BTreeSet<N> {
    let mut seen: BTreeSet<N> = first.iter().cloned().collect();
    let mut open: VecDeque<N> = first.iter().cloned().collect();
    while let Some(node) = open.pop_front() {
        for following in next(&node) {
            if seen.insert(following.clone()) {
                open.push_back(following);
            }
        }
    }
    seen
}

/// From every reachable value the goal can be reached.
fn assert_always_ends<N: Clone + Ord + Debug>(
    reachable: &BTreeSet<N>,
    next: impl Fn(&N) -> Vec<N>,
    goal: impl Fn(&N) -> bool,
) {
    let mut before: BTreeMap<N, Vec<N>> = BTreeMap::new();
    for node in reachable {
        for following in next(node) {
            before.entry(following).or_default().push(node.clone());
        }
    }
    let ends: Vec<N> = reachable.iter().filter(|node| goal(node)).cloned().collect();
    let ending = explore(&ends, |node| before.get(node).cloned().unwrap_or_default());
    for node in reachable {
        assert!(ending.contains(node), "{node:?} never ends");
    }
}

const TRANSPORTS: [Reliability; 2] = [Reliability::Reliable, Reliability::Unreliable];

/// The timers of a transaction over one transport.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    transport: Reliability,
    timers: BTreeSet<Timer>,
}

impl Running {
    fn new<const N: usize>(transport: Reliability, timers: [Timer; N]) -> Self {
        let timers = timers.into_iter().filter(|timer| timer.duration(transport).is_some()).collect();
        Self { transport, timers }
    }

    fn start(&mut self, timer: Timer) {
        if timer.duration(self.transport).is_some() {
            assert!(self.timers.insert(timer), "{timer:?} is started while it runs");
        }
    }

    fn stop(&mut self, timer: Timer) {
        if timer.duration(self.transport).is_some() {
            assert!(self.timers.remove(&timer), "{timer:?} is stopped and does not run");
        }
    }

    /// Takes the timer that a trigger is the end of; `false` when it does not run.
    fn fires(&mut self, timer: Option<Timer>) -> bool {
        timer.is_none_or(|timer| self.timers.remove(&timer))
    }
}

#[test]
fn the_invite_client_transaction_always_ends_and_leaves_no_timer() {
    use client_invite::{Effect, STATES, State, TRIGGERS, Trigger, step};
    type Node = (State, Running);
    let next = |(state, running): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let mut running = running.clone();
            let timer = match trigger {
                Trigger::TimerA => Some(Timer::A),
                Trigger::TimerB => Some(Timer::B),
                Trigger::TimerD => Some(Timer::D),
                Trigger::TimerM => Some(Timer::M),
                Trigger::Provisional | Trigger::Success | Trigger::Failure | Trigger::TransportError => None,
            };
            if !running.fires(timer) {
                continue;
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::Start(timer) | Effect::StartDoubled(timer) => running.start(*timer),
                    Effect::Stop(timer) => running.stop(*timer),
                    Effect::PassUp
                    | Effect::Retransmit
                    | Effect::Acknowledge
                    | Effect::TimedOut
                    | Effect::TransportFailed => {}
                }
            }
            following.push((after, running));
        }
        following
    };
    for transport in TRANSPORTS {
        let first = (State::Calling, Running::new(transport, [Timer::A, Timer::B]));
        let reachable = explore(&[first], next);
        assert_always_ends(&reachable, next, |(state, _)| *state == State::Terminated);
        for (state, running) in &reachable {
            let timers: Vec<Timer> = running.timers.iter().copied().collect();
            let unreliable = transport == Reliability::Unreliable;
            match state {
                State::Terminated => assert_eq!(timers, [], "outlives the transaction"),
                State::Calling if unreliable => assert_eq!(timers, [Timer::A, Timer::B]),
                State::Calling => assert_eq!(timers, [Timer::B]),
                State::Accepted => assert_eq!(timers, [Timer::M]),
                State::Completed => assert_eq!(timers, [Timer::D]),
                // RFC 3261 17.1.1.2: the user alone limits how long it rings.
                State::Proceeding => assert_eq!(timers, []),
            }
        }
        let states: BTreeSet<State> = reachable.iter().map(|(state, _)| *state).collect();
        assert_eq!(states, BTreeSet::from(STATES));
    }
    compare("client_invite", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn the_client_transaction_always_ends_and_tells_its_user_once() {
    use client::{Effect, STATES, State, TRIGGERS, Trigger, step};
    type Node = (State, u8, Running);
    let next = |(state, told, running): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut told, mut running) = (*told, running.clone());
            let timer = match trigger {
                Trigger::TimerE => Some(Timer::E),
                Trigger::TimerF => Some(Timer::F),
                Trigger::TimerK => Some(Timer::K),
                Trigger::Provisional | Trigger::Final | Trigger::TransportError => None,
            };
            if !running.fires(timer) {
                continue;
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::PassUp if trigger == Trigger::Final => told += 1,
                    Effect::PassUp | Effect::Retransmit => {}
                    Effect::TimedOut | Effect::TransportFailed => told += 1,
                    Effect::Start(timer) | Effect::StartDoubled(timer) | Effect::StartSlow(timer) => {
                        running.start(*timer);
                    }
                    Effect::Stop(timer) => running.stop(*timer),
                }
            }
            following.push((after, told, running));
        }
        following
    };
    for transport in TRANSPORTS {
        let first = (State::Trying, 0, Running::new(transport, [Timer::E, Timer::F]));
        let reachable = explore(&[first], next);
        assert_always_ends(&reachable, next, |(state, ..)| *state == State::Terminated);
        for (state, told, running) in &reachable {
            let over = matches!(state, State::Completed | State::Terminated);
            assert_eq!(*told, u8::from(over), "{state:?}");
            assert_eq!(running.timers.contains(&Timer::F), !over, "{state:?}");
            assert_eq!(running.timers.is_empty(), *state == State::Terminated);
        }
        assert_eq!(reachable.len(), STATES.len());
    }
    compare("client", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn the_invite_server_transaction_leaves_no_timer_and_sends_one_kind_of_final_response() {
    use server_invite::{Effect, STATES, State, TRIGGERS, Trigger, step};
    type Node = (State, Running, bool, bool);
    let next = |(state, running, succeeded, refused): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let mut running = running.clone();
            let timer = match trigger {
                Trigger::Trying => Some(Timer::Trying),
                Trigger::TimerG => Some(Timer::G),
                Trigger::TimerH => Some(Timer::H),
                Trigger::TimerI => Some(Timer::I),
                Trigger::TimerL => Some(Timer::L),
                Trigger::Invite
                | Trigger::Ack
                | Trigger::Provisional
                | Trigger::Success
                | Trigger::Failure
                | Trigger::TransportError => None,
            };
            if !running.fires(timer) {
                continue;
            }
            let (after, effects) = step(*state, trigger);
            let (mut succeeded, mut refused) = (*succeeded, *refused);
            for effect in effects {
                match effect {
                    Effect::Start(timer) | Effect::StartDoubled(timer) => running.start(*timer),
                    Effect::Stop(timer) => running.stop(*timer),
                    Effect::Send => {
                        succeeded |= trigger == Trigger::Success;
                        refused |= trigger == Trigger::Failure;
                    }
                    Effect::SendTrying | Effect::Repeat | Effect::TimedOut | Effect::TransportFailed => {}
                }
            }
            following.push((after, running, succeeded, refused));
        }
        following
    };
    for transport in TRANSPORTS {
        let first = (State::Incoming, Running::new(transport, [Timer::Trying]), false, false);
        let reachable = explore(&[first], next);
        assert_always_ends(&reachable, next, |(state, ..)| *state == State::Terminated);
        for (state, running, succeeded, refused) in &reachable {
            assert!(!(*succeeded && *refused), "{state:?}");
            if *state == State::Terminated {
                assert!(running.timers.is_empty(), "{running:?}");
            }
        }
        let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
        assert_eq!(states, BTreeSet::from(STATES));
    }
    compare("server_invite", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn the_server_transaction_sends_one_final_response() {
    use server::{Effect, STATES, State, TRIGGERS, Trigger, step};
    type Node = (State, u8, Running);
    let next = |(state, finals, running): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut finals, mut running) = (*finals, running.clone());
            if !running.fires((trigger == Trigger::TimerJ).then_some(Timer::J)) {
                continue;
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::Send => finals += u8::from(trigger == Trigger::Final),
                    Effect::Start(timer) => running.start(*timer),
                    Effect::Stop(timer) => running.stop(*timer),
                    Effect::Repeat | Effect::TransportFailed => {}
                }
            }
            following.push((after, finals, running));
        }
        following
    };
    for transport in TRANSPORTS {
        let reachable = explore(&[(State::Trying, 0, Running::new(transport, []))], next);
        assert_always_ends(&reachable, next, |(state, ..)| *state == State::Terminated);
        for (state, finals, running) in &reachable {
            let over = matches!(state, State::Completed | State::Terminated);
            assert!(*finals <= 1 && (*finals == 0 || over), "{state:?} {finals}");
            assert_eq!(running.timers.is_empty(), *state != State::Completed);
        }
    }
    compare("server", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn offer_and_answer_alternate() {
    use offer_answer::{Meaning, POSITIONS, Position, TRIGGERS, Trigger, step};
    let next = |position: &Position| TRIGGERS.iter().map(|trigger| step(*position, *trigger).0).collect();
    let reachable = explore(&[Position::None], next);
    assert_eq!(reachable, BTreeSet::from(POSITIONS));
    for position in POSITIONS {
        let ours = matches!(position, Position::Offered | Position::Reoffered);
        let theirs = matches!(position, Position::OfferReceived | Position::ReofferReceived);
        for trigger in TRIGGERS {
            let (after, meaning) = step(position, trigger);
            match meaning {
                Meaning::Offer => assert!(!ours && !theirs, "{position:?} {trigger:?}"),
                Meaning::Answer => {
                    assert!(if trigger == Trigger::Send { theirs } else { ours });
                    assert_eq!(after, Position::Agreed);
                }
                Meaning::Forbidden => assert_eq!(after, position),
                Meaning::Withdrawal => assert_eq!(trigger, Trigger::Refuse),
                Meaning::Repetition => panic!("a step never repeats"),
            }
        }
    }
    compare("offer_answer", &render(&POSITIONS, &TRIGGERS, |s, t| (step(s, t).0, vec![step(s, t).1])));
}

/// What must hold of an INVITE session beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Session {
    state: invite::State,
    /// How often the user was told that it is over.
    over: u8,
    /// An INVITE or re-INVITE or UPDATE of the peer has no final response.
    owes_response: bool,
    /// Our 200 is being repeated.
    repeating: bool,
    /// The random time after a 491 runs.
    backing_off: bool,
    /// BYE was sent.
    bye: bool,
    /// An ACK for the 2xx of our INVITE is due.
    owes_ack: bool,
    /// The connection broke.
    flow_lost: bool,
}

impl Session {
    const fn new(state: invite::State, owes_response: bool) -> Self {
        Self {
            state,
            over: 0,
            owes_response,
            repeating: false,
            backing_off: false,
            bye: false,
            owes_ack: false,
            flow_lost: false,
        }
    }

    fn after(mut self, trigger: invite::Trigger) -> Self {
        use invite::{Effect, Report, State, Trigger};
        let before = self.state;
        let (state, effects) = invite::step(before, trigger);
        self.state = state;
        self.flow_lost |= trigger == Trigger::FlowLost;
        // What the outside world does with the trigger itself.
        match (before, trigger) {
            (State::Established | State::ReinviteBackoff, Trigger::Reinvite | Trigger::UpdateOffer) => {
                self.owes_response = true;
            }
            (
                State::Calling | State::Proceeding | State::CancelWaiting | State::Cancelling,
                Trigger::Success | Trigger::SuccessWithOffer,
            )
            | (
                State::Reinviting | State::Terminating,
                Trigger::ReinviteSuccess | Trigger::ReinviteSuccessWithOffer,
            ) => self.owes_ack = true,
            _ => {}
        }
        for effect in effects {
            match effect {
                Effect::SendBye => {
                    assert!(!self.bye, "two BYEs: {before:?} {trigger:?}");
                    assert!(!self.owes_response, "BYE before the response: {before:?} {trigger:?}");
                    assert!(!self.owes_ack, "BYE before the ACK: {before:?} {trigger:?}");
                    self.bye = true;
                }
                Effect::SendAnswer => {
                    assert!(self.owes_response);
                    self.owes_response = false;
                    self.repeating = true;
                }
                Effect::StopRepeating => {
                    assert!(self.repeating, "{before:?} {trigger:?}");
                    self.repeating = false;
                }
                Effect::SendRefusal | Effect::SendRequestTerminated | Effect::AnswerUpdate => {
                    assert!(self.owes_response, "{before:?} {trigger:?}");
                    self.owes_response = false;
                }
                // In Terminating the request that came is refused at once.
                Effect::RefuseOffer if before == State::Terminating => {}
                Effect::RefuseOffer => {
                    assert!(self.owes_response, "{before:?} {trigger:?}");
                    self.owes_response = false;
                }
                Effect::SendAck | Effect::AckReinvite => {
                    assert!(self.owes_ack, "{before:?} {trigger:?}");
                    self.owes_ack = false;
                }
                Effect::StartBackoff => self.backing_off = true,
                Effect::StopBackoff => {
                    assert!(self.backing_off);
                    self.backing_off = false;
                }
                Effect::SendReinvite => {
                    if trigger == Trigger::BackoffOver {
                        self.backing_off = false;
                    }
                    assert!(!self.backing_off);
                }
                Effect::Report(report) => match report {
                    Report::Failed
                    | Report::EndedByPeer
                    | Report::EndedLocally
                    | Report::Cancelled
                    | Report::AckMissing
                    | Report::DialogGone
                    | Report::FlowLost => self.over += 1,
                    Report::Progress
                    | Report::Answered
                    | Report::Confirmed
                    | Report::Reoffered
                    | Report::ReofferWithdrawn
                    | Report::ReofferAnswered
                    | Report::ReofferConfirmed
                    | Report::ReofferRefused => {
                        assert_eq!(self.over, 0, "told after the end: {before:?} {trigger:?}");
                    }
                },
                Effect::SendCancel
                | Effect::RepeatAck
                | Effect::EndFork
                | Effect::SendRinging
                | Effect::AcceptBye
                | Effect::RefuseBye
                | Effect::RefusePending
                | Effect::RefuseRetryLater => {}
            }
        }
        self
    }
}

#[test]
fn an_invite_session_ends_once_answers_everything_and_says_bye_last() {
    use invite::{STATES, State, TRIGGERS, step};
    let next = |session: &Session| -> Vec<Session> {
        TRIGGERS.iter().map(|trigger| session.after(*trigger)).collect()
    };
    let reachable =
        explore(&[Session::new(State::Calling, false), Session::new(State::Incoming, true)], next);
    assert_always_ends(&reachable, next, |session| session.state == State::Terminated);
    for session in &reachable {
        let over = matches!(session.state, State::Terminating | State::Terminated);
        assert_eq!(session.over, u8::from(over), "{session:?}");
        if session.state == State::Terminated {
            assert!(!session.repeating && !session.backing_off, "{session:?}");
            assert!(!session.owes_response || session.flow_lost, "{session:?}");
        }
    }
    let states: BTreeSet<State> = reachable.iter().map(|session| session.state).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("invite", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn a_registration_never_has_two_requests_under_way() {
    use register::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, a REGISTER is under way, a timer runs.
    type Node = (State, bool, bool);
    let next = |(state, open, timer): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut open, mut timer) = (*open, *timer);
            match trigger {
                Trigger::Success
                | Trigger::SuccessAdded
                | Trigger::Challenged
                | Trigger::CredentialsWanted
                | Trigger::Redirected
                | Trigger::IntervalTooBrief
                | Trigger::RefusedForGood
                | Trigger::RefusedForNow
                | Trigger::TimedOut => {
                    if !open {
                        continue;
                    }
                    open = false;
                }
                Trigger::FlowLost => open = false,
                Trigger::RefreshDue | Trigger::RetryDue | Trigger::TurnCame => {
                    let due = matches!(
                        (state, trigger),
                        (State::Registered, Trigger::RefreshDue)
                            | (State::Waiting, Trigger::RetryDue)
                            | (State::Queued, Trigger::TurnCame)
                    );
                    if !due {
                        continue;
                    }
                    timer = trigger != Trigger::TurnCame;
                }
                Trigger::Register
                | Trigger::Deregister
                | Trigger::NotifiedStop
                | Trigger::NotifiedAgain
                | Trigger::NotifiedMoved
                | Trigger::Credentials
                | Trigger::GiveUp
                | Trigger::NotifiedState => {}
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::SendRegister | Effect::SendDeregister => {
                        assert!(!open, "two requests: {state:?} {trigger:?}");
                        open = true;
                    }
                    Effect::StartRefresh | Effect::StartRetry | Effect::StartPatience | Effect::Enqueue => {
                        assert!(!timer, "{state:?} {trigger:?}");
                        timer = true;
                    }
                    Effect::StopTimers => timer = false,
                    Effect::NewRegistration | Effect::Report(_) => {}
                }
            }
            following.push((after, open, timer));
        }
        following
    };
    let reachable = explore(&[(State::Unregistered, false, false)], next);
    for (state, open, timer) in &reachable {
        let waits = matches!(
            state,
            State::Registering
                | State::Refreshing
                | State::Withdrawing
                | State::Deregistering
                | State::Returning
        );
        assert_eq!(*open, waits, "{state:?}");
        assert_eq!(
            *timer,
            matches!(state, State::Registered | State::Waiting | State::Queued | State::Authenticating),
            "{state:?}"
        );
    }
    assert_always_ends(&reachable, next, |(state, ..)| *state == State::Unregistered);
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("register", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn a_transfer_we_ask_for_is_told_once_and_never_forgotten() {
    use transferor::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, the wait is limited, how often its end was told.
    type Node = (State, bool, u8);
    let next = |(state, limited, told): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut limited, mut told) = (*limited, *told);
            if trigger == Trigger::TimedOut {
                if !limited {
                    continue;
                }
                limited = false;
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::SendRefer => {
                        told = 0;
                        limited = true;
                    }
                    Effect::StartPatience => limited = true,
                    Effect::StopPatience => limited = false,
                    Effect::ReportFinal | Effect::ReportRefused => told += 1,
                    Effect::ReportProgress => assert_eq!(told, 0),
                }
            }
            following.push((after, limited, told));
        }
        following
    };
    let reachable = explore(&[(State::Idle, false, 1)], next);
    for (state, limited, told) in &reachable {
        assert_eq!((*limited, *told), (*state != State::Idle, u8::from(*state == State::Idle)), "{state:?}");
    }
    compare("transferor", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn every_refer_is_answered_and_its_notifications_end() {
    use transferee::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, the user's time is limited, notifications are owed.
    type Node = (State, bool, bool);
    let next = |(state, limited, owed): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut limited, mut owed) = (*limited, *owed);
            if trigger == Trigger::TimedOut {
                if !limited {
                    continue;
                }
                limited = false;
            }
            let (after, effects) = step(*state, trigger);
            if trigger == Trigger::Refer {
                let answers = effects.iter().filter(|e| matches!(e, Effect::Accept | Effect::RefusePending));
                assert_eq!(answers.count(), 1);
            }
            for effect in effects {
                match effect {
                    Effect::Accept => owed = true,
                    Effect::ReportRequested => limited = true,
                    Effect::StopPatience => limited = false,
                    Effect::NotifyTrying | Effect::NotifyProgress => assert!(owed),
                    Effect::NotifyFinal => {
                        assert!(owed);
                        owed = false;
                    }
                    Effect::RefusePending => {}
                }
            }
            following.push((after, limited, owed));
        }
        following
    };
    let reachable = explore(&[(State::Idle, false, false)], next);
    for (state, limited, owed) in &reachable {
        assert_eq!(*limited, *state == State::Requested);
        assert_eq!(*owed, *state != State::Idle);
    }
    compare("transferee", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

mod turn_allocation {
    use sip_lync::turn::{Effect, State, Trigger, step};

    pub(super) const STATES: [State; 8] = [
        State::Idle,
        State::Connecting,
        State::Greeting,
        State::Requesting,
        State::Standing,
        State::Refreshing,
        State::Releasing,
        State::Ended,
    ];

    pub(super) const TRIGGERS: [Trigger; 14] = [
        Trigger::AllocateByDatagrams,
        Trigger::AllocateByStream,
        Trigger::Opened,
        Trigger::OpenedForHello,
        Trigger::Greeted,
        Trigger::Granted,
        Trigger::Challenged,
        Trigger::ElsewhereByDatagrams,
        Trigger::ElsewhereByStream,
        Trigger::Refused,
        Trigger::TimedOut,
        Trigger::Closed,
        Trigger::RefreshDue,
        Trigger::Release,
    ];

    pub(super) fn last_word(effect: Effect) -> bool {
        matches!(effect, Effect::ReportFailed | Effect::ReportLost | Effect::ReportReleased)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that explore wants")]
    pub(super) fn next(state: &State) -> Vec<State> {
        TRIGGERS.iter().map(|trigger| step(*state, *trigger).0).collect()
    }
}

#[test]
fn an_allocation_ends_from_everywhere_with_one_last_word() {
    use sip_lync::turn::{State, step};
    use turn_allocation::{STATES, TRIGGERS, last_word, next};

    let reachable = explore(&[State::Idle], next);
    assert_eq!(reachable.len(), STATES.len());
    assert_always_ends(&reachable, next, |state| *state == State::Ended);
    for state in STATES {
        for trigger in TRIGGERS {
            let (following, effects) = step(state, trigger);
            let words = effects.iter().filter(|effect| last_word(**effect)).count();
            let ends = state != State::Ended && following == State::Ended;
            assert_eq!(words, usize::from(ends), "{state:?} {trigger:?}");
        }
    }
    compare(
        "turn_allocation",
        &render(&STATES, &TRIGGERS, |state, trigger| {
            let (next, effects) = step(state, trigger);
            (next, effects.to_vec())
        }),
    );
}

#[test]
fn a_subscription_has_one_request_and_one_timer_and_tells_its_end_once() {
    use subscribe::{Effect, Report, STATES, State, TRIGGERS, Trigger, step};
    // State, a SUBSCRIBE is under way, a timer runs, how often its end was told.
    type Node = (State, bool, bool, u8);
    let next = |(state, open, timer, told): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut open, mut timer, mut told) = (*open, *timer, *told);
            match trigger {
                Trigger::Accepted
                | Trigger::AcceptedOver
                | Trigger::AcceptedFetch
                | Trigger::IntervalTooBrief
                | Trigger::RefusedForGood
                | Trigger::RefusedForNow
                | Trigger::Gone => {
                    if !open {
                        continue;
                    }
                    open = false;
                }
                Trigger::RefreshDue | Trigger::RetryDue | Trigger::PatienceOver => {
                    let due = matches!(
                        (state, trigger),
                        (State::Active, Trigger::RefreshDue)
                            | (State::Waiting, Trigger::RetryDue)
                            | (State::Fetching, Trigger::PatienceOver)
                    );
                    if !due || !timer {
                        continue;
                    }
                    timer = false;
                }
                Trigger::FlowLost => open = false,
                Trigger::Notified | Trigger::EndedAgain | Trigger::EndedForGood | Trigger::Unsubscribe => {}
            }
            let (after, effects) = step(*state, trigger);
            for effect in effects {
                match effect {
                    Effect::SendSubscribe | Effect::SendUnsubscribe => {
                        assert!(!open, "two requests: {state:?} {trigger:?}");
                        open = true;
                    }
                    Effect::StartRefresh | Effect::StartRetry | Effect::StartPatience => {
                        assert!(!timer, "two timers: {state:?} {trigger:?}");
                        timer = true;
                    }
                    Effect::StopTimers => {
                        assert!(timer, "no timer: {state:?} {trigger:?}");
                        timer = false;
                    }
                    Effect::Report(Report::Subscribed | Report::Notified | Report::Interrupted) => {
                        assert_eq!(told, 0, "told after the end: {state:?} {trigger:?}");
                    }
                    Effect::Report(Report::Over | Report::Refused | Report::Silent | Report::FlowLost) => {
                        told += 1;
                    }
                    Effect::NewDialog => {}
                }
            }
            following.push((after, open, timer, told));
        }
        following
    };
    let reachable = explore(&[(State::Subscribing, true, false, 0)], next);
    assert_always_ends(&reachable, next, |(state, ..)| *state == State::Terminated);
    for (state, open, timer, told) in &reachable {
        let waits = matches!(state, State::Subscribing | State::Refreshing | State::Unsubscribing);
        assert_eq!(*open, waits, "{state:?}");
        assert_eq!(*timer, matches!(state, State::Active | State::Waiting | State::Fetching), "{state:?}");
        assert_eq!(*told, u8::from(*state == State::Terminated), "{state:?}");
    }
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("subscribe", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn every_offer_within_an_early_dialog_is_answered_once_and_never_waits_for_ever() {
    use early_offer::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, the user's time is limited, a PRACK of ours is owed, a response of ours is owed.
    type Node = (State, bool, bool, bool);
    let next = |(state, limited, prack, response): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (mut limited, mut prack, mut response) = (*limited, *prack, *response);
            if trigger == Trigger::PatienceOver {
                if !limited {
                    continue;
                }
                limited = false;
            }
            let (after, effects) = step(*state, trigger);
            prack |= trigger == Trigger::ProvisionalOffer && *state == State::Idle;
            let request = matches!(trigger, Trigger::PrackDescribed | Trigger::PrackBare | Trigger::Update);
            let mut answered = 0;
            for effect in effects {
                match effect {
                    Effect::StartPatience => limited = true,
                    Effect::StopPatience => limited = false,
                    Effect::SendPrack => {
                        assert!(prack);
                        prack = false;
                    }
                    Effect::SendAnswer | Effect::SendRefusal | Effect::SendRetryLater => {
                        assert!(response);
                        response = false;
                    }
                    Effect::AcceptPrack | Effect::RefusePending | Effect::RefuseRetryLater => answered += 1,
                    Effect::ReportOffer | Effect::ReportAnswer | Effect::ReportRefused => {}
                    Effect::SendUpdate | Effect::EndCall => {}
                }
            }
            if request {
                // The offer that waits is answered later.
                let waits = *state == State::Idle && after == State::AnswerDue;
                assert_eq!(answered, u8::from(!waits), "{state:?} {trigger:?}");
                response |= waits;
            } else {
                assert_eq!(answered, 0, "{state:?} {trigger:?}");
            }
            if after == State::Idle {
                // The call ends, or the ACK answers: the PRACK is of no use any more.
                prack = false;
            }
            following.push((after, limited, prack, response));
        }
        following
    };
    let reachable = explore(&[(State::Idle, false, false, false)], next);
    for (state, limited, prack, response) in &reachable {
        let waits = matches!(state, State::PrackDue | State::AnswerDue);
        assert_eq!(*limited, waits, "{state:?}");
        assert_eq!(*prack, *state == State::PrackDue, "{state:?}");
        assert_eq!(*response, *state == State::AnswerDue, "{state:?}");
    }
    assert_always_ends(&reachable, next, |(state, ..)| *state == State::Idle);
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("early_offer", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn a_conference_is_told_to_be_over_once_and_leaves_nothing_behind() {
    use conference::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, the focus session stands, a subscription stands, a call with the mixer, the lobby is limited, its end was told.
    type Node = (State, bool, bool, bool, bool, u8);
    let next = |node: &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (state, mut focus, mut roster, mut audio, mut limited, mut told) = *node;
            match trigger {
                Trigger::FocusEnded if !focus => continue,
                Trigger::PatienceOver if !limited => continue,
                Trigger::AudioEnded | Trigger::AudioAnswered if !audio => continue,
                Trigger::FocusEnded => focus = false,
                Trigger::PatienceOver => limited = false,
                Trigger::AudioEnded => audio = false,
                // Only a conference that stands takes a call of its mixer.
                Trigger::AudioInvited => audio |= state == State::Joined,
                Trigger::Admitted
                | Trigger::Pending
                | Trigger::Denied
                | Trigger::JoinAudio
                | Trigger::AudioAnswered
                | Trigger::Leave => {}
            }
            let (after, effects) = step(state, trigger);
            for effect in effects {
                match effect {
                    Effect::Subscribe => {
                        assert!(!roster);
                        roster = true;
                    }
                    Effect::Unsubscribe => {
                        assert!(roster, "{state:?} {trigger:?}");
                        roster = false;
                    }
                    Effect::CallAudio => {
                        assert!(!audio);
                        audio = true;
                    }
                    Effect::HangUpAudio => {
                        assert!(audio, "{state:?} {trigger:?}");
                        audio = false;
                    }
                    Effect::HangUpFocus => assert!(focus, "{state:?} {trigger:?}"),
                    Effect::StartPatience => {
                        assert!(!limited);
                        limited = true;
                    }
                    Effect::StopPatience => limited = false,
                    Effect::ReportJoined => assert_eq!(told, 0),
                    Effect::ReportFailed | Effect::ReportLeft | Effect::ReportEnded => told += 1,
                }
            }
            following.push((after, focus, roster, audio, limited, told));
        }
        following
    };
    let reachable = explore(&[(State::Joining, true, false, false, false, 0)], next);
    for (state, focus, roster, audio, limited, told) in &reachable {
        assert_eq!(*focus, *state != State::Left, "{state:?}");
        assert_eq!(*roster, matches!(state, State::Joined | State::Calling | State::Talking), "{state:?}");
        assert_eq!(*audio, matches!(state, State::Calling | State::Talking), "{state:?}");
        assert_eq!(*limited, *state == State::Lobby, "{state:?}");
        assert_eq!(*told, u8::from(matches!(state, State::Refused | State::Left)), "{state:?}");
    }
    assert_always_ends(&reachable, next, |node| node.0 == State::Left);
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("conference", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

#[test]
fn a_notifier_has_one_notification_under_way_and_tells_the_end_once() {
    use notifier::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, a notification waits for its response, the life of the subscription runs, what is new was not told, told ends.
    type Node = (State, bool, bool, bool, u8);
    let next = |node: &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            let (state, mut open, mut lives, mut news, mut over) = *node;
            match trigger {
                Trigger::Accepted | Trigger::Refused if !open => continue,
                Trigger::Accepted | Trigger::Refused | Trigger::FlowLost => open = false,
                Trigger::Change | Trigger::Subscribe => news = true,
                Trigger::SubscribePiggybacked | Trigger::End => {}
            }
            let (after, effects) = step(state, trigger);
            for effect in effects {
                match effect {
                    Effect::Notify => {
                        assert!(!open, "{state:?} {trigger:?}");
                        (open, news) = (true, false);
                    }
                    // The last one may overtake the one before.
                    Effect::NotifyLast => (open, news) = (true, false),
                    Effect::StartExpiry => lives = true,
                    Effect::StopExpiry => lives = false,
                    Effect::ReportEnded => over += 1,
                }
            }
            if matches!(after, State::Ending | State::Terminated) {
                news = false;
            }
            following.push((after, open, lives, news, over));
        }
        following
    };
    let reachable = explore(&[(State::Told, false, false, false, 0)], next);
    for (state, open, lives, news, over) in &reachable {
        assert_eq!(*open, matches!(state, State::Telling | State::Stale | State::Ending), "{state:?}");
        assert_eq!(*news, *state == State::Stale, "{state:?}");
        assert_eq!(*over, u8::from(matches!(state, State::Ending | State::Terminated)), "{state:?}");
        assert!(!*lives || *over == 0, "{state:?}");
    }
    assert_always_ends(&reachable, next, |node| node.0 == State::Terminated);
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("notifier", &render(&STATES, &TRIGGERS, |s, t| (step(s, t).0, step(s, t).1.to_vec())));
}

/// What may happen to one branch of a forked INVITE.
fn of_branch(at: usize) -> Vec<AnswerTrigger> {
    vec![
        AnswerTrigger::Trying(at),
        AnswerTrigger::Provisional(at),
        AnswerTrigger::Final(at, 200),
        AnswerTrigger::Final(at, 302),
        AnswerTrigger::Final(at, 486),
        AnswerTrigger::Final(at, 603),
        AnswerTrigger::Timeout(at),
        AnswerTrigger::FlowLost(at),
    ]
}

#[test]
fn a_forked_invite_is_answered_once_and_no_branch_is_cancelled_twice() {
    // The context, final answers below 300 and above, branches that were cancelled.
    type Node = (String, u8, u8, [u8; 2]);
    let mut contexts: BTreeMap<String, ResponseContext> = BTreeMap::new();
    let start = ResponseContext::new(true, 2);
    contexts.insert(format!("{start:?}"), start.clone());
    let mut open: VecDeque<Node> = VecDeque::from([(format!("{start:?}"), 0, 0, [0; 2])]);
    let mut seen: BTreeSet<Node> = open.iter().cloned().collect();
    while let Some((name, good, bad, cancelled)) = open.pop_front() {
        let context = contexts[&name].clone();
        let mut triggers = of_branch(0);
        triggers.extend(of_branch(1));
        triggers.push(AnswerTrigger::CallerCancels);
        for trigger in triggers {
            let mut actions = Vec::new();
            let after = context.clone().step(trigger, &mut actions);
            let (mut good, mut bad, mut cancelled) = (good, bad, cancelled);
            for action in &actions {
                match (action, trigger) {
                    (Action::Forward(_), AnswerTrigger::Final(_, 200..=299)) => good = 1,
                    (Action::Forward(_), AnswerTrigger::Provisional(_)) => {
                        assert_eq!((good, bad), (0, 0), "progress after the end");
                    }
                    (Action::Forward(_), other) => panic!("{other:?} is forwarded"),
                    (Action::ForwardStored(..), _) => bad += 1,
                    (Action::Cancel(at, _), _) => {
                        cancelled[*at] += 1;
                        assert!(!matches!(context.branches()[*at], Branch::Calling | Branch::Completed(_)));
                    }
                    (Action::Next, _) => panic!("nobody is next"),
                }
            }
            assert!(bad <= 1 && (good == 0 || bad == 0), "{context:?} {trigger:?} {actions:?}");
            assert!(cancelled.iter().all(|count| *count <= 1), "{context:?} {trigger:?}");
            assert_eq!(after.answered().is_some(), good + bad > 0, "{context:?} {trigger:?}");
            assert!(!after.finished() || after.answered().is_some(), "{context:?} {trigger:?}");
            let name = format!("{after:?}");
            contexts.insert(name.clone(), after);
            let node = (name, good, bad, cancelled);
            if seen.insert(node.clone()) {
                open.push_back(node);
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
    // The table shows one branch.
    let mut table = String::from("\n| Branch | Trigger | Next | Actions |\n|---|---|---|---|\n");
    let mut rows: BTreeMap<String, ResponseContext> = BTreeMap::new();
    let mut open = VecDeque::from([ResponseContext::new(true, 1), ResponseContext::new(true, 1).with_next()]);
    while let Some(context) = open.pop_front() {
        if rows.insert(format!("{context:?}"), context.clone()).is_some() {
            continue;
        }
        for trigger in of_branch(0).into_iter().chain([AnswerTrigger::CallerCancels, AnswerTrigger::NoAnswer])
        {
            let mut actions = Vec::new();
            let after = context.clone().step(trigger, &mut actions);
            if after != context || !actions.is_empty() {
                let shown: Vec<String> = actions.iter().map(|action| format!("{action:?}")).collect();
                let of = |context: &ResponseContext| {
                    let answered =
                        context.answered().map_or(String::new(), |status| format!(", {status} sent"));
                    let next = if context.has_next() { ", somebody is next" } else { "" };
                    format!("{:?}{answered}{next}", context.branches()[0])
                };
                writeln!(table, "| {} | {trigger:?} | {} | {} |", of(&context), of(&after), shown.join(", "))
                    .unwrap();
            }
            open.push_back(after);
        }
    }
    compare("branch", &table);
}
