//! Frames of the link: a type and its fields.

use bytes::Bytes;

use crate::bearer::{BearerCodec, BearerId, BearerRefusal, ConnectionId, ReleaseMode};
use crate::error::{Error, Rule};
use crate::field::{Extensions, Reader, put_address, put_octets, put_text};
use crate::hello::Hello;
use crate::key::{BearerKey, BearerKeys, CipherKey};
use crate::message::{Message, NEIGHBOURS_MAX, PMID_MAX};
use crate::radio::{Neighbour, SyncState};
use crate::refusal::{Reason, Refusal};
use crate::role::Role;

/// Most octets of a refusal's text.
const REFUSAL_TEXT_LIMIT: usize = 200;

/// Everything that can stand in a frame: the messages of the open link, and those that open, refuse and end it.
///
/// docs/radio-link.md 2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// The first frame of each end.
    Hello(Role, Hello),
    /// The sender does not accept the receiver; the text says why in clear words.
    Refuse(Refusal, String),
    /// The sender ends the link.
    Close(Reason),
    /// A message of the open link.
    Message(Message),
    /// A type of a newer edition: skipped.
    Unknown(u8),
}

impl Frame {
    /// Reads the body of a frame, that is, what follows its length.
    ///
    /// docs/radio-link.md 2
    pub fn parse(body: &[u8], extensions: Extensions) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        let kind = reader.u8()?;
        let message = match kind {
            kind::HELLO => {
                let (role, hello) = Hello::read(&mut reader)?;
                return Ok(Self::Hello(role, hello));
            }
            kind::REFUSE => {
                let reason = Refusal::from_code(reader.u8()?);
                return Ok(Self::Refuse(reason, reader.text(REFUSAL_TEXT_LIMIT)?));
            }
            kind::CLOSE => return Ok(Self::Close(Reason::from_code(reader.u8()?))),
            _ => read_message(kind, &mut reader)?,
        };
        match message {
            Some(message) => {
                reader.end(extensions)?;
                Ok(Self::Message(message))
            }
            None if extensions == Extensions::Skipped => Ok(Self::Unknown(kind)),
            None => Err(Error::Malformed { at: 0, rule: Rule::UnknownType }),
        }
    }

    /// Appends the whole frame, length first. Nothing is appended when the frame does not fit its bounds.
    ///
    /// docs/radio-link.md 2
    pub fn emit(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.extend_from_slice(&[0, 0]);
        let written = self.emit_body(out);
        let length = out.len() - start - 2;
        match (written, out.get_mut(start..start + 2)) {
            (Ok(()), Some(field)) if length <= FRAME_MAX => {
                field.copy_from_slice(&(length as u16).to_be_bytes());
                Ok(())
            }
            (result, _) => {
                out.truncate(start);
                Err(result.err().unwrap_or(Error::Unsendable(Rule::FrameLength)))
            }
        }
    }

    fn emit_body(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Hello(role, hello) => {
                out.push(kind::HELLO);
                hello.emit(*role, out);
                Ok(())
            }
            Self::Refuse(reason, text) => {
                out.extend_from_slice(&[kind::REFUSE, reason.code()]);
                put_text(out, text, REFUSAL_TEXT_LIMIT);
                Ok(())
            }
            Self::Close(reason) => {
                out.extend_from_slice(&[kind::CLOSE, reason.code()]);
                Ok(())
            }
            Self::Message(message) => emit_message(message, out),
            Self::Unknown(_) => Err(Error::Unsendable(Rule::UnknownType)),
        }
    }
}

