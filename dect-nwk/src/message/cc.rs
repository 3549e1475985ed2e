//! Call control messages: which elements they have, by EN 300 175-5 6.3.2.

use super::rules::rules;

rules! {
    CC_SETUP {
        mandatory both: PortableIdentity, FixedIdentity, BasicService;
        conditional both: IwuAttributes;
        optional portable: NwkAssignedIdentity, MultiKeypad, FeatureActivate, TerminalCapability,
            SingleKeypad;
        optional both: CallAttributes, ConnectionAttributes, CipherInfo, ConnectionIdentity,
            Facility, NetworkParameter, EndToEndCompatibility, RateParameters, TransitDelay,
            WindowSize, CallingPartyNumber, CallingPartyName, CalledPartyNumber, CalledPartySubaddr,
            IwuToIwu, IwuPacket, CodecList, CallInformation, SendingComplete;
        optional fixed: ProgressIndicator, MultiDisplay, FeatureIndicate, ExtHoIndicator, Signal,
            SingleDisplay;
    }
    CC_INFO {
        optional portable: LocationArea, NwkAssignedIdentity, FeatureActivate;
        optional both: Facility, MultiKeypad, NetworkParameter, CallingPartyNumber,
            CallingPartyName, CalledPartyNumber, CalledPartySubaddr, IwuToIwu, IwuPacket, CodecList,
            CallInformation, SendingComplete, SingleKeypad;
        optional fixed: ProgressIndicator, MultiDisplay, FeatureIndicate, ExtHoIndicator,
            CalledPartyName, Signal, TestHookControl, SingleDisplay;
    }
    CC_SETUP_ACK {
        optional both: InfoType, PortableIdentity, FixedIdentity, LocationArea, IwuAttributes,
            CallAttributes, ConnectionAttributes, ConnectionIdentity, Facility, ProgressIndicator,
            MultiDisplay, FeatureIndicate, NetworkParameter, ExtHoIndicator, TransitDelay,
            WindowSize, IwuToIwu, IwuPacket, CodecList, CallInformation, DelimiterRequest, Signal,
            SingleDisplay;
    }
    CC_CALL_PROC {
        optional both: IwuAttributes, CallAttributes, ConnectionAttributes, ConnectionIdentity,
            Facility, ProgressIndicator, MultiDisplay, FeatureIndicate, TransitDelay, WindowSize,
            CalledPartyNumber, CalledPartyName, IwuToIwu, IwuPacket, CodecList, CallInformation,
            Signal, SingleDisplay;
    }
    CC_ALERTING {
        optional both: IwuAttributes, CallAttributes, ConnectionAttributes, ConnectionIdentity,
            Facility, TransitDelay, WindowSize, IwuToIwu, IwuPacket, CodecList;
        optional fixed: ProgressIndicator, MultiDisplay, FeatureIndicate, CalledPartyNumber,
            CalledPartyName, CallInformation, Signal, SingleDisplay;
        optional portable: TerminalCapability;
    }
    CC_CONNECT {
        optional both: IwuAttributes, CallAttributes, ConnectionAttributes, ConnectionIdentity,
            Facility, TransitDelay, WindowSize, IwuToIwu, IwuPacket, CodecList;
        optional fixed: ProgressIndicator, MultiDisplay, FeatureIndicate, NetworkParameter,
            ExtHoIndicator, CalledPartyNumber, CalledPartyName, CallInformation, Signal,
            SingleDisplay;
        optional portable: TerminalCapability;
    }
    CC_CONNECT_ACK {
        optional fixed: MultiDisplay, FeatureIndicate, SingleDisplay;
        optional both: IwuToIwu, IwuPacket;
    }
    CC_RELEASE {
        optional both: Facility, ProgressIndicator, IwuToIwu, IwuPacket, ReleaseReason;
        optional fixed: MultiDisplay, FeatureIndicate, SingleDisplay;
    }
    CC_RELEASE_COM {
        optional both: IwuAttributes, ConnectionAttributes, Facility, IwuToIwu, IwuPacket,
            ReleaseReason;
        optional fixed: IdentityType, LocationArea, MultiDisplay, FeatureIndicate, NetworkParameter,
            SingleDisplay;
    }
    CC_SERVICE_CHANGE {
        mandatory both: PortableIdentity, ServiceChangeInfo;
        conditional both: ConnectionAttributes, ConnectionIdentity;
        optional both: IwuAttributes, CallAttributes, TransitDelay, WindowSize,
            UleMacConfigurationInfo, IwuToIwu, CodecList;
    }
    CC_SERVICE_ACCEPT {
        optional both: IwuAttributes, CallAttributes, ConnectionIdentity, TransitDelay, WindowSize,
            UleMacConfigurationInfo, IwuToIwu;
    }
    CC_SERVICE_REJECT {
        optional both: IwuAttributes, ConnectionAttributes, IwuToIwu, ReleaseReason;
    }
    CC_NOTIFY {
        optional both: TimerRestart;
    }
    IWU_INFO {
        optional both: PortableIdentity, MmsGenericHeader, MmsObjectHeader, MmsExtendedHeader,
            TimeDate, UleMacConfigurationInfo, CallingPartyNumber, CallingPartyName,
            CalledPartyNumber, CalledPartySubaddr, Alphanumeric, IwuToIwu, IwuPacket, CodecList;
    }
}
