//! Connection oriented message service messages: which elements they have, by EN 300 175-5 6.3.4.

use super::rules::rules;

rules! {
    COMS_SETUP {
        mandatory both: PortableIdentity, FixedIdentity, IwuAttributes;
        optional both: ConnectionAttributes, CalledPartyNumber, CalledPartySubaddr, IwuToIwu,
            IwuPacket;
        optional fixed: MultiDisplay, SingleDisplay;
    }
    COMS_INFO {
        optional fixed: MultiDisplay, SingleDisplay;
        optional both: Alphanumeric, IwuToIwu, IwuPacket;
    }
    COMS_ACK {
        optional fixed: MultiDisplay, SingleDisplay;
    }
    COMS_CONNECT {
        optional fixed: MultiDisplay, SingleDisplay;
        optional both: IwuToIwu, IwuPacket;
    }
    COMS_RELEASE {
        optional both: IwuToIwu, IwuPacket, ReleaseReason;
        optional fixed: MultiDisplay, SingleDisplay;
    }
    COMS_RELEASE_COM {
        optional both: IwuToIwu, IwuPacket, ReleaseReason;
        optional fixed: MultiDisplay, SingleDisplay;
    }
    COMS_NOTIFY {
        optional both: TimerRestart;
    }
}
