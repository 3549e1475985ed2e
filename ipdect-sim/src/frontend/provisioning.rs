//! The settings of the pool, by groups.

use core::fmt::Write;

use bytes::Bytes;

/// What the front end tells its clients about media.
///
/// MS-PRES 2.2.2.8 (provisioning data)
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provisioning {
    /// Whether calls between clients are encrypted.
    pub encryption: CallEncryption,
    /// The identifier for media bypass, where it is on.
    pub bypass_id: Option<String>,
    /// Where credentials for the edge are to be had.
    pub mras_uri: Option<String>,
    /// The voice mail.
    pub voice_mail_uri: Option<String>,
}

/// `ucPC2PCAVEncryption`.
///
/// MS-PRES 2.2.2.8 (ServerConfiguration)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallEncryption {
    /// Only encrypted calls.
    #[default]
    Require,
    /// Encrypted where both can.
    Support,
    /// None.
    Off,
}

impl CallEncryption {
    fn token(self) -> &'static str {
        match self {
            Self::Require => "RequireEncryption",
            Self::Support => "SupportEncryption",
            Self::Off => "DoNotSupportEncryption",
        }
    }
}

impl Default for Provisioning {
    fn default() -> Self {
        Self { encryption: CallEncryption::Require, bypass_id: None, mras_uri: None, voice_mail_uri: None }
    }
}

/// The groups that a client asked for.
pub(super) fn groups(settings: &Provisioning, request: &[u8]) -> Bytes {
    let asked = String::from_utf8_lossy(request);
    let mut text = format!("<?xml version=\"1.0\"?><provisionGroupList xmlns=\"{NAMESPACE}\">");
    for group in
        ["ServerConfiguration", "mediaConfiguration", "ucPolicy", "meetingPolicy", "endpointConfiguration"]
    {
        if asked.contains(&format!("name=\"{group}\"")) {
            let _ = write!(
                text,
                "<provisionGroup name=\"{group}\">{}</provisionGroup>",
                content(settings, group)
            );
        }
    }
    text.push_str("</provisionGroupList>");
    Bytes::from(text)
}

fn content(settings: &Provisioning, group: &str) -> String {
    match group {
        "ServerConfiguration" => {
            let mut text = format!(
                "<ucMaxVideoRateAllowed>VGA-600K</ucMaxVideoRateAllowed><ucPC2PCAVEncryption>{}</ucPC2PCAVEncryption><ucPortRangeEnabled>false</ucPortRangeEnabled>",
                settings.encryption.token()
            );
            for (name, value) in [("mrasUri", &settings.mras_uri), ("voiceMailUri", &settings.voice_mail_uri)]
            {
                if let Some(value) = value {
                    let _ = write!(text, "<{name}>{value}</{name}>");
                }
            }
            text
        }
        "mediaConfiguration" => {
            let properties = match &settings.bypass_id {
                Some(id) => format!(
                    "<property name=\"bypassEnabled\">true</property><property name=\"internalBypassMode\">Any</property><property name=\"bypassId\">{id}</property>"
                ),
                None => "<property name=\"bypassEnabled\">false</property>".to_owned(),
            };
            format!("<propertyEntryList>{properties}</propertyEntryList>")
        }
        _ => String::new(),
    }
}

const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_groups_that_were_asked_for_are_told() {
        let asked = b"<provisioningGroupList><provisioningGroup name=\"ServerConfiguration\"/></provisioningGroupList>";
        let told = groups(&Provisioning::default(), asked);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains("RequireEncryption") && !told.contains("mediaConfiguration"), "{told}");
    }
}
