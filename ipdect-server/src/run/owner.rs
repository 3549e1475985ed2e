//! The owner of the node: one task that hands it what arrives, and performs what it asks for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout_at};

use super::reload::needs_restart;
use super::{Arrivals, DoorTls, Reloaded};
use crate::config::{Configuration, Transport};
use crate::control::Control;
use crate::core::node::Node;
use crate::core::vocabulary::{Effect, FlowId, Input, LadderStep, Level, LinkId, StoreWrite};
use crate::media::plan::MediaEvent;
use crate::media::worker::Workers;
use crate::net::arrival::{Arrival, Outgoing};
use crate::net::dial::{Target, dial};
use crate::net::tls::TlsContext;
use crate::store::StoreHandle;

/// How long calls and registrations may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long connections may take to send their last bytes.
const CLOSING: Duration = Duration::from_secs(3);

/// Lines about strangers in a minute; the others are counted.
const LINES: u32 = 20;
const MINUTE: Duration = Duration::from_mins(1);

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All calls and registrations were ended.
    Clean,
    /// Some registrations could not be ended in time.
    Late {
        /// How many handsets a front end may still think registered.
        registered: usize,
    },
    /// The owner itself failed.
    Broken,
}

/// The owner and what it performs effects with.
pub(super) struct Owner {
    node: Node,
    configuration: Arc<Configuration>,
    tls: Option<TlsContext>,
    door_tls: DoorTls,
    arrivals: Arrivals,
    flows: BTreeMap<FlowId, Outgoing>,
    links: BTreeMap<LinkId, Outgoing>,
    /// Connections whose task has not ended yet.
    alive: BTreeSet<FlowId>,
    store: StoreHandle,
    workers: Workers,
    ladder: Option<mpsc::Sender<LadderStep>>,
    buffer: BytesMut,
    /// Ends of connections that we found out ourselves.
    backlog: VecDeque<Arrival>,
    lost_writes: u64,
    /// Since when, and how many were turned away: strangers do not fill the log.
    turned_away: (Instant, u32),
    stopped: bool,
}

impl Owner {
    #[expect(clippy::too_many_arguments, reason = "it owns them all; called once")]
    pub(super) fn new(
        node: Node,
        configuration: Arc<Configuration>,
        tls: Option<TlsContext>,
        door_tls: DoorTls,
        arrivals: Arrivals,
        store: StoreHandle,
        workers: Workers,
        ladder: Option<mpsc::Sender<LadderStep>>,
    ) -> Self {
        Self {
            node,
            configuration,
            tls,
            door_tls,
            arrivals,
            flows: BTreeMap::new(),
            links: BTreeMap::new(),
            alive: BTreeSet::new(),
            store,
            workers,
            ladder,
            buffer: BytesMut::new(),
            backlog: VecDeque::new(),
            lost_writes: 0,
            turned_away: (Instant::now(), 0),
            stopped: false,
        }
    }

