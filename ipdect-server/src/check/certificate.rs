//! Our own certificate: its names, its time, its authority.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Outcome, Report};
use crate::config::Configuration;
use crate::net::names::{names_of, stands_for};
use crate::net::tls::TlsContext;
use crate::net::words;

/// An administrator should have so long to renew.
const EARLY: Duration = Duration::from_hours(60 * 24);

pub(super) fn check(
    report: &mut Report<'_>,
    configuration: &Configuration,
    tls: &TlsContext,
    now: SystemTime,
) {
    let file = tls.identity.file.display();
    report.add(Outcome::Ok, "certificate", format!("{file}: the key fits the certificate"));
    for note in &tls.identity.notes {
        report.add(Outcome::Note, "certificate", format!("{file}: {note}"));
    }
    let Some(own) = tls.identity.chain().first() else { return };
    name(report, configuration, own);
    validity(report, own, now);
    purpose(report, own);
    chain(report, tls, own, now);
}

fn name(report: &mut Report<'_>, configuration: &Configuration, own: &CertificateDer<'_>) {
    let names = names_of(own);
    let wanted = &configuration.network.hostname;
    let shown = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
    if names.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
        report.add(Outcome::Ok, "certificate name", format!("{wanted} is network.hostname"));
    } else if stands_for(&names, wanted) {
        report.add(
            Outcome::Note,
            "certificate name",
            format!(
                "it is for {shown}: Lync takes no wildcard for a trusted server, have it issued for {wanted}"
            ),
        );
    } else {
        report.add(
            Outcome::Fail,
            "certificate name",
            format!(
                "it is for {shown}, network.hostname is {wanted}: both must be the name of the trusted application pool; \
                 correct the one that is wrong"
            ),
        );
    }
}

fn validity(report: &mut Report<'_>, own: &CertificateDer<'_>, now: SystemTime) {
    let Ok((_, parsed)) = X509Certificate::from_der(own) else { return };
    let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs());
    let not_before = at(parsed.validity().not_before.timestamp());
    let not_after = at(parsed.validity().not_after.timestamp());
    let until = words::date(unix(not_after));
    if now < not_before {
        let from = words::date(unix(not_before));
        report.add(
            Outcome::Fail,
            "certificate time",
            format!("it is valid only from {from}: check this machine's clock"),
        );
    } else if now >= not_after {
        report.add(Outcome::Fail, "certificate time", format!("it expired at {until}: renew it"));
    } else if now + EARLY >= not_after {
        report.add(Outcome::Note, "certificate time", format!("it expires at {until}: renew it in time"));
    } else {
        report.add(Outcome::Ok, "certificate time", format!("valid until {until}"));
    }
}

fn purpose(report: &mut Report<'_>, own: &CertificateDer<'_>) {
    let Ok((_, parsed)) = X509Certificate::from_der(own) else { return };
    let Ok(Some(usage)) = parsed.extended_key_usage() else { return };
    let usage = usage.value;
    let both = usage.server_auth && usage.client_auth;
    if !(usage.any || both) {
        report.add(
            Outcome::Note,
            "certificate purpose",
            "it is not for both server and client authentication: some front ends refuse it in mutual TLS, have it issued \
             for both",
        );
    }
}

fn chain(report: &mut Report<'_>, tls: &TlsContext, own: &CertificateDer<'_>, now: SystemTime) {
    let intermediates = tls.identity.chain().get(1..).unwrap_or_default();
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let verified = ParsedCertificate::try_from(own).and_then(|parsed| {
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &tls.authorities.roots,
            intermediates,
            unix(now),
            algorithms.all,
        )
    });
    match verified {
        Ok(()) => report.add(
            Outcome::Ok,
            "certificate chain",
            format!("leads to one of {} trusted authorities", tls.authorities.roots.len()),
        ),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) if is_self_signed(own) => report.add(
            Outcome::Fail,
            "certificate chain",
            "it is self-signed: nobody else trusts it; request one from the authority that the front ends trust",
        ),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => report.add(
            Outcome::Fail,
            "certificate chain",
            "it leads to no authority of tls.ca: add the authority's file there, and its intermediate certificates to \
             the certificate file",
        ),
        // The time has a line of its own.
        Err(Error::InvalidCertificate(
            CertificateError::ExpiredContext { .. }
            | CertificateError::Expired
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::NotValidYet,
        )) => {}
        Err(error) => report.add(Outcome::Fail, "certificate chain", words::tls_error(&error)),
    }
}

fn is_self_signed(own: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(own).is_ok_and(|(_, parsed)| parsed.subject() == parsed.issuer())
}

fn unix(at: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}
