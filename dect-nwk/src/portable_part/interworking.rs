//! What may be longer than an element: remote operations, and data between the interworking units.

use bytes::BytesMut;
use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::element::{ElementIdentifier, Facility, IwuProtocol, IwuToIwu};
use crate::error::Error;
use crate::link::CallId;
use crate::list_access::Command;
use crate::message::{MessageType, View};
use crate::segmentation;
use crate::{Octets, timers};

impl PortablePart {
    /// Sends remote operations of a functional supplementary service, in segments where one element cannot hold them.
    ///
    /// EN 300 175-5 10.4.1, 7.7.37
    pub fn facility(&mut self, now: Instant, call: CallId, components: &[u8]) -> Result<(), Error> {
        self.in_call(call)?;
        let profile = Facility::REMOTE_OPERATIONS;
        if let Ok(components) = Octets::new(components) {
            let facility = Facility { profile, components };
            self.say(now, call, |call| compose::with_element(call, MessageType::CrssFacility, facility));
            return Ok(());
        }
        let contents = [&[0x80 | profile], components].concat();
        self.say_in_segments(now, call, MessageType::CrssFacility, ElementIdentifier::Facility, &contents)
    }

    /// Sends a command of list access, in segments where one element cannot hold it.
    ///
    /// EN 300 175-5 7.7.23 (list access), 7.7.37
    pub fn list_command(&mut self, now: Instant, call: CallId, command: &Command) -> Result<(), Error> {
        let mut data = BytesMut::new();
        command.emit(&mut data);
        self.interworking_data(now, call, IwuProtocol::ListAccess, &data)
    }

    /// Sends data to the interworking unit of the fixed part, in segments where one element cannot hold it.
    ///
    /// EN 300 175-5 7.7.23, 7.7.37
    pub fn interworking_data(
        &mut self,
        now: Instant,
        call: CallId,
        protocol: IwuProtocol,
        data: &[u8],
    ) -> Result<(), Error> {
        self.in_call(call)?;
        if data.len() <= Octets::<250>::LIMIT {
            self.say(now, call, |call| compose::iwu_info(call, true, protocol, data));
            return Ok(());
        }
        let contents = [&[IwuToIwu::header(true, protocol)], data].concat();
        self.say_in_segments(now, call, MessageType::IwuInfo, ElementIdentifier::IwuToIwu, &contents)
    }

    fn say_in_segments(
        &mut self,
        now: Instant,
        id: CallId,
        kind: MessageType,
        element: ElementIdentifier,
        contents: &[u8],
    ) -> Result<(), Error> {
        for segment in segmentation::cut(element, contents)? {
            self.say(now, id, |call| compose::with_elements(call, kind, segment));
        }
        Ok(())
    }

    /// FACILITY and IWU-INFO, whole or a segment.
    pub(super) fn long_received(&mut self, now: Instant, id: CallId, message: &View<'_>) {
        if message.contains(ElementIdentifier::SegmentedInfo) {
            self.segments_received(now, id, message);
        } else if message.message_type == MessageType::CrssFacility {
            if let Some(facility) = message.find::<Facility>() {
                let components = facility.components.to_vec();
                self.events.push_back(Event::Facility { call: id, components });
            }
        } else if let Some(iwu) = message.find::<IwuToIwu>() {
            self.data_received(now, id, iwu.sent, iwu.protocol, &iwu.data);
        }
    }

    fn segments_received(&mut self, now: Instant, id: CallId, message: &View<'_>) {
        for (info, piece) in message.segments() {
            let Some(call) = self.calls.get_mut(&id) else { return };
            let assembly = call.assembly.get_or_insert_default();
            let whole = assembly.push(info, piece);
            if !assembly.is_waiting() {
                self.drop_segments(id);
            } else if info.first {
                self.deadlines.start(Timer::Segments(id), now + timers::CC_SEGMENT_1);
            }
            // A segment out of place has dropped what came before it.
            let Ok(Some(whole)) = whole else { continue };
            let Some((first, rest)) = whole.split_first() else { continue };
            match info.element {
                ElementIdentifier::Facility => {
                    self.events.push_back(Event::Facility { call: id, components: rest.to_vec() });
                }
                ElementIdentifier::IwuToIwu => {
                    let (sent, protocol) = IwuToIwu::of_header(*first);
                    self.data_received(now, id, sent, protocol, rest);
                }
                // Nothing else of the fixed part is longer than an element.
                _ => {}
            }
        }
    }

    /// `CC_segment.1` ran out, or nothing is awaited any more.
    pub(super) fn drop_segments(&mut self, id: CallId) {
        self.deadlines.stop(Timer::Segments(id));
        if let Some(call) = self.calls.get_mut(&id) {
            call.assembly = None;
        }
    }

    fn data_received(&mut self, now: Instant, id: CallId, sent: bool, protocol: IwuProtocol, data: &[u8]) {
        if !sent {
            self.events.push_back(Event::DataRefused { call: id, protocol });
        } else if protocol == IwuProtocol::ListAccess {
            if let Ok(command) = Command::parse(data) {
                self.events.push_back(Event::ListCommand { call: id, command });
            }
        } else {
            self.say(now, id, |call| compose::iwu_info(call, false, protocol, data));
        }
    }
}
