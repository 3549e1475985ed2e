//! A [`Presence`] as octets: in the order of the schemas, with the namespaces that it needs, without white space.

use bytes::BytesMut;

use crate::pidf::{Note, Presence, Tuple};
use crate::xml::Writer;

impl Presence<'_> {
    /// Appends the document.
    ///
    /// RFC 3863 4.4
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, self.expected());
        out.raw(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"",
        );
        self.write_content(&mut out);
        out.raw("</presence>\n");
    }

    /// About how many octets it takes.
    fn expected(&self) -> usize {
        400 + self.entity.len() + self.tuples.len() * 400 + (self.persons.len() + self.devices.len()) * 500
    }

    /// The rest of the root's start tag, and its content.
    pub(crate) fn write_content(&self, out: &mut Writer<'_>) {
        let used = Used::of(self);
        if used.data_model {
            out.raw(" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"");
        }
        if used.rpid {
            out.raw(" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"");
        }
        if used.cipid {
            out.raw(" xmlns:ci=\"urn:ietf:params:xml:ns:pidf:cipid\"");
        }
        if used.capabilities {
            out.raw(" xmlns:c=\"urn:ietf:params:xml:ns:pidf:caps\"");
        }
        out.attribute(" entity=\"", &self.entity).raw(">");
        for tuple in &self.tuples {
            tuple.write(out);
        }
        for note in &self.notes {
            note.write(out);
        }
        for person in &self.persons {
            person.write(out);
        }
        for device in &self.devices {
            device.write(out);
        }
        if let Some(caller) = &self.caller {
            caller.write(out);
        }
    }
}

/// The namespaces that a document needs.
struct Used {
    data_model: bool,
    rpid: bool,
    cipid: bool,
    capabilities: bool,
}

impl Used {
    fn of(presence: &Presence<'_>) -> Self {
        let Presence { tuples, persons, devices, caller, .. } = presence;
        Self {
            data_model: !persons.is_empty()
                || !devices.is_empty()
                || tuples.iter().any(|tuple| tuple.device_id.is_some()),
            rpid: tuples.iter().any(|tuple| tuple.user_input.is_some())
                || persons.iter().any(|person| person.user_input.is_some() || !person.activities.is_empty())
                || devices.iter().any(|device| device.user_input.is_some()),
            cipid: caller.is_some()
                || tuples.iter().any(|tuple| tuple.caller.is_some())
                || persons.iter().any(|person| person.caller.is_some()),
            capabilities: tuples.iter().any(|tuple| tuple.capabilities.is_some())
                || devices.iter().any(|device| device.capabilities.is_some()),
        }
    }
}

impl Tuple<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<tuple id=\"").text(&self.id).raw(match self.status.basic {
            Some(super::Basic::Open) => "\"><status><basic>open</basic></status>",
            Some(super::Basic::Closed) => "\"><status><basic>closed</basic></status>",
            None => "\"><status/>",
        });
        if let Some(device_id) = &self.device_id {
            out.element("<dm:deviceID>", device_id, "</dm:deviceID>");
        }
        if let Some(user_input) = &self.user_input {
            user_input.write(out);
        }
        if let Some(capabilities) = &self.capabilities {
            capabilities.write(out);
        }
        if let Some(caller) = &self.caller {
            caller.write(out);
        }
        if let Some(contact) = &self.contact {
            match contact.priority {
                Some(priority) => {
                    let (digits, length) = priority.digits();
                    out.raw("<contact priority=\"").ascii(digits.get(..length).unwrap_or_default());
                    out.element("\">", &contact.uri, "</contact>");
                }
                None => {
                    out.element("<contact>", &contact.uri, "</contact>");
                }
            }
        }
        for note in &self.notes {
            note.write(out);
        }
        if let Some(timestamp) = self.timestamp {
            out.raw("<timestamp>");
            timestamp.write(out);
            out.raw("</timestamp></tuple>");
        } else {
            out.raw("</tuple>");
        }
    }
}

impl Note<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        match &self.language {
            Some(language) => out.attribute("<note xml:lang=\"", language).raw(">"),
            None => out.raw("<note>"),
        }
        .text(&self.text)
        .raw("</note>");
    }
}
