//! Entries of a list and their fields.

use bytes::{BufMut as _, BytesMut};

use crate::coding::{Reader, put_extended_number};
use crate::error::{Error, Rule};

/// One field of an entry.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which field of the list it is.
    pub identifier: u8,
    /// Its attributes (seven bits): 40 editable, 20 new, the others by field.
    pub attributes: u8,
    /// Its value: UTF-8, digits, or the contents of an information element.
    pub value: Vec<u8>,
}

impl Field {
    /// A field that holds a text.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn text(identifier: u8, text: &str) -> Self {
        Self { identifier, attributes: 0, value: text.as_bytes().to_vec() }
    }
}

/// One entry of a list.
///
/// EN 300 175-5 7.7.23 (list access)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its number, which it keeps as long as it lives; 0 asks for a new one.
    pub identifier: u32,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// The most entries that are read from one string of octets.
const MOST: usize = 1024;

impl Entry {
    /// The field with this identifier.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn field(&self, identifier: u8) -> Option<&Field> {
        self.fields.iter().find(|field| field.identifier == identifier)
    }

    /// Appends the entry with those of its fields that `wanted` names; none named means all.
    ///
    /// EN 300 175-5 7.7.23 (list access)
    pub fn emit(&self, wanted: &[u8], octets: &mut BytesMut) {
        let mut fields = BytesMut::new();
        let all = wanted.is_empty() || wanted.contains(&0);
        for field in self.fields.iter().filter(|field| all || wanted.contains(&field.identifier)) {
            fields.put_u8(field.identifier);
            put_extended_number(&mut fields, field.value.len() as u32 + 1);
            fields.put_u8(0x80 | field.attributes);
            fields.put_slice(&field.value);
        }
        put_extended_number(octets, self.identifier);
        put_extended_number(octets, fields.len() as u32);
        octets.put_slice(&fields);
    }
}

/// Reads entries as data packets carry them, put together.
///
/// EN 300 175-5 7.7.23 (list access)
pub fn parse_entries(octets: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut reader = Reader::new(octets);
    let mut entries = Vec::new();
    while !reader.is_empty() {
        if entries.len() == MOST {
            return Err(reader.broken(Rule::TooLong));
        }
        let identifier = reader.extended_number()?;
        let length = reader.extended_number()? as usize;
        let start = reader.at();
        let mut inner = Reader::new(reader.octets(length)?);
        let mut fields = Vec::new();
        while !inner.is_empty() {
            let identifier = inner.octet().map_err(|error| error.behind(start))?;
            let length = inner.extended_number().map_err(|error| error.behind(start))? as usize;
            let contents = inner.octets(length).map_err(|error| error.behind(start))?;
            let (attributes, value) =
                contents.split_first().map_or((0, &[][..]), |(first, rest)| (first & 0x7f, rest));
            fields.push(Field { identifier, attributes, value: value.to_vec() });
        }
        entries.push(Entry { identifier, fields });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_written_and_only_the_wanted_fields_are() {
        let entry = Entry {
            identifier: 200,
            fields: vec![Field::text(1, "Ada"), Field { attributes: 0x20, ..Field::text(3, "2001") }],
        };
        let mut octets = BytesMut::new();
        entry.emit(&[], &mut octets);
        assert_eq!(octets[..], *b"\x01\xc8\x8d\x01\x84\x80Ada\x03\x85\xa02001");
        assert_eq!(parse_entries(&octets), Ok(vec![entry.clone()]));
        octets.clear();
        entry.emit(&[3], &mut octets);
        assert_eq!(parse_entries(&octets).unwrap()[0].fields.len(), 1);
        assert!(parse_entries(&octets[..octets.len() - 1]).is_err());
    }
}
