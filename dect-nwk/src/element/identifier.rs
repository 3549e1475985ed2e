//! Identifiers of information elements.

use std::{fmt, str::FromStr};

use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

macro_rules! identifiers {
    ($($(#[$meta:meta])* $name:ident = $octet:literal, $text:literal;)*) => {
        /// Which information element it is.
        ///
        /// The text form is the standard's name in lower case with hyphens.
        ///
        /// EN 300 175-5 7.6.1, 7.7.1
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ElementIdentifier {
            $($(#[$meta])* #[doc = concat!("`", $text, "`, ", stringify!($octet), ".")] $name,)*
            /// An identifier the standard reserves; the first octet with the bits of single octet contents zero.
            Reserved(u8),
            /// An identifier of another codeset than 0; its first octet as in `Reserved`.
            OtherCodeset(u8),
        }

        impl ElementIdentifier {
            /// Every identifier of codeset 0 with a name, in the order of their octets.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The first octet of the element, with the contents of a single octet element zero unless they make
            /// its name.
            ///
            /// EN 300 175-5 7.6.1, 7.7.1
            pub const fn octet(self) -> u8 {
                match self {
                    $(Self::$name => $octet,)*
                    Self::Reserved(octet) | Self::OtherCodeset(octet) => octet,
                }
            }

            /// The standard's name in lower case.
            ///
            /// EN 300 175-5 7.6.1, 7.7.1
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Reserved(_) => "reserved",
                    Self::OtherCodeset(_) => "other-codeset",
                }
            }

            /// The identifier of codeset 0 with this first octet.
            ///
            /// EN 300 175-5 7.6.1, 7.7.1
            #[inline]
            pub const fn from_octet(octet: u8) -> Self {
                BY_OCTET[octet as usize]
            }

            const fn read(octet: u8) -> Self {
                let named = match octet {
                    0x90..=0x9f => octet & 0xf8,
                    0xd0..=0xdf => 0xd0,
                    other => other,
                };
                match named {
                    $($octet => Self::$name,)*
                    _ if octet < 0x80 || octet >> 4 == 0xe => Self::Reserved(octet),
                    _ => Self::Reserved(octet & 0xf0),
                }
            }
        }
    };
}

/// What every first octet says, looked up rather than compared.
static BY_OCTET: [ElementIdentifier; 256] = {
    let mut all = [ElementIdentifier::Reserved(0); 256];
    let mut octet = 0;
    while octet < 256 {
        all[octet] = ElementIdentifier::read(octet as u8);
        octet += 1;
    }
    all
};

identifiers! {
    InfoType = 0x01, "info-type";
    IdentityType = 0x02, "identity-type";
    PortableIdentity = 0x05, "portable-identity";
    FixedIdentity = 0x06, "fixed-identity";
    LocationArea = 0x07, "location-area";
    NwkAssignedIdentity = 0x09, "nwk-assigned-identity";
    AuthType = 0x0a, "auth-type";
    AllocationType = 0x0b, "allocation-type";
    Rand = 0x0c, "rand";
    Res = 0x0d, "res";
    Rs = 0x0e, "rs";
    IwuAttributes = 0x12, "iwu-attributes";
    CallAttributes = 0x13, "call-attributes";
    ServiceChangeInfo = 0x16, "service-change-info";
    ConnectionAttributes = 0x17, "connection-attributes";
    CipherInfo = 0x19, "cipher-info";
    CallIdentity = 0x1a, "call-identity";
    ConnectionIdentity = 0x1b, "connection-identity";
    Facility = 0x1c, "facility";
    ProgressIndicator = 0x1e, "progress-indicator";
    MmsGenericHeader = 0x20, "mms-generic-header";
    MmsObjectHeader = 0x21, "mms-object-header";
    MmsExtendedHeader = 0x22, "mms-extended-header";
    TimeDate = 0x23, "time-date";
    MultiDisplay = 0x28, "multi-display";
    MultiKeypad = 0x2c, "multi-keypad";
    FeatureActivate = 0x38, "feature-activate";
    FeatureIndicate = 0x39, "feature-indicate";
    NetworkParameter = 0x41, "network-parameter";
    ExtHoIndicator = 0x42, "ext-ho-indicator";
    ZapField = 0x52, "zap-field";
    ServiceClass = 0x54, "service-class";
    Key = 0x56, "key";
    RejectReason = 0x60, "reject-reason";
    SetupCapability = 0x62, "setup-capability";
    TerminalCapability = 0x63, "terminal-capability";
    EndToEndCompatibility = 0x64, "end-to-end-compatibility";
    RateParameters = 0x65, "rate-parameters";
    TransitDelay = 0x66, "transit-delay";
    WindowSize = 0x67, "window-size";
    UleMacConfigurationInfo = 0x68, "ule-mac-configuration-info";
    CallingPartyNumber = 0x6c, "calling-party-number";
    CallingPartyName = 0x6d, "calling-party-name";
    CalledPartyNumber = 0x70, "called-party-number";
    CalledPartySubaddr = 0x71, "called-party-subaddr";
    Duration = 0x72, "duration";
    CalledPartyName = 0x73, "called-party-name";
    ListChangeDetails = 0x74, "list-change-details";
    SegmentedInfo = 0x75, "segmented-info";
    Alphanumeric = 0x76, "alphanumeric";
    IwuToIwu = 0x77, "iwu-to-iwu";
    ModelIdentifier = 0x78, "model-identifier";
    IwuPacket = 0x7a, "iwu-packet";
    EscapeToProprietary = 0x7b, "escape-to-proprietary";
    CodecList = 0x7c, "codec-list";
    EventsNotification = 0x7d, "events-notification";
    CallInformation = 0x7e, "call-information";
    EscapeForExtension = 0x7f, "escape-for-extension";
    LockingShift = 0x90, "locking-shift";
    NonLockingShift = 0x98, "non-locking-shift";
    SendingComplete = 0xa1, "sending-complete";
    DelimiterRequest = 0xa2, "delimiter-request";
    UseTpui = 0xa3, "use-tpui";
    RepeatIndicator = 0xd0, "repeat-indicator";
    BasicService = 0xe0, "basic-service";
    ReleaseReason = 0xe2, "release-reason";
    Signal = 0xe4, "signal";
    TimerRestart = 0xe5, "timer-restart";
    TestHookControl = 0xe6, "test-hook-control";
    SingleDisplay = 0xe8, "single-display";
    SingleKeypad = 0xe9, "single-keypad";
}

impl ElementIdentifier {
    /// The identifier with this name.
    ///
    /// EN 300 175-5 7.6.1, 7.7.1
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|identifier| identifier.name() == name)
    }

    /// The number by which tools show it: the first octet, for a single octet element without its contents.
    ///
    /// EN 300 175-5 7.6.1, 7.7.1
    pub const fn number(self) -> u8 {
        match self {
            Self::SendingComplete | Self::DelimiterRequest | Self::UseTpui => 0xa0,
            Self::LockingShift | Self::NonLockingShift => 0x90,
            _ => self.octet(),
        }
    }

    /// Whether it has a length octet.
    ///
    /// EN 300 175-5 7.5
    pub const fn is_variable(self) -> bool {
        self.octet() < 0x80
    }

    /// Whether it has exactly one octet of contents and no length.
    ///
    /// EN 300 175-5 7.5
    pub const fn is_double(self) -> bool {
        self.octet() >> 4 == 0xe
    }
}

