//! Presence over plain SIP: kamailio as the server, linphone as a client, and a user agent of ours between them.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use presence_pidf::publication_agent::{self, Answer, Operation, PublicationAgent};
use sip_lync::seed::Seed;
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, HeaderName, Input, Method, OutgoingRequest, RequestId, SipUri,
    Subscription, Transport, User, UserId,
};

/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _not_there = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    path
}

fn log_of(folder: &Path) -> String {
    let text = fs::read(folder.join("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let from = text.len().saturating_sub(20_000);
    text.char_indices().find(|(at, _)| *at >= from).map(|(at, _)| text[at..].to_owned()).unwrap_or_default()
}

/// A presence server of another hand.
pub(crate) struct Kamailio {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
}

impl Kamailio {
    pub(crate) fn start() -> Self {
        let port =
            UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let folder = folder("kamailio");
        let child = Self::run(port, &folder);
        let mut kamailio = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), folder };
        kamailio.is_there();
        kamailio
    }

    fn run(port: u16, folder: &Path) -> Child {
        let tables = folder.join("dbtext");
        let _not_there = fs::remove_dir_all(&tables);
        fs::create_dir_all(&tables).expect("a folder");
        for table in ["version", "presentity", "active_watchers", "watchers", "xcap", "pua", "location"] {
            let from = Path::new("/usr/share/kamailio/dbtext/kamailio").join(table);
            fs::copy(from, tables.join(table)).expect("a table of the package kamailio");
        }
        let text = include_str!("../../peers/kamailio-presence.cfg");
        let text = text.replace("PORT", &port.to_string()).replace("FOLDER", &folder.display().to_string());
        let configuration = folder.join("kamailio.cfg");
        fs::write(&configuration, text).expect("a file");
        let log = fs::File::create(folder.join("log")).expect("a log");
        Command::new("kamailio")
            .args(["-DD", "-E", "-m", "32", "-M", "8", "-f"])
            .arg(&configuration)
            .arg("-w")
            .arg(folder)
            .arg("-Y")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("kamailio, of the package kamailio")
    }

    /// It is there when it answers.
    fn is_there(&mut self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time");
        let local = socket.local_addr().expect("an address");
        let end = Instant::now() + PATIENCE;
        let mut answer = [0; 2000];
        for number in 0.. {
            let request = format!(
                "OPTIONS sip:nobody@lab.test SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{number}\r\n\
                 From: <sip:a@lab.test>;tag=1\r\nTo: <sip:nobody@lab.test>\r\nCall-ID: {number}@{local}\r\n\
                 CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            );
            let _not_yet = socket.send_to(request.as_bytes(), self.address);
            if socket.recv(&mut answer).is_ok() {
                return;
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < end, "kamailio does not answer");
        }
    }

    /// It forgets everything.
    pub(crate) fn starts_anew(&mut self) {
        self.stop();
        self.child = Self::run(self.address.port(), &self.folder);
        self.is_there();
    }

    fn stop(&mut self) {
        let _asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ended = self.child.wait();
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("kamailio: {}", log_of(&self.folder));
        } else {
            let _gone = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A user agent: it publishes the documents of one user and watches others.
pub(crate) struct Agent {
    socket: UdpSocket,
    endpoint: Endpoint,
    user: UserId,
    address: String,
    pub(crate) publication: PublicationAgent,
    publishing: Option<RequestId>,
    /// What the publication has sent, and the statuses of the answers.
    pub(crate) sent: Vec<(Operation, Option<u16>)>,
    pub(crate) notified: Vec<(Option<String>, Bytes)>,
    seen: Vec<Event>,
}

const FLOW: FlowId = FlowId(1);

impl Agent {
    pub(crate) fn new(name: &str, server: SocketAddr, config: publication_agent::AgentConfig) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(server).expect("an address");
        let local = socket.local_addr().expect("an address");
        let mut sip = Config::client("lab.test");
        sip.transport = Transport::Udp;
        sip.keep_alive.before_agreement = None;
        sip.gruu = false;
        let seed: Vec<u8> = name.bytes().cycle().take(32).collect();
        let mut endpoint = Endpoint::new(sip, Seed(seed.try_into().expect("32 octets")));
        let address = format!("sip:{name}@lab.test");
        let user = endpoint.add_user(User::new(SipUri::parse(&address).expect("an address"), "01"));
        let opened = Input::FlowOpened { flow: FLOW, local, remote: server, role: FlowRole::Dialled };
        endpoint.handle_input(Instant::now(), opened).expect("a flow");
        endpoint.route(user, FLOW);
        Self {
            socket,
            endpoint,
            user,
            address,
            publication: PublicationAgent::new(config),
            publishing: None,
            sent: Vec::new(),
            notified: Vec::new(),
            seen: Vec::new(),
        }
    }

    pub(crate) fn watch(&mut self, whom: &str) {
        let target = whom.parse().expect("an address");
        let mut subscription = Subscription::new("presence", target, "application/pidf+xml");
        subscription.dialect = false;
        subscription.expires = Some(Duration::from_mins(10));
        self.endpoint.subscribe(Instant::now(), self.user, subscription).expect("a flow");
    }

    /// Goes on until something holds.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut datagram = vec![0; 65_536];
        while !holds(self) {
            let now = Instant::now();
            assert!(
                now < end,
                "{what} did not happen; sent {:?}, notified {:?}, events {:#?}",
                self.sent,
                self.notified,
                self.seen
            );
            self.endpoint.handle_timeout(now);
            self.publication.handle_timeout(now);
            self.step(now);
            let deadlines = [self.endpoint.poll_timeout(), self.publication.poll_timeout(), Some(end)];
            let next = deadlines.into_iter().flatten().min().unwrap_or(end);
            let wait = next
                .saturating_duration_since(now)
                .clamp(Duration::from_millis(1), Duration::from_millis(100));
            self.socket.set_read_timeout(Some(wait)).expect("a time");
            if let Ok(size) = self.socket.recv(&mut datagram) {
                let bytes = &datagram[..size];
                let _reported =
                    self.endpoint.handle_input(Instant::now(), Input::Bytes { flow: FLOW, bytes });
                self.step(Instant::now());
            }
        }
    }

    fn step(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            match &event {
                Event::SubscriptionNotified { content_type, body, .. } => {
                    self.notified.push((content_type.clone(), body.clone()));
                }
                Event::Response { id, response } if Some(*id) == self.publishing => {
                    let header = |name: &HeaderName| response.headers.get(name).map(str::trim);
                    let seconds = |name: &HeaderName| header(name).and_then(|text| text.parse().ok());
                    let answer = Answer {
                        status: response.status.code(),
                        entity_tag: header(&HeaderName::SipETag),
                        expires: seconds(&HeaderName::Expires),
                        min_expires: seconds(&HeaderName::MinExpires),
                        retry_after: seconds(&HeaderName::RetryAfter),
                    };
                    if answer.status >= 200 {
                        if let Some(last) = self.sent.last_mut() {
                            last.1 = Some(answer.status);
                        }
                        self.publishing = None;
                    }
                    self.publication.handle_input(now, publication_agent::Input::Answer(answer));
                }
                Event::RequestFailed { id, .. } if Some(*id) == self.publishing => {
                    self.publishing = None;
                    self.publication.handle_input(now, publication_agent::Input::NoAnswer);
                }
                _ => {}
            }
            self.seen.push(event);
        }
        let mut body = BytesMut::new();
        if let Some(publish) = self.publication.poll_transmit(&mut body) {
            let target = self.address.parse().expect("an address");
            let mut request = OutgoingRequest::new(Method::Publish, target);
            request.headers.push(HeaderName::Event, "presence");
            request.headers.push(HeaderName::Expires, publish.expires);
            if let Some(tag) = &publish.if_match {
                request.headers.push(HeaderName::SipIfMatch, tag);
            }
            if publish.size > 0 {
                request.headers.push(HeaderName::ContentType, presence_pidf::pidf::CONTENT_TYPE);
                request.body = body.freeze();
            }
            self.sent.push((publish.operation, None));
            self.publishing = Some(self.endpoint.request(now, self.user, request).expect("a flow"));
        }
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.endpoint.poll_transmit(&mut buffer) {
            // A server that is starting anew may not listen yet.
            let _repeated_later = self.socket.send(&buffer.split_to(transmit.len));
        }
    }
}

