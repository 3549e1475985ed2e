//! Requests that come, and those outside of sessions that go.

use std::time::Instant;

use bytes::Bytes;

use super::event::Event;
use super::vocabulary::{OutgoingRequest, RequestId, UserId};
use super::{Config, Deadline, Endpoint, Purpose, REQUEST_PATIENCE, identity};
use crate::dialog::DialogId;
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::{Essentials, Problem, Rejection, Request, Response};
use crate::method::Method;
use crate::seed::Words;
use crate::status::StatusCode;
use crate::transaction::key::{ClientKey, cseq};
use crate::transaction::{ClientId, Received, ServerId};

/// What was read of a request before it is asked what is to be done with it.
#[derive(Debug)]
pub(super) struct Asked {
    /// The dialog of a request of a call; our tag is empty in one that makes a dialog.
    pub(super) dialog: Option<DialogId>,
    /// The number in CSeq.
    pub(super) number: u32,
}

impl Asked {
    pub(super) fn of(request: &Request, essentials: &Essentials<'_>) -> Self {
        let of_call = matches!(
            request.method,
            Method::Invite
                | Method::Ack
                | Method::Bye
                | Method::Update
                | Method::Prack
                | Method::Info
                | Method::Refer
                | Method::Options
        );
        Self {
            dialog: of_call.then(|| DialogId::of_read(&request.headers, essentials)),
            number: essentials.cseq.as_ref().map_or(0, |cseq| cseq.number),
        }
    }
}

impl Endpoint {
    /// Sends a request of a user outside of sessions: SERVICE, MESSAGE, SUBSCRIBE, PUBLISH and others.
    ///
    /// RFC 3261 8.1
    pub fn request(
        &mut self,
        now: Instant,
        user: UserId,
        outgoing: OutgoingRequest,
    ) -> Result<RequestId, Error> {
        self.begin(now);
        if matches!(
            outgoing.method,
            Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack | Method::Register
        ) {
            return Err(Error::Refused(Refusal::MethodNotAllowed));
        }
        let flow = self.flow_of(user)?;
        let tag = self.words.tag();
        let call_id = self.words.call_id();
        let account = self.accounts.get(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        let entry = self.flows.get(&flow).ok_or(Error::Refused(Refusal::NoFlow))?;
        let config = &self.config;
        let mut request = Request::new(outgoing.method.clone(), outgoing.target.clone());
        let headers = &mut request.headers;
        headers.push_text(&HeaderName::MaxForwards, "70");
        headers.push_text(&HeaderName::From, &identity::from(config, &account.user, &tag));
        headers.push(HeaderName::To, format_args!("<{}>", outgoing.target));
        headers.push_text(&HeaderName::CallId, &call_id);
        headers.push(HeaderName::CSeq, format_args!("1 {}", outgoing.method));
        identity::push_contact(headers, config, account, &entry.sent_by, super::vocabulary::Rendering::Yes);
        headers.push_text(&HeaderName::UserAgent, &config.user_agent);
        identity::push_identity(headers, config, &account.user);
        for header in outgoing.headers.iter() {
            if let Ok(value) = header.value()
                && !is_structural(&header.name())
            {
                headers.push(header.name(), value);
            }
        }
        request.body = outgoing.body;
        let id = RequestId(self.next_request);
        let client = self.send_request(now, flow, request)?;
        self.next_request = self.next_request.wrapping_add(1);
        self.purposes.insert(client, Purpose::Request(id));
        Ok(id)
    }

    /// Sends a request whose header fields stand already, all but its Via: a notification of a
    /// [`Notifier`](crate::notifier::Notifier). BENOTIFY is never answered and has no number; of NOTIFY
    /// [`Event::Response`] or [`Event::RequestFailed`] tells.
    ///
    /// RFC 6665 4.2.2, MS-SIPRE 3.4
    pub fn notify(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
    ) -> Result<Option<RequestId>, Error> {
        self.begin(now);
        if request.method == Method::BeNotify {
            let entry = self.flows.get(&flow).ok_or(Error::Refused(Refusal::NoFlow))?;
            let branch = self.words.branch();
            identity::push_via(&mut request.headers, &self.config, &entry.sent_by, &branch);
            self.layer.request_without_transaction(flow, &request);
            return Ok(None);
        }
        let id = RequestId(self.next_request);
        let client = self.send_request(now, flow, request)?;
        self.next_request = self.next_request.wrapping_add(1);
        self.purposes.insert(client, Purpose::Request(id));
        Ok(Some(id))
    }

    /// Answers an [`Event::Request`].
    ///
    /// RFC 3261 8.2.6
    pub fn respond(
        &mut self,
        now: Instant,
        id: RequestId,
        status: StatusCode,
        headers: &Headers,
        body: impl Into<Bytes>,
    ) {
        self.begin(now);
        let server =
            if status.is_final() { self.waiting.remove(&id) } else { self.waiting.get(&id).copied() };
        let Some(server) = server else { return };
        if status.is_final() {
            self.waiting_by_server.remove(&server);
            self.deadlines.stop(&Deadline::Request(id));
        }
        let mut options = false;
        let repeated = self.layer.take_repeated(server, status.is_final());
        let response = if let Some(headers) = repeated {
            Response { headers, ..Response::new(status) }
        } else {
            let Some(request) = self.layer.server_request(server) else { return };
            options = request.method == Method::Options;
            request.response(status)
        };
        let mut response = completed(&self.config, &mut self.words, response);
        self.push_abilities(&mut response, options);
        response.headers.copy_without(headers, is_structural);
        // A response that makes a dialog has the tag of whoever keeps the dialog, and the recorded route.
        if let Some(to) = headers.get(&HeaderName::To) {
            response.headers.set(HeaderName::To, to);
            if let Some(request) = self.layer.server_request(server) {
                response.headers.copy_from(&request.headers, &HeaderName::RecordRoute);
            }
        }
        response.body = body.into();
        self.layer.respond_owned(now, server, response);
    }

    pub(super) fn on_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: Request,
        asked: Asked,
        received: Option<Received>,
        problem: Option<&Problem>,
    ) {
        let Some(received) = received else {
            if request.method == Method::BeNotify
                && problem.is_none()
                && self.on_subscription_notice(now, &request).is_none()
            {
                self.on_notification(now, &request);
            }
            return;
        };
        match received {
            Received::New(server) => match problem {
                Some(problem) => self.on_problem(now, server, &request, problem),
                None => self.on_new_request(now, flow, server, request, asked),
            },
            // RFC 3261 8.2.2.2: the same request by another way.
            Received::Merged(server) => {
                self.respond_plainly(now, server, &request, Rejection::Loop.status());
            }
            Received::Acknowledgement => self.on_ack(now, &request, &asked),
            Received::Cancel { cancel, .. } if let Some(problem) = problem => {
                self.on_problem(now, cancel, &request, problem);
            }
            Received::Cancel { cancel, invite } => self.on_cancel(now, &request, cancel, invite),
            Received::Absorbed | Received::Overload | Received::Unanswerable => {}
        }
        self.run_layer(now);
    }

