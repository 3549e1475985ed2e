//! The timers and counters of the network layer with their values.
//!
//! EN 300 175-5 annex A

use std::time::Duration;

/// LCE.01, link release: from the release request to its confirmation.
///
/// EN 300 175-5 A.4
pub const LCE_01: Duration = Duration::from_secs(5);
/// LCE.02, link maintain: a partially released link waits this long for a new user (3 s to 10 s).
///
/// EN 300 175-5 A.4
pub const LCE_02: Duration = Duration::from_secs(5);
/// LCE.03, page: from a page to its repetition.
///
/// EN 300 175-5 A.4
pub const LCE_03: Duration = Duration::from_secs(3);
/// LCE.04, suspend and resume: from the request to its confirmation.
///
/// EN 300 175-5 A.4
pub const LCE_04: Duration = Duration::from_secs(5);
/// LCE.05, a link established without a message waits this long for one.
///
/// EN 300 175-5 A.4
pub const LCE_05: Duration = Duration::from_secs(5);
/// N300, repetitions of a page for voice.
///
/// EN 300 175-5 A.4
pub const N300: u8 = 3;

/// CC.01, overlap sending: from CC-SETUP-ACK or the last CC-INFO to the next.
///
/// EN 300 175-5 A.1
pub const CC_01: Duration = Duration::from_secs(20);
/// CC.02, release: from CC-RELEASE to CC-RELEASE-COM.
///
/// EN 300 175-5 A.1
pub const CC_02: Duration = Duration::from_secs(36);
/// CC.03, set-up: from CC-SETUP to the first answer.
///
/// EN 300 175-5 A.1
pub const CC_03: Duration = Duration::from_secs(20);
/// CC.04, completion: from CC-CALL-PROC or CC-ALERTING to CC-CONNECT.
///
/// EN 300 175-5 A.1
pub const CC_04: Duration = Duration::from_secs(100);
/// CC.05, connect: from CC-CONNECT to CC-CONNECT-ACK.
///
/// EN 300 175-5 A.1
pub const CC_05: Duration = Duration::from_secs(10);
/// CC.06, set-up collision: the portable part waits this long for the new CC-SETUP of the fixed part.
///
/// EN 300 175-5 A.1
pub const CC_06: Duration = Duration::from_millis(1500);

/// `CC_service`, service change: from CC-SERVICE-CHANGE to its answer.
///
/// EN 300 175-5 A.1
pub const CC_SERVICE: Duration = Duration::from_secs(20);

/// How long a transaction of call independent services lives without a message; the standard has no such timer, and a
/// silent peer must not hold a link for ever.
///
/// EN 300 175-5 10.4.2 (the time is ours)
pub const CISS_IDLE: Duration = Duration::from_secs(30);

/// `CC_segment.1`: from the first segment of a long element to the last.
///
/// EN 300 175-5 A.1
pub const CC_SEGMENT_1: Duration = Duration::from_secs(5);

/// MM_access.1, access rights request of the portable part.
///
/// EN 300 175-5 A.5
pub const MM_ACCESS_1: Duration = Duration::from_mins(1);
/// MM_access.2, access rights terminate asked by the fixed part.
///
/// EN 300 175-5 A.5
pub const MM_ACCESS_2_FIXED: Duration = Duration::from_secs(10);
/// MM_access.2, access rights terminate asked by the portable part.
///
/// EN 300 175-5 A.5
pub const MM_ACCESS_2_PORTABLE: Duration = Duration::from_secs(20);
/// MM_auth.1, authentication.
///
/// EN 300 175-5 A.5
pub const MM_AUTH_1: Duration = Duration::from_secs(10);
/// MM_auth.2, authentication of the user, who has to enter a personal identity.
///
/// EN 300 175-5 A.5
pub const MM_AUTH_2: Duration = Duration::from_secs(100);
/// `MM_wait`, the standard time a refused portable part waits before it asks again.
///
/// EN 300 175-5 A.5
pub const MM_WAIT: Duration = Duration::from_mins(5);
/// MM_cipher.1, cipher switching asked by the fixed part.
///
/// EN 300 175-5 A.5
pub const MM_CIPHER_1: Duration = Duration::from_secs(10);
/// MM_cipher.2, cipher switching suggested by the portable part.
///
/// EN 300 175-5 A.5
pub const MM_CIPHER_2: Duration = Duration::from_secs(10);
/// MM_ident.1, temporary identity assignment.
///
/// EN 300 175-5 A.5
pub const MM_IDENT_1: Duration = Duration::from_secs(10);
/// MM_ident.2, identification of the portable part.
///
/// EN 300 175-5 A.5
pub const MM_IDENT_2: Duration = Duration::from_secs(10);
/// MM_info.1, parameters asked for by the portable part.
///
/// EN 300 175-5 A.5
pub const MM_INFO_1: Duration = Duration::from_secs(5);
/// MM_key.1, key allocation.
///
/// EN 300 175-5 A.5
pub const MM_KEY_1: Duration = Duration::from_secs(10);
/// MM_locate.1, location registration.
///
/// EN 300 175-5 A.5
pub const MM_LOCATE_1: Duration = Duration::from_secs(20);
