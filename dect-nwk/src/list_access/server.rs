//! Answers to list access, from lists which the owner keeps filled.

use bytes::BytesMut;
use std::collections::{BTreeMap, VecDeque};

use super::command::{Command, Refusal, SearchMode, StartRefusal};
use super::entry::{Entry, Field, parse_entries};
use super::lists;

/// The octets of entries in one data packet, so that IWU-INFO needs no segmentation.
const PACKET: usize = 50;
/// The sessions of one portable part.
const SESSIONS: usize = 4;
/// The most octets an entry that is saved may have.
const LONGEST: usize = 1024;

/// One list of a fixed part.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its entries in the order in which they are read.
    pub entries: Vec<Entry>,
    /// Fields a portable part may change.
    pub editable: Vec<u8>,
    /// Fields it may only read.
    pub fixed: Vec<u8>,
    /// Entries may be deleted.
    pub deletable: bool,
    /// The most entries there may be.
    pub capacity: usize,
    /// The field by which it is searched, and sorted when an entry is saved.
    pub sorted_by: Option<u8>,
}

impl List {
    /// A list that can only be read, and whose entries can be deleted: missed calls.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub const fn of_calls(fixed: Vec<u8>) -> Self {
        Self {
            entries: Vec::new(),
            editable: Vec::new(),
            fixed,
            deletable: true,
            capacity: 100,
            sorted_by: None,
        }
    }

    /// A list that can be changed: contacts, names, settings.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub const fn editable(editable: Vec<u8>, sorted_by: u8) -> Self {
        Self {
            entries: Vec::new(),
            editable,
            fixed: Vec::new(),
            deletable: true,
            capacity: 250,
            sorted_by: Some(sorted_by),
        }
    }

    fn place(&self, entry: u32) -> Option<usize> {
        self.entries.iter().position(|known| known.identifier == entry)
    }

    fn key<'a>(&self, entry: &'a Entry) -> &'a [u8] {
        let field = self.sorted_by.and_then(|field| entry.field(field)).or_else(|| entry.fields.first());
        field.map_or(&[], |field| &field.value)
    }
}

/// What a portable part did to a list.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It saved an entry.
    Saved {
        /// The list.
        list: u8,
        /// The entry as it is now.
        entry: Entry,
    },
    /// It deleted an entry.
    Deleted {
        /// The list.
        list: u8,
        /// The entry's number.
        entry: u32,
    },
    /// It deleted all entries.
    Emptied {
        /// The list.
        list: u8,
    },
    /// It read entries and reset their mark "new".
    Read {
        /// The list.
        list: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    list: u8,
    saving: Option<(u32, Vec<u8>)>,
}

/// The lists of one fixed part as one portable part sees them.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListServer {
    lists: BTreeMap<u8, List>,
    sessions: BTreeMap<u32, Session>,
    last_session: u32,
    changes: VecDeque<Change>,
}

