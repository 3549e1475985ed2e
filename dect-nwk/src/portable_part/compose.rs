//! The messages a portable part sends.

use bytes::Bytes;

use super::call::Call;
use super::config::{DialElement, PortablePartConfig, Subscription};
use crate::Octets;
use crate::ciss::{Request, facility_elements};
use crate::element::{
    Alphanumeric, AuthType, AuthenticationKeyType, BasicService, CallClass, CallInformation,
    CallInformationItem, CalledPartyNumber, CipherInfo, CodecList, ControlCapability, ControlCodes,
    FixedIdentity, IdentityType, InfoType, InformationElement, IwuProtocol, IwuToIwu, LocationArea,
    MultiKeypad, Parameter, PortableIdentity, Rand, RejectReason, ReleaseReason, RepeatIndicator, Res,
    Service, TerminalCapability, ZapField,
};
use crate::fixed_part::ServiceChange;
use crate::identity::{Ipei, Ipui, Rfpi};
use crate::key_exchange::{Algorithm, KEY_NUMBER};
use crate::message::{Message, MessageType, Transaction};
use crate::services::Slot;

const OURS: bool = true;
const THEIRS: bool = false;

const fn transaction(ours: bool, value: u8) -> Transaction {
    if ours { Transaction::opened(value) } else { Transaction::answered(value) }
}

fn of_call(call: &Call, kind: MessageType) -> Message {
    Message::new(kind, transaction(call.ours, call.value))
}

fn mobility(ours: bool, kind: MessageType) -> Message {
    Message::new(kind, transaction(ours, 0))
}

fn capability(config: &PortablePartConfig) -> TerminalCapability {
    let mut capability = TerminalCapability::gap_telephone();
    let codes = capability.control.map_or(ControlCodes::Cursor, |control| control.codes);
    capability.control = Some(ControlCapability {
        dsaa2: config.dsaa2,
        dsc2: false,
        codes,
        character_sets: config.character_sets,
    });
    if config.codecs.is_some() {
        capability.announce_wideband();
    }
    if config.early_encryption {
        capability.announce_early_encryption();
    }
    capability
}

/// LCE-PAGE-RESPONSE: always a transaction of the portable part.
pub(super) fn page_response(subscription: &Subscription) -> Bytes {
    Message::new(MessageType::LcePageResponse, Transaction::opened(0))
        .with(PortableIdentity::Ipui(subscription.ipui))
        .with(FixedIdentity::park(subscription.park))
        .to_bytes()
}

/// CC-SETUP, with the number if it is known already.
pub(super) fn setup(call: &Call, subscription: &Subscription, config: &PortablePartConfig) -> Bytes {
    let service = match (call.class, &config.codecs) {
        (CallClass::Normal | CallClass::Internal, Some(_)) => Service::WidebandSpeech,
        (_, _) => Service::BasicSpeech,
    };
    let mut message = of_call(call, MessageType::CcSetup)
        .with(PortableIdentity::Ipui(subscription.ipui))
        .with(FixedIdentity::park(subscription.park))
        .with(BasicService { class: call.class, service });
    if !call.number.is_empty() {
        match config.dial_element {
            DialElement::CalledPartyNumber => message.push(CalledPartyNumber::dialled(&call.number)),
            DialElement::Keypad => message.push(MultiKeypad::new(&call.number)),
        }
    }
    if let Some(codecs) = config.codecs.as_ref().filter(|_| service == Service::WidebandSpeech) {
        message.push(codecs.clone());
    }
    if call.complete {
        message.push(InformationElement::SendingComplete);
    }
    message.to_bytes()
}

/// CC-ALERTING.
pub(super) fn alerting(call: &Call) -> Bytes {
    of_call(call, MessageType::CcAlerting).to_bytes()
}

