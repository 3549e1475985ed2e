//! The registrar behind an endpoint, against endpoints of ours, in virtual time.

mod peer;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use peer::{FLOW, origin};
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowRole, HeaderName, Input, Message, RegistrationFailure, Request, Seed,
    SipUri, StatusCode, User, UserId,
};

/// A server with a registrar, and a client endpoint with some users.
struct Site {
    now: Instant,
    server: Endpoint,
    registrar: Registrar,
    client: Endpoint,
    users: Vec<UserId>,
    events: Vec<Event>,
}

impl Site {
    fn new(users: usize, config: RegistrarConfig) -> Self {
        let now = origin();
        let mut server = Config::new("fe1.example.net");
        server.server = true;
        let mut server = Endpoint::new(server, Seed([1; 32]));
        let mut client = Endpoint::new(Config::new("dect.example.net"), Seed([2; 32]));
        let (local, remote) = ("192.0.2.10:40001".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
        for (endpoint, role) in [(&mut server, FlowRole::Accepted), (&mut client, FlowRole::Dialled)] {
            endpoint.handle_input(now, Input::FlowOpened { flow: FLOW, local, remote, role }).unwrap();
        }
        let users = (0..users)
            .map(|at| {
                let uri = SipUri::parse(&format!("sip:user{at}@example.net")).unwrap();
                client.add_user(User::new(uri, format!("{at:010x}")))
            })
            .collect();
        Self { now, server, registrar: Registrar::new(config), client, users, events: Vec::new() }
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let mut quiet = true;
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
                quiet = false;
                let bytes = buffer.split_to(transmit.len);
                self.server.handle_input(self.now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
            }
            while let Some(event) = self.server.poll_event() {
                let Event::Request { id, flow, request, .. } = event else { panic!("{event:?}") };
                let (status, headers) = self.registrar.register(self.now, flow, &request);
                self.server.respond(self.now, id, status, &headers, Bytes::new());
            }
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                quiet = false;
                let bytes = buffer.split_to(transmit.len);
                self.client.handle_input(self.now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
            }
            self.events.extend(std::iter::from_fn(|| self.client.poll_event()));
            if quiet {
                return;
            }
        }
        panic!("never comes to rest");
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        loop {
            let next =
                [self.client.poll_timeout(), self.server.poll_timeout(), self.registrar.poll_timeout()]
                    .into_iter()
                    .flatten()
                    .min()
                    .filter(|at| *at <= end);
            self.now = next.unwrap_or(end).max(self.now);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.registrar.handle_timeout(self.now);
            self.settle();
            if next.is_none() {
                return;
            }
        }
    }

    fn register_all(&mut self) {
        for user in self.users.clone() {
            self.client.register(self.now, user, FLOW, None).unwrap();
        }
    }
}

#[test]
fn three_hundred_users_register_in_turns_refresh_spread_out_and_stay() {
    let mut site = Site::new(300, RegistrarConfig::default());
    site.register_all();
    site.settle();
    assert_eq!(site.registrar.len(), 20, "the first come at once, the others in their turns");
    site.pass(Duration::from_secs(4));
    assert_eq!(site.registrar.len(), 300);
    let gruus = site
        .events
        .iter()
        .filter(|event| matches!(event, Event::Registered { gruu: Some(_), refreshed: false, .. }))
        .count();
    assert_eq!(gruus, 300);
    site.events.clear();
    // Half an hour of refreshes: nobody is ever lost.
    site.pass(Duration::from_mins(30));
    assert_eq!(site.registrar.len(), 300);
    assert!(site.events.iter().all(|event| matches!(event, Event::Registered { refreshed: true, .. })));
    let refreshes = site.events.len();
    assert!((900..1200).contains(&refreshes), "{refreshes}");
}

#[test]
fn a_registrar_that_forgot_its_endpoints_is_found_out_and_they_come_back_in_turns() {
    let mut site = Site::new(50, RegistrarConfig::default());
    site.register_all();
    site.pass(Duration::from_secs(10));
    site.events.clear();
    site.registrar = Registrar::new(RegistrarConfig::default());
    site.pass(Duration::from_mins(10));
    let lost = site
        .events
        .iter()
        .filter(|event| {
            matches!(event, Event::RegistrationFailed { failure: RegistrationFailure::LostByServer, .. })
        })
        .count();
    assert_eq!(lost, 50);
    assert_eq!(site.registrar.len(), 50);
}

