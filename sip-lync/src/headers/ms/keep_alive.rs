//! ms-keep-alive.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};
use crate::headers::{Parameters, ParametersView};

/// Which end of the connection speaks.
///
/// MS-CONMGMT 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeepAliveRole {
    /// The side that opened the connection.
    Uac,
    /// The side that accepted it.
    Uas,
}

/// What is offered or agreed to keep a connection alive.
///
/// MS-CONMGMT 2.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeepAlive {
    /// Who speaks.
    pub role: KeepAliveRole,
    /// `hop-hop`, `end-end`, `tcp`, `timeout` and others.
    pub parameters: Parameters,
}

impl KeepAlive {
    /// The offer of a client: CR LF CR LF on this hop.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn offer() -> Self {
        let mut parameters = Parameters::new();
        parameters.push("hop-hop", Some("yes"));
        Self { role: KeepAliveRole::Uac, parameters }
    }

    /// The answer of a server with the time after which it closes an idle connection, in seconds.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn answer(timeout: u32) -> Self {
        let mut parameters = Parameters::new();
        for (name, value) in
            [("tcp", "no"), ("hop-hop", "yes"), ("end-end", "no"), ("timeout", &*timeout.to_string())]
        {
            parameters.push(name, Some(value));
        }
        Self { role: KeepAliveRole::Uas, parameters }
    }

    /// Reads the value.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let at = cursor.at();
        let role = match cursor.token()? {
            word if word.eq_ignore_ascii_case("UAC") => KeepAliveRole::Uac,
            word if word.eq_ignore_ascii_case("UAS") => KeepAliveRole::Uas,
            _ => return Err(ParseError::new(at, Rule::Keyword)),
        };
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { role, parameters })
    }

    /// What a value says of CR LF CR LF on this hop and of the time-out; `None` if it cannot be read.
    pub(crate) fn agreed(text: &str) -> Option<(Option<bool>, Option<u32>)> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let role = cursor.token().ok()?;
        if !role.eq_ignore_ascii_case("UAC") && !role.eq_ignore_ascii_case("UAS") {
            return None;
        }
        let parameters = ParametersView::read(&mut cursor).ok()?;
        cursor.finish().ok()?;
        let (mut hop_hop, mut timeout) = (None, None);
        for (name, value) in parameters.iter() {
            if hop_hop.is_none() && name.eq_ignore_ascii_case("hop-hop") {
                hop_hop = value.or(Some(""));
            } else if timeout.is_none() && name.eq_ignore_ascii_case("timeout") {
                timeout = value.or(Some(""));
            }
        }
        let hop_hop = hop_hop.map(|value| value.eq_ignore_ascii_case("yes"));
        Some((hop_hop, timeout.and_then(|text| grammar::saturating_number(text).ok())))
    }

    /// `yes` or `no` of a mechanism; `None` if it is not named.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn mechanism(&self, name: &str) -> Option<bool> {
        self.parameters.get(name).map(|value| value.eq_ignore_ascii_case("yes"))
    }

    /// CR LF CR LF on this hop.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn hop_hop(&self) -> Option<bool> {
        self.mechanism("hop-hop")
    }

    /// OPTIONS from end to end.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn end_end(&self) -> Option<bool> {
        self.mechanism("end-end")
    }

    /// Keep-alive of TCP itself.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn tcp(&self) -> Option<bool> {
        self.mechanism("tcp")
    }

    /// Seconds after which the server closes an idle connection.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn timeout(&self) -> Option<u32> {
        self.parameters.get("timeout").and_then(|text| grammar::saturating_number(text).ok())
    }
}

impl fmt::Display for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            KeepAliveRole::Uac => "UAC",
            KeepAliveRole::Uas => "UAS",
        };
        write!(f, "{role}{}", self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_behind_semicolons_are_taken() {
        let value = KeepAlive::parse("UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300").unwrap();
        assert_eq!(value.role, KeepAliveRole::Uas);
        assert_eq!((value.tcp(), value.hop_hop(), value.end_end()), (Some(false), Some(true), Some(false)));
        assert_eq!(value.timeout(), Some(300));
        assert_eq!(value, KeepAlive::answer(300));
        for text in [
            "UAS; tcp=no; hop-hop=yes; timeout=300",
            "uac;hop-hop;timeout=x",
            "UAC",
            "UAX;tcp=no",
            "",
            "UAC;;",
        ] {
            let value = KeepAlive::parse(text).ok().map(|value| (value.hop_hop(), value.timeout()));
            assert_eq!(KeepAlive::agreed(text), value, "{text}");
        }
        assert_eq!(KeepAlive::offer().to_string(), "UAC;hop-hop=yes");
        assert!(KeepAlive::parse("UAX;tcp=no").is_err() && KeepAlive::parse("").is_err());
    }
}
