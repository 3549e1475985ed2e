//! Credentials for relays: the media relay authentication service.

use sip_lync::Request;
use sip_lync::headers::HeaderName;
use sip_lync::turn::mras::{CredentialsRequest, CredentialsResponse, MEDIA_TYPE};

use super::respond::Refusal;
use super::{FlowId, FrontEnd};

impl FrontEnd {
    /// Answers a request for credentials (MS-AVEDGEA 3.2.5).
    pub(super) fn relay_credentials(&mut self, flow: FlowId, request: &Request) {
        let Some(service) = self.config.relay_authentication.clone() else {
            let refusal = Refusal::new(404, 9000, "there is no media relay authentication service");
            return self.refuse(flow, request, refusal);
        };
        let Ok(asked) = CredentialsRequest::parse(&request.body) else {
            let refusal = Refusal::new(400, 9001, "the request for credentials cannot be read");
            return self.refuse(flow, request, refusal);
        };
        let most = u32::try_from(service.lifetime.as_secs() / 60).unwrap_or(u32::MAX).max(1);
        let answer = CredentialsResponse {
            request_id: asked.request_id,
            reason: "OK".to_owned(),
            credentials: Some(service.credentials),
            minutes: asked.minutes.clamp(1, most),
            relays: service.relays.into_iter().filter(|relay| relay.location == asked.location).collect(),
        };
        let mut response = self.answer(request, 200);
        response.headers.push(HeaderName::ContentType, MEDIA_TYPE);
        response.body = answer.to_body(service.password.0.as_bytes()).into_bytes().into();
        self.send(flow, &response.into());
    }
}
