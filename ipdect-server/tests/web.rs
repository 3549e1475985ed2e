//! The web page over a real socket: log-in, pages, commands, and what is refused.

mod authority;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use authority::{Authority, Folder, Wanted};
use ipdect_server::config::{StoreUrl, Tls};
use ipdect_server::control::{Control, NodeHandle};
use ipdect_server::core::status::{CallStatus, ChannelStatus, HandsetStatus, ProxyStatus, Status};
use ipdect_server::core::vocabulary::Command;
use ipdect_server::net::authorities::Authorities;
use ipdect_server::net::identity::Identity;
use ipdect_server::net::tls::TlsContext;
use ipdect_server::store::{SessionRow, Store, StoreHandle, TokenHash};
use ipdect_server::web::{Access, Web, password};
use rustls_pki_types::ServerName;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;

const PASSWORD: &str = "correct horse battery";
const HOUR: Duration = Duration::from_hours(1);
/// Tokens of sessions that the store knows from the start.
const VALID: &str = "00000000000000000000000000000000000000000000000000000000000000aa";
const EXPIRED: &str = "00000000000000000000000000000000000000000000000000000000000000bb";

struct Site {
    address: SocketAddr,
    commands: mpsc::Receiver<Command>,
    _stop: watch::Sender<bool>,
    _folder: Folder,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A browser with its cookies.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn send(&mut self, site: &Site, method: &str, path: &str, form: Option<&str>) -> Answer {
        let stream = TcpStream::connect(site.address).await.unwrap();
        self.send_on(stream, "localhost", method, path, form).await
    }

    async fn send_on<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut stream: S,
        host: &str,
        method: &str,
        path: &str,
        form: Option<&str>,
    ) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.push_str("Cookie: ");
            request.push_str(&cookies.join("; "));
            request.push_str("\r\n");
        }
        if let Some(form) = form {
            request.push_str("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
            request.push_str(&form.len().to_string());
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer { status, headers, body: body.to_owned() }
    }

    async fn get(&mut self, site: &Site, path: &str) -> Answer {
        self.send(site, "GET", path, None).await
    }

    async fn post(&mut self, site: &Site, path: &str, form: &str) -> Answer {
        self.send(site, "POST", path, Some(form)).await
    }

    async fn log_in(&mut self, site: &Site, password: &str) -> Answer {
        let page = self.get(site, "/login").await;
        let key = form_key(&page.body);
        self.post(
            site,
            "/login",
            &format!("name=admin&password={}&form_key={key}", password.replace(' ', "+")),
        )
        .await
    }
}

fn form_key(page: &str) -> &str {
    let start = page.find("name=\"form_key\" value=\"").expect("a form") + 23;
    &page[start..start + 64]
}

fn sample() -> Status {
    Status {
        node: "dect.example.net".to_owned(),
        uptime_ms: 7_260_000,
        proxies: vec![ProxyStatus {
            uri: "sip:pool.example.net:5061".to_owned(),
            state: "failed".to_owned(),
            detail: "nothing listens there".to_owned(),
        }],
        handsets: vec![HandsetStatus {
            ipei: "05003 0070387".to_owned(),
            username: "jim.kander".to_owned(),
            display_name: "Jim <b>Kander</b>".to_owned(),
            subscribed: true,
            registered: true,
            state: "registered".to_owned(),
            presence: "Available".to_owned(),
            user_presence: "InConference".to_owned(),
            ..HandsetStatus::default()
        }],
        calls: vec![CallStatus {
            id: 7,
            handset: "jim.kander".to_owned(),
            peer: "sip:ann@example.net".to_owned(),
            direction: "handset-to-lync".to_owned(),
            state: "connected".to_owned(),
            since_ms: 61_000,
            codec: "PCMA".to_owned(),
            way: None,
            srtp: Some("AES_CM_128_HMAC_SHA1_80".to_owned()),
        }],
        channels: ChannelStatus { total: 32, in_use: 1 },
        ..Status::default()
    }
}