fn read_message(kind: u8, reader: &mut Reader<'_>) -> Result<Option<Message>, Error> {
    let message = match kind {
        kind::PAGE => {
            let at = reader.at();
            let bytes = reader.octets()?;
            if !is_page(&bytes) {
                return Err(Error::Malformed { at, rule: Rule::FieldLength });
            }
            Message::Page { bytes }
        }
        kind::BROADCAST => Message::Broadcast { higher_layer: reader.u16()? },
        kind::ESTABLISH => {
            let connection = ConnectionId(reader.u32()?);
            let at = reader.at();
            let pmid = reader.u32()?;
            if pmid > PMID_MAX {
                return Err(Error::Malformed { at, rule: Rule::UnknownValue });
            }
            let sdu = if reader.flag()? { Some(reader.octets()?) } else { None };
            Message::Establish { connection, pmid, sdu }
        }
        kind::DATA => Message::Data { connection: ConnectionId(reader.u32()?), sdu: reader.octets()? },
        kind::UNIT_DATA => {
            Message::UnitData { connection: ConnectionId(reader.u32()?), sdu: reader.octets()? }
        }
        kind::RELEASE => Message::Release {
            connection: ConnectionId(reader.u32()?),
            mode: reader.code(ReleaseMode::from_code)?,
        },
        kind::ENCRYPTION_KEY => Message::EncryptionKey {
            connection: ConnectionId(reader.u32()?),
            key: CipherKey(reader.array()?),
        },
        kind::ENCRYPTED => Message::Encrypted { connection: ConnectionId(reader.u32()?), on: reader.flag()? },
        kind::OPEN_BEARER => Message::OpenBearer {
            connection: ConnectionId(reader.u32()?),
            bearer: BearerId(reader.u32()?),
            codec: reader.code(BearerCodec::from_code)?,
            peer: reader.address()?,
            ssrc: reader.u32()?,
            keys: if reader.flag()? {
                Some(BearerKeys {
                    server: BearerKey(reader.array()?),
                    base_station: BearerKey(reader.array()?),
                })
            } else {
                None
            },
        },
        kind::BEARER_OPENED => {
            Message::BearerOpened { bearer: BearerId(reader.u32()?), local: reader.address()? }
        }
        kind::BEARER_REFUSED => Message::BearerRefused {
            bearer: BearerId(reader.u32()?),
            reason: BearerRefusal::from_code(reader.u8()?),
        },
        kind::CLOSE_BEARER => Message::CloseBearer { bearer: BearerId(reader.u32()?) },
        kind::BEARER_CLOSED => Message::BearerClosed { bearer: BearerId(reader.u32()?) },
        kind::CAPACITY => Message::Capacity { channels: reader.u8()?, free: reader.u8()? },
        kind::SYNC => read_sync(reader)?,
        kind::HANDOVER => Message::Handover { connection: ConnectionId(reader.u32()?), rpn: reader.u8()? },
        kind::HEARTBEAT => Message::Heartbeat,
        kind::HEARTBEAT_ANSWER => Message::HeartbeatAnswer,
        _ => return Ok(None),
    };
    Ok(Some(message))
}

