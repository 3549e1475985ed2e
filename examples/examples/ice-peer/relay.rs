//! Relayed candidates: none yet.

use std::net::SocketAddr;
use std::time::Instant;

use sip_lync::ice::Dialect;
use sip_lync::ice::agent::Path;

use crate::sockets::Queue;

/// The allocations of all components.
#[derive(Default)]
pub(crate) struct Relays {}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

impl Relays {
    pub(crate) async fn start(
        _: &str,
        _: Dialect,
        _: &[(u16, SocketAddr)],
        _: &Queue,
        _: Instant,
    ) -> Outcome<Self> {
        Err("--turn is not built yet".into())
    }
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub(crate) fn handle_timeout(&mut self, _: Instant) {}
    pub(crate) fn handle_packet(&mut self, _: Instant, _: Path, _: &[u8]) -> Option<Vec<(Path, Vec<u8>)>> {
        None
    }
    pub(crate) fn handle_stream(&mut self, _: Instant, _: &[u8]) -> Vec<(Path, Vec<u8>)> {
        Vec::new()
    }
    pub(crate) fn send(&mut self, _: Instant, _: Path, _: &[u8]) -> bool {
        false
    }
    #[expect(clippy::type_complexity)]
    pub(crate) fn finished(&mut self) -> Option<Vec<(u16, SocketAddr, SocketAddr, Option<SocketAddr>)>> {
        None
    }
    pub(crate) fn drain(&mut self) -> Vec<(Path, Vec<u8>)> {
        Vec::new()
    }
    pub(crate) async fn flush(&mut self) -> Outcome<()> {
        Ok(())
    }
}
