//! Telephones of other hands and the server between them: kamailio, baresip, linphone, each in the network of its test.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};

/// How long a program may take to be there on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The address of the test's network that is not loopback.
pub(crate) const ADDRESS: &str = "192.0.2.10";

/// A folder of this process that is kept when the test fails.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _not_there = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn log(&self) -> fs::File {
        fs::File::create(self.file("log")).expect("a log")
    }

    /// All that the program of this folder said so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.file("log")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.said();
            let from = said.char_indices().rev().take(6_000).last().map_or(0, |(at, _)| at);
            eprintln!("{} is kept; its program said: …{}", self.0.display(), &said[from..]);
        } else {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }
}

/// A program that is stopped with its test.
#[derive(Debug)]
struct Running(Child);

/// A telephone that is stopped with its test, at once: nobody is left for it to take leave of.
#[derive(Debug)]
struct Ringing(Child);

impl Ringing {
    fn start(command: &mut Command, package: &str) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}, of the package {package}: {error}")))
    }
}

impl Drop for Ringing {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command, package: &str) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}, of the package {package}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Kamailio takes its processes with it when it is asked.
        let _asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(10);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// kamailio: registrar, proxy and presence server of `lab.test`, on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Kamailio {
    child: Running,
    pub(crate) folder: Folder,
}

impl Kamailio {
    pub(crate) const TCP: &str = "127.0.0.1:5060";
    pub(crate) const TLS: &str = "127.0.0.1:5061";
    /// Here a certificate is asked for.
    pub(crate) const MUTUAL_TLS: &str = "127.0.0.1:5062";

    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same, and requests that begin something go through `route` before they are looked up.
    pub(crate) fn start_with(route: &str) -> Self {
        let folder = Folder::new("kamailio-telephony");
        certificates(&folder);
        let tables = folder.file("dbtext");
        fs::create_dir_all(&tables).expect("a folder");
        for table in ["version", "presentity", "active_watchers", "watchers", "xcap", "pua", "location"] {
            let from = Path::new("/usr/share/kamailio/dbtext/kamailio").join(table);
            fs::copy(from, tables.join(table)).expect("a table of the package kamailio");
        }
        let place = folder.0.display().to_string();
        let server = |section: &str, mutual: &str| {
            format!(
                "[{section}]\nmethod = TLSv1.2+\ncertificate = {place}/server.pem\nprivate_key = {place}/server.key\n\
                 ca_list = {place}/ca.pem\nverify_certificate = {mutual}\nrequire_certificate = {mutual}\n"
            )
        };
        let text = server("server:default", "no")
            + &server("server:127.0.0.1:5062", "yes")
            + &server("client:default", "yes");
        fs::write(folder.file("tls.cfg"), text).expect("a file");
        let text = include_str!("../../peers/kamailio-telephony.cfg")
            .replace("FOLDER", &place)
            .replace("# ROUTE", route);
        fs::write(folder.file("kamailio.cfg"), text).expect("a file");
        let child = Running::start(
            Command::new("kamailio")
                // The network of the test names the file.
                .env("LD_PRELOAD", keys_of_openssl())
                .args(["-DD", "-E", "-m", "32", "-M", "8", "-f"])
                .arg(folder.file("kamailio.cfg"))
                .args(["-w", &place, "-Y", &place])
                .stdout(Stdio::null())
                .stderr(folder.log()),
            "kamailio",
        );
        let mut kamailio = Self { child, folder };
        kamailio.is_there();
        kamailio
    }

    /// It is there when it answers: its ports are open before it is.
    fn is_there(&mut self) {
        let end = Instant::now() + PATIENCE;
        for port in [Self::TCP, Self::TLS, Self::MUTUAL_TLS] {
            while TcpStream::connect(port).is_err() {
                let runs = matches!(self.child.0.try_wait(), Ok(None));
                assert!(runs && Instant::now() < end, "kamailio does not listen: {}", self.folder.said());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let request = "OPTIONS sip:nobody@lab.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n\
             From: <sip:a@lab.test>;tag=1\r\nTo: <sip:nobody@lab.test>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
        // Who asks too slowly on a machine that has other things to do is hung up on, and asks again.
        loop {
            let mut stream = TcpStream::connect(Self::TCP).expect("it listens");
            stream.set_read_timeout(Some(PATIENCE)).expect("a time");
            let asked = stream.write_all(request.as_bytes());
            let mut answer = [0; 2000];
            if asked.is_ok() && stream.read(&mut answer).is_ok_and(|len| len > 0) {
                return;
            }
            assert!(Instant::now() < end, "kamailio does not answer: {}", self.folder.said());
        }
    }
}

/// `peers/openssl_keylog.c`, as a library.
fn keys_of_openssl() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/openssl_keylog.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = folder.join(format!("openssl_keylog.{}", std::process::id()));
    let compiler =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&fresh).arg(source).output();
    let compiler = compiler.expect("a C compiler");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    let library = folder.join("openssl_keylog.so");
    fs::rename(&fresh, &library).expect("one directory");
    library
}

