//! Events notification: messages waiting, missed calls, changed lists.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{MAX_CONTENTS, Octets, Reader, coded, put_extended_number},
    error::{Error, Rule},
};

coded! {
    /// The type of an event.
    ///
    /// EN 300 175-5 7.7.55
    EventType {
        /// Messages wait.
        MessageWaiting = 0,
        /// Calls were missed.
        MissedCall = 1,
        /// Web content changed.
        WebContent = 2,
        /// A list changed; the subtype is the list.
        ListChange = 3,
        /// A software upgrade is offered.
        SoftwareUpgrade = 4,
        /// A line is used; the multiplicity is the line.
        LineUse = 5,
        /// A handset is used.
        HandsetUse = 6,
        /// Diagnosis.
        Diagnostic = 7,
        /// Short messages.
        ShortMessage = 8,
    }
}

/// One event.
///
/// EN 300 175-5 7.7.55
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Event {
    /// An event of the standard.
    Standard {
        /// Its type.
        kind: EventType,
        /// Its subtype, when sent.
        subtype: Option<u32>,
        /// How many, or what the type says.
        multiplicity: u32,
    },
    /// An event of a manufacturer.
    Proprietary {
        /// Its type (six bits).
        kind: u8,
        /// The manufacturer.
        manufacturer: u16,
        /// Its data.
        data: Octets,
    },
}

/// The subtype of a waiting message: a voice message.
const VOICE: u32 = 1;
/// The subtype of a missed call: a new voice call.
const NEW: u32 = 1;

/// A list of events.
///
/// EN 300 175-5 7.7.55
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventsNotification {
    /// The events.
    pub events: Vec<Event>,
}

impl EventsNotification {
    /// So many voice messages wait; none clears the indication.
    ///
    /// EN 300 175-5 7.7.55
    pub fn voice_messages(count: u32) -> Self {
        Self::of(EventType::MessageWaiting, VOICE, count)
    }

    /// So many calls were missed.
    ///
    /// EN 300 175-5 7.7.55
    pub fn missed_calls(count: u32) -> Self {
        Self::of(EventType::MissedCall, NEW, count)
    }

    /// The list with this identifier has so many entries now.
    ///
    /// EN 300 175-5 7.7.55
    pub fn list_change(list: u32, entries: u32) -> Self {
        Self::of(EventType::ListChange, list, entries)
    }

    fn of(kind: EventType, subtype: u32, multiplicity: u32) -> Self {
        Self { events: vec![Event::Standard { kind, subtype: Some(subtype), multiplicity }] }
    }
}

const LAST: u8 = 0x80;
const PROPRIETARY: u8 = 0x40;

impl Contents for EventsNotification {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let mut events = Vec::new();
        while !reader.is_empty() {
            let first = reader.octet()?;
            let kind = first & 0x3f;
            events.push(if first & PROPRIETARY == 0 {
                let subtype = if first & LAST == 0 { Some(reader.extended_number()?) } else { None };
                let kind = EventType::from_code(kind);
                Event::Standard { kind, subtype, multiplicity: reader.extended_number()? }
            } else {
                let manufacturer = reader.u16()?;
                let length = usize::from(reader.octet()?);
                let data = Octets::new(reader.octets(length)?).map_err(|_| reader.broken(Rule::TooLong))?;
                Event::Proprietary { kind, manufacturer, data }
            });
        }
        Ok(Self { events })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let limit = contents.len() + MAX_CONTENTS;
        for event in &self.events {
            let mut octets = BytesMut::new();
            match event {
                Event::Standard { kind, subtype, multiplicity } => {
                    let last = if subtype.is_some() { 0 } else { LAST };
                    octets.put_u8(last | kind.code() & 0x3f);
                    if let Some(subtype) = subtype {
                        put_extended_number(&mut octets, *subtype);
                    }
                    put_extended_number(&mut octets, *multiplicity);
                }
                Event::Proprietary { kind, manufacturer, data } => {
                    octets.put_u8(PROPRIETARY | kind & 0x3f);
                    octets.put_u16(*manufacturer);
                    octets.put_u8(data.len() as u8);
                    octets.put_slice(data);
                }
            }
            if contents.len() + octets.len() > limit {
                break;
            }
            contents.put_slice(&octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_events_are_three_octets() {
        let proprietary = Event::Proprietary { kind: 5, manufacturer: 0x31, data: Octets::cut(&[7, 8]) };
        for (octets, value) in [
            (&[0x00, 0x81, 0x83][..], EventsNotification::voice_messages(3)),
            (&[0x00, 0x81, 0x80], EventsNotification::voice_messages(0)),
            (&[0x00, 0x81, 0x01, 0x80], EventsNotification::voice_messages(128)),
            (&[0x01, 0x81, 0x82], EventsNotification::missed_calls(2)),
            (&[0x03, 0x81, 0x85], EventsNotification::list_change(1, 5)),
            (&[0x03, 0x01, 0x80, 0x85], EventsNotification::list_change(128, 5)),
            (&[0x45, 0x00, 0x31, 2, 7, 8], EventsNotification { events: vec![proprietary] }),
        ] {
            assert_eq!(EventsNotification::parse(octets), Ok(value.clone()));
            let mut written = BytesMut::new();
            value.emit(&mut written);
            assert_eq!(written, octets);
        }
        assert!(EventsNotification::parse(&[0x00, 0x81]).is_err());
        assert!(EventsNotification::parse(&[0x45, 0x00, 0x31, 2, 7]).is_err());
    }
}
