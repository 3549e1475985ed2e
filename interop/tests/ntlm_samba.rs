//! NTLM against Samba: a domain controller judges our responses, and its `ntlm_auth` logs in at `ntlm-helper` and lets it in.

#[path = "support/lines.rs"]
mod lines;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use lines::{Lines, hex};
use ntlm_auth::{
    Acceptor, AcceptorConfig, Authenticate, AvId, ClientChallenge, Credentials, FileTime, Initiator,
    InitiatorConfig, Mode, RandomSessionKey, ResponsePolicy, exchange_key,
};

const PASSWORD: &str = "Us3r-Pass.word";

/// A domain controller in namespaces of its own. It ends when this program does: its input is a pipe that we hold.
struct DomainController {
    _script: Child,
    pid: String,
    configuration: PathBuf,
    log: PathBuf,
}

impl DomainController {
    /// One for all tests of this program: making it takes a dozen seconds.
    fn get() -> &'static Self {
        static CONTROLLER: OnceLock<DomainController> = OnceLock::new();
        CONTROLLER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // What earlier runs left behind.
        for old in parent.read_dir().into_iter().flatten().flatten() {
            let name = old.file_name().to_string_lossy().into_owned();
            let owner = name.strip_prefix("samba-dc.").unwrap_or("self").to_owned();
            if !Path::new("/proc").join(owner).exists() {
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        let directory = parent.join(format!("samba-dc.{}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/samba-dc.sh");
        let mut script = Command::new("sh")
            .arg(script)
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let output = script.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let Some(pid) = line.trim().strip_prefix("ready ") else {
            panic!("the domain controller does not start: {line:?}; its logs are in {}", directory.display())
        };
        let (configuration, log) = (directory.join("etc/smb.conf"), directory.join("run/samba.out"));
        Self { pid: pid.to_owned(), configuration, log, _script: script }
    }

    /// `ntlm_auth` inside.
    fn ntlm_auth(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid, "-n", "-m", "ntlm_auth"]);
        command.arg(format!("--configfile={}", self.configuration.display()));
        command
    }

