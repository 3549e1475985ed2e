//! The route a proxy records: its address with the two connections of the dialog, sealed.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Proxy;
use crate::flow::FlowId;
use crate::headers::NameAddr;
use crate::uri::Uri;

/// What a Route that names this proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// The connections of the dialog.
    Flows(FlowId, FlowId),
    /// Nobody here wrote it.
    Forged,
    /// It names the proxy alone, as a preloaded route does.
    Bare,
}

impl Proxy {
    /// The value of Record-Route of a dialog between two connections.
    ///
    /// RFC 3261 16.6 4
    pub(super) fn recorded(&self, caller: FlowId, callee: FlowId) -> String {
        let (host, port) = (&self.config.host, self.config.port);
        let transport = self.config.transport.parameter();
        let seal = self.seal(caller, callee);
        format!("<sip:{host}:{port};transport={transport};opaque=state:{}.{}.{seal};lr>", caller.0, callee.0)
    }

    /// What a Route or Request-URI says if it names this proxy.
    ///
    /// RFC 3261 16.4
    pub(super) fn read_route(&self, uri: &Uri) -> Option<Recorded> {
        let uri = uri.sip()?;
        let port = uri.port().unwrap_or(self.config.port);
        let ours = uri.user().is_none()
            && uri.host().eq_ignore_ascii_case(&self.config.host)
            && port == self.config.port;
        if !ours {
            return None;
        }
        let Some(state) = uri.opaque().and_then(|opaque| opaque.strip_prefix("state:")) else {
            return Some(Recorded::Bare);
        };
        let mut parts = state.splitn(3, '.');
        let mut flow = || parts.next()?.parse().ok().map(FlowId);
        let (Some(caller), Some(callee)) = (flow(), flow()) else { return Some(Recorded::Forged) };
        let seal = parts.next().unwrap_or_default();
        let genuine: bool = seal.as_bytes().ct_eq(self.seal(caller, callee).as_bytes()).into();
        Some(if genuine { Recorded::Flows(caller, callee) } else { Recorded::Forged })
    }

    /// Whether a Route field names this proxy.
    pub(super) fn read_route_field(&self, value: &str) -> Option<Recorded> {
        self.read_route(&NameAddr::parse(value).ok()?.uri)
    }

    fn seal(&self, caller: FlowId, callee: FlowId) -> String {
        self.digest(&[&caller.0.to_be_bytes(), &callee.0.to_be_bytes()])
    }

    /// Sixteen hexadecimal digits that only this proxy makes of these octets.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> String {
        let Ok(mut mac) = <Hmac<Sha256>>::new_from_slice(&self.secret) else { return String::new() };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut text = String::with_capacity(16);
        for octet in mac.finalize().into_bytes().iter().take(8) {
            let _ = write!(text, "{octet:02x}");
        }
        text
    }
}
