//! What the front end reports; each event is one JSON line.

use serde::Serialize;

/// A connection of the front end, named by whoever opened it.
///
/// Those that the front end asks for have the highest bit set.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FlowId(pub u32);

/// Something that happened at the front end, or that its shell has to do.
///
/// MS-SIPREGE 3.2, MS-PRES 3.3
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// To the shell: open a connection; it is then reported with this flow, opened or closed.
    Dial {
        /// The name of the connection to be.
        flow: FlowId,
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// To the shell: close this connection.
    Close {
        /// The connection.
        flow: FlowId,
        /// Why, in one line.
        reason: String,
    },
    /// To the shell: records of a TLS handshake within SIP; what comes of them is
    /// [`handshake_turn`](super::FrontEnd::handshake_turn)'s.
    Handshake {
        /// Which login.
        opaque: String,
        /// Whether these are its first.
        begins: bool,
        /// The records.
        records: Vec<u8>,
    },
    /// A connection came up.
    Connected {
        /// The connection.
        flow: FlowId,
        /// Its remote address.
        remote: String,
        /// The names of the peer's certificate.
        names: Vec<String>,
        /// Whether the peer is a trusted server.
        trusted: bool,
    },
    /// A connection went.
    Disconnected {
        /// The connection.
        flow: FlowId,
    },
    /// An endpoint logged in: its messages are signed from now on.
    LoggedIn {
        /// The user.
        user: String,
        /// `NTLM` or `TLS-DSK`.
        scheme: &'static str,
        /// The version of MS-SIPAE.
        version: u32,
        /// The connection.
        flow: FlowId,
    },
    /// A login was refused.
    LoginFailed {
        /// The user in From.
        user: String,
        /// Why, in one line.
        why: String,
    },
    /// A message that is not signed, or wrongly, was ignored.
    Unsigned {
        /// The connection.
        flow: FlowId,
        /// What is wrong.
        why: String,
    },
    /// An endpoint registered or refreshed.
    Registered {
        /// The user.
        user: String,
        /// The endpoint's epid.
        epid: Option<String>,
        /// Its GRUU, where it asked for one.
        gruu: Option<String>,
        /// Seconds.
        expires: u64,
        /// Whether the endpoint was known before.
        refreshed: bool,
        /// The connection.
        flow: FlowId,
    },
    /// An endpoint is no longer registered.
    Deregistered {
        /// The user.
        user: String,
        /// The endpoint's epid.
        epid: Option<String>,
        /// `unregistered`, `expired`, `connection-lost`, or why the front end ended it: `removed`, `rejected`, `deactivated`,
        /// `services-away`, `registrar-change`.
        reason: &'static str,
    },
    /// A request was refused by the front end itself.
    Refused {
        /// The method.
        method: String,
        /// From whom.
        from: String,
        /// The status.
        status: u16,
        /// Why, in one line.
        reason: String,
    },
    /// An endpoint was sent to its home server.
    Redirected {
        /// The user.
        user: String,
        /// The servers, best first.
        to: Vec<String>,
    },
    /// A call goes on to somebody else.
    Forwarded {
        /// The Call-ID.
        call_id: String,
        /// To how many endpoints it goes now.
        endpoints: usize,
    },
    /// A fault took effect.
    Fault {
        /// Which.
        fault: String,
        /// On which connection.
        flow: FlowId,
    },
    /// An INVITE that begins a call was forwarded.
    Call {
        /// The Call-ID.
        call_id: String,
        /// From whom.
        from: String,
        /// To whom, as dialled.
        to: String,
        /// To how many endpoints it was sent.
        endpoints: usize,
    },
    /// A call was answered.
    Answered {
        /// The Call-ID.
        call_id: String,
        /// The user whose endpoint answered.
        by: Option<String>,
    },
    /// A call was refused, cancelled or not answered.
    Failed {
        /// The Call-ID.
        call_id: String,
        /// The status that went to the caller.
        status: u16,
    },
    /// A call ended with BYE.
    Ended {
        /// The Call-ID.
        call_id: String,
        /// Who sent BYE.
        by: String,
    },
    /// A publication of presence was stored.
    Presence {
        /// The user.
        user: String,
        /// `machineState`, `phoneState`, `device`, …
        category: String,
        /// The instance number.
        instance: u32,
        /// The container.
        container: u32,
        /// The version that is stored now.
        version: u32,
        /// `availability`, where the publication has one.
        availability: Option<u32>,
        /// `activity` token, where it has one.
        activity: Option<String>,
        /// Whether the publication was removed.
        removed: bool,
    },
    /// A subscription began, was refreshed or ended.
    Subscribed {
        /// The subscriber.
        user: String,
        /// The event package.
        package: &'static str,
        /// How many users it watches.
        watched: usize,
        /// Seconds; 0: ended, or answered once.
        expires: u64,
    },
    /// To the shell: a call for a service of the front end, the mixer or voice mail, comes over this connection.
    Application {
        /// The connection within the program.
        flow: FlowId,
        /// The address of the service, with the conference or the owner of the mail box.
        uri: String,
    },
    /// To the shell: the mixer calls somebody into a conference.
    DialOut {
        /// The conference.
        conference: String,
        /// The address of the mixer.
        mixer: String,
        /// Whom it calls.
        target: String,
    },
    /// To the shell: the mixer ends its calls with a user, or with all.
    PutOut {
        /// The conference.
        conference: String,
        /// The user.
        user: Option<String>,
    },
    /// To the shell: the others hear a user, or no longer.
    Muted {
        /// The conference.
        conference: String,
        /// The user.
        user: String,
        /// Whether it is not heard.
        muted: bool,
    },
    /// A conference was made or is over.
    Conference {
        /// What names it.
        id: String,
        /// Whose it is.
        organizer: String,
        /// Whether it is over.
        over: bool,
    },
    /// The mixer calls somebody.
    Calling {
        /// The conference.
        conference: String,
        /// Whom.
        user: String,
    },
    /// Somebody is in the mix of a conference.
    Joined {
        /// The conference.
        conference: String,
        /// Who.
        user: String,
    },
    /// Somebody is no longer in the mix.
    Left {
        /// The conference.
        conference: String,
        /// Who.
        user: String,
    },
    /// The messages of a mail box changed.
    Messages {
        /// Whose.
        user: String,
        /// How many are new.
        new: u32,
        /// How many were heard.
        old: u32,
    },
    /// A connection sent what is no SIP and will be closed.
    Malformed {
        /// The connection.
        flow: FlowId,
        /// What is wrong.
        error: String,
    },
}
