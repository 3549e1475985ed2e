//! The portable part: link control, mobility management and call control of one handset.
//!
//! Feed it with [`handle_input`](PortablePart::handle_input) and [`handle_timeout`](PortablePart::handle_timeout),
//! steer it with its verbs, and after each of these calls drain it with
//! [`poll_transmit`](PortablePart::poll_transmit), [`poll_event`](PortablePart::poll_event) and
//! [`poll_timeout`](PortablePart::poll_timeout).

mod call;
mod compose;
mod config;
mod event;
mod interworking;
mod link;
mod message;
mod mobility;
mod mobility_receive;
mod receive;
mod security;
mod service;
mod supplementary;

use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::authentication::{AuthenticationCode, CipherKey};
use crate::ciss::Service;
use crate::deadlines::Deadlines;
use crate::error::Error;
use crate::identity::Rfpi;
use crate::link::{CallId, Input, LinkId, ServiceId, Transmit};
use crate::outbox::Outbox;
use crate::seed::{Generator, Seed};
use crate::{cc_portable, lce, mm_portable};

pub use config::{DialElement, PortablePartConfig, Subscription};
pub use event::Event;

use call::Call;
use mobility::Procedure;

/// The timers of a portable part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// LCE.01.
    LinkRelease,
    /// LCE.02.
    LinkMaintain,
    /// LCE.04.
    LinkSuspend,
    /// The timer of the own procedure.
    Mobility,
    /// MM_auth.2: the user is to enter the personal identity.
    User,
    /// MM_wait, or the time the fixed part said.
    Wait,
    /// MM_auth.1 of the key allocation.
    Key,
    /// CC.06.
    Crossing,
    /// CC.02.
    CallRelease(CallId),
    /// CC.03.
    CallSetup(CallId),
    /// CC.04.
    CallCompletion(CallId),
    /// CC.05.
    CallConnect(CallId),
    /// `CC_service`.
    ServiceChange(CallId),
    /// `CC_segment.1`.
    Segments(CallId),
    /// The time in which somebody has to say something in a transaction of call independent services.
    Service(ServiceId),
}

/// How a portable part stands.
///
/// EN 300 175-5 14.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortablePartState {
    /// Whether it has access rights.
    pub subscribed: bool,
    /// Whether its location is registered.
    pub located: bool,
    /// The state of its link.
    pub link_state: lce::State,
    /// Whether the link is ciphered.
    pub ciphered: bool,
    /// The procedures that run.
    pub mobility: mm_portable::State,
    /// How many calls it has, ended ones included while their release is not confirmed.
    pub calls: usize,
    /// How many transactions of call independent services it has.
    pub services: usize,
    /// How many timers run.
    pub timers: usize,
}

/// The network layer of a portable part.
///
/// EN 300 175-5 4.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortablePart {
    config: PortablePartConfig,
    generator: Generator,
    subscription: Option<Subscription>,
    /// The code of a subscription that runs.
    code: Option<AuthenticationCode>,
    cipher_key: Option<CipherKey>,
    /// The key and its number with which the next link is ciphered from the beginning.
    default_key: Option<(u16, CipherKey)>,
    located: bool,
    /// The radio part in whose cell it is, as far as its owner says.
    cell: Option<Rfpi>,
    /// The cell in which it registered last, and how many leading bits of the identity name the location area.
    registered: Option<(Rfpi, u8)>,
    /// The fixed part refused and said how long to wait.
    waiting: bool,
    /// The fixed part has proven its key over this link.
    genuine: bool,
    link: Option<LinkId>,
    last_link: u32,
    ciphered: bool,
    lce: lce::State,
    queue: VecDeque<Bytes>,
    mm: mm_portable::State,
    procedure: Procedure,
    calls: BTreeMap<CallId, Call>,
    last_call: u32,
    services: BTreeMap<ServiceId, Service>,
    last_service: u32,
    deadlines: Deadlines<Timer>,
    outbox: Outbox,
    events: VecDeque<Event>,
}

impl PortablePart {
    /// A portable part that is switched on and has no link.
    ///
    /// EN 300 175-5 4.2
    pub fn new(config: PortablePartConfig, seed: Seed) -> Self {
        Self {
            subscription: config.subscription.clone(),
            config,
            generator: Generator::new(seed),
            code: None,
            cipher_key: None,
            default_key: None,
            located: false,
            cell: None,
            registered: None,
            waiting: false,
            genuine: false,
            link: None,
            last_link: 0,
            ciphered: false,
            lce: lce::State::Released,
            queue: VecDeque::new(),
            mm: mm_portable::State::default(),
            procedure: Procedure::default(),
            calls: BTreeMap::new(),
            last_call: 0,
            services: BTreeMap::new(),
            last_service: 0,
            deadlines: Deadlines::new(),
            outbox: Outbox::default(),
            events: VecDeque::new(),
        }
    }

