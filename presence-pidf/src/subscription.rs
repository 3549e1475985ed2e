//! The bodies with which a user asks a server: for everything about the user, for contacts, and to let others see.

use bytes::BytesMut;

use crate::category::{Member, MemberKind, is_of, truth};
use crate::error::{Error, Limits, Rule};
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// Asks for a user's own categories, containers and subscribers.
///
/// MS-PRES 2.2.2.6 (roamingList)
pub const ROAMING_LIST: &str = "<roamingList xmlns=\"http://schemas.microsoft.com/2006/09/sip/roaming-self\">\
     <roaming type=\"categories\"/><roaming type=\"containers\"/><roaming type=\"subscribers\"/></roamingList>";

/// Which parts of the user's own data are asked for.
///
/// MS-PRES 2.2.2.6 (roamingList)
pub fn parse_roaming_list(body: &[u8]) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(body, Limits::DOCUMENT)?;
    if !is_of(&reader.root()?, Namespace::RoamingSelf, "roamingList") {
        return Err(reader.broken(Rule::Root));
    }
    let mut kinds = Vec::new();
    while let Some(child) = reader.child()? {
        if child.local == "roaming" {
            kinds.push(reader.required("type")?.into_owned());
        }
        reader.skip()?;
    }
    reader.finish()?;
    Ok(kinds)
}

/// A subscription to the categories of many contacts at once, or its end.
///
/// MS-PRES 2.2.2.4
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct BatchSubscription {
    /// The watcher.
    pub uri: String,
    /// `subscribe` or `unsubscribe`.
    pub action: String,
    /// A number that tells subscriptions apart.
    pub id: u32,
    /// The contacts.
    pub contacts: Vec<BatchContact>,
    /// The categories, for example `state` and `note`.
    pub categories: Vec<String>,
}

/// A contact in a subscription to many.
///
/// MS-PRES 2.2.2.4
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct BatchContact {
    /// Its address.
    pub uri: String,
    /// Whether the user has just added it.
    pub added: bool,
}

impl BatchSubscription {
    /// A subscription to what phones show: cards, notes, services and states.
    ///
    /// MS-PRES 2.2.2.4
    #[must_use]
    pub fn of(uri: &str, id: u32, contacts: &[&str]) -> Self {
        let contact = |uri: &&str| BatchContact { uri: (*uri).to_owned(), added: false };
        Self {
            uri: uri.to_owned(),
            action: "subscribe".to_owned(),
            id,
            contacts: contacts.iter().map(contact).collect(),
            categories: ["calendarData", "contactCard", "note", "services", "state"]
                .map(str::to_owned)
                .into(),
        }
    }

    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.4
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 512 + 64 * self.contacts.len());
        out.raw("<batchSub xmlns=\"http://schemas.microsoft.com/2006/01/sip/batch-subscribe\"");
        out.attribute(" uri=\"", &self.uri).attribute(" name=\"\"><action name=\"", &self.action);
        out.raw(" id=\"").number(self.id).raw("\"><adhocList>");
        for contact in &self.contacts {
            out.attribute("<resource uri=\"", &contact.uri);
            out.raw(if contact.added { "><context/></resource>" } else { "/>" });
        }
        out.raw("</adhocList><categoryList xmlns=\"http://schemas.microsoft.com/2006/09/sip/categorylist\">");
        for category in &self.categories {
            out.attribute("<category name=\"", category).raw("/>");
        }
        out.raw("</categoryList></action></batchSub>");
    }

    /// Reads the body.
    ///
    /// MS-PRES 2.2.2.4
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        if !is_of(&reader.root()?, Namespace::BatchSubscribe, "batchSub") {
            return Err(reader.broken(Rule::Root));
        }
        let uri = reader.required("uri")?.trim_matches(BLANKS).to_owned();
        let mut batch = Self { uri, ..Self::default() };
        while let Some(child) = reader.child()? {
            if child.local != "action" {
                reader.skip()?;
                continue;
            }
            reader.required("name")?.trim_matches(BLANKS).clone_into(&mut batch.action);
            batch.id =
                reader.attribute("id").and_then(|id| id.trim_matches(BLANKS).parse().ok()).unwrap_or(0);
            while let Some(child) = reader.child()? {
                match child.local {
                    "adhocList" => batch.read_contacts(&mut reader)?,
                    "categoryList" => {
                        while let Some(child) = reader.child()? {
                            if child.local == "category" {
                                batch.categories.push(reader.required("name")?.into_owned());
                            }
                            reader.skip()?;
                        }
                    }
                    _ => reader.skip()?,
                }
            }
        }
        reader.finish()?;
        Ok(batch)
    }

    fn read_contacts(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        while let Some(child) = reader.child()? {
            if child.local != "resource" {
                reader.skip()?;
                continue;
            }
            let uri = reader.required("uri")?.trim_matches(BLANKS).to_owned();
            let mut contact = BatchContact { uri, added: false };
            while let Some(child) = reader.child()? {
                contact.added |= child.local == "context";
                reader.skip()?;
            }
            self.contacts.push(contact);
        }
        Ok(())
    }
}

