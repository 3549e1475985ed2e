//! How a user and the endpoint write themselves into header fields.

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

/// The address of record as it is written, in parts: our scheme, then user and host as they were given.
fn address_parts<'a>(config: &Config, user: &'a User) -> [&'a str; 5] {
    let uri = &user.address_of_record;
    let (name, at) = uri.user().map_or(("", ""), |name| (name, "@"));
    let (scheme, text) = (config.scheme(), uri.as_str());
    // Mostly it was given as it is written.
    if text.len() == scheme.len() + 1 + name.len() + at.len() + uri.host().len()
        && text.as_bytes().get(scheme.len()) == Some(&b':')
        && text.starts_with(scheme)
    {
        return [text, "", "", "", ""];
    }
    [scheme, ":", name, at, uri.host()]
}

/// The same as one text.
pub(super) fn address_of_record(config: &Config, user: &User) -> String {
    address_parts(config, user).concat()
}

/// Adds From without display name and To, as in REGISTER.
pub(super) fn push_registered(headers: &mut Headers, config: &Config, user: &User, tag: &str) {
    let [scheme, colon, name, at, host] = address_parts(config, user);
    let from = ["<", scheme, colon, name, at, host, ">;tag=", tag, ";epid=", &user.epid];
    headers.push_parts(&HeaderName::From, &from);
    headers.push_parts(&HeaderName::To, &["<", scheme, colon, name, at, host, ">"]);
}

/// From with display name.
pub(super) fn from(config: &Config, user: &User, tag: &str) -> String {
    let [scheme, colon, name, at, host] = address_parts(config, user);
    let address = ["<", scheme, colon, name, at, host, ">;tag=", tag, ";epid=", &user.epid];
    if user.display_name.is_none() && user.service.is_none() {
        return address.concat();
    }
    let mut from = String::new();
    push_display(&mut from, user.display_name.as_deref());
    match &user.service {
        Some(service) => from.extend(["<", service.as_str(), ">;tag=", tag, ";epid=", &user.epid]),
        None => from.extend(address),
    }
    from
}

/// Who we are in Via and Contact: host and port.
pub(super) fn sent_by(config: &Config, local: SocketAddr) -> String {
    match config.mode {
        Mode::TrustedServer => format!("{}:{}", config.node_name, config.listen_port),
        Mode::Client => local.to_string(),
    }
}

/// Adds the Via of a request that is sent.
pub(super) fn push_via(headers: &mut Headers, config: &Config, sent_by: &str, branch: &str) {
    // RFC 3581 4: where the response goes is where the request came from.
    let rport = if config.transport == Transport::Udp { ";rport" } else { "" };
    let via = ["SIP/2.0/", config.transport.via(), " ", sent_by, ";branch=", branch, rport];
    headers.insert_first_parts(&HeaderName::Via, &via);
}

/// The URI under which the server reaches this user here, in parts.
fn contact_parts<'a>(config: &Config, account: &'a Account, sent_by: &'a str) -> [&'a str; 8] {
    let user = match config.mode {
        Mode::TrustedServer => account.user.address_of_record.user(),
        Mode::Client => None,
    };
    let (name, at) = user.map_or(("", ""), |name| (name, "@"));
    let transport = config.transport.parameter();
    [config.scheme(), ":", name, at, sent_by, ";transport=", transport, ";ms-opaque="]
}

/// Adds the Contact of REGISTER.
///
/// MS-SIPREGE 2.2.1, MS-SIPRE 2.2
pub(super) fn push_contact_of_registration(
    headers: &mut Headers,
    config: &Config,
    account: &Account,
    sent_by: &str,
) {
    push_address_here(headers, config, account, sent_by, [";methods=\"", METHODS, "\""], "");
}

/// The Contact of everything else: the GRUU once there is one.
///
/// MS-SIPRE 2.2.3
pub(super) fn push_contact(
    headers: &mut Headers,
    config: &Config,
    account: &Account,
    sent_by: &str,
    rendering: Rendering,
) {
    let rendering = if rendering == Rendering::No { ";+sip.rendering=\"no\"" } else { "" };
    if let Some(gruu) = account.gruu.as_ref().filter(|_| config.gruu) {
        return headers.push_parts(&HeaderName::Contact, &["<", gruu.as_str(), ">", rendering]);
    }
    push_address_here(headers, config, account, sent_by, [""; 3], rendering);
}

/// Adds the Contact with the address at which the user is reached here.
fn push_address_here(
    headers: &mut Headers,
    config: &Config,
    account: &Account,
    sent_by: &str,
    [methods, all, end]: [&str; 3],
    rendering: &str,
) {
    let [scheme, colon, name, at, host, label, transport, key] = contact_parts(config, account, sent_by);
    let replace = if config.proxy_replace() { ";proxy=replace" } else { "" };
    let (instance, of_instance) = (account.instance.in_capitals(), ";+sip.instance=\"<urn:uuid:");
    let contact = [
        "<",
        scheme,
        colon,
        name,
        at,
        host,
        label,
        transport,
        key,
        &account.opaque,
        ">",
        methods,
        all,
        end,
        replace,
        of_instance,
        instance.as_str(),
        ">\"",
        rendering,
    ];
    headers.push_parts(&HeaderName::Contact, &contact);
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
    let [scheme, colon, name_of_user, at, host] = address_parts(config, user);
    identity.extend(["<", scheme, colon, name_of_user, at, host, ">"]);
    if let Some(tel) = &user.tel {
        identity.extend([", <", tel.as_str(), ">"]);
    }
    headers.push_text(&name, &identity);
}

fn push_display(text: &mut String, display: Option<&str>) {
    if let Some(display) = display.filter(|display| !display.is_empty()) {
        let _ = grammar::write_quoted(text, display);
        text.push(' ');
    }
}
