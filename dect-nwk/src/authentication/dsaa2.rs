//! The second DECT standard authentication algorithm, built on AES-128.
//!
//! Octets keep the order of the air interface; RS1 is the least significant half of RS. The standard's own examples
//! cover the two functions, the order within the processes is inferred from its text.

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};

use super::Key128;

/// Process A11 (and A21, which does not differ): the session key from the authentication key and the session value.
///
/// EN 300 175-7 6.3.3
pub fn a11(key: &Key128, rs: [u8; 16]) -> Key128 {
    let [high @ .., _, _, _, _, _, _, _, _] = rs;
    let [_, _, _, _, _, _, _, _, low @ ..] = rs;
    Key128::new(dsaa2_1(*key.octets(), low, high))
}

/// Process A12: the response RES1 and the derived cipher key from KS and the challenges of both sides.
///
/// EN 300 175-7 6.3.3.3
pub fn a12(ks: &Key128, rand_f: [u8; 8], rand_p: [u8; 8]) -> ([u8; 4], Key128) {
    let (res, dck) = dsaa2_2(*ks.octets(), rand_f, rand_p);
    (res, Key128::new(dck))
}

/// Process A21: the reverse session key KS'.
///
/// EN 300 175-7 6.3.3
pub fn a21(key: &Key128, rs: [u8; 16]) -> Key128 {
    a11(key, rs)
}

/// Process A22: the response RES2 from KS' and the challenges of both sides.
///
/// EN 300 175-7 6.3.3.3
pub fn a22(ks_reverse: &Key128, rand_p: [u8; 8], rand_f: [u8; 8]) -> [u8; 4] {
    dsaa2_2(*ks_reverse.octets(), rand_p, rand_f).0
}

/// The function DSAA2-1.
fn dsaa2_1(d1: [u8; 16], d2: [u8; 8], d3: [u8; 8]) -> [u8; 16] {
    encrypt(d1, encrypt(d1, join(d2, d3)))
}

/// The function DSAA2-2: a tag of 32 bits and a block of 128 bits.
fn dsaa2_2(d1: [u8; 16], d2: [u8; 8], d3: [u8; 8]) -> ([u8; 4], [u8; 16]) {
    let mut w = encrypt(d1, join(d2, d3));
    let [w0, w1, w2, w3, ..] = w;
    w[15] ^= 1;
    ([w0, w1, w2, w3], encrypt(d1, w))
}

fn join(d2: [u8; 8], d3: [u8; 8]) -> [u8; 16] {
    std::array::from_fn(|index| if index < 8 { d2[index] } else { d3[index - 8] })
}

fn encrypt(key: [u8; 16], block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    Aes128::new(&key.into()).encrypt_block(&mut block);
    block.into()
}
