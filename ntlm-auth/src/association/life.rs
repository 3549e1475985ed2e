//! How long an association lasts, and when another login takes its place.

/// Where an association is in its life.
///
/// MS-SIPAE 3.1.1, 3.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AssociationState {
    /// It signs and verifies.
    Established,
    /// It still signs and verifies, and a new login is due or under way.
    Renewing,
    /// It is over; its keys are gone.
    Ended,
}

/// What happens to an association.
///
/// MS-SIPAE 3.2.2, 3.2.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AssociationTrigger {
    /// The time to log in anew has come.
    RenewalDue,
    /// The peer challenges: it does not know the association any more.
    Challenged,
    /// A new login is complete. Not before that: answers to older requests may still come with old signatures.
    Replaced,
    /// Its time is over.
    Expired,
}

impl AssociationState {
    /// All of them.
    ///
    /// `docs/states/association.md`
    pub const ALL: [Self; 3] = [Self::Established, Self::Renewing, Self::Ended];

    /// What follows.
    ///
    /// MS-SIPAE 3.2.2; `docs/states/association.md`
    #[must_use]
    pub const fn step(self, trigger: AssociationTrigger) -> Self {
        match (self, trigger) {
            (Self::Established, AssociationTrigger::RenewalDue | AssociationTrigger::Challenged) => {
                Self::Renewing
            }
            (Self::Renewing, AssociationTrigger::RenewalDue | AssociationTrigger::Challenged) => {
                Self::Renewing
            }
            (
                Self::Established | Self::Renewing,
                AssociationTrigger::Replaced | AssociationTrigger::Expired,
            ) => Self::Ended,
            (
                Self::Ended,
                AssociationTrigger::RenewalDue
                | AssociationTrigger::Challenged
                | AssociationTrigger::Replaced
                | AssociationTrigger::Expired,
            ) => Self::Ended,
        }
    }
}

impl AssociationTrigger {
    /// All of them.
    ///
    /// `docs/states/association.md`
    pub const ALL: [Self; 4] = [Self::RenewalDue, Self::Challenged, Self::Replaced, Self::Expired];
}
