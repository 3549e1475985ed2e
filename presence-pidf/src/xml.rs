//! XML within limits: a pull reader that borrows, a writer that appends, and a small tree for what is kept as it came.
#![expect(
    clippy::inline_always,
    reason = "measured: results of several words that cross a call go through memory and wait there"
)]

mod element;
mod namespace;
mod prolog;
mod reader;
mod scan;
mod start_tag;
#[cfg(test)]
mod tests;
mod text;
mod writer;

pub(crate) use element::{Element, Node};
pub(crate) use namespace::Namespace;
pub(crate) use reader::{BLANKS, Name, Reader, trim};
pub(crate) use scan::is_name;
pub(crate) use writer::{Writer, name_only};
