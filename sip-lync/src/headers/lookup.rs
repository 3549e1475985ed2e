//! Finds the number of a name by its length, its first eight bytes and its last one.

use super::name::{FORMS, UNKNOWN};

/// One form of a name and the colon behind it as words, so that it is compared without a loop over its bytes.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Form {
    words: [u64; 4],
    /// The bits that count: all bits of the bytes but the one that is the case of a letter.
    care: [u64; 4],
}

/// Longest name that is known.
const LONGEST: usize = 31;

const fn form(text: &[u8]) -> Form {
    assert!(text.len() <= LONGEST && !text.is_empty());
    let mut form = Form { words: [0; 4], care: [0; 4] };
    let mut i = 0;
    while i <= text.len() {
        let byte = if i < text.len() { text[i] } else { b':' };
        let bits = if byte.is_ascii_alphabetic() { 0xdf } else { 0xff };
        form.words[i / 8] |= (byte as u64) << (8 * (i % 8));
        form.care[i / 8] |= bits << (8 * (i % 8));
        i += 1;
    }
    form
}

const FORM_COUNT: usize = {
    let mut count = 0;
    let mut i = 0;
    while i < FORMS.len() {
        count += 1 + !FORMS[i].1.is_empty() as usize;
        i += 1;
    }
    count
};

/// Long and compact forms, and one that nothing equals.
static WORDS: [Form; FORM_COUNT + 1] = ALL_FORMS.0;

/// The number of the name of each form.
static NUMBERS: [u8; FORM_COUNT + 1] = ALL_FORMS.1;

/// The forms, their numbers and their lengths.
const ALL_FORMS: ([Form; FORM_COUNT + 1], [u8; FORM_COUNT + 1], [usize; FORM_COUNT]) = {
    let nothing = Form { words: [1; 4], care: [0; 4] };
    let mut forms = [nothing; FORM_COUNT + 1];
    let mut numbers = [UNKNOWN; FORM_COUNT + 1];
    let mut lengths = [0; FORM_COUNT];
    let (mut i, mut f) = (0, 0);
    while i < FORMS.len() {
        let (long, compact) = FORMS[i];
        forms[f] = form(long.as_bytes());
        numbers[f] = i as u8;
        lengths[f] = long.len();
        f += 1;
        if !compact.is_empty() {
            forms[f] = form(compact.as_bytes());
            numbers[f] = i as u8;
            lengths[f] = compact.len();
            f += 1;
        }
        i += 1;
    }
    (forms, numbers, lengths)
};

const SLOTS: usize = 2048;

/// The first eight bytes and the last one without case, and the length.
#[inline]
const fn hash(first: u64, last: u8, length: usize, factor: u64) -> usize {
    let kept = if length < 8 { (1 << (8 * length)) - 1 } else { u64::MAX };
    let word = (first | 0x2020_2020_2020_2020) & kept;
    let key = word ^ (length as u64) << 40 ^ ((last | 0x20) as u64) << 48;
    (key.wrapping_mul(factor) >> 53) as usize
}

/// The form in each slot, or the number of forms; `None` if two forms want the same slot.
const fn slots(factor: u64) -> Option<[u8; SLOTS]> {
    let mut table = [FORM_COUNT as u8; SLOTS];
    let mut f = 0;
    while f < FORM_COUNT {
        let length = ALL_FORMS.2[f];
        let words = ALL_FORMS.0[f].words;
        let last = words[(length - 1) / 8] >> (8 * ((length - 1) % 8));
        let slot = hash(words[0], last as u8, length, factor);
        if table[slot] != FORM_COUNT as u8 {
            return None;
        }
        table[slot] = f as u8;
        f += 1;
    }
    Some(table)
}

/// A factor that gives each form a slot of its own, found while compiling; the search starts with one that did.
#[allow(long_running_const_eval, reason = "a new name may need a new factor")]
const PERFECT: (u64, [u8; SLOTS]) = {
    let mut factor = 0x9e37_7a04_7f4a_7cab;
    loop {
        if let Some(table) = slots(factor) {
            break (factor, table);
        }
        factor += 0x1_0000_0002;
    }
};

static TABLE: [u8; SLOTS] = PERFECT.1;

/// The number of the name that fills the first `length` bytes of the chunk and has a colon behind it.
#[inline]
pub(crate) fn classify_chunk(chunk: &[u8; 32], length: usize) -> u8 {
    let [first, second, third, fourth] = as_words(chunk);
    let Some(&last) = chunk.get(length.wrapping_sub(1)) else { return UNKNOWN };
    let slot = hash(first, last, length, PERFECT.0);
    let form = TABLE.get(slot).map_or(FORM_COUNT, |&form| form as usize);
    let Some(Form { words: [w0, w1, w2, w3], care: [c0, c1, c2, c3] }) = WORDS.get(form) else {
        return UNKNOWN;
    };
    let differ = (first ^ w0) & c0 | (second ^ w1) & c1 | (third ^ w2) & c2 | (fourth ^ w3) & c3;
    if differ == 0 { NUMBERS.get(form).copied().unwrap_or(UNKNOWN) } else { UNKNOWN }
}

/// The number of the name that takes `length` bytes from an offset on and has a colon behind it.
#[inline]
pub(crate) fn classify_at(text: &[u8], start: usize, length: usize) -> u8 {
    let rest = text.get(start..).unwrap_or_default();
    match rest.first_chunk::<32>() {
        Some(chunk) => classify_chunk(chunk, length),
        None => classify_short(rest, length),
    }
}

/// The same near the end of the text.
#[cold]
fn classify_short(rest: &[u8], length: usize) -> u8 {
    classify_chunk(&padded(rest), length)
}

/// Fewer than thirty-two bytes, zeros behind them.
#[inline]
fn padded(rest: &[u8]) -> [u8; 32] {
    let mut chunk = [0; 32];
    for (to, from) in chunk.iter_mut().zip(rest) {
        *to = *from;
    }
    chunk
}

/// Thirty-two bytes as words.
#[inline]
pub(crate) fn as_words(chunk: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    let (eights, _) = chunk.as_chunks::<8>();
    for (word, eight) in words.iter_mut().zip(eights) {
        *word = u64::from_le_bytes(*eight);
    }
    words
}

/// The number of a name.
pub(crate) fn classify(name: &[u8]) -> u8 {
    if name.len() > LONGEST {
        return UNKNOWN;
    }
    let mut chunk = padded(name);
    if let Some(colon) = chunk.get_mut(name.len()) {
        *colon = b':';
    }
    classify_chunk(&chunk, name.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::HeaderName;

    #[test]
    fn bytes_that_differ_in_the_bit_of_case_only_are_told_apart() {
        // CR with that bit is the hyphen, a control byte with it a digit.
        assert_eq!(classify(b"Call\rID"), UNKNOWN);
        assert_eq!(classify(b"Call-ID"), HeaderName::CallId.number());
        assert_eq!(classify(b"\x36ia"), UNKNOWN);
        assert_eq!(classify(&[b'x'; 40]), UNKNOWN);
    }
}
