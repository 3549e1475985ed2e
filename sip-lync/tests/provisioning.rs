//! Settings from the server, against the table in `docs/provisioning.md`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sip_lync::body::provisioning::{BypassMode, Encryption, Group, Settings, request_body};

fn list(groups: &str) -> Settings {
    let body = format!(
        "<?xml version=\"1.0\"?>\r\n<provisionGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification\">{groups}</provisionGroupList>"
    );
    Settings::parse(body.as_bytes()).unwrap()
}

const ALL: &str = "<provisionGroup name=\"ServerConfiguration\">\
    <ucPC2PCAVEncryption> DoNotSupportEncryption </ucPC2PCAVEncryption><ucPortRangeEnabled>True</ucPortRangeEnabled>\
    <ucMinMediaPort>5350</ucMinMediaPort><ucMaxMediaPort>5353</ucMaxMediaPort><ucMinAudioPort>20000</ucMinAudioPort>\
    <ucMaxAudioPort>20039</ucMaxAudioPort><ucMinSipDynamicPort>1024</ucMinSipDynamicPort>\
    <ucMaxSipDynamicPort>65535</ucMaxSipDynamicPort><mrasUri>sip:mras@example.net;gruu;opaque=srvr:MRAS:x</mrasUri>\
    <voiceMailUri>sip:dect1@example.net;opaque=app:voicemail;gruu</voiceMailUri>\
    <ucLocationProfile>Prague.example.net</ucLocationProfile><focusFactoryUri>sip:a@example.net</focusFactoryUri>\
    <callParkServerUri>sip:b@example.net</callParkServerUri><botSipUriForTestCall>sip:c@example.net</botSipUriForTestCall>\
    <poolUri>sip:d@example.net</poolUri><qosUri>sip:e@example.net</qosUri><ucEnforcePinLock>true</ucEnforcePinLock>\
    <ucMinPinLength>4</ucMinPinLength><ucPhoneTimeOut>5</ucPhoneTimeOut><ucExchangeMWIPoll>true</ucExchangeMWIPoll>\
    <qosEnabled>true</qosEnabled><ucDiffServVoice>46</ucDiffServVoice><ucVoice802_1p>5</ucVoice802_1p>\
    <enableBWPolicyCheck>TRUE</enableBWPolicyCheck><organization>Ward &amp; Sons</organization>\
    <loggingLevel>Low</loggingLevel></provisionGroup>\
    <provisionGroup name=\"mediaConfiguration\"><propertyEntryList><property name=\"bypassEnabled\">true</property>\
    <property name=\"internalBypassMode\">Any</property><property name=\"externalBypassMode\">Ice</property>\
    <property name=\"bypassID\">91F9</property></propertyEntryList></provisionGroup>\
    <provisionGroup name=\"endpointConfiguration\"><propertyEntryList><property name=\"DisableMusicOnHold\">true</property>\
    <property name=\"MusicOnHoldAudioFile\">hold.wma</property><property name=\"AttendantSafeTransfer\">true</property>\
    <property name=\"EnableHotdesking\">true</property><property name=\"HotdeskingTimeout\">00:05:30</property>\
    <property name=\"PlayAbbrDialTone\">true</property><property name=\"DisablePhonePresence\">true</property>\
    </propertyEntryList></provisionGroup>\
    <provisionGroup name=\"locationPolicy\"><propertyEntryList>\
    <property name=\"EnhancedEmergencyServicesEnabled\">true</property><property name=\"LocationPolicyTagID\">t1</property>\
    <property name=\"EmergencyDialString\">112</property><property name=\"EmergencyDialMask\">911; 999</property>\
    <property name=\"NotificationUri\">sip:guard@example.net</property><property name=\"ConferenceUri\">sip:desk@example.net</property>\
    <property name=\"ConferenceMode\">oneway</property></propertyEntryList></provisionGroup>\
    <provisionGroup name=\"presencePolicyV2\"><propertyEntryList><property name=\"EnablePrivacyMode\">true</property>\
    <property name=\"SubscribeToCollapsedDG\">true</property></propertyEntryList></provisionGroup>\
    <provisionGroup name=\"ucPolicy\"><instance><property name=\"AllowUCCallForwarding\">true</property></instance></provisionGroup>\
    <provisionGroup name=\"ofTomorrow\"><news>yes</news></provisionGroup>";

