//! The clock of the tests: read once, then moved by hand.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
