//! The fixed part: link control, mobility management and call control for many portable parts.
//!
//! Feed it with [`handle_input`](FixedPart::handle_input) and [`handle_timeout`](FixedPart::handle_timeout), steer it
//! with its verbs, and after each of these calls drain it with [`poll_transmit`](FixedPart::poll_transmit),
//! [`poll_event`](FixedPart::poll_event) and [`poll_timeout`](FixedPart::poll_timeout).

mod call;
mod command;
mod compose;
mod config;
mod contest;
mod event;
mod handover;
mod interworking;
mod link;
mod location;
mod message;
mod mobility;
mod mobility_receive;
mod notification;
mod notify_timers;
mod receive;
mod ringing;
mod security;
mod service;
mod supplementary;

use bytes::BytesMut;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use crate::deadlines::Deadlines;
use crate::error::Error;
use crate::link::{CallId, Input, LinkId, ServiceId, Transmit};
use crate::mm_fixed::{FixedProcedure, PortableProcedure};
use crate::outbox::Outbox;
use crate::refusal::Refusal;
use crate::seed::{Generator, Seed};
use crate::{cc_fixed, lce};

pub use command::{Ciphering, IncomingCall, Information};
pub use config::{FixedPartConfig, KnownPortable, Terminal, Tones};
pub use event::{AccessRequestId, Event, PortableId};
pub use handover::HandoverParameters;
pub use message::TextMessage;
pub use notification::Notification;
pub use ringing::Group;
pub use supplementary::ServiceChange;

use call::Call;
use location::{LocationTable, Portable};

/// The timers of a fixed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// LCE.03.
    Page(PortableId),
    /// LCE.01.
    LinkRelease(PortableId),
    /// LCE.02.
    LinkMaintain(PortableId),
    /// LCE.04.
    LinkSuspend(PortableId),
    /// LCE.05.
    LinkIdle(LinkId),
    /// The timer of the fixed part's procedure.
    Mobility(PortableId),
    /// The time until the key of a ciphered link is changed.
    Rekey(PortableId),
    /// CC.01.
    Overlap(CallId),
    /// CC.02.
    CallRelease(CallId),
    /// CC.03.
    CallSetup(CallId),
    /// CC.04.
    CallCompletion(CallId),
    /// `CC_service`.
    ServiceChange(CallId),
    /// `CC_segment.1`.
    Segments(CallId),
    /// The time in which somebody has to say something in a transaction of call independent services.
    Service(ServiceId),
}

/// How one portable part stands.
///
/// EN 300 175-5 14.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortableState {
    /// Whether it has access rights.
    pub subscribed: bool,
    /// What it told of itself.
    pub terminal: Terminal,
    /// Whether it has a key.
    pub keyed: bool,
    /// The state of its link.
    pub link_state: lce::State,
    /// Its link.
    pub link: Option<LinkId>,
    /// Whether the link is ciphered.
    pub ciphered: bool,
    /// The procedures that run.
    pub mobility: crate::mm_fixed::State,
    /// How many calls it has.
    pub calls: usize,
}

/// The network layer of a fixed part with all its portable parts.
///
/// EN 300 175-5 4.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedPart {
    config: FixedPartConfig,
    generator: Generator,
    table: LocationTable,
    /// Links that are up, with the portable part once it has shown its identity.
    links: BTreeMap<LinkId, Option<PortableId>>,
    unidentified: usize,
    /// Links that have to prove that they belong to a portable part which has another one.
    contests: BTreeMap<LinkId, contest::Contest>,
    calls: BTreeMap<CallId, Call>,
    last_call: u32,
    services: service::Services,
    /// Portable parts that wait for the parameters they asked for.
    inquiries: BTreeSet<PortableId>,
    /// Collective ringing goes on: whoever answers is not a false responder.
    ringing: Option<ringing::Ringing>,
    requests: BTreeMap<AccessRequestId, PortableId>,
    last_request: u32,
    last_default_key: u16,
    deadlines: Deadlines<Timer>,
    outbox: Outbox,
    events: VecDeque<Event>,
}

impl FixedPart {
    /// A fixed part without portable parts.
    ///
    /// EN 300 175-5 4.2
    pub fn new(config: FixedPartConfig, seed: Seed) -> Self {
        Self {
            config,
            generator: Generator::new(seed),
            table: LocationTable::default(),
            links: BTreeMap::new(),
            unidentified: 0,
            contests: BTreeMap::new(),
            calls: BTreeMap::new(),
            last_call: 0,
            services: service::Services::default(),
            inquiries: BTreeSet::new(),
            ringing: None,
            requests: BTreeMap::new(),
            last_request: 0,
            last_default_key: 0,
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
            Input::Broadcast(_) => Ok(()),
            Input::Established { link, sdu } => {
                self.link_established(now, link);
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
                self.link_slept(now, link, lce::fixed::Trigger::Suspended);
                Ok(())
            }
            Input::Resumed { link } => {
                self.link_slept(now, link, lce::fixed::Trigger::Resumed);
                Ok(())
            }
            Input::Moved { from, to } => {
                self.link_moved(from, to);
                Ok(())
            }
            Input::Encrypted { link, on } => {
                self.link_encrypted(now, link, on);
                Ok(())
            }
        }
    }

