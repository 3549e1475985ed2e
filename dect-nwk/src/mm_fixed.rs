//! Mobility management of the fixed part: which procedure runs with one portable part.
//!
#![doc = include_str!("../docs/states/mm_fixed.md")]

mod step;

pub use step::step;

/// The procedure the portable part started.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortableProcedure {
    /// None.
    #[default]
    None,
    /// Access rights were asked for: the owner decides, or the code is being proven.
    AccessRights,
    /// The owner has allowed the access while a procedure of the fixed part runs; the code is proven after it.
    AccessRightsAllowed,
    /// A location registration waits for the authentication inside it.
    LocationRegistration,
    /// The portable part wants to give up its access rights and is authenticated first.
    AccessRightsTerminate,
}

/// The procedure the fixed part started.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixedProcedure {
    /// None.
    #[default]
    None,
    /// KEY-ALLOCATE is out.
    KeyAllocation(Attempt),
    /// AUTHENTICATION-REQUEST is out.
    Authentication(Attempt),
    /// CIPHER-REQUEST is out.
    CipherSwitching(Attempt),
    /// IDENTITY-REQUEST is out.
    Identification(Attempt),
    /// LOCATE-ACCEPT or TEMPORARY-IDENTITY-ASSIGN with a temporary identity is out.
    TemporaryIdentity,
    /// ACCESS-RIGHTS-TERMINATE-REQUEST is out.
    AccessRightsTerminate(Attempt),
}

/// How often the request of a procedure was sent.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attempt {
    /// Once: the timer repeats it.
    First,
    /// Twice: the timer ends the procedure.
    Second,
}

/// The state of mobility management with one portable part: at most one procedure of each side.
///
/// EN 300 175-5 13.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// What the portable part started.
    pub portable: PortableProcedure,
    /// What the fixed part started.
    pub fixed: FixedProcedure,
}

/// What can happen to mobility management with one portable part.
///
/// EN 300 175-5 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// ACCESS-RIGHTS-REQUEST came in.
    AccessRightsRequested,
    /// The owner allows the access, the code is to be proven.
    AllowAccess,
    /// The owner refuses the access.
    RefuseAccess,
    /// AUTHENTICATION-REQUEST with the right RES came in as part of the key allocation.
    KeyProven,
    /// AUTHENTICATION-REQUEST with a wrong RES came in as part of the key allocation.
    KeyDisproven,
    /// AUTHENTICATION-REQUEST came in: the portable part authenticates us.
    AuthenticationRequested,
    /// LOCATE-REQUEST came in, an authentication comes first.
    LocationRequested,
    /// LOCATE-REQUEST came in and is accepted as it is.
    LocationRequestedOpenly,
    /// AUTHENTICATION-REPLY with the right RES came in.
    ReplyRight,
    /// AUTHENTICATION-REPLY with a wrong RES came in.
    ReplyWrong,
    /// AUTHENTICATION-REJECT came in.
    AuthenticationRejected,
    /// TEMPORARY-IDENTITY-ASSIGN-ACK came in.
    IdentityAcknowledged,
    /// TEMPORARY-IDENTITY-ASSIGN-REJ came in.
    IdentityRejected,
    /// DETACH came in.
    Detached,
    /// IDENTITY-REPLY came in.
    IdentityReplied,
    /// CIPHER-SUGGEST came in and can be followed.
    CipherSuggested,
    /// CIPHER-SUGGEST came in and cannot be followed.
    CipherNotPossible,
    /// CIPHER-REJECT came in.
    CipherRejected,
    /// DL_ENCRYPT-ind came in.
    Encrypted,
    /// ACCESS-RIGHTS-TERMINATE-REQUEST came in.
    TerminateRequested,
    /// ACCESS-RIGHTS-TERMINATE-REQUEST came in for a portable part without key.
    TerminateRequestedWithoutKey,
    /// ACCESS-RIGHTS-TERMINATE-ACCEPT came in.
    TerminateAccepted,
    /// ACCESS-RIGHTS-TERMINATE-REJECT came in.
    TerminateRejected,
    /// The owner wants the portable part authenticated.
    Authenticate,
    /// The owner or the configuration wants the link ciphered, or clear.
    Cipher,
    /// The owner asks for the equipment identity.
    Identify,
    /// The owner gives a new temporary identity.
    AssignIdentity,
    /// The owner takes the access rights away.
    Terminate,
    /// The timer of the fixed part's procedure ran out.
    Timeout,
    /// The link is gone, or the page was never answered.
    LinkLost,
}