/// CC-CONNECT.
pub(super) fn connect(call: &Call) -> Bytes {
    let mut message = of_call(call, MessageType::CcConnect);
    if let Some(choice) = call.codec {
        message.push(CodecList { negotiation: 1, codecs: vec![choice] });
    }
    message.to_bytes()
}

/// CC-INFO with digits or keys.
pub(super) fn information(call: &Call, keys: &str, complete: bool) -> Bytes {
    let mut message = of_call(call, MessageType::CcInfo);
    if !keys.is_empty() {
        message.push(MultiKeypad::new(keys));
    }
    if complete {
        message.push(InformationElement::SendingComplete);
    }
    message.to_bytes()
}

/// CC-RELEASE.
pub(super) fn release(call: &Call, reason: ReleaseReason) -> Bytes {
    of_call(call, MessageType::CcRelease).with(reason).to_bytes()
}

/// CC-RELEASE-COM.
pub(super) fn release_com(call: &Call, reason: ReleaseReason) -> Bytes {
    of_call(call, MessageType::CcReleaseCom).with(reason).to_bytes()
}

/// CC-RELEASE-COM for a transaction that is no call: the answer bears the same value and the other flag.
pub(super) fn refuse(received: Transaction, reason: ReleaseReason) -> Bytes {
    Message::new(MessageType::CcReleaseCom, received.reversed()).with(reason).to_bytes()
}

/// CC-SERVICE-REJECT.
pub(super) fn service_reject(call: &Call) -> Bytes {
    of_call(call, MessageType::CcServiceReject).with(ReleaseReason::ServiceNotImplemented).to_bytes()
}

/// A message of a call that says everything by its type.
pub(super) fn plain(call: &Call, kind: MessageType) -> Bytes {
    of_call(call, kind).to_bytes()
}

/// CC-SERVICE-CHANGE.
pub(super) fn service_change(call: &Call, ipui: &Ipui, change: &ServiceChange) -> Bytes {
    let mut message = of_call(call, MessageType::CcServiceChange)
        .with(PortableIdentity::Ipui(*ipui))
        .with(change.information);
    if let Some(codecs) = &change.codecs {
        message.push(codecs.clone());
    }
    message.to_bytes()
}

/// A message of a call with one element.
pub(super) fn with_element(call: &Call, kind: MessageType, element: impl Into<InformationElement>) -> Bytes {
    of_call(call, kind).with(element).to_bytes()
}

/// CC-INFO with a control code, and the call it is about.
pub(super) fn control(call: &Call, keys: &str, about: Option<Slot>) -> Bytes {
    let mut message = of_call(call, MessageType::CcInfo).with(MultiKeypad::new(keys));
    if let Some(slot) = about {
        message.push(CallInformation { items: vec![CallInformationItem::call(slot.identity())] });
    }
    message.to_bytes()
}

/// A message of a call with these elements.
pub(super) fn with_elements<const N: usize>(
    call: &Call,
    kind: MessageType,
    elements: [InformationElement; N],
) -> Bytes {
    elements.into_iter().fold(of_call(call, kind), Message::with).to_bytes()
}

/// IWU-INFO with data between the interworking units.
pub(super) fn iwu_info(call: &Call, sent: bool, protocol: IwuProtocol, data: &[u8]) -> Bytes {
    let data = IwuToIwu { sent, protocol, data: Octets::cut(data) };
    of_call(call, MessageType::IwuInfo).with(data).to_bytes()
}

/// CISS-RELEASE-COM for a transaction that is not taken.
pub(super) fn ciss_refuse(received: Transaction, reason: ReleaseReason) -> Bytes {
    Message::new(MessageType::CissReleaseCom, received.reversed()).with(reason).to_bytes()
}

