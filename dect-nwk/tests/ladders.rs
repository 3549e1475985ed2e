//! The procedures as ladders of messages with their octets, rendered into `docs/ladders.md`; `UPDATE_LADDERS=1`
//! rewrites it. Random numbers come from fixed seeds, so the octets are always the same.

mod world;

use dect_nwk::authentication::{AuthenticationCode, UserPersonalIdentity};
use dect_nwk::ciss::{Notice, Request};
use dect_nwk::element::{
    CPlaneRouting, Calendar, CallClass, Clock, Codec, CodecChoice, CodecList, Duration as Wait, Feature,
    FeatureActivate, FixedIdentity, LockLimit, MacDlcService, ReleaseReason, Signal, SlotType, TimeDate,
    TimeLimit,
};
use dect_nwk::fixed_part::{
    Ciphering, Event, Group, HandoverParameters, IncomingCall, Information, Notification, ServiceChange,
    TextMessage,
};
use dect_nwk::identity::{Ari, Ipui, Park};
use dect_nwk::list_access::{Command, Entry, Field, List, ListServer, lists};
use dect_nwk::page::RingPattern;
use dect_nwk::services::ControlCode;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use world::{World, config};

const SOON: Duration = Duration::from_millis(500);

struct Book(String);

impl Book {
    fn chapter(&mut self, title: &str, world: &World) {
        let said = &world.said[world.said.len() - world.ladder.len()..];
        let _ = writeln!(self.0, "\n## {title}\n\n| | message | octets |\n|---|---|---|");
        for (line, octets) in world.ladder.iter().zip(said) {
            let (direction, name) = line.split_once(' ').expect("direction and name");
            let arrow = if direction == "F>P" { "F → P" } else { "P → F" };
            let octets: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let _ = writeln!(self.0, "| {arrow} | {name} | `{}` |", octets.join(" "));
        }
    }
}

fn subscribed(dsaa2: bool) -> World {
    let mut world = World::new(config(), 7);
    world.add_handset(dsaa2);
    let code = AuthenticationCode::from_pin(world::PIN).unwrap();
    world.handsets[0].part.subscribe(world.now, code).unwrap();
    world.pass(SOON);
    world
}

fn incoming() -> IncomingCall {
    IncomingCall {
        calling_number: Some("2001".into()),
        calling_name: Some("Ada".into()),
        ..IncomingCall::default()
    }
}

