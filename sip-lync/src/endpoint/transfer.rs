//! Transfers of all sessions: what the pure steps of [`crate::transfer`] demand, and calls that replace others.

use std::fmt::Write as _;
use std::time::Instant;

use bytes::Bytes;

use super::event::{EndReason, Event};
use super::step::Context;
use super::vocabulary::{SessionId, UserId};
use super::{Deadline, Endpoint, Purpose, identity};
use crate::body::sipfrag;
use crate::dialog::DialogId;
use crate::error::{Error, Refusal};
use crate::headers::{HeaderName, NameAddr, Replaces};
use crate::invite::{State, Trigger};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::status::StatusCode;
use crate::transaction::ServerId;
use crate::transfer::{transferee, transferor};
use crate::uri::{SipUri, Uri};

/// What a session knows of its transfers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transfers {
    asked: transferor::State,
    asking: Option<Uri>,
    requested: transferee::State,
    /// CSeq of the REFER that came: the `id` of its notifications.
    refer_cseq: u32,
    /// The session whose transfer this call carries out.
    pub(super) of: Option<SessionId>,
    /// The session this call takes the place of once it is answered.
    pub(super) replaces: Option<SessionId>,
}

impl Endpoint {
    /// Asks the peer of a session to call somebody else: blind transfer.
    ///
    /// RFC 3515 2.4.1, MS-SIPRE 3.1
    pub fn transfer(&mut self, now: Instant, session: SessionId, target: Uri) -> Result<(), Error> {
        self.begin(now);
        let entry = self.sessions.get_mut(session).ok_or(Error::Refused(Refusal::UnknownSession))?;
        if !entry.is_confirmed() || entry.transfers.asked != transferor::State::Idle {
            return Err(Error::Refused(Refusal::TransferNotAllowed));
        }
        entry.transfers.asking = Some(target);
        self.transferor_step(now, session, transferor::Trigger::Refer, None);
        Ok(())
    }

    /// Asks the peer of a session to take our place in another one: attended transfer.
    ///
    /// RFC 5589 7, RFC 3891 3
    pub fn transfer_to_session(
        &mut self,
        now: Instant,
        session: SessionId,
        other: SessionId,
    ) -> Result<(), Error> {
        let entry = self.sessions.get(other).ok_or(Error::Refused(Refusal::UnknownSession))?;
        let dialog = entry.dialog.as_ref().filter(|_| entry.is_confirmed());
        let dialog = dialog.ok_or(Error::Refused(Refusal::TransferNotAllowed))?;
        // The endpoint that is talked to, by its GRUU, not the user: another endpoint could not replace the call.
        let id = dialog.id();
        let replaces = Replaces::new(&id.call_id, &id.remote_tag, &id.local_tag).to_string();
        let base = dialog.remote_target().sip().map(SipUri::without_headers);
        let base = base.ok_or(Error::Refused(Refusal::TransferNotAllowed))?;
        let target = format!("{base}?Replaces={}", escaped(&replaces));
        let target = Uri::parse(&target).map_err(Error::Malformed)?;
        self.transfer(now, session, target)
    }

    /// Does not carry out a transfer the peer asked for.
    ///
    /// RFC 3515 2.4.4
    pub fn refuse_transfer(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        self.begin(now);
        self.transferee_step(now, session, transferee::Trigger::Refuse, Some(status), None);
    }

    fn transferor_step(
        &mut self,
        now: Instant,
        id: SessionId,
        trigger: transferor::Trigger,
        status: Option<StatusCode>,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (next, effects) = transferor::step(session.transfers.asked, trigger);
        session.transfers.asked = next;
        for effect in effects {
            match effect {
                transferor::Effect::SendRefer => self.send_refer(now, id),
                transferor::Effect::StartPatience => {
                    self.deadlines.start(Deadline::Transferor(id), now + self.config.transfer.notification);
                }
                transferor::Effect::StopPatience => self.deadlines.stop(&Deadline::Transferor(id)),
                transferor::Effect::ReportProgress => {
                    if let Some(status) = status {
                        self.events.push_back(Event::TransferProgress { session: id, status });
                    }
                }
                transferor::Effect::ReportFinal => {
                    self.events.push_back(Event::Transferred { session: id, status });
                }
                transferor::Effect::ReportRefused => {
                    self.events.push_back(Event::TransferRefused { session: id, status });
                }
            }
        }
    }

