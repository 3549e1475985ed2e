//! The shell of the front end: a listener, its connections, and the one task that owns the machine.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::SipUri;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::applications::Services;
use super::connection::{Connection, Report};
use super::mixing::MediaNews;
use super::stream::{self, Acceptor, Opened, Security};
use super::tls::Identity;
#[cfg(feature = "legacy-tls")]
use super::tls_dsk::{TlsDsk, TlsDskOptions};
use crate::frontend::{Deregistration, Event, Fault, FlowId, FrontEnd, FrontEndConfig, HandshakeTurn, Input};
use crate::{Seed, net};

/// How a front end is started.
///
/// README.md, section "Front end"
#[derive(Clone, Debug)]
pub struct FrontEndOptions {
    /// The machine's configuration; its port is set from `listen` where that has one.
    pub config: FrontEndConfig,
    /// Where it listens; port 0: any.
    pub listen: SocketAddr,
    /// TCP, or TLS with its certificate.
    pub security: Security,
    /// The randomness; none: from the operating system.
    pub seed: Option<Seed>,
    /// Where names of trusted peers lead when the front end dials them; others are resolved by the system.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Where conferences and voice mail receive media; none: where it listens, on all addresses the loopback.
    pub media: Option<IpAddr>,
    /// Whether TLS-DSK is offered beside NTLM, and how.
    #[cfg(feature = "legacy-tls")]
    pub tls_dsk: Option<TlsDskOptions>,
}

impl FrontEndOptions {
    /// Options with everything else as usual.
    ///
    /// README.md, section "Front end"
    pub fn new(config: FrontEndConfig, listen: SocketAddr, security: Security) -> Self {
        Self {
            config,
            listen,
            security,
            seed: None,
            hosts: BTreeMap::new(),
            media: None,
            #[cfg(feature = "legacy-tls")]
            tls_dsk: None,
        }
    }
}

/// What a running front end can be told.
///
/// README.md, section "Front end"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrontEndCommand {
    /// Fault: forget all registrations, publications and calls, as after a restart, and close all connections.
    Restart,
    /// Misbehave in these ways from now on, in no other.
    Faults(Vec<Fault>),
    /// Enter or leave the survivable mode.
    Survivable(bool),
    /// Call somebody into a conference, named first.
    Invite(String, String),
    /// End the registrations of a user.
    Deregister(SipUri, Deregistration),
    /// End.
    Stop,
}

/// A running front end.
///
/// README.md, section "Front end"
#[derive(Debug)]
pub struct FrontEndServer {
    /// Where it listens.
    pub local: SocketAddr,
    /// What it reports.
    pub events: mpsc::UnboundedReceiver<Event>,
    /// What it can be told.
    pub commands: mpsc::Sender<FrontEndCommand>,
}

impl FrontEndServer {
    /// Opens the listener and starts the task; it ends with [`FrontEndCommand::Stop`] or when `commands` is dropped.
    ///
    /// README.md, section "Front end"
    pub async fn start(options: FrontEndOptions) -> io::Result<Self> {
        let mut security = options.security.clone();
        for fault in &options.config.faults {
            if let (Fault::Certificate(certificate, key), Security::Tls { identity, .. }) =
                (fault, &mut security)
            {
                let shown = Identity::read(Path::new(certificate), Path::new(key))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
                *identity = Some(shown);
            }
        }
        let acceptor =
            Acceptor::new(&security).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(options.listen).await?;
        let local = listener.local_addr()?;
        let seed = match options.seed {
            Some(seed) => seed,
            None => net::seed()?,
        };
        let (events_to, events) = mpsc::unbounded_channel();
        let (commands, commands_from) = mpsc::channel(16);
        let mut config = options.config.clone();
        config.port = local.port();
        config.tls = matches!(options.security, Security::Tls { .. });
        #[cfg(feature = "legacy-tls")]
        let tls_dsk = match &options.tls_dsk {
            Some(wanted) => Some(TlsDsk::start(wanted, &mut config, &security).await?),
            None => None,
        };
        let config_restart = config.faults.iter().find_map(|fault| match fault {
            Fault::Restart(after) => Some(Instant::now() + *after),
            _ => None,
        });
        let (reports_to, reports) = mpsc::channel(1024);
        let (opened_to, opened) = mpsc::channel(64);
        let media = options.media.unwrap_or_else(|| match local.ip() {
            listens if listens.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            listens => listens,
        });
        let (services, told) = Services::start(&config, seed, media);
        let task = Task {
            services,
            machine: FrontEnd::new(config.clone(), seed),
            config,
            seed,
            options,
            flows: BTreeMap::new(),
            next_flow: 0,
            reports_to,
            opened_to,
            events: events_to,
            restart: config_restart,
            #[cfg(feature = "legacy-tls")]
            tls_dsk,
        };
        tokio::spawn(task.run(listener, acceptor, reports, opened, commands_from, told));
        Ok(Self { local, events, commands })
    }
}

