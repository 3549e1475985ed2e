//! Bodies of messages.

pub mod c3p;
pub mod conference_info;
pub mod dialog_info;
pub mod multipart;
pub mod mwi;
pub mod provisioning;
pub mod sipfrag;
pub(crate) mod xml;
