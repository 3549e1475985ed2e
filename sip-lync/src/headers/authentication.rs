//! Challenges, credentials and authentication information: scheme and parameters, no cryptography.

use core::fmt;
use std::borrow::Cow;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};

/// `name=value` pairs with commas between them; a set, because servers write them in any order.
///
/// MS-SIPAE 2.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthenticationParameters(Vec<(String, String)>);

impl AuthenticationParameters {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        let mut parameters = Vec::new();
        loop {
            cursor.skip_blanks();
            let name = cursor.token()?.to_owned();
            cursor.expect(b'=', Rule::Parameter)?;
            let value = cursor.parameter_value()?.to_owned();
            parameters.push((name, value));
            if !cursor.eat(b',') {
                break;
            }
        }
        cursor.finish()?;
        Ok(Self(parameters))
    }

    /// Names and values in order, values as they were sent.
    ///
    /// RFC 3261 25.1
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a parameter without its quotes.
    ///
    /// RFC 3261 25.1
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| grammar::unquote(value))
    }

    /// Adds a parameter with a quoted value.
    ///
    /// RFC 3261 25.1
    pub fn push_quoted(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), grammar::quoted(value)));
    }

    /// Adds a parameter with a token as its value.
    ///
    /// RFC 3261 25.1
    pub fn push(&mut self, name: &str, value: &str) {
        debug_assert!(grammar::is_token(value.as_bytes()), "value {value:?}");
        self.0.push((name.to_owned(), value.to_owned()));
    }
}

impl fmt::Display for AuthenticationParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

macro_rules! scheme_and_parameters {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            /// `NTLM`, `Kerberos`, `TLS-DSK`, `Digest` or another.
            pub scheme: String,
            /// The parameters.
            pub parameters: AuthenticationParameters,
        }

        impl $name {
            /// A scheme without parameters.
            ///
            /// MS-SIPAE 2.2
            pub fn new(scheme: &str) -> Self {
                Self { scheme: scheme.to_owned(), parameters: AuthenticationParameters::default() }
            }

            /// The same with one more quoted parameter.
            ///
            /// MS-SIPAE 2.2
            #[must_use]
            pub fn with(mut self, name: &str, value: &str) -> Self {
                self.parameters.push_quoted(name, value);
                self
            }

            /// Reads the value of one header line.
            ///
            /// RFC 3261 25.1
            pub fn parse(text: &str) -> Result<Self, ParseError> {
                let mut cursor = Cursor::new(text);
                cursor.skip_blanks();
                let scheme = cursor.token()?.to_owned();
                cursor.skip_blanks();
                if cursor.is_end() {
                    return Ok(Self { scheme, parameters: AuthenticationParameters::default() });
                }
                Ok(Self { scheme, parameters: AuthenticationParameters::read(&mut cursor)? })
            }

            /// Whether the scheme is this one.
            ///
            /// RFC 3261 22.1
            pub fn is(&self, scheme: &str) -> bool {
                self.scheme.eq_ignore_ascii_case(scheme)
            }

            /// A parameter without its quotes.
            ///
            /// MS-SIPAE 2.2
            pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
                self.parameters.get(name)
            }

            /// The protection space.
            ///
            /// MS-SIPAE 2.2
            pub fn realm(&self) -> Option<Cow<'_, str>> {
                self.get("realm")
            }

            /// The server that owns the security association.
            ///
            /// MS-SIPAE 2.2
            pub fn target_name(&self) -> Option<Cow<'_, str>> {
                self.get("targetname")
            }

            /// The name of the security association.
            ///
            /// MS-SIPAE 2.2
            pub fn opaque(&self) -> Option<Cow<'_, str>> {
                self.get("opaque")
            }

            /// The version of the protocol.
            ///
            /// MS-SIPAE 2.2
            pub fn version(&self) -> Option<u32> {
                self.get("version").and_then(|text| text.parse().ok())
            }

            /// The token of the security mechanism, base64.
            ///
            /// MS-SIPAE 2.2
            pub fn gssapi_data(&self) -> Option<Cow<'_, str>> {
                self.get("gssapi-data")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.scheme, self.parameters)
            }
        }
    };
}

scheme_and_parameters! {
    /// WWW-Authenticate and Proxy-Authenticate.
    ///
    /// MS-SIPAE 2.2
    Challenge
}

scheme_and_parameters! {
    /// Authorization and Proxy-Authorization.
    ///
    /// MS-SIPAE 2.2
    Credentials
}

/// Authentication-Info and Proxy-Authentication-Info. Lync starts it with the scheme, RFC 3261 has none.
///
/// MS-SIPAE 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthenticationInfo {
    /// The scheme, if there is one.
    pub scheme: Option<String>,
    /// The parameters.
    pub parameters: AuthenticationParameters,
}

impl AuthenticationInfo {
    /// Reads the value.
    ///
    /// MS-SIPAE 2.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let before = cursor.clone();
        let word = cursor.token()?;
        if cursor.eat(b'=') {
            cursor = before;
            return Ok(Self { scheme: None, parameters: AuthenticationParameters::read(&mut cursor)? });
        }
        let scheme = Some(word.to_owned());
        Ok(Self { scheme, parameters: AuthenticationParameters::read(&mut cursor)? })
    }

    /// A parameter without its quotes.
    ///
    /// MS-SIPAE 2.2
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.get(name)
    }
}

impl fmt::Display for AuthenticationInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme} ")?;
        }
        self.parameters.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_parameters_does_not_matter() {
        let a = Challenge::parse(
            "NTLM realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", version=4",
        )
        .unwrap();
        let b = Challenge::parse(
            "ntlm version=4,targetname=\"fe1.example.net\" , realm=\"SIP Communications Service\"",
        )
        .unwrap();
        for challenge in [&a, &b] {
            assert!(challenge.is("NTLM"));
            assert_eq!(challenge.realm().as_deref(), Some("SIP Communications Service"));
            assert_eq!(
                (challenge.target_name().as_deref(), challenge.version()),
                (Some("fe1.example.net"), Some(4))
            );
        }
        assert_eq!(Challenge::parse(&a.to_string()), Ok(a));
    }

    #[test]
    fn empty_data_and_unknown_schemes_are_kept() {
        let value = Credentials::parse("NTLM qop=\"auth\", gssapi-data=\"\", version=4").unwrap();
        assert_eq!(value.gssapi_data().as_deref(), Some(""));
        let value = Credentials::parse("NoOneKnowsThisScheme opaque-data=here").unwrap();
        assert_eq!(value.get("opaque-data").as_deref(), Some("here"));
        for text in ["", "NTLM realm", "NTLM realm=", "NTLM realm=\"a", "NTLM realm=\"a\" x", "NTLM a=b,"] {
            assert!(Credentials::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn information_has_a_scheme_or_not() {
        let lync = AuthenticationInfo::parse("NTLM rspauth=\"01\", srand=\"4E\", snum=\"1\"").unwrap();
        assert_eq!((lync.scheme.as_deref(), lync.get("SNUM").as_deref()), (Some("NTLM"), Some("1")));
        let digest = AuthenticationInfo::parse("nextnonce=\"47364c23432d2e131a5fb210812c\"").unwrap();
        assert_eq!(digest.scheme, None);
    }
}
