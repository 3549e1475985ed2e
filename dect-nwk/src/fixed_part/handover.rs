//! External handover: what a portable part has to know to go on in another system.

use std::time::Instant;

use super::event::{Event, PortableId};
use super::{FixedPart, compose};
use crate::element::{FixedIdentity, InfoType, NetworkParameter, RejectReason};
use crate::error::Error;
use crate::message::View;
use crate::refusal::Refusal;

/// What an external handover needs.
///
/// EN 300 175-5 13.7 (MM-INFO-ACCEPT, MM-INFO-SUGGEST)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoverParameters {
    /// The systems to which the portable part may go, best first.
    pub candidates: Vec<FixedIdentity>,
    /// What it shows there: a handover reference.
    pub reference: Option<NetworkParameter>,
}

/// The most systems one message names.
const CANDIDATES: usize = 8;

impl HandoverParameters {
    pub(crate) fn read(message: &View<'_>) -> Self {
        Self { candidates: message.list().take(CANDIDATES).collect(), reference: message.find() }
    }
}

impl FixedPart {
    /// Answers [`Event::ParametersRequested`]: with what an external handover needs, or by refusing.
    ///
    /// EN 300 175-5 13.7
    pub fn answer_parameters(
        &mut self,
        now: Instant,
        portable: PortableId,
        parameters: Option<&HandoverParameters>,
    ) -> Result<(), Error> {
        if !self.inquiries.remove(&portable) {
            return Err(Error::Refused(Refusal::UnknownRequest));
        }
        let message = match parameters {
            Some(parameters) => compose::info_accept(parameters),
            None => compose::info_reject(RejectReason::IncompatibleService),
        };
        self.send(now, portable, None, message);
        self.free_link(now, portable, true);
        Ok(())
    }

    /// Tells a portable part what an external handover needs without having been asked; it is paged if it has no link.
    ///
    /// EN 300 175-5 13.7
    pub fn suggest_handover(
        &mut self,
        now: Instant,
        portable: PortableId,
        parameters: &HandoverParameters,
    ) -> Result<(), Error> {
        self.subscribed(portable)?;
        self.send(now, portable, None, compose::handover_suggest(parameters));
        self.free_link(now, portable, true);
        Ok(())
    }

    /// MM-INFO-REQUEST.
    pub(super) fn parameters_requested(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let subscribed = self.table.get(portable).is_some_and(|entry| entry.subscribed);
        let reason = match message.find::<InfoType>() {
            Some(asked) if self.config.handover_parameters && subscribed => {
                self.inquiries.insert(portable);
                let parameters = asked.parameters;
                self.events.push_back(Event::ParametersRequested { portable, parameters });
                return;
            }
            Some(_) => RejectReason::IncompatibleService,
            None if message.contains(crate::ElementIdentifier::InfoType) => {
                RejectReason::InvalidElementContents
            }
            None => RejectReason::InformationElementError,
        };
        self.send(now, portable, None, compose::info_reject(reason));
    }
}
