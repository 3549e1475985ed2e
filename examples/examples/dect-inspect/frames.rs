//! Frames of the data link layer.

use std::collections::BTreeMap;

use dect_nwk::{
    lapc::{Control, Frame, Reassembly},
    message::Side,
};
use serde_json::{Value, json};

use crate::{Bad, hex, messages, octets};

/// The links whose frames are looked at.
pub(crate) struct Links {
    bare: bool,
    signature: u16,
    /// By logical link number, service access point and the sender's bit.
    messages: BTreeMap<(u8, u8, bool), Reassembly>,
}

impl Links {
    pub(crate) const fn new(bare: bool, signature: u16) -> Self {
        Self { bare, signature, messages: BTreeMap::new() }
    }

    /// Explains one frame, and the message it completes.
    pub(crate) fn explain(&mut self, text: &str) -> Result<Value, Bad> {
        let octets = octets(text)?;
        let frame =
            if self.bare { Frame::parse_bare(&octets)? } else { Frame::parse(&octets, self.signature)? };
        let address = frame.address;
        let link = (address.logical_link, address.service_access_point, address.command_response);
        let whole = self.messages.entry(link).or_default().push(&frame)?;
        let from = side(&frame);
        let message = whole
            .as_ref()
            .filter(|whole| !whole.is_empty())
            .map(|whole| messages::decode(whole, from).unwrap_or_else(|bad| bad.line()));
        Ok(json!({
            "ok": true,
            "from": from.map(|side| match side {
                Side::Fixed => "fixed",
                Side::Portable => "portable",
            }),
            "address": {
                "octet": hex(&[address.octet()]),
                "new_link": address.new_link,
                "logical_link": address.logical_link,
                "service_access_point": address.service_access_point,
                "command_response": u8::from(address.command_response),
            },
            "control": control(frame.control),
            "length": {"octets": frame.information().len(), "more": frame.more},
            "information": hex(frame.information()),
            "sdu": whole.map(|whole| hex(&whole)),
            "message": message,
        }))
    }
}

/// The sender, where the frame type is a command or a response by itself.
fn side(frame: &Frame) -> Option<Side> {
    let from_fixed = frame.address.command_response;
    let from_fixed = match frame.control {
        Control::Information { .. }
        | Control::Unnumbered { .. }
        | Control::SetBalanced { .. }
        | Control::Disconnect { .. } => from_fixed,
        Control::Acknowledge { .. } | Control::Disconnected { .. } => !from_fixed,
        Control::ReceiveReady { .. } | Control::ReceiveNotReady { .. } | Control::Reject { .. } => {
            return None;
        }
    };
    Some(if from_fixed { Side::Fixed } else { Side::Portable })
}

fn control(control: Control) -> Value {
    let (kind, send, receive) = match control {
        Control::Information { send, receive, .. } => ("I", Some(send), Some(receive)),
        Control::ReceiveReady { receive, .. } => ("RR", None, Some(receive)),
        Control::ReceiveNotReady { receive, .. } => ("RNR", None, Some(receive)),
        Control::Reject { receive, .. } => ("REJ", None, Some(receive)),
        Control::SetBalanced { .. } => ("SABM", None, None),
        Control::Disconnected { .. } => ("DM", None, None),
        Control::Unnumbered { .. } => ("UI", None, None),
        Control::Disconnect { .. } => ("DISC", None, None),
        Control::Acknowledge { .. } => ("UA", None, None),
    };
    json!({"octet": hex(&[control.octet()]), "type": kind, "ns": send, "nr": receive, "poll": control.poll()})
}
