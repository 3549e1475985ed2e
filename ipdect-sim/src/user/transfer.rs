//! Transfers: those the user asks for, those the other side asks for, and calls that replace one another.

use std::time::Instant;

use bytes::Bytes;
use sip_lync::{SessionId, StatusCode, Uri};

use super::call::{Asked, Call};
use super::{CallNumber, Error, Event, LyncUser};

impl LyncUser {
    /// Asks the other side to call somebody else; with success this call ends.
    ///
    /// RFC 5589 6
    pub fn transfer(&mut self, now: Instant, target: &str) -> Result<(), Error> {
        let target = self.target(target)?;
        let call = self.call.as_ref().ok_or(Error::NoCall)?;
        if !call.is_talking() {
            return Err(Error::WrongState("it is not established"));
        }
        let session = call.session;
        self.endpoint.transfer(now, session, target)?;
        self.happened(now);
        Ok(())
    }

    /// What became of a transfer that we asked for.
    pub(super) fn transferred(&mut self, now: Instant, session: SessionId, status: Option<StatusCode>) {
        let Some(call) = &self.call else { return };
        self.events.push_back(Event::Transferred { call: call.number, status: status.map(StatusCode::code) });
        if status.is_some_and(StatusCode::is_success) {
            self.endpoint.hang_up(now, session);
        }
    }

    /// The other side asks us to call somebody else: that call takes the place of this one.
    pub(super) fn transfer_requested(
        &mut self,
        now: Instant,
        session: SessionId,
        target: Uri,
        headers: Vec<(String, String)>,
    ) {
        self.released(None, format!("transferred to {target}"));
        self.left = Some(session);
        let asked = Asked { headers, by: Some(session) };
        if self.begin_call(now, target, asked).is_err() {
            self.endpoint.refuse_transfer(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            self.leave(now);
        }
    }

    /// A call whose peer sent us on ends with the one it sent us to.
    pub(super) fn leave(&mut self, now: Instant) {
        if let Some(session) = self.left.take() {
            self.endpoint.hang_up(now, session);
        }
    }

    /// A call comes in that takes the place of ours: it is answered at once.
    pub(super) fn replaced(&mut self, now: Instant, session: SessionId, offer: Option<Bytes>) {
        self.released(None, "replaced by another call".to_owned());
        self.calls += 1;
        let call = Call::ringing(CallNumber(self.calls), session, self.random.number(), offer);
        self.call = Some(call);
        // What cannot be answered has been rejected.
        let _answered = self.answer_call(now);
    }
}
