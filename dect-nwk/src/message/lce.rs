//! Link control messages: which elements they have, by EN 300 175-5 6.3.7.

use super::rules::rules;

rules! {
    LCE_PAGE_RESPONSE {
        mandatory both: PortableIdentity;
        optional both: FixedIdentity, NwkAssignedIdentity, CipherInfo;
    }
    LCE_PAGE_REJECT {
        mandatory both: PortableIdentity;
        optional both: FixedIdentity, RejectReason;
    }
}
