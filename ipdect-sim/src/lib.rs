//! The other sides of an IP-DECT server: a Lync front end, Lync users, DECT base stations and handsets.
//!
//! Each of them is a sans-IO machine, so that a test runs a whole site in virtual time without a socket; thin shells in
//! [`net`] put the same machines on real connections, in one's own program or as the program `ipdect-sim`.
//! The machines check their peer as far as the standards ask, and they report what they see as JSON lines.
//!
//! # Standards
//!
//! - [x] RFC 3261 10, 16: registrar; forking proxy with record-routing, CANCEL, timers C and F
//!   ([`frontend`]; its response context is [`sip_lync::proxy::ResponseContext`])
//! - [x] RFC 3261 26.3.2.1: trusted peers by the name in their certificate, without a challenge
//! - [x] MS-SIPREGE: registration, epid, GRUU, presence-state, refusals with their ErrorId
//! - [x] MS-CONMGMT 2.2.1: ms-keep-alive, hop by hop
//! - [x] MS-PRES: category publications with versions and conflicts
//! - [x] MS-SIPREGE 2.2.1.13, 3.2.5: redirection to the home server, backup registrar, survivable mode, registration notices
//! - [x] MS-SIPRE 3: forwarding, delegates, simultaneous ringing, groups; history-info with the reason
//! - [x] MS-OCER: ms-diagnostics of routing, bandwidth, registration
//! - [x] MS-AVEDGEA: credentials for relays by SERVICE
//! - [x] MS-OCPSTN: a trunk behind the front end, media bypass
//! - [x] `README.md`, section "Faults": ways to misbehave on purpose
//! - [x] MS-CONFBAS, RFC 4575: the focus of conferences: C3P requests, roster, locks, roles ([`frontend`])
//! - [x] MS-CONFAV: the mixer of conferences, audio alone, and whom it calls ([`application`], [`mixer`])
//! - [x] RFC 3842, MS-PRES (mwi): voice mail that records, and what waits in it ([`application`])
//! - [ ] MS-CONFAV: video; MS-CONFIM: messages in conferences
//! - [x] RFC 3264, RFC 4568: offer, answer, hold, retrieve, SDES-SRTP with MKI and lifetime ([`user`])
//! - [x] RFC 3550, RFC 3711: speech in G.711 and G.726, recorded by RTP time ([`talk`])
//! - [x] EN 300 175-5: subscription, location, calls, display of a portable part ([`handset`])
//! - [x] `docs/radio-link.md`: a base station with bearers and range ([`base`])
//! - [x] MS-SIPAE: NTLM in versions 3 and 4 at the front end and of the Lync user ([`login`]), all messages signed
//! - [x] RFC 3856, MS-PRES: subscriptions to own data and the presence of others, BENOTIFY, piggybacked notifications
//! - [x] MS-SIPAE: TLS-DSK at the front end, TLS 1.0 with RSA and AES-CBC (feature `legacy-tls`)
//! - [x] MS-OCAUTHWS, WS-Trust 1.3: web tickets for NTLM, `GetAndPublishCert` for a web ticket (feature `legacy-tls`)
//! - [ ] MS-SIPAE: Kerberos; TLS-DSK of the Lync user
//! - [x] RFC 3515, RFC 3891: transfer by and of a Lync user, calls that replace others
//! - [ ] RFC 3428: instant messages of a Lync user
//! - [x] MS-ICE2, MS-ICE, RFC 8445: a user's host candidates, checks, the last offer
//! - [ ] MS-TURN: a user's relayed candidates
//! - [ ] G.722 bearers, handover between base stations
//!
//! # A run loop
//!
//! The same shape for all machines: hand in what came, drain what is to be sent and what happened, wait for a deadline.
//! Here a user registers with a front end; the "network" is a pair of buffers.
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use ipdect_sim::Seed;
//! use ipdect_sim::frontend::{self, FlowId, FrontEnd, FrontEndConfig, FrontEndUser};
//! use ipdect_sim::user::{self, LyncUser, UserConfig};
//! use sip_lync::SipUri;
//!
//! let uri = SipUri::parse("sip:alice@example.net")?;
//! let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
//! config.users.push(FrontEndUser::new(uri.clone()));
//! config.trusted.push("clients.example.net".to_owned());
//! let mut front_end = FrontEnd::new(config, Seed::from_number(1));
//! let mut alice = LyncUser::new(UserConfig::new(uri), Seed::from_number(2));
//!
//! let now = Instant::now();
//! let (ours, theirs) = ("192.0.2.20:40000".parse()?, "192.0.2.1:5061".parse()?);
//! let peer_names = vec!["clients.example.net".to_owned()];
//! let opened = frontend::Input::FlowOpened { flow: FlowId(1), local: theirs, remote: ours, peer_names };
//! front_end.handle_input(now, opened);
//! alice.handle_input(now, user::Input::FlowOpened { local: ours, remote: theirs });
//!
//! let mut buffer = BytesMut::new();
//! loop {
//!     if let Some(transmit) = alice.poll_transmit(&mut buffer) {
//!         let bytes = buffer.split_to(transmit.len);
//!         front_end.handle_input(now, frontend::Input::Bytes { flow: FlowId(1), bytes: &bytes });
//!     } else if let Some(transmit) = front_end.poll_transmit(&mut buffer) {
//!         let bytes = buffer.split_to(transmit.len);
//!         alice.handle_input(now, user::Input::Bytes(&bytes));
//!     } else {
//!         break; // wait for octets, or until poll_timeout() and then handle_timeout()
//!     }
//! }
//! assert!(alice.is_registered());
//! assert!(matches!(alice.poll_event(), Some(user::Event::Registered { expires: 600, .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Deliberately absent
//!
//! Anything that only a real Lync deployment needs (topology, replication, policies, billing), and any way around a
//! check: a simulator that accepts what the real thing refuses would hide mistakes.
#![forbid(unsafe_code)]

pub mod application;
pub mod base;
pub mod frontend;
pub mod handset;
pub mod json;
pub mod login;
pub mod mixer;
pub mod net;
mod seed;
pub mod speech;
pub mod talk;
pub mod user;

pub use seed::Seed;