/// CISS-REGISTER, FACILITY or CISS-RELEASE-COM; components that one element cannot hold take several messages.
pub(super) fn service(
    kind: MessageType,
    transaction: Transaction,
    identity: Option<Ipui>,
    request: &Request,
    reason: Option<ReleaseReason>,
) -> Vec<Bytes> {
    let mut facilities = if request.components.is_empty() {
        vec![Vec::new()]
    } else {
        facility_elements(&request.components).unwrap_or_default()
    };
    // What else is to be said goes with the last one.
    let last = facilities.pop().unwrap_or_default();
    let new = || Message::new(kind, transaction);
    let with_all = |message, elements: Vec<_>| elements.into_iter().fold(message, Message::with);
    let mut messages: Vec<Bytes> =
        facilities.into_iter().map(|elements| with_all(new(), elements).to_bytes()).collect();
    let mut message = reason.map_or_else(new, |reason| new().with(reason));
    if let Some(ipui) = identity {
        message.push(PortableIdentity::Ipui(ipui));
    }
    message = with_all(message, last);
    if !request.keys.is_empty() {
        message.push(MultiKeypad::new(&request.keys));
    }
    if let Some(feature) = request.feature {
        message.push(feature);
    }
    messages.push(message.to_bytes());
    messages
}

fn auth_type(algorithm: Algorithm, kind: AuthenticationKeyType) -> AuthType {
    AuthType::new(algorithm.element(), kind, KEY_NUMBER)
}

/// ACCESS-RIGHTS-REQUEST.
pub(super) fn access_request(config: &PortablePartConfig) -> Bytes {
    let algorithm = if config.dsaa2 { Algorithm::Dsaa2 } else { Algorithm::Dsaa };
    mobility(OURS, MessageType::AccessRightsRequest)
        .with(PortableIdentity::Ipui(Ipui::N(config.ipei)))
        .with(auth_type(algorithm, AuthenticationKeyType::AuthenticationCode))
        .with(capability(config))
        .to_bytes()
}

/// LOCATE-REQUEST.
pub(super) fn locate_request(
    subscription: &Subscription,
    config: &PortablePartConfig,
    left: Option<(Rfpi, u8)>,
) -> Bytes {
    let mut message = mobility(OURS, MessageType::LocateRequest)
        .with(PortableIdentity::Ipui(subscription.ipui))
        .with(match left {
            Some((cell, _)) => FixedIdentity::ari_and_rpn(cell.ari(), cell.rpn()),
            None => FixedIdentity::park(subscription.park),
        });
    if let Some((_, level)) = left {
        message.push(LocationArea::of_level(level));
    }
    message.push(capability(config));
    if let Some(codecs) = &config.codecs {
        message.push(codecs.clone());
    }
    message.to_bytes()
}

/// DETACH.
pub(super) fn detach(subscription: &Subscription) -> Bytes {
    mobility(OURS, MessageType::Detach).with(PortableIdentity::Ipui(subscription.ipui)).to_bytes()
}

/// AUTHENTICATION-REQUEST as the answer to KEY-ALLOCATE.
pub(super) fn key_proof(algorithm: Algorithm, rand_p: [u8; 8], res1: [u8; 4]) -> Bytes {
    mobility(THEIRS, MessageType::AuthenticationRequest)
        .with(auth_type(algorithm, AuthenticationKeyType::AuthenticationCode))
        .with(Rand(rand_p))
        .with(Res(res1))
        .to_bytes()
}

/// AUTHENTICATION-REQUEST to the fixed part.
pub(super) fn authentication_request(algorithm: Algorithm, rand_p: [u8; 8]) -> Bytes {
    mobility(OURS, MessageType::AuthenticationRequest)
        .with(auth_type(algorithm, AuthenticationKeyType::UserAuthenticationKey))
        .with(Rand(rand_p))
        .to_bytes()
}

