//! A dialog: tags, sequence numbers, route set and remote target.

use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::{Essentials, Request, Response};
use crate::method::Method;
use crate::transaction::key::cseq;
use crate::uri::Uri;

/// What identifies a dialog, seen from our side.
///
/// RFC 3261 12
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Box<str>,
    /// The peer's tag; empty when it has none.
    pub remote_tag: Box<str>,
}

impl DialogId {
    /// The dialog a request of the peer belongs to, if its To has a tag.
    ///
    /// RFC 3261 12.2.2
    #[must_use]
    pub fn of_request(headers: &Headers) -> Option<Self> {
        let (to, from) = (address(headers, &HeaderName::To)?, address(headers, &HeaderName::From)?);
        let call_id = headers.get(&HeaderName::CallId)?;
        to.tag()?;
        Some(Self::of_peer(call_id, Some(to), Some(from)))
    }

    /// The same when the header fields were read before; without a To tag our tag is empty.
    pub(crate) fn of_read(headers: &Headers, essentials: &Essentials<'_>) -> Self {
        let call_id = headers.get(&HeaderName::CallId).unwrap_or_default();
        Self::of_peer(call_id, essentials.to, essentials.from)
    }

    fn of_peer(call_id: &str, to: Option<NameAddrView<'_>>, from: Option<NameAddrView<'_>>) -> Self {
        let tag = |address: Option<NameAddrView<'_>>| {
            address.and_then(NameAddrView::tag).unwrap_or_default().into()
        };
        Self { call_id: call_id.into(), local_tag: tag(to), remote_tag: tag(from) }
    }
}

/// What both sides of a session know about each other.
///
/// From, To and the route set are kept byte for byte: the epid must come back as it was sent, and the
/// server signs the URIs it records.
///
/// RFC 3261 12.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dialog {
    id: DialogId,
    /// From of our requests, with tag and epid.
    local: Box<str>,
    /// To of our requests, with tag and epid.
    remote: Box<str>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// Routes with their brackets, the nearest first.
    route_set: Vec<Box<str>>,
    remote_target: Uri,
}

impl Dialog {
    /// The dialog that a response with a To tag makes of our request.
    ///
    /// RFC 3261 12.1.2
    #[must_use]
    pub fn of_caller(request: &Request, response: &Response) -> Option<Self> {
        let to = address(&response.headers, &HeaderName::To)?;
        let from = address(&request.headers, &HeaderName::From)?;
        let mut route_set = recorded_routes(&response.headers);
        route_set.reverse();
        Some(Self {
            id: DialogId {
                call_id: request.headers.get(&HeaderName::CallId)?.into(),
                local_tag: from.tag()?.into(),
                remote_tag: to.tag().unwrap_or_default().into(),
            },
            local: request.headers.get(&HeaderName::From)?.into(),
            remote: response.headers.get(&HeaderName::To)?.into(),
            local_cseq: cseq(&request.headers)?.number,
            remote_cseq: None,
            route_set,
            remote_target: contact(&response.headers).unwrap_or_else(|| request.uri.clone()),
        })
    }

    /// The dialog that our response with `local_tag` makes of the peer's request.
    ///
    /// RFC 3261 12.1.1
    #[must_use]
    pub fn of_callee(request: &Request, local_tag: &str) -> Option<Self> {
        let from = address(&request.headers, &HeaderName::From)?;
        let id = DialogId {
            call_id: request.headers.get(&HeaderName::CallId)?.into(),
            local_tag: local_tag.into(),
            remote_tag: from.tag().unwrap_or_default().into(),
        };
        Self::of_callee_as(request, id, cseq(&request.headers)?.number)
    }

    /// The same when it is known what identifies the dialog, and the number of the request.
    pub(crate) fn of_callee_as(request: &Request, id: DialogId, number: u32) -> Option<Self> {
        Some(Self {
            local: with_tag(request.headers.get(&HeaderName::To)?, &id.local_tag),
            remote: request.headers.get(&HeaderName::From)?.into(),
            id,
            // Our own numbers start at will.
            local_cseq: 0,
            remote_cseq: Some(number),
            route_set: recorded_routes(&request.headers),
            remote_target: contact(&request.headers)?,
        })
    }

    /// What identifies the dialog.
    ///
    /// RFC 3261 12
    #[must_use]
    pub const fn id(&self) -> &DialogId {
        &self.id
    }

    /// Where requests go.
    ///
    /// RFC 3261 12.2.1.1
    #[must_use]
    pub const fn remote_target(&self) -> &Uri {
        &self.remote_target
    }

    /// The value of the peer's From, or of the To of its responses.
    ///
    /// RFC 3261 12.1
    #[must_use]
    pub const fn remote(&self) -> &str {
        &self.remote
    }

    /// The value of our From, or of the To of our responses.
    ///
    /// RFC 3261 12.1
    #[must_use]
    pub const fn local(&self) -> &str {
        &self.local
    }

    /// The routes with their brackets, the nearest first.
    ///
    /// RFC 3261 12.2.1.1
    #[must_use]
    pub fn route_set(&self) -> &[Box<str>] {
        &self.route_set
    }