impl fmt::Display for ElementIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(octet) | Self::OtherCodeset(octet) => write!(f, "{}-{octet:02x}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

impl FromStr for ElementIdentifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let octet = |digits| u8::from_str_radix(digits, 16).map_err(|_| Error::Value(Rule::Digit));
        if let Some(digits) = text.strip_prefix("reserved-") {
            octet(digits).map(Self::Reserved)
        } else if let Some(digits) = text.strip_prefix("other-codeset-") {
            octet(digits).map(Self::OtherCodeset)
        } else {
            Self::from_name(text).ok_or(Error::Value(Rule::Reserved))
        }
    }
}

serde_as_text!(ElementIdentifier);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_and_names_lead_back_to_the_identifier() {
        for identifier in ElementIdentifier::ALL.iter().copied() {
            assert_eq!(ElementIdentifier::from_octet(identifier.octet()), identifier);
            assert_eq!(identifier.to_string().parse(), Ok(identifier));
        }
        for octet in 0..=0xff {
            let identifier = ElementIdentifier::from_octet(octet);
            assert_eq!(identifier.is_variable(), octet < 0x80);
            assert_eq!(identifier.is_double(), octet >> 4 == 0xe);
            assert_eq!(identifier.to_string().parse(), Ok(identifier));
        }
        assert_eq!(ElementIdentifier::from_octet(0xd2), ElementIdentifier::RepeatIndicator);
        assert_eq!(ElementIdentifier::from_octet(0x9a), ElementIdentifier::NonLockingShift);
        assert_eq!(ElementIdentifier::from_octet(0xa4), ElementIdentifier::Reserved(0xa0));
        assert_eq!(ElementIdentifier::from_octet(0x03), ElementIdentifier::Reserved(0x03));
        assert_eq!(ElementIdentifier::SendingComplete.number(), 160);
    }
}
