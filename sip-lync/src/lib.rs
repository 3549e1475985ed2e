//! The Lync dialect of SIP and SDP, without input or output of its own.
#![forbid(unsafe_code)]

pub mod body;
mod error;
pub mod framing;
mod grammar;
pub mod headers;
mod message;
mod method;
mod scan;
pub mod sdp;
mod status;
mod uri;

pub use error::{Breach, Error, ParseError, Refusal, Rule};
pub use framing::{Frame, FramingError, StreamDecoder};
pub use headers::{HeaderName, Headers};
pub use message::{Limits, Message, Request, Response, Version};
pub use method::Method;
pub use scan::LineEnds;
pub use status::StatusCode;
pub use uri::{SipScheme, SipUri, TelUri, Uri};
