//! Between the two protocols: why a call ended, as a table each way.

use super::Refused;

/// Release reasons of EN 300 175-5 7.6.7 as octets.
pub(crate) mod reason {
    pub(crate) const NORMAL: u8 = 0x00;
    pub(crate) const INCOMPATIBLE_SERVICE: u8 = 0x05;
    pub(crate) const TIMER_EXPIRY: u8 = 0x0d;
    pub(crate) const UNKNOWN: u8 = 0x0f;
    pub(crate) const USER_DETACHED: u8 = 0x10;
    pub(crate) const USER_NOT_IN_RANGE: u8 = 0x11;
    pub(crate) const USER_UNKNOWN: u8 = 0x12;
    pub(crate) const USER_BUSY: u8 = 0x14;
    pub(crate) const USER_REJECTION: u8 = 0x15;
    pub(crate) const OVERLOAD: u8 = 0x31;
    pub(crate) const INSUFFICIENT_RESOURCES: u8 = 0x32;
    pub(crate) const IWU_CONGESTION: u8 = 0x34;
}

/// What the handset is told when the front end refuses: release reason and words for its display.
pub(crate) fn refusal_to_handset(refused: Refused) -> (u8, &'static str) {
    let status = match refused {
        Refused::Status(status) => status,
        Refused::NoAnswer => return (reason::TIMER_EXPIRY, "No answer"),
        Refused::NoWay => return (reason::INCOMPATIBLE_SERVICE, "No way for speech"),
    };
    match status {
        486 | 600 => (reason::USER_BUSY, "Busy"),
        603 => (reason::USER_REJECTION, "Declined"),
        404 | 410 | 484 | 604 => (reason::USER_UNKNOWN, "Number unknown"),
        480 => (reason::USER_NOT_IN_RANGE, "Not available"),
        401 | 403 | 407 => (reason::USER_REJECTION, "Not allowed"),
        408 | 504 => (reason::TIMER_EXPIRY, "No answer"),
        415 | 488 | 606 => (reason::INCOMPATIBLE_SERVICE, "Call not possible"),
        487 => (reason::NORMAL, ""),
        503 => (reason::IWU_CONGESTION, "Service not available"),
        500..=599 => (reason::IWU_CONGESTION, "Server error"),
        _ => (reason::UNKNOWN, "Call failed"),
    }
}

/// How an incoming call is refused when the handset ends it before answering.
pub(crate) fn release_to_status(reason: u8) -> u16 {
    match reason {
        reason::USER_BUSY => 486,
        reason::USER_REJECTION | reason::NORMAL => 603,
        reason::INCOMPATIBLE_SERVICE => 488,
        reason::OVERLOAD | reason::INSUFFICIENT_RESOURCES | 0x33 | reason::IWU_CONGESTION => 503,
        reason::USER_DETACHED | reason::USER_NOT_IN_RANGE | reason::USER_UNKNOWN | reason::TIMER_EXPIRY => {
            480
        }
        _ => 480,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_in_the_handsets_words() {
        let table = [
            (Refused::Status(486), reason::USER_BUSY, "Busy"),
            (Refused::Status(404), reason::USER_UNKNOWN, "Number unknown"),
            (Refused::Status(503), reason::IWU_CONGESTION, "Service not available"),
            (Refused::Status(502), reason::IWU_CONGESTION, "Server error"),
            (Refused::Status(488), reason::INCOMPATIBLE_SERVICE, "Call not possible"),
            (Refused::Status(499), reason::UNKNOWN, "Call failed"),
            (Refused::NoWay, reason::INCOMPATIBLE_SERVICE, "No way for speech"),
            (Refused::NoAnswer, reason::TIMER_EXPIRY, "No answer"),
        ];
        for (status, reason, words) in table {
            assert_eq!(refusal_to_handset(status), (reason, words), "{status:?}");
        }
    }

    #[test]
    fn a_busy_handset_leaves_other_endpoints_ringing_and_a_declined_call_does_not() {
        // 486 and 480 are local, 603 ends all forks.
        assert_eq!(release_to_status(reason::USER_BUSY), 486);
        assert_eq!(release_to_status(reason::USER_REJECTION), 603);
        assert_eq!(release_to_status(reason::USER_NOT_IN_RANGE), 480);
        assert_eq!(release_to_status(reason::INSUFFICIENT_RESOURCES), 503);
    }
}
