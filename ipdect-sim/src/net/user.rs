//! The shell of a Lync user: one connection to the front end, two media sockets, the task that owns the machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::ice::agent::LARGEST_MESSAGE;
use sip_lync::stun::{PacketKind, demultiplex};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::audio::{read_wav, write_wav};
use super::connection::{Connection, Report};
use super::stream::{self, Security};
use super::talking::{TalkNews, TalkReport, Talking};
use crate::json::UserCommand;
use crate::talk::Talk;
use crate::user::{CallNumber, Event, Input, LyncUser, MediaPlan, UserConfig};
use crate::{Seed, net};

/// How a Lync user is started.
///
/// README.md, section "Lync user"
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LyncUserOptions {
    /// The machine's configuration; its media address is filled in.
    pub config: UserConfig,
    /// The front end's host.
    pub host: String,
    /// The front end's port.
    pub port: u16,
    /// TCP, or TLS with its certificate.
    pub security: Security,
    /// The randomness; none: from the operating system.
    pub seed: Option<Seed>,
}

impl LyncUserOptions {
    /// Options with everything else as usual.
    ///
    /// README.md, section "Lync user"
    pub fn new(config: UserConfig, host: &str, port: u16, security: Security) -> Self {
        Self { config, host: host.to_owned(), port, security, seed: None }
    }
}

/// What a running Lync user reports.
///
/// README.md, section "Lync user"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LyncUserReport {
    /// An event of the machine.
    Event(Event),
    /// All that was to be spoken has been sent.
    Spoken {
        /// The call.
        call: CallNumber,
    },
    /// The media of a call ended.
    Talked {
        /// The call.
        call: CallNumber,
        /// What was said and heard.
        report: TalkReport,
        /// Where it was written, if a command asked for it.
        file: Option<PathBuf>,
    },
    /// A command could not be carried out.
    Failed(String),
    /// The connection to the front end is gone; nothing follows.
    Disconnected(String),
}

/// A command to a running user; from JSON, or samples instead of a file.
#[derive(Debug)]
enum Order {
    Command(UserCommand),
    Play(Vec<i16>),
    Stop,
}

/// A running Lync user.
///
/// README.md, section "Lync user"
#[derive(Debug)]
pub struct LyncUserClient {
    /// What it reports.
    pub reports: mpsc::UnboundedReceiver<LyncUserReport>,
    orders: mpsc::Sender<Order>,
}

impl LyncUserClient {
    /// Connects and registers; the task ends with [`LyncUserClient::stop`] or when the handle is dropped.
    ///
    /// README.md, section "Lync user"
    pub async fn start(options: LyncUserOptions) -> io::Result<Self> {
        let seed = match options.seed {
            Some(seed) => seed,
            None => net::seed()?,
        };
        let dialled = stream::dial(&options.host, options.port, &options.security);
        let opened =
            timeout(HANDSHAKE, dialled).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (rtp, rtcp) = media_sockets(opened.local).await?;
        let mut config = options.config;
        config.media_rtp = rtp.local_addr()?;
        config.media_rtcp = rtcp.local_addr()?;
        let (reports_to, reports) = mpsc::unbounded_channel();
        let (orders, orders_from) = mpsc::channel(64);
        let (bytes_to, bytes) = mpsc::channel(64);
        let (talked_to, talked) = mpsc::unbounded_channel();
        let (checks_to, checks) = mpsc::channel(64);
        let connection = Connection::start(opened.stream, (), bytes_to);
        let mut task = Task {
            machine: LyncUser::new(config, seed),
            connection,
            rtp: Arc::new(rtp),
            rtcp,
            checks_to,
            talking: None,
            record: None,
            reports: reports_to,
            talked_to,
        };
        let now = Instant::now();
        task.machine.handle_input(now, Input::FlowOpened { local: opened.local, remote: opened.remote });
        task.drain();
        tokio::spawn(task.run(bytes, orders_from, talked, checks));
        Ok(Self { reports, orders })
    }

    /// Carries out a command.
    ///
    /// README.md, section "Commands"
    pub async fn command(&self, command: UserCommand) {
        let _ = self.orders.send(Order::Command(command)).await;
    }

