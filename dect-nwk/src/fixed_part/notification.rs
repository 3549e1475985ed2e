//! What a portable part is told outside of calls: waiting messages, missed calls, date and time.

use std::time::Instant;

use super::event::PortableId;
use super::{FixedPart, compose};
use crate::element::TimeDate;
use crate::error::Error;
use crate::message::Transaction;
use crate::refusal::Refusal;

/// A notification over the connectionless supplementary service.
///
/// EN 300 175-5 10.4.2.3
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// So many voice messages wait; none clears the indication.
    pub voice_messages: Option<u16>,
    /// So many calls were missed; none clears the indication.
    pub missed_calls: Option<u16>,
    /// A list has changed: its number and how many entries it has.
    pub list_change: Option<(u8, u16)>,
    /// The date and the time.
    pub time: Option<TimeDate>,
}

/// How many messages may wait for one portable part to answer its page.
pub(super) const WAITING: usize = 8;

impl FixedPart {
    /// Tells a portable part of messages, missed calls and the time; it is paged if it has no link. Nothing says
    /// whether it took notice; one that does not answer its page is told of as
    /// [`Event::Unreachable`](super::Event::Unreachable).
    ///
    /// EN 300 175-5 10.4.2.3
    pub fn notify(
        &mut self,
        now: Instant,
        portable: PortableId,
        notification: &Notification,
    ) -> Result<(), Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if !entry.subscribed {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if entry.queue.len() >= WAITING {
            return Err(Error::Refused(Refusal::Busy));
        }
        let connectionless = Transaction::opened(Transaction::CONNECTIONLESS);
        if let Some(message) = compose::notification(connectionless, notification) {
            self.send(now, portable, None, message);
            self.free_link(now, portable, true);
        }
        Ok(())
    }
}
