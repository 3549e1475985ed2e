//! What Lync, OCS and Skype for Business do otherwise than the standards say, as one table.
//!
//! Each row names what is done, who does it and where it was seen, and what this crate makes of it; `tests/dialect.rs` tries
//! a sample of each. `docs/dialect.md` is written from these rows.

/// One habit.
///
/// docs/dialect.md
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Habit {
    /// What is done.
    pub what: &'static str,
    /// Who does it, and where it was seen; names like lync/08 and sipe/055 are files in `tests/vectors`.
    pub who: &'static str,
    /// What this crate makes of it.
    pub done: &'static str,
}

const fn habit(what: &'static str, who: &'static str, done: &'static str) -> Habit {
    Habit { what, who, done }
}

/// Every habit that is known.
///
/// docs/dialect.md
pub const HABITS: &[Habit] = &[
    habit(
        "Header names in capitals",
        "UCMA: Mediation Server, AV MCU, response groups",
        "names compare without case, are written as they came",
    ),
    habit("`SIP/2.0/tls` in lower case", "UCMA, pidgin-sipe", "transports compare without case"),
    habit(
        "Via without branch",
        "Microsoft clients, pidgin-sipe (sipe/055)",
        "`Via::branch()` is `None`; transactions fall back to the rule of RFC 2543",
    ),
    habit(
        "Content-Length in the middle of the head",
        "front ends (lync/08, sipe/055)",
        "found wherever it is; written again in its place",
    ),
    habit(
        "Via, Record-Route and other fields interleaved",
        "front ends, captured INVITE of Lync 2013 (lync/12)",
        "order of lines is kept; typed lists join lines of one name",
    ),
    habit(
        "`;tag=` and `;ms-rrsig=` outside of the brackets of Record-Route",
        "front ends (lync/16)",
        "they are parameters of the value; the URI inside is kept byte for byte, because `ms-route-sig` signs it",
    ),
    habit("Blanks behind `;` in ms- fields", "front ends, 200 to REGISTER", "taken"),
    habit(
        "No blank between a quoted name and `<`, none behind a comma",
        "clients and front ends, P-Asserted-Identity",
        "taken",
    ),
    habit(
        "Quoted commas, semicolons and equals signs in parameters",
        "clients: `methods=\"INVITE, MESSAGE\"`",
        "lists and parameters respect quotes",
    ),
    habit(
        "ms-diagnostics with any quoted parameters",
        "all servers, in responses and in BYE, CANCEL, NOTIFY",
        "number, reason, source and all parameters are kept",
    ),
    habit(
        "Several Contact lines in a 200 to REGISTER, the UUID in other letters than it was sent",
        "registrar (lync/08)",
        "`contacts()`, `instance_uuid()` in lower case",
    ),
    habit(
        "GRUU as `;opaque=user:epid:…;gruu`, order of the two varies",
        "everywhere (MS-SIPRE 2.2)",
        "`SipUri::is_gruu`, `opaque`, `equivalent`",
    ),
    habit("Colons, `=` and `@` in URI parameters", "front ends: `opaque=state:F:Ci.R2ab00`, base64", "taken"),
    habit("`epid` in From and To", "all clients; servers add it to To", "`NameAddr::epid`"),
    habit("Supported on many lines", "UCCAPI, front ends", "lines joined, option tags compare without case"),
    habit(
        "Authentication-Info with a scheme, also in requests",
        "front ends",
        "scheme optional, both header names accepted",
    ),
    habit(
        "Proxy-Authorization where Authorization belongs",
        "Office Communicator 2007 R2, UCCAPI 15",
        "both mean the same",
    ),
    habit(
        "BENOTIFY: never answered, not even a wrong one",
        "front ends, after `Supported: ms-benotify`",
        "a method of its own; what is wrong with it has no status",
    ),
    habit(
        "SERVICE and NEGOTIATE",
        "clients: publications, MRAS; compression is asked for",
        "SERVICE is a method of its own; NEGOTIATE is answered 405, so that the client goes on without",
    ),
    habit(
        "Presence-State, P-Preferred-Registrar, ms-piggyback-cseq",
        "registrar; front ends that answer SUBSCRIBE",
        "`presence_state`, `preferred_registrar`, `piggyback_cseq`",
    ),
    habit("Reason lists, `ms-acceptedby`", "front ends, CANCEL of a fork that lost", "`reasons()`"),
    habit("`404` with a blank reason, `101 Progress Report`", "servers", "taken"),
    habit("Blanks at the end of candidate lines, behind colons", "Lync 2013, published samples", "trimmed"),
    habit("`a=rtcp:` whose port is not RTP + 1", "relays", "always honoured"),
    habit(
        "`TCP-ACT`, `TCP-PASS`; candidates with their own user names",
        "MS-ICE2; OCS 2007",
        "both forms are read and written",
    ),
    habit(
        "Hold as `a=inactive` and `+sip.rendering=\"no\"` in Contact",
        "clients",
        "`Direction`, `Contact::renders`",
    ),
    habit(
        "Two session descriptions in multipart/alternative, the first marked `ms-proxy-2007fallback` and sometimes broken",
        "Lync 2010/2013; pidgin-sipe, whose marked one lacks `v=` (sipe/055)",
        "the last unmarked one is chosen; a broken marked one is no fault",
    ),
    habit(
        "Invitations to a conference as `application/ms-conf-invite+xml` instead of a session description",
        "Lync clients and conference servers (MS-CONFBAS)",
        "the endpoint refuses them with 488 (inferred), so that other endpoints of the user go on ringing; every other type is 415 by RFC 3261 8.2.3",
    ),
];
