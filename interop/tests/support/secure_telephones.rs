//! baresip and linphone over TLS with SRTP: each plays a tone and records what it hears.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::telephony::{Folder, Kamailio, PATIENCE};

/// A telephone of another hand.
pub(crate) trait Telephone {
    /// Calls an address.
    fn calls(&mut self, address: &str);
    /// Answers what rings; those that answer by themselves do nothing.
    fn hangs_up(&mut self);
    fn holds(&mut self);
    fn retrieves(&mut self);
    /// Sends the other side of its call to another address.
    fn transfers(&mut self, address: &str);
    /// What the last call heard, as far as it is written.
    fn heard(&self) -> Vec<i16>;
    fn said(&self) -> String;
    /// What it says when a call begins, and when it ends.
    const WORDS: [&str; 2];

    /// How many calls have begun and ended.
    fn begun_and_ended(&self) -> (usize, usize) {
        let said = self.said();
        let [begun, ended] = Self::WORDS.map(|words| said.matches(words).count());
        (begun, ended)
    }
}

/// A program that ends with its test.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// baresip, told what to do over its control port.
#[derive(Debug)]
pub(crate) struct Baresip {
    _child: Running,
    control: TcpStream,
    pub(crate) folder: Folder,
}

impl Baresip {
    /// Registers `sip:NAME@lab.test` over TLS; SRTP or nothing; calls are answered at once; a tone of so many hertz.
    pub(crate) fn start(name: &str, tone: f64, control: u16, kamailio: &Kamailio) -> Self {
        let folder = Folder::new(&format!("baresip-srtp-{control}"));
        let place = folder.0.display();
        let authority = kamailio.folder.file("ca.pem").display().to_string();
        let mut both = fs::read(kamailio.folder.file("client.pem")).expect("a certificate");
        both.extend(fs::read(kamailio.folder.file("client.key")).expect("a key"));
        fs::write(folder.file("both.pem"), both).expect("a file");
        write_tone(&folder.file("tone.wav"), tone);
        let modules = [
            "module stdio.so",
            "module g711.so",
            "module aufile.so",
            "module srtp.so",
            "module sndfile.so",
            "module_tmp uuid.so",
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
        ];
        let configuration = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\nsip_cafile {authority}\nsip_certificate {place}/both.pem\n\
             sip_verify_server yes\ncall_local_timeout 120\ncall_max_calls 4\naudio_path {place}\n\
             audio_player aufile,{place}/heard.wav\nsnd_path {place}\naudio_source aufile,{place}/tone.wav\n\
             audio_alert aufile,{place}/alert.wav\naudio_level no\nausrc_format s16\nauplay_format s16\n\
             auenc_format s16\naudec_format s16\nnet_interface lab0\nctrl_tcp_listen 127.0.0.1:{control}\n\
             module_path /usr/lib/baresip/modules\n{}\n",
            modules.join("\n")
        );
        fs::write(folder.file("config"), configuration).expect("a file");
        let account = format!(
            "<sip:{name}@lab.test;transport=tls>;outbound=\"sip:{};transport=tls\";regint=600;answermode=auto;\
             mediaenc=srtp-mand;audio_codecs=pcma,pcmu;ptime=20\n",
            Kamailio::TLS
        );
        fs::write(folder.file("accounts"), account).expect("a file");
        fs::write(folder.file("contacts"), "").expect("a file");
        let log = fs::File::create(folder.file("log")).expect("a log");
        let child = Command::new("baresip")
            .arg("-f")
            .arg(&folder.0)
            .args(["-v", "-s"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("baresip, of the package baresip-core");
        let mut child = Running(child);
        let end = Instant::now() + PATIENCE;
        let control = loop {
            match TcpStream::connect(("127.0.0.1", control)) {
                Ok(stream) => break stream,
                Err(error) => {
                    let runs = matches!(child.0.try_wait(), Ok(None));
                    assert!(runs && Instant::now() < end, "baresip: {error}; it said {}", folder.said());
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        };
        let baresip = Self { _child: child, control, folder };
        until(&baresip, "the registration", |baresip| baresip.said().contains("200 OK"));
        baresip
    }

    fn tell(&mut self, command: &str, parameter: &str) {
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameter}\",\"token\":\"t\"}}");
        let framed = format!("{}:{text},", text.len());
        self.control.write_all(framed.as_bytes()).expect("baresip listens");
    }
}

impl Telephone for Baresip {
    const WORDS: [&str; 2] = ["Call established", "terminated (duration"];

    fn calls(&mut self, address: &str) {
        self.tell("dial", address);
    }

    fn hangs_up(&mut self) {
        self.tell("hangup", "");
    }

    fn holds(&mut self) {
        self.tell("hold", "");
    }

    fn retrieves(&mut self) {
        self.tell("resume", "");
    }

    fn transfers(&mut self, address: &str) {
        self.tell("transfer", address);
    }

