//! Conferences and voice mail of the simulated front end: SIPE, baresip and linphone are mixed with a handset of the server and
//! with each other, and leave and hear messages.

#[path = "../../ipdect-server/tests/authority/mod.rs"]
mod authority;
#[path = "support/network.rs"]
mod network;
#[path = "support/sipe.rs"]
mod sipe;
#[path = "support/site.rs"]
mod site;
#[path = "support/telephony.rs"]
mod telephony;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipdect_sim::frontend::{CallEncryption, Event, FrontEndConfig, FrontEndUser, StandingConference};
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::{HandsetCommand, UserCommand};
use ipdect_sim::login::Account;
use ipdect_sim::net::{
    BaseStationReport, FrontEndCommand, FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions,
    LyncUserReport, Security,
};
use ipdect_sim::user::{self, UserConfig};
use sipe::{Login, Sipe};
use site::{Site, jim};
use telephony::{Baresip, Linphone};
use tokio::runtime::Runtime;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);
/// By which everybody is told from the others.
const OF_SIPE: f64 = 440.0;
const OF_HANDSET: f64 = 800.0;
const OF_USER: f64 = 1300.0;

fn tone(hertz: f64, seconds: usize) -> Vec<i16> {
    let sample = |n: usize| (core::f64::consts::TAU * hertz * n as f64 / 8000.0).sin() * 6000.0;
    (0..seconds * 8000).map(|n| sample(n) as i16).collect()
}

/// How loud a tone is where it is loudest, in pieces of 100 ms.
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

fn assert_hears(who: &str, samples: &[i16], others: &[f64], own: f64) {
    for hertz in others {
        let loud = loudness(samples, *hertz);
        assert!(loud > 2500.0, "{who} hears {hertz} Hz: {loud:.0}; {} samples", samples.len());
    }
    let loud = loudness(samples, own);
    assert!(loud < 1500.0, "{who} hears its own {own} Hz: {loud:.0}");
}

/// Waits for an event of the front end.
async fn reported<T>(server: &mut FrontEndServer, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let mut seen = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let event = server.events.recv().await.expect("the front end runs");
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    })
    .await;
    found.unwrap_or_else(|_| panic!("{seen:#?}"))
}

async fn joined(server: &mut FrontEndServer, who: &str) {
    let uri = format!("sip:{who}@lab.test");
    reported(server, |event| matches!(event, Event::Joined { user, .. } if *user == uri).then_some(())).await;
}

async fn user_until<T>(user: &mut LyncUserClient, wanted: impl Fn(LyncUserReport) -> Option<T>) -> T {
    let found = timeout(PATIENCE, async {
        loop {
            if let Some(found) = wanted(user.reports.recv().await.expect("the user runs")) {
                return found;
            }
        }
    });
    found.await.expect("it happens")
}

async fn registered(options: LyncUserOptions) -> LyncUserClient {
    let mut user = LyncUserClient::start(options).await.expect("the front end listens");
    user_until(&mut user, |report| {
        matches!(report, LyncUserReport::Event(user::Event::Registered { .. })).then_some(())
    })
    .await;
    user
}

async fn calls(user: &mut LyncUserClient, whom: &str) {
    user.command(UserCommand::Call(whom.to_owned())).await;
    user_until(user, |report| {
        matches!(report, LyncUserReport::Event(user::Event::Connected { .. })).then_some(())
    })
    .await;
}

async fn hangs_up(user: &mut LyncUserClient) -> Vec<i16> {
    user.command(UserCommand::HangUp).await;
    user_until(user, |report| match report {
        LyncUserReport::Talked { report, .. } => Some(report.recorded),
        _ => None,
    })
    .await
}

