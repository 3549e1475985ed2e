//! Mends what was read liberally, so that nothing but the grammar is passed on.

use super::Message;
use crate::headers::{HeaderName, Headers};
use crate::uri::Uri;

impl Message {
    /// Removes header fields that are not needed to process the message and break their grammar, and mends addresses
    /// with three colons. A message without problems is then strict.
    ///
    /// RFC 3261 8.2, RFC 5118 4.10
    pub fn make_strict(&mut self) {
        if let Self::Request(request) = self
            && let Some(mended) = mend(request.uri.as_str())
            && let Ok(uri) = Uri::parse(&mended)
        {
            request.uri = uri;
        }
        let headers = self.headers_mut();
        headers.remove_malformed();
        for name in HeaderName::known().filter(|name| has_addresses(name)) {
            if headers.get_all(name).any(|value| mend(value).is_some()) {
                let mended: Vec<_> = headers
                    .get_all(name)
                    .map(|value| mend(value).unwrap_or_else(|| value.to_owned()))
                    .collect();
                // The lines come to stand together, in the place of the first.
                headers.set(name.clone(), mended.join(", "));
            }
        }
    }
}

const fn has_addresses(name: &HeaderName) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::From
            | HeaderName::To
            | HeaderName::Contact
            | HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::Path
            | HeaderName::ServiceRoute
    )
}

/// The text with two colons where an address has three; `None` if there is nothing to mend.
fn mend(text: &str) -> Option<String> {
    let start = text.find('[')?;
    let colons = start + text.get(start..)?.find(":::")?;
    let end = start + text.get(start..)?.find(']')?;
    if colons > end {
        return None;
    }
    Some(format!("{}{}", text.get(..colons)?, text.get(colons + 1..)?))
}

impl Headers {
    /// Removes the header fields that are typed here, are not needed to process a message and break their grammar; tells
    /// how many lines.
    ///
    /// RFC 3261 8.2
    pub fn remove_malformed(&mut self) -> usize {
        let broken = [
            (HeaderName::Date, self.date().is_err()),
            (HeaderName::Expires, self.expires().is_err()),
            (HeaderName::MinExpires, self.min_expires().is_err()),
            (HeaderName::Supported, self.supported().is_err()),
            (HeaderName::Unsupported, self.unsupported().is_err()),
            (HeaderName::Allow, self.allow().is_err()),
            (HeaderName::AllowEvents, self.allow_events().is_err()),
            (HeaderName::Reason, self.reasons().is_err()),
            (HeaderName::Warning, self.warnings().is_err()),
            (HeaderName::HistoryInfo, self.history_info().is_err()),
            (HeaderName::MsKeepAlive, self.keep_alive().is_err()),
            (HeaderName::PresenceState, self.presence_state().is_err()),
        ];
        broken.iter().filter(|(_, broken)| *broken).map(|(name, _)| self.remove_all(name)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_liberally_is_not_passed_on() {
        let text = concat!(
            "OPTIONS  sip:user@[2001:db8:::192.0.2.1]  SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n",
            "To: <sip:user@[2001:db8:::192.0.2.1]>\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\nX: [a:::b]\r\n",
            "Content-Length: 0\r\n\r\n",
        );
        let mut message = Message::parse(text.into()).unwrap();
        message.make_strict();
        assert_eq!(
            message.to_bytes(),
            concat!(
                "OPTIONS sip:user@[2001:db8::192.0.2.1] SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n",
                "To: <sip:user@[2001:db8::192.0.2.1]>\r\nX: [a:::b]\r\nContent-Length: 0\r\n\r\n",
            )
        );
    }

    #[test]
    fn what_is_strict_is_left_alone() {
        let text = "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP [::1]\r\nDATE : Sat, 13 Nov 2010 23:29:00 GMT\r\nl: 0\r\n\r\n";
        let mut message = Message::parse(text.into()).unwrap();
        message.make_strict();
        assert_eq!(message.to_bytes(), text);
    }
}
