//! Message types.

use super::{ProtocolDiscriminator, Requirement, Side, cc, ciss, clms, coms, crss, lce, mm, rules::Senders};

macro_rules! message_types {
    ($($name:ident = $protocol:ident, $code:literal, $text:literal, $senders:ident, $table:expr;)*) => {
        /// The type of a message, which names its protocol too.
        ///
        /// EN 300 175-5 7.4
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum MessageType {
            $(
                #[doc = concat!("`", $text, "`, ", stringify!($code), ".")]
                $name,
            )*
            /// A type the protocol has not.
            Unknown(ProtocolDiscriminator, u8),
        }

        impl MessageType {
            /// Every type with a name.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The type with this code in a protocol.
            ///
            /// EN 300 175-5 7.4
            pub const fn from_code(protocol: ProtocolDiscriminator, code: u8) -> Self {
                match (protocol, code) {
                    $((ProtocolDiscriminator::$protocol, $code) => Self::$name,)*
                    _ => Self::Unknown(protocol, code),
                }
            }

            /// Its code.
            ///
            /// EN 300 175-5 7.4
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown(_, code) => code,
                }
            }

            /// The protocol it belongs to.
            ///
            /// EN 300 175-5 7.2
            pub const fn protocol_discriminator(self) -> ProtocolDiscriminator {
                match self {
                    $(Self::$name => ProtocolDiscriminator::$protocol,)*
                    Self::Unknown(protocol, _) => protocol,
                }
            }

            /// Its name in the standard.
            ///
            /// EN 300 175-5 6.3, 7.4
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown(..) => "UNKNOWN",
                }
            }

            /// Its element table.
            ///
            /// EN 300 175-5 6.3
            pub const fn requirements(self) -> &'static [Requirement] {
                match self {
                    $(Self::$name => $table,)*
                    Self::Unknown(..) => &[],
                }
            }

            /// Whether this side may send it.
            ///
            /// EN 300 175-5 6.3
            pub const fn may_come_from(self, side: Side) -> bool {
                match self {
                    $(Self::$name => Senders::$senders.include(side),)*
                    Self::Unknown(..) => false,
                }
            }
        }
    };
}

