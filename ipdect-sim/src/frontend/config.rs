//! Configuration of the front end and the file of its users.

use core::time::Duration;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use ntlm_auth::ProtocolVersion;
use sip_lync::SipUri;

use presence_pidf::notifier::NewUsers;

use super::Fault;
use super::provisioning::Provisioning;
use super::settings::{
    CallSettings, Homes, NetworkLink, NetworkSite, RelayAuthentication, ResponseGroup, Role,
    StandingConference, Trunk,
};

/// A user homed on the front end.
///
/// MS-SIPREGE 3.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEndUser {
    /// `sip:user@domain`.
    pub uri: SipUri,
    /// The domain of the Windows account.
    pub domain: String,
    /// The user of the Windows account.
    pub account: String,
    /// The password of the Windows account.
    pub password: Password,
    /// The line, without `tel:`, such as `+14255550100`.
    pub tel: Option<String>,
    /// What others see as the caller's name.
    pub display_name: Option<String>,
    /// The front ends it belongs to; none: this one.
    pub homes: Option<Homes>,
    /// What happens to calls for it.
    pub calls: CallSettings,
}

impl FrontEndUser {
    /// A user without account and line.
    ///
    /// MS-SIPREGE 3.2
    pub fn new(uri: SipUri) -> Self {
        Self {
            uri,
            domain: String::new(),
            account: String::new(),
            password: Password::default(),
            tel: None,
            display_name: None,
            homes: None,
            calls: CallSettings::default(),
        }
    }
}

/// A password that is not shown.
///
/// MS-SIPAE 3.2
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(pub String);

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// When the front end opens its own connection to a trusted peer.
///
/// MS-SIPRE 3.3
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialling {
    /// Requests go over the connection of the registration; without it the endpoint is unreachable.
    Never,
    /// A connection to the registered contact is opened when that of the registration is gone.
    #[default]
    WhenFlowIsGone,
    /// Requests to an endpoint registered by a trusted peer go over a connection of the front end's own [inferred:
    /// some servers do so].
    Always,
}

/// How the front end behaves.
///
/// MS-SIPREGE 3.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrontEndConfig {
    /// The name of the certificate, `fe1.example.net`.
    pub host_name: String,
    /// The port of the listener, written into Via and Record-Route.
    pub port: u16,
    /// Whether the listener speaks TLS; otherwise TCP.
    pub tls: bool,
    /// The SIP domain it is responsible for.
    pub domain: String,
    /// Its users.
    pub users: Vec<FrontEndUser>,
    /// Names of certificates that are trusted servers: never challenged.
    pub trusted: Vec<String>,
    /// Addresses that are trusted servers, for TCP where there is no certificate.
    pub trusted_addresses: Vec<IpAddr>,
    /// The life of a registration that asks for none.
    pub default_expires: Duration,
    /// The longest life of a registration.
    pub maximum_expires: Duration,
    /// `timeout` of ms-keep-alive.
    pub keep_alive_timeout: Duration,
    /// How long an INVITE may ring (timer C).
    pub ring_timeout: Duration,
    /// How long another request may take (timer F).
    pub request_timeout: Duration,
    /// Whether and when it opens connections of its own.
    pub dialling: Dialling,
    /// The text of the header Server.
    pub server: String,
    /// What it tells its clients about media.
    pub provisioning: Provisioning,
    /// Whether a client of its users has logged on before, and let others see them.
    pub new_users: NewUsers,
    /// The version of MS-SIPAE that it offers: 4 as Lync, 3 as OCS 2007.
    pub authentication_version: ProtocolVersion,
    /// Where certificates for TLS-DSK are had, which is then offered beside NTLM; none: it is not.
    pub tls_dsk: Option<String>,
    /// What the clock on the wall shows when the front end starts; logins carry it.
    pub wall_clock: SystemTime,
    /// A server of a pool or a branch appliance.
    pub role: Role,
    /// Calls only: presence and contact lists are at a pool that cannot be reached.
    pub survivable: bool,
    /// The most endpoints that a user may have; the oldest goes.
    pub maximum_endpoints: usize,
    /// Groups whose calls agents answer.
    pub groups: Vec<ResponseGroup>,
    /// Sites, for call admission.
    pub sites: Vec<NetworkSite>,
    /// Links between sites and their room.
    pub links: Vec<NetworkLink>,
    /// The service for credentials of relays.
    pub relay_authentication: Option<RelayAuthentication>,
    /// The user that takes calls for voice mail.
    pub voice_mail: Option<SipUri>,
    /// Whether voice mail that records is there: it takes the calls for voice mail unless a user does.
    pub mailboxes: bool,
    /// Conferences that are there from the start and stay.
    pub conferences: Vec<StandingConference>,
    /// The way to numbers that no user has.
    pub trunk: Option<Trunk>,
    /// Ways to misbehave.
    pub faults: Vec<Fault>,
}

