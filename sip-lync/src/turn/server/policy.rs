//! The bandwidth policy of the relay: one link with so many kilobits a second.

use core::net::SocketAddr;

use super::Server;
use crate::stun::{AdmissionControl, PathResponse, ReservationAmount};
use crate::turn::{AdmissionAnswer, AdmissionRequest};

impl Server {
    /// What the policy says; nothing when bandwidth is not managed or the question is not complete.
    pub(super) fn admission(
        &mut self,
        relay: SocketAddr,
        asked: &AdmissionRequest,
    ) -> Option<AdmissionAnswer> {
        let capacity = self.config.bandwidth?;
        if !asked.is_complete() {
            return None;
        }
        let mut answer = AdmissionAnswer::new(asked.message);
        let held = self.allocations.get(&relay).and_then(|allocation| allocation.reservation);
        let free = capacity.saturating_sub(self.reserved);
        match asked.message {
            AdmissionControl::Check => {
                let path = Some(self.path(free, asked.amount.unwrap_or_default()));
                answer.remote_site = path;
                answer.local_site = path;
                answer.local_relay = path;
                answer.remote_relay = path.filter(|_| asked.remote_relay.is_some());
            }
            AdmissionControl::Commit => {
                let amount = asked.amount.unwrap_or_default();
                let before = held.map_or(0, |(_, amount)| amount);
                let granted = amount.max_send.max(amount.max_receive).min(free.saturating_add(before));
                let name = self.words.octets::<16>(b"reservation");
                self.reserve(relay, name, before, granted);
                answer.reservation = Some(name);
                answer.amount = Some(cut(amount, granted));
            }
            AdmissionControl::Update => {
                let (name, before) = held.filter(|(name, _)| Some(*name) == asked.reservation)?;
                let granted = match asked.amount {
                    Some(amount) => amount.max_send.max(amount.max_receive).min(free.saturating_add(before)),
                    None => before,
                };
                self.reserve(relay, name, before, granted);
                answer.reservation = Some(name);
                answer.amount = asked.amount.map(|amount| cut(amount, granted));
            }
        }
        Some(answer)
    }

    fn path(&self, free: u32, amount: ReservationAmount) -> PathResponse {
        let least = amount.min_send.max(amount.min_receive);
        let valid = free >= least;
        PathResponse {
            valid,
            pstn_failover: !valid && self.config.pstn_failover,
            max_send: if valid { amount.max_send.min(free) } else { 0 },
            max_receive: if valid { amount.max_receive.min(free) } else { 0 },
        }
    }

    fn reserve(&mut self, relay: SocketAddr, name: [u8; 16], before: u32, granted: u32) {
        self.reserved = self.reserved.saturating_sub(before).saturating_add(granted);
        if let Some(allocation) = self.allocations.get_mut(&relay) {
            allocation.reservation = Some((name, granted));
        }
    }
}

fn cut(amount: ReservationAmount, granted: u32) -> ReservationAmount {
    ReservationAmount {
        max_send: amount.max_send.min(granted),
        max_receive: amount.max_receive.min(granted),
        ..amount
    }
}
