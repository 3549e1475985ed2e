//! Information elements: what messages are made of.

mod allocation_type;
mod alphanumeric;
mod auth_type;
mod basic_service;
mod call_attributes;
mod call_identity;
mod call_information;
mod called_party_name;
mod called_party_number;
mod called_party_subaddr;
mod calling_party_name;
mod calling_party_number;
mod cipher_info;
mod codec_list;
mod connection_identity;
mod duration;
mod escape_to_proprietary;
mod events_notification;
mod ext_ho_indicator;
mod facility;
mod feature_activate;
mod feature_indicate;
mod fixed_identity;
mod identifier;
mod identity_type;
mod info_type;
mod iwu_attributes;
mod iwu_packet;
mod iwu_to_iwu;
mod key;
mod list_change_details;
mod location_area;
mod model_identifier;
mod multi_display;
mod multi_keypad;
mod network_parameter;
mod nwk_assigned_identity;
mod portable_identity;
mod progress_indicator;
mod rand;
mod reject_reason;
mod release_reason;
mod repeat_indicator;
mod res;
mod rs;
mod segmented_info;
mod service_change_info;
mod service_class;
mod setup_capability;
mod shift;
mod signal;
mod single_display;
mod single_keypad;
mod terminal_capability;
mod test_hook_control;
mod time_date;
mod timer_restart;
mod zap_field;

use bytes::{BufMut as _, BytesMut};

pub use self::{
    allocation_type::AllocationType,
    alphanumeric::{Alphanumeric, AlphanumericCoding},
    auth_type::{AuthType, AuthenticationAlgorithm, AuthenticationKeyType, DefaultKey},
    basic_service::{BasicService, CallClass, Service},
    call_attributes::CallAttributes,
    call_identity::CallIdentity,
    call_information::{CallInformation, CallInformationItem, CallReason, CallStatus},
    called_party_name::CalledPartyName,
    called_party_number::CalledPartyNumber,
    called_party_subaddr::CalledPartySubaddr,
    calling_party_name::{Alphabet, CallingPartyName},
    calling_party_number::{
        CallingPartyNumber, NumberOrigin, NumberType, NumberingPlan, Presentation, Screening,
    },
    cipher_info::{CipherAlgorithm, CipherInfo, CipherKeyType},
    codec_list::{CPlaneRouting, Codec, CodecChoice, CodecList, MacDlcService, SlotType},
    connection_identity::{ConnectionIdentity, ConnectionPair},
    duration::{Duration, LockLimit, TimeLimit},
    escape_to_proprietary::{EscapeToProprietary, Owner},
    events_notification::{Event, EventType, EventsNotification},
    ext_ho_indicator::ExtHoIndicator,
    facility::Facility,
    feature_activate::{Feature, FeatureActivate},
    feature_indicate::{FeatureIndicate, FeatureStatus},
    fixed_identity::{FixedIdentity, FixedIdentityType},
    identifier::ElementIdentifier,
    identity_type::{IdentityGroup, IdentityType},
    info_type::{InfoType, Parameter},
    iwu_attributes::{IwuAttributes, TransferCapability},
    iwu_packet::IwuPacket,
    iwu_to_iwu::{IwuProtocol, IwuToIwu},
    key::{Key, KeyType},
    list_change_details::ListChangeDetails,
    location_area::{ExtendedLocation, LocationArea},
    model_identifier::ModelIdentifier,
    multi_display::MultiDisplay,
    multi_keypad::MultiKeypad,
    network_parameter::{NetworkParameter, NetworkParameterType},
    nwk_assigned_identity::{NetworkIdentityType, NwkAssignedIdentity},
    portable_identity::PortableIdentity,
    progress_indicator::{Progress, ProgressIndicator, ProgressLocation},
    rand::Rand,
    reject_reason::RejectReason,
    release_reason::ReleaseReason,
    repeat_indicator::RepeatIndicator,
    res::Res,
    rs::Rs,
    segmented_info::SegmentedInfo,
    service_change_info::{ServiceChangeInfo, ServiceChangeMode},
    service_class::ServiceClass,
    setup_capability::{PageCapability, SetupCapability, SetupProcedure},
    shift::Shift,
    signal::Signal,
    single_display::SingleDisplay,
    single_keypad::SingleKeypad,
    terminal_capability::{
        ControlCapability, ControlCodes, DisplayCapability, EchoParameter, TerminalCapability, ToneCapability,
    },
    test_hook_control::TestHookControl,
    time_date::{Calendar, Clock, TimeCoding, TimeDate, TimeInterpretation},
    timer_restart::TimerRestart,
    zap_field::ZapField,
};
use crate::{
    coding::{MAX_CONTENTS, Octets},
    error::Error,
};

