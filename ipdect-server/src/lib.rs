//! The reference server: DECT handsets become Lync phones.
//!
//! Handsets reach it through base stations, Lync front ends through SIP over mutual TLS; voice is carried between them
//! with SRTP towards Lync. The product itself is one machine without sockets and clocks, [`core::node::Node`]; around it
//! stands a shell of small tasks that know bytes and addresses and no protocol. Everything a stranger can rely on is a
//! command of the program: `init`, `check`, `run`.
//!
//! # The whole server
//!
//! ```no_run
//! use std::path::Path;
//!
//! use ipdect_server::config::Configuration;
//! use ipdect_server::run::{Options, Server};
//! use ipdect_server::web::Access;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let configuration = Configuration::load(Path::new("ipdect.toml"))?;
//! let server = Server::start(Options {
//!     configuration,
//!     configuration_file: None,
//!     access: Access::Login,
//!     ladder: None,
//! })
//! .await?;
//! println!("web page at {}", server.addresses().web);
//! let status = server.status().await?;
//! println!("{} handsets", status.handsets.len());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The loop inside, which a test with a virtual clock drives in the same way: wait for an arrival or the node's next
//! deadline, hand it over, then perform every [`core::vocabulary::Effect`] that the node asks for.
//!
//! # The shell
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the TOML file: every key, findings with line and remedy |
//! | [`net`] | TLS identities and verifiers, one task a connection, failures in words |
//! | [`run`] | start, the owner of the node, reload, signals, the clean end |
//! | [`store`] | subscriptions, locations, call log, administrators: SQLite on a thread of its own |
//! | [`web`] | status page, call log, commands, `/api/status` |
//! | [`check`], [`init`] | the self test; the first configuration |
//! | [`media`] | voice: sockets, SRTP and codecs on threads of their own |
//! | [`observe`] | the log, the message ladder |
//!
//! # Standards of the shell
//!
//! - [x] RFC 8446, RFC 5246: TLS 1.3 and 1.2, both sides authenticated towards Lync
//! - [x] RFC 6125 as Lync uses it: DNS names of the subject alternative name, else the common name
//! - [x] RFC 7292: PKCS#12 as Windows exports it, old and new encryption
//! - [x] RFC 6265: session cookies, same-site and for scripts invisible
//! - [x] RFC 8445, MS-ICE2, MS-ICE: the way of each call's media from the host's addresses (`docs/media-way.md`)
//! - [ ] RFC 8656, MS-TURN: relayed addresses with the credentials of the pool; MS-TURNBWM: admission control; media bypass
//! - [ ] RFC 5761: RTCP on the port of RTP
//! - [ ] RFC 2782: SRV records of proxies
//! - [ ] RFC 5280 6.3: revocation lists
//! - [ ] RFC 5424: remote syslog
//!
//! # Deliberately absent
//!
//! TLS cipher suites of our own (Windows before 2016 with an RSA certificate: re-issue it as ECDSA P-256), default
//! passwords, state-changing GET requests, scripts from elsewhere.
#![forbid(unsafe_code)]

pub mod check;
pub mod config;
pub mod control;
pub mod core;
pub mod demo;
pub mod init;
pub mod media;
pub mod net;
pub mod observe;
pub mod random;
pub mod run;
pub mod store;
pub mod web;
