//! The settings that a server gives to its clients, by groups.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::category::is_of;
use crate::error::{Error, Limits, Rule};
use crate::xml::{BLANKS, Namespace, Reader, Writer, name_only};

/// The groups of settings that a client asks for.
///
/// MS-SIPREGE 2.2.2.5 (provisioningGroupList)
pub fn parse_request(body: &[u8]) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(body, Limits::DOCUMENT)?;
    if reader.root()?.local != "provisioningGroupList" {
        return Err(reader.broken(Rule::Root));
    }
    let mut groups = Vec::new();
    while let Some(child) = reader.child()? {
        if child.local == "provisioningGroup" {
            groups.push(reader.required("name")?.trim_matches(BLANKS).to_owned());
        }
        reader.skip()?;
    }
    reader.finish()?;
    Ok(groups)
}

/// Appends a request for groups of settings.
///
/// MS-SIPREGE 2.2.2.5 (provisioningGroupList)
pub fn emit_request(groups: &[&str], out: &mut BytesMut) {
    let mut out = Writer::new(out, 128 + 64 * groups.len());
    out.raw(
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\">",
    );
    for group in groups {
        out.attribute("<provisioningGroup name=\"", group).raw("/>");
    }
    out.raw("</provisioningGroupList>");
}

/// Groups of settings.
///
/// MS-SIPREGE 2.2.2.6 (provisionGroupList)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ProvisionGroups {
    /// The groups.
    pub groups: Vec<ProvisionGroup>,
}

/// A group of settings.
///
/// MS-SIPREGE 2.2.2.6 (provisionGroup)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ProvisionGroup {
    /// Its name, for example `ServerConfiguration`.
    pub name: String,
    /// Settings with an element of their own: name and text.
    pub elements: Vec<(String, String)>,
    /// Settings in a list of properties: name and text.
    pub properties: Vec<(String, String)>,
}

impl ProvisionGroups {
    /// The text of a setting, wherever it stands in its group.
    ///
    /// MS-SIPREGE 2.2.2.6 (provisionGroup)
    #[must_use]
    pub fn setting(&self, group: &str, name: &str) -> Option<&str> {
        let group = self.groups.iter().find(|found| found.name == group)?;
        let settings = group.elements.iter().chain(&group.properties);
        settings.into_iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str())
    }

    /// Appends the body.
    ///
    /// MS-SIPREGE 2.2.2.6 (provisionGroupList)
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 1024);
        out.raw("<?xml version=\"1.0\"?><provisionGroupList xmlns=\"");
        out.raw("http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification\">");
        for group in &self.groups {
            out.attribute("<provisionGroup name=\"", &group.name).raw(">");
            for (name, text) in &group.elements {
                let name = name_only(name);
                out.raw("<").raw(&name).raw(">").text(text).raw("</").raw(&name).raw(">");
            }
            if !group.properties.is_empty() {
                out.raw("<propertyEntryList>");
                for (name, text) in &group.properties {
                    out.attribute("<property name=\"", name).raw(">").text(text).raw("</property>");
                }
                out.raw("</propertyEntryList>");
            }
            out.raw("</provisionGroup>");
        }
        out.raw("</provisionGroupList>");
    }

    /// Reads the body. Of what is nested otherwise nothing is kept.
    ///
    /// MS-SIPREGE 2.2.2.6 (provisionGroupList)
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
        if !is_of(&reader.root()?, Namespace::Provisioning, "provisionGroupList") {
            return Err(reader.broken(Rule::Root));
        }
        let mut groups = Vec::new();
        while let Some(child) = reader.child()? {
            if child.local != "provisionGroup" {
                reader.skip()?;
                continue;
            }
            let name = reader.required("name")?.trim_matches(BLANKS).to_owned();
            let mut group = ProvisionGroup { name, ..ProvisionGroup::default() };
            while let Some(child) = reader.child()? {
                if child.local == "propertyEntryList" {
                    while let Some(property) = reader.child()? {
                        let name = reader.attribute("name").map(Cow::into_owned);
                        let text = reader.text()?.into_owned();
                        if let ("property", Some(name)) = (property.local, name) {
                            group.properties.push((name, text));
                        }
                    }
                } else {
                    group.elements.push((child.local.to_owned(), reader.text()?.into_owned()));
                }
            }
            groups.push(group);
        }
        reader.finish()?;
        Ok(Self { groups })
    }
}

/// Content type of settings, and of the request for them.
///
/// MS-SIPREGE 2.2.2.6 (provisionGroupList)
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_presence::privacy_mode;

    #[test]
    fn settings_and_requests_are_read_as_they_were_written() {
        let mut out = BytesMut::new();
        emit_request(&["ServerConfiguration", "presencePolicyV2"], &mut out);
        assert_eq!(
            parse_request(&out).as_deref(),
            Ok(&["ServerConfiguration", "presencePolicyV2"].map(str::to_owned)[..])
        );
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let groups = ProvisionGroups {
            groups: vec![
                ProvisionGroup {
                    name: "ServerConfiguration".to_owned(),
                    elements: vec![pair("mrasUri", "sip:a&b@c")],
                    properties: Vec::new(),
                },
                ProvisionGroup {
                    name: "presencePolicyV2".to_owned(),
                    elements: Vec::new(),
                    properties: vec![pair("bypassId", "<1>")],
                },
            ],
        };
        out.clear();
        groups.emit(&mut out);
        assert_eq!(ProvisionGroups::parse(&out).as_ref(), Ok(&groups));
        assert_eq!(groups.setting("ServerConfiguration", "mrasUri"), Some("sip:a&b@c"));
        assert_eq!(groups.setting("presencePolicyV2", "bypassId"), Some("<1>"));
        assert_eq!(groups.setting("presencePolicyV2", "other"), None);
        assert_eq!(privacy_mode(&out), Ok(None));
    }

    #[test]
    fn a_policy_of_privacy_is_found() {
        let policy = |text: &str| ProvisionGroups {
            groups: vec![ProvisionGroup {
                name: "presencePolicyV2".to_owned(),
                elements: vec![("EnablePrivacyMode".to_owned(), text.to_owned())],
                properties: Vec::new(),
            }],
        };
        for (text, wanted) in [("true", true), ("false", false)] {
            let mut out = BytesMut::new();
            policy(text).emit(&mut out);
            assert_eq!(privacy_mode(&out), Ok(Some(wanted)));
        }
    }
}
