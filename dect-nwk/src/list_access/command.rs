//! Commands of list access.

use bytes::{BufMut as _, BytesMut};

use crate::coding::{Reader, coded, put_extended_number};
use crate::error::{Error, Rule};

coded! {
    /// Why a session could not be started.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    StartRefusal {
        /// Not enough resources.
        Resources = 0,
        /// The list is in use.
        InUse = 1,
        /// There is no such list.
        Unsupported = 2,
        /// The portable part has as many sessions as it may.
        TooManySessions = 3,
    }
}

coded! {
    /// Why a command was refused.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    Refusal {
        /// The range is wrong.
        Range = 0,
        /// There is no such entry.
        NoEntry = 1,
        /// There is no such session.
        NoSession = 2,
        /// Not now.
        Temporarily = 3,
        /// The format is wrong.
        Format = 4,
        /// The start index is wrong.
        StartIndex = 5,
        /// The procedure is not supported.
        Unsupported = 6,
        /// The procedure is not allowed for this list.
        NotAllowed = 7,
        /// The contents are not accepted.
        Contents = 8,
        /// The list is full.
        Full = 9,
        /// The PIN is wrong.
        WrongPin = 0xa,
        /// A PIN is needed.
        PinRequired = 0xb,
    }
}

coded! {
    /// What is found when no entry is exactly as wanted.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    SearchMode {
        /// Nothing.
        Exact = 0,
        /// The entry that comes next.
        Next = 1,
        /// The entry that comes before.
        Previous = 2,
    }
}

/// One command or its answer.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens a list, sorted by these fields.
    Start {
        /// The list.
        list: u8,
        /// The fields to sort by.
        sorting: Vec<u8>,
    },
    /// The session is open, or refused: then its number is 0.
    Started {
        /// The list.
        list: u8,
        /// The session.
        session: u32,
        /// How many entries the list has.
        entries: u32,
        /// The manufacturer whose list it is.
        manufacturer: Option<u16>,
        /// Why it was refused.
        refusal: Option<StartRefusal>,
        /// The fields it is sorted by.
        sorting: Vec<u8>,
    },
    /// Ends a session.
    End {
        /// The session.
        session: u32,
    },
    /// The session is over.
    Ended {
        /// The session.
        session: u32,
    },
    /// Which fields does an entry have?
    QueryFields {
        /// The session.
        session: u32,
    },
    /// The fields of an entry.
    Fields {
        /// The session.
        session: u32,
        /// Fields that can be changed.
        editable: Vec<u8>,
        /// Fields that cannot.
        fixed: Vec<u8>,
    },
    /// Reads entries.
    Read {
        /// The session.
        session: u32,
        /// The place of the first one, counted from 1; 0 is the last.
        start: u32,
        /// Towards the beginning.
        backward: bool,
        /// How many.
        count: u8,
        /// What becomes of the mark "new": 00 reset, 7F leave, FF set.
        mark: u8,
        /// The wanted fields; none or 0 means all.
        fields: Vec<u8>,
    },
    /// So many entries follow in data packets.
    Reading {
        /// The session.
        session: u32,
        /// The place of the first one.
        start: u32,
        /// How many.
        count: u8,
    },
    /// Opens an entry to change it.
    Edit {
        /// The session.
        session: u32,
        /// The entry.
        entry: u32,
        /// The wanted fields.
        fields: Vec<u8>,
    },
    /// The entry follows in data packets.
    Editing {
        /// The session.
        session: u32,
    },
    /// An entry follows in data packets and is to be kept.
    Save {
        /// The session.
        session: u32,
        /// The entry; 0 is a new one.
        entry: u32,
    },
    /// The entry is kept.
    Saved {
        /// The session.
        session: u32,
        /// The entry.
        entry: u32,
        /// Its place.
        position: u32,
        /// How many entries there are now.
        total: u32,
    },
    /// Deletes an entry.
    DeleteEntry {
        /// The session.
        session: u32,
        /// The entry.
        entry: u32,
    },
    /// The entry is deleted.
    EntryDeleted {
        /// The session.
        session: u32,
        /// How many entries there are now.
        total: u32,
    },
    /// Deletes all entries.
    DeleteList {
        /// The session.
        session: u32,
    },
    /// All entries are deleted.
    ListDeleted {
        /// The session.
        session: u32,
    },
    /// Looks for a text in the field the list is sorted by.
    Search {
        /// The session.
        session: u32,
        /// What is found when nothing is exactly so.
        mode: SearchMode,
        /// Capital letters count.
        case_sensitive: bool,
        /// The beginning of the value.
        text: Vec<u8>,
        /// How many entries from there on.
        count: u8,
        /// As in [`Read`](Self::Read).
        mark: u8,
        /// The wanted fields.
        fields: Vec<u8>,
    },
    /// So many entries follow in data packets.
    Searching {
        /// The session.
        session: u32,
        /// The place of the first one; 0 means that nothing was found.
        start: u32,
        /// How many.
        count: u8,
    },
    /// The command is refused.
    Refused {
        /// The session.
        session: u32,
        /// Why.
        refusal: Refusal,
    },
    /// Octets of entries; more follow.
    Data {
        /// The session.
        session: u32,
        /// The octets.
        octets: Vec<u8>,
    },
    /// The last octets of entries.
    LastData {
        /// The session.
        session: u32,
        /// The octets.
        octets: Vec<u8>,
    },
}

