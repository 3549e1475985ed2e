//! Names of header fields: known ones by number, all others kept as they were sent.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use bytes::Bytes;

use crate::error::{ParseError, Rule};
use crate::grammar;
use crate::headers::lookup::classify;

/// The name of a header field this crate has no name for, as it was sent; compared without case.
///
/// RFC 3261 7.3.1
#[derive(Clone, Debug)]
pub struct ExtensionName(Bytes);

impl ExtensionName {
    /// The name as it was sent.
    ///
    /// RFC 3261 7.3.1
    pub fn as_str(&self) -> &str {
        // A name is a token and therefore ASCII.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq for ExtensionName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ExtensionName {}

impl Hash for ExtensionName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in &self.0 {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for ExtensionName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ExtensionName {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |name: &Self| name.0.to_ascii_lowercase();
        lower(self).cmp(&lower(other))
    }
}

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident = $long:literal $(, $compact:literal)?;)+) => {
        /// The name of a header field.
        ///
        /// RFC 3261 7.3.1
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum HeaderName {
            $($(#[doc = $doc])+ $name,)+
            /// Any other name.
            Other(ExtensionName),
        }

        #[repr(u8)]
        enum Number { $($name,)+ }

        /// The known names by their number.
        static KNOWN: &[HeaderName] = &[$(HeaderName::$name,)+];

        /// Long and compact form by number.
        pub(super) const FORMS: &[(&str, &str)] = &[$(($long, concat!($($compact)?)),)+];

        impl HeaderName {
            /// The number of a known name, [`UNKNOWN`] of any other.
            #[inline]
            pub(crate) const fn number(&self) -> u8 {
                match self { $(Self::$name => Number::$name as u8,)+ Self::Other(_) => UNKNOWN }
            }
        }
    };
}

/// How many names are known.
pub(crate) const KNOWN_COUNT: usize = FORMS.len();

/// The number of a name that is not known.
pub(crate) const UNKNOWN: u8 = u8::MAX;

names! {
    /// RFC 3261 20.1
    Accept = "Accept";
    /// RFC 3841 9.2
    AcceptContact = "Accept-Contact", "a";
    /// RFC 3261 20.2
    AcceptEncoding = "Accept-Encoding";
    /// RFC 3261 20.3
    AcceptLanguage = "Accept-Language";
    /// RFC 3261 20.4
    AlertInfo = "Alert-Info";
    /// RFC 3261 20.5
    Allow = "Allow";
    /// RFC 6665 8.2.2
    AllowEvents = "Allow-Events", "u";
    /// RFC 3261 20.6
    AuthenticationInfo = "Authentication-Info";
    /// RFC 3261 20.7
    Authorization = "Authorization";
    /// RFC 3261 20.8
    CallId = "Call-ID", "i";
    /// RFC 3261 20.9
    CallInfo = "Call-Info";
    /// MS-SIPCOMP 2.2
    Compression = "Compression";
    /// RFC 3261 20.10
    Contact = "Contact", "m";
    /// RFC 3261 20.11
    ContentDisposition = "Content-Disposition";
    /// RFC 3261 20.12
    ContentEncoding = "Content-Encoding", "e";
    /// RFC 8262 3.1
    ContentId = "Content-ID";
    /// RFC 3261 20.13
    ContentLanguage = "Content-Language";
    /// RFC 3261 20.14
    ContentLength = "Content-Length", "l";
    /// RFC 2045 6
    ContentTransferEncoding = "Content-Transfer-Encoding";
    /// RFC 3261 20.15
    ContentType = "Content-Type", "c";
    /// RFC 3261 20.16
    CSeq = "CSeq";
    /// RFC 3261 20.17
    Date = "Date";
    /// RFC 5806 9.1
    Diversion = "Diversion";
    /// Addresses of the parties of an IM session. MS-SIPRE 2.2
    EndPoints = "EndPoints";
    /// RFC 3261 20.18
    ErrorInfo = "Error-Info";
    /// RFC 6665 8.2.1
    Event = "Event", "o";
    /// RFC 3261 20.19
    Expires = "Expires";
    /// RFC 5626 11.6
    FlowTimer = "Flow-Timer";
    /// RFC 3261 20.20
    From = "From", "f";
    /// RFC 6442 4.1
    Geolocation = "Geolocation";
    /// RFC 7044 5
    HistoryInfo = "History-Info";
    /// RFC 8224 4
    Identity = "Identity", "y";
    /// RFC 3261 20.21
    InReplyTo = "In-Reply-To";
    /// RFC 3911 7.1
    Join = "Join";
    /// RFC 3261 20.22
    MaxForwards = "Max-Forwards";
    /// RFC 3261 20.24
    MimeVersion = "MIME-Version";
    /// RFC 3261 20.23
    MinExpires = "Min-Expires";
    /// RFC 4028 5
    MinSe = "Min-SE";
    /// MS-SIPRE 2.2
    MsAcceptedContentId = "Ms-Accepted-Content-ID";
    /// MS-SIPRE 2.2
    MsCallInfo = "Ms-Call-Info";
    /// MS-SIPRE 2.2
    MsCallSource = "ms-call-source";
    /// Diagnostics made by a client. MS-OCER 2.2.1
    MsClientDiagnostics = "ms-client-diagnostics";
    /// MS-CONVID 2.2
    MsConversationId = "Ms-Conversation-ID";
    /// MS-SIPREGE 2.2.1
    MsDeviceInfo = "Ms-Device-Info";
    /// MS-OCER 2.2.1
    MsDiagnostics = "ms-diagnostics";
    /// Diagnostics that cross the edge of the network. MS-OCER 2.2.1
    MsDiagnosticsPublic = "ms-diagnostics-public";
    /// MS-SIPRE 2.2
    MsEndpointLocationData = "ms-endpoint-location-data";
    /// MS-CONMGMT 2.2.1
    MsKeepAlive = "ms-keep-alive";
    /// MS-PRES 2.2
    MsPiggybackCookie = "ms-piggyback-cookie";
    /// MS-PRES 2.2
    MsPiggybackCSeq = "ms-piggyback-cseq";
    /// MS-SIPRE 2.2
    MsSensitivity = "Ms-Sensitivity";
    /// MS-SIPREGE 2.2.1
    MsSubnet = "ms-subnet";
    /// MS-SIPRE 2.2
    MsTextFormat = "ms-text-format";
    /// MS-SIPREGE 2.2.1
    MsUserLogonData = "ms-user-logon-data";
    /// RFC 3261 20.25
    Organization = "Organization";
    /// MS-SIPRE 2.2
    PAgentOnBehalfOf = "P-Agent-On-Behalf-Of";
    /// RFC 3325 9.1
    PAssertedIdentity = "P-Asserted-Identity";
    /// RFC 7315 4.1
    PAssociatedUri = "P-Associated-URI";
    /// MS-SIPRE 2.2
    PDialogRecoveryAction = "P-Dialog-Recovery-Action";
    /// RFC 3325 9.2
    PPreferredIdentity = "P-Preferred-Identity";
    /// MS-SIPREGE 2.2.1
    PPreferredRegistrar = "P-Preferred-Registrar";
    /// RFC 3327 4
    Path = "Path";
    /// MS-SIPREGE 2.2.1
    PresenceState = "presence-state";
    /// RFC 3261 20.26
    Priority = "Priority";
    /// RFC 3323 4.2
    Privacy = "Privacy";
    /// RFC 3261 20.27
    ProxyAuthenticate = "Proxy-Authenticate";
    /// MS-SIPAE 2.2
    ProxyAuthenticationInfo = "Proxy-Authentication-Info";
    /// RFC 3261 20.28
    ProxyAuthorization = "Proxy-Authorization";
    /// RFC 3261 20.29
    ProxyRequire = "Proxy-Require";
    /// RFC 3262 7.2
    RAck = "RAck";
    /// RFC 3326 2
    Reason = "Reason";
    /// RFC 3261 20.30
    RecordRoute = "Record-Route";
    /// RFC 4488 4
    ReferSub = "Refer-Sub";
    /// RFC 3515 2.1
    ReferTo = "Refer-To", "r";
    /// RFC 3892 3
    ReferredBy = "Referred-By", "b";
    /// RFC 3841 9.3
    RejectContact = "Reject-Contact", "j";
    /// RFC 3891 6.1
    Replaces = "Replaces";
    /// RFC 3261 20.31
    ReplyTo = "Reply-To";
    /// RFC 3841 9.1
    RequestDisposition = "Request-Disposition", "d";
    /// RFC 3261 20.32
    Require = "Require";
    /// RFC 3261 20.33
    RetryAfter = "Retry-After";
    /// MS-SIPRE 2.2
    RosterManager = "Roster-Manager";
    /// RFC 3261 20.34
    Route = "Route";
    /// RFC 3262 7.1
    RSeq = "RSeq";
    /// RFC 3261 20.35
    Server = "Server";
    /// RFC 3608 5
    ServiceRoute = "Service-Route";
    /// RFC 4028 4
    SessionExpires = "Session-Expires", "x";
    /// RFC 3903 11.3.1
    SipETag = "SIP-ETag";
    /// RFC 3903 11.3.2
    SipIfMatch = "SIP-If-Match";
    /// RFC 3261 20.36
    Subject = "Subject", "s";
    /// RFC 6665 8.2.3
    SubscriptionState = "Subscription-State";
    /// RFC 3261 20.37
    Supported = "Supported", "k";
    /// RFC 5839 6
    SuppressIfMatch = "Suppress-If-Match";
    /// RFC 4538 7
    TargetDialog = "Target-Dialog";
    /// RFC 3261 20.38
    Timestamp = "Timestamp";
    /// RFC 3261 20.39
    To = "To", "t";
    /// RFC 3261 20.40
    Unsupported = "Unsupported";
    /// RFC 3261 20.41
    UserAgent = "User-Agent";
    /// RFC 3261 20.42
    Via = "Via", "v";
    /// RFC 3261 20.43
    Warning = "Warning";
    /// RFC 3261 20.44
    WwwAuthenticate = "WWW-Authenticate";
}

impl HeaderName {
    /// Reads a name in its long or compact form.
    ///
    /// RFC 3261 7.3.3
    pub fn parse(name: &str) -> Result<Self, ParseError> {
        if !grammar::is_token(name.as_bytes()) {
            return Err(ParseError::new(0, Rule::HeaderName));
        }
        let number = classify(name.as_bytes());
        Ok(Self::from_number(number)
            .cloned()
            .unwrap_or_else(|| Self::other(Bytes::copy_from_slice(name.as_bytes()))))
    }

    /// The canonical long form; a name that is not known as it was sent.
    ///
    /// RFC 3261 7.3.3
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name.as_str(),
            known => FORMS.get(known.number() as usize).map_or("", |forms| forms.0),
        }
    }

    /// The compact form, where there is one.
    ///
    /// RFC 3261 7.3.3
    pub fn compact(&self) -> Option<&'static str> {
        FORMS.get(self.number() as usize).map(|forms| forms.1).filter(|compact| !compact.is_empty())
    }

    /// Every name this crate knows.
    ///
    /// RFC 3261 20
    pub fn known() -> impl Iterator<Item = &'static Self> {
        KNOWN.iter()
    }

    pub(crate) fn from_number(number: u8) -> Option<&'static Self> {
        KNOWN.get(number as usize)
    }

    pub(crate) const fn other(name: Bytes) -> Self {
        Self::Other(ExtensionName(name))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for HeaderName {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::parse(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_both_forms_and_any_case() {
        for name in HeaderName::known() {
            for form in [name.as_str().to_owned(), name.as_str().to_uppercase(), name.as_str().to_lowercase()]
            {
                assert_eq!(HeaderName::parse(&form).as_ref(), Ok(name));
            }
            if let Some(compact) = name.compact() {
                assert_eq!(HeaderName::parse(compact).as_ref(), Ok(name));
                assert_eq!(HeaderName::parse(&compact.to_uppercase()).as_ref(), Ok(name));
            }
        }
    }

    #[test]
    fn unknown_names_keep_their_letters_and_compare_without_case() {
        let sent = HeaderName::parse("X-Foo").unwrap();
        assert_eq!(sent.as_str(), "X-Foo");
        assert_eq!(sent, HeaderName::parse("x-fOO").unwrap());
        assert_eq!(sent.cmp(&HeaderName::parse("x-foo").unwrap()), Ordering::Equal);
        assert_ne!(sent, HeaderName::parse("X-Fop").unwrap());
        assert!(HeaderName::parse("").is_err() && HeaderName::parse("a b").is_err());
        assert!(matches!(HeaderName::parse("C%6Fntact"), Ok(HeaderName::Other(_))));
    }
}