type Opening = (FlowId, io::Result<Opened>);

struct Task {
    machine: FrontEnd,
    services: Services,
    config: FrontEndConfig,
    seed: Seed,
    options: FrontEndOptions,
    flows: BTreeMap<FlowId, Connection>,
    next_flow: u32,
    reports_to: mpsc::Sender<(FlowId, Report)>,
    opened_to: mpsc::Sender<Opening>,
    events: mpsc::UnboundedSender<Event>,
    /// The fault `restart`: when.
    restart: Option<Instant>,
    #[cfg(feature = "legacy-tls")]
    tls_dsk: Option<TlsDsk>,
}

impl Task {
    async fn run(
        mut self,
        listener: TcpListener,
        acceptor: Acceptor,
        mut reports: mpsc::Receiver<(FlowId, Report)>,
        mut opened: mpsc::Receiver<Opening>,
        mut commands: mpsc::Receiver<FrontEndCommand>,
        mut told: mpsc::UnboundedReceiver<MediaNews>,
    ) {
        loop {
            let deadlines = [self.machine.poll_timeout(), self.services.poll_timeout()];
            let deadline = deadlines.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + IDLE);
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        self.next_flow = self.next_flow.wrapping_add(1) & 0x7fff_ffff;
                        let flow = FlowId(self.next_flow);
                        let (acceptor, opened) = (acceptor.clone(), self.opened_to.clone());
                        tokio::spawn(async move {
                            let result = match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                                Ok(result) => result,
                                Err(_) => Err(io::ErrorKind::TimedOut.into()),
                            };
                            let _ = opened.send((flow, result)).await;
                        });
                    }
                }
                Some((flow, result)) = opened.recv() => self.opened(flow, result),
                Some((flow, report)) = reports.recv() => self.report(flow, report),
                Some(news) = told.recv() => self.services.told(news),
                command = commands.recv() => match command {
                    Some(FrontEndCommand::Restart) => self.restart(),
                    Some(FrontEndCommand::Faults(faults)) => self.machine.set_faults(faults),
                    Some(FrontEndCommand::Survivable(on)) => self.machine.set_survivable(Instant::now(), on),
                    Some(FrontEndCommand::Invite(conference, target)) => {
                        self.machine.invite_to_conference(&conference, &target);
                    }
                    Some(FrontEndCommand::Deregister(user, why)) => {
                        self.machine.deregister(Instant::now(), &user, &why);
                    }
                    Some(FrontEndCommand::Stop) | None => return,
                },
                () = sleep_until(self.restart.unwrap_or(deadline).into()), if self.restart.is_some() => {
                    self.restart = None;
                    self.restart();
                }
                () = sleep_until(deadline.into()) => {
                    self.machine.handle_timeout(Instant::now());
                    self.services.handle_timeout();
                }
            }
            self.drain();
        }
    }

    fn opened(&mut self, flow: FlowId, result: io::Result<Opened>) {
        match result {
            Ok(Opened { local, remote, names, stream }) => {
                let pace = self.config.faults.iter().find_map(|fault| match fault {
                    Fault::SlowReader(octets) => Some(*octets),
                    _ => None,
                });
                let connection = Connection::start_at_pace(stream, flow, self.reports_to.clone(), pace);
                self.flows.insert(flow, connection);
                self.machine.handle_input(
                    Instant::now(),
                    Input::FlowOpened { flow, local, remote, peer_names: names },
                );
            }
            Err(error) => {
                tracing::info!(flow = flow.0, %error, "a connection did not come up");
                self.machine.handle_input(Instant::now(), Input::FlowClosed { flow });
            }
        }
    }

    fn report(&mut self, flow: FlowId, report: Report) {
        match report {
            Report::Bytes(bytes) => {
                self.machine.handle_input(Instant::now(), Input::Bytes { flow, bytes: &bytes });
            }
            Report::Closed(reason) => {
                if self.flows.remove(&flow).is_some() {
                    tracing::debug!(flow = flow.0, reason, "connection closed");
                    self.machine.handle_input(Instant::now(), Input::FlowClosed { flow });
                }
            }
        }
    }

    fn restart(&mut self) {
        self.flows.clear();
        // Another seed: routes recorded before are no longer valid, as after a real restart.
        for octet in &mut self.seed.0 {
            *octet = octet.wrapping_add(1);
        }
        self.machine = FrontEnd::new(self.config.clone(), self.seed);
    }

    fn drain(&mut self) {
        loop {
            let more = self.drain_machine();
            if !self.services.carry(&mut self.machine) && !more {
                return;
            }
        }
    }

    /// Whether more is to be drained at once.
    fn drain_machine(&mut self) -> bool {
        let mut more = false;
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.machine.poll_transmit(&mut buffer) {
            let octets = stream::taken(&mut buffer, transmit.len);
            if FrontEnd::is_application(transmit.flow) {
                self.services.sent(transmit.flow, octets);
                continue;
            }
            let delivered = self.flows.get(&transmit.flow).is_some_and(|flow| flow.send(octets));
            if !delivered && self.flows.remove(&transmit.flow).is_some() {
                self.machine.handle_input(Instant::now(), Input::FlowClosed { flow: transmit.flow });
            }
        }
        while let Some(event) = self.machine.poll_event() {
            match &event {
                Event::Dial { flow, host, port } => self.dial(*flow, host, *port),
                Event::Close { flow, .. } => {
                    self.flows.remove(flow);
                    self.machine.handle_input(Instant::now(), Input::FlowClosed { flow: *flow });
                }
                Event::Handshake { opaque, begins, records } => {
                    self.handshake(opaque, *begins, records);
                    more = true;
                    continue;
                }
                event => self.services.event(&mut self.machine, event),
            }
            let _ = self.events.send(event);
        }
        more
    }

    #[cfg(feature = "legacy-tls")]
    fn handshake(&mut self, opaque: &str, begins: bool, records: &[u8]) {
        let now = Instant::now();
        let turn = match &mut self.tls_dsk {
            Some(tls_dsk) => tls_dsk.turn(now, opaque, begins, records),
            None => HandshakeTurn::Failed("the front end has no certificates for TLS-DSK".to_owned()),
        };
        self.machine.handshake_turn(now, opaque, turn);
    }

    #[cfg(not(feature = "legacy-tls"))]
    fn handshake(&mut self, opaque: &str, _begins: bool, _records: &[u8]) {
        let turn = HandshakeTurn::Failed("TLS-DSK needs the feature legacy-tls".to_owned());
        self.machine.handshake_turn(Instant::now(), opaque, turn);
    }

    fn dial(&self, flow: FlowId, host: &str, port: u16) {
        let (address, port) = match self.options.hosts.get(host) {
            Some(address) => (address.ip().to_string(), address.port()),
            None => (host.to_owned(), port),
        };
        let mut security = self.options.security.clone();
        if let Security::Tls { name, .. } = &mut security {
            *name = Some(host.to_owned());
        }
        let opened = self.opened_to.clone();
        tokio::spawn(async move {
            let dialled = stream::dial(&address, port, &security);
            let result = match timeout(HANDSHAKE, dialled).await {
                Ok(result) => result,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            let _ = opened.send((flow, result)).await;
        });
    }
}

const IDLE: Duration = Duration::from_hours(1);
const HANDSHAKE: Duration = Duration::from_secs(10);
