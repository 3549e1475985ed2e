//! The side of the server: the link, its messages, bearers.

use std::net::SocketAddr;
use std::time::Instant;

use dect_nwk::{Input, ReleaseMode};
use rfp_link::{
    BearerCodec, BearerId, BearerKey, BearerKeys, BearerRefusal, Config, ConnectionId, Hello, Link, Message,
    Role,
};
use srtp_sdes::{CryptoAttribute, ReceiverKeys, SenderKeys};

use super::radio::mode_in;
use super::{BaseStation, Bearer, Event};
use crate::talk::{Encoding, Flow, TalkPlan};

impl BaseStation {
    pub(super) fn opened(&mut self, now: Instant) {
        self.everything_lost(now);
        let channels = self.config.media.len().min(255) as u8;
        let mut hello = Hello::base_station(
            self.config.name.clone(),
            self.config.software.clone(),
            self.config.rpn,
            channels,
        );
        hello.protocol = self.config.protocol;
        hello.capabilities |= rfp_link::capability::SRTP;
        self.link = Some(Link::new(now, Config::new(Role::BaseStation, hello)));
    }

    /// Takes the link's events; false: there were none.
    pub(super) fn link_events(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            any = true;
            match event {
                rfp_link::Event::Up(hello) => {
                    self.up = true;
                    self.events.push_back(Event::ServerUp { name: hello.name });
                    self.capacity(now);
                }
                rfp_link::Event::Message(message) => self.server_message(now, message),
                rfp_link::Event::Refused { text, .. } => {
                    self.everything_lost(now);
                    self.events.push_back(Event::Refused { text });
                }
                rfp_link::Event::Down(reason) => {
                    self.everything_lost(now);
                    self.events.push_back(Event::ServerDown { reason: format!("{reason:?}") });
                }
                _ => {}
            }
        }
        any
    }

    pub(super) fn tell_server(&mut self, now: Instant, message: Message) {
        if !self.up {
            return;
        }
        if let Some(link) = &mut self.link
            && let Err(error) = link.send(now, message)
        {
            tracing::warn!(%error, "a message does not fit the radio link");
        }
    }

    fn capacity(&mut self, now: Instant) {
        let channels = self.config.media.len().min(255) as u8;
        let free = channels.saturating_sub(self.bearers.len().min(255) as u8);
        self.tell_server(now, Message::Capacity { channels, free });
    }

    fn server_message(&mut self, now: Instant, message: Message) {
        match message {
            Message::Page { bytes } => {
                for portable in &mut self.portables {
                    if portable.in_range && portable.handset.is_powered() {
                        portable.handset.handle_input(now, Input::Broadcast(&bytes));
                    }
                }
            }
            Message::Data { connection, sdu } | Message::UnitData { connection, sdu } => {
                if let Some((at, link)) = self.air.get(&connection).map(|air| (air.portable, air.link)) {
                    self.handset_input(now, at, Input::Data { link, sdu: &sdu });
                }
            }
            Message::Release { connection, mode } => self.server_releases(now, connection, mode_in(mode)),
            Message::EncryptionKey { connection, key } => {
                if let Some(air) = self.air.get_mut(&connection) {
                    air.server_key = Some(key);
                }
                self.cipher(now, connection);
            }
            Message::OpenBearer { connection, bearer, codec, peer, ssrc, keys } => {
                match self.open_bearer(now, connection, bearer, codec, peer, ssrc, keys.as_ref()) {
                    Ok(local) => {
                        self.tell_server(now, Message::BearerOpened { bearer, local });
                        self.capacity(now);
                    }
                    Err(reason) => self.tell_server(now, Message::BearerRefused { bearer, reason }),
                }
            }
            Message::CloseBearer { bearer } => {
                if !self.end_bearer(bearer) {
                    return;
                }
                self.tell_server(now, Message::BearerClosed { bearer });
                self.capacity(now);
            }
            _ => {}
        }
    }

    /// DL_RELEASE-req of the server: the air link goes, and the server has its confirmation. A release that crossed one
    /// of ours has been confirmed by that.
    fn server_releases(&mut self, now: Instant, connection: ConnectionId, mode: ReleaseMode) {
        let Some(air) = self.air.remove(&connection) else { return };
        self.tell_server(now, Message::Release { connection, mode: rfp_link::ReleaseMode::Normal });
        self.bearers_of_connection_end(now, connection);
        self.handset_input(now, air.portable, Input::Released { link: air.link, mode });
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of the message")]
    fn open_bearer(
        &mut self,
        _now: Instant,
        connection: ConnectionId,
        bearer: BearerId,
        codec: BearerCodec,
        peer: SocketAddr,
        ssrc: u32,
        keys: Option<&BearerKeys>,
    ) -> Result<SocketAddr, BearerRefusal> {
        let at = self.air.get(&connection).map(|air| air.portable).ok_or(BearerRefusal::UnknownConnection)?;
        match codec {
            BearerCodec::G726 => {}
            BearerCodec::G722 => return Err(BearerRefusal::Codec),
        }
        let taken = |channel: usize| self.bearers.values().any(|bearer| bearer.channel == channel);
        if self.bearers.contains_key(&bearer)
            || self.bearers.values().any(|other| other.connection == connection)
        {
            return Err(BearerRefusal::InUse);
        }
        let (channel, local) = self
            .config
            .media
            .iter()
            .enumerate()
            .find(|(channel, _)| !taken(*channel))
            .map(|(channel, local)| (channel, *local))
            .ok_or(BearerRefusal::NoChannel)?;
        let keys = match keys {
            Some(keys) => Some(bearer_keys(keys).ok_or(BearerRefusal::Keys)?),
            None => None,
        };
        let plan = TalkPlan {
            encoding: Encoding::G726(self.config.packing),
            payload_type: G726_PAYLOAD_TYPE,
            ssrc,
            keys,
            flow: Flow::Both,
            first_sequence: (self.random.number() & 0x7fff) as u16,
            first_timestamp: self.random.number(),
        };
        let Some(ipei) = self.portables.get(at).map(|portable| portable.handset.ipei()) else {
            return Err(BearerRefusal::UnknownConnection);
        };
        self.bearers.insert(bearer, Bearer { connection, channel, portable: at });
        self.events.push_back(Event::BearerStarted { channel, ipei, plan: Box::new(plan), peer });
        Ok(local)
    }

    fn end_bearer(&mut self, bearer: BearerId) -> bool {
        let Some(bearer) = self.bearers.remove(&bearer) else { return false };
        if let Some(portable) = self.portables.get(bearer.portable) {
            let ipei = portable.handset.ipei();
            self.events.push_back(Event::BearerStopped { channel: bearer.channel, ipei });
        }
        true
    }

    /// The connection went: its bearers end, and the server learns it.
    pub(super) fn bearers_of_connection_end(&mut self, now: Instant, connection: ConnectionId) {
        let ended: Vec<BearerId> = self
            .bearers
            .iter()
            .filter(|(_, bearer)| bearer.connection == connection)
            .map(|(bearer, _)| *bearer)
            .collect();
        for bearer in &ended {
            self.end_bearer(*bearer);
            self.tell_server(now, Message::BearerClosed { bearer: *bearer });
        }
        if !ended.is_empty() {
            self.capacity(now);
        }
    }

    /// The server is gone: all air links break and all bearers end (docs/radio-link.md 6).
    fn everything_lost(&mut self, now: Instant) {
        self.up = false;
        for bearer in self.bearers.keys().copied().collect::<Vec<_>>() {
            self.end_bearer(bearer);
        }
        for (_, air) in core::mem::take(&mut self.air) {
            let input = Input::Released { link: air.link, mode: ReleaseMode::Abnormal };
            self.handset_input(now, air.portable, input);
        }
    }
}

/// The base station sends with its own key and receives with the server's (docs/radio-link.md 5.2).
fn bearer_keys(keys: &BearerKeys) -> Option<(SenderKeys, ReceiverKeys)> {
    let sender = SenderKeys::from_attribute(&attribute(&keys.base_station)?).ok()?;
    let receiver = ReceiverKeys::from_attribute(&attribute(&keys.server)?).ok()?;
    Some((sender, receiver))
}

fn attribute(key: &BearerKey) -> Option<CryptoAttribute> {
    CryptoAttribute::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", base64(&key.0))).ok()
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let (a, b, c) = (
            group.first().copied().unwrap_or_default(),
            group.get(1).copied().unwrap_or_default(),
            group.get(2).copied().unwrap_or_default(),
        );
        let bits = u32::from_be_bytes([0, a, b, c]);
        for (position, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let symbol = ALPHABET.get(((bits >> shift) & 0x3f) as usize).copied().unwrap_or(b'A');
            text.push(if position > group.len() { '=' } else { char::from(symbol) });
        }
    }
    text
}

/// docs/radio-link.md 5.1
const G726_PAYLOAD_TYPE: u8 = 96;

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads_as_rfc_4648_10_says() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
