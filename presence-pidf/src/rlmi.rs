//! Notifications about many contacts at once: a list of resources, and one part for each of them.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::category::EventCategories;
use crate::error::{Error, Limits, Rule};
use crate::multipart::{self, without_brackets};
use crate::pidf::read::trimmed;
use crate::pidf::{Presence, Reading};
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// What is known of the contacts of a list.
///
/// RFC 4662 5.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ResourceList {
    /// The list.
    pub uri: String,
    /// Counts the notifications.
    pub version: u32,
    /// Whether all contacts are named, or only those that changed.
    pub full_state: bool,
    /// The contacts.
    pub resources: Vec<Resource>,
}

/// A contact of a list.
///
/// RFC 4662 5.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Resource {
    /// The contact.
    pub uri: String,
    /// Its names.
    pub names: Vec<String>,
    /// Its subscriptions, usually one.
    pub instances: Vec<ResourceInstance>,
}

/// The subscription to a contact.
///
/// RFC 4662 5.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceInstance {
    /// Its name.
    pub id: String,
    /// How it stands.
    pub state: InstanceState,
    /// Why it ended.
    pub reason: Option<String>,
    /// The part with what is known, without angle brackets.
    pub content_id: Option<String>,
    /// Where to subscribe again, in Lync's dialect.
    pub pool: Option<String>,
}

/// How a subscription to a contact stands.
///
/// RFC 4662 5.3; MS-PRES 2.2.2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstanceState {
    /// It was accepted.
    Active,
    /// It waits for somebody's consent.
    Pending,
    /// It has ended.
    Terminated,
    /// The contact must be subscribed to elsewhere (Lync).
    Resubscribe,
}

/// What a notification about contacts says.
///
/// RFC 4662 5; MS-PRES 2.2.2.4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListNotification {
    /// The list.
    pub list: ResourceList,
    /// What is known of each contact whose part is there and can be read. A contact that is not among them is unchanged.
    pub contacts: Vec<ContactPresence>,
}

