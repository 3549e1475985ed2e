//! The security association of SIP: a session whose messages carry random and counting numbers against replay.

mod life;
mod mechanism;
mod name;
mod signature_text;
mod window;

use std::time::{Duration, Instant};

use crate::error::Error;
use signature_text::SignatureOctets;
use window::ReplayWindow;

pub use life::{AssociationState, AssociationTrigger};
pub use mechanism::{Mechanism, Signing, Unverified, Verification};
pub use name::{AssociationName, ProtocolVersion};
pub use signature_text::SignatureText;

/// One end of a security association.
///
/// Its life, as `tests/states.rs` finds it:
#[doc = include_str!("../docs/states/association.md")]
///
/// MS-SIPAE 3.1.1
#[derive(Clone, Debug)]
pub struct SecurityAssociation {
    name: AssociationName,
    /// Gone once the association has ended.
    mechanism: Option<Mechanism>,
    state: AssociationState,
    /// The number of the last message that we signed.
    sent: u32,
    received: ReplayWindow,
    renewal: Instant,
    expires: Instant,
}

/// The random and the counting number of a message that is about to be signed (crand and cnum, srand and snum).
///
/// MS-SIPAE 3.2.5.2, 3.3.5.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Eight hexadecimal digits.
    pub random: SignatureText,
    /// One more than the last message's.
    pub number: u32,
}

impl SecurityAssociation {
    /// An association that begins now and lasts for eight hours, or less if a ticket or certificate ends earlier.
    ///
    /// MS-SIPAE 3.1.2
    #[must_use]
    pub fn new(
        now: Instant,
        name: AssociationName,
        mechanism: impl Into<Mechanism>,
        lifetime: Option<Duration>,
    ) -> Self {
        let lifetime = lifetime.map_or(LIFETIME, |lifetime| lifetime.min(LIFETIME));
        Self {
            name,
            mechanism: Some(mechanism.into()),
            state: AssociationState::Established,
            sent: 0,
            received: ReplayWindow::default(),
            renewal: now + lifetime.saturating_sub(RENEWAL),
            expires: now + lifetime,
        }
    }

    /// Lets the time pass: a new login becomes due five minutes before the end, and at the end the keys are wiped.
    ///
    /// MS-SIPAE 3.2.2
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.expires {
            self.step(AssociationTrigger::Expired);
        } else if now >= self.renewal {
            self.step(AssociationTrigger::RenewalDue);
        }
    }

    /// The peer challenged a message of this association: it has lost it, and a new login is due.
    ///
    /// MS-SIPAE 3.2.5
    pub fn challenged(&mut self) {
        self.step(AssociationTrigger::Challenged);
    }

    /// A new association takes this one's place: the keys are wiped.
    ///
    /// MS-SIPAE 3.2.5
    pub fn replaced(&mut self) {
        self.step(AssociationTrigger::Replaced);
    }

    fn step(&mut self, trigger: AssociationTrigger) {
        self.state = self.state.step(trigger);
        if self.state == AssociationState::Ended {
            self.mechanism = None;
        }
    }

    /// The numbers of the message that is signed next, to be written into its header and its text. The random octets are
    /// fresh ones of the owner.
    ///
    /// MS-SIPAE 3.2.5.2, 3.3.5.2
    pub fn stamp(&mut self, random: [u8; 4]) -> Result<Stamp, Error> {
        let number = self.next_number()?;
        Ok(Stamp { random: SignatureText::new(&random)?, number })
    }

    /// The counting number alone, for owners that write the random one themselves. When the numbers are used up the
    /// association is over.
    ///
    /// MS-SIPAE 3.2.5.2, 3.3.5.2
    pub fn next_number(&mut self) -> Result<u32, Error> {
        self.mechanism()?;
        let Some(number) = self.sent.checked_add(1) else {
            self.step(AssociationTrigger::Expired);
            return Err(Error::Expired);
        };
        self.sent = number;
        Ok(number)
    }

    /// Signs a text.
    ///
    /// MS-SIPAE 3.3.4.1
    pub fn sign(&self, text: &[u8]) -> Result<Signing, Error> {
        self.mechanism()?.sign(text)
    }

    /// Checks a message of the peer: its signature, that its number was not there before, and that the association lasts.
    ///
    /// MS-SIPAE 3.2.5.4, 3.3.5.4
    pub fn verify(
        &mut self,
        now: Instant,
        number: u32,
        text: &[u8],
        signature: &str,
    ) -> Result<Verification, Error> {
        if now >= self.expires {
            return Err(Error::Expired);
        }
        let mechanism = self.mechanism()?;
        let signature = SignatureOctets::of(signature)?;
        if !mechanism.verify(text, signature.as_slice())? {
            return Ok(Verification::Token(Unverified { number, token: signature.as_slice().to_vec() }));
        }
        self.take(number)
    }

    /// Takes a message that `GSS_VerifyMIC` found genuine.
    ///
    /// MS-SIPAE 3.3.5.4
    pub fn admit(&mut self, message: &Unverified) -> Result<Verification, Error> {
        self.mechanism()?;
        self.take(message.number)
    }

    /// Only a message that is genuine may move the window.
    fn take(&mut self, number: u32) -> Result<Verification, Error> {
        if self.received.take(number) { Ok(Verification::Genuine) } else { Err(Error::Replayed) }
    }

    fn mechanism(&self) -> Result<&Mechanism, Error> {
        self.mechanism.as_ref().ok_or(Error::Expired)
    }

    /// When [`SecurityAssociation::handle_timeout`] has something to do.
    ///
    /// MS-SIPAE 3.2.2
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            AssociationState::Established => Some(self.renewal),
            AssociationState::Renewing => Some(self.expires),
            AssociationState::Ended => None,
        }
    }

    /// Where it is in its life.
    ///
    /// MS-SIPAE 3.1.1
    #[must_use]
    pub fn state(&self) -> AssociationState {
        self.state
    }

    /// When a new login has to begin: five minutes before the end.
    ///
    /// MS-SIPAE 3.2.2
    #[must_use]
    pub fn renewal(&self) -> Instant {
        self.renewal
    }

    /// When messages are no longer taken.
    ///
    /// MS-SIPAE 3.1.2
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// What tells it from others.
    ///
    /// MS-SIPAE 3.1.1
    #[must_use]
    pub fn name(&self) -> &AssociationName {
        &self.name
    }

    /// The name of the scheme in the headers and in signed texts; `None` once it has ended.
    ///
    /// MS-SIPAE 2.2.1
    #[must_use]
    pub fn scheme(&self) -> Option<&'static str> {
        self.mechanism.as_ref().map(Mechanism::scheme)
    }
}

const LIFETIME: Duration = Duration::from_hours(8);
const RENEWAL: Duration = Duration::from_mins(5);
