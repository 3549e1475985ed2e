//! Randomness of the operating system, and what is made of it.

/// So many random octets.
///
/// # Panics
/// If the operating system has no randomness: nothing that this server does would be safe then.
#[expect(clippy::expect_used, reason = "there is nothing to go on with")]
pub fn octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).expect("the operating system gives random numbers");
    octets
}

/// Text of `length` characters of an alphabet, all equally likely.
pub fn text(length: usize, alphabet: &[u8]) -> String {
    let fair = 256 - 256 % alphabet.len().clamp(1, 256);
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for octet in octets::<32>() {
            let octet = usize::from(octet);
            if octet < fair && text.len() < length {
                text.extend(alphabet.get(octet % alphabet.len()).copied().map(char::from));
            }
        }
    }
    text
}

/// A password that can be read out and typed: 20 characters, none that look alike.
pub fn password() -> String {
    text(20, b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_alphabet_and_differ() {
        let one = text(1_000, b"0123456789");
        assert!(one.len() == 1_000 && one.bytes().all(|b| b.is_ascii_digit()));
        assert!((b'0'..=b'9').all(|digit| one.bytes().any(|b| b == digit)));
        assert_ne!(password(), password());
        assert_eq!(password().len(), 20);
    }
}
