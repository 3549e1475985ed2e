//! Messages outside of calls: call independent and connectionless services.

use bytes::Bytes;

use super::display;
use crate::ciss::{Notice, facility_elements};
use crate::element::{EventsNotification, InformationElement, ReleaseReason, TimerRestart};
use crate::fixed_part::{Notification, Terminal};
use crate::message::{Message, MessageType, Transaction};

/// CISS-RELEASE-COM for a transaction that is not taken.
pub(in crate::fixed_part) fn ciss_refuse(received: Transaction, reason: ReleaseReason) -> Bytes {
    Message::new(MessageType::CissReleaseCom, received.reversed()).with(reason).to_bytes()
}

/// CISS-REGISTER, FACILITY or CISS-RELEASE-COM; components that one element cannot hold take several messages.
pub(in crate::fixed_part) fn service(
    kind: MessageType,
    transaction: Transaction,
    notice: &Notice,
    reason: Option<ReleaseReason>,
    terminal: Terminal,
) -> Vec<Bytes> {
    let mut facilities = if notice.components.is_empty() {
        vec![Vec::new()]
    } else {
        facility_elements(&notice.components).unwrap_or_default()
    };
    // What else is to be said goes with the last one.
    let last = facilities.pop().unwrap_or_default();
    let new = || Message::new(kind, transaction);
    let mut messages: Vec<Bytes> =
        facilities.into_iter().map(|elements| with_all(new(), elements).to_bytes()).collect();
    let mut message = reason.map_or_else(new, |reason| new().with(reason));
    message = with_all(message, last);
    if let Some(text) = &notice.display {
        message.push(display(text, terminal));
    }
    if let Some(feature) = &notice.feature {
        message.push(feature.clone());
    }
    messages.push(message.to_bytes());
    messages
}

fn with_all(message: Message, elements: Vec<InformationElement>) -> Message {
    elements.into_iter().fold(message, Message::with)
}

/// FACILITY with a notification; nothing where there is nothing to tell.
pub(in crate::fixed_part) fn notification(
    transaction: Transaction,
    notification: &Notification,
) -> Option<Bytes> {
    let counts = [
        notification.voice_messages.map(|count| EventsNotification::voice_messages(count.into())),
        notification.missed_calls.map(|count| EventsNotification::missed_calls(count.into())),
        notification
            .list_change
            .map(|(list, entries)| EventsNotification::list_change(list.into(), entries.into())),
    ];
    let events: Vec<_> = counts.into_iter().flatten().flat_map(|list| list.events).collect();
    if notification.time.is_none() && events.is_empty() {
        return None;
    }
    let mut message = Message::new(MessageType::CissFacility, transaction);
    if let Some(time) = notification.time {
        message.push(time);
    }
    if !events.is_empty() {
        message.push(EventsNotification { events });
    }
    Some(message.to_bytes())
}

/// MM-NOTIFY.
pub(in crate::fixed_part) fn mobility_notify(timer: TimerRestart) -> Bytes {
    Message::new(MessageType::MmNotify, Transaction::opened(0)).with(timer).to_bytes()
}