/// linphone without a window.
pub(crate) struct Linphone {
    child: Child,
    /// It ends when nobody can tell it anything any more.
    _input: ChildStdin,
    folder: PathBuf,
}

impl Linphone {
    /// Registers a user, publishes its presence and watches a friend.
    pub(crate) fn start(name: &str, friend: &str, server: SocketAddr) -> Self {
        let folder = folder("linphone");
        let configuration = format!(
            "[sip]\nsip_port=-1\nsip_tcp_port=-2\nsip_tls_port=-2\ndefault_proxy=0\nregister_only_when_network_is_up=0\n\
             guess_hostname=0\ncontact=\"{name}\" <sip:{name}@127.0.0.1>\nuse_ipv6=0\nsubscribe_presence_only_when_registered=0\n\
             [proxy_0]\nreg_proxy=<sip:{server};transport=udp>\nreg_route=<sip:{server};transport=udp>\n\
             reg_identity=<sip:{name}@lab.test>\nreg_expires=600\nreg_sendregister=1\npublish=1\n\
             [friend_0]\nurl=<sip:{friend}@lab.test>\npol=accept\nsubscribe=1\n\
             [video]\nenabled=0\ncapture=0\ndisplay=0\n"
        );
        fs::write(folder.join("linphonerc"), configuration).expect("a file");
        fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder");
        fs::create_dir_all(folder.join("linphone")).expect("a folder");
        let log = fs::File::create(folder.join("log")).expect("a log");
        let mut child = Command::new("linphonec")
            .arg("-c")
            .arg(folder.join("linphonerc"))
            .args(["-d", "6", "-l"])
            .arg(folder.join("debug"))
            .current_dir(&folder)
            .env("HOME", &folder)
            .env("XDG_CONFIG_HOME", &folder)
            .env("XDG_DATA_HOME", &folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("linphonec, of the package linphone-cli");
        let input = child.stdin.take().expect("a pipe");
        Self { child, _input: input, folder }
    }

    /// All that it said so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            eprintln!("linphone's diary is in {}; it said {}", self.folder.display(), log_of(&self.folder));
        } else {
            let _gone = fs::remove_dir_all(&self.folder);
        }
    }
}
