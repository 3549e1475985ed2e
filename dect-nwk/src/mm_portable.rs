//! Mobility management of the portable part: which procedures run with the fixed part.
//!
#![doc = include_str!("../docs/states/mm_portable.md")]

mod step;

pub use crate::mm_fixed::Attempt;
pub use step::step;

/// The procedure this portable part started.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Own {
    /// None.
    #[default]
    None,
    /// ACCESS-RIGHTS-REQUEST is out.
    AccessRights(Attempt),
    /// LOCATE-REQUEST is out.
    LocationRegistration(Attempt),
    /// AUTHENTICATION-REQUEST is out: the fixed part is to prove its key.
    AuthenticationOfFixed(Attempt),
    /// ACCESS-RIGHTS-TERMINATE-REQUEST is out.
    AccessRightsTerminate(Attempt),
    /// CIPHER-SUGGEST is out.
    CipherSuggest(Attempt),
    /// MM-INFO-REQUEST is out.
    ParameterRetrieval(Attempt),
}

/// The procedure of the fixed part which waits for something.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// None.
    #[default]
    None,
    /// KEY-ALLOCATE was answered with AUTHENTICATION-REQUEST; the fixed part's RES2 is awaited.
    KeyAllocation,
}

/// The state of mobility management at the portable part.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// What this portable part started.
    pub own: Own,
    /// What the fixed part started.
    pub asked: Asked,
}

/// What can happen to mobility management at the portable part.
///
/// EN 300 175-5 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The user subscribes.
    Subscribe,
    /// The user or the system information asks for a location registration.
    Locate,
    /// The user wants the fixed part authenticated.
    AuthenticateFixed,
    /// The user gives up the access rights.
    Terminate,
    /// The user wants the link ciphered.
    SuggestCipher,
    /// The user wants the parameters of an external handover.
    RetrieveParameters,
    /// KEY-ALLOCATE came in and there is an authentication code.
    KeyAllocated,
    /// KEY-ALLOCATE came in and there is no authentication code.
    KeyAllocatedWithoutCode,
    /// AUTHENTICATION-REQUEST came in and the key it names is there.
    AuthenticationRequested,
    /// AUTHENTICATION-REQUEST came in and the key or the algorithm it names is not there.
    AuthenticationNotPossible,
    /// AUTHENTICATION-REQUEST came in that wants the personal identity of the user.
    PersonalIdentityWanted,
    /// AUTHENTICATION-REPLY with the right RES came in.
    ReplyRight,
    /// AUTHENTICATION-REPLY with a wrong RES came in.
    ReplyWrong,
    /// AUTHENTICATION-REJECT came in.
    AuthenticationRejected,
    /// ACCESS-RIGHTS-ACCEPT came in.
    AccessAccepted,
    /// ACCESS-RIGHTS-REJECT came in.
    AccessRejected,
    /// LOCATE-ACCEPT with a temporary identity came in.
    LocatedWithIdentity,
    /// LOCATE-ACCEPT without a temporary identity came in.
    Located,
    /// LOCATE-REJECT came in.
    LocationRejected,
    /// TEMPORARY-IDENTITY-ASSIGN came in.
    IdentityAssigned,
    /// IDENTITY-REQUEST came in.
    IdentityRequested,
    /// CIPHER-REQUEST came in and the key is there.
    CipherRequested,
    /// CIPHER-REQUEST came in and the key or the algorithm is not there.
    CipherNotPossible,
    /// CIPHER-REJECT came in.
    CipherRejected,
    /// ACCESS-RIGHTS-TERMINATE-REQUEST for our identity came in.
    TerminateRequested,
    /// ACCESS-RIGHTS-TERMINATE-ACCEPT came in.
    TerminateAccepted,
    /// ACCESS-RIGHTS-TERMINATE-REJECT came in.
    TerminateRejected,
    /// MM-INFO-ACCEPT, or MM-INFO-SUGGEST as an answer, came in.
    ParametersAccepted,
    /// MM-INFO-REJECT came in.
    ParametersRejected,
    /// MM-INFO-SUGGEST asks for a location registration.
    LocationSuggested,
    /// The timer of the own procedure ran out.
    Timeout,
    /// MM_auth.1 of the key allocation ran out.
    KeyTimeout,
    /// The link is gone, or could not be established.
    LinkLost,
}

