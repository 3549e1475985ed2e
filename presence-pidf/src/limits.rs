//! How much of a document is read.

/// Limits on a document, checked while it is read; what lies beyond them is refused, never cut off.
///
/// docs/xml-limits.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Most octets of the body.
    pub octets: usize,
    /// Deepest nesting of elements.
    pub depth: usize,
    /// Most attributes, namespace declarations among them, of one element.
    pub attributes: usize,
    /// Most namespaces in scope at one place.
    pub namespaces: usize,
    /// Most elements.
    pub elements: usize,
}

impl Limits {
    /// Of presence documents: 256 KiB, 32 deep, 64 attributes, 64 namespaces, 5000 elements.
    ///
    /// docs/xml-limits.md
    pub const DOCUMENT: Self =
        Self { octets: 256 * 1024, depth: 32, attributes: 64, namespaces: 64, elements: 5000 };
    /// Of the report of everything that a server holds of a user: up to 1 MiB.
    ///
    /// docs/xml-limits.md
    pub const ROAMING_SELF: Self = Self { octets: 1024 * 1024, ..Self::DOCUMENT };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DOCUMENT
    }
}
