//! NTLM for SIP and others, both sides: NTLMv2 with session keys and signatures, with a connection and without.
//!
//! [`Initiator`] logs in, [`Acceptor`] lets in (for test benches and simulators), and both end with a [`Session`] that signs.
//! [`SecurityAssociation`] is what SIP makes of it.
//! Time and random octets are arguments, so that every login can be repeated. NTLMv1, LM and weak keys are refused on both
//! sides; secrets are wiped when dropped, never printed, and compared in constant time.
//!
//! # Standards
//!
//! - [x] MS-NLMP 2.2: NEGOTIATE, CHALLENGE, AUTHENTICATE, attributes, flags
//! - [x] MS-NLMP 3.1, 3.2: NTLMv2, both sides, connection-oriented and connectionless
//! - [x] MS-NLMP 3.1.5.1.2: integrity code, target name, channel binding (RFC 5929)
//! - [x] MS-NLMP 3.4: key exchange, signing and sealing; without extended session security for recorded sessions of old servers
//! - [ ] NTLMv1 and NTLM2 session responses: refused
//! - [x] MS-SIPAE: the security association around it: numbers, replay, life, versions 2 to 4
//! - [ ] TLS-DSK and Kerberos
//!
//! # A login without a connection, as in SIP
//!
//! ```
//! use std::time::SystemTime;
//! use ntlm_auth::{
//!     Acceptor, AcceptorConfig, ClientChallenge, Credentials, FileTime, Initiator, InitiatorConfig, Mode, NtHash,
//!     RandomSessionKey, SIP_SEQUENCE, Session,
//! };
//!
//! let now = FileTime::from(SystemTime::now()); // the owner's clock
//! let acceptor = Acceptor::new(AcceptorConfig::new(Mode::Datagram, "FE1", "CONTOSO"), None, [1; 8], Some(now))?;
//!
//! let credentials = Credentials::new("CONTOSO", "jim", "a password");
//! let initiator = Initiator::new(InitiatorConfig::new(Mode::Datagram, credentials));
//! let key = RandomSessionKey::new([2; 16]); // fresh random octets
//! let (answer, ours) = initiator.challenge(now, acceptor.challenge(), ClientChallenge([3; 8]), &key)?;
//!
//! let claim = acceptor.authenticate(now, &answer)?;
//! assert_eq!(claim.user(), "jim");
//! let accepted = claim.prove(Some(&NtHash::of_password("a password")))?;
//!
//! if let (Session::Datagram(ours), Session::Datagram(theirs)) = (ours, accepted.session) {
//!     let signature = ours.sign(SIP_SEQUENCE, b"a text");
//!     theirs.verify(SIP_SEQUENCE, b"a text", &signature)?;
//! }
//! # Ok::<(), ntlm_auth::Error>(())
//! ```
//!
//! # Deliberately absent
//!
//! The headers of SIP and HTTP, base64, the text that SIP signs, and the storage of passwords.
#![forbid(unsafe_code)]

mod acceptor;
mod association;
mod channel_binding;
mod credentials;
mod digest;
mod error;
mod file_time;
mod flags;
mod initiator;
mod message;
mod policy;
mod response;
mod response_v1;
mod session;
mod session_key;
mod text;
mod tls_dsk;
mod token_login;

pub use acceptor::{Accepted, Acceptor, AcceptorConfig, Claim, Demand, Mic};
pub use association::{
    AssociationName, AssociationState, AssociationTrigger, Mechanism, ProtocolVersion, SecurityAssociation,
    SignatureText, Signing, Stamp, Unverified, Verification,
};
pub use channel_binding::ChannelBinding;
pub use credentials::{Credentials, NtHash, ResponseKey};
pub use error::{Error, Refusal, Rule};
pub use file_time::FileTime;
pub use flags::NegotiateFlags;
pub use initiator::{
    ClientChallenge, Initiator, InitiatorConfig, LmPolicy, MicPolicy, Mode, RandomSessionKey,
};
pub use message::{Authenticate, AvId, AvPairs, Challenge, Negotiate, USUAL_VERSION, Version};
pub use policy::{AnonymousPolicy, ResponsePolicy, TextPolicy};
pub use response::{Response, ResponseInput, exchange_key, lm_v2_response};
pub use response_v1::{KeyExchangeKey, LmHash, ResponseV1};
pub use session::{DatagramSession, ExposedKeys, SIP_SEQUENCE, Session, StreamSession};
pub use session_key::Sender;
pub use tls_dsk::{TLS_DSK_EXPORTED, TLS_DSK_LABEL, TlsDskHash, TlsDskSession};
pub use token_login::{Completeness, TokenLogin, TokenState, TokenTrigger, kerberos_service};
