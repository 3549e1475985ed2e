//! Wipes the part of the stack that work with keys has used.

use core::hint::black_box;

/// More than the frames below any key set-up.
const DEPTH: usize = 8 * 1024;

/// Runs a function that handles keys, and then wipes the stack it ran on: moved values and block ciphers leave copies of keys
/// there.
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
    // Whoever gets the address may read the octets: they must be written, and here.
    let mut octets = [0_u8; DEPTH];
    black_box(&mut octets);
}
