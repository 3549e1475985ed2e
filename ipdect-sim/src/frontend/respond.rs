//! Answers that the front end gives itself.

use sip_lync::headers::{HeaderName, NameAddr};
use sip_lync::{Request, Response, StatusCode};

use super::{Event, FlowId, FrontEnd};

/// Why the front end refuses: status, ErrorId of MS-OCER (0: none is known for this case), words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: u16,
    pub(super) reason: &'static str,
}

impl Refusal {
    pub(super) const fn new(status: u16, error: u16, reason: &'static str) -> Self {
        Self { status, error, reason }
    }
}

impl FrontEnd {
    /// A response of the front end with a tag of its own and its name.
    pub(super) fn answer(&mut self, request: &Request, status: u16) -> Response {
        let status = StatusCode::new(status).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
        let mut response = request.response(status);
        if status != StatusCode::TRYING
            && let Some(Ok(mut to)) = request.headers.get(&HeaderName::To).map(NameAddr::parse)
            && to.tag().is_none()
        {
            to.set_tag(&self.random.token(32).to_ascii_uppercase());
            response.headers.set(HeaderName::To, to);
        }
        response.headers.push(HeaderName::Server, &self.config.server);
        response
    }

    /// Refuses a request with ms-diagnostics and reports it.
    pub(super) fn refuse(&mut self, flow: FlowId, request: &Request, refusal: Refusal) {
        let Refusal { status, error, reason } = refusal;
        let mut response = self.answer(request, status);
        self.explain(&mut response, error, reason);
        if status == 430 {
            // MS-SIPRE 3.7: how to recover.
            response.headers.push(HeaderName::PDialogRecoveryAction, "dialog-route-set-update");
        }
        self.report_refusal(request, status, reason);
        self.send(flow, &response.into());
    }

    /// ms-diagnostics with the ErrorId, else a Warning in words.
    pub(super) fn explain(&self, response: &mut Response, error: u16, reason: &str) {
        let host = &self.config.host_name;
        if error == 0 {
            response.headers.push(HeaderName::Warning, format_args!("399 {host} \"{reason}\""));
        } else {
            response.headers.push(
                HeaderName::MsDiagnostics,
                format_args!("{error};reason=\"{reason}\";source=\"{host}\""),
            );
        }
    }

    pub(super) fn report_refusal(&mut self, request: &Request, status: u16, reason: &str) {
        let from = request.headers.get(&HeaderName::From).and_then(|from| NameAddr::parse(from).ok());
        let event = Event::Refused {
            method: request.method.to_string(),
            from: from.map(|from| from.uri.to_string()).unwrap_or_default(),
            status,
            reason: reason.to_owned(),
        };
        self.report(event);
    }
}