    /// Speaks samples of 8 kHz.
    ///
    /// README.md, section "Commands"
    pub async fn play(&self, samples: Vec<i16>) {
        let _ = self.orders.send(Order::Play(samples)).await;
    }

    /// Ends the call and the registration, then the connection.
    ///
    /// README.md, section "Lync user"
    pub async fn stop(&self) {
        let _ = self.orders.send(Order::Stop).await;
    }
}

/// An even port and the odd one above it (RFC 3550 11), as far as the system has such a pair.
async fn media_sockets(local: SocketAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    for _ in 0..64 {
        let rtp = UdpSocket::bind(SocketAddr::new(local.ip(), 0)).await?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 1 {
            continue;
        }
        if let Ok(rtcp) = UdpSocket::bind(SocketAddr::new(local.ip(), port + 1)).await {
            return Ok((rtp, rtcp));
        }
    }
    Ok((
        UdpSocket::bind(SocketAddr::new(local.ip(), 0)).await?,
        UdpSocket::bind(SocketAddr::new(local.ip(), 0)).await?,
    ))
}

struct Task {
    machine: LyncUser,
    connection: Connection,
    rtp: Arc<UdpSocket>,
    rtcp: UdpSocket,
    talking: Option<(CallNumber, Talking)>,
    record: Option<PathBuf>,
    reports: mpsc::UnboundedSender<LyncUserReport>,
    talked_to: mpsc::UnboundedSender<(CallNumber, TalkNews)>,
    /// Where a stream puts the STUN messages that it reads.
    checks_to: mpsc::Sender<(SocketAddr, Vec<u8>)>,
}

impl Task {
    async fn run(
        mut self,
        mut bytes: mpsc::Receiver<((), Report)>,
        mut orders: mpsc::Receiver<Order>,
        mut talked: mpsc::UnboundedReceiver<(CallNumber, TalkNews)>,
        mut checks: mpsc::Receiver<(SocketAddr, Vec<u8>)>,
    ) {
        let (mut of_rtp, mut of_rtcp) = ([0; LARGEST_MESSAGE], [0; LARGEST_MESSAGE]);
        let mut stopping: Option<Instant> = None;
        loop {
            let deadline = self.machine.poll_timeout().unwrap_or_else(|| Instant::now() + IDLE);
            let deadline = stopping.map_or(deadline, |stop| stop.min(deadline));
            tokio::select! {
                Some(((), report)) = bytes.recv() => match report {
                    Report::Bytes(octets) => self.machine.handle_input(Instant::now(), Input::Bytes(&octets)),
                    Report::Closed(reason) => {
                        self.machine.handle_input(Instant::now(), Input::FlowClosed);
                        self.drain();
                        self.last(&mut talked).await;
                        self.report(LyncUserReport::Disconnected(reason));
                        return;
                    }
                },
                order = orders.recv(), if stopping.is_none() => match order {
                    Some(Order::Command(command)) => self.command(command),
                    Some(Order::Play(samples)) => self.play(samples),
                    Some(Order::Stop) | None => {
                        self.machine.hang_up(Instant::now());
                        self.machine.deregister(Instant::now());
                        stopping = Some(Instant::now() + GOODBYE);
                    }
                },
                Some((call, news)) = talked.recv() => self.talked(call, news),
                Some((from, octets)) = checks.recv() => self.check(1, from, &octets),
                // While somebody talks, the stream reads the socket of RTP.
                Ok((len, from)) = self.rtp.recv_from(&mut of_rtp), if self.talking.is_none() => {
                    self.check(1, from, of_rtp.get(..len).unwrap_or_default());
                }
                Ok((len, from)) = self.rtcp.recv_from(&mut of_rtcp) => {
                    self.check(2, from, of_rtcp.get(..len).unwrap_or_default());
                }
                () = sleep_until(deadline.into()) => {
                    if stopping.is_some_and(|stop| stop <= Instant::now()) {
                        self.last(&mut talked).await;
                        self.report(LyncUserReport::Disconnected("stopped".to_owned()));
                        return;
                    }
                    self.machine.handle_timeout(Instant::now());
                }
            }
            self.drain();
            if stopping.is_some() && self.machine.is_deregistered() {
                stopping = Some(Instant::now());
            }
        }
    }

