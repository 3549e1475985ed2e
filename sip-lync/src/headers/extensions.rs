//! Typed access to header fields of extensions and to those that only users read.

use core::fmt;

use super::parameters::Parameters;
use super::{HeaderName, Headers, NameAddr, Tokens};
use crate::error::{ParseError, Rule};
use crate::grammar::{self, CALL_ID, Cursor};
use crate::uri::Uri;

/// One value of Accept-Contact or Reject-Contact: the features of a wanted or unwanted endpoint.
///
/// RFC 3841 9.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeatureSet {
    /// The features, and `require` and `explicit`.
    pub parameters: Parameters,
}

impl FeatureSet {
    /// Reads `*` and parameters.
    ///
    /// RFC 3841 10
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        if !cursor.eat(b'*') {
            return Err(cursor.error(Rule::Token));
        }
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { parameters })
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*{}", self.parameters)
    }
}

/// One value of Alert-Info, Call-Info or Error-Info: a URI of any scheme and parameters.
///
/// RFC 3261 20.9
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Information {
    /// Where the information is.
    pub uri: Uri,
    /// What it is for.
    pub parameters: Parameters,
}

impl Information {
    /// Reads a URI in angle brackets and parameters.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let NameAddr { display, uri, parameters } = NameAddr::parse(text)?;
        if !display.is_empty() || !grammar::trim(text).starts_with('<') {
            return Err(ParseError::new(0, Rule::AngleBracket));
        }
        Ok(Self { uri, parameters })
    }
}

impl fmt::Display for Information {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>{}", self.uri, self.parameters)
    }
}

/// Target-Dialog: a dialog that sender and receiver share, which is why the sender may be trusted.
///
/// RFC 4538 7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TargetDialog {
    /// The Call-ID.
    pub call_id: String,
    /// `local-tag`, `remote-tag` and others.
    pub parameters: Parameters,
}

impl TargetDialog {
    /// Reads the value; the tags may be missing.
    ///
    /// RFC 4538 7
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let call_id = cursor.take(CALL_ID).to_owned();
        if call_id.is_empty() {
            return Err(cursor.error(Rule::Token));
        }
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { call_id, parameters })
    }

    /// The tag of who sends this.
    ///
    /// RFC 4538 7
    pub fn local_tag(&self) -> Option<&str> {
        self.parameters.get("local-tag")
    }

    /// The tag of who receives this.
    ///
    /// RFC 4538 7
    pub fn remote_tag(&self) -> Option<&str> {
        self.parameters.get("remote-tag")
    }
}

impl fmt::Display for TargetDialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.call_id, self.parameters)
    }
}

type Typed<T> = Result<Option<T>, ParseError>;

fn word(text: &str) -> Result<String, ParseError> {
    let text = grammar::trim(text);
    if grammar::is_token(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err(ParseError::new(0, Rule::Token))
    }
}

fn seconds(text: &str) -> Result<u32, ParseError> {
    grammar::number(grammar::trim(text))
}

impl Headers {
    /// Every Accept-Contact.
    ///
    /// RFC 3841 9.2
    pub fn accept_contacts(&self) -> Result<Vec<FeatureSet>, ParseError> {
        self.list(&HeaderName::AcceptContact, FeatureSet::parse)
    }

    /// Every Reject-Contact.
    ///
    /// RFC 3841 9.3
    pub fn reject_contacts(&self) -> Result<Vec<FeatureSet>, ParseError> {
        self.list(&HeaderName::RejectContact, FeatureSet::parse)
    }

    /// Request-Disposition, all lines joined.
    ///
    /// RFC 3841 9.1
    pub fn request_disposition(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::RequestDisposition)
    }

    /// Every Alert-Info.
    ///
    /// RFC 3261 20.4
    pub fn alert_info(&self) -> Result<Vec<Information>, ParseError> {
        self.list(&HeaderName::AlertInfo, Information::parse)
    }

    /// Every Call-Info.
    ///
    /// RFC 3261 20.9
    pub fn call_info(&self) -> Result<Vec<Information>, ParseError> {
        self.list(&HeaderName::CallInfo, Information::parse)
    }

    /// Every Error-Info.
    ///
    /// RFC 3261 20.18
    pub fn error_info(&self) -> Result<Vec<Information>, ParseError> {
        self.list(&HeaderName::ErrorInfo, Information::parse)
    }

    /// Content-Encoding, all lines joined.
    ///
    /// RFC 3261 20.12
    pub fn content_encoding(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::ContentEncoding)
    }

    /// Reply-To.
    ///
    /// RFC 3261 20.31
    pub fn reply_to(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::ReplyTo, NameAddr::parse)
    }

    /// Priority: `emergency`, `urgent`, `normal`, `non-urgent` or another token.
    ///
    /// RFC 3261 20.26
    pub fn priority(&self) -> Typed<String> {
        self.one(&HeaderName::Priority, word)
    }

    /// Target-Dialog.
    ///
    /// RFC 4538 7
    pub fn target_dialog(&self) -> Typed<TargetDialog> {
        self.one(&HeaderName::TargetDialog, TargetDialog::parse)
    }

    /// SIP-ETag: the name of a publication.
    ///
    /// RFC 3903 11.3.1
    pub fn sip_etag(&self) -> Typed<String> {
        self.one(&HeaderName::SipETag, word)
    }

    /// SIP-If-Match.
    ///
    /// RFC 3903 11.3.2
    pub fn sip_if_match(&self) -> Typed<String> {
        self.one(&HeaderName::SipIfMatch, word)
    }

    /// Suppress-If-Match: an entity tag, or `*`.
    ///
    /// RFC 5839 6
    pub fn suppress_if_match(&self) -> Typed<String> {
        self.one(&HeaderName::SuppressIfMatch, word)
    }

    /// Flow-Timer in seconds.
    ///
    /// RFC 5626 11.6
    pub fn flow_timer(&self) -> Typed<u32> {
        self.one(&HeaderName::FlowTimer, seconds)
    }

    /// Every P-Associated-URI in order.
    ///
    /// RFC 7315 4.1
    pub fn associated_uris(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.list(&HeaderName::PAssociatedUri, NameAddr::parse)
    }

    /// The registrar a Lync server wants to be used instead.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn preferred_registrar(&self) -> Typed<NameAddr> {
        self.one(&HeaderName::PPreferredRegistrar, NameAddr::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_and_information_are_read_and_written() {
        let set = FeatureSet::parse("* ; audio ; require;methods=\"INVITE,BYE\"").unwrap();
        assert_eq!(set.to_string(), "*;audio;require;methods=\"INVITE,BYE\"");
        let information = Information::parse("<http://www.example.com/a,b>;purpose=icon").unwrap();
        assert_eq!(information.uri.as_str(), "http://www.example.com/a,b");
        assert_eq!(information.to_string(), "<http://www.example.com/a,b>;purpose=icon");
        for text in ["", "audio", "sip:a", "**", "*,"] {
            assert!(FeatureSet::parse(text).is_err(), "{text}");
        }
        assert!(Information::parse("sip:a@b").is_err() && Information::parse("\"A\" <sip:a@b>").is_err());
    }
}