impl ListServer {
    /// Offers a list, or replaces what it holds.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn set(&mut self, list: u8, contents: List) {
        self.lists.insert(list, contents);
    }

    /// What a list holds now.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn list(&self, list: u8) -> Option<&List> {
        self.lists.get(&list)
    }

    /// The next thing the portable part changed.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// How many sessions are open.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The call is over, and with it every session.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn close(&mut self) {
        self.sessions.clear();
    }

    /// Answers a command; an answer of a server is not answered.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn handle(&mut self, command: Command) -> Vec<Command> {
        match command {
            Command::Start { list, sorting } => vec![self.start(list, sorting)],
            Command::End { session } => match self.sessions.remove(&session) {
                Some(_) => vec![Command::Ended { session }],
                None => refused(session, Refusal::NoSession),
            },
            Command::QueryFields { session } => self.with(session, |list, _| {
                let (editable, fixed) = (list.editable.clone(), list.fixed.clone());
                vec![Command::Fields { session, editable, fixed }]
            }),
            Command::Read { session, start, backward, count, mark, fields } => {
                self.read(session, start, backward, count, mark, &fields)
            }
            Command::Edit { session, entry, fields } => self.with(session, |list, _| {
                if list.editable.is_empty() {
                    return refused(session, Refusal::NotAllowed);
                }
                let Some(entry) = list.place(entry).and_then(|place| list.entries.get(place)) else {
                    return refused(session, Refusal::NoEntry);
                };
                let mut answers = vec![Command::Editing { session }];
                answers.extend(packets(session, std::slice::from_ref(entry), &fields));
                answers
            }),
            Command::Save { session, entry } => self.with(session, |list, state| {
                if list.editable.is_empty() {
                    return refused(session, Refusal::NotAllowed);
                }
                if entry != 0 && list.place(entry).is_none() {
                    return refused(session, Refusal::NoEntry);
                }
                if entry == 0 && list.entries.len() >= list.capacity {
                    return refused(session, Refusal::Full);
                }
                state.saving = Some((entry, Vec::new()));
                Vec::new()
            }),
            Command::Data { session, octets } => self.data(session, &octets, false),
            Command::LastData { session, octets } => self.data(session, &octets, true),
            Command::DeleteEntry { session, entry } => self.delete(session, entry),
            Command::DeleteList { session } => self.empty(session),
            Command::Search { session, mode, case_sensitive, text, count, mark, fields } => {
                match self.search(session, mode, case_sensitive, &text) {
                    Err(refusal) => refused(session, refusal),
                    Ok(None) => vec![Command::Searching { session, start: 0, count: 0 }],
                    Ok(Some(start)) => {
                        let mut answers = self.read(session, start, false, count, mark, &fields);
                        if let Some(Command::Reading { session, start, count }) = answers.first().cloned() {
                            answers[0] = Command::Searching { session, start, count };
                        }
                        answers
                    }
                }
            }
            Command::Started { .. }
            | Command::Ended { .. }
            | Command::Fields { .. }
            | Command::Reading { .. }
            | Command::Editing { .. }
            | Command::Saved { .. }
            | Command::EntryDeleted { .. }
            | Command::ListDeleted { .. }
            | Command::Searching { .. }
            | Command::Refused { .. } => Vec::new(),
        }
    }

    fn start(&mut self, list: u8, sorting: Vec<u8>) -> Command {
        let no = |refusal| Command::Started {
            list,
            session: 0,
            entries: 0,
            manufacturer: None,
            refusal: Some(refusal),
            sorting: Vec::new(),
        };
        if self.sessions.len() >= SESSIONS {
            return no(StartRefusal::TooManySessions);
        }
        let entries = match self.lists.get(&list) {
            Some(known) => known.entries.len(),
            None if list == lists::SUPPORTED => self.lists.len(),
            None => return no(StartRefusal::Unsupported),
        };
        self.last_session = self.last_session % 127 + 1;
        let session = self.last_session;
        self.sessions.insert(session, Session { list, saving: None });
        Command::Started {
            list,
            session,
            entries: entries as u32,
            manufacturer: None,
            refusal: None,
            sorting,
        }
    }

    fn with(
        &mut self,
        session: u32,
        act: impl FnOnce(&mut List, &mut Session) -> Vec<Command>,
    ) -> Vec<Command> {
        let Some(state) = self.sessions.get_mut(&session) else {
            return refused(session, Refusal::NoSession);
        };
        if let Some(list) = self.lists.get_mut(&state.list) {
            return act(list, state);
        }
        // The list of lists is made when it is asked for.
        let entry = |(identifier, list): (u32, &u8)| Entry {
            identifier,
            fields: vec![Field { identifier: 1, attributes: 0, value: vec![*list] }],
        };
        let entries = (1..).zip(self.lists.keys()).map(entry).collect();
        act(&mut List { entries, deletable: false, ..List::of_calls(vec![1]) }, state)
    }

    fn read(
        &mut self,
        session: u32,
        start: u32,
        backward: bool,
        count: u8,
        mark: u8,
        fields: &[u8],
    ) -> Vec<Command> {
        let mut touched = false;
        let answers = self.with(session, |list, _| {
            let total = list.entries.len();
            let first = if start == 0 { total } else { start as usize };
            if first == 0 || first > total {
                return refused(session, if total == 0 { Refusal::NoEntry } else { Refusal::StartIndex });
            }
            let wanted = usize::from(count).max(1);
            let range = if backward {
                first.saturating_sub(wanted)..first
            } else {
                first - 1..(first - 1 + wanted).min(total)
            };
            let Some(chosen) = list.entries.get_mut(range) else { return refused(session, Refusal::Range) };
            let begin = Command::Reading { session, start: first as u32, count: chosen.len().min(127) as u8 };
            let mut ordered = chosen.to_vec();
            if backward {
                ordered.reverse();
            }
            if mark != LEAVE {
                for field in chosen.iter_mut().flat_map(|entry| &mut entry.fields) {
                    let marked = if mark == SET { field.attributes | NEW } else { field.attributes & !NEW };
                    touched |= marked != field.attributes;
                    field.attributes = marked;
                }
            }
            let mut answers = vec![begin];
            answers.extend(packets(session, &ordered, fields));
            answers
        });
        if touched && let Some(list) = self.sessions.get(&session).map(|state| state.list) {
            self.changes.push_back(Change::Read { list });
        }
        answers
    }

    fn data(&mut self, session: u32, octets: &[u8], last: bool) -> Vec<Command> {
        let mut change = None;
        let answers = self.with(session, |list, state| {
            let Some((_, kept)) = &mut state.saving else { return refused(session, Refusal::Unsupported) };
            if kept.len() + octets.len() > LONGEST {
                state.saving = None;
                return refused(session, Refusal::Contents);
            }
            kept.extend_from_slice(octets);
            if !last {
                return Vec::new();
            }
            let Some((number, kept)) = state.saving.take() else { return Vec::new() };
            let Some(new) = parse_entries(&kept).ok().and_then(|entries| entries.into_iter().next()) else {
                return refused(session, Refusal::Format);
            };
            if new.fields.iter().any(|field| !list.editable.contains(&field.identifier)) {
                return refused(session, Refusal::Contents);
            }
            let entry = save(list, number, new);
            let position = list.place(entry.identifier).map_or(0, |place| place as u32 + 1);
            let (number, total) = (entry.identifier, list.entries.len() as u32);
            change = Some(Change::Saved { list: state.list, entry });
            vec![Command::Saved { session, entry: number, position, total }]
        });
        self.changes.extend(change);
        answers
    }

    fn delete(&mut self, session: u32, entry: u32) -> Vec<Command> {
        let mut change = None;
        let answers = self.with(session, |list, state| {
            if !list.deletable {
                return refused(session, Refusal::NotAllowed);
            }
            let Some(place) = list.place(entry) else { return refused(session, Refusal::NoEntry) };
            list.entries.remove(place);
            change = Some(Change::Deleted { list: state.list, entry });
            vec![Command::EntryDeleted { session, total: list.entries.len() as u32 }]
        });
        self.changes.extend(change);
        answers
    }

    fn empty(&mut self, session: u32) -> Vec<Command> {
        let mut change = None;
        let answers = self.with(session, |list, state| {
            if !list.deletable {
                return refused(session, Refusal::NotAllowed);
            }
            list.entries.clear();
            change = Some(Change::Emptied { list: state.list });
            vec![Command::ListDeleted { session }]
        });
        self.changes.extend(change);
        answers
    }

    /// The place from which entries are read, counted from 1.
    fn search(
        &self,
        session: u32,
        mode: SearchMode,
        case_sensitive: bool,
        text: &[u8],
    ) -> Result<Option<u32>, Refusal> {
        let list = self
            .sessions
            .get(&session)
            .and_then(|state| self.lists.get(&state.list))
            .ok_or(Refusal::NoSession)?;
        let fold = |octets: &[u8]| if case_sensitive { octets.to_vec() } else { octets.to_ascii_lowercase() };
        let wanted = fold(text);
        let keys: Vec<Vec<u8>> = list.entries.iter().map(|entry| fold(list.key(entry))).collect();
        let place = |index: usize| Some(index as u32 + 1);
        if let Some(exact) = keys.iter().position(|key| key.starts_with(&wanted)) {
            return Ok(place(exact));
        }
        let next = keys.iter().position(|key| *key > wanted);
        Ok(match mode {
            SearchMode::Exact | SearchMode::Reserved(_) => None,
            SearchMode::Next => next.and_then(place),
            SearchMode::Previous => next.unwrap_or(keys.len()).checked_sub(1).and_then(place),
        })
    }
}

