//! The shell of a base station: one connection to the server, made again when it is lost, and the media sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use dect_nwk::identity::Ipei;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::audio::{read_wav, write_wav};
use super::connection::{Connection, Report};
use super::stream::{self, Opened, Security};
use super::talking::{TalkNews, TalkReport, Talking};
use crate::base::{BaseConfig, BaseStation, Event, Input};
use crate::handset::HandsetEvent;
use crate::json::HandsetCommand;
use crate::talk::Talk;
use crate::{Seed, net};

/// How a base station is started.
///
/// README.md, section "Base station"
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BaseStationOptions {
    /// The machine's configuration; its media addresses are filled in.
    pub config: BaseConfig,
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// TCP, or TLS with its certificate.
    pub security: Security,
    /// Speech channels.
    pub channels: u8,
    /// The address of the bearers; none: the one it reaches the server from.
    pub media_address: Option<IpAddr>,
    /// The randomness; none: from the operating system.
    pub seed: Option<Seed>,
}

impl BaseStationOptions {
    /// Options with everything else as usual: eight speech channels.
    ///
    /// README.md, section "Base station"
    pub fn new(config: BaseConfig, host: &str, port: u16, security: Security) -> Self {
        Self { config, host: host.to_owned(), port, security, channels: 8, media_address: None, seed: None }
    }
}

/// What a running base station reports.
///
/// README.md, section "Base station"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseStationReport {
    /// The link to the server is up.
    ServerUp {
        /// The server's name.
        name: String,
    },
    /// The link is gone, or could not be made; it is tried again.
    ServerDown {
        /// Why, in one line.
        reason: String,
    },
    /// One end refuses the other; it is tried again.
    Refused {
        /// Why, in clear words.
        text: String,
    },
    /// A handset shows or plays something.
    Handset {
        /// Which one.
        ipei: Ipei,
        /// What.
        event: HandsetEvent,
    },
    /// Audio of a handset begins.
    Talking {
        /// Which one.
        ipei: Ipei,
    },
    /// All that a handset was to speak has been sent.
    Spoken {
        /// Which one.
        ipei: Ipei,
    },
    /// Audio of a handset ended.
    Talked {
        /// Which one.
        ipei: Ipei,
        /// What was said and heard.
        report: TalkReport,
        /// Where it was written, if a command asked for it.
        file: Option<PathBuf>,
    },
    /// A command could not be carried out.
    Failed {
        /// The handset.
        ipei: Option<Ipei>,
        /// Why, in one line.
        reason: String,
    },
}

#[derive(Debug)]
enum Order {
    Command(Ipei, HandsetCommand),
    Play(Ipei, Vec<i16>),
    Stop,
}

/// A running base station.
///
/// README.md, section "Base station"
#[derive(Debug)]
pub struct BaseStationClient {
    /// What it reports.
    pub reports: mpsc::UnboundedReceiver<BaseStationReport>,
    orders: mpsc::Sender<Order>,
}

impl BaseStationClient {
    /// Starts the task, which connects and keeps connecting; it ends with [`BaseStationClient::stop`] or when the
    /// handle is dropped.
    ///
    /// docs/radio-link.md 6
    pub fn start(options: BaseStationOptions) -> io::Result<Self> {
        let seed = match options.seed {
            Some(seed) => seed,
            None => net::seed()?,
        };
        let (reports_to, reports) = mpsc::unbounded_channel();
        let (orders, orders_from) = mpsc::channel(64);
        tokio::spawn(run(options, seed, reports_to, orders_from));
        Ok(Self { reports, orders })
    }

    /// Has a handset do something.
    ///
    /// README.md, section "Commands"
    pub async fn command(&self, ipei: Ipei, command: HandsetCommand) {
        let _ = self.orders.send(Order::Command(ipei, command)).await;
    }

    /// Has a handset speak samples of 8 kHz.
    ///
    /// README.md, section "Commands"
    pub async fn play(&self, ipei: Ipei, samples: Vec<i16>) {
        let _ = self.orders.send(Order::Play(ipei, samples)).await;
    }

    /// Closes the link.
    ///
    /// README.md, section "Base station"
    pub async fn stop(&self) {
        let _ = self.orders.send(Order::Stop).await;
    }
}

