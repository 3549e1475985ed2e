//! `application/cccp+xml`: what is asked of a conference and what it answers.
//!
//! ```
//! use sip_lync::body::c3p::{Command, Outcome, Request, Response};
//!
//! let focus = "sip:jim@example.net;gruu;opaque=app:conf:focus:id:5D3JHFSS";
//! let add = Command::AddUser { user: "sip:ann@example.net".to_owned(), endpoint: "{7F1A}".to_owned() };
//! let request = Request::new(1, focus, "sip:ann@example.net", add);
//! assert_eq!(Request::parse(request.to_body().as_bytes())?, request);
//! let response = Response::to(&request, Outcome::Success);
//! assert_eq!(Response::parse(response.to_body().as_bytes())?.outcome, Outcome::Success);
//! # Ok::<(), sip_lync::ParseError>(())
//! ```

use super::xml::{Element, Writer, broken};
use crate::error::ParseError;

/// The media type of both.
///
/// MS-CONFBAS 2.2
pub const MEDIA_TYPE: &str = "application/cccp+xml";

const NAMESPACES: &str = " xmlns=\"urn:ietf:params:xml:ns:cccp\" \
                          xmlns:mscp=\"http://schemas.microsoft.com/rtc/2005/08/cccpextensions\" C3PVersion=\"1\"";
const MSCI: &str = " xmlns:msci=\"http://schemas.microsoft.com/rtc/2005/08/confinfoextensions\"";
const CONFERENCE_INFO: &str = " xmlns:ci=\"urn:ietf:params:xml:ns:conference-info\"";

/// What is asked of a conference.
///
/// MS-CONFBAS 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// Make a conference; asked of the focus factory.
    AddConference {
        /// The name that the organizer wants for it.
        id: String,
        /// What it is about.
        subject: Option<String>,
    },
    /// Tell which services conferences have; asked of the focus factory.
    GetConferencingCapabilities,
    /// End the conference.
    DeleteConference,
    /// Tell what is known of the conference.
    GetConference,
    /// Let nobody else in, or everybody again.
    ModifyConferenceLock {
        /// Whether nobody else gets in.
        locked: bool,
    },
    /// Give this user another role.
    ModifyUserRoles {
        /// The address of the user.
        user: String,
        /// `presenter` or `attendee`.
        role: String,
    },
    /// Have the service that mixes call this address, which then takes part.
    DialOut {
        /// The address that is called.
        user: String,
        /// A name for its endpoint.
        endpoint: String,
    },
    /// Let this user take part, as an attendee.
    AddUser {
        /// The address of the user.
        user: String,
        /// A name for its endpoint, usually a GUID in braces.
        endpoint: String,
    },
    /// Put this user out.
    DeleteUser {
        /// The address of the user.
        user: String,
    },
    /// Send or do not send the audio of an endpoint to the others: mute.
    ModifyEndpointMedia {
        /// The address of the user.
        user: String,
        /// The endpoint.
        endpoint: String,
        /// The media line, by the number the roster gives it.
        media: String,
        /// Whether it is heard.
        heard: bool,
    },
    /// Something else, by its name.
    Other(String),
}

impl Command {
    fn name(&self) -> &str {
        match self {
            Self::AddConference { .. } => "addConference",
            Self::GetConferencingCapabilities => "getConferencingCapabilities",
            Self::DeleteConference => "deleteConference",
            Self::GetConference => "getConference",
            Self::ModifyConferenceLock { .. } => "modifyConferenceLock",
            Self::ModifyUserRoles { .. } => "modifyUserRoles",
            Self::AddUser { .. } | Self::DialOut { .. } => "addUser",
            Self::DeleteUser { .. } => "deleteUser",
            Self::ModifyEndpointMedia { .. } => "modifyEndpointMedia",
            Self::Other(name) => name,
        }
    }
}

/// A request to a conference.
///
/// MS-CONFBAS 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// What names it in the response.
    pub id: u32,
    /// The conference: the address of its focus.
    pub to: String,
    /// Who asks.
    pub from: String,
    /// What.
    pub command: Command,
}

