//! What a fixed part tells its owner.

use super::supplementary::ServiceChange;
use crate::authentication::Key128;
use crate::ciss::Request;
use crate::element::{CallClass, FeatureActivate, RejectReason, ReleaseReason};
use crate::identity::{Ipei, Ipui, Tpui};
use crate::link::{CallId, LinkId, ServiceId};

/// A portable part of a [`FixedPart`](super::FixedPart).
///
/// EN 300 175-5 14.2.1 (the machine's own number for an entry of the location table)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortableId(pub u32);

/// A request for access rights that waits for its answer.
///
/// EN 300 175-5 13.5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessRequestId(pub u32);

/// What a [`FixedPart`](super::FixedPart) tells its owner.
///
/// EN 300 175-5 16.3 (primitives between the entities and the interworking unit)
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A portable part asks for access rights; answer with
    /// [`allow_access`](super::FixedPart::allow_access) or [`refuse_access`](super::FixedPart::refuse_access).
    AccessRightsRequested {
        /// Names the request in the answer.
        request: AccessRequestId,
        /// The identity the portable part showed.
        ipui: Ipui,
        /// Its equipment identity, if it showed that.
        ipei: Option<Ipei>,
        /// The portable part, if it is subscribed already.
        portable: Option<PortableId>,
    },
    /// The portable part has its access rights and a key: both are to be stored. Comes again with the key before it
    /// when the portable part turns out to have lost its link in the middle of a new key allocation.
    Subscribed {
        /// The new portable part.
        portable: PortableId,
        /// Its identity.
        ipui: Ipui,
        /// The user authentication key.
        uak: Key128,
        /// Whether it may use DSAA2.
        dsaa2: bool,
    },
    /// A subscription came to nothing.
    SubscriptionFailed {
        /// The identity the portable part showed.
        ipui: Ipui,
        /// The reason sent to it, or a timer expiry where the link was lost.
        reason: RejectReason,
    },
    /// The access rights of a portable part are gone: forget it.
    AccessTerminated {
        /// The portable part; the number is never used again.
        portable: PortableId,
        /// Its identity.
        ipui: Ipui,
    },
    /// A portable part did not give up its access rights.
    TerminationFailed {
        /// The portable part.
        portable: PortableId,
    },
    /// The portable part is in the location area.
    Located {
        /// The portable part.
        portable: PortableId,
        /// The link over which it registered.
        link: LinkId,
        /// The temporary identity it confirmed.
        tpui: Option<Tpui>,
    },
    /// A location registration was refused.
    LocationRefused {
        /// The identity the portable part showed.
        ipui: Ipui,
        /// The reason sent to it.
        reason: RejectReason,
    },
    /// The portable part went out of service.
    Detached {
        /// The portable part.
        portable: PortableId,
    },
    /// The portable part answered none of the pages; its calls were released before this event.
    Unreachable {
        /// The portable part.
        portable: PortableId,
    },
    /// The portable part could not prove that it has the key.
    AuthenticationFailed {
        /// The portable part.
        portable: PortableId,
    },
    /// The user of the portable part has entered the right personal identity.
    UserAuthenticated {
        /// The portable part.
        portable: PortableId,
    },
    /// The ZAP register of the portable part holds another value than it did; one nobody asked to increment says that
    /// the portable part is a copy.
    ZapChanged {
        /// The portable part.
        portable: PortableId,
        /// What it holds.
        zap: u8,
    },
    /// A portable part opens a transaction of call independent services: answer with
    /// [`service_notice`](super::FixedPart::service_notice) or
    /// [`close_service`](super::FixedPart::close_service).
    ServiceOpened {
        /// The new transaction.
        service: ServiceId,
        /// Who opened it.
        portable: PortableId,
        /// What came with it.
        request: Request,
    },
    /// More of a transaction of call independent services.
    ServiceRequested {
        /// The transaction.
        service: ServiceId,
        /// What came.
        request: Request,
    },
    /// A transaction of call independent services was ended by the portable part, by silence or with its link.
    ServiceClosed {
        /// The transaction; the number is never used again.
        service: ServiceId,
        /// Why.
        reason: ReleaseReason,
        /// What came with the end.
        request: Request,
    },
    /// The portable part asks for parameters, those of an external handover: answer with
    /// [`answer_parameters`](super::FixedPart::answer_parameters).
    ParametersRequested {
        /// The portable part.
        portable: PortableId,
        /// What it asks for.
        parameters: Vec<crate::element::Parameter>,
    },
    /// A text message of the portable part.
    Message {
        /// The portable part.
        portable: PortableId,
        /// The message.
        message: super::TextMessage,
    },
    /// A portable part answers the collective ringing over this link: call it with
    /// [`setup`](super::FixedPart::setup).
    RingAnswered {
        /// The portable part.
        portable: PortableId,
        /// Its link.
        link: LinkId,
    },
    /// The codec of a call, where it was negotiated.
    CodecChosen {
        /// The call.
        call: CallId,
        /// The codec.
        codec: crate::element::Codec,
    },
    /// The portable part told its equipment identity.
    Identified {
        /// The portable part.
        portable: PortableId,
        /// Its equipment identity; nothing where it could not tell.
        ipei: Option<Ipei>,
    },
    /// Ciphering of a link was switched.
    Ciphered {
        /// The portable part.
        portable: PortableId,
        /// Its link.
        link: LinkId,
        /// Whether it is ciphered now.
        on: bool,
    },
    /// The portable part calls.
    Setup {
        /// The new call.
        call: CallId,
        /// Who calls.
        portable: PortableId,
        /// The link whose bearer carries the speech.
        link: LinkId,
        /// The digits so far.
        called: String,
        /// Whether the portable part said that no more digits follow.
        complete: bool,
        /// The kind of call.
        class: CallClass,
    },
    /// More digits before the call is answered.
    Digits {
        /// The call.
        call: CallId,
        /// The new digits alone.
        digits: String,
        /// Whether the portable part said that no more digits follow.
        complete: bool,
    },
    /// Keys typed during the call; the R key is `'\u{15}'`.
    Keypad {
        /// The call.
        call: CallId,
        /// The keys.
        keys: String,
    },
    /// HOLD: answer with [`answer_hold`](super::FixedPart::answer_hold).
    HoldRequested {
        /// The call.
        call: CallId,
    },
    /// RETRIEVE: answer with [`answer_retrieve`](super::FixedPart::answer_retrieve).
    RetrieveRequested {
        /// The call.
        call: CallId,
    },
    /// The portable part held the call, or refused to.
    Held {
        /// The call.
        call: CallId,
        /// Whether it is held now.
        accepted: bool,
    },
    /// The portable part retrieved the call, or refused to.
    Retrieved {
        /// The call.
        call: CallId,
        /// Whether it was retrieved.
        accepted: bool,
    },
    /// CC-SERVICE-CHANGE: answer with
    /// [`answer_service_change`](super::FixedPart::answer_service_change).
    ServiceChangeRequested {
        /// The call.
        call: CallId,
        /// What shall change.
        change: ServiceChange,
    },
    /// The portable part agreed to a service change, or did not.
    ServiceChanged {
        /// The call.
        call: CallId,
        /// Whether it agreed.
        accepted: bool,
    },
    /// A feature key, other than the R key; answer with
    /// [`indicate_feature`](super::FixedPart::indicate_feature).
    FeatureActivated {
        /// The call.
        call: CallId,
        /// The feature and its parameter.
        feature: FeatureActivate,
    },
    /// Remote operations of a functional supplementary service.
    Facility {
        /// The call.
        call: CallId,
        /// The components.
        components: Vec<u8>,
    },
    /// One of two calls in a transaction is to be handled.
    Service {
        /// The transaction.
        call: CallId,
        /// What to do.
        action: crate::services::Action,
        /// The digits that came with it.
        digits: String,
    },
    /// Digits for the second call that is being dialled.
    SecondDigits {
        /// The transaction.
        call: CallId,
        /// The call in it.
        slot: crate::services::Slot,
        /// The new digits alone.
        digits: String,
    },
    /// A command of list access: give it to a [`ListServer`](crate::list_access::ListServer) and send its answers with
    /// [`list_command`](super::FixedPart::list_command).
    ListCommand {
        /// The call.
        call: CallId,
        /// The command.
        command: crate::list_access::Command,
    },
    /// The portable part rings.
    Alerting {
        /// The call.
        call: CallId,
    },
    /// The portable part has answered; its connection is acknowledged already.
    Answered {
        /// The call.
        call: CallId,
        /// The link whose bearer carries the speech.
        link: LinkId,
    },
    /// The call is over. Comes once for every call, also after the owner's own release.
    Released {
        /// The call; the number is never used again.
        call: CallId,
        /// Why.
        reason: ReleaseReason,
    },
}
