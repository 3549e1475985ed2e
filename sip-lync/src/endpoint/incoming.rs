//! Calls that come, and what peers ask within a session.

use std::time::Instant;

use super::answers::takes_update;
use super::description::{has_body, is_for_telephone, session_description};
use super::details::CallDetails;
use super::event::{Event, Party};
use super::requests::Asked;
use super::session::Session;
use super::step::{Context, Source, asserted_party};
use super::vocabulary::{Rendering, SessionId};
use super::{Deadline, Endpoint};
use crate::dialog::{Dialog, address};
use crate::flow::FlowId;
use crate::headers::ms::Diagnostics;
use crate::headers::{Contact, HeaderName, NameAddrView};
use crate::invite::{State, Trigger};
use crate::message::{Rejection, Request};
use crate::method::Method;
use crate::offer_answer::Position;
use crate::session_timer::SessionTimer;
use crate::status::StatusCode;
use crate::transaction::ServerId;
use crate::uri::Uri;

impl Endpoint {
    /// An INVITE outside of any dialog.
    ///
    /// RFC 3261 13.3.1
    pub(super) fn on_invite(
        &mut self,
        now: Instant,
        flow: FlowId,
        server: ServerId,
        request: Request,
        asked: Asked,
    ) {
        let Some(mut dialog_id) = asked.dialog else { return };
        let Some(user) = self.accounts.of_request(&request) else {
            return self.refuse(now, server, &request, StatusCode::NOT_FOUND);
        };
        // RFC 3261 8.2.2.2: the same call by another way.
        if self.sessions.of_caller(user, &dialog_id.call_id, &dialog_id.remote_tag).is_some() {
            return self.refuse(now, server, &request, Rejection::Loop.status());
        }
        if self.accounts.get(user).is_none_or(|account| account.removed) {
            return self.refuse(now, server, &request, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        if self.may_open_session(user).is_err() || self.has_its_share(user, &request) {
            return self.refuse(now, server, &request, StatusCode::BUSY_HERE);
        }
        let Ok(description) = session_description(&request.headers, &request.body) else {
            // A conference invitation or a message session: not for a telephone, others may still take it.
            return self.refuse(now, server, &request, StatusCode::NOT_ACCEPTABLE_HERE);
        };
        // A message session, a fax, a shared screen: the same, in a description.
        if description.as_deref().is_some_and(|offer| !self.config.all_media && !is_for_telephone(offer)) {
            return self.refuse(now, server, &request, StatusCode::NOT_ACCEPTABLE_HERE);
        }
        if self.refuse_small_interval(now, server, &request) {
            return;
        }
        // Whom it wants to join we do not mix with others.
        if request.headers.contains(&HeaderName::Join) {
            return self.refuse(now, server, &request, StatusCode::NOT_ACCEPTABLE_HERE);
        }
        let replaces = match self.replaced_by(user, &request) {
            Ok(replaces) => replaces,
            Err(status) => return self.refuse(now, server, &request, status),
        };
        dialog_id.local_tag = self.words.tag().into();
        let Some(dialog) = Dialog::of_callee_as(&request, dialog_id.clone(), asked.number) else {
            return self.refuse(now, server, &request, StatusCode::BAD_REQUEST);
        };
        let conversation = request.headers.get(&HeaderName::MsConversationId).unwrap_or_default();
        let mut session = Session::new(user, flow, State::Incoming, conversation);
        session.position = if description.is_some() { Position::OfferReceived } else { Position::None };
        session.peer_updates = takes_update(&request.headers);
        session.transfers.replaces = replaces;
        session.dialog = Some(dialog);
        let id = self.open_session(user, session);
        self.sessions.add_caller(user, &dialog_id.call_id, &dialog_id.remote_tag, id);
        self.sessions.add_dialog(dialog_id, id);
        self.sessions.set_pending(id, server, asked.number);
        self.deadlines.start(Deadline::Ring(id), now + self.config.ring_limit);
        let from = caller(&request);
        let details = Box::new(CallDetails::of(&request));
        if let Some(conference) = &details.conference {
            self.invited_by_mixer(now, id, user, conference);
        }
        self.events.push_back(Event::Incoming {
            session: id,
            user,
            from,
            description,
            replaces,
            details,
            request,
        });
    }

    /// An ACK for a 2xx of ours.
    ///
    /// RFC 3261 13.3.1.4
    pub(super) fn on_ack(&mut self, now: Instant, request: &Request, asked: &Asked) {
        let Some(id) = asked.dialog.as_ref().and_then(|dialog| self.sessions.of_dialog(dialog)) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        // An ACK of an earlier INVITE is a repetition.
        if session.repeating.as_ref().is_none_or(|repeating| repeating.cseq != asked.number) {
            return;
        }
        let mut context = Context::default();
        if matches!(session.position, Position::Offered | Position::Reoffered) {
            session.position = Position::Agreed;
            context.description = session_description(&request.headers, &request.body).ok().flatten();
        }
        self.session_step(now, id, Trigger::Ack, &context);
    }

    pub(super) fn on_session_cancel(
        &mut self,
        now: Instant,
        id: SessionId,
        request: &Request,
        cancel: ServerId,
    ) {
        let source = Source { request: Some((request, cancel)), ..Source::default() };
        self.session_step(now, id, Trigger::Cancel, &Context { source, ..Context::default() });
    }

    /// A request with a To tag.
    ///
    /// RFC 3261 12.2.2
    pub(super) fn on_dialog_request(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
        asked: &Asked,
    ) {
        let dialog = asked.dialog.as_ref();
        let found = dialog.and_then(|dialog| self.sessions.of_dialog(dialog));
        let (Some(dialog), Some(id)) = (dialog, found) else {
            return self.refuse(now, server, request, Rejection::NoDialog.status());
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        let confirmed = session.is_confirmed();
        let known = session
            .dialog
            .iter_mut()
            .chain(session.forks.iter_mut().map(|fork| &mut fork.dialog))
            .find(|of| of.id() == dialog);
        // RFC 3261 12.2.2: a lower number is out of order.
        if known.is_none_or(|known| !known.accept(asked.number)) {
            return self.refuse(now, server, request, StatusCode::SERVER_INTERNAL_ERROR);
        }
        let source = Source { request: Some((request, server)), ..Source::default() };
        let mut context = Context { source, ..Context::default() };
        match request.method {
            Method::Bye => self.session_step(now, id, Trigger::Bye, &context),
            Method::Refer if confirmed => self.on_refer(now, id, server, request),
            Method::Refer => self.refuse(now, server, request, StatusCode::REQUEST_PENDING),
            Method::Invite | Method::Update => {
                let Ok(description) = session_description(&request.headers, &request.body) else {
                    return self.refuse(now, server, request, StatusCode::NOT_ACCEPTABLE_HERE);
                };
                if self.refuse_small_interval(now, server, request) {
                    return;
                }
                if confirmed && let Some(session) = self.sessions.get_mut(id) {
                    // A target refresh counts once the request is accepted; both sides agree on it by then.
                    if let Some(dialog) = &mut session.dialog {
                        dialog.refresh_target(&request.headers);
                    }
                    self.take_route_of_request(id, request);
                }
                context.rendering = rendering(request);
                if request.method == Method::Update && description.is_none() {
                    self.accept_update(now, id, server, request);
                    return;
                }
                if request.method == Method::Update
                    && let Some(offer) = description.clone()
                    && self.on_early_update(now, id, (request, server), offer)
                {
                    return;
                }
                context.description = description;
                let trigger =
                    if request.method == Method::Invite { Trigger::Reinvite } else { Trigger::UpdateOffer };
                self.session_step(now, id, trigger, &context);
            }
            Method::Prack => self.on_prack(now, id, server, request),
            Method::Info if self.on_focus_message(now, id, &request.headers, &request.body) => {
                self.refuse(now, server, request, StatusCode::OK);
            }
            Method::Info if has_body(&request.headers, &request.body) && !is_text(request) => {
                self.refuse(now, server, request, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            }
            _ => self.refuse(now, server, request, StatusCode::OK),
        }
    }

    /// An UPDATE without an offer refreshes target and session.
    ///
    /// RFC 3311 5.2
    fn accept_update(&mut self, now: Instant, id: SessionId, server: ServerId, request: &Request) {
        let mut response = self.response_to(request, StatusCode::OK);
        if let Some(session) = self.sessions.get(id) {
            self.push_contact(&mut response.headers, session.flow, session.user, session.rendering);
        }
        let timer = SessionTimer::of_request(&request.headers).ok().flatten();
        self.agree_timer(now, id, timer, &mut response.headers);
        self.layer.respond_owned(now, server, response);
    }

    /// Answers a request by its status alone.
    fn refuse(&mut self, now: Instant, server: ServerId, request: &Request, status: StatusCode) {
        let mut response = self.response_to(request, status);
        if status == StatusCode::NOT_ACCEPTABLE_HERE {
            response
                .headers
                .push(HeaderName::MsClientDiagnostics, Diagnostics::unsupported_session_description());
        }
        self.layer.respond_owned(now, server, response);
    }
}

/// Who calls: as the server asserts it, unless the caller wants privacy; else From.
///
/// RFC 3325 9.1, RFC 3323 4.2
fn caller(request: &Request) -> Party {
    let headers = &request.headers;
    let private = headers
        .elements(&HeaderName::Privacy)
        .flat_map(|value| value.split(';'))
        .any(|word| word.trim().eq_ignore_ascii_case("id"));
    let from = address(headers, &HeaderName::From);
    let displayed = from.map(NameAddrView::name).filter(|display| !display.is_empty());
    if let Some(mut party) = asserted_party(headers).filter(|_| !private) {
        party.display = party.display.or(displayed);
        return party;
    }
    let uri = from.and_then(|from| Uri::parse(from.uri).ok()).unwrap_or_else(|| request.uri.clone());
    Party { display: displayed, tel: uri.tel().map(ToString::to_string), uri }
}

fn rendering(request: &Request) -> Rendering {
    match request.headers.contact().ok().flatten().as_ref().and_then(Contact::renders) {
        Some(false) => Rendering::No,
        Some(true) | None => Rendering::Yes,
    }
}

/// A body of INFO that can be ignored: typing notices, digits, text.
fn is_text(request: &Request) -> bool {
    request.headers.content_type().ok().flatten().is_some_and(|media_type| {
        media_type.kind.eq_ignore_ascii_case("application") || media_type.kind.eq_ignore_ascii_case("text")
    })
}
