//! Header fields: an ordered list of lines over the received bytes, and a typed value for each field.

mod edit;
mod list;
pub mod ms;
pub(crate) mod name;

mod authentication;
mod contact;
mod content;
mod cseq;
mod date;
mod event;
mod history_info;
mod name_addr;
mod options;
mod parameters;
mod rack;
mod reason;
mod replaces;
mod session_expires;
mod subscription_state;
mod typed;
mod via;
mod warning;

pub use authentication::{AuthenticationInfo, AuthenticationParameters, Challenge, Credentials};
pub use contact::Contact;
pub use content::{ContentDisposition, MediaType};
pub use cseq::CSeq;
pub use date::Date;
pub use event::Event;
pub use history_info::HistoryEntry;
pub(crate) use list::unfolded;
pub use list::{Header, Headers};
pub use name::{ExtensionName, HeaderName};
pub use name_addr::{NameAddr, NameAddrView};
pub use options::Tokens;
pub use parameters::{Parameters, ParametersView};
pub use rack::RAck;
pub use reason::Reason;
pub use replaces::Replaces;
pub use session_expires::{Refresher, SessionExpires};
pub use subscription_state::{SubscriptionState, SubscriptionStatus};
pub use via::{Transport, Via, ViaView};
pub use warning::Warning;
