//! Typed access to the header fields of a message.

use super::{
    AuthenticationInfo, CSeq, Challenge, Contact, ContentDisposition, Credentials, Date, Event, Header,
    HeaderName, Headers, HistoryEntry, MediaType, NameAddr, Privacy, RAck, Reason, Replaces, RetryAfter,
    SessionExpires, SubscriptionState, Tokens, Via, ViaView, Warning,
};
use crate::error::{ParseError, Rule};
use crate::grammar::{self, List};
use crate::headers::replaces::is_call_id;

type Typed<T> = Result<Option<T>, ParseError>;

/// A Call-ID without blanks around it.
pub(crate) fn check_call_id(text: &str) -> Result<&str, ParseError> {
    let text = grammar::trim(text);
    if is_call_id(text) { Ok(text) } else { Err(ParseError::new(0, Rule::Token)) }
}

pub(in crate::headers) fn read<T>(
    header: Header<'_>,
    parse: impl Fn(&str) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    parse(header.value()?).map_err(|error| error.within(header.name()))
}

impl Headers {
    /// The value of a field that occurs once.
    pub(in crate::headers) fn one<T>(
        &self,
        name: &HeaderName,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Typed<T> {
        let mut lines = self.all(name);
        let Some(first) = lines.next() else { return Ok(None) };
        let value = read(first, parse)?;
        if lines.next().is_some() {
            return Err(ParseError::new(0, Rule::Repeated).within(name.clone()));
        }
        Ok(Some(value))
    }

    /// The value of a field that occurs once, where it was received.
    pub(crate) fn check_one<'a, T>(
        &'a self,
        name: &'a HeaderName,
        check: impl Fn(&'a str) -> Result<T, ParseError>,
    ) -> Typed<T> {
        let mut lines = self.all(name);
        let Some(first) = lines.next() else { return Ok(None) };
        let value = check(first.value()?).map_err(|error| error.within(name.clone()))?;
        if lines.next().is_some() {
            return Err(ParseError::new(0, Rule::Repeated).within(name.clone()));
        }
        Ok(Some(value))
    }

    /// Whether all elements of the comma lists of all lines can be read, and how many they are.
    pub(crate) fn check_list<'a, T>(
        &'a self,
        name: &'a HeaderName,
        mut check: impl FnMut(&'a str) -> Result<T, ParseError>,
    ) -> Result<usize, ParseError> {
        let mut count = 0;
        for header in self.all(name) {
            for (at, element) in List::new(header.value()?) {
                check(element).map_err(|error| error.shifted(at).within(name.clone()))?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// The topmost Via where it was received.
    pub(crate) fn top_via(&self) -> Option<ViaView<'_>> {
        let header = self.all(&HeaderName::Via).next()?;
        let (_, element) = List::new(header.value().ok()?).next()?;
        ViaView::parse(element).ok()
    }

    /// The first element of a comma list.
    fn first<T>(&self, name: &HeaderName, parse: impl Fn(&str) -> Result<T, ParseError>) -> Typed<T> {
        let Some(header) = self.all(name).next() else { return Ok(None) };
        let element = |text: &str| {
            let (at, element) = List::new(text).next().ok_or_else(|| ParseError::new(0, Rule::Token))?;
            parse(element).map_err(|error| error.shifted(at))
        };
        read(header, element).map(Some)
    }

    /// All elements of the comma lists of all lines.
    pub(in crate::headers) fn list<T>(
        &self,
        name: &HeaderName,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let mut values = Vec::new();
        for header in self.all(name) {
            for (at, element) in List::new(header.value()?) {
                values.push(parse(element).map_err(|error| error.shifted(at).within(name.clone()))?);
            }
        }
        Ok(values)
    }

    /// One value for each line.
    fn lines<T>(
        &self,
        name: &HeaderName,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        self.all(name).map(|header| read(header, &parse)).collect()
    }

    pub(in crate::headers) fn tokens(&self, name: &HeaderName) -> Result<Tokens, ParseError> {
        let mut tokens = Tokens::new();
        for header in self.all(name) {
            tokens.join(header.value()?).map_err(|error| error.within(name.clone()))?;
        }
        Ok(tokens)
    }

    /// The topmost Via.
    ///
    /// RFC 3261 20.42
    pub fn via(&self) -> Typed<Via> {
        self.first(&HeaderName::Via, Via::parse)
    }

    /// Every Via, topmost first.
    ///
    /// RFC 3261 20.42
    pub fn vias(&self) -> Result<Vec<Via>, ParseError> {
        self.list(&HeaderName::Via, Via::parse)
    }

    /// From.
    ///
    /// RFC 3261 20.20
    pub fn from_(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::From, NameAddr::parse)
    }

    /// To.
    ///
    /// RFC 3261 20.39
    pub fn to(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::To, NameAddr::parse)
    }

    /// Call-ID.
    ///
    /// RFC 3261 20.8
    pub fn call_id(&self) -> Typed<String> {
        self.one(&HeaderName::CallId, |text| check_call_id(text).map(str::to_owned))
    }

    /// CSeq.
    ///
    /// RFC 3261 20.16
    pub fn cseq(&self) -> Typed<CSeq> {
        self.one(&HeaderName::CSeq, CSeq::parse)
    }

    /// The first Contact.
    ///
    /// RFC 3261 20.10
    pub fn contact(&self) -> Typed<Contact> {
        self.first(&HeaderName::Contact, Contact::parse)
    }

    /// Every Contact.
    ///
    /// RFC 3261 20.10
    pub fn contacts(&self) -> Result<Vec<Contact>, ParseError> {
        self.list(&HeaderName::Contact, Contact::parse)
    }

    /// Every Route in order.
    ///
    /// RFC 3261 20.34
    pub fn routes(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::Route, NameAddr::parse)
    }