    /// What the controller says of a response: the session base key, or why not.
    fn judge(
        &self,
        user: &str,
        domain: &str,
        challenge: [u8; 8],
        answer: &Authenticate,
    ) -> Result<String, String> {
        let output = self
            .ntlm_auth()
            .arg("--request-nt-key")
            .arg(format!("--username={user}"))
            .arg(format!("--domain={domain}"))
            .arg(format!("--challenge={}", hex(&challenge)))
            .arg(format!("--nt-response={}", hex(&answer.nt_response)))
            .arg(format!("--lm-response={}", hex(&answer.lm_response)))
            .output()
            .expect("ntlm_auth runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.trim().strip_prefix("NT_KEY: ") {
            Some(key) if output.status.success() => Ok(key.to_lowercase()),
            _ => Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Waits until the controller's own record of logins has that verdict on that user's NTLMv2 response. The record is
    /// passed on from process to process and may come long after the answer.
    fn wait_for_record(&self, user: &str, status: &str) {
        let mut record = Command::new("timeout")
            .args(["120", "tail", "-n", "+1", "-f", &format!("--pid={}", std::process::id())])
            .arg(&self.log)
            .stdout(Stdio::piped())
            .spawn()
            .expect("tail runs");
        let mut verdicts = Vec::new();
        for line in BufReader::new(record.stdout.take().expect("a pipe")).split(b'\n') {
            let line = String::from_utf8_lossy(&line.expect("a line")).into_owned();
            if !(line.contains("Auth:") && line.contains(&format!("[{user}]"))) {
                continue;
            }
            if line.contains("NTLMv2") && line.contains(status) {
                let _ = record.kill();
                let _ = record.wait();
                return;
            }
            verdicts.push(line);
        }
        let _ = record.wait();
        panic!("{user}: {status} wanted: {verdicts:?}");
    }
}

fn now() -> FileTime {
    FileTime::from(SystemTime::now())
}

/// Our answer to a challenge of our own making, and the session key in it.
fn answer(config: InitiatorConfig, challenge: [u8; 8]) -> (Authenticate, [u8; 16]) {
    let mode = config.mode;
    let mut server = AcceptorConfig::new(mode, "DC1", "LYNCTEST");
    server.target_info.replace_text(AvId::DNS_COMPUTER_NAME, "dc1.lync.test");
    server.target_info.replace_text(AvId::DNS_DOMAIN_NAME, "lync.test");
    let initiator = Initiator::new(config);
    let acceptor = Acceptor::new(server, initiator.negotiate(), challenge, Some(now())).expect("a challenge");
    let (message, session) = initiator
        .challenge(now(), acceptor.challenge(), ClientChallenge([5; 8]), &RandomSessionKey::new([6; 16]))
        .expect("a good challenge");
    (Authenticate::parse(&message).expect("our own message"), session.expose().exported_session_key)
}

fn config(mode: Mode, domain: &str, user: &str, password: &str) -> InitiatorConfig {
    InitiatorConfig::new(mode, Credentials::new(domain, user, password))
}

/// Confirms: a domain controller accepts our NTLMv2 responses — Samba
#[test]
fn a_domain_controller_accepts_our_responses_for_every_spelling_of_a_name() {
    let controller = DomainController::get();
    for (at, (domain, user)) in [
        ("LYNCTEST", "alice"),
        ("LYNCTEST", "ALICE"),
        ("lynctest", "alice"),
        ("lync.test", "alice"),
        ("", "alice"),
        ("", "alice@lync.test"),
        ("LYNCTEST", "jürgen"),
        ("LYNCTEST", "Jürgen"),
        ("LYNCTEST", "straße"),
    ]
    .into_iter()
    .enumerate()
    {
        for mode in [Mode::Datagram, Mode::Stream] {
            let challenge = [at as u8; 8];
            let (answer, exported) = answer(config(mode, domain, user, PASSWORD), challenge);
            let key = controller
                .judge(user, domain, challenge, &answer)
                .unwrap_or_else(|refusal| panic!("{mode:?} {domain}\\{user}: {refusal}"));
            let key: [u8; 16] = lines::unhex(&key).try_into().expect("a key");
            let encrypted = answer.encrypted_session_key.as_slice().try_into().expect("a key");
            assert_eq!(exchange_key(&key, &encrypted), exported, "{mode:?} {domain}\\{user}");
        }
    }
}

/// Confirms: a domain controller refuses wrong ones with the right reason — Samba
#[test]
fn a_domain_controller_refuses_with_the_right_reason() {
    let controller = DomainController::get();
    for (user, password, told, found) in [
        ("alice", "Us3r-Pass.w0rd", "0xc000006d", "NT_STATUS_WRONG_PASSWORD"),
        ("nobody", PASSWORD, "0xc000006d", "NT_STATUS_NO_SUCH_USER"),
        ("dora", PASSWORD, "0xc0000072", "NT_STATUS_ACCOUNT_DISABLED"),
        // Of a disabled account with a wrong password only the password counts.
        ("dora", "wrong", "0xc000006d", "NT_STATUS_WRONG_PASSWORD"),
    ] {
        let (answer, _) = answer(config(Mode::Datagram, "LYNCTEST", user, password), [7; 8]);
        let refusal = controller.judge(user, "LYNCTEST", [7; 8], &answer).expect_err("refused");
        assert!(refusal.contains(told), "{user} {password}: {told} wanted: {refusal}");
        controller.wait_for_record(user, found);
    }
    // The right password for another challenge.
    let (replayed, _) = answer(config(Mode::Datagram, "LYNCTEST", "alice", PASSWORD), [7; 8]);
    let refusal = controller.judge("alice", "LYNCTEST", [8; 8], &replayed).expect_err("refused");
    assert!(refusal.contains("0xc000006d"), "{refusal}");
}

/// Confirms: policy of NTLMv2 only is honoured — Samba
#[test]
fn a_domain_controller_that_wants_ntlmv2_refuses_what_policy_would_allow() {
    let controller = DomainController::get();
    for responses in [ResponsePolicy::AllowNtlm2Session, ResponsePolicy::AllowNtlmV1] {
        let mut weak = config(Mode::Stream, "LYNCTEST", "alice", PASSWORD);
        weak.responses = responses;
        let mut server = AcceptorConfig::new(Mode::Stream, "DC1", "LYNCTEST");
        let info = ntlm_auth::NegotiateFlags::TARGET_INFO;
        server.flags = server.flags.without(info);
        let initiator = Initiator::new(weak);
        let mut negotiate = ntlm_auth::Negotiate::parse(initiator.negotiate().expect("a first message"))
            .expect("our own message");
        negotiate.flags = negotiate.flags.without(info);
        if responses == ResponsePolicy::AllowNtlmV1 {
            server.flags = server.flags.without(ntlm_auth::NegotiateFlags::EXTENDED_SESSION_SECURITY);
        }
        let acceptor = ntlm_auth::Challenge {
            flags: server.flags,
            target_name: Vec::new(),
            server_challenge: [9; 8],
            target_info: None,
            version: [0; 8],
        };
        let challenge = acceptor.emit().expect("a challenge");
        let key = RandomSessionKey::new([6; 16]);
        let (message, _) =
            initiator.challenge(now(), &challenge, ClientChallenge([5; 8]), &key).expect("policy allows it");
        let answer = Authenticate::parse(&message).expect("our own message");
        assert_eq!(answer.nt_response.len(), 24);
        let refusal = controller.judge("alice", "LYNCTEST", [9; 8], &answer).expect_err("refused");
        assert!(refusal.contains("0xc000006d") || refusal.contains("0xc000006a"), "{responses:?}: {refusal}");
    }
}

/// The example program, as `cargo test --workspace` builds it, which has done so already.
fn helper() -> &'static Path {
    static HELPER: OnceLock<PathBuf> = OnceLock::new();
    HELPER.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = Command::new(cargo)
            .current_dir(root)
            .args(["build", "--quiet", "--offline", "--workspace", "--example", "ntlm-helper"])
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        // Beside this program's own folder.
        let this = std::env::current_exe().expect("this program");
        this.parent().and_then(Path::parent).expect("a folder").join("examples/ntlm-helper")
    })
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
    std::fs::write(&path, text).expect("a file");
    path
}

