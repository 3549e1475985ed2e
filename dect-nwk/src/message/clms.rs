//! Connectionless message service messages: which elements they have, by EN 300 175-5 6.3.5.

use super::rules::rules;

rules! {
    CLMS_VARIABLE {
        mandatory both: PortableIdentity;
        optional both: MmsGenericHeader, MmsObjectHeader, MmsExtendedHeader, TimeDate,
            CallingPartyNumber, CallingPartyName, CalledPartyNumber, CalledPartySubaddr,
            Alphanumeric, IwuToIwu, IwuPacket;
    }
}
