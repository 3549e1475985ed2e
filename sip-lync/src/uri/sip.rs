//! `sip:` and `sips:` URIs.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::borrow::Cow;

use super::parts::{Parts, Span};
use super::view::SipUriView;
use crate::error::ParseError;
use crate::grammar::{self, URI_PARAMETER, USER};

/// The two schemes.
///
/// RFC 3261 19.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SipScheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
}

/// A SIP URI: its text as it was sent, and where its parts are.
///
/// The text is never rewritten, because servers sign URIs they put into Record-Route. Equality is equality of the
/// text; [`SipUri::equivalent`] is that of the standard.
///
/// RFC 3261 19.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SipUri {
    text: Box<str>,
    parts: Parts,
}

impl SipUri {
    pub(super) const fn from_parts(text: Box<str>, parts: Parts) -> Self {
        Self { text, parts }
    }

    /// Reads a SIP URI.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        SipUriView::parse(text).map(SipUriView::to_value)
    }

    /// `sip:user@host`. What must be escaped in the user part is escaped.
    ///
    /// RFC 3261 19.1.2
    pub fn new(user: Option<&str>, host: &str) -> Result<Self, ParseError> {
        match user {
            Some(user) => Self::parse(&format!("sip:{}@{host}", escape(user, USER))),
            None => Self::parse(&format!("sip:{host}")),
        }
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn optional(&self, span: Span) -> Option<&str> {
        if span == Span::default() { None } else { Some(self.slice(span)) }
    }

    /// The text as it was sent.
    ///
    /// RFC 3261 19.1.1
    pub const fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    ///
    /// RFC 3261 19.1.1
    pub fn scheme(&self) -> SipScheme {
        if self.text.as_bytes().get(3) == Some(&b':') { SipScheme::Sip } else { SipScheme::Sips }
    }

    /// The user part as it was sent, escapes in it.
    ///
    /// RFC 3261 19.1.1
    pub fn user(&self) -> Option<&str> {
        self.optional(self.parts.user)
    }

    /// The user part with escapes undone; bytes that are not UTF-8 become replacement characters.
    ///
    /// RFC 3261 19.1.2
    pub fn decoded_user(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// The password.
    ///
    /// RFC 3261 19.1.1
    pub fn password(&self) -> Option<&str> {
        self.optional(self.parts.password)
    }

    /// The host; an IPv6 address stands in brackets.
    ///
    /// RFC 3261 19.1.1
    pub fn host(&self) -> &str {
        self.slice(self.parts.host)
    }

    /// The host as an address, if it is one.
    ///
    /// RFC 3261 19.1.1
    pub fn address(&self) -> Option<IpAddr> {
        self.host().trim_matches(['[', ']']).parse().ok()
    }

    /// The port, if one was given.
    ///
    /// RFC 3261 19.1.1
    pub const fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// The parameters in order, names and values as they were sent.
    ///
    /// RFC 3261 19.1.1
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.slice(self.parts.parameters).split(';').skip(1).map(|parameter| {
            match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            }
        })
    }

    /// The value of a parameter; empty when it has none.
    ///
    /// RFC 3261 19.1.1
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The headers in order, names and values as they were sent.
    ///
    /// RFC 3261 19.1.1
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.slice(self.parts.headers)
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| header.split_once('=').unwrap_or((header, "")))
    }

    /// The value of a header with escapes undone.
    ///
    /// RFC 3261 19.1.1
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| unescape(value))
    }

    /// Whether it has the `gruu` parameter.
    ///
    /// MS-SIPRE 2.2.3
    pub fn is_gruu(&self) -> bool {
        self.parameter("gruu").is_some() || self.parameter("gr").is_some()
    }

    /// The `opaque` parameter, which tells the endpoint behind a GRUU.
    ///
    /// MS-SIPRE 2.2.3
    pub fn opaque(&self) -> Option<&str> {
        self.parameter("opaque")
    }

    /// Whether the route this URI stands for is loose.
    ///
    /// RFC 3261 19.1.1
    pub fn is_loose_router(&self) -> bool {
        self.parameter("lr").is_some()
    }

    /// Whether the user part is a telephone number.
    ///
    /// RFC 3261 19.1.1
    pub fn is_phone(&self) -> bool {
        self.parameter("user").is_some_and(|value| value.eq_ignore_ascii_case("phone"))
    }

    /// Scheme, user and host alone: the key under which a user is known.
    ///
    /// RFC 3261 10.3
    #[must_use]
    pub fn address_of_record(&self) -> Self {
        let scheme = if self.scheme() == SipScheme::Sip { "sip" } else { "sips" };
        let host = self.host().to_ascii_lowercase();
        let text = match self.user() {
            Some(user) => format!("{scheme}:{user}@{host}"),
            None => format!("{scheme}:{host}"),
        };
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }

    /// The URI with a parameter added or replaced. Characters outside the class are escaped.
    ///
    /// RFC 3261 19.1.1
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: Option<&str>) -> Self {
        let mut parameters = String::new();
        let kept = self.parameters().filter(|(n, _)| !n.eq_ignore_ascii_case(name));
        let added = (escape(name, URI_PARAMETER), value.map(|v| escape(v, URI_PARAMETER)));
        let kept = kept.map(|(n, v)| (n.to_owned(), v.map(str::to_owned)));
        for (name, value) in kept.chain([added]) {
            parameters.push(';');
            parameters.push_str(&name);
            if let Some(value) = value {
                parameters.push('=');
                parameters.push_str(&value);
            }
        }
        self.rebuilt(&parameters, self.optional(self.parts.headers))
    }

    /// The URI without a parameter.
    ///
    /// RFC 3261 19.1.1
    #[must_use]
    pub fn without_parameter(&self, name: &str) -> Self {
        let mut parameters = String::new();
        for (n, value) in self.parameters().filter(|(n, _)| !n.eq_ignore_ascii_case(name)) {
            parameters.push(';');
            parameters.push_str(n);
            if let Some(value) = value {
                parameters.push('=');
                parameters.push_str(value);
            }
        }
        self.rebuilt(&parameters, self.optional(self.parts.headers))
    }

    /// The URI without its headers: what a Request-URI may carry.
    ///
    /// RFC 3261 19.1.5
    #[must_use]
    pub fn without_headers(&self) -> Self {
        self.rebuilt(self.slice(self.parts.parameters), None)
    }

    /// The URI with a port.
    ///
    /// RFC 3261 19.1.1
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let start = self.text.get(..self.parts.host.end as usize).unwrap_or_default();
        let rest = self.text.get(self.parts.host.end as usize..).unwrap_or_default();
        let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
        Self::parse(&format!("{start}:{port}{rest}")).unwrap_or_else(|_| self.clone())
    }

    fn rebuilt(&self, parameters: &str, headers: Option<&str>) -> Self {
        let rest = self.text.get(self.parts.host.end as usize..).unwrap_or_default();
        let port = rest.find([';', '?']).map_or(rest, |end| rest.get(..end).unwrap_or_default());
        let start = self.text.get(..self.parts.host.end as usize).unwrap_or_default();
        let text = match headers {
            Some(headers) => format!("{start}{port}{parameters}?{headers}"),
            None => format!("{start}{port}{parameters}"),
        };
        // The parts were valid before and stay so.
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }

    /// Whether the two name the same resource.
    ///
    /// RFC 3261 19.1.4
    pub fn equivalent(&self, other: &Self) -> bool {
        let text = |a: &str, b: &str| unescape(a) == unescape(b);
        let same_user = match (self.user(), other.user()) {
            (Some(a), Some(b)) => text(a, b),
            (None, None) => true,
            _ => false,
        };
        // These count even if only one of the two has them.
        let decisive = ["user", "ttl", "method", "maddr", "transport"];
        let covers = |a: &Self, b: &Self| {
            a.parameters().all(|(name, value)| match b.parameter(name) {
                Some(v) => unescape(value.unwrap_or_default()).eq_ignore_ascii_case(&unescape(v)),
                None => !decisive.iter().any(|d| d.eq_ignore_ascii_case(name)),
            })
        };
        let headers = |a: &Self, b: &Self| {
            a.headers()
                .all(|(name, value)| b.headers().any(|(n, v)| n.eq_ignore_ascii_case(name) && text(value, v)))
        };
        self.scheme() == other.scheme()
            && same_user
            && self.password() == other.password()
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
            && covers(self, other)
            && covers(other, self)
            && headers(self, other)
            && headers(other, self)
    }
}

