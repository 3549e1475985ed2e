//! Everything that a server tells a user about the user: categories, containers with their members, and who watches.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::category::instance::number;
use crate::category::{CategoryReport, is_of};
use crate::error::{Error, Limits, Rule};
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// What a server tells a user about the user. A part that is missing says nothing; one that is there replaces what was known.
///
/// MS-PRES 2.2.2.6
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct RoamingData<'a> {
    /// The user's categories.
    pub categories: Option<CategoryReport<'a>>,
    /// The user's containers.
    pub containers: Option<Vec<Container>>,
    /// Who watches the user.
    pub subscribers: Option<Vec<Subscriber>>,
}

/// Who may see what is published into it.
///
/// MS-PRES 2.2.2.6 (container)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Container {
    /// Its number.
    pub id: u16,
    /// Its version, to be named when members are changed.
    pub version: u32,
    /// Who belongs to it.
    pub members: Vec<Member>,
}

/// Somebody who belongs to a container.
///
/// MS-PRES 2.2.2.6 (member)
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// Of which kind.
    pub kind: MemberKind,
    /// The address without `sip:`, or the domain.
    pub value: Option<String>,
}

/// Of which kind a member is, from the nearest to the farthest.
///
/// MS-PRES 2.2.2.6 (member)
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberKind {
    /// One user.
    User,
    /// All users of a domain.
    Domain,
    /// The own company.
    SameEnterprise,
    /// Companies that are federated with the own.
    Federated,
    /// Public networks.
    PublicCloud,
    /// Everybody.
    Everyone,
    /// Another kind.
    Other(String),
}

/// Somebody who watches.
///
/// MS-PRES 2.2.2.6 (subscriber)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Subscriber {
    /// The watcher, without `sip:` or with it, as the server has it.
    pub user: String,
    /// The watcher's name.
    pub display_name: Option<String>,
    /// Whether the user knows.
    pub acknowledged: bool,
}

impl<'a> RoamingData<'a> {
    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.6
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 512);
        out.raw("<roamingData xmlns=\"http://schemas.microsoft.com/2006/09/sip/roaming-self\">");
        if let Some(categories) = &self.categories {
            categories.write(&mut out);
        }
        if let Some(containers) = &self.containers {
            out.raw("<containers xmlns=\"http://schemas.microsoft.com/2006/09/sip/containers\">");
            for container in containers {
                out.raw("<container id=\"")
                    .number(container.id)
                    .raw("\" version=\"")
                    .number(container.version);
                if container.members.is_empty() {
                    out.raw("\"/>");
                    continue;
                }
                out.raw("\">");
                for member in &container.members {
                    out.attribute("<member type=\"", member.kind.token());
                    out.optional(" value=\"", member.value.as_deref()).raw("/>");
                }
                out.raw("</container>");
            }
            out.raw("</containers>");
        }
        if let Some(subscribers) = &self.subscribers {
            out.raw("<subscribers xmlns=\"http://schemas.microsoft.com/2006/09/sip/presence-subscribers\">");
            for subscriber in subscribers {
                out.attribute("<subscriber user=\"", &subscriber.user);
                out.optional(" displayName=\"", subscriber.display_name.as_deref());
                out.raw(" acknowledged=\"").boolean(subscriber.acknowledged).raw("\"/>");
            }
            out.raw("</subscribers>");
        }
        out.raw("</roamingData>");
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn into_owned(self) -> RoamingData<'static> {
        RoamingData {
            categories: self.categories.map(CategoryReport::into_owned),
            containers: self.containers,
            subscribers: self.subscribers,
        }
    }

    /// Reads the body.
    ///
    /// MS-PRES 2.2.2.6
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
        let root = reader.root()?;
        if !is_of(&root, Namespace::RoamingSelf, "roamingData") {
            return Err(reader.broken(Rule::Root));
        }
        let mut data = Self::default();
        while let Some(child) = reader.child()? {
            match child.local {
                "categories" if is_of(&child, Namespace::Categories, child.local) => {
                    data.categories = Some(CategoryReport::read(&mut reader)?);
                }
                "containers" => data.containers = Some(read_containers(&mut reader)?),
                "subscribers" => data.subscribers = Some(read_subscribers(&mut reader)?),
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(data)
    }
}

fn read_containers(reader: &mut Reader<'_>) -> Result<Vec<Container>, Error> {
    let mut containers = Vec::new();
    while let Some(child) = reader.child()? {
        if child.local != "container" {
            reader.skip()?;
            continue;
        }
        let mut container = Container {
            id: number(reader, "id")?,
            version: number(reader, "version").unwrap_or(0),
            members: Vec::new(),
        };
        while let Some(child) = reader.child()? {
            if child.local == "member" {
                container.members.push(Member {
                    kind: MemberKind::of(&reader.required("type")?),
                    value: reader.attribute("value").map(Cow::into_owned),
                });
            }
            reader.skip()?;
        }
        containers.push(container);
    }
    Ok(containers)
}

fn read_subscribers(reader: &mut Reader<'_>) -> Result<Vec<Subscriber>, Error> {
    let mut subscribers = Vec::new();
    while let Some(child) = reader.child()? {
        if child.local == "subscriber" {
            subscribers.push(Subscriber {
                user: reader.required("user")?.trim_matches(BLANKS).to_owned(),
                display_name: reader.attribute("displayName").map(Cow::into_owned),
                acknowledged: crate::category::device::truth(reader, "acknowledged"),
            });
        }
        reader.skip()?;
    }
    Ok(subscribers)
}

impl MemberKind {
    /// The word for it on the wire.
    ///
    /// MS-PRES 2.2.2.6 (member)
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Domain => "domain",
            Self::SameEnterprise => "sameEnterprise",
            Self::Federated => "federated",
            Self::PublicCloud => "publicCloud",
            Self::Everyone => "everyone",
            Self::Other(token) => token,
        }
    }

    pub(crate) fn of(token: &str) -> Self {
        match token.trim_matches(BLANKS) {
            "user" => Self::User,
            "domain" => Self::Domain,
            "sameEnterprise" => Self::SameEnterprise,
            "federated" => Self::Federated,
            "publicCloud" => Self::PublicCloud,
            "everyone" => Self::Everyone,
            other => Self::Other(other.to_owned()),
        }
    }
}
