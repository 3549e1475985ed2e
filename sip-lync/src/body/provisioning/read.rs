//! How the texts of settings become values.

use core::time::Duration;

use super::super::xml::Element;
use super::{Behaviour, Bypass, BypassMode, Emergency, Encryption, Settings};
use crate::uri::SipUri;

impl Settings {
    /// `None`: the setting is unknown, or its value cannot be read.
    pub(super) fn server(&mut self, ranges: &mut Ranges, key: &str, value: &str) -> Option<()> {
        match key {
            "ucPC2PCAVEncryption" => {
                self.encryption = match value {
                    "RequireEncryption" => Encryption::Required,
                    "SupportEncryption" => Encryption::Supported,
                    "DoNotSupportEncryption" => Encryption::Off,
                    _ => return None,
                };
            }
            "ucPortRangeEnabled" => self.port_ranges = boolean(value)?,
            "ucMinMediaPort" => ranges.media.0 = Some(value.parse().ok()?),
            "ucMaxMediaPort" => ranges.media.1 = Some(value.parse().ok()?),
            "ucMinAudioPort" => ranges.audio.0 = Some(value.parse().ok()?),
            "ucMaxAudioPort" => ranges.audio.1 = Some(value.parse().ok()?),
            "ucMinSipDynamicPort" => ranges.sip.0 = Some(value.parse().ok()?),
            "ucMaxSipDynamicPort" => ranges.sip.1 = Some(value.parse().ok()?),
            "mrasUri" => self.relay_service = Some(uri(value)?),
            "voiceMailUri" => self.voice_mail = Some(uri(value)?),
            "ucLocationProfile" => self.dial_plan = Some(value.to_owned()),
            "focusFactoryUri" => self.focus_factory = Some(uri(value)?),
            "callParkServerUri" => self.call_park = Some(uri(value)?),
            "botSipUriForTestCall" => self.test_call = Some(uri(value)?),
            "poolUri" => self.pool = Some(uri(value)?),
            "qosUri" => self.quality_service = Some(uri(value)?),
            "ucExchangeMWIPoll" => self.polls_messages = boolean(value)?,
            "enableBWPolicyCheck" => self.admission_control = boolean(value)?,
            "organization" => self.organization = Some(value.to_owned()),
            "ucEnforcePinLock" => self.lock.enforced = boolean(value)?,
            "ucMinPinLength" => self.lock.least_digits = value.parse().ok()?,
            "ucPhoneTimeOut" => self.lock.after = minutes(value)?,
            "qosEnabled" => self.quality.enabled = boolean(value)?,
            "ucDiffServVoice" => self.quality.voice_code_point = Some(at_most(value, 63)?),
            "ucVoice802_1p" => self.quality.voice_priority = Some(at_most(value, 7)?),
            _ => return None,
        }
        Some(())
    }
}

impl Bypass {
    pub(super) fn read(&mut self, key: &str, value: &str) -> Option<()> {
        let mode = || {
            Some(match value.to_ascii_lowercase().as_str() {
                "off" => BypassMode::Off,
                "ice" => BypassMode::Ice,
                "any" => BypassMode::Any,
                _ => return None,
            })
        };
        match key {
            "bypassEnabled" => self.enabled = boolean(value)?,
            "internalBypassMode" => self.internal = mode()?,
            "externalBypassMode" => self.external = mode()?,
            _ if key.eq_ignore_ascii_case("bypassId") => self.id = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }
}

impl Emergency {
    pub(super) fn read(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "EnhancedEmergencyServicesEnabled" => self.enabled = boolean(value)?,
            "LocationPolicyTagID" => self.tag = Some(value.to_owned()),
            "EmergencyDialString" => self.dial_string = Some(value.to_owned()),
            "EmergencyDialMask" => {
                let masks = value.split(';').map(str::trim).filter(|mask| !mask.is_empty());
                self.dial_masks = masks.map(str::to_owned).collect();
            }
            "NotificationUri" => self.notification = Some(value.to_owned()),
            "ConferenceUri" => self.conference = Some(value.to_owned()),
            "ConferenceMode" => self.conference_mode = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }
}

impl Behaviour {
    pub(super) fn read(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "DisableMusicOnHold" => self.no_music_on_hold = boolean(value)?,
            "MusicOnHoldAudioFile" => self.music_on_hold = Some(value.to_owned()),
            "AttendantSafeTransfer" => self.safe_transfer = boolean(value)?,
            "EnableHotdesking" => self.hot_desking = boolean(value)?,
            "HotdeskingTimeout" => self.hot_desking_timeout = Some(minutes(value)?),
            "PlayAbbrDialTone" => self.short_dial_tone = boolean(value)?,
            "DisablePhonePresence" => self.no_phone_presence = boolean(value)?,
            _ => return None,
        }
        Some(())
    }
}

#[derive(Default)]
pub(super) struct Range(Option<u16>, Option<u16>);

impl Range {
    pub(super) fn range(&self) -> Option<(u16, u16)> {
        self.0.zip(self.1).filter(|(lowest, highest)| lowest <= highest && *lowest > 0)
    }
}

#[derive(Default)]
pub(super) struct Ranges {
    pub(super) media: Range,
    pub(super) audio: Range,
    pub(super) sip: Range,
}

/// Every setting of a group, wherever it stands: as an element, as a property of a list or of an instance.
pub(super) fn each(group: &Element, tell: &mut impl FnMut(&str, &str)) {
    for child in &group.children {
        if matches!(child.name.as_str(), "propertyEntryList" | "instance") {
            for property in child.all("property") {
                if let (Some(name), Some(value)) = (property.attribute("name"), property.value()) {
                    tell(name.trim(), value);
                }
            }
        } else if let Some(value) = child.value() {
            tell(&child.name, value);
        }
    }
}

pub(super) fn boolean(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn uri(value: &str) -> Option<SipUri> {
    SipUri::parse(value).ok()
}

fn at_most(value: &str, highest: u8) -> Option<u8> {
    value.parse().ok().filter(|value| *value <= highest)
}

/// `hh:mm:ss`, or minutes.
fn minutes(value: &str) -> Option<Duration> {
    if let Ok(minutes) = value.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(minutes) * 60));
    }
    let mut parts = value.splitn(3, ':').map(|part| part.trim().parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some(Duration::from_secs(u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds)))
}