/// What is known of one contact.
///
/// RFC 4662 5; MS-PRES 2.2.2.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactPresence {
    /// In categories.
    Categories(EventCategories<'static>),
    /// In plain presence.
    Pidf(Presence<'static>),
}

impl ContactPresence {
    /// The contact.
    ///
    /// RFC 4662 5; MS-PRES 2.2.2.5
    #[must_use]
    pub fn uri(&self) -> &str {
        match self {
            Self::Categories(categories) => &categories.uri,
            Self::Pidf(presence) => &presence.entity,
        }
    }
}

impl ListNotification {
    /// Reads a body of that content type: the list first, then the parts. Parts that the list does not name, that belong to
    /// another contact, or that cannot be read change nothing.
    ///
    /// RFC 4662 5; MS-PRES 2.2.2.4
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Self, Error> {
        if body.len() > Limits::ROAMING_SELF.octets {
            return Err(Error::Malformed { at: Limits::ROAMING_SELF.octets, rule: Rule::Length });
        }
        let boundary = multipart::boundary(content_type);
        let boundary = boundary.ok_or(Error::Malformed { at: 0, rule: Rule::Multipart })?;
        let parts = multipart::parts(body, boundary)?;
        // `start` names the root; without it the first part is the root (RFC 2387 3.2).
        let start = multipart::parameter(content_type, "start").map(without_brackets);
        let named = start.and_then(|start| parts.iter().position(|part| part.content_id == Some(start)));
        let root = parts.get(named.unwrap_or(0)).ok_or(Error::Malformed { at: 0, rule: Rule::Multipart })?;
        if !is_type(root.content_type, CONTENT_TYPE) {
            return Err(Error::Malformed { at: 0, rule: Rule::List });
        }
        let list = ResourceList::parse(root.body)?;
        let mut contacts = Vec::new();
        for resource in &list.resources {
            for instance in &resource.instances {
                let Some(wanted) = instance.content_id.as_deref() else { continue };
                let part = parts.iter().find(|part| part.content_id == Some(wanted));
                let contact = part.and_then(|part| contact(part.content_type, part.body));
                contacts.extend(contact.filter(|contact| same_address(contact.uri(), &resource.uri)));
            }
        }
        Ok(Self { list, contacts })
    }

    /// Appends the body; the parts are named after the contacts' places. Gives its content type.
    ///
    /// RFC 4662 5; MS-PRES 2.2.2.4
    pub fn emit(&self, boundary: &str, out: &mut BytesMut) -> String {
        let mut list = self.list.clone();
        let mut bodies = Vec::new();
        for (place, contact) in self.contacts.iter().enumerate() {
            let mut body = BytesMut::new();
            let content_type = match contact {
                ContactPresence::Categories(categories) => {
                    categories.emit(&mut body);
                    crate::category::EVENT_CONTENT_TYPE
                }
                ContactPresence::Pidf(presence) => {
                    presence.emit(&mut body);
                    crate::pidf::CONTENT_TYPE
                }
            };
            let id = format!("contact{place}@{boundary}");
            let resource =
                list.resources.iter_mut().find(|resource| same_address(&resource.uri, contact.uri()));
            if let Some(instance) = resource.and_then(|resource| resource.instances.first_mut()) {
                instance.content_id = Some(id.clone());
            }
            body.extend_from_slice(EMPTY_LINE);
            bodies.push((content_type, id, body));
        }
        let mut root = BytesMut::new();
        list.emit(&mut root);
        root.extend_from_slice(EMPTY_LINE);
        let start = format!("list@{boundary}");
        multipart::write_part(boundary, "application/rlmi+xml;charset=\"UTF-8\"", &start, &root, out);
        for (content_type, id, body) in bodies {
            multipart::write_part(boundary, content_type, &id, &body, out);
        }
        multipart::write_end(boundary, out);
        format!(
            "multipart/related; type=\"application/rlmi+xml\"; start=\"<{start}>\"; boundary=\"{boundary}\""
        )
    }
}

/// Behind a document blanks say nothing, and clients that live in libpurple take the last two octets of a part for an empty line
/// as Lync's servers write it.
const EMPTY_LINE: &[u8] = b"\r\n";

/// A part in one of the formats that are read.
fn contact(content_type: &str, body: &[u8]) -> Option<ContactPresence> {
    if is_type(content_type, crate::category::EVENT_CONTENT_TYPE) {
        EventCategories::parse(body).ok().map(|it| ContactPresence::Categories(it.into_owned()))
    } else if is_type(content_type, crate::pidf::CONTENT_TYPE) {
        let presence = Presence::parse(body, Reading::Lenient).ok()?;
        Some(ContactPresence::Pidf(presence.into_owned()))
    } else {
        None
    }
}

/// Whether a content type is that one, whatever its parameters.
pub(crate) fn is_type(content_type: &str, wanted: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Addresses of users compare without case.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

impl ResourceList {
    /// Reads the list alone.
    ///
    /// RFC 4662 5.1
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        let root = reader.root()?;
        if !root.is(Namespace::ResourceLists, "list") {
            return Err(reader.broken(Rule::Root));
        }
        let version = reader.required("version")?;
        let version =
            version.trim_matches(BLANKS).parse().map_err(|_| reader.broken(Rule::AttributeValue))?;
        let full_state = match reader.attribute("fullState").as_deref().map(|text| text.trim_matches(BLANKS))
        {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(_) => return Err(reader.broken(Rule::AttributeValue)),
            // Lync leaves it out at times.
            None => false,
        };
        let uri = trimmed(reader.required("uri")?).into_owned();
        let mut list = Self { uri, version, full_state, resources: Vec::new() };
        while let Some(child) = reader.child()? {
            if child.is(Namespace::ResourceLists, "resource") {
                list.resources.push(Resource::read(&mut reader)?);
            } else {
                reader.skip()?;
            }
        }
        reader.finish()?;
        Ok(list)
    }

    /// Appends the list alone.
    ///
    /// RFC 4662 5.1
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 128 + 160 * self.resources.len());
        out.raw("<list xmlns=\"urn:ietf:params:xml:ns:rlmi\"").attribute(" uri=\"", &self.uri);
        out.raw(" version=\"")
            .number(self.version)
            .raw("\" fullState=\"")
            .boolean(self.full_state)
            .raw("\">");
        for resource in &self.resources {
            out.attribute("<resource uri=\"", &resource.uri).raw(">");
            for name in &resource.names {
                out.element("<name>", name, "</name>");
            }
            for instance in &resource.instances {
                out.attribute("<instance id=\"", &instance.id).raw(" state=\"").raw(instance.state.token());
                out.raw("\"").optional(" reason=\"", instance.reason.as_deref());
                out.optional(" cid=\"", instance.content_id.as_deref());
                out.optional(" poolFqdn=\"", instance.pool.as_deref()).raw("/>");
            }
            out.raw("</resource>");
        }
        out.raw("</list>");
    }
}

impl Resource {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let uri = trimmed(reader.required("uri")?).into_owned();
        let mut resource = Self { uri, ..Self::default() };
        while let Some(child) = reader.child()? {
            if child.is(Namespace::ResourceLists, "name") {
                resource.names.push(reader.text()?.into_owned());
                continue;
            }
            if child.is(Namespace::ResourceLists, "instance") {
                let text = |name| reader.attribute(name).map(Cow::into_owned);
                let state = reader.required("state")?;
                resource.instances.push(ResourceInstance {
                    id: text("id").unwrap_or_default(),
                    state: InstanceState::of(&state).ok_or_else(|| reader.broken(Rule::AttributeValue))?,
                    reason: text("reason"),
                    content_id: reader.attribute("cid").map(|id| without_brackets(&id).to_owned()),
                    pool: text("poolFqdn"),
                });
            }
            reader.skip()?;
        }
        Ok(resource)
    }
}

impl InstanceState {
    /// The word for it.
    ///
    /// RFC 4662 5.3; MS-PRES 2.2.2.4
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Terminated => "terminated",
            Self::Resubscribe => "resubscribe",
        }
    }

    fn of(token: &str) -> Option<Self> {
        match token {
            "active" => Some(Self::Active),
            "pending" => Some(Self::Pending),
            "terminated" => Some(Self::Terminated),
            "resubscribe" => Some(Self::Resubscribe),
            _ => None,
        }
    }
}

/// Content type of the list.
///
/// RFC 4662 8.2
pub const CONTENT_TYPE: &str = "application/rlmi+xml";