fn read_sync(reader: &mut Reader<'_>) -> Result<Message, Error> {
    let state = reader.code(SyncState::from_code)?;
    let at = reader.at();
    let count = usize::from(reader.u8()?);
    if count > NEIGHBOURS_MAX {
        return Err(Error::Malformed { at, rule: Rule::FieldLength });
    }
    let neighbours = (0..count)
        .map(|_| {
            Ok(Neighbour {
                rpn: reader.u8()?,
                strength: reader.u8()?.cast_signed(),
                offset: reader.u16()?.cast_signed(),
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Message::Sync { state, neighbours })
}

fn emit_message(message: &Message, out: &mut Vec<u8>) -> Result<(), Error> {
    match message {
        Message::Page { bytes } => {
            if !is_page(bytes) {
                return Err(Error::Unsendable(Rule::FieldLength));
            }
            out.push(kind::PAGE);
            put_octets(out, bytes)?;
        }
        Message::Broadcast { higher_layer } => {
            out.push(kind::BROADCAST);
            out.extend_from_slice(&higher_layer.to_be_bytes());
        }
        Message::Establish { connection, pmid, sdu } => {
            if *pmid > PMID_MAX {
                return Err(Error::Unsendable(Rule::UnknownValue));
            }
            put_numbered(out, kind::ESTABLISH, connection.0);
            out.extend_from_slice(&pmid.to_be_bytes());
            out.push(u8::from(sdu.is_some()));
            if let Some(sdu) = sdu {
                put_octets(out, sdu)?;
            }
        }
        Message::Data { connection, sdu } => put_sdu(out, kind::DATA, *connection, sdu)?,
        Message::UnitData { connection, sdu } => put_sdu(out, kind::UNIT_DATA, *connection, sdu)?,
        Message::Release { connection, mode } => {
            put_numbered(out, kind::RELEASE, connection.0);
            out.push(mode.code());
        }
        Message::EncryptionKey { connection, key } => {
            put_numbered(out, kind::ENCRYPTION_KEY, connection.0);
            out.extend_from_slice(&key.0);
        }
        Message::Encrypted { connection, on } => {
            put_numbered(out, kind::ENCRYPTED, connection.0);
            out.push(u8::from(*on));
        }
        Message::OpenBearer { connection, bearer, codec, peer, ssrc, keys } => {
            put_numbered(out, kind::OPEN_BEARER, connection.0);
            out.extend_from_slice(&bearer.0.to_be_bytes());
            out.push(codec.code());
            put_address(out, *peer);
            out.extend_from_slice(&ssrc.to_be_bytes());
            out.push(u8::from(keys.is_some()));
            if let Some(keys) = keys {
                out.extend_from_slice(&keys.server.0);
                out.extend_from_slice(&keys.base_station.0);
            }
        }
        Message::BearerOpened { bearer, local } => {
            put_numbered(out, kind::BEARER_OPENED, bearer.0);
            put_address(out, *local);
        }
        Message::BearerRefused { bearer, reason } => {
            put_numbered(out, kind::BEARER_REFUSED, bearer.0);
            out.push(reason.code());
        }
        Message::CloseBearer { bearer } => put_numbered(out, kind::CLOSE_BEARER, bearer.0),
        Message::BearerClosed { bearer } => put_numbered(out, kind::BEARER_CLOSED, bearer.0),
        Message::Capacity { channels, free } => out.extend_from_slice(&[kind::CAPACITY, *channels, *free]),
        Message::Sync { state, neighbours } => {
            if neighbours.len() > NEIGHBOURS_MAX {
                return Err(Error::Unsendable(Rule::FieldLength));
            }
            out.extend_from_slice(&[kind::SYNC, state.code(), neighbours.len() as u8]);
            for neighbour in neighbours {
                out.extend_from_slice(&[neighbour.rpn, neighbour.strength.cast_unsigned()]);
                out.extend_from_slice(&neighbour.offset.to_be_bytes());
            }
        }
        Message::Handover { connection, rpn } => {
            put_numbered(out, kind::HANDOVER, connection.0);
            out.push(*rpn);
        }
        Message::Heartbeat => out.push(kind::HEARTBEAT),
        Message::HeartbeatAnswer => out.push(kind::HEARTBEAT_ANSWER),
    }
    Ok(())
}

/// B-format octets are 3 (short page) or 5 (full page).
fn is_page(bytes: &Bytes) -> bool {
    matches!(bytes.len(), 3 | 5)
}

fn put_numbered(out: &mut Vec<u8>, kind: u8, number: u32) {
    out.push(kind);
    out.extend_from_slice(&number.to_be_bytes());
}

fn put_sdu(out: &mut Vec<u8>, kind: u8, connection: ConnectionId, sdu: &Bytes) -> Result<(), Error> {
    put_numbered(out, kind, connection.0);
    put_octets(out, sdu)
}

/// Most octets behind the length of a frame.
///
/// docs/radio-link.md 2
pub const FRAME_MAX: usize = 4096;

/// Message types.
mod kind {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const REFUSE: u8 = 0x02;
    pub(super) const CLOSE: u8 = 0x03;
    pub(super) const HEARTBEAT: u8 = 0x04;
    pub(super) const HEARTBEAT_ANSWER: u8 = 0x05;
    pub(super) const PAGE: u8 = 0x10;
    pub(super) const BROADCAST: u8 = 0x11;
    pub(super) const ESTABLISH: u8 = 0x20;
    pub(super) const DATA: u8 = 0x21;
    pub(super) const UNIT_DATA: u8 = 0x22;
    pub(super) const RELEASE: u8 = 0x23;
    pub(super) const ENCRYPTION_KEY: u8 = 0x24;
    pub(super) const ENCRYPTED: u8 = 0x25;
    pub(super) const OPEN_BEARER: u8 = 0x30;
    pub(super) const BEARER_OPENED: u8 = 0x31;
    pub(super) const BEARER_REFUSED: u8 = 0x32;
    pub(super) const CLOSE_BEARER: u8 = 0x33;
    pub(super) const BEARER_CLOSED: u8 = 0x34;
    pub(super) const CAPACITY: u8 = 0x40;
    pub(super) const SYNC: u8 = 0x41;
    pub(super) const HANDOVER: u8 = 0x42;
}
