//! The self test: what it says when all is well, and which line fails when something is not.

mod authority;

use authority::{Authority, Folder, Wanted};
use ipdect_server::check::{Finding, Outcome, check};
use ipdect_server::config::Tls;
use ipdect_server::init::{Wishes, init};
use ipdect_server::net::arrival::Arrival;
use ipdect_server::net::authorities::Authorities;
use ipdect_server::net::identity::Identity;
use ipdect_server::net::listener::{Door, accept, open};
use ipdect_server::net::tls::TlsContext;
use tokio::sync::{mpsc, watch};

/// A folder with a good configuration for `localhost`, and a front end that it names.
struct Laboratory {
    folder: Folder,
    authority: Authority,
    text: String,
    front_end: mpsc::Receiver<Arrival>,
}

impl Laboratory {
    async fn new() -> Self {
        let (folder, authority) = (Folder::new("check"), Authority::new("Root"));
        let laboratory = |text, front_end| Self { folder, authority, text, front_end };
        let mut made = laboratory(String::new(), mpsc::channel(1).1);
        std::fs::write(made.folder.file("ca.pem"), made.authority.pem()).unwrap();
        made.host(&Wanted { alternative: &["localhost"], ..Wanted::default() });
        let (port, front_end) = made.front_end("localhost").await;
        made.text = format!(
            "[sip]\ndefault_domain = \"example.net\"\nlisten = \"127.0.0.1:0\"\n\
             proxies = [ {{ uri = \"sip:localhost:{port}\" }} ]\n\
             [tls]\nca = [\"ca.pem\"]\npublic_roots = false\ncertificate = \"host.pem\"\nkey = \"host.key\"\n\
             [network]\nhostname = \"localhost\"\n[radio]\nlisten = \"127.0.0.1:0\"\nari = \"1f102f0e86\"\n\
             system_access_code = \"1234\"\n[web]\nlisten = \"127.0.0.1:0\"\n"
        );
        made.front_end = front_end;
        made
    }

    fn host(&self, wanted: &Wanted<'_>) {
        let pair = self.authority.issue(wanted);
        std::fs::write(self.folder.file("host.pem"), pair.certificate).unwrap();
        std::fs::write(self.folder.file("host.key"), pair.key).unwrap();
    }

    /// A front end on loopback that lets in `trusted` only.
    async fn front_end(&self, trusted: &str) -> (u16, mpsc::Receiver<Arrival>) {
        let pair = self.authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
        std::fs::write(self.folder.file("fe.pem"), pair.certificate + &pair.key).unwrap();
        let tls = Tls {
            ca: vec![self.folder.file("ca.pem")],
            public_roots: false,
            certificate: Some(self.folder.file("fe.pem")),
            key: Some(self.folder.file("fe.pem")),
            password_file: None,
        };
        let context = TlsContext::new(
            Identity::load(&tls).unwrap().unwrap(),
            Authorities::load(&tls).unwrap(),
            vec![trusted.to_owned()],
        )
        .unwrap();
        let listener = open("127.0.0.1:0".parse().unwrap(), "front end").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrivals, arriving) = mpsc::channel(16);
        let (_, config) = watch::channel(Some(context.from_front_ends));
        tokio::spawn(accept(Door::Sip, listener, config, arrivals));
        (port, arriving)
    }

    async fn check(&self, text: &str) -> (Outcome, Vec<Finding>) {
        let file = self.folder.file("ipdect.toml");
        std::fs::write(&file, text).unwrap();
        let mut findings = Vec::new();
        let worst = check(&file, &mut |finding| findings.push(finding.clone())).await;
        (worst, findings)
    }

    /// The one line that fails.
    async fn failure(&self, text: &str) -> String {
        let (worst, findings) = self.check(text).await;
        assert_eq!(worst, Outcome::Fail, "{findings:?}");
        let failed: Vec<_> = findings.iter().filter(|finding| finding.outcome == Outcome::Fail).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        failed[0].to_string()
    }
}

#[tokio::test]
async fn a_good_configuration_has_no_line_that_fails() {
    let laboratory = Laboratory::new().await;
    let (worst, findings) = laboratory.check(&laboratory.text).await;
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(worst < Outcome::Fail, "{lines:#?}");
    for expected in [
        "ok    configuration: ",
        "ok    clock: 20",
        "ok    certificate: ",
        "ok    certificate name: localhost is network.hostname",
        "note  certificate time: it expires at 20",
        "note  certificate purpose: ",
        "ok    certificate chain: leads to one of 1 trusted authorities",
        "ok    host name: localhost is 127.0.0.1",
        "ok    port: sip.listen 127.0.0.1:0 is free",
        "note  voice: media.address 127.0.0.1",
        "note  store: ",
        "ok    proxy sip:localhost:",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected:?} is not in {lines:#?}");
    }
    assert!(!laboratory.folder.file("data").exists(), "the check made a data folder");
}

