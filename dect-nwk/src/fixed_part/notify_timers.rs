//! CC-NOTIFY and MM-NOTIFY: the timers of a portable part wait while something takes long.

use std::time::Instant;

use super::event::PortableId;
use super::{FixedPart, compose};
use crate::cc_fixed::State;
use crate::element::TimerRestart;
use crate::error::Error;
use crate::lce;
use crate::link::CallId;
use crate::message::MessageType;
use crate::refusal::Refusal;

impl FixedPart {
    /// Lets the timer of an outgoing call at the portable part begin anew, or stop (CC-NOTIFY): something takes long,
    /// an authentication of the user for one.
    ///
    /// EN 300 175-5 9.3.1, 13.3.2
    pub fn notify_call(&mut self, now: Instant, call: CallId, timer: TimerRestart) -> Result<(), Error> {
        let state = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?.state;
        match state {
            State::CallInitiated | State::OverlapSending | State::CallProceeding | State::CallDelivered => {}
            State::Null
            | State::CallPresent
            | State::CallReceived
            | State::Active
            | State::ReleasePending => return Err(Error::Refused(Refusal::WrongState)),
        }
        self.say(now, call, |call| compose::with_element(call, MessageType::CcNotify, timer));
        Ok(())
    }

    /// Lets the timer of a portable part's procedure of mobility management begin anew, or stop (MM-NOTIFY).
    ///
    /// EN 300 175-5 13.1
    pub fn notify_mobility(
        &mut self,
        now: Instant,
        portable: PortableId,
        timer: TimerRestart,
    ) -> Result<(), Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if entry.lce != lce::State::Established {
            return Err(Error::Refused(Refusal::NoLink));
        }
        self.send(now, portable, None, compose::mobility_notify(timer));
        self.free_link(now, portable, true);
        Ok(())
    }
}