    fn heard(&self) -> Vec<i16> {
        // One file for each call; the newest is that of the last.
        let files = fs::read_dir(&self.folder.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let heard = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let newest = heard.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
        newest.map(|file| samples(&file)).unwrap_or_default()
    }

    fn said(&self) -> String {
        self.folder.said()
    }
}

/// linphone without a window, told what to do by lines.
#[derive(Debug)]
pub(crate) struct Linphone {
    _child: Running,
    input: ChildStdin,
    pub(crate) folder: Folder,
}

impl Linphone {
    /// Registers `sip:NAME@lab.test` over TLS; SRTP or nothing; calls are answered at once; a tone of so many hertz.
    pub(crate) fn start(name: &str, tone: f64, rtp: u16, kamailio: &Kamailio) -> Self {
        let folder = Folder::new(&format!("linphone-srtp-{rtp}"));
        let server = Kamailio::TLS;
        let authority = kamailio.folder.file("ca.pem").display().to_string();
        let configuration = format!(
            "[sip]\nsip_port=-1\nsip_tcp_port=-2\nsip_tls_port=-2\ndefault_proxy=0\nregister_only_when_network_is_up=0\n\
             guess_hostname=0\ncontact=\"{name}\" <sip:{name}@127.0.0.1>\nuse_ipv6=0\nmedia_encryption=srtp\n\
             media_encryption_mandatory=1\nverify_server_certs=1\nverify_server_cn=0\nroot_ca={authority}\n\
             [proxy_0]\nreg_proxy=<sip:{server};transport=tls>\nreg_route=<sip:{server};transport=tls>\n\
             reg_identity=<sip:{name}@lab.test>\nreg_expires=600\nreg_sendregister=1\npublish=0\n\
             [rtp]\naudio_rtp_port={rtp}\n[sound]\nechocancellation=0\nlocal_ring=\nremote_ring=\n\
             [audio_codec_0]\nmime=PCMA\nrate=8000\nenabled=1\n[audio_codec_1]\nmime=PCMU\nrate=8000\nenabled=1\n\
             [video]\nenabled=0\ncapture=0\ndisplay=0\n[misc]\nmax_calls=4\n"
        );
        fs::write(folder.file("linphonerc"), configuration).expect("a file");
        fs::create_dir_all(folder.file(".local/share/linphone")).expect("a folder");
        fs::create_dir_all(folder.file("linphone")).expect("a folder");
        write_tone(&folder.file("tone.wav"), tone);
        let log = fs::File::create(folder.file("log")).expect("a log");
        let child = Command::new("linphonec")
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
            .stderr(log)
            .spawn()
            .expect("linphonec, of the package linphone-cli");
        let mut child = Running(child);
        let input = child.0.stdin.take().expect("a pipe");
        let mut linphone = Self { _child: child, input, folder };
        linphone.tell("soundcard use files");
        let (tone, heard) = (linphone.folder.file("tone.wav"), linphone.folder.file("heard.wav"));
        linphone.tell(&format!("play {}", tone.display()));
        linphone.tell(&format!("record {}", heard.display()));
        until(&linphone, "the registration", |linphone| linphone.said().contains("Register refresher [200]"));
        linphone
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).expect("linphone listens");
    }
}

impl Telephone for Linphone {
    const WORDS: [&str; 2] = [" connected.", " ended ("];

    fn calls(&mut self, address: &str) {
        self.tell(&format!("call {address}"));
    }

    fn hangs_up(&mut self) {
        self.tell("terminate");
    }

    fn holds(&mut self) {
        self.tell("pause");
    }

    fn retrieves(&mut self) {
        self.tell("resume");
    }

    fn transfers(&mut self, address: &str) {
        self.tell(&format!("transfer {address}"));
    }

    fn heard(&self) -> Vec<i16> {
        samples(&self.folder.file("heard.wav"))
    }

    fn said(&self) -> String {
        let debug = fs::read(self.folder.file("debug")).unwrap_or_default();
        self.folder.said() + &String::from_utf8_lossy(&debug)
    }
}

/// Waits until a program has said something.
pub(crate) fn until<T: Telephone>(telephone: &T, what: &str, holds: impl Fn(&T) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds(telephone) {
        assert!(Instant::now() < end, "{what} did not happen: {}", telephone.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The samples of a WAV file whose header may not be finished yet.
fn samples(file: &Path) -> Vec<i16> {
    let octets = fs::read(file).unwrap_or_default();
    let octets = octets.get(44..).unwrap_or_default();
    octets.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// A tone of 8 kHz, 16 bits, as samples.
pub(crate) fn tone(hertz: f64, seconds: u32) -> Vec<i16> {
    let count = 8_000 * seconds;
    let angle = |n: u32| core::f64::consts::TAU * hertz * f64::from(n) / 8_000.0;
    (0..count).map(|n| (angle(n).sin() * 9_000.0) as i16).collect()
}

fn write_tone(file: &Path, hertz: f64) {
    let samples = tone(hertz, 60);
    let octets = u32::try_from(samples.len() * 2).expect("a minute");
    let mut wave = Vec::with_capacity(44 + octets as usize);
    wave.extend_from_slice(b"RIFF");
    wave.extend_from_slice(&(36 + octets).to_le_bytes());
    wave.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend_from_slice(&8_000_u32.to_le_bytes());
    wave.extend_from_slice(&16_000_u32.to_le_bytes());
    wave.extend_from_slice(b"\x02\0\x10\0data");
    wave.extend_from_slice(&octets.to_le_bytes());
    wave.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    fs::write(file, wave).expect("a file");
}
