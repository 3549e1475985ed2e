//! Base stations and the identity that handsets subscribe to.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

use super::secret::Secret;
use super::sip::Transport;

/// Section `[radio]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Radio {
    /// Where base stations connect.
    pub listen: SocketAddr,
    /// What the radio link runs on.
    pub transport: Transport,
    /// Access rights identity of the system.
    pub ari: AccessRightsIdentity,
    /// Who may subscribe.
    pub subscription: Subscription,
    /// The access code of users that have none of their own.
    pub system_access_code: Secret,
}

impl Default for Radio {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4711)),
            transport: Transport::Tls,
            ari: AccessRightsIdentity::default(),
            subscription: Subscription::Listed,
            system_access_code: Secret::default(),
        }
    }
}

/// Who may subscribe a handset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subscription {
    /// Listed users, at any time.
    #[default]
    Listed,
    /// Listed users, while the administrator has opened the window.
    Window,
    /// Any handset that knows the access code.
    Open,
}

/// A class B access rights identity as handsets show it: `1f` (31 significant bits) and the identity, left aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AccessRightsIdentity([u8; 4]);

impl AccessRightsIdentity {
    /// Takes the four octets: a zero bit, class 001, 16 bits of installer code, 12 bits of number.
    pub fn from_octets(octets: [u8; 4]) -> Option<Self> {
        let value = u32::from_be_bytes(octets);
        (value >> 28 == 1 && (value >> 12) & 0xffff != 0 && value & 0xfff != 0).then_some(Self(octets))
    }

    /// The four octets: a zero bit and the 31 bits of the identity.
    pub fn octets(self) -> [u8; 4] {
        self.0
    }

    /// The text of the configuration: ten hexadecimal digits.
    pub fn text(self) -> String {
        format!("1f{:08x}", u32::from_be_bytes(self.0))
    }

    /// Whether none was given.
    pub fn is_unset(self) -> bool {
        self.0 == [0; 4]
    }
}

impl TryFrom<String> for AccessRightsIdentity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let digits = text.strip_prefix("1f").or_else(|| text.strip_prefix("1F"));
        digits
            .filter(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(|value| Self::from_octets(value.to_be_bytes()))
            .ok_or_else(|| {
                format!(
                    "{text:?} is no class B access rights identity (1f, then 1 and seven more hexadecimal digits), \
                     write the one that `ipdect-server init` made"
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_rights_identities() {
        let ari = AccessRightsIdentity::try_from("1f102f0e86".to_owned()).unwrap();
        assert_eq!(ari.octets(), [0x10, 0x2f, 0x0e, 0x86]);
        assert_eq!(ari.text(), "1f102f0e86");
        for text in
            ["1f002f0e86", "20102f0e86", "1f102f0e8", "1f1xxf0e86", "1f10000e86", "1f102f0000", "1f902f0e86"]
        {
            assert!(AccessRightsIdentity::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