    /// A request within the dialog, without Via, Contact and body; its CSeq is the next one, that of an ACK or CANCEL
    /// is the last one.
    ///
    /// RFC 3261 12.2.1.1
    pub fn request(&mut self, method: &Method) -> Request {
        if !matches!(method, Method::Ack | Method::Cancel) {
            self.local_cseq = self.local_cseq.saturating_add(1);
        }
        let number = self.local_cseq;
        self.request_numbered(method, number)
    }

    /// A request within the dialog with a given number: the ACK of an INVITE that is not the last request.
    ///
    /// RFC 3261 13.2.2.4
    #[must_use]
    pub fn request_numbered(&self, method: &Method, number: u32) -> Request {
        let strict = self.route_set.first().and_then(|first| strict_router(first));
        let mut request =
            Request::new(method.clone(), strict.clone().unwrap_or_else(|| self.remote_target.clone()));
        let headers = &mut request.headers;
        headers.push_text(&HeaderName::MaxForwards, "70");
        let routes =
            if strict.is_some() { self.route_set.get(1..).unwrap_or_default() } else { &self.route_set };
        for route in routes {
            headers.push_text(&HeaderName::Route, route);
        }
        if strict.is_some() {
            headers.push(HeaderName::Route, format_args!("<{}>", self.remote_target));
        }
        headers.push_text(&HeaderName::From, &self.local);
        headers.push_text(&HeaderName::To, &self.remote);
        headers.push_text(&HeaderName::CallId, &self.id.call_id);
        headers.push_parts(&HeaderName::CSeq, &[&number.to_string(), " ", method.as_str()]);
        request
    }

    /// The number of our last request.
    ///
    /// RFC 3261 12.2.1.1
    #[must_use]
    pub const fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// Takes the number of a request of the peer; `false` when it is out of order and to be refused with 500.
    ///
    /// RFC 3261 12.2.2
    pub fn accept(&mut self, number: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| number > last);
        if in_order {
            self.remote_cseq = Some(number);
        }
        in_order
    }

    /// Takes the Contact of a target refresh request or of its 2xx.
    ///
    /// RFC 3261 12.2.1.2, RFC 3261 12.2.2
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = contact(headers) {
            self.remote_target = target;
        }
    }

    /// Forgets the routes: they lead through a server that is gone.
    ///
    /// MS-SIPRE 3.7
    pub fn forget_route(&mut self) {
        self.route_set.clear();
    }

    /// Takes the route that the answer to our dialog refresh recorded, if it recorded one.
    ///
    /// MS-SIPRE 3.7
    pub fn replace_route_of_response(&mut self, headers: &Headers) {
        let mut route_set = recorded_routes(headers);
        if !route_set.is_empty() {
            route_set.reverse();
            self.route_set = route_set;
        }
    }

    /// Takes the route that the peer's dialog refresh recorded, if it recorded one.
    ///
    /// MS-SIPRE 3.7
    pub fn replace_route_of_request(&mut self, headers: &Headers) {
        let route_set = recorded_routes(headers);
        if !route_set.is_empty() {
            self.route_set = route_set;
        }
    }

    /// Takes the route set of the 2xx that confirms an early dialog.
    ///
    /// RFC 3261 13.2.2.4
    pub fn confirm(&mut self, response: &Response) {
        let mut route_set = recorded_routes(&response.headers);
        route_set.reverse();
        self.route_set = route_set;
        if let Some(to) = response.headers.get(&HeaderName::To) {
            self.remote = to.into();
        }
        self.refresh_target(&response.headers);
    }
}

/// A From or To value with this tag; everything else stays as it is.
///
/// RFC 3261 8.2.6.2
pub(crate) fn with_tag(value: &str, tag: &str) -> Box<str> {
    // Without brackets the first semicolon starts a parameter of the header field, so that appending is right always.
    [value, ";tag=", tag].concat().into()
}

/// From or To where it was received.
pub(crate) fn address<'a>(headers: &'a Headers, name: &HeaderName) -> Option<NameAddrView<'a>> {
    NameAddrView::check(headers.get(name)?).ok()
}

fn contact(headers: &Headers) -> Option<Uri> {
    let first = headers.elements(&HeaderName::Contact).next()?;
    Uri::parse(NameAddrView::parse(first).ok()?.uri).ok()
}

/// The URIs of Record-Route with their brackets, byte for byte; parameters outside of the brackets are dropped.
fn recorded_routes(headers: &Headers) -> Vec<Box<str>> {
    headers
        .elements(&HeaderName::RecordRoute)
        .filter_map(|element| NameAddrView::check(element).ok())
        .map(|route| format!("<{}>", route.uri).into())
        .collect()
}

