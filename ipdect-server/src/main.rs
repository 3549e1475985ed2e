//! The command line of the server.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipdect_server::check::{Outcome, check};
use ipdect_server::init::{Wishes, init};

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
    }
}

/// One line on standard error.
fn fail(reason: &str) -> ExitCode {
    eprintln!("ipdect-server: {reason}");
    ExitCode::FAILURE
}