async fn site(access: Access, tls: Option<Arc<rustls::ServerConfig>>) -> Site {
    let (folder, now) = (Folder::new("web"), SystemTime::now());
    let mut store = Store::open(&StoreUrl::Sqlite(folder.file("ipdect.db"))).unwrap();
    store.put_administrator("admin", &password::hash(PASSWORD).unwrap()).unwrap();
    for (token, expires) in [(EXPIRED, now - HOUR), (VALID, now + HOUR)] {
        let token = TokenHash(Sha256::digest(format!("session\0{token}")).into());
        store
            .put_session(&SessionRow { token, administrator: "admin".to_owned(), expires }, now - 2 * HOUR)
            .unwrap();
    }
    let (store, _thread) = StoreHandle::start(store).unwrap();
    let (node, mut controls) = NodeHandle::new();
    let (given, commands) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(control) = controls.recv().await {
            match control {
                Control::Status(answer) => answer.send(sample()).unwrap(),
                Control::Command(command) => given.send(command).await.unwrap(),
                Control::Reload(_) | Control::Shutdown => {}
            }
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let web = Web::new(node, store, access, tls.is_some());
    let tls = tls.map(|tls| watch::channel(Some(tls)).1);
    tokio::spawn(web.serve(listener, tls, stopped));
    Site { address, commands, _stop: stop, _folder: folder }
}

#[tokio::test]
async fn nothing_is_shown_without_a_log_in() {
    let site = site(Access::Login, None).await;
    let mut browser = Browser::default();
    for path in ["/", "/log", "/account"] {
        let answer = browser.get(&site, path).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/login"), "{path}");
        assert!(!answer.body.contains("jim"));
    }
    for path in ["/live", "/api/status"] {
        assert_eq!(browser.get(&site, path).await.status, 401, "{path}");
    }
    for path in ["/calls/end", "/handsets/remove", "/subscription/open", "/logout"] {
        assert_eq!(browser.post(&site, path, "id=7&form_key=x").await.header("location"), "/login", "{path}");
    }
    browser.cookies.insert("ipdect_session".to_owned(), "0".repeat(64));
    assert_eq!(browser.get(&site, "/api/status").await.status, 401);
    assert_eq!(browser.get(&site, "/no-such-page").await.status, 404);
    assert_eq!(browser.get(&site, "/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert!(browser.get(&site, "/live.js").await.body.contains("fetch("));
}

#[tokio::test]
async fn an_administrator_logs_in_sees_everything_and_logs_out() {
    let site = site(Access::Login, None).await;
    let mut browser = Browser::default();
    let answer = browser.log_in(&site, PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let page = browser.get(&site, "/").await;
    assert_eq!(page.status, 200);
    for expected in [
        "Jim &lt;b&gt;Kander&lt;/b&gt;",
        "user: InConference",
        "05003 0070387",
        "sip:ann@example.net",
        "AES_CM_128_HMAC_SHA1_80",
        "1 of 32",
        "2 h 1 min",
        "nothing listens there",
    ] {
        assert!(page.body.contains(expected), "{expected:?} is not in the page");
    }
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("cache-control"), "no-store");
    let live = browser.get(&site, "/live?q=nobody").await;
    assert!(
        live.body.contains("<h2>Handsets</h2>")
            && !live.body.contains("05003 0070387")
            && !live.body.contains("<html")
    );
    let json = browser.get(&site, "/api/status").await;
    assert_eq!(json.header("content-type"), "application/json");
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(json["handsets"][0]["username"], "jim.kander");
    assert_eq!(json["calls"][0]["srtp"], "AES_CM_128_HMAC_SHA1_80");
    assert_eq!(json["channels"]["in_use"], 1);
    assert!(browser.get(&site, "/log").await.body.contains("No call has ended yet"));

    let session = browser.cookies.clone();
    let key = form_key(&page.body).to_owned();
    let answer = browser.post(&site, "/logout", &format!("form_key={key}")).await;
    assert_eq!(answer.header("location"), "/login");
    let mut thief = Browser { cookies: session };
    assert_eq!(thief.get(&site, "/api/status").await.status, 401, "the session has ended for everybody");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let site = site(Access::Login, None).await;
    for (token, status) in [(VALID, 200), (EXPIRED, 401)] {
        let mut browser = Browser::default();
        browser.cookies.insert("ipdect_session".to_owned(), token.to_owned());
        assert_eq!(browser.get(&site, "/api/status").await.status, status);
    }
}

#[tokio::test]
async fn commands_need_the_key_of_this_session() {
    let mut site = site(Access::Login, None).await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    browser.log_in(&site, PASSWORD).await;
    other.log_in(&site, PASSWORD).await;
    let page = browser.get(&site, "/").await;
    let key = form_key(&page.body).to_owned();
    assert_eq!(other.post(&site, "/calls/end", &format!("id=7&form_key={key}")).await.status, 403);
    assert_eq!(browser.post(&site, "/calls/end", "id=7&form_key=").await.status, 403);
    assert_eq!(browser.send(&site, "GET", "/calls/end", None).await.status, 405);
    for (path, fields, command) in [
        ("/calls/end", "id=7&", Command::EndCall { id: 7 }),
        (
            "/handsets/remove",
            "ipei=05003+0070387&",
            Command::RemoveSubscription { ipei: "05003 0070387".to_owned() },
        ),
        ("/subscription/open", "", Command::OpenSubscription { seconds: 120 }),
        ("/subscription/close", "", Command::CloseSubscription),
    ] {
        let answer = browser.post(&site, path, &format!("{fields}form_key={key}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{path}");
        assert_eq!(site.commands.recv().await, Some(command));
    }
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_slowed_down() {
    let site = site(Access::Login, None).await;
    let mut browser = Browser::default();
    let forged = browser.post(&site, "/login", &format!("name=admin&password={PASSWORD}&form_key=")).await;
    assert_eq!(forged.status, 403, "a log-in form of another page");
    for _ in 0..5 {
        let answer = browser.log_in(&site, "wrong").await;
        assert_eq!(answer.status, 401);
        assert!(answer.body.contains("Name or password is wrong"));
    }
    let answer = browser.log_in(&site, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert!(answer.body.contains("Too many wrong passwords"));
    assert!(!browser.cookies.contains_key("ipdect_session"));
}

#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let site = site(Access::Login, None).await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    browser.log_in(&site, PASSWORD).await;
    other.log_in(&site, PASSWORD).await;
    let page = browser.get(&site, "/account").await;
    let key = form_key(&page.body).to_owned();
    let current = PASSWORD.replace(' ', "+");
    for (current, new, again, words) in [
        ("wrong", "a+longer+password", "a+longer+password", "current password is wrong"),
        (current.as_str(), "a+longer+password", "another+password", "differ"),
        (current.as_str(), "short", "short", "too short"),
    ] {
        let form = format!("form_key={key}&current={current}&new={new}&again={again}");
        let answer = browser.post(&site, "/account", &form).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(words), "{words}");
    }
    let form = format!("form_key={key}&current={current}&new=a+longer+password&again=a+longer+password");
    assert_eq!(browser.post(&site, "/account", &form).await.header("location"), "/login");
    assert_eq!(other.get(&site, "/api/status").await.status, 401);
    assert_eq!(browser.log_in(&site, PASSWORD).await.status, 401);
    assert_eq!(browser.log_in(&site, "a longer password").await.status, 303);
}

#[tokio::test]
async fn a_demonstration_is_shown_to_this_machine_only_and_cannot_be_changed() {
    let site = site(Access::ReadOnly, None).await;
    let mut browser = Browser::default();
    let page = browser.get(&site, "/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("05003 0070387")
            && !page.body.contains("<form method=\"post\"")
            && !page.body.contains("form_key")
    );
    assert_eq!(browser.get(&site, "/api/status").await.status, 200);
    assert_eq!(browser.post(&site, "/calls/end", "id=7&form_key=x").await.status, 404);
    let stream = TcpStream::connect(site.address).await.unwrap();
    let answer = browser.send_on(stream, "evil.example.com", "GET", "/api/status", None).await;
    assert_eq!(answer.status, 403, "another site's name for this address");
    for host in ["127.0.0.1:8080", "[::1]:8080", "localhost"] {
        let stream = TcpStream::connect(site.address).await.unwrap();
        assert_eq!(browser.send_on(stream, host, "GET", "/api/status", None).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn over_tls_cookies_are_for_tls_only() {
    let (folder, authority) = (Folder::new("web"), Authority::new("Root"));
    let pair = authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
    std::fs::write(folder.file("host.pem"), pair.certificate + &pair.key).unwrap();
    std::fs::write(folder.file("ca.pem"), authority.pem()).unwrap();
    let tls = Tls {
        ca: vec![folder.file("ca.pem")],
        public_roots: false,
        certificate: Some(folder.file("host.pem")),
        key: Some(folder.file("host.pem")),
        password_file: None,
    };
    let identity = Identity::load(&tls).unwrap().unwrap();
    let context = TlsContext::new(identity, Authorities::load(&tls).unwrap(), vec!["x".to_owned()]).unwrap();
    let site = site(Access::Login, Some(context.from_anybody.clone())).await;
    let connector = TlsConnector::from(context.towards_proxies);
    let stream = TcpStream::connect(site.address).await.unwrap();
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let answer = Browser::default().send_on(stream, "localhost", "GET", "/login", None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}
