//! Mobility management messages: which elements they have, by EN 300 175-5 6.3.6.

use super::rules::rules;

rules! {
    ACCESS_RIGHTS_ACCEPT {
        mandatory both: PortableIdentity, FixedIdentity;
        optional both: LocationArea, AuthType, CipherInfo, ZapField, ServiceClass, SetupCapability,
            IwuToIwu, ModelIdentifier, CodecList;
    }
    ACCESS_RIGHTS_REJECT {
        optional both: RejectReason, Duration, IwuToIwu;
    }
    ACCESS_RIGHTS_REQUEST {
        mandatory both: PortableIdentity;
        optional both: AuthType, CipherInfo, SetupCapability, TerminalCapability, IwuToIwu,
            ModelIdentifier, CodecList;
    }
    ACCESS_RIGHTS_TERMINATE_ACCEPT {
    }
    ACCESS_RIGHTS_TERMINATE_REJECT {
        optional both: RejectReason;
        optional fixed: Duration;
    }
    ACCESS_RIGHTS_TERMINATE_REQUEST {
        mandatory both: PortableIdentity;
        optional both: FixedIdentity, IwuToIwu;
    }
    AUTHENTICATION_REJECT {
        optional both: AuthType, RejectReason, IwuToIwu;
    }
    AUTHENTICATION_REPLY {
        mandatory both: Res;
        conditional fixed: Rs;
        conditional portable: ZapField, ServiceClass;
        conditional both: Rand;
        optional portable: Key;
        optional both: IwuToIwu;
    }
    AUTHENTICATION_REQUEST {
        mandatory both: AuthType, Rand;
        conditional fixed: Rs;
        conditional portable: Res;
        optional both: CipherInfo, IwuToIwu;
    }
    CIPHER_REJECT {
        optional both: CipherInfo, RejectReason;
    }
    CIPHER_REQUEST {
        mandatory both: CipherInfo;
        optional both: CallIdentity, ConnectionIdentity, IwuToIwu;
    }
    CIPHER_SUGGEST {
        mandatory both: CipherInfo;
        optional both: CallIdentity, ConnectionIdentity, IwuToIwu;
    }
    DETACH {
        mandatory both: PortableIdentity;
        optional both: NwkAssignedIdentity, NetworkParameter, IwuToIwu;
    }
    IDENTITY_REPLY {
        optional both: PortableIdentity, FixedIdentity, NwkAssignedIdentity, NetworkParameter,
            IwuToIwu, ModelIdentifier;
    }
    IDENTITY_REQUEST {
        mandatory both: IdentityType;
        optional both: NetworkParameter, IwuToIwu;
    }
    KEY_ALLOCATE {
        mandatory both: AllocationType, Rand, Rs;
    }
    LOCATE_ACCEPT {
        mandatory both: PortableIdentity, LocationArea;
        optional both: NwkAssignedIdentity, ExtHoIndicator, SetupCapability,
            UleMacConfigurationInfo, Duration, IwuToIwu, ModelIdentifier, CodecList, UseTpui;
    }
    LOCATE_REJECT {
        optional both: RejectReason, Duration, IwuToIwu;
    }
    LOCATE_REQUEST {
        mandatory both: PortableIdentity;
        optional both: FixedIdentity, LocationArea, NwkAssignedIdentity, CipherInfo,
            NetworkParameter, SetupCapability, TerminalCapability, IwuToIwu, ModelIdentifier,
            CodecList;
    }
    MM_INFO_ACCEPT {
        optional both: InfoType, FixedIdentity, LocationArea, NwkAssignedIdentity, CallIdentity,
            NetworkParameter, Duration, IwuToIwu;
    }
    MM_INFO_REJECT {
        optional both: CallIdentity, RejectReason, IwuToIwu;
    }
    MM_INFO_REQUEST {
        mandatory both: InfoType;
        optional both: PortableIdentity, FixedIdentity, LocationArea, NwkAssignedIdentity,
            CallIdentity, NetworkParameter, Key, IwuToIwu;
    }
    MM_INFO_SUGGEST {
        mandatory both: InfoType;
        optional both: FixedIdentity, LocationArea, NwkAssignedIdentity, Rs, CallIdentity,
            NetworkParameter, ExtHoIndicator, Key, SetupCapability, IwuToIwu;
    }
    TEMPORARY_IDENTITY_ASSIGN {
        optional both: PortableIdentity, LocationArea, NwkAssignedIdentity, NetworkParameter,
            Duration, IwuToIwu;
    }
    TEMPORARY_IDENTITY_ASSIGN_ACK {
        optional both: IwuToIwu;
    }
    TEMPORARY_IDENTITY_ASSIGN_REJ {
        optional both: RejectReason;
    }
    MM_IWU {
        optional both: IwuToIwu, IwuPacket;
    }
    MM_NOTIFY {
        optional both: TimerRestart;
    }
}
