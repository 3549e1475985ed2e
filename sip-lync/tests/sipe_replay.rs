//! What a real client sent in eleven recorded runs, played to the server side: an endpoint with a registrar answers every
//! request once and sensibly, and nothing is left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::headers::NameAddr;
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Frame, HeaderName, Headers, Input, Limits, Message, Method,
    Request, Seed, SipUri, StatusCode, StreamDecoder, User,
};

const DESCRIPTION: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

fn messages() -> Vec<Message> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sipe-received.stream");
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    decoder.push(&fs::read(path).unwrap());
    let mut messages = Vec::new();
    while let Some(Ok(Frame::Message(message))) = decoder.next() {
        messages.push(Message::parse(message).unwrap());
    }
    messages
}

/// The server, and what it did.
struct Server {
    now: Instant,
    endpoint: Endpoint,
    registrar: Registrar,
    /// Who sends: a flow for each client.
    flows: BTreeMap<String, FlowId>,
    next: u32,
    /// Our tag in the dialogs of the recording, by Call-ID.
    tags: BTreeMap<String, String>,
    calls: usize,
    ended: usize,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn new() -> Self {
        let mut config = Config::new("fe.lab.test");
        config.server = true;
        let mut endpoint = Endpoint::new(config, Seed([9; 32]));
        // Those whom the recording calls; whoever else is called does not exist.
        for name in ["alice", "bob"] {
            endpoint.add_user(User::new(SipUri::parse(&format!("sip:{name}@lab.test")).unwrap(), name));
        }
        Self {
            now: Instant::now(),
            endpoint,
            registrar: Registrar::new(RegistrarConfig::default()),
            flows: BTreeMap::new(),
            next: 0,
            tags: BTreeMap::new(),
            calls: 0,
            ended: 0,
        }
    }

    fn flow(&mut self, client: &str) -> FlowId {
        if let Some(flow) = self.flows.get(client) {
            return *flow;
        }
        self.next += 1;
        let flow = FlowId(self.next);
        let (local, remote) = ("192.0.2.1:5061".parse().unwrap(), "192.0.2.9:40001".parse().unwrap());
        let opened = Input::FlowOpened { flow, local, remote, role: FlowRole::Accepted };
        self.endpoint.handle_input(self.now, opened).unwrap();
        self.flows.insert(client.to_owned(), flow);
        flow
    }

    /// A client has gone, and comes back a while later.
    fn begins_anew(&mut self, client: &str) {
        if let Some(flow) = self.flows.remove(client) {
            self.endpoint.handle_input(self.now, Input::FlowClosed { flow }).unwrap();
            self.registrar.handle_flow_closed(flow);
            while let Some(event) = self.endpoint.poll_event() {
                self.event(event);
            }
        }
        self.now += Duration::from_secs(40);
        self.endpoint.handle_timeout(self.now);
    }

    /// Plays a message; what is sent back, each on the flow it came on.
    fn play(&mut self, message: &Message, client: &str) -> Vec<Message> {
        let flow = self.flow(client);
        let bytes = message.to_bytes();
        self.endpoint.handle_input(self.now, Input::Bytes { flow, bytes: &bytes }).unwrap();
        while let Some(event) = self.endpoint.poll_event() {
            self.event(event);
        }
        let (mut sent, mut buffer) = (Vec::new(), BytesMut::new());
        while let Some(transmit) = self.endpoint.poll_transmit(&mut buffer) {
            assert_eq!(transmit.flow, flow);
            sent.push(Message::parse(buffer.split_to(transmit.len).freeze()).unwrap());
        }
        sent
    }