#[test]
fn endpoints_are_found_by_user_and_by_gruu_until_they_deregister_or_expire() {
    let mut site = Site::new(2, RegistrarConfig::default());
    site.register_all();
    site.pass(Duration::from_secs(1));
    let user = SipUri::parse("sip:USER0@example.net").unwrap();
    assert_eq!(site.registrar.endpoints(&user).count(), 1);
    let gruu = site.events.iter().find_map(|event| match event {
        Event::Registered { gruu, .. } => gruu.clone(),
        _ => None,
    });
    let contact = site.registrar.of_gruu(&gruu.unwrap()).unwrap().contact.to_string();
    assert!(contact.starts_with("sip:user0@dect.example.net:5061;transport=tls;ms-opaque="), "{contact}");
    site.client.deregister(site.now, site.users[0]);
    site.settle();
    assert_eq!(site.registrar.endpoints(&user).count(), 0);
    assert_eq!(site.registrar.len(), 1);
    site.registrar.handle_timeout(site.now + Duration::from_hours(3));
    assert!(site.registrar.is_empty());
    assert_eq!(site.registrar.poll_timeout(), None);
}

#[test]
fn survivable_mode_is_told() {
    let mut config = RegistrarConfig::default();
    config.survivable = true;
    let mut site = Site::new(1, config);
    site.register_all();
    site.settle();
    assert!(matches!(site.events[..], [Event::Registered { services: false, .. }]), "{:?}", site.events);
}

fn register(extra: &str) -> Request {
    let text = format!(
        "REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK1\r\n\
         From: <sip:jim@example.net>;tag=1;epid=01010101\r\nTo: <sip:jim@example.net>\r\nCall-ID: 1\r\n\
         CSeq: 1 REGISTER\r\nSupported: gruu-10, msrtc-event-categories\r\n\
         Contact: <sip:192.0.2.10:40001;transport=tls>\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    match Message::parse(Bytes::from(text)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => unreachable!(),
    }
}

#[test]
fn a_registration_without_what_it_needs_is_refused_with_its_error() {
    let answer = |edit: &dyn Fn(&mut Request)| {
        let mut request = register("");
        edit(&mut request);
        let (status, headers) = Registrar::new(RegistrarConfig::default()).register(origin(), FLOW, &request);
        let diagnostics = headers.get(&HeaderName::MsDiagnostics).unwrap_or_default().to_owned();
        (status.code(), diagnostics.split(';').next().unwrap_or_default().to_owned())
    };
    let set = |name: HeaderName, value: &'static str| {
        move |request: &mut Request| request.headers.set(name.clone(), value)
    };
    assert_eq!(answer(&|_| ()), (200, String::new()));
    assert_eq!(answer(&set(HeaderName::Event, "presence")), (489, "4055".to_owned()));
    assert_eq!(answer(&set(HeaderName::Supported, "msrtc-event-categories")), (421, "2057".to_owned()));
    let long = "<sip:jim@example.net>;tag=1;epid=01010101010101010";
    assert_eq!(answer(&set(HeaderName::From, long)), (400, "4012".to_owned()));
    let none = "<sip:jim@example.net>;tag=1";
    assert_eq!(answer(&set(HeaderName::From, none)), (400, "4010".to_owned()));
    assert_eq!(answer(&set(HeaderName::Expires, "5")).0, 423);
}

#[test]
fn a_to_that_cannot_be_read_is_a_bad_request_and_one_of_another_scheme_is_nobody() {
    let answer = |to: Option<&'static str>| {
        let mut request = register("");
        match to {
            Some(to) => request.headers.set(HeaderName::To, to),
            None => _ = request.headers.remove_all(&HeaderName::To),
        }
        Registrar::new(RegistrarConfig::default()).register(origin(), FLOW, &request).0.code()
    };
    assert_eq!(answer(None), 400);
    for broken in ["", "<sip:jim@example.net", "<sip:jim@exa mple.net>", "<sip:>", "<jim>", "<tel:jim doe>"] {
        assert_eq!(answer(Some(broken)), 400, "{broken}");
    }
    for elsewhere in ["<tel:+4930123456>", "<urn:service:sos>", "<mailto:jim@example.net>"] {
        assert_eq!(answer(Some(elsewhere)), 404, "{elsewhere}");
    }
}

#[test]
fn an_old_register_changes_nothing_and_floods_are_bounded() {
    let mut registrar = Registrar::new(RegistrarConfig::default());
    assert_eq!(registrar.register(origin(), FLOW, &register("")).0, StatusCode::OK);
    assert_eq!(registrar.register(origin(), FLOW, &register("")).0.code(), 500);
    // A thousand endpoints of one user: the oldest make room.
    for at in 0..1000 {
        let mut request = register("");
        let from = format!("<sip:jim@example.net>;tag=1;epid={at:08x}");
        request.headers.set(HeaderName::From, from);
        registrar.register(origin(), FLOW, &request);
    }
    assert_eq!(registrar.len(), 16);
    registrar.handle_flow_closed(FLOW);
    assert!(registrar.is_empty() && registrar.poll_timeout().is_none());
}