message_types! {
    LcePageResponse = Lce, 0x71, "LCE-PAGE-RESPONSE", Portable, lce::LCE_PAGE_RESPONSE;
    LcePageReject = Lce, 0x72, "LCE-PAGE-REJECT", Fixed, lce::LCE_PAGE_REJECT;
    CcAlerting = Cc, 0x01, "CC-ALERTING", Both, cc::CC_ALERTING;
    CcCallProc = Cc, 0x02, "CC-CALL-PROC", Fixed, cc::CC_CALL_PROC;
    CcSetup = Cc, 0x05, "CC-SETUP", Both, cc::CC_SETUP;
    CcConnect = Cc, 0x07, "CC-CONNECT", Both, cc::CC_CONNECT;
    CcSetupAck = Cc, 0x0d, "CC-SETUP-ACK", Fixed, cc::CC_SETUP_ACK;
    CcConnectAck = Cc, 0x0f, "CC-CONNECT-ACK", Both, cc::CC_CONNECT_ACK;
    CcServiceChange = Cc, 0x20, "CC-SERVICE-CHANGE", Both, cc::CC_SERVICE_CHANGE;
    CcServiceAccept = Cc, 0x21, "CC-SERVICE-ACCEPT", Both, cc::CC_SERVICE_ACCEPT;
    CcServiceReject = Cc, 0x23, "CC-SERVICE-REJECT", Both, cc::CC_SERVICE_REJECT;
    CcRelease = Cc, 0x4d, "CC-RELEASE", Both, cc::CC_RELEASE;
    CcReleaseCom = Cc, 0x5a, "CC-RELEASE-COM", Both, cc::CC_RELEASE_COM;
    Hold = Cc, 0x24, "HOLD", Both, crss::HOLD;
    HoldAck = Cc, 0x28, "HOLD-ACK", Both, crss::HOLD_ACK;
    HoldReject = Cc, 0x30, "HOLD-REJECT", Both, crss::HOLD_REJECT;
    Retrieve = Cc, 0x31, "RETRIEVE", Both, crss::RETRIEVE;
    RetrieveAck = Cc, 0x33, "RETRIEVE-ACK", Both, crss::RETRIEVE_ACK;
    RetrieveReject = Cc, 0x37, "RETRIEVE-REJECT", Both, crss::RETRIEVE_REJECT;
    IwuInfo = Cc, 0x60, "IWU-INFO", Both, cc::IWU_INFO;
    CrssFacility = Cc, 0x62, "FACILITY", Both, crss::FACILITY;
    CcNotify = Cc, 0x6e, "CC-NOTIFY", Fixed, cc::CC_NOTIFY;
    CcInfo = Cc, 0x7b, "CC-INFO", Both, cc::CC_INFO;
    CissReleaseCom = Ciss, 0x5a, "CISS-RELEASE-COM", Both, ciss::CISS_RELEASE_COM;
    CissFacility = Ciss, 0x62, "FACILITY", Both, crss::FACILITY;
    CissRegister = Ciss, 0x64, "CISS-REGISTER", Both, ciss::CISS_REGISTER;
    AuthenticationRequest = Mm, 0x40, "AUTHENTICATION-REQUEST", Both, mm::AUTHENTICATION_REQUEST;
    AuthenticationReply = Mm, 0x41, "AUTHENTICATION-REPLY", Both, mm::AUTHENTICATION_REPLY;
    KeyAllocate = Mm, 0x42, "KEY-ALLOCATE", Fixed, mm::KEY_ALLOCATE;
    AuthenticationReject = Mm, 0x43, "AUTHENTICATION-REJECT", Both, mm::AUTHENTICATION_REJECT;
    AccessRightsRequest = Mm, 0x44, "ACCESS-RIGHTS-REQUEST", Portable, mm::ACCESS_RIGHTS_REQUEST;
    AccessRightsAccept = Mm, 0x45, "ACCESS-RIGHTS-ACCEPT", Fixed, mm::ACCESS_RIGHTS_ACCEPT;
    AccessRightsReject = Mm, 0x47, "ACCESS-RIGHTS-REJECT", Fixed, mm::ACCESS_RIGHTS_REJECT;
    AccessRightsTerminateRequest = Mm, 0x48, "ACCESS-RIGHTS-TERMINATE-REQUEST", Both, mm::ACCESS_RIGHTS_TERMINATE_REQUEST;
    AccessRightsTerminateAccept = Mm, 0x49, "ACCESS-RIGHTS-TERMINATE-ACCEPT", Both, mm::ACCESS_RIGHTS_TERMINATE_ACCEPT;
    AccessRightsTerminateReject = Mm, 0x4b, "ACCESS-RIGHTS-TERMINATE-REJECT", Both, mm::ACCESS_RIGHTS_TERMINATE_REJECT;
    CipherRequest = Mm, 0x4c, "CIPHER-REQUEST", Fixed, mm::CIPHER_REQUEST;
    CipherSuggest = Mm, 0x4e, "CIPHER-SUGGEST", Portable, mm::CIPHER_SUGGEST;
    CipherReject = Mm, 0x4f, "CIPHER-REJECT", Both, mm::CIPHER_REJECT;
    MmInfoRequest = Mm, 0x50, "MM-INFO-REQUEST", Portable, mm::MM_INFO_REQUEST;
    MmInfoAccept = Mm, 0x51, "MM-INFO-ACCEPT", Fixed, mm::MM_INFO_ACCEPT;
    MmInfoSuggest = Mm, 0x52, "MM-INFO-SUGGEST", Fixed, mm::MM_INFO_SUGGEST;
    MmInfoReject = Mm, 0x53, "MM-INFO-REJECT", Fixed, mm::MM_INFO_REJECT;
    LocateRequest = Mm, 0x54, "LOCATE-REQUEST", Portable, mm::LOCATE_REQUEST;
    LocateAccept = Mm, 0x55, "LOCATE-ACCEPT", Fixed, mm::LOCATE_ACCEPT;
    Detach = Mm, 0x56, "DETACH", Portable, mm::DETACH;
    LocateReject = Mm, 0x57, "LOCATE-REJECT", Fixed, mm::LOCATE_REJECT;
    IdentityRequest = Mm, 0x58, "IDENTITY-REQUEST", Fixed, mm::IDENTITY_REQUEST;
    IdentityReply = Mm, 0x59, "IDENTITY-REPLY", Portable, mm::IDENTITY_REPLY;
    MmIwu = Mm, 0x5b, "MM-IWU", Both, mm::MM_IWU;
    TemporaryIdentityAssign = Mm, 0x5c, "TEMPORARY-IDENTITY-ASSIGN", Fixed, mm::TEMPORARY_IDENTITY_ASSIGN;
    TemporaryIdentityAssignAck = Mm, 0x5d, "TEMPORARY-IDENTITY-ASSIGN-ACK", Portable, mm::TEMPORARY_IDENTITY_ASSIGN_ACK;
    TemporaryIdentityAssignRej = Mm, 0x5f, "TEMPORARY-IDENTITY-ASSIGN-REJ", Portable, mm::TEMPORARY_IDENTITY_ASSIGN_REJ;
    MmNotify = Mm, 0x6e, "MM-NOTIFY", Fixed, mm::MM_NOTIFY;
    ClmsVariable = Clms, 0x01, "CLMS-VARIABLE", Both, clms::CLMS_VARIABLE;
    ComsSetup = Coms, 0x05, "COMS-SETUP", Both, coms::COMS_SETUP;
    ComsConnect = Coms, 0x07, "COMS-CONNECT", Both, coms::COMS_CONNECT;
    ComsNotify = Coms, 0x08, "COMS-NOTIFY", Fixed, coms::COMS_NOTIFY;
    ComsRelease = Coms, 0x4d, "COMS-RELEASE", Both, coms::COMS_RELEASE;
    ComsReleaseCom = Coms, 0x5a, "COMS-RELEASE-COM", Both, coms::COMS_RELEASE_COM;
    ComsAck = Coms, 0x78, "COMS-ACK", Both, coms::COMS_ACK;
    ComsInfo = Coms, 0x7b, "COMS-INFO", Both, coms::COMS_INFO;
}

impl MessageType {
    /// The type with this name in a protocol.
    ///
    /// EN 300 175-5 6.3, 7.4
    pub fn from_name(protocol: ProtocolDiscriminator, name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.protocol_discriminator() == protocol && kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_the_type() {
        for kind in MessageType::ALL.iter().copied() {
            assert_eq!(MessageType::from_code(kind.protocol_discriminator(), kind.code()), kind);
            assert_eq!(MessageType::from_name(kind.protocol_discriminator(), kind.name()), Some(kind));
            assert!(kind.may_come_from(Side::Fixed) || kind.may_come_from(Side::Portable));
        }
        assert_eq!(MessageType::ALL.len(), 62);
        let unknown = MessageType::from_code(ProtocolDiscriminator::Cc, 0x7f);
        assert_eq!(unknown, MessageType::Unknown(ProtocolDiscriminator::Cc, 0x7f));
    }
}
