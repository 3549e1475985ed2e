//! The settings of the pool, by groups.

use bytes::{Bytes, BytesMut};
use presence_pidf::provisioning::{ProvisionGroup, ProvisionGroups, parse_request};

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
    /// Who makes conferences.
    pub focus_factory_uri: Option<String>,
    /// Whether presence is for contacts alone.
    pub privacy_mode: bool,
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
        Self {
            encryption: CallEncryption::Require,
            bypass_id: None,
            mras_uri: None,
            voice_mail_uri: None,
            focus_factory_uri: None,
            privacy_mode: false,
        }
    }
}

/// The groups that a client asked for. Nothing, when it cannot be understood what it asked.
pub(super) fn groups(settings: &Provisioning, request: &[u8]) -> Bytes {
    let asked = parse_request(request).unwrap_or_default();
    let known = asked.iter().filter_map(|name| group(settings, name)).collect();
    let mut body = BytesMut::new();
    ProvisionGroups { groups: known }.emit(&mut body);
    body.freeze()
}

fn group(settings: &Provisioning, name: &str) -> Option<ProvisionGroup> {
    let mut group = ProvisionGroup { name: name.to_owned(), ..ProvisionGroup::default() };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    match name {
        "ServerConfiguration" => {
            group.elements.extend([
                pair("ucMaxVideoRateAllowed", "VGA-600K"),
                pair("ucPC2PCAVEncryption", settings.encryption.token()),
                pair("ucPortRangeEnabled", "false"),
            ]);
            let optional = [
                ("mrasUri", &settings.mras_uri),
                ("voiceMailUri", &settings.voice_mail_uri),
                ("focusFactoryUri", &settings.focus_factory_uri),
            ];
            let given = optional.iter().filter_map(|(name, value)| Some(pair(name, value.as_deref()?)));
            group.elements.extend(given);
        }
        "mediaConfiguration" => match &settings.bypass_id {
            Some(id) => group.properties.extend([
                pair("bypassEnabled", "true"),
                pair("internalBypassMode", "Any"),
                pair("bypassId", id),
            ]),
            None => group.properties.push(pair("bypassEnabled", "false")),
        },
        "presencePolicyV2" => {
            group
                .elements
                .push(pair("EnablePrivacyMode", if settings.privacy_mode { "true" } else { "false" }));
        }
        "ucPolicy" | "meetingPolicy" | "endpointConfiguration" => {}
        _ => return None,
    }
    Some(group)
}

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