fn security(book: &mut Book) {
    for (dsaa2, name) in [(false, "DSAA"), (true, "DSAA2")] {
        let mut world = subscribed(dsaa2);
        book.chapter(&format!("Subscription on the air with {name}, code {}", world::PIN), &world);
        world.pass(Duration::from_secs(8));
        world.clear();
        world.handsets[0].part.locate(world.now).unwrap();
        world.pass(SOON);
        book.chapter(&format!("Location registration with {name}"), &world);
        world.clear();
        world.handsets[0].part.authenticate_fixed_part(world.now).unwrap();
        world.pass(SOON);
        book.chapter(&format!("Authentication of the fixed part with {name}"), &world);
    }
    let mut world = World::new(config(), 7);
    world.add_handset(true);
    world.handsets[0].part.subscribe(world.now, AuthenticationCode::from_pin("9").unwrap()).unwrap();
    world.pass(SOON);
    book.chapter("Subscription with a wrong code", &world);

    let mut world = World::with_handset(config(), true);
    let portable = world.portable(0);
    world.fixed.identify(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("Identification of the portable part", &world);
    world.clear();
    world.fixed.cipher(world.now, portable, Ciphering::On).unwrap();
    world.pass(SOON);
    book.chapter("Ciphering from the fixed part", &world);
    world.clear();
    world.handsets[0].part.suggest_cipher(world.now, Ciphering::Off).unwrap();
    world.pass(SOON);
    book.chapter("Clear transmission suggested by the portable part", &world);
    world.clear();
    world.handsets[0].part.detach(world.now).unwrap();
    world.pass(SOON);
    book.chapter("Detach", &world);
    world.clear();
    world.fixed.terminate_access(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("Access rights taken away", &world);
}

fn calls(book: &mut Book) {
    let mut world = World::with_handset(config(), true);
    let own = world.handsets[0].part.off_hook(world.now).unwrap();
    world.pass(SOON);
    let call = world.fixed_call();
    world.fixed.setup_acknowledge(world.now, call).unwrap();
    world.pass(SOON);
    for (digit, complete) in [("2", false), ("0", false), ("0", false), ("2", true)] {
        world.handsets[0].part.digits(world.now, own, digit, complete).unwrap();
        world.pass(SOON);
    }
    world.fixed.call_proceeding(world.now, call).unwrap();
    world.fixed.alerting(world.now, call).unwrap();
    world.pass(SOON);
    world.fixed.connect(world.now, call).unwrap();
    world.pass(SOON);
    book.chapter("Outgoing call, digit by digit", &world);
    world.clear();
    world.handsets[0].part.keypad(world.now, own, "\u{15}").unwrap();
    world.pass(SOON);
    let held = Information {
        display: Some("Held".into()),
        signal: Some(Signal::TonesOff),
        ..Information::default()
    };
    world.fixed.information(world.now, call, &held).unwrap();
    world.pass(SOON);
    world.handsets[0].part.hold(world.now, own).unwrap();
    world.pass(SOON);
    world.fixed.answer_hold(world.now, call, true).unwrap();
    world.pass(SOON);
    book.chapter("R key and display; HOLD", &world);
    world.clear();
    world.handsets[0].part.release(world.now, own, ReleaseReason::Normal).unwrap();
    world.pass(SOON);
    book.chapter("Release by the portable part", &world);
    world.clear();
    world.handsets[0].part.dial(world.now, "2002").unwrap();
    world.pass(SOON);
    let call = world.fixed_call();
    world.fixed.release(world.now, call, ReleaseReason::UserUnknown).unwrap();
    world.pass(SOON);
    book.chapter("Outgoing call with all digits, refused", &world);
    world.clear();
    let portable = world.portable(0);
    let call = world.fixed.setup(world.now, portable, incoming()).unwrap();
    world.pass(SOON);
    let ringing = world.ringing_call(0);
    world.handsets[0].part.answer(world.now, ringing).unwrap();
    world.pass(SOON);
    world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
    world.pass(SOON);
    book.chapter("Incoming call after a page, released by the fixed part", &world);
    world.clear();
    world.fixed.setup(world.now, portable, incoming()).unwrap();
    world.pass(SOON);
    let ringing = world.ringing_call(0);
    world.handsets[0].part.release(world.now, ringing, ReleaseReason::UserBusy).unwrap();
    world.pass(SOON);
    book.chapter("Incoming call, refused", &world);
    world.clear();
    world.handsets[0].part.locate(world.now).unwrap();
    world.pass(SOON);
    world.clear();
    world.fixed.setup(world.now, portable, incoming()).unwrap();
    world.handsets[0].part.dial(world.now, "2002").unwrap();
    world.pass(SOON);
    book.chapter("Set-up collision", &world);
}

fn notification(book: &mut Book) {
    let mut world = World::with_handset(config(), true);
    let date = Calendar { year: 26, month: 2, day: 28 };
    let told = Notification {
        voice_messages: Some(2),
        missed_calls: Some(1),
        time: Some(TimeDate::current(date, Clock { hour: 8, minute: 30, second: 0, zone: 4 })),
        ..Notification::default()
    };
    let portable = world.portable(0);
    world.fixed.notify(world.now, portable, &told).unwrap();
    world.pass(SOON);
    book.chapter("Messages, missed calls and the time", &world);
}

fn codecs() -> CodecList {
    let choice = |codec, slot| CodecChoice {
        codec,
        service: MacDlcService::Lu1InB,
        routing: CPlaneRouting::CsOnly,
        slot,
    };
    let codecs = vec![choice(Codec::G722, SlotType::Long640), choice(Codec::G726, SlotType::Full)];
    CodecList { negotiation: 1, codecs }
}

fn supplementary(book: &mut Book) {
    let mut settings = config();
    settings.parallel_calls = true;
    let mut world = World::with_handset(settings, true);
    let (call, own) = world.talk();
    let feature = FeatureActivate { feature: Feature::NumberedKey, parameter: Some(3) };
    world.handsets[0].part.activate_feature(world.now, own, feature).unwrap();
    world.pass(SOON);
    book.chapter("Feature key", &world);
    world.clear();
    world.fixed.change_service(world.now, call, &ServiceChange::codec(codecs())).unwrap();
    world.pass(SOON);
    world.handsets[0].part.answer_service_change(world.now, own, true).unwrap();
    world.pass(SOON);
    book.chapter("Service change to another codec", &world);
    world.clear();
    for code in [ControlCode::SecondCall, ControlCode::Toggle, ControlCode::Conference, ControlCode::Transfer]
    {
        world.handsets[0].part.control(world.now, own, code, None, "").unwrap();
        world.pass(SOON);
        if code == ControlCode::SecondCall {
            world.handsets[0].part.keypad(world.now, own, "2002").unwrap();
            world.pass(SOON);
            world.fixed.second_answered(world.now, call).unwrap();
            world.pass(SOON);
        }
    }
    book.chapter("Second call, toggle, conference, transfer", &world);
    let mut settings = config();
    settings.parallel_calls = true;
    let mut world = World::with_handset(settings, true);
    let (call, own) = world.talk();
    world.fixed.call_waits(world.now, call, &incoming()).unwrap();
    world.pass(SOON);
    world.handsets[0].part.control(world.now, own, ControlCode::AcceptWaiting, None, "").unwrap();
    world.pass(SOON);
    world.handsets[0].part.control(world.now, own, ControlCode::Intrude, None, "2003").unwrap();
    world.pass(SOON);
    book.chapter("Call waiting, taken; intrusion, refused", &world);

    let mut settings = config();
    settings.list_access = true;
    let mut world = World::with_handset(settings, true);
    let mut server = ListServer::default();
    let mut list = List::of_calls(vec![1]);
    list.entries.push(Entry { identifier: 1, fields: vec![Field::text(1, "2001")] });
    server.set(lists::MISSED_CALLS, list);
    let own = world.handsets[0].part.list_access(world.now).unwrap();
    world.pass(SOON);
    let call = world.fixed_call();
    world.fixed.connect(world.now, call).unwrap();
    world.pass(SOON);
    for command in [
        Command::Start { list: lists::MISSED_CALLS, sorting: vec![] },
        Command::Read { session: 1, start: 1, backward: false, count: 5, mark: 0, fields: vec![] },
        Command::End { session: 1 },
    ] {
        world.fixed_events.clear();
        world.handsets[0].part.list_command(world.now, own, &command).unwrap();
        world.pass(SOON);
        for event in std::mem::take(&mut world.fixed_events) {
            let Event::ListCommand { call, command } = event else { continue };
            for answer in server.handle(command) {
                world.fixed.list_command(world.now, call, &answer).unwrap();
            }
        }
        world.pass(SOON);
    }
    world.handsets[0].part.release(world.now, own, ReleaseReason::Normal).unwrap();
    world.pass(SOON);
    book.chapter("List access: the missed calls are read", &world);
}

fn messages_and_codecs(book: &mut Book) {
    let mut world = World::with_handset(config(), true);
    let portable = world.portable(0);
    let text = TextMessage { from: Some("2001".into()), text: "Lunch?".into() };
    world.fixed.send_message(world.now, portable, &text).unwrap();
    world.pass(SOON);
    book.chapter("Text message", &world);
    world.pass(Duration::from_secs(8));
    world.clear();
    world.fixed.ring(Group::Everyone, RingPattern::Pattern0);
    world.pass(SOON);
    world.handsets[0].part.answer_ring(world.now).unwrap();
    world.pass(SOON);
    world.fixed.setup(world.now, portable, incoming()).unwrap();
    world.pass(SOON);
    book.chapter("Collective ringing, answered", &world);

    let mut settings = config();
    settings.codecs = Some(codecs());
    let mut world = World::with_settings(settings, |config| config.codecs = Some(codecs()));
    let portable = world.portable(0);
    world.pass(Duration::from_secs(8));
    world.fixed.setup(world.now, portable, IncomingCall { wideband: true, ..incoming() }).unwrap();
    world.pass(SOON);
    let ringing = world.ringing_call(0);
    world.handsets[0].part.answer(world.now, ringing).unwrap();
    world.pass(SOON);
    book.chapter("Wideband call with negotiated codec", &world);
}

/// A service of each kind outside of calls, a link that sleeps, what an external handover needs.
fn independent(book: &mut Book) {
    let mut settings = config();
    settings.call_independent_services = true;
    settings.handover_parameters = true;
    let mut world = World::with_handset(settings, true);
    let portable = world.portable(0);
    let ask = |world: &mut World, request: &Request, notice: &Notice| {
        world.clear();
        world.handsets[0].part.open_service(world.now, request).unwrap();
        world.pass(SOON);
        let Some(Event::ServiceOpened { service, .. }) = world.fixed_events.first() else { panic!() };
        let service = *service;
        world.fixed.service_notice(world.now, service, notice).unwrap();
        world.fixed.close_service(world.now, service, ReleaseReason::Normal, &Notice::default()).unwrap();
        world.pass(SOON);
    };
    for (code, answer, title) in [
        ("*21*2005#", "Forwarded to 2005", "Call forwarding outside of calls, switched on with a code"),
        ("*#21#", "All calls to 2005", "Call forwarding outside of calls, asked for with a code"),
        ("#21#", "Forwarding is off", "Call forwarding outside of calls, switched off with a code"),
    ] {
        let request = Request { keys: code.to_owned(), ..Request::default() };
        ask(&mut world, &request, &Notice { display: Some(answer.to_owned()), ..Notice::default() });
        book.chapter(title, &world);
    }
    let components = |count| vec![0xa1; count];
    let request = Request { components: components(12), ..Request::default() };
    ask(&mut world, &request, &Notice { components: components(260), ..Notice::default() });
    book.chapter("Remote operations outside of calls, answered in segments", &world);
    world.clear();
    let service = world.fixed.open_service(world.now, portable, &Notice::default()).unwrap();
    let told = Notification { voice_messages: Some(1), missed_calls: Some(2), ..Notification::default() };
    world.fixed.service_notification(world.now, service, &told).unwrap();
    world.fixed.close_service(world.now, service, ReleaseReason::Normal, &Notice::default()).unwrap();
    world.pass(SOON);
    book.chapter("Messages and missed calls in a transaction of their own", &world);
    world.clear();
    world.fixed.suspend(world.now, portable).unwrap();
    world.pass(SOON);
    world.fixed.setup(world.now, portable, incoming()).unwrap();
    world.pass(SOON);
    book.chapter("Incoming call over a link that slept, without a page", &world);
    world.clear();
    world.handsets[0].part.retrieve_handover_parameters(world.now).unwrap();
    world.pass(SOON);
    let park = |number| FixedIdentity::park(Park::of(Ari::class_b(0x1001, number).unwrap()));
    let parameters = HandoverParameters { candidates: vec![park(0x200)], reference: None };
    world.fixed.answer_parameters(world.now, portable, Some(&parameters)).unwrap();
    world.pass(SOON);
    book.chapter("Parameters of an external handover", &world);
}

/// What the generic access profile has beside.
fn profile(book: &mut Book) {
    let mut world = World::with_handset(config(), true);
    let portable = world.portable(0);
    for (class, title) in [
        (CallClass::Internal, "Internal call"),
        (CallClass::Service, "Service call"),
        (CallClass::Emergency, "Emergency call"),
    ] {
        world.clear();
        let own = world.handsets[0].part.dial_as(world.now, "17", class).unwrap();
        world.pass(SOON);
        world.fixed.connect(world.now, world.fixed_call()).unwrap();
        world.pass(SOON);
        world.handsets[0].part.release(world.now, own, ReleaseReason::PartialRelease).unwrap();
        world.pass(SOON);
        book.chapter(&format!("{title}, released partially"), &world);
    }
    let (call, own) = world.talk();
    // Tones of a defined length, a pause, a tone of any length, pulses.
    for keys in ["\u{14}12\u{5}3", "\u{16}4", "\u{12}5"] {
        world.handsets[0].part.keypad(world.now, own, keys).unwrap();
        world.pass(SOON);
    }
    book.chapter("Digits as tones, a pause, a tone of any length, pulses", &world);
    world.clear();
    world.fixed.authenticate(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("Authentication of the portable part", &world);
    world.clear();
    world.handsets[0].part.suggest_cipher(world.now, Ciphering::On).unwrap();
    world.pass(SOON);
    book.chapter("Ciphering suggested by the portable part", &world);
    world.clear();
    world.fixed.cipher(world.now, portable, Ciphering::Off).unwrap();
    world.pass(SOON);
    book.chapter("Clear transmission from the fixed part", &world);
    world.clear();
    world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
    world.pass(SOON);
    world.clear();
    world.handsets[0].part.terminate_access(world.now).unwrap();
    world.pass(SOON);
    book.chapter("Access rights given back by the portable part", &world);
}

fn finer_points(book: &mut Book) {
    let mut settings = config();
    settings.refusal_wait = Some(Wait { lock: LockLimit::None, limit: TimeLimit::Limit1, units: Some(1) });
    let mut world = World::new(settings, 7);
    world.add_handset(true);
    world.handsets[0].part.subscribe(world.now, AuthenticationCode::from_pin("9").unwrap()).unwrap();
    world.pass(SOON);
    book.chapter("Subscription refused with a time to wait", &world);

    let mut world = World::new(config(), 7);
    world.code = None;
    world.add_handset(true);
    let code = || AuthenticationCode::from_pin(world::PIN).unwrap();
    world.handsets[0].part.subscribe(world.now, code()).unwrap();
    world.pass(SOON);
    let Some(Event::AccessRightsRequested { request, .. }) = world.fixed_events.first() else { panic!() };
    let request = *request;
    world.fixed.allow_access_as(world.now, request, code(), Ipui::private(42).unwrap()).unwrap();
    world.pass(SOON);
    book.chapter("Subscription with an assigned private identity", &world);

    let mut settings = config();
    settings.zap = Some(3);
    settings.early_encryption = true;
    let mut world = World::with_settings(settings, |config| config.early_encryption = true);
    let portable = world.portable(0);
    world.talk();
    world.handsets[0].part.authenticate_fixed_part(world.now).unwrap();
    world.pass(SOON);
    world.fixed.increment_zap(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("ZAP register counted up by a genuine fixed part", &world);
    world.clear();
    let upi = || UserPersonalIdentity::from_pin("4711").unwrap();
    world.fixed.authenticate_user(world.now, portable, upi()).unwrap();
    world.pass(SOON);
    world.handsets[0].part.enter_personal_identity(world.now, &upi()).unwrap();
    world.pass(SOON);
    book.chapter("Authentication of the user", &world);
    world.clear();
    world.fixed.cipher(world.now, portable, Ciphering::On).unwrap();
    world.pass(SOON);
    world.fixed.rekey(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("Ciphering and re-keying", &world);
    world.clear();
    world.fixed.assign_temporary_identity(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("A new temporary identity", &world);
    world.clear();
    world.fixed.suggest_location(world.now, portable).unwrap();
    world.pass(SOON);
    book.chapter("The fixed part asks for a location registration", &world);
}

#[test]
fn the_ladders_in_the_documentation_are_those_of_the_machines() {
    let mut book = Book(
        "# Ladders\n\nEvery procedure as the machines run it against each other, F the fixed part and P the \
         portable part. The random numbers come from fixed seeds.\n"
            .to_owned(),
    );
    security(&mut book);
    calls(&mut book);
    notification(&mut book);
    supplementary(&mut book);
    messages_and_codecs(&mut book);
    finer_points(&mut book);
    independent(&mut book);
    profile(&mut book);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ladders.md");
    if std::env::var_os("UPDATE_LADDERS").is_some() {
        std::fs::write(&path, &book.0).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == book.0, "docs/ladders.md is out of date: run this test with UPDATE_LADDERS=1");
}