/// Confirms: makes a conference, joins its focus, follows its roster, and is mixed with a handset that the mixer called and with a Lync user: everybody hears the others and not itself — SIPE 1.25
#[test]
fn sipe_makes_a_conference_with_a_handset() {
    if !network::of_its_own("sipe_makes_a_conference_with_a_handset") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let more = "[presence]\nshow_conference = true\n[media]\nvoice_channels = 4\naddress = \"192.0.2.10\"\nsrtp = \"required\"";
    let mut site = runtime.block_on(Site::start("sipe-conference", more));
    let mut alice = Sipe::start(&Login {
        user: "alice@lab.test",
        account: "LAB\\alice",
        password: "Passw0rd",
        server: site.front_end.local,
        transport: "tls",
        encryption: "required",
    });
    alice.waits_for(&["SIGNED-ON"]);
    // It knows who makes conferences.
    until("its settings", || alice.log(), || alice.log().contains("<mcuType>audio-video"));
    // A telephone cannot take this invitation; it is called by the mixer instead.
    alice.tell("conf sip:jim@lab.test");
    let id = runtime.block_on(reported(&mut site.front_end, |event| match event {
        Event::Conference { id, over: false, .. } => Some(id.clone()),
        _ => None,
    }));
    alice.waits_for(&["CHAT"]);
    alice.tell("audio");
    alice.waits_for(&["OK audio 1"]);
    runtime.block_on(joined(&mut site.front_end, "alice"));
    let mut bob = runtime.block_on(async {
        let invite = FrontEndCommand::Invite(id.clone(), "sip:jim@lab.test".to_owned());
        site.front_end.commands.send(invite).await.expect("it runs");
        site.handset_until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
        site.tell(HandsetCommand::Answer).await;
        site.handset_until(|event| *event == HandsetEvent::Connected).await;
        joined(&mut site.front_end, "jim").await;
        site.status_until(|status| status.handsets[0].presence == "InConference").await;
        let mut config = UserConfig::new("sip:bob@lab.test".parse().unwrap());
        config.account = Account::new("LAB\\bob", "Passw0rd")
            .map(|account| Account { wall_clock: std::time::SystemTime::now(), ..account });
        let authorities = ipdect_sim::net::tls::certificates(&site.folder.file("ca.pem")).unwrap();
        let security = Security::Tls { identity: None, authorities, name: Some("localhost".to_owned()) };
        let port = site.front_end.local.port();
        let mut bob = registered(LyncUserOptions::new(config, "127.0.0.1", port, security)).await;
        calls(&mut bob, &format!("sip:alice@lab.test;gruu;opaque=app:conf:audio-video:id:{id}")).await;
        joined(&mut site.front_end, "bob").await;
        site.base.play(jim(), tone(OF_HANDSET, 30)).await;
        bob.play(tone(OF_USER, 30)).await;
        bob
    });
    // SIPE begins to speak some time after it begins to listen.
    let heard = alice.hears_more(4);
    assert_hears("SIPE", &heard, &[OF_HANDSET, OF_USER], OF_SIPE);
    let log = alice.log();
    for user in ["jim", "bob"] {
        let listed = log.contains(&format!("entity=\"sip:{user}@lab.test\""));
        assert!(listed && log.contains("conference-info"), "{user} in the roster");
    }
    runtime.block_on(async {
        let heard = hangs_up(&mut bob).await;
        assert_hears("the user", &heard, &[OF_SIPE, OF_HANDSET], OF_USER);
        site.tell(HandsetCommand::HangUp).await;
        let heard = site
            .base_report(|report| match report {
                BaseStationReport::Talked { report, .. } => Some(report.recorded.clone()),
                _ => None,
            })
            .await;
        assert_hears("the handset", &heard, &[OF_SIPE, OF_USER], OF_HANDSET);
    });
    alice.tell("hangup");
    runtime.block_on(reported(&mut site.front_end, |event| {
        matches!(event, Event::Left { user, .. } if user == "sip:alice@lab.test").then_some(())
    }));
    alice.quits();
}

/// A front end for telephones that are none of Lync's, where kamailio is otherwise.
async fn front_end() -> FrontEndServer {
    let mut config = FrontEndConfig::new("127.0.0.1", "lab.test");
    for name in ["bob", "lin", "carol"] {
        let mut user = FrontEndUser::new(format!("sip:{name}@lab.test").parse().unwrap());
        user.calls.unanswered = format!("sip:{name}@lab.test;opaque=app:voicemail;gruu").parse().ok();
        user.calls.patience = Duration::from_secs(2);
        config.users.push(user);
    }
    config.trusted_addresses.push([127, 0, 0, 1].into());
    config.provisioning.encryption = CallEncryption::Support;
    config.mailboxes = true;
    config.conferences.push(StandingConference {
        id: "ROUNDS".to_owned(),
        organizer: "sip:carol@lab.test".parse().unwrap(),
        tel: Some("+14255550199".to_owned()),
        invited: Vec::new(),
    });
    let mut options = FrontEndOptions::new(config, SocketAddr::from(([127, 0, 0, 1], 5060)), Security::Tcp);
    options.media = Some([192, 0, 2, 10].into());
    FrontEndServer::start(options).await.expect("the port is free in a network of one's own")
}

async fn is_registered(server: &mut FrontEndServer, who: &str) {
    let user = format!("{who}@lab.test");
    reported(server, |event| {
        matches!(event, Event::Registered { user: of, .. } if *of == user).then_some(())
    })
    .await;
}

