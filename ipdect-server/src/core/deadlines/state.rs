//! What a waiter waits for.

/// The bits of a time that a waiter knows: no record looks farther ahead than half of them, six days.
pub(super) const TIME: u32 = (1 << 30) - 1;

/// What a waiter waits for, in four octets: a time of thirty bits below two bits that say what it means.
///
/// A waiter that waits has at least one record, and the first of them looks at it no later than its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State(pub(super) u32);

impl State {
    /// Above a time: waits for nothing, but a record is there that looks at it by then.
    pub(super) const IDLE: u32 = 1 << 30;
    /// Waits for nothing, and no record is known.
    pub(super) const RESTING: Self = Self(2 << 30);
    /// Waits for so long that its deadline stands elsewhere; it has a record.
    pub(super) const FAR: Self = Self((2 << 30) + 1);
    /// Was removed; no record is known.
    pub(super) const FREE: Self = Self((2 << 30) + 2);
    /// Above a time: was removed, but a record is there that looks at it by then.
    pub(super) const LEFT: u32 = 3 << 30;

    pub(super) const fn waits(self) -> bool {
        self.0 <= TIME
    }

    pub(super) const fn is_idle(self) -> bool {
        self.0 >> 30 == 1
    }

    pub(super) const fn is_free(self) -> bool {
        self.0 >= Self::FREE.0
    }

    /// How far ahead of `now` its time is.
    pub(super) const fn ahead(self, now: u64) -> u64 {
        (self.0.wrapping_sub(now as u32) & TIME) as u64
    }
}