/// What the owner of the procedures has to do after a step, in this order.
///
/// EN 300 175-5 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send ACCESS-RIGHTS-REQUEST.
    SendAccessRequest,
    /// Send LOCATE-REQUEST.
    SendLocateRequest,
    /// Send AUTHENTICATION-REQUEST to prove the fixed part.
    SendAuthenticationRequest,
    /// Send ACCESS-RIGHTS-TERMINATE-REQUEST.
    SendTerminateRequest,
    /// Send CIPHER-SUGGEST.
    SendCipherSuggest,
    /// Send MM-INFO-REQUEST.
    SendInfoRequest,
    /// Send AUTHENTICATION-REQUEST with RES1 as the answer to KEY-ALLOCATE.
    SendKeyProof,
    /// Send AUTHENTICATION-REPLY.
    SendAuthenticationReply,
    /// Ask the user for the personal identity; the answer is sent when it is entered.
    AskForPersonalIdentity,
    /// Send AUTHENTICATION-REJECT with the reason at hand.
    SendAuthenticationReject,
    /// Send TEMPORARY-IDENTITY-ASSIGN-ACK.
    SendIdentityAck,
    /// Send IDENTITY-REPLY.
    SendIdentityReply,
    /// Send CIPHER-REJECT.
    SendCipherReject,
    /// Send ACCESS-RIGHTS-TERMINATE-ACCEPT.
    SendTerminateAccept,
    /// Hand the cipher key to the link and switch ciphering.
    SwitchCipher,
    /// Send the same request once more.
    Repeat,
    /// Start or restart the timer of the own procedure.
    StartTimer,
    /// Stop the timer of the own procedure.
    StopTimer,
    /// Start MM_auth.1 of the key allocation.
    StartKeyTimer,
    /// Stop MM_auth.1 of the key allocation.
    StopKeyTimer,
    /// Keep the new user authentication key and forget the authentication code.
    StoreKey,
    /// Keep the access rights.
    StoreAccessRights,
    /// Keep the temporary identity.
    StoreTemporaryIdentity,
    /// Forget the subscription.
    EraseSubscription,
    /// Tell the user that the portable part is subscribed.
    IndicateSubscribed,
    /// Tell the user that the subscription failed.
    IndicateSubscriptionFailed,
    /// Tell the user that the location is registered.
    IndicateLocated,
    /// Tell the user that the location is not registered.
    IndicateLocationFailed,
    /// Tell the user that the fixed part has the key.
    IndicateFixedAuthenticated,
    /// Tell the user that the fixed part does not have the key.
    IndicateFixedNotAuthenticated,
    /// Tell the user the parameters.
    IndicateParameters,
    /// Tell the user that the parameters are not to be had.
    IndicateNoParameters,
    /// Tell the user that the access rights are gone.
    IndicateTerminated,
    /// Tell the user that the access rights could not be given up.
    IndicateTerminationFailed,
    /// Tell link control that mobility management needs the link no more.
    FreeLink,
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 13
    pub const ALL: [Self; 33] = [
        Self::Subscribe,
        Self::Locate,
        Self::AuthenticateFixed,
        Self::Terminate,
        Self::SuggestCipher,
        Self::RetrieveParameters,
        Self::KeyAllocated,
        Self::KeyAllocatedWithoutCode,
        Self::AuthenticationRequested,
        Self::AuthenticationNotPossible,
        Self::PersonalIdentityWanted,
        Self::ReplyRight,
        Self::ReplyWrong,
        Self::AuthenticationRejected,
        Self::AccessAccepted,
        Self::AccessRejected,
        Self::LocatedWithIdentity,
        Self::Located,
        Self::LocationRejected,
        Self::IdentityAssigned,
        Self::IdentityRequested,
        Self::CipherRequested,
        Self::CipherNotPossible,
        Self::CipherRejected,
        Self::TerminateRequested,
        Self::TerminateAccepted,
        Self::TerminateRejected,
        Self::ParametersAccepted,
        Self::ParametersRejected,
        Self::LocationSuggested,
        Self::Timeout,
        Self::KeyTimeout,
        Self::LinkLost,
    ];
}
