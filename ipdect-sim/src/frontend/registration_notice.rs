//! What endpoints are told about their registration, and the end of registrations that the front end wants.

use std::time::Instant;

use sip_lync::headers::HeaderName;
use sip_lync::{Method, Request, SipUri, Uri};

use super::envelope::COOKIE;
use super::registrar::EndpointKey;
use super::{Fault, FrontEnd, address};

/// Why an endpoint is registered no longer.
///
/// MS-SIPREGE 2.2.1.13
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deregistration {
    /// Removed by policy, for example because the user has too many endpoints.
    Unregistered,
    /// The user is disabled.
    Rejected,
    /// For now: it may register again.
    Deactivated,
    /// The user's services are away: it may register again and finds the survivable mode.
    ServicesAway,
    /// Another registrar is preferred.
    RegistrarChange(super::ServerAddress),
}

/// What an endpoint is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice<'a> {
    Ended(&'a Deregistration),
    ServicesAway,
    ServicesBack,
}

impl Notice<'_> {
    fn body(self) -> &'static str {
        match self {
            Self::Ended(Deregistration::Unregistered) => "deregistered;event=unregistered",
            Self::Ended(Deregistration::Rejected) => "deregistered;event=rejected",
            Self::Ended(Deregistration::Deactivated) => "deregistered;event=deactivated",
            Self::Ended(Deregistration::ServicesAway) => "deregistered;event=userservices-unavailable",
            Self::Ended(Deregistration::RegistrarChange(_)) => {
                "deregistered;event=preferred-registrar-change"
            }
            Self::ServicesAway => "registered;event=userservices-unavailable",
            Self::ServicesBack => "registered;event=userservices-available",
        }
    }

    /// ErrorId and words.
    fn diagnostics(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Ended(Deregistration::Unregistered) => {
                Some((4140, "the endpoint was removed: the user has too many"))
            }
            Self::Ended(Deregistration::Rejected) => Some((4141, "the user is disabled")),
            Self::Ended(Deregistration::Deactivated) => {
                Some((4142, "the registration is not available for now"))
            }
            Self::Ended(Deregistration::ServicesAway) => {
                Some((4165, "the services of the user are not available"))
            }
            Self::Ended(Deregistration::RegistrarChange(_)) => Some((4166, "another registrar is preferred")),
            Self::ServicesAway | Self::ServicesBack => None,
        }
    }
}

impl FrontEnd {
    /// Ends the registrations of all endpoints of a user and tells them why; how many there were.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub fn deregister(&mut self, now: Instant, user: &SipUri, why: &Deregistration) -> usize {
        self.clock = Some(now);
        let user = address::user_key(user);
        let keys: Vec<EndpointKey> = self.registrar.of_user(&user).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            self.end_registration(now, key, why);
        }
        keys.len()
    }

    pub(super) fn end_registration(&mut self, now: Instant, key: &EndpointKey, why: &Deregistration) {
        self.registration_notice(key, Notice::Ended(why));
        if let Some(binding) = self.registrar.remove(key) {
            let reason = match why {
                Deregistration::Unregistered => "removed",
                Deregistration::Rejected => "rejected",
                Deregistration::Deactivated => "deactivated",
                Deregistration::ServicesAway => "services-away",
                Deregistration::RegistrarChange(_) => "registrar-change",
            };
            self.deregistered(now, key, &binding, reason);
        }
    }

    /// BENOTIFY in the implicit subscription that REGISTER made.
    pub(super) fn registration_notice(&mut self, key: &EndpointKey, notice: Notice<'_>) {
        let branch = format!("{COOKIE}{}", self.random.token(24).to_ascii_uppercase());
        let number = self.registrar.next_number(key);
        let Some(binding) = self.registrar.get(key) else { return };
        let Some(flow) = binding.flow else { return };
        let transport = if self.config.tls { "TLS" } else { "TCP" };
        let (host, port) = (&self.config.host_name, self.config.port);
        let mut request = Request::new(Method::BeNotify, Uri::from(binding.contact.clone()));
        let headers = &mut request.headers;
        headers.push(HeaderName::Via, format_args!("SIP/2.0/{transport} {host}:{port};branch={branch}"));
        headers.push(HeaderName::MaxForwards, 70);
        headers.push(HeaderName::From, &binding.us);
        headers.push(HeaderName::To, &binding.them);
        headers.push(HeaderName::CallId, &binding.call_id);
        headers.push(HeaderName::CSeq, format_args!("{number} BENOTIFY"));
        headers.push(HeaderName::Event, "registration-notify");
        let state =
            if matches!(notice, Notice::Ended(_)) { "terminated;expires=0" } else { "active;expires=600" };
        headers.push(HeaderName::SubscriptionState, state);
        if let Some((error, reason)) = notice.diagnostics() {
            headers.push(HeaderName::MsDiagnosticsPublic, format_args!("{error};reason=\"{reason}\""));
        }
        if let Notice::Ended(Deregistration::RegistrarChange(server)) = notice {
            let transport = if self.config.tls { "tls" } else { "tcp" };
            headers.push(
                HeaderName::PPreferredRegistrar,
                format_args!("<sip:{}:{};transport={transport}>", server.host, server.port),
            );
        }
        headers.push(HeaderName::ContentType, "text/registration-event");
        request.body = notice.body().as_bytes().to_vec().into();
        self.send(flow, &request.into());
    }

    /// The fault `deregister`: endpoints whose time has come.
    pub(super) fn deregister_by_fault(&mut self, now: Instant) {
        let Some(after) = self.deregistration_fault() else { return };
        let due: Vec<EndpointKey> = self
            .registrar
            .all()
            .filter(|(_, binding)| binding.since + after <= now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.end_registration(now, &key, &Deregistration::Deactivated);
        }
    }

    pub(super) fn deregistration_fault(&self) -> Option<core::time::Duration> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::Deregister(after) => Some(*after),
            _ => None,
        })
    }

    /// The endpoints of a user beyond the most that it may have, oldest first, are removed.
    pub(super) fn limit_endpoints(&mut self, now: Instant, key: &EndpointKey) {
        loop {
            let mut all: Vec<(Instant, EndpointKey)> = self
                .registrar
                .of_user(&key.user)
                .map(|(key, binding)| (binding.since, key.clone()))
                .collect();
            if all.len() <= self.config.maximum_endpoints.max(1) {
                return;
            }
            all.retain(|(_, other)| other != key);
            let Some((_, oldest)) = all.into_iter().min() else { return };
            self.end_registration(now, &oldest, &Deregistration::Unregistered);
        }
    }
}
