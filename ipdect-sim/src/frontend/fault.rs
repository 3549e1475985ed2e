//! Faults: ways to misbehave on purpose, each of which a client must survive.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// A way to misbehave on purpose.
///
/// README.md, section "Faults"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `drop[=METHOD]`: the connection is closed instead of answering a request of this method.
    Drop(String),
    /// `late[=SECONDS]`: everything is sent so much later.
    Late(Duration),
    /// `503[=METHOD]`, `504[=METHOD]`, `430[=METHOD]`, `481[=METHOD]`: requests of this method are refused; 430 says how to
    /// recover.
    Refuse(u16, String),
    /// `wrong-signature`: signatures of the front end are wrong.
    WrongSignature,
    /// `stale-nonce[=METHOD]`: signed requests of this method are challenged again, as if the login was forgotten.
    StaleNonce(String),
    /// `conflict`: publications are refused with 409 and a version that somebody else has published.
    Conflict,
    /// `deregister[=SECONDS]`: endpoints are told so long after they registered that they are registered no longer.
    Deregister(Duration),
    /// `redirect-loop`: whoever registers is sent to where it is.
    RedirectLoop,
    /// `half-open[=SECONDS]`: so long after a connection came up nothing is heard or said on it any more; it stays open.
    HalfOpen(Duration),
    /// `slow-reader[=OCTETS]`: so many octets a second are read of each connection.
    SlowReader(u32),
    /// `certificate=CERT,KEY`: the listener shows this certificate, for example one that has expired or has another name.
    Certificate(String, String),
    /// `foreign-certificate`: the certificates for TLS-DSK are of an authority that the front end does not believe.
    ForeignCertificate,
    /// `restart[=SECONDS]`: after that time everything is forgotten and all connections are closed.
    Restart(Duration),
}

impl Fault {
    /// Whether it is about requests of this method.
    pub(super) fn concerns(&self, method: &str) -> bool {
        match self {
            Self::Drop(wanted) | Self::Refuse(_, wanted) | Self::StaleNonce(wanted) => {
                wanted.eq_ignore_ascii_case(method)
            }
            Self::Late(_)
            | Self::WrongSignature
            | Self::Conflict
            | Self::Deregister(_)
            | Self::RedirectLoop
            | Self::HalfOpen(_)
            | Self::SlowReader(_)
            | Self::Certificate(..)
            | Self::ForeignCertificate
            | Self::Restart(_) => false,
        }
    }
}

/// A fault that does not exist, or has a value that it cannot have.
///
/// README.md, section "Faults"
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fault: {NAMES}")]
pub struct UnknownFault(pub String);

const NAMES: &str = "drop[=METHOD], late[=SECONDS], 503|504|430|481[=METHOD], wrong-signature, stale-nonce[=METHOD], conflict, \
    deregister[=SECONDS], redirect-loop, half-open[=SECONDS], slow-reader[=OCTETS], certificate=CERT,KEY, \
    foreign-certificate, restart[=SECONDS]";

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let method = || value.unwrap_or("INVITE").to_ascii_uppercase();
        let seconds = |usual: u64| match value {
            None => Ok(Duration::from_secs(usual)),
            Some(value) => value
                .parse::<f64>()
                .ok()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(unknown),
        };
        Ok(match (name, value) {
            ("drop", _) => Self::Drop(method()),
            ("late", _) => Self::Late(seconds(5)?),
            ("503" | "504" | "430" | "481", _) => {
                Self::Refuse(name.parse().map_err(|_| unknown())?, method())
            }
            ("wrong-signature", None) => Self::WrongSignature,
            ("stale-nonce", _) => Self::StaleNonce(method()),
            ("conflict", None) => Self::Conflict,
            ("deregister", _) => Self::Deregister(seconds(5)?),
            ("redirect-loop", None) => Self::RedirectLoop,
            ("half-open", _) => Self::HalfOpen(seconds(5)?),
            ("slow-reader", _) => {
                let octets = value.unwrap_or("100").parse().map_err(|_| unknown())?;
                if octets == 0 {
                    return Err(unknown());
                }
                Self::SlowReader(octets)
            }
            ("certificate", Some(files)) => {
                let (certificate, key) = files.split_once(',').ok_or_else(unknown)?;
                Self::Certificate(certificate.to_owned(), key.to_owned())
            }
            ("foreign-certificate", None) => Self::ForeignCertificate,
            ("restart", _) => Self::Restart(seconds(5)?),
            _ => return Err(unknown()),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(method) => write!(f, "drop={method}"),
            Self::Late(time) => write!(f, "late={}", time.as_secs_f64()),
            Self::Refuse(status, method) => write!(f, "{status}={method}"),
            Self::WrongSignature => f.write_str("wrong-signature"),
            Self::StaleNonce(method) => write!(f, "stale-nonce={method}"),
            Self::Conflict => f.write_str("conflict"),
            Self::Deregister(time) => write!(f, "deregister={}", time.as_secs_f64()),
            Self::RedirectLoop => f.write_str("redirect-loop"),
            Self::HalfOpen(time) => write!(f, "half-open={}", time.as_secs_f64()),
            Self::SlowReader(octets) => write!(f, "slow-reader={octets}"),
            Self::Certificate(certificate, key) => write!(f, "certificate={certificate},{key}"),
            Self::ForeignCertificate => f.write_str("foreign-certificate"),
            Self::Restart(time) => write!(f, "restart={}", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_as_it_is_written() {
        for text in [
            "drop=INVITE",
            "late=2.5",
            "503=REGISTER",
            "504=INVITE",
            "430=BYE",
            "wrong-signature",
            "stale-nonce=INVITE",
            "conflict",
            "deregister=5",
            "redirect-loop",
            "half-open=5",
            "slow-reader=100",
            "certificate=old.pem,old.key",
            "foreign-certificate",
            "restart=30",
        ] {
            let fault: Fault = text.parse().expect(text);
            assert_eq!(fault.to_string(), text);
        }
        assert_eq!("503".parse(), Ok(Fault::Refuse(503, "INVITE".to_owned())));
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for text in ["", "explode", "slow-reader=0", "late=-1", "late=soon", "certificate=x", "conflict=2"] {
            assert_eq!(text.parse::<Fault>(), Err(UnknownFault(text.to_owned())), "{text}");
        }
    }
}
