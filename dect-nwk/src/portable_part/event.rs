//! What a portable part tells its user.

use super::config::Subscription;
use crate::ciss::Notice;
use crate::clms_fixed::ClmsFixed;
use crate::element::{
    CallInformation, Codec, FeatureIndicate, IwuProtocol, RejectReason, ReleaseReason, Signal, TimeDate,
};
use crate::fixed_part::{HandoverParameters, ServiceChange, TextMessage};
use crate::identity::Tpui;
use crate::link::{CallId, ServiceId};
use crate::page::RingPattern;

/// What a [`PortablePart`](super::PortablePart) tells its user.
///
/// EN 300 175-5 16.3 (primitives between the entities and the interworking unit)
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The access rights and a key are there: keep them.
    Subscribed(Subscription),
    /// The subscription came to nothing.
    SubscriptionFailed {
        /// The reason of the fixed part, or a timer expiry.
        reason: RejectReason,
    },
    /// The access rights are gone.
    Terminated,
    /// The fixed part did not take the access rights back.
    TerminationFailed,
    /// The location is registered.
    Located {
        /// The temporary identity, if there is one.
        tpui: Option<Tpui>,
    },
    /// The location is not registered.
    LocationFailed {
        /// The reason of the fixed part, or a timer expiry.
        reason: RejectReason,
    },
    /// The fixed part has, or has not, proven that it knows the key.
    FixedPartAuthenticated {
        /// Whether it has.
        genuine: bool,
    },
    /// The fixed part wants the user's personal identity: enter it with
    /// [`enter_personal_identity`](super::PortablePart::enter_personal_identity).
    PersonalIdentityWanted,
    /// The access rights have changed: subscribe again, after the fixed part has proven its key.
    SubscriptionSuggested,
    /// What an external handover needs: asked for, or suggested by the fixed part.
    HandoverParameters(HandoverParameters),
    /// What an external handover needs is not to be had.
    ParametersRefused {
        /// The reason of the fixed part, or a timer expiry.
        reason: RejectReason,
    },
    /// A text message.
    Message(TextMessage),
    /// A message broadcast to a group.
    Broadcast(ClmsFixed),
    /// Ring, or stop ringing, without a call; the user answers with
    /// [`answer_ring`](super::PortablePart::answer_ring).
    GroupRing {
        /// How.
        pattern: RingPattern,
    },
    /// The codec of a call, where it was negotiated.
    CodecChosen {
        /// The call.
        call: CallId,
        /// The codec.
        codec: Codec,
    },
    /// The fixed part authenticated this portable part.
    Authenticated,
    /// Ciphering of the link was switched.
    Ciphered {
        /// Whether the link is ciphered now.
        on: bool,
    },
    /// A call comes in; CC-ALERTING is sent already.
    Ring {
        /// The call.
        call: CallId,
        /// Digits of the caller.
        calling_number: Option<String>,
        /// Name of the caller.
        calling_name: Option<String>,
        /// How to ring.
        signal: Option<Signal>,
    },
    /// The fixed part wants digits.
    SetupAcknowledged {
        /// The call.
        call: CallId,
    },
    /// The fixed part has all digits.
    Proceeding {
        /// The call.
        call: CallId,
    },
    /// The far end rings.
    RemoteAlerting {
        /// The call.
        call: CallId,
    },
    /// The parties talk.
    Connected {
        /// The call.
        call: CallId,
    },
    /// The call is over. Comes once for every call, also after the user's own release.
    Released {
        /// The call; the number is never used again.
        call: CallId,
        /// Why.
        reason: ReleaseReason,
    },
    /// Text for the display, control characters included.
    Display {
        /// The call.
        call: CallId,
        /// The text.
        text: String,
    },
    /// A tone or an alerting pattern.
    Signal {
        /// The call.
        call: CallId,
        /// The tone or pattern.
        signal: Signal,
    },
    /// In-band tones or announcements are to be heard: open the receive path.
    InBand {
        /// The call.
        call: CallId,
    },
    /// The fixed part held the call, or refused to.
    Held {
        /// The call.
        call: CallId,
        /// Whether it is held now.
        accepted: bool,
    },
    /// The fixed part retrieved the call, or refused to.
    Retrieved {
        /// The call.
        call: CallId,
        /// Whether it was retrieved.
        accepted: bool,
    },
    /// HOLD: answer with [`answer_hold`](super::PortablePart::answer_hold).
    HoldRequested {
        /// The call.
        call: CallId,
    },
    /// RETRIEVE: answer with [`answer_hold`](super::PortablePart::answer_hold).
    RetrieveRequested {
        /// The call.
        call: CallId,
    },
    /// CC-SERVICE-CHANGE: answer with
    /// [`answer_service_change`](super::PortablePart::answer_service_change).
    ServiceChangeRequested {
        /// The call.
        call: CallId,
        /// What shall change.
        change: ServiceChange,
    },
    /// The fixed part agreed to a service change, or did not.
    ServiceChanged {
        /// The call.
        call: CallId,
        /// Whether it agreed.
        accepted: bool,
    },
    /// What became of a feature.
    FeatureIndicated {
        /// The call.
        call: CallId,
        /// The feature and its status.
        feature: FeatureIndicate,
    },
    /// Remote operations of a functional supplementary service.
    Facility {
        /// The call.
        call: CallId,
        /// The components.
        components: Vec<u8>,
    },
    /// How one of the calls of the transaction stands, or why a control code had no effect.
    CallInformation {
        /// The transaction.
        call: CallId,
        /// What is said.
        information: CallInformation,
    },
    /// Who calls, told after the set-up: also of a call that waits.
    Caller {
        /// The call.
        call: CallId,
        /// Digits of the caller.
        calling_number: Option<String>,
        /// Name of the caller.
        calling_name: Option<String>,
    },
    /// A command of list access.
    ListCommand {
        /// The call.
        call: CallId,
        /// The command.
        command: crate::list_access::Command,
    },
    /// The fixed part refused data of this protocol.
    DataRefused {
        /// The call.
        call: CallId,
        /// The protocol.
        protocol: IwuProtocol,
    },
    /// The fixed part opens a transaction of call independent services.
    ServiceOpened {
        /// The new transaction.
        service: ServiceId,
        /// What came with it.
        notice: Notice,
    },
    /// More of a transaction of call independent services.
    ServiceNoticed {
        /// The transaction.
        service: ServiceId,
        /// What came.
        notice: Notice,
    },
    /// A transaction of call independent services was ended by the fixed part, by silence or with the link.
    ServiceClosed {
        /// The transaction; the number is never used again.
        service: ServiceId,
        /// Why.
        reason: ReleaseReason,
        /// What came with the end.
        notice: Notice,
    },
    /// How many voice messages wait and how many calls were missed, as far as the fixed part says.
    Notified {
        /// Voice messages.
        voice_messages: Option<u32>,
        /// Missed calls.
        missed_calls: Option<u32>,
    },
    /// A list of the fixed part has changed.
    ListChanged {
        /// The list.
        list: u32,
        /// How many entries it has now.
        entries: u32,
    },
    /// The date and the time.
    TimeAndDate(TimeDate),
    /// There is no way to the fixed part: the link could not be established or is lost.
    LinkLost,
}