/// How the contents octets of an element are read and written.
///
/// EN 300 175-5 7.6, 7.7
pub trait Contents: Sized {
    /// Reads the contents; offsets of errors count from their first octet.
    ///
    /// EN 300 175-5 7.6, 7.7
    fn parse(contents: &[u8]) -> Result<Self, Error>;

    /// Appends the contents.
    ///
    /// EN 300 175-5 7.6, 7.7
    fn emit(&self, contents: &mut BytesMut);
}

/// An element with typed contents, as a message holds it.
///
/// EN 300 175-5 7.6, 7.7
pub trait Element: Contents + Into<InformationElement> + 'static {
    /// The identifier under which it travels.
    ///
    /// EN 300 175-5 7.6.1, 7.7.1
    const IDENTIFIER: ElementIdentifier;

    /// This element, if `element` is one.
    ///
    /// EN 300 175-5 7.6, 7.7
    fn from_element(element: &InformationElement) -> Option<&Self>;
}

macro_rules! elements {
    ($($name:ident),* $(,)?) => {
        /// One information element.
        ///
        /// EN 300 175-5 7.6, 7.7
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
        #[non_exhaustive]
        pub enum InformationElement {
            $(
                #[doc = concat!("Contents: [`", stringify!($name), "`].")]
                $name($name),
            )*
            /// The called number is complete.
            SendingComplete,
            /// The other side shall tell when the number is complete.
            DelimiterRequest,
            /// The portable part shall use its temporary identity.
            UseTpui,
            /// A change of the codeset.
            Shift(Shift),
            /// An element without contents, which means "absent" or, for an identity, "none".
            Empty(ElementIdentifier),
            /// An element carried as it is: of an advanced procedure, reserved, or of another codeset.
            Opaque(Opaque),
            /// An element whose contents break their own rules; it is kept as received.
            Broken(Opaque),
        }

        impl InformationElement {
            /// Its identifier.
            ///
            /// EN 300 175-5 7.6.1, 7.7.1
            pub const fn identifier(&self) -> ElementIdentifier {
                match self {
                    $(Self::$name(_) => ElementIdentifier::$name,)*
                    Self::SendingComplete => ElementIdentifier::SendingComplete,
                    Self::DelimiterRequest => ElementIdentifier::DelimiterRequest,
                    Self::UseTpui => ElementIdentifier::UseTpui,
                    Self::Shift(shift) => shift.identifier(),
                    Self::Empty(identifier) => *identifier,
                    Self::Opaque(opaque) | Self::Broken(opaque) => opaque.identifier,
                }
            }

            #[inline]
            fn typed(identifier: ElementIdentifier, contents: &[u8]) -> Option<Result<Self, Error>> {
                match identifier {
                    $(ElementIdentifier::$name => Some($name::parse(contents).map(Self::$name)),)*
                    _ => None,
                }
            }

            /// Appends the contents octets.
            ///
            /// EN 300 175-5 7.6, 7.7
            pub fn emit_contents(&self, contents: &mut BytesMut) {
                match self {
                    $(Self::$name(value) => value.emit(contents),)*
                    Self::Opaque(opaque) | Self::Broken(opaque) => contents.put_slice(&opaque.contents),
                    Self::SendingComplete | Self::DelimiterRequest | Self::UseTpui | Self::Shift(_) | Self::Empty(_) => {}
                }
            }
        }

        $(
            impl From<$name> for InformationElement {
                fn from(value: $name) -> Self {
                    Self::$name(value)
                }
            }

            impl Element for $name {
                const IDENTIFIER: ElementIdentifier = ElementIdentifier::$name;

                fn from_element(element: &InformationElement) -> Option<&Self> {
                    if let InformationElement::$name(value) = element { Some(value) } else { None }
                }
            }
        )*
    };
}

