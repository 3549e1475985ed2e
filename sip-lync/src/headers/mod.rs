//! Header fields: an ordered list of lines over the received bytes, and a typed value for each field.
//!
//! Reading the GRUU that a Lync registrar gave to one of the endpoints of a user:
//!
//! ```
//! use sip_lync::Message;
//!
//! let response = Message::parse(
//!     "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\
//!      Contact: <sip:192.0.2.9:40001;transport=tls>;+sip.instance=\"<urn:uuid:0f>\";gruu=\"sip:a@b;opaque=x;gruu\"\r\n\
//!      Contact: <sip:192.0.2.10:40001;transport=tls>;+sip.instance=\"<urn:uuid:4B>\";gruu=\"sip:a@b;opaque=y;gruu\"\r\n\r\n"
//!         .into(),
//! )
//! .unwrap();
//! let contacts = response.headers().contacts().unwrap();
//! let ours = contacts.iter().find(|contact| contact.instance_uuid().as_deref() == Some("4b")).unwrap();
//! assert_eq!(ours.gruu().unwrap().as_str(), "sip:a@b;opaque=y;gruu");
//! ```
//!
//! Editing a route set: a proxy takes its own Route off and puts a Via on; all other lines stay as they came.
//!
//! ```
//! use sip_lync::headers::{Transport, Via};
//! use sip_lync::{HeaderName, Message};
//!
//! let mut message = Message::parse(
//!     "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bK1\r\nRoute: <sip:me;lr>, <sip:next;lr>\r\n\r\n".into(),
//! )
//! .unwrap();
//! let headers = message.headers_mut();
//! assert_eq!(headers.remove_first(&HeaderName::Route).as_deref(), Some("<sip:me;lr>"));
//! headers.insert_first(HeaderName::Via, Via::new(Transport::Tls, "me", None).with_branch("z9hG4bK2"));
//! assert_eq!(headers.routes().unwrap()[0].uri.as_str(), "sip:next;lr");
//! assert_eq!(headers.via().unwrap().unwrap().branch(), Some("z9hG4bK2"));
//! ```

mod edit;
mod emit;
mod list;
pub(crate) mod lookup;
pub mod ms;
pub(crate) mod name;

mod authentication;
mod contact;
mod content;
mod cseq;
mod date;
mod event;
mod extensions;
mod history_info;
mod name_addr;
mod options;
mod parameters;
mod privacy;
mod rack;
mod reason;
mod replaces;
mod retry_after;
mod session_expires;
mod subscription_state;
mod typed;
mod via;
mod warning;

pub use authentication::{AuthenticationInfo, AuthenticationParameters, Challenge, Credentials};
pub use contact::Contact;
pub(crate) use contact::quality;
pub use content::{ContentDisposition, MediaType};
pub use cseq::CSeq;
pub use date::Date;
pub use event::Event;
pub use extensions::{FeatureSet, Information, TargetDialog};
pub use history_info::HistoryEntry;
pub(crate) use list::unfolded;
pub use list::{Header, Headers};
pub use name::{ExtensionName, HeaderName};
pub use name_addr::{NameAddr, NameAddrView};
pub use options::Tokens;
pub use parameters::{Parameters, ParametersView};
pub use privacy::Privacy;
pub use rack::RAck;
pub use reason::Reason;
pub use replaces::Replaces;
pub use retry_after::RetryAfter;
pub use session_expires::{Refresher, SessionExpires};
pub use subscription_state::{SubscriptionState, SubscriptionStatus};
pub(crate) use typed::check_call_id;
pub use via::{Transport, Via, ViaView};
pub use warning::Warning;
