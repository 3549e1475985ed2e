//! The messages a fixed part sends.

mod independent;

use bytes::{Bytes, BytesMut};

use super::call::Call;
use super::config::{FixedPartConfig, Terminal, Tones};
use super::security::Challenge;
use super::{Ciphering, FixedPart, HandoverParameters, IncomingCall, Information, ServiceChange};
use crate::Octets;
use crate::characters::{CharacterSet, Characters, control};
use crate::element::{
    AllocationType, Alphanumeric, AuthType, AuthenticationKeyType, BasicService, CallInformation,
    CallInformationItem, CalledPartyNumber, CallingPartyName, CallingPartyNumber, CipherInfo, DefaultKey,
    Duration, ElementIdentifier, FixedIdentity, IdentityType, InfoType, InformationElement, IwuProtocol,
    IwuToIwu, LocationArea, MultiDisplay, Parameter, PortableIdentity, ProgressIndicator, Rand, RejectReason,
    ReleaseReason, RepeatIndicator, Res, Rs, Service, Signal, SlotType, ZapField,
};
use crate::identity::{Ari, Ipui, Park, Tpui};
use crate::key_exchange::{Algorithm, KEY_NUMBER};
use crate::message::{Message, MessageType, Transaction};
use crate::page::{Page, PageHeader};

pub(super) use independent::{ciss_refuse, mobility_notify, notification, service};

/// Who opened a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    Fixed,
    Portable,
}

const fn transaction(opener: Opener, value: u8) -> Transaction {
    match opener {
        Opener::Fixed => Transaction::opened(value),
        Opener::Portable => Transaction::answered(value),
    }
}

fn of_call(call: &Call, kind: MessageType) -> Message {
    Message::new(kind, transaction(if call.by_fixed { Opener::Fixed } else { Opener::Portable }, call.value))
}

fn mobility(opener: Opener, kind: MessageType) -> Message {
    Message::new(kind, transaction(opener, 0))
}

/// Text that takes the place of everything on the display.
fn display(text: &str, terminal: Terminal) -> MultiDisplay {
    let text = format!("{}{text}", char::from(control::CLEAR));
    MultiDisplay { characters: Characters::encode(&text, CharacterSet::best(terminal.character_sets)) }
}

/// The request for a link: to the temporary identity, or to the low bits of the user's.
pub(super) fn page(ipui: &Ipui, tpui: Option<Tpui>, voice: bool, wideband: bool) -> Bytes {
    let header = if voice { PageHeader::Voice } else { PageHeader::NoUPlane };
    let page = match tpui {
        Some(_) if wideband => Page::full(header, ipui, tpui, SlotType::Long640),
        Some(_) => Page::short(header, ipui, tpui),
        None => Page::full(header, ipui, None, SlotType::Full),
    };
    let mut octets = BytesMut::new();
    page.emit(&mut octets);
    octets.freeze()
}

/// LCE-PAGE-REJECT.
pub(super) fn page_reject(identity: PortableIdentity, reason: RejectReason) -> Bytes {
    Message::new(MessageType::LcePageReject, Transaction::answered(0)).with(identity).with(reason).to_bytes()
}

/// CC-SETUP.
pub(super) fn setup(call: &Call, ipui: &Ipui, ari: Ari, terminal: Terminal) -> Bytes {
    let incoming = call.incoming.as_deref();
    let class = incoming.map_or(BasicService::NORMAL_SPEECH.class, FixedPart::class);
    let signal = incoming.and_then(|incoming| incoming.signal).unwrap_or(Signal::Alerting0);
    let mut message = of_call(call, MessageType::CcSetup)
        .with(PortableIdentity::Ipui(*ipui))
        .with(FixedIdentity::park(Park::of(ari)))
        .with(BasicService {
            class,
            service: if call.codecs.is_some() { Service::WidebandSpeech } else { Service::BasicSpeech },
        });
    if let Some(text) = incoming.and_then(|incoming| incoming.display.as_ref()) {
        message.push(display(text, terminal));
    }
    message.push(signal);
    if let Some(incoming) = incoming {
        if let Some(number) = &incoming.calling_number {
            message.push(CallingPartyNumber::private(number));
        }
        if let Some(name) = &incoming.calling_name {
            message.push(CallingPartyName::contact(name));
        }
    }
    if let Some(codecs) = &call.codecs {
        message.push(codecs.clone());
    }
    message.to_bytes()
}

