//! Any presence body, told apart by its content type or by its root.

use crate::category::{CategoryPublish, EventCategories, Fault, RoamingData, parse_publish, parse_report};
use crate::category::{
    EVENT_CONTENT_TYPE, FAULT_CONTENT_TYPE, PUBLISH_CONTENT_TYPE, REPORT_CONTENT_TYPE, is_of,
};
use crate::error::{Error, Limits, Rule};
use crate::msrtc::Presentity;
use crate::multipart;
use crate::partial::{DiffSummary, FullPresence, check_diff};
use crate::pidf::{Presence, Reading};
use crate::rlmi::{ListNotification, ResourceList, is_type};
use crate::subscription::{
    BATCH_CONTENT_TYPE, BatchSubscription, CONTAINERS_CONTENT_TYPE, SetContainerMembers, parse_roaming_list,
};
use crate::watcherinfo::WatcherInfo;
use crate::xml::{Namespace, Reader};

/// Any presence body.
///
/// RFC 3863 7; RFC 4662 8; MS-PRES 2.2.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// A presence document.
    Pidf(Presence<'a>),
    /// A whole document with its version.
    Full(FullPresence<'a>),
    /// Changes to a document.
    Diff(DiffSummary),
    /// Who watches.
    WatcherInfo(WatcherInfo),
    /// Many contacts at once.
    List(ListNotification),
    /// The list of contacts alone.
    ListOnly(ResourceList),
    /// Everything that a server tells a user about the user.
    RoamingSelf(RoamingData<'a>),
    /// What is asked for of that.
    RoamingList(Vec<String>),
    /// The categories of a contact.
    Categories(EventCategories<'a>),
    /// Publications.
    Publish(CategoryPublish<'a>),
    /// Why publications were not taken.
    Fault(Fault),
    /// A document for old watchers.
    Presentity(Presentity),
    /// A subscription to many contacts.
    Batch(BatchSubscription),
    /// A change of containers.
    SetContainerMembers(SetContainerMembers),
}

/// What a content type promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pidf,
    Full,
    Diff,
    /// Either of the two.
    Partial,
    WatcherInfo,
    ListOnly,
    RoamingSelf,
    RoamingList,
    /// Both share one content type.
    RoamingAny,
    Categories,
    OwnCategories,
    Publish,
    Fault,
    Presentity,
    Batch,
    SetContainerMembers,
}

impl<'a> Body<'a> {
    /// Reads a body of that content type; without one, its root says what it is.
    ///
    /// RFC 3863 7; RFC 4662 8; MS-PRES 2.2.2
    pub fn parse(content_type: Option<&str>, body: &'a [u8], reading: Reading) -> Result<Self, Error> {
        let promised = match content_type.map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) if is_type(text, "multipart/related") || is_type(text, "multipart/mixed") => {
                return ListNotification::parse(text, body).map(Self::List);
            }
            Some(text) if is_type(text, "application/xml") || is_type(text, "text/xml") => None,
            Some(text) => {
                let known = TYPES.iter().find(|(name, _)| is_type(text, name)).map(|(_, kind)| *kind);
                Some(known.ok_or(Error::Malformed { at: 0, rule: Rule::MediaType })?)
            }
        };
        if promised.is_none() && body.trim_ascii_start().starts_with(b"--") {
            return Self::multipart(body);
        }
        let kind = Kind::of(body)?;
        if promised.is_some_and(|promised| !promised.is_kept_by(kind)) {
            return Err(Error::Malformed { at: 0, rule: Rule::Root });
        }
        Ok(match kind {
            Kind::Pidf => Self::Pidf(Presence::parse(body, reading)?),
            Kind::Full => Self::Full(FullPresence::parse(body, reading)?),
            Kind::Diff | Kind::Partial => Self::Diff(check_diff(body)?),
            Kind::WatcherInfo => Self::WatcherInfo(WatcherInfo::parse(body)?),
            Kind::ListOnly => Self::ListOnly(ResourceList::parse(body)?),
            Kind::RoamingSelf | Kind::RoamingAny => Self::RoamingSelf(RoamingData::parse(body)?),
            Kind::RoamingList => Self::RoamingList(parse_roaming_list(body)?),
            Kind::Categories => Self::Categories(EventCategories::parse(body)?),
            Kind::OwnCategories => Self::RoamingSelf(RoamingData {
                categories: Some(parse_report(body)?),
                ..RoamingData::default()
            }),
            Kind::Publish => Self::Publish(parse_publish(body)?),
            Kind::Fault => Self::Fault(Fault::parse(body)?),
            Kind::Presentity => Self::Presentity(Presentity::parse(body)?),
            Kind::Batch => Self::Batch(BatchSubscription::parse(body)?),
            Kind::SetContainerMembers => Self::SetContainerMembers(SetContainerMembers::parse(body)?),
        })
    }

    /// A body whose first line must be its boundary.
    fn multipart(body: &'a [u8]) -> Result<Self, Error> {
        let first = body.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
        let boundary = first.strip_prefix(b"--").unwrap_or_default().trim_ascii();
        let broken = Error::Malformed { at: 0, rule: Rule::Multipart };
        let boundary = core::str::from_utf8(boundary).ok().filter(|boundary| !boundary.contains('"'));
        let content_type = format!("multipart/related; boundary=\"{}\"", boundary.ok_or(broken)?);
        // As with a content type, it must be one.
        multipart::boundary(&content_type).ok_or(broken)?;
        ListNotification::parse(&content_type, body).map(Self::List)
    }
}

impl Kind {
    /// What the root says.
    fn of(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
        let root = reader.root()?;
        let own = |reader: &mut Reader<'_>| -> Result<bool, Error> {
            let child = reader.child()?;
            Ok(child.is_some() && reader.attribute("container").is_some())
        };
        Ok(match (root.namespace, root.local) {
            (Namespace::Pidf, "presence") => Self::Pidf,
            (Namespace::PidfDiff, "pidf-full") => Self::Full,
            (Namespace::PidfDiff, "pidf-diff") => Self::Diff,
            (Namespace::WatcherInfo, "watcherinfo") => Self::WatcherInfo,
            (Namespace::ResourceLists, "list") => Self::ListOnly,
            (Namespace::Presentity, "presentity") => Self::Presentity,
            (_, "Fault") => Self::Fault,
            _ if is_of(&root, Namespace::RoamingSelf, "roamingData") => Self::RoamingSelf,
            _ if is_of(&root, Namespace::RoamingSelf, "roamingList") => Self::RoamingList,
            _ if is_of(&root, Namespace::Categories, "categories") => {
                if own(&mut reader)? {
                    Self::OwnCategories
                } else {
                    Self::Categories
                }
            }
            _ if is_of(&root, Namespace::RichPresence, "publish") => Self::Publish,
            _ if is_of(&root, Namespace::BatchSubscribe, "batchSub") => Self::Batch,
            _ if is_of(&root, Namespace::ContainerManagement, "setContainerMembers") => {
                Self::SetContainerMembers
            }
            _ => return Err(reader.broken(Rule::Root)),
        })
    }

    fn is_kept_by(self, kind: Self) -> bool {
        match self {
            Self::Partial => matches!(kind, Self::Full | Self::Diff),
            Self::RoamingAny => matches!(kind, Self::RoamingSelf | Self::RoamingList | Self::OwnCategories),
            Self::Categories => matches!(kind, Self::Categories | Self::OwnCategories),
            promised => promised == kind,
        }
    }
}

const TYPES: [(&str, Kind); 11] = [
    (crate::pidf::CONTENT_TYPE, Kind::Pidf),
    (crate::partial::CONTENT_TYPE, Kind::Partial),
    (crate::watcherinfo::CONTENT_TYPE, Kind::WatcherInfo),
    (crate::rlmi::CONTENT_TYPE, Kind::ListOnly),
    (REPORT_CONTENT_TYPE, Kind::RoamingAny),
    (EVENT_CONTENT_TYPE, Kind::Categories),
    (PUBLISH_CONTENT_TYPE, Kind::Publish),
    (FAULT_CONTENT_TYPE, Kind::Fault),
    (crate::msrtc::CONTENT_TYPE, Kind::Presentity),
    (BATCH_CONTENT_TYPE, Kind::Batch),
    (CONTAINERS_CONTENT_TYPE, Kind::SetContainerMembers),
];