/// AUTHENTICATION-REPLY; DSAA2 takes a challenge of ours as well.
pub(super) fn authentication_reply(
    algorithm: Algorithm,
    res1: [u8; 4],
    rand_p: [u8; 8],
    subscription: Option<&Subscription>,
) -> Bytes {
    let mut message = mobility(THEIRS, MessageType::AuthenticationReply);
    match algorithm {
        Algorithm::Dsaa => {}
        Algorithm::Dsaa2 => message.push(Rand(rand_p)),
    }
    message.push(Res(res1));
    if let Some(contents) = subscription.and_then(|known| known.zap) {
        message.push(ZapField { contents });
    }
    if let Some(class) = subscription.and_then(|known| known.service_class) {
        message.push(class);
    }
    message.to_bytes()
}

/// CLMS-VARIABLE.
pub(super) fn text_message(subscription: &Subscription, text: Alphanumeric) -> Bytes {
    Message::new(MessageType::ClmsVariable, Transaction::opened(0))
        .with(PortableIdentity::Ipui(subscription.ipui))
        .with(text)
        .to_bytes()
}

/// AUTHENTICATION-REJECT.
pub(super) fn authentication_reject(reason: RejectReason) -> Bytes {
    mobility(THEIRS, MessageType::AuthenticationReject).with(reason).to_bytes()
}

/// TEMPORARY-IDENTITY-ASSIGN-ACK.
pub(super) fn identity_ack(own_transaction: bool) -> Bytes {
    mobility(own_transaction, MessageType::TemporaryIdentityAssignAck).to_bytes()
}

/// IDENTITY-REPLY with what is known of the identities asked for.
pub(super) fn identity_reply(
    wanted: &[IdentityType],
    subscription: Option<&Subscription>,
    ipei: Ipei,
) -> Bytes {
    let mut identities: Vec<InformationElement> = Vec::new();
    for kind in wanted {
        if *kind == IdentityType::IPEI {
            identities.push(PortableIdentity::Ipei(ipei).into());
        } else if *kind == IdentityType::IPUI {
            identities.extend(subscription.map(|known| PortableIdentity::Ipui(known.ipui).into()));
        } else if *kind == IdentityType::TPUI {
            let tpui = subscription.and_then(|known| known.tpui);
            identities.extend(tpui.map(|tpui| PortableIdentity::Tpui(tpui).into()));
        } else if *kind == IdentityType::PARK {
            identities.extend(subscription.map(|known| FixedIdentity::park(known.park).into()));
        }
    }
    let mut message = mobility(THEIRS, MessageType::IdentityReply);
    if identities.len() > 1 {
        message.push(RepeatIndicator::NonPrioritised);
    }
    for identity in identities {
        message.push(identity);
    }
    message.to_bytes()
}

/// MM-INFO-REQUEST for the parameters of an external handover.
pub(super) fn info_request(subscription: &Subscription) -> Bytes {
    mobility(OURS, MessageType::MmInfoRequest)
        .with(InfoType { parameters: vec![Parameter::ExternalHandoverParameters] })
        .with(PortableIdentity::Ipui(subscription.ipui))
        .to_bytes()
}

/// CIPHER-SUGGEST.
pub(super) fn cipher_suggest(on: bool) -> Bytes {
    mobility(OURS, MessageType::CipherSuggest).with(CipherInfo::dsc(on, KEY_NUMBER)).to_bytes()
}

/// CIPHER-REJECT.
pub(super) fn cipher_reject(own_transaction: bool, reason: RejectReason) -> Bytes {
    mobility(own_transaction, MessageType::CipherReject).with(reason).to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-REQUEST.
pub(super) fn terminate_request(subscription: &Subscription) -> Bytes {
    mobility(OURS, MessageType::AccessRightsTerminateRequest)
        .with(PortableIdentity::Ipui(subscription.ipui))
        .with(FixedIdentity::park(subscription.park))
        .to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-ACCEPT.
pub(super) fn terminate_accept() -> Bytes {
    mobility(THEIRS, MessageType::AccessRightsTerminateAccept).to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-REJECT.
pub(super) fn terminate_reject(reason: RejectReason) -> Bytes {
    mobility(THEIRS, MessageType::AccessRightsTerminateReject).with(reason).to_bytes()
}
