//! NTLM for SIP and others, both sides: NTLMv2 with session keys and signatures, with a connection and without.
//!
//! [`Initiator`] logs in, [`Acceptor`] lets in (for test benches and simulators), and both end with a [`Session`] that signs.
//! [`SecurityAssociation`] is what SIP makes of it, and of TLS-DSK and Kerberos too.
//! Time and random octets are arguments, so that every login can be repeated. NTLMv1, NTLM2 session, code pages and logins
//! without a name are refused on both sides unless a policy names them; secrets are wiped when dropped, never printed, and
//! compared in constant time.
//!
//! # Standards
//!
//! - [x] MS-NLMP 2.2: NEGOTIATE, CHALLENGE, AUTHENTICATE, attributes, flags
//! - [x] MS-NLMP 3.1, 3.2: NTLMv2, both sides, connection-oriented and connectionless
//! - [x] MS-NLMP 3.1.5.1.2: integrity code, target name, channel binding (RFC 5929)
//! - [x] MS-NLMP 3.4: key exchange, signing and sealing, with and without extended session security
//! - [x] MS-NLMP 3.3.1: NTLMv1 and NTLM2 session, with [`ResponsePolicy`] only; the LM response is never made
//! - [x] MS-SIPAE: the security association: numbers, replay, life, renewal, versions 2 to 4
//! - [x] TLS-DSK: signatures from exported keying material ([`TlsDskSession`]), for the cipher suites of which signatures are
//!   known; which hash goes with SHA-384 suites is inferred
//! - [x] Kerberos: tokens and texts handed to a GSSAPI library and back ([`TokenLogin`], [`Signing::Token`])
//! - [ ] the handshakes of TLS-DSK and Kerberos themselves: the owner's
//!
//! # A login without a connection, as in SIP
//!
//! The one who logs in:
//!
//! ```
//! use ntlm_auth::{ClientChallenge, Credentials, Error, FileTime, Initiator, InitiatorConfig, Mode, RandomSessionKey, SIP_SEQUENCE, Session};
//!
//! /// The answer to a server's challenge, and the signature of the request that carries it.
//! fn log_in(challenge: &[u8], now: FileTime, client: [u8; 8], key: [u8; 16]) -> Result<(Vec<u8>, [u8; 16]), Error> {
//!     let config = InitiatorConfig::new(Mode::Datagram, Credentials::new("CONTOSO", "jim", "a password"));
//!     let key = RandomSessionKey::new(key); // fresh random octets, as is `client`
//!     let (answer, session) = Initiator::new(config).challenge(now, challenge, ClientChallenge(client), &key)?;
//!     match session {
//!         Session::Datagram(session) => Ok((answer, session.sign(SIP_SEQUENCE, b"<NTLM>..."))),
//!         _ => unreachable!("the mode was Datagram"),
//!     }
//! }
//! ```
//!
//! The one who lets in:
//!
//! ```
//! use ntlm_auth::{Acceptor, AcceptorConfig, Error, FileTime, Mode, NtHash, SIP_SEQUENCE, Session};
//!
//! fn challenge(now: FileTime, random: [u8; 8]) -> Result<Acceptor, Error> {
//!     Acceptor::new(AcceptorConfig::new(Mode::Datagram, "FE1", "CONTOSO"), None, random, Some(now))
//! }
//!
//! /// Who has logged in, if the request that carries the answer is signed as it should be.
//! fn let_in(acceptor: Acceptor, now: FileTime, answer: &[u8], text: &[u8], signature: &[u8]) -> Result<String, Error> {
//!     let claim = acceptor.authenticate(now, answer)?;
//!     let hash = (claim.user() == "jim").then(|| NtHash::of_password("a password"));
//!     let accepted = claim.prove(hash.as_ref())?;
//!     if let Session::Datagram(session) = &accepted.session {
//!         session.verify(SIP_SEQUENCE, text, signature)?;
//!     }
//!     Ok(accepted.user)
//! }
//! # let now = FileTime(133_000_000_000_000_000);
//! # use ntlm_auth::{ClientChallenge, Credentials, Initiator, InitiatorConfig, RandomSessionKey};
//! # let initiator = Initiator::new(InitiatorConfig::new(Mode::Datagram, Credentials::new("CONTOSO", "jim", "a password")));
//! # let acceptor = challenge(now, [1; 8])?;
//! # let (answer, session) = initiator.challenge(now, acceptor.challenge(), ClientChallenge([3; 8]), &RandomSessionKey::new([2; 16]))?;
//! # let Session::Datagram(session) = session else { unreachable!() };
//! # let signature = session.sign(SIP_SEQUENCE, b"a text");
//! # assert_eq!(let_in(acceptor, now, &answer, b"a text", &signature).as_deref(), Ok("jim"));
//! # Ok::<(), Error>(())
//! ```
//!
//! # Deliberately absent
//!
//! The headers of SIP and HTTP, base64, the text that SIP signs, the storage of passwords, and a response of the LM hash.
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
