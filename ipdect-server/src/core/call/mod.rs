//! One call: joins a DECT call and a SIP session, with the channel between them.

pub(crate) mod map;
pub(crate) mod step;
pub(crate) mod way;

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use dect_nwk::services::Slot;
use rfp_link::BearerId;
use sip_lync::{ForkId, SessionId};
use srtp_sdes::{Agreed, Offered, Profile, ReceiverKeys, SenderKeys};

use super::deadlines::Waiter;
use super::media_plan::RemoteMedia;
use super::radio::Dlei;
use super::subscriber::SubscriberId;
use crate::media::plan::Channel;
use step::Phase;
use way::Way;

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    HandsetToLync,
    LyncToHandset,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HandsetToLync => "handset-to-lync",
            Self::LyncToHandset => "lync-to-handset",
        }
    }
}

/// The other party as it is shown and logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The whole URI.
    pub(crate) uri: String,
    /// Its name.
    pub(crate) name: String,
    /// A number that a handset can dial.
    pub(crate) number: String,
    /// It is the mixer of a conference.
    pub(crate) conference: bool,
}

/// How our call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// With a status.
    Status(u16),
    /// Nobody answered.
    NoAnswer,
    /// No way for speech was found.
    NoWay,
}

/// Where a handset goes from a call that is about to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// To a new call, once its number is complete.
    New { number: String, slot: Slot, complete: bool },
    /// To its other call.
    Other(u32),
    /// Nowhere: the peer is asked to call this number.
    Transfer(String),
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: u32,
    pub(crate) subscriber: SubscriberId,
    pub(crate) direction: Direction,
    pub(crate) phase: Phase,
    pub(crate) since: Instant,
    pub(crate) dect: Option<dect_nwk::CallId>,
    pub(crate) session: Option<SessionId>,
    /// Digits of the handset until the number is complete.
    pub(crate) dialled: String,
    pub(crate) peer: Peer,
    pub(crate) channel: Channel,
    pub(crate) link: Option<Dlei>,
    pub(crate) bearer: Option<BearerId>,
    /// Where the base station receives, once the bearer is open.
    pub(crate) radio: Option<std::net::SocketAddr>,
    /// Keys of the bearer, if it is protected.
    pub(crate) radio_keys: Option<(SenderKeys, ReceiverKeys)>,
    pub(crate) network_ssrc: u32,
    pub(crate) radio_ssrc: u32,
    /// Our offer, until it is answered.
    pub(crate) offered: Option<Offered>,
    /// What both sides agreed on.
    pub(crate) agreed: Option<Agreed>,
    /// Profile and crypto line of our answer to the offer that was taken last.
    pub(crate) answer_line: Option<(Profile, Option<String>)>,
    pub(crate) remote: Option<RemoteMedia>,
    /// What forks of our INVITE have answered so far.
    pub(crate) early: BTreeMap<ForkId, (RemoteMedia, Agreed)>,
    pub(crate) way: Way,
    /// Version of our session description.
    pub(crate) version: u64,
    /// The peer's further offer waits for our answer.
    pub(crate) held_by_peer: bool,
    pub(crate) started: SystemTime,
    pub(crate) answered: Option<SystemTime>,
    pub(crate) outcome: &'static str,
    pub(crate) cause: String,
    /// Why the handset released, for the refusal of an incoming call.
    pub(crate) release_octet: u8,
    /// How the front end refused our call.
    pub(crate) refusal: Option<Refused>,
    /// Which of its two calls this is to the handset; none while another one stands in its place.
    pub(crate) slot: Option<Slot>,
    /// The call the handset came from, and goes back to when this one ends.
    pub(crate) returns_to: Option<u32>,
    /// Where the handset goes as soon as this call is held.
    pub(crate) next: Option<Next>,
    /// We asked its peer to call somebody else, and do not know yet what becomes of it.
    pub(crate) transferring: bool,
    /// Fires when no more digits came.
    pub(crate) digits_end: Option<Instant>,
    pub(crate) waiter: Waiter,
}

impl Call {
    /// Whether the far side answered and the call has not ended: what presence calls "in a call".
    pub(crate) fn established(&self) -> bool {
        matches!(
            self.phase,
            Phase::Accepted
                | Phase::Active
                | Phase::HoldPending
                | Phase::HoldRegretted
                | Phase::Held
                | Phase::RetrievePending
                | Phase::RetrieveRegretted
                | Phase::Parked
                | Phase::ParkedHeld
        )
    }

    /// Whether the handset holds the call, or is about to.
    pub(crate) fn holding(&self) -> bool {
        matches!(self.phase, Phase::HoldPending | Phase::HoldRegretted | Phase::Held | Phase::ParkedHeld)
    }

    /// What the key that holds and retrieves means now.
    pub(crate) fn hold_key(&self) -> step::Trigger {
        match self.phase {
            Phase::HoldPending | Phase::Held | Phase::RetrieveRegretted => step::Trigger::HandsetRetrieve,
            _ => step::Trigger::HandsetHold,
        }
    }

    /// Whether the handset is with another call.
    pub(crate) fn parked(&self) -> bool {
        matches!(self.phase, Phase::Parked | Phase::ParkedHeld)
    }

    /// The word of the status page.
    pub(crate) fn state(&self) -> &'static str {
        match self.phase {
            Phase::Overlap | Phase::Dialling | Phase::Further => "dialling",
            Phase::Delivered | Phase::Presented | Phase::Alerting => "ringing",
            Phase::Accepted | Phase::Active | Phase::HoldPending | Phase::HoldRegretted => "connected",
            Phase::Held
            | Phase::RetrievePending
            | Phase::RetrieveRegretted
            | Phase::Parked
            | Phase::ParkedHeld => "held",
            Phase::Ended => "releasing",
        }
    }
}