fn until(what: &str, said: impl Fn() -> String, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not happen: {}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Confirms: both call the line of a conference and are mixed with a Lync user: all hear the tones of the other two and not their own — baresip 1.0, linphone 5.1
#[test]
fn baresip_and_linphone_are_mixed_with_a_lync_user() {
    if !network::of_its_own("baresip_and_linphone_are_mixed_with_a_lync_user") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let mut server = runtime.block_on(front_end());
    let mut baresip = Baresip::speaking("bob", 4444, OF_SIPE, "answermode=auto");
    runtime.block_on(is_registered(&mut server, "bob"));
    let mut linphone = Linphone::speaking("lin", OF_HANDSET);
    runtime.block_on(is_registered(&mut server, "lin"));
    baresip.tell("dial", "sip:+14255550199@lab.test");
    runtime.block_on(joined(&mut server, "bob"));
    linphone.tell("call sip:+14255550199@lab.test");
    runtime.block_on(joined(&mut server, "lin"));
    let heard = runtime.block_on(async {
        let mut config = UserConfig::new("sip:carol@lab.test".parse().unwrap());
        config.tls = false;
        let port = server.local.port();
        let mut carol = registered(LyncUserOptions::new(config, "127.0.0.1", port, Security::Tcp)).await;
        calls(&mut carol, "+14255550199").await;
        carol.play(tone(OF_USER, 3)).await;
        user_until(&mut carol, |report| matches!(report, LyncUserReport::Spoken { .. }).then_some(())).await;
        hangs_up(&mut carol).await
    });
    assert_hears("the user", &heard, &[OF_SIPE, OF_HANDSET], OF_USER);
    let baresip_hears = |hertz| loudness(&baresip.heard(), hertz) > 2500.0;
    until(
        "baresip hears both",
        || baresip.folder.said(),
        || baresip_hears(OF_HANDSET) && baresip_hears(OF_USER),
    );
    let linphone_hears = |hertz| loudness(&linphone.heard(), hertz) > 2500.0;
    until("linphone hears both", || linphone.said(), || linphone_hears(OF_SIPE) && linphone_hears(OF_USER));
    assert_hears("baresip", &baresip.heard(), &[OF_HANDSET, OF_USER], OF_SIPE);
    assert_hears("linphone", &linphone.heard(), &[OF_SIPE, OF_USER], OF_HANDSET);
}

/// baresip as `bob`, told of waiting messages. Now and then baresip 1.0 begins that subscription anew without end, thousands of
/// times, with kamailio too: then it is started once more.
async fn subscribed(server: &mut FrontEndServer) -> Baresip {
    for control in 4444..4464 {
        let baresip = Baresip::speaking("bob", control, 0.0, "answermode=manual;mwi=yes");
        is_registered(server, "bob").await;
        let said = || baresip.folder.said();
        until("its subscription", said, || said().contains("Messages-Waiting: no"));
        if said().matches("mwi: subscribing").count() == 1 {
            return baresip;
        }
    }
    panic!("baresip never subscribed once only")
}

/// Confirms: leaves a voice message for somebody who does not answer — linphone 5.1
/// Confirms: hears by message-summary that a message waits, hears the message, and that none waits any more — baresip 1.0
#[test]
fn linphone_leaves_a_message_that_baresip_is_told_of_and_hears() {
    if !network::of_its_own("linphone_leaves_a_message_that_baresip_is_told_of_and_hears") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let mut server = runtime.block_on(front_end());
    let mut baresip = runtime.block_on(subscribed(&mut server));
    let mut linphone = Linphone::speaking("lin", OF_HANDSET);
    runtime.block_on(is_registered(&mut server, "lin"));
    linphone.tell("call sip:bob@lab.test");
    // The beep is over when the message begins.
    until("the beep", || linphone.said(), || loudness(&linphone.heard(), 1000.0) > 2500.0);
    std::thread::sleep(Duration::from_secs(2));
    linphone.tell("terminate");
    let messages = |new: u32, old: u32| {
        move |event: &Event| match event {
            Event::Messages { user, new: n, old: o } => {
                (user == "bob@lab.test" && (*n, *o) == (new, old)).then_some(())
            }
            _ => None,
        }
    };
    runtime.block_on(reported(&mut server, messages(1, 0)));
    let said = || baresip.folder.said();
    until("the notification", said, || {
        said().contains("Messages-Waiting: yes") && said().contains("Voice-Message: 1/0")
    });
    baresip.tell("dial", "sip:bob@lab.test;opaque=app:voicemail;gruu");
    runtime.block_on(reported(&mut server, messages(0, 1)));
    let said = || baresip.folder.said();
    until("the end of the call", said, || said().contains("terminated"));
    let heard = baresip.heard();
    assert!(loudness(&heard, OF_HANDSET) > 2500.0, "{} samples", heard.len());
    until("that none waits", said, || said().contains("Voice-Message: 0/1"));
}
