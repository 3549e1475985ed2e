//! The commented configuration that `init` writes.

/// What `init` fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// Our DNS name.
    pub hostname: String,
    /// The SIP domain.
    pub domain: String,
    /// The access rights identity, ten hexadecimal digits.
    pub ari: String,
    /// The system's access code.
    pub access_code: String,
}

/// The commented configuration with these values in it.
pub fn template(values: &Values) -> String {
    include_str!("template.toml")
        .replace("@HOSTNAME@", &values.hostname)
        .replace("@DOMAIN@", &values.domain)
        .replace("@ARI@", &values.ari)
        .replace("@ACCESS_CODE@", &values.access_code)
}
