//! Call independent supplementary services: the state of one transaction, the same for both sides.
//!
#![doc = include_str!("../docs/states/ciss.md")]

use crate::Octets;
use crate::element::{ElementIdentifier, Facility, FeatureActivate, FeatureIndicate, InformationElement};
use crate::error::Error;
use crate::message::{Transaction, View};
use crate::segmentation::{self, Assembly};

/// The state of a transaction.
///
/// EN 300 175-5 10.4.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is none, or it is over.
    #[default]
    Null,
    /// CISS-REGISTER was sent or received.
    Active,
}

/// What can happen.
///
/// EN 300 175-5 10.4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The owner opens the transaction.
    Open,
    /// The owner has more to say.
    Inform,
    /// The owner ends the transaction.
    Close,
    /// CISS-REGISTER came in.
    RegisterReceived,
    /// FACILITY came in.
    FacilityReceived,
    /// CISS-RELEASE-COM came in.
    ReleaseReceived,
    /// Nobody has said anything for too long.
    Timeout,
    /// The link is gone, or the page was never answered.
    LinkLost,
}

/// What has to be done, in this order.
///
/// EN 300 175-5 10.4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send CISS-REGISTER.
    SendRegister,
    /// Send FACILITY.
    SendFacility,
    /// Send CISS-RELEASE-COM.
    SendRelease,
    /// Start or restart the time in which somebody has to say something.
    StartTimer,
    /// Stop that time.
    StopTimer,
    /// Tell the owner of the new transaction and what came with it.
    IndicateOpened,
    /// Tell the owner what came.
    IndicateInformation,
    /// Tell the owner that the transaction is over.
    IndicateClosed,
    /// Tell link control that the transaction needs the link no more: a partial release.
    FreeLink,
}

impl State {
    /// All states.
    ///
    /// EN 300 175-5 10.4.2
    pub const ALL: [Self; 2] = [Self::Null, Self::Active];
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 10.4.2
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Inform,
        Self::Close,
        Self::RegisterReceived,
        Self::FacilityReceived,
        Self::ReleaseReceived,
        Self::Timeout,
        Self::LinkLost,
    ];
}

/// One step of a transaction.
///
/// EN 300 175-5 10.4.2
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    match (state, trigger) {
        (S::Null, T::Open) => (S::Active, &[A::SendRegister, A::StartTimer]),
        (S::Null, T::RegisterReceived) => (S::Active, &[A::StartTimer, A::IndicateOpened]),
        (S::Active, T::Inform) => (S::Active, &[A::SendFacility, A::StartTimer]),
        (S::Active, T::FacilityReceived) => (S::Active, &[A::StartTimer, A::IndicateInformation]),
        (S::Active, T::Close) => (S::Null, &[A::StopTimer, A::SendRelease, A::FreeLink]),
        (S::Active, T::Timeout) => (S::Null, &[A::SendRelease, A::IndicateClosed, A::FreeLink]),
        (S::Active, T::ReleaseReceived) => (S::Null, &[A::StopTimer, A::IndicateClosed, A::FreeLink]),
        (S::Active, T::LinkLost) => (S::Null, &[A::StopTimer, A::IndicateClosed]),
        // CISS-REGISTER of a transaction that is known, and everything of one that is not.
        (S::Active, T::Open | T::RegisterReceived)
        | (
            S::Null,
            T::Inform | T::Close | T::FacilityReceived | T::ReleaseReceived | T::Timeout | T::LinkLost,
        ) => (state, &[]),
    }
}

/// What a portable part says in a transaction.
///
/// EN 300 175-5 6.3.3 (CISS-REGISTER, FACILITY, CISS-RELEASE-COM)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Keys, most often a code of the system: the keypad protocol.
    pub keys: String,
    /// A feature key.
    pub feature: Option<FeatureActivate>,
    /// Remote operations of a functional supplementary service.
    pub components: Vec<u8>,
}

/// What a fixed part says in a transaction.
///
/// EN 300 175-5 6.3.3 (CISS-REGISTER, FACILITY, CISS-RELEASE-COM)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Text for the display.
    pub display: Option<String>,
    /// What became of a feature.
    pub feature: Option<FeatureIndicate>,
    /// Remote operations of a functional supplementary service.
    pub components: Vec<u8>,
}

/// The most octets of components that go into one element, and so into CISS-REGISTER and CISS-RELEASE-COM.
pub(crate) const ONE_ELEMENT: usize = Octets::<250>::LIMIT;

/// The highest transaction value; the next one is for connectionless services.
pub(crate) const LAST_VALUE: u8 = Transaction::CONNECTIONLESS - 1;

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Whether this side opened it.
    pub(crate) ours: bool,
    /// The transaction value.
    pub(crate) value: u8,
    pub(crate) state: State,
    /// Components that come in segments.
    pub(crate) assembly: Assembly,
}

impl Service {
    pub(crate) fn new(ours: bool, value: u8) -> Self {
        Self { ours, value, state: State::Null, assembly: Assembly::default() }
    }

    pub(crate) const fn transaction(&self) -> Transaction {
        if self.ours { Transaction::opened(self.value) } else { Transaction::answered(self.value) }
    }

    /// The components of a message: those in its one element, or those its segments complete.
    pub(crate) fn components(&mut self, message: &View<'_>) -> Vec<u8> {
        let mut segmented = false;
        let mut whole = Vec::new();
        for (info, piece) in message.segments().filter(|it| it.0.element == ElementIdentifier::Facility) {
            segmented = true;
            // A segment out of place has dropped what came before it.
            if let Ok(Some(contents)) = self.assembly.push(info, piece) {
                whole = contents.get(1..).unwrap_or_default().to_vec();
            }
        }
        if segmented {
            return whole;
        }
        message.find::<Facility>().map_or_else(Vec::new, |facility| facility.components.to_vec())
    }
}

/// FACILITY with components: one message, or one for each segment.
pub(crate) fn facility_elements(components: &[u8]) -> Result<Vec<Vec<InformationElement>>, Error> {
    if let Ok(components) = Octets::new(components) {
        return Ok(vec![vec![Facility { profile: Facility::REMOTE_OPERATIONS, components }.into()]]);
    }
    let mut contents = vec![0x80 | Facility::REMOTE_OPERATIONS];
    contents.extend_from_slice(components);
    Ok(segmentation::cut(ElementIdentifier::Facility, &contents)?.map(Vec::from).collect())
}