/// Content type of a subscription to many contacts.
///
/// MS-PRES 2.2.2.4
pub const BATCH_CONTENT_TYPE: &str = "application/msrtc-adrl-categorylist+xml";

/// A change of who belongs to containers.
///
/// MS-PRES 2.2.2.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct SetContainerMembers {
    /// By container: the version that is to be changed, and the changes.
    pub containers: Vec<(u16, u32, Vec<MemberChange>)>,
}

/// A change of one member.
///
/// MS-PRES 2.2.2.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberChange {
    /// Whether it joins or leaves.
    pub joins: bool,
    /// Who.
    pub member: Member,
}

impl SetContainerMembers {
    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.3
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 512);
        out.raw(
            "<setContainerMembers xmlns=\"http://schemas.microsoft.com/2006/09/sip/container-management\">",
        );
        for (id, version, changes) in &self.containers {
            out.raw("<container id=\"").number(*id).raw("\" version=\"").number(*version).raw("\">");
            for change in changes {
                out.raw(if change.joins { "<member action=\"add\"" } else { "<member action=\"remove\"" });
                out.attribute(" type=\"", change.member.kind.token());
                out.optional(" value=\"", change.member.value.as_deref()).raw("/>");
            }
            out.raw("</container>");
        }
        out.raw("</setContainerMembers>");
    }

    /// Reads the body.
    ///
    /// MS-PRES 2.2.2.3
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        if !is_of(&reader.root()?, Namespace::ContainerManagement, "setContainerMembers") {
            return Err(reader.broken(Rule::Root));
        }
        let mut set = Self::default();
        while let Some(child) = reader.child()? {
            if child.local != "container" {
                reader.skip()?;
                continue;
            }
            let number = |name| {
                let text = reader.required(name)?;
                text.trim_matches(BLANKS).parse::<u32>().map_err(|_| reader.broken(Rule::AttributeValue))
            };
            let (id, version) = (number("id")?, number("version")?);
            let id = u16::try_from(id).map_err(|_| reader.broken(Rule::AttributeValue))?;
            let mut changes = Vec::new();
            while let Some(child) = reader.child()? {
                if child.local == "member" {
                    let joins = match reader.required("action")?.trim_matches(BLANKS) {
                        "add" => true,
                        "remove" => false,
                        _ => return Err(reader.broken(Rule::AttributeValue)),
                    };
                    let kind = MemberKind::of(&reader.required("type")?);
                    let value = reader.attribute("value").map(std::borrow::Cow::into_owned);
                    changes.push(MemberChange { joins, member: Member { kind, value } });
                }
                reader.skip()?;
            }
            set.containers.push((id, version, changes));
        }
        reader.finish()?;
        Ok(set)
    }
}

/// Content type of a change of containers.
///
/// MS-PRES 2.2.2.3
pub const CONTAINERS_CONTENT_TYPE: &str = "application/msrtc-setcontainermembers+xml";

/// Appends the body with which a user takes notice of watchers.
///
/// MS-PRES 2.2.2.2
pub fn emit_acknowledged(watchers: &[&str], out: &mut BytesMut) {
    let mut out = Writer::new(out, 128 + 80 * watchers.len());
    out.raw("<setSubscribers xmlns=\"http://schemas.microsoft.com/2006/09/sip/presence-subscribers\">");
    for watcher in watchers {
        out.attribute("<subscriber user=\"", watcher).raw(" acknowledged=\"true\"/>");
    }
    out.raw("</setSubscribers>");
}

/// Of whom a user takes notice.
///
/// MS-PRES 2.2.2.2
pub fn parse_acknowledged(body: &[u8]) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(body, Limits::DOCUMENT)?;
    if !is_of(&reader.root()?, Namespace::Subscribers, "setSubscribers") {
        return Err(reader.broken(Rule::Root));
    }
    let mut watchers = Vec::new();
    while let Some(child) = reader.child()? {
        if child.local == "subscriber" {
            let user = reader.required("user")?.trim_matches(BLANKS).to_owned();
            if truth(&reader, "acknowledged") {
                watchers.push(user);
            }
        }
        reader.skip()?;
    }
    reader.finish()?;
    Ok(watchers)
}

/// Content type of taking notice of watchers.
///
/// MS-PRES 2.2.2.2
pub const SUBSCRIBERS_CONTENT_TYPE: &str = "application/msrtc-presence-setsubscriber+xml";