/// The mark of entries nobody has seen.
const NEW: u8 = 0x20;
const LEAVE: u8 = 0x7f;
const SET: u8 = 0xff;

fn refused(session: u32, refusal: Refusal) -> Vec<Command> {
    vec![Command::Refused { session, refusal }]
}

/// Keeps an entry in its place and gives it back as it is now.
fn save(list: &mut List, number: u32, new: Entry) -> Entry {
    let mut entry = match list.place(number) {
        Some(place) => list.entries.remove(place),
        None => Entry {
            identifier: list.entries.iter().map(|entry| entry.identifier).max().unwrap_or(0) + 1,
            fields: Vec::new(),
        },
    };
    for field in new.fields {
        match entry.fields.iter_mut().find(|known| known.identifier == field.identifier) {
            Some(known) => *known = field,
            None => entry.fields.push(field),
        }
    }
    let place = match list.sorted_by {
        Some(_) => {
            let key = list.key(&entry).to_ascii_lowercase();
            list.entries.iter().position(|known| list.key(known).to_ascii_lowercase() > key)
        }
        None => None,
    };
    list.entries.insert(place.unwrap_or(list.entries.len()), entry.clone());
    entry
}

/// Entries cut into data packets.
fn packets(session: u32, entries: &[Entry], fields: &[u8]) -> Vec<Command> {
    let mut octets = BytesMut::new();
    for entry in entries {
        entry.emit(fields, &mut octets);
    }
    let mut pieces: Vec<Command> =
        octets.chunks(PACKET).map(|piece| Command::Data { session, octets: piece.to_vec() }).collect();
    let last = match pieces.pop() {
        Some(Command::Data { octets, .. }) => octets,
        Some(_) | None => Vec::new(),
    };
    pieces.push(Command::LastData { session, octets: last });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts() -> ListServer {
        let mut server = ListServer::default();
        let mut list = List::editable(vec![1, 2, 3], 1);
        list.capacity = 4;
        for (identifier, name) in (1..).zip(["Ada", "Grace", "Hedy"]) {
            list.entries
                .push(Entry { identifier, fields: vec![Field::text(1, name), Field::text(3, "2001")] });
        }
        server.set(lists::CONTACTS, list);
        let mut missed = List::of_calls(vec![1, 2]);
        let new = Field { attributes: 0x20, ..Field::text(1, "2001") };
        missed.entries.push(Entry { identifier: 1, fields: vec![new] });
        server.set(lists::MISSED_CALLS, missed);
        server
    }

    fn open(server: &mut ListServer, list: u8) -> u32 {
        match server.handle(Command::Start { list, sorting: vec![] })[..] {
            [Command::Started { session, refusal: None, .. }] => session,
            ref other => panic!("{other:?}"),
        }
    }

    fn entries(answers: &[Command]) -> Vec<Entry> {
        let octets: Vec<u8> = answers
            .iter()
            .flat_map(|answer| match answer {
                Command::Data { octets, .. } | Command::LastData { octets, .. } => octets.clone(),
                _ => Vec::new(),
            })
            .collect();
        assert!(matches!(answers.last(), Some(Command::LastData { .. })));
        parse_entries(&octets).unwrap()
    }

    fn read(session: u32, start: u32, backward: bool, count: u8) -> Command {
        Command::Read { session, start, backward, count, mark: LEAVE, fields: vec![] }
    }

    #[test]
    fn entries_are_read_in_both_directions_in_packets_that_need_no_segments() {
        let mut server = contacts();
        let session = open(&mut server, lists::CONTACTS);
        let answers = server.handle(read(session, 1, false, 10));
        assert_eq!(answers[0], Command::Reading { session, start: 1, count: 3 });
        assert!(answers.len() > 1);
        for answer in &answers {
            let mut octets = BytesMut::new();
            answer.emit(&mut octets);
            assert!(octets.len() <= 54);
        }
        assert_eq!(entries(&answers).len(), 3);
        let last = entries(&server.handle(read(session, 0, true, 1)));
        assert_eq!(last[0].field(1).unwrap().value, b"Hedy");
        assert_eq!(server.handle(read(session, 9, false, 1)), refused(session, Refusal::StartIndex));
        assert_eq!(server.handle(read(77, 1, false, 1)), refused(77, Refusal::NoSession));
    }

    #[test]
    fn an_entry_is_saved_in_its_place_and_the_owner_learns_of_it() {
        let mut server = contacts();
        let session = open(&mut server, lists::CONTACTS);
        assert_eq!(server.handle(Command::Save { session, entry: 0 }), []);
        let mut octets = BytesMut::new();
        Entry { identifier: 0, fields: vec![Field::text(1, "Barbara"), Field::text(3, "7")] }
            .emit(&[], &mut octets);
        let (first, second) = octets.split_at(4);
        assert_eq!(server.handle(Command::Data { session, octets: first.to_vec() }), []);
        let answer = server.handle(Command::LastData { session, octets: second.to_vec() });
        assert_eq!(answer, [Command::Saved { session, entry: 4, position: 2, total: 4 }]);
        assert!(matches!(server.poll_change(), Some(Change::Saved { list: 5, .. })));
        assert_eq!(server.handle(Command::Save { session, entry: 0 }), refused(session, Refusal::Full));
        let edit = server.handle(Command::Edit { session, entry: 4, fields: vec![3] });
        assert_eq!((edit[0].clone(), entries(&edit)[0].fields.len()), (Command::Editing { session }, 1));
    }

    #[test]
    fn what_is_not_allowed_or_wrong_is_refused_by_name() {
        let mut server = contacts();
        let session = open(&mut server, lists::MISSED_CALLS);
        assert_eq!(server.handle(Command::Save { session, entry: 0 }), refused(session, Refusal::NotAllowed));
        let octets = vec![1];
        assert_eq!(
            server.handle(Command::LastData { session, octets: octets.clone() }),
            refused(session, Refusal::Unsupported)
        );
        let contacts = open(&mut server, lists::CONTACTS);
        server.handle(Command::Save { session: contacts, entry: 1 });
        assert_eq!(
            server.handle(Command::LastData { session: contacts, octets }),
            refused(contacts, Refusal::Format)
        );
        assert_eq!(
            server.handle(Command::DeleteEntry { session, entry: 9 }),
            refused(session, Refusal::NoEntry)
        );
        let unknown = server.handle(Command::Start { list: 0x40, sorting: vec![] });
        assert!(matches!(
            unknown[..],
            [Command::Started { session: 0, refusal: Some(StartRefusal::Unsupported), .. }]
        ));
        for _ in 0..2 {
            open(&mut server, lists::SUPPORTED);
        }
        let full = server.handle(Command::Start { list: lists::CONTACTS, sorting: vec![] });
        assert!(matches!(full[..], [Command::Started { refusal: Some(StartRefusal::TooManySessions), .. }]));
    }

    #[test]
    fn reading_resets_the_mark_and_deleting_empties() {
        let mut server = contacts();
        let session = open(&mut server, lists::MISSED_CALLS);
        let answers = server.handle(Command::Read {
            session,
            start: 1,
            backward: false,
            count: 1,
            mark: 0,
            fields: vec![],
        });
        assert_eq!(entries(&answers)[0].fields[0].attributes, 0x20, "as it was");
        assert_eq!(server.list(lists::MISSED_CALLS).unwrap().entries[0].fields[0].attributes, 0);
        assert_eq!(server.poll_change(), Some(Change::Read { list: lists::MISSED_CALLS }));
        let answer = server.handle(Command::DeleteEntry { session, entry: 1 });
        assert_eq!(answer, [Command::EntryDeleted { session, total: 0 }]);
        assert_eq!(server.handle(Command::DeleteList { session }), [Command::ListDeleted { session }]);
        assert_eq!(server.handle(Command::End { session }), [Command::Ended { session }]);
        assert_eq!(server.sessions(), 0);
    }

    #[test]
    fn a_search_finds_the_exact_the_next_or_the_previous_entry() {
        let mut server = contacts();
        let session = open(&mut server, lists::CONTACTS);
        let mut search = |mode, text: &[u8]| {
            let fields = vec![1];
            let (case_sensitive, text) = (false, text.to_vec());
            match server.handle(Command::Search {
                session,
                mode,
                case_sensitive,
                text,
                count: 1,
                mark: LEAVE,
                fields,
            })[0]
            {
                Command::Searching { start, .. } => start,
                ref other => panic!("{other:?}"),
            }
        };
        assert_eq!(search(SearchMode::Exact, b"gra"), 2);
        assert_eq!(search(SearchMode::Exact, b"b"), 0);
        assert_eq!(search(SearchMode::Next, b"b"), 2);
        assert_eq!(search(SearchMode::Previous, b"b"), 1);
        assert_eq!(search(SearchMode::Next, b"z"), 0);
        assert_eq!(search(SearchMode::Previous, b"z"), 3);
    }
}
