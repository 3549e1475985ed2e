//! The settings a server gives to its endpoints: `vnd-microsoft-provisioning-v2`.
//!
//! What is missing or cannot be read has the default that its field names; what is not known is kept in
//! [`Settings::others`].
//!
//! ```
//! use sip_lync::body::provisioning::{Encryption, Settings};
//!
//! let body = br#"<provisionGroupList xmlns="http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification">
//!   <provisionGroup name="ServerConfiguration"><ucPC2PCAVEncryption>SupportEncryption</ucPC2PCAVEncryption></provisionGroup>
//! </provisionGroupList>"#;
//! let settings = Settings::parse(body)?;
//! assert_eq!(settings.encryption, Encryption::Supported);
//! # Ok::<(), sip_lync::ParseError>(())
//! ```
#![doc = include_str!("../../../docs/provisioning.md")]

mod read;

use core::time::Duration;

use super::xml::{Element, Writer};
use crate::error::ParseError;
use crate::uri::SipUri;
use read::{Ranges, boolean, each};

/// The media type of the request and of the notification.
///
/// MS-SIPREGE 2.2.2
pub const MEDIA_TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";

/// The event package.
///
/// MS-SIPREGE 2.2.2
pub const PACKAGE: &str = "vnd-microsoft-provisioning-v2";

/// A group of settings.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Media, ports, addresses of services.
    ServerConfiguration,
    /// What users may do in meetings.
    MeetingPolicy,
    /// What users may do.
    UcPolicy,
    /// How presence is published.
    PublicationGrammar,
    /// What the user chose.
    UserSetting,
    /// How endpoints behave.
    EndpointConfiguration,
    /// Emergency calls.
    LocationPolicy,
    /// Media bypass.
    MediaConfiguration,
    /// Who sees presence.
    PresencePolicyV2,
    /// How private presence is published.
    PrivacyPublicationGrammar,
    /// Public providers of instant messages.
    PublicProviders,
    /// Persistent chat.
    PersistentChatConfiguration,
}

impl Group {
    /// Every group.
    ///
    /// MS-SIPREGE 2.2.2
    pub const ALL: [Self; 12] = [
        Self::ServerConfiguration,
        Self::MeetingPolicy,
        Self::UcPolicy,
        Self::PublicationGrammar,
        Self::UserSetting,
        Self::EndpointConfiguration,
        Self::LocationPolicy,
        Self::MediaConfiguration,
        Self::PresencePolicyV2,
        Self::PrivacyPublicationGrammar,
        Self::PublicProviders,
        Self::PersistentChatConfiguration,
    ];

    /// Those a telephone asks for.
    ///
    /// MS-SIPREGE 2.2.2
    pub const TELEPHONE: [Self; 6] = [
        Self::ServerConfiguration,
        Self::MediaConfiguration,
        Self::UcPolicy,
        Self::EndpointConfiguration,
        Self::LocationPolicy,
        Self::PresencePolicyV2,
    ];

    /// Its name.
    ///
    /// MS-SIPREGE 2.2.2
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerConfiguration => "ServerConfiguration",
            Self::MeetingPolicy => "meetingPolicy",
            Self::UcPolicy => "ucPolicy",
            Self::PublicationGrammar => "publicationGrammar",
            Self::UserSetting => "userSetting",
            Self::EndpointConfiguration => "endpointConfiguration",
            Self::LocationPolicy => "locationPolicy",
            Self::MediaConfiguration => "mediaConfiguration",
            Self::PresencePolicyV2 => "presencePolicyV2",
            Self::PrivacyPublicationGrammar => "privacyPublicationGrammar",
            Self::PublicProviders => "publicProviders",
            Self::PersistentChatConfiguration => "persistentChatConfiguration",
        }
    }
}

/// The body of a SUBSCRIBE that asks for these groups; the network of the endpoint decides about settings of its site.
///
/// MS-SIPREGE 2.2.2
#[must_use]
pub fn request_body(groups: &[Group], subnet: Option<&str>) -> String {
    let mut out = Writer::default();
    out.raw(
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\"",
    );
    if let Some(subnet) = subnet {
        out.attribute("subnet", subnet);
    }
    out.raw(">");
    for group in groups {
        out.raw("<provisioningGroup").attribute("name", group.as_str()).raw("/>");
    }
    out.raw("</provisioningGroupList>");
    out.0
}

