//! Call related supplementary services messages: which elements they have, by EN 300 175-5 6.3.3.

use super::rules::rules;

rules! {
    HOLD {
        optional fixed: MultiDisplay, SingleDisplay;
    }
    HOLD_ACK {
        optional fixed: MultiDisplay, SingleDisplay;
    }
    HOLD_REJECT {
        optional fixed: MultiDisplay, SingleDisplay;
        optional both: RejectReason, IwuToIwu;
    }
    RETRIEVE {
        optional fixed: MultiDisplay, SingleDisplay;
    }
    RETRIEVE_ACK {
        optional fixed: MultiDisplay, SingleDisplay;
    }
    RETRIEVE_REJECT {
        optional fixed: MultiDisplay, SingleDisplay;
        optional both: RejectReason, IwuToIwu;
    }
    FACILITY {
        conditional portable: PortableIdentity;
        optional both: Facility, TimeDate, ListChangeDetails, IwuToIwu, EventsNotification,
            CallInformation;
        optional fixed: MultiDisplay, FeatureIndicate, SingleDisplay;
        optional portable: MultiKeypad, FeatureActivate, SingleKeypad;
    }
}
