//! The demonstration: a whole installation in one process, over real sockets on loopback, that makes calls by itself.

mod certificates;
mod installation;
mod outcome;
mod presence;
mod story;

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::mpsc;

use crate::core::vocabulary::LadderStep;
use crate::observe::ladder::{self, Colour};
use crate::run::{Ending, Signals, Wanted};
use installation::Installation;
use ipdect_sim::net::FrontEndCommand;
pub use outcome::{CallOutcome, Outcome};
use story::Story;

/// Most handsets of a demonstration.
pub const MOST_HANDSETS: usize = 64;
/// Where the web page is, if the port is free.
const WEB: u16 = 8080;
/// Arrows of the ladder that may wait to be drawn.
const ARROWS: usize = 4096;

/// How the demonstration is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End after the story instead of serving the web page until Ctrl-C.
    pub once: bool,
    /// Print one final object; people's output goes to standard error.
    pub json: bool,
    /// How many handsets.
    pub handsets: usize,
}

/// Runs it; whether every step held.
pub async fn run(options: Options) -> bool {
    let begun = Instant::now();
    // Made once: a signal that comes between two looks is not lost.
    let mut signals = Signals::new().ok();
    let printer = Arc::new(Printer::new(options.json));
    let (arrows, drawn) = mpsc::channel(ARROWS);
    let drawing = tokio::spawn(draw(drawn, Arc::clone(&printer)));
    let mut outcome = Outcome { handsets: options.handsets, ..Outcome::default() };
    printer.line(&format!(
        "IP-DECT and Lync: {} handset{}, a base station, the server and a simulated Lync front end on this machine\n",
        options.handsets,
        if options.handsets == 1 { "" } else { "s" }
    ));
    let web = web_address(options.once);
    let world = match Installation::start(options.handsets, web, arrows).await {
        Ok(mut world) => {
            let page = world.server.addresses().web;
            outcome.web = format!("http://{page}");
            printer.line(&format!("  web page    {}", outcome.web));
            printer.line(&format!(
                "  front ends  {} (TLS; a front end's certificate: {})\n",
                world.server.addresses().sip,
                world.folder.path().join("pool.pem").display()
            ));
            printer.line(&ladder::heading());
            let told = tokio::select! {
                told = tell(&mut world, &printer, &mut outcome) => told,
                () = interrupted(&mut signals) => Err("interrupted".to_owned()),
            };
            match told {
                Ok(()) => outcome.ok = true,
                Err(error) => outcome.error = Some(error),
            }
            Some(world)
        }
        Err(error) => {
            outcome.error = Some(error);
            None
        }
    };
    outcome.seconds = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    outcome.memory_mib = outcome::resident_mib().map(f64::round);
    printer.line(&format!("\n{}", outcome::table(&outcome)));
    if let Some(error) = &outcome.error {
        printer.line(&format!("  FAILED: {error}"));
    }
    if options.json {
        let json = serde_json::to_string(&outcome)
            .unwrap_or_else(|error| format!("{{\"ok\":false,\"error\":\"{error}\"}}"));
        println!("{json}");
    }
    if let Some(world) = world {
        if !options.once && outcome.ok {
            printer.line(&format!("  the web page stays at {} until Ctrl-C", outcome.web));
            interrupted(&mut signals).await;
        }
        finish(world, &printer).await;
    }
    drawing.abort();
    outcome.ok
}

/// Waits for Ctrl-C, or the system's wish to end.
async fn interrupted(signals: &mut Option<Signals>) {
    // Without signals the process is ended from outside.
    let Some(signals) = signals else { return std::future::pending().await };
    while let Wanted::Reload = signals.next().await {}
}

/// The story, step by step.
async fn tell(world: &mut Installation, printer: &Arc<Printer>, outcome: &mut Outcome) -> Result<(), String> {
    let teller = Arc::clone(printer);
    let mut say = move |words: &str| teller.step(words);
    let mut story = Story::new(world, &mut say);
    outcome.registered = story.registration().await?;
    outcome.calls.push(story.handset_calls().await?);
    outcome.calls.push(story.lync_calls().await?);
    outcome.presence = story.presence().await?;
    outcome.transferred = story.transfer().await?.then_some(true);
    for call in &outcome.calls {
        if call.audio_match < 0.9 {
            return Err(format!(
                "{}: what was heard is not what was spoken ({})",
                call.direction, call.audio_match
            ));
        }
        if !call.srtp {
            return Err(format!("{}: the speech was not encrypted", call.direction));
        }
    }
    Ok(())
}

/// Ends everything and says so.
async fn finish(world: Installation, printer: &Printer) {
    let registered = world.phones.len();
    let Installation { folder, server, front_end, alice, bases, .. } = world;
    match server.stop().await {
        Ending::Clean => {
            printer.line(&format!("  stopped: {registered} registrations ended at the front end"));
        }
        Ending::Late { registered } => {
            printer.line(&format!("  stopped: {registered} registrations could not be ended in time"));
        }
        Ending::Broken => printer.line("  stopped after a failure of the server: the log says more"),
    }
    alice.stop().await;
    for base in bases {
        base.stop().await;
    }
    // A front end that has ended already takes no command.
    let _ended = front_end.commands.send(FrontEndCommand::Stop).await;
    drop(folder);
}

/// The usual port if it is free and the page will be looked at, else any.
fn web_address(once: bool) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, WEB));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    if once || TcpListener::bind(usual).is_err() { any } else { usual }
}

async fn draw(mut arrows: mpsc::Receiver<LadderStep>, printer: Arc<Printer>) {
    while let Some(arrow) = arrows.recv().await {
        printer.line(&ladder::line(&arrow, printer.colour));
    }
}

/// Where people's output goes: standard output, or standard error when that is for machines.
struct Printer {
    to_error: bool,
    colour: Colour,
    step: Mutex<u32>,
}

impl Printer {
    fn new(json: bool) -> Self {
        let terminal = if json { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        let colour =
            if terminal && std::env::var_os("NO_COLOR").is_none() { Colour::On } else { Colour::Off };
        Self { to_error: json, colour, step: Mutex::new(0) }
    }

    fn line(&self, text: &str) {
        // A reader that went away ends the output, not the demonstration.
        let _gone = if self.to_error {
            writeln!(std::io::stderr().lock(), "{text}")
        } else {
            writeln!(std::io::stdout().lock(), "{text}")
        };
    }

    fn step(&self, words: &str) {
        let number = self.step.lock().map_or(0, |mut step| {
            *step += 1;
            *step
        });
        match self.colour {
            Colour::On => self.line(&format!("\n\u{1b}[1m{number}. {words}\u{1b}[0m")),
            Colour::Off => self.line(&format!("\n{number}. {words}")),
        }
    }
}
