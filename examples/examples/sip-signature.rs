//! Prints the text that MS-SIPAE signs for the message on the standard input, or what follows from an epid.
//!
//! ```text
//! $ sip-signature --scheme NTLM --version 4 --crand 0a0b0c0d --num 1 --realm "SIP Communications Service" \
//!     --targetname fe1.example.net <message
//! $ sip-signature uuid 01010101
//! ```

use std::io::Read as _;
use std::process::ExitCode;

use bytes::Bytes;
use clap::{Parser, Subcommand};
use serde_json::json;
use sip_lync::gruu::InstanceId;
use sip_lync::{Message, ParseError, SignatureFields, SignatureVersion, signature_text};

/// Prints the text that is signed for the message on the standard input.
#[derive(Parser)]
#[command(name = "sip-signature", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    /// NTLM, Kerberos or TLS-DSK
    #[arg(long, default_value = "NTLM")]
    scheme: String,
    /// The version of the protocol
    #[arg(long, default_value_t = 4)]
    version: u32,
    /// The random value of a server
    #[arg(long, conflicts_with = "crand")]
    srand: Option<String>,
    /// The random value of a client
    #[arg(long)]
    crand: Option<String>,
    /// The number of the message, cnum or snum
    #[arg(long, default_value_t = 1)]
    num: u32,
    /// The realm
    #[arg(long, default_value = "SIP Communications Service")]
    realm: String,
    /// The target name
    #[arg(long, default_value = "")]
    targetname: String,
}

#[derive(Subcommand)]
enum Task {
    /// Prints the UUID of `+sip.instance` and the token of the GRUU of an epid
    Uuid {
        /// The epid, exactly as it is sent
        epid: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Task::Uuid { epid }) = &arguments.task {
        let instance = InstanceId::from_epid(epid);
        println!("{instance} {}", instance.token());
        return ExitCode::SUCCESS;
    }
    let mut bytes = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
        eprintln!("standard input: {error}");
        return ExitCode::FAILURE;
    }
    match text(bytes, &arguments) {
        Ok(text) => println!("{text}"),
        Err(error) => println!("{}", json!({"ok": false, "error": error.to_string(), "at": error.at})),
    }
    ExitCode::SUCCESS
}

fn text(bytes: Vec<u8>, arguments: &Arguments) -> Result<String, ParseError> {
    let message =
        Message::parse_with(Bytes::from(bytes), sip_lync::LineEnds::Lenient, &sip_lync::Limits::DEFAULT)?;
    let fields = SignatureFields {
        version: SignatureVersion::of(arguments.version),
        scheme: &arguments.scheme,
        random: arguments.srand.as_deref().or(arguments.crand.as_deref()).unwrap_or_default(),
        number: arguments.num,
        realm: &arguments.realm,
        target_name: &arguments.targetname,
    };
    signature_text(&message, &fields)
}
