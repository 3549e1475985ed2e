//! The side of the handsets: links over the air, range, ciphering.

use std::time::Instant;

use bytes::BytesMut;
use dect_nwk::{Input, LinkId, ReleaseMode, Transmit};
use rfp_link::{CipherKey, ConnectionId, Message};

use super::{Air, BaseStation};

impl BaseStation {
    /// Carries what the handsets send; false: nothing.
    pub(super) fn handsets_transmit(&mut self, now: Instant) -> bool {
        let mut sent = false;
        for at in 0..self.portables.len() {
            loop {
                let mut buffer = BytesMut::new();
                let Some(portable) = self.portables.get_mut(at) else { break };
                let Some(transmit) = portable.handset.poll_transmit(&mut buffer) else { break };
                sent = true;
                self.handset_transmit(now, at, transmit, buffer);
            }
        }
        sent
    }

    fn handset_transmit(&mut self, now: Instant, at: usize, transmit: Transmit, buffer: BytesMut) {
        match transmit {
            Transmit::Establish { link, .. } => self.establish(now, at, link, buffer),
            Transmit::Data { link, .. } => {
                if let Some(connection) = self.connection_of(at, link) {
                    self.tell_server(now, Message::Data { connection, sdu: buffer.freeze() });
                }
            }
            Transmit::Release { link, mode } => {
                if let Some(connection) = self.connection_of(at, link) {
                    self.air.remove(&connection);
                    self.tell_server(now, Message::Release { connection, mode: mode_out(mode) });
                    self.bearers_of_connection_end(now, connection);
                }
                if mode == ReleaseMode::Normal {
                    self.handset_input(now, at, Input::Released { link, mode });
                }
            }
            Transmit::EncryptionKey { link, key } => {
                if let Some(air) = self.air_of(at, link) {
                    air.portable_key = Some(CipherKey(*key.octets()));
                }
            }
            Transmit::Encrypt { link, on } => {
                if let Some(connection) = self.connection_of(at, link)
                    && let Some(air) = self.air.get_mut(&connection)
                {
                    air.wants = Some(on);
                    self.cipher(now, connection);
                }
            }
            // A portable part does not broadcast.
            _ => {}
        }
    }

    fn establish(&mut self, now: Instant, at: usize, link: LinkId, buffer: BytesMut) {
        let reachable = self.up && self.portables.get(at).is_some_and(|portable| portable.in_range);
        if !reachable {
            self.handset_input(now, at, Input::Released { link, mode: ReleaseMode::Abnormal });
            return;
        }
        self.next_connection = self.next_connection.wrapping_add(1);
        let connection = ConnectionId(self.next_connection);
        let air = Air { portable: at, link, server_key: None, portable_key: None, wants: None };
        self.air.insert(connection, air);
        let pmid = self.portables.get(at).map_or(0, |portable| portable.pmid);
        let sdu = (!buffer.is_empty()).then(|| buffer.freeze());
        self.tell_server(now, Message::Establish { connection, pmid, sdu });
        self.handset_input(now, at, Input::Established { link, sdu: None });
    }

    /// Switches ciphering as soon as both ends have a key; different keys break the link (EN 300 175-7 6.4).
    pub(super) fn cipher(&mut self, now: Instant, connection: ConnectionId) {
        let Some(air) = self.air.get_mut(&connection) else { return };
        let Some(on) = air.wants else { return };
        let (at, link) = (air.portable, air.link);
        if on {
            let (Some(server), Some(portable)) = (&air.server_key, &air.portable_key) else { return };
            if server.0 != portable.0 {
                self.link_lost(now, connection);
                return;
            }
        }
        air.wants = None;
        self.tell_server(now, Message::Encrypted { connection, on });
        self.handset_input(now, at, Input::Encrypted { link, on });
    }

    pub(super) fn walk_out(&mut self, now: Instant, at: usize) {
        let Some(portable) = self.portables.get_mut(at) else { return };
        portable.in_range = false;
        let lost: Vec<ConnectionId> = self
            .air
            .iter()
            .filter(|(_, air)| air.portable == at)
            .map(|(connection, _)| *connection)
            .collect();
        for connection in lost {
            self.link_lost(now, connection);
        }
    }

    pub(super) fn walk_in(&mut self, now: Instant, at: usize) {
        let Some(portable) = self.portables.get_mut(at) else { return };
        portable.in_range = true;
        if portable.handset.is_powered() {
            portable.handset.locate(now);
        }
    }

    /// The radio link broke: both sides learn it, bearers end.
    pub(super) fn link_lost(&mut self, now: Instant, connection: ConnectionId) {
        let Some(air) = self.air.remove(&connection) else { return };
        self.tell_server(now, Message::Release { connection, mode: rfp_link::ReleaseMode::Abnormal });
        self.bearers_of_connection_end(now, connection);
        self.handset_input(
            now,
            air.portable,
            Input::Released { link: air.link, mode: ReleaseMode::Abnormal },
        );
    }

    pub(super) fn handset_input(&mut self, now: Instant, at: usize, input: Input<'_>) {
        if let Some(portable) = self.portables.get_mut(at) {
            portable.handset.handle_input(now, input);
        }
    }

    fn connection_of(&self, at: usize, link: LinkId) -> Option<ConnectionId> {
        self.air
            .iter()
            .find(|(_, air)| air.portable == at && air.link == link)
            .map(|(connection, _)| *connection)
    }

    fn air_of(&mut self, at: usize, link: LinkId) -> Option<&mut Air> {
        self.air.values_mut().find(|air| air.portable == at && air.link == link)
    }
}

fn mode_out(mode: ReleaseMode) -> rfp_link::ReleaseMode {
    match mode {
        ReleaseMode::Normal => rfp_link::ReleaseMode::Normal,
        ReleaseMode::Abnormal => rfp_link::ReleaseMode::Abnormal,
    }
}

/// The mode of a release that came over the link.
pub(super) fn mode_in(mode: rfp_link::ReleaseMode) -> ReleaseMode {
    match mode {
        rfp_link::ReleaseMode::Normal => ReleaseMode::Normal,
        rfp_link::ReleaseMode::Abnormal => ReleaseMode::Abnormal,
    }
}
