//! Status codes of responses and their customary reason phrases.

use core::fmt;

use crate::error::{ParseError, Rule};

/// The status code of a response, 100 to 699.
///
/// RFC 3261 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(u16);

impl StatusCode {
    /// A code from 100 to 699.
    ///
    /// RFC 3261 7.2
    pub const fn new(code: u16) -> Option<Self> {
        if matches!(code, 100..=699) { Some(Self(code)) } else { None }
    }

    /// Reads exactly three digits.
    ///
    /// RFC 3261 7.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        let code = if digits { text.parse().ok() } else { None };
        code.and_then(Self::new).ok_or_else(|| ParseError::new(0, Rule::StatusCode))
    }

    /// The number.
    ///
    /// RFC 3261 7.2
    pub const fn code(self) -> u16 {
        self.0
    }

    /// 1xx: the request was received, a final response follows.
    ///
    /// RFC 3261 7.2
    pub const fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// 2xx to 6xx: ends the transaction.
    ///
    /// RFC 3261 7.2
    pub const fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// 2xx: the request was accepted.
    ///
    /// RFC 3261 7.2
    pub const fn is_success(self) -> bool {
        matches!(self.0, 200..=299)
    }

    /// 3xx: try elsewhere.
    ///
    /// RFC 3261 7.2
    pub const fn is_redirection(self) -> bool {
        matches!(self.0, 300..=399)
    }

    /// 6xx: no other branch may succeed.
    ///
    /// RFC 3261 21.6
    pub const fn is_global_failure(self) -> bool {
        self.0 >= 600
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $reason:literal;)+) => {
        impl StatusCode {
            $($(#[doc = $doc])+ pub const $name: Self = Self($code);)+

            /// The customary reason phrase; empty for a code without one.
            ///
            /// RFC 3261 21
            pub const fn reason(self) -> &'static str {
                match self.0 { $($code => $reason,)+ _ => "" }
            }
        }
    };
}

