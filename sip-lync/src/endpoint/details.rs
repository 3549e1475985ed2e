//! What an INVITE says beside its session: how it came here, for whom, from which service.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::event::Party;
use crate::gruu::ConferenceUri;
use crate::headers::{HeaderName, Headers, HistoryEntry, NameAddr, NameAddrView};
use crate::message::Request;
use crate::uri::Uri;

/// Why the server sent a call on: `ms-retarget-reason`. The words beside `forwarding` are inferred; every other one is
/// kept.
///
/// MS-SIPRE 2.2
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RetargetReason {
    /// `forwarding`: the one who was called forwards its calls.
    Forwarding,
    /// `delegation`: the one who was called has delegates.
    Delegation,
    /// `team-call`: its team is called, too.
    TeamCall,
    /// Another word.
    Other(String),
}

impl RetargetReason {
    /// The word.
    ///
    /// MS-SIPRE 2.2
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Forwarding => "forwarding",
            Self::Delegation => "delegation",
            Self::TeamCall => "team-call",
            Self::Other(word) => word,
        }
    }
}

impl FromStr for RetargetReason {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        let known = [Self::Forwarding, Self::Delegation, Self::TeamCall];
        let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(word));
        Ok(found.unwrap_or_else(|| Self::Other(word.to_owned())))
    }
}

impl fmt::Display for RetargetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the server must not do with a call: `Ms-Sensitivity`.
///
/// MS-SIPRE 2.2
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Sensitivity {
    /// `private-no-diversion`: neither voice mail nor forwarding.
    NoDiversion,
    /// Another word.
    Other(String),
}

/// What an INVITE says beside its session, for display and for the log.
///
/// RFC 7044 5, MS-SIPRE 2.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallDetails {
    /// Where the call went, the first target first.
    pub history: Vec<HistoryEntry>,
    /// Who was called before the server sent the call on to us; `None` for a direct call.
    pub called_first: Option<Party>,
    /// Why it was sent on.
    pub retarget_reason: Option<RetargetReason>,
    /// The telephone number that was called.
    pub called_number: Option<String>,
    /// For whom the caller speaks: a response group, or who delegates.
    pub on_behalf_of: Option<Party>,
    /// `Ms-Call-Info` as it stands.
    pub call_info: Option<String>,
    /// Who transferred the call to us.
    pub referred_by: Option<Uri>,
    /// What must not be done with the call.
    pub sensitivity: Option<Sensitivity>,
    /// The conference that calls us.
    pub conference: Option<ConferenceUri>,
    /// It is an emergency.
    pub emergency: bool,
}

impl CallDetails {
    /// What an INVITE says. What cannot be read is left out.
    ///
    /// RFC 7044 5, MS-SIPRE 2.2
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let headers = &request.headers;
        let history = headers.history_info().unwrap_or_default();
        let retargeted = history.len() > 1 || history.first().is_some_and(HistoryEntry::is_retargeted);
        let reason = history.iter().rev().find_map(HistoryEntry::retarget_reason);
        let reason = reason.map(|word| match word.parse() {
            Ok(reason) => reason,
            Err(never) => match never {},
        });
        let called_first = history.first().filter(|_| retargeted).map(|entry| party(&entry.0));
        let called_number =
            history.iter().find_map(HistoryEntry::target_phone).map(std::borrow::Cow::into_owned);
        Self {
            called_first,
            retarget_reason: reason,
            called_number,
            history,
            on_behalf_of: first(headers, &HeaderName::PAgentOnBehalfOf).map(|of| party(&of)),
            call_info: headers.get(&HeaderName::MsCallInfo).map(str::to_owned),
            referred_by: headers.referred_by().ok().flatten().map(|by| by.uri),
            sensitivity: headers.get(&HeaderName::MsSensitivity).map(|word| match word.trim() {
                word if word.eq_ignore_ascii_case("private-no-diversion") => Sensitivity::NoDiversion,
                word => Sensitivity::Other(word.to_owned()),
            }),
            conference: conference_in(headers, &[HeaderName::Contact, HeaderName::From]),
            emergency: headers
                .get(&HeaderName::Priority)
                .is_some_and(|word| word.trim().eq_ignore_ascii_case("emergency")),
        }
    }
}

/// The conference that one of these header fields names.
pub(super) fn conference_in(headers: &Headers, names: &[HeaderName]) -> Option<ConferenceUri> {
    let mut addresses = names.iter().filter_map(|name| headers.elements(name).next());
    addresses.find_map(|address| {
        // Most are no conference, and are not taken apart.
        let uri =
            address.contains(ConferenceUri::MARK).then(|| NameAddrView::parse(address).ok()?.sip_uri().ok());
        ConferenceUri::of(&uri.flatten()?.to_value())
    })
}

fn first(headers: &Headers, name: &HeaderName) -> Option<NameAddr> {
    headers.elements(name).next().and_then(|value| NameAddr::parse(value).ok())
}

fn party(address: &NameAddr) -> Party {
    Party {
        display: Some(address.display.clone()).filter(|display| !display.is_empty()),
        tel: address.uri.tel().map(ToString::to_string),
        uri: match &address.uri {
            Uri::Sip(uri) => Uri::Sip(uri.without_headers()),
            other => other.clone(),
        },
    }
}