/// Whether media is encrypted: `ucPC2PCAVEncryption`.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// Always. The default: an unknown word must not open what was closed.
    #[default]
    Required,
    /// If both sides can.
    Supported,
    /// Never.
    Off,
}

/// Who may send media past the server: `internalBypassMode`, `externalBypassMode`.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BypassMode {
    /// Nobody. The default.
    #[default]
    Off,
    /// As ICE finds.
    Ice,
    /// Who has the same identifier.
    Any,
}

/// The settings of `mediaConfiguration`.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Bypass {
    /// `bypassEnabled`; default no.
    pub enabled: bool,
    /// `internalBypassMode`; default off.
    pub internal: BypassMode,
    /// `externalBypassMode`; default off.
    pub external: BypassMode,
    /// `bypassId`, also spelt `bypassID`; default none.
    pub id: Option<String>,
}

impl Bypass {
    /// The identifier to offer at this side of the edge, if media may go past the server there.
    ///
    /// MS-SDPEXT 3.1.5
    #[must_use]
    pub fn offered(&self, inside: bool) -> Option<&str> {
        let mode = if inside { self.internal } else { self.external };
        self.id.as_deref().filter(|_| self.enabled && mode == BypassMode::Any)
    }
}

/// The settings of `locationPolicy`.
///
/// MS-SIPRE 3.17
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Emergency {
    /// `EnhancedEmergencyServicesEnabled`; default no.
    pub enabled: bool,
    /// `LocationPolicyTagID`; default none.
    pub tag: Option<String>,
    /// `EmergencyDialString`; default none.
    pub dial_string: Option<String>,
    /// `EmergencyDialMask`, several separated by semicolons; default none.
    pub dial_masks: Vec<String>,
    /// `NotificationUri`; default none.
    pub notification: Option<String>,
    /// `ConferenceUri`; default none.
    pub conference: Option<String>,
    /// `ConferenceMode`; default none.
    pub conference_mode: Option<String>,
}

/// Quality of service.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Quality {
    /// `qosEnabled`; default no.
    pub enabled: bool,
    /// `ucDiffServVoice`, a code point up to 63; default none.
    pub voice_code_point: Option<u8>,
    /// `ucVoice802_1p`, up to 7; default none.
    pub voice_priority: Option<u8>,
}

/// The lock of a telephone.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Lock {
    /// `ucEnforcePinLock`; default no.
    pub enforced: bool,
    /// `ucMinPinLength`; default 6.
    pub least_digits: u8,
    /// `ucPhoneTimeOut` in minutes; default 10.
    pub after: Duration,
}

impl Default for Lock {
    fn default() -> Self {
        Self { enforced: false, least_digits: 6, after: Duration::from_mins(10) }
    }
}

/// The settings of `endpointConfiguration`.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Behaviour {
    /// `DisableMusicOnHold`; default no.
    pub no_music_on_hold: bool,
    /// `MusicOnHoldAudioFile`; default none.
    pub music_on_hold: Option<String>,
    /// `AttendantSafeTransfer`; default no.
    pub safe_transfer: bool,
    /// `EnableHotdesking`; default no.
    pub hot_desking: bool,
    /// `HotdeskingTimeout` as `hh:mm:ss` or in minutes; default none.
    pub hot_desking_timeout: Option<Duration>,
    /// `PlayAbbrDialTone`; default no.
    pub short_dial_tone: bool,
    /// `DisablePhonePresence`; default no.
    pub no_phone_presence: bool,
}

/// A setting this crate does not know, or could not read.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OtherSetting {
    /// The name of its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its text, trimmed.
    pub value: String,
}

