//! The numbers of enhanced presence and what they mean.

/// The class of an availability number.
///
/// MS-PRES 2.2.2.7.4 (availability)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// 0 to 2999: unset.
    Unset,
    /// 3000 to 4499.
    Available,
    /// 4500 to 5999: available, but nobody at the machine.
    AvailableIdle,
    /// 6000 to 7499.
    Busy,
    /// 7500 to 8999: busy, but nobody at the machine.
    BusyIdle,
    /// 9000 to 11999.
    DoNotDisturb,
    /// 12000 to 14999.
    BeRightBack,
    /// 15000 to 17999.
    Away,
    /// From 18000.
    Offline,
}

impl Class {
    /// The class of any number.
    ///
    /// MS-PRES 2.2.2.7.4 (availability)
    #[must_use]
    pub fn of(availability: u32) -> Self {
        match availability {
            0..=2999 => Self::Unset,
            3000..=4499 => Self::Available,
            4500..=5999 => Self::AvailableIdle,
            6000..=7499 => Self::Busy,
            7500..=8999 => Self::BusyIdle,
            9000..=11999 => Self::DoNotDisturb,
            12000..=14999 => Self::BeRightBack,
            15000..=17999 => Self::Away,
            18000.. => Self::Offline,
        }
    }
}

/// A machine that is used.
pub(crate) const ACTIVE: u16 = 3500;
/// A machine that was used recently.
pub(crate) const INACTIVE: u16 = 5000;
/// A phone in a call.
pub(crate) const IN_CALL: u16 = 6500;
/// A phone in a conference.
pub(crate) const IN_CONFERENCE: u16 = 7000;
/// A user who does not want to be disturbed.
pub(crate) const DO_NOT_DISTURB: u16 = 9500;
/// A machine that was not used for long.
pub(crate) const AWAY: u16 = 15500;
/// Up to here a phone activity counts.
pub(crate) const BUSY_LIMIT: u32 = 8999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_number_has_the_class_that_is_meant() {
        for (number, class) in [
            (ACTIVE, Class::Available),
            (INACTIVE, Class::AvailableIdle),
            (IN_CALL, Class::Busy),
            (IN_CONFERENCE, Class::Busy),
            (DO_NOT_DISTURB, Class::DoNotDisturb),
            (AWAY, Class::Away),
        ] {
            assert_eq!(Class::of(u32::from(number)), class, "{number}");
        }
    }

    #[test]
    fn classes_change_exactly_at_their_borders() {
        let borders = [3000, 4500, 6000, 7500, 9000, 12000, 15000, 18000];
        for border in borders {
            assert!(Class::of(border - 1) < Class::of(border), "{border}");
        }
        let changes = (1..20_000).filter(|number| Class::of(number - 1) != Class::of(*number)).count();
        assert_eq!(changes, borders.len());
        assert_eq!(Class::of(u32::MAX), Class::Offline);
    }
}