    /// Every Record-Route in order.
    ///
    /// RFC 3261 20.30
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::RecordRoute, NameAddr::parse)
    }

    /// Every Path in order.
    ///
    /// RFC 3327 4
    pub fn paths(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::Path, NameAddr::parse)
    }

    /// Every Service-Route in order.
    ///
    /// RFC 3608 5
    pub fn service_routes(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::ServiceRoute, NameAddr::parse)
    }

    /// Max-Forwards; what exceeds 32 bits becomes the largest value.
    ///
    /// RFC 3261 20.22
    pub fn max_forwards(&self) -> Typed<u32> {
        self.one(&HeaderName::MaxForwards, |text| grammar::saturating_number(grammar::trim(text)))
    }

    /// Expires; what exceeds 32 bits becomes the largest value.
    ///
    /// RFC 3261 20.19
    pub fn expires(&self) -> Typed<u32> {
        self.one(&HeaderName::Expires, |text| grammar::saturating_number(grammar::trim(text)))
    }

    /// Min-Expires.
    ///
    /// RFC 3261 20.23
    pub fn min_expires(&self) -> Typed<u32> {
        self.one(&HeaderName::MinExpires, |text| grammar::saturating_number(grammar::trim(text)))
    }

    /// Date.
    ///
    /// RFC 3261 20.17
    pub fn date(&self) -> Typed<Date> {
        self.one(&HeaderName::Date, Date::parse)
    }

    /// Content-Length; two that agree count as one.
    ///
    /// RFC 3261 20.14
    pub fn content_length(&self) -> Typed<u32> {
        let mut length = None;
        for header in self.all(&HeaderName::ContentLength) {
            let value = read(header, |text| grammar::number(grammar::trim(text)))?;
            if length.replace(value).is_some_and(|before| before != value) {
                return Err(ParseError::new(0, Rule::Repeated).within(HeaderName::ContentLength));
            }
        }
        Ok(length)
    }

    /// Content-Type.
    ///
    /// RFC 3261 20.15
    pub fn content_type(&self) -> Typed<MediaType> {
        self.one(&HeaderName::ContentType, MediaType::parse)
    }

    /// Whether Content-Type is that of a session description, as it is mostly written.
    pub(crate) fn is_sdp(&self) -> bool {
        let mut lines = self.all(&HeaderName::ContentType).map(|line| line.bytes());
        lines.next().is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/sdp"))
            && lines.next().is_none()
    }

    /// Content-Disposition.
    ///
    /// RFC 3261 20.11
    pub fn content_disposition(&self) -> Typed<ContentDisposition> {
        self.one(&HeaderName::ContentDisposition, ContentDisposition::parse)
    }

    /// The ranges of Accept.
    ///
    /// RFC 3261 20.1
    pub fn accept(&self) -> Result<Vec<MediaType>, ParseError> {
        self.list(&HeaderName::Accept, MediaType::parse)
    }

    /// Supported, all lines joined.
    ///
    /// RFC 3261 20.37
    pub fn supported(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::Supported)
    }

    /// Require, all lines joined.
    ///
    /// RFC 3261 20.32
    pub fn require(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::Require)
    }

    /// Proxy-Require, all lines joined.
    ///
    /// RFC 3261 20.29
    pub fn proxy_require(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::ProxyRequire)
    }

    /// Unsupported, all lines joined.
    ///
    /// RFC 3261 20.40
    pub fn unsupported(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::Unsupported)
    }

    /// Allow, all lines joined.
    ///
    /// RFC 3261 20.5
    pub fn allow(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::Allow)
    }

    /// Allow-Events, all lines joined.
    ///
    /// RFC 6665 8.2.2
    pub fn allow_events(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::AllowEvents)
    }

    /// Event.
    ///
    /// RFC 6665 8.2.1
    pub fn event(&self) -> Typed<Event> {
        self.one(&HeaderName::Event, Event::parse)
    }

    /// Subscription-State.
    ///
    /// RFC 6665 8.2.3
    pub fn subscription_state(&self) -> Typed<SubscriptionState> {
        self.one(&HeaderName::SubscriptionState, SubscriptionState::parse)
    }

    /// Every Reason.
    ///
    /// RFC 3326 2
    pub fn reasons(&self) -> Result<Vec<Reason>, ParseError> {
        self.list(&HeaderName::Reason, Reason::parse)
    }

    /// Every Warning.
    ///
    /// RFC 3261 20.43
    pub fn warnings(&self) -> Result<Vec<Warning>, ParseError> {
        self.list(&HeaderName::Warning, Warning::parse)
    }

    /// Session-Expires.
    ///
    /// RFC 4028 4
    pub fn session_expires(&self) -> Typed<SessionExpires> {
        self.one(&HeaderName::SessionExpires, SessionExpires::parse)
    }

    /// Min-SE, which has the same form without refresher.
    ///
    /// RFC 4028 5
    pub fn min_se(&self) -> Typed<SessionExpires> {
        self.one(&HeaderName::MinSe, SessionExpires::parse)
    }

    /// RSeq.
    ///
    /// RFC 3262 7.1
    pub fn rseq(&self) -> Typed<u32> {
        self.one(&HeaderName::RSeq, |text| grammar::number(grammar::trim(text)))
    }

    /// RAck.
    ///
    /// RFC 3262 7.2
    pub fn rack(&self) -> Typed<RAck> {
        self.one(&HeaderName::RAck, RAck::parse)
    }

    /// Replaces.
    ///
    /// RFC 3891 6.1
    pub fn replaces(&self) -> Typed<Replaces> {
        self.one(&HeaderName::Replaces, Replaces::parse)
    }

    /// Refer-To.
    ///
    /// RFC 3515 2.1
    pub fn refer_to(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::ReferTo, NameAddr::parse)
    }

    /// Referred-By.
    ///
    /// RFC 3892 3
    pub fn referred_by(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::ReferredBy, NameAddr::parse)
    }

    /// The values of P-Asserted-Identity: often a SIP URI and a telephone number in one line.
    ///
    /// RFC 3325 9.1
    pub fn asserted_identities(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::PAssertedIdentity, NameAddr::parse)
    }

    /// The values of P-Preferred-Identity.
    ///
    /// RFC 3325 9.2
    pub fn preferred_identities(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::PPreferredIdentity, NameAddr::parse)
    }

    /// Every History-Info entry in order.
    ///
    /// RFC 7044 5
    pub fn history_info(&self) -> Result<Vec<HistoryEntry>, ParseError> {
        self.list(&HeaderName::HistoryInfo, HistoryEntry::parse)
    }

    /// Every Diversion in order, the latest first.
    ///
    /// RFC 5806 9.1
    pub fn diversions(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::Diversion, NameAddr::parse)
    }

    /// Join, which has the form of Replaces.
    ///
    /// RFC 3911 7.1
    pub fn join(&self) -> Typed<Replaces> {
        self.one(&HeaderName::Join, Replaces::parse)
    }

    /// Privacy.
    ///
    /// RFC 3323 4.2
    pub fn privacy(&self) -> Typed<Privacy> {
        self.one(&HeaderName::Privacy, Privacy::parse)
    }

    /// Retry-After.
    ///
    /// RFC 3261 20.33
    pub fn retry_after(&self) -> Typed<RetryAfter> {
        self.one(&HeaderName::RetryAfter, RetryAfter::parse)
    }

    /// Whether a REFER makes a subscription; `None` when nothing is said, which means yes.
    ///
    /// RFC 4488 4
    pub fn refer_sub(&self) -> Option<bool> {
        let value = self.get(&HeaderName::ReferSub)?;
        let word = value.split(';').next().map(grammar::trim).unwrap_or_default();
        Some(!word.eq_ignore_ascii_case("false"))
    }

    /// Every challenge of WWW-Authenticate and Proxy-Authenticate.
    ///
    /// MS-SIPAE 2.2
    pub fn challenges(&self) -> Result<Vec<Challenge>, ParseError> {
        let mut values = self.lines(&HeaderName::WwwAuthenticate, Challenge::parse)?;
        values.extend(self.lines(&HeaderName::ProxyAuthenticate, Challenge::parse)?);
        Ok(values)
    }

    /// Every value of Authorization and Proxy-Authorization; both mean the same to a Lync server.
    ///
    /// MS-SIPAE 2.2
    pub fn credentials(&self) -> Result<Vec<Credentials>, ParseError> {
        let mut values = self.lines(&HeaderName::Authorization, Credentials::parse)?;
        values.extend(self.lines(&HeaderName::ProxyAuthorization, Credentials::parse)?);
        Ok(values)
    }

    /// Authentication-Info or Proxy-Authentication-Info; also in requests from a server.
    ///
    /// MS-SIPAE 2.2
    pub fn authentication_info(&self) -> Typed<AuthenticationInfo> {
        let first = self.one(&HeaderName::AuthenticationInfo, AuthenticationInfo::parse)?;
        if first.is_some() {
            return Ok(first);
        }
        self.one(&HeaderName::ProxyAuthenticationInfo, AuthenticationInfo::parse)
    }
}
