//! Session descriptions as Lync writes them: read tolerantly, written in one form.

pub mod ms;

mod attribute;
mod build;
mod candidate;
mod connection;
mod direction;
mod line;
mod media;
mod origin;
mod rtpmap;
mod session;

pub use attribute::Attribute;
pub use build::{AnswerError, AudioAnswer, AudioCodec, AudioOffer, audio_answer, audio_offer};
pub use candidate::{Candidate, CandidateKind, CandidateTransport, IceDialect};
pub use connection::Connection;
pub use direction::Direction;
pub use media::MediaDescription;
pub use origin::Origin;
pub use rtpmap::{Format, RtpMap};
pub use session::{Bandwidth, SessionDescription};