type Talked = ((usize, Ipei), TalkNews);

struct Task {
    options: BaseStationOptions,
    machine: BaseStation,
    sockets: Vec<Arc<UdpSocket>>,
    talking: BTreeMap<usize, (Ipei, Talking)>,
    record: BTreeMap<Ipei, PathBuf>,
    connection: Option<Connection>,
    attempt: usize,
    next_attempt: Option<Instant>,
    reports: mpsc::UnboundedSender<BaseStationReport>,
    talked_to: mpsc::UnboundedSender<Talked>,
    bytes_to: mpsc::Sender<(u64, Report)>,
    /// Which connection counts: reports of earlier ones are old.
    generation: u64,
}

async fn run(
    options: BaseStationOptions,
    seed: Seed,
    reports: mpsc::UnboundedSender<BaseStationReport>,
    mut orders: mpsc::Receiver<Order>,
) {
    // The first connection tells the address of the bearers.
    let mut early = Vec::new();
    let mut attempt = 0;
    let first = loop {
        match connect(&options).await {
            Ok(opened) => break opened,
            Err(error) => {
                let _ = reports.send(BaseStationReport::ServerDown { reason: error.to_string() });
            }
        }
        let until = Instant::now() + pause(attempt);
        attempt += 1;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Stop) | None => return,
                    Some(order) => early.push(order),
                },
                () = sleep_until(until.into()) => break,
            }
        }
    };
    let sockets = match media_sockets(&options, first.local.ip()).await {
        Ok(sockets) => sockets,
        Err(error) => {
            let _ = reports
                .send(BaseStationReport::Failed { ipei: None, reason: format!("media sockets: {error}") });
            return;
        }
    };
    let mut config = options.config.clone();
    config.media = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let (bytes_to, mut bytes) = mpsc::channel(64);
    let (talked_to, mut talked) = mpsc::unbounded_channel();
    let mut task = Task {
        machine: BaseStation::new(Instant::now(), config, seed),
        options,
        sockets,
        talking: BTreeMap::new(),
        record: BTreeMap::new(),
        connection: None,
        attempt: 0,
        next_attempt: None,
        reports,
        talked_to,
        bytes_to,
        generation: 0,
    };
    task.opened(first);
    for order in early {
        task.order(order);
    }
    loop {
        task.drain();
        let deadline = [task.machine.poll_timeout(), task.next_attempt].into_iter().flatten().min();
        let deadline = deadline.unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            Some((generation, report)) = bytes.recv() => task.report(generation, report),
            order = orders.recv() => match order {
                Some(Order::Stop) | None => break,
                Some(order) => task.order(order),
            },
            Some(((_, ipei), news)) = talked.recv() => task.talked(ipei, news),
            () = sleep_until(deadline.into()) => {
                task.machine.handle_timeout(Instant::now());
                if task.next_attempt.is_some_and(|at| at <= Instant::now()) {
                    task.connect_again().await;
                }
            }
        }
    }
    task.machine.close(Instant::now());
    task.drain();
    task.connection = None;
    while let Ok(Some(((_, ipei), news))) = timeout(GRACE, talked.recv()).await {
        task.talked(ipei, news);
    }
}

