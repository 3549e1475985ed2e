//! Looks into messages, paging, identities, authentication and frames of the DECT network layer.
//!
//! Every input gives one line of JSON; `ladder` draws a picture instead.

#[path = "dect-inspect/frames.rs"]
mod frames;
#[path = "dect-inspect/identities.rs"]
mod identities;
#[path = "dect-inspect/ladder.rs"]
mod ladder;
#[path = "dect-inspect/messages.rs"]
mod messages;
#[path = "dect-inspect/security.rs"]
mod security;

use std::{
    io::{BufRead as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use dect_nwk::{Error, message::Side};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(about = "Looks into the DECT network layer")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Explains messages given in hexadecimal.
    Decode {
        /// The side they come from.
        #[arg(long)]
        from: Option<From>,
        /// They are paging messages of three octets.
        #[arg(long, conflicts_with = "full_page")]
        short_page: bool,
        /// They are paging messages of five octets.
        #[arg(long)]
        full_page: bool,
        /// The messages, or `-` for lines of the standard input.
        #[arg(required = true)]
        hex: Vec<String>,
    },
    /// Writes messages from the lines which `decode` prints.
    Encode,
    /// Explains equipment identities, given as text or in hexadecimal.
    Ipei {
        /// The identities, or `-` for lines of the standard input.
        #[arg(required = true)]
        identity: Vec<String>,
    },
    /// Explains access rights keys, given in one of their printed forms.
    Park {
        /// The keys, or `-` for lines of the standard input.
        #[arg(required = true)]
        key: Vec<String>,
    },
    /// Computes what an authentication yields.
    Auth(security::Arguments),
    /// Explains frames of the data link layer and puts messages together.
    Lapc {
        /// They have neither fill nor checksum.
        #[arg(long)]
        bare: bool,
        /// The link signature.
        #[arg(long, default_value = "0000", value_parser = |text: &str| u16::from_str_radix(text, 16))]
        signature: u16,
        /// The frames, or `-` for lines of the standard input.
        #[arg(required = true)]
        hex: Vec<String>,
    },
    /// Draws the messages of a file: lines `P>F HEX`, `F>P HEX` and `F>P page HEX`.
    Ladder {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum From {
    Portable,
    Fixed,
}

impl From {
    const fn side(self) -> Side {
        match self {
            Self::Portable => Side::Portable,
            Self::Fixed => Side::Fixed,
        }
    }
}

/// Why an input was not understood.
struct Bad {
    error: String,
    at: Option<usize>,
}

impl Bad {
    /// Wrong as a whole: from its first octet on.
    fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), at: Some(0) }
    }

    /// Wrong at this octet of the text.
    fn at(error: impl Into<String>, at: usize) -> Self {
        Self { error: error.into(), at: Some(at) }
    }

    /// The same error seen from a text in which this one began so many octets later.
    fn behind(self, base: usize) -> Self {
        Self { at: self.at.map(|at| at + base), ..self }
    }

    fn line(&self) -> Value {
        json!({"ok": false, "error": self.error, "at": self.at})
    }
}

impl std::convert::From<Error> for Bad {
    fn from(error: Error) -> Self {
        Self { error: error.to_string(), at: error.at().or(Some(0)) }
    }
}

/// Octets from hexadecimal digits, between which there may be spaces.
fn octets(text: &str) -> Result<Vec<u8>, Bad> {
    let mut digits = Vec::new();
    for (at, character) in text.char_indices().filter(|(_, character)| !character.is_whitespace()) {
        let digit = character.to_digit(16).ok_or_else(|| Bad::at("not a hexadecimal digit", at))?;
        digits.push(u8::try_from(digit).unwrap_or(0));
    }
    if digits.len() % 2 != 0 {
        return Err(Bad::at("half an octet at the end", text.len()));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect())
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The arguments, a single `-` standing for the lines of the standard input.
fn inputs(arguments: Vec<String>) -> Box<dyn Iterator<Item = std::io::Result<String>>> {
    if arguments.len() == 1 && arguments.first().is_some_and(|argument| argument == "-") {
        let lines = std::io::stdin().lock().lines();
        Box::new(lines.filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty())))
    } else {
        Box::new(arguments.into_iter().map(Ok))
    }
}

/// Prints one line for each input.
fn each(
    inputs: impl Iterator<Item = std::io::Result<String>>,
    mut explain: impl FnMut(&str) -> Result<Value, Bad>,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for input in inputs {
        let line = match input {
            Ok(input) => explain(input.trim()).unwrap_or_else(|bad| bad.line()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Bad::new("not UTF-8").line(),
            Err(error) => return Err(error),
        };
        writeln!(out, "{line}")?;
    }
    out.flush()
}

fn run(command: Command) -> std::io::Result<()> {
    match command {
        Command::Decode { short_page: true, hex, .. } => each(inputs(hex), |text| messages::page(text, 3)),
        Command::Decode { full_page: true, hex, .. } => each(inputs(hex), |text| messages::page(text, 5)),
        Command::Decode { from, hex, .. } => {
            each(inputs(hex), |text| messages::decode(&octets(text)?, from.map(From::side)))
        }
        Command::Encode => each(inputs(vec!["-".into()]), messages::encode),
        Command::Ipei { identity } => each(inputs(identities::whole(identity)), identities::ipei),
        Command::Park { key } => each(inputs(identities::whole(key)), identities::park),
        Command::Auth(arguments) => {
            each(std::iter::once(Ok(String::new())), |_| security::compute(&arguments))
        }
        Command::Lapc { bare, signature, hex } => {
            let mut links = frames::Links::new(bare, signature);
            each(inputs(hex), |text| links.explain(text))
        }
        Command::Ladder { file } => ladder::draw(&file, &mut std::io::stdout().lock()),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dect-inspect: {error}");
            ExitCode::FAILURE
        }
    }
}