elements! {
    RepeatIndicator, BasicService, ReleaseReason, Signal, TimerRestart, TestHookControl, SingleDisplay, SingleKeypad,
    InfoType, IdentityType, PortableIdentity, FixedIdentity, LocationArea, NwkAssignedIdentity, AuthType,
    AllocationType, Rand, Res, Rs, IwuAttributes, CallAttributes, ServiceChangeInfo, CipherInfo, CallIdentity,
    ConnectionIdentity, Facility, ProgressIndicator, TimeDate, MultiDisplay, MultiKeypad, FeatureActivate,
    FeatureIndicate, NetworkParameter, ExtHoIndicator, ZapField, ServiceClass, Key, RejectReason, SetupCapability,
    TerminalCapability, CallingPartyNumber, CallingPartyName, CalledPartyNumber, CalledPartySubaddr, Duration,
    CalledPartyName, ListChangeDetails, SegmentedInfo, Alphanumeric, IwuToIwu, ModelIdentifier, IwuPacket,
    EscapeToProprietary, CodecList, EventsNotification, CallInformation,
}

/// An element carried without a look inside.
///
/// EN 300 175-5 7.5, 17.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Opaque {
    /// Its identifier.
    pub identifier: ElementIdentifier,
    /// Its contents: for a double octet element one octet, for a single octet element none.
    pub contents: Octets<MAX_CONTENTS>,
}

impl InformationElement {
    /// Reads the contents of an element of codeset 0.
    ///
    /// Contents that break their rules become [`Broken`](Self::Broken).
    ///
    /// EN 300 175-5 7.5, 17.5
    #[inline]
    pub fn parse(identifier: ElementIdentifier, contents: &[u8]) -> Self {
        match identifier {
            ElementIdentifier::SendingComplete => return Self::SendingComplete,
            ElementIdentifier::DelimiterRequest => return Self::DelimiterRequest,
            ElementIdentifier::UseTpui => return Self::UseTpui,
            _ => {}
        }
        if contents.is_empty() && identifier.is_variable() {
            return Self::Empty(identifier);
        }
        let opaque = || Opaque { identifier, contents: Octets::cut(contents) };
        match Self::typed(identifier, contents) {
            Some(Ok(element)) => element,
            Some(Err(_)) => Self::Broken(opaque()),
            None => Self::Opaque(opaque()),
        }
    }

    /// Appends the whole element: identifier, length where its shape has one, contents.
    ///
    /// EN 300 175-5 7.5
    pub fn emit(&self, octets: &mut BytesMut) {
        if let Self::Shift(shift) = self {
            octets.put_u8(shift.octet());
            return;
        }
        emit_as(self.identifier(), octets, |octets| self.emit_contents(octets));
    }
}

/// Appends an element whose contents octets `contents` appends.
#[inline]
pub(crate) fn emit_as(
    identifier: ElementIdentifier,
    octets: &mut BytesMut,
    contents: impl FnOnce(&mut BytesMut),
) {
    let first = identifier.octet();
    if identifier.is_variable() {
        octets.put_u8(first);
        octets.put_u8(0);
        let start = octets.len();
        contents(octets);
        octets.truncate(start + MAX_CONTENTS);
        let length = octets.len() - start;
        if let Some(place) = octets.get_mut(start - 1) {
            *place = length as u8;
        }
        return;
    }
    let start = octets.len();
    contents(octets);
    let value = octets.get(start).copied();
    octets.truncate(start);
    if identifier.is_double() {
        octets.put_u8(first);
        octets.put_u8(value.unwrap_or(0));
    } else {
        octets.put_u8(first | value.map_or(0, |octet| octet & 0xf));
    }
}
