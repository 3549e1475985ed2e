//! CRC-32 of the signatures without extended session security.

/// The usual reflected polynomial, init and final all ones.
pub(crate) fn crc32(text: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for octet in text {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            let carry = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            crc = (crc >> 1) ^ carry;
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