/// Undoes the escapes of a URI component.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&b, rest)) = bytes.split_first() {
        let digit = |i: usize| rest.get(i).and_then(|&d| char::from(d).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (b, digit(0), digit(1)) {
            out.push((high * 16 + low) as u8);
            bytes = rest.get(2..).unwrap_or_default();
        } else {
            out.push(b);
            bytes = rest;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Escapes what is not of the class.
pub(crate) fn escape(text: &str, class: u8) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if grammar::is(b, class) && !matches!(b, b'%' | b'#' | b'@' | b'=') {
            out.push(char::from(b));
        } else {
            let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(b >> 4), digit(b & 15)]);
        }
    }
    out
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for SipUri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rule;

    fn uri(text: &str) -> SipUri {
        SipUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn parts_are_found_and_the_text_is_kept() {
        let text = "SIP:alice;x=y:se%20cret@Example.NET:05061;transport=TLS;lr;opaque=user:epid:qIIW-_AA;gruu?Subject=a%20b&X=";
        let value = uri(text);
        assert_eq!(value.to_string(), text);
        assert_eq!((value.user(), value.password()), (Some("alice;x=y"), Some("se%20cret")));
        assert_eq!((value.host(), value.port()), ("Example.NET", Some(5061)));
        assert_eq!((value.parameter("TRANSPORT"), value.parameter("lr")), (Some("TLS"), Some("")));
        assert_eq!(value.header("subject").as_deref(), Some("a b"));
        assert!(value.is_gruu() && value.is_loose_router());
        assert_eq!(value.opaque(), Some("user:epid:qIIW-_AA"));
        assert_eq!(value.address_of_record().as_str(), "sip:alice;x=y@example.net");
    }

    #[test]
    fn strange_but_legal_users_are_taken() {
        let text = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com";
        assert_eq!(uri(text).host(), "example.com");
        assert_eq!(
            uri("sip:+1425;ext=12;phone-context=dialstring@example.net;user=phone").parameter("user"),
            Some("phone")
        );
        assert_eq!(uri("sip:[2001:db8::9:1]:5060").address(), "2001:db8::9:1".parse().ok());
        assert_eq!(uri("sip:192.0.2.1").address(), "192.0.2.1".parse().ok());
    }

    #[test]
    fn broken_uris_are_refused_where_they_break() {
        for (text, at, rule) in [
            ("sip:", 4, Rule::Host),
            ("sip:@b", 4, Rule::UserPart),
            ("sip:a b@c", 5, Rule::UserPart),
            ("sip:a%4@c", 5, Rule::Escape),
            ("sip:a@b:x", 8, Rule::Port),
            ("sip:a@b:65536", 8, Rule::Port),
            ("sip:a@b;", 8, Rule::UriParameter),
            ("sip:a@b;;lr", 8, Rule::UriParameter),
            ("sip:a@b; lr", 8, Rule::UriParameter),
            ("sip:a@b?", 8, Rule::UriHeader),
            ("sip:a@[::1", 10, Rule::Host),
            ("sip:a@[zz]", 7, Rule::Host),
            ("sip:2001:db8::10", 9, Rule::Port),
            ("sip:a@b>", 7, Rule::Host),
            ("http://a", 0, Rule::Scheme),
        ] {
            assert_eq!(SipUri::parse(text), Err(ParseError::new(at, rule)), "{text}");
        }
    }

    #[test]
    fn equivalence_is_that_of_the_standard() {
        for (a, b, same) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
                true,
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
                true,
            ),
            ("sip:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
            ("sip:a@b;gruu;opaque=x", "sip:a@b;opaque=x;gruu", true),
            ("sip:a@b", "sips:a@b", false),
        ] {
            assert_eq!(uri(a).equivalent(&uri(b)), same, "{a} {b}");
            assert_eq!(uri(b).equivalent(&uri(a)), same, "{b} {a}");
        }
    }

    #[test]
    fn parts_are_added_and_removed() {
        let value = uri("sip:a@b:5061;transport=tls?X=y");
        assert_eq!(value.with_parameter("lr", None).as_str(), "sip:a@b:5061;transport=tls;lr?X=y");
        assert_eq!(
            value.with_parameter("transport", Some("a;b")).as_str(),
            "sip:a@b:5061;transport=a%3Bb?X=y"
        );
        assert_eq!(value.without_parameter("transport").as_str(), "sip:a@b:5061?X=y");
        assert_eq!(value.without_headers().as_str(), "sip:a@b:5061;transport=tls");
        assert_eq!(value.with_port(5062).as_str(), "sip:a@b:5062;transport=tls?X=y");
        assert_eq!(uri("sip:[::1];lr").with_port(1).as_str(), "sip:[::1]:1;lr");
        assert_eq!(SipUri::new(Some("a b@c"), "d").map(|u| u.to_string()).as_deref(), Ok("sip:a%20b%40c@d"));
        assert!(SipUri::new(None, "a b").is_err());
    }
}