impl Request {
    /// A request.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn new(id: u32, to: &str, from: &str, command: Command) -> Self {
        Self { id, to: to.to_owned(), from: from.to_owned(), command }
    }

    /// The body.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut out = Writer::default();
        out.raw("<request").raw(NAMESPACES);
        out.attribute("to", &self.to).attribute("from", &self.from);
        out.attribute("requestId", &self.id.to_string()).raw(">");
        let name = self.command.name();
        if let Command::Other(_) = self.command {
            // What is not known is not asked.
            return std::mem::take(&mut out.raw("</request>").0);
        }
        out.raw("<").raw(name).raw(">");
        if let Command::AddConference { id, subject } = &self.command {
            out.raw("<ci:conference-info").raw(CONFERENCE_INFO).raw(MSCI).attribute("entity", "");
            out.raw("><ci:conference-description><ci:subject>");
            out.text(subject.as_deref().unwrap_or_default());
            out.raw("</ci:subject><msci:conference-id>").text(id);
            out.raw("</msci:conference-id></ci:conference-description></ci:conference-info></")
                .raw(name)
                .raw("></request>");
            return out.0;
        }
        if self.command == Command::GetConferencingCapabilities {
            out.raw("</").raw(name).raw("></request>");
            return out.0;
        }
        let keys = match self.command {
            Command::DeleteUser { .. } | Command::ModifyUserRoles { .. } => "userKeys",
            _ => "conferenceKeys",
        };
        out.raw("<").raw(keys).attribute("confEntity", &self.to);
        match &self.command {
            Command::AddUser { user, endpoint } => {
                out.raw("/><ci:user").raw(CONFERENCE_INFO).attribute("entity", user);
                out.raw("><ci:roles><ci:entry>attendee</ci:entry></ci:roles><ci:endpoint");
                out.attribute("entity", endpoint).raw("/></ci:user>");
            }
            Command::DialOut { user, endpoint } => {
                out.raw("/><ci:user").raw(CONFERENCE_INFO).attribute("entity", user);
                out.raw("><ci:roles><ci:entry>attendee</ci:entry></ci:roles><ci:endpoint").raw(MSCI);
                out.attribute("entity", endpoint).attribute("msci:session-type", "audio-video");
                out.raw("><ci:joining-method>dialed-out</ci:joining-method></ci:endpoint></ci:user>");
            }
            Command::ModifyConferenceLock { locked } => {
                out.raw("/><locked>").raw(if *locked { "true" } else { "false" }).raw("</locked>");
            }
            Command::ModifyUserRoles { user, role } => {
                out.attribute("userEntity", user).raw("/><ci:user-roles").raw(CONFERENCE_INFO);
                out.raw("><ci:entry>").text(role).raw("</ci:entry></ci:user-roles>");
            }
            Command::DeleteConference | Command::GetConference => {
                out.raw("/>");
            }
            Command::DeleteUser { user } => {
                out.attribute("userEntity", user).raw("/>");
            }
            Command::ModifyEndpointMedia { user, endpoint, media, heard } => {
                out.attribute("userEntity", user).attribute("endpointEntity", endpoint);
                out.attribute("mediaId", media)
                    .raw("/><ci:media")
                    .raw(CONFERENCE_INFO)
                    .attribute("id", media);
                let status = if *heard { "sendrecv" } else { "recvonly" };
                out.raw("><ci:status>").raw(status).raw("</ci:status></ci:media>");
            }
            Command::AddConference { .. } | Command::GetConferencingCapabilities | Command::Other(_) => {}
        }
        out.raw("</").raw(name).raw("></request>");
        out.0
    }

    /// Reads the body.
    ///
    /// MS-CONFBAS 2.2
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let root = Element::parse(body, &["request"])?;
        let command = root.children.first().ok_or_else(|| broken(0))?;
        let keys = command.child("conferenceKeys").or_else(|| command.child("userKeys"));
        let key = |name: &str| keys.and_then(|keys| keys.attribute(name)).unwrap_or_default().to_owned();
        let user = command.child("user");
        let of_user = || user.and_then(|user| user.attribute("entity")).unwrap_or_default().to_owned();
        let endpoint = user.and_then(|user| user.child("endpoint")).and_then(|of| of.attribute("entity"));
        let method = user.and_then(|user| user.child("endpoint")?.value_of("joining-method"));
        let description =
            command.child("conference-info").and_then(|info| info.child("conference-description"));
        let command = match command.name.as_str() {
            "addConference" => Command::AddConference {
                id: description.and_then(|of| of.text_of("conference-id")).unwrap_or_default(),
                subject: description.and_then(|of| of.text_of("subject")),
            },
            "getConferencingCapabilities" => Command::GetConferencingCapabilities,
            "deleteConference" => Command::DeleteConference,
            "getConference" => Command::GetConference,
            "modifyConferenceLock" => {
                Command::ModifyConferenceLock { locked: command.value_of("locked") == Some("true") }
            }
            "modifyUserRoles" => {
                let roles = command.child("user-roles");
                let role = roles.and_then(|roles| roles.text_of("entry"));
                Command::ModifyUserRoles { user: key("userEntity"), role: role.unwrap_or_default() }
            }
            "addUser" if method == Some("dialed-out") => {
                Command::DialOut { user: of_user(), endpoint: endpoint.unwrap_or_default().to_owned() }
            }
            "addUser" => {
                Command::AddUser { user: of_user(), endpoint: endpoint.unwrap_or_default().to_owned() }
            }
            "deleteUser" => Command::DeleteUser { user: key("userEntity") },
            "modifyEndpointMedia" => Command::ModifyEndpointMedia {
                user: key("userEntity"),
                endpoint: key("endpointEntity"),
                media: key("mediaId"),
                heard: command.child("media").and_then(|media| media.value_of("status")) != Some("recvonly"),
            },
            other => Command::Other(other.to_owned()),
        };
        let get = |name: &str| root.attribute(name).unwrap_or_default().to_owned();
        let id = root.attribute("requestId").and_then(|id| id.trim().parse().ok()).unwrap_or(0);
        Ok(Self { id, to: get("to"), from: get("from"), command })
    }
}