async fn connect(options: &BaseStationOptions) -> io::Result<Opened> {
    let dialled = stream::dial(&options.host, options.port, &options.security);
    timeout(HANDSHAKE, dialled).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn media_sockets(options: &BaseStationOptions, local: IpAddr) -> io::Result<Vec<Arc<UdpSocket>>> {
    let address = options.media_address.unwrap_or(local);
    let mut sockets = Vec::new();
    for _ in 0..options.channels {
        sockets.push(Arc::new(UdpSocket::bind(SocketAddr::new(address, 0)).await?));
    }
    Ok(sockets)
}

impl Task {
    fn opened(&mut self, opened: Opened) {
        self.generation += 1;
        self.connection = Some(Connection::start(opened.stream, self.generation, self.bytes_to.clone()));
        self.next_attempt = None;
        self.machine.handle_input(Instant::now(), Input::Opened);
    }

    async fn connect_again(&mut self) {
        self.next_attempt = None;
        match connect(&self.options).await {
            Ok(opened) => self.opened(opened),
            Err(error) => {
                let _ = self.reports.send(BaseStationReport::ServerDown { reason: error.to_string() });
                self.later();
            }
        }
    }

    /// docs/radio-link.md 6: after 1, 2, 4, 8, 15 and then each 15 seconds.
    fn later(&mut self) {
        if self.next_attempt.is_none() {
            self.next_attempt = Some(Instant::now() + pause(self.attempt));
            self.attempt += 1;
        }
    }

    fn report(&mut self, generation: u64, report: Report) {
        if generation != self.generation {
            return;
        }
        match report {
            Report::Bytes(octets) => self.machine.handle_input(Instant::now(), Input::Bytes(&octets)),
            Report::Closed(_) => {
                self.connection = None;
                self.machine.handle_input(Instant::now(), Input::Closed);
                self.later();
            }
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Command(ipei, HandsetCommand::Play(file)) => match read_wav(&PathBuf::from(file)) {
                Ok(samples) => self.play(ipei, samples),
                Err(error) => self.failed(ipei, error.to_string()),
            },
            Order::Command(ipei, HandsetCommand::Record(file)) => {
                self.record.insert(ipei, PathBuf::from(file));
            }
            Order::Command(ipei, command) => {
                if !self.machine.command(Instant::now(), ipei, &command) {
                    self.failed(ipei, "there is no such handset at this base station".to_owned());
                }
            }
            Order::Play(ipei, samples) => self.play(ipei, samples),
            Order::Stop => {}
        }
    }

    fn play(&self, ipei: Ipei, samples: Vec<i16>) {
        match self.talking.values().find(|(talker, _)| *talker == ipei) {
            Some((_, talking)) => talking.play(samples),
            None => self.failed(ipei, "the handset has no audio to speak into".to_owned()),
        }
    }

    fn failed(&self, ipei: Ipei, reason: String) {
        let _ = self.reports.send(BaseStationReport::Failed { ipei: Some(ipei), reason });
    }

    fn talked(&mut self, ipei: Ipei, news: TalkNews) {
        let TalkNews::Ended(report) = news else {
            let _ = self.reports.send(BaseStationReport::Spoken { ipei });
            return;
        };
        let file = self.record.remove(&ipei);
        if let Some(file) = &file
            && let Err(error) = write_wav(file, &report.recorded)
        {
            self.failed(ipei, error.to_string());
        }
        let _ = self.reports.send(BaseStationReport::Talked { ipei, report, file });
    }

    fn drain(&mut self) {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.machine.poll_transmit(&mut buffer) {
            let octets = stream::taken(&mut buffer, transmit.len);
            if let Some(connection) = &self.connection {
                let _ = connection.send(octets);
            }
        }
        while let Some(event) = self.machine.poll_event() {
            let report = match event {
                Event::ServerUp { name } => {
                    self.attempt = 0;
                    BaseStationReport::ServerUp { name }
                }
                Event::ServerDown { reason } => {
                    self.connection = None;
                    self.later();
                    BaseStationReport::ServerDown { reason }
                }
                Event::Refused { text } => {
                    self.connection = None;
                    self.later();
                    BaseStationReport::Refused { text }
                }
                Event::Handset { ipei, event } => BaseStationReport::Handset { ipei, event },
                Event::BearerStarted { channel, ipei, plan, peer } => {
                    let Some(socket) = self.sockets.get(channel).cloned() else { continue };
                    let talk = Talk::new(Instant::now(), *plan);
                    let talking =
                        Talking::start(socket, peer, talk, (channel, ipei), self.talked_to.clone(), None);
                    self.talking.insert(channel, (ipei, talking));
                    BaseStationReport::Talking { ipei }
                }
                Event::BearerStopped { channel, .. } => {
                    if let Some((_, talking)) = self.talking.remove(&channel) {
                        talking.stop();
                    }
                    continue;
                }
            };
            let _ = self.reports.send(report);
        }
    }
}

fn pause(attempt: usize) -> Duration {
    Duration::from_secs(PAUSES.get(attempt).copied().unwrap_or(15))
}

const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];
const IDLE: Duration = Duration::from_hours(1);
const HANDSHAKE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_millis(100);
