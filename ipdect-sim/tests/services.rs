//! Conferences and voice mail over real sockets: who is mixed hears the others, who is away finds a message.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipdect_sim::frontend::{Event, FrontEndConfig, FrontEndUser, StandingConference};
use ipdect_sim::json::UserCommand;
use ipdect_sim::net::{
    FrontEndCommand, FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions, LyncUserReport,
    Security,
};
use ipdect_sim::user::{self, UserConfig};
use sip_lync::ice::Dialect;
use srtp_sdes::{NegotiationConfig, SrtpPolicy};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(2);
const MIXER: &str = "sip:alice@example.net;gruu;opaque=app:conf:audio-video:id:5D3JHFSS";

async fn front_end() -> FrontEndServer {
    let mut config = FrontEndConfig::new("127.0.0.1", "example.net");
    for name in ["alice", "bob", "carol"] {
        let mut user = FrontEndUser::new(format!("sip:{name}@example.net").parse().expect("a URI"));
        let mailbox = format!("sip:{name}@example.net;opaque=app:voicemail;gruu");
        user.calls.unanswered = Some(mailbox.parse().expect("a URI"));
        user.calls.patience = Duration::from_mins(1);
        config.users.push(user);
    }
    config.trusted_addresses.push(Ipv4Addr::LOCALHOST.into());
    config.provisioning.encryption = ipdect_sim::frontend::CallEncryption::Support;
    config.mailboxes = true;
    config.conferences.push(StandingConference {
        id: "5D3JHFSS".to_owned(),
        organizer: "sip:alice@example.net".parse().expect("a URI"),
        tel: Some("+14255550199".to_owned()),
        invited: vec!["sip:carol@example.net".parse().expect("a URI")],
    });
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    FrontEndServer::start(FrontEndOptions::new(config, listen, Security::Tcp)).await.expect("a free port")
}

async fn user(name: &str, server: &FrontEndServer, change: impl FnOnce(&mut UserConfig)) -> LyncUserClient {
    let mut config = UserConfig::new(format!("sip:{name}@example.net").parse().expect("a URI"));
    config.tls = false;
    change(&mut config);
    let options = LyncUserOptions::new(config, "127.0.0.1", server.local.port(), Security::Tcp);
    let mut user = LyncUserClient::start(options).await.expect("the front end accepts connections");
    wait(&mut user, |event| matches!(event, user::Event::Registered { .. })).await;
    user
}

/// Waits for an event of a user; what comes before it is looked away from.
async fn wait(user: &mut LyncUserClient, wanted: impl Fn(&user::Event) -> bool) {
    report(user, |report| matches!(report, LyncUserReport::Event(event) if wanted(&event)).then_some(()))
        .await;
}

async fn report<T>(user: &mut LyncUserClient, wanted: impl Fn(LyncUserReport) -> Option<T>) -> T {
    loop {
        let report = timeout(PATIENCE, user.reports.recv()).await.expect("in time").expect("the user runs");
        if let Some(found) = wanted(report) {
            return found;
        }
    }
}

async fn connected(user: &mut LyncUserClient) {
    wait(user, |event| matches!(event, user::Event::Connected { .. })).await;
}

/// What a user heard in the call that ends.
async fn heard(user: &mut LyncUserClient) -> Vec<i16> {
    report(user, |report| match report {
        LyncUserReport::Talked { report, .. } => Some(report.recorded),
        _ => None,
    })
    .await
}

/// Waits for an event of the front end.
async fn reported(server: &mut FrontEndServer, wanted: impl Fn(&Event) -> bool) {
    loop {
        let event = timeout(PATIENCE, server.events.recv()).await.expect("in time").expect("it runs");
        if wanted(&event) {
            return;
        }
    }
}

fn tone(hertz: f64, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| (6000.0 * (core::f64::consts::TAU * hertz * n as f64 / 8000.0).sin()) as i16)
        .collect()
}

/// How loud a tone is where it is loudest.
fn loudness(samples: &[i16], hertz: f64) -> f64 {
    let pieces = samples.chunks_exact(800).map(|piece| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in piece.iter().enumerate() {
            let angle = core::f64::consts::TAU * hertz * n as f64 / 8000.0;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        2.0 * f64::hypot(re, im) / 800.0
    });
    pieces.fold(0.0, f64::max)
}

