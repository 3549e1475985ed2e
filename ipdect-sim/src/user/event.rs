//! What a simulated Lync user reports.

use std::net::SocketAddr;

use serde::Serialize;
use sip_lync::EndReason;

use crate::talk::{Flow, TalkPlan};

/// A call of the user.
///
/// RFC 3261 12
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CallNumber(pub u32);

/// Which side did something.
///
/// RFC 3264 8.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// This user.
    Us,
    /// The other side.
    Them,
}

/// Something that happened to the user; each event is one JSON line.
///
/// RFC 3261 13, MS-SIPREGE 3.1
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// Registered, or the registration was refreshed.
    Registered {
        /// The GRUU the front end gave.
        gruu: Option<String>,
        /// Seconds.
        expires: u64,
        /// Whether the front end knew the endpoint before.
        refreshed: bool,
    },
    /// The registration was refused or lost.
    RegistrationFailed {
        /// The status; none: no answer.
        status: Option<u16>,
        /// Why, in one line.
        reason: String,
    },
    /// The user is no longer registered, as asked.
    Deregistered,
    /// A call comes in; the user is rung.
    Incoming {
        /// The call.
        call: CallNumber,
        /// From whom.
        from: String,
        /// The caller's name.
        name: Option<String>,
    },
    /// Our call rings there.
    Ringing {
        /// The call.
        call: CallNumber,
        /// 180 or 183.
        status: u16,
    },
    /// Both sides talk.
    Connected {
        /// The call.
        call: CallNumber,
    },
    /// The call was put on hold.
    Held {
        /// The call.
        call: CallNumber,
        /// By whom.
        by: Side,
    },
    /// The call goes on.
    Retrieved {
        /// The call.
        call: CallNumber,
        /// By whom.
        by: Side,
    },
    /// The other side was asked to call somebody else, and this became of it.
    Transferred {
        /// The call; it ends if the status is a success.
        call: CallNumber,
        /// The status of the new call or of the refusal; none: nothing was heard.
        status: Option<u16>,
    },
    /// The other side refused a hold or retrieve of ours.
    ChangeRefused {
        /// The call.
        call: CallNumber,
        /// The status.
        status: u16,
    },
    /// The call is over.
    Released {
        /// The call.
        call: CallNumber,
        /// The status of a refusal; none: it ended otherwise.
        status: Option<u16>,
        /// Why, in one line.
        reason: String,
    },
    /// The media of a call changed.
    Media {
        /// The call.
        call: CallNumber,
        /// Whether it is SRTP.
        srtp: bool,
        /// The crypto suite.
        suite: Option<String>,
        /// The master key identifier of our packets.
        mki: Option<u64>,
        /// The life of our key as the crypto line says it, such as `2^31`.
        lifetime: Option<String>,
        /// `PCMA` or `PCMU`.
        encoding: &'static str,
        /// `sendrecv`, `sendonly`, `recvonly` or `inactive`.
        direction: &'static str,
        /// Where our packets go.
        remote: SocketAddr,
    },
    /// ICE has found the way of a call's media.
    Way {
        /// The call.
        call: CallNumber,
        /// The dialect: `ms-ice2`, `rfc8445` or `draft06`.
        dialect: &'static str,
        /// Where our packets go from now on.
        remote: SocketAddr,
    },
    /// The connection to the front end is unusable and must be closed.
    Close {
        /// Why, in one line.
        reason: String,
    },
}

/// What the shell has to do with the media sockets.
///
/// RFC 3264 6
#[derive(Debug)]
#[non_exhaustive]
pub enum MediaPlan {
    /// Begin, or begin again with other keys.
    Start {
        /// The call.
        call: CallNumber,
        /// The stream.
        plan: Box<TalkPlan>,
        /// Where packets go.
        remote: SocketAddr,
    },
    /// Go on with the same keys.
    Change {
        /// The call.
        call: CallNumber,
        /// Which ways media flows now.
        flow: Flow,
        /// Where packets go now.
        remote: SocketAddr,
    },
    /// End.
    Stop {
        /// The call.
        call: CallNumber,
    },
}

/// Why a call ended, in words.
pub(super) fn end(reason: EndReason) -> &'static str {
    match reason {
        EndReason::PeerBye => "the other side hung up",
        EndReason::Cancelled { completed_elsewhere: true } => "answered elsewhere",
        EndReason::Cancelled { completed_elsewhere: false } => "the caller gave up",
        EndReason::Local => "hung up",
        EndReason::AckMissing => "the ACK did not come",
        EndReason::DialogGone => "the other side does not know the call",
        EndReason::FlowLost => "the connection is gone",
        EndReason::RegistrationLost => "the registration is gone",
        _ => "ended",
    }
}