    fn check(&mut self, component: u16, from: SocketAddr, data: &[u8]) {
        if demultiplex(data) == PacketKind::Stun {
            self.machine.handle_input(Instant::now(), Input::Check { component, from, data });
        }
    }

    fn report(&self, report: LyncUserReport) {
        let _ = self.reports.send(report);
    }

    fn command(&mut self, command: UserCommand) {
        let now = Instant::now();
        let result = match command {
            UserCommand::Call(target) => self.machine.call(now, &target).map(drop),
            UserCommand::Answer => self.machine.answer(now),
            UserCommand::HangUp => {
                self.machine.hang_up(now);
                Ok(())
            }
            UserCommand::Hold => self.machine.hold(now),
            UserCommand::Retrieve => self.machine.retrieve(now),
            UserCommand::Transfer(target) => self.machine.transfer(now, &target),
            UserCommand::Play(file) => {
                match read_wav(&PathBuf::from(file)) {
                    Ok(samples) => self.play(samples),
                    Err(error) => self.report(LyncUserReport::Failed(error.to_string())),
                }
                Ok(())
            }
            UserCommand::Record(file) => {
                self.record = Some(PathBuf::from(file));
                Ok(())
            }
        };
        if let Err(error) = result {
            self.report(LyncUserReport::Failed(error.to_string()));
        }
    }

    fn play(&self, samples: Vec<i16>) {
        match &self.talking {
            Some((_, talking)) => talking.play(samples),
            None => self.report(LyncUserReport::Failed("there is no media to speak into".to_owned())),
        }
    }

    fn talked(&mut self, call: CallNumber, news: TalkNews) {
        let TalkNews::Ended(report) = news else {
            self.report(LyncUserReport::Spoken { call });
            return;
        };
        let file = self.record.take();
        if let Some(file) = &file
            && let Err(error) = write_wav(file, &report.recorded)
        {
            self.report(LyncUserReport::Failed(error.to_string()));
        }
        self.report(LyncUserReport::Talked { call, report, file });
    }

    /// Waits for the report of a stream that is ending.
    async fn last(&mut self, talked: &mut mpsc::UnboundedReceiver<(CallNumber, TalkNews)>) {
        self.stop_talking();
        while let Ok(Some((call, news))) = timeout(GRACE, talked.recv()).await {
            self.talked(call, news);
        }
    }

    fn stop_talking(&mut self) {
        if let Some((_, talking)) = self.talking.take() {
            talking.stop();
        }
    }

    fn drain(&mut self) {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.machine.poll_transmit(&mut buffer) {
            let octets = stream::taken(&mut buffer, transmit.len);
            let _ = self.connection.send(octets);
        }
        while let Some(plan) = self.machine.poll_media() {
            match plan {
                MediaPlan::Start { call, plan, remote } => {
                    self.stop_talking();
                    let talk = Talk::new(Instant::now(), *plan);
                    let checks = Some(self.checks_to.clone());
                    let news = self.talked_to.clone();
                    let talking = Talking::start(Arc::clone(&self.rtp), remote, talk, call, news, checks);
                    self.talking = Some((call, talking));
                }
                MediaPlan::Change { flow, remote, .. } => {
                    if let Some((_, talking)) = &self.talking {
                        talking.redirect(flow);
                        talking.peer(remote);
                    }
                }
                MediaPlan::Stop { .. } => self.stop_talking(),
            }
        }
        while let Some(check) = self.machine.poll_check(&mut buffer) {
            let octets = stream::taken(&mut buffer, check.len);
            let socket = if check.component == 1 { &*self.rtp } else { &self.rtcp };
            // A check that the system refuses is lost, as any datagram may be.
            let _ = socket.try_send_to(&octets, check.to);
        }
        while let Some(event) = self.machine.poll_event() {
            self.report(LyncUserReport::Event(event));
        }
    }
}

const IDLE: Duration = Duration::from_hours(1);
const HANDSHAKE: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_millis(100);