    /// Lets timers run out that are due.
    ///
    /// EN 300 175-5 annex A
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.deadlines.take_due(now) {
            match timer {
                Timer::Page(portable) => self.page_timeout(now, portable),
                Timer::LinkRelease(portable) => {
                    self.link_step(now, portable, lce::fixed::Trigger::ReleaseTimeout, None);
                }
                Timer::LinkSuspend(portable) => {
                    self.link_step(now, portable, lce::fixed::Trigger::SuspendTimeout, None);
                }
                Timer::Segments(call) => self.drop_segments(call),
                Timer::Service(service) => self.service_timeout(now, service),
                Timer::LinkMaintain(portable) => self.maintain_timeout(now, portable),
                Timer::LinkIdle(link) => self.idle_timeout(link),
                Timer::Mobility(portable) => self.mobility_timeout(now, portable),
                Timer::Rekey(portable) => self.rekey_timeout(now, portable),
                Timer::Overlap(call) => self.call_timeout(now, call, cc_fixed::Trigger::OverlapTimeout),
                Timer::CallRelease(call) => self.call_timeout(now, call, cc_fixed::Trigger::ReleaseTimeout),
                Timer::CallSetup(call) => self.call_timeout(now, call, cc_fixed::Trigger::SetupTimeout),
                Timer::CallCompletion(call) => {
                    self.call_timeout(now, call, cc_fixed::Trigger::CompletionTimeout);
                }
                Timer::ServiceChange(call) => {
                    self.change_step(now, call, crate::service_change::Trigger::Timeout, None);
                }
            }
        }
    }

    /// Adds a portable part that subscribed earlier, or brings it up to date.
    ///
    /// EN 300 175-5 13.5
    pub fn add_portable(&mut self, portable: KnownPortable) -> PortableId {
        self.table.add(portable, true)
    }

    /// Forgets a portable part without telling it: its calls are released, its link is dropped.
    ///
    /// EN 300 175-5 13.5
    pub fn remove_portable(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if let Some(link) = entry.link {
            self.outbox.push(crate::outbox::Outgoing::Release(link, crate::link::ReleaseMode::Abnormal));
            self.link_released(now, link);
        }
        self.forget(now, portable);
        Ok(())
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

    /// How a portable part stands.
    ///
    /// EN 300 175-5 14.2.1
    pub fn state(&self, portable: PortableId) -> Option<PortableState> {
        let entry = self.table.get(portable)?;
        Some(PortableState {
            subscribed: entry.subscribed,
            terminal: entry.terminal,
            keyed: entry.uak.is_some(),
            link_state: entry.lce,
            link: entry.link,
            ciphered: entry.ciphered,
            mobility: entry.mm,
            calls: entry.calls.len(),
        })
    }

    /// The state of a call; nothing once it is over.
    ///
    /// EN 300 175-5 9.2.2
    pub fn call_state(&self, call: CallId) -> Option<cc_fixed::State> {
        self.calls.get(&call).map(|call| call.state)
    }

    /// The portable part with this identity.
    ///
    /// EN 300 175-5 14.2.1
    pub fn find(&self, ipui: &crate::identity::Ipui) -> Option<PortableId> {
        self.table.by_ipui(ipui)
    }

    /// How many portable parts, links and calls there are.
    ///
    /// EN 300 175-5 14.2.1
    pub fn load(&self) -> Load {
        Load {
            portables: self.table.len(),
            links: self.links.len(),
            calls: self.calls.len(),
            services: self.services.len(),
            timers: self.deadlines.len(),
        }
    }

    /// Whether something of this portable part needs its link.
    fn in_use(portable: &Portable) -> bool {
        !portable.calls.is_empty()
            || portable.services != 0
            || !portable.queue.is_empty()
            || portable.mm.fixed != FixedProcedure::None
            || portable.mm.portable != PortableProcedure::None
    }
}

/// How much a fixed part has to do.
///
/// EN 300 175-5 14.2.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Portable parts, subscribed or about to be.
    pub portables: usize,
    /// Links that are up.
    pub links: usize,
    /// Calls, ended ones included while their release is not confirmed.
    pub calls: usize,
    /// Transactions of call independent services.
    pub services: usize,
    /// Timers that run.
    pub timers: usize,
}
