//! Connection failures in words: what is wrong and what to do.

use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error, OtherError};
use rustls_pki_types::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::names::text_of;
use super::verifier::{NotPinned, NotTrusted};

/// One line about a failed handshake or a broken connection.
pub fn io_error(error: &io::Error) -> String {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return tls_error(tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there: check the port, and that the front end service runs".to_owned()
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "the other side broke the connection".to_owned()
        }
        io::ErrorKind::UnexpectedEof => "the other side closed the connection without a word: if it did so during the \
             handshake, it may speak no TLS there, or offer only cipher suites or versions that this server does not have \
             (Windows before 2016 with an RSA certificate: re-issue it as ECDSA P-256)"
            .to_owned(),
        io::ErrorKind::TimedOut => "no answer in time: check the address and the firewall".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no way to that address: check the network".to_owned()
        }
        io::ErrorKind::AddrInUse => "the port is already in use: stop the other program or choose another port".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address: correct it".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "not permitted: ports below 1024 need the right to bind them, choose another one".to_owned()
        }
        _ => error.to_string(),
    }
}

/// One line about a TLS failure.
pub fn tls_error(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate_error(error),
        Error::NoCertificatesPresented => {
            "it showed no certificate: mutual TLS needs one, connect from a front end or a trusted peer"
                .to_owned()
        }
        Error::AlertReceived(alert) => alert_received(*alert),
        Error::PeerIncompatible(why) => format!(
            "the two sides have no TLS version, cipher suite or key exchange in common ({why:?}): Windows before 2016 with an \
             RSA certificate offers none, re-issue it as ECDSA P-256, and TLS 1.2 must be on"
        ),
        Error::InvalidMessage(_) => {
            "what came back is no TLS: check that the port is the TLS port (usually 5061)".to_owned()
        }
        other => other.to_string(),
    }
}

fn alert_received(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => {
            "the other side does not trust the authority of our certificate: import that authority \
             there, or use a certificate of an authority it trusts"
                .to_owned()
        }
        AlertDescription::CertificateExpired => {
            "the other side says that our certificate has expired: renew it, and check its clock".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => format!(
            "the other side refuses our certificate ({alert:?}): its name must be that of the trusted application pool, and its \
             authority must be trusted there"
        ),
        AlertDescription::CertificateRequired => {
            "the other side demands a certificate and got none: name one in tls.certificate".to_owned()
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => format!(
            "the other side found no common cipher suite ({alert:?}): Windows before 2016 with an RSA certificate offers none \
             that this server has, re-issue the front end's certificate as ECDSA P-256"
        ),
        AlertDescription::ProtocolVersion => {
            "the other side speaks only a TLS version older than 1.2: switch TLS 1.2 on there".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "the other side does not go by the name we called: check the proxy's URI".to_owned()
        }
        other => format!("the other side ended TLS with the alert {other:?}"),
    }
}

/// One line about a certificate that was refused.
pub fn certificate_error(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is from an authority that is not trusted here: add the authority's file to tls.ca".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired at {}: renew it, or check this machine's clock", date(*not_after))
        }
        CertificateError::Expired => "its certificate has expired: renew it, or check this machine's clock".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is valid only from {}: check this machine's clock", date(*not_before))
        }
        CertificateError::NotValidYet => "its certificate is not valid yet: check this machine's clock".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
            format!(
                "its certificate is for {presented}, not for {}: use the name of the certificate in the proxy's URI, or have \
                 the certificate re-issued",
                text_of(expected)
            )
        }
        CertificateError::BadSignature => {
            "its certificate's signature is wrong: another authority has the same name, replace the file in tls.ca".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not for TLS servers or clients: have it re-issued with server authentication".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate or its authority is signed with an algorithm that is not trusted any more, such as SHA-1: \
             have it re-issued with SHA-256"
                .to_owned()
        }
        CertificateError::Other(OtherError(inner)) => match inner.downcast_ref::<NotTrusted>() {
            Some(not_trusted) => format!("{not_trusted}: add the name to lync.trusted_peers if it may connect"),
            None if inner.is::<NotPinned>() => inner.to_string(),
            None if inner.to_string().contains("CaUsedAsEndEntity") => {
                "its certificate is that of an authority itself (CA:TRUE): have one issued for a server".to_owned()
            }
            None => format!("its certificate is refused ({inner})"),
        },
        CertificateError::BadEncoding => "its certificate is damaged: have it re-issued".to_owned(),
        other => format!("its certificate is refused ({other})"),
    }
}

/// A date of a certificate, in universal time.
pub(crate) fn date(at: UnixTime) -> String {
    let at = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(at.as_secs());
    at.format(&Rfc3339).unwrap_or_else(|_| format!("{at:?}"))
}