impl FrontEndConfig {
    /// A front end of `domain` with the values of a Lync 2013 server.
    ///
    /// MS-SIPREGE 3.2
    pub fn new(host_name: &str, domain: &str) -> Self {
        Self {
            host_name: host_name.to_owned(),
            port: 5061,
            tls: true,
            domain: domain.to_ascii_lowercase(),
            users: Vec::new(),
            trusted: Vec::new(),
            trusted_addresses: Vec::new(),
            default_expires: Duration::from_mins(10),
            maximum_expires: Duration::from_hours(2),
            keep_alive_timeout: Duration::from_mins(5),
            ring_timeout: Duration::from_mins(3),
            request_timeout: Duration::from_secs(32),
            dialling: Dialling::default(),
            server: "RTC/5.0".to_owned(),
            provisioning: Provisioning::default(),
            new_users: NewUsers::LoggedOnBefore,
            authentication_version: ProtocolVersion::V4,
            tls_dsk: None,
            wall_clock: UNIX_EPOCH,
            role: Role::Pool,
            survivable: false,
            maximum_endpoints: 8,
            groups: Vec::new(),
            sites: Vec::new(),
            links: Vec::new(),
            relay_authentication: None,
            voice_mail: None,
            mailboxes: false,
            conferences: Vec::new(),
            trunk: None,
            faults: Vec::new(),
        }
    }

    /// Reads the file of users: lines `sip:u@d DOMAIN\user password [tel]`; `#` begins a comment.
    ///
    /// README.md, section "Front end"
    pub fn users_of(text: &str) -> Result<Vec<FrontEndUser>, UsersFileError> {
        let mut users = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            users.push(user(line).map_err(|what| UsersFileError { line: at + 1, what })?);
        }
        Ok(users)
    }
}

/// A line of the users file that cannot be read.
///
/// README.md, section "Front end"
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the users file: {what}")]
pub struct UsersFileError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

fn user(line: &str) -> Result<FrontEndUser, &'static str> {
    let mut words = line.split_whitespace();
    let uri = words.next().unwrap_or_default();
    let uri =
        SipUri::parse(uri).map_err(|_| "the first word is not a SIP URI such as sip:alice@example.net")?;
    if uri.user().is_none() {
        return Err("the SIP URI has no user part");
    }
    let account = words.next().ok_or("the account DOMAIN\\user is missing")?;
    let (domain, account) = account.split_once('\\').ok_or("the account is not of the form DOMAIN\\user")?;
    let password = words.next().ok_or("the password is missing")?;
    let tel = words.next().map(|tel| tel.strip_prefix("tel:").unwrap_or(tel).to_owned());
    if words.next().is_some() {
        return Err("there are more words than `sip:u@d DOMAIN\\user password [tel]`");
    }
    Ok(FrontEndUser {
        uri,
        domain: domain.to_owned(),
        account: account.to_owned(),
        password: Password(password.to_owned()),
        tel,
        display_name: None,
        homes: None,
        calls: CallSettings::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_uri_account_password_and_perhaps_a_line() {
        let users = FrontEndConfig::users_of(
            "# users\n\nsip:alice@example.net EXAMPLE\\alice secret +14255550100\nsip:bob@example.net EXAMPLE\\bob pw\n",
        )
        .expect("both lines are right");
        let [alice, bob] = users.as_slice() else { panic!("two users, not {}", users.len()) };
        assert_eq!(alice.uri.to_string(), "sip:alice@example.net");
        assert_eq!((alice.domain.as_str(), alice.account.as_str()), ("EXAMPLE", "alice"));
        assert_eq!(alice.tel.as_deref(), Some("+14255550100"));
        assert_eq!(bob.tel, None);
        assert!(!format!("{alice:?}").contains("secret"));
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        for (text, line) in [
            ("sip:alice@example.net", 1),
            ("\nalice E\\a p", 2),
            ("sip:a@b E/a p", 1),
            ("sip:a@b E\\a p 1 2", 1),
        ] {
            assert_eq!(FrontEndConfig::users_of(text).expect_err(text).line, line, "{text}");
        }
    }
}
