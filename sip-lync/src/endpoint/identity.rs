//! How a user and the endpoint write themselves into header fields.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::account::Account;
use super::config::{Config, Mode, Transport};
use super::vocabulary::{Rendering, User};
use crate::grammar;
use crate::headers::{HeaderName, Headers};

/// The methods this endpoint takes, as in Allow.
///
/// RFC 3261 20.5
pub(super) const ALLOW: &str =
    "INVITE, BYE, ACK, CANCEL, INFO, UPDATE, PRACK, OPTIONS, REFER, NOTIFY, BENOTIFY, MESSAGE, SERVICE";

/// The methods announced with the contact of a registration.
///
/// MS-SIPREGE 2.2.1
const METHODS: &str =
    "INVITE, MESSAGE, INFO, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, UPDATE, PRACK, BENOTIFY";

/// The address of record as it is written: our scheme, then user and host as they were given.
pub(super) fn address_of_record(config: &Config, user: &User) -> String {
    let uri = &user.address_of_record;
    match uri.user() {
        Some(name) => format!("{}:{name}@{}", config.scheme(), uri.host()),
        None => format!("{}:{}", config.scheme(), uri.host()),
    }
}

/// From without display name, as in REGISTER.
pub(super) fn from_of_registration(config: &Config, user: &User, tag: &str) -> String {
    format!("<{}>;tag={tag};epid={}", address_of_record(config, user), user.epid)
}

/// From with display name.
pub(super) fn from(config: &Config, user: &User, tag: &str) -> String {
    let mut from = String::new();
    push_display(&mut from, user.display_name.as_deref());
    match &user.service {
        Some(service) => {
            let _ = write!(from, "<{service}>;tag={tag};epid={}", user.epid);
        }
        None => from.push_str(&from_of_registration(config, user, tag)),
    }
    from
}

/// The Via of a request that is sent.
pub(super) fn via(config: &Config, local: SocketAddr, branch: &str) -> String {
    let transport = config.transport.via();
    // RFC 3581 4: where the response goes is where the request came from.
    let rport = if config.transport == Transport::Udp { ";rport" } else { "" };
    match config.mode {
        Mode::TrustedServer => {
            format!("SIP/2.0/{transport} {}:{};branch={branch}{rport}", config.node_name, config.listen_port)
        }
        Mode::Client => format!("SIP/2.0/{transport} {local};branch={branch}{rport}"),
    }
}

/// The URI under which the server reaches this user here.
fn contact_uri(config: &Config, account: &Account, local: SocketAddr) -> String {
    let mut uri = String::from(config.scheme());
    uri.push(':');
    match config.mode {
        Mode::TrustedServer => {
            if let Some(user) = account.user.address_of_record.user() {
                uri.push_str(user);
                uri.push('@');
            }
            let _ = write!(uri, "{}:{}", config.node_name, config.listen_port);
        }
        Mode::Client => {
            let _ = write!(uri, "{local}");
        }
    }
    let _ = write!(uri, ";transport={};ms-opaque={}", config.transport.parameter(), account.opaque);
    uri
}

/// The Contact of REGISTER.
///
/// MS-SIPREGE 2.2.1, MS-SIPRE 2.2
pub(super) fn contact_of_registration(config: &Config, account: &Account, local: SocketAddr) -> String {
    let replace = if config.proxy_replace() { ";proxy=replace" } else { "" };
    format!(
        "<{}>;methods=\"{METHODS}\"{replace};+sip.instance=\"<urn:uuid:{}>\"",
        contact_uri(config, account, local),
        account.instance.in_capitals(),
    )
}

/// The Contact of everything else: the GRUU once there is one.
///
/// MS-SIPRE 2.2.3
pub(super) fn contact(config: &Config, account: &Account, local: SocketAddr, rendering: Rendering) -> String {
    let mut contact = if let Some(gruu) = account.gruu.as_ref().filter(|_| config.gruu) {
        format!("<{gruu}>")
    } else {
        let replace = if config.proxy_replace() { ";proxy=replace" } else { "" };
        format!(
            "<{}>{replace};+sip.instance=\"<urn:uuid:{}>\"",
            contact_uri(config, account, local),
            account.instance.in_capitals(),
        )
    };
    if rendering == Rendering::No {
        contact.push_str(";+sip.rendering=\"no\"");
    }
    contact
}

/// Adds the identity that is asserted or preferred.
///
/// RFC 3325 9.1, RFC 3325 9.2
pub(super) fn push_identity(headers: &mut Headers, config: &Config, user: &User) {
    let mut identity = String::new();
    let name = match config.mode {
        Mode::TrustedServer => {
            push_display(&mut identity, user.display_name.as_deref());
            HeaderName::PAssertedIdentity
        }
        Mode::Client => HeaderName::PPreferredIdentity,
    };
    let _ = write!(identity, "<{}>", address_of_record(config, user));
    if let Some(tel) = &user.tel {
        let _ = write!(identity, ", <{tel}>");
    }
    headers.push(name, identity);
}

fn push_display(text: &mut String, display: Option<&str>) {
    if let Some(display) = display.filter(|display| !display.is_empty()) {
        let _ = grammar::write_quoted(text, display);
        text.push(' ');
    }
}
