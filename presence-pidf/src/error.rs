//! What can be wrong with a presence document.

pub(crate) use crate::limits::Limits;

use thiserror::Error;

/// Why a document was not accepted.
///
/// docs/states/handset-presence.md and MS-PRES 2.2 describe what is accepted; limits are ours, RFC 3863 has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Error {
    /// The octets are no document that anybody may send; `at` is the octet where it was found.
    #[error("malformed at octet {at}: {rule}")]
    Malformed {
        /// Offset into the body.
        at: usize,
        /// The rule that was broken.
        rule: Rule,
    },
}

/// A rule that a document can break.
///
/// MS-PRES 2.2
// As wide as a word: results with something longer in them are then moved in words, and never in octets.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Rule {
    /// XML 1.0 2.2
    #[error("the text is not UTF-8")]
    Utf8,
    /// XML 1.0 2.1
    #[error("not well-formed XML")]
    WellFormed,
    /// XML 1.0 2.8, refused on purpose
    #[error("a document type declaration is refused")]
    DocumentType,
    /// XML 1.0 4.1
    #[error("an entity that is not predefined")]
    Entity,
    /// XML 1.0 2.2
    #[error("a character that XML does not allow")]
    Character,
    /// Namespaces in XML 1.0 5
    #[error("a prefix without namespace")]
    Prefix,
    /// Namespaces in XML 1.0 6.3
    #[error("an attribute occurs twice")]
    DuplicateAttribute,
    /// XML 1.0 2.1
    #[error("a document has one root")]
    OneRoot,
    /// A limit of ours.
    #[error("the body is too long")]
    Length,
    /// A limit of ours.
    #[error("elements are nested too deeply")]
    Depth,
    /// A limit of ours.
    #[error("too many elements")]
    Elements,
    /// A limit of ours.
    #[error("too many attributes or namespaces")]
    Attributes,
    /// MS-PRES 2.2
    #[error("another root element is expected")]
    Root,
    /// MS-PRES 2.2
    #[error("an attribute is missing")]
    AttributeMissing,
    /// MS-PRES 2.2
    #[error("an attribute does not have that value")]
    AttributeValue,
    /// MS-PRES 2.2: name, instance and container are unique within one request
    #[error("a publication occurs twice")]
    DuplicatePublication,
    /// RFC 3863 4.4, RFC 4479 5, RFC 4480 5: the sequences of the schemas
    #[error("an element stands where the schema has none")]
    Order,
    /// RFC 3863 4.4
    #[error("an element is missing")]
    ElementMissing,
    /// RFC 3863 4.4
    #[error("an element does not have that content")]
    ElementValue,
    /// XML Schema 2 3.3.8, RFC 3863 4.4: identifiers are unique in the document
    #[error("an identifier occurs twice or is none")]
    Identifier,
    /// RFC 2046 5.1.1
    #[error("the parts of the body cannot be told apart")]
    Multipart,
    /// RFC 4662 5.1
    #[error("the first part is no list of resources")]
    List,
    /// RFC 5261 4.1
    #[error("a selector is none of those that may be used")]
    Selector,
    /// RFC 5261 5
    #[error("a selector does not locate exactly one node")]
    Unlocated,
    /// RFC 5261 5
    #[error("a patch cannot be applied to that node")]
    Patch,
    /// RFC 3863 8: another media type than those that are read
    #[error("a media type that is not read")]
    MediaType,
}