const BACKWARD: u8 = 0x80;

impl Command {
    /// Reads the data of IWU-TO-IWU.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(octets);
        let code = reader.octet()?;
        if code == 0x00 {
            let list = reader.octet()?;
            return Ok(Self::Start { list, sorting: counted(&mut reader)? });
        }
        if code == 0x01 {
            let list = reader.octet()?;
            let (session, entries) = (reader.extended_number()?, reader.extended_number()?);
            let manufacturer = if reader.octet()? & 0x7f == 1 { Some(reader.u16()?) } else { None };
            let refusal = if session == 0 { Some(StartRefusal::from_code(reader.octet()?)) } else { None };
            let sorting = counted(&mut reader)?;
            return Ok(Self::Started { list, session, entries, manufacturer, refusal, sorting });
        }
        let session = reader.extended_number()?;
        Ok(match code {
            0x02 => Self::End { session },
            0x03 => Self::Ended { session },
            0x04 => Self::QueryFields { session },
            0x05 => Self::Fields { session, editable: counted(&mut reader)?, fixed: counted(&mut reader)? },
            0x06 => {
                let start = reader.extended_number()?;
                let [direction, mark] = reader.array()?;
                let (backward, count) = (direction & BACKWARD != 0, direction & 0x7f);
                Self::Read { session, start, backward, count, mark, fields: reader.remainder().to_vec() }
            }
            0x07 => {
                Self::Reading { session, start: reader.extended_number()?, count: reader.octet()? & 0x7f }
            }
            0x08 => {
                let entry = reader.extended_number()?;
                Self::Edit { session, entry, fields: reader.remainder().to_vec() }
            }
            0x09 => Self::Editing { session },
            0x0a => Self::Save { session, entry: reader.extended_number()? },
            0x0b => Self::Saved {
                session,
                entry: reader.extended_number()?,
                position: reader.extended_number()?,
                total: reader.extended_number()?,
            },
            0x0c => Self::DeleteEntry { session, entry: reader.extended_number()? },
            0x0d => Self::EntryDeleted { session, total: reader.extended_number()? },
            0x0e => Self::DeleteList { session },
            0x0f => Self::ListDeleted { session },
            0x10 => {
                let [mode, case] = reader.array()?;
                let text = counted(&mut reader)?;
                let [count, mark] = reader.array()?;
                Self::Search {
                    session,
                    mode: SearchMode::from_code(mode),
                    case_sensitive: case != 0,
                    text,
                    count: count & 0x7f,
                    mark,
                    fields: reader.remainder().to_vec(),
                }
            }
            0x11 => {
                Self::Searching { session, start: reader.extended_number()?, count: reader.octet()? & 0x7f }
            }
            0x12 => Self::Refused { session, refusal: Refusal::from_code(reader.octet()?) },
            0x13 => Self::Data { session, octets: reader.remainder().to_vec() },
            0x14 => Self::LastData { session, octets: reader.remainder().to_vec() },
            _ => return Err(Error::Malformed { at: 0, rule: Rule::Reserved }),
        })
    }

    /// Appends the data of IWU-TO-IWU.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn emit(&self, octets: &mut BytesMut) {
        octets.put_u8(self.code());
        if let Some(session) = self.session() {
            put_extended_number(octets, session);
        }
        match self {
            Self::Start { list, sorting } => {
                octets.put_u8(*list);
                put_counted(octets, sorting);
            }
            Self::Started { list, session, entries, manufacturer, refusal, sorting } => {
                octets.put_u8(*list);
                put_extended_number(octets, *session);
                put_extended_number(octets, *entries);
                match manufacturer {
                    Some(code) => {
                        octets.put_u8(0x81);
                        octets.put_u16(*code);
                    }
                    None => octets.put_u8(0x80),
                }
                if *session == 0 {
                    octets.put_u8(refusal.unwrap_or(StartRefusal::Resources).code());
                }
                put_counted(octets, sorting);
            }
            Self::End { .. }
            | Self::Ended { .. }
            | Self::QueryFields { .. }
            | Self::Editing { .. }
            | Self::DeleteList { .. }
            | Self::ListDeleted { .. } => {}
            Self::Fields { editable, fixed, .. } => {
                put_counted(octets, editable);
                put_counted(octets, fixed);
            }
            Self::Read { start, backward, count, mark, fields, .. } => {
                put_extended_number(octets, *start);
                octets.put_u8(if *backward { BACKWARD } else { 0 } | count & 0x7f);
                octets.put_u8(*mark);
                octets.put_slice(fields);
            }
            Self::Reading { start, count, .. } | Self::Searching { start, count, .. } => {
                put_extended_number(octets, *start);
                octets.put_u8(count & 0x7f);
            }
            Self::Edit { entry, fields, .. } => {
                put_extended_number(octets, *entry);
                octets.put_slice(fields);
            }
            Self::Save { entry, .. } | Self::DeleteEntry { entry, .. } => put_extended_number(octets, *entry),
            Self::Saved { entry, position, total, .. } => {
                for number in [entry, position, total] {
                    put_extended_number(octets, *number);
                }
            }
            Self::EntryDeleted { total, .. } => put_extended_number(octets, *total),
            Self::Search { mode, case_sensitive, text, count, mark, fields, .. } => {
                octets.put_u8(mode.code());
                octets.put_u8(u8::from(*case_sensitive));
                put_counted(octets, text);
                octets.put_u8(count & 0x7f);
                octets.put_u8(*mark);
                octets.put_slice(fields);
            }
            Self::Refused { refusal, .. } => octets.put_u8(refusal.code()),
            Self::Data { octets: data, .. } | Self::LastData { octets: data, .. } => octets.put_slice(data),
        }
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Start { .. } => 0x00,
            Self::Started { .. } => 0x01,
            Self::End { .. } => 0x02,
            Self::Ended { .. } => 0x03,
            Self::QueryFields { .. } => 0x04,
            Self::Fields { .. } => 0x05,
            Self::Read { .. } => 0x06,
            Self::Reading { .. } => 0x07,
            Self::Edit { .. } => 0x08,
            Self::Editing { .. } => 0x09,
            Self::Save { .. } => 0x0a,
            Self::Saved { .. } => 0x0b,
            Self::DeleteEntry { .. } => 0x0c,
            Self::EntryDeleted { .. } => 0x0d,
            Self::DeleteList { .. } => 0x0e,
            Self::ListDeleted { .. } => 0x0f,
            Self::Search { .. } => 0x10,
            Self::Searching { .. } => 0x11,
            Self::Refused { .. } => 0x12,
            Self::Data { .. } => 0x13,
            Self::LastData { .. } => 0x14,
        }
    }

    /// The session it belongs to; none when it opens one.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub const fn session(&self) -> Option<u32> {
        match self {
            Self::Start { .. } | Self::Started { .. } => None,
            Self::End { session }
            | Self::Ended { session }
            | Self::QueryFields { session }
            | Self::Fields { session, .. }
            | Self::Read { session, .. }
            | Self::Reading { session, .. }
            | Self::Edit { session, .. }
            | Self::Editing { session }
            | Self::Save { session, .. }
            | Self::Saved { session, .. }
            | Self::DeleteEntry { session, .. }
            | Self::EntryDeleted { session, .. }
            | Self::DeleteList { session }
            | Self::ListDeleted { session }
            | Self::Search { session, .. }
            | Self::Searching { session, .. }
            | Self::Refused { session, .. }
            | Self::Data { session, .. }
            | Self::LastData { session, .. } => Some(*session),
        }
    }
}