#[tokio::test]
async fn each_thing_that_is_wrong_fails_its_own_line() {
    let laboratory = Laboratory::new().await;
    let good = laboratory.text.clone();

    let line = laboratory
        .failure(
            &good
                .replace("hostname = \"localhost\"", "hostname = \"localhost.localdomain.invalid\"")
                .replace("[web]", "# "),
        )
        .await;
    assert!(line.contains("configuration"), "{line}");

    let (port, _closed) = laboratory.front_end("localhost").await;
    let busy =
        good.replace("[radio]\nlisten = \"127.0.0.1:0\"", &format!("[radio]\nlisten = \"127.0.0.1:{port}\""));
    let line = laboratory.failure(&busy).await;
    assert!(
        line.starts_with("FAIL  port: radio.listen 127.0.0.1:") && line.contains("already in use"),
        "{line}"
    );

    let (port, _other) = laboratory.front_end("dect.example.net").await;
    let proxies = format!("proxies = [ {{ uri = \"sip:localhost:{port}\" }} ]");
    let start = good.find("proxies").unwrap();
    let end = start + good[start..].find('\n').unwrap();
    let refused = good.replace(&good[start..end], &proxies);
    let line = laboratory.failure(&refused).await;
    assert!(
        line.starts_with("FAIL  proxy sip:localhost:") && line.contains("refuses our certificate"),
        "{line}"
    );

    let closed = good.replace(&good[start..end], "proxies = [ { uri = \"sip:localhost:1\" } ]");
    let line = laboratory.failure(&closed).await;
    assert!(
        line.contains("FAIL  proxy sip:localhost:1: ") && line.contains("nothing listens there"),
        "{line}"
    );

    let wrong_address = good.replace("[web]", "[media]\naddress = \"192.0.2.77\"\n[web]");
    let line = laboratory.failure(&wrong_address).await;
    assert!(line.starts_with("FAIL  voice: media.address 192.0.2.77: this machine does not have"), "{line}");

    let blocked = format!("{good}[store]\nurl = \"sqlite:ca.pem/ipdect.db\"\n");
    let line = laboratory.failure(&blocked).await;
    assert!(
        line.starts_with("FAIL  store: the data folder ") && line.contains("cannot be written"),
        "{line}"
    );
}

#[tokio::test]
async fn the_certificate_is_looked_at_from_all_sides() {
    let laboratory = Laboratory::new().await;
    let good = laboratory.text.clone();
    let (port, _front_end) = laboratory.front_end("dect.example.net").await;
    let start = good.find("proxies").unwrap();
    let end = start + good[start..].find('\n').unwrap();
    let to_other =
        good.replace(&good[start..end], &format!("proxies = [ {{ uri = \"sip:localhost:{port}\" }} ]"));

    laboratory.host(&Wanted { alternative: &["dect.example.net"], ..Wanted::default() });
    let line = laboratory.failure(&to_other).await;
    assert!(
        line.contains("certificate name: it is for dect.example.net, network.hostname is localhost"),
        "{line}"
    );

    let disabled = format!("{good}[lync]\nenabled = false\n");
    laboratory.host(&Wanted { alternative: &["localhost"], from_days: -9, to_days: -1, ..Wanted::default() });
    let line = laboratory.failure(&disabled).await;
    assert!(line.contains("certificate time: it expired at 20"), "{line}");

    laboratory.host(&Wanted { alternative: &["localhost"], from_days: 2, ..Wanted::default() });
    let line = laboratory.failure(&disabled).await;
    assert!(line.contains("certificate time: it is valid only from 20"), "{line}");

    let stranger = Authority::new("Stranger");
    let pair = stranger.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
    std::fs::write(laboratory.folder.file("host.pem"), pair.certificate).unwrap();
    let line = laboratory.failure(&disabled).await;
    assert!(line.contains("the private key does not fit the certificate"), "{line}");
    std::fs::write(laboratory.folder.file("host.key"), pair.key).unwrap();
    let line = laboratory.failure(&disabled).await;
    assert!(line.contains("certificate chain: it leads to no authority of tls.ca"), "{line}");
}

#[tokio::test]
async fn what_init_makes_is_a_configuration_that_can_be_checked() {
    let folder = Folder::new("init");
    let wishes = Wishes { hostname: Some("localhost".to_owned()), domain: Some("example.net".to_owned()) };
    let made = init(folder.path(), &wishes).unwrap();
    let mut lines = Vec::new();
    let worst = check(&made.configuration, &mut |finding| lines.push(finding.to_string())).await;
    assert_eq!(worst, Outcome::Fail, "nobody trusts a self-signed certificate");
    for expected in [
        "ok    configuration: ",
        "ok    certificate name: localhost",
        "ok    certificate time: valid until 20",
        "FAIL  certificate chain: it is self-signed",
        "ok    store: ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected:?} is not in {lines:#?}");
    }
    assert_eq!(made.password.len(), 20);
    let written = std::fs::read_to_string(&made.configuration).unwrap();
    assert!(!written.contains(&made.password), "the password must be nowhere");
    let again = init(folder.path(), &wishes).unwrap_err();
    assert!(again.contains("exists already"), "{again}");
    assert_eq!(std::fs::read_to_string(&made.configuration).unwrap(), written);
}
