//! The guide's program: printed as it is, no longer than promised, and run against the simulated front end.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/first-phone.rs"]
mod first_phone;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser, Password};
use ipdect_sim::json::UserCommand;
use ipdect_sim::net::{
    FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions, LyncUserReport, Security,
};
use ipdect_sim::user::{Event, UserConfig};
use sip_lync::SipUri;
use srtp_sdes::{NegotiationConfig, SrtpPolicy};

fn uri(name: &str) -> SipUri {
    SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI")
}

#[test]
fn the_guide_prints_the_program_and_it_has_sixty_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = fs::read_to_string(root.join("examples/first-phone.rs")).expect("the program");
    let guide = fs::read_to_string(root.join("../docs/first-lync-phone.md")).expect("the guide");
    assert!(guide.contains(&format!("```rust\n{program}```")), "the guide shows another program");
    let lines = program.lines().count();
    assert!(lines <= 60, "{lines} lines");
}

#[test]
fn the_program_registers_with_a_password_and_calls() {
    let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
    for name in ["alice", "bob"] {
        let mut user = FrontEndUser::new(uri(name));
        "EXAMPLE".clone_into(&mut user.domain);
        name.clone_into(&mut user.account);
        user.password = Password("secret".to_owned());
        config.users.push(user);
    }
    config.wall_clock = SystemTime::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (front_end, server) = runtime.block_on(async {
        let mut options = FrontEndOptions::new(config, SocketAddr::from(([127, 0, 0, 1], 0)), Security::Tcp);
        options.seed = Some(ipdect_sim::Seed::from_number(1));
        let front_end = FrontEndServer::start(options).await.expect("a free port");
        let server = front_end.local;
        let mut bob = UserConfig::new(uri("bob"));
        bob.tls = false;
        bob.srtp = NegotiationConfig::new(SrtpPolicy::Enabled);
        bob.account = ipdect_sim::login::Account::new("EXAMPLE\\bob", "secret");
        if let Some(account) = &mut bob.account {
            account.wall_clock = SystemTime::now();
        }
        let options = LyncUserOptions::new(bob, "127.0.0.1", server.port(), Security::Tcp);
        let mut bob = LyncUserClient::start(options).await.expect("the front end runs");
        while let Some(report) = bob.reports.recv().await {
            if matches!(report, LyncUserReport::Event(Event::Registered { .. })) {
                break;
            }
        }
        tokio::spawn(async move {
            while let Some(report) = bob.reports.recv().await {
                if matches!(report, LyncUserReport::Event(Event::Incoming { .. })) {
                    bob.command(UserCommand::Answer).await;
                }
            }
        });
        (front_end, server)
    });
    let run = |password: &str| {
        let server = server.to_string();
        let arguments =
            [&*server, "sip:alice@example.net", "EXAMPLE\\alice", password, "sip:bob@example.net"];
        first_phone::phone(&arguments.map(str::to_owned)).map_err(|error| error.to_string())
    };
    assert_eq!(run("secret"), Ok(()));
    assert_eq!(run("no secret"), Err("the server refuses the account or its password".to_owned()));
    drop(front_end);
}
