//! Call independent supplementary services messages: which elements they have, by EN 300 175-5 6.3.3.

use super::rules::rules;

rules! {
    CISS_REGISTER {
        conditional both: PortableIdentity;
        optional both: Facility;
        optional fixed: MultiDisplay, FeatureIndicate, SingleDisplay;
        optional portable: MultiKeypad, FeatureActivate, SingleKeypad;
    }
    CISS_RELEASE_COM {
        optional both: Facility, ReleaseReason;
        optional fixed: MultiDisplay, FeatureIndicate, SingleDisplay;
        optional portable: MultiKeypad, FeatureActivate, SingleKeypad;
    }
}