codes! {
    /// RFC 3261 21.1.1
    TRYING = 100, "Trying";
    /// Progress of routing, without meaning for a user agent. MS-OCER 2.2
    PROGRESS_REPORT = 101, "Progress Report";
    /// RFC 3261 21.1.2
    RINGING = 180, "Ringing";
    /// RFC 3261 21.1.3
    CALL_IS_BEING_FORWARDED = 181, "Call Is Being Forwarded";
    /// RFC 3261 21.1.4
    QUEUED = 182, "Queued";
    /// RFC 3261 21.1.5
    SESSION_PROGRESS = 183, "Session Progress";
    /// RFC 6228 4
    EARLY_DIALOG_TERMINATED = 199, "Early Dialog Terminated";
    /// RFC 3261 21.2.1
    OK = 200, "OK";
    /// RFC 6665 8.3.1
    ACCEPTED = 202, "Accepted";
    /// RFC 5839 4.4
    NO_NOTIFICATION = 204, "No Notification";
    /// RFC 3261 21.3.1
    MULTIPLE_CHOICES = 300, "Multiple Choices";
    /// RFC 3261 21.3.2
    MOVED_PERMANENTLY = 301, "Moved Permanently";
    /// RFC 3261 21.3.3
    MOVED_TEMPORARILY = 302, "Moved Temporarily";
    /// Deflection by an endpoint. MS-SIPRE 3.1
    REDIRECT_TO_ALTERNATE = 303, "Redirect";
    /// RFC 3261 21.3.4
    USE_PROXY = 305, "Use Proxy";
    /// RFC 3261 21.3.5
    ALTERNATIVE_SERVICE = 380, "Alternative Service";
    /// RFC 3261 21.4.1
    BAD_REQUEST = 400, "Bad Request";
    /// RFC 3261 21.4.2
    UNAUTHORIZED = 401, "Unauthorized";
    /// RFC 3261 21.4.3
    PAYMENT_REQUIRED = 402, "Payment Required";
    /// RFC 3261 21.4.4
    FORBIDDEN = 403, "Forbidden";
    /// RFC 3261 21.4.5
    NOT_FOUND = 404, "Not Found";
    /// RFC 3261 21.4.6
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed";
    /// RFC 3261 21.4.7
    NOT_ACCEPTABLE = 406, "Not Acceptable";
    /// RFC 3261 21.4.8
    PROXY_AUTHENTICATION_REQUIRED = 407, "Proxy Authentication Required";
    /// RFC 3261 21.4.9
    REQUEST_TIMEOUT = 408, "Request Timeout";
    /// RFC 3261 21.4.10
    GONE = 410, "Gone";
    /// RFC 3903 11.2.1
    CONDITIONAL_REQUEST_FAILED = 412, "Conditional Request Failed";
    /// RFC 3261 21.4.11
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large";
    /// RFC 3261 21.4.12
    REQUEST_URI_TOO_LONG = 414, "Request-URI Too Long";
    /// RFC 3261 21.4.13
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type";
    /// RFC 3261 21.4.14
    UNSUPPORTED_URI_SCHEME = 416, "Unsupported URI Scheme";
    /// RFC 3261 21.4.15
    BAD_EXTENSION = 420, "Bad Extension";
    /// RFC 3261 21.4.16
    EXTENSION_REQUIRED = 421, "Extension Required";
    /// RFC 4028 6
    SESSION_INTERVAL_TOO_SMALL = 422, "Session Interval Too Small";
    /// RFC 3261 21.4.17
    INTERVAL_TOO_BRIEF = 423, "Interval Too Brief";
    /// RFC 5626 11.5
    FLOW_FAILED = 430, "Flow Failed";
    /// RFC 3261 21.4.18
    TEMPORARILY_UNAVAILABLE = 480, "Temporarily Unavailable";
    /// RFC 3261 21.4.19
    CALL_OR_TRANSACTION_DOES_NOT_EXIST = 481, "Call/Transaction Does Not Exist";
    /// RFC 3261 21.4.20
    LOOP_DETECTED = 482, "Loop Detected";
    /// RFC 3261 21.4.21
    TOO_MANY_HOPS = 483, "Too Many Hops";
    /// RFC 3261 21.4.22
    ADDRESS_INCOMPLETE = 484, "Address Incomplete";
    /// RFC 3261 21.4.23
    AMBIGUOUS = 485, "Ambiguous";
    /// RFC 3261 21.4.24
    BUSY_HERE = 486, "Busy Here";
    /// RFC 3261 21.4.25
    REQUEST_TERMINATED = 487, "Request Terminated";
    /// RFC 3261 21.4.26
    NOT_ACCEPTABLE_HERE = 488, "Not Acceptable Here";
    /// RFC 6665 8.3.2
    BAD_EVENT = 489, "Bad Event";
    /// RFC 3261 21.4.27
    REQUEST_PENDING = 491, "Request Pending";
    /// RFC 3261 21.4.28
    UNDECIPHERABLE = 493, "Undecipherable";
    /// RFC 3261 21.5.1
    SERVER_INTERNAL_ERROR = 500, "Server Internal Error";
    /// RFC 3261 21.5.2
    NOT_IMPLEMENTED = 501, "Not Implemented";
    /// RFC 3261 21.5.3
    BAD_GATEWAY = 502, "Bad Gateway";
    /// RFC 3261 21.5.4
    SERVICE_UNAVAILABLE = 503, "Service Unavailable";
    /// RFC 3261 21.5.5
    SERVER_TIMEOUT = 504, "Server Time-out";
    /// RFC 3261 21.5.6
    VERSION_NOT_SUPPORTED = 505, "Version Not Supported";
    /// RFC 3261 21.5.7
    MESSAGE_TOO_LARGE = 513, "Message Too Large";
    /// RFC 3261 21.6.1
    BUSY_EVERYWHERE = 600, "Busy Everywhere";
    /// RFC 3261 21.6.2
    DECLINE = 603, "Decline";
    /// RFC 3261 21.6.3
    DOES_NOT_EXIST_ANYWHERE = 604, "Does Not Exist Anywhere";
    /// RFC 3261 21.6.4
    NOT_ACCEPTABLE_ANYWHERE = 606, "Not Acceptable";
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_code_has_three_digits() {
        assert_eq!(StatusCode::parse("200"), Ok(StatusCode::OK));
        assert_eq!(StatusCode::parse("699").map(StatusCode::code), Ok(699));
        for text in ["099", "700", "4294967301", "20", "2000", "2x0", "", "+20"] {
            assert!(StatusCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn classes_follow_the_first_digit() {
        assert!(StatusCode::RINGING.is_provisional() && !StatusCode::RINGING.is_final());
        assert!(StatusCode::ACCEPTED.is_success());
        assert!(StatusCode::MOVED_TEMPORARILY.is_redirection());
        assert!(StatusCode::DECLINE.is_global_failure() && !StatusCode::BUSY_HERE.is_global_failure());
        assert_eq!(StatusCode::DECLINE.reason(), "Decline");
        assert_eq!(StatusCode(299).reason(), "");
    }
}
