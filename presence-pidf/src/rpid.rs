//! What people do, and whether they use their things.

use std::borrow::Cow;

use crate::date_time::DateTime;
use crate::error::{Error, Rule};
use crate::pidf::read::{Pidf, trimmed};
use crate::pidf::{Note, owned};
use crate::xml::{BLANKS, Namespace, Writer};

/// What a person does.
///
/// RFC 4480 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Activities<'a> {
    /// Its name within the document.
    pub id: Option<Cow<'a, str>>,
    /// Since when.
    pub from: Option<DateTime>,
    /// Until when; what is over is kept as it was written and does not count.
    pub until: Option<DateTime>,
    /// Remarks.
    pub notes: Vec<Note<'a>>,
    /// The activities; none is a statement as well.
    #[expect(clippy::struct_field_names, reason = "the standard's word")]
    pub activities: Vec<Activity<'a>>,
}

/// One thing that a person does.
///
/// RFC 4480 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Activity<'a> {
    /// One of those that the standard names.
    Named(ActivityName),
    /// Not known; then it is the only one.
    Unknown,
    /// In somebody's own words.
    Other(Note<'a>),
    /// Of another namespace.
    Foreign {
        /// The namespace.
        namespace: Cow<'a, str>,
        /// The name there.
        name: Cow<'a, str>,
    },
}

macro_rules! activity_names {
    ($($variant:ident $token:literal $what:literal,)*) => {
        /// The activities that the standard names.
        ///
        /// RFC 4480 3.2
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ActivityName {
            $(#[doc = $what] $variant,)*
        }

        impl ActivityName {
            /// All of them, in the standard's order.
            ///
            /// RFC 4480 3.2
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name of its element.
            ///
            /// RFC 4480 3.2
            #[must_use]
            pub fn token(self) -> &'static str {
                match self { $(Self::$variant => $token,)* }
            }

            pub(crate) fn of(token: &str) -> Option<Self> {
                match token { $($token => Some(Self::$variant),)* _ => None }
            }

            fn tag(self) -> &'static str {
                match self { $(Self::$variant => concat!("<rpid:", $token, "/>"),)* }
            }
        }
    };
}

activity_names! {
    Appointment "appointment" "Has an appointment.",
    Away "away" "Is away from whatever could be used.",
    Breakfast "breakfast" "Has breakfast.",
    Busy "busy" "Is busy.",
    Dinner "dinner" "Has dinner.",
    Holiday "holiday" "Has a day off by law.",
    InTransit "in-transit" "Rides in a vehicle.",
    LookingForWork "looking-for-work" "Looks for work.",
    Meal "meal" "Has a meal.",
    Meeting "meeting" "Is in a meeting.",
    OnThePhone "on-the-phone" "Is on the phone.",
    Performance "performance" "Watches a performance.",
    PermanentAbsence "permanent-absence" "Will not return.",
    Playing "playing" "Plays.",
    Presentation "presentation" "Gives or hears a presentation.",
    Shopping "shopping" "Shops.",
    Sleeping "sleeping" "Sleeps.",
    Spectator "spectator" "Watches an event.",
    Steering "steering" "Steers a vehicle.",
    Travel "travel" "Is on a business or personal trip.",
    Tv "tv" "Watches television.",
    Vacation "vacation" "Is on vacation.",
    Working "working" "Works.",
    Worship "worship" "Is at a religious rite.",
}

/// Whether somebody uses something.
///
/// RFC 4480 3.15
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserInput<'a> {
    /// Its name within the document.
    pub id: Option<Cow<'a, str>>,
    /// Used, or idle.
    pub state: InputState,
    /// After how many seconds without use it counts as idle; at least one.
    pub idle_threshold: Option<u32>,
    /// When it was used last.
    pub last_input: Option<DateTime>,
}

/// Used, or idle.
///
/// RFC 4480 3.15
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputState {
    /// In use.
    Active,
    /// Not in use for longer than the threshold.
    Idle,
}

impl InputState {
    /// The word for it.
    ///
    /// RFC 4480 3.15
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
        }
    }
}

impl Activity<'_> {
    /// The name of its element.
    ///
    /// RFC 4480 3.2
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::Named(name) => name.token(),
            Self::Unknown => "unknown",
            Self::Other(_) => "other",
            Self::Foreign { name, .. } => name,
        }
    }

    fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Named(name) => {
                out.raw(name.tag());
            }
            Self::Unknown => {
                out.raw("<rpid:unknown/>");
            }
            Self::Other(note) => {
                out.raw("<rpid:other").optional(" xml:lang=\"", note.language.as_deref());
                out.element(">", &note.text, "</rpid:other>");
            }
            Self::Foreign { namespace, name } => {
                out.raw("<").raw(&crate::xml::name_only(name)).attribute(" xmlns=\"", namespace).raw("/>");
            }
        }
    }

    fn into_owned(self) -> Activity<'static> {
        match self {
            Self::Named(name) => Activity::Named(name),
            Self::Unknown => Activity::Unknown,
            Self::Other(note) => Activity::Other(note.into_owned()),
            Self::Foreign { namespace, name } => {
                Activity::Foreign { namespace: owned(namespace), name: owned(name) }
            }
        }
    }
}

