//! Wipes the part of the stack that key set-up has used.

use core::hint::black_box;

use zeroize::Zeroize;

/// More than the frames below any key set-up.
const DEPTH: usize = 16 * 1024;

/// Runs a function that handles keys, and then wipes the stack it ran on: block ciphers leave copies of keys there.
#[inline(never)]
pub(crate) fn scrubbed<T>(function: impl FnOnce() -> T) -> T {
    let result = apart(function);
    wipe();
    result
}

#[inline(never)]
fn apart<T>(function: impl FnOnce() -> T) -> T {
    black_box(function())
}

#[inline(never)]
fn wipe() {
    let mut octets = [0xff_u8; DEPTH];
    octets.zeroize();
    black_box(&octets);
}
