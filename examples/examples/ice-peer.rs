//! An ICE agent on the standard input and output: prints its candidates, reads the peer's, connects, passes lines.
//!
//! `ice-peer --dialect rfc8445|ms-ice2|draft06 --role controlling|controlled` prints `a=` lines and an empty line, reads
//! those of the peer up to an empty line, prints `connected LOCAL REMOTE` for each component or `failed WHY`; then lines
//! of the standard input are datagrams of component 1 and received ones are printed.

#[path = "ice-peer/peer.rs"]
mod peer;
#[path = "ice-peer/relay.rs"]
mod relay;
#[path = "ice-peer/sockets.rs"]
mod sockets;

use std::net::IpAddr;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use sip_lync::ice::agent::Nomination;
use sip_lync::ice::{Dialect, Role};

/// An ICE agent on the standard input and output.
#[derive(Parser)]
#[command(name = "ice-peer")]
pub(crate) struct Arguments {
    /// rfc8445, ms-ice2 (libnice: oc2007r2) or draft06.
    #[arg(long)]
    dialect: Dialect,
    #[arg(long, value_enum)]
    role: RoleWord,
    /// 1 for RTP alone, 2 for RTP and RTCP.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=2))]
    components: u16,
    /// The address to listen at; without it the one that leads to the internet.
    #[arg(long)]
    bind: Option<IpAddr>,
    /// A STUN server, HOST:PORT.
    #[arg(long, value_parser = server)]
    stun: Option<String>,
    /// A relay, HOST:PORT:USER:PASSWORD[:udp|tcp]; of RFC 8656 for rfc8445, of MS-TURN otherwise.
    #[arg(long, value_parser = relay)]
    turn: Option<String>,
    /// Offer TCP candidates, too.
    #[arg(long)]
    tcp: bool,
    /// Offer no UDP candidates of this host.
    #[arg(long)]
    no_udp: bool,
    /// Offer only relayed candidates.
    #[arg(long)]
    relay_only: bool,
    /// When this agent controls: nominate by every check.
    #[arg(long, value_enum, default_value_t = NominationWord::Regular)]
    nomination: NominationWord,
    /// Ask servers of RFC 3489 in their own form.
    #[arg(long)]
    rfc3489: bool,
    /// Tell every packet on the standard error output.
    #[arg(long)]
    trace: bool,
}

fn server(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Ok(text.to_owned())
        }
        _ => Err("expected HOST:PORT"),
    }
}

fn relay(text: &str) -> Result<String, &'static str> {
    let mut parts = text.splitn(3, ':');
    let server = parts.next().zip(parts.next()).map(|(host, port)| server(&format!("{host}:{port}")));
    match (server, parts.next().and_then(|rest| rest.split_once(':'))) {
        (Some(Ok(_)), Some((user, _))) if !user.is_empty() => Ok(text.to_owned()),
        _ => Err("expected HOST:PORT:USER:PASSWORD, then perhaps :udp or :tcp"),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleWord {
    Controlling,
    Controlled,
}

#[derive(Clone, Copy, ValueEnum)]
enum NominationWord {
    Regular,
    Aggressive,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Controlling => Self::Controlling,
            RoleWord::Controlled => Self::Controlled,
        }
    }
}

impl From<NominationWord> for Nomination {
    fn from(word: NominationWord) -> Self {
        match word {
            NominationWord::Regular => Self::Regular,
            NominationWord::Aggressive => Self::Aggressive,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match peer::run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ice-peer: {error}");
            ExitCode::FAILURE
        }
    }
}