    /// Takes what the link layer has to say. An error names what was wrong with the message; the machine has done
    /// what the standard demands in that case.
    ///
    /// EN 300 175-5 14, 17
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        match input {
            Input::Broadcast(octets) => self.broadcast(now, octets),
            Input::Established { link, sdu } => {
                self.link_confirmed(now, link);
                match sdu {
                    Some(sdu) => self.link_data(now, link, sdu),
                    None => Ok(()),
                }
            }
            Input::Data { link, sdu } => self.link_data(now, link, sdu),
            Input::Released { link, mode: _ } => {
                self.link_released(now, link);
                Ok(())
            }
            Input::Suspended { link } => {
                self.link_slept(now, link, lce::portable::Trigger::Suspended);
                Ok(())
            }
            Input::Resumed { link } => {
                self.link_slept(now, link, lce::portable::Trigger::Resumed);
                Ok(())
            }
            Input::Moved { from, to } => {
                if self.link == Some(from) {
                    self.link = Some(to);
                }
                Ok(())
            }
            Input::Encrypted { link, on } => {
                if self.link == Some(link) {
                    self.ciphered = on;
                    self.events.push_back(Event::Ciphered { on });
                }
                Ok(())
            }
        }
    }

    /// Lets timers run out that are due.
    ///
    /// EN 300 175-5 annex A
    pub fn handle_timeout(&mut self, now: Instant) {
        use cc_portable::Trigger;
        while let Some(timer) = self.deadlines.take_due(now) {
            match timer {
                Timer::LinkRelease => self.link_step(now, lce::portable::Trigger::ReleaseTimeout, None),
                Timer::LinkSuspend => self.link_step(now, lce::portable::Trigger::SuspendTimeout, None),
                Timer::Segments(call) => self.drop_segments(call),
                Timer::Service(service) => self.service_timeout(now, service),
                Timer::LinkMaintain => self.maintain_timeout(now),
                Timer::Mobility => self.mobility_timeout(now, mm_portable::Trigger::Timeout),
                Timer::User => self.user_timeout(now),
                Timer::Wait => self.waiting = false,
                Timer::Key => self.mobility_timeout(now, mm_portable::Trigger::KeyTimeout),
                // The fixed part does not call again: the user may.
                Timer::Crossing => {}
                Timer::CallRelease(call) => self.call_timeout(now, call, Trigger::ReleaseTimeout),
                Timer::CallSetup(call) => self.call_timeout(now, call, Trigger::SetupTimeout),
                Timer::CallCompletion(call) => self.call_timeout(now, call, Trigger::CompletionTimeout),
                Timer::CallConnect(call) => self.call_timeout(now, call, Trigger::ConnectTimeout),
                Timer::ServiceChange(call) => {
                    self.change_step(now, call, crate::service_change::Trigger::Timeout, None);
                }
            }
        }
    }

    /// The next transmission; its octets are appended to `buffer`.
    ///
    /// EN 300 175-4 8.3
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        self.outbox.poll(buffer)
    }

    /// The next event.
    ///
    /// EN 300 175-5 16.3
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    ///
    /// EN 300 175-5 annex A
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// How the portable part stands.
    ///
    /// EN 300 175-5 14.2.1
    pub fn state(&self) -> PortablePartState {
        PortablePartState {
            subscribed: self.subscription.is_some(),
            located: self.located,
            link_state: self.lce,
            ciphered: self.ciphered,
            mobility: self.mm,
            calls: self.calls.len(),
            services: self.services.len(),
            timers: self.deadlines.len(),
        }
    }

    /// The state of a call; nothing once it is over.
    ///
    /// EN 300 175-5 9.2.1
    pub fn call_state(&self, call: CallId) -> Option<cc_portable::State> {
        self.calls.get(&call).map(|call| call.state)
    }

    /// What is kept from the subscription.
    ///
    /// EN 300 175-5 13.5.1
    pub const fn subscription(&self) -> Option<&Subscription> {
        self.subscription.as_ref()
    }

    /// Whether something needs the link.
    fn in_use(&self) -> bool {
        !self.calls.is_empty()
            || !self.services.is_empty()
            || !self.queue.is_empty()
            || self.procedure.user.is_some()
            || self.mm != mm_portable::State::default()
    }
}