fn is_user(user: &str, name: &str) -> bool {
    user == format!("sip:{name}@example.net")
}

#[tokio::test]
async fn members_of_a_conference_hear_each_other_whatever_they_speak() {
    let mut server = front_end().await;
    // SRTP and ICE of Lync; neither; SRTP and ICE of RFC 8445, called by the mixer.
    let mut alice = user("alice", &server, |_| ()).await;
    let mut bob = user("bob", &server, |config| {
        config.srtp = NegotiationConfig::new(SrtpPolicy::Off);
        config.ice = None;
    })
    .await;
    let mut carol = user("carol", &server, |config| config.ice = Some(Dialect::Rfc8445)).await;
    alice.command(UserCommand::Call(MIXER.to_owned())).await;
    connected(&mut alice).await;
    // Whoever is first has the invited called.
    wait(&mut carol, |event| {
        matches!(event, user::Event::Incoming { from, name, .. }
            if from == "sip:alice@example.net" && name.as_deref() == Some("Conference"))
    })
    .await;
    carol.command(UserCommand::Answer).await;
    connected(&mut carol).await;
    bob.command(UserCommand::Call("+14255550199".to_owned())).await;
    connected(&mut bob).await;
    for name in ["alice", "carol", "bob"] {
        reported(&mut server, |event| matches!(event, Event::Joined { user, .. } if is_user(user, name)))
            .await;
    }
    alice.play(tone(500.0, 6_000)).await;
    bob.play(tone(1100.0, 6_000)).await;
    carol.play(tone(1900.0, 6_000)).await;
    let spoken = |report: LyncUserReport| matches!(report, LyncUserReport::Spoken { .. }).then_some(());
    for user in [&mut alice, &mut bob, &mut carol] {
        report(user, spoken).await;
    }
    let own = [500.0, 1100.0, 1900.0];
    for (at, user) in [&mut alice, &mut bob, &mut carol].into_iter().enumerate() {
        user.command(UserCommand::HangUp).await;
        let heard = heard(user).await;
        for (of, hertz) in own.into_iter().enumerate() {
            let loud = loudness(&heard, hertz);
            assert!(if of == at { loud < 1500.0 } else { loud > 5000.0 }, "{at} hears {hertz} Hz: {loud}");
        }
    }
    for name in ["alice", "bob", "carol"] {
        reported(&mut server, |event| matches!(event, Event::Left { user, .. } if is_user(user, name))).await;
    }
    // The conference is there again, and takes invitations.
    let invite = FrontEndCommand::Invite("5D3JHFSS".to_owned(), "sip:bob@example.net".to_owned());
    server.commands.send(invite).await.expect("it runs");
    wait(&mut bob, |event| matches!(event, user::Event::Incoming { .. })).await;
}

#[tokio::test]
async fn whoever_is_away_finds_the_message_of_the_caller() {
    let mut server = front_end().await;
    let mut alice = user("alice", &server, |_| ()).await;
    alice.command(UserCommand::Call("sip:bob@example.net".to_owned())).await;
    connected(&mut alice).await;
    alice.play(tone(700.0, 6_000)).await;
    report(&mut alice, |report| matches!(report, LyncUserReport::Spoken { .. }).then_some(())).await;
    alice.command(UserCommand::HangUp).await;
    assert!(loudness(&heard(&mut alice).await, 1000.0) > 4000.0, "the beep");
    reported(
        &mut server,
        |event| matches!(event, Event::Messages { user, new: 1, old: 0 } if user == "bob@example.net"),
    )
    .await;
    let mut bob = user("bob", &server, |_| ()).await;
    bob.command(UserCommand::Call("sip:bob@example.net;opaque=app:voicemail;gruu".to_owned())).await;
    connected(&mut bob).await;
    let message = heard(&mut bob).await;
    assert!(loudness(&message, 700.0) > 4000.0, "what Alice said");
    reported(
        &mut server,
        |event| matches!(event, Event::Messages { user, new: 0, old: 1 } if user == "bob@example.net"),
    )
    .await;
    // Nothing new: another tone, and no message.
    bob.command(UserCommand::Call("sip:bob@example.net;opaque=app:voicemail;gruu".to_owned())).await;
    connected(&mut bob).await;
    let nothing = heard(&mut bob).await;
    assert!(loudness(&nothing, 500.0) > 4000.0 && loudness(&nothing, 700.0) < 1500.0);
}