/// All settings.
///
/// MS-SIPREGE 2.2.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Settings {
    /// `ucPC2PCAVEncryption`; default required.
    pub encryption: Encryption,
    /// `ucPortRangeEnabled`; default no: the ranges count for nothing then.
    pub port_ranges: bool,
    /// `ucMinMediaPort` to `ucMaxMediaPort`; default none.
    pub media_ports: Option<(u16, u16)>,
    /// `ucMinAudioPort` to `ucMaxAudioPort`; default none.
    pub audio_ports: Option<(u16, u16)>,
    /// `ucMinSipDynamicPort` to `ucMaxSipDynamicPort`; default none.
    pub sip_ports: Option<(u16, u16)>,
    /// `mrasUri`: who gives credentials for relays; default nobody.
    pub relay_service: Option<SipUri>,
    /// `voiceMailUri`; default none.
    pub voice_mail: Option<SipUri>,
    /// `ucLocationProfile`: the dial plan, for `phone-context`; default none.
    pub dial_plan: Option<String>,
    /// `focusFactoryUri`; default none.
    pub focus_factory: Option<SipUri>,
    /// `callParkServerUri`; default none.
    pub call_park: Option<SipUri>,
    /// `botSipUriForTestCall`; default none.
    pub test_call: Option<SipUri>,
    /// `poolUri`; default none.
    pub pool: Option<SipUri>,
    /// `qosUri`; default none.
    pub quality_service: Option<SipUri>,
    /// `ucExchangeMWIPoll`: waiting messages are asked of the mail server; default no.
    pub polls_messages: bool,
    /// `enableBWPolicyCheck`: admission control is in use; default no.
    pub admission_control: bool,
    /// `organization`; default none.
    pub organization: Option<String>,
    /// The lock of the telephone.
    pub lock: Lock,
    /// Quality of service.
    pub quality: Quality,
    /// Media bypass.
    pub bypass: Bypass,
    /// Emergency calls.
    pub emergency: Emergency,
    /// How endpoints behave.
    pub behaviour: Behaviour,
    /// `EnablePrivacyMode` of `presencePolicyV2`; default no.
    pub privacy_mode: bool,
    /// What is not known or not readable, in its order.
    pub others: Vec<OtherSetting>,
}

/// Most settings that are kept unread.
const OTHERS_MAX: usize = 1_000;

impl Settings {
    /// Reads a notification.
    ///
    /// MS-SIPREGE 2.2.2
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let root = Element::parse(body, &["provisionGroupList"])?;
        let mut settings = Self::default();
        let mut ranges = Ranges::default();
        for group in root.all("provisionGroup") {
            let name = group.attribute("name").unwrap_or_default().trim();
            each(group, &mut |key, value| {
                let known = match name {
                    "ServerConfiguration" => settings.server(&mut ranges, key, value),
                    "mediaConfiguration" => settings.bypass.read(key, value),
                    "endpointConfiguration" => settings.behaviour.read(key, value),
                    "locationPolicy" => settings.emergency.read(key, value),
                    "presencePolicyV2" if key == "EnablePrivacyMode" => {
                        boolean(value).map(|on| settings.privacy_mode = on)
                    }
                    _ => None,
                };
                if known.is_none() && settings.others.len() < OTHERS_MAX {
                    settings.others.push(OtherSetting {
                        group: name.to_owned(),
                        name: key.to_owned(),
                        value: value.to_owned(),
                    });
                }
            });
        }
        settings.media_ports = ranges.media.range();
        settings.audio_ports = ranges.audio.range();
        settings.sip_ports = ranges.sip.range();
        Ok(settings)
    }

    /// The ports for sound, if the administrator restricts them.
    ///
    /// MS-SIPREGE 2.2.2
    #[must_use]
    pub fn sound_ports(&self) -> Option<(u16, u16)> {
        self.audio_ports.or(self.media_ports).filter(|_| self.port_ranges)
    }

    /// A setting that is not typed.
    ///
    /// MS-SIPREGE 2.2.2
    #[must_use]
    pub fn other(&self, group: Group, name: &str) -> Option<&str> {
        let of = |other: &&OtherSetting| other.group == group.as_str() && other.name == name;
        self.others.iter().find(of).map(|other| other.value.as_str())
    }
}
