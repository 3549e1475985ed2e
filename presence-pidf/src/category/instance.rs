//! One category instance: what a publication consists of.

use core::fmt::Write;

use crate::category::{DeviceCategory, StateCategory};
use crate::error::{Error, Rule};
use crate::xml::{Element, escaped};

/// One publication: its key (name, instance, container), its version, how long it lives, and what it says.
///
/// MS-PRES 2.2.2.1 (publication)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryInstance {
    /// The category, for example `state`.
    pub name: String,
    /// Which of several publications of that category.
    pub instance: u32,
    /// Who may read it; at most 32767.
    pub container: u16,
    /// The version that the writer believes to replace; 0 for the first. In a report: the version that the server holds.
    pub version: u32,
    /// What ends the publication.
    pub expire_type: ExpireType,
    /// Seconds until it ends; 0 deletes it.
    pub expires: Option<u32>,
    /// What it says.
    pub content: Content,
}

/// What ends a publication.
///
/// MS-PRES 2.2.2.1 (expireType)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ExpireType {
    /// The end of the endpoint's registration.
    #[default]
    Endpoint,
    /// The end of the user's last registration.
    User,
    /// Nothing.
    Static,
    /// Its time.
    Time,
}

/// What a publication says.
///
/// MS-PRES 2.2.2.7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// Nothing: it is deleted, or its answer only names it.
    Nothing,
    /// A `state`.
    State(StateCategory),
    /// A `device`.
    Device(DeviceCategory),
    /// Another category; its content is not kept.
    Other {
        /// Namespace of its root.
        namespace: String,
        /// Name of its root.
        name: String,
    },
}

impl ExpireType {
    fn token(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::User => "user",
            Self::Static => "static",
            Self::Time => "time",
        }
    }

    fn of(token: Option<&str>) -> Option<Self> {
        match token.map(str::trim) {
            None | Some("endpoint") => Some(Self::Endpoint),
            Some("user") => Some(Self::User),
            Some("static") => Some(Self::Static),
            Some("time") => Some(Self::Time),
            Some(_) => None,
        }
    }
}

impl CategoryInstance {
    /// A new `state` of an endpoint.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn state(instance: u32, container: u16, state: StateCategory) -> Self {
        Self {
            name: "state".to_owned(),
            instance,
            container,
            version: 0,
            expire_type: ExpireType::Endpoint,
            expires: None,
            content: Content::State(state),
        }
    }

    /// The same publication, deleted.
    ///
    /// MS-PRES 2.2.2.1 (expires)
    #[must_use]
    pub fn deleted(self) -> Self {
        Self { expires: Some(0), content: Content::Nothing, ..self }
    }

    /// What tells it from others: name, instance and container.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn key(&self) -> (&str, u32, u16) {
        (&self.name, self.instance, self.container)
    }

    pub(super) fn write_attributes(&self, name_attribute: &str, out: &mut String) {
        let _ = write!(
            out,
            " {name_attribute}=\"{}\" instance=\"{}\" container=\"{}\" version=\"{}\" expireType=\"{}\"",
            escaped(&self.name),
            self.instance,
            self.container,
            self.version,
            self.expire_type.token()
        );
        if let Some(expires) = self.expires {
            let _ = write!(out, " expires=\"{expires}\"");
        }
    }

    pub(super) fn write_content(&self, out: &mut String) {
        match &self.content {
            Content::Nothing => {}
            Content::State(state) => state.write(out),
            Content::Device(device) => device.write(out),
            Content::Other { namespace, name } => {
                let _ = write!(out, "<{} xmlns=\"{}\"/>", name_only(name), escaped(namespace));
            }
        }
    }

    pub(super) fn read(element: &Element, name_attribute: &str) -> Result<Self, Error> {
        let expire_type = ExpireType::of(element.attribute("expireType"));
        let container: u16 = number(element, "container")?;
        if container > CONTAINER_MAX {
            return Err(element.broken(Rule::AttributeValue));
        }
        Ok(Self {
            name: element.required(name_attribute)?.to_owned(),
            instance: number(element, "instance")?,
            container,
            version: number(element, "version")?,
            expire_type: expire_type.ok_or_else(|| element.broken(Rule::AttributeValue))?,
            expires: match element.attribute("expires") {
                None => None,
                Some(_) => Some(number(element, "expires")?),
            },
            content: Content::read(element)?,
        })
    }
}

impl Content {
    fn read(element: &Element) -> Result<Self, Error> {
        let Some(content) = element.children.first() else {
            return Ok(Self::Nothing);
        };
        if let Some(state) = StateCategory::read(content) {
            Ok(Self::State(state))
        } else if let Some(device) = DeviceCategory::read(content) {
            Ok(Self::Device(device?))
        } else {
            Ok(Self::Other { namespace: content.namespace.clone(), name: content.name.clone() })
        }
    }
}

/// An unsigned number in an attribute; blanks around it are allowed, signs are not.
pub(super) fn number<T: core::str::FromStr>(element: &Element, name: &str) -> Result<T, Error> {
    let text = element.required(name)?.trim();
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| element.broken(Rule::AttributeValue))
}

/// A name that cannot end its tag.
fn name_only(name: &str) -> String {
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name
    } else {
        format!("_{name}")
    }
}

/// The greatest container number.
const CONTAINER_MAX: u16 = 32767;