    /// Runs until it was asked to stop and has.
    pub(super) async fn run(
        mut self,
        mut arriving: mpsc::Receiver<Arrival>,
        mut reported: mpsc::Receiver<MediaEvent>,
        mut controls: mpsc::Receiver<Control>,
    ) -> Ending {
        let mut give_up: Option<Instant> = None;
        let mut asked = true;
        self.perform(Instant::now());
        while !self.stopped {
            let deadline = [self.node.poll_timeout(), give_up].into_iter().flatten().min();
            tokio::select! {
                biased;
                control = controls.recv(), if asked => {
                    // When everybody who could ask has gone, nobody wants the server any more.
                    asked = control.is_some();
                    match control {
                        Some(Control::Shutdown) | None if give_up.is_none() => {
                            give_up = Some(Instant::now() + PATIENCE);
                            self.input(Input::Shutdown);
                        }
                        Some(control) => self.control(control),
                        None => {}
                    }
                },
                Some(event) = reported.recv() => self.input(Input::Media(event)),
                Some(arrival) = arriving.recv() => self.arrival(arrival),
                () = until(deadline) => {}
            }
            let now = Instant::now();
            if self.node.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.node.handle_timeout(now);
                self.perform(now);
            }
            if give_up.is_some_and(|at| at <= now) {
                break;
            }
        }
        let status = self.node.status(Instant::now());
        let registered = status.handsets.iter().filter(|handset| handset.registered).count();
        self.close_all(&mut arriving).await;
        if self.stopped { Ending::Clean } else { Ending::Late { registered } }
    }

    fn input(&mut self, input: Input<'_>) {
        let now = Instant::now();
        self.node.handle_input(now, input);
        self.perform(now);
        while let Some(arrival) = self.backlog.pop_front() {
            self.hand_over(arrival);
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            // Whoever asked may have gone meanwhile.
            Control::Status(answer) => drop(answer.send(self.node.status(Instant::now()))),
            Control::Command(command) => self.input(Input::Command(command)),
            Control::Reload(reloaded) => self.reload(*reloaded),
            Control::Shutdown => {}
        }
    }

    fn arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::TurnedAway { door, remote, reason } => {
                let now = Instant::now();
                if now.saturating_duration_since(self.turned_away.0) >= MINUTE {
                    let unsaid = self.turned_away.1.saturating_sub(LINES);
                    if unsaid > 0 {
                        tracing::warn!("{unsaid} more connections were turned away");
                    }
                    self.turned_away = (now, 0);
                }
                self.turned_away.1 += 1;
                if self.turned_away.1 <= LINES {
                    tracing::warn!("{door}: {remote} was turned away: {reason}");
                }
            }
            arrival => self.hand_over(arrival),
        }
        while let Some(arrival) = self.backlog.pop_front() {
            self.hand_over(arrival);
        }
    }

    /// Hands an arrival to the node, if it is about a connection that the node knows.
    fn hand_over(&mut self, arrival: Arrival) {
        let now = Instant::now();
        match arrival {
            Arrival::FlowOpened { flow, proxy, local, remote, peer_names, outgoing } => {
                if let Some(outgoing) = outgoing {
                    self.alive.insert(flow);
                    self.flows.insert(flow, outgoing);
                }
                if !self.flows.contains_key(&flow) {
                    return;
                }
                tracing::info!("SIP connection {} with {remote} ({})", flow.0, peer_names.join(", "));
                self.node.handle_input(now, Input::FlowOpened { flow, proxy, local, remote, peer_names });
            }
            Arrival::FlowBytes { flow, bytes } if self.flows.contains_key(&flow) => {
                self.node.handle_input(now, Input::FlowBytes { flow, bytes: &bytes });
            }
            Arrival::FlowClosed { flow, reason } => {
                self.alive.remove(&flow);
                if self.flows.remove(&flow).is_none() {
                    return;
                }
                tracing::info!("SIP connection {} ended: {reason}", flow.0);
                self.node.handle_input(now, Input::FlowClosed { flow, reason });
            }
            Arrival::DialFailed { flow, reason } => {
                self.alive.remove(&flow);
                if self.flows.remove(&flow).is_none() {
                    return;
                }
                self.node.handle_input(now, Input::DialFailed { flow, reason });
            }
            Arrival::LinkOpened { link, remote, outgoing } => {
                self.links.insert(link, outgoing);
                tracing::info!("base station at {remote} connected");
                self.node.handle_input(now, Input::LinkOpened { link, remote });
            }
            Arrival::LinkBytes { link, bytes } if self.links.contains_key(&link) => {
                self.node.handle_input(now, Input::LinkBytes { link, bytes: &bytes });
            }
            Arrival::LinkClosed { link, reason } if self.links.remove(&link).is_some() => {
                tracing::info!("base station's connection {} ended: {reason}", link.0);
                self.node.handle_input(now, Input::LinkClosed { link });
            }
            // Late news of connections that the node gave up, or somebody turned away.
            Arrival::FlowBytes { .. }
            | Arrival::LinkBytes { .. }
            | Arrival::LinkClosed { .. }
            | Arrival::TurnedAway { .. } => return,
        }
        self.perform(now);
    }

    /// Performs everything that the node asks for.
    fn perform(&mut self, now: Instant) {
        while let Some(effect) = self.node.poll_effect(&mut self.buffer) {
            match effect {
                Effect::Dial { flow, proxy } => self.dial(flow, proxy),
                Effect::FlowBytes { flow, len } => {
                    let bytes = self.buffer.split_to(len).freeze();
                    if self.flows.get(&flow).is_some_and(|outgoing| !outgoing.send(bytes)) {
                        let reason = "the other side takes our messages too slowly".to_owned();
                        self.backlog.push_back(Arrival::FlowClosed { flow, reason });
                    }
                }
                // The task ends after what was sent, and its end is no news.
                Effect::CloseFlow { flow } => drop(self.flows.remove(&flow)),
                Effect::LinkBytes { link, len } => {
                    let bytes = self.buffer.split_to(len).freeze();
                    if self.links.get(&link).is_some_and(|outgoing| !outgoing.send(bytes)) {
                        let reason = "the base station takes our messages too slowly".to_owned();
                        self.backlog.push_back(Arrival::LinkClosed { link, reason });
                    }
                }
                Effect::CloseLink { link } => drop(self.links.remove(&link)),
                Effect::Store(write) => self.keep(write),
                Effect::Media(command) => self.workers.command(command),
                Effect::Log { level, text } => log(level, &text),
                Effect::Trace(step) => {
                    if let Some(ladder) = &self.ladder {
                        // A reader who does not keep up misses arrows.
                        let _ = ladder.try_send(step);
                    }
                }
                Effect::Stopped => self.stopped = true,
            }
        }
        debug_assert!(self.buffer.is_empty(), "octets without an effect at {now:?}");
    }

    fn dial(&mut self, flow: FlowId, proxy: usize) {
        let (outgoing, end) = Outgoing::new();
        self.flows.insert(flow, outgoing);
        let Some(chosen) = self.configuration.sip.proxies.get(proxy) else {
            let reason = "the configuration has no such proxy".to_owned();
            self.backlog.push_back(Arrival::DialFailed { flow, reason });
            return;
        };
        let transport = self.configuration.sip.transport;
        let tls = match (transport, &self.tls) {
            (Transport::Tls, Some(tls)) => Some(tls.towards_proxies.clone()),
            (Transport::Tls, None) => {
                let reason = "TLS needs a certificate: name one in tls.certificate".to_owned();
                self.backlog.push_back(Arrival::DialFailed { flow, reason });
                return;
            }
            (Transport::Tcp, _) => None,
        };
        let target = Target { host: chosen.uri.host.clone(), port: chosen.port(transport), tls };
        self.alive.insert(flow);
        tokio::spawn(dial(flow, proxy, target, end, self.arrivals.clone()));
    }

    fn keep(&mut self, write: StoreWrite) {
        if !self.store.write(write) {
            self.lost_writes += 1;
            if self.lost_writes.is_power_of_two() {
                tracing::error!("the store does not keep up: {} entries are lost so far", self.lost_writes);
            }
        }
    }

    fn reload(&mut self, reloaded: Reloaded) {
        let sections = needs_restart(&self.configuration, &reloaded.configuration);
        if let Some(tls) = reloaded.tls {
            self.door_tls.change(&self.configuration, &tls);
            self.tls = Some(tls);
        }
        if sections.is_empty() {
            tracing::info!(
                "reloaded: certificates, authorities and trusted peers are those of the files now"
            );
        } else {
            tracing::warn!(
                "reloaded: certificates, authorities and trusted peers are those of the files now; changes in [{}] take \
                 effect at the next start",
                sections.join("], [")
            );
        }
    }

    /// Closes all connections after what was sent.
    async fn close_all(&mut self, arriving: &mut mpsc::Receiver<Arrival>) {
        let deadline = tokio::time::Instant::now() + CLOSING;
        self.flows.clear();
        self.links.clear();
        while !self.alive.is_empty() {
            match timeout_at(deadline, arriving.recv()).await {
                Ok(Some(Arrival::FlowClosed { flow, .. } | Arrival::DialFailed { flow, .. })) => {
                    self.alive.remove(&flow);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn log(level: Level, text: &str) {
    match level {
        Level::Error => tracing::error!("{text}"),
        Level::Warning => tracing::warn!("{text}"),
        Level::Notice => tracing::info!("{text}"),
        Level::Debug => tracing::debug!("{text}"),
    }
}
