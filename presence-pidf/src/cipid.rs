//! Who somebody is: pictures, names and pages.

use std::borrow::Cow;

use crate::pidf::owned;
use crate::xml::Writer;

/// Who somebody is.
///
/// RFC 4482 3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct CallerInformation<'a> {
    /// A business card.
    pub card: Option<Cow<'a, str>>,
    /// The name to be shown.
    pub display_name: Option<Cow<'a, str>>,
    /// A page about the person.
    pub homepage: Option<Cow<'a, str>>,
    /// A picture.
    pub icon: Option<Cow<'a, str>>,
    /// Where it is.
    pub map: Option<Cow<'a, str>>,
    /// How it sounds.
    pub sound: Option<Cow<'a, str>>,
}

impl<'a> CallerInformation<'a> {
    pub(crate) fn knows(name: &str) -> bool {
        matches!(name, "card" | "display-name" | "homepage" | "icon" | "map" | "sound")
    }

    /// The first of each counts.
    pub(crate) fn note(&mut self, name: &str, text: Cow<'a, str>) {
        let place = match name {
            "card" => &mut self.card,
            "display-name" => &mut self.display_name,
            "homepage" => &mut self.homepage,
            "icon" => &mut self.icon,
            "map" => &mut self.map,
            _ => &mut self.sound,
        };
        place.get_or_insert(text);
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        for (open, text, close) in [
            ("<ci:card>", &self.card, "</ci:card>"),
            ("<ci:display-name>", &self.display_name, "</ci:display-name>"),
            ("<ci:homepage>", &self.homepage, "</ci:homepage>"),
            ("<ci:icon>", &self.icon, "</ci:icon>"),
            ("<ci:map>", &self.map, "</ci:map>"),
            ("<ci:sound>", &self.sound, "</ci:sound>"),
        ] {
            if let Some(text) = text {
                out.element(open, text, close);
            }
        }
    }

    pub(crate) fn into_owned(self) -> CallerInformation<'static> {
        CallerInformation {
            card: self.card.map(owned),
            display_name: self.display_name.map(owned),
            homepage: self.homepage.map(owned),
            icon: self.icon.map(owned),
            map: self.map.map(owned),
            sound: self.sound.map(owned),
        }
    }
}
