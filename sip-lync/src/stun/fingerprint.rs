//! FINGERPRINT: a CRC over the message, with the table of the standard and the one with an error in it.

use super::dialect::Dialect;
use super::message::Message;
use crate::error::Refusal;
use crate::simd;

/// Which table computes a FINGERPRINT.
///
/// RFC 8489 14.7, MS-ICE2 3.1.4.8.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// The table of the standard.
    Correct,
    /// The table of older implementations, wrong in the entry at 90.
    Legacy,
}

/// What the FINGERPRINT of a message says.
///
/// RFC 8489 14.7, MS-ICE2 3.1.4.8.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fingerprint {
    /// There is none.
    Absent,
    /// It is right.
    Correct,
    /// It is what the table with the error gives.
    Legacy,
    /// It is wrong.
    Wrong,
}

/// XORed to the CRC. RFC 8489 14.7
const MASK: u32 = 0x5354_554e;

/// ITU-T V.42, reflected.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The entry in which the legacy table differs, and its value there. MS-ICE2 3.1.4.8.2
const LEGACY_ENTRY: (usize, u32) = (90, 0x08bb_e8ea);

/// How many octets one step of the fast form takes.
const STEP: usize = 16;

/// `TABLES[k][b]` is the CRC of octet `b` followed by `k` zeros.
const TABLES: [[u32; 256]; STEP] = {
    let mut tables = [[0_u32; 256]; STEP];
    let mut octet = 0;
    while octet < 256 {
        let mut value = octet as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][octet] = value;
        octet += 1;
    }
    let mut step = 1;
    while step < STEP {
        let mut octet = 0;
        while octet < 256 {
            let before = tables[step - 1][octet];
            tables[step][octet] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            octet += 1;
        }
        step += 1;
    }
    tables
};

const LEGACY_TABLE: [u32; 256] = {
    let mut table = TABLES[0];
    table[LEGACY_ENTRY.0] = LEGACY_ENTRY.1;
    table
};

/// The value of FINGERPRINT for a message, of which `text` is all before the attribute.
pub(super) fn value(text: &[u8], table: Table) -> u32 {
    let crc = match table {
        Table::Correct => simd::Sum::of(text).map_or_else(|| crc_by_sixteen(text), simd::Sum::register),
        Table::Legacy => crc_by_one(text, !0, &LEGACY_TABLE),
    };
    !crc ^ MASK
}

/// The CRC of a message up to its MESSAGE-INTEGRITY, while that is still being made.
pub(super) struct Crc(simd::Sum);

impl Crc {
    /// `None` where the table is the way.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        simd::Sum::of(text).map(Self)
    }

    /// The value of FINGERPRINT behind a MESSAGE-INTEGRITY with this tag.
    #[inline]
    pub(super) fn behind_integrity(self, tag: [u32; 5]) -> u32 {
        let [first, second, third, fourth, fifth] = tag.map(|word| u64::from(word.swap_bytes()));
        // The head of the attribute, read from the lowest octet on, is the first word.
        let words = [0x1400_0800 | first << 32, second | third << 32, fourth | fifth << 32];
        !self.0.behind(words) ^ MASK
    }
}

#[inline]
fn crc_by_one(text: &[u8], crc: u32, table: &[u32; 256]) -> u32 {
    text.iter().fold(crc, |crc, octet| (crc >> 8) ^ table[usize::from(crc as u8 ^ octet)])
}

#[inline]
fn crc_by_sixteen(text: &[u8]) -> u32 {
    let mut crc = !0_u32;
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        let (first, others) = step.split_at(4);
        let (tables, ahead) = TABLES.split_at(STEP - 4);
        // What does not depend on the step before is summed up while that is still under way.
        let others = others.iter().zip(tables.iter().rev());
        crc =
            four(first, crc, ahead) ^ others.fold(0, |sum, (octet, table)| sum ^ table[usize::from(*octet)]);
    }
    let (fours, rest) = rest.as_chunks::<4>();
    for octets in fours {
        crc = four(octets, crc, &TABLES[..4]);
    }
    crc_by_one(rest, crc, &TABLES[0])
}

