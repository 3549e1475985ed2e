//! The schemes a login may have, and the refusals that offer them.

use std::time::Instant;

use base64ct::{Base64, Encoding};
use sip_lync::headers::{Challenge, Credentials, Date, HeaderName};
use sip_lync::{Method, Request};

use super::respond::Refusal;
use super::{FlowId, FrontEnd};

impl FrontEnd {
    /// The credentials of a scheme that is offered.
    pub(super) fn credentials(&self, request: &Request) -> Option<Credentials> {
        let headers = &request.headers;
        [HeaderName::Authorization, HeaderName::ProxyAuthorization]
            .iter()
            .filter_map(|name| Credentials::parse(headers.get(name)?).ok())
            .find(|credentials| self.offers(credentials))
    }

    pub(super) fn offers(&self, credentials: &Credentials) -> bool {
        credentials.is(SCHEME) || (self.config.tls_dsk.is_some() && credentials.is(TLS_DSK))
    }

    /// Refuses with a challenge: the schemes alone, or that of a login with its token.
    pub(super) fn challenge(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        token: Option<(&'static str, &str, &[u8])>,
    ) {
        let time = self.wall_clock(now);
        match request.method {
            Method::Ack => return,
            Method::Cancel => {
                self.refuse(flow, request, Refusal::new(403, 0, "the request is not signed"));
                return;
            }
            _ => {}
        }
        let (asked, status) = match request.method {
            Method::Register => (HeaderName::WwwAuthenticate, 401),
            _ => (HeaderName::ProxyAuthenticate, 407),
        };
        let version = self.config.authentication_version.number().to_string();
        let mut response = self.answer(request, status);
        let offered = self.config.tls_dsk.as_deref().map(|service| (TLS_DSK, Some(service)));
        let offered = [Some((SCHEME, None)), offered].into_iter().flatten();
        for (scheme, service) in offered.filter(|(scheme, _)| token.is_none_or(|(of, ..)| of == *scheme)) {
            let mut challenge = Challenge::new(scheme);
            if let Some((_, opaque, token)) = token {
                let token = Base64::encode_string(token);
                challenge = challenge.with("opaque", opaque).with("gssapi-data", &token);
            }
            challenge = challenge.with("realm", REALM).with("targetname", &self.config.host_name);
            challenge.parameters.push("version", &version);
            if let (Some(service), None) = (service, token) {
                challenge = challenge.with("sts-uri", service);
            }
            response.headers.push(asked.clone(), challenge);
        }
        response.headers.push(HeaderName::Date, Date::new(time));
        if token.is_none() {
            self.report_refusal(request, status, "the peer is no trusted server and has not logged in");
        }
        self.send(flow, &response.into());
    }
}

/// MS-SIPAE 2.2
pub(super) const SCHEME: &str = "NTLM";
/// MS-SIPAE 2.2
pub(super) const TLS_DSK: &str = "TLS-DSK";
/// MS-SIPAE 2.2: the realm is the same everywhere.
pub(super) const REALM: &str = "SIP Communications Service";
