//! Whose home this front end is: redirection, backup, survivable mode.

use std::time::Instant;

use sip_lync::headers::HeaderName;
use sip_lync::{Request, Response, StatusCode};

use super::registration_notice::Notice;
use super::respond::Refusal;
use super::settings::ServerAddress;
use super::{Event, Fault, FrontEnd, Role};

/// What a user of this front end is told who asks for something that is at the pool.
pub(super) const SERVICES_AWAY: Refusal = Refusal::new(503, 1, "presence is not available: survivable mode");

impl FrontEnd {
    /// Enters or leaves the survivable mode: calls go on, presence is away. All endpoints are told.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub fn set_survivable(&mut self, now: Instant, survivable: bool) {
        self.clock = Some(now);
        if core::mem::replace(&mut self.config.survivable, survivable) == survivable {
            return;
        }
        let keys: Vec<_> = self.registrar.all().map(|(key, _)| key.clone()).collect();
        let notice = if survivable { Notice::ServicesAway } else { Notice::ServicesBack };
        for key in keys {
            self.registration_notice(&key, notice);
        }
    }

    /// The servers that a user has to register at, if it is not this one.
    fn redirection(&self, user: &str) -> Option<Vec<ServerAddress>> {
        if self.faults.contains(&Fault::RedirectLoop) {
            return Some(vec![ServerAddress::new(&self.config.host_name, self.config.port)]);
        }
        let homes = self.user(user)?.homes.as_ref()?;
        let is_this = |server: &ServerAddress| server.host.eq_ignore_ascii_case(&self.config.host_name);
        let backup = homes.backup.as_ref().is_some_and(is_this) && self.config.survivable;
        if is_this(&homes.primary) || backup {
            return None;
        }
        Some(core::iter::once(&homes.primary).chain(&homes.backup).cloned().collect())
    }

    /// The home server of a user, if that is another one.
    pub(super) fn elsewhere(&self, user: &str) -> Option<ServerAddress> {
        let homes = self.user(user)?.homes.as_ref()?;
        let elsewhere = !homes.primary.host.eq_ignore_ascii_case(&self.config.host_name);
        (elsewhere && !self.config.survivable).then(|| homes.primary.clone())
    }

    /// 301 with the home servers, best first.
    pub(super) fn redirect(&mut self, request: &Request, user: &str) -> Option<Response> {
        let servers = self.redirection(user)?;
        let mut response = self.answer(request, 301);
        "Redirect request to Home Server".clone_into(&mut response.reason);
        debug_assert_eq!(response.status, StatusCode::MOVED_PERMANENTLY);
        let transport = if self.config.tls { "TLS" } else { "TCP" };
        for (server, q) in servers.iter().zip(["0.7", "0.3"]) {
            let ServerAddress { host, port } = server;
            response
                .headers
                .push(HeaderName::Contact, format_args!("<sip:{host}:{port};transport={transport}>;q={q}"));
        }
        let to = servers.iter().map(|server| format!("{}:{}", server.host, server.port)).collect();
        self.report(Event::Redirected { user: user.to_owned(), to });
        Some(response)
    }

    /// Presence-State: what became of the registration, and in what condition the server is.
    pub(super) fn presence_state(&self, action: &str) -> String {
        let mut text = format!("register-action=\"{action}\"");
        if self.config.role == Role::Branch {
            text.push_str(";primary-cluster-type=\"remote\"");
        } else if self.config.survivable {
            text.push_str(";primary-cluster-type=\"central\"");
        }
        if self.config.survivable {
            text.push_str(";is-connected-to-primary=\"no\";user-services-state=unavailable");
        } else if self.config.role == Role::Branch {
            text.push_str(";is-connected-to-primary=\"yes\"");
        }
        text
    }
}
