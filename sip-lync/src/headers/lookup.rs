//! Finds the number of a name by its length and three of its bytes, then compares it whole.

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

/// What a slot without a form holds: a form that nothing equals. Every number of eight bits has a form.
const NO_FORM: u8 = u8::MAX;

const _: () = assert!(FORM_COUNT < NO_FORM as usize, "the forms are numbered with eight bits");

/// Long and compact forms.
static WORDS: [Form; 256] = ALL_FORMS.0;

/// The number of the name of each form.
static NUMBERS: [u8; 256] = ALL_FORMS.1;

/// The forms, their numbers and their lengths.
const ALL_FORMS: ([Form; 256], [u8; 256], [usize; FORM_COUNT]) = {
    let nothing = Form { words: [1; 4], care: [u64::MAX; 4] };
    let mut forms = [nothing; 256];
    let mut numbers = [UNKNOWN; 256];
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

/// The first, the middle and the last byte without case, and the length.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
const fn hash(first: u8, middle: u8, last: u8, length: usize, factor: u32) -> usize {
    let key = first as u32 | (middle as u32) << 8 | (last as u32) << 16 | (length as u32) << 24;
    ((key | 0x0020_2020).wrapping_mul(factor) >> 21) as usize
}

/// The form in each slot; `None` if two forms want the same slot.
const fn slots(factor: u32) -> Option<[u8; SLOTS]> {
    let mut table = [NO_FORM; SLOTS];
    let mut f = 0;
    while f < FORM_COUNT {
        let length = ALL_FORMS.2[f];
        let words = ALL_FORMS.0[f].words;
        let (middle, last) = (length / 2, length - 1);
        let slot = hash(
            words[0] as u8,
            (words[middle / 8] >> (8 * (middle % 8))) as u8,
            (words[last / 8] >> (8 * (last % 8))) as u8,
            length,
            factor,
        );
        if table[slot] != NO_FORM {
            return None;
        }
        table[slot] = f as u8;
        f += 1;
    }
    Some(table)
}

/// A factor that gives each form a slot of its own, found while compiling.
#[allow(long_running_const_eval, reason = "a new name may need a new factor")]
const PERFECT: (u32, [u8; SLOTS]) = {
    let mut factor = 0x9e37_7a05;
    loop {
        if let Some(table) = slots(factor) {
            break (factor, table);
        }
        factor = factor.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35e) | 1;
    }
};

static TABLE: [u8; SLOTS] = PERFECT.1;

/// The number of the name that fills the first `length` bytes of the chunk and has a colon behind it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
pub(crate) fn classify_chunk(chunk: &[u8; 32], length: usize) -> u8 {
    let (Some(&middle), Some(&last)) = (chunk.get(length / 2), chunk.get(length.wrapping_sub(1))) else {
        return UNKNOWN;
    };
    let slot = hash(chunk[0], middle, last, length, PERFECT.0);
    let form = TABLE.get(slot).map_or(NO_FORM, |&form| form);
    let Form { words: [w0, w1, w2, w3], care: [c0, c1, c2, c3] } = WORDS[form as usize];
    let [first, second, third, fourth] = as_words(chunk);
    let differ = (first ^ w0) & c0 | (second ^ w1) & c1 | (third ^ w2) & c2 | (fourth ^ w3) & c3;
    if differ == 0 { NUMBERS[form as usize] } else { UNKNOWN }
}

/// Fewer than thirty-two bytes, zeros behind them.
#[cold]
pub(crate) fn padded(rest: &[u8]) -> [u8; 32] {
    let mut chunk = [0; 32];
    for (to, from) in chunk.iter_mut().zip(rest) {
        *to = *from;
    }
    chunk
}

/// Thirty-two bytes as words.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
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
