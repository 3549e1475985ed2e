//! The command line of the server.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipdect_server::check::{Outcome, check};
use ipdect_server::config::Configuration;
use ipdect_server::demo;
use ipdect_server::init::{Wishes, init};
use ipdect_server::observe::log;
use ipdect_server::run::{Addresses, Ending, Options, Server, Signals, Wanted};
use ipdect_server::web::Access;

/// DECT handsets as Lync phones.
#[derive(Debug, Parser)]
#[command(name = "ipdect-server", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a commented configuration, a data folder and an administrator.
    Init {
        /// Where; made if it does not exist.
        folder: PathBuf,
        /// DNS name of this server [default: the machine's].
        #[arg(long)]
        hostname: Option<String>,
        /// SIP domain [default: the part of the host name after its first dot].
        #[arg(long)]
        domain: Option<String>,
    },
    /// Check configuration, certificates, clock, ports, store and proxies: one line a check, exit 1 if one fails.
    Check {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Show the main job on this machine: a simulated Lync front end, base stations and handsets around a real server.
    Demo {
        /// End after the story; exit 0 only if every step held.
        #[arg(long)]
        once: bool,
        /// Print one final JSON object on standard output, the story on standard error.
        #[arg(long)]
        json: bool,
        /// How many handsets, 1 to 64.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
        handsets: u16,
        /// How the server proves itself to the front end: trusted-server; ntlm is not built yet.
        #[arg(long, default_value = "trusted-server")]
        authentication: String,
    },
    /// Run the server. SIGHUP or a changed file reloads; SIGTERM ends calls and registrations, then the server.
    Run {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Init { folder, hostname, domain } => match init(&folder, &Wishes { hostname, domain }) {
            Ok(made) => {
                println!("{made}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Command::Check { config } => match check(&config, &mut |finding| println!("{finding}")).await {
            Outcome::Ok | Outcome::Note => ExitCode::SUCCESS,
            Outcome::Fail => ExitCode::FAILURE,
        },
        Command::Demo { once, json, handsets, authentication } => {
            demonstrate(once, json, handsets, &authentication).await
        }
        Command::Run { config } => match run(&config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
    }
}

async fn demonstrate(once: bool, json: bool, handsets: u16, authentication: &str) -> ExitCode {
    match authentication {
        "trusted-server" => {}
        "ntlm" => {
            eprintln!("ipdect-server: demo --authentication ntlm is not built yet: use trusted-server");
            return ExitCode::from(2);
        }
        other => {
            eprintln!("ipdect-server: no authentication {other:?}: use trusted-server");
            return ExitCode::from(2);
        }
    }
    log::start_quiet();
    let options = demo::Options { once, json, handsets: usize::from(handsets) };
    if demo::run(options).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(file: &Path) -> Result<(), String> {
    log::start();
    let configuration = Configuration::load(file).map_err(|problems| problems.to_string())?;
    let options = Options {
        configuration,
        configuration_file: Some(file.to_owned()),
        access: Access::Login,
        ladder: None,
    };
    let mut signals = Signals::new().map_err(|error| format!("signals cannot be received ({error})"))?;
    let server = Server::start(options).await.map_err(|failure| failure.to_string())?;
    let Addresses { sip, radio, web } = server.addresses();
    tracing::info!("ready: front ends at {sip}, base stations at {radio}, web page at {web}");
    while let Wanted::Reload = signals.next().await {
        server.reload();
    }
    tracing::info!("stopping: calls and registrations are being ended");
    let ending = tokio::select! {
        ending = server.stop() => ending,
        () = signals.impatient() => return Err("stopped at once: registrations may be left at the front end".to_owned()),
    };
    match ending {
        Ending::Clean => {
            tracing::info!("stopped: all calls and registrations were ended");
            Ok(())
        }
        Ending::Late { registered } => Err(format!(
            "stopped, but {registered} registrations could not be ended in time: the front end forgets them by itself"
        )),
        Ending::Broken => Err("stopped after a failure of its own: the log says more".to_owned()),
    }
}

/// One line on standard error.
fn fail(reason: &str) -> ExitCode {
    eprintln!("ipdect-server: {reason}");
    ExitCode::FAILURE
}
