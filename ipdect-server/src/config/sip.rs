//! Configuration → SIP of the product's web page.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Section `[lync]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lync {
    /// Enable Lync support.
    pub enabled: bool,
    /// How we prove who we are.
    pub authentication: Authentication,
    /// Names, besides the proxies, that may connect to us.
    pub trusted_peers: Vec<String>,
}

impl Default for Lync {
    fn default() -> Self {
        Self { enabled: true, authentication: Authentication::TrustedServer, trusted_peers: Vec::new() }
    }
}

/// How the server authenticates with Lync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// Mutual TLS; the front end treats us as authenticated.
    #[default]
    TrustedServer,
    /// Credentials of each user.
    Ntlm,
}

/// Section `[sip]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sip {
    /// What SIP runs on.
    pub transport: Transport,
    /// How the names of proxies become addresses.
    pub dns_method: DnsMethod,
    /// The SIP domain of users without one of their own.
    pub default_domain: String,
    /// Ask for a globally routable user agent URI.
    pub gruu: bool,
    /// Write `sips:` instead of `sip:`.
    pub use_sips_uri: bool,
    /// Front end pools and branch appliances.
    pub proxies: Vec<Proxy>,
    /// Where front ends connect to us.
    pub listen: SocketAddr,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            transport: Transport::Tls,
            dns_method: DnsMethod::ARecords,
            default_domain: String::new(),
            gruu: true,
            use_sips_uri: false,
            proxies: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5061)),
        }
    }
}

/// What SIP runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TLS on TCP.
    #[default]
    Tls,
    /// TCP, for laboratories only.
    Tcp,
}

impl Transport {
    /// The port that is meant when a URI names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Tls => 5061,
            Self::Tcp => 5060,
        }
    }
}

/// How the names of proxies become addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsMethod {
    /// A and AAAA records of the name itself.
    #[default]
    ARecords,
    /// SRV records.
    Srv,
}

/// One front end pool or branch appliance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its URI.
    pub uri: ProxyUri,
    /// The lowest is used first.
    #[serde(default = "first")]
    pub priority: u16,
    /// The share among those of equal priority.
    #[serde(default = "hundred")]
    pub weight: u16,
}

impl Proxy {
    /// The port to connect to.
    pub fn port(&self, transport: Transport) -> u16 {
        self.uri.port.unwrap_or_else(|| transport.default_port())
    }
}

fn first() -> u16 {
    1
}

fn hundred() -> u16 {
    100
}

/// The URI of a proxy: `sip:host` or `sip:host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyUri {
    /// Its name or address, lower case.
    pub host: String,
    /// Its port, if one is named.
    pub port: Option<u16>,
}

impl TryFrom<String> for ProxyUri {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{text:?} is no proxy URI ({why}), write for example \"sip:pool.example.net:5061\"")
        };
        let lower = text.trim().to_ascii_lowercase();
        let rest = lower
            .strip_prefix("sips:")
            .or_else(|| lower.strip_prefix("sip:"))
            .ok_or_else(|| wrong("it does not start with sip:"))?;
        if rest.contains('@') {
            return Err(wrong("a proxy has no user part"));
        }
        let rest = rest.split(';').next().unwrap_or_default();
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            let (host, after) = inner.split_once(']').ok_or_else(|| wrong("the bracket is not closed"))?;
            (host, after.strip_prefix(':'))
        } else {
            rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)))
        };
        let port = match port {
            None => None,
            Some(port) => Some(
                port.parse()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or_else(|| wrong("the port is not 1 to 65535"))?,
            ),
        };
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)) {
            return Err(wrong("the host name is empty or has characters no host name has"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for ProxyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "sip:[{}]", self.host)?;
        } else {
            write!(f, "sip:{}", self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_uris_that_are_taken() {
        for (text, host, port, shown) in [
            ("sip:sba.example.net:5061", "sba.example.net", Some(5061), "sip:sba.example.net:5061"),
            ("sip:Pool.Example.NET", "pool.example.net", None, "sip:pool.example.net"),
            ("sips:pool.example.net;transport=tls", "pool.example.net", None, "sip:pool.example.net"),
            ("sip:192.0.2.1:5060", "192.0.2.1", Some(5060), "sip:192.0.2.1:5060"),
            ("sip:[2001:db8::1]:5061", "2001:db8::1", Some(5061), "sip:[2001:db8::1]:5061"),
        ] {
            let uri = ProxyUri::try_from(text.to_owned()).unwrap();
            assert_eq!((uri.host.as_str(), uri.port), (host, port), "{text}");
            assert_eq!(uri.to_string(), shown);
        }
    }

    #[test]
    fn proxy_uris_that_are_refused() {
        for (text, word) in [
            ("pool.example.net", "sip:"),
            ("sip:jim@example.net", "user part"),
            ("sip:", "host name"),
            ("sip:pool.example.net:0", "port"),
            ("sip:pool.example.net:70000", "port"),
            ("sip:pool example", "characters"),
            ("sip:[2001:db8::1", "bracket"),
        ] {
            let error = ProxyUri::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
