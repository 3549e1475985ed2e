//! The focus: clients join a conference, follow its roster, ask it for things, and are put out. Virtual time, no sockets.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipdect_sim::Seed;
use ipdect_sim::frontend::{self, AudioMember, AudioStatus, FrontEnd, FrontEndConfig, FrontEndUser};
use sip_lync::body::c3p::{self, Command, Outcome};
use sip_lync::{
    ConferenceId, Config, Endpoint, Event, FlowId, FlowRole, HeaderName, Input, Method, OutgoingRequest,
    SipUri, Uri, User, UserId,
};

struct Client {
    endpoint: Endpoint,
    user: UserId,
    flow: FlowId,
    events: Vec<Event>,
}

struct Site {
    now: Instant,
    front_end: FrontEnd,
    clients: Vec<Client>,
    reports: Vec<frontend::Event>,
}

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

impl Site {
    fn new() -> Self {
        let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
        for name in NAMES {
            config.users.push(FrontEndUser::new(format!("sip:{name}@example.net").parse().unwrap()));
        }
        config.trusted.push("clients.example.net".to_owned());
        let now = Instant::now();
        let front_end = FrontEnd::new(config, Seed::from_number(1));
        let mut site = Self { now, front_end, clients: Vec::new(), reports: Vec::new() };
        for (at, name) in (1..).zip(NAMES) {
            let mut endpoint = Endpoint::new(Config::client("example.net"), sip_lync::Seed([at; 32]));
            let uri = SipUri::parse(&format!("sip:{name}@example.net")).unwrap();
            let user = endpoint.add_user(User::new(uri, format!("0101010{at}")));
            let (flow, local, remote) =
                (FlowId(at.into()), ([192, 0, 2, at], 40_000).into(), ([192, 0, 2, 100], 5061).into());
            let opened = Input::FlowOpened { flow, local, remote, role: FlowRole::Dialled };
            endpoint.handle_input(now, opened).unwrap();
            endpoint.register(now, user, flow, None).unwrap();
            site.front_end.handle_input(
                now,
                frontend::Input::FlowOpened {
                    flow: frontend::FlowId(flow.0),
                    local: remote,
                    remote: local,
                    peer_names: vec!["clients.example.net".to_owned()],
                },
            );
            site.clients.push(Client { endpoint, user, flow, events: Vec::new() });
        }
        site.settle();
        site
    }

    fn settle(&mut self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            let mut buffer = BytesMut::new();
            for client in &mut self.clients {
                while let Some(transmit) = client.endpoint.poll_transmit(&mut buffer) {
                    quiet = false;
                    let (flow, bytes) = (frontend::FlowId(client.flow.0), buffer.split_to(transmit.len));
                    self.front_end.handle_input(self.now, frontend::Input::Bytes { flow, bytes: &bytes });
                }
            }
            while let Some(transmit) = self.front_end.poll_transmit(&mut buffer) {
                quiet = false;
                let bytes = buffer.split_to(transmit.len);
                for client in self.clients.iter_mut().filter(|client| client.flow.0 == transmit.flow.0) {
                    let input = Input::Bytes { flow: client.flow, bytes: &bytes };
                    client.endpoint.handle_input(self.now, input).unwrap();
                }
            }
        }
        while let Some(event) = self.front_end.poll_event() {
            self.reports.push(event);
        }
        for client in &mut self.clients {
            while let Some(event) = client.endpoint.poll_event() {
                client.events.push(event);
            }
        }
    }

    /// A user asks the focus factory for a conference; the address of its focus.
    fn conference(&mut self, at: usize, id: &str) -> Result<SipUri, String> {
        let factory = "sip:alice@example.net;gruu;opaque=app:conf:focusfactory";
        let me = format!("sip:{}@example.net", NAMES[at]);
        let command = Command::AddConference { id: id.to_owned(), subject: Some("Rounds".to_owned()) };
        let mut request = OutgoingRequest::new(Method::Service, Uri::parse(factory).unwrap());
        request.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
        request.body = c3p::Request::new(7, factory, &me, command).to_body().into();
        let client = &mut self.clients[at];
        client.endpoint.request(self.now, client.user, request).unwrap();
        self.settle();
        let answer = self.clients[at].events.drain(..).find_map(|event| match event {
            Event::Response { response, .. } => Some(c3p::Response::parse(&response.body).unwrap()),
            _ => None,
        });
        let answer = answer.expect("an answer");
        answer
            .conference
            .map(|focus| SipUri::parse(&focus).unwrap())
            .ok_or_else(|| answer.reason.unwrap_or_default())
    }

    fn join(&mut self, at: usize, focus: &SipUri) -> ConferenceId {
        let client = &mut self.clients[at];
        let conference = client.endpoint.join_conference(self.now, client.user, focus).unwrap();
        self.settle();
        conference
    }

    fn ask(&mut self, at: usize, conference: ConferenceId, command: Command) -> (Outcome, Option<String>) {
        self.clients[at].endpoint.ask_focus(self.now, conference, command).unwrap();
        self.settle();
        let answer = self.clients[at].events.iter().rev().find_map(|event| match event {
            Event::ConferenceResponse { response, .. } => Some((response.outcome, response.reason.clone())),
            _ => None,
        });
        answer.expect("an answer")
    }

    fn roster(&self, at: usize, conference: ConferenceId) -> Vec<String> {
        let roster = self.clients[at].endpoint.roster(conference).expect("it takes part");
        roster.users.keys().cloned().collect()
    }

    /// The mixer tells where a user stands.
    fn mixed(&mut self, user: &str, status: AudioStatus) {
        let (user, endpoint) = (format!("sip:{user}@example.net"), "{C0000001}".to_owned());
        let member = AudioMember { user, display: None, endpoint, status };
        self.front_end.audio_member(self.now, "5d3jhfss", &member);
        self.settle();
    }

    fn ended(&self, at: usize) -> bool {
        self.clients[at]
            .events
            .iter()
            .any(|event| matches!(event, Event::ConferenceEnded { by_us: false, .. }))
    }
}