    fn send_refer(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (flow, user, rendering) = (session.flow, session.user, session.rendering);
        let (Some(dialog), Some(target)) = (&mut session.dialog, session.transfers.asking.take()) else {
            return;
        };
        let mut refer = dialog.request(&Method::Refer);
        refer.headers.push(HeaderName::ReferTo, format_args!("<{target}>"));
        if let Some(account) = self.accounts.get(user) {
            let address = identity::address_of_record(&self.config, &account.user);
            refer.headers.push(HeaderName::ReferredBy, format_args!("<{address}>"));
        }
        self.push_contact(&mut refer.headers, flow, user, rendering);
        self.deadlines.start(Deadline::Transferor(id), now + self.config.transfer.response);
        if let Ok(client) = self.send_request(now, flow, refer) {
            self.purposes.insert(client, Purpose::Refer(id));
        }
    }

    /// A response to our REFER.
    ///
    /// RFC 3515 2.4.2
    pub(super) fn on_refer_response(&mut self, now: Instant, id: SessionId, response: &Response) {
        if response.status.is_final() {
            let accepted = response.status.is_success();
            let trigger = if accepted { transferor::Trigger::Accepted } else { transferor::Trigger::Refused };
            self.transferor_step(now, id, trigger, Some(response.status));
        }
    }

    pub(super) fn on_refer_failure(&mut self, now: Instant, id: SessionId) {
        self.transferor_step(now, id, transferor::Trigger::Refused, None);
    }

    pub(super) fn transferor_due(&mut self, now: Instant, id: SessionId) {
        self.transferor_step(now, id, transferor::Trigger::TimedOut, None);
    }

    /// A NOTIFY about our REFER. `None`: it is none; otherwise whether it is in order.
    ///
    /// RFC 3515 2.4.5
    pub(super) fn on_refer_notification(&mut self, now: Instant, request: &Request) -> Option<bool> {
        let refer = request.headers.event().ok().flatten().is_some_and(|event| event.package == "refer");
        let dialog = DialogId::of_request(&request.headers).filter(|_| refer);
        let id = dialog.and_then(|dialog| self.sessions.of_dialog(&dialog))?;
        let cseq = request.headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
        let in_order = self
            .sessions
            .get_mut(id)
            .and_then(|session| session.dialog.as_mut())
            .is_some_and(|dialog| dialog.accept(cseq));
        if !in_order {
            return Some(false);
        }
        let status = sipfrag::parse(request.body.clone()).ok().and_then(|fragment| fragment.status);
        let status = status.map(|(status, _)| status);
        let over = request
            .headers
            .subscription_state()
            .ok()
            .flatten()
            .is_some_and(|state| state.status == crate::headers::SubscriptionStatus::Terminated);
        let trigger = if over || status.is_some_and(StatusCode::is_final) {
            transferor::Trigger::NotifiedFinal
        } else {
            transferor::Trigger::NotifiedProgress
        };
        self.transferor_step(now, id, trigger, status);
        Some(true)
    }

    /// The peer's REFER within a session.
    ///
    /// RFC 3515 2.4.4
    pub(super) fn on_refer(&mut self, now: Instant, id: SessionId, server: ServerId, request: &Request) {
        let target = request.headers.refer_to().ok().flatten();
        let Some(target) = target else {
            let response = self.response_to(request, StatusCode::BAD_REQUEST);
            return self.layer.respond_owned(now, server, response);
        };
        let user = self.sessions.get(id).map(|session| session.user);
        if self.config.transfer.only_to_us && !user.is_some_and(|user| self.is_addressed(user, request)) {
            let response = self.response_to(request, StatusCode::FORBIDDEN);
            self.layer.respond(now, server, &response);
            let to = request.uri.clone();
            return self.events.push_back(Event::TransferNotForUs { session: id, to });
        }
        self.transferee_step(now, id, transferee::Trigger::Refer, None, Some((request, server, &target)));
    }