    fn on_new_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        server: ServerId,
        request: Request,
        asked: Asked,
    ) {
        // Only what belongs to calls has one here.
        if asked.dialog.as_ref().is_some_and(|dialog| !dialog.local_tag.is_empty()) {
            return self.on_dialog_request(now, server, &request, &asked);
        }
        match request.method {
            Method::Notify
                if let Some(in_order) = self
                    .on_refer_notification(now, &request)
                    .or_else(|| self.on_subscription_notice(now, &request)) =>
            {
                // RFC 3261 12.2.2: a lower number is out of order.
                let status = if in_order { StatusCode::OK } else { StatusCode::SERVER_INTERNAL_ERROR };
                self.respond_plainly(now, server, &request, status);
            }
            Method::Notify => {
                let status = if self.on_notification(now, &request) {
                    StatusCode::OK
                } else {
                    Rejection::NoDialog.status()
                };
                self.respond_plainly(now, server, &request, status);
            }
            // A telephone does not let itself be driven from outside.
            Method::Refer => self.respond_plainly(now, server, &request, StatusCode::FORBIDDEN),
            Method::Invite => self.on_invite(now, flow, server, request, asked),
            Method::Options | Method::Info => {
                self.respond_plainly(now, server, &request, StatusCode::OK);
            }
            Method::Bye | Method::Update | Method::Prack => {
                let status = Rejection::NoDialog.status();
                self.respond_plainly(now, server, &request, status);
            }
            Method::Register | Method::Subscribe | Method::Publish if self.config.server => {
                self.hand_out(now, flow, server, None, request);
            }
            Method::Message | Method::Service => {
                let user = self.accounts.of_request(&request);
                self.hand_out(now, flow, server, user, request);
            }
            Method::Subscribe => self.respond_plainly(now, server, &request, StatusCode::BAD_EVENT),
            // RFC 3261 21.5.2: what is not even known by name.
            Method::Other(_) => {
                self.respond_plainly(now, server, &request, Rejection::UnknownMethod.status());
            }
            _ => self.respond_plainly(now, server, &request, Rejection::MethodNotAllowed.status()),
        }
    }

    /// Hands a request to the user, who answers it with [`Self::respond`].
    fn hand_out(
        &mut self,
        now: Instant,
        flow: FlowId,
        server: ServerId,
        user: Option<UserId>,
        request: Request,
    ) {
        let id = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        self.waiting.insert(id, server);
        self.waiting_by_server.insert(server, id);
        self.deadlines.start(Deadline::Request(id), now + REQUEST_PATIENCE);
        self.events.push_back(Event::Request { id, flow, user, request });
    }

    fn on_problem(&mut self, now: Instant, server: ServerId, request: &Request, problem: &Problem) {
        if let Some(response) = problem.response(request, self.abilities()) {
            let response = completed(&self.config, &mut self.words, response);
            self.layer.respond_owned(now, server, response);
        }
    }

    /// Hands a notification to its user; `false` if there is none.
    fn on_notification(&mut self, now: Instant, request: &Request) -> bool {
        let Some(user) = self.accounts.of_request(request) else { return false };
        let package = request.headers.event().ok().flatten().map(|event| event.package);
        if package.is_some_and(|package| package.eq_ignore_ascii_case("registration-notify")) {
            self.on_registration_event(now, user, request);
        }
        self.events.push_back(Event::Notified { user, request: request.clone() });
        true
    }

    fn on_cancel(&mut self, now: Instant, request: &Request, cancel: ServerId, invite: Option<ServerId>) {
        let known = invite.is_some();
        let status = if known { StatusCode::OK } else { Rejection::NoDialog.status() };
        let session = invite.and_then(|invite| self.sessions.of_server(invite));
        let mut response = self.response_to(request, status);
        // RFC 3261 9.2: the To tag of both responses should be the same.
        if let Some(dialog) =
            session.and_then(|session| self.sessions.get(session)).and_then(|session| session.dialog.as_ref())
        {
            response.headers.set(HeaderName::To, dialog.local());
        }
        self.layer.respond_owned(now, cancel, response);
        if let Some(session) = session {
            self.on_session_cancel(now, session, request, cancel);
        }
    }

    fn respond_plainly(&mut self, now: Instant, server: ServerId, request: &Request, status: StatusCode) {
        let response = self.response_to(request, status);
        self.layer.respond_owned(now, server, response);
    }

    /// A response with a To tag and what its status demands.
    ///
    /// RFC 3261 8.2.6.2
    pub(super) fn response_to(&mut self, request: &Request, status: StatusCode) -> Response {
        let response = request.response(status);
        let mut response = completed(&self.config, &mut self.words, response);
        self.push_abilities(&mut response, request.method == Method::Options);
        response
    }

    /// What a response to OPTIONS and a refused method tell of us.
    fn push_abilities(&self, response: &mut Response, options: bool) {
        let options = options && response.status == StatusCode::OK;
        if options || response.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers.push_text(&HeaderName::Allow, identity::ALLOW);
        }
        if options {
            response.headers.push_text(&HeaderName::Accept, "application/sdp");
            self.push_supported(&mut response.headers);
        }
    }

    /// Adds Via and User-Agent and sends a request in its own transaction.
    pub(super) fn send_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        mut request: Request,
    ) -> Result<ClientId, Error> {
        let entry = self.flows.get(&flow).ok_or(Error::Refused(Refusal::NoFlow))?;
        let branch = self.words.branch_word();
        let branch = branch.as_str();
        identity::push_via(&mut request.headers, &self.config, &entry.sent_by, branch);
        if !request.headers.contains(&HeaderName::UserAgent) {
            request.headers.push_text(&HeaderName::UserAgent, &self.config.user_agent);
        }
        let method = cseq(&request.headers).ok_or(Error::Refused(Refusal::NoBranch))?.method;
        self.layer.request_keyed(now, ClientKey { flow, branch: branch.into(), method }, request)
    }
}

/// Whether To has a tag: the message belongs to a dialog.
pub(super) fn has_tag(headers: &Headers) -> bool {
    // What has no semicolon has no parameters.
    let to = headers.get(&HeaderName::To).filter(|to| to.contains(';'));
    to.is_some_and(|to| NameAddrView::parse(to).is_ok_and(|to| to.tag().is_some()))
}

/// Adds a To tag and User-Agent.
fn completed(config: &Config, words: &mut Words, mut response: Response) -> Response {
    if !has_tag(&response.headers) && response.status != StatusCode::TRYING {
        // Without brackets the first semicolon starts a parameter of the header field: appending is right always.
        response.headers.append_to(&HeaderName::To, &[";tag=", words.tag_word().as_str()]);
    }
    response.headers.push_text(&HeaderName::UserAgent, &config.user_agent);
    response
}

/// Header fields the endpoint writes itself.
pub(super) fn is_structural(name: &HeaderName) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::MaxForwards
            | HeaderName::ContentLength
            | HeaderName::Route
            | HeaderName::RecordRoute
    )
}