#[test]
fn clients_join_follow_the_roster_and_leave() {
    let mut site = Site::new();
    let focus = site.conference(0, "5D3JHFSS").expect("made");
    assert_eq!(focus.to_string(), "sip:alice@example.net;gruu;opaque=app:conf:focus:id:5D3JHFSS");
    assert_eq!(site.conference(1, "5d3jhfss"), Err("conferenceExistsAlready".to_owned()));
    let of_alice = site.join(0, &focus);
    let of_bob = site.join(1, &focus);
    let both = ["sip:alice@example.net", "sip:bob@example.net"];
    assert_eq!(
        (site.roster(0, of_alice), site.roster(1, of_bob)),
        (both.map(str::to_owned).to_vec(), both.map(str::to_owned).to_vec())
    );
    let roster = site.clients[1].endpoint.roster(of_bob).unwrap();
    assert_eq!(roster.subject.as_deref(), Some("Rounds"));
    assert_eq!(roster.users[both[0]].roles, ["presenter"]);
    // Somebody is called in, is heard, is muted, and goes.
    let carol = "sip:carol@example.net".to_owned();
    let call = Command::DialOut { user: carol.clone(), endpoint: "{1}".to_owned() };
    assert_eq!(site.ask(1, of_bob, call).0, Outcome::Pending);
    assert!(site.reports.iter().any(|report| {
        matches!(report, frontend::Event::DialOut { target, mixer, .. }
            if *target == carol && mixer == "sip:alice@example.net;gruu;opaque=app:conf:audio-video:id:5D3JHFSS")
    }));
    site.mixed("carol", AudioStatus::DialingOut);
    site.mixed("carol", AudioStatus::Connected);
    let heard = |site: &Site| {
        let endpoint =
            &site.clients[0].endpoint.roster(of_alice).unwrap().users["sip:carol@example.net"].endpoints[0];
        (endpoint.status.clone().unwrap(), endpoint.media[0].status.clone().unwrap())
    };
    assert_eq!(heard(&site), ("connected".to_owned(), "sendrecv".to_owned()));
    let mute = |heard| Command::ModifyEndpointMedia {
        user: carol.clone(),
        endpoint: "{C0000001}".to_owned(),
        media: "1".to_owned(),
        heard,
    };
    assert_eq!(site.ask(1, of_bob, mute(false)), (Outcome::Failure, Some("notAuthorized".to_owned())));
    assert_eq!(site.ask(0, of_alice, mute(false)).0, Outcome::Success);
    assert_eq!(heard(&site).1, "recvonly");
    assert!(site.reports.iter().any(|report| matches!(report, frontend::Event::Muted { muted: true, .. })));
    site.mixed("carol", AudioStatus::Gone);
    assert_eq!(site.roster(0, of_alice).len(), 2);
    // The last one switches off the light.
    for (at, conference) in [(1, of_bob), (0, of_alice)] {
        site.clients[at].endpoint.leave_conference(site.now, conference);
        site.settle();
    }
    assert!(
        site.reports.iter().any(|report| matches!(report, frontend::Event::Conference { over: true, .. }))
    );
    let late = site.clients[2].user;
    site.clients[2].endpoint.join_conference(site.now, late, &focus).unwrap();
    site.settle();
    assert!(
        matches!(site.clients[2].events.last(), Some(Event::ConferenceFailed { .. })),
        "{:?}",
        site.clients[2].events
    );
}

#[test]
fn whoever_decides_locks_puts_out_and_ends() {
    let mut site = Site::new();
    let focus = site.conference(0, "5D3JHFSS").expect("made");
    let of_alice = site.join(0, &focus);
    let of_bob = site.join(1, &focus);
    assert_eq!(site.ask(1, of_bob, Command::DeleteConference).1.as_deref(), Some("notAuthorized"));
    assert_eq!(site.ask(0, of_alice, Command::ModifyConferenceLock { locked: true }).0, Outcome::Success);
    assert!(site.clients[1].endpoint.roster(of_bob).unwrap().locked);
    site.join(2, &focus);
    let refused = site.clients[2].events.iter().any(|event| matches!(event, Event::ConferenceFailed { reason: Some(reason), .. } if reason == "conferenceLocked"));
    assert!(refused, "{:?}", site.clients[2].events);
    let bob = "sip:bob@example.net".to_owned();
    assert_eq!(site.ask(0, of_alice, Command::DeleteUser { user: bob.clone() }).0, Outcome::Success);
    assert!(site.ended(1), "{:?}", site.clients[1].events);
    assert!(
        site.reports
            .iter()
            .any(|report| matches!(report, frontend::Event::PutOut { user: Some(user), .. } if *user == bob))
    );
    assert_eq!(site.roster(0, of_alice), ["sip:alice@example.net"]);
    site.ask(0, of_alice, Command::DeleteConference);
    assert!(site.ended(0));
}

#[test]
fn a_client_whose_connection_is_gone_takes_part_no_longer() {
    let mut site = Site::new();
    let focus = site.conference(0, "").expect("the factory finds a name");
    let of_alice = site.join(0, &focus);
    site.join(1, &focus);
    assert_eq!(site.roster(0, of_alice).len(), 2);
    site.front_end.handle_input(site.now, frontend::Input::FlowClosed { flow: frontend::FlowId(2) });
    site.settle();
    assert_eq!(site.roster(0, of_alice), ["sip:alice@example.net"]);
    site.now += Duration::from_secs(1);
    site.front_end.handle_timeout(site.now);
}