/// How a request fared.
///
/// MS-CONFBAS 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is done.
    Success,
    /// It is under way; another response follows.
    Pending,
    /// It is refused.
    Failure,
}

/// The answer of a conference.
///
/// MS-CONFBAS 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Response {
    /// The number of the request.
    pub id: u32,
    /// Who asked.
    pub to: String,
    /// The conference.
    pub from: String,
    /// How it fared.
    pub outcome: Outcome,
    /// The name of the command.
    pub command: String,
    /// Why it is refused, as the conference says it.
    pub reason: Option<String>,
    /// The address of the focus of the conference that was made or asked for.
    pub conference: Option<String>,
    /// The services that conferences have: `audio-video`, `chat`, …
    pub services: Vec<String>,
}

impl Response {
    /// The answer to a request.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn to(request: &Request, outcome: Outcome) -> Self {
        Self {
            id: request.id,
            to: request.from.clone(),
            from: request.to.clone(),
            outcome,
            command: request.command.name().to_owned(),
            reason: None,
            conference: None,
            services: Vec::new(),
        }
    }

    /// The body.
    ///
    /// MS-CONFBAS 2.2
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut out = Writer::default();
        let code = match self.outcome {
            Outcome::Success => "success",
            Outcome::Pending => "pending",
            Outcome::Failure => "failure",
        };
        out.raw("<response").raw(NAMESPACES).attribute("requestId", &self.id.to_string());
        out.attribute("from", &self.from).attribute("to", &self.to).attribute("code", code);
        let known = [
            "addConference",
            "addUser",
            "deleteConference",
            "deleteUser",
            "getConference",
            "getConferencingCapabilities",
            "modifyConferenceLock",
            "modifyEndpointMedia",
            "modifyUserRoles",
        ];
        let known = known.contains(&self.command.as_str());
        if known {
            out.raw("><").raw(&self.command);
            if let Some(reason) = &self.reason {
                out.attribute("reason", reason);
            }
            match &self.conference {
                None if !self.services.is_empty() => {
                    out.raw("><mcu-types>");
                    for service in &self.services {
                        out.raw("<mcuType>").text(service).raw("</mcuType>");
                    }
                    out.raw("</mcu-types></").raw(&self.command).raw("></response>");
                }
                Some(focus) => {
                    out.raw("><ci:conference-info").raw(CONFERENCE_INFO).attribute("entity", focus);
                    out.raw("/></").raw(&self.command).raw("></response>");
                }
                None => {
                    out.raw("/></response>");
                }
            }
        } else {
            out.raw("/>");
        }
        out.0
    }

    /// Reads the body; an unknown code is a failure.
    ///
    /// MS-CONFBAS 2.2
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let root = Element::parse(body, &["response"])?;
        let outcome = match root.attribute("code").ok_or_else(|| broken(0))? {
            "success" => Outcome::Success,
            "pending" => Outcome::Pending,
            _ => Outcome::Failure,
        };
        let get = |name: &str| root.attribute(name).unwrap_or_default().to_owned();
        let command = root.children.first();
        Ok(Self {
            id: root.attribute("requestId").and_then(|id| id.trim().parse().ok()).unwrap_or(0),
            to: get("to"),
            from: get("from"),
            outcome,
            command: command.map_or_else(String::new, |command| command.name.clone()),
            reason: command.and_then(|command| command.attribute("reason")).map(str::to_owned),
            conference: command
                .and_then(|command| command.child("conference-info")?.attribute("entity"))
                .map(str::to_owned),
            services: command
                .and_then(|command| command.child("mcu-types"))
                .into_iter()
                .flat_map(|services| services.all("mcuType"))
                .filter_map(|service| service.value().map(str::to_owned))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_other_clients_are_read() {
        let body = "<?xml version=\"1.0\"?><request xmlns=\"urn:ietf:params:xml:ns:cccp\" C3PVersion=\"1\" to=\"sip:f\" \
            from=\"sip:me\" requestId=\"7\"><addUser xmlns:mscp=\"x\"><conferenceKeys confEntity=\"sip:f\"/>\
            <ci:user xmlns:ci=\"y\" entity=\"sip:me\"><ci:roles><ci:entry>attendee</ci:entry></ci:roles>\
            <ci:endpoint entity=\"{1}\" xmlns:msci=\"z\"/></ci:user></addUser></request>";
        let request = Request::parse(body.as_bytes()).unwrap();
        let add = Command::AddUser { user: "sip:me".to_owned(), endpoint: "{1}".to_owned() };
        assert_eq!(request, Request::new(7, "sip:f", "sip:me", add));
    }

    #[test]
    fn every_command_survives_its_body() {
        for command in [
            Command::AddUser { user: "sip:a&b@c".to_owned(), endpoint: "{<>}".to_owned() },
            Command::DeleteUser { user: "sip:a".to_owned() },
            Command::AddConference { id: "5D3<".to_owned(), subject: Some("a & b".to_owned()) },
            Command::GetConferencingCapabilities,
            Command::DeleteConference,
            Command::GetConference,
            Command::ModifyConferenceLock { locked: true },
            Command::ModifyConferenceLock { locked: false },
            Command::ModifyUserRoles { user: "sip:a".to_owned(), role: "presenter".to_owned() },
            Command::DialOut { user: "sip:+1425@c;user=phone".to_owned(), endpoint: "{2}".to_owned() },
            Command::ModifyEndpointMedia {
                user: "sip:a".to_owned(),
                endpoint: "e".to_owned(),
                media: "1".to_owned(),
                heard: false,
            },
        ] {
            let request = Request::new(3, "sip:f;gruu;opaque=\"q\"", "sip:me", command);
            assert_eq!(Request::parse(request.to_body().as_bytes()).unwrap(), request);
        }
    }

    #[test]
    fn refusals_have_their_reason() {
        let body = "<response requestId=\"1\" C3PVersion=\"1\" from=\"sip:f\" to=\"sip:me\" code=\"failure\">\
            <addUser reason=\"conferenceLocked\"/></response>";
        let response = Response::parse(body.as_bytes()).unwrap();
        assert_eq!(
            (response.outcome, response.reason.as_deref()),
            (Outcome::Failure, Some("conferenceLocked"))
        );
        assert!(Response::parse(b"<response/>").is_err());
        let pending = Response::to(
            &Request::new(2, "f", "m", Command::DeleteUser { user: "u".to_owned() }),
            Outcome::Pending,
        );
        assert_eq!(Response::parse(pending.to_body().as_bytes()).unwrap(), pending);
        let mut made = Response::to(
            &Request::new(2, "f", "m", Command::AddConference { id: "1".to_owned(), subject: None }),
            Outcome::Success,
        );
        made.conference = Some("sip:m@x;gruu;opaque=app:conf:focus:id:1".to_owned());
        assert_eq!(Response::parse(made.to_body().as_bytes()).unwrap(), made);
        let mut able =
            Response::to(&Request::new(2, "f", "m", Command::GetConferencingCapabilities), Outcome::Success);
        able.services = vec!["audio-video".to_owned(), "chat".to_owned()];
        assert_eq!(Response::parse(able.to_body().as_bytes()).unwrap(), able);
    }
}
