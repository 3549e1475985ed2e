//! Who watches a presentity, told to the presentity.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::BytesMut;

use crate::error::{Error, Limits, Rule};
use crate::pidf::read::trimmed;
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// Who watches: all watchers, or those that changed.
///
/// RFC 3858 4.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatcherInfo {
    /// Counts the documents of a subscription.
    pub version: u64,
    /// Whether all watchers are named.
    pub full: bool,
    /// Watchers by what they watch.
    pub lists: Vec<WatcherList>,
}

/// The watchers of one resource.
///
/// RFC 3858 4.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct WatcherList {
    /// What is watched.
    pub resource: String,
    /// With which event package.
    pub package: String,
    /// The watchers.
    pub watchers: Vec<Watcher>,
}

/// One watcher.
///
/// RFC 3858 4.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watcher {
    /// Its address.
    pub uri: String,
    /// Its name within the list.
    pub id: String,
    /// How its subscription stands.
    pub status: WatcherStatus,
    /// What brought it there.
    pub event: WatcherEvent,
    /// Seconds until it ends.
    pub expiration: Option<u64>,
    /// Seconds since it began.
    pub duration_subscribed: Option<u64>,
    /// Its name for people.
    pub display_name: Option<String>,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident $($variant:ident $token:literal $what:literal,)*) => {
        $(#[$about])*
        ///
        /// RFC 3858 4.3
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = $what] $variant,)*
        }

        impl $name {
            /// The word for it.
            ///
            /// RFC 3858 4.3
            #[must_use]
            pub fn token(self) -> &'static str {
                match self { $(Self::$variant => $token,)* }
            }

            fn of(token: &str) -> Option<Self> {
                match token { $($token => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// How a subscription stands.
    WatcherStatus
    Pending "pending" "It waits for consent.",
    Active "active" "It was accepted.",
    Waiting "waiting" "It ended while it waited, and is remembered.",
    Terminated "terminated" "It has ended.",
}

words! {
    /// What brought a subscription to where it stands.
    WatcherEvent
    Subscribe "subscribe" "It was begun.",
    Approved "approved" "It was accepted.",
    Deactivated "deactivated" "It was ended, and may begin at once again.",
    Probation "probation" "It was ended, and may begin again later.",
    Rejected "rejected" "It was refused.",
    Timeout "timeout" "It was not refreshed.",
    GiveUp "giveup" "Nobody ever decided.",
    NoResource "noresource" "There is nothing to be watched any more.",
}

impl WatcherInfo {
    /// Reads a document.
    ///
    /// RFC 3858 4
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        if !reader.root()?.is(Namespace::WatcherInfo, "watcherinfo") {
            return Err(reader.broken(Rule::Root));
        }
        let version = required_number(&reader, "version")?;
        let full = match &*reader.required("state")? {
            "full" => true,
            "partial" => false,
            _ => return Err(reader.broken(Rule::AttributeValue)),
        };
        let mut info = Self { version, full, lists: Vec::new() };
        while let Some(child) = reader.child()? {
            if !child.is(Namespace::WatcherInfo, "watcher-list") {
                reader.skip()?;
                continue;
            }
            let mut list = WatcherList {
                resource: trimmed(reader.required("resource")?).into_owned(),
                package: reader.required("package")?.into_owned(),
                watchers: Vec::new(),
            };
            while let Some(child) = reader.child()? {
                if child.is(Namespace::WatcherInfo, "watcher") {
                    list.watchers.push(Watcher::read(&mut reader)?);
                } else {
                    reader.skip()?;
                }
            }
            info.lists.push(list);
        }
        reader.finish()?;
        Ok(info)
    }

    /// Appends the document.
    ///
    /// RFC 3858 4
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 256);
        out.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\"");
        out.raw(" version=\"").number(self.version);
        out.raw(if self.full { "\" state=\"full\">" } else { "\" state=\"partial\">" });
        for list in &self.lists {
            out.attribute("<watcher-list resource=\"", &list.resource);
            out.attribute(" package=\"", &list.package).raw(">");
            for watcher in &list.watchers {
                watcher.write(&mut out);
            }
            out.raw("</watcher-list>");
        }
        out.raw("</watcherinfo>\n");
    }
}

impl Watcher {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let status = WatcherStatus::of(&reader.required("status")?);
        let event = WatcherEvent::of(&reader.required("event")?);
        let number = |name| reader.attribute(name).and_then(|text| text.trim_matches(BLANKS).parse().ok());
        Ok(Self {
            id: reader.required("id")?.into_owned(),
            status: status.ok_or_else(|| reader.broken(Rule::AttributeValue))?,
            event: event.ok_or_else(|| reader.broken(Rule::AttributeValue))?,
            expiration: number("expiration"),
            duration_subscribed: number("duration-subscribed"),
            display_name: reader.attribute("display-name").map(Cow::into_owned),
            uri: trimmed(reader.text()?).into_owned(),
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.raw("<watcher").optional(" display-name=\"", self.display_name.as_deref());
        out.raw(" status=\"").raw(self.status.token()).raw("\" event=\"").raw(self.event.token()).raw("\"");
        if let Some(seconds) = self.expiration {
            out.raw(" expiration=\"").number(seconds).raw("\"");
        }
        out.attribute(" id=\"", &self.id);
        if let Some(seconds) = self.duration_subscribed {
            out.raw(" duration-subscribed=\"").number(seconds).raw("\"");
        }
        out.element(">", &self.uri, "</watcher>");
    }
}

fn required_number(reader: &Reader<'_>, name: &str) -> Result<u64, Error> {
    let text = reader.required(name)?;
    text.trim_matches(BLANKS).parse().map_err(|_| reader.broken(Rule::AttributeValue))
}

/// The watchers as they stand after all documents so far.
///
/// RFC 3858 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Watchers {
    version: Option<u64>,
    watchers: BTreeMap<(String, String, String), Watcher>,
}

/// What a document did to what is known.
///
/// RFC 3858 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merged {
    /// It is known now.
    Taken,
    /// It was known before: an old or repeated document.
    Old,
    /// Something is missing: ask for everything again.
    Gap,
}

impl Watchers {
    /// Takes a document in. Watchers that have ended are in `ended` and known no more.
    ///
    /// RFC 3858 3.3
    pub fn merge(&mut self, info: WatcherInfo, ended: &mut Vec<Watcher>) -> Merged {
        match (self.version, info.full) {
            (Some(version), _) if info.version <= version => return Merged::Old,
            (_, true) => self.watchers.clear(),
            (Some(version), false) if info.version == version + 1 => {}
            (_, false) => return Merged::Gap,
        }
        self.version = Some(info.version);
        for list in info.lists {
            for watcher in list.watchers {
                let key = (list.resource.clone(), list.package.clone(), watcher.id.clone());
                if watcher.status == WatcherStatus::Terminated {
                    self.watchers.remove(&key);
                    ended.push(watcher);
                } else if self.watchers.len() < WATCHERS_MAX || self.watchers.contains_key(&key) {
                    self.watchers.insert(key, watcher);
                }
            }
        }
        Merged::Taken
    }

    /// Everybody who watches.
    ///
    /// RFC 3858 3.3
    pub fn iter(&self) -> impl Iterator<Item = &Watcher> {
        self.watchers.values()
    }
}

/// Content type of the document.
///
/// RFC 3858 6.1
pub const CONTENT_TYPE: &str = "application/watcherinfo+xml";
/// Most watchers that are remembered.
const WATCHERS_MAX: usize = 10_000;