    fn event(&mut self, event: Event) {
        let nothing = Headers::new();
        match event {
            Event::Request { id, flow, request, .. } => match request.method {
                Method::Register => {
                    let (status, headers) = self.registrar.register(self.now, flow, &request);
                    self.endpoint.respond(self.now, id, status, &headers, Bytes::new());
                }
                Method::Subscribe => {
                    let mut headers = Headers::new();
                    headers.push(HeaderName::Expires, 3600);
                    self.endpoint.respond(self.now, id, StatusCode::OK, &headers, Bytes::new());
                }
                Method::Service | Method::Message => {
                    self.endpoint.respond(self.now, id, StatusCode::OK, &nothing, Bytes::new());
                }
                other => panic!("{other} is handed out"),
            },
            Event::Incoming { session, description, .. } => {
                assert!(description.is_some(), "every call of the recording has an offer");
                self.calls += 1;
                self.endpoint.ring(self.now, session, None);
                self.endpoint.answer(self.now, session, Bytes::from_static(DESCRIPTION.as_bytes()));
            }
            Event::Reoffered { session, .. } => {
                self.endpoint.answer_reoffer(self.now, session, Bytes::from_static(DESCRIPTION.as_bytes()));
            }
            Event::Ended { .. } => self.ended += 1,
            Event::Confirmed { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn text(request: &Request, name: &HeaderName) -> String {
    request.headers.get(name).unwrap_or_default().to_owned()
}

/// A request within a dialog of the recording, with the tag that is ours.
fn in_our_dialog(server: &Server, mut request: Request) -> Request {
    let mut to = NameAddr::parse(&text(&request, &HeaderName::To)).unwrap();
    if to.tag().is_some()
        && let Some(tag) = server.tags.get(&text(&request, &HeaderName::CallId))
    {
        to.set_tag(tag);
        request.headers.set(HeaderName::To, to);
    }
    request
}

#[test]
fn every_request_of_a_real_client_is_answered_once_and_sensibly() {
    let mut server = Server::new();
    let mut answers: BTreeMap<(String, u16), usize> = BTreeMap::new();
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    let mut requests = 0;
    for message in messages() {
        let Message::Request(request) = message else { continue };
        requests += 1;
        // Some time passes, less than any subscription or registration lives.
        server.now += Duration::from_millis(50);
        server.endpoint.handle_timeout(server.now);
        let client = NameAddr::parse(&text(&request, &HeaderName::From)).unwrap();
        let client = client.epid().unwrap().to_owned();
        // Another address is another run, with the Call-IDs of the one before.
        let address = request.headers.via().unwrap().unwrap().sent_by();
        if let Some(before) = addresses.insert(client.clone(), address.clone())
            && before != address
        {
            server.begins_anew(&client);
        }
        let request = in_our_dialog(&server, request);
        let said = String::from_utf8_lossy(&Message::from(request.clone()).to_bytes()).into_owned();
        let sent = server.play(&Message::from(request.clone()), &client);
        let responses: Vec<_> = sent
            .into_iter()
            .map(|message| match message {
                Message::Response(response) => response,
                Message::Request(request) => panic!("{} is sent for\n{said}", request.method),
            })
            .collect();
        for response in &responses {
            for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
                assert_eq!(response.headers.get(&name), request.headers.get(&name), "{name} of\n{said}");
            }
        }
        let finals: Vec<_> = responses.iter().filter(|response| response.status.is_final()).collect();
        if request.method == Method::Ack {
            assert!(responses.is_empty(), "an ACK is never answered");
            continue;
        }
        assert_eq!(finals.len(), 1, "{said}");
        let last = finals[0];
        let to = NameAddr::parse(last.headers.get(&HeaderName::To).unwrap()).unwrap();
        server.tags.insert(text(&request, &HeaderName::CallId), to.tag().expect("a tag").to_owned());
        *answers.entry((request.method.to_string(), last.status.code())).or_default() += 1;
        if request.method == Method::Register && text(&request, &HeaderName::Expires) != "0" {
            let contacts = last.headers.contacts().unwrap();
            let gruu = contacts.iter().find_map(sip_lync::headers::Contact::gruu).expect("a GRUU");
            assert!(gruu.opaque().is_some_and(|opaque| opaque.starts_with("user:epid:")), "{gruu}");
            assert!(last.headers.presence_state().unwrap().is_some(), "presence-state is there");
        }
    }
    assert_eq!(requests, 245, "the other 33 messages are responses");
    let seen: Vec<String> =
        answers.iter().map(|((method, status), count)| format!("{method} {status}: {count}")).collect();
    assert_eq!(seen, EXPECTED, "{seen:#?}");
    // What was not hung up is: the recording ends.
    server.now += Duration::from_secs(40);
    server.endpoint.handle_timeout(server.now);
    let load = server.endpoint.state();
    assert_eq!((load.client_transactions, load.server_transactions, load.waiting), (0, 0, 0), "{load:?}");
    assert_eq!(load.sessions, server.calls - server.ended);
}

/// What each method was answered, and how often.
///
/// Five of the INVITEs want to exchange messages: no call for a telephone.
const EXPECTED: [&str; 9] = [
    "BYE 200: 5",
    "BYE 481: 5",
    "INVITE 200: 8",
    "INVITE 404: 11",
    "INVITE 488: 5",
    "MESSAGE 200: 5",
    "REGISTER 200: 60",
    "SERVICE 200: 42",
    "SUBSCRIBE 200: 91",
];