/// What the owner of the procedures has to do after a step, in this order.
///
/// EN 300 175-5 13
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send KEY-ALLOCATE with new random numbers.
    SendKeyAllocate,
    /// Allocate the key when the procedure that runs has ended.
    AwaitProcedure,
    /// Send AUTHENTICATION-REQUEST with new random numbers.
    SendAuthenticationRequest,
    /// Send AUTHENTICATION-REPLY to the portable part that proved its code.
    SendKeyReply,
    /// Send AUTHENTICATION-REPLY to the portable part that authenticates us, or reject it without a key.
    SendAuthenticationReply,
    /// Send AUTHENTICATION-REJECT with reason 10.
    SendAuthenticationReject,
    /// Send ACCESS-RIGHTS-ACCEPT.
    SendAccessAccept,
    /// Send ACCESS-RIGHTS-REJECT with the reason at hand.
    SendAccessReject,
    /// Send LOCATE-ACCEPT.
    SendLocateAccept,
    /// Send LOCATE-REJECT with the reason at hand.
    SendLocateReject,
    /// Hand the cipher key to the link, unless it is to be clear, and send CIPHER-REQUEST.
    SendCipherRequest,
    /// Send CIPHER-REJECT with the reason at hand.
    SendCipherReject,
    /// Send TEMPORARY-IDENTITY-ASSIGN with a new identity.
    SendIdentityAssign,
    /// Send IDENTITY-REQUEST.
    SendIdentityRequest,
    /// Send ACCESS-RIGHTS-TERMINATE-REQUEST.
    SendTerminateRequest,
    /// Send ACCESS-RIGHTS-TERMINATE-ACCEPT.
    SendTerminateAccept,
    /// Send ACCESS-RIGHTS-TERMINATE-REJECT.
    SendTerminateReject,
    /// Send the same request once more.
    Repeat,
    /// Start or restart the timer of the fixed part's procedure.
    StartTimer,
    /// Stop the timer of the fixed part's procedure.
    StopTimer,
    /// Keep the derived cipher key.
    StoreCipherKey,
    /// Keep the new temporary identity.
    StoreTemporaryIdentity,
    /// Take the offered temporary identity back.
    DropTemporaryIdentity,
    /// Ask the owner whether the access is allowed.
    IndicateAccessRequest,
    /// The portable part is subscribed: keep the key and tell the owner.
    IndicateSubscribed,
    /// Tell the owner that the subscription failed.
    IndicateSubscriptionFailed,
    /// Tell the owner that the portable part is located.
    IndicateLocated,
    /// Tell the owner that the registration was refused.
    IndicateLocationRefused,
    /// Tell the owner that the portable part could not be authenticated.
    IndicateAuthenticationFailed,
    /// Tell the owner that the portable part is detached.
    IndicateDetached,
    /// Tell the owner the equipment identity.
    IndicateIdentified,
    /// Tell the owner that the equipment identity is not to be had.
    IndicateNotIdentified,
    /// Forget the subscription and tell the owner.
    IndicateTerminated,
    /// Tell the owner that the access rights were not given up.
    IndicateTerminationFailed,
    /// Tell link control that mobility management needs the link no more.
    FreeLink,
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 13
    pub const ALL: [Self; 30] = [
        Self::AccessRightsRequested,
        Self::AllowAccess,
        Self::RefuseAccess,
        Self::KeyProven,
        Self::KeyDisproven,
        Self::AuthenticationRequested,
        Self::LocationRequested,
        Self::LocationRequestedOpenly,
        Self::ReplyRight,
        Self::ReplyWrong,
        Self::AuthenticationRejected,
        Self::IdentityAcknowledged,
        Self::IdentityRejected,
        Self::Detached,
        Self::IdentityReplied,
        Self::CipherSuggested,
        Self::CipherNotPossible,
        Self::CipherRejected,
        Self::Encrypted,
        Self::TerminateRequested,
        Self::TerminateRequestedWithoutKey,
        Self::TerminateAccepted,
        Self::TerminateRejected,
        Self::Authenticate,
        Self::Cipher,
        Self::Identify,
        Self::AssignIdentity,
        Self::Terminate,
        Self::Timeout,
        Self::LinkLost,
    ];
}
