//! The simulators as programs that speak JSON Lines.

#![forbid(unsafe_code)]

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod program;

/// Simulated Lync front end, Lync user, DECT base station and handsets.
#[derive(Debug, Parser)]
#[command(name = "ipdect-sim", version)]
struct Arguments {
    #[command(subcommand)]
    simulator: Simulator,
}

#[derive(Debug, Subcommand)]
enum Simulator {
    /// A Lync front end; prints one JSON line per event.
    Frontend(Box<FrontEndArguments>),
    /// A Lync user; JSON lines on stdin command it, JSON lines on stdout report.
    User(UserArguments),
    /// A base station with handsets; JSON lines on stdin command them, JSON lines on stdout report.
    Base(BaseArguments),
    /// An A/V Edge, the relay of MS-TURN; prints its addresses and one JSON line per event.
    Edge(EdgeArguments),
}

#[derive(Debug, clap::Args)]
struct EdgeArguments {
    /// Where datagrams of clients arrive; relayed addresses have its host, unless --relay says otherwise.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:3478")]
    udp: SocketAddr,
    /// Where connections of clients arrive; otherwise the same as --udp.
    #[arg(long, value_name = "ADDR")]
    tcp: Option<SocketAddr>,
    /// Where relayed addresses are.
    #[arg(long, value_name = "IP")]
    relay: Option<IpAddr>,
    /// Ports of relayed addresses.
    #[arg(long, value_name = "FIRST-LAST", default_value = "50000-59999")]
    ports: String,
    /// A user name and a password as a credentials service writes them; may be given several times.
    #[arg(long = "user", value_name = "BASE64:BASE64", required = true)]
    users: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct FrontEndArguments {
    /// Where it listens.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// The SIP domain.
    #[arg(long)]
    domain: String,
    /// The file of users: lines `sip:u@d DOMAIN\user password [tel]`.
    #[arg(long, value_name = "FILE")]
    users: PathBuf,
    /// Its certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key of its certificate (PEM).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The authorities of its peers (PEM).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A trusted server: a name of its certificate, with --tcp its address; may be given several times.
    #[arg(long, value_name = "NAME")]
    trusted: Vec<String>,
    /// TCP instead of TLS.
    #[arg(long)]
    tcp: bool,
    /// Its host name; otherwise the first name of its certificate, with --tcp the address it listens on.
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,
    /// Seconds of a registration that asks for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    expires: u64,
    /// Never open connections to trusted peers.
    #[arg(long)]
    no_dial: bool,
    /// Offer TLS-DSK beside NTLM; certificates are had there over HTTPS.
    #[cfg(feature = "legacy-tls")]
    #[arg(long, value_name = "ADDR")]
    tls_dsk: Option<SocketAddr>,
    /// The host of --tls-dsk that clients are told; otherwise the front end's name.
    #[cfg(feature = "legacy-tls")]
    #[arg(long, value_name = "NAME", requires = "tls_dsk")]
    tls_dsk_host: Option<String>,
    /// How long the certificates of --tls-dsk are good for; otherwise 180 days.
    #[cfg(feature = "legacy-tls")]
    #[arg(long, value_name = "SECONDS", requires = "tls_dsk")]
    tls_dsk_lifetime: Option<u64>,
    #[command(flatten)]
    settings: program::SettingsArguments,
}

#[derive(Debug, clap::Args)]
struct UserArguments {
    /// The front end, HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    server: String,
    /// The user's SIP URI.
    #[arg(long, value_name = "sip:U@D")]
    user: String,
    /// The Windows account DOMAIN\user (NTLM).
    #[arg(long, value_name = "D\\U")]
    auth_user: Option<String>,
    /// The file of its password (NTLM).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The user's certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key of its certificate (PEM).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The authorities of the front end (PEM).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// TCP instead of TLS.
    #[arg(long)]
    tcp: bool,
    /// The name the front end's certificate must have; otherwise the host of --server.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// SRTP: off, enabled or required.
    #[arg(long, default_value = "required")]
    srtp: program::Srtp,
    /// ICE of our offers: ms-ice2, rfc8445, draft06 or off.
    #[arg(long, default_value = "ms-ice2")]
    ice: program::Ice,
    /// The name shown to others.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
}

#[derive(Debug, clap::Args)]
struct BaseArguments {
    /// The server, HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    server: String,
    /// TCP instead of TLS.
    #[arg(long)]
    tcp: bool,
    /// The authorities of the server (PEM).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The base station's certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key of its certificate (PEM).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The name the server's certificate must have; otherwise the host of --server.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// A handset and the access code for its subscription; may be given several times.
    #[arg(long = "handset", value_name = "IPEI[=ACCESSCODE]", required = true)]
    handsets: Vec<String>,
    /// The number of the radio part.
    #[arg(long, default_value_t = 0)]
    rpn: u8,
    /// The base station's name.
    #[arg(long, default_value = "simulated base station")]
    name: String,
    /// The address of its bearers; otherwise the one it reaches the server from.
    #[arg(long, value_name = "IP")]
    media_address: Option<IpAddr>,
    /// Speech channels.
    #[arg(long, default_value_t = 8)]
    channels: u8,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return program::Failure::Failed(error.to_string()).report(),
    };
    let result = runtime.block_on(async {
        match arguments.simulator {
            Simulator::Frontend(arguments) => program::front_end(*arguments).await,
            Simulator::User(arguments) => program::user(arguments).await,
            Simulator::Base(arguments) => program::base(arguments).await,
            Simulator::Edge(arguments) => program::edge(arguments).await,
        }
    });
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