fn tone(message: Message, tones: Tones, signal: Signal) -> Message {
    match tones {
        Tones::Portable => message.with(signal),
        Tones::InBand => message.with(ProgressIndicator::IN_BAND),
    }
}

/// CC-SETUP-ACK with dial tone.
pub(super) fn setup_ack(call: &Call, tones: Tones) -> Bytes {
    tone(of_call(call, MessageType::CcSetupAck), tones, Signal::DialTone).to_bytes()
}

/// CC-CALL-PROC.
pub(super) fn call_proceeding(call: &Call, tones: Tones) -> Bytes {
    let message = of_call(call, MessageType::CcCallProc);
    match tones {
        Tones::Portable => message,
        Tones::InBand => message.with(ProgressIndicator::IN_BAND),
    }
    .to_bytes()
}

/// CC-ALERTING with ring-back tone.
pub(super) fn alerting(call: &Call, tones: Tones) -> Bytes {
    tone(of_call(call, MessageType::CcAlerting), tones, Signal::RingBack).to_bytes()
}

/// CC-CONNECT.
pub(super) fn connect(call: &Call) -> Bytes {
    let mut message = of_call(call, MessageType::CcConnect);
    if let Some(codecs) = &call.codecs {
        message.push(codecs.clone());
    }
    message.to_bytes()
}

/// CC-CONNECT-ACK.
pub(super) fn connect_ack(call: &Call) -> Bytes {
    of_call(call, MessageType::CcConnectAck).to_bytes()
}

