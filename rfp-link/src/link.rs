//! The machine: one end of one connection between a base station and its server.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use zeroize::Zeroize;

use crate::codec::Frame;
use crate::error::{Error, Rule};
use crate::field::Extensions;
use crate::framing::FrameDecoder;
use crate::hello::Hello;
use crate::machine::{Action, State, Trigger, step};
use crate::message::Message;
use crate::refusal::{Reason, Refusal};
use crate::role::Role;
use crate::version::no_common_version;

/// How one end of a link behaves.
///
/// docs/radio-link.md 6
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Config {
    /// Which end this is.
    pub role: Role,
    /// What it says of itself.
    pub hello: Hello,
    /// After so long without a frame from the peer a heartbeat is sent (15 s).
    pub heartbeat: Duration,
    /// After so long without a frame from the peer the link has ended (40 s).
    pub timeout: Duration,
}

impl Config {
    /// The usual intervals: 15 s and 40 s.
    ///
    /// docs/radio-link.md 6
    #[must_use]
    pub fn new(role: Role, hello: Hello) -> Self {
        Self { role, hello, heartbeat: HEARTBEAT, timeout: TIMEOUT }
    }
}

/// What comes from the connection below.
///
/// docs/radio-link.md 2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// Octets, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection is gone.
    Closed,
}

/// Octets were appended to the caller's buffer, to be sent to the peer.
///
/// docs/radio-link.md 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transmit {
    /// How many octets were appended.
    pub len: usize,
}

/// What the owner learns.
///
/// docs/radio-link.md 7
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The link is up; this is the peer's hello.
    Up(Hello),
    /// A message of the peer.
    Message(Message),
    /// One end refused the other. Send what is to be sent and close the connection.
    Refused {
        /// Who refused.
        by: Role,
        /// Why.
        reason: Refusal,
        /// Why, in clear words.
        text: String,
    },
    /// The link has ended. Send what is to be sent and close the connection.
    Down(DownReason),
}

/// Why a link ended.
///
/// docs/radio-link.md 6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DownReason {
    /// The connection below was lost.
    ConnectionLost,
    /// The peer's hello did not come in time.
    NoHello,
    /// Nothing was received for the time limit.
    TimedOut,
    /// The peer does not read.
    Congested,
    /// One end closed it on purpose.
    Closed {
        /// Who closed.
        by: Role,
        /// Why.
        reason: Reason,
    },
    /// The peer broke a rule.
    Breach(Error),
}

/// One end of the radio link over one connection. A new connection needs a new `Link`.
///
/// Call [`handle_input`](Self::handle_input), [`handle_timeout`](Self::handle_timeout) or a verb, then drain
/// [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event) and [`poll_timeout`](Self::poll_timeout).
///
/// docs/radio-link.md 7
#[derive(Clone)]
pub struct Link {
    config: Config,
    state: State,
    decoder: FrameDecoder,
    extensions: Extensions,
    outbox: Vec<u8>,
    events: VecDeque<Event>,
    /// When to send a heartbeat; none before the peer's hello.
    heartbeat_at: Option<Instant>,
    /// When to give up.
    timeout_at: Option<Instant>,
}

impl Link {
    /// A link over a connection that has just been made; the hello waits to be sent.
    ///
    /// docs/radio-link.md 3
    #[must_use]
    pub fn new(now: Instant, config: Config) -> Self {
        let mut link = Self {
            state: State::HelloSent,
            decoder: FrameDecoder::new(),
            extensions: Extensions::Refused,
            outbox: Vec::new(),
            events: VecDeque::new(),
            heartbeat_at: None,
            timeout_at: Some(now + config.timeout),
            config,
        };
        link.put(&Frame::Hello(link.config.role, link.config.hello.clone()));
        link
    }