#[test]
fn every_setting_a_telephone_needs_is_read() {
    let settings = list(ALL);
    assert_eq!(settings.encryption, Encryption::Off);
    assert_eq!(settings.media_ports, Some((5350, 5353)));
    assert_eq!(settings.sound_ports(), Some((20_000, 20_039)));
    assert_eq!(settings.sip_ports, Some((1024, 65_535)));
    assert_eq!(settings.voice_mail.unwrap().opaque(), Some("app:voicemail"));
    assert_eq!(settings.relay_service.unwrap().user(), Some("mras"));
    for uri in [
        settings.focus_factory,
        settings.call_park,
        settings.test_call,
        settings.pool,
        settings.quality_service,
    ] {
        assert_eq!(uri.unwrap().host(), "example.net");
    }
    assert_eq!(settings.dial_plan.as_deref(), Some("Prague.example.net"));
    assert!(settings.polls_messages && settings.admission_control && settings.privacy_mode);
    assert_eq!(settings.organization.as_deref(), Some("Ward & Sons"));
    let lock = settings.lock;
    assert_eq!((lock.enforced, lock.least_digits, lock.after), (true, 4, Duration::from_mins(5)));
    let quality = settings.quality;
    assert_eq!(
        (quality.enabled, quality.voice_code_point, quality.voice_priority),
        (true, Some(46), Some(5))
    );
    assert_eq!((settings.bypass.internal, settings.bypass.external), (BypassMode::Any, BypassMode::Ice));
    assert_eq!((settings.bypass.offered(true), settings.bypass.offered(false)), (Some("91F9"), None));
    let behaviour = settings.behaviour;
    assert!(behaviour.no_music_on_hold && behaviour.safe_transfer && behaviour.hot_desking);
    assert!(behaviour.short_dial_tone && behaviour.no_phone_presence);
    assert_eq!(behaviour.hot_desking_timeout, Some(Duration::from_secs(330)));
    assert_eq!(behaviour.music_on_hold.as_deref(), Some("hold.wma"));
    let emergency = settings.emergency;
    assert_eq!((emergency.enabled, emergency.dial_string.as_deref()), (true, Some("112")));
    assert_eq!(emergency.dial_masks, ["911", "999"]);
    assert_eq!(emergency.conference_mode.as_deref(), Some("oneway"));
}

#[test]
fn what_is_not_known_is_kept() {
    let settings = list(ALL);
    assert_eq!(settings.other(Group::UcPolicy, "AllowUCCallForwarding"), Some("true"));
    assert_eq!(settings.other(Group::ServerConfiguration, "loggingLevel"), Some("Low"));
    assert_eq!(settings.other(Group::PresencePolicyV2, "SubscribeToCollapsedDG"), Some("true"));
    assert!(settings.others.iter().any(|other| other.group == "ofTomorrow" && other.value == "yes"));
}

#[test]
fn what_is_missing_or_unreadable_has_its_default() {
    let nothing = list("");
    assert_eq!(nothing, Settings::default());
    assert_eq!(nothing.encryption, Encryption::Required);
    assert_eq!((nothing.lock.least_digits, nothing.lock.after), (6, Duration::from_mins(10)));
    let broken = list(
        "<provisionGroup name=\"ServerConfiguration\"><ucPC2PCAVEncryption>Maybe</ucPC2PCAVEncryption>\
         <ucMinAudioPort>200000</ucMinAudioPort><ucMaxAudioPort>7</ucMaxAudioPort><qosEnabled>1</qosEnabled>\
         <ucDiffServVoice>64</ucDiffServVoice><voiceMailUri>nowhere</voiceMailUri><poolUri/></provisionGroup>",
    );
    assert_eq!((broken.encryption, broken.audio_ports), (Encryption::Required, None));
    assert_eq!(broken.quality, nothing.quality);
    assert_eq!(broken.voice_mail, None);
    // And is kept for whoever looks for the reason.
    assert_eq!(broken.other(Group::ServerConfiguration, "voiceMailUri"), Some("nowhere"));
    assert_eq!(broken.others.len(), 5);
    // A range that no administrator switched on restricts nothing.
    let off = list(
        "<provisionGroup name=\"ServerConfiguration\"><ucMinAudioPort>5</ucMinAudioPort>\
         <ucMaxAudioPort>7</ucMaxAudioPort></provisionGroup>",
    );
    assert_eq!((off.audio_ports, off.sound_ports()), (Some((5, 7)), None));
}

#[test]
fn the_request_names_its_groups() {
    let body = request_body(&[Group::ServerConfiguration, Group::UcPolicy], Some("192.0.2.0"));
    assert_eq!(
        body,
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\" \
         subnet=\"192.0.2.0\"><provisioningGroup name=\"ServerConfiguration\"/><provisioningGroup name=\"ucPolicy\"/>\
         </provisioningGroupList>"
    );
}

/// Every setting of the document above stands in the table, and the table names no setting that is not tried here.
#[test]
fn the_table_of_defaults_names_what_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/provisioning.md");
    let table = fs::read_to_string(path).unwrap();
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with("| ") && !line.contains("`others`")) {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (group, settings) = (cells.next().unwrap(), cells.next().unwrap());
        if group == "Group" {
            continue;
        }
        for setting in settings.split(", ") {
            named += 1;
            let known = ALL.to_ascii_lowercase();
            assert!(known.contains(&setting.to_ascii_lowercase()), "{group} {setting} is not tried");
        }
    }
    assert_eq!(named, 44);
}
