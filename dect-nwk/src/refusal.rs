//! Why a machine refuses a command.

use thiserror::Error as ThisError;

/// Why a [`FixedPart`](crate::FixedPart) or a [`PortablePart`](crate::PortablePart) refuses a command of its owner.
///
/// EN 300 175-5 9, 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ThisError)]
#[non_exhaustive]
pub enum Refusal {
    /// No portable part has this number.
    #[error("no such portable part")]
    UnknownPortable,
    /// No call has this number, or it is over.
    #[error("no such call")]
    UnknownCall,
    /// No transaction of call independent services has this number, or it is over.
    #[error("no such service transaction")]
    UnknownService,
    /// No request for access rights has this number, or it is answered or gone.
    #[error("no such request for access rights")]
    UnknownRequest,
    /// The call or procedure is in a state in which this command means nothing (EN 300 175-5 annex B).
    #[error("not possible in this state (EN 300 175-5 annex B)")]
    WrongState,
    /// The portable part has as many calls as it may, or another procedure runs (EN 300 175-5 13.1).
    #[error("another call or procedure is in the way (EN 300 175-5 9.3, 13.1)")]
    Busy,
    /// The portable part has no access rights or no key.
    #[error("no access rights or no key (EN 300 175-5 13.5)")]
    NotSubscribed,
    /// There is no link and none can be had for this.
    #[error("no link (EN 300 175-5 14)")]
    NoLink,
    /// The fixed part has refused and said how long to wait (EN 300 175-5 13.4, 13.5).
    #[error("the fixed part said to wait (EN 300 175-5 13.4, 13.5)")]
    Waiting,
    /// More characters than the element may carry.
    #[error("too many characters (EN 300 175-5 7.7)")]
    TooLong,
}
