//! How URIs are compared by a registrar.

use sip_lync::{SipUri, Uri};

/// `user@domain` in lower case: the key of a user.
pub(super) fn user_key(uri: &SipUri) -> String {
    let user = uri.user().unwrap_or_default().to_ascii_lowercase();
    format!("{user}@{}", uri.host().to_ascii_lowercase())
}

/// What tells one registered contact from another: user, address, and the key the endpoint put into it.
pub(super) type ContactKey = (String, String, Option<u16>, Option<String>);

/// The key of a registered contact.
pub(super) fn contact_key(uri: &SipUri) -> ContactKey {
    (
        uri.user().unwrap_or_default().to_ascii_lowercase(),
        uri.host().to_ascii_lowercase(),
        uri.port(),
        uri.parameter("ms-opaque").map(str::to_owned),
    )
}

/// The token of a user GRUU.
pub(super) fn gruu_token(uri: &SipUri) -> Option<&str> {
    if !uri.is_gruu() {
        return None;
    }
    uri.opaque()?.strip_prefix("user:epid:")
}

/// The digits of a number that is called: from `tel:`, `;user=phone`, or a user part that is a number.
pub(super) fn number(uri: &Uri) -> Option<String> {
    let text = match uri {
        Uri::Tel(tel) => tel.as_str().strip_prefix("tel:").unwrap_or(tel.as_str()).to_owned(),
        Uri::Sip(sip) => {
            let user = sip.decoded_user()?.into_owned();
            let looks = user.starts_with(|first: char| first == '+' || first.is_ascii_digit());
            if !looks {
                return None;
            }
            user
        }
        _ => return None,
    };
    Some(digits(&text))
}

/// The digits and the plus of a number, without parameters and visual separators.
pub(super) fn digits(text: &str) -> String {
    let number = text.split(';').next().unwrap_or_default();
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> SipUri {
        SipUri::parse(text).expect(text)
    }

    #[test]
    fn a_user_is_found_whatever_the_letter_case() {
        assert_eq!(user_key(&sip("sip:Alice@Example.NET;transport=tls")), "alice@example.net");
    }

    #[test]
    fn numbers_come_in_three_forms() {
        for text in
            ["tel:+1-425-555-0100", "sip:+14255550100@example.net;user=phone", "sip:+14255550100@example.net"]
        {
            assert_eq!(number(&Uri::parse(text).expect(text)).as_deref(), Some("+14255550100"), "{text}");
        }
        assert_eq!(
            number(&Uri::parse("sip:9123;phone-context=user-default@example.net;user=phone").expect("a URI"))
                .as_deref(),
            Some("9123")
        );
        assert_eq!(number(&Uri::parse("sip:alice@example.net").expect("a URI")), None);
    }

    #[test]
    fn a_gruu_names_one_endpoint() {
        let uri = sip("sip:alice@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu");
        assert_eq!(gruu_token(&uri), Some("qIIWS2j5AVeD_HxnQdxmlwAA"));
        assert_eq!(gruu_token(&sip("sip:alice@example.net")), None);
    }
}
