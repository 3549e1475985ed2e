//! The `device` category: what an endpoint can do. A handset speaks and listens, and neither shows nor writes.

use core::fmt::Write;

use crate::error::Error;
use crate::xml::{Element, escaped};

const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/device";

/// A device with the capabilities of a telephone.
///
/// MS-PRES 2.2.2.7 (device)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceCategory {
    /// The endpoint's UUID, without braces.
    pub endpoint_id: String,
    /// What people call the machine.
    pub machine_name: Option<String>,
}

impl DeviceCategory {
    pub(super) fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            "<device xmlns=\"{NAMESPACE}\" endpointId=\"{}\"><capabilities preferred=\"false\">",
            escaped(&self.endpoint_id)
        );
        for (name, capture, render, publish) in CAPABILITIES {
            let _ = write!(out, "<{name} capture=\"{capture}\" render=\"{render}\" publish=\"{publish}\"/>");
        }
        out.push_str("</capabilities>");
        if let Some(name) = &self.machine_name {
            let _ = write!(out, "<machineName>{}</machineName>", escaped(name));
        }
        out.push_str("</device>");
    }

    /// Reads a `device`; `None` for another category.
    pub(super) fn read(element: &Element) -> Option<Result<Self, Error>> {
        element.is(NAMESPACE, "device").then(|| {
            Ok(Self {
                endpoint_id: element.required("endpointId")?.to_owned(),
                machine_name: element.child(NAMESPACE, "machineName").map(|name| name.text().to_owned()),
            })
        })
    }
}

/// Name, capture, render, publish of each capability of a telephone.
const CAPABILITIES: [(&str, bool, bool, bool); 7] = [
    ("text", false, false, false),
    ("gifInk", false, false, false),
    ("isfInk", false, false, false),
    ("applicationSharing", false, false, false),
    ("voice", true, true, false),
    ("video", false, false, false),
    ("confInvite", false, true, true),
];