/// `ca.pem`, `server.pem`, `client.pem`, and `stranger.pem` of an authority that nobody trusts; keys beside them.
fn certificates(folder: &Folder) {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "laboratory authority");
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
    };
    let ours = authority();
    fs::write(folder.file("ca.pem"), ours.pem()).expect("a file");
    let strangers = authority();
    for (name, issuer) in [("server", &ours), ("client", &ours), ("stranger", &strangers)] {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![
            SanType::DnsName("lab.test".try_into().expect("a name")),
            SanType::IpAddress([127, 0, 0, 1].into()),
        ];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, issuer).expect("a certificate");
        fs::write(folder.file(&format!("{name}.pem")), certificate.pem()).expect("a file");
        fs::write(folder.file(&format!("{name}.key")), key.serialize_pem()).expect("a file");
    }
}

/// baresip, told what to do over its control port.
#[derive(Debug)]
pub(crate) struct Baresip {
    _child: Ringing,
    control: TcpStream,
    pub(crate) folder: Folder,
}

impl Baresip {
    /// Registers `sip:NAME@lab.test` over TCP; calls are answered at once.
    pub(crate) fn start(name: &str, control: u16) -> Self {
        Self::speaking(name, control, 0.0, "answermode=auto")
    }

    /// The same with a tone of so many hertz, and with these parameters of its account. It asks for waiting messages only if
    /// these say so: baresip 1.0 now and then begins such a subscription anew without end.
    pub(crate) fn speaking(name: &str, control: u16, hertz: f64, account: &str) -> Self {
        let folder = Folder::new(&format!("baresip-{name}"));
        let place = folder.0.display();
        sound(&folder.file("sound.wav"), hertz);
        let modules = [
            "module stdio.so",
            "module g711.so",
            "module aufile.so",
            "module sndfile.so",
            "module_tmp uuid.so",
            "module_tmp account.so",
            "module_app menu.so",
            "module_app mwi.so",
            "module_app ctrl_tcp.so",
        ];
        let configuration = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\nsnd_path {place}\ncall_local_timeout 120\ncall_max_calls 4\naudio_path {place}\n\
             audio_player aufile,{place}/heard.wav\naudio_source aufile,{place}/sound.wav\n\
             audio_alert aufile,{place}/alert.wav\naudio_level no\nausrc_format s16\nauplay_format s16\n\
             auenc_format s16\naudec_format s16\nnet_interface lab0\nctrl_tcp_listen 127.0.0.1:{control}\n\
             module_path /usr/lib/baresip/modules\n{}\n",
            modules.join("\n")
        );
        fs::write(folder.file("config"), configuration).expect("a file");
        let mwi = if account.contains("mwi=") { "" } else { "mwi=no;" };
        let account = format!(
            "<sip:{name}@lab.test;transport=tcp>;outbound=\"sip:{};transport=tcp\";regint=600;{account};{mwi}\
             audio_codecs=pcma,pcmu;ptime=20\n",
            Kamailio::TCP
        );
        fs::write(folder.file("accounts"), account).expect("a file");
        fs::write(folder.file("contacts"), "").expect("a file");
        let log = folder.log();
        let child = Ringing::start(
            Command::new("baresip")
                .arg("-f")
                .arg(&folder.0)
                .args(["-v", "-s"])
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("a log"))
                .stderr(log),
            "baresip-core",
        );
        let end = Instant::now() + PATIENCE;
        let control = loop {
            match TcpStream::connect(("127.0.0.1", control)) {
                Ok(stream) => break stream,
                Err(error) => {
                    assert!(Instant::now() < end, "baresip: {error}; it said {}", folder.said());
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        };
        Self { _child: child, control, folder }
    }

    /// What it heard in its last call, as far as it is written.
    pub(crate) fn heard(&self) -> Vec<i16> {
        // One file for each call and each way.
        let files = fs::read_dir(&self.folder.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let heard = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let newest = heard.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
        newest.map(|file| samples(&file)).unwrap_or_default()
    }

    /// Waits until it is registered.
    pub(crate) fn is_registered(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.folder.said().contains("200 OK") {
            assert!(Instant::now() < end, "baresip does not register: {}", self.folder.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has it do something: `dial`, `hold`, `resume`, `transfer`, `hangup`.
    pub(crate) fn tell(&mut self, command: &str, parameter: &str) {
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameter}\",\"token\":\"t\"}}");
        let framed = format!("{}:{text},", text.len());
        self.control.write_all(framed.as_bytes()).expect("baresip listens");
    }
}

/// linphone without a window, told what to do by lines.
#[derive(Debug)]
pub(crate) struct Linphone {
    _child: Ringing,
    input: ChildStdin,
    pub(crate) folder: Folder,
}

impl Linphone {
    /// Registers `sip:NAME@lab.test` over TCP; calls are answered at once. Its own calls ask for a session timer and that
    /// the called one refreshes; of those it is asked for it knows nothing.
    pub(crate) fn start(name: &str) -> Self {
        Self::speaking(name, 0.0)
    }

    /// The same with a tone of so many hertz.
    pub(crate) fn speaking(name: &str, hertz: f64) -> Self {
        let folder = Folder::new(&format!("linphone-{name}"));
        let server = Kamailio::TCP;
        let configuration = format!(
            "[sip]\nsip_port=-1\nsip_tcp_port=-2\nsip_tls_port=-2\ndefault_proxy=0\nregister_only_when_network_is_up=0\n\
             guess_hostname=0\ncontact=\"{name}\" <sip:{name}@127.0.0.1>\nuse_ipv6=0\nmedia_encryption=none\n\
             session_expires_enabled=1\nsession_expires_value=600\nsession_expires_refresher_value=1\n\
             [proxy_0]\nreg_proxy=<sip:{server};transport=tcp>\nreg_route=<sip:{server};transport=tcp>\n\
             reg_identity=<sip:{name}@lab.test>\nreg_expires=600\nreg_sendregister=1\npublish=0\n\
             [sound]\nechocancellation=0\nlocal_ring=\nremote_ring=\n\
             [audio_codec_0]\nmime=PCMA\nrate=8000\nenabled=1\n[audio_codec_1]\nmime=PCMU\nrate=8000\nenabled=1\n\
             [video]\nenabled=0\ncapture=0\ndisplay=0\n[misc]\nmax_calls=4\n"
        );
        fs::write(folder.file("linphonerc"), configuration).expect("a file");
        fs::create_dir_all(folder.file(".local/share/linphone")).expect("a folder");
        fs::create_dir_all(folder.file("linphone")).expect("a folder");
        sound(&folder.file("sound.wav"), hertz);
        let log = folder.log();
        let mut child = Ringing::start(
            Command::new("linphonec")
                .arg("-a")
                .arg("-c")
                .arg(folder.file("linphonerc"))
                .args(["-d", "6", "-l"])
                .arg(folder.file("debug"))
                .current_dir(&folder.0)
                .env("HOME", &folder.0)
                .env("XDG_CONFIG_HOME", &folder.0)
                .env("XDG_DATA_HOME", &folder.0)
                .stdin(Stdio::piped())
                .stdout(log.try_clone().expect("a log"))
                .stderr(log),
            "linphone-cli",
        );
        let input = child.0.stdin.take().expect("a pipe");
        let mut linphone = Self { _child: child, input, folder };
        linphone.tell("soundcard use files");
        let [sound, heard] = ["sound.wav", "heard.wav"].map(|name| linphone.folder.file(name));
        linphone.tell(&format!("play {}", sound.display()));
        linphone.tell(&format!("record {}", heard.display()));
        linphone
    }

    /// What it heard in its calls, as far as it is written.
    pub(crate) fn heard(&self) -> Vec<i16> {
        samples(&self.folder.file("heard.wav"))
    }

    /// All that it said, its messages, too.
    pub(crate) fn said(&self) -> String {
        let debug = fs::read(self.folder.file("debug")).unwrap_or_default();
        self.folder.said() + &String::from_utf8_lossy(&debug)
    }

    /// Has it do something: `call URI`, `pause`, `resume`, `transfer ID URI`, `terminate`.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).expect("linphone listens");
    }
}

/// The samples of a WAV file whose header may not be finished yet.
fn samples(file: &Path) -> Vec<i16> {
    let octets = fs::read(file).unwrap_or_default();
    let octets = octets.get(44..).unwrap_or_default();
    octets.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// A minute of a tone, 8 kHz, 16 bits; of no hertz it is silence.
fn sound(file: &Path, hertz: f64) {
    let samples = 8_000 * 60_u32;
    let octets = samples * 2;
    let mut wave = Vec::with_capacity(44 + octets as usize);
    wave.extend_from_slice(b"RIFF");
    wave.extend_from_slice(&(36 + octets).to_le_bytes());
    wave.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend_from_slice(&8_000_u32.to_le_bytes());
    wave.extend_from_slice(&16_000_u32.to_le_bytes());
    wave.extend_from_slice(b"\x02\0\x10\0data");
    wave.extend_from_slice(&octets.to_le_bytes());
    let sample = |n: u32| (core::f64::consts::TAU * hertz * f64::from(n) / 8_000.0).sin() * 6_000.0;
    wave.extend((0..samples).flat_map(|n| (sample(n) as i16).to_le_bytes()));
    fs::write(file, wave).expect("a file");
}