    /// Takes what came from the connection. An error has ended the link and is also told by [`Event::Down`].
    ///
    /// docs/radio-link.md 2
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        let octets = match input {
            Input::Bytes(octets) => octets,
            Input::Closed => {
                self.advance(now, Trigger::ConnectionLost, &Subject::Down(DownReason::ConnectionLost));
                return Ok(());
            }
        };
        if self.is_over() {
            return Ok(());
        }
        self.decoder.push(octets);
        let result = self.read_frames(now);
        self.decoder.wipe_read();
        result
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    ///
    /// docs/radio-link.md 6
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timeout_at.is_some_and(|at| at <= now) {
            let reason =
                if self.state == State::HelloSent { DownReason::NoHello } else { DownReason::TimedOut };
            self.advance(now, Trigger::TimeOut, &Subject::Down(reason));
        } else if self.heartbeat_at.is_some_and(|at| at <= now) {
            self.advance(now, Trigger::Silence, &Subject::Nothing);
        }
    }

    /// Sends a message over the open link.
    ///
    /// docs/radio-link.md 4
    #[expect(
        clippy::needless_pass_by_value,
        reason = "keys inside the message are wiped when it is dropped here"
    )]
    pub fn send(&mut self, now: Instant, message: Message) -> Result<(), Error> {
        if self.state != State::Up {
            return Err(Error::NotUp);
        }
        let ours = match message {
            Message::Heartbeat | Message::HeartbeatAnswer => false,
            _ => message.sender() != Some(self.config.role.peer()),
        };
        if !ours {
            return Err(Error::NotOurs);
        }
        Frame::Message(message.clone()).emit(&mut self.outbox)?;
        self.watch_outbox(now);
        if self.is_over() { Err(Error::Congested { limit: OUTBOX_LIMIT }) } else { Ok(()) }
    }

    /// Refuses the peer, for example a base station that nobody knows. The text says why in clear words.
    ///
    /// docs/radio-link.md 3.3
    pub fn refuse(&mut self, now: Instant, reason: Refusal, text: &str) {
        let by = self.config.role;
        self.advance(now, Trigger::Refuse, &Subject::Refused { by, reason, text: text.to_owned() });
    }

    /// Ends the link on purpose.
    ///
    /// docs/radio-link.md 6
    pub fn close(&mut self, now: Instant, reason: Reason) {
        let by = self.config.role;
        self.advance(now, Trigger::Close, &Subject::Down(DownReason::Closed { by, reason }));
    }

    /// Appends everything that waits to be sent. The caller's buffer may then hold keys: wipe it after sending.
    ///
    /// docs/radio-link.md 2
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        if self.outbox.is_empty() {
            return None;
        }
        let len = self.outbox.len();
        buffer.extend_from_slice(&self.outbox);
        self.outbox.zeroize();
        Some(Transmit { len })
    }

    /// The next thing the owner has to know.
    ///
    /// docs/radio-link.md 7
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    ///
    /// docs/radio-link.md 6
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.heartbeat_at, self.timeout_at].into_iter().flatten().min()
    }

    /// Where the link is.
    ///
    /// docs/radio-link.md 7
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Which end this is.
    ///
    /// docs/radio-link.md 1
    #[must_use]
    pub fn role(&self) -> Role {
        self.config.role
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Refused | State::Closed)
    }

    fn read_frames(&mut self, now: Instant) -> Result<(), Error> {
        while !self.is_over() {
            let frame = match self.decoder.next_body() {
                None => break,
                Some(body) => body.and_then(|body| Frame::parse(body, self.extensions)),
            };
            match frame {
                Ok(frame) => self.take_frame(now, frame)?,
                Err(error) => {
                    self.advance(now, Trigger::Breach, &Subject::Down(DownReason::Breach(error)));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn take_frame(&mut self, now: Instant, frame: Frame) -> Result<(), Error> {
        let peer = self.config.role.peer();
        match frame {
            Frame::Hello(role, hello) => {
                if let Some((reason, text)) = self.objection(role, &hello) {
                    let by = self.config.role;
                    self.advance(now, Trigger::HelloDoesNotSuit, &Subject::Refused { by, reason, text })
                } else {
                    let newer = hello.edition > self.config.hello.edition;
                    self.extensions = if newer { Extensions::Skipped } else { Extensions::Refused };
                    self.advance(now, Trigger::HelloSuits, &Subject::Hello(hello))
                }
            }
            Frame::Refuse(reason, text) => {
                self.advance(now, Trigger::PeerRefuses, &Subject::Refused { by: peer, reason, text })
            }
            Frame::Close(reason) => {
                let reason = DownReason::Closed { by: peer, reason };
                self.advance(now, Trigger::PeerCloses, &Subject::Down(reason))
            }
            Frame::Unknown(_) => self.advance(now, Trigger::Unknown, &Subject::Nothing),
            Frame::Message(Message::Heartbeat) => self.advance(now, Trigger::Heartbeat, &Subject::Nothing),
            Frame::Message(Message::HeartbeatAnswer) => {
                self.advance(now, Trigger::HeartbeatAnswer, &Subject::Nothing)
            }
            Frame::Message(message) if message.sender() == Some(self.config.role) => {
                let error = Error::Misbehaved { by: peer, rule: Rule::Direction };
                self.advance(now, Trigger::Breach, &Subject::Down(DownReason::Breach(error)));
                Some(error)
            }
            Frame::Message(message) => self.advance(now, Trigger::Message, &Subject::Message(message)),
        }
        .map_or(Ok(()), Err)
    }

    /// What speaks against a peer with this hello.
    fn objection(&self, role: Role, hello: &Hello) -> Option<(Refusal, String)> {
        let own = self.config.role;
        if role == own {
            return Some((
                Refusal::SameRole,
                format!("both ends of this connection say that they are the {own}"),
            ));
        }
        if self.config.hello.protocol.agree(hello.protocol).is_none() {
            let text = no_common_version(own, self.config.hello.protocol, hello.protocol);
            return Some((Refusal::NoCommonVersion, text));
        }
        None
    }

    /// Goes one step and does what it asks for. The error is the rule that the step found broken.
    fn advance(&mut self, now: Instant, trigger: Trigger, subject: &Subject) -> Option<Error> {
        let (state, actions) = step(self.state, trigger);
        self.state = state;
        let mut broken = None;
        for action in actions {
            match (*action, subject) {
                (Action::ReportUp, Subject::Hello(hello)) => self.events.push_back(Event::Up(hello.clone())),
                (Action::ReportMessage, Subject::Message(message)) => {
                    self.events.push_back(Event::Message(message.clone()));
                }
                (Action::ReportRefused, Subject::Refused { by, reason, text }) => {
                    self.events.push_back(Event::Refused { by: *by, reason: *reason, text: text.clone() });
                }
                (Action::ReportDown, Subject::Down(reason)) => self.events.push_back(Event::Down(*reason)),
                (Action::SendRefuse, Subject::Refused { reason, text, .. }) => {
                    self.put(&Frame::Refuse(*reason, text.clone()));
                }
                (Action::SendClose, Subject::Down(DownReason::Closed { reason, .. })) => {
                    self.put(&Frame::Close(*reason));
                }
                (Action::SendClose, _) => self.put(&Frame::Close(Reason::Breach)),
                (Action::SendHeartbeat, _) => {
                    self.put(&Frame::Message(Message::Heartbeat));
                    self.heartbeat_at = Some(now + self.config.heartbeat);
                }
                (Action::SendHeartbeatAnswer, _) => self.put(&Frame::Message(Message::HeartbeatAnswer)),
                (Action::Restart, _) => {
                    self.heartbeat_at = Some(now + self.config.heartbeat);
                    self.timeout_at = Some(now + self.config.timeout);
                }
                (Action::Break(rule), _) => {
                    let error = Error::Misbehaved { by: self.config.role.peer(), rule };
                    self.put(&Frame::Close(Reason::Breach));
                    self.events.push_back(Event::Down(DownReason::Breach(error)));
                    broken = Some(error);
                }
                (
                    Action::ReportUp
                    | Action::ReportMessage
                    | Action::ReportRefused
                    | Action::ReportDown
                    | Action::SendRefuse,
                    _,
                ) => debug_assert!(false, "{trigger:?} came without what it speaks of"),
            }
        }
        if self.is_over() {
            self.heartbeat_at = None;
            self.timeout_at = None;
        } else {
            self.watch_outbox(now);
        }
        broken
    }

    /// Appends a frame of the link itself; these always fit.
    fn put(&mut self, frame: &Frame) {
        let written = frame.emit(&mut self.outbox);
        debug_assert_eq!(written, Ok(()), "{frame:?}");
    }

    /// A peer that does not read must not fill our memory.
    fn watch_outbox(&mut self, now: Instant) {
        if self.outbox.len() > OUTBOX_LIMIT && !self.is_over() {
            self.outbox.zeroize();
            self.advance(now, Trigger::Congestion, &Subject::Down(DownReason::Congested));
        }
    }
}

/// What a trigger speaks of.
enum Subject {
    Nothing,
    Hello(Hello),
    Message(Message),
    Refused { by: Role, reason: Refusal, text: String },
    Down(DownReason),
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Link")
            .field("role", &self.config.role)
            .field("state", &self.state)
            .field("decoder", &self.decoder)
            .field("waiting", &self.outbox.len())
            .field("events", &self.events.len())
            .field("poll_timeout", &self.poll_timeout())
            .finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.outbox.zeroize();
    }
}

/// Heartbeat interval.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Time limit without a frame of the peer.
const TIMEOUT: Duration = Duration::from_secs(40);
/// Most octets that may wait to be sent.
const OUTBOX_LIMIT: usize = 256 * 1024;