fn counted(reader: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
    let count = usize::from(reader.octet()?);
    reader.octets(count).map(<[u8]>::to_vec)
}

fn put_counted(octets: &mut BytesMut, list: &[u8]) {
    let list = list.get(..255).unwrap_or(list);
    octets.put_u8(list.len() as u8);
    octets.put_slice(list);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_as_it_is_written() {
        let session = 130;
        let fields = || vec![1, 2];
        let all = [
            Command::Start { list: 5, sorting: vec![1] },
            Command::Started {
                list: 5,
                session,
                entries: 300,
                manufacturer: Some(2),
                refusal: None,
                sorting: vec![1],
            },
            Command::Started {
                list: 5,
                session: 0,
                entries: 0,
                manufacturer: None,
                refusal: Some(StartRefusal::InUse),
                sorting: vec![],
            },
            Command::End { session },
            Command::Ended { session },
            Command::QueryFields { session },
            Command::Fields { session, editable: fields(), fixed: vec![9] },
            Command::Read { session, start: 1, backward: true, count: 9, mark: 0x7f, fields: fields() },
            Command::Reading { session, start: 1, count: 9 },
            Command::Edit { session, entry: 500, fields: fields() },
            Command::Editing { session },
            Command::Save { session, entry: 0 },
            Command::Saved { session, entry: 7, position: 1, total: 200 },
            Command::DeleteEntry { session, entry: 7 },
            Command::EntryDeleted { session, total: 3 },
            Command::DeleteList { session },
            Command::ListDeleted { session },
            Command::Search {
                session,
                mode: SearchMode::Next,
                case_sensitive: true,
                text: b"Ada".to_vec(),
                count: 4,
                mark: 0,
                fields: fields(),
            },
            Command::Searching { session, start: 2, count: 4 },
            Command::Refused { session, refusal: Refusal::Full },
            Command::Data { session, octets: fields() },
            Command::LastData { session, octets: vec![] },
        ];
        for command in all {
            let mut octets = BytesMut::new();
            command.emit(&mut octets);
            assert_eq!(Command::parse(&octets), Ok(command));
        }
        assert!(Command::parse(&[0x55, 0x81]).is_err());
        assert!(Command::parse(&[]).is_err());
    }
}