/// CC-INFO.
pub(super) fn information(call: &Call, information: &Information, terminal: Terminal) -> Bytes {
    let mut message = of_call(call, MessageType::CcInfo);
    if information.in_band {
        message.push(ProgressIndicator::IN_BAND);
    }
    if let Some(text) = &information.display {
        message.push(display(text, terminal));
    }
    if let Some(signal) = information.signal {
        message.push(signal);
    }
    if let Some(number) = &information.calling_number {
        message.push(CallingPartyNumber::private(number));
    }
    if let Some(name) = &information.calling_name {
        message.push(CallingPartyName::contact(name));
    }
    if let Some(number) = &information.called_number {
        message.push(CalledPartyNumber::dialled(number));
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

/// A message of a call that says everything by its type.
pub(super) fn plain(call: &Call, kind: MessageType) -> Bytes {
    of_call(call, kind).to_bytes()
}

/// CC-SERVICE-REJECT.
pub(super) fn service_reject(call: &Call) -> Bytes {
    of_call(call, MessageType::CcServiceReject).with(ReleaseReason::ServiceNotImplemented).to_bytes()
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

/// A message of a call with these elements.
pub(super) fn with_elements<const N: usize>(
    call: &Call,
    kind: MessageType,
    elements: [InformationElement; N],
) -> Bytes {
    elements.into_iter().fold(of_call(call, kind), Message::with).to_bytes()
}

/// CC-INFO: how one of several calls stands, or why its code means nothing.
pub(super) fn call_status(call: &Call, items: Vec<CallInformationItem>, signal: Option<Signal>) -> Bytes {
    let mut message = of_call(call, MessageType::CcInfo);
    if let Some(signal) = signal {
        message.push(signal);
    }
    message.with(CallInformation { items }).to_bytes()
}

/// CC-INFO: another call waits.
pub(super) fn call_waiting(
    call: &Call,
    items: Vec<CallInformationItem>,
    incoming: &IncomingCall,
    terminal: Terminal,
) -> Bytes {
    let mut message = of_call(call, MessageType::CcInfo);
    if let Some(text) = &incoming.display {
        message.push(display(text, terminal));
    }
    message.push(Signal::CallWaiting);
    if let Some(number) = &incoming.calling_number {
        message.push(CallingPartyNumber::private(number));
    }
    if let Some(name) = &incoming.calling_name {
        message.push(CallingPartyName::contact(name));
    }
    message.with(CallInformation { items }).to_bytes()
}

/// IWU-INFO or another message with data between the interworking units.
pub(super) fn iwu_info(call: &Call, sent: bool, protocol: IwuProtocol, data: &[u8]) -> Bytes {
    let data = IwuToIwu { sent, protocol, data: Octets::cut(data) };
    of_call(call, MessageType::IwuInfo).with(data).to_bytes()
}

/// KEY-ALLOCATE.
pub(super) fn key_allocate(challenge: &Challenge) -> Bytes {
    let allocation = AllocationType {
        algorithm: challenge.algorithm.element(),
        user_authentication_key: KEY_NUMBER,
        authentication_code: KEY_NUMBER,
    };
    mobility(Opener::Fixed, MessageType::KeyAllocate)
        .with(allocation)
        .with(Rand(challenge.rand_f))
        .with(challenge.rs)
        .to_bytes()
}

/// What an authentication of a portable part does beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    /// The user has to enter a personal identity.
    pub(super) of_user: bool,
    /// The portable part increments its ZAP register.
    pub(super) increment_zap: bool,
    /// The derived key becomes the default key with this index.
    pub(super) default_key: Option<u16>,
}

/// AUTHENTICATION-REQUEST to the portable part; the derived key is to be stored.
pub(super) fn authentication_request(challenge: &Challenge, extras: Extras) -> Bytes {
    let key = if extras.of_user {
        AuthenticationKeyType::UserPersonalIdentity
    } else {
        AuthenticationKeyType::UserAuthenticationKey
    };
    let kind = AuthType {
        store_cipher_key: true,
        cipher_key_number: KEY_NUMBER,
        increment_zap: extras.increment_zap,
        default_key: extras.default_key.map(|index| DefaultKey { index, algorithm: None }),
        ..AuthType::new(challenge.algorithm.element(), key, KEY_NUMBER)
    };
    mobility(Opener::Fixed, MessageType::AuthenticationRequest)
        .with(kind)
        .with(Rand(challenge.rand_f))
        .with(challenge.rs)
        .to_bytes()
}

/// AUTHENTICATION-REPLY of a key allocation; DSAA2 brings new random numbers with it.
pub(super) fn key_reply(res2: [u8; 4], fresh: Option<(Rs, [u8; 8])>) -> Bytes {
    let mut message = mobility(Opener::Fixed, MessageType::AuthenticationReply);
    if let Some((_, rand_f)) = fresh {
        message.push(Rand(rand_f));
    }
    message.push(Res(res2));
    if let Some((rs, _)) = fresh {
        message.push(rs);
    }
    message.to_bytes()
}

/// AUTHENTICATION-REPLY to a portable part that authenticates us.
pub(super) fn authentication_reply(algorithm: Algorithm, res2: [u8; 4], rs: Rs, rand_f: [u8; 8]) -> Bytes {
    let mut message = mobility(Opener::Portable, MessageType::AuthenticationReply);
    match algorithm {
        Algorithm::Dsaa => {}
        Algorithm::Dsaa2 => message.push(Rand(rand_f)),
    }
    message.with(Res(res2)).with(rs).to_bytes()
}

/// AUTHENTICATION-REJECT.
pub(super) fn authentication_reject(opener: Opener, reason: RejectReason) -> Bytes {
    mobility(opener, MessageType::AuthenticationReject).with(reason).to_bytes()
}

/// ACCESS-RIGHTS-ACCEPT.
pub(super) fn access_accept(ipui: &Ipui, config: &FixedPartConfig) -> Bytes {
    let mut message = mobility(Opener::Portable, MessageType::AccessRightsAccept)
        .with(PortableIdentity::Ipui(*ipui))
        .with(FixedIdentity::park(Park::of(config.ari)))
        .with(LocationArea::of_level(config.location_area_level));
    if let Some(contents) = config.zap {
        message.push(ZapField { contents });
    }
    if let Some(class) = config.service_class {
        message.push(class);
    }
    message.to_bytes()
}

/// ACCESS-RIGHTS-REJECT.
pub(super) fn access_reject(reason: RejectReason, wait: Option<Duration>) -> Bytes {
    rejection(MessageType::AccessRightsReject, reason, wait)
}

/// LOCATE-ACCEPT, with a temporary identity or with none.
pub(super) fn locate_accept(tpui: Option<Tpui>, wideband: bool, config: &FixedPartConfig) -> Bytes {
    let identity = tpui.map_or(InformationElement::Empty(ElementIdentifier::PortableIdentity), |tpui| {
        PortableIdentity::Tpui(tpui).into()
    });
    let mut message = mobility(Opener::Portable, MessageType::LocateAccept)
        .with(identity)
        .with(LocationArea::of_level(config.location_area_level));
    if let Some(codecs) = config.codecs.as_ref().filter(|_| wideband) {
        message.push(codecs.clone());
    }
    message.to_bytes()
}

/// LOCATE-REJECT.
pub(super) fn locate_reject(reason: RejectReason, wait: Option<Duration>) -> Bytes {
    rejection(MessageType::LocateReject, reason, wait)
}

fn rejection(kind: MessageType, reason: RejectReason, wait: Option<Duration>) -> Bytes {
    let mut message = mobility(Opener::Portable, kind).with(reason);
    if let Some(wait) = wait {
        message.push(wait);
    }
    message.to_bytes()
}

/// TEMPORARY-IDENTITY-ASSIGN.
pub(super) fn identity_assign(tpui: Tpui) -> Bytes {
    mobility(Opener::Fixed, MessageType::TemporaryIdentityAssign)
        .with(PortableIdentity::Tpui(tpui))
        .to_bytes()
}

/// MM-INFO-SUGGEST.
pub(super) fn info_suggest(parameter: Parameter) -> Bytes {
    mobility(Opener::Fixed, MessageType::MmInfoSuggest)
        .with(InfoType { parameters: vec![parameter] })
        .to_bytes()
}

/// CLMS-VARIABLE.
pub(super) fn text_message(identity: PortableIdentity, from: Option<&str>, text: Alphanumeric) -> Bytes {
    let mut message = Message::new(MessageType::ClmsVariable, Transaction::opened(0)).with(identity);
    if let Some(from) = from {
        message.push(CallingPartyNumber::private(from));
    }
    message.with(text).to_bytes()
}

/// CIPHER-REQUEST.
pub(super) fn cipher_request(opener: Opener, ciphering: Ciphering) -> Bytes {
    let info = CipherInfo::dsc(ciphering == Ciphering::On, KEY_NUMBER);
    mobility(opener, MessageType::CipherRequest).with(info).to_bytes()
}

/// CIPHER-REJECT to a portable part whose suggestion cannot be followed.
pub(super) fn cipher_reject(reason: RejectReason) -> Bytes {
    mobility(Opener::Portable, MessageType::CipherReject).with(reason).to_bytes()
}

/// IDENTITY-REQUEST for the equipment identity.
pub(super) fn identity_request() -> Bytes {
    mobility(Opener::Fixed, MessageType::IdentityRequest).with(IdentityType::IPEI).to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-REQUEST.
pub(super) fn terminate_request(ipui: &Ipui, config: &FixedPartConfig) -> Bytes {
    mobility(Opener::Fixed, MessageType::AccessRightsTerminateRequest)
        .with(PortableIdentity::Ipui(*ipui))
        .with(FixedIdentity::park(Park::of(config.ari)))
        .to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-ACCEPT.
pub(super) fn terminate_accept() -> Bytes {
    mobility(Opener::Portable, MessageType::AccessRightsTerminateAccept).to_bytes()
}

/// ACCESS-RIGHTS-TERMINATE-REJECT.
pub(super) fn terminate_reject(reason: RejectReason) -> Bytes {
    mobility(Opener::Portable, MessageType::AccessRightsTerminateReject).with(reason).to_bytes()
}

/// MM-INFO-REJECT.
pub(super) fn info_reject(reason: RejectReason) -> Bytes {
    mobility(Opener::Portable, MessageType::MmInfoReject).with(reason).to_bytes()
}

/// MM-INFO-ACCEPT with what an external handover needs.
pub(super) fn info_accept(parameters: &HandoverParameters) -> Bytes {
    handover(mobility(Opener::Portable, MessageType::MmInfoAccept), parameters)
}

/// MM-INFO-SUGGEST with what an external handover needs.
pub(super) fn handover_suggest(parameters: &HandoverParameters) -> Bytes {
    handover(mobility(Opener::Fixed, MessageType::MmInfoSuggest), parameters)
}

fn handover(message: Message, parameters: &HandoverParameters) -> Bytes {
    let mut message = message.with(InfoType { parameters: vec![Parameter::ExternalHandoverParameters] });
    if parameters.candidates.len() > 1 {
        message.push(RepeatIndicator::Prioritised);
    }
    for candidate in &parameters.candidates {
        message.push(*candidate);
    }
    if let Some(reference) = &parameters.reference {
        message.push(reference.clone());
    }
    message.to_bytes()
}