/// Four octets at once, with their tables.
#[inline]
fn four(octets: &[u8], crc: u32, tables: &[[u32; 256]]) -> u32 {
    octets
        .iter()
        .zip(crc.to_le_bytes())
        .zip(tables.iter().rev())
        .fold(0, |sum, ((octet, earlier), table)| sum ^ table[usize::from(octet ^ earlier)])
}

/// Rewrites the FINGERPRINT at the end of a message we wrote with the legacy table: the second copy that is sent until
/// the peer is known.
///
/// MS-ICE2 3.1.4.8.2
pub fn with_legacy_fingerprint(octets: &mut [u8]) -> Result<(), Refusal> {
    let refused = Refusal::NoFingerprint;
    let at = octets.len().checked_sub(8).ok_or(refused)?;
    let (text, attribute) = octets.split_at_mut_checked(at).ok_or(refused)?;
    match attribute {
        [0x80, 0x28, 0, 4, last @ ..] if last.len() == 4 => {
            last.copy_from_slice(&value(text, Table::Legacy).to_be_bytes());
            Ok(())
        }
        _ => Err(refused),
    }
}

impl Message<'_> {
    /// What the FINGERPRINT says; the legacy table is tried when the standard's does not fit.
    ///
    /// RFC 8489 14.7, MS-ICE2 3.1.4.8.2
    #[inline]
    pub fn fingerprint(&self) -> Fingerprint {
        let Some((text, found)) = self.fingerprint_parts() else { return Fingerprint::Absent };
        if value(text, Table::Correct) == found {
            Fingerprint::Correct
        } else if value(text, Table::Legacy) == found {
            Fingerprint::Legacy
        } else {
            Fingerprint::Wrong
        }
    }

    /// Whether a receiver of connectivity checks may go on: the FINGERPRINT is right, or legacy and from a peer that has
    /// not told its version, or absent where the dialect has none.
    ///
    /// RFC 8445 7.1.4, MS-ICE2 3.1.4.8.2
    #[inline]
    pub fn fingerprint_holds(&self) -> bool {
        match (self.fingerprint(), self.dialect()) {
            (Fingerprint::Correct, _) => true,
            (Fingerprint::Legacy, Dialect::MsIce2) => self.implementation_version().is_none(),
            (Fingerprint::Absent, dialect) => !dialect.has_cookie(),
            (Fingerprint::Legacy | Fingerprint::Wrong, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_the_entries_of_the_documents() {
        assert_eq!(TABLES[0][1], 0x7707_3096);
        assert_eq!(TABLES[0][90], 0x8bbe_b8ea);
        assert_eq!(LEGACY_TABLE[90], 0x08bb_e8ea);
        let differing = TABLES[0].iter().zip(LEGACY_TABLE).filter(|(left, right)| *left != right).count();
        assert_eq!(differing, 1);
        // The check value of the CRC catalogue.
        assert_eq!(!crc_by_sixteen(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_fast_forms_equal_the_plain_one_at_every_length() {
        let text: Vec<u8> = (0..700_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut multiplied = 0;
        for length in 0..=text.len() {
            let plain = crc_by_one(&text[..length], !0, &TABLES[0]);
            assert_eq!(crc_by_sixteen(&text[..length]), plain, "{length} octets");
            if let Some(sum) = simd::Sum::of(&text[..length]) {
                assert_eq!(sum.register(), plain, "{length} octets");
                let words = [0, 8, 16].map(|at| u64::from_le_bytes(*text[at..].first_chunk().unwrap()));
                assert_eq!(sum.behind(words), crc_by_one(&text[..24], plain, &TABLES[0]), "{length} octets");
                multiplied += 1;
            }
        }
        // Of the lengths of messages, which are whole words, no processor leaves out some only.
        assert!(multiplied == 0 || multiplied > 500, "{multiplied}");
    }
}
