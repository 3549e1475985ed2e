//! The programs: arguments in, JSON Lines out.

mod base;
mod edge;
mod front_end;
mod settings;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use ipdect_sim::net::Security;
use ipdect_sim::net::tls::{Identity, certificates};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin, Stdout};

pub(crate) use base::base;
pub(crate) use edge::edge;
pub(crate) use front_end::front_end;
pub(crate) use settings::SettingsArguments;
pub(crate) use user::user;

/// Why a program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage: exit 2.
    Usage(String),
    /// The program itself failed: exit 1.
    Failed(String),
}

impl Failure {
    /// One line on stderr and the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (text, code) = match self {
            Self::Usage(text) => (text, 2),
            Self::Failed(text) => (text, 1),
        };
        eprintln!("ipdect-sim: {text}");
        ExitCode::from(code)
    }
}

/// The SRTP policy of a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Srtp(pub(crate) srtp_sdes::SrtpPolicy);

impl std::str::FromStr for Srtp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(srtp_sdes::SrtpPolicy::Off)),
            "enabled" => Ok(Self(srtp_sdes::SrtpPolicy::Enabled)),
            "required" => Ok(Self(srtp_sdes::SrtpPolicy::Required)),
            _ => Err("one of off, enabled, required"),
        }
    }
}

/// The dialect of ICE in a user's offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ice(pub(crate) Option<sip_lync::ice::Dialect>);

impl std::str::FromStr for Ice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            word => word
                .parse()
                .map(|dialect| Self(Some(dialect)))
                .map_err(|_| "one of ms-ice2, rfc8445, draft06, off"),
        }
    }
}

/// TCP or TLS from the options of a program.
fn security(
    tcp: bool,
    cert: Option<&PathBuf>,
    key: Option<&PathBuf>,
    ca: Option<&PathBuf>,
    name: Option<String>,
) -> Result<Security, Failure> {
    if tcp {
        return Ok(Security::Tcp);
    }
    let failed = |error: ipdect_sim::net::tls::TlsError| Failure::Failed(error.to_string());
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some(Identity::read(cert, key).map_err(failed)?),
        _ => None,
    };
    let ca = ca.ok_or_else(|| Failure::Usage("TLS needs --ca FILE (or give --tcp)".to_owned()))?;
    Ok(Security::Tls { identity, authorities: certificates(ca).map_err(failed)?, name })
}

/// `HOST:PORT`, the host perhaps an IPv6 address in brackets.
fn host_and_port(text: &str) -> Result<(String, u16), Failure> {
    let wrong = || Failure::Usage(format!("`{text}` is not of the form HOST:PORT"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

/// Lines in, JSON lines out.
struct Console {
    lines: Lines<BufReader<Stdin>>,
    out: Stdout,
}

impl Console {
    fn new() -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), out: tokio::io::stdout() }
    }

    /// The next line that is not empty; none: the end of the input.
    async fn line(&mut self) -> Option<String> {
        loop {
            match self.lines.next_line().await {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => return Some(line),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Writes a line; an error: nobody reads any more.
    async fn print(&mut self, value: &Value) -> Result<(), Failure> {
        print(&mut self.out, value).await
    }
}

/// Writes a JSON line; an error: nobody reads any more.
async fn print(out: &mut Stdout, value: &Value) -> Result<(), Failure> {
    let mut line = value.to_string();
    line.push('\n');
    let written = async {
        out.write_all(line.as_bytes()).await?;
        out.flush().await
    };
    written.await.map_err(|error| Failure::Failed(format!("stdout: {error}")))
}

/// An event as a JSON line.
fn json(event: &impl serde::Serialize) -> Value {
    serde_json::to_value(event)
        .unwrap_or_else(|error| serde_json::json!({ "ok": false, "error": error.to_string() }))
}

/// Interrupt and termination. Made once for a program: a signal that comes while something else is done waits for the next look.
struct Ends {
    terminate: Option<tokio::signal::unix::Signal>,
    interrupt: Option<tokio::signal::unix::Signal>,
}

impl Ends {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    /// Waits for either; for ever where the system gives neither.
    async fn next(&mut self) {
        let terminate = wait(&mut self.terminate);
        let interrupt = wait(&mut self.interrupt);
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}

async fn wait(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
