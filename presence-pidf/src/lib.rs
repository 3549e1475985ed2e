//! The presence of telephone handsets: which presence follows from their calls, and the documents that publish it.
//!
//! [`HandsetPresence`] turns calls and time into what is to be published: in a call, available for five minutes after it,
//! inactive for five more, then away; [`UserPresence`] does so for several handsets. [`publisher::Publisher`] brings that to a
//! Lync server and keeps it there, [`publication_agent::PublicationAgent`] to any other. [`pidf`], with [`data_model`], [`rpid`] and [`capabilities`], is plain SIP presence; [`category`] Lync's; [`rlmi`], [`contacts`] and
//! [`own_presence`] are what a watcher and a user are told. [`Body`] tells all of them apart. All XML is read in one pass within
//! [`Limits`], and document type declarations are refused.
//!
//! # Standards
//!
//! - [x] RFC 3863, RFC 4479, RFC 4480, RFC 4482, RFC 5196: read strictly or leniently, written canonically
//! - [x] RFC 5262, RFC 5261: whole and partial documents, read, applied and written (documents are kept without prefixes, comments
//!   and instructions: changes that are about those are refused, or without effect)
//! - [x] RFC 3858: watcher information, read, merged and written
//! - [x] RFC 4662: lists of contacts with their parts, read and written
//! - [x] MS-PRES: states of all kinds, `device`, `services`, `contactCard`, `note`, `routing`, `mwi`, others kept as they came;
//!   publications with versions, reports, faults; containers, members, subscribers; subscriptions to many contacts; first log-on
//!   ([`first_log_on`], [`bootstrap`])
//! - [x] MS-SIP appendix A: `presentity`, written and read
//! - [x] RFC 3903: publishing with entity tags ([`publication_agent`])
//! - [x] MS-PRES: a notifier for simulators ([`notifier`]): containers, members, versions, one state of many, subscriptions
//! - [x] MS-SIPREGE 2.2.2.5, MS-SIP: settings by groups, contact lists
//!
//! # Run loop
//!
//! ```
//! use std::time::{Duration, Instant};
//! use presence_pidf::{CallKey, Event, HandsetPresence, Phase, PresenceConfig, Remote};
//!
//! let mut now = Instant::now(); // the owner's clock
//! let mut presence = HandsetPresence::new(now, PresenceConfig::new());
//! let mut published = Vec::new();
//! let mut drain = |presence: &mut HandsetPresence| {
//!     while let Some(event) = presence.poll_event() {
//!         if let Event::Changed(publication) = event {
//!             published.push((publication.phase, publication.machine, publication.phone));
//!         }
//!     }
//! };
//! drain(&mut presence);
//! presence.answered(now, CallKey(1), Remote::Party);
//! drain(&mut presence);
//! presence.ended(now + Duration::from_secs(60), CallKey(1));
//! drain(&mut presence);
//! while let Some(deadline) = presence.poll_timeout() {
//!     now = deadline; // wait
//!     presence.handle_timeout(now);
//!     drain(&mut presence);
//! }
//! assert_eq!(published, [
//!     (Phase::Away, Some(15500), None),
//!     (Phase::InCall, Some(3500), Some(6500)),
//!     (Phase::Available, Some(3500), None),
//!     (Phase::Inactive, Some(5000), None),
//!     (Phase::Away, Some(15500), None),
//! ]);
//! ```
//!
//! # Deliberately absent
//!
//! SIP (bodies are octets here, whoever carries them), storage, and the scripts by which real servers aggregate states.
#![deny(unsafe_code)]

pub mod aggregate;
mod availability;
mod body;
pub mod bootstrap;
pub mod capabilities;
pub mod category;
mod cipid;
pub mod contact_list;
pub mod contacts;
pub mod data_model;
mod date_time;
mod error;
pub mod first_log_on;
mod handset_presence;
mod instance;
mod limits;
pub mod msrtc;
pub mod multipart;
pub mod notifier;
pub mod own_presence;
pub mod partial;
pub mod pidf;
pub mod provisioning;
mod publication;
pub mod publication_agent;
pub mod publisher;
pub mod rlmi;
pub mod rpid;
mod simd;
pub mod state;
pub mod subscription;
mod user_presence;
pub mod watcherinfo;
mod xml;

pub use availability::Class;
pub use body::Body;
pub use date_time::{DateTime, date_time};
pub use error::{Error, Rule};
pub use handset_presence::{
    CallKey, CountedActivity, Dnd, Event, HandsetPresence, OutOfRange, PresenceConfig, Remote, ShowConference,
};
pub use instance::{Instances, USER_STATE};
pub use limits::Limits;
pub use publication::{Activity, Publication};
pub use state::Phase;
pub use user_presence::{HandsetKey, UserEvent, UserPresence};
