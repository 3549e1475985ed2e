//! The names that a certificate gives its holder.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The names in a certificate, lower case: DNS names and addresses of the subject alternative name, or the common
/// name when it has no DNS name.
pub fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let mut names = Vec::new();
    let mut has_dns_name = false;
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) => {
                    has_dns_name = true;
                    names.push(name.trim_end_matches('.').to_ascii_lowercase());
                }
                GeneralName::IPAddress(octets) => names.extend(address(octets).map(|ip| ip.to_string())),
                _ => {}
            }
        }
    }
    if !has_dns_name {
        let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(|name| name.trim_end_matches('.').to_ascii_lowercase()));
    }
    names
}

/// Whether one of the names in a certificate stands for `wanted`; `*.example.net` stands for one label more.
pub fn stands_for(names: &[String], wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('.').to_ascii_lowercase();
    names.iter().any(|name| {
        *name == wanted
            || name.strip_prefix("*.").is_some_and(|suffix| {
                wanted.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == suffix)
                    && wanted.parse::<IpAddr>().is_err()
            })
    })
}

/// A server name as text, as it is compared with the names of a certificate.
pub fn text_of(name: &ServerName<'_>) -> String {
    match name {
        ServerName::DnsName(name) => name.as_ref().to_ascii_lowercase(),
        ServerName::IpAddress(address) => IpAddr::from(*address).to_string(),
        _ => String::new(),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        Some(IpAddr::from(octets))
    } else {
        <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(alternative: &[&str], common: &str) -> CertificateDer<'static> {
        let mut params =
            CertificateParams::new(alternative.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_common_name_counts_only_without_a_dns_name() {
        assert_eq!(names_of(&certificate(&["FE1.example.net"], "pool.example.net")), ["fe1.example.net"]);
        assert_eq!(names_of(&certificate(&[], "Pool.example.net")), ["pool.example.net"]);
        assert_eq!(
            names_of(&certificate(&["192.0.2.1"], "pool.example.net")),
            ["192.0.2.1", "pool.example.net"]
        );
        assert!(names_of(&CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])).is_empty());
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        let names = ["*.example.net".to_owned(), "pool.example.org".to_owned()];
        for (wanted, expected) in [
            ("fe1.example.net", true),
            ("FE1.Example.NET.", true),
            ("example.net", false),
            ("a.b.example.net", false),
            ("pool.example.org", true),
            ("fe1.example.org", false),
        ] {
            assert_eq!(stands_for(&names, wanted), expected, "{wanted}");
        }
    }
}