impl Activities<'_> {
    /// These activities, from now on.
    ///
    /// RFC 4480 3.2
    #[must_use]
    pub fn of(names: &[ActivityName]) -> Activities<'static> {
        let activities = names.iter().map(|name| Activity::Named(*name)).collect();
        Activities { activities, ..Activities::default() }
    }

    /// Whether they count at that moment.
    ///
    /// RFC 4480 3.1
    #[must_use]
    pub fn count_at(&self, now: &DateTime) -> bool {
        !self.from.is_some_and(|from| from.is_after(now))
            && self.until.is_none_or(|until| until.is_after(now))
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<rpid:activities");
        for (name, date) in [(" from=\"", self.from), (" until=\"", self.until)] {
            if let Some(date) = date {
                out.raw(name);
                date.write(out);
                out.raw("\"");
            }
        }
        out.optional(" id=\"", self.id.as_deref());
        if self.notes.is_empty() && self.activities.is_empty() {
            out.raw("/>");
            return;
        }
        out.raw(">");
        for note in &self.notes {
            out.raw("<rpid:note").optional(" xml:lang=\"", note.language.as_deref());
            out.element(">", &note.text, "</rpid:note>");
        }
        for activity in &self.activities {
            activity.write(out);
        }
        out.raw("</rpid:activities>");
    }

    pub(crate) fn into_owned(self) -> Activities<'static> {
        Activities {
            id: self.id.map(owned),
            from: self.from,
            until: self.until,
            notes: self.notes.into_iter().map(Note::into_owned).collect(),
            activities: self.activities.into_iter().map(Activity::into_owned).collect(),
        }
    }
}

impl UserInput<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<rpid:user-input");
        if let Some(threshold) = self.idle_threshold {
            out.raw(" idle-threshold=\"").number(threshold).raw("\"");
        }
        if let Some(last_input) = self.last_input {
            out.raw(" last-input=\"");
            last_input.write(out);
            out.raw("\"");
        }
        out.optional(" id=\"", self.id.as_deref());
        out.raw(match self.state {
            InputState::Active => ">active</rpid:user-input>",
            InputState::Idle => ">idle</rpid:user-input>",
        });
    }

    pub(crate) fn into_owned(self) -> UserInput<'static> {
        UserInput {
            id: self.id.map(owned),
            state: self.state,
            idle_threshold: self.idle_threshold,
            last_input: self.last_input,
        }
    }
}

impl<'a> Pidf<'a> {
    /// `None` when something in them must be understood and is not.
    pub(crate) fn activities(&mut self) -> Result<Option<Activities<'a>>, Error> {
        let mut activities = Activities {
            id: self.identifier()?,
            from: self.date("from")?,
            until: self.date("until")?,
            ..Activities::default()
        };
        let mut understood = true;
        while let Some(child) = self.reader.child()? {
            if child.namespace == Namespace::Rpid && child.local == "note" {
                if !activities.activities.is_empty() {
                    self.refuse(Rule::Order)?;
                }
                self.note_to(&mut activities.notes)?;
                continue;
            }
            if activities.activities.contains(&Activity::Unknown) {
                self.refuse(Rule::Order)?;
            }
            let activity = match (child.namespace, child.local) {
                (Namespace::Rpid, "unknown") => {
                    if !activities.activities.is_empty() {
                        self.refuse(Rule::Order)?;
                    }
                    self.empty()?;
                    Activity::Unknown
                }
                (Namespace::Rpid, "other") => Activity::Other(self.note()?),
                (Namespace::Rpid, name) => {
                    let Some(name) = ActivityName::of(name) else {
                        self.stranger()?;
                        continue;
                    };
                    self.empty()?;
                    Activity::Named(name)
                }
                (Namespace::None, _) => {
                    self.stranger()?;
                    continue;
                }
                (_, name) => {
                    understood &= !self.must_be_understood();
                    let namespace = Cow::Owned(self.reader.uri(&child).to_owned());
                    self.reader.skip()?;
                    Activity::Foreign { namespace, name: Cow::Borrowed(name) }
                }
            };
            activities.activities.push(activity);
        }
        Ok(understood.then_some(activities))
    }

    /// A date in an attribute.
    fn date(&self, name: &str) -> Result<Option<DateTime>, Error> {
        let Some(text) = self.reader.attribute(name) else { return Ok(None) };
        let read = DateTime::parse(&text);
        if read.is_none() {
            self.refuse(Rule::AttributeValue)?;
        }
        Ok(read)
    }

    /// Leaves an element that has nothing in it.
    fn empty(&mut self) -> Result<(), Error> {
        let mut text = String::new();
        while self.reader.mixed(&mut text)?.is_some() {
            self.stranger()?;
        }
        if text.is_empty() { Ok(()) } else { self.refuse(Rule::ElementValue) }
    }

    pub(crate) fn user_input(&mut self, user_input: &mut Option<UserInput<'a>>) -> Result<(), Error> {
        let id = self.identifier()?;
        let last_input = self.date("last-input")?;
        let threshold = self.reader.attribute("idle-threshold");
        let idle_threshold = threshold.as_deref().and_then(positive);
        if threshold.is_some() && idle_threshold.is_none() {
            self.refuse(Rule::AttributeValue)?;
        }
        let text = self.reader.text()?;
        let state = match if self.is_strict() { &*text } else { text.trim_matches(BLANKS) } {
            "active" => InputState::Active,
            "idle" => InputState::Idle,
            _ => return self.refuse(Rule::ElementValue),
        };
        let id = id.map(trimmed);
        user_input.get_or_insert(UserInput { id, state, idle_threshold, last_input });
        Ok(())
    }
}

/// A positive integer; greater ones than fit are the greatest that does.
fn positive(text: &str) -> Option<u32> {
    let text = text.trim_matches(BLANKS);
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX)).filter(|number| *number > 0)
}

/// Whether it is an element of the namespace that may stand in a tuple, a person or a device.
pub(crate) fn is_element(name: &str) -> bool {
    matches!(
        name,
        "activities"
            | "class"
            | "mood"
            | "place-is"
            | "place-type"
            | "privacy"
            | "relationship"
            | "service-class"
            | "sphere"
            | "status-icon"
            | "time-offset"
            | "user-input"
    )
}