/// The URI of a route that is no loose router: it becomes the Request-URI.
fn strict_router(route: &str) -> Option<Uri> {
    let uri = Uri::parse(NameAddrView::parse(route).ok()?.uri).ok()?;
    let strict = uri.sip().is_some_and(|uri| !uri.is_loose_router());
    strict.then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::status::StatusCode;
    use bytes::Bytes;

    fn request(text: &str) -> Request {
        match Message::parse(Bytes::copy_from_slice(text.replace('\n', "\r\n").as_bytes())) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    const INVITE: &str = "INVITE sip:dect1@192.0.2.10:40001;transport=tls;ms-opaque=5c0f SIP/2.0
Record-Route: <sip:pool.example.net:5061;transport=tls;ms-fe=fe1.example.net;opaque=state:F:Ci.R2ab00;lr;ms-route-sig=aB%2fc>;ms-rrsig=def;tag=0123
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKA;branched=TRUE
From: \"Alice\"<sip:alice@example.net>;tag=aa;epid=bb
record-route: <sip:edge.example.net:5061;transport=tls;lr>, <sip:far.example.com;lr>
To: <sip:dect1@example.net>;epid=01010101
Call-ID: c1
CSeq: 7 INVITE
Contact: <sip:alice@example.net;opaque=user:epid:x;gruu>;isfocus

";

    #[test]
    fn the_callee_repeats_routes_byte_for_byte_in_their_order() {
        let mut dialog = Dialog::of_callee(&request(INVITE), "ours").unwrap();
        assert_eq!(dialog.local(), "<sip:dect1@example.net>;epid=01010101;tag=ours");
        let bye = dialog.request(&Method::Bye);
        assert_eq!(bye.uri.as_str(), "sip:alice@example.net;opaque=user:epid:x;gruu");
        let routes: Vec<&str> = bye.headers.get_all(&HeaderName::Route).collect();
        assert_eq!(
            routes,
            [
                "<sip:pool.example.net:5061;transport=tls;ms-fe=fe1.example.net;opaque=state:F:Ci.R2ab00;lr;ms-route-sig=aB%2fc>",
                "<sip:edge.example.net:5061;transport=tls;lr>",
                "<sip:far.example.com;lr>",
            ]
        );
        assert_eq!(
            bye.headers.get(&HeaderName::From),
            Some("<sip:dect1@example.net>;epid=01010101;tag=ours")
        );
        assert_eq!(bye.headers.get(&HeaderName::To), Some("\"Alice\"<sip:alice@example.net>;tag=aa;epid=bb"));
        assert_eq!(bye.headers.get(&HeaderName::CSeq), Some("1 BYE"));
        assert_eq!(dialog.request(&Method::Invite).headers.get(&HeaderName::CSeq), Some("2 INVITE"));
        assert_eq!(dialog.request(&Method::Ack).headers.get(&HeaderName::CSeq), Some("2 ACK"));
    }

    #[test]
    fn the_caller_takes_the_routes_in_reverse() {
        let mut invite = request(INVITE);
        invite.headers.remove_all(&HeaderName::RecordRoute);
        let mut response = request(INVITE).response(StatusCode::OK);
        response.headers.set(HeaderName::To, "<sip:dect1@example.net>;epid=01010101;tag=theirs");
        response
            .headers
            .push(HeaderName::RecordRoute, "<sip:first.example.net;lr>, <sip:second.example.net;lr>");
        response.headers.push_text(&HeaderName::Contact, "<sip:callee@192.0.2.9>");
        let mut dialog = Dialog::of_caller(&invite, &response).unwrap();
        assert_eq!(&*dialog.id().remote_tag, "theirs");
        let routes: Vec<&str> = dialog.route_set().iter().map(|route| &**route).collect();
        assert_eq!(routes, ["<sip:second.example.net;lr>", "<sip:first.example.net;lr>"]);
        assert_eq!(dialog.request(&Method::Bye).headers.get(&HeaderName::CSeq), Some("8 BYE"));
    }

    #[test]
    fn a_request_without_to_tag_belongs_to_no_dialog() {
        let mut invite = request(INVITE);
        assert_eq!(DialogId::of_request(&invite.headers), None);
        invite.headers.append_to(&HeaderName::To, &[";tag=ours"]);
        let id = Dialog::of_callee(&request(INVITE), "ours").unwrap().id().clone();
        assert_eq!(DialogId::of_request(&invite.headers), Some(id));
    }

    #[test]
    fn a_strict_router_gets_the_request_uri() {
        let text = INVITE.replace(";lr;ms-route-sig", ";ms-route-sig");
        let mut dialog = Dialog::of_callee(&request(&text), "ours").unwrap();
        let bye = dialog.request(&Method::Bye);
        assert!(bye.uri.as_str().starts_with("sip:pool.example.net:5061"));
        let routes: Vec<&str> = bye.headers.get_all(&HeaderName::Route).collect();
        assert_eq!(routes.len(), 3);
        assert_eq!(routes.last(), Some(&"<sip:alice@example.net;opaque=user:epid:x;gruu>"));
    }

    #[test]
    fn requests_out_of_order_are_not_accepted() {
        let mut dialog = Dialog::of_callee(&request(INVITE), "ours").unwrap();
        assert!(!dialog.accept(7));
        assert!(!dialog.accept(6));
        assert!(dialog.accept(12));
        assert!(!dialog.accept(11));
    }
}
