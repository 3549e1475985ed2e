//! Reads session descriptions and prints one JSON line for each: `sdp-inspect FILE… | -`.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

/// Reads session descriptions, one per file, and prints one JSON line for each.
#[derive(Parser)]
#[command(name = "sdp-inspect")]
struct Arguments {
    /// Files, or `-` for the standard input.
    #[arg(required = true)]
    files: Vec<String>,
}

fn main() -> ExitCode {
    for file in Arguments::parse().files {
        let read = if file == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(&file)
        };
        let mut line = match read {
            Ok(bytes) => examples::session_description::to_json(&bytes),
            Err(error) => json!({"ok": false, "error": format!("{file}: {error}"), "at": null}),
        };
        if let Some(object) = line.as_object_mut() {
            object.insert("file".to_owned(), json!(file));
        }
        println!("{line}");
    }
    ExitCode::SUCCESS
}