fn our_client(domain: &str, user: &str, password: &str) -> Lines {
    let password = file(&format!("{user}-{password}"), &format!("{password}\n"));
    let mut command = Command::new(helper());
    command.args(["--helper-protocol", "ntlmssp-client-1", "--username", user, "--domain", domain]);
    Lines::start(command.arg("--password-file").arg(password))
}

fn our_server() -> Lines {
    let users = file("users", &format!("LYNCTEST:alice:{PASSWORD}\nLYNCTEST:jürgen:pässwörd 漢\n"));
    Lines::start(
        Command::new(helper()).args(["--helper-protocol", "squid-2.5-ntlmssp"]).arg("--users").arg(users),
    )
}

/// Drives a client's and a server's helper at each other; the server's last word.
fn drive(client: &mut Lines, server: &mut Lines) -> String {
    let first = client.ask("YR");
    assert!(first.starts_with("YR "), "{first}");
    let challenge = server.ask(&first);
    assert!(challenge.starts_with("TT "), "{challenge}");
    let answer = client.ask(&challenge);
    let (word, message) = answer.split_once(' ').unwrap_or_default();
    assert!(word == "AF" || word == "KK", "{answer}");
    server.ask(&format!("KK {message}"))
}

/// Confirms: our helper logs in at its program — ntlm_auth of Samba
#[test]
fn ntlm_helper_logs_in_at_ntlm_auth_of_samba() {
    let controller = DomainController::get();
    for (user, password, verdict) in [
        ("alice", PASSWORD, "AF LYNCTEST\\alice"),
        ("jürgen", PASSWORD, "AF LYNCTEST\\jürgen"),
        ("alice", "wrong", "NA NT_STATUS_WRONG_PASSWORD"),
        ("dora", PASSWORD, "NA NT_STATUS_ACCOUNT_DISABLED"),
    ] {
        let mut server = Lines::start(controller.ntlm_auth().arg("--helper-protocol=squid-2.5-ntlmssp"));
        let mut client = our_client("LYNCTEST", user, password);
        let word = drive(&mut client, &mut server);
        if verdict.starts_with("AF") {
            assert_eq!(word, verdict);
            assert_eq!(server.ask("GK"), client.ask("GK"), "both have the same key");
        } else {
            // Which of these a helper is told depends on Samba's settings; the controller itself said why (above).
            assert!(word == verdict || word == "NA NT_STATUS_LOGON_FAILURE", "{user} {password}: {word}");
        }
    }
}

/// Confirms: its program logs in at our helper — ntlm_auth of Samba
#[test]
fn ntlm_auth_of_samba_logs_in_at_ntlm_helper() {
    let controller = DomainController::get();
    for (user, password, verdict) in [
        ("alice", PASSWORD, "AF LYNCTEST\\alice"),
        ("jürgen", "pässwörd 漢", "AF LYNCTEST\\jürgen"),
        ("alice", "wrong", "NA NT_STATUS_LOGON_FAILURE refused: the login failed"),
    ] {
        let mut client = Lines::start(controller.ntlm_auth().env("LC_ALL", "C.UTF-8").args([
            "--helper-protocol=ntlmssp-client-1",
            &format!("--username={user}"),
            "--domain=LYNCTEST",
            &format!("--password={password}"),
        ]));
        let mut server = our_server();
        assert_eq!(drive(&mut client, &mut server), verdict);
        if verdict.starts_with("AF") {
            assert_eq!(client.ask("GK"), server.ask("GK"), "both have the same key");
        }
    }
}
