//! The log: one line an event, to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts the log. `RUST_LOG` chooses what is written, else everything but details.
///
/// A second call changes nothing.
pub fn start() {
    start_with("info");
}

/// Starts the log with warnings and errors alone, for a program that tells its own story.
pub fn start_quiet() {
    start_with("warn");
}

fn start_with(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // It fails only if a log is there already.
    let _ = subscriber.try_init();
}
