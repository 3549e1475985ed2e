//! The messages of an open link.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::bearer::{BearerCodec, BearerId, BearerRefusal, ConnectionId, ReleaseMode};
use crate::key::{BearerKeys, CipherKey};
use crate::radio::{Neighbour, SyncState};
use crate::role::Role;

/// Greatest value of a PMID, which has 20 bits.
///
/// EN 300 175-6 6.3
pub const PMID_MAX: u32 = 0xf_ffff;

/// Most neighbours in one report.
///
/// docs/radio-link.md 4.4
pub const NEIGHBOURS_MAX: usize = 16;

/// Most octets of a network layer message in one frame.
///
/// docs/radio-link.md 2.1
pub const SDU_MAX: usize = crate::field::SDU_LIMIT;

/// A message of the open link. `S` marks what the server sends, `B` what the base station sends.
///
/// docs/radio-link.md 4
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// S: broadcast these B-format octets (3 or 5) as a page. EN 300 175-5 8
    Page {
        /// The octets of the B-SAP.
        bytes: Bytes,
    },
    /// S: the system's higher layer capabilities, to be broadcast from now on. EN 300 175-5 annex F
    Broadcast {
        /// The bits a32 (most significant) to a47.
        higher_layer: u16,
    },
    /// B: a portable has established a connection (DL_ESTABLISH-ind). EN 300 175-4 8.3
    Establish {
        /// The new connection.
        connection: ConnectionId,
        /// The portable's identity of the medium access layer, 20 bits.
        pmid: u32,
        /// The first message, when it came with the establishment.
        sdu: Option<Bytes>,
    },
    /// S and B: one network layer message (DL_DATA). EN 300 175-4 8.3
    Data {
        /// The connection that carries it.
        connection: ConnectionId,
        /// The message.
        sdu: Bytes,
    },
    /// S and B: one connectionless network layer message, SAPI 3 (DL_UNIT_DATA). EN 300 175-4 8.3
    UnitData {
        /// The connection that carries it.
        connection: ConnectionId,
        /// The message.
        sdu: Bytes,
    },
    /// S: release the connection (DL_RELEASE-req). B: it is released (DL_RELEASE-cfm and -ind). EN 300 175-4 8.3
    Release {
        /// The connection.
        connection: ConnectionId,
        /// Whether outstanding frames are delivered first.
        mode: ReleaseMode,
    },
    /// S: the cipher key of the connection, before the portable starts ciphering (DL_ENC_KEY-req). EN 300 175-4 8.3
    EncryptionKey {
        /// The connection.
        connection: ConnectionId,
        /// The key.
        key: CipherKey,
    },
    /// B: the portable switched ciphering (DL_ENCRYPT-ind). EN 300 175-4 8.3
    Encrypted {
        /// The connection.
        connection: ConnectionId,
        /// Whether it is ciphered now.
        on: bool,
    },
    /// S: open the audio of a connection. docs/radio-link.md 4.3
    OpenBearer {
        /// The connection.
        connection: ConnectionId,
        /// The bearer's number, chosen by the server.
        bearer: BearerId,
        /// The speech coding.
        codec: BearerCodec,
        /// Where the base station sends its packets.
        peer: SocketAddr,
        /// Synchronisation source of the base station's packets.
        ssrc: u32,
        /// Keys when the audio is protected.
        keys: Option<BearerKeys>,
    },
    /// B: the audio is open. docs/radio-link.md 4.3
    BearerOpened {
        /// The bearer.
        bearer: BearerId,
        /// Where the server sends its packets.
        local: SocketAddr,
    },
    /// B: the audio cannot be opened. docs/radio-link.md 4.3
    BearerRefused {
        /// The bearer.
        bearer: BearerId,
        /// Why.
        reason: BearerRefusal,
    },
    /// S: close the audio. docs/radio-link.md 4.3
    CloseBearer {
        /// The bearer.
        bearer: BearerId,
    },
    /// B: the audio is closed, asked for or not. docs/radio-link.md 4.3
    BearerClosed {
        /// The bearer.
        bearer: BearerId,
    },
    /// B: how many of its speech channels are free. docs/radio-link.md 4.4
    Capacity {
        /// All speech channels.
        channels: u8,
        /// Those that are free.
        free: u8,
    },
    /// B: how it follows the radio timing, and whom it hears. docs/radio-link.md 4.4
    Sync {
        /// How well it follows.
        state: SyncState,
        /// At most 16 neighbours, the strongest first.
        neighbours: Vec<Neighbour>,
    },
    /// B: the portable of a connection moved to another radio part of this base station. docs/radio-link.md 4.4
    Handover {
        /// The connection, which goes on.
        connection: ConnectionId,
        /// The radio part that carries it now.
        rpn: u8,
    },
    /// S and B: are you there? Sent and answered by the link itself. docs/radio-link.md 6
    Heartbeat,
    /// S and B: yes. Sent by the link itself. docs/radio-link.md 6
    HeartbeatAnswer,
}

impl Message {
    /// The only end that sends this message, or `None` when both do.
    ///
    /// docs/radio-link.md 4
    #[must_use]
    pub fn sender(&self) -> Option<Role> {
        match self {
            Self::Page { .. }
            | Self::Broadcast { .. }
            | Self::EncryptionKey { .. }
            | Self::OpenBearer { .. }
            | Self::CloseBearer { .. } => Some(Role::Server),
            Self::Establish { .. }
            | Self::Encrypted { .. }
            | Self::BearerOpened { .. }
            | Self::BearerRefused { .. }
            | Self::BearerClosed { .. }
            | Self::Capacity { .. }
            | Self::Sync { .. }
            | Self::Handover { .. } => Some(Role::BaseStation),
            Self::Data { .. }
            | Self::UnitData { .. }
            | Self::Release { .. }
            | Self::Heartbeat
            | Self::HeartbeatAnswer => None,
        }
    }

    /// The name of the message as documents and logs write it.
    ///
    /// docs/radio-link.md 4
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Page { .. } => "Page",
            Self::Broadcast { .. } => "Broadcast",
            Self::Establish { .. } => "Establish",
            Self::Data { .. } => "Data",
            Self::UnitData { .. } => "UnitData",
            Self::Release { .. } => "Release",
            Self::EncryptionKey { .. } => "EncryptionKey",
            Self::Encrypted { .. } => "Encrypted",
            Self::OpenBearer { .. } => "OpenBearer",
            Self::BearerOpened { .. } => "BearerOpened",
            Self::BearerRefused { .. } => "BearerRefused",
            Self::CloseBearer { .. } => "CloseBearer",
            Self::BearerClosed { .. } => "BearerClosed",
            Self::Capacity { .. } => "Capacity",
            Self::Sync { .. } => "Sync",
            Self::Handover { .. } => "Handover",
            Self::Heartbeat => "Heartbeat",
            Self::HeartbeatAnswer => "HeartbeatAnswer",
        }
    }
}