    fn transferee_step(
        &mut self,
        now: Instant,
        id: SessionId,
        trigger: transferee::Trigger,
        status: Option<StatusCode>,
        refer: Option<(&Request, ServerId, &NameAddr)>,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (next, effects) = transferee::step(session.transfers.requested, trigger);
        session.transfers.requested = next;
        for effect in effects {
            match effect {
                transferee::Effect::Accept => {
                    let Some((request, server, _)) = refer else { continue };
                    let mut response = self.response_to(request, StatusCode::ACCEPTED);
                    if let Some(session) = self.sessions.get_mut(id) {
                        let cseq = request.headers.cseq().ok().flatten();
                        session.transfers.refer_cseq = cseq.map_or(0, |cseq| cseq.number);
                        let (flow, user, rendering) = (session.flow, session.user, session.rendering);
                        self.push_contact(&mut response.headers, flow, user, rendering);
                    }
                    self.layer.respond_owned(now, server, response);
                }
                transferee::Effect::RefusePending => {
                    let Some((request, server, _)) = refer else { continue };
                    let response = self.response_to(request, StatusCode::REQUEST_PENDING);
                    self.layer.respond_owned(now, server, response);
                }
                transferee::Effect::ReportRequested => {
                    let Some((request, _, target)) = refer else { continue };
                    self.deadlines.start(Deadline::Transferee(id), now + self.config.transfer.decision);
                    self.report_transfer_request(id, request, target);
                }
                transferee::Effect::StopPatience => self.deadlines.stop(&Deadline::Transferee(id)),
                transferee::Effect::NotifyTrying => self.notify_transfer(now, id, StatusCode::TRYING),
                transferee::Effect::NotifyProgress => {
                    self.notify_transfer(now, id, status.unwrap_or(StatusCode::RINGING));
                }
                transferee::Effect::NotifyFinal => {
                    self.notify_transfer(now, id, status.unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE));
                }
            }
        }
    }

    fn report_transfer_request(&mut self, id: SessionId, request: &Request, target: &NameAddr) {
        // Header fields in the URI belong into the INVITE; the URI itself is kept byte for byte.
        let (uri, mut headers) = match &target.uri {
            Uri::Sip(uri) => (Uri::Sip(uri.without_headers()), headers_of(uri)),
            other => (other.clone(), Vec::new()),
        };
        if let Some(referred_by) = request.headers.get(&HeaderName::ReferredBy) {
            headers.push(("Referred-By".to_owned(), referred_by.to_owned()));
        }
        self.events.push_back(Event::TransferRequested { session: id, target: uri, headers });
    }

    fn notify_transfer(&mut self, now: Instant, id: SessionId, status: StatusCode) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (flow, user, rendering) = (session.flow, session.user, session.rendering);
        let refer = session.transfers.refer_cseq;
        let Some(dialog) = &mut session.dialog else { return };
        let mut notify = dialog.request(&Method::Notify);
        notify.headers.push(HeaderName::Event, format_args!("refer;id={refer}"));
        let state = if status.is_final() { "terminated;reason=noresource" } else { "active;expires=60" };
        notify.headers.push(HeaderName::SubscriptionState, state);
        notify.headers.push_text(&HeaderName::ContentType, "message/sipfrag;version=2.0");
        self.push_contact(&mut notify.headers, flow, user, rendering);
        notify.body = Bytes::from(sipfrag::status_line(status));
        if let Ok(client) = self.send_request(now, flow, notify) {
            self.purposes.insert(client, Purpose::Nothing);
        }
    }

    pub(super) fn transferee_due(&mut self, now: Instant, id: SessionId) {
        self.transferee_step(now, id, transferee::Trigger::TimedOut, None, None);
    }

    /// The user makes the call a transfer asks for.
    pub(super) fn carry_out(&mut self, now: Instant, call: SessionId, transfer: Option<SessionId>) {
        if let Some(transfer) = transfer {
            self.transferee_step(now, transfer, transferee::Trigger::Call, None, None);
            if let Some(session) = self.sessions.get_mut(call) {
                session.transfers.of = Some(transfer);
            }
        }
    }

    /// Tells the transferor how the call goes that it asked for.
    pub(super) fn tell_transferor(&mut self, now: Instant, call: SessionId, status: StatusCode) {
        let Some(session) = self.sessions.get_mut(call) else { return };
        let Some(transfer) = session.transfers.of else { return };
        let trigger = if status.is_provisional() {
            transferee::Trigger::Progress
        } else {
            session.transfers.of = None;
            if status.is_success() { transferee::Trigger::Answered } else { transferee::Trigger::Failed }
        };
        self.transferee_step(now, transfer, trigger, Some(status), None);
    }

    /// The session an INVITE wants to replace: none asked for, found, or the status of the refusal.
    ///
    /// RFC 3891 3
    pub(super) fn replaced_by(
        &self,
        user: UserId,
        request: &Request,
    ) -> Result<Option<SessionId>, StatusCode> {
        if !request.headers.contains(&HeaderName::Replaces) {
            return Ok(None);
        }
        let replaces = request.headers.replaces().ok().flatten().ok_or(StatusCode::BAD_REQUEST)?;
        let unknown = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
        let dialog = DialogId {
            call_id: replaces.call_id.as_str().into(),
            local_tag: replaces.to_tag().ok_or(unknown)?.into(),
            remote_tag: replaces.from_tag().ok_or(unknown)?.into(),
        };
        let id = self.sessions.of_dialog(&dialog).ok_or(unknown)?;
        let session = self.sessions.get(id).filter(|session| session.user == user).ok_or(unknown)?;
        match session.state {
            State::Terminating | State::Terminated => Err(StatusCode::DECLINE),
            _ if !session.is_confirmed() => Err(unknown),
            _ if replaces.is_early_only() => Err(StatusCode::BUSY_HERE),
            _ => Ok(Some(id)),
        }
    }

    /// The call was answered: the one it replaces ends.
    ///
    /// RFC 3891 3
    pub(super) fn end_replaced(&mut self, now: Instant, call: SessionId) {
        let replaced = self.sessions.get_mut(call).and_then(|session| session.transfers.replaces.take());
        let Some(replaced) = replaced else { return };
        if let Some(session) = self.sessions.get_mut(replaced) {
            session.end_reason = Some(EndReason::Replaced);
        }
        self.session_step(now, replaced, Trigger::HangUp, &Context::default());
    }
}

/// The header fields a URI asks for. What the endpoint writes itself, or a peer must not choose for us, is left out.
///
/// RFC 3261 19.1.5
fn headers_of(uri: &SipUri) -> Vec<(String, String)> {
    let taken = |name: &str| {
        HeaderName::parse(name).is_ok_and(|name| {
            !super::requests::is_structural(&name)
                && !matches!(
                    name,
                    HeaderName::Contact
                        | HeaderName::ContentType
                        | HeaderName::Authorization
                        | HeaderName::ProxyAuthorization
                        | HeaderName::PAssertedIdentity
                        | HeaderName::PPreferredIdentity
                        | HeaderName::ReferredBy
                        | HeaderName::Supported
                        | HeaderName::Require
                        | HeaderName::Allow
                        | HeaderName::UserAgent
                )
        })
    };
    let names =
        uri.headers().map(|(name, _)| name).filter(|name| taken(name) && !name.eq_ignore_ascii_case("body"));
    let names: Vec<&str> = names.take(16).collect();
    let value = |name: &str| uri.header(name).map(std::borrow::Cow::into_owned);
    names.into_iter().filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
}

/// A value as it stands in the header part of a URI.
///
/// RFC 3261 19.1.1
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 12);
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet) {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}
