//! Relays: the client of RFC 8656 and of the A/V Edge (MS-TURN), the server of MS-TURN, credentials and bandwidth
//! admission.
//!
//! A [`Client`] holds one allocation over one transport. Octets and time come in, octets and events are drained:
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use sip_lync::Seed;
//! use sip_lync::turn::{Client, ClientConfig, Credentials, Service, Transport};
//!
//! let server = "192.0.2.10:3478".parse().unwrap();
//! let credentials = Credentials::new(b"user", b"password");
//! let config = ClientConfig::new(server, Service::MsTurn, Transport::Udp, credentials);
//! let mut client = Client::new(config, Seed([1; 32]));
//! let now = Instant::now();
//! client.allocate(now).unwrap();
//! let mut buffer = BytesMut::new();
//! let transmit = client.poll_transmit(&mut buffer).unwrap();
//! assert_eq!((transmit.destination, transmit.len), (server, 36));
//! ```
mod allocation;
mod bandwidth;
mod client;
mod credentials;
pub mod mras;
pub mod pseudo_tls;
pub mod server;
mod warm;

pub use allocation::{Effect, State, Trigger, step};
pub use bandwidth::{AdmissionAnswer, AdmissionRequest};
pub use client::{
    Client, ClientConfig, Event, Failure, HEADROOM, Input, Service, TAILROOM, Transmit, Transport,
};
pub use credentials::Credentials;
pub use warm::{AllocationNumber, Warm};
